"""The tables of the question's own probes and axes: head start, stall, failure, cancel, memory,
task factories and collectors.

What varies beside them (Python, task factory, collector) stands in their titles, so that each fits
a terminal. Where there is a ratio to the baseline, the baseline has a row of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis import style
from analysis.campaign import BYTE, NO_PAUSE
from analysis.comparisons import THROUGHPUT
from analysis.findings import Findings
from analysis.head_start import PROBE as HEAD_START
from analysis.layout import (
    Table,
    columns,
    interval,
    leading_cells,
    places,
    rows,
    varying,
    verdict,
)
from analysis.plain import PROBES as PLAIN_PROBES

COLLECTIONS: Final = "collections"
_RATIO: Final = "ratio [95 %]"

Cell = tuple[str, str]
"""Case and id of a contender."""
_Row = Any
"""A row of a frame by attribute (:func:`analysis.layout.rows`)."""
_Cells = Callable[[_Row], tuple[str, ...]]


def question_tables(findings: Findings) -> list[Table]:
    """All of them that have rows, in reading order."""
    return [
        *head_start_tables(findings),
        *probe_tables(findings),
        *factory_tables(findings),
        *collector_tables(findings),
        *flip_tables(findings),
    ]


def head_start_tables(findings: Findings) -> list[Table]:
    """One table per Python, task factory, loop, workload and n; a row per pause and strategy."""
    frame = findings.head_start
    shown = varying(frame, ("python", "task_factory", "loop"))

    def heading(row: _Row) -> tuple[str, ...]:
        return (
            "head start", *_where(row, shown), str(row.workload),
            f"n = {style.count(row.tasks)}",
        )  # fmt: skip

    def cells(row: _Row) -> tuple[str, ...]:
        return (
            str(row.pause),
            str(row.strategy),
            style.seconds_interval(row.makespan, row.makespan_low, row.makespan_high),
            style.seconds(row.ideal_tasks),
            style.seconds(row.ideal_coroutines),
            style.seconds(row.saved),
            _percent(row.share_before_join),
        )

    amounts = ("makespan [95 %]", "max(d, w)", "d + w", "saved", "done")
    return [
        Table(
            title=f"{' · '.join(group)} (pause d, work w; done before the join)",
            columns=columns(["pause"], ["strategy"], amounts),
            rows=found,
        )
        for group, found in _grouped(rows(frame), heading, cells).items()
    ]


def probe_tables(findings: Findings, *probes: str) -> list[Table]:
    """One table per metric and workload of these probes, and what became of the children; a row per
    n, loop and strategy. Without ``probes`` of all that have no tables of their own.
    """
    own = (*PLAIN_PROBES, HEAD_START)
    every = [name for name in findings.every_absolute["probe"].unique() if name not in own]
    seen = _by_cell(findings.observations)
    return [
        table
        for probe in probes or every
        for table in (
            *_amount_tables(findings, probe),
            *(one for sheet in _SHEETS if sheet.probe == probe
              for one in _sheet_tables(sheet, findings.observations, seen)),
        )
    ]  # fmt: skip


def _amount_tables(findings: Findings, probe: str) -> list[Table]:
    absolutes, comparisons = (
        frame[(frame["probe"] == probe) & (frame["role"] != style.CONTROL)]
        for frame in (findings.every_absolute, findings.everything)
    )
    shown = varying(absolutes, ("python", "task_factory", "collector"))
    ratios = {
        (row.case, row.contender_id, row.metric): (
            interval(row.ratio, row.low, row.high),
            verdict(row.verdict, row.rounds_needed, row.reason, row.unit),
        )
        for row in rows(comparisons)
    }
    leading = ("tasks", "loop")

    def heading(row: _Row) -> tuple[str, ...]:
        what = f"{row.metric} per task" if row.unit == BYTE else str(row.metric)
        return (*_where(row, shown), str(row.probe), str(row.workload), what)

    def cells(row: _Row) -> tuple[str, ...]:
        return (
            *leading_cells(row, leading),
            str(row.strategy),
            style.size_interval(row.bytes_per_task, row.bytes_per_task_low, row.bytes_per_task_high)
            if row.unit == BYTE
            else style.seconds_interval(row.seconds, row.seconds_low, row.seconds_high),
            *ratios.get(
                (row.case, row.contender_id, row.metric),
                ("", "baseline" if row.role == "baseline" else "not compared"),
            ),
        )

    return [
        Table(
            title=_explained(group, style.meaning(group[-1].partition(" ")[0])),
            columns=columns(leading, ["strategy"], (f"{group[-1]} [95 %]", _RATIO), ["verdict"]),
            rows=found,
        )
        for group, found in _grouped(_by_size(absolutes), heading, cells).items()
    ]


# --- what was observed ---------------------------------------------------------------------------


def wasted(of_cell: Mapping[str, float]) -> float:
    """The share of a failed child's siblings that ran on though nobody wants their result any more;
    nan where they were not counted.
    """
    siblings = sum(of_cell.get(name, np.nan) for name in _SIBLINGS.values())
    return of_cell[_RAN_ON] / siblings if siblings > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Columns made of what was observed in a cell, by heading."""

    probe: str
    title: str
    columns: Mapping[str, Callable[[Mapping[str, float]], str]]


