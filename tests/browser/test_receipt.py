"""The receipt of a call, from the table of calls to its last nano-dollar."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.serving import Server, event

Opener = Callable[..., Page]


def test_a_call_of_the_table_leads_to_its_receipt(server: Server, open_page: Opener, session_id: str) -> None:
    server.post(event(session_id, "llm_response", model="claude-sonnet-4-5", tokens_in=7, tokens_out=9))

    page = open_page(server, f"?session={session_id}&tab=calls")
    page.locator("#session-layer .call-table tbody a[href^='/calls/']").first.click()

    expect(page.locator("#total")).to_have_text("$0.000156")
    expect(page.locator("#lines tr").first).to_contain_text("0.000021")
    expect(page.locator("#witnesses li")).to_have_count(1)
    expect(page.locator("#facts")).to_contain_text("claude-sonnet-4-5@start")


def test_an_unpriced_call_says_so(server: Server, open_page: Opener, session_id: str) -> None:
    server.post(event(session_id, "llm_response", model="no-such-model", tokens_in=7))
    (call,) = server.get("/api/calls", session_id=session_id)["calls"]

    page = open_page(server, f"calls/{call['id']}/", live=False)

    expect(page.locator("#total")).to_have_text("unpriced")
    expect(page.locator("#notes")).to_contain_text("no-such-model")
