"""The programs that bear witness: what they must see, and that they see it when it is not so."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import strategies, witnesses
from benchmarks.campaign.interpreters import Interpreter
from benchmarks.cases import Launcher
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import reason_to_skip
from benchmarks.strategies import BASELINE, STRATEGIES, PauseCall, Strategy, Work
from benchmarks.witnesses import WITNESSES, Scene, bear_witness
from benchmarks.workloads import WORKLOADS
from tests.repository import REPOSITORY

RUNS = [
    (program.name, strategy)
    for program in WITNESSES.values()
    for strategy in (STRATEGIES if program.each_strategy else ("",))
]
HERE = [name for name, row in TASK_FACTORIES.items() if sys.version_info >= row.since]
TIMELINES = {"ten_sleepers", "head_start"}
AS_THEY_CAME = (
    witnesses.SLEEPERS,
    witnesses.PROCESSES,
    witnesses.PROCESS_SECONDS,
    witnesses.CALLER_SECONDS,
)


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sleeps a tenth as long; what is seen is never how long something took."""
    for name in ("SLEEP_SECONDS", "PROCESS_SECONDS", "CALLER_SECONDS"):
        monkeypatch.setattr(witnesses, name, getattr(witnesses, name) / 10)


def test_the_programs_that_the_question_came_with_are_as_they_were() -> None:
    assert AS_THEY_CAME == (10, 5, 0.5, 2.0)


@pytest.mark.parametrize("name", WITNESSES)
def test_a_program_says_what_it_is_and_what_it_bears_witness_to(name: str) -> None:
    program = WITNESSES[name]
    assert program.name == name
    assert program.summary.endswith(".")
    assert program.claim.endswith(".")
    assert name not in {*STRATEGIES, *WORKLOADS, *EVENT_LOOPS, *TASK_FACTORIES}


@pytest.mark.parametrize("task_factory", HERE)
@pytest.mark.parametrize("loop", [name for name, row in EVENT_LOOPS.items() if not row.optional])
@pytest.mark.parametrize(("program", "strategy"), RUNS)
def test_it_holds_on_every_contender_of_this_python(
    program: str, strategy: str, loop: str, task_factory: str, interpreter: Interpreter
) -> None:
    launcher = Launcher(loop, task_factory, strategy or BASELINE)
    if reason := reason_to_skip(interpreter.available, launcher):
        pytest.skip(reason)
    said = bear_witness(loop, task_factory, program, strategy)
    assert said["holds"], said
    assert (said["program"], said["strategy"]) == (program, strategy)
    assert said["expected"] == said["observed"] != ""
    assert said["measured"]
    assert all(name.startswith("seconds_") for name in said["measured"])
    assert all(seconds >= 0 for seconds in said["measured"].values())
    assert (said["timeline"] is not None) == (program in TIMELINES)


def moments(task: dict[str, Any]) -> Iterator[float]:
    yield from (task["created"], task["started"])
    for span in task["spans"]:
        yield from span
    yield task["finished"]


@pytest.mark.parametrize("strategy", [BASELINE, "gather_tasks", "sequential"])
def test_a_timeline_has_every_moment_of_every_process_in_order(strategy: str) -> None:
    said = bear_witness("asyncio", "lazy", "head_start", strategy)
    timeline = json.loads(json.dumps(said["timeline"]))
    join, joined = (mark["seconds"] for mark in timeline["marks"])
    assert [mark["name"] for mark in timeline["marks"]] == ["join begins", "joined"]
    assert join < joined
    assert [task["name"] for task in timeline["tasks"]] == list("01234")
    for task in timeline["tasks"]:
        assert list(moments(task)) == sorted(moments(task))
        assert len(task["spans"]) == 1
        assert (task["finished"] < join) == (strategy == "gather_tasks")
        assert (task["started"] >= join) == (strategy != "gather_tasks")
        assert (task["created"] < join) == (strategy != "sequential")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager needs Python 3.12")
