"""The shipped rows against the package that their facts come from (genai-prices)."""

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices.data import providers
from genai_prices.types import ModelInfo, Provider, StartDateConstraint

from pricing.datafile import PricedModel
from pricing.registry import default_registry
from pricing.usage import Usage

PROVIDER_OF_FILE = {"claude.json": "anthropic", "codex.json": "openai", "gemini.json": "google"}
THEIRS: dict[str, Provider] = {provider.id: provider for provider in providers}

SAMPLES = [
    Usage(118, 1_000, 200, 0, 460, 100),
    Usage(4_321, 87_654, 1_234, 5_678, 3_210),
    Usage(1_003, 271_001, 3_007, 2_001, 8_191),
]
CHANGES = sorted(
    {
        price.constraint.start_date
        for provider_id in PROVIDER_OF_FILE.values()
        for model in THEIRS[provider_id].models
        if isinstance(model.prices, list)
        for price in model.prices
        if isinstance(price.constraint, StartDateConstraint)
    }
)
MIDNIGHTS = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in CHANGES]
MOMENTS = [moment for midnight in MIDNIGHTS for moment in (midnight - timedelta(milliseconds=1), midnight)]

# Sold with a 1M context window from August 2025 to April 2026, above 200k at twice the price; the package
# has the tier for Sonnet 4.5 only.
OURS_HAVE_A_TIER_MORE = {"claude-sonnet-4"}

# What no coding agent sends text to, what is priced by something other than tokens, and what costs nothing
# from the provider or is priced by a reseller.
NOT_PRICED = re.compile(
    r"image|audio|tts|realtime|embedding|transcribe|whisper|moderation|live|omni|nano-banana|robotics"
    r"|^ft:|\.ft-|^gemma|gpt-oss|vision|:extended"
    r"|^(claude-2|claude-v1|gemini-pro|gemini-pro-1\.5|gemini-flash-1\.5(-8b)?)$"
    r"|^(text-)?(ada|babbage|curie|davinci)(-\d+)?$"
)


def their_cost_nanos(model: ModelInfo, provider: Provider, usage: Usage, moment: datetime) -> int:
    theirs = TheirUsage(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_tokens=usage.output_tokens,
    )
    total = model.calc_price(theirs, provider, genai_request_timestamp=moment).total_price
    return int((total * 10**9).quantize(Decimal(1), ROUND_HALF_EVEN))


@pytest.mark.parametrize("model", default_registry().models, ids=lambda model: model.name)
def test_every_name_costs_what_the_source_says_at_any_time(model: PricedModel) -> None:
    provider = THEIRS[PROVIDER_OF_FILE[model.file]]
    compared = 0
    for name in (model.name, *model.aliases):
        theirs = provider.find_model(name)
        assert theirs is not None, name
        for usage in SAMPLES:
            if model.name in OURS_HAVE_A_TIER_MORE and usage.prompt_tokens > 200_000:
                continue
            for moment in MOMENTS:
                ours = default_registry().price(name, usage, round(moment.timestamp() * 1000))
                assert ours is not None
                assert ours.cost_nanos == their_cost_nanos(theirs, provider, usage, moment), (
                    name,
                    usage,
                    moment,
                )
                compared += 1
    assert compared >= 2 * len(MOMENTS)


@pytest.mark.parametrize("provider_id", PROVIDER_OF_FILE.values())
def test_every_text_model_of_the_source_is_known(provider_id: str) -> None:
    missing = [
        model.id
        for model in THEIRS[provider_id].models
        if not NOT_PRICED.search(model.id)
        and (provider_id != "google" or model.id.startswith("gemini"))  # it resells Claude and others
        and default_registry().lookup(model.id, None) is None
    ]
    assert missing == []


@pytest.mark.parametrize("model", default_registry().models, ids=lambda model: model.name)
def test_every_change_of_price_in_the_source_is_a_row(model: PricedModel) -> None:
    moments_ms = [round(moment.timestamp() * 1000) for moment in MOMENTS]
    for row in model.rows:
        assert any(row.covers(at_ms) for at_ms in moments_ms), f"{row.price_id} is never compared"
