"""Every variable: its default, what it takes, and a wrong value, which is named."""

from pathlib import Path
from typing import Any

import pytest

from config.environment import BASE_DIR, Environment, EnvironmentFault, read, unknown_names

# Field, variable, default, a value and what it is read as.
VARIABLES: list[tuple[str, str, Any, str, Any]] = [
    ("host", "AGENTMONITOR_HOST", "127.0.0.1", "0.0.0.0", "0.0.0.0"),
    ("port", "AGENTMONITOR_PORT", 3141, "8080", 8080),
    ("max_payload_kb", "AGENTMONITOR_MAX_PAYLOAD_KB", 10, "0", 0),
    ("session_timeout_minutes", "AGENTMONITOR_SESSION_TIMEOUT", 5, "1", 1),
    ("max_feed", "AGENTMONITOR_MAX_FEED", 200, "1", 1),
    ("stats_interval_ms", "AGENTMONITOR_STATS_INTERVAL", 5000, "250", 250),
    ("max_sse_clients", "AGENTMONITOR_MAX_SSE_CLIENTS", 50, "1", 1),
    ("sse_heartbeat_ms", "AGENTMONITOR_SSE_HEARTBEAT_MS", 30000, "1000", 1000),
    ("auto_import_minutes", "AGENTMONITOR_AUTO_IMPORT_MINUTES", 10, "0", 0),
    ("session_window_hours", "AGENTMONITOR_SESSION_WINDOW_HOURS", 5, "1", 1),
    ("session_window_hours_claude_code", "AGENTMONITOR_SESSION_WINDOW_HOURS_CLAUDE_CODE", None, "6", 6),
    ("session_window_hours_codex", "AGENTMONITOR_SESSION_WINDOW_HOURS_CODEX", None, "7", 7),
    ("session_token_limit_claude_code", "AGENTMONITOR_SESSION_TOKEN_LIMIT_CLAUDE_CODE", 44000, "0", 0),
    ("extended_window_hours_claude_code", "AGENTMONITOR_EXTENDED_WINDOW_HOURS_CLAUDE_CODE", 24, "1", 1),
    ("extended_token_limit_claude_code", "AGENTMONITOR_EXTENDED_TOKEN_LIMIT_CLAUDE_CODE", 0, "9", 9),
    ("session_cost_limit_codex", "AGENTMONITOR_SESSION_COST_LIMIT_CODEX", 500.0, "12.5", 12.5),
    ("extended_window_hours_codex", "AGENTMONITOR_EXTENDED_WINDOW_HOURS_CODEX", 168, "1", 1),
    ("extended_cost_limit_codex", "AGENTMONITOR_EXTENDED_COST_LIMIT_CODEX", 1500.0, "0", 0.0),
    ("claude_dirs", "AGENTMONITOR_CLAUDE_DIR", (), "/a,/b", (Path("/a"), Path("/b"))),
    ("sync_exclude_patterns", "AGENTMONITOR_SYNC_EXCLUDE_PATTERNS", (), "*/x/*, y", ("*/x/*", "y")),
    ("token", "AGENTMONITOR_TOKEN", None, "secret", "secret"),
    ("allowed_hosts", "AGENTMONITOR_ALLOWED_HOSTS", (), "box.local,box", ("box.local", "box")),
    ("safety", "AGENTMONITOR_SAFETY", True, "0", False),
    ("debug", "AGENTMONITOR_DEBUG", False, "true", True),
    ("codex_home", "CODEX_HOME", Path.home() / ".codex", "/c", Path("/c")),
    ("gemini_cli_home", "GEMINI_CLI_HOME", Path.home(), "/g", Path("/g")),
    ("claude_config_dirs", "CLAUDE_CONFIG_DIR", (), "/d", (Path("/d"),)),
    ("db_path", "AGENTMONITOR_DB_PATH", Path.cwd() / "data" / "agentmonitor.db", "/e/f.db", Path("/e/f.db")),
    ("projects_dir", "AGENTMONITOR_PROJECTS_DIR", BASE_DIR.parent, "/p", Path("/p")),
]
BY_FIELD = [pytest.param(*row, id=row[1]) for row in VARIABLES]
WRONG = [
    ("AGENTMONITOR_PORT", "http", "is not a whole number: 'http'"),
    ("AGENTMONITOR_PORT", "0", "must be at least 1, not 0"),
    ("AGENTMONITOR_PORT", "65536", "must be at most 65535, not 65536"),
    ("AGENTMONITOR_MAX_PAYLOAD_KB", "-1", "must be at least 0, not -1"),
    ("AGENTMONITOR_SESSION_TIMEOUT", "0", "must be at least 1, not 0"),
    ("AGENTMONITOR_SESSION_TIMEOUT", "5m", "is not a whole number: '5m'"),
    ("AGENTMONITOR_MAX_FEED", "0", "must be at least 1, not 0"),
    ("AGENTMONITOR_STATS_INTERVAL", "249", "must be at least 250, not 249"),
    ("AGENTMONITOR_MAX_SSE_CLIENTS", "1.5", "is not a whole number: '1.5'"),
    ("AGENTMONITOR_SSE_HEARTBEAT_MS", "999", "must be at least 1000, not 999"),
    ("AGENTMONITOR_AUTO_IMPORT_MINUTES", "-1", "must be at least 0, not -1"),
    ("AGENTMONITOR_SESSION_WINDOW_HOURS", "0", "must be at least 1, not 0"),
    ("AGENTMONITOR_SESSION_WINDOW_HOURS_CLAUDE_CODE", "0", "must be at least 1, not 0"),
    ("AGENTMONITOR_SESSION_WINDOW_HOURS_CODEX", "x", "is not a whole number: 'x'"),
    ("AGENTMONITOR_SESSION_TOKEN_LIMIT_CLAUDE_CODE", "-1", "must be at least 0, not -1"),
    ("AGENTMONITOR_EXTENDED_WINDOW_HOURS_CLAUDE_CODE", "0", "must be at least 1, not 0"),
    ("AGENTMONITOR_EXTENDED_TOKEN_LIMIT_CLAUDE_CODE", "many", "is not a whole number: 'many'"),
    ("AGENTMONITOR_SESSION_COST_LIMIT_CODEX", "$5", "is not a number: '$5'"),
    ("AGENTMONITOR_EXTENDED_WINDOW_HOURS_CODEX", "0", "must be at least 1, not 0"),
    ("AGENTMONITOR_EXTENDED_COST_LIMIT_CODEX", "nan", "must be at least 0, not nan"),
    ("AGENTMONITOR_SAFETY", "perhaps", "must be 1 or 0, not 'perhaps'"),
    ("AGENTMONITOR_DEBUG", "2", "must be 1 or 0, not '2'"),
]


