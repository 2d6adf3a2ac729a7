"""Charts of absolute cost: what a task costs, how many a second, and on which Python."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
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
    "Bars are 95 % intervals. They hold the drift of the machine, which cancels in the ratios: "
    "compare the strategies there, not here."
)
DrawMore = Callable[[Axes, pd.DataFrame, Mark], None]
"""What else is drawn of one strategy in a panel, from its rows and mark."""


def amounts(findings: Findings, probe: str, *, but: str = "") -> pd.DataFrame:
    """The absolute values of a probe, case by case, without the control; of the plan's first task
    factory and collector, axis ``but`` aside.
    """
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


# --- cost by number of tasks ----------------------------------------------------------------------


@chart("ns-per-task", section="costs")
def ns_per_task(findings: Findings) -> Drawing | None:
    """Cost per task over the number of tasks, with the fitted lines."""
    rows = _shown(findings)
    rows = rows[rows["python"] == panels.newest(rows)]
    if rows.empty:
        return None
    python = rows["python"].iloc[0]
    fits = panels.only(findings.costs, python=python, **panels.usual(findings))
    fits = fits[(fits["role"] != "control") & fits["ns_per_task"].notna()]
    kinds = ["strategy", "loop", "workload"]
    lines = {tuple(fit[kind] for kind in kinds): fit for fit in fits.to_dict("records")}

    def fitted(axes: Axes, mine: pd.DataFrame, mark: Mark) -> None:
        fit = lines.get(tuple(mine[kinds].iloc[0]))
        if fit is not None:
            _line(axes, fit, mine["tasks"].to_numpy(float), mark)

    return over_tasks(
        findings,
        rows,
        _cost_finding(findings, fits),
        "Time per task by number of tasks, both axes logarithmic; lower is better.",
        "Time of the whole fan-out divided by the number of tasks. Lines are the fitted cost "
        "model, a fixed cost plus a cost for each task: to the left, few tasks share the fixed "
        f"cost. A line is dashed beyond the numbers of tasks that it was fitted to. {_ABSOLUTE}",
        more=fitted,
    )


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
    costs = [
        f"{panels.interval(line, 'ns_per_task', 'ns')} on "
        f"{panels.label(findings, 'loop', line['loop'])}"
        for line in lines
    ]
    if not costs:
        return "What a task costs depends on how many there are."
    of = panels.where(findings, lines[0], "workload", "strategy")
    return f"A further task costs {words.listed(costs)} {of}."


def over_tasks(
    findings: Findings,
    rows: pd.DataFrame,
    title: str,
    what: str,
    caption: str,
    *,
    more: DrawMore | None = None,
) -> Drawing:
    """Amounts of one Python over the number of tasks: a panel for each loop and workload, each
    workload on its own scale. Points of a strategy are joined, or ``more`` is drawn.
    """
    grid = panels.split(findings, rows, ["loop", "workload", "pause"])
    looks = panels.marks_of(findings, rows["strategy"])
    drawing = panels.sheet(
        grid,
        title,
        f"{what} {panels.on_python(findings, rows)}",
        caption,
        panel_inches=2.3 if grid.rows > 1 else 2.8,
        key=panels.marked(findings, "strategy", looks),
        share_x="col",
        share_y=not panels.several(rows, "workload"),
    )
    panels.tasks_axes(drawing.axes, grid)
    for axes, part in zip(drawing.axes, grid.panels, strict=True):
        alike = rows[rows["workload"] == part.rows["workload"].iloc[0]]
        panels.amount_axis(axes, panels.ends(alike), str(rows["unit"].iloc[0]))
        for name, mark, aside in panels.apart(looks, _SPREAD):
            mine = part.rows[part.rows["strategy"] == name].sort_values("tasks")
            if mine.empty:
                continue
            places = mine["tasks"].to_numpy(float) * np.exp(aside)
            if more is None:
                axes.plot(places, mine["value"], color=mark.light, linewidth=0.9, zorder=2)
            else:
                more(axes, mine, mark)
            panels.points(axes, places, mine, mark)
    return panels.outer_labels(drawing, grid, below="number of tasks")


# --- tasks per second -----------------------------------------------------------------------------


@chart("tasks-per-second", section="costs")
def tasks_per_second(findings: Findings) -> Drawing | None:
    """Tasks per second at a typical number of tasks: a panel for each workload, a line for each
    loop and strategy.
    """
    rows = _shown(findings)
    rows = _typical(rows[rows["python"] == panels.newest(rows)])
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
        share_x=False,
    )
    for axes, part in zip(drawing.axes, grid.panels, strict=True):
        panels.line_axis(axes, lines.values())
        panels.zero_axis(axes, panels.ends(part.rows), "/s", room=1.4)
        for (_, strategy), mine, place in panels.on_lines(part.rows, ["loop", "strategy"], lines):
            panels.points(axes, place, mine, looks[strategy], sideways=True)
            rate = words.amount(float(mine["value"].iloc[0]), "/s")
            panels.write_beside(axes, rate, max(panels.ends(mine)), place[0])
        _say_tasks(axes, part)
    return panels.outer_labels(drawing, grid, below="tasks per second")


def _say_tasks(axes: Axes, part: panels.Panel) -> None:
    """The panel's number of tasks, beside its title."""
    tasks = f"n = {words.count(int(part.rows['tasks'].iloc[0]))}"
    axes.set_title(f"{part.title}, {tasks}" if part.title else tasks)


# --- cost by Python -------------------------------------------------------------------------------


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
    for axes, part in zip(drawing.axes, grid.panels, strict=True):
        alike = rows[rows["workload"] == part.rows["workload"].iloc[0]]
        unit = str(rows["unit"].iloc[0])
        panels.zero_axis(axes, panels.ends(alike), unit, room=1.15, sideways=False)
        panels.python_axis(axes, shown, grid.columns)
        panels.over_pythons(axes, part.rows, "strategy", shown, looks)
        _say_tasks(axes, part)
    return panels.outer_labels(drawing, grid)


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
