"""Probe ``head_start``: what had started and finished when the pause ended, and the makespan."""

from __future__ import annotations

import asyncio
import time

import pytest

from benchmarks.campaign.interpreters import executable
from benchmarks.campaign.schema import Interpreter
from benchmarks.probes import head_start
from benchmarks.probing import FanOut
from benchmarks.strategies import STRATEGIES
from tests.benchmarks.clocks import FakeClock
from tests.benchmarks.probing import Cell, Seen, cells, run, see, see_elsewhere

TASKS_FIRST = {"gather_tasks", "task_group", "wait", "as_completed"}
"""Strategies that have made tasks of their coroutines when the pause begins."""


def check(seen: Seen) -> None:
    cell = seen.cell
    assert seen.complaints == []
    assert seen.results == list(range(cell.tasks))
    assert seen.values == {"makespan": pytest.approx(seen.timed_seconds / cell.loops)}
    assert seen.values["makespan"] > 0

    has_tasks = cell.strategy in TASKS_FIRST
    ran = has_tasks and cell.pause == "many_turns"
    stepped = has_tasks and cell.task_factory == "eager"
    assert seen.observed == {
        "started_before_join": float(ran or stepped),
        "share_before_join": float(ran or (stepped and cell.work == "noop")),
    }


@pytest.mark.parametrize("cell", cells(head_start.PROBE.name), ids=str)
def test_tasks_get_a_head_start_where_the_pause_suspends(cell: Cell) -> None:
    check(see(cell))


def test_the_same_on_every_interpreter(interpreters: tuple[Interpreter, ...]) -> None:
    for interpreter in interpreters:
        rows = see_elsewhere(head_start.PROBE.name, executable(interpreter))
        assert {row.cell.strategy for row in rows} > TASKS_FIRST - {"task_group"}
        for seen in rows:
            check(seen)


@pytest.mark.parametrize("strategy", ["gather_coroutines", "gather_tasks"])
def test_the_makespan_runs_from_the_first_coroutine_to_the_results(
    strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeClock()
    monkeypatch.setattr(head_start, "perf_counter", fake)

    async def work(index: int) -> int:
        fake.advance(1.0)
        return index

    async def pause() -> None:
        await asyncio.sleep(0)
        fake.advance(10.0)

    fan_out = FanOut(STRATEGIES[strategy].launch, work, 3, pause)
    measurement = run(lambda: head_start.measure(fan_out, 2))
    assert measurement.timed_seconds == 26.0
    assert measurement.values == {"makespan": 13.0}
    assert measurement.results == [0, 1, 2]


def test_shares_are_means_over_the_fan_outs() -> None:
    turns = iter([0, 1])

    async def pause() -> None:
        for _ in range(next(turns)):
            await asyncio.sleep(0)

    async def work(index: int) -> int:
        if index == 0:
            await asyncio.sleep(0)
        return index

    fan_out = FanOut(STRATEGIES["gather_tasks"].launch, work, 4, pause)
    observed = run(lambda: head_start.measure(fan_out, 2)).observed
    assert observed == {"started_before_join": 0.5, "share_before_join": 0.375}


@pytest.mark.parametrize(
    ("strategy", "least_seconds"), [("gather_tasks", 0.02), ("gather_coroutines", 0.03)]
)
def test_a_makespan_holds_its_pause_and_its_work(strategy: str, least_seconds: float) -> None:
    async def pause() -> None:
        await asyncio.sleep(0.01)

    async def work(index: int) -> int:
        await asyncio.sleep(0.02)
        return index

    fan_out = FanOut(STRATEGIES[strategy].launch, work, 2, pause)
    values = run(lambda: head_start.measure(fan_out, 1)).values
    # asyncio's timers may be early by the resolution of its clock.
    early = 2 * time.get_clock_info("monotonic").resolution
    assert values["makespan"] >= least_seconds - early
