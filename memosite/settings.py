"""Every setting of the site, read once from the environment or a ``.env`` file; nothing else reads os.environ.

``docs/settings.md`` describes each of them. ``python manage.py check`` explains wrong values (memosite.checks).
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from memosite import broker
from memosite.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
env.read_env(BASE_DIR / ".env")


def _kept_secret(path: Path) -> str:
    """The secret key of this installation, made once and kept readable by its owner only."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


def _made(folder: Path) -> Path:
    """The folder, made where it is missing. Raises ImproperlyConfigured where nobody could keep anything in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The folder {folder} cannot be written: {error.strerror}. "
            "Set MEMOSITE_STATE_DIR to a folder that this user may write."
        ) from error
    return folder


# --- Where state lives -------------------------------------------------------------------------------------
STATE_DIR = Path(env.str("MEMOSITE_STATE_DIR", default=str(BASE_DIR / "var"))).resolve()
STATIC_ROOT = _made(
    STATE_DIR / "static"
)  # filled by collectstatic; without it files come from their packages
MEDIA_ROOT = STATE_DIR / "media"
MEMORY_DIR = STATE_DIR / "memories"  # one folder for each memory version
BROKER_DIR = STATE_DIR / "broker"

# --- Security ----------------------------------------------------------------------------------------------
DEBUG = env.switch("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", default="") or _kept_secret(STATE_DIR / "secret_key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_TLS = env.switch("BEHIND_TLS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
# The admin theme's Alpine evaluates expressions and sets inline styles (see memosite.middleware).
ADMIN_CONTENT_SECURITY_POLICY = {
    **CONTENT_SECURITY_POLICY["DIRECTIVES"],
    "script-src": [SELF, NONCE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}

# --- Applications ------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "memosite",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_filters",
    "simple_history",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "knowledge",
    "training",
    "chat",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "memosite.middleware.admin_content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "memosite.middleware.no_nul_characters",
    "django_htmx.middleware.HtmxMiddleware",
    "memosite.middleware.login_fills_the_page",
    "simple_history.middleware.HistoryRequestMiddleware",
    "memosite.middleware.people_read_errors",
]
ROOT_URLCONF = "memosite.urls"
ASGI_APPLICATION = "memosite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ]
        },
    }
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# --- Database ----------------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{STATE_DIR / 'memosite.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Immediate transactions and a write-ahead log: web and workers write at once without "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL",
    }
    DATABASES["default"]["TEST"] = {"NAME": env.str("TEST_DATABASE", default=str(STATE_DIR / "test.sqlite3"))}
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# --- Broker, channel layer, Celery -------------------------------------------------------------------------
REDIS_URL = env.redis("REDIS_URL")
# By Redis's own publish and subscribe: nothing is queued in Redis, so nothing there is full or expires. What a web
# process misses meanwhile is in the database, and its clients ask for it.
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
CELERY_BROKER_URL = REDIS_URL or broker.URL
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"socket_connect_timeout": 1, "retry_on_timeout": False} if REDIS_URL else broker.options(BROKER_DIR)
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# --- Files, time, language ---------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
MEDIA_URL = "media/"  # never served: documents are read through views that check who asks
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = ["memosite.formats"]  # times say that they are UTC

# --- REST --------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "memosite.api.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.ScopedRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"login": "10/min"},
    "EXCEPTION_HANDLER": "memosite.api.problem_details",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {"TOKEN_TTL": timedelta(days=env.number("API_TOKEN_DAYS", 30, at_least=1))}
SPECTACULAR_SETTINGS = {
    "TITLE": "memosite",
    "DESCRIPTION": "Load documents, review reflections, train MEMORY versions and ask them.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "ReviewStatus": "knowledge.models.ReviewStatus",
        "ReflectionKind": "knowledge.models.reflections.KINDS",
        "RunStatus": "memosite.runs.Status",
        "TurnStatus": "chat.models.TurnStatus",
        "DemandStatus": "chat.models.Demand.Status",
        "VersionKind": "training.models.versions.VersionKind",
    },
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Serving -----------------------------------------------------------------------------------------------
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.number("PORT", 8000, at_least=1)

# --- The product -------------------------------------------------------------------------------------------
MAX_UPLOAD_BYTES = env.number("MAX_UPLOAD_MB", 25, at_least=1) * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = env.number("MAX_UPLOAD_FILES", 500, at_least=1)
MAX_MODEL_UPLOAD_BYTES = env.number("MAX_MODEL_UPLOAD_MB", 1024, at_least=1) * 1024 * 1024
RUN_LEASE_SECONDS = env.number(
    "RUN_LEASE_SECONDS", 10, at_least=1
)  # a run without a heartbeat for so long is free again
GENERATION_WORKERS = env.number(
    "GENERATION_WORKERS", 1, at_least=1
)  # workers that share a generation run, and the concurrency of its endpoint
TRAINING_DEVICES = env.number_or_auto("TRAINING_DEVICES", at_least=1)
SUB_QUERY_BUDGET = env.number("SUB_QUERY_BUDGET", 100, at_least=1)
TURN_SECONDS = env.number("TURN_SECONDS", 60, at_least=1)
TURN_ROUNDS = env.number("TURN_ROUNDS", 8, at_least=2)
TURN_TOKENS = env.number("TURN_TOKENS", 60_000, at_least=1000)
TURN_LEASE_SECONDS = env.number(
    "TURN_LEASE_SECONDS", 10, at_least=5
)  # a running question without a sign of life for so long was lost with its process
EMBEDDING_MODELS = env.list("EMBEDDING_MODELS", default=[])  # that evaluations may load: folders, ID@COMMIT
CHAT_RETENTION_DAYS = env.number("CHAT_RETENTION_DAYS", 0, at_least=0)  # 0: conversations are kept
RECALL_BATCH_ROWS = env.number("RECALL_BATCH_ROWS", 64, at_least=1)
RECALL_WAIT_MS = env.number("RECALL_WAIT_MS", 3, at_least=0)
RECALL_QUEUE = env.number("RECALL_QUEUE", 512, at_least=1)
RECALL_KEPT = env.number("RECALL_KEPT", 2000, at_least=0)
SOURCES_KEPT = env.number("SOURCES_KEPT", 200_000, at_least=0)
SESSION_COOKIE_AGE = env.number("SESSION_HOURS", 168, at_least=1) * 3600

UNFOLD = {
    "SITE_TITLE": "memosite",
    "SITE_HEADER": "memosite",
    "SITE_SUBHEADER": "curators' workbench",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("icon.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
SETTINGS_PROBLEMS = env.problems  # explained by memosite.checks

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {name: {"level": "WARNING"} for name in ("httpx", "openai")},  # they tell of every call
}
