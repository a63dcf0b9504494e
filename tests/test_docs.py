"""What exists is documented, and what is documented exists."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from config.api import api
from config.environment import Environment

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
OWN_APPS = {"config", "importers", "ingest", "monitor", "pricing"}
# Read by what is installed into agents, not by the server.
HOOK_VARIABLES = {"AGENTMONITOR_URL"}
# Options of every Django command.
COMMON_OPTIONS = {
    *("--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback"),
    *("--no-color", "--force-color", "--skip-checks"),
}


def page(name: str) -> str:
    return (DOCS / name).read_text()


def own_commands() -> list[str]:
    return sorted(name for name, app in get_commands().items() if app in OWN_APPS)


class TestSettings:
    def documented(self) -> set[str]:
        rows = re.findall(r"^\| `([A-Z_]+)` \|", page("settings.md"), re.MULTILINE)
        assert len(rows) == len(set(rows)), "a setting stands twice"
        return set(rows)

    def existing(self) -> set[str]:
        return {spec.metadata["name"] for spec in fields(Environment)}

    def test_each_is_documented_and_each_documented_one_exists(self) -> None:
        assert self.documented() == self.existing()

    def test_defaults_are_those_in_force(self) -> None:
        shown = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]*)` \|", page("settings.md"), re.MULTILINE))
        plain = {
            spec.metadata["name"]: spec.metadata["default"]
            for spec in fields(Environment)
            if isinstance(spec.metadata["default"], (int, float, str)) and spec.metadata["name"] in shown
        }
        assert plain
        assert {name: shown[name] for name in plain} == {name: written(value) for name, value in plain.items()}

    def test_no_text_names_a_variable_that_does_not_exist(self) -> None:
        known = self.existing() | HOOK_VARIABLES
        for path in (ROOT / "README.md", *DOCS.glob("*.md"), *(ROOT / "hooks").rglob("*.md")):
            named = set(re.findall(r"\bAGENTMONITOR_[A-Z_]+[A-Z]\b", path.read_text()))
            foreign = {name for name in named if not name.startswith(("AGENTMONITOR_BENCH", "AGENTMONITOR_TEST"))}
            assert foreign <= known, path


def written(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


class TestRoutes:
    def documented(self) -> set[tuple[str, str]]:
        return set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/api/[^\s`?]*)`", page("api.md")))

    def existing(self) -> Iterator[tuple[str, str]]:
        for path, operations in api.get_openapi_schema()["paths"].items():
            yield from ((method.upper(), path) for method in operations)
        yield "GET", "/api/stream"

    def test_each_is_documented_and_each_documented_one_exists(self) -> None:
        assert self.documented() == set(self.existing())

    def test_query_parameters_are_documented_with_their_route(self) -> None:
        text = page("api.md")
        for path, operations in api.get_openapi_schema()["paths"].items():
            for method, operation in operations.items():
                names = [item["name"] for item in operation["parameters"] if item["in"] == "query"]
                place = text[text.index(f"`{method.upper()} {path}`") :].split("\n", 1)[0]
                assert all(name in place or "filters of calls" in place for name in names), (path, names)

    def test_each_is_described_for_a_reader_of_the_openapi_page(self) -> None:
        for path, operations in api.get_openapi_schema()["paths"].items():
            for operation in operations.values():
                assert operation["summary"], path
                assert operation["responses"], path


class TestCommands:
    def sections(self) -> dict[str, str]:
        """The text of each command's section, by name."""
        parts = re.split(r"^## ", page("commands.md"), flags=re.MULTILINE)[1:]
        named = {part.split("\n", 1)[0].strip(): part for part in parts}
        return {name: text for name, text in named.items() if name.isidentifier()}

    def test_each_is_documented_and_each_documented_one_exists(self) -> None:
        assert sorted(self.sections()) == own_commands()

    @pytest.mark.parametrize("name", own_commands())
    def test_options_are_documented_and_exist(self, name: str) -> None:
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        existing = {option for option in _options(parser) if option.startswith("--")} - COMMON_OPTIONS
        documented = set(re.findall(r"`(--[\w-]+)", self.sections()[name]))
        assert documented == existing


def _options(parser: object) -> Iterator[str]:
    """Options of a parser and of its sub-commands."""
    for action in parser._actions:  # type: ignore[attr-defined]
        yield from action.option_strings
        if isinstance(action.choices, dict):
            for child in action.choices.values():
                yield from _options(child)


class TestDependencies:
    def test_each_is_documented_and_each_documented_one_is_needed(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        needed = {re.split(r"[^\w.-]", item)[0].lower() for item in project["dependencies"]}
        documented = set(re.findall(r"^\| ([\w.-]+) \|", page("dependencies.md"), re.MULTILINE)) - {"package"}
        assert documented == needed


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        assert target.startswith("http") or (path.parent / target).exists(), target
