"""What one model call used, in the classes that are billed apart."""

import msgspec


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one call, each counted in exactly one class.

    Input that the provider reports together with its cached part is stored net of it.
    `reasoning_tokens` is a part of `output_tokens`: it is shown, never added.
    """

    uncached_input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        """Everything the model read, cached or not: what long-context tiers are measured by."""
        return (
            self.uncached_input_tokens
            + self.cache_read_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
        )
