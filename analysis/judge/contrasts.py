"""The one table of what is compared with what: every show filters it, and nothing else estimates.

A *contrast* is a pair of contenders of one campaign that differ on exactly one axis. In a round, D
is ln(subject) - ln(reference), of what the round says of them; over rounds, the Hodges-Lehmann
estimate with its Wilcoxon signed-rank interval. The round is the replicate.

Rows of one case have an interval that stands alone. Aggregates are geometric means over cases, made
within each round; those that are read together are one ``family``, and their intervals hold
together (:func:`analysis.estimate.intervals.simultaneous`). The verdict of a row is read off its
interval (:mod:`analysis.judge.verdicts`), here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimate.intervals import (
    FEWEST_FOR_INTERVAL,
    Estimates,
    FloatArray,
    IntArray,
    both_halves,
    by_round,
    hodges_lehmann_halves,
    hodges_lehmann_rows,
    mean_of_halves,
    means_of_groups,
    simultaneous,
)
from analysis.judge.verdicts import UNDECIDED, judge, rounds_needed
from analysis.read.campaign import (
    CONTROL,
    Campaign,
    CampaignError,
    Contender,
    Interpreter,
    limits_of,
)
from benchmarks.campaign.schema import ERRORS, NO_PAUSE, Case, python_called

Labels: TypeAlias = NDArray[np.object_]

STRATEGY, LOOP, TASK_FACTORY, COLLECTOR = "strategy", "loop", "task_factory", "collector"
PYTHON, BUILD = "python", "build"
AXES: Final = (STRATEGY, LOOP, TASK_FACTORY, COLLECTOR, PYTHON, BUILD)
CASE, WORKLOAD, COMPUTING = "case", "workload", "computing"
"""Scopes: one case, all n of a workload, or all cases whose time is that of the tasks."""
ANSWER, GUIDE, BOUNDS, CONTROLS = "answer", "guide", "bounds", "control"
"""Families, all but the last by Python."""

NS_PER_SECOND: Final = 1e9
ERROR_FLOOR: Final = 0.01
"""A difference of less than a point between shares of calls that raise is none."""
_NONE: Final = -1


@dataclass(frozen=True, slots=True)
class Contrasts:
    """``frame`` as :func:`contrasts` gives it; ``differences`` are D of its rows, shape (rows,
    rounds), in the order of its index, to the mean of both halves; ``alone`` the estimates, each by
    itself, of each half apart.
    """

    frame: pd.DataFrame
    differences: FloatArray
    alone: Estimates


def contrasts(campaign: Campaign, *, baseline_python: str | None = None) -> pd.DataFrame:
    """Every contrast of a campaign; results/README.md explains every column.

    ``baseline_python`` is the Python that others are compared with: the plan's first unless given.
    What was planned and not measured is there, ``missing`` with its reason. Raises CampaignError
    for a campaign in error, UnknownPythonError.
    """
    return contrasts_of(Measured(campaign), baseline_python=baseline_python).frame


def contrasts_of(measured: Measured, *, baseline_python: str | None = None) -> Contrasts:
    """:func:`contrasts`, with the differences behind it."""
    python = find_python(measured.campaign, baseline_python)
    pairs = _pairs(measured.campaign, python)
    cases = _case_rows(measured, pairs)
    rows = _joined(cases, _aggregate_rows(measured, pairs, cases))
    frame = _identity(measured, pairs, rows, python.label if python else "")
    frame["family"] = _families(measured, frame)
    alone, differences = hodges_lehmann_halves(rows.halves), mean_of_halves(rows.halves)
    estimates = alone.take(np.arange(len(frame)))
    for name in frame["family"].unique():
        if name:
            members = np.flatnonzero(frame["family"] == name)
            together = simultaneous(alone.take(members), differences[members])
            estimates.low[members], estimates.high[members] = together.low, together.high
    return Contrasts(with_verdicts(frame, estimates), differences, alone)


def as_family(found: Contrasts, rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows of ``found.frame`` as one family more: their intervals hold together, and the verdicts
    follow. Not for rows that were flipped.
    """
    index = rows.index.to_numpy()
    estimates = simultaneous(found.alone.take(index), found.differences[index])
    return with_verdicts(rows.assign(family=name), estimates)


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
            raise CampaignError(campaign.errors, campaign.folder)
        self.campaign = campaign
        self.contenders = len(campaign.contenders)
        first_measure = np.cumsum([0, *(len(case.metrics) for case in campaign.cases)])
        self.case = np.repeat(np.arange(len(campaign.cases)), np.diff(first_measure))
        """The case of each measure, shape (measures,)."""
        named = [(case, metric) for case in campaign.cases for metric in case.metrics]
        self.metric = labels([metric for _, metric in named])
        self.headline = np.array([metric == case.headline_metric for case, metric in named], bool)
        units = [_unit(campaign, case, metric) for case, metric in named]
        self.unit = labels([unit for unit, _ in units])
        scale_of = np.log(np.array([one for _, one in units], dtype=np.float64))
        journal = campaign.journal
        measure = first_measure[journal.case] + journal.metric
        cell = measure * self.contenders + journal.contender
        scale, cells = scale_of[measure], len(named) * self.contenders
        self._whole, self._code = (
            by_round(np.log(values) + scale, cell, journal.round, cells)
            for values in (journal.values, journal.values - journal.collector)
        )
        self.asked = campaign.asked[:, self.case]
        """Whether each contender is asked each measure, shape (contenders, measures)."""

    @cached_property
    def levels(self) -> FloatArray:
        """ln(value in its unit) of every cell and round; nan where absent. A baseline's is the mean
        of its two halves: itself and its control.
        """
        return self._both_halves(self._whole)

    @cached_property
    def code_levels(self) -> FloatArray:
        """:attr:`levels` without what the collector takes; nan where that is not known."""
        return self._both_halves(self._code)

    def halves(self, measure: IntArray, subject: IntArray, reference: IntArray) -> FloatArray:
        """D of these measures and contenders with each half of the reference, shape (rows, 2,
        rounds); nan where either is absent. Where the reference has no other half, or the subject
        has two as well, all is in the first.
        """
        roles = labels(one.role for one in self.campaign.contenders)[subject]
        first, other = (measure * self.contenders + who for who in (subject, reference))
        second = measure * self.contenders + self._other_half[reference]
        level, whole = self.levels[first], self._whole[other]
        # Half of a control's reference would be the control itself.
        against = np.where((roles == "baseline")[:, None], self.levels[other], whole)
        apart = (roles == "contender") & (self._other_half[reference] != _NONE)
        other_half = np.where(apart[:, None], level - self._whole[second], np.nan)
        return np.stack([level - against, other_half], axis=1)

    @cached_property
    def _other_half(self) -> IntArray:
        """The control of each contender, -1 where it has none, shape (contenders,)."""
        found = np.full(self.contenders, _NONE, dtype=np.int64)
        of_group = _baselines(self.campaign)
        for index, one in enumerate(self.campaign.contenders):
            if one.role == CONTROL:
                found[of_group[one.group]] = index
        return found

    def _both_halves(self, found: FloatArray) -> FloatArray:
        by_contender = found.reshape(len(self.case), self.contenders, found.shape[1])
        halved = by_contender.copy()
        for own in np.flatnonzero(self._other_half != _NONE).tolist():
            halves = by_contender[:, [own, self._other_half[own]]]
            halved[:, own] = mean_of_halves(halves)
        return halved.reshape(found.shape)

    @cached_property
    def values(self) -> Estimates:
        """ln(value in its unit) of every cell, over rounds."""
        return hodges_lehmann_rows(self.levels)

    @cached_property
    def failed(self) -> NDArray[np.bool_]:
        """Whether each contender failed in each case, shape (contenders, cases)."""
        failed = {(one.contender, one.case) for one in self.campaign.failed}
        rows = [
            [(one.id, case.id) in failed for case in self.campaign.cases]
            for one in self.campaign.contenders
        ]
        return np.array(rows, dtype=bool).reshape(self.contenders, len(self.campaign.cases))

    @cached_property
    def error_shares(self) -> FloatArray:
        """The share of calls that raised, shape (contenders * cases, rounds); nan where unknown."""
        campaign, cases = self.campaign, len(self.campaign.cases)
        seen = campaign.observed[campaign.observed["name"].eq(ERRORS)]
        who = pd.Index([one.id for one in campaign.contenders]).get_indexer(seen["contender"].array)
        case = pd.Index([one.id for one in campaign.cases]).get_indexer(seen["case"].array)
        tasks = np.array([one.tasks for one in campaign.cases])[case]
        share, round_ = seen["value"].to_numpy(float) / tasks, seen["round"].to_numpy(np.int64)
        return by_round(share, who * cases + case, round_, self.contenders * cases)

    def errors_apart(self, pairs: _Pairs, pair: IntArray, measure: IntArray) -> Labels:
        """Where the shares of calls that raised differ by more than a point: both, in words."""
        said = np.full(len(pair), "", dtype=object)
        case, cases = self.case[measure], len(self.campaign.cases)
        one, other = (
            self.error_shares[of[pair] * cases + case] for of in (pairs.subject, pairs.reference)
        )
        some = pairs.has_reference[pair] & ((one > 0) | (other > 0)).any(axis=1)
        rows = np.flatnonzero(some)
        found = hodges_lehmann_rows((one - other)[rows])
        apart = (found.low > ERROR_FLOOR) | (found.high < -ERROR_FLOOR)
        for row in rows[apart].tolist():
            own, its = (f"{100 * np.nanmean(of[row]):.3g} %" for of in (one, other))
            said[row] = f"{own} of its calls have failed, {its} of its reference's"
        return said

    def failed_in(self, pairs: _Pairs, pair: IntArray, measure: IntArray) -> NDArray[np.bool_]:
        """Whether the subject or the reference of a pair failed in the case of a measure."""
        case = self.case[measure]
        of_reference = self.failed[pairs.reference[pair], case] & pairs.has_reference[pair]
        return self.failed[pairs.subject[pair], case] | of_reference

    def groups_of(self, measure: IntArray, owner: IntArray, order: IntArray) -> Groups:
        """Which aggregates rows of headline metrics are in, by workload and over all that compute.

        ``measure`` and the ``owner``, a pair or a contender, have shape (rows,); aggregates come by
        ``order``, which belongs to the owner, then in the order of the plan.
        """
        numbers: dict[Hashable, int] = {}
        firsts: list[int] = []
        scopes: list[str] = []
        of_measure = np.full((2, len(self.case)), _NONE, dtype=np.int64)
        for place, scope in enumerate((WORKLOAD, COMPUTING)):
            for index in np.flatnonzero(self.headline).tolist():
                case = self.campaign.cases[self.case[index]]
                if scope == WORKLOAD or is_computing(self.campaign, case):
                    key = (case.probe, case.workload, case.pause) if scope == WORKLOAD else scope
                    if numbers.setdefault(key, len(firsts)) == len(firsts):
                        firsts.append(index)
                        scopes.append(scope)
                    of_measure[place, index] = numbers[key]
        member, row = np.nonzero(of_measure[:, measure] >= 0)
        group, own = of_measure[member, measure[row]], owner[row]
        owners = int(owner.max(initial=0)) + 1
        key_of_row = (order[row] * len(firsts) + group) * owners + own
        sorting = np.argsort(key_of_row, kind="stable")
        _, starts, number = np.unique(key_of_row[sorting], return_index=True, return_inverse=True)
        first = sorting[starts]
        return Groups(
            row=row[sorting],
            number=number,
            owner=own[first],
            measure=np.array(firsts, dtype=np.int64)[group[first]],
            scope=labels(scopes)[group[first]],
        )


