"""Two weeks of work that nobody did, up to now. Pure: the same moment and seed give the same story."""

from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

import msgspec

from ingest.contract import NewEvent, parse_event
from ingest.demo.cast import AGENTS, CLAUDE, CODEX, GEMINI, GO_ON, PROJECTS, Agent
from ingest.demo.script import MINUTE_MS, SECOND_MS, Script, Told
from ingest.hooks import claude_code
from ingest.store import Batch
from monitor.times import HOUR_MS, iso_text, to_datetime

DAYS: Final = 14
DAY_MS: Final = 24 * HOUR_MS
SATURDAY: Final = 5
SEED: Final = 20_260_224
PAYLOAD_LIMIT_BYTES: Final = 10_240


class Step(NamedTuple):
    """What came in at a moment (ms)."""

    at_ms: int
    batch: Batch


def story(now_ms: int, seed: int = SEED) -> list[Step]:
    """Everything that came in over the last days, in the order of time; nothing of it after `now_ms`."""
    random = Random(seed)
    steps: list[Step] = []
    for number, start_ms in enumerate(_starts(random, now_ms), 1):
        script = _finished(random, number)
        steps += (_step(told, start_ms) for told in script.told)
    for number, (script, silent_ms) in enumerate(_running(random), 1):
        steps += (_step(told, now_ms - number * SECOND_MS - silent_ms - script.at_ms) for told in script.told)
    return sorted(steps, key=lambda step: step.at_ms)


def _starts(random: Random, now_ms: int) -> Iterator[int]:
    """Starts of finished sessions: in working hours, few at the weekend, the last some hours ago."""
    today_ms = now_ms - now_ms % DAY_MS
    for day in range(DAYS, -1, -1):
        midnight_ms = today_ms - day * DAY_MS
        at_weekend = to_datetime(midnight_ms).weekday() >= SATURDAY
        for _ in range(random.randint(0, 2) if at_weekend else random.randint(3, 7)):
            start_ms = midnight_ms + random.randint(8 * HOUR_MS, 19 * HOUR_MS)
            if start_ms < now_ms - 3 * HOUR_MS:
                yield start_ms


def _agent(random: Random) -> Agent:
    return random.choices(AGENTS, [agent.share for agent in AGENTS])[0]


def _finished(random: Random, number: int) -> Script:
    script = Script(random, number, _agent(random), random.choice(PROJECTS))
    script.start()
    for prompt in script.task.prompts:
        script.turn(prompt, steps=random.randint(2, 12))
    if random.random() < 0.4:
        script.commit()
    script.end()
    return script


def _running(random: Random) -> Iterator[tuple[Script, int]]:
    """Sessions that run now, with the time since they were last heard: working, and waiting for a human."""
    for number, agent in enumerate((CLAUDE, CLAUDE, CODEX, GEMINI, CLAUDE), 901):
        script = Script(random, number, agent, PROJECTS[number % len(PROJECTS)])
        script.start()
        script.turn(script.task.prompts[0], steps=6)
        silent_ms = 2 * SECOND_MS
        match number:
            case 901:
                script.prompt(GO_ON)
                script.model_call()
                script.begin_tool(agent.shell_tool, {"command": script.project.test_command})
            case 902:
                script.prompt(GO_ON)
                script.ask_permission("git push --force-with-lease origin HEAD")
                silent_ms = 70 * SECOND_MS
            case 903:
                script.prompt(GO_ON)
                script.model_call()
                script.tool_use()
            case 904:
                script.ask_question("Keep the old name as an alias, or drop it?")
                silent_ms = 30 * SECOND_MS
            case _:
                silent_ms = 2 * MINUTE_MS
        yield script, silent_ms


def _step(told: Told, start_ms: int) -> Step:
    at_ms = start_ms + told.offset_ms
    if told.hook is not None:
        outcome = claude_code.read(told.hook, payload_limit_bytes=PAYLOAD_LIMIT_BYTES, safety=True)
        return Step(at_ms, Batch(outcome.events, outcome.facts))
    if told.event is not None:
        return Step(at_ms, Batch([_event(told.event | {"client_timestamp": iso_text(at_ms)})]))
    return Step(at_ms, Batch(facts=[told.facts] if told.facts is not None else []))


def _event(body: dict[str, object]) -> NewEvent:
    parsed = parse_event(msgspec.json.encode(body), PAYLOAD_LIMIT_BYTES)
    if not isinstance(parsed, NewEvent):
        raise ValueError(f"the demo tells an event that would be refused: {parsed}")
    return parsed
