"""Recordings without the machine they were made on, and without the clients' own long texts."""

from __future__ import annotations

import json
import platform
import re
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Instructions and listings that the clients carry along say nothing about an importer, and are not ours.
LONGEST_TEXT = 1_500
LONGEST_ATTACHMENT_TEXT = 100
NEUTRAL_HOST = "demo-host-of-the-recording"
NEUTRAL_RELEASE = "6.1.0-generic-amd64-kernel-release"


# An attribute's name, then its value: as OTLP/JSON, or as four bytes of protobuf.
HOST_NAME = rb'(host\.name(?:",\s*"value":\s*\{\s*"stringValue":\s*"|\x12.\x0a.))'

PROCESS_OWNER = re.compile(r'(process\.owner",\s*"value":\s*\{\s*"stringValue":\s*")\w+')


def without_machine(body: bytes) -> bytes:
    """Replace the kernel's release and the host's name, at equal length: protobuf counts bytes."""
    release, host = platform.release(), socket.gethostname()
    body = body.replace(release.encode(), _sized(NEUTRAL_RELEASE, len(release)))
    pattern = re.compile(HOST_NAME + re.escape(host.encode()), re.DOTALL)
    return pattern.sub(lambda found: found.group(1) + _sized(NEUTRAL_HOST, len(host)), body)


def _sized(text: str, length: int) -> bytes:
    return text[:length].ljust(length, "0").encode()


def trimmed(text: str) -> str:
    """A JSON text whose long texts of the client are replaced by their length; others stay as written."""
    entry = json.loads(text)
    is_attachment = isinstance(entry, dict) and entry.get("type") == "attachment"
    shorter = _trimmed(entry, LONGEST_ATTACHMENT_TEXT if is_attachment else LONGEST_TEXT)
    return text if shorter == entry else json.dumps(shorter, ensure_ascii=False, separators=(",", ":"))


def _trimmed(value: Any, limit: int) -> Any:
    match value:
        case dict():
            return {key: _trimmed(item, limit) for key, item in value.items()}
        case list():
            return [_trimmed(item, limit) for item in value]
        case str() if len(value) > limit:
            return f"[{len(value)} characters of the client's own text left out]"
        case _:
            return value


def scrub_tree(folder: Path, program_folders: Iterable[str]) -> None:
    """Scrub every file of a recording in place; in texts, the client's program moves to a usual place."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        body = without_machine(path.read_bytes())
        if path.suffix in (".json", ".jsonl"):
            text = _elsewhere(body.decode(), program_folders)
            body = _trimmed_file(path, text, is_ours=path.parent == folder).encode()
        path.write_bytes(body)


def _elsewhere(text: str, program_folders: Iterable[str]) -> str:
    for program_folder in program_folders:
        text = text.replace(program_folder, "/usr/local/bin")
    return PROCESS_OWNER.sub(r"\1dev", text)


def _trimmed_file(path: Path, text: str, *, is_ours: bool) -> str:
    if is_ours or path.name == "index.json":
        return text
    return trimmed(text) if path.suffix == ".json" else "".join(trimmed(line) + "\n" for line in text.splitlines())


def require_neutral(folder: Path, words: tuple[str, ...]) -> None:
    """Refuse a recording that names the machine, for example by the path of the client's program."""
    for path in (p for p in folder.rglob("*") if p.is_file()):
        body = path.read_bytes()
        for word in words:
            if word.encode() in body:
                raise ValueError(f"{path} contains {word}")