def _count(name: str) -> Callable[[Mapping[str, float]], str]:
    return lambda of_cell: style.tally(of_cell.get(name))


_RAN_ON: Final = "siblings_ran_on"
_SIBLINGS: Final[Mapping[str, str]] = {
    "finished": "siblings_finished",
    "ran on": _RAN_ON,
    "cancelled": "siblings_cancelled",
    "never started": "siblings_never_started",
}
_SHEETS: Final = (
    _Sheet(
        probe="failure",
        title="siblings of the one that raised",
        columns={
            **{heading: _count(name) for heading, name in _SIBLINGS.items()},
            "wasted": lambda of_cell: _percent(wasted(of_cell)),
        },
    ),
    _Sheet(
        probe="cancel",
        title="children that the cancellation did not reach",
        columns={"left running": _count("left_running")},
    ),
)


def _sheet_tables(
    sheet: _Sheet, frame: pd.DataFrame, seen: Mapping[Cell, Mapping[str, float]]
) -> list[Table]:
    frame = frame[(frame["probe"] == sheet.probe) & (frame["role"] != style.CONTROL)]
    frame = frame.drop_duplicates(["case", "contender_id"])
    shown = varying(frame, ("python", "task_factory", "collector"))
    leading = ("tasks", "loop")

    def cells(row: _Row) -> tuple[str, ...]:
        of_cell = seen[(row.case, row.contender_id)]
        said = (column(of_cell) for column in sheet.columns.values())
        return (*leading_cells(row, leading), str(row.strategy), *said)

    return [
        Table(
            title=_explained(group, sheet.title),
            columns=columns(leading, ["strategy"], sheet.columns),
            rows=found,
        )
        for group, found in _grouped(
            _by_size(frame),
            lambda row: (*_where(row, shown), str(row.probe), str(row.workload)),
            cells,
        ).items()
    ]


def _by_cell(observations: pd.DataFrame) -> dict[Cell, dict[str, float]]:
    """What was observed, by case and contender."""
    found: dict[Cell, dict[str, float]] = {}
    parts = (observations[name] for name in ("case", "contender_id", "name", "value"))
    for case, contender, name, value in zip(*parts, strict=True):
        found.setdefault((case, contender), {})[name] = value
    return found


# --- task factories and collectors ---------------------------------------------------------------


def factory_tables(findings: Findings) -> list[Table]:
    """One table per further task factory, probe and workload; the head start has its own."""
    frame = findings.factories
    frame = frame[(frame["probe"] != HEAD_START) & frame["headline"].astype(bool)]
    shown = varying(frame, ("python", "collector"))
    leading = ("tasks", "loop")

    def heading(row: _Row) -> tuple[str, ...]:
        what = f"{row.task_factory} relative to {row.baseline} tasks"
        return (what, *_where(row, shown), *_case(row))

    def cells(row: _Row) -> tuple[str, ...]:
        return (
            *leading_cells(row, leading),
            str(row.contender),
            *_costs(row),
            interval(row.ratio, row.low, row.high),
            verdict(row.verdict, row.rounds_needed, row.reason, row.unit),
        )

    return [
        Table(
            title=" · ".join(group),
            columns=columns(leading, ["strategy"], ("cost", "baseline", _RATIO), ["verdict"]),
            rows=found,
        )
        for group, found in _grouped(_by_size(frame), heading, cells).items()
    ]


