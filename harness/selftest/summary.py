"""What the trials show, by arm and condition: pure functions of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.estimate.intervals import CONFIDENCE
from analysis.judge.verdicts import FASTER, SLOWER, judge
from harness.selftest import planted
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
    """Of one arm in one condition. The first two are of the baseline against itself, told different
    by the arm's own test, and with an interval wholly beyond the floor. All others are of what is
    slower: the interval has the truth; it was found, by the same test and with the right sign, by
    share; a sign was wrong; neither was said. ``error`` is the root mean square of ln(ratio) less
    its truth. ``seconds_for_one_percent`` is what an interval of +-1 % would take: half-width
    squared times seconds, the median of the trials.
    """

    arm: str
    condition: str
    trials: int
    told_different: Share
    beyond_floor: Share
    covered: Share
    found: tuple[Share, ...]
    wrong_signs: Share
    undecided: Share
    error: float
    half_width: float
    seconds: float
    seconds_for_one_percent: float

    @property
    def is_valid(self) -> bool:
        """Whether the intervals can be believed: the coverage may be 95 %."""
        return self.covered.ends[1] >= CONFIDENCE

    @property
    def smallest_found(self) -> float:
        """The slowdown that 80 % of the trials find, between two that were tried by a straight
        line; inf where none is found so often.
        """
        found = zip(planted.SLOWER, self.found, strict=True)
        tried = [(0.0, 0.0), *((by, one.value) for by, one in found if one.trials)]
        for (less, below), (more, above) in itertools.pairwise(tried):
            if above >= FOUND_OFTEN:
                return less + (more - less) * max(0.0, FOUND_OFTEN - below) / (above - below)
        return math.inf


def summarise(arm: str, condition: str | None, done: Sequence[Done]) -> Summary:
    """The summary of an arm's trials, of at least one, in a condition; None: in all of them."""
    trials = [one for one in done if one.arm == arm and condition in (None, one.condition)]
    same = [one.outcome.same for one in trials]
    slower = [(one.outcome.slower, one.slower) for one in trials]
    half_widths = np.array([(one.high - one.low) / 2 for one, _ in slower])
    seconds = np.array([one.seconds for one in trials])
    return Summary(
        arm=arm,
        condition=condition or "",
        trials=len(trials),
        told_different=share(one.differs for one in same),
        beyond_floor=share(is_beyond(one.low, one.high) for one in same),
        covered=share(
            one.outcome.slower.low <= one.truth <= one.outcome.slower.high for one in trials
        ),
        found=tuple(
            share(one.differs and one.value > 0 for one, by in slower if by == wanted)
            for wanted in planted.SLOWER
        ),
        wrong_signs=share(one.differs and one.value < 0 for one, _ in slower),
        undecided=share(not one.differs for one, _ in slower),
        error=float(np.sqrt(np.mean([one.error**2 for one in trials]))),
        half_width=float(np.median(half_widths)),
        seconds=float(np.median(seconds)),
        seconds_for_one_percent=float(np.median((half_widths / 0.01) ** 2 * seconds)),
    )


def is_beyond(low: float, high: float) -> bool:
    """Whether the verdict on an interval of ln(ratio) is slower or faster."""
    [verdict] = judge(np.exp([low]), np.exp([high]), np.ones(1, dtype=np.int64))
    return verdict in (SLOWER, FASTER)
