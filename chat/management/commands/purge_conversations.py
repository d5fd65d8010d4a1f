"""python manage.py purge_conversations: delete the conversations that are not kept any longer."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from chat.retention import expired, purge


class Command(BaseCommand):
    help = "Delete conversations that are kept no longer. The worker does so every hour by itself."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be deleted, delete nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        is_trial = options["dry_run"]
        found = Counter(expired().values_list("corpus__slug", flat=True)) if is_trial else purge()
        for slug, number in sorted(found.items()):
            self.stdout.write(f"{slug}: {number}")
        deed = "would be deleted" if is_trial else "deleted"
        self.stdout.write(f"{found.total()} conversation{'' if found.total() == 1 else 's'} {deed}.")
