"""The measured process: one contender. Answers turns on its pipe and otherwise blocks in a read.

python -m benchmarks.worker LOOP TASK_FACTORY STRATEGY ECHO_PORT
"""

from __future__ import annotations

import os
import sys
from typing import IO

from benchmarks.cases import Launcher
from benchmarks.conditions import conditions, peak_bytes
from benchmarks.echo import EchoConnections
from benchmarks.protocol import (
    Calibrate,
    Calibrated,
    Failed,
    Measure,
    Measured,
    Message,
    Ready,
    receive,
    send,
)
from benchmarks.slices import Bench


def answer(bench: Bench, request: Message) -> Message:
    """Do what is asked; whatever measured code raises becomes a ``Failed`` that names it."""
    try:
        if isinstance(request, Calibrate):
            calibration = bench.calibrate(request.case, request.slice_seconds)
            return Calibrated(calibration.loops, calibration.turn_seconds, peak_bytes())
        if isinstance(request, Measure):
            measurement = bench.measure(request.case, request.loops)
            return Measured(measurement.values, measurement.timed_seconds)
    except Exception as error:  # noqa: BLE001 - measured code may raise anything
        return Failed(_cause(error))
    return Failed(f"not a request: {type(request).__name__}")


def _cause(error: BaseException) -> str:
    """One line that names the error; of a group (TaskGroup raises one), its first."""
    while nested := getattr(error, "exceptions", None):
        error = nested[0]
    return f"{type(error).__name__}: {error}".replace("\n", " ")


def main(arguments: list[str]) -> None:
    """Serve turns until the coordinator closes the pipe, which it also does when it dies."""
    loop, task_factory, strategy, echo_port = arguments
    launcher = Launcher(loop, task_factory, strategy)
    # Measured code may print: give the pipe a descriptor of its own and send what is printed to the
    # log.
    replies: IO[str] = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with EchoConnections(int(echo_port)) as connections:
        bench = Bench(launcher, connections)
        send(replies, Ready(conditions(launcher)))
        while (request := receive(sys.stdin)) is not None:
            send(replies, answer(bench, request))


if __name__ == "__main__":
    main(sys.argv[1:])
