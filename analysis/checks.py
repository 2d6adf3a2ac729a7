"""Published claims held against campaigns: the ledger.

The rule is that of :mod:`analysis.readings`. Pythons of different builds are never held against
each other here: the ratio would be the build's too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis import style
from analysis.campaign import Campaign, Case, Contender, Interpreter
from analysis.claims import (
    CLAIMS,
    EACH,
    MEAN,
    Cells,
    Claim,
    Conditions,
    ObservedOf,
    Over,
    PerTask,
    ProgramHolds,
    Pythons,
    RatioOf,
    version_numbers,
)
from analysis.contrasts import CellReference, Counterpart, Measured, Ratio
from analysis.findings import Findings
from analysis.readings import NOT_MET, Reading, Verdict, claimed_words, decide, place, reading_words
from analysis.tables import Column, Table


@dataclass(frozen=True, slots=True)
class Check:
    """A claim held against one Python of one campaign (none of them where nothing was measured).

    ``decisive`` is the cell that is shown: the least favourable one, or the most favourable one of
    claims that such a cell exists. ``readings`` are all; ``missing`` says which conditions are not
    met, ``note`` what else must be known.
    """

    claim: Claim
    campaign: str
    python: str
    verdict: Verdict
    decisive: Reading | None = None
    readings: tuple[Reading, ...] = ()
    missing: str = ""
    note: str = ""

    @property
    def claimed(self) -> str:
        """The claimed interval in words."""
        return claimed_words(self.claim.claimed)

    @property
    def ours(self) -> str:
        """Our figure with its interval, in words; empty where there is none."""
        return reading_words(self.decisive, self.claim.claimed) if self.decisive else ""

    @property
    def count(self) -> str:
        """How many cells or runs the verdict rests on, and how many agree with the claim."""
        if not self.readings:
            return ""
        places = [place(one, self.claim.claimed) for one in self.readings]
        agree = "hold" if isinstance(self.claim.contrast, ProgramHolds) else "inside"
        return f"{places.count('inside')} of {len(places)} {agree}"


class _NotMetError(Exception):
    """Nothing was measured that a claim is about; the message says what is missing."""


# --- checking -------------------------------------------------------------------------------------


def ledger(campaigns: Sequence[Findings], claims: Sequence[Claim] = CLAIMS) -> list[Check]:
    """Every claim held against every campaign: a check for each Python that it is about.

    Where no campaign meets a claim's conditions, one check says what each of them lacks.
    """
    measured = [(findings, Measured(findings.campaign)) for findings in campaigns]
    checks: list[Check] = []
    for claim in claims:
        of_claim = [one for both in measured for one in check(claim, *both)]
        met = [one for one in of_claim if one.verdict != NOT_MET]
        checks += met or (of_claim[:1] and [_none_met(claim, of_claim)])
    return checks


def _none_met(claim: Claim, checks: Sequence[Check]) -> Check:
    several = len(checks) > 1
    said = dict.fromkeys(
        f"{one.campaign}: {one.missing}" if several else one.missing for one in checks
    )
    names = ", ".join(dict.fromkeys(one.campaign for one in checks))
    return Check(claim, names, "", NOT_MET, missing="; ".join(said))


def check(claim: Claim, findings: Findings, measured: Measured) -> list[Check]:
    """The claim held against each Python of a campaign that it is about, oldest first.

    Always at least one: where the conditions are not met, it says what is missing.
    """
    campaign = findings.campaign
    try:
        interpreters = _interpreters(claim.conditions, campaign)
    except _NotMetError as lacking:
        return [Check(claim, campaign.name, "", NOT_MET, missing=str(lacking))]
    checks, missing = [], []
    for interpreter in interpreters:
        try:
            checks.append(_checked(claim, findings, measured, interpreter))
        except _NotMetError as lacking:
            missing.append(str(lacking))
    if checks:
        return checks
    said = "; ".join(dict.fromkeys(missing))
    return [Check(claim, campaign.name, "", NOT_MET, missing=said)]


def _checked(
    claim: Claim, findings: Findings, measured: Measured, interpreter: Interpreter
) -> Check:
    """Raises _NotMetError."""
    readings, over = _readings(claim, findings, measured, interpreter)
    verdict, shown = decide(readings, claim.claimed, over)
    return Check(
        claim=claim,
        campaign=findings.campaign.name,
        python=interpreter.label,
        verdict=verdict,
        decisive=shown,
        readings=tuple(readings),
        note="" if findings.control.proven else "the campaign is unproven",
    )


def _readings(
    claim: Claim, findings: Findings, measured: Measured, interpreter: Interpreter
) -> tuple[list[Reading], Over]:
    contrast = claim.contrast
    if isinstance(contrast, ProgramHolds):
        return _programs(contrast, claim.conditions, findings, interpreter), EACH
    subjects = _subjects(contrast.strategies, claim.conditions, findings.campaign, interpreter)
    cases = _cases(contrast.cells, findings.campaign)
    if isinstance(contrast, RatioOf):
        readings = _ratios(contrast, claim.conditions, measured, interpreter, subjects, cases)
    elif isinstance(contrast, PerTask):
        readings = _per_task(contrast, measured, subjects, cases)
    else:
        readings = _observed(contrast, findings, subjects, cases)
    if not readings:
        raise _NotMetError(
            f"Python {interpreter.label} was not measured in {_words(contrast.cells)}"
        )
    return readings, contrast.over


# --- what the claim is about ----------------------------------------------------------------------


def _interpreters(conditions: Conditions, campaign: Campaign) -> list[Interpreter]:
    """Those that meet the conditions, oldest first. Raises _NotMetError when there is none."""
    system = str(campaign.machine.get("system") or "")
    if not system.startswith(conditions.system):
        raise _NotMetError(
            f"the machine's system is {system or 'not stated'}, not {conditions.system}"
        )
    found = [one for one in campaign.interpreters if _meets(conditions.pythons, conditions, one)]
    if not found:
        have = ", ".join(one.label for one in _oldest_first(campaign.interpreters))
        raise _NotMetError(f"{conditions.pythons} is not in the campaign ({have or 'no Python'})")
    return _oldest_first(found)


def _meets(pythons: Pythons, conditions: Conditions, interpreter: Interpreter) -> bool:
    return (
        pythons.hold(interpreter.version)
        and interpreter.implementation == conditions.implementation
        and all(
            interpreter.build.get(name) in (None, wanted)
            for name, wanted in conditions.build.items()
        )
    )


def _oldest_first(interpreters: Iterable[Interpreter]) -> list[Interpreter]:
    return sorted(interpreters, key=lambda one: style.python_order(one.label))


def _subjects(
    strategies: Sequence[str], conditions: Conditions, campaign: Campaign, interpreter: Interpreter
) -> list[Contender]:
    """Raises _NotMetError when there is none."""
    found = [
        one
        for one in campaign.contenders
        if one.role != style.CONTROL
        and one.interpreter == interpreter.name
        and one.strategy in strategies
        and conditions.loop in ("", one.loop)
        and one.task_factory == conditions.task_factory
        and one.collector == conditions.collector
    ]
    if found:
        return found
    wanted = {
        "loop": conditions.loop,
        "task_factory": conditions.task_factory,
        "collector": conditions.collector,
    }
    own = [one for one in campaign.contenders if one.interpreter == interpreter.name]
    lacking = [
        style.label(value)
        for name, value in wanted.items()
        if value and all(getattr(one, name) != value for one in own)
    ] or [style.listed(map(style.label, strategies))]
    raise _NotMetError(
        f"Python {interpreter.label} was not measured with {style.listed(lacking)}"
        f"{_skipped(campaign, interpreter, (*wanted.values(), *strategies))}"
    )


def _skipped(campaign: Campaign, interpreter: Interpreter, names: Sequence[str]) -> str:
    """The reason that the campaign gives for not having one of these names."""
    for one in campaign.skipped:
        parts = {one.loop, one.task_factory, one.strategy} - {""}
        if one.interpreter in ("", interpreter.name) and parts and parts <= set(names):
            return f" ({one.reason})"
    return ""


def _cases(cells: Cells, campaign: Campaign) -> list[Case]:
    """Raises _NotMetError when there is none."""
    found = [
        case
        for case in campaign.cases
        if case.probe == cells.probe
        and case.workload in cells.workloads
        and (not cells.tasks or case.tasks in cells.tasks)
        and case.pause in cells.pauses
        and (cells.metric is None or cells.metric in case.metrics)
    ]
    if not found:
        raise _NotMetError(f"{_words(cells)} was not measured")
    return found


def _words(cells: Cells) -> str:
    """A selection of cases, for a message: ``throughput/noop|tree/1,000``."""
    parts = [cells.probe, "|".join(cells.workloads), "|".join(map(style.count, cells.tasks))]
    return "/".join(filter(None, parts))


# --- the numbers ----------------------------------------------------------------------------------


def _ratios(
    contrast: RatioOf,
    conditions: Conditions,
    measured: Measured,
    interpreter: Interpreter,
    subjects: Sequence[Contender],
    cases: Sequence[Case],
) -> list[Reading]:
    against = _against(contrast, conditions, measured, interpreter)
    contrasted = measured.means if contrast.over == MEAN else measured.ratios
    ratios: list[Ratio] = contrasted(subjects, against, cases, contrast.cells.metric)
    if not ratios and not isinstance(contrast.against, Pythons):
        raise _NotMetError(
            f"Python {interpreter.label} has no {style.label(contrast.against)} to hold it against "
            f"in {_words(contrast.cells)}"
        )
    return [
        Reading(measured.reference(one), one.value, one.low, one.high, one.floor, one.logs)
        for one in ratios
    ]


def _against(
    contrast: RatioOf, conditions: Conditions, measured: Measured, interpreter: Interpreter
) -> Counterpart:
    """The contender that differs from the subject on the axis only. Raises _NotMetError."""
    axes = ("interpreter", "loop", "task_factory", "collector", "strategy")
    if isinstance(contrast.against, Pythons):
        name = "interpreter"
        value = _other_python(contrast.against, conditions, measured.campaign, interpreter).name
    else:
        name, value = contrast.axis, contrast.against
    by_key = {tuple(getattr(one, axis) for axis in axes): one for one in measured.contenders}

    def counterpart(subject: Contender) -> Contender | None:
        key = (value if axis == name else getattr(subject, axis) for axis in axes)
        return by_key.get(tuple(key))

    return counterpart


def _other_python(
    pythons: Pythons, conditions: Conditions, campaign: Campaign, interpreter: Interpreter
) -> Interpreter:
    """The newest that is one of these and of the same build. Raises _NotMetError."""
    others = [one for one in campaign.interpreters if _meets(pythons, conditions, one)]
    if not others:
        raise _NotMetError(
            f"there is no {pythons} in the campaign to hold Python {interpreter.label} against"
        )
    same = [one for one in others if one.family == interpreter.family]
    if not same:
        builds = "; ".join(
            f"Python {one.label}: {one.family.label}" for one in (interpreter, *others)
        )
        raise _NotMetError(f"the builds differ ({builds})")
    return max(same, key=lambda one: version_numbers(one.version))


def _per_task(
    contrast: PerTask, measured: Measured, subjects: Sequence[Contender], cases: Sequence[Case]
) -> list[Reading]:
    return [
        Reading(
            reference=measured.reference(one),
            value=one.value / tasks,
            low=one.low / tasks,
            high=one.high / tasks,
            logs=one.logs - np.log(tasks),
        )
        for one in measured.amounts(subjects, cases, contrast.cells.metric)
        for tasks in [one.case.tasks * one.case.tasks_each]
    ]


def _observed(
    contrast: ObservedOf,
    findings: Findings,
    subjects: Sequence[Contender],
    cases: Sequence[Case],
) -> list[Reading]:
    frame = findings.observations
    chosen = frame[
        (frame["name"] == contrast.name)
        & frame["case"].isin([case.id for case in cases])
        & frame["contender_id"].isin([one.id for one in subjects])
    ]
    return [
        Reading(
            reference=CellReference(
                findings.campaign.name, (str(row.case),), contrast.name, str(row.contender_id)
            ),
            value=row.value,
            low=row.low,
            high=row.high,
        )
        for row in _rows(chosen)
    ]


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows by attribute; a type checker cannot know their fields."""
    return iter(frame.itertuples(index=False))


