"""The cost model on lines that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.campaign import Campaign
from analysis.costs import MOST_POINTS, cost_model
from analysis.load import read_campaign
from tests.synthetic import World, change_lines, fail, write_campaign

ONE_LOOP = {"asyncio": 1.0}
BASELINE = "cpython-3.14.10/asyncio/lazy/gather_coroutines"


def measured(folder: Path, *, tasks: tuple[int, ...], rounds: int = 12, **world: Any) -> Campaign:  # noqa: ANN401
    written = write_campaign(
        folder / "campaign",
        world=World(effects={"gather_tasks": 1.5}, loop_factors=ONE_LOOP, **world),
        rounds=rounds,
        sweeps=3,
        probes=("throughput",),
        workloads=("noop",),
        tasks=tasks,
    )
    return read_campaign(written)


def line(frame: pd.DataFrame, contender: str) -> pd.Series:
    chosen = frame[frame["contender"] == contender]
    assert len(chosen) == 1
    return chosen.iloc[0]


def slow_from(folder: Path, tasks: int, factor: float) -> None:
    """Make every contender slower from so many tasks on."""

    def change(lines: list[dict[str, Any]]) -> None:
        for one in lines:
            if int(one["case"].rpartition("/")[2]) >= tasks:
                for cell in one["cells"].values():
                    cell["values"]["total"] = [v * factor for v in cell["values"]["total"]]

    change_lines(folder, change)


def test_the_line_is_found_with_its_interval(tmp_path: Path) -> None:
    campaign = measured(tmp_path, tasks=(1, 10, 100, 1000))
    frame = cost_model(campaign)
    for contender, effect in (("gather_coroutines", 1.0), ("gather_tasks", 1.5), ("control", 1.0)):
        found = line(frame, contender)
        assert found["fixed_seconds_low"] < 10e-6 * effect < found["fixed_seconds_high"]
        assert found["ns_per_task_low"] < 3000 * effect < found["ns_per_task_high"]
        assert (found["tasks_from"], found["tasks_to"], found["rounds"]) == (1, 1000, 12)
        assert found["breaks_at"] is pd.NA
        assert found["reason"] == ""


def test_the_line_says_where_it_breaks_and_by_how_much(tmp_path: Path) -> None:
    campaign = measured(tmp_path, tasks=(1, 10, 100, 1000, 10_000), drift=0.0)
    slow_from(campaign.folder, 1000, 1.3)
    found = line(cost_model(read_campaign(campaign.folder)), "gather_coroutines")
    assert found["breaks_at"] == 1000
    assert found["break_ratio"] == pytest.approx(1.3, rel=0.02)
    assert 1.25 < found["break_low"] < found["break_ratio"] < found["break_high"] < 1.35
    assert found["tasks_to"] == 100
    assert found["ns_per_task"] == pytest.approx(3000, rel=0.02)


def test_a_bend_below_a_tenth_is_no_break(tmp_path: Path) -> None:
    campaign = measured(tmp_path, tasks=(1, 10, 100, 1000))
    slow_from(campaign.folder, 1000, 1.05)
    frame = cost_model(read_campaign(campaign.folder))
    assert frame["breaks_at"].isna().all()


def test_a_bend_that_noise_explains_is_no_break(tmp_path: Path) -> None:
    """Five rounds give no interval, so nothing can be said to break."""
    campaign = measured(tmp_path, tasks=(1, 10, 100, 1000), rounds=5)
    slow_from(campaign.folder, 1000, 1.5)
    frame = cost_model(read_campaign(campaign.folder))
    assert frame["breaks_at"].isna().all()


def test_the_third_number_of_tasks_breaks_nothing(tmp_path: Path) -> None:
    campaign = measured(tmp_path, tasks=(1, 10, 100))
    slow_from(campaign.folder, 100, 2.0)
    assert cost_model(read_campaign(campaign.folder))["breaks_at"].isna().all()


def test_one_number_of_tasks_makes_no_line(tmp_path: Path) -> None:
    found = line(cost_model(measured(tmp_path, tasks=(10,))), "gather_coroutines")
    assert found["reason"] == "one number of tasks makes no line"
    assert pd.isna(found["fixed_seconds"])
    assert found["rounds"] == 0


def test_very_many_numbers_of_tasks_are_not_fitted(tmp_path: Path) -> None:
    campaign = measured(tmp_path, tasks=tuple(range(1, MOST_POINTS + 2)), rounds=1)
    assert set(cost_model(campaign)["reason"]) == {"more than 64 numbers of tasks"}


def test_a_contender_that_failed_in_a_case_is_fitted_through_the_others(tmp_path: Path) -> None:
    campaign = measured(tmp_path, tasks=(1, 10, 100))
    fail(campaign.folder, BASELINE, "throughput/noop/100", round_index=0, cause="killed")
    found = line(cost_model(read_campaign(campaign.folder)), "gather_coroutines")
    assert (found["tasks_to"], found["rounds"]) == (10, 12)


def test_rounds_without_every_number_of_tasks_are_left_out(tmp_path: Path) -> None:
    campaign = measured(tmp_path, tasks=(1, 10, 100))
    change_lines(campaign.folder, lambda lines: lines.pop(-2))
    assert set(cost_model(read_campaign(campaign.folder))["rounds"]) == {11}
