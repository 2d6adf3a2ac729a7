"""Probes on small fan-outs that do the same every time: nothing in them waits for a clock.

Imported by tests; as a script it runs on any interpreter and prints a line of JSON per fan-out:

python -m tests.benchmarks.probing
"""

from __future__ import annotations

import asyncio
import functools
import gc
import itertools
import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.alone import Alone
from benchmarks.cases import Case, Launcher
from benchmarks.conditions import refusal
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES, loop_maker
from benchmarks.probes import PROBES
from benchmarks.probing import FanOut, Measurement
from benchmarks.strategies import BASELINE, STRATEGIES, Launch, PauseCall, Work
from benchmarks.workloads import noop, pending

T = TypeVar("T")

USUAL = ("gather_coroutines", "gather_tasks", "task_group", "wait", "as_completed", "sequential")
TASKS = 10
ALONE_TASKS = 3000
"""Tasks of a probe that measures in a process of its own."""
LOOPS = 2
TURNS = 20
HANG_SECONDS = 20.0
"""A fan-out that does not end is stopped then, and fails its test."""


async def turns(index: int = 0) -> int:
    """Suspends a certain number of times."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
    return index


async def many_turns() -> None:
    """A pause in which children of every kind can finish."""
    await turns()
    await turns()


async def still() -> None:
    """A pause that does not suspend."""


WORKS: Mapping[str, Work] = {work.__name__: work for work in (noop, turns, pending)}
PAUSES: Mapping[str, PauseCall | None] = {"none": None, "still": still, "many_turns": many_turns}


@dataclass(frozen=True)
class Cell:
    """A fan-out to be measured, by names."""

    probe: str
    strategy: str
    loop: str
    task_factory: str
    work: str = "turns"
    pause: str = "none"

    def __str__(self) -> str:
        return "-".join(asdict(self).values())

    @property
    def tasks(self) -> int:
        """How many children it has."""
        return ALONE_TASKS if PROBES[self.probe].fresh_process else TASKS

    @property
    def loops(self) -> int:
        """How many fan-outs are made."""
        return 1 if PROBES[self.probe].fresh_process else LOOPS


@dataclass(frozen=True)
class Seen:
    """What a measurement gave; ``complaints`` are asyncio's and the interpreter's."""

    cell: Cell
    timed_seconds: float
    values: Mapping[str, float]
    observed: Mapping[str, float]
    results: list[int]
    complaints: list[str]
    python: tuple[int, int]


def cells(probe: str) -> list[Cell]:
    """Every usual strategy on every loop and task factory that this interpreter has; without
    optional loops, of which nothing is promised.
    """
    row = PROBES[probe]
    works = (row.own_workload.name,) if row.own_workload else ("noop", "turns")
    works = ("noop",) if row.fresh_process and not row.own_workload else works
    pauses = tuple(PAUSES) if row.pauses else ("none",)
    found = []
    for loop, task_factory in itertools.product(EVENT_LOOPS, TASK_FACTORIES):
        if EVENT_LOOPS[loop].optional or not is_available(loop, task_factory):
            continue
        usual = [STRATEGIES[name] for name in USUAL]
        for strategy, work, pause in itertools.product(usual, works, pauses):
            if row.can_measure(strategy) and sys.version_info >= strategy.since:
                found.append(Cell(probe, strategy.name, loop, task_factory, work, pause))
    return found


def is_available(loop: str, task_factory: str) -> bool:
    """Whether this interpreter has them, and they work together."""
    try:
        loop_maker(loop, task_factory)
    except (ImportError, AttributeError):
        return False
    return refusal(loop, task_factory) is None


def see(cell: Cell) -> Seen:
    """Measure it in this process, or, where the probe needs that, in one of its own."""
    probe = PROBES[cell.probe]
    if probe.fresh_process:
        launcher = Launcher(cell.loop, cell.task_factory, cell.strategy)
        case = Case(cell.probe, cell.work, cell.tasks)
        alone = Alone(launcher).measure(case, cell.loops, 1)
        values = {name: of_blocks[0] for name, of_blocks in alone.values.items()}
        # The results themselves were checked in that process.
        results = list(range(case.tasks))
        return seen(cell, Measurement(alone.timed_seconds, values, results, alone.observed), [])
    launch = STRATEGIES[cell.strategy].launch
    fan_out = FanOut(launch, WORKS[cell.work], cell.tasks, PAUSES[cell.pause])
    with complaints() as heard:
        measurement = run(
            lambda: probe.measure(fan_out, cell.loops), cell.loop, cell.task_factory, heard
        )
    return seen(cell, measurement, heard)


def seen(cell: Cell, measurement: Measurement, heard: list[str]) -> Seen:
    """The measurement with its cell, in types that JSON keeps."""
    return Seen(
        cell,
        measurement.timed_seconds,
        dict(measurement.values),
        dict(measurement.observed),
        list(measurement.results),
        heard,
        sys.version_info[:2],
    )


def run(
    main: Callable[[], Coroutine[Any, Any, T]],
    loop_name: str = "asyncio",
    task_factory: str = "lazy",
    heard: list[str] | None = None,
) -> T:
    """Run on a fresh loop that must be left without a task; what its exception handler is told goes
    to ``heard``.
    """
    loop = loop_maker(loop_name, task_factory)()
    if heard is not None:
        loop.set_exception_handler(lambda _, context: heard.append(str(context)))
    try:
        task = loop.create_task(main())
        alarm = loop.call_later(HANG_SECONDS, task.cancel)
        result = loop.run_until_complete(task)
        alarm.cancel()
        left = asyncio.all_tasks(loop)
        assert not left, f"{len(left)} tasks are left"
        return result
    finally:
        loop.close()
        if heard is not None:
            gc.collect()  # exceptions that nobody retrieved are complained about when freed


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Warnings, and what is raised where nobody can catch it, coroutines never awaited included."""
    heard: list[str] = []
    usual = sys.unraisablehook
    sys.unraisablehook = lambda unraisable: heard.append(
        f"{unraisable.exc_value!r} in {unraisable.object!r}"
    )
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield heard
    finally:
        sys.unraisablehook = usual
    heard.extend(str(warning.message) for warning in caught)


def measured(
    probe: str, launch: Launch, work: Work, tasks: int = TASKS, loops: int = 1
) -> Measurement:
    """What a probe makes of a fan-out of a test's own, which must leave nothing behind."""
    with complaints() as heard:
        fan_out = FanOut(launch, work, tasks)
        measurement = run(lambda: PROBES[probe].measure(fan_out, loops), heard=heard)
    assert heard == []
    return measurement


def see_elsewhere(probe: str, python: Path) -> list[Seen]:
    """The fan-outs of a probe, measured by another interpreter."""
    return [seen for seen in _all_seen_by(python) if seen.cell.probe == probe]


@functools.cache
def _all_seen_by(python: Path) -> list[Seen]:
    done = subprocess.run(
        [python, "-W", "error", "-m", __name__],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        Seen(**{**row, "cell": Cell(**row["cell"]), "python": tuple(row["python"])}) for row in rows
    ]


def main() -> None:
    """Print what is seen of every fan-out; in a process of its own, of the baseline only."""
    for name, probe in PROBES.items():
        for cell in cells(name):
            if not probe.fresh_process or cell.strategy == BASELINE:
                print(json.dumps(asdict(see(cell))))


if __name__ == "__main__":
    main()
