"""One session in a layer: opened from anywhere, closed with Esc, known by its address, live."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, call, is_live, prompt
from tests.conftest import ServerFactory
from tests.serving import Server


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving(AGENTMONITOR_STATS_INTERVAL="250") as running:
        running.post(
            prompt("one", "Explain the failure", project="shop"),
            {"session_id": "one", "agent_type": "codex", "event_type": "tool_use", "tool_name": "Bash",
             "status": "error", "metadata": {"command": "make test"}, "duration_ms": 1200},
            call("one", metadata={"content_preview": "The fixture opens it twice."}),
            prompt("two", "Something else", project="other"),
        )  # fmt: skip
        yield running


def focus_is_inside(page: Page) -> bool:
    return bool(page.evaluate("document.querySelector('#session-layer').contains(document.activeElement)"))


def test_a_card_opens_its_session_and_escape_returns_to_it(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    title = page.locator(".card", has_text="shop").locator("h3 a")
    title.focus()
    page.keyboard.press("Enter")
    layer = page.locator("#session-layer")
    expect(layer).to_be_visible()
    expect(layer.locator("#session-title")).to_have_text("Explain the failure")
    assert "session=one" in page.url
    assert focus_is_inside(page)
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body") or focus_is_inside(page)
    page.keyboard.press("Escape")
    expect(layer).to_be_hidden()
    expect(title).to_be_focused()
    assert "session" not in page.url


def test_the_transcript_tells_the_conversation(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?session=one")
    entries = page.locator("#session-layer .entry")
    expect(entries.nth(0)).to_contain_text("You")
    expect(entries.nth(0)).to_contain_text("Explain the failure")
    expect(entries.nth(1)).to_contain_text("Bash")
    expect(entries.nth(1)).to_contain_text("make test")
    expect(entries.nth(1)).to_have_class("entry failed")
    expect(entries.nth(2)).to_contain_text("The fixture opens it twice.")


def test_the_calls_show_what_was_billed_and_who_says_so(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?session=one&tab=calls")
    cells = page.locator("#session-layer .call-table tbody tr").first.locator("td:visible")
    expect(cells).to_have_count(9)
    texts = cells.all_text_contents()
    assert texts[:7] == ["claude-sonnet-4-5", "1,000", "3,000", "0", "0", "200", "$0.0069"]
    assert texts[8] == "api"


def test_the_address_opens_the_same_session_and_tab(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.locator(".card", has_text="shop").locator("h3 a").click()
    page.get_by_role("tab", name="Events").click()
    expect(page.locator("#session-layer .event-row")).to_have_count(3)
    page.reload()
    is_live(page)
    expect(page.get_by_role("tab", name="Events")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#session-layer .event-row")).to_have_count(3)


def test_back_closes_and_forward_opens(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.locator(".card", has_text="shop").locator("h3 a").click()
    layer = page.locator("#session-layer")
    expect(layer).to_be_visible()
    page.go_back()
    expect(layer).to_be_hidden()
    page.go_forward()
    expect(layer).to_be_visible()


def test_an_open_session_is_live(server: Server, open_page: Opener) -> None:
    server.post(prompt("grows", "one"))
    page = open_page(server, "?session=grows")
    entries = page.locator("#session-layer .entry")
    expect(entries).to_have_count(1)
    server.post(prompt("grows", "two"), call("grows"))
    expect(entries).to_have_count(3)
    expect(page.locator("#session-layer [data-ref=call_count]")).to_have_text("1")
    page.get_by_role("tab", name="Events").click()
    expect(page.locator("#session-layer .event-row")).to_have_count(3)
    server.post(prompt("grows", "three"))
    expect(page.locator("#session-layer .event-row").first).to_contain_text("three")


def test_tabs_follow_the_arrow_keys(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?session=one")
    page.get_by_role("tab", name="Transcript").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Events")).to_be_focused()
    expect(page.get_by_role("tab", name="Events")).to_have_attribute("aria-selected", "true")
