"""Stand-ins for what a campaign is conducted with: a clock, workers, and what starts them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.campaign import schema
from benchmarks.campaign.journal import Journal
from benchmarks.campaign.plan import SLICE_SECONDS, asked_pairs, case_record, definitions
from benchmarks.campaign.progress import Observer, Progress
from benchmarks.campaign.schema import (
    MICROS,
    QUANTILES,
    Cell,
    Contender,
    Facts,
    Failure,
    Interpreter,
    Plan,
    RoundLine,
)
from benchmarks.campaign.workers import Worker, WorkerError
from benchmarks.cases import Case
from benchmarks.matrix import Selection, lay_out
from benchmarks.probes import PROBES
from benchmarks.protocol import Calibrated, Measured, ProgramSaid
from benchmarks.strategies import STRATEGIES, Launch, Strategy
from tests.benchmarks.clocks import FakeClock

INTERPRETER = Interpreter(
    name="cpython-3.12.1",
    version="3.12.1",
    implementation="cpython",
    build={"compiler": "GCC", "debug": False},
    packages={"pyperf": "2.10.0", "uvloop": "0.23.0"},
    environment="0123456789abcdef",
)

CASE_LOOPS = 7
CASE_BLOCKS = 3
"""Batches of a block and blocks of a slice that fake workers find unless told."""


def make_plan(
    *,
    tasks: Sequence[int] = (10, 100),
    probes: Sequence[str] = ("throughput",),
    workloads: Sequence[str] = ("noop",),
    loops: Sequence[str] = ("asyncio",),
    budget_seconds: float = 1e9,
    precision: float = 0.01,
    seed: int = 1,
    interpreters: Sequence[Interpreter] = (INTERPRETER,),
    selections: Sequence[Selection] | None = None,
) -> Plan:
    """A plan of one selection, made of the names given, or of several."""
    selection = Selection(
        probes=tuple(probes), workloads=tuple(workloads), tasks=tuple(tasks), loops=tuple(loops)
    )
    matrix = lay_out(interpreters, selections or [selection])
    cases = tuple(map(case_record, matrix.cases))
    return Plan(
        name="20261122-150312-test",
        preset="test",
        seed=seed,
        budget_seconds=budget_seconds,
        precision=precision,
        slice_seconds=SLICE_SECONDS,
        code_hash="0" * 64,
        created="2026-11-22T15:03:12+00:00",
        machine={"id": "abc", "cpu_model": "a core", "cpu_count": 2, "driver_cores": [0]},
        interpreters=tuple(interpreters),
        contenders=matrix.contenders,
        cases=cases,
        skipped=matrix.skipped,
        blocks=matrix.blocks,
        definitions=definitions(matrix.contenders, cases),
        status="running",
    )


def make_cell(case: schema.Case, values: Sequence[float]) -> Cell:
    """A cell of slices with one value each, the same for every metric."""
    of_metric = [
        [value * (MICROS if case.unit(metric) == "second" else 1.0) for value in values]
        for metric in case.metrics
    ]
    return Cell(
        quantiles=[
            [float(at) for at in np.quantile(row, QUANTILES, method="median_unbiased")]
            for row in of_metric
        ],
        means=of_metric,
        batches=CASE_LOOPS * len(values),
        timed_us=10_000.0 * len(values),
        collections=[],
        observed=[2.0 for _ in PROBES[case.probe].observed],
    )


def make_line(
    plan: Plan,
    round_number: int,
    seconds: Callable[[Contender], float],
    *,
    case: schema.Case | None = None,
    sweeps: int = 3,
    without: Sequence[Contender] = (),
) -> RoundLine:
    """A line of the journal; ``seconds(contender)`` is the value of every metric and slice."""
    case = case or plan.cases[0]
    asked = asked_pairs(plan)
    return RoundLine(
        round=round_number,
        case=case.id,
        started="2026-11-22T15:03:12+00:00",
        wall_seconds=1.0,
        steal_seconds=0.0,
        cells={
            place: make_cell(case, [seconds(contender)] * sweeps)
            for place, contender in enumerate(plan.contenders)
            if contender not in without and (contender.id, case.id) in asked
        },
        failures={contender.id: "it was told to" for contender in without},
    )


@dataclass(frozen=True)
class Turn:
    """A slice that was asked for, of the contender of this id."""

    contender: str
    strategy: str
    role: schema.Role
    case: Case
    loops: int
    blocks: int
    phase: float


@dataclass
class Script:
    """What fake workers do, and what they were asked.

    ``on_turn`` is called with each turn before it is answered and may raise. ``seconds`` gives the
    value of each block of a turn, ``collections``, ``switches`` and ``observed`` what is
    told beside it; ``busy_seconds`` is what a slice takes on the clock, ``start_seconds`` what
    workers take until they are ready. ``program`` is what a program says, and may raise.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    seconds: Callable[[Turn], float] = lambda turn: 1e-3
    collections: Callable[[Turn], Sequence[int]] = lambda turn: (0, 0, 0)
    switches: Callable[[Turn], int] = lambda turn: 0
    cpu_share: Callable[[Turn], float] = lambda turn: 0.9
    observed: Callable[[Turn], float] = lambda turn: 0.0
    loops: Callable[[Contender], int] = lambda contender: CASE_LOOPS
    blocks: Callable[[Contender], int] = lambda contender: CASE_BLOCKS
    busy_seconds: Callable[[Case], float] = lambda case: 0.01
    start_seconds: float = 0.0
    on_turn: Callable[[Turn], None] = lambda turn: None
    on_calibrate: Callable[[Contender, Case], None] = lambda contender, case: None
    on_wait: Callable[[], None] = lambda: None
    conditions: Callable[[Contender, int], Facts] = lambda contender, start: {
        "loop_class": contender.loop
    }
    unstartable: Callable[[Contender, int], bool] = lambda contender, start: False
    program: Callable[[Contender, str], ProgramSaid] = lambda contender, name: ProgramSaid("", "")

    turns: list[Turn] = field(default_factory=list)
    calibrations: list[tuple[str, str]] = field(default_factory=list)
    started: list[tuple[str, ...]] = field(default_factory=list)
    open_workers: list[FakeWorker] = field(default_factory=list)
    asked_now: int = 0
    most_asked_at_once: int = 0

    @contextmanager
    def being_asked(self) -> Iterator[None]:
        self.asked_now += 1
        self.most_asked_at_once = max(self.most_asked_at_once, self.asked_now)
        try:
            yield
        finally:
            self.asked_now -= 1


