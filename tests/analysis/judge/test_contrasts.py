"""The table of contrasts on campaigns whose truth is known, and on both reference campaigns."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimate.intervals import hodges_lehmann
from analysis.judge.contrasts import (
    AXES,
    COLUMNS,
    Contrasts,
    Measured,
    as_family,
    contrasts,
    contrasts_of,
    find_python,
    flipped,
)
from analysis.read.campaign import Campaign, Contender
from analysis.read.load import read_campaign
from benchmarks.campaign import schema
from benchmarks.campaign.schema import UnknownPythonError
from benchmarks.cases import Case
from tests import campaigns
from tests.campaigns import only
from tests.repository import REFERENCES

OLD, NEW, SOURCE = "3.10.12", "3.14.0", "3.14.0+source"
NAMES = {OLD: OLD, NEW: f"cpython-{NEW}", SOURCE: f"cpython-{SOURCE}"}
GROUP = f"cpython-{NEW}/asyncio/lazy"
BASELINE, TASKS = f"{GROUP}/gather_coroutines", f"{GROUP}/gather_tasks"
CONTROL = f"{BASELINE}/control"
CASES = (
    Case("throughput", "noop", 100),
    Case("throughput", "noop", 1000),
    Case("throughput", "yield_once", 100),
    Case("throughput", "sleep", 100),
    Case("throughput", "tree", 10),
    Case("latency", "noop", 100),
    Case("head_start", "noop", 100, "sleep_5ms"),
    Case("memory", "pending", 10),
)
CASE = CASES[0].id
TRUTH = {
    "gather_tasks": 0.03, "task_group": 0.08, "sequential": -0.3, "eager": -0.2, "uvloop": -0.1,
    "off": 0.04, f"cpython-{OLD}": 0.3, f"cpython-{SOURCE}": -0.25,
}  # fmt: skip


def place(one: Contender | schema.Contender) -> tuple[str, ...]:
    """Where a contender stands on each axis."""
    return (one.strategy, one.loop, one.task_factory, one.collector, one.interpreter)


def effect(contender: schema.Contender, case: schema.Case, metric: str) -> float:
    return sum(TRUTH.get(name, 0.0) for name in place(contender))


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Every axis, two builds of one version, and a Python without TaskGroup."""
    lacking = schema.Wanted(interpreter=f"cpython-{OLD}", strategy="task_group")
    folder = campaigns.write(
        tmp_path_factory.mktemp("results") / "campaign",
        pythons=(NEW, OLD, SOURCE),
        builds={SOURCE: {"builder": "source"}},
        loops=("asyncio", "uvloop"),
        task_factories=("lazy", "eager"),
        collectors=("on", "off"),
        strategies=("gather_coroutines", "gather_tasks", "task_group", "sequential"),
        cases=CASES,
        drift=0.2,
        noise=0.004,
        effect=effect,
        skipped=(schema.Skipped(contender=lacking, reason="no TaskGroup before 3.11"),),
    )
    return read_campaign(folder)


@pytest.fixture(scope="module")
def found(campaign: Campaign) -> Contrasts:
    return contrasts_of(Measured(campaign))


@pytest.fixture(scope="module")
def frame(found: Contrasts) -> pd.DataFrame:
    return found.frame


def check(frame: pd.DataFrame) -> None:
    """What holds of every frame of contrasts: nothing says more than its interval."""
    low, high, ratio = frame["low"], frame["high"], frame["ratio"]
    expected = np.select(
        [frame["rounds"] == 0, low > 1.005, high < 0.995, (low >= 0.98) & (high <= 1.02)],
        ["missing", "slower", "faster", "same"],
        "undecided",
    )
    assert (frame["verdict"] == expected).all()
    assert ((low <= ratio) & (ratio <= high) | (frame["rounds"] == 0)).all()
    assert (frame["rounds_needed"].isna() | (frame["verdict"] == "undecided")).all()
    few = (frame["rounds"] > 0) & (frame["rounds"] < 6)
    assert (frame.loc[few, ["low", "high"]].to_numpy() == [0, np.inf]).all()
    assert (frame["reason"] != "").where(few | (frame["rounds"] == 0), other=True).all()
    for end, of in (("", ratio), ("_low", low), ("_high", high)):
        np.testing.assert_allclose(frame[f"difference{end}"], (of - 1) * frame["reference_value"])
    assert tuple(frame.columns) == COLUMNS


