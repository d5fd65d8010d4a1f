"""What people asked and a curator answered with an approved pair: questions for an evaluation, without names.

Nothing is taken that curators do not see in the review queue and in the demand list anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from chat.models import Demand, Feedback
from knowledge.models import Corpus
from training.lab.sets.providers import PeoplesQuestion


def corrected(corpus: Corpus) -> Iterator[PeoplesQuestion]:
    """Corrections that curators approved, in the words of the pair."""
    said = Feedback.objects.filter(reflection=OuterRef("pk")).exclude(corrected="")
    for pair in corpus.reflections.trainable().filter(Exists(said)).order_by("pk"):
        yield PeoplesQuestion(pair.question, pair, "correction")


def demanded(corpus: Corpus) -> Iterator[PeoplesQuestion]:
    """Questions that memory could not answer and for which a curator wrote a pair, in the words of who asked."""
    approved = corpus.reflections.trainable()
    answered = Demand.objects.filter(corpus=corpus, reflection__in=approved)
    for demand in answered.select_related("reflection").order_by("pk"):
        if demand.reflection:
            yield PeoplesQuestion(demand.question, demand.reflection, "demand")
