"""Two campaigns held against each other, and the gate made of that.

They did not take turns, so the machine's drift between them is in every ratio: the comparison is
unpaired, of the rounds' own medians, and no verdict here is as good as one within a campaign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.campaign import BYTE, SECOND, Campaign, Contender
from analysis.comparisons import THROUGHPUT, noise_floors
from analysis.estimates import FloatArray, RowEstimates, hodges_lehmann_shift
from analysis.medians import Values, values_of
from analysis.verdicts import DELTA, MISSING, UNDECIDED, judge

CONFIDENCES = (0.95, 0.90)


class IncomparableError(ValueError):
    """Two campaigns ought not to be compared; the message says why and what would allow it."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a comparison says to a build: ``regressions`` are proven beyond ``limit`` (a share),
    ``open`` are cells without values or without a verdict. Both are sentences.
    """

    limit: float
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


def compare_campaigns(base: Campaign, head: Campaign, *, delta: float = DELTA) -> pd.DataFrame:
    """Every cell of ``head`` against the same cell of ``base``: a row per case (headline metric),
    loop, task factory and strategy; cells of only one campaign are missing.

    Cells are matched by Python too, unless each campaign has a single one: then the two Pythons are
    what is compared. ``ratio`` is head over base with ``low``, ``high`` at 95 % and ``low90``,
    ``high90``, of :func:`analysis.estimates.hodges_lehmann_shift` over rounds; ``floor`` is the
    larger of both campaigns' noise floors; ``seconds`` of a batch, or ``bytes_per_task`` of what is
    measured in bytes.
    """
    values = {"base": values_of(base), "head": values_of(head)}
    campaigns = {"base": base, "head": head}
    single = len(base.interpreters) == len(head.interpreters) == 1
    cells = {
        side: _cells(campaigns[side], values[side], with_python=not single) for side in campaigns
    }
    floors = {side: noise_floors(campaigns[side], values[side]) for side in campaigns}
    keys = list(dict.fromkeys((*cells["base"], *cells["head"])))
    rounds = {side: [_rounds(values[side], cells[side].get(key)) for key in keys] for side in cells}
    estimates = _shifts(rounds["base"], rounds["head"])
    floor = np.array(
        [
            max(
                floors[side][cells[side][key] // values[side].contenders]
                for side in cells
                if key in cells[side]
            )
            for key in keys
        ]
    )
    frame = pd.DataFrame(keys, columns=list(_KEY))
    for side, of_side in rounds.items():
        frame[f"{side}_rounds"] = [len(of_cell) for of_cell in of_side]
        middles = pd.Series([_middle(of_cell) for of_cell in of_side], dtype=np.float64)
        seconds = middles.where(frame["unit"] == SECOND)
        frame[f"{side}_seconds"] = seconds
        per_task = seconds / frame["tasks_in_all"] * 1e9
        frame[f"{side}_ns_per_task"] = per_task.where(frame["probe"] == THROUGHPUT)
        frame[f"{side}_bytes_per_task"] = (
            middles.where(frame["unit"] == BYTE) / frame["tasks_in_all"]
        )
    return frame.assign(
        ratio=np.exp(estimates.value),
        low=np.exp(estimates.low[:, 0]),
        high=np.exp(estimates.high[:, 0]),
        low90=np.exp(estimates.low[:, 1]),
        high90=np.exp(estimates.high[:, 1]),
        floor=floor,
        verdict=judge(estimates, floor, delta).verdict,
    )


def gate(comparison: pd.DataFrame, limit: float) -> Gate:
    """Judge a frame of :func:`compare_campaigns`: a regression is proven when the whole 95 %
    interval lies beyond ``limit`` (a share, 0.03 is 3 %).
    """
    regressions, unknown = [], []
    for row in comparison.to_dict("records"):
        where = f"{row['case']} {row['loop']} {row['strategy']}"
        interval = f"{row['ratio']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        if row["verdict"] == MISSING:
            side = "base" if not row["base_rounds"] else "head"
            unknown.append(f"{where}: missing in {side}")
        elif row["low"] > 1 + limit:
            regressions.append(f"{where}: {interval}")
        elif row["verdict"] == UNDECIDED:
            unknown.append(f"{where}: undecided, {interval}")
    return Gate(limit, tuple(regressions), tuple(unknown))


_KEY = (
    "case",
    "probe",
    "workload",
    "tasks",
    "tasks_in_all",
    "metric",
    "unit",
    "python",
    "loop",
    "task_factory",
    "collector",
    "strategy",
)
_Key = tuple[str, str, str, int, int, str, str, str, str, str, str, str]


def _cells(campaign: Campaign, values: Values, *, with_python: bool) -> dict[_Key, int]:
    """The cell of every headline metric of every contender but the control, by what it is."""
    count = len(campaign.contenders)

    def python(contender: Contender) -> str:
        return contender.python if with_python else ""

    return {
        (
            *(one.case.id, one.case.probe, one.case.workload, one.case.tasks),
            *(one.tasks_in_all, one.metric, one.unit),
            *(python(who), who.loop, who.task_factory, who.collector, who.strategy),
        ): measure * count + contender
        for measure, one in enumerate(values.measures)
        if one.is_headline
        for contender, who in enumerate(campaign.contenders)
        if who.role != "control" and values.asked[measure * count + contender]
    }


def _rounds(values: Values, cell: int | None) -> FloatArray:
    """ln(seconds) of each round that has values; none for a cell that was not planned."""
    if cell is None:
        return np.empty(0)
    rounds = values.absolute[cell]
    of_cell: FloatArray = rounds[np.isfinite(rounds)]
    return of_cell


def _middle(logs: FloatArray) -> float:
    return float(np.exp(np.median(logs))) if len(logs) else float("nan")


def _shifts(base: Sequence[FloatArray], head: Sequence[FloatArray]) -> RowEstimates:
    """The shift of every cell, as rows; ``rounds`` is that of the smaller side. No p-values."""
    value = np.full(len(base), np.nan)
    low = np.full((len(base), len(CONFIDENCES)), -np.inf)
    high = np.full((len(base), len(CONFIDENCES)), np.inf)
    rounds = np.array([min(len(b), len(h)) for b, h in zip(base, head, strict=True)], np.int64)
    for row in np.flatnonzero(rounds).tolist():
        for column, confidence in enumerate(CONFIDENCES):
            shift = hodges_lehmann_shift(base[row], head[row], confidence)
            value[row], low[row, column], high[row, column] = shift.value, shift.low, shift.high
    return RowEstimates(value, low, high, np.full(len(base), np.nan), rounds, CONFIDENCES)
