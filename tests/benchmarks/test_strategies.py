"""What every strategy promises: n coroutines, once each, concurrently; results in their order."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from benchmarks.echo import EchoConnections
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.strategies import BASELINE, OLDEST_PYTHON, STRATEGIES, Work
from benchmarks.workloads import WORKLOADS

T = TypeVar("T")

RUNNABLE = [name for name, row in STRATEGIES.items() if sys.version_info >= row.since]
HANG_SECONDS = 20.0
"""A fan-out that waits for ever is stopped then, and fails its test."""


def run_on(loop_name: str, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run on a fresh loop that must be left without a task."""
    loop = EVENT_LOOPS[loop_name].load()()
    try:
        task = loop.create_task(main())
        alarm = loop.call_later(HANG_SECONDS, task.cancel)
        result = loop.run_until_complete(task)
        alarm.cancel()
        assert asyncio.all_tasks(loop) == set()
        return result
    finally:
        loop.close()


@pytest.mark.parametrize("tasks", [1, 2, 100])
@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("task_factory", TASK_FACTORIES)
@pytest.mark.parametrize("loop", EVENT_LOOPS)
@pytest.mark.parametrize("strategy", RUNNABLE)
def test_runs_every_coroutine_once_and_returns_results_in_argument_order(
    strategy: str,
    loop: str,
    task_factory: str,
    workload: str,
    tasks: int,
    connections: EchoConnections,
) -> None:
    assert task_factory == "lazy", "this test has to learn how another factory is set"
    counts = [0] * tasks

    async def main() -> list[int]:
        async with WORKLOADS[workload].open(connections) as work:

            async def counted(index: int) -> int:
                counts[index] += 1
                return await work(index)

            results = await STRATEGIES[strategy].launch(counted, tasks)
            assert asyncio.all_tasks() == {asyncio.current_task()}, "a task is still there"
            return results

    assert run_on(loop, main) == list(range(tasks))
    assert counts == [1] * tasks


@pytest.mark.parametrize("tasks", [1, 2, 100])
@pytest.mark.parametrize("loop", EVENT_LOOPS)
@pytest.mark.parametrize("strategy", RUNNABLE)
def test_all_coroutines_start_before_any_has_to_finish(
    strategy: str, loop: str, tasks: int
) -> None:
    async def main() -> list[int]:
        started = 0
        all_started = asyncio.Event()

        async def barrier(index: int) -> int:
            nonlocal started
            started += 1
            if started == tasks:
                all_started.set()
            await all_started.wait()
            return index

        return await STRATEGIES[strategy].launch(barrier, tasks)

    assert run_on(loop, main) == list(range(tasks))


@pytest.mark.parametrize("strategy", RUNNABLE)
def test_results_do_not_follow_the_order_of_completion(strategy: str) -> None:
    async def main() -> list[int]:
        finished: list[int] = []
        turns = [asyncio.Event() for _ in range(10)]
        turns[-1].set()

        async def backwards(index: int) -> int:
            await turns[index].wait()
            finished.append(index)
            turns[index - 1].set()
            return index

        results = await STRATEGIES[strategy].launch(backwards, 10)
        assert finished == list(reversed(range(10)))
        return results

    assert run_on("asyncio", main) == list(range(10))


class WorkFailedError(Exception):
    pass


def leaves(error: BaseException) -> list[BaseException]:
    """The exceptions of a group, or the one that is none."""
    inner = getattr(error, "exceptions", None)
    return [error] if inner is None else list(itertools.chain(*map(leaves, inner)))


@pytest.mark.parametrize("loop", EVENT_LOOPS)
@pytest.mark.parametrize("strategy", RUNNABLE)
def test_an_exception_of_one_coroutine_reaches_the_caller(strategy: str, loop: str) -> None:
    async def fails_at_three(index: int) -> int:
        if index == 3:
            raise WorkFailedError
        return index

    async def main() -> None:
        await STRATEGIES[strategy].launch(fails_at_three, 10)

    with pytest.raises(Exception) as caught:  # noqa: PT011  # alone or in a group
        run_on(loop, main)
    assert [type(error) for error in leaves(caught.value)] == [WorkFailedError]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup came with Python 3.11")
def test_task_group_wraps_exceptions_in_a_group_and_gather_does_not() -> None:
    async def fails(index: int) -> int:
        raise WorkFailedError

    def raised_by(strategy: str) -> type[BaseException]:
        async def main() -> None:
            await STRATEGIES[strategy].launch(fails, 1)

        with pytest.raises(Exception) as caught:  # noqa: PT011  # which one is the question
            run_on("asyncio", main)
        return caught.type

    assert raised_by("task_group").__name__ == "ExceptionGroup"
    assert raised_by("gather_coroutines") is WorkFailedError
    assert raised_by("gather_tasks") is WorkFailedError


def test_bare_coroutines_start_when_gather_is_awaited_but_tasks_at_the_first_suspension() -> None:
    """The difference that the whole question is about, as asyncio documents it."""

    async def started_at_a_suspension(create: Callable[[Coroutine[Any, Any, int]], Any]) -> int:
        started = 0

        async def work(index: int) -> int:
            nonlocal started
            started += 1
            return index

        launched = [create(work(index)) for index in range(5)]
        await asyncio.sleep(0)
        seen = started
        await asyncio.gather(*launched)
        return seen

    assert run_on("asyncio", lambda: started_at_a_suspension(lambda coroutine: coroutine)) == 0
    assert run_on("asyncio", lambda: started_at_a_suspension(asyncio.create_task)) == 5


def test_the_registry_knows_its_rows_by_their_functions_names() -> None:
    for name, row in STRATEGIES.items():
        assert row.name == name == row.launch.__name__
        assert row.summary
        assert row.since >= OLDEST_PYTHON


def test_the_baseline_runs_on_the_oldest_python() -> None:
    assert STRATEGIES[BASELINE].since == OLDEST_PYTHON


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_workload_has_a_summary_and_gives_back_the_index(
    workload: str, connections: EchoConnections
) -> None:
    async def main() -> list[int]:
        async with WORKLOADS[workload].open(connections) as work:
            return [await work(index) for index in (0, 1, 41)]

    assert run_on("asyncio", main) == [0, 1, 41]
    assert WORKLOADS[workload].name == workload
    assert WORKLOADS[workload].summary


def suspensions(work: Work) -> int:
    """How often one coroutine of a workload hands control back."""
    coroutine = work(0)
    for count in itertools.count():
        try:
            coroutine.send(None)
        except StopIteration:
            return count
    raise AssertionError


@pytest.mark.parametrize(("workload", "expected"), [("noop", 0), ("yield_once", 1)])
def test_workloads_suspend_as_often_as_they_say(
    workload: str, expected: int, connections: EchoConnections
) -> None:
    async def main() -> int:
        async with WORKLOADS[workload].open(connections) as work:
            return suspensions(work)

    assert run_on("asyncio", main) == expected
