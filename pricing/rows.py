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

    def cost_nanos(self, usage: Usage) -> int:
        """Exact cost of a whole call, rounded once: to the nano-dollar, a half to the even one."""
        return divide_half_even(
            usage.uncached_input_tokens * self.uncached_input_nanos
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


class PriceRow(NamedTuple):
    """What a model cost from `from_ms` until just before `until_ms` (Unix milliseconds; None is open)."""

    price_id: str
    model: str
    from_ms: int | None
    until_ms: int | None
    rates: Rates
    tiers: tuple[Tier, ...]  # highest threshold first

    def covers(self, at_ms: int) -> bool:
        return (self.from_ms is None or self.from_ms <= at_ms) and (self.until_ms is None or at_ms < self.until_ms)

    def price(self, usage: Usage) -> "Priced":
        """Cost of one call: the highest tier that its prompt is strictly above bills all of it."""
        if self.tiers:
            prompt_tokens = usage.prompt_tokens
            for tier in self.tiers:
                if prompt_tokens > tier.above_tokens:
                    return Priced(tier.rates.cost_nanos(usage), self.price_id, tier.above_tokens)
        return Priced(self.rates.cost_nanos(usage), self.price_id, None)


class Priced(NamedTuple):
    """A call's cost in nano-dollars, and the row and tier that made it."""

    cost_nanos: int
    price_id: str
    tier_above_tokens: int | None


def divide_half_even(numerator: int, denominator: int) -> int:
    """`numerator / denominator` (denominator > 0) as the nearest integer, a half to the even one."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient
