"""``python -m benchmarks witness``: processes, files and exit codes; what is said is pretended."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analysis.validate import Problems
from analysis.witness_file import read_witness
from benchmarks.campaign import arguments, interpreters
from benchmarks.campaign import witness as module
from benchmarks.campaign.interpreters import Interpreter
from benchmarks.campaign.journal import JournalError
from benchmarks.campaign.witness import (
    FILE,
    Choice,
    add_witness_options,
    hear,
    to_json,
    witness,
    write_witness,
)
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.strategies import STRATEGIES
from benchmarks.witnesses import WITNESSES
from tests.repository import run_python

ASYNCIO_ONLY = Choice(("asyncio",), ("lazy",), ("gather_twice", "gather_none"))
QUICK = tuple(name for name, program in WITNESSES.items() if not program.patient)

Pretend = Callable[..., Interpreter]


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Makes an interpreter whose Python runs a program of this Python instead of what it is asked;
    that has its arguments in ``asked`` and can call ``answer(name, **fields)``.
    """
    monkeypatch.setattr(interpreters, "ENVIRONMENTS", tmp_path / "environments")

    def make(program: str, version: str = "3.14.0") -> Interpreter:
        python = interpreters._python_of(tmp_path / "environments" / version)
        python.parent.mkdir(parents=True)
        source = python.with_name("pretended.py")
        source.write_text(f"""if True:
            import json, os, signal, sys, time
            asked = sys.argv[5:]
            def answer(name, **fields):
                program, _, strategy = name.partition("/")
                row = {{"program": program, "strategy": strategy, "holds": True, "expected": "so",
                        "observed": "so", "measured": {{"seconds_all": 0.5}}, "timeline": None}}
                print(json.dumps({{**row, **fields}}), flush=True)
            print(flush=True)
            {program}""")
        python.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{source}' \"$@\"\n")
        python.chmod(0o755)
        return Interpreter(f"cpython-{version}", version, "cpython", {}, {"uvloop": "0"}, version)

    if os.name == "nt":
        pytest.skip("the pretended Python is a shell script")
    return make


ANSWER_ALL = "[answer(name) for name in asked]"


def options(*typed: str) -> argparse.Namespace:
    parser = arguments.Parser(prog="witness")
    add_witness_options(parser)
    return parser.parse_args(typed)


