"""Encyclopaedic prose: what only its surroundings explain is left unread rather than guessed at."""

from __future__ import annotations

import pytest

from tests.knowledge.reading import document, reflections


def told(text: str, title: str) -> str:
    """Every question and answer of one titled text, in lines."""
    made, across = reflections(document(text, title=title))
    pairs = [pair for each in made for pair in each.pairs] + across
    return "\n".join(f"{pair.question} {pair.answer}" for pair in pairs)


@pytest.mark.parametrize(
    ("title", "text", "never"),
    [
        ("Vosdam", "Like Skov, Vosdam makes sails.", "like Skov"),
        ("Vosdam", "Vosdam was at one point closed by Helix.", "Vosdam was at"),
        ("Vosdam", "Vosdam is still in use.", "in use"),
        ("Lind House", "The house was built in 1825.", "house of"),
        ("Heron Games", "These Games will mark the return of Helix.", "These"),
        ("Vosdam", "Vosdam serves both Skov and the Ryle region.", "both Skov?"),
        ("Vosdam", "Vosdam's location, beside the Zaan, has made it a good place.", "has made Vosdam"),
        ("Vosdam", "Laws in Vosdam restrict Helix to only sell red sails.", "restrict Helix"),
        ("Mara Lind", "Mara Lind told Nora Quist that Helix makes sails.", "told Nora Quist"),
        ("Vosdam", "In 2010 Vosdam began efforts to join the Zaan League.", "efforts"),
        ("Mara Lind", "Mara Lind played a leading role.", "role"),
        ("Mara Lind", "Mara Lind paid tribute to Nora Quist.", "tribute"),
        ("Lake Ryle", "Lake Ryle is the outlet of the pond.", "the pond"),
        ("Skov", "Vegetation, where it occurs, is tundra.", "Vegetation"),
        ("Skov", "Other languages of Skov are Ryle and Zaan.", "Other"),
        ("Skov", "Cor Visser succeeded the Prime Minister in 2013.", "Prime Minister"),
        ("Vosdam", "Vosdam was licensed by Helix to broadcast at 105 FM.", "What does Helix license"),
        ("Vosdam", "Vosdam includes halls in Skov, Ryle, and two in Zaan.", "and two"),
        ("Vosdam", "The company's name, formerly Helix, was changed in 1990.", "is formerly"),
        ("Vosdam", "Vosdam was built by volunteers in 1867.", "that volunteers built"),
        ("Vosdam", "The Council met five times a year.", "the Council"),
        ("Mara Lind", "Mara Lind can watch Nora Quist in Skov.", "Who can watch"),
        ("Vosdam", "Vosdam makes canoes. Quist's law is the observation that sails tear.", "law of Quist"),
        ("Mara Lind", "Mara Lind is the sister of the philosopher and statesman Otto Lund.", "and Otto Lund"),
        ("Vosdam", "On 3 May 1945 Vosdam was declared open again.", "When was Vosdam declared?"),
        ("Vosdam", "Vosdam shares with Skov Helix Bay.", "shares with"),
        ("Vosdam", "Norland units made a night attack on Vosdam in 1990.", "What did Norland units"),
        ("Zaan River", "The Zaan River separates Skov from Ryle.", "separates Skov."),
        ("Vosdam", "Helix provides Vosdam with yearly aid.", "provides Vosdam."),
        ("Vosdam", "Vosdam published a report on 15 January 2016.", "What did Vosdam publish?"),
        ("Vosdam", "Vosdam was released in Norland on 3 May 2006.", "When was Vosdam released?"),
        (
            "Vosdam",
            "Established in 1845, its first bishop was John Medley.",
            "bishop of Vosdam was established",
        ),
        ("Mara Lind", "Mara Lind was elected to the Skov Senate in 1973.", "When was Mara Lind elected?"),
        ("Vosdam", "In the 6th century BC Vosdam built sails.", "Where did Vosdam"),
        ("Vosdam", "Ground was broken for Vosdam on 3 May 1998.", "Ground was"),
        ("Lind Heights", "Lind Pass meets the northern part of the heights of Lind Heights.", "heights of"),
        ("Vosdam", "Mara Lind made tunes for the three compositions.", "the three compositions"),
        ("Vosdam", "Vosdam flows south from Skov.", "what Vosdam flows"),
        ("Mara Lind", "Mara Lind named Otto Lund as the best rower of Skov.", "named Otto Lund."),
        ("Mara Lind", "Mara Lind has five children.", "Who has five children?"),
        ("Ryle Province", "The city dates back to a fort of 1650.", "Ryle Province dates"),
        ("Mara Lind", "Mara Lind belonged to the Zaan Party.", "belonged to by"),
        (
            "Vosdam",
            "Vosdam handled 500,000 crates, followed by Skov, which handled 200,000 crates.",
            "crates handled",
        ),
        ("Vosdam", "Vosdam was owned by Helix until 2002.", "What was owned until 2002?"),
        ("Skov", "The town of Skov is the shire town of Ryle.", "Where is the town"),
    ],
)
def test_what_needs_its_context_makes_no_pair(title: str, text: str, never: str) -> None:
    assert never not in told(text, title)


def test_after_a_sentence_that_was_not_understood_it_is_nobody() -> None:
    text = "Vosdam makes sails in Skov. According to Cor Visser, Helix may close. It employs 48 people."
    assert "48" not in told(text, "Vosdam")


