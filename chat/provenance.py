"""What supports the answers of a memory: pairs that its version was trained on and that say the same or nearly.

Nobody read the weights: a supporting pair shows that the version was taught something, not where an answer came
from. The caller decides who may see a turn; what is shown of it is decided here, for the person who looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.template.defaultfilters import date
from django.urls import reverse

from chat.evidence.grading import Grade
from chat.evidence.index import PairIndex, Support, Taught
from chat.evidence.shelf import Shelf
from chat.models import SubQuery, Turn
from knowledge.highlight import Stretch, stretches
from knowledge.models import Corpus, Document, Reflection, ReflectionSource, ReviewStatus, Role
from knowledge.templatetags.figures import percent
from memosite.errors import MemoError
from training.memory import DONT_KNOW
from training.models import MemoryVersion, TrainedPair

PAIRS_SHOWN = 3
PASSAGES_SHOWN = 3  # of one pair
AROUND = 160  # letters shown on either side of a marked span, at most

WEIGHTS_UNREAD = (
    "Memory answered from its weights, and those were not read. These are pairs that it was trained on, "
    "with the passages that they were made from: they support the answer, they are not its source."
)
UNANSWERED = "Memory has not answered this yet."
ABSTAINED = "Memory said that it does not know, so there is nothing to support."
DELETED = "The memory version that answered was deleted, and its pairs with it."
WITHOUT_PAIRS = (
    "The version that answered came without the pairs that it was trained on, so none can be shown."
)
NOTHING_NEAR = (
    "No pair that this version was trained on says this or nearly this. Check the answer elsewhere."
)
ALL_HIDDEN = (
    "What this version was trained on and says something near comes from corpora that you may not read."
)
NO_RECORD = (
    "No document is known for this pair: it came with an imported memory, or was deleted from the corpus."
)
REJECTED = "A curator has rejected this pair since."
UNDER_REVIEW = "This pair is under review again."
EDITED = "This pair was edited since."
NO_ANSWER = "There is no answer yet."
RETIRED = "The documents no longer yield this pair, by the latest generation."


class NoSuchSubQuery(MemoError):
    """The turn has no sub-query of that number."""

    code = "no_such_sub_query"
    status = 404


@dataclass(frozen=True)
class Passage:
    """A passage that a pair was made from, with the supporting span marked, and where to read on.

    ``since`` says that the document was replaced or taken out after the pair was made; empty if it is current.
    """

    document: str
    version: int
    url: str
    stretches: tuple[Stretch, ...]
    since: str = ""

    @property
    def marked(self) -> str:
        """The supporting span alone."""
        return " ".join(piece.text for piece in self.stretches if piece.marked)


@dataclass(frozen=True)
class SupportingPair:
    """A pair as the version was trained on it.

    ``answers_otherwise``: it gives another answer to the same question. ``other_wordings`` counts the pairs of the
    same answer besides. ``since`` says what became of the pair. ``more_passages`` are not shown for their number,
    ``hidden_passages`` because the person may not read their documents.
    """

    question: str
    answer: str
    grade: Grade
    answers_otherwise: bool = False
    other_wordings: int = 0
    since: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    more_passages: int = 0
    hidden_passages: int = 0

    @property
    def hidden_passages_told(self) -> str:
        return hidden_passages_told(self.hidden_passages) if self.hidden_passages else ""


@dataclass(frozen=True)
class Sources:
    """What supports one answer of a memory, as one person may see it.

    ``grade`` is that of the best pair shown; without any, ``why_none`` says why. ``version`` names the version
    that answered, where it is open to the person. ``hidden_pairs`` were left out because the person may not read
    the corpus that they belong to.
    """

    index: int
    question: str
    answer: str
    known: bool
    confidence: float | None = None
    version: str = ""
    pairs: tuple[SupportingPair, ...] = ()
    hidden_pairs: int = 0
    why_none: str = ""

    @property
    def grade(self) -> Grade:
        return self.pairs[0].grade if self.pairs else Grade.NONE

    @property
    def in_words(self) -> str:
        """The grade in a few words."""
        if not self.pairs:
            return "no pair to show"
        if self.grade == Grade.EXACT:
            return "memory was taught the same"
        other = self.pairs[0].answers_otherwise
        return "memory was taught another answer" if other else "memory was taught something near"

    @property
    def hidden_pairs_told(self) -> str:
        return hidden_pairs_told(self.hidden_pairs) if self.hidden_pairs else ""

    @property
    def note(self) -> str:
        """What these pairs are, and what they are not."""
        return WEIGHTS_UNREAD


def supporting(turn: Turn, index: int, person: Any) -> Sources:
    """What supports the answer to a sub-query of the turn, as the person may see it. Raises NoSuchSubQuery."""
    row = _sub_queries(turn).filter(index=index).first()
    if row is None:
        raise NoSuchSubQuery(f"This question has no sub-query {index}.")
    return _sources_of(row, Viewer(person))


def all_supporting(turn: Turn, person: Any) -> list[Sources]:
    """What supports each answer of the turn, in the order of its sub-queries, as the person may see it."""
    viewer = Viewer(person)
    return [_sources_of(row, viewer) for row in _sub_queries(turn)]


def _sub_queries(turn: Turn) -> Any:
    return turn.sub_queries.select_related("version__corpus", "turn__version__corpus", "turn__conversation")


@dataclass
class Viewer:
    """A person who looks, and what is open to the person; asked of the database once."""

    person: Any
    _versions: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        readable = Corpus.objects.for_role(self.person, Role.READER)
        self.corpora = frozenset(readable.values_list("pk", flat=True))

    def may_ask(self, version: MemoryVersion) -> bool:
        if version.pk not in self._versions:
            self._versions[version.pk] = version.allows(self.person)
        return self._versions[version.pk]

    def may_see(self, pair: TrainedPair, version: MemoryVersion) -> bool:
        """Whether the pair is of a corpus that the person reads; of an unknown one, whether all are read."""
        return pair.reflection.corpus_id in self.corpora if pair.reflection else self.may_ask(version)


def _sources_of(row: SubQuery, viewer: Viewer) -> Sources:
    version = _answered_by(row)
    about: dict[str, Any] = {
        "index": row.index,
        "question": row.question,
        "answer": row.answer,
        "known": row.known,
        "confidence": row.confidence,
        "version": str(version) if version and viewer.may_ask(version) else "",
    }
    if not row.answer:
        return Sources(**about, why_none=UNANSWERED)
    if not row.known and row.answer == DONT_KNOW:
        return Sources(**about, why_none=ABSTAINED)
    if version is None:
        return Sources(**about, why_none=DELETED)
    index = index_of(version)
    if not len(index):
        return Sources(**about, why_none=WITHOUT_PAIRS)
    found = index.nearest(row.wordings or [row.question], row.answer)
    pairs, hidden = _as_seen(found, version, viewer)
    why = "" if pairs else ALL_HIDDEN if hidden else NOTHING_NEAR
    return Sources(**about, pairs=tuple(pairs), hidden_pairs=hidden, why_none=why)


def _answered_by(row: SubQuery) -> MemoryVersion | None:
    """The version that answered; of turns from before each answer named its own, the turn's only one."""
    if row.version is None and not row.turn.conversation.others.exists():
        return row.turn.version
    return row.version


