"""The campaign itself: calibrate, then rounds until all is precise or the budget is spent.

The conductor knows workers, a journal and a clock only by what they answer, so that all of it is
tested with fakes.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from benchmarks.campaign.executors import Executor
from benchmarks.campaign.journal import Cell, Failure, Journal, Record, State
from benchmarks.campaign.machine import steal_seconds
from benchmarks.campaign.plan import SLICE_SECONDS, Plan
from benchmarks.campaign.progress import Observer, Progress
from benchmarks.campaign.stop import Precision, plan_sweeps
from benchmarks.campaign.workers import Worker, WorkerError
from benchmarks.cases import Case, Contender
from benchmarks.protocol import Calibrated, Measured
from benchmarks.sizes import peak_bytes

Clock = Callable[[], float]


def now() -> str:
    """The time of day in UTC, ISO 8601 to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Environment:
    """The effects that a campaign is conducted with."""

    executor: Executor
    journal: Journal
    observer: Observer
    clock: Clock = time.monotonic


class Conductor:
    """Conducts one plan. A resumed campaign starts from the ``state`` that was saved last."""

    def __init__(self, plan: Plan, environment: Environment, state: State | None = None) -> None:
        self._plan = plan
        self._executor = environment.executor
        self._journal = environment.journal
        self._observer = environment.observer
        self._clock = environment.clock
        self._started = environment.clock()
        self._spent_before = state.elapsed_seconds if state else 0.0
        self.state = state or State()
        self._precision = Precision(plan)
        if state:
            for record in self._journal.records(plan):
                self._precision.add(record)
                # A round that was cut short is not taken up again: its number is used.
                self.state = replace(self.state, rounds=max(self.state.rounds, record.round + 1))

    def run(self) -> State:
        """Conduct the campaign to its end; its last state is saved, also when an error ends it.

        Raises KeyboardInterrupt and OSError (the disk is full) after all that was measured has been
        kept.
        """
        status = "failed"
        try:
            self._change(status="running", finished=None)
            self._calibrate()
            while self._has_time() and (cases := self._cases_to_do()):
                self._round(self.state.rounds, cases)
            status = "complete" if self.state.rounds and not self.state.failed else "failed"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            self._change(status=status, finished=now(), peak_driver_bytes=peak_bytes())
        return self.state

    # A campaign's parts, from the whole to the turn

    def _calibrate(self) -> None:
        """Prove every cell, choose the inner loops of each case, and plan its sweeps."""
        cases = [case for case in self._plan.cases if case.id not in self.state.sweeps]
        if not cases:
            return
        started = self._clock()
        crew = Crew(
            self._executor, self._plan.contenders, random.Random(f"{self._plan.seed}/calibration")
        )
        start_seconds = self._clock() - started
        loops: dict[str, int] = {}
        sweep_seconds: dict[str, float] = {}
        try:
            self._keep_conditions(crew)
            for index, case in enumerate(cases):
                self._show("calibrating", case, 1 + index, len(cases))
                if calibrated := self._calibrate_case(case, crew):
                    # One number for all of them: the first batch after a collection meets a
                    # different collector than the next ones, so a baseline with three loops was
                    # told apart from itself with one.
                    loops[case.id] = round(statistics.median(row.loops for row in calibrated))
                    sweep_seconds[case.id] = sum(row.turn_seconds for row in calibrated)
        finally:
            crew.close()
        left = self._plan.budget_seconds - self._elapsed()
        self._change(
            loops={**self.state.loops, **loops},
            sweeps={**self.state.sweeps, **plan_sweeps(sweep_seconds, start_seconds, left)},
        )

    def _calibrate_case(self, case: Case, crew: Crew) -> list[Calibrated]:
        """The calibrations of the contenders that can do the case."""
        calibrated = []
        for contender in self._plan.contenders:
            if self._is_open(contender, case):
                try:
                    calibrated.append(crew.worker(contender).calibrate(case, SLICE_SECONDS))
                except WorkerError as error:
                    self._fail(crew, contender, case, self.state.rounds, error)
        peaks = [row.peak_bytes for row in calibrated]
        self._change(save=False, peak_worker_bytes=max([self.state.peak_worker_bytes, *peaks]))
        return calibrated

    def _round(self, number: int, cases: Sequence[Case]) -> None:
        """Sweep every case, in random order, with fresh processes."""
        rng = random.Random(f"{self._plan.seed}/{number}")
        order = rng.sample(cases, len(cases))
        crew = Crew(self._executor, self._plan.contenders, rng)
        try:
            self._keep_conditions(crew)
            for index, case in enumerate(order):
                if not self._has_time():
                    return
                self._show(f"round {number + 1}", case, 1 + index, len(order))
                record = self._sweep(number, case, crew, rng)
                self._journal.append(record)
                self._precision.add(record)
                self._change(save=index == 0, rounds=number + 1)
        finally:
            crew.close()

    def _sweep(self, number: int, case: Case, crew: Crew, rng: random.Random) -> Record:
        """Measure every contender once a sweep, in an order drawn anew for each sweep."""
        started, start, stolen = now(), self._clock(), steal_seconds()
        turns: dict[Contender, list[Measured]] = {
            contender: [] for contender in self._plan.contenders if self._is_open(contender, case)
        }
        failures: dict[str, str] = {}
        loops = self.state.loops[case.id]
        for _ in range(self.state.sweeps[case.id]):
            for contender in sweep_order(list(turns), rng):
                try:
                    turns[contender].append(crew.worker(contender).measure(case, loops))
                except WorkerError as error:
                    del turns[contender]
                    failures[contender.id] = error.cause
                    self._fail(crew, contender, case, number, error)
        return Record(
            round=number,
            case=case.id,
            started=started,
            wall_seconds=self._clock() - start,
            steal_seconds=steal_seconds() - stolen,
            cells={contender.id: _cell(loops, slices) for contender, slices in turns.items()},
            failures=failures,
        )

    # What is known and what becomes known

    def _cases_to_do(self) -> list[Case]:
        return [
            case
            for case in self._plan.cases
            if case.id in self.state.sweeps
            and not self._precision.is_done(case.id)
            and self._is_worth_it(case)
        ]

    def _is_worth_it(self, case: Case) -> bool:
        """Whether some contender can still be compared with its baseline."""
        return any(
            contender.role != "baseline"
            and self._is_open(contender, case)
            and self._is_open(self._plan.baseline_of(contender), case)
            for contender in self._plan.contenders
        )

    def _is_open(self, contender: Contender, case: Case) -> bool:
        """Whether the contender is asked this case and has not failed in it."""
        return self._plan.asks(contender, case) and not any(
            (row.contender, row.case) == (contender.id, case.id) for row in self.state.failed
        )

    def _fail(
        self, crew: Crew, contender: Contender, case: Case, number: int, error: WorkerError
    ) -> None:
        failure = Failure(contender.id, case.id, number, error.cause)
        self._change(failed=(*self.state.failed, failure))
        self._observer.failed(failure)
        if not error.alive:
            crew.lost(contender)

    def _keep_conditions(self, crew: Crew) -> None:
        """Record what each worker has proved; one that is not what it was goes no further."""
        for contender, conditions in crew.conditions():
            known = self.state.conditions.get(contender.id)
            if known is None:
                self._change(
                    save=False, conditions={**self.state.conditions, contender.id: conditions}
                )
            elif dict(known) != dict(conditions):
                changed = sorted(name for name in conditions if conditions[name] != known.get(name))
                crew.dismiss(
                    contender, f"its conditions changed between rounds: {', '.join(changed)}"
                )

    def _change(self, *, save: bool = True, **changes: object) -> None:
        self.state = replace(self.state, elapsed_seconds=self._elapsed(), **changes)  # type: ignore[arg-type]
        if save:
            self._journal.save(self._plan, self.state)

    def _has_time(self) -> bool:
        return self._elapsed() < self._plan.budget_seconds

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
                cases=len(self._plan.cases),
                elapsed_seconds=self._elapsed(),
                budget_seconds=self._plan.budget_seconds,
            )
        )


