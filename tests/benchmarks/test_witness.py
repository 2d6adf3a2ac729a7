"""``python -m benchmarks witness``: workers, files and exit codes."""

from __future__ import annotations

import argparse
import dataclasses
import io
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from benchmarks.campaign import arguments, schema, workers
from benchmarks.campaign import witness as module
from benchmarks.campaign.journal import JournalError
from benchmarks.campaign.witness import (
    add_witness_options,
    failures,
    run_programs,
    show,
    witness,
    write_witness,
)
from benchmarks.campaign.workers import WorkerError
from benchmarks.loops import TASK_FACTORIES
from benchmarks.programs import PROGRAMS
from benchmarks.protocol import ProgramSaid
from benchmarks.strategies import BASELINE, STRATEGIES
from tests.benchmarks.fakes import INTERPRETER, FakeExecutor, Script
from tests.repository import copy_repository, run_python

NEW = replace(INTERPRETER, name="cpython-3.14.0", version="3.14.0")
OLD = replace(INTERPRETER, name="cpython-3.10.1", version="3.10.1")
HOLDS = ProgramSaid("so", "so")
OTHERWISE = ProgramSaid("so", "otherwise")


def holding(contender: schema.Contender, program: str) -> ProgramSaid:
    return HOLDS


def run_fake(
    script: Script, *programs: str, interpreter: schema.Interpreter = NEW, **places: tuple[str, ...]
) -> schema.Witness:
    places = {"loops": ("asyncio",), "task_factories": ("lazy",), **places}
    return run_programs(FakeExecutor(script), [interpreter], programs=programs, **places)


# --- what is run, and where ----------------------------------------------------------------------


def test_programs_run_once_or_with_every_strategy_in_the_order_of_the_choice() -> None:
    asked: list[tuple[str, str]] = []

    def program(contender: schema.Contender, name: str) -> ProgramSaid:
        asked.append((contender.strategy, name))
        return ProgramSaid("so", contender.id)

    script = Script(program=program)
    found = run_fake(script, "head_start", "gather_twice", loops=("asyncio", "uvloop"))
    assert [(run.loop, run.program, run.strategy) for run in found.runs] == [
        (loop, program, strategy)
        for loop in ("asyncio", "uvloop")
        for program, strategies in (("head_start", STRATEGIES), ("gather_twice", [""]))
        for strategy in strategies
    ]
    assert asked == 2 * [*((name, "head_start") for name in STRATEGIES), (BASELINE, "gather_twice")]
    assert found.runs[-1].observed == f"cpython-3.14.0/uvloop/lazy/{BASELINE}"
    assert [row.name for row in found.programs] == ["head_start", "gather_twice"]
    assert found.programs[0].claim == PROGRAMS["head_start"].claim


def test_each_contender_has_one_worker_and_none_is_left() -> None:
    script = Script(program=holding)
    run_fake(script, *PROGRAMS, task_factories=tuple(TASK_FACTORIES))
    assert [len(together) for together in script.started] == [len(STRATEGIES)] * 2
    assert len({name for together in script.started for name in together}) == 2 * len(STRATEGIES)
    assert not script.open_workers


def test_what_cannot_be_run_has_its_reason_and_no_worker() -> None:
    script = Script(program=holding)
    found = run_fake(
        script, "gather_none", interpreter=OLD, task_factories=tuple(TASK_FACTORIES)
    ).runs
    not_run = {(run.task_factory, run.strategy): run.reason for run in found if run.holds is None}
    eager = "eager needs Python 3.12, cpython-3.10.1 is older"
    assert not_run == {
        **{("eager", strategy): eager for strategy in STRATEGIES},
        ("lazy", "task_group"): "task_group needs Python 3.11, cpython-3.10.1 is older",
    }
    lazy, eager_ones = script.started
    assert len(lazy) == len(STRATEGIES) - 1
    assert eager_ones == ()


# --- programs and workers that fail --------------------------------------------------------------


