"""docs/commands.md and the commands: each has what the other has."""

import re
from argparse import ArgumentParser, _SubParsersAction

import pytest
from django.core.management import BaseCommand, get_commands, load_command_class

from tests.serving import ROOT

APPS = ("config", "monitor", "ingest", "importers")
OURS = {name: app for name, app in get_commands().items() if app in APPS}


def documented() -> dict[str, str]:
    """Sections by their heading."""
    text = (ROOT / "docs" / "commands.md").read_text()
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options_of(parser: ArgumentParser) -> set[str]:
    found = set()
    for action in parser._actions:
        found |= {option for option in action.option_strings if option.startswith("--")}
        if isinstance(action, _SubParsersAction):
            for below in action.choices.values():
                found |= options_of(below)
    return found


COMMON = options_of(BaseCommand().create_parser("manage.py", "any"))


def test_every_command_is_documented_and_no_other() -> None:
    assert set(documented()) - {"Django's own"} == set(OURS)


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_option_is_documented_and_no_other(name: str) -> None:
    parser = load_command_class(OURS[name], name).create_parser("manage.py", name)
    rows = "\n".join(line for line in documented()[name].splitlines() if line.startswith("|"))

    assert set(re.findall(r"`(--[a-z0-9_-]+)`", rows)) == options_of(parser) - COMMON


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_says_what_it_does(name: str) -> None:
    command = load_command_class(OURS[name], name)

    assert command.help.endswith(".")
