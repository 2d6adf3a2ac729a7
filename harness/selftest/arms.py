"""The arms: four ways to compare a baseline with itself, and with what is slower by a known share.

Each spends the same wall time, on the same core, on three contenders: the baseline, the baseline
again, and the slower one. It says how the first two differ, and how the third differs from both.
"""

from __future__ import annotations

import math
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np
import pyperf
from scipy import stats

from analysis.estimate.intervals import (
    CONFIDENCE,
    Estimates,
    FloatArray,
    hodges_lehmann_halves,
    hodges_lehmann_rows,
)
from analysis.read.campaign import Campaign
from analysis.read.load import read_campaign
from benchmarks.campaign import interpreters
from benchmarks.strategies import BASELINE
from harness import fan_out as program
from harness.commands import LOOP, THROUGHPUT, copy_of_suite, fan_out, run, scratch
from harness.selftest import planted

PYPERF_PROCESSES = 4
"""Of pyperf's runner, at first: they tell how many more the time is enough for."""
PROCESS_SECONDS = 0.4
"""What a whole process measures for; it starts in another 0.1 to 0.2 s."""
PILOT_BATCHES = 20
CAMPAIGN_START_SECONDS = 1.0
"""What a campaign takes beside its budget."""
_NO_END = 20.0

Costs: TypeAlias = tuple[tuple[float, ...], ...]
"""ln(seconds) of each round: of the baseline, of its control, of the slower one."""


