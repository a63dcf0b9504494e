"""The admin: every record to look at, none to change, and no list that reads a large table to its end."""

import html
import re
import sqlite3
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.guard import CONTENT_SECURITY_POLICY
from ingest.contract import NewCall, NewEvent, SessionFacts
from ingest.entries import entry
from ingest.git import BranchLookup
from ingest.store import Batch, FileProgress, StoreRules, write_group
from monitor.admin.reading import MOST_COUNTED, MOST_PAGES, BoundedPaginator
from monitor.admin.shown import dollars, duration, exact_dollars, summary
from monitor.models import Event, EventHour, Marker
from monitor.times import HOUR_MS, now_ms
from pricing.registry import default_registry
from pricing.usage import Usage

MODELS = (
    "agent",
    "session",
    "sessionfile",
    "event",
    "call",
    "entry",
    "eventhour",
    "usagehour",
    "importstate",
    "marker",
)
# Two of each are the login's; a filter costs one.
LIST_BUDGET = {"event": 9, "call": 6, "session": 6, "entry": 5, "usagehour": 5, "eventhour": 5, "importstate": 5}
DETAIL_BUDGET = 5
RULES = StoreRules(default_registry(), BranchLookup(Path("/nonexistent")), import_recent_ms=0)


def told(number: int, session_id: str) -> NewEvent:
    return NewEvent(
        session_id=session_id,
        agent_type="claude_code",
        event_type="tool_use",
        event_id=f"e-{session_id}-{number}",
        tool_name="Edit",
        project="shop",
        branch="main",
        model="claude-sonnet-4-5",
        tokens_in=1000,
        duration_ms=1234,
        metadata=f'{{"command":"make test","number":{number}}}',
        edited_path="/src/<b>.py",
    )


@pytest.fixture
def records(transactional_db: None) -> sqlite3.Connection:
    connection.ensure_connection()
    raw: sqlite3.Connection = connection.connection
    batch = Batch(
        [told(number, session_id) for session_id in ("first", "second") for number in range(3)],
        [
            SessionFacts(session_id="first", agent_type="claude_code", title="Fix the <tests>"),
            SessionFacts(session_id="second", agent_type="claude_code", parent_id="first"),
        ],
        [FileProgress("/home/me/.claude/projects/a b/1.jsonl", "d" * 64, 10, "claude-code", 3)],
        entries=[
            entry("first", "claude_code", f"k{number}", "answer", now_ms(), f"Fix <b>needle</b> {number}")
            for number in range(3)
        ],
    )
    write_group(raw, [batch], now_ms(), RULES)
    Marker.objects.create(key="demo", value="1")
    return raw


@pytest.fixture
def client(records: sqlite3.Connection) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def list_url(model: str, query: str = "") -> str:
    return reverse(f"admin:monitor_{model}_changelist") + query


def record_urls(page: str, model: str) -> list[str]:
    found = re.findall(rf'"(/admin/monitor/{model}/[^"/?]+/change/)', page)
    return [html.unescape(url) for url in dict.fromkeys(found)]


