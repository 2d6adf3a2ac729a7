"""The only reader of raw files: a results folder -> :class:`analysis.read.campaign.Campaign`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import numpy as np
import pandas as pd
from msgspec.structs import asdict

from analysis.read import rules
from analysis.read.campaign import (
    VALUE_COLUMNS,
    Campaign,
    CampaignError,
    Contender,
    Interpreter,
    Journal,
    asked,
)
from analysis.read.files import (
    Line,
    Problem,
    Problems,
    UnreadableError,
    lines,
    open_regular,
    printable,
    quoted,
    read_bytes,
)
from benchmarks.campaign.schema import (
    CAMPAIGN_FILE,
    ERRORS,
    EVERYWHERE,
    JOURNAL_FILE,
    WITNESS_FILE,
    AnyRecord,
    Cell,
    Failure,
    OldRoundLine,
    Plan,
    RoundLine,
    SchemaError,
    Witness,
    decode,
    python_labels,
)

MAX_FILE_BYTES: Final = 64 * 2**20
MAX_LINE_BYTES: Final = 8 * 2**20
MAX_CONDITIONS: Final = 50
"""Columns of a frame of values that say what the workers proved."""

PathLike: TypeAlias = "str | os.PathLike[str]"

LINE_COLUMNS: Final = (*("round", "case", "wall_seconds", "steal_seconds", "timed_seconds"),)
OBSERVED_COLUMNS: Final = ("contender", "case", "round", "name", "value")


def read_campaign(folder: PathLike, *, suites: bool = False) -> Campaign:
    """Read and check one campaign folder.

    Never raises for what the folder holds: everything wrong is in ``problems``, and what is left
    out is named there. A campaign still running, interrupted or cut off reads as far as it got.
    With ``suites`` the pyperf suites are compared with the journal too.
    """
    folder = Path(folder)
    problems = Problems()
    plan = read_plan(folder, problems)
    if plan is None:
        return Campaign(folder, _no_plan(folder.name), problems=problems.all())
    reader = _Reader(plan, problems)
    reader.read(folder)
    if suites:
        rules.check_suites(folder, plan, reader.journal, problems)
    names = [one.name for one in plan.interpreters]
    labels = dict(zip(names, python_labels(plan.interpreters), strict=True))
    witness = _read_witness(folder, problems)
    campaign = Campaign(
        folder=folder,
        plan=plan,
        interpreters=tuple(
            Interpreter(**asdict(one), label=labels[one.name]) for one in plan.interpreters
        ),
        contenders=tuple(
            Contender(
                **asdict(one) | {"strategy": one.variant},
                python=labels[one.interpreter],
                pattern=one.strategy,
            )
            for one in plan.contenders
        ),
        journal=reader.journal,
        lines=pd.DataFrame(reader.lines, columns=list(LINE_COLUMNS)),
        observed=reader.observed,
        failed=tuple(reader.failures.values()),
        witness=witness,
    )
    if plan.status == "complete" and plan.rounds != campaign.rounds:
        said = f"says {plan.rounds} rounds; the journal has {campaign.rounds}"
        problems.warning(CAMPAIGN_FILE, None, said)
    return replace(campaign, problems=problems.all())


def load(path_or_paths: PathLike | Iterable[PathLike]) -> pd.DataFrame:
    """The values of one campaign folder, or of several, one row per round, contender and metric.

    Columns: :data:`analysis.read.campaign.VALUE_COLUMNS`, and a ``condition_...`` column for
    everything a worker proved about itself. Raises CampaignError, naming every problem, when a
    folder is in error or the campaigns measured different code.
    """
    paths = [path_or_paths] if isinstance(path_or_paths, (str, os.PathLike)) else path_or_paths
    campaigns = [usable(path) for path in paths]
    if problems := mixed_code(campaigns):
        raise CampaignError(problems)
    return joined([with_conditions(campaign) for campaign in campaigns])


def usable(folder: PathLike) -> Campaign:
    """The campaign of a folder. Raises CampaignError: nothing is estimated from a damaged one."""
    campaign = read_campaign(folder)
    if campaign.errors:
        raise CampaignError(campaign.errors, campaign.folder)
    return campaign


def mixed_code(campaigns: Sequence[Campaign]) -> list[Problem]:
    """An error for each campaign whose measured code differs from the first one's."""
    return [
        Problem(
            "error",
            str(campaign.folder / CAMPAIGN_FILE),
            None,
            f"code_hash {campaign.plan.code_hash[:12]} differs from {campaigns[0].name}'s "
            f"{campaigns[0].plan.code_hash[:12]}: they measured different code; load them apart",
        )
        for campaign in campaigns[1:]
        if campaign.plan.code_hash != campaigns[0].plan.code_hash
    ]


