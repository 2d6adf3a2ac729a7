"""Axes that read in words: number of tasks, ratios as changes in percent, durations, and who is
drawn in which row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis import style
from analysis.answers import group_labels
from analysis.plots.registry import Look

GROUP: Final = ("python", "loop", "task_factory")
Group = tuple[str, str, str]

_TYPICAL_TASKS: Final = 1_000
_MOST_TICKS: Final = 6
_STEPS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
_WIDE_TICKS: Final = (
    (0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0),
    (0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0),
    (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0),
    (0.01, 0.1, 1.0, 10.0, 100.0),
)


def groups(frame: pd.DataFrame) -> dict[Group, str]:
    """Every (python, loop, task factory) of the frame in reading order, with its label."""
    return group_labels(frame)


def only(frame: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    """The rows whose columns read as wanted."""
    keep = np.ones(len(frame), dtype=bool)
    for column, value in wanted.items():
        keep &= frame[column].to_numpy(dtype=object) == value
    return frame[keep]


def without_control(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of what is compared."""
    keep: pd.DataFrame = frame[frame["contender"] != style.CONTROL]
    return keep


def of_most_tasks(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the largest number of tasks."""
    most: pd.DataFrame = rows[rows["tasks"] == rows["tasks"].max()]
    return most


def at(frame: pd.DataFrame, columns: str | list[str], wanted: Sequence[object]) -> pd.DataFrame:
    """The rows at the wanted places, in that order; rows of NaN where there are none.

    A plan may hold the same case twice under two ids: the first is drawn.
    """
    return frame.drop_duplicates(columns).set_index(columns).reindex(list(wanted))


def of_group(frame: pd.DataFrame, group: Group) -> pd.DataFrame:
    """The rows of one (python, loop, task factory)."""
    return only(frame, **dict(zip(GROUP, group, strict=True)))


def typical_tasks(rows: pd.DataFrame) -> int:
    """The measured number of tasks nearest to a typical fan-out, on a logarithmic scale."""
    return min(
        (int(n) for n in rows["tasks"].unique()), key=lambda n: abs(math.log(n / _TYPICAL_TASKS))
    )


def names(frame: pd.DataFrame, column: str) -> list[str]:
    """The distinct names of a column in reading order."""
    found = {str(name) for name in frame[column].unique()}
    return sorted(found, key=style.python_order if column == "python" else style.order)


def short_count(number: float) -> str:
    """A number of tasks on an axis: 1, 10, 1k, 2.5k, 1M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{unit}"
    return f"{number:g}"


def tasks_axis(axes: Axes, tasks: Sequence[int]) -> None:
    """A logarithmic axis of task counts with a tick for every count measured (or every power of ten
    when they are many).
    """
    counts = sorted(set(tasks))
    axes.set_xscale("log")
    axes.set_xlim(counts[0] / 1.9, counts[-1] * 1.9)
    if len(counts) > 7:
        powers = range(math.floor(math.log10(counts[0])), math.ceil(math.log10(counts[-1])) + 1)
        counts = [10**power for power in powers]
    _ticks(axes.xaxis, [float(n) for n in counts], short_count)


def ratio_limits(
    points: np.ndarray, lows: np.ndarray | None = None, highs: np.ndarray | None = None
) -> tuple[float, float]:
    """Limits of a ratio axis: every point, and intervals as long as they do not dwarf the points.
    1.0 is always inside.
    """
    centre = _logs(points)
    reach = max(float(np.abs(centre).max(initial=0.0)), 0.02)
    ends = np.clip(np.concatenate([_logs(lows), _logs(highs)]), -1.25 * reach, 1.25 * reach)
    inside = np.concatenate([centre, ends, [-0.008, 0.008]])
    first, last = float(inside.min()), float(inside.max())
    pad = 0.06 * (last - first)
    return math.exp(first - pad), math.exp(last + pad)


def _logs(ratios: np.ndarray | None) -> np.ndarray:
    if ratios is None:
        return np.empty(0)
    return np.asarray(np.log(ratios[np.isfinite(ratios) & (ratios > 0)]))


def most_of(points: np.ndarray, part: float = 0.98) -> np.ndarray:
    """The points without the outermost few, for limits that single outliers cannot stretch."""
    finite = points[np.isfinite(points) & (points > 0)]
    if not len(finite):
        return np.empty(0)
    away = np.abs(np.log(finite))
    return np.asarray(finite[away <= np.quantile(away, part)])


def ratio_axis(
    axis: Axis, limits: tuple[float, float], *, most: int = 7, middle: str = "equal"
) -> None:
    """A logarithmic axis of ratios, labelled as changes: "-5 %", "equal", "+5 %"; ``middle`` names
    the ratio 1.
    """
    low, high = limits
    _logarithmic(axis, low, high)
    _ticks(
        axis,
        ratio_ticks(low, high, most),
        lambda ratio: middle if abs(ratio - 1) < 1e-9 else _change(ratio),
    )


def ratio_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """At most ``most`` round changes between two ratios, 0 % among them."""
    if high / low < 3.0:
        for step in _STEPS:
            first, last = math.ceil((low - 1) / step - 1e-9), math.floor((high - 1) / step + 1e-9)
            if last - first + 1 <= most:
                return [1 + k * step for k in range(first, last + 1)]
    for ticks in _WIDE_TICKS:
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) <= most and ticks[0] <= 2 * low and 2 * ticks[-1] >= high:
            return inside
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    step_powers = max(1, math.ceil(len(powers) / most))
    return [10.0**power for power in powers if power % step_powers == 0]