def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def said_on(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


# --- what is asked -------------------------------------------------------------------------------


def test_every_program_runs_on_every_contender_unless_told() -> None:
    choice = Choice()
    assert choice.programs == tuple(WITNESSES)
    assert choice.task_factories == tuple(TASK_FACTORIES)
    assert set(choice.loops) == {name for name, row in EVENT_LOOPS.items() if not row.optional}


def test_what_is_typed_is_chosen_once_each() -> None:
    typed = options("head_start", "gather_twice,head_start", "--loop", "uvloop", "--loop", "uvloop")
    choice = module._choice(typed)
    assert choice.programs == ("head_start", "gather_twice")
    assert choice.loops == ("uvloop",)
    assert choice.task_factories == tuple(TASK_FACTORIES)


@pytest.mark.parametrize("typed", [["unheard_of"], ["--loop", "x"], ["--task-factory", "x"]])
def test_an_unknown_name_is_refused_in_one_line(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        options(*typed)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "is not known; choose from" in said


def test_runs_share_a_process_unless_they_sleep_for_long(pretend: Pretend) -> None:
    interpreter = pretend("for name in asked: answer(name, observed=' '.join(asked))")
    choice = Choice(("asyncio",), ("lazy", "eager"), tuple(WITNESSES))
    heard = hear([interpreter], choice)
    for one in heard:
        together = one.answer["observed"].split()
        assert one.run.name in together
        assert (len(together) == 1) == one.run.program.patient
        assert one.answer["reason"] == ""
    patient = sum(program.patient for program in WITNESSES.values())
    errands = {one.run.process for one in heard}
    assert len(errands) == 2 * (1 + patient * len(STRATEGIES))


def test_the_answers_come_in_the_order_of_the_choice(pretend: Pretend) -> None:
    interpreter = pretend("for name in reversed(asked): answer(name)")
    choice = Choice(("asyncio", "uvloop"), ("eager", "lazy"), ("head_start", "gather_twice"))
    rows = [one.to_json() for one in hear([interpreter], choice)]
    fields = ("loop", "task_factory", "program", "strategy")
    assert [tuple(row[field] for field in fields) for row in rows] == [
        (loop, task_factory, program, strategy)
        for loop in choice.loops
        for task_factory in choice.task_factories
        for program, strategies in (("head_start", STRATEGIES), ("gather_twice", [""]))
        for strategy in strategies
    ]  # fmt: skip


def test_what_cannot_be_run_has_a_reason_and_no_process(pretend: Pretend) -> None:
    interpreter = pretend("raise AssertionError", version="3.10.1")
    choice = Choice(("asyncio",), ("eager",), ("head_start", "gather_twice"))
    answers = [one.answer for one in hear([interpreter], choice)]
    assert {answer["holds"] for answer in answers} == {None}
    assert {answer["reason"] for answer in answers} == {
        "eager needs Python 3.12, cpython-3.10.1 is older"
    }


def test_a_strategy_that_is_too_new_is_left_out_of_the_process(pretend: Pretend) -> None:
    interpreter = pretend("assert 'task_group' not in ' '.join(asked); " + ANSWER_ALL, "3.10.1")
    heard = hear([interpreter], Choice(("asyncio",), ("lazy",), ("gather_none",)))
    holds = {one.run.strategy: one.answer["holds"] for one in heard}
    assert holds.pop("task_group") is None
    assert set(holds.values()) == {True}


# --- processes that misbehave --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "cause"),
    [
        ("sys.exit('it broke')", "the process ended with exit code 1: it broke"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "the process ended with exit code -9"),
        ("print('nonsense'); print('[]'); print('{}')", "the process ended with exit code 0"),
        ("time.sleep(60)", "no answer within 0.5 s, killed"),
        ("os.close(1); time.sleep(60)", "no answer within 0.5 s, killed"),
    ],
)
def test_a_process_without_an_answer_is_a_failure_with_its_cause(
    program: str, cause: str, pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIMIT_SECONDS", 0.5)
    heard = hear([pretend(program)], ASYNCIO_ONLY)
    for one in heard:
        assert one.answer["holds"] is False
        assert one.answer["observed"] == cause
        assert one.failure is not None
        assert cause in one.failure


def test_what_was_answered_before_the_end_is_kept(pretend: Pretend) -> None:
    interpreter = pretend("answer(asked[0]); sys.exit('then it broke')")
    first, *others = hear([interpreter], ASYNCIO_ONLY)
    assert (first.run.name, first.answer["holds"]) == ("gather_twice", True)
    assert all("then it broke" in one.answer["observed"] for one in others)


def test_a_process_that_never_begins_does_not_keep_the_others_from_it(
    pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIMIT_SECONDS", 1.0)
    hangs, works = pretend(ANSWER_ALL, "3.13.0"), pretend(ANSWER_ALL, "3.14.0")
    source = hangs.executable.with_name("pretended.py")
    source.write_text("import time; time.sleep(60)")
    heard = hear([hangs, works], Choice(("asyncio", "uvloop"), ("lazy",), ("gather_twice",)))
    assert [one.answer["holds"] for one in heard] == [False, False, True, True]


def test_interrupted_it_leaves_no_process(pretend: Pretend, tmp_path: Path) -> None:
    folder = tmp_path / "pids"
    folder.mkdir()
    interpreter = pretend(f"open('{folder}/' + str(os.getpid()), 'w').close(); time.sleep(60)")

    def interrupt() -> None:
        deadline = time.monotonic() + 20
        while not any(folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        hear([interpreter], Choice(("asyncio",), ("lazy", "eager"), ("gather_twice",)))
    thread.join()
    started = [int(path.name) for path in folder.iterdir()]
    assert started
    for pid in started:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


# --- files and exit codes ------------------------------------------------------------------------


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> Callable[[Interpreter], None]:
    """Lets the command find this interpreter."""

    def find(interpreter: Interpreter) -> None:
        monkeypatch.setattr(module, "prepare_all", lambda *_, **__: ((interpreter,), ()))

    return find


Prepared = Callable[[Interpreter], None]
FEW = ("gather_twice", "nobody_references", "--loop", "asyncio", "--task-factory", "lazy")


def test_all_is_well(
    pretend: Pretend, prepared: Prepared, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared(pretend(ANSWER_ALL))
    out, on = tmp_path / "some" / "where", console()
    assert witness(options(*FEW, "--out", str(out)), on) == 0
    assert "running 2 programs on cpython-3.14.0" in said_on(on)
    shown = " ".join(capsys.readouterr().out.split())
    for name in ("gather_twice", "nobody_references"):
        assert f"{name}: {WITNESSES[name].claim}" in shown
    assert "all yes so (all: 500 ms)" in shown
    assert [path.name for path in out.iterdir()] == [FILE]
    problems = Problems()
    read = read_witness(out, problems)
    assert problems.all() == ()
    assert read is not None
    assert [run.holds for run in read.runs] == [True, True]


def test_one_that_does_not_hold_is_said_and_fails(pretend: Pretend, prepared: Prepared) -> None:
    prepared(pretend("for name in asked: answer(name, holds=False, observed='otherwise')"))
    on = console()
    assert witness(options(*FEW), on) == 1
    said = "does not hold: gather_twice on cpython-3.14.0 / asyncio / lazy: otherwise; "
    assert said + "expected was: so" in said_on(on)
    assert "nobody_references" not in said_on(on), "it need not be seen"


def test_what_need_not_be_seen_has_to_be_run_to_its_end(
    pretend: Pretend, prepared: Prepared
) -> None:
    prepared(pretend("for name in asked: answer(name, holds=False, expected='')"))
    on = console()
    assert witness(options("nobody_references", *FEW[2:]), on) == 1
    assert "does not hold: nobody_references" in said_on(on)


def test_many_failures_are_counted(pretend: Pretend, prepared: Prepared) -> None:
    prepared(pretend("sys.exit(3)"))
    on = console()
    assert witness(options("--loop", "asyncio", "--task-factory", "lazy"), on) == 1
    runs = sum(len(STRATEGIES) if row.each_strategy else 1 for row in WITNESSES.values())
    assert said_on(on).count("does not hold:") == module.MOST_FAILURES
    assert f"and {runs - module.MOST_FAILURES} more do not hold" in said_on(on)


def test_nothing_that_can_be_run_is_a_failure(pretend: Pretend, prepared: Prepared) -> None:
    prepared(pretend(ANSWER_ALL, "3.10.1"))
    on = console()
    assert witness(options("gather_twice", "--task-factory", "eager"), on) == 1
    assert "nothing can be run here" in said_on(on)


def test_a_file_that_is_there_is_never_overwritten(
    pretend: Pretend, prepared: Prepared, tmp_path: Path
) -> None:
    prepared(pretend("raise AssertionError"))
    (tmp_path / FILE).write_text("mine", encoding="utf-8")
    with pytest.raises(JournalError, match="exists already and is never overwritten"):
        witness(options("--out", str(tmp_path)), console())
    assert (tmp_path / FILE).read_text(encoding="utf-8") == "mine"


def test_a_folder_that_cannot_be_made_is_said_before_anything_runs(
    pretend: Pretend, prepared: Prepared, tmp_path: Path
) -> None:
    prepared(pretend("raise AssertionError"))
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be made"):
        witness(options("--out", str(tmp_path / "file" / "folder")), console())


def test_a_campaign_gets_its_witness_in_place_of_an_older_one(
    pretend: Pretend, tmp_path: Path
) -> None:
    (tmp_path / FILE).write_text("old", encoding="utf-8")
    failures = write_witness(tmp_path, [pretend("answer(asked[0]); sys.exit(9)")], ASYNCIO_ONLY)
    content = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    assert len(failures) == len(content["runs"]) - 1
    assert all("exit code 9" in line for line in failures)
    assert not (tmp_path / f".{FILE}").exists()


def test_the_file_has_what_was_agreed(pretend: Pretend) -> None:
    heard = hear([pretend(ANSWER_ALL)], ASYNCIO_ONLY)
    content: dict[str, Any] = to_json(ASYNCIO_ONLY, heard)
    assert content["schema"] == 1
    assert [set(row) for row in content["programs"]] == [{"name", "summary", "claim"}] * 2
    assert {frozenset(row) for row in content["runs"]} == {
        frozenset({
            "interpreter", "version", "loop", "task_factory", "program", "strategy", "holds",
            "expected", "observed", "reason", "measured", "timeline",
        })
    }  # fmt: skip


# --- for real ------------------------------------------------------------------------------------


def test_the_quick_programs_hold_on_every_interpreter_here(
    interpreters: tuple[Interpreter, ...],
) -> None:
    heard = hear(interpreters, Choice(programs=QUICK))
    assert [one.failure for one in heard if one.failure] == []
    held = {one.run.interpreter.name for one in heard if one.answer["holds"]}
    assert held == {interpreter.name for interpreter in interpreters}


def test_a_real_head_start_is_seen_and_can_be_read(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    choice = Choice(("asyncio",), ("lazy",), ("head_start",))
    assert write_witness(tmp_path, [interpreter], choice) == []
    problems = Problems()
    read = read_witness(tmp_path, problems)
    assert problems.all() == ()
    assert read is not None
    for run in read.runs:
        assert run.holds is not False
        assert (run.timeline is not None) == (run.holds is True)


def test_the_module_says_what_it_needs() -> None:
    """A campaign imports it: what it draws the table with is loaded only to draw it."""
    done = run_python(
        "-c",
        "import sys, benchmarks.campaign.witness; sys.exit('pandas' in sys.modules)",
    )
    assert done.returncode == 0, done.stderr
