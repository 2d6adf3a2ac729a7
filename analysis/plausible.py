"""Numbers of a journal that cannot be what they are said to be: each is named and becomes nan."""

from __future__ import annotations

import numpy as np

from analysis.campaign import BYTE, Plan
from analysis.journal import FILE, Journal, Observed
from analysis.validate import Problems, quoted

SHORTEST_SECONDS = 1e-9
LONGEST_SECONDS = 3600.0
FEWEST_BYTES = 1.0
MOST_BYTES = 2.0**50
MOST_OBSERVED = 1e15


def check_numbers(journal: Journal, plan: Plan, problems: Problems) -> None:
    """Name every number that cannot be, and make it nan in the journal's own arrays."""
    _check_values(journal, plan, problems)
    _check_observed(journal.observed, plan, problems)


def _check_values(journal: Journal, plan: Plan, problems: Problems) -> None:
    """Values: durations, or numbers of bytes."""
    values = journal.values
    most = max((len(case.metrics) for case in plan.cases), default=0)
    is_byte = np.zeros((len(plan.cases), most), dtype=bool)
    for row, case in enumerate(plan.cases):
        is_byte[row, : len(case.metrics)] = [case.unit(metric) == BYTE for metric in case.metrics]
    in_bytes = is_byte[journal.case, journal.metric] if len(journal.case) else journal.case > 0
    low = np.where(in_bytes, FEWEST_BYTES, SHORTEST_SECONDS)
    high = np.where(in_bytes, MOST_BYTES, LONGEST_SECONDS)
    cell_of_value = np.repeat(np.arange(len(journal.count)), journal.count)
    with np.errstate(invalid="ignore"):
        wrong = ~((values >= low[cell_of_value]) & (values <= high[cell_of_value]))
    if not wrong.any():
        return
    starts = np.cumsum(journal.count) - journal.count
    for index in np.flatnonzero(wrong).tolist():
        cell = int(cell_of_value[index])
        case = plan.cases[int(journal.case[cell])]
        name = quoted(plan.contenders[int(journal.contender[cell])].id)
        metric = case.metrics[int(journal.metric[cell])]
        sweep = index - int(starts[cell])
        said = _bytes_judgement if in_bytes[cell] else _seconds_judgement
        problems.error(
            FILE,
            int(journal.line[cell]),
            f"cell {name}: {metric}, sweep {sweep}: {said(float(values[index]))}",
        )
    values[wrong] = np.nan


def _check_observed(observed: Observed, plan: Plan, problems: Problems) -> None:
    """What was observed: counts and shares. One problem for a series of them."""
    numbers = observed.numbers
    with np.errstate(invalid="ignore"):
        wrong = ~((numbers >= 0) & (numbers <= MOST_OBSERVED))
    if not wrong.any():
        return
    series_of_number = np.repeat(np.arange(len(observed.count)), observed.count)
    for series in np.unique(series_of_number[wrong]).tolist():
        name = quoted(plan.contenders[int(observed.contender[series])].id)
        what = quoted(observed.names[int(observed.name[series])])
        problems.error(
            FILE,
            int(observed.line[series]),
            f"cell {name}: observed {what} is not between 0 and {MOST_OBSERVED:g}",
        )
    numbers[wrong] = np.nan


def _seconds_judgement(seconds: float) -> str:
    if seconds != seconds:
        return "is not a number (NaN)"
    if seconds < 0:
        return f"{seconds:g} s is negative"
    if seconds == 0:
        return "is zero"
    if seconds < SHORTEST_SECONDS:
        return f"{seconds:g} s is shorter than any batch can be"
    return f"{seconds:g} s is longer than an hour"


def _bytes_judgement(number: float) -> str:
    if number != number:
        return "is not a number (NaN)"
    if number < 0:
        return f"{number:g} bytes is negative"
    if number < FEWEST_BYTES:
        return f"{number:g} bytes is less than one"
    return f"{number:g} bytes is more than any machine has"
