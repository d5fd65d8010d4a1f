"""python manage.py sweep_memories: remove what nothing refers to below the memory folder."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand
from django.template.defaultfilters import filesizeformat

from training.registry import UNSWEPT_HOURS, leftovers, sweep


class Command(BaseCommand):
    help = "Remove what crashes, cancelled runs and deleted versions left below the memory folder."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be removed")
        parser.add_argument(
            "--older-than",
            type=float,
            default=UNSWEPT_HOURS,
            metavar="HOURS",
            help=f"leave what was changed within so many hours (default: {UNSWEPT_HOURS:g})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        total = 0
        for leftover in leftovers(options["older_than"]):
            self.stdout.write(f"{leftover.path.name}: {filesizeformat(leftover.size_bytes)}")
            total += leftover.size_bytes
            if not options["dry_run"]:
                sweep(leftover)
        done = "would be free" if options["dry_run"] else "freed"
        self.stdout.write(f"{filesizeformat(total)} {done}.")
