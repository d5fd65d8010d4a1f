"""The whole site behind a real port: uvicorn in a thread, over the test's own database."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


@contextmanager
def served() -> Iterator[str]:
    """The address of the site, served as in production but for its port. Needs ``transactional_db``."""
    from memosite.asgi import application

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()  # whoever comes before the server runs waits for it instead of being refused
    config = uvicorn.Config(application, lifespan="off", loop="asyncio", log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()
