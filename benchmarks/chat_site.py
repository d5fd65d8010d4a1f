"""A site of its own for the load benchmark: database, memory, people, the test EXECUTIVE and web processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
REDIS_DATABASE = 12
EXECUTIVE = "scripted"


@dataclass(frozen=True)
class Seat:
    """A conversation with the cookie of its person and whom its questions are about."""

    conversation: int
    cookie: str
    subject: str


@dataclass
class WebProcess:
    """A web process as the Procfile starts it. ``megabytes`` are (seconds since the start, resident MB)."""

    port: int
    process: subprocess.Popen[bytes]
    megabytes: list[tuple[float, float]] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    def weigh(self, seconds: float) -> None:
        """Take down how much memory the process holds now."""
        import psutil

        if self.process.poll() is None:
            told = psutil.Process(self.process.pid)
            self.megabytes.append((seconds, told.memory_info().rss / 1e6))
            self.cpu_seconds.append(sum(told.cpu_times()[:2]))

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass
class LoadSite:
    """What the benchmark talks to. ``stack`` says which database and channel layer it runs on."""

    stack: str
    web: list[WebProcess]
    seats: list[Seat]
    model_ms: float


@contextmanager
def load_site(folder: Path, *, conversations: int, web: int, model_ms: float) -> Iterator[LoadSite]:
    """Everything that runs, on the stack that DATABASE_URL and REDIS_URL name (SQLite without them)."""
    with ExitStack() as running:
        stack = running.enter_context(_set_up(folder))
        executive = free_port()
        running.enter_context(
            _process(
                [sys.executable, "benchmarks/scripted_executive.py", str(executive), "--ms", str(model_ms)]
            )
        )
        seats = _fill(folder, conversations, f"http://127.0.0.1:{executive}/v1")
        processes = [
            WebProcess(port, running.enter_context(_web(port))) for port in (free_port() for _ in range(web))
        ]
        for port in (executive, *(each.port for each in processes)):
            wait_for(port)
        yield LoadSite(stack, processes, seats, model_ms)


@contextmanager
def _set_up(folder: Path) -> Iterator[str]:
    """Django on an empty database; what the environment says besides stays untouched."""
    database, redis_url = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    is_server = database.startswith("postgres")
    name = f"memosite_load_{os.getpid()}"
    own = database.rsplit("/", 1)[0] + f"/{name}" if is_server else f"sqlite:///{folder / 'load.sqlite3'}"
    if urlsplit(redis_url).path.strip("/"):
        redis_url = f"{redis_url.rsplit('/', 1)[0]}/{REDIS_DATABASE}"
    os.environ.update(
        DJANGO_SETTINGS_MODULE="memosite.settings",
        MEMOSITE_STATE_DIR=str(folder),
        DATABASE_URL=own,
        REDIS_URL=redis_url,
        LOG_LEVEL="WARNING",
    )
    with _database(database, name) if is_server else ExitStack():
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        yield f"{'PostgreSQL' if is_server else 'SQLite'}, {'Redis' if redis_url else 'in-process layer'}"
        connections.close_all()


@contextmanager
def _database(server: str, name: str) -> Iterator[None]:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _fill(folder: Path, conversations: int, executive_url: str) -> list[Seat]:
    """A corpus with a live memory, an EXECUTIVE, and a person with a conversation for each seat."""
    from recall import invented_pairs

    from chat.models import ChatSettings
    from knowledge.models import Corpus
    from memosite.models import Endpoint, EndpointRole
    from training import services as training
    from training.importing import import_folder

    pairs = invented_pairs(300)
    subjects = sorted(
        {pair["question"].split(" of ")[1].rstrip("?") for pair in pairs if " of " in pair["question"]}
    )
    corpus = Corpus.objects.create(slug="load", name="Load")
    version = import_folder(corpus, trained(pairs))
    training.promote(version, reason="For the benchmark")
    endpoint = Endpoint.objects.create(
        name=EXECUTIVE, role=EndpointRole.EXECUTIVE, base_url=executive_url, model="scripted", concurrency=512
    )
    ChatSettings.objects.create(corpus=corpus, executive=endpoint)
    return [_seat(corpus, number, subjects[number % len(subjects)]) for number in range(conversations)]


def trained(pairs: list[dict[str, str]]) -> Path:
    """A MEMORY of these pairs, trained in a process of its own; kept for the next run."""
    import hashlib
    import json
    import tempfile

    digest = hashlib.sha256(json.dumps(pairs).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"memosite-load-memory-{digest}"
    if not (folder / "memory" / "manifest.json").exists():
        program = (
            "import sys; from pathlib import Path; from recall import invented_pairs, train;"
            "train(Path(sys.argv[1]), invented_pairs(300))"
        )
        subprocess.run(
            [sys.executable, "-c", program, str(folder / "memory")], cwd=ROOT / "benchmarks", check=True
        )
    return folder / "memory"


def _seat(corpus: Any, number: int, subject: str) -> Seat:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.sessions.backends.db import SessionStore

    from chat.models import Conversation
    from knowledge.models import Role

    person = get_user_model().objects.create(username=f"person{number}", password="!")
    person.groups.add(corpus.group(Role.READER))
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    conversation = Conversation.objects.create(corpus=corpus, person=person, executive=EXECUTIVE)
    return Seat(conversation.pk, f"{settings.SESSION_COOKIE_NAME}={session.session_key}", subject)


@contextmanager
def _web(port: int) -> Iterator[subprocess.Popen[bytes]]:
    options = ["--host", "127.0.0.1", "--port", str(port), "--lifespan", "off", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", "memosite.asgi:application", *options]
    with _process(command) as process:
        yield process


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, seconds: float = 60) -> None:
    """Return once somebody listens there."""
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise SystemExit(f"Nothing listens on port {port}.") from None
            time.sleep(0.1)
