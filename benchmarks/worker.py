"""The measured process: one contender. Answers turns on its pipe and otherwise blocks in a read.

python -m benchmarks.worker LOOP TASK_FACTORY STRATEGY COLLECTOR ECHO_PORT
"""

from __future__ import annotations

import sys

from benchmarks import protocol
from benchmarks.alone import Alone, AloneError
from benchmarks.cases import Case, Launcher
from benchmarks.conditions import conditions
from benchmarks.echo import EchoConnections
from benchmarks.probes import PROBES
from benchmarks.slices import Bench


class Desk:
    """Answers requests: measures here or, where a probe asks for it, in a process of its own."""

    def __init__(self, launcher: Launcher, connections: EchoConnections) -> None:
        self._launcher = launcher
        self._here = Bench(launcher, connections)
        self._alone = Alone(launcher)

    def answer(self, request: protocol.Message) -> protocol.Message:
        """Do what is asked; whatever measured code raises becomes a ``Failed`` that names it."""
        try:
            if isinstance(request, protocol.Calibrate):
                return self._bench(request.case).calibrate(request.case, request.slice_seconds)
            if isinstance(request, protocol.Measure):
                return self._bench(request.case).measure(
                    request.case, request.loops, request.blocks, request.phase
                )
            if isinstance(request, protocol.RunProgram):
                from benchmarks.programs import run  # what is measured does without

                return protocol.ProgramSaid(*run(request.program, self._launcher))
        except AloneError as error:
            return protocol.Failed(str(error))
        except Exception as error:  # noqa: BLE001 - measured code may raise anything
            return protocol.Failed.of(error)
        return protocol.Failed(f"not a request: {type(request).__name__}")

    def _bench(self, case: Case) -> Bench | Alone:
        return self._alone if PROBES[case.probe].fresh_process else self._here


def main(arguments: list[str]) -> None:
    """Serve turns until the coordinator closes the pipe, which it also does when it dies."""
    loop, task_factory, strategy, collector, echo_port = arguments
    launcher = Launcher(loop, task_factory, strategy, collector)
    replies = protocol.claim_stdout()
    with EchoConnections(int(echo_port)) as connections:
        desk = Desk(launcher, connections)
        protocol.send(replies, protocol.Ready(conditions(launcher)))
        while (request := protocol.receive(sys.stdin)) is not None:
            protocol.send(replies, desk.answer(request))


if __name__ == "__main__":
    main(sys.argv[1:])
