"""What one model call used, in the classes that are billed apart."""

import msgspec

# How providers call the terms that a price holds for when nothing else is said.
ORDINARY_TERMS = frozenset({"standard", "normal", "default"})


def unusual(term: str | None) -> str | None:
    """A service tier or speed that changes the price; None for the ordinary ones."""
    return None if term is None or term.lower() in ORDINARY_TERMS else term


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one call, each counted in exactly one class, and what else it is billed by.

    Input that the provider reports together with its cached part is stored net of it.
    `reasoning_tokens` is a part of `output_tokens`: it is shown, never added.
    """

    uncached_input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    # What is billed beside tokens, and the terms that are out of the ordinary; None is standard.
    web_searches: int = 0
    service_tier: str | None = None
    speed: str | None = None

    @property
    def terms(self) -> tuple[str, ...]:
        """Terms that change the price of every token, as a price row names them."""
        named = (("service_tier", self.service_tier), ("speed", self.speed))
        return tuple(f"{name}={value}" for name, value in named if value is not None)

    @property
    def prompt_tokens(self) -> int:
        """Everything the model read, cached or not: what long-context tiers are measured by."""
        return (
            self.uncached_input_tokens
            + self.cache_read_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
        )
