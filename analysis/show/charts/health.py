"""The campaign's own health: what disturbed it, its control, and the precision reached."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.judge import words
from analysis.judge.findings import Findings
from analysis.show.charts import panels
from analysis.show.charts.registry import HEALTH, Drawing, chart
from analysis.show.theme import FIRST, LIGHT


@chart("campaign-health", HEALTH)
def campaign_health(findings: Findings) -> Drawing | None:
    """Steal by round, the control by case, and the half-widths of the intervals."""
    lines = findings.campaign.lines
    if lines.empty:
        return None
    cpus = findings.campaign.machine.get("cpu_count")
    steal = steal_by_round(lines, cpus if isinstance(cpus, int) else 1)
    cases = panels.only(findings.contrasts, scope="case", headline=True, default=True)
    control = panels.only(cases, control=True)
    control = control[control["ratio"].notna()]
    widths = half_widths(panels.only(cases, control=False))
    titles = ("stolen time", "control", "half-widths of the intervals")
    grid = panels.Grid([(title, cases) for title in titles], columns=3)
    drawing = panels.sheet(
        grid,
        _finding(steal, control, widths),
        f"{words.times(len(steal), 'round')} of {findings.campaign.name}: what the host took away, "
        "the baseline compared with itself, and the precision reached.",
        "Left: the share of the processors' time, round by round, in which the host ran other "
        "guests on them (steal). Middle: the control is the baseline a second time, in a process "
        "of its own under another name; a line for each comparison, with intervals that hold "
        "together at 95 %: it should scatter round 'equal'. Right: how many of the comparisons "
        "have an interval at most so wide; the dashed line is the precision that was asked for.",
        panel_inches=3.0,
        key=panels.RATIO_KEY,
        share_x=False,
        share_y=False,
        intervals=False,
    )
    _steal(drawing.axes[0], steal)
    _control(drawing.axes[1], control)
    _widths(drawing.axes[2], widths, float(findings.campaign.plan.precision))
    return drawing


def steal_by_round(lines: pd.DataFrame, cpus: int) -> pd.Series[float]:
    """The share of the time of so many processors that was stolen, by round."""
    sums = lines.groupby("round")[["steal_seconds", "wall_seconds"]].sum()
    return sums["steal_seconds"] / sums["wall_seconds"].where(sums["wall_seconds"] > 0) / cpus


def half_widths(rows: pd.DataFrame) -> pd.Series[float]:
    """Half the width of each interval as a share, ascending; inf where rounds were too few."""
    known = rows[rows["ratio"].notna()]
    return ((known["high"] - known["low"]) / 2 / known["ratio"]).sort_values()


def _finding(steal: pd.Series[float], control: pd.DataFrame, widths: pd.Series[float]) -> str:
    # What the system does not tell is 0 as well.
    said = [f"At most {words.share(float(steal.max()))} stolen"] if steal.gt(0).any() else []
    if len(control):
        away = control[panels.different(control)]
        said.append(f"controls differ in {len(away)} of {words.times(len(control), 'comparison')}")
    if len(widths) and np.isfinite(widths.median()):
        said.append(f"median half-width {words.share(float(widths.median()))}")
    text = "; ".join(said) or "nothing was compared"
    return f"{text[:1].upper()}{text[1:]}."


def _steal(axes: Axes, steal: pd.Series[float]) -> None:
    axes.bar(steal.index, 100 * steal, color=LIGHT.soft_ink, width=0.75)
    axes.set_ylim(0, max(1.0, 115 * float(steal.max())) if steal.notna().any() else 1.0)
    axes.set(xlabel="round", ylabel="% of the round's time")
    axes.locator_params(axis="x", nbins=6, integer=True)
    axes.grid(axis="y")


def _control(axes: Axes, control: pd.DataFrame) -> None:
    axes.set_yticks([])
    if control.empty:
        axes.set_xticks([])
        panels.nothing(axes, "no control was measured")
        return
    panels.ratio_axis(axes, panels.ratio_limits(control), sideways=True, most=4)
    places = np.arange(len(control), dtype=float)
    panels.points(axes, places, control, FIRST, column="ratio", sideways=True)
    axes.set(ylim=(len(control) - 0.4, -0.6), ylabel=words.times(len(control), "comparison"))
    axes.set_xlabel("faster \u2190  \u2192 slower")


def _widths(axes: Axes, widths: pd.Series[float], asked: float) -> None:
    axes.set_ylim(0, 102)
    finite = widths[np.isfinite(widths)]
    if finite.empty:
        axes.set(xticks=[], yticks=[])
        why = "too few rounds for intervals" if len(widths) else "nothing is compared"
        panels.nothing(axes, why)
        return
    share = 100 * np.arange(1, len(finite) + 1) / len(widths)
    axes.step(finite, share, where="post", color=FIRST.light, linewidth=1.6)
    panels.amount_axis(axes, [*finite, asked], "%", sideways=True, most=5)
    axes.axvline(asked, color=LIGHT.soft_ink, linewidth=1.0, linestyle=(0, (4, 2.5)))
    axes.annotate(
        f"asked for: \u00b1{100 * asked:.3g} %", (asked, 0),
        xytext=(4, 3), textcoords="offset points", fontsize=8, color=LIGHT.soft_ink,
    )  # fmt: skip
    axes.set(xlabel="half-width", ylabel=f"% of {words.count(len(widths))} comparisons")
