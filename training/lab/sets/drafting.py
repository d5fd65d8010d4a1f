"""Questions drafted from what a corpus holds: what people said, held-out wordings, and probes of its passages."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from knowledge.models import Chunk, Corpus, Reflection, ReflectionSource
from knowledge.pipeline.types import Kind
from memosite.errors import MemoError
from training.engine.pairs import lot
from training.evaluation.questions import BadQuestion, checked_question
from training.evaluation.types import Question
from training.evaluation.wordings import new_wordings, wording_key
from training.lab.sets.providers import PEOPLES_QUESTIONS, values_of
from training.lab.sets.services import MOST_QUESTIONS, Draft, Stored, store
from training.models import EvaluationSet, SetSource, TrainedPair

USUAL_QUESTIONS = 200
NO_VALUE = "with an answer that names no value to look for"
NO_WORDING = "with no wording that was not trained on"
NO_PAIR = "without an approved pair"


class NothingToAsk(MemoError):
    """There is nothing that questions could be made of."""

    code = "nothing_to_ask"
    status = 409


@dataclass
class Drafted:
    """Questions, and how many could not be made, by the reason."""

    drafts: list[Draft] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def told(self, thing: str) -> str:
        """What was left out, as a sentence; empty where nothing was."""
        parts = [f"{count:,} {thing}{'s' if count > 1 else ''} {why}" for why, count in self.left_out.items()]
        return f"Left out: {'; '.join(parts)}." if parts else ""


Draw = Callable[[Corpus, int], Drafted]


@dataclass(frozen=True)
class Maker:
    """A way to make questions. ``thing`` is what it goes through, ``draw`` takes how many are wanted at most."""

    label: str
    description: str
    thing: str
    draw: Draw


def make_set(
    corpus: Corpus, person: Any, name: str, source: str, *, most: int = USUAL_QUESTIONS
) -> tuple[EvaluationSet, Stored, str]:
    """Make questions of the source and put them into the set of that name; tells what was left out.

    Raises NothingToAsk where there are none, and what ``store`` raises.
    """
    maker = MAKERS.get(source)
    if maker is None:
        raise NothingToAsk(f"There is no source “{source}”. Choose one of: {', '.join(MAKERS)}.")
    drafted = maker.draw(corpus, min(max(1, most), MOST_QUESTIONS))
    told = drafted.told(maker.thing)
    if not drafted.drafts:
        raise NothingToAsk(f"No question can be made from {maker.label.lower()} here. {told}".strip())
    with transaction.atomic():
        row, stored = store(corpus, person, name, drafted.drafts, source=source)
    return row, stored, told


# --- From what people said ---------------------------------------------------------------------------------
def from_feedback(corpus: Corpus, most: int) -> Drafted:
    """What people asked and curators answered with an approved pair."""
    drafted = Drafted()
    found = [asked for provide in PEOPLES_QUESTIONS.values() for asked in provide(corpus)]
    titles = _titles(asked.pair.pk for asked in found)
    for asked in {wording_key(asked.text): asked for asked in found}.values():
        _draft(drafted, asked.text, asked.pair, titles, {"kind": asked.kind})
    drafted.drafts = drafted.drafts[:most]
    return drafted


# --- From approved pairs -----------------------------------------------------------------------------------
def held_out_wordings(corpus: Corpus, most: int) -> Drafted:
    """One question for each of so many facts, in a wording that no version was trained on.

    A wording that training held out comes first; where there is none, a new one is made. Facts are drawn by a
    hash, so that the same corpus gives the same questions.
    """
    wordings = Wordings(corpus)
    facts: dict[str, list[Reflection]] = defaultdict(list)
    for pair in corpus.reflections.trainable().order_by("pk"):
        facts[pair.fact].append(pair)
    drawn = sorted(facts, key=lambda fact: lot("held out", fact))
    return _drafted(wordings, (facts[fact] for fact in drawn), most)


def probes(corpus: Corpus, most: int) -> Drafted:
    """One question for each passage of the current documents that an approved pair rests on."""
    of_passage = _pairs_by_passage(corpus)
    current = Chunk.objects.filter(document__corpus=corpus, document__is_current=True)
    passages = sorted(current.values_list("pk", flat=True), key=lambda passage: lot("probe", passage))
    drafted = _drafted(
        Wordings(corpus), (of_passage[passage] for passage in passages if passage in of_passage), most
    )
    if bare := sum(passage not in of_passage for passage in passages):
        drafted.left_out[NO_PAIR] += bare
    return drafted


def _pairs_by_passage(corpus: Corpus) -> dict[int, list[Reflection]]:
    pairs = corpus.reflections.trainable().in_bulk()
    found: dict[int, list[Reflection]] = defaultdict(list)
    spans = ReflectionSource.objects.filter(reflection__in=corpus.reflections.trainable())
    for passage, pair in spans.order_by("chunk", "reflection").values_list("chunk", "reflection").distinct():
        found[passage].append(pairs[pair])
    return found


def _drafted(wordings: Wordings, groups: Iterable[Sequence[Reflection]], most: int) -> Drafted:
    """A question for each group of pairs, until there are enough."""
    drafted = Drafted()
    chosen: dict[str, tuple[str, Reflection, str]] = {}
    for pairs in groups:
        if len(chosen) == most:
            break
        found = next((one for one in wordings.of(pairs) if wording_key(one[0]) not in chosen), None)
        if found is None:
            drafted.left_out[NO_WORDING] += 1
        else:
            chosen[wording_key(found[0])] = found
    titles = _titles(pair.pk for _, pair, _ in chosen.values())
    for text, pair, origin in chosen.values():
        _draft(drafted, text, pair, titles, {"kind": pair.get_kind_display(), "wording": origin})
    return drafted


class Wordings:
    """Wordings of approved pairs that no version of the corpus was trained on."""

    def __init__(self, corpus: Corpus) -> None:
        seen = TrainedPair.objects.filter(version__corpora=corpus, held_out=False).order_by()
        trained = {wording_key(text) for text in seen.values_list("question", flat=True).distinct()}
        kept = TrainedPair.objects.filter(reflection__corpus=corpus, held_out=True).order_by()
        self._held_out = set(kept.values_list("reflection", "question").distinct())
        self._trained = trained
        #: What the next training would be given, too.
        self._known = trained | {wording_key(pair) for pair in _questions(corpus)}

    def of(self, pairs: Iterable[Reflection]) -> Iterator[tuple[str, Reflection, str]]:
        """Wordings with their pair and where they come from, those that training held out first."""
        pairs = list(pairs)
        for pair in pairs:
            if (pair.pk, pair.question) in self._held_out and wording_key(pair.question) not in self._trained:
                yield pair.question, pair, "held out"
        for pair in pairs:
            for text in new_wordings(pair.question):
                if wording_key(text) not in self._known:
                    yield text, pair, "new"


def _questions(corpus: Corpus) -> Iterator[str]:
    rows = corpus.reflections.present().order_by().values_list("question", flat=True)
    return rows.iterator()


# --- Questions ---------------------------------------------------------------------------------------------
def _draft(
    drafted: Drafted, text: str, pair: Reflection, titles: Mapping[int, list[str]], tags: dict[str, str]
) -> None:
    """Draft the question, or count why it cannot be."""
    try:
        question = question_of(text, pair, documents=titles.get(pair.pk, ()), tags=tags)
    except BadQuestion:
        question = None
    if question is None:
        drafted.left_out[NO_VALUE] += 1
    else:
        drafted.drafts.append(Draft(question, pair.pk))


def question_of(
    text: str, pair: Reflection, *, documents: Iterable[str] = (), tags: Mapping[str, str]
) -> Question | None:
    """A question that the pair answers: the values of its answer are what is looked for.

    One value counts in the pair's whole sentence as well; several are a set. None where the answer names none.
    Raises BadQuestion.
    """
    found = {"documents": tuple(documents), "tags": dict(tags)}
    if pair.kind == Kind.UNANSWERABLE:
        return checked_question(text, answerable=False, **found)
    values = values_of(pair.question, pair.answer)
    if not values:
        return None
    if len(values) > 1:
        return checked_question(text, values, is_set=True, **found)
    return checked_question(text, (values[0], pair.answer), **found)


def _titles(pairs: Iterable[int]) -> dict[int, list[str]]:
    """Titles of the current documents that the pairs rest on, by pair."""
    spans = ReflectionSource.objects.filter(reflection__in=list(pairs), chunk__document__is_current=True)
    found: dict[int, list[str]] = defaultdict(list)
    for pair, title in spans.values_list("reflection", "chunk__document__title").distinct():
        if title not in found[pair]:
            found[pair].append(title)
    return found


MAKERS: dict[str, Maker] = {
    SetSource.FEEDBACK: Maker(
        "People's feedback",
        "What people corrected or asked in vain, where a curator approved a pair that answers it.",
        "question",
        from_feedback,
    ),
    SetSource.HELD_OUT: Maker(
        "Held-out wordings",
        "One question a fact, worded as no version was trained on it.",
        "fact",
        held_out_wordings,
    ),
    SetSource.PROBES: Maker(
        "Probes of passages",
        "One question for each passage of the documents that an approved pair rests on.",
        "passage",
        probes,
    ),
}
