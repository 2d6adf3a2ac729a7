"""The probes' own charts: the head start, latencies, stalls, failures, cancellations, memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.judge import words
from analysis.judge.findings import Findings
from analysis.show.charts import panels
from analysis.show.charts.costs import amounts, over_tasks
from analysis.show.charts.registry import Drawing, chart
from analysis.show.theme import LIGHT, Mark

_DASHES: Final = (0, (4, 2.5))
_SLOW_CALLBACK_SECONDS: Final = 0.1
"""From here on asyncio's debug mode reports a callback (``slow_callback_duration``)."""
_SHAPES: Final = (">", "o", "D", "|", "s", "^", "v", "P")
"""Markers of metrics, in the order of the plan."""
_FATES: Final = (
    "siblings_finished",
    "siblings_ran_on",
    "siblings_cancelled",
    "siblings_never_started",
    "left_running",
)
"""What is counted of the children of a fan-out that ends early."""
CaseContender: TypeAlias = "tuple[str, str]"
"""A case and a contender, by their ids."""


@chart("head-start", "head_start")
def head_start(findings: Findings) -> Drawing | None:
    """Time until all results are there, by what the caller does before it joins."""
    rows = panels.of_newest(amounts(findings, "head_start", but="task_factory"))
    cases = {one.id: one for one in findings.campaign.cases}
    for name in ("pause_seconds", "pause_suspends", "work_seconds"):
        rows = rows.assign(**{name: [getattr(cases[case], name) for case in rows["case"]]})
    rows = rows[rows["work_seconds"].notna() & rows["headline"].to_numpy(bool)]
    if rows.empty:
        return None
    rows = rows[rows["tasks"] == panels.typical(rows["tasks"])]
    kinds = ["loop", "task_factory", "workload"]
    grid = panels.split(findings, rows, kinds, most_columns=2)
    looks = panels.marks_of(findings, rows["strategy"])
    pauses = panels.ordered(findings, "pause", rows["pause"])
    drawing = panels.sheet(
        grid,
        _head_start_finding(findings, rows),
        f"Time from the first creation to the last result of {words.count(rows['tasks'].iloc[0])} "
        f"children; lower is better. {panels.on_python(findings, rows)}",
        "The caller creates its children, pauses, and joins them. Dashed lines are the least time "
        "that this takes: the longer of pause and work where the children work during the pause "
        "(together), pause plus work where they only start at the join (one after the other). "
        "While the caller computes, nothing else can run: then only children that started when "
        "they were created have a head start.",
        panel_inches=2.1,
        key=panels.marked(findings, "strategy", looks),
        below="what the caller does before it joins",
        share_y=not panels.several(rows, "workload"),
    )
    names = (panels.label(findings, "pause", name) for name in pauses)
    panels.set_ticks(drawing.axes[0].xaxis, dict(enumerate(names)))
    drawing.axes[0].set_xlim(-0.5, len(pauses) - 0.5)
    for axes, mine in drawing.parts:
        least = _least(axes, mine, pauses)
        alike = panels.of_workload(rows, mine)["value"]
        panels.zero_axis(axes, [least, *alike[alike < 1.6 * least]], "s", room=1.25, sideways=False)
        for name, mark, aside in panels.apart(looks, min(0.5, 0.16 * len(looks))):
            own = mine[mine["strategy"] == name]
            places = own["pause"].map(pauses.index).to_numpy(float) + aside
            panels.points(axes, places, own, mark)
        work = words.tick(float(mine["work_seconds"].iloc[0]), "s")
        panels.add_to_title(axes, f"work of {work}")
    return drawing


def _least(axes: Axes, rows: pd.DataFrame, pauses: list[str]) -> float:
    """Dashes at the least time for each pause; returns the longest of them, in seconds."""
    each = rows.drop_duplicates("pause")
    places = each["pause"].map(pauses.index).to_numpy(float)
    times = each[["pause_seconds", "work_seconds"]].to_numpy(float)
    together, after = times.max(axis=1), times.sum(axis=1)
    widest = int((after - together).argmax())
    for levels, said, side in (
        (together, "together", "top"),
        (after, "one after the other", "bottom"),
    ):
        axes.hlines(
            levels, places - 0.42, places + 0.42, color=LIGHT.soft_ink, linewidth=1.0,
            linestyle=_DASHES, zorder=2,
        )  # fmt: skip
        if after[widest] > together[widest]:
            axes.annotate(
                said, (places[widest], levels[widest]), xytext=(0, -6 if side == "top" else 6),
                textcoords="offset points", fontsize=7.5, color=LIGHT.soft_ink, ha="center",
                va=side,
            )  # fmt: skip
    return float(after.max())


