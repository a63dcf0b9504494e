"""Each total of the live page leads to its calls, and each call to its receipt."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener, call
from tests.conftest import ServerFactory
from tests.serving import Server

LIMITS = {
    "AGENTMONITOR_SESSION_TOKEN_LIMIT_CLAUDE_CODE": "44000",
    "AGENTMONITOR_SESSION_COST_LIMIT_CODEX": "500",
}


def ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    """Calls of today and of last week, of two projects and none, with and without a price and a model."""
    with serving(**LIMITS) as running:
        running.post(
            call("a", project="shop", branch="main", client_timestamp=ago(0.1)),
            call("a", "claude-opus-4-5", project="shop", client_timestamp=ago(80), cache_write_tokens=70_000),
            call("b", "gpt-unknown", project="depot", agent_type="claude_code", client_timestamp=ago(1)),
            call("b", "gpt-unknown", project="depot", agent_type="claude_code", client_timestamp=ago(90)),
            call("c", "", client_timestamp=ago(2), cost_usd=0.125, agent_type="claude_code"),
            call("c", "o3", client_timestamp=ago(3), agent_type="claude_code", tokens_in=123_456),
        )
        yield running


def sums(page: Page) -> dict[str, str]:
    """What stands above the table, exactly, by name."""
    expect(page.locator("#sums [data-sum=calls] dd")).to_be_visible()
    read = "nodes => nodes.map((node) => [node.dataset.sum, node.querySelector('dd').title])"
    return dict(page.locator("#sums [data-sum]").evaluate_all(read))


def dollars(words: str) -> float:
    found = re.search(r"\$([\d.e-]+)", words)
    assert found, words
    return float(found[1])


def rows_agree(page: Page, server: Server) -> None:
    """The rows of the table are as many as the sums say, and cost as much."""
    shown = sums(page)
    rows = page.locator("#ledger tbody tr")
    expect(rows).to_have_count(int(shown["calls"]))
    costs = rows.locator("[data-ref=cost]").evaluate_all("nodes => nodes.map(n => n.title)")
    total = sum(dollars(title) for title in costs if title != "unpriced")
    assert total == pytest.approx(dollars(shown["cost"]))


def exact(node: Locator) -> str:
    return node.get_attribute("title") or node.text_content() or ""


@pytest.mark.parametrize(
    ("figure", "name"),
    [("calls", "calls"), ("tokens_in", "input"), ("cache_read", "read"), ("tokens_out", "output")],
)
@pytest.mark.parametrize("query", ["?project=shop", "?agent=claude_code&range=7d", "?range=24h", "?branch=main"])
def test_a_number_of_the_overview_leads_to_its_calls(
    server: Server, open_page: Opener, figure: str, name: str, query: str
) -> None:
    page = open_page(server, query)
    node = page.locator(f"#overview [data-ref={figure}]")
    number = exact(node)
    node.click()
    assert sums(page)[name] == number
    rows_agree(page, server)


def test_the_cost_and_the_unpriced_lead_to_their_calls(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    cost = page.locator("#overview [data-ref=cost]")
    amount = dollars(exact(cost))
    cost.click()
    assert dollars(sums(page)["cost"]) == amount
    page.go_back()
    unpriced = page.locator("#overview [data-ref=unpriced]")
    expect(unpriced).to_have_text("+ 2 unpriced calls")
    unpriced.click()
    assert sums(page)["calls"] == "2"
    rows_agree(page, server)


@pytest.mark.parametrize("row", ["gpt-unknown", "(no model named)", "depot", "(no project)"])
def test_a_row_of_models_or_projects_leads_to_its_calls(server: Server, open_page: Opener, row: str) -> None:
    page = open_page(server)
    link = page.locator("#costs .ranked li", has=page.get_by_text(row, exact=True)).locator("a")
    calls = (link.locator(".count").text_content() or "").split()[0]
    cost = exact(link.locator(".amount"))
    link.click()
    assert (sums(page)["calls"], sums(page)["cost"]) == (calls, cost)
    rows_agree(page, server)


@pytest.mark.parametrize("query", ["?range=24h", "?range=7d"])
def test_each_bar_leads_to_its_calls(server: Server, open_page: Opener, query: str) -> None:
    page = open_page(server, query)
    expect(page.locator("#costs .bar").first).to_be_attached()
    labels = page.locator("#costs .bar").evaluate_all("bars => bars.map((bar) => [bar.ariaLabel, bar.href])")
    filled = [(label, href) for label, href in labels if "no calls" not in label]
    assert filled
    for label, href in filled:
        page.goto(href)
        assert f", {sums(page)['calls']} call" in label
        rows_agree(page, server)


def test_the_caption_of_the_chart_and_today_lead_to_their_calls(server: Server, open_page: Opener) -> None:
    page = open_page(server, "?range=7d")
    for name in ("caption_cost", "today"):
        node = page.locator(f"#costs [data-ref={name}]")
        expect(node).to_contain_text("$")
        words = (node.text_content() or "").removeprefix("today ")
        node.click()
        expect(page.locator("#sums [data-sum=cost] dd")).to_have_text(words)
        rows_agree(page, server)
        page.go_back()


def test_a_card_and_a_session_lead_to_their_calls(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    card = page.locator(".card", has_text="depot")
    words = card.locator(".cost").get_attribute("title")
    card.locator(".cost").click()
    assert sums(page)["cost"] == words
    rows_agree(page, server)
    page.go_back()
    tokens = card.locator("[data-ref=tokens]")
    spoken = tokens.text_content()
    tokens.click()
    shown = sums(page)
    assert spoken == "8.0k in · 400 out"
    assert (shown["all_input"], shown["output"]) == ("8,000", "400")
    page.goto(f"{server.url}/?session=a")
    figure = page.locator("#session-layer .figures a").first
    words = exact(figure)
    figure.click()
    assert sums(page)["cost"] == words
    rows_agree(page, server)


def test_a_limit_leads_to_the_calls_that_it_counts(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    tokens, cost = (
        page.locator("#overview .limits a", has_text="Claude, 5 h"),
        page.locator("#overview .limits a", has_text="Codex, 5 h"),
    )
    href, words = tokens.evaluate("node => [node.href, node.textContent]")
    codex_href, codex_words = cost.evaluate("node => [node.href, node.textContent]")
    page.goto(href)
    counted = sums(page)["counted"]
    assert counted == "127,256"
    assert "127k of" in words
    page.goto(codex_href)
    assert f"${dollars(sums(page)['cost']):.3f} of" in codex_words


def test_a_row_leads_to_its_receipt_and_back_to_its_place(serving: ServerFactory, open_page: Opener) -> None:
    with serving() as many:
        for start in range(0, 350, 50):
            many.post(
                *(call(f"s{n % 3}", client_timestamp=ago(n / 60), tokens_in=n) for n in range(start, start + 50))
            )
        page = open_page(many, "calls/", live=False)
        rows = page.locator("#ledger tbody tr")
        expect(page.locator("#ledger [data-ref=shown]")).to_contain_text("of 350 shown")
        page.mouse.wheel(0, 100_000)
        expect(rows).to_have_count(200)
        page.mouse.wheel(0, 100_000)
        expect(rows).to_have_count(300)
        target = rows.nth(250).locator("[data-row]")
        target.scroll_into_view_if_needed()
        top = rows.nth(250).bounding_box()
        name = target.get_attribute("id")
        target.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#total")).to_contain_text("$")
        page.keyboard.press("Escape")
        expect(page.locator(f"#{name}")).to_be_focused()
        assert rows.count() >= 300
        assert top and abs((rows.nth(250).bounding_box() or {})["y"] - top["y"]) < 2
        page.reload()
        expect(page.locator(f"#{name}")).to_be_focused()
        assert abs((rows.nth(250).bounding_box() or {})["y"] - top["y"]) < 2


def test_keys_walk_the_rows_and_the_filters_live_in_the_address(server: Server, open_page: Opener) -> None:
    page = open_page(server, "calls/", live=False)
    expect(page.locator("#ledger tbody tr")).to_have_count(6)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("#ledger [data-row]").nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("#ledger [data-row]").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#keys-layer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#ledger [data-row]").first).to_be_focused()
    page.get_by_label("Project").select_option("shop")
    expect(page.locator("#ledger tbody tr")).to_have_count(2)
    expect(page).to_have_url(f"{server.url}/calls/?project=shop")
    page.get_by_label("Project").select_option(label="(none named)")
    expect(page).to_have_url(f"{server.url}/calls/?unnamed=project")
    expect(page.locator("#ledger tbody tr")).to_have_count(2)
    page.go_back()
    expect(page.locator("#ledger tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#ledger tbody tr")).to_have_count(6)
    rows_agree(page, server)


def test_an_empty_ledger_teaches(serving: ServerFactory, open_page: Opener) -> None:
    with serving() as empty:
        page = open_page(empty, "calls/", live=False)
        expect(page.locator("#ledger .nothing").first).to_contain_text("manage.py hooks install claude-code")
        page.goto(f"{empty.url}/calls/?model=x")
        expect(page.locator("#ledger")).to_contain_text("No call passes these filters.")
