"""The address that tells whether a web process can do its work."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from memosite import health


@pytest.mark.django_db
def test_a_process_whose_database_answers_is_well(client: Client):
    answer = client.get(reverse("health"))
    assert answer.status_code == 200
    assert answer.json()["database"] == "ok"
    assert "no-store" in answer["Cache-Control"]


def test_a_database_that_does_not_answer_is_told_without_saying_why(client: Client, monkeypatch, caplog):
    def refuse() -> NoReturn:
        raise OperationalError("password of memosite is wrong")

    monkeypatch.setattr(health, "_ask_database", refuse)
    answer = client.get(reverse("health"))
    assert answer.status_code == 503
    assert answer.json()["database"] == "does not answer"
    assert b"password" not in answer.content
    assert "password of memosite is wrong" in caplog.text


def test_a_redis_that_does_not_answer_is_told(client: Client, monkeypatch, settings):
    monkeypatch.setattr(health, "_ask_database", lambda: None)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get(reverse("health"))
    assert answer.status_code == 503
    assert answer.json() == {"database": "ok", "redis": "does not answer"}
