"""The providers' quotas as they were last told, kept as markers."""

from typing import Final

import msgspec

from monitor.models import Marker
from monitor.quotas import Quota

QUOTA_MARKER: Final = "quota:"


def saved_quotas() -> dict[str, Quota]:
    """By provider."""
    markers = Marker.objects.filter(key__startswith=QUOTA_MARKER)
    return {
        marker.key.removeprefix(QUOTA_MARKER): msgspec.json.decode(marker.value, type=Quota) for marker in markers
    }
