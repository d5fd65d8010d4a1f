"""Intervals and significance, AUROC and calibration, against SciPy and scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn_metrics

from training.engine.evaluate import auroc, calibration_error
from training.evaluation.judge import agreement
from training.evaluation.statistics import bootstrap_interval, holm, paired

SCORES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=30)


def scores(seed: int, size: int = 60) -> list[float]:
    return np.random.default_rng(seed).random(size).round(2).tolist()


def flags(seed: int, share: float, size: int = 60) -> list[float]:
    return (np.random.default_rng(seed).random(size) < share).astype(float).tolist()


# --- Intervals ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("values", [scores(1), flags(2, 0.8), flags(3, 0.1), scores(4, 1500)])
def test_the_interval_is_that_of_scipys_percentile_bootstrap(values):
    ours = bootstrap_interval(values, resamples=20_000)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, batch=500, rng=7
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.006)
    assert ours.high == pytest.approx(theirs.high, abs=0.006)


def test_an_interval_is_the_same_whenever_it_is_asked_for_and_in_whatever_order():
    values = scores(5)
    assert bootstrap_interval(values) == bootstrap_interval(values[::-1])
    assert bootstrap_interval(values) != bootstrap_interval(values, seed=1)


def test_an_interval_narrows_with_the_number_of_questions():
    few, many = (bootstrap_interval([0.0, 1.0] * count) for count in (10, 1000))
    assert many.high - many.low < (few.high - few.low) / 5


@given(SCORES)
@settings(max_examples=25, deadline=None)
def test_an_interval_lies_within_the_values(values):
    interval = bootstrap_interval(values, resamples=200)
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9


def test_no_values_have_no_interval():
    with pytest.raises(ValueError, match="no values"):
        bootstrap_interval([])


# --- Pairs -------------------------------------------------------------------------------------------------
def test_the_p_is_that_of_scipys_permutation_of_signs():
    a, b = scores(6, 40), [value - 0.1 for value in scores(8, 40)]
    theirs = stats.permutation_test(
        (np.subtract(a, b),), np.mean, permutation_type="samples", n_resamples=20_000, rng=9
    )
    found = paired(a, b)
    assert found.p == pytest.approx(theirs.pvalue, abs=0.015)
    assert found.difference == pytest.approx(np.mean(a) - np.mean(b))


def test_of_right_and_wrong_the_p_is_that_of_mcnemars_exact_test():
    a, b = flags(10, 0.7, 200), flags(11, 0.6, 200)
    better = sum(x > y for x, y in zip(a, b, strict=True))
    worse = sum(x < y for x, y in zip(a, b, strict=True))
    exact = stats.binomtest(better, better + worse).pvalue
    assert paired(a, b).p == pytest.approx(exact, abs=0.015)


def test_who_always_wins_is_surely_better_and_who_never_differs_surely_not():
    won, drawn = paired([1.0] * 30, [0.0] * 30), paired([0.5] * 30, [0.5] * 30)
    assert won.difference == 1.0
    assert won.p == pytest.approx(1 / 10_000)
    assert (drawn.difference, drawn.low, drawn.high, drawn.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_pair_turns_round_with_its_contestants():
    a, b = scores(12), flags(13, 0.5)
    ours, theirs = paired(a, b), paired(b, a)
    assert ours.difference == pytest.approx(-theirs.difference)
    assert ours.low == pytest.approx(-theirs.high, abs=0.02)
    assert ours.p == theirs.p


def test_of_many_comparisons_each_p_is_adjusted_as_holm_does_it():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_contestants_who_were_asked_other_questions_are_not_paired():
    with pytest.raises(ValueError, match="2 and 3 questions"):
        paired([1.0, 0.0], [1.0, 0.0, 1.0])


# --- Confidence --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(5))
def test_auroc_is_that_of_scikit_learn_ties_included(seed):
    known, unknown = np.round(scores(seed, 50), 1).tolist(), np.round(scores(seed + 50, 30), 1).tolist()
    theirs = sklearn_metrics.roc_auc_score([1] * 50 + [0] * 30, known + unknown)
    assert auroc(known, unknown) == pytest.approx(theirs)


def test_the_calibration_error_is_that_of_scikit_learns_curve_weighed_by_its_bins():
    from sklearn.calibration import calibration_curve

    confidences = [0.003 + 0.99 * score for score in scores(20, 300)]  # none lies between two bins
    right = [draw < confidence**2 for draw, confidence in zip(scores(21, 300), confidences, strict=True)]
    shares, means = calibration_curve(right, confidences, n_bins=10)
    counts, _ = np.histogram(confidences, bins=10, range=(0, 1))
    theirs = float(np.abs(shares - means) @ counts[counts > 0] / len(confidences))
    assert calibration_error(confidences, right) == pytest.approx(theirs)


# --- The judge's agreement ---------------------------------------------------------------------------------
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
@settings(deadline=None)
def test_agreement_is_scikit_learns_accuracy_and_cohens_kappa(verdicts):
    exact, judged = map(list, zip(*verdicts, strict=True))
    found = agreement(exact, judged)
    assert found.share == pytest.approx(sklearn_metrics.accuracy_score(exact, judged))
    with warnings.catch_warnings(action="ignore"):
        theirs = sklearn_metrics.cohen_kappa_score(exact, judged, labels=[False, True])
    assert found.kappa == (None if np.isnan(theirs) else pytest.approx(theirs))


def test_answers_that_were_not_judged_do_not_count():
    assert agreement([True, False, True], [True, None, None]).share == 1.0
    assert agreement([True], [None]).share is None
