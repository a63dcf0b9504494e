from importers.command import ImportCommand
from importers.files import GEMINI


class Command(ImportCommand):
    help = "Import Gemini CLI's chats: sessions, events, calls. Safe to repeat, also beside a server."
    sources = (GEMINI,)
    title = GEMINI.title
