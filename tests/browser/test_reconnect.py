"""A lost connection is seen, and mended: nothing is missing, nothing double, nothing reloaded."""

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NO_SERVER, Opener, Watched, feed_texts, hook, is_live, prompt
from tests.conftest import ServerFactory
from tests.serving import Server


@pytest.fixture
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving(AGENTMONITOR_STATS_INTERVAL="250") as running:
        yield running


def lose(server: Server, page: Page) -> None:
    page.evaluate("window.sameDocument = true")
    server.stop(signal.SIGKILL)
    expect(page.locator("#connection")).to_contain_text("reconnecting in")


def is_back(page: Page) -> None:
    page.wait_for_selector("#connection[data-name=live]")
    assert page.evaluate("window.sameDocument") is True


def test_what_was_missed_comes_once(server: Server, open_page: Opener, watched: Watched) -> None:
    server.post(prompt("s", "before the page"))
    page = open_page(server)
    server.post(prompt("s", "live 1"), prompt("s", "live 2"))
    expect(page.locator("#feed .event-row")).to_have_count(3)
    watched.expected = NO_SERVER
    lose(server, page)
    server.start()
    server.post(*(prompt("s", f"missed {n}") for n in range(40)))
    is_back(page)
    server.post(prompt("s", "after"))
    expect(page.locator("#feed .event-row").first).to_contain_text("after")
    missed = [f"missed {n}" for n in reversed(range(40))]
    assert feed_texts(page) == ["after", *missed, "live 2", "live 1", "before the page"]
    expect(page.locator("#feed [data-ref=total]")).to_have_text("44 events")


def test_the_events_of_an_open_session_catch_up(server: Server, open_page: Opener, watched: Watched) -> None:
    tool = {"tool_name": "Bash", "tool_input": {"command": "make"}, "tool_use_id": "t-lost"}
    hook(server, "s", "PostToolUse", **tool)
    page = open_page(server, "?session=s&tab=events")
    rows = page.locator("#session-layer .event-row")
    expect(rows).to_have_count(1)
    watched.expected = NO_SERVER
    lose(server, page)
    server.start()
    hook(server, "s", "PostToolUseFailure", duration_ms=1200, error="exit 2", **tool)
    server.post(*(prompt("s", f"missed {n}", agent_type="claude_code") for n in range(3)))
    is_back(page)
    expect(rows.locator(".detail")).to_have_text(["missed 2", "missed 1", "missed 0", "make"])
    expect(rows.last.locator("[data-ref=amount]")).to_have_text("1.2 s")
    expect(rows.last).to_have_class(re.compile("failed"))


def test_a_page_that_saw_no_event_yet_misses_none(server: Server, open_page: Opener, watched: Watched) -> None:
    page = open_page(server)
    watched.expected = NO_SERVER
    lose(server, page)
    server.start()
    server.post(prompt("s", "missed"))
    is_back(page)
    expect(page.locator("#feed .event-row")).to_have_count(1)
    assert feed_texts(page) == ["missed"]


def test_another_database_behind_the_address_is_noticed(
    server: Server, open_page: Opener, watched: Watched, migrated_database: Path
) -> None:
    page = open_page(server)
    server.post(*(prompt("s", f"gone {n}") for n in range(5)))
    expect(page.locator("#feed .event-row")).to_have_count(5)
    watched.expected = NO_SERVER
    lose(server, page)
    for file in server.db_path.parent.glob(f"{server.db_path.name}*"):
        file.unlink()
    shutil.copyfile(migrated_database, server.db_path)
    server.start()
    server.post(prompt("other", "of the new one"))
    expect(page.locator("#feed .event-row .detail")).to_have_text(["of the new one"])


def test_without_a_server_the_page_says_so_and_can_be_told_to_try(
    server: Server, open_page: Opener, watched: Watched
) -> None:
    page = open_page(server)
    watched.expected = NO_SERVER
    lose(server, page)
    expect(page.locator("#connection")).to_have_attribute("data-name", "offline")
    server.start()
    page.locator("#connection").click()
    is_back(page)


def test_a_page_too_many_shows_what_there_is_and_gets_the_next_free_place(
    serving: ServerFactory, open_page: Opener, watched: Watched
) -> None:
    watched.expected = ("503", *NO_SERVER)
    with serving(AGENTMONITOR_MAX_SSE_CLIENTS="1") as server:
        server.post(prompt("s", "before"))
        first = open_page(server)
        second = open_page(server, live=False)
        expect(second.locator("#feed .event-row .detail")).to_have_text(["before"])
        expect(second.locator("#connection")).to_contain_text("in")
        first.close()
        server.post(prompt("s", "after"))
        second.wait_for_selector("#connection[data-name=live]")
        expect(second.locator("#feed .event-row .detail")).to_have_text(["after", "before"])


def test_a_server_with_a_token_is_asked_with_it(
    serving: ServerFactory, open_page: Opener, watched: Watched
) -> None:
    watched.expected = ("401", *NO_SERVER)
    with serving(AGENTMONITOR_TOKEN="a token") as server:
        page = open_page(server, live=False)
        page.get_by_role("textbox", name="Token").fill("a token")
        page.get_by_role("button", name="Connect", exact=True).click()
        is_live(page)
        page.reload()
        is_live(page)
