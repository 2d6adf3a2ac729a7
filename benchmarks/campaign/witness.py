"""``python -m benchmarks witness``: run the programs of ``benchmarks.witnesses`` on every contender
and keep what they say as ``witness.json``.

They mostly sleep, so many processes run at once. Only few may be starting at a time: starting takes
a whole core, and would disturb those whose times are being written down.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from rich.console import Console

from benchmarks.campaign.arguments import add_choice, add_python_options, names_of
from benchmarks.campaign.interpreters import REPOSITORY, Interpreter, prepare_all
from benchmarks.campaign.journal import JournalError, replace_json
from benchmarks.campaign.plan import SCHEMA
from benchmarks.campaign.workers import INHERITED_VARIABLES
from benchmarks.cases import Launcher
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import reason_to_skip
from benchmarks.strategies import BASELINE, STRATEGIES
from benchmarks.witnesses import WITNESSES, Witness

FILE = "witness.json"
MOST_AT_ONCE = 64
"""Processes of some 15 MB each; nearly all of them are asleep."""
LIMIT_SECONDS = 60.0
"""After which a program counts as hung; the longest sleeps for 4.5 s."""

MOST_FAILURES = 20
"""Lines to say one by one; the table has them all."""

Answer = Mapping[str, Any]
"""What is said of one run: the fields of ``witness.json`` that do not identify it."""


@dataclass(frozen=True)
class Choice:
    """What is run, by names of the registries."""

    loops: tuple[str, ...] = tuple(name for name, row in EVENT_LOOPS.items() if not row.optional)
    task_factories: tuple[str, ...] = tuple(TASK_FACTORIES)
    programs: tuple[str, ...] = tuple(WITNESSES)


@dataclass(frozen=True)
class Run:
    """One program on one contender; ``strategy`` is empty where the program needs none."""

    interpreter: Interpreter
    loop: str
    task_factory: str
    program: Witness
    strategy: str

    @property
    def name(self) -> str:
        """What the measured process calls it."""
        return "/".join(filter(None, (self.program.name, self.strategy)))

    @property
    def process(self) -> tuple[str, ...]:
        """Runs that agree in this share a process."""
        alone = self.name if self.program.patient else ""
        return (self.interpreter.name, self.loop, self.task_factory, alone)

    @property
    def reason_to_skip(self) -> str | None:
        """Why it cannot be; None when it can."""
        launcher = Launcher(self.loop, self.task_factory, self.strategy or BASELINE)
        return reason_to_skip(self.interpreter.available, launcher)


@dataclass(frozen=True)
class Heard:
    """What became of a run: ``answer`` is what its process said, or why it said nothing."""

    run: Run
    answer: Answer

    @property
    def failure(self) -> str | None:
        """In a line, that it does not hold where it should; None when all is well."""
        expected, observed = self.answer["expected"], self.answer["observed"]
        # Without an expectation the program did not come to its end.
        if self.answer["holds"] is not False or (expected and not self.run.program.certain):
            return None
        run = self.run
        where = (run.interpreter.name, run.loop, run.task_factory, run.strategy)
        return f"{run.program.name} on {' / '.join(filter(None, where))}: {observed}" + (
            f"; expected was: {expected}" if expected else ""
        )

    def to_json(self) -> dict[str, Any]:
        """A run of ``witness.json``."""
        return {
            "interpreter": self.run.interpreter.name,
            "version": self.run.interpreter.version,
            "loop": self.run.loop,
            "task_factory": self.run.task_factory,
            "program": self.run.program.name,
            "strategy": self.run.strategy,
            **self.answer,
        }


def add_witness_options(parser: argparse.ArgumentParser) -> None:
    """The knobs of ``witness``; lists may be repeated or separated by commas or blanks."""
    parser.add_argument(
        "programs",
        nargs="*",
        type=names_of(WITNESSES),
        metavar="PROGRAM",
        help=f"which (default: all): {', '.join(WITNESSES)}",
    )
    add_python_options(parser, "run them on")
    add_choice(parser, "--loop", "loops", EVENT_LOOPS, "event loops")
    add_choice(parser, "--task-factory", "task_factories", TASK_FACTORIES, "task factories")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help=f"folder to put {FILE} into")


def witness(options: argparse.Namespace, console: Console) -> int:
    """Run the programs, show what they say; return 1 when one does not hold that should.

    Raises InterpreterError, and JournalError where the file cannot be put.
    """
    if options.out is not None:
        _check_out(options.out)
    choice = _choice(options)
    interpreters, missing = prepare_all(options.pythons, skip_missing=options.skip_missing)
    for skipped in missing:
        _say(console, f"skipped: {skipped.reason}", "yellow")
    names = ", ".join(interpreter.name for interpreter in interpreters)
    _say(console, f"running {len(choice.programs)} programs on {names}")
    heard = hear(interpreters, choice)
    content = to_json(choice, heard)
    if options.out is not None:
        replace_json(options.out / FILE, content)
    _show(content)
    failures = [line for one in heard if (line := one.failure) is not None]
    for line in failures[:MOST_FAILURES]:
        _say(console, f"does not hold: {line}", "red")
    if len(failures) > MOST_FAILURES:
        _say(console, f"and {len(failures) - MOST_FAILURES} more do not hold", "red")
    if all(one.answer["holds"] is None for one in heard):
        _say(console, "nothing can be run here", "red")
        return 1
    return int(bool(failures))


def write_witness(
    folder: Path, interpreters: Sequence[Interpreter], choice: Choice | None = None
) -> list[str]:
    """Run the programs and put ``witness.json`` into ``folder``, in place of an older one; return a
    line for each that does not hold and should. Raises OSError.
    """
    choice = choice or Choice()
    heard = hear(interpreters, choice)
    replace_json(folder / FILE, to_json(choice, heard))
    return [line for one in heard if (line := one.failure) is not None]


def hear(interpreters: Sequence[Interpreter], choice: Choice) -> list[Heard]:
    """Run all that is selected, many processes at once; return it in the order of the choice."""
    runs = list(_runs(interpreters, choice))
    reasons = {_key(run): run.reason_to_skip for run in runs}
    runnable = [run for run in runs if reasons[_key(run)] is None]
    sharing: dict[tuple[str, ...], list[Run]] = {}
    for run in runnable:
        sharing.setdefault(run.process, []).append(run)
    # Those that sleep for long begin first.
    errands = sorted(sharing.values(), key=lambda errand: not errand[0].program.patient)
    answers = {
        _key(run): answer
        for errand, said in zip(errands, _run_all(errands), strict=True)
        for run, answer in zip(errand, said, strict=True)
    }
    return [
        Heard(run, answers.get(_key(run)) or _no_answer(None, reason=reasons[_key(run)] or ""))
        for run in runs
    ]


def to_json(choice: Choice, heard: Sequence[Heard]) -> dict[str, Any]:
    """The content of ``witness.json``."""
    programs = [WITNESSES[name] for name in choice.programs]
    return {
        "schema": SCHEMA,
        "programs": [
            {"name": row.name, "summary": row.summary, "claim": row.claim} for row in programs
        ],
        "runs": [one.to_json() for one in heard],
    }


def _choice(options: argparse.Namespace) -> Choice:
    given = {
        name: tuple(dict.fromkeys(itertools.chain.from_iterable(getattr(options, name))))
        for name in ("loops", "task_factories", "programs")
    }
    return Choice(**{name: names for name, names in given.items() if names})


def _runs(interpreters: Sequence[Interpreter], choice: Choice) -> Iterator[Run]:
    for interpreter, loop, task_factory, name in itertools.product(
        interpreters, choice.loops, choice.task_factories, choice.programs
    ):
        program = WITNESSES[name]
        for strategy in STRATEGIES if program.each_strategy else ("",):
            yield Run(interpreter, loop, task_factory, program, strategy)


def _key(run: Run) -> tuple[str, ...]:
    return (run.interpreter.name, run.loop, run.task_factory, run.program.name, run.strategy)


def _no_answer(holds: Literal[False] | None, *, observed: str = "", reason: str = "") -> Answer:
    return {
        "holds": holds,
        "expected": "",
        "observed": observed,
        "reason": reason,
        "measured": {},
        "timeline": None,
    }


def _run_all(errands: Sequence[Sequence[Run]]) -> list[list[Answer]]:
    """The answers of every errand, which is a process, in order. Interrupted, it leaves none
    behind.
    """
    processes = _Processes()
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        try:
            return list(pool.map(processes.ask, errands))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop()
            raise


class _Processes:
    """Asks runs, a process for each errand, from many threads at once."""

    def __init__(self) -> None:
        self._starting = threading.Semaphore(os.cpu_count() or 1)
        self._changing = threading.Lock()
        self._alive: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def ask(self, errand: Sequence[Run]) -> list[Answer]:
        """The answers of an errand's runs, in order."""
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
            with self._starting:
                process = self._start(errand, log)
                assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
                expired = threading.Event()
                watchdog = threading.Timer(LIMIT_SECONDS, _expire, (process, expired))
                watchdog.start()
                process.stdout.readline()  # the empty line: everything has been imported
            try:
                said = _said(process.stdout)
                code = process.wait()
            finally:
                watchdog.cancel()
                self._end(process)
            cause = "" if len(said) == len(errand) else _cause(code, log, expired.is_set())
        return [said.get(run.name) or _no_answer(holds=False, observed=cause) for run in errand]

    def stop(self) -> None:
        """End every process, and start no more."""
        with self._changing:
            self._stopped = True
            for process in self._alive:
                process.kill()

    def _start(self, errand: Sequence[Run], log: IO[str]) -> subprocess.Popen[str]:
        first = errand[0]
        with self._changing:
            if self._stopped:
                raise KeyboardInterrupt
            process = subprocess.Popen(
                [
                    first.interpreter.executable, "-m", "benchmarks.witnesses",
                    first.loop, first.task_factory, *(run.name for run in errand),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=REPOSITORY,
                env={name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ},
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # Ctrl-C is the driver's to handle
            )  # fmt: skip
            self._alive.add(process)
        return process

    def _end(self, process: subprocess.Popen[str]) -> None:
        with self._changing:
            self._alive.discard(process)
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _expire(process: subprocess.Popen[str], expired: threading.Event) -> None:
    expired.set()
    process.kill()


def _said(lines: Iterable[str]) -> dict[str, Answer]:
    """What a process says, by the name of the run; what is no answer is left out."""
    said: dict[str, Answer] = {}
    for line in lines:
        try:
            answer = json.loads(line)
            name = "/".join(filter(None, (answer.pop("program"), answer.pop("strategy"))))
            said[name] = {**_no_answer(holds=False), **answer}
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return said


def _cause(code: int, log: IO[str], expired: bool) -> str:
    """Why a process has not answered for all of its runs."""
    if expired:
        return f"no answer within {LIMIT_SECONDS:g} s, killed"
    log.seek(0)
    lines = [line.strip() for line in log if line.strip()]
    return f"the process ended with exit code {code}" + (f": {lines[-1]}" if lines else "")


def _check_out(folder: Path) -> None:
    """Raise JournalError where ``witness.json`` cannot be put, or is already."""
    if (folder / FILE).exists():
        raise JournalError(f"{folder / FILE} exists already and is never overwritten")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(f"{folder} cannot be made: {error.strerror}") from None


def _show(content: Mapping[str, Any]) -> None:
    """Print the table of behaviours, as the report has it."""
    from analysis import terminal  # pandas, which a campaign does without
    from analysis.validate import Problems
    from analysis.witness_file import witness_of

    terminal.show_witness(witness_of(content, Problems()), terminal.console())


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, soft_wrap=True, markup=False, highlight=False)
