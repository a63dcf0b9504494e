"""`python -m tests.patched '{"module:NAME": value}' command …`: manage.py with other constants.

For limits that a test can't wait for (ten seconds of silence) or reach (32 MB in a queue). The code that
runs is the real one.
"""

import importlib
import json
import os
import sys

import django
from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    for target, value in json.loads(sys.argv[1]).items():
        module_name, _, name = target.partition(":")
        module = importlib.import_module(module_name)
        assert hasattr(module, name), f"{target} is gone"
        setattr(module, name, value)
    execute_from_command_line(["manage.py", *sys.argv[2:]])


if __name__ == "__main__":
    main()
