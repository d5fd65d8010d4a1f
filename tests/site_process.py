"""A site of its own in real processes: its own folder, database, broker and workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from tests.once import made_once

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 120
SQLITE = "site.sqlite3"


#: Runs a command of the site for each line it reads, in a process that is forked for it: to start Python and load
#: the site takes seconds each time. A line names the arguments, and the files for what the command prints.
SERVANT = """
import json, os, sys, traceback
import django
from django.core.management import execute_from_command_line
django.setup()
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if child == 0:
        for number, path in ((1, asked["stdout"]), (2, asked["stderr"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        code = 0
        try:
            execute_from_command_line(["manage.py", *asked["arguments"]])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Site:
    """A site whose commands and workers are processes; it uses the database and broker that the suite uses."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, lease_seconds: int) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "MEMOSITE_STATE_DIR": str(folder),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "RUN_LEASE_SECONDS": str(lease_seconds),
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "memosite.settings",
        }
        self._servant: subprocess.Popen[str] | None = None

    def manage(self, *arguments: str) -> str:
        """Run a command in a process of its own; what it printed. It has to succeed."""
        servant = self._servant or self._employ()
        printed = {name: str(self.folder / name) for name in ("stdout", "stderr")}
        assert servant.stdin
        assert servant.stdout
        servant.stdin.write(json.dumps({"arguments": arguments, **printed}) + "\n")
        servant.stdin.flush()
        code = servant.stdout.readline().strip()
        told = {name: Path(path).read_text() for name, path in printed.items()}
        assert code == "0", told["stdout"] + told["stderr"]
        return told["stdout"]

    def manage_all(self, *commands: Sequence[str]) -> None:
        """Several commands, one after the other."""
        for command in commands:
            self.manage(*command)

    def _employ(self) -> subprocess.Popen[str]:
        self._servant = subprocess.Popen(
            [sys.executable, "-c", SERVANT],
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self._servant

    def close(self) -> None:
        if self._servant is not None:
            self._servant.kill()
            self._servant.communicate()

    def query(self, expression: str) -> Any:
        """The JSON value of a Python expression over the models, evaluated in a process of the site."""
        program = (
            "import json; from knowledge.models import *; from training.models import *;"
            f"print('VALUE', json.dumps({expression}))"
        )
        output = self.manage("shell", "--no-imports", "-c", program)
        line = next(line for line in output.splitlines() if line.startswith("VALUE "))
        return json.loads(line.removeprefix("VALUE "))

    def newest(self, table: str, *columns: str) -> tuple[Any, ...]:
        """The newest row of a table, read over a connection of its own: quick enough to catch a run at work."""
        with self._connect() as connection:
            found = connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id DESC LIMIT 1")
            return tuple(found.fetchone())

    def count(self, table: str) -> int:
        """How many rows a table has."""
        with self._connect() as connection:
            return connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]

    @contextmanager
    def _connect(self) -> Iterator[Any]:
        url = self.environment["DATABASE_URL"]
        connection = (
            sqlite3.connect(url.removeprefix("sqlite:///")) if "sqlite" in url else psycopg.connect(url)
        )
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def worker(self, app: str = "memosite") -> Iterator[subprocess.Popen[bytes]]:
        """A Celery worker as ``make run`` starts it; it is killed on leaving if it still lives."""
        options = ["worker", "--pool", "threads", "--concurrency", "2", "--loglevel", "WARNING"]
        command = [sys.executable, "-m", "celery", "-A", app, *options]
        process = subprocess.Popen(command, cwd=ROOT, env=self.environment)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


@contextmanager
def site(folders: pytest.TempPathFactory, *, lease_seconds: int = 2) -> Iterator[Site]:
    """Make a migrated site in a folder of its own, on PostgreSQL and Redis if the suite runs on them."""
    folder = folders.mktemp("site")
    with _database(folder, folders) as url:
        redis_url = settings.REDIS_URL and f"{settings.REDIS_URL.rsplit('/', 1)[0]}/{_redis_database()}"
        if redis_url:
            import redis

            with redis.Redis.from_url(redis_url) as connection:
                connection.flushdb()
        made = Site(folder, url, redis_url, lease_seconds)
        try:
            yield made
        finally:
            made.close()


def _redis_database() -> int:
    """A database of Redis for this process of the suite alone: another one's site would take its messages."""
    process = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return 15 - int(process) % 8


def _migrate(folder: Path, url: str) -> None:
    made = Site(folder, url, redis_url="", lease_seconds=2)
    made.manage("migrate", "--verbosity", "0")
    made.close()


@contextmanager
def _database(folder: Path, folders: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a migrated database: on SQLite a copy, because to migrate takes a quarter of a minute."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        migrated = made_once(folders, "migrated", lambda made: _migrate(made, _sqlite_in(made)))
        shutil.copy(migrated / SQLITE, folder / SQLITE)
        yield _sqlite_in(folder)
        return
    name = f"memosite_{uuid.uuid4().hex[:12]}"
    login = f"{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT'] or 5432}"
    with psycopg.connect(f"postgres://{login}/postgres", autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            url = f"postgres://{login}/{name}"
            _migrate(folder, url)
            yield url
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def wait_until(condition: Callable[[], bool], *, every: float = 0.05) -> None:
    """Look again and again until the condition holds; fails after ``PATIENCE_SECONDS``."""
    pause, deadline = threading.Event(), time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        pause.wait(every)


def _sqlite_in(folder: Path) -> str:
    return f"sqlite:///{folder / SQLITE}"
