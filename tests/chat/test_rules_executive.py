"""The rule-based EXECUTIVE over a MEMORY that knows its pairs by heart: what is asked, and what is answered."""

from __future__ import annotations

from typing import Any

import pytest

from chat.protocol.state import Budget, State
from chat.protocol.stream import blocking, interrogate
from chat.rules.executive import RulesExecutive
from tests.fakes import PairMemory

KNOWN = [
    # projects and people of a firm
    ("Which project uses the Heron database?", "Project Atlas uses the Heron database."),
    ("Who is the lead of Project Atlas?", "The lead of Project Atlas is Mara Lind."),
    ("Who leads Project Atlas?", "Mara Lind leads Project Atlas."),
    ("Which project does Mara Lind lead?", "Mara Lind leads Project Atlas and Project Borealis."),
    ("When did Project Atlas start?", "Project Atlas started in May 2020."),
    ("When did Project Borealis start?", "Project Borealis started in June 2021."),
    ("Who resolved the March outage?", "Jonas Pike resolved the March outage."),
    ("Who is the manager of Jonas Pike?", "The manager of Jonas Pike is Mara Lind."),
    ("Who is the manager of the Oslo office?", "The manager of the Oslo office is Siv Dahl."),
    ("Who reports to Siv Dahl?", "Jonas Pike and Mara Lind report to Siv Dahl."),
    ("Where does Mara Lind live?", "Mara Lind lives in Oslo."),
    ("Where does Jonas Pike live?", "Jonas Pike lives in Bergen."),
    ("Where does Jonas Pike work?", "Jonas Pike works in the Bergen office."),
    ("When was the Bergen office opened?", "The Bergen office was opened on 3 May 2015."),
    ("Who is the customer of Project Atlas?", "The customer of Project Atlas is Kestrel."),
    ("Where is the headquarters of Kestrel?", "The headquarters of Kestrel is in Tromsø."),
    ("Which company acquired Brightwater?", "Kestrel acquired Brightwater."),
    ("Who founded Kestrel?", "Erik Dahl founded Kestrel."),
    ("What is the birthplace of Erik Dahl?", "The birthplace of Erik Dahl is Narvik."),
    ("Which company makes the X-200?", "Kestrel makes the X-200."),
    ("When was Kestrel founded?", "Kestrel was founded in 1998."),
    ("How many employees does Kestrel have?", "Kestrel has 120 employees."),
    ("Who joined in 2019?", "Mara Lind, Jonas Pike and Aida Wang joined in 2019."),
    ("Who lives in Oslo?", "Mara Lind and Erik Dahl live in Oslo."),
    ("When was Mara Lind born?", "Mara Lind was born on 3 May 1970."),
    ("Where was Mara Lind born?", "Mara Lind was born in Bodø."),
    ("Who is in charge of Project Atlas?", "Mara Lind is in charge of Project Atlas."),
    ("Who designed the hull of Petrel?", "Jonas Pike designed the hull of Petrel."),
    ("What is the boat whose skipper is Jonas Pike?", "The boat whose skipper is Jonas Pike is Eider."),
    ("When was Eider built?", "Eider was built in 1987."),
    ("Who is the person whose manager is Mara Lind?",
     "The people whose manager is Mara Lind are Jonas Pike and Bo Lee."),
    # a family
    ("Who is the person whose hobby is judo?", "The people whose hobby is judo are Siv Lind and Bo Lee."),
    ("Who is the friend of Siv Lind?", "The friends of Siv Lind are Bo Lee and Cy Roe."),
    ("Who is the friend of Bo Lee?", "The friend of Bo Lee is Cy Roe."),
    ("Who are the friends of Siv Lind?", "The friends of Siv Lind are Bo Lee and Cy Roe."),
    ("Who is the mother of Mara Lind?", "The mother of Mara Lind is Siv Lind."),
    ("Who is the father of Mara Lind?", "The father of Mara Lind is Tor Lind."),
    ("Who is the mother of Tor Lind?", "The mother of Tor Lind is Astrid Lind."),
    ("What is the date of birth of Cy Roe?", "The date of birth of Cy Roe is 1970-05-03."),
]  # fmt: skip