def get(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, (url, response.status_code)
    return response.content.decode()


class InlineFinder(HTMLParser):
    """Whatever the policy without unsafe-inline would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        is_data = named.get("type") == "application/json"
        if tag == "style" or (tag == "script" and not named.get("src") and not is_data):
            self.found.append(str(self.get_starttag_text()))
        if any(name == "style" or name.startswith("on") for name in named):
            self.found.append(str(self.get_starttag_text()))
        if any(
            (named.get(name) or "").startswith(("http:", "https:", "//", "javascript:"))
            for name in ("src", "href")
        ):
            self.found.append(str(self.get_starttag_text()))


def queries_of(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        get(client, url)
    return [query["sql"] for query in queries]


@pytest.mark.parametrize("model", MODELS)
def test_each_list_and_record_opens_within_its_budget(client: Client, model: str) -> None:
    queries = queries_of(client, list_url(model))
    assert len(queries) <= LIST_BUDGET.get(model, 4), queries

    record = record_urls(get(client, list_url(model)), model)[0]
    queries = queries_of(client, record)
    assert len(queries) <= DETAIL_BUDGET, queries


@pytest.mark.parametrize("model", MODELS)
def test_more_rows_take_no_more_queries(client: Client, records: sqlite3.Connection, model: str) -> None:
    few = queries_of(client, list_url(model))
    write_group(
        records, [Batch([told(number, f"more-{number}") for number in range(40)])], now_ms() + 3 * HOUR_MS, RULES
    )

    assert len(queries_of(client, list_url(model))) == len(few)


@pytest.mark.parametrize("model", MODELS)
def test_nothing_can_be_added_changed_or_deleted(client: Client, model: str) -> None:
    page = get(client, list_url(model))
    record = record_urls(page, model)[0]

    assert client.get(list_url(model) + "add/").status_code == 403
    assert client.post(record, {}).status_code == 403
    assert client.post(record.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    assert "<input" not in re.sub(r'<input type="(hidden|text|submit|search)"[^>]*>', "", get(client, record))


def test_strangers_are_sent_to_the_login(records: sqlite3.Connection) -> None:
    response = Client().get(list_url("event"))

    assert response.status_code == 302
    assert response.headers["Location"].startswith("/admin/login/")


def pages(client: Client) -> Iterator[str]:
    yield "/admin/"
    yield "/admin/monitor/"
    for model in MODELS:
        yield list_url(model)
        yield from record_urls(get(client, list_url(model)), model)[:1]
    yield list_url("event", "?q=make&event_type=tool_use&since=day")
    yield "/admin/auth/user/add/"
    yield "/admin/password_change/"


def test_no_page_needs_what_the_content_policy_forbids(client: Client) -> None:
    assert b"unsafe" not in CONTENT_SECURITY_POLICY
    for url in [*pages(client), "/admin/login/"]:
        finder = InlineFinder()
        reader = Client() if url == "/admin/login/" else client
        finder.feed(get(reader, url))
        assert not finder.found, (url, finder.found)


def test_pages_bear_our_name_and_lead_back_to_the_live_page(client: Client) -> None:
    page = get(client, "/admin/")

    assert '<a href="/admin/">AgentMonitor</a>' in page
    assert '<a href="/">Live page</a>' in page
    assert "View site" not in page
    assert "css/admin.css" in page


def plans(client: Client, url: str, table: str) -> list[tuple[str, str]]:
    """Each statement about a table that the page executes, with its query plan."""
    with CaptureQueriesContext(connection) as queries:
        get(client, url)
    statements = [query["sql"] for query in queries if re.search(rf'(FROM|JOIN) "?{table}\b', query["sql"])]
    explained = []
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
            explained.append((statement, "\n".join(row[-1] for row in cursor.fetchall())))
    return explained


FILTERED = (
    "",
    "?agent_type=claude_code",
    "?event_type=tool_use",
    "?tool_name=Edit",
    "?model=claude-sonnet-4-5",
    "?project=shop",
    "?session=first",
    "?since=day",
    "?since=day&event_type=tool_use",
    "?agent_type=claude_code&tool_name=Edit",
    "?p=1",
    "?o=1",
    "?o=-6.4",
)


@pytest.mark.parametrize("query", FILTERED)
def test_the_list_of_events_walks_along_an_index(client: Client, query: str) -> None:
    found = plans(client, list_url("event", query), "events")

    assert found
    for statement, plan in found:
        assert "COUNT(" not in statement.upper()
        assert "TEMP B-TREE" not in plan, (statement, plan)
        walks = re.findall(r"(?:SCAN|SEARCH) events.*", plan)
        assert walks == [walk for walk in walks if "USING INDEX events_" in walk], plan


def test_a_long_list_of_events_is_read_only_as_far_as_it_is_shown(
    client: Client, records: sqlite3.Connection
) -> None:
    write_group(records, [Batch([told(number, "long") for number in range(100, 220)])], now_ms(), RULES)

    ((statement, plan),) = plans(client, list_url("event"), "events")

    assert statement.endswith("LIMIT 100")
    assert "SCAN events USING INDEX events_created_at" in plan


@pytest.mark.parametrize(
    "query", ("", "?agent_type=claude_code", "?model=claude-sonnet-4-5", "?session=first", "?since=day")
)
def test_the_list_of_calls_walks_along_an_index(client: Client, query: str) -> None:
    for statement, plan in plans(client, list_url("call", query), "calls"):
        assert "COUNT(" not in statement.upper()
        assert "TEMP B-TREE" not in plan, plan
        assert re.search("(SCAN|SEARCH) calls USING INDEX calls_", plan), plan


@pytest.mark.parametrize(
    ("query", "most"),
    (
        ("?q=e-first-1", "USING INDEX events_event_id"),
        ("?q=2", "USING INTEGER PRIMARY KEY (rowid=?)"),
        ("?q=fir", "USING INDEX events_session"),
        ("?q=make test", "USING INTEGER PRIMARY KEY (rowid>?)"),
    ),
)
def test_a_search_reads_no_more_than_it_must(client: Client, query: str, most: str) -> None:
    for statement, plan in plans(client, list_url("event", query), "events"):
        assert "SCAN events" not in plan, (statement, plan)
        if "ORDER BY" in statement:
            assert most in plan, plan


@pytest.mark.parametrize("query", ("?q=event:e-first-1", "?q=fir", "?q=nobody"))
def test_a_search_for_calls_reads_no_more_than_it_must(client: Client, query: str) -> None:
    found = plans(client, list_url("call", query), "calls")

    assert found
    assert not [plan for _, plan in found if "SCAN calls" in plan]


@pytest.mark.parametrize(
    ("query", "rows"),
    (
        ("?q=e-first-1", 1),
        ("?q=fir", 3),
        ("?q=second", 3),
        ("?q=make+test", 6),
        ("?q=make+nothing", 0),
        ("?session=first", 3),
        ("?event_type=error", 0),
        ("?since=hour", 6),
    ),
)
def test_events_are_found(client: Client, query: str, rows: int) -> None:
    page = get(client, list_url("event", query))

    assert len(record_urls(page, "event")) == rows
    assert f"{rows} event{'' if rows == 1 else 's'}" in page


def test_an_event_is_found_by_its_id(client: Client) -> None:
    event = Event.objects.get(event_id="e-first-1")

    page = get(client, list_url("event", f"?q={event.pk}"))

    assert record_urls(page, "event") == [reverse("admin:monitor_event_change", args=[event.pk])]


@pytest.mark.parametrize(
    ("query", "rows"),
    (("?q=event:e-first-1", 1), ("?q=fir", 3), ("?q=nobody", 0), ("?agent_type=codex", 0), ("?since=hour", 6)),
)
def test_calls_are_found(client: Client, query: str, rows: int) -> None:
    page = get(client, list_url("call", query))

    assert len(record_urls(page, "call")) == rows


@pytest.mark.parametrize(
    ("query", "rows"),
    (
        ("?q=needle", 3),
        ("?q=%22b+2%22", 1),
        ("?q=needle+-1", 2),
        ("?q=nee", 0),
        ("?q=%22", 0),
        ("?session=first", 3),
    ),
)
def test_entries_are_found_by_their_words(client: Client, query: str, rows: int) -> None:
    page = get(client, list_url("entry", query))

    assert len(record_urls(page, "entry")) == rows
    assert "&lt;b&gt;needle" not in page


@pytest.mark.parametrize("query", ("?q=needle", "?session=first"))
def test_the_list_of_entries_reads_neither_texts_nor_more_rows_than_it_shows(client: Client, query: str) -> None:
    for statement, plan in plans(client, list_url("entry", query), "entries"):
        assert '"entries"."text"' not in statement
        assert "SCAN entries" not in plan, (statement, plan)


@pytest.mark.parametrize(
    "lookup", ("metadata__contains=x", "session__title__contains=x", "status=error", "id__gt=1")
)
def test_no_other_lookup_is_taken_from_the_address(client: Client, lookup: str) -> None:
    assert client.get(list_url("event", f"?{lookup}")).status_code in (302, 400)


def test_a_session_leads_to_what_belongs_to_it(client: Client) -> None:
    page = get(client, reverse("admin:monitor_session_change", args=["first"]))

    for model, rows in (("event", 3), ("call", 3), ("usagehour", 1), ("sessionfile", 1)):
        address = list_url(model, "?session=first")
        assert f'href="{address}"' in page
        assert len(record_urls(get(client, address), model)) == rows
    assert f'href="{list_url("session", "?parent=first")}"' in page
    assert record_urls(get(client, list_url("session", "?parent=first")), "session") == [
        "/admin/monitor/session/second/change/"
    ]


def test_an_event_shows_times_money_and_payload_for_humans(client: Client) -> None:
    event = Event.objects.get(event_id="e-first-1")
    page = get(client, reverse("admin:monitor_event_change", args=[event.pk]))

    assert f"{event.created_at:%Y-%m-%d %H:%M:%S} UTC" in page
    assert "$0.003000000" in page
    assert "1.2 s" in page
    assert "&quot;command&quot;: &quot;make test&quot;" in page
    assert "Fix the &lt;tests&gt;" in page


def test_only_what_used_tokens_can_lack_a_price(client: Client, records: sqlite3.Connection) -> None:
    for tokens, model in ((0, None), (5, "nobody-sells-it")):
        event = NewEvent(session_id="s", agent_type="codex", event_type="response", tokens_in=tokens, model=model)
        write_group(records, [Batch([event])], now_ms(), RULES)

    page = get(client, list_url("event", "?session=s"))

    assert re.findall(r'class="field-cost">([^<]*)<', page) == ["no price", "–"]


def test_strange_ids_and_paths_open(client: Client, records: sqlite3.Connection) -> None:
    strange = "a/b?c=<d>&e\"f' %20"
    write_group(records, [Batch([told(1, strange)])], now_ms(), RULES)

    for model, key in (("session", strange), ("importstate", "/home/me/.claude/projects/a b/1.jsonl")):
        urls = record_urls(get(client, list_url(model)), model)
        assert any(key in html.unescape(get(client, url)) for url in urls)


def test_an_event_keeps_calls_of_other_keys_apart(client: Client, records: sqlite3.Connection) -> None:
    call = NewCall(key="msg_1", usage=Usage(1), model="nobody-sells-it")
    event = told(9, "first")
    event.call = call
    write_group(records, [Batch([event])], now_ms(), RULES)

    page = get(client, list_url("call", "?model=nobody-sells-it"))

    assert "no price" in page
    assert len(record_urls(page, "call")) == 1


def test_counting_stops_at_a_bound_and_so_do_pages(records: sqlite3.Connection) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert BoundedPaginator(EventHour.objects.order_by("pk"), 100).count == 1
    assert f"LIMIT {MOST_COUNTED}" in queries[0]["sql"]
    assert BoundedPaginator(EventHour.objects.order_by("pk"), 100, known_count=10**9).num_pages == MOST_PAGES
    assert BoundedPaginator(EventHour.objects.none(), 100).num_pages == 1


def test_every_model_of_ours_is_there(client: Client) -> None:
    page = get(client, "/admin/")

    for model in MODELS:
        assert list_url(model) in page


def test_small_and_large_amounts_read_well() -> None:
    assert dollars(None) == "no price"
    assert dollars(0) == "$0.0000"
    assert dollars(1) == "< $0.0001"
    assert dollars(1_234_567_890_123) == "$1,234.5679"
    assert exact_dollars(1_234_567_890_123) == "$1,234.567890123"
    assert [duration(ms) for ms in (None, 0, 999, 1500, 61_000)] == ["–", "0 ms", "999 ms", "1.5 s", "1 min 1 s"]


def test_a_summary_is_one_short_line() -> None:
    assert summary('{"file_path":"/a","command":"make\\n  test"}') == "make test"
    assert summary('{"command":5,"error":"boom"}') == "boom"
    assert summary("[1]") == summary("not json") == summary("{}") == "–"
    assert len(summary(f'{{"message":"{"x" * 500}"}}')) == 100
