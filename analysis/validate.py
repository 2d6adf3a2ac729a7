"""Reading files that may hold anything: bounded, typed, and every problem kept."""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning"]
Scalar: TypeAlias = "str | int | float | bool | None"
"""A free-form fact."""

Json: TypeAlias = Any
"""What ``json`` gives back, before it is checked."""

MAX_PROBLEMS_PER_FILE = 1000
MAX_TEXT = 1000
MAX_SCALARS = 200

# Control characters could drive a terminal, lone surrogates cannot be written, and bidirectional
# overrides disguise.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a folder: errors spoil its figures, warnings are said and lived with."""

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
        self._counts: dict[str, int] = {}

    def error(self, file: str, line: int | None, message: str) -> None:
        self._add("error", file, line, message)

    def warning(self, file: str, line: int | None, message: str) -> None:
        self._add("warning", file, line, message)

    def _add(self, severity: Severity, file: str, line: int | None, message: str) -> None:
        count = self._counts.get(file, 0) + 1
        self._counts[file] = count
        if count <= MAX_PROBLEMS_PER_FILE:
            self._kept.append(Problem(severity, file, line, message))

    def all(self) -> tuple[Problem, ...]:
        """Every problem kept, errors first, each file in the order of its lines."""
        more = [
            Problem("error", file, None, f"and {count - MAX_PROBLEMS_PER_FILE} more problems")
            for file, count in self._counts.items()
            if count > MAX_PROBLEMS_PER_FILE
        ]
        kept = sorted(self._kept, key=lambda p: (p.severity, p.file, p.line or 0))
        return (*kept, *more)


class UnreadableError(Exception):
    """A file or line that cannot be taken as JSON; the text says why."""


def printable(text: str) -> str:
    """``text`` safe to show as plain text: one line, no control characters, bounded length."""
    text = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def quoted(text: str) -> str:
    """``text`` for a message."""
    shown = printable(text)
    return f"'{shown if len(shown) <= 120 else shown[:119] + '…'}'"


def open_regular(path: Path) -> IO[bytes]:
    """Open a plain file of a folder. A link or a device there could name any file or never end."""
    try:
        mode = os.lstat(path).st_mode
        if not stat.S_ISREG(mode):
            raise UnreadableError("is not a plain file (links and devices are not followed)")
        return path.open("rb")
    except FileNotFoundError:
        raise UnreadableError("is missing") from None
    except OSError as error:
        raise UnreadableError(f"cannot be opened: {error.strerror}") from None


