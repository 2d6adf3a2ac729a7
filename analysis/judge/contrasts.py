"""The one table of what is compared with what: every show filters it, and nothing else estimates.

A *contrast* is a pair of contenders of one campaign that differ on exactly one axis. Within a
round, D is the median over sweeps of ln(subject) - ln(reference) of the same sweep; over rounds,
the Hodges-Lehmann estimate with its Wilcoxon signed-rank interval. The round is the replicate.

Rows of one case have an interval that stands alone. Aggregates are geometric means over cases, made
within each round; those that are read together are one ``family``, and their intervals hold
together (:func:`analysis.estimate.intervals.simultaneous`). The verdict of a row is read off its
interval (:mod:`analysis.judge.verdicts`), here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimate.intervals import Estimates, hodges_lehmann_rows, simultaneous
from analysis.estimate.rounds import Sweeps, differences, levels, means_of_groups
from analysis.judge.verdicts import FEWEST_FOR_INTERVAL, UNDECIDED, judge, rounds_needed
from analysis.read.campaign import Campaign, CampaignError, Contender, Interpreter
from benchmarks.campaign.schema import NO_PAUSE, Case, Failure, python_called

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
Labels: TypeAlias = NDArray[np.object_]

STRATEGY, LOOP, TASK_FACTORY, COLLECTOR = "strategy", "loop", "task_factory", "collector"
PYTHON, BUILD = "python", "build"
AXES: Final = (STRATEGY, LOOP, TASK_FACTORY, COLLECTOR, PYTHON, BUILD)
CASE, WORKLOAD, COMPUTING = "case", "workload", "computing"
"""Scopes: one case, all n of a workload, or all cases whose time is that of the tasks."""
ANSWER, GUIDE, CONTROLS = "answer", "guide", "control"
"""Families, those of the first two by Python."""

NS_PER_SECOND: Final = 1e9
_NONE: Final = -1


@dataclass(frozen=True, slots=True)
class Contrasts:
    """``frame`` as :func:`contrasts` gives it; ``differences`` are D of its rows, shape (rows,
    rounds), in the order of its index.
    """

    frame: pd.DataFrame
    differences: FloatArray


def contrasts(campaign: Campaign, *, baseline_python: str | None = None) -> pd.DataFrame:
    """Every contrast of a campaign; results/README.md explains every column.

    ``baseline_python`` is the Python that others are compared with: the plan's first unless given.
    What was planned and not measured is there, ``missing`` with its reason. Raises CampaignError
    for a campaign in error, UnknownPythonError.
    """
    return contrasts_of(Measured(campaign), baseline_python=baseline_python).frame


def contrasts_of(measured: Measured, *, baseline_python: str | None = None) -> Contrasts:
    """:func:`contrasts`, with the differences behind it."""
    pairs = _pairs(measured.campaign, find_python(measured.campaign, baseline_python))
    cases = _case_rows(measured, pairs)
    rows = _joined(cases, _aggregate_rows(measured, pairs, cases))
    frame = _identity(measured, pairs, rows)
    frame["family"] = _families(measured, frame)
    estimates = hodges_lehmann_rows(rows.differences)
    for name in frame["family"].unique():
        if name:
            members = np.flatnonzero(frame["family"] == name)
            _put(estimates, members, simultaneous(rows.differences[members]))
    frame = _with_values(frame, rows.values, rows.reference_values)
    return Contrasts(in_columns(frame, estimates), rows.differences)


def as_family(found: Contrasts, rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows of ``found.frame`` as one family more: their intervals hold together, and the verdicts
    follow. Not for rows that were flipped.
    """
    estimates = simultaneous(found.differences[rows.index.to_numpy()])
    return _with_ratio(rows.assign(family=name), estimates)