@dataclass(frozen=True, slots=True)
class Groups:
    """Aggregates: ``row`` and the ``number`` of its aggregate, in order, shape (members,); of each
    aggregate the owner, its first measure and its scope.
    """

    row: IntArray
    number: IntArray
    owner: IntArray
    measure: IntArray
    scope: Labels


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
class _Pairs:
    """Pairs of contenders by their indexes, each field of shape (pairs,): ``reference`` is -1 where
    the campaign has none, which ``absent`` explains.
    """

    axis: IntArray
    subject: IntArray
    reference: IntArray
    default: NDArray[np.bool_]
    absent: Labels

    @property
    def has_reference(self) -> NDArray[np.bool_]:
        return self.reference >= 0


_Pair: TypeAlias = "tuple[int, int, int, bool, str]"
"""The fields of one pair."""


def _pairs(campaign: Campaign, baseline: Interpreter | None) -> _Pairs:
    """Every pair that differs on one axis: the reference is the one that comes first in the plan,
    the baseline strategy and the baseline Python before the others.
    """
    found = [
        *_controls(campaign),
        *_along(campaign, STRATEGY, lambda one: one.group),
        *_along(campaign, LOOP, lambda one: (*one.group[:1], *one.group[2:], one.strategy)),
        *_along(campaign, TASK_FACTORY, lambda one: (*one.group[:2], one.collector, one.strategy)),
        *_along(campaign, COLLECTOR, lambda one: (*one.group[:3], one.strategy)),
        *(_of_pythons(campaign, baseline) if baseline else ()),
    ]
    axis, subject, reference, default, absent = zip(*found, strict=True) if found else ((),) * 5
    return _Pairs(
        axis=np.array(axis, dtype=np.int64),
        subject=np.array(subject, dtype=np.int64),
        reference=np.array(reference, dtype=np.int64),
        default=np.array(default, dtype=bool),
        absent=labels(absent),
    )


