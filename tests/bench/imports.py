"""What an import of history costs, on one core, against its floor."""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench import load, servers
from tests.bench.history import write_history

TREE_BYTES, FILES, APPENDED, ROUNDS = 200_000_000, 380, 10, 3
MEGABYTE = 1_000_000
POST_SECONDS_BETWEEN = 0.01


def on_one_core() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def run(command: Sequence[str], database: Path, *, one_core: bool = True) -> "subprocess.CompletedProcess[str]":
    variables = {"AGENTMONITOR_DB_PATH": str(database), "AGENTMONITOR_PORT": str(servers.free_port())}
    return subprocess.run(
        [sys.executable, *command],
        cwd=servers.ROOT,
        env=os.environ | variables,
        preexec_fn=on_one_core if one_core else None,
        capture_output=True,
        text=True,
        check=True,
    )


def import_tree(tree: Path, database: Path, *, one_core: bool = True) -> dict[str, Any]:
    """The sums of one import; `seconds` are those beyond the start of Python."""
    done = run(("manage.py", "import_claude", "--json", "--claude-dir", str(tree)), database, one_core=one_core)
    sums: dict[str, Any] = json.loads(done.stdout)
    return sums


def imports() -> None:
    """First import, nothing new, some lines appended, and live events meanwhile."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        tree, empty = place / "client", place / "empty.db"
        write_history(tree, TREE_BYTES, FILES)
        run(("manage.py", "migrate", "--verbosity=0"), empty)
        megabytes = sum(path.stat().st_size for path in tree.rglob("*.jsonl")) / MEGABYTE
        ours, ratios, floors = place / "ours.db", [], []
        seconds: list[float] = []
        for _ in range(ROUNDS):
            copy(empty, ours)
            seconds.append(import_tree(tree, ours)["seconds"])
            copy(empty, place / "floor.db")
            floor = run(("-m", "tests.bench.import_floor", str(tree), str(ours), str(place / "floor.db")), empty)
            floors.append(float(floor.stdout))
            ratios.append(seconds[-1] / floors[-1])
        first = statistics.median(seconds)
        print(
            f"import of {megabytes:.0f} MB in {FILES} files, one core: {statistics.median(ratios):.2f}× its floor"
            f" (goal 1.50; min {min(ratios):.2f}, max {max(ratios):.2f}); {megabytes / first:.0f} MB/s "
            f"(goal 100) against {megabytes / statistics.median(floors):.0f} MB/s; database "
            f"{size_of(ours) / megabytes:.2f}× the source (goal 1)"
        )
        print_again(tree, ours, first)
        copy(empty, ours)
        both = import_tree(tree, ours, one_core=False)["seconds"]
        print(f"the same on all cores: {megabytes / both:.0f} MB/s")
        print_live(tree)


def print_again(tree: Path, database: Path, first_seconds: float) -> None:
    unchanged = statistics.median(import_tree(tree, database)["seconds"] for _ in range(ROUNDS))
    share = 100 * unchanged / first_seconds
    print(f"the same again, nothing changed: {share:.1f} % of the first (goal 5); {1000 * unchanged:.0f} ms")
    chosen = random.Random(1).sample(sorted(tree.rglob("*.jsonl")), APPENDED)
    for path in chosen:
        last = path.read_bytes().rstrip(b"\n").rsplit(b"\n", 1)[1]
        with path.open("ab") as stream:
            stream.write(last.replace(b'"uuid":"', b'"uuid":"again-') + b"\n")
    appended = import_tree(tree, database)["seconds"]
    print(
        f"a line appended to {APPENDED} of {FILES} files: {1000 * (appended - unchanged):.0f} ms beyond the walk "
        f"(goal 200)"
    )


def print_live(tree: Path) -> None:
    """One POST after another at a server that imports the tree beside."""
    with servers.monitor(AGENTMONITOR_CLAUDE_DIR=str(tree), AGENTMONITOR_AUTO_IMPORT_MINUTES="10") as (port, pid):
        latencies: list[float] = []
        most_megabytes = 0.0
        ended = threading.Event()
        requests = iter(load.single_requests(3, 20_000, port))
        while not ended.is_set():
            _seconds, took = load.drive([next(requests)] * 1, 1, port)
            latencies += took
            most_megabytes = max(most_megabytes, servers.resident_megabytes(pid))
            time.sleep(POST_SECONDS_BETWEEN)
            if len(latencies) % 50 == 0 and has_imported(port):
                ended.set()
    ordered = sorted(latencies)
    print(
        f"POST while the server imports it: p50 {1000 * statistics.median(ordered):.1f} ms, p99 "
        f"{1000 * ordered[int(0.99 * len(ordered))]:.1f} ms (goal 50), of {len(ordered)}; at most "
        f"{most_megabytes:.0f} MB of memory"
    )


def has_imported(port: int) -> bool:
    state = servers.json_of(port, "/api/status")["import"]
    return not state["running"] and state["finished_at_ms"] is not None


def copy(source: Path, target: Path) -> None:
    for suffix in ("-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(source, target)


def size_of(database: Path) -> float:
    return sum(path.stat().st_size for path in database.parent.glob(f"{database.name}*")) / MEGABYTE