def newest_campaign(results: PathLike) -> Path | None:
    """The campaign under ``results`` (or ``results/reference``) that was created last, of those
    that hold a round.
    """
    found = []
    for pattern in (f"*/{CAMPAIGN_FILE}", f"*/*/{CAMPAIGN_FILE}"):
        for path in sorted(Path(results).glob(pattern)):
            plan = read_plan(path.parent, Problems())
            if plan is not None:
                found.append((plan.created, path.parent))
    return next((folder for _, folder in sorted(found, reverse=True) if _has_round(folder)), None)


def read_plan(folder: Path, problems: Problems) -> Plan | None:
    """The plan of a folder; None where it cannot be used, which ``problems`` say."""
    try:
        plan = _decoded(read_bytes(folder / CAMPAIGN_FILE, MAX_FILE_BYTES), Plan)
    except (UnreadableError, SchemaError) as error:
        problems.error(CAMPAIGN_FILE, None, printable(str(error)))
        return None
    errors = list(rules.plan_errors(plan))
    for message in errors:
        problems.error(CAMPAIGN_FILE, None, message)
    return None if errors else plan


# --- the journal ----------------------------------------------------------------------------------


_OLD_CELL: Final = re.compile(rb'"values"')
_CELL: Final = re.compile(rb'"\d+":\s*\[\[\[')
"""How cells begin in schema 1 and since."""


