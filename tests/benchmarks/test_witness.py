"""``python -m benchmarks witness``: workers, files and exit codes."""

from __future__ import annotations

import argparse
import dataclasses
import io
import itertools
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from benchmarks.campaign import arguments, schema, workers
from benchmarks.campaign import witness as module
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
from benchmarks.matrix import ALL
from benchmarks.programs import PROGRAMS
from benchmarks.protocol import ProgramSaid
from benchmarks.strategies import BASELINE
from harness.commands import copy_of_suite
from tests.benchmarks.fakes import INTERPRETER, FakeExecutor, Script
from tests.repository import run_python

NEW = replace(INTERPRETER, name="cpython-3.14.0", version="3.14.0")
OLD = replace(INTERPRETER, name="cpython-3.10.1", version="3.10.1")
EVERYWHERE = module.PLACES
HOLDS = ProgramSaid("so", "so")
OTHERWISE = ProgramSaid("so", "otherwise")


def holding(contender: schema.Contender, program: str) -> ProgramSaid:
    return HOLDS


def run_fake(
    script: Script, *programs: str, interpreter: schema.Interpreter = NEW
) -> schema.Witness:
    return run_programs(FakeExecutor(script), [interpreter], programs)


Places = Callable[[Iterable[str], Iterable[str]], None]


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch) -> Places:
    """Runs programs on these loops and task factories only: on the first unless told."""

    def choose(loops: Iterable[str], task_factories: Iterable[str]) -> None:
        monkeypatch.setattr(module, "PLACES", tuple(itertools.product(loops, task_factories)))

    choose(["asyncio"], ["lazy"])
    return choose


# --- what is run, and where ----------------------------------------------------------------------


def test_programs_run_everywhere_but_on_optional_loops() -> None:
    assert tuple(itertools.product(("asyncio", "uvloop"), TASK_FACTORIES)) == EVERYWHERE


def test_programs_run_once_or_with_every_strategy_in_the_order_of_the_choice(
    places: Places,
) -> None:
    places(["asyncio", "uvloop"], ["lazy"])
    asked: list[tuple[str, str]] = []

    def program(contender: schema.Contender, name: str) -> ProgramSaid:
        asked.append((contender.strategy, name))
        return ProgramSaid("so", contender.id)

    script = Script(program=program)
    found = run_fake(script, "head_start", "gather_twice")
    assert [(run.loop, run.program, run.strategy) for run in found.runs] == [
        (loop, program, strategy)
        for loop in ("asyncio", "uvloop")
        for program, strategies in (("head_start", ALL), ("gather_twice", [""]))
        for strategy in strategies
    ]
    assert asked == 2 * [*((name, "head_start") for name in ALL), (BASELINE, "gather_twice")]
    assert found.runs[-1].observed == f"cpython-3.14.0/uvloop/lazy/{BASELINE}"
    assert [row.name for row in found.programs] == ["head_start", "gather_twice"]
    assert found.programs[0].claim == PROGRAMS["head_start"].claim


def test_each_contender_has_one_worker_and_none_is_left(places: Places) -> None:
    script = Script(program=holding)
    places(["asyncio"], TASK_FACTORIES)
    run_fake(script, *PROGRAMS)
    assert [len(together) for together in script.started] == [len(ALL)] * 2
    assert len({name for together in script.started for name in together}) == 2 * len(ALL)
    assert not script.open_workers


def test_what_cannot_be_run_has_its_reason_and_no_worker(places: Places) -> None:
    script = Script(program=holding)
    places(["asyncio"], TASK_FACTORIES)
    found = run_fake(script, "gather_none", interpreter=OLD).runs
    not_run = {(run.task_factory, run.strategy): run.reason for run in found if run.holds is None}
    eager = "eager needs Python 3.12, cpython-3.10.1 is older"
    assert not_run == {
        **{("eager", strategy): eager for strategy in ALL},
        ("lazy", "task_group"): "task_group needs Python 3.11, cpython-3.10.1 is older",
    }
    lazy, eager_ones = script.started
    assert len(lazy) == len(ALL) - 1
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
    copy = copy_of_suite(tmp_path / "copy")
    with (copy / "benchmarks" / "programs.py").open("a", encoding="utf-8") as stream:
        stream.write(HOSTILE)
    monkeypatch.setattr(workers, "REPOSITORY", copy)
    names = ("raises", "hangs", "kills", "prints", "gather_twice")
    for name in names[:-1]:
        row = dataclasses.replace(PROGRAMS["gather_twice"], name=name)
        monkeypatch.setitem(PROGRAMS, name, row)
    monkeypatch.setattr(module, "LIMIT_SECONDS", 5.0)
    with module._executor([interpreter]) as executor:
        found = run_programs(executor, [interpreter], names)
    assert [run.observed for run in found.runs[:3]] == [
        "LookupError: as it was told to",
        "no answer within 5 s, killed",
        "the worker ended with exit code 3",
    ]
    assert [run.holds for run in found.runs] == [False, False, False, True, True]


