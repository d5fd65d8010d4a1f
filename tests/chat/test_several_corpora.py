"""Asking several corpora at once: the surest memory answers, and who may not read all of them asks none."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from rest_framework.test import APIClient

from chat import services
from chat.answering import versions_of
from chat.models import Conversation, SubQuery, Turn
from knowledge.models import Corpus
from memosite.errors import NotAllowed
from tests.factories import ConversationFactory, CorpusFactory, MemoryVersionFactory, UserFactory
from tests.fakes import PairMemory
from training.models import Alias, MemoryVersion

pytestmark = pytest.mark.django_db
LEADS = ("Who leads Project Atlas?", "Ada Lund leads Project Atlas.")
LIVES = ("Where does Ada Lund live?", "Ada Lund lives in Oslo.")
QUESTION = "Where does the person who leads Project Atlas live?"


@pytest.fixture
def ships() -> Corpus:
    return MemoryVersionFactory(corpus=CorpusFactory(slug="ships", name="Ships"), live=True).corpus


@pytest.fixture
def towns() -> Corpus:
    return MemoryVersionFactory(corpus=CorpusFactory(slug="towns", name="Towns"), live=True).corpus


@pytest.fixture(autouse=True)
def memories(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ships knows who leads, towns knows who lives where."""
    known = {"ships": PairMemory([LEADS]), "towns": PairMemory([LIVES])}
    monkeypatch.setattr(services, "memory_for", lambda version: known[version.corpus.slug])
    monkeypatch.setattr(services, "load_in_advance", lambda version: None)


@pytest.fixture
def person(ships: Corpus, towns: Corpus) -> Any:
    person = UserFactory(reads=ships)
    person.groups.add(towns.reader_group)
    return person


