"""Charts of absolute cost: time per task and tasks per second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis import style
from analysis.plots import scales
from analysis.plots.multiples import Panel, keys, over_tasks
from analysis.plots.registry import Look, chart

_DODGE_DECADES: Final = 0.03
"""Points stand nearly in place: on a slope, a shift to the side would look like a difference in
cost.
"""


def whole_fan_out(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows about the time of a whole fan-out, without the control."""
    keep = (frame["probe"].astype(str) == "throughput") & (frame["metric"].astype(str) == "total")
    return scales.without_control(frame[keep])


def _peak_finding(rows: pd.DataFrame) -> str:
    best = rows.nlargest(1, "tasks_per_second").to_dict("records")[0]
    return (
        f"At most {style.tasks_per_second(best['tasks_per_second'])}: "
        f"{style.label(str(best['loop']))}, "
        f"{style.label(str(best['contender']))}, {style.label(str(best['workload']))}, "
        f"{style.count(int(best['tasks']))} {'task' if best['tasks'] == 1 else 'tasks'}"
    )


@chart(
    needs="absolutes",
    place=8,
    select=whole_fan_out,
    heading="How many tasks a second?",
    caption=(
        "Tasks launched and joined per second, by the number of tasks in a fan-out; both axes are "
        "logarithmic. The bars are "
        "95 % intervals and hold the drift of the machine, which cancels in the ratios: compare "
        "strategies there, not here."
    ),
    finding=_peak_finding,
)
def tasks_per_second(rows: pd.DataFrame, look: Look) -> Figure:
    """Throughput over the number of tasks, a panel per workload and event loop."""
    return absolute_sheet(
        rows,
        look,
        column="tasks_per_second",
        words=style.short_rate,
        title=_peak_finding(rows),
        subtitle=(
            "Tasks per second by number of tasks, both axes logarithmic. Higher is better; "
            "each workload has its own scale."
        ),
    )


def _line_finding(rows: pd.DataFrame) -> str:
    workload = scales.names(rows, "workload")[0]
    base = rows[
        (rows["contender"].astype(str) == style.BASELINE)
        & (rows["workload"].astype(str) == workload)
    ]
    parts = []
    for group, label in scales.groups(rows).items():
        first = scales.of_group(base, group).dropna(subset=["line_ns_per_task"]).head(1)
        for row in first.to_dict("records"):
            cost = style.ns_per_task_interval(
                *(row[f"line_ns_per_task{end}"] for end in ("", "_low", "_high"))
            )
            parts.append(f"{cost} on {label}")
    if not parts:
        return "Time per task by number of tasks"
    return (
        f"A further task costs {style.listed(parts)} ({style.label(workload)}, "
        f"{style.label(style.BASELINE)})"
    )


def _breaks_note(rows: pd.DataFrame) -> str:
    fitted = rows[rows["line_ns_per_task"].notna()]
    each = fitted.drop_duplicates(["python", "loop", "task_factory", "workload", "contender"])
    broken = each[each["breaks_at"].notna()]
    if broken.empty:
        return f"The line holds over the whole range in all {len(each)} cases."
    places = sorted({int(n) for n in broken["breaks_at"]})
    return (
        f"The line breaks in {len(broken)} of {len(each)} cases, at "
        f"{style.listed(map(style.count, places))} tasks: "
        "a cross marks where measured costs leave it by more than 10 %."
    )