def read_json(path: Path, limit_bytes: int) -> Json:
    """The JSON in a file of at most ``limit_bytes``. Raises UnreadableError."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit_bytes:
            raise UnreadableError(f"is larger than {limit_bytes // 2**20} MiB")
        # Never more than is there: a limit alone would be allocated in full.
        return parse_json(file.read(size))


def parse_json(data: bytes) -> Json:
    """JSON from UTF-8 bytes. Raises UnreadableError. NaN passes; later checks name it."""
    try:
        return json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnreadableError(f"is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise UnreadableError(f"is not JSON: {error.msg}, at column {error.colno}") from None
    except RecursionError:
        raise UnreadableError("is nested too deeply") from None
    except ValueError:
        raise UnreadableError("holds a number with too many digits") from None


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


class Record:
    """A JSON object, read field by field; what is wrong becomes a problem and a harmless default.

    ``sound`` is False once a field was wrong.
    """

    def __init__(self, value: object, problems: Problems, file: str, place: str) -> None:
        self._problems = problems
        self._file = file
        self._place = place
        self.sound = isinstance(value, dict)
        self._fields: Mapping[str, Any] = value if isinstance(value, dict) else {}
        if not self.sound:
            problems.error(file, None, f"{place or 'the file'} is not an object")

    def wrong(self, key: str, message: str) -> None:
        self.sound = False
        place = f"{self._place}.{key}" if self._place else key
        self._problems.error(self._file, None, f"{place}: {message}")

    def _get(self, key: str) -> Json:
        """The field; absent ones of an object that is none were said already."""
        if key not in self._fields and self._fields:
            self.wrong(key, "is missing")
        return self._fields.get(key)

    def has(self, key: str) -> bool:
        return key in self._fields

    def text(self, key: str, *, exact: bool = False) -> str:
        """A text made printable; with ``exact`` it must be so already, as ids are compared."""
        value = self._get(key)
        if not isinstance(value, str):
            if key in self._fields:
                self.wrong(key, "is not a text")
            return ""
        shown = printable(value)
        if exact and (shown != value or not value):
            self.wrong(key, f"{quoted(value)} is empty, too long or holds control characters")
        return shown

    def optional_text(self, key: str) -> str | None:
        return None if self._fields.get(key) is None else self.text(key)

    def number(self, key: str) -> float:
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            if key in self._fields:
                self.wrong(key, "is not a number")
            return 0.0
        number = as_float(value)
        if not math.isfinite(number) or number < 0:
            self.wrong(key, f"{number} is not a finite number of 0 or more")
            return 0.0
        return number

    def optional_number(self, key: str) -> float | None:
        return None if self._fields.get(key) is None else self.number(key)

    def integer(self, key: str, low: int, high: int) -> int:
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            if key in self._fields:
                self.wrong(key, "is not a whole number")
            return low
        if not low <= value <= high:
            self.wrong(key, f"lies outside {low} to {high}")
            return low
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.text(key)
        if key in self._fields and value not in choices:
            self.wrong(key, f"{quoted(value)} is not one of {', '.join(choices)}")
        return value

    def records(self, key: str, limit: int) -> list[Record]:
        value = self._get(key)
        if not isinstance(value, list):
            if key in self._fields:
                self.wrong(key, "is not a list")
            return []
        if len(value) > limit:
            self.wrong(key, f"has {len(value)} entries; at most {limit} are read")
            return []
        place = f"{self._place}.{key}" if self._place else key
        return [
            Record(item, self._problems, self._file, f"{place}[{index}]")
            for index, item in enumerate(value)
        ]

    def record(self, key: str) -> Record:
        place = f"{self._place}.{key}" if self._place else key
        return Record(self._get(key), self._problems, self._file, place)

    def truth(self, key: str) -> bool:
        value = self._get(key)
        if not isinstance(value, bool):
            if key in self._fields:
                self.wrong(key, "is neither true nor false")
            return False
        return value

    def texts(self, key: str, limit: int = MAX_SCALARS) -> tuple[str, ...]:
        value = self._get(key)
        if not isinstance(value, list) or not value or len(value) > limit:
            if key in self._fields:
                self.wrong(key, f"is not a list of 1 to {limit} texts")
            return ()
        if any(not isinstance(item, str) or printable(item) != item or not item for item in value):
            self.wrong(key, "holds something that is not a plain text")
            return ()
        return tuple(value)

    def scalars(self, key: str) -> dict[str, Scalar | tuple[Scalar, ...]]:
        """Free-form facts: texts, numbers, truth values, and flat lists of them."""
        value = self._get(key)
        if not isinstance(value, dict) or len(value) > MAX_SCALARS:
            if key in self._fields:
                self.wrong(key, f"is not an object of at most {MAX_SCALARS} facts")
            return {}
        facts: dict[str, Scalar | tuple[Scalar, ...]] = {}
        for name, fact in value.items():
            if isinstance(fact, list):
                facts[printable(name)] = tuple(_scalar(item) for item in fact[:MAX_SCALARS])
            else:
                facts[printable(name)] = _scalar(fact)
        return facts

    def flat_scalars(self, key: str) -> dict[str, Scalar]:
        return {
            name: ", ".join(map(str, fact)) if isinstance(fact, tuple) else fact
            for name, fact in self.scalars(key).items()
        }


def as_float(value: float) -> float:
    """A number as a float: what is too large for one is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _scalar(value: object) -> Scalar:
    """A fact as read, or, for what is no single fact, that it is none."""
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else as_float(value)
    if isinstance(value, str):
        return printable(value)
    return "(not a single value)"