def _head_start_finding(findings: Findings, rows: pd.DataFrame) -> str:
    """The first strategy and the next, where the head start could save most."""
    paused = rows[rows["pause_suspends"].to_numpy(bool)]
    could_save = paused[["pause_seconds", "work_seconds"]].astype(float).min(axis=1)
    best = paused[paused["case"].isin(paused["case"][could_save == could_save.max()].head(1))]
    own = [
        best[best["strategy"] == name].to_dict("records")[0]
        for name in panels.marks_of(findings, best["strategy"])
    ][:2]
    if len(own) < 2:
        return "The pause before the join decides what a head start can save."
    last, first = (
        f"{panels.label(findings, 'strategy', row['strategy'])} {words.amount(row['value'], 's')}"
        for row in own
    )
    return (
        f"{words.tick(own[0]['work_seconds'], 's')} of work, a pause of "
        f"{words.tick(own[0]['pause_seconds'], 's')}: {first}, {last}."
    )


@chart("latency-quantiles", "latency")
def latency_quantiles(findings: Findings) -> Drawing | None:
    """From launch to each task's first step and completion: a line for each strategy."""
    rows = panels.of_newest(amounts(findings, "latency"))
    of_one = [findings.words.metric("latency", name).of_one for name in rows["metric"]]
    rows = rows[~np.array(of_one, dtype=bool)]  # those are no points in time
    if rows.empty:
        return None
    rows = rows[rows["tasks"] == panels.typical(rows["tasks"])]
    shapes = dict(zip(rows["metric"].unique(), _SHAPES, strict=False))
    names = {name: findings.words.metric("latency", name).label for name in shapes}
    grid = panels.split(findings, rows, ["loop", "workload"], most_columns=2)
    lines = panels.lines_of(findings, rows, ["strategy"])
    looks = panels.strategy_marks(findings)
    tasks = words.count(rows["tasks"].iloc[0])
    firsts = rows[rows["strategy"] == next(iter(lines))[0]].drop_duplicates("metric")
    said = ", ".join(
        f"{names[row['metric']]} {words.amount(row['value'], 's')}"
        for row in firsts.iloc[[0, -1]].to_dict("records")
    )
    of = panels.where(findings, firsts.iloc[0].to_dict(), "strategy", "loop", "workload")
    drawing = panels.sheet(
        grid,
        f"n = {tasks}: {said} {of}.",
        f"Time since the launch of {tasks} tasks; further left is better. "
        f"{panels.on_python(findings, rows)}",
        "Each mark is a point in time after the launch of the whole fan-out. A strategy whose "
        "first task starts late creates all of them before.",
        panel_inches=0.75 + 0.26 * len(lines),
        key=[(names[name], _ink(shape)) for name, shape in shapes.items()],
        below="time since the launch",
        share_x=False,
    )
    for axes, mine in drawing.parts:
        panels.zero_axis(axes, panels.of_workload(rows, mine)["value"], "s", room=1.12)
        _metrics(axes, mine, lines, looks, shapes, {})
    return drawing


def _ink(shape: str) -> Mark:
    """A mark that stands for a metric of any strategy."""
    return Mark(LIGHT.ink, LIGHT.ink, shape)


def _metrics(
    axes: Axes,
    rows: pd.DataFrame,
    lines: Mapping[panels.Line, str],
    looks: Mapping[str, Mark],
    shapes: Mapping[str, str],
    beside: Mapping[CaseContender, str],
) -> None:
    """The metrics of each strategy on a line, and what stands ``beside`` it.

    A stroke is taller than a dot that it crosses.
    """
    for (strategy,), own, place in panels.on_lines(axes, rows, ["strategy"], lines):
        colour = looks[strategy].light
        cell = (own["case"].iloc[0], own["contender"].iloc[0])
        if cell in beside:
            panels.write_beside(axes, beside[cell], place)
        axes.hlines(place, own["value"].min(), own["value"].max(), color=colour, lw=0.8)
        for metric, shape in shapes.items():
            mark, size = Mark(colour, colour, shape), 13.0 if shape == "|" else 5.0
            panels.points(axes, place, own[own["metric"] == metric], mark, sideways=True, size=size)


