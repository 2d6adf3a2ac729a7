"""The Pythons of a campaign side by side: cost by version, ratios to one of them, and how the
strategies rank on each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from analysis import style
from analysis.plots import scales
from analysis.plots.multiples import keys
from analysis.plots.ratios import (
    compared,
    draw_series,
    missing_notes,
    ratio_legend,
    ratio_notes,
)
from analysis.plots.registry import Look, chart
from analysis.plots.sheet import Margins, Plan, sheet
from analysis.plots.versions import (
    CHARACTER_INCHES,
    Place,
    Versions,
    build_notes,
    over_versions,
    panel_inches,
    tick_inches,
    version_axis,
    versions,
)

_TYPICAL_TASKS: Final = 1_000
_DODGE: Final = 0.14
"""How far strategies stand beside one another, in widths of a version."""
_ROOMY_INCHES: Final = 0.85
"""A cell so wide holds an interval."""
_STEPS: Final = (0.05, 0.20)
"""Changes at which the colour of a cell becomes stronger."""


def _loops(rows: pd.DataFrame) -> dict[scales.Group, str]:
    """Every (loop, task factory), whatever the Python, with its label."""
    return scales.groups(rows.assign(python=""))


def _of_loop(rows: pd.DataFrame, group: scales.Group) -> pd.DataFrame:
    return scales.only(rows, loop=group[1], task_factory=group[2])


def several(frame: pd.DataFrame) -> pd.DataFrame:
    """All rows but the control's; none where there is only one Python to show."""
    rows = frame[frame["contender"].astype(str) != style.CONTROL]
    return rows if len(set(rows["python"])) > 1 else rows.head(0)