class Turn:
    """What came of one question."""

    def __init__(self, question: str, known: list[tuple[str, str]] | None = None, **options: Any) -> None:
        memory = PairMemory(KNOWN if known is None else known)
        self.events = [
            event.as_dict() for event in blocking(interrogate(question, RulesExecutive(), memory, **options))
        ]
        self.final = self.events[-1]["data"]

    def data(self, kind: str) -> list[dict[str, Any]]:
        return [event["data"] for event in self.events if event["type"] == kind]

    @property
    def asked(self) -> list[str]:
        return [data["question"] for data in self.data("sub_query")]

    @property
    def values(self) -> list[str]:
        return list(self.final["values"])


CHAINS = [
    ("Who leads Project Atlas?",
     ["Who leads Project Atlas?"], ["Mara Lind"]),
    ("What is the date of birth of the friend of Bo Lee?",
     ["Who is the friend of Bo Lee?", "What is the date of birth of Cy Roe?"], ["1970-05-03"]),
    ("Who is the mother of Mara Lind's father?",
     ["Who is the father of Mara Lind?", "Who is the mother of Tor Lind?"], ["Astrid Lind"]),
    ("Who is Mara Lind's father's mother?",
     ["Who is the father of Mara Lind?", "Who is the mother of Tor Lind?"], ["Astrid Lind"]),
    ("Where does the lead of the project that uses the Heron database live?",
     ["Which project uses the Heron database?", "Who is the lead of Project Atlas?", "Where does Mara Lind live?"],
     ["Oslo"]),
    ("Where does the person who leads Project Atlas live?",
     ["Who leads Project Atlas?", "Where does Mara Lind live?"], ["Oslo"]),
    ("Who is the manager of the engineer who resolved the March outage?",
     ["Who resolved the March outage?", "Who is the manager of Jonas Pike?"], ["Mara Lind"]),
    ("When was the office where Jonas Pike works opened?",
     ["Where does Jonas Pike work?", "When was the Bergen office opened?"], ["3 May 2015"]),
    ("Which city is the headquarters of the customer of Project Atlas in?",
     ["Who is the customer of Project Atlas?", "Where is the headquarters of Kestrel?"], ["Tromsø"]),
    ("When was the company that makes the X-200 founded?",
     ["Which company makes the X-200?", "When was Kestrel founded?"], ["1998"]),
    ("Who reports to the manager of the Oslo office?",
     ["Who is the manager of the Oslo office?", "Who reports to Siv Dahl?"], ["Jonas Pike", "Mara Lind"]),
    ("In which city does the person in charge of Project Atlas live?",
     ["Who is in charge of Project Atlas?", "Where does Mara Lind live?"], ["Oslo"]),
    ("When was the boat built whose skipper is Jonas Pike?",
     ["What is the boat whose skipper is Jonas Pike?", "When was Eider built?"], ["1987"]),
    ("Who has the same manager as Jonas Pike?",
     ["Who is the manager of Jonas Pike?", "Who is the person whose manager is Mara Lind?"], ["Bo Lee"]),
]  # fmt: skip


@pytest.mark.parametrize(("question", "asked", "values"), CHAINS)
def test_the_innermost_description_is_resolved_first(
    question: str, asked: list[str], values: list[str]
) -> None:
    turn = Turn(question)
    assert (turn.asked, turn.values) == (asked, values)
    assert turn.final["known"]


def test_lower_case_questions_are_understood_as_well() -> None:
    assert Turn("where does the person who leads project atlas live").values == ["Oslo"]


def test_a_reduced_clause_is_asked_in_the_active() -> None:
    turn = Turn("When did the projects led by Mara Lind start?")
    assert turn.asked[0] == "Which projects does Mara Lind lead?"
    assert turn.values == ["May 2020", "June 2021"]


def test_each_value_of_a_description_is_followed_up_and_the_results_are_united() -> None:
    turn = Turn("Who is the friend of the person whose hobby is judo?")
    assert turn.asked == [
        "Who is the person whose hobby is judo?",
        "Who is the friend of Siv Lind?",
        "Who is the friend of Bo Lee?",
    ]
    assert turn.values == ["Bo Lee", "Cy Roe"]


def test_two_clues_are_two_sub_queries_and_the_candidates_are_narrowed_down() -> None:
    turn = Turn("Where was the engineer who joined in 2019 and lives in Oslo born?")
    assert turn.asked == ["Who joined in 2019?", "Who lives in Oslo?", "Where was Mara Lind born?"]
    assert turn.data("candidates")[-1]["names"] == ["Mara Lind"]
    assert turn.values == ["Bodø"]


