"""Prepared frames -> tables of text -> Markdown; frames -> CSV. Nothing here writes a file.

A :class:`Table` is what every renderer starts from (:mod:`analysis.terminal` shows the same ones).
In every row with a ratio stand its interval and the absolute costs it compares.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pandas as pd
import pyarrow as pa
from pandas.api.typing import NAType
from pyarrow import csv

from analysis import style
from analysis.builds import Family
from analysis.campaign import Campaign
from analysis.comparisons import THROUGHPUT
from analysis.findings import Findings
from analysis.verdicts import MISSING, UNDECIDED

DIFFERENT_BUILD: Final = "different build"
"""Said of every ratio between two Pythons that are not of one family of builds."""


@dataclass(frozen=True, slots=True)
class Column:
    """``numeric`` ones are aligned right; in ``leading`` ones, repeated cells may be left blank."""

    name: str
    numeric: bool = False
    leading: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Text only, ready to show; each row has a cell for every column.

    ``empty`` stands for the rows where there are none.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "Nothing was measured."


def answer(findings: Findings) -> Table:
    """The headline claims: one row per Python, loop, task factory and strategy."""
    summary = findings.summary[findings.summary["contender"] != style.CONTROL]
    shown = _varying(summary, ("python", "task_factory"))
    cases = sorted({int(n) for n in summary["cases"]})
    of_cases = _times(cases[-1] if cases else 0, "throughput case")
    rows = [
        (
            *(str(getattr(row, name)) for name in shown),
            str(row.loop),
            str(row.contender),
            _number(row.ns_per_task),
            _number(row.baseline_ns_per_task),
            _interval(row.ratio, row.low, row.high),
            _verdict(row.verdict, row.rounds_needed, row.reason),
        )
        for row in _rows(summary)
    ]
    return Table(
        title=f"Time relative to gather_coroutines on the same loop, geometric mean of {of_cases}",
        columns=(
            *(Column(_HEADINGS[name], leading=True) for name in shown),
            Column("loop", leading=True),
            Column("strategy"),
            Column("ns/task", numeric=True),
            Column("baseline", numeric=True),
            Column("ratio [95 %]", numeric=True),
            Column("verdict"),
        ),
        rows=tuple(rows),
    )


def case_tables(findings: Findings, *, control: bool = False) -> list[Table]:
    """One table per probe and workload, with a row per n, loop and contender.

    Of each case its headline metric; :func:`frame_csv` of the comparisons has the others.
    """
    frame = findings.comparisons[findings.comparisons["headline"]]
    if not control:
        frame = frame[frame["contender"] != style.CONTROL]
    shown = _varying(frame, ("python", "task_factory"))
    return _case_tables(frame, lambda row: tuple(str(getattr(row, name)) for name in shown))


def python_tables(findings: Findings) -> list[Table]:
    """One table per further Python, probe and workload, each contender held against itself on the
    baseline Python; none where there is only one.
    """
    frame = findings.pythons[findings.pythons["headline"].astype(bool)]
    shown = _varying(frame, ("task_factory",))
    return _case_tables(
        frame,
        lambda row: (
            f"Python {row.python} relative to {row.baseline}",
            *(() if row.same_build else (DIFFERENT_BUILD,)),
            *(str(getattr(row, name)) for name in shown),
        ),
    )


def python_answer(findings: Findings) -> Table:
    """What a fan-out costs on every further Python: one row per loop, task factory and strategy."""
    summary = findings.python_summary
    shown = _varying(summary, ("task_factory",))
    baseline = "".join(summary["baseline"].iloc[:1])
    rows = [
        (
            str(row.python),
            *(str(getattr(row, name)) for name in shown),
            str(row.loop),
            str(row.contender),
            _number(row.ns_per_task),
            _number(row.baseline_ns_per_task),
            _interval(row.ratio, row.low, row.high),
            _verdict(row.verdict, row.rounds_needed, row.reason)
            + ("" if row.same_build else f", {DIFFERENT_BUILD}"),
        )
        for row in _rows(summary)
    ]
    return Table(
        title=f"Cost of each Python relative to {baseline}, geometric mean of throughput cases",
        columns=(
            Column("Python", leading=True),
            *(Column(_HEADINGS[name], leading=True) for name in shown),
            Column("loop", leading=True),
            Column("strategy"),
            Column("ns/task", numeric=True),
            Column("baseline", numeric=True),
            Column("ratio [95 %]", numeric=True),
            Column("verdict"),
        ),
        rows=tuple(rows),
        empty="Only one Python was measured.",
    )


def _case_tables(frame: pd.DataFrame, heading: Callable[[Any], tuple[str, ...]]) -> list[Table]:
    """One table per ``heading`` of a row, probe and workload; a row per n, loop and contender."""
    loops = _places(frame["loop"])
    rows: dict[tuple[str, ...], list[tuple[int, int, tuple[str, ...]]]] = {}
    # One pass over the rows: grouping with pandas would cost more than all estimates.
    for row in _rows(frame):
        group = (*heading(row), str(row.probe), str(row.workload), str(row.metric))
        cells = (
            style.count(row.tasks),
            str(row.loop),
            str(row.contender),
            *_costs(row),
            _interval(row.ratio, row.low, row.high),
            _verdict(row.verdict, row.rounds_needed, row.reason),
        )
        rows.setdefault(group, []).append((row.tasks, loops[row.loop], cells))
    return [
        _case_table(group, [cells for *_, cells in sorted(of_group, key=lambda row: row[:2])])
        for group, of_group in rows.items()
    ]


def _case_table(group: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    *others, probe, workload, metric = group
    meaning = style.meaning(workload)
    return Table(
        title=" · ".join([*others, probe, workload]) + (f" ({meaning})" if meaning else ""),
        columns=(
            Column("n", numeric=True, leading=True),
            Column("loop", leading=True),
            Column("contender"),
            Column("ns/task" if probe == THROUGHPUT else metric, numeric=True),
            Column("baseline", numeric=True),
            Column("ratio [95 %]", numeric=True),
            Column("verdict"),
        ),
        rows=tuple(rows),
    )


def between_table(comparison: pd.DataFrame, base: str, head: str) -> Table:
    """Two campaigns, a row per cell of :func:`analysis.between.compare_campaigns`."""
    shown = _varying(comparison, ("python", "task_factory"))
    rows = [
        (
            *(str(getattr(row, name)) for name in shown),
            str(row.case),
            str(row.loop),
            str(row.strategy),
            *_costs_between(row),
            _interval(row.ratio, row.low, row.high),
            str(row.verdict),
        )
        for row in _rows(comparison)
    ]
    return Table(
        title=f"{head} relative to {base}; not measured in turns, so drift is in every ratio",
        columns=(
            *(Column(_HEADINGS[name], leading=True) for name in shown),
            Column("case", leading=True),
            Column("loop", leading=True),
            Column("strategy"),
            Column("base", numeric=True),
            Column("head", numeric=True),
            Column("ratio [95 %]", numeric=True),
            Column("verdict"),
        ),
        rows=tuple(rows),
        empty="They have no cell in common.",
    )


def cost_table(findings: Findings) -> Table:
    """The cost model, a row per workload, loop and strategy; none where nothing could be fitted."""
    costs = findings.costs[findings.costs["role"] != style.CONTROL]
    reasons = dict.fromkeys(costs["reason"])
    if "" not in reasons:
        costs = costs.iloc[:0]
    workloads = _places(costs["workload"])
    ordered = costs.sort_values("workload", key=lambda c: c.map(workloads), kind="stable")
    shown = _varying(costs, ("python", "task_factory"))
    rows = [
        (
            *(str(getattr(row, name)) for name in shown),
            str(row.workload),
            str(row.loop),
            str(row.contender),
            style.seconds_interval(
                row.fixed_seconds, row.fixed_seconds_low, row.fixed_seconds_high
            ),
            style.ns_per_task_interval(row.ns_per_task, row.ns_per_task_low, row.ns_per_task_high),
            row.reason or _holds(row.tasks_to, row.breaks_at, row.break_ratio),
        )
        for row in _rows(ordered)
    ]
    return Table(
        title="Cost model: time of a fan-out = fixed + per task × n",
        columns=(
            *(Column(_HEADINGS[name], leading=True) for name in shown),
            Column("workload", leading=True),
            Column("loop", leading=True),
            Column("strategy"),
            Column("fixed [95 %]", numeric=True),
            Column("per task [95 %]", numeric=True),
            Column("holds to"),
        ),
        rows=tuple(rows),
        empty=style.listed(map(str, reasons)) or "Nothing was measured.",
    )


def provenance(campaign: Campaign) -> str:
    """What was measured, in a line."""
    pythons = ", ".join(dict.fromkeys(i.label for i in campaign.interpreters))
    parts = [
        campaign.name,
        f"Python {pythons}" if pythons else "",
        _times(campaign.rounds, "round"),
        _times(len(campaign.cases), "case"),
        "" if campaign.status == "complete" else f"status: {campaign.status}",
    ]
    return " · ".join(filter(None, parts))


def builds(campaign: Campaign) -> list[str]:
    """The families of builds, where there is more than one, each with its Pythons."""
    families: dict[Family, list[str]] = {}
    for one in sorted(campaign.interpreters, key=lambda one: style.python_order(one.label)):
        families.setdefault(one.family, []).append(one.label)
    if len(families) < 2:
        return []
    return [f"Build of Python {', '.join(of)}: {family.label}." for family, of in families.items()]


def foot(findings: Findings) -> list[str]:
    """What a reader must know beside the figures: control, noise floor, what is missing and why."""
    campaign = findings.campaign
    floors = findings.comparisons.loc[
        findings.comparisons["headline"] & (findings.comparisons["role"] != style.CONTROL), "floor"
    ]
    lines = [f"Campaign {findings.control.note}."]
    if len(floors):
        least, most = style.share(floors.min()), style.share(floors.max())
        lines.append(
            f"Noise floor: {least}" + (f" to {most}, by case" if most != least else "") + "."
        )
    lines += builds(campaign)
    for skipped in campaign.skipped:
        parts = (skipped.interpreter, skipped.loop, skipped.task_factory, skipped.strategy)
        lines.append(f"Skipped {' / '.join(filter(None, parts))}: {skipped.reason}")
    names = {contender.id: contender for contender in campaign.contenders}
    for failure in campaign.failed:
        contender = names[failure.contender]
        lines.append(
            f"Failed {contender.python} / {contender.loop} / {contender.task_factory} / "
            f"{contender.name} in {failure.case}, round {failure.round}: {failure.cause}"
        )
    lines += [str(problem) for problem in campaign.problems]
    return lines


def markdown(findings: Findings) -> str:
    """All tables as one Markdown text."""
    tables = [answer(findings), *case_tables(findings, control=True)]
    if len(findings.pythons):
        tables += [python_answer(findings), *python_tables(findings)]
    tables.append(cost_table(findings))
    parts = [
        f"# {escaped(provenance(findings.campaign))}",
        *(f"## {escaped(table.title)}\n\n{markdown_table(table)}" for table in tables),
        "## Beside the figures\n\n" + "\n".join(f"- {escaped(line)}" for line in foot(findings)),
    ]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> str:
    """A GitHub-flavoured table, without its title."""
    if not table.rows:
        return table.empty
    head = [column.name for column in table.columns]
    rule = ["---:" if column.numeric else "---" for column in table.columns]
    body = [[escaped(cell) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *body))


def frame_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV (RFC 4180, but lines end in LF); floats so that they read back exactly."""
    safe = frame.assign(
        **{
            str(name): column.map(spreadsheet_safe)
            for name, column in frame.items()
            if not pd.api.types.is_numeric_dtype(column)
        }
    )
    lines = pa.BufferOutputStream()
    table = pa.Table.from_pandas(safe, preserve_index=False)
    # Several times faster than pandas, and floats as short as they can be.
    csv.write_csv(table, lines, csv.WriteOptions(quoting_style="needed"))
    return str(lines.getvalue(), "utf-8")


