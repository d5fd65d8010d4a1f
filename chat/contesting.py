"""The contestants of an evaluation, made from rows: fills ``training.lab.runs.contestants.KINDS``."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, TypeVar
from weakref import WeakKeyDictionary

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from chat.contestants.excerpts import UNITS, cut
from chat.contestants.fingerprints import fingerprint
from chat.contestants.keywords import KeywordIndex
from chat.contestants.kinds import (
    ClosedBook,
    Lead,
    MemoryContestant,
    RetrievalContestant,
    gold,
    made_ready,
)
from chat.contestants.readers import LanguageModelReader, Reader, RulesReader
from chat.contestants.retrieval import Retriever
from chat.contestants.vectors import VectorIndex
from chat.embedding_models import embedding_endpoint, identity, local_model, opened
from chat.executives import connection_to, endpoint_of, executive_named
from chat.models import RULES
from chat.services import turn_budget
from memosite.endpoints import settings_of
from memosite.errors import MemoError
from memosite.llm import EndpointSettings
from memosite.llm.embedding import Embedder
from training.evaluation.types import Contestant, Passage, Question
from training.lab.runs.contestants import KINDS, Kind, Spec
from training.serving import memory_for

POOLINGS = ("mean", "cls")  # those of training.engine.embed, which the web does not load
AT_ONCE_HERE = 64  # texts that a model of this machine embeds between two looks at whether to stop
EMBEDDINGS = "embeddings"  # the folder of their vectors, in the site's state


class BadOptions(MemoError):
    """A contestant's options cannot be used."""

    code = "bad_contestant_options"
    status = 422


class NeedsVersion(MemoError):
    """A contestant that asks a memory was given none."""

    code = "needs_version"
    status = 422


class Options(BaseModel):
    """What can be chosen of a kind. Others are refused, so that a misspelt option does not go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoOptions(Options):
    """Of a kind that has none."""


class MemoryOptions(Options):
    """``token_budget``: the tokens of MEMORY's answers that are heard for one question."""

    token_budget: int = Field(8000, ge=1)


def _one_of(value: str, known: Iterable[str]) -> str:
    if value not in known:
        raise ValueError(f"choose one of: {', '.join(known)}")
    return value


class GoldOptions(Options):
    """``token_budget``: the tokens of passages that are read at once. ``decompose``: see RetrievalContestant."""

    token_budget: int = Field(8000, ge=1)
    decompose: bool = True


class RetrievalOptions(GoldOptions):
    """``unit``: what is retrieved; ``top``: how many of them for each query."""

    unit: str = "sentence"
    top: int = Field(5, ge=1, le=1000)

    @field_validator("unit")
    @classmethod
    def _is_unit(cls, value: str) -> str:
        return _one_of(value, UNITS)


class DenseOptions(RetrievalOptions):
    """``endpoint``: the name of the embedding endpoint; empty for the only one.

    ``model``: the folder or hub id of an encoder that is loaded here instead; ``pooling``: how it makes the
    vector of a text.
    """

    endpoint: str = ""
    model: str = ""
    pooling: str = POOLINGS[0]

    @field_validator("pooling")
    @classmethod
    def _is_pooling(cls, value: str) -> str:
        return _one_of(value, POOLINGS)

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if self.model and self.endpoint:
            raise ValueError("name an endpoint or a model, not both")
        if self.pooling != POOLINGS[0] and not self.model:
            raise ValueError("pooling is for a model that is loaded here: name it with model=")
        return self


Chosen = TypeVar("Chosen", bound=Options)


def chosen(shape: type[Chosen], spec: Spec) -> Chosen:
    """The options of a spec. Raises BadOptions."""
    try:
        return shape.model_validate(dict(spec.options))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        told = "; ".join(
            ": ".join([*map(str, fault["loc"]), fault["msg"].removeprefix("Value error, ")])
            for fault in faults
        )
        options = ", ".join(shape.model_fields) or "none"
        raise BadOptions(
            f"The options of “{spec.kind}” cannot be used: {told}. It has: {options}."
        ) from error


# --- The EXECUTIVE -----------------------------------------------------------------------------------------
def lead_of(spec: Spec) -> Lead:
    """The spec's EXECUTIVE. Raises UnknownExecutive, and NoKey where its key is not set."""
    executive, budget = executive_named(spec.executive), turn_budget(spec.executive)
    if spec.executive == RULES:
        return Lead(executive, budget, lambda prompt, completion: Decimal(0))
    endpoint = endpoint_of(spec.executive)
    return Lead(executive, budget, endpoint.cost, connection_to(endpoint))


def _reader(lead: Lead) -> Reader:
    if lead.connect is None:
        return RulesReader()
    return LanguageModelReader(lead.connect, lead.budget.seconds)


def _executive_parts(spec: Spec) -> list[Any]:
    """What an EXECUTIVE's answers depend on, but for the code."""
    parts: list[Any] = [spec.executive == RULES, asdict(turn_budget(spec.executive))]
    if spec.executive == RULES:
        return parts
    endpoint = endpoint_of(spec.executive)
    return [*parts, endpoint.base_url, endpoint.model, endpoint.temperature, endpoint.max_tokens]


def _fingerprint(spec: Spec, options: Options, *parts: Any) -> str:
    return fingerprint(spec.kind, options.model_dump(), _executive_parts(spec), *parts)


def passages_sha256(passages: Sequence[Passage]) -> str:
    """64 hexadecimal digits over the documents, in their order."""
    digest = hashlib.sha256()
    for passage in passages:
        digest.update(f"{passage.title}\x1f{passage.text}\x1e".encode())
    return digest.hexdigest()


