"""Which price row a model's call is billed by."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path

from pricing.datafile import Place, PricedModel, read_price_file
from pricing.names import spellings, without_provider
from pricing.overrides import Override, Rows, layered
from pricing.rows import Priced, PriceRow
from pricing.usage import Usage

DATA = Path(__file__).parent / "data"

# Names come from whoever posts events, so what is remembered of them has an end: a few dozen spellings
# are in use at a time, and no provider's name is a quarter as long.
REMEMBERED_NAMES = 1024
MAX_NAME_LENGTH = 256


class PricingRegistry:
    """All price rows, found by a model's name and a call's time. Immutable; safe to share among threads."""

    def __init__(self, models: Iterable[PricedModel], overrides: Sequence[Override] = ()) -> None:
        self.models, self.overrides = tuple(models), tuple(overrides)
        self._file_rows = {model.name: model.rows for model in self.models}
        self._names = _names(self.models)
        self._layers: dict[str, list[Override]] = defaultdict(list)
        for override in sorted(self.overrides):
            model = self.resolve(override.model) or without_provider(override.model.strip())
            self._names.setdefault(model, model)
            self._layers[model].append(override)
        self._remembered = lru_cache(REMEMBERED_NAMES)(self._find)
        self._overridden: PricingRegistry = self

    @classmethod
    def load(cls, directory: Path = DATA) -> "PricingRegistry":
        """The prices of every *.json file in `directory`. Raises PriceDataError."""
        paths = sorted(directory.glob("*.json"))
        if not paths:
            Place(str(directory)).fail("holds no price file")
        return cls(model for path in paths for model in read_price_file(path))

    def with_overrides(self, overrides: Sequence[Override]) -> "PricingRegistry":
        """These prices with a person's own over them; the same registry for the same overrides as last time."""
        overrides = tuple(overrides)
        if overrides == self.overrides:
            return self
        known = self._overridden
        if known.overrides != overrides:
            known = self._overridden = PricingRegistry(self.models, overrides)
        return known

    def resolve(self, model: str) -> str | None:
        """The name under which a model is priced, for any spelling of it; None for an unknown model."""
        if len(model) > MAX_NAME_LENGTH:
            return None
        return next((self._names[name] for name in spellings(model) if name in self._names), None)

    def rows(self, model: str) -> Rows:
        """Every row of a model; of those that cover a time, the first one counts."""
        return self._remembered(model) if len(model) <= MAX_NAME_LENGTH else ()

    def lookup(self, model: str, at_ms: int | None) -> PriceRow | None:
        """The row that held at a Unix time in milliseconds; at None the latest; None for an unknown model."""
        rows = self.rows(model)
        if at_ms is None:
            return next((row for row in rows if row.until_ms is None), rows[0] if rows else None)
        for row in rows:
            if row.covers(at_ms):
                return row
        return None

    def price(self, model: str, usage: Usage, at_ms: int | None) -> Priced | None:
        """What a call cost, as `lookup` finds its row; None, never 0, for an unknown model."""
        row = self.lookup(model, at_ms)
        return None if row is None else row.price(usage)

    def _find(self, model: str, asked_by: frozenset[str] = frozenset()) -> Rows:
        name = self.resolve(model)
        if name is None or name in asked_by:
            return ()
        others = asked_by | {name}
        own = self._file_rows.get(name, ())
        return layered(own, name, self._layers.get(name, ()), lambda other: self._find(other, others))


@cache
def default_registry() -> PricingRegistry:
    """The prices that come with the project, read once."""
    return PricingRegistry.load()


def _names(models: Iterable[PricedModel]) -> dict[str, str]:
    """Each model by every name of its own."""
    owners: dict[str, PricedModel] = {}
    for model in models:
        for name in (model.name, *model.aliases):
            if name in owners:
                Place(model.file, model.name, "aliases").fail(
                    f"{name!r} is already a name of {owners[name].name} in {owners[name].file}"
                )
            owners[name] = model
    return {name: model.name for name, model in owners.items()}