@pytest.mark.parametrize("reference", [*REFERENCES, None], ids=lambda path: path and path.name)
def test_every_pair_that_differs_on_one_axis_is_there_once(
    campaign: Campaign, reference: Path | None
) -> None:
    if reference:
        campaign = read_campaign(reference)
    frame = contrasts(campaign)
    check(frame)
    check(flipped(frame))
    contenders = {one.id: one for one in campaign.contenders}
    order = {id_: index for index, id_ in enumerate(contenders)}
    versions = {one.name: one.version for one in campaign.interpreters}
    expected = set()
    for one, other in itertools.combinations(contenders.values(), 2):
        differing = [a != b for a, b in zip(place(one), place(other), strict=True)]
        if "control" in {one.role, other.role} or sum(differing) != 1:
            continue
        axis = AXES[differing.index(True)]
        if axis == "python" and versions[one.interpreter] == versions[other.interpreter]:
            axis = "build"
        both = campaign.asked[order[one.id]] & campaign.asked[order[other.id]]
        for case in np.flatnonzero(both):
            for metric in campaign.cases[case].metrics:
                expected.add((axis, frozenset((one.id, other.id)), campaign.cases[case].id, metric))
    rows = frame[(frame["scope"] == "case") & ~frame["control"] & (frame["reference"] != "")]
    pairs = map(frozenset, zip(rows["subject"], rows["reference"], strict=True))
    found = list(zip(rows["axis"], pairs, rows["case"], rows["metric"], strict=True))
    assert set(found) == expected
    assert len(found) == len(expected)
    assert (rows["subject"].map(order) > rows["reference"].map(order)).all()
    assert (rows["compared"] != rows["against"]).all()
    controls = only(frame, control=True, scope="case")
    assert controls["subject"].tolist() == (controls["reference"] + "/control").tolist()
    assert set(controls["compared"]) == {"control"}


def test_defaults_are_compared_with_the_first_of_the_plan(frame: pd.DataFrame) -> None:
    first = dict(zip(AXES, ("gather_coroutines", "asyncio", "lazy", "on"), strict=False))
    for axis, usual in first.items():
        rows = only(frame, axis=axis)
        assert (rows["default"] == (rows["against"] == usual)).all()
    pythons = frame[frame["axis"].isin(("python", "build"))]
    assert (pythons["default"] == (pythons["against"] == NAMES[NEW])).all()
    assert set(only(frame, axis="build")["compared"]) == {NAMES[SOURCE]}
    assert set(frame.loc[~frame["same_build"], "compared"]) == {NAMES[SOURCE]}
    assert set(only(frame, compared=NAMES[SOURCE])["same_build"]) == {False}


def test_the_baseline_is_the_reference_wherever_the_plan_has_it(tmp_path: Path) -> None:
    folder = campaigns.write(tmp_path / "c")
    campaigns.change_plan(folder, lambda plan: plan["contenders"].reverse())
    rows = only(contrasts(read_campaign(folder)), axis="strategy", control=False)
    assert set(rows.loc[rows["default"], "against"]) == {"gather_coroutines"}
    assert "gather_coroutines" not in set(rows["compared"])