@pytest.mark.parametrize("alive", [True, False])
def test_a_failure_is_observed_and_a_worker_that_is_gone_is_started_again(alive: bool) -> None:
    def program(contender: schema.Contender, name: str) -> ProgramSaid:
        if name == "never_awaited":
            raise WorkerError("it broke", alive=alive)
        return HOLDS

    script = Script(program=program)
    found = run_fake(script, "gather_twice", "never_awaited", "nobody_awaits")
    assert [(run.holds, run.observed) for run in found.runs] == [
        (True, "so"), (False, "it broke"), (True, "so"),
    ]  # fmt: skip
    assert len(script.started) == (1 if alive else 2)
    assert failures(found) == ["never_awaited on cpython-3.14.0 / asyncio / lazy: it broke"]


def test_a_worker_that_does_not_start_is_a_failure_of_all_its_programs() -> None:
    def is_wait(contender: schema.Contender, start: int) -> bool:
        return contender.strategy == "wait"

    found = run_fake(Script(program=holding, unstartable=is_wait), "gather_none", "head_start")
    assert failures(found) == [
        f"{program} on cpython-3.14.0 / asyncio / lazy / wait: it does not start"
        for program in ("gather_none", "head_start")
    ]


def test_one_that_is_not_certain_only_has_to_come_to_its_end() -> None:
    asked = ("gather_twice", "nobody_references")
    found = run_fake(Script(program=lambda *_: OTHERWISE), *asked)
    assert failures(found) == [
        "gather_twice on cpython-3.14.0 / asyncio / lazy: otherwise; expected: so"
    ]

    def broken(contender: schema.Contender, program: str) -> ProgramSaid:
        raise WorkerError("it broke", alive=True)

    assert len(failures(run_fake(Script(program=broken), *asked))) == 2


HOSTILE = '''

@program("{}")
async def raises(scene: Scene) -> Seen:
    """raises."""
    raise LookupError("as it was told to")


@program("{}")
async def hangs(scene: Scene) -> Seen:
    """never ends."""
    await asyncio.Event().wait()
    return (), ()


@program("{}")
async def kills(scene: Scene) -> Seen:
    """ends its process."""
    import os
    os._exit(3)


@program("{}")
async def prints(scene: Scene) -> Seen:
    """prints what could be taken for an answer."""
    print("{}")
    return ("so",), ("so",)
'''


