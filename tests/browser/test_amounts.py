"""The page with no, little and much data."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Watched, call, is_live, prompt
from tests.conftest import ServerFactory
from tests.serving import ROOT, Server

TRANSCRIPTS = ROOT / "tests" / "fixtures" / "clients" / "claude-2.1.197" / "projects"


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving(AGENTMONITOR_STATS_INTERVAL="250") as running:
        yield running


def test_an_empty_page_teaches_the_next_step(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    welcome = page.locator("#welcome")
    expect(welcome).to_be_visible()
    expect(welcome).to_contain_text(".venv/bin/python manage.py hooks install claude-code")
    expect(welcome).to_contain_text(f"curl {server.url}/api/events")
    expect(page.locator("#feed .nothing")).to_have_text("No events yet.")


def test_the_command_of_the_empty_page_makes_the_first_session_appear(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    server.post(prompt("hello", "Hello", agent_type="my_agent"))
    expect(page.locator("#welcome")).to_be_hidden()
    expect(page.locator(".card h3")).to_have_text("Hello")
    expect(page.locator(".card .agent")).to_have_text("my_agent")


def test_figures_of_a_small_ledger(server: Server, open_page: Opener) -> None:
    server.post(call("small", project="shop"), call("small", model="no-such-model", project="shop"))
    page = open_page(server)
    sums = page.locator("#overview")
    expect(sums.locator("[data-ref=calls]")).to_have_text("2")
    expect(sums.locator("[data-ref=tokens_in]")).to_have_text("2.0k")
    expect(sums.locator("[data-ref=cost]")).to_have_text("$0.0069")
    expect(sums.locator("[data-ref=unpriced]")).to_have_text("+ 1 unpriced call")
    expect(page.locator("#costs .unpriced-note")).to_contain_text("no-such-model (1 call)")
    expect(page.locator(".card", has_text="shop").locator(".cost")).to_have_text("≥ $0.0069")


def test_much_data_is_bounded_in_the_document_and_whole_in_the_figures(server: Server, open_page: Opener) -> None:
    before = server.get("/api/stats")["total_events"]
    for start in range(0, 5000, 1000):
        server.post(*(prompt(f"many-{n % 60}", f"prompt {n}") for n in range(start, start + 1000)))
    page = open_page(server)
    expect(page.locator("#feed [data-ref=total]")).to_have_text(f"{before + 5000:,} events")
    expect(page.locator("#feed .event-row")).to_have_count(200)
    expect(page.locator(".card")).to_have_count(24)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(".card")).to_have_count(62)
    page.get_by_role("button", name="Older events").click()
    expect(page.locator("#feed .event-row")).to_have_count(300)


def test_a_panel_that_fails_says_so_alone(server: Server, open_page: Opener, watched: Watched) -> None:
    watched.expected = ("500",)
    page = open_page(server, live=False)
    page.route("**/api/stats/tools*", lambda route: route.fulfill(status=500, json={"error": "out of order"}))
    page.reload()
    expect(page.locator("#tools .fault")).to_contain_text("Not up to date: out of order. Trying again in")
    is_live(page)
    page.unroute("**/api/stats/tools*")
    expect(page.locator("#tools .fault")).to_be_hidden()


def test_a_demo_says_that_it_is_one(server: Server, open_page: Opener) -> None:
    expect(open_page(server).locator(".demo")).to_have_count(0)
    with sqlite3.connect(server.db_path) as connection:
        connection.execute("INSERT INTO markers (key, value) VALUES ('demo', '1')")
    page = open_page(server)
    expect(page.locator(".demo")).to_be_visible()
    expect(page.locator(".demo")).to_contain_text("DEMO")


def test_history_on_disk_appears_by_itself(serving: ServerFactory, open_page: Opener, tmp_path: Path) -> None:
    shutil.copytree(TRANSCRIPTS, tmp_path / "projects")
    options = {"AGENTMONITOR_AUTO_IMPORT_MINUTES": "10", "AGENTMONITOR_CLAUDE_DIR": str(tmp_path)}
    with serving(AGENTMONITOR_STATS_INTERVAL="250", **options) as server:
        page = open_page(server)
        expect(page.locator(".ended-row, .card").first).to_be_visible()
        expect(page.locator("#welcome")).to_be_hidden()
        expect(page.locator("#overview [data-ref=calls]")).not_to_have_text("0")
        expect(page.locator("#feed .event-row").first).to_be_visible()
        page.close()
