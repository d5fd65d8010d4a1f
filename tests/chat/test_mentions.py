"""Signs that an answer is not about what was asked."""

from __future__ import annotations

import pytest

from chat.protocol.mentions import says_it_the_other_way_round


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is the manager of Ada Lund?", "The manager of Ola Berg is Ada Lund."),
        ("Who is the manager of Ada Lund?", "Ada Lund is the manager of Ola Berg."),
        ("Who manages Ada Lund?", "Ada Lund manages Ola Berg."),
        ("Who is the wife of Ola Berg?", "The wife of Jan Holm is Ola Berg."),
    ],
)
def test_a_relation_that_is_turned_round_is_noticed(question, answer):
    assert says_it_the_other_way_round(question, answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is the manager of Ada Lund?", "The manager of Ada Lund is Ola Berg."),
        ("Who is the manager of Ada Lund?", "Ola Berg is the manager of Ada Lund."),
        ("Who is the manager of Ada Lund?", "Ada Lund reports to Ola Berg."),
        ("Who manages Ada Lund?", "Ola Berg manages Ada Lund."),
        ("Who is the leader of the Sales team?", "The leader of the Sales team is Ada Lund."),
        ("Who is the friend of Ada Lund?", "The friend of Ola Berg is Ada Lund."),  # then he is hers
        ("Who are the daughters of Ada Lund?", "The daughters of Ada Lund are Eva Lund and Ida Lund."),
        ("Who is Ada Lund married to?", "Ada Lund is married to Ola Berg."),
        ("Where does Ada Lund live?", "Ada Lund lives in Oslo."),
        ("Who leads Project Atlas?", "Ada Lund leads Project Atlas."),
    ],
)
def test_what_answers_the_question_is_not(question, answer):
    assert not says_it_the_other_way_round(question, answer)
