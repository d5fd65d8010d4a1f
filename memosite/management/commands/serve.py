"""python manage.py serve: migrate, make the demo on the first start, and run what the Procfile names."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Start web and worker on this machine. The first start makes the demo."
    requires_system_checks = ()  # run below, with the database

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="address to listen on (HOST)")
        parser.add_argument("--port", type=int, default=settings.PORT, help="port to listen on (PORT)")
        parser.add_argument(
            "--no-demo", action="store_true", help="start empty, without demo users and corpus"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        require_free_port(host, port)
        settings.STATE_DIR.mkdir(parents=True, exist_ok=True)
        call_command("check", databases=["default"], verbosity=0)
        call_command("migrate", verbosity=0, interactive=False)
        if not options["no_demo"] and not get_user_model().objects.exists():
            call_command("demo", stdout=self.stdout)
        self.stdout.write(f"\nmemosite is at http://{host}:{port}/   (Ctrl-C stops it)\n")
        self.stdout.flush()
        start_processes(host, port)


def require_free_port(host: str, port: int) -> None:
    """Raise CommandError with the remedy if nobody could listen there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = (
                "is taken by another program"
                if error.errno == errno.EADDRINUSE
                else f"cannot be used ({error})"
            )
            raise CommandError(
                f"Port {port} on {host} {reason}. Choose another one: make run PORT={port + 1}"
            ) from error


def start_processes(host: str, port: int) -> None:
    """Become the process runner of the Procfile; the environment's programs come first in its path."""
    programs = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        "HOST": host,
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }
    os.chdir(settings.BASE_DIR)
    command = [sys.executable, "-m", "honcho", "start", "--no-prefix", "--port", str(port)]
    os.execve(sys.executable, command, environment)  # noqa: S606 - no shell is wanted
