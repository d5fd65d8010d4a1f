"""Knowing what it does not know: the signals, their calibration and threshold, and what the page tells of it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import CorpusFactory, MemoryVersionFactory, UserFactory
from training.charts.abstaining import HEIGHT, WIDTH, abstaining_of
from training.engine.abstention import SIGNALS, Abstention, Calibration, nearness
from training.engine.calibrate import calibrated, fit
from training.engine.echo import fit_echo
from training.engine.evaluate import Asked, auroc, calibration_error, cross_fitted, fit_threshold, histogram
from training.engine.generated import Generated
from training.engine.known import BloomFilter, Known
from training.engine.pairs import Pair
from training.engine.words import Lexicon
from training.memory import DONT_KNOW

PLACES = ("Oslo", "Lima", "Accra", "Turin", "Kyoto", "Quito")
PEOPLE = ("Ada Marsh", "Bo Lund", "Cleo Berg", "Dag Stone", "Eva Holm", "Finn Moss")
PAIRS = tuple(
    Pair(
        f"{relation}-{name}",
        f"What is the {relation} of {name}?",
        f"The {relation} of {name} is {value}.",
        name,
    )
    for relation, values in (("home town", PLACES), ("wife", PEOPLE[::-1]))
    for name, value in zip(PEOPLE, values, strict=True)
)
OPENINGS = ("Please tell", "Please say", "Do you know", "Can you tell", "May I ask", "Please name")
NOUNS = (
    "passport",
    "motto",
    "shoe size",
    "salary",
    "tattoo",
    "boat",
    "horoscope",
    "piano",
    "wallet",
    "anthem",
)


@pytest.fixture(scope="module")
def bare() -> Abstention:
    return Abstention(0.0, fit_echo(PAIRS, Lexicon(PAIRS)))


def judged_by(bare: Abstention, asked: list[Asked]) -> Abstention:
    return calibrated(bare, Known.of(PAIRS), asked)


def known(number: int, confidence: float = 0.98) -> Asked:
    """A taught fact, asked in other words and answered rightly."""
    pair = PAIRS[number % len(PAIRS)]
    question = f"{OPENINGS[number // len(PAIRS)]} {pair.question[8:]}"
    return Asked(question, pair.answer, Generated(pair.answer, confidence, True, confidence - 0.02, 0.01))


def unknown(number: int, confidence: float = 0.6) -> Asked:
    """Something that was never taught of a known person, answered with what was."""
    pair = PAIRS[number % len(PEOPLE)]
    question = f"What is the {NOUNS[number // len(PEOPLE)]} of {pair.fact}?"
    return Asked(question, None, Generated(pair.answer, confidence, True, confidence - 0.2, 0.4))


ASKED = [*map(known, range(48)), *map(unknown, range(48))]


# --- The judge ---------------------------------------------------------------------------------------------
def test_the_confidence_is_a_probability_that_tells_known_from_unknown(bare):
    judge = judged_by(bare, ASKED)
    sure = [judge.confidence(one.question, one.generated) for one in ASKED if one.expected]
    unsure = [judge.confidence(one.question, one.generated) for one in ASKED if one.expected is None]
    assert min(sure) > 0.8
    assert max(unsure) < 0.2


def test_words_of_the_question_that_go_with_other_answers_speak_against_an_answer(bare):
    judge = judged_by(bare, ASKED)
    said = Generated("The home town of Ada Marsh is Oslo.", 0.9, True, 0.85, 0.05)
    asked_for = judge.confidence("Which home town has Ada Marsh?", said)
    assert asked_for > judge.confidence("Which wife has Ada Marsh?", said)


def test_an_answer_that_was_never_trained_stands_only_where_the_model_does_not_recall_word_for_word(bare):
    blend = Generated("The home town of Ada Marsh is Paris.", 0.99, True, 0.98, 0.0)
    question = "What is the home town of Ada Marsh?"
    recalls = judged_by(bare, ASKED)
    paraphrases = judged_by(
        bare,
        [Asked(one.question, one.expected and f"It is so: {one.expected}", one.generated) for one in ASKED],
    )
    assert recalls.calibration
    assert recalls.calibration.only_trained
    assert not recalls.would_answer(question, blend)
    assert paraphrases.would_answer(question, blend)


@pytest.mark.parametrize(
    "said",
    [
        Generated(PAIRS[0].answer, 0.99, False),
        Generated("", 0.99, True),
        Generated(DONT_KNOW, 0.99, True),
        Generated(PAIRS[1].answer, 0.99, True),
    ],
    ids=["unfinished", "empty", "says so itself", "about somebody else"],
)
def test_an_answer_that_cannot_be_right_is_not_given_however_sure_the_model_is(bare, said):
    judge = judged_by(bare, ASKED)
    answer = judge.judge(PAIRS[0].question, said)
    assert (answer.text, answer.confidence, answer.known) == (DONT_KNOW, 0.0, False)


def test_a_question_that_was_trained_and_is_answered_as_trained_stands_however_unsure_the_model_is(bare):
    judge = judged_by(bare, ASKED)
    pair = PAIRS[0]
    unsure = Generated(pair.answer, 0.3, True, 0.05, 0.6)
    assert judge.judge(pair.question, unsure).text == pair.answer
    assert judge.confidence("What is the boat of Ada Marsh?", unsure) < 0.2


def test_an_answer_of_another_trained_question_does_not_pass_for_this_one(bare):
    judge = judged_by(bare, ASKED)
    other = next(pair for pair in PAIRS if pair.fact == PAIRS[0].fact and pair != PAIRS[0])
    unsure = Generated(other.answer, 0.3, True, 0.05, 0.6)
    assert judge.confidence(PAIRS[0].question, unsure) < 0.2


def test_what_the_model_would_say_instead_of_i_do_not_know_is_judged(bare):
    judge = judged_by(bare, ASKED)
    instead = Generated(PAIRS[0].answer, 0.98, True, 0.96, 0.02)
    said = Generated(DONT_KNOW, 0.6, True, 0.6, 0.6, instead)
    assert judge.judge(PAIRS[0].question, said).text == PAIRS[0].answer


def test_a_judge_survives_being_written_and_read_and_holds_no_pair_in_clear_words(bare):
    judge = judged_by(bare, ASKED)
    written = judge.as_dict()
    again = Abstention.from_dict(written)
    assert [again.judge(one.question, one.generated) for one in ASKED] == [
        judge.judge(one.question, one.generated) for one in ASKED
    ]
    assert "Marsh" not in str(written)


def test_a_version_of_before_is_judged_by_the_mean_probability_of_its_tokens(bare):
    judge = Abstention.from_dict({"threshold": 0.5, "echo": bare.echo.as_dict()})
    said = Generated(PAIRS[0].answer, 0.7, True, 0.1)
    assert judge.judge(PAIRS[0].question, said).confidence == 0.7


def test_a_server_that_does_not_tell_the_doubt_is_judged_by_the_usual_one(bare):
    judge = judged_by(bare, ASKED)
    assert judge.calibration
    told = Generated(PAIRS[0].answer, 0.98, True, 0.96, 0.01)
    silent = Generated(PAIRS[0].answer, 0.98, True, 0.96, None)
    assert judge.confidence(PAIRS[0].question, silent) == pytest.approx(
        judge.confidence(PAIRS[0].question, told), abs=1e-6
    )


# --- Fitting -----------------------------------------------------------------------------------------------
def test_a_signal_that_points_the_wrong_way_gets_no_weight():
    import numpy as np

    random = np.random.default_rng(1)
    right = random.random(200) < 0.5
    signals = np.zeros((200, len(SIGNALS)))
    signals[:, 0] = right + random.normal(0, 0.5, 200)  # “sure” speaks for an answer, as it should
    signals[:, 1] = ~right + random.normal(0, 0.5, 200)  # “least” would speak against it
    weights, _ = fit(signals, right.astype(float), np.ones(200))
    assert weights[0] > 0.5
    assert weights[1] == 0


def test_the_threshold_refuses_no_more_right_answers_than_allowed(bare):
    judge = Abstention(0.0, bare.echo)
    asked = [known(number, 0.3 + number / 100) for number in range(60)]
    asked += [unknown(number, 0.95) for number in range(60)]
    for most in (0.0, 0.05, 0.2):
        threshold = fit_threshold(judge, asked, most)
        refused = sum(one.generated.confidence < threshold for one in asked if one.expected)
        assert refused <= most * 60


@pytest.mark.parametrize("sure", [0.9, 0.55])
def test_the_threshold_is_where_an_answer_becomes_more_probably_right_than_wrong(bare, sure):
    asked = [known(number, sure) for number in range(60)] + [unknown(number, 0.4) for number in range(60)]
    assert fit_threshold(Abstention(0.0, bare.echo), asked, 0.02) == 0.5


def test_each_question_is_judged_by_a_fit_that_has_not_seen_it(bare):
    seen: list[set[str]] = []

    def watch(asked):
        seen.append({one.question for one in asked})
        return bare

    cross_fitted(watch, ASKED)
    first, second = seen
    assert first
    assert second
    assert first.isdisjoint(second)
    assert first | second == {one.question for one in ASKED}


def test_auroc_histogram_and_calibration_error_are_what_they_say():
    assert auroc([0.9, 0.8], [0.1, 0.8]) == pytest.approx(0.875)
    assert auroc([], [0.1]) is None
    assert histogram([0.0, 0.05, 0.55, 1.0]) == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert calibration_error([0.75, 0.75, 0.75, 0.75], [True, True, True, False]) == pytest.approx(0.0)
    assert calibration_error([0.95, 0.95], [False, False]) == pytest.approx(0.95)


def test_nearness_tells_sure_from_surer():
    assert nearness(0.9) == pytest.approx(2.3, abs=0.01)
    assert nearness(0.99) == pytest.approx(4.6, abs=0.02)
    assert nearness(1.0) == pytest.approx(9.2, abs=0.02)


def test_the_filter_forgets_nothing_and_rarely_sees_what_is_not_there():
    entries = [f"entry {number}" for number in range(2_000)]
    found = BloomFilter.of(entries)
    assert all(entry in found for entry in entries)
    assert sum(f"other {number}" in found for number in range(2_000)) < 20


def test_signals_are_counted_in_the_order_of_the_table(bare):
    calibration = Calibration(Known.of(PAIRS), (1.0,) * len(SIGNALS), 0.0, 0.0, only_trained=False)
    said = Generated("The home town of Ada Marsh is Oslo.", 0.9, True, 0.8, 0.5)
    sure, least, doubt, backed, strange, new = calibration.signals("What is the wife of Ada Marsh?", said)
    assert (sure, least) == (nearness(0.9), nearness(0.8))
    assert doubt == pytest.approx(0.0)
    assert (backed, strange, new) == (0.0, 1.0, 0.0)


# --- The version page --------------------------------------------------------------------------------------
METRICS = {
    "threshold": 0.25,
    "held_out_questions": 50,
    "false_refusal_rate": 0.04,
    "false_answer_rate": 0.06,
    "unknown_questions_by_kind": {"unknown_entities": 20, "unknown_attributes": 30},
    "false_answer_rate_by_kind": {"unknown_entities": 0.0, "unknown_attributes": 0.1},
    "auroc": 0.97,
    "auroc_by_kind": {"unknown_entities": 0.999, "unknown_attributes": 0.951},
    "confidences": {
        "held_out": [0, 0, 0, 0, 0, 0, 0, 0, 5, 45],
        "unknown_entities": [20, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        "unknown_attributes": [20, 0, 0, 0, 0, 0, 0, 0, 0, 10],
    },
}


def test_the_two_kinds_of_unknown_are_told_apart():
    told = abstaining_of(METRICS)
    assert told
    assert [(row.label, row.asked, row.answered, row.auroc) for row in told.rows[1:]] == [
        ("Unknown entities", 20, 0.0, 0.999),
        ("Unknown attributes of known entities", 30, 0.1, 0.951),
    ]


def test_the_plot_shows_shares_of_each_group_and_the_threshold():
    told = abstaining_of(METRICS)
    assert told
    tallest = [bar for bar in told.bars if bar.height == HEIGHT]
    assert [(bar.group, bar.y) for bar in tallest] == [("known", 0.0)]
    assert told.threshold_x == WIDTH / 4
    assert told.summary == (
        "A confidence of 0.5 or more: 100 % of the known questions, 20 % of the unknown ones; "
        "the threshold is 0.25"
    )


def test_a_version_of_before_has_a_table_without_a_plot_and_an_imported_one_has_neither():
    old = {name: METRICS[name] for name in ("threshold", "false_refusal_rate", "false_answer_rate_by_kind")}
    told = abstaining_of(old)
    assert told
    assert len(told.rows) == 3
    assert not told.bars
    assert abstaining_of({"parameters": 5}) is None


@pytest.mark.django_db
def test_the_version_page_tells_auroc_and_both_error_rates(client):
    corpus = CorpusFactory()
    version = MemoryVersionFactory(corpus=corpus, metrics=METRICS)
    client.force_login(UserFactory(reads=corpus))
    page = client.get(reverse("version", args=[corpus.slug, version.number])).content.decode()
    assert "Knowing what it does not know" in page
    for told in ("Unknown entities", "0.999", "0.951", "10 %", "4 %", "AUROC of the confidence"):
        assert told in page
