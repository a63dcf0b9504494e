"""Days and hours of the reader's own zone, also where it lies half an hour beside the whole ones."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, call
from tests.conftest import ServerFactory
from tests.serving import Server

HALF_HOURS = 96


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    """A call in each half hour of the last two days, before and after every full hour."""
    now = datetime.now(UTC)
    times = [now - timedelta(minutes=30 * n) for n in range(HALF_HOURS)]
    with serving() as running:
        for part in (times[:48], times[48:]):
            running.post(*(call(f"s{at:%d%H%M}", client_timestamp=at.isoformat()) for at in part))
        yield running


def calls_of_bars(page: Page) -> list[int]:
    cells = page.locator("#costs [data-ref=table] td:nth-child(2)")
    return [int(words.replace("–", "0")) for words in cells.all_text_contents()]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "UTC"])
@pytest.mark.parametrize(("range_name", "bars"), [("24h", 24), ("7d", 7)])
def test_bars_and_totals_agree(server: Server, open_page: Opener, zone: str, range_name: str, bars: int) -> None:
    page = open_page(server, f"?range={range_name}", zone=zone)
    expect(page.locator("#costs .bar").nth(bars - 1)).to_be_attached()
    total = page.locator("#overview [data-ref=calls]").text_content()
    assert total and sum(calls_of_bars(page)) == int(total) > 40
    # And the calls behind a bar are those that it counts.
    links = page.locator("#costs .bar:not([aria-label*='no calls'])")
    for label, href in links.evaluate_all("bars => bars.slice(-2).map((bar) => [bar.ariaLabel, bar.href])"):
        page.goto(href)
        counted = page.locator("#sums [data-sum=calls] dd")
        expect(counted).to_be_visible()
        assert f", {counted.text_content()} call" in label
