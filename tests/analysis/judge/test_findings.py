"""Absolutes, the cost model, what was counted, and the control."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.estimate.intervals import (
    FloatArray,
    hodges_lehmann,
    hodges_lehmann_rows,
    simultaneous,
)
from analysis.judge.contrasts import Contrasts, Measured, contrasts_of
from analysis.judge.findings import Findings, cost_model, find, judge_control
from analysis.judge.verdicts import FASTER, SLOWER, judge
from analysis.read.load import read_campaign
from benchmarks.campaign import schema
from benchmarks.cases import Case
from tests import campaigns
from tests.campaigns import only
from tests.repository import REPOSITORY

BASELINE = "cpython-3.14.0/asyncio/lazy/gather_coroutines"
CONTROL = f"{BASELINE}/control"
TASKS = "cpython-3.14.0/asyncio/lazy/gather_tasks"
SIZES = (1, 10, 100, 1000, 10_000)
OBSERVED = 9
"""The place of what was observed in a cell."""


def throughput(*sizes: int, workload: str = "noop") -> tuple[Case, ...]:
    return tuple(Case("throughput", workload, tasks) for tasks in sizes)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    cases = (
        *throughput(10, 1000),
        *throughput(10, workload="sleep"),
        Case("cancel", "pending", 10),
        Case("memory", "pending", 10),
    )
    folder = campaigns.write(
        tmp_path_factory.mktemp("results") / "c",
        cases=cases,
        pythons=("3.14.0", "3.13.0"),
        collectors=("on", "off"),
        observe=lambda contender, case, name: 7.0 * (contender.strategy == "task_group"),
    )
    return find(read_campaign(folder), baseline_python="3.13")


def test_absolutes_have_a_row_per_contender_and_measure(found: Findings) -> None:
    assert found.words is found.campaign.words
    frame = found.absolutes
    measures = sum(len(case.metrics) for case in found.campaign.cases)
    assert len(frame) == len(found.campaign.contenders) * measures
    groups = [one.id for one in found.campaign.contenders if one.role == "baseline"]
    controls = only(frame, role="control")["contender"]
    assert list(dict.fromkeys(controls)) == [f"{one}/control" for one in groups]
    assert len(groups) == 2 * 2
    assert not frame.duplicated(["contender", "metric", "case"]).any()


def test_the_value_of_a_baseline_is_the_mean_of_its_halves(found: Findings) -> None:
    cells = only(found.absolutes, case="throughput/noop/10", metric="total")
    values = only(found.campaign.values, case="throughput/noop/10")

    def level(*contenders: str) -> float:
        of = values[values["contender"].isin(contenders)]
        return hodges_lehmann(np.log(of["seconds"]).groupby(of["round"]).mean()).value

    for contender, of in ((BASELINE, (BASELINE, CONTROL)), (CONTROL, (CONTROL,))):
        [value] = only(cells, contender=contender)["value"]
        assert np.log(value * 10 / 1e9) == pytest.approx(level(*of))


COLLECTING = "collecting"
"""The collector's part; ``collector`` is the axis."""
PARTS = [f"{part}{end}" for part in ("code", COLLECTING) for end in ("", "_low", "_high")]