# --- files, exit codes and what is shown ---------------------------------------------------------

FEW = ("gather_twice", "nobody_references")


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


def test_an_unknown_name_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        options("unheard_of")
    assert caught.value.code == 2
    assert "is not known; choose from" in capsys.readouterr().err


def test_what_holds_is_shown(pretend: Pretend, capsys: pytest.CaptureFixture[str]) -> None:
    pretend(HOLDS)
    code, errors = said(lambda console: witness(options(*FEW), console))
    assert (code, errors) == (0, "")
    shown = capsys.readouterr().out
    assert "asyncio lazy: 3.14.0" in " ".join(shown.split())
    assert f"gather_twice: {PROGRAMS['gather_twice'].claim}" in shown


def test_one_that_does_not_hold_is_said_and_fails(pretend: Pretend) -> None:
    pretend(OTHERWISE)
    code, errors = said(lambda console: witness(options(*FEW), console))
    line = "gather_twice on cpython-3.14.0 / asyncio / lazy: otherwise; expected: so"
    assert (code, errors) == (1, f"does not hold: {line}\n")


def test_nothing_that_can_be_run_is_a_failure(pretend: Pretend, places: Places) -> None:
    pretend(HOLDS, OLD)
    places(["asyncio"], ["eager"])
    asked = options("gather_twice")
    assert said(lambda console: witness(asked, console)) == (1, "no program can be run\n")


def test_a_campaign_gets_its_witness_in_place_of_an_older_one(
    pretend: Pretend, tmp_path: Path
) -> None:
    pretend(OTHERWISE)
    (tmp_path / schema.WITNESS_FILE).write_text("old", encoding="utf-8")
    lines = write_witness(tmp_path, [NEW])
    read = schema.decode((tmp_path / schema.WITNESS_FILE).read_bytes(), schema.Witness)
    certain = [run for run in read.runs if PROGRAMS[run.program].certain]
    assert len(lines) == len(certain) == len(read.runs) - 1
    assert read == run_fake(Script(program=lambda *_: OTHERWISE), *PROGRAMS)
    assert [path.name for path in tmp_path.iterdir()] == [schema.WITNESS_FILE]


def test_the_table_has_a_row_for_each_program_and_strategy_and_a_column_for_each_pattern(
    places: Places,
) -> None:
    def program(contender: schema.Contender, name: str) -> ProgramSaid:
        return OTHERWISE if contender.loop == "uvloop" else HOLDS

    places(["asyncio", "uvloop"], ["lazy", "eager"])
    found = run_programs(FakeExecutor(Script(program=program)), [OLD, NEW], ["gather_twice"])
    _, shown = said(lambda console: show(found, console))
    words = " ".join(shown.replace("│", " ").replace("┃", " ").split())
    assert "gather_twice holds does not hold" in words
    assert "asyncio lazy: 3.10.1, 3.14.0" in words
    assert "uvloop eager: 3.14.0" in words
    assert words.count("eager needs Python 3.12, cpython-3.10.1 is older") == 1


# --- for real ------------------------------------------------------------------------------------


def test_the_programs_hold_on_every_interpreter_here(
    interpreters: tuple[schema.Interpreter, ...], places: Places
) -> None:
    places(["asyncio"], TASK_FACTORIES)
    with module._executor(interpreters) as executor:
        found = run_programs(executor, interpreters)
    assert failures(found) == []
    held = {run.interpreter for run in found.runs if run.holds}
    assert held == {interpreter.name for interpreter in interpreters}


def test_a_worker_loads_programs_only_when_it_is_asked_for_one() -> None:
    done = run_python(
        "-c", "import sys, benchmarks.worker; sys.exit('benchmarks.programs' in sys.modules)"
    )
    assert done.returncode == 0, done.stderr
