"""A price row, and the exact arithmetic that turns a call's usage into money."""

from typing import NamedTuple

from pricing.usage import Usage

# Dollars per million tokens become integer nano-dollars per million tokens; a token's price in
# nano-dollars is then a fraction with this denominator.
TOKENS_PER_PRICE = 1_000_000

# Stands in place of a price row's id where the client itself stated what a call cost.
CLIENT_PRICE = "client"


class Rates(NamedTuple):
    """Nano-dollars per million tokens, one for each class of `Usage`."""

    uncached_input_nanos: int
    cache_read_nanos: int
    cache_write_5m_nanos: int
    cache_write_1h_nanos: int
    output_nanos: int

    def cost_nanos(self, usage: Usage, beside_tokens: int = 0) -> int:
        """Exact cost of a whole call, rounded once: to the nano-dollar, a half to the even one.

        `beside_tokens` is what is billed beside them, in millionths of a nano-dollar.
        """
        return divide_half_even(
            beside_tokens
            + usage.uncached_input_tokens * self.uncached_input_nanos
            + usage.cache_read_tokens * self.cache_read_nanos
            + usage.cache_write_5m_tokens * self.cache_write_5m_nanos
            + usage.cache_write_1h_tokens * self.cache_write_1h_nanos
            + usage.output_tokens * self.output_nanos,
            TOKENS_PER_PRICE,
        )


class Tier(NamedTuple):
    """Rates of a whole request whose prompt is longer than `above_tokens`."""

    above_tokens: int
    rates: Rates


class Variant(NamedTuple):
    """Rates of a whole request at terms of its own, such as `speed=fast`."""

    term: str
    rates: Rates


class Applied(NamedTuple):
    """What of a row bills a call; `beside_tokens` in millionths of a nano-dollar."""

    rates: Rates
    tier_above_tokens: int | None
    beside_tokens: int = 0
    unpriced: tuple[str, ...] = ()


class PriceRow(NamedTuple):
    """What a model cost from `from_ms` until just before `until_ms` (Unix milliseconds; None is open)."""

    price_id: str
    model: str
    from_ms: int | None
    until_ms: int | None
    rates: Rates
    tiers: tuple[Tier, ...]  # highest threshold first
    web_search_nanos: int | None = None  # for a thousand
    variants: tuple[Variant, ...] = ()

    def covers(self, at_ms: int) -> bool:
        return (self.from_ms is None or self.from_ms <= at_ms) and (self.until_ms is None or at_ms < self.until_ms)

    def price(self, usage: Usage) -> "Priced":
        """Cost of one call."""
        applied = self.applied(usage)
        cost_nanos = applied.rates.cost_nanos(usage, applied.beside_tokens)
        return Priced(cost_nanos, self.price_id, applied.tier_above_tokens, applied.unpriced)

    def applied(self, usage: Usage) -> Applied:
        """The highest tier that the prompt is strictly above bills all of it; then what is out of the ordinary."""
        applied = Applied(self.rates, None)
        if self.tiers:
            prompt_tokens = usage.prompt_tokens
            for tier in self.tiers:
                if prompt_tokens > tier.above_tokens:
                    applied = Applied(tier.rates, tier.above_tokens)
                    break
        ordinary = not usage.web_searches and usage.service_tier is None and usage.speed is None
        return applied if ordinary else self._at_terms(usage, applied)

    def _at_terms(self, usage: Usage, applied: Applied) -> Applied:
        """The variant of the row where it has one; what it has no price for is named, and billed as ordinary."""
        rates, unpriced = applied.rates, []
        known = dict(self.variants)
        for term in usage.terms:
            if term in known and applied.tier_above_tokens is None:
                rates = known[term]
            else:
                unpriced.append(term)
        if usage.web_searches and self.web_search_nanos is None:
            unpriced.append("web_searches")
        beside_tokens = usage.web_searches * (self.web_search_nanos or 0) * (TOKENS_PER_PRICE // 1000)
        return Applied(rates, applied.tier_above_tokens, beside_tokens, tuple(unpriced))


class Priced(NamedTuple):
    """A call's cost in nano-dollars, the row and tier that made it, and what of it the row has no price for."""

    cost_nanos: int
    price_id: str
    tier_above_tokens: int | None
    unpriced: tuple[str, ...] = ()

    @property
    def unpriced_text(self) -> str | None:
        """As it is stored beside the price; None when all has a price."""
        return ", ".join(self.unpriced) or None


def divide_half_even(numerator: int, denominator: int) -> int:
    """`numerator / denominator` (denominator > 0) as the nearest integer, a half to the even one."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient
