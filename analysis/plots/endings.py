"""Charts of how a fan-out ends early: one child fails, or the caller is cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis import style
from analysis.plots import scales
from analysis.plots.registry import Look, chart
from analysis.plots.sheet import Margins, Plan, sheet

CLEAN: Final = "clean"
"""The metric of both probes that says when no child is left running."""
_ROW_INCHES: Final = 0.42


@dataclass(frozen=True, slots=True)
class Ending:
    """What the two ends of a line are, and which counts stand below it: ``knows`` is a metric and
    what it means, ``counts`` the words of an observation by its name. Times count ``since``.
    """

    knows: tuple[str, str]
    counts: Mapping[str, str]
    since: str


FAILURE: Final = Ending(
    knows=("known", "the caller has the error"),
    counts={
        "siblings_finished": "were done",
        "siblings_ran_on": "ran on",
        "siblings_cancelled": "cancelled",
        "siblings_never_started": "never started",
    },
    since="time since the launch",
)
CANCEL: Final = Ending(
    knows=("cancelled", "the caller is cancelled"),
    counts={"left_running": "left running"},
    since="time since the cancellation",
)
_NONE_LEFT: Final = "no child is left running"


def _largest(frame: pd.DataFrame) -> pd.DataFrame:
    return scales.of_most_tasks(scales.without_control(frame))


def _count(number: float) -> str:
    """A mean number of children: 99, 0.5."""
    return style.count(round(number)) if number == round(number) else f"{number:,.1f}"


def _with(rows: pd.DataFrame, name: str) -> list[str]:
    """The strategies in whose rows more than half a child was counted under this name anywhere."""
    counted = rows[rows[name] > 0.5] if name in rows else rows.head(0)
    return scales.names(counted, "contender")


def _labels(names: Sequence[str]) -> str:
    return style.listed(map(style.label, names))


def _failure_finding(rows: pd.DataFrame) -> str:
    tasks = style.count(int(rows["tasks"].max()))
    fates = [
        (names, words)
        for name, words in (
            ("siblings_ran_on", "the others run on"),
            ("siblings_finished", "they are done before the caller knows"),
            ("siblings_cancelled", "they are cancelled"),
            ("siblings_never_started", "some never start"),
        )
        if (names := _with(rows, name))
    ]
    if not fates:
        return f"When one of {tasks} children fails: until the caller knows, and until all is still"
    said = ", ".join(f"with {_labels(names)} {words}" for names, words in fates)
    return f"When one of {tasks} children fails: {said}"


@chart(
    needs="failure",
    place=40,
    select=_largest,
    heading="What happens when a child fails?",
    caption=(
        "One of n children raises at its first step; times count from the launch, on a logarithmic "
        "axis. The dot is when the caller has the error, the ring when no child is running any "
        "more; bars are 95 % intervals. Below each line stands what became of the other children: "
        "what ran on is work that nobody waits for."
    ),
    finding=_failure_finding,
)
def failure_by_strategy(rows: pd.DataFrame, look: Look) -> Figure:
    """From launch until the caller knows and until all is clean, a row per strategy."""
    tasks = style.count(int(rows["tasks"].max()))
    return _dumbbells(
        rows,
        look,
        FAILURE,
        title=_failure_finding(rows),
        subtitle=f"Time since the launch of {tasks} children, one of which fails. Left is sooner.",
    )


def _cancel_finding(rows: pd.DataFrame) -> str:
    tasks = style.count(int(rows["tasks"].max()))
    left = _with(rows, "left_running")
    others = [name for name in scales.names(rows, "contender") if name not in left]
    begins = f"When the caller of {tasks} children is cancelled:"
    if left:
        none = f", with {_labels(others)} none is" if others else ""
        return f"{begins} with {_labels(left)} they are left running{none}"
    return f"{begins} no strategy leaves a child running"


@chart(
    needs="cancel",
    place=41,
    select=_largest,
    heading="What happens when the caller is cancelled?",
    caption=(
        "The caller is cancelled while all its children wait; times count from the cancellation, "
        "on a logarithmic axis. The dot is when the caller is cancelled, the ring when no child is "
        "running any more; bars are 95 % intervals. Children left running have to be cancelled by "
        "hand, as was done here."
    ),
    finding=_cancel_finding,
)
def cancel_by_strategy(rows: pd.DataFrame, look: Look) -> Figure:
    """From cancel() until the caller is cancelled and until all is clean, a row per strategy."""
    tasks = style.count(int(rows["tasks"].max()))
    return _dumbbells(
        rows,
        look,
        CANCEL,
        title=_cancel_finding(rows),
        subtitle=f"Time since the caller of {tasks} waiting children is cancelled. Left is sooner.",
    )


def _dumbbells(
    rows: pd.DataFrame, look: Look, ending: Ending, *, title: str, subtitle: str
) -> Figure:
    groups = scales.groups(rows)
    workloads = scales.names(rows, "workload")
    strategies = scales.names(rows, "contender")
    grid = [(group, workload) for group in groups for workload in workloads]
    columns = 1 if look.narrow else min(2, len(grid))
    plan = Plan(
        title=title,
        subtitle=subtitle,
        legend=_legend(ending, look),
        rows=-(-len(grid) // columns),
        columns=columns,
        panel_height=_ROW_INCHES * len(strategies) + 0.2,
        first=Margins(left=1.4, right=0.1, top=0.36, bottom=0.5),
        inner=Margins(left=0.1, right=0.1, top=0.36, bottom=0.26),
    )
    figure, panels = sheet(look, plan)
    every = [axes for row in panels for axes in row]
    ends = rows["seconds"].to_numpy(float)
    ends = ends[np.isfinite(ends) & (ends > 0)]
    low, high = (float(ends.min()), float(ends.max())) if len(ends) else (1e-6, 1.0)
    for index, ((group, workload), axes) in enumerate(zip(grid, every, strict=False)):
        cells = scales.only(scales.of_group(rows, group), workload=workload)
        scales.quantity_axis(axes.xaxis, low / 1.6, high * 1.6, style.short_seconds)
        _lines(axes, cells, strategies, ending, look)
        axes.grid(axis="x")
        several = f": {style.label(workload)}" if len(workloads) > 1 else ""
        scales.panel_title(axes, groups[group] + several, look)
        axes.tick_params(labelleft=index % columns == 0)
    for axes in every[len(grid) :]:
        axes.set_visible(False)
    for axes in panels[-1]:
        axes.set_xlabel(ending.since)
    return figure


def _legend(ending: Ending, look: Look) -> list[Line2D]:
    ink = look.theme.ink
    return [
        Line2D([], [], linestyle="", marker="o", markersize=5, color=ink, label=ending.knows[1]),
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            markersize=9,
            markerfacecolor="none",
            markeredgewidth=1.4,
            color=ink,
            label=_NONE_LEFT,
        ),
    ]


def _lines(
    axes: Axes, cells: pd.DataFrame, strategies: Sequence[str], ending: Ending, look: Look
) -> None:
    marks = style.marks(strategies)
    for place, name in enumerate(strategies):
        colour = marks[name].colour(look.theme)
        mine = scales.at(scales.only(cells, contender=name), "metric", [ending.knows[0], CLEAN])
        knows, clean = mine.to_dict("records")
        both = [knows["seconds"], clean["seconds"]]
        if not all(map(np.isfinite, both)):
            axes.text(
                0.02,
                place,
                style.MISSING,
                transform=axes.get_yaxis_transform(),
                va="center",
                color=look.theme.soft_ink,
            )
            continue
        axes.plot(both, [place, place], color=colour, linewidth=1.6, zorder=2)
        for end in (knows, clean):
            if np.isfinite(end["seconds_low"]) and np.isfinite(end["seconds_high"]):
                axes.hlines(
                    place,
                    end["seconds_low"],
                    end["seconds_high"],
                    color=colour,
                    linewidth=5,
                    alpha=0.35,
                    zorder=1,
                )
        for x, size, face in ((both[0], 5, colour), (both[1], 9, "none")):
            axes.plot(
                [x],
                [place],
                linestyle="",
                marker="o",
                markersize=size,
                color=colour,
                markerfacecolor=face,
                markeredgewidth=1.4,
                zorder=4,
            )
        start, end = axes.transAxes.inverted().transform(
            axes.transData.transform([(x, place) for x in both])
        )[:, 0]
        leftwards = start > 0.5
        axes.text(
            both[1] if leftwards else both[0],
            place + 0.36,
            _fates(knows, ending),
            ha="right" if leftwards else "left",
            va="center",
            fontsize=7.5,
            color=look.theme.soft_ink,
        )
    axes.set_yticks(range(len(strategies)), [style.label(name) for name in strategies])
    axes.set_ylim(len(strategies) - 0.45, -0.5)
    axes.tick_params(axis="y", length=0)


def _fates(row: Mapping[Any, Any], ending: Ending) -> str:
    """What became of the children: "99 ran on"."""
    counts = [(words, row.get(name, np.nan)) for name, words in ending.counts.items()]
    known = [(words, number) for words, number in counts if number == number]
    said = [f"{_count(number)} {words}" for words, number in known if number > 0]
    if not said and known:
        return f"0 {known[0][0]}"
    return ", ".join(said)
