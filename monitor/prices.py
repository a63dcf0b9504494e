"""The prices in force: those of the files, with the person's own from the database over them.

The own ones are few, so they are read whenever something is priced: what the transaction sees then is what
holds, without any notice of changes.
"""

from sqlite3 import Connection
from typing import Final, cast

from django.core.exceptions import ValidationError
from django.db import connection

from monitor.models.price import PriceOverride
from pricing.overrides import Override
from pricing.registry import PricingRegistry, default_registry
from pricing.rows import Rates

DAY_MS: Final = "CAST(strftime('%s', {0}) AS INTEGER) * 1000"
# A cache without a price of its own costs what input costs.
SELECT_OVERRIDES: Final = f"""
    SELECT id, model, {DAY_MS.format("valid_from")}, {DAY_MS.format("valid_until")}, nullif(same_as, ''),
           CAST(round(discount_percent * 100) AS INTEGER),
           input_dollars, coalesce(cache_read_dollars, input_dollars),
           coalesce(cache_write_5m_dollars, input_dollars),
           coalesce(cache_write_1h_dollars, cache_write_5m_dollars, input_dollars), output_dollars
    FROM price_overrides ORDER BY id
"""


def overrides_in(raw: Connection) -> tuple[Override, ...]:
    """What a connection to the database sees now."""
    return tuple(
        Override._make((*row[:6], None if row[6] is None else Rates(*row[6:])))
        for row in raw.execute(SELECT_OVERRIDES).fetchall()
    )


def registry_in(raw: Connection, files: PricingRegistry) -> PricingRegistry:
    """The prices of `files` with the overrides over them."""
    return files.with_overrides(overrides_in(raw))


def registry_in_force() -> PricingRegistry:
    """Over Django's connection of this thread."""
    return registry_in(django_connection(), default_registry())


def django_connection() -> Connection:
    connection.ensure_connection()
    return cast(Connection, connection.connection)


def save_override(override: PriceOverride) -> PriceOverride:
    """Check it and store it. Raises ValidationError."""
    override.full_clean(exclude=["created_at"])
    if override.same_as:
        check_target(override.model, override.same_as)
    override.save()
    return override


def check_target(model: str, same_as: str) -> None:
    """A name can stand for another model that has a price. Raises ValidationError."""
    registry = registry_in_force()
    if not registry.rows(same_as):
        raise ValidationError(f"{same_as} has no price")
    if registry.resolve(same_as) == registry.resolve(model):
        raise ValidationError(f"{same_as} is the model itself")
