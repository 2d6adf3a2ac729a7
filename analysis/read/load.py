"""The only reader of raw files: a results folder -> :class:`analysis.read.campaign.Campaign`."""

from __future__ import annotations

import itertools
import os
from array import array
from collections.abc import Iterable, Sequence
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
    JOURNAL_FILE,
    WITNESS_FILE,
    AnyRecord,
    Failure,
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

LINE_COLUMNS: Final = (
    *("round", "case", "started", "wall_seconds", "steal_seconds", "timed_seconds"),
    *("cells", "failures"),
)
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
    seen = len(np.unique(reader.journal.round))
    if plan.status == "complete" and plan.rounds != seen:
        problems.warning(CAMPAIGN_FILE, None, f"says {plan.rounds} rounds; the journal has {seen}")
    names = [one.name for one in plan.interpreters]
    labels = dict(zip(names, python_labels(plan.interpreters), strict=True))
    witness = _read_witness(folder, problems)
    return Campaign(
        folder=folder,
        plan=plan,
        interpreters=tuple(
            Interpreter(
                **asdict(one)
                | {"build": _printable(one.build), "packages": _printable(one.packages)},
                label=labels[one.name],
            )
            for one in plan.interpreters
        ),
        contenders=tuple(
            Contender(
                **asdict(one) | {"conditions": _printable(one.conditions)},
                python=labels[one.interpreter],
            )
            for one in plan.contenders
        ),
        journal=reader.journal,
        lines=pd.DataFrame(reader.lines, columns=list(LINE_COLUMNS)),
        observed=reader.observed,
        failed=tuple(reader.failures.values()),
        problems=problems.all(),
        witness=witness,
    )


