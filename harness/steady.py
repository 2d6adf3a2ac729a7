"""The steady state: campaigns beside programs that run one fan-out after the other."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from analysis.estimate.intervals import hodges_lehmann
from analysis.judge.contrasts import STRATEGY
from analysis.show.tables import by_row
from benchmarks.campaign import interpreters, schema
from benchmarks.campaign.interpreters import executable
from benchmarks.cases import Case
from benchmarks.matrix import COMPUTING, MAIN
from benchmarks.strategies import BASELINE
from harness.commands import LOOP, THROUGHPUT, campaign_of, fan_out, rows_of

*_, GROUP = MAIN
PYTHONS = ("3.11", "3.12", "3.14")
BATCHES = {10: 20_000, 100: 4000, 1000: 800, 10_000: 200}
"""Consecutive batches by n: those of half a second or more, so that it is no chance how many full
collections are among them."""
WARM_UP, REPEATS = 20, 6
NEAR_POINTS = 2
"""By which a campaign and consecutive batches may differ."""
OPTIONS = (
    f"--no-report --probe {THROUGHPUT} --workload {','.join(COMPUTING)} --loop {LOOP} "
    f"--tasks {','.join(map(str, BATCHES))} --strategy {GROUP}"
)


class Steady(msgspec.Struct, frozen=True):
    """TaskGroup / gather of one case, with 95 % intervals: in a campaign, and over consecutive
    batches in processes of their own.
    """

    python: str
    workload: str
    tasks: int
    campaign: float
    campaign_low: float
    campaign_high: float
    consecutive: float
    consecutive_low: float
    consecutive_high: float

    @property
    def points_apart(self) -> float:
        """By how many hundredths the two differ."""
        return 100 * (self.campaign - self.consecutive)

    def ratio(self, name: str) -> str:
        """Either of the two with its interval: "0.900 [0.890, 0.910]"."""
        value, low, high = (getattr(self, f"{name}{end}") for end in ("", "_low", "_high"))
        return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def cells() -> Iterator[Steady]:
    """Three Pythons, two workloads, four n: one campaign of 8 minutes, then pairs of processes."""
    found, _ = interpreters.prepare_all(PYTHONS, skip_missing=False)
    pythons = " ".join(f"--python {wanted}" for wanted in PYTHONS)
    campaign, _ = campaign_of(f"{OPTIONS} --budget 8m {pythons}")
    rows: dict[tuple[str, str], Any] = {
        (row.python, row.case): row for row in by_row(rows_of(campaign, STRATEGY))
    }
    for python in found:
        for workload in COMPUTING:
            for tasks in BATCHES:
                ratios = [_consecutive(python, workload, tasks) for _ in range(REPEATS)]
                apart = hodges_lehmann(np.log(ratios))
                row = rows[python.version, Case(THROUGHPUT, workload, tasks).id]
                ends = (math.exp(end) for end in (apart.value, apart.low, apart.high))
                yield Steady(python.version, workload, tasks, row.ratio, row.low, row.high, *ends)


def _consecutive(python: schema.Interpreter, workload: str, tasks: int) -> float:
    """The ratio of two processes, one after the other in random order, on the measured core."""
    options = ("--warm-up", str(WARM_UP), "--batches", str(BATCHES[tasks]))
    seconds = {
        strategy: float(fan_out(executable(python), strategy, workload, tasks, *options))
        for strategy in random.sample((BASELINE, GROUP), 2)
    }
    return seconds[GROUP] / seconds[BASELINE]


def slice_length() -> Sequence[float]:
    """TaskGroup / gather in slices of 10 and of 40 ms: the largest difference of one case."""
    options = f"{OPTIONS} --budget 2m --slice"
    short, long = (
        rows_of(campaign_of(f"{options} {length}")[0], STRATEGY).set_index("case")
        for length in ("10ms", "40ms")
    )
    for case in short.index:
        both = (f"{of.loc[case, 'ratio']:.3f}" for of in (short, long))
        print(f"  | {case} | {' | '.join(both)} |", flush=True)
    return [float((short["ratio"] - long["ratio"]).abs().max())]