@cache
def _shelf() -> Shelf:
    return Shelf(settings.SOURCES_KEPT)


def index_of(version: MemoryVersion) -> PairIndex:
    """The index of the pairs that a version was trained on, built when it is first wanted in this process."""
    return _shelf().get((version.pk, version.trained_at), lambda: _build(version))


def _build(version: MemoryVersion) -> PairIndex:
    rows = version.pairs.filter(held_out=False).values_list("pk", "question", "answer")
    return PairIndex([Taught(*row) for row in rows.iterator(chunk_size=5000)])


# --- As a person may see it --------------------------------------------------------------------------------
def _as_seen(
    found: Sequence[Support], version: MemoryVersion, viewer: Viewer
) -> tuple[list[SupportingPair], int]:
    """The first pairs that are open to the viewer, and how many before or among them are not."""
    keys = [key for support in found for key in support.wordings]
    rows = TrainedPair.objects.select_related("reflection").in_bulk(keys)
    shown: list[SupportingPair] = []
    hidden = 0
    for support in found:
        taught = [rows[key] for key in support.wordings if key in rows]
        open_ones = [pair for pair in taught if viewer.may_see(pair, version)]
        if open_ones:
            shown.append(_pair_seen(support, open_ones, viewer))
        elif taught:
            hidden += 1
        if len(shown) == PAIRS_SHOWN:
            break
    return shown, hidden


