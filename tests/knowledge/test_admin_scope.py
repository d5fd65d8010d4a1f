"""Who sees what in the admin: roles on corpora decide, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from knowledge.models import Corpus, GenerationRun, Role, UnreadSentence
from knowledge.sampling import draw
from tests.factories import (
    ConversationFactory,
    CorpusFactory,
    GenerationRunFactory,
    MemoryVersionFactory,
    TrainedPairFactory,
    TrainingRunFactory,
    UnreadSentenceFactory,
)
from tests.workbench import browser_of, make_document, make_pair, make_person
from training.models import TrainedPair
from training.services import promote

pytestmark = pytest.mark.django_db

ROWS = {
    "knowledge_corpus": lambda corpus: corpus,
    "knowledge_document": lambda corpus: corpus.documents.get(),
    "knowledge_reflection": lambda corpus: corpus.reflections.get(),
    "knowledge_generationrun": lambda corpus: corpus.generation_runs.get(),
    "knowledge_unreadsentence": lambda corpus: UnreadSentence.objects.get(run__corpus=corpus),
    "knowledge_samplereview": lambda corpus: corpus.sample_reviews.get(),
    "training_trainingrun": lambda corpus: corpus.training_runs.get(),
    "training_memoryversion": lambda corpus: corpus.versions.get(),
    "training_trainedpair": lambda corpus: TrainedPair.objects.get(version__corpus=corpus),
    "training_alias": lambda corpus: corpus.aliases.get(),
}
DEEDS = {  # what one click does: address, the role it needs
    "knowledge_corpus_generate": ("knowledge_corpus", Role.CURATOR),
    "knowledge_corpus_more": ("knowledge_corpus", Role.CURATOR),
    "knowledge_samplereview_decide": ("knowledge_samplereview", Role.CURATOR),
    "knowledge_corpus_build": ("knowledge_corpus", Role.OWNER),
    "knowledge_corpus_train": ("knowledge_corpus", Role.CURATOR),
    "knowledge_corpus_add_person": ("knowledge_corpus", Role.OWNER),
    "knowledge_corpus_remove_person": ("knowledge_corpus", Role.OWNER),
    "knowledge_reflection_revert": ("knowledge_reflection", Role.CURATOR),
    "knowledge_generationrun_cancel": ("knowledge_generationrun", Role.CURATOR),
    "training_trainingrun_cancel": ("training_trainingrun", Role.CURATOR),
    "training_memoryversion_promote": ("training_memoryversion", Role.OWNER),
    "training_memoryversion_rollback": ("training_memoryversion", Role.OWNER),
}


def full_corpus(slug: str) -> Corpus:
    """A corpus with a row of every kind."""
    corpus = CorpusFactory(slug=slug)
    chunk = make_document(corpus, f"Ada leads the {slug}.").chunks.get()
    pair = make_pair(corpus, f"Who leads the {slug}?", (chunk, 0, 9))
    draw(corpus, corpus.reflections.all(), None)
    run = GenerationRunFactory(corpus=corpus)
    UnreadSentenceFactory(run=run, chunk=chunk, start=0, end=3, text=f"Ada of {slug}", reason="hedged")
    TrainingRunFactory(corpus=corpus)
    version = MemoryVersionFactory(corpus=corpus)
    TrainedPairFactory(version=version, reflection=pair, question=pair.question, answer=pair.answer)
    promote(version, reason="first")
    return corpus


@pytest.fixture
def harbour() -> Corpus:
    return full_corpus("harbour")


@pytest.fixture
def foreign() -> Corpus:
    return full_corpus("foreign")


def addresses(corpus: Corpus, view: str) -> dict[str, str]:
    return {name: reverse(f"admin:{name}_{view}", args=[row(corpus).pk]) for name, row in ROWS.items()}


def test_a_curator_sees_the_rows_of_the_own_corpus_and_no_others(harbour: Corpus, foreign: Corpus) -> None:
    browser = browser_of(make_person("ann", harbour, Role.CURATOR))
    for name in ROWS:
        response = browser.get(reverse(f"admin:{name}_changelist"))
        assert [ROWS[name](harbour).pk] == [row.pk for row in response.context["cl"].result_list], name
        assert "foreign" not in response.content.decode(), name


def test_a_curator_opens_the_rows_of_the_own_corpus_and_no_others(harbour: Corpus, foreign: Corpus) -> None:
    browser = browser_of(make_person("ann", harbour, Role.CURATOR))
    assert {browser.get(url).status_code for url in addresses(harbour, "change").values()} == {200}
    for name, url in addresses(foreign, "change").items():
        assert browser.get(url).status_code in (302, 403, 404), name
        assert browser.post(url, {"question": "Who?"}).status_code in (302, 403, 404), name


def test_the_history_of_a_foreign_pair_is_closed(harbour: Corpus, foreign: Corpus) -> None:
    browser = browser_of(make_person("ann", harbour, Role.CURATOR))
    pair = foreign.reflections.get()
    record = pair.history.get()
    assert browser.get(reverse("admin:knowledge_reflection_history", args=[pair.pk])).status_code == 403
    url = reverse("admin:knowledge_reflection_simple_history", args=[pair.pk, record.pk])
    assert browser.get(url).status_code == 403
    assert browser.post(url, {"question": "Mine?"}).status_code == 403


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_on_a_foreign_corpus_is_not_found_even_for_an_owner(
    deed: str, harbour: Corpus, foreign: Corpus
) -> None:
    browser = browser_of(make_person("ann", harbour, Role.OWNER))
    url = reverse(f"admin:{deed}", args=[ROWS[DEEDS[deed][0]](foreign).pk])
    assert browser.post(url).status_code == 404


@pytest.mark.parametrize("deed", [deed for deed, (_, role) in DEEDS.items() if role == Role.OWNER])
def test_what_owners_do_is_refused_to_curators(deed: str, harbour: Corpus) -> None:
    browser = browser_of(make_person("ann", harbour, Role.CURATOR))
    response = browser.post(reverse(f"admin:{deed}", args=[ROWS[DEEDS[deed][0]](harbour).pk]))
    assert response.status_code == 403
    assert "role of owner" in response.content.decode()


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_needs_a_post(deed: str, harbour: Corpus) -> None:
    browser = browser_of(make_person("ann", harbour, Role.OWNER))
    assert browser.get(reverse(f"admin:{deed}", args=[ROWS[DEEDS[deed][0]](harbour).pk])).status_code == 405


@pytest.mark.parametrize("role", [None, Role.READER])
def test_a_staff_person_without_a_corpus_to_curate_finds_an_empty_admin(
    role: Role | None, harbour: Corpus
) -> None:
    person = make_person("ben", harbour, role)
    person.user_permissions.set(Permission.objects.all())  # Django's own permissions play no part
    browser = browser_of(person)
    names = {app["app_label"] for app in browser.get("/admin/").context["app_list"]}
    assert names.isdisjoint({"knowledge", "training", "chat", "auth"})
    for name in ROWS:
        assert browser.get(reverse(f"admin:{name}_changelist")).status_code == 403, name
    for url in addresses(harbour, "change").values():
        assert browser.get(url).status_code in (302, 403)
    assert browser.get(reverse("admin:knowledge_document_upload")).status_code == 403


def test_people_who_are_not_staff_are_sent_to_the_login(harbour: Corpus) -> None:
    browser = browser_of(make_person("ben", harbour, Role.OWNER, is_staff=False))
    response = browser.get(reverse("admin:knowledge_corpus_changelist"))
    assert response.status_code == 302
    assert "login" in response["Location"]


def test_a_superuser_sees_every_corpus(harbour: Corpus, foreign: Corpus) -> None:
    browser = browser_of(make_person("root", is_superuser=True))
    response = browser.get(reverse("admin:knowledge_corpus_changelist"))
    assert {row.pk for row in response.context["cl"].result_list} == {harbour.pk, foreign.pk}


def test_nobody_deletes_rows_for_good(harbour: Corpus) -> None:
    browser = browser_of(make_person("root", is_superuser=True))
    for name, url in addresses(harbour, "delete").items():
        browser.post(url, {"post": "yes"})
        assert ROWS[name](harbour).pk, name


def test_accounts_groups_and_conversations_are_for_superusers_only(harbour: Corpus) -> None:
    owner = make_person("ann", harbour, Role.OWNER)
    conversation = ConversationFactory(person=owner, corpus=harbour, title="Pay rise?")
    places = [
        "auth_user_changelist",
        "auth_group_changelist",
        "chat_conversation_changelist",
        "chat_turn_changelist",
    ]
    urls = [reverse(f"admin:{place}") for place in places]
    urls.append(reverse("admin:chat_conversation_change", args=[conversation.pk]))
    as_owner, as_root = browser_of(owner), browser_of(make_person("root", is_superuser=True))
    assert {as_owner.get(url).status_code for url in urls} == {403}
    assert {as_root.get(url).status_code for url in urls} == {200}


@pytest.mark.parametrize("name", ROWS)
def test_every_list_can_count_beside_its_filters(name: str, harbour: Corpus) -> None:
    browser = browser_of(make_person("ann", harbour, Role.CURATOR))
    assert browser.get(reverse(f"admin:{name}_changelist"), {"_facets": "True"}).status_code == 200


def test_superusers_manage_accounts(harbour: Corpus) -> None:
    root = make_person("root", is_superuser=True)
    browser = browser_of(root)
    for name, args in {
        "user_change": [root.pk],
        "user_add": [],
        "group_change": [harbour.owner_group.pk],
    }.items():
        assert browser.get(reverse(f"admin:auth_{name}", args=args)).status_code == 200


INLINE_SCRIPT = re.compile(
    r"<script(?![^>]*\b(?:src|nonce)=)|\son(?:click|change|submit|load)=|javascript:", re.I
)


def test_no_page_needs_an_inline_script(harbour: Corpus) -> None:
    browser = browser_of(make_person("root", is_superuser=True))
    pages = [reverse(f"admin:{name}_changelist") for name in ROWS]
    pages += [*addresses(harbour, "change").values(), reverse("admin:knowledge_document_upload")]
    pages += [reverse(f"admin:{name}_add") for name in ("knowledge_corpus", "knowledge_reflection")]
    pages += [
        reverse(f"admin:{name}")
        for name in ("training_trainingrun_add", "knowledge_reflection_queue", "index")
    ]
    for page in pages:
        response = browser.get(page)
        assert "'unsafe-inline'" not in script_policy(response), page
        assert not INLINE_SCRIPT.search(response.content.decode()), page


def script_policy(response: Any) -> str:
    policy = response.headers["Content-Security-Policy"]
    return next(part for part in policy.split(";") if part.strip().startswith("script-src"))


def test_a_run_of_a_foreign_corpus_cannot_be_started_through_the_form(
    harbour: Corpus, foreign: Corpus
) -> None:
    GenerationRun.objects.all().delete()
    browser = browser_of(make_person("ann", harbour, Role.OWNER))
    response = browser.post(reverse("admin:knowledge_generationrun_add"), {"corpus": foreign.pk})
    assert response.status_code == 200
    assert "corpus" in response.context["adminform"].form.errors
    assert not GenerationRun.objects.exists()
