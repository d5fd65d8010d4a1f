"""Settings from the environment: a wrong value is explained, and its default stands in."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks

from memosite.environment import Environment


@pytest.fixture
def environment(monkeypatch):
    def with_values(**values: str) -> Environment:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return Environment()

    return with_values


@pytest.mark.parametrize("given", ["many", "", "0", "-3", "1.5"])
def test_a_number_that_is_none_or_too_small_is_explained(environment, given):
    read = environment(LIMIT=given)
    assert read.number("LIMIT", 7, at_least=1) == 7
    assert "whole number of at least 1" in read.problems["LIMIT"]


def test_a_good_number_is_taken(environment):
    read = environment(LIMIT="12")
    assert read.number("LIMIT", 7, at_least=1) == 12
    assert read.problems == {}


@pytest.mark.parametrize(
    ("given", "expected"), [("yes", True), ("1", True), ("off", False), ("False", False)]
)
def test_a_switch_reads_the_usual_words(environment, given, expected):
    assert environment(FLAG=given).switch("FLAG", False) is expected


def test_a_switch_that_is_neither_on_nor_off_is_explained(environment):
    read = environment(FLAG="perhaps")
    read.switch("FLAG", False)
    assert "true or false" in read.problems["FLAG"]


@pytest.mark.parametrize("given", ["mysql://root@localhost/x", "not an address"])
def test_a_database_that_is_not_supported_is_explained(environment, given):
    read = environment(DATABASE_URL=given)
    assert read.database("DATABASE_URL", "sqlite:///x.sqlite3")["ENGINE"].endswith("sqlite3")
    assert "postgres://" in read.problems["DATABASE_URL"]


@pytest.mark.parametrize("given", ["", " "])
def test_an_empty_database_address_is_as_good_as_none(environment, given):
    read = environment(DATABASE_URL=given)
    assert read.database("DATABASE_URL", "sqlite:///x.sqlite3")["NAME"] == "x.sqlite3"
    assert not read.problems


def test_redis_needs_a_redis_address(environment):
    read = environment(REDIS_URL="localhost:6379")
    assert read.redis("REDIS_URL") == ""
    assert "redis://" in read.problems["REDIS_URL"]


def test_the_check_command_tells_every_problem(settings):
    settings.SETTINGS_PROBLEMS = {
        "PORT": "is 'x'; a whole number of at least 1 is expected.",
        "DEBUG": "is 'maybe'",
    }
    messages = [str(message) for message in run_checks() if message.id == "memosite.E003"]
    assert len(messages) == 2
    assert any("PORT is 'x'" in message for message in messages)


def test_a_short_secret_key_is_refused_by_the_check(settings):
    settings.SECRET_KEY = "short"
    assert "memosite.E002" in [message.id for message in run_checks()]
