"""The telemetry of Claude Code and Gemini CLI, in and out of their settings."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.hooks.install.settings_file import SettingsFault
from ingest.hooks.install.telemetry import (
    CLAUDE_BLOCK,
    GEMINI_BLOCK,
    Block,
    claude_telemetry,
    endpoint_in,
    gemini_telemetry,
    with_telemetry,
)

URL = "http://127.0.0.1:3141"
CASES = [(CLAUDE_BLOCK, claude_telemetry), (GEMINI_BLOCK, gemini_telemetry)]


@pytest.mark.parametrize(("block", "wanted"), CASES)
def test_the_endpoint_is_ours_and_the_rest_stays(block: Block, wanted: Any) -> None:
    before = {"model": "opus", block[0]: {"OTHER": "x"}, "last": 1}
    after = with_telemetry(before, block, wanted(URL))
    assert endpoint_in(after, block) == f"{URL}/api/otel"
    assert list(after) == list(before)
    assert next(iter(after[block[0]])) == "OTHER"


def test_claude_code_sends_metrics_and_logs() -> None:
    env = claude_telemetry(URL)
    assert (env["CLAUDE_CODE_ENABLE_TELEMETRY"], env["OTEL_EXPORTER_OTLP_PROTOCOL"]) == ("1", "http/json")
    assert env["OTEL_METRICS_EXPORTER"] == env["OTEL_LOGS_EXPORTER"] == "otlp"


@pytest.mark.parametrize(("block", "wanted"), CASES)
def test_another_endpoint_is_never_replaced(block: Block, wanted: Any) -> None:
    before = {block[0]: {block[1][0]: "https://collector.example/otlp"}}
    with pytest.raises(SettingsFault, match=r"collector\.example"):
        with_telemetry(before, block, wanted(URL))
    assert with_telemetry(before, block, {}) == before
    assert endpoint_in(before, block) is None


def test_a_block_that_is_no_object_is_refused() -> None:
    with pytest.raises(SettingsFault, match="env"):
        with_telemetry({"env": []}, CLAUDE_BLOCK, claude_telemetry(URL))


@given(data=st.data())
@pytest.mark.parametrize(("block", "wanted"), CASES)
def test_what_was_there_is_there_again(block: Block, wanted: Any, data: st.DataObject) -> None:
    """Also what has the very values that we want."""
    key, names = block
    some = data.draw(st.lists(st.sampled_from([*names[1:], "A", "B"]), unique=True))
    values = wanted(URL) | {"A": "1", "B": "2"}
    before = data.draw(st.sampled_from([{}, {"model": "x"}]))
    if some:
        before = before | {key: {name: values[name] for name in some}}
    once = with_telemetry(before, block, wanted(URL))
    assert with_telemetry(once, block, wanted(URL)) == once
    moved = with_telemetry(once, block, wanted("http://localhost:4000"))
    assert endpoint_in(moved, block) == "http://localhost:4000/api/otel"
    for installed in (once, moved):
        restored = with_telemetry(installed, block, {})
        assert restored == before
        assert list(restored.get(key, {})) == some
