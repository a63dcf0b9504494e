"""The providers' quotas as they were last told, kept as markers."""

from typing import Any, Final

import msgspec

from monitor.models import Marker
from monitor.quota_forecast import forecasts
from monitor.quotas import Quota, quota_entries

QUOTA_MARKER: Final = "quota:"


def saved_quotas() -> dict[str, Quota]:
    """By provider."""
    markers = Marker.objects.filter(key__startswith=QUOTA_MARKER)
    return {
        marker.key.removeprefix(QUOTA_MARKER): msgspec.json.decode(marker.value, type=Quota) for marker in markers
    }


def told_limits(at_ms: int) -> list[dict[str, Any]]:
    """Both providers, each with a `forecast` where a limit will be reached before it is reset."""
    saved = saved_quotas()
    return [
        entry | (forecasts(saved[entry["provider"]], at_ms) if entry["provider"] in saved else {})
        for entry in quota_entries(saved)
    ]