def _baselines(campaign: Campaign) -> dict[tuple[str, ...], int]:
    return {one.group: i for i, one in enumerate(campaign.contenders) if one.role == "baseline"}


def _controls(campaign: Campaign) -> Iterator[_Pair]:
    baselines = _baselines(campaign)
    for index, one in enumerate(campaign.contenders):
        if one.role == CONTROL:
            yield AXES.index(STRATEGY), index, baselines[one.group], True, ""


def _along(
    campaign: Campaign, axis: str, key: Callable[[Contender], tuple[str, ...]]
) -> Iterator[_Pair]:
    contenders = campaign.contenders
    alike: dict[tuple[str, ...], list[int]] = {}
    for index, one in enumerate(contenders):
        if one.role != CONTROL:
            alike.setdefault(key(one), []).append(index)
    for members in alike.values():
        if axis == STRATEGY:
            members.sort(key=lambda index: contenders[index].role != "baseline")
        for place, subject in enumerate(members):
            for reference in members[:place]:
                other = contenders[reference]
                is_first = getattr(other, axis) == getattr(contenders[0], axis)
                default = other.role == "baseline" if axis == STRATEGY else is_first
                yield AXES.index(axis), subject, reference, default, ""


def _of_pythons(campaign: Campaign, baseline: Interpreter) -> Iterator[_Pair]:
    interpreters = [baseline, *(one for one in campaign.interpreters if one != baseline)]
    alike: dict[tuple[str, ...], dict[str, int]] = {}
    for index, one in enumerate(campaign.contenders):
        if one.role != CONTROL:
            alike.setdefault((*one.group[1:], one.strategy), {})[one.interpreter] = index
    for members in alike.values():
        for place, own in enumerate(interpreters):
            for other in interpreters[:place] if own.name in members else ():
                subject, reference = members[own.name], members.get(other.name, _NONE)
                axis = BUILD if own.version == other.version else PYTHON
                # Builds are compared with the first of their version.
                first = next(one for one in interpreters if one.version == own.version)
                default = other == (first if axis == BUILD else baseline)
                why = ""
                if reference < 0:
                    why = _why_lacking(campaign, other, campaign.contenders[subject])
                if reference >= 0 or default:
                    yield AXES.index(axis), subject, reference, default, why


