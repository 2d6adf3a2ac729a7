"""Slices in a process of their own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.alone import Alone, AloneError
from benchmarks.cases import Case, Launcher
from benchmarks.echo import EchoConnections
from benchmarks.probes import PROBES
from benchmarks.protocol import Failed, Measure, Measured, receive
from benchmarks.worker import Desk

LAUNCHER = Launcher("asyncio", "lazy", "gather_tasks")
MEMORY = Case("memory", "pending", 3000)
QUICK = Case("throughput", "noop", 10)


def test_a_slice_is_measured_as_it_would_be_here() -> None:
    measured = Alone(replace(LAUNCHER, collector="off")).measure(QUICK, 3, 5, 0.5)
    assert tuple(measured.values) == PROBES[QUICK.probe].metric_names
    values = measured.values["total"]
    assert len(values) == 5
    assert all(value > 0 for value in values)
    assert 3 * sum(values) == pytest.approx(measured.timed_seconds)
    assert measured.collections == [0, 0, 0]


def test_calibration_finds_one_batch_whatever_a_slice_takes() -> None:
    calibration = Alone(LAUNCHER).calibrate(QUICK, slice_seconds=1e9)
    assert (calibration.loops, calibration.blocks) == (1, 1)
    assert calibration.turn_seconds > 0
    assert calibration.peak_bytes > 2**20


def test_the_slices_process_is_asked_for_what_the_worker_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    run: Callable[..., Any] = subprocess.run

    def listening(*arguments: object, **options: Any) -> object:  # noqa: ANN401 - run's own
        asked.append(options["input"])
        return run(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", listening)
    measured = Alone(LAUNCHER).measure(QUICK, 2, 3, 0.75)
    assert receive(io.StringIO(asked[0])) == Measure(QUICK, 2, 3, 0.75)
    assert len(measured.values["total"]) == 3


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of Python: a script that does what a test writes into it."""
    path = tmp_path / "python"
    path.touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(path))
    return path


@pytest.mark.skipif(os.name == "nt", reason="the pretended Pythons are shell scripts")
@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("exit 3", "the slice's process ended with exit code 3"),
        (
            "echo first words >&2; echo last words >&2; exit 3",
            "the slice's process ended with exit code 3: last words",
        ),
        ("kill -KILL $$", "the slice's process was killed by SIGKILL"),
        ("true", "the slice's process ended with exit code 0"),
        ("echo nonsense", "the slice's answer cannot be read: "),
        ("""echo '{"type": "Ready", "conditions": {}}'""", "ended with exit code 0"),
        ("""echo '{"type": "Failed", "cause": "LookupError: b"}'""", "LookupError: b"),
    ],
)
def test_a_process_that_gives_no_measurement_is_a_failure_that_says_why(
    text: str, cause: str, python: Path, connections: EchoConnections
) -> None:
    python.write_text(f"#!/bin/sh\n{text}\n")
    with pytest.raises(AloneError) as caught:
        Alone(LAUNCHER).measure(MEMORY, 1, 1)
    assert cause in str(caught.value)
    answer = Desk(LAUNCHER, connections).answer(Measure(MEMORY, 1, 1))
    assert answer == Failed(str(caught.value))


@pytest.mark.skipif(os.name == "nt", reason="the pretended Pythons are shell scripts")
def test_what_measured_code_prints_does_not_spoil_the_answer(python: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys\n"
        "from benchmarks import alone\n"
        "from benchmarks.probes import PROBES, throughput\n"
        "measure = throughput.measure\n"
        "async def noisy(fan_out, loops):\n"
        "    print('noise', flush=True)\n"
        "    os.write(1, b'noise\\n')\n"
        "    return await measure(fan_out, loops)\n"
        "object.__setattr__(PROBES['throughput'], 'measure', noisy)\n"
        "alone.main(sys.argv[3:])\n"
    )
    real = Path(os.path.realpath(sys.base_prefix)) / "bin" / "python3"
    python.write_text(f'#!/bin/sh\nPYTHONPATH=. exec {real} {program} "$@"\n')
    assert Alone(LAUNCHER).measure(QUICK, 1, 1).timed_seconds > 0


def test_an_error_of_measured_code_is_named_as_a_worker_names_it() -> None:
    with pytest.raises(AloneError) as caught:
        Alone(LAUNCHER).measure(Case("throughput", "no_such_workload", 5), 1, 1)
    assert str(caught.value) == "KeyError: 'no_such_workload'"


def test_a_worker_measures_alone_what_asks_for_it_and_all_else_here(
    connections: EchoConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    run: Callable[..., Any] = subprocess.run

    def counting(*arguments: object, **options: object) -> object:
        started.append(arguments)
        return run(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", counting)
    desk = Desk(LAUNCHER, connections)
    assert isinstance(desk.answer(Measure(QUICK, 1, 1)), Measured)
    assert started == []
    assert isinstance(desk.answer(Measure(MEMORY, 1, 1)), Measured)
    assert len(started) == 1
