"""Contrasts of chosen contenders are those of the frames, and of no other cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import style
from analysis.campaign import Contender
from analysis.contrasts import Measured
from analysis.findings import Findings, find
from analysis.load import read_campaign
from analysis.plain import is_averaged
from tests.synthetic import World, fail, write_campaign


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    folder = tmp_path_factory.mktemp("contrasts") / "c"
    write_campaign(folder, tasks=(10, 1000), factories=("lazy", "eager"), sweeps=3,
                   world=World(factory_factors={"eager": 0.7}))  # fmt: skip
    fail(folder, "cpython-3.14.10/uvloop/lazy/task_group", "throughput/noop/10",
         round_index=0, cause="killed by signal 9")  # fmt: skip
    return find(read_campaign(folder))


def baseline_of(measured: Measured, subject: Contender) -> Contender | None:
    return next(
        one
        for one in measured.contenders
        if one.group == subject.group and one.strategy == style.BASELINE
    )


def test_ratios_are_those_of_the_comparisons(findings: Findings) -> None:
    measured = Measured(findings.campaign)
    rows = {
        (str(row["contender_id"]), str(row["case"])): row
        for row in findings.everything[findings.everything["headline"]].to_dict("records")
    }
    ratios = measured.ratios(
        measured.contenders, lambda one: baseline_of(measured, one), findings.campaign.cases
    )
    # Two strategies on two loops with two factories in eight cases, and one that failed in one.
    assert len(ratios) == 2 * 2 * 2 * 8 - 1
    for one in ratios:
        row = rows[one.subject.id, one.cases[0].id]
        assert (one.value, one.low, one.high) == (row["ratio"], row["low"], row["high"])
        assert (one.verdict, one.floor, one.rounds) == (row["verdict"], row["floor"], row["rounds"])


def test_means_are_those_of_the_summary(findings: Findings) -> None:
    measured = Measured(findings.campaign)
    cases = [case for case in findings.campaign.cases if is_averaged(case)]
    rows = {
        (str(row["loop"]), str(row["contender"])): row
        for row in findings.summary.to_dict("records")
    }
    lazy = [one for one in measured.contenders if one.task_factory == "lazy"]
    means = measured.means(lazy, lambda one: baseline_of(measured, one), cases)
    assert len(means) == 4
    for one in means:
        row = rows[one.subject.loop, one.subject.strategy]
        assert (one.value, one.low, one.high) == pytest.approx(
            (row["ratio"], row["low"], row["high"])
        )
        assert len(one.cases) == row["cases"]
        assert one.floor == pytest.approx(row["floor"])
        if len(one.cases) == len(cases):
            own = measured.mean_per_task(one.subject, one.cases)
            assert own is not None
            assert own.value * 1e9 == pytest.approx(row["ns_per_task"])


def test_amounts_are_those_of_the_absolutes(findings: Findings) -> None:
    measured = Measured(findings.campaign)
    rows = {
        (str(row["contender_id"]), str(row["case"])): row
        for row in findings.every_absolute.to_dict("records")
        if row["metric"] == "p50"
    }
    amounts = measured.amounts(measured.contenders, findings.campaign.cases, "p50")
    assert len(amounts) == 12 * 4
    for one in amounts:
        row = rows[one.contender.id, one.case.id]
        assert one.metric == "p50"
        assert (one.value, one.low, one.high) == (
            row["seconds"], row["seconds_low"], row["seconds_high"],
        )  # fmt: skip


def test_nothing_is_contrasted_with_itself_or_with_what_is_absent(findings: Findings) -> None:
    measured = Measured(findings.campaign)
    everyone, cases = measured.contenders, findings.campaign.cases
    assert measured.ratios(everyone, lambda one: one, cases) == []
    assert measured.means(everyone, lambda _: None, cases) == []
    assert measured.ratios(everyone, lambda one: baseline_of(measured, one), []) == []
    assert measured.amounts([], cases) == []
    assert measured.mean_per_task(everyone[0], []) is None
    failed = next(one for one in everyone if one.id == "cpython-3.14.10/uvloop/lazy/task_group")
    case = next(case for case in cases if case.id == "throughput/noop/10")
    assert measured.amounts([failed], [case]) == []
    assert measured.mean_per_task(failed, [case]) is None


def test_a_campaign_without_values_has_no_contrasts(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "empty", rounds=0)
    measured = Measured(read_campaign(folder))
    cases = measured.campaign.cases
    against = measured.contenders[0]
    assert measured.ratios(measured.contenders, lambda _: against, cases) == []
    assert measured.means(measured.contenders, lambda _: against, cases) == []
    assert measured.amounts(measured.contenders, cases) == []
