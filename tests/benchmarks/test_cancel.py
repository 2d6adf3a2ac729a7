"""Probe ``cancel``: when the caller is cancelled, and when its children are."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks import children
from benchmarks.campaign.interpreters import executable
from benchmarks.campaign.schema import Interpreter
from benchmarks.children import NotAllRunningError
from benchmarks.probes import cancel
from benchmarks.probing import FanOut
from benchmarks.strategies import STRATEGIES, PauseCall, Work
from benchmarks.workloads import noop, pending
from tests.benchmarks.clocks import FakeClock
from tests.benchmarks.probing import Cell, Seen, cells, measured, run, see, see_elsewhere

LEAVE_CHILDREN = {"wait", "as_completed"}
"""Strategies whose cancellation does not reach the children."""


def check(seen: Seen) -> None:
    cell = seen.cell
    assert seen.complaints == []
    assert seen.results == list(range(cell.tasks))
    assert set(seen.values) == {"cancelled", "clean"}
    cancelled, clean = seen.values["cancelled"], seen.values["clean"]
    assert clean == pytest.approx(seen.timed_seconds / cell.loops)
    if cell.strategy in LEAVE_CHILDREN:
        assert seen.observed == {"left_running": cell.tasks}
        assert 0 < cancelled < clean
    else:
        assert seen.observed == {"left_running": 0}
        assert 0 < cancelled == clean


@pytest.mark.parametrize("cell", cells(cancel.PROBE.name), ids=str)
def test_the_children_are_cancelled_by_the_strategy_or_left(cell: Cell) -> None:
    check(see(cell))


def test_the_same_on_every_interpreter(interpreters: tuple[Interpreter, ...]) -> None:
    for interpreter in interpreters:
        rows = see_elsewhere(cancel.PROBE.name, executable(interpreter))
        assert {row.cell.strategy for row in rows} >= {"gather_coroutines", *LEAVE_CHILDREN}
        for seen in rows:
            check(seen)


@pytest.mark.parametrize(
    ("strategy", "values"),
    [
        ("gather_tasks", {"cancelled": 4.0, "clean": 4.0}),
        ("wait", {"cancelled": 0.0, "clean": 4.0}),
    ],
)
def test_both_count_from_the_cancellation(
    strategy: str, values: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeClock()
    monkeypatch.setattr(cancel, "perf_counter", fake)
    monkeypatch.setattr(children, "perf_counter", fake)

    async def work(index: int) -> int:
        fake.advance(100.0)  # before the cancellation
        try:
            return await pending(index)
        finally:
            fake.advance(1.0)

    measurement = measured("cancel", STRATEGIES[strategy].launch, work, tasks=4, loops=3)
    assert measurement.values == values
    assert measurement.timed_seconds == 12.0


def test_children_that_take_time_to_end_are_waited_for() -> None:
    ended: list[int] = []

    async def work(index: int) -> int:
        try:
            return await pending(index)
        finally:
            for _ in range(index):
                await asyncio.sleep(0)
            ended.append(index)

    measurement = measured("cancel", STRATEGIES["as_completed"].launch, work, tasks=5)
    assert ended == measurement.results == [0, 1, 2, 3, 4]
    assert measurement.observed == {"left_running": 5.0}


def test_a_strategy_that_does_not_start_all_children_is_an_error() -> None:
    with pytest.raises(NotAllRunningError, match="1 of 10 children were running after 100 turns"):
        measured("cancel", STRATEGIES["sequential"].launch, pending)


def test_children_that_do_not_wait_cannot_be_cancelled() -> None:
    with pytest.raises(NotAllRunningError, match="has returned although its children wait"):
        measured("cancel", STRATEGIES["gather_tasks"].launch, noop)


def test_an_error_of_the_strategy_is_its_own_and_leaves_nothing() -> None:
    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        for index in range(tasks - 1):
            asyncio.create_task(work(index))  # noqa: RUF006 - it keeps none of them
        await asyncio.sleep(0)
        raise LookupError

    with pytest.raises(LookupError):
        run(lambda: cancel.measure(FanOut(launch, pending, 4), 1))


def test_a_child_that_ran_twice_is_not_accounted_for_once() -> None:
    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        return await asyncio.gather(*map(work, [0, *range(tasks - 1)]))

    assert measured("cancel", launch, pending, tasks=3).results == [0, 0, 1, 2]
