"""The ledger: every published claim (:mod:`analysis.judge.claims`) checked against campaigns.

A *reading* is one measured number with its interval. It lies *inside* the claimed interval, or
*outside*, or *between*, which overlaps one of its ends. The verdict is read off these, which are
printed, and off nothing else:

==================  ==============================================================================
reproduced          EACH and MEAN: every reading lies inside; BEST: one does
not reproduced      EACH and MEAN: one lies outside; BEST: every one does
undecided           neither: the intervals overlap the ends of the claimed one
conditions not met  nothing was measured that the claim is about; what is missing is said
==================  ==============================================================================

A ratio of the answer, or of a table of means, has the interval that it has there. All others that
the claims use of one campaign are one family more: their intervals hold together, so that one of
many does not lie outside by chance. What was only observed beside the timed values has
its least and greatest round in place of an interval. A program holds in every run, or it does not.

Pythons of different kinds of build are never compared here: the ratio would be the build's too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from analysis.judge import words
from analysis.judge.claims import (
    BEST,
    CLAIMS,
    MEAN,
    NOT_MET,
    VERDICTS,
    Check,
    Claim,
    ProgramHolds,
    Pythons,
    RatioOf,
    Reading,
    version_numbers,
)
from analysis.judge.contrasts import CASE, COMPUTING, as_family, flipped
from analysis.judge.findings import Findings
from analysis.judge.verdicts import MISSING
from analysis.read.campaign import CONTROL, Interpreter, python_order
from benchmarks.campaign.schema import USUAL_COLLECTOR, ProgramRun

FAMILY: Final = "claims"


def ledger(campaigns: Sequence[Findings], claims: Sequence[Claim] = CLAIMS) -> list[Check]:
    """Every claim checked against every campaign: a check for each Python that it is about.

    Where no campaign meets a claim's conditions, one check says what each of them lacks.
    """
    found: list[Check] = []
    for of_claim in zip(*(_checks(findings, claims) for findings in campaigns), strict=True):
        checks = [check for of_campaign in of_claim for check in of_campaign]
        met = [check for check in checks if check.verdict != NOT_MET]
        names = ", ".join(dict.fromkeys(check.campaign for check in checks))
        lacking = [f"{one.campaign}: {one.missing}" for one in checks]
        missing = "; ".join(lacking) if len(checks) > 1 else checks[0].missing
        found += met or [replace(checks[0], campaign=names, missing=missing)]
    return found


def decided(check: Check, readings: Sequence[Reading]) -> Check:
    """The check with its readings, at least one, and the verdict that the one shown decides: the
    least favourable one or, of a claim that there is such a cell, the most favourable one.
    """
    claimed = check.claim.claimed

    def favour(one: Reading) -> tuple[int, float]:
        """By where it lies, then by how far inside the estimate is."""
        ends = ((one.value, claimed.low), (claimed.high, one.value))
        away = min(a / b if b else math.inf for a, b in ends)
        return list(VERDICTS).index(claimed.place(one.low, one.high)), away

    pick = max if check.claim.contrast.over == BEST else min
    shown = pick(readings, key=favour)
    verdict = VERDICTS[claimed.place(shown.low, shown.high)]
    return replace(check, verdict=verdict, readings=tuple(readings), shown=shown)


# --- what a claim asks of a campaign --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    """The rows that a claim asks for of one Python. ``is_ratio``: they are contrasts; ``turned``:
    the claim has their subject and reference the other way round.
    """

    check: Check
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    is_ratio: bool = False
    turned: bool = False


def _checks(findings: Findings, claims: Sequence[Claim]) -> list[list[Check]]:
    """The checks of each claim, always at least one."""
    asked = [_asked(claim, findings) for claim in claims]
    note = "" if findings.control.proven else "the campaign is unproven"
    ratios = {i for of in asked for one in of if one.is_ratio for i in one.rows.index}
    used = findings.contrasts.loc[sorted(ratios)]
    others = as_family(findings.compared, used[used["family"] == ""], FAMILY)
    family = pd.concat([used[used["family"] != ""], others])

    def checked(one: _Asked) -> Check:
        if one.rows.empty:
            return one.check
        rows = family.loc[one.rows.index] if one.is_ratio else one.rows
        readings = _readings(flipped(rows) if one.turned else rows, findings)
        timed = one.check.claim.claimed.quantity not in ("share", "holds")  # else nothing to prove
        return replace(decided(one.check, readings), note=note * timed)

    return [[checked(one) for one in of_claim] for of_claim in asked]


def _asked(claim: Claim, findings: Findings) -> list[_Asked]:
    """What the claim asks of each Python that it is about, the oldest first; or, where it can be
    asked of none, what is missing.
    """
    campaign, conditions = findings.campaign, claim.conditions
    system, check = str(campaign.machine.get("system") or ""), Check(claim, campaign.name)
    pythons = sorted(campaign.interpreters, key=lambda one: python_order(one.label))
    able = [one for one in pythons if conditions.met_by(one)]
    if not system.startswith(conditions.system):
        missing = f"the system is {system or 'not stated'}, not {conditions.system}"
    elif not able:
        have = f"is in the campaign, which has {words.listed(one.label for one in pythons)}"
        missing = f"no suitable build of {conditions.pythons} {have}"
    else:
        asked = [_asked_of(replace(check, python=one.label), findings, one) for one in able]
        if found := [one for one in asked if len(one.rows)]:
            return found
        lacking: dict[str, list[str]] = {}
        for one in able:
            lacking.setdefault(_missing(claim, findings, one), []).append(one.label)
        missing = "; ".join(f"Python {words.listed(of)}: {why}" for why, of in lacking.items())
    return [_Asked(replace(check, missing=missing))]


def _asked_of(check: Check, findings: Findings, python: Interpreter) -> _Asked:
    claim, contrast = check.claim, check.claim.contrast
    if not isinstance(contrast, RatioOf):
        rows = _values(claim, findings, python)
        return _Asked(check, rows[rows["value"].notna()])
    rows, wanted = findings.contrasts, _wanted(claim, python)
    rows = _in(rows, {"axis": [contrast.axis], "headline": [True], "control": [False]})
    rows = rows[rows["same_build"] & (rows["verdict"] != MISSING)]
    rows = rows[(rows["scope"] == CASE) == (contrast.over != MEAN)]
    wanted["compared"] = wanted.pop(contrast.axis)
    for turned in (False, True):
        found = _in(flipped(rows) if turned else rows, wanted)
        found = found[found["against"] == _reference(claim, findings, list(found["against"]))]
        if len(found):
            return _Asked(check, found, True, turned)
    return _Asked(check)


def _reference(claim: Claim, findings: Findings, measured: Sequence[str]) -> str:
    """The value on the axis that is compared with; of Pythons the newest that was measured."""
    against = getattr(claim.contrast, "against", "")
    if not isinstance(against, Pythons):
        return str(against)
    others = {
        version_numbers(one.version): one.label
        for one in findings.campaign.interpreters
        if claim.conditions.met_by(one, against) and one.label in measured
    }
    return others[max(others)] if others else ""


def _values(claim: Claim, findings: Findings, python: Interpreter) -> pd.DataFrame:
    """The rows of a claim that is about no ratio: per task, observed, or of a program."""
    contrast, wanted = claim.contrast, _wanted(claim, python)
    if isinstance(contrast, ProgramHolds):
        return _in(_programs(findings), wanted | {"program": contrast.programs})
    is_share = claim.claimed.quantity == "share"
    rows = findings.observations if is_share else findings.absolutes
    name = {"name" if is_share else "metric": [getattr(contrast, "name", "")]}
    return _in(rows[rows["role"] != CONTROL], wanted | name)


def _programs(findings: Findings) -> pd.DataFrame:
    """Every run of a program, as a row like those of what was observed; nan where it could not."""
    runs = findings.campaign.witness.runs if findings.campaign.witness else ()
    fields = list(ProgramRun.__struct_fields__)
    rows = pd.DataFrame([[getattr(run, name) for name in fields] for run in runs], columns=fields)
    label = {one.name: one.label for one in findings.campaign.interpreters}
    rows = rows.assign(python=rows["interpreter"].map(label), workload=rows["program"])
    rows = rows.assign(collector=USUAL_COLLECTOR, tasks=math.nan)
    holds = rows["holds"].astype(float)
    return rows.assign(value=holds, low=holds, high=holds)


def _wanted(claim: Claim, python: Interpreter) -> dict[str, Sequence[Any]]:
    """What rows must have, by the column; nothing for any."""
    contrast, conditions = claim.contrast, claim.conditions
    wanted: dict[str, Sequence[Any]] = {
        "python": [python.label],
        "loop": [conditions.loop] if conditions.loop else [],
        "task_factory": [conditions.task_factory],
        "collector": [conditions.collector],
        "strategy": contrast.strategies,
    }
    if not isinstance(contrast, ProgramHolds):
        cells = contrast.cells
        wanted |= {"probe": [cells.probe], "workload": cells.workloads}
        wanted |= {"pause": cells.pauses, "tasks": cells.tasks}
    return wanted


def _in(rows: pd.DataFrame, wanted: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """The rows that have one of the values in each column; no values stand for any."""
    keep = pd.Series(True, rows.index)
    for column, values in wanted.items():
        if values:
            keep &= rows[column].isin(values)
    return rows[keep]


def _readings(rows: pd.DataFrame, findings: Findings) -> tuple[Reading, ...]:
    """Of contrasts their ratios, of other rows their values."""
    is_ratio = "ratio" in rows
    prefix = "value_" if "value_low" in rows and not is_ratio else ""

    def what(row: Any) -> str:  # noqa: ANN401
        own = {getattr(row, "axis", ""): getattr(row, "compared", "")}
        strategy, loop = (
            findings.words.label(kind, own.get(kind, getattr(row, kind)))
            for kind in ("strategy", "loop")
        )
        workload = findings.words.label("workload", row.workload) if row.workload else COMPUTING
        tasks = "" if pd.isna(row.tasks) else f", {words.times(int(row.tasks), 'task')}"
        return f"{strategy} on {loop}, {workload}{tasks}".removeprefix(" on ")

    return tuple(
        Reading(
            what=what(row),
            value=getattr(row, "ratio" if is_ratio else "value"),
            low=getattr(row, f"{prefix}low"),
            high=getattr(row, f"{prefix}high"),
            contrast=int(str(row.Index)) if is_ratio else None,
        )
        for row in rows.itertuples()
    )


def _missing(claim: Claim, findings: Findings, python: Interpreter) -> str:
    """Why a claim has nothing to go by on one Python."""
    contrast, conditions, campaign = claim.contrast, claim.conditions, findings.campaign
    label = findings.words.label
    if isinstance(contrast, ProgramHolds):
        reasons = filter(None, dict.fromkeys(_values(claim, findings, python)["reason"]))
        program = f"the program {words.listed(contrast.programs)} was not run"
        return "; ".join(map(str, reasons)) or program
    contenders = [one for one in campaign.contenders if one.interpreter == python.name]
    wanted = _wanted(claim, python)
    for kind in ("loop", "task_factory", "collector", "strategy"):
        names = wanted[kind]
        if names and all(getattr(one, kind) not in names for one in contenders):
            skipped = [one for one in campaign.skipped if getattr(one.contender, kind) in names]
            asked = [one for one in skipped if one.contender.interpreter in (None, python.name)]
            why = [f" ({one.reason})" for one in asked]
            return (
                f"not measured with {words.listed(label(kind, of) for of in names)}{(*why, '')[0]}"
            )
    what, against = "measured", getattr(contrast, "against", "")
    if isinstance(against, Pythons):
        others = [one for one in campaign.interpreters if conditions.met_by(one, against)]
        builds = (f"Python {one.label}: {one.family.label}" for one in (python, *others))
        none = f"there is no {against} to compare with"
        return f"the builds differ ({'; '.join(builds)})" if others else none
    if isinstance(contrast, RatioOf):
        what = f"compared with {label(contrast.axis, against)}"
    cells = contrast.cells
    workloads = words.listed(label("workload", name) for name in cells.workloads if name)
    tasks = f" with {words.listed(map(words.count, cells.tasks))} tasks" * bool(cells.tasks)
    return f"not {what} in {label('probe', cells.probe)} of {workloads or 'what computes'}{tasks}"
