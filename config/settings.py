"""Django's settings, all derived from `config.environment`."""

import sys
import warnings
from typing import Any

from config.environment import BASE_DIR, EnvironmentFault, read_process
from config.secret import installation_secret

try:
    ENVIRONMENT, ENVIRONMENT_ORIGINS = read_process()
except EnvironmentFault as fault:
    sys.exit("\n".join(f"agentmonitor: {line}" for line in str(fault).splitlines()))

DEBUG = ENVIRONMENT.debug
SECRET_KEY = installation_secret(ENVIRONMENT.db_path.parent)

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
ALLOWED_HOSTS = [*LOOPBACK_NAMES, *ENVIRONMENT.allowed_hosts]

INSTALLED_APPS = [
    "config",
    "monitor",
    "ingest",
    "importers",
    "ninja",
    "channels",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "config.api.JsonErrors",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
APPEND_SLASH = True

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Reasons for each pragma: docs/architecture.md, "The database". IMMEDIATE, because a deferred transaction
# that reads and then writes fails at once when another connection wrote in between.
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ENVIRONMENT.db_path,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 5,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
                "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000; PRAGMA mmap_size=268435456"
            ),
        },
        # The writer has a connection in a thread of its own, which an in-memory database can't share.
        "TEST": {"NAME": BASE_DIR / "data" / "test.db"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
LANGUAGE_CODE = "en-us"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Files are served from where they lie: no collectstatic step between a clone and a page.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 0
# Django says so of every file that WhiteNoise sends under ASGI; ours are small enough to be read at once.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

# The body limits are held by the ASGI door, by path and for the unpacked size (config/guard.py).
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024

# Host, Origin, token and the security headers of every answer: config/guard.py.
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
# Cookies know no ports: another Django program on this machine must not overwrite ours.
SESSION_COOKIE_NAME = "agentmonitor_session"
CSRF_COOKIE_NAME = "agentmonitor_csrf"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
# Checks of `check --deploy` that do not hold for us, and why. All others must pass.
SILENCED_SYSTEM_CHECKS = [
    "security.W002",  # framing is denied by config/guard.py, for every answer and not only Django's
    "security.W004",  # no HSTS: we serve plain HTTP on loopback, where browsers ignore it
    "security.W008",  # no redirect to HTTPS: there is none to redirect to
    "security.W012",  # no "secure" session cookie: over plain HTTP it would not come back
    "security.W016",  # no "secure" CSRF cookie, for the same reason
]

LOGIN_URL = "/admin/login/"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "agentmonitor": {"level": "INFO"},
        "django.request": {"level": "ERROR"},
    },
}
