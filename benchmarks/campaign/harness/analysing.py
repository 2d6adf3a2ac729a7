"""Figures of analysing: from values on disk to estimates, tables and report."""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.campaign.conduct import now
from benchmarks.campaign.harness.figures import SCRATCH, Row, run_command
from benchmarks.campaign.interpreters import Interpreter
from benchmarks.campaign.journal import Cell, Journal, Record, State
from benchmarks.campaign.plan import Plan, code_hash
from benchmarks.campaign.suites import write_suites
from benchmarks.cases import Case
from benchmarks.matrix import Available, Selection, cases, lay_out
from benchmarks.probes import PROBES

ROUNDS = 12
SWEEPS = 5
"""The shape of a campaign: its least number of rounds, and a usual number of sweeps."""
REPETITIONS = 3

ANALYSE = """
import sys
from pathlib import Path
from analysis import tables
from analysis.findings import find
from analysis.load import read_campaign

findings = find(read_campaign(Path(sys.argv[1])))
tables.markdown(findings)
tables.frame_csv(findings.comparisons)
"""


def analysis_speed() -> Iterator[Row]:
    """From a million values on disk to all estimates and tables, beside pyperf's compare_to."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch:
        folder = Path(scratch) / "campaign"
        values = _write_campaign(folder, 1_000_000)
        suite = next(folder.glob("cpython-*.json"))
        command = [sys.executable, "-c", ANALYSE, str(folder)]
        before = [_seconds(command) for _ in range(REPETITIONS)]
        compare = ["-m", "pyperf", "compare_to", "--table", "--quiet", str(suite), str(suite)]
        # It reads the values twice, once for each side, so half of its time is for them once.
        pyperf_seconds = _seconds([sys.executable, *compare]) / 2
        after = [_seconds(command) for _ in range(REPETITIONS)]
        seconds = statistics.median(before + after)
    yield Row(
        f"{values:,} values to all estimates and tables",
        f"{seconds:.1f} s ({values / seconds:,.0f} values/s)",
        "at most 5 s",
        seconds <= 5,
    )
    factor = pyperf_seconds / seconds
    yield Row(
        "values per second over those of pyperf compare_to",
        f"{factor:.1f} times ({values / pyperf_seconds:,.0f} values/s; {SWEEPS} values a run, "
        f"{ROUNDS} runs a benchmark)",
        "at least 10 times",
        factor >= 10,
    )


def linear_analysis() -> Iterator[Row]:
    """How the cost of the analysis grows from 10 000 to 4 000 000 values."""
    cost: dict[int, float] = {}
    # What a process costs before the first value: importing the libraries.
    start = min(_seconds([sys.executable, "-c", ANALYSE.partition("findings =")[0]]) for _ in "123")
    for values in (10_000, 100_000, 1_000_000, 4_000_000):
        with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch:
            folder = Path(scratch) / "campaign"
            written = _write_campaign(folder, values, suite=False)
            command = [sys.executable, "-c", ANALYSE, str(folder)]
            cost[written] = min(_seconds(command) for _ in range(REPETITIONS)) - start
    exponent = float(np.polyfit(np.log(list(cost)), np.log(list(cost.values())), 1)[0])
    measured = ", ".join(f"{values:,}: {seconds:.2f} s" for values, seconds in cost.items())
    yield Row(
        "analysis by number of values, imports apart",
        f"{measured}; exponent {exponent:.2f}",
        "linear: at most 1.1",
        exponent <= 1.1,
    )


def report() -> Iterator[Row]:
    """The full report of a campaign of the default preset's size, made twice."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch:
        folder = Path(scratch) / "campaign"
        selection = Selection()
        _write(folder, _plan(folder.name, selection, cases(selection)), suite=True)
        command = [sys.executable, "-m", "analysis", "report", str(folder)]
        seconds = _seconds(command)
        first = _contents(folder / "report")
        _seconds(command)
        same = _contents(folder / "report") == first
    yield Row("the full report of a default campaign", f"{seconds:.1f} s", "20 s", seconds <= 20)
    yield Row("the same report twice", "identical" if same else "different", "identical", same)


def _seconds(command: list[str]) -> float:
    started = time.monotonic()
    run_command(command)
    return time.monotonic() - started


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _write_campaign(folder: Path, values: int, *, suite: bool = True) -> int:
    """Write a campaign of noop's throughput with about so many values; return how many."""
    selection = Selection(workloads=("noop",), probes=("throughput",))
    per_case = ROUNDS * SWEEPS * len(_plan("", selection, ()).contenders)
    count = max(1, round(values / per_case))
    many = tuple(Case("throughput", "noop", 1 + index) for index in range(count))
    _write(folder, _plan(folder.name, selection, many), suite=suite)
    return per_case * count


def _plan(name: str, selection: Selection, of: tuple[Case, ...]) -> Plan:
    """A plan of an interpreter that does not exist: its values are drawn, not measured."""
    interpreter = Interpreter("cpython-3.14.0", "3.14.0", "cpython", {}, {}, "none")
    available = Available(interpreter.name, (3, 14), frozenset({"uvloop"}))
    matrix = lay_out([available], [selection])
    return Plan(
        name=name,
        preset="harness",
        seed=0,
        budget_seconds=1.0,
        precision=0.01,
        turn_limit_seconds=60.0,
        code_hash=code_hash(),
        created=now(),
        machine={"id": "none", "cpu_model": "drawn at random", "cpu_count": 1},
        interpreters=(interpreter,),
        contenders=matrix.contenders,
        cases=of,
        skipped=matrix.skipped,
    )


def _write(folder: Path, plan: Plan, *, suite: bool) -> None:
    """Write a complete campaign of log-normal values, and its pyperf suite."""
    journal = Journal.create(folder)
    ids = [case.id for case in plan.cases]
    state = State(
        status="complete",
        finished=now(),
        rounds=ROUNDS,
        loops=dict.fromkeys(ids, 1),
        sweeps=dict.fromkeys(ids, SWEEPS),
    )
    journal.save(plan, state)
    rng = random.Random(plan.seed)
    with (folder / "rounds.jsonl").open("a", encoding="utf-8") as stream:
        for number in range(ROUNDS):
            for case in plan.cases:
                stream.write(_record(plan, number, case, rng).to_line())
    if suite:
        write_suites(folder, plan, state, journal.records())


def _record(plan: Plan, number: int, case: Case, rng: random.Random) -> Record:
    cells = {
        contender.id: Cell(
            loops=1,
            timed_seconds=0.01,
            values={
                metric: [3e-6 * case.tasks * rng.lognormvariate(0, 0.01) for _ in range(SWEEPS)]
                for metric in PROBES[case.probe].metric_names
            },
        )
        for contender in plan.contenders
    }
    return Record(number, case.id, plan.created, 0.1, 0.0, cells, {})
