"""A corpus with passages, approved pairs that rest on them, and versions that met these."""

from __future__ import annotations

from typing import Any

from knowledge.models import Corpus, Document, Reflection, ReflectionSource
from tests.factories import DocumentFactory, MemoryVersionFactory, ReflectionFactory, TrainedPairFactory
from tests.fakes import ScriptedMemory
from training.lab.purposes import perform_probes
from training.models import MemoryVersion, ProbeRun, pair_digest

ATLAS = ("Who leads Atlas?", "Ada Lund leads Atlas.")
ATLAS_AGAIN = ("Do you know who leads Atlas?", "Ada Lund leads Atlas.")
BEACON = ("Who leads Beacon?", "Bo Marsh leads Beacon.")
CURLEW = ("Who leads Curlew?", "Cy Hart leads Curlew.")


def document_with(corpus: Corpus, title: str, *pairs: tuple[str, str], **fields: Any) -> Document:
    """A document of one passage, the answers of the approved pairs that rest on it."""
    text = " ".join(dict.fromkeys(answer for _, answer in pairs)) or "Nothing is told here."
    document: Document = DocumentFactory(
        corpus=corpus, name=f"{title.lower()}.md", title=title, text=text, **fields
    )
    for question, answer in pairs:
        key = pair_digest(question, answer)
        rests_on(
            document,
            ReflectionFactory(corpus=corpus, question=question, answer=answer, fact=answer, key=key),
        )
    return document


def rests_on(document: Document, pair: Reflection) -> Reflection:
    ReflectionSource.objects.create(reflection=pair, chunk=document.chunks.get(), start=0, end=5)
    return pair


def version_with(corpus: Corpus, *pairs: tuple[str, str], held_out: Any = (), **fields: Any) -> MemoryVersion:
    """A version that was trained on the pairs, as far as they are not held out, each with its row."""
    version: MemoryVersion = MemoryVersionFactory(corpus=corpus, **fields)
    for question, answer in pairs:
        row = corpus.reflections.filter(question=question, answer=answer).first()
        is_held_out = (question, answer) in held_out
        TrainedPairFactory(
            version=version, question=question, answer=answer, reflection=row, held_out=is_held_out
        )
    return version


class Memories:
    """What ``memory_for`` gives for each version: a memory that says what is written down for it."""

    def __init__(self) -> None:
        self.by_version: dict[int, ScriptedMemory] = {}

    def tell(self, version: MemoryVersion, *pairs: tuple[str, str]) -> ScriptedMemory:
        """The version knows the pairs and nothing else."""
        self.by_version[version.pk] = ScriptedMemory(dict(pairs))
        return self.by_version[version.pk]

    def __call__(self, version: MemoryVersion) -> ScriptedMemory:
        return self.by_version[version.pk]


def done(run: ProbeRun) -> ProbeRun:
    """The run, worked on to its end here."""
    assert run.claim()
    perform_probes(run)
    run.finish("succeeded", done=run.total)
    return run
