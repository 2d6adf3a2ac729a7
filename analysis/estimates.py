"""Estimates that never travel without their interval. Pure numpy; no files, no frames.

The replicate is the round: every function here takes one number per round, never single timed
values. All contrasts live on the scale of ln(seconds), so that a difference of 0.01 is a ratio of
about 1 %.

The exact null distribution of the signed-rank statistic is written out here because scipy keeps its
own private; the interval it gives is that of R's ``wilcox.test(x, conf.int = TRUE)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]

EXACT_ROUNDS = 200
"""Up to this many rounds the null distribution is exact (R stops at 49); beyond, Moses' normal
approximation."""

_CHUNK_ELEMENTS = 4_000_000
"""Walsh averages held in memory at a time: 32 MB."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval. An interval that the data cannot give is infinite, never
    narrow."""

    value: float
    low: float
    high: float
    confidence: float

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class RowEstimates:
    """Hodges-Lehmann estimates of many rows at once.

    ``value``, ``p_value`` and ``rounds`` have shape (rows,); ``low`` and ``high`` have shape (rows,
    confidences). Rows without any finite value are nan with infinite intervals, p-value nan and 0
    rounds.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    p_value: FloatArray
    rounds: NDArray[np.int64]
    confidences: tuple[float, ...]


def round_difference(contender_seconds: ArrayLike, baseline_seconds: ArrayLike) -> float:
    """D of one round: the median over sweeps of ln(contender) - ln(baseline) of the same sweep.

    Both are seconds in the order of the sweeps, shape (sweeps,). The median makes one disturbed
    slice harmless.
    """
    contender = np.asarray(contender_seconds, dtype=np.float64)
    baseline = np.asarray(baseline_seconds, dtype=np.float64)
    return float(np.median(np.log(contender / baseline)))


