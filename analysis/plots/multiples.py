"""Small multiples over the number of tasks: a panel for each event loop and workload, all with the
same two axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis import style
from analysis.plots import scales
from analysis.plots.registry import Look
from analysis.plots.sheet import Margins, Plan, sheet


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: its axes, the rows of its event loop and workload, and all numbers of tasks of the
    sheet.
    """

    axes: Axes
    workload: str
    cells: pd.DataFrame
    tasks: Sequence[int]
    contenders: Sequence[str]

    def of(self, contender: str, dodge_decades: float = 0.1) -> tuple[np.ndarray, pd.DataFrame]:
        """A contender's places, beside those of the others, and its rows; absent numbers of tasks
        are rows of NaN.
        """
        middle = (len(self.contenders) - 1) / 2
        shift = 10 ** ((list(self.contenders).index(contender) - middle) * dodge_decades)
        mine = scales.only(self.cells, contender=contender)
        return np.array(self.tasks, dtype=float) * shift, scales.at(mine, "tasks", self.tasks)


def over_tasks(
    rows: pd.DataFrame,
    look: Look,
    *,
    title: str,
    subtitle: str,
    legend: Sequence[Line2D | Patch],
    draw: Callable[[Panel], None],
    scale: Callable[[Axis, str], None],
    notes: Sequence[str] = (),
    directions: bool = False,
    own_scales: bool = False,
) -> Figure:
    """A sheet with a row of panels per event loop and a column per workload; the other way round
    when narrow.

    ``draw`` fills a panel, ``scale`` sets its vertical axis (given its workload; ``own_scales``
    when these differ), ``directions`` names the two directions of a ratio.
    """
    groups = scales.groups(rows)
    workloads = scales.names(rows, "workload")
    contenders = scales.names(rows, "contender")
    tasks = sorted({int(n) for n in rows["tasks"]})
    plan = Plan(
        title=title,
        subtitle=subtitle,
        legend=legend,
        notes=notes,
        rows=len(workloads) if look.narrow else len(groups),
        columns=len(groups) if look.narrow else len(workloads),
        panel_height=1.55 if look.narrow else 1.75,
        first=Margins(left=0.95 if directions else 0.65, right=0.1, top=0.46, bottom=0.5),
        inner=Margins(
            left=0.55 if own_scales and not look.narrow else 0.09,
            right=0.09,
            top=0.46 if look.narrow else 0.36,
            bottom=0.12,
        ),
    )
    figure, panels = sheet(look, plan)
    for i, group in enumerate(groups):
        of_group = scales.of_group(rows, group)
        for j, workload in enumerate(workloads):
            axes = panels[j][i] if look.narrow else panels[i][j]
            cells = scales.only(of_group, workload=workload)
            draw(Panel(axes, workload, cells, tasks, contenders))
            scales.tasks_axis(axes, tasks)
            scale(axes.yaxis, workload)
            axes.grid(axis="y")
            about = style.meaning(workload) if i == 0 else ""
            scales.panel_title(axes, f"{groups[group]}: {style.label(workload)}", look, about)
    for line in panels:
        for axes in line[1:]:
            axes.tick_params(labelleft=own_scales and not look.narrow)
        if directions:
            scales.directions(line[0].yaxis)
    for line in panels[:-1]:
        for axes in line:
            axes.tick_params(labelbottom=False)
    for axes in panels[-1]:
        axes.set_xlabel("number of tasks")
    return figure


def keys(names: Sequence[str], look: Look) -> list[Line2D | Patch]:
    """Legend entries of series drawn as a line with markers."""
    marks = style.marks(names)
    return [
        Line2D(
            [],
            [],
            color=marks[name].colour(look.theme),
            marker=marks[name].marker,
            markersize=5.5,
            linewidth=1.2,
            label=style.label(name),
        )
        for name in names
    ]