def collector_tables(findings: Findings) -> list[Table]:
    """One table per further collector, probe, workload and pause, with the garbage collections of
    a fan-out there and with the collector on, and where the ranking of a strategy and the baseline
    flips.
    """
    frame = findings.collectors
    frame = frame[frame["headline"].astype(bool)]
    shown = varying(frame, ("python", "task_factory"))
    leading = ("tasks", "loop")
    seen = _by_cell(findings.observations)
    usual = _under_baseline_collector(findings)
    flipped = {_ranked(row) for row in rows(findings.flips)}

    def heading(row: _Row) -> tuple[str, ...]:
        what = f"collector {row.collector} relative to {row.baseline}"
        return (what, *_where(row, shown), *_case(row))

    def cells(row: _Row) -> tuple[str, ...]:
        both = [
            style.tally(seen.get((row.case, one), {}).get(COLLECTIONS))
            for one in (row.contender_id, usual(row))
        ]
        judged = verdict(row.verdict, row.rounds_needed, row.reason, row.unit)
        return (
            *leading_cells(row, leading),
            str(row.contender),
            _costs(row)[0],
            interval(row.ratio, row.low, row.high),
            style.MISSING if set(both) == {style.MISSING} else " / ".join(both),
            judged + (", ranking flips" if _ranked(row) in flipped else ""),
        )

    return [
        Table(
            title=" · ".join(group),
            columns=columns(leading, ["strategy"], ("cost", _RATIO, "collections"), ["verdict"]),
            rows=found,
        )
        for group, found in _grouped(_by_size(frame), heading, cells).items()
    ]


def _under_baseline_collector(findings: Findings) -> Callable[[_Row], str]:
    """The id of the same contender under the collector that a row's is held against."""
    ids = {
        (one.python, one.loop, one.task_factory, one.strategy, one.collector): one.id
        for one in findings.campaign.contenders
        if one.role != style.CONTROL
    }
    return lambda row: ids.get(
        (row.python, row.loop, row.task_factory, row.strategy, row.baseline), ""
    )


def _ranked(row: _Row) -> tuple[str, ...]:
    return (row.python, row.loop, row.task_factory, row.case, row.contender, row.collector)


def flip_tables(findings: Findings) -> list[Table]:
    """Where a strategy is slower than the baseline with one collector and faster with another."""
    frame = findings.flips
    shown = varying(frame, ("python", "task_factory"))

    def heading(row: _Row) -> tuple[str, ...]:
        return (*_where(row, shown), str(row.loop), str(row.collector))

    def cells(row: _Row) -> tuple[str, ...]:
        return (
            str(row.contender),
            interval(row.on_ratio, row.on_low, row.on_high),
            interval(row.ratio, row.low, row.high),
            str(row.case),
        )

    return [
        Table(
            title=" · ".join(("rankings that flip with the collector", *group[:-1])),
            columns=columns(
                ["strategy"], [], ("collector on [95 %]", f"{group[-1]} [95 %]"), ["case"]
            ),
            rows=found,
        )
        for group, found in _grouped(rows(frame), heading, cells).items()
    ]


# --- what they share -----------------------------------------------------------------------------


def _by_size(frame: pd.DataFrame) -> Sequence[_Row]:
    """The rows, small fan-outs first, then by loop as in the plan."""
    loops = places(frame["loop"])
    return sorted(rows(frame), key=lambda row: (row.tasks, loops[row.loop]))


def _grouped(
    of: Iterable[_Row], heading: _Cells, cells: _Cells
) -> dict[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The cells of every row, by its heading."""
    found: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for row in of:
        found.setdefault(heading(row), []).append(cells(row))
    return {group: tuple(of_group) for group, of_group in found.items()}


def _where(row: _Row, names: Sequence[str]) -> tuple[str, ...]:
    """What varies beside the cases, for a title."""
    cells = leading_cells(row, names)
    return tuple(
        f"{name} {cell}" if name == "collector" else cell
        for name, cell in zip(names, cells, strict=True)
    )


def _case(row: _Row) -> tuple[str, ...]:
    pause = () if row.pause == NO_PAUSE else (str(row.pause),)
    return (str(row.probe), str(row.workload), *pause)


def _explained(group: Iterable[str], meaning: str) -> str:
    return " · ".join(group) + (f" ({meaning})" if meaning else "")


def _costs(row: _Row) -> tuple[str, str]:
    """Both costs that a ratio compares, each with its unit."""
    if row.unit == BYTE:
        return style.size(row.bytes_per_task), style.size(row.baseline_bytes_per_task)
    if row.probe == THROUGHPUT:
        return style.ns_per_task(row.ns_per_task), style.ns_per_task(row.baseline_ns_per_task)
    return style.seconds(row.seconds), style.seconds(row.baseline_seconds)


def _percent(share: float) -> str:
    return "not seen" if np.isnan(share) else style.share(share, 0)
