"""The files of a campaign: ``rounds.jsonl``, only ever appended to, and ``campaign.json``, replaced
whole. Both are synced at once, so that a results folder is valid whenever the campaign ends.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.campaign import schema

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


ROOM_FACTOR = 4
"""The last ``campaign.json`` is at most so many times as large as the first: it has failures and
conditions besides."""


class JournalError(Exception):
    """A results folder cannot be made or read; the message is one line."""


class Journal:
    """A results folder that is being written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / schema.JOURNAL_FILE
        self._room = folder / ".room"

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

    def append(self, line: schema.RoundLine) -> None:
        """Append one line and sync it to the disk. Raises OSError."""
        with self._path.open("ab") as stream:
            stream.write(schema.encode(line) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())

    def lines(self, plan: schema.Plan) -> Iterator[schema.RoundLine]:
        """Every whole line. Raises JournalError for one that is none, or none of this plan."""
        cases = {case.id for case in plan.cases}
        with self._path.open("rb") as stream:
            for number, content in enumerate(stream, start=1):
                if not content.endswith(b"\n"):
                    return
                try:
                    line = schema.decode(content, schema.RoundLine)
                except schema.SchemaError as error:
                    raise JournalError(f"{self._path}:{number}: {error}") from None
                if line.case not in cases:
                    raise JournalError(
                        f"{self._path}:{number}: case: {line.case!r} is not in "
                        f"{schema.CAMPAIGN_FILE}"
                    )
                yield line

    def drop_unfinished_line(self) -> None:
        """Cut off a last line that was not written whole."""
        with self._path.open("rb+") as stream:
            content = stream.read()
            stream.truncate(content.rfind(b"\n") + 1)

    def save(self, plan: schema.Plan) -> None:
        """Replace ``campaign.json``. Raises OSError."""
        replace_file(self.folder / schema.CAMPAIGN_FILE, schema.encode_pretty(plan))

    def keep_room(self, plan: schema.Plan) -> None:
        """Keep room for :meth:`save_last` on the disk, which others may fill. Raises OSError."""
        self._room.write_bytes(b" " * ROOM_FACTOR * len(schema.encode_pretty(plan)))

    def save_last(self, plan: schema.Plan) -> None:
        """:meth:`save`, in the room that was kept, if any. Raises OSError."""
        self._room.unlink(missing_ok=True)
        self.save(plan)

    def load(self) -> schema.Plan:
        """Read ``campaign.json``. Raises JournalError."""
        path = self.folder / schema.CAMPAIGN_FILE
        try:
            return schema.decode(path.read_bytes(), schema.Plan)
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror}; name the folder of a campaign") from None
        except schema.SchemaError as error:
            raise JournalError(f"{path}: {error}") from None


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in its place whole and synced: readers see the old or the new. Raises OSError."""
    temporary = path.with_name(f".{path.name}")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
