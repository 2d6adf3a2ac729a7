"""Charts of ratios: every strategy against the baseline of its own group, with the noise floor and
the control.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis import style
from analysis.plots import scales
from analysis.plots.multiples import Panel, over_tasks
from analysis.plots.registry import Look, chart
from analysis.plots.sheet import Margins, Plan, sheet

_TOLD_APART = ("slower", "faster")


def strategies_finding(rows: pd.DataFrame) -> str:
    """In words: in how many of the drawn cases each strategy is told apart from the baseline."""
    return compared(rows, "contender", style.BASELINE)


def compared(rows: pd.DataFrame, column: str, than: str) -> str:
    """In words: in how many rows each name in ``column``, but the control, is slower or faster
    ``than`` another.
    """
    parts: list[str] = []
    before = 0
    for name in scales.names(rows, column):
        if name == style.CONTROL:
            continue
        told, measured = told_apart(rows[rows[column].astype(str) == name])
        if not measured:
            parts.append(f"{style.label(name)} was not measured")
        elif not parts:
            parts.append(f"{style.label(name)} {_first_clause(told, measured, style.label(than))}")
        else:
            of = "" if measured == before else f" of {measured}"
            said = ", ".join(f"{word} in {times}{of}" for word, times in told.items())
            parts.append(f"{style.label(name)} {said or 'never told apart'}")
        before = measured or before
    return "; ".join(parts) if parts else "Nothing was compared"


def _first_clause(told: Mapping[str, int], measured: int, than: str) -> str:
    if measured == 1:
        word = next(iter(told), "")
        return f"is {word + ' than' if word else 'not told apart from'} {than} in the only case"
    if not told:
        return f"is told apart from {than} in none of {measured} cases"
    if list(told.values()) == [measured]:
        return f"is {next(iter(told))} than {than} in all {measured} cases"
    words = [f"{word} in {times}" for word, times in told.items()]
    words[0] = words[0].replace(" in ", f" than {than} in ", 1)
    return f"is {' and '.join(words)} of {measured} cases"


def told_apart(rows: pd.DataFrame) -> tuple[dict[str, int], int]:
    """How many rows are slower and how many faster (when there are any), and how many were
    measured.
    """
    verdicts = rows["verdict"].astype(str)
    times = {word: int(verdicts.str.startswith(word).sum()) for word in _TOLD_APART}
    measured = int((verdicts != style.MISSING).sum())
    return {word: count for word, count in times.items() if count}, measured


def throughput_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows the headline chart draws: contrasts of the whole fan-out's time."""
    return frame[
        (frame["probe"].astype(str) == "throughput") & (frame["metric"].astype(str) == "total")
    ]


@chart(
    needs="comparisons",
    place=1,
    select=throughput_rows,
    heading="Which way of launching is faster?",
    caption=(
        "Each point is the time of a whole fan-out relative to gather(*coroutines) on the same "
        "event loop; points above the "
        "line are slower, points below are faster. The bar through it is the 95 % interval. A "
        "filled point is told apart "
        "from the baseline; a hollow one is not. The grey band is the noise floor of this "
        "campaign, and the grey ticks are "
        "the control: the baseline measured a second time under another name, which ought to lie "
        "on the line."
    ),
    finding=strategies_finding,
)
def ratios_by_tasks(rows: pd.DataFrame, look: Look) -> Figure:
    """The headline: ratio to gather(*coroutines) over the number of tasks, a panel per workload and
    event loop.
    """
    contenders = scales.names(rows, "contender")
    marks = style.marks(contenders)
    limits = scales.ratio_limits(*(rows[c].to_numpy(float) for c in ("ratio", "low", "high")))

    def draw(panel: Panel) -> None:
        scales.floor_over_tasks(panel.axes, panel.cells, panel.tasks, look)
        for name in contenders:
            draw_series(
                panel.axes, *panel.of(name), marks[name], look, control=name == style.CONTROL
            )
        if not panel.cells["ratio"].notna().any():
            panel.axes.text(
                0.5, 0.5, "not measured", transform=panel.axes.transAxes, ha="center", va="center"
            )

    return over_tasks(
        rows,
        look,
        title=strategies_finding(rows),
        subtitle=(
            "Time of the whole fan-out compared with gather(*coroutines), by number of tasks. Bars "
            "are 95 % intervals; "
            "a hollow point is not told apart."
        ),
        legend=[*ratio_legend(contenders, look), Patch(color=look.theme.band, label="noise floor")],
        draw=draw,
        scale=lambda axis, _: scales.ratio_axis(axis, limits),
        notes=missing_notes(rows),
        directions=True,
    )


