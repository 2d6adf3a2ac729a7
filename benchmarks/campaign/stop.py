"""When a campaign is precise enough, and how the time of a round is given to its cases. Pure
functions of what was measured.

A campaign stops on the *width* of its intervals, never on what they say: stopping on significance
turns an error of 5 % into one of 20 %.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.estimate.intervals import LEAST_ROUNDS, hodges_lehmann_halves, mean_of_halves
from benchmarks.campaign.plan import halves
from benchmarks.campaign.schema import Allocated, Case, Plan, RoundLine

LOOK_EVERY = 4
"""It may stop after 12, 16, 20 ... rounds: looking less often keeps the intervals honest."""

PILOT_ROUNDS = 3
PILOT_SWEEPS = 2
"""What the allocation is chosen from: rounds, the first of them with several slices of a case."""
PILOT_SHARE = (1 / PILOT_SWEEPS + PILOT_ROUNDS - 1) / PILOT_ROUNDS
"""The mean over its rounds of 1 / slices."""
OF_HALVES = 1.5
"""Variance of a difference to the mean of two halves, in that of one slice."""
MAX_SWEEPS = 25
"""More sweeps of a round never replace more rounds."""


class Precision:
    """The interval half-width of each case, on its headline metric, as lines come in."""

    def __init__(self, plan: Plan) -> None:
        self._precision = plan.precision
        self._references = halves(plan)
        self._place = {one.id: place for place, one in enumerate(plan.contenders)}
        # case id -> contender id -> D of each round with either half of what it is compared with
        self._halves: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._half_width: dict[str, float] = {}
        self._rounds: dict[str, int] = {}

    def add(self, line: RoundLine, case: Case) -> None:
        """Take in one round of a case, as it was calibrated."""
        headline = case.metrics.index(case.headline_metric)
        logs = {place: math.log(cell.cost(headline, case)) for place, cell in line.cells.items()}
        present = set()
        for contender, references in self._references.items():
            own = logs.get(self._place[contender], math.nan)
            apart = [own - logs.get(self._place[one], math.nan) for one in references]
            if not all(map(math.isnan, apart)):
                self._halves[line.case][contender].append((apart[0], apart[-1]))
                present.add(contender)
        # A contender that has failed in this round is not waited for.
        compared = [of for who, of in self._halves[line.case].items() if who in present]
        if compared:
            found = [hodges_lehmann_halves(np.transpose(one)[None]) for one in compared]
            self._half_width[line.case] = max(float(one.high[0] - one.low[0]) / 2 for one in found)
            self._rounds[line.case] = min(map(len, compared))

    def spread(self, case: str) -> float | None:
        """The standard deviation of D over rounds, of the middle contender; None with fewer than
        two rounds.
        """
        several = [of for of in self._halves[case].values() if len(of) > 1]
        known = [float(np.std(mean_of_halves(np.transpose(of)[None]), ddof=1)) for of in several]
        return statistics.median(known) if known else None

    def is_done(self, case: str) -> bool:
        """Whether every interval of the case is narrow enough."""
        return self.half_width(case) < self._precision

    def is_time_to_look(self, cases: Iterable[str]) -> bool:
        """Whether these cases have a number of rounds at which a campaign may stop."""
        fewest = min((self._rounds.get(case, 0) for case in cases), default=0)
        return fewest >= LEAST_ROUNDS and (fewest - LEAST_ROUNDS) % LOOK_EVERY == 0

    def half_width(self, case: str) -> float:
        """The widest interval's half-width of a case, as a share; infinite until it is known."""
        return self._half_width.get(case, math.inf)


@dataclass(frozen=True)
class Piloted:
    """What the pilot saw of a case: the seconds of a sweep, the standard deviation of ln(value)
    over slices of one process, and that of D over rounds, each None where unknown.
    """

    case: str
    sweep_seconds: float
    slice_sd: float | None
    round_sd: float | None


def allocate(
    piloted: Sequence[Piloted], start_seconds: float, round_seconds: float
) -> tuple[Allocated, ...]:
    """Slices per round for each case, so that the time spent narrows the intervals most.

    A round costs E + sum(n_i c_i): E seconds to start its processes, n_i sweeps of c_i seconds of
    case i. D of a case varies by b_i + w_i / n_i: between processes, and of a difference of two
    slices within them. The intervals of all cases together narrow fastest with n_i = sqrt(w_i /
    c_i) sqrt(E / sum(b)): Kalibera and Jones (2013, section 6), for cases that share their rounds.
    At least one sweep, and no more than fit into ``round_seconds``.
    """
    between = sum(_between(one) for one in piloted)
    scale = math.sqrt(start_seconds / between) if between > 0 else math.inf

    def sweeps_at(scale: float) -> dict[str, int]:
        return {one.case: _sweeps(one, scale) for one in piloted}

    def seconds_at(scale: float) -> float:
        sweeps = sweeps_at(scale)
        return start_seconds + sum(sweeps[one.case] * one.sweep_seconds for one in piloted)

    scale = min(scale, 1e6)
    while scale > 1e-6 and seconds_at(scale) > round_seconds:
        scale *= 0.8
    sweeps = sweeps_at(scale)
    return tuple(
        Allocated(
            case=one.case,
            sweeps=sweeps[one.case],
            slice_sd=one.slice_sd,
            round_sd=one.round_sd and math.sqrt(_between(one)),
            sweep_seconds=one.sweep_seconds,
        )
        for one in piloted
    )


def _between(one: Piloted) -> float:
    """The variance of D over rounds that more slices would not take away; at least a tenth of it:
    three rounds tell it roughly.
    """
    if one.round_sd is None:
        return 0.0
    return max(one.round_sd**2 - _within(one) * PILOT_SHARE, 0.1 * one.round_sd**2)


def _within(one: Piloted) -> float:
    """The variance of D that one slice brings: no more than D was seen to vary by. A few slices at
    half speed, in the pilot's first second, would otherwise pass for a case that needs many.
    """
    within = OF_HALVES * (one.slice_sd or 0.0) ** 2
    return min(within, one.round_sd**2 / PILOT_SHARE) if one.round_sd else within


def _sweeps(one: Piloted, scale: float) -> int:
    if one.slice_sd is None:
        return 1
    best = math.sqrt(_within(one) / one.sweep_seconds) * scale
    return min(MAX_SWEEPS, max(1, round(best)))


def slice_spread(costs: Mapping[str, Sequence[Sequence[float]]]) -> float | None:
    """The standard deviation of ln(cost) over slices of one process, the median over contenders;
    ``costs`` has, by contender, those of each round's slices. None where no round has two.
    """
    spreads = []
    for rounds in costs.values():
        variances = [
            statistics.variance(list(map(math.log, slices))) for slices in rounds if len(slices) > 1
        ]
        if variances:
            spreads.append(math.sqrt(statistics.fmean(variances)))
    return statistics.median(spreads) if spreads else None
