"""Contrasts and verdicts on campaigns whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.campaign import Campaign, CampaignError
from analysis.comparisons import absolutes, compare, compare_loops, per_round
from analysis.control import control_health
from analysis.estimates import hodges_lehmann, round_difference
from analysis.findings import find
from analysis.load import read_campaign
from analysis.summaries import summarise
from tests.synthetic import World, change_lines, change_plan, fail, write_campaign

BASELINE = "cpython-3.14.10/asyncio/lazy/gather_coroutines"
CONTENDER = "cpython-3.14.10/asyncio/lazy/gather_tasks"
CONTROL = BASELINE + "/control"
CASE = "throughput/noop/10"
STILL: dict[str, Any] = {"drift": 0.2, "round_noise": 0.0, "value_noise": 0.0}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    folder = tmp_path_factory.mktemp("results") / "campaign"
    return read_campaign(write_campaign(folder, workloads=("noop",), tasks=(10, 1000)))


def small(
    folder: Path,
    world: World,
    *,
    rounds: int = 12,
    probes: tuple[str, ...] = ("throughput",),
    tasks: tuple[int, ...] = (10,),
    seed: int = 1,
) -> Campaign:
    written = write_campaign(
        folder / f"campaign-{seed}",
        world=world,
        rounds=rounds,
        sweeps=3,
        probes=probes,
        workloads=("noop",),
        tasks=tasks,
        seed=seed,
    )
    return read_campaign(written)


def row(frame: pd.DataFrame, **wanted: object) -> pd.Series:
    """The one row with these values."""
    chosen = frame
    for name, value in wanted.items():
        chosen = chosen[chosen[name] == value]
    assert len(chosen) == 1
    return chosen.iloc[0]


# --- contrasts -----------------------------------------------------------------------------------


def test_a_row_for_every_contrast_and_metric_in_the_order_of_the_plan(campaign: Campaign) -> None:
    frame = compare(campaign)
    assert len(frame) == 5 * (2 * 1 + 2 * 4)
    assert frame.loc[
        :4, ["case", "metric", "loop", "contender", "baseline"]
    ].to_numpy().tolist() == [
        [CASE, "total", "asyncio", "gather_tasks", "gather_coroutines"],
        [CASE, "total", "asyncio", "task_group", "gather_coroutines"],
        [CASE, "total", "uvloop", "gather_tasks", "gather_coroutines"],
        [CASE, "total", "uvloop", "task_group", "gather_coroutines"],
        [CASE, "total", "asyncio", "control", "gather_coroutines"],
    ]
    headlines = frame[frame["headline"]]
    assert set(zip(headlines["probe"], headlines["metric"], strict=True)) == {
        ("throughput", "total"),
        ("latency", "p99"),
    }


def test_estimates_lie_near_the_truth_and_in_their_intervals(campaign: Campaign) -> None:
    frame = compare(campaign)
    truth = frame["contender"].map({"gather_tasks": 1.02, "task_group": 1.10, "control": 1.0})
    assert (np.abs(frame["ratio"] / truth - 1) < 0.01).all()
    assert (frame["low"] <= frame["low90"]).all()
    assert (frame["low90"] <= frame["ratio"]).all()
    assert (frame["high90"] <= frame["high"]).all()


def test_intervals_of_whole_campaigns_cover_the_truth(tmp_path: Path) -> None:
    """80 campaigns with 5 contrasts each; the standard error of the coverage is 1.1 %."""
    truth = {"gather_tasks": 1.02, "task_group": 1.10, "control": 1.0}
    covered = []
    for seed in range(80):
        frame = compare(small(tmp_path, World(), seed=seed))
        true_ratio = frame["contender"].map(truth)
        covered += list((frame["low"] <= true_ratio) & (true_ratio <= frame["high"]))
    assert len(covered) == 400
    assert 0.93 <= np.mean(covered) <= 0.98


def test_a_contrast_is_hodges_lehmann_over_rounds_of_medians_over_sweeps(
    campaign: Campaign,
) -> None:
    frame = campaign.frame[(campaign.frame["case"] == CASE) & (campaign.frame["metric"] == "total")]
    differences = [
        round_difference(
            of_round.loc[of_round["contender"] == CONTENDER, "seconds"],
            of_round.loc[of_round["contender"] == BASELINE, "seconds"],
        )
        for _, of_round in frame.groupby("round")
    ]
    found = row(compare(campaign), case=CASE, metric="total", contender_id=CONTENDER)
    for confidence, low, high in ((0.95, "low", "high"), (0.90, "low90", "high90")):
        expected = hodges_lehmann(differences, confidence)
        assert found["ratio"] == pytest.approx(np.exp(expected.value))
        assert found[low] == pytest.approx(np.exp(expected.low))
        assert found[high] == pytest.approx(np.exp(expected.high))
    per = per_round(campaign)
    mine = per[(per["case"] == CASE) & (per["contender_id"] == CONTENDER)]
    np.testing.assert_allclose(np.log(mine["ratio"]), differences)


def test_drift_cancels_in_ratios_and_not_in_absolute_costs(campaign: Campaign) -> None:
    contrast = row(compare(campaign), case=CASE, metric="total", contender_id=CONTENDER)
    absolute = row(absolutes(campaign), case=CASE, metric="total", contender_id=CONTENDER)
    assert contrast["high"] / contrast["low"] < 1.02
    assert absolute["seconds_high"] / absolute["seconds_low"] > 1.1
    assert absolute["seconds"] == contrast["seconds"]


def test_absolute_costs_agree_with_one_another(campaign: Campaign) -> None:
    frame = absolutes(campaign)
    assert len(frame) == 7 * (2 * 1 + 2 * 4)
    throughput = frame[frame["probe"] == "throughput"]
    for end, other in (("", ""), ("_low", "_high"), ("_high", "_low")):
        ns = throughput[f"seconds{end}"] / throughput["tasks"] * 1e9
        np.testing.assert_allclose(throughput[f"ns_per_task{end}"], ns)
        np.testing.assert_allclose(throughput[f"tasks_per_second{other}"], 1e9 / ns)
    assert frame.loc[frame["probe"] == "latency", "ns_per_task"].isna().all()
    assert set(frame["role"]) == {"baseline", "contender", "control"}


def test_loops_are_held_against_the_first_strategy_by_strategy(campaign: Campaign) -> None:
    frame = compare_loops(campaign)
    assert set(frame["loop"]) == {"uvloop"}
    assert set(frame["baseline"]) == {"asyncio"}
    assert set(frame["contender"]) == {"gather_coroutines", "gather_tasks", "task_group"}
    np.testing.assert_allclose(frame["ratio"], 0.8, rtol=0.02)
    assert (frame["verdict"] == "faster").all()


# --- invariances ---------------------------------------------------------------------------------

quick = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(seed=st.integers(0, 1000))
def test_order_of_rows_is_irrelevant(campaign: Campaign, seed: int) -> None:
    shuffled = replace(campaign, frame=campaign.frame.sample(frac=1, random_state=seed))
    pd.testing.assert_frame_equal(compare(shuffled), compare(campaign))


@quick
@given(factor=st.floats(0.01, 100))
def test_scaling_all_times_cancels(campaign: Campaign, factor: float) -> None:
    scaled = campaign.frame.assign(seconds=campaign.frame["seconds"] * factor)
    frame, before = compare(replace(campaign, frame=scaled)), compare(campaign)
    for name in ("ratio", "low", "high"):
        np.testing.assert_allclose(frame[name], before[name])
    np.testing.assert_allclose(frame["seconds"], before["seconds"] * factor)
    assert (frame["verdict"] == before["verdict"]).all()


def test_swapping_sides_inverts_the_ratio(campaign: Campaign) -> None:
    roles = {BASELINE: "contender", CONTENDER: "baseline"}
    swapped_contenders = tuple(
        replace(c, role=roles.get(c.id, c.role))  # type: ignore[arg-type]
        for c in campaign.contenders
        if c.role != "control"
    )
    frame = campaign.frame[campaign.frame["contender"] != CONTROL]
    frame = frame.assign(contender=frame["contender"].cat.remove_unused_categories())
    swapped = replace(
        campaign, plan=replace(campaign.plan, contenders=swapped_contenders), frame=frame
    )
    there = compare(campaign)
    there = there[there["contender_id"] == CONTENDER]
    back = compare(swapped)
    back = back[back["contender_id"] == BASELINE]
    np.testing.assert_allclose(back["ratio"], 1 / there["ratio"])
    np.testing.assert_allclose(back["low"], 1 / there["high"])
    np.testing.assert_allclose(back["high90"], 1 / there["low90"])


# --- verdicts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        (1.5, "slower"),
        (1.021, "slower"),
        (1.019, "slower, within 2 %"),
        (1.006, "slower, within 2 %"),
        (1.004, "same"),
        (1.0, "same"),
        (0.996, "same"),
        (0.994, "faster, within 2 %"),
        (0.981, "faster, within 2 %"),
        (0.979, "faster"),
        (0.5, "faster"),
    ],
)
def test_verdict_without_noise(tmp_path: Path, effect: float, verdict: str) -> None:
    campaign = small(tmp_path, World(effects={"gather_tasks": effect}, **STILL))
    frame = compare(campaign)
    assert set(frame.loc[frame["contender"] == "gather_tasks", "verdict"]) == {verdict}
    assert (frame["rounds_needed"].isna()).all()


def test_delta_is_what_counts_as_the_same(tmp_path: Path) -> None:
    campaign = small(tmp_path, World(effects={"gather_tasks": 1.03}, **STILL))
    frame = compare(campaign, delta=0.05)
    assert set(frame.loc[frame["role"] == "contender", "verdict"]) == {"slower, within 5 %"}


def test_the_control_sets_the_noise_floor(tmp_path: Path) -> None:
    world = World(effects={"gather_tasks": 1.02, "task_group": 1.04}, control_effect=0.97, **STILL)
    frame = compare(small(tmp_path, world))
    floor = frame[frame["contender"] != "control"]["floor"]
    np.testing.assert_allclose(floor, 1 / 0.97 - 1)
    assert set(frame.loc[frame["contender"] == "gather_tasks", "verdict"]) == {"undecided"}
    assert set(frame.loc[frame["contender"] == "gather_tasks", "reason"]) == {
        "more rounds would not decide it: the noise floor is too high"
    }
    assert set(frame.loc[frame["contender"] == "task_group", "verdict"]) == {"slower"}
    control = row(frame, contender="control")
    assert (control["floor"], control["verdict"]) == (0.005, "faster")


def test_undecided_says_how_many_rounds_it_would_take(tmp_path: Path) -> None:
    noisy = World(effects={"gather_tasks": 1.03}, round_noise=0.05)
    found = row(compare(small(tmp_path, noisy)), loop="asyncio", contender="gather_tasks")
    assert found["verdict"] == "undecided"
    half = np.log(found["high"] / found["low"]) / 2
    half90 = np.log(found["high90"] / found["low90"]) / 2
    away = abs(np.log(found["ratio"]))
    shrink = half / (away - np.log1p(found["floor"])) if away > np.log1p(found["floor"]) else np.inf
    if away < np.log(1.02):
        shrink = min(shrink, half90 / (np.log(1.02) - away))
    assert found["rounds_needed"] == np.ceil(12 * (shrink**2 - 1))
    assert found["reason"] == f"about {found['rounds_needed']} more rounds would decide it"


def test_so_many_rounds_do_decide_it(tmp_path: Path) -> None:
    """Twice the rounds that were asked for, since the estimate moves too."""
    world = World(effects={"gather_tasks": 1.04}, loop_factors={"asyncio": 1.0}, round_noise=0.02)
    found = row(compare(small(tmp_path, world, seed=6)), contender="gather_tasks")
    assert found["verdict"] == "undecided"
    more = small(tmp_path, world, rounds=12 + 2 * int(found["rounds_needed"]), seed=16)
    assert row(compare(more), contender="gather_tasks")["verdict"] == "slower"


@pytest.mark.parametrize("rounds", [1, 5])
def test_few_rounds_decide_nothing(tmp_path: Path, rounds: int) -> None:
    campaign = small(tmp_path, World(), rounds=rounds)
    frame = compare(campaign)
    assert set(frame["verdict"]) == {"undecided"}
    assert set(frame["rounds_needed"]) == {12 - rounds}
    assert set(frame["low"]) == {0.0}
    assert set(frame["high"]) == {np.inf}
    plural = "s" if rounds > 1 else ""
    assert set(frame["reason"]) == {f"{rounds} round{plural} cannot give a 95 % interval"}
    assert set(summarise(campaign)["verdict"]) == {"undecided"}


# --- what is missing -----------------------------------------------------------------------------


def test_a_contender_that_failed_at_once_is_missing_with_its_cause(tmp_path: Path) -> None:
    campaign = small(tmp_path, World(), tasks=(10, 100))
    fail(campaign.folder, CONTENDER, CASE, round_index=0, cause="ran 9 of 10 coroutines")
    frame = compare(read_campaign(campaign.folder))
    found = row(frame, case=CASE, contender_id=CONTENDER)
    assert found["verdict"] == "missing"
    assert found["reason"] == "failed in round 0: ran 9 of 10 coroutines"
    assert found[["ratio", "seconds", "ns_per_task"]].isna().all()
    assert found["rounds"] == 0
    assert not np.isnan(found["baseline_seconds"])
    assert (frame["verdict"] == "missing").sum() == 1


def test_a_failed_baseline_makes_its_group_missing(tmp_path: Path) -> None:
    campaign = small(tmp_path, World())
    fail(campaign.folder, BASELINE, CASE, round_index=0, cause="killed")
    frame = compare(read_campaign(campaign.folder))
    missing = frame[frame["verdict"] == "missing"]
    assert set(missing["loop"]) == {"asyncio"}
    assert len(missing) == 3
    assert set(missing["reason"]) == {"its baseline failed in round 0: killed"}


def test_a_contender_that_failed_later_keeps_its_rounds_and_says_so(tmp_path: Path) -> None:
    campaign = small(tmp_path, World())
    fail(campaign.folder, CONTENDER, CASE, round_index=8, cause="killed")
    found = row(compare(read_campaign(campaign.folder)), contender_id=CONTENDER)
    assert found["rounds"] == 8
    assert found["reason"].endswith("failed in round 8: killed")


def test_a_case_not_reached_yet_is_missing(tmp_path: Path) -> None:
    campaign = small(tmp_path, World(), tasks=(10, 100), rounds=1)
    change_lines(campaign.folder, lambda lines: lines.pop())
    change_plan(campaign.folder, lambda plan: plan.update(status="interrupted"))
    frame = compare(read_campaign(campaign.folder))
    assert set(frame.loc[frame["tasks"] == 100, "reason"]) == {
        "not measured: the campaign is interrupted"
    }


def test_sweeps_are_paired_even_when_some_are_absent(campaign: Campaign) -> None:
    frame = campaign.frame
    gone = (frame["contender"] == BASELINE) & (frame["sweep"] == 2) & (frame["round"] == 3)
    contrast = compare(replace(campaign, frame=frame[~gone]))
    assert (contrast["rounds"] == 12).all()
    per = per_round(replace(campaign, frame=frame[~gone]))
    three = frame[(frame["round"] == 3) & (frame["case"] == CASE) & (frame["sweep"] != 2)]
    expected = round_difference(
        three.loc[three["contender"] == CONTENDER, "seconds"],
        three.loc[three["contender"] == BASELINE, "seconds"],
    )
    found = row(per, case=CASE, metric="total", contender_id=CONTENDER, round=3)
    assert np.log(found["ratio"]) == pytest.approx(expected)


def test_nothing_is_estimated_from_a_damaged_folder(campaign: Campaign, tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="is missing"):
        find(read_campaign(tmp_path))


# --- the control ---------------------------------------------------------------------------------


def test_a_quiet_control_proves_the_campaign(campaign: Campaign) -> None:
    health = control_health(compare(campaign))
    assert health.proven
    assert (health.cases, health.rounds) == (4, 12)
    rows = compare(campaign)
    rows = rows[(rows["contender"] == "control") & rows["headline"]]
    assert health.widest == pytest.approx(np.sqrt(rows["high"] / rows["low"]).max() - 1)
    assert health.note == (
        "proven: the control, the baseline a second time on asyncio, was not told apart from it in "
        f"any of 4 cases (at most {health.largest * 100:.1f} % away, its interval up to "
        f"±{health.widest * 100:.1f} % wide, 12 rounds)"
    )


def test_the_note_says_where_the_control_ran_only_where_there_is_more(tmp_path: Path) -> None:
    one = small(tmp_path, World(loop_factors={"asyncio": 1.0}))
    assert control_health(compare(one)).where == ""
    several = write_campaign(
        tmp_path / "several", rounds=6, sweeps=3, tasks=(10,), pythons=("3.14.10", "3.13.1")
    )
    assert control_health(compare(read_campaign(several))).where == " on asyncio, Python 3.14.10"


def test_a_case_of_the_control_with_few_rounds_has_no_width(tmp_path: Path) -> None:
    campaign = small(tmp_path, World(), tasks=(10, 100))
    fail(campaign.folder, CONTROL, CASE, round_index=4, cause="killed")
    health = control_health(compare(read_campaign(campaign.folder)))
    assert health.proven
    assert health.widest == np.inf
    assert "in some without an interval" in health.note


def test_a_control_told_apart_leaves_the_campaign_unproven(tmp_path: Path) -> None:
    campaign = small(tmp_path, World(control_effect=1.03), tasks=(10, 100))
    health = control_health(compare(campaign))
    assert not health.proven
    assert len(health.reasons) == 2
    assert "throughput/noop/10: 1.0" in health.reasons[0]
    assert health.note.startswith("unproven: the control, ")


def test_a_difference_below_half_a_percent_does_not_count_against_the_control(
    tmp_path: Path,
) -> None:
    campaign = small(tmp_path, World(control_effect=1.004, **STILL))
    frame = compare(campaign)
    assert row(frame, contender="control")["p_adjusted"] < 0.05
    assert control_health(frame).proven


def test_holm_is_over_the_headline_metrics_of_the_controls_cases(campaign: Campaign) -> None:
    frame = compare(campaign)
    control = frame[frame["contender"] == "control"]
    judged = control[control["headline"]]
    assert len(judged) == 4
    smallest = judged["p_value"].min()
    assert judged["p_adjusted"].min() == pytest.approx(min(1, 4 * smallest))
    assert control.loc[~control["headline"], "p_adjusted"].isna().all()


def test_few_rounds_or_no_control_prove_nothing(tmp_path: Path) -> None:
    campaign = small(tmp_path, World(), rounds=5)
    assert control_health(compare(campaign)).reasons == (
        "5 rounds cannot test the control; it takes 6",
    )
    frame = compare(campaign)
    without = control_health(frame[frame["contender"] != "control"])
    assert without.reasons == ("no control was measured",)


def test_an_identical_control_is_rarely_told_apart(tmp_path: Path) -> None:
    world = World(effects={}, loop_factors={"asyncio": 1.0}, round_noise=0.01)
    apart = sum(
        not control_health(compare(small(tmp_path, world, seed=seed))).proven for seed in range(40)
    )
    assert apart <= 4


# --- the summary ---------------------------------------------------------------------------------


def test_summary_is_the_geometric_mean_within_rounds(campaign: Campaign) -> None:
    per = per_round(campaign)
    mine = per[(per["contender_id"] == CONTENDER) & (per["probe"] == "throughput")]
    means = np.log(mine["ratio"]).groupby(mine["round"]).mean()
    expected = hodges_lehmann(means)
    found = row(summarise(campaign), loop="asyncio", contender="gather_tasks")
    assert np.log(found["ratio"]) == pytest.approx(expected.value)
    assert np.log(found["low"]) == pytest.approx(expected.low)
    assert found["cases"] == 2
    per_task = np.log(mine["seconds"] / mine["tasks"] * 1e9).groupby(mine["round"]).mean()
    assert np.log(found["ns_per_task"]) == pytest.approx(hodges_lehmann(per_task).value)
    assert found["baseline_ns_per_task"] == pytest.approx(
        found["ns_per_task"] / found["ratio"], rel=0.02
    )


def test_summary_has_a_claim_per_loop_and_strategy_adjusted_by_holm(campaign: Campaign) -> None:
    frame = summarise(campaign)
    claims = frame[frame["contender"] != "control"]
    assert len(claims) == 4
    assert claims["p_adjusted"].max() == pytest.approx(4 * 2.0**-11)
    assert set(claims.loc[claims["contender"] == "task_group", "verdict"]) == {"slower"}


def test_a_claim_needs_holm_too(tmp_path: Path) -> None:
    """Six rounds give p = 0.03 at best: enough for one claim, not for four."""
    campaign = small(tmp_path, World(), rounds=6)
    single = compare(campaign)
    assert set(single.loc[single["contender"] == "task_group", "verdict"]) == {"slower"}
    claims = summarise(campaign)
    assert set(claims.loc[claims["contender"] == "task_group", "verdict"]) == {"undecided"}


@pytest.mark.parametrize(("pythons", "least"), [(1, 8), (2, 9), (5, 10)])
def test_a_withheld_claim_says_how_many_rounds_holm_takes(
    tmp_path: Path, pythons: int, least: int
) -> None:
    """4 claims a Python. 2 ** (1 - n) times their number must be below 0.05."""
    campaign = read_campaign(
        write_campaign(
            tmp_path / "c", rounds=6, sweeps=3, probes=("throughput",), workloads=("noop",),
            tasks=(10,), pythons=[f"3.{minor}.1" for minor in range(10, 10 + pythons)],
        )
    )  # fmt: skip
    claims = 4 * pythons
    assert 2.0 ** (1 - least) * claims < 0.05 <= 2.0 ** (2 - least) * claims
    frame = summarise(campaign)
    withheld = frame[frame["contender"] == "task_group"]
    assert set(withheld["verdict"]) == {"undecided"}
    assert set(withheld["rounds_needed"]) == {least - 6}
    assert set(withheld["reason"]) == {f"about {least - 6} more rounds would decide it"}


def test_so_many_rounds_do_pass_holm(tmp_path: Path) -> None:
    campaign = small(tmp_path, World(effects={"gather_tasks": 1.3, "task_group": 1.2}), rounds=8)
    frame = summarise(campaign)
    assert set(frame.loc[frame["contender"] != "control", "verdict"]) == {"slower"}


def test_summary_leaves_out_cases_that_failed_and_names_them(tmp_path: Path) -> None:
    campaign = small(tmp_path, World(), tasks=(10, 100))
    fail(campaign.folder, CONTENDER, CASE, round_index=3, cause="killed")
    frame = summarise(read_campaign(campaign.folder))
    found = row(frame, loop="asyncio", contender="gather_tasks")
    assert (found["cases"], found["rounds"]) == (1, 12)
    assert found["reason"] == f"without {CASE}"
    assert row(frame, loop="asyncio", contender="task_group")["cases"] == 2


def test_summary_uses_the_rounds_that_have_every_case(tmp_path: Path) -> None:
    campaign = small(tmp_path, World(), tasks=(10, 100), rounds=9)
    change_lines(campaign.folder, lambda lines: lines.pop())
    change_plan(campaign.folder, lambda plan: plan.update(status="interrupted"))
    frame = summarise(read_campaign(campaign.folder))
    assert set(frame["rounds"]) == {8}
    assert set(frame["cases"]) == {2}
