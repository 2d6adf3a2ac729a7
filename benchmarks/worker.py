"""The measured process: one contender. Answers turns on its pipe and otherwise blocks in a read.

python -m benchmarks.worker ECHO_PORT LOOP TASK_FACTORY STRATEGY COLLECTOR LIMIT [OWN ...]

What takes too long is ended by SIGTERM: the process says where it stood.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import IO

from benchmarks import protocol
from benchmarks.alone import Alone, AloneError, cause_of, take_in
from benchmarks.cases import Case, Launcher
from benchmarks.conditions import conditions
from benchmarks.echo import EchoConnections
from benchmarks.probes import PROBES
from benchmarks.slices import Bench, SpoiledError


class Desk:
    """Answers requests: measures here or, where a probe asks for it, in a process of its own."""

    def __init__(
        self, launcher: Launcher, connections: EchoConnections, own: Sequence[str] = ()
    ) -> None:
        self._launcher = launcher
        self._here = Bench(launcher, connections)
        self._alone = Alone(launcher, own)
        self._answers = False

    def answer(self, request: protocol.Message) -> protocol.Message:
        """Do what is asked; whatever measured code raises becomes a ``Failed`` that names it."""
        self._answers = True
        try:
            return self._answer(request)
        finally:
            self._answers = False

    def end(self, replies: IO[str], frame: FrameType | None) -> None:
        """End the process; say where the user's code stands, if it is what does not end."""
        own = sys.modules.get("benchmarks.own")
        if self._answers:
            place = own.standing(frame) if own else ""
            protocol.send(replies, protocol.Failed(f"{place}it has not ended" if place else ""))
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)

    def _answer(self, request: protocol.Message) -> protocol.Message:
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
        except SpoiledError as error:
            return protocol.Failed(cause_of(error), fit=False)
        except BaseException as error:  # noqa: BLE001 - measured code may raise anything
            return protocol.Failed(cause_of(error))
        return protocol.Failed(f"not a request: {type(request).__name__}")

    def _bench(self, case: Case) -> Bench | Alone:
        return self._alone if PROBES[case.probe].fresh_process else self._here


def main(arguments: list[str]) -> None:
    """Serve turns until the coordinator closes the pipe, which it also does when it dies."""
    echo_port, *others = arguments
    launcher, own = take_in(others)
    replies = protocol.claim_stdout()
    signal.signal(signal.SIGTERM, lambda _, frame: desk.end(replies, frame))
    with EchoConnections(int(echo_port)) as connections:
        desk = Desk(launcher, connections, own)
        protocol.send(replies, protocol.Ready(conditions(launcher)))
        while (request := protocol.receive(sys.stdin)) is not None:
            protocol.send(replies, desk.answer(request))


if __name__ == "__main__":
    main(sys.argv[1:])
