"""``python -m benchmarks``: run and resume campaigns, run the witness programs, list choices,
measure the harness.

Exit codes: 0 all went well, 1 something failed, 2 bad usage, 130 interrupted. What was measured is
kept in each case.
"""

from __future__ import annotations

import argparse
import dataclasses
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from rich.console import Console

from benchmarks import matrix
from benchmarks.campaign import arguments, harness
from benchmarks.campaign.conduct import Conductor, Environment, now
from benchmarks.campaign.executors import LocalExecutor
from benchmarks.campaign.interpreters import REPOSITORY, InterpreterError, prepare_all
from benchmarks.campaign.journal import Journal, JournalError, State
from benchmarks.campaign.machine import allot_cores, machine_facts
from benchmarks.campaign.plan import TURN_LIMIT_SECONDS, Plan, code_hash
from benchmarks.campaign.progress import observing
from benchmarks.campaign.suites import write_suites
from benchmarks.campaign.witness import add_witness_options, witness, write_witness
from benchmarks.collectors import COLLECTORS
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.strategies import STRATEGIES
from benchmarks.witnesses import WITNESSES

FAILED, BAD_USAGE, INTERRUPTED = 1, 2, 130
RESULTS = REPOSITORY / "results"


def main(arguments_: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    parser, options = _parse(arguments_)
    # A job that is cancelled keeps its rounds, as one that is interrupted does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=True)
    try:
        match options.command:
            case "run":
                return run(arguments.run_options(options), console)
            case "resume":
                return resume(options.folder, options.budget, console, arguments.manner(options))
            case "list":
                return list_choices(options.pythons)
            case "witness":
                return witness(options, console)
            case _:
                return harness.main(options.figures, console)
    except (InterpreterError, JournalError, arguments.UsageError) as error:
        parser.exit(BAD_USAGE, f"{parser.prog} {options.command}: {error}\n")
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        console.print(
            f"{error.strerror or error}{where}; every line synced so far stays readable",
            soft_wrap=True,
            markup=False,
        )
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def run(options: arguments.RunOptions, console: Console) -> int:
    """Plan a campaign, conduct it, and show its answer; return the exit code."""
    interpreters, missing = prepare_all(options.pythons, skip_missing=options.skip_missing)
    laid_out = matrix.lay_out(
        [interpreter.available for interpreter in interpreters], options.selections
    )
    skipped = (*missing, *laid_out.skipped)
    for row in missing:
        console.print(f"skipped: {row.reason}", style="yellow", soft_wrap=True)
    if not laid_out.contenders:
        raise InterpreterError(
            "nothing can be measured: " + "; ".join(dict.fromkeys(row.reason for row in skipped))
        )
    created = datetime.now(timezone.utc)
    folder = options.out or RESULTS / f"{created:%Y%m%d-%H%M%S}-{options.preset}"
    plan = Plan(
        name=folder.name,
        preset=options.preset,
        seed=secrets.randbits(32) if options.seed is None else options.seed,
        budget_seconds=options.budget_seconds,
        precision=options.precision,
        turn_limit_seconds=options.turn_limit_seconds,
        code_hash=code_hash(),
        created=now(),
        machine=machine_facts(allot_cores()),
        interpreters=interpreters,
        contenders=laid_out.contenders,
        cases=laid_out.cases,
        skipped=skipped,
        blocks=laid_out.blocks,
    )
    journal = Journal.create(folder)
    with journal.locked():
        journal.save(plan, State())
        conducted = _conduct(plan, journal, None, console, options.manner)
    return _tell(journal, conducted, options.manner)


def resume(
    folder: Path, budget_seconds: float | None, console: Console, manner: arguments.Manner
) -> int:
    """Go on with a campaign where its journal ends; ``budget_seconds`` is a new total."""
    journal = Journal(folder)
    with journal.locked():  # before anything is read: another process may be writing it
        plan, state = journal.load()
        _check_resumable(plan, folder)
        journal.drop_unfinished_line()
        if budget_seconds is not None:
            plan = dataclasses.replace(plan, budget_seconds=budget_seconds)
        conducted = _conduct(plan, journal, state, console, manner)
    return _tell(journal, conducted, manner)


def _check_resumable(plan: Plan, folder: Path) -> None:
    """Raise JournalError when what is measured now would not be what was measured before."""
    if plan.code_hash != code_hash():
        raise JournalError(f"{folder}: the measured code has changed since; start a new campaign")
    if plan.machine["id"] != machine_facts(allot_cores())["id"]:
        raise JournalError(f"{folder}: it was measured on another machine; start a new campaign")
    for interpreter in plan.interpreters:
        if not interpreter.executable.exists():
            raise JournalError(
                f"{folder}: the environment of {interpreter.name} is gone; start a new campaign"
            )


def list_choices(pythons: Sequence[str]) -> int:
    """Print everything that can be chosen and, for what the interpreters cannot run, why."""
    interpreters, missing = prepare_all(pythons, skip_missing=True)
    console = Console()
    everything = matrix.Selection(
        loops=tuple(EVENT_LOOPS),
        task_factories=tuple(TASK_FACTORIES),
        strategies=tuple(STRATEGIES),
        collectors=tuple(COLLECTORS),
    )
    skipped = matrix.lay_out([row.available for row in interpreters], [everything]).skipped
    programs = {row.name: row.summary for row in WITNESSES.values()}
    for heading, rows in (*matrix.choices(), ("programs", programs)):
        console.print(heading, style="bold")
        for name, summary in rows.items():
            console.print(f"  {name:<18} {summary}", highlight=False, markup=False, soft_wrap=True)
    console.print("pythons", style="bold")
    for interpreter in interpreters:
        packages = ", ".join(f"{name} {version}" for name, version in interpreter.packages.items())
        console.print(f"  {interpreter.name:<18} {packages}", highlight=False, markup=False)
    reasons = dict.fromkeys(row.reason for row in (*missing, *skipped))
    console.print("cannot be measured here", style="bold")
    for reason in reasons or {"nothing: all of it can be": None}:
        console.print(f"  {reason}", highlight=False, markup=False, soft_wrap=True)
    return 0


@dataclass(frozen=True)
class Conducted:
    """How a campaign came out: its exit code, and whether there is anything to show."""

    code: int
    failed: bool
    has_answer: bool


def _conduct(
    plan: Plan, journal: Journal, state: State | None, console: Console, manner: arguments.Manner
) -> Conducted:
    """Conduct the plan; whatever ends it, what was measured is written as suites."""
    code = 0
    with (
        observing(console, quiet=manner.quiet) as observer,
        LocalExecutor(plan.interpreters, allot_cores(), plan.turn_limit_seconds) as executor,
    ):
        conductor = Conductor(plan, Environment(executor, journal, observer), state)
        try:
            conductor.run()
        except KeyboardInterrupt:
            code = INTERRUPTED
    if code == 0 and not (conductor.state.rounds or conductor.state.failed):
        console.print("nothing was measured: the budget ended before the first round; give more")
        return Conducted(FAILED, failed=True, has_answer=False)
    write_suites(journal.folder, plan, conductor.state, journal.records())
    if code == 0 and plan.preset in matrix.PRESETS and matrix.PRESETS[plan.preset].witness:
        for line in write_witness(journal.folder, plan.interpreters):
            console.print(f"does not hold: {line}", style="red", markup=False, soft_wrap=True)
            code = FAILED
    return Conducted(code, failed=bool(conductor.state.failed), has_answer=True)


def _tell(journal: Journal, conducted: Conducted, manner: arguments.Manner) -> int:
    """Show the answer, or where it is; return the exit code."""
    if not conducted.has_answer:
        return conducted.code
    if manner.report:
        shown = _show(journal.folder, manner.baseline_python)
    else:
        print(journal.folder)
        shown = 0
    return conducted.code or (FAILED if conducted.failed else shown)


def _show(folder: Path, baseline_python: str | None) -> int:
    """Print the answer and write the report: the analysis reads the folder, nothing else."""
    command = [sys.executable, "-m", "analysis", "report", str(folder.resolve())]
    if baseline_python is not None:
        command.append(f"--baseline-python={baseline_python}")
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode


def _parse(arguments_: Sequence[str] | None) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = arguments.Parser(prog="python -m benchmarks", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run_parser = commands.add_parser(
        "run", help="run a campaign and show its answer", allow_abbrev=False
    )
    arguments.add_run_options(run_parser, TURN_LIMIT_SECONDS)
    resume_parser = commands.add_parser("resume", help="go on with an interrupted campaign")
    resume_parser.add_argument("folder", type=Path, help="its results folder")
    resume_parser.add_argument(
        "--budget", type=arguments.duration, metavar="TIME", help="a new total budget"
    )
    arguments.add_manner_options(resume_parser)
    list_parser = commands.add_parser("list", help="show everything that can be chosen")
    list_parser.add_argument(
        "--python", dest="pythons", action="append", default=[], metavar="PYTHON"
    )
    add_witness_options(
        commands.add_parser(
            "witness",
            help="run the small programs that show how tasks behave",
            allow_abbrev=False,
        )
    )
    harness_parser = commands.add_parser("harness", help="measure the harness itself")
    harness_parser.add_argument("figures", nargs="*", metavar="FIGURE", help="default: all")
    return parser, parser.parse_args(arguments_)


if __name__ == "__main__":
    sys.exit(main())
