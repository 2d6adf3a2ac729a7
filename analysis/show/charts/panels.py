"""What charts are made of: a sheet of panels under a title, axes that read in words, and points
with their intervals.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from analysis.judge import words
from analysis.judge.findings import Findings
from analysis.judge.verdicts import FASTER, FLOOR, MISSING, SLOWER, WITHIN
from analysis.read.campaign import python_order
from analysis.show.charts.registry import Drawing
from analysis.show.theme import LIGHT, Mark, marks, plain

FloatArray: TypeAlias = NDArray[np.float64]

MOST_PANELS: Final = 12
"""Of one chart; a reader looks no further."""
_WIDTH_INCHES: Final = 9.6
_EDGE_INCHES: Final = 0.12
_TITLE_CHARACTERS: Final = 96
_LINE_CHARACTERS: Final = 140
_KEY_CHARACTER_INCHES: Final = 0.07
_LABEL_CHARACTERS: Final = 28
_TITLES_CHARACTERS: Final = 108
"""That fit above the panels of a row, with room between them."""
_MOST_NOTES: Final = 3
_GAP: Final = 0.6
"""Between two families of builds along an axis, in widths of a version."""

_FLOOR, _SAME = f"\u00b1{words.share(FLOOR)}", f"\u00b1{words.share(WITHIN, 0)}"
FLOOR_KEY: Final = (f"within {_FLOOR}: no difference", LIGHT.floor)
SAME_KEY: Final = (f"within {_SAME}: the same", LIGHT.same)
READ_RATIOS: Final = (
    "The bar through a point is its 95 % interval. A filled point is significantly different: its "
    f"whole interval lies beyond {_FLOOR}. An interval that lies wholly within {_SAME} counts as "
    "the same. An arrowhead means that the interval goes on beyond the panel."
)
READ_BUILDS: Final = (
    "Lines join Pythons of one kind of build only: how a Python was built can matter more than its "
    "version."
)


# --- which rows, and what they are called ---------------------------------------------------------


def label(findings: Findings, kind: str, name: str) -> str:
    """What readers call a name, on one line that fits beside a chart."""
    return plain(findings.words.label(kind, name), _LABEL_CHARACTERS)


def ordered(findings: Findings, kind: str, names: Iterable[str]) -> list[str]:
    """The distinct names in reading order."""
    return sorted(set(names), key=lambda name: findings.words.order(kind, name))


def strategy_marks(findings: Findings) -> Mapping[str, Mark]:
    """A mark for each strategy of the campaign, the same in every chart; the baseline is first."""
    contenders = findings.campaign.contenders
    every = ordered(findings, "strategy", (one.strategy for one in contenders))
    baselines = {one.strategy for one in contenders if one.role == "baseline"}
    return marks(sorted(every, key=lambda name: name not in baselines))


def marks_of(findings: Findings, strategies: Iterable[str]) -> Mapping[str, Mark]:
    """The marks of these strategies, in reading order."""
    wanted = set(strategies)
    return {name: mark for name, mark in strategy_marks(findings).items() if name in wanted}


def only(frame: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """The rows whose columns hold what is wanted. Texts are Python's own: charts take many small
    parts of them, which takes several times as long with Arrow's.
    """
    keep = np.ones(len(frame), dtype=bool)
    for column, value in wanted.items():
        keep &= frame[column].to_numpy() == value
    rows = frame[keep]
    texts = [name for name in rows if isinstance(rows[name].dtype, pd.StringDtype)]
    return rows.astype(dict.fromkeys(texts, object))


def several(rows: pd.DataFrame, column: str) -> bool:
    """Whether a column holds several names."""
    return len(rows[column].unique()) > 1


def grouped(
    findings: Findings, rows: pd.DataFrame, kinds: Sequence[str]
) -> Iterator[tuple[Mapping[str, str], pd.DataFrame]]:
    """The rows by columns that are kinds of names, in reading order, each part with its names."""

    parts = {tuple(map(str, names)): part for names, part in rows.groupby([*kinds], sort=False)}

    def order(names: tuple[str, ...]) -> list[Any]:
        return [findings.words.order(kind, name) for kind, name in zip(kinds, names, strict=True)]

    for names in sorted(parts, key=order):
        yield dict(zip(kinds, names, strict=True)), parts[names]


def usual(findings: Findings, *, but: str = "") -> Mapping[str, str]:
    """The plan's first task factory and first collector, axis ``but`` aside, by column."""
    axes = [axis for axis in ("task_factory", "collector") if axis != but]
    return {axis: getattr(one, axis) for one in findings.campaign.contenders[:1] for axis in axes}


