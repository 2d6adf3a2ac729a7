"""The question's own probes and axes: estimates on campaigns whose truth is known, and that none of
it changes what other campaigns show.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.axes import flips
from analysis.campaign import Campaign
from analysis.comparisons import compare, per_round
from analysis.costs import cost_model
from analysis.findings import Findings, find
from analysis.load import read_campaign
from analysis.observations import observations
from analysis.plain import LATER_COLUMNS, PROBES
from tests.repository import REPOSITORY
from tests.synthetic import (
    LATER_FIELDS,
    QUESTION,
    STARTS_AT_CREATION,
    TREE_TASKS,
    World,
    change_lines,
    change_plan,
    question_asks,
    write_campaign,
    write_question,
)

FRAMES = [field.name for field in fields(Findings) if field.type == "pd.DataFrame"]
KEY = ["case", "metric", "contender_id"]


def only(frame: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    assert len(frame)
    return frame


# --- who is asked what ---------------------------------------------------------------------------


def test_what_no_block_asks_is_no_row(question: Findings) -> None:
    plan = question.campaign.plan
    asked = {
        (case.id, one.id)
        for case in plan.cases
        for one in plan.contenders
        if plan.asks(one.id, case.id)
    }
    assert 0 < len(asked) < len(plan.cases) * len(plan.contenders)
    for frame in (question.everything, question.every_absolute, question.observations):
        assert set(zip(frame["case"], frame["contender_id"], strict=True)) <= asked
    measured = question.every_absolute
    assert set(zip(measured["case"], measured["contender_id"], strict=True)) == asked
    assert "missing" not in set(question.everything["verdict"])
    assert question.campaign.problems == ()


def test_every_contender_is_held_against_the_baseline_of_its_own_group(question: Findings) -> None:
    frame = only(question.everything, probe="throughput", metric="total", role="contender")
    assert set(frame["baseline"]) == {"gather_coroutines"}
    truth = frame["strategy"].map(QUESTION.effects)
    truth = truth * np.where(
        (frame["collector"] == "off") & (frame["strategy"] == "task_group"), 0.8, 1.0
    )
    assert (np.abs(frame["ratio"] / truth - 1) < 0.02).all()


def test_a_contender_whose_baseline_is_not_asked_has_a_cost_and_no_ratio(tmp_path: Path) -> None:
    def asks(contender: Any, case: Any) -> bool:  # noqa: ANN401
        return bool(contender["role"] != "baseline" or case["tasks"] == 10)

    found = find(read_campaign(write_question(tmp_path / "c", asks=asks, rounds=6)))
    assert set(found.everything["tasks"]) == {10}
    assert set(found.every_absolute["tasks"]) == {10, 1000}


def test_tasks_that_make_tasks_are_all_counted(question: Findings) -> None:
    trees = only(question.every_absolute, workload="tree", probe="throughput")
    np.testing.assert_allclose(
        trees["ns_per_task"] * trees["tasks"] * TREE_TASKS, trees["seconds"] * 1e9
    )
    flat = only(question.every_absolute, workload="noop", probe="throughput")
    np.testing.assert_allclose(flat["ns_per_task"] * flat["tasks"], flat["seconds"] * 1e9)


# --- bytes ---------------------------------------------------------------------------------------


def test_bytes_are_compared_like_seconds_and_shown_per_task(question: Findings) -> None:
    frame = only(question.everything, probe="memory", role="contender")
    assert set(frame["unit"]) == {"byte"}
    assert set(frame["metric"]) == {"steady", "peak"}
    effects = frame["strategy"].map(QUESTION.effects)
    assert (np.abs(frame["ratio"] / effects - 1) < 0.02).all()
    share = frame["metric"].map({"steady": 1.0, "peak": 1.25})
    np.testing.assert_allclose(frame["bytes_per_task"], 2000 * share * effects, rtol=0.02)
    np.testing.assert_allclose(frame["baseline_bytes_per_task"], 2000 * share, rtol=0.02)
    assert (frame["bytes_per_task_low"] <= frame["bytes_per_task"]).all()
    assert (frame["bytes_per_task"] <= frame["bytes_per_task_high"]).all()
    assert (
        frame[["seconds", "seconds_low", "ns_per_task", "baseline_seconds"]].isna().to_numpy().all()
    )
    timed = question.everything[question.everything["unit"] == "second"]
    assert timed[["bytes_per_task", "baseline_bytes_per_task"]].isna().to_numpy().all()
    assert timed["seconds"].notna().all()


def test_a_value_stands_in_the_column_of_its_unit(question: Findings) -> None:
    values = question.campaign.frame
    in_bytes = values["probe"] == "memory"
    assert values.loc[in_bytes, "bytes"].notna().all()
    assert values.loc[in_bytes, "seconds"].isna().all()
    assert values.loc[~in_bytes, "seconds"].notna().all()
    assert values.loc[~in_bytes, "bytes"].isna().all()
    assert set(values["pause"]) == {"none", "sleep_5ms", "sleep_20ms", "compute_10ms"}
    assert set(values["collector"]) == {"on", "off", "frozen"}
    rounds = per_round(question.campaign)
    assert rounds.loc[rounds["probe"] == "memory", "seconds"].isna().all()
    assert rounds["ratio"].notna().any()


# --- what was observed ---------------------------------------------------------------------------


def test_what_was_observed_is_the_median_of_rounds_with_their_range(tmp_path: Path) -> None:
    folder = write_question(tmp_path / "c", probes=("throughput",), rounds=5, tasks=(10,))
    contender = "cpython-3.14.10/asyncio/lazy/gather_tasks"

    def change(lines: list[dict[str, Any]]) -> None:
        for line in lines:
            if line["case"] == "throughput/noop/10":
                number = line["round"]
                line["cells"][contender]["observed"]["collections"] = [number, 0, 2 * number]

    change_lines(folder, change)
    frame = observations(read_campaign(folder))
    found = only(frame, case="throughput/noop/10", contender_id=contender, name="collections")
    assert len(found) == 1
    assert found[["value", "low", "high", "rounds"]].iloc[0].tolist() == [2.0, 0.0, 4.0, 5]
    assert found[["strategy", "collector", "workload", "tasks", "pause"]].iloc[0].tolist() == [
        "gather_tasks", "on", "noop", 10, "none",
    ]  # fmt: skip
    case_order = [case.id for case in read_campaign(folder).cases]
    assert list(dict.fromkeys(frame["case"])) == case_order


def test_observations_are_the_truth(question: Findings) -> None:
    frame = question.observations
    collections = only(frame, name="collections")
    expected = np.where(collections["collector"] == "on", collections["tasks"] * 0.001, 0.0)
    np.testing.assert_allclose(collections["value"], expected)
    failed = only(frame, probe="failure", role="contender", name="siblings_cancelled")
    cancels = failed["strategy"] == "task_group"
    np.testing.assert_allclose(failed["value"], np.where(cancels, failed["tasks"] - 1, 0))
    left = only(frame, probe="cancel", role="contender", name="left_running")
    np.testing.assert_allclose(
        left["value"], np.where(left["strategy"] == "wait", left["tasks"], 0)
    )
    assert {"metric", "unit"}.isdisjoint(frame.columns)


# --- axes ----------------------------------------------------------------------------------------


def test_a_task_factory_is_held_against_the_first_strategy_by_strategy(question: Findings) -> None:
    frame = question.factories
    assert set(frame["task_factory"]) == {"eager"}
    assert set(frame["baseline"]) == {"lazy"}
    assert set(frame["probe"]) == {"throughput", "head_start"}
    assert set(frame["contender"]) == {"gather_coroutines", *QUESTION.effects}
    throughput = only(frame, probe="throughput")
    np.testing.assert_allclose(throughput["ratio"], 0.6, rtol=0.02)
    assert set(throughput["verdict"]) == {"faster"}
    # Its own baseline: each is held against itself with the same collector.
    np.testing.assert_allclose(
        throughput["baseline_seconds"], throughput["seconds"] / 0.6, rtol=0.05
    )


def test_a_collector_is_held_against_on(question: Findings) -> None:
    frame = question.collectors
    assert set(frame["collector"]) == {"off", "frozen"}
    assert set(frame["baseline"]) == {"on"}
    assert set(frame["probe"]) == {"throughput"}
    moved = (frame["collector"] == "off") & (frame["strategy"] == "task_group")
    np.testing.assert_allclose(frame["ratio"], np.where(moved, 0.8, 1.0), rtol=0.02)
    assert set(frame.loc[moved, "verdict"]) == {"faster"}


def test_a_ranking_that_flips_is_found_and_no_other(question: Findings) -> None:
    frame = question.flips
    assert set(frame["contender"]) == {"task_group"}
    assert set(frame["collector"]) == {"off"}
    assert len(frame) == 2 * 2 * 3 * 2  # loops x factories x workloads x n
    np.testing.assert_allclose(frame["ratio"], 0.88, rtol=0.02)
    np.testing.assert_allclose(frame["on_ratio"], 1.10, rtol=0.02)
    assert (frame["high"] < 1).all()
    assert (frame["on_low"] > 1).all()


def test_only_decided_and_opposite_verdicts_flip(question: Findings) -> None:
    frame = question.everything
    assert flips(frame.assign(verdict="undecided")).empty
    on = frame["collector"] == "on"
    assert flips(frame.assign(verdict="slower")).empty
    opposite = frame.assign(verdict=np.where(on, "slower, within 2 %", "faster"))
    headline = frame["headline"] & (frame["role"] != "control")
    assert len(flips(opposite)) == int((~on & headline).sum())


# --- the head start ------------------------------------------------------------------------------


def test_head_start_is_what_the_makespan_is_below_pause_and_work(question: Findings) -> None:
    frame = only(question.head_start, workload="sleep_20ms")
    assert set(frame["work_seconds"]) == {0.020}
    np.testing.assert_allclose(
        frame["ideal_tasks"], np.maximum(frame["pause_seconds"], frame["work_seconds"])
    )
    np.testing.assert_allclose(
        frame["ideal_coroutines"], frame["pause_seconds"] + frame["work_seconds"]
    )
    np.testing.assert_allclose(frame["saved"], frame["ideal_coroutines"] - frame["makespan"])
    assert (frame["saved_low"] <= frame["saved"]).all()
    assert (frame["saved"] <= frame["saved_high"]).all()
    small = only(frame, tasks=10)
    early = (
        small["strategy"].isin(STARTS_AT_CREATION)
        & (small["pause"] != "none")
        & (small["pause_suspends"] | (small["task_factory"] == "eager"))
    )
    truth = np.where(early, small["ideal_coroutines"] - small["ideal_tasks"], 0.0)
    np.testing.assert_allclose(small["saved"], truth, atol=1e-4)
    np.testing.assert_allclose(small["started_before_join"], early.astype(float))
    done = early & small["pause_suspends"] & (small["pause_seconds"] >= 0.020)
    np.testing.assert_allclose(small["share_before_join"], done.astype(float))


def test_head_start_has_a_row_for_every_pause_and_strategy(question: Findings) -> None:
    frame = question.head_start
    key = ["python", "loop", "task_factory", "strategy", "workload", "tasks", "pause"]
    assert not frame.duplicated(key).any()
    assert len(frame) == 2 * 2 * 5 * 3 * 2 * 4
    assert set(frame["rounds"]) == {8}
    computing = only(frame, pause="compute_10ms")
    assert set(computing["pause_seconds"]) == {0.010}
    assert not computing["pause_suspends"].any()
    assert frame.loc[frame["workload"] == "noop", ["work_seconds", "saved"]].isna().to_numpy().all()


# --- the plain view ------------------------------------------------------------------------------


def test_only_plain_cells_are_in_the_plain_view(question: Findings) -> None:
    for frame in (question.comparisons, question.absolutes, question.loops):
        assert set(frame["probe"]) == set(PROBES)
        assert set(frame["task_factory"]) == {"lazy"}
        assert not set(LATER_COLUMNS) & set(frame.columns)
        assert len(frame[KEY].drop_duplicates()) == len(frame)
    ids = set(question.absolutes["contender_id"])
    assert {one.collector for one in question.campaign.contenders if one.id in ids} == {"on"}
    everything = question.everything.set_index(KEY)
    plain = question.comparisons.set_index(KEY)
    assert (everything.loc[plain.index, "ratio"] == plain["ratio"]).all()
    assert set(question.costs["workload"]) == {"noop", "sleep_20ms"}
    assert set(question.costs["task_factory"]) == {"lazy"}


def test_means_over_cases_leave_out_trees_and_what_does_not_fan_out(question: Findings) -> None:
    summary = question.summary
    assert set(summary["contender"]) == {
        "gather_tasks", "task_group", "wait", "as_completed", "control",
    }  # fmt: skip
    assert set(summary["cases"]) == {4}
    assert len(summary) == 2 * 4 + 1
    strategies = summary[summary["contender"] != "control"]
    truth = strategies["contender"].map(QUESTION.effects)
    assert (np.abs(strategies["ratio"] / truth - 1) < 0.02).all()


def test_the_plain_view_is_that_of_the_same_campaign_without_the_rest(tmp_path: Path) -> None:
    """Values do not depend on what else is asked, so a campaign of the plain cells alone, made from
    the same lines, has the same estimates.
    """
    folder = write_question(tmp_path / "c", workloads=("noop", "sleep_20ms"))
    whole = find(read_campaign(folder))
    kept = {
        one.id
        for one in whole.campaign.contenders
        if one.task_factory == "lazy" and one.collector == "on" and one.strategy != "sequential"
    }

    def plan_of_kept(plan: dict[str, Any]) -> None:
        plan["contenders"] = [one for one in plan["contenders"] if one["id"] in kept]
        plan["cases"] = [case for case in plan["cases"] if case["probe"] in PROBES]
        del plan["blocks"]
        for item in (*plan["contenders"], *plan["cases"]):
            for name in LATER_FIELDS:
                item.pop(name, None)

    def lines_of_kept(lines: list[dict[str, Any]]) -> None:
        lines[:] = [line for line in lines if line["case"].split("/")[0] in PROBES]
        for line in lines:
            line["cells"] = {name: cell for name, cell in line["cells"].items() if name in kept}
            for cell in line["cells"].values():
                del cell["observed"]

    change_plan(folder, plan_of_kept)
    change_lines(folder, lines_of_kept)
    alone = find(read_campaign(folder))
    assert alone.campaign.problems == ()
    pd.testing.assert_frame_equal(alone.summary, whole.summary)
    columns = [*KEY, "ratio", "low", "high", "floor", "verdict", "seconds", "ns_per_task"]
    fan_out = whole.comparisons["strategy"] != "sequential"
    pd.testing.assert_frame_equal(
        alone.comparisons[columns], whole.comparisons.loc[fan_out, columns].reset_index(drop=True)
    )
    fan_out = whole.costs["strategy"] != "sequential"
    pd.testing.assert_frame_equal(alone.costs, whole.costs[fan_out].reset_index(drop=True))


def test_fields_left_out_are_those_of_a_plain_campaign(tmp_path: Path) -> None:
    """An older folder is one whose later fields say what is usual."""
    older = write_campaign(tmp_path / "c", rounds=6, workloads=("noop",), tasks=(10, 1000))
    before = find(read_campaign(older))

    def spelled_out(plan: dict[str, Any]) -> None:
        for contender in plan["contenders"]:
            contender["collector"] = "on"
        for case in plan["cases"]:
            case |= {
                "pause": "none", "pause_seconds": 0.0, "pause_suspends": False,
                "work_seconds": None, "tasks_each": 1,
                "units": dict.fromkeys(case["metrics"], "second"),
            }  # fmt: skip
        plan["blocks"] = [
            {name: [item["id"] for item in plan[name]] for name in ("contenders", "cases")}
        ]

    change_plan(older, spelled_out)
    after = find(read_campaign(older))
    assert after.campaign.problems == ()
    assert after.control == before.control
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(after, name), getattr(before, name))


def test_an_older_campaign_has_none_of_it(tmp_path: Path) -> None:
    found = find(read_campaign(write_campaign(tmp_path / "c", rounds=6, tasks=(10,))))
    for name in ("observations", "factories", "collectors", "flips", "head_start"):
        assert getattr(found, name).empty
    assert found.witness is None
    assert set(found.everything["collector"]) == {"on"}
    assert set(found.everything["pause"]) == {"none"}
    assert set(found.everything["unit"]) == {"second"}


REFERENCES = sorted((REPOSITORY / "results" / "reference").glob("*/report/comparisons.csv"))


@pytest.mark.parametrize("published", REFERENCES, ids=lambda path: path.parts[-3])
def test_a_reference_campaign_still_says_what_its_report_says(published: Path) -> None:
    campaign = read_campaign(published.parents[1])
    found = find(campaign).comparisons.set_index(KEY)
    said = pd.read_csv(published, keep_default_na=False, na_values=[""]).set_index(KEY)
    said = said.loc[found.index]
    for name in ("ratio", "low", "high", "seconds", "ns_per_task", "floor"):
        np.testing.assert_allclose(found[name], said[name].astype(float), rtol=1e-9)
    assert list(found["verdict"]) == list(said["verdict"])


# --- trees and campaigns without anything --------------------------------------------------------


def test_trees_have_no_line(question: Findings) -> None:
    assert "tree" not in set(cost_model(question.campaign)["workload"])


def test_a_question_campaign_without_rounds_is_missing_cell_by_cell(tmp_path: Path) -> None:
    folder = write_question(tmp_path / "c", rounds=0, status="running")
    found = find(read_campaign(folder))
    asked = sum(
        len(case.metrics)
        for case in found.campaign.cases
        for one in found.campaign.contenders
        if one.role != "baseline" and found.campaign.plan.asks(one.id, case.id)
    )
    assert len(found.everything) == asked
    assert set(found.everything["verdict"]) == {"missing"}
    assert found.observations.empty
    assert found.head_start.empty


def test_intervals_of_bytes_and_of_axes_cover_the_truth(tmp_path: Path) -> None:
    """30 campaigns: memory's ratios, and eager against lazy."""
    world = World(
        effects={"gather_tasks": 1.02},
        loop_factors={"asyncio": 1.0},
        factory_factors={"eager": 0.6},
    )
    covered = []
    for seed in range(30):
        campaign: Campaign = read_campaign(
            write_campaign(
                tmp_path / f"c{seed}", world=world, rounds=12, sweeps=3, tasks=(10,), seed=seed,
                probes=("throughput", "memory"), workloads=("noop",),
                factories=("lazy", "eager"), asks=question_asks,
            )
        )  # fmt: skip
        memory = compare(campaign)
        memory = memory[(memory["probe"] == "memory") & memory["headline"]]
        memory = memory[memory["role"] != "control"]
        covered += list((memory["low"] <= 1.02) & (memory["high"] >= 1.02))
        factories = find(campaign).factories
        covered += list((factories["low"] <= 0.6) & (factories["high"] >= 0.6))
    assert len(covered) == 30 * 3
    assert np.mean(covered) >= 0.88
