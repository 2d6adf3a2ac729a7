"""``python -m benchmarks witness``: run the programs of ``benchmarks.programs`` on workers like a
campaign's, and show where they hold. A campaign keeps that as ``witness.json``.
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from benchmarks.campaign import schema
from benchmarks.campaign.arguments import add_python_options, names_of
from benchmarks.campaign.conduct import Crew
from benchmarks.campaign.executors import Executor, LocalExecutor
from benchmarks.campaign.interpreters import prepare_all
from benchmarks.campaign.journal import replace_file
from benchmarks.campaign.machine import Cores
from benchmarks.campaign.workers import WorkerError
from benchmarks.cases import Launcher
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import ALL, contender_of, reason_to_skip
from benchmarks.programs import PROGRAMS, Program
from benchmarks.strategies import BASELINE

LIMIT_SECONDS = 30.0
"""After which a program counts as hung; each takes milliseconds."""
PLACES = tuple(
    itertools.product(
        (name for name, row in EVENT_LOOPS.items() if not row.optional), TASK_FACTORIES
    )
)
"""Event loops and task factories that programs run on."""
HOLDS, DOES_NOT_HOLD, NOT_POSSIBLE = "holds", "[red]does not hold[/]", "[dim]not possible[/]"


def add_witness_options(parser: argparse.ArgumentParser) -> None:
    """The knobs of ``witness``."""
    parser.add_argument(
        "programs",
        nargs="*",
        type=names_of(PROGRAMS),
        metavar="PROGRAM",
        help=f"which (default: all): {', '.join(PROGRAMS)}",
    )
    add_python_options(parser, "run them on")


def witness(options: argparse.Namespace, console: Console) -> int:
    """Run the programs and print where they hold; return 1 when one does not that should, or when
    none can be run. Raises InterpreterError.
    """
    interpreters, missing = prepare_all(options.pythons, skip_missing=options.skip_missing)
    for skipped in missing:
        _say(console, f"skipped: {skipped.reason}", "yellow")
    asked = tuple(dict.fromkeys(itertools.chain.from_iterable(options.programs)))
    with _executor(interpreters) as executor:
        found = run_programs(executor, interpreters, asked or tuple(PROGRAMS))
    show(found, Console())
    lines = [f"does not hold: {line}" for line in failures(found)]
    if all(run.holds is None for run in found.runs):
        lines.append("no program can be run")
    for line in lines:
        _say(console, line, "red")
    return int(bool(lines))


def write_witness(folder: Path, interpreters: Sequence[schema.Interpreter]) -> list[str]:
    """Run the programs and put ``witness.json`` into ``folder``, in place of an older one; return a
    line for each that does not hold and should. Raises OSError.
    """
    with _executor(interpreters) as executor:
        found = run_programs(executor, interpreters)
    replace_file(folder / schema.WITNESS_FILE, schema.encode_pretty(found))
    return failures(found)


def run_programs(
    executor: Executor,
    interpreters: Sequence[schema.Interpreter],
    programs: Sequence[str] = tuple(PROGRAMS),
) -> schema.Witness:
    """Run programs, by their names, everywhere; each contender has a worker of its own."""
    asked = [PROGRAMS[name] for name in programs]
    return schema.Witness(
        programs=tuple(
            schema.Program(name=row.name, summary=row.meaning, claim=row.claim) for row in asked
        ),
        runs=tuple(
            run
            for interpreter, (loop, task_factory) in itertools.product(interpreters, PLACES)
            for run in _runs_at(executor, interpreter, loop, task_factory, asked)
        ),
    )


def failures(found: schema.Witness) -> list[str]:
    """A line for each run that does not hold and should. A program that is not certain only has to
    come to its end.
    """
    return [
        f"{run.program} on {' / '.join(filter(None, (*_place(run), run.strategy)))}: {run.observed}"
        + (f"; expected: {run.expected}" if run.expected else "")
        for run in found.runs
        if run.holds is False and (PROGRAMS[run.program].certain or not run.expected)
    ]


def show(found: schema.Witness, console: Console) -> None:
    """Print a row for each program and strategy, and a column for each Python, event loop and task
    factory. Those whose cells are the same share one; where nothing can be run, there is none.
    """
    cells: dict[tuple[str, str, str], list[str]] = {}
    for run in found.runs:
        cell = {True: HOLDS, False: DOES_NOT_HOLD, None: NOT_POSSIBLE}[run.holds]
        cells.setdefault(_place(run), []).append(cell)
    columns: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for (interpreter, *where), column in cells.items():
        if set(column) != {NOT_POSSIBLE}:
            pythons = columns.setdefault(tuple(column), {}).setdefault(" ".join(where), [])
            pythons.append(interpreter.removeprefix("cpython-"))
    heads = (
        "\n".join(f"{where}: {', '.join(pythons)}" for where, pythons in places.items())
        for places in columns.values()
    )
    table = Table("program", "strategy", *heads)
    rows = dict.fromkeys((run.program, run.strategy) for run in found.runs)
    for row, *of_row in zip(rows, *columns, strict=True):
        table.add_row(*row, *of_row)
    console.print(table)
    for program in found.programs:
        _say(console, f"{program.name}: {program.claim}")
    for reason in dict.fromkeys(run.reason for run in found.runs if run.reason):
        _say(console, f"not possible: {reason}", "dim")


def _executor(interpreters: Sequence[schema.Interpreter]) -> LocalExecutor:
    """Not pinned: nothing is timed."""
    return LocalExecutor(interpreters, Cores(None, frozenset()), LIMIT_SECONDS)


def _runs_at(
    executor: Executor,
    interpreter: schema.Interpreter,
    loop: str,
    task_factory: str,
    programs: Sequence[Program],
) -> Iterator[schema.ProgramRun]:
    """The runs at one place, by workers that are started at once. A program that needs no strategy
    is run by the baseline's worker.
    """
    able, reasons = {}, {}
    for strategy in ALL if any(row.each_strategy for row in programs) else (BASELINE,):
        launcher = Launcher(loop, task_factory, strategy)
        if reason := reason_to_skip(interpreter, launcher):
            reasons[strategy] = reason
        else:
            able[strategy] = contender_of(interpreter.name, launcher)
    with closing(Crew(executor, list(able.values()), random.Random())) as crew:
        for program in programs:
            for strategy in ALL if program.each_strategy else ("",):
                run = schema.ProgramRun(
                    interpreter=interpreter.name,
                    loop=loop,
                    task_factory=task_factory,
                    program=program.name,
                    strategy=strategy,
                    holds=None,
                    reason=reasons.get(strategy or BASELINE, ""),
                )
                yield run if run.reason else _run(crew, able[strategy or BASELINE], run)


def _run(crew: Crew, contender: schema.Contender, run: schema.ProgramRun) -> schema.ProgramRun:
    """Run a program; that it raised, or that its worker did not live through it, is observed."""
    try:
        said = crew.worker(contender).run_program(run.program)
    except WorkerError as error:
        if not error.alive:
            crew.lost(contender.id)
        return replace(run, holds=False, observed=error.cause)
    holds = said.expected == said.observed
    return replace(run, holds=holds, expected=said.expected, observed=said.observed)


def _place(run: schema.ProgramRun) -> tuple[str, str, str]:
    return (run.interpreter, run.loop, run.task_factory)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, soft_wrap=True, markup=False, highlight=False)
