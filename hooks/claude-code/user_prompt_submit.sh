#!/usr/bin/env bash
# UserPromptSubmit → user_prompt; an empty prompt is none.
. "$(dirname -- "${BASH_SOURCE[0]}")/event.sh"

[ "$(ask '(.prompt | text) != null')" = true ] || exit 0
send '{event_type: "user_prompt", metadata: {message: .prompt}}'
