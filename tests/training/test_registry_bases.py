"""The bases in the workbench."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from knowledge.models import Role
from tests.factories import CorpusFactory, MemoryVersionFactory
from tests.workbench import browser_of, make_person
from training.models import BaseModel

pytestmark = pytest.mark.django_db
ADD, LIST = "/admin/training/basemodel/add/", "/admin/training/basemodel/"
GOOD = {
    "name": "SmolLM2 135M",
    "source": "hub",
    "location": "HuggingFaceTB/SmolLM2-135M-Instruct",
    "licence": "apache-2.0",
    "is_offered": "on",
}


@pytest.fixture
def desk() -> Client:
    return browser_of(make_person("root", is_superuser=True))


def test_an_administrator_adds_a_base_from_the_hub(desk):
    desk.post(ADD, GOOD)
    base = BaseModel.objects.get(name="SmolLM2 135M")
    assert (base.licence, base.is_offered, base.revision) == ("apache-2.0", True, "")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"location": "not an id"}, "The id of a repository on the hub is expected"),
        ({"revision": "main"}, "The 40 characters of a commit"),
        ({"source": "built-in", "location": "huge"}, "A built-in base is small, medium, large"),
        ({"source": "folder", "location": "/nowhere/at/all"}, "is not a folder"),
        ({"licence": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_trained_from_is_refused_with_the_reason(desk, changes, told):
    page = desk.post(ADD, GOOD | changes).content.decode()
    assert told in page
    assert not BaseModel.objects.filter(name="SmolLM2 135M").exists()


def test_a_folder_is_looked_at_before_it_is_a_base(desk, tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    page = desk.post(ADD, GOOD | {"source": "folder", "location": str(tmp_path)}).content.decode()
    assert "could run code" in page


def test_whether_a_base_is_offered_is_switched_in_the_list(desk):
    rows = list(BaseModel.objects.all())
    data: dict[str, Any] = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "Save"}
    data |= {f"form-{place}-id": row.pk for place, row in enumerate(desk.get(LIST).context["cl"].result_list)}
    desk.post(LIST, data)
    assert not BaseModel.objects.filter(is_offered=True).exists()


def test_what_a_base_is_stays_once_something_was_trained_from_it(desk):
    base = BaseModel.objects.get(location="Qwen/Qwen2.5-0.5B-Instruct")
    MemoryVersionFactory(base_model=base)
    address = reverse("admin:training_basemodel_change", args=[base.pk])
    desk.post(address, {"name": "Qwen, small", "location": "other/model", "notes": "Good for a start"})
    base.refresh_from_db()
    assert (base.name, base.location, base.notes) == (
        "Qwen, small",
        "Qwen/Qwen2.5-0.5B-Instruct",
        "Good for a start",
    )
    assert (
        desk.post(reverse("admin:training_basemodel_delete", args=[base.pk]), {"post": "yes"}).status_code
        == 403
    )


def test_staff_may_not_change_what_the_whole_site_trains_from_whatever_they_own():
    person = make_person("olga", CorpusFactory(), Role.OWNER)
    person.user_permissions.set(Permission.objects.all())
    assert browser_of(person).get(LIST).status_code == 403
    assert browser_of(person).post(ADD, GOOD).status_code == 403