# --- The kinds ---------------------------------------------------------------------------------------------
def memory(spec: Spec, passages: Sequence[Passage]) -> Contestant:
    """MeMo. Raises NeedsVersion, and a MemoError where its memory cannot be loaded."""
    options = chosen(MemoryOptions, spec)
    if spec.version is None:
        raise NeedsVersion("Choose the memory version that is to be asked.")
    mark = _fingerprint(spec, options, spec.version.sha256)
    return MemoryContestant(mark, lead_of(spec), memory_for(spec.version), options.token_budget)


def closed_book(spec: Spec, passages: Sequence[Passage]) -> Contestant:
    """The EXECUTIVE alone."""
    return ClosedBook(_fingerprint(spec, chosen(NoOptions, spec)), lead_of(spec))


def bm25(spec: Spec, passages: Sequence[Passage]) -> Contestant:
    """Retrieval by words."""
    options = chosen(RetrievalOptions, spec)
    return _retrieval(spec, options, passages, KeywordIndex(cut(passages, options.unit)))


def dense(spec: Spec, passages: Sequence[Passage]) -> Contestant:
    """Retrieval by meaning. Raises what ``_check_embedding`` does, and BadBase where a model cannot be loaded."""
    options = chosen(DenseOptions, spec)
    if options.model:
        return _dense_here(spec, options, passages)
    endpoint = embedding_endpoint(options.endpoint)
    place = settings_of(endpoint)
    index = VectorIndex(
        cut(passages, options.unit),
        lambda: _embedder(place),
        kept=_vectors_of(place.base_url, place.model),
        price=lambda tokens: endpoint.cost(tokens, 0),
    )
    return _retrieval(spec, options, passages, index, place.base_url, place.model, ready=index.prepare)


def _dense_here(spec: Spec, options: DenseOptions, passages: Sequence[Passage]) -> Contestant:
    """Retrieval by the meaning that a model of this machine finds; it costs no money."""
    model = local_model(options.model)
    sha256 = identity(model)
    embedder = opened(model, options.pooling, sha256)
    index = VectorIndex(
        cut(passages, options.unit),
        lambda: embedder,
        kept=_vectors_of("local", sha256, options.pooling),
        price=lambda tokens: Decimal(0),
        at_once=AT_ONCE_HERE,
    )
    return _retrieval(spec, options, passages, index, sha256, ready=index.prepare)


def _vectors_of(*model: str) -> Path:
    """The folder that keeps what this model was asked for."""
    mark = hashlib.sha256("\x1f".join(model).encode()).hexdigest()
    return Path(settings.STATE_DIR) / EMBEDDINGS / mark


def perfect(spec: Spec, passages: Sequence[Passage]) -> Contestant:
    """Retrieval that finds just the documents which a question names."""
    options, lead = chosen(GoldOptions, spec), lead_of(spec)
    return RetrievalContestant(
        _fingerprint(spec, options, passages_sha256(passages)),
        lead,
        lambda question: gold(question, passages),
        _reader(lead),
        len(passages),
        options.token_budget,
        options.decompose,
    )


def _retrieval(
    spec: Spec,
    options: RetrievalOptions,
    passages: Sequence[Passage],
    index: Retriever,
    *parts: Any,
    ready: Callable[[], Awaitable[None]] = made_ready,
) -> Contestant:
    lead = lead_of(spec)

    def retriever_for(question: Question) -> Retriever:
        return index

    return RetrievalContestant(
        _fingerprint(spec, options, passages_sha256(passages), *parts),
        lead,
        retriever_for,
        _reader(lead),
        options.top,
        options.token_budget,
        options.decompose,
        ready,
    )


_embedders: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[EndpointSettings, Embedder]] = (
    WeakKeyDictionary()
)


def _embedder(place: EndpointSettings) -> Embedder:
    """The client of the running event loop."""
    of_loop = _embedders.setdefault(asyncio.get_running_loop(), {})
    if place not in of_loop:
        of_loop[place] = Embedder(place)
    return of_loop[place]


def _check_embedding(options: Options) -> None:
    """Raises NoEmbeddingEndpoint and NoKey for an endpoint, NoLocalModel and FolderRefused for a model."""
    if not isinstance(options, DenseOptions):
        return
    if options.model:
        local_model(options.model)
    else:
        settings_of(embedding_endpoint(options.endpoint))


def _has_server(spec: Spec) -> bool:
    """Whether dense retrieval sends the documents to an embedding endpoint."""
    return not chosen(DenseOptions, spec).model


def _kind(
    name: str,
    label: str,
    description: str,
    build: Callable[[Spec, Sequence[Passage]], Contestant],
    options: type[Options],
    **more: Any,
) -> Kind:
    def check(spec: Spec) -> None:
        _check_embedding(chosen(options, spec))

    return Kind(name, label, description, name == "memory", build, options().model_dump(), check, **more)


def register() -> None:
    """Make the kinds known to the lab."""
    for kind in (
        _kind("memory", "MeMo", "The EXECUTIVE interrogates a memory version.", memory, MemoryOptions),
        _kind(
            "closed_book",
            "Closed book",
            "The EXECUTIVE alone answers from what it knows itself; the built-in rules know nothing.",
            closed_book,
            NoOptions,
        ),
        _kind(
            "bm25",
            "BM25",
            "The EXECUTIVE reads what is found by words.",
            bm25,
            RetrievalOptions,
        ),
        _kind(
            "dense",
            "Dense retrieval",
            "The EXECUTIVE reads what is found by an embedding model.",
            dense,
            DenseOptions,
            sends_documents=_has_server,
        ),
        _kind(
            "perfect",
            "Perfect retrieval",
            "The EXECUTIVE reads just the documents that a question names.",
            perfect,
            GoldOptions,
            needs_documents=True,
        ),
    ):
        KINDS[kind.name] = kind
