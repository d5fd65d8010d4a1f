"""Rows for tests, each complete and valid by default."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import factory
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from factory.django import DjangoModelFactory

from chat.models import (
    ChatSettings,
    Conversation,
    DayOfUse,
    Demand,
    Feedback,
    SubQuery,
    Turn,
    TurnEvent,
    TurnStatus,
    UnansweredQuestion,
)
from knowledge.ingest.chunk import split_into_chunks
from knowledge.models import (
    Chunk,
    Corpus,
    Document,
    GenerationRun,
    Reflection,
    ReflectionSet,
    ReviewStatus,
    Role,
    UnreadSentence,
)
from memosite.models import Endpoint, EndpointRole
from training.models import (
    LIVE,
    Alias,
    AskedQuestion,
    EvaluationQuestion,
    EvaluationRun,
    EvaluationSet,
    MemoryVersion,
    MergeRun,
    ProbeRun,
    TrainedPair,
    TrainingRun,
)

PASSWORD = "a long enough secret"


class UserFactory(DjangoModelFactory):
    """``UserFactory(reads=corpus)``, ``curates=`` or ``owns=`` also gives the person that role."""

    class Meta:
        model = settings.AUTH_USER_MODEL
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    password = factory.LazyFunction(lambda: make_password(PASSWORD))

    @factory.post_generation
    def reads(self, create: bool, corpus: Corpus | None, **kwargs: Any) -> None:
        _join(self, corpus, Role.READER)

    @factory.post_generation
    def curates(self, create: bool, corpus: Corpus | None, **kwargs: Any) -> None:
        _join(self, corpus, Role.CURATOR)

    @factory.post_generation
    def owns(self, create: bool, corpus: Corpus | None, **kwargs: Any) -> None:
        _join(self, corpus, Role.OWNER)


def _join(person: Any, corpus: Corpus | None, role: Role) -> None:
    if corpus:
        person.groups.add(corpus.group(role))


class CorpusFactory(DjangoModelFactory):
    """A corpus with its three groups."""

    class Meta:
        model = Corpus

    slug = factory.Sequence(lambda n: f"corpus-{n}")
    name = factory.LazyAttribute(lambda row: row.slug.replace("-", " ").capitalize())
    description = "What a company knows."


class DocumentFactory(DjangoModelFactory):
    """A current document with its chunks."""

    class Meta:
        model = Document
        skip_postgeneration_save = True

    corpus = factory.SubFactory(CorpusFactory)
    name = factory.Sequence(lambda n: f"document-{n}.md")
    title = factory.LazyAttribute(lambda row: row.name.removesuffix(".md").capitalize())
    text = "Ada Lund leads Project Atlas. Project Atlas began in 2019."
    media_type = "text/markdown"
    checksum = factory.LazyAttribute(lambda row: hashlib.sha256(f"{row.name}{row.text}".encode()).hexdigest())

    @factory.post_generation
    def chunks(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        Chunk.objects.bulk_create(
            Chunk(document=self, position=position, start=span.start, end=span.end, text=span.text)
            for position, span in enumerate(split_into_chunks(self.text))  # type: ignore[arg-type]
        )


class EndpointFactory(DjangoModelFactory):
    """An endpoint for the GENERATOR; tests give it the address of a server of theirs."""

    class Meta:
        model = Endpoint

    name = factory.Sequence(lambda n: f"endpoint {n}")
    base_url = "http://127.0.0.1:1/v1"
    model = "test-model"
    timeout_seconds = 10.0
    max_retries = 2


class GenerationRunFactory(DjangoModelFactory):
    class Meta:
        model = GenerationRun

    corpus = factory.SubFactory(CorpusFactory)


class UnreadSentenceFactory(DjangoModelFactory):
    class Meta:
        model = UnreadSentence

    run = factory.SubFactory(GenerationRunFactory)
    chunk = factory.LazyAttribute(lambda row: DocumentFactory(corpus=row.run.corpus).chunks.first())
    start = 0
    end = factory.LazyAttribute(lambda row: len(row.text))
    text = "Whatever may be, may be."
    reason = "no main verb"


class ReflectionSetFactory(DjangoModelFactory):
    class Meta:
        model = ReflectionSet
        django_get_or_create = ("corpus", "generator")

    corpus = factory.SubFactory(CorpusFactory)
    generator = "rules"


class ReflectionFactory(DjangoModelFactory):
    """An approved pair without a source."""

    class Meta:
        model = Reflection

    corpus = factory.SubFactory(CorpusFactory)
    reflection_set = factory.LazyAttribute(lambda row: ReflectionSetFactory(corpus=row.corpus))
    key = factory.LazyAttribute(lambda row: hashlib.sha256(row.question.encode()).hexdigest())
    question = factory.Sequence(lambda n: f"Who leads Project {n}?")
    answer = factory.Sequence(lambda n: f"Person {n} leads it.")
    kind = "direct"
    fact = factory.Sequence(lambda n: f"fact-{n}")
    status = ReviewStatus.APPROVED


class MemoryVersionFactory(DjangoModelFactory):
    """A version without an artifact on disk; ``live=True`` points the live alias at it."""

    class Meta:
        model = MemoryVersion
        skip_postgeneration_save = True

    corpus = factory.SubFactory(CorpusFactory)
    number = factory.LazyAttribute(lambda row: row.corpus.versions.count() + 1)
    base = "from scratch"
    method = "full"
    path = factory.LazyAttribute(lambda row: f"{row.corpus.slug}-v{row.number}")
    sha256 = factory.LazyAttribute(lambda row: hashlib.sha256(row.path.encode()).hexdigest())

    @factory.post_generation
    def corpora(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        """The corpora that the version learned from, beside its own."""
        if create:
            self.corpora.add(self.corpus, *(extracted or ()))  # type: ignore[attr-defined]

    @factory.post_generation
    def live(self, create: bool, is_live: bool | None, **kwargs: Any) -> None:
        if is_live:
            Alias.objects.update_or_create(corpus=self.corpus, name=LIVE, defaults={"version": self})


class TrainedPairFactory(DjangoModelFactory):
    class Meta:
        model = TrainedPair

    version = factory.SubFactory(MemoryVersionFactory)
    question = "Who leads Project Atlas?"
    answer = "Ada Lund leads Project Atlas."


class TrainingRunFactory(DjangoModelFactory):
    """A queued training, for the people to whom its versions are open."""

    class Meta:
        model = TrainingRun
        skip_postgeneration_save = True

    corpus = factory.SubFactory(CorpusFactory)

    @factory.post_generation
    def audience(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        self.tells_of(self.corpus, self.continues, self.rebuilds, self.version)  # type: ignore[attr-defined]


class MergeRunFactory(DjangoModelFactory):
    """A merge without parents: ``closed_by`` names a corpus that one of them learned from."""

    class Meta:
        model = MergeRun
        skip_postgeneration_save = True

    corpus = factory.SubFactory(CorpusFactory)
    method = "linear"

    @factory.post_generation
    def closed_by(self, create: bool, corpus: Corpus | None, **kwargs: Any) -> None:
        self.corpora.add(self.corpus, *([corpus] if corpus else []))  # type: ignore[attr-defined]


class EvaluationRunFactory(DjangoModelFactory):
    """A queued evaluation without contestants; ``asks=[...]`` are its questions, with Ada Lund for an answer."""

    class Meta:
        model = EvaluationRun
        skip_postgeneration_save = True

    corpus = factory.SubFactory(CorpusFactory)
    title = "Leaders"

    @factory.post_generation
    def asks(self, create: bool, extracted: list[str] | None, **kwargs: Any) -> None:
        for position, text in enumerate(extracted or (), start=1):
            AskedQuestion.objects.create(run=self, position=position, text=text, answers=["Ada Lund"])

    @factory.post_generation
    def audience(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        self.tells_of(self.corpus)  # type: ignore[attr-defined]


class ProbeRunFactory(DjangoModelFactory):
    """Questions to a version that wait for a worker, for the people to whom the version is open."""

    class Meta:
        model = ProbeRun
        skip_postgeneration_save = True

    version = factory.SubFactory(MemoryVersionFactory)
    corpus = factory.LazyAttribute(lambda row: row.version.corpus)

    @factory.post_generation
    def audience(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        self.tells_of(self.corpus, self.version, self.other)  # type: ignore[attr-defined]


class ChatSettingsFactory(DjangoModelFactory):
    """The built-in one leads; ``executive="gpt"`` and ``choices=["llama"]`` name endpoints, made where missing."""

    class Meta:
        model = ChatSettings
        skip_postgeneration_save = True

    corpus = factory.SubFactory(CorpusFactory)

    @classmethod
    def _create(cls, model_class: Any, *args: Any, executive: str = "", **kwargs: Any) -> ChatSettings:
        lead = executive_endpoint(executive) if executive else None
        return super()._create(model_class, *args, executive=lead, **kwargs)

    @factory.post_generation
    def choices(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        self.choices.set([executive_endpoint(name) for name in extracted or ()])  # type: ignore[attr-defined]


def executive_endpoint(name: str) -> Endpoint:
    """The EXECUTIVE's endpoint of that name."""
    found = Endpoint.objects.filter(name=name).first()
    return found or EndpointFactory(name=name, role=EndpointRole.EXECUTIVE)


