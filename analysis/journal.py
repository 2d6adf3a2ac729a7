"""rounds.jsonl -> arrays, with every problem found.

Work per value is numpy's; Python sees each line and each cell once. A *cell* here is the values of
one contender, case and metric in one round; beside each stand the numbers observed with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.campaign import Failure, Plan
from analysis.plan import MAX_ROUNDS, MAX_SWEEPS, asked
from analysis.validate import (
    Json,
    Line,
    Problems,
    UnreadableError,
    as_float,
    lines,
    open_regular,
    parse_json,
    printable,
    quoted,
)

FILE = "rounds.jsonl"
SCHEMA = 1

MAX_LINE_BYTES = 8 * 2**20
MAX_ROUND_CELLS = 20_000_000
"""Planned cells x rounds: the arrays of the analysis have this shape."""

MAX_OBSERVED_NAMES = 100
"""Different ones in a campaign: there are some ten."""
_LONGEST_CAMPAIGN_SECONDS = 1e9

IntArray: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What a journal line says apart from its values."""

    number: int
    round: int
    case: int
    started: str
    wall_seconds: float
    steal_seconds: float
    timed_seconds: float
    cells: int
    failures: int


@dataclass(frozen=True, slots=True)
class Observed:
    """Numbers seen beside the values: arrays over series, one for every contender, case, round and
    name, and ``numbers`` of all series one after another, ``count`` of each.

    ``contender`` and ``case`` index the plan's, ``name`` indexes ``names``.
    """

    line: IntArray
    round: IntArray
    contender: IntArray
    case: IntArray
    name: IntArray
    count: IntArray
    numbers: NDArray[np.float64]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Journal:
    """Arrays over cells, and ``values`` over those of all cells one after another, each in the unit
    of its metric.

    ``contender``, ``case`` and ``metric`` index the plan's contenders and cases and the case's
    metrics.
    """

    line: IntArray
    round: IntArray
    contender: IntArray
    case: IntArray
    metric: IntArray
    loops: IntArray
    count: IntArray
    values: NDArray[np.float64]
    observed: Observed
    facts: tuple[LineFacts, ...]
    failures: tuple[Failure, ...]

    @classmethod
    def empty(
        cls, facts: tuple[LineFacts, ...] = (), failures: tuple[Failure, ...] = ()
    ) -> Journal:
        none, nothing = np.empty(0, dtype=np.int64), np.empty(0)
        observed = Observed(none, none, none, none, none, none, nothing, ())
        return cls(none, none, none, none, none, none, none, nothing, observed, facts, failures)


