"""The plain view: what tables and charts show of every campaign, whatever else it measured.

It has the probes throughput and latency, no pause, and the plan's first task factory and first
collector. Means over cases leave out further what would swamp them: workloads whose tasks make
tasks of their own, and strategies that do not fan out.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from analysis import style
from analysis.campaign import NO_PAUSE, Campaign, Case, Contender
from analysis.comparisons import THROUGHPUT

PROBES: Final = (THROUGHPUT, "latency")

LATER_COLUMNS: Final = (
    "collector",
    "unit",
    "pause",
    "bytes_per_task",
    "bytes_per_task_low",
    "bytes_per_task_high",
    "baseline_bytes_per_task",
)
"""The same in every plain row, and so left out."""


def plain_rows(campaign: Campaign, frame: pd.DataFrame) -> pd.DataFrame:
    """The plain rows of a frame of comparisons, absolute costs or lines, without
    :data:`LATER_COLUMNS`.
    """
    keep = pd.Series(True, index=frame.index)
    if campaign.contenders:
        first = campaign.contenders[0]
        keep &= frame["task_factory"] == first.task_factory
        keep &= frame["collector"] == first.collector
    if "probe" in frame:
        keep &= frame["probe"].isin(PROBES) & (frame["pause"] == NO_PAUSE)
    chosen = frame if keep.all() else frame[keep].reset_index(drop=True)
    return chosen.drop(columns=[name for name in LATER_COLUMNS if name in frame])


def is_in_means(campaign: Campaign, contender: Contender) -> bool:
    """Whether a mean over cases has a row for this contender."""
    first = campaign.contenders[0]
    same = contender.task_factory == first.task_factory and contender.collector == first.collector
    return same and contender.strategy not in style.NO_FAN_OUT


def is_averaged(case: Case) -> bool:
    """Whether a case is in the means over cases."""
    return case.probe == THROUGHPUT and case.pause == NO_PAUSE and case.tasks_each == 1
