"""Estimates against published values, independent implementations, enumeration and simulation."""

from __future__ import annotations

import itertools
import subprocess
import sys
import timeit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analysis.estimates import (
    EXACT_ROUNDS,
    Estimate,
    FloatArray,
    adjust_p_values,
    fit_line,
    hodges_lehmann,
    hodges_lehmann_rows,
    round_difference,
    rounds_to_tell,
)

# Hollander and Wolfe, Nonparametric Statistical Methods, table 3.1, and example(wilcox.test) in R.
DEPRESSION = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]) - np.array(
    [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
)
# Darwin's maize, eighths of an inch: Fisher, The Design of Experiments; the example of
# scipy.stats.wilcoxon.
MAIZE = np.array([6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75], dtype=float)
# The largest signed-rank sum that is significant at 5 % two-sided, by rounds: Wilcoxon (1945),
# as reprinted in every textbook.
CRITICAL = {6: 0, 7: 2, 8: 3, 9: 5, 10: 8, 11: 10, 12: 13, 13: 17, 14: 21, 15: 25, 16: 29, 17: 34}
CRITICAL |= {18: 40, 19: 46, 20: 52, 21: 58, 22: 65, 23: 73, 24: 81, 25: 89}

finite = st.floats(min_value=-1.0, max_value=1.0).map(lambda x: round(x, 6))
samples = st.lists(finite, min_size=1, max_size=15)


def p_value(differences: FloatArray) -> float:
    return float(hodges_lehmann_rows(differences[None, :]).p_value[0])


def walsh_averages(x: FloatArray) -> FloatArray:
    pairs = itertools.combinations_with_replacement(x.tolist(), 2)
    return np.sort([(first + second) / 2 for first, second in pairs])


def test_depression_data_give_the_published_estimate_interval_and_p_value() -> None:
    estimate = hodges_lehmann(DEPRESSION)
    # Hollander and Wolfe, examples 3.3 and 3.4: 0.46, and (0.010, 0.786) at 96.1 %.
    assert estimate.value == pytest.approx(0.46)
    assert (estimate.low, estimate.high) == pytest.approx((0.010, 0.786))
    # R: V = 40, p-value = 0.01953 one-sided.
    assert p_value(DEPRESSION) == pytest.approx(2 * 0.01953125)


def test_maize_data_give_the_published_p_value() -> None:
    assert p_value(MAIZE) == pytest.approx(0.041259765625)


@pytest.mark.parametrize(("rounds", "critical"), CRITICAL.items())
def test_interval_ends_where_the_published_table_stops_rejecting(
    rounds: int, critical: int
) -> None:
    x = np.random.default_rng(rounds).normal(size=rounds)
    estimate = hodges_lehmann(x)
    averages = walsh_averages(x)
    assert estimate.low == averages[critical]
    assert estimate.high == averages[-critical - 1]
    assert estimate.value == pytest.approx(np.median(averages))


@pytest.mark.parametrize("rounds", range(2, 11))
@pytest.mark.parametrize("confidence", [0.90, 0.95])
def test_interval_is_the_narrowest_that_enumeration_allows(rounds: int, confidence: float) -> None:
    sizes = np.sort(np.random.default_rng(7).uniform(1, 2, rounds))
    signs = np.array(list(itertools.product((-1, 1), repeat=rounds)))
    estimates = [hodges_lehmann(sample, confidence) for sample in signs * sizes]
    covered = sum(estimate.low <= 0 <= estimate.high for estimate in estimates)
    assert covered / len(signs) >= confidence
    if np.isfinite(estimates[0].low):
        narrower = 0
        for sample, estimate in zip(signs * sizes, estimates, strict=True):
            averages = walsh_averages(sample)
            low = averages[np.searchsorted(averages, estimate.low) + 1]
            high = averages[np.searchsorted(averages, estimate.high) - 1]
            narrower += low <= 0 <= high
        assert narrower / len(signs) < confidence


@pytest.mark.parametrize("rounds", range(1, 31))
def test_p_value_is_scipys(rounds: int) -> None:
    x = np.random.default_rng(rounds).normal(loc=0.3, size=rounds)
    assert p_value(x) == pytest.approx(stats.wilcoxon(x, method="exact").pvalue)


def test_many_rounds_use_the_normal_approximation() -> None:
    x = np.random.default_rng(3).normal(loc=0.02, size=EXACT_ROUNDS + 100)
    expected = stats.wilcoxon(x, method="approx", correction=True).pvalue
    assert p_value(x) == pytest.approx(expected, rel=1e-3)
    exact = hodges_lehmann(x[:EXACT_ROUNDS])
    approximate = hodges_lehmann(x[: EXACT_ROUNDS + 1])
    assert approximate.half_width == pytest.approx(exact.half_width, rel=0.02)


@pytest.mark.parametrize(("confidence", "fewest"), [(0.90, 5), (0.95, 6), (0.99, 8)])
def test_too_few_rounds_give_an_infinite_interval(confidence: float, fewest: int) -> None:
    x = np.arange(1.0, fewest + 1)
    assert np.isfinite(hodges_lehmann(x, confidence).half_width)
    few = hodges_lehmann(x[:-1], confidence)
    assert (few.low, few.high) == (-np.inf, np.inf)
    assert few.value == pytest.approx(np.median(x[:-1]))


def test_one_round_has_a_value() -> None:
    assert hodges_lehmann([0.25]) == Estimate(0.25, -np.inf, np.inf, 0.95)


def test_values_that_are_not_finite_are_left_out() -> None:
    with_gaps = [*DEPRESSION, np.nan, np.inf, -np.inf]
    assert hodges_lehmann(with_gaps) == hodges_lehmann(DEPRESSION)


def test_nothing_to_estimate_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        hodges_lehmann([np.nan])


@given(st.lists(st.lists(finite, min_size=0, max_size=9), min_size=1, max_size=5))
def test_rows_are_estimated_as_if_alone(rows: list[list[float]]) -> None:
    table = np.full((len(rows), 9), np.nan)
    for index, row in enumerate(rows):
        table[index, 9 - len(row) :] = row
    together = hodges_lehmann_rows(table, (0.95,))
    for index, row in enumerate(rows):
        assert together.rounds[index] == len(row)
        if row:
            alone = hodges_lehmann(row)
            assert together.value[index] == alone.value
            assert together.low[index, 0] == alone.low
            assert together.high[index, 0] == alone.high
        else:
            assert np.isnan(together.value[index])


@given(samples)
def test_estimate_lies_in_its_interval_and_the_interval_within_the_data(x: list[float]) -> None:
    estimate = hodges_lehmann(x)
    assert estimate.low <= estimate.value <= estimate.high
    assert min(x) <= estimate.value <= max(x)
    if np.isfinite(estimate.half_width):
        assert min(x) <= estimate.low
        assert estimate.high <= max(x)


@given(samples)
def test_lower_confidence_never_widens(x: list[float]) -> None:
    wide, narrow = hodges_lehmann(x, 0.95), hodges_lehmann(x, 0.90)
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


@given(samples)
def test_swapping_the_sides_mirrors_the_estimate(x: list[float]) -> None:
    one, other = hodges_lehmann(x), hodges_lehmann(-np.array(x))
    assert (other.value, other.low, other.high) == (-one.value, -one.high, -one.low)


@given(samples, st.randoms(use_true_random=False))
def test_order_of_rounds_is_irrelevant(x: list[float], random: np.random.Generator) -> None:
    shuffled = list(x)
    random.shuffle(shuffled)
    assert hodges_lehmann(shuffled) == hodges_lehmann(x)


@given(samples, finite)
def test_shifting_shifts(x: list[float], shift: float) -> None:
    one, other = hodges_lehmann(x), hodges_lehmann(np.array(x) + shift)
    assert (other.value, other.low, other.high) == pytest.approx(
        (one.value + shift, one.low + shift, one.high + shift), abs=1e-12
    )


@given(samples)
def test_p_value_and_interval_agree(x: list[float]) -> None:
    estimate = hodges_lehmann(x)
    excluded = estimate.low > 0 or estimate.high < 0
    assert (p_value(np.array(x)) <= 0.05) == excluded


@pytest.mark.parametrize("outliers", [0.0, 0.1])
@pytest.mark.parametrize("rounds", [8, 12, 20, 40])
def test_interval_covers_the_truth_as_often_as_it_says(rounds: int, outliers: float) -> None:
    """20 000 campaigns each; the standard error of the coverage is 0.15 %."""
    rng = np.random.default_rng([rounds, int(outliers * 10)])
    shape = (20_000, rounds)
    truth = 0.02
    # A disturbed slice is a slow one; it can hit the contender as well as the baseline.
    hit = rng.random(shape) < outliers
    disturbance = hit * rng.choice((-1, 1), shape) * rng.exponential(0.2, shape)
    differences = truth + 0.01 * rng.standard_normal(shape) + disturbance
    estimates = hodges_lehmann_rows(differences, (0.95, 0.90))
    covered = ((estimates.low <= truth) & (truth <= estimates.high)).mean(axis=0)
    assert 0.93 <= covered[0] <= 0.97
    assert 0.88 <= covered[1] <= 0.94


@pytest.mark.parametrize(
    ("effect", "spread", "beyond"), [(0.01, 0.012, 0.0), (0.01, 0.006, 0.005), (0.005, 0.008, 0.0)]
)
def test_the_rounds_that_an_effect_takes_tell_it_that_often(
    effect: float, spread: float, beyond: float
) -> None:
    rounds = rounds_to_tell(effect, spread, beyond, power=0.8)
    samples = np.random.default_rng(5).normal(effect, spread, (2000, rounds))
    told = hodges_lehmann_rows(samples, (0.95,)).low[:, 0] > beyond
    assert float(told.mean()) == pytest.approx(0.8, abs=0.05)


def test_the_rounds_that_an_effect_takes_are_enough_for_an_interval_or_never() -> None:
    assert rounds_to_tell(0.5, 0.001) == 6
    with pytest.raises(ValueError, match="never told"):
        rounds_to_tell(0.005, 0.01, beyond=0.005)


def test_round_difference_is_the_median_over_sweeps_of_the_log_ratio() -> None:
    contender = [1.1, 2.2, 90.0, 4.4, 5.5]
    assert round_difference(contender, [1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(np.log(1.1))


@pytest.mark.parametrize(("ours", "theirs"), [("holm", "holm"), ("benjamini-hochberg", "fdr_bh")])
@settings(max_examples=15)  # statsmodels collects garbage at every call
@given(p=st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=20))
def test_adjusted_p_values_are_those_of_statsmodels(ours: str, theirs: str, p: list[float]) -> None:
    with_gap = [*p, np.nan]
    adjusted = adjust_p_values(with_gap, ours)  # type: ignore[arg-type]
    np.testing.assert_allclose(
        adjusted[:-1], multipletests(p, method=theirs)[1], rtol=1e-12, atol=1e-300
    )
    assert np.isnan(adjusted[-1])


def test_no_tests_need_no_adjusting() -> None:
    assert len(adjust_p_values([], "holm")) == 0


def test_line_is_found_exactly() -> None:
    tasks = np.array([1, 10, 100, 1000])
    fixed, per_task = fit_line(tasks, [10e-6 + 3e-6 * tasks, 2e-6 + 1e-6 * tasks])
    np.testing.assert_allclose(fixed, [10e-6, 2e-6])
    np.testing.assert_allclose(per_task, [3e-6, 1e-6])


def test_line_has_the_smallest_relative_error() -> None:
    rng = np.random.default_rng(5)
    tasks = np.array([1.0, 10, 100, 1000])
    seconds = (1e-5 + 3e-6 * tasks) * rng.lognormal(sigma=0.1, size=4)
    expected = np.linalg.lstsq(
        np.stack([1 / seconds, tasks / seconds], axis=1), np.ones(4), rcond=None
    )[0]
    np.testing.assert_allclose(fit_line(tasks, seconds), expected)


def test_line_leaves_out_what_is_absent_and_needs_two_points() -> None:
    tasks = np.array([1, 10, 100])
    fixed, per_task = fit_line(tasks, [[4e-6, np.nan, 301e-6], [4e-6, np.nan, np.nan]])
    np.testing.assert_allclose(fixed, [1e-6, np.nan])
    np.testing.assert_allclose(per_task, [3e-6, np.nan])


def test_an_estimate_of_20_rounds_takes_less_than_a_millisecond() -> None:
    x = np.random.default_rng(1).normal(size=20)
    assert min(timeit.repeat(lambda: hodges_lehmann(x), number=10, repeat=5)) < 10e-3


def test_the_stop_rule_can_import_estimates_alone() -> None:
    heavy = ("pandas", "scipy", "statsmodels", "matplotlib")
    code = f"import sys, analysis.estimates; sys.exit(any(m in sys.modules for m in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