class _Reader:
    """Takes the lines one by one; knows what came before."""

    def __init__(self, plan: Plan, problems: Problems) -> None:
        self.plan = plan
        self.problems = problems
        self.contender_index = {c.id: i for i, c in enumerate(plan.contenders)}
        self.case_index = {c.id: i for i, c in enumerate(plan.cases)}
        baselines = {c.group: i for i, c in enumerate(plan.contenders) if c.role == "baseline"}
        self.baseline_of = [baselines.get(c.group, i) for i, c in enumerate(plan.contenders)]
        self.asked = [frozenset(np.flatnonzero(of_case).tolist()) for of_case in asked(plan).T]
        self.seen: dict[tuple[int, int], int] = {}
        self.facts: list[LineFacts] = []
        self.failures: dict[tuple[str, str], Failure] = {
            (failure.contender, failure.case): failure for failure in plan.failed
        }
        self.cells = array("q")  # the fields of Journal up to count, cell by cell
        self.values = array("d")
        self.series = array("q")  # the fields of Observed up to count, series by series
        self.observed = array("d")
        self.observed_names: dict[str, int] = {}
        # Lines whose cells are not all there, judged at the end, when every failure is known.
        self.absent: list[tuple[int, int, list[int], list[int]]] = []

    def take(self, line: Line) -> None:
        if line.data is None:
            self.error(line, f"is longer than {MAX_LINE_BYTES // 2**20} MiB and was not read")
            return
        if not line.data.strip():
            return
        try:
            content = parse_json(line.data)
        except UnreadableError as error:
            if line.terminated:
                self.error(line, str(error))
            else:
                self.warning(line, "the last line is cut off; the journal is read up to there")
            return
        if not isinstance(content, dict):
            self.error(line, "is not an object")
        elif content.get("schema") != SCHEMA:
            shown = quoted(str(content.get("schema")))
            self.error(line, f"schema is {shown}; this reader knows {SCHEMA}")
        else:
            self._take_content(line, content)

    def _take_content(self, line: Line, content: Mapping[str, Any]) -> None:
        round_number = content.get("round")
        if type(round_number) is not int or not 0 <= round_number < MAX_ROUNDS:
            self.error(line, f"round is not a whole number from 0 to {MAX_ROUNDS - 1}")
            return
        case_id = content.get("case")
        case = self.case_index.get(case_id) if isinstance(case_id, str) else None
        if case is None:
            self.error(line, f"case {quoted(str(case_id))} is not in the plan")
            return
        before = self.seen.setdefault((round_number, case), line.number)
        if before != line.number:
            self.error(
                line,
                f"duplicate cells: round {round_number} of {quoted(self.plan.cases[case].id)} "
                f"stands in line {before}",
            )
            return
        cells = content.get("cells")
        failures = content.get("failures")
        if not isinstance(cells, dict) or not isinstance(failures, dict):
            self.error(line, "cells or failures is not an object")
            return
        # json keeps the last of equal keys in silence; each cell holds one "values".
        if line.data is not None and line.data.count(b'"values"') > len(cells):
            self.error(line, "duplicate cells: the same contender stands in it twice")
        timed = self._take_cells(line, round_number, case, cells)
        self._take_failures(line, round_number, case, failures)
        self.facts.append(
            LineFacts(
                number=line.number,
                round=round_number,
                case=case,
                started=printable(str(content.get("started", ""))),
                wall_seconds=self._seconds(line, "wall_seconds", content),
                steal_seconds=self._seconds(line, "steal_seconds", content),
                timed_seconds=timed,
                cells=len(cells),
                failures=len(failures),
            )
        )

    def _take_cells(
        self, line: Line, round_number: int, case: int, cells: Mapping[str, Any]
    ) -> float:
        """Append the cells of a line; returns the seconds timed in them."""
        planned = self.plan.cases[case]
        metrics = frozenset(planned.metrics)
        timed = 0.0
        present: set[int] = set()
        rows: list[int] = []
        flat: list[Json] = []
        observing: list[tuple[int, Mapping[str, Any]]] = []
        for name, cell in cells.items():
            contender = self.contender_index.get(name)
            if contender is None:
                continue
            present.add(contender)
            fault = _fault(cell, metrics)
            if fault:
                self.error(line, f"cell {quoted(name)}: {fault}")
                continue
            timed += cell["timed_seconds"]
            if "observed" in cell:
                observing.append((contender, cell["observed"]))
            loops, values = cell["loops"], cell["values"]
            for metric, metric_name in enumerate(planned.metrics):
                one = values[metric_name]
                rows += (line.number, round_number, contender, case, metric, loops, len(one))
                flat += one
        # Types are looked at once a line: cell by cell it would cost as much as all the rest.
        types = set(map(type, flat))
        if not types <= _NUMBERS:
            self.error(line, _not_a_number(cells, metrics))
            rows, flat = [], []
        self.cells.extend(rows)
        # An integer too large for a float is taken as what it is: not a duration.
        self.values.extend(flat if int not in types else map(as_float, flat))
        lengths = set(rows[6::7])
        self._judge_cells(line, case, cells, present, lengths)
        if observing and lengths:
            self._take_observed(line, round_number, case, observing, lengths)
        return timed

    def _take_observed(
        self,
        line: Line,
        round_number: int,
        case: int,
        observing: Sequence[tuple[int, Mapping[str, Any]]],
        lengths: set[int],
    ) -> None:
        """Append what was observed in the cells of a line; ``lengths`` are those of its values."""
        rows: list[int] = []
        flat: list[Json] = []
        for contender, of_cell in observing:
            for name, one in of_cell.items():
                index = self.observed_names.setdefault(name, len(self.observed_names))
                rows += (line.number, round_number, contender, case, index, len(one))
                flat += one
        types = set(map(type, flat))
        if len(self.observed_names) > MAX_OBSERVED_NAMES:
            self.error(line, f"observes more than {MAX_OBSERVED_NAMES} different things")
            self.observed_names = dict(list(self.observed_names.items())[:MAX_OBSERVED_NAMES])
        elif not types <= _NUMBERS:
            self.error(line, "observes something that is not a number")
        elif not set(rows[5::6]) <= lengths:
            self.error(line, "observes other numbers of sweeps than it has values")
        else:
            self.series.extend(rows)
            self.observed.extend(flat if int not in types else map(as_float, flat))

    def _judge_cells(
        self,
        line: Line,
        case: int,
        cells: Mapping[str, Any],
        present: set[int],
        lengths: set[int],
    ) -> None:
        """Say what the cells of a line are not to each other and to the plan."""
        planned = self.plan.cases[case]
        if len(present) < len(cells):
            unknown = [name for name in cells if name not in self.contender_index]
            self.error(line, f"{_some(unknown)} not in the plan's contenders")
        asked_here = self.asked[case]
        if not present <= asked_here:
            strangers = [self.plan.contenders[i].id for i in sorted(present - asked_here)]
            self.error(line, f"{_some(strangers)} not asked this case by any block of the plan")
        if len(lengths) > 1:
            self.error(
                line, "its cells have different numbers of values; every sweep gives each one"
            )
        elif planned.sweeps and lengths and lengths != {planned.sweeps}:
            self.warning(line, f"has {min(lengths)} sweeps; the plan says {planned.sweeps}")
        if len(present) < len(asked_here):
            absent = sorted(asked_here - present)
            self.absent.append((line.number, case, absent, sorted(present)))

    def _take_failures(
        self, line: Line, round_number: int, case: int, failures: Mapping[str, Any]
    ) -> None:
        unknown = [name for name in failures if name not in self.contender_index]
        if unknown:
            self.error(line, f"failures: {_some(unknown)} not in the plan's contenders")
        case_id = self.plan.cases[case].id
        for name, cause in failures.items():
            if name in self.contender_index:
                failure = Failure(name, case_id, round_number, printable(str(cause)))
                self.failures.setdefault((name, case_id), failure)

    def _seconds(self, line: Line, key: str, content: Mapping[str, Any]) -> float:
        value = content.get(key)
        if value is None or not _is_duration(value):
            self.error(line, f"{key} is not a number of 0 or more")
            return 0.0
        return float(value)

    def judge_absent(self) -> None:
        """Say which cells are missing without a failure that explains it."""
        contenders = self.plan.contenders
        for number, case, absent, present in self.absent:
            case_id = self.plan.cases[case].id
            unexplained = [i for i in absent if (contenders[i].id, case_id) not in self.failures]
            baselines = sorted({self.baseline_of[i] for i in present} & set(absent))
            for baseline in baselines:
                name = quoted(contenders[baseline].id)
                if baseline in unexplained:
                    self.problems.error(FILE, number, f"missing baseline {name}")
                else:
                    self.problems.warning(FILE, number, f"missing baseline {name}, which failed")
            others = [contenders[i].id for i in unexplained if i not in baselines]
            if others:
                message = f"no values and no failure for {_some(others)}"
                self.problems.warning(FILE, number, message)

    def error(self, line: Line, message: str) -> None:
        self.problems.error(FILE, line.number, message)

    def warning(self, line: Line, message: str) -> None:
        self.problems.warning(FILE, line.number, message)


