"""Probe ``memory``: what n waiting children take of the process's memory."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from benchmarks.children import until_all_run
from benchmarks.clock import perf_counter
from benchmarks.probe import FanOut, Measurement, Metric, Probe
from benchmarks.sizes import peak_bytes, resident_bytes
from benchmarks.strategies import Work
from benchmarks.workloads import PENDING

STEADY = Metric("steady", "byte")
PEAK = Metric("peak", "byte")
WARM_UP_TASKS = 10
"""Tasks of a fan-out before the one that counts, for what the first brings with it: imports,
caches. They leave room behind that is used again, 1 % of what a thousand tasks need.
"""


class NotMeasurableError(Exception):
    """The memory of these children cannot be told."""


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Take the resident size of one fan-out; both metrics are bytes of all children together, since
    before the launch: ``steady`` is its growth when all of them wait, ``peak`` the most it grew
    until none is left. They end by cancellation, which takes room of its own.

    What is measured are the children as they are: no coroutine of the probe is around them. The
    timed seconds, which are no value here, are those from the launch until all wait.

    Room that the process has had before is used again and does not grow: measure in a fresh
    process, and in that once, so ``loops`` has to be 1.

    Raises NotMeasurableError when the process did not grow or the system does not tell its size,
    NotAllRunningError when the children do not all wait at the same time.
    """
    tasks = fan_out.tasks
    if loops != 1:
        raise NotMeasurableError(f"a process shows the memory of one fan-out, not of {loops}")
    await _take(fan_out, min(tasks, WARM_UP_TASKS))
    sizes = await _take(fan_out, tasks)
    if sizes.waiting <= sizes.before:
        raise NotMeasurableError(
            "the system does not tell the size of a process"
            if not sizes.before
            else f"the process did not grow with {tasks} tasks: take more, in a fresh process"
        )
    steady = sizes.waiting - sizes.before
    # A mark that has not moved is from before the launch: then the largest known is this one.
    peak = sizes.peak - sizes.before if sizes.peak > sizes.peak_before else steady
    return Measurement(
        sizes.launch_seconds,
        {STEADY.name: float(steady), PEAK.name: float(max(steady, peak))},
        sizes.indexes,
    )


@dataclass(frozen=True)
class Sizes:
    """Resident sizes around one fan-out, in bytes: before the launch, when all its children wait,
    and the process's peak before and after. ``indexes`` of the children that were made.
    """

    before: int
    waiting: int
    peak_before: int
    peak: int
    launch_seconds: float
    indexes: list[int]


async def _take(fan_out: FanOut, tasks: int) -> Sizes:
    """Launch, wait until all wait, cancel. Leaves no task on the loop."""
    children = Kept(fan_out.work, tasks)
    others = asyncio.all_tasks()
    gc.collect()
    before, peak_before = resident_bytes(), peak_bytes()
    launched = perf_counter()
    caller = asyncio.create_task(fan_out.launch(children.make, tasks, fan_out.pause))
    try:
        await until_all_run(children.waiting, tasks, caller)
        launch_seconds = perf_counter() - launched
        waiting = resident_bytes()
    finally:
        children.let_go()
        caller.cancel()
        await asyncio.wait([caller])
        if left := asyncio.all_tasks() - others:
            for task in left:
                task.cancel()
            await asyncio.wait(left)
    return Sizes(before, waiting, peak_before, peak_bytes(), launch_seconds, children.indexes())


class Kept:
    """Makes coroutines and keeps them, to see which of them wait. The room for keeping is taken
    here, so that it is none of the children's.
    """

    def __init__(self, work: Work, tasks: int) -> None:
        self._work = work
        self._kept: list[Coroutine[Any, Any, int] | None] = [None] * tasks
        self._times_made = bytearray(tasks)

    def make(self, index: int) -> Coroutine[Any, Any, int]:
        """The coroutine of one child, nothing around it."""
        child = self._kept[index] = self._work(index)
        self._times_made[index] += 1
        return child

    def waiting(self) -> int:
        """How many of them have started and wait for something."""
        return sum(getattr(child, "cr_await", None) is not None for child in self._kept)

    def let_go(self) -> None:
        """Keep the coroutines no longer, but the room for them: given back, it would be used by
        what is still to be measured.
        """
        for index in range(len(self._kept)):
            self._kept[index] = None

    def indexes(self) -> list[int]:
        """The index of every child that was made, as often as it was."""
        return [index for index, times in enumerate(self._times_made) for _ in range(times)]


PROBE = Probe(
    "memory",
    "resident size that n waiting children add, steady and at the peak",
    (STEADY, PEAK),
    STEADY.name,
    measure,
    own_workload=PENDING,
    concurrent_only=True,
    fresh_process=True,
)


if __name__ == "__main__":
    from benchmarks.script import main

    main(PROBE)