def load(path_or_paths: PathLike | Iterable[PathLike]) -> pd.DataFrame:
    """The values of one campaign folder, or of several, one row per timed value.

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
    if not folder.is_dir():
        problems.error(str(folder), None, "is not a folder")
        return None
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


class _Reader:
    """Takes the lines of a journal one by one; knows what came before."""

    def __init__(self, plan: Plan, problems: Problems) -> None:
        self.plan = plan
        self.problems = problems
        self.journal = Journal.empty()
        self.observed = pd.DataFrame(columns=list(OBSERVED_COLUMNS))
        self.lines: list[tuple[object, ...]] = []
        self.failures = {(one.contender, one.case): one for one in plan.failed}
        self._contender_of = {one.id: index for index, one in enumerate(plan.contenders)}
        self._case_of = {one.id: index for index, one in enumerate(plan.cases)}
        ids = np.array(list(self._contender_of), dtype=object)
        self._asked = [frozenset(ids[of_case].tolist()) for of_case in asked(plan).T]
        self._metrics = [frozenset(one.metrics) for one in plan.cases]
        self._baseline = {one.group: one.id for one in plan.contenders if one.role == "baseline"}
        self._seen: dict[tuple[int, int], int] = {}
        self._heads = array("q")  # line, round, case, metric, and the number of its cells
        self._contenders, self._loops, self._counts = array("q"), array("q"), array("q")
        self._values = array("d")
        self._series = array("q")  # line, round, contender, case, name and count, one by one
        self._numbers = array("d")
        self._names: dict[str, int] = {}
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
            record = decode(line.data, RoundLine)
        except SchemaError as error:
            if line.terminated:
                self._error(line.number, printable(str(error)))
            else:
                message = "the last line is cut off; the journal is read up to there"
                self.problems.warning(JOURNAL_FILE, line.number, message)
            return
        # JSON keeps the last of equal keys in silence; each cell holds one "values".
        if line.data.count(b'"values"') > len(record.cells):
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

    def _take_record(self, number: int, case: int, record: RoundLine) -> None:
        sweeps, is_sound = self.plan.cases[case].sweeps, True
        for severity, message in rules.line_problems(
            record, self._metrics[case], sweeps, self._asked[case]
        ):
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
        self.lines.append(
            (
                record.round,
                record.case,
                printable(record.started),
                record.wall_seconds,
                record.steal_seconds,
                sum(cell.timed_seconds for cell in record.cells.values()),
                len(record.cells),
                len(record.failures),
            )
        )

    def _take_cells(self, number: int, case: int, record: RoundLine) -> None:
        """Everything that is done for each value is done in C."""
        cells = record.cells.values()
        contenders = [self._contender_of[name] for name in record.cells]
        loops = [cell.loops for cell in cells]
        for index, metric in enumerate(self.plan.cases[case].metrics):
            of_metric = [cell.values[metric] for cell in cells]
            self._heads.extend((number, record.round, case, index, len(cells)))
            self._contenders.extend(contenders)
            self._loops.extend(loops)
            self._counts.extend(map(len, of_metric))
            self._values.extend(itertools.chain.from_iterable(of_metric))
        for contender, cell in zip(contenders, cells, strict=True):
            for what, one in cell.observed.items():
                index = self._names.setdefault(printable(what), len(self._names))
                self._series.extend((number, record.round, contender, case, index, len(one)))
                self._numbers.extend(one)
        if record.cells.keys() < self._asked[case]:
            self._absent.append((number, case, frozenset(record.cells)))

    def _finish(self) -> None:
        """Make arrays of all that was taken, and judge what only the whole shows."""
        self._judge_absent()
        *heads, times = np.array(self._heads, dtype=np.int64).reshape(-1, 5).T
        line, round_, case, metric = (np.repeat(head, times) for head in heads)
        self.journal = Journal(
            line=line,
            round=round_,
            contender=np.array(self._contenders, dtype=np.int64),
            case=case,
            metric=metric,
            loops=np.array(self._loops, dtype=np.int64),
            count=np.array(self._counts, dtype=np.int64),
            values=np.array(self._values, dtype=np.float64),
        )
        self._judge_values()
        if len(self._names) > rules.MAX_OBSERVED_NAMES:
            most = rules.MAX_OBSERVED_NAMES
            self.problems.error(JOURNAL_FILE, None, f"observes more than {most} different things")
        else:
            self._judge_observed()
        rounds = len(np.unique(self.journal.round))
        cells = len(self.plan.contenders) * sum(len(case.metrics) for case in self.plan.cases)
        if rounds * cells > rules.MAX_ROUND_CELLS:
            most = rules.MAX_ROUND_CELLS
            message = f"{rounds} rounds of {cells} cells; at most {most} are analysed"
            self.problems.error(JOURNAL_FILE, None, message)
            self.journal = Journal.empty()

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

    def _judge_values(self) -> None:
        """Name the values that cannot be, and make them nan."""
        journal, cases = self.journal, self.plan.cases
        most = max(len(case.metrics) for case in cases) if cases else 1
        ranges = np.zeros((len(cases), most, 2))
        for row, case in enumerate(cases):
            for column, metric in enumerate(case.metrics):
                is_bytes = case.unit(metric) == "byte"
                ranges[row, column] = rules.BYTES_RANGE if is_bytes else rules.SECONDS_RANGE
        of_cell = ranges[journal.case, journal.metric] if cases else np.empty((0, 2))
        wrong = rules.implausible(journal.values, np.repeat(of_cell, journal.count, axis=0))
        cell_of = np.repeat(np.arange(len(journal.count)), journal.count)
        for index in np.flatnonzero(wrong).tolist():
            cell = int(cell_of[index])
            case = cases[int(journal.case[cell])]
            metric = case.metrics[int(journal.metric[cell])]
            who = quoted(self.plan.contenders[int(journal.contender[cell])].id)
            sweep = index - int(journal.start[cell])
            least, largest = of_cell[cell]
            self._error(
                int(journal.line[cell]),
                f"cells.{who}.values.{metric}[{sweep}]: {journal.values[index]:g} is no plausible "
                f"number of {case.unit(metric)}s ({least:g} to {largest:g})",
            )
        journal.values[wrong] = np.nan

    def _judge_observed(self) -> None:
        """Means over sweeps of what was observed; one problem for a series that cannot be."""
        line, round_, contender, case, name, count = (
            np.array(self._series, dtype=np.int64).reshape(-1, 6).T
        )
        numbers = np.array(self._numbers, dtype=np.float64)
        low, high = rules.OBSERVED_RANGE
        wrong = rules.implausible(numbers, np.full((len(numbers), 2), (low, high)))
        names = list(self._names)
        series_of = np.repeat(np.arange(len(count)), count)
        for series in np.unique(series_of[wrong]).tolist():
            who = quoted(self.plan.contenders[int(contender[series])].id)
            what = quoted(names[int(name[series])])
            message = f"cells.{who}.observed.{what}: is not between {low:g} and {high:g}"
            self._error(int(line[series]), message)
        numbers[wrong] = np.nan
        starts = np.cumsum(count) - count
        sums = np.add.reduceat(numbers, starts) if len(starts) else numbers
        ids = [one.id for one in self.plan.contenders], [one.id for one in self.plan.cases]
        self.observed = pd.DataFrame(
            {
                "contender": np.array([*ids[0], ""], dtype=object)[contender],
                "case": np.array([*ids[1], ""], dtype=object)[case],
                "round": round_,
                "name": np.array([*names, ""], dtype=object)[name],
                "value": sums / count,
            }
        ).dropna(ignore_index=True)

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
