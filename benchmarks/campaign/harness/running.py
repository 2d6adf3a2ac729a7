"""Figures of running: whole campaigns, run as a user runs them, in processes of their own."""

from __future__ import annotations

import contextlib
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyperf

from analysis.estimates import Estimate, hodges_lehmann, round_difference
from benchmarks.campaign.harness.figures import SCRATCH, Row, run_command
from benchmarks.campaign.interpreters import prepare
from benchmarks.campaign.journal import Journal, Record
from benchmarks.strategies import BASELINE

AA_RUNS = 40
REPETITIONS = 10
MEGABYTE = 1e6


@dataclass(frozen=True)
class Campaign:
    """A finished campaign of the harness: its folder, its records and the wall time of it all."""

    folder: Path
    records: tuple[Record, ...]
    wall_seconds: float

    def field(self, name: str) -> float:
        """A number of ``campaign.json``."""
        return float(json.loads((self.folder / "campaign.json").read_text(encoding="utf-8"))[name])

    def differences(self, strategy: str, *, control: bool = False) -> list[float]:
        """D of each round of a one-case campaign, to the baseline: of the one contender of that
        strategy, or of the control.
        """
        contenders = json.loads((self.folder / "campaign.json").read_text(encoding="utf-8"))[
            "contenders"
        ]
        role = "control" if control else "contender"
        [contender] = [
            row for row in contenders if row["role"] == role and row["strategy"] == strategy
        ]
        [baseline] = [
            row["id"]
            for row in contenders
            if row["role"] == "baseline"
            and (row["interpreter"], row["loop"]) == (contender["interpreter"], contender["loop"])
        ]
        return [
            round_difference(
                record.cells[contender["id"]].values["total"],
                record.cells[baseline].values["total"],
            )
            for record in self.records
        ]


def default_preset() -> Iterator[Row]:
    """The default preset: share of time inside timed slices, memory, wall time."""
    with campaign_of("--preset", "default", report=True) as campaign:
        timed = sum(
            cell.timed_seconds for record in campaign.records for cell in record.cells.values()
        )
        share = timed / campaign.field("elapsed_seconds")
        yield Row("time inside timed slices", f"{share:.0%}", "at least 60 %", share >= 0.60)
        rounds = campaign.field("rounds")
        yield Row("rounds", f"{rounds:.0f}", "at least 12", rounds >= 12)
        worker = campaign.field("peak_worker_bytes") / MEGABYTE
        yield Row("peak of a worker", f"{worker:.0f} MB", "under 100 MB", worker < 100)
        driver = campaign.field("peak_driver_bytes") / MEGABYTE
        yield Row("peak of the driver", f"{driver:.0f} MB", "under 200 MB", driver < 200)
        minutes = campaign.wall_seconds / 60
        yield Row("wall time with the report", f"{minutes:.1f} min", "at most 4 min", minutes <= 4)


def smoke_preset() -> Iterator[Row]:
    """The smoke preset: wall time."""
    with campaign_of("--preset", "smoke", report=True) as campaign:
        seconds = campaign.wall_seconds
        yield Row("wall time of smoke", f"{seconds:.0f} s", "at most 30 s", seconds <= 30)


def control() -> Iterator[Row]:
    """A/A: how often the control is told apart from the baseline that it is."""
    estimates: list[Estimate] = []
    for seed in range(AA_RUNS):
        arguments = (*one_case(100), "--strategy", BASELINE, "--budget", "8s", "--seed", str(seed))
        with campaign_of(*arguments) as campaign:
            estimates.append(hodges_lehmann(campaign.differences(BASELINE, control=True)))
    apart = sum(not estimate.low <= 0 <= estimate.high for estimate in estimates)
    widths = [estimate.half_width for estimate in estimates]
    yield Row(f"control told apart, of {AA_RUNS} runs", f"{apart}", "at most 4", apart <= 4)
    yield Row(
        "half-width of the control, median", f"{statistics.median(widths):.2%}", "to be read", None
    )


def precision() -> Iterator[Row]:
    """Half-width of gather_tasks / gather_coroutines, n = 1000, noop, asyncio, after 60 s."""
    with campaign_of(*_pair("60s")) as campaign:
        estimate = hodges_lehmann(campaign.differences("gather_tasks"))
        rounds = campaign.field("rounds")
    yield Row(
        "half-width after 60 s",
        f"{estimate.half_width:.2%} ({rounds:.0f} rounds)",
        "at most 1.5 %",
        estimate.half_width <= 0.015,
    )


