"""Everything that is estimated from one campaign, made in one go."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.axes import compare_collectors, compare_factories, flips
from analysis.campaign import Campaign
from analysis.comparisons import absolutes, compare, compare_loops, compare_pythons
from analysis.control import ControlHealth, control_health
from analysis.costs import cost_model
from analysis.head_start import head_start
from analysis.medians import values_of
from analysis.observations import observations
from analysis.plain import plain_rows
from analysis.summaries import summarise, summarise_pythons
from analysis.verdicts import DELTA
from analysis.witness import Witness


@dataclass(frozen=True, slots=True)
class Findings:
    """What tables, charts and the report show.

    The frames of :mod:`analysis.comparisons` (``compare``, ``compare_loops``, ``compare_pythons``,
    ``absolutes``), :mod:`analysis.summaries` and :func:`analysis.costs.cost_model`, of the plain
    cells alone (:mod:`analysis.plain`), and the judgement on the control. Those about Pythons have
    no rows where there is only one.

    ``everything`` and ``every_absolute`` are the comparisons and absolute costs of all cells. The
    frames of :mod:`analysis.observations`, :mod:`analysis.axes` (``factories``, ``collectors``,
    ``flips``) and :mod:`analysis.head_start` have no rows where nothing of the kind was measured.
    ``witness`` are the programs of the question as they ran, None where they did not.
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
    everything: pd.DataFrame
    every_absolute: pd.DataFrame
    observations: pd.DataFrame
    factories: pd.DataFrame
    collectors: pd.DataFrame
    flips: pd.DataFrame
    head_start: pd.DataFrame
    witness: Witness | None


def find(
    campaign: Campaign, *, delta: float = DELTA, baseline_python: str | None = None
) -> Findings:
    """Estimate everything; ``delta`` is how far from 1 a ratio still counts as the same.

    ``baseline_python`` is what the other Pythons are held against (default: the plan's first).
    Raises :class:`analysis.pairs.UnknownPythonError`.
    """
    values = values_of(campaign)
    everything = compare(campaign, delta=delta, values=values)
    every_absolute = absolutes(campaign, values=values)
    loops = compare_loops(campaign, delta=delta, values=values)
    pythons = compare_pythons(campaign, baseline_python, delta=delta, values=values)
    seen = observations(campaign)
    return Findings(
        campaign=campaign,
        summary=summarise(campaign, delta=delta, values=values),
        comparisons=plain_rows(campaign, everything),
        loops=plain_rows(campaign, loops),
        pythons=plain_rows(campaign, pythons),
        python_summary=summarise_pythons(campaign, baseline_python, delta=delta, values=values),
        absolutes=plain_rows(campaign, every_absolute),
        costs=plain_rows(campaign, cost_model(campaign, values=values)),
        control=control_health(everything),
        everything=everything,
        every_absolute=every_absolute,
        observations=seen,
        factories=compare_factories(campaign, delta=delta, values=values),
        collectors=compare_collectors(campaign, delta=delta, values=values),
        flips=flips(everything),
        head_start=head_start(campaign, every_absolute, seen),
        witness=campaign.witness,
    )