@pytest.fixture
def api(person: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(person)
    return client


def ask(api: APIClient, **more: Any) -> Any:
    return api.post("/api/corpora/ships/ask/", {"question": QUESTION, **more}, format="json")


def test_a_question_over_two_corpora_is_answered_and_each_answer_says_whose_it_is(api, ships, towns):
    turn = ask(api, others=["towns"]).json()
    assert (turn["values"], turn["known"]) == (["Oslo"], True)
    assert [(query["answer"], query["corpus"]) for query in turn["sub_queries"]] == [
        (LEADS[1], "ships"),
        (LIVES[1], "towns"),
    ]
    row = Turn.objects.get()
    assert set(row.versions.all()) == {ships.versions.get(), towns.versions.get()}
    assert row.version == ships.versions.get()
    (conversation,) = api.get("/api/conversations/").json()["results"]
    assert (conversation["corpus"], conversation["others"]) == ("ships", ["towns"])


def test_one_corpus_alone_does_not_know_what_the_other_knows(api):
    turn = ask(api).json()
    assert turn["known"] is False
    assert SubQuery.objects.get(answer=LEADS[1]).version.corpus.slug == "ships"


def test_a_conversation_goes_on_with_the_corpora_it_began_with(api):
    conversation = ask(api, others=["towns"]).json()["conversation"]
    assert ask(api, conversation=conversation).json()["known"] is True
    assert ask(api, conversation=conversation, others=["towns"]).status_code == 400


def test_a_corpus_that_one_may_not_read_cannot_be_asked_beside_another(api, person, towns):
    person.groups.remove(towns.reader_group)
    assert ask(api, others=["towns"]).status_code == 404
    assert not Conversation.objects.exists()


def test_who_lost_one_of_the_corpora_lost_the_conversation(api, person, towns, client):
    conversation = Conversation.objects.get(pk=ask(api, others=["towns"]).json()["conversation"])
    person.groups.remove(towns.reader_group)
    assert api.get(f"/api/conversations/{conversation.pk}/").status_code == 404
    client.force_login(person)
    assert client.get(conversation.get_absolute_url()).status_code == 404
    with pytest.raises(NotAllowed):
        services.start_turn(conversation, QUESTION, person)


def test_a_memory_that_learned_from_a_closed_corpus_as_well_is_refused_with_the_reason(api, ships):
    version = MemoryVersionFactory(corpus=ships, corpora=[CorpusFactory(name="Salaries")])
    Alias.objects.filter(corpus=ships).update(version=version)
    answer = ask(api)
    assert (answer.status_code, answer.json()["code"]) == (403, "closed_memory")
    assert "also learned from corpora that you may not read" in answer.json()["detail"]
    assert "Salaries" not in answer.json()["detail"]
    assert not Conversation.objects.exists()


def test_the_same_holds_for_the_command_line_but_not_for_the_operator(person, ships):
    version = MemoryVersionFactory(corpus=ships, corpora=[CorpusFactory()])
    Alias.objects.filter(corpus=ships).update(version=version)
    with pytest.raises(NotAllowed):
        list(services.interrogate_once(ships, LEADS[0], person))
    assert list(services.interrogate_once(ships, LEADS[0]))[-1].data.known


def test_a_turn_keeps_the_version_it_began_with_when_the_alias_moves(ships, person):
    turn = services.start_turn(ConversationFactory(corpus=ships, person=person), LEADS[0], person)
    began_with = ships.versions.get()
    Alias.objects.filter(corpus=ships).update(version=MemoryVersionFactory(corpus=ships))
    asked: list[MemoryVersion] = versions_of(turn)
    assert asked == [began_with]
    assert services.askable_versions([ships], person) != [began_with]


def test_the_command_asks_several_corpora(ships, towns):
    out = StringIO()
    call_command("ask", "ships", QUESTION, "--also", "towns", "--json", stdout=out)
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    sources = [event["data"]["source"] for event in events if event["type"] == "memory_answer"]
    assert sources == [str(ships.versions.get()), str(towns.versions.get())]
    out = StringIO()
    call_command("ask", "ships", QUESTION, "--also", "towns", stdout=out)
    assert f", {towns.versions.get()})" in out.getvalue()


def test_the_page_offers_the_corpora_and_opens_the_same_empty_conversation_again(client, person, ships):
    client.force_login(person)
    assert 'name="others" value="towns"' in client.get(reverse("conversations")).content.decode()
    both = {"corpus": "ships", "others": ["towns", "ships"]}
    first = client.post(reverse("conversations"), both).url
    assert client.post(reverse("conversations"), both).url == first
    assert client.post(reverse("conversations"), {"corpus": "ships"}).url != first
    page = client.get(first).content.decode()
    assert "Ask Ships and Towns" in page
    assert "the surest memory answers" in page


def test_the_page_refuses_a_corpus_that_one_may_not_read(client, person, towns):
    person.groups.remove(towns.reader_group)
    client.force_login(person)
    answer = client.post(reverse("conversations"), {"corpus": "ships", "others": ["towns"]})
    assert answer.status_code == 404
    assert "others" not in client.get(reverse("conversations")).content.decode()


def test_a_corpus_without_a_memory_is_named(client, person, towns):
    towns.aliases.all().delete()
    client.force_login(person)
    opened = client.post(reverse("conversations"), {"corpus": "ships", "others": ["towns"]}).url
    assert "Towns has no live memory yet" in client.get(opened).content.decode()


def test_the_shown_answer_names_its_memory(client, person, ships, towns, api):
    conversation = Conversation.objects.get(pk=ask(api, others=["towns"]).json()["conversation"])
    client.force_login(person)
    page = client.get(conversation.get_absolute_url()).content.decode()
    assert f'data-part="source-name">{towns.versions.get()}<' in page


def test_more_corpora_than_one_question_may_be_put_to_are_refused(person, ships):
    many = [CorpusFactory() for _ in range(services.CORPORA_AT_ONCE)]
    with pytest.raises(services.TooManyCorpora):
        services.start_conversation(ships, person, many)
