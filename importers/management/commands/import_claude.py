from importers.command import ImportCommand
from importers.files import CLAUDE


class Command(ImportCommand):
    help = "Import Claude Code's transcripts: sessions, events, calls. Safe to repeat, also beside a server."
    sources = (CLAUDE,)
    title = CLAUDE.title
