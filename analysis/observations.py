"""What was seen beside the timed values: collections, shares, children cancelled or left running.

These are counts and shares that can be 0, so they are shown as they are and never as ratios.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.campaign import Campaign
from analysis.identity import identity
from analysis.medians import measures_of


def observations(campaign: Campaign) -> pd.DataFrame:
    """A row per cell and name of what was seen, in the order of the plan.

    The columns that say which cell are those of :func:`analysis.comparisons.compare`, without
    metric and unit. ``value`` is the median over rounds of the mean over sweeps, per inner loop;
    ``low`` and ``high`` are the least and the most of any round, no interval. ``rounds`` counts
    them.
    """
    keys = ["case", "contender", "name"]
    found = (
        campaign.observed.groupby(keys, observed=True, sort=False)["value"]
        .agg(value="median", low="min", high="max", rounds="count")
        .reset_index()
    )
    measures = measures_of(campaign)
    measure_of = {one.case.id: index for index, one in reversed([*enumerate(measures)])}
    contender_of = {one.id: index for index, one in enumerate(campaign.contenders)}
    case = np.array([measure_of[str(id_)] for id_ in found["case"]], dtype=np.int64)
    contender = np.array([contender_of[str(id_)] for id_ in found["contender"]], dtype=np.int64)
    cells = case * len(contender_of) + contender
    order = np.argsort(cells, kind="stable")
    frame = identity(campaign, measures, cells[order]).drop(columns=["metric", "unit"])
    seen = found.loc[order].reset_index(drop=True)
    return frame.assign(
        name=seen["name"].astype(object),
        value=seen["value"],
        low=seen["low"],
        high=seen["high"],
        rounds=seen["rounds"],
    )