def _pair_seen(support: Support, taught: Sequence[TrainedPair], viewer: Viewer) -> SupportingPair:
    """A pair with the passages behind it and behind the other wordings of its answer."""
    first = taught[0]
    spans = _spans_of(taught)
    may_read = [span for span in spans if span.chunk.document.corpus_id in viewer.corpora]
    return SupportingPair(
        first.question,
        first.answer,
        support.grade,
        support.graded.answers_otherwise,
        len(taught) - 1,
        tuple(_since(first)),
        tuple(_passage(span) for span in may_read[:PASSAGES_SHOWN]),
        len(may_read[PASSAGES_SHOWN:]),
        len(spans) - len(may_read),
    )


def _since(pair: TrainedPair) -> Iterable[str]:
    """What became of a pair since a version was trained on it, in sentences."""
    if pair.reflection is None:
        yield NO_RECORD
        return
    now = pair.reflection.latest_revision()
    if now.status != ReviewStatus.APPROVED:
        yield REJECTED if now.status == ReviewStatus.REJECTED else UNDER_REVIEW
    if (now.question, now.answer) != (pair.question, pair.answer):
        yield f"{EDITED} {_reads_now(now)}".strip()
    if now.retired:
        yield RETIRED


def _reads_now(now: Reflection) -> str:
    """The new words, once a curator has approved them."""
    return f"It now reads: {now.question} {now.answer}" if now.status == ReviewStatus.APPROVED else ""


def _spans_of(taught: Sequence[TrainedPair]) -> list[ReflectionSource]:
    """The spans behind pairs, each once: those of the first pair first, current documents before others."""
    place = {pair.reflection_id: number for number, pair in reversed(list(enumerate(taught)))}
    rows = (
        ReflectionSource.objects.filter(reflection__in=[key for key in place if key])
        .select_related("chunk__document__corpus")
        .defer("chunk__document__text")
    )
    ordered = sorted(
        rows, key=lambda row: (not row.chunk.document.is_current, place[row.reflection_id], row.pk)
    )
    unique: dict[tuple[int, int, int], ReflectionSource] = {}
    for row in ordered:
        unique.setdefault((row.chunk_id, row.start, row.end), row)
    return list(unique.values())


def _passage(span: ReflectionSource) -> Passage:
    document = span.chunk.document
    return Passage(
        document.title,
        document.version,
        reverse("document", args=[document.corpus.slug, document.pk]),
        tuple(_excerpt(span.chunk.text, span.start, span.end)),
        "" if document.is_current else _replaced(document),
    )


def _replaced(document: Document) -> str:
    has_newer = document.corpus.documents.current().filter(name=document.name).exists()
    return "replaced by a newer version since" if has_newer else "taken out of the corpus since"


def _excerpt(text: str, start: int, end: int) -> list[Stretch]:
    """The span with what stands around it in its paragraph, cut at blanks; dots say that the paragraph goes on."""
    paragraph = text.rfind("\n\n", 0, start) + 2 if "\n\n" in text[:start] else 0
    its_end = text.find("\n\n", end) if "\n\n" in text[end:] else len(text)
    first = (
        _after_blank(text, max(paragraph, start - AROUND), start) if start - paragraph > AROUND else paragraph
    )
    last = _before_blank(text, end, min(its_end, end + AROUND)) if its_end - end > AROUND else its_end
    pieces = stretches(text[first:last], [(start - first, end - first)])
    dots_before = [Stretch("… ", False)] if first > paragraph else []
    dots_after = [Stretch(" …", False)] if last < its_end else []
    return [*dots_before, *pieces, *dots_after]