class FakeWorker:
    """Answers at once; the time it takes passes on the script's clock only."""

    def __init__(self, script: Script, contender: Contender, start: int) -> None:
        self._script = script
        self._contender = contender
        self.conditions: Facts = script.conditions(contender, start)
        self.closed = False
        script.open_workers.append(self)

    def calibrate(self, case: Case, slice_seconds: float) -> Calibrated:
        assert not self.closed
        script = self._script
        with script.being_asked():
            script.calibrations.append((self._contender.id, case.id))
            script.on_calibrate(self._contender, case)
            seconds = script.busy_seconds(case)
            script.clock.advance(seconds)
            loops, blocks = script.loops(self._contender), script.blocks(self._contender)
            return Calibrated(loops, blocks, blocks, seconds, peak_bytes=1000)

    def measure(self, case: Case, loops: int, blocks: int, phase: float) -> Measured:
        assert not self.closed
        who, script = self._contender, self._script
        turn = Turn(who.id, who.strategy, who.role, case, loops, blocks, phase)
        probe = PROBES[case.probe]
        with script.being_asked():
            script.turns.append(turn)
            script.on_turn(turn)
            seconds = script.busy_seconds(case)
            script.clock.advance(seconds)
            return Measured(
                values={name: [script.seconds(turn)] * blocks for name in probe.metric_names},
                timed_seconds=seconds,
                observed={row.name: script.observed(turn) for row in probe.observed},
                collections=list(script.collections(turn)),
                collector_seconds=[1e-6 * count for count in script.collections(turn)],
                cpu_share=script.cpu_share(turn),
                switches=script.switches(turn),
                cycles=0.0,
            )

    def run_program(self, program: str) -> ProgramSaid:
        assert not self.closed
        return self._script.program(self._contender, program)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._script.open_workers.remove(self)


class FakeStarting:
    """Workers that are ready when ``start_seconds`` have passed since they were started."""

    def __init__(
        self, script: Script, workers: dict[str, FakeWorker], unstartable: Sequence[str]
    ) -> None:
        self._script = script
        self._workers = workers
        self._unstartable = unstartable
        self._ready_at = script.clock() + script.start_seconds

    def wait(self) -> tuple[dict[str, Worker], dict[str, WorkerError]]:
        self._script.on_wait()
        clock = self._script.clock
        clock.advance(max(0.0, self._ready_at - clock()))
        workers: dict[str, Worker] = {}
        failures: dict[str, WorkerError] = {}
        for name, worker in self._workers.items():
            if name in self._unstartable:
                worker.close()
                failures[name] = WorkerError("it does not start")
            else:
                workers[name] = worker
        return workers, failures

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()


class FakeExecutor:
    """Starts fake workers. It counts how often each contender was started."""

    def __init__(self, script: Script, *, overlaps: bool = False) -> None:
        self._script = script
        self._starts: dict[str, int] = {}
        self.overlaps = overlaps

    def start(self, contenders: Sequence[Contender], rng: random.Random) -> FakeStarting:
        rng.random()  # a real executor draws a hash seed here
        script = self._script
        script.started.append(tuple(contender.id for contender in contenders))
        workers: dict[str, FakeWorker] = {}
        unstartable = []
        for contender in contenders:
            start = self._starts[contender.id] = self._starts.get(contender.id, -1) + 1
            workers[contender.id] = FakeWorker(script, contender, start)
            if script.unstartable(contender, start):
                unstartable.append(contender.id)
        return FakeStarting(script, workers, unstartable)


class Recorder(Observer):
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self.failures: list[Failure] = []

    def update(self, progress: Progress) -> None:
        self.progress.append(progress)

    def failed(self, failure: Failure) -> None:
        self.failures.append(failure)


class FullDisk(Journal):
    """A journal on a disk that has room for some lines and then for half of one."""

    def __init__(self, folder: Path, lines: int) -> None:
        super().__init__(folder)
        self._lines_left = lines

    def append(self, line: RoundLine) -> None:
        if self._lines_left == 0:
            content = schema.encode(line)
            with (self.folder / schema.JOURNAL_FILE).open("ab") as stream:
                stream.write(content[: len(content) // 2])
            raise OSError(28, "No space left on device")
        self._lines_left -= 1
        super().append(line)


def registered(name: str, launch: Launch) -> Strategy:
    """A row for ``STRATEGIES``, which is not put there."""
    return replace(next(iter(STRATEGIES.values())), name=name, load=lambda: launch)
