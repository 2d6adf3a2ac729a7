"""Two campaigns held against each other: the estimate, the verdicts and the gate."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import tables
from analysis.__main__ import main
from analysis.between import IncomparableError, check_comparable, compare_campaigns, gate
from analysis.campaign import Campaign
from analysis.estimates import hodges_lehmann_shift
from analysis.load import read_campaign
from tests.synthetic import (
    QUESTION,
    World,
    change_lines,
    change_plan,
    fail,
    write_campaign,
    write_question,
)

# Hollander and Wolfe, Nonparametric Statistical Methods, and example(wilcox.test) in R:
# permeability constants of the human chorioamnion at term, and at 12 to 26 weeks.
AT_TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLIER = [1.15, 0.88, 0.90, 0.74, 1.21]

STEADY = World(drift=0.0)

Capture = pytest.CaptureFixture[str]


def written(folder: Path, *, factor: float = 1.0, seed: int = 1, **how: object) -> Path:
    world = replace(
        STEADY,
        fixed_seconds=STEADY.fixed_seconds * factor,
        seconds_per_task=STEADY.seconds_per_task * factor,
    )
    options = {"workloads": ("noop",), "tasks": (10, 100), "probes": ("throughput",), **how}
    return write_campaign(folder, world=world, seed=seed, **options)  # type: ignore[arg-type]


def campaign(folder: Path) -> Campaign:
    return read_campaign(folder)


def test_the_shift_is_the_one_of_the_textbook() -> None:
    # R: wilcox.test(AT_TERM, EARLIER, conf.int = TRUE): 0.305, (-0.15, 0.76).
    shift = hodges_lehmann_shift(EARLIER, AT_TERM)
    assert shift.value == pytest.approx(0.305)
    assert (shift.low, shift.high) == pytest.approx((-0.15, 0.76))


@pytest.mark.parametrize(("m", "n"), [(3, 4), (5, 5), (4, 6)])
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9])
def test_the_interval_has_its_confidence_by_enumeration(m: int, n: int, confidence: float) -> None:
    """Over all interleavings of two samples without a shift, 0 is left out rarely enough."""
    places = np.arange(m + n, dtype=float)
    left_out = []
    for chosen in combinations(range(m + n), m):
        base = places[list(chosen)]
        head = np.delete(places, list(chosen))
        shift = hodges_lehmann_shift(base, head, confidence)
        left_out.append(not shift.low <= 0 <= shift.high)
    assert np.mean(left_out) <= 1 - confidence + 1e-12


def test_samples_too_small_for_the_confidence_have_no_bounds() -> None:
    shift = hodges_lehmann_shift([1.0, 2.0], [3.0, 4.0])
    assert (shift.low, shift.high) == (-np.inf, np.inf)
    assert shift.value == 2.0


def test_an_empty_side_is_refused() -> None:
    with pytest.raises(ValueError, match="each side"):
        hodges_lehmann_shift([np.nan], [1.0])


def test_swapping_the_sides_turns_the_shift_round() -> None:
    one, other = hodges_lehmann_shift(EARLIER, AT_TERM), hodges_lehmann_shift(AT_TERM, EARLIER)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


def test_the_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    truth = 0.03
    covered = [
        shift.low <= truth <= shift.high
        for shift in (
            hodges_lehmann_shift(rng.standard_t(3, 12) * 0.01, truth + rng.standard_t(3, 15) * 0.01)
            for _ in range(2000)
        )
    ]
    assert 0.93 <= np.mean(covered) <= 0.97


def test_every_cell_is_compared_with_itself(tmp_path: Path) -> None:
    base = campaign(written(tmp_path / "base"))
    head = campaign(written(tmp_path / "head", factor=1.10, seed=2))
    frame = compare_campaigns(base, head)
    assert len(frame) == 2 * 2 * 3  # cases x loops x strategies
    assert frame["ratio"].between(1.08, 1.12).all()
    covering = (frame["low"] < 1.10) & (frame["high"] > 1.10)
    assert covering.sum() >= 10  # of 12 intervals of 95 %
    assert set(frame["verdict"]) == {"slower"}
    expected = frame["base_seconds"] / frame["tasks"] * 1e9
    assert np.allclose(frame["base_ns_per_task"], expected)


def test_two_single_pythons_are_what_is_compared(tmp_path: Path) -> None:
    base = campaign(written(tmp_path / "base", pythons=("3.13.1",)))
    head = campaign(written(tmp_path / "head", pythons=("3.14.0",), seed=2))
    frame = compare_campaigns(base, head)
    assert (frame["base_rounds"] == 12).all()
    assert (frame["head_rounds"] == 12).all()


def test_several_pythons_are_matched_by_version(tmp_path: Path) -> None:
    base = campaign(written(tmp_path / "base", pythons=("3.13.1", "3.14.0")))
    head = campaign(written(tmp_path / "head", pythons=("3.14.0", "3.15.0"), seed=2))
    frame = compare_campaigns(base, head).set_index("python")
    assert set(frame.loc[["3.14.0"], "verdict"]) == {"same"}
    assert set(frame.loc[["3.13.1", "3.15.0"], "verdict"]) == {"missing"}


def test_other_machines_and_other_code_are_refused_by_name(tmp_path: Path) -> None:
    base, head = written(tmp_path / "base"), written(tmp_path / "head")

    def elsewhere(plan: dict[str, dict[str, str]]) -> None:
        plan["machine"]["id"] = "another"

    change_plan(head, elsewhere)
    change_plan(head, lambda plan: plan.update(code_hash="1" * 64))
    with pytest.raises(IncomparableError, match=r"machines .* code"):
        check_comparable(campaign(base), campaign(head))
    check_comparable(campaign(base), campaign(base))


def test_the_gate_names_regressions_beyond_its_limit_only(tmp_path: Path) -> None:
    base = campaign(written(tmp_path / "base"))
    head = campaign(written(tmp_path / "head", factor=1.10, seed=2))
    frame = compare_campaigns(base, head)
    assert len(gate(frame, 0.03).regressions) == len(frame)
    assert gate(frame, 0.20).regressions == ()
    assert gate(compare_campaigns(head, base), 0.03).regressions == ()


def test_the_command_shows_both_and_passes_without_a_regression(
    tmp_path: Path, capsys: Capture
) -> None:
    base, head = written(tmp_path / "base"), written(tmp_path / "head", seed=2)
    assert main(["compare", str(base), str(head), "--fail-slower", "3%"]) == 0
    out, err = capsys.readouterr()
    assert "drift is in every ratio" in out
    assert "throughput/noop/100" in out
    assert err == ""


def test_the_command_fails_on_a_regression_that_it_names(tmp_path: Path, capsys: Capture) -> None:
    base, head = written(tmp_path / "base"), written(tmp_path / "head", factor=1.2, seed=2)
    assert main(["compare", str(base), str(head), "--fail-slower", "3%"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("slower beyond 3 %:")
    assert "throughput/noop/100 asyncio gather_tasks" in err


def test_without_a_limit_nothing_fails(tmp_path: Path) -> None:
    base, head = written(tmp_path / "base"), written(tmp_path / "head", factor=1.2, seed=2)
    assert main(["compare", str(base), str(head)]) == 0


def test_cells_without_a_verdict_fail_only_when_they_must_have_one(
    tmp_path: Path, capsys: Capture
) -> None:
    base, head = written(tmp_path / "base"), written(tmp_path / "head", seed=2)
    fail(
        head,
        "cpython-3.14.10/asyncio/lazy/task_group",
        "throughput/noop/10",
        round_index=0,
        cause="killed",
    )
    arguments = ["compare", str(base), str(head), "--fail-slower", "3%"]
    assert main(arguments) == 0
    capsys.readouterr()
    assert main([*arguments, "--require-decided"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("missing or undecided:")
    assert "throughput/noop/10 asyncio task_group: missing in head" in err


def test_the_command_refuses_other_machines_unless_told(tmp_path: Path, capsys: Capture) -> None:
    base, head = written(tmp_path / "base"), written(tmp_path / "head")
    change_plan(head, lambda plan: plan["machine"].update(id="another"))
    assert main(["compare", str(base), str(head)]) == 2
    assert "the machines (a1b2c3d4 and another)" in capsys.readouterr().err
    assert main(["compare", str(base), str(head), "--allow-different"]) == 0


@pytest.mark.parametrize("share", ["three", "2000%", "nan", ""])
def test_a_limit_that_is_none_is_refused(share: str, tmp_path: Path, capsys: Capture) -> None:
    base = written(tmp_path / "base")
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(base), str(base), "--fail-slower", share])
    assert ended.value.code == 2
    assert "is not a share" in capsys.readouterr().err


def test_a_damaged_campaign_is_not_compared(tmp_path: Path, capsys: Capture) -> None:
    base, head = written(tmp_path / "base"), written(tmp_path / "head")
    change_lines(head, lambda lines: lines[0].update(case="unheard/of"))
    assert main(["compare", str(base), str(head)]) == 1
    assert "unheard/of" in capsys.readouterr().err


def test_bytes_collectors_and_pauses_are_compared_each_with_itself(tmp_path: Path) -> None:
    options: dict[str, Any] = {"rounds": 6, "tasks": (10,), "workloads": ("sleep_20ms",)}
    base = read_campaign(write_question(tmp_path / "base", **options))
    twice = replace(QUESTION, bytes_per_task=2 * QUESTION.bytes_per_task)
    head = read_campaign(write_question(tmp_path / "head", **options, world=twice, seed=2))
    frame = compare_campaigns(base, head)
    asked = sum(
        base.plan.asks(one.id, case.id)
        for case in base.cases
        for one in base.contenders
        if one.role != "control"
    )
    assert len(frame) == asked
    assert set(frame["collector"]) == {"on", "off", "frozen"}
    memory = frame[frame["probe"] == "memory"]
    assert memory["ratio"].between(1.97, 2.03).all()
    assert set(memory["verdict"]) == {"slower"}
    np.testing.assert_allclose(
        memory["head_bytes_per_task"] / memory["base_bytes_per_task"], 2, 0.1
    )
    assert memory[["base_seconds", "head_seconds", "base_ns_per_task"]].isna().to_numpy().all()
    table = tables.between_table(memory, "base", "head")
    assert {row[-1] for row in table.rows} == {"more"}
    assert all(re.fullmatch(r"\d\.\d\d kB", cell) for row in table.rows for cell in row[-4:-2])
    has_rate = frame["base_ns_per_task"].notna()
    assert (has_rate == (frame["probe"] == "throughput")).all()
