"""When a training ends, given what its checks measure."""

from __future__ import annotations

import pytest

from training.engine.config import build_config
from training.engine.schedule import Check, State, make_schedule


@pytest.mark.parametrize("name", ["adaptive", "constant", "linear", "cosine"])
def test_any_schedule_stops_after_so_many_checks_near_the_goal_without_better_held_out_recall(name):
    config = build_config({"schedule": name, "stop_after": 2, "full_rate_steps": 1000, "epochs": 1000})
    schedule, state = make_schedule(config, 10), State()
    for step, held_out in ((100, 0.5), (200, 0.6), (300, 0.6)):
        state.step = step
        schedule.learn_from(Check(0.99, held_out), state)
        assert schedule.steps(state) > state.step
    state.step = 400
    schedule.learn_from(Check(0.99, 0.55), state)
    assert schedule.steps(state) == 400


def test_checks_far_from_the_goal_stop_nothing():
    config = build_config({"schedule": "adaptive", "stop_after": 1, "full_rate_steps": 1000})
    schedule, state = make_schedule(config, 10), State()
    for state.step in range(100, 600, 100):
        schedule.learn_from(Check(0.1, 0.0), state)
    assert schedule.steps(state) > state.step


@pytest.mark.parametrize(("reworded", "begins"), [(None, True), (0.4, False), (0.9, True)])
def test_the_decay_waits_until_other_forms_of_the_questions_are_answered_too(reworded, begins):
    schedule, state = make_schedule(build_config({"full_rate_steps": 1000}), 10), State(step=100)
    schedule.learn_from(Check(0.99, 0.95, reworded), state)
    assert bool(state.decays) == begins


@pytest.mark.parametrize(("reworded", "decays"), [(0.9, 2), (0.98, 1)])
def test_a_decay_is_repeated_where_other_forms_missed_the_goal(reworded, decays):
    schedule, state = make_schedule(build_config({"full_rate_steps": 1000}), 10), State(step=100)
    schedule.learn_from(Check(1.0, 1.0, 0.9), state)
    state.step = schedule.steps(state)
    schedule.learn_from(Check(1.0, 1.0, reworded), state)
    assert state.decays == decays
