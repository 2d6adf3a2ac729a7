"""Findings -> the parts of a report that belong to one matter each: its charts, and its numbers.

A part that has nothing to show is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from analysis.behaviours import behaviour_grid, behaviour_tables
from analysis.checks import Check, claims_table, ledger
from analysis.findings import Findings
from analysis.grids import Cell, Grid, Row, table_grid
from analysis.layout import Table
from analysis.pictures import Picture
from analysis.plots.prepare import OF_EVERY_PYTHON, python_shown
from analysis.question_tables import (
    collector_tables,
    factory_tables,
    flip_tables,
    head_start_tables,
    probe_tables,
)
from analysis.readings import NOT_MET

HEAD_START: Final = "head-start"
_MOST_OPEN_ROWS: Final = 12
"""A table with more is folded on the page."""


@dataclass(frozen=True, slots=True)
class Section:
    """``grids`` are the numbers on the page, ``tables`` the same for Markdown. They are folded
    under their ``summary``, where there is one; so are the ``remarks`` below them, under what these
    are ``about``.
    """

    id: str
    heading: str
    introduction: str
    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]
    grids: tuple[Grid, ...]
    summary: str = ""
    about: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matter:
    """What a section is about: ``frames`` are those of its charts."""

    id: str
    heading: str
    introduction: str
    frames: tuple[str, ...]
    tables: Callable[[Findings], Iterable[Table]]


def _of_probes(*probes: str) -> Callable[[Findings], Iterable[Table]]:
    """What was measured by these probes, and what was observed beside it."""
    return lambda findings: probe_tables(findings, *probes)


def _of_collectors(findings: Findings) -> Iterable[Table]:
    return [*flip_tables(findings), *collector_tables(findings)]


MATTERS: Final = (
    Matter(
        id=HEAD_START,
        heading="A head start",
        introduction=(
            "The one reason to create tasks yourself: the caller has something else to await "
            "before it needs the results. Tasks start at its next suspension; bare coroutines "
            "start when they are gathered."
        ),
        frames=("head_start",),
        tables=head_start_tables,
    ),
    Matter(
        id="stall",
        heading="Holding up the loop",
        introduction=(
            "Whatever else the loop serves waits while a fan-out is launched, and while tasks that "
            "are all ready run in one turn."
        ),
        frames=("stall",),
        tables=_of_probes("stall"),
    ),
    Matter(
        id="failure",
        heading="When a child fails, or the caller is cancelled",
        introduction=(
            "The strategies differ more in how they end than in what they cost: who is told, when, "
            "and what becomes of the other children."
        ),
        frames=("failure", "cancel"),
        tables=_of_probes("failure", "cancel"),
    ),
    Matter(
        id="memory",
        heading="Memory",
        introduction="What each task holds while it waits, the process's own share taken off.",
        frames=("memory",),
        tables=_of_probes("memory"),
    ),
    Matter(
        id="factories",
        heading="Eager tasks",
        introduction=(
            "Since Python 3.12 a loop can be given a task factory that takes a task's first step "
            "as it is created. Each strategy is held against itself with lazy tasks."
        ),
        frames=("factories",),
        tables=factory_tables,
    ),
    Matter(
        id="collectors",
        heading="The garbage collector",
        introduction=(
            "Published rankings of gather and TaskGroup have turned round with a change of the "
            "collector, so each strategy was timed with it on, off and frozen."
        ),
        frames=("collectors",),
        tables=_of_collectors,
    ),
)


def sections(findings: Findings, pictures: Sequence[Picture]) -> list[Section]:
    """The sections of a report, in order; each has something to show."""
    matters = list(_matters(findings, pictures))
    first = [one for one in matters if one.id == HEAD_START]
    others = [one for one in matters if one.id != HEAD_START]
    # The programs picture what the head start measures.
    return [*first, *_programs(findings, pictures), *others, *_claims(findings)]


def _matters(findings: Findings, pictures: Sequence[Picture]) -> Iterator[Section]:
    of_one, python = _of_python_shown(findings)
    for matter in MATTERS:
        every = {*matter.frames} <= {*OF_EVERY_PYTHON}
        tables = tuple(
            table for table in matter.tables(findings if every else of_one) if table.rows
        )
        shown = tuple(picture for picture in pictures if picture.about in matter.frames)
        if tables or shown:
            yield Section(
                id=matter.id,
                heading=matter.heading,
                introduction=matter.introduction,
                pictures=shown,
                tables=tables,
                grids=tuple(
                    table_grid(f"{matter.id}-{number}", table)
                    for number, table in enumerate(tables, 1)
                ),
                summary=_summary(tables, "" if every else python),
            )


def _of_python_shown(findings: Findings) -> tuple[Findings, str]:
    """What was found on the Python that charts draw, and its label; all, where they draw all."""
    shown = python_shown(findings.campaign)
    if shown is None:
        return findings, ""
    frames = ("everything", "every_absolute", "observations", "factories", "collectors", "flips",
              "head_start")  # fmt: skip
    own: dict[str, Any] = {
        name: frame[frame["python"] == shown.label]
        for name, frame in ((name, getattr(findings, name)) for name in frames)
    }
    return replace(findings, **own), shown.label


def _summary(tables: Sequence[Table], python: str) -> str:
    """What stands for folded tables; nothing where they are short enough to be open."""
    if sum(len(table.rows) for table in tables) <= _MOST_OPEN_ROWS and not python:
        return ""
    where = f" of Python {python}; those of the others are in the CSV files" if python else ""
    return f"All numbers{where}"


def _programs(findings: Findings, pictures: Sequence[Picture]) -> Iterator[Section]:
    shown = tuple(picture for picture in pictures if picture.about == "timelines")
    if findings.witness is None or not findings.witness.runs:
        return
    yield Section(
        id="programs",
        heading="The programs the question came with",
        introduction=(
            "Small programs that anybody can run (python -m benchmarks witness), each with what it "
            "claims, what was expected and what was seen."
        ),
        pictures=shown,
        tables=tuple(behaviour_tables(findings.witness)),
        grids=(behaviour_grid(findings.witness),),
    )


def _claims(findings: Findings) -> Iterator[Section]:
    checks = ledger([findings])
    met = [one for one in checks if one.verdict != NOT_MET]
    if not met:
        return
    open_ = [one for one in checks if one.verdict == NOT_MET]
    yield Section(
        id="claims",
        heading="What others have claimed",
        introduction=(
            "Published claims held against this campaign. A claim is reproduced when our interval "
            "lies inside theirs; it is not when it lies outside. Each is tested under the "
            "conditions under which it was made."
        ),
        pictures=(),
        tables=(claims_table(met),),
        grids=(claims_grid(met),),
        about=f"Not tested here, because their conditions are not met: {len(open_)}",
        remarks=tuple(f"{one.claim.statement}: {one.missing}." for one in open_),
    )


def claims_grid(checks: Sequence[Check]) -> Grid:
    """The ledger as a table of the page, each claim with its source."""
    heads = (
        ("Claim", ""),
        ("Claimed", "w"),
        ("Python", "w"),
        ("Measured [95 %]", "w"),
        ("Verdict", ""),
        ("Cells", ""),
    )
    rows = [
        Row(
            (
                Cell(
                    f"{one.claim.statement} ",
                    links=(("source", one.claim.source),),
                    note=one.claim.remark,
                ),
                Cell(one.claimed, kind="w"),
                Cell(one.python, kind="w"),
                Cell(one.ours, kind="w"),
                Cell(one.verdict, kind=f"verdict {_KINDS.get(one.verdict, '')}"),
                Cell("; ".join(filter(None, (one.count, one.note)))),
            )
        )
        for one in checks
    ]
    title = "Published claims, and what was measured here"
    return Grid("claims", title, "", heads, tuple(rows))


_KINDS: Final = {"reproduced": "faster", "not reproduced": "slower", "undecided": "undecided"}
"""The verdicts on claims in the colours of those on strategies."""
