import pytest

from ingest.hooks.safety import DESTRUCTIVE, LONGEST_PARSED, SENSITIVE, is_destructive, is_sensitive, judge

REMOVES_EVERYTHING = [
    "rm /",
    "rm -rf /",
    "rm -r /",
    "rm -rf ~",
    "rm -f -r $HOME",
    'rm -rf "/"',
    "rm -rf '/'",
    "rm -rf /*",
    "rm -rf ~/",
    "rm -rf ~/*",
    'rm -rf "$HOME"',
    'rm -rf "${HOME}"/*',
    "rm -rf ${HOME:?}/",
    "rm --recursive --force /",
    "rm -rf --no-preserve-root /",
    "rm -rf -- /",
    "rm -rf /tmp/x /",
    "rm -rf / tmp/x",
    "rm -rf //",
    "rm -rf /./",
    "rm -rf /tmp/..",
    "rm -rf ~/x/..",
    "rm -rf ~root",
    "rm -rf / >/dev/null 2>&1",
    "2>/dev/null rm -rf /",
    "rm -rf \\\n  /",
    "sudo rm -f -r $HOME && ls",
    "sudo -n rm -rf /",
    "sudo -u root bash -lc 'cd /; rm -rf ~'",
    "FOO=1 rm -rf ~",
    "env A=b rm -rf ~/",
    "nice -n 5 timeout 5 rm -rf /",
    "/bin/rm -rf /",
    "\\rm -rf /",
    "ls && rm -rf ~/*",
    "ls; rm -rf /",
    "ls\nrm -rf /",
    "true | xargs rm -rf /",
    "if true; then rm -rf /; fi",
    "(rm -rf /)",
    "{ rm -rf /; }",
    "! rm -rf /",
    "echo $(rm -rf /)",
    'echo "$(rm -rf /)"',
    "echo `rm -rf /`",
    'eval "rm -rf /"',
    "bash <<END\nrm -rf /\nEND",
    "rm -rf / # don't",
]
REMOVES_SOMETHING = [
    "rm -rf /tmp/x",
    "rm -rf /tmp/*",
    "rm -rf /srv/x",
    "rm -rf ./build",
    "rm -rf build/*",
    "rm -rf ~/x/y",
    "rm -rf $HOME/.cache/x",
    "rm $HOMEBREW/x",
    'rm -rf "/tmp/a b"',
    "rm x >/dev/null",
    'echo "rm -rf /"',
    'grep -r "rm -rf /" .',
    'git commit -m "rm -rf /"',
    'git commit -m "Deny it\n\nrm -rf / is denied; sudo rm -rf / too"',
    "cat > notes <<END\nrm -rf /\nEND",
    "cat > notes <<'END'\nrm -rf /\nEND\nls",
    "sudo -u bob echo rm -rf /",
    "# rm -rf /",
    "npm run rm",
    "docker run --rm -v /:/host alpine",
    "ls / | grep rm",
    "",
]


@pytest.mark.parametrize("command", REMOVES_EVERYTHING)
def test_removing_the_root_or_a_home_is_destructive(command: str) -> None:
    assert is_destructive(command)


@pytest.mark.parametrize("command", REMOVES_SOMETHING)
def test_other_commands_are_let_through(command: str) -> None:
    assert not is_destructive(command)


def test_a_command_too_long_to_parse_is_matched_by_pattern() -> None:
    assert is_destructive("echo " + "x" * LONGEST_PARSED + "; rm -rf /")
    assert not is_destructive("rm -rf /tmp/" + "x" * LONGEST_PARSED)


@pytest.mark.parametrize(
    "path",
    [
        "/a/.env",
        ".env.local",
        "x/.env.production",
        "prod.env",
        "/a/server.pem",
        "a.key",
        "a.credentials",
        "a.secret",
        "/home/u/.ssh/id_rsa",
        "id_ed25519",
        "C:\\x\\.env",
        "/a/.ENV",
    ],
)
def test_names_of_secrets_are_sensitive(path: str) -> None:
    assert is_sensitive(path)


@pytest.mark.parametrize(
    "path",
    ["/a/.env.example", ".env.sample", ".env.template", "id_rsa.pub", ".envrc", "environment.py", "/a/keys/x"],
)
def test_names_that_only_look_alike_are_not(path: str) -> None:
    assert not is_sensitive(path)


def test_only_the_shell_tool_runs_commands() -> None:
    assert judge("Read", {"command": "rm -rf /"}) is None
    verdict = judge("Bash", {"command": "rm -rf /"})
    assert verdict is not None and verdict.denied
    assert verdict.message == "AgentMonitor: Blocked destructive command: rm -rf /"
    assert verdict.metadata == {"blocked": True, "reason": DESTRUCTIVE, "command": "rm -rf /"}


def test_a_sensitive_file_is_warned_about_and_not_denied() -> None:
    verdict = judge("Read", {"file_path": "/a/.env"})
    assert verdict is not None and not verdict.denied
    assert verdict.metadata == {"security_warning": True, "file_path": "/a/.env", "reason": SENSITIVE}


@pytest.mark.parametrize("tool_input", [None, [], "rm -rf /", {"command": ["rm", "-rf", "/"]}, {"file_path": 1}])
def test_input_of_another_shape_is_no_fault(tool_input: object) -> None:
    assert judge("Bash", tool_input) is None


def test_the_message_is_one_line() -> None:
    verdict = judge("Bash", {"command": "ls\nrm -rf /\n"})
    assert verdict is not None and "\n" not in verdict.message
