import re
import tomllib
from pathlib import Path

from ingest.hooks import claude_code, codex, gemini
from ingest.hooks.install.entries import CODEX_EVENTS, COMMAND_ONLY_EVENTS, GEMINI_EVENTS, HTTP_EVENTS, SCRIPTS

ROOT = Path(__file__).parents[2]


def test_every_hook_event_is_documented() -> None:
    text = (ROOT / "docs/hooks.md").read_text()
    _, of_claude, of_codex, of_gemini = re.split(r"^# (?:Claude Code|Codex|Gemini CLI)$", text, flags=re.MULTILINE)
    for part, events in (
        (of_claude, {*claude_code.READERS, *HTTP_EVENTS, *COMMAND_ONLY_EVENTS}),
        (of_codex, {*codex.READERS, *CODEX_EVENTS}),
        (of_gemini, {*gemini.READERS, *GEMINI_EVENTS}),
    ):
        assert [event for event in events if event not in part] == []


def test_every_script_is_documented() -> None:
    text = (ROOT / "hooks/claude-code/README.md").read_text()
    assert [name for event, name in SCRIPTS.items() if f"| {event} | `{name}` |" not in text] == []


def test_the_configuration_for_codex_is_toml_that_names_both_endpoints() -> None:
    text = (ROOT / "hooks/codex/README.md").read_text()
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    otel = tomllib.loads(block)["otel"]
    assert otel["log_user_prompt"] is True
    exporters = (otel["exporter"]["otlp-http"], otel["metrics_exporter"]["otlp-http"])
    assert [exporter["endpoint"].split("/api/")[1] for exporter in exporters] == [
        "otel/v1/logs",
        "otel/v1/metrics",
    ]
    assert {exporter["protocol"] for exporter in exporters} == {"json"}
