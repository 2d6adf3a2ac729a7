"""Figures of calm measurement: what a round is reduced to, what users get, and a neighbour."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from analysis.estimate.intervals import FloatArray
from analysis.judge.contrasts import CASE, STRATEGY, contrasts
from benchmarks.campaign import interpreters, schema
from benchmarks.campaign.cells import cell_of, quantile_of
from benchmarks.campaign.conduct import Crew, sweep_order
from benchmarks.campaign.executors import LocalExecutor
from benchmarks.campaign.machine import allot_cores
from benchmarks.campaign.plan import SLICE_SECONDS, case_record
from benchmarks.cases import Case
from benchmarks.matrix import COMPUTING, Selection, lay_out
from benchmarks.probes.throughput import TOTAL
from benchmarks.protocol import Measured
from harness.commands import LOOP, THROUGHPUT, campaign_of, rows_of
from harness.neighbour import neighbour

ROUNDS = 30
SWEEPS = {10: 6, 100: 6, 1000: 12, 10_000: 10}
"""Slices of a round by n: as many as a pair gets within a second."""
CALM_MS, SLOW_MS, SLOWDOWN = 8.0, 4.0, (1.5, 2.0)
"""A host of two speeds: mean stretches, and by how much the slow ones are slower."""


def estimators() -> Sequence[float]:
    """The control's D over rounds: spread (sd) by our cost over that by the mean of slices."""
    return [*_ratios(_traces()), *_ratios(_traces(), two_speeds=True)]


def estimators_beside_neighbour() -> Sequence[float]:
    """The same while a neighbour loads the other core and the memory."""
    with neighbour():
        return _ratios(_traces())


Trace = Mapping[str, Sequence[Measured]]
"""The slices of one round, by contender."""


@dataclass(frozen=True)
class Traces:
    """Rounds of one case."""

    case: schema.Case
    rounds: Sequence[Trace]


def _traces() -> Iterator[Traces]:
    """The baseline and its control on noop, in fresh processes each round."""
    interpreter = interpreters.prepare(None)
    selection = Selection((THROUGHPUT,), COMPUTING[:1], tuple(SWEEPS), (LOOP,), strategies=())
    contenders = lay_out([interpreter], [selection]).contenders
    rng = random.Random(1)
    with LocalExecutor([interpreter], allot_cores(), 60.0) as executor:
        for tasks, sweeps in SWEEPS.items():
            case = Case(THROUGHPUT, COMPUTING[0], tasks)
            with closing(Crew(executor, contenders, rng)) as crew:
                known = crew.worker(contenders[0]).calibrate(case, SLICE_SECONDS)
            record = case_record(case)
            quantile = quantile_of(record, known.seen)
            record = msgspec.structs.replace(record, loops=known.loops, quantile=quantile)
            rounds = []
            for _ in range(ROUNDS):
                taken: dict[str, list[Measured]] = {one.id: [] for one in contenders}
                with closing(Crew(executor, contenders, rng)) as crew:
                    for _ in range(sweeps):
                        for one in sweep_order(contenders, rng):
                            slices = (case, known.loops, known.blocks, rng.random())
                            taken[one.id].append(crew.worker(one).measure(*slices))
                rounds.append(taken)
            yield Traces(record, rounds)


def _ratios(several: Iterator[Traces], *, two_speeds: bool = False) -> list[float]:
    found = []
    for traces in several:
        ours, means = [], []
        for of_round in traces.rounds:
            one, two = of_round.values()
            if two_speeds:
                one, two = (_slowed(slices, traces.case.loops) for slices in (one, two))
            ours.append(
                math.log(cell_of(traces.case, two, set()).cost(0, traces.case))
                - math.log(cell_of(traces.case, one, set()).cost(0, traces.case))
            )
            means.append(
                statistics.median(
                    math.log(_mean(b) / _mean(a)) for a, b in zip(one, two, strict=True)
                )
            )
        print(
            f"  n = {traces.case.tasks}: {statistics.stdev(means):.2%} by means, "
            f"{statistics.stdev(ours):.2%} by ours",
            flush=True,
        )
        found.append(statistics.stdev(ours) / statistics.stdev(means))
    return found


def _mean(one: Measured) -> float:
    return one.timed_seconds / one.blocks


_SPEED = np.random.default_rng(1)


def _slowed(slices: Sequence[Measured], loops: int) -> list[Measured]:
    """The slices as a host of two speeds would have let them take."""
    found = []
    for one in slices:
        code = np.array(one.values[TOTAL.name]) * loops
        share = one.timed_seconds / code.sum()
        factors = _stretched(code * share) / (code * share)
        slow = float((factors * code).sum() / code.sum())
        found.append(
            replace(
                one,
                values={TOTAL.name: (code * factors / loops).tolist()},
                timed_seconds=one.timed_seconds * slow,
                collector_seconds=[took * slow for took in one.collector_seconds],
            )
        )
    return found


def _stretched(seconds: FloatArray) -> FloatArray:
    """What work that takes so long at full speed takes, piece after piece."""
    is_slow = _SPEED.random() < SLOW_MS / (CALM_MS + SLOW_MS)
    left, factor, found = 0.0, 1.0, []
    for piece in seconds:
        work, took = float(piece), 0.0
        while work > 0:
            if left <= 0:
                is_slow = not is_slow
                factor = _SPEED.uniform(*SLOWDOWN) if is_slow else 1.0
                left = _SPEED.exponential(SLOW_MS if is_slow else CALM_MS) / 1000
            done = min(work, left / factor)
            work, left, took = work - done, left - done * factor, took + done * factor
        found.append(took)
    return np.array(found)


# --- what users run -------------------------------------------------------------------------------

PAIR = "--no-report --probe throughput --workload noop --loop asyncio --strategy gather_tasks"


def default_preset_decides() -> Sequence[float]:
    """The default preset: throughput lines decided, their half-width, and time in slices."""
    return _default()


def default_preset_beside_neighbour() -> Sequence[float]:
    """The same while a neighbour loads the other core and the memory."""
    with neighbour():
        return _default()


def _default() -> Sequence[float]:
    campaign, _ = campaign_of("--preset default --no-report")
    frame = contrasts(campaign)
    is_line = frame["headline"] & (frame["scope"] == CASE) & ~frame["control"]
    rows = frame[is_line & (frame["probe"] == THROUGHPUT)]
    half_widths = np.log(rows["high"] / rows["low"]) / 2
    timed = campaign.lines["timed_seconds"].sum() / campaign.plan.elapsed_seconds
    decided = rows["verdict"].isin(("slower", "faster", "same")).mean()
    return [decided, float(np.median(half_widths)), timed, campaign.rounds]


def pair() -> Sequence[float]:
    """One pair after 60 s, n = 100 and n = 1000: half-width."""
    return _pair()


def pair_beside_neighbour() -> Sequence[float]:
    """The same while a neighbour loads the other core and the memory."""
    with neighbour():
        return _pair()


def _pair() -> Sequence[float]:
    campaigns = (
        campaign_of(f"{PAIR} --tasks {tasks} --precision 0.0001% --budget 60s")[0]
        for tasks in (100, 1000)
    )
    return [rows_of(campaign, STRATEGY)["half_width"].item() for campaign in campaigns]