class _Reader:
    """Takes the lines of a journal one by one; knows what came before."""

    def __init__(self, plan: Plan, problems: Problems) -> None:
        self.plan = plan
        self.problems = problems
        self.journal = Journal.of()
        self.observed = pd.DataFrame(columns=list(OBSERVED_COLUMNS))
        self.lines: list[tuple[object, ...]] = []
        self.failures = {(one.contender, one.case): one for one in plan.failed}
        self._contender_of = {one.id: index for index, one in enumerate(plan.contenders)}
        self._case_of = {one.id: index for index, one in enumerate(plan.cases)}
        ids = np.array(list(self._contender_of), dtype=object)
        self._asked = [frozenset(ids[of_case].tolist()) for of_case in asked(plan).T]
        self._is_old = plan.schema == 1
        self._counts_errors = any(one.counts_errors for one in plan.own)
        self._ids = {place: one.id for place, one in enumerate(plan.contenders)}
        observed = {one.name: one.observed for one in plan.definitions.probes}
        self._observed_by = {
            case.probe: [
                one.name for one in observed.get(case.probe, ()) if one.name not in EVERYWHERE
            ]
            for case in plan.cases
        }
        self._baseline = {one.group: one.id for one in plan.contenders if one.role == "baseline"}
        self._seen: dict[tuple[int, int], int] = {}
        self._cells: list[tuple[int, int, int, int, int, float, float]] = []
        self._counted: list[tuple[str, str, int, str, float]] = []
        # Lines whose cells are not all there, judged at the end, when every failure is known.
        self._absent: list[tuple[int, int, frozenset[str]]] = []

    def read(self, folder: Path) -> None:
        """Read the journal of a folder."""
        try:
            with open_regular(folder / JOURNAL_FILE) as file:
                for line in lines(file, MAX_LINE_BYTES):
                    self._take(line)
        except UnreadableError as error:
            self.problems.error(JOURNAL_FILE, None, str(error))
        except OSError as error:
            self.problems.error(JOURNAL_FILE, None, f"cannot be read: {error.strerror}")
        self._finish()

    def _take(self, line: Line) -> None:
        if line.data is None:
            size = MAX_LINE_BYTES // 2**20
            self._error(line.number, f"is longer than {size} MiB and was not read")
            return
        if not line.data.strip():
            return
        try:
            record = self._decode(line.data)
        except SchemaError as error:
            if line.terminated:
                self._error(line.number, printable(str(error)))
            else:
                message = "the last line is cut off; the journal is read up to there"
                self.problems.warning(JOURNAL_FILE, line.number, message)
            return
        # JSON keeps the last of equal keys in silence; each cell has one of these.
        begun = _OLD_CELL if self._is_old else _CELL
        if len(begun.findall(line.data)) > len(record.cells):
            self._error(line.number, "duplicate cells: the same contender is in it twice")
        case = self._case_of.get(record.case)
        if case is None:
            self._error(line.number, f"case {quoted(record.case)} is not in the plan")
            return
        before = self._seen.setdefault((record.round, case), line.number)
        if before != line.number:
            where = f"round {record.round} of {quoted(record.case)}"
            self._error(line.number, f"duplicate cells: {where} is in line {before} already")
            return
        self._take_record(line.number, case, record)

    def _decode(self, data: bytes) -> RoundLine | OldRoundLine:
        return decode(data, OldRoundLine) if self._is_old else decode(data, RoundLine)

    def _take_record(self, number: int, case: int, record: RoundLine | OldRoundLine) -> None:
        of_case, is_sound = self.plan.cases[case], True
        problems = (
            rules.line_problems(record, of_case, self._observed_by[of_case.probe], self._ids)
            if isinstance(record, RoundLine)
            else rules.old_line_problems(record, of_case)
        )
        names = list(map(self._name_of, record.cells))
        strangers = [name for name in (*names, *record.failures) if name not in self._asked[case]]
        if strangers:
            self._error(number, f"{rules.some(strangers)}: not asked this case by the plan")
            is_sound = False
        for severity, message in problems:
            self.problems.add(severity, JOURNAL_FILE, number, message)
            is_sound &= severity != "error"
        for name, cause in record.failures.items():
            if name in self._contender_of:
                key = (name, record.case)
                failure = Failure(
                    contender=name, case=record.case, round=record.round, cause=printable(cause)
                )
                self.failures.setdefault(key, failure)
        if is_sound:
            self._take_cells(number, case, record)
            if set(names) < self._asked[case]:
                self._absent.append((number, case, frozenset(names)))
        timed = sum(cell.timed_seconds for cell in record.cells.values())
        spent = (record.wall_seconds, record.steal_seconds, timed)
        self.lines.append((record.round, record.case, *spent))

    def _name_of(self, key: int | str) -> str:
        """The id of a contender by its place; one that the plan has not is no id of it."""
        return key if isinstance(key, str) else self._ids.get(key, f"contender {key}")

    def _take_cells(self, number: int, case: int, record: RoundLine | OldRoundLine) -> None:
        of_case = self.plan.cases[case]
        observed = self._observed_by[of_case.probe]
        ranges = [rules.RANGES[of_case.unit(metric)] for metric in of_case.metrics]
        for key, cell in record.cells.items():
            contender = key if isinstance(key, int) else self._contender_of[key]
            for metric, (least, most) in enumerate(ranges):
                cost, collector = cell.cost(metric, of_case), nan
                if not least <= cost <= most:
                    self._error(
                        number,
                        f"cells.{quoted(str(key))}: {of_case.metrics[metric]}: {cost:g} is no "
                        f"plausible number of {of_case.unit(of_case.metrics[metric])}s ({least:g} "
                        f"to {most:g})",
                    )
                    cost = nan
                if isinstance(cell, Cell) and of_case.splits:
                    collector = cost - cell.code(metric, of_case)
                place = (record.round, contender, case, metric)
                self._cells.append((*place, cell.batches, cost, collector))
            for name, seen in cell.counted(observed).items():
                if name == ERRORS and not self._counts_errors:
                    continue
                if not 0 <= seen <= rules.MOST_OBSERVED:
                    message = f"observed.{quoted(name)}: is not from 0 to {rules.MOST_OBSERVED:g}"
                    self._error(number, f"cells.{quoted(str(key))}.{message}")
                    continue
                who = self._ids[contender]
                self._counted.append((who, record.case, record.round, printable(name), seen))

    def _finish(self) -> None:
        """Make arrays of all that was taken, and judge what only the whole shows."""
        self._judge_absent()
        self.journal = Journal.of(self._cells)
        self.observed = pd.DataFrame(self._counted, columns=list(OBSERVED_COLUMNS))
        if self.observed["name"].nunique() > rules.MAX_OBSERVED_NAMES:
            most = rules.MAX_OBSERVED_NAMES
            self.problems.error(JOURNAL_FILE, None, f"observes more than {most} different things")
            self.observed = self.observed.iloc[:0]
        rounds = len(np.unique(self.journal.round))
        cells = len(self.plan.contenders) * sum(len(case.metrics) for case in self.plan.cases)
        if rounds * cells > rules.MAX_ROUND_CELLS:
            most = rules.MAX_ROUND_CELLS
            message = f"{rounds} rounds of {cells} cells; at most {most} are analysed"
            self.problems.error(JOURNAL_FILE, None, message)
            self.journal = Journal.of()

    def _judge_absent(self) -> None:
        """Say which cells are missing without a failure that explains it."""
        group_of = {one.id: one.group for one in self.plan.contenders}
        for number, case, present in self._absent:
            absent = self._asked[case] - present
            case_id = self.plan.cases[case].id
            failed = {name for name in absent if (name, case_id) in self.failures}
            needed = {self._baseline[group_of[name]] for name in present} & absent
            for baseline in sorted(needed):
                severity, why = (
                    ("warning", ", which failed") if baseline in failed else ("error", "")
                )
                message = f"missing baseline {quoted(baseline)}{why}"
                self.problems.add(severity, JOURNAL_FILE, number, message)  # type: ignore[arg-type]
            others = sorted(absent - failed - needed)
            if others:
                message = f"no values and no failure for {rules.some(others)}"
                self.problems.warning(JOURNAL_FILE, number, message)

    def _error(self, line: int, message: str) -> None:
        self.problems.error(JOURNAL_FILE, line, message)


