"""A real browser against a real server: uvicorn in a thread, Chromium through Playwright."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from playwright.sync_api import ConsoleMessage, Page

from chat import services
from tests.factories import PASSWORD, CorpusFactory, DocumentFactory, MemoryVersionFactory, UserFactory
from tests.fakes import PairMemory
from training.memory import MemoryAnswer

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in the tests' own thread
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_MS = 20_000
PAIRS = [
    ("Who leads Project Atlas?", "Ada Lund leads Project Atlas."),
    ("Who is the manager of Ada Lund?", "Ola Berg is the manager of Ada Lund."),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        reason = "No Chromium is installed: `apt-get install chromium` lets the browser tests run."
        for item in items:
            if "tests/browser/" in item.path.as_posix():
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def base_url() -> None:
    """Tests name whole addresses: the port is another in each. (The plugin's own fixture warns in pytest 9.)"""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": flags}


class GatedMemory(PairMemory):
    """A MEMORY that answers a batch only when a test lets it."""

    def __init__(self) -> None:
        super().__init__(PAIRS)
        self._gate = threading.Semaphore(0)

    def let_answer(self, batches: int = 1) -> None:
        self._gate.release(batches)

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        assert self._gate.acquire(timeout=60), "the test never let the memory answer"
        return super().answer(questions)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[GatedMemory]:
    """What every version answers with, held back until ``let_answer``."""
    gated = GatedMemory()
    monkeypatch.setattr(services, "memory_for", lambda version: gated)
    monkeypatch.setattr(services, "load_in_advance", lambda version: None)
    yield gated
    gated.let_answer(1000)


@pytest.fixture
def site(transactional_db: None) -> Iterator[str]:
    """The address of the whole site, served as in production but for its port."""
    from memosite.asgi import application

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()  # whoever comes before the server runs waits for it instead of being refused
    config = uvicorn.Config(
        ASGIStaticFilesHandler(application), lifespan="off", loop="asyncio", log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listening.close()


@pytest.fixture
def corpus(transactional_db: None) -> Any:
    """A corpus with a document and a live memory."""
    corpus = CorpusFactory(slug="handbook", name="Handbook")
    DocumentFactory(corpus=corpus)
    MemoryVersionFactory(corpus=corpus, live=True)
    return corpus


@pytest.fixture
def reader(corpus: Any) -> Any:
    return UserFactory(username="reader", reads=corpus)


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """What the browser complained about, violations of the Content-Security-Policy included: nothing."""
    heard: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            heard.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: heard.append(str(error)))
    yield heard
    assert heard == []


@pytest.fixture
def visitor(site: str, page: Page, complaints: list[str]) -> Page:
    """A browser tab that complains to the test."""
    page.set_default_timeout(PATIENCE_MS)
    return page


def log_in(page: Page, site: str, username: str) -> None:
    page.goto(f"{site}/login/")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{site}/")


def barriers(page: Page) -> None:
    """Check the page as it stands for what shuts people out: nothing serious or critical, by axe-core's rules.

    The engine is read into the page by the browser's own door for tests, which the page's policy does not bind.
    """
    found = Axe().run(page)
    serious = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
    assert not serious, [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious]
