"""Real campaigns of all probes, and of a copy of the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.campaign.plan import OBSERVED_EVERYWHERE, asked_pairs
from benchmarks.collectors import COLLECTORS
from benchmarks.matrix import PRESETS
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from harness.commands import copy_of_suite
from tests.benchmarks.campaigns import TINY, Ran, lines_of, plan_of, ran
from tests.repository import (
    run_benchmarks,
)


def test_a_resume_that_adds_nothing_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    cell = ("--probe=throughput", "--workload=noop", "--tasks=10", "--loop=asyncio")
    quiet = ("--no-report", "--quiet")
    begun = run_benchmarks("run", *cell, *quiet, "--precision=50%", "--budget=30s", "--out", folder)
    assert begun.returncode == 0, begun.stderr
    rounds = plan_of(folder).rounds
    again = run_benchmarks("resume", folder, *quiet, "--budget=40s")
    assert again.returncode == 0
    assert "nothing was added: all is as precise as was asked for" in again.stderr
    assert plan_of(folder).rounds == rounds


# The question's own preset


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A round of all that it measures, each with few tasks."""
    folder = tmp_path_factory.mktemp("question") / "campaign"
    probes = {name for part in PRESETS["question"].selections for name in part.probes}
    done = run_benchmarks(
        "run", "--preset", "question", "--loop", "asyncio", "--probe", ",".join(probes), "--tasks",
        "3000", "--strategy", "wait", "--budget", "20s", "--out", folder, "--no-report",
    )  # fmt: skip
    return ran(folder, done)


def test_every_probe_and_axis_of_the_question_is_measured(question: Ran) -> None:
    assert question.code == 0, question.err
    plan = question.plan
    assert {case.probe for case in plan.cases} == set(PROBES) - {"latency", "footprint"}
    assert {case.pause for case in plan.cases} == set(PAUSES)
    assert {row.collector for row in plan.contenders} == set(COLLECTORS)
    for contender in plan.contenders:
        assert contender.conditions["task_factory"] == contender.task_factory
        assert contender.conditions["collector"] == contender.collector
    assert (question.folder / "witness.json").is_file()


def test_cells_are_those_of_the_blocks_and_carry_what_was_observed(question: Ran) -> None:
    asked = asked_pairs(question.plan)
    cases = {case.id: case for case in question.plan.cases}
    observed = {
        probe.name: [word.name for word in probe.observed]
        for probe in question.plan.definitions.probes
    }
    assert question.lines
    for line in question.lines:
        case = cases[line.case]
        contenders = {question.plan.contenders[place].id for place in line.cells}
        assert {(contender, case.id) for contender in contenders} == {
            pair for pair in asked if pair[1] == case.id
        }
        assert line.failures == {}
        for cell in line.cells.values():
            assert len(cell.quantiles) == len(case.metrics)
            # What is observed everywhere stands apart.
            names = [row.name for row in OBSERVED_EVERYWHERE]
            assert observed[case.probe][-len(names) :] == names
            assert len(cell.observed) == len(observed[case.probe]) - len(names), case.id
            assert all(value >= 0 for value in cell.observed)


def test_only_a_collector_that_is_on_collects(question: Ran) -> None:
    cases = {case.id: case for case in question.plan.cases}
    seen = set()
    for line in question.lines:
        if cases[line.case].splits:
            for place, cell in line.cells.items():
                seen.add((question.plan.contenders[place].collector, bool(cell.collections)))
    assert {("on", True), ("frozen", True), ("off", False)} <= seen
    assert ("off", True) not in seen


# A copy of the repository


def test_a_campaign_can_be_resumed_as_long_as_the_measured_code_is_the_same(
    tmp_path: Path,
) -> None:
    copy = copy_of_suite(tmp_path / "copy")
    quiet = ("--no-report", "--quiet")
    done = run_benchmarks("run", *TINY, "--preset", "smoke", "--budget", "8s", *quiet, cwd=copy)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert folder.parent == copy / "results"
    assert re.fullmatch(r"\d{8}-\d{6}-smoke", folder.name)
    assert plan_of(folder).preset == "smoke"

    measured = copy / "benchmarks" / "strategies.py"
    source = measured.read_text(encoding="utf-8")
    measured.write_text(f"# Only a comment.\n{source}", encoding="utf-8")
    before, more = len(lines_of(folder)), f"{2 * plan_of(folder).elapsed_seconds + 4:.1f}s"
    done = run_benchmarks("resume", folder, "--budget", more, *quiet, cwd=copy)
    assert done.returncode == 0, done.stderr
    assert len(lines_of(folder)) > before

    measured.write_text(f"{source}\nCHANGED = True\n", encoding="utf-8")
    done = run_benchmarks("resume", folder, "--budget", "1h", *quiet, cwd=copy)
    assert done.returncode == 2
    assert "the measured code has changed since; start a new campaign" in done.stderr
