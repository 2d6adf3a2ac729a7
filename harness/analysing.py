"""Figures of analysing: from values on disk to verdicts and reports."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.campaign.journal import Journal
from benchmarks.campaign.suites import write_suites
from benchmarks.cases import Case
from benchmarks.matrix import Selection, cases
from harness.commands import exponent, run, scratch
from tests.campaigns import write

ROUNDS = 40
VALUES_PER_CASE = ROUNDS * 8
ANALYSE = """
import sys, time
from analysis.judge.contrasts import contrasts
from analysis.read.load import read_campaign
started = time.monotonic()
contrasts(read_campaign(sys.argv[1]))
print(time.monotonic() - started)
"""


def analysis_speed() -> Sequence[float]:
    """A million values, from the disk to all verdicts, in a process of its own."""
    with scratch() as folder:
        values = draw(folder, noop(1_000_000))
        before = [_analyse(folder) for _ in range(3)]
        suite = folder / "cpython-3.14.0.json"
        compare = ("-m", "pyperf", "compare_to", "--table", "--quiet", suite, suite)
        # It reads the values twice, once for each side, so half of its time is for them once.
        pyperf_seconds = run(sys.executable, *compare)[1] / 2
        after = [_analyse(folder) for _ in range(3)]
    analysis, whole = map(statistics.median, zip(*before, *after, strict=True))
    return [values / analysis, whole - analysis, pyperf_seconds / whole]


def linear_analysis() -> Sequence[float]:
    """How the time of the analysis grows from 10 000 to 4 000 000 values, imports not counted."""
    costs = []
    for values in (10_000, 100_000, 1_000_000, 4_000_000):
        with scratch() as folder:
            drawn = draw(folder, noop(values), suite=False)
            costs.append((drawn, min(_analyse(folder)[0] for _ in range(3))))
    return [exponent(costs)]


def report() -> Sequence[float]:
    """The report of a campaign of the default preset's size, made twice."""
    seconds, made = [], []
    with scratch() as folder:
        draw(folder, cases(Selection()))
        for _ in range(2):
            seconds.append(run(sys.executable, "-m", "analysis", "report", folder)[1])
            files = (path for path in folder.glob("report/**/*") if path.is_file())
            made.append({(path, path.read_bytes()) for path in files})
    return [seconds[0], len({path for path, _ in made[0] ^ made[1]})]


def _analyse(folder: Path) -> tuple[float, float]:
    """Seconds of the analysis, and of its whole process."""
    said, seconds = run(sys.executable, "-c", ANALYSE, folder)
    return float(said), seconds


def noop(values: int) -> Sequence[Case]:
    """Cases of which a drawn campaign has about so many values."""
    return [Case("throughput", "noop", tasks) for tasks in range(1, 2 + values // VALUES_PER_CASE)]


def draw(folder: Path, of: Sequence[Case], *, suite: bool = True) -> int:
    """Write a campaign of eight contenders; return how many values of one metric it has."""
    write(folder, loops=("asyncio", "uvloop"), cases=of, rounds=ROUNDS)
    if suite:
        plan = Journal(folder).load()
        write_suites(folder, plan, Journal(folder).lines(plan))
    return VALUES_PER_CASE * len(of)
