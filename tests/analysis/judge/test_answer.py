"""The answer: sentences whose words follow the verdicts, and from when on nobody need care."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from analysis.judge import words
from analysis.judge.answer import RULE, answer
from analysis.judge.findings import LITTLE, Findings, answer_rows, break_even, find
from analysis.judge.verdicts import SAME
from analysis.read.load import read_campaign
from benchmarks.campaign import schema
from benchmarks.cases import Case
from tests import campaigns

COMPUTING = tuple(Case("throughput", name, 1000) for name in ("noop", "yield_once"))


def measure(folder: Path, **options: Any) -> Findings:  # noqa: ANN401 - of campaigns.write
    given = {"cases": COMPUTING, "noise": 0.001, **options}
    return find(read_campaign(campaigns.write(folder, **given)))


def slower(strategy: str, factor: float, workload: str = "") -> campaigns.Effect:
    def effect(who: schema.Contender, case: schema.Case, metric: str) -> float:
        is_it = who.strategy == strategy and workload in ("", case.workload)
        return math.log(factor) if is_it else 0.0

    return effect


def test_three_sentences_the_rule_the_cost_and_when_to_stop_caring(tmp_path: Path) -> None:
    rule, cost, care = answer(measure(tmp_path / "c", effect=slower("task_group", 0.9)))
    assert rule == RULE
    assert cost.startswith(
        "Joined at once, compared with gather(*coroutines): gather(*tasks) takes the same within "
        "2 % ("
    )
    assert re.search(r"TaskGroup takes 0\.\d+ us ±0\.\d+ less per task \(-10 %\)", cost)
    assert cost.endswith("(Python 3.14.0, asyncio, mean of noop and yield once).")
    assert care.startswith("The choice moves the total by less than 1 % as soon as each task does")
    assert care.endswith(
        "of its own work (Python 3.14.0, asyncio): from there on, choose by meaning."
    )


@pytest.mark.parametrize(
    ("factor", "noise", "said"),
    [
        (1.1, 0.001, " more per task (+10 %"),
        (1.05, 0.2, "TaskGroup does not differ significantly ("),
    ],
)
def test_words_follow_the_verdict(tmp_path: Path, factor: float, noise: float, said: str) -> None:
    _, cost, _ = answer(measure(tmp_path / "c", effect=slower("task_group", factor), noise=noise))
    assert said in cost


def test_what_workloads_disagree_on_is_said_of_each(tmp_path: Path) -> None:
    def effect(who: schema.Contender, case: schema.Case, metric: str) -> float:
        sign = 1 if case.workload == "yield_once" else -1
        return 0.1 * sign * (who.strategy == "task_group")

    _, cost, _ = answer(measure(tmp_path / "c", effect=effect))
    assert "TaskGroup depends on the work: 0.2" in cost
    assert "less per task (-9.5 %) with noop and 0.3" in cost
    assert "more per task (+11 %) with yield once" in cost


def test_the_newest_python_is_the_one_that_the_answer_is_about(tmp_path: Path) -> None:
    _, cost, _ = answer(measure(tmp_path / "c", pythons=("3.14.0", "3.13.0", "3.15.0a1")))
    assert "(Python 3.14.0, asyncio, " in cost


def test_where_nothing_computes_the_first_workload_answers(tmp_path: Path) -> None:
    cases = (Case("throughput", "echo", 10), Case("throughput", "sleep", 10))
    found = answer(measure(tmp_path / "c", cases=cases, effect=slower("task_group", 2.0)))
    assert len(found) == 2
    assert found[1].endswith("(Python 3.14.0, asyncio, echo).")
    assert "more per task (2.00 times)" in found[1]


def test_without_a_probe_that_answers_the_rule_is_all(tmp_path: Path) -> None:
    assert answer(measure(tmp_path / "c", cases=(Case("latency", "noop", 10),))) == [RULE]


# --- when to stop caring --------------------------------------------------------------------------


def test_the_break_even_is_that_of_the_largest_difference(tmp_path: Path) -> None:
    """TaskGroup costs 0.6 us more than 3 us: 1 % of 60 us, of which 3 are the fan-out's own."""
    found = break_even(measure(tmp_path / "c", effect=slower("task_group", 1.2, "noop")))
    [row] = found.to_dict("records")
    assert (row["strategy"], row["workload"], row["unit"]) == ("task_group", "noop", "ns")
    assert row["value"] == pytest.approx(57_000, rel=0.03)
    assert row["value_low"] < row["value"] < row["value_high"]


def test_no_proven_difference_may_be_none(tmp_path: Path) -> None:
    findings = measure(tmp_path / "c")
    rows = findings.contrasts
    assert set(rows[rows["family"].str.startswith("answer")]["verdict"]) == {SAME}
    [row] = break_even(findings).to_dict("records")
    assert row["value_low"] == 0 <= row["value"] <= row["value_high"] < 5_000


def test_its_interval_is_of_the_largest_of_all_not_of_one(tmp_path: Path) -> None:
    """Whichever strategy and workload it turns out to be, it takes no more than the upper end."""
    findings = measure(tmp_path / "c", noise=0.05, effect=slower("task_group", 1.1, "noop"))
    rows = answer_rows(findings)
    rows = rows[rows["scope"].eq("workload")]
    most = rows[["difference_low", "difference_high"]].abs().max(axis=1) / LITTLE
    [row] = break_even(findings).to_dict("records")
    assert row["value_high"] == pytest.approx((most - rows["reference_value"]).max())
    assert row["value_low"] <= row["value"] <= row["value_high"]


def test_a_choice_that_never_matters_is_said_to_be_none(tmp_path: Path) -> None:
    *_, care = answer(measure(tmp_path / "c", noise=0.0001))
    assert care == "The choice never moves the total by 1 %: choose by meaning."


def test_every_python_and_loop_has_its_own(tmp_path: Path) -> None:
    pythons, loops = ("3.13.0", "3.14.0"), ("asyncio", "uvloop")
    found = break_even(measure(tmp_path / "c", pythons=pythons, loops=loops))
    places = set(zip(found["python"], found["loop"], strict=True))
    assert len(found) == len(places) == 4


def test_workloads_that_wait_have_none(tmp_path: Path) -> None:
    assert break_even(measure(tmp_path / "c", cases=(Case("throughput", "sleep", 10),))).empty


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "unit", "said"),
    [
        ((-314.0, -331.0, -297.0), "ns", "-0.31 us ±0.02"),
        ((60.0, 40.0, 80.0), "ns", "+0.06 us ±0.02"),
        ((-620.0, -5000.0, 3100.0), "ns", "-1 us ±4"),
        ((0.0205, 0.0203, 0.0207), "s", "+20.5 ms ±0.2"),
        # Zero has to be where it is, and an estimate that is not in the middle is not put there.
        ((400.0, 90.0, 1700.0), "ns", "+0.4 us [+0.1, +1.7]"),
        ((-20.0, -38.0, -2.0), "ns", "-0.020 us [-0.038, -0.002]"),
        ((0.0205, 0.0204, 0.0209), "s", "+20.5 ms [+20.4, +20.9]"),
        ((-1200.0, -1300.0, -1100.0), "B", "-1.2 kB ±0.1"),
        ((-51.0, -math.inf, math.inf), "ns", "-0.05 us ±?"),
    ],
)
def test_a_difference_has_the_digits_that_its_interval_allows(
    ends: tuple[float, float, float], unit: str, said: str
) -> None:
    assert words.difference_within(*ends, unit) == said
