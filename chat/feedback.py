"""What the person who asked says of an answer, and what becomes of a correction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from chat import services
from chat.checking import request_check_if_due
from chat.likeness.answers import uncited
from chat.models import Feedback, FeedbackReason, SubQuery, Turn, TurnStatus
from knowledge.models import Corpus, Reflection, ReviewStatus, Role
from knowledge.suggestions import Suggestion, reword_suggestion, suggest_pair, withdraw_suggestion
from memosite.errors import Conflict, MemoError, NotAllowed
from training.models import MemoryVersion

MAX_COMMENT = 2000
MAX_CORRECTED = 4000
SUGGESTIONS_SHOWN = 5
BATCH = 500


class BadFeedback(MemoError):
    """What was sent cannot be taken as feedback."""

    code = "bad_feedback"
    status = 422


# --- Giving ------------------------------------------------------------------------------------------------
@transaction.atomic
def give(
    turn: Turn, person: Any, *, is_good: bool, reason: str = "", comment: str = "", corrected: str = ""
) -> Feedback:
    """Store what the person says of the turn's answer, in the place of what the person said before.

    A correction becomes a pending pair of ``corpus_to_correct``: nothing else changes until a curator decides. A
    changed correction changes that pair while nobody has looked at it, and makes another one after that. Raises
    BadFeedback, Conflict while the question is being answered, and NotAllowed for anybody but who asked.
    """
    _require_asker(turn, person)
    words = _checked(is_good, reason, comment.strip(), uncited(corrected).strip())
    Turn.objects.select_for_update().get(pk=turn.pk)
    row = Feedback.objects.filter(turn=turn).select_related("reflection__corpus").first()
    row = row or Feedback(turn=turn, is_good=is_good)
    if row.corrected != words["corrected"] or (words["corrected"] and row.reflection is None):
        _correct(row, words["corrected"])
    for name, value in words.items():
        setattr(row, name, value)
    row.save()
    if row.reflection:
        request_check_if_due(row.reflection.corpus)
    return row


@transaction.atomic
def withdraw(turn: Turn, person: Any) -> None:
    """Take the feedback back, and its pair with it unless a curator has looked at that. Raises NotAllowed."""
    _require_asker(turn, person)
    Turn.objects.select_for_update().get(pk=turn.pk)
    row = Feedback.objects.filter(turn=turn).first()
    if row is not None:
        _let_go(row)
        row.delete()


def corpus_to_correct(turn: Turn) -> Corpus:
    """Whose curators get the correction: the corpus whose memory gave most of what the answer rests on.

    An answer that rests on nothing, or on a version that is gone, is corrected in the conversation's own corpus.
    """
    final = turn.events.filter(type="final").first()
    cited = final.data.get("sub_queries", ()) if final else ()
    rests_on = SubQuery.objects.filter(turn=turn, index__in=cited, version__isnull=False)
    corpora = [row.version.corpus for row in rests_on.select_related("version__corpus") if row.version]
    counted = Counter(corpus for corpus in corpora if corpus in turn.conversation.corpora)
    return counted.most_common(1)[0][0] if counted else turn.conversation.corpus


def _require_asker(turn: Turn, person: Any) -> None:
    if turn.conversation.person_id != person.pk:
        raise NotAllowed("Only the person who asked can say something about this answer.")
    for corpus in turn.conversation.corpora:
        corpus.require(person, Role.READER)
    if turn.status == TurnStatus.RUNNING:
        raise Conflict("This question is still being answered. Wait for the answer, or stop it.")


def _checked(is_good: bool, reason: str, comment: str, corrected: str) -> dict[str, Any]:
    """What is stored. Raises BadFeedback."""
    if reason and reason not in FeedbackReason.values:
        raise BadFeedback(
            f"There is no reason “{reason}”. Choose one of: {', '.join(FeedbackReason.values)}."
        )
    for name, text, most in (
        ("comment", comment, MAX_COMMENT),
        ("corrected answer", corrected, MAX_CORRECTED),
    ):
        if len(text) > most:
            raise BadFeedback(f"The {name} is {len(text):,} characters long; {most:,} is the limit.")
    if is_good and (reason or corrected):
        raise BadFeedback("A good answer needs no reason and no correction. Say “not good” to correct it.")
    return {"is_good": is_good, "reason": reason, "comment": comment, "corrected": corrected}


def _correct(row: Feedback, corrected: str) -> None:
    """Link the pair that says what the person says now; the caller saves."""
    turn = row.turn
    if not corrected:
        _let_go(row)
        row.reflection = None
    elif row.reflection and _is_alone(row):
        row.reflection = reword_suggestion(row.reflection, corrected)
    else:
        corpus = corpus_to_correct(turn)
        row.reflection = suggest_pair(corpus, _question_for(turn, corpus), corrected)
    row.answered_by = row.answered_at = row.seen_at = None
    # That version gave the answer that is corrected here: it need not be asked.
    row.checked_version = _asked_in(turn, row.reflection.corpus) if row.reflection else None


def _question_for(turn: Turn, corpus: Corpus) -> str:
    """The question of the pair. Raises BadFeedback where its words may come from what another corpus answered."""
    if not turn.asked or turn.asked == turn.question or _rests_on(turn) <= {corpus}:
        return turn.asked or turn.question
    raise BadFeedback(
        "Your question leans on the conversation, in which several corpora were asked. Ask it so that it stands "
        "by itself, and correct that answer."
    )


def _rests_on(turn: Turn) -> set[Corpus]:
    """All corpora that the answer may tell of."""
    taught = {corpus for version in turn.versions.all() for corpus in version.corpora.all()}
    return taught | set(turn.conversation.corpora)


def _let_go(row: Feedback) -> None:
    if row.reflection and _is_alone(row):
        withdraw_suggestion(row.reflection)


def _is_alone(row: Feedback) -> bool:
    """Nobody else suggested the same pair."""
    return not Feedback.objects.filter(reflection=row.reflection).exclude(pk=row.pk).exists()


def _asked_in(turn: Turn, corpus: Corpus) -> MemoryVersion | None:
    return turn.versions.filter(corpus=corpus).first() or (
        turn.version if turn.version and turn.version.corpus_id == corpus.pk else None
    )


# --- News --------------------------------------------------------------------------------------------------
def news_of(person: Any) -> QuerySet[Feedback]:
    """The person's corrections of which there is something to tell: a live version answers them, or a curator
    decided otherwise. The latest come first."""
    if not person.is_authenticated:
        return Feedback.objects.none()
    askable = MemoryVersion.objects.for_reader(person)
    answered = Q(answered_at__isnull=False, answered_by__in=askable)
    declined = Q(answered_at=None, reflection__status=ReviewStatus.REJECTED)
    own = Feedback.objects.filter(
        turn__conversation__in=services.conversations_of(person), seen_at=None, reflection__isnull=False
    )
    told = own.filter(answered | declined).select_related(
        "turn__conversation", "answered_by__corpus", "reflection"
    )
    return told.order_by("-updated_at", "-pk")


def dismiss_news(pk: int, person: Any) -> None:
    """Remember that the person has read the news of that number; anybody else's stays as it is."""
    news_of(person).filter(pk=pk).order_by().update(seen_at=timezone.now())


