"""The decision guide: on campaigns whose truth is turned round, its sentences turn round."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis import style
from analysis.choices import Choice, rank, settings
from analysis.comparisons import absolutes
from analysis.findings import Findings, find
from analysis.guide import Advice, guide
from analysis.load import read_campaign
from analysis.topics import TOPICS
from analysis.witness import Run, Witness
from tests import synthetic
from tests.synthetic import World, write_campaign

QUIET = {"value_noise": 0.002, "round_noise": 0.001}
AT_ONCE, AWAITED, COMPUTED = (
    "Joined at once", "Something awaited in between", "Only computing in between",
)  # fmt: skip
IN_TURN, FAILS, CANCELLED = (
    "One after another, or all at once", "When one fails", "When the caller is cancelled",
)  # fmt: skip
RESPONSIVE, MEMORY, FACTORY = "Keeping the loop responsive", "Memory", "The task factory"
LOOP, COLLECTOR, ALONE = "The event loop", "The garbage collector", "Tasks left alone"


def measure(folder: Path, **truth: Any) -> Findings:  # noqa: ANN401
    """A small campaign of a world with these effects, read and estimated."""
    fields = {**QUIET, **truth.pop("world", {})}
    fields.setdefault("loop_factors", {"asyncio": 1.0})
    options: dict[str, Any] = {
        "probes": ("throughput",), "workloads": ("noop",), "tasks": (10, 1000), "sweeps": 3,
        **truth,
    }  # fmt: skip
    write_campaign(folder, world=World(**fields), **options)
    return find(read_campaign(folder))


def advised(topic: str, *campaigns: Findings) -> list[Advice]:
    found = [one for one in guide(campaigns) if one.topic == topic]
    assert found
    return found


def uses(topic: str, *campaigns: Findings) -> list[str]:
    return [one.use for one in advised(topic, *campaigns)]


# --- joined at once -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effects", "use"),
    [
        ({"gather_tasks": 1.05, "task_group": 1.1}, "Use gather(*coroutines)"),
        ({"gather_tasks": 0.95, "task_group": 1.1}, "Use gather(*tasks)"),
        ({"gather_tasks": 1.05, "task_group": 0.9}, "Use TaskGroup"),
        ({"gather_tasks": 0.9, "task_group": 0.9}, "Use gather(*tasks) or TaskGroup"),
        ({"gather_tasks": 1.05, "task_group": 1.0}, "Use gather(*coroutines) or TaskGroup"),
        # What does not fan out is no way to join at once.
        ({"gather_tasks": 1.05, "sequential": 0.1}, "Use gather(*coroutines)"),
    ],
)
def test_the_cheapest_is_advised(tmp_path: Path, effects: dict[str, float], use: str) -> None:
    [line] = advised(AT_ONCE, measure(tmp_path / "c", world={"effects": effects}))
    assert (line.use, line.decided, line.where) == (use, True, "")
    assert line.when == "you create them and join them at once"


def test_every_figure_of_a_sentence_is_a_cells(tmp_path: Path) -> None:
    effects = {"gather_tasks": 1.05, "task_group": 1.1}
    findings = measure(tmp_path / "c", tasks=(1000,), world={"effects": effects})
    [line] = advised(AT_ONCE, findings)
    costs = absolutes(findings.campaign)
    [best] = costs[costs["contender"] == style.BASELINE].to_dict("records")
    bounds = ("ns_per_task", "ns_per_task_low", "ns_per_task_high")
    cost = style.ns_per_task_interval(*(float(best[bound]) for bound in bounds))
    rows = {str(row["contender"]): row for row in findings.comparisons.to_dict("records")}
    more = {
        name: style.amount_interval(*(float(rows[name][end]) for end in ("ratio", "low", "high")))
        for name in effects
    }
    assert line.reason == (
        f"Python 3.14.10 on asyncio: gather(*coroutines) takes {cost} per task (one case); "
        f"gather(*tasks) takes {more['gather_tasks']} more time; "
        f"TaskGroup takes {more['task_group']} more time"
    )
    assert str(line) == f"Use gather(*coroutines) when {line.when}: {line.reason}"


def test_what_noise_hides_is_not_decided(tmp_path: Path) -> None:
    effects = {"gather_tasks": 1.0, "task_group": 3.0}
    noisy = {"effects": effects, "value_noise": 0.2, "round_noise": 0.1}
    [line] = advised(AT_ONCE, measure(tmp_path / "c", rounds=8, world=noisy))
    assert line.use.startswith("Not decided: gather(*")
    assert not line.decided
    assert "TaskGroup" not in line.use
    assert "is not told apart" in line.reason
    assert line.cells


def test_an_unproven_campaign_is_said_to_be_one(tmp_path: Path) -> None:
    world = {"effects": {"task_group": 2.0}, "control_effect": 1.2}
    [line] = advised(AT_ONCE, measure(tmp_path / "c", world=world))
    assert line.reason.endswith("(the campaign is unproven)")


# --- a head start ---------------------------------------------------------------------------------

HEAD_START: dict[str, Any] = {
    "probes": ("head_start",), "workloads": ("noop", "sleep", "sleep_20ms"), "tasks": (10,),
    "pauses": ("none", "sleep_20ms", "compute_10ms"), "factories": ("lazy", "eager"),
}  # fmt: skip


@pytest.fixture
def nothing_starts_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "STARTS_AT_CREATION", ())


def test_tasks_are_created_first_where_that_saves_time(tmp_path: Path) -> None:
    findings = measure(tmp_path / "c", **HEAD_START)
    [line] = advised(AWAITED, findings)
    assert line.use == "Create the tasks first, with gather(*tasks) or TaskGroup,"
    assert line.when == "you await something else before you join them"
    assert "with 20 ms awaited before the join and tasks of 20 ms, gather(*tasks) takes 20." in (
        line.reason
    )
    assert "and gather(*coroutines) 40." in line.reason
    assert re.search(r"it takes (49|50)\.\d % \[.*\] less time", line.reason)
    lazy, eager = advised(COMPUTED, findings)
    assert lazy.use == "Do not count on tasks that you create first"
    assert lazy.when == "you only compute before you join them"
    assert "the same time within 2 %" in lazy.reason
    assert eager.use == "Use eager tasks with gather(*tasks) or TaskGroup"
    assert "gather(*tasks) with eager tasks takes" in eager.reason
    assert "less time" in eager.reason
    assert lazy.decided
    assert eager.decided


@pytest.mark.usefixtures("nothing_starts_early")
def test_tasks_are_not_created_first_where_that_saves_none(tmp_path: Path) -> None:
    findings = measure(tmp_path / "c", **HEAD_START)
    [line] = advised(AWAITED, findings)
    assert line.use == "Do not count on tasks that you create first"
    assert "within 2 %" in line.reason
    assert uses(COMPUTED, findings) == [
        "Do not count on tasks that you create first",
        "Do not count on eager tasks",
    ]


# --- failures and cancellation --------------------------------------------------------------------

ONE_FAILS: dict[str, Any] = {"probes": ("failure",), "workloads": ("sleep",), "tasks": (10, 100)}


def test_who_cancels_the_siblings_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = measure(tmp_path / "c", **ONE_FAILS)
    lines = {line.when: line for line in advised(FAILS, findings)}
    pointless, go_on = "one failure makes the others pointless", (
        "the others are to go on when one fails"
    )  # fmt: skip
    assert lines[pointless].use == "Use TaskGroup"
    assert "of 99 siblings 99.0 are cancelled; the caller knows after" in lines[pointless].reason
    assert lines[go_on].use == "Use gather(*coroutines) or gather(*tasks)"
    assert "of 99 siblings 99.0 run on" in lines[go_on].reason

    monkeypatch.setattr(synthetic, "CANCELS_SIBLINGS", ("gather_coroutines", "gather_tasks"))
    findings = measure(tmp_path / "turned", **ONE_FAILS)
    lines = {line.when: line for line in advised(FAILS, findings)}
    assert lines[pointless].use == "Use gather(*coroutines) or gather(*tasks)"
    assert lines[go_on].use == "Use TaskGroup"


def observe(findings: Findings, **counts: tuple[float, float]) -> Findings:
    """The same findings, but everything of a name was seen from the one to the other number."""
    frame = findings.observations.copy()
    for name, (low, high) in counts.items():
        frame.loc[frame["name"] == name, ["low", "value", "high"]] = [low, high, high]
    return replace(findings, observations=frame)


def test_siblings_may_end_first_or_meet_no_fate_in_particular(tmp_path: Path) -> None:
    findings = measure(tmp_path / "c", **ONE_FAILS)
    ended = observe(
        findings, siblings_ran_on=(0, 0), siblings_cancelled=(0, 0), siblings_finished=(99, 99)
    )
    [line] = advised(FAILS, ended)
    assert line.when == "the others are to end before you hear of the failure"
    assert line.use == "Use gather(*coroutines), gather(*tasks) or TaskGroup"
    unclear = observe(findings, siblings_ran_on=(0, 5), siblings_cancelled=(0, 99))
    [line] = advised(FAILS, unclear)
    assert line.use.startswith("Not decided:")
    assert not line.decided


def test_who_leaves_children_running_is_seen(tmp_path: Path) -> None:
    effects = {"task_group": 1.0, "wait": 1.0}
    findings = measure(tmp_path / "c", probes=("cancel",), world={"effects": effects})
    assert uses(CANCELLED, findings) == [
        "Use gather(*coroutines) or TaskGroup", "Do not use wait(tasks)",
    ]  # fmt: skip
    _, left = advised(CANCELLED, findings)
    assert "1,000 of 1,000 run on after the caller is cancelled" in left.reason
    assert uses(CANCELLED, observe(findings, left_running=(0, 0))) == [
        "Use gather(*coroutines), TaskGroup or wait(tasks)"
    ]
    assert uses(CANCELLED, observe(findings, left_running=(0, 3))) == [
        "Not decided: gather(*coroutines), TaskGroup or wait(tasks)"
    ]


# --- the loop's other guests, and memory ----------------------------------------------------------


@pytest.mark.parametrize(("effect", "use"), [(0.8, "TaskGroup"), (1.2, "gather(*coroutines)")])
@pytest.mark.parametrize(("probe", "topic"), [("stall", RESPONSIVE), ("memory", MEMORY)])
def test_least_waiting_and_least_memory(
    tmp_path: Path, probe: str, topic: str, effect: float, use: str
) -> None:
    findings = measure(tmp_path / "c", probes=(probe,), world={"effects": {"task_group": effect}})
    line = advised(topic, findings)[0]
    assert line.use == f"Use {use}"
    assert {"stall": "makes it wait", "memory": "bytes per waiting task, with 1,000 tasks"}[
        probe
    ] in line.reason


@pytest.mark.parametrize(
    ("per_task", "use"),
    [(3e-6, "Start fewer at a time"), (-9.9e-9, "Do not start fewer at a time for it")],
)
def test_fewer_at_a_time(tmp_path: Path, per_task: float, use: str) -> None:
    world = {"seconds_per_task": per_task, "drift": 0.02}
    findings = measure(tmp_path / "c", probes=("stall",), world=world)
    assert uses(RESPONSIVE, findings)[1] == use
    assert "with 10 tasks and" in advised(RESPONSIVE, findings)[1].reason


def test_a_wait_that_does_not_grow_is_not_decided(tmp_path: Path) -> None:
    findings = measure(tmp_path / "c", probes=("stall",), world={"seconds_per_task": 0.0})
    [line] = [one for one in advised(RESPONSIVE, findings) if "fewer" in one.use]
    assert line.use == "Not decided: whether to start fewer at a time"
    assert not line.decided


# --- the axes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "use", "words"),
    [
        (0.6, "Use eager tasks", "less time"),
        (1.5, "Use lazy tasks", "more time"),
        (1.0, "Use eager tasks or lazy tasks", "the same time within 2 %"),
    ],
)
def test_task_factories(tmp_path: Path, factor: float, use: str, words: str) -> None:
    world = {"factory_factors": {"eager": factor}}
    findings = measure(
        tmp_path / "c", workloads=("noop", "yield_once"), factories=("lazy", "eager"), world=world
    )
    [line] = advised(FACTORY, findings)
    assert line.use == use
    assert line.when == "each coroutine returns at once or suspends once"
    assert f"gather(*coroutines) {words}" in line.reason.replace(": it takes", " ") or (
        words in line.reason
    )
    assert [evidence.sentence.partition(":")[0] for evidence in line.evidence] == [
        "noop", "yield once",
    ]  # fmt: skip


def test_a_factory_for_some_strategies_only(tmp_path: Path) -> None:
    """eager costs TaskGroup more: its ratio to the lazy one is made by asking other effects."""
    world = {"effects": {"task_group": 1.0}, "factory_factors": {"eager": 0.7}}
    findings = measure(tmp_path / "c", factories=("lazy", "eager"), world=world)
    frame = findings.campaign.frame
    is_slow = (frame["task_factory"] == "eager") & (frame["strategy"] == "task_group")
    slowed = frame.assign(seconds=frame["seconds"].where(~is_slow, frame["seconds"] * 2))
    turned = find(replace(findings.campaign, frame=slowed))
    assert uses(FACTORY, turned) == [
        "Use gather(*coroutines) with eager tasks and TaskGroup with lazy tasks"
    ]


@pytest.mark.parametrize(("factor", "use"), [(0.7, "Use uvloop"), (1.3, "Use asyncio")])
def test_event_loops(tmp_path: Path, factor: float, use: str) -> None:
    world = {"loop_factors": {"asyncio": 1.0, "uvloop": factor}}
    [line] = advised(LOOP, measure(tmp_path / "c", world=world))
    assert (line.use, line.where) == (use, "")
    assert "gather(*coroutines) on uvloop takes" in line.reason


@pytest.mark.parametrize(
    ("factor", "use"),
    [
        (1.0, "Choose the same whatever the collector does"),
        (0.8, "Choose for your own setting of the collector"),
    ],
)
def test_collectors(tmp_path: Path, factor: float, use: str) -> None:
    world = {"effects": {"task_group": 1.1}, "collector_factors": {"off": {"task_group": factor}}}
    [line] = advised(COLLECTOR, measure(tmp_path / "c", collectors=("on", "off"), world=world))
    assert (line.use, line.when) == (use, "the collector is off")
    turned = "in throughput/noop/10, TaskGroup takes -" in line.reason
    assert turned == (factor < 1)
    assert "with the collector off takes" in line.reason


@pytest.mark.parametrize(
    ("effect", "use"),
    [
        (0.1, "Await one by one"),
        (10.0, "Fan out, with gather(*coroutines)"),
        (1.0, "Do either"),
    ],
)
def test_one_after_another(tmp_path: Path, effect: float, use: str) -> None:
    world = {"effects": {"gather_tasks": 1.0, "sequential": effect}}
    [line] = advised(IN_TURN, measure(tmp_path / "c", world=world))
    assert (line.use, line.when) == (use, "each coroutine returns at once")


# --- tasks left alone -----------------------------------------------------------------------------


def run(program: str, holds: bool | None) -> Run:
    return Run(
        interpreter="cpython-3.14.10", python="3.14.10", version="3.14.10", loop="asyncio",
        task_factory="lazy", program=program, strategy="", holds=holds, expected="as expected",
        observed="what was seen", reason="", measured={}, timeline=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("holds", "lines"),
    [
        (True, ["Await every task", "Keep a reference to every task"]),
        (
            False,
            ["Not decided: whether it would finish anyway", "Not decided: whether it is kept"],
        ),
        (None, ["Not measured here"]),
    ],
)
def test_tasks_left_alone(tmp_path: Path, holds: bool | None, lines: Sequence[str]) -> None:
    runs = (run("nobody_awaits", holds), run("nobody_references", holds))
    findings = replace(measure(tmp_path / "c"), witness=Witness((), runs))
    found = advised(ALONE, findings)
    assert [line.use for line in found] == lines
    assert all(line.decided == (holds is True) for line in found)
    assert all("what was seen" in line.reason for line in found if holds is not None)


# --- the guide as a whole -------------------------------------------------------------------------


def test_what_was_not_measured_says_how_to(tmp_path: Path) -> None:
    lines = guide([measure(tmp_path / "c")])
    assert {line.topic for line in lines} == {topic.title for topic in TOPICS}
    absent = [line for line in lines if line.topic != AT_ONCE]
    assert {line.use for line in absent} == {"Not measured here"}
    assert not any(line.decided or line.evidence for line in absent)
    assert {line.reason for line in absent if line.topic != ALONE} == {
        "run make bench PRESET=question"
    }
    assert {line.use for line in guide([])} == {"Not measured here"}


def test_settings_that_differ_are_told_apart(tmp_path: Path) -> None:
    def campaign(name: str, python: str, effect: float) -> Findings:
        world = {
            "effects": {"task_group": effect}, "loop_factors": {"asyncio": 1.0, "uvloop": 0.8},
        }  # fmt: skip
        return measure(tmp_path / name, pythons=(python,), world=world)

    older, newer = campaign("older", "3.13.0", 1.2), campaign("newer", "3.14.0", 0.8)
    lines = {line.use: line for line in advised(AT_ONCE, older, newer)}
    assert lines["Use TaskGroup"].where == "Python 3.14.0"
    assert lines["Use gather(*coroutines)"].where == "Python 3.13.0"
    assert str(lines["Use TaskGroup"]).startswith(
        "Use TaskGroup when you create them and join them at once (Python 3.14.0): Python 3.14.0 "
        "on asyncio: "
    )
    alike = campaign("alike", "3.15.0", 0.8)
    [line] = advised(AT_ONCE, newer, alike)
    assert line.where == ""
    assert [evidence.where for evidence in line.evidence] == [
        "Python 3.15.0 on asyncio", "Python 3.15.0 on uvloop",
        "Python 3.14.0 on asyncio", "Python 3.14.0 on uvloop",
    ]  # fmt: skip


def test_every_cell_referred_to_is_one_of_the_campaign(tmp_path: Path) -> None:
    findings = measure(
        tmp_path / "c",
        probes=("throughput", "head_start", "stall", "failure", "cancel", "memory"),
        workloads=("noop", "sleep"), factories=("lazy", "eager"), collectors=("on", "off"),
        pauses=("none", "sleep_20ms", "compute_10ms"),
        world={
            "effects": {"gather_tasks": 1.02, "task_group": 1.1, "sequential": 0.2},
            "loop_factors": {"asyncio": 1.0, "uvloop": 0.8},
        },
    )  # fmt: skip
    cases = {case.id for case in findings.campaign.cases}
    contenders = {one.id for one in findings.campaign.contenders}
    for line in guide([findings]):
        assert bool(line.evidence) == (line.topic != ALONE)
        for cell in line.cells:
            assert cell.campaign == findings.campaign.name
            assert set(cell.cases) <= cases
            assert {cell.contender, cell.against} <= {*contenders, ""}


def test_a_setting_ranks_by_what_was_measured(tmp_path: Path) -> None:
    effects = {"gather_tasks": 0.9, "task_group": 1.1}
    findings = measure(tmp_path / "c", pythons=("3.10.0", "3.14.10"),
                       lacking={"3.10.0": ("task_group",)}, world={"effects": effects})  # fmt: skip
    newer, older = settings(findings)
    assert (newer.where, older.where) == ("Python 3.14.10 on asyncio", "Python 3.10.0 on asyncio")
    assert [len(one.fan_outs) for one in (newer, older)] == [3, 2]
    ranking = rank(older, older.throughput())
    assert ranking is not None
    assert ranking.best.strategy == "gather_tasks"
    assert [one.subject.strategy for one in ranking.ratios] == ["gather_coroutines"]
    assert ranking.ratios[0].value == pytest.approx(1 / 0.9, rel=0.02)
    assert rank(older, []) is None


def test_choices_say_where_to_look(tmp_path: Path) -> None:
    [setting] = settings(measure(tmp_path / "c", world={"effects": {"task_group": 2.0}}))
    [choice] = TOPICS[0].choices(setting)
    assert isinstance(choice, Choice)
    assert str(choice.cells[0]) == (
        "c: throughput/noop/10, throughput/noop/1000 (total): "
        "cpython-3.14.10/asyncio/lazy/task_group against "
        "cpython-3.14.10/asyncio/lazy/gather_coroutines"
    )
