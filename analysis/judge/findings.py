"""Everything that is estimated from one campaign, made in one go: what shows filter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.estimate.costs import Line, line, points_on_line
from analysis.estimate.intervals import (
    FEWEST_FOR_INTERVAL,
    FloatArray,
    IntArray,
    hodges_lehmann,
    hodges_lehmann_rows,
)
from analysis.judge import words
from analysis.judge.contrasts import (
    ANSWER,
    BOUNDS,
    COMPUTING,
    CONTROLS,
    NS_PER_SECOND,
    WORKLOAD,
    Contrasts,
    Measured,
    contrasts_of,
    is_computing,
    labels,
)
from analysis.judge.verdicts import FASTER, FLOOR, MISSING, SLOWER
from analysis.read.campaign import (
    NAMES_OF_CONTENDER,
    Campaign,
    Contender,
    Vocabulary,
    limits_of,
    newest_of,
)
from benchmarks.campaign.schema import NO_PAUSE


@dataclass(frozen=True, slots=True)
class Control:
    """How far the campaign can be trusted, by its own A/A test: baselines entered twice. ``note``
    says so in a sentence, ``reasons`` are cases in which the two halves differ.

    ``within`` is how close they are proven to be over all groups, a share, nan without an interval;
    ``groups`` the same for each group, in words.
    """

    proven: bool
    note: str
    reasons: tuple[str, ...] = ()
    within: float = math.nan
    groups: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What tables, charts and the report show; results/README.md explains every column.

    ``compared`` has the contrasts, and D behind them;
    ``absolutes`` has a row per contender, case and metric, ``costs`` one per contender and
    workload, ``observations`` one per contender, case and name of what was counted.
    """

    campaign: Campaign
    compared: Contrasts
    absolutes: pd.DataFrame
    costs: pd.DataFrame
    observations: pd.DataFrame
    control: Control

    @property
    def contrasts(self) -> pd.DataFrame:
        return self.compared.frame

    @property
    def words(self) -> Vocabulary:
        return self.campaign.words


def find(campaign: Campaign, *, baseline_python: str | None = None) -> Findings:
    """Estimate everything. ``baseline_python`` is the Python that the others are compared with: the
    plan's first unless given. Raises CampaignError, UnknownPythonError.
    """
    measured = Measured(campaign)
    compared = contrasts_of(measured, baseline_python=baseline_python)
    return Findings(
        campaign=campaign,
        compared=compared,
        absolutes=absolutes(measured),
        costs=cost_model(measured),
        observations=observations(campaign),
        control=_with_waiting(judge_control(compared), compared, campaign.words),
    )


def absolutes(measured: Measured) -> pd.DataFrame:
    """What every contender takes, in ``unit``, with the 95 % interval over rounds of ln(value).

    A row per contender, case and metric that has values. These carry the machine's drift, which
    ratios do not.
    """
    count = max(1, measured.contenders)
    cells = np.flatnonzero(measured.values.rounds > 0)
    measure, estimates = cells // count, measured.values.take(cells)
    campaign = measured.campaign
    contenders = [campaign.contenders[index] for index in (cells % count).tolist()]
    cases = [campaign.cases[index] for index in measured.case[measure].tolist()]
    return pd.DataFrame(
        {
            "campaign": campaign.name,
            **_whose(contenders),
            "probe": labels(case.probe for case in cases),
            "metric": measured.metric[measure],
            "headline": measured.headline[measure],
            "workload": labels(case.workload for case in cases),
            "tasks": pd.array([case.tasks for case in cases], dtype="Int64"),
            "pause": labels(case.pause for case in cases),
            "case": labels(case.id for case in cases),
            "value": np.exp(estimates.value),
            "value_low": np.exp(estimates.low),
            "value_high": np.exp(estimates.high),
            "unit": measured.unit[measure],
            "rounds": estimates.rounds,
            **_parts(measured, cells),
        }
    )