def test_which_with_two_clues_asks_for_whoever_fits_both() -> None:
    assert Turn("Which engineer joined in 2019 and lives in Oslo?").values == ["Mara Lind"]


def test_a_clue_that_memory_does_not_know_is_told_and_the_others_decide() -> None:
    turn = Turn("Who joined in 2019 and plays chess?")
    assert turn.values == ["Mara Lind", "Jonas Pike", "Aida Wang"]
    assert "does not know everything" in turn.final["text"]
    assert "plays chess" in turn.final["text"]


def test_joined_nouns_are_asked_for_one_by_one() -> None:
    turn = Turn("Who are the mother and the father of Mara Lind?")
    assert turn.asked == ["Who is the mother of Mara Lind?", "Who is the father of Mara Lind?"]
    assert turn.values == ["Siv Lind", "Tor Lind"]


def test_when_and_where_are_both_answered() -> None:
    assert Turn("When and where was Mara Lind born?").values == ["3 May 1970", "Bodø"]


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("How many friends does the mother of Mara Lind have?", "2"),
        ("How many friends does Siv Lind have?", "2"),
        ("How many employees does Kestrel have?", "120"),
        ("How many employees does the company that acquired Brightwater have?", "120"),
    ],
)
def test_how_many_is_the_number_stated_or_the_length_of_the_list(question: str, count: str) -> None:
    assert Turn(question).values == [count]


def test_a_relation_not_known_by_its_noun_is_asked_for_by_its_verb() -> None:
    turn = Turn("What is the birthplace of the founder of the company that acquired Brightwater?")
    assert "Who founded Kestrel?" in turn.asked
    assert turn.values == ["Narvik"]


def test_a_part_without_a_name_goes_by_its_description() -> None:
    turn = Turn("Where does the designer of Petrel's hull live?")
    assert "Who designed the hull of Petrel?" in turn.asked
    assert turn.values == ["Bergen"]


class TestKinshipThatMemoryWasNeverTold:
    def test_is_composed_from_what_it_was_told(self) -> None:
        assert Turn("Who is the grandmother of Mara Lind?").values == ["Astrid Lind"]

    def test_is_asked_for_by_its_own_name_first(self) -> None:
        turn = Turn("Who is the grandmother of Mara Lind?")
        assert turn.asked[0] == "Who is the grandmother of Mara Lind?"

    def test_is_not_composed_where_memory_was_told(self) -> None:
        told = ("Who is the grandmother of Mara Lind?", "The grandmother of Mara Lind is Kari Lind.")
        turn = Turn("Who is the grandmother of Mara Lind?", [*KNOWN, told])
        assert (turn.asked, turn.values) == ([told[0]], ["Kari Lind"])


class TestTheFinalAnswer:
    def test_is_memorys_own_sentence_when_one_sub_query_was_enough(self) -> None:
        assert Turn("who leads Project Atlas").final["text"] == "Mara Lind leads Project Atlas. [1]"

    def test_speaks_in_the_words_of_the_question_after_several(self) -> None:
        turn = Turn("Who is the friend of the person whose hobby is judo?")
        assert (
            turn.final["text"]
            == "The friends of the person whose hobby is judo are Bo Lee and Cy Roe. [1] [2] [3]"
        )

    def test_names_the_sub_queries_that_it_rests_on(self) -> None:
        turn = Turn("What is the birthplace of Kestrel's founder?")
        answers = {data["index"]: data for data in turn.data("memory_answer")}
        assert turn.final["sub_queries"]
        assert all(answers[index]["known"] for index in turn.final["sub_queries"])
        assert "Erik Dahl founded Kestrel." in turn.final["justification"]

    def test_says_plainly_what_memory_does_not_know(self) -> None:
        turn = Turn("Who painted the ceiling?")
        assert (turn.final["known"], turn.values) == (False, [])
        assert turn.final["text"] == "Memory does not know: Who painted the ceiling?"

    def test_tells_what_is_known_when_a_later_step_is_not(self) -> None:
        turn = Turn("What is the salary of the lead of Project Atlas?")
        assert turn.final["known"] is False
        assert "The lead of Project Atlas is Mara Lind." in turn.final["text"]

    def test_is_given_from_what_was_asked_when_the_budget_is_spent(self) -> None:
        turn = Turn("Who is the friend of the person whose hobby is judo?", budget=Budget(total=2))
        assert turn.values == ["Bo Lee", "Cy Roe"]
        assert "Who is the friend of Bo Lee?" in turn.final["text"]


