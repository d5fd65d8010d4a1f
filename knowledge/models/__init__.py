"""Corpora, their documents, the runs that distil them, and the reflections that come of it."""

from knowledge.models.corpora import (
    ROLES_FROM,
    Chunk,
    Corpus,
    CorpusQuerySet,
    Document,
    DocumentQuerySet,
    Person,
    Role,
)
from knowledge.models.generation import GenerationRun, GenerationUnit, LLMCall, UnreadSentence
from knowledge.models.reflections import (
    Flag,
    Reflection,
    ReflectionFlag,
    ReflectionQuerySet,
    ReflectionSet,
    ReflectionSource,
    ReviewStatus,
    SampledPair,
    SampleReview,
)

__all__ = [
    "ROLES_FROM",
    "Chunk",
    "Corpus",
    "CorpusQuerySet",
    "Document",
    "DocumentQuerySet",
    "Flag",
    "GenerationRun",
    "GenerationUnit",
    "LLMCall",
    "Person",
    "Reflection",
    "ReflectionFlag",
    "ReflectionQuerySet",
    "ReflectionSet",
    "ReflectionSource",
    "ReviewStatus",
    "Role",
    "SampleReview",
    "SampledPair",
    "UnreadSentence",
]
