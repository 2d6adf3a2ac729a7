"""What charts are made of: a sheet of panels, axes that read in words, points with intervals."""

from __future__ import annotations

import itertools
import math
import string
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

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
from analysis.read.campaign import newest_of, python_order
from analysis.show import tables
from analysis.show.charts.registry import Drawing
from analysis.show.theme import DARK, LIGHT, Mark, marks, plain

FloatArray: TypeAlias = NDArray[np.float64]

_MOST_PANELS: Final = 12
"""Of one chart; a reader looks no further."""
_WIDTH_INCHES: Final = 9.6
_EDGE_INCHES: Final = 0.12
TITLE_CHARACTERS: Final = 96
"""Of a line; a title has one."""
_LINE_CHARACTERS: Final = 140
_KEY_CHARACTER_INCHES: Final = 0.07
_LABEL_CHARACTERS: Final = 28
_TITLES_CHARACTERS: Final = 108
"""That fit above the panels of a row, with room between them."""
_MOST_NOTES: Final = 3
_GAP: Final = 0.6
"""Between two families of builds along an axis, in widths of a version."""

_FLOOR, _SAME = f"\u00b1{words.share(FLOOR)}", f"\u00b1{words.share(WITHIN, 0)}"
RATIO_KEY: Final = (
    (f"within {_SAME}: the same", Mark(LIGHT.same, DARK.same, "s")),
    (f"within {_FLOOR}: no difference", Mark(LIGHT.floor, DARK.floor, "s")),
)
READ_RATIOS: Final = (
    "A filled point is significantly different: its whole interval lies beyond "
    f"{_FLOOR}. An interval that lies wholly within {_SAME} counts as the same. An arrowhead means "
    "that the interval goes on beyond the panel."
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
    contenders = [one for one in findings.campaign.contenders if one.limit is None]
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
) -> list[tuple[Mapping[str, str], pd.DataFrame]]:
    """The rows by columns that are kinds of names, in reading order, each part with its names."""
    parts = [
        (dict(zip(kinds, map(str, names), strict=True)), part)
        for names, part in rows.groupby([*kinds], sort=False)
    ]
    order = findings.words.order
    return sorted(parts, key=lambda part: [order(*name) for name in part[0].items()])


def usual(findings: Findings, *, but: str = "") -> Mapping[str, str]:
    """What is usual in the campaign, axis ``but`` aside, by column."""
    return {axis: name for axis, name in findings.campaign.usual.items() if axis != but}


def baseline(findings: Findings) -> str:
    """The strategy that others are compared with, or "" """
    return next(iter(strategy_marks(findings)), "")


