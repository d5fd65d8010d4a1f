"""Did it learn my documents: the recall of a version on the approved pairs of every passage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from knowledge.models import Chunk, Corpus, Document, GenerationRun, ReflectionSource
from knowledge.services import start_generation
from memosite.errors import Conflict
from training.evaluation.learned import WEAK_BELOW, Said, Tally
from training.lab.probes.probing import Questions, recollected
from training.models import MemoryVersion, ProbeRun, TrainedPair, pair_digest


class Wording(StrEnum):
    """How a version met a wording."""

    TRAINED = "trained"
    HELD_OUT = "held_out"
    NEW = "new"  # approved since, or left out of the training


@dataclass(frozen=True)
class Probe:
    """An approved pair as it is put to a version; ``said`` is None where the version was not asked yet."""

    pk: int
    question: str
    answer: str
    wording: Wording
    said: Said | None

    @cached_property
    def is_right(self) -> bool:
        return self.said is not None and self.said.is_right([self.answer])


@dataclass
class PassageMap:
    """The probes of one passage."""

    chunk: int
    position: int
    probes: list[Probe] = field(default_factory=list)

    def tally(self, *wordings: Wording) -> Tally:
        asked = [each for each in self.probes if each.said is not None and each.wording in wordings]
        return Tally(len(asked), sum(each.is_right for each in asked))

    @property
    def trained(self) -> Tally:
        return self.tally(Wording.TRAINED)

    @property
    def held_out(self) -> Tally:
        return self.tally(Wording.HELD_OUT)

    @property
    def new(self) -> Tally:
        return self.tally(Wording.NEW)

    @property
    def learned(self) -> Tally:
        """Trained and held-out wordings together: what the version can be expected to know."""
        return self.trained + self.held_out

    @property
    def unasked(self) -> int:
        return sum(each.said is None for each in self.probes)

    def is_weak(self, below: float) -> bool:
        """Whether less is recalled than ``below``, or there is no pair that could be."""
        recall = self.learned.recall
        return not self.probes or (recall is not None and recall < below)


@dataclass(frozen=True)
class DocumentMap:
    """A document with its passages, in their order."""

    pk: int
    title: str
    passages: list[PassageMap]

    def _sum(self, *wordings: Wording) -> Tally:
        return sum((each.tally(*wordings) for each in self.passages), Tally())

    @property
    def trained(self) -> Tally:
        return self._sum(Wording.TRAINED)

    @property
    def held_out(self) -> Tally:
        return self._sum(Wording.HELD_OUT)

    @property
    def new(self) -> Tally:
        return self._sum(Wording.NEW)

    @property
    def learned(self) -> Tally:
        return self.trained + self.held_out

    def weak(self, below: float) -> list[PassageMap]:
        return [each for each in self.passages if each.is_weak(below)]


def map_of(version: MemoryVersion, document: int | None = None) -> list[DocumentMap]:
    """The current documents of the version's corpus, or one of them, with the recall of their passages.

    A pair that rests on several passages is a probe of each of them.
    """
    documents = version.corpus.documents.current().order_by("title", "pk")
    if document is not None:
        documents = documents.filter(pk=document)
    passages = _passages(documents)
    probes = {each.pk: each for each in probes_of(version)}
    for chunk, reflection in _links(version.corpus, document):
        if chunk in passages and reflection in probes:
            passages[chunk].probes.append(probes[reflection])
    by_document: dict[int, list[PassageMap]] = defaultdict(list)
    owners = Chunk.objects.filter(document__in=documents.order_by().values("pk"))
    for pk, owner in owners.order_by("document_id", "position").values_list("pk", "document_id"):
        by_document[owner].append(passages[pk])
    return [DocumentMap(pk, title, by_document[pk]) for pk, title in documents.values_list("pk", "title")]


def _passages(documents: Any) -> dict[int, PassageMap]:
    rows = Chunk.objects.filter(document__in=documents.order_by().values("pk"))
    return {pk: PassageMap(pk, position + 1) for pk, position in rows.values_list("pk", "position")}


def _links(corpus: Corpus, document: int | None) -> Iterator[tuple[int, int]]:
    """Passages with the pairs that rest on them, each once."""
    rows = ReflectionSource.objects.filter(chunk__document__corpus=corpus, chunk__document__is_current=True)
    if document is not None:
        rows = rows.filter(chunk__document=document)
    yield from rows.order_by("chunk_id", "reflection_id").values_list("chunk_id", "reflection_id").distinct()


def probes_of(version: MemoryVersion) -> Iterator[Probe]:
    """Every approved pair of the version's corpus, as the version met it and with what it says."""
    said = recollected(version)
    met = dict(TrainedPair.objects.filter(version=version).order_by().values_list("digest", "held_out"))
    rows = version.corpus.reflections.trainable().order_by("pk").values_list("pk", "question", "answer")
    for pk, *texts in rows:
        question, answer = (" ".join(text.split()) for text in texts)
        held_out = met.get(pair_digest(question, answer))
        wording = Wording.NEW if held_out is None else Wording.HELD_OUT if held_out else Wording.TRAINED
        yield Probe(pk, question, answer, wording, said.get(question))


def weak_passages(documents: Collection[DocumentMap], below: float) -> list[int]:
    return [passage.chunk for document in documents for passage in document.weak(below)]


def make_more_pairs(
    version: MemoryVersion, person: Any = None, *, below: float = WEAK_BELOW, chunk: int | None = None
) -> GenerationRun:
    """Have the corpus's GENERATOR make more pairs for the passages of which less than ``below`` is recalled.

    ``chunk`` names one of the passages instead, however weak. The pairs wait for review. Raises Conflict where no
    passage is weak or not all was asked yet, and what ``start_generation`` raises.
    """
    documents = map_of(version)
    passages = [passage for document in documents for passage in document.passages]
    if chunk is not None:
        chosen = [passage.chunk for passage in passages if passage.chunk == chunk]
    elif any(passage.unasked for passage in passages):
        raise Conflict(
            "Not every pair was asked yet, so weak passages are not known. Ask this version first."
        )
    else:
        chosen = weak_passages(documents, below)
    if not chosen:
        raise Conflict("There is no weak passage. Raise the limit below which a passage counts as weak.")
    return start_generation(version.corpus, person, chunks=chosen, reword=True)


def questions_of(run: ProbeRun) -> Questions:
    """The questions of all approved pairs that rest on a passage of a current document."""
    linked = {reflection for _, reflection in _links(run.corpus, None)}
    probes = probes_of(run.version)
    return {run.version: [each.question for each in probes if each.pk in linked]}


def result_of(run: ProbeRun) -> dict[str, Any]:
    """What was recalled, in total."""
    return totals_of(map_of(run.version))


def totals_of(documents: Collection[DocumentMap], below: float = WEAK_BELOW) -> dict[str, Any]:
    """Documents, passages, those that are weak, and recall by kind of wording; a pair counts once."""
    passages = [passage for document in documents for passage in document.passages]
    probes = {each.pk: each for passage in passages for each in passage.probes}
    every = PassageMap(0, 0, list(probes.values()))
    told = {
        wording.value: {"asked": (tally := every.tally(wording)).asked, "right": tally.right}
        for wording in Wording
    }
    return {
        "documents": len(documents),
        "passages": len(passages),
        "weak": sum(passage.is_weak(below) for passage in passages),
        "unasked": every.unasked,
        **told,
    }


def document_of(version: MemoryVersion, pk: int) -> Document:
    """A current document of the version's corpus. Raises Document.DoesNotExist."""
    return version.corpus.documents.current().get(pk=pk)
