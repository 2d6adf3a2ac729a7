"""What the caller does between creating the children and joining them: one row each.

To add one, decorate a coroutine function: with ``seconds`` it says how long it takes, with
``suspends`` whether the event loop runs meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.cases import USUAL_PAUSE
from benchmarks.clock import perf_counter
from benchmarks.strategies import PauseCall

SHORT_SECONDS = 0.005
COMPUTE_SECONDS = 0.010
LONG_SECONDS = 0.020


@dataclass(frozen=True)
class Pause:
    """One pause, which takes ``seconds``. ``suspends``: the event loop can run tasks meanwhile.
    ``make`` gives what is awaited; None where nothing is.
    """

    name: str
    seconds: float
    suspends: bool
    summary: str
    make: PauseCall | None


NO_PAUSE = Pause(USUAL_PAUSE, 0.0, suspends=False, summary="joins at once", make=None)

PAUSES: dict[str, Pause] = {NO_PAUSE.name: NO_PAUSE}


def pause(*, seconds: float, suspends: bool) -> Callable[[PauseCall], PauseCall]:
    """Register the decorated function as a pause of its own name, its docstring's first line as the
    summary.
    """

    def register(make: PauseCall) -> PauseCall:
        name = make.__name__
        summary = (make.__doc__ or "").partition("\n")[0]
        PAUSES[name] = Pause(name, seconds, suspends, summary, make)
        return make

    return register


@pause(seconds=SHORT_SECONDS, suspends=True)
async def sleep_5ms() -> None:
    """awaits a timer of 5 ms: the event loop runs meanwhile."""
    await asyncio.sleep(SHORT_SECONDS)


@pause(seconds=LONG_SECONDS, suspends=True)
async def sleep_20ms() -> None:
    """awaits a timer of 20 ms: the event loop runs meanwhile."""
    await asyncio.sleep(LONG_SECONDS)


@pause(seconds=COMPUTE_SECONDS, suspends=False)
async def compute_10ms() -> None:
    """computes for 10 ms without a suspension: the event loop stands still."""
    until = perf_counter() + COMPUTE_SECONDS
    while perf_counter() < until:
        pass