def flipped(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with subject and reference exchanged; columns that say where the subject ran
    (``python`` to ``strategy``) stay as they are, off the axis they agree.
    """
    swapped = rows.rename(
        columns={
            **{a: b for one, two in _SIDES for a, b in ((one, two), (two, one))},
            "low": "high",
            "high": "low",
        }
    )[list(rows.columns)]
    for name in ("ratio", "low", "high"):
        with np.errstate(divide="ignore"):
            swapped[name] = 1 / swapped[name]
    return _judged(swapped)


_SIDES: Final = (
    ("compared", "against"),
    ("subject", "reference"),
    ("value", "reference_value"),
    ("value_low", "reference_value_low"),
    ("value_high", "reference_value_high"),
)


def find_python(campaign: Campaign, name: str | None = None) -> Interpreter | None:
    """The Python that others are compared with: the one called ``name``, else the plan's first.

    Raises :class:`benchmarks.campaign.schema.UnknownPythonError`.
    """
    interpreters = campaign.interpreters
    if name is None:
        return interpreters[0] if interpreters else None
    called = python_called(name, campaign.plan.interpreters).name
    return next(one for one in interpreters if one.name == called)


# --- what was measured ----------------------------------------------------------------------------


class Measured:
    """A campaign's values by cell and round. A *cell* is one contender in one measure, which is a
    metric of a case; it is numbered ``measure * contenders + contender``.

    Raises CampaignError when the campaign has errors: nothing is estimated from a damaged folder.
    """

    def __init__(self, campaign: Campaign) -> None:
        if campaign.errors:
            raise CampaignError(campaign.errors)
        self.campaign = campaign
        self.contenders = len(campaign.contenders)
        first_measure = np.cumsum([0, *(len(case.metrics) for case in campaign.cases)])
        self.case = np.repeat(np.arange(len(campaign.cases)), np.diff(first_measure))
        """The case of each measure, shape (measures,)."""
        named = [(case, metric) for case in campaign.cases for metric in case.metrics]
        self.metric = _labels([metric for _, metric in named])
        self.headline = np.array([metric == case.headline_metric for case, metric in named], bool)
        units = [_unit(campaign, case, metric) for case, metric in named]
        self.unit = _labels([unit for unit, _ in units])
        self._scale = np.log(np.array([scale for _, scale in units], dtype=np.float64))
        journal = campaign.journal
        measure = first_measure[journal.case] + journal.metric
        self.sweeps = Sweeps.of(
            journal.values,
            measure * self.contenders + journal.contender,
            journal.round,
            journal.count,
            len(named) * self.contenders,
        )
        self.asked = campaign.asked[:, self.case]
        """Whether each contender is asked each measure, shape (contenders, measures)."""

    @cached_property
    def levels(self) -> FloatArray:
        """ln(value in its unit) of every cell and round; nan where absent."""
        cells = np.arange(len(self.case) * self.contenders)
        measure = np.repeat(np.arange(len(self.case)), self.contenders)
        return levels(self.sweeps, cells) + self._scale[measure, None]

    @cached_property
    def values(self) -> Estimates:
        """ln(value in its unit) of every cell, over rounds."""
        return hodges_lehmann_rows(self.levels)

    @cached_property
    def groups(self) -> tuple[IntArray, IntArray, list[int]]:
        """Which aggregate each measure is in, by workload and of those that compute, shape
        (measures,), -1 for none; with the first measure of each of them.
        """
        campaign = self.campaign
        by_workload = np.full(len(self.case), _NONE, dtype=np.int64)
        computing = np.full(len(self.case), _NONE, dtype=np.int64)
        numbers: dict[Hashable, int] = {}
        firsts: list[int] = []

        def number(key: Hashable, measure: int) -> int:
            if key not in numbers:
                numbers[key] = len(firsts)
                firsts.append(measure)
            return numbers[key]

        for measure in np.flatnonzero(self.headline).tolist():
            case = campaign.cases[int(self.case[measure])]
            by_workload[measure] = number((case.probe, case.workload, case.pause), measure)
        for measure in np.flatnonzero(self.headline).tolist():
            case = campaign.cases[int(self.case[measure])]
            if is_computing(campaign, case):
                computing[measure] = number(COMPUTING, measure)
        return by_workload, computing, firsts


def is_computing(campaign: Campaign, case: Case) -> bool:
    """Whether a case's time is that of the tasks: nothing waits, and no task makes others."""
    return (
        campaign.words.probe(case.probe).answers
        and case.pause == NO_PAUSE
        and case.tasks_each == 1
        and campaign.words.waits(case.workload) is False
    )


def _unit(campaign: Campaign, case: Case, metric: str) -> tuple[str, float]:
    """The unit in which a metric is shown, and what its seconds or bytes are multiplied by."""
    per_task = campaign.words.metric(case.probe, metric).per_task
    tasks = case.tasks * case.tasks_each if per_task else 1
    if case.unit(metric) == "byte":
        return "B", 1 / tasks
    return ("ns", NS_PER_SECOND / tasks) if per_task else ("s", 1.0)


# --- pairs ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two contenders by their indexes; ``reference`` is -1 where the campaign has none."""

    axis: int
    subject: int
    reference: int
    default: bool
    control: bool
    compared: str
    against: str
    absent: str = ""


def _pairs(campaign: Campaign, baseline: Interpreter | None) -> list[_Pair]:
    """Every pair that differs on one axis: the reference is the one that comes first in the plan,
    the baseline strategy and the baseline Python before the others.
    """
    return [
        *_controls(campaign),
        *_along(campaign, STRATEGY, lambda one: one.group),
        *_along(campaign, LOOP, lambda one: (*one.group[:1], *one.group[2:], one.strategy)),
        *_along(campaign, TASK_FACTORY, lambda one: (*one.group[:2], one.collector, one.strategy)),
        *_along(campaign, COLLECTOR, lambda one: (*one.group[:3], one.strategy)),
        *_of_pythons(campaign, baseline),
    ]


def _along(
    campaign: Campaign, axis: str, key: Callable[[Contender], tuple[str, ...]]
) -> list[_Pair]:
    contenders = campaign.contenders
    alike: dict[tuple[str, ...], list[int]] = {}
    for index, one in enumerate(contenders):
        if one.role != "control":
            alike.setdefault(key(one), []).append(index)
    first = contenders[0] if contenders else None
    usual = "" if first is None else getattr(first, axis)
    found = []
    for members in alike.values():
        if axis == STRATEGY:
            members.sort(key=lambda index: contenders[index].role != "baseline")
        for place, subject in enumerate(members):
            for reference in members[:place]:
                other = contenders[reference]
                is_usual = getattr(other, axis) == usual
                found.append(
                    _Pair(
                        axis=AXES.index(axis),
                        subject=subject,
                        reference=reference,
                        default=other.role == "baseline" if axis == STRATEGY else is_usual,
                        control=False,
                        compared=getattr(contenders[subject], axis),
                        against=getattr(other, axis),
                    )
                )
    return found


def _controls(campaign: Campaign) -> list[_Pair]:
    baselines = {
        one.group: i for i, one in enumerate(campaign.contenders) if one.role == "baseline"
    }
    return [
        _Pair(0, index, baselines[one.group], True, True, one.name, one.strategy)
        for index, one in enumerate(campaign.contenders)
        if one.role == "control"
    ]


def _of_pythons(campaign: Campaign, baseline: Interpreter | None) -> list[_Pair]:
    if baseline is None:
        return []
    names = [baseline.name, *(one.name for one in campaign.interpreters if one != baseline)]
    interpreters = {one.name: one for one in campaign.interpreters}
    alike: dict[tuple[str, ...], dict[str, int]] = {}
    for index, one in enumerate(campaign.contenders):
        if one.role != "control":
            key = (*one.group[1:], one.strategy)
            alike.setdefault(key, {})[one.interpreter] = index
    found = []
    for members in alike.values():
        for place, name in enumerate(names):
            if name not in members:
                continue
            for other in names[:place]:
                lacking = other not in members
                if lacking and other != baseline.name:
                    continue
                own, against = interpreters[name], interpreters[other]
                contender = campaign.contenders[members[name]]
                found.append(
                    _Pair(
                        axis=AXES.index(BUILD if own.version == against.version else PYTHON),
                        subject=members[name],
                        reference=members.get(other, _NONE),
                        default=other == baseline.name,
                        control=False,
                        compared=own.label,
                        against=against.label,
                        absent=_why_lacking(campaign, against, contender) if lacking else "",
                    )
                )
    return found


def _why_lacking(campaign: Campaign, python: Interpreter, contender: Contender) -> str:
    """Why a Python has no contender like this one."""
    for one in campaign.skipped:
        wanted = one.contender
        asked = (wanted.loop, wanted.task_factory, wanted.strategy)
        parts = (contender.loop, contender.task_factory, contender.strategy)
        alike = all(name in (None, part) for name, part in zip(asked, parts, strict=True))
        if wanted.interpreter == python.name and alike:
            return f"not measured on Python {python.label}: {one.reason}"
    return f"not measured on Python {python.label}"


# --- rows -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of the table before they have words: ``pair`` and ``measure`` by their indexes (of an
    aggregate, its first measure), the number of ``cases``; ``values`` of subject and reference.
    """

    pair: IntArray
    measure: IntArray
    scope: Labels
    cases: IntArray
    reason: Labels
    differences: FloatArray
    values: Estimates
    reference_values: Estimates


def _case_rows(measured: Measured, pairs: Sequence[_Pair]) -> _Rows:
    subject = np.array([one.subject for one in pairs], dtype=np.int64)
    reference = np.array([one.reference for one in pairs], dtype=np.int64)
    axis = np.array([one.axis for one in pairs], dtype=np.int64)
    asked = measured.asked[subject] & (measured.asked[reference] | (reference[:, None] < 0))
    pair, measure = np.nonzero(asked)
    order = np.lexsort((pair, measure, axis[pair]))
    pair, measure = pair[order], measure[order]
    own = measure * measured.contenders + subject[pair]
    has_reference = reference[pair] >= 0
    other = np.where(has_reference, measure * measured.contenders + reference[pair], own)
    found = differences(measured.sweeps, own, other)
    found[~has_reference] = np.nan
    reasons = np.full(len(pair), "", dtype=object)
    missing: NDArray[np.bool_] = np.asarray(~np.isfinite(found).any(axis=1))
    failed = {(one.contender, one.case): one for one in measured.campaign.failed}
    for row in range(len(pair)) if failed else np.flatnonzero(missing).tolist():
        reasons[row] = _reason(
            measured, pairs[pair[row]], int(measured.case[measure[row]]), bool(missing[row]), failed
        )
    reference_values = measured.values.take(other)
    for field in (reference_values.value, reference_values.low, reference_values.high):
        field[~has_reference] = np.nan
    return _Rows(
        pair=pair,
        measure=measure,
        scope=np.full(len(pair), CASE, dtype=object),
        cases=np.ones(len(pair), dtype=np.int64),
        reason=reasons,
        differences=found,
        values=measured.values.take(own),
        reference_values=reference_values,
    )


def _reason(
    measured: Measured,
    pair: _Pair,
    case_index: int,
    missing: bool,
    failed: Mapping[tuple[str, str], Failure],
) -> str:
    """Why a row is missing, or has fewer rounds than others."""
    if pair.absent:
        return pair.absent
    campaign = measured.campaign
    case = campaign.cases[case_index].id
    said = []
    for whose, index in (("", pair.subject), ("its reference ", pair.reference)):
        failure = failed.get((campaign.contenders[index].id, case))
        if failure is not None:
            said.append(f"{whose}failed in round {failure.round}: {failure.cause}")
    if missing and not said:
        said.append(
            "no values: the budget ended first"
            if campaign.status == "complete"
            else f"not measured: the campaign is {campaign.status}"
        )
    return "; ".join(said)


def _aggregate_rows(measured: Measured, pairs: Sequence[_Pair], rows: _Rows) -> _Rows:
    """Geometric means over the cases of a workload, and of those that compute, in each round."""
    by_workload, computing, firsts = measured.groups
    failed = {(one.contender, one.case) for one in measured.campaign.failed}
    chosen, group, scope = [], [], []
    for name, groups in ((WORKLOAD, by_workload), (COMPUTING, computing)):
        members = np.flatnonzero(groups[rows.measure] >= 0)
        chosen.append(members)
        group.append(groups[rows.measure[members]])
        scope.append(np.full(len(members), name, dtype=object))
    row, of_row = np.concatenate(chosen), np.concatenate(group)
    axis = np.array([one.axis for one in pairs], dtype=np.int64)[rows.pair[row]]
    key = (axis * len(firsts) + of_row) * max(1, len(pairs)) + rows.pair[row]
    order = np.argsort(key, kind="stable")
    row, key, scopes = row[order], key[order], np.concatenate(scope)[order]
    keys, starts, number = np.unique(key, return_index=True, return_inverse=True)
    usable = rows.differences[row].copy()
    contenders = measured.campaign.contenders
    if failed:
        for index, one in enumerate(row.tolist()):
            pair, case = (
                pairs[rows.pair[one]],
                measured.campaign.cases[measured.case[rows.measure[one]]],
            )
            if any((contenders[i].id, case.id) in failed for i in (pair.subject, pair.reference)):
                usable[index] = np.nan
    means, count = means_of_groups(usable, number, len(keys))
    kept: NDArray[np.bool_] = np.asarray(np.isfinite(usable).any(axis=1))
    both = np.isfinite(means)
    subject = np.array([one.subject for one in pairs], dtype=np.int64)[rows.pair[row]]
    reference = np.array([one.reference for one in pairs], dtype=np.int64)[rows.pair[row]]
    amounts = []
    for who in (subject, reference):
        cells = rows.measure[row] * measured.contenders + np.maximum(who, 0)
        of_cells = np.where(kept[:, None], measured.levels[cells], np.nan)
        mean, _ = means_of_groups(of_cells, number, len(keys))
        amounts.append(hodges_lehmann_rows(np.where(both, mean, np.nan)))
    reasons = np.full(len(keys), "", dtype=object)
    for index in np.flatnonzero(count < np.bincount(number, minlength=len(keys))).tolist():
        left_out = row[(number == index) & ~kept]
        names = [measured.campaign.cases[c].id for c in measured.case[rows.measure[left_out]]]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        reasons[index] = f"without {', '.join(names[:3])}{more}"
        if not count[index]:
            reasons[index] = rows.reason[left_out[0]]
    return _Rows(
        pair=rows.pair[row][starts],
        measure=np.array(firsts, dtype=np.int64)[of_row[order][starts]],
        scope=scopes[starts],
        cases=count,
        reason=reasons,
        differences=means,
        values=amounts[0],
        reference_values=amounts[1],
    )


def _joined(one: _Rows, other: _Rows) -> _Rows:
    def both(name: str) -> Any:  # noqa: ANN401 - an array of the field's type
        return np.concatenate([getattr(one, name), getattr(other, name)])

    return _Rows(
        pair=both("pair"),
        measure=both("measure"),
        scope=both("scope"),
        cases=both("cases"),
        reason=both("reason"),
        differences=both("differences"),
        values=one.values.followed_by(other.values),
        reference_values=one.reference_values.followed_by(other.reference_values),
    )


# --- columns --------------------------------------------------------------------------------------


def _identity(measured: Measured, pairs: Sequence[_Pair], rows: _Rows) -> pd.DataFrame:
    """What each row compares."""
    campaign = measured.campaign
    contenders, cases = campaign.contenders, campaign.cases
    ids = _labels([*(one.id for one in contenders), ""])
    family = {one.name: one.family for one in campaign.interpreters}
    pair, measure = rows.pair, rows.measure
    subject = np.array([one.subject for one in pairs], dtype=np.int64)[pair]
    reference = np.array([one.reference for one in pairs], dtype=np.int64)[pair]
    case = measured.case[measure]
    single = rows.scope == CASE
    same_build = [
        one.reference < 0
        or family[contenders[one.subject].interpreter]
        == family[contenders[one.reference].interpreter]
        for one in pairs
    ]

    def of_pair(name: str) -> Labels:
        return _labels([getattr(one, name) for one in pairs])[pair]

    def of_subject(name: str) -> Labels:
        return _labels([getattr(one, name) for one in contenders])[subject]

    def of_case(name: str) -> Labels:
        return _labels([getattr(one, name) for one in cases])[case]

    tasks = pd.Series(np.array([one.tasks for one in cases], dtype=np.int64)[case])
    return pd.DataFrame(
        {
            "campaign": campaign.name,
            "axis": _labels([AXES[one.axis] for one in pairs])[pair],
            "scope": rows.scope,
            "control": of_pair("control").astype(bool),
            "default": of_pair("default").astype(bool),
            "compared": of_pair("compared"),
            "against": of_pair("against"),
            "subject": ids[subject],
            "reference": ids[reference],
            "python": of_subject("python"),
            "loop": of_subject("loop"),
            "task_factory": of_subject("task_factory"),
            "collector": of_subject("collector"),
            "strategy": of_subject("strategy"),
            "probe": of_case("probe"),
            "metric": measured.metric[measure],
            "headline": measured.headline[measure],
            "workload": np.where(rows.scope == COMPUTING, "", of_case("workload")),
            "tasks": tasks.where(single).astype("Int64"),
            "pause": of_case("pause"),
            "case": np.where(single, of_case("id"), ""),
            "cases": rows.cases,
            "unit": measured.unit[measure],
            "same_build": np.array(same_build, dtype=bool)[pair],
            "reason": rows.reason,
        }
    )


def _families(measured: Measured, frame: pd.DataFrame) -> Labels:
    """Which rows are read together: the answer, the guide, and the controls."""
    campaign = measured.campaign
    if frame.empty:
        return np.empty(0, dtype=object)
    usual = campaign.contenders[0]
    words = campaign.words
    answers = {case.probe: words.probe(case.probe).answers for case in campaign.cases}
    concurrent = {one.strategy: words.is_concurrent(one.strategy) for one in campaign.contenders}
    together = frame["default"] & ~frame["control"] & (frame["scope"] != CASE)
    of_answer = (
        together
        & (frame["axis"] == STRATEGY)
        & frame["probe"].map(answers)
        & (frame["pause"] == NO_PAUSE)
        & (frame["task_factory"] == usual.task_factory)
        & (frame["collector"] == usual.collector)
        & frame["strategy"].map(concurrent)
    )
    of_guide = together & ~of_answer & ~frame["axis"].isin((PYTHON, BUILD))
    of_control = frame["control"] & frame["headline"] & (frame["scope"] == CASE)
    return np.select(
        [of_answer, of_guide, of_control],
        [f"{ANSWER} " + frame["python"], f"{GUIDE} " + frame["python"], CONTROLS],
        "",
    ).astype(object)


def _with_values(
    frame: pd.DataFrame, values: Estimates, reference_values: Estimates
) -> pd.DataFrame:
    """The frame with both absolutes."""
    return frame.assign(
        **{
            f"{side}{end}": np.exp(numbers)
            for side, of in (("value", values), ("reference_value", reference_values))
            for end, numbers in (("", of.value), ("_low", of.low), ("_high", of.high))
        }
    )


def in_columns(frame: pd.DataFrame, estimates: Estimates) -> pd.DataFrame:
    """Rows that say what they compare, and both absolutes, with their ratio and verdict added;
    columns in reading order.
    """
    return _with_ratio(frame, estimates)[list(COLUMNS)]


COLUMNS: Final = (
    *("campaign", "axis", "scope", "control", "default", "compared", "against"),
    *("subject", "reference", "python", "loop", "task_factory", "collector", "strategy"),
    *("probe", "metric", "headline", "workload", "tasks", "pause", "case", "cases"),
    *("ratio", "low", "high", "difference", "difference_low", "difference_high"),
    *("value", "value_low", "value_high"),
    *("reference_value", "reference_value_low", "reference_value_high", "unit"),
    *("rounds", "verdict", "rounds_needed", "reason", "family", "same_build"),
)


def _with_ratio(frame: pd.DataFrame, estimates: Estimates) -> pd.DataFrame:
    """The frame with ratio, interval, difference and verdict of estimates of ln(ratio)."""
    with np.errstate(over="ignore"):
        ratio, low, high = (np.exp(x) for x in (estimates.value, estimates.low, estimates.high))
    few = (estimates.rounds > 0) & (estimates.rounds < FEWEST_FOR_INTERVAL) & np.isinf(high)
    few_words = [f"{n} of {FEWEST_FOR_INTERVAL} rounds for an interval" for n in estimates.rounds]
    reasons = frame["reason"].mask(few & (frame["reason"] == ""), pd.Series(few_words, frame.index))
    return _judged(
        frame.assign(ratio=ratio, low=low, high=high, rounds=estimates.rounds, reason=reasons)
    )


def _judged(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with what its ratios and their intervals say: the verdict, the rounds that one
    would take, and the difference at the reference's value.
    """
    ratio, low, high = (frame[name].to_numpy() for name in ("ratio", "low", "high"))
    rounds, base = frame["rounds"].to_numpy(), frame["reference_value"]
    verdict = judge(low, high, rounds)
    needed = pd.Series(rounds_needed(ratio, low, high, rounds), index=frame.index)
    return frame.assign(
        verdict=verdict,
        rounds_needed=needed.where(verdict == UNDECIDED).astype("Int64"),
        difference=(frame["ratio"] - 1) * base,
        difference_low=(frame["low"] - 1) * base,
        difference_high=(frame["high"] - 1) * base,
    )


def _put(estimates: Estimates, rows: IntArray, others: Estimates) -> None:
    estimates.low[rows], estimates.high[rows] = others.low, others.high


def _labels(labels: Sequence[str]) -> Labels:
    return np.array(labels, dtype=object)
