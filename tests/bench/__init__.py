"""`make bench`: ratios against a floor measured in the same run, in turn. Never a test, never a verdict."""