def _change(ratio: float) -> str:
    percent = round((ratio - 1) * 100, 6)
    return f"{percent:+g} %" if percent <= 1000 else f"x {ratio:g}"


def arrows(
    axes: Axes,
    places: np.ndarray,
    intervals: tuple[np.ndarray, np.ndarray],
    limits: tuple[float, float],
    colour: str,
    *,
    sideways: bool,
) -> None:
    """An arrowhead at the edge for every interval (lows, highs) that goes on beyond it."""
    beyond = (intervals[0] < limits[0], intervals[1] > limits[1])
    for edge, cut, marker in zip(limits, beyond, "<>" if sideways else "v^", strict=True):
        edges = np.full(int(cut.sum()), edge)
        x, y = (edges, places[cut]) if sideways else (places[cut], edges)
        axes.plot(
            x, y, linestyle="", marker=marker, color=colour, markersize=4, clip_on=False, zorder=5
        )


def quantity_axis(axis: Axis, low: float, high: float, words: Callable[[float], str]) -> None:
    """A logarithmic axis of durations or rates with ticks at 1, 2, 5 of each power while they are
    few.
    """
    _logarithmic(axis, low, high)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    inside: list[float] = []
    for heads, step in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 4)):
        ticks = [head * 10.0**power for power in powers[::step] for head in heads]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) <= _MOST_TICKS:
            break
    _ticks(axis, inside, words)


def _logarithmic(axis: Axis, low: float, high: float) -> None:
    if isinstance(axis, XAxis):
        axis.axes.set(xscale="log", xlim=(low, high))
    else:
        axis.axes.set(yscale="log", ylim=(low, high))


def _ticks(axis: Axis, ticks: Sequence[float], words: Callable[[float], str]) -> None:
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: words(value)))
    axis.set_minor_locator(NullLocator())


def panel_title(axes: Axes, text: str, look: Look, about: str = "") -> None:
    """The name of a panel, above it on the left, and over that, smaller, what it means."""
    axes.set_title(text, loc="left", fontsize=9.5, color=look.theme.ink, pad=5)
    if about:
        axes.annotate(
            about,
            (0, 1),
            xytext=(0, 19),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=8,
            color=look.theme.soft_ink,
        )


def directions(axis: Axis) -> None:
    """What the two directions of a ratio axis mean."""
    axis.set_label_text("faster \u2190   \u2192 slower")


def floor_over_tasks(axes: Axes, cells: pd.DataFrame, tasks: Sequence[int], look: Look) -> None:
    """The noise floor along an axis of task counts, out to both edges."""
    floors = (
        cells.groupby("tasks", observed=True)["floor"].max().reindex(list(tasks)).to_numpy(float)
    )
    places = np.array([tasks[0] / 3, *tasks, tasks[-1] * 3], dtype=float)
    floor_band(axes, places, np.array([floors[0], *floors, floors[-1]]), look, vertical=True)


def floor_band(axes: Axes, x: np.ndarray, floor: np.ndarray, look: Look, *, vertical: bool) -> None:
    """The noise floor as a band round 1.0. ``x`` are the places along the other axis; NaN floors
    leave a gap.
    """
    fill = axes.fill_between if vertical else axes.fill_betweenx
    fill(x, 1 / (1 + floor), 1 + floor, color=look.theme.band, linewidth=0, zorder=0.5)
    line = axes.axhline if vertical else axes.axvline
    line(1.0, color=look.theme.soft_ink, linewidth=0.8, zorder=1)
