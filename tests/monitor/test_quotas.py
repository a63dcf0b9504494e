import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.quotas import (
    Quota,
    QuotaFault,
    UnknownProvider,
    from_post,
    from_rollout,
    from_statusline,
    quota_entries,
)

AT_MS = 1_795_531_654_106
PAIRS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "contract" / "later.json").read_text()
)


def recorded(name: str) -> dict[str, Any]:
    [found] = [pair for pair in PAIRS if pair["name"] == name]
    return found


def posted(**payload: Any) -> Quota:
    return from_post("codex", payload, AT_MS)


def window(**fields: Any) -> dict[str, Any]:
    [_, entry] = quota_entries({"codex": posted(primary=fields)})
    assert isinstance(entry["primary"], dict)
    return entry["primary"]


def test_the_recorded_posts_become_the_recorded_list() -> None:
    claude = from_statusline(recorded("quota: claude status line")["request"]["body"], AT_MS)
    codex = from_post("codex", recorded("quota: codex")["request"]["body"], AT_MS)
    assert claude is not None

    entries = quota_entries({"claude": claude, "codex": codex})

    expected = recorded("quota list")["response"]["body"]
    assert [entry | {"updated_at": None} for entry in entries] == [
        entry | {"updated_at": None} for entry in expected
    ]
    assert entries[0]["updated_at"] == "2026-11-24T14:47:34.106Z"


def test_unknown_limits_are_unavailable_entries() -> None:
    stats = recorded("stats carry live_sessions, active_agents, quota_monitor")["response"]["body"]
    [claude, _] = stats["quota_monitor"]

    entries = quota_entries({})

    assert entries[0] == claude
    assert entries[1] == claude | {"provider": "codex", "agent_type": "codex"}


def test_a_status_line_without_limits_is_none() -> None:
    assert from_statusline(recorded("quota: claude status line without limits")["request"]["body"], AT_MS) is None


@pytest.mark.parametrize(
    "payload", [None, [], "x", {"rate_limits": 5}, {"rate_limits": {}}, {"rate_limits": {"five_hour": 5}}]
)
def test_any_other_status_line_is_none_too(payload: Any) -> None:
    assert from_statusline(payload, AT_MS) is None


def test_one_window_is_enough() -> None:
    quota = from_statusline({"rate_limits": {"seven_day": {"used_percentage": 40.5}}}, AT_MS)

    assert quota is not None
    assert quota.primary is None
    assert quota.secondary is not None
    assert (quota.secondary.used_percent, quota.secondary.remaining_percent) == (40.5, 59.5)
    assert quota.secondary.resets_at is None


@pytest.mark.parametrize(
    ("given", "used", "remaining"),
    [
        (5, 5, 95),
        (-3, 0, 100),
        (250, 100, 0),
        ("12.5", 12.5, 87.5),
        ("x", None, None),
        (True, None, None),
        (None, None, None),
    ],
)
def test_percents_are_clamped(given: Any, used: Any, remaining: Any) -> None:
    told = window(used_percent=given)

    assert (told["used_percent"], told["remaining_percent"]) == (used, remaining)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (1776933923, "2026-04-23T08:45:23.000Z"),
        ("1776933923", "2026-04-23T08:45:23.000Z"),
        (1776933923000, "2026-04-23T08:45:23.000Z"),
        (1776933923.5, "2026-04-23T08:45:23.500Z"),
        ("2026-04-23T08:45:23Z", "2026-04-23T08:45:23.000Z"),
        ("2026-04-23T10:45:23.250+02:00", "2026-04-23T08:45:23.250Z"),
        ("soon", None),
        (1e300, None),
        (-1e300, None),
        ([], None),
        (None, None),
    ],
)
def test_reset_times_come_in_many_forms(given: Any, expected: str | None) -> None:
    assert window(resets_at=given)["resets_at"] == expected


@pytest.mark.parametrize("minutes", [0, -5, "x", 10**12, None])
def test_an_impossible_window_has_no_length(minutes: Any) -> None:
    assert window(window_minutes=minutes)["window_minutes"] is None


@pytest.mark.parametrize("payload", [None, [], "text", 5])
def test_no_object_is_a_fault(payload: Any) -> None:
    with pytest.raises(QuotaFault, match="Expected JSON object body"):
        from_post("claude", payload, AT_MS)


def test_an_unknown_provider_is_another_fault() -> None:
    with pytest.raises(UnknownProvider, match="Unknown provider"):
        from_post("other", {}, AT_MS)


def test_wrong_types_are_left_out() -> None:
    quota = posted(status=5, plan_type=[], primary="x", credits={"has_credits": "yes", "balance": True})

    assert quota.status == "available"
    assert (quota.plan_type, quota.primary) == (None, None)
    assert quota.credits is not None
    assert (quota.credits.has_credits, quota.credits.balance) == (None, None)


def test_a_quota_survives_storage_as_json() -> None:
    quota = posted(plan_type="plus", primary={"used_percent": 5, "window_minutes": 300}, credits={"balance": "0"})

    assert msgspec.json.decode(msgspec.json.encode(quota), type=Quota) == quota


def rollout(**limits: Any) -> Quota | None:
    return from_rollout({"limit_id": "codex"} | limits, AT_MS)


def test_a_rollout_tells_the_limits_of_its_line() -> None:
    window = {"used_percent": 12.5, "window_minutes": 300, "resets_at": 1776933923}
    quota = rollout(primary=window, secondary=None, plan_type="pro", credits={"balance": "5"})
    assert quota is not None and quota.primary is not None
    assert (quota.provider, quota.source, quota.updated_at) == (
        "codex",
        "codex-rollout",
        "2026-11-24T14:47:34.106Z",
    )
    assert (quota.plan_type, quota.primary.used_percent, quota.primary.window_minutes) == ("pro", 12.5, 300)
    assert quota.primary.resets_at == "2026-04-23T08:45:23.000Z"


def test_an_older_rollout_tells_the_seconds_to_the_reset() -> None:
    quota = rollout(limit_id=None, primary={"used_percent": 1, "window_minutes": 299, "resets_in_seconds": 60})
    assert quota is not None and quota.primary is not None
    assert quota.primary.resets_at == "2026-11-24T14:48:34.106Z"


@pytest.mark.parametrize(
    "limits", [None, [], {}, {"primary": None}, {"limit_id": "codex_other", "primary": {"used_percent": 1}}]
)
def test_a_rollout_without_limits_of_the_account_tells_none(limits: Any) -> None:
    assert from_rollout(limits, AT_MS) is None
