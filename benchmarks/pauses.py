"""What the caller does between creating the children and joining them: a decorated coroutine
function each, that says how many ``seconds`` it takes and whether it ``suspends``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.cases import USUAL_PAUSE
from benchmarks.clock import perf_counter
from benchmarks.strategies import PauseCall
from benchmarks.words import Word, words_of

SHORT_SECONDS = 0.005
COMPUTE_SECONDS = 0.010
LONG_SECONDS = 0.020


@dataclass(frozen=True)
class Pause(Word):
    """``suspends``: the event loop runs tasks meanwhile. ``make`` gives what is awaited, if any."""

    seconds: float
    suspends: bool
    make: PauseCall | None


NO_PAUSE = Pause(
    USUAL_PAUSE,
    label="no pause",
    meaning="the caller joins its children at once",
    seconds=0.0,
    suspends=False,
    make=None,
)

PAUSES: dict[str, Pause] = {NO_PAUSE.name: NO_PAUSE}


def pause(
    *, label: str | None = None, seconds: float, suspends: bool
) -> Callable[[PauseCall], PauseCall]:
    """Register the decorated function as a pause; see ``words_of`` for its words."""

    def register(make: PauseCall) -> PauseCall:
        row = Pause(*words_of(make, label), seconds, suspends, make)
        PAUSES[row.name] = row
        return make

    return register


@pause(label="sleep 5 ms", seconds=SHORT_SECONDS, suspends=True)
async def sleep_5ms() -> None:
    """before the join, the caller waits 5 ms on a timer: the event loop runs meanwhile."""
    await asyncio.sleep(SHORT_SECONDS)


@pause(label="sleep 20 ms", seconds=LONG_SECONDS, suspends=True)
async def sleep_20ms() -> None:
    """before the join, the caller waits 20 ms on a timer: the event loop runs meanwhile."""
    await asyncio.sleep(LONG_SECONDS)


@pause(label="compute 10 ms", seconds=COMPUTE_SECONDS, suspends=False)
async def compute_10ms() -> None:
    """before the join, the caller computes for 10 ms: the event loop cannot run meanwhile."""
    until = perf_counter() + COMPUTE_SECONDS
    while perf_counter() < until:
        pass