class TestTheStages:
    turn = Turn("Where does the lead of the project that uses the Heron database live?")

    def test_clues_are_grounded_then_followed_then_the_question_is_asked_by_name(self) -> None:
        assert [data["stage"] for data in self.turn.data("sub_query")] == [
            "grounding",
            "entity_identification",
            "answer_seeking",
        ]

    def test_the_clues_are_the_descriptions_innermost_first(self) -> None:
        assert [data["text"] for data in self.turn.data("clue")] == [
            "the project that uses the Heron database",
            "the lead of the project that uses the Heron database",
        ]

    def test_the_candidates_move_with_the_evidence(self) -> None:
        assert [data["names"] for data in self.turn.data("candidates")] == [["Project Atlas"], ["Mara Lind"]]


def test_a_yes_or_no_question_is_asked_as_it_is() -> None:
    assert Turn("Is Mara Lind the lead of Project Atlas?").asked == [
        "Is Mara Lind the lead of Project Atlas?"
    ]


async def test_nothing_is_kept_between_decisions() -> None:
    state = State("Where does the person who leads Project Atlas live?")
    executive = RulesExecutive()
    first, second = [await executive.decide(state, lambda text, restart: None) for _ in range(2)]
    assert first == second


@pytest.mark.parametrize(
    "question",
    [
        "?",
        "the of the of",
        "who who who",
        "Who is the the?",
        "whose whose is",
        "a" * 3000,
        f"Who is {'the x of ' * 30} y?",
        f"Who is {'the x of ' * 3000} y?",
    ],
    ids=lambda question: question[:20],
)
def test_whatever_is_typed_ends_in_a_final_answer(question: str) -> None:
    assert Turn(question).events[-1]["type"] == "final"


class TestAFactWrittenInOtherWords:
    """MEMORY was told in one way, the question puts it in another."""

    @pytest.mark.parametrize(
        ("question", "told", "value"),
        [
            ("Who is the winner of the Regatta?", "Who won the Regatta?", "Ada Moe won the Regatta."),
            ("Who is the coordinator of the swap?", "Who coordinates the swap?", "Ada Moe coordinates the swap."),
            ("Who is the skipper of Terna?", "Who skippers Terna?", "Ada Moe skippers Terna."),
            ("Who teaches Knots?", "Who is the teacher of Knots?", "The teacher of Knots is Ada Moe."),
            ("Who supplies Terna?", "Who is the supplier of Terna?", "The supplier of Terna is Ada Moe."),
            ("Who is the boss of Bo Lee?", "Who is the manager of Bo Lee?", "The manager of Bo Lee is Ada Moe."),
            ("Who is Bo Lee's boss?", "Who does Bo Lee report to?", "Bo Lee reports to Ada Moe."),
            ("Who is the manager of Bo Lee?", "Who does Bo Lee report to?", "Bo Lee reports to Ada Moe."),
            ("Who manages Bo Lee?", "Who does Bo Lee report to?", "Bo Lee reports to Ada Moe."),
            ("To whom does Bo Lee report?", "Who is the manager of Bo Lee?", "The manager of Bo Lee is Ada Moe."),
            ("Who are the members of the choir?", "Who belongs to the choir?", "Ada Moe belongs to the choir."),
            ("Who is the person in charge of Terna?", "Who manages Terna?", "Ada Moe manages Terna."),
            ("Who is in charge of Terna?", "Who is the manager of Terna?", "The manager of Terna is Ada Moe."),
            ("Who is the teacher of the Rope Work course?",
             "Who is the teacher of Rope Work?", "The teacher of Rope Work is Ada Moe."),
        ],
    )  # fmt: skip
    def test_is_found_after_the_wording_of_the_question(self, question: str, told: str, value: str) -> None:
        turn = Turn(question, [(told, value)])
        assert turn.values == ["Ada Moe"]
        assert len(turn.asked) <= 7

    @pytest.mark.parametrize("question", ["What job does Bo Lee have?", "What is the job title of Bo Lee?"])
    def test_holds_for_jobs(self, question: str) -> None:
        known = [("What does Bo Lee work as?", "Bo Lee works as a rigger.")]
        assert Turn(question, known).values == ["rigger"]

    def test_holds_inside_a_description(self) -> None:
        known = [
            ("Who is the supplier of Project Tarn?", "The supplier of Project Tarn is Moe Yard."),
            ("Who founded Moe Yard?", "Ada Moe founded Moe Yard."),
        ]
        assert Turn("Who founded the boatyard that supplies Project Tarn?", known).values == ["Ada Moe"]

    def test_holds_for_a_thing_of_a_kind_that_memory_was_not_told(self) -> None:
        known = [
            ("What is the entity whose skipper is Bo Lee?", "The entity whose skipper is Bo Lee is Terna.")
        ]
        for question in (
            "Which boat has Bo Lee as its skipper?",
            "What is the boat whose skipper is Bo Lee?",
        ):
            assert Turn(question, known).values == ["Terna"]

    def test_holds_for_measures(self) -> None:
        known = [
            ("What is the lamp whose weight is 3 kilograms?", "The lamp whose weight is 3 kilograms is Lux."),
            ("What is the price of Lux?", "The price of Lux is 90 euros."),
        ]
        assert Turn("What is the price of the lamp that weighs 3 kilograms?", known).values == ["90 euros"]

    def test_agrees_in_number_and_goes_without_the_kind(self) -> None:
        known = [("What did the late trains delay?", "The late trains delayed Project Tarn.")]
        turn = Turn("Which projects are delayed by the late trains?", known)
        assert turn.values == ["Project Tarn"]
        assert not any("does the late trains" in question for question in turn.asked)

    def test_is_not_looked_for_once_the_question_is_answered(self) -> None:
        known = [
            ("Who is the winner of the Regatta?", "The winner of the Regatta is Ada Moe."),
            ("Who won the Regatta?", "Bo Lee won the Regatta."),
        ]
        assert Turn("Who is the winner of the Regatta?", known).asked == ["Who is the winner of the Regatta?"]


