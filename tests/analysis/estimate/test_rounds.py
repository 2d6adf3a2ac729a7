"""One number per round, compared with plain numpy."""

from __future__ import annotations

import numpy as np

from analysis.estimate.rounds import by_round, means_of_groups

NAN = np.nan


def test_values_stand_where_their_cell_and_round_are() -> None:
    """Rounds are numbered with gaps, and come in any order; not every cell is in each."""
    cell, number = np.array([2, 0, 0, 2]), np.array([7, 40, 7, 9])
    found = by_round(np.array([0.1, 0.2, 0.3, 0.4]), cell, number, cells=4)
    np.testing.assert_array_equal(found, [[0.3, NAN, 0.2], [NAN] * 3, [0.1, 0.4, NAN], [NAN] * 3])


def test_means_are_over_the_rounds_that_have_every_row_of_a_group() -> None:
    rows = np.array([[1, 2, NAN], [3, 6, 9], [NAN] * 3, [NAN] * 3, [5, NAN, 7]])
    means, count = means_of_groups(rows, np.array([0, 0, 0, 1, 3]), 4)
    assert count.tolist() == [2, 0, 0, 1]
    np.testing.assert_array_equal(means, [[2, 4, NAN], [NAN] * 3, [NAN] * 3, [5, NAN, 7]])


def test_nothing_measured_has_no_rounds() -> None:
    none = np.empty(0, dtype=np.int64)
    assert by_round(np.empty(0), none, none, cells=2).shape == (2, 0)
    means, count = means_of_groups(np.empty((2, 0)), np.array([0, 0]), 1)
    assert (means.shape, count.tolist()) == ((1, 0), [0])
