"""The chart of latencies: when tasks take their first step and when they complete."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis import style
from analysis.plots import scales
from analysis.plots.multiples import arranged
from analysis.plots.registry import Look, chart
from analysis.plots.sheet import Margins, Plan, sheet

_SHAPES: Final = {"first_step": ">", "p50": "o", "p99": "D", "max": "|"}


def _latencies(frame: pd.DataFrame) -> pd.DataFrame:
    keep = (frame["probe"].astype(str) == "latency") & (
        frame["contender"].astype(str) != style.CONTROL
    )
    return frame[keep]


def _latency_finding(rows: pd.DataFrame) -> str:
    tasks = scales.typical_tasks(rows)
    group = next(iter(scales.groups(rows)))
    workload = scales.names(rows, "workload")[0]
    here = scales.only(scales.of_group(rows, group), contender=style.BASELINE, workload=workload)
    here = here[here["tasks"] == tasks]
    seconds = dict(zip(here["metric"].astype(str), here["seconds"].tolist(), strict=True))
    if not {"first_step", "p99"} <= seconds.keys():
        return f"Latency of {style.count(tasks)} tasks"
    return (
        f"Of {style.count(tasks)} tasks the first one steps after "
        f"{style.seconds(seconds['first_step'])}, and 99 % are done after "
        f"{style.seconds(seconds['p99'])} "
        f"({style.label(style.BASELINE)}, {style.label(group[1])}, {style.label(workload)})"
    )


@chart(
    needs="absolutes",
    place=9,
    select=_latencies,
    heading="When does a task start, and when is it done?",
    caption=(
        "Time since the launch of the whole fan-out: until the first task takes its first step, "
        "until half of the tasks have "
        "completed, until 99 in 100 have, and until the slowest has. Each is the median over the "
        "sweeps of a round, "
        "estimated over rounds; the bars are 95 % intervals."
    ),
    finding=_latency_finding,
)
def latency_quantiles(every: pd.DataFrame, look: Look) -> Figure:
    """Quantiles of launch-to-completion at one typical number of tasks, a panel per workload and
    event loop.
    """
    tasks = scales.typical_tasks(every)
    rows = every[every["tasks"] == tasks]
    groups = scales.groups(rows)
    workloads = scales.names(rows, "workload")
    strategies = scales.names(rows, "contender")
    metrics = scales.names(rows, "metric")
    legend = [
        Line2D(
            [],
            [],
            linestyle="",
            marker=_SHAPES.get(name, "."),
            color=look.theme.ink,
            markersize=_size(name),
            markeredgewidth=1.4,
            label=style.label(name),
        )
        for name in metrics
    ]
    places, columns = arranged([*groups], workloads, look)
    plan = Plan(
        title=_latency_finding(every),
        subtitle=(
            f"Time since launch, fan-out of {style.count(tasks)} tasks. Further left is better; "
            "bars are 95 % intervals."
        ),
        legend=legend,
        rows=math.ceil(len(places) / columns),
        columns=columns,
        panel_height=0.3 * len(strategies) + 0.25,
        first=Margins(left=1.35, right=0.1, top=0.46, bottom=0.5),
        inner=Margins(
            left=0.1,
            right=0.12,
            top=0.46 if look.narrow else 0.36,
            bottom=0.36 if look.narrow else 0.12,
        ),
    )
    figure, panels = sheet(look, plan)
    drawn = [axes for row in panels for axes in row]
    for index, ((group, workload), axes) in enumerate(zip(places, drawn, strict=False)):
        of_workload = scales.only(rows, workload=workload)
        _quantiles(axes, scales.of_group(of_workload, group), strategies, metrics, look)
        axes.set_xlim(0, _furthest(of_workload))
        axes.locator_params(axis="x", nbins=3 if look.narrow else 4)
        axes.xaxis.set_major_formatter(
            lambda value, _: "0" if value == 0 else style.short_seconds(value)
        )
        axes.grid(axis="x")
        about = style.meaning(workload) if group == next(iter(groups)) else ""
        scales.panel_title(axes, f"{groups[group]}: {style.label(workload)}", look, about)
        is_last = index + columns >= len(places)
        axes.tick_params(labelleft=index % columns == 0, labelbottom=look.narrow or is_last)
        if is_last:
            axes.set_xlabel("time since launch")
    for axes in drawn[len(places) :]:
        axes.set_visible(False)
    return figure


def _furthest(rows: pd.DataFrame) -> float:
    """The end of the axis: every point, and intervals that are not much longer."""
    points, ends = rows["seconds"].to_numpy(float), rows["seconds_high"].to_numpy(float)
    last = float(np.nanmax(points, initial=0.0)) or 1.0
    return 1.06 * max(
        last, float(np.max(ends[np.isfinite(ends) & (ends < 1.4 * last)], initial=0.0))
    )


def _size(metric: str) -> float:
    return 11.0 if _SHAPES.get(metric) == "|" else 6.0


def _quantiles(
    axes: Axes, cells: pd.DataFrame, strategies: list[str], metrics: list[str], look: Look
) -> None:
    marks = style.marks(strategies)
    for place, name in enumerate(strategies):
        colour = marks[name].colour(look.theme)
        mine = scales.at(scales.only(cells, contender=name), "metric", metrics)
        value, low, high = (
            mine[c].to_numpy(float) for c in ("seconds", "seconds_low", "seconds_high")
        )
        if not np.isfinite(value).any():
            axes.text(
                0.02,
                place,
                "missing",
                transform=axes.get_yaxis_transform(),
                va="center",
                color=look.theme.soft_ink,
            )
            continue
        axes.plot(
            [np.nanmin(value), np.nanmax(value)],
            [place, place],
            color=colour,
            linewidth=0.8,
            alpha=0.6,
            zorder=2,
        )
        bars = np.isfinite(low) & np.isfinite(high) & np.isfinite(value)
        axes.hlines(
            np.full(bars.sum(), place),
            low[bars],
            high[bars],
            color=colour,
            linewidth=4,
            alpha=0.35,
            zorder=2,
        )
        for x, metric in zip(value, metrics, strict=True):
            axes.plot(
                [x],
                [place],
                marker=_SHAPES.get(metric, "."),
                color=colour,
                markersize=6,
                linestyle="",
                zorder=4,
            )
    axes.set_yticks(range(len(strategies)), [style.label(name) for name in strategies])
    axes.set_ylim(len(strategies) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
