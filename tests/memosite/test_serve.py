"""The start command: a taken port is told, and the process runner gets what it needs."""

from __future__ import annotations

import socket

import pytest
from django.core.management.base import CommandError

from memosite.management.commands.serve import require_free_port


def test_a_taken_port_gets_a_clear_message_with_the_remedy():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"Port {port} .* is taken .* make run PORT={port + 1}"):
            require_free_port("127.0.0.1", port)


def test_a_free_port_passes():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    require_free_port("127.0.0.1", port)
