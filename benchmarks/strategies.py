"""How n coroutines are launched and joined: one decorated function per strategy.

A strategy runs ``work(0) ... work(tasks - 1)`` and returns their results in argument order. All
keep this contract, so that they do the same job when they are compared: ``task_group`` also
collects its results, as ``gather`` does by itself. Between creating the children and joining them
the caller awaits the ``pause``, where one is given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class Strategy(Word):
    """``since`` is the first Python version that has what it uses; ``concurrent`` is False where
    children run one after another.
    """

    since: tuple[int, int]
    launch: Launch
    concurrent: bool = True


STRATEGIES: dict[str, Strategy] = {}


def strategy(
    *, label: str | None = None, since: tuple[int, int] = OLDEST_PYTHON, concurrent: bool = True
) -> Callable[[Launch], Launch]:
    """Register the decorated function as a strategy; see ``words_of`` for its words."""

    def register(launch: Launch) -> Launch:
        row = Strategy(*words_of(launch, label), since, launch, concurrent)
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


BASELINE = gather_coroutines.__name__
"""The strategy that every other one is compared with."""
