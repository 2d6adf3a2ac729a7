"""Arrays of a journal -> tidy pandas frames, a row per value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import union_categoricals

from analysis.campaign import BYTE, Campaign, Contender, Plan
from analysis.journal import Journal, Observed

COLUMNS = (
    "campaign",
    "machine",
    "python",
    "build",
    "loop",
    "task_factory",
    "collector",
    "strategy",
    "role",
    "contender",
    "case",
    "probe",
    "metric",
    "workload",
    "tasks",
    "pause",
    "round",
    "sweep",
    "loops",
    "seconds",
    "bytes",
)
"""Of every frame of values; :func:`with_conditions` adds ``condition_...``. A value stands in
``seconds`` or in ``bytes``, as the metric has it; the other one is nan.
"""

JOURNAL_COLUMNS = (
    "round",
    "case",
    "started",
    "wall_seconds",
    "steal_seconds",
    "timed_seconds",
    "cells",
    "failures",
)

OBSERVED_COLUMNS = ("contender", "case", "round", "name", "value")

MAX_CONDITIONS = 50


def values_frame(plan: Plan, journal: Journal) -> pd.DataFrame:
    """The values of a journal, columns :data:`COLUMNS`; what is no value (nan) is left out."""
    contender = np.repeat(journal.contender, journal.count)
    case = np.repeat(journal.case, journal.count)
    starts = np.cumsum(journal.count) - journal.count
    sweep = np.arange(len(journal.values)) - np.repeat(starts, journal.count)
    metrics = list(dict.fromkeys(metric for c in plan.cases for metric in c.metrics))
    codes = _metric_codes(plan, metrics)
    metric = codes[journal.case, journal.metric] if len(journal.case) else journal.metric
    everything = np.zeros(len(contender), dtype=np.int64)
    metric_of_value = np.repeat(metric, journal.count)
    in_bytes = _in_bytes(plan, metrics)[case, metric_of_value] if len(case) else case > 0
    by_contender: dict[str, list[str]] = {
        "python": [c.python for c in plan.contenders],
        "build": [c.build for c in plan.contenders],
        "loop": [c.loop for c in plan.contenders],
        "task_factory": [c.task_factory for c in plan.contenders],
        "collector": [c.collector for c in plan.contenders],
        "strategy": [c.strategy for c in plan.contenders],
        "role": [c.role for c in plan.contenders],
        "contender": [c.id for c in plan.contenders],
    }
    by_case = {
        "case": [c.id for c in plan.cases],
        "probe": [c.probe for c in plan.cases],
        "workload": [c.workload for c in plan.cases],
        "pause": [c.pause for c in plan.cases],
    }
    columns: dict[str, pd.Categorical | NDArray[Any]] = {
        "campaign": _categories([plan.name], everything),
        "machine": _categories([str(plan.machine.get("id", ""))], everything),
        **{name: _categories(labels, contender) for name, labels in by_contender.items()},
        **{name: _categories(labels, case) for name, labels in by_case.items()},
        "metric": _categories(metrics, metric_of_value),
        "tasks": np.array([c.tasks for c in plan.cases], dtype=np.int64)[case],
        "round": np.repeat(journal.round, journal.count),
        "sweep": sweep,
        "loops": np.repeat(journal.loops, journal.count),
        "seconds": np.where(in_bytes, np.nan, journal.values),
        "bytes": np.where(in_bytes, journal.values, np.nan),
    }
    sound = ~np.isnan(journal.values)
    frame = pd.DataFrame({name: columns[name] for name in COLUMNS})
    return frame if sound.all() else frame[sound].reset_index(drop=True)


def _metric_codes(plan: Plan, metrics: Sequence[str]) -> NDArray[np.int64]:
    """From a case's own metric index to that in ``metrics``; shape (cases, most metrics)."""
    index = {metric: i for i, metric in enumerate(metrics)}
    most = max((len(case.metrics) for case in plan.cases), default=0)
    codes = np.zeros((len(plan.cases), most), dtype=np.int64)
    for row, case in enumerate(plan.cases):
        codes[row, : len(case.metrics)] = [index[metric] for metric in case.metrics]
    return codes


def _in_bytes(plan: Plan, metrics: Sequence[str]) -> NDArray[np.bool_]:
    """Whether a case has a metric in bytes; shape (cases, metrics)."""
    rows = [[case.unit(metric) == BYTE for metric in metrics] for case in plan.cases]
    return np.array(rows, dtype=bool).reshape(len(plan.cases), len(metrics))


def _categories(labels: Sequence[str], index: NDArray[np.int64]) -> pd.Categorical:
    """The label of each index, as a categorical: equal labels become one category."""
    code_of: dict[str, int] = {}
    codes = np.array([code_of.setdefault(label, len(code_of)) for label in labels], dtype=np.int64)
    taken = codes[index] if len(codes) else index
    return pd.Categorical.from_codes(taken, categories=pd.Index(list(code_of), dtype=object))


def journal_frame(plan: Plan, journal: Journal) -> pd.DataFrame:
    """A row per journal line, columns :data:`JOURNAL_COLUMNS`."""
    return pd.DataFrame(
        {
            name: [
                plan.cases[fact.case].id if name == "case" else getattr(fact, name)
                for fact in journal.facts
            ]
            for name in JOURNAL_COLUMNS
        },
        columns=list(JOURNAL_COLUMNS),
    )


def observed_frame(plan: Plan, observed: Observed) -> pd.DataFrame:
    """A row per contender, case, round and name, columns :data:`OBSERVED_COLUMNS`.

    ``value`` is the mean over sweeps. Rows with a number that cannot be are left out.
    """
    starts = np.cumsum(observed.count) - observed.count
    sums = np.add.reduceat(observed.numbers, starts) if len(starts) else observed.numbers
    columns: dict[str, pd.Categorical | NDArray[Any]] = {
        "contender": _categories([c.id for c in plan.contenders], observed.contender),
        "case": _categories([c.id for c in plan.cases], observed.case),
        "round": observed.round,
        "name": _categories(observed.names, observed.name),
        "value": sums / observed.count,
    }
    frame = pd.DataFrame({name: columns[name] for name in OBSERVED_COLUMNS})
    return frame.dropna().reset_index(drop=True)


def with_conditions(campaign: Campaign) -> pd.DataFrame:
    """The values with a column for everything the workers proved about themselves."""
    contenders = campaign.contenders
    names = list(dict.fromkeys(name for c in contenders for name in c.conditions))
    index = np.asarray(campaign.frame["contender"].cat.codes, dtype=np.int64)
    return campaign.frame.assign(
        **{
            f"condition_{name}": _categories(_condition(contenders, name), index)
            for name in names[:MAX_CONDITIONS]
        }
    )


def _condition(contenders: Sequence[Contender], name: str) -> list[str]:
    return [str(contender.conditions.get(name, "")) for contender in contenders]


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Frames of several campaigns, one below the other."""
    if len(frames) == 1:
        return frames[0]
    if not frames:
        return values_frame(Plan(), Journal.empty())
    names = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    joined: dict[str, object] = {}
    for name in names:
        parts = [_column(frame, name) for frame in frames]
        if isinstance(parts[0].dtype, pd.CategoricalDtype):
            joined[name] = union_categoricals(parts)
        else:
            joined[name] = np.concatenate(parts)
    return pd.DataFrame(joined)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name in frame:
        return frame[name]
    return pd.Series(_categories([""], np.zeros(len(frame), dtype=np.int64)))
