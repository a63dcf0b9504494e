"""Who waits: the page's icon, what was seen, the dead, the providers' limits, and the status page."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, hook
from tests.serving import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def page(server: Server, open_page: Opener) -> Page:
    return open_page(server)


def test_a_finished_turn_waits_until_it_is_looked_at(server: Server, page: Page) -> None:
    hook(server, "s-seen", "UserPromptSubmit", prompt="Build it")
    hook(server, "s-seen", "Stop")
    row = page.locator("#attention .waiting-row", has_text="Build it")
    expect(row).to_contain_text("your turn")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", "/static/icons/mark-waiting.svg")
    row.click()
    expect(page.locator("#session-layer")).to_be_visible()
    expect(row).to_have_count(0)
    hook(server, "s-seen", "SessionEnd", reason="other")


def test_the_bell_asks_only_when_it_is_clicked(server: Server, page: Page) -> None:
    asked = page.evaluate(
        "() => { window.asked = 0; Notification.requestPermission = async () => (window.asked++, 'denied'); "
        "return window.asked; }"
    )
    assert asked == 0
    bell = page.locator("#attention button")
    expect(bell).to_have_attribute("aria-pressed", "false")
    bell.click()
    page.wait_for_function("window.asked === 1")
    expect(bell).to_have_attribute("aria-pressed", "false")


def test_the_providers_own_limits_stand_beside_ones_own(server: Server, page: Page) -> None:
    primary: dict[str, Any] = {"used_percent": 42, "window_minutes": 300, "resets_at": "2999-01-01T00:00:00Z"}
    server.client.post("/api/provider-quotas/codex", json={"primary": primary}).raise_for_status()
    page.reload()
    limit = page.locator("#overview .limits li", has_text="Codex quota, 5 h")
    expect(limit).to_contain_text("42 %")
    expect(limit.locator("[role=meter]")).to_have_attribute("aria-valuenow", "42")


def test_the_status_page_tells_what_hooks_cost(server: Server, page: Page) -> None:
    hook(server, "s-status", "SessionEnd", reason="other")
    page.goto(f"{server.url}/status/")
    row = page.locator("#hook-rows tr", has_text="SessionEnd")
    expect(row).to_contain_text("Claude")
    expect(row).to_contain_text("this server")
