# Shared by the hook scripts of this directory: source it, then `send` an event.
#
# Reads the hook's JSON from stdin into $hook. What is no JSON object with a session ends the script with 0:
# a hook that has nothing to say must not disturb the agent.

# `claude -p` ends the hooks that still run in the background when it leaves; the last events of a run are theirs.
trap '' TERM HUP

AGENTMONITOR_URL=${AGENTMONITOR_URL:-http://127.0.0.1:3141}

# The functions that the filters of the scripts may use.
FILTERS='
  def text: if type == "string" and . != "" then . else null end;
  def filled: with_entries(select(.value != null));
  def last_part: text // "" | sub("/+\\z"; "") | split("/") | last | text;
  def sensitive:
    split("/") | last | ascii_downcase
    | if startswith(".env.") then test("\\.(example|sample|template|dist|schema)\\z") | not
      else test("(\\.(env|pem|key|credentials|secret)|^id_(rsa|dsa|ecdsa|ed25519)|^\\.netrc|^\\.git-credentials)\\z")
      end;
  # As many as the text has line ends, those at its end left out: one less than its lines.
  def line_ends: text // "" | sub("\\n+\\z"; "") | split("\n") | length | if . > 0 then . - 1 else 0 end;
'

command -v jq >/dev/null 2>&1 || exit 0
{ hook=$(cat); } 2>/dev/null

# ask FILTER: what the filter gives for the hook's body, as plain text.
ask() {
    printf '%s' "$hook" | jq -r "$FILTERS $1" 2>/dev/null
}

[ "$(ask 'type == "object" and (.session_id | text) != null')" = true ] || exit 0

# branch: that of the hook's directory; nothing outside of a work tree.
branch() {
    git -C "$(ask '.cwd | text // "."')" rev-parse --abbrev-ref HEAD 2>/dev/null
}

# send FIELDS [BRANCH]: POST the event whose own fields the filter FIELDS gives. Errors are nobody's concern.
send() {
    local event
    event=$(printf '%s' "$hook" | jq -c --arg branch "${2:-}" "$FILTERS"'
        {session_id, agent_type: "claude_code", source: "hook", project: (.cwd | last_part),
         branch: ($branch | text)} + ('"$1"') | filled' 2>/dev/null) || return 0
    printf '%s' "$event" |
        curl --silent --connect-timeout 2 --max-time 5 --noproxy 'localhost,127.0.0.1,::1' \
            --header 'Content-Type: application/json' --config <(authorization) --data-binary @- \
            "${AGENTMONITOR_URL%/}/api/events" >/dev/null 2>&1 || true
}

# The token stays out of the list of processes.
authorization() {
    [ -z "${AGENTMONITOR_TOKEN:-}" ] || jq -nr '"header = \("Authorization: Bearer \(env.AGENTMONITOR_TOKEN)" | tojson)"'
}