class Estimate(msgspec.Struct, frozen=True):
    """ln(ratio) with its 95 % interval, and whether the arm's own test says that it is not 0."""

    value: float
    low: float
    high: float
    differs: bool


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an arm says of the baseline against itself, and of the slower one against both.

    ``costs`` are the rounds that this suite says it by, see :func:`of_rounds`.
    """

    same: Estimate
    slower: Estimate
    costs: Costs = ()


@dataclass(frozen=True)
class Pair:
    """What is compared: a planted workload, so many tasks, and by which share one is slower."""

    workload: str
    tasks: int
    slower: float


@dataclass(frozen=True)
class Site:
    """Where: a copy of the suite with what is planted in it, and a Python, its version, and that
    of its environment.
    """

    suite: Path
    base: Path
    version: str
    python: Path

    def fan_out(self, pair: Pair, slower: float, *options: str | Path) -> str:
        """What the program that the other ways measure printed. Raises CalledProcessError."""
        cell = (_strategy(slower), pair.workload, pair.tasks)
        return fan_out(self.python, *cell, *options, cwd=self.suite)


@contextmanager
def site(wanted: str | None) -> Iterator[Site]:
    """A copy of the suite, planted, as long as it is needed. Raises InterpreterError."""
    interpreter = interpreters.prepare(wanted)
    with scratch() as folder:
        suite = copy_of_suite(folder)
        (suite / "harness").mkdir()
        shutil.copy(str(program.__file__), suite / "harness")
        shutil.copy(str(planted.__file__), suite / "benchmarks")
        with (suite / "benchmarks" / "workloads.py").open("a", encoding="utf-8") as registry:
            registry.write("\nfrom benchmarks.planted import plant\n\nplant()\n")
        base, python = interpreters.find(wanted), interpreters.executable(interpreter)
        yield Site(suite, base, interpreter.version, python)


def _strategy(slower: float) -> str:
    return planted.name_of(slower) if slower else BASELINE


@dataclass(frozen=True)
class Trial:
    """One use of an arm: so many seconds for a pair; the seed starts what is random."""

    where: Site
    pair: Pair
    seconds: float
    seed: int

    def shuffled(self) -> list[int]:
        """The contenders, 0, 1 and, slower, 2, in random order."""
        return random.Random(self.seed).sample(range(3), 3)

    def slower(self, contender: int) -> float:
        """The share by which it is slower."""
        return self.pair.slower if contender == 2 else 0.0


def pyperf_runner(trial: Trial) -> Outcome:
    """One benchmark after the other, as many processes as there is time for: means, its t test.

    pyperf gives no interval; this one is that of its test.
    """
    began, values = time.monotonic(), [np.array([])] * 3
    for done, contender in enumerate(trial.shuffled(), start=1):
        until = began + trial.seconds * done / 3
        values[contender] = np.array(_by_pyperf(trial, trial.slower(contender), until))
    return _by_means(values, equal_variances=True)


def _by_pyperf(trial: Trial, slower: float, until: float) -> list[float]:
    """The values of a benchmark: of some processes, then of those that the time is left for. Each
    time one more calibrates.
    """
    values: list[float] = []
    processes = PYPERF_PROCESSES
    while processes > 0:
        started = time.monotonic()
        with scratch() as output:
            options = ("--quiet", "--processes", str(processes), "--output", output)
            trial.where.fan_out(trial.pair, slower, *options)
            values += pyperf.Benchmark.load(str(output)).get_values()
        now = time.monotonic()
        processes = math.floor((until - now) / (now - started) * (processes + 1)) - 1
    return values


def whole_processes(trial: Trial) -> Outcome:
    """As hyperfine does it, all processes of one before the next: means, Welch's t test.

    A process tells its time from its first fan-out to its last, so that the start of Python is not
    in it.
    """
    started, batches = time.monotonic(), _batches(trial)
    values: list[FloatArray] = [np.array([])] * 3
    for done, contender in enumerate(trial.shuffled(), start=1):
        taken: list[float] = []
        while len(taken) < 2 or time.monotonic() < started + trial.seconds * done / 3:
            taken.append(_process(trial, contender, batches))
        values[contender] = np.array(taken)
    return _by_means(values, equal_variances=False)


def interleaved_processes(trial: Trial) -> Outcome:
    """The same processes, the three in turns, in random order: paired t test of ln(ratio)."""
    started, batches, rng = time.monotonic(), _batches(trial), random.Random(trial.seed)
    cycles: list[list[float]] = []
    while len(cycles) < 2 or time.monotonic() < started + trial.seconds:
        order = rng.sample(range(3), 3)
        taken = {one: _process(trial, one, batches) for one in order}
        cycles.append([math.log(taken[one]) for one in range(3)])
    one, two, slower = np.transpose(cycles)
    return Outcome(_paired(two - one), _paired(slower - (one + two) / 2))


def taking_turns(trial: Trial) -> Outcome:
    """Slices in turns, fresh processes each round, of which the least disturbed blocks count."""
    budget = trial.seconds - CAMPAIGN_START_SECONDS
    options = (
        f"--quiet --no-report --loop {LOOP} --probe {THROUGHPUT} "
        f"--workload {trial.pair.workload} --tasks {trial.pair.tasks} "
        f"--strategy {planted.name_of(trial.pair.slower)} --budget {budget}s --precision 0.0001% "
        f"--seed {trial.seed} --python {trial.where.base}"
    )
    with scratch() as folder:
        words = f"-m benchmarks run {options} --out".split()
        run(sys.executable, *words, folder, cwd=trial.where.suite)
        return of_rounds(costs_of(read_campaign(folder)))


def costs_of(campaign: Campaign) -> Costs:
    """The complete rounds of a campaign of one case and three contenders."""
    costs = campaign.values.pivot(index="round", columns="role", values="seconds")
    logs = np.log(costs.dropna()).round(6)
    return tuple(tuple(logs[role]) for role in ("baseline", "control", "contender"))


def of_rounds(costs: Costs) -> Outcome:
    """What the table of a campaign says of these rounds."""
    baseline, control, slower = np.array(costs)
    same = hodges_lehmann_rows((control - baseline)[None])
    halves = hodges_lehmann_halves(np.stack([slower - baseline, slower - control])[None])
    return Outcome(_only(same), _only(halves), costs)


def _only(found: Estimates) -> Estimate:
    # Without an interval, after few rounds, the ends are infinite, which JSON does not have.
    ends = (found.value, found.low, found.high)
    value, low, high = (float(np.clip(end[0], -_NO_END, _NO_END)) for end in ends)
    return Estimate(value, low, high, low > 0 or high < 0)


Arm = Callable[[Trial], Outcome]
OURS = "this suite"
ARMS: Mapping[str, Arm] = {
    "pyperf's runner": pyperf_runner,
    "whole processes": whole_processes,
    "processes in turns": interleaved_processes,
    OURS: taking_turns,
}


def _batches(trial: Trial) -> int:
    """How many take the time that a process measures for."""
    said = trial.where.fan_out(trial.pair, 0.0, "--batches", str(PILOT_BATCHES))
    return math.ceil(PROCESS_SECONDS / float(said))


def _process(trial: Trial, contender: int, batches: int) -> float:
    """Seconds of a fan-out, by a process of its own."""
    slower = trial.slower(contender)
    return float(trial.where.fan_out(trial.pair, slower, "--batches", str(batches)))


def _by_means(values: Sequence[FloatArray], *, equal_variances: bool) -> Outcome:
    one, two, slower = values
    return Outcome(
        _ratio_of_means(one, two, equal_variances),
        _ratio_of_means(np.concatenate([one, two]), slower, equal_variances),
    )


def _ratio_of_means(one: FloatArray, two: FloatArray, equal_variances: bool) -> Estimate:
    """ln of the ratio of two means; the interval is that of their difference, over the first."""
    mean = one.mean()
    test = stats.ttest_ind(two, one, equal_var=equal_variances)
    ends = test.confidence_interval(CONFIDENCE)
    value, low, high = (
        math.log1p(max(end / mean, -0.999)) for end in (two.mean() - mean, ends.low, ends.high)
    )
    return Estimate(value, low, high, bool(test.pvalue < 1 - CONFIDENCE))


def _paired(differences: FloatArray) -> Estimate:
    """The mean of differences of ln(seconds), with the interval of a t test."""
    test = stats.ttest_1samp(differences, 0.0)
    ends = test.confidence_interval(CONFIDENCE)
    value, low, high = (float(end) for end in (differences.mean(), ends.low, ends.high))
    return Estimate(value, low, high, bool(test.pvalue < 1 - CONFIDENCE))
