"""Two campaigns held against each other, and the gate made of that.

They did not take turns, so the machine's drift between them is in every ratio: the comparison is
unpaired, of the rounds' own medians, and no verdict here is as good as one within a campaign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.campaign import Campaign, Contender
from analysis.comparisons import (
    DELTA,
    MISSING,
    THROUGHPUT,
    UNDECIDED,
    noise_floors,
    verdicts,
)
from analysis.estimates import FloatArray, hodges_lehmann_shift
from analysis.medians import Values, values_of

CONFIDENCES = (0.95, 0.90)


class IncomparableError(ValueError):
    """Two campaigns that ought not to be compared; the message says why, and what would allow it."""


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
    larger of both campaigns' noise floors; ``seconds`` of a batch.
    """
    values = {"base": values_of(base), "head": values_of(head)}
    single = len(base.interpreters) == len(head.interpreters) == 1
    cells = {
        "base": _cells(base, values["base"], with_python=not single),
        "head": _cells(head, values["head"], with_python=not single),
    }
    floors = {side: noise_floors(values[side]) for side in values}
    rows = []
    for key in dict.fromkeys((*cells["base"], *cells["head"])):
        found = {side: cells[side].get(key) for side in cells}
        rounds = {
            side: _rounds(values[side], cell) if cell is not None else np.empty(0)
            for side, cell in found.items()
        }
        rows.append(
            {
                **dict(zip(_KEY, key, strict=True)),
                **{f"{side}_rounds": len(of_side) for side, of_side in rounds.items()},
                **{f"{side}_seconds": _middle(of_side) for side, of_side in rounds.items()},
                **_shift(rounds["base"], rounds["head"]),
                "floor": max(
                    floors[side][cell // values[side].contenders]
                    for side, cell in found.items()
                    if cell is not None
                ),
            }
        )
    frame = pd.DataFrame(rows, columns=[*_KEY, *_COLUMNS])
    throughput = frame["probe"] == THROUGHPUT
    for side in values:
        per_task = frame[f"{side}_seconds"] / frame["tasks"] * 1e9
        frame[f"{side}_ns_per_task"] = per_task.where(throughput)
    return frame.assign(verdict=_judged(frame, delta))


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


_KEY = ("case", "probe", "workload", "tasks", "metric", "python", "loop", "task_factory", "strategy")
_COLUMNS = (
    *("base_rounds", "head_rounds", "base_seconds", "head_seconds"),
    *("ratio", "low", "high", "low90", "high90", "floor"),
)
_Key = tuple[str, str, str, int, str, str, str, str, str]


def _cells(campaign: Campaign, values: Values, *, with_python: bool) -> dict[_Key, int]:
    """The cell of every headline metric of every contender but the control, by what it is."""
    count = len(campaign.contenders)

    def python(contender: Contender) -> str:
        return contender.python if with_python else ""

    return {
        (
            *(one.case.id, one.case.probe, one.case.workload, one.case.tasks, one.metric),
            *(python(who), who.loop, who.task_factory, who.strategy),
        ): measure * count + contender
        for measure, one in enumerate(values.measures)
        if one.is_headline
        for contender, who in enumerate(campaign.contenders)
        if who.role != "control"
    }


def _rounds(values: Values, cell: int) -> FloatArray:
    """ln(seconds) of each round that has values."""
    rounds = values.absolute[cell]
    of_cell: FloatArray = rounds[np.isfinite(rounds)]
    return of_cell


def _middle(log_seconds: FloatArray) -> float:
    return float(np.exp(np.median(log_seconds))) if len(log_seconds) else float("nan")


def _shift(base: FloatArray, head: FloatArray) -> dict[str, float]:
    if not (len(base) and len(head)):
        return dict.fromkeys(("ratio", "low", "high", "low90", "high90"), float("nan"))
    at95, at90 = (hodges_lehmann_shift(base, head, confidence) for confidence in CONFIDENCES)
    shown = {
        **{"ratio": at95.value, "low": at95.low, "high": at95.high},
        **{"low90": at90.low, "high90": at90.high},
    }
    return {name: float(np.exp(value)) for name, value in shown.items()}


def _judged(frame: pd.DataFrame, delta: float) -> list[str]:
    measured = (frame["base_rounds"] > 0) & (frame["head_rounds"] > 0)
    with np.errstate(divide="ignore"):
        logs = {name: np.log(frame[name].to_numpy()) for name in ("low", "high", "low90", "high90")}
    return verdicts(
        low=np.column_stack([logs["low"], logs["low90"]]),
        high=np.column_stack([logs["high"], logs["high90"]]),
        floor=frame["floor"].to_numpy(),
        delta=delta,
        measured=measured.to_numpy(),
    ).tolist()
