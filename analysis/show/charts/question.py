"""The probes' own charts: the head start, latencies, stalls, failures, cancellations, memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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


def _of_newest(findings: Findings, probe: str, *, but: str = "") -> pd.DataFrame:
    rows = amounts(findings, probe, but=but)
    return rows[rows["python"] == panels.newest(rows)]


# --- the head start -------------------------------------------------------------------------------


@chart("head-start", probe="head_start")
def head_start(findings: Findings) -> Drawing | None:
    """Time until all results are there by what the caller does before it joins: a panel for each
    loop, task factory and length of the work.
    """
    rows = _of_newest(findings, "head_start", but="task_factory")
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
        "they were created have a head start. Bars are 95 % intervals.",
        panel_inches=2.1,
        key=panels.marked(findings, "strategy", looks),
        share_y=not panels.several(rows, "workload"),
    )
    for axes, part in zip(drawing.axes, grid.panels, strict=True):
        least = _least(axes, part.rows, pauses)
        alike = rows[rows["workload"] == part.rows["workload"].iloc[0]]["value"]
        near = alike[alike < 1.6 * least]
        panels.zero_axis(axes, [least, *near], "s", room=1.25, sideways=False)
        for name, mark, aside in panels.apart(looks, min(0.5, 0.16 * len(looks))):
            mine = part.rows[part.rows["strategy"] == name]
            places = np.array([pauses.index(pause) + aside for pause in mine["pause"]])
            panels.points(axes, places, mine, mark)
        axes.set_xlim(-0.5, len(pauses) - 0.5)
        axes.set_xticks(
            range(len(pauses)), [panels.label(findings, "pause", name) for name in pauses]
        )
        work = f"work of {words.tick(float(part.rows['work_seconds'].iloc[0]), 's')}"
        axes.set_title(f"{part.title}, {work}" if part.title else work)
    return panels.outer_labels(drawing, grid, below="what the caller does before it joins")


def _least(axes: Axes, rows: pd.DataFrame, pauses: list[str]) -> float:
    """Dashes at the least time for each pause, where the work is done during it and where it is
    done after it; both are named where they are furthest apart. Returns the longest, in seconds.
    """
    each = rows.drop_duplicates("pause")
    gained = each[["pause_seconds", "work_seconds"]].astype(float).min(axis=1)
    longest = 0.0
    for row, is_widest in zip(each.to_dict("records"), gained == gained.max(), strict=True):
        place = pauses.index(row["pause"])
        together = max(row["pause_seconds"], row["work_seconds"])
        after = row["pause_seconds"] + row["work_seconds"]
        longest = max(longest, after)
        for level in (together, after):
            axes.hlines(
                level, place - 0.42, place + 0.42, color=LIGHT.soft_ink, linewidth=1.0,
                linestyle=_DASHES, zorder=2,
            )  # fmt: skip
        if is_widest and after > together:
            for level, said, side in (
                (together, "together", "top"),
                (after, "one after the other", "bottom"),
            ):
                axes.annotate(
                    said, (place, level), xytext=(0, -6 if side == "top" else 6),
                    textcoords="offset points", fontsize=7.5, color=LIGHT.soft_ink,
                    ha="center", va=side,
                )  # fmt: skip
    return longest


def _head_start_finding(findings: Findings, rows: pd.DataFrame) -> str:
    """The first strategy and the next, where the head start could save most."""
    paused = rows[rows["pause_suspends"].to_numpy(bool)]
    could_save = np.minimum(paused["pause_seconds"], paused["work_seconds"])
    best = paused[could_save == could_save.max()]
    best = best[best["case"].isin(best["case"].head(1))]
    strategies = list(panels.marks_of(findings, best["strategy"]))[:2]
    if len(strategies) < 2:
        return "The pause before the join decides what a head start can save."
    own = [best[best["strategy"] == name].to_dict("records")[0] for name in strategies]
    last, first = (
        f"{panels.label(findings, 'strategy', row['strategy'])} takes {panels.interval(row)}"
        for row in own
    )
    return (
        f"With {words.tick(own[0]['work_seconds'], 's')} of work and a pause of "
        f"{words.tick(own[0]['pause_seconds'], 's')} before the join, {first} and {last} "
        f"{panels.where(findings, own[0], 'loop', 'task_factory')}."
    )


# --- latencies and stalls -------------------------------------------------------------------------


@chart("latency-quantiles", probe="latency")
def latency_quantiles(findings: Findings) -> Drawing | None:
    """From launch to each task's first step and completion: a line for each strategy."""
    rows = _of_newest(findings, "latency")
    if rows.empty:
        return None
    rows = rows[rows["tasks"] == panels.typical(rows["tasks"])]
    metrics = list(dict.fromkeys(rows["metric"]))
    names = {name: findings.words.metric("latency", name).label for name in metrics}
    shapes = dict(zip(metrics, _SHAPES, strict=False))
    grid = panels.split(findings, rows, ["loop", "workload"], most_columns=2)
    lines = panels.lines_of(findings, rows, ["strategy"])
    looks = panels.strategy_marks(findings)
    tasks = words.count(rows["tasks"].iloc[0])
    firsts = rows[rows["strategy"] == next(iter(lines))[0]].drop_duplicates("metric")
    said = [
        f"{names[row['metric']]} after {words.seconds(row['value'])}"
        for row in firsts.to_dict("records")
    ]
    of = panels.where(findings, firsts.iloc[0].to_dict(), "strategy", "loop", "workload")
    drawing = panels.sheet(
        grid,
        f"Of {tasks} tasks: {words.listed(said)} {of}.",
        f"Time since the launch of {tasks} tasks; further left is better. "
        f"{panels.on_python(findings, rows)}",
        "Each mark is a point in time after the launch of the whole fan-out; bars are 95 % "
        "intervals. A strategy whose first task starts late creates all of them before.",
        panel_inches=0.75 + 0.26 * len(lines),
        key=[(names[name], _ink(shape)) for name, shape in shapes.items()],
        share_x=False,
    )
    for axes, part in zip(drawing.axes, grid.panels, strict=True):
        panels.line_axis(axes, lines.values())
        alike = rows[rows["workload"] == part.rows["workload"].iloc[0]]
        panels.zero_axis(axes, alike["value"], "s", room=1.12)
        for (strategy,), mine, places in panels.on_lines(part.rows, ["strategy"], lines):
            _metrics(axes, places[0], mine, looks[strategy].light, shapes)
    return panels.outer_labels(drawing, grid, below="time since the launch")


