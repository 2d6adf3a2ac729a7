"""The decision guide: on campaigns whose truth is turned round, its advice turns round."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.judge.findings import Findings, find
from analysis.judge.guide import TOPICS, Advice, guide
from analysis.judge.verdicts import FASTER, SAME, SLOWER
from analysis.read.load import read_campaign
from benchmarks.campaign import schema
from benchmarks.cases import Case
from tests import campaigns

AT_ONCE, AWAITED, COMPUTED, IN_TURN, FAILS, CANCELLED = list(TOPICS)[:6]
RESPONSIVE, MEMORY, FACTORY, LOOP, COLLECTOR, ALONE = list(TOPICS)[6:]
NOOP, YIELD = (
    tuple(Case("throughput", name, n) for n in (10, 100)) for name in ("noop", "yield_once")
)
Effects = Mapping[str, float]


def measure(folder: Path, effects: Effects | None = None, **options: Any) -> Findings:  # noqa: ANN401
    """A quiet campaign in which things take so many times as long, by any name that they have."""

    def effect(who: schema.Contender, case: schema.Case, metric: str) -> float:
        axes = (who.strategy, who.loop, who.task_factory, who.collector)
        names = {*axes, case.pause, metric, f"{who.strategy} {who.collector}", who.interpreter}
        names |= {f"{who.strategy} {case.pause}", f"{who.task_factory} {case.pause}"}
        factors = (effects or {}).items()
        return sum(math.log(factor) for name, factor in factors if name in names)

    given = {"noise": 0.001, "cases": NOOP, **options}
    return find(read_campaign(campaigns.write(folder, effect=effect, **given)))


def advised(topic: str, *findings: Findings) -> list[Advice]:
    return [one for one in guide(findings) if one.topic == topic]


def uses(topic: str, *findings: Findings) -> list[str]:
    return [one.use for one in advised(topic, *findings)]


# --- strategies compared with the reference -------------------------------------------------------


@pytest.mark.parametrize(
    ("effects", "use"),
    [
        ({"gather_tasks": 1.05, "task_group": 1.1}, "Use gather(*coroutines)"),
        ({"gather_tasks": 0.95, "task_group": 1.1}, "Use gather(*tasks)"),
        ({"gather_tasks": 1.05, "task_group": 0.9}, "Use TaskGroup"),
        # Both are faster than the reference: which of them more is not what was compared.
        ({"gather_tasks": 0.9, "task_group": 0.8}, "Use gather(*tasks) or TaskGroup"),
        ({"gather_tasks": 1.05, "task_group": 1.0}, "Use gather(*coroutines) or TaskGroup"),
    ],
)
def test_joined_at_once(tmp_path: Path, effects: Effects, use: str) -> None:
    [line] = advised(AT_ONCE, measure(tmp_path / "c", effects))
    assert (line.use, line.decided) == (use, True)
    assert line.when == (
        "you create the tasks and join them at once, and each coroutine returns at once"
    )


def test_a_sentence_names_the_reference_once_with_what_it_takes(tmp_path: Path) -> None:
    [line] = advised(AT_ONCE, measure(tmp_path / "c", {"task_group": 3.0}))
    assert line.reason.startswith(
        "Python 3.14.0 on asyncio: noop (2 cases): gather(*coroutines) takes 3,000 ns ["
    )
    same, slower = line.reason.partition(" per task; compared with it, ")[2].split("; ")
    assert same.startswith("gather(*tasks) takes the same time within 2 % (")
    assert slower.startswith("TaskGroup takes 3.00 [")
    assert slower.endswith("] times as long")
    assert str(line) == f"{line.use} when {line.when}: {line.reason}"


def test_what_noise_hides_is_not_decided(tmp_path: Path) -> None:
    [line] = advised(AT_ONCE, measure(tmp_path / "c", {"task_group": 3.0}, noise=0.1))
    assert line.use == "Not decided: gather(*coroutines) or gather(*tasks)"
    assert not line.decided
    assert "does not differ significantly (undecided: " in line.reason


def test_an_unproven_campaign_is_said_to_be_one(tmp_path: Path) -> None:
    [line] = advised(AT_ONCE, measure(tmp_path / "c", {"task_group": 2.0}, control=False))
    assert line.reason.startswith("Python 3.14.0 on asyncio (unproven campaign): ")


def test_only_the_usual_factory_and_collector_are_compared(tmp_path: Path) -> None:
    effects = {"task_group off": 1.1, "gather_tasks on": 1.1}
    findings = measure(tmp_path / "c", effects, collectors=("on", "off"))
    assert uses(AT_ONCE, findings) == ["Use gather(*coroutines) or TaskGroup"]


@pytest.mark.parametrize(
    ("effect", "use"),
    [
        (0.1, "Use await one by one"),
        (10.0, "Use gather(*coroutines)"),
        (1.0, "Use gather(*coroutines) or await one by one"),
    ],
)
def test_one_after_another(tmp_path: Path, effect: float, use: str) -> None:
    strategies = ("gather_coroutines", "sequential")
    findings = measure(tmp_path / "c", {"sequential": effect}, strategies=strategies)
    [line] = advised(IN_TURN, findings)
    assert line.use == use
    assert line.when == "you may await them one by one, and each coroutine returns at once"
    # It is no way to join at once.
    assert uses(AT_ONCE, findings) == ["Not measured here"]


PAUSES = ("none", "sleep_20ms", "compute_10ms")
HEAD_START = [Case("head_start", name, 10, pause) for name in ("noop", "sleep") for pause in PAUSES]


def test_a_head_start(tmp_path: Path) -> None:
    effects = {
        "gather_tasks sleep_20ms": 0.5, "task_group sleep_20ms": 0.5, "eager compute_10ms": 0.7,
    }  # fmt: skip
    options = {"cases": HEAD_START, "task_factories": ("lazy", "eager")}
    findings = measure(tmp_path / "c", effects, **options)
    first, either = advised(AWAITED, findings)
    assert (first.use, first.when) == (
        "Use gather(*tasks) or TaskGroup",
        "you await something else before you join them, with lazy tasks",
    )
    assert "sleep, 10 tasks, 20 ms awaited in between: gather(*coroutines) takes" in first.reason
    assert either.use == "Use eager tasks or lazy tasks"
    lazy, eager = advised(COMPUTED, findings)
    assert lazy.use == "Use gather(*coroutines), gather(*tasks) or TaskGroup"
    assert eager.use == "Use eager tasks"
    assert eager.when.endswith("before you join them, and can choose the task factory")
    assert "on lazy" not in eager.reason
    assert " with lazy tasks; with eager tasks, compared with lazy tasks, " in eager.reason
    # Pauses after which nothing is left to save, and no pause at all, say nothing here.
    cases = {findings.contrasts.loc[i, "case"] for i in first.evidence[0].contrasts}
    assert cases == {"head_start/sleep/10/sleep_20ms"}
    turned = measure(tmp_path / "turned", {"task_group sleep_20ms": 1.1}, **options)
    assert uses(AWAITED, turned)[0] == "Use gather(*coroutines) or gather(*tasks)"


@pytest.mark.parametrize(
    ("short", "long", "offered"),
    [(0.5, 0.5, True), (1.0, 0.5, True), (1.1, 0.5, False), (1.0, 1.1, False)],
)
def test_what_is_worse_in_any_case_is_not_advised(
    tmp_path: Path, short: float, long: float, offered: bool
) -> None:
    cases = [Case("head_start", "sleep_20ms", 10, pause) for pause in ("sleep_5ms", "sleep_20ms")]
    effects = {"task_group sleep_5ms": short, "task_group sleep_20ms": long, "gather_tasks": 1.1}
    [use] = uses(AWAITED, measure(tmp_path / "c", effects, cases=cases))
    better = short < 1 and long < 1
    assert ("TaskGroup" in use) == offered
    assert ("gather(*coroutines)" in use) != better


@pytest.mark.parametrize(("effect", "use"), [(0.8, "TaskGroup"), (1.2, "gather(*coroutines)")])
@pytest.mark.parametrize(
    ("topic", "case", "words"),
    [
        (RESPONSIVE, "stall/noop", "makes other callbacks wait 3.00 ms ["),
        (MEMORY, "memory/pending", "kB ["),
    ],
)
def test_waiting_and_memory(
    tmp_path: Path, topic: str, case: str, words: str, effect: float, use: str
) -> None:
    probe, _, workload = case.partition("/")
    cases = [Case(probe, workload, n) for n in (10, 1000)]
    effects = {"task_group": effect, "gather_tasks": 1.1}
    line = advised(topic, measure(tmp_path / "c", effects, cases=cases))[0]
    assert line.use == f"Use {use}"
    assert words in line.reason
    assert {"stall": " wait 20.", "memory": " 20."}[probe] in line.reason
    assert "1,000 tasks" in line.when


def test_fewer_at_a_time_only_where_that_is_shown(tmp_path: Path) -> None:
    cases = [Case("stall", "noop", n) for n in (10, 1000)]
    line = advised(RESPONSIVE, measure(tmp_path / "c", cases=cases))[1]
    assert line.use == "Start fewer tasks at a time"
    assert "they wait 30.0 us [" in line.reason
    assert " while 10 tasks run, and 3.00 ms [" in line.reason
    [_] = advised(RESPONSIVE, measure(tmp_path / "one", cases=cases[:1]))


# --- the other axes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "axis", "names"),
    [
        (FACTORY, "task_factories", {"lazy": "lazy tasks", "eager": "eager tasks"}),
        (LOOP, "loops", {"asyncio": "asyncio", "uvloop": "uvloop"}),
    ],
)
@pytest.mark.parametrize(("factor", "side"), [(0.6, "1"), (1.5, "0"), (1.0, "1 or 0")])
def test_factories_and_loops(
    tmp_path: Path, topic: str, axis: str, names: dict[str, str], factor: float, side: str
) -> None:
    (usual, other), labels = names, list(names.values())
    options = {axis: (usual, other), "cases": (*NOOP, *YIELD)}
    [line] = advised(topic, measure(tmp_path / "c", {other: factor}, **options))
    use = side.replace("1", labels[1]).replace("0", labels[0])
    assert line.use == f"Use {use}"
    assert line.when == "each coroutine returns at once or suspends once"
    assert [str(one).split(": ")[1] for one in line.evidence] == [
        "noop (2 cases)", "yield once (2 cases)",
    ]  # fmt: skip


def test_a_loop_for_some_strategies_only(tmp_path: Path) -> None:
    def effect(who: schema.Contender, *_: object) -> float:
        return 0.2 * (who.loop == "uvloop") * (1 if who.strategy == "task_group" else -1)

    folder = campaigns.write(
        tmp_path / "c", loops=("asyncio", "uvloop"), effect=effect, noise=0.001
    )
    [line] = advised(LOOP, find(read_campaign(folder)))
    assert line.use == (
        "Use gather(*coroutines) or gather(*tasks) on uvloop and TaskGroup on asyncio"
    )


@pytest.mark.parametrize(
    ("effects", "use"),
    [
        ({"task_group": 1.1}, "Choose the same strategy"),
        ({"task_group on": 1.1, "task_group off": 0.9}, "Choose the strategy for that"),
    ],
)
def test_collectors(tmp_path: Path, effects: Effects, use: str) -> None:
    [line] = advised(COLLECTOR, measure(tmp_path / "c", effects, collectors=("on", "off")))
    assert line.use == use
    assert "collector off" in line.when
    assert "of 4 comparisons of strategies, 4 are decided with" in line.reason


# --- what was counted, and programs ---------------------------------------------------------------


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
    case = Case("failure", "sleep", 100)
    found = {}
    for number, (on, off) in enumerate([(gathers, group), (group, gathers)]):
        counts = {"siblings_ran_on": on, "siblings_cancelled": off}
        lines = advised(FAILS, counting(tmp_path / str(number), case, counts))
        found[number] = {line.when: line.use for line in lines}
        assert all(line.decided for line in lines)
        assert all(", the caller knows after " in line.reason for line in lines)
    both, one = "Use gather(*coroutines) or gather(*tasks)", "Use TaskGroup"
    pointless, go_on = "one failure makes the others pointless", (
        "the others are to go on when one fails"
    )  # fmt: skip
    assert found == {0: {go_on: both, pointless: one}, 1: {go_on: one, pointless: both}}
    ended = {"siblings_finished": (*gathers, *group)}
    [line] = advised(FAILS, counting(tmp_path / "ended", case, ended))
    assert line.when == "the others are to end before you hear of the failure"
    assert "of 100 tasks 99 have finished, the caller knows" in line.reason
    [line] = advised(FAILS, counting(tmp_path / "unclear", case, {}))
    assert line.use.startswith("Not decided:")


def test_when_the_caller_is_cancelled(tmp_path: Path) -> None:
    case = Case("cancel", "pending", 100)
    findings = counting(tmp_path / "c", case, {"left_running": ("task_group",)})
    clean, left = advised(CANCELLED, findings)
    assert clean.use == "Use gather(*coroutines) or gather(*tasks)"
    assert "with gather(*tasks), of 100 tasks none runs on, and nothing runs" in clean.reason
    assert left.use == "Do not use TaskGroup"
    assert "of 100 tasks 99 run on" in left.reason
    seen = findings.observations
    seen = seen.assign(low=0, high=seen["high"].where(seen["name"] != "left_running", 3))
    [line] = advised(CANCELLED, replace(findings, observations=seen))
    assert (line.use.partition(":")[0], line.decided) == ("Not decided", False)


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        (True, ["Await every task", "Keep a reference to every task"]),
        (False, ["Not decided: what becomes of a task that nobody awaits",
                 "Not decided: what becomes of a task that nothing refers to"]),
        (None, ["Not measured here"]),
    ],
)  # fmt: skip
def test_tasks_left_alone(tmp_path: Path, holds: bool | None, expected: list[str]) -> None:
    findings = measure(tmp_path / "c")
    names = ("nobody_awaits", "nobody_references", "another")
    runs = tuple(
        schema.ProgramRun(interpreter="cpython-3.14.0", loop="asyncio", task_factory=factory,
                          program=name, holds=holds, observed="cut off", expected="kept")
        for name in names for factory in ("lazy", "eager")
    )  # fmt: skip
    witness = schema.Witness(programs=(), runs=runs)
    lines = advised(ALONE, replace(findings, campaign=replace(findings.campaign, witness=witness)))
    assert [line.use for line in lines] == expected
    assert all(line.decided == (holds is True) for line in lines)
    assert all(("expected was: kept" in line.reason) == (holds is False) for line in lines)


# --- the guide as a whole -------------------------------------------------------------------------


def test_what_was_not_measured_says_how_to(tmp_path: Path) -> None:
    lines = guide([measure(tmp_path / "c")])
    assert [line.topic for line in lines] == list(TOPICS)
    absent = [line for line in lines if line.topic != AT_ONCE]
    assert {line.use for line in absent} == {"Not measured here"}
    assert not any(line.decided or line.evidence or line.when for line in absent)
    assert {line.reason for line in absent} == {
        "run make bench PRESET=question", "run make witness",
    }  # fmt: skip
    assert {line.use for line in guide([])} == {"Not measured here"}


def test_an_advice_names_where_it_holds(tmp_path: Path) -> None:
    def effect(who: schema.Contender, *_: object) -> float:
        is_slow = (who.interpreter, who.loop) in (
            ("cpython-3.12.0", "asyncio"), ("cpython-3.12.0", "uvloop"),
            ("cpython-3.13.0", "uvloop"),
        )  # fmt: skip
        return 0.1 * (who.strategy != "gather_coroutines") * (1 if is_slow else -1)

    folder = campaigns.write(
        tmp_path / "c", pythons=("3.12.0", "3.13.0", "3.14.0"), loops=("asyncio", "uvloop"),
        effect=effect, noise=0.001,
    )  # fmt: skip
    faster, slower = advised(AT_ONCE, find(read_campaign(folder)))
    assert faster.when.endswith(
        "returns at once, on asyncio with Python 3.13.0 and 3.14.0 and on uvloop with Python 3.14.0"
    )
    assert slower.when.endswith(
        "returns at once, on asyncio with Python 3.12.0 and on uvloop with Python 3.12.0 and 3.13.0"
    )
    assert [one.setting.where for one in faster.evidence] == [
        "Python 3.14.0 on asyncio", "Python 3.14.0 on uvloop", "Python 3.13.0 on asyncio",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "where"), [("cpython-3.13.0", "on Python 3.13.0"), ("uvloop", "on uvloop")]
)
def test_places_are_said_in_short(tmp_path: Path, name: str, where: str) -> None:
    def effect(who: schema.Contender, *_: object) -> float:
        return -0.1 * (who.strategy == "task_group" and name in (who.interpreter, who.loop))

    folder = campaigns.write(
        tmp_path / "c", pythons=("3.13.0", "3.14.0"), loops=("asyncio", "uvloop"),
        effect=effect, noise=0.001,
    )  # fmt: skip
    lines = {line.use: line.when for line in advised(AT_ONCE, find(read_campaign(folder)))}
    assert lines["Use TaskGroup"].endswith(f"returns at once, {where}")


def test_campaigns_do_not_contradict_one_another(tmp_path: Path) -> None:
    one = measure(tmp_path / "one", {"task_group": 1.2}, pythons=("3.13.0", "3.14.0"))
    other = measure(tmp_path / "other", {"task_group": 0.8}, pythons=("3.12.0", "3.14.0"))
    lines = {line.use: line.when for line in advised(AT_ONCE, one, other)}
    assert lines["Use TaskGroup"].endswith(", on Python 3.12.0")
    slow = "Use gather(*coroutines) or gather(*tasks)"
    assert lines[slow].endswith(", on Python 3.13.0 and 3.14.0")


def test_what_was_measured_elsewhere_only_limits_no_condition(tmp_path: Path) -> None:
    """Each kind of work was measured on one Python, and comes to the same there."""
    one = measure(tmp_path / "one", {"task_group": 0.8}, pythons=("3.13.0",))
    other = measure(tmp_path / "other", {"task_group": 0.8}, pythons=("3.14.0",), cases=YIELD)
    [line] = advised(AT_ONCE, one, other)
    assert line.when.endswith(", and each coroutine suspends once or returns at once")


def test_advice_can_be_looked_up_and_follows_from_the_verdicts(tmp_path: Path) -> None:
    findings = measure(
        tmp_path / "c", {"task_group": 0.9, "uvloop": 0.8, "eager": 1.2},
        loops=("asyncio", "uvloop"), task_factories=("lazy", "eager"), collectors=("on", "off"),
        cases=(*NOOP, *HEAD_START, Case("stall", "noop", 100), Case("memory", "pending", 100)),
    )  # fmt: skip
    for line in guide([findings]):
        for one in line.evidence:
            assert one.contrasts
            rows = findings.contrasts.loc[list(one.contrasts)]
            assert set(rows["python"]) == {one.setting.python}
            assert rows["default"].all()
            assert rows["headline"].all()
            if line.topic in (AT_ONCE, FACTORY, LOOP):
                assert set(rows["verdict"]) <= {FASTER, SLOWER, SAME}
                best = set(rows.loc[rows["verdict"] == FASTER, "compared"])
                label = findings.words.label
                names = [label(str(rows["axis"].iloc[0]), name) for name in best]
                assert all(name in line.use for name in names)
