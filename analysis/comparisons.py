"""Frame -> contrasts, absolute costs and verdicts.

How a contrast is made: within a round, D is the median over sweeps of ln(contender) - ln(baseline)
of the same sweep; over rounds, the Hodges-Lehmann estimate of D with its Wilcoxon signed-rank
interval. The round is the replicate.

Verdicts are those of :mod:`analysis.verdicts`. Many comparisons: the headline claims are the
geometric means per loop and strategy (:mod:`analysis.summaries`); they are adjusted by Holm, and
"slower" or "faster" there needs the adjusted p-value below 0.05 too. The matrix of single cases is
exploratory: its p-values are adjusted by Benjamini-Hochberg and its verdicts rest on the intervals
alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.campaign import BYTE, SECOND, Campaign, Failure
from analysis.estimates import (
    FloatArray,
    RowEstimates,
    adjust_p_values,
    hodges_lehmann_rows,
)
from analysis.identity import identity
from analysis.medians import IntArray, Values, contrast_medians, values_of
from analysis.pairs import (
    NO_COUNTERPART,
    NOT_COMPARED,
    baseline_python,
    counterparts,
    lacking,
    on_python,
    with_families,
)
from analysis.verdicts import (
    DELTA,
    MISSING,
    SMALLEST_FLOOR,
    Judgement,
    explain,
    judge,
)

THROUGHPUT = "throughput"
"""The probe whose seconds are those of a whole fan-out."""


def compare(
    campaign: Campaign, *, delta: float = DELTA, values: Values | None = None
) -> pd.DataFrame:
    """Every contender against the baseline of its Python, loop, task factory and collector, in
    every case.

    Rows stand in the order of the plan (case, metric, contender); what was planned and not measured
    is there as missing, what no block of the plan asks for is not. ``ratio``, ``low``, ``high``
    (95 %), ``low90``, ``high90`` are of the ``unit``, second or byte; above 1 is slower, or more:
    the verdicts say slower and faster for both. ``floor`` is a share (0.005); ``seconds`` of a
    whole batch, nan for bytes; ``ns_per_task`` is nan for probes other than throughput,
    ``bytes_per_task`` for seconds; ``rounds_needed`` are further rounds. ``p_adjusted`` is
    Holm's over its headline metrics for the control, and Benjamini-Hochberg's over the whole matrix
    for contenders. ``values`` spares making them again.
    """
    values = values or values_of(campaign)
    strategies = [campaign.contenders[b].strategy if b >= 0 else "" for b in values.baseline]
    estimates = values.contrast_estimates
    return contrasts(campaign, values, values.baseline, strategies, estimates, delta)


def compare_loops(
    campaign: Campaign, *, delta: float = DELTA, values: Values | None = None
) -> pd.DataFrame:
    """Every strategy on every further event loop held against itself on the plan's first loop.

    As :func:`compare`, with the first loop's name as ``baseline``.
    """
    contenders = campaign.contenders
    reference = counterparts(
        contenders, lambda one: (one.interpreter, one.task_factory, one.collector, one.strategy)
    )
    values = values or values_of(campaign)
    loops = [contenders[first_one].loop if first_one >= 0 else "" for first_one in reference]
    estimates = hodges_lehmann_rows(contrast_medians(values, reference))
    return contrasts(campaign, values, reference, loops, estimates, delta)


def compare_pythons(
    campaign: Campaign,
    baseline: str | None = None,
    *,
    delta: float = DELTA,
    values: Values | None = None,
) -> pd.DataFrame:
    """Every strategy on every loop of every further Python held against itself on one Python.

    ``baseline`` is that Python (see :func:`baseline_python`). As :func:`compare`, with its label as
    ``baseline`` and the words of both builds as ``family`` and ``baseline_family``; ``same_build``
    says whether they agree, so that the ratio is the version's alone. What that Python lacks is
    missing. Raises UnknownPythonError.
    """
    against = baseline_python(campaign, baseline)
    values = values or values_of(campaign)
    reference = on_python(campaign, against)
    labels = [against.label if against else ""] * len(reference)
    estimates = hodges_lehmann_rows(contrast_medians(values, reference))
    absent = lacking(campaign, against)
    frame = contrasts(campaign, values, reference, labels, estimates, delta, absent)
    return with_families(campaign, frame, against)


def absolutes(campaign: Campaign, *, values: Values | None = None) -> pd.DataFrame:
    """What every contender costs, baselines included: a row per case and metric with values.

    Seconds of a batch with their 95 % interval over rounds (of ln(seconds)); for throughput also
    nanoseconds per task and tasks per second; of what is measured in bytes, the bytes per task.
    These carry the machine's drift, which ratios do not.
    """
    values = values or values_of(campaign)
    estimates = values.absolute_estimates
    cells = np.flatnonzero(estimates.rounds > 0)
    frame = identity(campaign, values.measures, cells)
    frame = frame.assign(**_absolute_columns(values, estimates, cells))
    for name, source in (("", ""), ("_low", "_high"), ("_high", "_low")):
        frame[f"tasks_per_second{name}"] = 1e9 / frame[f"ns_per_task{source}"]
    return frame.assign(rounds=estimates.rounds[cells])


def per_round(campaign: Campaign, *, values: Values | None = None) -> pd.DataFrame:
    """What every estimate is made of: a row per case, metric, contender and round that has values.

    ``seconds`` is the median over sweeps, nan for what is measured in bytes; ``ratio`` is exp(D)
    against the baseline, nan for baselines.
    """
    values = values or values_of(campaign)
    absolute, contrast = values.absolute, values.contrast
    cells, rounds = np.nonzero(~np.isnan(absolute))
    return identity(campaign, values.measures, cells).assign(
        round=values.rounds[rounds],
        seconds=np.exp(absolute[cells, rounds]) * _only(values, SECOND, cells),
        ratio=np.exp(contrast[cells, rounds]),
    )


def contrasts(
    campaign: Campaign,
    values: Values,
    reference: IntArray,
    baseline_labels: Sequence[str],
    all_estimates: RowEstimates,
    delta: float,
    absent: Sequence[str] = (),
) -> pd.DataFrame:
    """The frame of :func:`compare`, of contenders held against those that ``reference`` names.

    ``reference`` is as :func:`analysis.pairs.counterparts` makes it, ``baseline_labels`` what the
    frame calls them, and ``absent`` why some have none; all of shape (contenders,). The estimates
    are of all cells.
    """
    contenders, measures = campaign.contenders, values.measures
    absolute = values.absolute_estimates
    is_subject = np.tile(reference != NOT_COMPARED, len(measures))
    cells = np.flatnonzero(is_subject & values.asked)
    # What a contender is held against must have been asked too; without one at all, it is said.
    other = reference[cells % max(1, len(contenders))]
    cells = cells[(other < 0) | values.asked[cells - cells % max(1, len(contenders)) + other]]
    contender, measure = cells % max(1, len(contenders)), cells // max(1, len(contenders))
    paired = reference[contender] >= 0
    baseline_cells = np.where(paired, cells - contender + reference[contender], NO_COUNTERPART)
    estimates = _take(all_estimates, cells)
    is_control = np.array([c.role == "control" for c in contenders], dtype=bool)[contender]
    headline = np.array([m.is_headline for m in measures], dtype=bool)[measure]
    floors = np.where(is_control, SMALLEST_FLOOR, noise_floors(campaign, values)[measure])
    judged = judge(estimates, floors, delta)
    p_adjusted = np.full(len(cells), np.nan)
    judging, exploring = is_control & headline, ~is_control
    p_adjusted[judging] = adjust_p_values(estimates.p_value[judging], "holm")
    p_adjusted[exploring] = adjust_p_values(estimates.p_value[exploring], "benjamini-hochberg")
    looked_up = np.where(paired, baseline_cells, cells)
    frame = identity(campaign, values.measures, cells)
    return frame.assign(
        baseline=[baseline_labels[i] for i in contender.tolist()],
        **ratio_columns(estimates),
        floor=floors,
        verdict=judged.verdict,
        reason=_reasons(campaign, values, cells, baseline_cells, judged, estimates.rounds, absent),
        rounds=estimates.rounds,
        rounds_needed=judged.rounds_needed.array,
        p_value=estimates.p_value,
        p_adjusted=p_adjusted,
        headline=headline,
        **_absolute_columns(values, absolute, cells),
        **{
            f"baseline_{name}": np.where(paired, column, np.nan)
            for name, column in _absolute_columns(values, absolute, looked_up).items()
            if not name.endswith(("_low", "_high"))
        },
    )


def noise_floors(campaign: Campaign, values: Values) -> FloatArray:
    """The noise floor of every measure, as a share."""
    away = np.expm1(np.abs(values.contrast_estimates.value))
    floors = np.full(len(values.measures), SMALLEST_FLOOR)
    for index, contender in enumerate(campaign.contenders):
        if contender.role == "control":
            floors = np.fmax(floors, away[index :: values.contenders])
    return floors


def ratio_columns(estimates: RowEstimates) -> dict[str, FloatArray]:
    """Ratios with their intervals, from estimates of ln(ratio) at 95 % and 90 %."""
    with np.errstate(over="ignore"):
        return {
            "ratio": np.exp(estimates.value),
            "low": np.exp(estimates.low[:, 0]),
            "high": np.exp(estimates.high[:, 0]),
            "low90": np.exp(estimates.low[:, 1]),
            "high90": np.exp(estimates.high[:, 1]),
        }


def _absolute_columns(
    values: Values, absolute: RowEstimates, cells: IntArray
) -> dict[str, FloatArray]:
    parts = {"": absolute.value, "_low": absolute.low[:, 0], "_high": absolute.high[:, 0]}
    measure = cells // max(1, values.contenders)
    in_all = np.array([m.tasks_in_all for m in values.measures], dtype=np.float64)[measure]
    whole = np.array([m.case.probe == THROUGHPUT for m in values.measures], dtype=bool)[measure]
    seconds, size = _only(values, SECOND, cells), _only(values, BYTE, cells)
    amounts = {end: np.exp(part[cells]) for end, part in parts.items()}
    return {
        **{f"seconds{end}": amount * seconds for end, amount in amounts.items()},
        **{
            f"ns_per_task{end}": amount * np.where(whole, seconds, np.nan) / in_all * 1e9
            for end, amount in amounts.items()
        },
        **{f"bytes_per_task{end}": amount * size / in_all for end, amount in amounts.items()},
    }


def _only(values: Values, unit: str, cells: IntArray) -> FloatArray:
    """1 where a cell is in this unit, else nan."""
    is_unit = np.array([measure.unit == unit for measure in values.measures], dtype=bool)
    return np.where(is_unit[cells // max(1, values.contenders)], 1.0, np.nan)


def _take(estimates: RowEstimates, rows: IntArray) -> RowEstimates:
    return RowEstimates(
        estimates.value[rows],
        estimates.low[rows],
        estimates.high[rows],
        estimates.p_value[rows],
        estimates.rounds[rows],
        estimates.confidences,
    )


def failures(campaign: Campaign) -> Mapping[tuple[str, str], Failure]:
    """The failures by contender and case."""
    return {(failure.contender, failure.case): failure for failure in campaign.failed}


def _reasons(
    campaign: Campaign,
    values: Values,
    cells: IntArray,
    baseline_cells: IntArray,
    judged: Judgement,
    rounds: IntArray,
    absent: Sequence[str],
) -> list[str]:
    """Why a row is missing, undecided, or has fewer rounds than others."""
    failed = failures(campaign)
    contenders, measures = campaign.contenders, values.measures
    count = len(contenders)
    reasons = explain(judged, rounds)
    for row, (cell, baseline_cell) in enumerate(
        zip(cells.tolist(), baseline_cells.tolist(), strict=True)
    ):
        verdict = judged.verdict[row]
        if not failed and verdict != MISSING:
            continue
        if baseline_cell < 0:
            reasons[row] = absent[cell % count]
            continue
        case = measures[cell // count].case.id
        own = failed.get((contenders[cell % count].id, case))
        baseline = failed.get((contenders[baseline_cell % count].id, case))
        said = [reasons[row]]
        if own:
            said.append(f"failed in round {own.round}: {own.cause}")
        if baseline:
            said.append(f"its baseline failed in round {baseline.round}: {baseline.cause}")
        if verdict == MISSING and not (own or baseline):
            said.append(
                "no values: the budget ended first"
                if campaign.status == "complete"
                else f"not measured: the campaign is {campaign.status}"
            )
        reasons[row] = "; ".join(filter(None, said))
    return reasons
