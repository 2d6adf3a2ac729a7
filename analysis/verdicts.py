"""Intervals -> verdicts: one rule for everything that is compared.

How a verdict is reached (``floor`` is the noise floor, ``delta`` what counts as the same, 0.02):

==================  ==============================================================================
slower, faster      the 95 % interval of the ratio lies beyond 1 + floor, or below 1 / (1 + floor)
same                the 90 % interval lies within 1 / (1 + delta) to 1 + delta: two one-sided
                    tests at 5 %
slower, within 2 %  both
undecided           neither; ``rounds_needed`` says how many more it would about take
missing             no round has values of both; ``reason`` says why
==================  ==============================================================================

The floor of a case is the larger of 0.5 % and what the control, which is the baseline measured
against itself, shows in that case and metric. The control itself is judged with 0.5 % alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimates import FloatArray, RowEstimates
from analysis.medians import IntArray

SLOWER, FASTER, SAME, UNDECIDED, MISSING = "slower", "faster", "same", "undecided", "missing"

DELTA = 0.02
"""Ratios within 1 / 1.02 to 1.02 count as the same."""
SMALLEST_FLOOR = 0.005
"""No campaign is trusted to tell less than 0.5 % apart."""
SIGNIFICANCE = 0.05
LEAST_ROUNDS = 12
"""Rounds every campaign should have before a comparison is looked at."""
LEAST_ROUNDS_FOR_INTERVAL = 6
"""A signed-rank interval of 95 % needs so many."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdicts, and the further rounds that undecided ones would take; both of shape (rows,)."""

    verdict: NDArray[np.object_]
    rounds_needed: pd.Series


def judge(
    estimates: RowEstimates,
    floor: FloatArray,
    delta: float,
    proven: NDArray[np.bool_] | None = None,
    least: IntArray | None = None,
) -> Judgement:
    """The rule at the head of this module, for rows of estimates of ln(ratio).

    Where ``proven`` is False, slower and faster are withheld; they take ``least`` rounds, whatever
    the interval. All of shape (rows,).
    """
    low, low90 = estimates.low.T
    high, high90 = estimates.high.T
    epsilon, same_within = np.log1p(floor), np.log1p(delta)
    proven = np.ones(len(low), dtype=bool) if proven is None else proven
    slower = (low > epsilon) & proven
    faster = (high < -epsilon) & proven
    # Five rounds have a 90 % interval, but none of 95 % to show beside the verdict.
    same = (low90 > -same_within) & (high90 < same_within) & np.isfinite(high - low)
    measured = estimates.rounds > 0
    within = f", within {delta * 100:g} %"
    verdict = np.select(
        [~measured, slower & same, faster & same, slower, faster, same],
        [MISSING, SLOWER + within, FASTER + within, SLOWER, FASTER, SAME],
        UNDECIDED,
    ).astype(object)
    least = np.zeros(len(low), dtype=np.int64) if least is None else least
    needed = _rounds_needed(estimates, epsilon, same_within, least)
    return Judgement(verdict, pd.Series(needed).where(verdict == UNDECIDED).astype("Int64"))


def least_rounds(claims: int) -> int:
    """Rounds without which no signed-rank p-value can be below 0.05 after Holm over ``claims``.

    The smallest one that n rounds can give is 2 ** (1 - n), two-sided.
    """
    return math.ceil(1 + math.log2(max(1, claims) / SIGNIFICANCE))


def _rounds_needed(
    estimates: RowEstimates, epsilon: FloatArray, same_within: float, least: IntArray
) -> FloatArray:
    """Further rounds until the intervals would decide; nan for never.

    Assumes that they shrink with the root of the rounds and that the estimate stays where it is.
    Either the 95 % interval must leave the floor, in ``least`` rounds or more, or the 90 % interval
    must fit into +- delta, whichever comes first.
    """
    distance = np.abs(estimates.value)
    half95, half90 = ((estimates.high - estimates.low) / 2).T
    with np.errstate(divide="ignore", invalid="ignore"):
        room_beyond = np.where(distance > epsilon, distance - epsilon, np.nan)
        room_within = np.where(distance < same_within, same_within - distance, np.nan)
        beyond = np.ceil(estimates.rounds * ((half95 / room_beyond) ** 2 - 1))
        within = np.ceil(estimates.rounds * ((half90 / room_within) ** 2 - 1))
        further = np.fmin(np.maximum(beyond, least - estimates.rounds), within)
    few = np.maximum(LEAST_ROUNDS, least) - estimates.rounds
    further = np.where(np.isinf(half95), few, further)
    return np.where(np.isnan(further), np.nan, np.clip(further, 1, 1e9))


def explain(judged: Judgement, rounds: IntArray) -> list[str]:
    """Why a row is undecided; nothing for the others."""
    reasons = []
    for verdict, needed, made in zip(
        judged.verdict.tolist(), judged.rounds_needed.tolist(), rounds.tolist(), strict=True
    ):
        if verdict != UNDECIDED:
            reasons.append("")
        elif made < LEAST_ROUNDS_FOR_INTERVAL:
            reasons.append(f"{made} round{'s' * (made != 1)} cannot give a 95 % interval")
        elif needed is pd.NA:
            reasons.append("more rounds would not decide it: the noise floor is too high")
        else:
            reasons.append(f"about {needed} more round{'s' if needed != 1 else ''} would decide it")
    return reasons
