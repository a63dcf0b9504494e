"""docs/prices.md shows a price file; it has to be one."""

import re
from pathlib import Path

from pricing.registry import PricingRegistry, default_registry
from pricing.rows import Priced
from pricing.usage import Usage

PAGE = Path(__file__).parents[2] / "docs" / "prices.md"


def test_the_price_file_of_the_docs_is_valid(tmp_path: Path) -> None:
    example = re.search(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert example is not None
    (tmp_path / "acme.json").write_text(example[1])
    row = PricingRegistry.load(tmp_path).lookup("anvil-two", None)
    assert row is not None
    assert row.price_id == "anvil-2@2026-03-13"


def test_the_call_of_the_docs_costs_what_they_say() -> None:
    priced = default_registry().price("claude-sonnet-4-5-20250929", Usage(output_tokens=460), at_ms=1771437600000)
    assert priced == Priced(6_900_000, "claude-sonnet-4-5@start", None)
    assert '6900000, "claude-sonnet-4-5@start", None' in PAGE.read_text()