class ConversationFactory(DjangoModelFactory):
    """A conversation of a person who reads the corpus."""

    class Meta:
        model = Conversation

    corpus = factory.SubFactory(CorpusFactory)
    person = factory.LazyAttribute(lambda row: UserFactory(reads=row.corpus))


class TurnFactory(DjangoModelFactory):
    """A running turn; ``events=[...]`` stores events of chat.protocol in their order."""

    class Meta:
        model = Turn
        skip_postgeneration_save = True

    conversation = factory.SubFactory(ConversationFactory)
    question = "Who leads Project Atlas?"

    @factory.post_generation
    def events(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        for seq, data in enumerate(extracted or (), start=1):
            fields = data.model_dump(exclude={"type"})
            TurnEvent.objects.create(turn=self, seq=seq, type=data.type, data=fields)


class SubQueryFactory(DjangoModelFactory):
    class Meta:
        model = SubQuery

    turn = factory.SubFactory(TurnFactory)
    index = factory.LazyAttribute(lambda row: row.turn.sub_queries.count() + 1)
    stage = "grounding"
    question = "Who leads Project Atlas?"


class DayOfUseFactory(DjangoModelFactory):
    """One question that the built-in EXECUTIVE led today."""

    class Meta:
        model = DayOfUse

    corpus = factory.SubFactory(CorpusFactory)
    day = factory.LazyFunction(lambda: datetime.now(UTC).date())
    executive = "rules"
    questions = 1
    answered = factory.SelfAttribute("questions")


class AnsweredTurnFactory(TurnFactory):
    """A turn that is over, with the version that was asked; ``known=False``: memory did not know."""

    status = TurnStatus.ANSWERED
    answer = factory.LazyAttribute(lambda row: "Ada Lund." if row.known else "I don't know.")
    known = True

    @factory.post_generation
    def asked_versions(self, create: bool, versions: Any, **kwargs: Any) -> None:
        self.versions.set(versions or [each for each in (self.version,) if each])  # type: ignore[attr-defined]


class FeedbackFactory(DjangoModelFactory):
    """ "Not good", without a word."""

    class Meta:
        model = Feedback

    turn = factory.SubFactory(AnsweredTurnFactory)
    is_good = False


class DemandFactory(DjangoModelFactory):
    """An open demand with one question in it."""

    class Meta:
        model = Demand
        skip_postgeneration_save = True

    corpus = factory.SubFactory(CorpusFactory)
    question = "Who leads Project Beacon?"
    times = 1
    first_asked_at = factory.LazyFunction(timezone.now)
    last_asked_at = factory.LazyAttribute(lambda row: row.first_asked_at)

    @factory.post_generation
    def asked(self, create: bool, questions: list[str] | None, **kwargs: Any) -> None:
        for question in questions or [self.question]:
            UnansweredQuestion.objects.create(
                demand=self, question=question, missing=[], asked_at=self.last_asked_at
            )


class EvaluationSetFactory(DjangoModelFactory):
    """A set of questions; ``questions=["Who ...?"]`` asks them, each with the answer Ada Lund."""

    class Meta:
        model = EvaluationSet
        skip_postgeneration_save = True

    corpus = factory.SubFactory(CorpusFactory)
    name = factory.Sequence(lambda n: f"Set {n}")

    @factory.post_generation
    def questions(self, create: bool, texts: list[str] | None, **kwargs: Any) -> None:
        for text in texts or ():
            EvaluationQuestionFactory(evaluation_set=self, text=text)


class EvaluationQuestionFactory(DjangoModelFactory):
    class Meta:
        model = EvaluationQuestion

    evaluation_set = factory.SubFactory(EvaluationSetFactory)
    text = factory.Sequence(lambda n: f"Who leads Project {n}?")
    answers = factory.LazyFunction(lambda: ["Ada Lund"])