@chart(
    needs="lines",
    place=7,
    select=whole_fan_out,
    heading="What does a task cost?",
    caption=(
        "Time of the whole fan-out divided by the number of tasks; both axes are logarithmic. "
        "Points are measured, with 95 % "
        "intervals. Lines are the fitted cost model, a fixed cost plus a cost for each task: to "
        "the left the fixed cost is "
        "shared by few tasks. A line is dashed where it no longer holds, and a cross marks where "
        "that begins."
    ),
    finding=_line_finding,
)
def ns_per_task(rows: pd.DataFrame, look: Look) -> Figure:
    """Cost per task over the number of tasks with the fitted line and where it breaks."""

    def fitted(axes: Axes, cells: pd.DataFrame, colour: str) -> None:
        if cells.empty or not np.isfinite(cells["line_ns_per_task"].iloc[0]):
            return
        first = cells.iloc[0]
        x = np.geomspace(cells["tasks"].min(), cells["tasks"].max(), 30)
        y = 1e9 * float(first["fixed_seconds"]) / x + float(first["line_ns_per_task"])
        y = np.where(y > 0, y, np.nan)
        holds = x <= float(first["tasks_to"]) * 1.001
        axes.plot(x[holds], y[holds], color=colour, linewidth=1.0, zorder=2)
        if pd.notna(first["breaks_at"]):
            axes.plot(
                x[~holds],
                y[~holds],
                color=colour,
                linewidth=1.0,
                linestyle=(0, (3, 2)),
                zorder=2,
            )
            place = float(first["breaks_at"])
            there = cells[cells["tasks"] == place]["ns_per_task"]
            axes.plot(
                [place],
                [float(there.iloc[0])],
                marker="x",
                markersize=7,
                markeredgewidth=1.2,
                color=look.theme.ink,
                zorder=6,
            )

    return absolute_sheet(
        rows,
        look,
        column="ns_per_task",
        words=lambda value: style.short_seconds(value * 1e-9),
        title=_line_finding(rows),
        subtitle=(
            "Time per task by number of tasks, both axes logarithmic. Lower is better; "
            f"each workload has its own scale. {_breaks_note(rows)}"
        ),
        more_legend=[
            Line2D(
                [],
                [],
                color=look.theme.soft_ink,
                linewidth=1.0,
                label="fitted: fixed + n x per task",
            )
        ],
        line=fitted,
    )


def absolute_sheet(
    rows: pd.DataFrame,
    look: Look,
    *,
    column: str,
    words: Callable[[float], str],
    title: str,
    subtitle: str,
    more_legend: Sequence[Line2D] = (),
    line: Callable[[Axes, pd.DataFrame, str], None] | None = None,
    beside: Callable[[Axes], None] = lambda _: None,
) -> Figure:
    """Points per strategy, joined by straight lines or by what ``line`` draws from the strategy's
    rows and colour; ``beside`` them in every panel what is not measured.
    """
    contenders = scales.names(rows, "contender")
    marks = style.marks(contenders)
    limits = {
        workload: _limits(scales.only(rows, workload=workload)[column])
        for workload in scales.names(rows, "workload")
    }

    def draw(panel: Panel) -> None:
        beside(panel.axes)
        for name in contenders:
            x, mine = panel.of(name, _DODGE_DECADES)
            _points(panel.axes, x, mine, column, marks[name], look, joined=line is None)
            if line is not None:
                own = panel.cells[panel.cells["contender"].astype(str) == name]
                line(panel.axes, own, marks[name].colour(look.theme))

    return over_tasks(
        rows,
        look,
        title=title,
        subtitle=subtitle,
        legend=[*keys(contenders, look), *more_legend],
        draw=draw,
        scale=lambda axis, workload: scales.quantity_axis(axis, *limits[workload], words),
        own_scales=True,
    )


def _limits(column: pd.Series[float]) -> tuple[float, float]:
    values = column.to_numpy(float)
    values = values[np.isfinite(values) & (values > 0)]
    return (values.min() / 1.35, values.max() * 1.35) if len(values) else (1.0, 10.0)


def _points(
    axes: Axes,
    x: np.ndarray,
    mine: pd.DataFrame,
    column: str,
    mark: style.Mark,
    look: Look,
    *,
    joined: bool,
) -> None:
    colour = mark.colour(look.theme)
    value, low, high = (
        mine[name].to_numpy(float) for name in (column, f"{column}_low", f"{column}_high")
    )
    bars = np.isfinite(value) & np.isfinite(low) & np.isfinite(high) & (low > 0)
    axes.vlines(x[bars], low[bars], high[bars], color=colour, linewidth=1.2, zorder=3)
    width = 0.9 if joined else 0.0
    axes.plot(x, value, color=colour, linewidth=width, marker=mark.marker, markersize=4.5, zorder=4)
