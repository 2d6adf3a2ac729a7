"""How n coroutines are launched and joined: one decorated function per strategy.

A strategy takes the work and the number of tasks, runs ``work(0) ... work(tasks - 1)`` concurrently
and returns their results in argument order. All of them honour this same contract, so that they do
the same job when they are compared; that is why ``task_group`` also collects its results, which
``gather`` does by itself.

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

Launch = Callable[[Work, int], Coroutine[Any, Any, "list[int]"]]
"""Runs ``work`` once for each index below ``tasks``; returns the results in argument order."""

OLDEST_PYTHON = (3, 10)


@dataclass(frozen=True)
class Strategy:
    """One way to launch and join; ``since`` is the first Python version that has what it uses."""

    name: str
    summary: str
    since: tuple[int, int]
    launch: Launch


STRATEGIES: dict[str, Strategy] = {}


def strategy(*, since: tuple[int, int] = OLDEST_PYTHON) -> Callable[[Launch], Launch]:
    """Register the decorated function as a strategy of its own name, its docstring's first line as
    the summary.
    """

    def register(launch: Launch) -> Launch:
        name = launch.__name__
        summary = (launch.__doc__ or "").partition("\n")[0]
        STRATEGIES[name] = Strategy(name, summary, since, launch)
        return launch

    return register


@strategy()
async def gather_coroutines(work: Work, tasks: int) -> list[int]:
    """gather(*coroutines): gather wraps each bare coroutine in a task itself."""
    return await asyncio.gather(*[work(index) for index in range(tasks)])


@strategy()
async def gather_tasks(work: Work, tasks: int) -> list[int]:
    """gather(*tasks): every task is made with create_task before gather is called."""
    return await asyncio.gather(*[asyncio.create_task(work(index)) for index in range(tasks)])


@strategy(since=(3, 11))
async def task_group(work: Work, tasks: int) -> list[int]:
    """TaskGroup: tasks made by group.create_task, joined where the block ends."""
    async with asyncio.TaskGroup() as group:
        children = [group.create_task(work(index)) for index in range(tasks)]
    return [child.result() for child in children]


BASELINE = gather_coroutines.__name__
"""The strategy every other one is compared with."""
