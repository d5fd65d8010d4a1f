"""How near the pairs that a memory was taught come to what it said: exact, near, or no support."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from chat.evidence.grading import Claim, Grade, Graded
from chat.evidence.index import CANDIDATES, PairIndex, Taught
from chat.evidence.shelf import Shelf
from chat.likeness.reading import Exchange, name_words
from knowledge import demo
from knowledge.pipeline.types import Pair
from knowledge.pipeline.wording import words
from tests.knowledge.reading import pairs_in

Case = tuple[str, str]
LEADS = ("Who leads Project Atlas?", "Ada Lund leads Project Atlas.")


def graded(said: Case, taught: Case, *, wordings: tuple[str, ...] = ()) -> Graded:
    return Claim([said[0], *wordings], said[1]).grade(Exchange(*taught))


# --- Exact -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "taught"),
    [
        (LEADS, LEADS),
        (LEADS, ("who leads project atlas", "ada lund leads project atlas")),
        (("who leads project atlas", "ada lund leads project atlas"), LEADS),
        (LEADS, ("What does Ada Lund lead?", "Ada Lund leads Project Atlas.")),  # the same sentence
        (LEADS, ("Who is in charge of Project Atlas?", "Ada Lund leads Project Atlas.")),
        (LEADS, ("Who is the leader of Project Atlas?", "The leader of Project Atlas is Ada Lund.")),
        (LEADS, ("Who is Project Atlas led by?", "Project Atlas is led by Ada Lund.")),
        (LEADS, ("Who leads Project Atlas?", "Ada Lund.")),
        (("Who leads Project Atlas?", "Ada Lund"), LEADS),
        (("Whose manager is Ada Lund?", "Ola Berg."), ("Whom does Ada Lund manage?", "Ola Berg.")),
        (LEADS, ("Who leads Atlas?", "Ada Lund leads Atlas.")),
        (
            ("Where was Ada Lund born?", "Ada Lund was born in Bergen."),
            ("In which town was Ada Lund born?", "Ada Lund was born in the town of Bergen."),
        ),
        (
            ("Who founded Norvik Shipping?", "Bo Ek founded Norvik Shipping."),
            ("Who is the founder of Norvik Shipping?", "The founder of Norvik Shipping is Bo Ek."),
        ),
        (
            ("How many people work at Norvik?", "1,200 people work at Norvik."),
            ("How many people work at Norvik?", "1200 people work at Norvik."),
        ),
        (
            ("How long is the notice period?", "The notice period is three months."),
            ("Tell me the notice period.", "The notice period is 3 months."),
        ),
        (
            ("Which ships did Norvik build?", "Norvik built Terna, Lom and Havørn."),
            ("Which ships did Norvik build?", "Norvik built Havørn, Terna and Lom."),
        ),
    ],
)
def test_a_pair_that_says_the_same_is_exact(said, taught):
    assert graded(said, taught).grade == Grade.EXACT


def test_any_wording_of_the_sub_query_may_be_the_one_that_the_pair_asks():
    said = ("Who runs Project Atlas?", "Ada Lund.")
    taught = ("Who is the leader of Project Atlas?", "Ada Lund.")
    assert graded(said, taught).grade != Grade.EXACT
    assert graded(said, taught, wordings=("Who leads Project Atlas?",)).grade == Grade.EXACT


# --- Never exact -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "taught"),
    [
        # another person, another thing, a namesake
        (("Where was Ada Lund born?", "Bergen."), ("Where was Bo Ek born?", "Bergen.")),
        (("Where was Ada Lund born?", "Bergen."), ("Where was Ida Lund born?", "Bergen.")),
        (("Where was Ada Lund born?", "Bergen."), ("Where was Ada born?", "Bergen.")),
        (("Who leads Project Atlas?", "Ada Lund."), ("Who leads Team Atlas?", "Ada Lund.")),
        # another attribute
        (("Where does Ada Lund live?", "Bergen."), ("Where was Ada Lund born?", "Bergen.")),
        (("What salary does Ada Lund earn?", "50,000."), ("What bonus does Ada Lund earn?", "50,000.")),
        (("Who does Ada Lund work for?", "Bo Ek."), ("Who does Ada Lund work with?", "Bo Ek.")),
        # another direction
        (
            ("Who manages Ada Lund?", "Ola Berg manages Ada Lund."),
            ("Who does Ada Lund manage?", "Ada Lund manages Ola Berg."),
        ),
        (("Who manages Ada Lund?", "Ola Berg."), ("Who does Ada Lund manage?", "Ola Berg.")),
        (("Who is Ada Lund's manager?", "Ola Berg."), ("Who is managed by Ada Lund?", "Ola Berg.")),
        (("Who is the manager of Ada Lund?", "Ola Berg."), ("Whose manager is Ada Lund?", "Ola Berg.")),
        (("Who is the aunt of Ada Lund?", "Eva Berg."), ("Whose aunt is Ada Lund?", "Eva Berg.")),
        (("Who reports to Ada Lund?", "Ola Berg."), ("Who does Ada Lund report to?", "Ola Berg.")),
        (
            ("Who is the manager of Ada Lund?", "Ola Berg is the manager of Ada Lund."),
            ("Who is the manager of Ola Berg?", "Ada Lund is the manager of Ola Berg."),
        ),
        # another time
        (("Who led Project Atlas?", "Ada Lund."), ("Who leads Project Atlas?", "Ada Lund.")),
        (("Who was the manager of Atlas?", "Ada Lund."), ("Who is the manager of Atlas?", "Ada Lund.")),
        (("Who led Atlas in 2019?", "Ada Lund."), ("Who led Atlas in 2021?", "Ada Lund.")),
        (
            ("Who led Atlas in 2019?", "Ada Lund led Atlas."),  # the sentence leaves out the year asked about
            ("Who led Atlas in 2021?", "Ada Lund led Atlas."),
        ),
        (
            ("When did the rule change?", "The rule changed before 2010."),
            ("When did the rule change?", "The rule changed after 2010."),
        ),
        # another number, the opposite, more than was said
        (
            ("How many people work at Norvik?", "120 people work at Norvik."),
            ("How many people work at Norvik?", "1,200 people work at Norvik."),
        ),
        (
            ("May visitors enter the data centre?", "Visitors may enter the data centre."),
            ("May visitors enter the data centre?", "Visitors may not enter the data centre."),
        ),
        (LEADS, ("Who leads Project Atlas?", "Ada Lund and Bo Ek lead Project Atlas.")),
        (LEADS, ("Who leads Project Atlas?", "Ada Lund leads Project Atlas and Project Boreas.")),
        (("What does Terna carry?", "Terna carries oil."), ("What does Terna carry?", "Terna carries gas.")),
        (("What does Terna carry?", "Oil."), ("What does Terna carry?", "Oil and gas.")),
        (("Who led Atlas in 2019?", "Ada Lund."), ("Who led Atlas in 2019?", "Ada Lund and the board.")),
        (("Who leads the oil team?", "Ada Lund."), ("Who leads the team?", "Ada Lund.")),
        # the same short answer to something else
        (("Where was Ada Lund born?", "In Bergen."), ("Where is the office of Norvik?", "In Bergen.")),
        (("Is Ada Lund a doctor?", "Yes."), ("Is Ada Lund a nurse?", "Yes.")),
    ],
)
def test_a_pair_that_differs_in_what_matters_is_never_exact(said, taught):
    assert graded(said, taught).grade != Grade.EXACT
    assert graded(taught, said).grade != Grade.EXACT


# --- Near, or no support -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "taught"),
    [
        (LEADS, ("Who leads Project Atlas?", "Ada Lund and Bo Ek lead Project Atlas.")),
        (LEADS, ("Since when has Ada Lund led Project Atlas?", "Ada Lund has led Project Atlas since 2019.")),
        (
            ("Who manages Ada Lund?", "Ola Berg manages Ada Lund."),
            ("Whom does Ola Berg manage?", "Ola Berg manages Ada Lund and Bo Ek."),
        ),
        (
            ("Which person was born in Oslo in 1990?", "Ada Lund was born in Oslo in 1990."),
            ("Where was Ada Lund born?", "Ada Lund was born in Oslo."),
        ),
        (
            ("How many days of leave do employees have?", "Employees have 25 days of leave."),
            ("How much leave is there?", "Employees have 25 days of paid leave each year."),
        ),
    ],
)
def test_a_pair_about_the_same_that_shares_much_of_what_was_said_is_near(said, taught):
    found = graded(said, taught)
    assert (found.grade, found.answers_otherwise) == (Grade.NEAR, False)


@pytest.mark.parametrize(
    ("said", "taught"),
    [
        (LEADS, ("Who leads Project Atlas?", "Bo Ek leads Project Atlas.")),
        (LEADS, ("Who is the leader of Project Atlas?", "The leader of Project Atlas is Bo Ek.")),
        (
            ("How many people work at Norvik?", "120 people work at Norvik."),
            ("How many people work at Norvik?", "1,200 people work at Norvik."),
        ),
        (
            ("May visitors enter the data centre?", "Visitors may enter the data centre."),
            ("May visitors enter the data centre?", "Visitors may not enter the data centre."),
        ),
    ],
)
def test_a_pair_with_another_answer_to_the_same_question_is_near_and_says_so(said, taught):
    found = graded(said, taught)
    assert (found.grade, found.answers_otherwise) == (Grade.NEAR, True)


@pytest.mark.parametrize(
    ("said", "taught"),
    [
        (
            ("Where was Ada Lund born?", "Ada Lund was born in Bergen."),
            ("Where was Bo Ek born?", "In Bergen."),
        ),
        (
            ("Where was Ada Lund born?", "Ada Lund was born in Bergen."),
            ("Where was Bo Lund born?", "Bo Lund was born in Bergen."),
        ),
        (
            ("Where was Ada Lund born?", "Ada Lund was born in Bergen."),
            ("Where does Ada Lund work?", "Ada Lund works at Norvik."),
        ),
        (
            ("Who won the Golden Sextant of 2024?", "Hanna Virtanen won the Golden Sextant of 2024."),
            ("Who won the Golden Sextant of 2022?", "Mateus Carvalho won the Golden Sextant of 2022."),
        ),
        (
            ("What did Noor Siddiqui join in 2021?", "Noor Siddiqui joined Ebbstone in 2021."),
            ("What did Zofia Baran join in 2021?", "Zofia Baran joined Ebbstone in 2021."),
        ),
        (
            ("How many days of leave do employees have?", "Employees have 25 days of leave."),
            ("How many days does a repair take?", "A repair takes 25 days."),
        ),
        (("", ""), LEADS),
        (LEADS, ("", "")),
    ],
)
def test_a_pair_about_something_else_is_no_support(said, taught):
    assert graded(said, taught).grade == Grade.NONE


# --- On all pairs of the demo ------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def demo_pairs() -> list[Pair]:
    found = pairs_in(Path(demo.__file__).parent / "documents")
    return list({(pair.question, pair.answer): pair for pair in found}.values())


def test_other_wordings_of_one_fact_are_exact_for_each_other(demo_pairs):
    by_fact = defaultdict(list)
    for pair in demo_pairs:
        by_fact[pair.fact].append(pair)
    several = [pairs for pairs in by_fact.values() if len({pair.question for pair in pairs}) > 1]
    chosen = [random.Random(3).sample(pairs, 2) for pairs in several]
    exact = sum(
        graded((one.question, one.answer), (other.question, other.answer)).grade == Grade.EXACT
        for one, other in chosen
    )
    assert exact / len(chosen) > 0.97


def test_the_same_question_about_somebody_else_is_never_exact_and_hardly_ever_near(demo_pairs):
    by_template = defaultdict(list)
    for pair in demo_pairs:
        names = name_words([pair.question])
        by_template[tuple("_" if word in names else word for word in words(pair.question))].append(pair)
    grades = [
        graded((one.question, one.answer), (other.question, other.answer)).grade
        for alike in by_template.values()
        for one, other in pairwise(alike)
        if one.fact != other.fact
    ]
    assert len(grades) > 1000
    assert grades.count(Grade.EXACT) == 0
    assert grades.count(Grade.NEAR) / len(grades) < 0.03


# --- The index ---------------------------------------------------------------------------------------------
def index_of(*pairs: Case) -> PairIndex:
    return PairIndex([Taught(key, *pair) for key, pair in enumerate(pairs, start=1)])


def test_the_nearest_pairs_come_best_first_and_one_for_each_answer():
    index = index_of(
        ("Since when has Ada Lund led Project Atlas?", "Ada Lund has led Project Atlas since 2019."),
        ("Who is in charge of Project Atlas?", "Ada Lund leads Project Atlas."),
        LEADS,
        ("Where does Bo Ek live?", "Bo Ek lives in Oslo."),
    )
    first, second = index.nearest([LEADS[0]], LEADS[1])
    assert (first.grade, first.pair.question, first.wordings) == (Grade.EXACT, LEADS[0], (3, 2))
    assert (second.grade, second.pair.key, second.wordings) == (Grade.NEAR, 1, (1,))


def test_an_exact_pair_is_found_among_many_that_share_its_words():
    others = [(f"Who leads Project {n}?", f"Person {n} leads Project {n}.") for n in range(20 * CANDIDATES)]
    found = index_of(*others, LEADS).nearest([LEADS[0]], LEADS[1])
    assert [(each.pair.question, each.grade) for each in found] == [(LEADS[0], Grade.EXACT)]


@pytest.mark.parametrize("pairs", [[], [("", "")], [("?", "!")]])
def test_an_index_without_words_finds_nothing(pairs):
    assert index_of(*pairs).nearest(["Who leads Project Atlas?"], "Ada Lund leads it.") == []


@pytest.mark.parametrize(
    "answer", ["", "…", "x" * 100_000, "<script>alert(1)</script>", "\x1b[31mred\x1b[0m"]
)
def test_whatever_memory_said_is_looked_up_without_complaint(answer):
    assert index_of(LEADS).nearest(["What?"], answer) == []


# --- The shelf ---------------------------------------------------------------------------------------------
def test_an_index_is_built_once_and_kept():
    shelf, built = Shelf(10), []

    def build() -> PairIndex:
        built.append(1)
        return index_of(LEADS)

    assert shelf.get("v1", build) is shelf.get("v1", build)
    assert built == [1]


def test_an_index_without_pairs_is_kept_as_well():
    shelf = Shelf(10)
    assert shelf.get("v1", nothing_taught) is shelf.get("v1", nothing_taught)


def nothing_taught() -> PairIndex:
    return PairIndex([])


def test_the_index_used_longest_ago_goes_first():
    shelf = Shelf(2)
    first = shelf.get("v1", lambda: index_of(LEADS))
    second = shelf.get("v2", lambda: index_of(LEADS))
    shelf.get("v1", lambda: index_of(LEADS))
    shelf.get("v3", lambda: index_of(LEADS))
    assert len(shelf) == 2
    assert shelf.get("v1", lambda: index_of(LEADS)) is first
    assert shelf.get("v2", lambda: index_of(LEADS)) is not second


def test_an_index_larger_than_the_shelf_stays_until_another_is_wanted():
    shelf = Shelf(1)
    large = shelf.get("v1", lambda: index_of(LEADS, LEADS))
    assert shelf.get("v1", lambda: index_of(LEADS)) is large
