"""Of what is told of a provider's limits the newest by its own time stays, in whatever order it comes."""

from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from importers.codex import CodexReader
from importers.reader import PathFacts
from ingest.store import Batch, write_group
from monitor.quotas import Quota
from monitor.times import iso_text
from tests.importers.codex_writing import BEGAN_MS, event, meta, token_count, turn
from tests.storing import START_MS, opened, rules, table


def quota(minute: int, provider: str = "codex") -> Quota:
    return Quota(provider=provider, agent_type="codex", updated_at=iso_text(START_MS + minute * 60_000))


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
@pytest.mark.parametrize("grouped", [True, False])
def test_the_newest_stays(order: tuple[int, ...], grouped: bool, database: Path) -> None:
    batches = [Batch(quotas=[quota(minute), quota(minute, "claude")]) for minute in order]
    with opened(database) as connection:
        for group in [batches] if grouped else [[batch] for batch in batches]:
            write_group(connection, group, START_MS, rules(database.parent))
        kept = table(connection, "SELECT key, value FROM markers ORDER BY key")
    assert [row["key"] for row in kept] == ["quota:claude", "quota:codex"]
    assert {msgspec.json.decode(row["value"])["updated_at"] for row in kept} == {quota(3).updated_at}


def test_the_last_limits_of_a_rollout_come_with_its_session() -> None:
    reader = CodexReader(PathFacts("r.jsonl", "r"))
    told = [{"primary": {"used_percent": used, "window_minutes": 300, "resets_at": 1776933923}} for used in (5, 7)]
    lines = [
        meta("t"),
        turn(1),
        token_count(2, (10, 0, 5), (10, 0, 5)),
        event("token_count", 3, info=None, rate_limits=told[0]),
        event("token_count", 4, info=None, rate_limits=told[1]),
        event("token_count", 5, info=None, rate_limits={"primary": None}),
    ]
    for number, line in enumerate(lines):
        reader.read(number, line)
    reader.take(everything=True)
    (facts,) = reader.facts()
    assert facts.quota is not None and facts.quota.primary is not None
    assert (facts.quota.primary.used_percent, facts.quota.updated_at) == (7, iso_text(BEGAN_MS + 4000))