def _why_lacking(campaign: Campaign, python: Interpreter, contender: Contender) -> str:
    """Why a Python has no contender like this one."""
    for one in campaign.skipped:
        wanted = one.contender
        asked = (wanted.loop, wanted.task_factory, wanted.collector, wanted.strategy)
        parts = (contender.loop, contender.task_factory, contender.collector, contender.pattern)
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
    halves: FloatArray
    values: Estimates
    reference_values: Estimates


def _case_rows(measured: Measured, pairs: _Pairs) -> _Rows:
    asked = measured.asked[pairs.subject] & (
        measured.asked[pairs.reference] | ~pairs.has_reference[:, None]
    )
    pair, measure = np.nonzero(asked)
    order = np.lexsort((pair, measure, pairs.axis[pair]))
    pair, measure = pair[order], measure[order]
    first = measure * measured.contenders
    lacking = ~pairs.has_reference[pair]
    own = first + pairs.subject[pair]
    other = np.where(lacking, own, first + pairs.reference[pair])
    halves = measured.halves(
        measure, pairs.subject[pair], np.where(lacking, pairs.subject[pair], pairs.reference[pair])
    )
    reference_values = measured.values.take(other)
    apart = measured.errors_apart(pairs, pair, measure)
    halves[lacking | (apart != "")] = np.nan
    for field in (reference_values.value, reference_values.low, reference_values.high):
        field[lacking] = np.nan
    return _Rows(
        pair=pair,
        measure=measure,
        scope=np.full(len(pair), CASE, dtype=object),
        cases=np.ones(len(pair), dtype=np.int64),
        reason=np.where(apart != "", apart, _reasons(measured, pairs, pair, measure, halves)),
        halves=halves,
        values=measured.values.take(own),
        reference_values=reference_values,
    )


