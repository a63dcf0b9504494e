#!/usr/bin/env bash
# Puts these hooks into Claude Code's settings, or takes them out again. Touches nothing else there.

set -euo pipefail

usage() {
    cat <<'TXT'
Usage: install.sh [--python] [--url URL] [--uninstall] [-h]

  --python      use the Python scripts (no jq and curl at run time) instead of the shell scripts
  --url URL     where AgentMonitor listens (default: $AGENTMONITOR_URL, else http://127.0.0.1:3141)
  --uninstall   remove these hooks, and only these
  -h, --help    show this text

Settings: $CLAUDE_CONFIG_DIR/settings.json, else ~/.claude/settings.json. Needs jq.
TXT
}

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit 1
}

# The file itself, where the settings are a link to it.
resolved() {
    local path=$1 link
    while [ -L "$path" ]; do
        link=$(readlink "$path")
        case $link in
            /*) path=$link ;;
            *) path=$(dirname -- "$path")/$link ;;
        esac
    done
    printf '%s' "$path"
}

url=${AGENTMONITOR_URL:-http://127.0.0.1:3141}
uninstall=false
folder=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
scripts=$folder
ending=sh
case $folder/ in
    */hooks/claude-code/) ;;
    *) fail "keep these files in a folder hooks/claude-code: by that path they are known in the settings" ;;
esac
while [ $# -gt 0 ]; do
    case $1 in
        --python) scripts=$folder/python ending=py ;;
        --url)
            [ $# -ge 2 ] && [ -n "$2" ] || fail "--url needs a URL"
            url=$2
            shift
            ;;
        --url=?*) url=${1#--url=} ;;
        --uninstall) uninstall=true ;;
        -h | --help)
            usage
            exit 0
            ;;
        *)
            usage >&2
            fail "unknown option: $1"
            ;;
    esac
    shift
done

command -v jq >/dev/null 2>&1 || fail "jq is needed to edit the settings; install it, or use 'manage.py hooks install'"
if [ "$ending" = sh ]; then
    command -v curl >/dev/null 2>&1 || fail "the shell hooks need curl; try --python"
fi

settings=$(resolved "${CLAUDE_CONFIG_DIR:-$HOME/.claude}/settings.json")
before='{}'
if [ -e "$settings" ]; then
    before=$(cat -- "$settings")
    [ -n "${before//[[:space:]]/}" ] || before='{}'
    jq -es 'length == 1 and (.[0] | type == "object" and (.hooks // {} | type == "object" and all(type == "array")))' \
        <<<"$before" >/dev/null 2>&1 || fail "$settings is not a valid settings file; nothing was changed"
fi

# Ours are known by where they post to, or by the folder of the script.
own='
  def own:
    type == "object" and
    ((.type == "http" and (.url | strings | test("/api/hooks/claude-code/?\\z")))
     or (.command | strings | contains("/hooks/claude-code/") or contains("/api/hooks/claude-code")));
  def has_own: type == "object" and (.hooks | arrays | any(own));
'
# Takes ours out, with what is empty for it, and puts in what $ours holds.
merge='
  def without_own: map(if has_own then .hooks |= map(select(own | not)) | select(.hooks != []) else . end);
  (.hooks // {}) as $hooks
  | ($hooks | with_entries(
      if (.value | arrays | any(has_own)) then .value |= without_own | select(.value != []) else . end)) as $others
  | (reduce ($ours | to_entries[]) as $entry ($others; .[$entry.key] += $entry.value)) as $wanted
  | if $wanted == $hooks then . elif $wanted == {} then del(.hooks) else .hooks = $wanted end
'
entries='
  def quoted: if test("\\A[A-Za-z0-9_@%+=:,./-]+\\z") then . else "\u0027\(gsub("\u0027"; "\u0027\"\u0027\"\u0027"))\u0027" end;
  def hook(name):
    {type: "command", command: "AGENTMONITOR_URL=\($url | quoted) \("\($scripts)/\(name).\($ending)" | quoted)",
     timeout: 10};
  def later(name): {hooks: [hook(name) + {async: true}]};
  {
    SessionStart: [later("session_start")],
    UserPromptSubmit: [later("user_prompt_submit")],
    PreToolUse: [
      {matcher: "Bash", hooks: [hook("pre_tool_use") + {statusMessage: "AgentMonitor: checking the command"}]},
      {matcher: "Read|Edit|MultiEdit|Write|NotebookEdit"} + later("pre_tool_use")
    ],
    PostToolUse: [later("post_tool_use")],
    InstructionsLoaded: [later("instructions_loaded")],
    Stop: [later("session_end")]
  }
'

ours='{}'
if [ "$uninstall" = false ]; then
    ours=$(jq -n --arg url "$url" --arg scripts "$scripts" --arg ending "$ending" "$entries")
fi
after=$(jq --argjson ours "$ours" "$own $merge" <<<"$before") || fail "$settings could not be changed; it is as it was"

if [ "$(jq -c . <<<"$before")" = "$(jq -c . <<<"$after")" ]; then
    echo "Nothing to change in $settings"
    exit 0
fi

mkdir -p -- "$(dirname -- "$settings")"
fresh=$settings.new.$$
if [ -e "$settings" ]; then
    backup=$settings.bak.$(date +%Y%m%d%H%M%S)
    while [ -e "$backup" ]; do backup=$backup.1; done
    cp -p -- "$settings" "$backup"
    cp -p -- "$settings" "$fresh" # for its permissions
    echo "The settings before: $backup"
fi
printf '%s\n' "$after" >"$fresh"
mv -- "$fresh" "$settings"
if [ "$uninstall" = true ]; then
    echo "Hooks removed from $settings"
else
    echo "Hooks installed in $settings; they report to $url from the next session on"
fi
