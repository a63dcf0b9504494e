import os
import shutil
import subprocess

import pytest

from tests.hooks.conftest import SCRIPTS
from tests.ingest.hooks.test_safety import REMOVES_EVERYTHING, REMOVES_SOMETHING

AWKS = [name for name in ("awk", "mawk", "gawk", "original-awk") if shutil.which(name)]


def is_destructive(awk: str, command: str) -> bool:
    """What the shell hook makes of a command."""
    program = [awk, "-f", str(SCRIPTS / "destructive.awk")]
    environment = os.environ | {"LC_ALL": "C"}
    done = subprocess.run(
        program, input=command + "\n", capture_output=True, text=True, env=environment, timeout=30
    )
    assert done.stderr == ""
    return done.returncode == 0


@pytest.mark.parametrize("awk", AWKS)
def test_the_shell_hook_judges_as_the_server_does(awk: str) -> None:
    assert [command for command in REMOVES_EVERYTHING if not is_destructive(awk, command)] == []
    assert [command for command in REMOVES_SOMETHING if is_destructive(awk, command)] == []