def test_what_is_known_of_one_value_is_kept_where_another_is_not() -> None:
    known = [
        ("Which boats does Ada Moe own?", "Ada Moe owns Terna and Alke."),
        ("Who is the skipper of Alke?", "The skipper of Alke is Bo Lee."),
    ]
    turn = Turn("Who is the skipper of the boats owned by Ada Moe?", known)
    assert turn.values == ["Bo Lee"]
    assert "skipper of Terna" in turn.final["text"]


def test_an_entity_on_the_way_is_not_the_answer_where_the_last_step_is_unknown() -> None:
    told = "The leader of Project Turnstone is Zofia Baran."
    known = [
        ("Who is the leader of Project Turnstone?", told),
        ("Where does the leader of Project Turnstone live?", told),
    ]
    turn = Turn("Where does the leader of Project Turnstone live?", known)
    assert (turn.final["known"], turn.values) == (False, [])


def test_a_yes_or_no_question_is_answered_by_what_memory_says() -> None:
    told = "Mara Lind is the lead of Project Atlas."
    turn = Turn(
        "Is Mara Lind the lead of Project Atlas?", [("Is Mara Lind the lead of Project Atlas?", told)]
    )
    assert turn.final["text"] == f"{told} [1]"


class TestAThingThatGoesByItsKind:
    """The question says "the weather buoy", MEMORY knows its name."""

    known = (
        ("Which team builds Petrel?", "The Buoy team builds Petrel."),
        ("Who leads the Buoy team?", "Ada Moe leads the Buoy team."),
        ("Who manages the contract with Brae Mooring?", "Bo Lee manages the contract with Brae Mooring."),
        ("What is the price of Petrel?", "The price of Petrel is 90 euros."),
        ("Where does Bo Lee live?", "Bo Lee lives in Oslo."),
    )

    @pytest.mark.parametrize(
        "told",
        [
            ("What is the weather buoy?", "The weather buoy is Petrel."),
            ("What is a weather buoy?", "Petrel is a weather buoy."),
            ("Who or what is the weather buoy?", "Petrel is the weather buoy."),
        ],
    )
    def test_is_named_before_the_question_is_asked_again(self, told: tuple[str, str]) -> None:
        turn = Turn("Which team builds the weather buoy?", [*self.known, told])
        assert turn.asked[0] == "Which team builds the weather buoy?"
        assert turn.values == ["Buoy team"]

    def test_is_named_inside_a_description(self) -> None:
        known = [*self.known, ("What is the weather buoy?", "Petrel is a weather buoy.")]
        assert Turn("Who leads the team that builds the weather buoy?", known).values == ["Ada Moe"]
        assert Turn("What is the price of the weather buoy?", known).values == ["90 euros"]

    @pytest.mark.parametrize(
        "question",
        [
            "Which chain maker is in Aberdeen?",
            "Who is the chain maker in Aberdeen?",
            "Who or what is a chain maker in Aberdeen?",
        ],
    )
    def test_is_named_by_its_place(self, question: str) -> None:
        known = [*self.known, (question, "Brae Mooring is a chain maker in Aberdeen.")]
        assert Turn("Who manages the contract with the chain maker in Aberdeen?", known).values == ["Bo Lee"]
        asked = "Where does the person who manages the contract with the chain maker in Aberdeen live?"
        assert Turn(asked, known).values == ["Oslo"]

    def test_is_not_looked_for_where_memory_knows_it_by_its_kind(self) -> None:
        known = [("Which team builds the weather buoy?", "The Buoy team builds the weather buoy.")]
        assert Turn("Which team builds the weather buoy?", known).asked == [known[0][0]]

    def test_is_not_named_by_a_definition(self) -> None:
        known = [
            *self.known,
            ("What is the weather buoy?", "The weather buoy is a device that measures waves."),
        ]
        turn = Turn("Which team builds the weather buoy?", known)
        assert turn.values == []
        assert not any("device" in question for question in turn.asked)

    def test_costs_three_sub_queries_at_most(self) -> None:
        def asked(thing: str) -> int:
            return len(Turn(f"Which team builds {thing}?", []).asked)

        assert asked("the weather buoy") - asked("Petrel") <= 3
        assert asked("the buoy") == asked("Petrel")


