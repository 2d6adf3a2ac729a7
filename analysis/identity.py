"""What a cell is: the columns by which every frame of estimates names its rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.campaign import Campaign
from analysis.medians import IntArray, Measure


def identity(campaign: Campaign, measures: Sequence[Measure], cells: IntArray) -> pd.DataFrame:
    """What each of these cells is; ``contender`` is the strategy's name, or control."""
    contenders = campaign.contenders
    contender, measure = cells % max(1, len(contenders)), cells // max(1, len(contenders))
    return pd.DataFrame(
        {
            "campaign": _labels([campaign.name], np.zeros_like(cells)),
            "python": _labels([c.python for c in contenders], contender),
            "build": _labels([c.build for c in contenders], contender),
            "loop": _labels([c.loop for c in contenders], contender),
            "task_factory": _labels([c.task_factory for c in contenders], contender),
            "collector": _labels([c.collector for c in contenders], contender),
            "probe": _labels([m.case.probe for m in measures], measure),
            "metric": _labels([m.metric for m in measures], measure),
            "unit": _labels([m.unit for m in measures], measure),
            "workload": _labels([m.case.workload for m in measures], measure),
            "tasks": np.array([m.case.tasks for m in measures], dtype=np.int64)[measure],
            "pause": _labels([m.case.pause for m in measures], measure),
            "case": _labels([m.case.id for m in measures], measure),
            "contender": _labels([c.name for c in contenders], contender),
            "strategy": _labels([c.strategy for c in contenders], contender),
            "role": _labels([c.role for c in contenders], contender),
            "contender_id": _labels([c.id for c in contenders], contender),
        }
    )


def _labels(labels: Sequence[str], index: IntArray) -> NDArray[np.object_]:
    return np.array([*labels, ""], dtype=object)[index]