def spreadsheet_safe(text: str) -> str:
    """``text`` such that a spreadsheet does not take it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


Whole: TypeAlias = "int | NAType"
"""An entry of a column of whole numbers that may lack some."""

_HEADINGS = {"python": "Python", "task_factory": "task factory"}


def _varying(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Those columns that tell rows apart: what is the same everywhere need not be said in each."""
    return [name for name in names if len(frame[name].unique()) > 1]


def _places(column: pd.Series) -> dict[object, int]:
    """Each value's place in order of first appearance, which is that of the plan."""
    return {value: place for place, value in enumerate(column.unique())}


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows by attribute; a type checker cannot know their fields."""
    return iter(frame.itertuples(index=False))


def _costs(row: Any) -> tuple[str, str]:  # noqa: ANN401
    """The absolute costs that a row's ratio compares."""
    if row.probe == THROUGHPUT:
        return _number(row.ns_per_task), _number(row.baseline_ns_per_task)
    return style.seconds(row.seconds), style.seconds(row.baseline_seconds)


def _costs_between(row: Any) -> tuple[str, str]:  # noqa: ANN401
    """Nanoseconds per task, or the seconds of a latency, of both campaigns."""
    if row.probe == THROUGHPUT:
        return f"{_number(row.base_ns_per_task)} ns", f"{_number(row.head_ns_per_task)} ns"
    return style.seconds(row.base_seconds), style.seconds(row.head_seconds)


