"""The event loops side by side: the same strategy on every further loop against the first."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis import style
from analysis.plots import scales
from analysis.plots.multiples import Panel, keys, over_tasks
from analysis.plots.ratios import compared, draw_series, ratio_notes, throughput_rows
from analysis.plots.registry import Look, chart


def _loops_finding(rows: pd.DataFrame) -> str:
    return compared(rows, "loop", _first_loop(rows))


def _first_loop(rows: pd.DataFrame) -> str:
    return style.listed(scales.names(rows, "baseline"))


@chart(
    needs="loops",
    place=3,
    select=throughput_rows,
    heading="Which event loop is faster?",
    caption=(
        "The time of a whole fan-out on one event loop relative to the same strategy on the first "
        "loop, which took turns "
        "with it in the same rounds. Points below the line are faster. The bars are 95 % "
        "intervals, the grey band is the "
        "noise floor; a filled point is told apart from the first loop."
    ),
    finding=_loops_finding,
)
def loops_by_tasks(rows: pd.DataFrame, look: Look) -> Figure:
    """Ratio of each loop to the first over the number of tasks, a panel per workload."""
    contenders = scales.names(rows, "contender")
    marks = style.marks(contenders)
    limits = scales.ratio_limits(*(rows[c].to_numpy(float) for c in ("ratio", "low", "high")))

    def draw(panel: Panel) -> None:
        scales.floor_over_tasks(panel.axes, panel.cells, panel.tasks, look)
        for name in contenders:
            draw_series(panel.axes, *panel.of(name), marks[name], look, limits=limits)

    return over_tasks(
        rows,
        look,
        title=_loops_finding(rows),
        subtitle=(
            f"Time of the whole fan-out compared with the same strategy on {_first_loop(rows)}. "
            "Bars are 95 % intervals; a hollow point is not told apart."
        ),
        legend=[*keys(contenders, look), Patch(color=look.theme.band, label="noise floor")],
        draw=draw,
        scale=lambda axis, _: scales.ratio_axis(axis, limits),
        notes=ratio_notes(rows, limits),
        directions=True,
    )