def against_pyperf() -> Iterator[Row]:
    """The same ratio by pyperf's own runner and by turns, at equal wall time: the spread of
    both.
    """
    by_pyperf, by_turns, seconds_each = [], [], []
    for seed in range(REPETITIONS):
        started = time.monotonic()
        by_pyperf.append(math.log(_pyperf_mean("gather_tasks") / _pyperf_mean(BASELINE)))
        seconds_each.append(time.monotonic() - started)
        arguments = _pair(f"{seconds_each[-1]:.0f}s")
        with campaign_of(*arguments, "--seed", str(seed)) as campaign:
            by_turns.append(hodges_lehmann(campaign.differences("gather_tasks")).value)
    wall = f"{statistics.mean(seconds_each):.0f} s each, {REPETITIONS} times"
    spread_pyperf, spread_turns = statistics.stdev(by_pyperf), statistics.stdev(by_turns)
    yield Row("spread of the ratio by pyperf's runner", f"{spread_pyperf:.2%}", wall, None)
    yield Row("spread of the ratio by turns", f"{spread_turns:.2%}", wall, None)
    yield Row(
        "ratio by pyperf's runner, by turns",
        f"{statistics.mean(by_pyperf):+.2%}, {statistics.mean(by_turns):+.2%}",
        "to be read",
        None,
    )


def growth() -> Iterator[Row]:
    """How the cost of a sweep grows with contenders and with cases."""
    contenders = {
        2: ("--loop", "asyncio", "--strategy", BASELINE),
        3: ("--loop", "asyncio", "--strategy", "gather_tasks"),
        4: ("--loop", "asyncio", "--strategy", "gather_tasks,task_group"),
        7: ("--strategy", "gather_tasks,task_group"),
    }
    cost = {}
    for count, arguments in contenders.items():
        shared = ("--probe", "throughput", "--workload", "noop", "--tasks", "100", "--budget", "8s")
        with campaign_of(*arguments, *shared) as campaign:
            cost[count] = seconds_per_sweep(campaign.records)
    yield growth_row("contenders", cost)
    cost = {}
    for count in (1, 2, 4, 8):
        tasks = ",".join(str(100 + index) for index in range(count))
        pair = ("--loop", "asyncio", "--strategy", "gather_tasks", "--probe", "throughput")
        with campaign_of(
            *pair, "--workload", "noop", "--tasks", tasks, "--budget", "10s"
        ) as campaign:
            cost[count] = count * seconds_per_sweep(campaign.records)
    yield growth_row("cases", cost)


def growth_row(name: str, cost: dict[int, float]) -> Row:
    """Exponent of cost ~ count ** exponent, by least squares of the logarithms."""
    exponent = float(np.polyfit(np.log(list(cost)), np.log(list(cost.values())), 1)[0])
    measured = ", ".join(f"{count}: {seconds * 1e3:.0f} ms" for count, seconds in cost.items())
    return Row(
        f"a sweep by number of {name}",
        f"{measured}; exponent {exponent:.2f}",
        "linear: at most 1.1",
        exponent <= 1.1,
    )


def seconds_per_sweep(records: Sequence[Record]) -> float:
    """Median wall time of one sweep of one case."""
    return statistics.median(
        record.wall_seconds / len(next(iter(record.cells.values())).values["total"])
        for record in records
    )


def one_case(tasks: int) -> tuple[str, ...]:
    """Options that choose one throughput case of noop on asyncio."""
    return (
        "--loop",
        "asyncio",
        "--probe",
        "throughput",
        "--workload",
        "noop",
        "--tasks",
        str(tasks),
    )


def _pair(budget: str) -> tuple[str, ...]:
    """gather_tasks against gather_coroutines at n = 1000, for all of the budget: no precision ends
    it.
    """
    return (
        *one_case(1000),
        "--strategy",
        "gather_tasks",
        "--budget",
        budget,
        "--precision",
        "0.0001%",
    )


@contextlib.contextmanager
def campaign_of(*arguments: str, report: bool = False) -> Iterator[Campaign]:
    """Run a campaign through the command line; its folder is removed in the end. Raises
    RuntimeError.
    """
    with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch:
        folder = Path(scratch) / "campaign"
        options = [
            *arguments,
            "--out",
            str(folder),
            "--quiet",
            *([] if report else ["--no-report"]),
        ]
        started = time.monotonic()
        run_command([sys.executable, "-m", "benchmarks", "run", *options])
        wall_seconds = time.monotonic() - started
        yield Campaign(folder, tuple(Journal(folder).records()), wall_seconds)


def _pyperf_mean(strategy: str) -> float:
    """Mean seconds that the probe script reports for the pair's case, with pyperf's default
    settings.
    """
    with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch:
        output = Path(scratch) / "output.json"
        cell = (
            "--strategy",
            strategy,
            "--tasks",
            "1000",
            "--workload",
            "noop",
            "--loop",
            "asyncio",
        )
        script = [prepare(None).executable, "-m", "benchmarks.throughput", *cell]
        run_command([*map(str, script), "--quiet", "--output", str(output)])
        return float(pyperf.Benchmark.load(str(output)).mean())
