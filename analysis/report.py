"""The only writer of report files: ``report/`` inside a campaign folder, and nothing outside it.

Everything is made in memory first (:mod:`analysis.pages`), then checked against what lies there,
then written.

What lies in ``report/`` already is handled so:

- ``manifest.json`` lists every file written by us with its hash. A listed file that is as we left
  it is replaced, or removed when the report no longer has it.
- A listed file that was changed since, or an unlisted one where a file of the report has to go, was
  touched by somebody else: the report is refused as a whole, naming all of them, and nothing is
  written.
- Other files are left alone.
- A symbolic link where a folder or file of the report has to go is refused: it could lead anywhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from analysis.campaign import CampaignError
from analysis.findings import Findings, find
from analysis.load import read_campaign
from analysis.pages import files_of

FOLDER: Final = "report"
MANIFEST: Final = "manifest.json"
_GENERATOR: Final = "asyncio-fanout"
_MAX_MANIFEST_BYTES: Final = 4 * 2**20


class ReportError(Exception):
    """The report was not written; the message names what is in the way and what to do."""


@dataclass(frozen=True, slots=True)
class Published:
    """Where a report was written. ``files`` are all of them, in order of their names."""

    folder: Path
    page: Path
    markdown: Path
    files: tuple[Path, ...]


def publish(folder: Path, *, baseline_python: str | None = None) -> Published:
    """Read the campaign in ``folder`` and write its report below ``folder/report``.

    ``baseline_python`` is the Python that others are held against (default: the plan's first).
    Running it again on the same campaign writes the same bytes. Raises ReportError when something
    that we did not write is in the way or the disk refuses, CampaignError when the campaign cannot
    be used, and UnknownPythonError when it has no such Python.
    """
    campaign = read_campaign(folder)
    if campaign.errors:
        raise CampaignError(campaign.errors)
    return publish_findings(find(campaign, baseline_python=baseline_python))


def publish_findings(findings: Findings) -> Published:
    """:func:`publish` for a campaign that was read and estimated already."""
    report = findings.campaign.folder / FOLDER
    files = files_of(findings)
    write(report, files)
    return Published(
        folder=report,
        page=report / "index.html",
        markdown=report / "report.md",
        files=tuple(report / name for name in sorted(files)),
    )


def write(report: Path, files: Mapping[str, bytes]) -> None:
    """Write ``files`` (by relative path with "/") below ``report``; see the module's text for what
    is refused.

    Each file appears whole or not at all. Raises ReportError, ValueError for a path that leaves the
    folder.
    """
    for name in files:
        _check_name(name)
    try:
        before = _read_manifest(report)
        in_the_way = [*_foreign(report, files, before)]
        if in_the_way:
            raise ReportError(
                "the report was not written, because of what lies in its place:\n  "
                + "\n  ".join(in_the_way)
                + "\nMove these away and make the report again."
            )
        now = {name: [_hash(data)] for name, data in files.items()}
        both = {name: [*before.get(name, []), *now.get(name, [])] for name in {*before, *now}}
        _make_folders(report, files)
        # First a manifest of old and new together: if we are stopped half-way, every file is still
        # known as ours.
        _replace(report / MANIFEST, _manifest(both))
        for name in sorted(files):
            _replace(report / name, files[name])
        for name in sorted(before.keys() - now.keys()):
            (report / name).unlink(missing_ok=True)
        _replace(report / MANIFEST, _manifest(now))
    except OSError as error:
        raise ReportError(
            f"cannot write {error.filename or report}: {error.strerror or error}; the report is "
            "incomplete"
        ) from error


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    if not name or "\\" in name or path.is_absolute() or ".." in path.parts or name == MANIFEST:
        raise ValueError(f"not a file of a report: {name!r}")


def _read_manifest(report: Path) -> dict[str, list[str]]:
    """Hashes of what we wrote, by name; empty when there is no report yet."""
    path = report / MANIFEST
    if not _is_folder(report) or not os.path.lexists(path):
        return {}
    foreign = ReportError(
        f"{path} was not written by us: move {report} away and make the report again"
    )
    if not _is_file(path) or path.stat().st_size > _MAX_MANIFEST_BYTES:
        raise foreign
    try:
        content = json.loads(path.read_bytes())
        files = content["files"]
        if content["generator"] != _GENERATOR or not isinstance(files, dict):
            raise foreign
        for name in files:
            _check_name(name)
        return {str(name): [str(known) for known in hashes] for name, hashes in files.items()}
    except (ValueError, TypeError, KeyError, RecursionError):
        raise foreign from None


def _foreign(
    report: Path, files: Mapping[str, bytes], before: Mapping[str, list[str]]
) -> Iterator[str]:
    """What stands where the report goes and is not ours, in words."""
    if os.path.lexists(report) and not _is_folder(report):
        yield f"{report} is not a folder of its own (links are not followed)"
        return
    for name in sorted({*files, *before}):
        path = report / name
        for parent in _parents(report, name):
            if os.path.lexists(parent) and not _is_folder(parent):
                yield f"{parent} is not a folder of its own (links are not followed)"
                break
        else:
            if not os.path.lexists(path):
                continue
            if not _is_file(path):
                yield f"{path} is not a plain file"
            elif name not in before:
                yield f"{path} was not written by us"
            elif _hash(path.read_bytes()) not in before[name]:
                yield f"{path} was changed after we wrote it"


def _parents(report: Path, name: str) -> list[Path]:
    parts = PurePosixPath(name).parts[:-1]
    return [report.joinpath(*parts[: i + 1]) for i in range(len(parts))]


def _make_folders(report: Path, files: Mapping[str, bytes]) -> None:
    report.mkdir(exist_ok=True)
    for name in files:
        for parent in _parents(report, name):
            parent.mkdir(exist_ok=True)


def _replace(path: Path, data: bytes) -> None:
    """Write next to the target, then rename: a reader sees the old file or the new one. Never
    follows a link.
    """
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with part.open("xb") as file:
            file.write(data)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _manifest(files: Mapping[str, list[str]]) -> bytes:
    content = {
        "generator": _GENERATOR,
        "note": (
            "Files of this report with their SHA-256; only these are replaced when it is "
            "made again."
        ),
        "files": {name: files[name] for name in sorted(files)},
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _is_folder(path: Path) -> bool:
    return os.path.lexists(path) and stat.S_ISDIR(path.lstat().st_mode)


def _is_file(path: Path) -> bool:
    return os.path.lexists(path) and stat.S_ISREG(path.lstat().st_mode)
