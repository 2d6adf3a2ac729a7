"""Any contender held against any other, in any case: what the ledger of claims and the guide use.

The contrast is that of :mod:`analysis.comparisons`: within a round the median over sweeps of
ln(subject) - ln(other) of the same sweep, over rounds the Hodges-Lehmann estimate with its
interval. Nothing here knows a strategy, loop or workload by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.campaign import Campaign, Case, Contender
from analysis.comparisons import noise_floors
from analysis.estimates import FloatArray, hodges_lehmann_rows
from analysis.medians import IntArray, Values, contrast_medians, values_of
from analysis.verdicts import DELTA, SMALLEST_FLOOR, judge

CONFIDENCES = (0.95, 0.90)

Counterpart: TypeAlias = Callable[[Contender], Contender | None]
"""The contender that one is held against; None where there is none."""


@dataclass(frozen=True, slots=True)
class CellReference:
    """Where a figure can be looked up. ``against`` is the contender's id that the figure is
    relative to, empty for an absolute one; ``cases`` are several where it is their mean.
    """

    campaign: str
    cases: tuple[str, ...]
    metric: str
    contender: str
    against: str = ""

    def __str__(self) -> str:
        versus = f" against {self.against}" if self.against else ""
        return f"{self.campaign}: {', '.join(self.cases)} ({self.metric}): {self.contender}{versus}"


@dataclass(frozen=True, slots=True)
class Ratio:
    """What the subject takes relative to another contender, above 1 is more; 95 % interval.

    Of one case, or the geometric mean over several. ``verdict`` is :mod:`analysis.verdicts`'s,
    ``floor`` the noise floor behind it, a share. ``logs`` are ln(ratio) by round, shape (rounds,).
    """

    subject: Contender
    against: Contender
    cases: tuple[Case, ...]
    metric: str
    value: float
    low: float
    high: float
    verdict: str
    floor: float
    rounds: int
    logs: FloatArray = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Amount:
    """What one contender takes in one case, in the metric's unit, of the whole fan-out; 95 %
    interval. ``logs`` are ln(value) by round, shape (rounds,).
    """

    contender: Contender
    case: Case
    metric: str
    value: float
    low: float
    high: float
    rounds: int
    logs: FloatArray = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Mean:
    """A geometric mean over so many cases, with its 95 % interval."""

    value: float
    low: float
    high: float
    cases: int


class Measured:
    """A campaign's values, ready to be contrasted. Raises CampaignError when it has errors."""

    def __init__(self, campaign: Campaign, values: Values | None = None) -> None:
        self.campaign = campaign
        self.values = values or values_of(campaign)
        self.contenders = [one for one in campaign.contenders if one.role != "control"]
        self._index = {one.id: i for i, one in enumerate(campaign.contenders)}
        self._floors = noise_floors(campaign, self.values)

    def ratios(
        self,
        subjects: Iterable[Contender],
        against: Counterpart,
        cases: Iterable[Case],
        metric: str | None = None,
    ) -> list[Ratio]:
        """Each subject against its counterpart in each case, where both were measured.

        ``metric`` is the case's headline metric unless given. In order of case and subject.
        """
        measures = self._measures(cases, metric)
        pairs = self._pairs(subjects, against)
        logs = self._logs(pairs, measures)
        cells = [([m], pair) for m in measures for pair in pairs]
        return self._estimated(cells, [logs[m, pair[0]] for [m], pair in cells], self._floor)

    def means(
        self,
        subjects: Iterable[Contender],
        against: Counterpart,
        cases: Iterable[Case],
        metric: str | None = None,
    ) -> list[Ratio]:
        """The geometric mean over the cases of each subject against its counterpart.

        It is made within each round, over the cases in which the pair was measured at all, and in
        the rounds that have them all. Pairs without any such round are left out.
        """
        measures = self._measures(cases, metric)
        pairs = self._pairs(subjects, against)
        logs = self._logs(pairs, measures)
        seen: NDArray[np.bool_] = np.asarray(np.isfinite(logs).any(axis=2))
        cells = [([m for m in measures if seen[m, pair[0]]], pair) for pair in pairs]
        cells = [(of, pair) for of, pair in cells if of]
        rows = [logs[of, pair[0]].mean(axis=0) for of, pair in cells]
        return self._estimated(cells, rows, self._floor_of_mean)

    def amounts(
        self, contenders: Iterable[Contender], cases: Iterable[Case], metric: str | None = None
    ) -> list[Amount]:
        """What each contender takes in each case, where it was measured; in order of case."""
        count = max(1, self.values.contenders)
        owners = list(contenders)
        cells = [
            (m, owner, m * count + self._index[owner.id])
            for m in self._measures(cases, metric)
            for owner in owners
        ]
        logs = self.values.absolute[[cell for *_, cell in cells]] if cells else np.empty((0, 0))
        estimates = hodges_lehmann_rows(logs, CONFIDENCES)
        return [
            Amount(
                contender=owner,
                case=self.values.measures[m].case,
                metric=self.values.measures[m].metric,
                value=float(np.exp(estimates.value[row])),
                low=float(np.exp(estimates.low[row, 0])),
                high=float(np.exp(estimates.high[row, 0])),
                rounds=int(estimates.rounds[row]),
                logs=logs[row][np.isfinite(logs[row])],
            )
            for row, (m, owner, _) in enumerate(cells)
            if estimates.rounds[row]
        ]

    def mean_per_task(self, contender: Contender, cases: Iterable[Case]) -> Mean | None:
        """What one contender takes per task, of the cases' headline metrics: the geometric mean
        over those in which it was measured. None without any.

        Made within each round first, as :meth:`means`.
        """
        amounts = self.values.absolute
        count = max(1, self.values.contenders)
        rows = [
            amounts[m * count + self._index[contender.id]]
            - np.log(self.values.measures[m].tasks_in_all)
            for m in self._measures(cases, None)
        ]
        rows = [row for row in rows if np.isfinite(row).any()]
        estimates = hodges_lehmann_rows(np.array(rows).mean(axis=0)[None, :]) if rows else None
        if estimates is None or not estimates.rounds[0]:
            return None
        value, low, high = (
            float(np.exp(bound))
            for bound in (estimates.value[0], estimates.low[0, 0], estimates.high[0, 0])
        )
        return Mean(value, low, high, len(rows))

    def reference(self, of: Ratio | Amount) -> CellReference:
        """Where the figure can be looked up."""
        if isinstance(of, Amount):
            return CellReference(self.campaign.name, (of.case.id,), of.metric, of.contender.id)
        cases = tuple(case.id for case in of.cases)
        return CellReference(self.campaign.name, cases, of.metric, of.subject.id, of.against.id)

    def _measures(self, cases: Iterable[Case], metric: str | None) -> list[int]:
        wanted = {case.id for case in cases}
        return [
            index
            for index, measure in enumerate(self.values.measures)
            if measure.case.id in wanted
            and (measure.is_headline if metric is None else measure.metric == metric)
        ]

    def _pairs(self, subjects: Iterable[Contender], against: Counterpart) -> list[tuple[int, int]]:
        pairs = {}
        for subject in subjects:
            other = against(subject)
            if other is not None and other.id != subject.id:
                pairs[self._index[subject.id]] = self._index[other.id]
        return list(pairs.items())

    def _logs(self, pairs: Sequence[tuple[int, int]], measures: Sequence[int]) -> FloatArray:
        """ln(ratio) of each pair's subject, shape (all measures, all contenders, rounds)."""
        values, count = self.values, self.values.contenders
        reference = np.full(count, -1, dtype=np.int64)
        for subject, other in pairs:
            reference[subject] = other
        involved = np.unique(np.array(pairs, dtype=np.int64))
        logs = contrast_medians(_only(values, involved, measures), reference)
        return logs.reshape(len(values.measures), count, len(values.rounds))

    def _floor(self, measures: Sequence[int]) -> float:
        return float(self._floors[measures[0]])

    def _floor_of_mean(self, measures: Sequence[int]) -> float:
        """What the control's mean over these measures shows, 0.5 % at least."""
        count = self.values.contenders
        floor = SMALLEST_FLOOR
        for index, one in enumerate(self.campaign.contenders):
            if one.role == "control":
                own = self.values.contrast[[m * count + index for m in measures]]
                own = own[np.isfinite(own).any(axis=1)]
                shown = hodges_lehmann_rows(own.mean(axis=0)[None, :], ()).value if len(own) else 0
                floor = float(np.fmax(floor, np.expm1(np.abs(shown))).max())
        return floor

    def _estimated(
        self,
        cells: Sequence[tuple[list[int], tuple[int, int]]],
        rows: Sequence[FloatArray],
        floor_of: Callable[[Sequence[int]], float],
    ) -> list[Ratio]:
        """The ratio of every cell (its measures, and the pair) that has any round."""
        logs = np.array(rows).reshape(len(cells), len(self.values.rounds))
        floors = np.array([floor_of(of) for of, _ in cells])
        estimates = hodges_lehmann_rows(logs, CONFIDENCES)
        verdicts = judge(estimates, floors, DELTA).verdict
        contenders, measures = self.campaign.contenders, self.values.measures
        return [
            Ratio(
                subject=contenders[subject],
                against=contenders[other],
                cases=tuple(measures[m].case for m in of),
                metric=measures[of[0]].metric,
                value=float(np.exp(estimates.value[row])),
                low=float(np.exp(estimates.low[row, 0])),
                high=float(np.exp(estimates.high[row, 0])),
                verdict=str(verdicts[row]),
                floor=float(floors[row]),
                rounds=int(estimates.rounds[row]),
                logs=logs[row][np.isfinite(logs[row])],
            )
            for row, (of, (subject, other)) in enumerate(cells)
            if estimates.rounds[row]
        ]


def _only(values: Values, contenders: IntArray, measures: Sequence[int]) -> Values:
    """The values of these contenders in these measures alone; the shape stays."""
    count = max(1, values.contenders)
    wanted = np.isin(values.cell % count, contenders)
    wanted &= np.isin(values.cell // count, np.array(measures, dtype=np.int64))
    return replace(
        values,
        cell=values.cell[wanted],
        round=values.round[wanted],
        sweep=values.sweep[wanted],
        log_value=values.log_value[wanted],
    )