def _parts(measured: Measured, cells: IntArray) -> dict[str, FloatArray]:
    """The value of each cell as code + collector, with 95 % intervals over rounds."""
    of_cell = measured.code_levels[cells]
    code = hodges_lehmann_rows(of_cell)
    collector = hodges_lehmann_rows(np.exp(measured.levels[cells]) - np.exp(of_cell))
    return {
        "code": np.exp(code.value),
        "code_low": np.exp(code.low),
        "code_high": np.exp(code.high),
        "collecting": collector.value,
        "collecting_low": np.maximum(collector.low, 0),
        "collecting_high": collector.high,
    }


def _whose(contenders: Sequence[Contender]) -> dict[str, Any]:
    """Whose each row is."""
    return {
        "contender": labels(one.id for one in contenders),
        **{name: labels(getattr(one, name) for one in contenders) for name in NAMES_OF_CONTENDER},
        "limit": limits_of(contenders).array,
    }


# --- the cost model -------------------------------------------------------------------------------

COST_COLUMNS = (
    *("campaign", "contender", *NAMES_OF_CONTENDER, "limit", "workload"),
    *("fixed_seconds", "fixed_seconds_low", "fixed_seconds_high"),
    *("ns_per_task", "ns_per_task_low", "ns_per_task_high"),
    *("tasks_from", "tasks_to", "breaks_at", "break_ratio", "break_low", "break_high"),
    "rounds",
)


def cost_model(measured: Measured) -> pd.DataFrame:
    """seconds(n) = fixed + per_task * n, of every contender without a limit and workload of the
    answer's probe; workloads whose tasks make tasks of their own are left out.

    Strategies of one group are compared over the same range of n: up to where the first of them
    breaks (:func:`analysis.estimate.costs.points_on_line`). ``breaks_at`` is the first n beyond it
    that was measured, missing where the line holds, and ``break_ratio`` what the contender takes
    there over what its own line predicts. One number of tasks makes no line, and no row.
    """
    rows: list[dict[str, object]] = []
    for contenders, measures in _lines(measured):
        campaign = measured.campaign
        cases = [campaign.cases[int(measured.case[measure])] for measure in measures]
        tasks = np.array([case.tasks for case in cases], dtype=np.float64)
        scale = tasks / NS_PER_SECOND
        seconds = {
            index: np.exp(measured.levels[np.array(measures) * measured.contenders + index]).T
            * scale
            for index in contenders
        }
        points = min(points_on_line(tasks, of_one) for of_one in seconds.values())
        for index, of_one in seconds.items():
            fitted = line(tasks, of_one, points)
            rows.append(
                {
                    "campaign": campaign.name,
                    **{name: of[0] for name, of in _whose([campaign.contenders[index]]).items()},
                    "workload": cases[0].workload,
                    **_figures(tasks, fitted),
                }
            )
    frame = pd.DataFrame(rows, columns=list(COST_COLUMNS))
    counts = ("limit", "tasks_from", "tasks_to", "breaks_at", "rounds")
    return frame.astype(dict.fromkeys(counts, "Int64"))


def _lines(measured: Measured) -> Iterator[tuple[list[int], list[int]]]:
    """Contenders of one group and the measures of one workload that all of them have, by n."""
    campaign = measured.campaign
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, one in enumerate(campaign.contenders):
        groups.setdefault(one.group, []).append(index)
    workloads: dict[str, list[int]] = {}
    for measure in np.flatnonzero(measured.headline).tolist():
        case = campaign.cases[int(measured.case[measure])]
        answers = campaign.words.probe(case.probe).answers and case.pause == NO_PAUSE
        if answers and case.tasks_each == 1:
            workloads.setdefault(case.workload, []).append(measure)
    rounds = measured.values.rounds
    for measures in workloads.values():
        measures.sort(key=lambda measure: campaign.cases[int(measured.case[measure])].tasks)
        for every in groups.values():
            free = [one for one in every if campaign.contenders[one].limit is None]
            members = np.array(free, dtype=np.int64)
            cells = np.array(measures)[:, None] * measured.contenders + members
            failed = measured.failed[members[None, :], measured.case[measures][:, None]]
            there = (rounds[cells] > 0) & ~failed
            # What has one n makes no line, and must not keep the others from theirs.
            able = there.sum(axis=0) > 1
            contenders = members[able].tolist()
            shared = np.array(measures)[there[:, able].all(axis=1)].tolist()
            if contenders and len(shared) > 1:
                yield contenders, shared


