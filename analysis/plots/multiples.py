"""Small multiples over the number of tasks: a panel for each event loop and workload, all with the
same two axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

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

_DODGE_DECADES: Final = 0.1
_SPREAD_DECADES: Final = 0.4
"""How far contenders stand beside one another, and at most all of them."""
_MOST_BESIDE: Final = 4
"""Panels in a row where they could be any number."""


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

    def of(
        self, contender: str, dodge_decades: float = _DODGE_DECADES
    ) -> tuple[np.ndarray, pd.DataFrame]:
        """A contender's places, beside those of the others, and its rows; absent numbers of tasks
        are rows of NaN.
        """
        middle = (len(self.contenders) - 1) / 2
        dodge = min(dodge_decades, _SPREAD_DECADES / len(self.contenders))
        shift = 10 ** ((list(self.contenders).index(contender) - middle) * dodge)
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
    when narrow, and in one row when there is only one workload.

    ``draw`` fills a panel, ``scale`` sets its vertical axis (given its workload; ``own_scales``
    when these differ), ``directions`` names the two directions of a ratio.
    """
    groups = scales.groups(rows)
    workloads = scales.names(rows, "workload")
    contenders = scales.names(rows, "contender")
    tasks = sorted({int(n) for n in rows["tasks"]})
    places, columns = arranged([*groups], workloads, look)
    same = not own_scales or look.narrow or len(workloads) == 1
    plan = Plan(
        title=title,
        subtitle=subtitle,
        legend=legend,
        notes=notes,
        rows=math.ceil(len(places) / columns),
        columns=columns,
        panel_height=1.55 if look.narrow else 1.75,
        first=Margins(left=0.95 if directions else 0.65, right=0.1, top=0.46, bottom=0.5),
        inner=Margins(
            left=0.09 if same else 0.55,
            right=0.09,
            top=0.46 if look.narrow else 0.36,
            bottom=0.12,
        ),
    )
    figure, panels = sheet(look, plan)
    every = [axes for row in panels for axes in row]
    for index, ((group, workload), axes) in enumerate(zip(places, every, strict=False)):
        cells = scales.only(scales.of_group(rows, group), workload=workload)
        draw(Panel(axes, workload, cells, tasks, contenders))
        scales.tasks_axis(axes, tasks)
        scale(axes.yaxis, workload)
        axes.grid(axis="y")
        about = style.meaning(workload) if group == next(iter(groups)) else ""
        scales.panel_title(axes, f"{groups[group]}: {style.label(workload)}", look, about)
        if index % columns == 0 and directions:
            scales.directions(axes.yaxis)
        is_last = index + columns >= len(places)
        axes.tick_params(labelleft=index % columns == 0 or not same, labelbottom=is_last)
        if is_last:
            axes.set_xlabel("number of tasks")
    for axes in every[len(places) :]:
        axes.set_visible(False)
    return figure


def arranged(
    groups: Sequence[scales.Group], workloads: Sequence[str], look: Look
) -> tuple[list[tuple[scales.Group, str]], int]:
    """Panels in the order in which they fill a sheet, and how many stand beside one another."""
    if look.narrow:
        by_workload = [(group, workload) for workload in workloads for group in groups]
        return by_workload, 2 if len(groups) % 2 == 0 else 1
    by_group = [(group, workload) for group in groups for workload in workloads]
    return by_group, len(workloads) if len(workloads) > 1 else min(_MOST_BESIDE, len(groups))


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