_NUMBERS = {int, float}


def read_journal(folder: Path, plan: Plan, problems: Problems) -> Journal:
    """The journal of a folder; what its numbers say is for :mod:`analysis.plausible` to judge."""
    reader = _Reader(plan, problems)
    try:
        with open_regular(folder / FILE) as file:
            for line in lines(file, MAX_LINE_BYTES):
                reader.take(line)
    except UnreadableError as error:
        problems.error(FILE, None, str(error))
    except OSError as error:
        problems.error(FILE, None, f"cannot be read: {error.strerror}")
    reader.judge_absent()
    fields = np.array(reader.cells, dtype=np.int64).reshape(-1, 7).T
    line_, round_, contender, case, metric, loops, count = fields
    journal = Journal(
        line_,
        round_,
        contender,
        case,
        metric,
        loops,
        count,
        np.array(reader.values, dtype=np.float64),
        _observed(reader),
        tuple(reader.facts),
        tuple(reader.failures.values()),
    )
    rounds = len(np.unique(journal.round))
    cells = len(plan.contenders) * sum(len(case.metrics) for case in plan.cases)
    if rounds * cells > MAX_ROUND_CELLS:
        problems.error(
            FILE, None, f"{rounds} rounds of {cells} cells; at most {MAX_ROUND_CELLS} are analysed"
        )
        return Journal.empty(journal.facts, journal.failures)
    return journal


