"""The campaign itself: calibrate, then rounds until all is precise or the budget is spent.

What the conductor has found out so far is in its plan, which is replaced, never changed.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timezone

from msgspec.structs import replace

from benchmarks.campaign.executors import Executor
from benchmarks.campaign.journal import Journal
from benchmarks.campaign.machine import steal_seconds
from benchmarks.campaign.plan import SLICE_SECONDS, asked_pairs, baselines, case_of
from benchmarks.campaign.progress import Observer, Progress
from benchmarks.campaign.schema import Case, Cell, Contender, Facts, Failure, Plan, RoundLine
from benchmarks.campaign.stop import Precision, plan_sweeps
from benchmarks.campaign.workers import Worker, WorkerError
from benchmarks.protocol import Calibrated, Measured
from benchmarks.sizes import peak_bytes


def now() -> str:
    """The time of day in UTC, ISO 8601 to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


class Conductor:
    """Conducts one plan. A plan that was begun before goes on where its journal ends.

    Raises JournalError when the journal cannot be read.
    """

    def __init__(
        self,
        plan: Plan,
        executor: Executor,
        journal: Journal,
        observer: Observer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.plan = plan
        self._executor = executor
        self._journal = journal
        self._observer = observer
        self._clock = clock
        self._started = clock()
        self._spent_before = plan.elapsed_seconds
        self._asked = asked_pairs(plan)
        self._baselines = baselines(plan)
        self._failed = {(row.contender, row.case) for row in plan.failed}
        self._precision = Precision(plan)
        for line in self._journal.lines(plan):
            self._precision.add(line)
            # A round that was cut short is not taken up again: its number is used.
            self.plan = replace(self.plan, rounds=max(self.plan.rounds, line.round + 1))

    def run(self) -> Plan:
        """Conduct the campaign to its end. Raises KeyboardInterrupt and OSError (the disk is full)
        after all that was measured, and its last state, has been kept.
        """
        status = "failed"
        try:
            self._change(status="running", finished=None)
            self._calibrate()
            while self._has_time() and (cases := self._cases_to_do()):
                self._round(self.plan.rounds, cases)
            status = "complete" if self.plan.rounds and not self.plan.failed else "failed"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            self._change(status=status, finished=now(), peak_driver_bytes=peak_bytes())
        return self.plan

    # A campaign's parts, from the whole to the turn

    def _calibrate(self) -> None:
        """Prove every cell, choose the inner loops of each case, and plan its sweeps."""
        cases = [case for case in self.plan.cases if not case.sweeps]
        if not cases:
            return
        loops: dict[str, int] = {}
        sweep_seconds: dict[str, float] = {}
        started = self._clock()
        with closing(self._crew(random.Random(f"{self.plan.seed}/calibration"))) as crew:
            start_seconds = self._clock() - started
            self._keep_conditions(crew)
            for index, case in enumerate(cases):
                self._show("calibrating", case, 1 + index, len(cases))
                if calibrated := self._calibrate_case(case, crew):
                    # One number for all: the first batch after a collection meets a different
                    # collector, so a baseline with three loops differed from itself with one.
                    loops[case.id] = round(statistics.median(row.loops for row in calibrated))
                    sweep_seconds[case.id] = sum(row.turn_seconds for row in calibrated)
        left = self.plan.budget_seconds - self._elapsed()
        sweeps = plan_sweeps(sweep_seconds, start_seconds, left)
        self._change(
            cases=tuple(
                replace(case, loops=loops[case.id], sweeps=sweeps[case.id])
                if case.id in sweeps
                else case
                for case in self.plan.cases
            )
        )

    def _calibrate_case(self, case: Case, crew: Crew) -> list[Calibrated]:
        """The calibrations of the contenders that can do the case."""
        calibrated: list[Calibrated] = []
        for contender in self._open_contenders(case):
            try:
                calibrated.append(crew.worker(contender).calibrate(case_of(case), SLICE_SECONDS))
            except WorkerError as error:
                self._fail(crew, contender, case, self.plan.rounds, error)
        peaks = [row.peak_bytes for row in calibrated]
        self._change(save=False, peak_worker_bytes=max([self.plan.peak_worker_bytes, *peaks]))
        return calibrated

    def _round(self, number: int, cases: Sequence[Case]) -> None:
        """Sweep every case, in random order, with fresh processes."""
        rng = random.Random(f"{self.plan.seed}/{number}")
        order = rng.sample(cases, len(cases))
        with closing(self._crew(rng)) as crew:
            self._keep_conditions(crew)
            for index, case in enumerate(order):
                if not self._has_time():
                    return
                self._show(f"round {number + 1}", case, 1 + index, len(order))
                line = self._sweep(number, case, crew, rng)
                self._journal.append(line)
                self._precision.add(line)
                self._change(save=index == 0, rounds=number + 1)

    def _sweep(self, number: int, case: Case, crew: Crew, rng: random.Random) -> RoundLine:
        """Measure every contender once a sweep, in an order drawn anew for each sweep."""
        started, start, stolen = now(), self._clock(), steal_seconds()
        contenders = self._open_contenders(case)
        turns: dict[str, list[Measured]] = {contender.id: [] for contender in contenders}
        failures: dict[str, str] = {}
        for _ in range(case.sweeps):
            for contender in sweep_order(contenders, rng):
                try:
                    worker = crew.worker(contender)
                    turns[contender.id].append(worker.measure(case_of(case), case.loops))
                except WorkerError as error:
                    contenders.remove(contender)
                    del turns[contender.id]
                    failures[contender.id] = error.cause
                    self._fail(crew, contender, case, number, error)
        return RoundLine(
            round=number,
            case=case.id,
            started=started,
            wall_seconds=self._clock() - start,
            steal_seconds=steal_seconds() - stolen,
            cells={contender: _cell(case.loops, slices) for contender, slices in turns.items()},
            failures=failures,
        )

    # What is known and what becomes known

    def _cases_to_do(self) -> list[Case]:
        return [
            case
            for case in self.plan.cases
            if case.sweeps and not self._precision.is_done(case.id) and self._is_worth_it(case)
        ]

    def _is_worth_it(self, case: Case) -> bool:
        """Whether some contender can still be compared with its baseline."""
        return any(
            contender != baseline
            and self._is_open(contender, case)
            and self._is_open(baseline, case)
            for contender, baseline in self._baselines.items()
        )

    def _open_contenders(self, case: Case) -> list[Contender]:
        return [row for row in self.plan.contenders if self._is_open(row.id, case)]

    def _is_open(self, contender: str, case: Case) -> bool:
        """Whether the contender of this id is asked the case and has not failed in it."""
        pair = (contender, case.id)
        return pair in self._asked and pair not in self._failed

    def _fail(
        self, crew: Crew, contender: Contender, case: Case, number: int, error: WorkerError
    ) -> None:
        failure = Failure(contender=contender.id, case=case.id, round=number, cause=error.cause)
        self._failed.add((contender.id, case.id))
        self._change(failed=(*self.plan.failed, failure))
        self._observer.failed(failure)
        if not error.alive:
            crew.lost(contender.id)

    def _crew(self, rng: random.Random) -> Crew:
        return Crew(self._executor, self.plan.contenders, rng)

    def _keep_conditions(self, crew: Crew) -> None:
        """Record what each worker has proved; one that is not what it was goes no further."""
        proved = crew.conditions()
        for contender in self.plan.contenders:
            known, seen = contender.conditions, proved.get(contender.id, {})
            if known and seen and known != seen:
                changed = sorted(name for name in seen if seen[name] != known.get(name))
                cause = f"its conditions changed between rounds: {', '.join(changed)}"
                crew.dismiss(contender.id, cause)
        contenders = (
            replace(row, conditions=row.conditions or proved.get(row.id, {}))
            for row in self.plan.contenders
        )
        self._change(save=False, contenders=tuple(contenders))

    def _change(self, *, save: bool = True, **changes: object) -> None:
        self.plan = replace(self.plan, elapsed_seconds=round(self._elapsed(), 3), **changes)
        if save:
            self._journal.save(self.plan)

    def _has_time(self) -> bool:
        return self._elapsed() < self.plan.budget_seconds

    def _elapsed(self) -> float:
        """Seconds of the budget that are spent."""
        return self._spent_before + self._clock() - self._started

    def _show(self, stage: str, case: Case, index: int, count: int) -> None:
        self._observer.update(
            Progress(
                stage=stage,
                case=case.id,
                index=index,
                count=count,
                half_width=self._precision.half_width(case.id),
                precise_cases=self._precision.done(),
                cases=len(self.plan.cases),
                elapsed_seconds=self._elapsed(),
                budget_seconds=self.plan.budget_seconds,
            )
        )


class Crew:
    """The workers of a round. One that is lost is replaced when it is next asked for."""

    def __init__(
        self, executor: Executor, contenders: Sequence[Contender], rng: random.Random
    ) -> None:
        self._executor = executor
        self._rng = rng
        self._workers, self._missing = executor.start(contenders, rng)

    def worker(self, contender: Contender) -> Worker:
        """The contender's worker. Raises WorkerError when it has none and none can be started."""
        if contender.id not in self._workers and contender.id not in self._missing:
            started, failures = self._executor.start([contender], self._rng)
            self._workers |= started
            self._missing |= failures
        if contender.id in self._missing:
            raise self._missing[contender.id]
        return self._workers[contender.id]

    def conditions(self) -> dict[str, Facts]:
        """What the workers have proved."""
        return {contender: dict(worker.conditions) for contender, worker in self._workers.items()}

    def lost(self, contender: str) -> None:
        """Forget a worker that is gone."""
        if contender in self._workers:
            self._workers.pop(contender).close()

    def dismiss(self, contender: str, cause: str) -> None:
        """End a worker for the rest of the round: every turn of it fails with this cause."""
        self.lost(contender)
        self._missing[contender] = WorkerError(cause)

    def close(self) -> None:
        """End every worker."""
        for worker in self._workers.values():
            worker.close()


def sweep_order(contenders: Sequence[Contender], rng: random.Random) -> list[Contender]:
    """A random order in which those that share a baseline stay together, milliseconds apart: with
    many Pythons a sweep takes most of a second, in which a shared machine changes its speed.
    """
    groups: dict[tuple[str, ...], list[Contender]] = {}
    for contender in contenders:
        groups.setdefault(contender.group, []).append(contender)
    shuffled = rng.sample(list(groups.values()), len(groups))
    return [contender for group in shuffled for contender in rng.sample(group, len(group))]


def _cell(loops: int, slices: Sequence[Measured]) -> Cell:
    first = slices[0]
    return Cell(
        loops=loops,
        timed_seconds=_rounded(sum(turn.timed_seconds for turn in slices)),
        values={name: [_rounded(turn.values[name]) for turn in slices] for name in first.values},
        observed={
            name: [_rounded(turn.observed[name]) for turn in slices] for name in first.observed
        },
    )


def _rounded(number: float) -> float:
    """The digits that the clock can tell: a slice of 10 ms in nanoseconds has seven."""
    return float(f"{number:.7g}")
