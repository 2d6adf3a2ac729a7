"""The cost model, seconds(n) = fixed + per_task * n, and where it breaks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.campaign import NO_PAUSE, Campaign, Contender
from analysis.comparisons import THROUGHPUT
from analysis.estimates import FloatArray, fit_line, hodges_lehmann_rows
from analysis.medians import IntArray, Values, values_of

BREAK = 0.10
"""A measured cost this far from the line through the smaller batches is no longer on it."""
LEAST_POINTS = 3
"""A line through two batches always fits; the third is the first that can disagree."""


MOST_POINTS = 64
"""Numbers of tasks per line; looking for the break takes a fit for each."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One contender and workload: numbers of tasks in order, and the cells that measured them."""

    contender: Contender
    workload: str
    tasks: list[int]
    cells: list[int]


def cost_model(campaign: Campaign, *, values: Values | None = None) -> pd.DataFrame:
    """Fit the line of every contender and workload that the throughput probe measured, apart from
    workloads whose tasks make tasks of their own.

    The fit is made in each round, in relative error, and the estimates are Hodges-Lehmann over
    rounds with 95 % intervals: ``fixed_seconds`` of a fan-out whatever its size, ``ns_per_task`` of
    each further task. The line breaks at the first n whose cost lies, with its whole interval on
    one side, more than 10 % from what the line through all smaller n predicts (at least 3 of them):
    there the collector and the caches come in. ``breaks_at`` is that n (missing when the line
    holds), ``break_ratio`` measured over predicted; the line itself is then that of the smaller n,
    ``tasks_from`` to ``tasks_to``. ``reason`` says why a line could not be fitted.
    """
    values = values or values_of(campaign)
    seconds = np.exp(values.absolute)
    lines = _lines(campaign, values, seconds)
    by_points: dict[int, list[int]] = {}
    for index, line in enumerate(lines):
        by_points.setdefault(len(line.tasks), []).append(index)
    figures = np.full((len(_FIGURES), len(lines)), np.nan)
    for points, of_points in by_points.items():
        if points <= MOST_POINTS:
            tasks = np.array([lines[i].tasks for i in of_points], dtype=np.float64)
            cells = np.array([lines[i].cells for i in of_points])
            figures[:, of_points] = _figures(tasks, seconds[cells].transpose(0, 2, 1))
    frame = pd.DataFrame(
        {
            "campaign": campaign.name,
            "python": [line.contender.python for line in lines],
            "build": [line.contender.build for line in lines],
            "loop": [line.contender.loop for line in lines],
            "task_factory": [line.contender.task_factory for line in lines],
            "collector": [line.contender.collector for line in lines],
            "workload": [line.workload for line in lines],
            "contender": [line.contender.name for line in lines],
            "strategy": [line.contender.strategy for line in lines],
            "role": [line.contender.role for line in lines],
            **dict(zip(_FIGURES, figures, strict=True)),
            "reason": [_reason(len(line.tasks)) for line in lines],
        }
    )
    return frame.astype(dict.fromkeys(("tasks_from", "tasks_to", "breaks_at", "rounds"), "Int64"))


_FIGURES = (
    "fixed_seconds",
    "fixed_seconds_low",
    "fixed_seconds_high",
    "ns_per_task",
    "ns_per_task_low",
    "ns_per_task_high",
    "tasks_from",
    "tasks_to",
    "breaks_at",
    "break_ratio",
    "break_low",
    "break_high",
    "rounds",
)


def _figures(tasks: FloatArray, seconds: FloatArray) -> FloatArray:
    """The figures of lines with equally many points, shape (figures, lines).

    ``tasks`` has shape (lines, points), ``seconds`` (lines, rounds, points).
    """
    used, off = _breaks(tasks, seconds)
    fixed, per_task = _fit(tasks, seconds, used)
    fixed_seconds = hodges_lehmann_rows(fixed, (0.95,))
    ns_per_task = hodges_lehmann_rows(per_task * 1e9, (0.95,))
    row = np.arange(len(tasks))
    breaks = used < tasks.shape[1]
    at_break = tasks[row, np.minimum(used, tasks.shape[1] - 1)]
    return np.array(
        [
            *(fixed_seconds.value, fixed_seconds.low[:, 0], fixed_seconds.high[:, 0]),
            *(ns_per_task.value, ns_per_task.low[:, 0], ns_per_task.high[:, 0]),
            *(tasks[:, 0], tasks[row, used - 1], np.where(breaks, at_break, np.nan)),
            *off,
            ns_per_task.rounds,
        ]
    )


def _lines(campaign: Campaign, values: Values, seconds: FloatArray) -> list[_Line]:
    contenders = campaign.contenders
    points: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for index, measure in enumerate(values.measures):
        case = measure.case
        alike = case.pause == NO_PAUSE and case.tasks_each == 1
        if case.probe == THROUGHPUT and alike and measure.is_headline:
            for contender in range(len(contenders)):
                cell = index * len(contenders) + contender
                if not np.isnan(seconds[cell]).all():
                    key = (contender, case.workload)
                    points.setdefault(key, []).append((case.tasks, cell))
    return [
        _Line(
            contender=contenders[contender],
            workload=workload,
            tasks=[tasks for tasks, _ in sorted(of_line)],
            cells=[cell for _, cell in sorted(of_line)],
        )
        for (contender, workload), of_line in points.items()
    ]


def _fit(tasks: FloatArray, seconds: FloatArray, used: IntArray) -> tuple[FloatArray, FloatArray]:
    """Fixed and per-task seconds of every line and round, from its first ``used`` points.

    A round that lacks one of them is left out: a line through fewer points leans differently.
    """
    wanted = np.less.outer(np.arange(tasks.shape[1]), used).T[:, None, :]
    lacking = np.asarray((np.isnan(seconds) & wanted).any(axis=2))
    return fit_line(tasks[:, None, :], np.where(wanted & ~lacking[:, :, None], seconds, np.nan))


def _breaks(tasks: FloatArray, seconds: FloatArray) -> tuple[IntArray, FloatArray]:
    """How many points of each line lie on it, shape (lines,), and how far the next one lies off.

    The latter has shape (3, lines): measured over predicted, and its interval.
    """
    count, points = tasks.shape
    used = np.full(count, points, dtype=np.int64)
    off = np.full((3, count), np.nan)
    holds = np.ones(count, dtype=bool)
    for point in range(LEAST_POINTS, points):
        fixed, per_task = _fit(tasks, seconds, np.full(count, point))
        predicted = fixed + per_task * tasks[:, point, None]
        away = np.log(seconds[:, :, point] / np.where(predicted > 0, predicted, np.nan))
        estimates = hodges_lehmann_rows(away, (0.95,))
        one_sided = (estimates.low[:, 0] > 0) | (estimates.high[:, 0] < 0)
        breaks = holds & one_sided & (np.abs(estimates.value) > math.log1p(BREAK))
        used[breaks] = point
        interval = np.array([estimates.value, estimates.low[:, 0], estimates.high[:, 0]])
        off[:, breaks] = np.exp(interval[:, breaks])
        holds &= ~breaks
    return used, off


def _reason(points: int) -> str:
    if points > MOST_POINTS:
        return f"more than {MOST_POINTS} numbers of tasks"
    return "" if points > 1 else "one number of tasks makes no line"
