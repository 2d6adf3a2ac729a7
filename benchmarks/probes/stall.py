"""Probe ``stall``: the longest time that another callback, always ready, has to wait while the
fan-out is launched and joined.
"""

from __future__ import annotations

import asyncio

from benchmarks.clock import perf_counter
from benchmarks.probing import FanOut, Measurement, Metric, Probe

LONGEST_WAIT = Metric(
    "longest_wait",
    label="longest wait",
    meaning="the longest time that another ready callback waited",
)


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Take the longest wait of each fan-out; the value is their mean over ``loops`` fan-outs.

    A callback that schedules itself again with ``call_soon`` reads the clock at each run. Its waits
    count from the launch, where it is ready, to the join; the wait that the join ends counts too.
    As something is always ready, the loop never sleeps: while the children wait, it polls.
    """
    results: list[int] = []
    timed_seconds = longest_seconds = 0.0
    for _ in range(loops):
        ticker = Ticker(asyncio.get_running_loop())
        launched = perf_counter()
        ticker.start(launched)
        try:
            results = await fan_out.launch(fan_out.work, fan_out.tasks, fan_out.pause)
            joined = perf_counter()
        finally:
            ticker.stop()
        timed_seconds += joined - launched
        longest_seconds += max(ticker.longest, joined - ticker.last)
    return Measurement(timed_seconds, {LONGEST_WAIT.name: longest_seconds / loops}, results)


class Ticker:
    """A callback that is always ready; ``longest`` is its longest wait, in seconds, up to its
    ``last`` run.
    """

    __slots__ = ("_handle", "_loop", "last", "longest")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.longest = 0.0
        self.last = 0.0

    def start(self, now: float) -> None:
        """Be ready for the first time."""
        self.last = now
        self._handle = self._loop.call_soon(self._run)

    def _run(self) -> None:
        now = perf_counter()
        if now - self.last > self.longest:
            self.longest = now - self.last
        self.last = now
        self._handle = self._loop.call_soon(self._run)

    def stop(self) -> None:
        """Run no more."""
        self._handle.cancel()


PROBE = Probe(
    "stall",
    label="stall",
    meaning="how long the loop keeps other callbacks waiting",
    section="Blocking the event loop",
    introduction=(
        "Everything else on the loop waits while a fan-out is launched, and while tasks that are "
        "all ready run in one iteration of the loop. In large fan-outs these two are nearly all of "
        "the time, so that the figures repeat those of the throughput."
    ),
    metrics=(LONGEST_WAIT,),
    headline_metric=LONGEST_WAIT.name,
    measure=measure,
    order=4,
)
