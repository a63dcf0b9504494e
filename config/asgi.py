"""The application: guard → hot paths | live stream | Django. The same under uvicorn and daphne."""

import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path, re_path

from config.guard import Guard, Receive, Scope, Send
from config.process import Process
from ingest.fastlane import LANES, serve
from monitor.stream import StreamConsumer

process = Process()

slow_lanes = ProtocolTypeRouter(
    {"http": URLRouter([path("api/stream", StreamConsumer.as_asgi()), re_path("", cast(Any, django_application))])}
)


async def application_inside(scope: Scope, receive: Receive, send: Send) -> None:
    """What the guard lets through."""
    if scope["type"] == "lifespan":
        await process.lifespan(receive, send)
        return
    writer = await process.ready()
    lane = LANES.get(scope["path"]) if scope["method"] == "POST" else None
    if lane is not None:
        await serve(lane, writer, scope, receive, send)
    else:
        await slow_lanes(scope, receive, send)


application: Any = Guard(application_inside, settings.ENVIRONMENT.allowed_hosts, settings.ENVIRONMENT.token)
