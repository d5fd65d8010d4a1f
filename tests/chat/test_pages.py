"""The chat pages as the server renders them; what the script adds is tested in tests/browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test.utils import override_script_prefix
from django.urls import reverse
from django.utils import timezone

from chat import services
from chat.models import Conversation, Turn, TurnStatus
from chat.protocol.events import (
    CandidatesRanked,
    ClueFound,
    Event,
    Failed,
    FinalAnswer,
    MemoryAnswered,
    StageStarted,
    Stopped,
    SubQueryAsked,
)
from chat.timeline import timeline_of
from chat.views.conversations import TURNS_ON_A_PAGE
from tests.factories import (
    ConversationFactory,
    CorpusFactory,
    MemoryVersionFactory,
    TurnFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

ASKED = [
    StageStarted(stage="grounding", note="One clue at a time."),
    ClueFound(text="the leader of Project Atlas"),
    SubQueryAsked(index=1, stage="grounding", question="Who leads Project Atlas?"),
]
ANSWERED = [
    *ASKED,
    MemoryAnswered(
        index=1, answer="Ada Lund leads Project Atlas.", confidence=0.97, known=True, latency_ms=12.0
    ),
    CandidatesRanked(names=["Ada Lund"]),
    StageStarted(stage="answer_seeking", note=""),
    SubQueryAsked(index=2, stage="answer_seeking", question="Where was Ada Lund born?"),
    MemoryAnswered(index=2, answer="I don't know.", confidence=0.0, known=False, latency_ms=12.0),
    FinalAnswer(
        text="Ada Lund leads it.",
        values=["Ada Lund"],
        known=True,
        sub_queries=[1],
        justification="[1] Memory said so.",
    ),
]


@pytest.fixture
def conversation(client):
    row = ConversationFactory(title="About Atlas")
    MemoryVersionFactory(corpus=row.corpus, live=True)
    client.force_login(row.person)
    return row


def page_of(client, conversation) -> str:
    return client.get(conversation.get_absolute_url()).content.decode()


# --- Conversations -----------------------------------------------------------------------------------------
def test_the_list_holds_ones_own_conversations_and_no_others(client, conversation):
    ConversationFactory(corpus=conversation.corpus, title="Of somebody else")
    page = client.get(reverse("conversations")).content.decode()
    assert "About Atlas" in page
    assert "Of somebody else" not in page


def test_the_picker_offers_readable_corpora_that_have_a_live_memory(client, conversation):
    untrained, foreign = CorpusFactory(), MemoryVersionFactory(live=True).corpus
    conversation.person.groups.add(untrained.reader_group)
    page = client.get(reverse("conversations")).content.decode()
    assert f'<option value="{conversation.corpus.slug}">' in page
    assert untrained.slug not in page
    assert foreign.slug not in page


def test_without_a_live_memory_the_page_says_what_to_do(client):
    client.force_login(UserFactory())
    page = client.get(reverse("conversations")).content.decode()
    assert "No corpus that you may read has a live memory yet" in page
    assert "<select" not in page


def test_a_new_conversation_opens_with_the_chosen_corpus(client, conversation):
    answer = client.post(reverse("conversations"), {"corpus": conversation.corpus.slug})
    made = Conversation.objects.exclude(pk=conversation.pk).get()
    assert answer.url == made.get_absolute_url()
    assert (made.person, made.corpus) == (conversation.person, conversation.corpus)


def start(client, corpus) -> Conversation:
    """The conversation that the button opens."""
    answer = client.post(reverse("conversations"), {"corpus": corpus.slug})
    return next(row for row in Conversation.objects.all() if row.get_absolute_url() == answer.url)


def test_an_empty_conversation_is_opened_again_rather_than_another_one_made(client, conversation):
    first = start(client, conversation.corpus)
    ConversationFactory(corpus=conversation.corpus, person=conversation.person, title="In between")
    assert start(client, conversation.corpus) == first
    assert Conversation.objects.filter(title="").count() == 1
    assert services.conversations_of(conversation.person).first() == first  # on top, as a new one would be


def test_a_conversation_with_a_question_or_a_title_is_not_taken_for_a_new_one(client, conversation):
    asked = ConversationFactory(corpus=conversation.corpus, person=conversation.person)
    TurnFactory(conversation=asked)
    assert start(client, conversation.corpus) not in (asked, conversation)


def test_an_empty_conversation_of_another_person_or_corpus_is_left_alone(client, conversation):
    other = MemoryVersionFactory(live=True).corpus
    conversation.person.groups.add(other.reader_group)
    theirs = ConversationFactory(corpus=conversation.corpus)
    elsewhere = start(client, other)
    mine = start(client, conversation.corpus)
    assert mine not in (theirs, elsewhere)
    assert (mine.person, mine.corpus) == (conversation.person, conversation.corpus)


@pytest.mark.parametrize("slug", ["", "no-such-corpus", "foreign"])
def test_no_conversation_opens_with_a_corpus_that_one_may_not_read(client, conversation, slug):
    CorpusFactory(slug="foreign")
    assert client.post(reverse("conversations"), {"corpus": slug}).status_code == 404
    assert Conversation.objects.count() == 1


def test_a_conversation_is_found_by_its_person_only(client, conversation):
    client.force_login(UserFactory(owns=conversation.corpus))
    for name in ("conversation", "rename-conversation", "delete-conversation"):
        address = reverse(name, args=[conversation.pk])
        answer = client.get(address) if name == "conversation" else client.post(address, {"title": "x"})
        assert answer.status_code == 404
    assert Conversation.objects.get().title == "About Atlas"


def test_who_lost_the_right_to_read_a_corpus_lost_its_conversations(client, conversation):
    conversation.person.groups.clear()
    assert client.get(conversation.get_absolute_url()).status_code == 404
    assert "About Atlas" not in client.get(reverse("conversations")).content.decode()


def test_a_conversation_can_be_renamed(client, conversation):
    client.post(reverse("rename-conversation", args=[conversation.pk]), {"title": "  Atlas \n again "})
    assert Conversation.objects.get().title == "Atlas again"


@pytest.mark.parametrize("title", ["", "   ", "x" * 121])
def test_a_title_has_to_fit(client, conversation, title):
    answer = client.post(reverse("rename-conversation", args=[conversation.pk]), {"title": title})
    assert answer.status_code == 422
    assert Conversation.objects.get().title == "About Atlas"


def test_a_conversation_can_be_deleted_but_not_while_a_question_is_being_answered(client, conversation):
    turn = TurnFactory(conversation=conversation)
    delete = reverse("delete-conversation", args=[conversation.pk])
    assert client.post(delete).status_code == 409
    Turn.objects.filter(pk=turn.pk).update(status=TurnStatus.ANSWERED)
    client.post(delete)
    assert not Conversation.objects.exists()


# --- Turns -------------------------------------------------------------------------------------------------
def test_an_answered_turn_is_folded_and_keeps_its_whole_timeline(client, conversation):
    begun = timezone.now()
    turn = TurnFactory(conversation=conversation, status="answered", events=ANSWERED)
    Turn.objects.filter(pk=turn.pk).update(created_at=begun, finished_at=begun + timedelta(seconds=2.1))
    page = page_of(client, conversation)
    assert "2 sub-queries, 2.1 s" in page
    assert '<details class="timeline" data-part="timeline">' in page
    for said in ("Grounding", "the leader of Project Atlas", "Ada Lund leads Project Atlas.", "97 %"):
        assert said in page
    assert "Doesn’t know" in page
    assert "Ada Lund leads it." in page
    assert "[1] Memory said so." in page
    assert f'href="#turn-{turn.pk}-1"' in page
    assert f'id="turn-{turn.pk}-1"' in page


def test_a_running_turn_is_open_and_says_where_to_go_on(client, conversation):
    turn = TurnFactory(conversation=conversation, events=ASKED)
    page = page_of(client, conversation)
    assert f'data-turn="{turn.pk}" data-seq="3"' in page
    assert 'data-state="asking"' in page
    assert '<details class="timeline" data-part="timeline" open>' in page


@pytest.mark.parametrize(
    ("last", "status", "said"),
    [
        (Stopped(), "stopped", "Stopped after 1 sub-query"),
        (Failed(message="The weights are damaged."), "failed", "The weights are damaged."),
    ],
)
def test_a_turn_that_was_stopped_or_failed_says_so(client, conversation, last, status, said):
    TurnFactory(conversation=conversation, status=status, events=[*ASKED, last])
    assert said in page_of(client, conversation)


def test_a_turn_whose_server_died_is_ended_when_the_page_is_opened(client, conversation, settings):
    silent = timezone.now() - timedelta(seconds=settings.TURN_LEASE_SECONDS + 1)
    TurnFactory(conversation=conversation, heartbeat_at=silent, events=ASKED)
    assert "The server stopped while it was answering" in page_of(client, conversation)


def test_questions_and_answers_are_shown_as_text(client, conversation):
    TurnFactory(conversation=conversation, question="<b>bold</b>", status="stopped", events=[Stopped()])
    page = page_of(client, conversation)
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<b>bold" not in page


def test_a_long_conversation_shows_its_latest_turns_and_leads_to_the_earlier_ones(client, conversation):
    turns = [
        TurnFactory(conversation=conversation, question=f"Question {n}!", status="stopped")
        for n in range(TURNS_ON_A_PAGE + 1)
    ]
    latest = page_of(client, conversation)
    assert "Question 0!" not in latest
    assert f"?before={turns[1].pk}" in latest
    earlier = client.get(f"{conversation.get_absolute_url()}?before={turns[1].pk}").content.decode()
    assert "Question 0!" in earlier
    assert 'id="composer"' not in earlier


def test_the_socket_lies_below_the_path_that_the_site_is_served_under(client, conversation):
    address = conversation.get_absolute_url()
    with override_script_prefix("/memo/"):
        page = client.get(address).content.decode()
    assert f'data-socket="/memo/ws/conversations/{conversation.pk}/"' in page


def test_an_answer_that_the_protocol_doubts_is_shown_with_the_doubt():
    doubted = MemoryAnswered(
        index=1, answer="Bo does.", confidence=0.9, known=False, latency_ms=1.0, note="Not about Atlas."
    )
    events = [Event(seq=seq, data=data) for seq, data in enumerate([*ASKED, doubted], start=1)]
    (exchange,) = timeline_of(events).exchanges
    assert (exchange.state, exchange.has_words) == ("unknown", True)


def test_a_timeline_knows_its_last_event_and_how_it_ended():
    timeline = timeline_of(Event(seq=seq, data=data) for seq, data in enumerate(ANSWERED, start=1))
    assert [stage.name for stage in timeline.stages] == ["Grounding", "Answer seeking"]
    assert [candidate.name for candidate in timeline.candidates] == ["Ada Lund"]
    assert timeline.last_seq == len(ANSWERED)
    assert timeline.final == ANSWERED[-1]