def _ink(shape: str) -> Mark:
    """A mark that stands for a metric of any strategy."""
    return Mark(LIGHT.ink, LIGHT.ink, shape)


def _metrics(
    axes: Axes, place: float, rows: pd.DataFrame, colour: str, shapes: Mapping[str, str]
) -> None:
    """The metrics of one strategy on a line; a stroke is taller than a dot that it crosses."""
    axes.hlines(place, rows["value"].min(), rows["value"].max(), color=colour, lw=0.8)
    for metric, shape in shapes.items():
        row, size = rows[rows["metric"] == metric], 13.0 if shape == "|" else 5.0
        at = np.full(len(row), place)
        panels.points(axes, at, row, Mark(colour, colour, shape), sideways=True, size=size)


@chart("longest-wait", probe="stall")
def longest_wait(findings: Findings) -> Drawing | None:
    """How long another callback waits, over the number of tasks."""
    rows = _of_newest(findings, "stall")
    rows = rows[rows["headline"].to_numpy(bool)]
    if rows.empty:
        return None
    largest = rows[rows["tasks"] == rows["tasks"].max()].sort_values("value")
    said = _range(findings, largest, "strategy", "loop")

    tasks = words.count(rows["tasks"].max())
    drawing = over_tasks(
        findings,
        rows,
        f"A fan-out of {tasks} tasks makes another callback wait {said}.",
        "Longest wait of another callback, both axes logarithmic; lower is better.",
        "The longest time that a callback which is always ready, such as another connection's, "
        "waits for its turn while the tasks are launched and joined. Tasks that return at once all "
        "run in the same turn of the loop. From 100 ms on asyncio's debug mode warns of a slow "
        "callback: a dashed line. Bars are 95 % intervals.",
    )
    if 3 * rows["value"].max() > _SLOW_CALLBACK_SECONDS:
        for axes in drawing.axes:
            axes.axhline(_SLOW_CALLBACK_SECONDS, color=LIGHT.soft_ink, lw=1.0, linestyle=_DASHES)
    return drawing


def _range(findings: Findings, ascending: pd.DataFrame, *kinds: str) -> str:
    """The least and the largest amount: "17.1 ms (TaskGroup, uvloop) to 23.3 ms (...)"."""
    ends = ascending.to_dict("records")
    return " to ".join(
        f"{words.amount(row['value'], row['unit'])} {panels.where(findings, row, *kinds)}"
        for row in (ends if len(ends) < 2 else (ends[0], ends[-1]))
    )


# --- failures and cancellations -------------------------------------------------------------------


@chart("failure", probe="failure")
def failure(findings: Findings) -> Drawing | None:
    """From the launch until the caller has the error, and until no child runs."""
    return _endings(
        findings,
        _of_newest(findings, "failure"),
        event="When one of {tasks} children fails",
        what="Time since the launch of {tasks} children, one of which fails; left is sooner.",
        first="the caller has the error",
        caption="One of n children raises at its first step. At the right stands what became of "
        "the other children: what ran on is work that nobody waits for. Bars are 95 % intervals.",
    )


@chart("cancel", probe="cancel")
def cancel(findings: Findings) -> Drawing | None:
    """From the cancellation until the caller is cancelled, and until no child runs."""
    return _endings(
        findings,
        _of_newest(findings, "cancel"),
        event="When the caller of {tasks} children is cancelled",
        what="Time since the caller of {tasks} waiting children is cancelled; left is sooner.",
        first="the caller is cancelled",
        caption="The caller is cancelled while all its children wait. Children left running have "
        "to be cancelled by hand, as was done here. Bars are 95 % intervals.",
    )


