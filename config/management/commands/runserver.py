"""`manage.py runserver`: daphne with autoreload, for development; the same application as `serve`."""

import os
from typing import Any

from daphne.management.commands.runserver import Command as DaphneCommand
from django.conf import settings

from config.startup import check_port, greeting, prepare_database


class Command(DaphneCommand):  # type: ignore[misc]
    help = "Serve with autoreload, for development (daphne)."
    default_addr = settings.ENVIRONMENT.host
    default_port = str(settings.ENVIRONMENT.port)

    def run(self, **options: Any) -> None:
        # The reloading child is the one that serves; its parent only watches it.
        if os.environ.get("RUN_MAIN") != "true":
            check_port(self.addr, int(self.port))
            prepare_database()
            for line in greeting(self.addr, int(self.port)):
                self.stdout.write(line)
        super().run(**options)
