"""Findings -> the prepared frames that charts draw, by the name a chart asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis import style
from analysis.builds import short_names
from analysis.campaign import COLLECTOR_ON, Campaign, Interpreter
from analysis.comparisons import per_round
from analysis.findings import Findings
from analysis.plots.costs import whole_fan_out
from analysis.witness import Witness, timelines

ABOUT_PYTHONS: Final = ("pythons", "rankings")
"""Frames that only a campaign with several Pythons has."""
PROBES: Final = ("stall", "failure", "cancel", "memory")
"""Probes whose absolute values are a frame, of the probe's name."""
OF_THE_QUESTION: Final = ("head_start", *PROBES, "factories", "collectors", "timelines")
"""Frames that only a campaign that measured these has."""
OF_EVERY_PYTHON: Final = (*ABOUT_PYTHONS, "rounds", "memory", "timelines")
"""Frames that have the rows of all Pythons, however many."""

_MOST_PYTHONS: Final = 2
"""As many are drawn side by side; of more, only the newest."""
_CELL: Final = ["case", "contender_id"]
_RANKED: Final = ["python", "loop", "task_factory", "case", "contender"]
_OWNER: Final = ["python", "loop", "task_factory", "workload", "contender"]


def prepared(findings: Findings) -> Mapping[str, pd.DataFrame]:
    """The frames a chart can need; those but :data:`OF_EVERY_PYTHON` of the Python shown
    (:func:`python_shown`).

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

    Where it was measured, and under the plan's first collector: ``head_start`` as in the findings;
    under the names of :data:`PROBES` their absolute values, with a column for everything observed
    beside them; ``factories`` as in the findings. Also ``collectors``, the comparisons with the
    baseline in every case that was measured under several, with ``flips`` where the ranking
    differs from that with the collector on; and ``timelines``, those of the witness.
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
    asked = {
        "head_start": findings.head_start,
        **{probe: _observed(findings, probe) for probe in PROBES},
        "factories": _usual(findings, findings.factories),
        "collectors": _collectors(findings),
        "timelines": timelines(findings.witness or Witness()),
    }
    frames |= {name: frame for name, frame in asked.items() if len(frame)}
    shown = python_shown(findings.campaign)
    return {
        name: _as_objects(
            frame
            if shown is None or name in OF_EVERY_PYTHON
            else frame[frame["python"] == shown.label]
        )
        for name, frame in frames.items()
    }


def _as_objects(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with Python's own strings: a chart takes many small parts of it, which takes
    several times as long with Arrow's.
    """
    strings = [name for name in frame if isinstance(frame[name].dtype, pd.StringDtype)]
    return frame.astype(dict.fromkeys(strings, object))


def python_shown(campaign: Campaign) -> Interpreter | None:
    """The Python that is drawn where all of them would be too many: the newest release of CPython;
    None where all are drawn.
    """
    every = campaign.interpreters
    if len(every) <= _MOST_PYTHONS:
        return None
    usual = [one for one in every if one.version_label == one.version]
    final = [one for one in usual if re.fullmatch(r"[\d.]+", one.version)]
    return max(final or usual or every, key=lambda one: style.python_order(one.version_label))


def _observed(findings: Findings, probe: str) -> pd.DataFrame:
    """The absolute values of a probe, with what was observed in the same cells."""
    frame = _usual(findings, findings.every_absolute)
    rows = frame[frame["probe"] == probe]
    seen = findings.observations
    wide = seen[seen["probe"] == probe].pivot_table(
        index=_CELL, columns="name", values="value", aggfunc="first"
    )
    return rows.join(wide, on=_CELL) if len(wide) else rows


def _usual(findings: Findings, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the plan's first collector."""
    contenders = findings.campaign.contenders
    return frame[frame["collector"] == contenders[0].collector] if contenders else frame


def _collectors(findings: Findings) -> pd.DataFrame:
    """The comparisons of all cases that were measured under several collectors."""
    frame = findings.everything
    further = frame[frame["collector"] != COLLECTOR_ON]
    rows = frame[_keys(frame, _RANKED).isin(_keys(further, _RANKED))]
    flipped = _keys(findings.flips, [*_RANKED, "collector"])
    return rows.assign(flips=_keys(rows, [*_RANKED, "collector"]).isin(flipped))


def _keys(frame: pd.DataFrame, columns: list[str]) -> pd.Series[Any]:
    """The values of some columns as one, row by row."""
    return pd.Series([*zip(*(frame[name] for name in columns), strict=True)], frame.index, object)


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
