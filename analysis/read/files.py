"""Reading files that may hold anything: bounded, and every problem kept."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning"]

MAX_PROBLEMS_PER_FILE = 1000
MAX_TEXT = 1000

# Control characters could drive a terminal, lone surrogates cannot be written, and bidirectional
# overrides disguise.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a folder: errors spoil its figures, warnings do not."""

    severity: Severity
    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.severity}: {self.message}"


class Problems:
    """Collects problems; past a limit per file it only counts them, to keep memory bounded."""

    def __init__(self) -> None:
        self._kept: list[Problem] = []
        self._counts: dict[tuple[Severity, str], int] = {}

    def error(self, file: str, line: int | None, message: str) -> None:
        self.add("error", file, line, message)

    def warning(self, file: str, line: int | None, message: str) -> None:
        self.add("warning", file, line, message)

    def add(self, severity: Severity, file: str, line: int | None, message: str) -> None:
        count = self._counts[severity, file] = self._counts.get((severity, file), 0) + 1
        if count <= MAX_PROBLEMS_PER_FILE:
            self._kept.append(Problem(severity, file, line, message))

    def all(self) -> tuple[Problem, ...]:
        """Every problem kept, errors first, each file in the order of its lines."""
        more = [
            Problem(severity, file, None, f"and {count - MAX_PROBLEMS_PER_FILE} more problems")
            for (severity, file), count in self._counts.items()
            if count > MAX_PROBLEMS_PER_FILE
        ]
        kept = sorted(self._kept, key=lambda p: (p.severity, p.file, p.line or 0))
        return (*kept, *more)


class UnreadableError(Exception):
    """A file that cannot be read; the text says why."""


def printable(text: str) -> str:
    """``text`` safe to show as plain text: one line, no control characters, bounded length."""
    text = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def quoted(text: str) -> str:
    """``text`` for a message."""
    shown = printable(text)
    return f"'{shown if len(shown) <= 120 else shown[:119] + '…'}'"


def open_regular(path: Path) -> IO[bytes]:
    """Open a plain file: a link or a device could lead anywhere or never end. Raises
    UnreadableError.
    """
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise UnreadableError("is not a plain file (links and devices are not followed)")
        return path.open("rb")
    except FileNotFoundError:
        raise UnreadableError("is missing") from None
    except OSError as error:
        raise UnreadableError(f"cannot be opened: {error.strerror}") from None


def read_bytes(path: Path, limit_bytes: int) -> bytes:
    """The bytes of a plain file of at most this size. Raises UnreadableError."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit_bytes:
            raise UnreadableError(f"is larger than {limit_bytes // 2**20} MiB")
        # Never more than is there: a limit alone would be allocated in full.
        return file.read(size)


@dataclass(frozen=True, slots=True)
class Line:
    """``data`` is None where it is too long; ``terminated`` is False where the file ends in it."""

    number: int
    data: bytes | None
    terminated: bool


def lines(file: IO[bytes], limit_bytes: int) -> Iterator[Line]:
    """The lines of a file, from 1, never holding more than ``limit_bytes`` of one."""
    number = 0
    while data := file.readline(limit_bytes + 1):
        number += 1
        if len(data) <= limit_bytes or data.endswith(b"\n"):
            yield Line(number, data, data.endswith(b"\n"))
            continue
        while data and not data.endswith(b"\n"):
            data = file.readline(2**16)
        yield Line(number, None, data.endswith(b"\n"))
