"""The campaign's own health: what moved from round to round, and whether the control stayed where
it belongs.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis import style
from analysis.plots import scales
from analysis.plots.ratios import headline_rows
from analysis.plots.registry import Look, chart
from analysis.plots.sheet import Margins, Plan, sheet

_SERIES: Final = ["case", "metric", "contender_id"]
_FLOOR: Final = 0.005
_MOST_MARKS: Final = 2_500
"""Points of lines, or dots, in a panel; beyond that every second, third, ... case is drawn."""
_QUARTILES: Final = 1.349
"""Standard deviations between the quartiles of a normal distribution."""


def _relative(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row per series, a column per round: the number relative to the series' own median over
    rounds.
    """
    wide = rows.pivot_table(index=_SERIES, columns="round", values=column, observed=True)
    return wide.div(wide.median(axis=1), axis=0)


def _spread(relative: pd.DataFrame) -> float:
    """How far a typical case moves: the interquartile range over rounds as a standard deviation,
    median over cases.
    """
    logs = pd.DataFrame(np.log(relative.to_numpy(float)))
    deviations = (logs.quantile(0.75, axis=1) - logs.quantile(0.25, axis=1)) / _QUARTILES
    return float(np.expm1(deviations.median())) if deviations.notna().any() else float("nan")


