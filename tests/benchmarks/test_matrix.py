"""What a campaign measures: contenders, cases, presets, and reasons to skip."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import matrix
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import PRESETS, Available, Selection, cases, contenders
from benchmarks.probes import PROBES
from benchmarks.strategies import BASELINE, STRATEGIES
from benchmarks.workloads import WORKLOADS

NEW = Available("cpython-3.13.0", (3, 13), frozenset({"pyperf", "uvloop"}))
OLD = Available("cpython-3.10.13", (3, 10), frozenset({"pyperf", "uvloop"}))
BARE = Available("pypy-3.11.13", (3, 11), frozenset({"pyperf"}))

selections = st.builds(
    Selection,
    loops=st.lists(st.sampled_from(list(EVENT_LOOPS)), min_size=1, unique=True).map(tuple),
    strategies=st.lists(st.sampled_from(list(STRATEGIES)), min_size=1, unique=True).map(tuple),
)
interpreters = st.lists(st.sampled_from([NEW, OLD, BARE]), min_size=1, unique=True)


def test_everything_is_measured_where_nothing_is_missing() -> None:
    found, skipped = contenders([NEW], Selection())
    assert skipped == ()
    launchers = {
        (row.launcher.loop, row.launcher.strategy) for row in found if row.role != "control"
    }
    assert launchers == {
        (loop, strategy) for loop in EVENT_LOOPS for strategy in Selection().strategies
    }


@given(interpreters, selections)
def test_every_group_has_one_baseline_and_there_is_one_control(
    available: list[Available], selection: Selection
) -> None:
    found, _ = contenders(available, selection)
    groups = {row.group for row in found}
    baselines = Counter(row.group for row in found if row.role == "baseline")
    assert baselines == dict.fromkeys(groups, 1)
    assert all((row.launcher.strategy == BASELINE) == (row.role != "contender") for row in found)
    controls = [row for row in found if row.role == "control"]
    assert len(controls) == bool(found)
    for control in controls:
        assert (found[0].role, found[0].launcher) == ("baseline", control.launcher)
        assert found[0].group == control.group


@given(interpreters, selections)
def test_ids_are_unique_and_everything_asked_for_is_found_or_skipped(
    available: list[Available], selection: Selection
) -> None:
    found, skipped = contenders(available, selection)
    assert len({row.id for row in found}) == len(found)
    asked = len(available) * len(selection.loops) * len({*selection.strategies, BASELINE})
    assert len(skipped) + sum(row.role != "control" for row in found) == asked
    assert all(row.reason for row in skipped)


def test_the_baseline_is_measured_without_being_asked_for() -> None:
    found, _ = contenders([NEW], Selection(loops=("asyncio",), strategies=("gather_tasks",)))
    assert [(row.launcher.strategy, row.role) for row in found] == [
        (BASELINE, "baseline"), ("gather_tasks", "contender"), (BASELINE, "control"),
    ]  # fmt: skip


def test_python_3_10_has_no_task_group() -> None:
    found, skipped = contenders([OLD], Selection(loops=("asyncio",)))
    assert "task_group" not in {row.launcher.strategy for row in found}
    (row,) = skipped
    assert row.launcher is not None
    assert (row.interpreter, row.launcher.strategy) == (OLD.name, "task_group")
    assert row.reason == "task_group needs Python 3.11, cpython-3.10.13 is older"


def test_a_loop_that_is_not_installed_is_skipped_by_name() -> None:
    found, skipped = contenders([BARE], Selection())
    assert {row.launcher.loop for row in found} == {"asyncio"}
    assert {row.reason for row in skipped} == {"uvloop is not installed for pypy-3.11.13"}
    assert len(skipped) == len(Selection().strategies)


def test_without_any_baseline_there_is_no_control() -> None:
    found, skipped = contenders([BARE], Selection(loops=("uvloop",)))
    assert found == ()
    assert skipped


def test_a_missing_loop_does_not_hide_what_another_interpreter_has() -> None:
    found, _ = contenders([BARE, NEW], Selection())
    assert {row.group[:2] for row in found} == {
        (BARE.name, "asyncio"), (NEW.name, "asyncio"), (NEW.name, "uvloop"),
    }  # fmt: skip
    assert found[-1].role == "control"
    assert found[-1].interpreter == BARE.name


def test_cases_are_every_probe_workload_and_task_count() -> None:
    selection = Selection(probes=("latency",), workloads=("noop", "echo"), tasks=(100, 1, 100))
    assert [case.id for case in cases(selection)] == [
        "latency/noop/1", "latency/noop/100", "latency/echo/1", "latency/echo/100",
    ]  # fmt: skip


@pytest.mark.parametrize("name", PRESETS)
def test_presets_name_only_what_there_is(name: str) -> None:
    preset = PRESETS[name]
    selection = preset.selection
    assert set(selection.probes) <= set(PROBES)
    assert set(selection.workloads) <= set(WORKLOADS)
    assert set(selection.loops) <= set(EVENT_LOOPS)
    assert set(selection.task_factories) <= set(TASK_FACTORIES)
    assert set(selection.strategies) <= set(STRATEGIES)
    assert all(count >= 1 for count in selection.tasks)
    assert preset.budget_seconds > 0
    assert 0 < preset.precision < 0.5
    assert preset.summary


def test_the_default_preset_answers_the_question_in_four_minutes() -> None:
    preset = PRESETS["default"]
    assert preset.budget_seconds < 240
    assert {1, 10_000} <= set(preset.selection.tasks)
    assert {100_000, 1_000_000} <= set(PRESETS["full"].selection.tasks)
    assert PRESETS["smoke"].budget_seconds < 30


def test_choices_list_every_name_with_a_summary() -> None:
    choices = dict(matrix.choices())
    assert [set(rows) for rows in choices.values()] == [
        set(STRATEGIES), set(WORKLOADS), set(EVENT_LOOPS), set(PROBES), set(PRESETS),
    ]  # fmt: skip
    assert all(summary for rows in choices.values() for summary in rows.values())


def test_a_new_strategy_needs_a_place_in_a_selection_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = replace(STRATEGIES["gather_tasks"], name="added")
    monkeypatch.setitem(STRATEGIES, "added", added)
    found, _ = contenders([NEW], Selection(strategies=("added",)))
    assert "added" in {row.launcher.strategy for row in found}
    assert "added" in dict(matrix.choices())["strategies"]
