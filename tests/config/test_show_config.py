"""`manage.py show_config`: what is in force, where it came from, and nothing secret."""

import io
import json

import pytest
from django.conf import settings
from django.core.management import call_command

from config import environment


@pytest.fixture(autouse=True)
def chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, origins = environment.read(
        {
            "AGENTMONITOR_PORT": "4000",
            "AGENTMONITOR_TOKEN": "do-not-print-me-please",
            "AGENTMONITOR_ALLOWED_HOSTS": "a,b",
        }
    )
    monkeypatch.setattr(settings, "ENVIRONMENT", chosen)
    monkeypatch.setattr(settings, "ENVIRONMENT_ORIGINS", origins)


def run(*options: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("show_config", *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_prints_every_variable_with_value_and_source() -> None:
    rows = {line.split()[0]: line.split()[1:] for line in run()[0].splitlines()}

    assert rows["AGENTMONITOR_PORT"] == ["4000", "environment"]
    assert rows["AGENTMONITOR_HOST"] == ["127.0.0.1", "default"]
    assert rows["AGENTMONITOR_ALLOWED_HOSTS"] == ["a,", "b", "environment"]
    assert rows["AGENTMONITOR_SYNC_EXCLUDE_PATTERNS"] == ["-", "default"]
    assert set(rows) == {origin.variable for origin in settings.ENVIRONMENT_ORIGINS}


@pytest.mark.parametrize("options", ((), ("--json",)))
def test_it_hides_the_token(options: tuple[str, ...]) -> None:
    printed, _ = run(*options)

    assert "do-not-print-me-please" not in printed
    assert "(set)" in printed


def test_it_names_variables_that_nothing_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMONITOR_PROT", "1")

    assert "AGENTMONITOR_PROT is set, but is no setting of AgentMonitor" in run()[1]


def test_it_prints_json() -> None:
    printed = json.loads(run("--json")[0])

    assert {"variable": "AGENTMONITOR_PORT", "value": "4000", "source": "environment"} in printed["settings"]