def _parts(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Times of baselines, ratios of contenders, and ratios of the control."""
    control = rows["contender"].astype(str) == style.CONTROL
    return (
        rows[rows["ratio"].isna()],
        rows[rows["ratio"].notna() & ~control],
        rows[control & rows["ratio"].notna()],
    )


def _health_finding(rows: pd.DataFrame) -> str:
    times, ratios, _ = _parts(rows)
    if rows["round"].nunique() < 2 or times.empty or ratios.empty:
        return "Too few rounds to see what moves between them"
    return (
        "From round to round the times of a typical case move by "
        f"{style.share(_spread(_relative(times, 'seconds')))}, "
        f"its ratios by {style.share(_spread(_relative(ratios, 'ratio')))}"
    )


@chart(
    needs="rounds",
    place=10,
    select=headline_rows,
    heading="Can this campaign be trusted?",
    caption=(
        "Left: the time of every baseline in every round relative to its own median, a thin line "
        "per case; this is what the "
        "machine did meanwhile. Next to it, on the same scale, the ratios of the contenders that "
        "took turns with it. Then "
        "the control, the baseline measured a second time: its ratio in every round, a row per "
        "case, which ought to scatter "
        "round the line. Right: the share of processor time that other guests of the host took "
        "away (steal). "
        "How far numbers move is given for a typical case: the quartiles over rounds, as a "
        "standard deviation. Single "
        "outliers may lie outside the panels."
    ),
    finding=_health_finding,
)
def campaign_health(rows: pd.DataFrame, look: Look) -> Figure:
    """Drift of times and steadiness of ratios by round, the control by case, and steal by round."""
    times, ratios, control = _parts(rows)
    moved = [_relative(times, "seconds"), _relative(ratios, "ratio")]
    plan = Plan(
        title=_health_finding(rows),
        subtitle=(
            "Each thin line is one case; the thick one is the median of all. Left and "
            "middle share one scale."
        ),
        legend=[
            Line2D([], [], color=look.theme.soft_ink, linewidth=0.7, label="one case"),
            Line2D([], [], color=look.theme.ink, linewidth=2.0, label="median of all cases"),
            Patch(color=look.theme.band, label="noise floor"),
        ],
        rows=2 if look.narrow else 1,
        columns=2 if look.narrow else 4,
        panel_height=2.2,
        widths=None if look.narrow else [1.0, 1.0, 1.0, 0.7],
        first=Margins(left=0.75, right=0.1, top=0.36, bottom=0.5),
        inner=Margins(left=0.3, right=0.1, top=0.36, bottom=0.5),
    )
    figure, panels = sheet(look, plan)
    left, middle, right, last = (axes for line in panels for axes in line)
    both = np.concatenate([part.to_numpy(float).ravel() for part in moved])
    limits = scales.ratio_limits(scales.most_of(both))
    colours = (
        look.theme.soft_ink,
        style.marks(["contenders"])["contenders"].colour(look.theme),
    )
    for axes, part, colour, title in zip(
        (left, middle),
        moved,
        colours,
        ("times of the baselines", "ratios of the contenders"),
        strict=True,
    ):
        _by_round(axes, part, colour, look)
        scales.ratio_axis(axes.yaxis, limits, middle="median")
        axes.grid(axis="y")
        scales.panel_title(axes, title, look)
    middle.tick_params(labelleft=False)
    _control(right, control, look)
    _steal(last, rows, look)
    return figure


def _thinned(wide: pd.DataFrame) -> pd.DataFrame:
    """As many of the cases, evenly chosen, as a picture can hold."""
    return wide.iloc[:: max(1, math.ceil(wide.size / _MOST_MARKS))]


def _by_round(axes: Axes, relative: pd.DataFrame, colour: str, look: Look) -> None:
    rounds = relative.columns.to_numpy(float)
    thin = _thinned(relative).to_numpy(float)
    axes.plot(rounds, thin.T, color=colour, linewidth=0.5, alpha=0.35, zorder=2)
    axes.plot(
        rounds, relative.median().to_numpy(float), color=look.theme.ink, linewidth=2.0, zorder=3
    )
    _round_axis(axes, rounds)


def _control(axes: Axes, control: pd.DataFrame, look: Look) -> None:
    scales.panel_title(axes, "control against baseline", look)
    wide = control.pivot_table(
        index=["probe", "workload", "tasks"], columns="round", values="ratio", observed=True
    )
    if wide.empty:
        axes.text(
            0.5, 0.5, "no control was measured", transform=axes.transAxes, ha="center", va="center"
        )
        axes.set(xticks=[], yticks=[])
        return
    cases = len(wide)
    wide = _thinned(wide)
    places = np.arange(len(wide), dtype=float)
    points = wide.to_numpy(float)
    scales.floor_band(
        axes, np.array([-1.0, len(wide)]), np.array([_FLOOR, _FLOOR]), look, vertical=False
    )
    axes.plot(
        points,
        np.repeat(places[:, None], points.shape[1], axis=1),
        linestyle="",
        marker="o",
        markersize=2,
        markeredgewidth=0,
        color=look.theme.soft_ink,
        alpha=0.7,
        zorder=2,
    )
    axes.plot(
        np.nanmedian(points, axis=1),
        places,
        linestyle="",
        marker="|",
        markersize=6,
        markeredgewidth=1.6,
        color=look.theme.ink,
        zorder=3,
    )
    scales.ratio_axis(axes.xaxis, scales.ratio_limits(scales.most_of(points.ravel(), 0.95)), most=3)
    axes.set(ylim=(len(wide) - 0.4, -0.6), yticks=[])
    axes.set_ylabel(f"{cases} cases")
    axes.grid(axis="x")


def _steal(axes: Axes, rows: pd.DataFrame, look: Look) -> None:
    by_round = rows.groupby("round", observed=True)["steal_share"].max()
    rounds = by_round.index.to_numpy(float)
    axes.bar(rounds, 100 * by_round.to_numpy(float), color=look.theme.soft_ink, width=0.8)
    axes.set_ylim(0, max(1.0, 110 * float(by_round.max())) if len(by_round) else 1.0)
    axes.set_ylabel("% of wall time")
    axes.grid(axis="y")
    _round_axis(axes, rounds)
    scales.panel_title(axes, "steal", look)


def _round_axis(axes: Axes, rounds: np.ndarray) -> None:
    axes.set_xlabel("round")
    if len(rounds):  # a campaign of the control alone has no round with a ratio
        axes.set_xlim(rounds.min() - 0.6, rounds.max() + 0.6)
    axes.locator_params(axis="x", nbins=5, integer=True)