@pytest.mark.parametrize("name", [OLD, "3.10", f"cpython-{OLD}"])
def test_other_pythons_are_compared_with_the_one_that_is_asked_for(
    campaign: Campaign, frame: pd.DataFrame, name: str
) -> None:
    back = contrasts(campaign, baseline_python=name)
    check(back)
    rows = only(back, axis="python", default=True)
    assert set(rows["against"]) == {OLD}
    key = {"scope": "case", "case": CASE, "loop": "uvloop", "task_factory": "eager",
           "collector": "off", "strategy": "gather_tasks"}  # fmt: skip
    there = only(frame, compared=OLD, against=NAMES[NEW], **key)
    turned = only(rows, compared=NAMES[NEW], **key)
    for one, other in (("ratio", "ratio"), ("low", "high"), ("high", "low")):
        np.testing.assert_allclose(turned[one], 1 / there[other])
    lacking = only(rows, strategy="task_group")
    assert set(lacking["verdict"]) == {"missing"}
    assert set(lacking["reason"]) == {f"not measured on Python {OLD}: no TaskGroup before 3.11"}
    assert set(lacking["reference"]) == {""}
    assert lacking[["ratio", "reference_value"]].isna().to_numpy().all()
    assert lacking.loc[lacking["scope"] == "case", "value"].notna().all()


@pytest.mark.parametrize("name", ["3.1", "4.0", "", "3.14t", NEW, "x\ny"])
def test_an_unknown_or_ambiguous_python_names_the_valid_ones(campaign: Campaign, name: str) -> None:
    with pytest.raises(UnknownPythonError) as caught:
        contrasts(campaign, baseline_python=name)
    assert str(caught.value).endswith(f"choose from {', '.join((NAMES[NEW], OLD, NAMES[SOURCE]))}")
    assert "\n" not in str(caught.value)
    assert find_python(campaign) == campaign.interpreters[0]


def test_ratios_and_values_lie_near_the_truth_and_in_their_intervals(
    campaign: Campaign, frame: pd.DataFrame
) -> None:
    contenders = {
        one.id: sum(TRUTH.get(name, 0.0) for name in place(one)) for one in campaign.contenders
    }
    contenders[""] = np.nan
    truth = np.exp(frame["subject"].map(contenders) - frame["reference"].map(contenders))
    known = truth.notna()
    np.testing.assert_allclose(frame["ratio"][known], truth[known], rtol=0.02)
    alone = known & (frame["family"] == "") & (frame["scope"] == "case")
    covered = (frame["low"] <= truth) & (truth <= frame["high"])
    assert 0.93 <= covered[alone].mean() <= 0.97
    assert covered[frame["family"].str.startswith("answer")].all()
    cases = only(frame, reference=BASELINE, subject=TASKS, scope="case").set_index("case")
    tree = 6**7 // 5  # tasks in a tree of 6 levels and 6 branches
    for case, unit, value in (
        (CASE, "ns", 3000),
        ("throughput/tree/10", "ns", 3000 / tree),
        ("latency/noop/100", "s", 3e-4),
        ("memory/pending/10", "B", 1500),
    ):
        rows = cases.loc[[case]]
        assert set(rows["unit"]) == {unit}
        np.testing.assert_allclose(rows["reference_value"], value, rtol=0.4)


def logs_of(campaign: Campaign, contender: str, case: str = CASE) -> pd.Series:
    """ln(seconds) of a contender by round."""
    rows = only(campaign.values, contender=contender, case=case)
    return pd.Series(np.log(rows["seconds"].to_numpy()), index=rows["round"])


