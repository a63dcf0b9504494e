"""A real Chromium before a real server. Every page is watched: an error in its console fails the test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

from tests.serving import Server

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
STEP_MS = 8000
# The browser's own words for a request that found no server: expected where a test stops it.
NO_SERVER = ("net::ERR_CONNECTION_REFUSED", "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR_CONNECTION_RESET")
REPORT_VIOLATIONS = """
addEventListener('securitypolicyviolation',
  (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""

Opener = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in Path(item.fspath).parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "the browser tests need Chromium at /usr/bin/chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


class Watched:
    """What went wrong on the pages of a test."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        # What the console may say in this test.
        self.expected: tuple[str, ...] = ()

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(words in message.text for words in self.expected):
            self.problems.append(f"{message.type}: {message.text}")


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    assert watched.problems == []


@pytest.fixture
def open_page(browser: Browser, watched: Watched) -> Iterator[Opener]:
    """`open_page(server, "?tool=Bash", width=400)`: the page, loaded, live, and watched."""
    contexts = []

    def opened(server: Server, path: str = "", *, width: int = 1280, live: bool = True, zone: str = "UTC") -> Page:
        viewport: ViewportSize = {"width": width, "height": 900}
        context = browser.new_context(viewport=viewport, reduced_motion="reduce", timezone_id=zone)
        contexts.append(context)
        context.set_default_timeout(STEP_MS)
        context.add_init_script(REPORT_VIOLATIONS)
        page = context.new_page()
        page.on("console", watched.on_console)
        page.on("pageerror", lambda error: watched.problems.append(f"uncaught: {error}"))
        page.goto(f"{server.url}/{path}")
        if live:
            is_live(page)
        return page

    yield opened
    for context in contexts:
        context.close()


def is_live(page: Page) -> None:
    """Waits until the stream stands and the first answers are on the page."""
    page.wait_for_selector("#connection[data-name=live]")
    expect(page.locator("#feed [data-ref=total]")).not_to_have_text("")
    expect(page.locator("#overview [data-ref=calls]")).not_to_have_text("–")


def feed_texts(page: Page) -> list[str]:
    """The detail of each row of the feed, newest first."""
    return page.locator("#feed .event-row .detail").all_text_contents()


def prompt(session_id: str, text: str, **fields: Any) -> dict[str, Any]:
    """An event whose text is seen in the feed."""
    return {
        "session_id": session_id,
        "agent_type": "codex",
        "event_type": "user_prompt",
        "metadata": {"message": text},
        **fields,
    }


def call(session_id: str, model: str = "claude-sonnet-4-5", **fields: Any) -> dict[str, Any]:
    """An event that makes a call in the ledger."""
    usage = {"tokens_in": 1000, "tokens_out": 200, "cache_read_tokens": 3000, "cache_write_tokens": 0}
    whose = {"session_id": session_id, "agent_type": "codex", "event_type": "llm_response"}
    return {**whose, "model": model, **usage, **fields}


def hook(server: Server, session_id: str, name: str, **fields: Any) -> None:
    """What Claude Code posts."""
    body = {
        "session_id": session_id,
        "hook_event_name": name,
        "cwd": "/home/dev/shop",
        "transcript_path": f"/home/dev/.claude/projects/shop/{session_id}.jsonl",
        **fields,
    }
    assert server.client.post("/api/hooks/claude-code", json=body).is_success