def _programs(
    contrast: ProgramHolds, conditions: Conditions, findings: Findings, interpreter: Interpreter
) -> list[Reading]:
    if findings.witness is None:
        raise _NotMetError("the programs were not run in this campaign")
    runs = [
        run
        for run in findings.witness.runs
        if run.interpreter == interpreter.name
        and run.program in contrast.programs
        and run.strategy in (contrast.strategies or (run.strategy,))
        and conditions.loop in ("", run.loop)
        and run.task_factory == conditions.task_factory
    ]
    able = [run for run in runs if run.holds is not None]
    if not able:
        reasons = dict.fromkeys(run.reason for run in runs if run.reason)
        why = "; ".join(reasons) or "not run"
        programs = style.listed(contrast.programs)
        raise _NotMetError(f"Python {interpreter.label}, program {programs}: {why}")
    return [
        Reading(
            reference=CellReference(
                findings.campaign.name,
                (f"witness/{run.program}",),
                "holds",
                "/".join(filter(None, (run.interpreter, run.loop, run.task_factory, run.strategy))),
            ),
            value=float(bool(run.holds)),
            low=float(bool(run.holds)),
            high=float(bool(run.holds)),
        )
        for run in able
    ]


# --- the table ---------------------------------------------------------------------------------


def claims_table(checks: Sequence[Check], *, short: bool = False) -> Table:
    """The ledger as a table: a row per claim and Python; claims by their names if ``short``."""
    several = len({one.campaign for one in checks}) > 1
    rows = [
        (
            one.claim.name if short else one.claim.statement,
            one.claimed,
            *([one.campaign] if several else []),
            one.python,
            one.ours,
            verdict_words(one),
        )
        for one in checks
    ]
    return Table(
        title="Published claims, and what was measured here",
        columns=(
            Column("claim", leading=True),
            Column("claimed", leading=True),
            *([Column("campaign", leading=True)] if several else []),
            Column("Python"),
            Column("measured [95 %]", numeric=True),
            Column("verdict"),
        ),
        rows=tuple(rows),
        empty="There are no claims.",
    )


def verdict_words(check: Check) -> str:
    """The verdict, and what it rests on or what is missing for one."""
    why = "; ".join(filter(None, (check.missing, check.note)))
    count = f" ({check.count})" if len(check.readings) > 1 else ""
    return f"{check.verdict}{count}" + (f": {why}" if why else "")
