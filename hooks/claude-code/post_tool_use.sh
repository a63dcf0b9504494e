#!/usr/bin/env bash
# PostToolUse → tool_use, with what the tool was told and how many lines an edit changed.
. "$(dirname -- "${BASH_SOURCE[0]}")/event.sh"

send '
  (.tool_input | objects // {}) as $input
  | {
      Edit: [$input],
      MultiEdit: [$input.edits | arrays[] | objects],
      Write: [{new_string: $input.content}]
    }[.tool_name | text // ""] as $edits
  | {
      event_type: "tool_use",
      tool_name: (.tool_name | text),
      metadata: (
        {tool_use_id: (.tool_use_id | text)}
        + ($input | {command, file_path, pattern, query, url} | map_values(text))
        + if $edits == null then {} else {lines_added: [$edits[].new_string | line_ends] | add // 0} end
        + if $edits == null or .tool_name == "Write" then {}
          else {lines_removed: [$edits[].old_string | line_ends] | add // 0} end
        | filled
      )
    }' "$(branch)"
