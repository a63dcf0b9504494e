"""The pages of calls and prices fit their window, machines can read them, and markup stays text."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, call
from tests.browser.test_layout import serious, themes
from tests.conftest import ServerFactory
from tests.serving import Server

MARKUP = "<img src=x onerror='window.owned=1'><script>window.owned=1</script><b>bold</b>"
PAGES = {"calls/": "#ledger tbody tr", "prices/": "#inbox tbody tr", "calls/1/": "#lines tr"}


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving() as running:
        running.post(
            call("plain", project="a-project-of-" + "y" * 90, branch="x" * 120),
            call(f"id/{MARKUP}?#%2F", f"model {MARKUP}", project=f"project {MARKUP}", agent_type=f"a {MARKUP}"),
        )
        yield running


def opened(open_page: Opener, server: Server, path: str, width: int = 1280) -> Page:
    page = open_page(server, path, width=width, live=False)
    expect(page.locator(PAGES[path.split("?")[0]]).first).to_be_visible()
    return page


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [400, 1000, 1800])
def test_a_page_fits_and_axe_finds_nothing_serious(
    server: Server, open_page: Opener, path: str, width: int
) -> None:
    page = opened(open_page, server, path, width)
    for theme in themes(page):
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), theme
        assert serious(page) == [], theme


@pytest.mark.parametrize("width", [400, 700, 1000, 1800])
def test_what_a_call_cost_is_seen_without_scrolling(server: Server, open_page: Opener, width: int) -> None:
    page = opened(open_page, server, "calls/", width)
    table = page.locator("#ledger .table-scroll")
    assert table.evaluate("node => node.scrollWidth <= node.clientWidth")
    row = page.locator("#ledger tbody tr").first
    for name in ("time", "session", "model", "cost"):
        expect(row.locator(f"[data-ref={name}]")).to_be_visible()
    tokens = row.locator("[data-ref=brief]" if width < 800 else "[data-ref=output]")
    expect(tokens).to_have_text("4.0k in · 200 out" if width < 800 else "200")


def test_markup_in_names_is_text(server: Server, open_page: Opener) -> None:
    page = opened(open_page, server, "calls/")
    expect(page.locator("#ledger tbody tr", has_text="project <img")).to_have_count(1)
    page.get_by_label("Model").select_option(label=f"model {MARKUP}"[:80] + "…")
    expect(page.locator("#ledger tbody tr")).to_have_count(1)
    is_harmless(page)
    page = opened(open_page, server, "prices/")
    page.locator("#inbox tbody tr", has_text="model <img").get_by_role("link", name="Say what it is").click()
    expect(page.locator("#say-title")).to_contain_text("What is model <img")
    assert serious(page) == []
    page.get_by_label("It is").fill("o3")
    page.get_by_role("button", name="Price its calls").click()
    expect(page.locator("#outcome")).to_contain_text("1 call priced anew")
    expect(page.locator("#own tbody tr")).to_contain_text("model <img")
    is_harmless(page)


def is_harmless(page: Page) -> None:
    assert page.evaluate("window.owned") is None
    assert page.locator("main :is(script, b, img), dialog :is(script, b, img)").count() == 0
