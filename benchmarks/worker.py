"""The measured process: one contender. Answers turns on its pipe and otherwise blocks in a read.

python -m benchmarks.worker LOOP TASK_FACTORY STRATEGY COLLECTOR ECHO_PORT
"""

from __future__ import annotations

import sys

from benchmarks.alone import Alone, AloneError
from benchmarks.cases import Case, Launcher
from benchmarks.conditions import conditions
from benchmarks.echo import EchoConnections
from benchmarks.probes import PROBES
from benchmarks.protocol import (
    Calibrate,
    Calibrated,
    Failed,
    Measure,
    Measured,
    Message,
    ProgramSaid,
    Ready,
    RunProgram,
    claim_stdout,
    receive,
    send,
)
from benchmarks.sizes import peak_bytes
from benchmarks.slices import Bench


class Desk:
    """Answers requests: measures here or, where a probe asks for it, in a process of its own."""

    def __init__(self, launcher: Launcher, connections: EchoConnections) -> None:
        self._launcher = launcher
        self._here = Bench(launcher, connections)
        self._alone = Alone(launcher)

    def answer(self, request: Message) -> Message:
        """Do what is asked; whatever measured code raises becomes a ``Failed`` that names it."""
        try:
            if isinstance(request, Calibrate):
                calibration = self._bench(request.case).calibrate(
                    request.case, request.slice_seconds
                )
                return Calibrated(calibration.loops, calibration.turn_seconds, peak_bytes())
            if isinstance(request, Measure):
                measurement = self._bench(request.case).measure(request.case, request.loops)
                return Measured(measurement.values, measurement.timed_seconds, measurement.observed)
            if isinstance(request, RunProgram):
                from benchmarks.programs import run  # what is measured does without

                return ProgramSaid(*run(request.program, self._launcher))
        except AloneError as error:
            return Failed(str(error))
        except Exception as error:  # noqa: BLE001 - measured code may raise anything
            return Failed.of(error)
        return Failed(f"not a request: {type(request).__name__}")

    def _bench(self, case: Case) -> Bench | Alone:
        return self._alone if PROBES[case.probe].fresh_process else self._here


def main(arguments: list[str]) -> None:
    """Serve turns until the coordinator closes the pipe, which it also does when it dies."""
    loop, task_factory, strategy, collector, echo_port = arguments
    launcher = Launcher(loop, task_factory, strategy, collector)
    replies = claim_stdout()
    with EchoConnections(int(echo_port)) as connections:
        desk = Desk(launcher, connections)
        send(replies, Ready(conditions(launcher)))
        while (request := receive(sys.stdin)) is not None:
            send(replies, desk.answer(request))


if __name__ == "__main__":
    main(sys.argv[1:])
