"""Our hooks in Claude Code's settings: what they are, how they get in and out, and the file itself."""
