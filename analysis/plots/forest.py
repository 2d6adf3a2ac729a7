"""Forest plots: every ratio with its interval, a row per workload and number of tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis import style
from analysis.plots import scales
from analysis.plots.ratios import (
    draw_series,
    fan_outs,
    headline_rows,
    ratio_legend,
    ratio_notes,
    strategies_finding,
    told_apart,
)
from analysis.plots.registry import Look, chart
from analysis.plots.sheet import Margins, Plan, sheet

_ROW_INCHES, _SERIES_INCHES = 0.23, 0.075
_SPREAD = 0.84
"""How far the series of a row stand apart, in rows."""

Line = tuple[str, int]
"""Workload and number of tasks."""


def forest(
    look: Look,
    panels: Sequence[Sequence[tuple[str, pd.DataFrame]]],
    *,
    by: str,
    marks: Mapping[str, style.Mark],
    title: str,
    subtitle: str,
    legend: Sequence[Line2D | Patch],
    flagged: str = "",
) -> Figure:
    """A sheet of panels, given in rows, each with its title and its comparisons.

    All have the same lines and scale. In a line stands a point for each of ``marks``, by the name
    in the column ``by``. Lines where the column ``flagged`` holds anywhere have a ground.
    """
    rows = pd.concat([cells for row in panels for _, cells in row])
    lines = _lines(rows)
    limits = scales.ratio_limits(*(rows[c].to_numpy(float) for c in ("ratio", "low", "high")))
    plan = Plan(
        title=title,
        subtitle=subtitle,
        legend=[*legend, Patch(color=look.theme.band, label="noise floor")],
        notes=ratio_notes(rows, limits),
        rows=len(panels),
        columns=len(panels[0]),
        panel_height=max(_ROW_INCHES, _SERIES_INCHES * len(marks)) * (len(lines) + 1),
        first=Margins(left=1.2, right=0.1, top=0.36, bottom=0.5),
        inner=Margins(left=0.26, right=0.18, top=0.36, bottom=0.5),
    )
    figure, drawn = sheet(look, plan)
    for row, axes_of_row in zip(panels, drawn, strict=True):
        for (name, cells), axes in zip(row, axes_of_row, strict=True):
            _panel(axes, cells, lines, by, marks, limits, look)
            if flagged:
                _flags(axes, cells[cells[flagged].astype(bool)], lines, look)
            scales.panel_title(axes, name, look)
            if axes is not axes_of_row[0]:
                axes.tick_params(labelleft=False)
    return figure


def _lines(rows: pd.DataFrame) -> list[Line]:
    pairs = {(str(w), int(n)) for w, n in rows[["workload", "tasks"]].itertuples(index=False)}
    return sorted(pairs, key=lambda pair: (style.order(pair[0]), pair[1]))


def _panel(
    axes: Axes,
    cells: pd.DataFrame,
    lines: Sequence[Line],
    by: str,
    marks: Mapping[str, style.Mark],
    limits: tuple[float, float],
    look: Look,
) -> None:
    keyed = cells.assign(workload=cells["workload"].astype(str))
    floors = keyed.groupby(["workload", "tasks"], observed=True)["floor"].max().reindex(list(lines))
    height = np.arange(len(lines), dtype=float)
    edges = np.repeat(height, 2) + np.tile([-0.5, 0.5], len(lines))
    scales.floor_band(axes, edges, np.repeat(floors.to_numpy(float), 2), look, vertical=False)
    for index, (name, mark) in enumerate(marks.items()):
        mine = scales.at(scales.only(keyed, **{by: name}), ["workload", "tasks"], lines)
        shift = (index - (len(marks) - 1) / 2) * _SPREAD / len(marks)
        draw_series(
            axes,
            height + shift,
            mine,
            mark,
            look,
            limits=limits,
            control=name == style.CONTROL,
            sideways=True,
        )
    scales.ratio_axis(axes.xaxis, limits, most=3)
    axes.grid(axis="x")
    scales.directions(axes.xaxis)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    firsts = [i for i, (workload, _) in enumerate(lines) if i == 0 or lines[i - 1][0] != workload]
    for place in firsts[1:]:
        axes.axhline(place - 0.5, color=look.theme.rule, linewidth=0.8)
    words = [
        f"{style.label(w)}   {style.count(n)}" if i in firsts else style.count(n)
        for i, (w, n) in enumerate(lines)
    ]
    axes.set_yticks(height, words)
    axes.tick_params(axis="y", length=0)


def _flags(axes: Axes, cells: pd.DataFrame, lines: Sequence[Line], look: Look) -> None:
    """The ground of the lines that some cell is flagged in."""
    flagged = {(str(w), int(n)) for w, n in zip(cells["workload"], cells["tasks"], strict=True)}
    for place, line in enumerate(lines):
        if line in flagged:
            axes.axhspan(
                place - 0.5,
                place + 0.5,
                color=look.theme.alarm,
                alpha=0.14,
                linewidth=0,
                zorder=0.4,
            )


# --- every strategy against the baseline ---------------------------------------------------------


def control_finding(rows: pd.DataFrame) -> str:
    """In words: how often the strategies are told apart, and how often the control is, which is
    nothing but chance.
    """
    finding = strategies_finding(rows)
    told, measured = told_apart(scales.only(rows, contender=style.CONTROL))
    if not measured:
        return finding
    times = str(sum(told.values())) if told else "none"
    return f"{finding}. The control, which cannot differ, is told apart in {times} of {measured}"


@chart(
    needs="comparisons",
    place=2,
    select=lambda frame: fan_outs(headline_rows(frame)),
    heading="Every comparison",
    caption=(
        "A row per workload and number of tasks, a column per event loop and probe: the time of "
        "the whole fan-out, and the "
        "99th percentile of the time from launch to a task's completion. A point is the ratio to "
        "gather(*coroutines), the "
        "bar its 95 % interval, the grey band the noise floor. Filled points are told apart from "
        "the baseline."
    ),
    finding=control_finding,
)
def every_ratio(rows: pd.DataFrame, look: Look) -> Figure:
    """All ratios with their intervals and the noise floor, a row per workload and number of
    tasks.
    """
    groups = scales.groups(rows)
    metrics = _main_metrics(rows)
    contenders = scales.names(rows, "contender")

    def panel(group: scales.Group, probe: str, metric: str) -> tuple[str, pd.DataFrame]:
        cells = scales.only(scales.of_group(rows, group), probe=probe, metric=metric)
        of = "whole fan-out" if metric == "total" else f"{style.label(probe)}, {metric}"
        return (groups[group] if len(metrics) == 1 else f"{groups[group]}: {of}"), cells

    by_group = [[panel(group, *of) for of in metrics] for group in groups]
    beside = len(groups) * len(metrics) <= 4 and not look.narrow
    return forest(
        look,
        [[one for row in by_group for one in row]] if beside else by_group,
        by="contender",
        marks=style.marks(contenders),
        title=control_finding(rows),
        subtitle=(
            "Ratio to gather(*coroutines) with its 95 % interval; a hollow point is not "
            "told apart from the baseline."
        ),
        legend=ratio_legend(contenders, look),
    )


def _main_metrics(rows: pd.DataFrame) -> list[tuple[str, str]]:
    pairs = {(str(p), str(m)) for p, m in rows[["probe", "metric"]].itertuples(index=False)}
    return sorted(pairs, key=lambda pair: (style.order(pair[0]), style.order(pair[1])))
