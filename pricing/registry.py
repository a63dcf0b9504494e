"""Which price row a model's call is billed by."""

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from pricing.datafile import Place, PricedModel, read_price_file
from pricing.names import spellings
from pricing.rows import Priced, PriceRow
from pricing.usage import Usage

DATA = Path(__file__).parent / "data"

# Names come from whoever posts events, so what is remembered of them has an end: a few dozen spellings
# are in use at a time, and no provider's name is a quarter as long.
REMEMBERED_NAMES = 1024
MAX_NAME_LENGTH = 256


class PricingRegistry:
    """All price rows, found by a model's name and a call's time. Immutable; safe to share among threads."""

    def __init__(self, models: Iterable[PricedModel]) -> None:
        self.models = tuple(models)
        self._rows_by_name = _rows_by_name(self.models)
        self._remembered = lru_cache(REMEMBERED_NAMES)(self._find)

    @classmethod
    def load(cls, directory: Path = DATA) -> "PricingRegistry":
        """The prices of every *.json file in `directory`. Raises PriceDataError."""
        paths = sorted(directory.glob("*.json"))
        if not paths:
            Place(str(directory)).fail("holds no price file")
        return cls(model for path in paths for model in read_price_file(path))

    def lookup(self, model: str, at_ms: int | None) -> PriceRow | None:
        """The row that held at a Unix time in milliseconds; at None the latest; None for an unknown model."""
        if len(model) > MAX_NAME_LENGTH:
            return None
        rows = self._remembered(model)
        if at_ms is None:
            return rows[0] if rows else None
        for row in rows:
            if row.covers(at_ms):
                return row
        return None

    def price(self, model: str, usage: Usage, at_ms: int | None) -> Priced | None:
        """What a call cost, as `lookup` finds its row; None, never 0, for an unknown model."""
        row = self.lookup(model, at_ms)
        return None if row is None else row.price(usage)

    def _find(self, model: str) -> tuple[PriceRow, ...]:
        for name in spellings(model):
            if name in self._rows_by_name:
                return self._rows_by_name[name]
        return ()


@cache
def default_registry() -> PricingRegistry:
    """The prices that come with the project, read once."""
    return PricingRegistry.load()


def _rows_by_name(models: Iterable[PricedModel]) -> dict[str, tuple[PriceRow, ...]]:
    owners: dict[str, PricedModel] = {}
    for model in models:
        for name in (model.name, *model.aliases):
            if name in owners:
                Place(model.file, model.name, "aliases").fail(
                    f"{name!r} is already a name of {owners[name].name} in {owners[name].file}"
                )
            owners[name] = model
    return {name: model.rows for name, model in owners.items()}
