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

SLEEP_SECONDS = 0.005
"""How long ``sleep`` sleeps: some times the one millisecond grain of uvloop's timers, and no
longer, because all of a small case is waiting.
"""
LONG_SLEEP_SECONDS = 0.020
PENDING_SECONDS = 3600.0
"""How long ``pending`` would wait: nobody waits for its end."""

TREE_LEVELS = 6
TREE_BRANCHES = 6
"""The shape of ``tree``: that of pyperformance's async_tree benchmarks."""


@dataclass(frozen=True)
class Surroundings:
    """What a workload may need of the process that it runs in: the connections to the echo server,
    and how the strategy under test launches.
    """

    connections: EchoConnections
    launch: Launch


@dataclass(frozen=True)
class Workload:
    """What a task does; ``open(surroundings)`` is entered on the running loop, untimed, and gives
    the work.

    ``seconds`` is how long one task takes by construction, None where nothing says; ``tasks_each``
    is how many tasks one of the n makes in all, itself included.
    """

    name: str
    summary: str
    open: Callable[[Surroundings], AbstractAsyncContextManager[Work]]
    seconds: float | None = None
    tasks_each: int = 1


WORKLOADS: dict[str, Workload] = {}


def workload(
    *, seconds: float | None = None, tasks_each: int = 1
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function (see the module) as a workload of its own name."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        row = workload_of(function, seconds=seconds, tasks_each=tasks_each)
        WORKLOADS[row.name] = row
        return function

    return register


def workload_of(
    function: Callable[..., Any], *, seconds: float | None = None, tasks_each: int = 1
) -> Workload:
    """The workload that the function (see the module) is, by its name and the first line of its
    docstring; it is not registered.
    """
    if inspect.iscoroutinefunction(function):

        @asynccontextmanager
        async def opened(surroundings: Surroundings) -> AsyncIterator[Work]:
            yield function
    else:
        opened = asynccontextmanager(function)
    summary = (function.__doc__ or "").partition("\n")[0]
    return Workload(function.__name__, summary, opened, seconds, tasks_each)


@workload()
async def noop(index: int) -> int:
    """returns at once: the bare cost of a task."""
    return index


@workload()
async def yield_once(index: int) -> int:
    """suspends once, with sleep(0)."""
    await asyncio.sleep(0)
    return index


@workload(seconds=SLEEP_SECONDS)
async def sleep(index: int) -> int:
    """waits 5 ms on a timer."""
    await asyncio.sleep(SLEEP_SECONDS)
    return index


@workload(seconds=LONG_SLEEP_SECONDS)
async def sleep_20ms(index: int) -> int:
    """waits 20 ms on a timer."""
    await asyncio.sleep(LONG_SLEEP_SECONDS)
    return index


@workload()
async def echo(surroundings: Surroundings) -> AsyncIterator[Work]:
    """one request and reply over TCP to a server in another process."""
    loop = asyncio.get_running_loop()
    clients: list[EchoClient] = []
    for duplicate in surroundings.connections.duplicates():
        _, client = await loop.create_connection(EchoClient, sock=duplicate)
        clients.append(client)
    try:
        yield lambda index: clients[index % len(clients)].request(index)
    finally:
        owed = any(client.is_owed_replies for client in clients)
        for client in clients:
            await client.close()
        if owed:  # the fan-out failed, or its tasks were cancelled
            surroundings.connections.drop()


@workload(tasks_each=sum(TREE_BRANCHES**level for level in range(1 + TREE_LEVELS)))
async def tree(surroundings: Surroundings) -> AsyncIterator[Work]:
    """fans out again, by the same strategy: 6 levels of 6 branches."""

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
    """waits an hour on a timer: until it is cancelled."""
    await asyncio.sleep(PENDING_SECONDS)
    return index


PENDING = workload_of(pending)
"""No workload of a campaign's choice, because it does not end: probes bring it as their own."""
