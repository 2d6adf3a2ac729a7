"""The one rule for verdicts: what an interval shows, and nothing else.

==================  ==============================================================================
slower, faster      the whole 95 % interval of the ratio lies beyond +-0.5 % (:data:`FLOOR`)
same                the whole interval lies within +-2 % (:data:`WITHIN`)
undecided           neither; more rounds would narrow the interval
missing             no round has values of both; the reason is given
==================  ==============================================================================

The interval is the one that is printed beside the verdict, so that a reader can judge it as well.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from analysis.estimate.intervals import FEWEST_FOR_INTERVAL, LEAST_ROUNDS, FloatArray, IntArray

SLOWER: Final = "slower"
FASTER: Final = "faster"
SAME: Final = "same"
UNDECIDED: Final = "undecided"
MISSING: Final = "missing"

FLOOR: Final = 0.005
"""A difference of less than 0.5 % is never called one."""
WITHIN: Final = 0.02
"""Ratios within 0.98 to 1.02 count as the same."""


def judge(low: FloatArray, high: FloatArray, rounds: IntArray) -> NDArray[np.object_]:
    """The verdict on ratios with these intervals; all of shape (rows,)."""
    return np.select(
        [
            rounds == 0,
            low > 1 + FLOOR,
            high < 1 - FLOOR,
            (low >= 1 - WITHIN) & (high <= 1 + WITHIN),
        ],
        [MISSING, SLOWER, FASTER, SAME],
        UNDECIDED,
    ).astype(object)


def rounds_needed(
    ratio: FloatArray, low: FloatArray, high: FloatArray, rounds: IntArray
) -> FloatArray:
    """Further rounds until such intervals would decide, shape (rows,); nan for never.

    Assumes that both ends near a ratio that stays where it is with the root of the rounds.
    """
    down, up, change = ratio - low, high - ratio, ratio - 1
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        different = np.where(change > 0, down, up) / (np.abs(change) - FLOOR)
        same = np.fmax(down / (WITHIN + change), up / (WITHIN - change))
        shrink = np.fmin(
            np.where(np.abs(change) > FLOOR, different, np.nan),
            np.where(np.abs(change) < WITHIN, same, np.nan),
        )
        further = np.ceil(rounds * (shrink**2 - 1))
    further = np.where(rounds < FEWEST_FOR_INTERVAL, LEAST_ROUNDS - rounds, further)
    return np.where(np.isfinite(further), np.clip(further, 1, 1e9), np.nan)
