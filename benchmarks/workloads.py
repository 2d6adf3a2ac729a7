"""What each of the n coroutines does: one decorated function per workload.

A workload is a coroutine function of the task's index that returns the index or, where something
has to be set up first, an async generator function that sets it up, yields such a coroutine
function, and cleans up.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.echo import EchoClient, EchoConnections
from benchmarks.strategies import Work

SLEEP_SECONDS = 0.005
"""How long ``sleep`` sleeps: some times the one millisecond grain of uvloop's timers, and no
longer, because all of a small case is waiting.
"""


@dataclass(frozen=True)
class Workload:
    """What a task does; ``open(connections)`` is entered on the running loop, untimed, and gives
    the work.
    """

    name: str
    summary: str
    open: Callable[[EchoConnections], AbstractAsyncContextManager[Work]]


WORKLOADS: dict[str, Workload] = {}


def workload(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register the decorated function (see the module) as a workload of its own name."""
    name = function.__name__
    if inspect.iscoroutinefunction(function):

        @asynccontextmanager
        async def opened(connections: EchoConnections) -> AsyncIterator[Work]:
            yield function
    else:
        opened = asynccontextmanager(function)
    WORKLOADS[name] = Workload(name, (function.__doc__ or "").partition("\n")[0], opened)
    return function


@workload
async def noop(index: int) -> int:
    """returns at once: the bare cost of a task."""
    return index


@workload
async def yield_once(index: int) -> int:
    """suspends once, with sleep(0)."""
    await asyncio.sleep(0)
    return index


@workload
async def sleep(index: int) -> int:
    """waits 5 ms on a timer."""
    await asyncio.sleep(SLEEP_SECONDS)
    return index


@workload
async def echo(connections: EchoConnections) -> AsyncIterator[Work]:
    """one request and reply over TCP to a server in another process."""
    loop = asyncio.get_running_loop()
    clients: list[EchoClient] = []
    for duplicate in connections.duplicates():
        _, client = await loop.create_connection(EchoClient, sock=duplicate)
        clients.append(client)
    try:
        yield lambda index: clients[index % len(clients)].request(index)
    finally:
        for client in clients:
            await client.close()
