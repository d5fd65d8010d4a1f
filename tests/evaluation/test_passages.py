"""Passages that come with a file of questions become documents of the corpus, each once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from knowledge.models import Corpus, Document, Role
from knowledge.services import ingest_text, remove_document
from memosite.errors import NotAllowed
from tests.evaluation.contests import carry_through
from tests.factories import CorpusFactory
from tests.workbench import browser_of, make_person
from training.evaluation.readers import Loaded
from training.evaluation.types import Passage, Question
from training.lab.runs.lineup import lineup
from training.lab.runs.running import start_evaluation
from training.lab.sets import passages
from training.lab.sets.passages import Brought, import_with_passages
from training.lab.sets.services import BadSet
from training.models import EvaluationAnswer, EvaluationSet

pytestmark = pytest.mark.django_db

MUSIQUE = {
    "id": "2hop__1_2",
    "paragraphs": [
        {"title": "Atlas", "paragraph_text": "Ann Berg leads Atlas.", "is_supporting": True},
        {"title": "Atlas", "paragraph_text": "Atlas is a mountain.", "is_supporting": False},
        {"title": "Ann Berg", "paragraph_text": "The hobby of Ann Berg is *rowing*.", "is_supporting": True},
    ],
    "question": "What is the hobby of the leader of Atlas?",
    "answer": "rowing",
    "answerable": True,
}
HOTPOT = {
    "question": "Where does Bo Marsh live?",
    "answer": "Bergen",
    "type": "bridge",
    "supporting_facts": [["Bo Marsh", 0]],
    "context": [["Bo Marsh", ["Bo Marsh lives in Bergen."]], ["Atlas", ["Atlas is an atlas."]]],
}


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="handbook")


@pytest.fixture
def curator(corpus: Corpus) -> Any:
    return make_person("cara", corpus, Role.CURATOR)


def file_of(*records: Any) -> SimpleUploadedFile:
    return SimpleUploadedFile("questions.jsonl", "\n".join(map(json.dumps, records)).encode())


def loaded(*passages: tuple[str, str], documents: tuple[str, ...] = ()) -> Loaded:
    question = Question("Who leads Atlas?", ("Ann Berg",), documents=documents)
    return Loaded((question,), tuple(Passage(*passage) for passage in passages))


def bring(corpus: Corpus, found: Loaded, person: Any = None) -> tuple[EvaluationSet, Brought]:
    row, _, brought = import_with_passages(corpus, person, "File", found)
    return row, brought


def titles(corpus: Corpus) -> list[str]:
    return sorted(corpus.documents.current().values_list("title", flat=True))


def documents_of(row: EvaluationSet) -> list[str]:
    return list(row.questions.get().documents)


def test_each_passage_becomes_a_document_under_the_title_that_questions_name(corpus, curator):
    found = loaded(("Ann  *Berg*", "Ann leads Atlas."), ("Atlas/Map", "A map."), documents=("Ann *Berg*",))
    row, brought = bring(corpus, found, curator)
    assert (brought.added, brought.unchanged) == (2, 0)
    assert titles(corpus) == ["Ann *Berg*", "Atlas/Map"]
    assert documents_of(row) == ["Ann *Berg*"]
    document = corpus.documents.get(title="Ann *Berg*")
    assert "Ann leads Atlas." in document.text
    assert (document.uploaded_by, document.chunks.count()) == (curator, 1)


def test_brought_in_again_no_passage_becomes_a_second_document(corpus):
    found = loaded(("Atlas", "A mountain."), ("Atlas (2)", "A project."), documents=("Atlas (2)",))
    bring(corpus, found)
    row, brought = bring(corpus, found)
    assert (brought.added, brought.unchanged, Document.objects.count()) == (0, 2, 2)
    assert documents_of(row) == ["Atlas (2)"]


def test_a_document_that_says_the_same_already_is_the_passage(corpus):
    ingest_text(corpus, "Atlas", "Ann Berg leads Atlas.")
    row, brought = bring(corpus, loaded(("Atlas", "Ann Berg  leads\nAtlas."), documents=("Atlas",)))
    assert (brought.added, brought.unchanged, Document.objects.count()) == (0, 1, 1)
    assert documents_of(row) == ["Atlas"]


def test_a_title_that_another_document_has_gets_a_number_and_the_document_stays(corpus):
    own = ingest_text(corpus, "Atlas", "Our project.").document
    found = loaded(("Atlas", "A mountain."), documents=("Atlas",))
    for expected in (1, 0):
        row, brought = bring(corpus, found)
        assert brought.added == expected
        assert documents_of(row) == ["Atlas (2)"]
    own.refresh_from_db()
    assert (own.is_current, own.version, titles(corpus)) == (True, 1, ["Atlas", "Atlas (2)"])


def test_titles_that_differ_only_in_what_a_file_name_cannot_hold_are_two_documents(corpus):
    long = "A" * 150
    bring(corpus, loaded(("A/B", "One."), ("A-B", "Two."), (f"{long}1", "Three."), (f"{long}2", "Four.")))
    assert len(titles(corpus)) == 4


def test_a_passage_that_was_taken_out_comes_back_once(corpus):
    found = loaded(("Atlas", "A mountain."))
    bring(corpus, found)
    remove_document(corpus.documents.get())
    assert bring(corpus, found)[1].added == 1
    assert titles(corpus) == ["Atlas"]


def test_a_passage_without_text_is_left_out_and_one_without_title_gets_one(corpus):
    _, brought = bring(corpus, loaded(("Empty", " "), ("", "A mountain.")))
    assert str(brought) == "1 added, 0 there already, 1 without text left out"
    assert titles(corpus) == ["Untitled"]


def test_a_file_without_passages_and_people_who_may_not_are_refused_and_nothing_changes(corpus):
    with pytest.raises(BadSet, match="brings no passages"):
        bring(corpus, loaded())
    with pytest.raises(NotAllowed):
        bring(corpus, loaded(("Atlas", "A mountain.")), make_person("rita", corpus, Role.READER))
    assert not (Document.objects.exists() or EvaluationSet.objects.exists())


def test_where_the_set_is_refused_no_document_is_stored_and_no_file_stays(corpus, curator, settings):
    with pytest.raises(NotAllowed):
        import_with_passages(corpus, curator, "File", loaded(("Atlas", "A mountain.")), is_golden=True)
    assert not Document.objects.exists()
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


# --- Page, REST and command --------------------------------------------------------------------------------
def test_the_page_adds_the_passages_where_the_box_is_ticked(corpus, curator):
    browser, address = browser_of(curator), reverse("import-evaluation-set", args=[corpus.slug])
    assert 'name="with_passages"' in browser.get(address).content.decode()
    checked = browser.post(address, {"file": file_of(MUSIQUE), "name": "M", "check": "1"})
    assert "3 passages that can be added as documents" in checked.content.decode()
    browser.post(address, {"file": file_of(MUSIQUE), "name": "M"})
    assert not Document.objects.exists()
    sent = {"file": file_of(MUSIQUE), "name": "M", "with_passages": "on"}
    assert "Documents: 3 added, 0 there already." in browser.post(address, sent, follow=True).content.decode()
    assert titles(corpus) == ["Ann Berg", "Atlas", "Atlas (2)"]


def test_the_page_says_what_cannot_be_brought_in(corpus, curator, monkeypatch):
    monkeypatch.setattr("training.lab.sets.views.MOST_ON_A_PAGE", 2)
    browser, address = browser_of(curator), reverse("import-evaluation-set", args=[corpus.slug])
    answer = browser.post(address, {"file": file_of(MUSIQUE), "name": "M", "with_passages": "on"})
    assert (answer.status_code, "3 passages; 2 is the limit here" in answer.content.decode()) == (422, True)
    assert not EvaluationSet.objects.exists()


def test_rest_adds_the_passages_and_tells_how_many(corpus, curator):
    browser, address = browser_of(curator), reverse("api-evaluation-set-import", args=[corpus.slug])
    told = []
    for _ in range(2):
        answer = browser.post(address, {"file": file_of(HOTPOT), "name": "H", "with_passages": "true"})
        told.append((answer.status_code, answer.json()["documents_added"]))
    assert told == [(201, 2), (200, 0)]
    sent = {"file": file_of({"question": "Who?", "answers": ["Ann"]}), "name": "H", "with_passages": "true"}
    refused = browser.post(address, sent)
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_evaluation_set")


def test_the_command_adds_the_passages_that_perfect_retrieval_then_finds(corpus, tmp_path, capsys):
    file = tmp_path / "musique.jsonl"
    file.write_text(json.dumps(MUSIQUE))
    call_command("evaluation_set", "handbook", "M", "--from", str(file), "--with-passages")
    assert (
        capsys.readouterr().out
        == "M: 1 added, 0 updated, 0 unchanged. Documents: 3 added, 0 there already.\n"
    )
    run = carry_through(start_evaluation(EvaluationSet.objects.get(), lineup((), against=[("perfect", {})])))
    (given,) = EvaluationAnswer.objects.all()
    assert (run.status, given.error, given.known) == ("succeeded", "", True)
    with pytest.raises(CommandError, match="goes with --from"):
        call_command("evaluation_set", "handbook", "M", "--make", "probes", "--with-passages")


def test_many_titles_are_looked_up_some_at_a_time(corpus, monkeypatch):
    monkeypatch.setattr(passages, "TITLES_AT_A_TIME", 2)
    found = loaded(*((f"Title {number}", f"Text {number}.") for number in range(5)))
    bring(corpus, found)
    assert bring(corpus, found)[1] == Brought(0, 5)
