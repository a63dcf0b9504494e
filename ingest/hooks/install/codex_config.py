"""Codex's config.toml: its `notify` program and its telemetry, ours in and out. Pure, comments and order kept.

Codex notifies one program. A person's own becomes the rest of ours, which starts it with the same argument.
"""

from typing import Any, Final

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, Table

from ingest.hooks.install.entries import CODEX_HOOK_PATH
from ingest.hooks.install.posting import posting_command
from ingest.hooks.install.settings_file import ClientFile, SettingsFault
from ingest.hooks.install.telemetry import OTLP_PATH, is_ours

NAME: Final = "agentmonitor"
# sh, -c, the script and its name; what was there before follows.
OWN_WORDS: Final = 4
EXPORTERS: Final = {"exporter": "logs", "metrics_exporter": "metrics"}
PROMPTS: Final = "log_user_prompt"
MARK: Final = f"# {NAME}"


def parsed(file: ClientFile) -> TOMLDocument:
    """Raises SettingsFault for what is no TOML."""
    try:
        return tomlkit.parse(file.text or "")
    except (TOMLKitError, RecursionError) as error:
        raise SettingsFault(f"{file.path} is not valid TOML: {error}") from None


def with_notify(file: ClientFile, url: str | None, *, with_token: bool = False) -> str:
    """The file's text with our program in `notify`, or without when `url` is None."""
    document = parsed(file)
    notify = document.get("notify")
    if notify is not None and not (isinstance(notify, Array) and all(isinstance(word, str) for word in notify)):
        raise SettingsFault(f'"notify" in {file.path} is not a list of words, as the client wants it')
    script = None if url is None else _script(url, with_token=with_token)
    if is_notified(document):
        _change_notify(document, script)
    elif script is not None:
        _add_notify(document, notify, ["sh", "-c", script, NAME])
    return _written(document, file.text or "")


def is_notified(document: TOMLDocument) -> bool:
    notify = document.get("notify")
    return isinstance(notify, list) and len(notify) >= OWN_WORDS and notify[3] == NAME


def _script(url: str, *, with_token: bool) -> str:
    posting = posting_command(url + CODEX_HOOK_PATH, with_token=with_token)
    return f'for told; do :; done; printf %s "$told" | ({posting}) & [ $# -lt 2 ] || exec "$@"'


def _add_notify(document: TOMLDocument, notify: Any, words: list[str]) -> None:
    if notify is None:
        document["notify"] = words
        return
    for place, word in enumerate(words):
        notify.insert(place, word)


def _change_notify(document: TOMLDocument, script: str | None) -> None:
    notify: Any = document["notify"]
    if script is not None:
        if notify[2] != script:
            notify[2] = script
    elif len(notify) == OWN_WORDS:
        del document["notify"]
    else:
        for _ in range(OWN_WORDS):
            notify.pop(0)


def with_telemetry(file: ClientFile, url: str | None) -> str:
    """The file's text with our exporters, or without when `url` is None. Never replaces another exporter."""
    document = parsed(file)
    otel = document.get("otel")
    if otel is None and url is None:
        return file.text or ""
    if otel is not None and not isinstance(otel, Table):
        raise SettingsFault(f'"otel" in {file.path} is not a table of its own')
    if otel is None:
        otel = tomlkit.table()
        otel.append(PROMPTS, tomlkit.item(True).comment(NAME))
        document.append("otel", otel)
    for key, signal in EXPORTERS.items():
        _set_exporter(otel, key, None if url is None else f"{url}{OTLP_PATH}/v1/{signal}", file)
    if url is None and PROMPTS in otel and f"{PROMPTS} = true {MARK}" in otel.as_string():
        del otel[PROMPTS]
        if not otel:
            del document["otel"]
    return _written(document, file.text or "")


def _set_exporter(otel: Table, key: str, endpoint: str | None, file: ClientFile) -> None:
    known = endpoint_of(otel, key)
    if key in otel and not is_ours(known):
        if endpoint is not None:
            raise SettingsFault(f'"otel.{key}" in {file.path} is set already: take it out first')
        return
    if known == endpoint:
        return
    if endpoint is None:
        del otel[key]
    elif known is not None:
        otel[key]["otlp-http"]["endpoint"] = endpoint
    else:
        exporter, settings = tomlkit.table(is_super_table=True), tomlkit.table()
        # 0.58 does not start when an exporter names no headers.
        settings.update({"endpoint": endpoint, "protocol": "json", "headers": tomlkit.inline_table()})
        exporter.append("otlp-http", settings)
        otel.append(key, exporter)


def endpoint_of(otel: Any, key: str) -> str | None:
    """Where an exporter sends to, when that is ours."""
    exporter = otel.get(key) if isinstance(otel, dict) else None
    http = exporter.get("otlp-http") if isinstance(exporter, dict) else None
    endpoint = http.get("endpoint") if isinstance(http, dict) else None
    return str(endpoint) if is_ours(endpoint) else None


def _written(document: TOMLDocument, before: str) -> str:
    """As TOML, without the blank lines that stand around what was taken out."""
    text = tomlkit.dumps(document)
    if text == before:
        return text
    text = text if before.startswith("\n") else text.lstrip("\n")
    return text.rstrip("\n") + "\n" if text.strip() else ""
