"""Imports go one way: config → importers → ingest → monitor → pricing. `hooks/` imports nothing of ours."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Each may import itself and what is to its right.
LAYERS = ("config", "importers", "ingest", "monitor", "pricing")


def imported_packages(path: Path) -> Iterator[str]:
    """The top-level package of every import in a file, also of those inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or path.is_relative_to(ROOT / "hooks"), f"{path}: a relative import"
            yield (node.module or "").split(".")[0]


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", LAYERS)
def test_a_package_imports_only_what_is_to_its_right(package: str) -> None:
    forbidden = {*LAYERS[: LAYERS.index(package)], "tests"}
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in forbidden.intersection(imported_packages(path))
    }
    assert modules(package)
    assert found == set()


def test_what_is_installed_into_agents_imports_nothing_of_the_project() -> None:
    ours = {*LAYERS, "tests", "django", "msgspec"}
    found = {path.name: ours.intersection(imported_packages(path)) for path in modules("hooks")}
    assert {name: packages for name, packages in found.items() if packages} == {}


def test_prices_know_no_framework() -> None:
    """pricing is pure: it can be taken out and used elsewhere."""
    for path in modules("pricing"):
        assert not {"django", "ninja", "channels", "sqlite3"}.intersection(imported_packages(path)), path


STORES = (
    *("store", "adoption_store", "call_store", "entry_store", "metric_store", "quota_store", "subagent_store"),
    "telling_store",
)


def test_sql_is_written_where_the_house_keeps_it() -> None:
    """Statements that change data stand in the store, the rollups and what prunes or recalculates."""
    words = ("INSERT INTO ", "UPDATE sessions", "UPDATE events", "DELETE FROM ")
    stores = [f"ingest/{name}.py" for name in STORES]
    allowed = (*stores, "monitor/rollups", "monitor/sql.py", "monitor/recalculate.py", "monitor/migrations/")
    found = {
        str(path.relative_to(ROOT))
        for package in LAYERS
        for path in modules(package)
        if any(word in path.read_text() for word in words)
    }
    assert {name for name in found if not name.startswith(allowed)} == set()
