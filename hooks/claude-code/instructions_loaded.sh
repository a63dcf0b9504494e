#!/usr/bin/env bash
# InstructionsLoaded → instruction_load: which file, and why it was read.
. "$(dirname -- "${BASH_SOURCE[0]}")/event.sh"

send '{
  event_type: "instruction_load",
  metadata: ({file_path, memory_type, load_reason, globs, trigger_file_path, parent_file_path} | filled)
}'
