"""Everything can be done from the keyboard; one table makes the handler and the sheet."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, hook, prompt
from tests.conftest import ServerFactory
from tests.serving import Server


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving() as running:
        running.post(*(prompt("s", f"prompt {n}") for n in range(5)))
        # Who only ended a turn is in the queue no longer once it was looked at.
        hook(running, "waits", "PermissionRequest", tool_name="Bash", tool_input={"command": "make"})
        yield running


def test_the_map_names_every_key(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.keyboard.press("?")
    sheet = page.locator("#keys-layer")
    expect(sheet).to_be_visible()
    for key in ("?", "/", "n", "p", "j", "k", "Enter", "Esc", "t", "c"):
        assert key in sheet.locator("kbd").all_text_contents()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_j_and_k_walk_the_feed_and_enter_opens(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    rows = page.locator("#feed .event-row")
    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#session-layer .entry")).to_have_count(5)
    page.keyboard.press("j")
    expect(page.locator("#session-layer .entry").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows.nth(1)).to_be_focused()


def test_slash_goes_to_the_filters_and_p_pauses(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.keyboard.press("/")
    expect(page.get_by_label("Agent", exact=True)).to_be_focused()
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()  # a field takes its own letters
    page.locator("#feed").focus()
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_n_opens_who_waits(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    expect(page.locator(".waiting-row")).to_contain_text("needs permission")
    page.keyboard.press("n")
    expect(page.locator("#session-layer")).to_be_visible()
    assert "session=waits" in page.url
    page.keyboard.press("Escape")
    expect(page.locator(".waiting-row")).to_be_focused()


def test_single_letters_can_be_switched_off_for_good(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.locator("#open-keys").click()
    page.get_by_label("Single-letter keys").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector("#feed .event-row")
    page.keyboard.press("p")
    page.keyboard.press("j")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert page.evaluate("document.activeElement === document.body")


def test_theme_and_density_are_remembered(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.locator("#theme").click()
    page.locator("#density").click()
    assert page.evaluate("({...document.documentElement.dataset})")["theme"] == "dark"
    page.reload()
    data = page.evaluate("({...document.documentElement.dataset})")
    assert (data["theme"], data["density"]) == ("dark", "compact")
    expect(page.locator("#density")).to_have_attribute("aria-pressed", "true")


def test_the_chart_is_one_stop_and_arrows_walk_its_bars(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    bars = page.locator("#costs .bar")
    expect(bars).to_have_count(30)
    expect(page.locator("#costs .bar[tabindex='0']")).to_have_count(1)
    bars.last.focus()
    page.keyboard.press("ArrowLeft")
    expect(bars.nth(28)).to_be_focused()
    expect(page.locator("#costs .bar[tabindex='0']")).to_have_count(1)