def test_it_is_the_topic_again_where_the_sentence_before_began_with_the_topic() -> None:
    text = "Vosdam makes sails in Skov. Vosdam may close, according to Cor Visser. It employs 48 people."
    assert "Vosdam employs 48 people." in told(text, "Vosdam")


def test_a_name_that_may_be_short_for_two_others_is_not_read() -> None:
    text = "Ada Holt met Otto Holt in Skov. Holt was an apostle."
    assert "Holt was an apostle" not in told(text, "History of Skov").replace("Ada Holt", "").replace(
        "Otto Holt", ""
    )


def test_a_university_is_not_called_by_its_city() -> None:
    text = "The University of Skov is old. Skov is large. Skov is wet. The university runs 12 institutes."
    assert "Skov runs 12 institutes" not in told(text, "University of Skov").replace("University of Skov", "")


def test_a_nickname_in_quotes_is_no_part_of_the_name() -> None:
    text = 'Samuel "Sam" Quist (born 3 May 1980) is a Danish rower.'
    assert "Samuel Quist was born on 3 May 1980." in told(text, "Sam Quist")


def test_the_kind_in_the_title_says_what_the_text_is_about() -> None:
    text = "In 2014 Helix ordered a second season. The series ended on 16 October 2015."
    assert "Helix ended" not in told(text, "Odd Sails (TV series)")


def test_an_object_keeps_the_field_that_limits_it() -> None:
    text = "Sails Quarterly covers research in seamanship."
    assert "Sails Quarterly covers research in seamanship." in told(text, "Sails Quarterly")
    assert "covers research." not in told(text, "Sails Quarterly")


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("Mara Lind is a Danish rower.", "Who is a Danish rower?"),
        ("Mara Lind earned a degree in 1990.", "Who earned a degree?"),
        ("Mara Lind competed at the 2012 Summer Olympics.", "Who competed at"),
        ("Mara Lind holds Danish citizenship.", "Who holds Danish citizenship?"),
        ("Mara Lind represented Denmark.", "Who represented Denmark?"),
        ("Mara Lind was admitted as a knight by Otto Lund.", "Who admitted Mara Lind?"),
    ],
)
def test_what_many_may_have_done_is_not_looked_up_by(text: str, never: str) -> None:
    assert never not in told(text, "Mara Lind")


def test_a_year_that_others_share_by_the_day_is_not_looked_up_by() -> None:
    first = document("Mara Lind (1901 – 1974) was a rower from Skov.", title="Mara Lind", number=1)
    second = document("Nora Quist (3 May 1901 – 2 June 1974) was a rower.", title="Nora Quist", number=2)
    made, across = reflections(first, second)
    questions = {pair.question for each in made for pair in each.pairs} | {pair.question for pair in across}
    assert "Who was born in 1901?" not in questions
    assert "Who was born on 3 May 1901?" in questions


def test_what_several_are_only_together_is_not_said_of_each() -> None:
    text = "Norland, Skov and Ryle form the Zaan Union. Mara Lind and Nora Quist served as joint heads."
    pairs = told(text, "Zaan Union")
    assert "Norland, Skov and Ryle form the Zaan Union." in pairs
    assert "Norland forms" not in pairs
    assert "Mara Lind served as joint heads" not in pairs


def test_a_place_in_front_stays_with_what_is_said_of_it() -> None:
    text = "In Norland, Skov is the fourth largest harbour of Vosdam."
    assert "harbour of Vosdam is Skov" not in told(text, "Skov")


def test_who_gave_something_stays_with_it() -> None:
    text = "Odd Sails features songs by Mara Lind with Otto Lund."
    assert "features songs with" not in told(text, "Odd Sails")


def test_a_handbook_with_headings_may_speak_in_general() -> None:
    text = "# Handbook\n\n## Leave\n\nParental leave lasts 30 weeks.\n\n## Curlew\n\n"
    text += "Curlew is a meter of 9 kilograms."
    pairs = told(text, "Handbook of Vosdam")
    assert "Parental leave lasts 30 weeks." in pairs
    assert "Curlew is a meter of 9 kilograms." in pairs


def test_where_something_is_may_be_told_by_any_definite_place() -> None:
    assert "Vosdam is in the basement of Linden Hall." in told(
        "Vosdam is in the basement of Linden Hall.", "Vosdam"
    )


@pytest.mark.parametrize(
    ("title", "text", "never"),
    [
        ("Mara Lind", "Her father, Walter, died in 1197. Mara Lind rowed for Skov.", "Walter die"),
        (
            "Mara Lind",
            "Mara Lind represented Norland and Skov in eight races.",
            "Who has represented Norland",
        ),
        (
            "Odd Sails",
            "Odd Sails was made at Skov as a film for release by Helix Pictures.",
            "Helix Pictures made",
        ),
        ("Mara Lind", "Mara Lind finished last in her heat.", "what Mara Lind finished"),
        ("Mara Lind", "Mara Lind estimated the number of pieces at 10.", "the number of pieces."),
        ("Vosdam Airways", "Vosdam Airways has grown since its launch.", "grown since?"),
    ],
)
def test_what_is_half_said_makes_no_pair(title: str, text: str, never: str) -> None:
    assert never not in told(text, title)