class Crew:
    """The workers of a round. One that was lost in a case is replaced when it is next asked for."""

    def __init__(
        self, executor: Executor, contenders: Sequence[Contender], rng: random.Random
    ) -> None:
        self._executor = executor
        self._rng = rng
        self._workers, self._missing = executor.start(contenders, rng)

    def worker(self, contender: Contender) -> Worker:
        """The contender's worker. Raises WorkerError when it has none and none can be started."""
        if contender in self._missing:
            raise self._missing[contender]
        if contender not in self._workers:
            started, failures = self._executor.start([contender], self._rng)
            self._workers |= started
            self._missing |= failures
            return self.worker(contender)
        return self._workers[contender]

    def conditions(self) -> list[tuple[Contender, dict[str, object]]]:
        return [(contender, dict(worker.conditions)) for contender, worker in self._workers.items()]

    def lost(self, contender: Contender) -> None:
        """Forget a worker that is gone."""
        if contender in self._workers:
            self._workers.pop(contender).close()

    def dismiss(self, contender: Contender, cause: str) -> None:
        """End a worker for the rest of the round: every turn of it fails with this cause."""
        self.lost(contender)
        self._missing[contender] = WorkerError(cause)

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()


def sweep_order(contenders: Sequence[Contender], rng: random.Random) -> list[Contender]:
    """A random order in which those that share a baseline stay together.

    With many Pythons a sweep takes most of a second, in which a shared machine changes its speed;
    the strategies of one Python and loop are still milliseconds apart.
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
