"""What each of the n coroutines does: one decorated function per workload.

A workload is a coroutine function of the task's index that returns the index or, where something
has to be set up first, an async generator function that takes the ``Surroundings``, sets it up,
yields such a coroutine function, and cleans up.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.echo import EchoClient, EchoConnections
from benchmarks.strategies import Launch, Work
from benchmarks.words import Word, words_of

SLEEP_SECONDS = 0.005
"""Several times the resolution of uvloop's timers (1 ms); no longer: a small case only waits."""
LONG_SLEEP_SECONDS = 0.020
SHORT_SLEEP_SECONDS = 0.002
LONG_ONE_OF = 10
UNEVEN_SECONDS = SHORT_SLEEP_SECONDS + (LONG_SLEEP_SECONDS - SHORT_SLEEP_SECONDS) / LONG_ONE_OF
"""Of the mean task of ``uneven``."""
PENDING_SECONDS = 3600.0
"""Longer than any measurement: ``pending`` is cancelled, never waited for."""

MOST_TASKS_IN_ALL = 10_000_000
"""The most tasks of one fan-out, with those that its tasks make: they take tens of gigabytes."""

TREE_LEVELS = 6
TREE_BRANCHES = 6
"""The shape of ``tree``: that of pyperformance's async_tree benchmarks."""


@dataclass(frozen=True)
class Surroundings:
    """What a workload may need: connections to the echo server, and the launch under test."""

    connections: EchoConnections
    launch: Launch


@dataclass(frozen=True)
class Workload(Word):
    """What a task does; ``open(surroundings)`` is entered on the running loop, untimed, and gives
    the work.

    ``seconds`` is how long one task takes by construction, of uneven ones the mean; ``tasks_each``
    how many tasks one of the n makes in all, itself included. It ``waits`` when most of its time is
    waiting. One that is the user's ``own`` may return anything, others return the index; so many
    ``warmups``, small fan-outs, go before its slices; ``errors()`` are its calls so far that have
    raised, where they are counted.
    """

    open: Callable[[Surroundings], AbstractAsyncContextManager[Work]]
    seconds: float | None = None
    tasks_each: int = 1
    waits: bool = False
    own: bool = False
    warmups: int = 1
    errors: Callable[[], int] = int

    def refusal(self, tasks: int) -> str | None:
        """Why a fan-out of so many tasks is too large, in one line; None when it is not."""
        in_all = tasks * self.tasks_each
        if in_all <= MOST_TASKS_IN_ALL:
            return None
        return (
            f"{self.name} with n = {tasks:_} makes {in_all:_} tasks in one fan-out; the limit is "
            f"{MOST_TASKS_IN_ALL:_}, which is n = {MOST_TASKS_IN_ALL // self.tasks_each:_}"
        )


WORKLOADS: dict[str, Workload] = {}


def workload(
    *,
    label: str | None = None,
    seconds: float | None = None,
    tasks_each: int = 1,
    waits: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function (see the module) as a workload; see ``words_of``."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        row = Workload(*words_of(function, label), _opening(function), seconds, tasks_each, waits)
        WORKLOADS[row.name] = row
        return function

    return register


def _opening(
    function: Callable[..., Any],
) -> Callable[[Surroundings], AbstractAsyncContextManager[Work]]:
    """What opens the workload that the function is."""
    if not inspect.iscoroutinefunction(function):
        return asynccontextmanager(function)

    @asynccontextmanager
    async def opened(surroundings: Surroundings) -> AsyncIterator[Work]:
        yield function

    return opened


@workload()
async def noop(index: int) -> int:
    """each coroutine returns at once: the bare cost of a task."""
    return index


@workload()
async def yield_once(index: int) -> int:
    """each coroutine suspends once, with sleep(0)."""
    await asyncio.sleep(0)
    return index


@workload(seconds=SLEEP_SECONDS, waits=True)
async def sleep(index: int) -> int:
    """each coroutine waits 5 ms on a timer."""
    await asyncio.sleep(SLEEP_SECONDS)
    return index


@workload(label="sleep 20 ms", seconds=LONG_SLEEP_SECONDS, waits=True)
async def sleep_20ms(index: int) -> int:
    """each coroutine waits 20 ms on a timer."""
    await asyncio.sleep(LONG_SLEEP_SECONDS)
    return index


@workload(seconds=UNEVEN_SECONDS, waits=True)
async def uneven(index: int) -> int:
    """each coroutine waits on a timer: one in ten for 20 ms, the others for 2 ms."""
    await asyncio.sleep(SHORT_SLEEP_SECONDS if index % LONG_ONE_OF else LONG_SLEEP_SECONDS)
    return index


@workload(waits=True)
async def echo(surroundings: Surroundings) -> AsyncIterator[Work]:
    """each coroutine makes one request over TCP to a server in another process."""
    loop = asyncio.get_running_loop()
    clients: list[EchoClient] = []
    for duplicate in surroundings.connections.duplicates():
        _, client = await loop.create_connection(EchoClient, sock=duplicate)
        clients.append(client)
    try:
        yield lambda index: clients[index % len(clients)].request(index)
    finally:
        incomplete = any(client.awaits_replies for client in clients)
        for client in clients:
            await client.close()
        if incomplete:  # the fan-out failed, or its tasks were cancelled
            surroundings.connections.drop()


@workload(tasks_each=sum(TREE_BRANCHES**level for level in range(1 + TREE_LEVELS)))
async def tree(surroundings: Surroundings) -> AsyncIterator[Work]:
    """each coroutine fans out again, by the same strategy: 6 levels of 6 branches."""

    def branching(levels: int) -> Work:
        if levels == 0:
            return noop
        below = branching(levels - 1)

        async def branch(index: int) -> int:
            await surroundings.launch(below, TREE_BRANCHES, None)
            return index

        return branch

    yield branching(TREE_LEVELS)


async def pending(index: int) -> int:
    """each coroutine waits until it is cancelled."""
    await asyncio.sleep(PENDING_SECONDS)
    return index


PENDING = Workload(*words_of(pending), _opening(pending), waits=True)
"""Not in ``WORKLOADS``, because it does not end by itself: only probes bring it, as their own."""
