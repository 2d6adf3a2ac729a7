"""``python -m harness.instructions``: a second witness, instructions per task beside their time.

Valgrind counts what a program executes, the same under any load. It does not see what instructions
wait for: memory, mispredicted branches, the kernel, timers and sockets. So a difference that both
witnesses have is the code's; one of time alone is of what instructions wait for.

Exit codes: 0 counted, or skipped where it cannot be, with the reason; 1 a program failed; 2 bad
usage; 130 interrupted.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from analysis.judge import words as say
from analysis.judge.findings import find
from analysis.show.tables import by_row
from benchmarks.campaign import interpreters
from benchmarks.campaign.arguments import Parser
from benchmarks.campaign.interpreters import executable
from benchmarks.campaign.schema import Interpreter
from benchmarks.matrix import COMPUTING, MAIN
from benchmarks.strategies import BASELINE
from harness.commands import LOOP, THROUGHPUT, campaign_of, exit_code, run
from harness.fan_out import PROGRAM

TASKS = (1000, 2000)
"""What differs between two counts, so that the start of Python is not in the result."""
BATCHES = 20
COLLECTED = re.compile(r"Collected : (\d+)")


@dataclass(frozen=True, slots=True)
class Counted:
    """Instructions and ns per task, and both over those of the baseline."""

    strategy: str
    workload: str
    instructions: float
    ns_per_task: float
    ratio_of_instructions: float
    ratio_of_time: float


def obstacle() -> str:
    """Why instructions cannot be counted here, or "" """
    if platform.system() != "Linux":
        return f"valgrind and setarch are asked for, which {platform.system()} does not have"
    missing = [name for name in ("valgrind", "setarch") if shutil.which(name) is None]
    return f"{' and '.join(missing)} cannot be found: install the package" if missing else ""


def instructions_per_task(python: Interpreter, strategy: str, workload: str) -> float:
    """Of a fan-out, the collector with it. Raises CalledProcessError."""
    few, many = (_instructions(python, strategy, workload, tasks) for tasks in TASKS)
    return (many - few) / (TASKS[1] - TASKS[0]) / BATCHES


def _instructions(python: Interpreter, strategy: str, workload: str, tasks: int) -> int:
    """Of a whole process, at fixed addresses and with a fixed hash seed: repeatable to 0.1 %."""
    said = run(
        "setarch", "-R", "env", "PYTHONHASHSEED=0",
        "valgrind", "--tool=callgrind", "--log-fd=1", "--callgrind-out-file=/dev/null",
        executable(python), *PROGRAM, "--strategy", strategy, "--workload", workload,
        "--tasks", str(tasks), "--batches", str(BATCHES),
    )[0]  # fmt: skip
    found = COLLECTED.search(said)
    if found is None:
        raise subprocess.CalledProcessError(1, "valgrind", said, "it did not say what it collected")
    return int(found[1])


def count(wanted: str | None) -> Iterator[Counted]:
    """Every strategy of the main question on what only computes, beside a campaign of a minute."""
    python = interpreters.prepare(wanted)
    campaign, _ = campaign_of(
        f"--no-report --probe {THROUGHPUT} --workload {','.join(COMPUTING)} --loop {LOOP} "
        f"--tasks {TASKS[0]} --strategy {','.join(MAIN)} --budget 1m "
        f"--python {interpreters.find(wanted)}"
    )
    frame = find(campaign).absolutes
    rows: dict[tuple[str, str], Any] = {
        (row.strategy, row.workload): row for row in by_row(frame[frame["role"] != "control"])
    }
    for workload in COMPUTING:
        own = {name: instructions_per_task(python, name, workload) for name in MAIN}
        times = {name: float(rows[name, workload].value) for name in own}
        for name, instructions in own.items():
            yield Counted(
                name, workload, instructions, times[name],
                instructions / own[BASELINE], times[name] / times[BASELINE],
            )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return the exit code."""
    parser = Parser(prog="python -m harness.instructions", description=__doc__, allow_abbrev=False)
    parser.add_argument("--python", metavar="PYTHON", help="default: the driver's own")
    options = parser.parse_args(arguments)
    if reason := obstacle():
        print(f"instructions: skipped: {reason}")
        return 0
    return exit_code(parser.prog, lambda: _show(options.python))


def _show(wanted: str | None) -> int:
    table = Table(
        Column("strategy", no_wrap=True), Column("workload", no_wrap=True),
        "instructions per task", "change", "time per task", "change",
    )  # fmt: skip
    for one in count(wanted):
        table.add_row(
            one.strategy, one.workload,
            f"{one.instructions:,.0f}", say.change(one.ratio_of_instructions),
            say.amount(one.ns_per_task, "ns"), say.change(one.ratio_of_time),
        )  # fmt: skip
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