def _reasons(
    measured: Measured, pairs: _Pairs, pair: IntArray, measure: IntArray, halves: FloatArray
) -> Labels:
    """Why rows are missing, or have fewer rounds than others."""
    campaign = measured.campaign
    failed = {(one.contender, one.case): one for one in campaign.failed}
    missing: NDArray[np.bool_] = np.asarray(~np.isfinite(halves).any(axis=(1, 2)))
    reasons = np.where(missing, pairs.absent[pair], "").astype(object)
    ended = campaign.status == "complete" or (campaign.status == "failed" and campaign.failed)
    unsaid = (
        "no values: the budget ended first"
        if ended
        else f"not measured: the campaign is {campaign.status}"
    )
    to_explain = missing | measured.failed_in(pairs, pair, measure)
    for row in np.flatnonzero(to_explain & (reasons == "")).tolist():
        of_case = campaign.cases[measured.case[measure[row]]]
        case = of_case.id
        sides = (("", pairs.subject), ("its reference ", pairs.reference))
        said = [
            f"{whose}failed in round {failure.round}: {failure.cause}"
            for whose, of_pair in sides
            if (failure := failed.get((campaign.contenders[of_pair[pair[row]]].id, case)))
        ]
        reasons[row] = "; ".join(said) or of_case.left_out or unsaid
    return reasons


