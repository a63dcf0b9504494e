"""Fixtures for the whole suite: real servers, and the two doors of ingest."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings

from config import environment
from tests.doors import AsgiDoor, Door, NinjaDoor
from tests.serving import ROOT, Server, clean_environment, running_server

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
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database to begin with; copy it, do not write to it."""
    directory = tmp_path_factory.mktemp("template")
    env = clean_environment(directory)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True, timeout=60)
    # Leaves the write-ahead log empty, so that the one file is all of it.
    return Path(env["AGENTMONITOR_DB_PATH"])


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


NINJA = pytest.param("ninja", marks=pytest.mark.django_db(transaction=True, reset_sequences=True))


@pytest.fixture(params=["asgi", NINJA])
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    """The same application behind its two doors: the ASGI hot path over HTTP, and django-ninja in process."""
    if request.param == "asgi":
        server = request.getfixturevalue("server")
        yield AsgiDoor(server.client, server.projects_dir)
    else:
        with NinjaDoor.open() as opened:
            yield opened


@pytest.fixture
def session_id() -> str:
    """A session that no other test writes to."""
    return f"s-{uuid4().hex[:12]}"
