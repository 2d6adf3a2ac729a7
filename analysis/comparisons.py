"""Frame -> contrasts, absolute costs and verdicts.

How a contrast is made: within a round, D is the median over sweeps of ln(contender) - ln(baseline)
of the same sweep; over rounds, the Hodges-Lehmann estimate of D with its Wilcoxon signed-rank
interval. The round is the replicate.

Verdicts are those of :mod:`analysis.verdicts`. Many comparisons: the headline claims are the
geometric means per loop and strategy (:func:`summarise`); they are adjusted by Holm, and "slower"
or "faster" there needs the adjusted p-value below 0.05 too. The matrix of single cases is
exploratory: its p-values are adjusted by Benjamini-Hochberg and its verdicts rest on the intervals
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.campaign import Campaign, Contender, Failure, Interpreter
from analysis.estimates import (
    FloatArray,
    RowEstimates,
    adjust_p_values,
    hodges_lehmann_rows,
)
from analysis.medians import IntArray, Values, contrast_medians, values_of
from analysis.style import python_order
from analysis.verdicts import (
    DELTA,
    LEAST_ROUNDS_FOR_INTERVAL,
    MISSING,
    SIGNIFICANCE,
    SMALLEST_FLOOR,
    Judgement,
    explain,
    judge,
)

THROUGHPUT = "throughput"
"""The probe whose seconds are those of a whole fan-out."""

NOT_COMPARED, NO_COUNTERPART = -1, -2
"""In place of the contender that one is held against: it is not compared at all, or the plan has
none to hold it against.
"""


class UnknownPythonError(ValueError):
    """No Python of the campaign, or more than one, is called that; the message names them all."""


@dataclass(frozen=True, slots=True)
class ControlHealth:
    """Whether the campaign's own A/A test holds; ``reasons`` say why not.

    ``largest`` is the control's largest difference in a headline metric, as a share (0.01 is 1 %);
    nan without any.
    """

    proven: bool
    reasons: tuple[str, ...]
    cases: int
    rounds: int
    largest: float

    @property
    def note(self) -> str:
        if not self.proven:
            return f"unproven: {'; '.join(self.reasons)}"
        return (
            f"proven: the control, the baseline a second time, was not told apart from it in any "
            f"of {self.cases} cases (at most {self.largest * 100:.1f} % away, {self.rounds} rounds)"
        )


def compare(
    campaign: Campaign, *, delta: float = DELTA, values: Values | None = None
) -> pd.DataFrame:
    """Every contender against the baseline of its Python, loop and task factory, in every case.

    Rows stand in the order of the plan (case, metric, contender); what was planned and not measured
    is there as missing. ``ratio``, ``low``, ``high`` (95 %), ``low90``, ``high90`` are of seconds,
    above 1 is slower; ``floor`` is a share (0.005); ``seconds`` of a whole batch; ``ns_per_task``
    is nan for probes other than throughput; ``rounds_needed`` are further rounds. ``p_adjusted`` is
    Holm's over its headline metrics for the control, and Benjamini-Hochberg's over the whole matrix
    for contenders. ``values`` spares making them again.
    """
    values = values or values_of(campaign)
    strategies = [campaign.contenders[b].strategy if b >= 0 else "" for b in values.baseline]
    estimates = values.contrast_estimates
    return _contrasts(campaign, values, values.baseline, strategies, estimates, delta)


def compare_loops(
    campaign: Campaign, *, delta: float = DELTA, values: Values | None = None
) -> pd.DataFrame:
    """Every strategy on every further event loop held against itself on the plan's first loop.

    As :func:`compare`, with the first loop's name as ``baseline``.
    """
    contenders = campaign.contenders
    reference = _counterparts(
        contenders, lambda one: (one.interpreter, one.task_factory, one.strategy)
    )
    values = values or values_of(campaign)
    loops = [contenders[first_one].loop if first_one >= 0 else "" for first_one in reference]
    estimates = hodges_lehmann_rows(contrast_medians(values, reference))
    return _contrasts(campaign, values, reference, loops, estimates, delta)


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
    reference = _on_python(campaign, against)
    labels = [against.label if against else ""] * len(reference)
    estimates = hodges_lehmann_rows(contrast_medians(values, reference))
    lacking = _lacking(campaign, against)
    frame = _contrasts(campaign, values, reference, labels, estimates, delta, lacking)
    return _with_families(campaign, frame, against)


def absolutes(campaign: Campaign, *, values: Values | None = None) -> pd.DataFrame:
    """What every contender costs, baselines included: a row per case and metric with values.

    Seconds of a batch with their 95 % interval over rounds (of ln(seconds)); for throughput also
    nanoseconds per task and tasks per second. These carry the machine's drift, which ratios do not.
    """
    values = values or values_of(campaign)
    estimates = values.absolute_estimates
    cells = np.flatnonzero(estimates.rounds > 0)
    frame = _identity(campaign, values, cells)
    frame = frame.assign(**_absolute_columns(values, estimates, cells))
    for name, source in (("", ""), ("_low", "_high"), ("_high", "_low")):
        frame[f"tasks_per_second{name}"] = 1e9 / frame[f"ns_per_task{source}"]
    return frame.assign(rounds=estimates.rounds[cells])


def per_round(campaign: Campaign, *, values: Values | None = None) -> pd.DataFrame:
    """What every estimate is made of: a row per case, metric, contender and round that has values.

    ``seconds`` is the median over sweeps; ``ratio`` is exp(D) against the baseline, nan for
    baselines.
    """
    values = values or values_of(campaign)
    absolute, contrast = values.absolute, values.contrast
    cells, rounds = np.nonzero(~np.isnan(absolute))
    return _identity(campaign, values, cells).assign(
        round=values.rounds[rounds],
        seconds=np.exp(absolute[cells, rounds]),
        ratio=np.exp(contrast[cells, rounds]),
    )


def summarise(
    campaign: Campaign, *, delta: float = DELTA, values: Values | None = None
) -> pd.DataFrame:
    """The headline claims: a geometric mean over throughput cases, a row per contender.

    The mean is made within each round first, over the cases that never failed for the contender or
    its baseline, and in the rounds that have them all; the estimate is then over rounds.
    ``ns_per_task`` and ``baseline_ns_per_task`` are geometric means over the same cases and rounds;
    ``cases`` counts them, ``reason`` names those left out.
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

    As :func:`summarise`, of the contrasts of :func:`compare_pythons`, with its further columns.
    """
    against = baseline_python(campaign, baseline)
    values = values or values_of(campaign)
    reference = _on_python(campaign, against)
    labels = [against.label if against else ""] * len(reference)
    contrast = contrast_medians(values, reference)
    lacking = _lacking(campaign, against)
    frame = _summary(campaign, values, reference, contrast, labels, delta, lacking)
    return _with_families(campaign, frame, against)


def baseline_python(campaign: Campaign, name: str | None = None) -> Interpreter | None:
    """The Python that others are held against: the one called ``name``, else the plan's first.

    ``name`` is its label, its name, or as much of its version as only one has ("3.13" for 3.13.1).
    Raises UnknownPythonError.
    """
    interpreters = campaign.interpreters
    if name is None:
        return interpreters[0] if interpreters else None
    exact = [one for one in interpreters if name in (one.label, one.name)]
    found = exact or [one for one in interpreters if _is_short_for(name, one.label)]
    if len(found) != 1:
        known = ", ".join(sorted((one.label for one in interpreters), key=python_order))
        which = "several Pythons are" if found else "no Python is"
        raise UnknownPythonError(
            f"{which} called {name!r} in campaign {campaign.name}: choose from {known or 'none'}"
        )
    return found[0]


def _is_short_for(name: str, label: str) -> bool:
    """Whether ``name`` is the label without its last numbers: "3.13t" for "3.13.1t"."""
    bare, whole = name.rstrip("td"), label.rstrip("td")
    return bool(bare) and name[len(bare) :] == label[len(whole) :] and whole.startswith(f"{bare}.")


def _summary(
    campaign: Campaign,
    values: Values,
    reference: IntArray,
    contrast: FloatArray,
    baseline_labels: Sequence[str],
    delta: float,
    lacking: Sequence[str] = (),
) -> pd.DataFrame:
    contenders = campaign.contenders
    subjects = [i for i, r in enumerate(reference.tolist()) if r != NOT_COMPARED]
    failures = _failures(campaign)
    means = np.full((3, len(subjects), len(values.rounds)), np.nan)
    cases = np.zeros(len(subjects), dtype=np.int64)
    reasons = []
    for row, subject in enumerate(subjects):
        if reference[subject] < 0:
            reasons.append(lacking[subject])
            continue
        means[:, row], kept, left_out = _means_over_cases(
            campaign, values, contrast, failures, subject, int(reference[subject])
        )
        reasons.append(_left_out(left_out))
        cases[row] = kept
    estimates = hodges_lehmann_rows(means[0])
    own = hodges_lehmann_rows(means[1], (0.95,))
    floors = _summary_floors(campaign, values, subjects)
    is_control = np.array([contenders[i].role == "control" for i in subjects], dtype=bool)
    p_adjusted = np.where(is_control, estimates.p_value, np.nan)
    p_adjusted[~is_control] = adjust_p_values(estimates.p_value[~is_control], "holm")
    judged = judge(estimates, floors, delta, proven=p_adjusted < SIGNIFICANCE)
    return pd.DataFrame(
        {
            "campaign": campaign.name,
            "python": [contenders[i].python for i in subjects],
            "build": [contenders[i].build for i in subjects],
            "loop": [contenders[i].loop for i in subjects],
            "task_factory": [contenders[i].task_factory for i in subjects],
            "contender": [contenders[i].name for i in subjects],
            "baseline": [baseline_labels[i] for i in subjects],
            **_ratio_columns(estimates),
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
    failures: Mapping[tuple[str, str], Failure],
    subject: int,
    baseline: int,
) -> tuple[FloatArray, int, list[str]]:
    """Means over throughput cases of each round: ln(ratio), and ln(seconds per task) of both.

    Shape (3, rounds); with them the number of cases they are over, and those left out.
    """
    contenders, measures = campaign.contenders, values.measures
    shape = (len(measures), len(contenders), len(values.rounds))
    contrast, absolute = contrast.reshape(shape), values.absolute.reshape(shape)
    chosen = [i for i, m in enumerate(measures) if m.case.probe == THROUGHPUT and m.is_headline]
    pair = (contenders[subject].id, contenders[baseline].id)
    measured = ~np.isnan(contrast[chosen, subject]).all(axis=1)
    failed = [any((id_, measures[i].case.id) in failures for id_ in pair) for i in chosen]
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


def control_health(comparisons: pd.DataFrame) -> ControlHealth:
    """Judge the control in a frame of :func:`compare`.

    It is told apart, and the campaign unproven, when after Holm over the control's cases (headline
    metrics) a p-value is below 0.05 and its estimate lies beyond 0.5 %. Without a control, or with
    too few rounds for an interval, nothing is proven either.
    """
    rows = comparisons[(comparisons["contender"] == "control") & comparisons["headline"]]
    measured = rows[rows["rounds"] > 0]
    if measured.empty:
        return ControlHealth(False, ("no control was measured",), 0, 0, float("nan"))
    rounds = int(measured["rounds"].max())
    away = np.exp(np.abs(np.log(measured["ratio"].to_numpy()))) - 1
    largest = float(away.max())
    if rounds < LEAST_ROUNDS_FOR_INTERVAL:
        few = (
            f"{rounds} round{'s' * (rounds != 1)} cannot test the control; it takes "
            f"{LEAST_ROUNDS_FOR_INTERVAL}"
        )
        return ControlHealth(False, (few,), len(measured), rounds, largest)
    apart = (measured["p_adjusted"].to_numpy() < SIGNIFICANCE) & (away > SMALLEST_FLOOR)
    reasons = tuple(
        f"the control, the baseline a second time, was told apart from it in {row.case}: "
        f"{row.ratio:.3f} [{row.low:.3f}, {row.high:.3f}]"
        for row in measured[apart].itertuples()
    )
    return ControlHealth(not reasons, reasons, len(measured), rounds, largest)


def _counterparts(
    contenders: Sequence[Contender],
    key: Callable[[Contender], Hashable],
    can_be_first: Callable[[Contender], bool] = lambda _: True,
) -> IntArray:
    """For every contender the first of the same ``key`` that ``can_be_first``.

    Shape (contenders,). NOT_COMPARED for these themselves and for the control, NO_COUNTERPART where
    there is none.
    """
    keys = {i: key(one) for i, one in enumerate(contenders) if one.role != "control"}
    first: dict[Hashable, int] = {}
    for index, what in keys.items():
        if can_be_first(contenders[index]):
            first.setdefault(what, index)
    reference = np.full(len(contenders), NOT_COMPARED, dtype=np.int64)
    for index, what in keys.items():
        if first.get(what) != index:
            reference[index] = first.get(what, NO_COUNTERPART)
    return reference


def _on_python(campaign: Campaign, python: Interpreter | None) -> IntArray:
    """For every contender of another Python, itself on this one."""
    return _counterparts(
        campaign.contenders,
        lambda one: (one.loop, one.task_factory, one.strategy),
        lambda one: python is not None and one.interpreter == python.name,
    )


def _lacking(campaign: Campaign, python: Interpreter | None) -> list[str]:
    """Why each contender would have no counterpart on this Python; shape (contenders,)."""
    skipped = [one for one in campaign.skipped if python and one.interpreter == python.name]
    label = python.label if python else ""
    reasons = []
    for contender in campaign.contenders:
        parts = (contender.loop, contender.task_factory, contender.strategy)
        said = next(
            (
                f": {one.reason}"
                for one in skipped
                if all(
                    asked in ("", part)
                    for asked, part in zip(
                        (one.loop, one.task_factory, one.strategy), parts, strict=True
                    )
                )
            ),
            "",
        )
        reasons.append(f"not measured on Python {label}{said}")
    return reasons


def _with_families(
    campaign: Campaign, frame: pd.DataFrame, against: Interpreter | None
) -> pd.DataFrame:
    """The frame of a comparison with Python ``against``, and both builds beside every row."""
    families = {one.label: one.family for one in campaign.interpreters}
    own = [families[label] for label in frame["python"]]
    return frame.assign(
        family=[one.label for one in own],
        baseline_family=against.family.label if against else "",
        same_build=[against is not None and one == against.family for one in own],
    )


def _contrasts(
    campaign: Campaign,
    values: Values,
    reference: IntArray,
    baseline_labels: Sequence[str],
    all_estimates: RowEstimates,
    delta: float,
    lacking: Sequence[str] = (),
) -> pd.DataFrame:
    contenders, measures = campaign.contenders, values.measures
    absolute = values.absolute_estimates
    is_subject = np.tile(reference != NOT_COMPARED, len(measures))
    cells = np.flatnonzero(is_subject)
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
    frame = _identity(campaign, values, cells)
    return frame.assign(
        baseline=[baseline_labels[i] for i in contender.tolist()],
        **_ratio_columns(estimates),
        floor=floors,
        verdict=judged.verdict,
        reason=_reasons(campaign, values, cells, baseline_cells, judged, estimates.rounds, lacking),
        rounds=estimates.rounds,
        rounds_needed=judged.rounds_needed.array,
        p_value=estimates.p_value,
        p_adjusted=p_adjusted,
        headline=headline,
        **_absolute_columns(values, absolute, cells),
        baseline_seconds=np.where(paired, np.exp(absolute.value[looked_up]), np.nan),
        baseline_ns_per_task=np.where(
            paired, _ns_per_task(values, absolute.value, looked_up), np.nan
        ),
    )


def noise_floors(campaign: Campaign, values: Values) -> FloatArray:
    """The noise floor of every measure, as a share."""
    away = np.expm1(np.abs(values.contrast_estimates.value))
    floors = np.full(len(values.measures), SMALLEST_FLOOR)
    for index, contender in enumerate(campaign.contenders):
        if contender.role == "control":
            floors = np.fmax(floors, away[index :: values.contenders])
    return floors


def _summary_floors(campaign: Campaign, values: Values, subjects: Sequence[int]) -> FloatArray:
    """The noise floor of each subject's mean: what the control's mean shows, 0.5 % for itself."""
    contenders, failures = campaign.contenders, _failures(campaign)
    floor = SMALLEST_FLOOR
    for control, baseline in enumerate(values.baseline.tolist()):
        if contenders[control].role == "control":
            means, _, _ = _means_over_cases(
                campaign, values, values.contrast, failures, control, baseline
            )
            shown = np.expm1(np.abs(hodges_lehmann_rows(means[:1]).value))
            floor = float(np.fmax(floor, shown).max())
    is_control = [contenders[i].role == "control" for i in subjects]
    return np.where(is_control, SMALLEST_FLOOR, floor)


def _identity(campaign: Campaign, values: Values, cells: IntArray) -> pd.DataFrame:
    """What each cell is; ``contender`` is the strategy's name, or control."""
    count = max(1, len(campaign.contenders))
    contender, measure = cells % count, cells // count
    contenders, measures = campaign.contenders, values.measures
    return pd.DataFrame(
        {
            "campaign": _labels([campaign.name], np.zeros_like(cells)),
            "python": _labels([c.python for c in contenders], contender),
            "build": _labels([c.build for c in contenders], contender),
            "loop": _labels([c.loop for c in contenders], contender),
            "task_factory": _labels([c.task_factory for c in contenders], contender),
            "probe": _labels([m.case.probe for m in measures], measure),
            "metric": _labels([m.metric for m in measures], measure),
            "workload": _labels([m.case.workload for m in measures], measure),
            "tasks": np.array([m.case.tasks for m in measures], dtype=np.int64)[measure],
            "case": _labels([m.case.id for m in measures], measure),
            "contender": _labels([c.name for c in contenders], contender),
            "strategy": _labels([c.strategy for c in contenders], contender),
            "role": _labels([c.role for c in contenders], contender),
            "contender_id": _labels([c.id for c in contenders], contender),
        }
    )


