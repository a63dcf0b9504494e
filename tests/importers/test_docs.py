"""docs/importing.md names every option of the commands."""

from argparse import ArgumentParser
from pathlib import Path

import pytest

from importers.command import ImportCommand
from importers.management.commands import import_claude, import_codex, import_gemini, import_history

TEXT = (Path(__file__).parent.parent.parent / "docs" / "importing.md").read_text()
COMMANDS = [module.Command() for module in (import_claude, import_codex, import_gemini, import_history)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.title)
def test_every_option_is_documented(command: ImportCommand) -> None:
    parser = ArgumentParser(add_help=False)
    command.add_arguments(parser)
    options = {option for action in parser._actions for option in action.option_strings}
    assert options
    assert {option for option in options if f"`{option}`" not in TEXT} == set()
