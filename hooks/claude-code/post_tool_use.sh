#!/usr/bin/env bash
# PostToolUse → tool_use, with what the tool was told and how many lines an edit changed.
. "$(dirname -- "${BASH_SOURCE[0]}")/event.sh"

send '
  (.tool_input | objects // {}) as $input
  | (if .tool_name == "Edit" then [$input]
     elif .tool_name == "MultiEdit" then [$input.edits | arrays[] | objects]
     elif .tool_name == "Write" then [{new_string: $input.content}]
     else [] end) as $edits
  | ($edits | length > 0) as $edited
  | {
      event_type: "tool_use",
      tool_name: (.tool_name | text),
      metadata: (
        {
          tool_use_id: (.tool_use_id | text),
          lines_added: (if $edited then [$edits[].new_string | line_ends] | add else null end),
          lines_removed: (
            if $edited and .tool_name != "Write" then [$edits[].old_string | line_ends] | add else null end)
        }
        + ($input | {command, file_path, pattern, query, url} | map_values(text))
        | filled
      )
    }' "$(branch)"
