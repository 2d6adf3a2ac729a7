"""Slices in a process of their own: for probes whose measurement changes the process.

python -m benchmarks.alone LOOP TASK_FACTORY STRATEGY COLLECTOR

The process answers the one request on its standard input, as a worker would, and ends. It inherits
the worker's core, hash seed and environment.
"""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

from benchmarks.cases import Case, Launcher
from benchmarks.clock import perf_counter
from benchmarks.echo import EchoConnections
from benchmarks.probing import Measurement
from benchmarks.protocol import Failed, Measure, Measured, claim_stdout, end_of, receive, send
from benchmarks.slices import Bench, Calibration


class AloneError(Exception):
    """The process of a slice gave no measurement; the message is one line."""


class Alone:
    """One launcher, measured as a ``Bench`` measures it, every slice in a fresh process."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def calibrate(self, case: Case, slice_seconds: float) -> Calibration:
        """See what a slice takes. It has one inner loop, whatever ``slice_seconds``, because a
        second one would find a process that the first has changed. Raises AloneError.
        """
        started = perf_counter()
        self.measure(case, 1)
        return Calibration(1, perf_counter() - started)

    def measure(self, case: Case, loops: int) -> Measurement:
        """Measure one slice in a process that has done nothing else. Raises AloneError."""
        request = io.StringIO()
        send(request, Measure(case, loops))
        done = subprocess.run(
            [sys.executable, "-m", __name__, *astuple(self._launcher)],
            input=request.getvalue(),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd=Path(__file__).parent.parent,
            check=False,
        )
        try:
            answer = receive(io.StringIO(done.stdout))
        except ValueError as error:
            raise AloneError(f"the slice's answer cannot be read: {error}") from error
        if isinstance(answer, Failed):
            raise AloneError(answer.cause)
        if not isinstance(answer, Measured):
            end = end_of(done.returncode, done.stderr.splitlines())
            raise AloneError(f"the slice's process {end}")
        # The results themselves were checked in that process.
        return Measurement(
            answer.timed_seconds, answer.values, list(range(case.tasks)), answer.observed
        )


def main(arguments: list[str]) -> None:
    """Answer the one request."""
    loop, task_factory, strategy, collector = arguments
    replies = claim_stdout()
    request = receive(sys.stdin)
    if not isinstance(request, Measure):
        sys.exit("no slice was asked for")
    with EchoConnections() as connections:
        try:
            bench = Bench(Launcher(loop, task_factory, strategy, collector), connections)
            measurement = bench.measure(request.case, request.loops)
        except Exception as error:  # noqa: BLE001 - measured code may raise anything
            send(replies, Failed.of(error))
            return
    send(replies, Measured(measurement.values, measurement.timed_seconds, measurement.observed))


if __name__ == "__main__":
    main(sys.argv[1:])
