"""How n coroutines are launched and joined: one decorated function per strategy.

A strategy runs ``work(0) ... work(tasks - 1)`` and returns their results in argument order. All
keep this contract, so that they do the same job when they are compared: ``task_group`` also
collects its results, as ``gather`` does by itself. Between creating the children and joining them
the caller awaits the ``pause``, where one is given.

Those that bound take a ``limit`` in place of the pause: how many calls of the work may be active at
a time. They work whatever the number, so that those that start n tasks at once must say so.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from benchmarks.words import Word, words_of

Work = Callable[[int], Coroutine[Any, Any, int]]
"""The body of one task: a coroutine function of the task's index that returns this index."""

PauseCall = Callable[[], Coroutine[Any, Any, None]]
"""What the caller does between creating the children and joining them."""

Launch = Callable[[Work, int, "PauseCall | None"], Coroutine[Any, Any, "list[int]"]]
"""Runs ``work`` once for each index below ``tasks``, pausing before the join unless the pause is
None; returns the results in argument order.
"""

OLDEST_PYTHON = (3, 10)
DEADLINE_SECONDS = 3600.0
"""Longer than any measurement: what a deadline costs that is never missed."""


@dataclass(frozen=True)
class Strategy(Word):
    """``since`` is the first Python version that has what it uses; ``load`` gives its function, of
    the user's ``own`` by importing it; ``concurrent`` is False where children run one after
    another. One that ``bounds`` has a limit in the place of the pause; one of a ``package`` is
    measured where that is installed; one that never ``pauses`` has no pause.
    """

    since: tuple[int, int]
    load: Callable[[], Callable[..., Coroutine[Any, Any, list[int]]]]
    concurrent: bool = True
    bounds: bool = False
    package: str | None = None
    pauses: bool = True
    own: bool = False

    @property
    def launch(self) -> Callable[..., Coroutine[Any, Any, list[int]]]:
        """Its function."""
        return self.load()

    def within(self, limit: int | None) -> Launch:
        """Its launch, with at most so many children active at a time; None where it bounds none.
        What takes no pause costs one call more, some 20 ns a fan-out.
        """
        launch = self.launch
        if self.bounds:
            return lambda work, tasks, pause: launch(work, tasks, limit)
        return launch if self.pauses else lambda work, tasks, pause: launch(work, tasks)


STRATEGIES: dict[str, Strategy] = {}


AnyLaunch = TypeVar("AnyLaunch", bound=Callable[..., Coroutine[Any, Any, "list[int]"]])


def strategy(
    *,
    label: str | None = None,
    since: tuple[int, int] = OLDEST_PYTHON,
    concurrent: bool = True,
    bounds: bool = False,
    package: str | None = None,
) -> Callable[[AnyLaunch], AnyLaunch]:
    """Register the decorated function as a strategy; see ``words_of`` for its words."""

    def register(launch: AnyLaunch) -> AnyLaunch:
        words = words_of(launch, label)
        row = Strategy(*words, since, lambda: launch, concurrent, bounds, package)
        STRATEGIES[row.name] = row
        return launch

    return register


