"""The campaign itself: calibrate, then rounds until all is precise or the budget is spent.

What the conductor has found out so far is in its plan, which is replaced, never changed.
"""

from __future__ import annotations

import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import datetime, timezone

from msgspec.structs import replace

from benchmarks.campaign.cells import cell_of, quantile_of, slice_cost
from benchmarks.campaign.executors import Executor, Starting
from benchmarks.campaign.journal import Journal
from benchmarks.campaign.machine import steal_seconds
from benchmarks.campaign.plan import asked_pairs, case_of, halves
from benchmarks.campaign.progress import Observer, Progress
from benchmarks.campaign.schema import (
    MOST_ROUNDS,
    Allocation,
    Case,
    Contender,
    Facts,
    Failure,
    Plan,
    RoundLine,
)
from benchmarks.campaign.stop import (
    PILOT_ROUNDS,
    PILOT_SWEEPS,
    Piloted,
    Precision,
    allocate,
    slice_spread,
)
from benchmarks.campaign.workers import Worker, WorkerError
from benchmarks.protocol import PROVE_ONLY, Calibrated, Measured
from benchmarks.sizes import peak_bytes

AIMED_ROUNDS = 30
"""Rounds that the budget should be enough for before a case gets more than one slice."""
GOLDEN = 0.6180339887
"""Phases that follow one another by this share cover a cycle evenly, however many they are."""
LOST_SHARE = 0.03
"""Of a slice's time: a kernel's thread that takes some microseconds of the core, as it does every
30 ms, disturbs nothing that can be seen."""
LONG_SECONDS = 0.1
"""A turn that takes longer is not taken again, and one is enough for the pilot: there always is
somebody who wants the core meanwhile."""
FEW_TASKS = 10_000
BATCHES_AT_LEAST = 7
"""Of a case that is large: calibrating takes four of a contender, a round three."""


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
        self._references = halves(plan)
        self._failed = {(row.contender, row.case) for row in plan.failed}
        self._precision = Precision(plan)
        self._number = plan.rounds
        self._next: Crew | None = None
        # What the pilot sees: seconds of a round's cases and of all else, and costs of slices.
        self._case_seconds: dict[str, float] = {}
        self._other_seconds = 0.0
        self._costs: dict[str, dict[str, list[list[float]]]] = {}
        if plan.allocation is not None:
            self._other_seconds = plan.allocation.start_seconds
        cases = {case.id: case for case in plan.cases}
        turns = defaultdict(list)
        for line in self._journal.lines(plan):
            self._precision.add(line, cases[line.case])
            case, slices = cases[line.case], sum(cell.slices for cell in line.cells.values())
            slice_seconds = line.wall_seconds / max(1, slices)
            turns[case.id].append(slice_seconds - plan.cooldown_seconds)
            # As many slices as the next round has, which may be others than the line has.
            self._case_seconds[case.id] = slice_seconds * len(line.cells) * case.sweeps
            # A round that was cut short is not taken up again: its number is used.
            self._number = max(self._number, line.round + 1)
        # One disturbed round makes no case a long one.
        of_case = {case: statistics.median(seconds) for case, seconds in turns.items()}
        self._long = {case for case, seconds in of_case.items() if seconds > LONG_SECONDS}

    def run(self) -> Plan:
        """Conduct the campaign to its end. Raises KeyboardInterrupt and OSError (the disk is full)
        after all that was measured, and its last state, has been kept.
        """
        status = "failed"
        try:
            self._change(status="running", finished=None)
            self._journal.keep_room(self.plan)
            self._calibrate()
            self._conduct_rounds()
            status = "complete" if self.plan.rounds and not self.plan.failed else "failed"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            self._discard_next()
            ended = {"status": status, "finished": now(), "peak_driver_bytes": peak_bytes()}
            self._change(save=False, **ended)
            self._journal.save_last(self.plan)
        return self.plan

    # A campaign's parts, from the whole to the turn

    def _calibrate(self) -> None:
        """Prove every cell and choose the blocks of each case."""
        new = [
            case
            for case in self.plan.cases
            if not (case.sweeps or case.left_out) and self._open_contenders(case)
        ]
        if not new:
            return
        started = self._clock()
        found: dict[str, Case] = {}
        with closing(self._crew(random.Random(f"{self.plan.seed}/calibration"))) as crew:
            self._keep_conditions(crew)
            self._other_seconds = self._clock() - started
            # From small to large: what a large case takes follows from a small one.
            for index, case in enumerate(sorted(new, key=lambda case: case.tasks)):
                self._show("calibrating", case, 1 + index, len(new))
                found[case.id] = self._calibrated(case, crew)
        self._change(cases=tuple(found.get(case.id, case) for case in self.plan.cases))
        if not self.plan.rounds:
            self._fit_round()

    def _fit_round(self) -> None:
        """See that a first round fits into what is left: with one slice a case and, where that is
        not enough, without the cases that take longest.
        """
        left = self.plan.budget_seconds - self._elapsed()
        cases = [case for case in self.plan.cases if case.sweeps]
        if self._round_seconds(cases) > left:
            self._give(dict.fromkeys((case.id for case in cases), 1))
        dear = sorted(cases, key=lambda case: -self._case_seconds.get(case.id, 0.0))
        while len(dear) > 1 and self._round_seconds(dear) > left:
            case = dear.pop(0)
            seconds = self._case_seconds.pop(case.id, 0.0)
            reason = f"a round of it takes {seconds:.1f} s; {_left(left)}"
            self._change(
                cases=tuple(
                    replace(one, sweeps=0, left_out=reason) if one.id == case.id else one
                    for one in self.plan.cases
                )
            )

    def _calibrated(self, case: Case, crew: Crew) -> Case:
        """The case with its blocks and slices, or with the reason why it is left out."""
        contenders = self._open_contenders(case)
        batch = self._expected_batch(case, contenders, crew)
        needed = batch * BATCHES_AT_LEAST * len(contenders)
        left = self.plan.budget_seconds - self._elapsed() - self._round_seconds(self.plan.cases)
        if needed > left:
            why = f"it needs about {needed:.0f} s before it has a value; {_left(left)}"
            return replace(case, left_out=why)
        rows: list[Calibrated] = []
        peak = self.plan.peak_worker_bytes
        for contender in contenders:
            # All have to prove it; the baselines, or whoever can, say how long it takes.
            says = contender.role == "baseline" or not rows
            seconds = self.plan.slice_seconds if says else PROVE_ONLY
            try:
                row = self._rested(crew, contender).calibrate(case_of(case), seconds)
            except WorkerError as error:
                self._fail(crew, contender, case, self._number, error)
                continue
            peak = max(peak, row.peak_bytes)
            rows += [row] if says else []
        if not rows:
            return case
        self._change(save=False, peak_worker_bytes=peak)
        turn = statistics.fmean(row.turn_seconds for row in rows)
        if turn > LONG_SECONDS:
            self._long.add(case.id)
        sweeps = 1 if case.id in self._long else PILOT_SWEEPS
        seconds = sweeps * (turn + self.plan.cooldown_seconds) * len(contenders)
        self._case_seconds[case.id] = seconds
        # One number for all: a value is of as many batches, whoever is measured.
        loops, blocks, seen = (
            round(statistics.median(getattr(row, name) for row in rows))
            for name in ("loops", "blocks", "seen")
        )
        quantile = quantile_of(case, seen)
        return replace(case, loops=loops, blocks=blocks, quantile=quantile, sweeps=sweeps)

    def _expected_batch(self, case: Case, contenders: Sequence[Contender], crew: Crew) -> float:
        """Seconds that a batch of a large case should take, from one that is smaller; 0 for others,
        which are soon seen.
        """
        if case.tasks <= FEW_TASKS or not contenders:
            return 0.0
        small = replace(case, tasks=FEW_TASKS)
        with suppress(WorkerError):  # the case itself will say it
            worker = self._rested(crew, contenders[0])
            row = worker.calibrate(case_of(small), self.plan.slice_seconds)
            return row.turn_seconds / (row.loops * row.seen) * case.tasks / FEW_TASKS
        return 0.0

    def _conduct_rounds(self) -> None:
        """Round after round, each of them complete: one that does not fit is not begun."""
        piloted = 0
        self._expect_rounds()
        if self.plan.allocation is None and self.plan.rounds:  # it was cut short: once more
            known = {case.id for case in self.plan.cases if case.sweeps}
            self._give(dict.fromkeys(known - self._long, PILOT_SWEEPS))
        while (cases := self._cases_to_do()) and self._has_time_for(cases):
            if self._is_precise(cases):
                return
            self._round(self._number, cases)
            piloted += 1
            if self.plan.allocation is None and piloted == PILOT_ROUNDS:
                self._allocate(cases)
            elif self.plan.allocation is None:  # one round is enough to see how slices differ
                self._give(dict.fromkeys((case.id for case in cases), 1))

    def _expect_rounds(self) -> None:
        """Say how many rounds the budget is enough for, with a slice of each case."""
        cases = self._cases_to_do()
        one_slice = (self._case_seconds.get(case.id, 0.0) / case.sweeps for case in cases)
        seconds = self._other_seconds + sum(one_slice)
        left = max(0.0, self.plan.budget_seconds - self._elapsed())
        if seconds > 0:
            self._observer.expects(self.plan.rounds + int(left / seconds), seconds)

    def _allocate(self, cases: Sequence[Case]) -> None:
        """Choose the slices of each case from what the pilot has seen."""
        left = self.plan.budget_seconds - self._elapsed()
        allocated = allocate(
            [
                Piloted(
                    case.id,
                    self._case_seconds[case.id] / case.sweeps,
                    slice_spread(self._costs.get(case.id, {})),
                    self._precision.spread(case.id),
                )
                for case in cases
            ],
            self._other_seconds,
            max(self._round_seconds(cases), left / AIMED_ROUNDS),
        )
        self._give({row.case: row.sweeps for row in allocated})
        self._change(
            allocation=Allocation(
                pilot_rounds=PILOT_ROUNDS,
                pilot_sweeps=PILOT_SWEEPS,
                start_seconds=round(self._other_seconds, 3),
                cases=allocated,
            ),
        )

    def _give(self, sweeps: Mapping[str, int]) -> None:
        """Give cases so many slices a round."""
        for case in self.plan.cases:
            if case.id in sweeps:
                known = self._case_seconds.get(case.id, 0.0)
                self._case_seconds[case.id] = known * sweeps[case.id] / case.sweeps
        self._change(
            cases=tuple(
                replace(case, sweeps=sweeps.get(case.id, case.sweeps)) for case in self.plan.cases
            )
        )

    def _round(self, number: int, cases: Sequence[Case]) -> None:
        """Sweep every case, in random order, with fresh processes."""
        started, measured = self._clock(), 0.0
        rng = random.Random(f"{self.plan.seed}/{number}")
        self._number = number + 1
        order, place_to_start = round_order(cases, rng)
        crew, self._next = self._next or self._crew(rng), None
        with closing(crew):
            self._keep_conditions(crew)
            for index, case in enumerate(order):
                if index == place_to_start and self._executor.overlaps:
                    self._next = self._crew(random.Random(f"{self.plan.seed}/{number + 1}/start"))
                self._show(f"round {number + 1}", case, 1 + index, len(order))
                line = self._sweep(number, case, crew, rng)
                self._journal.append(line)
                self._precision.add(line, case)
                self._case_seconds[case.id] = line.wall_seconds
                measured += line.wall_seconds
        self._change(rounds=self.plan.rounds + 1)
        self._observer.ended_round()
        self._other_seconds = self._clock() - started - measured

    def _sweep(self, number: int, case: Case, crew: Crew, rng: random.Random) -> RoundLine:
        """Measure every contender ``case.sweeps`` times, in an order drawn anew for each sweep."""
        started, start, stolen = now(), self._clock(), steal_seconds()
        contenders = self._open_contenders(case)
        slices: dict[str, list[Measured]] = {contender.id: [] for contender in contenders}
        set_aside: dict[str, set[int]] = defaultdict(set)
        failures: dict[str, str] = {}
        first_phase = random.Random(f"{self.plan.seed}/{case.id}").random()
        for turn in range(case.sweeps):
            phase = (first_phase + (number + turn) * GOLDEN) % 1
            asked = (case_of(case), case.loops, case.blocks, phase)
            for contender in sweep_order(contenders, rng):
                taken = slices[contender.id]
                try:
                    taken.append(self._rested(crew, contender).measure(*asked))
                    if _was_preempted(case, taken[-1]) and case.id not in self._long:
                        set_aside[contender.id].add(len(taken) - 1)
                        taken.append(self._rested(crew, contender).measure(*asked))
                except WorkerError as error:
                    contenders.remove(contender)
                    del slices[contender.id]
                    failures[contender.id] = error.cause
                    self._fail(crew, contender, case, number, error)
        places = {contender.id: place for place, contender in enumerate(self.plan.contenders)}
        if self.plan.allocation is None:
            costs = self._costs.setdefault(case.id, defaultdict(list))
            for name, taken in slices.items():
                aside = set_aside[name]
                kept = (one for index, one in enumerate(taken) if index not in aside)
                costs[name].append([slice_cost(case, one) for one in kept])
        return RoundLine(
            round=number,
            case=case.id,
            started=started,
            wall_seconds=self._clock() - start,
            steal_seconds=steal_seconds() - stolen,
            cells={
                places[name]: cell_of(case, taken, set_aside[name])
                for name, taken in slices.items()
            },
            failures=failures,
        )

    def _rested(self, crew: Crew, contender: Contender) -> Worker:
        """The contender's worker, after the rest that was asked for. Raises WorkerError."""
        if self.plan.cooldown_seconds:
            time.sleep(self.plan.cooldown_seconds)
        return crew.worker(contender)

    # What is known and what becomes known

    def _cases_to_do(self) -> list[Case]:
        return [case for case in self.plan.cases if case.sweeps and self._is_worth_it(case)]

    def _is_precise(self, cases: Sequence[Case]) -> bool:
        """Whether all cases are, at a look: a round has all of them, or the aggregates lack it."""
        names = [case.id for case in cases]
        return self._precision.is_time_to_look(names) and all(map(self._precision.is_done, names))

    def _is_worth_it(self, case: Case) -> bool:
        """Whether some contender can still be compared with its baseline."""
        return any(
            self._is_open(contender, case) and any(self._is_open(one, case) for one in references)
            for contender, references in self._references.items()
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
        """The workers of all contenders that have not failed everywhere."""
        contenders, cases = self.plan.contenders, self.plan.cases
        able = [one for one in contenders if any(self._is_open(one.id, case) for case in cases)]
        return Crew(self._executor, able, rng)

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

    def _round_seconds(self, cases: Sequence[Case]) -> float:
        """What a round of these cases should take, as far as they are known."""
        return self._other_seconds + sum(self._case_seconds.get(case.id, 0.0) for case in cases)

    def _has_time_for(self, cases: Sequence[Case]) -> bool:
        left = self.plan.budget_seconds - self._elapsed()
        # The first round is begun in any case: what was calibrated was found to fit.
        needed = self._round_seconds(cases) if self.plan.rounds else 0
        return left > needed and self._number < MOST_ROUNDS

    def _discard_next(self) -> None:
        """End the processes that were started for a round that does not come."""
        if self._next is not None:
            self._next.close()
            self._next = None

    def _elapsed(self) -> float:
        """Seconds of the budget that are spent."""
        return self._spent_before + self._clock() - self._started

    def _show(self, stage: str, case: Case, index: int, count: int) -> None:
        measured = [one.id for one in self.plan.cases if not one.left_out]
        self._observer.update(
            Progress(
                stage=stage,
                case=case.id,
                index=index,
                count=count,
                rounds=self.plan.rounds,
                half_width=self._precision.half_width(case.id),
                precise_cases=sum(map(self._precision.is_done, measured)),
                cases=len(measured),
                elapsed_seconds=self._elapsed(),
                budget_seconds=self.plan.budget_seconds,
            )
        )


class Crew:
    """The workers of a round, which get ready while others are still measured. One that is lost is
    replaced when it is next asked for.
    """

    def __init__(
        self, executor: Executor, contenders: Sequence[Contender], rng: random.Random
    ) -> None:
        self._executor = executor
        self._rng = rng
        self._starting: Starting | None = executor.start(contenders, rng)
        self._workers: dict[str, Worker] = {}
        self._missing: dict[str, WorkerError] = {}

    def _wait(self) -> None:
        if self._starting is not None:
            self._workers, self._missing = self._starting.wait()
            self._starting = None

    def worker(self, contender: Contender) -> Worker:
        """The contender's worker. Raises WorkerError when it has none and none can be started."""
        self._wait()
        if contender.id not in self._workers and contender.id not in self._missing:
            started, failures = self._executor.start([contender], self._rng).wait()
            self._workers |= started
            self._missing |= failures
        if contender.id in self._missing:
            raise self._missing[contender.id]
        return self._workers[contender.id]

    def conditions(self) -> dict[str, Facts]:
        """What the workers have proved."""
        self._wait()
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
        if self._starting is not None:
            self._starting.close()
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


def _was_preempted(case: Case, taken: Measured) -> bool:
    """Whether a slice that computes has lost its core for a part of its time, whatever its seconds
    were.
    """
    return case.splits and taken.switches > 0 and taken.cpu_share < 1 - LOST_SHARE


def _left(seconds: float) -> str:
    return f"of the budget {seconds:.0f} s are left" if seconds > 0 else "the budget is spent"


def round_order(cases: Sequence[Case], rng: random.Random) -> tuple[list[Case], int]:
    """The cases in random order, and before which of them the processes of the next round start:
    from there on come cases that compute; where there are none, they start after the round. Who
    waits for an echo would wait for a core of its server's: 4 ms instead of 0.9.
    """
    order = rng.sample(cases, len(cases))
    computing = [case for case in order if case.splits]
    last = computing[len(computing) // 3 :]
    first = [case for case in order if case not in last]
    return first + last, len(first)
