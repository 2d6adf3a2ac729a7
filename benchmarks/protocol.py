"""What the coordinator and a worker say to each other: one JSON object a line over the worker's
standard streams.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import IO, TypeAlias

from benchmarks.cases import Case
from benchmarks.conditions import Scalar


@dataclass(frozen=True)
class Ready:
    """First word of a worker: the conditions it has proved."""

    conditions: Mapping[str, Scalar]


@dataclass(frozen=True)
class Calibrate:
    """Coordinator: prove this case and find its number of inner loops."""

    case: Case
    slice_seconds: float


@dataclass(frozen=True)
class Calibrated:
    """Worker: see ``slices.Calibration``; ``peak_bytes`` is the process's peak resident size so
    far, or 0.
    """

    loops: int
    turn_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Measure:
    """Coordinator: your turn; measure one slice of this case."""

    case: Case
    loops: int


@dataclass(frozen=True)
class Measured:
    """Worker: seconds per inner loop by metric, and the seconds spent inside the timed loops."""

    values: Mapping[str, float]
    timed_seconds: float


@dataclass(frozen=True)
class Failed:
    """Worker: the case failed in this process, which is fit to go on."""

    cause: str


Message: TypeAlias = "Ready | Calibrate | Calibrated | Measure | Measured | Failed"
_TYPES: dict[str, type[Message]] = {
    kind.__name__: kind for kind in (Ready, Calibrate, Calibrated, Measure, Measured, Failed)
}


def send(stream: IO[str], message: Message) -> None:
    """Write one message and flush it. Raises OSError when the other side is gone."""
    stream.write(json.dumps({"type": type(message).__name__, **asdict(message)}) + "\n")
    stream.flush()


def receive(stream: IO[str]) -> Message | None:
    """Read one message; None when the other side is gone. Raises ValueError when a line is not a
    message.
    """
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
