"""Whatever agents send is shown as text, and does nothing else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, call, hook, prompt
from tests.conftest import ServerFactory
from tests.serving import Server

MARKUP = "<img src=x onerror='window.owned=1'><script>window.owned=1</script><b>bold</b>"
ANSI = "\x1b[31mred\x1b[0m \x07bell"
OVERRIDE = "\u202etxt.exe\u202c \u2066isolated\u2069"


@pytest.fixture(scope="module")
def server(serving: ServerFactory) -> Iterator[Server]:
    with serving(AGENTMONITOR_MAX_PAYLOAD_KB="2048") as running:
        running.post(
            prompt("plain", MARKUP),
            prompt("plain", ANSI),
            prompt("plain", OVERRIDE),
            call(
                f"id/{MARKUP}?#%2F",
                model=f"model {MARKUP}",
                agent_type=f"agent {MARKUP}",
                project=f"project {MARKUP}",
                branch=f"branch {MARKUP}",
                tool_name=f"tool {MARKUP}",
            ),
        )
        hook(running, "waits", "UserPromptSubmit", prompt=MARKUP)
        hook(running, "waits", "PermissionRequest", tool_name="Bash", tool_input={"command": MARKUP})
        yield running


def is_harmless(page: Page) -> None:
    assert page.evaluate("window.owned") is None
    assert page.locator("main :is(script, b, [onerror]), dialog :is(script, b, [onerror])").count() == 0


def test_markup_is_text_everywhere(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    expect(page.locator("#feed .event-row .detail", has_text=MARKUP).first).to_be_visible()
    expect(page.locator("#attention .what")).to_contain_text(MARKUP)
    expect(page.get_by_label("Project").locator("option", has_text="project <img src=x onerror=")).to_have_count(1)
    is_harmless(page)


def test_markup_is_text_in_a_session(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    page.locator(".card", has_text="project <img").locator("h3 a").click()
    layer = page.locator("#session-layer")
    expect(layer.locator("#session-title")).to_contain_text("id/<img")
    for tab in ("Transcript", "Events", "Calls"):
        layer.get_by_role("tab", name=tab).click()
        expect(layer.get_by_text("model <img", exact=False).first).to_be_visible()
    is_harmless(page)
    page.reload()
    expect(layer.locator("#session-title")).to_contain_text("id/<img")


def test_control_codes_and_direction_marks_are_made_visible(server: Server, open_page: Opener) -> None:
    page = open_page(server)
    rows = page.locator("#feed .event-row .detail")
    expect(rows.filter(has_text="␛[31mred␛[0m ␇bell")).to_have_count(1)
    expect(rows.filter(has_text="‹U+202E›txt.exe‹U+202C› ‹U+2066›isolated‹U+2069›")).to_have_count(1)


def test_a_line_of_a_megabyte_stays_in_its_row(server: Server, open_page: Opener) -> None:
    line = "x" * 900_000
    server.post(prompt("long", line, project="long"))
    page = open_page(server, "?session=long")
    said = page.locator("#session-layer .said").last
    expect(said).to_be_visible()
    assert len(said.text_content() or "") < 5000
    page.get_by_role("button", name="Show all 900,000 characters").click()
    assert len(said.text_content() or "") == len(line)
    page.keyboard.press("Escape")
    detail = page.locator("#feed .event-row .detail").first
    assert len(detail.text_content() or "") <= 301
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
