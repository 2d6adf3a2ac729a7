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
    compare_pythons,
    control_health,
    summarise,
    summarise_pythons,
)
from analysis.costs import cost_model
from analysis.medians import values_of
from analysis.verdicts import DELTA


@dataclass(frozen=True, slots=True)
class Findings:
    """What tables, charts and the report show.

    The frames of :func:`analysis.comparisons.summarise`, ``compare``, ``compare_loops``,
    ``compare_pythons``, ``summarise_pythons`` and ``absolutes``,
    :func:`analysis.costs.cost_model`, and the judgement on the control. Those about Pythons have no
    rows where there is only one.
    """

    campaign: Campaign
    summary: pd.DataFrame
    comparisons: pd.DataFrame
    loops: pd.DataFrame
    pythons: pd.DataFrame
    python_summary: pd.DataFrame
    absolutes: pd.DataFrame
    costs: pd.DataFrame
    control: ControlHealth


def find(
    campaign: Campaign, *, delta: float = DELTA, baseline_python: str | None = None
) -> Findings:
    """Estimate everything; ``delta`` is how far from 1 a ratio still counts as the same.

    ``baseline_python`` is what the other Pythons are held against (default: the plan's first).
    Raises :class:`analysis.comparisons.UnknownPythonError`.
    """
    values = values_of(campaign)
    comparisons = compare(campaign, delta=delta, values=values)
    return Findings(
        campaign=campaign,
        summary=summarise(campaign, delta=delta, values=values),
        comparisons=comparisons,
        loops=compare_loops(campaign, delta=delta, values=values),
        pythons=compare_pythons(campaign, baseline_python, delta=delta, values=values),
        python_summary=summarise_pythons(campaign, baseline_python, delta=delta, values=values),
        absolutes=absolutes(campaign, values=values),
        costs=cost_model(campaign, values=values),
        control=control_health(comparisons),
    )
