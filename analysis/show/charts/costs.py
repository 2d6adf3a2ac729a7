"""Charts of absolute cost: what a task costs, how many a second, and on which Python."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.judge import words
from analysis.judge.findings import Findings, bounds_rows, break_even, collected, of_computing
from analysis.show.charts import panels
from analysis.show.charts.registry import LIMIT, Drawing, chart
from analysis.show.theme import LIGHT, Mark, marks

_SPREAD: Final = 0.3
"""On a slope, a shift to the side looks like a difference in cost: series stand nearly in place."""
_ABSOLUTE: Final = (
    "The intervals hold the drift of the machine, which cancels in the ratios: compare the "
    "strategies there, not here."
)


def amounts(findings: Findings, probe: str, *, but: str = "") -> pd.DataFrame:
    """What a probe measured, case by case, without the control; see :func:`panels.usual`."""
    usual = panels.usual(findings, but=but)
    rows = panels.only(findings.absolutes, probe=probe, **usual)
    return rows[rows["role"] != "control"]


def _shown(findings: Findings) -> pd.DataFrame:
    """The headline metric of what the answer is about, of strategies that are concurrent."""
    rows = amounts(findings, panels.answering(findings))
    return panels.concurrent(findings, rows[rows["headline"].to_numpy(bool)])


@chart("ns-per-task", "costs")
def ns_per_task(findings: Findings) -> Drawing | None:
    """Cost per task over the number of tasks, with the fitted lines."""
    rows = panels.over_several(panels.of_newest(_shown(findings)))
    if rows.empty:
        return None
    wanted = {"python": rows["python"].iloc[0], **panels.usual(findings)}
    fits = panels.concurrent(findings, panels.only(findings.costs, **wanted))
    fits = fits[(fits["role"] != "control") & fits["ns_per_task"].notna()]
    drawing = over_tasks(
        findings,
        rows,
        _cost_finding(findings, fits),
        "Time per task by number of tasks, both axes logarithmic; lower is better.",
        "Time of the whole fan-out divided by the number of tasks. Lines are the fitted cost "
        "model, a fixed cost plus a cost for each task: to the left, few tasks share the fixed "
        f"cost. A line is dashed beyond the numbers of tasks that it was fitted to. {_ABSOLUTE}",
        joined=False,
    )
    looks = panels.strategy_marks(findings)
    for axes, mine in drawing.parts:
        here = {kind: mine[kind].iloc[0] for kind in ("loop", "workload")}
        for fit in panels.only(fits, **here).to_dict("records"):
            _line(axes, fit, mine["tasks"].to_numpy(float), looks[fit["strategy"]])
    return drawing


def _line(axes: Axes, fit: Mapping[Hashable, Any], tasks: panels.FloatArray, mark: Mark) -> None:
    """The fitted line, dashed beyond the numbers of tasks that it holds for."""
    ends = (tasks.min(), float(fit["tasks_to"]), tasks.max())
    for start, end, style in zip(ends, ends[1:], ("solid", (0, (3, 2))), strict=False):
        if end > start:
            x = np.geomspace(start, end, 20)
            y = 1e9 * float(fit["fixed_seconds"]) / x + float(fit["ns_per_task"])
            y = np.where(y > 0, y, np.nan)
            axes.plot(x, y, color=mark.light, linewidth=1.0, linestyle=style, zorder=2)


def _cost_finding(findings: Findings, fits: pd.DataFrame) -> str:
    """What a further task costs with the baseline, on each loop, for the first workload."""
    known = fits[fits["strategy"] == panels.baseline(findings)]
    workloads = panels.ordered(findings, "workload", known["workload"])
    lines = known[known["workload"].isin(workloads[:1])].to_dict("records")
    if not lines:
        return "What a task costs depends on how many there are."
    costs = words.listed(
        f"{words.amount(line['ns_per_task'], 'ns')} on "
        f"{panels.label(findings, 'loop', line['loop'])}"
        for line in lines
    )
    return (
        f"A further task costs {costs} {panels.where(findings, lines[0], 'workload', 'strategy')}."
    )


def over_tasks(
    findings: Findings,
    rows: pd.DataFrame,
    title: str,
    what: str,
    caption: str,
    *,
    joined: bool = True,
) -> Drawing:
    """A panel for each loop and workload over the number of tasks, each workload on its scale."""
    grid = panels.split(findings, rows, ["loop", "workload", "pause"])
    looks = panels.marks_of(findings, rows["strategy"])
    drawing = panels.sheet(
        grid,
        title,
        f"{what} {panels.on_python(findings, rows)}",
        caption,
        panel_inches=2.3 if grid.rows > 1 else 2.8,
        key=panels.marked(findings, "strategy", looks),
        below="number of tasks",
        share_y=not panels.several(rows, "workload"),
    )
    panels.tasks_axis(drawing.axes[0], rows["tasks"])
    for axes, mine in drawing.parts:
        alike = panels.of_workload(rows, mine)
        panels.amount_axis(axes, panels.ends(alike), str(rows["unit"].iloc[0]))
        panels.over_tasks(axes, mine, "strategy", looks, _SPREAD, joined=joined)
    return drawing


@chart("break-even", "costs")
def caring(findings: Findings) -> Drawing | None:
    """From how much work of a task on the choice makes no difference, by Python and loop."""
    rows = break_even(findings)
    if not panels.several(rows, "python"):
        return None
    looks = marks(panels.ordered(findings, "loop", rows["loop"]))
    shown = panels.pythons(findings, rows["python"].unique())
    newest = panels.of_newest(rows).sort_values("value_high").to_dict("records")[-1]
    drawing = panels.sheet(
        panels.Grid([("", rows)], 1),
        f"From {words.amount(newest['value'], 'ns')} of work per task on, the choice moves less "
        f"than 1 % {panels.where(findings, newest, 'python', 'loop')}.",
        "Work of each task from which on the choice moves the total by less than 1 %.",
        "Of each Python and event loop, the strategy and the workload whose difference is largest. "
        f"{panels.READ_BUILDS}",
        panel_inches=2.6,
        key=panels.marked(findings, "loop", looks),
        notes=shown.notes,
    )
    panels.python_axis(drawing.axes, shown, 1)
    for axes, mine in drawing.parts:
        panels.zero_axis(axes, panels.ends(mine), "ns", room=1.15, sideways=False)
        panels.over_pythons(axes, mine, "loop", shown, looks)
    return drawing


@chart("code-and-collector", "costs")
def code_and_collector(findings: Findings) -> Drawing | None:
    """What of a task's cost is the collector's, where it takes part at all: a bar in two parts."""
    rows = collected(panels.of_newest(_shown(findings)))
    if rows.empty:
        return None
    rows = rows[rows["tasks"] == rows.groupby("workload")["tasks"].transform(panels.large)]
    lines = panels.lines_of(findings, rows, ["loop", "strategy"])
    looks = panels.strategy_marks(findings)
    shares = rows["collecting"] / rows["value"]
    most = rows.assign(share=shares).sort_values("share").to_dict("records")[-1]
    drawing = panels.sheet(
        panels.split(findings, rows, ["workload"]),
        f"The collector takes up to {words.share(most['collecting'] / most['value'], 0)} of the "
        f"time {panels.where(findings, most, 'workload', 'strategy', 'loop')}.",
        "Time per task: the code, then the collector, with its share. "
        f"{panels.on_python(findings, rows)}",
        "The coloured part is the code's, the grey one is what collections take that happen during "
        "fan-outs, at the rate that they have in a program that has been running for a while.",
        panel_inches=0.75 + 0.22 * len(lines),
        below="time per task",
        share_x=False,
        intervals=False,
    )
    for axes, mine in drawing.parts:
        panels.zero_axis(axes, mine["value"], "ns", room=1.3)
        for (_, strategy), own, place in panels.on_lines(axes, mine, ["loop", "strategy"], lines):
            row = own.iloc[0]
            for left, width, ink in (
                (0.0, row["code"], looks[strategy].light),
                (row["code"], row["collecting"], LIGHT.soft_ink),
            ):
                axes.barh(place, width, left=left, height=0.6, color=ink, alpha=0.85, zorder=2)
            share = words.share(row["collecting"] / row["value"], 0)
            panels.write_beside(axes, share, place, float(row["value"]))
        panels.add_to_title(axes, f"n = {words.count(mine['tasks'].iloc[0])}")
    return drawing


@chart("limits", LIMIT)
def limits(findings: Findings) -> Drawing | None:
    """Time per task by limit, a line for each pattern, and what all at once takes."""
    said, rows = findings.words, of_computing(findings, panels.of_newest(bounds_rows(findings)))
    rows = rows[rows.groupby(["case", "pattern"])["limit"].transform("nunique") > 1]
    rows = rows[rows["tasks"].eq(rows.groupby("workload")["tasks"].transform("max"))]
    if rows.empty:
        return None
    absolutes = rows.drop(columns="family")  # it is the ratios that hold together
    looks = marks(panels.ordered(findings, "pattern", rows["pattern"]))
    ends = rows.sort_values("ratio").to_dict("records")
    least, most = ends[0], ends[-1]
    drawing = panels.sheet(
        panels.split(findings, absolutes, ["loop", "workload"]),
        f"With a limit, compared with all at once: {words.short_change(least['ratio'])} "
        f"({said.label('pattern', least['pattern'])}) to {words.short_change(most['ratio'])} "
        f"({said.label('pattern', most['pattern'])}).",
        "Time per task by how many may be active at a time, both axes logarithmic; lower is "
        f"better. {panels.on_python(findings, rows)}",
        "The dashed line is all at once, by gather.",
        panel_inches=2.6,
        key=panels.marked(findings, "pattern", looks),
        below="active at a time, at most",
        share_y=not panels.several(rows, "workload"),
    )
    panels.tasks_axis(drawing.axes[0], rows["limit"])
    for axes, mine in drawing.parts:
        alike = panels.of_workload(rows, mine)
        free = float(mine["reference_value"].iloc[0])
        reach = [*alike["reference_value"], *panels.ends(alike)]
        panels.amount_axis(axes, reach, str(rows["unit"].iloc[0]))
        axes.axhline(free, color=LIGHT.soft_ink, linewidth=1.0, linestyle=(0, (3, 2)), zorder=1)
        panels.over_tasks(axes, mine, "pattern", looks, _SPREAD, along="limit")
        panels.add_to_title(axes, f"n = {words.count(mine['tasks'].iloc[0])}")
    return drawing