def concurrent(findings: Findings, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of strategies that run their children concurrently: the others are far off."""
    keep = [findings.words.is_concurrent(name) for name in rows["strategy"]]
    return rows[np.array(keep, dtype=bool)]


def of_newest(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the newest Python among them, which is shown where all would be too many."""
    return only(rows, python=newest_of(rows["python"].unique()))


def over_several(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of workloads that were measured with several numbers of tasks: one makes no line."""
    return rows[rows.groupby("workload")["tasks"].transform("nunique") > 1]


def of_workload(rows: pd.DataFrame, part: pd.DataFrame) -> pd.DataFrame:
    """The rows of the workload of a part of them: what shares its scale."""
    return only(rows, workload=part["workload"].iloc[0])


def answering(findings: Findings) -> str:
    """The probe that the answer is about, or "" """
    probes = dict.fromkeys(case.probe for case in findings.campaign.cases)
    return next((name for name in probes if findings.words.probe(name).answers), "")


def typical(tasks: Iterable[int], wanted: int = 1000) -> int:
    """The number of tasks nearest to a typical fan-out, on a logarithmic scale."""
    return min(tasks, key=lambda n: abs(math.log(n / wanted)))


def large(tasks: Iterable[int]) -> int:
    """The number of tasks nearest to a large fan-out, in which the collector takes part."""
    return typical(tasks, 10_000)


def on_python(findings: Findings, rows: pd.DataFrame) -> str:
    """Where rows were measured: "Python 3.15.2, one of 7." """
    every, names = len(findings.campaign.interpreters), rows["python"].unique()
    one_of = f", one of {every}" if every > len(names) == 1 else ""
    return f"Python {words.listed(plain(str(name), 40) for name in names)}{one_of}."


def where(findings: Findings, row: Mapping[Hashable, Any], *kinds: str) -> str:
    """What a row is of, in brackets: "(TaskGroup, uvloop)"."""
    return f"({', '.join(label(findings, kind, row[kind]) for kind in kinds)})"


def missing_notes(findings: Findings, rows: pd.DataFrame, *, but: str = "") -> list[str]:
    """A line for each reason why what is shown has gaps, the most frequent first: cells of ``rows``
    that are missing, and what was asked for and skipped on the Pythons of ``rows``, where all is
    as usual, axis ``but`` aside.
    """
    reasons = [str(reason) for reason in rows["reason"][rows["verdict"].eq(MISSING)]]
    names = {one.label: one.name for one in findings.campaign.interpreters}
    shown = {axis: {None, name} for axis, name in usual(findings, but=but).items()}
    shown["interpreter"] = {None, *(names[label] for label in rows["python"].unique())}
    reasons += [
        skipped.reason
        for skipped in findings.campaign.skipped
        if all(getattr(skipped.contender, axis) in of for axis, of in shown.items())
    ]
    counted = Counter(plain(reason, 120) for reason in reasons if reason).most_common()
    notes = [f"Not measured: {reason}." for reason, _ in counted[:_MOST_NOTES]]
    if len(counted) > len(notes):
        notes.append(f"And {len(counted) - len(notes)} more reasons: see the tables.")
    if np.isinf(rows["high"]).any():
        notes.append("Where a point has no bar, there are too few rounds for an interval.")
    return notes


# --- a sheet of panels ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grid:
    """Titles with the rows to draw, so many beside one another, and notes on what is left out."""

    panels: Sequence[tuple[str, pd.DataFrame]]
    columns: int
    notes: Sequence[str] = ()

    @property
    def rows(self) -> int:
        """How many stand above one another."""
        return -(-len(self.panels) // self.columns)


def split(
    findings: Findings, frame: pd.DataFrame, kinds: Sequence[str], *, most_columns: int = 4
) -> Grid:
    """The frame by columns that are kinds of names, in reading order; titles tell what differs."""
    told = [kind for kind in kinds if several(frame, kind)] or kinds[:2]
    parts = [
        (": ".join(label(findings, kind, names[kind]) for kind in told), part)
        for names, part in grouped(findings, frame, kinds)
    ]
    columns = 1
    for kind in reversed(told):
        if columns * frame[kind].nunique() <= most_columns:
            columns *= frame[kind].nunique()
    if columns == 1:
        columns = min(3, most_columns)
    if columns * max(len(title) for title, _ in parts) > _TITLES_CHARACTERS:
        columns = 2
    room = _TITLES_CHARACTERS // columns
    shown = [(plain(title, room), part) for title, part in parts[:_MOST_PANELS]]
    out = len(parts) - len(shown)
    notes = [f"{words.times(out, 'more panel')} left out: see the tables."] if out else []
    return Grid(shown, min(columns, len(shown)), notes)


Key: TypeAlias = "Sequence[tuple[str, Mark]]"
"""What marks stand for."""


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
    below: str = "",
    beside: str = "",
    share_x: bool = True,
    share_y: bool = True,
    intervals: bool = True,
) -> Drawing:
    """A figure with a title, a line on what it shows, a key, the panels of a grid, and notes.

    What the axes mean stands ``below`` and ``beside`` the grid; how far the ``intervals`` hold, if
    they are drawn, at the end of the caption.
    """
    heads = words.wrapped(plain(title), TITLE_CHARACTERS)
    lines = words.wrapped(plain(what), _LINE_CHARACTERS)
    below_all = (*notes, *grid.notes)
    every = (words.wrapped(plain(note), _LINE_CHARACTERS + 16) for note in below_all)
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
    for (said, mark), (row, x) in zip(key, places, strict=True):
        y = 1 - (key_top + 0.25 * row + 0.1) / height
        figure.add_artist(
            Line2D([x + 0.008], [y], marker=mark.marker, color=mark.light, ms=7, ls="")
        )
        figure.text(x + 0.02, y, said, fontsize=9, va="center_baseline")
    axes = figure.subplots(grid.rows, grid.columns, squeeze=False, sharex=share_x, sharey=share_y)
    drawn = [(one, *panel) for one, panel in zip(axes.flat, grid.panels, strict=False)]
    for index, (one, heading, _) in enumerate(drawn):
        one.set_title(heading)
        if index % grid.columns == 0:
            one.set_ylabel(beside)
        if index + grid.columns >= len(drawn):
            one.set_xlabel(below)
            one.tick_params(labelbottom=True)
    for spare in axes.flat[len(drawn) :]:
        spare.set_visible(False)
    parts = tuple((one, rows) for one, _, rows in drawn)
    hold = tables.intervals_hold(pd.concat([rows for _, rows in parts])) if intervals else ""
    read = f"{caption} The line through a mark is its interval. {hold}"
    return Drawing(figure, parts, title, what, read if hold else caption)


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


def add_to_title(axes: Axes, said: str) -> None:
    """What is more to be said of a panel."""
    axes.set_title(", ".join(filter(None, (axes.get_title(loc="left"), said))))


def nothing(axes: Axes, said: str) -> None:
    """Say why a panel holds no number."""
    axes.text(
        0.5, 0.5, said, transform=axes.transAxes, ha="center", va="center", color=LIGHT.soft_ink
    )


# --- axes -----------------------------------------------------------------------------------------


def set_ticks(axis: Axis, ticks: Mapping[float, str]) -> None:
    """Ticks at these places only, and what is written there."""
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_major_formatter(FuncFormatter(lambda place, _: ticks.get(place, "")))
    axis.set_minor_locator(NullLocator())


def _numbers(
    axes: Axes, limits: tuple[float, float], *, sideways: bool, scale: str = "log"
) -> Axis:
    """The axis that numbers lie along, with a grid; ``sideways`` is the horizontal one."""
    side = "x" if sideways else "y"
    axes.grid(axis=side)  # type: ignore[arg-type]
    axes.set(**{f"{side}scale": scale, f"{side}lim": limits})
    return axes.xaxis if sideways else axes.yaxis


def _round_numbers(low: float, high: float, most: int) -> list[float]:
    """Few numbers between these: 1, 2, 5 of each power of ten, or less."""
    for heads, step in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 4)):
        powers = [10.0**power for power in range(-12, 13) if power % step == 0]
        ticks = [head * power for power in powers for head in heads]
        inside = [tick for tick in ticks if low <= tick <= high]
        if 1 < len(inside) <= most:
            return inside
    return _steps(low, high, 5)


def _steps(low: float, high: float, most: int) -> list[float]:
    """Few numbers between these, at equal steps."""
    ticks = MaxNLocator(most - 1, steps=[1, 2, 5, 10]).tick_values(low - 1, high - 1)
    return [1 + float(tick) for tick in ticks if low <= 1 + tick <= high]


def tasks_axis(axes: Axes, tasks: Iterable[int]) -> None:
    """A logarithmic axis with a tick for each number of tasks, or a few if those are many."""
    counts = sorted(map(float, set(tasks)))
    limits = counts[0] / 1.9, counts[-1] * 1.9
    axes.set(xscale="log", xlim=limits)
    ticks = counts if len(counts) <= 7 else _round_numbers(*limits, 7)
    set_ticks(axes.xaxis, {n: words.tick(n, "/s").replace(" ", "") for n in ticks})


def amount_axis(
    axes: Axes, values: Iterable[float], unit: str, *, sideways: bool = False, most: int = 6
) -> None:
    """A logarithmic axis round the values, with a few ticks."""
    finite = [value for value in values if math.isfinite(value) and value > 0] or [1.0]
    limits = min(finite) / 1.4, max(finite) * 1.4
    ticks = {tick: amount_tick(tick, unit) for tick in _round_numbers(*limits, most)}
    set_ticks(_numbers(axes, limits, sideways=sideways), ticks)


def amount_tick(value: float, unit: str) -> str:
    """An amount at an axis; costs per task, in ns, in the unit that suits them, shares in "%"."""
    if unit == "%":
        return f"\u00b1{100 * value:g} %"
    if value == 0:
        return "0"
    return words.tick(value * 1e-9, "s") if unit == "ns" else words.tick(value, unit)


def zero_axis(
    axes: Axes, values: Iterable[float], unit: str, *, room: float, sideways: bool = True
) -> None:
    """An axis of amounts from zero to ``room`` times the largest."""
    last = room * (max((value for value in values if math.isfinite(value)), default=0.0) or 1.0)
    axis = _numbers(axes, (0, last), sideways=sideways, scale="linear")
    axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: amount_tick(value, unit)))


def ratio_limits(rows: pd.DataFrame) -> tuple[float, float]:
    """Limits of an axis of ratios: 1, all points, and intervals that do not dwarf them."""
    with np.errstate(divide="ignore"):
        logs = np.log(rows[["ratio", "low", "high"]].to_numpy(float))
    logs[~np.isfinite(logs)] = np.nan
    reach = 1.2 * float(np.nanmax(np.abs(logs[:, 0]), initial=0.025))
    inside = np.clip(logs, -reach, reach)
    low = float(np.nanmin(inside, initial=-0.025))
    high = float(np.nanmax(inside, initial=0.025))
    pad = 0.05 * (high - low)
    return math.exp(low - pad), math.exp(high + pad)


def ratio_axis(
    axes: Axes, limits: tuple[float, float], *, sideways: bool = False, most: int = 7
) -> None:
    """A logarithmic axis of ratios that reads in changes ("-5 %", "equal", "+5 %"), or in times
    from twice on, with the grounds of what is no difference and of what is the same.
    """
    chosen = (_steps if limits[1] / limits[0] < 3 else _round_numbers)(*limits, most)
    axis = _numbers(axes, limits, sideways=sideways)
    set_ticks(axis, {tick: _ratio_tick(tick) for tick in chosen})
    span, line = (axes.axvspan, axes.axvline) if sideways else (axes.axhspan, axes.axhline)
    for reach, colour in ((WITHIN, LIGHT.same), (FLOOR, LIGHT.floor)):
        span(1 - reach, 1 + reach, color=colour, linewidth=0, zorder=0.4)
    line(1.0, color=LIGHT.soft_ink, linewidth=0.8, zorder=1)


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
    families: Mapping[str, Sequence[str]]
    borders: Sequence[float]

    @property
    def letters(self) -> Mapping[str, str]:
        """One for each kind of build, if there are several."""
        letters = itertools.cycle(string.ascii_uppercase if len(self.families) > 1 else "")
        return dict(zip(self.families, letters, strict=False))

    @property
    def notes(self) -> list[str]:
        """What the letters stand for."""
        said = ". ".join(f"{letter}: {family}" for family, letter in self.letters.items())
        return [f"Kinds of build, which no line joins. {said}."] if said else []


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
        borders += [start - 0.5 - _GAP / 2] if index else []
        places.update({name: start + k for k, name in enumerate(members)})
    return Pythons(places, families, borders)


def python_axis(several: Sequence[Axes], shown: Pythons, columns: int) -> None:
    """Ticks for the Pythons below axes that share them, and lines between kinds of build."""
    names = {
        shown.places[name]: f"{plain(name, 16)} ({letter})" if letter else plain(name, 16)
        for family, members in shown.families.items()
        for letter in [shown.letters.get(family)]
        for name in members
    }
    first, *_, last = (*names, *names)
    several[0].set_xlim(first - 0.6, last + 0.6)
    set_ticks(several[0].xaxis, names)
    room = 0.8 * _WIDTH_INCHES / columns / (last - first + 1.2)
    for axes in several:
        if max(map(len, names.values())) * _KEY_CHARACTER_INCHES > room:
            axes.tick_params(axis="x", labelrotation=90)
        for border in shown.borders:
            axes.axvline(border, color=LIGHT.rule, linewidth=0.8, zorder=0.6)


# --- lines: a name each ---------------------------------------------------------------------------

Line: TypeAlias = "tuple[str, ...]"


def lines_of(findings: Findings, rows: pd.DataFrame, kinds: Sequence[str]) -> Mapping[Line, str]:
    """What stands in a line each, in reading order, and the words for it: what differs, once."""
    told = [kind for kind in kinds if several(rows, kind)] or list(kinds[-1:])
    written: dict[Line, str] = {}
    before: tuple[str, ...] = ()
    for names, _ in grouped(findings, rows, kinds):
        said = tuple(label(findings, kind, names[kind]) for kind in told)
        written[tuple(names.values())] = "   ".join(said if said[:-1] != before else said[-1:])
        before = said[:-1]
    return written


def on_lines(
    axes: Axes, rows: pd.DataFrame, kinds: Sequence[str], lines: Mapping[Line, str]
) -> list[tuple[Line, pd.DataFrame, float]]:
    """Name the lines at the axis; return those of ``rows``, each with its rows and its place."""
    axes.set_ylim(len(lines) - 0.4, -0.6)
    set_ticks(axes.yaxis, dict(enumerate(lines.values())))
    groups = dict(list(rows.groupby(list(kinds), sort=False, observed=True)))
    places = enumerate(lines)
    return [(line, groups[line], float(place)) for place, line in places if line in groups]


def write_beside(axes: Axes, text: str, y: float, x: float | None = None) -> None:
    """A few words to the right of a point; beside the panel, where room is made, without ``x``."""
    axes.annotate(
        text, (1.0 if x is None else x, y),
        xycoords=axes.get_yaxis_transform() if x is None else "data",
        xytext=(7, 0), textcoords="offset points", va="center_baseline", fontsize=8,
        color=LIGHT.ink, annotation_clip=False, in_layout=x is None,
    )  # fmt: skip


# --- points with their intervals ------------------------------------------------------------------


def different(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows are significantly different, shape (rows,)."""
    return rows["verdict"].isin([SLOWER, FASTER]).to_numpy(bool)


def points(
    axes: Axes,
    places: FloatArray | float,
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
    places = np.broadcast_to(places, value.shape)
    limits = axes.get_xlim() if sideways else axes.get_ylim()
    bars = np.isfinite(value) & np.isfinite(high)
    lines = axes.hlines if sideways else axes.vlines
    lines(places[bars], low[bars], high[bars], color=mark.light, linewidth=1.5, zorder=3)

    def draw(chosen: NDArray[np.bool_], numbers: FloatArray, shape: str, **look: Any) -> None:  # noqa: ANN401 - of matplotlib
        if chosen.any():
            x, y = (numbers, places) if sideways else (places, numbers)
            axes.plot(x[chosen], y[chosen], shape, color=mark.light, **look)

    cut = (bars & (low < limits[0]), bars & (high > limits[1]))
    for beyond, edge, arrow in zip(cut, limits, "<>" if sideways else "v^", strict=True):
        at = np.full(value.shape, edge)
        draw(beyond, at, arrow, markersize=4, clip_on=False, zorder=5, in_layout=False)
    full = different(rows) if column == "ratio" else np.ones(len(rows), dtype=bool)
    for chosen, face in ((~full, LIGHT.background), (full, mark.light)):
        draw(chosen, value, mark.marker, ms=size, mfc=face, mew=1.2, zorder=4)


def _intervals(rows: pd.DataFrame, column: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A number with its low and high ends, each of shape (rows,)."""
    low, high = ("low", "high") if column == "ratio" else (f"{column}_low", f"{column}_high")
    return tuple(rows[name].to_numpy(float) for name in (column, low, high))  # type: ignore[return-value]


def ends(rows: pd.DataFrame) -> list[float]:
    """Every value and the finite ends of its interval."""
    every = np.concatenate(_intervals(rows, "value"))
    return [float(value) for value in every if math.isfinite(value)]


def apart(looks: Mapping[str, Mark], width: float) -> Iterator[tuple[str, Mark, float]]:
    """Each series with how far it stands aside, so that none hides another; ``width`` in all."""
    for index, (name, mark) in enumerate(looks.items()):
        yield name, mark, (index - (len(looks) - 1) / 2) * width / len(looks)


def over_tasks(
    axes: Axes,
    rows: pd.DataFrame,
    series: str,
    looks: Mapping[str, Mark],
    width: float,
    *,
    column: str = "value",
    joined: bool = True,
    along: str = "tasks",
) -> None:
    """A series for each of ``looks``, by the column ``series``, over the number of tasks or another
    one.
    """
    for name, mark, aside in apart(looks, width):
        own = rows[rows[series] == name].sort_values(along)
        places = own[along].to_numpy(float) * np.exp(aside)
        if joined:
            _join(axes, places, own[column], mark)
        points(axes, places, own, mark, column=column)


def over_pythons(
    axes: Axes,
    rows: pd.DataFrame,
    series: str,
    shown: Pythons,
    looks: Mapping[str, Mark],
    *,
    column: str = "value",
) -> None:
    """The same over the Pythons, joined within a kind of build."""
    for name, mark, aside in apart(looks, min(0.7, 0.16 * len(looks))):
        own = rows[rows[series] == name].drop_duplicates("python").set_index("python")
        places = own.index.map(shown.places).to_numpy(float) + aside
        points(axes, places, own, mark, column=column)
        for members in shown.families.values():
            at = np.array([shown.places[python] + aside for python in members])
            _join(axes, at, own[column].reindex([*members]), mark)


def _join(axes: Axes, places: FloatArray, numbers: pd.Series[float], mark: Mark) -> None:
    axes.plot(places, numbers, color=mark.light, linewidth=0.9, alpha=0.6, zorder=2)
