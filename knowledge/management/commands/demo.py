"""python manage.py demo: two users, and a corpus that is read, trained and taken live by the worker."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.core.management.base import BaseCommand
from django.db import transaction

from knowledge import demo
from knowledge.models import Corpus, Role
from knowledge.services import ingest_file, start_generation
from memosite.errors import MemoError

FOLDER = Path(demo.__file__).parent / "documents"
SLUG = "demo"
ROLES = {"curator": Role.OWNER, "employee": Role.READER}


class Command(BaseCommand):
    help = "Make the demo: users curator and employee, and a corpus that goes live. Makes nothing twice."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            corpus, is_new = Corpus.objects.get_or_create(slug=SLUG, defaults=demo.CORPUS)
            passwords = {name: password for name in ROLES if (password := make_user(name, corpus))}
            if is_new:
                add_documents(corpus)
        if is_new:
            owner = get_user_model().objects.get(username="curator")
            start_generation(corpus, owner, go_live=True)
        for name, password in passwords.items():
            self.stdout.write(f"User {name:<9} password {password}   (shown only now)")
        if not is_new and not passwords:
            self.stdout.write("The demo is here already.")


def make_user(name: str, corpus: Corpus) -> str:
    """Make a demo user and return the password; empty if there is one of that name already."""
    user_model: type[AbstractUser] = get_user_model()
    person, is_new = user_model.objects.get_or_create(username=name)
    if not is_new:
        return ""
    password = secrets.token_urlsafe(9)
    person.set_password(password)
    person.is_staff = person.is_superuser = ROLES[name] == Role.OWNER
    person.save()
    person.groups.add(corpus.group(ROLES[name]))
    return password


def add_documents(corpus: Corpus) -> None:
    """Load the demo's files; one that is refused is a defect of the demo."""
    for path in sorted(FOLDER.iterdir()):
        result = ingest_file(corpus, path.name, path.read_bytes())
        if result.is_refused:
            raise MemoError(result.message)
