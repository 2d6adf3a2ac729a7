"""The chart of the head start: what tasks get done while the caller does something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis import style
from analysis.plots import scales
from analysis.plots.multiples import keys
from analysis.plots.registry import Look, chart
from analysis.plots.sheet import Margins, Plan, sheet

_APART: Final = 0.3
"""How far pauses that compute stand from the others, as a share of the axis."""
_DODGE: Final = 0.02
_DASHES: Final = (0, (4, 2.5))


@dataclass(frozen=True, slots=True)
class Pauses:
    """The pauses along an axis: those that give way at their length, in seconds; then, apart, those
    that compute, whose place is given by their length.
    """

    awaited: tuple[float, ...]
    computed: Mapping[float, float]

    @property
    def last(self) -> float:
        """The longest pause that gives way."""
        return max(self.awaited, default=0.0)

    @property
    def limits(self) -> tuple[float, float]:
        """From end to end."""
        end = max([self.last, *self.computed.values()])
        reach = self.last or end or 1.0
        return -0.09 * reach, end + 0.14 * reach

    def place(self, row: dict[Any, Any]) -> float:
        """Where a row of the frame stands."""
        if row["pause_suspends"] or not row["pause_seconds"]:
            return float(row["pause_seconds"])
        return self.computed[row["pause_seconds"]]


def pauses(rows: pd.DataFrame) -> Pauses:
    """The pauses of a frame of :func:`analysis.head_start.head_start`."""
    gives_way = rows["pause_suspends"].astype(bool) | (rows["pause_seconds"] == 0)
    awaited = sorted({float(length) for length in rows[gives_way]["pause_seconds"]})
    computed = sorted({float(length) for length in rows[~gives_way]["pause_seconds"]})
    last = max([*awaited, 0.0]) or max([*computed, 0.0]) or 1.0
    begins = max([*awaited, 0.0])
    places = {one: begins + index * _APART * last for index, one in enumerate(computed, 1)}
    return Pauses(tuple(awaited), places)


def timed(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows at one typical number of tasks whose work takes a time that is given."""
    rows = frame[frame["work_seconds"].notna()]
    return rows[rows["tasks"] == scales.typical_tasks(rows)] if len(rows) else rows


def _head_start_finding(rows: pd.DataFrame) -> str:
    paused = rows[rows["pause_suspends"].astype(bool)]
    for group, label in scales.groups(paused).items():
        of_group = scales.of_group(paused, group)
        could_save = of_group["ideal_coroutines"] - of_group["ideal_tasks"]
        here = of_group[could_save == could_save.max()]
        here = here[here["pause"] == here["pause"].iloc[0]]
        bare, tasks = (here[here["strategy"] == name] for name in (style.BASELINE, _tasks(here)))
        if bare.empty or tasks.empty:
            continue
        one, other = tasks.iloc[0], bare.iloc[0]
        both = (
            f"{style.seconds(one['makespan'])} against {style.seconds(other['makespan'])} "
            f"(pause {style.short_seconds(one['pause_seconds'])}, "
            f"work {style.short_seconds(one['work_seconds'])}; {label})"
        )
        if one["makespan_high"] < other["makespan_low"]:
            return f"Tasks work while the caller awaits, bare coroutines only after: {both}"
        if one["makespan_low"] > other["makespan_high"]:
            return f"Tasks take longer than bare coroutines: {both}"
        return f"Tasks are not told apart from bare coroutines: {both}"
    return "Time from creating the tasks to their results, by what the caller does in between"


def _tasks(rows: pd.DataFrame) -> str:
    """The first strategy that makes tasks, in reading order."""
    names = scales.names(rows, "strategy")
    made = [name for name in names if name not in {style.BASELINE, *style.NO_FAN_OUT}]
    return made[0] if made else ""


@chart(
    needs="head_start",
    place=20,
    select=timed,
    heading="What does it save to create tasks early?",
    caption=(
        "The caller creates its children, pauses, and then joins them. The dashed lines are what "
        "that must take: the longer of the pause d and the work w where the children work during "
        "the pause, and d + w where they only start at the join. To the right, apart, the caller "
        "computes instead of awaiting: nothing else can run meanwhile, and only tasks that started "
        "when they were created, eager ones, can have a head start. Bars are 95 % intervals."
    ),
    finding=_head_start_finding,
)
def head_start_by_pause(rows: pd.DataFrame, look: Look) -> Figure:
    """Makespan over the pause, a row of panels per event loop and task factory, a column per length
    of the work.
    """
    groups = scales.groups(rows)
    works = sorted({float(length) for length in rows["work_seconds"]})
    strategies = scales.names(rows, "strategy")
    shown = pauses(rows)
    top = {work: _top(rows[rows["work_seconds"] == work]) for work in works}
    tasks = scales.typical_tasks(rows)
    beyond = [name for name in strategies if _is_beyond(rows, name, top)]
    plan = Plan(
        title=_head_start_finding(rows),
        subtitle=(
            f"Time from the first creation to the last result, {style.count(tasks)} "
            f"{'child' if tasks == 1 else 'children'}, by how long the caller pauses before it "
            "joins them. Lower is better."
        ),
        legend=[
            *keys(strategies, look),
            Line2D(
                [], [], color=look.theme.soft_ink, linestyle=_DASHES, linewidth=1.0, label="ideal"
            ),
        ],
        notes=[f"{style.label(name)} takes longer than the panels reach." for name in beyond],
        rows=len(groups) * (len(works) if look.narrow else 1),
        columns=1 if look.narrow else len(works),
        panel_height=1.75,
        first=Margins(left=0.65, right=0.1, top=0.36, bottom=0.5),
        inner=Margins(left=0.55, right=0.1, top=0.36, bottom=0.26),
    )
    figure, panels = sheet(look, plan)
    every = iter([axes for row in panels for axes in row])
    for group, label in groups.items():
        of_group = scales.of_group(rows, group)
        for work in works:
            axes = next(every)
            cells = of_group[of_group["work_seconds"] == work]
            _ideals(axes, shown, work, look)
            _measured(axes, cells, strategies, shown, look)
            axes.set_ylim(0, top[work])
            _axes(axes, shown, look)
            scales.panel_title(axes, f"{label}: work of {style.short_seconds(work)}", look)
    for axes in panels[-1]:
        axes.set_xlabel("pause before the join")
    return figure


