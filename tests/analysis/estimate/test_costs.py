"""The cost model on lines that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.estimate.costs import fit_line, line, points_on_line
from analysis.estimate.intervals import FloatArray

TASKS = np.array([1.0, 10, 100, 1000, 10_000])


def measured(
    *, rounds: int = 12, noise: float = 0.01, slower: float = 1.0, from_: int = 3
) -> FloatArray:
    """10 us and 3 us per task, ``slower`` from the point ``from_`` on."""
    truth = 1e-5 + 3e-6 * TASKS
    truth[from_:] *= slower
    drawn: FloatArray = truth * np.exp(
        noise * np.random.default_rng(3).standard_normal((rounds, len(TASKS)))
    )
    return drawn


def test_a_line_is_found_exactly() -> None:
    fixed, per_task = fit_line(TASKS, [1e-5 + 3e-6 * TASKS, 2e-6 + 1e-6 * TASKS])
    np.testing.assert_allclose(fixed, [1e-5, 2e-6])
    np.testing.assert_allclose(per_task, [3e-6, 1e-6])


@given(st.integers(0, 1000))
def test_a_line_has_the_smallest_relative_error(seed: int) -> None:
    seconds = (1e-5 + 3e-6 * TASKS) * np.random.default_rng(seed).lognormal(sigma=0.1, size=5)
    design = np.stack([1 / seconds, TASKS / seconds], axis=1)
    np.testing.assert_allclose(
        fit_line(TASKS, seconds), np.linalg.lstsq(design, np.ones(5), rcond=None)[0]
    )


def test_there_is_no_line_where_a_point_is_absent() -> None:
    fixed, per_task = fit_line([1, 10, 100], [[4e-6, 31e-6, 301e-6], [4e-6, np.nan, 301e-6]])
    np.testing.assert_allclose(fixed, [1e-6, np.nan])
    np.testing.assert_allclose(per_task, [3e-6, np.nan])


def test_the_interval_of_a_line_holds_the_truth() -> None:
    found = line(TASKS, measured(), len(TASKS))
    assert found.fixed_seconds.low[0] < 1e-5 < found.fixed_seconds.high[0]
    assert found.seconds_per_task.low[0] < 3e-6 < found.seconds_per_task.high[0]
    assert (found.points, found.off, found.seconds_per_task.rounds.tolist()) == (5, None, [12])


@pytest.mark.parametrize("slower", [1.3, 0.7])
@pytest.mark.parametrize("from_", [3, 4])
def test_a_line_breaks_where_it_was_bent(slower: float, from_: int) -> None:
    seconds = measured(slower=slower, from_=from_)
    points = points_on_line(TASKS, seconds)
    assert points == from_
    found = line(TASKS, seconds, points)
    assert found.seconds_per_task.value[0] == pytest.approx(3e-6, rel=0.02)
    assert found.off is not None
    assert math.exp(found.off.value[0]) == pytest.approx(slower, rel=0.02)
    assert found.off.low[0] < math.log(slower) < found.off.high[0]


@pytest.mark.parametrize(
    "bent",
    [
        measured(),
        measured(slower=1.08),
        measured(slower=1.5, rounds=5),
        measured()
        * np.where(np.arange(60).reshape(12, 5) % 10 == 4, [1, 1, 1, 1, 1.6], [1, 1, 1, 1, 0.85]),
        measured(slower=2.0, from_=2)[:, :3],
    ],
    ids=["straight", "less than a tenth", "too few rounds", "within noise", "third point"],
)
def test_a_line_holds_where_nothing_proves_a_break(bent: FloatArray) -> None:
    points = bent.shape[1]
    assert points_on_line(TASKS[:points], bent) == points


def test_rounds_without_every_point_are_left_out() -> None:
    seconds = measured()
    seconds[3, 1] = np.nan
    found = line(TASKS, seconds, 3)
    assert found.seconds_per_task.rounds.tolist() == [11]
    without = line(TASKS, np.delete(seconds, 3, axis=0), 3)
    assert found.seconds_per_task.value == without.seconds_per_task.value
