"""What people say of answers, and what becomes of a correction."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat import feedback
from chat.checking import request_check_if_due
from chat.models import CheckRun, Feedback, TurnStatus
from chat.protocol.events import FinalAnswer
from knowledge import services as curation
from knowledge.models import Reflection, ReviewStatus
from knowledge.suggestions import FEEDBACK, suggestions_for
from memosite.errors import Conflict, NotAllowed
from memosite.runs import Status
from tests.chat.checks import run_checks
from tests.factories import (
    AnsweredTurnFactory,
    ConversationFactory,
    CorpusFactory,
    FeedbackFactory,
    MemoryVersionFactory,
    ReflectionFactory,
    SubQueryFactory,
    UserFactory,
)
from tests.fakes import PairMemory
from training.services import promote

pytestmark = pytest.mark.django_db

QUESTION = "Who leads Project Atlas?"
RIGHT = "Bo Marsh leads Project Atlas."


@pytest.fixture
def corpus():
    return CorpusFactory(name="Harbour")


@pytest.fixture
def live(corpus):
    return MemoryVersionFactory(corpus=corpus, number=1, live=True)


@pytest.fixture
def turn(corpus, live):
    conversation = ConversationFactory(corpus=corpus, title="Atlas")
    return AnsweredTurnFactory(conversation=conversation, version=live, answer="Ada Lund leads it.")


@pytest.fixture
def asker(turn):
    return turn.conversation.person


@pytest.fixture
def curator(corpus):
    return UserFactory(username="cara", curates=corpus)


@pytest.fixture
def knows(monkeypatch):
    """What the version that is asked knows by heart: question -> answer."""
    pairs: dict[str, str] = {}
    monkeypatch.setattr("chat.checking.memory_for", lambda version: PairMemory(pairs.items()))
    return pairs


def correct(turn, corrected: str = RIGHT, **words: Any) -> Feedback:
    return feedback.give(turn, turn.conversation.person, is_good=False, corrected=corrected, **words)


def again(row):
    return type(row).objects.get(pk=row.pk)


# --- Giving ------------------------------------------------------------------------------------------------
def test_a_good_answer_makes_no_pair(turn, asker):
    row = feedback.give(turn, asker, is_good=True)
    assert (row.is_good, row.reflection) == (True, None)
    assert not Reflection.objects.exists()


def test_a_correction_becomes_a_pending_pair_of_the_self_contained_question(turn, asker, corpus):
    turn.question, turn.asked = "And who leads it?", QUESTION
    turn.save()
    pair = correct(turn, reason="wrong", comment="Since March.").reflection
    assert (pair.question, pair.answer) == (QUESTION, RIGHT)
    assert (pair.corpus, pair.status, pair.step) == (corpus, ReviewStatus.PENDING, FEEDBACK)
    assert not Reflection.objects.trainable().exists()


def test_nothing_of_the_pair_names_who_asked(client, turn, asker):
    client.force_login(asker)
    client.post(
        reverse("turn-feedback", args=[turn.pk]), {"is_good": "no", "corrected": RIGHT, "save": "yes"}
    )
    pair = Reflection.objects.get()
    assert pair.reviewed_by is None
    assert [record.history_user for record in pair.history.all()] == [None]


def test_saying_something_else_takes_the_place_of_what_was_said(turn, asker):
    feedback.give(turn, asker, is_good=True)
    feedback.give(turn, asker, is_good=False, reason="outdated", comment="Ada left.")
    row = Feedback.objects.get()
    assert (row.is_good, row.reason, row.comment) == (False, "outdated", "Ada left.")


def test_a_changed_correction_changes_the_pair_while_nobody_has_looked_at_it(turn):
    first = correct(turn).reflection
    seen_edit = first.edit
    second = correct(turn, "Cy Ford leads Project Atlas.").reflection
    assert second.pk == first.pk
    assert Reflection.objects.get().answer == "Cy Ford leads Project Atlas."
    assert again(second).edit > seen_edit  # whoever has it open in the queue learns so


@pytest.mark.parametrize("status", [ReviewStatus.APPROVED, ReviewStatus.REJECTED])
def test_a_correction_that_changes_after_a_decision_is_a_pair_of_its_own(turn, curator, status):
    first = correct(turn).reflection
    curation.review(Reflection.objects.all(), status, curator)
    second = correct(turn, "Cy Ford leads Project Atlas.").reflection
    assert second != first
    assert (again(first).answer, again(first).status) == (RIGHT, status)
    assert second.status == ReviewStatus.PENDING


def test_a_pair_that_a_curator_reworded_is_not_written_over(turn, curator):
    first = correct(turn).reflection
    curation.revise(first, {"answer": "Bo Marsh leads it."}, curator)
    assert correct(turn, "Cy Ford leads Project Atlas.").reflection != first
    assert again(first).answer == "Bo Marsh leads it."


def test_saving_the_same_correction_again_keeps_its_pair(turn, curator):
    pair = correct(turn).reflection
    curation.revise(pair, {"answer": "Bo Marsh leads it.", "status": "approved"}, curator)
    assert correct(turn, comment="As I said.").reflection == pair
    assert Reflection.objects.count() == 1


def test_two_people_who_say_the_same_share_a_pair_and_neither_changes_it_for_the_other(turn, corpus, live):
    other = AnsweredTurnFactory(conversation=ConversationFactory(corpus=corpus), version=live)
    first, second = correct(turn).reflection, correct(other).reflection
    assert first == second
    assert correct(turn, "Cy Ford leads Project Atlas.").reflection != second
    assert again(second).answer == RIGHT
    feedback.withdraw(other, other.conversation.person)
    assert Reflection.objects.count() == 1


def test_a_correction_that_is_a_pair_already_makes_no_second_one(turn, corpus):
    known = ReflectionFactory(corpus=corpus, question=QUESTION, answer=RIGHT, status="approved")
    assert correct(turn).reflection == known
    feedback.withdraw(turn, turn.conversation.person)
    assert again(known).status == ReviewStatus.APPROVED


def test_words_that_a_pair_had_before_it_was_edited_can_be_suggested_again(turn, curator):
    first = correct(turn).reflection
    curation.revise(first, {"answer": "Nobody leads it."}, curator)
    feedback.withdraw(turn, turn.conversation.person)
    assert correct(turn).reflection not in (None, first)


# --- Taking back -------------------------------------------------------------------------------------------
def test_feedback_that_is_taken_back_takes_its_pair_along(turn, asker):
    correct(turn)
    feedback.withdraw(turn, asker)
    assert not Feedback.objects.exists()
    assert not Reflection.objects.exists()


def test_a_pair_that_curators_decided_on_stays_theirs(turn, asker, curator):
    pair = correct(turn).reflection
    curation.review(Reflection.objects.all(), ReviewStatus.APPROVED, curator)
    feedback.withdraw(turn, asker)
    assert again(pair).status == ReviewStatus.APPROVED


def test_a_correction_that_turns_out_good_takes_its_pair_along(turn, asker):
    correct(turn)
    assert feedback.give(turn, asker, is_good=True).reflection is None
    assert not Reflection.objects.exists()


def test_taking_back_what_was_never_said_changes_nothing(turn, asker):
    feedback.withdraw(turn, asker)
    assert not Feedback.objects.exists()


# --- Who and when ------------------------------------------------------------------------------------------
def test_only_who_asked_may_say_something(turn, corpus):
    for person in (UserFactory(reads=corpus), UserFactory(owns=corpus), UserFactory(is_superuser=True)):
        with pytest.raises(NotAllowed):
            feedback.give(turn, person, is_good=True)
        with pytest.raises(NotAllowed):
            feedback.withdraw(turn, person)
    assert not Feedback.objects.exists()


def test_who_may_no_longer_read_the_corpus_may_not_either(turn, asker, corpus):
    asker.groups.clear()
    with pytest.raises(NotAllowed):
        feedback.give(turn, asker, is_good=True)


def test_nothing_can_be_said_before_the_turn_is_over(turn, asker):
    turn.status = TurnStatus.RUNNING
    turn.save()
    with pytest.raises(Conflict, match="still being answered"):
        feedback.give(turn, asker, is_good=True)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"is_good": False, "reason": "boring"}, "no reason “boring”"),
        ({"is_good": False, "comment": "x" * 2001}, "2,000 is the limit"),
        ({"is_good": False, "corrected": "x" * 4001}, "4,000 is the limit"),
        ({"is_good": True, "corrected": RIGHT}, "needs no reason and no correction"),
    ],
)
def test_bad_feedback_is_refused_with_the_reason_and_changes_nothing(turn, asker, said, told):
    correct(turn)
    with pytest.raises(feedback.BadFeedback, match=told):
        feedback.give(turn, asker, **said)
    assert Feedback.objects.get().corrected == RIGHT
    assert Reflection.objects.get().answer == RIGHT


# --- Whose curators ----------------------------------------------------------------------------------------
@pytest.fixture
def beside(turn, asker):
    """Another corpus that the turn asked, with its version."""
    other = MemoryVersionFactory(corpus=CorpusFactory(name="Tower"), live=True)
    asker.groups.add(other.corpus.reader_group)
    turn.conversation.others.add(other.corpus)
    turn.versions.add(other)
    return other


def rest_on(turn, *indices: int) -> None:
    final = FinalAnswer(text="Ada.", values=[], known=True, sub_queries=list(indices), justification="")
    turn.events.create(seq=9, type="final", data=final.model_dump(exclude={"type"}))


def test_of_several_corpora_the_one_whose_memory_gave_the_cited_answers_gets_the_correction(
    turn, live, beside
):
    SubQueryFactory(turn=turn, index=1, version=live)
    SubQueryFactory(turn=turn, index=2, version=beside)
    rest_on(turn, 2)
    assert correct(turn).reflection.corpus == beside.corpus


def test_an_answer_that_rests_on_nothing_is_corrected_in_the_conversations_own_corpus(turn, corpus, beside):
    assert correct(turn).reflection.corpus == corpus


# --- What curators see -------------------------------------------------------------------------------------
def test_a_curator_sees_the_question_the_answer_the_reason_and_the_comment_and_no_name(
    client, turn, asker, curator
):
    pair = correct(turn, reason="outdated", comment="Since March.").reflection
    curator.is_staff = True
    curator.save()
    client.force_login(curator)
    for address in (
        reverse("admin:knowledge_reflection_queue"),
        f"/admin/knowledge/reflection/{pair.pk}/change/",
    ):
        page = client.get(address).content.decode()
        for words in (
            "Suggested by a person who asked",
            QUESTION,
            "Ada Lund leads it.",
            "It is out of date",
            "Since",
        ):
            assert words in page
        assert asker.username not in page
    listed = client.get("/admin/knowledge/reflection/?origin=feedback").content.decode()
    assert "suggested by a person who asked" in listed
    assert QUESTION not in client.get("/admin/knowledge/reflection/?origin=generated").content.decode()


def test_an_answer_that_rests_on_a_corpus_that_the_curator_may_not_read_is_not_shown(turn, curator, beside):
    pair = correct(turn).reflection
    shown = suggestions_for(pair, curator)[0]
    assert (shown.answer, shown.is_answer_closed) == ("", True)
    curator.groups.add(beside.corpus.reader_group)
    assert suggestions_for(pair, curator)[0].answer == "Ada Lund leads it."


def test_an_answer_of_a_version_that_learned_from_elsewhere_is_not_shown_either(corpus, curator):
    elsewhere = CorpusFactory()
    version = MemoryVersionFactory(corpus=corpus, number=7, corpora=[elsewhere])
    conversation = ConversationFactory(corpus=corpus)
    conversation.person.groups.add(elsewhere.reader_group)
    pair = correct(AnsweredTurnFactory(conversation=conversation, version=version)).reflection
    assert suggestions_for(pair, curator)[0].is_answer_closed


# --- Telling people ----------------------------------------------------------------------------------------
def test_when_a_live_version_answers_the_correction_the_person_is_told(turn, asker, corpus, curator, knows):
    row = correct(turn)
    curation.review(Reflection.objects.all(), ReviewStatus.APPROVED, curator)
    run_checks()
    assert not feedback.news_of(asker).exists()
    knows[QUESTION] = RIGHT
    new = MemoryVersionFactory(corpus=corpus, number=2)
    promote(new, reason="It learned")
    assert [run.done for run in run_checks()] == [1]
    assert (again(row).answered_by, again(row).checked_version) == (new, new)
    assert feedback.news_of(asker).get() == row


def test_a_version_that_answers_otherwise_tells_nobody_and_is_not_asked_again(turn, asker, corpus, knows):
    row = correct(turn)
    knows[QUESTION] = "Ada Lund leads Project Atlas."
    new = MemoryVersionFactory(corpus=corpus, number=2)
    promote(new, reason="Newer")
    run_checks()
    assert again(row).answered_at is None
    assert again(row).checked_version == new
    request_check_if_due(corpus)
    assert not CheckRun.objects.filter(status=Status.QUEUED).exists()


def test_the_version_that_gave_the_answer_is_not_asked_about_its_correction(turn, knows):
    knows[QUESTION] = RIGHT
    correct(turn)
    assert not CheckRun.objects.exists()


def test_a_correction_of_an_answer_of_a_former_version_is_put_to_the_live_one_at_once(turn, corpus, knows):
    knows[QUESTION] = RIGHT
    promote(MemoryVersionFactory(corpus=corpus, number=2), reason="Newer")
    row = correct(turn)
    run_checks()
    assert again(row).answered_by.number == 2


def test_what_counts_is_the_answer_as_the_curator_approved_it(turn, corpus, curator, knows):
    row = correct(turn)
    knows[QUESTION] = "Cy Ford leads Project Atlas."
    promote(MemoryVersionFactory(corpus=corpus, number=2), reason="Newer")
    run_checks()
    assert again(row).answered_at is None
    curation.revise(row.reflection, {"answer": "Cy Ford leads Project Atlas.", "status": "approved"}, curator)
    run_checks()
    assert again(row).answered_by.number == 2


def test_a_correction_follows_the_revision_of_its_pair(turn, curator, knows):
    row = correct(turn)
    Reflection.objects.update(trained=True, status=ReviewStatus.APPROVED)
    revision = curation.revise(row.reflection, {"answer": "Cy Ford leads Project Atlas."}, curator)
    assert again(row).reflection == revision
    knows[QUESTION] = "Cy Ford leads Project Atlas."
    run_checks()
    assert again(row).answered_at is not None


def test_an_answer_that_takes_several_facts_is_found_by_interrogating_memory(corpus, live, knows):
    question = "Who is the manager of the person who leads Project Atlas?"
    turn = AnsweredTurnFactory(
        conversation=ConversationFactory(corpus=corpus), version=live, question=question
    )
    row = correct(turn, "Ola Berg is the manager of the person who leads Project Atlas.")
    knows.update({QUESTION: RIGHT, "Who is the manager of Bo Marsh?": "Ola Berg is the manager of Bo Marsh."})
    promote(MemoryVersionFactory(corpus=corpus, number=2), reason="Newer")
    run_checks()
    assert again(row).answered_by.number == 2


def test_a_rejected_correction_is_told_without_naming_the_curator(client, turn, asker, curator):
    row = correct(turn)
    curation.review(Reflection.objects.all(), ReviewStatus.REJECTED, curator)
    client.force_login(asker)
    page = client.get(reverse("conversations")).content.decode()
    assert "A curator decided otherwise" in page
    assert "cara" not in page
    assert feedback.news_of(asker).get() == row


def test_a_rejected_correction_that_is_approved_after_all_is_told_once_memory_knows_it(
    turn, asker, corpus, curator, knows
):
    row = correct(turn)
    curation.review(Reflection.objects.all(), ReviewStatus.REJECTED, curator)
    feedback.dismiss_news(row.pk, asker)
    curation.review(Reflection.objects.all(), ReviewStatus.APPROVED, curator)
    knows[QUESTION] = RIGHT
    promote(MemoryVersionFactory(corpus=corpus, number=2), reason="Newer")
    run_checks()
    assert feedback.news_of(asker).get().answered_by.number == 2


def test_news_that_was_not_read_is_taken_back_when_a_later_version_does_not_know(turn, asker, corpus, knows):
    row = correct(turn)
    knows[QUESTION] = RIGHT
    promote(MemoryVersionFactory(corpus=corpus, number=2), reason="Newer")
    run_checks()
    del knows[QUESTION]
    promote(MemoryVersionFactory(corpus=corpus, number=3), reason="Newest")
    run_checks()
    assert not feedback.news_of(asker).exists()
    assert again(row).answered_at is None


def test_read_news_is_not_told_again(turn, asker, corpus, knows):
    row = correct(turn)
    knows[QUESTION] = RIGHT
    promote(MemoryVersionFactory(corpus=corpus, number=2), reason="Newer")
    run_checks()
    feedback.dismiss_news(row.pk, asker)
    promote(MemoryVersionFactory(corpus=corpus, number=3), reason="Newest")
    assert run_checks() == []
    assert not feedback.news_of(asker).exists()


def test_nobody_puts_away_the_news_of_others(turn, asker, corpus, curator):
    row = correct(turn)
    curation.review(Reflection.objects.all(), ReviewStatus.REJECTED, curator)
    feedback.dismiss_news(row.pk, UserFactory(reads=corpus))
    assert again(row).seen_at is None


def test_who_may_not_ask_the_version_is_told_nothing_of_it(turn, asker, corpus, knows):
    correct(turn)
    knows[QUESTION] = RIGHT
    closed = MemoryVersionFactory(corpus=corpus, number=2, corpora=[CorpusFactory()])
    promote(closed, reason="Merged", narrow=True)
    run_checks()
    assert not feedback.news_of(asker).exists()


def test_who_lost_the_corpus_is_told_nothing(turn, asker, curator):
    correct(turn)
    curation.review(Reflection.objects.all(), ReviewStatus.REJECTED, curator)
    asker.groups.clear()
    assert not feedback.news_of(asker).exists()


# --- The parts of pages ------------------------------------------------------------------------------------
HTMX = {"HX-Request": "true"}


@pytest.fixture
def visitor(client, asker):
    client.force_login(asker)
    return client


def part(visitor, turn, **posted: str) -> str:
    return visitor.post(reverse("turn-feedback", args=[turn.pk]), posted, headers=HTMX).content.decode()


def test_a_press_on_a_thumb_comes_back_pressed(visitor, turn):
    shown = part(visitor, turn, is_good="yes")
    assert shown.count('aria-pressed="true"') == 1
    assert "Thank you." in shown
    assert Feedback.objects.get().is_good


def test_not_good_opens_the_form_and_a_saved_correction_says_what_happens_next(visitor, turn):
    shown = part(visitor, turn, is_good="no")
    assert 'name="corrected"' in shown
    assert "The curators of Harbour see it" in shown
    saved = part(visitor, turn, is_good="no", reason="wrong", corrected=RIGHT, save="yes")
    assert "Your correction waits for a curator." in saved
    assert 'name="corrected"' not in saved
    opened = visitor.get(reverse("turn-feedback", args=[turn.pk]), {"open": "1"}).content.decode()
    assert RIGHT in opened


def test_what_was_refused_is_said_in_the_part_with_what_was_typed(visitor, turn):
    shown = part(visitor, turn, is_good="no", reason="boring", corrected=RIGHT, save="yes")
    assert "no reason “boring”" in shown
    assert RIGHT in shown
    assert not Feedback.objects.exists()


def test_feedback_that_is_taken_back_shows_two_open_thumbs(visitor, turn):
    correct(turn)
    shown = visitor.post(reverse("remove-feedback", args=[turn.pk]), headers=HTMX).content.decode()
    assert 'aria-pressed="true"' not in shown
    assert not Feedback.objects.exists()


def test_without_scripts_the_person_is_back_at_the_turn(visitor, turn):
    answer = visitor.post(reverse("turn-feedback", args=[turn.pk]), {"is_good": "yes"})
    assert answer.url == f"{turn.conversation.get_absolute_url()}#turn-{turn.pk}"


def test_the_turn_is_shown_with_its_feedback_and_a_running_one_without(visitor, turn):
    address = turn.conversation.get_absolute_url()
    assert "Good answer" in visitor.get(address).content.decode()
    turn.status = TurnStatus.RUNNING
    turn.save()
    assert "Good answer" not in visitor.get(address).content.decode()


def test_what_people_type_is_shown_as_text(visitor, turn, curator, client):
    shown = part(
        visitor, turn, is_good="no", corrected="<script>alert(1)</script>", comment="<b>x</b>", save="1"
    )
    shown += visitor.get(reverse("turn-feedback", args=[turn.pk]), {"open": "1"}).content.decode()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    curator.is_staff = True
    curator.save()
    client.force_login(curator)
    page = client.get(reverse("admin:knowledge_reflection_queue")).content.decode()
    assert "<script>alert(1)" not in page
    assert "<b>x</b>" not in page


def test_news_leads_to_the_turn_and_goes_away_when_it_was_read(visitor, turn, curator):
    row = correct(turn)
    curation.review(Reflection.objects.all(), ReviewStatus.REJECTED, curator)
    page = visitor.get(turn.conversation.get_absolute_url()).content.decode()
    assert f'href="{turn.conversation.get_absolute_url()}#turn-{turn.pk}"' in page
    shown = visitor.post(reverse("dismiss-news", args=[row.pk]), headers=HTMX).content.decode()
    assert "decided otherwise" not in shown
    assert again(row).seen_at is not None


def test_a_page_takes_as_many_queries_for_few_turns_with_feedback_as_for_many(visitor, turn):
    def queries(turns: int) -> int:
        for _ in range(turns):
            one = AnsweredTurnFactory(conversation=turn.conversation, version=turn.version)
            FeedbackFactory(turn=one, is_good=True)
        with CaptureQueriesContext(connection) as asked:
            visitor.get(turn.conversation.get_absolute_url())
        return len(asked)

    assert queries(8) == queries(2)


def test_citations_that_were_copied_with_an_answer_are_not_part_of_the_pair(turn):
    assert correct(turn, "Bo Marsh leads Project Atlas [1].").reflection.answer == RIGHT


# --- REST --------------------------------------------------------------------------------------------------
def test_rest_takes_feedback_and_tells_what_became_of_it(visitor, turn):
    address = reverse("api-turn-feedback", args=[turn.pk])
    assert visitor.get(address).status_code == 404
    sent = {"is_good": False, "reason": "wrong", "corrected": RIGHT}
    made = visitor.post(address, sent, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["pair_status"] == "pending"
    assert visitor.get(address).json()["corrected"] == RIGHT
    assert visitor.delete(address).status_code == 204
    assert not Reflection.objects.exists()


def test_rest_refuses_what_is_wrong_by_field(visitor, turn):
    address = reverse("api-turn-feedback", args=[turn.pk])
    answer = visitor.post(address, {"is_good": False, "reason": "boring"}, content_type="application/json")
    assert answer.status_code == 400
    assert "reason" in answer.json()["errors"]
    answer = visitor.post(address, {"is_good": True, "corrected": RIGHT}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_feedback")