def _aggregate_rows(measured: Measured, pairs: _Pairs, rows: _Rows) -> _Rows:
    """Geometric means over the cases of a workload, and of those that compute, in each round."""
    groups = measured.groups_of(rows.measure, rows.pair, pairs.axis[rows.pair])
    row, number, count = groups.row, groups.number, len(groups.owner)
    pair, measure = rows.pair[row], rows.measure[row]
    # A case in which either side failed is left out as a whole.
    failed = measured.failed_in(pairs, pair, measure)
    halves = both_halves(np.where(failed[:, None, None], np.nan, rows.halves[row]))
    (means, cases), (others, _) = (
        means_of_groups(halves[:, half], number, count) for half in (0, 1)
    )
    kept: NDArray[np.bool_] = np.asarray(np.isfinite(halves[:, 0]).any(axis=1))
    amounts = []
    for who in (pairs.subject, pairs.reference):
        cells = measure * measured.contenders + np.maximum(who[pair], 0)
        of_cells = np.where(kept[:, None], measured.levels[cells], np.nan)
        mean, _ = means_of_groups(of_cells, number, count)
        amounts.append(hodges_lehmann_rows(np.where(np.isfinite(means), mean, np.nan)))
    reasons = np.full(count, "", dtype=object)
    for index in np.flatnonzero(cases < np.bincount(number, minlength=count)).tolist():
        left_out = (number == index) & ~kept
        names = [measured.campaign.cases[case].id for case in measured.case[measure[left_out]]]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        without = f"without {', '.join(names[:3])}{more}"
        reasons[index] = without if cases[index] else rows.reason[row[left_out][0]]
    return _Rows(
        pair=groups.owner,
        measure=groups.measure,
        scope=groups.scope,
        cases=cases,
        reason=reasons,
        halves=np.stack([means, others], axis=1),
        values=amounts[0],
        reference_values=amounts[1],
    )


def _joined(one: _Rows, other: _Rows) -> _Rows:
    def both(name: str) -> Any:  # noqa: ANN401 - of the field's type
        first, second = getattr(one, name), getattr(other, name)
        is_array = isinstance(first, np.ndarray)
        return np.concatenate([first, second]) if is_array else first.followed_by(second)

    return _Rows(*map(both, _Rows.__slots__))


# --- columns --------------------------------------------------------------------------------------


def _identity(measured: Measured, pairs: _Pairs, rows: _Rows, baseline: str) -> pd.DataFrame:
    """What each row compares, and both absolutes; ``baseline`` labels the baseline Python."""
    campaign = measured.campaign
    contenders, cases = campaign.contenders, campaign.cases
    measure, case = rows.measure, measured.case[rows.measure]
    axis = labels(AXES)[pairs.axis[rows.pair]]
    subject, reference = pairs.subject[rows.pair], pairs.reference[rows.pair]
    single = rows.scope == CASE
    family = {one.name: one.family for one in campaign.interpreters}
    of_family = [family[one.interpreter] for one in contenders]

    def of(name: str, who: IntArray) -> Labels:
        return labels([*(getattr(one, name) for one in contenders), ""])[who]

    def of_case(name: str) -> Labels:
        return labels([getattr(one, name) for one in cases])[case]

    def on_axis(who: IntArray) -> Labels:
        names = {BUILD: "python", STRATEGY: "name"}
        columns = [of(names.get(name, name), who) for name in AXES]
        return np.choose(pairs.axis[rows.pair], columns).astype(object)

    against = on_axis(reference)
    for row in np.flatnonzero(reference < 0).tolist():
        against[row] = baseline
    tasks = pd.Series(np.array([one.tasks for one in cases], dtype=np.int64)[case])
    same = [
        two < 0 or of_family[one] == of_family[two]
        for one, two in zip(pairs.subject, pairs.reference, strict=True)
    ]
    return pd.DataFrame(
        {
            "campaign": campaign.name,
            "axis": axis,
            "scope": rows.scope,
            "control": of("role", subject) == CONTROL,
            "default": pairs.default[rows.pair],
            "compared": on_axis(subject),
            "against": against,
            "subject": of("id", subject),
            "reference": of("id", reference),
            **{name: of(name, subject) for name in ("python", *AXES[:4], "pattern")},
            "limit": limits_of(contenders).iloc[subject].array,
            "probe": of_case("probe"),
            "metric": measured.metric[measure],
            "headline": measured.headline[measure],
            "workload": np.where(rows.scope == COMPUTING, "", of_case("workload")),
            "tasks": tasks.where(single).astype("Int64"),
            "pause": of_case("pause"),
            "case": np.where(single, of_case("id"), ""),
            "cases": rows.cases,
            "unit": measured.unit[measure],
            "same_build": np.array(same, dtype=bool)[rows.pair],
            "reason": rows.reason,
            **{
                f"{side}{end}": np.exp(numbers)
                for side, of in (("value", rows.values), ("reference_value", rows.reference_values))
                for end, numbers in (("", of.value), ("_low", of.low), ("_high", of.high))
            },
        }
    )


