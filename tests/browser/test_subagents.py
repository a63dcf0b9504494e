"""The sub-agents of a session: a tree with what each spent, leading to its calls; and compactions."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.conftest import ServerFactory
from tests.importers.test_recorded import CLAUDE_FOLDERS, oracle
from tests.serving import Server, eventually

FOLDER = CLAUDE_FOLDERS[-1]
SESSIONS = {line["scenario"]: line["session_hint"] for line in oracle(FOLDER)}
# Parts of a row that lie over each other.
OVERLAPS = """
() => {
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const boxesOf = (row) => [...row.children].filter((part) => part.textContent && part.offsetParent)
    .map((part) => part.getBoundingClientRect());
  const rows = [...document.querySelectorAll('.subagent-row, .compaction-row, #session-layer [role=tablist]')];
  return rows.filter((row) => boxesOf(row).some((a, i, all) => all.slice(i + 1).some((b) => over(a, b))))
    .map((row) => row.textContent);
}
"""

# A layer cuts off what is wider than itself: every part of it must end within.
INSIDE = """
() => {
  const end = document.querySelector('#session-layer').getBoundingClientRect().right;
  return ['#session-body', '[data-close]', '.subagent-row .cost'].every((part) =>
    document.querySelector(`#session-layer ${part}`).getBoundingClientRect().right <= end);
}
"""


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving(AGENTMONITOR_AUTO_IMPORT_MINUTES="10", AGENTMONITOR_CLAUDE_DIR=str(FOLDER)) as running:
        wanted = (SESSIONS["agents"], SESSIONS["compact"], SESSIONS["background"])
        eventually(lambda: all(running.client.get(f"/api/sessions/{name}").is_success for name in wanted))
        yield running


def rows(page: Page) -> list[str]:
    return [" ".join(text.split()) for text in page.locator(".subagent-row .subagent-name").all_text_contents()]


def test_each_sub_agent_leads_to_its_calls_and_back(server: Server, open_page: Opener) -> None:
    page = open_page(server, f"?session={SESSIONS['agents']}")
    page.get_by_role("tab", name="Sub-agents").click()
    row = page.locator(".subagent-row", has_text="Find routes")
    expect(row).to_contain_text("3 calls")
    assert rows(page) == ["Main conversation", "Explore Find routes", "general-purpose Check README"]
    row.click()
    calls = page.locator("#session-layer .call-table tbody tr")
    expect(calls).to_have_count(3)
    expect(page.locator("#session-layer .calls-of")).to_contain_text("Explore: Find routes")
    page.get_by_role("link", name="all calls of the session").click()
    expect(calls).to_have_count(7)
    expect(page.locator("#session-layer .calls-of")).to_be_hidden()
    page.go_back()
    expect(calls).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.locator("#session-layer")).to_be_hidden()
    assert "subagent" not in page.url


def test_an_address_with_a_sub_agent_shows_its_calls(server: Server, open_page: Opener) -> None:
    page = open_page(server, f"?session={SESSIONS['agents']}&tab=subagents")
    page.locator(".subagent-row", has_text="Check README").click()
    page.reload()
    expect(page.locator("#session-layer .call-table tbody tr")).to_have_count(2)
    expect(page.locator("#session-layer .calls-of")).to_contain_text("general-purpose: Check README")


def test_a_compaction_tells_what_it_was_for(server: Server, open_page: Opener) -> None:
    page = open_page(server, f"?session={SESSIONS['compact']}")
    page.get_by_role("tab", name="Sub-agents").click()
    expect(page.locator(".compaction-row")).to_contain_text("manual · 29.8k tokens before")
    expect(page.locator(".subagent-row")).to_have_count(0)


def test_a_session_that_sent_out_nobody_has_no_such_tab(server: Server, open_page: Opener) -> None:
    page = open_page(server, f"?session={SESSIONS['retry']}")
    expect(page.locator("#session-layer .entry").first).to_be_visible()
    expect(page.locator("#session-layer [data-ref=call_count]")).to_have_text("1")
    expect(page.locator("#tab-subagents")).to_be_hidden()


@pytest.mark.parametrize("width", [400, 1280])
def test_the_tree_fits_the_window(server: Server, open_page: Opener, width: int) -> None:
    page = open_page(server, f"?session={SESSIONS['agents']}&tab=subagents", width=width)
    expect(page.locator(".subagent-row")).to_have_count(3)
    assert page.evaluate(OVERLAPS) == []
    assert page.locator("#session-body").evaluate("node => node.scrollWidth <= node.clientWidth")
    assert page.evaluate(INSIDE)
    tabs = page.locator("#session-layer [role=tablist]")
    assert tabs.evaluate("node => node.scrollWidth <= node.clientWidth")
