"""Who may do what: every page, every REST verb and the websocket, against every kind of person.

A new address fails ``test_every_address_is_in_the_matrix`` until it has its row here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from chat.models import SharedTurn
from knowledge.models import Corpus
from memosite.asgi import application
from tests import factories
from tests.fakes import PairMemory
from training.models import AliasMove, ForgottenDocument, MemoryVersion

PEOPLE = ("anonymous", "foreign", "reader", "curator", "owner")
LOGIN = 302  # pages send people without a session to the login page


@dataclass(frozen=True)
class Row:
    """A request and the status that each kind of person gets. ``arguments`` name fields of the world."""

    name: str
    method: str
    expected: tuple[int, int, int, int, int]
    arguments: tuple[str, ...] = ()
    data: dict[str, Any] | None = None


def pages_for(role: str, *, done: int = 200) -> tuple[int, int, int, int, int]:
    """What a page answers: foreign people get 404, readers without the role 403."""
    allowed = PEOPLE.index(role)
    return (LOGIN, 404, *(done if PEOPLE.index(person) >= allowed else 403 for person in PEOPLE[2:]))  # type: ignore


def api_for(role: str, *, done: int = 200) -> tuple[int, int, int, int, int]:
    """What REST answers: no token 401, a foreign corpus 404, too small a role 403."""
    return (401, *pages_for(role, done=done)[1:])


SLUG = ("slug",)
PAGES = [
    Row("favicon", "get", (302, 302, 302, 302, 302)),
    Row("health", "get", (200, 200, 200, 200, 200)),
    Row("home", "get", (LOGIN, 200, 200, 200, 200)),
    Row("login", "get", (200, 302, 302, 302, 302)),
    Row("logout", "post", (302, 302, 302, 302, 302)),
    Row("corpus", "get", pages_for("reader"), SLUG),
    Row("upload-documents", "post", pages_for("curator"), SLUG),
    Row("document", "get", pages_for("reader"), ("slug", "document")),
    Row("remove-document", "post", pages_for("curator", done=302), ("slug", "document")),
    Row("start-generation", "post", pages_for("curator", done=302), SLUG),
    Row("build", "post", pages_for("owner", done=302), SLUG),
    Row("cancel-generation", "post", pages_for("curator", done=302), ("slug", "generation")),
    Row("unread-sentences", "get", pages_for("reader"), ("slug", "generation")),
    Row("start-training", "post", pages_for("curator", done=302), SLUG),
    Row("train", "get", pages_for("curator"), SLUG),
    Row("train", "post", pages_for("curator", done=422), SLUG, {"do": "start"}),  # one is at work already
    Row("training-run", "get", pages_for("reader"), ("slug", "training")),
    Row("run-recipe", "get", pages_for("curator"), ("slug", "training")),
    Row("cancel-training", "post", pages_for("curator", done=302), ("slug", "training")),
    Row("resume-training", "post", pages_for("curator", done=302), ("slug", "training")),
    Row("version", "get", pages_for("reader"), ("slug", "number")),
    Row(
        "promote-version",
        "post",
        pages_for("owner", done=302),
        ("slug", "number"),
        {"reason": "Better recall"},
    ),
    Row("rollback", "post", pages_for("owner", done=302), SLUG),
    Row("compare-versions", "get", pages_for("reader"), SLUG, {"a": "1", "b": "2"}),
    Row("delete-version", "get", pages_for("owner"), ("slug", "number")),
    Row("delete-version", "post", pages_for("owner", done=302), ("slug", "number"), {"reason": "Old"}),
    # Its files are not on this machine, which those who may export it are told.
    Row("export-version", "get", pages_for("owner", done=503), ("slug", "number")),
    Row("rebuild-version", "post", pages_for("curator", done=302), ("slug", "number")),
    Row("gate", "get", pages_for("reader"), SLUG),
    Row("gate", "post", pages_for("owner", done=302), SLUG, {"least_recall": "0.9"}),
    Row("remove-gate", "post", pages_for("owner", done=302), SLUG),
    Row("approve-version", "post", pages_for("owner", done=302), ("slug", "number")),
    Row("withdraw-approval", "post", pages_for("owner", done=302), ("slug", "number")),
    Row("merge-versions", "get", pages_for("curator"), SLUG),
    Row("merge-versions", "post", pages_for("curator", done=422), SLUG),  # nothing is chosen
    Row("cancel-merge", "post", pages_for("curator", done=302), ("slug", "merge")),
    Row("evaluations", "get", pages_for("curator"), SLUG),
    Row("evaluations", "post", pages_for("curator", done=422), SLUG),  # no set is chosen
    Row("evaluation-run", "get", pages_for("curator"), ("slug", "evaluation")),
    Row("asked-question", "get", pages_for("curator"), ("slug", "evaluation", "position")),
    Row("cancel-evaluation", "post", pages_for("curator", done=302), ("slug", "evaluation")),
    Row("resume-evaluation", "post", pages_for("curator", done=302), ("slug", "failed_evaluation")),
    Row("export-evaluation", "get", pages_for("curator"), ("slug", "evaluation")),
    Row("evaluation-sets", "get", pages_for("curator"), SLUG),
    Row("evaluation-sets", "post", pages_for("curator", done=302), SLUG, {"name": "New"}),
    Row("evaluation-sets", "post", pages_for("owner", done=302), SLUG, {"name": "New", "is_golden": "on"}),
    # No approved pair names a value: there is nothing to ask.
    Row(
        "make-evaluation-set",
        "post",
        pages_for("curator", done=302),
        SLUG,
        {"source": "feedback", "name": "New", "most": "5"},
    ),
    Row("import-evaluation-set", "get", pages_for("curator"), SLUG),
    Row("import-evaluation-set", "post", pages_for("curator", done=422), SLUG),  # no file
    Row("evaluation-set", "get", pages_for("curator"), ("slug", "set")),
    Row("change-evaluation-set", "post", pages_for("curator", done=302), ("slug", "set"), {"name": "New"}),
    Row("change-evaluation-set", "post", pages_for("owner", done=302), ("slug", "golden"), {"name": "New"}),
    Row("delete-evaluation-set", "post", pages_for("curator", done=302), ("slug", "set")),
    Row("delete-evaluation-set", "post", pages_for("owner", done=302), ("slug", "golden")),
    Row("export-evaluation-set", "get", pages_for("curator"), ("slug", "set")),
    Row("new-evaluation-question", "get", pages_for("curator"), ("slug", "set")),
    Row("new-evaluation-question", "get", pages_for("owner"), ("slug", "golden")),
    Row("evaluation-question", "get", pages_for("curator"), ("slug", "set", "question")),
    Row(
        "evaluation-question",
        "post",
        pages_for("curator", done=302),
        ("slug", "set", "question"),
        {"text": "Who?"},
    ),
    Row("delete-evaluation-question", "post", pages_for("curator", done=302), ("slug", "set", "question")),
    Row("chat-settings", "get", pages_for("owner"), SLUG),
    Row("chat-settings", "post", pages_for("owner", done=302), SLUG, {"retention_days": "30"}),
    Row("usage", "get", (LOGIN, 403, 403, 403, 200)),
    Row("usage-csv", "get", (LOGIN, 403, 403, 403, 200)),
    Row("conversations", "get", (LOGIN, 200, 200, 200, 200)),
    Row("conversations", "post", pages_for("reader", done=302), (), {"corpus": "{slug}"}),
    # Conversations belong to one person: here to the reader, so the others see nothing, whatever their role.
    Row("conversation", "get", (LOGIN, 404, 200, 404, 404), ("conversation",)),
    Row("chat-history", "get", (LOGIN, 200, 200, 200, 200)),
    Row("turn", "get", (LOGIN, 404, 200, 404, 404), ("turn",)),
    Row("rename-conversation", "get", (LOGIN, 404, 200, 404, 404), ("conversation",)),
    Row("rename-conversation", "post", (LOGIN, 404, 302, 404, 404), ("conversation",), {"title": "New"}),
    Row("export-history", "get", (LOGIN, 200, 200, 200, 200), (), {"as": "json"}),
    Row("share-turn", "post", (LOGIN, 404, 302, 404, 404), ("ended_turn",)),
    Row("unshare-turn", "post", (LOGIN, 404, 302, 404, 404), ("ended_turn",)),
    Row("shared-turn", "get", (LOGIN, 404, 200, 200, 200), ("token",)),
    Row("shared-turn-sources", "get", (LOGIN, 404, 200, 200, 200), ("token", "index")),
    Row("choose-executive", "post", (LOGIN, 404, 302, 404, 404), ("conversation",), {"executive": "rules"}),
    Row("delete-conversation", "post", (LOGIN, 404, 302, 404, 404), ("conversation",)),
    Row("turn-sources", "get", (LOGIN, 404, 200, 404, 404), ("turn", "index")),
    Row("turn-copy", "get", (LOGIN, 404, 200, 404, 404), ("turn",)),
    # So do turns: what one says of an answer is for who asked.
    Row("turn-feedback", "get", (LOGIN, 404, 200, 404, 404), ("answered",)),
    Row("turn-feedback", "post", (LOGIN, 404, 302, 404, 404), ("answered",), {"is_good": "yes"}),
    Row("remove-feedback", "post", (LOGIN, 404, 302, 404, 404), ("answered",)),
    Row("dismiss-news", "post", (LOGIN, 302, 302, 302, 302), ("feedback",)),  # others' stay as they are
    Row("did-it-learn", "get", pages_for("curator"), ("slug", "number")),
    Row("did-it-learn", "post", pages_for("curator", done=302), ("slug", "number")),
    Row("did-it-learn-document", "get", pages_for("curator"), ("slug", "number", "document")),
    Row("more-pairs", "post", pages_for("curator", done=302), ("slug", "number")),
    Row("knowledge-diff", "get", pages_for("curator"), SLUG, {"a": "1", "b": "2"}),
    Row("cancel-probes", "post", pages_for("curator", done=302), ("slug", "probes")),
    Row("resume-probes", "post", pages_for("curator", done=302), ("slug", "probes")),
    Row("forgetting", "get", pages_for("owner"), SLUG),
    Row(
        "forgetting",
        "post",
        pages_for("owner", done=302),
        SLUG,
        {"document": "{document}", "reason": "Asked"},
    ),
    Row("forgotten", "get", pages_for("owner"), ("slug", "forgotten")),
    Row("forgotten", "post", pages_for("owner", done=302), ("slug", "forgotten"), {"do": "take-back"}),
    Row("certificate", "get", pages_for("owner", done=404), ("slug", "forgotten")),  # none was issued
    Row("demand", "get", pages_for("curator"), SLUG),
    Row("demand-decide", "post", pages_for("curator", done=302), ("slug", "demand"), {"do": "dismiss"}),
    Row(
        "demand-pair",
        "post",
        pages_for("curator", done=302),
        ("slug", "demand"),
        {"question": "Who leads Project Beacon?", "answer": "Bo Marsh leads Project Beacon."},
    ),
]
API = [
    Row("api-login", "post", (401, 401, 401, 401, 401)),
    Row("api-logout", "post", (401, 401, 401, 401, 401)),  # a session is no token that could be given back
    Row("api-schema", "get", (401, 200, 200, 200, 200)),
    Row("api-docs", "get", (401, 200, 200, 200, 200)),
    Row("api-corpora", "get", (401, 200, 200, 200, 200)),
    Row("api-corpora", "post", (401, 403, 403, 403, 403), (), {"slug": "new", "name": "New"}),
    Row("api-corpus", "get", api_for("reader"), SLUG),
    Row("api-corpus", "patch", api_for("owner"), SLUG, {"name": "Renamed"}),
    Row("api-members", "get", api_for("owner"), SLUG),
    Row("api-members", "post", api_for("owner", done=201), SLUG, {"username": "foreign", "role": "reader"}),
    Row("api-member", "delete", api_for("owner", done=204), ("slug", "member")),
    Row("api-documents", "get", api_for("reader"), SLUG),
    Row("api-documents", "post", api_for("curator", done=201), SLUG, {"title": "A", "text": "Bo leads A."}),
    Row("api-document", "get", api_for("reader"), ("document",)),
    Row("api-document", "delete", api_for("curator", done=204), ("document",)),
    Row("api-reflections", "get", api_for("curator"), SLUG),
    Row("api-review", "post", api_for("curator"), SLUG, {"status": "approved"}),
    Row("api-export", "get", api_for("curator"), SLUG, {"as": "csv"}),
    Row("api-import", "post", api_for("curator", done=415), SLUG, {}),  # it takes a file, and this is none
    Row("api-reflection", "get", api_for("curator"), ("reflection",)),
    Row("api-reflection", "patch", api_for("curator"), ("reflection",), {"answer": "Bo does."}),
    Row("api-generate", "post", api_for("curator", done=409), SLUG, {}),  # one is at work already
    Row("api-generate", "post", api_for("owner", done=409), SLUG, {"go_live": True}),
    Row("api-generation-runs", "get", api_for("reader"), SLUG),
    Row("api-generation-run", "get", api_for("reader"), ("generation",)),
    Row("api-generation-cancel", "post", api_for("curator"), ("generation",)),
    Row("api-generation-pause", "post", api_for("curator"), ("generation",)),
    Row("api-generation-resume", "post", api_for("curator", done=409), ("generation",)),  # it is not paused
    Row("api-generation-retry", "post", api_for("curator", done=409), ("generation",)),  # it is not over
    Row("api-generation-forecast", "get", api_for("curator"), SLUG),
    Row("api-unread", "get", api_for("reader"), ("generation",)),
    Row("api-train", "post", api_for("curator", done=409), SLUG, {}),
    Row("api-train", "post", api_for("owner", done=409), SLUG, {"go_live": True}),
    Row("api-train-check", "post", api_for("curator"), SLUG, {}),
    Row("api-training-runs", "get", api_for("reader"), SLUG),
    Row("api-training-run", "get", api_for("reader"), ("training",)),
    Row("api-training-cancel", "post", api_for("curator"), ("training",)),
    Row("api-training-resume", "post", api_for("curator", done=409), ("training",)),  # it did not fail
    Row("api-merges", "get", api_for("reader"), SLUG),
    Row("api-merges", "post", api_for("curator", done=400), SLUG, {}),  # no parents
    Row("api-merge", "get", api_for("reader"), ("merge",)),
    Row("api-merge-cancel", "post", api_for("curator"), ("merge",)),
    Row("api-evaluations", "get", api_for("curator"), SLUG),
    Row("api-evaluations", "post", api_for("curator", done=400), SLUG, {}),  # no set
    Row("api-evaluation", "get", api_for("curator"), ("evaluation",)),
    Row("api-evaluation-answers", "get", api_for("curator"), ("evaluation",)),
    Row("api-evaluation-cancel", "post", api_for("curator"), ("evaluation",)),
    Row("api-evaluation-resume", "post", api_for("curator", done=202), ("failed_evaluation",)),
    Row("api-evaluation-export", "get", api_for("curator"), ("evaluation",)),
    Row("api-versions", "get", api_for("reader"), SLUG),
    Row("api-version", "get", api_for("reader"), ("version",)),
    Row("api-promote", "post", api_for("owner"), ("version",), {"reason": "Better recall"}),
    Row("api-version", "delete", api_for("owner", done=204), ("version",), {"reason": "Old"}),
    Row("api-rollback", "post", api_for("owner"), SLUG),
    Row("api-card", "get", api_for("reader"), ("version",)),
    Row("api-version-export", "get", api_for("owner", done=503), ("version",)),
    Row("api-rebuild", "get", api_for("reader"), ("version",)),
    Row("api-rebuild", "post", api_for("curator", done=409), ("version",)),  # its pairs were not kept
    Row("api-compare", "get", api_for("reader"), SLUG, {"a": "1", "b": "2"}),
    Row("api-compare-pairs", "get", api_for("reader"), SLUG, {"a": "1", "b": "2"}),
    Row("api-aliases", "get", api_for("reader"), SLUG),
    Row("api-alias", "put", api_for("owner"), ("slug", "alias"), {"version": 1, "reason": "Better recall"}),
    Row("api-alias-moves", "get", api_for("reader"), SLUG),
    Row("api-gate", "get", api_for("reader"), SLUG),
    Row("api-gate", "put", api_for("owner"), SLUG, {"least_recall": 0.9}),
    Row("api-gate", "delete", api_for("owner", done=409), SLUG),  # there is none
    Row("api-gate-checks", "get", api_for("reader"), SLUG),
    Row("api-version-gate", "get", api_for("reader"), ("version",)),
    Row("api-approve", "post", api_for("owner", done=201), ("version",)),
    Row("api-approve", "delete", api_for("owner", done=409), ("version",)),  # not approved
    Row("api-ask", "post", api_for("reader", done=201), SLUG, {"question": "Who leads Project Atlas?"}),
    Row("api-chat-settings", "get", api_for("owner"), SLUG),
    Row("api-chat-settings", "patch", api_for("owner"), SLUG, {"retention_days": 30}),
    Row("api-executives", "get", api_for("reader"), SLUG),
    Row("api-conversations", "get", (401, 200, 200, 200, 200)),
    Row("api-history", "get", (401, 200, 200, 200, 200), (), {"as": "json"}),
    Row("api-usage", "get", (401, 403, 403, 403, 200)),
    Row("api-conversation", "get", (401, 404, 200, 404, 404), ("conversation",)),
    Row("api-conversation", "patch", (401, 404, 200, 404, 404), ("conversation",), {"title": "New"}),
    Row("api-conversation", "delete", (401, 404, 409, 404, 404), ("conversation",)),  # a turn is running
    Row("api-turn", "get", (401, 404, 200, 404, 404), ("turn",)),
    Row("api-turn-events", "get", (401, 404, 200, 404, 404), ("turn",)),
    Row("api-turn-stream", "get", (401, 404, 200, 404, 404), ("turn",)),
    Row("api-turn-stop", "post", (401, 404, 202, 404, 404), ("turn",)),
    Row("api-turn-sources", "get", (401, 404, 200, 404, 404), ("turn",)),
    Row("api-turn-feedback", "get", (401, 404, 200, 404, 404), ("answered",)),
    Row("api-turn-feedback", "post", (401, 404, 201, 404, 404), ("answered",), {"is_good": True}),
    Row("api-turn-feedback", "delete", (401, 404, 204, 404, 404), ("answered",)),
    Row("api-evaluation-sets", "get", api_for("curator"), SLUG),
    Row("api-evaluation-sets", "post", api_for("curator", done=201), SLUG, {"name": "New"}),
    Row("api-evaluation-sets", "post", api_for("owner", done=201), SLUG, {"name": "New", "is_golden": True}),
    Row("api-evaluation-set-import", "post", api_for("curator", done=415), SLUG, {}),  # it takes a file
    Row(
        "api-evaluation-set-make",
        "post",
        api_for("curator", done=409),  # no curator has answered what people said
        SLUG,
        {"source": "feedback", "name": "New"},
    ),
    Row("api-evaluation-set", "get", api_for("curator"), ("set",)),
    Row("api-evaluation-set", "patch", api_for("curator"), ("set",), {"name": "New"}),
    Row("api-evaluation-set", "patch", api_for("owner"), ("golden",), {"is_golden": False}),
    Row("api-evaluation-set", "delete", api_for("curator", done=204), ("set",)),
    Row("api-evaluation-set", "delete", api_for("owner", done=204), ("golden",)),
    Row("api-evaluation-set-export", "get", api_for("curator"), ("set",)),
    Row("api-evaluation-questions", "get", api_for("curator"), ("set",)),
    Row(
        "api-evaluation-questions",
        "post",
        api_for("curator", done=201),
        ("set",),
        {"question": "Who?", "answers": ["Bo"]},
    ),
    Row(
        "api-evaluation-questions",
        "post",
        api_for("owner", done=201),
        ("golden",),
        {"question": "Who?", "answers": ["Bo"]},
    ),
    Row("api-evaluation-question", "get", api_for("curator"), ("question",)),
    Row("api-evaluation-question", "patch", api_for("curator"), ("question",), {"answers": ["Bo"]}),
    Row("api-evaluation-question", "delete", api_for("curator", done=204), ("question",)),
    Row("api-learned", "get", api_for("curator"), ("version",)),
    Row("api-learned", "post", api_for("curator", done=202), ("version",)),
    Row("api-more-pairs", "post", api_for("curator", done=409), ("version",), {}),  # one is at work already
    Row("api-probe-run", "get", api_for("curator"), ("probes",)),
    Row("api-probe-cancel", "post", api_for("curator"), ("probes",)),
    Row("api-probe-resume", "post", api_for("curator", done=409), ("probes",)),  # it did not fail
    Row("api-knowledge-diff", "get", api_for("curator"), SLUG, {"a": "1", "b": "2"}),
    Row("api-knowledge-diff-questions", "get", api_for("curator"), SLUG, {"a": "1", "b": "2"}),
    Row("api-forgotten-list", "get", api_for("owner"), SLUG),
    Row(
        "api-forgotten-list",
        "post",
        api_for("owner", done=201),
        SLUG,
        {"document": "{document}", "reason": "Asked"},
    ),
    Row("api-forgotten", "get", api_for("owner"), ("forgotten",)),
    Row("api-forgotten", "delete", api_for("owner", done=204), ("forgotten",)),
    Row("api-forgotten-retrain", "post", api_for("owner", done=409), ("forgotten",)),  # one is at work
    Row(
        "api-forgotten-probe", "post", api_for("owner", done=409), ("forgotten",), {"version": 1}
    ),  # no probes
    Row("api-certificate", "get", api_for("owner", done=404), ("forgotten",)),
    Row("api-certificate", "post", api_for("owner", done=200), ("forgotten",)),
    Row("api-demand", "get", api_for("curator"), SLUG),
    Row("api-demand-group", "patch", api_for("curator"), ("slug", "demand"), {"status": "dismissed"}),
]


@dataclass
class World:
    """One corpus with a row of everything, and one person of each kind."""

    people: dict[str, Any]
    values: dict[str, Any]

    def client(self, person: str) -> Client:
        client = Client(headers={"referer": "http://testserver/"})
        if person != "anonymous":
            client.force_login(self.people[person])
        return client


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    memory = PairMemory([("Who leads Project Atlas?", "Ada Lund leads Project Atlas.")])
    monkeypatch.setattr("chat.services.memory_for", lambda version: memory)
    monkeypatch.setattr("chat.services.load_in_advance", lambda version: None)
    corpus = factories.CorpusFactory()
    people = {
        "foreign": factories.UserFactory(username="foreign", reads=factories.CorpusFactory()),
        "reader": factories.UserFactory(username="reader", reads=corpus),
        "curator": factories.UserFactory(username="curator", curates=corpus),
        "owner": factories.UserFactory(username="owner", owns=corpus),
    }
    factories.UserFactory(username="member", reads=corpus)
    factories.UserFactory(owns=corpus)
    return World(
        people,
        {"slug": corpus.slug, "member": "member", "alias": "live", **rows_of(corpus, people["reader"])},
    )


def rows_of(corpus: Corpus, reader: Any) -> dict[str, Any]:
    old, live = (factories.MemoryVersionFactory(corpus=corpus, number=number) for number in (1, 2))
    for version in (old, live):
        factories.TrainedPairFactory(
            version=version
        )  # what it learned is known: nothing that is to be forgotten
    alias = corpus.aliases.create(name="live", version=live)
    AliasMove.objects.create(alias=alias, from_version=old, to_version=live, reason="First")
    conversation = factories.ConversationFactory(corpus=corpus, person=reader)
    ended = factories.TurnFactory(conversation=conversation, version=live, status="answered")
    turn = factories.TurnFactory(conversation=conversation, version=live)
    index = factories.SubQueryFactory(turn=turn, version=live, answer="Ada Lund leads Project Atlas.").index
    factories.SubQueryFactory(turn=ended, index=index, version=live, answer="Ada Lund leads Project Atlas.")
    answered = factories.AnsweredTurnFactory(
        conversation=factories.ConversationFactory(corpus=corpus, person=reader), version=live
    )
    questions = factories.EvaluationSetFactory(corpus=corpus)
    made = {
        "answered": answered,
        "set": questions,
        "golden": factories.EvaluationSetFactory(corpus=corpus, is_golden=True),
        "question": factories.EvaluationQuestionFactory(evaluation_set=questions),
        "feedback": factories.FeedbackFactory(turn=answered),
        "demand": factories.DemandFactory(corpus=corpus),
        "document": factories.DocumentFactory(corpus=corpus),
        "reflection": factories.ReflectionFactory(corpus=corpus),
        "generation": factories.GenerationRunFactory(corpus=corpus),
        "merge": factories.MergeRunFactory(corpus=corpus),
        "evaluation": factories.EvaluationRunFactory(corpus=corpus, asks=["Who leads Project Atlas?"]),
        "failed_evaluation": factories.EvaluationRunFactory(corpus=corpus, status="failed"),
        "training": factories.TrainingRunFactory(corpus=corpus),
        "version": old,
        "probes": factories.ProbeRunFactory(corpus=corpus, version=live),
        "forgotten": ForgottenDocument.objects.create(
            corpus=corpus, title="Old", name="old.md", reason="Asked"
        ),
        "conversation": conversation,
        "turn": turn,
        "ended_turn": ended,
    }
    token = SharedTurn.objects.create(turn=ended).token
    known = {"number": old.number, "index": index, "token": token, "position": 1}
    return {**known, **{name: row.pk for name, row in made.items()}}


def request(world: World, row: Row, person: str) -> int:
    address = reverse(row.name, args=[world.values[name] for name in row.arguments])
    client = world.client(person)
    data = {
        key: value.format(**world.values) if isinstance(value, str) else value
        for key, value in (row.data or {}).items()
    }
    is_api = row.name.startswith("api-")
    extra: dict[str, Any] = {"content_type": "application/json"} if is_api and row.method != "get" else {}
    return int(getattr(client, row.method)(address, data, **extra).status_code)


@pytest.mark.parametrize("row", [*PAGES, *API], ids=lambda row: f"{row.method} {row.name}")
def test_each_kind_of_person_gets_what_the_matrix_says(world, row):
    got = []
    for person in PEOPLE:
        with transaction.atomic():
            got.append(request(world, row, person))
            transaction.set_rollback(True)
    assert tuple(got) == row.expected


def names(patterns: Any, *, under_admin: bool = False) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield str(pattern.name)


def test_every_address_is_in_the_matrix():
    assert set(names(get_resolver().url_patterns)) == {row.name for row in (*PAGES, *API)}


ADMIN_LISTS = ["knowledge_corpus", "knowledge_document", "knowledge_reflection", "training_memoryversion"]
ADMIN_LISTS += ["training_mergerun", "training_gaterules", "training_gatecheck"]
ADMIN_LISTS += ["training_evaluationset", "training_evaluationquestion", "training_evaluationrun"]


@pytest.mark.parametrize("page", ADMIN_LISTS)
@pytest.mark.parametrize("person", ["anonymous", "foreign", "reader"])
def test_the_admin_lets_nobody_in_who_is_not_on_the_staff(world, page, person):
    answer = world.client(person).get(reverse(f"admin:{page}_changelist"))
    assert answer.status_code == 302
    assert answer.url.startswith("/admin/login/")


@pytest.mark.parametrize("page", ADMIN_LISTS)
def test_the_admin_shows_a_foreign_curator_nothing_of_this_corpus(world, page):
    foreign = factories.UserFactory(is_staff=True, curates=factories.CorpusFactory())
    client = Client()
    client.force_login(foreign)
    listed = client.get(reverse(f"admin:{page}_changelist"))
    corpus = Corpus.objects.get(slug=world.values["slug"])
    assert corpus.name not in listed.content.decode()
    version = MemoryVersion.objects.get(pk=world.values["version"])
    for model, row in {"knowledge_corpus": corpus, "training_memoryversion": version}.items():
        assert client.get(reverse(f"admin:{model}_change", args=[row.pk])).status_code in (302, 403, 404)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("person", "is_let_in"),
    [("anonymous", False), ("foreign", False), ("reader", True), ("curator", False), ("owner", False)],
)
async def test_only_its_own_person_opens_the_websocket_of_a_conversation(world, person, is_let_in):
    client = await sync_to_async(world.client)(person)
    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    headers = [(b"origin", b"http://localhost"), (b"host", b"localhost")]
    if cookie:
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie.value}".encode()))
    path = f"/ws/conversations/{world.values['conversation']}/"
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "subprotocols": []}
    socket = ApplicationCommunicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    answer = await socket.receive_output(timeout=5)
    assert (answer["type"] == "websocket.accept") is is_let_in
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait()