def _endings(
    findings: Findings, rows: pd.DataFrame, *, event: str, what: str, first: str, caption: str
) -> Drawing | None:
    """A line for each strategy from the first metric of the probe to its last, and beside it what
    was counted.
    """
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
        f"{event.format(tasks=tasks)}: {_fates_said(findings, rows, fates)}.",
        f"{what.format(tasks=tasks)} {panels.on_python(findings, rows)}",
        caption,
        panel_inches=0.75 + 0.26 * len(lines),
        key=[(first, _ink("o")), ("no child is left running", _ink("|"))],
    )
    for axes, part in zip(drawing.axes, grid.panels, strict=True):
        panels.line_axis(axes, lines.values())
        panels.amount_axis(axes, panels.ends(rows), "s", sideways=True, most=4)
        for (strategy,), mine, places in panels.on_lines(part.rows, ["strategy"], lines):
            _metrics(axes, places[0], mine, looks[strategy].light, shapes)
            axes.annotate(
                fates.get(mine["contender"].iloc[0], ""), (1.0, places[0]),
                xycoords=axes.get_yaxis_transform(), xytext=(6, 0), textcoords="offset points",
                va="center_baseline", fontsize=8, color=LIGHT.ink,
            )  # fmt: skip
    return panels.outer_labels(drawing, grid, below="time")


def _fates(findings: Findings, rows: pd.DataFrame) -> Mapping[str, str]:
    """What became of the children, by contender: "99 ran on"."""
    seen = findings.observations
    seen = seen[seen["case"].isin(rows["case"].unique()) & seen["name"].isin(_FATES)]
    said: dict[str, list[str]] = {}
    none: dict[str, str] = {}
    for row in seen.to_dict("records"):
        word = findings.words.observed(row["probe"], row["name"]).label
        none.setdefault(row["contender"], f"none {word}")
        if row["value"] > 0:
            said.setdefault(row["contender"], []).append(f"{words.tally(row['value'])} {word}")
    return none | {contender: ", ".join(of) for contender, of in said.items()}


def _fates_said(findings: Findings, rows: pd.DataFrame, fates: Mapping[str, str]) -> str:
    """Which strategies share a fate of the children, on the first loop."""
    first = panels.ordered(findings, "loop", rows["loop"])[0]
    here = rows[rows["loop"] == first]
    contenders = dict(zip(here["strategy"], here["contender"], strict=True))
    by_fate: dict[str, list[str]] = {}
    for name in panels.marks_of(findings, contenders):
        fate = fates.get(contenders[name], "not counted")
        by_fate.setdefault(fate, []).append(panels.label(findings, "strategy", name))
    return "; ".join(f"{fate} with {words.listed(of)}" for fate, of in by_fate.items())


# --- memory ---------------------------------------------------------------------------------------


@chart("bytes-per-task", probe="memory")
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
    headline = rows[rows["headline"].to_numpy(bool)].sort_values("value")
    drawing = panels.sheet(
        grid,
        f"A task that waits takes {_range(findings, headline, 'strategy', 'loop', 'python')}.",
        f"Bytes per task while {words.count(rows['tasks'].iloc[0])} wait; less is better.",
        "The growth of the process's resident size when all tasks wait, divided by their number, "
        "with its 95 % interval. The thin line goes on to the peak: the most that the process grew "
        "until all were gone.",
        panel_inches=0.75 + 0.22 * len(lines),
    )
    for axes, part in zip(drawing.axes, grid.panels, strict=True):
        panels.line_axis(axes, lines.values())
        panels.zero_axis(axes, rows["value"], "B", room=1.6)
        for (_, strategy), mine, places in panels.on_lines(part.rows, kinds, lines):
            _bytes(axes, mine, looks[strategy].light, places[0])
    return panels.outer_labels(drawing, grid, below="bytes per task")


def _bytes(axes: Axes, mine: pd.DataFrame, colour: str, place: float) -> None:
    """A bar for the headline metric, with its interval, and a thin line on to the others."""
    is_headline = mine["headline"].to_numpy(bool)
    others = mine[~is_headline]["value"].tolist()
    for row in mine[is_headline].to_dict("records"):
        value, low, high = row["value"], row["value_low"], row["value_high"]
        furthest = max([value, *others])
        axes.barh(place, value, height=0.56, color=colour, alpha=0.85, zorder=2)
        axes.hlines(place, low, high, color=LIGHT.ink, linewidth=1.4, zorder=4)
        axes.hlines(place, value, furthest, color=colour, linewidth=1.2, zorder=3)
        peak = f", peak {words.size(furthest)}" if others else ""
        panels.write_beside(axes, f"{words.size(value)}{peak}", furthest, place)
