#!/usr/bin/env bash
# Notification → response, in the client's own words. Not installed by install.sh.
. "$(dirname -- "${BASH_SOURCE[0]}")/event.sh"

send '{event_type: "response", metadata: ({notification_type: (.notification_type | text), message: (.message | text)} | filled)}'
