"""What the coordinator and a worker say to each other: JSON lines on the worker's streams."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO, TypeAlias

from benchmarks.cases import Case
from benchmarks.conditions import Scalar


@dataclass(frozen=True)
class Ready:
    """First word of a worker: the conditions it has proved."""

    conditions: Mapping[str, Scalar]


PROVE_ONLY = 0.0
"""Seconds of no slice."""


@dataclass(frozen=True)
class Calibrate:
    """Coordinator: prove this case and, unless that is all, find how many batches fill a slice."""

    case: Case
    slice_seconds: float


@dataclass(frozen=True)
class Calibrated:
    """Worker: ``blocks`` blocks of ``loops`` batches fill a slice, which had ``seen`` with those of
    a whole cycle; a turn, untimed parts included, takes ``turn_seconds``. ``peak_bytes`` is the
    process's peak resident size so far, or 0.
    """

    loops: int
    blocks: int
    seen: int
    turn_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Measure:
    """Coordinator: your turn; measure one slice of this case, at least ``blocks`` blocks of
    ``loops`` batches. A cycle of the collector begins at ``phase``, a share.
    """

    case: Case
    loops: int
    blocks: int
    phase: float = 0.0


@dataclass(frozen=True)
class Measured:
    """Worker: one slice, whose results have been checked.

    ``values`` are per batch, in the metric's unit, one a block; without the collector's seconds
    where the case splits. ``timed_seconds`` of all batches, with the collector's. ``observed`` are
    means per batch. ``collections`` and ``collector_seconds`` are by generation. ``cpu_share`` is
    the process's time on the core in its wall time, ``switches`` how often it was taken from there.
    ``cycles`` are those that the collector should have been through, after so many collections.
    ``errors`` are the calls of the user's own work that have raised, where they are counted.
    """

    values: Mapping[str, Sequence[float]]
    timed_seconds: float
    observed: Mapping[str, float]
    collections: Sequence[int]
    collector_seconds: Sequence[float]
    cpu_share: float
    switches: int
    cycles: float
    errors: int = 0

    @property
    def blocks(self) -> int:
        """How many were measured."""
        return len(next(iter(self.values.values())))


@dataclass(frozen=True)
class RunProgram:
    """Coordinator: run this one of ``programs``."""

    program: str


@dataclass(frozen=True)
class ProgramSaid:
    """Worker: what the program expected and what it observed, in words; it holds if they agree."""

    expected: str
    observed: str


@dataclass(frozen=True)
class Failed:
    """Worker: the case, or the program, failed in this process, ``fit`` to go on unless it says."""

    cause: str
    fit: bool = True


Message: TypeAlias = (
    "Ready | Calibrate | Calibrated | Measure | Measured | RunProgram | ProgramSaid | Failed"
)
_KINDS: tuple[type[Message], ...] = (
    Ready, Calibrate, Calibrated, Measure, Measured, RunProgram, ProgramSaid, Failed,
)  # fmt: skip
_TYPES = {kind.__name__: kind for kind in _KINDS}


def claim_stdout() -> IO[str]:
    """Standard output for messages alone; what measured code prints goes to standard error."""
    messages: IO[str] = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return messages


def end_of(code: int, log: Iterable[str]) -> str:
    """How a process ended that had more to say: its signal, or its exit code and last words."""
    if code < 0:
        return f"was killed by {_signal_name(-code)}"
    lines = [line.strip() for line in log if line.strip()]
    return f"ended with exit code {code}" + (f": {lines[-1]}" if lines else "")


def _signal_name(number: int) -> str:
    """SIGKILL for 9; real-time signals have numbers only."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def send(stream: IO[str], message: Message) -> None:
    """Write one message and flush it. Raises OSError when the other side is gone."""
    stream.write(json.dumps({"type": type(message).__name__, **asdict(message)}) + "\n")
    stream.flush()


def receive(stream: IO[str]) -> Message | None:
    """Read one message; None when the other side is gone. Raises ValueError for another line."""
    line = stream.readline()
    if not line.endswith("\n"):
        return None
    try:
        fields = json.loads(line)
        kind = _TYPES[fields.pop("type")]
        if "case" in fields:
            fields["case"] = Case(**fields["case"])
        return kind(**fields)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a message: {line[:100]!r}") from error