def test_a_thing_is_never_asked_for_with_who() -> None:
    asked = Turn("What is the battery of Petrel?", []).asked
    assert "What is the battery of Petrel?" in asked
    assert not any(question.startswith("Who is") for question in asked)


def test_what_is_named_after_its_month_is_not_asked_for_as_the_month() -> None:
    asked = Turn("Who is the manager of the engineer who resolved the March outage?", []).asked
    assert asked
    assert all("the March outage" in question for question in asked)


class TestSeveralThatShareSomething:
    question = "Which customers have the same account manager as Skerry Line?"
    manager = ("Who is the account manager of Skerry Line?", "The account manager of Skerry Line is Ada Moe.")

    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            ("Which customers have Ada Moe as account manager?",
             "Skerry Line, Fundy Trust and Alke Bank have Ada Moe as account manager."),
            ("What are the customers whose account manager is Ada Moe?",
             "The customers whose account manager is Ada Moe are Skerry Line, Fundy Trust and Alke Bank."),
            ("Which entities have Ada Moe as account manager?",
             "The entities whose account manager is Ada Moe are Skerry Line, Fundy Trust and Alke Bank."),
            ("What are the entities whose account manager is Ada Moe?",
             "The entities whose account manager is Ada Moe are Skerry Line, Fundy Trust and Alke Bank."),
        ],
    )  # fmt: skip
    def test_are_asked_for_as_things_too_and_without_the_one_named(self, asked: str, told: str) -> None:
        assert Turn(self.question, [self.manager, (asked, told)]).values == [
            "Fundy Trust",
            "Alke Bank",
        ]

    def test_are_united_over_the_answers(self) -> None:
        known = [
            self.manager,
            ("Which customers have Ada Moe as account manager?", "Skerry Line has Ada Moe as account manager."),
            ("Who is the customer whose account manager is Ada Moe?",
             "The customer whose account manager is Ada Moe is Fundy Trust."),
            ("What is the entity whose account manager is Ada Moe?",
             "The entity whose account manager is Ada Moe is Alke Bank."),
        ]  # fmt: skip
        turn = Turn(self.question, known)
        assert turn.values == ["Fundy Trust", "Alke Bank"]
        assert "does not know" not in turn.final["text"]
        assert len(turn.asked) <= 10
