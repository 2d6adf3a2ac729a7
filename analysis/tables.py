"""Prepared frames -> tables of text -> Markdown; frames -> CSV. Nothing here writes a file.

A :class:`Table` is what every renderer starts from (:mod:`analysis.terminal` shows the same ones).
In every row with a ratio stand its interval and the absolute costs it compares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from pandas.api.typing import NAType
from pyarrow import csv

from analysis import style
from analysis.builds import Family
from analysis.campaign import COLLECTOR_ON, SECOND, Campaign
from analysis.comparisons import THROUGHPUT
from analysis.findings import Findings
from analysis.layout import (
    Column,
    Table,
    Whole,
    columns,
    escaped,
    interval,
    leading_cells,
    markdown_table,
    number,
    places,
    rows,
    times,
    varying,
    verdict,
)
from analysis.question_tables import question_tables

__all__ = [
    "DIFFERENT_BUILD",
    "PAIRED",
    "Column",
    "Table",
    "answer",
    "between_table",
    "builds",
    "case_tables",
    "cost_table",
    "escaped",
    "foot",
    "frame_csv",
    "markdown",
    "markdown_table",
    "provenance",
    "python_answer",
    "python_tables",
    "spreadsheet_safe",
]

DIFFERENT_BUILD: Final = "different build"
"""Said of every ratio between two Pythons that are not of one family of builds."""

_COMPARED: Final = ("ns/task", "baseline", "ratio [95 %]")


def answer(findings: Findings) -> Table:
    """The headline claims: one row per Python, loop, task factory and strategy."""
    summary = findings.summary[findings.summary["contender"] != style.CONTROL]
    leading = [*varying(summary, ("python", "task_factory")), "loop"]
    cases = sorted({int(n) for n in summary["cases"]})
    of_cases = times(cases[-1] if cases else 0, "throughput case")
    return Table(
        title=f"Time relative to gather_coroutines on the same loop, geometric mean of {of_cases}",
        columns=columns(leading, ["strategy"], _COMPARED, ["verdict"]),
        rows=tuple(
            (*leading_cells(row, leading), str(row.contender), *_compared(row))
            for row in rows(summary)
        ),
    )


def case_tables(findings: Findings, *, control: bool = False) -> list[Table]:
    """One table per probe and workload, with a row per n, loop and contender.

    Of each case its headline metric; :func:`frame_csv` of the comparisons has the others.
    """
    frame = findings.comparisons[findings.comparisons["headline"]]
    if not control:
        frame = frame[frame["contender"] != style.CONTROL]
    shown = varying(frame, ("python", "task_factory"))
    return _case_tables(frame, lambda row: leading_cells(row, shown))


def python_tables(findings: Findings) -> list[Table]:
    """One table per further Python, probe and workload, each contender held against itself on the
    baseline Python; none where there is only one.
    """
    frame = findings.pythons[findings.pythons["headline"].astype(bool)]
    shown = varying(frame, ("task_factory",))
    return _case_tables(
        frame,
        lambda row: (
            f"Python {row.python} relative to {row.baseline}",
            *(() if row.same_build else (DIFFERENT_BUILD,)),
            *leading_cells(row, shown),
        ),
    )


def python_answer(findings: Findings) -> Table:
    """What a fan-out costs on every further Python: one row per loop, task factory and strategy."""
    summary = findings.python_summary
    leading = ["python", *varying(summary, ("task_factory",)), "loop"]
    baseline = "".join(summary["baseline"].iloc[:1])
    found = []
    for row in rows(summary):
        *compared, judged = _compared(row)
        judged += "" if row.same_build else f", {DIFFERENT_BUILD}"
        found.append((*leading_cells(row, leading), str(row.contender), *compared, judged))
    return Table(
        title=f"Cost of each Python relative to {baseline}, geometric mean of throughput cases",
        columns=columns(leading, ["strategy"], _COMPARED, ["verdict"]),
        rows=tuple(found),
        empty="Only one Python was measured.",
    )


def _case_tables(frame: pd.DataFrame, heading: Callable[[Any], tuple[str, ...]]) -> list[Table]:
    """One table per ``heading`` of a row, probe and workload; a row per n, loop and contender."""
    loops = places(frame["loop"])
    found: dict[tuple[str, ...], list[tuple[int, int, tuple[str, ...]]]] = {}
    # One pass over the rows: grouping with pandas would cost more than all estimates.
    for row in rows(frame):
        group = (*heading(row), str(row.probe), str(row.workload), str(row.metric))
        cells = (*leading_cells(row, ("tasks", "loop")), str(row.contender), *_compared(row))
        found.setdefault(group, []).append((row.tasks, loops[row.loop], cells))
    return [
        _case_table(group, [cells for *_, cells in sorted(of_group, key=lambda row: row[:2])])
        for group, of_group in found.items()
    ]


def _case_table(group: tuple[str, ...], found: list[tuple[str, ...]]) -> Table:
    *others, probe, workload, metric = group
    meaning = style.meaning(workload)
    amount = _COMPARED[0] if probe == THROUGHPUT else metric
    return Table(
        title=" · ".join([*others, probe, workload]) + (f" ({meaning})" if meaning else ""),
        columns=columns(("tasks", "loop"), ["contender"], (amount, *_COMPARED[1:]), ["verdict"]),
        rows=tuple(found),
    )


def between_table(comparison: pd.DataFrame, base: str, head: str) -> Table:
    """Two campaigns, a row per cell of :func:`analysis.between.compare_campaigns`."""
    shown = varying(comparison, ("python", "task_factory", "collector"))
    leading = [*shown, "case", "loop"]
    return Table(
        title=f"{head} relative to {base}; not measured in turns, so drift is in every ratio",
        columns=columns(leading, ["strategy"], ("base", "head", _COMPARED[-1]), ["verdict"]),
        rows=tuple(
            (
                *leading_cells(row, leading),
                str(row.strategy),
                *_costs_between(row),
                interval(row.ratio, row.low, row.high),
                style.verdict(str(row.verdict), row.unit),
            )
            for row in rows(comparison)
        ),
        empty="They have no cell in common.",
    )


def cost_table(findings: Findings) -> Table:
    """The cost model, a row per workload, loop and strategy; none where nothing could be fitted."""
    costs = findings.costs[findings.costs["role"] != style.CONTROL]
    reasons = dict.fromkeys(costs["reason"])
    if "" not in reasons:
        costs = costs.iloc[:0]
    workloads = places(costs["workload"])
    ordered = costs.sort_values("workload", key=lambda c: c.map(workloads), kind="stable")
    leading = [*varying(costs, ("python", "task_factory")), "workload", "loop"]
    return Table(
        title="Cost model: time of a fan-out = fixed + per task × n",
        columns=columns(leading, ["strategy"], ("fixed [95 %]", "per task [95 %]"), ["holds to"]),
        rows=tuple(
            (
                *leading_cells(row, leading),
                str(row.contender),
                style.seconds_interval(
                    row.fixed_seconds, row.fixed_seconds_low, row.fixed_seconds_high
                ),
                style.ns_per_task_interval(
                    row.ns_per_task, row.ns_per_task_low, row.ns_per_task_high
                ),
                row.reason or _holds(row.tasks_to, row.breaks_at, row.break_ratio),
            )
            for row in rows(ordered)
        ),
        empty=style.listed(map(str, reasons)) or "Nothing was measured.",
    )


def provenance(campaign: Campaign) -> str:
    """What was measured, in a line."""
    pythons = ", ".join(dict.fromkeys(i.label for i in campaign.interpreters))
    parts = [
        campaign.name,
        f"Python {pythons}" if pythons else "",
        times(campaign.rounds, "round"),
        times(len(campaign.cases), "case"),
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


PAIRED: Final = (
    "A ratio is made within sweeps, where the machine's drift cancels; a cost in ns carries that "
    "drift. On a noisy machine the two can seem to disagree: the ratio is the better one."
)


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
    if len(floors):
        lines.append(PAIRED)
    lines += builds(campaign)
    for skipped in campaign.skipped:
        parts = (skipped.interpreter, skipped.loop, skipped.task_factory, skipped.strategy)
        lines.append(f"Skipped {' / '.join(filter(None, parts))}: {skipped.reason}")
    names = {contender.id: contender for contender in campaign.contenders}
    for failure in campaign.failed:
        contender = names[failure.contender]
        collector = "" if contender.collector == COLLECTOR_ON else contender.collector
        parts = (contender.python, contender.loop, contender.task_factory, collector)
        who = " / ".join(filter(None, (*parts, contender.name)))
        lines.append(f"Failed {who} in {failure.case}, round {failure.round}: {failure.cause}")
    lines += [str(problem) for problem in campaign.problems]
    return lines


def markdown(findings: Findings) -> str:
    """All tables as one Markdown text."""
    tables = [answer(findings), *case_tables(findings, control=True)]
    if len(findings.pythons):
        tables += [python_answer(findings), *python_tables(findings)]
    tables += question_tables(findings)
    tables.append(cost_table(findings))
    parts = [
        f"# {escaped(provenance(findings.campaign))}",
        *(
            f"## {escaped(table.title)}\n\n{markdown_table(table)}"
            for table in tables
            if table.rows
        ),
        "## Beside the figures\n\n" + "\n".join(f"- {escaped(line)}" for line in foot(findings)),
    ]
    return "\n\n".join(parts) + "\n"


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


def _compared(row: Any) -> tuple[str, str, str, str]:  # noqa: ANN401
    """Both costs, their ratio, and the verdict on it."""
    return (
        *_costs(row),
        interval(row.ratio, row.low, row.high),
        verdict(row.verdict, row.rounds_needed, row.reason),
    )


def _costs(row: Any) -> tuple[str, str]:  # noqa: ANN401
    """The absolute costs that a row's ratio compares."""
    if getattr(row, "probe", THROUGHPUT) == THROUGHPUT:
        return number(row.ns_per_task), number(row.baseline_ns_per_task)
    return style.seconds(row.seconds), style.seconds(row.baseline_seconds)


def _costs_between(row: Any) -> tuple[str, str]:  # noqa: ANN401
    """Nanoseconds per task, the seconds of anything else, or bytes per task, of both campaigns."""
    if row.probe == THROUGHPUT:
        return f"{number(row.base_ns_per_task)} ns", f"{number(row.head_ns_per_task)} ns"
    if row.unit != SECOND:
        return style.size(row.base_bytes_per_task), style.size(row.head_bytes_per_task)
    return style.seconds(row.base_seconds), style.seconds(row.head_seconds)


def _holds(tasks_to: int, breaks_at: Whole, ratio: float) -> str:
    held = f"n = {style.count(tasks_to)}"
    if isinstance(breaks_at, NAType):
        return held
    return f"{held} ({style.count(breaks_at)}: {style.change(ratio)})"
