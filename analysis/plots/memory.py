"""The chart of memory: what a task takes while it waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from analysis import style
from analysis.plots import scales
from analysis.plots.registry import Look, chart
from analysis.plots.sheet import Margins, Plan, sheet

STEADY, PEAK = "steady", "peak"
_ROW_INCHES: Final = 0.24

Line = tuple[str, str]
"""Python and strategy."""


def _largest(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the largest fan-out, where what is not the tasks' weighs least."""
    return scales.of_most_tasks(scales.without_control(frame))


def _memory_finding(rows: pd.DataFrame) -> str:
    steady = scales.only(rows, metric=STEADY).dropna(subset=["bytes_per_task"])
    if steady.empty:
        return "Memory of a task that waits"
    labels = scales.groups(steady)
    ordered = steady.sort_values("bytes_per_task", kind="stable").to_dict("records")

    def said(row: Mapping[Any, Any]) -> str:
        where = labels[(row["python"], row["loop"], row["task_factory"])]
        return f"{style.size(row['bytes_per_task'])} ({style.label(row['contender'])}, {where})"

    ends = dict.fromkeys(map(said, (ordered[0], ordered[-1])))
    return f"A task that waits takes {' to '.join(ends)}"


@chart(
    needs="memory",
    place=50,
    select=_largest,
    heading="How much memory does a waiting task take?",
    caption=(
        "The growth of the process's resident size when all tasks wait, divided by their number. "
        "The bar is the size while they wait, with its 95 % interval; the thin line goes on to the "
        "peak, the most that the process grew until all were gone."
    ),
    finding=_memory_finding,
)
def bytes_per_task(rows: pd.DataFrame, look: Look) -> Figure:
    """Bars of bytes per task, a panel per event loop and task factory, a row per Python and
    strategy.
    """
    loops = scales.groups(rows.assign(python=""))
    lines = _lines(rows)
    strategies = scales.names(rows, "contender")
    most = float(np.nanmax(rows["bytes_per_task"].to_numpy(float), initial=1.0))
    plan = Plan(
        title=_memory_finding(rows),
        subtitle=(
            f"Bytes per task while {style.count(int(rows['tasks'].max()))} of them wait. Less is "
            "better."
        ),
        legend=[
            Patch(color=look.theme.soft_ink, label="while they wait"),
            Line2D(
                [],
                [],
                color=look.theme.soft_ink,
                linewidth=1.0,
                marker="|",
                markersize=7,
                label="at the peak",
            ),
        ],
        rows=len(loops) if look.narrow else 1,
        columns=1 if look.narrow else len(loops),
        panel_height=_ROW_INCHES * (len(lines) + 0.6),
        first=Margins(left=_left_inches(lines), right=0.1, top=0.36, bottom=0.5),
        inner=Margins(left=0.1, right=0.1, top=0.36, bottom=0.3),
    )
    figure, panels = sheet(look, plan)
    every = [axes for row in panels for axes in row]
    for (group, label), axes in zip(loops.items(), every, strict=True):
        cells = scales.only(rows, loop=group[1], task_factory=group[2])
        _bars(axes, cells, lines, style.marks(strategies), look)
        axes.set_xlim(0, most * (1.75 if look.narrow else 1.55))
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(
            lambda value, _: "0" if value == 0 else style.short_size(value)
        )
        axes.grid(axis="x")
        axes.set_ylim(len(lines) - 0.3, -0.7)
        axes.set_yticks(range(len(lines)), _words(lines))
        axes.tick_params(axis="y", length=0, labelleft=look.narrow or axes is every[0])
        scales.panel_title(axes, label, look)
    for axes in panels[-1]:
        axes.set_xlabel("bytes per task")
    return figure


def _lines(rows: pd.DataFrame) -> list[Line]:
    """Pythons in order, on each the strategies it has."""
    return [
        (python, name)
        for python in scales.names(rows, "python")
        for name in scales.names(scales.only(rows, python=python), "contender")
    ]


def _words(lines: Sequence[Line]) -> list[str]:
    """The strategy; before it the Python, where there are several and it is its first line."""
    several = len({python for python, _ in lines}) > 1
    return [
        f"{python}   {style.label(name)}"
        if several and (index == 0 or lines[index - 1][0] != python)
        else style.label(name)
        for index, (python, name) in enumerate(lines)
    ]


def _left_inches(lines: Sequence[Line]) -> float:
    return 0.25 + max(map(len, _words(lines)), default=0) * 0.56 * 9 / 72


def _bars(
    axes: Axes,
    cells: pd.DataFrame,
    lines: Sequence[Line],
    marks: dict[str, style.Mark],
    look: Look,
) -> None:
    steady, peak = (
        scales.at(
            scales.only(cells, metric=metric).astype({"python": str, "contender": str}),
            ["python", "contender"],
            lines,
        )
        for metric in (STEADY, PEAK)
    )
    values, low, high = (
        steady[f"bytes_per_task{end}"].to_numpy(float) for end in ("", "_low", "_high")
    )
    peaks = peak["bytes_per_task"].to_numpy(float)
    for place, (_, name) in enumerate(lines):
        colour = marks[name].colour(look.theme)
        if not np.isfinite(values[place]):
            axes.text(0, place, " missing", va="center", fontsize=8, color=look.theme.soft_ink)
            continue
        axes.barh(place, values[place], height=0.56, color=colour, alpha=0.85, zorder=2)
        if np.isfinite(low[place]) and np.isfinite(high[place]):
            axes.hlines(
                place, low[place], high[place], color=look.theme.ink, linewidth=1.4, zorder=4
            )
        end, words = values[place], style.size(values[place])
        if np.isfinite(peaks[place]):
            axes.plot(
                [values[place], peaks[place]],
                [place, place],
                color=colour,
                linewidth=1.2,
                marker="|",
                markevery=[1],
                markersize=8,
                markeredgewidth=1.4,
                zorder=3,
            )
            end, words = max(end, peaks[place]), f"{words}, peak {style.size(peaks[place])}"
        axes.annotate(
            words,
            (end, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=look.theme.ink,
        )
