"""Every page names the site's icon, so that no browser asks for a /favicon.ico that is not there."""

from __future__ import annotations

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.defaults import server_error

from tests.workbench import browser_of, make_person

ICON = "/static/icon.svg"


def icons_of(page: bytes) -> list[str]:
    links = re.findall(r"<link [^>]*>", page.decode())
    return [re.search(r'href="([^"]*)"', link)[1] for link in links if 'rel="icon"' in link]  # type: ignore[index]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["home", "admin:index", "admin:knowledge_corpus_changelist"])
def test_pages_and_admin_name_the_icon(name: str) -> None:
    root = browser_of(make_person("root", is_superuser=True))
    assert icons_of(root.get(reverse(name)).content) == [ICON]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["login", "admin:login"])
def test_both_logins_name_the_icon(client: Client, name: str) -> None:
    assert icons_of(client.get(reverse(name)).content) == [ICON]


def test_an_internal_error_names_the_icon(rf: RequestFactory) -> None:
    assert icons_of(server_error(rf.get("/")).content) == [ICON]


def test_the_icon_is_there() -> None:
    assert finders.find("icon.svg")