def test_a_contrast_is_hodges_lehmann_over_rounds_with_each_half_of_a_baseline(
    campaign: Campaign, frame: pd.DataFrame
) -> None:
    def halves(group: str) -> pd.Series:
        baseline = f"{group}/gather_coroutines"
        return (logs_of(campaign, baseline) + logs_of(campaign, f"{baseline}/control")) / 2

    other = GROUP.replace("asyncio", "uvloop")
    group = f"{GROUP}/task_group"
    sides = {
        (group, TASKS): (logs_of(campaign, group), logs_of(campaign, TASKS)),
        (f"{other}/gather_coroutines", BASELINE): (halves(other), halves(GROUP)),
        # Half of its reference would be itself.
        (CONTROL, BASELINE): (logs_of(campaign, CONTROL), logs_of(campaign, BASELINE)),
    }
    for (subject, reference), (one, against) in sides.items():
        [index] = only(frame, subject=subject, reference=reference, case=CASE).index
        row = frame.loc[index]
        expected = hodges_lehmann(one - against)
        assert np.log(row["ratio"]) == pytest.approx(expected.value)
        if row["family"] == "":
            ends = np.log([row["low"], row["high"]])
            assert ends == pytest.approx([expected.low, expected.high])
        level = hodges_lehmann(one + np.log(1e9 / 100))
        amounts = [np.log(row[f"value{end}"]) for end in ("", "_low", "_high")]
        assert amounts == pytest.approx([level.value, level.low, level.high])
    [row] = only(frame, subject=TASKS, reference=BASELINE, case=CASE).to_dict("records")
    tasks = logs_of(campaign, TASKS)
    two = [hodges_lehmann(tasks - logs_of(campaign, half)) for half in (BASELINE, CONTROL)]
    value = np.mean([one.value for one in two])
    down, other_down = (one.value - one.low for one in two)
    both = [tasks - logs_of(campaign, half) for half in (BASELINE, CONTROL)]
    together = max(0.5, both[0].corr(both[1], method="spearman"))
    low = value - np.sqrt(down**2 + other_down**2 + 2 * together * down * other_down) / 2
    assert np.log([row["ratio"], row["low"]]) == pytest.approx([value, low])
    level = hodges_lehmann(halves(GROUP) + np.log(1e9 / 100))
    assert np.log(row["reference_value"]) == pytest.approx(level.value)
    # The machine's drift of 20 % is in the values and not in the ratio.
    assert row["high"] / row["low"] < 1.02 < 1.05 < row["value_high"] / row["value_low"]


def test_every_group_has_a_control_of_its_own(campaign: Campaign, frame: pd.DataFrame) -> None:
    rows = only(frame, control=True, case=CASE)
    groups = [one.group for one in campaign.contenders if one.role == "baseline"]
    of_rows = rows[["python", "loop", "task_factory", "collector"]].itertuples(index=False)
    labels = {one.name: one.label for one in campaign.interpreters}
    assert list(of_rows) == [(labels[python], *rest) for python, *rest in groups]
    assert len(rows) == 3 * 2 * 2 * 2


def test_what_differs_between_the_halves_is_halved(tmp_path: Path) -> None:
    def of(scale: float, bias: float) -> pd.DataFrame:
        folder = campaigns.write(
            tmp_path / f"{scale} {bias}",
            effect=lambda one, case, metric: scale + bias * (one.role == "control"),
        )
        return contrasts(read_campaign(folder)).drop(columns="campaign")

    usual, scaled, biased = of(0.0, 0.0), of(1.0, 0.0), of(0.0, 0.03)
    np.testing.assert_allclose(scaled["ratio"], usual["ratio"])
    np.testing.assert_allclose(scaled["value"], usual["value"] * np.e)
    assert (scaled["verdict"] == usual["verdict"]).all()
    moved = np.log(biased["ratio"] / usual["ratio"])
    with_baseline = usual["against"] == "gather_coroutines"
    control = usual["control"]
    np.testing.assert_allclose(moved[control], 0.03)
    np.testing.assert_allclose(moved[with_baseline & ~control], -0.015)
    np.testing.assert_allclose(moved[~with_baseline], 0.0, atol=1e-12)
    assert (~with_baseline).any()


@pytest.mark.parametrize("control", [True, False])
def test_an_old_campaign_is_compared_as_a_new_one(tmp_path: Path, control: bool) -> None:
    """In a round it says the median of its sweeps."""
    cases = CASES[2:6]
    one, other = (
        contrasts(
            read_campaign(
                campaigns.write(
                    tmp_path / str(old) / "c", cases=cases, drift=0.2, old=old, control=control
                )
            )
        )
        for old in (False, True)
    )
    pd.testing.assert_frame_equal(one, other)


