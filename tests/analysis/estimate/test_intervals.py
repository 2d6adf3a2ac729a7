"""Estimates against published values, independent implementations, enumeration and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.estimate.intervals import (
    EXACT_ROUNDS,
    Estimate,
    Estimates,
    FloatArray,
    by_round,
    family_factor,
    hodges_lehmann,
    hodges_lehmann_halves,
    hodges_lehmann_rows,
    hodges_lehmann_shift,
    mean_of_halves,
    means_of_groups,
    simultaneous,
)

# Hollander and Wolfe, Nonparametric Statistical Methods, table 3.1, and example(wilcox.test) in R.
DEPRESSION = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]) - np.array(
    [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
)
# The same source: permeability of the human chorioamnion at term, and at 12 to 26 weeks.
AT_TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLIER = [1.15, 0.88, 0.90, 0.74, 1.21]
# The largest signed-rank sum that is significant at 5 % two-sided, by rounds: Wilcoxon (1945),
# as reprinted in every textbook.
CRITICAL = {6: 0, 7: 2, 8: 3, 9: 5, 10: 8, 11: 10, 12: 13, 13: 17, 14: 21, 15: 25, 16: 29, 17: 34}
CRITICAL |= {18: 40, 19: 46, 20: 52, 21: 58, 22: 65, 23: 73, 24: 81, 25: 89}

finite = st.floats(min_value=-1.0, max_value=1.0).map(lambda x: round(x, 6))
samples = st.lists(finite, min_size=1, max_size=15)
tables = st.tuples(st.integers(1, 6), st.integers(1, 14), st.integers(0, 10_000)).map(
    lambda it: np.random.default_rng(it[2]).standard_t(3, it[:2])
)


def walsh_averages(x: FloatArray) -> FloatArray:
    pairs = itertools.combinations_with_replacement(x.tolist(), 2)
    return np.sort([(first + second) / 2 for first, second in pairs])


def test_values_stand_where_their_cell_and_round_are() -> None:
    """Rounds are numbered with gaps, and come in any order; not every cell is in each."""
    cell, number = np.array([2, 0, 0, 2]), np.array([7, 40, 7, 9])
    found = by_round(np.array([0.1, 0.2, 0.3, 0.4]), cell, number, cells=4)
    np.testing.assert_array_equal(
        found, [[0.3, np.nan, 0.2], [np.nan] * 3, [0.1, 0.4, np.nan], [np.nan] * 3]
    )


def test_means_are_over_the_rounds_that_have_every_row_of_a_group() -> None:
    rows = np.array([[1, 2, np.nan], [3, 6, 9], [np.nan] * 3, [np.nan] * 3, [5, np.nan, 7]])
    means, count = means_of_groups(rows, np.array([0, 0, 0, 1, 3]), 4)
    assert count.tolist() == [2, 0, 0, 1]
    np.testing.assert_array_equal(
        means, [[2, 4, np.nan], [np.nan] * 3, [np.nan] * 3, [5, np.nan, 7]]
    )


def test_nothing_measured_has_no_rounds() -> None:
    none = np.empty(0, dtype=np.int64)
    assert by_round(np.empty(0), none, none, cells=2).shape == (2, 0)
    means, count = means_of_groups(np.empty((2, 0)), np.array([0, 0]), 1)
    assert (means.shape, count.tolist()) == ((1, 0), [0])


def test_depression_data_give_the_published_estimate_and_interval() -> None:
    # Hollander and Wolfe, examples 3.3 and 3.4: 0.46, and (0.010, 0.786) at 96.1 %.
    found = hodges_lehmann(DEPRESSION)
    assert (found.value, found.low, found.high) == pytest.approx((0.46, 0.010, 0.786))


@pytest.mark.parametrize(("rounds", "critical"), CRITICAL.items())
def test_interval_ends_where_the_published_table_stops_rejecting(
    rounds: int, critical: int
) -> None:
    x = np.random.default_rng(rounds).normal(size=rounds)
    found, averages = hodges_lehmann(x), walsh_averages(x)
    assert (found.low, found.high) == (averages[critical], averages[-critical - 1])
    assert found.value == pytest.approx(np.median(averages))


@pytest.mark.parametrize("rounds", range(2, 11))
@pytest.mark.parametrize("confidence", [0.90, 0.95])
def test_interval_is_the_narrowest_that_enumeration_allows(rounds: int, confidence: float) -> None:
    """Over all signs of the differences, which are equally likely when the truth is 0."""
    sizes = np.sort(np.random.default_rng(7).uniform(1, 2, rounds))
    signed = sizes * np.array(list(itertools.product((-1, 1), repeat=rounds)))
    found = hodges_lehmann_rows(signed, confidence)
    assert ((found.low <= 0) & (found.high >= 0)).mean() >= confidence
    if np.isfinite(found.low[0]):
        first, second = np.triu_indices(rounds)
        averages = np.sort((signed[:, first] + signed[:, second]) / 2, axis=1)
        rank = np.searchsorted(averages[0], found.low[0])
        narrower = (averages[:, rank + 1] <= 0) & (averages[:, -rank - 2] >= 0)
        assert narrower.mean() < confidence


@pytest.mark.parametrize(("confidence", "fewest"), [(0.90, 5), (0.95, 6), (0.99, 8)])
def test_too_few_rounds_give_an_infinite_interval(confidence: float, fewest: int) -> None:
    x = np.arange(1.0, fewest + 1)
    assert np.isfinite(hodges_lehmann(x, confidence).half_width)
    few = hodges_lehmann(x[:-1], confidence)
    assert few == Estimate(float(np.median(x[:-1])), -np.inf, np.inf)


def test_what_is_not_finite_is_left_out_and_nothing_is_an_error() -> None:
    assert hodges_lehmann([*DEPRESSION, np.nan, np.inf, -np.inf]) == hodges_lehmann(DEPRESSION)
    assert hodges_lehmann([0.25]) == Estimate(0.25, -np.inf, np.inf)
    with pytest.raises(ValueError, match="at least one"):
        hodges_lehmann([np.nan])


@given(st.lists(st.lists(finite, min_size=0, max_size=9), min_size=1, max_size=5))
def test_rows_are_estimated_as_if_alone(rows: list[list[float]]) -> None:
    table = np.full((len(rows), 9), np.nan)
    for index, row in enumerate(rows):
        table[index, 9 - len(row) :] = row
    together = hodges_lehmann_rows(table)
    assert together.rounds.tolist() == [len(row) for row in rows]
    for index, row in enumerate(rows):
        ends = (together.value[index], together.low[index], together.high[index])
        alone = hodges_lehmann(row) if row else Estimate(np.nan, -np.inf, np.inf)
        np.testing.assert_equal(ends, (alone.value, alone.low, alone.high))
    assert together.take(np.array([0])).value[0] == pytest.approx(together.value[0], nan_ok=True)


@given(samples, finite, st.floats(0.1, 10), st.randoms(use_true_random=False))
def test_an_estimate_is_bounded_and_symmetric(
    x: list[float], shift: float, scale: float, random: np.random.Generator
) -> None:
    found = hodges_lehmann(x)
    assert found.low <= found.value <= found.high
    assert min(x) <= found.value <= max(x)
    if np.isfinite(found.half_width):
        assert min(x) <= found.low <= found.high <= max(x)
    narrow = hodges_lehmann(x, 0.90)
    assert found.low <= narrow.low <= narrow.high <= found.high
    mirrored = hodges_lehmann(-np.array(x))
    assert mirrored == Estimate(-found.value, -found.high, -found.low)
    moved = hodges_lehmann(np.array(x) * scale + shift)
    ends = [end * scale + shift for end in (found.value, found.low, found.high)]
    assert (moved.value, moved.low, moved.high) == pytest.approx(ends, abs=1e-9)
    random.shuffle(x)
    assert hodges_lehmann(x) == found


@pytest.mark.parametrize("outliers", [0.0, 0.1])
@pytest.mark.parametrize("rounds", [8, 12, 20, 40])
def test_interval_covers_the_truth_as_often_as_it_says(rounds: int, outliers: float) -> None:
    """5000 campaigns each; the standard error of the coverage is 0.3 %."""
    rng = np.random.default_rng([rounds, int(outliers * 10)])
    shape, truth = (5000, rounds), 0.02
    # A disturbed slice is a slow one; it can hit the contender as well as the baseline.
    hit = rng.random(shape) < outliers
    disturbance = hit * rng.choice((-1, 1), shape) * rng.exponential(0.2, shape)
    found = hodges_lehmann_rows(truth + 0.01 * rng.standard_normal(shape) + disturbance)
    assert 0.93 <= ((found.low <= truth) & (truth <= found.high)).mean() <= 0.97


def draw(rng: np.random.Generator, lines: int, rounds: int, shared: float, tail: str) -> FloatArray:
    """A/A differences; ``shared`` is the correlation of the lines, as of one baseline."""

    def noise(shape: tuple[int, int]) -> FloatArray:
        if tail == "heavy":
            return rng.standard_t(3, shape)
        huge = 100 * (rng.random(shape) < 0.05) if tail == "huge" else 0.0
        noise: FloatArray = rng.standard_normal(shape) + huge * rng.choice((-1, 1), shape)
        return noise

    drawn: FloatArray = shared**0.5 * noise((1, rounds)) + (1 - shared) ** 0.5 * noise(
        (lines, rounds)
    )
    return drawn


def family(table: FloatArray) -> Estimates:
    """The rows as one family."""
    return simultaneous(hodges_lehmann_rows(table), table)


@pytest.mark.parametrize(
    ("rounds", "lines", "shared", "tail"),
    [
        (8, 5, 0.0, "heavy"),
        (8, 20, 0.6, "normal"),
        (12, 5, 0.6, "heavy"),
        (12, 20, 0.0, "normal"),
        (40, 20, 0.6, "heavy"),
        (12, 5, 0.6, "huge"),
        (40, 20, 0.0, "huge"),
    ],
)
def test_a_family_is_wrong_about_any_line_in_at_most_5_of_100_campaigns(
    rounds: int, lines: int, shared: float, tail: str
) -> None:
    rng = np.random.default_rng([0, rounds, lines, int(shared * 10), len(tail)])
    wrong = 0
    for _ in range(400):
        found = family(draw(rng, lines, rounds, shared, tail))
        wrong += bool(((found.low > 0) | (found.high < 0)).any())
    assert 0.01 <= wrong / 400 <= 0.05


@settings(max_examples=30)
@given(tables)
def test_a_family_keeps_the_estimates_and_contains_each_interval(table: FloatArray) -> None:
    alone, together = hodges_lehmann_rows(table), family(table)
    assert (together.value == alone.value).all()
    assert (together.low <= alone.low + 1e-12).all()
    assert (together.high >= alone.high - 1e-12).all()
    if len(table) == 1:
        np.testing.assert_allclose([together.low, together.high], [alone.low, alone.high])
    mirrored = family(-table)
    np.testing.assert_allclose(mirrored.low, -together.high)
    scaled = family(3 * table)
    np.testing.assert_allclose(scaled.high, 3 * together.high)


def test_lines_without_an_interval_of_their_own_spoil_no_family() -> None:
    rows = draw(np.random.default_rng(1), 3, 12, 0.0, "normal")
    few, absent = np.full((2, 12), np.nan)
    few[:4] = 0.1
    found = family(np.vstack([rows, few, absent]))
    of_others = family(rows)
    np.testing.assert_array_equal(found.low[:3], of_others.low)
    assert found.low[3:].tolist() == [-np.inf, -np.inf]
    assert found.high[3:].tolist() == [np.inf, np.inf]
    assert found.rounds.tolist() == [12, 12, 12, 4, 0]
    rows[0, :4], rows[1, -4:] = np.nan, np.nan  # 4 rounds in common, 8 of their own
    apart = family(rows)
    assert np.isinf([*apart.low, *apart.high]).all()


def test_lines_that_never_vary_have_no_width() -> None:
    constant = np.full((2, 12), 0.5)
    assert family(constant).high.tolist() == [0.5, 0.5]
    assert family_factor(np.zeros((2, 12))) == 1.0
    varying = draw(np.random.default_rng(4), 1, 12, 0.0, "normal")
    assert family(np.vstack([constant, varying])).high[0] == 0.5


def _disturbed(rng: np.random.Generator, shape: tuple[int, ...], share: float) -> FloatArray:
    """Noise as processes have it: skewed, and with this chance much slower."""
    noise = rng.gamma(1.5, 0.0006, shape)
    return noise + (rng.random(shape) < share) * rng.exponential(0.05, shape)


@pytest.mark.parametrize("lines", [4, 20])
@pytest.mark.parametrize("rounds", [12, 40])
def test_a_family_holds_where_processes_are_disturbed(rounds: int, lines: int) -> None:
    """Where outliers counted in full, it was wrong in 7 to 10 of 100 campaigns."""
    rng = np.random.default_rng([2, rounds, lines])
    wrong = 0
    for _ in range(400):
        one, other = _disturbed(rng, (2, 1, rounds), 0.05)
        subjects = _disturbed(rng, (lines, rounds), 0.05)
        halves = np.stack([subjects - one, subjects - other], axis=1)
        found = simultaneous(hodges_lehmann_halves(halves), mean_of_halves(halves))
        wrong += bool(((found.low > 0) | (found.high < 0)).any())
    assert wrong / 400 <= 0.05


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("rounds", [8, 20, 70])
def test_two_halves_of_a_reference_do_not_lean(rounds: int, share: float) -> None:
    """Their mean does: its intervals then miss the truth in 1 of 4 campaigns of 70 rounds."""
    rng = np.random.default_rng([1, rounds, int(share * 10)])
    one, other, subject = (_disturbed(rng, (2000, rounds), share) for _ in range(3))
    halves = np.stack([subject - one, subject - other], axis=1)
    found = hodges_lehmann_halves(halves)
    width = np.median(found.high - found.low)
    below, above = float((found.low > 0).mean()), float((found.high < 0).mean())
    assert 0.93 <= 1 - below - above <= 0.985
    assert abs(below - above) < 0.02
    assert abs(np.median(found.value)) < 0.05 * width
    mean = hodges_lehmann_rows(mean_of_halves(halves))
    assert width < 1.08 * np.median(mean.high - mean.low)
    if (rounds, share) == (70, 0.2):
        assert ((mean.low > 0) | (mean.high < 0)).mean() > 0.25
        assert np.std(found.value) < 0.5 * np.std(mean.value)


@pytest.mark.parametrize("times", [0.3, 3.0, 100.0])
@pytest.mark.parametrize("rounds", [6, 7, 12, 70])
def test_intervals_hold_where_a_subject_varies_as_its_reference_does_not(
    rounds: int, times: float
) -> None:
    rng = np.random.default_rng([2, rounds, int(times)])
    one, other, subject = rng.standard_normal((3, 2000, rounds))
    halves = np.stack([times * subject - one, times * subject - other], axis=1)
    found = hodges_lehmann_halves(halves)
    covered = ((found.low <= 0) & (found.high >= 0)).mean()
    assert 0.935 <= covered <= (0.99 if times > 1 else 1.0)


def test_one_half_stands_for_both_where_the_other_is_absent() -> None:
    rng = np.random.default_rng(3)
    halves = rng.standard_normal((4, 2, 12))
    halves[1, 1] = np.nan
    halves[2, 1, 5:] = np.nan
    halves[3] = np.nan
    found = hodges_lehmann_halves(halves)
    assert found.rounds.tolist() == [12, 12, 12, 0]
    alone = hodges_lehmann_rows(halves[:, 0])
    for end in ("value", "low", "high"):
        of_found, of_half = getattr(found, end), getattr(alone, end)
        assert of_found[1] == of_half[1]
        assert of_found[0] != of_half[0]
        assert of_found[2] != of_half[2]
    assert np.isnan(found.value[3])
    np.testing.assert_array_equal(mean_of_halves(halves)[1], halves[1, 0])
    filled = np.where(np.isnan(halves[2, 1]), halves[2, 0], halves[2, 1])
    two = [hodges_lehmann(one) for one in (halves[2, 0], filled)]
    assert found.value[2] == pytest.approx(np.mean([one.value for one in two]))
    together = max(0.5, stats.spearmanr(halves[2, 0], filled).statistic)
    down, other_down = (one.value - one.low for one in two)
    reach = np.sqrt(down**2 + other_down**2 + 2 * together * down * other_down) / 2
    assert found.low[2] == pytest.approx(found.value[2] - reach)


def test_halves_that_are_the_same_are_one() -> None:
    rng = np.random.default_rng(4)
    rows = rng.standard_normal((5, 9))
    found, alone = hodges_lehmann_halves(np.stack([rows, rows], axis=1)), hodges_lehmann_rows(rows)
    for end in ("value", "low", "high"):
        np.testing.assert_allclose(getattr(found, end), getattr(alone, end))


def test_the_shift_is_the_one_of_the_textbook() -> None:
    # R: wilcox.test(AT_TERM, EARLIER, conf.int = TRUE): 0.305, (-0.15, 0.76).
    one, other = hodges_lehmann_shift(EARLIER, AT_TERM), hodges_lehmann_shift(AT_TERM, EARLIER)
    assert (one.value, one.low, one.high) == pytest.approx((0.305, -0.15, 0.76))
    assert (other.value, other.low, other.high) == pytest.approx((-0.305, -0.76, 0.15))


@pytest.mark.parametrize(("m", "n"), [(6, 6), (12, 15), (7, 20)])
def test_the_shift_leaves_out_what_scipys_exact_test_rejects(m: int, n: int) -> None:
    rng = np.random.default_rng(m * n)
    for shift in np.linspace(0, 2, 12):
        base, head = rng.normal(size=m), rng.normal(shift, size=n)
        found = hodges_lehmann_shift(base, head)
        rejected = stats.mannwhitneyu(head, base, method="exact").pvalue <= 0.05
        assert (not found.low <= 0 <= found.high) == rejected


def test_samples_too_small_or_empty_or_very_large() -> None:
    assert hodges_lehmann_shift([1.0, 2.0], [3.0, 4.0]) == Estimate(2.0, -np.inf, np.inf)
    with pytest.raises(ValueError, match="each side"):
        hodges_lehmann_shift([np.nan], [1.0])
    rng = np.random.default_rng(8)
    base, head = rng.normal(size=20), rng.normal(size=EXACT_ROUNDS + 1)
    exact, approximate = (hodges_lehmann_shift(base, of) for of in (head[:-1], head))
    assert approximate.half_width == pytest.approx(exact.half_width, rel=0.02)
