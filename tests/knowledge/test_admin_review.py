"""Reviewing pairs: the list, inline editing, one pair beside its passage, and decisions on many."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from knowledge.models import Corpus, Reflection, ReviewStatus, Role
from knowledge.services import remove_document, review, revise
from tests.factories import CorpusFactory
from tests.workbench import browser_of, make_document, make_pair, make_person

pytestmark = pytest.mark.django_db
LIST = "/admin/knowledge/reflection/"


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


@pytest.fixture
def ann(corpus: Corpus) -> Any:
    return make_person("ann", corpus, Role.CURATOR)


@pytest.fixture
def desk(ann: Any) -> Client:
    """The admin as Ann uses it."""
    return browser_of(ann)


def listed(desk: Client, query: str = "") -> list[int]:
    return [row.pk for row in desk.get(f"{LIST}{query}").context["cl"].result_list]


def page_of(pair: Reflection, filters: str = "") -> str:
    address = reverse("admin:knowledge_reflection_change", args=[pair.pk])
    return f"{address}?_changelist_filters={filters}" if filters else address


def as_posted(pair: Reflection, **typed: str) -> dict[str, str]:
    """The form of a pair as a browser sends it: what the person saw, and what the person typed."""
    seen = {"question": pair.question, "answer": pair.answer, "status": pair.status}
    return {**{f"initial-{name}": value for name, value in seen.items()}, **seen, **typed}


def list_as_posted(*forms: tuple[Reflection, dict[str, str]]) -> dict[str, Any]:
    data: dict[str, Any] = {"form-TOTAL_FORMS": len(forms), "form-INITIAL_FORMS": len(forms), "_save": "Save"}
    for place, (pair, values) in enumerate(forms):
        data[f"form-{place}-id"] = pair.pk
        for name, value in values.items():
            seen = name.startswith("initial-")
            data[
                f"initial-form-{place}-{name.removeprefix('initial-')}" if seen else f"form-{place}-{name}"
            ] = value
    return data


# --- The list ----------------------------------------------------------------------------------------------
def test_the_list_names_document_and_reviewer(corpus: Corpus, ann: Any, desk: Client) -> None:
    document = make_document(corpus, title="The Harbour Book")
    make_pair(corpus, "Who?", (document.chunks.get(), 0, 3))
    review(corpus.reflections.all(), "approved", ann)
    page = desk.get(LIST).content.decode()
    assert "The Harbour Book" in page
    assert 'data-label="reviewer">ann<' in page.replace("Reviewer", "reviewer")


def test_the_list_asks_the_same_number_of_queries_for_one_pair_and_for_a_page_full(
    corpus: Corpus, desk: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def pairs_with_documents(first: int, last: int) -> None:
        for number in range(first, last):
            chunk = make_document(corpus, name=f"{number}.md", title=f"Document {number}").chunks.get()
            make_pair(corpus, f"Who is number {number}?", (chunk, 0, 3), (chunk, 4, 9))

    pairs_with_documents(0, 1)
    with django_assert_num_queries(14):
        desk.get(LIST)
    pairs_with_documents(1, 25)
    with django_assert_num_queries(14):
        assert len(listed(desk)) == 25


def test_the_list_is_filtered_by_document_status_kind_corpus_and_retirement(
    corpus: Corpus, ann: Any, desk: Client
) -> None:
    first, second = (make_document(corpus, name=f"{name}.md", title=name) for name in ("First", "Second"))
    one = make_pair(corpus, "One?", (first.chunks.get(), 0, 3), (second.chunks.get(), 0, 3))
    two = make_pair(corpus, "Two?", (second.chunks.get(), 0, 3), (second.chunks.get(), 4, 6))
    Reflection.objects.filter(pk=two.pk).update(kind="entity", retired=True, status="rejected")
    assert listed(desk, f"?document={first.pk}") == [one.pk]
    assert listed(desk, f"?document={second.pk}") == [one.pk, two.pk]
    assert listed(desk, "?status__exact=rejected") == [two.pk]
    assert listed(desk, "?kind__exact=entity") == [two.pk]
    assert listed(desk, "?retired__exact=0") == [one.pk]
    assert listed(desk, "?corpus=harbour") == [one.pk, two.pk]
    assert listed(desk, "?corpus=elsewhere") == []


def test_documents_of_foreign_corpora_are_neither_offered_nor_usable_as_a_filter(desk: Client) -> None:
    foreign = CorpusFactory(slug="foreign")
    document = make_document(foreign, title="Secret plans")
    make_pair(foreign, "Secret?", (document.chunks.get(), 0, 3))
    assert "Secret plans" not in desk.get(LIST).content.decode()
    assert listed(desk, f"?document={document.pk}") == []


def test_the_search_looks_at_question_and_answer(corpus: Corpus, desk: Client) -> None:
    one, two = make_pair(corpus, "Who built the pier?"), make_pair(corpus, "Who paints?")
    Reflection.objects.filter(pk=two.pk).update(answer="The pier painter paints.")
    make_pair(corpus, "Who sings?")
    assert listed(desk, "?q=pier") == [one.pk, two.pk]


# --- Inline editing ----------------------------------------------------------------------------------------
def test_an_edit_in_the_list_is_kept_with_who_and_before_and_after(
    corpus: Corpus, ann: Any, desk: Client
) -> None:
    pair, untouched = make_pair(corpus, "Who leads?"), make_pair(corpus, "Who follows?")
    typed = as_posted(pair, question="Who leads the Harbour?", status="approved")
    desk.post(LIST, list_as_posted((pair, typed), (untouched, as_posted(untouched))))
    pair.refresh_from_db()
    assert (pair.question, pair.status, pair.reviewed_by) == ("Who leads the Harbour?", "approved", ann)
    assert pair.reviewed_at is not None
    after, before = pair.history.all()
    assert (before.question, after.question, after.history_user) == (
        "Who leads?",
        "Who leads the Harbour?",
        ann,
    )
    untouched.refresh_from_db()
    assert (untouched.reviewed_by, untouched.history.count()) == (None, 1)


def test_saving_a_page_does_not_undo_what_somebody_else_decided_meanwhile(
    corpus: Corpus, desk: Client
) -> None:
    pair, other = make_pair(corpus, "Who leads?"), make_pair(corpus, "Who follows?")
    seen = list_as_posted((pair, as_posted(pair, question="Who leads now?")), (other, as_posted(other)))
    bob = make_person("bob", corpus, Role.CURATOR)
    review(corpus.reflections.all(), ReviewStatus.REJECTED, bob)
    desk.post(LIST, seen)
    pair.refresh_from_db(), other.refresh_from_db()
    assert (pair.question, pair.status) == ("Who leads now?", "rejected")
    assert (other.status, other.reviewed_by) == ("rejected", bob)


def test_an_empty_answer_is_refused_in_the_list(corpus: Corpus, desk: Client) -> None:
    pair = make_pair(corpus)
    response = desk.post(LIST, list_as_posted((pair, as_posted(pair, answer="  "))))
    assert "This field is required" in response.content.decode()
    assert Reflection.objects.get().answer == pair.answer


def test_a_foreign_pair_cannot_be_edited_through_the_list(corpus: Corpus, desk: Client) -> None:
    mine, foreign = make_pair(corpus, "Mine?"), make_pair(CorpusFactory(slug="foreign"), "Theirs?")
    data = list_as_posted((mine, as_posted(mine)))
    desk.post(LIST, {**data, "form-0-id": foreign.pk, "form-0-question": "Taken over?"})
    foreign.refresh_from_db()
    assert foreign.question == "Theirs?"


# --- One pair ----------------------------------------------------------------------------------------------
def test_the_supporting_spans_are_marked_in_the_passage(corpus: Corpus, desk: Client) -> None:
    chunk = make_document(corpus, "Ada Marsh leads the Harbour. Bo paints.").chunks.get()
    page = desk.get(page_of(make_pair(corpus, "Who?", (chunk, 0, 28), (chunk, 4, 15)))).content.decode()
    assert "<mark>Ada Marsh leads the Harbour.</mark> Bo paints." in page


def test_markup_in_a_passage_is_shown_and_never_run(corpus: Corpus, desk: Client) -> None:
    text = "<script>alert(1)</script> Ada & <b>Bo</b> lead. </mark><img src=x onerror=alert(2)>"
    chunk = make_document(corpus, text, title="<i>Book</i>").chunks.get()
    bold = text.index("Ada"), text.index(" lead")
    page = desk.get(page_of(make_pair(corpus, "Who?", (chunk, *bold)))).content.decode()
    assert "<mark>Ada &amp; &lt;b&gt;Bo&lt;/b&gt;</mark>" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "<i>Book</i>" not in page


def test_a_pair_across_documents_shows_each_passage(corpus: Corpus, desk: Client) -> None:
    chunks = [make_document(corpus, name=f"{n}.md", title=f"Book {n}").chunks.get() for n in (1, 2)]
    page = desk.get(page_of(make_pair(corpus, "Who?", *((chunk, 0, 3) for chunk in chunks)))).content.decode()
    assert page.count("<mark>Ada</mark>") == 2
    assert "Book 1" in page
    assert "Book 2" in page


def test_previous_and_next_stay_within_the_filtered_list(corpus: Corpus, desk: Client) -> None:
    one, two, three, four = (make_pair(corpus, f"Question {number}?") for number in range(4))
    review(Reflection.objects.filter(pk=two.pk), "approved", None)
    context = desk.get(page_of(three, "status__exact%3Dpending")).context
    assert context["before_url"].startswith(page_of(one))
    assert context["after_url"].startswith(page_of(four))
    assert "_changelist_filters" in context["after_url"]
    assert desk.get(page_of(four)).context["after_url"] is None


def test_a_filter_or_page_that_is_no_more_does_not_break_the_page_of_a_pair(
    corpus: Corpus, desk: Client
) -> None:
    one, two = make_pair(corpus, "One?"), make_pair(corpus, "Two?")
    for filters in ("p%3D9%26status__exact%3Dpending", "id__exact%3Dnonsense"):
        assert desk.get(page_of(one, filters)).context["after_url"].startswith(page_of(two))


def test_approve_and_next_leads_to_the_next_pair_of_the_list(corpus: Corpus, ann: Any, desk: Client) -> None:
    one, two = make_pair(corpus, "One?"), make_pair(corpus, "Two?")
    filters = "status__exact%3Dpending"
    response = desk.post(page_of(one, filters), {**as_posted(one, answer="Ada."), "_approve": ""})
    assert response["Location"].startswith(page_of(two))
    one.refresh_from_db()
    assert (one.answer, one.status, one.reviewed_by) == ("Ada.", "approved", ann)
    response = desk.post(page_of(two, filters), {**as_posted(two), "_reject": ""})
    assert response["Location"].startswith(LIST)
    two.refresh_from_db()
    assert two.status == "rejected"


def test_the_history_shows_who_changed_what(corpus: Corpus, ann: Any, desk: Client) -> None:
    pair = make_pair(corpus, "Who leads?")
    desk.post(page_of(pair), as_posted(pair, question="Who leads the Harbour?"))
    page = desk.get(reverse("admin:knowledge_reflection_history", args=[pair.pk])).content.decode()
    assert "Question:" in page
    assert "Who leads?" in page
    assert "ann" in page


def test_a_pair_by_hand_survives_a_generation_and_is_ready_to_train(
    corpus: Corpus, ann: Any, desk: Client
) -> None:
    data = {"corpus": corpus.pk, "question": "Who?", "answer": "Ada.", "kind": "direct", "status": "approved"}
    desk.post(reverse("admin:knowledge_reflection_add"), data)
    pair = corpus.reflections.trainable().get()
    assert (pair.reflection_set.generator, pair.reviewed_by, pair.fact) == ("by hand", ann, pair.key)
    assert pair.history.get().history_user == ann


def test_the_same_pair_by_hand_again_is_refused_and_the_first_is_named(corpus: Corpus, desk: Client) -> None:
    data = {"corpus": corpus.pk, "question": "Who?", "answer": "Ada.", "kind": "direct", "status": "pending"}
    desk.post(reverse("admin:knowledge_reflection_add"), data)
    response = desk.post(reverse("admin:knowledge_reflection_add"), data, follow=True)
    assert "is here already" in response.content.decode()
    assert corpus.reflections.count() == 1


# --- Decisions on many -------------------------------------------------------------------------------------
def decide(desk: Client, action: str, query: str = "", **data: Any) -> Any:
    return desk.post(f"{LIST}{query}", {"action": action, "select_across": "0", **data})


def test_a_decision_on_a_selection_asks_first_and_then_keeps_history(
    corpus: Corpus, ann: Any, desk: Client
) -> None:
    chosen, other = make_pair(corpus, "One?"), make_pair(corpus, "Two?")
    response = decide(desk, "approve", _selected_action=[chosen.pk])
    assert response.context["count"] == 1
    assert not corpus.reflections.approved().exists()
    decide(desk, "approve", _selected_action=[chosen.pk], confirmed="1")
    assert list(corpus.reflections.approved()) == [chosen]
    chosen.refresh_from_db()
    assert (chosen.reviewed_by, chosen.history.first().history_user) == (ann, ann)
    assert other.history.count() == 1


def test_a_decision_over_the_whole_filter_reaches_every_page_and_nothing_else(
    corpus: Corpus, ann: Any, desk: Client
) -> None:
    foreign = make_pair(CorpusFactory(slug="foreign"), "Theirs?")
    rows = [make_pair(corpus, f"Question {number}?") for number in range(120)]
    Reflection.objects.filter(pk__in=[row.pk for row in rows[:10]]).update(kind="entity")
    query = "?kind__exact=direct"
    across = {"select_across": "1", "_selected_action": [rows[15].pk]}
    response = decide(desk, "reject", query, **across)
    assert response.context["count"] == 110
    assert response.content.decode().count('name="_selected_action"') == 1
    decide(desk, "reject", query, **across, confirmed="110")
    assert corpus.reflections.counts() == {"pending": 10, "approved": 0, "rejected": 110}
    foreign.refresh_from_db()
    assert foreign.status == "pending"


def test_pairs_that_came_in_after_the_question_was_put_ask_again(corpus: Corpus, desk: Client) -> None:
    chosen = make_pair(corpus, "One?")
    make_pair(corpus, "Two?")
    response = decide(desk, "approve", select_across="1", _selected_action=[chosen.pk], confirmed="1")
    assert response.context["count"] == 2
    assert "has changed since" in response.content.decode()
    assert not corpus.reflections.approved().exists()


def test_pairs_can_be_set_back_to_pending(corpus: Corpus, ann: Any, desk: Client) -> None:
    pair = make_pair(corpus)
    review(corpus.reflections.all(), "approved", ann)
    decide(desk, "set_pending", _selected_action=[pair.pk], confirmed="1")
    assert corpus.reflections.counts()["pending"] == 1


def test_ten_thousand_pairs_are_approved_in_one_go(corpus: Corpus, ann: Any, desk: Client) -> None:
    first = make_pair(corpus, "One?")
    Reflection.objects.bulk_create(
        Reflection(
            corpus=corpus,
            reflection_set=first.reflection_set,
            key=str(number),
            question=f"Question {number}?",
            answer="Ada.",
            kind="direct",
            fact=str(number),
        )
        for number in range(9_999)
    )
    decide(desk, "approve", select_across="1", _selected_action=[first.pk], confirmed="10000")
    assert corpus.reflections.counts()["approved"] == 10_000
    assert Reflection.history.filter(status="approved", history_user=ann).count() == 10_000


def test_there_is_no_way_to_delete_pairs_from_the_list(corpus: Corpus, desk: Client) -> None:
    pair = make_pair(corpus)
    decide(desk, "delete_selected", _selected_action=[pair.pk], post="yes")
    assert corpus.reflections.exists()


def test_pairs_of_a_removed_document_stay_in_the_list(corpus: Corpus, desk: Client) -> None:
    document = make_document(corpus)
    pair = make_pair(corpus, "Who?", (document.chunks.get(), 0, 3))
    remove_document(document)
    assert listed(desk) == [pair.pk]


# --- Two people at one pair --------------------------------------------------------------------------------
@pytest.fixture
def bob(corpus: Corpus) -> Any:
    return make_person("bob", corpus, Role.CURATOR)


def again(response: Any) -> dict[str, str]:
    """What the button “Save mine over it” sends."""
    return dict(response.context["sent"])


def test_a_field_that_somebody_else_changed_is_refused_with_both_texts(
    corpus: Corpus, bob: Any, desk: Client
) -> None:
    pair = make_pair(corpus, "Who leads?")
    mine = as_posted(pair, question="Who leads for Ann?")
    revise(pair, {"question": "Who leads for Bob?"}, bob)
    refused = desk.post(page_of(pair), mine)
    page = refused.content.decode()
    assert refused.status_code == 409
    assert "bob changed this pair" in page
    assert "Who leads for Bob?" in page
    assert "Who leads for Ann?" in page
    pair.refresh_from_db()
    assert pair.question == "Who leads for Bob?"
    assert desk.post(page_of(pair), again(refused)).status_code == 302
    pair.refresh_from_db()
    assert (pair.question, pair.edit) == ("Who leads for Ann?", 2)


def test_mine_over_theirs_is_asked_again_when_a_third_change_came_in(
    corpus: Corpus, bob: Any, desk: Client
) -> None:
    pair = make_pair(corpus, "Who leads?")
    mine = as_posted(pair, question="Ann's?")
    revise(pair, {"question": "Bob's?"}, bob)
    refused = desk.post(page_of(pair), mine)
    revise(pair, {"question": "Bob's second?"}, bob)
    assert desk.post(page_of(pair), again(refused)).status_code == 409


def test_a_decision_against_somebody_elses_is_refused_and_can_be_kept(
    corpus: Corpus, bob: Any, desk: Client
) -> None:
    pair = make_pair(corpus)
    mine = {**as_posted(pair), "_approve": ""}
    revise(pair, {"status": "rejected"}, bob)
    refused = desk.post(page_of(pair), mine)
    assert refused.context["clashes"] == {"status": ("rejected", "approved")}
    desk.post(page_of(pair), again(refused))
    pair.refresh_from_db()
    assert pair.status == "approved"


def test_changes_of_different_fields_are_both_kept(corpus: Corpus, bob: Any, desk: Client) -> None:
    pair = make_pair(corpus)
    mine = as_posted(pair, question="Ann's?")
    revise(pair, {"answer": "Bob's."}, bob)
    assert desk.post(page_of(pair), mine).status_code == 302
    pair.refresh_from_db()
    assert (pair.question, pair.answer) == ("Ann's?", "Bob's.")


def test_a_row_of_the_list_that_somebody_changed_is_refused_with_both_texts_and_saved_knowingly(
    corpus: Corpus, bob: Any, desk: Client
) -> None:
    pair = make_pair(corpus)
    mine = as_posted(pair, answer="Ann says.")
    revise(pair, {"answer": "Bob says."}, bob)
    page = desk.post(LIST, list_as_posted((pair, mine))).content.decode()
    assert "Theirs: “Bob says.”. Yours: “Ann says.”." in page
    assert '<input type="hidden" name="initial-form-0-answer" value="Bob says."' in page
    pair.refresh_from_db()
    assert pair.answer == "Bob says."
    desk.post(LIST, list_as_posted((pair, {**mine, "initial-answer": "Bob says."})))
    pair.refresh_from_db()
    assert pair.answer == "Ann says."


# --- Revisions and history ---------------------------------------------------------------------------------
def test_an_edit_of_a_trained_pair_leads_to_its_revision_which_takes_its_place(
    corpus: Corpus, desk: Client
) -> None:
    pair = make_pair(corpus, "Who leads?")
    Reflection.objects.filter(pk=pair.pk).update(trained=True)
    saved = desk.post(page_of(pair), {**as_posted(pair, question="Who leads now?"), "_continue": ""})
    revision = corpus.reflections.present().get()
    assert saved["Location"].startswith(page_of(revision))
    assert listed(desk) == [revision.pk]
    old = desk.get(page_of(pair)).content.decode()
    assert f"Pair {revision.pk}</a> has taken its place" in old
    desk.post(page_of(pair), as_posted(pair, answer="Bo."))
    revision.refresh_from_db(), pair.refresh_from_db()
    assert (revision.answer, pair.question) == ("Bo.", "Who leads?")
    assert pair.answer != "Bo."


def test_the_history_goes_back_to_a_former_wording(corpus: Corpus, ann: Any, bob: Any, desk: Client) -> None:
    pair = make_pair(corpus, "Who leads?")
    Reflection.objects.filter(pk=pair.pk).update(trained=True)
    revision = revise(pair, {"question": "Who leads now?"}, bob)
    address = reverse("admin:knowledge_reflection_history", args=[revision.pk])
    page = desk.get(address).content.decode()
    assert "<del>Who leads?</del> <ins>Who leads now?</ins>" in page
    assert "bob" in page
    assert page.count("Go back to this wording") == 1
    form = {"history": pair.history.get().history_id, "edit": revision.edit}
    revert = reverse("admin:knowledge_reflection_revert", args=[revision.pk])
    assert desk.post(revert, form)["Location"] == address
    revision.refresh_from_db()
    assert (revision.question, revision.reviewed_by) == ("Who leads?", ann)
    desk.post(revert, form)  # stale by now
    assert revision.history.count() == 2


# --- Filters and flags -------------------------------------------------------------------------------------
def test_the_list_is_filtered_by_flag_and_shows_chips(corpus: Corpus, desk: Client) -> None:
    one, two, three = (make_pair(corpus, f"Who is number {number}?") for number in range(3))
    one.flags.create(flag="contradiction", note="Read this", other=two)
    two.flags.create(flag="very_long", note="81 words")
    assert listed(desk, "?flag=contradiction") == [one.pk]
    assert listed(desk, "?flag=any") == [one.pk, two.pk]
    assert listed(desk, "?flag=none") == [three.pk]
    page = desk.get(LIST).content.decode()
    assert f'title="Read this">contradiction #{two.pk}</a>' in page
    assert 'title="81 words">very long</span>' in page
    assert 'title="81 words"' in desk.get(page_of(two)).content.decode()


def test_the_list_is_filtered_by_reviewer_step_model_length_and_staleness(
    corpus: Corpus, ann: Any, desk: Client
) -> None:
    document = make_document(corpus)
    one, two = make_pair(corpus, "One?", (document.chunks.get(), 0, 3)), make_pair(corpus, "Two?")
    Reflection.objects.filter(pk=two.pk).update(step="extract", model="gpt", answer="word " * 30)
    remove_document(document)
    review(Reflection.objects.filter(pk=one.pk), "approved", ann)
    assert listed(desk, f"?reviewer={ann.pk}") == listed(desk, "?length=short") == [one.pk]
    assert listed(desk, "?stale=1") == [one.pk]
    for query in ("?reviewer=nobody", "?step=extract", "?model=gpt", "?length=medium", "?stale=0"):
        assert listed(desk, query) == [two.pk], query


def test_every_word_of_the_search_has_to_occur_wherever_and_in_any_order(
    corpus: Corpus, desk: Client
) -> None:
    pair = make_pair(corpus, "Who built the pier?")
    Reflection.objects.filter(pk=pair.pk).update(answer="Ada Marsh.", entity="Harbour")
    make_pair(corpus, "Who built the hut?")
    assert listed(desk, "?q=marsh+harbour+PIER") == [pair.pk]
    assert listed(desk, "?q=marsh+hut") == []


def test_the_document_filter_does_not_load_the_documents_into_the_page(corpus: Corpus, desk: Client) -> None:
    chosen = make_document(corpus, title="The Harbour Book")
    make_document(corpus, name="other.md", title="Another book")
    page = desk.get(f"{LIST}?document={chosen.pk}").content.decode()
    assert "The Harbour Book" in page
    assert "Another book" not in page
