"""One slice: the unit of a turn. Everything untimed that surrounds its blocks is here, the same for
all.
"""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from benchmarks.cases import Case, Launcher
from benchmarks.children import START_TURNS
from benchmarks.clock import perf_counter
from benchmarks.collecting import Collected, begin_at, cycle_collections, watched
from benchmarks.collectors import COLLECTORS
from benchmarks.echo import EchoConnections
from benchmarks.loops import loop_maker
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.probing import FanOut, Probe
from benchmarks.protocol import PROVE_ONLY, Calibrated, Measured
from benchmarks.sizes import involuntary_switches, peak_bytes
from benchmarks.strategies import STRATEGIES, Launch, Work
from benchmarks.workloads import Surroundings, Workload

T = TypeVar("T")

BLOCK_SECONDS = 0.0002
"""A block is as many batches as take this long, at least one: a host that slows a core down does
so for longer, and what surrounds a block takes some 10 us."""
EXTRA_TURNS = 3
"""Of the loop, in which whoever is one too many would start."""
PRIME_TASKS = 100
"""Before a slice: enough to have the code and the free lists in the caches."""
WARM_UP_TASKS = 200
"""The first time a process meets a case: the interpreter specialises code after tens of calls."""
WARM_UP_SECONDS = 0.005
FILLING_TASKS = 1000
"""From here on a fan-out fills the collector's youngest generation by itself, and needs more memory
than a short run has had."""
LEAST_BLOCKS = 3
"""Of such fan-outs, unless they take longer than a cycle may: the first of a process are slower."""
MOST_CALIBRATIONS = 3
CYCLE_SECONDS = 0.25
"""A slice does not wait for a full collection that is rarer."""


class ProofError(Exception):
    """The fan-out did not do what it is timed for."""


class SpoiledError(ProofError):
    """What was measured has changed the process for all that comes after it."""