@chart("longest-wait", "stall")
def longest_wait(findings: Findings) -> Drawing | None:
    """How long another callback waits, over the number of tasks."""
    rows = panels.of_newest(amounts(findings, "stall"))
    rows = panels.over_several(rows[rows["headline"].to_numpy(bool)])
    if rows.empty:
        return None
    largest = rows[rows["tasks"] == rows["tasks"].max()]
    loop = panels.ordered(findings, "loop", largest["loop"])[0]
    said = _range(findings, panels.only(largest, loop=loop), "strategy")
    tasks = words.count(largest["tasks"].iloc[0])
    drawing = over_tasks(
        findings,
        rows,
        f"n = {tasks}: another callback waits {said}, {panels.label(findings, 'loop', loop)}.",
        "Longest wait of another callback, both axes logarithmic; lower is better.",
        "The longest time that a callback which is always ready, such as another connection's, "
        "waits for its turn while the tasks are launched and joined. Tasks that return at once all "
        "run in the same turn of the loop. From 100 ms on asyncio's debug mode warns of a slow "
        "callback: a dashed line.",
    )
    if 3 * rows["value"].max() > _SLOW_CALLBACK_SECONDS:
        for axes in drawing.axes:
            axes.axhline(_SLOW_CALLBACK_SECONDS, color=LIGHT.soft_ink, lw=1.0, linestyle=_DASHES)
    return drawing


def _range(findings: Findings, rows: pd.DataFrame, *kinds: str) -> str:
    """The least and the largest amount: "17.1 ms (TaskGroup, uvloop) to 23.3 ms (...)"."""
    ends = rows.sort_values("value").iloc[[0, -1][: len(rows)]]
    return " to ".join(
        f"{words.amount(row['value'], row['unit'])} {panels.where(findings, row, *kinds)}"
        for row in ends.to_dict("records")
    )


@dataclass(frozen=True, slots=True)
class Ending:
    """The words about how a fan-out ends early; ``first`` is what the first mark stands for."""

    event: str
    since: str
    first: str
    caption: str


_ENDINGS: Final = {
    "failure": Ending(
        event="One of {tasks} children fails",
        since="Time since the launch of {tasks} children, one of which fails; left is sooner.",
        first="the caller has the error",
        caption="One of n children raises at its first step. At the right stands what became of "
        "the other children: what ran on is work that nobody waits for.",
    ),
    "cancel": Ending(
        event="Caller of {tasks} children cancelled",
        since="Time since the caller of {tasks} waiting children is cancelled; left is sooner.",
        first="the caller is cancelled",
        caption="The caller is cancelled while all its children wait. Children left running have "
        "to be cancelled by hand, as was done here.",
    ),
}


def endings(probe: str, findings: Findings) -> Drawing | None:
    """From the first metric of the probe to its last, and beside it what was counted."""
    rows, said = panels.of_newest(amounts(findings, probe)), _ENDINGS[probe]
    if rows.empty:
        return None
    rows = rows[rows["tasks"] == rows["tasks"].max()]
    case = next(one for one in findings.campaign.cases if one.id == rows["case"].iloc[0])
    shapes = {case.metrics[0]: "o", case.metrics[-1]: "|"}
    fates = _fates(findings, rows)
    grid = panels.split(findings, rows, ["loop", "workload"], most_columns=2)
    lines = panels.lines_of(findings, rows, ["strategy"])
    looks = panels.strategy_marks(findings)
    tasks = words.count(case.tasks)
    drawing = panels.sheet(
        grid,
        _fates_said(findings, rows, fates, said.event.format(tasks=tasks)),
        f"{said.since.format(tasks=tasks)} {panels.on_python(findings, rows)}",
        said.caption,
        panel_inches=0.75 + 0.26 * len(lines),
        key=[(said.first, _ink("o")), ("no child is left running", _ink("|"))],
        below="time",
    )
    for axes, mine in drawing.parts:
        panels.amount_axis(axes, panels.ends(rows), "s", sideways=True, most=4)
        _metrics(axes, mine, lines, looks, shapes, fates)
    return drawing