def _after_blank(text: str, first: int, last: int) -> int:
    blank = text.find(" ", first, last)
    return blank + 1 if blank >= 0 else first


def _before_blank(text: str, first: int, last: int) -> int:
    blank = text.rfind(" ", first, last)
    return blank if blank >= 0 else last


# --- To take along -----------------------------------------------------------------------------------------
_BRACKET = re.compile(
    r"\\*\[(?!\d+\](?![(\[:]))"
)  # all but [1]: a link in a copied answer would lead anywhere
_TAG = re.compile(r"\\*<")
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~!])")


def as_markdown(turn: Turn, person: Any, absolute: Callable[[str], str] = str) -> str:
    """The turn as Markdown to paste elsewhere: the answer, what memory was asked, and the supporting documents.

    Passages are quoted as the person may see them. ``absolute`` makes a whole address of a path of this site. No
    HTML and no links come out but those to documents, whatever the EXECUTIVE and MEMORY wrote.
    """
    asked = all_supporting(turn, person)
    parts = [f"**{_plain(turn.question)}**", _harmless(turn.answer) or NO_ANSWER]
    if asked:
        parts += [
            f"Sub-questions to memory{_as_of(turn, person)}:",
            "\n".join(_as_item(each, absolute) for each in asked),
        ]
    if any(each.pairs for each in asked):
        parts.append(f"*{WEIGHTS_UNREAD}*")
    return "\n\n".join(parts) + "\n"


def _as_of(turn: Turn, person: Any) -> str:
    versions = [version for version in turn.versions.select_related("corpus") if version.allows(person)]
    told = [f"{_plain(str(each))}, trained on {date(each.trained_at, 'j F Y')}" for each in versions]
    return f" ({'; '.join(told)})" if told else ""


def _as_item(sources: Sources, absolute: Callable[[str], str]) -> str:
    sure = (
        f" ({percent(sources.confidence)} sure)" if sources.known and sources.confidence is not None else ""
    )
    said = _plain(sources.answer) or "No answer."
    lines = [f"{sources.index}. {_plain(sources.question)}", f"   {said}{sure}"]
    lines += [_as_support(pair, absolute) for pair in sources.pairs]
    if not sources.pairs and sources.known:
        lines.append(f"   - Supporting (none): {sources.why_none}")
    if sources.hidden_pairs:
        lines.append(f"   - {hidden_pairs_told(sources.hidden_pairs)}")
    return "\n".join(lines)


def _as_support(pair: SupportingPair, absolute: Callable[[str], str]) -> str:
    grade = f"{pair.grade}, another answer" if pair.answers_otherwise else pair.grade
    notes = "".join(f" {_plain(note)}" for note in pair.since)
    quoted = [
        f"[{_plain(one.document)}, version {one.version}]({absolute(one.url)})"
        f"{f' ({one.since})' if one.since else ''}: “{_plain(one.marked)}”"
        for one in pair.passages
    ]
    if pair.hidden_passages:
        quoted.append(hidden_passages_told(pair.hidden_passages))
    return f"   - Supporting ({grade}): {_plain(pair.question)} {_plain(pair.answer)}{notes}" + "".join(
        f"\n     - {each}" for each in quoted
    )


def hidden_pairs_told(count: int) -> str:
    """How many pairs a person does not see, and why."""
    pairs = "1 pair is" if count == 1 else f"{count} pairs are"
    return f"{pairs} not shown: you may not read the corpus behind {'it' if count == 1 else 'them'}."


def hidden_passages_told(count: int) -> str:
    """How many passages a person does not see, and why."""
    passages = "1 passage is" if count == 1 else f"{count} passages are"
    return f"{passages} not shown: you may not read the document."


def _plain(text: str) -> str:
    """A text on one line that Markdown shows as it is."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _harmless(text: str) -> str:
    """Markdown without its links and HTML; citations such as [1] stay."""
    return _TAG.sub(r"\\<", _BRACKET.sub(r"\\[", text.strip()))
