"""The children of one fan-out: when all of them run, and how each of them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from benchmarks.clock import perf_counter
from benchmarks.strategies import Work

START_TURNS = 100
"""Iterations of the loop within which all children have to start; asyncio's strategies need two."""


class ChildFailedError(Exception):
    """What the child raises that is told to fail."""


class NotAllRunningError(Exception):
    """The children of a fan-out do not all run at the same time."""


async def until_all_run(count: Callable[[], int], tasks: int, caller: asyncio.Task[Any]) -> None:
    """Let the loop run until ``count()`` says that all children of the ``caller`` are running.

    Raises NotAllRunningError when that does not happen, and whatever the caller raised.
    """
    for _ in range(START_TURNS):
        if count() == tasks:
            return
        if caller.done():
            caller.result()
            raise NotAllRunningError("the fan-out has returned although its children wait")
        await asyncio.sleep(0)
    raise NotAllRunningError(
        f"{count()} of {tasks} children were running after {START_TURNS} turns of the loop"
    )


class Children:
    """Makes the children of one fan-out and records by index which of them started and how each
    ended. ``make`` is the work to launch; the child ``failing`` raises at its first step. As a
    context manager around the fan-out it leaves no task of it on the loop.

    Following a child is timed too: a coroutine around its own, two list appends and a counter.
    """

    def __init__(self, work: Work, failing: int | None = None) -> None:
        self.started: list[int] = []
        self.finished: list[int] = []
        self.cancelled: list[int] = []
        self.failed: list[int] = []
        self.running = 0
        self._work = work
        self._failing = failing
        self._errors: list[Exception] = []
        self._made: list[Coroutine[Any, Any, int]] = []
        self._last_end: asyncio.Future[float] | None = None
        self._others = asyncio.all_tasks()

    def make(self, index: int) -> Coroutine[Any, Any, int]:
        """The coroutine of one child."""
        child = self._fail(index) if index == self._failing else self._follow(index)
        self._made.append(child)
        return child

    async def _follow(self, index: int) -> int:
        self.started.append(index)
        self.running += 1
        try:
            result = await self._work(index)
            self.finished.append(index)
            return result
        except asyncio.CancelledError:
            self.cancelled.append(index)
            raise
        except Exception as error:
            self._errors.append(error)
            raise
        finally:
            self._end()

    async def _fail(self, index: int) -> int:
        self.started.append(index)
        self.failed.append(index)
        raise ChildFailedError

    def _end(self) -> None:
        self.running -= 1
        if self._last_end is not None and not self.running and not self._last_end.done():
            self._last_end.set_result(perf_counter())

    def last_end(self, now: float) -> asyncio.Future[float]:
        """When the last child that is running ends, on the clock; ``now`` when none is running."""
        end: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        if self.running:
            self._last_end = end
        else:
            end.set_result(now)
        return end

    def tasks(self) -> set[asyncio.Task[Any]]:
        """The unfinished tasks that were created on the loop since the children were set up."""
        return asyncio.all_tasks() - self._others

    async def __aenter__(self) -> Children:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Leave no task on the loop, and close the coroutines that did not become tasks. Raises
        what the work itself has raised, if anything.
        """
        while left := self.tasks():
            for task in left:
                task.cancel()
            await asyncio.wait(left)
        await asyncio.sleep(0)  # lets the done callbacks of the tasks run
        for child in self._made:
            child.close()
        if self._errors:
            raise self._errors[0]

    def accounts(self, tasks: int) -> list[int]:
        """The indexes of all children in order: each below ``tasks`` once, unless something went
        wrong.
        """
        never_started = set(range(tasks)).difference(self.started)
        return sorted([*self.finished, *self.cancelled, *self.failed, *never_started])