def test_the_collector_is_in_the_ratio(tmp_path: Path) -> None:
    folder = campaigns.write(
        tmp_path / "c",
        noise=1e-4,
        cases=(Case("throughput", "noop", 100), Case("throughput", "sleep", 100)),
        collector=lambda one, case: {"gather_tasks": 0.2, "task_group": 0.5}.get(one.strategy, 0.1),
    )
    rows = only(contrasts(read_campaign(folder)), scope="case", default=True, control=False)
    # Where the fan-out waits it is not split: it is within.
    expected = rows["workload"].map({"noop": 1.0, "sleep": 0.0}) * rows["compared"].map(
        {"gather_tasks": np.log(1.2 / 1.1), "task_group": np.log(1.5 / 1.1)}
    )
    np.testing.assert_allclose(np.log(rows["ratio"]), expected, atol=1e-3)


def test_an_aggregate_is_the_geometric_mean_within_rounds(found: Contrasts) -> None:
    frame = found.frame
    computing = [CASES[0].id, CASES[1].id, CASES[2].id]
    pair = only(frame, subject=TASKS, reference=BASELINE)
    for scope, workload, members in (
        ("workload", "noop", computing[:2]),
        ("workload", "tree", [CASES[4].id]),
        ("computing", "", computing),
    ):
        [row] = only(pair, scope=scope, workload=workload, probe="throughput").index
        cases = pair.index[pair["case"].isin(members)]
        means = found.differences[cases].mean(axis=0)
        np.testing.assert_allclose(found.differences[row], means)
        assert np.log(frame.loc[row, "ratio"]) == pytest.approx(found.alone.value[row])
        assert frame.loc[row, ["cases", "case", "reason"]].tolist() == [len(members), "", ""]
        assert frame.loc[row, "tasks"] is pd.NA
    aggregates = frame[frame["scope"] != "case"]
    assert aggregates["headline"].all()
    assert set(only(aggregates, scope="computing")["probe"]) == {"throughput"}
    keys = ["probe", "workload", "pause"]
    assert set(only(aggregates, scope="workload")[keys].itertuples(index=False, name=None)) == {
        (case.probe, case.workload, case.pause) for case in CASES
    }


def test_an_aggregate_uses_rounds_with_all_cases_and_says_what_is_left_out(tmp_path: Path) -> None:
    many = tuple(Case("throughput", "noop", n) for n in (1, 10, 100, 1000, 10_000))
    failures = tuple(
        schema.Failure(contender=TASKS, case=case.id, round=3, cause="killed") for case in many[:4]
    )
    folder = campaigns.write(tmp_path / "c", cases=many, failed=failures, drift=0.2)
    group = f"{GROUP}/task_group"
    place = [one.id for one in read_campaign(folder).contenders].index(group)
    campaigns.change_lines(
        folder, lambda lines: (lines.pop(), [one["cells"].pop(f"{place}") for one in lines[:15:5]])
    )
    campaigns.change_plan(folder, lambda plan: plan.update(status="interrupted"))
    campaign = read_campaign(folder)
    frame = only(contrasts(campaign), scope="computing", against="gather_coroutines")
    check(frame)
    [row] = only(frame, subject=TASKS).to_dict("records")
    assert (row["cases"], row["rounds"]) == (1, 11)
    assert row["reason"] == (
        "without throughput/noop/1, throughput/noop/10, throughput/noop/100 and 1 more"
    )
    [row] = only(frame, subject=group).to_dict("records")
    assert (row["cases"], row["rounds"], row["reason"]) == (5, 8, "")
    values = campaign.values[campaign.values["contender"].isin((BASELINE, CONTROL))]
    logs = np.log(values["seconds"] / values["tasks"] * 1e9)
    of_same_rounds = hodges_lehmann(logs.groupby(values["round"]).mean().loc[3:10])
    assert np.log(row["reference_value"]) == pytest.approx(of_same_rounds.value)


def family_of(row: Mapping[Hashable, object]) -> str:
    """The families as they are specified."""
    if row["control"]:
        return "control" if row["scope"] == "case" and row["headline"] else ""
    if row["scope"] == "case" or not row["default"] or row["axis"] in {"python", "build"}:
        return ""
    plain = row["probe"] == "throughput" and row["pause"] == "none" and row["axis"] == "strategy"
    usual = row["task_factory"] == "lazy" and row["collector"] == "on"
    is_answer = plain and usual and row["strategy"] != "sequential"
    return f"{'answer' if is_answer else 'guide'} {row['python']}"