def one(environ: dict[str, str]) -> Environment:
    return read(environ)[0]


def test_every_field_stands_in_the_table() -> None:
    assert {row[0] for row in VARIABLES} == set(Environment.__dataclass_fields__)


@pytest.mark.parametrize(("field", "variable", "default", "text", "value"), BY_FIELD)
def test_each_variable_has_its_default_and_can_be_set(
    field: str, variable: str, default: Any, text: str, value: Any
) -> None:
    assert getattr(one({}), field) == default
    assert getattr(one({variable: text}), field) == value


@pytest.mark.parametrize(("field", "variable", "default", "text", "value"), BY_FIELD)
def test_it_is_known_where_each_value_came_from(
    field: str, variable: str, default: Any, text: str, value: Any
) -> None:
    origins = {origin.variable: origin for origin in read({variable: f" {text} "})[1]}

    assert (origins[variable].value, origins[variable].source) == (value, "environment")
    assert {origin.source for name, origin in origins.items() if name != variable} == {"default"}


@pytest.mark.parametrize(("variable", "text", "complaint"), WRONG)
def test_a_wrong_value_is_refused_by_name(variable: str, text: str, complaint: str) -> None:
    with pytest.raises(EnvironmentFault) as refused:
        read({variable: text})

    assert str(refused.value) == f"{variable} {complaint}"


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(EnvironmentFault) as refused:
        read({"AGENTMONITOR_PORT": "x", "AGENTMONITOR_MAX_FEED": "y", "AGENTMONITOR_DEBUG": "1"})

    assert [line.split()[0] for line in str(refused.value).splitlines()] == [
        "AGENTMONITOR_PORT",
        "AGENTMONITOR_MAX_FEED",
    ]


@pytest.mark.parametrize("text", ("", "  "))
def test_an_empty_value_is_a_missing_one(text: str) -> None:
    assert read(dict.fromkeys((row[1] for row in VARIABLES), text)) == read({})


def test_the_database_lies_where_one_starts_and_projects_beside_the_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert one({}).db_path == tmp_path / "data" / "agentmonitor.db"
    assert one({}).projects_dir == tmp_path

    monkeypatch.chdir(BASE_DIR / "config")
    assert one({}).projects_dir == BASE_DIR.parent


def test_paths_may_begin_at_home_or_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    assert one({"AGENTMONITOR_DB_PATH": "~/a.db"}).db_path == tmp_path / "a.db"
    assert one({"AGENTMONITOR_DB_PATH": "b.db"}).db_path == tmp_path / "b.db"


def test_a_usage_window_is_an_agents_own_or_the_common_one() -> None:
    environment = one({"AGENTMONITOR_SESSION_WINDOW_HOURS": "3", "AGENTMONITOR_SESSION_WINDOW_HOURS_CODEX": "8"})

    assert [environment.window_hours(name) for name in ("codex", "claude_code", "other")] == [8, 3, 3]


def test_claude_is_looked_for_where_it_was_told_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    both = {"AGENTMONITOR_CLAUDE_DIR": "/ours", "CLAUDE_CONFIG_DIR": "/its-own"}

    assert one(both).claude_roots == (Path("/ours"),)
    assert one({"CLAUDE_CONFIG_DIR": "/its-own"}).claude_roots == (Path("/its-own"),)
    assert one({}).claude_roots == (tmp_path / ".claude", tmp_path / ".config" / "claude")


def test_misspelt_variables_are_found() -> None:
    environ = {"AGENTMONITOR_PROT": "1", "AGENTMONITOR_PORT": "1", "AGENTMONITOR_URL": "x", "PATH": "y"}

    assert unknown_names(environ) == ["AGENTMONITOR_PROT"]
