"""A client's settings: read strictly, written as a whole or not at all."""

import difflib
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class SettingsFault(Exception):
    """The file can't be used; nothing was changed. The text names the file and says why."""


@dataclass(frozen=True, slots=True)
class ClientFile:
    """`path` is the file itself, behind links; `text` is None when there is none yet."""

    path: Path
    text: str | None


@dataclass(frozen=True, slots=True)
class SettingsFile(ClientFile):
    """A file of JSON."""

    content: dict[str, Any]


def read_file(path: Path) -> ClientFile:
    """Raises SettingsFault for what is no text."""
    path = path.resolve()
    try:
        return ClientFile(path, path.read_bytes().decode())
    except FileNotFoundError:
        return ClientFile(path, None)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsFault(f"{path} can't be read: {error}") from None


def read_settings(path: Path) -> SettingsFile:
    """Raises SettingsFault for what is no settings file, and for what could not be written back as it was."""
    path, text = (file := read_file(path)).path, file.text or ""
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise SettingsFault(f"{path} is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise SettingsFault(f"{path} does not hold a JSON object")
    _check_hooks(path, content.get("hooks", {}))
    return SettingsFile(path, file.text, content)


def _check_hooks(path: Path, hooks: Any) -> None:
    if not isinstance(hooks, dict) or not all(isinstance(groups, list) for groups in hooks.values()):
        raise SettingsFault(f'"hooks" in {path} is not an object of lists, as the client wants it')


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands there twice")
    return content


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def text_of(file: SettingsFile, content: dict[str, Any]) -> str:
    """The content as JSON in the file's own style: indentation, line ends, end of the file."""
    old = file.text or ""
    indented = re.match(r'\s*\{\r?\n([ \t]+)"', old)
    text = json.dumps(content, indent=indented[1] if indented else 2, ensure_ascii=False)
    if not old.strip() or old.endswith("\n"):
        text += "\n"
    return text.replace("\n", "\r\n") if "\r\n" in old else text


def difference(file: ClientFile, text: str) -> str:
    """What would change, as a unified diff."""
    before, after = (file.text or "").splitlines(keepends=True), text.splitlines(keepends=True)
    name = str(file.path)
    lines = difflib.unified_diff(before, after, "/dev/null" if file.text is None else name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def write_settings(file: ClientFile, text: str, stamp: str) -> Path | None:
    """Replace the file in one step; returns the copy of the old one, named with `stamp`."""
    try:
        encoded = text.encode()
        file.path.parent.mkdir(parents=True, exist_ok=True)
        backup = None if file.text is None else _back_up(file, stamp)
        _replace(file.path, encoded)
    except (OSError, UnicodeEncodeError) as error:
        raise SettingsFault(f"{file.path} can't be written: {error}") from None
    return backup


def _back_up(file: ClientFile, stamp: str) -> Path:
    backup = file.path.with_name(f"{file.path.name}.bak.{stamp}")
    while backup.exists():
        backup = backup.with_name(f"{backup.name}.1")
    with backup.open("xb") as copy:
        os.fchmod(copy.fileno(), file.path.stat().st_mode)
        copy.write((file.text or "").encode())
    return backup


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        fresh.chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o644)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
