"""How long conversations are kept: so many days after their last question, as the corpora's owners decided.

Where several corpora are asked, the fewest days count. What stays when a conversation goes: the numbers of its day
(DayOfUse), what memory could not answer (without the person), and pairs that came of corrections.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from chat import services
from chat.models import ChatSettings, Conversation, Turn, TurnStatus
from knowledge.models import Corpus
from memosite.errors import Conflict

BATCH = 100  # conversations that are looked up at once; each is deleted in a transaction of its own


def days_for(corpora: Iterable[Corpus]) -> int | None:
    """How many days conversations about these corpora are kept: the fewest of all. None: for ever."""
    pks = {corpus.pk for corpus in corpora}
    decided = ChatSettings.objects.filter(corpus__in=pks, retention_days__isnull=False)
    days = {row.corpus_id: row.retention_days or 0 for row in decided}
    days |= dict.fromkeys(pks - days.keys(), settings.CHAT_RETENTION_DAYS)
    return min(filter(None, days.values()), default=None)


def kept_until(conversation: Conversation) -> datetime | None:
    """When the conversation will be deleted if nothing more is asked in it. None: never."""
    days = days_for(conversation.corpora)
    if days is None:
        return None
    last = conversation.turns.order_by("-pk").values_list("created_at", flat=True).first()
    return (last or conversation.created_at) + timedelta(days=days)


def expired() -> QuerySet[Conversation]:
    """Conversations whose days are over and in which nothing is being answered."""
    last = Turn.objects.filter(conversation=OuterRef("pk")).order_by("-pk").values("created_at")[:1]
    at_work = Turn.objects.filter(conversation=OuterRef("pk"), status=TurnStatus.RUNNING)
    at_work = at_work.exclude(pk__in=Turn.objects.abandoned().values("pk"))
    rows = Conversation.objects.annotate(last_question=Coalesce(Subquery(last), "created_at"))
    return rows.filter(_are_over(timezone.now())).exclude(Exists(at_work))


def asks(corpora: QuerySet[Corpus]) -> Q:
    """The condition that a conversation asks one of the corpora, first or beside another."""
    beside = Conversation.others.through._default_manager.filter(corpus__in=corpora.values("pk"))
    return Q(corpus__in=corpora.values("pk")) | Q(pk__in=beside.values("conversation"))


def _are_over(now: datetime) -> Q:
    """The condition under which one of the asked corpora keeps a conversation no longer."""
    over = Q(pk__in=())
    for days, corpora in _corpora_by_days():
        over |= asks(corpora) & Q(last_question__lt=now - timedelta(days=days))
    return over


def _corpora_by_days() -> Iterator[tuple[int, QuerySet[Corpus]]]:
    decided = ChatSettings.objects.filter(retention_days__isnull=False)
    for days in decided.order_by().values_list("retention_days", flat=True).distinct():
        yield days or 1, Corpus.objects.filter(chat_settings__retention_days=days)
    if settings.CHAT_RETENTION_DAYS:
        yield settings.CHAT_RETENTION_DAYS, Corpus.objects.filter(chat_settings__retention_days=None)


def purge(stop: Callable[[], bool] = lambda: False) -> Counter[str]:
    """Delete what is not kept any longer, until ``stop``; how many conversations of each corpus, by slug.

    It may be killed at any moment, and run several times at once: each conversation goes whole, or stays.
    """
    deleted: Counter[str] = Counter()
    seen = 0
    while batch := list(
        expired().filter(pk__gt=seen).order_by("pk").values_list("pk", "corpus__slug")[:BATCH]
    ):
        for seen, slug in batch:
            if stop():
                return deleted
            deleted[slug] += _delete(seen)
    return +deleted


def _delete(pk: int) -> bool:
    """Delete a conversation unless somebody went on with it by now. Whether it was deleted here."""
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update().filter(pk=pk).first()
        if conversation is None or not expired().filter(pk=pk).exists():
            return False
        try:
            services.delete_conversation(conversation)
        except Conflict:
            return False
    return True
