"""From the slices of a round to the one cell that is kept of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from benchmarks.campaign.schema import MICROS, QUANTILES, Case, Cell
from benchmarks.protocol import Measured

MANY_BLOCKS, SOME_BLOCKS = 10, 4


def quantile_of(case: Case, blocks: int) -> float:
    """The quantile that a case of so many blocks a slice is reduced to.

    Of code, a low one: lower where there are many blocks, as the least of a few depends on how many
    they are, and contenders differ in that. Of a fan-out that waits, the lower quartile: others
    than the measured process decide how it varies. Of what is no cost but a moment, the median.
    """
    if not case.splits:
        return 0.25 if case.answers else 0.5
    if blocks >= MANY_BLOCKS:
        return 0.05
    return 0.10 if blocks >= SOME_BLOCKS else 0.25


def quantile(ordered: Sequence[float], share: float) -> float:
    """The median-unbiased quantile of an ascending sample (type 8 of Hyndman and Fan 1996): about
    the same of few values as of many.
    """
    place = (len(ordered) + 1 / 3) * share - 2 / 3
    place = min(max(place, 0.0), len(ordered) - 1.0)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def cell_of(case: Case, slices: Sequence[Measured], set_aside: AbstractSet[int]) -> Cell:
    """The cell of slices, in their order; those at the indexes ``set_aside`` were taken again."""
    kept = [one for index, one in enumerate(slices) if index not in set_aside]
    scales = [MICROS if case.unit(metric) == "second" else 1.0 for metric in case.metrics]
    pooled = [
        sorted(value * scale for one in kept for value in one.values[metric])
        for metric, scale in zip(case.metrics, scales, strict=True)
    ]
    means = [
        [_mean(one.values[metric]) * scale for one in slices]
        for metric, scale in zip(case.metrics, scales, strict=True)
    ]
    counts = [sum(of_one) for of_one in zip(*(one.collections for one in slices), strict=True)]
    seconds = [
        sum(of_one) for of_one in zip(*(one.collector_seconds for one in slices), strict=True)
    ]
    wall = [one.timed_seconds for one in slices]
    observed = {name: [one.observed[name] for one in slices] for name in slices[0].observed}
    return Cell(
        quantiles=[[_digits(quantile(of_one, share)) for share in QUANTILES] for of_one in pooled],
        means=[[_digits(mean) for mean in of_one] for of_one in means],
        batches=case.loops * sum(one.blocks for one in slices),
        timed_us=_digits(sum(wall) * MICROS),
        collections=[
            (count, _digits(took * MICROS)) for count, took in zip(counts, seconds, strict=True)
        ]
        if any(counts)
        else [],
        cycles=_digits(sum(one.cycles for one in slices)),
        cpu_shares=[round(one.cpu_share, 3) for one in slices],
        switches=[one.switches for one in slices] if any(one.switches for one in slices) else [],
        set_aside=sorted(set_aside),
        observed=[_digits(_mean(of_one)) for of_one in observed.values()],
        errors=sum(one.errors for one in slices),
    )


def slice_cost(case: Case, one: Measured) -> float:
    """The headline value of one slice, as that of a round is reduced."""
    return quantile(sorted(one.values[case.headline_metric]), case.quantile)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _digits(number: float) -> float:
    """Five significant digits: a hundredth of what one round can tell."""
    shown = float(f"{number:.5g}")
    return int(shown) if shown.is_integer() else shown
