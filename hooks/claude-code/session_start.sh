#!/usr/bin/env bash
# SessionStart → session_start, with the model and how the session began.
. "$(dirname -- "${BASH_SOURCE[0]}")/event.sh"

send '{event_type: "session_start", model: (.model | text), metadata: {hook_source: (.source | text // "")}}' "$(branch)"