def _families(measured: Measured, frame: pd.DataFrame) -> Labels:
    """Which rows are read together: the answer, the guide, what limits cost, and the controls."""
    campaign = measured.campaign
    if frame.empty:
        return np.empty(0, dtype=object)
    words = campaign.words
    answers = {case.probe: words.probe(case.probe).answers for case in campaign.cases}
    concurrent = {one.strategy: words.is_concurrent(one.strategy) for one in campaign.contenders}
    limited = frame["limit"].notna()
    compared = frame["default"] & ~frame["control"]
    as_usual = (frame[list(campaign.usual)] == [*campaign.usual.values()]).all(axis=1)
    together = compared & ~limited & (frame["scope"] != CASE)
    of_answer = (
        together
        & (frame["axis"] == STRATEGY)
        & frame["probe"].map(answers)
        & (frame["pause"] == NO_PAUSE)
        & as_usual
        & frame["strategy"].map(concurrent)
    )
    # A mean over fewer cases, of a strategy that is asked no others, has no place among the rest;
    # one without a case that failed says so.
    alike = [frame[name] for name in ("python", "loop", "workload", "scope")]
    most = frame["cases"].where(of_answer).groupby(alike).transform("max")
    of_answer &= frame["cases"].eq(most) | frame["reason"].ne("")
    of_guide = together & ~of_answer & ~frame["axis"].isin((PYTHON, BUILD))
    single = frame["headline"] & (frame["scope"] == CASE)
    metrics = frame[["probe", "metric"]].to_numpy()
    of_one = np.array([words.metric(*of).of_one for of in metrics], bool) & (frame["scope"] == CASE)
    of_bounds = compared & as_usual & limited & (single | of_one) & (frame["axis"] == STRATEGY)
    families = {ANSWER: of_answer, GUIDE: of_guide, BOUNDS: of_bounds}
    return np.select(
        [*families.values(), frame["control"] & single],
        [*(f"{name} " + frame["python"] for name in families), CONTROLS],
        "",
    ).astype(object)


COLUMNS: Final = (
    *("campaign", "axis", "scope", "control", "default", "compared", "against"),
    *("subject", "reference", "python", "loop", "task_factory", "collector", "strategy"),
    *("pattern", "limit"),
    *("probe", "metric", "headline", "workload", "tasks", "pause", "case", "cases"),
    *("ratio", "low", "high", "difference", "difference_low", "difference_high"),
    *("value", "value_low", "value_high"),
    *("reference_value", "reference_value_low", "reference_value_high", "unit"),
    *("rounds", "verdict", "rounds_needed", "reason", "family", "same_build"),
)


def with_verdicts(frame: pd.DataFrame, estimates: Estimates) -> pd.DataFrame:
    """Rows that say what they compare, and both absolutes, with ratio, interval, difference and
    verdict added, of estimates of ln(ratio); columns in reading order.
    """
    with np.errstate(over="ignore"):
        ratio, low, high = (np.exp(x) for x in (estimates.value, estimates.low, estimates.high))
    few = (estimates.rounds > 0) & (estimates.rounds < FEWEST_FOR_INTERVAL) & np.isinf(high)
    few_words = [f"{n} of {FEWEST_FOR_INTERVAL} rounds for an interval" for n in estimates.rounds]
    reasons = frame["reason"].mask(few & (frame["reason"] == ""), pd.Series(few_words, frame.index))
    found = {"ratio": ratio, "low": low, "high": high, "rounds": estimates.rounds}
    return _judged(frame.assign(**found, reason=reasons))[list(COLUMNS)]


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


def labels(texts: Iterable[str]) -> Labels:
    """Texts as a column."""
    return np.array([*texts], dtype=object)