def draw_series(
    axes: Axes,
    places: np.ndarray,
    mine: pd.DataFrame,
    mark: style.Mark,
    look: Look,
    *,
    control: bool = False,
    sideways: bool = False,
) -> None:
    """One contender's points and intervals; a missing point breaks the thin line between them.

    ``places`` lie along the number of tasks; ``sideways`` puts the ratio on the horizontal axis and
    leaves the line out. Filled points are told apart from the baseline, hollow ones are not.
    """
    colour = mark.colour(look.theme)
    ratio, low, high = (mine[column].to_numpy(float) for column in ("ratio", "low", "high"))
    bars = np.isfinite(ratio) & np.isfinite(low) & np.isfinite(high) & (low > 0)
    lines = axes.hlines if sideways else axes.vlines
    lines(places[bars], low[bars], high[bars], color=colour, linewidth=1.6, zorder=3)
    if not control and not sideways:
        axes.plot(places, ratio, color=colour, linewidth=0.9, alpha=0.6, zorder=2)
    told = mine["verdict"].astype(str).str.startswith(_TOLD_APART).to_numpy(bool)
    for chosen, face in ((~told, look.theme.background), (told, colour)):
        x, y = (ratio, places) if sideways else (places, ratio)
        axes.plot(
            x[chosen],
            y[chosen],
            linestyle="",
            marker=_marker(mark, sideways),
            markersize=8.0 if control else 5.0,
            markerfacecolor=face,
            markeredgecolor=colour,
            markeredgewidth=1.3,
            zorder=4,
        )


def _marker(mark: style.Mark, sideways: bool = False) -> str:
    """The control's tick lies across its interval."""
    return "_" if mark.marker == "|" and not sideways else mark.marker


def ratio_legend(contenders: Sequence[str], look: Look) -> list[Line2D | Patch]:
    """A legend entry for each contender, as drawn by :func:`draw_series`."""
    marks = style.marks(contenders)
    entries: list[Line2D | Patch] = []
    for name in contenders:
        colour = marks[name].colour(look.theme)
        control = name == style.CONTROL
        label = "control (the baseline again)" if control else style.label(name)
        entries.append(
            Line2D(
                [],
                [],
                color=colour,
                marker=_marker(marks[name]),
                markersize=8 if control else 5.5,
                linewidth=0.0 if control else 1.2,
                label=label,
            )
        )
    return entries


