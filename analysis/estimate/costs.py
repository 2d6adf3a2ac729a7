"""The cost model, seconds(n) = fixed + per_task * n, and where it breaks. Pure numpy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from analysis.estimate.intervals import Estimates, FloatArray, hodges_lehmann_rows

BREAK: Final = 0.10
"""A measured cost this far from the line through the smaller batches is no longer on it."""
LEAST_POINTS: Final = 3
"""A line through two batches always fits; the third is the first that can disagree."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its estimates over rounds, each of one row; ``points`` are on it.

    ``off`` is ln(measured / predicted) of the first n that is not, None where all are.
    """

    fixed_seconds: Estimates
    seconds_per_task: Estimates
    points: int
    off: Estimates | None


def points_on_line(tasks: FloatArray, seconds: FloatArray) -> int:
    """How many points, from the smallest n, lie on the line through those before them.

    ``tasks`` has shape (points,), ascending; ``seconds`` (rounds, points), nan where absent. The
    line breaks at the first n whose cost lies, with its whole interval on one side, more than 10 %
    from what the line through all smaller n predicts (at least 3 of them): there the collector and
    the caches come in.
    """
    for point in range(LEAST_POINTS, len(tasks)):
        off = _off(tasks, seconds, point)
        one_sided = off.low[0] > 0 or off.high[0] < 0
        if one_sided and abs(off.value[0]) > math.log1p(BREAK):
            return point
    return len(tasks)


def line(tasks: FloatArray, seconds: FloatArray, points: int) -> Line:
    """The line through the first ``points``, fitted in each round; shapes as above."""
    fixed, per_task = fit_line(tasks[:points], seconds[:, :points])
    return Line(
        fixed_seconds=hodges_lehmann_rows(fixed[None, :]),
        seconds_per_task=hodges_lehmann_rows(per_task[None, :]),
        points=points,
        off=_off(tasks, seconds, points) if points < len(tasks) else None,
    )


def fit_line(tasks: ArrayLike, seconds: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Fit seconds = fixed + per_task * tasks by least squares of the *relative* error.

    ``tasks`` has shape (points,), ``seconds`` shape (..., points). Returns (fixed, per_task) in
    seconds, each of shape (...), nan where a point is absent: a line through fewer points leans
    differently. Minimises sum(((fixed + per_task * tasks) / seconds - 1) ** 2), so that 1 task
    weighs as much as 10 000: plain least squares would fit the largest batch only.
    """
    tasks = np.asarray(tasks, dtype=np.float64)
    u = 1 / np.asarray(seconds, dtype=np.float64)
    v = u * tasks
    uu, uv, vv = (u * u).sum(-1), (u * v).sum(-1), (v * v).sum(-1)
    su, sv = u.sum(-1), v.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        determinant = uu * vv - uv * uv
        fixed = (su * vv - sv * uv) / determinant
        per_task = (sv * uu - su * uv) / determinant
    return np.asarray(fixed), np.asarray(per_task)


def _off(tasks: FloatArray, seconds: FloatArray, point: int) -> Estimates:
    """ln(measured / predicted) at a point, by the line through all before it."""
    fixed, per_task = fit_line(tasks[:point], seconds[:, :point])
    predicted = fixed + per_task * tasks[point]
    with np.errstate(invalid="ignore"):
        away = np.log(seconds[:, point] / np.where(predicted > 0, predicted, np.nan))
    return hodges_lehmann_rows(away[None, :])
