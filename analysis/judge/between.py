"""Two campaigns compared with each other, and the gate made of that.

They did not take turns, so the machine's drift between them is in every ratio: the comparison is
unpaired, of the rounds' own medians, and no verdict here is as good as one within a campaign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.estimate.intervals import Estimates, hodges_lehmann_shift
from analysis.judge import words
from analysis.judge.contrasts import CASE, Measured, with_verdicts
from analysis.judge.findings import absolutes
from analysis.judge.verdicts import MISSING, UNDECIDED
from analysis.read.campaign import CONTROL, Campaign

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
    single = len(base.interpreters) == len(head.interpreters) == 1
    keys = [*_KEYS, *([] if single else ["python"])]
    theirs, ours = (_cells(campaign) for campaign in (base, head))
    both = theirs.merge(ours, on=keys, how="outer", suffixes=("_base", "_head"))
    both = both.sort_values(["place_base", "place_head"], ignore_index=True)
    in_base, in_head = both["contender_base"].notna(), both["contender_head"].notna()
    if not (in_base & in_head).any():
        raise IncomparableError(
            f"{base.name} and {head.name} have no cell in common: measure the same cases"
        )

    def either(name: str) -> pd.Series:
        return both[f"{name}_head"].combine_first(both[f"{name}_base"])

    shifts = [
        hodges_lehmann_shift(one, two) if isinstance(one, list) and isinstance(two, list) else None
        for one, two in zip(both["levels_base"], both["levels_head"], strict=True)
    ]
    rounds = both[["rounds_base", "rounds_head"]].min(axis=1).where(in_base & in_head, 0)
    lacking = np.where(in_base, head.name, base.name)
    alike = (
        *("pattern", "limit", "probe", "headline", "workload", "tasks", "pause"),
        *("cases", "unit", "scope"),
    )
    amounts = ("value", "value_low", "value_high")
    frame = pd.DataFrame(
        {
            "campaign": head.name,
            "axis": CAMPAIGN,
            "control": False,
            "default": True,
            "compared": head.name,
            "against": base.name,
            "subject": both["contender_head"].fillna(""),
            "reference": both["contender_base"].fillna(""),
            "python": either("python") if single else both["python"],
            **{name: both[name] for name in _KEYS},
            **{name: either(name) for name in alike},
            **{name: both[f"{name}_head"] for name in amounts},
            **{f"reference_{name}": both[f"{name}_base"] for name in amounts},
            "reason": np.where(in_base & in_head, "", "not measured in " + lacking),
            "family": "",
            "same_build": (both["build_base"] == both["build_head"]) | ~(in_base & in_head),
        }
    )
    estimates = Estimates(
        np.array([shift.value if shift else np.nan for shift in shifts]),
        np.array([shift.low if shift else -np.inf for shift in shifts]),
        np.array([shift.high if shift else np.inf for shift in shifts]),
        rounds.to_numpy(dtype=np.int64),
    )
    return with_verdicts(frame, estimates)


_KEYS: Final = ("case", "metric", "loop", "task_factory", "collector", "strategy")
"""What a cell is, apart from its Python."""


def _cells(campaign: Campaign) -> pd.DataFrame:
    """The absolutes of single cases and headline metrics, without the control.

    ``levels`` are ln(value) of each round, ``place`` is that in the plan, ``build`` a Family.
    """
    measured = Measured(campaign)
    frame = absolutes(measured)
    frame = frame[(frame["scope"] == CASE) & frame["headline"] & (frame["role"] != CONTROL)]
    measured_cells = np.flatnonzero(measured.values.rounds > 0)  # what these rows are, in order
    of = measured.levels[measured_cells[frame.index]]
    builds = {one.name: one.family for one in campaign.interpreters}
    build_of = {one.id: builds[one.interpreter] for one in campaign.contenders}
    return frame.assign(
        levels=[row[np.isfinite(row)].tolist() for row in of],
        place=range(len(frame)),
        build=frame["contender"].map(build_of),
    )


def gate(comparison: pd.DataFrame, limit: float) -> Gate:
    """Judge a frame of :func:`between`: a regression is proven when the whole 95 % interval lies
    beyond ``limit`` (a share, 0.03 is 3 %).
    """
    regressions, unknown = [], []
    for row in comparison.to_dict("records"):
        where = f"{row['case']}, {row['subject'] or row['reference']}"
        change = words.change_interval(row["ratio"], row["low"], row["high"])
        if row["verdict"] == MISSING:
            unknown.append(f"{where}: {row['reason']}")
        elif row["low"] > 1 + limit:
            regressions.append(f"{where}: {change}")
        elif row["verdict"] == UNDECIDED:
            unknown.append(f"{where}: undecided, {change}")
    return Gate(tuple(regressions), tuple(unknown))
