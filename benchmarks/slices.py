"""One slice: the unit of a turn. Everything untimed that surrounds the timed loops is here, the
same for all.
"""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from benchmarks.cases import Case, Launcher
from benchmarks.clock import perf_counter
from benchmarks.collectors import COLLECTORS, collections_so_far
from benchmarks.echo import EchoConnections
from benchmarks.loops import loop_maker
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.probing import FanOut, Measurement, Observed
from benchmarks.protocol import Calibrated
from benchmarks.sizes import peak_bytes
from benchmarks.strategies import STRATEGIES
from benchmarks.workloads import Surroundings

T = TypeVar("T")

COLLECTIONS = Observed(
    "collections", label="collections", meaning="garbage collections in one fan-out"
)
"""Observed in the slices of every probe, where Python counts them."""

PRIME_TASKS = 100
"""Before a slice: enough to fill the free lists that a full collection has emptied."""
WARM_UP_TASKS = 200
"""The first time a process meets a case: the interpreter specialises code after tens of calls."""
WARM_UP_SECONDS = 0.005


class ProofError(Exception):
    """The fan-out did not do what it is timed for."""


class Bench:
    """One launcher in this process, ready to measure cases."""

    def __init__(self, launcher: Launcher, connections: EchoConnections) -> None:
        self._new_loop = loop_maker(launcher.loop, launcher.task_factory)
        self._launch = STRATEGIES[launcher.strategy].launch
        self._collector = COLLECTORS[launcher.collector]
        self._surroundings = Surroundings(connections, self._launch)
        self._met: set[Case] = set()

    def prove(self, case: Case) -> float:
        """Run the case once, unprimed; return the seconds it took. Raises ProofError unless each
        coroutine runs exactly once.
        """
        counts = [0] * case.tasks
        workload = PROBES[case.probe].workload(case.workload)

        async def proof() -> float:
            async with workload.open(self._surroundings) as work:

                async def counted(index: int) -> int:
                    counts[index] += 1
                    return await work(index)

                started = perf_counter()
                results = await self._launch(counted, case.tasks, PAUSES[case.pause].make)
                seconds = perf_counter() - started
                _check_results(results, case.tasks)
                return seconds

        seconds = self.run(proof)
        if counts != [1] * case.tasks:
            wrong = next(index for index, count in enumerate(counts) if count != 1)
            raise ProofError(
                f"coroutine {wrong} of {case.tasks} ran {counts[wrong]} times, not once"
            )
        return seconds

    def calibrate(self, case: Case, slice_seconds: float) -> Calibrated:
        """Prove the case, then find how many inner loops take ``slice_seconds``; at least one.
        Raises ProofError.
        """
        started = perf_counter()
        if PROBES[case.probe].own_workload is None:
            seconds = self.prove(case)
        else:  # it may not end by itself: the results of a slice are the proof
            seconds = self.measure(case, 1).timed_seconds
        loops = max(1, round(slice_seconds / seconds))
        if loops > 1:
            # The first fan-out of a process is slow, so its loops are few and cheap to measure.
            started = perf_counter()
            measured = self.measure(case, loops)
            loops = max(1, round(loops * slice_seconds / measured.timed_seconds))
        return Calibrated(loops, perf_counter() - started, peak_bytes())

    def measure(self, case: Case, loops: int) -> Measurement:
        """Measure one slice on a fresh event loop, collected and primed, the collector in the
        launcher's state. Raises ProofError.
        """
        probe = PROBES[case.probe]
        workload = probe.workload(case.workload)
        # A tree is so large that it fills the free lists itself. A process of its own is measured
        # as it is.
        at_most = 0 if probe.fresh_process else PRIME_TASKS // workload.tasks_each
        prime_tasks = min(case.tasks, at_most)

        async def slice_() -> Measurement:
            async with workload.open(self._surroundings) as work:
                gc.collect()
                if prime_tasks:
                    await self._prime(case, FanOut(self._launch, work, prime_tasks))
                fan_out = FanOut(self._launch, work, case.tasks, PAUSES[case.pause].make)
                with self._collector.in_force():
                    before = collections_so_far()
                    measurement = await probe.measure(fan_out, loops)
                    after = collections_so_far()
                _check_results(measurement.results, case.tasks)
                _check_values(measurement)
                if before is None or after is None:
                    return measurement
                collections = {COLLECTIONS.name: (after - before) / loops}
                return replace(measurement, observed={**measurement.observed, **collections})

        return self.run(slice_)

    async def _prime(self, case: Case, fan_out: FanOut) -> None:
        measure = PROBES[case.probe].measure
        await measure(fan_out, 1)
        if case not in self._met:
            self._met.add(case)
            primed, until = fan_out.tasks, perf_counter() + WARM_UP_SECONDS
            while primed < WARM_UP_TASKS and perf_counter() < until:
                await measure(fan_out, 1)
                primed += fan_out.tasks

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run ``main()`` on a fresh event loop. Raises ProofError when a task is left."""
        loop = self._new_loop()
        try:
            result = loop.run_until_complete(main())
            left = len(asyncio.all_tasks(loop))
        finally:
            loop.close()
        if left:
            raise ProofError(f"{left} tasks were left when the fan-out had returned")
        return result


def _check_results(results: object, tasks: int) -> None:
    if results != list(range(tasks)):
        raise ProofError(f"the results are not those of the {tasks} coroutines in argument order")


def _check_values(measurement: Measurement) -> None:
    for metric, value in measurement.values.items():
        if not 0 < value < math.inf:
            raise ProofError(f"{metric} is {value:g}, which is no measurement")
