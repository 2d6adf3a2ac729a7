"""The decision table: on campaigns whose truth is turned round, its advice turns round."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.judge.decisions import EITHER, OPEN, SITUATIONS, Decision, decisions
from analysis.judge.findings import Findings, find
from analysis.read.load import read_campaign
from benchmarks.campaign import schema
from benchmarks.cases import Case
from tests import campaigns

COMPUTES, WAITS, NESTED, AWAITED, LIMITED, IN_TURN = list(SITUATIONS)[:6]
FAILS, CANCELLED, RESPONSIVE, MEMORY, FACTORY, LOOP = list(SITUATIONS)[6:]
NOOP, YIELD, SLEEP = (
    tuple(Case("throughput", name, n) for n in (10, 100))
    for name in ("noop", "yield_once", "sleep")
)
Effects = Mapping[str, float]


def measure(folder: Path, effects: Effects | None = None, **options: Any) -> Findings:  # noqa: ANN401
    """A quiet campaign in which things take so many times as long, by any name that they have."""

    def effect(who: schema.Contender, case: schema.Case, metric: str) -> float:
        axes = (who.strategy, who.loop, who.task_factory, who.collector)
        names = {*axes, case.pause, metric, who.interpreter}
        names |= {f"{who.strategy} {case.pause}", f"{who.strategy}/{case.workload}"}
        names |= {f"{who.strategy} {who.interpreter}", f"{who.loop} {who.strategy}"}
        return sum(math.log(by) for name, by in (effects or {}).items() if name in names)

    given = {"noise": 0.001, "cases": NOOP, **options}
    return find(read_campaign(campaigns.write(folder, effect=effect, **given)))


def row(situation: str, *findings: Findings) -> Decision:
    [found] = [one for one in decisions(findings) if one.situation == situation]
    return found


# --- strategies compared with the reference -------------------------------------------------------


@pytest.mark.parametrize(
    ("effects", "use", "gain"),
    [
        (
            {"gather_tasks": 1.05, "task_group": 1.1},
            "gather(*coroutines)",
            "4.8 to 9.1 % less time",
        ),
        ({"gather_tasks": 0.95, "task_group": 1.1}, "gather(*tasks)", "5.0 % less time"),
        ({"gather_tasks": 1.05, "task_group": 0.9}, "TaskGroup", "10 % less time"),
        # Both are faster than the reference: which of them more is not what was compared.
        (
            {"gather_tasks": 0.9, "task_group": 0.8},
            "gather(*tasks) or TaskGroup",
            "10 to 20 % less",
        ),
        ({"gather_tasks": 1.05}, "gather(*coroutines) or TaskGroup", "4.8 % less time"),
        ({}, EITHER, "nothing: within 2 %"),
    ],
)
def test_joined_at_once(tmp_path: Path, effects: Effects, use: str, gain: str) -> None:
    found = row(COMPUTES, measure(tmp_path / "c", effects))
    assert (found.use, found.exceptions) == (use, "")
    assert found.holds_on == "Python 3.14.0, asyncio"
    digits = {"4.8": ("4.7", "4.8"), "9.1": ("9.0", "9.1")}
    texts = {gain} | {gain.replace(a, b) for a, bs in digits.items() for b in bs}
    assert any(found.gain.startswith(text) for text in texts) or "10" in gain
    assert found.gain.endswith("ns a task)") == (use != EITHER)


def test_what_noise_hides_is_no_advice(tmp_path: Path) -> None:
    found = row(COMPUTES, measure(tmp_path / "c", {"task_group": 1.5}, noise=0.1))
    assert (found.use, found.gain) == (OPEN, "")
    assert found.exceptions == "measure longer: Python 3.14.0, asyncio"


def test_an_unproven_campaign_is_said_to_be_one(tmp_path: Path) -> None:
    found = row(COMPUTES, measure(tmp_path / "c", {"task_group": 2.0}, control=False))
    assert found.holds_on.endswith(" (unproven)")


def test_only_the_usual_factory_and_collector_are_compared(tmp_path: Path) -> None:
    def effect(who: schema.Contender, *_: object) -> float:
        return 0.1 * (who.strategy == "task_group") * (1 if who.collector == "off" else -1)

    folder = campaigns.write(
        tmp_path / "c", effect=effect, noise=0.001, collectors=("on", "off"), cases=NOOP
    )
    assert row(COMPUTES, find(read_campaign(folder))).use == "TaskGroup"


def test_each_kind_of_work_has_its_own_situation(tmp_path: Path) -> None:
    cases = (*NOOP, *SLEEP, Case("throughput", "tree", 36))
    effects = {"task_group/noop": 0.8, "gather_tasks/sleep": 0.8, "task_group/tree": 3.0}
    findings = measure(tmp_path / "c", effects, cases=cases)
    assert row(COMPUTES, findings).use == "TaskGroup"
    assert row(WAITS, findings).use == "gather(*tasks)"
    assert row(NESTED, findings).use == "gather(*coroutines) or gather(*tasks)"


def test_a_task_factory_may_change_what_nested_fan_outs_should_use(tmp_path: Path) -> None:
    def effect(who: schema.Contender, *_: object) -> float:
        return math.log(3.0 if who.task_factory == "eager" else 0.9) * (
            who.strategy == "task_group"
        )

    folder = campaigns.write(
        tmp_path / "c", effect=effect, noise=0.001, task_factories=("lazy", "eager"),
        strategies=("gather_coroutines", "task_group"),
        cases=(*NOOP, Case("throughput", "tree", 1)),
    )  # fmt: skip
    findings = find(read_campaign(folder))
    found = row(NESTED, findings)
    assert (found.use, found.holds_on) == ("TaskGroup", "tree")
    assert found.exceptions == "gather(*coroutines): tree with eager tasks"
    assert row(COMPUTES, findings).exceptions == "", "it is asked of the usual factory only"


@pytest.mark.parametrize(
    ("effect", "use"), [(0.1, "await one by one"), (10.0, "gather(*coroutines)"), (1.0, EITHER)]
)
def test_one_after_another(tmp_path: Path, effect: float, use: str) -> None:
    strategies = ("gather_coroutines", "sequential")
    findings = measure(tmp_path / "c", {"sequential": effect}, strategies=strategies)
    assert row(IN_TURN, findings).use == use
    # It is no way to join at once.
    assert [one.situation for one in decisions([findings])] == [IN_TURN]


# --- where it holds, and where not ----------------------------------------------------------------

PYTHONS = ("3.11.7", "3.12.1", "3.13.0", "3.14.0")


def test_what_one_python_comes_to_is_an_exception(tmp_path: Path) -> None:
    effects = {"task_group": 0.9, "task_group cpython-3.12.1": 1.4}
    found = row(COMPUTES, measure(tmp_path / "c", effects, pythons=PYTHONS))
    assert (found.use, found.holds_on) == ("TaskGroup", "Python 3.11.7, 3.13.0 and 3.14.0")
    assert found.exceptions == "gather(*coroutines) or gather(*tasks): Python 3.12.1"


def test_pythons_that_follow_one_another_are_a_span(tmp_path: Path) -> None:
    effects = {"task_group": 0.9, "task_group cpython-3.14.0": 1.4}
    found = row(COMPUTES, measure(tmp_path / "c", effects, pythons=PYTHONS))
    assert found.holds_on == "Python 3.11.7 to 3.13.0"


def test_all_settings_are_counted(tmp_path: Path) -> None:
    loops = ("asyncio", "uvloop")
    found = row(
        COMPUTES, measure(tmp_path / "c", {"task_group": 0.9}, pythons=PYTHONS, loops=loops)
    )
    assert (found.holds_on, found.exceptions) == ("Python 3.11.7 to 3.14.0, asyncio and uvloop", "")


def test_a_loop_may_be_the_exception(tmp_path: Path) -> None:
    effects = {"task_group": 0.8, "uvloop task_group": 1.5}
    options = {"pythons": PYTHONS[2:], "loops": ("asyncio", "uvloop")}
    found = row(COMPUTES, measure(tmp_path / "c", effects, **options))
    assert found.use == "TaskGroup"
    assert found.holds_on == "asyncio"
    assert found.exceptions == "gather(*coroutines) or gather(*tasks): uvloop"


def test_a_kind_of_work_may_be_the_exception(tmp_path: Path) -> None:
    effects = {"task_group": 0.9, "task_group/yield_once": 1.5}
    options = {"cases": (*NOOP, *YIELD), "pythons": PYTHONS[1:]}
    found = row(COMPUTES, measure(tmp_path / "c", effects, **options))
    sides = {found.use: found.holds_on}
    assert sides in ({"TaskGroup": "noop"}, {"gather(*coroutines) or gather(*tasks)": "yield once"})
    assert found.exceptions.count(":") == 1


def test_of_two_campaigns_the_first_is_followed(tmp_path: Path) -> None:
    one = measure(tmp_path / "one", {"task_group": 0.8})
    other = measure(tmp_path / "other", {"task_group": 1.2}, cases=(*NOOP, *YIELD))
    found = row(COMPUTES, one, other)
    assert found.use == "TaskGroup"
    assert found.exceptions == "gather(*coroutines) or gather(*tasks): yield once"
    turned = row(COMPUTES, other, one)
    assert (turned.use, turned.exceptions) == ("gather(*coroutines) or gather(*tasks)", "")


# --- head start, callbacks, memory ----------------------------------------------------------------

PAUSES = ("none", "sleep_20ms", "compute_10ms")
HEAD_START = [Case("head_start", name, 10, pause) for name in ("noop", "sleep") for pause in PAUSES]


def test_a_head_start(tmp_path: Path) -> None:
    effects = {"gather_tasks sleep_20ms": 0.5, "task_group sleep_20ms": 0.5}
    findings = measure(tmp_path / "c", effects, cases=HEAD_START)
    found = row(AWAITED, findings)
    assert found.use == "gather(*tasks) or TaskGroup"
    assert found.gain.startswith("50 % less time (")
    assert "a task" not in found.gain, "it is the time of the whole"


@pytest.mark.parametrize(
    ("short", "long", "offered"),
    [(0.5, 0.5, True), (1.0, 0.5, True), (1.1, 0.5, False), (1.0, 1.1, False)],
)
def test_what_is_worse_in_any_case_is_not_advised(
    tmp_path: Path, short: float, long: float, offered: bool
) -> None:
    cases = [Case("head_start", "sleep_20ms", 10, pause) for pause in ("sleep_5ms", "sleep_20ms")]
    effects = {"task_group sleep_5ms": short, "task_group sleep_20ms": long, "gather_tasks": 1.1}
    use = row(AWAITED, measure(tmp_path / "c", effects, cases=cases)).use
    assert ("TaskGroup" in use) == offered
    assert ("gather(*coroutines)" in use) != (short < 1 and long < 1)


@pytest.mark.parametrize(("effect", "use"), [(0.8, "TaskGroup"), (1.2, "gather(*coroutines)")])
@pytest.mark.parametrize(
    ("situation", "case", "thing"),
    [(RESPONSIVE, "stall/noop", "less time ("), (MEMORY, "memory/pending", "less memory (")],
)
def test_waiting_and_memory(
    tmp_path: Path, situation: str, case: str, thing: str, effect: float, use: str
) -> None:
    probe, _, workload = case.partition("/")
    cases = [Case(probe, workload, n) for n in (10, 1000)]
    effects = {"task_group": effect, "gather_tasks": 1.1}
    found = row(situation, measure(tmp_path / "c", effects, cases=cases))
    assert found.use == use
    assert thing in found.gain


# --- the other axes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("situation", "axis", "names"),
    [
        (FACTORY, "task_factories", {"lazy": "lazy tasks", "eager": "eager tasks"}),
        (LOOP, "loops", {"asyncio": "asyncio", "uvloop": "uvloop"}),
    ],
)
@pytest.mark.parametrize(("factor", "side"), [(0.6, 1), (1.5, 0), (1.0, None)])
def test_factories_and_loops(
    tmp_path: Path,
    situation: str,
    axis: str,
    names: dict[str, str],
    factor: float,
    side: int | None,
) -> None:
    (usual, other), labels = names, list(names.values())
    options = {axis: (usual, other), "cases": (*NOOP, *YIELD)}
    found = row(situation, measure(tmp_path / "c", {other: factor}, **options))
    assert (found.use, found.exceptions) == (EITHER if side is None else labels[side], "")


def test_a_loop_for_some_strategies_only(tmp_path: Path) -> None:
    effects = {"uvloop": 0.8, "uvloop task_group": 1.5}
    found = row(LOOP, measure(tmp_path / "c", effects, loops=("asyncio", "uvloop")))
    assert found.use == "gather(*coroutines) or gather(*tasks) on uvloop and TaskGroup on asyncio"


# --- what was counted -----------------------------------------------------------------------------


def counting(folder: Path, case: Case, counts: Mapping[str, Sequence[str]]) -> Findings:
    """A campaign in which 99 are counted by these names with these strategies, else 0; in the
    control, which is of no account here, always.
    """
    return measure(
        folder, cases=[case],
        observe=lambda who, _, name: 99.0 * (
            who.role == "control" or who.strategy in counts.get(name, ())
        ),
    )  # fmt: skip


def test_when_one_fails(tmp_path: Path) -> None:
    gathers, group = ("gather_coroutines", "gather_tasks"), ("task_group",)
    case, both = Case("failure", "sleep", 100), "gather(*coroutines) or gather(*tasks)"
    uses = []
    for number, (on, off) in enumerate([(gathers, group), (group, gathers)]):
        counts = {"siblings_ran_on": on, "siblings_cancelled": off}
        found = row(FAILS, counting(tmp_path / str(number), case, counts))
        assert found.gain == "99 of 99 others are cancelled"
        uses.append(found.use)
    assert uses == [
        f"to stop the others: TaskGroup; to let them go on: {both}",
        f"to stop the others: {both}; to let them go on: TaskGroup",
    ]
    assert row(FAILS, counting(tmp_path / "unclear", case, {})).use == OPEN


def test_when_the_caller_is_cancelled(tmp_path: Path) -> None:
    case = Case("cancel", "pending", 100)
    found = row(CANCELLED, counting(tmp_path / "c", case, {"left_running": ("task_group",)}))
    assert found.use == "gather(*coroutines) or gather(*tasks)"
    assert found.gain == "TaskGroup leaves 99 of 100 running"


def test_of_several_workloads_each_is_said(tmp_path: Path) -> None:
    cases = [Case("failure", name, 100) for name in ("noop", "sleep")]
    gathers = ("gather_coroutines", "gather_tasks")

    def observe(who: schema.Contender, case: schema.Case, name: str) -> float:
        ran_on = who.strategy in gathers or case.workload == "noop"
        return 99.0 * (ran_on if name == "siblings_ran_on" else not ran_on)

    found = row(FAILS, measure(tmp_path / "c", cases=cases, observe=observe))
    said = f"{found.use} {found.exceptions}"
    assert "to stop the others: TaskGroup; to let them go on: gather(*coroutines) or" in said
    assert "to let them go on: gather(*coroutines), gather(*tasks) or TaskGroup" in said


# --- the table as a whole -------------------------------------------------------------------------


def test_there_are_twelve_rows_at_most_and_only_what_was_measured(tmp_path: Path) -> None:
    assert len(SITUATIONS) == 12
    found = decisions([measure(tmp_path / "c")])
    assert [one.situation for one in found] == [COMPUTES]
    assert decisions([]) == []


def test_single_cases_that_are_the_other_way_are_named(tmp_path: Path) -> None:
    """TaskGroup is faster in the mean, and slower with ten tasks on one of two Pythons."""

    def effect(who: schema.Contender, case: schema.Case, metric: str) -> float:
        is_turned = case.tasks == 10 and who.interpreter == "cpython-3.13.0"
        return math.log(1.1 if is_turned else 0.5) if who.strategy == "task_group" else 0.0

    pythons = ("3.13.0", "3.14.0")
    folder = campaigns.write(
        tmp_path / "c", effect=effect, noise=0.001, cases=NOOP, pythons=pythons
    )
    findings = find(read_campaign(folder))
    found = row(COMPUTES, findings)
    assert found.use == "TaskGroup"
    assert found.exceptions == "the other way in single cases: noop with n = 10 on Python 3.13.0"
