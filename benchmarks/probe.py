"""A probe as an ordinary pyperf script: ``python -m benchmarks.probe NAME --help``.

All options of pyperf's own runner work; ours choose the cell. Unlike a campaign this runs one
benchmark after the other, so comparisons of its results include the machine's drift.
"""

from __future__ import annotations

import argparse
import functools
import random
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NoReturn

import pyperf

from benchmarks.alone import Alone
from benchmarks.cases import MOST_TASKS, NO_LIMIT, USUAL_COLLECTOR, USUAL_PAUSE, Case, Launcher
from benchmarks.collectors import COLLECTORS
from benchmarks.conditions import conditions, refusal
from benchmarks.echo import EchoConnections
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.probing import Metric, Probe
from benchmarks.slices import Bench
from benchmarks.strategies import BASELINE, STRATEGIES
from benchmarks.workloads import WORKLOADS

PROGRAM = ("-m", "benchmarks.probe")


def main(arguments: Sequence[str]) -> None:
    """Run the metrics of one probe as pyperf benchmarks; bad usage exits 2 with one line."""
    chooser = argparse.ArgumentParser(prog=" ".join(("python", *PROGRAM)), description=__doc__)
    chooser.error = functools.partial(_refuse, chooser)  # type: ignore[method-assign]
    chooser.add_argument("name", choices=PROBES, help="the probe; NAME --help shows its options")
    probe = PROBES[chooser.parse_args(arguments[:1]).name]

    runner = pyperf.Runner(program_args=(*PROGRAM, probe.name), add_cmdline_args=_forward)
    parser = runner.argparser
    parser.prog = f"{chooser.prog} {probe.name}"
    parser.error = functools.partial(_refuse, parser)
    _add_options(parser, probe)
    options = runner.parse_args(arguments[1:])
    launcher = Launcher(
        options.loop, options.task_factory, options.strategy, options.collector, options.limit
    )
    workload = probe.workload(options.workload)
    case = Case(probe.name, workload.name, options.tasks, options.pause)
    if reason := workload.refusal(case.tasks):
        parser.error(f"argument --tasks: {reason}")
    _check(parser, launcher)
    metadata = {
        "probe": case.probe,
        "workload": case.workload,
        "tasks": case.tasks,
        "pause": case.pause,
        "loop": launcher.loop,
        "strategy": launcher.strategy,
        "limit": launcher.limit or NO_LIMIT,
        **{name: value for name, value in conditions(launcher).items() if value is not None},
    }
    with EchoConnections() as connections:
        bench = Alone(launcher) if probe.fresh_process else Bench(launcher, connections)
        for metric in probe.metrics:
            if metric.name in (options.metric or probe.metric_names):
                # The launcher is in the metadata only: pyperf compares benchmarks of one name.
                runner.bench_time_func(
                    f"{case.id}/{metric.name}",
                    functools.partial(_total, bench=bench, case=case, metric=metric),
                    metadata={**metadata, "metric": metric.name, "unit": metric.unit},
                )


def _total(loops: int, bench: Bench | Alone, case: Case, metric: Metric) -> float:
    """The seconds, or bytes, of ``loops`` inner loops together: pyperf divides by ``loops``."""
    seen = bench.measure(case, loops, 1, random.random())
    if PROBES[case.probe].splits:  # pyperf is told the whole, with the collector
        return seen.timed_seconds / seen.blocks
    return seen.values[metric.name][0] * loops


def _add_options(parser: argparse.ArgumentParser, probe: Probe) -> None:
    group = parser.add_argument_group("the cell")
    strategies = [name for name, row in STRATEGIES.items() if probe.can_measure(row)]
    workloads = (probe.own_workload.name,) if probe.own_workload else tuple(WORKLOADS)
    pauses = tuple(PAUSES) if probe.pauses else (USUAL_PAUSE,)
    group.add_argument("--strategy", choices=strategies, default=BASELINE)
    group.add_argument("--limit", type=limit_of, metavar="N", help="at most so many at a time")
    group.add_argument("--workload", choices=workloads, default=workloads[0])
    group.add_argument("--tasks", type=task_count, default=1000, metavar="N")
    group.add_argument("--pause", choices=pauses, default=USUAL_PAUSE)
    group.add_argument("--loop", choices=EVENT_LOOPS, default=next(iter(EVENT_LOOPS)))
    group.add_argument("--task-factory", choices=TASK_FACTORIES, default=next(iter(TASK_FACTORIES)))
    group.add_argument("--collector", choices=COLLECTORS, default=USUAL_COLLECTOR)
    group.add_argument(
        "--metric", action="append", choices=probe.metric_names, help="default: all of them"
    )


def _forward(command: list[str], options: argparse.Namespace) -> None:
    """Pass our options on to pyperf's worker processes."""
    names = ("strategy", "limit", "workload", "tasks", "pause", "loop", "task_factory", "collector")
    for name in names:
        command.extend((f"--{name.replace('_', '-')}", str(getattr(options, name) or NO_LIMIT)))
    for metric in options.metric or ():
        command.extend(("--metric", metric))


def _refuse(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """Replaces argparse's own method, which also prints the usage: that of pyperf is long."""
    parser.exit(2, f"{parser.prog}: {message}\n")


def _check(parser: argparse.ArgumentParser, launcher: Launcher) -> None:
    """Exit where this Python cannot run the launcher."""
    for option, name, since in (
        ("--strategy", launcher.strategy, STRATEGIES[launcher.strategy].since),
        ("--task-factory", launcher.task_factory, TASK_FACTORIES[launcher.task_factory].since),
    ):
        if sys.version_info < since:
            parser.error(f"argument {option}: {name} needs Python {since[0]}.{since[1]}")
    strategy = STRATEGIES[launcher.strategy]
    if strategy.bounds != (launcher.limit is not None):
        needs = "needs a limit" if strategy.bounds else "takes no limit"
        parser.error(f"argument --limit: {launcher.strategy} {needs}")
    if strategy.package and find_spec(strategy.package) is None:
        parser.error(f"argument --strategy: {strategy.package} is not installed")
    if find_spec(EVENT_LOOPS[launcher.loop].module) is None:
        parser.error(f"argument --loop: {launcher.loop} is not installed")
    if refused := refusal(launcher.loop, launcher.task_factory):
        parser.error(f"argument --task-factory: {refused.reason}")
    if not COLLECTORS[launcher.collector].is_available:
        parser.error(f"argument --collector: this Python has no {launcher.collector} collector")


def limit_of(text: str) -> int | None:
    """An argument type: how many may be active at a time, or "none"."""
    try:
        return None if text == NO_LIMIT else task_count(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}, nor {NO_LIMIT!r}") from None


def task_count(text: str) -> int:
    """An argument type: a number of tasks, such as 1000 or 10_000."""
    digits = text.replace("_", "")
    if not digits.isdecimal() or not digits.strip("0"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of tasks (1 or more)")
    if len(digits) > len(str(MOST_TASKS)) or int(digits) > MOST_TASKS:
        raise argparse.ArgumentTypeError(f"{text!r} is too many tasks (at most {MOST_TASKS:_})")
    return int(digits)


if __name__ == "__main__":
    main(sys.argv[1:])