@pytest.fixture(scope="module")
def collecting(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Absolutes of a campaign in which the collector takes a fifth of the code of gather(*tasks), a
    tenth of that of the baseline, and a third of that of its control.
    """

    def share(contender: schema.Contender, case: schema.Case) -> float:
        return {BASELINE: 0.1, CONTROL: 0.3, TASKS: 0.2}.get(contender.id, 0.0)

    cases = (*throughput(10, 1000), *throughput(10, workload="sleep"), Case("latency", "noop", 10))
    folder = campaigns.write(
        tmp_path_factory.mktemp("results") / "c", cases=cases, collector=share, noise=0.003
    )
    return find(read_campaign(folder)).absolutes


def test_a_cost_is_code_and_collector_with_an_interval_each(collecting: pd.DataFrame) -> None:
    rows = only(collecting, contender=TASKS, workload="noop", probe="throughput")
    assert len(rows) == 2
    np.testing.assert_allclose(rows["code"], 3000, rtol=0.01)
    np.testing.assert_allclose(rows[COLLECTING], 600, rtol=0.01)
    np.testing.assert_allclose(rows["value"], 3600, rtol=0.01)
    np.testing.assert_allclose(rows["code"] + rows[COLLECTING], rows["value"], rtol=1e-3)
    for part in ("code", COLLECTING, "value"):
        assert (rows[f"{part}_low"] < rows[part]).all()
        assert (rows[part] < rows[f"{part}_high"]).all()
        assert (rows[f"{part}_high"] / rows[f"{part}_low"] < 1.02).all()


def test_code_and_collector_of_a_baseline_are_those_of_its_halves(collecting: pd.DataFrame) -> None:
    rows = only(collecting, contender=BASELINE, workload="noop", probe="throughput")
    np.testing.assert_allclose(rows["code"], 3000, rtol=0.01)
    np.testing.assert_allclose(rows[COLLECTING], 3000 * ((1.1 * 1.3) ** 0.5 - 1), rtol=0.03)


def test_a_collector_that_is_never_called_takes_nothing(collecting: pd.DataFrame) -> None:
    rows = only(collecting, strategy="task_group", workload="noop")
    rows = only(rows, probe="throughput")
    np.testing.assert_allclose(rows["code"], rows["value"])
    np.testing.assert_allclose(rows[PARTS[3:]], 0.0, atol=1e-9)


def test_the_parts_hide_no_axis(found: Findings) -> None:
    """Whose each row is, on every axis."""
    contenders = {one.id: one for one in found.campaign.contenders}
    for row in found.absolutes.to_dict("records"):
        one = contenders[row["contender"]]
        for axis in ("python", "loop", "task_factory", "collector", "strategy", "role"):
            assert row[axis] == getattr(one, axis)


def test_what_is_not_split_has_no_parts(tmp_path: Path, collecting: pd.DataFrame) -> None:
    """What waits, other probes, and schema 1."""
    is_split = (collecting["workload"] == "noop") & (collecting["probe"] == "throughput")
    assert collecting.loc[is_split, PARTS].notna().to_numpy().all()
    assert collecting.loc[~is_split, ["code", COLLECTING]].isna().to_numpy().all()
    assert collecting["value"].notna().all()
    old = find(read_campaign(campaigns.write(tmp_path / "old", old=True))).absolutes
    assert len(old)
    assert old[["code", COLLECTING]].isna().to_numpy().all()


def model(
    folder: Path, *, bent: float = 0.0, sizes: tuple[int, ...] = SIZES, **options: object
) -> pd.DataFrame:
    """Costs of campaigns of 10 us and 3 us per task; TaskGroup is ``bent`` from 1000 tasks on."""

    def effect(one: schema.Contender, case: schema.Case, metric: str) -> float:
        fixed = math.log1p(10 / (3 * case.tasks))
        return fixed + bent * (one.strategy == "task_group" and case.tasks >= 1000)

    cases = (*throughput(*sizes), *throughput(10, 100, workload="tree"))
    written = campaigns.write(folder, cases=cases, effect=effect, **options)  # type: ignore[arg-type]
    return cost_model(Measured(read_campaign(written)))


def test_the_line_is_found_with_its_interval_for_every_contender(tmp_path: Path) -> None:
    frame = model(tmp_path / "c")
    assert set(frame["workload"]) == {"noop"}
    assert frame["role"].tolist() == ["baseline", "contender", "contender", "control"]
    assert frame["fixed_seconds"].between(9.7e-6, 10.3e-6).all()
    assert frame["ns_per_task"].between(2950, 3050).all()
    for name in ("fixed_seconds", "ns_per_task"):
        assert (frame[f"{name}_low"] < frame[name]).all()
        assert (frame[name] < frame[f"{name}_high"]).all()
    assert set(zip(frame["tasks_from"], frame["tasks_to"], frame["rounds"], strict=True)) == {
        (1, 10_000, 12)
    }
    assert frame["breaks_at"].isna().all()


def test_all_strategies_of_a_group_stop_where_the_first_breaks(tmp_path: Path) -> None:
    frame = model(tmp_path / "c", bent=0.3, loops=("asyncio",))
    assert set(frame["tasks_to"]) == {100}
    assert set(frame["breaks_at"]) == {1000}
    bent = frame["strategy"] == "task_group"
    np.testing.assert_allclose(frame["break_ratio"], np.where(bent, math.exp(0.3), 1.0), rtol=0.02)
    assert (frame["break_low"] < frame["break_ratio"]).all()
    assert (frame["break_ratio"] < frame["break_high"]).all()


def test_a_line_takes_two_sizes_that_all_of_a_group_have(tmp_path: Path) -> None:
    assert model(tmp_path / "one", sizes=(10,)).empty
    failure = schema.Failure(contender=TASKS, case="throughput/noop/100", round=0, cause="x")
    frame = model(tmp_path / "failed", sizes=(1, 10, 100), failed=(failure,))
    assert set(frame["tasks_to"]) == {10}
    # What has a single n keeps nobody from a line, and one that failed later counts no longer.
    failures = [
        schema.Failure(contender=TASKS, case=f"throughput/noop/{n}", round=round_, cause="x")
        for n, round_ in ((1, 0), (10, 0), (100, 2))
    ]
    frame = model(tmp_path / "single", sizes=(1, 10, 100), failed=(*failures[:2],))
    assert set(frame["strategy"]) == {"gather_coroutines", "task_group"}
    assert set(frame["tasks_to"]) == {100}
    frame = model(tmp_path / "late", sizes=(1, 10, 100), failed=(failures[2],))
    assert set(frame["tasks_to"]) == {10}
    assert set(frame["rounds"]) == {12}


@pytest.mark.parametrize("old", [False, True])
def test_what_was_counted_is_the_median_of_rounds_with_their_range(
    tmp_path: Path, old: bool
) -> None:
    cases = (Case("cancel", "pending", 10),)
    folder = campaigns.write(tmp_path / "c", cases=cases, rounds=5, old=old)

    def change(lines: list[Any]) -> None:
        for number, line in enumerate(lines):
            if old:
                line["cells"][TASKS]["observed"] = {"left_running": [number, 0, 2 * number]}
            else:
                line["cells"]["1"][OBSERVED] = [number]

    campaigns.change_lines(folder, change)
    frame = find(read_campaign(folder)).observations
    [row] = only(frame, contender=TASKS, name="left_running").to_dict("records")
    assert {name: row[name] for name in ("value", "low", "high", "rounds", "tasks")} == {
        "value": 2.0, "low": 0.0, "high": 4.0, "rounds": 5, "tasks": 10,
    }  # fmt: skip


def test_collections_are_counted_too(tmp_path: Path) -> None:
    folder = campaigns.write(tmp_path / "c", collector=lambda one, _: 0.1 * (one.id == TASKS))
    rows = only(find(read_campaign(folder)).observations, name="collections")
    assert set(only(rows, contender=TASKS)["value"]) == {1.1}
    assert set(rows.loc[rows["contender"] != TASKS, "value"]) == {0.0}


# --- the control ----------------------------------------------------------------------------------


def a_a(folder: Path, *, bias: float = 0.0, **options: object) -> Contrasts:
    """Contrasts of a campaign of nothing but baselines and their controls, in four cases."""
    given = {
        "strategies": ("gather_coroutines",),
        "cases": throughput(1, 10, 100, 1000),
        "effect": lambda one, case, metric: bias * (one.role == "control"),
        **options,
    }
    return contrasts_of(Measured(read_campaign(campaigns.write(folder, **given))))  # type: ignore[arg-type]


def within(differences: FloatArray) -> float:
    """The farther end of a 90 % interval, a share."""
    found = hodges_lehmann(differences, confidence=0.90)
    return math.exp(max(abs(found.low), abs(found.high))) - 1


@pytest.mark.parametrize("bias", [0.03, -0.03])
def test_a_biased_control_makes_the_campaign_unproven(tmp_path: Path, bias: float) -> None:
    control = judge_control(a_a(tmp_path / "c", bias=bias, noise=0.005))
    assert not control.proven
    assert len(control.reasons) == 4
    assert control.note.startswith("unproven: a baseline entered twice differs from itself in thro")
    assert all(reason in control.note for reason in control.reasons)
    assert 0.03 < control.within < 0.05


def test_a_bias_of_one_case_is_named_though_the_others_agree(tmp_path: Path) -> None:
    def effect(one: schema.Contender, case: schema.Case, metric: str) -> float:
        return 0.02 * (one.role == "control") * (1 if case.tasks == 10 else -1 / 3)

    control = judge_control(a_a(tmp_path / "c", effect=effect, noise=0.001))
    assert control.within < 0.005
    assert not control.proven
    [reason] = [one for one in control.reasons if one.startswith("throughput/noop/10:")]
    assert "+2.0 % [" in reason
    assert reason in control.note


def test_the_halves_agree_within_the_farther_end_of_an_interval_of_90_percent(
    tmp_path: Path,
) -> None:
    found = a_a(tmp_path / "c", noise=0.004, rounds=20)
    control, [row] = judge_control(found), only(found.frame, scope="computing").index
    assert control.proven
    assert control.reasons == ()
    assert control.within == pytest.approx(within(found.differences[row]))
    assert 0.0005 < control.within < 0.005
    share = f"{control.within * 100:.2f} %"
    assert control.note == (
        f"proven for what computes: the controls, baselines entered twice, agree within {share} "
        "(20 rounds); verdicts need 0.5 %"
    )
    assert control.groups == (("3.14.0", control.within),)


def test_each_group_says_how_closely_its_halves_agree(tmp_path: Path) -> None:
    found = a_a(
        tmp_path / "c",
        noise=0.004,
        pythons=("3.13.0", "3.14.0"),
        loops=("asyncio", "uvloop"),
        rounds=20,
    )
    control = judge_control(found)
    rows = only(found.frame, scope="computing", control=True)
    assert [name for name, _ in control.groups] == [
        "3.13.0, asyncio", "3.13.0, uvloop", "3.14.0, asyncio", "3.14.0, uvloop",
    ]  # fmt: skip
    for (_, share), index in zip(control.groups, rows.index, strict=True):
        assert share == pytest.approx(within(found.differences[index]))
    together = found.differences[rows.index].mean(axis=0)
    assert control.within == pytest.approx(within(together))
    assert control.within < max(share for _, share in control.groups)


def test_halves_that_are_not_shown_to_agree_take_more_rounds(tmp_path: Path) -> None:
    control = judge_control(a_a(tmp_path / "c", noise=0.05))
    assert not control.proven
    assert control.reasons == ()
    assert control.within > 0.005
    needed = math.ceil(12 * (control.within / 0.005) ** 2)
    assert control.note == (
        "unproven: the controls, baselines entered twice, agree within "
        f"{control.within * 100:.2f} % after 12 rounds; verdicts need 0.5 %, which takes about "
        f"{needed} rounds"
    )


def test_without_cases_that_compute_all_cases_are_judged(tmp_path: Path) -> None:
    cases = (Case("latency", "noop", 10), *throughput(10, workload="sleep"))
    found = a_a(tmp_path / "c", cases=cases, noise=0.003, rounds=20)
    rows = only(found.frame, family="control")
    assert set(rows["metric"]) == {"p99", "total"}
    together = found.differences[rows.index].mean(axis=0)
    control = judge_control(found)
    assert control.within == pytest.approx(within(together))
    assert control.proven


def test_few_rounds_or_none_or_no_control_prove_nothing(tmp_path: Path) -> None:
    few = judge_control(a_a(tmp_path / "few", rounds=4, noise=1e-5))
    assert (few.proven, few.note) == (
        False, "unproven: the control has 4 rounds, and an interval takes 6",
    )  # fmt: skip
    assert few.reasons == ("4 rounds, and an interval takes 6",)
    for options in ({"rounds": 0}, {"control": False}):
        control = judge_control(a_a(tmp_path / str(options), **options))
        assert (control.proven, control.reasons) == (False, ())
        assert control.note == "unproven: no control was measured"


def test_a_case_in_which_the_control_failed_hides_no_bias_in_others(tmp_path: Path) -> None:
    failure = schema.Failure(contender=CONTROL, case="throughput/noop/1", round=4, cause="killed")
    control = judge_control(a_a(tmp_path / "c", bias=0.05, noise=0.005, failed=(failure,)))
    assert not control.proven
    assert len(control.reasons) == 3
    honest = judge_control(a_a(tmp_path / "honest", noise=0.003, failed=(failure,)))
    assert honest.proven
    assert "(12 rounds)" in honest.note


SPREADS = np.repeat([0.013, 0.022, 0.034], [12, 6, 6])
"""Standard deviations of D over rounds, of the 24 controls of a usual campaign."""


@pytest.mark.parametrize(("bias", "least", "most"), [(0.03, 0.80, 1.0), (0.0, 0.0, 0.05)])
def test_a_biased_case_is_found_and_an_honest_campaign_is_not_accused(
    bias: float, least: float, most: float
) -> None:
    rng = np.random.default_rng(20)
    flagged = 0
    for _ in range(400):
        drawn = SPREADS[:, None] * rng.standard_normal((len(SPREADS), 20))
        drawn[rng.integers(len(SPREADS))] += math.log1p(bias)
        found = simultaneous(hodges_lehmann_rows(drawn), drawn)
        verdicts = judge(np.exp(found.low), np.exp(found.high), found.rounds)
        flagged += bool(np.isin(verdicts, (SLOWER, FASTER)).any())
    assert least <= flagged / 400 <= most


def test_an_honest_campaign_is_seldom_said_to_differ_from_itself(tmp_path: Path) -> None:
    accused = [
        bool(judge_control(a_a(tmp_path / f"{seed}", seed=seed, noise=0.05, rounds=8)).reasons)
        for seed in range(100)
    ]
    assert sum(accused) <= 5


@pytest.mark.parametrize(
    ("name", "groups", "within"),
    [("2026-11-question", 20, 0.0025), ("2026-11-versions", 14, 0.001)],
)
def test_the_reference_campaigns_are_proven(name: str, groups: int, within: float) -> None:
    campaign = read_campaign(REPOSITORY / "results" / "reference" / name)
    control = judge_control(contrasts_of(Measured(campaign)))
    assert campaign.rounds >= 40
    assert (control.proven, control.reasons) == (True, ())
    assert control.within < within
    assert len(control.groups) == groups
    assert max(of_group for _, of_group in control.groups) < 0.03
