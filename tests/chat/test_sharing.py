"""Turns that are shared by link: who sees them, checked at each view."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat import services, sharing
from chat.models import Conversation, SharedTurn, Turn
from knowledge.models import Corpus
from memosite.errors import Conflict
from tests.factories import (
    ConversationFactory,
    CorpusFactory,
    MemoryVersionFactory,
    SubQueryFactory,
    TrainedPairFactory,
    TurnFactory,
    UserFactory,
)
from training.models import MemoryVersion

pytestmark = pytest.mark.django_db
ANSWER = "Ada Lund leads Project Atlas."


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="handbook", name="Handbook")


@pytest.fixture
def turn(corpus: Corpus) -> Turn:
    """A question that the live version answered."""
    return asked(ConversationFactory(corpus=corpus), MemoryVersionFactory(corpus=corpus, live=True))


def asked(conversation: Conversation, version: MemoryVersion, **fields: Any) -> Turn:
    values = {"answer": ANSWER, "known": True, "status": "answered"} | fields
    turn = TurnFactory(conversation=conversation, version=version, **values)
    turn.versions.add(version)
    SubQueryFactory(turn=turn, answer=ANSWER, known=True, confidence=0.9, version=version)
    return turn


@pytest.fixture
def owner(turn: Turn) -> Client:
    return logged_in(turn.conversation.person)


def logged_in(person: Any) -> Client:
    client = Client(headers={"referer": "http://testserver/"})
    client.force_login(person)
    return client


def sees(person: Any, turn: Turn) -> bool:
    """Whether the person sees the turn behind its link; whoever does not gets a page that tells nothing."""
    response = logged_in(person).get(sharing.share(turn).get_absolute_url())
    page = response.content.decode()
    if response.status_code == 200:
        return ANSWER in page
    assert response.status_code == 404
    assert "Atlas" not in page
    return False


# --- Making and taking away --------------------------------------------------------------------------------
def test_share_makes_the_link_and_shows_it(turn, owner):
    part = owner.post(reverse("share-turn", args=[turn.pk]), headers={"hx-request": "true"}).content.decode()
    assert f"http://testserver/chat/shared/{SharedTurn.objects.get().token}/" in part
    assert "Stop sharing" in part


def test_sharing_twice_gives_the_same_link(turn):
    assert sharing.share(turn).token == sharing.share(turn).token


def test_stop_sharing_takes_the_link_away_and_a_later_one_is_another(turn, owner, corpus):
    link = sharing.share(turn).get_absolute_url()
    part = owner.post(
        reverse("unshare-turn", args=[turn.pk]), headers={"hx-request": "true"}
    ).content.decode()
    assert "Stop sharing" not in part
    assert logged_in(UserFactory(reads=corpus)).get(link).status_code == 404
    assert sharing.share(turn).get_absolute_url() != link


def test_without_htmx_the_page_comes_again(turn, owner):
    answer = owner.post(reverse("share-turn", args=[turn.pk]))
    assert answer.url == turn.conversation.get_absolute_url()


def test_a_question_that_is_being_answered_is_not_shared(turn):
    running = TurnFactory(conversation=turn.conversation)
    with pytest.raises(Conflict):
        sharing.share(running)
    assert not SharedTurn.objects.exists()


def test_nobody_shares_what_somebody_else_asked(turn, corpus):
    other = logged_in(UserFactory(owns=corpus))
    assert other.post(reverse("share-turn", args=[turn.pk])).status_code == 404
    assert not SharedTurn.objects.exists()


def test_the_link_goes_with_its_conversation(turn, corpus):
    link = sharing.share(turn).get_absolute_url()
    services.delete_conversation(turn.conversation)
    assert logged_in(UserFactory(reads=corpus)).get(link).status_code == 404


# --- Who sees it -------------------------------------------------------------------------------------------
def test_readers_of_the_corpus_see_it_and_others_learn_nothing(turn, corpus):
    assert sees(UserFactory(reads=corpus), turn)
    assert not sees(UserFactory(), turn)
    assert not sees(UserFactory(reads=CorpusFactory()), turn)


def test_without_a_login_the_link_leads_to_the_login(turn):
    answer = Client().get(sharing.share(turn).get_absolute_url())
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("login"))


def test_a_wrong_token_and_a_closed_one_look_the_same(turn):
    stranger = logged_in(UserFactory())
    closed = stranger.get(sharing.share(turn).get_absolute_url())
    wrong = stranger.get(reverse("shared-turn", args=["0" * 32]))
    assert closed.status_code == wrong.status_code == 404
    assert without_secret(closed) == without_secret(wrong)


def without_secret(response: Any) -> str:
    """The page without the token of its forms, which is another each time."""
    return re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1", response.content.decode())


def test_the_right_is_checked_again_at_each_view(turn, corpus):
    person = UserFactory(reads=corpus)
    assert sees(person, turn)
    person.groups.clear()
    assert not sees(person, turn)


def test_what_supports_a_shared_answer_is_shown_to_whom_the_link_opens_and_to_nobody_else(turn, corpus):
    TrainedPairFactory(version=turn.version, question="Who leads Project Atlas?", answer=ANSWER)
    token = sharing.share(turn).token
    address = reverse("shared-turn-sources", args=[token, turn.sub_queries.get().index])
    person = UserFactory(reads=corpus)
    assert ANSWER in logged_in(person).get(address).content.decode()
    assert address in logged_in(person).get(reverse("shared-turn", args=[token])).content.decode()
    person.groups.clear()
    assert logged_in(person).get(address).status_code == 404
    sharing.stop_sharing(turn)
    assert logged_in(turn.conversation.person).get(address).status_code == 404


def test_all_corpora_of_the_conversation_have_to_be_readable(turn, corpus):
    other = CorpusFactory()
    turn.conversation.others.add(other)
    person = UserFactory(reads=corpus)
    assert not sees(person, turn)
    person.groups.add(other.reader_group)
    assert sees(person, turn)


def test_a_version_that_learned_from_more_opens_only_to_its_whole_audience(corpus):
    secret = CorpusFactory()
    version = MemoryVersionFactory(corpus=corpus, corpora=[secret])
    turn = asked(ConversationFactory(corpus=corpus), version)
    person = UserFactory(reads=corpus)
    assert not sees(person, turn)
    person.groups.add(secret.reader_group)
    assert sees(person, turn)


def test_what_was_answered_before_in_the_conversation_counts_too(turn, corpus):
    closed = MemoryVersionFactory(corpus=corpus, corpora=[CorpusFactory()])
    first = asked(turn.conversation, closed)
    later = asked(turn.conversation, turn.version)
    person = UserFactory(reads=corpus)
    assert sees(person, turn), "it was asked before the closed version was"
    assert not sees(person, first)
    assert not sees(person, later), "a follow-up may repeat what the closed version said"


def test_once_a_version_was_deleted_nobody_but_the_one_who_asked_sees_it(turn, corpus):
    person = UserFactory(reads=corpus)
    corpus.aliases.all().delete()
    turn.version.delete()
    turn.refresh_from_db()
    assert not sees(person, turn)
    assert sees(turn.conversation.person, turn)


def test_whoever_asked_sees_it_only_as_long_as_the_corpus_may_be_read(turn):
    asker = turn.conversation.person
    assert sees(asker, turn)
    asker.groups.clear()
    assert not sees(asker, turn)


# --- What it shows -----------------------------------------------------------------------------------------
def test_it_shows_who_asked_what_of_which_version_and_no_controls(turn, corpus):
    page = logged_in(UserFactory(reads=corpus)).get(sharing.share(turn).get_absolute_url()).content.decode()
    for told in (turn.question, ANSWER, turn.conversation.person.username, "Handbook v1", "90 %"):
        assert told in page
    assert reverse("unshare-turn", args=[turn.pk]) not in page
    assert turn.conversation.get_absolute_url() not in page


def test_html_in_question_and_answer_is_shown_as_text(corpus):
    turn = asked(
        ConversationFactory(corpus=corpus),
        MemoryVersionFactory(corpus=corpus),
        question="<script>alert(1)</script>",
        answer="<img src=x onerror=alert(2)>",
    )
    page = logged_in(UserFactory(reads=corpus)).get(sharing.share(turn).get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert "<img" not in page


def test_it_is_kept_in_no_cache(turn, corpus):
    answer = logged_in(UserFactory(reads=corpus)).get(sharing.share(turn).get_absolute_url())
    assert "no-store" in answer["Cache-Control"]
