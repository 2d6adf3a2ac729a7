"""Everything that is estimated from one campaign, made in one go."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.campaign import Campaign
from analysis.comparisons import (
    ControlHealth,
    absolutes,
    compare,
    compare_loops,
    control_health,
    summarise,
)
from analysis.costs import cost_model
from analysis.medians import values_of
from analysis.verdicts import DELTA


@dataclass(frozen=True, slots=True)
class Findings:
    """What tables, charts and the report show.

    The frames of :func:`analysis.comparisons.summarise`, ``compare``, ``compare_loops`` and
    ``absolutes``, :func:`analysis.costs.cost_model`, and the judgement on the control.
    """

    campaign: Campaign
    summary: pd.DataFrame
    comparisons: pd.DataFrame
    loops: pd.DataFrame
    absolutes: pd.DataFrame
    costs: pd.DataFrame
    control: ControlHealth


def find(campaign: Campaign, *, delta: float = DELTA) -> Findings:
    """Estimate everything; ``delta`` is how far from 1 a ratio still counts as the same."""
    values = values_of(campaign)
    comparisons = compare(campaign, delta=delta, values=values)
    return Findings(
        campaign=campaign,
        summary=summarise(campaign, delta=delta, values=values),
        comparisons=comparisons,
        loops=compare_loops(campaign, delta=delta, values=values),
        absolutes=absolutes(campaign, values=values),
        costs=cost_model(campaign, values=values),
        control=control_health(comparisons),
    )