def test_real_workers_live_through_programs_or_are_started_again(
    interpreter: schema.Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copy_repository(tmp_path / "copy")
    with (copy / "benchmarks" / "programs.py").open("a", encoding="utf-8") as stream:
        stream.write(HOSTILE)
    monkeypatch.setattr(workers, "REPOSITORY", copy)
    names = ("raises", "hangs", "kills", "prints", "gather_twice")
    for name in names[:-1]:
        row = dataclasses.replace(PROGRAMS["gather_twice"], name=name)
        monkeypatch.setitem(PROGRAMS, name, row)
    monkeypatch.setattr(module, "LIMIT_SECONDS", 2.0)
    with module._executor([interpreter]) as executor:
        found = run_programs(
            executor, [interpreter], loops=("asyncio",), task_factories=("lazy",), programs=names
        )
    assert [run.observed for run in found.runs[:3]] == [
        "LookupError: as it was told to",
        "no answer within 2 s, killed",
        "the worker ended with exit code 3",
    ]
    assert [run.holds for run in found.runs] == [False, False, False, True, True]


# --- files, exit codes and what is shown ---------------------------------------------------------

FEW = ("gather_twice", "nobody_references", "--loop", "asyncio", "--task-factory", "lazy")


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets the command find this interpreter, and workers of it that answer so."""

    def make(answer: ProgramSaid, interpreter: schema.Interpreter = NEW) -> None:
        executor = FakeExecutor(Script(program=lambda *_: answer))
        monkeypatch.setattr(module, "_executor", lambda _: nullcontext(executor))
        monkeypatch.setattr(module, "prepare_all", lambda *_, **__: ((interpreter,), ()))

    return make


Pretend = Callable[..., None]


def options(*typed: str) -> argparse.Namespace:
    parser = arguments.Parser(prog="witness")
    add_witness_options(parser)
    return parser.parse_args(typed)


def said(call: Callable[[Console], object]) -> tuple[object, str]:
    stream = io.StringIO()
    return call(Console(file=stream, width=120)), stream.getvalue()


@pytest.mark.parametrize("typed", [["unheard_of"], ["--loop", "x"], ["--task-factory", "x"]])
def test_an_unknown_name_is_refused_in_one_line(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        options(*typed)
    assert caught.value.code == 2
    assert "is not known; choose from" in capsys.readouterr().err


def test_what_holds_is_shown_and_can_be_read_again(
    pretend: Pretend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(HOLDS)
    out = tmp_path / "some" / "where"
    asked = options(*FEW, "--loop", "asyncio", "--out", str(out))
    code, errors = said(lambda console: witness(asked, console))
    assert (code, errors) == (0, "")
    assert [path.name for path in out.iterdir()] == [schema.WITNESS_FILE]
    read = schema.decode((out / schema.WITNESS_FILE).read_bytes(), schema.Witness)
    assert read == run_fake(Script(program=holding), "gather_twice", "nobody_references")
    shown = capsys.readouterr().out
    assert "asyncio lazy: 3.14.0" in " ".join(shown.split())
    assert f"gather_twice: {PROGRAMS['gather_twice'].claim}" in shown


def test_one_that_does_not_hold_is_said_and_fails(pretend: Pretend) -> None:
    pretend(OTHERWISE)
    code, errors = said(lambda console: witness(options(*FEW), console))
    line = "gather_twice on cpython-3.14.0 / asyncio / lazy: otherwise; expected: so"
    assert (code, errors) == (1, f"does not hold: {line}\n")


def test_nothing_that_can_be_run_is_a_failure(pretend: Pretend) -> None:
    pretend(HOLDS, OLD)
    asked = options("gather_twice", "--task-factory", "eager")
    assert said(lambda console: witness(asked, console)) == (1, "no program can be run\n")


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / schema.WITNESS_FILE).write_text("mine", encoding="utf-8")
    with pytest.raises(JournalError, match="exists already and is never overwritten"):
        witness(options("--out", str(tmp_path)), Console())


def test_a_folder_that_cannot_be_made_is_said_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be made"):
        witness(options("--out", str(tmp_path / "file" / "folder")), Console())


def test_a_campaign_gets_its_witness_in_place_of_an_older_one(
    pretend: Pretend, tmp_path: Path
) -> None:
    pretend(OTHERWISE)
    (tmp_path / schema.WITNESS_FILE).write_text("old", encoding="utf-8")
    lines = write_witness(tmp_path, [NEW])
    read = schema.decode((tmp_path / schema.WITNESS_FILE).read_bytes(), schema.Witness)
    certain = [run for run in read.runs if PROGRAMS[run.program].certain]
    assert len(lines) == len(certain) == len(read.runs) - 4
    assert [path.name for path in tmp_path.iterdir()] == [schema.WITNESS_FILE]


def test_the_table_has_a_row_for_each_program_and_strategy_and_a_column_for_each_pattern() -> None:
    def program(contender: schema.Contender, name: str) -> ProgramSaid:
        return OTHERWISE if contender.loop == "uvloop" else HOLDS

    everywhere = {"loops": ("asyncio", "uvloop"), "task_factories": ("lazy", "eager")}
    found = run_programs(
        FakeExecutor(Script(program=program)), [OLD, NEW], programs=("gather_twice",), **everywhere
    )
    _, shown = said(lambda console: show(found, console))
    words = " ".join(shown.replace("│", " ").replace("┃", " ").split())
    assert "gather_twice holds does not hold" in words
    assert "asyncio lazy: 3.10.1, 3.14.0" in words
    assert "uvloop eager: 3.14.0" in words
    assert words.count("eager needs Python 3.12, cpython-3.10.1 is older") == 1


# --- for real ------------------------------------------------------------------------------------


def test_the_programs_hold_on_every_interpreter_here(
    interpreters: tuple[schema.Interpreter, ...],
) -> None:
    with module._executor(interpreters) as executor:
        found = run_programs(executor, interpreters, loops=("asyncio",))
    assert failures(found) == []
    held = {run.interpreter for run in found.runs if run.holds}
    assert held == {interpreter.name for interpreter in interpreters}


def test_a_worker_loads_programs_only_when_it_is_asked_for_one() -> None:
    done = run_python(
        "-c", "import sys, benchmarks.worker; sys.exit('benchmarks.programs' in sys.modules)"
    )
    assert done.returncode == 0, done.stderr