def test_tasks_of_the_eager_factory_start_as_they_are_created() -> None:
    said = bear_witness("asyncio", "eager", "first_step", "gather_tasks")
    assert said["observed"].startswith("5 of 5 started when created")


# --- what is not so is seen ----------------------------------------------------------------------


async def one_by_one(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """Waits for the last, backwards, and never has two at once."""
    if pause:
        await pause()
    return [await work(index) for index in reversed(range(tasks))]


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> str:
    """A strategy that says it makes tasks, and makes none."""
    monkeypatch.setitem(
        STRATEGIES, "liar", Strategy("liar", "", strategies.OLDEST_PYTHON, one_by_one)
    )
    return "liar"


@pytest.mark.parametrize(
    ("program", "observed"),
    [
        ("ten_sleepers", "1 of 10 asleep at once"),
        ("head_start", "0 of 5 started and 0 finished when the join begins"),
        ("first_step", "0 of 5 started when created, 0 after the caller computed, 0 after it"),
        ("gather_wraps", "0 of 5 run in a task of their own; all_tasks() lists 0 more"),
        ("result_order", "finished 4, 3, 2, 1, 0; results 4, 3, 2, 1, 0"),
    ],
)
def test_a_strategy_that_does_not_do_what_it_says_is_found_out(
    program: str, observed: str, liar: str
) -> None:
    said = bear_witness("asyncio", "lazy", program, liar)
    assert said["holds"] is False
    assert said["observed"].startswith(observed)
    assert said["expected"] != said["observed"]


def test_a_task_that_is_finished_before_the_loop_ends_is_not_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def process(fate: witnesses._Fate) -> None:
        fate.events += ["started", "finished"]

    monkeypatch.setattr(witnesses._Fate, "_process", process)
    said = bear_witness("asyncio", "lazy", "nobody_awaits", "")
    assert said["holds"] is False
    assert said["observed"].startswith("asyncio.run: started, finished; ")


def test_a_collector_that_collects_nothing_leaves_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "collect", lambda: 0)
    said = bear_witness("asyncio", "lazy", "nobody_references", "")
    assert said["holds"] is False
    assert "waiting for what only it refers to: kept" in said["observed"]
    assert not WITNESSES["nobody_references"].certain


def test_an_error_in_a_program_is_what_was_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    def testify(scene: Scene) -> witnesses.Testimony:
        raise LookupError("two\nlines")

    program = WITNESSES["never_awaited"]
    broken = witnesses.Witness(
        program.name, "", "", each_strategy=False, patient=False, certain=True, testify=testify
    )
    monkeypatch.setitem(WITNESSES, program.name, broken)
    said = bear_witness("asyncio", "lazy", program.name, "")
    assert (said["holds"], said["expected"]) == (False, "")
    assert said["observed"] == "LookupError: two lines"


def test_a_loop_that_refuses_is_what_was_observed_and_no_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise TypeError("no tasks here")

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_task", refuse)
    said = bear_witness("asyncio", "lazy", "gather_twice", "")
    assert said["observed"] == "TypeError: no tasks here"


# --- the process ---------------------------------------------------------------------------------


def test_the_process_answers_a_line_for_each_after_an_empty_one() -> None:
    done = subprocess.run(
        [
            sys.executable, "-W", "error", "-m", "benchmarks.witnesses", "asyncio", "lazy",
            "gather_none/gather_tasks", "never_awaited", "gather_none/wait",
        ],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    first, *lines = done.stdout.splitlines()
    assert first == ""
    said = [json.loads(line) for line in lines]
    assert [(row["program"], row["strategy"]) for row in said] == [
        ("gather_none", "gather_tasks"),
        ("never_awaited", ""),
        ("gather_none", "wait"),
    ]
    assert [row["observed"] for row in said[::2]] == ["returns []", "raises ValueError"]
    assert all(row["holds"] for row in said)
    assert done.stderr == ""
