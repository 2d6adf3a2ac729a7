"""Task factories and collectors: every strategy held against itself, and rankings that flip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from analysis.campaign import COLLECTOR_ON, Campaign
from analysis.comparisons import contrasts
from analysis.estimates import hodges_lehmann_rows
from analysis.medians import IntArray, Values, contrast_medians, values_of
from analysis.pairs import counterparts
from analysis.verdicts import DELTA, FASTER, SLOWER

_RANKED: Final = ["python", "loop", "task_factory", "case", "contender"]
_INTERVAL: Final = ["ratio", "low", "high"]


def compare_factories(
    campaign: Campaign, *, delta: float = DELTA, values: Values | None = None
) -> pd.DataFrame:
    """Every strategy under a further task factory held against itself under the plan's first, on
    the same Python, loop and collector.

    As :func:`analysis.comparisons.compare`, with the name of the first factory as ``baseline``.
    """
    first = campaign.contenders[0].task_factory if campaign.contenders else ""
    reference = counterparts(
        campaign.contenders,
        lambda one: (one.interpreter, one.loop, one.collector, one.strategy),
        lambda one: one.task_factory == first,
    )
    return _against(campaign, reference, first, f"not measured with {first} tasks", delta, values)


def compare_collectors(
    campaign: Campaign, *, delta: float = DELTA, values: Values | None = None
) -> pd.DataFrame:
    """Every strategy with the collector off or frozen held against itself with the collector on, on
    the same Python, loop and task factory.

    As :func:`analysis.comparisons.compare`, with ``on`` as ``baseline``.
    """
    reference = counterparts(
        campaign.contenders,
        lambda one: (one.interpreter, one.loop, one.task_factory, one.strategy),
        lambda one: one.collector == COLLECTOR_ON,
    )
    reason = f"not measured with the collector {COLLECTOR_ON}"
    return _against(campaign, reference, COLLECTOR_ON, reason, delta, values)


def _against(
    campaign: Campaign,
    reference: IntArray,
    baseline: str,
    absent: str,
    delta: float,
    values: Values | None,
) -> pd.DataFrame:
    values = values or values_of(campaign)
    estimates = hodges_lehmann_rows(contrast_medians(values, reference))
    count = len(reference)
    labels: Sequence[str] = [baseline] * count
    return contrasts(campaign, values, reference, labels, estimates, delta, [absent] * count)


def flips(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Where a strategy is slower than the baseline with one collector and faster with another.

    ``comparisons`` is a frame of :func:`analysis.comparisons.compare`. A row per Python, loop, task
    factory, case (its headline metric), contender and ``collector`` other than on, with ``ratio``,
    ``low``, ``high`` there and ``on_ratio``, ``on_low``, ``on_high`` with the collector on. Both
    verdicts are decided and opposite.
    """
    rows = comparisons[comparisons["headline"].astype(bool) & (comparisons["role"] != "control")]
    rows = rows[[*_RANKED, "collector", *_INTERVAL, "verdict"]]
    sides = np.select([rows["verdict"].str.startswith(word) for word in (SLOWER, FASTER)], [1, -1])
    rows = rows.assign(side=sides).drop(columns="verdict")
    is_on = rows["collector"] == COLLECTOR_ON
    on = rows[is_on].drop(columns="collector")
    on = on.rename(columns={name: f"on_{name}" for name in (*_INTERVAL, "side")})
    both = rows[~is_on].merge(on, on=_RANKED)
    flipped = both[both["side"] * both["on_side"] == -1]
    return flipped.drop(columns=["side", "on_side"]).reset_index(drop=True)
