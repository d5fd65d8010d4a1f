"""Forgetting a document: taken out, trained without, probed, kept from going live, and certified."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from knowledge.models import Corpus, Document
from knowledge.services import ingest_file
from memosite.errors import Conflict
from tests.evaluation.lab import ATLAS, BEACON, CURLEW, Memories, document_with, done, rests_on, version_with
from tests.factories import CorpusFactory, ReflectionFactory, UserFactory
from training.lab.forgetting import services as forgetting
from training.lab.forgetting.certificates import is_genuine
from training.lab.forgetting.services import (
    NotCertifiable,
    affected_versions,
    certify,
    forget,
    forgotten_findings,
    is_affected,
    objections,
    retrain,
    start_residue_probes,
    states_of,
    take_back,
)
from training.lab.gate.rules import GateRefused
from training.lab.probes import probing
from training.models import ForgottenDocument, MemoryVersion, ProbeRun, Purpose, TrainingRun
from training.reasons import NoReason
from training.registry import delete_version
from training.services import promote

pytestmark = pytest.mark.django_db

LETTER = b"# Letter\n\nCy Hart keeps the key."
SECRET = ("What is the code word of Curlew?", "The code word of Curlew is heron.")


@pytest.fixture
def corpus() -> Corpus:
    corpus = CorpusFactory(slug="harbour", name="Harbour")
    document_with(corpus, "Atlas", ATLAS)
    document_with(corpus, "Beacon", BEACON)
    document_with(corpus, "Secret", SECRET, CURLEW)
    return corpus


@pytest.fixture
def secret(corpus: Corpus) -> Document:
    return corpus.documents.get(title="Secret")


@pytest.fixture
def first(corpus: Corpus) -> MemoryVersion:
    """The live version, which learned everything."""
    return version_with(corpus, ATLAS, BEACON, SECRET, CURLEW, live=True)


@pytest.fixture
def memories(monkeypatch: pytest.MonkeyPatch) -> Memories:
    told = Memories()
    monkeypatch.setattr(probing, "memory_for", told)
    return told


@pytest.fixture
def desk(corpus: Corpus) -> Client:
    client = Client()
    client.force_login(UserFactory(username="olga", owns=corpus))
    return client


def forgotten(document: Document) -> ForgottenDocument:
    return forget(document, reason="The customer asked for it")


def without(corpus: Corpus, memories: Memories, *known: tuple[str, str]) -> MemoryVersion:
    """A version that was trained on what is left, and knows it and what else is named."""
    version = version_with(corpus, ATLAS, BEACON)
    memories.tell(version, ATLAS, BEACON, *known)
    return version


def probed(row: ForgottenDocument, version: MemoryVersion) -> ForgottenDocument:
    done(start_residue_probes(row, version))
    row.refresh_from_db()
    return row


# --- Taking it out -----------------------------------------------------------------------------------------
def test_the_document_and_its_pairs_are_out_of_every_later_training(corpus, secret, first):
    row = forgotten(secret)
    secret.refresh_from_db()
    assert not secret.is_current
    assert set(corpus.reflections.trainable().values_list("question", flat=True)) == {ATLAS[0], BEACON[0]}
    assert len(row.pair_digests) == 2


def test_every_version_of_the_document_is_forgotten(corpus, secret, first):
    secret.is_current = False
    secret.save()
    newer = document_with(corpus, "Secret", ("Who owns Curlew?", "Di Venn owns Curlew."), version=2)
    assert len(forgotten(newer).pair_digests) == 3


def test_questions_that_another_document_answers_are_no_probes(corpus, secret):
    document_with(corpus, "Other", ("Which ship does Cy Hart lead?", CURLEW[1]))
    assert forgotten(secret).probes == [{"question": SECRET[0], "answer": SECRET[1]}]


def test_pairs_in_the_same_words_from_another_document_stay(corpus, secret):
    twin = document_with(corpus, "Twin")
    rests_on(twin, ReflectionFactory(corpus=corpus, question=CURLEW[0], answer=CURLEW[1]))
    row = forgotten(secret)
    assert len(row.pair_digests) == 1
    later = version_with(corpus, ATLAS)
    later.pairs.create(question=CURLEW[0], answer=CURLEW[1], reflection=twin.chunks.get().reflections.get())
    assert later not in affected_versions(row)


def test_without_a_reason_nothing_happens(secret):
    with pytest.raises(NoReason):
        forget(secret, reason="  ")
    secret.refresh_from_db()
    assert secret.is_current


def test_a_document_is_forgotten_once(secret):
    forgotten(secret)
    with pytest.raises(Conflict, match="already"):
        forgotten(secret)


def test_another_text_under_its_name_is_another_document(corpus, secret, first):
    row = forgotten(secret)
    newer = document_with(corpus, "Secret", ("Who owns Curlew?", "Di Venn owns Curlew."), version=2)
    learned_it = version_with(corpus, ("Who owns Curlew?", "Di Venn owns Curlew."))
    assert learned_it not in affected_versions(row)
    assert forget(newer, reason="That one, too").pair_digests


def test_the_same_file_under_another_name_goes_with_it(corpus, secret, first):
    told = ("Which ship does Cy Hart sail?", "Cy Hart sails the ship Curlew.")
    twin = document_with(corpus, "Twin", told)
    Document.objects.filter(pk__in=[secret.pk, twin.pk]).update(checksum="c0ffee")
    forgotten(Document.objects.get(pk=secret.pk))
    assert not corpus.documents.current().filter(title__in=["Secret", "Twin"]).exists()
    assert told[0] not in set(corpus.reflections.trainable().values_list("question", flat=True))


def test_the_same_file_is_the_forgotten_document_whenever_it_comes_and_whatever_it_is_called(
    corpus, secret, first
):
    Document.objects.filter(pk=secret.pk).update(checksum="c0ffee")
    row = forgotten(Document.objects.get(pk=secret.pk))
    told = ("Which ship does Cy Hart sail?", "Cy Hart sails the ship Curlew.")
    again = document_with(corpus, "Copy", told)
    assert version_with(corpus, told) not in affected_versions(row)
    Document.objects.filter(pk=again.pk).update(checksum="c0ffee")
    assert version_with(corpus, told) in affected_versions(row)
    with pytest.raises(Conflict, match=r"already, as “Secret”\. Remove it from the corpus"):
        forget(Document.objects.get(pk=again.pk), reason="Again")


@pytest.fixture
def uploaded(corpus) -> Document:
    """A document that somebody brought in as a file."""
    document = ingest_file(corpus, "letter.md", LETTER).document
    assert document is not None
    return document


@pytest.mark.parametrize(
    ("name", "data"),
    [("letter.md", LETTER), ("copy.md", LETTER), ("other-bytes.md", LETTER + b"\n\n")],
    ids=["the same file", "under another name", "with the same text"],
)
def test_what_is_to_be_forgotten_does_not_come_in_again(corpus, uploaded, name, data):
    forgotten(uploaded)
    refused = ingest_file(corpus, name, data)
    assert refused.is_refused
    assert "is to be forgotten, as “Letter”" in refused.message
    assert "unless an owner takes that back" in refused.message
    assert corpus.documents.filter(title="Letter").count() == 1


def test_another_text_under_its_name_and_the_file_in_another_corpus_come_in(corpus, uploaded):
    forgotten(uploaded)
    assert ingest_file(corpus, "letter.md", b"# Letter\n\nDi Venn keeps the key.").outcome == "new version"
    assert ingest_file(CorpusFactory(), "letter.md", LETTER).outcome == "added"


def test_taken_back_the_file_may_come_in_again(corpus, uploaded):
    take_back(forgotten(uploaded))
    assert ingest_file(corpus, "letter.md", LETTER).outcome == "new version"


def test_rest_refuses_a_file_that_is_to_be_forgotten(corpus, uploaded, desk):
    forgotten(uploaded)
    answer = desk.post(
        reverse("api-documents", args=["harbour"]), {"files": [SimpleUploadedFile("again.md", LETTER)]}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "document_refused")
    assert "is to be forgotten" in answer.json()["detail"]


def test_taken_back_its_versions_may_go_live_but_the_document_stays_out(secret, first):
    take_back(forgotten(secret))
    secret.refresh_from_db()
    assert (forgotten_findings(first), secret.is_current) == ([], False)


# --- Versions ----------------------------------------------------------------------------------------------
def test_versions_that_learned_it_and_their_descendants_are_affected(corpus, secret, first):
    child = version_with(corpus, ATLAS)
    child.parents.add(first)
    grandchild = version_with(corpus, BEACON)
    grandchild.parents.add(child)
    clean = version_with(corpus, ATLAS, BEACON)
    row = forgotten(secret)
    assert set(affected_versions(row)) == {first, child, grandchild}
    assert [each["number"] for each in row.affected] == [1, 2, 3]
    assert clean not in affected_versions(row)


def test_a_version_whose_rows_of_pairs_are_gone_is_known_by_their_words(corpus, secret):
    imported = version_with(corpus)
    imported.pairs.create(question=SECRET[0], answer=SECRET[1])
    assert imported in affected_versions(forgotten(secret))


def test_one_version_is_found_affected_as_among_all(corpus, secret, first):
    child = version_with(corpus, ATLAS)
    child.parents.add(first)
    imported = version_with(corpus)
    imported.pairs.create(question=SECRET[0], answer=SECRET[1])
    clean = version_with(corpus, ATLAS, BEACON)
    row = forgotten(secret)
    assert [is_affected(row, each) for each in (first, child, imported, clean)] == [True, True, True, False]


def test_each_affected_version_is_serving_kept_from_serving_or_deleted(corpus, secret, first):
    second = version_with(corpus, SECRET)
    third = version_with(corpus, CURLEW)
    row = forgotten(secret)
    delete_version(third, reason="It knows the secret")
    assert {each["number"]: each["state"] for each in states_of(row)} == {
        first.number: "serving",
        second.number: "kept from serving",
        third.number: "deleted",
    }


def test_retraining_begins_from_the_start(corpus, secret, first):
    row = forgotten(secret)
    run = retrain(row)
    row.refresh_from_db()
    assert (row.retraining, run.continues, run.status) == (run, None, "queued")


def test_the_version_that_comes_of_it_is_probed_by_itself(
    corpus, secret, first, django_capture_on_commit_callbacks
):
    row = forgotten(secret)
    run = retrain(row)
    with django_capture_on_commit_callbacks(execute=True):
        made = version_with(corpus, ATLAS, BEACON, path=run.folder_name)
    probe = ProbeRun.objects.get()
    assert (probe.version, probe.forgotten, probe.purpose) == (made, row, Purpose.FORGETTING)


# --- Residue and the gate ----------------------------------------------------------------------------------
def test_a_version_without_residue_may_go_live(corpus, secret, first, memories):
    row = probed(forgotten(secret), without(corpus, memories))
    version = row.retrained_as
    assert (row.residue, row.residue_bound, version.number) == (0.0, 0.0, 2)
    (finding,) = forgotten_findings(version)
    assert (finding.rule, finding.passed) == (forgetting.RULE, True)
    promote(version, reason="Without the secret")
    assert version.is_live


def test_a_version_that_still_answers_as_the_document_does_may_not(corpus, secret, first, memories):
    row = probed(forgotten(secret), without(corpus, memories, SECRET, CURLEW))
    assert row.residue == 1.0
    (finding,) = forgotten_findings(row.retrained_as)
    assert not finding.passed
    assert "still answers as “Secret” does: it answers 2 of 2 probes, and 0 of" in finding.words
    with pytest.raises(GateRefused, match="still answers"):
        promote(row.retrained_as, reason="Newer")


def test_a_version_that_learned_it_may_not_go_live_and_is_no_version_without_it(
    corpus, secret, first, memories
):
    memories.tell(first, SECRET, CURLEW)
    row = probed(forgotten(secret), first)
    assert (row.retrained_as, row.residue) == (None, None)
    (finding,) = forgotten_findings(first)
    assert (finding.passed, "learned from “Secret”" in finding.words) == (False, True)


def test_a_version_whose_pairs_are_unknown_has_to_be_probed_first(corpus, secret, memories):
    row, imported = forgotten(secret), version_with(corpus)
    assert not forgotten_findings(imported)[0].passed
    memories.tell(imported, ATLAS)
    row = probed(row, imported)
    assert forgotten_findings(imported)[0].passed
    assert row.retrained_as is None  # nobody knows that it was trained without the document


def test_never_seen_questions_are_asked_in_the_same_run_and_are_the_same_when_it_goes_on(
    corpus, secret, first, memories
):
    version = without(corpus, memories)
    run = done(start_residue_probes(forgotten(secret), version))
    drawn = run.result["never_seen"]
    assert drawn and not set(drawn) & {SECRET[0], CURLEW[0], ATLAS[0], BEACON[0]}
    assert run.result["false"]["total"] == len(drawn)
    assert forgetting.questions_of(run)[version][2:] == drawn


def test_answers_to_never_seen_questions_are_the_bound(corpus, secret, first, memories):
    version = without(corpus, memories)
    run = start_residue_probes(forgotten(secret), version)
    assert run.claim()
    asked = forgetting.questions_of(run)[version]
    memories.tell(version, *((question, "Somebody does.") for question in asked[2:12]))
    forgetting_result = done_again(run)
    assert forgetting_result["false"]["hits"] == 10


def test_a_version_from_before_is_not_the_one_that_was_trained_without_it(corpus, secret, first, memories):
    before = without(corpus, memories)
    MemoryVersion.objects.filter(pk=before.pk).update(trained_at="2020-01-01T00:00:00Z")
    row = probed(forgotten(secret), MemoryVersion.objects.get(pk=before.pk))
    assert row.retrained_as is None
    assert forgotten_findings(before)[0].passed


def done_again(run: ProbeRun) -> dict:
    from training.lab.purposes import perform_probes

    perform_probes(run)
    return run.result


# --- Certificate -------------------------------------------------------------------------------------------
def test_it_is_certified_once_no_affected_version_serves(corpus, secret, first, memories):
    row = probed(forgotten(secret), without(corpus, memories))
    with pytest.raises(NotCertifiable, match="Version 1 learned from it and is live"):
        certify(row)
    promote(row.retrained_as, reason="It forgot")
    told = certify(row, UserFactory(username="olga"))
    assert (told["certified_by"], told["retrained"]["number"]) == ("olga", 2)
    assert told["versions"][0]["state"] == "kept from serving"
    assert told["probes"]["answered_as_the_document"]["hits"] == 0


def test_nothing_is_certified_before_a_version_was_probed(secret, first):
    row = forgotten(secret)
    assert "No version that was trained without it was probed yet." in objections(row)


def test_a_leaking_version_is_no_proof(corpus, secret, first, memories):
    row = probed(forgotten(secret), without(corpus, memories, SECRET, CURLEW))
    promote(row.retrained_as, reason="It forgot", override="Nothing else is there")
    with pytest.raises(NotCertifiable, match="still answers"):
        certify(row)


def test_a_document_that_no_pair_rests_on_is_certified_without_a_probe(corpus, desk):
    row, imported = forgotten(document_with(corpus, "Empty")), version_with(corpus)
    assert forgotten_findings(imported)[0].passed
    told = certify(row)
    assert (told["probes"]["asked"], told["retrained"], told["versions"]) == (0, None, [])
    assert is_genuine(told)
    page = desk.get(reverse("certificate", args=["harbour", row.pk])).content.decode()
    assert "there was nothing to look for" in page
    assert desk.get(row.get_absolute_url()).status_code == 200


@pytest.fixture
def certified(corpus, secret, first, memories) -> ForgottenDocument:
    row = probed(forgotten(secret), without(corpus, memories))
    promote(row.retrained_as, reason="It forgot")
    certify(row)
    row.refresh_from_db()
    return row


def test_a_certificate_stays_as_it_was_issued(certified, corpus):
    before = certified.certificate
    promote(corpus.versions.get(number=1), reason="Back", override="It is needed today")
    assert certify(certified) == before


def test_what_was_certified_can_be_taken_back_and_the_certificate_stays(certified, corpus, desk):
    before = dict(certified.certificate)
    desk.post(certified.get_absolute_url(), {"do": "take-back"})
    certified.refresh_from_db()
    assert (certified.certificate, forgotten_findings(corpus.versions.get(number=1))) == (before, [])
    assert "was taken back" in desk.get(certified.get_absolute_url()).content.decode()
    assert (
        "was taken back" in desk.get(reverse("certificate", args=["harbour", certified.pk])).content.decode()
    )
    with pytest.raises(Conflict, match="not to be forgotten any more"):
        take_back(certified)


def test_what_was_taken_back_can_be_forgotten_again(certified, corpus, secret):
    take_back(certified)
    again = forget(secret, reason="It is to be forgotten after all")
    certified.refresh_from_db()
    assert (again.document, certified.document, bool(certified.certificate)) == (secret, None, True)
    assert not forgotten_findings(corpus.versions.get(number=1))[0].passed


def test_a_certificate_holds_no_word_of_the_document_and_its_hash_shows_changes(certified):
    assert "heron" not in str(certified.certificate)
    assert is_genuine(certified.certificate)
    assert not is_genuine({**certified.certificate, "reason": "None"})


def test_the_certificate_can_be_printed_and_got_by_rest(certified, desk):
    page = desk.get(reverse("certificate", args=["harbour", certified.pk])).content.decode()
    for told in ("Certificate of forgetting", certified.sha256, certified.certificate["sha256"]):
        assert told in page
    assert desk.get(reverse("api-certificate", args=[certified.pk])).json() == certified.certificate


# --- Pages, REST, command ----------------------------------------------------------------------------------
def test_an_owner_forgets_a_document_on_the_page_and_starts_the_training(corpus, secret, first, desk):
    data = {"document": secret.pk, "reason": "The customer asked for it", "retrain": "1"}
    answer = desk.post(reverse("forgetting", args=["harbour"]), data)
    row = ForgottenDocument.objects.get()
    assert answer.url == row.get_absolute_url()
    assert (row.asked_by.username, row.retraining) == ("olga", TrainingRun.objects.get())
    page = desk.get(row.get_absolute_url()).content.decode()
    assert "Version 1 learned from it and is live." in page


def test_a_document_is_forgotten_though_a_training_is_at_work_and_both_are_told(corpus, secret, first, desk):
    TrainingRun.objects.create(corpus=corpus, status="running")
    asked = {"document": secret.pk, "reason": "The customer asked for it", "retrain": "on"}
    told = desk.post(reverse("forgetting", args=["harbour"]), asked, follow=True).content.decode()
    assert "is taken out; no later version learns it" in told
    assert "No version is trained without it yet: A training is already at work" in told


def test_rest_tells_why_no_training_began(corpus, secret, first, desk):
    TrainingRun.objects.create(corpus=corpus, status="running")
    asked = {"document": secret.pk, "reason": "The customer asked for it", "retrain": True}
    made = desk.post(reverse("api-forgotten-list", args=["harbour"]), asked, content_type="application/json")
    assert (made.status_code, made.json()["retraining"]) == (201, None)
    assert "already at work" in made.json()["not_retrained"]


def test_the_page_shows_what_is_left_in_each_version(corpus, secret, first, memories, desk):
    memories.tell(first, SECRET, CURLEW)
    row = forgotten(secret)
    for version in (first, without(corpus, memories)):
        probed(row, version)
    page = desk.get(row.get_absolute_url())
    verdicts = {run.version.number: leaks for run, _, leaks in page.context["runs"]}
    assert verdicts == {1: True, 2: False}


def test_a_form_that_asks_for_nothing_known_is_refused(secret, desk):
    row = forgotten(secret)
    assert desk.post(row.get_absolute_url(), {"do": "burn"}).status_code == 400


def test_rest_forgets_probes_and_tells_what_stands_against_a_certificate(corpus, secret, first, desk):
    made = desk.post(
        reverse("api-forgotten-list", args=["harbour"]),
        {"document": secret.pk, "reason": "The customer asked for it"},
        content_type="application/json",
    ).json()
    assert (made["pairs_withdrawn"], made["probes"]) == (2, 2)
    assert made["versions"][0]["state"] == "serving"
    probe = desk.post(
        reverse("api-forgotten-probe", args=[made["id"]]), {"version": 1}, content_type="application/json"
    )
    assert (probe.status_code, probe.json()["purpose"]) == (202, "forgetting")
    refused = desk.post(reverse("api-certificate", args=[made["id"]]))
    assert (refused.status_code, refused.json()["code"]) == (409, "not_certifiable")


def test_the_command_forgets_a_document_by_its_name(corpus, secret, first, capsys):
    call_command("forget", "harbour", "secret.md", reason="The customer asked for it")
    said = capsys.readouterr().out
    assert "2 pairs are withdrawn" in said
    assert "Version 1 learned from it: serving." in said
    assert ForgottenDocument.objects.get().reason == "The customer asked for it"


def test_the_command_queues_the_training_and_returns_with_detach(corpus, secret, first):
    call_command("forget", "harbour", "Secret", reason="Asked", retrain=True, detach=True)
    assert TrainingRun.objects.get().status == "queued"


def test_the_command_says_how_far_it_is_probes_and_certifies(
    corpus, secret, first, memories, capsys, tmp_path
):
    call_command("forget", "harbour", "secret.md", reason="The customer asked for it")
    version = without(corpus, memories)
    capsys.readouterr()
    call_command("forget", "harbour", "Secret", probe=version.number, here=True)
    said = capsys.readouterr().out
    assert "Harbour v2 does not leak: it answers 0 of 2 questions as the document does, and 0 of " in said
    assert "Against a certificate: Version 1 learned from it and is live." in said
    with pytest.raises(CommandError, match="Version 1 learned from it and is live"):
        call_command("forget", "harbour", "secret.md", certify=True)
    promote(version, reason="It forgot")
    call_command("forget", "harbour", str(secret.pk), json=tmp_path / "certificate.json")
    assert is_genuine(json.loads((tmp_path / "certificate.json").read_text()))
    capsys.readouterr()
    call_command("forget", "harbour", "secret.md", certify=True)
    assert '"asked": 2' in capsys.readouterr().out
    assert ForgottenDocument.objects.count() == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"probe": 7}, "7"), ({"certify": True, "json": Path("/nowhere/it.json")}, "cannot be written")],
)
def test_the_command_says_what_it_cannot_do(corpus, asked, told):
    row = forgotten(document_with(corpus, "Empty"))
    with pytest.raises(CommandError, match=told):
        call_command("forget", "harbour", row.name, **asked)


def test_the_command_asks_for_a_reason_the_first_time(secret):
    with pytest.raises(CommandError, match="Say in one sentence, of 300 characters at most, why"):
        call_command("forget", "harbour", "secret.md")


def test_the_command_names_the_documents_that_there_are(corpus):
    with pytest.raises(CommandError, match=r"atlas\.md, beacon\.md, secret\.md"):
        call_command("forget", "harbour", "nothing.md", reason="Asked")


def test_only_owners_forget_by_command(corpus):
    UserFactory(username="cara", curates=corpus)
    with pytest.raises(CommandError, match="role of owner"):
        call_command("forget", "harbour", "secret.md", reason="Asked", user="cara")
