"""Who is in the demo: projects, tasks and agents. All invented."""

from typing import Final, NamedTuple


class Task(NamedTuple):
    """What a session is about: its title and the prompts of its turns."""

    title: str
    prompts: tuple[str, ...]


class Project(NamedTuple):
    name: str
    branches: tuple[str, ...]
    files: tuple[str, ...]
    test_command: str
    tasks: tuple[Task, ...]

    @property
    def cwd(self) -> str:
        return f"/home/demo/{self.name}"


class Agent(NamedTuple):
    """One kind of agent. `models` and `share` are weights; the tools are its names for the same four acts."""

    agent_type: str
    version: str
    models: dict[str, int]
    share: int
    shell_tool: str
    read_tool: str
    search_tool: str
    edit_tool: str


ANYWHERE: Final = (
    Task("Review the open branch", ("Review what changed against main; only what is wrong, no style.",)),
    Task("Write the README", ("Write a short README: what it is, how to start it, how to test it.",)),
    Task(
        "Upgrade the dependencies",
        ("Upgrade everything that has security fixes.", "The build is red, look at it.", "Commit that."),
    ),
)
PROJECTS: Final = (
    Project(
        "webshop",
        ("main", "feature/gift-cards", "fix/cart-rounding"),
        ("src/cart/total.ts", "src/cart/CartView.tsx", "src/api/checkout.ts", "tests/cart.test.ts"),
        "npm test",
        (
            Task(
                "Fix rounding of totals",
                (
                    "The total is off by a cent with three vouchers. Find out why.",
                    "Fix it, with a test that fails first.",
                ),
            ),
            Task(
                "Split the checkout module",
                ("checkout.ts does four things. Split it without changing behaviour.", "Run the whole suite."),
            ),
            *ANYWHERE,
        ),
    ),
    Project(
        "tide-api",
        ("main", "feature/webhooks", "chore/upgrade-postgres"),
        ("app/webhooks/sender.py", "app/models/delivery.py", "app/views/tides.py", "tests/test_sender.py"),
        "pytest -q",
        (
            Task(
                "Retry failed deliveries",
                (
                    "Deliveries that fail are lost. Retry them with a growing pause.",
                    "Stop after eight tries and mark them as failed.",
                    "Now show the failed ones in the admin.",
                ),
            ),
            Task("Why is the start slow?", ("Starting takes four seconds. Measure where, change nothing yet.",)),
            *ANYWHERE,
        ),
    ),
    Project(
        "lighthouse",
        ("main", "feature/offline-maps"),
        ("crates/map/src/tiles.rs", "crates/map/src/cache.rs", "crates/cli/src/main.rs"),
        "cargo test",
        (
            Task(
                "Cache map tiles on disk",
                ("Keep tiles on disk, 500 MB at most.", "The oldest ones go first. Handle a full disk."),
            ),
            *ANYWHERE,
        ),
    ),
    Project(
        "dotfiles",
        ("main",),
        ("zsh/prompt.zsh", "git/config", "install.sh"),
        "./install.sh --check",
        (Task("Faster shell start", ("The prompt takes 300 ms. Make it lazy.", "Measure it again.")),),
    ),
)
AGENTS: Final = (
    Agent(
        "claude_code",
        "2.1.197",
        {"claude-opus-4-6": 3, "claude-sonnet-4-6": 5, "claude-haiku-4-5": 2},
        6,
        "Bash",
        "Read",
        "Grep",
        "Edit",
    ),
    # The last of its models runs on the machine itself: no provider, no price.
    Agent(
        "codex",
        "0.169.0",
        {"gpt-5.3-codex": 5, "gpt-5.1-codex-mini": 2, "qwen3-coder:30b": 1},
        3,
        "exec_command",
        "exec_command",
        "exec_command",
        "apply_patch",
    ),
    Agent(
        "gemini_cli",
        "0.30.0",
        {"gemini-3-pro-preview": 3, "gemini-3-flash-preview": 2},
        2,
        "run_shell_command",
        "read_file",
        "search_file_content",
        "replace",
    ),
)
CLAUDE, CODEX, GEMINI = AGENTS
GO_ON: Final = "Good. Go on with the rest."
COMMANDS: Final = ("git status --short", "git diff --stat", "ls -la", "git log --oneline -5")
ANSWERS: Final = (
    "Done: the cause was in one place, and the new test covers it.",
    "Two of the three findings are real; the third is guarded by the caller.",
    "All tests pass. I left the public interface as it was.",
    "The change is small, but it touches a hot path, so I measured it before and after.",
)
FAILURES: Final = (
    "1 failed, 41 passed",
    "error[E0502]: cannot borrow `cache` as mutable because it is also borrowed as immutable",
    "String to replace not found in file.",
    "command not found: pnpm",
)
