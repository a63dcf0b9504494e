"""A start that can't succeed says why in one line, without a traceback."""

import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.serving import ROOT, clean_environment, free_port

SERVERS = ("serve", "runserver")


def start(tmp_path: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that has to fail by itself."""
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=clean_environment(tmp_path, **variables),
        capture_output=True,
        text=True,
        timeout=60,
    )


def command_for(server: str, port: int) -> list[str]:
    return ["serve", "--port", str(port)] if server == "serve" else ["runserver", "--noreload", str(port)]


def the_only_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("server", SERVERS)
def test_a_taken_port(tmp_path: Path, server: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        line = the_only_line(start(tmp_path, *command_for(server, port)))

    assert f"127.0.0.1:{port}" in line
    assert "in use" in line
    assert "AGENTMONITOR_PORT" in line


@pytest.mark.parametrize("server", SERVERS)
def test_an_address_that_is_not_ours(tmp_path: Path, server: str) -> None:
    port = free_port()
    address = "192.0.2.1"  # for documentation only, so nobody has it
    command = (
        ["serve", "--host", address, "--port", str(port)]
        if server == "serve"
        else ["runserver", "--noreload", f"{address}:{port}"]
    )

    assert f"Can't listen on {address}:{port}" in the_only_line(start(tmp_path, *command))


def test_a_port_out_of_range(tmp_path: Path) -> None:
    assert "99999" in the_only_line(start(tmp_path, "serve", "--port", "99999"))


@pytest.mark.parametrize("server", SERVERS)
def test_a_database_path_below_a_file(tmp_path: Path, server: str) -> None:
    (tmp_path / "file").write_text("no directory")
    path = tmp_path / "file" / "agentmonitor.db"

    line = the_only_line(start(tmp_path, *command_for(server, free_port()), AGENTMONITOR_DB_PATH=str(path)))

    assert str(path) in line
    assert "AGENTMONITOR_DB_PATH" in line


def test_a_database_path_that_is_a_directory(tmp_path: Path) -> None:
    line = the_only_line(start(tmp_path, "serve", AGENTMONITOR_DB_PATH=str(tmp_path)))

    assert "is a directory" in line


def test_a_database_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear reader, " * 100)

    line = the_only_line(start(tmp_path, *command_for("serve", free_port()), AGENTMONITOR_DB_PATH=str(path)))

    assert "not a database" in line
    assert path.read_text().startswith("Dear reader")


def test_a_database_that_somebody_keeps_locked(tmp_path: Path, migrated_database: Path) -> None:
    path = tmp_path / "agentmonitor.db"
    path.write_bytes(migrated_database.read_bytes())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

        line = the_only_line(start(tmp_path, *command_for("serve", free_port())))

    assert "locked" in line


@pytest.mark.parametrize("command", ("serve", "runserver", "show_config", "migrate"))
def test_a_wrong_variable(tmp_path: Path, command: str) -> None:
    line = the_only_line(start(tmp_path, command, AGENTMONITOR_PORT="many"))

    assert line == "agentmonitor: AGENTMONITOR_PORT is not a whole number: 'many'"


def test_two_wrong_variables_are_two_lines(tmp_path: Path) -> None:
    done = start(tmp_path, "serve", AGENTMONITOR_PORT="many", AGENTMONITOR_SAFETY="perhaps")

    assert done.returncode == 1
    assert [line.split()[1] for line in done.stderr.splitlines()] == ["AGENTMONITOR_PORT", "AGENTMONITOR_SAFETY"]
