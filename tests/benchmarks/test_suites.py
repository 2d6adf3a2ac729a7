"""The pyperf suites that are made from a journal."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import pyperf
import pytest
from msgspec.structs import replace

from analysis.read.load import read_campaign
from benchmarks.__main__ import main
from benchmarks.campaign.schema import Facts, Plan, RoundLine
from benchmarks.campaign.suites import write_suites
from benchmarks.matrix import Selection
from tests import campaigns
from tests.benchmarks.fakes import CASE_LOOPS, INTERPRETER, make_line, make_plan
from tests.repository import run_python

ROUNDS = 4
OTHER = replace(INTERPRETER, name="pypy-3.11.13", version="3.11.13", implementation="pypy")
CONDITIONS: Facts = {
    "task_factory": "as seen",
    "collector": "as seen",
    "loop_class": "a.b",
    "gil": True,
    "collector_thresholds": "700,10,10",
    "jit": None,
}


@pytest.fixture(scope="module")
def plan() -> Plan:
    made = make_plan(
        loops=("asyncio", "uvloop"),
        probes=("throughput", "latency"),
        interpreters=(INTERPRETER, OTHER),
    )
    proved = (replace(row, conditions=CONDITIONS) for row in made.contenders)
    return replace(made, contenders=tuple(proved))


@pytest.fixture(scope="module")
def lines(plan: Plan) -> list[RoundLine]:
    rng = random.Random(1)
    return [
        make_line(plan, number, lambda row: rng.uniform(1e-4, 2e-4), case=case)
        for number in range(ROUNDS)
        for case in plan.cases
    ]


@pytest.fixture(scope="module")
def paths(
    plan: Plan, lines: list[RoundLine], tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    return write_suites(tmp_path_factory.mktemp("suites"), plan, lines)


def suites(paths: list[Path]) -> list[Any]:
    return [pyperf.BenchmarkSuite.load(str(path)) for path in paths]


def test_there_is_a_suite_for_every_interpreter_under_its_name(paths: list[Path]) -> None:
    assert [path.name for path in paths] == ["cpython-3.12.1.json", "pypy-3.11.13.json"]
    assert sorted(path.name for path in paths[0].parent.iterdir()) == [path.name for path in paths]


def test_there_is_a_benchmark_for_every_contender_case_and_metric(
    plan: Plan, paths: list[Path]
) -> None:
    names = [name for suite in suites(paths) for name in suite.get_benchmark_names()]
    assert sorted(names) == sorted(
        f"{case.id}/{contender.id}/{metric}"
        for case in plan.cases
        for contender in plan.contenders
        for metric in case.metrics
    )


def test_a_run_for_every_round_has_one_value_what_the_round_says(
    plan: Plan, lines: list[RoundLine], paths: list[Path]
) -> None:
    by_key = {(line.round, line.case): line for line in lines}
    places = {row.id: place for place, row in enumerate(plan.contenders)}
    cases = {case.id: case for case in plan.cases}
    seen = 0
    for suite in suites(paths):
        for benchmark in suite:
            runs = benchmark.get_runs()
            assert [run.get_metadata()["round"] for run in runs] == list(range(ROUNDS))
            for run in runs:
                metadata = run.get_metadata()
                case = cases[metadata["case"]]
                line = by_key[metadata["round"], case.id]
                cell = line.cells[places[metadata["contender"]]]
                metric = case.metrics.index(metadata["metric"])
                assert list(run.values) == [cell.cost(metric, case)]
                assert run.get_total_loops() == cell.batches == 3 * CASE_LOOPS
                seen += 1
    assert seen == sum(len(cases[line.case].metrics) * len(line.cells) for line in lines)


def test_the_collectors_share_is_in_the_value(plan: Plan, tmp_path: Path) -> None:
    def line_of(number: int) -> RoundLine:
        line = make_line(plan, number, lambda row: 1e-3)
        cells = {
            place: replace(cell, collections=[(1000, 0.2 * cell.timed_us)])
            for place, cell in line.cells.items()
        }
        return replace(line, cells=cells)

    assert plan.cases[0].splits
    for suite in suites(write_suites(tmp_path, plan, map(line_of, range(2)))):
        for benchmark in suite:
            assert benchmark.get_values() == pytest.approx((1e-3 / 0.8,) * 2)


def test_everything_that_identifies_a_run_is_in_its_metadata(plan: Plan, paths: list[Path]) -> None:
    contenders = {row.id: row for row in plan.contenders}
    cases = {row.id: row for row in plan.cases}
    for suite, interpreter in zip(suites(paths), plan.interpreters, strict=True):
        for benchmark in suite:
            assert benchmark.get_unit() == "second"
            for run in benchmark.get_runs():
                metadata = run.get_metadata()
                contender = contenders[metadata["contender"]]
                case = cases[metadata["case"]]
                assert contender.interpreter == interpreter.name
                assert metadata["role"] == contender.role
                assert metadata["loop"] == contender.loop
                assert metadata["task_factory"] == contender.task_factory
                assert metadata["strategy"] == contender.strategy
                assert metadata["collector"] == contender.collector == "on"
                assert metadata["pause"] == case.pause == "none"
                assert (metadata["probe"], metadata["workload"]) == (case.probe, case.workload)
                assert metadata["tasks"] == case.tasks
                assert metadata["python_version"] == interpreter.version
                assert metadata["python_implementation"] == interpreter.implementation
                assert metadata["loop_class"] == "a.b"
                assert metadata["gil"] in (True, "True")
                assert metadata["cpu_model_name"] == "a core"
                assert "jit" not in metadata
                assert "hostname" not in metadata


def test_units_collectors_and_pauses_are_told_to_pyperf(tmp_path: Path) -> None:
    memory = Selection(
        probes=("memory",), tasks=(10,), loops=("asyncio",), collectors=("on", "off")
    )
    head_start = dataclasses.replace(
        memory, probes=("head_start",), workloads=("sleep",), collectors=("on",),
        pauses=("sleep_5ms",),
    )  # fmt: skip
    plan = make_plan(selections=[memory, head_start])
    by_case = {case.id: case for case in plan.cases}
    lines = [
        make_line(plan, number, lambda row: 1e6, case=case)
        for number in range(2)
        for case in plan.cases
    ]
    (path,) = write_suites(tmp_path, plan, lines)
    seen = set()
    for benchmark in pyperf.BenchmarkSuite.load(str(path)):
        metadata = benchmark.get_metadata()
        case = by_case[metadata["case"]]
        assert benchmark.get_unit() == ("byte" if case.probe == "memory" else "second")
        seen.add((metadata["probe"], metadata["collector"], metadata["pause"]))
    assert seen == {
        ("memory", "on", "none"), ("memory", "off", "none"), ("head_start", "on", "sleep_5ms"),
    }  # fmt: skip
    done = run_python("-m", "pyperf", "stats", path)
    assert done.returncode == 0, done.stderr
    assert "KiB" in done.stdout


def test_a_cell_that_failed_has_no_run(plan: Plan, tmp_path: Path) -> None:
    broken = plan.contenders[1]
    lines = [
        make_line(plan, number, lambda row: 1e-3, without=[broken] if number else [])
        for number in range(3)
    ]
    (suite, _) = suites(write_suites(tmp_path, plan, lines))
    runs = {benchmark.get_name(): benchmark.get_nrun() for benchmark in suite}
    case = plan.cases[0].id
    assert runs[f"{case}/{broken.id}/total"] == 1
    assert runs[f"{case}/{plan.contenders[0].id}/total"] == 3


def test_a_campaign_without_values_has_no_suite(plan: Plan, tmp_path: Path) -> None:
    assert write_suites(tmp_path, plan, []) == []
    assert list(tmp_path.iterdir()) == []


def test_an_older_suite_is_replaced_whole(plan: Plan, tmp_path: Path) -> None:
    first = make_line(plan, 0, lambda row: 1e-3)
    second = make_line(plan, 1, lambda row: 2e-3)
    write_suites(tmp_path, plan, [first])
    (suite, _) = suites(write_suites(tmp_path, plan, [first, second]))
    assert {benchmark.get_nrun() for benchmark in suite} == {2}
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("command", ["check", "stats", "hist"])
def test_pyperfs_own_commands_open_it(command: str, paths: list[Path]) -> None:
    done = run_python("-m", "pyperf", command, paths[0])
    assert done.returncode == 0, done.stderr
    assert "throughput/noop/10/cpython-3.12.1/asyncio/lazy/gather_tasks/total" in done.stdout
    assert "Traceback" not in done.stderr


def test_pyperf_compares_two_of_them(paths: list[Path]) -> None:
    done = run_python("-m", "pyperf", "compare_to", paths[0], paths[0])
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_suites_are_made_again_from_the_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = campaigns.write(tmp_path / "c", pythons=("3.13.0", "3.14.0"))
    assert len(read_campaign(folder, suites=True).problems) == 2, "both are missing"
    assert main(["suites", str(folder)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [str(folder / f"cpython-{python}.json") for python in ("3.13.0", "3.14.0")]
    assert read_campaign(folder, suites=True).problems == ()
