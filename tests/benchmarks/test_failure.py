"""Probe ``failure``: who knows when, and what becomes of the siblings."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Mapping, Sequence

import pytest

from benchmarks import children
from benchmarks.campaign.interpreters import executable
from benchmarks.campaign.schema import Interpreter
from benchmarks.children import ChildFailedError
from benchmarks.matrix import ALL
from benchmarks.probes import failure
from benchmarks.probes.failure import FailureLostError
from benchmarks.probing import FanOut
from benchmarks.strategies import STRATEGIES, PauseCall, Work
from benchmarks.workloads import noop, pending
from tests.benchmarks.clocks import FakeClock
from tests.benchmarks.probing import Cell, Seen, cells, measured, run, see, see_elsewhere, turns

OUTCOMES = {
    "gather_coroutines": "ran_on",
    "gather_tasks": "ran_on",
    "as_completed": "ran_on",
    "wait": "finished",
    "task_group": "cancelled",
}
"""What becomes of siblings that have work to do when one child fails."""


RUNNABLE = [name for name in ALL if sys.version_info >= STRATEGIES[name].since]


def counts(seen: Seen) -> dict[str, float]:
    return {name.removeprefix("siblings_"): value for name, value in seen.observed.items()}


def expected(seen: Seen) -> Sequence[Mapping[str, float]]:
    """What the counts may be."""
    cell = seen.cell
    failing = cell.tasks // 2
    siblings, later = cell.tasks - 1, cell.tasks - 1 - failing
    none = dict.fromkeys(("finished", "ran_on", "cancelled", "never_started"), 0)
    if cell.strategy == "sequential":
        return [{**none, "finished": failing, "never_started": later}]
    outcome = "finished" if cell.work == "noop" else OUTCOMES[cell.strategy]
    may_be = [{**none, outcome: siblings}]
    if cell.strategy == "task_group" and cell.task_factory == "eager" and seen.python < (3, 14):
        # Until 3.13.1 the group knew of the failure when it created the child, and refused to
        # create any more.
        may_be.append({**none, outcome: failing, "never_started": later})
    return may_be


def check(seen: Seen) -> None:
    cell = seen.cell
    assert seen.complaints == []
    assert seen.results == list(range(cell.tasks))
    assert set(seen.values) == {"known", "clean"}
    assert 0 < seen.values["known"] <= seen.values["clean"]
    assert seen.values["clean"] == pytest.approx(seen.timed_seconds / cell.loops)
    assert counts(seen) in expected(seen)
    if counts(seen)["ran_on"]:
        assert seen.values["known"] < seen.values["clean"]
    else:
        assert seen.values["known"] == seen.values["clean"]


@pytest.mark.parametrize("cell", cells(failure.PROBE.name), ids=str)
def test_siblings_end_as_the_strategy_lets_them(cell: Cell) -> None:
    check(see(cell))


def test_the_same_on_every_interpreter(interpreters: tuple[Interpreter, ...]) -> None:
    for interpreter in interpreters:
        rows = see_elsewhere(failure.PROBE.name, executable(interpreter))
        assert {row.cell.strategy for row in rows} >= {"gather_coroutines", "sequential"}
        for seen in rows:
            check(seen)


@pytest.mark.parametrize("strategy", ["gather_tasks", "wait", "sequential"])
def test_one_child_alone_fails_without_siblings(strategy: str) -> None:
    measurement = measured("failure", STRATEGIES[strategy].launch, noop, tasks=1)
    assert measurement.results == [0]
    assert set(measurement.observed.values()) == {0.0}


def test_the_caller_knows_before_the_siblings_end(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeClock()
    monkeypatch.setattr(failure, "perf_counter", fake)
    monkeypatch.setattr(children, "perf_counter", fake)

    async def work(index: int) -> int:
        fake.advance(1.0)  # of the caller's time too: the first step comes before the join ends
        await turns()
        fake.advance(10.0)
        return index

    measurement = measured("failure", STRATEGIES["gather_tasks"].launch, work, tasks=4, loops=2)
    assert measurement.values == {"known": 3.0, "clean": 33.0}
    assert measurement.timed_seconds == 66.0
    assert measurement.observed["siblings_ran_on"] == 3.0


def test_counts_are_means_over_the_fan_outs() -> None:
    alternately = itertools.cycle(["gather_tasks", "wait"])

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        return await STRATEGIES[next(alternately)].launch(work, tasks, pause)

    observed = measured("failure", launch, turns, tasks=5, loops=2).observed
    assert (observed["siblings_ran_on"], observed["siblings_finished"]) == (2.0, 2.0)


def test_a_failure_that_does_not_reach_the_caller_is_an_error() -> None:
    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        await asyncio.gather(*map(work, range(tasks)), return_exceptions=True)
        return list(range(tasks))

    with pytest.raises(FailureLostError, match="one of 10 children failed, the caller got results"):
        measured("failure", launch, turns)


@pytest.mark.parametrize("strategy", RUNNABLE)
def test_an_error_of_the_work_itself_is_not_taken_for_the_childs(strategy: str) -> None:
    async def work(index: int) -> int:
        await asyncio.sleep(0)
        raise LookupError(index)

    fan_out = FanOut(STRATEGIES[strategy].launch, work, 3)
    with pytest.raises(LookupError):
        run(lambda: failure.measure(fan_out, 1))


def test_an_error_of_the_strategy_is_not_taken_for_the_childs() -> None:
    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        for index in range(tasks):
            asyncio.create_task(work(index))  # noqa: RUF006 - it keeps none of them
        await asyncio.sleep(0)
        raise LookupError

    with pytest.raises(LookupError):
        run(lambda: failure.measure(FanOut(launch, pending, 4), 1))


def test_a_child_that_ran_twice_or_was_lost_is_not_accounted_for_once() -> None:
    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        return await asyncio.gather(*map(work, [*range(tasks), 0]))

    assert measured("failure", launch, noop, tasks=4).results == [0, 0, 1, 2, 3]


def test_a_cancellation_that_a_strategy_leaves_behind_does_not_reach_the_probe() -> None:
    """As a TaskGroup of eager tasks does on Python 3.12."""

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        try:
            return await asyncio.gather(*map(work, range(tasks)))
        except ChildFailedError:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            raise

    measurement = measured("failure", launch, turns, loops=2)
    assert measurement.results == list(range(10))
    assert measurement.observed["siblings_ran_on"] == 9.0
