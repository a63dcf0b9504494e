"""The search page and the transcript that its results lead to, with texts that would rather be markup."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.test_hostile import ANSI, MARKUP, OVERRIDE
from tests.browser.test_layout import serious, themes
from tests.conftest import ServerFactory
from tests.monitor.entry_store import said, store_entries_beside
from tests.serving import Server

LONG = "a-word-of-" + "x" * 300
PAGE = 100


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving() as running:
        store_entries_beside(
            running.db_path,
            said("Explain the rounding", key="a", kind="prompt"),
            said("Perhaps the tax is rounded twice", key="b", kind="thinking", after_ms=1),
            said('{"command":"grep -n rounding"}', key="c", kind="tool_use", tool_name="Bash", after_ms=2),
            said(f"app.py: rounding twice\n{MARKUP}", key="d", kind="tool_result", is_error=True, after_ms=3),
            said(f"It is the tax. {MARKUP} {ANSI} {OVERRIDE} needle", key="e", after_ms=4),
            said("Look at the tax", key="f", kind="prompt", subagent_id="a1", after_ms=5),
            project="shop",
            title=f"Tax {MARKUP}",
        )
        many = [
            said(f"step {n} {LONG if n == 7 else ''}", key=f"{n}", session="long", after_ms=n) for n in range(350)
        ]
        store_entries_beside(running.db_path, *many, project="a-project-of-" + "y" * 90)
        yield running


def is_harmless(page: Page) -> None:
    assert page.evaluate("window.owned") is None
    assert page.locator("main :is(script, b, [onerror]), dialog :is(script, b, [onerror])").count() == 0


def test_what_is_typed_is_found_and_leads_to_its_entry(server: Server, open_page: Opener) -> None:
    page = open_page(server, "search/", live=False)
    expect(page.get_by_label("Words")).to_be_focused()
    page.keyboard.type("rounding")
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_have_text("3 entries, newest first")
    expect(page.locator(".result mark")).to_have_text(["rounding"] * 3)
    assert "q=rounding" in page.url
    page.locator(".result", has_text="grep").click()
    linked = page.locator("#session-layer .entry.linked")
    expect(linked).to_contain_text("Bash")
    expect(linked.locator(".said").first).to_have_text('{"command":"grep -n rounding"}')
    expect(linked).to_be_focused()


def test_the_address_holds_the_search(server: Server, open_page: Opener) -> None:
    page = open_page(server, "search/?q=rounding&kind=prompt", live=False)
    expect(page.locator(".result")).to_have_count(1)
    page.get_by_label("Kind of entry").select_option("tool_use")
    expect(page.locator(".result")).to_contain_text(["grep"])
    page.go_back()
    expect(page.locator(".result")).to_contain_text(["Explain"])
    expect(page.get_by_label("Kind of entry")).to_have_value("prompt")


def test_what_can_not_be_searched_is_said(server: Server, open_page: Opener, watched: "object") -> None:
    watched.expected = ("400 (Bad Request)",)  # type: ignore[attr-defined]
    page = open_page(server, "search/?q=-tax", live=False)
    expect(page.locator("#fault")).to_have_text("q: must hold a word to look for")
    page.get_by_label("Words").fill("nothing-like-it")
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_have_text("0 entries, newest first")
    expect(page.locator("#fault")).to_be_hidden()


def test_further_results_are_added_to_those_shown(server: Server, open_page: Opener) -> None:
    page = open_page(server, "search/?q=step", live=False)
    expect(page.locator(".result")).to_have_count(25)
    page.get_by_role("button", name="More results").click()
    expect(page.locator(".result")).to_have_count(50)
    assert len(set(page.locator(".result").evaluate_all("nodes => nodes.map((node) => node.href)"))) == 50


def test_hostile_text_is_text_in_results_and_in_the_transcript(server: Server, open_page: Opener) -> None:
    page = open_page(server, "search/?q=needle", live=False)
    expect(page.locator(".snippet")).to_contain_text("<b>bold</b>")
    expect(page.locator(".snippet")).to_contain_text("␛[31mred")
    expect(page.locator(".result")).to_contain_text("Tax <img src=x")
    is_harmless(page)
    page.locator(".result").click()
    expect(page.locator("#session-layer .entry.linked .said").last).to_contain_text("‹U+202E›txt.exe")
    page.locator("#session-layer .entry.failed summary").click()
    expect(page.locator("#session-layer .entry.failed .said").first).to_contain_text(MARKUP)
    is_harmless(page)


@pytest.mark.parametrize("width", [400, 1000, 1800])
def test_nothing_runs_out_of_the_window(server: Server, open_page: Opener, width: int) -> None:
    page = open_page(server, "search/?q=step+x*", width=width, live=False)
    page.goto(f"{server.url}/search/?q=step")
    expect(page.locator(".result")).to_have_count(25)
    for theme in themes(page):
        fits = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert fits, theme
        assert serious(page) == [], theme


def test_a_transcript_shows_what_was_said_and_folds_the_rest(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?session=s-1")
    entries = page.locator("#session-layer .entry")
    expect(entries.locator(".role")).to_have_text(["You", "Thinking", "Bash", "Result", "Answer", "Task"])
    expect(entries.nth(0).locator("details")).to_be_hidden()
    expect(entries.nth(1).locator("summary")).to_have_text("Perhaps the tax is rounded twice")
    expect(entries.nth(3)).to_have_class("entry failed")
    expect(entries.nth(5)).to_contain_text("sub-agent a1")
    assert [serious(page) for _ in themes(page)] == [[], []]


def test_a_long_transcript_comes_in_pages_as_one_scrolls(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?session=long")
    entries = page.locator("#session-layer .entry")
    expect(entries).to_have_count(PAGE)
    expect(entries.last).to_contain_text("step 349")
    page.locator("#session-body").evaluate("node => { node.scrollTop = 0; }")
    expect(entries).to_have_count(2 * PAGE)
    expect(entries.first).to_contain_text("step 150")


def test_a_linked_entry_stands_among_those_around_it(server: Server, open_page: Opener) -> None:
    (found,) = server.get("/api/search", q='"step 120"')["results"]
    page = open_page(server, f"?session=long&entry={found['entry_id']}")
    linked = page.locator("#session-layer .entry.linked")
    expect(linked).to_contain_text("step 120")
    expect(linked).to_be_in_viewport()
    texts = page.locator("#session-layer .entry .said:not(:empty)").all_text_contents()
    numbers = [int(text.split()[1]) for text in texts]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_what_is_said_meanwhile_is_added_at_the_end(server: Server, open_page: Opener) -> None:
    store_entries_beside(server.db_path, said("one", key="1", session="live"))
    page = open_page(server, "?session=live")
    entries = page.locator("#session-layer .entry")
    expect(entries).to_have_count(1)
    store_entries_beside(server.db_path, said("two", key="2", session="live", after_ms=1))
    server.post({"session_id": "live", "agent_type": "claude_code", "event_type": "response"})
    expect(entries).to_have_count(2)
    expect(entries.last).to_contain_text("two")


def test_a_session_without_a_transcript_shows_its_events(server: Server, open_page: Opener) -> None:
    server.post({"session_id": "told", "agent_type": "aider", "event_type": "tool_use", "tool_name": "Lint"})
    page = open_page(server, "?session=told")
    expect(page.locator("#session-layer .entry")).to_contain_text("Lint")
    store_entries_beside(server.db_path, said("found later", key="1", session="told", agent_type="aider"))
    server.post({"session_id": "told", "agent_type": "aider", "event_type": "response"})
    expect(page.locator("#session-layer [data-ref=entries] .entry")).to_contain_text("found later")
    expect(page.locator("#session-layer [data-ref=transcript]")).to_be_hidden()