# --- parts ----------------------------------------------------------------------------------------


def _no_plan(name: str) -> Plan:
    return Plan(
        name=printable(name) or "-",
        preset="",
        seed=0,
        budget_seconds=0.0,
        precision=0.0,
        slice_seconds=0.0,
        code_hash="",
        created="",
        machine={},
        interpreters=(),
        contenders=(),
        cases=(),
        status="failed",
    )


def _decoded(data: bytes, kind: type[AnyRecord]) -> AnyRecord:
    """The record in ``data``, whose texts may say anything, with every one printable."""
    return msgspec.convert(_printable(msgspec.to_builtins(decode(data, kind))), kind)


def _printable(data: object) -> object:
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, dict):
        return {printable(name): _printable(part) for name, part in data.items()}
    return list(map(_printable, data)) if isinstance(data, (list, tuple)) else data


def _read_witness(folder: Path, problems: Problems) -> Witness | None:
    """What the programs showed; None where they were not run."""
    path = folder / WITNESS_FILE
    if not os.path.lexists(path):
        return None
    try:
        return _decoded(read_bytes(path, MAX_FILE_BYTES), Witness)
    except (UnreadableError, SchemaError) as error:
        problems.error(WITNESS_FILE, None, printable(str(error)))
        return None


def _has_round(folder: Path) -> bool:
    """Whether the journal has a line that is whole. What it says is another matter."""
    try:
        with open_regular(folder / JOURNAL_FILE) as file:
            return any(line.terminated for line in lines(file, MAX_LINE_BYTES))
    except (UnreadableError, OSError):
        return False


def with_conditions(campaign: Campaign) -> pd.DataFrame:
    """The values with a column for everything the workers proved about themselves."""
    contenders = campaign.contenders
    names = list(dict.fromkeys(name for one in contenders for name in one.conditions))
    values = campaign.values
    index = values["contender"].astype(object)
    columns: dict[str, pd.Series] = {}
    for name in names[:MAX_CONDITIONS]:
        fact_of = {one.id: str(one.conditions.get(name, "")) for one in contenders}
        columns[f"condition_{name}"] = index.map(fact_of).astype("category")
    return values.assign(**columns)


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Frames of several campaigns, one below the other; texts stay categorical, what one of them
    does not have is empty.
    """
    if len(frames) < 2:
        return frames[0] if frames else pd.DataFrame(columns=list(VALUE_COLUMNS))
    whole = pd.concat([frame.astype(object) for frame in frames], ignore_index=True)
    texts = {name for frame in frames for name in frame.select_dtypes("category")}
    kinds = {name: "category" if name in texts else frames[0][name].dtype for name in whole}
    return whole.fillna(dict.fromkeys(texts, "")).astype(kinds)
