from importers.command import ImportCommand
from importers.files import SOURCES


class Command(ImportCommand):
    help = "Import what all known clients wrote: sessions, events, calls. Safe to repeat, also beside a server."
    sources = SOURCES
    title = "History"