def _figures(tasks: FloatArray, fitted: Line) -> dict[str, object]:
    fixed, per_task, off = fitted.fixed_seconds, fitted.seconds_per_task, fitted.off
    figures: dict[str, object] = {
        **{
            f"{name}{end}": float(of[0]) * scale
            for name, one, scale in (
                ("fixed_seconds", fixed, 1),
                ("ns_per_task", per_task, NS_PER_SECOND),
            )
            for end, of in (("", one.value), ("_low", one.low), ("_high", one.high))
        },
        "tasks_from": int(tasks[0]),
        "tasks_to": int(tasks[fitted.points - 1]),
        "rounds": per_task.rounds[0],
    }
    if off is not None:
        figures |= {
            "breaks_at": int(tasks[fitted.points]),
            "break_ratio": math.exp(off.value[0]),
            "break_low": math.exp(off.low[0]),
            "break_high": math.exp(off.high[0]),
        }
    return figures


def unlimited(findings: Findings) -> Findings:
    """Without what was launched with a limit: that is shown by itself."""
    every = (findings.contrasts, findings.absolutes, findings.observations)
    contrasts, absolutes, observed = (frame[frame["limit"].isna()] for frame in every)
    compared = replace(findings.compared, frame=contrasts)
    return replace(findings, compared=compared, absolutes=absolutes, observations=observed)


# --- what the answer is about ---------------------------------------------------------------------

LITTLE: Final = 0.01
"""A share of the total that nobody cares for."""


def answer_rows(findings: Findings) -> pd.DataFrame:
    """The rows that the answer is about: means over n by workload, and over all that compute."""
    rows = findings.contrasts
    return rows[rows["family"].str.startswith(ANSWER) & rows["verdict"].ne(MISSING)]


def bounds_rows(findings: Findings) -> pd.DataFrame:
    """The single cases of what was launched with a limit, compared with all at once."""
    rows = findings.contrasts
    return rows[rows["family"].str.startswith(BOUNDS) & rows["verdict"].ne(MISSING)]


USUAL_LIMIT: Final = 100


def usual_bounds(findings: Findings) -> pd.DataFrame:
    """Of :func:`bounds_rows` those of the limit nearest to 100, on the newest Python and the first
    event loop, in the largest case of each kind of work; of metrics of one call, the probe's first.
    """
    rows = bounds_rows(findings)
    firsts = {
        probe: {next((one.name for one in findings.words.probe(probe).metrics if one.of_one), "")}
        for probe in rows["probe"].unique()
    }
    is_first = [name in firsts[probe] for probe, name in rows[["probe", "metric"]].to_numpy()]
    rows = rows[rows["headline"] | np.array(is_first, dtype=bool)]
    rows = rows[rows["python"].eq(newest_of(rows["python"].unique()))]
    rows = rows[rows["loop"].isin(rows["loop"].iloc[:1])]
    nearest = min(rows["limit"], key=lambda one: abs(math.log(one / USUAL_LIMIT)), default=0)
    rows = rows[rows["limit"].eq(nearest)]
    largest = rows.groupby(["probe", "metric", "workload"])["tasks"].transform("max")
    return rows[rows["tasks"].eq(largest)]


def least_patterns(rows: Sequence[Any]) -> list[str]:
    """Of rows of one case and limit, the patterns whose interval no other one's lies wholly below,
    by more than the floor; one with too few rounds for an interval is none of them.
    """
    rows = [row for row in rows if math.isfinite(row.high)] or rows
    bound = min((row.high for row in rows), default=0.0) * (1 + FLOOR)
    return list(dict.fromkeys(row.pattern for row in rows if row.low <= bound))


def computing_workloads(findings: Findings) -> list[str]:
    """The workloads whose time is that of the tasks, in the order of the plan."""
    campaign = findings.campaign
    names = (case.workload for case in campaign.cases if is_computing(campaign, case))
    return list(dict.fromkeys(names))


