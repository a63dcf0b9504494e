"""The inbox of unknown models, one's own prices, the price book, and what if."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Watched, call
from tests.conftest import ServerFactory
from tests.serving import Server


@pytest.fixture
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving() as running:
        running.post(
            call("a", "anvil-9", tokens_in=1_000_000, tokens_out=0, cache_read_tokens=0),
            call("a", "o3", tokens_in=1_000_000, tokens_out=0, cache_read_tokens=0),
            call("b", ""),
        )
        yield running


def opened(open_page: Opener, server: Server, query: str = "") -> Page:
    page = open_page(server, f"prices/{query}", live=False)
    expect(page.locator("#book tbody tr").first).to_be_visible()
    return page


def test_an_unknown_model_gets_a_price_and_loses_it_again(server: Server, open_page: Opener) -> None:
    page = opened(open_page, server)
    rows = page.locator("#inbox tbody tr")
    expect(rows).to_have_count(2)
    row = rows.filter(has_text="anvil-9")
    row.get_by_role("link", name="Say what it is").click()
    expect(page.locator("#say-title")).to_have_text("What is anvil-9?")
    page.get_by_label("a price of its own").check()
    page.get_by_label("Uncached input").fill("1.5")
    page.get_by_label("Output").fill("3")
    page.get_by_role("button", name="Price its calls").click()
    expect(page.locator("#outcome")).to_have_text("anvil-9: 1 call priced anew, $0.00 before, $1.50 now.")
    expect(page.locator("#say-layer")).to_be_hidden()
    expect(rows).to_have_count(1)
    own = page.locator("#own tbody tr")
    expect(own).to_contain_text("input $1.5, output $3")
    assert server.get("/api/usage", model="anvil-9")["totals"]["cost_usd"] == 1.5

    own.get_by_role("button", name="Remove").click()
    own.get_by_role("button", name="Really remove?").click()
    expect(page.locator("#outcome")).to_contain_text("taken back: 1 call priced anew, $1.50 before, $0.00 now.")
    expect(own).to_have_count(0)
    expect(rows).to_have_count(2)


def test_a_name_is_mapped_to_a_known_model(server: Server, open_page: Opener, watched: Watched) -> None:
    watched.expected = ("400",)
    page = opened(open_page, server, "?model=anvil-9")
    page.get_by_label("It is").fill("nobody-sells-this")
    page.get_by_role("button", name="Price its calls").click()
    expect(page.locator("#say-fault")).to_have_text("nobody-sells-this has no price")
    page.get_by_label("It is").fill("o3")
    page.get_by_role("button", name="Price its calls").click()
    expect(page.locator("#outcome")).to_contain_text("anvil-9: 1 call priced anew, $0.00 before, $2.00 now.")
    expect(page.locator("#own tbody tr")).to_contain_text("is o3")
    expect(page).to_have_url(f"{server.url}/prices/")


def test_a_discount_that_has_nothing_to_be_off_says_so(server: Server, open_page: Opener) -> None:
    page = opened(open_page, server, "?model=anvil-9")
    page.get_by_label("a discount").check()
    page.get_by_label("Percent").fill("10")
    page.get_by_role("button", name="Price its calls").click()
    expect(page.locator("#outcome")).to_contain_text("Some of its calls still have no price.")


def test_the_unpriced_calls_of_a_model_are_one_click_away(server: Server, open_page: Opener) -> None:
    page = opened(open_page, server)
    page.locator("#inbox tbody tr", has_text="anvil-9").locator("[data-ref=calls]").click()
    expect(page.locator("#ledger tbody tr")).to_have_count(1)


def test_the_book_is_searched_and_the_search_is_in_the_address(server: Server, open_page: Opener) -> None:
    page = opened(open_page, server)
    page.keyboard.press("/")
    page.keyboard.type("opus-4-5")
    rows = page.locator("#book tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("genai-prices")
    expect(page).to_have_url(f"{server.url}/prices/?q=opus-4-5")
    page.reload()
    expect(rows).to_have_count(1)
    page.get_by_label("Search the price book").fill("no such model")
    expect(page.locator("#book .nothing")).to_be_visible()


def test_what_if_says_what_the_calls_would_have_cost(server: Server, open_page: Opener) -> None:
    page = opened(open_page, server)
    page.get_by_label("The calls of").fill("o3")
    page.get_by_label("on", exact=True).fill("gpt-4o")
    page.get_by_role("button", name="Compare").click()
    answer = page.locator("#what-if-answer")
    expect(answer).to_have_text(
        "1 call cost $2.00; on gpt-4o the same calls would have cost $2.50, and without any cache $2.50."
    )
    answer.get_by_role("link").click()
    expect(page.locator("#sums [data-sum=cost] dd")).to_have_text("$2.00")


def test_without_unknown_models_the_page_says_what_would_stand_there(
    serving: ServerFactory, open_page: Opener
) -> None:
    with serving() as empty:
        page = opened(open_page, empty)
        expect(page.locator("#inbox .nothing")).to_contain_text("Every call has a price.")
        expect(page.locator("#own .nothing")).to_be_visible()


def test_pages_lead_to_each_other(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    for name in ("Calls", "Prices", "Live"):
        page.get_by_label("Pages").get_by_role("link", name=name).click()
        expect(page.get_by_label("Pages").locator("[aria-current=page]")).to_have_text(name)