def hodges_lehmann(differences: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Centre of a symmetric distribution: the median of the Walsh averages (x_i + x_j) / 2, i <= j.

    ``differences`` has shape (rounds,); values that are not finite are left out. The interval is
    the one of the exact Wilcoxon signed-rank test (Hodges and Lehmann 1963; Hollander, Wolfe and
    Chicken 2014, section 3.3; R's ``wilcox.test``): order statistics of the sorted Walsh averages.
    With too few rounds for the confidence asked for (fewer than 6 at 95 %, 5 at 90 %) it is
    infinite. Raises ValueError without any finite value.
    """
    rows = hodges_lehmann_rows(np.asarray(differences, dtype=np.float64)[None, :], (confidence,))
    if not rows.rounds[0]:
        raise ValueError("an estimate needs at least one finite value")
    return Estimate(float(rows.value[0]), float(rows.low[0, 0]), float(rows.high[0, 0]), confidence)


def hodges_lehmann_rows(
    differences: FloatArray, confidences: tuple[float, ...] = (0.95, 0.90)
) -> RowEstimates:
    """:func:`hodges_lehmann` of every row of ``differences``, shape (rows, rounds); nan marks an
    absent round.

    The p-value is that of the two-sided exact signed-rank test against 0 and agrees with the
    interval by construction: it is below 1 - confidence exactly when the interval leaves 0 out.
    Walsh averages of exactly 0 count against it.
    """
    differences = np.where(np.isfinite(differences), differences, np.nan)
    row_count, width = differences.shape
    present = ~np.isnan(differences)
    rounds = present.sum(axis=1)
    value = np.full(row_count, np.nan)
    low = np.full((row_count, len(confidences)), -np.inf)
    high = np.full((row_count, len(confidences)), np.inf)
    p_value = np.full(row_count, np.nan)
    for n in np.unique(rounds[rounds > 0]).tolist():
        rows_of_n = np.flatnonzero(rounds == n)
        step = max(1, _CHUNK_ELEMENTS // (n * (n + 1) // 2))
        for start in range(0, len(rows_of_n), step):
            rows = rows_of_n[start : start + step]
            chosen = differences[rows]
            x = chosen if n == width else chosen[present[rows]].reshape(len(rows), n)
            walsh = _sorted_walsh_averages(x)
            value[rows] = _middle(walsh)
            for column, confidence in enumerate(confidences):
                rank = _interval_rank(n, confidence)
                if rank:
                    low[rows, column] = walsh[:, rank - 1]
                    high[rows, column] = walsh[:, -rank]
            p_value[rows] = _p_values(walsh, n)
    return RowEstimates(value, low, high, p_value, rounds.astype(np.int64), confidences)


def hodges_lehmann_shift(base: ArrayLike, head: ArrayLike, confidence: float = 0.95) -> Estimate:
    """How much higher ``head`` lies than ``base``, two independent samples, shapes (m,), (n,).

    The median of the m * n differences head - base, with the interval of the exact Wilcoxon
    rank-sum (Mann-Whitney) test: Hodges and Lehmann 1963; Hollander, Wolfe and Chicken 2014,
    section 4.3; R's ``wilcox.test(head, base, conf.int = TRUE)``. Infinite where the samples are
    too small for the confidence. Raises ValueError when one of them has no finite value.
    """
    before, after = (_finite(sample) for sample in (base, head))
    if not (len(before) and len(after)):
        raise ValueError("a shift needs at least one finite value on each side")
    differences = np.sort((after[:, None] - before[None, :]).ravel())[None, :]
    rank = _shift_rank(len(before), len(after), confidence)
    low, high = (differences[0, rank - 1], differences[0, -rank]) if rank else (-np.inf, np.inf)
    return Estimate(float(_middle(differences)[0]), float(low), float(high), confidence)


def rounds_to_tell(
    effect: float, spread: float, beyond: float = 0.0, power: float = 0.8, confidence: float = 0.95
) -> int:
    """Rounds at which the interval of :func:`hodges_lehmann` leaves ``beyond`` out, with a chance
    of ``power``.

    ``effect`` is the true difference and ``spread`` the standard deviation of D over rounds, all of
    ln(seconds). For differences that are about normal: the rounds of a t test, ((z_confidence +
    z_power) spread / (effect - beyond))^2 + z_confidence^2 / 2 (Guenther 1981), times pi / 3, its
    efficiency over the signed-rank test (Hodges and Lehmann 1956); never fewer than an interval
    takes. Raises ValueError unless the effect lies beyond ``beyond``.
    """
    if effect <= beyond:
        raise ValueError(f"an effect of {effect} is never told to lie beyond {beyond}")
    tail = NormalDist().inv_cdf((1 + confidence) / 2)
    tails = tail + NormalDist().inv_cdf(power)
    rounds = math.ceil(((tails * spread / (effect - beyond)) ** 2 + tail**2 / 2) * math.pi / 3)
    least = next(n for n in range(1, EXACT_ROUNDS) if _interval_rank(n, confidence))
    return max(rounds, least)


def _finite(sample: ArrayLike) -> FloatArray:
    values = np.asarray(sample, dtype=np.float64)
    finite: FloatArray = values[np.isfinite(values)]
    return finite


def adjust_p_values(
    p_values: ArrayLike, method: Literal["holm", "benjamini-hochberg"]
) -> FloatArray:
    """Adjusted p-values, shape (tests,); nan stays nan and does not count as a test.

    Holm (1979) bounds the chance of any false claim, Benjamini and Hochberg (1995) the share of
    false ones among the claims. Written out because importing statsmodels' ``multipletests`` takes
    longer than analysing a million values; the tests hold the two against each other.
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    rank = np.arange(1, len(order) + 1)
    if method == "holm":
        stepped = np.maximum.accumulate((len(order) - rank + 1) * p_values[order])
    else:
        stepped = np.minimum.accumulate((len(order) / rank * p_values[order])[::-1])[::-1]
    adjusted[order] = np.minimum(1.0, stepped)
    return adjusted


def fit_line(tasks: ArrayLike, seconds: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Fit seconds = fixed + per_task * tasks by least squares of the *relative* error.

    ``tasks`` has shape (points,), ``seconds`` shape (..., points); nan marks an absent point.
    Returns (fixed, per_task) in seconds, each of shape (...), nan where fewer than two points are
    present. Minimises sum(((fixed + per_task * tasks) / seconds - 1) ** 2), so that 1 task weighs
    as much as 10 000: plain least squares would fit the largest batch only.
    """
    tasks = np.asarray(tasks, dtype=np.float64)
    seconds = np.asarray(seconds, dtype=np.float64)
    present = np.isfinite(seconds)
    u = np.where(present, 1 / np.where(present, seconds, 1.0), 0.0)
    v = u * tasks
    uu, uv, vv = (u * u).sum(-1), (u * v).sum(-1), (v * v).sum(-1)
    su, sv = u.sum(-1), v.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        determinant = np.where(present.sum(-1) >= 2, uu * vv - uv * uv, np.nan)
        fixed = (su * vv - sv * uv) / determinant
        per_task = (sv * uu - su * uv) / determinant
    return np.asarray(fixed), np.asarray(per_task)


def _sorted_walsh_averages(x: FloatArray) -> FloatArray:
    """Shape (rows, n) to (rows, n (n + 1) / 2), sorted along the last axis."""
    first, second = _upper_triangle(x.shape[1])
    walsh: FloatArray = x[:, first] + x[:, second]
    walsh /= 2
    walsh.sort(axis=1)
    return walsh


@lru_cache(maxsize=64)
def _upper_triangle(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(n)


def _middle(ordered: FloatArray) -> FloatArray:
    count = ordered.shape[1]
    middle: FloatArray = (ordered[:, (count - 1) // 2] + ordered[:, count // 2]) / 2
    return middle


def _p_values(walsh: FloatArray, n: int) -> FloatArray:
    """Two-sided p: the number of positive Walsh averages is the signed-rank statistic (Tukey
    1949)."""
    positive = (walsh > 0).sum(axis=1)
    negative = (walsh < 0).sum(axis=1)
    statistic = walsh.shape[1] - np.maximum(positive, negative)
    if n <= EXACT_ROUNDS:
        tail = _cumulative(n)[statistic]
    else:
        mean, deviation = _moments(n)
        normal = NormalDist(mean, deviation)
        tail = np.array([normal.cdf(v + 0.5) for v in statistic.tolist()])
    p_values: FloatArray = np.minimum(1.0, 2 * tail)
    return p_values


@lru_cache(maxsize=1024)
def _interval_rank(n: int, confidence: float) -> int:
    """Which smallest and which largest Walsh average bound the interval; 0 when n rounds cannot
    give the confidence.

    R: ``qsignrank(alpha / 2, n)``, the smallest v with P(V <= v) >= alpha / 2; R then takes 1 for
    0, which gives less than the confidence asked for, except where 2 ** -n is alpha / 2 exactly.
    """
    tail = (1 - confidence) / 2
    # Counting rounding: 1 - 0.9375 is not exactly 2 ** -4, and the quantile must not move for that.
    fuzz = 1e-12
    if 0.5**n > tail + fuzz:
        return 0
    if n <= EXACT_ROUNDS:
        return max(1, int(np.searchsorted(_cumulative(n), tail - fuzz, side="left")))
    mean, deviation = _moments(n)
    return max(1, math.floor(NormalDist(mean, deviation).inv_cdf(tail)))


@lru_cache(maxsize=256)
def _cumulative(n: int) -> FloatArray:
    """P(V <= v) for v = 0 .. n (n + 1) / 2: each rank is in the sum or not, with equal chance
    (Wilcoxon 1945)."""
    probability = np.zeros(n * (n + 1) // 2 + 1)
    probability[0] = 1.0
    for rank in range(1, n + 1):
        shifted = np.zeros_like(probability)
        shifted[rank:] = probability[:-rank]
        probability = (probability + shifted) / 2
    cumulative: FloatArray = np.cumsum(probability)
    return cumulative


def _moments(n: int) -> tuple[float, float]:
    return n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24)


@lru_cache(maxsize=1024)
def _shift_rank(m: int, n: int, confidence: float) -> int:
    """Which smallest and largest difference bound the interval; 0 when m and n cannot give it.

    R: ``qwilcox(alpha / 2, m, n)``; exact up to :data:`EXACT_ROUNDS` on each side, else the normal
    approximation.
    """
    tail = (1 - confidence) / 2
    if max(m, n) > EXACT_ROUNDS:
        deviation = math.sqrt(m * n * (m + n + 1) / 12)
        return max(0, math.floor(NormalDist(m * n / 2, deviation).inv_cdf(tail)))
    cumulative = _rank_sum_cumulative(*sorted((m, n)))
    if cumulative[0] > tail + 1e-12:
        return 0
    return max(1, int(np.searchsorted(cumulative, tail - 1e-12, side="left")))


@lru_cache(maxsize=256)
def _rank_sum_cumulative(m: int, n: int) -> FloatArray:
    """P(U <= u) for u = 0 .. m n, all interleavings of m and n values equally likely.

    Mann and Whitney's recurrence (1947) in the form of probabilities: the largest of all values
    belongs to the first sample with chance m / (m + n) and then exceeds all n of the other.
    """
    size = m * n + 1
    row = [np.eye(1, size)[0] for _ in range(n + 1)]  # no value in the first sample: U is 0
    for i in range(1, m + 1):
        previous = row
        row = [np.eye(1, size)[0]]  # no value in the second sample: U is 0
        for j in range(1, n + 1):
            above = np.zeros(size)
            above[j:] = previous[j][: size - j]
            row.append((i * above + j * row[j - 1]) / (i + j))
    cumulative: FloatArray = np.cumsum(row[n])
    return cumulative
