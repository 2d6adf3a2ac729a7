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
    """Contrasts of the whole fan-out's time."""
    return frame[
        (frame["probe"].astype(str) == "throughput") & (frame["metric"].astype(str) == "total")
    ]


def fan_outs(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of strategies that fan out: what launches nothing is too far off for their scale."""
    return frame[~frame["contender"].astype(str).isin(style.NO_FAN_OUT)]


@chart(
    needs="comparisons",
    place=1,
    select=lambda frame: fan_outs(throughput_rows(frame)),
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
            control = name == style.CONTROL
            draw_series(
                panel.axes, *panel.of(name), marks[name], look, limits=limits, control=control
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
        notes=ratio_notes(rows, limits),
        directions=True,
    )


def draw_series(
    axes: Axes,
    places: np.ndarray,
    mine: pd.DataFrame,
    mark: style.Mark,
    look: Look,
    *,
    limits: tuple[float, float],
    control: bool = False,
    sideways: bool = False,
) -> None:
    """One contender's points and intervals; a missing point breaks the thin line between them.

    ``places`` lie along the number of tasks; ``sideways`` puts the ratio on the horizontal axis and
    leaves the line out. Filled points are told apart from the baseline, hollow ones are not. An
    arrowhead ends an interval that goes on beyond the ``limits`` of the ratio axis.
    """
    colour = mark.colour(look.theme)
    ratio, low, high = (mine[column].to_numpy(float) for column in ("ratio", "low", "high"))
    bars = np.isfinite(ratio) & np.isfinite(low) & np.isfinite(high) & (low > 0)
    lines = axes.hlines if sideways else axes.vlines
    lines(places[bars], low[bars], high[bars], color=colour, linewidth=1.6, zorder=3)
    scales.arrows(axes, places[bars], (low[bars], high[bars]), limits, colour, sideways=sideways)
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


def ratio_notes(rows: pd.DataFrame, limits: tuple[float, float]) -> list[str]:
    """What a chart of ratios within ``limits`` does not show, and why."""
    low, high = (rows[name].to_numpy(float) for name in ("low", "high"))
    known = np.isfinite(rows["ratio"].to_numpy(float)) & np.isfinite(high) & (low > 0)
    cut = bool((known & ((low < limits[0]) | (high > limits[1]))).any())
    arrows = ["An arrowhead marks an interval that goes on beyond the panel."] if cut else []
    return [*arrows, *missing_notes(rows)]


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
