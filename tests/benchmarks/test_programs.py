"""The small programs: they hold where they should, and observe it where they should not."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterable

import pytest

from benchmarks import programs
from benchmarks.cases import Launcher
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import ALL
from benchmarks.programs import PROGRAMS, run
from benchmarks.strategies import BASELINE, STRATEGIES, PauseCall, Work
from tests.benchmarks.fakes import registered

FACTORIES = [name for name, row in TASK_FACTORIES.items() if sys.version_info >= row.since]
LOOPS = [name for name, row in EVENT_LOOPS.items() if not row.optional]


def strategies_of(program: str) -> Iterable[str]:
    if not PROGRAMS[program].each_strategy:
        return (BASELINE,)
    return (name for name in ALL if sys.version_info >= STRATEGIES[name].since)


def test_every_program_that_claims_refer_to_is_there() -> None:
    assert list(PROGRAMS) == [
        "ten_sleepers", "head_start", "first_step", "gather_wraps", "result_order", "gather_none",
        "gather_twice", "never_awaited", "nobody_awaits", "nobody_references",
    ]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=lambda row: row.name)
def test_a_program_says_what_it_does_and_what_it_tests(program: programs.Program) -> None:
    assert program.meaning
    assert program.claim.endswith(".")
    assert "{}" in program.says


@pytest.mark.parametrize("task_factory", FACTORIES)
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    ("program", "strategy"),
    [(program, strategy) for program in PROGRAMS for strategy in strategies_of(program)],
)
def test_it_holds(program: str, strategy: str, loop: str, task_factory: str) -> None:
    pytest.importorskip(EVENT_LOOPS[loop].module)
    expected, observed = run(program, Launcher(loop, task_factory, strategy))
    assert expected == observed != ""


@pytest.mark.parametrize(
    ("program", "strategy", "says"),
    [
        ("ten_sleepers", BASELINE, "10 of 10 asleep at once"),
        ("ten_sleepers", "sequential", "1 of 10 asleep at once"),
        ("head_start", BASELINE, "0 of 5 started and 0 finished when the join begins"),
        ("head_start", "gather_tasks", "5 of 5 started and 5 finished when the join begins"),
        (
            "first_step",
            "gather_tasks",
            "0 of 5 started when created, 0 after the caller computed, 5 after it suspended",
        ),
        (
            "gather_wraps",
            BASELINE,
            "5 of 5 run in a task of their own; all_tasks() lists 5 more",
        ),
        ("gather_none", "wait", "raises ValueError"),
    ],
)
def test_what_is_expected_depends_on_the_strategy(program: str, strategy: str, says: str) -> None:
    assert run(program, Launcher("asyncio", "lazy", strategy))[0] == says


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager needs Python 3.12")
def test_eager_tasks_start_when_they_are_created() -> None:
    _, observed = run("first_step", Launcher("asyncio", "eager", "gather_tasks"))
    assert observed.startswith("5 of 5 started when created")


# --- what should not be so is observed -----------------------------------------------------------


async def one_by_one(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """Never has two at once, and begins with the last."""
    if pause:
        await pause()
    return [await work(index) for index in reversed(range(tasks))]


@pytest.mark.parametrize(
    ("program", "observed"),
    [
        ("ten_sleepers", "1 of 10 asleep at once"),
        ("head_start", "0 of 5 started and 0 finished when the join begins"),
        ("first_step", "0 of 5 started when created, 0 after the caller computed, 0 after it"),
        ("gather_wraps", "0 of 5 run in a task of their own; all_tasks() lists 0 more"),
        ("result_order", "finished [4, 3, 2, 1, 0]; results [4, 3, 2, 1, 0]"),
    ],
)
def test_a_strategy_that_says_it_makes_tasks_and_makes_none_is_found(
    program: str, observed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRATEGIES, "makes_none", registered("makes_none", one_by_one))
    expected, found = run(program, Launcher("asyncio", "lazy", "makes_none"))
    assert found.startswith(observed)
    assert found != expected


def test_a_task_that_ends_before_the_loop_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_time(seconds: float) -> None:
        pass

    monkeypatch.setattr(asyncio, "sleep", no_time)
    expected, observed = run("nobody_awaits", Launcher("asyncio", "lazy", BASELINE))
    assert observed.startswith("asyncio.run: ['started', 'finished']; ")
    assert expected != observed


def test_a_collector_that_collects_nothing_leaves_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "collect", lambda: 0)
    _, observed = run("nobody_references", Launcher("asyncio", "lazy", BASELINE))
    assert observed == "waiting alone: kept; asleep: kept; referred to by the caller: kept"
    assert not PROGRAMS["nobody_references"].certain


def test_what_a_program_raises_goes_up_and_its_loop_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.new_event_loop()
    monkeypatch.setattr(programs, "loop_maker", lambda *_: lambda: loop)

    async def refuse(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        raise LookupError("as it was told to")

    monkeypatch.setitem(STRATEGIES, "refuses", registered("refuses", refuse))
    with pytest.raises(LookupError, match="as it was told to"):
        run("ten_sleepers", Launcher("asyncio", "lazy", "refuses"))
    assert loop.is_closed()
