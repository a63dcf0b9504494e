#!/usr/bin/env bash
# PreToolUse: denies (exit 2) commands that remove everything, and tells of them and of sensitive files.
. "$(dirname -- "${BASH_SOURCE[0]}")/event.sh"

[ "${AGENTMONITOR_SAFETY:-1}" = 0 ] && exit 0

command=$(ask 'select(.tool_name == "Bash") | .tool_input | objects | .command | strings')
if printf '%s\n' "$command" | LC_ALL=C awk -f "$(dirname -- "${BASH_SOURCE[0]}")/destructive.awk"; then
    send '{event_type: "error", tool_name, status: "error",
           metadata: {blocked: true, reason: "destructive_command", command: .tool_input.command}}'
    printf 'AgentMonitor: Blocked destructive command: %s\n' "$(printf '%s' "$command" | tr '\n' ' ')" >&2
    exit 2
fi

path='(.tool_input | objects | first(.file_path, .notebook_path | text | values | select(sensitive)))'
if [ -n "$(ask "$path")" ]; then
    send '{event_type: "tool_use", tool_name,
           metadata: {security_warning: true, file_path: '"$path"', reason: "sensitive_file_access"}}'
fi
exit 0