def _number(number: float) -> str:
    return style.MISSING if math.isnan(number) else style.significant(number)


def _interval(ratio: float, low: float, high: float) -> str:
    if math.isnan(ratio):
        return style.MISSING
    if not (low > 0 and math.isfinite(high)):
        return f"{_ratio(ratio)} [too few rounds]"
    return f"{_ratio(ratio)} [{_ratio(low)}, {_ratio(high)}]"


def _ratio(ratio: float) -> str:
    return f"{ratio:.3f}" if ratio < 10 else style.significant(ratio, 4)


def _verdict(verdict: str, rounds_needed: Whole, reason: str) -> str:
    if verdict == MISSING:
        return f"{MISSING}: {reason}"
    if verdict == UNDECIDED and not isinstance(rounds_needed, NAType):
        more = f"+{rounds_needed}" if rounds_needed <= 1000 else "> 1000"
        return f"{UNDECIDED} ({more} round{'' if rounds_needed == 1 else 's'})"
    if verdict == UNDECIDED:
        return f"{UNDECIDED} (too noisy)"
    return str(verdict)


def _holds(tasks_to: int, breaks_at: Whole, ratio: float) -> str:
    held = f"n = {style.count(tasks_to)}"
    if isinstance(breaks_at, NAType):
        return held
    return f"{held} ({style.count(breaks_at)}: {style.change(ratio)})"


def _times(number: int, thing: str) -> str:
    return f"{style.count(number)} {thing}{'' if number == 1 else 's'}"


_MARKUP = re.compile(r"[\\`*|<>&~#]|!(?=\[)|(?<=\])[(:\[]")


def escaped(text: str) -> str:
    """``text`` such that Markdown shows it as it is: no HTML, links, images or new table cells."""
    return _MARKUP.sub(lambda match: "\\" + match.group(), text)
