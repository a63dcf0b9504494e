"""Record what real clients send and write: `python -m tests.clients.record --claude PATH OUT`."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from .record_claude import record_claude
from .record_codex import record_codex
from .record_gemini import record_gemini


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder for <client>-<version>/, replaced when it exists")
    parser.add_argument("--claude", type=Path, help="the claude program")
    parser.add_argument("--codex", type=Path, help="the codex program")
    parser.add_argument("--gemini", type=Path, help="the gemini program")
    parser.add_argument("--root", type=Path, default=Path(tempfile.gettempdir()) / "agentmonitor-demo",
                        help="home and project of the agents; its path stands in the recordings")  # fmt: skip
    asked = parser.parse_args()
    recorders = (
        (asked.claude, record_claude),
        (asked.codex, record_codex),
        (asked.gemini, record_gemini),
    )
    for cli, record in recorders:
        if cli is None:
            continue
        shutil.rmtree(asked.root, ignore_errors=True)
        print(record(cli.absolute(), asked.root, asked.out))
    shutil.rmtree(asked.root, ignore_errors=True)


if __name__ == "__main__":
    main()
