"""The chart of stalls: how long a fan-out keeps everything else on the loop waiting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import style
from analysis.plots import scales
from analysis.plots.costs import absolute_sheet
from analysis.plots.registry import Look, chart

SLOW_CALLBACK_SECONDS: Final = 0.1
"""From here on asyncio's debug mode reports a callback (``slow_callback_duration``)."""


def _stall_finding(rows: pd.DataFrame) -> str:
    most = int(rows["tasks"].max())
    here = rows[(rows["tasks"] == most) & rows["seconds"].notna()]
    if here.empty:
        return "Longest wait of another callback, by number of tasks"
    labels = scales.groups(here)
    ordered = here.sort_values("seconds", kind="stable").to_dict("records")

    def said(row: Mapping[Any, Any]) -> str:
        where = labels[(row["python"], row["loop"], row["task_factory"])]
        return f"{style.seconds(row['seconds'])} ({style.label(row['contender'])}, {where})"

    ends = dict.fromkeys(map(said, (ordered[0], ordered[-1])))
    return (
        f"While {style.count(most)} tasks are launched and joined, another callback waits for "
        f"{' to '.join(ends)}"
    )


@chart(
    needs="stall",
    place=30,
    select=scales.without_control,
    heading="How long does a fan-out hold up the loop?",
    caption=(
        "The longest time that a callback which is always ready, such as another connection's, "
        "waits for its turn while the tasks are launched and joined; both axes are logarithmic. "
        "Tasks that return at once all run in the same turn of the loop. Bars are 95 % intervals. "
        "From 100 ms on asyncio's debug mode warns of a slow callback."
    ),
    finding=_stall_finding,
)
def longest_wait(rows: pd.DataFrame, look: Look) -> Figure:
    """Longest wait over the number of tasks, a panel per event loop, task factory and workload."""

    def slow(axes: Axes) -> None:
        if rows["seconds"].max() * 3 < SLOW_CALLBACK_SECONDS:
            return
        axes.axhline(
            SLOW_CALLBACK_SECONDS, color=look.theme.soft_ink, linewidth=1.0, linestyle=(0, (4, 2.5))
        )
        axes.annotate(
            "debug mode warns",
            (0.02, SLOW_CALLBACK_SECONDS),
            xycoords=axes.get_yaxis_transform(),
            xytext=(0, -3),
            textcoords="offset points",
            va="top",
            fontsize=7.5,
            color=look.theme.soft_ink,
        )

    return absolute_sheet(
        rows,
        look,
        column="seconds",
        words=style.short_seconds,
        title=_stall_finding(rows),
        subtitle=(
            "Longest wait of another callback by number of tasks, both axes logarithmic. Lower is "
            "better; bars are 95 % intervals."
        ),
        beside=slow,
    )