def baseline(findings: Findings) -> str:
    """The strategy that others are compared with, or "" """
    return next(iter(strategy_marks(findings)), "")


def concurrent(findings: Findings, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of strategies that run their children concurrently: the others are far off."""
    keep = [findings.words.is_concurrent(name) for name in rows["strategy"]]
    return rows[np.array(keep, dtype=bool)]


def newest(frame: pd.DataFrame) -> str:
    """The newest Python of a frame, which is shown where all would be too many."""
    final = [name for name in frame["python"].unique() if str(name).replace(".", "").isdigit()]
    return max(final or frame["python"].unique(), key=python_order, default="")


def answering(findings: Findings) -> str:
    """The probe that the answer is about, or "" """
    probes = dict.fromkeys(case.probe for case in findings.campaign.cases)
    return next((name for name in probes if findings.words.probe(name).answers), "")


def typical(tasks: Iterable[int], wanted: int = 1000) -> int:
    """The number of tasks nearest to a typical fan-out, on a logarithmic scale."""
    return min(tasks, key=lambda n: abs(math.log(n / wanted)))


def on_python(findings: Findings, rows: pd.DataFrame) -> str:
    """Where rows of one Python were measured: "Python 3.15.2, one of 7." """
    every = len(findings.campaign.interpreters)
    one_of = f", one of {every}" if every > 1 else ""
    return f"Python {plain(str(rows['python'].iloc[0]), 40)}{one_of}."


def where(findings: Findings, row: Mapping[Hashable, Any], *kinds: str) -> str:
    """What a row is of, in brackets: "(TaskGroup, uvloop)"."""
    return f"({', '.join(label(findings, kind, row[kind]) for kind in kinds)})"


def missing_notes(findings: Findings, rows: pd.DataFrame, *, but: str = "") -> list[str]:
    """A line for each reason why what is shown has gaps, the most frequent first: cells of ``rows``
    that are missing, and what was asked for and skipped on the Pythons of ``rows``, of the plan's
    first task factory and collector, axis ``but`` aside.
    """
    missing = rows[rows["verdict"] == MISSING] if "verdict" in rows else rows[:0]
    reasons = [str(reason) for reason in missing["reason"]] if len(missing) else []
    pythons = {None, *rows["python"]}
    labels = {one.name: one.label for one in findings.campaign.interpreters}
    reasons += [
        skipped.reason
        for skipped in findings.campaign.skipped
        if labels.get(skipped.contender.interpreter) in pythons
        and all(
            getattr(skipped.contender, axis) in {None, name}
            for axis, name in usual(findings, but=but).items()
        )
    ]
    counted = Counter(plain(reason, 120) for reason in reasons if reason).most_common()
    notes = [f"Not measured: {reason}." for reason, _ in counted[:_MOST_NOTES]]
    if len(counted) > len(notes):
        notes.append(f"And {len(counted) - len(notes)} more reasons: see the tables.")
    if "high" in rows and np.isinf(rows["high"]).any():
        notes.append("Where a point has no bar, there are too few rounds for an interval.")
    return notes


# --- a sheet of panels ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a frame that is drawn on axes of its own, and its title."""

    title: str
    rows: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Grid:
    """Panels by row, so many beside one another, and notes on what is left out."""

    panels: tuple[Panel, ...]
    columns: int
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many stand above one another."""
        return -(-len(self.panels) // self.columns)


def split(
    findings: Findings,
    frame: pd.DataFrame,
    kinds: Sequence[str],
    *,
    most: int = MOST_PANELS,
    most_columns: int = 4,
) -> Grid:
    """The frame by columns that are kinds of names, in reading order; titles tell what differs."""
    told = [kind for kind in kinds if several(frame, kind)] or kinds[:2]
    panels = [
        Panel(": ".join(label(findings, kind, names[kind]) for kind in told), part)
        for names, part in grouped(findings, frame, kinds)
    ]
    columns = 1
    for kind in reversed(told):
        if columns * frame[kind].nunique() <= most_columns:
            columns *= frame[kind].nunique()
    if columns == 1:
        columns = min(3, most_columns)
    if columns * max(len(panel.title) for panel in panels) > _TITLES_CHARACTERS:
        columns = 2
    room = _TITLES_CHARACTERS // columns
    shown = tuple(Panel(plain(panel.title, room), panel.rows) for panel in panels[:most])
    out = len(panels) - most
    notes = (f"{words.times(out, 'more panel')} left out: see the tables.",) if out > 0 else ()
    return Grid(shown, min(columns, len(shown)), notes)


Key: TypeAlias = "Sequence[tuple[str, Mark | str]]"
"""What marks, and grounds by their colour, stand for."""


def marked(findings: Findings, kind: str, shown: Mapping[str, Mark]) -> Key:
    """The key of some series."""
    return [(label(findings, kind, name), mark) for name, mark in shown.items()]


def sheet(
    grid: Grid,
    title: str,
    what: str,
    caption: str,
    *,
    panel_inches: float,
    key: Key = (),
    notes: Sequence[str] = (),
    share_x: bool | Literal["col"] = True,
    share_y: bool = True,
) -> Drawing:
    """A figure with a title, a line on what it shows, a key, the panels of a grid, and notes."""
    heads = _wrapped(title, _TITLE_CHARACTERS)
    lines = _wrapped(what, _LINE_CHARACTERS)
    every = [_wrapped(note, _LINE_CHARACTERS + 16) for note in (*notes, *grid.notes)]
    feet = [line for note in every for line in note]
    places = _key_places([text for text, _ in key])
    key_top = 0.16 + 0.23 * len(heads) + 0.17 * len(lines)
    head = key_top + 0.25 * (1 + max((row for row, _ in places), default=-1))
    foot = 0.06 + 0.15 * len(feet)
    height = head + grid.rows * panel_inches + foot
    edge = _EDGE_INCHES / _WIDTH_INCHES
    room = (edge, foot / height, 1 - 2 * edge, 1 - (head + foot) / height)
    layout = ConstrainedLayoutEngine(rect=room, h_pad=0.07, w_pad=0.05, wspace=0.02)
    figure = Figure(figsize=(_WIDTH_INCHES, height), layout=layout)
    for inches, text, size, colour, weight in (
        (0.08, heads, 12, LIGHT.ink, "bold"),
        (0.11 + 0.23 * len(heads), lines, 9, LIGHT.soft_ink, "normal"),
        (height - foot + 0.03, feet, 8, LIGHT.soft_ink, "normal"),
    ):
        y = 1 - inches / height
        figure.text(
            edge, y, "\n".join(text), fontsize=size, color=colour, fontweight=weight, va="top"
        )
    for (said, look), (row, x) in zip(key, places, strict=True):
        y = 1 - (key_top + 0.25 * row + 0.1) / height
        shape, ink, size = (
            (look.marker, look.light, 6) if isinstance(look, Mark) else ("s", look, 10)
        )
        sign = Line2D([x + 0.008], [y], marker=shape, color=ink, markersize=size, linestyle="")
        figure.add_artist(sign).set_transform(figure.transFigure)
        figure.text(x + 0.02, y, said, fontsize=9, va="center_baseline")
    shape_of_grid = grid.rows, grid.columns
    axes = figure.subplots(*shape_of_grid, squeeze=False, sharex=share_x, sharey=share_y).flat
    for one, panel in zip(axes, grid.panels, strict=False):
        one.set_title(panel.title)
    for spare in axes[len(grid.panels) :]:
        spare.set_visible(False)
    return Drawing(figure, tuple(axes[: len(grid.panels)]), title, what, caption)


_UNIT: Final = re.compile(r"(?<=\d) (?=%|(?:[num]?s|[kMG]?B|[kMG])\b)")


def _wrapped(text: str, characters: int) -> list[str]:
    """The lines of a text; a number stays with its unit."""
    return textwrap.wrap(_UNIT.sub("\N{NO-BREAK SPACE}", plain(text)), characters)


def _key_places(texts: Sequence[str]) -> list[tuple[int, float]]:
    """Row, and share of the width, where each entry begins."""
    places: list[tuple[int, float]] = []
    row, x = 0, _EDGE_INCHES
    for text in texts:
        width = 0.36 + _KEY_CHARACTER_INCHES * len(text)
        if x + width > _WIDTH_INCHES and x > _EDGE_INCHES:
            row, x = row + 1, _EDGE_INCHES
        places.append((row, x / _WIDTH_INCHES))
        x += width
    return places


def outer_labels(drawing: Drawing, grid: Grid, *, below: str = "", beside: str = "") -> Drawing:
    """The drawing, with what its axes mean at the edges of the grid."""
    for index, axes in enumerate(drawing.axes):
        if index % grid.columns == 0:
            axes.set_ylabel(beside)
        if index + grid.columns >= len(drawing.axes):
            axes.set_xlabel(below)
            axes.tick_params(labelbottom=True)
    return drawing


def nothing(axes: Axes, said: str) -> None:
    """Say why a panel holds no number."""
    axes.text(
        0.5, 0.5, said, transform=axes.transAxes, ha="center", va="center", color=LIGHT.soft_ink
    )


# --- axes -----------------------------------------------------------------------------------------


def _set_ticks(axis: Axis, ticks: Sequence[float], text: Callable[[float], str]) -> None:
    """Ticks at these places only."""
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
    axis.set_minor_locator(NullLocator())


def tasks_axes(axes: Sequence[Axes], grid: Grid) -> None:
    """Logarithmic axes with a tick for each number of tasks, or for powers of ten if many; panels
    above one another share theirs.
    """
    for index, one in enumerate(axes):
        column = grid.panels[index % grid.columns :: grid.columns]
        counts = sorted({float(n) for part in column for n in part.rows["tasks"]})
        one.set(xscale="log", xlim=(counts[0] / 1.9, counts[-1] * 1.9))
        if len(counts) > 7:
            last = math.ceil(math.log10(counts[-1]))
            counts = [10.0**power for power in range(math.floor(math.log10(counts[0])), last + 1)]
        _set_ticks(one.xaxis, counts, lambda n: words.tick(n, "/s").replace(" ", ""))


def amount_axis(
    axes: Axes, values: Iterable[float], unit: str, *, sideways: bool = False, most: int = 6
) -> None:
    """A logarithmic axis round the values, with ticks at 1, 2, 5 of each power if they are few."""
    finite = [value for value in values if math.isfinite(value) and value > 0] or [1.0]
    limits = min(finite) / 1.4, max(finite) * 1.4
    axis = _logarithmic(axes, limits, sideways)
    _set_ticks(axis, _amount_ticks(*limits, most), partial(amount_tick, unit=unit))


def _amount_ticks(low: float, high: float, most: int) -> list[float]:
    powers = [10.0**power for power in range(math.floor(math.log10(low)), 12)]
    for heads, step in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 4)):
        ticks = [head * power for power in powers[::step] for head in heads]
        inside = [tick for tick in ticks if low <= tick <= high]
        if 1 < len(inside) <= most:
            return inside
    return [float(tick) for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]


def amount_tick(value: float, unit: str) -> str:
    """An amount at an axis; costs per task, in ns, in the unit that suits them, shares in "%"."""
    if unit == "%":
        return f"\u00b1{100 * value:g} %"
    if value == 0:
        return "0"
    return words.tick(value * 1e-9, "s") if unit == "ns" else words.tick(value, unit)


def _logarithmic(axes: Axes, limits: tuple[float, float], sideways: bool) -> Axis:
    """The axis that numbers lie along, with a grid; ``sideways`` is the horizontal one."""
    axes.grid(axis="x" if sideways else "y")
    if sideways:
        axes.set(xscale="log", xlim=limits)
        return axes.xaxis
    axes.set(yscale="log", ylim=limits)
    return axes.yaxis


def zero_axis(
    axes: Axes, values: Iterable[float], unit: str, *, room: float, sideways: bool = True
) -> None:
    """An axis of amounts from zero to ``room`` times the largest."""
    last = room * (max((value for value in values if math.isfinite(value)), default=0.0) or 1.0)
    axis = axes.xaxis if sideways else axes.yaxis
    (axes.set_xlim if sideways else axes.set_ylim)(0, last)
    axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: amount_tick(value, unit)))
    axes.grid(axis="x" if sideways else "y")


def ratio_limits(rows: pd.DataFrame) -> tuple[float, float]:
    """Limits of an axis of ratios: 1, all points, and intervals that do not dwarf them."""
    points = _logs(rows["ratio"])
    reach = max(float(np.abs(points).max(initial=0.0)), 0.025)
    ends = np.clip(
        np.concatenate([_logs(rows["low"]), _logs(rows["high"])]), -1.2 * reach, 1.2 * reach
    )
    inside = np.concatenate([points, ends, [-0.025, 0.025]])
    pad = 0.05 * float(np.ptp(inside))
    return math.exp(float(inside.min()) - pad), math.exp(float(inside.max()) + pad)


def _logs(ratios: pd.Series[float]) -> FloatArray:
    values = ratios.to_numpy(float)
    return np.asarray(np.log(values[np.isfinite(values) & (values > 0)]))


_WIDE: Final = (
    (0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0),
    (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
    (0.01, 0.1, 1.0, 10.0, 100.0),
    (1e-6, 1e-4, 1e-2, 1.0, 1e2, 1e4, 1e6),
)
"""Ticks of ratios that change by more than half; the first that are few are taken."""


def ratio_axis(
    axes: Axes, limits: tuple[float, float], *, sideways: bool = False, most: int = 7
) -> None:
    """A logarithmic axis of ratios that reads in changes ("-5 %", "equal", "+5 %"), or in times
    from twice on, with the grounds of what is no difference and of what is the same.
    """
    axis = _logarithmic(axes, limits, sideways)
    _set_ticks(axis, _ratio_ticks(*limits, most), _ratio_tick)
    span, line = (axes.axvspan, axes.axvline) if sideways else (axes.axhspan, axes.axhline)
    for reach, colour in ((WITHIN, LIGHT.same), (FLOOR, LIGHT.floor)):
        span(1 - reach, 1 + reach, color=colour, linewidth=0, zorder=0.4)
    line(1.0, color=LIGHT.soft_ink, linewidth=0.8, zorder=1)


def _ratio_ticks(low: float, high: float, most: int) -> list[float]:
    changes = MaxNLocator(most - 1, steps=[1, 2, 5, 10]).tick_values(low - 1, high - 1)
    several = [[1 + float(change) for change in changes], *_WIDE][high / low > 2.5 :]
    inside = [[tick for tick in ticks if low <= tick <= high] for ticks in several]
    return next((ticks for ticks in inside if 1 < len(ticks) <= most), [1.0])


def _ratio_tick(ratio: float) -> str:
    if abs(ratio - 1) < 1e-9:
        return "equal"
    return f"{round((ratio - 1) * 100, 6):+g} %" if ratio < 2 else f"\u00d7 {ratio:g}"


@dataclass(frozen=True, slots=True)
class Pythons:
    """Pythons along an axis: those of one kind of build together, each kind in order of version.

    ``places`` by label, the ``families`` with their labels, and where one ends and the next begins.
    """

    places: Mapping[str, float]
    families: Mapping[str, tuple[str, ...]]
    borders: tuple[float, ...]

    @property
    def notes(self) -> list[str]:
        """What the letters of several kinds of build stand for."""
        if len(self.families) < 2:
            return []
        said = [f"{_letter(i)}: {family}" for i, family in enumerate(self.families)]
        return [f"Kinds of build, which no line joins. {'. '.join(said)}."]


def pythons(findings: Findings, wanted: Iterable[str]) -> Pythons:
    """The Pythons with these labels along an axis."""
    chosen = set(wanted)
    families: dict[str, list[str]] = {}
    for one in sorted(findings.campaign.interpreters, key=lambda one: python_order(one.label)):
        if one.label in chosen:
            families.setdefault(one.family.label, []).append(one.label)
    places: dict[str, float] = {}
    borders = []
    for index, members in enumerate(families.values()):
        start = len(places) + index * _GAP
        if index:
            borders.append(start - 0.5 - _GAP / 2)
        places.update({name: start + k for k, name in enumerate(members)})
    return Pythons(places, {name: tuple(of) for name, of in families.items()}, tuple(borders))


def _letter(index: int) -> str:
    return chr(ord("A") + index % 26)


def python_axis(axes: Axes, shown: Pythons, columns: int) -> None:
    """Ticks for the Pythons, with the letters of their kinds of build where there are several."""
    names = [
        plain(name, 16) + (f" ({_letter(index)})" if len(shown.families) > 1 else "")
        for index, members in enumerate(shown.families.values())
        for name in members
    ]
    places = list(shown.places.values())
    axes.set_xlim(places[0] - 0.6, places[-1] + 0.6)
    axes.set_xticks(places, names)
    room = 0.8 * _WIDTH_INCHES / columns / (places[-1] - places[0] + 1.2)
    if max(map(len, names)) * _KEY_CHARACTER_INCHES > room:
        axes.tick_params(axis="x", labelrotation=90)
    for border in shown.borders:
        axes.axvline(border, color=LIGHT.rule, linewidth=0.8, zorder=0.6)


# --- lines: a name each ---------------------------------------------------------------------------

Line: TypeAlias = "tuple[str, ...]"


def lines_of(findings: Findings, rows: pd.DataFrame, kinds: Sequence[str]) -> Mapping[Line, str]:
    """What stands in a line each, in reading order, and what is written there: only what differs,
    and no more than once.
    """
    told = [kind for kind in kinds if several(rows, kind)] or list(kinds[-1:])
    written: dict[Line, str] = {}
    before: tuple[str, ...] = ()
    for names, _ in grouped(findings, rows, kinds):
        said = tuple(label(findings, kind, names[kind]) for kind in told)
        written[tuple(names.values())] = "   ".join(said if said[:-1] != before else said[-1:])
        before = said[:-1]
    return written


def line_axis(axes: Axes, names: Collection[str]) -> None:
    """The names of lines, from the top."""
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), list(names))
    axes.tick_params(axis="y", length=0)


def on_lines(
    rows: pd.DataFrame, kinds: Sequence[str], lines: Mapping[Line, str]
) -> Iterator[tuple[Line, pd.DataFrame, FloatArray]]:
    """Each line that there are rows for, its rows, and the place of each, shape (rows,)."""
    groups = dict(list(rows.groupby(list(kinds), sort=False, observed=True)))
    for place, line in enumerate(lines):
        mine = groups.get(line)
        if mine is not None:
            yield line, mine, np.full(len(mine), float(place))


def write_beside(axes: Axes, text: str, x: float, y: float) -> None:
    """A few words to the right of a point."""
    axes.annotate(
        text, (x, y), xytext=(7, 0), textcoords="offset points",
        va="center_baseline", fontsize=8, color=LIGHT.ink, annotation_clip=False,
    ).set_in_layout(False)  # fmt: skip


# --- points with their intervals ------------------------------------------------------------------


def different(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows are significantly different, shape (rows,)."""
    return rows["verdict"].isin([SLOWER, FASTER]).to_numpy(bool)


def points(
    axes: Axes,
    places: FloatArray,
    rows: pd.DataFrame,
    mark: Mark,
    *,
    column: str = "value",
    sideways: bool = False,
    size: float = 5.0,
) -> None:
    """Points at ``places`` with the intervals of ``rows``; ratios that are not significantly
    different are hollow.

    ``sideways``: the numbers lie along the horizontal axis. An arrowhead ends an interval that
    goes on beyond the axis, and stands for a point beyond it.
    """
    value, low, high = _intervals(rows, column)
    limits = axes.get_xlim() if sideways else axes.get_ylim()
    bars = np.isfinite(value) & np.isfinite(high) & (low > 0)
    lines = axes.hlines if sideways else axes.vlines
    lines(places[bars], low[bars], high[bars], color=mark.light, linewidth=1.5, zorder=3)
    cut = ((bars & (low < limits[0]), limits[0]), (bars & (high > limits[1]), limits[1]))
    for (beyond, edge), arrow in zip(cut, "<>" if sideways else "v^", strict=True):
        if beyond.any():
            at = np.full(int(beyond.sum()), edge)
            x, y = (at, places[beyond]) if sideways else (places[beyond], at)
            [drawn] = axes.plot(
                x, y, arrow, color=mark.light, markersize=4, clip_on=False, zorder=5
            )
            drawn.set_in_layout(False)
    full = different(rows) if column == "ratio" else np.ones(len(rows), dtype=bool)
    x, y = (value, places) if sideways else (places, value)
    for chosen, face in ((~full, LIGHT.background), (full, mark.light)):
        if not chosen.any():
            continue
        axes.plot(
            x[chosen], y[chosen], mark.marker,
            markersize=size, markerfacecolor=face, markeredgecolor=mark.light, markeredgewidth=1.2,
            zorder=4,
        )  # fmt: skip


def _intervals(rows: pd.DataFrame, column: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A number with its low and high ends, each of shape (rows,)."""
    low, high = ("low", "high") if column == "ratio" else (f"{column}_low", f"{column}_high")
    return tuple(rows[name].to_numpy(float) for name in (column, low, high))  # type: ignore[return-value]


def ends(rows: pd.DataFrame) -> list[float]:
    """Every value and the finite ends of its interval."""
    every = np.concatenate(_intervals(rows, "value"))
    return [float(value) for value in every if math.isfinite(value)]


def interval(row: Mapping[Hashable, Any], column: str = "value", unit: str = "") -> str:
    """An amount of a row with its interval, in the row's unit unless another is given."""
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    return words.amount_interval(row[column], low, high, unit or row["unit"])


def apart(looks: Mapping[str, Mark], width: float) -> Iterator[tuple[str, Mark, float]]:
    """Each series with how far it stands aside, so that none hides another; ``width`` in all."""
    for index, (name, mark) in enumerate(looks.items()):
        yield name, mark, (index - (len(looks) - 1) / 2) * width / len(looks)


def over_pythons(
    axes: Axes,
    rows: pd.DataFrame,
    series: str,
    shown: Pythons,
    looks: Mapping[str, Mark],
    *,
    column: str = "value",
) -> None:
    """A series for each of ``looks``, by the column ``series``, joined within a kind of build."""
    for name, mark, aside in apart(looks, min(0.7, 0.16 * len(looks))):
        own = rows[rows[series] == name].drop_duplicates("python")
        places = np.array([shown.places[python] + aside for python in own["python"]])
        points(axes, places, own, mark, column=column)
        known = dict(zip(own["python"], own[column].to_numpy(float), strict=True))
        for members in shown.families.values():
            line = [known.get(python, np.nan) for python in members]
            at = [shown.places[python] + aside for python in members]
            axes.plot(at, line, color=mark.light, linewidth=0.9, alpha=0.6, zorder=2)
