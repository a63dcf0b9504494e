"""Filters live in the address; every figure leads to the rows behind it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, call, is_live, prompt
from tests.conftest import ServerFactory
from tests.serving import Server


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving(AGENTMONITOR_STATS_INTERVAL="250") as running:
        tool = {"event_type": "tool_use", "agent_type": "codex", "metadata": {"command": "ls"}}
        running.post(
            prompt("a", "of shop", project="shop", branch="main"),
            prompt("b", "of depot", project="depot", branch="dev", agent_type="claude_code"),
            {"session_id": "a", "tool_name": "Bash", "project": "shop", "branch": "main", **tool},
            {"session_id": "a", "tool_name": "Read", "status": "error", "project": "shop", **tool},
            call("a", project="shop", branch="main"),
            call("b", "gpt-unknown", project="depot", branch="dev", agent_type="claude_code"),
        )
        yield running


def test_a_choice_narrows_the_page_and_survives_a_reload(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.get_by_label("Project").select_option("shop")
    expect(page).to_have_url(re.compile(r"\?project=shop$"))
    expect(page.locator("#feed [data-ref=total]")).to_have_text("4 events")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator("#overview [data-ref=calls]")).to_have_text("1")
    page.reload()
    is_live(page)
    expect(page.get_by_label("Project")).to_have_value("shop")
    expect(page.locator("#feed .event-row")).to_have_count(4)


def test_choices_add_up_and_are_cleared_together(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?project=shop&tool=Bash")
    expect(page.locator("#feed .event-row")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    expect(page).to_have_url(f"{server.url}/")
    expect(page.locator("#feed .event-row")).to_have_count(6)


def test_each_filter_is_one_of_the_address(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    chosen = {"Agent": "claude_code", "Project": "depot", "Branch": "dev", "Model": "gpt-unknown"}
    chosen["Event type"] = "llm_response"
    for label, value in chosen.items():
        page.get_by_label(label, exact=True).select_option(value)
    expect(page.locator("#feed .event-row")).to_have_count(1)
    for part in ("agent=claude_code", "project=depot", "branch=dev", "model=gpt-unknown", "type=llm_response"):
        assert part in page.url


def test_live_events_pass_the_filters_too(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?branch=only-this")
    server.post(prompt("c", "not this", branch="another"), prompt("d", "but this", branch="only-this"))
    expect(page.locator("#feed .event-row")).to_have_count(1)
    expect(page.locator("#feed .event-row")).to_contain_text("but this")


def test_back_undoes_a_choice(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?project=depot")
    count = page.locator("#feed .event-row").count()
    page.get_by_label("Event type").select_option("user_prompt")
    expect(page.locator("#feed .event-row")).to_have_count(1)
    page.go_back()
    expect(page.locator("#feed .event-row")).to_have_count(count)
    expect(page.get_by_label("Event type")).to_have_value("")


def test_a_tool_leads_to_its_events(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    row = page.locator("#tools tbody tr", has_text="Read")
    expect(row.locator("[data-ref=errors]")).to_have_text("1 · 100 %")
    row.get_by_role("link", name="Read").click()
    expect(page.locator("#feed .event-row")).to_have_count(1)
    expect(page.locator("#feed .event-row")).to_contain_text("Read")


def test_the_cost_leads_to_its_calls(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?project=shop")
    page.locator("#overview [data-ref=cost]").click()
    rows = page.locator("#ledger tbody tr")
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Project")).to_have_value("shop")
    rows.locator("[data-ref=session]").click()
    expect(page.locator("#session-layer")).to_be_visible()
    page.go_back()
    expect(rows).to_have_count(1)
    page.go_back()
    expect(page).to_have_url(f"{server.url}/?project=shop")


def test_an_unpriced_model_leads_to_its_calls(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.locator("#costs .unpriced-note a", has_text="1 call").click()
    row = page.locator("#ledger tbody tr")
    expect(row).to_have_count(1)
    expect(row.locator("[data-ref=cost]")).to_have_text("unpriced")
    page.go_back()
    page.locator("#costs .unpriced-note a", has_text="gpt-unknown").click()
    expect(page.locator("#say-title")).to_have_text("What is gpt-unknown?")


def test_the_chart_has_its_figures_in_a_table(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?range=7d")
    expect(page.locator("#costs .bar")).to_have_count(7)
    page.get_by_text("The figures behind the chart").click()
    rows = page.locator("#costs tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first.locator("td").nth(0)).to_have_text("2")
    page.locator("#costs .bar").last.click()
    expect(page.locator("#ledger tbody tr")).to_have_count(2)


def test_a_range_without_calls_shows_nothing_of_others(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.get_by_role("link", name="24 h").click()
    expect(page).to_have_url(re.compile(r"range=24h"))
    expect(page.locator("#costs [data-ref=range]")).to_have_text("24 h")
    expect(page.locator("#costs .bar")).to_have_count(24)
