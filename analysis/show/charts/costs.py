"""Charts of absolute cost: what a task costs, how many a second, and on which Python."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.judge import words
from analysis.judge.findings import Findings
from analysis.show.charts import panels
from analysis.show.charts.registry import Drawing, chart
from analysis.show.theme import Mark

_SPREAD: Final = 0.3
"""On a slope, a shift to the side looks like a difference in cost: series stand nearly in place."""
_ABSOLUTE: Final = (
    "The intervals hold the drift of the machine, which cancels in the ratios: compare the "
    "strategies there, not here."
)


def amounts(findings: Findings, probe: str, *, but: str = "") -> pd.DataFrame:
    """What a probe measured, case by case, without the control; see :func:`panels.usual`."""
    usual = panels.usual(findings, but=but)
    rows = panels.only(findings.absolutes, scope="case", probe=probe, **usual)
    return rows[rows["role"] != "control"]


def _shown(findings: Findings) -> pd.DataFrame:
    """The headline metric of what the answer is about, of strategies that are concurrent."""
    rows = amounts(findings, panels.answering(findings))
    return panels.concurrent(findings, rows[rows["headline"].to_numpy(bool)])


def _typical(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the most typical number of tasks of each workload."""
    return rows[rows["tasks"] == rows.groupby("workload")["tasks"].transform(panels.typical)]


@chart("ns-per-task", section="costs")
def ns_per_task(findings: Findings) -> Drawing | None:
    """Cost per task over the number of tasks, with the fitted lines."""
    rows = panels.of_newest(_shown(findings))
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
        f"{panels.interval(line, 'ns_per_task', 'ns')} on "
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


@chart("tasks-per-second", section="costs")
def tasks_per_second(findings: Findings) -> Drawing | None:
    """The same as a rate, at a typical number of tasks: a line for each loop and strategy."""
    rows = _typical(panels.of_newest(_shown(findings)))
    if rows.empty:
        return None
    turned = {"value": "value", "value_low": "value_high", "value_high": "value_low"}
    rates = rows.assign(**{name: 1e9 / rows[other] for name, other in turned.items()}, unit="/s")
    grid = panels.split(findings, rates, ["workload"])
    lines = panels.lines_of(findings, rates, ["loop", "strategy"])
    looks = panels.strategy_marks(findings)
    best = rates.sort_values("value").to_dict("records")[-1]
    drawing = panels.sheet(
        grid,
        f"At most {words.amount(best['value'], '/s')} tasks a second, in fan-outs of "
        f"{words.count(best['tasks'])} {panels.where(findings, best, 'loop', 'strategy')}.",
        f"Tasks per second; further right is better. {panels.on_python(findings, rates)}",
        f"Tasks launched and joined per second, n in one fan-out. {_ABSOLUTE}",
        panel_inches=0.75 + 0.2 * len(lines),
        below="tasks per second",
        share_x=False,
    )
    for axes, mine in drawing.parts:
        panels.zero_axis(axes, panels.ends(mine), "/s", room=1.4)
        for (_, strategy), own, place in panels.on_lines(axes, mine, ["loop", "strategy"], lines):
            panels.points(axes, place, own, looks[strategy], sideways=True)
            rate = words.amount(float(own["value"].iloc[0]), "/s")
            panels.write_beside(axes, rate, place, max(panels.ends(own)))
        panels.add_to_title(axes, f"n = {words.count(mine['tasks'].iloc[0])}")
    return drawing


@chart("cost-by-python", section="python")
def cost_by_python(findings: Findings) -> Drawing | None:
    """Cost per task on each Python at a typical number of tasks."""
    rows = _typical(_shown(findings))
    if not panels.several(rows, "python"):
        return None
    grid = panels.split(findings, rows, ["loop", "workload"])
    looks = panels.marks_of(findings, rows["strategy"])
    shown = panels.pythons(findings, rows["python"].unique())
    drawing = panels.sheet(
        grid,
        _python_finding(findings, rows, shown),
        "Time per task by Python; lower is better. Each workload has its own scale, from zero.",
        f"{panels.READ_BUILDS} {_ABSOLUTE}",
        panel_inches=2.5,
        key=panels.marked(findings, "strategy", looks),
        notes=[*shown.notes, *panels.missing_notes(findings, rows)],
        share_y=not panels.several(rows, "workload"),
    )
    panels.python_axis(drawing.axes, shown, grid.columns)
    for axes, mine in drawing.parts:
        alike = panels.of_workload(rows, mine)
        unit = str(rows["unit"].iloc[0])
        panels.zero_axis(axes, panels.ends(alike), unit, room=1.15, sideways=False)
        panels.over_pythons(axes, mine, "strategy", shown, looks)
        panels.add_to_title(axes, f"n = {words.count(mine['tasks'].iloc[0])}")
    return drawing


def _python_finding(findings: Findings, rows: pd.DataFrame, shown: panels.Pythons) -> str:
    """The baseline's cost on the oldest and the newest Python that were built alike."""
    alike = max(shown.families.values(), key=len)
    among = alike if len(alike) > 1 else tuple(shown.places)
    first = rows[rows["strategy"] == panels.baseline(findings)].to_dict("records")[0]
    kinds = ("loop", "workload", "strategy")
    here = panels.only(rows, **{kind: first[kind] for kind in kinds})
    costs = [
        f"{panels.interval(line)} on Python {python}"
        for python in (among[0], among[-1])
        for line in here[here["python"] == python].head(1).to_dict("records")
    ]
    built = "built alike" if len(alike) > 1 else "of different builds"
    return f"A task costs {words.listed(costs)}, {built} {panels.where(findings, first, *kinds)}."
