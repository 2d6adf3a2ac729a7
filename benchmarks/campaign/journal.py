"""The files of a campaign: ``rounds.jsonl``, only ever appended to, and ``campaign.json``, replaced
whole.

Both are synced before anything else happens, so that a results folder is valid whenever the
campaign ends.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.campaign.plan import SCHEMA, Plan, plan_from_json, plan_to_json
from benchmarks.conditions import Scalar

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

CAMPAIGN_FILE = "campaign.json"
JOURNAL_FILE = "rounds.jsonl"


class JournalError(Exception):
    """A results folder cannot be made or read; the message is one line."""


@dataclass(frozen=True)
class Cell:
    """One contender in one case and round: values per batch, one per sweep, by metric; likewise
    what was ``observed`` beside them.
    """

    loops: int
    timed_seconds: float
    values: Mapping[str, Sequence[float]]
    observed: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """A line of the journal: one case of one round. Cells and failures are keyed by the contender's
    id.
    """

    round: int
    case: str
    started: str
    wall_seconds: float
    steal_seconds: float
    cells: Mapping[str, Cell]
    failures: Mapping[str, str]

    def to_line(self) -> str:
        return json.dumps({"schema": SCHEMA, **asdict(self)}, separators=(",", ":")) + "\n"

    @classmethod
    def from_line(cls, line: str | bytes) -> Record:
        fields = json.loads(line)
        del fields["schema"]
        cells = {name: Cell(**cell) for name, cell in fields.pop("cells").items()}
        return cls(cells=cells, **fields)


@dataclass(frozen=True)
class Failure:
    """A contender that failed in a case, which it is not asked again."""

    contender: str
    case: str
    round: int
    cause: str


@dataclass(frozen=True)
class State:
    """What has become of a plan so far: the changing part of ``campaign.json``."""

    status: str = "running"
    finished: str | None = None
    elapsed_seconds: float = 0.0
    rounds: int = 0
    loops: Mapping[str, int] = field(default_factory=dict)
    sweeps: Mapping[str, int] = field(default_factory=dict)
    conditions: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()
    peak_worker_bytes: int = 0
    peak_driver_bytes: int = 0


class Journal:
    """A results folder that is being written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / JOURNAL_FILE

    @classmethod
    def create(cls, folder: Path) -> Journal:
        """Make the folder. Raises JournalError if it exists or cannot be made."""
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            raise JournalError(
                f"{folder} exists already and is never overwritten; name another folder"
            ) from None
        except OSError as error:
            raise JournalError(f"{folder} cannot be made: {error.strerror}") from None
        journal = cls(folder)
        journal._path.touch()
        return journal

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing here meanwhile, where the system can.

        Raises JournalError when one does already, or when there is no journal.
        """
        try:
            stream = self._path.open("rb")
        except OSError as error:
            raise JournalError(f"{self._path}: {error.strerror}; is this a campaign?") from None
        with stream:
            if fcntl is not None:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise JournalError(
                        f"{self.folder} is being written by another process"
                    ) from None
            yield

    def append(self, record: Record) -> None:
        """Append one line and sync it to the disk. Raises OSError, for one when no space is
        left.
        """
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(record.to_line())
            stream.flush()
            os.fsync(stream.fileno())

    def records(self, plan: Plan | None = None) -> Iterator[Record]:
        """Every whole line. Raises JournalError for one that is no record, or none of the plan."""
        cases = {case.id for case in plan.cases} if plan else None
        with self._path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if not line.endswith(b"\n"):
                    return
                try:
                    record = Record.from_line(line)
                except (AttributeError, KeyError, TypeError, ValueError) as error:
                    raise JournalError(
                        f"{self._path}:{number}: not a record of a round: {error}"
                    ) from None
                if cases is not None and record.case not in cases:
                    raise JournalError(
                        f"{self._path}:{number}: case {record.case!r} is not in {CAMPAIGN_FILE}"
                    )
                yield record

    def drop_unfinished_line(self) -> None:
        """Cut off a last line that was not written whole, so that the next one starts on a line of
        its own.
        """
        with self._path.open("rb+") as stream:
            content = stream.read()
            stream.truncate(content.rfind(b"\n") + 1)

    def save(self, plan: Plan, state: State) -> None:
        """Replace ``campaign.json``. Raises OSError."""
        replace_json(self.folder / CAMPAIGN_FILE, _campaign_to_json(plan, state))

    def load(self) -> tuple[Plan, State]:
        """Read ``campaign.json``. Raises JournalError."""
        path = self.folder / CAMPAIGN_FILE
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            if fields["schema"] != SCHEMA:
                raise JournalError(
                    f"{path}: schema {fields['schema']}, this version reads {SCHEMA}"
                )
            return plan_from_json(fields), _state_from_json(fields)
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror}; name the folder of a campaign") from None
        except (KeyError, TypeError, ValueError) as error:
            raise JournalError(f"{path}: not a campaign: {type(error).__name__}: {error}") from None


def replace_json(path: Path, content: Mapping[str, Any]) -> None:
    """Put a file in its place whole and synced, so that a reader sees the old one or the new one.
    Raises OSError.
    """
    temporary = path.with_name(f".{path.name}")
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=1)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def _campaign_to_json(plan: Plan, state: State) -> dict[str, Any]:
    """The plan, with what is known of each contender and case put beside it."""
    fields = plan_to_json(plan)
    for contender in fields["contenders"]:
        contender["conditions"] = dict(state.conditions.get(contender["id"], {}))
    for case in fields["cases"]:
        case["sweeps"] = state.sweeps.get(case["id"], 0)
        case["loops"] = state.loops.get(case["id"], 0)
    return fields | {
        "status": state.status,
        "finished": state.finished,
        "elapsed_seconds": round(state.elapsed_seconds, 3),
        "rounds": state.rounds,
        "peak_worker_bytes": state.peak_worker_bytes,
        "peak_driver_bytes": state.peak_driver_bytes,
        "failed": [asdict(failure) for failure in state.failed],
    }


def _state_from_json(fields: Mapping[str, Any]) -> State:
    return State(
        status=fields["status"],
        finished=fields["finished"],
        elapsed_seconds=fields["elapsed_seconds"],
        rounds=fields["rounds"],
        loops={row["id"]: row["loops"] for row in fields["cases"] if row["loops"]},
        sweeps={row["id"]: row["sweeps"] for row in fields["cases"] if row["sweeps"]},
        conditions={
            row["id"]: row["conditions"] for row in fields["contenders"] if row["conditions"]
        },
        failed=tuple(Failure(**row) for row in fields["failed"]),
        peak_worker_bytes=fields["peak_worker_bytes"],
        peak_driver_bytes=fields["peak_driver_bytes"],
    )
