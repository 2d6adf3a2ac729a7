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

ANALYSE = """
import sys, time
started = time.monotonic()
from analysis.judge.contrasts import contrasts
from analysis.read.load import read_campaign
imported = time.monotonic()
contrasts(read_campaign(sys.argv[1]))
print(imported - started, time.monotonic() - imported)
"""


def analysis_speed() -> Sequence[float]:
    """A million values, from the disk to all verdicts, in a process of its own."""
    with scratch() as folder:
        values = draw(folder, noop(1_000_000))
        suite = folder / "cpython-3.14.0.json"
        before = [_analyse(folder) for _ in range(3)]
        compare = ("-m", "pyperf", "compare_to", "--table", "--quiet", suite, suite)
        # It reads the values twice, once for each side, so half of its time is for them once.
        pyperf_seconds = run(sys.executable, *compare)[1] / 2
        after = [_analyse(folder) for _ in range(3)]
    imports, analysis = map(statistics.median, zip(*before, *after, strict=True))
    return [values / analysis, imports, pyperf_seconds / (imports + analysis)]


def linear_analysis() -> Sequence[float]:
    """How the time of the analysis grows from 10 000 to 4 000 000 values, imports not counted."""
    costs = []
    for values in (10_000, 100_000, 1_000_000, 4_000_000):
        with scratch() as folder:
            drawn = draw(folder, noop(values), suite=False)
            costs.append((drawn, min(_analyse(folder)[1] for _ in range(3))))
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


def _analyse(folder: Path) -> Sequence[float]:
    """Seconds of the imports and of the analysis."""
    return [float(seconds) for seconds in run(sys.executable, "-c", ANALYSE, folder)[0].split()]


def noop(values: int) -> Sequence[Case]:
    """Cases of which a drawn campaign has about so many values."""
    return [Case("throughput", "noop", tasks) for tasks in range(1, 2 + values // (12 * 5 * 7))]


def draw(folder: Path, of: Sequence[Case], *, suite: bool = True) -> int:
    """Write a campaign of 12 rounds, 5 sweeps and 7 contenders; return the number of its cells'
    values, one metric counted.
    """
    write(folder, loops=("asyncio", "uvloop"), cases=of, rounds=12, sweeps=5)
    if suite:
        journal = Journal(folder)
        plan = journal.load()
        write_suites(folder, plan, journal.lines(plan))
    return 12 * 5 * 7 * len(of)
