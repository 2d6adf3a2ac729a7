"""Absolutes, the cost model, what was counted, and the control."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimate.intervals import hodges_lehmann
from analysis.judge.contrasts import Measured, contrasts
from analysis.judge.findings import Findings, cost_model, find, judge_control
from analysis.read.campaign import Campaign
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


def test_absolutes_have_a_row_per_contender_and_measure_and_aggregates(found: Findings) -> None:
    assert found.baseline_python == "3.13.0"
    assert found.words is found.campaign.words
    frame = found.absolutes
    measures = sum(len(case.metrics) for case in found.campaign.cases)
    contenders = len(found.campaign.contenders)
    assert frame["scope"].value_counts().to_dict() == {
        "case": contenders * measures,
        "workload": contenders * 4,
        "computing": contenders,
    }
    assert set(only(frame, role="control")["contender"]) == {CONTROL}
    assert not frame.duplicated(["contender", "scope", "probe", "metric", "workload", "case"]).any()
    [row] = only(frame, contender=TASKS, scope="computing").to_dict("records")
    logs = np.log(only(found.campaign.values, contender=TASKS, workload="noop")["seconds"])
    of = only(found.campaign.values, contender=TASKS, workload="noop")
    per_task = (logs - np.log(of["tasks"])).groupby([of["round"], of["tasks"]]).median()
    expected = hodges_lehmann(per_task.groupby("round").mean() + np.log(1e9))
    names = ("value", "value_low", "value_high")
    assert [np.log(row[name]) for name in names] == pytest.approx(
        [expected.value, expected.low, expected.high]
    )
    assert (row["cases"], row["unit"], row["workload"], row["case"]) == (2, "ns", "", "")


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
    [reason] = set(model(tmp_path / "one", sizes=(10,))["reason"])
    assert reason == "one number of tasks makes no line"
    failure = schema.Failure(contender=BASELINE, case="throughput/noop/100", round=0, cause="x")
    frame = model(tmp_path / "failed", sizes=(1, 10, 100), failed=(failure,))
    assert set(frame["tasks_to"]) == {10}


def test_what_was_counted_is_the_median_of_rounds_with_their_range(tmp_path: Path) -> None:
    folder = campaigns.write(tmp_path / "c", cases=(Case("cancel", "pending", 10),), rounds=5)

    def change(lines: list[dict[str, dict[str, dict[str, object]]]]) -> None:
        for number, line in enumerate(lines):
            line["cells"][TASKS]["observed"] = {"left_running": [number, 0, 2 * number]}

    campaigns.change_lines(folder, change)
    frame = find(read_campaign(folder)).observations
    [row] = only(frame, contender=TASKS).to_dict("records")
    assert {name: row[name] for name in ("value", "low", "high", "rounds", "name", "tasks")} == {
        "value": 2.0, "low": 0.0, "high": 4.0, "rounds": 5, "name": "left_running", "tasks": 10,
    }  # fmt: skip


def a_a(folder: Path, *, bias: float = 0.0, **options: object) -> pd.DataFrame:
    """Contrasts of a campaign of nothing but the baseline and the control, in four cases."""
    return contrasts(
        read_campaign(
            campaigns.write(
                folder,
                strategies=("gather_coroutines",),
                cases=throughput(1, 10, 100, 1000),
                effect=lambda one, case, metric: bias * (one.role == "control"),
                **options,  # type: ignore[arg-type]
            )
        )
    )


@pytest.mark.parametrize("bias", [0.03, -0.03])
def test_a_biased_control_makes_the_campaign_unproven(tmp_path: Path, bias: float) -> None:
    control = judge_control(a_a(tmp_path / "c", bias=bias, noise=0.005))
    assert not control.proven
    assert len(control.reasons) == 4
    assert control.note.startswith("unproven: the control, which is the baseline a second time")
    assert control.reasons[0] in control.note
    assert 0.02 < control.largest < 0.04


def test_an_honest_control_is_proven_in_95_of_100_campaigns(tmp_path: Path) -> None:
    proven = [
        judge_control(a_a(tmp_path / f"{seed}", seed=seed, noise=0.05, rounds=8)).proven
        for seed in range(100)
    ]
    assert 95 <= sum(proven) < 100  # some are refused, or nothing was tested


def test_the_note_gives_the_cases_rounds_and_widths(tmp_path: Path) -> None:
    frame = a_a(tmp_path / "c")
    control, rows = judge_control(frame), only(frame, family="control")
    assert control.proven
    assert control.widest == pytest.approx(((rows["high"] - rows["low"]) / 2).max())
    assert control.largest == pytest.approx((rows["ratio"] - 1).abs().max())
    for part in ("proven: the control", "any of 4 cases", "12 rounds", "intervals up to ±"):
        assert part in control.note


def test_few_rounds_or_none_or_no_control_prove_nothing(tmp_path: Path) -> None:
    few = judge_control(a_a(tmp_path / "few", rounds=5))
    assert few.reasons == ("5 rounds, and an interval takes 6",)
    for options in ({"rounds": 0}, {"control": False}):
        control = judge_control(a_a(tmp_path / str(options), **options))
        assert (control.proven, control.reasons) == (False, ())
        assert control.note == "unproven: no control was measured"


def test_a_case_in_which_the_control_failed_hides_no_bias_in_others(tmp_path: Path) -> None:
    failure = schema.Failure(contender=CONTROL, case="throughput/noop/1", round=4, cause="killed")
    control = judge_control(a_a(tmp_path / "c", bias=0.05, noise=0.005, failed=(failure,)))
    assert not control.proven
    assert len(control.reasons) == 3
    honest = judge_control(a_a(tmp_path / "honest", failed=(failure,)))
    assert honest.proven
    assert "in any of 3 cases" in honest.note


@pytest.mark.parametrize("name", ["2026-11-question", "2026-11-versions"])
def test_the_reference_campaigns_are_proven_by_their_control(name: str) -> None:
    campaign: Campaign = read_campaign(REPOSITORY / "results" / "reference" / name)
    assert judge_control(contrasts(campaign)).proven
