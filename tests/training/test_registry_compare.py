"""Two versions side by side."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from knowledge.models import Corpus
from tests.factories import CorpusFactory, MemoryVersionFactory, TrainedPairFactory, UserFactory
from training.compare import PairChanges, config_lines, flat, metric_lines
from training.models import MemoryVersion, TrainedPair, pair_digest

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


@pytest.fixture
def browser(corpus: Corpus) -> Client:
    client = Client()
    client.force_login(UserFactory(reads=corpus))
    return client


@pytest.fixture
def two(corpus: Corpus) -> tuple[MemoryVersion, MemoryVersion]:
    """The second version dropped B, added C, and answers A otherwise; K is in both."""
    a = MemoryVersionFactory(
        corpus=corpus,
        config={"seed": 1, "layers": 3, "lora": {"r": 8}},
        metrics={"trained_recall": 0.9, "false_answer_rate": 0.1, "seconds": 10.0},
    )
    b = MemoryVersionFactory(
        corpus=corpus,
        config={"seed": 1, "layers": 4, "lora": {"r": 16}, "new": True},
        metrics={"trained_recall": 0.95, "false_answer_rate": 0.2, "seconds": 10.0},
    )
    pairs = {a: [("A?", "old."), ("B?", "b."), ("K?", "k.")], b: [("A?", "new."), ("C?", "c."), ("K?", "k.")]}
    for version, seen in pairs.items():
        for question, answer in seen:
            TrainedPairFactory(version=version, question=question, answer=answer)
    return a, b


def test_pairs_are_added_removed_or_answered_otherwise(two):
    changes = PairChanges(*two)
    assert changes.counts() == {"added": 1, "removed": 1, "changed": 1}
    assert [pair.question for pair in changes.pairs(changes.keys["added"])] == ["C?"]
    assert [pair.question for pair in changes.pairs(changes.keys["removed"])] == ["B?"]
    (changed,) = changes.pairs(changes.keys["changed"])
    assert (changed.question, changed.earlier, changed.answer) == ("A?", "old.", "new.")


def test_the_other_way_round_added_and_removed_change_places(two):
    a, b = two
    changes = PairChanges(b, a)
    assert [pair.question for pair in changes.pairs(changes.keys["added"])] == ["B?"]
    assert [pair.question for pair in changes.pairs(changes.keys["removed"])] == ["C?"]


def test_a_version_compared_with_itself_differs_in_nothing(two):
    a, _ = two
    assert PairChanges(a, a).counts() == {"added": 0, "removed": 0, "changed": 0}
    assert not any(line.differs for line in (*config_lines(a, a), *metric_lines(a, a)))


def test_only_settings_that_differ_are_told_nested_ones_by_their_path(two):
    differing = {line.name: (line.a, line.b) for line in config_lines(*two) if line.differs}
    assert differing == {"layers": ("3", "4"), "lora.r": ("8", "16"), "new": ("–", "True")}
    assert flat({"a": {"b": {"c": 1}}}) == {"a.b.c": 1}


def test_the_better_figure_is_named_by_what_it_means(two):
    lines = {line.name: line for line in metric_lines(*two)}
    assert (lines["trained_recall"].better, lines["trained_recall"].difference) == ("b", "+5.0 points")
    assert (lines["false_answer_rate"].better, lines["false_answer_rate"].difference) == ("a", "+10.0 points")
    assert (lines["seconds"].better, lines["seconds"].difference) == ("", "same")


def test_a_figure_that_only_one_has_is_shown_without_a_verdict(corpus):
    a, b = MemoryVersionFactory(corpus=corpus), MemoryVersionFactory(corpus=corpus, metrics={"auroc": 0.9})
    (line,) = metric_lines(a, b)
    assert (line.a, line.better, line.difference) == ("–", "", "")


def test_the_page_shows_all_of_it(two, browser):
    page = browser.get(reverse("compare-versions", args=["harbour"]), {"a": 1, "b": 2}).content.decode()
    for said in (
        "1 added",
        "1 removed",
        "1 answered otherwise",
        "+5.0 points",
        "lora.r",
        "C?",
        "All settings",
    ):
        assert said in page
    changed = browser.get(
        reverse("compare-versions", args=["harbour"]), {"a": 1, "b": 2, "change": "changed"}
    )
    assert "old." in changed.content.decode()


@pytest.mark.parametrize("query", [{"a": "1", "b": "x"}, {"a": "1", "b": "99"}])
def test_a_version_that_is_not_there_is_not_found(two, browser, query):
    assert browser.get(reverse("compare-versions", args=["harbour"]), query).status_code == 404


def test_without_versions_named_the_page_offers_them(two, browser):
    page = browser.get(reverse("compare-versions", args=["harbour"])).content.decode()
    assert '<option value="2" selected>' in page


def test_rest_compares_and_pages_the_pairs(two, browser):
    address = reverse("api-compare", args=["harbour"])
    found = browser.get(address, {"a": 1, "b": 2}).json()
    assert found["pairs"] == {"added": 1, "removed": 1, "changed": 1}
    assert {line["name"] for line in found["config"]} == {"layers", "lora.r", "new"}  # JSON keeps no order
    everything = browser.get(address, {"a": 1, "b": 2, "all": "true"}).json()
    assert "seed" in [line["name"] for line in everything["config"]]
    pairs = browser.get(
        reverse("api-compare-pairs", args=["harbour"]), {"a": 1, "b": 2, "change": "changed", "page_size": 1}
    ).json()
    assert pairs["results"] == [{"question": "A?", "answer": "new.", "earlier": "old."}]


@pytest.mark.parametrize(
    ("query", "status"),
    [({"a": "1"}, 400), ({"a": "1", "b": "9"}, 404), ({"a": "1", "b": "2", "change": "x"}, 400)],
)
def test_rest_says_what_is_wrong(two, browser, query, status):
    assert browser.get(reverse("api-compare-pairs", args=["harbour"]), query).status_code == status


def test_a_page_of_large_versions_takes_a_handful_of_queries_and_loads_no_more_than_it_shows(
    corpus: Corpus, browser: Client, django_assert_max_num_queries: Any
):
    a, b = MemoryVersionFactory.create_batch(2, corpus=corpus)
    for version, first in ((a, 0), (b, 1_500)):
        TrainedPair.objects.bulk_create(
            TrainedPair(version=version, question=f"Q{n}?", answer="x.", digest=pair_digest(f"Q{n}?", "x."))
            for n in range(first, first + 3_000)
        )
    with django_assert_max_num_queries(32):
        answer = browser.get(reverse("compare-versions", args=["harbour"]), {"a": 1, "b": 2, "page": 2})
    assert answer.context["counts"] == {"added": 1_500, "removed": 1_500, "changed": 0}
    assert next(row.question for row in answer.context["pairs"]) == "Q3050?"
