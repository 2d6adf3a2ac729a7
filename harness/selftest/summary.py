"""What the trials show, by arm and condition: pure functions of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.estimate.intervals import CONFIDENCE
from analysis.judge.verdicts import FASTER, SLOWER, judge
from harness.selftest import planted
from harness.selftest.arms import Estimate
from harness.selftest.experiment import Done

FOUND_OFTEN = 0.8
"""An effect counts as found when so many of the trials find it."""


@dataclass(frozen=True, slots=True)
class Share:
    """``hits`` of ``trials``, with the exact interval of Clopper and Pearson (1934), 95 %."""

    hits: int
    trials: int

    @property
    def value(self) -> float:
        return self.hits / self.trials if self.trials else math.nan

    @property
    def ends(self) -> tuple[float, float]:
        """Of the interval; of no trials it is all there is."""
        if not self.trials:
            return 0.0, 1.0
        interval = stats.binomtest(self.hits, self.trials).proportion_ci(CONFIDENCE, "exact")
        return float(interval.low), float(interval.high)


def share(hits: Iterable[bool]) -> Share:
    """How many of them are true."""
    flags = list(hits)
    return Share(sum(flags), len(flags))


@dataclass(frozen=True, slots=True)
class Summary:
    """Of trials of one arm. The first two are of the baseline against itself: told different
    by the arm's own test, and with an interval wholly beyond the floor. All others are of what is
    slower. ``covered``: the interval has the truth. By slowdown, ``found`` by the same test with
    the right sign, and ``said_slower``, which takes an interval beyond the floor, as the verdicts
    of this suite do. Errors are ln(ratio) less its truth: root mean square and median amount.
    ``seconds`` are the least and the most. ``cost`` is the median of half-width squared times
    seconds: its ratio says how many times as long one arm takes to be as precise as another.
    """

    arm: str
    trials: int
    told_different: Share
    beyond_floor: Share
    covered: Share
    found: tuple[Share, ...]
    said_slower: tuple[Share, ...]
    wrong_signs: Share
    undetected: Share
    error: float
    median_error: float
    half_width: float
    seconds: tuple[float, float]
    cost: float

    @property
    def is_valid(self) -> bool:
        """Whether the intervals can be believed: the coverage may be 95 %."""
        return self.covered.ends[1] >= CONFIDENCE

    @property
    def smallest_found(self) -> float:
        """The slowdown from which on 80 % of the trials find it, between two that were tried by a
        straight line; the smallest tried where all are found so often, inf where the largest is
        not.
        """
        found = zip(planted.SLOWER, self.found, strict=True)
        smallest, often = math.inf, math.nan
        for by, value in reversed([(by, one.value) for by, one in found if one.trials]):
            if value < FOUND_OFTEN:
                between = (FOUND_OFTEN - value) / (often - value)
                return by + between * (smallest - by) if math.isfinite(smallest) else math.inf
            smallest, often = by, value
        return smallest


def summarise(trials: Sequence[Done]) -> Summary:
    """The summary of at least one trial, all of one arm."""
    same = [one.outcome.same for one in trials]
    slower = [(one.outcome.slower, one.slower) for one in trials]
    errors = np.array([one.error for one in trials])
    half_widths = np.array([(one.high - one.low) / 2 for one, _ in slower])
    seconds = np.array([one.seconds for one in trials])

    def by_slowdown(is_so: Callable[[Estimate], bool]) -> tuple[Share, ...]:
        return tuple(
            share(is_so(one) and one.value > 0 for one, by in slower if by == wanted)
            for wanted in planted.SLOWER
        )

    return Summary(
        arm=trials[0].arm,
        trials=len(trials),
        told_different=share(one.differs for one in same),
        beyond_floor=share(is_beyond(one.low, one.high) for one in same),
        covered=share(
            one.outcome.slower.low <= one.truth <= one.outcome.slower.high for one in trials
        ),
        found=by_slowdown(lambda one: one.differs),
        said_slower=by_slowdown(lambda one: is_beyond(one.low, one.high)),
        wrong_signs=share(one.differs and one.value < 0 for one, _ in slower),
        undetected=share(not one.differs for one, _ in slower),
        error=float(np.sqrt(np.mean(errors**2))),
        median_error=float(np.median(np.abs(errors))),
        half_width=float(np.median(half_widths)),
        seconds=(float(seconds.min()), float(seconds.max())),
        cost=float(np.median(half_widths**2 * seconds)),
    )


def is_beyond(low: float, high: float) -> bool:
    """Whether the verdict on an interval of ln(ratio) is slower or faster."""
    [verdict] = judge(np.exp([low]), np.exp([high]), np.ones(1, dtype=np.int64))
    return verdict in (SLOWER, FASTER)