for _probe in _ENDINGS:
    chart(_probe, _probe)(partial(endings, _probe))


def _fates(findings: Findings, rows: pd.DataFrame) -> Mapping[CaseContender, str]:
    """What became of the children: "99 ran on"."""
    seen = findings.observations
    seen = seen[seen["case"].isin(rows["case"].unique()) & seen["name"].isin(_FATES)]
    said: dict[CaseContender, list[str]] = {}
    none: dict[CaseContender, str] = {}
    for row in seen.to_dict("records"):
        word = findings.words.observed(row["probe"], row["name"]).label
        cell = (row["case"], row["contender"])
        none.setdefault(cell, f"none {word}")
        if row["value"] > 0:
            said.setdefault(cell, []).append(f"{words.tally(row['value'])} {word}")
    return none | {cell: ", ".join(of) for cell, of in said.items()}


def _fates_said(
    findings: Findings, rows: pd.DataFrame, fates: Mapping[CaseContender, str], event: str
) -> str:
    """Which strategies share a fate of the children, on the first loop and in the first case: as
    much as a title holds, what became of some before what became of none.
    """
    first = panels.ordered(findings, "loop", rows["loop"])[0]
    here = rows[(rows["loop"] == first) & (rows["case"] == rows["case"].iloc[0])]
    cells = {row["strategy"]: (row["case"], row["contender"]) for row in here.to_dict("records")}
    by_fate: dict[str, list[str]] = {}
    for name in panels.marks_of(findings, cells):
        fate = fates.get(cells[name], "not counted")
        by_fate.setdefault(fate, []).append(panels.label(findings, "strategy", name))
    title = event
    for fate, of in sorted(by_fate.items(), key=lambda one: one[0].startswith("none")):
        more = f" and {len(of) - 1} other{'s' * (len(of) > 2)}" * (len(of) > 1)
        longer = f"{title}{': ' if title == event else '; '}{fate} with {of[0]}{more}"
        title = longer if len(longer) < panels.TITLE_CHARACTERS else title
    return f"{title}."


@chart("bytes-per-task", "memory")
def bytes_per_task(findings: Findings) -> Drawing | None:
    """Bytes for each task that waits, and at the peak: a line for each Python and strategy."""
    rows = amounts(findings, "memory")
    if rows.empty:
        return None
    rows = rows[rows["tasks"] == rows["tasks"].max()]
    kinds = ["python", "strategy"]
    grid = panels.split(findings, rows, ["loop"], most_columns=2)
    lines = panels.lines_of(findings, rows, kinds)
    looks = panels.strategy_marks(findings)
    said = _range(findings, rows[rows["headline"].to_numpy(bool)], "python")
    drawing = panels.sheet(
        grid,
        f"A task that waits takes {said}.",
        f"Bytes per task while {words.count(rows['tasks'].iloc[0])} wait; less is better.",
        "The growth of the process's resident size when all tasks wait, divided by their number, "
        "with its interval. The thin line goes on to the peak: the most that the process grew "
        "until all were gone.",
        panel_inches=0.75 + 0.22 * len(lines),
        below="bytes per task",
    )
    for axes, mine in drawing.parts:
        panels.zero_axis(axes, rows["value"], "B", room=1.6)
        for (_, strategy), own, place in panels.on_lines(axes, mine, kinds, lines):
            _bytes(axes, own, looks[strategy].light, place)
    return drawing


def _bytes(axes: Axes, rows: pd.DataFrame, colour: str, place: float) -> None:
    """A bar for the headline metric, with its interval, and a thin line on to the others."""
    is_headline = rows["headline"].to_numpy(bool)
    others = rows[~is_headline]["value"].tolist()
    for row in rows[is_headline].to_dict("records"):
        value, furthest = row["value"], max([row["value"], *others])
        axes.barh(place, value, height=0.56, color=colour, alpha=0.85, zorder=2)
        axes.hlines(
            place, row["value_low"], row["value_high"], color=LIGHT.ink, linewidth=1.4, zorder=4
        )
        axes.hlines(place, value, furthest, color=colour, linewidth=1.2, zorder=3)
        peak = f", peak {words.amount(furthest, 'B')}" if others else ""
        panels.write_beside(axes, f"{words.amount(value, 'B')}{peak}", place, furthest)
