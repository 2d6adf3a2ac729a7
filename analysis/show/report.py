"""Writes ``report/`` inside a campaign's folder, and values for other tools; nothing else.

All files are made in memory, written to a new folder beside it, and the two are exchanged: a reader
sees the old report or the new one. Only a folder that looks like a report of ours is replaced.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from analysis.judge.answer import QUESTION
from analysis.judge.findings import Findings
from analysis.show.page import FOLDER, MARKDOWN, PAGE, csv_of, files_of


class ReportError(Exception):
    """The report was not written; the message is one line."""


def publish(findings: Findings) -> Path:
    """Write the report of a campaign below its folder; return its page.

    The same campaign gives the same bytes. Raises ReportError where something else lies in its
    place, or the disk refuses.
    """
    report = findings.campaign.folder / FOLDER
    _check(report)
    write(report, files_of(findings))
    return report / PAGE


def write(report: Path, files: Mapping[str, bytes]) -> None:
    """Make ``report`` a folder of these files, by their relative paths. Raises ReportError."""
    _check(report)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{report.name}-", dir=report.parent) as beside:
            fresh, old = Path(beside) / "new", Path(beside) / "old"
            for name, data in files.items():
                path = fresh / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            if report.exists():
                report.rename(old)
            try:
                fresh.rename(report)
            except OSError:
                if old.exists():
                    old.rename(report)
                raise
    except OSError as error:
        raise ReportError(
            f"cannot write {error.filename or report}: {error.strerror or error}"
        ) from error


def _check(report: Path) -> None:
    """Raises ReportError unless the place is free, or has a report of ours."""
    if report.is_symlink():
        raise ReportError(f"{report} is a link, which is not followed: remove it and try again")
    markdown = report / MARKDOWN
    ours = markdown.is_file() and markdown.read_bytes().startswith(f"# {QUESTION}".encode())
    if report.exists() and not ours:
        raise ReportError(f"{report} is no report of ours: move it away and try again")


def export(values: pd.DataFrame, observed: pd.DataFrame, folder: Path) -> list[Path]:
    """Write values, and what was observed beside them if anything was, as Parquet and CSV into a
    new folder; return the paths. Raises OSError, for one when the folder exists.
    """
    folder.mkdir(parents=True)
    paths = []
    for name, frame in (("values", values), ("observed", observed)):
        if len(frame):
            parquet, text = folder / f"{name}.parquet", folder / f"{name}.csv"
            frame.to_parquet(parquet, index=False)
            text.write_bytes(csv_of(frame, digits=17))
            paths += [parquet, text]
    return paths
