"""`manage.py serve`: the production server, one process, uvicorn with uvloop and httptools."""

import contextlib
import logging
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.management import BaseCommand, CommandParser

from config.startup import check_port, greeting, prepare_database
from ingest.writer import Writer
from monitor.live import hub

if TYPE_CHECKING:
    from ingest.otlp_grpc import GrpcDoor

# Where exporters look by default.
OTLP_GRPC_PORT: Final = 4317


class Command(BaseCommand):
    help = "Serve the page, the API and the admin (production server)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.ENVIRONMENT.host)
        parser.add_argument("--port", type=int, default=settings.ENVIRONMENT.port)
        parser.add_argument(
            "--otlp-grpc",
            nargs="?",
            type=int,
            const=OTLP_GRPC_PORT,
            metavar="PORT",
            help=f"also take OTLP over gRPC ({OTLP_GRPC_PORT})",
        )

    def handle(self, *args: Any, host: str, port: int, otlp_grpc: int | None, **options: Any) -> None:
        check_port(host, port)
        if otlp_grpc is not None:
            check_port(host, otlp_grpc, option="--otlp-grpc")
        prepare_database()
        for line in greeting(host, port):
            self.stdout.write(line)
        if otlp_grpc is not None:
            self.stdout.write(f"OTLP/gRPC     {address_of(host, otlp_grpc)}")
        self.stdout.flush()
        run(host, port, otlp_grpc)


def run(host: str, port: int, otlp_grpc: int | None = None) -> None:
    """Serve until SIGINT or SIGTERM. uvicorn is imported here, where it is needed, not by every command."""
    import uvicorn

    from config.asgi import process
    from config.transport import JoiningProtocol

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Streams stay open for ever; waiting for them would hold up Ctrl-C.
            hub.close()
            super().handle_exit(sig, frame)

    if otlp_grpc is not None:
        process.open_door = partial(open_grpc_door, address_of(host, otlp_grpc))
    logging.getLogger("uvicorn.error").addFilter(_is_worth_saying)
    config = uvicorn.Config(
        "config.asgi:application",
        host=host,
        port=port,
        loop="uvloop",
        http=JoiningProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=75,
        backlog=1024,
    )
    server = Server(config)
    # uvicorn has ended in order by then; it raises the signal once more for those who called it.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit("agentmonitor: the server could not start")


def open_grpc_door(address: str, writer: Writer) -> "GrpcDoor":
    """grpcio costs some megabytes and a fifth of a second, which is spent only where it is wanted."""
    from ingest.otlp_grpc import GrpcDoor

    token = settings.ENVIRONMENT.token
    return GrpcDoor(address, writer, token.encode() if token else None)


def address_of(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_worth_saying(record: logging.LogRecord) -> bool:
    """A stream that is cut because its client doesn't read ends without a last chunk, on purpose."""
    return "without completing response" not in record.getMessage()