# --- What knowledge and training announce ------------------------------------------------------------------
def follow_pairs(ids: Iterable[int], **_: Any) -> None:
    """Pairs changed: corrections follow their revisions, and the live version is asked again about them."""
    every = list(ids)
    for start in range(0, len(every), BATCH):
        batch = every[start : start + BATCH]
        of_these = Q(reflection__in=batch) | Q(reflection__revisions__in=batch)
        linked = list(Feedback.objects.filter(of_these).values_list("pk", "reflection").distinct())
        if linked:
            _follow(batch, [pk for pk, _ in linked])


def _follow(batch: list[int], linked: list[int]) -> None:
    for revision, former in Reflection.objects.filter(pk__in=batch, revises__isnull=False).values_list(
        "pk", "revises"
    ):
        Feedback.objects.filter(reflection=former).update(reflection=revision)
    Feedback.objects.filter(pk__in=linked).update(checked_version=None)
    for corpus in Corpus.objects.filter(reflections__feedback__in=linked).distinct():
        request_check_if_due(corpus)


def suggestions(pair: Reflection, person: Any, **_: Any) -> list[Suggestion]:
    """What people said who corrected an answer to this pair's words. They are not named.

    The answer that they got is shown to people who may read everything that it may rest on.
    """
    rows = Feedback.objects.filter(reflection=pair).exclude(corrected="")
    related = rows.select_related("turn__conversation__corpus").prefetch_related(
        "turn__versions__corpora", "turn__conversation__others"
    )
    found = list(related[:SUGGESTIONS_SHOWN])
    readable = frozenset(Corpus.objects.for_role(person, Role.READER)) if found else frozenset()
    return [_suggestion(row, readable) for row in found]


def _suggestion(row: Feedback, readable: frozenset[Corpus]) -> Suggestion:
    turn = row.turn
    is_closed = not _rests_on(turn) <= readable
    return Suggestion(
        question=turn.question if is_closed else turn.asked or turn.question,
        answer="" if is_closed else uncited(turn.answer),
        reason=FeedbackReason(row.reason).label if row.reason else "",
        comment=row.comment,
        corrected=row.corrected,
        suggested_at=row.created_at,
        is_answer_closed=is_closed,
    )
