"""What an agent's session asks of its human, in one word. Pure.

working, tool: it goes on by itself. permission, question: it has stopped until the human answers. finished: its
turn has ended and nobody looked yet. idle: nothing is to be done. died: its process was found gone in mid-life,
and nobody looked yet. ended: it is over.
"""

from typing import Final

from monitor.lifecycle import ACTIVE, DIED, ENDED, PERMISSION, QUESTION, TOOL, TURN_ENDED, WORKING

FINISHED, IDLE = "finished", "idle"
STOPPED: Final = (PERMISSION, QUESTION)
# Most pressing first.
ORDER: Final = (PERMISSION, QUESTION, DIED, FINISHED, TOOL, WORKING, IDLE, ENDED)
WAITING: Final = (PERMISSION, QUESTION, DIED, FINISHED)


def attention_of(status: str, state: str | None, state_at_ms: int | None, seen_at_ms: int | None) -> str:
    """From a session's columns."""
    is_seen = seen_at_ms is not None and seen_at_ms >= (state_at_ms or 0)
    if status == ENDED:
        return DIED if state == DIED and not is_seen else ENDED
    if state in STOPPED:
        return str(state)
    if state == TURN_ENDED:
        return IDLE if is_seen else FINISHED
    if status != ACTIVE:
        # A tool may take long in silence; an agent that says nothing between tools has stopped.
        return TOOL if state == TOOL else IDLE
    return TOOL if state == TOOL else WORKING
