"""What the other tools measure: ``python -m benchmarks.fan_out`` in a copy of the suite.

With ``--batches N`` a process that runs so many and prints the seconds of one; else a benchmark of
pyperf's, with its options.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import time

import pyperf

from benchmarks.strategies import BASELINE, STRATEGIES
from benchmarks.workloads import WORKLOADS

PROGRAM = ("-m", "benchmarks.fan_out")


def seconds_of(batches: int, strategy: str, workload: str, tasks: int) -> float:
    """The seconds of so many fan-outs on a fresh event loop."""
    launch = STRATEGIES[strategy].launch

    async def run() -> float:
        async with WORKLOADS[workload].open(None) as work:  # type: ignore[arg-type]
            started = time.perf_counter()
            for _ in range(batches):
                await launch(work, tasks, None)
            return time.perf_counter() - started

    return asyncio.run(run())


def main() -> None:
    """Measure one strategy, by pyperf or as a process."""
    runner = pyperf.Runner(program_args=PROGRAM, add_cmdline_args=_forward)
    parser = runner.argparser
    parser.add_argument("--strategy", default=BASELINE)
    parser.add_argument("--workload", required=True)
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--batches", type=int)
    options = runner.parse_args()
    cell = (options.strategy, options.workload, options.tasks)
    if options.batches:
        print(seconds_of(options.batches, *cell) / options.batches)
    else:
        runner.bench_time_func("fan-out", functools.partial(seconds_of), *cell)


def _forward(command: list[str], options: argparse.Namespace) -> None:
    """Pass our options on to pyperf's worker processes."""
    for name in ("strategy", "workload", "tasks"):
        command.extend((f"--{name}", str(getattr(options, name))))


if __name__ == "__main__":
    main()