def typical(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of one number of tasks per workload: 1,000 where measured, else the middle."""
    rows = several(frame)
    shown = _tasks_shown(rows)
    return rows[rows["tasks"] == rows["workload"].astype(str).map(shown)]


def _tasks_shown(rows: pd.DataFrame) -> dict[str, int]:
    shown = {}
    for workload in scales.names(rows, "workload"):
        tasks = sorted({int(n) for n in scales.only(rows, workload=workload)["tasks"]})
        shown[workload] = _TYPICAL_TASKS if _TYPICAL_TASKS in tasks else tasks[len(tasks) // 2]
    return shown


def _fan_out_of(rows: pd.DataFrame) -> str:
    tasks = sorted({int(n) for n in rows["tasks"]})
    return f"fan-out of {style.listed(map(style.count, tasks))} tasks"


# --- cost by Python ------------------------------------------------------------------------------


def _cost_finding(rows: pd.DataFrame) -> str:
    group, loop = next(iter(_loops(rows).items()))
    workload, strategy = scales.names(rows, "workload")[0], scales.names(rows, "contender")[0]
    here = scales.only(_of_loop(rows, group), workload=workload, contender=strategy)
    here = here[here["ns_per_task"].notna()]
    longest = max(
        (here[here["family"] == family] for family in dict.fromkeys(here["family"])),
        key=len,
        default=here,
    )
    if len(here) < 2:
        return "Too few Pythons were measured to compare their costs"
    chosen = longest if len(longest) > 1 else here
    ordered = sorted(
        chosen.to_dict("records"), key=lambda row: style.python_order(str(row["version"]))
    )
    costs = [
        style.ns_per_task_interval(
            row["ns_per_task"], row["ns_per_task_low"], row["ns_per_task_high"]
        )
        + f" on {'Python ' if row is ordered[0] else ''}{row['python']}"
        for row in (ordered[0], ordered[-1])
    ]
    builds = "same build" if chosen is longest else "different builds"
    return (
        f"A task costs {' and '.join(costs)} ({builds}; {loop}, {style.label(workload)}, "
        f"{style.label(strategy)})"
    )


@chart(
    needs="pythons",
    place=4,
    select=typical,
    heading="What does a task cost on each Python?",
    caption=(
        "Time of the whole fan-out divided by the number of tasks, on each Python; lower is "
        "better. The bars are 95 % intervals and hold the drift of the machine. Lines join "
        "versions of one family of builds only: same builder, compiler and flags. Between "
        "families, more than the version differs."
    ),
    finding=_cost_finding,
)
def cost_by_python(rows: pd.DataFrame, look: Look) -> Figure:
    """Time per task by version, a panel per event loop and workload, a line per strategy."""
    shown = versions(rows)
    loops, workloads = _loops(rows), scales.names(rows, "workload")
    strategies = scales.names(rows, "contender")
    marks = style.marks(strategies)
    tasks = _tasks_shown(rows)
    many = len(set(tasks.values())) > 1

    def draw(axes: Axes, group: scales.Group, workload: str) -> None:
        of_workload = scales.only(rows, workload=workload)
        cells = _of_loop(of_workload, group)
        for name, places in _beside(shown, strategies):
            _cost_line(
                axes, places, shown.of(scales.only(cells, contender=name)), marks[name], look
            )
        axes.set_ylim(0, _top(of_workload) * (1.25 if len(shown.builds) > 1 else 1.1))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(
            lambda value, _: "0" if value == 0 else style.short_seconds(value * 1e-9)
        )

    places = [
        Place(
            title=f"{loops[group]}: {style.label(workload)}"
            + (f", {style.count(tasks[workload])} tasks" if many else ""),
            about=style.meaning(workload) if group == next(iter(loops)) else "",
            draw=partial(draw, group=group, workload=workload),
        )
        for group in loops
        for workload in workloads
    ]
    plan = Plan(
        title=_cost_finding(rows),
        subtitle=(
            f"Time per task by Python, {_fan_out_of(rows)}. Lower is better; each workload has "
            "its own scale, from zero. Bars are 95 % intervals."
        ),
        legend=keys(strategies, look),
        notes=missing_notes(rows[rows["ns_per_task"].isna()]),
        panel_height=1.7,
    )
    columns = 1 if look.narrow else len(workloads)
    return over_versions(look, shown, places, plan, columns=columns, own_scales=True)


def _beside(shown: Versions, strategies: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Each strategy with its places, a little beside those of the others."""
    for index, name in enumerate(strategies):
        yield name, shown.places + (index - (len(strategies) - 1) / 2) * _DODGE


def _cost_line(
    axes: Axes, places: np.ndarray, mine: pd.DataFrame, mark: style.Mark, look: Look
) -> None:
    """A strategy's points, intervals, and the line between points of one family."""
    colour = mark.colour(look.theme)
    value, low, high = (
        mine[name].to_numpy(float)
        for name in ("ns_per_task", "ns_per_task_low", "ns_per_task_high")
    )
    bars = np.isfinite(value) & np.isfinite(low) & np.isfinite(high) & (low > 0)
    axes.vlines(places[bars], low[bars], high[bars], color=colour, linewidth=1.4, zorder=3)
    axes.plot(
        places, value, color=colour, linewidth=1.0, marker=mark.marker, markersize=4.5, zorder=4
    )


def _top(rows: pd.DataFrame) -> float:
    """The highest of the points, and of their intervals unless these dwarf them."""
    points = rows["ns_per_task"].to_numpy(float)
    ends = rows["ns_per_task_high"].to_numpy(float)
    highest = float(points[np.isfinite(points)].max(initial=0.0)) or 1.0
    return max(highest, float(ends[np.isfinite(ends)].clip(max=1.5 * highest).max(initial=0.0)))


# --- ratios to one Python ------------------------------------------------------------------------


def _ratios_finding(rows: pd.DataFrame) -> str:
    further = rows[~rows["on_baseline"].astype(bool)]
    if further.empty:
        return "Nothing was compared"
    return f"Python {compared(further, 'python', str(rows['baseline'].iloc[0]))}"


@chart(
    needs="pythons",
    place=5,
    select=typical,
    heading="Which Python is faster?",
    caption=(
        "Each cell is the change in time of a whole fan-out against the same strategy on the "
        "baseline Python, which took turns with it, with its 95 % interval. Blue is faster, orange "
        "is slower, a pale cell is not told apart. The column of the baseline gives its time per "
        "task. Where the build differs, the change is not the version's alone."
    ),
    finding=_ratios_finding,
)
def python_ratios(rows: pd.DataFrame, look: Look) -> Figure:
    """A heat map: a row per event loop, workload and strategy, a column per Python."""
    shown = versions(rows)
    loops = _loops(rows)
    baseline = str(rows["baseline"].iloc[0])
    lines = {group: _lines(_of_loop(rows, group)) for group in loops}
    many = len(scales.names(rows, "workload")) > 1
    words = {
        line: f"{style.label(line[0])}: {style.label(line[1])}" if many else style.label(line[1])
        for of_loop in lines.values()
        for line in of_loop
    }
    left = 0.15 + max(map(len, words.values())) * CHARACTER_INCHES * (0.95 if look.narrow else 1)
    first = Margins(left=left, right=0.05, top=0.3, bottom=0.0)
    inches = panel_inches(look, 1, first, first)
    start, end = shown.limits
    cell_inches = inches / (end - start)
    roomy = cell_inches >= _ROOMY_INCHES
    head = 0.8 if len(shown.builds) > 1 else 0.0
    room = tick_inches(shown, inches)
    figure, panels = sheet(
        look,
        Plan(
            title=_ratios_finding(rows),
            subtitle=(
                f"Change in time against Python {baseline}{'' if roomy else ', in %'}, "
                f"{_fan_out_of(rows)}. Less is better."
                + (" In brackets, 95 % intervals." if roomy else " Intervals are in the tables.")
            ),
            legend=_fills(baseline, look),
            notes=[*build_notes(shown), *missing_notes(rows)],
            rows=len(loops),
            panel_height=0.36 if roomy else 0.25,
            heights=[len(of_loop) + head for of_loop in lines.values()],
            first=Margins(first.left, first.right, first.top, room),
            inner=Margins(0.1, 0.1, 0.36, room),
        ),
    )
    for (group, of_loop), [axes] in zip(lines.items(), panels, strict=True):
        cells = _of_loop(rows, group)
        for height, (workload, strategy) in enumerate(of_loop):
            mine = shown.of(scales.only(cells, workload=workload, contender=strategy))
            for python, place, row in zip(
                shown.slots, shown.places.tolist(), mine.to_dict("records"), strict=True
            ):
                if python:
                    _cell(axes, (place, height), row, python == baseline, look, cell_inches)
        version_axis(axes, shown, inches, look, top=1.0)
        axes.set_ylim(len(of_loop) - 0.45, -0.55 - head)
        axes.set_yticks(range(len(of_loop)), [words[line] for line in of_loop])
        axes.tick_params(axis="both", length=0)
        axes.tick_params(axis="y", labelsize=7.5)
        axes.spines[:].set_visible(False)
        scales.panel_title(axes, loops[group], look)
    return figure


def _lines(rows: pd.DataFrame) -> list[tuple[str, str]]:
    pairs = {(str(w), str(c)) for w, c in rows[["workload", "contender"]].itertuples(index=False)}
    return sorted(pairs, key=lambda pair: (style.order(pair[0]), style.order(pair[1])))


def _cell(
    axes: Axes,
    at: tuple[float, float],
    row: Mapping[Any, Any],
    is_baseline: bool,
    look: Look,
    inches: float,
) -> None:
    theme, words = look.theme, _cell_words(row, is_baseline, inches >= _ROOMY_INCHES)
    longest = max(map(len, words.split("\n"))) * CHARACTER_INCHES
    known = not style.is_missing(row["ns_per_task" if is_baseline else "ratio"])
    told = str(row["verdict"]).startswith(("slower", "faster"))
    if is_baseline or not known:
        fill = theme.background
    else:
        fill = _fill(float(row["ratio"]), theme) if told else theme.panel
    axes.add_patch(
        Rectangle(
            (at[0] - 0.48, at[1] - 0.45),
            0.96,
            0.9,
            facecolor=fill,
            edgecolor=theme.soft_ink if is_baseline else theme.rule,
            linewidth=0.8,
            linestyle="solid" if known else "dotted",
        )
    )
    axes.text(
        *at,
        words,
        ha="center",
        va="center",
        color=theme.ink if known and (told or is_baseline) else theme.soft_ink,
        fontsize=7.5 * min(1.0, 0.96 * inches / longest),
        linespacing=1.15,
    )


def _cell_words(row: Mapping[Any, Any], is_baseline: bool, roomy: bool) -> str:
    if style.is_missing(row["ns_per_task" if is_baseline else "ratio"]):
        return style.MISSING if roomy else "–"
    if is_baseline:
        return style.short_seconds(row["ns_per_task"] * 1e-9)
    change = style.change(row["ratio"])
    if not roomy:
        percent = (row["ratio"] - 1) * 100
        return f"{percent:+,.0f}" if abs(percent) >= 9.95 else change.removesuffix(" %")
    interval = style.change_interval(row["ratio"], row["low"], row["high"])
    return f"{change}\n{interval[len(change) + 1 :]}"


def _fill(ratio: float, theme: style.Theme) -> str:
    """The ground of a cell that is told apart: stronger the further from 1."""
    strength = sum(abs(math.log(ratio)) >= math.log1p(step) for step in _STEPS)
    return (theme.slower_fills if ratio > 1 else theme.faster_fills)[strength]


def _fills(baseline: str, look: Look) -> list[Line2D | Patch]:
    theme = look.theme
    small, large = (style.share(step, 0) for step in _STEPS)
    words = (f"up to {small}", f"up to {large}", "more")
    faster = [
        Patch(facecolor=fill, edgecolor=theme.rule, label=f"faster, {word}" if i == 0 else word)
        for i, (fill, word) in enumerate(zip(theme.faster_fills, words, strict=True))
    ]
    slower = [
        Patch(facecolor=fill, edgecolor=theme.rule, label=f"slower, {word}" if i == 0 else word)
        for i, (fill, word) in enumerate(zip(theme.slower_fills, words, strict=True))
    ]
    pale = Patch(facecolor=theme.panel, edgecolor=theme.rule, label="not told apart")
    gone = Patch(
        facecolor=theme.background, edgecolor=theme.rule, linestyle="dotted", label="missing"
    )
    own = Patch(
        facecolor=theme.background, edgecolor=theme.soft_ink, label=f"{baseline}: time per task"
    )
    return [*faster, *slower, pale, gone, own]


# --- strategies by Python ------------------------------------------------------------------------


def _ranking_finding(rows: pd.DataFrame) -> str:
    finding = compared(rows, "contender", style.BASELINE)
    return finding.replace(" cases", " combinations of Python and event loop", 1)


@chart(
    needs="rankings",
    place=6,
    select=several,
    heading="Do strategies rank alike on every Python?",
    caption=(
        "The time of a whole fan-out relative to gather(*coroutines) on the same Python and event "
        "loop, geometric mean over all cases, with 95 % intervals. Points above the line are "
        "slower. A filled point is told apart from gather(*coroutines). Lines join versions of one "
        "family of builds only. Where lines cross, the ranking changes."
    ),
    finding=_ranking_finding,
)
def strategies_by_python(rows: pd.DataFrame, look: Look) -> Figure:
    """Ratio to gather(*coroutines) by version, a panel per event loop, a line per strategy."""
    shown = versions(rows)
    loops, strategies = _loops(rows), scales.names(rows, "contender")
    marks = style.marks(strategies)
    low, high = scales.ratio_limits(*(rows[c].to_numpy(float) for c in ("ratio", "low", "high")))
    if len(shown.builds) > 1:
        high *= (high / low) ** 0.12
    limits = (low, high)

    def draw(axes: Axes, group: scales.Group) -> None:
        cells = _of_loop(rows, group)
        axes.axhline(1.0, color=look.theme.soft_ink, linewidth=0.8, zorder=1)
        for name, places in _beside(shown, strategies):
            mine = shown.of(scales.only(cells, contender=name))
            draw_series(axes, places, mine, marks[name], look, limits=limits)
        scales.ratio_axis(axes.yaxis, limits)

    plan = Plan(
        title=_ranking_finding(rows),
        subtitle=(
            "Time of the whole fan-out compared with gather(*coroutines) on the same Python, "
            "geometric mean over all cases. Bars are 95 % intervals; a hollow point is not "
            "told apart."
        ),
        legend=ratio_legend(strategies, look),
        notes=ratio_notes(rows, limits),
        panel_height=1.9,
    )
    places = [Place(label, "", partial(draw, group=group)) for group, label in loops.items()]
    columns = 1 if look.narrow else min(2, len(loops))
    return over_versions(look, shown, places, plan, columns=columns, own_scales=False)
