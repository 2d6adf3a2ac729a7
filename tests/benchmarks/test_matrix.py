"""What a campaign measures: contenders, cases, blocks, presets, and reasons to skip."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import matrix
from benchmarks.campaign.plan import launcher_of
from benchmarks.campaign.schema import Interpreter, Refusal, Wanted
from benchmarks.cases import Case, Launcher
from benchmarks.collectors import COLLECTORS
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import (
    BOUNDING,
    PRESETS,
    Matrix,
    MatrixError,
    Selection,
    cases,
    concerns,
    lay_out,
)
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.strategies import BASELINE, STRATEGIES
from benchmarks.workloads import WORKLOADS

LOOPS = frozenset(row.package for row in EVENT_LOOPS.values() if row.package)
LAUNCHERS = [
    Launcher(loop, task_factory, "wait", collector)
    for loop, task_factory, collector in itertools.product(
        ("asyncio", "uvloop"), ("lazy", "eager"), ("on", "off")
    )
]


def interpreter(
    implementation: str, version: str, packages: Iterable[str], *refusals: Refusal
) -> Interpreter:
    return Interpreter(
        name=f"{implementation}-{version}",
        version=version,
        implementation=implementation,
        build={},
        packages=dict.fromkeys(packages, "1.0"),
        refusals=refusals,
    )


NEW = interpreter("cpython", "3.13.0", LOOPS | {"pyperf"})
OLD = interpreter("cpython", "3.10.13", LOOPS | {"pyperf"})
BARE = interpreter("pypy", "3.11.13", {"pyperf"})
FUSSY = interpreter(
    "cpython",
    "3.13.1",
    LOOPS | {"pyperf"},
    Refusal(reason="uvloop 0.1 refuses eager tasks", loop="uvloop", task_factory="eager"),
    Refusal(reason="gc.freeze is missing", collector="frozen"),
)


def some(registry: Mapping[str, object]) -> st.SearchStrategy[tuple[str, ...]]:
    names = st.sampled_from(list(registry))
    return st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)


selections = st.builds(
    Selection,
    probes=some(PROBES),
    workloads=some(WORKLOADS),
    tasks=st.lists(st.integers(1, 1000), min_size=1, max_size=3).map(tuple),
    loops=some(EVENT_LOOPS),
    task_factories=some(TASK_FACTORIES),
    strategies=some(STRATEGIES),
    limits=st.lists(st.integers(1, 1000), max_size=1).map(tuple),
    collectors=some(COLLECTORS),
    pauses=some(PAUSES),
)
several = st.lists(selections, min_size=1, max_size=3)
interpreters = st.lists(
    st.sampled_from([NEW, OLD, BARE, FUSSY]), min_size=1, unique_by=lambda row: row.name
)


def asked(laid_out: Matrix) -> set[tuple[str, str]]:
    """The ids of every contender and case that are together in some block."""
    return {
        pair
        for block in laid_out.blocks
        for pair in itertools.product(block.contenders, block.cases)
    }


def test_everything_is_measured_where_nothing_is_missing() -> None:
    laid_out = lay_out([NEW], [Selection()])
    assert laid_out.skipped == ()
    launchers = {(row.loop, row.strategy) for row in laid_out.contenders if row.role != "control"}
    assert launchers == {
        (loop, strategy) for loop in Selection().loops for strategy in Selection().strategies
    }
    (block,) = laid_out.blocks
    assert block.contenders == tuple(row.id for row in laid_out.contenders)
    assert block.cases == tuple(case.id for case in laid_out.cases)


@settings(deadline=None)
@given(interpreters, several)
def test_every_group_has_one_baseline_and_one_control(
    available: list[Interpreter], chosen: list[Selection]
) -> None:
    found = lay_out(available, chosen).contenders
    groups = {row.group for row in found}
    for role in ("baseline", "control"):
        assert Counter(row.group for row in found if row.role == role) == dict.fromkeys(groups, 1)
    assert all((row.strategy == BASELINE) == (row.role != "contender") for row in found)
    baselines = {row.group: row for row in found if row.role == "baseline"}
    for row in found:
        if row.role == "control":
            assert launcher_of(row) == launcher_of(baselines[row.group])


@settings(deadline=None)
@given(interpreters, several)
def test_a_contender_that_is_asked_a_case_has_its_baseline_and_its_control_in_it(
    available: list[Interpreter], chosen: list[Selection]
) -> None:
    laid_out = lay_out(available, chosen)
    pairs = asked(laid_out)
    by_id = {row.id: row for row in laid_out.contenders}
    for role in ("baseline", "control"):
        of_group = {row.group: row.id for row in laid_out.contenders if row.role == role}
        assert all((of_group[by_id[contender].group], case) in pairs for contender, case in pairs)


@settings(deadline=None)
@given(interpreters, several)
def test_ids_are_unique_and_no_contender_or_case_is_unused(
    available: list[Interpreter], chosen: list[Selection]
) -> None:
    laid_out = lay_out(available, chosen)
    assert len({row.id for row in laid_out.contenders}) == len(laid_out.contenders)
    assert len({row.id for row in laid_out.cases}) == len(laid_out.cases)
    assert len(set(laid_out.skipped)) == len(laid_out.skipped)
    pairs = asked(laid_out)
    assert {contender for contender, _ in pairs} == {row.id for row in laid_out.contenders}
    assert {case for _, case in pairs} == {row.id for row in laid_out.cases}


@settings(deadline=None)
@given(interpreters, selections)
def test_everything_asked_for_is_found_or_skipped_with_a_reason(
    available: list[Interpreter], selection: Selection
) -> None:
    selection = replace(selection, probes=("throughput",))
    laid_out = lay_out(available, [selection])
    launchers = (
        len(selection.loops)
        * len(selection.task_factories)
        * len(selection.collectors)
        * len([*selection.launches()])
    )
    found = sum(row.role != "control" for row in laid_out.contenders)
    assert len(laid_out.skipped) + found == len(available) * launchers
    assert all(row.reason for row in laid_out.skipped)


@settings(deadline=None)
@given(interpreters, several)
def test_a_probe_is_asked_only_of_those_it_is_for(
    available: list[Interpreter], chosen: list[Selection]
) -> None:
    laid_out = lay_out(available, chosen)
    contenders = {row.id: row for row in laid_out.contenders}
    of_ids = {row.id: row for row in laid_out.cases}
    for contender, case_id in asked(laid_out):
        case = of_ids[case_id]
        probe, row = PROBES[case.probe], STRATEGIES[contenders[contender].strategy]
        assert row.concurrent or not probe.concurrent_only
        assert case.pause == "none" or probe.pauses
        if probe.own_workload is not None:
            assert case.workload == probe.own_workload.name


def test_sequential_is_asked_the_rest_beside_a_probe_that_is_not_for_it() -> None:
    selection = Selection(
        probes=("throughput", "cancel"),
        workloads=("noop",),
        tasks=(10,),
        loops=("asyncio",),
        strategies=("sequential", "gather_tasks"),
    )
    laid_out = lay_out([NEW], [selection])
    of = {row.strategy: row.id for row in laid_out.contenders}
    assert {case for contender, case in asked(laid_out) if contender == of["sequential"]} == {
        "throughput/noop/10"
    }
    assert {case for contender, case in asked(laid_out) if contender == of["gather_tasks"]} == {
        "throughput/noop/10", "cancel/pending/10",
    }  # fmt: skip


def test_selections_are_asked_what_each_of_them_says_and_no_more() -> None:
    chosen = [
        Selection(probes=("throughput",), workloads=("noop",), tasks=(1,), loops=("asyncio",)),
        Selection(
            probes=("throughput",), workloads=("noop",), tasks=(2,), loops=("asyncio",),
            strategies=("wait",), collectors=("on", "off"),
        ),
    ]  # fmt: skip
    laid_out = lay_out([NEW], chosen)
    pairs = {
        (contender.removeprefix(f"{NEW.name}/asyncio/lazy/"), case[-1])
        for contender, case in asked(laid_out)
    }
    assert pairs == {
        ("gather_coroutines", "1"), ("gather_tasks", "1"), ("task_group", "1"),
        ("gather_coroutines/control", "1"), ("gather_coroutines", "2"), ("wait", "2"),
        ("gather_coroutines/control", "2"), ("gather_coroutines/off", "2"), ("wait/off", "2"),
        ("gather_coroutines/off/control", "2"),
    }  # fmt: skip


def test_the_baseline_is_measured_without_being_asked_for() -> None:
    found = lay_out([NEW], [Selection(loops=("asyncio",), strategies=("gather_tasks",))]).contenders
    assert [(row.strategy, row.role) for row in found] == [
        (BASELINE, "baseline"), ("gather_tasks", "contender"), (BASELINE, "control"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "needed", "chosen"),
    [
        ("task_group", "3.11", Selection(loops=("asyncio",))),
        (
            "eager",
            "3.12",
            Selection(loops=("asyncio",), task_factories=("lazy", "eager"), strategies=("wait",)),
        ),
    ],
)
def test_what_a_python_is_too_old_for_is_skipped(name: str, needed: str, chosen: Selection) -> None:
    laid_out = lay_out([OLD, NEW], [chosen])
    having = {
        row.interpreter for row in laid_out.contenders if name in (row.strategy, row.task_factory)
    }
    assert having == {NEW.name}
    assert {(row.contender.interpreter, row.reason) for row in laid_out.skipped} == {
        (OLD.name, f"{name} needs Python {needed}, {OLD.name} is older")
    }


def test_what_an_interpreter_refuses_is_skipped_with_its_reason() -> None:
    everything = Selection(
        task_factories=tuple(TASK_FACTORIES), collectors=tuple(COLLECTORS), strategies=("wait",)
    )
    laid_out = lay_out([FUSSY], [everything])
    launchers = set(map(launcher_of, laid_out.contenders))
    assert Launcher("asyncio", "eager", "wait") in launchers
    assert Launcher("uvloop", "lazy", "wait", "off") in launchers
    assert not any(launcher.collector == "frozen" for launcher in launchers)
    reasons = {row.contender: row.reason for row in laid_out.skipped}

    def wanted(launcher: Launcher) -> Wanted:
        named = {name: of for name, of in asdict(launcher).items() if name != "limit"}
        return Wanted(interpreter=FUSSY.name, **named)

    assert reasons[wanted(Launcher("uvloop", "eager", "wait"))] == (
        "uvloop 0.1 refuses eager tasks, on cpython-3.13.1"
    )
    assert reasons[wanted(Launcher("asyncio", "lazy", "wait", "frozen"))] == (
        "gc.freeze is missing, on cpython-3.13.1"
    )
    assert set(map(wanted, launchers)).isdisjoint(reasons)


def test_a_refusal_concerns_launchers_with_all_of_its_names() -> None:
    def concerned(**refused: str) -> list[Launcher]:
        refusal = Refusal(reason="", **refused)
        return [launcher for launcher in LAUNCHERS if concerns(refusal, launcher)]

    assert concerned(loop="uvloop", task_factory="eager") == [
        Launcher("uvloop", "eager", "wait"), Launcher("uvloop", "eager", "wait", "off"),
    ]  # fmt: skip
    assert concerned(collector="off") == LAUNCHERS[1::2]
    assert concerned() == LAUNCHERS


def test_a_loop_that_is_not_installed_is_skipped_by_name() -> None:
    laid_out = lay_out([BARE], [Selection()])
    assert {row.loop for row in laid_out.contenders} == {"asyncio"}
    assert {row.reason for row in laid_out.skipped} == {"uvloop is not installed for pypy-3.11.13"}
    assert len(laid_out.skipped) == len(Selection().strategies)


def test_optional_loops_are_measured_where_they_are_asked_for_only() -> None:
    optional = {name for name, row in EVENT_LOOPS.items() if row.optional}
    assert optional == {"rloop", "rsloop", "winloop"}
    for preset in PRESETS.values():
        for selection in preset.selections:
            assert optional.isdisjoint(selection.loops)
    assert lay_out([NEW], [Selection()]).skipped == ()
    reasons = {row.reason for row in lay_out([BARE], [Selection(loops=("rloop",))]).skipped}
    assert reasons == {"rloop is not installed for pypy-3.11.13"}
    asked_for = lay_out([NEW], [Selection(loops=("asyncio", "rloop"))]).contenders
    assert {row.loop for row in asked_for} == {"asyncio", "rloop"}


def test_without_any_baseline_there_is_no_control() -> None:
    laid_out = lay_out([BARE], [Selection(loops=("uvloop",))])
    assert laid_out.contenders == ()
    assert laid_out.cases == ()
    assert laid_out.blocks == ()
    assert laid_out.skipped


def test_a_missing_loop_does_not_hide_what_another_interpreter_has() -> None:
    found = lay_out([BARE, NEW], [Selection()]).contenders
    assert {row.group[:2] for row in found} == {
        (BARE.name, "asyncio"), (NEW.name, "asyncio"), (NEW.name, "uvloop"),
    }  # fmt: skip
    assert [(row.interpreter, row.loop) for row in found if row.role == "control"] == [
        (BARE.name, "asyncio"), (NEW.name, "asyncio"), (NEW.name, "uvloop"),
    ]  # fmt: skip


def test_cases_are_every_probe_workload_and_task_count() -> None:
    selection = Selection(probes=("latency",), workloads=("noop", "echo"), tasks=(100, 1, 100))
    assert [case.id for case in cases(selection)] == [
        "latency/noop/1", "latency/noop/100", "latency/echo/1", "latency/echo/100",
    ]  # fmt: skip


def test_pauses_are_asked_of_probes_that_take_them() -> None:
    selection = Selection(
        probes=("throughput", "head_start"), workloads=("sleep",), tasks=(10,), pauses=tuple(PAUSES)
    )
    assert [case.id for case in cases(selection)] == [
        "throughput/sleep/10", "head_start/sleep/10", "head_start/sleep/10/sleep_5ms",
        "head_start/sleep/10/sleep_20ms", "head_start/sleep/10/compute_10ms",
    ]  # fmt: skip


def test_a_probe_with_its_own_workload_is_asked_no_other() -> None:
    for probe in ("cancel", "memory"):
        assert cases(Selection(probes=(probe,), tasks=(5, 10))) == (
            Case(probe, "pending", 5), Case(probe, "pending", 10),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("workload", "tasks"), [("tree", 179), ("tree", 10_000), ("noop", 10_000_001)]
)
def test_a_fan_out_that_is_too_large_is_refused(workload: str, tasks: int) -> None:
    selections = [Selection(), Selection(workloads=(workload, "sleep"), tasks=(1, tasks))]
    with pytest.raises(MatrixError) as caught:
        matrix.check(selections)
    message = str(caught.value)
    assert message.startswith(f"{workload} with n = {tasks:_} makes ")
    assert "the limit is 10_000_000" in message
    assert "\n" not in message


def test_the_largest_fan_outs_are_not_refused() -> None:
    matrix.check(
        [
            Selection(workloads=("tree",), tasks=(178,)),
            Selection(workloads=("noop",), tasks=(10_000_000,)),
            Selection(probes=("cancel",), workloads=("tree",), tasks=(10_000,)),  # its own workload
        ]
    )


@pytest.mark.parametrize("name", PRESETS)
def test_presets_name_only_what_there_is(name: str) -> None:
    preset = PRESETS[name]
    for selection in preset.selections:
        assert set(selection.probes) <= set(PROBES)
        assert set(selection.workloads) <= set(WORKLOADS)
        assert set(selection.loops) <= set(EVENT_LOOPS)
        assert set(selection.task_factories) <= set(TASK_FACTORIES)
        assert set(selection.strategies) <= set(STRATEGIES)
        assert set(selection.collectors) <= set(COLLECTORS)
        assert set(selection.pauses) <= set(PAUSES)
        assert all(count >= 1 for count in selection.tasks)
        assert cases(selection)
    assert preset.budget_seconds > 0
    assert 0 < preset.precision < 0.5
    assert preset.meaning
    matrix.check(preset.selections)


def test_the_default_preset_answers_the_question_in_four_minutes() -> None:
    preset = PRESETS["default"]
    costs, moments = preset.selections
    assert preset.budget_seconds < 240
    assert costs == Selection(probes=("throughput",))
    assert {1, 10_000} <= set(costs.tasks)
    # When tasks complete is seen at one size.
    assert (moments.probes, moments.tasks) == (("latency",), (1000,))
    assert {100_000, 1_000_000} <= set(PRESETS["full"].selections[0].tasks)
    assert PRESETS["smoke"].budget_seconds < 30


@pytest.mark.parametrize("name", ["smoke", "default", "full"])
def test_further_axes_stay_out_of_the_usual_presets(name: str) -> None:
    for selection in PRESETS[name].selections:
        assert set(selection.probes) <= {"throughput", "latency"}
        assert selection.strategies == ("gather_coroutines", "gather_tasks", "task_group")
        assert selection.loops == ("asyncio", "uvloop")
        assert (selection.task_factories, selection.collectors) == (("lazy",), ("on",))
        assert selection.pauses == ("none",)


def test_the_question_preset_covers_the_question() -> None:
    """Every probe and axis, the first contender the baseline of the plain programs."""
    laid_out = lay_out([NEW], PRESETS["question"].selections)
    launchers = set(map(launcher_of, laid_out.contenders))
    for names, registry in (
        (
            {launcher.strategy for launcher in launchers} | {*BOUNDING, "gather_eager_start"},
            STRATEGIES,
        ),
        ({launcher.task_factory for launcher in launchers}, TASK_FACTORIES),
        ({launcher.collector for launcher in launchers}, COLLECTORS),
        ({case.pause for case in laid_out.cases}, PAUSES),
        ({case.probe for case in laid_out.cases} | {"latency", "footprint"}, PROBES),
    ):
        assert names == set(registry)
    assert launcher_of(laid_out.contenders[0]) == Launcher("asyncio", "lazy", BASELINE)
    assert PRESETS["question"].budget_seconds <= 15 * 60


def test_choices_list_every_name_with_its_meaning() -> None:
    choices = dict(matrix.choices())
    registries = (
        STRATEGIES, WORKLOADS, EVENT_LOOPS, TASK_FACTORIES, COLLECTORS, PROBES, PAUSES, PRESETS,
    )  # fmt: skip
    assert [list(rows) for rows in choices.values()] == [list(registry) for registry in registries]
    assert all(meaning for rows in choices.values() for meaning in rows.values())


def test_a_new_strategy_needs_a_place_in_a_selection_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = replace(STRATEGIES["gather_tasks"], name="added")
    monkeypatch.setitem(STRATEGIES, "added", added)
    found = lay_out([NEW], [Selection(strategies=("added",))]).contenders
    assert "added" in {row.strategy for row in found}
    assert "added" in dict(matrix.choices())["strategies"]
