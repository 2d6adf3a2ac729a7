"""``python -m benchmarks``: run and resume campaigns, run the witness programs, list choices, make
pyperf suites.

Exit codes: 0 all went well, 1 something failed, 2 bad usage, 130 interrupted. What was measured is
kept in each case.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.util import find_spec
from pathlib import Path

if find_spec("msgspec") is None:
    sys.stderr.write(
        "this Python lacks the suite's packages: run make bench once, which installs them, then "
        ".venv/bin/python -m benchmarks\n"
    )
    sys.exit(2)

from msgspec.structs import replace
from rich.console import Console

from benchmarks import matrix
from benchmarks.campaign import arguments, own, schema
from benchmarks.campaign.conduct import Conductor, now
from benchmarks.campaign.executors import LocalExecutor
from benchmarks.campaign.interpreters import REPOSITORY, InterpreterError, executable, prepare_all
from benchmarks.campaign.journal import Journal, JournalError
from benchmarks.campaign.machine import (
    REFERENCE_LOAD,
    allot_cores,
    busy_processes,
    load_average,
    machine_facts,
)
from benchmarks.campaign.plan import case_record, definitions
from benchmarks.campaign.progress import observing
from benchmarks.campaign.schema import Plan
from benchmarks.campaign.suites import write_suites
from benchmarks.campaign.witness import add_witness_options, witness, write_witness
from benchmarks.campaign.workers import OwnCode, end_as_interrupted
from benchmarks.collectors import COLLECTORS
from benchmarks.fingerprint import fingerprint
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.own import Own, OwnCodeError
from benchmarks.programs import PROGRAMS
from benchmarks.strategies import BASELINE, STRATEGIES

FAILED, BAD_USAGE, INTERRUPTED = 1, 2, 130
RESULTS = REPOSITORY / "results"


class CampaignError(Exception):
    """A campaign that ended before it should; the message is one line."""


def main(arguments_: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    parser, options = _parse(arguments_)
    end_as_interrupted()
    console = Console(stderr=True)
    try:
        match options.command:
            case "run":
                return run(arguments.run_options(options), console)
            case "resume":
                return resume(options, console)
            case "list":
                return list_choices(options.pythons)
            case "suites":
                return make_suites(options.folder)
            case _:
                return witness(options, console)
    except (
        InterpreterError,
        JournalError,
        arguments.UsageError,
        OwnCodeError,
        matrix.MatrixError,
        schema.UnknownPythonError,
    ) as error:
        parser.exit(BAD_USAGE, f"{parser.prog} {options.command}: {error}\n")
    except (CampaignError, OSError) as error:
        said = _said(error) if isinstance(error, OSError) else str(error)
        console.print(said, soft_wrap=True, markup=False, highlight=False)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _said(error: OSError) -> str:
    return f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"


def run(options: arguments.RunOptions, console: Console) -> int:
    """Plan a campaign, conduct it, and show its answer; return the exit code."""
    matrix.check(options.selections)
    folder = options.out or RESULTS / f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{options.preset}"
    if options.own and _is_reference(folder):
        raise arguments.UsageError(f"{folder} is to be published, which your own code is not for")
    interpreters, missing = prepare_all(
        options.pythons,
        skip_missing=options.skip_missing,
        wanted=options.wanted,
        variables=options.variables,
    )
    functions, selections = _tried(options, interpreters, console)
    laid_out = matrix.lay_out(interpreters, selections)
    skipped = (*missing, *laid_out.skipped)
    for row in missing:
        console.print(f"skipped: {row.reason}", style="yellow", soft_wrap=True, markup=False)
    # Where all that was to be compared is skipped, the baseline alone tells nothing.
    asked = {name for part in selections for name, _ in part.launches()} - {BASELINE}
    measured = {row.strategy for row in laid_out.contenders}
    if not measured or (asked and measured.isdisjoint(asked)):
        raise InterpreterError(
            "nothing can be measured: " + "; ".join(dict.fromkeys(row.reason for row in skipped))
        )
    cases = tuple(map(case_record, laid_out.cases))
    plan = Plan(
        name=folder.name,
        preset=options.preset,
        seed=secrets.randbits(32) if options.seed is None else options.seed,
        budget_seconds=options.budget_seconds,
        precision=options.precision,
        turn_limit_seconds=options.turn_limit_seconds,
        slice_seconds=options.slice_seconds,
        cooldown_seconds=options.cooldown_seconds,
        code_hash=fingerprint(),
        created=now(),
        machine=machine_facts(allot_cores()),
        interpreters=interpreters,
        contenders=laid_out.contenders,
        cases=cases,
        skipped=skipped,
        blocks=laid_out.blocks,
        definitions=definitions(laid_out.contenders, cases),
        own=own.record(functions),
        requirements=tuple(map(own.without_paths, options.wanted)),
        variables=options.variables,
        status="running",
    )
    _check_baseline(plan, options.manner)
    if not folder.exists():  # which Journal says better
        _check_quiet(folder, options.manner, console)
        plan = replace(plan, created=now(), machine=machine_facts(allot_cores()))
    journal = Journal.create(folder)
    with journal.locked():
        journal.save(plan)
        own_code = OwnCode([one.argument for one in functions], options.variables)
        code = _conduct(plan, journal, console, options.manner, own_code)
    shown = _show(journal.folder, options.manner)
    return code or shown


def _tried(
    options: arguments.RunOptions, interpreters: Sequence[schema.Interpreter], console: Console
) -> tuple[tuple[Own, ...], tuple[matrix.Selection, ...]]:
    """The user's own functions after a try on the first interpreter, and what is measured of them:
    no more tasks than the budget is enough for, unless their numbers were given.
    """
    results = [
        own.tried(one, interpreters[0], options.variables) for one in options.own if interpreters
    ]
    said = [remark for one in results for remark in one.remarks()]
    failed = {one.own.name for one in results if one.failed}
    measured = {name for part in options.selections for name in part.workloads}
    if failed and measured <= failed and len(interpreters) == 1:
        raise OwnCodeError(said[0])
    functions = tuple(one.own for one in results)
    selections = options.selections
    if functions and not options.tasks_given:
        selections = tuple(
            own.affordable(part, functions, options.budget_seconds, len(interpreters))
            for part in selections
        )
        less = (
            set(before.tasks) - set(after.tasks)
            for before, after in zip(options.selections, selections, strict=True)
        )
        if dear := sorted(set[int]().union(*less)):
            counts = ", ".join(f"{tasks:,}" for tasks in dear)
            said.append(f"n = {counts}: too much for the budget; --tasks measures it all the same")
    for line in said:
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    return functions, selections


def resume(options: argparse.Namespace, console: Console) -> int:
    """Go on with a campaign where its journal ends; the budget is a new total."""
    folder, budget_seconds = options.folder, options.budget
    manner = arguments.manner(options)
    functions = [one for items in options.own for one in items]
    journal = Journal(folder)
    with journal.locked():  # before anything is read: another process may be writing it
        plan = journal.load()
        _check_resumable(plan, folder, functions)
        _check_baseline(plan, manner)
        _check_quiet(folder, manner, console)
        if (budget_seconds or plan.budget_seconds) <= plan.elapsed_seconds:
            raise arguments.UsageError(
                f"{folder}: {plan.elapsed_seconds:.0f} s are spent, all of its budget; "
                "--budget TIME is a new total"
            )
        journal.drop_unfinished_line()
        if budget_seconds is not None:
            # What the old budget was too small for is tried again, unless there are rounds: means
            # are made of those that have every case.
            plan = replace(plan, budget_seconds=budget_seconds)
            if not plan.rounds:
                plan = replace(plan, cases=tuple(replace(case, left_out="") for case in plan.cases))
        planned = (one.argument for one in own.as_planned(functions, plan))
        own_code = OwnCode([*planned], plan.variables)
        code = _conduct(plan, journal, console, manner, own_code)
        if journal.load().rounds == plan.rounds and not code:
            why = "all is as precise as was asked for, or the budget that is left holds no round"
            console.print(f"nothing was added: {why}", style="yellow", soft_wrap=True)
    shown = _show(journal.folder, manner)
    return code or shown


def _check_resumable(plan: Plan, folder: Path, functions: Sequence[Own]) -> None:
    """Raise JournalError when what is measured now would not be what was measured before."""
    if plan.code_hash != fingerprint():
        raise JournalError(f"{folder}: the measured code has changed since; start a new campaign")
    if plan.machine.get("id") != machine_facts(allot_cores())["id"]:
        raise JournalError(f"{folder}: it was measured on another machine; start a new campaign")
    for name in plan.variables:
        if name not in os.environ:
            raise JournalError(
                f"{folder}: it was measured with the variable {name}, which is unset"
            )
    given = {one.name: one.sha256 for one in own.record(functions)}
    for one in plan.own:
        if one.name not in given:
            how = f"--{one.kind} FILE.py:NAME"
            raise JournalError(f"{folder}: {one.name} was measured and is not given: {how}")
        if one.sha256 != given[one.name]:
            said = f"the file of {one.name} has changed since it was measured"
            raise JournalError(f"{folder}: {said}; start a new campaign")
    for interpreter in plan.interpreters:
        if not executable(interpreter).exists():
            raise JournalError(
                f"{folder}: the environment of {interpreter.name} is gone; start a new campaign"
            )


def _check_baseline(plan: Plan, manner: arguments.Manner) -> None:
    """Raise UnknownPythonError now rather than when the budget is spent."""
    if manner.report and manner.baseline_python is not None:
        schema.python_called(manner.baseline_python, plan.interpreters)


def _check_quiet(folder: Path, manner: arguments.Manner, console: Console) -> None:
    """Say what else uses the machine, and wait for it as long as was asked for. Raises UsageError
    when a campaign that is to be published would be disturbed.
    """
    until = time.monotonic() + manner.wait_seconds
    waits = False
    while True:
        others, load = busy_processes(), load_average()
        is_loud = _is_reference(folder) and load > REFERENCE_LOAD
        if not (others or is_loud) or time.monotonic() >= until:
            break
        if not (waits or manner.quiet):
            console.print(f"waiting up to {manner.wait_seconds:.0f} s until nothing else runs")
        waits = True
        time.sleep(1)
    if is_loud:
        raise arguments.UsageError(
            f"{folder} is to be published, and the machine has a load of {load:.2f}; it takes one "
            f"of at most {REFERENCE_LOAD}: --wait 10m waits for it"
        )
    if others and not manner.quiet:
        named = ", ".join(f"{name} ({share:.0%} of a core)" for name, share in others.items())
        advice = "waited in vain" if waits else "--wait 5m (make: WAIT=5m) would wait for it"
        said = f"also running: {named}; {advice}"
        console.print(said, style="yellow", soft_wrap=True, markup=False, highlight=False)


def _is_reference(folder: Path) -> bool:
    """Whether a campaign there is to be published."""
    return (RESULTS / "reference") in folder.resolve().parents


def make_suites(folder: Path) -> int:
    """Write the pyperf suites of a campaign again, from its journal, and print their paths."""
    journal = Journal(folder)
    with journal.locked():
        plan = journal.load()
        for path in write_suites(folder, plan, journal.lines(plan)):
            print(path)
    return 0


def list_choices(pythons: Sequence[str]) -> int:
    """Print everything that can be chosen and, for what the interpreters cannot run, why."""
    interpreters, missing = prepare_all(pythons, skip_missing=True)
    console = Console()
    everything = matrix.Selection(
        loops=tuple(EVENT_LOOPS),
        task_factories=tuple(TASK_FACTORIES),
        strategies=tuple(STRATEGIES),
        collectors=tuple(COLLECTORS),
        limits=(1,),
    )
    skipped = matrix.lay_out(interpreters, [everything]).skipped
    sections = {
        **matrix.choices(),
        "programs": {row.name: row.meaning for row in PROGRAMS.values()},
        "pythons": {
            row.name: ", ".join(f"{name} {version}" for name, version in row.packages.items())
            for row in interpreters
        },
    }
    for heading, rows in sections.items():
        console.print(heading, style="bold")
        for name, meaning in rows.items():
            console.print(f"  {name:<18} {meaning}", highlight=False, markup=False, soft_wrap=True)
    console.print("cannot be measured here", style="bold")
    reasons = dict.fromkeys(row.reason for row in (*missing, *skipped))
    for reason in reasons or ("nothing: everything can be measured",):
        console.print(f"  {reason}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _conduct(
    plan: Plan,
    journal: Journal,
    console: Console,
    manner: arguments.Manner,
    own_code: OwnCode,
) -> int:
    """Conduct the plan; return the exit code. Whatever ends it, what was measured is written as
    suites, if the disk has room. Raises CampaignError.
    """
    code = 0
    with (
        observing(console, plan.precision, journal.folder, quiet=manner.quiet) as observer,
        LocalExecutor(
            plan.interpreters,
            allot_cores(),
            plan.turn_limit_seconds,
            own_code,
        ) as executor,
    ):
        conductor = Conductor(plan, executor, journal, observer)
        try:
            conductor.run()
        except KeyboardInterrupt:
            code = INTERRUPTED
            how = f"{os.path.relpath(sys.executable)} -m benchmarks resume {journal.folder}"
            said = f"stopped; {how} goes on (--budget TIME: a new total)"
            console.print(said, soft_wrap=True, markup=False, highlight=False)
        except OSError as error:
            with contextlib.suppress(OSError):
                write_suites(journal.folder, conductor.plan, journal.lines(conductor.plan))
            how = f"{os.path.relpath(sys.executable)} -m analysis report {journal.folder}"
            said = f"{_said(error)}; every line synced so far stays readable: {how}"
            raise CampaignError(said) from error
    plan = conductor.plan
    for case in plan.cases:
        if case.left_out and not manner.quiet:
            said = f"left out: {case.id}: {case.left_out}"
            console.print(said, style="yellow", soft_wrap=True, markup=False, highlight=False)
    if code == 0 and not (plan.rounds or plan.failed):
        raise CampaignError(
            "nothing was measured: the budget ended before the first round; give more"
        )
    write_suites(journal.folder, plan, journal.lines(plan))
    if code == 0 and plan.preset in matrix.PRESETS and matrix.PRESETS[plan.preset].witness:
        for line in write_witness(journal.folder, plan.interpreters):
            console.print(f"does not hold: {line}", style="red", markup=False, soft_wrap=True)
            code = FAILED
    return code or (FAILED if plan.failed else 0)


def _show(folder: Path, manner: arguments.Manner) -> int:
    """Print the answer and write the report, or print where the results are; return the exit code.
    The analysis reads the folder, nothing else.
    """
    if not manner.report:
        print(folder)
        return 0
    command = [sys.executable, "-m", "analysis", "report", str(folder.resolve())]
    if manner.baseline_python is not None:
        command.append(f"--baseline-python={manner.baseline_python}")
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode


def _parse(arguments_: Sequence[str] | None) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = arguments.Parser(prog="python -m benchmarks", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run_parser = commands.add_parser(
        "run", help="run a campaign and show its answer", allow_abbrev=False
    )
    arguments.add_run_options(run_parser)
    resume_parser = commands.add_parser("resume", help="go on with an interrupted campaign")
    resume_parser.add_argument("folder", type=Path, help="its results folder")
    resume_parser.add_argument(
        "--budget",
        type=arguments.duration,
        metavar="TIME",
        help="a new total, with what is spent",
    )
    arguments.add_own_options(resume_parser)
    arguments.add_manner_options(resume_parser)
    list_parser = commands.add_parser("list", help="show everything that can be chosen")
    list_parser.add_argument(
        "--python", dest="pythons", action="append", default=[], metavar="PYTHON"
    )
    suites_parser = commands.add_parser(
        "suites", help="make a campaign's pyperf suites again from its journal"
    )
    suites_parser.add_argument("folder", type=Path, help="its results folder")
    witness_parser = commands.add_parser(
        "witness", help="run the small programs that show how tasks behave", allow_abbrev=False
    )
    add_witness_options(witness_parser)
    return parser, parser.parse_args(arguments_)


if __name__ == "__main__":
    sys.exit(main())
