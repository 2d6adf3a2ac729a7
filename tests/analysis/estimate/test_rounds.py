"""One number per round from the values of its sweeps, compared with plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.estimate.rounds import Sweeps, differences, levels, means_of_groups

COUNTS = {0: (5, 5, 4, 3), 1: (5, 5, 4, 2), 2: (0, 5, 0, 3)}
"""Sweeps by cell and round: cells do not have as many in every round."""
NAN = np.nan


def test_levels_and_differences_are_medians_over_sweeps_that_both_have() -> None:
    rng = np.random.default_rng(1)
    values = {
        (cell, number): rng.lognormal(size=count)
        for cell, counts in COUNTS.items()
        for number, count in enumerate(counts)
    }
    # As they stand in a journal: round by round, and rounds are numbered with gaps.
    runs = sorted((run for run in values if len(values[run])), key=lambda run: (run[1], -run[0]))
    cell, number = np.array(runs).T
    count = np.array([len(values[run]) for run in runs])
    whole = np.concatenate([values[run] for run in runs])
    sweeps = Sweeps.of(whole, cell, number * 3 + 7, count, cells=3)
    assert sweeps.rounds == 4
    level = levels(sweeps, np.array([2, 0]))
    difference = differences(sweeps, np.array([0, 2]), np.array([1, 0]))
    for row, (one, other) in enumerate(((0, 1), (2, 0))):
        for index in range(4):
            own, against = values[one, index], values[other, index]
            paired = len(own) == len(against) > 0
            expected = np.median(np.log(own / against)) if paired else NAN
            assert difference[row, index] == pytest.approx(expected, nan_ok=True)
            expected = np.median(np.log(own)) if len(own) else NAN
            assert level[1 - row, index] == pytest.approx(expected, nan_ok=True)


def test_means_are_over_the_rounds_that_have_every_row_of_a_group() -> None:
    rows = np.array([[1, 2, NAN], [3, 6, 9], [NAN] * 3, [NAN] * 3, [5, NAN, 7]])
    means, count = means_of_groups(rows, np.array([0, 0, 0, 1, 3]), 4)
    assert count.tolist() == [2, 0, 0, 1]
    np.testing.assert_array_equal(means, [[2, 4, NAN], [NAN] * 3, [NAN] * 3, [5, NAN, 7]])


def test_nothing_measured_has_no_rounds() -> None:
    none = np.empty(0, dtype=np.int64)
    empty = Sweeps.of(np.empty(0), none, none, none, 2)
    assert levels(empty, np.array([0, 1])).shape == (2, 0)
    means, count = means_of_groups(np.empty((2, 0)), np.array([0, 0]), 1)
    assert (means.shape, count.tolist()) == ((1, 0), [0])
