"""The head start: what it saves to create tasks before awaiting something else.

The caller creates its children, pauses for d, and joins them; each child waits on a timer for w.
Tasks start during a pause that gives way, so together that takes max(d, w); bare coroutines start
at the join: d + w.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from analysis.campaign import Campaign

PROBE: Final = "head_start"
METRIC: Final = "makespan"
SHARES: Final = ("share_before_join", "started_before_join")
_CELL: Final = ["case", "contender_id"]


def head_start(
    campaign: Campaign, absolutes: pd.DataFrame, observations: pd.DataFrame
) -> pd.DataFrame:
    """A row per Python, loop, task factory, strategy, workload, tasks and pause, all in seconds.

    ``absolutes`` and ``observations`` are the frames of :func:`analysis.comparisons.absolutes` and
    :func:`analysis.observations.observations`. ``pause_seconds`` is d and ``work_seconds`` w, nan
    where the workload has none by construction; ``makespan`` (with interval) from the first
    creation until the results are in hand; ``ideal_tasks`` is max(d, w), ``ideal_coroutines``
    d + w and ``saved`` (with interval) what the makespan is below that. The shares are of the
    children: completed, and started, before the join began. Of the plan's first collector,
    without the control.
    """
    rows = absolutes[
        (absolutes["probe"] == PROBE)
        & (absolutes["metric"] == METRIC)
        & (absolutes["role"] != "control")
        & (absolutes["collector"] == _first_collector(campaign))
    ].reset_index(drop=True)
    cases = {case.id: case for case in campaign.cases}
    of_row = [cases[str(id_)] for id_ in rows["case"]]
    pause = np.array([case.pause_seconds for case in of_row], dtype=np.float64)
    work = np.array([case.work_seconds for case in of_row], dtype=np.float64)
    names = ["python", "build", "loop", "task_factory", "strategy", "workload", "tasks", "pause"]
    frame = rows[[*names, *_CELL]].assign(
        pause_seconds=pause,
        pause_suspends=np.array([case.pause_suspends for case in of_row], dtype=bool),
        work_seconds=work,
        makespan=rows["seconds"],
        makespan_low=rows["seconds_low"],
        makespan_high=rows["seconds_high"],
        ideal_tasks=np.maximum(pause, work),
        ideal_coroutines=pause + work,
        saved=pause + work - rows["seconds"],
        saved_low=pause + work - rows["seconds_high"],
        saved_high=pause + work - rows["seconds_low"],
    )
    return frame.assign(**_shares(frame, observations), rounds=rows["rounds"])


def _first_collector(campaign: Campaign) -> str:
    return campaign.contenders[0].collector if campaign.contenders else ""


def _shares(frame: pd.DataFrame, observations: pd.DataFrame) -> dict[str, list[float]]:
    """The shares seen in each row's cell; nan where they were not."""
    seen = observations[observations["name"].isin(SHARES)]
    by_cell = {
        (case, contender, name): value
        for case, contender, name, value in zip(
            *(seen[column] for column in (*_CELL, "name", "value")), strict=True
        )
    }
    cells = list(zip(*(frame[column] for column in _CELL), strict=True))
    return {name: [by_cell.get((*cell, name), np.nan) for cell in cells] for name in SHARES}
