"""More wordings from the built-in rules, for passages that a memory recalls badly."""

from __future__ import annotations

import pytest

from knowledge.generation import perform_generation
from knowledge.models import Corpus, GenerationRun, Reflection
from knowledge.rewording import NoMoreWordings
from knowledge.rules.rewording import reworded, told
from knowledge.services import start_generation
from memosite.errors import Conflict
from memosite.runs import Status
from tests.factories import CorpusFactory, DocumentFactory


@pytest.mark.parametrize(
    ("question", "clause"),
    [
        ("Who leads Project Atlas?", "who leads Project Atlas"),
        ("Which person leads Project Atlas?", "which person leads Project Atlas"),
        ("Can you tell me when Bo Marsh joined Ebbstone?", "when Bo Marsh joined Ebbstone"),
        ("Who is the manager of Bo Marsh?", "who the manager of Bo Marsh is"),
        ("What were the walls of the tower?", "what the walls of the tower were"),
        ("Who is the person whose hobby is chess?", "who is the person whose hobby is chess"),
    ],
)
def test_a_question_is_told_as_a_clause(question, clause):
    assert told(question) == clause


@pytest.mark.parametrize(
    "question",
    ["When did Bo Marsh join Ebbstone?", "Who did Bo Marsh meet?", "Which project has Ada Lund led?"],
)
def test_a_question_whose_verb_would_have_to_change_is_left_alone(question):
    assert told(question) == ""


def test_wordings_that_are_there_already_are_not_made_again():
    made = list(reworded(["Who leads Atlas?", "Do you know who leads Atlas?"]))
    assert "Do you know who leads Atlas?" not in made
    assert made[0] == "Could you tell me who leads Atlas?"
    assert len(set(made)) == len(made)


@pytest.fixture
def corpus(db: None) -> Corpus:
    corpus = CorpusFactory()
    DocumentFactory(corpus=corpus, text="Ada Lund leads Project Atlas.")
    DocumentFactory(corpus=corpus, text="Bo Marsh leads Project Beacon.")
    done(start_generation(corpus))
    return corpus


def done(run: GenerationRun) -> GenerationRun:
    """The run, claimed and worked on to its end here."""
    assert run.claim()
    try:
        perform_generation(run)
    except NoMoreWordings:
        run.finish(Status.FAILED)
        raise
    run.finish(Status.SUCCEEDED)
    return run


def more(corpus: Corpus, name: str) -> GenerationRun:
    """A run that words the facts of the document that names somebody in other ways."""
    chunk = next(c for d in corpus.documents.all() for c in d.chunks.all() if name in c.text)
    return done(start_generation(corpus, chunks=[chunk.pk], reword=True))


def test_more_wordings_of_the_chosen_passage_alone_come_in_as_pending_pairs(corpus):
    before = set(corpus.reflections.values_list("pk", flat=True))
    run = more(corpus, "Atlas")
    made = corpus.reflections.exclude(pk__in=before)
    assert run.is_complete and run.pairs == made.count() > 0
    assert {pair.status for pair in made} == {"pending"}
    assert all("Atlas" in f"{pair.question} {pair.answer}" for pair in made)
    assert all(pair.sources.count() == 1 for pair in made)
    facts = set(corpus.reflections.filter(pk__in=before).values_list("fact", flat=True))
    assert {pair.fact for pair in made} <= facts


def test_asked_again_it_makes_others_until_there_are_none(corpus):
    first, second = (more(corpus, "Atlas") for _ in range(2))
    made = [set(run.reflections.values_list("question", flat=True)) for run in (first, second)]
    assert made[0] and made[1] and not made[0] & made[1]
    with pytest.raises(NoMoreWordings):
        for _ in range(10):
            more(corpus, "Atlas")


def test_what_was_there_stays(corpus):
    more(corpus, "Atlas")
    assert not Reflection.objects.filter(retired=True).exists()


def test_they_outlive_a_generation_of_everything_while_their_fact_stands(corpus):
    made = set(more(corpus, "Atlas").reflections.values_list("pk", flat=True))
    done(start_generation(corpus))
    assert not Reflection.objects.filter(pk__in=made, retired=True).exists()


def test_they_go_with_their_fact(corpus):
    made = set(more(corpus, "Atlas").reflections.values_list("pk", flat=True))
    corpus.documents.filter(text__contains="Atlas").update(is_current=False)
    done(start_generation(corpus))
    assert Reflection.objects.filter(pk__in=made, retired=False).count() == 0


def test_without_the_wish_for_other_wordings_the_rules_read_nothing_twice(corpus):
    with pytest.raises(Conflict, match="same way again"):
        start_generation(corpus, chunks=[corpus.documents.all()[0].chunks.all()[0]])
