"""`manage.py serve`: the production server, one process, uvicorn with uvloop and httptools."""

import logging
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandParser

from config.startup import check_port, greeting, prepare_database


class Command(BaseCommand):
    help = "Serve the page, the API and the admin (production server)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.ENVIRONMENT.host)
        parser.add_argument("--port", type=int, default=settings.ENVIRONMENT.port)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        check_port(host, port)
        prepare_database()
        for line in greeting(host, port):
            self.stdout.write(line)
        self.stdout.flush()
        run(host, port)


def run(host: str, port: int) -> None:
    import uvicorn

    logging.getLogger("uvicorn.error").addFilter(_is_worth_saying)
    uvicorn.run(
        "config.asgi:application",
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        # Streams stay open for ever; waiting for them would hold up Ctrl-C.
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
        backlog=1024,
    )


def _is_worth_saying(record: logging.LogRecord) -> bool:
    """A stream that is cut because its client doesn't read ends without a last chunk, on purpose."""
    return "without completing response" not in record.getMessage()
