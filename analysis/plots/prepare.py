"""Findings -> the prepared frames that charts draw, by the name a chart asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from analysis.builds import short_names
from analysis.campaign import Campaign
from analysis.comparisons import per_round
from analysis.findings import Findings
from analysis.plots.costs import whole_fan_out

ABOUT_PYTHONS: Final = ("pythons", "rankings")
"""Frames that only a campaign with several Pythons has."""

_OWNER: Final = ["python", "loop", "task_factory", "workload", "contender"]


def prepared(findings: Findings) -> Mapping[str, pd.DataFrame]:
    """The frames a chart can need.

    ``comparisons``, ``loops`` and ``absolutes`` are those of the findings. ``lines`` are the
    absolute costs of the whole fan-out with the fitted line of their contender and workload beside
    them: ``fixed_seconds``, ``line_ns_per_task`` (with interval), ``tasks_to``, ``breaks_at``.
    ``rounds`` are the numbers of single rounds (:func:`per_round`) with ``headline`` and
    ``steal_share``, the share of wall time that other guests of the host took in that round and
    case.

    With several Pythons also ``pythons``, the cost of the whole fan-out on each: the comparisons
    with the baseline Python, and its own absolute costs (``on_baseline``) without a ratio; and
    ``rankings``, the summary of strategies. Both have ``version``, ``family`` and ``family_name``
    (see :mod:`analysis.builds`).
    """
    frames = {
        "comparisons": findings.comparisons,
        "loops": findings.loops,
        "absolutes": findings.absolutes,
        "lines": _lines(findings.absolutes, findings.costs),
        "rounds": _rounds(findings.campaign),
    }
    if len(findings.pythons):
        frames["pythons"] = _pythons(findings)
        frames["rankings"] = _with_builds(findings.summary, findings.campaign)
    return frames


def _pythons(findings: Findings) -> pd.DataFrame:
    further = whole_fan_out(findings.pythons).assign(on_baseline=False)
    baseline = str(findings.pythons["baseline"].iloc[0])
    absolutes = whole_fan_out(findings.absolutes)
    own = absolutes[absolutes["python"].astype(str) == baseline].assign(
        baseline=baseline, on_baseline=True, verdict="", reason="",
        ratio=np.nan, low=np.nan, high=np.nan,
    )  # fmt: skip
    shared = [name for name in own.columns if name in further.columns]
    both = pd.concat([own[shared], further[shared]], ignore_index=True) if len(own) else further
    return _with_builds(both, findings.campaign)


def _with_builds(frame: pd.DataFrame, campaign: Campaign) -> pd.DataFrame:
    by_label = {one.label: one for one in campaign.interpreters}
    names = short_names(one.family for one in campaign.interpreters)
    own = [by_label[str(label)] for label in frame["python"]]
    return frame.assign(
        version=[one.version_label for one in own],
        family=[one.family.label for one in own],
        family_name=[names[one.family] for one in own],
    )


def _lines(absolutes: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    line = costs.rename(
        columns={f"ns_per_task{end}": f"line_ns_per_task{end}" for end in ("", "_low", "_high")}
    )
    wanted = [
        name for name in line.columns if name.startswith(("line_", "fixed_", "tasks_", "breaks_"))
    ]
    line = line[[*_OWNER, *wanted]].drop_duplicates(_OWNER)
    return _joined(whole_fan_out(absolutes), line, _OWNER)


def _joined(left: pd.DataFrame, right: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Left join; the keys of an empty frame have no type to be compared with."""
    types = {key: left[key].dtype for key in keys}
    return left.merge(right.astype(types), on=keys, how="left")


def _rounds(campaign: Campaign) -> pd.DataFrame:
    journal = campaign.journal
    steal = pd.DataFrame(
        {
            "round": journal["round"],
            "case": journal["case"],
            "steal_share": journal["steal_seconds"].astype("float64")
            / journal["wall_seconds"].astype("float64"),
        }
    ).drop_duplicates(["round", "case"])
    rounds = _joined(per_round(campaign), steal, ["round", "case"])
    headline = {(case.id, case.headline_metric) for case in campaign.cases}
    pairs = zip(rounds["case"], rounds["metric"], strict=True)
    return rounds.assign(headline=[pair in headline for pair in pairs])
