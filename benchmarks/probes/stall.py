"""Probe ``stall``: the longest time that another callback, always ready, waits for its turn while
the fan-out is launched and joined.
"""

from __future__ import annotations

import asyncio

from benchmarks.clock import perf_counter
from benchmarks.probe import FanOut, Measurement, Metric, Probe

METRIC = Metric("longest_wait")


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Take the longest wait of each fan-out; the value is their mean over ``loops`` fan-outs.

    A callback that schedules itself again with ``call_soon`` reads the clock at each run. Its waits
    are counted from the launch, where it is ready, to the join; the one in progress then counts as
    well. As something is always ready, the loop never sleeps: while the children wait it polls.
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
    return Measurement(timed_seconds, {METRIC.name: longest_seconds / loops}, results)


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
        """Never run again."""
        self._handle.cancel()


PROBE = Probe(
    "stall",
    "longest wait of another ready callback during the fan-out",
    (METRIC,),
    METRIC.name,
    measure,
)


if __name__ == "__main__":
    from benchmarks.script import main

    main(PROBE)