def _labels(labels: Sequence[str], index: IntArray) -> NDArray[np.object_]:
    return np.array([*labels, ""], dtype=object)[index]


def _ratio_columns(estimates: RowEstimates) -> dict[str, FloatArray]:
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
    return {
        **{f"seconds{name}": np.exp(part[cells]) for name, part in parts.items()},
        **{f"ns_per_task{name}": _ns_per_task(values, part, cells) for name, part in parts.items()},
    }


def _ns_per_task(values: Values, log_seconds: FloatArray, cells: IntArray) -> FloatArray:
    """Nanoseconds per task of the whole fan-out; nan for probes that time something else."""
    measure = cells // max(1, values.contenders)
    tasks = np.array(
        [m.case.tasks if m.case.probe == THROUGHPUT else np.nan for m in values.measures]
    )
    per_task: FloatArray = np.exp(log_seconds[cells]) / tasks[measure] * 1e9
    return per_task


def _take(estimates: RowEstimates, rows: IntArray) -> RowEstimates:
    return RowEstimates(
        estimates.value[rows],
        estimates.low[rows],
        estimates.high[rows],
        estimates.p_value[rows],
        estimates.rounds[rows],
        estimates.confidences,
    )


def _failures(campaign: Campaign) -> Mapping[tuple[str, str], Failure]:
    return {(failure.contender, failure.case): failure for failure in campaign.failed}


def _reasons(
    campaign: Campaign,
    values: Values,
    cells: IntArray,
    baseline_cells: IntArray,
    judged: Judgement,
    rounds: IntArray,
    lacking: Sequence[str],
) -> list[str]:
    """Why a row is missing, undecided, or has fewer rounds than others."""
    failures = _failures(campaign)
    contenders, measures = campaign.contenders, values.measures
    count = len(contenders)
    reasons = explain(judged, rounds)
    for row, (cell, baseline_cell) in enumerate(
        zip(cells.tolist(), baseline_cells.tolist(), strict=True)
    ):
        verdict = judged.verdict[row]
        if not failures and verdict != MISSING:
            continue
        if baseline_cell < 0:
            reasons[row] = lacking[cell % count]
            continue
        case = measures[cell // count].case.id
        own = failures.get((contenders[cell % count].id, case))
        baseline = failures.get((contenders[baseline_cell % count].id, case))
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


def _left_out(cases: Sequence[str]) -> str:
    if not cases:
        return ""
    shown = ", ".join(cases[:3]) + (f" and {len(cases) - 3} more" if len(cases) > 3 else "")
    return f"without {shown}"
