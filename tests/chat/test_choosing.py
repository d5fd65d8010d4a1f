"""Which EXECUTIVE leads a conversation, and which ones its person may choose."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from rest_framework.test import APIClient

from chat import choosing, services
from chat.choosing import ExecutiveNotAllowed
from chat.models import Conversation
from knowledge.models import Corpus
from memosite.errors import NotAllowed
from memosite.models import Endpoint, EndpointRole
from tests.factories import (
    ChatSettingsFactory,
    ConversationFactory,
    CorpusFactory,
    MemoryVersionFactory,
    TurnFactory,
    UserFactory,
)
from tests.fakes import PairMemory

pytestmark = pytest.mark.django_db
QUESTION = "Who leads Project Atlas?"


@pytest.fixture
def corpus() -> Corpus:
    return MemoryVersionFactory(corpus=CorpusFactory(slug="handbook"), live=True).corpus


@pytest.fixture
def conversation(corpus: Corpus) -> Conversation:
    return ConversationFactory(corpus=corpus)


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    known = PairMemory([(QUESTION, "Ada Lund leads Project Atlas.")])
    monkeypatch.setattr(services, "memory_for", lambda version: known)


def names(*corpora: Corpus) -> list[str]:
    return [choice.name for choice in choosing.choices_for(corpora)]


def test_without_settings_the_built_in_executive_leads_and_there_is_no_other(corpus, conversation):
    assert names(corpus) == ["rules"]
    assert choosing.executive_for(conversation) == "rules"


def test_the_default_of_the_corpus_leads_and_comes_first(corpus, conversation):
    ChatSettingsFactory(corpus=corpus, executive="gpt", choices=["alpaca"])
    assert names(corpus) == ["gpt", "alpaca", "rules"]
    assert [choice.is_default for choice in choosing.choices_for([corpus])] == [True, False, False]
    assert services.start_turn(conversation, QUESTION, conversation.person).executive == "gpt"


def test_the_built_in_executive_is_no_choice_where_the_owners_say_so(corpus):
    ChatSettingsFactory(corpus=corpus, executive="gpt", may_choose_rules=False)
    assert names(corpus) == ["gpt"]


def test_the_built_in_executive_leads_where_nothing_else_is_set_whatever_may_be_chosen(corpus):
    ChatSettingsFactory(corpus=corpus, choices=["gpt"], may_choose_rules=False)
    assert names(corpus) == ["rules", "gpt"]


def test_several_corpora_are_asked_only_by_what_the_owners_of_all_allow():
    ships, towns, rivers = CorpusFactory(), CorpusFactory(), CorpusFactory()
    ChatSettingsFactory(corpus=ships, executive="gpt", choices=["llama"])
    ChatSettingsFactory(corpus=towns, executive="llama")
    assert names(ships, towns) == ["rules", "llama"]
    assert names(towns, ships) == ["llama", "rules"], "the first corpus's default leads where all allow it"
    assert names(ships, towns, rivers) == ["rules"]


def test_corpora_that_agree_on_nothing_are_asked_by_the_built_in_executive_which_sends_nothing():
    ships, towns = CorpusFactory(), CorpusFactory()
    ChatSettingsFactory(corpus=ships, executive="gpt", may_choose_rules=False)
    ChatSettingsFactory(corpus=towns, executive="llama", may_choose_rules=False)
    assert names(ships, towns) == ["rules"]


def test_what_the_live_version_also_learned_from_counts_with_its_own_owners():
    ships, secrets = CorpusFactory(), CorpusFactory()
    MemoryVersionFactory(corpus=ships, corpora=[secrets], live=True)
    ChatSettingsFactory(corpus=ships, executive="gpt", choices=["llama"])
    assert names(ships) == ["rules"]
    ChatSettingsFactory(corpus=secrets, choices=["llama"])
    assert names(ships) == ["rules", "llama"]


def test_a_version_that_is_tried_counts_with_what_it_learned_from(corpus):
    secrets = CorpusFactory()
    MemoryVersionFactory(corpus=corpus, number=7, corpora=[secrets])
    ChatSettingsFactory(corpus=corpus, executive="gpt")
    curator = UserFactory(curates=corpus)
    curator.groups.add(secrets.reader_group)
    turn = TurnFactory(
        conversation=ConversationFactory(corpus=corpus, person=curator), status="answered", executive="gpt"
    )
    again = services.ask_again(turn.conversation, turn.pk, services.Changes(version=7), curator)
    assert again.executive == "rules"
    again.delete()
    with pytest.raises(ExecutiveNotAllowed):
        changes = services.Changes(executive="gpt", version=7)
        services.ask_again(turn.conversation, turn.pk, changes, curator)


def test_what_was_answered_before_counts_because_a_follow_up_tells_of_it(corpus, conversation):
    ChatSettingsFactory(corpus=corpus, executive="gpt")
    closed = MemoryVersionFactory(corpus=corpus, corpora=[CorpusFactory()])
    assert choosing.executive_for(conversation) == "gpt"
    TurnFactory(conversation=conversation, version=closed, status="answered").versions.add(closed)
    assert choosing.executive_for(conversation) == "rules"
    assert [choice.name for choice in choosing.choices_in(conversation)] == ["rules"]
    with pytest.raises(ExecutiveNotAllowed):
        choosing.choose(conversation, "gpt", conversation.person)


def test_an_endpoint_that_was_given_another_role_leads_nothing(corpus, conversation):
    ChatSettingsFactory(corpus=corpus, executive="gpt", choices=["llama"])
    Endpoint.objects.update(role=EndpointRole.GENERATOR)
    assert names(corpus) == ["rules"]
    assert choosing.executive_for(conversation) == "rules"


def test_a_conversation_is_led_by_what_its_person_chose_for_as_long_as_it_is_allowed(corpus, conversation):
    allowed = ChatSettingsFactory(corpus=corpus, executive="gpt", choices=["llama"])
    choosing.choose(conversation, "llama", conversation.person)
    assert choosing.executive_for(Conversation.objects.get()) == "llama"
    allowed.choices.clear()
    assert choosing.executive_for(Conversation.objects.get()) == "gpt"


def test_an_empty_choice_goes_back_to_the_default_of_the_corpus(corpus, conversation):
    ChatSettingsFactory(corpus=corpus, executive="gpt")
    choosing.choose(conversation, "rules", conversation.person)
    choosing.choose(conversation, "", conversation.person)
    assert choosing.executive_for(Conversation.objects.get()) == "gpt"


def test_what_is_not_allowed_is_refused_with_what_is_and_changes_nothing(corpus, conversation):
    ChatSettingsFactory(corpus=corpus, executive="gpt")
    ChatSettingsFactory(executive="llama")  # of another corpus
    with pytest.raises(ExecutiveNotAllowed, match=r"“llama” may not lead .* one of: gpt, rules"):
        choosing.choose(conversation, "llama", conversation.person)
    assert Conversation.objects.get().executive == ""


def test_who_may_no_longer_read_the_corpus_chooses_nothing(corpus, conversation):
    with pytest.raises(NotAllowed):
        choosing.choose(conversation, "rules", UserFactory())


def test_a_question_is_asked_again_only_of_an_executive_that_is_allowed(corpus, conversation):
    ChatSettingsFactory(corpus=corpus, choices=["gpt"])
    turn = TurnFactory(conversation=conversation, status="answered")
    with pytest.raises(ExecutiveNotAllowed):
        services.ask_again(conversation, turn.pk, services.Changes(executive="llama"), conversation.person)
    again = services.ask_again(conversation, turn.pk, services.Changes(executive="gpt"), conversation.person)
    assert again.executive == "gpt"
    assert conversation.turns.count() == 2


def test_the_page_chooses_and_answers_htmx_without_a_body(corpus, conversation, client):
    ChatSettingsFactory(corpus=corpus, choices=["gpt"])
    client.force_login(conversation.person)
    address = reverse("choose-executive", args=[conversation.pk])
    assert client.post(address, {"executive": "gpt"}).url == conversation.get_absolute_url()
    assert client.post(address, {"executive": "rules"}, headers={"hx-request": "true"}).status_code == 204
    assert Conversation.objects.get().executive == "rules"


# --- REST and the command line -----------------------------------------------------------------------------
def api(person: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(person)
    return client


def test_rest_lists_the_choices_of_one_corpus_and_of_several(corpus, conversation):
    ChatSettingsFactory(corpus=corpus, executive="gpt")
    other = CorpusFactory(slug="other")
    conversation.person.groups.add(other.reader_group)
    client = api(conversation.person)
    address = "/api/corpora/handbook/executives/"
    assert client.get(address).json() == [
        {"name": "gpt", "label": "gpt (test-model)", "is_default": True},
        {"name": "rules", "label": "Built-in rules", "is_default": False},
    ]
    assert [each["name"] for each in client.get(f"{address}?also=other").json()] == ["rules"]


def test_rest_asks_with_a_chosen_executive_and_keeps_it_for_the_conversation(corpus):
    ChatSettingsFactory(corpus=corpus, executive="gpt")
    client = api(UserFactory(reads=corpus))
    asked = {"question": QUESTION, "executive": "rules"}
    turn = client.post("/api/corpora/handbook/ask/", asked, format="json").json()
    assert (turn["executive"], turn["known"]) == ("rules", True)
    assert client.get(f"/api/conversations/{turn['conversation']}/").json()["executive"] == "rules"


def test_rest_refuses_an_executive_that_is_not_allowed_and_opens_no_conversation(corpus):
    client = api(UserFactory(reads=corpus))
    asked = {"question": QUESTION, "executive": "gpt"}
    refused = client.post("/api/corpora/handbook/ask/", asked, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "executive_not_allowed")
    assert not Conversation.objects.exists()


def test_rest_changes_title_and_executive_together_or_not_at_all(corpus, conversation):
    ChatSettingsFactory(corpus=corpus, choices=["gpt"])
    client, address = api(conversation.person), f"/api/conversations/{conversation.pk}/"
    refused = client.patch(address, {"title": "New", "executive": "llama"}, format="json")
    assert (refused.status_code, Conversation.objects.get().title) == (422, "")
    changed = client.patch(address, {"title": "New", "executive": "gpt"}, format="json").json()
    assert (changed["title"], changed["executive"]) == ("New", "gpt")


def test_the_command_asks_the_executive_that_is_named(corpus):
    ChatSettingsFactory(corpus=corpus, executive="gpt")
    out = StringIO()
    call_command("ask", "handbook", QUESTION, "--executive", "rules", stdout=out)
    assert "Ada Lund" in out.getvalue()
    with pytest.raises(CommandError, match="“llama” may not lead"):
        call_command("ask", "handbook", QUESTION, "--executive", "llama", stdout=out)