class Bench:
    """One launcher in this process, ready to measure cases."""

    def __init__(self, launcher: Launcher, connections: EchoConnections) -> None:
        self._new_loop = loop_maker(launcher.loop, launcher.task_factory)
        self._limit = launcher.limit
        self._strategy = STRATEGIES[launcher.strategy]
        self._collector = COLLECTORS[launcher.collector]
        self._connections = connections
        self._met: set[Case] = set()
        first = self._new_loop()
        self._loop_class = type(first)
        first.close()

    @cached_property
    def _launch(self) -> Launch:
        """Found when it is first asked for: the user's own may fail to import."""
        return self._strategy.within(self._limit)

    @cached_property
    def _surroundings(self) -> Surroundings:
        return Surroundings(self._connections, self._launch)

    def prove(self, case: Case) -> float:
        """Run the case once, unprimed; return the seconds it took. Raises ProofError unless each
        coroutine runs exactly once and, where there is a limit, so many at a time and no more.
        """
        counts = [0] * case.tasks
        workload = PROBES[case.probe].workload(case.workload)

        async def proof() -> float:
            async with workload.open(self._surroundings) as work:

                async def counted(index: int) -> int:
                    counts[index] += 1
                    result = await work(index)
                    return index if workload.own else result

                started = perf_counter()
                results = await self._launch(counted, case.tasks, PAUSES[case.pause].make)
                seconds = perf_counter() - started
                _check_results(results, case.tasks)
                return seconds

        self.prove_limit(case.tasks)
        seconds = self.run(proof)
        if counts != [1] * case.tasks:
            wrong = next(index for index, count in enumerate(counts) if count != 1)
            raise ProofError(
                f"coroutine {wrong} of {case.tasks} ran {counts[wrong]} times, not once"
            )
        return seconds

    def prove_limit(self, tasks: int) -> None:
        """Where there is a limit, raise ProofError unless of so many children, each of which waits
        until as many as may be active are, no more ever are.
        """
        if self._limit is None:
            return
        tasks = min(tasks, 2 * self._limit + 1)
        wanted = min(tasks, self._limit)
        active = most = 0

        async def child(index: int) -> int:
            nonlocal active, most
            active += 1
            most = max(most, active)
            for _ in range(START_TURNS + wanted):  # some start one child a turn
                if most >= wanted:
                    break
                await asyncio.sleep(0)
            for _ in range(EXTRA_TURNS):
                await asyncio.sleep(0)
            active -= 1
            return index

        self.run(lambda: self._launch(child, tasks, None))
        if most != wanted:
            raise ProofError(f"{most} of {tasks} children were active at a time, not {wanted}")

    def calibrate(self, case: Case, slice_seconds: float) -> Calibrated:
        """Prove the case, then find how many batches make a block and how many blocks take
        ``slice_seconds``, if any; at least one of each. Raises ProofError.
        """
        started = perf_counter()
        if PROBES[case.probe].own_workload is None:
            seconds = self.prove(case)
        else:  # it may not end by itself: the results of a slice are the proof
            seconds = self.measure(case, 1, 1).timed_seconds
        loops = blocks = seen = 1
        if slice_seconds == PROVE_ONLY:
            return Calibrated(loops, blocks, seen, seconds, peak_bytes())
        known = 0
        # The first fan-out of a process is slow: the sizes that follow from it are too small.
        for _ in range(MOST_CALIBRATIONS):
            loops = max(1, math.ceil(BLOCK_SECONDS / seconds))
            least = LEAST_BLOCKS if _fills(case) and LEAST_BLOCKS * seconds <= CYCLE_SECONDS else 1
            blocks = max(least, round(slice_seconds / (loops * seconds)))
            if loops * blocks <= max(1, 2 * known):
                break
            known = loops * blocks
            started = perf_counter()
            measured = self.measure(case, loops, blocks)
            seen = measured.blocks
            seconds = measured.timed_seconds / (loops * seen)
        return Calibrated(loops, blocks, max(seen, blocks), perf_counter() - started, peak_bytes())

    def measure(self, case: Case, loops: int, blocks: int, phase: float = 0.0) -> Measured:
        """Measure one slice on a fresh event loop: ``blocks`` blocks of ``loops`` batches each, the
        collector in the launcher's state. Raises ProofError.

        Where the fan-outs keep the collector busy, the slice finds it at ``phase``, a share of the
        cycle of its generations, and goes on with further blocks until it has seen a whole cycle.
        """
        probe = PROBES[case.probe]
        workload = probe.workload(case.workload)
        splits = probe.is_split(case.workload)
        # Other states of the collector leave no cycle to complete.
        cycle = cycle_collections() if splits and self._collector.set_up is None else 0

        async def slice_() -> Measured:
            async with workload.open(self._surroundings) as work:
                fan_out = FanOut(self._launch, work, case.tasks, PAUSES[case.pause].make)
                if _fills(case):
                    if cycle:  # first: the fan-out leaves what a running program has left
                        begin_at(phase)
                    await self._launch(work, case.tasks, None)
                else:
                    await self._prime(case, workload, work)
                errors = workload.errors()
                with self._collector.in_force(), watched() as collected:
                    measured = await _blocks(
                        probe, fan_out, loops, blocks, collected, cycle, splits, workload.own
                    )
                return replace(measured, errors=workload.errors() - errors)

        return self.run(slice_)

    async def _prime(self, case: Case, workload: Workload, work: Work) -> None:
        """A short run, untimed; the first time that a process meets the case, a longer one."""
        probe = PROBES[case.probe]
        if probe.fresh_process:  # it is measured as it is
            return
        # A tree is so large that it primes itself, and a timer would only be waited for.
        tasks = 0 if workload.seconds else min(case.tasks, PRIME_TASKS // workload.tasks_each)
        if not tasks:
            return
        fan_out = FanOut(self._launch, work, tasks)
        for _ in range(workload.warmups):
            await probe.measure(fan_out, 1)
        if case not in self._met and not (workload.own and workload.waits):
            self._met.add(case)
            primed, until = tasks, perf_counter() + WARM_UP_SECONDS
            while primed < WARM_UP_TASKS and perf_counter() < until:
                await probe.measure(fan_out, 1)
                primed += tasks

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run ``main()`` on a fresh event loop. Raises ProofError when a task is left."""
        loop = self._new_loop()
        if type(loop) is not self._loop_class:
            raise SpoiledError(f"the event loop has become a {type(loop).__qualname__}")
        try:
            result = loop.run_until_complete(main())
            left = [task.get_coro() for task in asyncio.all_tasks(loop)]
        finally:
            loop.close()
        if left:
            names = dict.fromkeys(getattr(one, "__qualname__", str(one)) for one in left)
            raise ProofError(
                f"{len(left)} tasks were left when the fan-out had returned: {', '.join(names)}"
            )
        return result


def _fills(case: Case) -> bool:
    """Whether its fan-outs fill the collector's youngest generation by themselves."""
    probe = PROBES[case.probe]
    tasks = case.tasks * probe.workload(case.workload).tasks_each
    return probe.is_split(case.workload) and tasks >= FILLING_TASKS


async def _blocks(
    probe: Probe,
    fan_out: FanOut,
    loops: int,
    blocks: int,
    collected: Collected,
    cycle: int,
    splits: bool,
    own: bool,
) -> Measured:
    """Measure block after block: so many, and up to the end of a cycle of so many collections if
    that takes no longer than it may. The user's ``own`` work may have any results.
    """
    # Arrays: lists of results would bring the next collection nearer.
    values = {name: array("d") for name in probe.metric_names}
    observed = dict.fromkeys((row.name for row in probe.observed), 0.0)
    timed_seconds = 0.0
    results: Sequence[int] = ()
    cpu, switches, started = time.process_time(), involuntary_switches(), perf_counter()
    done = 0
    while done < blocks or (
        sum(collected.counts) < cycle
        and sum(collected.counts) * CYCLE_SECONDS >= cycle * timed_seconds
    ):
        seen = await probe.measure(fan_out, loops)
        done += 1
        timed_seconds += seen.timed_seconds
        for name, value in seen.values.items():
            values[name].append(value - seen.collector_seconds / loops if splits else value)
        for name, number in seen.observed.items():
            observed[name] += number
        results = seen.results
    wall, cpu = perf_counter() - started, time.process_time() - cpu
    switches = involuntary_switches() - switches
    if not own:
        _check_results(results, fan_out.tasks)
    elif not isinstance(results, list) or len(results) != fan_out.tasks:
        raise ProofError(f"the results are not a list of {fan_out.tasks}")
    for name, of_metric in values.items():
        _check_values(name, of_metric)
    return Measured(
        values={name: list(of_metric) for name, of_metric in values.items()},
        timed_seconds=timed_seconds,
        observed={name: number / done for name, number in observed.items()},
        collections=collected.counts,
        collector_seconds=collected.seconds,
        cpu_share=cpu / wall,
        switches=switches,
        cycles=sum(collected.counts) / per_cycle if (per_cycle := cycle_collections()) else 0.0,
    )


def _check_results(results: object, tasks: int) -> None:
    if results != list(range(tasks)):
        raise ProofError(f"the results are not those of the {tasks} coroutines in argument order")


def _check_values(metric: str, values: Iterable[float]) -> None:
    for value in values:
        if not 0 < value < math.inf:
            raise ProofError(f"{metric} is {value:g}, which is no measurement")
