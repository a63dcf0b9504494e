"""What a person says of prices, laid over the rows of the files."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pricing.rows import PriceRow, Rates, divide_half_even

Rows = tuple[PriceRow, ...]
WHOLE_BASIS_POINTS = 10_000


class Override(NamedTuple):
    """One of: the same as another model; a discount on what is said before it; rates of its own.

    It holds from `from_ms` until just before `until_ms` (Unix ms; None is open); the same as another, always.
    A discount is in hundredths of a percent. Of two that hold at one time the later one (by `id`) wins.
    """

    id: int
    model: str
    from_ms: int | None = None
    until_ms: int | None = None
    same_as: str | None = None
    discount_basis_points: int | None = None
    rates: Rates | None = None


def layered(rows: Rows, model: str, overrides: Iterable[Override], rows_of: Callable[[str], Rows]) -> Rows:
    """Rows of a model with its overrides, in their order; of those that cover a time, the first one counts.

    `rows_of` gives the rows of the model that a name is said to be the same as.
    """
    for override in overrides:
        if override.same_as is not None:
            rows = rows_of(override.same_as) or rows
        elif override.rates is not None:
            rows = (_own_row(override, model, override.rates), *rows)
        elif override.discount_basis_points is not None:
            rows = (*_discounted(override, WHOLE_BASIS_POINTS - override.discount_basis_points, rows), *rows)
    return rows


def _own_row(override: Override, model: str, rates: Rates) -> PriceRow:
    return PriceRow(f"{model}@own-{override.id}", model, override.from_ms, override.until_ms, rates, ())


def _discounted(override: Override, share_basis_points: int, rows: Rows) -> Iterator[PriceRow]:
    """The rows cut to the time of the discount, at its share of their prices."""
    for row in rows:
        from_ms = _later(row.from_ms, override.from_ms)
        until_ms = _earlier(row.until_ms, override.until_ms)
        if from_ms is not None and until_ms is not None and from_ms >= until_ms:
            continue
        yield row._replace(
            price_id=f"{row.price_id}+own-{override.id}",
            from_ms=from_ms,
            until_ms=until_ms,
            rates=_share(row.rates, share_basis_points),
            tiers=tuple(tier._replace(rates=_share(tier.rates, share_basis_points)) for tier in row.tiers),
            variants=tuple(each._replace(rates=_share(each.rates, share_basis_points)) for each in row.variants),
        )


def _share(rates: Rates, basis_points: int) -> Rates:
    return Rates(*(divide_half_even(nanos * basis_points, WHOLE_BASIS_POINTS) for nanos in rates))


def _later(one: int | None, other: int | None) -> int | None:
    return max((at for at in (one, other) if at is not None), default=None)


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((at for at in (one, other) if at is not None), default=None)