def _observed(reader: _Reader) -> Observed:
    fields = np.array(reader.series, dtype=np.int64).reshape(-1, 6).T
    line, round_, contender, case, name, count = fields
    numbers = np.array(reader.observed, dtype=np.float64)
    names = tuple(reader.observed_names)
    return Observed(line, round_, contender, case, name, count, numbers, names)


def _fault(cell: Json, metrics: frozenset[str]) -> str:
    """What is wrong with the form of a cell, or nothing; the types of values are not looked at."""
    if not isinstance(cell, dict) or not isinstance(values := cell.get("values"), dict):
        return "has no values"
    loops, timed = cell.get("loops"), cell.get("timed_seconds")
    if type(loops) is not int or not 1 <= loops < 2**62:
        return "loops is not a whole number from 1"
    if not _is_duration(timed):
        return "timed_seconds is not a number of 0 or more"
    if values.keys() != metrics:
        return f"its metrics are {_some(list(values))}; the case has {', '.join(sorted(metrics))}"
    for name, one in values.items():
        if not isinstance(one, list) or not 1 <= len(one) <= MAX_SWEEPS:
            return f"{name} is not a list of 1 to {MAX_SWEEPS} values"
    return _observed_fault(cell["observed"]) if "observed" in cell else ""


def _observed_fault(observed: Json) -> str:
    """What is wrong with the form of what was observed; the types of numbers are not looked at."""
    if not isinstance(observed, dict) or len(observed) > MAX_OBSERVED_NAMES:
        return f"observed is not an object of at most {MAX_OBSERVED_NAMES} lists"
    for name, one in observed.items():
        if not name or printable(name) != name:
            return f"observed: {quoted(name)} is empty, too long or holds control characters"
        if not isinstance(one, list) or not 1 <= len(one) <= MAX_SWEEPS:
            return f"observed: {quoted(name)} is not a list of 1 to {MAX_SWEEPS} numbers"
    return ""


def _is_duration(value: Json) -> bool:
    return type(value) in _NUMBERS and 0 <= value <= _LONGEST_CAMPAIGN_SECONDS


def _not_a_number(cells: Mapping[str, Any], metrics: frozenset[str]) -> str:
    """Names the first list of values that holds no number."""
    first = next(
        f"cell {quoted(name)}: {metric}"
        for name, cell in cells.items()
        if not _fault(cell, metrics)
        for metric, one in cell["values"].items()
        if not set(map(type, one)) <= _NUMBERS
    )
    return f"{first} holds something that is not a number"


def _some(names: Sequence[str]) -> str:
    """The first few of many names."""
    shown = ", ".join(quoted(name) for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
