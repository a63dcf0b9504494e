from importers.command import ImportCommand
from importers.files import CODEX


class Command(ImportCommand):
    help = "Import Codex's rollouts: sessions, events, calls. Safe to repeat, also beside a server."
    sources = (CODEX,)
    title = CODEX.title