def test_families_are_as_specified_and_hold_together(found: Contrasts) -> None:
    frame = found.frame
    assert frame["family"].tolist() == [family_of(row) for row in frame.to_dict("records")]
    assert frame["family"].nunique() == 2 + 2 * 3
    alone = found.alone
    single = (frame["family"] == "").to_numpy() & (frame["rounds"] > 0).to_numpy()
    np.testing.assert_allclose(np.log(frame["low"][single]), alone.low[single])
    for _, rows in frame[(frame["family"] != "") & (frame["rounds"] > 0)].groupby("family"):
        width = np.log(rows["high"]) - np.log(rows["low"])
        factors = width / (alone.high - alone.low)[rows.index]
        assert factors.min() > 1.05
        np.testing.assert_allclose(factors, factors.iloc[0])
    chosen = only(frame, case=CASE, axis="loop")
    together = as_family(found, chosen, "claims")
    check(together)
    assert set(together["family"]) == {"claims"}
    assert (together["low"] < chosen["low"]).all()
    assert (together["high"] > chosen["high"]).all()


def test_turning_rows_round_twice_changes_nothing(frame: pd.DataFrame) -> None:
    turned = flipped(frame)
    np.testing.assert_allclose(turned["ratio"], 1 / frame["ratio"])
    np.testing.assert_allclose(turned["low"], 1 / frame["high"])
    for one, other in (("compared", "against"), ("value_low", "reference_value_low")):
        pd.testing.assert_series_equal(turned[one], frame[other], check_names=False)
    decided = frame["verdict"].isin(("slower", "faster"))
    assert decided.any()
    assert (turned["verdict"] != frame["verdict"])[decided].all()
    pd.testing.assert_frame_equal(flipped(turned), frame)


def test_what_failed_is_missing_or_shorter_with_its_cause(tmp_path: Path) -> None:
    failures = (
        schema.Failure(contender=TASKS, case="throughput/noop/100", round=0, cause="killed"),
        *(
            schema.Failure(contender=half, case="throughput/noop/1000", round=8, cause="hung")
            for half in (BASELINE, CONTROL)
        ),
    )
    frame = contrasts(read_campaign(campaigns.write(tmp_path / "c", failed=failures)))
    check(frame)
    first = only(frame, case="throughput/noop/100", axis="strategy")
    for row in first.to_dict("records"):
        whose = {row["subject"]: "failed", row["reference"]: "its reference failed"}.get(TASKS)
        assert row["reason"] == (f"{whose} in round 0: killed" if whose else "")
        assert (row["verdict"] == "missing") == bool(whose)
    [row] = only(first, subject=TASKS).to_dict("records")
    assert np.isnan(row["value"])
    assert row["reference_value"] > 0
    second = only(frame, case="throughput/noop/1000", reference=BASELINE, control=False)
    assert set(second["reason"]) == {"its reference failed in round 8: hung"}
    assert set(second["rounds"]) == {8}
    missing = only(frame, scope="workload", subject=f"{GROUP}/task_group", reference=TASKS)
    assert missing["reason"].tolist() == ["without throughput/noop/100"]
    assert set(only(frame, scope="workload", reference=BASELINE, control=False)["family"]) == {
        "answer 3.14.0"
    }


def test_a_mean_over_fewer_cases_is_none_of_the_answer(tmp_path: Path) -> None:
    """Of a strategy that is asked some of them only; its neighbours are over all."""
    every = schema.Block(
        contenders=(BASELINE, CONTROL, TASKS), cases=("throughput/noop/100", "throughput/noop/1000")
    )
    some = schema.Block(contenders=(f"{GROUP}/task_group",), cases=("throughput/noop/1000",))
    frame = contrasts(read_campaign(campaigns.write(tmp_path / "c", blocks=(every, some))))
    means = only(frame, scope="workload", reference=BASELINE, control=False)
    families = dict(zip(means["subject"], means["family"], strict=True))
    assert families == {TASKS: "answer 3.14.0", f"{GROUP}/task_group": "guide 3.14.0"}


