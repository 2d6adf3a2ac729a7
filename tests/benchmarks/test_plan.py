"""From the registries to the records of a plan, and the names of its Pythons."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from benchmarks.campaign import schema
from benchmarks.campaign.plan import (
    OBSERVED_EVERYWHERE,
    asked_pairs,
    case_of,
    case_record,
    definitions,
    halves,
    launcher_of,
)
from benchmarks.cases import Case, Launcher
from benchmarks.matrix import PRESETS, contender_of, control_of
from benchmarks.probes import PROBES
from benchmarks.strategies import BASELINE, STRATEGIES
from benchmarks.workloads import WORKLOADS
from tests.benchmarks.fakes import INTERPRETER, make_plan

QUESTION = make_plan(selections=PRESETS["question"].selections)


def test_records_keep_what_identifies_a_case_and_a_contender() -> None:
    case = Case("head_start", "sleep", 10, "sleep_5ms")
    assert case_of(case_record(case)) == case
    launcher = Launcher("uvloop", "eager", "wait", "off")
    contender = contender_of("cpython-3.12.1", launcher)
    assert contender.id == "cpython-3.12.1/uvloop/eager/wait/off"
    assert contender.group == ("cpython-3.12.1", "uvloop", "eager", "off")
    assert (contender.interpreter, contender.role) == ("cpython-3.12.1", "contender")
    baseline = contender_of("cpython-3.12.1", Launcher("uvloop", "eager", BASELINE, "off"))
    control = control_of(baseline)
    assert (baseline.role, control.role) == ("baseline", "control")
    assert control.id == f"{baseline.id}/control"
    assert control.group == baseline.group
    assert launcher_of(control) == launcher_of(baseline)
    assert launcher_of(contender) == launcher


def test_a_case_says_what_the_analysis_has_to_know() -> None:
    def facts(case: Case) -> list[object]:
        row = case_record(case)
        pause = (row.pause, row.pause_seconds, row.pause_suspends)
        return [row.work_seconds, row.tasks_each, pause, row.units, row.headline_metric]

    at_once, total = ("none", 0.0, False), {"total": "second"}
    assert case_record(Case("throughput", "noop", 100)).answers
    assert not case_record(Case("latency", "noop", 100)).answers
    assert facts(Case("throughput", "noop", 100)) == [None, 1, at_once, total, "total"]
    assert facts(Case("throughput", "tree", 1)) == [None, 55987, at_once, total, "total"]
    assert facts(Case("head_start", "sleep_20ms", 10, "compute_10ms")) == [
        0.020, 1, ("compute_10ms", 0.010, False), {"makespan": "second"}, "makespan",
    ]  # fmt: skip
    assert facts(Case("memory", "pending", 10_000)) == [
        None, 1, at_once, {"steady": "byte", "peak": "byte"}, "steady",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("probe", "workload", "splits"),
    [
        ("throughput", "noop", True), ("throughput", "yield_once", True),
        ("throughput", "tree", True), ("throughput", "sleep", False),
        ("throughput", "echo", False), ("latency", "noop", False), ("stall", "noop", False),
        ("memory", "pending", False),
    ],
)  # fmt: skip
def test_the_cost_of_what_computes_is_split_into_code_and_collector(
    probe: str, workload: str, splits: bool
) -> None:
    assert case_record(Case(probe, workload, 10)).splits == splits


def test_a_case_is_calibrated_later() -> None:
    row = case_record(Case("throughput", "noop", 100))
    assert (row.sweeps, row.blocks, row.loops, row.left_out) == (0, 0, 0, "")


def test_definitions_say_what_everything_that_is_named_means() -> None:
    found = QUESTION.definitions
    for names, words in (
        ({row.strategy for row in QUESTION.contenders}, found.strategies),
        ({row.loop for row in QUESTION.contenders}, found.loops),
        ({row.task_factory for row in QUESTION.contenders}, found.task_factories),
        ({row.collector for row in QUESTION.contenders}, found.collectors),
        ({row.workload for row in QUESTION.cases}, found.workloads),
        ({row.pause for row in QUESTION.cases}, found.pauses),
        ({row.probe for row in QUESTION.cases}, found.probes),
    ):
        assert {word.name for word in words} == names
        assert all(word.label and word.meaning for word in words)
    measured = {row.strategy for row in QUESTION.contenders}
    assert [row.name for row in found.strategies] == [one for one in STRATEGIES if one in measured]
    assert [row.name for row in found.workloads] == [
        *(name for name in WORKLOADS if name in {row.workload for row in QUESTION.cases}),
        "pending",
    ]
    assert {row.name for row in found.strategies if not row.concurrent} == {"sequential"}


def test_a_probe_defines_its_metrics_and_all_that_it_observes() -> None:
    for probe in QUESTION.definitions.probes:
        row = PROBES[probe.name]
        assert [metric.name for metric in probe.metrics] == list(row.metric_names)
        assert [metric.unit for metric in probe.metrics] == [metric.unit for metric in row.metrics]
        names = [word.name for word in probe.observed]
        assert names == [word.name for word in (*row.observed, *OBSERVED_EVERYWHERE)]
        assert probe.section
    assert [probe.name for probe in QUESTION.definitions.probes if probe.answers] == ["throughput"]


def test_nothing_is_defined_that_is_not_named() -> None:
    assert definitions([], []) == schema.Definitions()
    plan = make_plan(tasks=(10,))
    assert [row.name for row in plan.definitions.workloads] == ["noop"]
    assert [row.name for row in plan.definitions.probes] == ["throughput"]


def test_pairs_are_those_of_the_blocks_or_all() -> None:
    everything = set(
        itertools.product(
            (row.id for row in QUESTION.contenders), (case.id for case in QUESTION.cases)
        )
    )
    assert asked_pairs(QUESTION) < everything
    assert asked_pairs(replace(QUESTION, blocks=())) == everything


def test_everyone_is_compared_with_both_halves_of_the_baseline_of_its_group() -> None:
    rows = {row.id: row for row in QUESTION.contenders}
    found = halves(QUESTION)
    assert found.keys() == {row.id for row in QUESTION.contenders if row.role != "baseline"}
    for contender, references in found.items():
        assert {rows[one].group for one in references} == {rows[contender].group}
        roles = [rows[one].role for one in references]
        if rows[contender].role == "control":
            assert roles == ["baseline"], "not with itself"
        else:
            assert roles == ["baseline", "control"]


def test_a_group_without_a_control_has_one_half() -> None:
    """In campaigns of schema 1 only the first baseline had one."""
    plan = make_plan(tasks=(10,))
    contenders = tuple(row for row in plan.contenders if row.role != "control")
    baseline, *others = contenders
    expected = {row.id: (baseline.id,) for row in others}
    assert halves(replace(plan, contenders=contenders)) == expected


# The names of Pythons


def python(
    name: str, version: str, implementation: str = "cpython", **build: bool
) -> schema.Interpreter:
    return replace(
        INTERPRETER, name=name, version=version, implementation=implementation, build={**build}
    )


PYTHONS = [
    python("cpython-3.12.1", "3.12.1"),
    python("cpython-3.13.0+debian", "3.13.0"),
    python("cpython-3.13.0+source", "3.13.0"),
    python("cpython-3.13.10t", "3.13.10", free_threaded=True),
    python("cpython-3.14.0d", "3.14.0", debug=True),
    python("pypy-3.11.13", "3.11.13", "pypy"),
]


def test_a_python_is_labelled_by_its_version_where_that_is_unique() -> None:
    assert schema.python_labels(PYTHONS) == (
        "3.12.1", "cpython-3.13.0+debian", "cpython-3.13.0+source", "3.13.10t", "3.14.0d",
        "pypy 3.11.13",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("3.12", 0),
        ("3.12.1", 0),
        ("cpython-3.12.1", 0),
        ("cpython-3.13.0+source", 2),
        ("3.13t", 3),
        ("3.13.10t", 3),
        ("3.14d", 4),
        ("pypy 3.11", 5),
    ],
)
def test_a_python_is_called_by_label_name_or_the_beginning_of_its_version(
    name: str, found: int
) -> None:
    assert schema.python_called(name, PYTHONS) == PYTHONS[found]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("2.7", "no Python is called '2.7': choose from 3.12.1, "),
        ("3.1", "no Python is called"),
        ("3.14", "no Python is called"),
        ("", "no Python is called"),
    ],
)
def test_a_python_that_is_not_there_is_an_error_that_names_them_all(name: str, says: str) -> None:
    with pytest.raises(schema.UnknownPythonError, match=says):
        schema.python_called(name, PYTHONS)


def test_a_name_of_several_is_refused() -> None:
    several = [python("a", "3.13.0"), python("b", "3.13.1")]
    with pytest.raises(schema.UnknownPythonError, match=r"several Pythons are called '3\.13'"):
        schema.python_called("3.13", several)
