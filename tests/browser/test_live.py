"""What happens is seen as it happens, without a reload and without disturbing who reads."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Opener, call, feed_texts, hook, prompt
from tests.conftest import ServerFactory
from tests.serving import Server


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving(AGENTMONITOR_STATS_INTERVAL="250") as running:
        running.post(*(prompt("old", f"old {n}") for n in range(60)))
        yield running


def test_an_event_appears_on_top_of_the_feed(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    server.post(prompt("live-1", "first of all", project="shop", branch="main"))
    top = page.locator("#feed .event-row").first
    expect(top).to_contain_text("first of all")
    expect(top.locator(".place")).to_have_text("shopmain")  # the slash between is drawn
    expect(page.locator(".card", has_text="first of all")).to_be_visible()


def test_an_event_that_says_more_changes_its_row_where_it_stands(server: Server, open_page: Opener) -> None:
    hook(server, "tools", "PostToolUse", tool_name="Bash", tool_input={"command": "make"}, tool_use_id="t-live")
    page = open_page(server, "?session=tools&tab=events")
    in_session = page.locator("#session-layer .event-row", has_text="make")
    expect(in_session).to_have_count(1)
    page.keyboard.press("Escape")
    row = page.locator("#feed .event-row", has_text="make")
    expect(row.locator("[data-ref=amount]")).to_have_text("")
    row.locator("xpath=ancestor-or-self::a").evaluate("node => node.kept = true")
    failed = {"tool_name": "Bash", "tool_use_id": "t-live", "duration_ms": 1200, "error": "exit 2"}
    hook(server, "tools", "PostToolUseFailure", tool_input={"command": "make"}, **failed)
    expect(row.locator("[data-ref=amount]")).to_have_text("1.2 s")
    expect(page.locator("#feed .event-row.failed", has_text="make")).to_have_count(1)
    assert page.evaluate("[...document.querySelectorAll('#feed a')].some((node) => node.kept)")
    expect(page.locator(".card", has_text="make").locator(".failed")).to_have_count(1)


def test_figures_follow(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?project=figures")
    expect(page.locator("#overview [data-ref=calls]")).to_have_text("0")
    server.post(call("figures-1", project="figures"))
    expect(page.locator("#overview [data-ref=calls]")).to_have_text("1")
    expect(page.locator("#costs [data-ref=projects] li")).to_have_count(1)
    expect(page.locator(".card .cost")).to_have_text("$0.0069")


def test_who_waits_is_named_with_the_reason(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    hook(server, "asks", "UserPromptSubmit", prompt="Clean up")
    hook(server, "asks", "PermissionRequest", tool_name="Bash", tool_input={"command": "rm -r build/"})
    waiting = page.locator("#attention")
    expect(waiting.locator(".waiting-row")).to_contain_text("needs permission")
    expect(waiting.locator(".waiting-row")).to_contain_text("rm -r build/")
    expect(page).to_have_title("(1) AgentMonitor")
    expect(page.locator("#announcer")).to_contain_text("needs permission")
    expect(page.locator(".card", has_text="Clean up")).to_have_attribute("data-mark", "waiting")
    hook(server, "asks", "PostToolUse", tool_name="Bash", tool_input={"command": "rm -r build/"}, tool_use_id="t1")
    expect(waiting.locator(".waiting-row")).to_have_count(0)
    expect(waiting).to_contain_text("nobody is waiting")
    expect(page).to_have_title("AgentMonitor")


def test_a_hidden_tab_counts_who_waits_in_its_title(server: Server, browser: Browser) -> None:
    page = browser.new_page()
    page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => true })")
    page.goto(server.url)
    page.wait_for_selector("#connection[data-name=live]")
    hook(server, "asks-a-hidden-tab", "PermissionRequest", tool_name="Bash", tool_input={"command": "ls"})
    expect(page).to_have_title("(1) AgentMonitor")
    page.close()
    hook(server, "asks-a-hidden-tab", "SessionEnd", reason="exit")


def test_a_session_that_ends_moves_to_the_earlier_ones(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    server.post(prompt("short", "say goodbye", project="farewell"))
    expect(page.locator(".card", has_text="farewell")).to_be_visible()
    server.post({"session_id": "short", "agent_type": "codex", "event_type": "session_end"})
    expect(page.locator(".ended-row", has_text="farewell")).to_contain_text("say goodbye")
    expect(page.locator(".card", has_text="farewell")).to_have_count(0)


def test_a_burst_is_counted_and_bounded(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?project=burst")
    for start in range(0, 2000, 500):
        server.post(*(prompt(f"burst-{n % 20}", f"burst {n}", project="burst") for n in range(start, start + 500)))
    expect(page.locator("#feed [data-ref=total]")).to_have_text("2,000 events")
    expect(page.locator("#feed .event-row")).to_have_count(200)
    assert feed_texts(page)[:2] == ["burst 1999", "burst 1998"]


def test_a_reader_is_not_disturbed(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    scroll = page.locator("#feed .feed-scroll")
    scroll.evaluate("node => node.scrollTop = 300")
    shown = feed_texts(page)
    place = scroll.evaluate("node => node.scrollTop")
    server.post(prompt("old", "while reading 1"), prompt("old", "while reading 2"))
    badge = page.locator("#feed .new-rows")
    expect(badge).to_have_text("2 new ↑")
    assert feed_texts(page) == shown
    assert scroll.evaluate("node => node.scrollTop") == place
    badge.click()
    expect(page.locator("#feed .event-row").first).to_contain_text("while reading 2")
    expect(badge).to_be_hidden()


def test_a_focused_row_holds_the_feed(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.locator("#feed .event-row").nth(3).focus()
    server.post(prompt("old", "while focused"))
    expect(page.locator("#feed .new-rows")).to_have_text("1 new ↑")
    page.locator("#theme").focus()
    expect(page.locator("#feed .event-row").first).to_contain_text("while focused")


def test_pause_holds_the_feed_until_it_is_resumed(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.get_by_role("button", name="Pause").click()
    server.post(prompt("old", "while paused"))
    expect(page.locator("#feed .new-rows")).to_have_text("1 new ↑")
    expect(page.locator("#feed .event-row", has_text="while paused")).to_have_count(0)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#feed .event-row").first).to_contain_text("while paused")