@strategy(label="gather(*coroutines)")
async def gather_coroutines(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """gather wraps each bare coroutine in a task itself."""
    coroutines = [work(index) for index in range(tasks)]
    if pause:
        await pause()
    return await asyncio.gather(*coroutines)


@strategy(label="gather(*tasks)")
async def gather_tasks(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """create_task for each coroutine, then gather."""
    children = [asyncio.create_task(work(index)) for index in range(tasks)]
    if pause:
        await pause()
    return await asyncio.gather(*children)


@strategy(label="TaskGroup", since=(3, 11))
async def task_group(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """group.create_task for each coroutine, joined where the block of the TaskGroup ends."""
    async with asyncio.TaskGroup() as group:
        children = [group.create_task(work(index)) for index in range(tasks)]
        if pause:
            await pause()
    return [child.result() for child in children]


@strategy(label="wait(tasks)")
async def wait(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """create_task for each coroutine, then asyncio.wait until all are done."""
    children = [asyncio.create_task(work(index)) for index in range(tasks)]
    if pause:
        await pause()
    await asyncio.wait(children)
    return [child.result() for child in children]


@strategy(label="as_completed")
async def as_completed(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """create_task for each coroutine, then each is awaited in the order of completion."""
    children = [asyncio.create_task(work(index)) for index in range(tasks)]
    if pause:
        await pause()
    for completed in asyncio.as_completed(children):
        await completed
    return [child.result() for child in children]


@strategy(label="await one by one", concurrent=False)
async def sequential(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """each coroutine is awaited in turn: no tasks and no concurrency."""
    if pause:
        await pause()
    return [await work(index) for index in range(tasks)]


@strategy(label="gather(return_exceptions)")
async def gather_exceptions(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """gather over bare coroutines with return_exceptions=True: an error is a result."""
    coroutines = [work(index) for index in range(tasks)]
    if pause:
        await pause()
    # The check of the results finds exceptions.
    return await asyncio.gather(*coroutines, return_exceptions=True)  # type: ignore[return-value]


@strategy(label="create_task(eager_start)", since=(3, 14))
async def gather_eager_start(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """create_task with eager_start=True for each coroutine, then gather."""
    start: Any = asyncio.create_task  # eager_start is newer than the oldest Python
    children = [start(work(index), eager_start=True) for index in range(tasks)]
    if pause:
        await pause()
    results: list[int] = await asyncio.gather(*children)
    return results


@strategy(label="gather, timeout each", since=(3, 11))
async def gather_timeout(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """gather over coroutines, each within an asyncio.timeout of an hour."""

    async def within(index: int) -> int:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await work(index)

    return await gather_coroutines(within, tasks, pause)


@strategy(label="gather, wait_for each")
async def gather_wait_for(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """gather over coroutines, each of which asyncio.wait_for waits for, an hour at most."""

    async def within(index: int) -> int:
        return await asyncio.wait_for(work(index), DEADLINE_SECONDS)

    return await gather_coroutines(within, tasks, pause)


@strategy(label="gather + Semaphore", bounds=True)
async def gather_semaphore(work: Work, tasks: int, limit: int) -> list[int]:
    """gather over all coroutines, each of which does its work within a Semaphore: n tasks exist."""
    semaphore = asyncio.Semaphore(limit)

    async def within(index: int) -> int:
        async with semaphore:
            return await work(index)

    return await asyncio.gather(*[within(index) for index in range(tasks)])


@strategy(label="TaskGroup + Semaphore", since=(3, 11), bounds=True)
async def task_group_semaphore(work: Work, tasks: int, limit: int) -> list[int]:
    """a TaskGroup of all tasks, each of which does its work within a Semaphore: n tasks exist."""
    semaphore = asyncio.Semaphore(limit)

    async def within(index: int) -> int:
        async with semaphore:
            return await work(index)

    async with asyncio.TaskGroup() as group:
        children = [group.create_task(within(index)) for index in range(tasks)]
    return [child.result() for child in children]


@strategy(label="workers + Queue", bounds=True)
async def queue_workers(work: Work, tasks: int, limit: int) -> list[int]:
    """as many workers as the limit take items from a Queue that the caller has filled."""
    results = [0] * tasks
    workers = min(limit, tasks)
    queue: asyncio.Queue[int | None] = asyncio.Queue()
    for index in itertools.chain(range(tasks), itertools.repeat(None, workers)):
        queue.put_nowait(index)

    async def worker() -> None:
        while (index := await queue.get()) is not None:
            results[index] = await work(index)

    await asyncio.gather(*[worker() for _ in range(workers)])
    return results


@strategy(label="workers + iterator", bounds=True)
async def iterator_workers(work: Work, tasks: int, limit: int) -> list[int]:
    """as many workers as the limit take items from one iterator: no queue, no lock."""
    results = [0] * tasks
    items = iter(range(tasks))

    async def worker() -> None:
        for index in items:
            results[index] = await work(index)

    await asyncio.gather(*[worker() for _ in range(min(limit, tasks))])
    return results


@strategy(label="window + wait", bounds=True)
async def wait_window(work: Work, tasks: int, limit: int) -> list[int]:
    """a set of tasks, filled up to the limit whenever asyncio.wait returns the first that ended."""
    results = [0] * tasks
    running: dict[asyncio.Task[int], int] = {}
    for index in range(tasks):
        if len(running) == limit:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                results[running.pop(task)] = task.result()
        running[asyncio.create_task(work(index))] = index
    for task, index in running.items():
        results[index] = await task
    return results


@strategy(label="chunks", bounds=True)
async def chunks(work: Work, tasks: int, limit: int) -> list[int]:
    """gather over as many coroutines as the limit, then the next: each chunk waits for its last."""
    results: list[int] = []
    for start in range(0, tasks, limit):
        stop = min(start + limit, tasks)
        results += await asyncio.gather(*[work(index) for index in range(start, stop)])
    return results


@strategy(label="anyio CapacityLimiter", bounds=True, package="anyio")
async def anyio_limiter(work: Work, tasks: int, limit: int) -> list[int]:
    """anyio's task group of all tasks, each of which works within a CapacityLimiter: n tasks."""
    import anyio

    results = [0] * tasks
    limiter = anyio.CapacityLimiter(limit)

    async def within(index: int) -> None:
        async with limiter:
            results[index] = await work(index)

    async with anyio.create_task_group() as group:
        for index in range(tasks):
            group.start_soon(within, index)
    return results


@strategy(label="aiometer run_all", bounds=True, package="aiometer")
async def aiometer_run_all(work: Work, tasks: int, limit: int) -> list[int]:
    """aiometer.run_all with max_at_once, of a partial for each item: n partials exist."""
    import aiometer

    jobs = [functools.partial(work, index) for index in range(tasks)]
    return await aiometer.run_all(jobs, max_at_once=limit)


BASELINE = gather_coroutines.__name__
"""The strategy that every other one is compared with."""
