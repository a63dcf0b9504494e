"""The pages: shells rendered here, brought to life by static/js."""

from collections.abc import Mapping
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from monitor.models.entry import Kind
from monitor.receipts import call_exists
from monitor.status import VERSION, is_demo


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """The live page. What it needs before its first request stands in the shell."""
    env = settings.ENVIRONMENT
    shell = {
        "max_feed": env.max_feed,
        "heartbeat_ms": env.sse_heartbeat_ms,
        "auto_import_minutes": env.auto_import_minutes,
        "idle_minutes": env.session_timeout_minutes,
        "origin": f"{request.scheme}://{request.get_host()}",
        "modules": _modules(),
    }
    return _page(request, "live", "live/page.html", shell)


@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """The ledger: every call, filtered by the address."""
    return _page(request, "calls", "calls/page.html")


@require_safe
def prices(request: HttpRequest) -> HttpResponse:
    """Models without a price, one's own prices, and the price book."""
    return _page(request, "prices", "prices/page.html")


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """What the server knows of itself, and what its hooks cost."""
    return _page(request, "status", "status/page.html")


@require_safe
def receipt(request: HttpRequest, call_id: int) -> HttpResponse:
    """The shell of a call's receipt; its figures come from the API, so that a token protects them."""
    # Where there is a token, a page without it learns not even which calls there are.
    is_missing = settings.ENVIRONMENT.token is None and not call_exists(call_id)
    shell = {"call_id": call_id, "is_missing": is_missing}
    return _page(request, "calls", "receipt.html", shell, status=404 if is_missing else 200)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The search over all transcripts; the address holds what is looked for."""
    return _page(request, "search", "search.html", {"kinds": Kind.choices})


def _page(
    request: HttpRequest, name: str, template: str, shell: Mapping[str, object] | None = None, status: int = 200
) -> HttpResponse:
    """A page with what its bar and foot need; `name` is its link in the bar."""
    frame = {"page": name, "version": VERSION, "is_demo": is_demo()}
    return render(request, template, {**frame, **(shell or {})}, status=status)


@cache
def _modules() -> list[str]:
    """What the page's script imports, so that the browser asks for all at once and not level by level."""
    static = settings.BASE_DIR / "static"
    folders = (static / "js" / name for name in ("core", "data", "panels"))
    return [str(path.relative_to(static)) for folder in folders for path in sorted(folder.glob("*.js"))]
