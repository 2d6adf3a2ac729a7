"""Values -> one number per round: the arrays every estimate starts from.

Shapes are (cells, rounds); a *cell* is one contender in one measure (a case's metric), numbered
``measure * contenders + contender``. nan marks what was not measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.campaign import Campaign, CampaignError, Case, Unit
from analysis.estimates import FloatArray, RowEstimates, hodges_lehmann_rows
from analysis.plan import asked

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of one case: what a row of every table is about."""

    case: Case
    metric: str

    @property
    def is_headline(self) -> bool:
        return self.metric == self.case.headline_metric

    @property
    def unit(self) -> Unit:
        return self.case.unit(self.metric)

    @property
    def tasks_in_all(self) -> int:
        """Tasks that a fan-out makes, those that its own make included."""
        return self.case.tasks * self.case.tasks_each


@dataclass(frozen=True)
class Values:
    """The values of a campaign as arrays, an entry per value, in order of cell, round and sweep.

    ``rounds`` are the round numbers that occur; ``round`` indexes them. ``baseline`` has shape
    (contenders,): the contender each one is held against, -1 for none. ``asked`` has shape
    (cells,): whether the plan asks for them. ``log_value`` is ln(seconds), or ln(bytes) where that
    is the unit of the measure. What is made of the values is made once.
    """

    measures: tuple[Measure, ...]
    baseline: IntArray
    asked: NDArray[np.bool_]
    rounds: IntArray
    cell: IntArray
    round: IntArray
    sweep: IntArray
    log_value: FloatArray

    @property
    def contenders(self) -> int:
        return len(self.baseline)

    @property
    def shape(self) -> tuple[int, int]:
        return (len(self.measures) * self.contenders, len(self.rounds))

    @cached_property
    def absolute(self) -> FloatArray:
        """Median over sweeps of ln(value), shape (cells, rounds)."""
        return _medians(self, self.log_value, np.ones(len(self.cell), dtype=bool))

    @cached_property
    def contrast(self) -> FloatArray:
        """:func:`contrast_medians` against the baselines."""
        return contrast_medians(self, self.baseline)

    @cached_property
    def absolute_estimates(self) -> RowEstimates:
        """Over rounds, of ln(value), at 95 %."""
        return hodges_lehmann_rows(self.absolute, (0.95,))

    @cached_property
    def contrast_estimates(self) -> RowEstimates:
        """Over rounds, of ln(ratio to the baseline), at 95 % and 90 %."""
        return hodges_lehmann_rows(self.contrast)

    @cached_property
    def keys(self) -> IntArray:
        """One number per cell, round and sweep, ascending."""
        return self.key(self.cell)

    def key(self, cell: IntArray) -> IntArray:
        """What the key of each value would be in another cell."""
        sweeps = int(self.sweep.max(initial=0)) + 1
        return (cell * len(self.rounds) + self.round) * sweeps + self.sweep


def values_of(campaign: Campaign) -> Values:
    """The frame of a campaign as arrays, whatever the order of its rows.

    Raises CampaignError when the campaign has errors: nothing is estimated from a damaged folder.
    """
    if campaign.errors:
        raise CampaignError(campaign.errors)
    frame = campaign.frame
    measures = measures_of(campaign)
    contender = _codes(frame["contender"], [c.id for c in campaign.contenders])
    metrics = list(dict.fromkeys(measure.metric for measure in measures))
    cases = [case.id for case in campaign.cases]
    row_of = {case: row for row, case in enumerate(cases)}
    measure_of = np.full((len(cases), len(metrics)), -1, dtype=np.int64)
    for index, one in enumerate(measures):
        measure_of[row_of[one.case.id], metrics.index(one.metric)] = index
    measure = measure_of[_codes(frame["case"], cases), _codes(frame["metric"], metrics)]
    rounds, round_index = np.unique(frame["round"].to_numpy(), return_inverse=True)
    cell = measure * len(campaign.contenders) + contender
    seconds, size = frame["seconds"].to_numpy(), frame["bytes"].to_numpy()
    asked_of = dict(zip(cases, asked(campaign.plan).T, strict=True))
    unordered = Values(
        measures=measures,
        baseline=_baselines(campaign),
        asked=np.array([asked_of[one.case.id] for one in measures], dtype=bool).reshape(-1),
        rounds=rounds,
        cell=cell,
        round=round_index,
        sweep=frame["sweep"].to_numpy(),
        log_value=np.log(np.where(np.isnan(seconds), size, seconds)),
    )
    order = np.argsort(unordered.keys, kind="stable")
    return replace(
        unordered,
        cell=cell[order],
        round=round_index[order],
        sweep=unordered.sweep[order],
        log_value=unordered.log_value[order],
    )


def measures_of(campaign: Campaign) -> tuple[Measure, ...]:
    """What is measured, in the order of the plan."""
    return tuple(Measure(case, metric) for case in campaign.cases for metric in case.metrics)


def contrast_medians(values: Values, reference: IntArray) -> FloatArray:
    """D: the median over sweeps of ln(contender) - ln(reference) of the same sweep.

    ``reference`` has shape (contenders,): the contender each one is held against, -1 for none;
    contenders of one round take turns, so any two can be. Returns shape (cells, rounds).
    """
    if not (reference >= 0).any():
        return np.full(values.shape, np.nan)
    of_value = reference[values.cell % values.contenders] if values.contenders else values.cell
    wanted = of_value >= 0
    other_cell = values.cell - values.cell % max(1, values.contenders) + of_value
    other_keys = values.key(other_cell)
    # Both are sorted in long runs, which is what makes this search fast.
    place = np.searchsorted(values.keys, other_keys)
    place[place == len(values.keys)] = 0
    if len(values.keys):
        wanted &= values.keys[place] == other_keys
    return _medians(values, values.log_value - values.log_value[place], wanted)


def _medians(values: Values, numbers: FloatArray, wanted: NDArray[np.bool_]) -> FloatArray:
    """Median of ``numbers`` within each cell and round; values come sorted by these."""
    medians = np.full(values.shape, np.nan)
    group = values.cell[wanted] * len(values.rounds) + values.round[wanted]
    numbers = numbers[wanted]
    if not len(group):
        return medians
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    counts = np.diff(starts, append=len(group))
    flat = medians.reshape(-1)
    # Nearly always every group has as many sweeps: one reshape then serves all.
    for count in np.unique(counts).tolist():
        of_count = starts[counts == count]
        block = numbers[of_count[:, None] + np.arange(count)]
        flat[group[of_count]] = np.median(block, axis=1)
    return medians


def _baselines(campaign: Campaign) -> IntArray:
    baselines = {c.group: i for i, c in enumerate(campaign.contenders) if c.role == "baseline"}
    return np.array(
        [-1 if c.role == "baseline" else baselines[c.group] for c in campaign.contenders],
        dtype=np.int64,
    )


def _codes(column: pd.Series, names: list[str]) -> IntArray:
    """The index in ``names`` of every entry of a categorical column."""
    index = {name: i for i, name in enumerate(names)}
    of_category = np.array([index[name] for name in column.cat.categories], dtype=np.int64)
    return of_category[column.cat.codes.to_numpy()]
