#!/usr/bin/env bash
# Stop → session_end: Claude Code sends it at the end of each turn.
. "$(dirname -- "${BASH_SOURCE[0]}")/event.sh"

send '{event_type: "session_end"}' "$(branch)"