def test_what_was_not_reached_beside_failures_is_not_called_failed(tmp_path: Path) -> None:
    failure = schema.Failure(contender=TASKS, case="throughput/noop/100", round=0, cause="killed")
    folder = campaigns.write(tmp_path / "c", failed=(failure,), status="failed")
    campaigns.change_lines(folder, lambda lines: lines.__delitem__(slice(1, None, 2)))
    frame = contrasts(read_campaign(folder))
    assert set(only(frame, case="throughput/noop/1000")["reason"]) == {
        "no values: the budget ended first"
    }


def test_builds_are_compared_with_the_first_of_their_version(tmp_path: Path) -> None:
    names = ("3.12.1", "3.14.0", "3.14.0+2")
    campaign = read_campaign(campaigns.write(tmp_path / "c", pythons=names))
    builds = only(contrasts(campaign), axis="build")
    assert builds["default"].all()
    assert set(zip(builds["compared"], builds["against"], strict=True)) == {
        (campaign.interpreters[2].label, campaign.interpreters[1].label)
    }


@pytest.mark.parametrize(("failed", "other"), [(BASELINE, CONTROL), (CONTROL, BASELINE)])
def test_where_one_half_of_a_baseline_failed_the_other_is_what_is_compared_with(
    tmp_path: Path, failed: str, other: str
) -> None:
    failure = schema.Failure(contender=failed, case=CASE, round=0, cause="killed")
    campaign = read_campaign(campaigns.write(tmp_path / "c", failed=(failure,)))
    frame = contrasts(campaign)
    check(frame)
    [row] = only(frame, subject=TASKS, reference=BASELINE, case=CASE).to_dict("records")
    expected = hodges_lehmann(logs_of(campaign, TASKS) - logs_of(campaign, other))
    assert np.log(row["ratio"]) == pytest.approx(expected.value)
    assert row["rounds"] == 12
    [row] = only(frame, subject=CONTROL, case=CASE).to_dict("records")
    assert row["verdict"] == "missing"
    assert row["reason"].endswith("failed in round 0: killed")


def test_a_case_that_is_left_out_says_why(tmp_path: Path) -> None:
    folder = campaigns.write(tmp_path / "c")
    campaigns.change_lines(folder, lambda lines: lines.__delitem__(slice(1, None, 2)))
    campaigns.change_plan(
        folder, lambda plan: plan["cases"][1].update(sweeps=0, left_out="it needs about 900 s")
    )
    campaign = read_campaign(folder)
    assert (campaign.problems, campaign.rounds) == ((), 12)
    frame = contrasts(campaign)
    check(frame)
    missing = only(frame, case="throughput/noop/1000")
    assert set(missing["verdict"]) == {"missing"}
    assert set(missing["reason"]) == {"it needs about 900 s"}
    assert set(only(frame, scope="workload")["reason"]) == {"without throughput/noop/1000"}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("complete", "no values: the budget ended first"),
        ("interrupted", "not measured: the campaign is interrupted"),
        ("failed", "not measured: the campaign is failed"),
    ],
)
def test_what_was_not_reached_is_missing(tmp_path: Path, status: str, reason: str) -> None:
    folder = campaigns.write(tmp_path / "c", rounds=5, status=status)
    campaigns.change_lines(folder, lambda lines: lines.__delitem__(slice(1, None, 2)))
    frame = contrasts(read_campaign(folder))
    check(frame)
    assert set(only(frame, case="throughput/noop/1000")["reason"]) == {reason}
    measured = only(frame, case="throughput/noop/100")
    assert set(measured["reason"]) == {"5 of 6 rounds for an interval"}
    assert set(measured["rounds_needed"]) == {12 - 5}
    assert set(only(frame, scope="workload")["reason"]) == {"without throughput/noop/1000"}
