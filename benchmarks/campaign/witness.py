"""``python -m benchmarks witness``: run the programs of ``benchmarks.programs`` on workers like a
campaign's, show where they hold, and keep that as ``witness.json``.
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
from benchmarks.campaign.arguments import add_choice, add_python_options, names_of
from benchmarks.campaign.conduct import Crew
from benchmarks.campaign.executors import Executor, LocalExecutor
from benchmarks.campaign.interpreters import available, prepare_all
from benchmarks.campaign.journal import JournalError, replace_file
from benchmarks.campaign.machine import Cores
from benchmarks.campaign.plan import contender_record
from benchmarks.campaign.workers import WorkerError
from benchmarks.cases import Contender, Launcher
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import reason_to_skip
from benchmarks.programs import PROGRAMS
from benchmarks.strategies import BASELINE, STRATEGIES

LIMIT_SECONDS = 30.0
"""After which a program counts as hung; each takes milliseconds."""
USUAL_LOOPS = tuple(name for name, row in EVENT_LOOPS.items() if not row.optional)
HOLDS, DOES_NOT_HOLD, NOT_POSSIBLE = "holds", "[red]does not hold[/]", "[dim]not possible[/]"


def add_witness_options(parser: argparse.ArgumentParser) -> None:
    """The knobs of ``witness``; lists may be repeated or separated by commas or blanks."""
    parser.add_argument(
        "programs",
        nargs="*",
        type=names_of(PROGRAMS),
        metavar="PROGRAM",
        help=f"which (default: all): {', '.join(PROGRAMS)}",
    )
    add_python_options(parser, "run them on")
    add_choice(parser, "--loop", "loops", EVENT_LOOPS, "event loops")
    add_choice(parser, "--task-factory", "task_factories", TASK_FACTORIES, "task factories")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help=f"folder to put {schema.WITNESS_FILE} into"
    )


def witness(options: argparse.Namespace, console: Console) -> int:
    """Run the programs and print where they hold; return 1 when one does not that should, or when
    none can be run.

    Raises InterpreterError, and JournalError where the file cannot be put.
    """
    if options.out is not None:
        _check_out(options.out)
    interpreters, missing = prepare_all(options.pythons, skip_missing=options.skip_missing)
    for skipped in missing:
        _say(console, f"skipped: {skipped.reason}", "yellow")
    chosen = {
        axis: tuple(dict.fromkeys(names))
        for axis in ("loops", "task_factories", "programs")
        if (names := list(itertools.chain.from_iterable(getattr(options, axis))))
    }
    with _executor(interpreters) as executor:
        found = run_programs(executor, interpreters, **chosen)
    if options.out is not None:
        replace_file(options.out / schema.WITNESS_FILE, schema.encode_pretty(found))
    show(found, Console())
    lines = failures(found)
    for line in lines:
        _say(console, f"does not hold: {line}", "red")
    nothing = all(run.holds is None for run in found.runs)
    if nothing:
        _say(console, "no program can be run", "red")
    return int(nothing or bool(lines))


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
    *,
    loops: Sequence[str] = USUAL_LOOPS,
    task_factories: Sequence[str] = tuple(TASK_FACTORIES),
    programs: Sequence[str] = tuple(PROGRAMS),
) -> schema.Witness:
    """Run programs, by their names, everywhere; each contender has a worker of its own."""
    asked = [PROGRAMS[name] for name in programs]
    planned = [
        schema.ProgramRun(
            interpreter=interpreter.name,
            loop=loop,
            task_factory=task_factory,
            program=program.name,
            strategy=strategy,
            holds=None,
            reason=reason_to_skip(
                available(interpreter), Launcher(loop, task_factory, strategy or BASELINE)
            )
            or "",
        )
        for interpreter, loop, task_factory, program in itertools.product(
            interpreters, loops, task_factories, asked
        )
        for strategy in (STRATEGIES if program.each_strategy else ("",))
    ]
    return schema.Witness(
        programs=tuple(
            schema.Program(name=row.name, summary=row.meaning, claim=row.claim) for row in asked
        ),
        runs=tuple(
            run
            for _, at_place in itertools.groupby(planned, _place)
            for run in _run_together(executor, list(at_place))
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


def _run_together(
    executor: Executor, planned: Sequence[schema.ProgramRun]
) -> Iterator[schema.ProgramRun]:
    """Run what can be run, by workers that are started at once."""
    contenders = {run: _contender(run) for run in planned if not run.reason}
    able = {contender.id: contender for contender in contenders.values()}
    with closing(Crew(executor, list(able.values()), random.Random())) as crew:
        for run in planned:
            yield _run(crew, contenders[run], run) if run in contenders else run


def _contender(run: schema.ProgramRun) -> schema.Contender:
    """A program that needs no strategy is run by the baseline's worker."""
    launcher = Launcher(run.loop, run.task_factory, run.strategy or BASELINE)
    return contender_record(Contender(run.interpreter, launcher, "contender"))


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


def _check_out(folder: Path) -> None:
    """Raise JournalError where ``witness.json`` cannot be put, or is already."""
    path = folder / schema.WITNESS_FILE
    if path.exists():
        raise JournalError(f"{path} exists already and is never overwritten")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(f"{folder} cannot be made: {error.strerror}") from None


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, soft_wrap=True, markup=False, highlight=False)
