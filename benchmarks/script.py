"""Every probe as an ordinary pyperf script: ``python -m benchmarks.throughput --help``.

The options of pyperf's own runner all work; ours choose the cell. Unlike a campaign this runs one
benchmark after the other, so comparisons of its results carry the machine's drift.
"""

from __future__ import annotations

import argparse
import functools
import sys
from typing import NoReturn

import pyperf

from benchmarks.cases import Case, Launcher
from benchmarks.conditions import conditions
from benchmarks.echo import EchoConnections
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.probe import Probe
from benchmarks.slices import Bench
from benchmarks.strategies import BASELINE, STRATEGIES
from benchmarks.workloads import WORKLOADS


def main(probe: Probe) -> None:
    """Run the probe's metrics as pyperf benchmarks of one cell; exits 2 with one line on bad
    usage.
    """
    runner = pyperf.Runner(
        program_args=("-m", f"benchmarks.{probe.name}"), add_cmdline_args=_forward
    )
    runner.argparser.error = functools.partial(_refuse, runner.argparser)
    _add_options(runner.argparser, probe)
    options = runner.parse_args()
    launcher = Launcher(options.loop, options.task_factory, options.strategy)
    case = Case(probe.name, options.workload, options.tasks)
    _check(runner.argparser, launcher)
    metadata = {
        "probe": case.probe,
        "workload": case.workload,
        "tasks": case.tasks,
        "loop": launcher.loop,
        "task_factory": launcher.task_factory,
        "strategy": launcher.strategy,
        **{name: value for name, value in conditions(launcher).items() if value is not None},
    }
    with EchoConnections() as connections:
        bench = Bench(launcher, connections)
        for metric in options.metric or probe.metrics:
            # The launcher is in the metadata only: pyperf compares files whose names are the same.
            runner.bench_time_func(
                f"{case.id}/{metric}",
                functools.partial(_seconds, bench=bench, case=case, metric=metric),
                metadata={**metadata, "metric": metric},
            )


def _seconds(loops: int, bench: Bench, case: Case, metric: str) -> float:
    """What pyperf asks of a time function: the seconds of ``loops`` inner loops together."""
    return bench.measure(case, loops).values[metric] * loops


def _add_options(parser: argparse.ArgumentParser, probe: Probe) -> None:
    group = parser.add_argument_group("the cell")
    group.add_argument("--strategy", choices=STRATEGIES, default=BASELINE)
    group.add_argument("--workload", choices=WORKLOADS, default="noop")
    group.add_argument("--tasks", type=_positive, default=1000, metavar="N")
    group.add_argument("--loop", choices=EVENT_LOOPS, default="asyncio")
    group.add_argument("--task-factory", choices=TASK_FACTORIES, default=TASK_FACTORIES[0])
    group.add_argument(
        "--metric", action="append", choices=probe.metrics, help="default: all of them"
    )


def _forward(command: list[str], options: argparse.Namespace) -> None:
    """Hand our options on to pyperf's worker processes."""
    for name in ("strategy", "workload", "tasks", "loop", "task_factory"):
        command.extend((f"--{name.replace('_', '-')}", str(getattr(options, name))))
    for metric in options.metric or ():
        command.extend(("--metric", metric))


def _refuse(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """In place of argparse's own way, which first prints pyperf's whole usage."""
    parser.exit(2, f"{parser.prog}: {message}\n")


def _check(parser: argparse.ArgumentParser, launcher: Launcher) -> None:
    since = STRATEGIES[launcher.strategy].since
    if sys.version_info < since:
        parser.error(f"argument --strategy: {launcher.strategy} needs Python {since[0]}.{since[1]}")
    try:
        EVENT_LOOPS[launcher.loop].load()
    except ImportError:
        parser.error(f"argument --loop: {launcher.loop} is not installed")


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of tasks (1 or more)")
    return value
