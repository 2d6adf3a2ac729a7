"""Two campaigns compared with each other, and the gate made of that.

They did not take turns, so the machine's drift between them is in every ratio: the comparison is
unpaired, of what the rounds say, and no verdict here is as good as one within a campaign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.estimate.intervals import Estimates, FloatArray, hodges_lehmann_shift
from analysis.judge import words
from analysis.judge.contrasts import CASE, ERROR_FLOOR, Measured, with_verdicts
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

    errors = [
        _errors_apart(base.name, *shares) if in_both else ""
        for *shares, in_both in zip(
            both["errors_base"], both["errors_head"], in_base & in_head, strict=True
        )
    ]
    shifts = [
        hodges_lehmann_shift(one, two) if in_both and not apart else None
        for one, two, in_both, apart in zip(
            both["levels_base"], both["levels_head"], in_base & in_head, errors, strict=True
        )
    ]
    has_shift = np.array([shift is not None for shift in shifts])
    rounds = both[["rounds_base", "rounds_head"]].min(axis=1).where(has_shift, 0)
    lacking = np.where(in_base, head.name, base.name)
    alike = ("pattern", "limit", "probe", "headline", "workload", "tasks", "pause", "unit")
    amounts = ("value", "value_low", "value_high")
    frame = pd.DataFrame(
        {
            "campaign": head.name,
            "axis": CAMPAIGN,
            "scope": CASE,
            "cases": 1,
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
            "reason": np.where(in_base & in_head, errors, "not measured in " + lacking),
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
    """The absolutes of headline metrics, without the control.

    ``levels`` are ln(value) of each round, ``errors`` shares of calls that raised, ``place`` is
    that in the plan, ``build`` a Family.
    """
    measured = Measured(campaign)
    frame = absolutes(measured)
    frame = frame[frame["headline"] & (frame["role"] != CONTROL)]
    measured_cells = np.flatnonzero(measured.values.rounds > 0)  # what these rows are, in order
    cells = measured_cells[frame.index]
    case = measured.case[cells // measured.contenders]
    errors = measured.error_shares[cells % measured.contenders * len(campaign.cases) + case]
    builds = {one.name: one.family for one in campaign.interpreters}
    build_of = {one.id: builds[one.interpreter] for one in campaign.contenders}
    return frame.assign(
        levels=[row[np.isfinite(row)] for row in measured.levels[cells]],
        errors=[row[np.isfinite(row)] for row in errors],
        place=range(len(frame)),
        build=frame["contender"].map(build_of),
    )


def _errors_apart(base_name: str, base: FloatArray, head: FloatArray) -> str:
    """Where the shares of calls that raised differ by more than a point: both, in words."""
    if not (len(base) and len(head) and (base.any() or head.any())):
        return ""
    found = hodges_lehmann_shift(base, head)
    if found.low <= ERROR_FLOOR and found.high >= -ERROR_FLOOR:
        return ""
    own, its = (words.share(float(of.mean())) for of in (head, base))
    return f"{own} of its calls have failed, {its} in {base_name}"


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