def headline_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of each probe's main metric: the whole fan-out for throughput, the 99th percentile
    for latency.
    """
    return frame[frame["headline"].astype(bool)]


def _main_metrics(rows: pd.DataFrame) -> list[tuple[str, str]]:
    pairs = {(str(p), str(m)) for p, m in rows[["probe", "metric"]].itertuples(index=False)}
    return sorted(pairs, key=lambda pair: (style.order(pair[0]), style.order(pair[1])))


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
    select=headline_rows,
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
    """A forest plot: all ratios with their intervals and the noise floor, a row per workload and
    number of tasks.
    """
    groups = scales.groups(rows)
    metrics = _main_metrics(rows)
    contenders = scales.names(rows, "contender")
    marks = style.marks(contenders)
    lines = _forest_lines(rows)
    limits = scales.ratio_limits(*(rows[c].to_numpy(float) for c in ("ratio", "low", "high")))
    beside = len(groups) * len(metrics) <= 4 and not look.narrow
    grid = (
        [[(g, m) for g in groups for m in metrics]]
        if beside
        else [[(g, m) for m in metrics] for g in groups]
    )
    plan = Plan(
        title=control_finding(rows),
        subtitle=(
            "Ratio to gather(*coroutines) with its 95 % interval; a hollow point is not "
            "told apart from the baseline."
        ),
        legend=[*ratio_legend(contenders, look), Patch(color=look.theme.band, label="noise floor")],
        notes=missing_notes(rows),
        rows=len(grid),
        columns=len(grid[0]),
        panel_height=0.23 * (len(lines) + 1),
        first=Margins(left=1.15, right=0.1, top=0.36, bottom=0.5),
        inner=Margins(left=0.1, right=0.1, top=0.36, bottom=0.5),
    )
    figure, panels = sheet(look, plan)
    for line, row in zip(grid, panels, strict=True):
        for (group, (probe, metric)), axes in zip(line, row, strict=True):
            cells = scales.of_group(rows, group)
            cells = cells[
                (cells["probe"].astype(str) == probe) & (cells["metric"].astype(str) == metric)
            ]
            _forest_panel(axes, cells, contenders, marks, lines, look)
            scales.ratio_axis(axes.xaxis, limits, most=3)
            axes.grid(axis="x")
            scales.directions(axes.xaxis)
            title = (
                groups[group]
                if len(metrics) == 1
                else f"{groups[group]}: {_measure(probe, metric)}"
            )
            scales.panel_title(axes, title, look)
            if axes is not row[0]:
                axes.tick_params(labelleft=False)
    return figure


def _measure(probe: str, metric: str) -> str:
    return "whole fan-out" if metric == "total" else f"{style.label(probe)}, {metric}"


def _forest_lines(rows: pd.DataFrame) -> list[tuple[str, int]]:
    pairs = {(str(w), int(n)) for w, n in rows[["workload", "tasks"]].itertuples(index=False)}
    return sorted(pairs, key=lambda pair: (style.order(pair[0]), pair[1]))


def _forest_panel(
    axes: Axes,
    cells: pd.DataFrame,
    contenders: Sequence[str],
    marks: dict[str, style.Mark],
    lines: Sequence[tuple[str, int]],
    look: Look,
) -> None:
    keyed = cells.assign(workload=cells["workload"].astype(str))
    floors = keyed.groupby(["workload", "tasks"], observed=True)["floor"].max().reindex(list(lines))
    height = np.arange(len(lines), dtype=float)
    edges = np.repeat(height, 2) + np.tile([-0.5, 0.5], len(lines))
    scales.floor_band(axes, edges, np.repeat(floors.to_numpy(float), 2), look, vertical=False)
    for index, name in enumerate(contenders):
        mine = scales.at(scales.only(keyed, contender=name), ["workload", "tasks"], lines)
        shift = (index - (len(contenders) - 1) / 2) * 0.28
        draw_series(
            axes,
            height + shift,
            mine,
            marks[name],
            look,
            control=name == style.CONTROL,
            sideways=True,
        )
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


def missing_notes(rows: pd.DataFrame, most: int = 3) -> list[str]:
    """A line per reason why cells are missing, the most frequent first."""
    gone = scales.only(rows, verdict=style.MISSING)
    pairs = zip(gone["contender"].astype(str), gone["reason"].astype(str), strict=True)
    counted = Counter(pairs).most_common()
    notes = [
        f"Missing: {style.label(contender)}, {times} {'cell' if times == 1 else 'cells'}: {reason}"
        for (contender, reason), times in counted[:most]
    ]
    if len(counted) > most:
        notes.append(f"And {len(counted) - most} more reasons for missing cells: see the tables.")
    return notes
