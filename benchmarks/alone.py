"""Slices in a process of their own: for probes whose measurement changes the process.

python -m benchmarks.alone LOOP TASK_FACTORY STRATEGY COLLECTOR LIMIT [OWN ...]

The process answers the one request on its standard input, as a worker would, and ends. It inherits
the worker's core, hash seed and environment.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from benchmarks import protocol
from benchmarks.cases import Case, Launcher
from benchmarks.clock import perf_counter
from benchmarks.echo import EchoConnections
from benchmarks.probes import PROBES
from benchmarks.sizes import peak_bytes
from benchmarks.slices import Bench

LAUNCHER_ARGUMENTS = len(fields(Launcher))


class AloneError(Exception):
    """The process of a slice gave no measurement; the message is one line."""


class Alone:
    """One launcher, measured as a ``Bench`` measures it, every slice in a fresh process."""

    def __init__(self, launcher: Launcher, own: Sequence[str] = ()) -> None:
        self._launcher = launcher
        self._own = own

    def calibrate(self, case: Case, slice_seconds: float) -> protocol.Calibrated:
        """See what a slice takes. It is one batch, whatever ``slice_seconds``, because a second one
        would find a process that the first has changed. Raises AloneError.
        """
        started = perf_counter()
        self.measure(case, 1, 1)
        return protocol.Calibrated(1, 1, 1, perf_counter() - started, peak_bytes())

    def measure(self, case: Case, loops: int, blocks: int, phase: float = 0.0) -> protocol.Measured:
        """Measure one slice in a process that has done nothing else. Raises AloneError."""
        request = io.StringIO()
        protocol.send(request, protocol.Measure(case, loops, blocks, phase))
        done = subprocess.run(
            [sys.executable, "-m", __name__, *self._launcher.arguments, *self._own],
            input=request.getvalue(),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd=Path(__file__).parent.parent,
            check=False,
        )
        try:
            answer = protocol.receive(io.StringIO(done.stdout))
        except ValueError as error:
            raise AloneError(f"the slice's answer cannot be read: {error}") from error
        if isinstance(answer, protocol.Failed):
            raise AloneError(answer.cause)
        if not isinstance(answer, protocol.Measured):
            end = protocol.end_of(done.returncode, done.stderr.splitlines())
            raise AloneError(f"the slice's process {end}")
        return answer


def take_in(arguments: Sequence[str]) -> tuple[Launcher, Sequence[str]]:
    """The launcher, and what is the user's own, which is registered."""
    of_launcher, own = arguments[:LAUNCHER_ARGUMENTS], arguments[LAUNCHER_ARGUMENTS:]
    if own:
        from benchmarks.own import Own, register  # most processes do without

        for argument in own:
            register(Own.of(argument))
    return Launcher.of(of_launcher), own


def cause_of(error: BaseException) -> str:
    """One line that names an error and, where it is of the user's code, its place."""
    while nested := getattr(error, "exceptions", None):  # of a group, as TaskGroup raises one
        error = nested[0]
    own = sys.modules.get("benchmarks.own")
    place = own.place_of(error) if own else ""
    said = f"{place}{type(error).__name__}: {error}".replace("\n", " ")
    return own.scrubbed(said) if own else said


def main(arguments: list[str]) -> None:
    """Answer the one request."""
    launcher, _ = take_in(arguments)
    replies = protocol.claim_stdout()
    request = protocol.receive(sys.stdin)
    if not isinstance(request, protocol.Measure):
        sys.exit("no slice was asked for")
    with EchoConnections() as connections:
        try:
            bench = Bench(launcher, connections)
            answer: protocol.Message = bench.measure(
                request.case, request.loops, request.blocks, request.phase
            )
            if PROBES[request.case.probe].own_workload is None:
                bench.prove(request.case)  # now: it would have changed the process
        except BaseException as error:  # noqa: BLE001 - measured code may raise anything
            answer = protocol.Failed(cause_of(error))
        protocol.send(replies, answer)


if __name__ == "__main__":
    main(sys.argv[1:])
