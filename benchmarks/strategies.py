"""How n coroutines are launched and joined: one decorated function per strategy.

A strategy takes the work and the number of tasks, runs ``work(0) ... work(tasks - 1)`` and returns
their results in argument order. All of them honour this same contract, so that they do the same job
when they are compared; that is why ``task_group`` also collects its results, which ``gather`` does
by itself. Between creating the children and joining them the caller may do something else: it
awaits the ``pause``, where one is given.

To add a strategy, write one function here and decorate it: the matrix, the command line, the tests,
the tables and the charts find it in ``STRATEGIES``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

Work = Callable[[int], Coroutine[Any, Any, int]]
"""The body of one task: a coroutine function of the task's index that returns this index."""

PauseCall = Callable[[], Coroutine[Any, Any, None]]
"""What the caller does between creating the children and joining them."""

Launch = Callable[[Work, int, "PauseCall | None"], Coroutine[Any, Any, "list[int]"]]
"""Runs ``work`` once for each index below ``tasks``, pausing before the join unless the pause is
None; returns the results in argument order.
"""

OLDEST_PYTHON = (3, 10)


@dataclass(frozen=True)
class Strategy:
    """One way to launch and join; ``since`` is the first Python version that has what it uses.
    ``concurrent`` is False where the children run one after another.
    """

    name: str
    summary: str
    since: tuple[int, int]
    launch: Launch
    concurrent: bool = True


STRATEGIES: dict[str, Strategy] = {}


def strategy(
    *, since: tuple[int, int] = OLDEST_PYTHON, concurrent: bool = True
) -> Callable[[Launch], Launch]:
    """Register the decorated function as a strategy of its own name, its docstring's first line as
    the summary.
    """

    def register(launch: Launch) -> Launch:
        name = launch.__name__
        summary = (launch.__doc__ or "").partition("\n")[0]
        STRATEGIES[name] = Strategy(name, summary, since, launch, concurrent)
        return launch

    return register


@strategy()
async def gather_coroutines(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """gather(*coroutines): gather wraps each bare coroutine in a task itself."""
    coroutines = [work(index) for index in range(tasks)]
    if pause:
        await pause()
    return await asyncio.gather(*coroutines)


@strategy()
async def gather_tasks(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """gather(*tasks): every task is made with create_task before gather is called."""
    children = [asyncio.create_task(work(index)) for index in range(tasks)]
    if pause:
        await pause()
    return await asyncio.gather(*children)


@strategy(since=(3, 11))
async def task_group(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """TaskGroup: tasks made by group.create_task, joined where the block ends."""
    async with asyncio.TaskGroup() as group:
        children = [group.create_task(work(index)) for index in range(tasks)]
        if pause:
            await pause()
    return [child.result() for child in children]


@strategy()
async def wait(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """wait: tasks made with create_task, joined by asyncio.wait when all are done."""
    children = [asyncio.create_task(work(index)) for index in range(tasks)]
    if pause:
        await pause()
    await asyncio.wait(children)
    return [child.result() for child in children]


@strategy()
async def as_completed(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """as_completed: tasks made with create_task, each awaited as it completes."""
    children = [asyncio.create_task(work(index)) for index in range(tasks)]
    if pause:
        await pause()
    for completed in asyncio.as_completed(children):
        await completed
    return [child.result() for child in children]


@strategy(concurrent=False)
async def sequential(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """await, one coroutine after another: no tasks and no concurrency."""
    if pause:
        await pause()
    return [await work(index) for index in range(tasks)]


BASELINE = gather_coroutines.__name__
"""The strategy every other one is compared with."""
