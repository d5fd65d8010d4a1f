"""What the owners of a corpus decide about its chat: on their page, in the workbench and by REST."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from chat.choosing import choices_for
from chat.corpus_settings import decide, settings_of
from chat.models import ChatSettings
from knowledge.models import Corpus
from memosite.errors import NotAllowed
from tests.chat.test_retention import conversation_of
from tests.factories import (
    ChatSettingsFactory,
    CorpusFactory,
    EndpointFactory,
    UserFactory,
    executive_endpoint,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="handbook", name="Handbook")


@pytest.fixture
def owner(corpus: Corpus) -> Client:
    client = Client(headers={"referer": "http://testserver/"})
    client.force_login(UserFactory(owns=corpus))
    return client


@pytest.fixture
def api(corpus: Corpus) -> APIClient:
    client = APIClient()
    client.force_authenticate(UserFactory(owns=corpus))
    return client


def address(corpus: Corpus) -> str:
    return reverse("chat-settings", args=[corpus.slug])


def names(corpus: Corpus) -> list[str]:
    return [choice.name for choice in choices_for([corpus])]


# --- The page ----------------------------------------------------------------------------------------------
def test_an_owner_decides_who_leads_who_may_be_chosen_and_how_long_questions_are_kept(corpus, owner):
    gpt, llama = executive_endpoint("gpt"), executive_endpoint("llama")
    form = {"executive": gpt.pk, "choices": [llama.pk], "retention_days": "30"}
    assert owner.post(address(corpus), form).url == address(corpus)
    row = ChatSettings.objects.get()
    assert (row.corpus, row.executive, row.may_choose_rules, row.retention_days) == (corpus, gpt, False, 30)
    assert names(corpus) == ["gpt", "llama"]


def test_the_page_shows_what_was_decided_and_where_each_executive_is(corpus, owner):
    ChatSettingsFactory(corpus=corpus, executive="gpt", retention_days=30)
    page = owner.get(address(corpus)).content.decode()
    assert "gpt (test-model at 127.0.0.1)" in page
    assert 'value="30"' in page


def test_looking_at_the_page_stores_nothing(corpus, owner):
    assert "No other EXECUTIVE is set up" in owner.get(address(corpus)).content.decode()
    assert not ChatSettings.objects.exists()


def test_a_form_without_executives_keeps_whether_the_built_in_one_may_be_chosen(corpus, owner):
    ChatSettingsFactory(corpus=corpus, may_choose_rules=False)
    assert 'name="may_choose_rules" value=""' in owner.get(address(corpus)).content.decode()
    owner.post(address(corpus), {"may_choose_rules": "", "retention_days": ""})
    assert ChatSettings.objects.get().may_choose_rules is False


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("retention_days", "0", "greater than or equal to 1"),
        ("retention_days", "4000", "less than or equal to 3650"),
        ("executive", "4711", "Select a valid choice"),
        ("choices", "4711", "Select a valid choice"),
    ],
)
def test_a_bad_value_is_told_at_its_field_and_nothing_is_stored(corpus, owner, field, value, told):
    executive_endpoint("gpt")
    refused = owner.post(address(corpus), {field: value})
    assert refused.status_code == 422
    assert told in refused.content.decode()
    assert not ChatSettings.objects.exists()


def test_the_endpoint_of_another_role_cannot_lead(corpus, owner):
    generator = EndpointFactory()
    assert owner.post(address(corpus), {"executive": generator.pk}).status_code == 422


def test_the_site_s_number_of_days_is_told_where_the_owners_give_none(corpus, owner, settings):
    settings.CHAT_RETENTION_DAYS = 90
    assert "after 90 days, as the site is set" in owner.get(address(corpus)).content.decode()


def test_an_owner_is_told_how_many_conversations_a_shorter_time_deletes(corpus, owner):
    conversation_of(corpus, days=31)
    conversation_of(CorpusFactory(), days=31)
    page = owner.post(address(corpus), {"retention_days": "30"}, follow=True).content.decode()
    assert "One conversation is older than that and will be deleted within the hour" in page


def test_the_corpus_page_leads_owners_to_the_settings_and_nobody_else(corpus, owner, client):
    assert address(corpus) in owner.get(corpus.get_absolute_url()).content.decode()
    client.force_login(UserFactory(curates=corpus))
    assert address(corpus) not in client.get(corpus.get_absolute_url()).content.decode()


# --- The service, REST and the workbench -------------------------------------------------------------------
def test_only_an_owner_decides(corpus):
    with pytest.raises(NotAllowed):
        decide(corpus, UserFactory(curates=corpus), retention_days=1)


def test_what_is_not_given_stays(corpus):
    owner = UserFactory(owns=corpus)
    decide(corpus, owner, executive=executive_endpoint("gpt"), choices=[executive_endpoint("llama")])
    decide(corpus, owner, retention_days=30)
    row = settings_of(corpus)
    assert (str(row.executive), [str(each) for each in row.choices.all()]) == ("gpt", ["llama"])


def test_rest_reads_the_defaults_and_changes_what_is_sent(api):
    executive_endpoint("gpt")
    path = "/api/corpora/handbook/chat-settings/"
    assert api.get(path).json() == {
        "executive": None,
        "choices": [],
        "may_choose_rules": True,
        "retention_days": None,
    }
    sent: dict[str, Any] = {"executive": "gpt", "choices": ["gpt"], "retention_days": 30}
    changed = api.patch(path, sent, format="json").json()
    assert changed == {**sent, "may_choose_rules": True}
    assert api.patch(path, {"executive": None}, format="json").json() == {**changed, "executive": None}


@pytest.mark.parametrize("sent", [{"executive": "llama"}, {"choices": ["llama"]}, {"retention_days": 0}])
def test_rest_refuses_what_is_not_valid_and_changes_nothing(api, sent):
    refused = api.patch("/api/corpora/handbook/chat-settings/", sent, format="json")
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == list(sent)
    assert not ChatSettings.objects.exists()


def test_an_administrator_sees_and_changes_them_in_the_workbench(corpus, client):
    row = ChatSettingsFactory(corpus=corpus, executive="gpt")
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    listed = client.get(reverse("admin:chat_chatsettings_changelist")).content.decode()
    assert "Handbook" in listed
    page = reverse("admin:chat_chatsettings_change", args=[row.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"corpus": corpus.pk, "retention_days": "7"}).status_code == 302
    assert ChatSettings.objects.get().retention_days == 7


def test_owners_do_not_see_them_in_the_workbench(corpus, client):
    client.force_login(UserFactory(is_staff=True, owns=corpus))
    assert client.get(reverse("admin:chat_chatsettings_changelist")).status_code in (302, 403)
