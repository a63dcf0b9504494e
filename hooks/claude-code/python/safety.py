"""What an agent should not do unseen: removing everything, and opening files that hold secrets. Pure.

A net, not a wall: it knows a shell's words, quotes, separators and the usual wrappers, but no shell. The hooks
for machines without the project carry a copy of this file (hooks/claude-code/python), so it imports nothing of
the project and runs under Python 3.8.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import Any, Final, NamedTuple

DESTRUCTIVE, SENSITIVE = "destructive_command", "sensitive_file_access"

# Longer commands are looked at by pattern only: words cost about a microsecond for each character.
LONGEST_PARSED: Final = 20_000
DEEPEST_NESTING: Final = 4

SEPARATORS: Final = frozenset(";&|()`\n")
REDIRECTION: Final = frozenset("<>")
ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")
DURATION: Final = re.compile(r"[\d.]+[smhd]?")
KEYWORDS: Final = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "{", "time"})
WRAPPERS: Final = frozenset(
    {"sudo", "doas", "env", "command", "builtin", "exec", "nohup", "nice", "ionice", "timeout", "stdbuf"}
    | {"setsid", "xargs", "busybox", "chroot", "caffeinate"}
)
SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish"})

HOME: Final = re.compile(r"\$HOME\b|\$\{HOME[^}]*\}|~[\w.-]*(?=/|$)")
GLOBS: Final = frozenset({"*", ".*", "**", "{*,.*}", "{.*,*}", ".[!.]*"})
HEREDOC: Final = re.compile(r"<<-?\s*(['\"]?)(\w+)\1[^\n]*\n.*?(?:\n\s*\2\s*(?=\n|$)|$)", re.DOTALL)
SUBSTITUTION: Final = re.compile(r"\$\(|(?<!\\)`")
UNPARSED: Final = re.compile(
    r"(?:^|[\s;&|(`/])rm\s+(?:-\S+\s+)*[\"']?(?:/|~|\$\{?HOME\}?)/?\*?[\"']?(?=$|[\s;&|)`])", re.MULTILINE
)
QUOTING: Final = str.maketrans("", "", "'\"\\")

SECRET_ENDINGS: Final = (".env", ".pem", ".key", ".credentials", ".secret")
SECRET_NAMES: Final = frozenset({"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".netrc", ".git-credentials"})
HARMLESS_ENV_ENDINGS: Final = (".example", ".sample", ".template", ".dist", ".schema")
PATH_KEYS: Final = ("file_path", "notebook_path")


class Verdict(NamedTuple):
    """`reason` says what is wrong, `subject` is the command or the file; only some things are denied."""

    denied: bool
    reason: str
    subject: str

    @property
    def message(self) -> str:
        """One line for the agent and its human."""
        what = "Blocked destructive command" if self.denied else "Sensitive file"
        return f"AgentMonitor: {what}: {' '.join(self.subject.split())}"

    @property
    def metadata(self) -> dict[str, Any]:
        """Metadata of the event that tells of it."""
        if self.denied:
            return {"blocked": True, "reason": self.reason, "command": self.subject}
        return {"security_warning": True, "file_path": self.subject, "reason": self.reason}


def judge(tool_name: object, tool_input: object) -> Verdict | None:
    """What is wrong with a tool's input before it runs; None when nothing is."""
    if not isinstance(tool_input, dict):
        return None
    command = tool_input.get("command")
    if tool_name == "Bash" and isinstance(command, str) and is_destructive(command):
        return Verdict(True, DESTRUCTIVE, command)
    for key in PATH_KEYS:
        path = tool_input.get(key)
        if isinstance(path, str) and is_sensitive(path):
            return Verdict(False, SENSITIVE, path)
    return None


def is_sensitive(path: str) -> bool:
    """Whether the name is one under which secrets are kept."""
    name = re.split(r"[/\\]", path)[-1].lower()
    if name.startswith(".env."):
        return not name.endswith(HARMLESS_ENV_ENDINGS)
    return name in SECRET_NAMES or name.endswith(SECRET_ENDINGS)


def is_destructive(command: str, depth: int = 0) -> bool:
    """Whether a shell would be told to remove the root or somebody's whole home."""
    if "rm" not in command.translate(QUOTING) or depth > DEEPEST_NESTING:
        return False
    if len(command) > LONGEST_PARSED:
        return UNPARSED.search(command) is not None
    try:
        words = _words(_without_documents(command))
    except ValueError:  # a quote without its partner
        return UNPARSED.search(command) is not None
    nested = (part for word in words for part in SUBSTITUTION.split(word)[1:])
    return any(_removes_all(part, depth) for part in _commands(words)) or any(
        is_destructive(part.rstrip(")"), depth + 1) for part in nested
    )


def _without_documents(command: str) -> str:
    """Without the text of here-documents, unless a shell is to read it."""
    if "<<" not in command:
        return command
    return HEREDOC.sub(lambda found: "\n" if not _feeds_a_shell(command, found.start()) else found[0], command)


def _feeds_a_shell(command: str, position: int) -> bool:
    line = command[command.rfind("\n", 0, position) + 1 : position]
    return any(posixpath.basename(word) in SHELLS for word in line.split())


def _words(command: str) -> list[str]:
    """A shell's words and operators, quotes resolved; a line's end is an operator too."""
    lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars=";&|()<>`\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    return list(lexer)


def _commands(words: list[str]) -> list[list[str]]:
    """The simple commands, each as its words, without redirections."""
    commands: list[list[str]] = [[]]
    skip_target = False
    for word in words:
        if word and SEPARATORS.issuperset(word):
            commands.append([])
        elif word and REDIRECTION.issuperset(word):
            if commands[-1] and commands[-1][-1].isdigit():  # the file descriptor of `2>`
                commands[-1].pop()
            skip_target = True
            continue
        elif not skip_target:
            commands[-1].append(word)
        skip_target = False
    return commands


def _removes_all(words: list[str], depth: int) -> bool:
    name, arguments = _program(words)
    if name == "rm":
        return any(_is_everything(argument) for argument in arguments if not argument.startswith("-"))
    if name == "eval":
        return is_destructive(" ".join(arguments), depth + 1)
    if name in SHELLS:
        flags = (index for index, flag in enumerate(arguments[:-1]) if _runs_text(flag))
        return any(is_destructive(arguments[index + 1], depth + 1) for index in flags)
    return False


def _program(words: list[str]) -> tuple[str, list[str]]:
    """The program that runs in the end, behind keywords, assignments and wrappers, and its arguments."""
    wrapped = after_option = False
    for index, word in enumerate(words):
        name = posixpath.basename(word)
        if name in KEYWORDS or ASSIGNMENT.match(word):
            continue
        if name in WRAPPERS:
            wrapped, after_option = True, False
        elif wrapped and word.startswith("-"):
            after_option = True
        elif wrapped and name != "rm" and name not in SHELLS and (after_option or DURATION.fullmatch(word)):
            after_option = False
        else:
            return name, words[index + 1 :]
    return "", []


def _runs_text(flag: str) -> bool:
    return re.fullmatch(r"-[a-z]*c", flag) is not None


def _is_everything(target: str) -> bool:
    """Whether a path is the root or a home, or all that is in it."""
    path = HOME.sub("~", target, count=1)
    if not path.startswith(("/", "~")):
        return False
    rooted = "/" + path[1:].lstrip("/") if path.startswith("~") else path
    parts = [part for part in posixpath.normpath(rooted).split("/") if part]
    return GLOBS.issuperset(parts)
