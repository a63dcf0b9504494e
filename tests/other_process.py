"""`python -m tests.other_process SESSION COUNT`: store events as an import command does, beside a server."""

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from ingest import runtime
    from ingest.contract import NewEvent
    from ingest.store import Batch

    session_id, count = sys.argv[1], int(sys.argv[2])
    new = [NewEvent(session_id=session_id, agent_type="codex", event_type="response") for _ in range(count)]
    stored = runtime.writer().store_bulk(Batch(new)).result()
    runtime.stop_writer()
    print(*stored.ids)


if __name__ == "__main__":
    main()
