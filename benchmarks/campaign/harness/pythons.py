"""Figures over several interpreters: what it takes to hold Pythons against one another."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import statistics
import time
from collections.abc import Iterator, Sequence

import psutil

from analysis.estimates import hodges_lehmann, round_difference, rounds_to_tell
from benchmarks.campaign import interpreters
from benchmarks.campaign.executors import LocalExecutor
from benchmarks.campaign.harness.figures import Row
from benchmarks.campaign.harness.running import (
    MEGABYTE,
    Campaign,
    campaign_of,
    growth_row,
    one_case,
    seconds_per_sweep,
)
from benchmarks.campaign.interpreters import Interpreter
from benchmarks.campaign.machine import allot_cores
from benchmarks.campaign.plan import TURN_LIMIT_SECONDS
from benchmarks.campaign.workers import Worker
from benchmarks.cases import Case, Contender, Launcher
from benchmarks.strategies import BASELINE

VERSIONS = tuple(f"3.{minor}" for minor in range(10, 16))
LIVE_WORKERS = 42
BUDGET = "15m"
EFFECTS = (0.01, 0.005)
FLOOR = 0.005


def environments() -> Iterator[Row]:
    """Making a measured environment of every Python, from a warm cache."""
    taken = []
    for interpreter in _present():
        # The one that is there is put aside, so that it is back whatever happens.
        folder = interpreters.ENVIRONMENTS / interpreter.environment
        aside = folder.with_name(f"{folder.name}-aside")
        folder.rename(aside)
        try:
            started = time.monotonic()
            interpreters.prepare(interpreter.version)
            taken.append(time.monotonic() - started)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            aside.rename(folder)
    measured = f"{max(taken):.1f} s at most, of {len(taken)}"
    yield Row("an environment from a warm cache", measured, "under 3 s", max(taken) < 3)


def python_precision() -> Iterator[Row]:
    """Two strategies on six Pythons, n = 1000, noop: the ratio of every version to the first."""
    pythons = _present()
    options = (*_python_options(pythons), *one_case(1000), "--strategy", "gather_tasks")
    with campaign_of(*options, "--budget", BUDGET, "--precision", "0.0001%") as campaign:
        ratios = _version_ratios(campaign)
        widths = [hodges_lehmann(rounds).half_width for rounds in ratios]
        rounds = len(campaign.records)
        control = hodges_lehmann(campaign.differences(BASELINE, control=True))
        turn_seconds = seconds_per_sweep(campaign.records) / (2 * len(pythons) + 1)
    yield Row(
        f"half-width of a version's ratio, {2 * len(pythons)} contenders, {BUDGET}",
        f"{max(widths):.2%} at most ({rounds} rounds)",
        "at most 1.5 %",
        max(widths) <= 0.015,
    )
    apart = not control.low <= 0 <= control.high
    yield Row(
        "the control",
        f"{control.value:+.2%} [{control.low:+.2%}, {control.high:+.2%}]",
        "not told apart",
        not apart,
    )
    spread = statistics.median(statistics.stdev(rounds) for rounds in ratios)
    yield Row("spread of a version's ratio over rounds", f"{spread:.2%}", "to be read", None)
    yield Row("a turn", f"{turn_seconds * 1e3:.1f} ms", "to be read", None)
    for effect in EFFECTS:
        told = f"{rounds_to_tell(effect, spread)} from nothing"
        if effect > FLOOR:
            told += f", {rounds_to_tell(effect, spread, FLOOR)} from the noise floor"
        yield Row(f"rounds that tell {effect:.1%} four times in five", told, "to be read", None)


def python_growth() -> Iterator[Row]:
    """How a sweep's cost grows with Pythons, and what 42 live workers hold."""
    pythons = _present()
    cost = {}
    for count in (1, 2, 4, len(pythons)):
        options = (*_python_options(pythons[:count]), *one_case(100), "--strategy", "gather_tasks")
        with campaign_of(*options, "--budget", "10s") as campaign:
            # The control is one more contender, whatever the number of Pythons.
            cost[count] = seconds_per_sweep(campaign.records) * 2 * count / (2 * count + 1)
    yield growth_row("Pythons", cost)
    held = _bytes_of_live_workers(pythons)
    yield Row(
        f"memory of {LIVE_WORKERS} live workers",
        f"{held / MEGABYTE:.0f} MB",
        "under 3000 MB",
        held < 3000 * MEGABYTE,
    )


def _present() -> tuple[Interpreter, ...]:
    """The newest of every minor version, as far as it can be had."""
    found, _ = interpreters.prepare_all(VERSIONS, skip_missing=True)
    return found


def _python_options(pythons: Sequence[Interpreter]) -> tuple[str, ...]:
    return tuple(itertools.chain.from_iterable(("--python", python.version) for python in pythons))


def _version_ratios(campaign: Campaign) -> list[list[float]]:
    """D of each round, of every strategy on every further Python to itself on the first."""
    plan = json.loads((campaign.folder / "campaign.json").read_text(encoding="utf-8"))
    first = plan["interpreters"][0]["name"]
    of_first = {
        row["strategy"]: row["id"]
        for row in plan["contenders"]
        if row["interpreter"] == first and row["role"] != "control"
    }
    return [
        [
            round_difference(
                record.cells[row["id"]].values["total"],
                record.cells[of_first[row["strategy"]]].values["total"],
            )
            for record in campaign.records
        ]
        for row in plan["contenders"]
        if row["interpreter"] != first
    ]


def _bytes_of_live_workers(pythons: Sequence[Interpreter]) -> int:
    """Resident bytes of so many workers at once, pages they share counted for each of them, when
    each has run 10 000 tasks.
    """
    case = Case("throughput", "yield_once", 10_000)
    repeated = itertools.islice(itertools.cycle(pythons), LIVE_WORKERS)
    workers_of = [
        Contender(python.name, Launcher("asyncio", "lazy", BASELINE), "baseline")
        for python in repeated
    ]
    with LocalExecutor(pythons, allot_cores(), TURN_LIMIT_SECONDS) as executor:
        before = {child.pid for child in psutil.Process().children()}
        alive: list[Worker] = []
        try:
            for number, contender in enumerate(workers_of):
                started, failures = executor.start([contender], random.Random(number))
                if failures:
                    raise RuntimeError(f"{contender.id}: {failures[contender].cause}")
                alive.append(started[contender])
            for worker in alive:
                worker.calibrate(case, 0.001)
            children = [one for one in psutil.Process().children() if one.pid not in before]
            return sum(child.memory_info().rss for child in children)
        finally:
            for worker in alive:
                worker.close()
