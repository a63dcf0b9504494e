"""Nothing overlaps or runs out of the window at three widths, in both themes; and machines can read it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, call, hook, prompt
from tests.conftest import ServerFactory
from tests.serving import Server

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
AGENTS = [("claude_code", "shop"), ("codex", "a-project-of-" + "y" * 60), ("gemini_cli", "web"), ("z" * 60, "in")]
MODELS = ["claude-opus-4-5", "gpt-5", "gemini-2.5-pro", "no-such-model"]
LONG = "a-branch-with-a-very-long-name-that-nobody-would-type/" + "x" * 90
OVERLAPS = """
() => {
  const seen = (node) => node.offsetParent !== null;
  const boxes = [...document.querySelectorAll('.card, .panel:not(.earlier), .filters, .topbar')].filter(seen)
    .map((node) => [node.id || node.textContent.slice(0, 30), node.getBoundingClientRect()]);
  const before = (end, start) => end <= start + 1;
  const beside = (a, b) => before(a.right, b.left) || before(b.right, a.left);
  const apart = (a, b) => beside(a, b) || before(a.bottom, b.top) || before(b.bottom, a.top);
  const found = [];
  for (const [i, [nameA, a]] of boxes.entries())
    for (const [nameB, b] of boxes.slice(i + 1)) if (!apart(a, b)) found.push(`${nameA} / ${nameB}`);
  return found;
}
"""
# What is seen of a node: its box within every ancestor that clips.
SPILLS = """
() => {
  const spills = (node) => {
    const frame = node.closest('.card, .panel'), limit = frame.getBoundingClientRect();
    let { left, right } = node.getBoundingClientRect();
    for (let outer = node.parentElement; outer !== frame; outer = outer.parentElement) {
      if (getComputedStyle(outer).overflowX === 'visible') continue;
      const clip = outer.getBoundingClientRect();
      left = Math.max(left, clip.left);
      right = Math.min(right, clip.right);
    }
    return right - left > 1 && (right > limit.right + 1 || left < limit.left - 1);
  };
  return [...document.querySelectorAll(':is(.card, .panel) :not(.sr-only)')]
    .filter((node) => node.offsetParent !== null && spills(node))
    .map((node) => `${node.className} ${node.textContent.slice(0, 40)}`);
}
"""
PLACES = """
() => [...document.querySelectorAll('.panel, .card, .topbar, .filters')].map((node) => {
  const { x, y, width, height } = node.getBoundingClientRect();
  return [node.id, x, y, width, height].join(' ');
})
"""


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving() as running:
        for n, (agent, project) in enumerate(AGENTS):
            fields = {"agent_type": agent, "project": project, "branch": LONG if n % 2 else "main"}
            running.post(
                prompt(f"s{n}", "Make the tests pass and explain what was wrong " * 4, **fields),
                call(f"s{n}", MODELS[n], cache_read_tokens=9_000_000, **fields),
                {"session_id": f"s{n}", "event_type": "tool_use", "tool_name": "mcp__" + "t" * 60, **fields,
                 "status": "error", "metadata": {"command": "c" * 300, "lines_added": 12000, "lines_removed": 40}},
            )  # fmt: skip
        running.post({"session_id": "s2", "agent_type": "gemini_cli", "event_type": "session_end"})
        hook(running, "waits", "UserPromptSubmit", prompt="Clean up")
        hook(running, "waits", "PermissionRequest", tool_name="Bash", tool_input={"command": "rm -r build/" * 9})
        yield running


def full(page: Page) -> Page:
    expect(page.locator(".card")).to_have_count(4)
    expect(page.locator(".waiting-row")).to_have_count(1)
    return page


def themes(page: Page) -> Iterator[str]:
    """The page in one theme after the other."""
    for theme in ("dark", "light"):
        page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        yield theme


def parts(page: Page) -> Iterator[str]:
    """On a phone, one part of the page after the other; elsewhere all at once."""
    for part in ("agents", "feed", "costs", "tools"):
        link = page.locator(f".tabbar [data-show={part}]")
        if link.is_visible():
            link.click()
        expect(page.locator(f"#{part}")).to_be_visible()
        yield part


@pytest.mark.parametrize("width", [400, 1000, 1800])
def test_nothing_overlaps_or_runs_out(server: Server, open_page: Opener, width: int) -> None:
    page = full(open_page(server, width=width))
    for theme in themes(page):
        for part in parts(page):
            fits = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            assert fits, (theme, part)
            assert page.evaluate(OVERLAPS) == [], (theme, part)
            assert page.evaluate(SPILLS) == [], (theme, part)


@pytest.mark.parametrize("width", [400, 1000])
def test_a_session_fits_the_window(server: Server, open_page: Opener, width: int) -> None:
    page = open_page(server, "?session=s1", width=width)
    expect(page.locator("#session-layer .entry")).to_have_count(3)
    for tab in ("Transcript", "Events", "Calls"):
        page.get_by_role("tab", name=tab).click()
        body = page.locator("#session-body")
        assert body.evaluate("node => node.scrollWidth <= node.clientWidth"), tab
    assert page.evaluate("document.querySelector('#session-layer').getBoundingClientRect().right <= innerWidth")


def test_the_page_does_not_shift_under_the_reader(server: Server, open_page: Opener) -> None:
    page = full(open_page(server, width=1800))
    expect(page.locator("#costs [data-ref=models] li")).to_have_count(4)
    before = page.evaluate(PLACES)
    server.post(prompt("s0", "one more", project="shop"), call("s0", MODELS[0]))
    expect(page.locator("#feed .event-row", has_text="one more")).to_be_visible()
    expect(page.locator("#overview [data-ref=calls]")).to_have_text("5")
    assert page.evaluate(PLACES) == before


PAGES = ("", "calls/", "search/", "prices/", "status/")
CUT_OFF = """
() => {
  const bar = document.querySelector('.topbar').getBoundingClientRect();
  const parts = [...document.querySelectorAll('.topbar > :not(.spring)')].filter((node) => node.offsetParent);
  const boxes = parts.map((node) => node.getBoundingClientRect());
  const overlaps = (box, n) => n && box.left < boxes[n - 1].right;
  return boxes.some((box, n) => box.left < bar.left || box.right > bar.right || overlaps(box, n));
}
"""


@pytest.mark.parametrize("path", PAGES)
def test_the_bar_of_a_phone_holds_every_link(server: Server, open_page: Opener, path: str) -> None:
    page = open_page(server, path, width=400, live=path == "")
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(links).to_have_text(["Live", "Calls", "Search", "Prices", "Status", "Admin", "API"])
    expect(page.locator(".topbar [aria-current=page]")).to_be_in_viewport(ratio=1)
    assert not page.evaluate(CUT_OFF)
    links.first.focus()
    for _ in range(6):
        page.keyboard.press("Tab")
    expect(links.last).to_be_focused()
    expect(links.last).to_be_in_viewport(ratio=1)
    expect(page.locator("#density")).to_be_hidden()


@pytest.mark.parametrize("path", PAGES)
def test_the_foot_says_whose_times_these_are(server: Server, open_page: Opener, path: str) -> None:
    page = open_page(server, path, live=path == "", zone="Asia/Kolkata")
    expect(page.locator(".foot")).to_contain_text(re.compile(r"Times in Asia/(Kolkata|Calcutta) \(UTC\+05:30\)"))


def test_a_row_with_a_day_does_not_move_the_others(server: Server, open_page: Opener) -> None:
    page = open_page(server, width=1000)
    expect(page.locator("#feed .event-row").nth(2)).to_be_visible()
    page.locator("#feed .event-row").nth(1).evaluate("node => node.classList.add('dated')")
    columns = page.locator("#feed .event-row .what")
    assert len(set(columns.evaluate_all("nodes => nodes.map((node) => node.getBoundingClientRect().x)"))) == 1


def serious(page: Page) -> list[str]:
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def test_axe_finds_nothing_serious(server: Server, open_page: Opener) -> None:
    page = full(open_page(server))
    page.get_by_text("The figures behind the chart").click()
    assert [serious(page) for _ in themes(page)] == [[], []]
    page.locator(".card", has_text="Make the tests pass").first.locator("h3 a").click()
    for tab, row in (("Transcript", ".entry"), ("Calls", ".call-table tbody tr")):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(f"#session-layer {row}").first).to_be_visible()
        assert [serious(page) for _ in themes(page)] == [[], []]
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert [serious(page) for _ in themes(page)] == [[], []]


def test_axe_finds_nothing_serious_on_a_phone(server: Server, open_page: Opener) -> None:
    page = full(open_page(server, width=400))
    assert [serious(page) for _ in parts(page)] == [[], [], [], []]
