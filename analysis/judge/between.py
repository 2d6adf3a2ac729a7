"""Two campaigns compared with each other, and the gate made of that.

They did not take turns, so the machine's drift between them is in every ratio: the comparison is
unpaired, of the rounds' own medians, and no verdict here is as good as one within a campaign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.estimate.intervals import Estimates, FloatArray, hodges_lehmann_shift
from analysis.judge import words
from analysis.judge.contrasts import CASE, Measured, in_columns
from analysis.judge.verdicts import MISSING, UNDECIDED
from analysis.read.campaign import Campaign

CAMPAIGN: Final = "campaign"
"""The axis of these rows."""


class IncomparableError(ValueError):
    """Two campaigns ought not to be compared; the message says why and what would allow it."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a comparison says to a build: ``regressions`` are proven beyond the limit, ``open`` are
    cells without values or without a verdict. Both are sentences.
    """

    regressions: tuple[str, ...]
    open: tuple[str, ...]


def check_comparable(base: Campaign, head: Campaign) -> None:
    """Raise IncomparableError when the machine or the measured code differs."""
    differences = [
        f"{what} ({one} and {other})"
        for what, one, other in (
            ("the machines", base.machine.get("id"), head.machine.get("id")),
            ("the hashes of the measured code", base.plan.code_hash[:12], head.plan.code_hash[:12]),
        )
        if one != other
    ]
    if differences:
        raise IncomparableError(
            f"{base.name} and {head.name} differ in {' and '.join(differences)}: their ratios "
            "would mean little; --allow-different compares them all the same"
        )


def between(base: Campaign, head: Campaign) -> pd.DataFrame:
    """Every cell of ``head`` compared with the same cell of ``base``: rows as of
    :func:`analysis.judge.contrasts.contrasts`, of the axis ``campaign``, single cases and headline
    metrics; a cell of only one campaign is missing.

    Cells are matched by Python too, unless each campaign has a single one: then the two Pythons are
    what is compared. Raises IncomparableError when they have no cell in common.
    """
    with_python = not len(base.interpreters) == len(head.interpreters) == 1
    ours, theirs = (_Cells(campaign, with_python=with_python) for campaign in (head, base))
    keys = list(dict.fromkeys((*theirs.of_key, *ours.of_key)))
    if not ours.of_key.keys() & theirs.of_key.keys():
        raise IncomparableError(
            f"{base.name} and {head.name} have no cell in common: measure the same cases"
        )
    rows = []
    estimates: list[tuple[float, float, float, int]] = []
    for key in keys:
        own, other = ours.rounds(key), theirs.rounds(key)
        side = ours if key in ours.of_key else theirs
        fewest = min(len(own), len(other))
        lacking = base.name if not len(other) else head.name
        rows.append(
            {
                **side.identity(key),
                "campaign": head.name,
                "axis": CAMPAIGN,
                "compared": head.name,
                "against": base.name,
                "subject": ours.contender(key),
                "reference": theirs.contender(key),
                "reason": "" if fewest else f"not measured in {lacking}",
                **{f"value{end}": x for end, x in ours.amounts(key).items()},
                **{f"reference_value{end}": x for end, x in theirs.amounts(key).items()},
            }
        )
        if fewest:
            shift = hodges_lehmann_shift(other, own)
            estimates.append((shift.value, shift.low, shift.high, fewest))
        else:
            estimates.append((np.nan, -np.inf, np.inf, 0))
    value, low, high, rounds = np.array(estimates).T
    frame = pd.DataFrame(rows).astype({"tasks": "Int64"})
    return in_columns(frame, Estimates(value, low, high, rounds.astype(np.int64)))


def gate(comparison: pd.DataFrame, limit: float) -> Gate:
    """Judge a frame of :func:`between`: a regression is proven when the whole 95 % interval lies
    beyond ``limit`` (a share, 0.03 is 3 %).
    """
    regressions, unknown = [], []
    for row in comparison.to_dict("records"):
        where = f"{row['case']} {row['loop']} {row['strategy']}"
        change = words.change_interval(row["ratio"], row["low"], row["high"])
        if row["verdict"] == MISSING:
            unknown.append(f"{where}: {row['reason']}")
        elif row["low"] > 1 + limit:
            regressions.append(f"{where}: {change}")
        elif row["verdict"] == UNDECIDED:
            unknown.append(f"{where}: undecided, {change}")
    return Gate(tuple(regressions), tuple(unknown))


class _Cells:
    """The cells of a campaign's headline metrics, the control's apart, by what they are."""

    def __init__(self, campaign: Campaign, *, with_python: bool) -> None:
        self._measured = Measured(campaign)
        self._campaign = campaign
        asked = self._measured.asked
        self.of_key: dict[tuple[str, ...], tuple[int, int]] = {
            (
                campaign.cases[case].id,
                str(self._measured.metric[measure]),
                one.python if with_python else "",
                *(one.loop, one.task_factory, one.collector, one.strategy),
            ): (index, measure)
            for measure, case in enumerate(self._measured.case.tolist())
            if self._measured.headline[measure]
            for index, one in enumerate(campaign.contenders)
            if one.role != "control" and asked[index, measure]
        }

    def _cell(self, key: tuple[str, ...]) -> int:
        index, measure = self.of_key[key]
        return measure * self._measured.contenders + index

    def rounds(self, key: tuple[str, ...]) -> FloatArray:
        """ln(value) of each round that has values; none for a cell that was not planned."""
        if key not in self.of_key:
            return np.empty(0)
        levels: FloatArray = self._measured.levels[self._cell(key)]
        return levels[np.isfinite(levels)]

    def amounts(self, key: tuple[str, ...]) -> dict[str, float]:
        """The value with its interval, in its unit; nan for a cell that was not planned."""
        if key not in self.of_key:
            return dict.fromkeys(("", "_low", "_high"), np.nan)
        values, cell = self._measured.values, self._cell(key)
        parts = (("", values.value), ("_low", values.low), ("_high", values.high))
        return {end: float(np.exp(part[cell])) for end, part in parts}

    def contender(self, key: tuple[str, ...]) -> str:
        """The contender's id; empty for a cell that was not planned."""
        return self._campaign.contenders[self.of_key[key][0]].id if key in self.of_key else ""

    def identity(self, key: tuple[str, ...]) -> dict[str, object]:
        index, measure = self.of_key[key]
        one = self._campaign.contenders[index]
        case = self._campaign.cases[int(self._measured.case[measure])]
        return {
            "scope": CASE,
            "control": False,
            "default": True,
            "python": one.python,
            "loop": one.loop,
            "task_factory": one.task_factory,
            "collector": one.collector,
            "strategy": one.strategy,
            "probe": case.probe,
            "metric": self._measured.metric[measure],
            "headline": True,
            "workload": case.workload,
            "tasks": case.tasks,
            "pause": case.pause,
            "case": case.id,
            "cases": 1,
            "unit": self._measured.unit[measure],
            "family": "",
            "same_build": True,
        }
