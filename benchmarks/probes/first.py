"""Probe ``first``: the first result of n wins: when the caller has it, and when no child runs any
more.

Each way takes what makes a child and the number of children; it returns the first result when the
others have been cancelled and have ended, and says when it had that result.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from benchmarks.children import Children
from benchmarks.clock import perf_counter
from benchmarks.probing import FanOut, Measurement, Metric, Probe
from benchmarks.strategies import (
    Work,
    as_completed,
    gather_coroutines,
    task_group,
    wait,
)
from benchmarks.workloads import PENDING

KNOWN = Metric(
    "known", label="first result", meaning="from the launch until the caller has the first result"
)
CLEAN = Metric(
    "clean",
    label="clean",
    meaning="from the launch until the others have been cancelled and have ended",
)
Way = Callable[[Work, int, "list[float]"], Coroutine[Any, Any, int]]


class WonError(Exception):
    """Ends a TaskGroup that has no cancel()."""


async def by_gather(make: Work, tasks: int, known: list[float]) -> int:
    """The first child sets a future; then the whole of gather is cancelled."""
    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def child(index: int) -> int:
        result = await make(index)
        if not first.done():
            first.set_result(result)
        return result

    every = asyncio.gather(*[child(index) for index in range(tasks)])
    result = await first
    known.append(perf_counter())
    every.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await every  # ends when all children have
    return result


async def by_task_group(make: Work, tasks: int, known: list[float]) -> int:
    """The first child cancels the group or, where there is no cancel() yet, raises."""
    results: list[int] = []
    group = asyncio.TaskGroup()
    cancel: Callable[[], object] | None = getattr(group, "cancel", None)

    async def child(index: int) -> None:
        results.append(await make(index))
        if len(results) == 1:
            if cancel is None:
                raise WonError
            cancel()

    try:
        async with group:
            for index in range(tasks):
                if results:  # an eager child has won already
                    break
                group.create_task(child(index))
    except BaseException as error:
        nested = getattr(error, "exceptions", ())
        if not nested or not all(isinstance(one, WonError) for one in nested):
            raise
    known.append(perf_counter())  # the caller has it when the group has ended, not before
    return results[0]


async def by_wait(make: Work, tasks: int, known: list[float]) -> int:
    """wait until FIRST_COMPLETED, then each of the others is cancelled."""
    children = [asyncio.create_task(make(index)) for index in range(tasks)]
    done, others = await asyncio.wait(children, return_when=asyncio.FIRST_COMPLETED)
    known.append(perf_counter())
    await _end(others)
    return next(iter(done)).result()


async def by_as_completed(make: Work, tasks: int, known: list[float]) -> int:
    """The first of as_completed, then each of the others is cancelled."""
    children = [asyncio.create_task(make(index)) for index in range(tasks)]
    result = await next(iter(asyncio.as_completed(children)))
    known.append(perf_counter())
    await _end({child for child in children if not child.done()})
    return result


async def _end(tasks: set[asyncio.Task[int]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


WAYS: dict[Callable[..., Any], Way] = {
    gather_coroutines: by_gather,
    task_group: by_task_group,
    wait: by_wait,
    as_completed: by_as_completed,
}
"""By the strategy that they belong to."""


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Launch ``loops`` fan-outs whose child n // 2 returns at its first step; all others wait. The
    metrics are means over the fan-outs.
    """
    way, tasks = WAYS[fan_out.launch], fan_out.tasks
    winner = tasks // 2

    async def work(index: int) -> int:
        return index if index == winner else await fan_out.work(index)

    results: list[int] = []
    known_seconds = clean_seconds = 0.0
    for _ in range(loops):
        known: list[float] = []
        async with Children(work) as children:
            launched = perf_counter()
            await way(children.make, tasks, known)
            clean = perf_counter()
        known_seconds += known[0] - launched
        clean_seconds += clean - launched
        results = children.accounts(tasks)
    return Measurement(
        clean_seconds,
        {KNOWN.name: known_seconds / loops, CLEAN.name: clean_seconds / loops},
        results,
    )


PROBE = Probe(
    "first",
    label="first result",
    meaning="the first result of n wins, the others are cancelled",
    section="When the first result wins",
    introduction=(
        "Several servers are asked, one answer is enough: when the caller has it, and when the "
        "others have been cancelled. gather has to be told by a future, TaskGroup by an exception "
        "or, where there is one, by its cancel()."
    ),
    metrics=(KNOWN, CLEAN),
    headline_metric=CLEAN.name,
    measure=measure,
    own_workload=PENDING,
    strategies=tuple(launch.__name__ for launch in WAYS),
    order=6,
)
