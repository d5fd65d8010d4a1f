"""What a training will take: facts that fit, seconds, parameters, memory, room on the disk."""

from __future__ import annotations

import pytest

from training.charts.gauge import WIDTH, gauge_of
from training.engine import capacity
from training.engine.base import build_model, build_tokenizer
from training.engine.capacity import GROWTH, disk_bytes, forecast, grown, holds, memory_bytes
from training.engine.config import SIZES, build_config
from training.engine.pairs import Pair

PLAIN = build_config({})
LORA = build_config({"base": "some/model", "method": "lora", "bpe_dropout": 0, "average": 0})


@pytest.mark.parametrize("point", GROWTH, ids=lambda point: f"{point.facts} facts")
def test_measured_points_are_given_back_as_they_are(point):
    for figure in ("seconds", "parameters", "trained_recall", "held_out_recall"):
        assert grown(figure, point.facts) == pytest.approx(getattr(point, figure))


def test_between_two_points_figures_lie_between_and_beyond_them_they_go_on():
    seconds = [grown("seconds", facts) for facts in (30, 300, 600, 1_000, 5_000, 10_000, 40_000)]
    assert seconds == sorted(seconds)
    assert grown("seconds", 40_000) > 2 * GROWTH[-1].seconds
    assert grown("seconds", 3) == grown("seconds", 300)  # it takes its steps however few the facts are


def test_a_line_on_logarithmic_axes_runs_between_two_points(monkeypatch):
    points = (capacity.Growth(100, 1, 10, 1, 1), capacity.Growth(10_000, 1, 1_000, 1, 1))
    monkeypatch.setattr(capacity, "GROWTH", points)
    assert grown("seconds", 1_000) == pytest.approx(100)


def test_recall_is_foretold_only_as_far_as_it_was_measured():
    most = GROWTH[-1].facts
    assert forecast(most, 4 * most, PLAIN).trained_recall == 1
    beyond = forecast(most + 1, 4 * most, PLAIN)
    assert (beyond.is_measured, beyond.trained_recall, beyond.held_out_recall) == (False, None, None)


def test_the_smallest_size_that_holds_the_facts_is_suggested_and_does_not_warn():
    for size, facts in (("small", 2_500), ("medium", 2_501), ("large", 9_000)):
        guess = forecast(facts, 4 * facts, PLAIN)
        assert (guess.size, guess.suggested, guess.warning) == (size, size, "")


def test_a_size_that_is_too_small_warns_and_names_the_one_that_would_do():
    guess = forecast(4_000, 16_000, build_config({"size": "small"}))
    assert guess.is_over
    assert guess.share == pytest.approx(1.6)
    assert "is meant for up to 2,500 facts" in guess.warning
    assert "Take the medium one" in guess.warning


def test_more_facts_than_the_largest_size_was_seen_to_hold_warn_as_well():
    assert "pretrained base" in forecast(50_000, 200_000, PLAIN).warning


def test_a_larger_model_than_needed_takes_longer():
    usual, large = (forecast(500, 2_000, build_config(values)) for values in ({}, {"size": "large"}))
    assert large.seconds > 3 * usual.seconds
    assert large.parameters > 3 * usual.parameters


@pytest.mark.parametrize("size", SIZES)
def test_parameters_are_those_of_the_model_that_is_built(size):
    config = build_config({"size": size, "vocabulary_size": 300}).resolved(10)
    tokenizer = build_tokenizer([Pair("1", "Who leads the Harbour?", "Ada Marsh does.", "1")], config)
    model = build_model(config, tokenizer, 64)
    exact = config.model_copy(update={"vocabulary_size": len(tokenizer)})
    assert capacity.parameters_from_scratch(exact) == sum(one.numel() for one in model.parameters())


def test_full_training_keeps_gradients_and_moments_of_every_weight_and_lora_of_few():
    full = LORA.model_copy(update={"method": "full"})
    assert memory_bytes(1_000_000, full, on_gpu=False) == 16_000_000
    assert memory_bytes(1_000_000, LORA, on_gpu=False) == pytest.approx(4_000_000, rel=0.1)
    assert memory_bytes(1_000_000, LORA, on_gpu=True) == pytest.approx(2_000_000, rel=0.2)
    four_bit = LORA.model_copy(update={"load_in_4bit": True})
    assert memory_bytes(1_000_000, four_bit, on_gpu=True) < memory_bytes(1_000_000, LORA, on_gpu=True) / 2


def test_the_disk_needs_room_for_the_result_and_two_checkpoints():
    assert disk_bytes(100, 100) == 4 * (100 + 100 + 8 * 100)


def test_the_gauge_draws_each_size_and_says_in_words_how_full_it_is():
    gauge = gauge_of(forecast(4_000, 16_000, build_config({"size": "small"})))
    assert [bar.size for bar in gauge.bars] == list(SIZES)
    assert [bar.is_over for bar in gauge.bars] == [True, False, False]
    assert [bar.is_chosen for bar in gauge.bars] == [True, False, False]
    assert gauge.bars[0].width == WIDTH
    assert gauge.bars[1].width == pytest.approx(gauge.full * 4_000 / holds("medium"))
    assert "small 160 % full" in gauge.summary
