"""The shell command that hands what it gets on stdin to this server, and never says anything. Pure."""

import shlex
from typing import Final

TOKEN_VARIABLE: Final = "AGENTMONITOR_TOKEN"
# For commands that the client waits for: a monitor that hangs must not hold it up.
CONNECT_TIMEOUT_S, WHOLE_TIMEOUT_S = 1, 2
OWN_LOOPBACK: Final = "localhost,127.0.0.1,::1"


def posting_command(
    url: str, *, with_token: bool, connect_s: int = CONNECT_TIMEOUT_S, whole_s: int = WHOLE_TIMEOUT_S
) -> str:
    """Posts stdin as JSON; its status is always 0 and its output empty, which clients would show or use.

    A token stays in the client's environment, never in its settings.
    """
    token = f'-H "Authorization: Bearer ${TOKEN_VARIABLE}" ' if with_token else ""
    return (
        f"curl -s --connect-timeout {connect_s} -m {whole_s} --noproxy {OWN_LOOPBACK} "
        f"-H 'Content-Type: application/json' {token}--data-binary @- {shlex.quote(url)} >/dev/null 2>&1 || true"
    )
