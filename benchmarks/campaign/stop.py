"""When a case is done, and how a campaign spends its budget. Pure functions of what was measured.

A case stops on the *width* of its intervals, never on what they say: stopping on significance turns
an error of 5 % into one of 20 %.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping

from analysis.estimate.intervals import hodges_lehmann, round_difference
from benchmarks.campaign.plan import baselines
from benchmarks.campaign.schema import Plan, RoundLine

MIN_ROUNDS = 12
LOOK_EVERY = 4
"""A case may stop after 12, 16, 20 ... rounds: looking less often keeps the intervals honest."""

AIMED_ROUNDS = 16
"""Rounds that the budget should be enough for: the smallest number, and one more look."""
MAX_SWEEPS = 25
"""More sweeps of a round never replace more rounds."""


class Precision:
    """The interval half-width of each case, on its headline metric, as lines come in."""

    def __init__(self, plan: Plan) -> None:
        self._precision = plan.precision
        self._headline = {case.id: case.headline_metric for case in plan.cases}
        self._baseline = {
            contender: baseline
            for contender, baseline in baselines(plan).items()
            if contender != baseline
        }
        # case id -> contender id -> D of each round
        self._differences: dict[str, dict[str, list[float]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._half_width: dict[str, float] = {}
        self._done: set[str] = set()

    def add(self, line: RoundLine) -> None:
        """Take in one case of one round, and look whether the case is done."""
        metric = self._headline[line.case]
        of_case = self._differences[line.case]
        for contender, baseline in self._baseline.items():
            if contender in line.cells and baseline in line.cells:
                difference = round_difference(
                    line.cells[contender].values[metric], line.cells[baseline].values[metric]
                )
                of_case[contender].append(difference)
        # A contender that has failed in this round is not waited for.
        compared = [rounds for contender, rounds in of_case.items() if contender in line.cells]
        if not compared:
            return
        half_width = max(hodges_lehmann(rounds).half_width for rounds in compared)
        self._half_width[line.case] = half_width
        fewest = min(map(len, compared))
        looking = fewest >= MIN_ROUNDS and (fewest - MIN_ROUNDS) % LOOK_EVERY == 0
        if looking and half_width < self._precision:
            self._done.add(line.case)

    def is_done(self, case: str) -> bool:
        """Whether every interval of the case was narrow enough at a look."""
        return case in self._done

    def done(self) -> int:
        """How many cases are done."""
        return len(self._done)

    def half_width(self, case: str) -> float:
        """The widest interval's half-width of a case, as a share; infinite until it is known."""
        return self._half_width.get(case, math.inf)


def plan_sweeps(
    turn_seconds: Mapping[str, float], start_seconds: float, budget_seconds: float
) -> dict[str, int]:
    """Sweeps per round for each case, so that the budget is enough for ``AIMED_ROUNDS`` rounds.

    ``turn_seconds`` is what one sweep of a case takes, ``start_seconds`` what starting a round's
    workers takes. Every case gets at least one sweep, the cheap ones an equal time of what is left:
    a small budget means fewer rounds, never fewer cases.
    """
    available = budget_seconds / AIMED_ROUNDS - start_seconds

    def sweeps_within(slot_seconds: float) -> dict[str, int]:
        return {
            case: min(MAX_SWEEPS, max(1, int(slot_seconds / seconds)))
            for case, seconds in turn_seconds.items()
        }

    def round_seconds(slot_seconds: float) -> float:
        sweeps = sweeps_within(slot_seconds)
        return sum(sweeps[case] * seconds for case, seconds in turn_seconds.items())

    low, high = 0.0, max(available, 0.0)
    for _ in range(40):  # bisection: the round grows with the slot
        middle = (low + high) / 2
        low, high = (middle, high) if round_seconds(middle) <= available else (low, middle)
    return sweeps_within(low)