def of_computing(findings: Findings, rows: pd.DataFrame) -> pd.DataFrame:
    """Those of the rows that are about what the answer is about, with a workload that computes."""
    names = computing_workloads(findings)
    answers = [findings.words.probe(name).answers for name in rows["probe"]]
    return rows[rows["workload"].isin(names) & np.array(answers, dtype=bool)]


def break_even(findings: Findings) -> pd.DataFrame:
    """From how much work of a task on the choice moves the total by less than 1 %, in ns: a row
    per Python and loop, of the strategy and workload that it takes most for.

    A strategy that differs by d from a reference of r moves a task with work w by d / (r + w), so
    that w = |d| / 1 % - r, and at least 0. ``value_low`` and ``value_high`` are the largest of
    those of the ends of d, over all strategies and workloads: their intervals hold together on one
    Python, so that the largest w lies between the largest of them.
    """
    rows = answer_rows(findings)
    rows = rows[rows["scope"].eq(WORKLOAD) & rows["workload"].isin(computing_workloads(findings))]
    ends = np.abs(rows[["difference_low", "difference_high"]].to_numpy(float))
    around = rows["difference_low"].le(0) & rows["difference_high"].ge(0)
    reference = rows["reference_value"]

    def work(difference: Any) -> Any:  # noqa: ANN401
        return np.maximum(difference / LITTLE - reference, 0.0)

    found = rows.assign(
        value=work(rows["difference"].abs()),
        value_low=work(np.where(around, 0.0, ends.min(axis=1, initial=np.inf))),
        value_high=work(ends.max(axis=1, initial=0.0)),
    ).reset_index(drop=True)
    groups = found.groupby(["python", "loop"], sort=False)
    for end in ("value_low", "value_high"):
        found[end] = groups[end].transform("max")
    most = groups["value"].idxmax()
    columns = ["python", "loop", "strategy", "workload", "value", "value_low", "value_high"]
    return found.loc[most, [*columns, "unit", "family"]].reset_index(drop=True)


def collected(absolutes: pd.DataFrame) -> pd.DataFrame:
    """Those of the rows in which the collector takes part; an interval that few rounds leave open
    says nothing of that.
    """
    most = absolutes["collecting_high"].replace(np.inf, np.nan).fillna(absolutes["collecting"])
    return absolutes[most.gt(0)]


# --- what was counted, and the control ------------------------------------------------------------


def observations(campaign: Campaign) -> pd.DataFrame:
    """A row per contender, case and name of what was counted beside the timed values.

    ``value`` is the median over rounds of the mean per batch; ``low`` and ``high`` are the least
    and the most of any round, no interval. These can be 0, so they are never compared as ratios.
    """
    found = (
        campaign.observed.groupby(["case", "contender", "name"], observed=True, sort=False)["value"]
        .agg(value="median", low="min", high="max", rounds="count")
        .reset_index()
    )
    ids = (*(one.id for one in campaign.cases), *(one.id for one in campaign.contenders))
    places = {name: index for index, name in enumerate(ids)}
    found = found.sort_values(["case", "contender"], key=lambda c: c.map(places), kind="stable")
    contenders = {one.id: one for one in campaign.contenders}
    cases = {one.id: one for one in campaign.cases}
    of_row = [contenders[name] for name in found["contender"]]
    case_of_row = [cases[name] for name in found["case"]]
    return pd.DataFrame(
        {
            "campaign": campaign.name,
            **_whose(of_row),
            "probe": labels(case.probe for case in case_of_row),
            "workload": labels(case.workload for case in case_of_row),
            "tasks": pd.array([case.tasks for case in case_of_row], dtype="Int64"),
            "pause": labels(case.pause for case in case_of_row),
            "case": found["case"].to_numpy(),
            **{name: found[name].to_numpy() for name in ("name", "value", "low", "high", "rounds")},
        }
    )


