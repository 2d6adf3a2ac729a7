"""What every strategy promises: n coroutines, once each, concurrently unless it says otherwise;
results in their order.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from benchmarks import strategies, workloads
from benchmarks.echo import EchoConnections
from benchmarks.strategies import BASELINE, OLDEST_PYTHON, STRATEGIES, Work
from benchmarks.workloads import (
    LONG_SLEEP_SECONDS,
    PENDING,
    SHORT_SLEEP_SECONDS,
    WORKLOADS,
    Surroundings,
    Workload,
)
from tests.benchmarks.cells import CONCURRENT, EAGER_LOOPS, LATE, LOOPS, MAKERS, RUNNABLE
from tests.benchmarks.probing import run

T = TypeVar("T")

MOST_SECONDS = 0.05
"""A cell that waits longer, one task after another, is left out: smaller ones are in."""


def is_short(strategy: str, workload: str, tasks: int) -> bool:
    waits = (WORKLOADS[workload].seconds or 0.0) * tasks
    return STRATEGIES[strategy].concurrent or waits <= MOST_SECONDS


CELLS = [cell for cell in itertools.product(RUNNABLE, WORKLOADS, (1, 2, 100)) if is_short(*cell)]


@pytest.fixture
def small_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workloads, "TREE_LEVELS", 2)


@pytest.mark.parametrize(("strategy", "workload", "tasks"), CELLS)
@pytest.mark.parametrize(("loop", "task_factory"), MAKERS)
def test_runs_every_coroutine_once_and_returns_results_in_argument_order(
    strategy: str,
    loop: str,
    task_factory: str,
    workload: str,
    tasks: int,
    connections: EchoConnections,
    small_trees: None,
) -> None:
    counts = [0] * tasks
    launch = STRATEGIES[strategy].launch

    async def main() -> list[int]:
        async with WORKLOADS[workload].open(Surroundings(connections, launch)) as work:

            async def counted(index: int) -> int:
                counts[index] += 1
                return await work(index)

            results = await launch(counted, tasks, None)
            assert asyncio.all_tasks() == {asyncio.current_task()}, "a task is still there"
            return results

    assert run(main, loop, task_factory) == list(range(tasks))
    assert counts == [1] * tasks


@pytest.mark.parametrize("tasks", [1, 2, 100])
@pytest.mark.parametrize(("loop", "task_factory"), MAKERS)
@pytest.mark.parametrize("strategy", CONCURRENT)
def test_all_coroutines_start_before_any_has_to_finish(
    strategy: str, loop: str, task_factory: str, tasks: int
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

        return await STRATEGIES[strategy].launch(barrier, tasks, None)

    assert run(main, loop, task_factory) == list(range(tasks))


@pytest.mark.parametrize(("loop", "task_factory"), MAKERS)
@pytest.mark.parametrize("strategy", [name for name in RUNNABLE if name not in CONCURRENT])
def test_a_strategy_that_is_not_concurrent_runs_one_after_another(
    strategy: str, loop: str, task_factory: str
) -> None:
    steps: list[str] = []

    async def work(index: int) -> int:
        steps.append(f"{index} starts")
        await asyncio.sleep(0)
        steps.append(f"{index} ends")
        return index

    async def main() -> list[int]:
        return await STRATEGIES[strategy].launch(work, 3, None)

    assert run(main, loop, task_factory) == [0, 1, 2]
    assert steps == [f"{index} {what}" for index in range(3) for what in ("starts", "ends")]


# The pause

MADE_AT_ONCE = {"gather_coroutines", "gather_exceptions"}
"""Of those whose children are no tasks before the join, those that make all coroutines first."""
STARTED_AT_ONCE = {"gather_eager_start"}


def started_around_a_pause(
    strategy: str, loop: str, task_factory: str, *, suspends: bool
) -> tuple[int, int]:
    """How many of five coroutines have started when the pause begins, and when it ends."""
    made = 0
    started = 0
    seen: list[tuple[int, int]] = []

    def make(index: int) -> Coroutine[Any, Any, int]:
        nonlocal made
        made += 1
        return work(index)

    async def work(index: int) -> int:
        nonlocal started
        started += 1
        await asyncio.sleep(0)
        return index

    async def pause() -> None:
        assert made == (5 if strategy not in LATE - MADE_AT_ONCE else 0)
        at_first = started
        if suspends:
            await asyncio.sleep(0)
        seen.append((at_first, started))

    async def main() -> list[int]:
        return await STRATEGIES[strategy].launch(make, 5, pause)

    assert run(main, loop, task_factory) == list(range(5))
    [around] = seen
    return around


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("strategy", RUNNABLE)
def test_tasks_start_at_the_callers_first_suspension_and_coroutines_do_not(
    strategy: str, loop: str
) -> None:
    at_once = 5 * (strategy in STARTED_AT_ONCE)
    head_start = 5 * (strategy not in LATE)
    assert started_around_a_pause(strategy, loop, "lazy", suspends=True) == (at_once, head_start)
    assert started_around_a_pause(strategy, loop, "lazy", suspends=False) == (at_once, at_once)


@pytest.mark.parametrize("loop", EAGER_LOOPS)
@pytest.mark.parametrize("strategy", RUNNABLE)
def test_eager_tasks_start_where_they_are_created(strategy: str, loop: str) -> None:
    started = 5 * (strategy not in LATE)
    for suspends in (True, False):
        around = started_around_a_pause(strategy, loop, "eager", suspends=suspends)
        assert around == (started, started)


# Results and exceptions


@pytest.mark.parametrize("strategy", CONCURRENT)
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

        results = await STRATEGIES[strategy].launch(backwards, 10, None)
        assert finished == list(reversed(range(10)))
        return results

    assert run(main) == list(range(10))


class WorkFailedError(Exception):
    pass


def leaves(error: BaseException) -> list[BaseException]:
    """The exceptions of a group, or the one that is none."""
    inner = getattr(error, "exceptions", None)
    return [error] if inner is None else list(itertools.chain(*map(leaves, inner)))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("strategy", [name for name in RUNNABLE if name != "gather_exceptions"])
def test_an_exception_of_one_coroutine_reaches_the_caller(strategy: str, loop: str) -> None:
    async def fails_at_three(index: int) -> int:
        if index == 3:
            raise WorkFailedError
        return index

    async def main() -> None:
        await STRATEGIES[strategy].launch(fails_at_three, 10, None)

    with pytest.raises(Exception) as caught:  # noqa: PT011  # alone or in a group
        run(main, loop)
    assert [type(error) for error in leaves(caught.value)] == [WorkFailedError]
    is_group = not isinstance(caught.value, WorkFailedError)
    assert is_group == (strategy == "task_group")


def test_with_return_exceptions_an_exception_is_a_result() -> None:
    async def main() -> list[object]:
        async def fails_at_one(index: int) -> int:
            if index == 1:
                raise WorkFailedError
            return index

        return [*await STRATEGIES["gather_exceptions"].launch(fails_at_one, 3, None)]

    zero, error, two = run(main)
    assert (zero, two) == (0, 2)
    assert isinstance(error, WorkFailedError)


@pytest.mark.parametrize("strategy", sorted({"gather_timeout", "gather_wait_for"} & set(RUNNABLE)))
def test_a_deadline_ends_a_child_that_misses_it(
    strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strategies, "DEADLINE_SECONDS", 0.001)

    async def late(index: int) -> int:
        await asyncio.sleep(60 * index)
        return index

    async def main() -> None:
        await STRATEGIES[strategy].launch(late, 2, None)

    with pytest.raises((TimeoutError, asyncio.TimeoutError)):
        run(main)


def test_the_registry_knows_its_rows_by_their_functions_names() -> None:
    for name, row in STRATEGIES.items():
        assert row.name == name == row.launch.__name__
        assert row.label
        assert row.meaning
        assert row.since >= OLDEST_PYTHON


def test_the_baseline_runs_on_the_oldest_python() -> None:
    assert STRATEGIES[BASELINE].since == OLDEST_PYTHON


# Workloads


def opened(
    workload: Workload, connections: EchoConnections, use: Callable[[Work], Coroutine[Any, Any, T]]
) -> T:
    """Use the opened workload on a fresh loop, launching by the baseline where it launches."""
    launch = STRATEGIES[BASELINE].launch

    async def main() -> T:
        async with workload.open(Surroundings(connections, launch)) as work:
            return await use(work)

    return run(main)


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_workload_has_a_meaning_and_gives_back_the_index(
    name: str, connections: EchoConnections, small_trees: None
) -> None:
    async def use(work: Work) -> list[int]:
        return [await work(index) for index in (0, 1, 41)]

    assert opened(WORKLOADS[name], connections, use) == [0, 1, 41]
    assert WORKLOADS[name].name == name
    assert WORKLOADS[name].label
    assert WORKLOADS[name].meaning


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
    async def use(work: Work) -> int:
        return suspensions(work)

    assert opened(WORKLOADS[workload], connections, use) == expected


def test_workloads_say_whether_they_wait() -> None:
    assert {row.name for row in (*WORKLOADS.values(), PENDING) if row.waits} == {
        "sleep", "sleep_20ms", "uneven", "echo", "pending",
    }  # fmt: skip


@pytest.mark.parametrize("workload", [row for row in WORKLOADS.values() if row.seconds])
def test_workloads_wait_on_one_timer_as_long_as_they_say(
    workload: Workload, connections: EchoConnections
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def use(work: Work) -> int:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "sleep", sleep)
            return await work(5)

    assert opened(workload, connections, use) == 5
    assert waited == [SHORT_SLEEP_SECONDS if workload.name == "uneven" else workload.seconds]


def test_uneven_tasks_wait_as_long_as_they_say_in_the_mean(connections: EchoConnections) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def use(work: Work) -> list[int]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "sleep", sleep)
            return [await work(index) for index in range(100)]

    assert opened(WORKLOADS["uneven"], connections, use) == list(range(100))
    assert set(waited) == {SHORT_SLEEP_SECONDS, LONG_SLEEP_SECONDS}
    assert sum(waited) / 100 == pytest.approx(WORKLOADS["uneven"].seconds)


def test_a_tree_fans_out_again_by_the_same_strategy(connections: EchoConnections) -> None:
    """Six levels of six branches, as pyperformance's async_tree benchmarks: every node a task."""
    launched = []

    async def counting(work: Work, tasks: int, pause: object) -> list[int]:
        launched.append(tasks)
        return await STRATEGIES[BASELINE].launch(work, tasks, None)

    async def main() -> list[int]:
        surroundings = Surroundings(connections, counting)
        async with WORKLOADS["tree"].open(surroundings) as work:
            return await counting(work, 1, None)

    assert run(main) == [0]
    assert launched.count(1) == 1
    assert launched.count(6) == sum(6**level for level in range(6))
    assert sum(launched) == WORKLOADS["tree"].tasks_each == 55_987


def test_pending_is_no_choice_and_waits_until_it_is_cancelled(
    connections: EchoConnections,
) -> None:
    assert PENDING.name not in WORKLOADS
    assert PENDING.seconds is None

    async def use(work: Work) -> bool:
        task = asyncio.create_task(work(0))
        for _ in range(10):
            await asyncio.sleep(0)
        waits = not task.done()
        task.cancel()
        await asyncio.wait([task])
        return waits and task.cancelled()

    assert opened(PENDING, connections, use)
