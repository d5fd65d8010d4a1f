"""Reading the values out of MEMORY's answer sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.rules.answers import values_of
from knowledge.rules.english import join_list

BE = [
    ("Who is the mother of Aida Wang?", "The mother of Aida Wang is Shelli Beltran.", ["Shelli Beltran"]),
    ("Who is the mother of Aida Wang?", "Shelli Beltran is the mother of Aida Wang.", ["Shelli Beltran"]),
    ("Who is the mother of Aida Wang?", "Aida Wang's mother is Shelli Beltran.", ["Shelli Beltran"]),
    ("Who was the founder of Nordwind?", "The founder of Nordwind was Erik Dahl.", ["Erik Dahl"]),
    ("Who is the person whose hobby is judo?", "The person whose hobby is judo is Mara Lind.", ["Mara Lind"]),
    ("What is the budget of Project Atlas?", "The budget of Project Atlas is 250,000 euros.", ["250,000 euros"]),
    ("What is the date of birth of Mara Lind?", "The date of birth of Mara Lind is 0295-05-30.", ["0295-05-30"]),
    ("How long is the trial period?", "The trial period is six months.", ["six months"]),
]  # fmt: skip
VERBS = [
    ("Who leads Project Atlas?", "Mara Lind leads Project Atlas.", ["Mara Lind"]),
    ("who leads project atlas?", "Mara Lind leads Project Atlas.", ["Mara Lind"]),
    ("What does Mara Lind lead?", "Mara Lind leads Project Atlas.", ["Project Atlas"]),
    ("Which project does Mara Lind lead?", "Mara Lind leads Project Atlas.", ["Project Atlas"]),
    ("Which office does Mara Lind run?", "Mara Lind runs the Bergen office.", ["the Bergen office"]),
    ("Who resolved the March outage?", "The March outage was resolved by Mara Lind.", ["Mara Lind"]),
    ("Who joined Nordwind in 2019?", "Mara Lind joined Nordwind on 3 May 2019 as an engineer.", ["Mara Lind"]),
    ("What did Nordwind acquire?", "In 2018, Nordwind acquired Brightwater.", ["Brightwater"]),
    ("Who works with Aida Wang?", "Ryan Wang works with Aida Wang.", ["Ryan Wang"]),
    ("Which project has the budget 5 million?", "The project whose budget is 5 million is Project Atlas.",
     ["Project Atlas"]),
    ("Why was the project stopped?", "The project was stopped because the budget ran out.",
     ["because the budget ran out"]),
]  # fmt: skip
BORN = "Jonas Pike was born in Oslo on 3 May 1970."
BY_QUESTION_WORD = [
    ("When was Jonas Pike born?", BORN, ["3 May 1970"]),
    ("Where was Jonas Pike born?", BORN, ["Oslo"]),
    ("In which year was Jonas Pike born?", BORN, ["1970"]),
    ("When did Ada work at Kestrel?", "Ada worked at Kestrel from 2010 to 2014.", ["2010 to 2014"]),
    ("When does the stand-up start?", "The stand-up starts at 9:15 every Monday.", ["9:15 every Monday"]),
    ("Where does Jonas Pike work?", "Jonas Pike works in the Bergen office.", ["the Bergen office"]),
    ("Where is the headquarters of Kestrel?", "The headquarters of Kestrel is in Oslo, Norway.", ["Oslo, Norway"]),
    ("How many employees does Kestrel have?", "Kestrel has 120 employees.", ["120"]),
    ("How many members does the team have?", "The team has nine members.", ["9"]),
]  # fmt: skip
LISTS = [
    ("Who is the friend of Aida Wang?", "The friends of Aida Wang are Bo Lee, Cy Roe and Di Poe.",
     ["Bo Lee", "Cy Roe", "Di Poe"]),
    ("Who works at Kestrel?", "Bo Lee, Cy Roe and Di Poe work at Kestrel.", ["Bo Lee", "Cy Roe", "Di Poe"]),
    ("Who is the person whose hobby is judo?", "The people whose hobby is judo are Bo Lee and Cy Roe.",
     ["Bo Lee", "Cy Roe"]),
    ("Who was born in Oslo?", "Bo Lee and Cy Roe were born in Oslo.", ["Bo Lee", "Cy Roe"]),
    ("Which project does Mara Lind lead?", "Mara Lind leads Project Atlas and Project Borealis.",
     ["Project Atlas", "Project Borealis"]),
]  # fmt: skip
ONE_VALUE = [
    ("What is the occupation of Bo Lee?", "The occupation of Bo Lee is equality and diversity officer.",
     ["equality and diversity officer"]),
    ("Who is the person whose job is research and development lead?",
     "The person whose job is research and development lead is Bo Lee.", ["Bo Lee"]),
    ("Where does Bo Lee live?", "Bo Lee lives at 12 Harbour Street in Oslo.", ["12 Harbour Street in Oslo"]),
]  # fmt: skip
OTHER_WORDS = [
    ("Who founded Nordwind?", "The founder of Nordwind is Erik Dahl.", ["Erik Dahl"]),
    ("Who is Bo Lee married to?", "The husband of Bo Lee is Cy Roe.", ["Cy Roe"]),
    ("When was Bo Lee born?", "The date of birth of Bo Lee is 0295-05-30.", ["0295-05-30"]),
]


@pytest.mark.parametrize(("question", "answer", "values"), BE)
def test_either_side_of_be_is_the_value(question: str, answer: str, values: list[str]) -> None:
    assert list(values_of(question, answer)) == values


@pytest.mark.parametrize(("question", "answer", "values"), VERBS)
def test_what_the_question_does_not_say_is_the_value(question: str, answer: str, values: list[str]) -> None:
    assert list(values_of(question, answer)) == values


@pytest.mark.parametrize(("question", "answer", "values"), BY_QUESTION_WORD)
def test_the_question_word_picks_the_part(question: str, answer: str, values: list[str]) -> None:
    assert list(values_of(question, answer)) == values


@pytest.mark.parametrize(("question", "answer", "values"), LISTS)
def test_a_list_is_split_where_the_sentence_says_that_it_is_one(
    question: str, answer: str, values: list[str]
) -> None:
    assert list(values_of(question, answer)) == values


@pytest.mark.parametrize(("question", "answer", "values"), ONE_VALUE)
def test_an_and_within_one_value_splits_nothing(question: str, answer: str, values: list[str]) -> None:
    assert list(values_of(question, answer)) == values


@pytest.mark.parametrize(("question", "answer", "values"), OTHER_WORDS)
def test_an_answer_in_terms_of_a_property_is_understood(
    question: str, answer: str, values: list[str]
) -> None:
    assert list(values_of(question, answer)) == values


@pytest.mark.parametrize(
    "answer", ["The father of Aida Wang is Dino Beltran.", "The sisters of Aida Wang are Bo Lee and Cy Roe."]
)
def test_another_relation_than_the_one_asked_for_gives_no_value(answer: str) -> None:
    assert values_of("Who is the mother of Aida Wang?", answer) == ()


BESIDE_THE_POINT = [
    ("Who manages Zofia Baran?", "Zofia Baran is an account manager who lives in Oslo."),
    ("Who is the choir of Kestrel?", "Zofia Baran founded the choir of Kestrel."),
    ("What are the batteries of Petrel?", "Moncton supplies the batteries of Petrel and Curlew."),
    ("Who manages Zofia Baran?", "The manager of Zofia Baran is Zofia Baran."),
    ("Where is the Buoy team based?", "The Buoy team is based in the Buoy team."),
    ("Where does the leader of Project Turnstone live?", "The leader of Project Turnstone is Zofia Baran."),
    ("Where does Zofia Baran live?", "Zofia Baran leads Project Turnstone."),
    ("Where does Zofia Baran work?", "Zofia Baran works with Mara Lind."),
    ("Where was Zofia Baran born?", "Zofia Baran was born on 3 May 1970."),
    ("Where is the leader of Project Turnstone?", "The leader of Project Turnstone is Zofia Baran."),
    ("When does the choir of Kestrel sing?", "The leader of the choir of Kestrel is Zofia Baran."),
    ("When was Kestrel founded?", "Kestrel was founded in Oslo."),
    ("When was Kestrel founded?", "The founder of Kestrel is Zofia Baran."),
    ("Who founded Kestrel?", "Kestrel was founded in 1998."),
    ("Who founded Kestrel?", "Kestrel is a company in Oslo."),
    ("Who manages the leader of Kestrel?", "The leader of Kestrel lives in Oslo."),
    ("Who is the mother of Aida Wang?", "Aida Wang lives in Oslo."),
    ("What instrument does the leader of Kestrel play?", "The leader of Kestrel is Zofia Baran."),
    ("What is the budget of Project Turnstone?", "Project Turnstone is led by Zofia Baran."),
    ("How many employees does Kestrel have?", "Kestrel was founded in 1998."),
    ("How many employees does Kestrel have?", "Kestrel is a company in Oslo."),
    ("How much does Petrel cost?", "Petrel is a buoy."),
    ("How long does the battery of Petrel last?", "The battery of Petrel lasts because it is large."),
    ("How long is Terna?", "Terna is a boat."),
]  # fmt: skip
TOLD_IN_OTHER_WORDS = [
    ("Who is the teacher of the Knots course?", "The teacher of Knots is Bo Lee.", ["Bo Lee"]),
    ("Who teaches the Knots course?", "The course whose teacher is Bo Lee is Knots.", ["Bo Lee"]),
    ("Which rescue service saw it?", "Vesterhav Rescue saw it.", ["Vesterhav Rescue"]),
    ("Who leads Kestrel?", "The leader of Kestrel is Zofia Baran.", ["Zofia Baran"]),
    ("Who leads Kestrel?", "Zofia Baran is in charge of Kestrel.", ["Zofia Baran"]),
    ("Who is the manager of Bo Lee?", "Bo Lee reports to Zofia Baran.", ["Zofia Baran"]),
    ("Who is the founder of Kestrel?", "Zofia Baran founded Kestrel in 1998.", ["Zofia Baran"]),
    ("Who is the winner of the Regatta?", "Zofia Baran won the Regatta.", ["Zofia Baran"]),
    ("Who maintains Lantern?", "Zofia Baran is responsible for the maintenance of Lantern.", ["Zofia Baran"]),
    ("Where is Kestrel?", "Kestrel stands in Oslo.", ["Oslo"]),
    ("Where is Kestrel based?", "Kestrel has its office in Oslo.", ["Oslo"]),
    ("Where does Bo Lee live?", "The home of Bo Lee is Porto Alegre.", ["Porto Alegre"]),
    ("What is the job of Bo Lee?", "Bo Lee works as a rigger.", ["rigger"]),
    ("What is the price of Petrel?", "Petrel costs 90 euros.", ["90 euros"]),
    ("When did Teresa Vilhena found Kestrel?", "Teresa Vilhena founded Kestrel in 1998.", ["1998"]),
    ("How long does the battery last?", "The battery lasts half a year.", ["half a year"]),
    ("What is the name of the skipper of Terna?", "The skipper of Terna is Bo Lee.", ["Bo Lee"]),
    ("How many floors does Linden Hall have?", "Linden Hall has two floors.", ["2"]),
]  # fmt: skip


@pytest.mark.parametrize(("question", "answer"), BESIDE_THE_POINT)
def test_a_sentence_that_does_not_answer_the_question_gives_no_value(question: str, answer: str) -> None:
    assert values_of(question, answer) == ()


@pytest.mark.parametrize(("question", "answer", "values"), TOLD_IN_OTHER_WORDS)
def test_an_answer_in_other_words_is_still_an_answer(question: str, answer: str, values: list[str]) -> None:
    assert list(values_of(question, answer)) == values


def test_a_question_without_a_question_word_is_answered_by_the_sentence() -> None:
    told = "Mara Lind is the lead of Project Atlas."
    assert values_of("Is Mara Lind the lead of Project Atlas?", told) == (told.rstrip("."),)


FIRST = st.sampled_from(["Mara", "Jonas", "Aida", "Erik", "Siv", "Tor", "Astrid", "Ryan", "Vicki", "Saul"])
LAST = st.sampled_from(["Lind", "Pike", "Dahl", "Beltran", "Hackworth", "Smock", "Cormier", "Deluna"])
PEOPLE = st.lists(st.builds("{} {}".format, FIRST, LAST), min_size=1, max_size=9, unique=True)


@given(PEOPLE)
def test_every_list_of_people_comes_back_complete_and_in_order(people: list[str]) -> None:
    form = "friends of Kim Roe are" if len(people) > 1 else "friend of Kim Roe is"
    answer = f"The {form} {join_list(people)}."
    assert list(values_of("Who is the friend of Kim Roe?", answer)) == people