def _top(rows: pd.DataFrame) -> float:
    """The end of the vertical axis: both ideals, and points that are not far beyond them."""
    ideal = float(rows["ideal_coroutines"].max())
    points = rows["makespan"].to_numpy(float)
    near = points[np.isfinite(points) & (points < 1.6 * ideal)]
    return 1.3 * max(ideal, float(near.max(initial=0.0)))


def _is_beyond(rows: pd.DataFrame, strategy: str, top: dict[float, float]) -> bool:
    mine = rows[rows["strategy"] == strategy]
    return bool((mine["makespan"] > mine["work_seconds"].map(top)).any())


def _ideals(axes: Axes, shown: Pauses, work: float, look: Look) -> None:
    """What it takes where the work is done during the pause, and where it is done after."""
    ink = look.theme.soft_ink
    bends = np.array(sorted({0.0, *([work] if work < shown.last else []), shown.last}))
    for together, words in ((True, "max(d, w): together"), (False, "d + w: one after the other")):
        ideal = np.maximum(bends, work) if together else bends + work
        axes.plot(bends, ideal, color=ink, linewidth=1.0, linestyle=_DASHES, zorder=2)
        end = 0 if together else -1
        axes.annotate(
            words,
            (float(bends[end]), float(ideal[end])),
            xytext=(0, -8 if together else 7),
            textcoords="offset points",
            ha="left" if together else "right",
            va="top" if together else "bottom",
            fontsize=7.5,
            color=ink,
        )
        for length, place in shown.computed.items():
            reach = 0.06 * (shown.last or place)
            level = max(length, work) if together else length + work
            axes.hlines(
                level,
                place - reach,
                place + reach,
                color=ink,
                linewidth=1.0,
                linestyle=_DASHES,
                zorder=2,
            )


def _measured(
    axes: Axes, cells: pd.DataFrame, strategies: Sequence[str], shown: Pauses, look: Look
) -> None:
    marks = style.marks(strategies)
    start, end = shown.limits
    for index, name in enumerate(strategies):
        mine = cells[cells["strategy"] == name].sort_values("pause_seconds")
        colour = marks[name].colour(look.theme)
        shift = (index - (len(strategies) - 1) / 2) * _DODGE * (end - start)
        places = np.array([shown.place(row) for row in mine.to_dict("records")]) + shift
        value, low, high = (
            mine[f"makespan{part}"].to_numpy(float) for part in ("", "_low", "_high")
        )
        bars = np.isfinite(low) & np.isfinite(high)
        axes.vlines(places[bars], low[bars], high[bars], color=colour, linewidth=1.6, zorder=3)
        awaited = places <= shown.last + abs(shift) + 1e-12
        axes.plot(places[awaited], value[awaited], color=colour, linewidth=1.0, alpha=0.7, zorder=2)
        axes.plot(
            places,
            value,
            linestyle="",
            marker=marks[name].marker,
            color=colour,
            markersize=5.0,
            zorder=4,
        )


def _axes(axes: Axes, shown: Pauses, look: Look) -> None:
    start, end = shown.limits
    axes.set_xlim(start, end)
    ticks = [
        (length, "none" if not length else style.short_seconds(length)) for length in shown.awaited
    ]
    ticks += [(place, style.short_seconds(length)) for length, place in shown.computed.items()]
    axes.set_xticks([place for place, _ in ticks], [words for _, words in ticks])
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(
        lambda value, _: "0" if value == 0 else style.short_seconds(value)
    )
    axes.grid(axis="y")
    zones = [((start + shown.last) / 2, "the caller awaits")] if shown.awaited else []
    if shown.computed:
        between = (shown.last + min(shown.computed.values())) / 2
        axes.axvline(between, color=look.theme.rule, linewidth=1.0, zorder=0.6)
        axes.axvspan(between, end, color=look.theme.panel, linewidth=0, zorder=0.4)
        zones.append(((between + end) / 2, "it computes"))
    for place, words in zones:
        axes.text(
            place,
            0.98,
            words,
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="top",
            fontsize=7.5,
            color=look.theme.soft_ink,
        )
