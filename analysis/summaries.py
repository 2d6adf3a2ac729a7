"""The headline claims: geometric means over cases, made within each round.

They are of the plain cells (:mod:`analysis.plain`) and adjusted by Holm: a signed-rank test of n
rounds cannot give a p-value below 2 ** (1 - n), so many claims at once need more rounds than one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.campaign import Campaign
from analysis.comparisons import failures, ratio_columns
from analysis.estimates import FloatArray, adjust_p_values, hodges_lehmann_rows
from analysis.medians import IntArray, Values, contrast_medians, values_of
from analysis.pairs import NOT_COMPARED, baseline_python, lacking, on_python, with_families
from analysis.plain import is_averaged, is_in_means
from analysis.verdicts import DELTA, SIGNIFICANCE, SMALLEST_FLOOR, explain, judge, least_rounds


def summarise(
    campaign: Campaign, *, delta: float = DELTA, values: Values | None = None
) -> pd.DataFrame:
    """The headline claims: a geometric mean over throughput cases, a row per contender.

    The mean is made within each round first, over the cases that never failed for the contender or
    its baseline, and in the rounds that have them all; the estimate is then over rounds.
    ``ns_per_task`` and ``baseline_ns_per_task`` are geometric means over the same cases and rounds;
    ``cases`` counts them, ``reason`` names those left out. Contenders and cases are those of
    :mod:`analysis.plain`; who is asked none of these cases has no row.
    """
    values = values or values_of(campaign)
    contenders = campaign.contenders
    strategies = [contenders[b].strategy if b >= 0 else "" for b in values.baseline]
    return _summary(campaign, values, values.baseline, values.contrast, strategies, delta)


def summarise_pythons(
    campaign: Campaign,
    baseline: str | None = None,
    *,
    delta: float = DELTA,
    values: Values | None = None,
) -> pd.DataFrame:
    """What a fan-out costs on every further Python relative to one: a row per loop and strategy.

    As :func:`summarise`, of the contrasts of
    :func:`analysis.comparisons.compare_pythons`, with its further columns.
    """
    against = baseline_python(campaign, baseline)
    values = values or values_of(campaign)
    reference = on_python(campaign, against)
    labels = [against.label if against else ""] * len(reference)
    contrast = contrast_medians(values, reference)
    absent = lacking(campaign, against)
    frame = _summary(campaign, values, reference, contrast, labels, delta, absent)
    return with_families(campaign, frame, against)


def _summary(
    campaign: Campaign,
    values: Values,
    reference: IntArray,
    contrast: FloatArray,
    baseline_labels: Sequence[str],
    delta: float,
    absent: Sequence[str] = (),
) -> pd.DataFrame:
    contenders = campaign.contenders
    subjects = [
        i
        for i, r in enumerate(reference.tolist())
        if r != NOT_COMPARED
        and is_in_means(campaign, contenders[i])
        and _averaged(values, (i, r) if r >= 0 else (i,))
    ]
    means = np.full((3, len(subjects), len(values.rounds)), np.nan)
    cases = np.zeros(len(subjects), dtype=np.int64)
    reasons = []
    for row, subject in enumerate(subjects):
        if reference[subject] < 0:
            reasons.append(absent[subject])
            continue
        means[:, row], kept, left_out = _means_over_cases(
            campaign, values, contrast, subject, int(reference[subject])
        )
        reasons.append(_left_out(left_out))
        cases[row] = kept
    estimates = hodges_lehmann_rows(means[0])
    own = hodges_lehmann_rows(means[1], (0.95,))
    floors = _summary_floors(campaign, values, subjects)
    is_control = np.array([contenders[i].role == "control" for i in subjects], dtype=bool)
    p_adjusted = np.where(is_control, estimates.p_value, np.nan)
    p_adjusted[~is_control] = adjust_p_values(estimates.p_value[~is_control], "holm")
    claims = int((~np.isnan(estimates.p_value[~is_control])).sum())
    judged = judge(
        estimates,
        floors,
        delta,
        proven=p_adjusted < SIGNIFICANCE,
        least=np.where(is_control, least_rounds(1), least_rounds(claims)),
    )
    return pd.DataFrame(
        {
            "campaign": campaign.name,
            "python": [contenders[i].python for i in subjects],
            "build": [contenders[i].build for i in subjects],
            "loop": [contenders[i].loop for i in subjects],
            "task_factory": [contenders[i].task_factory for i in subjects],
            "contender": [contenders[i].name for i in subjects],
            "baseline": [baseline_labels[i] for i in subjects],
            **ratio_columns(estimates),
            "floor": floors,
            "verdict": judged.verdict,
            "reason": [
                "; ".join(filter(None, both))
                for both in zip(explain(judged, estimates.rounds), reasons, strict=True)
            ],
            "cases": cases,
            "rounds": estimates.rounds,
            "rounds_needed": judged.rounds_needed.array,
            "p_value": estimates.p_value,
            "p_adjusted": p_adjusted,
            "ns_per_task": np.exp(own.value) * 1e9,
            "ns_per_task_low": np.exp(own.low[:, 0]) * 1e9,
            "ns_per_task_high": np.exp(own.high[:, 0]) * 1e9,
            "baseline_ns_per_task": np.exp(hodges_lehmann_rows(means[2], ()).value) * 1e9,
        }
    )


def _means_over_cases(
    campaign: Campaign,
    values: Values,
    contrast: FloatArray,
    subject: int,
    baseline: int,
) -> tuple[FloatArray, int, list[str]]:
    """Means over cases of each round: ln(ratio), and ln(seconds per task) of both.

    Shape (3, rounds); with them the number of cases they are over, and those left out.
    """
    contenders, measures, failed_in = campaign.contenders, values.measures, failures(campaign)
    shape = (len(measures), len(contenders), len(values.rounds))
    contrast, absolute = contrast.reshape(shape), values.absolute.reshape(shape)
    chosen = _averaged(values, (subject, baseline))
    pair = (contenders[subject].id, contenders[baseline].id)
    measured = ~np.isnan(contrast[chosen, subject]).all(axis=1)
    failed = [any((id_, measures[i].case.id) in failed_in for id_ in pair) for i in chosen]
    use = measured & ~np.array(failed, dtype=bool)
    kept = [chosen[i] for i in np.flatnonzero(use).tolist()]
    left_out = [measures[chosen[i]].case.id for i in np.flatnonzero(~use).tolist()]
    means = np.full((3, len(values.rounds)), np.nan)
    if kept:
        log_tasks = np.log([measures[i].case.tasks for i in kept])[:, None]
        means[0] = contrast[kept, subject].mean(axis=0)
        both = ~np.isnan(means[0])
        for layer, who in ((1, subject), (2, baseline)):
            per_task = absolute[kept, who] - log_tasks
            means[layer] = np.where(both, per_task.mean(axis=0), np.nan)
    return means, len(kept), left_out


def _summary_floors(campaign: Campaign, values: Values, subjects: Sequence[int]) -> FloatArray:
    """The noise floor of each subject's mean: what the control's mean shows, 0.5 % for itself."""
    contenders = campaign.contenders
    floor = SMALLEST_FLOOR
    for control, baseline in enumerate(values.baseline.tolist()):
        if contenders[control].role == "control":
            means, _, _ = _means_over_cases(campaign, values, values.contrast, control, baseline)
            shown = np.expm1(np.abs(hodges_lehmann_rows(means[:1]).value))
            floor = float(np.fmax(floor, shown).max())
    is_control = [contenders[i].role == "control" for i in subjects]
    return np.where(is_control, SMALLEST_FLOOR, floor)


def _averaged(values: Values, contenders: Sequence[int]) -> list[int]:
    """The measures that a mean over cases of these contenders is made of: all are asked them."""
    asked = values.asked.reshape(len(values.measures), values.contenders)
    return [
        index
        for index, measure in enumerate(values.measures)
        if measure.is_headline
        and is_averaged(measure.case)
        and asked[index, list(contenders)].all()
    ]


def _left_out(cases: Sequence[str]) -> str:
    if not cases:
        return ""
    shown = ", ".join(cases[:3]) + (f" and {len(cases) - 3} more" if len(cases) > 3 else "")
    return f"without {shown}"
