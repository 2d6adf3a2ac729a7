"""``python -m harness.fan_out``: a program that runs one fan-out after the other, and nothing else.

With ``--batches N`` it runs so many, after ``--warm-up N`` others, and prints the seconds of one;
with ``--blocks N``, the least of so many times. Without, it is a benchmark of pyperf's, with its
options. Runs in measured interpreters, as programs of users do: without this suite's turns, slices
and care.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any

import benchmarks.worker  # noqa: F401 - a full collection visits as much as in a campaign
from benchmarks.strategies import BASELINE, STRATEGIES
from benchmarks.workloads import WORKLOADS, Surroundings

PROGRAM = ("-m", "harness.fan_out")


def seconds_of(batches: int, warm_up: int, strategy: str, workload: str, tasks: int) -> float:
    """The seconds of so many fan-outs on a fresh event loop, after others that are not timed."""
    launch = STRATEGIES[strategy].launch
    nothing: Any = None  # no workload that computes looks for the echo server

    async def run() -> float:
        async with WORKLOADS[workload].open(Surroundings(nothing, launch)) as work:
            for _ in range(warm_up):
                await launch(work, tasks, None)
            started = time.perf_counter()
            for _ in range(batches):
                await launch(work, tasks, None)
            return time.perf_counter() - started

    return asyncio.run(run())


def main() -> None:
    """Run the cell that the command line names."""
    parser = argparse.ArgumentParser(add_help=False)
    _add_cell(parser)
    options, _ = parser.parse_known_args()
    if options.batches:
        every = (seconds_of(options.batches, *_cell(options)) for _ in range(options.blocks))
        print(min(every) / options.batches)
    else:
        _by_pyperf()


def _by_pyperf() -> None:
    import pyperf  # its imports would add to what a full collection visits

    runner = pyperf.Runner(program_args=PROGRAM, add_cmdline_args=_forward)
    _add_cell(runner.argparser)
    runner.bench_time_func("fan-out", seconds_of, *_cell(runner.parse_args()))


def _cell(options: argparse.Namespace) -> tuple[int, str, str, int]:
    return options.warm_up, options.strategy, options.workload, options.tasks


def _add_cell(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strategy", default=BASELINE)
    parser.add_argument("--workload", required=True)
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--batches", type=int, default=0)
    parser.add_argument("--blocks", type=int, default=1)
    parser.add_argument("--warm-up", type=int, default=0)


def _forward(command: list[str], options: argparse.Namespace) -> None:
    """Pass the cell on to pyperf's worker processes."""
    for name in ("strategy", "workload", "tasks"):
        command.extend((f"--{name}", str(getattr(options, name))))


if __name__ == "__main__":
    main()
