"""Fixtures for the whole suite: real servers, and the two doors of ingest."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_django
from django.conf import settings
from django.core.management import call_command
from hypothesis import settings as hypothesis_settings

from config import environment
from tests.doors import AsgiDoor, Door, NinjaDoor
from tests.serving import Server, running_server
from tests.storing import django_on

# A busy machine is no fault of the code.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")

ServerFactory = Callable[..., AbstractContextManager[Server]]


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests in this process see the defaults, whatever the developer has set."""
    directory = tmp_path_factory.mktemp("settings")
    settings.ENVIRONMENT, settings.ENVIRONMENT_ORIGINS = environment.read(
        {
            "AGENTMONITOR_DB_PATH": str(directory / "agentmonitor.db"),
            "AGENTMONITOR_PROJECTS_DIR": str(directory / "projects"),
            "AGENTMONITOR_AUTO_IMPORT_MINUTES": "0",
            "AGENTMONITOR_CLAUDE_DIR": str(directory / "claude"),
            "CODEX_HOME": str(directory / "codex"),
        }
    )


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The test database is a file, since the writer's thread has a connection of its own."""
    settings.DATABASES["default"]["TEST"]["NAME"] = tmp_path_factory.mktemp("database") / "test.db"


@pytest.fixture(scope="session")
def migrated_database(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Path:
    """An empty database to begin with; copy it, do not write to it."""
    path = tmp_path_factory.mktemp("template") / "agentmonitor.db"
    with django_on(path), django_db_blocker.unblock():
        call_command("migrate", verbosity=0)
    return path


@pytest.fixture(scope="module")
def django_database(
    tmp_path_factory: pytest.TempPathFactory,
    migrated_database: Path,
    django_db_blocker: pytest_django.DjangoDbBlocker,
) -> Iterator[Path]:
    """A file of one's own that Django reads and writes; one for all tests of a module, without flushes."""
    path = tmp_path_factory.mktemp("django") / "agentmonitor.db"
    shutil.copyfile(migrated_database, path)
    with django_on(path), django_db_blocker.unblock():
        yield path


@pytest.fixture
def database(tmp_path: Path, migrated_database: Path) -> Path:
    """A migrated database file of one's own."""
    path = tmp_path / "agentmonitor.db"
    shutil.copyfile(migrated_database, path)
    return path


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> ServerFactory:
    """`with serving(AGENTMONITOR_MAX_SSE_CLIENTS="3") as server:` a server of one's own."""
    numbers = count(1)

    def start(**options: object) -> AbstractContextManager[Server]:
        directory = tmp_path_factory.mktemp(f"server-{next(numbers)}")
        return running_server(directory, migrated_database, **options)  # type: ignore[arg-type]

    return start


@pytest.fixture(scope="session")
def server(serving: ServerFactory) -> Iterator[Server]:
    """A server that many tests share: use session ids of your own, and count nothing of everything."""
    with serving() as running:
        yield running


@pytest.fixture(params=["asgi", "ninja"])
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    """The same application behind its two doors: the ASGI hot path over HTTP, and django-ninja in process."""
    if request.param == "asgi":
        server = request.getfixturevalue("server")
        yield AsgiDoor(server.client, server.projects_dir)
    else:
        request.getfixturevalue("django_database")
        with NinjaDoor.open() as opened:
            yield opened


@pytest.fixture
def session_id() -> str:
    """A session that no other test writes to."""
    return f"s-{uuid4().hex[:12]}"
