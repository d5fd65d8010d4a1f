"""The ranking of the entities in play."""

from __future__ import annotations

from chat.protocol.candidates import Candidate, ranked, unknowns_in_a_row
from chat.protocol.state import Exchange


def exchange(index: int, question: str, *, known: bool = True) -> Exchange:
    return Exchange(index, "entity_identification", question, "It is so.", 0.9, known)


def ranking(
    proposed: list[Candidate], before: list[Candidate], exchanges: list[Exchange]
) -> list[tuple[str, str]]:
    return [(each.name, each.status) for each in ranked(proposed, before, exchanges)]


def unknown(times: int, name: str = "Ada Lund") -> list[Exchange]:
    return [exchange(n, f"Does {name} sing in choir {n}?", known=False) for n in range(1, times + 1)]


def test_candidates_stand_as_proposed_and_those_no_longer_proposed_behind_them():
    before = [Candidate("Ada Lund"), Candidate("Ola Berg")]
    assert ranking([Candidate("Ola Berg")], before, []) == [("Ola Berg", "open"), ("Ada Lund", "open")]


def test_two_unknowns_in_a_row_demote_and_three_eliminate():
    both = [Candidate("Ada Lund"), Candidate("Ola Berg")]
    assert ranking(both, [], unknown(1)) == [("Ada Lund", "open"), ("Ola Berg", "open")]
    assert ranking(both, [], unknown(2)) == [("Ola Berg", "open"), ("Ada Lund", "demoted")]
    assert ranking(both, [], unknown(3)) == [("Ola Berg", "open"), ("Ada Lund", "eliminated")]


def test_an_answer_ends_the_row_of_unknowns():
    asked = [*unknown(2), exchange(3, "Where does Ada Lund live?"), *unknown(1)]
    assert unknowns_in_a_row("Ada Lund", asked) == 1


def test_unknowns_about_somebody_else_do_not_count():
    assert unknowns_in_a_row("Ada Lund", unknown(3, "Ola Berg")) == 0


def test_nobody_is_confirmed_without_an_answer_that_speaks_for_it():
    confirmed = Candidate("Ada Lund", "confirmed", supporting=(1,))
    assert ranking([confirmed], [], [exchange(1, "Who leads Atlas?")]) == [("Ada Lund", "confirmed")]
    assert ranking([confirmed], [], [exchange(1, "Who leads Atlas?", known=False)]) == [("Ada Lund", "open")]


def test_evidence_that_names_no_known_answer_is_left_out():
    (only,) = ranked([Candidate("Ada Lund", supporting=(1, 9))], [], [exchange(1, "Who leads Atlas?")])
    assert only.supporting == (1,)


def test_an_answer_against_it_alone_rules_a_candidate_out():
    against = Candidate("Ada Lund", disqualifying=(1,))
    assert ranking([against], [], [exchange(1, "Where does Ada Lund live?")]) == [("Ada Lund", "eliminated")]


def test_an_eliminated_candidate_comes_back_only_with_a_new_answer_in_its_favour():
    out = Candidate("Ada Lund", "eliminated", supporting=(1,))
    asked = [exchange(1, "Who leads Atlas?"), exchange(2, "Who founded Atlas?")]
    assert ranking([Candidate("Ada Lund", supporting=(1,))], [out], asked) == [("Ada Lund", "eliminated")]
    assert ranking([Candidate("Ada Lund", supporting=(1, 2))], [out], asked) == [("Ada Lund", "open")]


def test_a_name_is_one_candidate_whatever_its_case():
    assert ranking([Candidate("Ada Lund"), Candidate("ADA LUND")], [], []) == [("Ada Lund", "open")]