def judge_control(compared: Contrasts) -> Control:
    """Read the campaign's A/A test off the rows of the controls.

    Over all cases that compute (else over all) and all groups, the halves agree within the farther
    end of a 90 % interval: two one-sided tests of equivalence, each at 5 % (Schuirmann 1987). The
    campaign is unproven where that is more than the floor, which every verdict relies on, and where
    a case differs: its interval, one of a family, lies wholly beyond the floor."""
    frame = compared.frame
    rows = frame[(frame["family"] == CONTROLS) & (frame["rounds"] > 0)]
    if rows.empty:
        return Control(proven=False, note="unproven: no control was measured")
    every = frame[frame["control"] & frame["headline"] & (frame["rounds"] > 0)]
    computing = every[every["scope"] == COMPUTING]
    members = rows if computing.empty else computing
    apart = [name for name in _GROUP if len(set(rows[name])) > 1]
    groups = tuple(
        (", ".join(map(str, key)), _within(compared, of)[0])
        for key, of in members.groupby(apart or ["python"], sort=False)
    )
    within, rounds = _within(compared, members)
    reasons = tuple(
        f"{row['case']}{''.join(f', {row[name]}' for name in apart)}: "
        f"{words.change_interval(row['ratio'], row['low'], row['high'])}"
        for row in rows[rows["verdict"].isin((SLOWER, FASTER))].to_dict("records")
    )
    over = words.times(rounds, "round")
    if math.isinf(within):
        few = f"{over}, and an interval takes {FEWEST_FOR_INTERVAL}"
        return Control(proven=False, note=f"unproven: the control has {few}", reasons=(few,))
    over_groups = f" on average over {len(groups)} groups" * (len(groups) > 1)
    agree = (
        f"the controls, baselines entered twice, agree within {words.share(within, 2)}{over_groups}"
    )
    of = " for what computes" * (len(computing) > 0)
    need = f"verdicts need {words.share(FLOOR)}"
    if reasons:
        note = f"unproven: a baseline entered twice differs from itself in {'; '.join(reasons)}"
    elif within > FLOOR:
        needed = words.count(math.ceil(rounds * (within / FLOOR) ** 2))
        note = f"unproven: {agree} after {over}; {need}, which takes about {needed} rounds"
    else:
        note = f"proven{of}: {agree} ({over}); {need}"
    return Control(not reasons and within <= FLOOR, note, reasons, within, groups)


def _with_waiting(control: Control, compared: Contrasts, vocabulary: Vocabulary) -> Control:
    """Say how closely the halves agree in what waits, too: timers and other processes are in it."""
    frame = compared.frame
    rows = frame[frame["control"] & frame["scope"].eq(WORKLOAD) & (frame["rounds"] > 0)]
    computes = frame["control"] & frame["scope"].eq(COMPUTING) & (frame["rounds"] > 0)
    waits = [
        bool(vocabulary.waits(workload)) and vocabulary.probe(probe).answers
        for workload, probe in rows[["workload", "probe"]].to_numpy()
    ]
    rows = rows[np.array(waits, dtype=bool)]
    if rows.empty or not computes.any():
        return control
    within, _ = _within(compared, rows)
    names = words.listed(vocabulary.label("workload", one) for one in rows["workload"].unique())
    closely = "too few rounds to tell" if math.isinf(within) else f"within {words.share(within)}"
    return replace(control, note=f"{control.note}; in what waits ({names}): {closely}")


_GROUP = ("python", "loop", "task_factory", "collector")
EQUIVALENCE = 0.90


def _within(compared: Contrasts, rows: pd.DataFrame) -> tuple[float, int]:
    """How close the two halves are proven to be, a share, over these rows together, and in how many
    rounds that have all of them; infinite in too few.
    """
    differences = compared.differences[rows.index.to_numpy()]
    complete = differences[:, np.isfinite(differences).all(axis=0)]
    rounds = complete.shape[1]
    if rounds < FEWEST_FOR_INTERVAL:
        return math.inf, rounds
    found = hodges_lehmann(complete.mean(axis=0), confidence=EQUIVALENCE)
    return max(math.expm1(abs(end)) for end in (found.low, found.high)), rounds
