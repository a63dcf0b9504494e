"""The SQL of keeping the providers' limits: of what is told of one the newest by its own time stays."""

from collections.abc import Iterable
from sqlite3 import Connection
from typing import Final

import msgspec

from monitor.quotas import Quota
from monitor.saved_quotas import QUOTA_MARKER
from monitor.sql import insert

# The times have one form, so that the later text is the later time.
UPSERT_NEWEST: Final = insert(
    "markers",
    ("key", "value"),
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value "
    "WHERE json_extract(excluded.value, '$.updated_at') >= json_extract(markers.value, '$.updated_at')",
)


def write_quotas(connection: Connection, told: Iterable[Quota]) -> None:
    """Keep what is newer than what is kept."""
    newest: dict[str, Quota] = {}
    for quota in told:
        known = newest.get(quota.provider)
        if known is None or (quota.updated_at or "") >= (known.updated_at or ""):
            newest[quota.provider] = quota
    rows = [(f"{QUOTA_MARKER}{name}", msgspec.json.encode(quota).decode()) for name, quota in newest.items()]
    UPSERT_NEWEST.run(connection, rows)
