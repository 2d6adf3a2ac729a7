"""Tables on the terminal. The answer comes last: that is what stays on the screen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from analysis.judge.findings import Findings
from analysis.judge.verdicts import FASTER, MISSING, SLOWER, UNDECIDED
from analysis.show import tables
from analysis.show.tables import Cell, Table

WIDTH: Final = 100
"""Columns where the width cannot be asked for: in pipes and files."""
MOST_ROWS: Final = 60
"""All tables are shown unasked where no more is compared than this."""
_LEAST_LAST: Final = 22
"""The least width of a table's last column."""
_APART: Final = ("compared", "workload", "pause", "Python", "task factory", "collector", "claim")
"""The columns whose values stand in titles where a table is too wide, the first of them first."""
_STYLES: Final = {SLOWER: "red", FASTER: "green", UNDECIDED: "yellow", MISSING: "dim"}


class _Console(Console):
    """rich would exit with 1 when its reader stops early; here the command decides."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console() -> Console:
    """A console on standard output, wide enough for the tables when that is no terminal."""
    found = _Console(highlight=False)
    return found if found.is_terminal else _Console(highlight=False, width=WIDTH)


def show(findings: Findings, on: Console, *, everything: bool = False) -> None:
    """Print all tables where they are short or ``everything`` is asked for, else the overview of
    the newest Python; what is missing and why; and the answer.
    """
    campaign = findings.campaign
    _line(on, tables.provenance(campaign), "bold")
    on.print()
    is_whole = everything or len(tables.shown(findings)) <= MOST_ROWS
    findings = findings if is_whole else tables.of_newest(findings)
    answer = tables.answer(findings)
    if is_whole:
        print_tables(tables.every(findings), on)
    else:
        newest = tables.newest(campaign)
        shown = f"The newest Python, {newest}, in short." if newest else "In short."
        _line(on, f"{shown} Everything: python -m analysis show {campaign.folder} --all")
        on.print()
        short = tables.overview(findings)
        # Of some probes alone there is no answer, and in some campaigns no other axis.
        is_short = short.rows or answer.rows
        print_tables([short] if is_short else tables.every(findings), on)
    for line in tables.foot(findings):
        _line(on, line)
    # Whether the figures can be trusted stands right above the answer.
    control = findings.control
    _line(on, f"Campaign {control.note}.", "" if control.proven else "bold red")
    on.print()
    print_tables([answer], on)


def print_tables(several: Iterable[Table], on: Console) -> None:
    """Print each with its title and note; one without rows is left out.

    A table falls into parts by its probe, and by more while it is too wide; its note comes last.
    """
    for table in several:
        parts = tables.split(table, "probe")
        for heading in _APART:
            parts = [one for part in parts for one in _narrowed(part, heading, on.width)]
        parts = [part for part in parts if part.rows]
        for part in parts:
            _print(part, on, note=table.note if part is parts[-1] else "")


def _narrowed(table: Table, heading: str, width: int) -> list[Table]:
    return [table] if sum(_widths(table)) <= width else tables.split(table, heading)


def _widths(table: Table) -> list[int]:
    """What each column takes, with a space behind it; the last, which is folded, at the least."""
    widths = [
        0 if column.detail else 1 + max([len(column.name), *(len(cell.text) for cell in cells)])
        for column, *cells in zip(table.columns, *table.rows, strict=True)
    ]
    last = max(place for place, column in enumerate(table.columns) if not column.detail)
    return [*widths[:last], min(widths[last], _LEAST_LAST)]


def _print(table: Table, on: Console, *, note: str) -> None:
    _line(on, table.title, "bold")
    *widths, _ = _widths(table)
    room = max(_LEAST_LAST, on.width - sum(widths))
    _row(on, table, [Cell(column.name) for column in table.columns], widths, room, "dim")
    before: tuple[Cell, ...] = ()
    for row in table.rows:
        repeated = _repeated(table, row, before)
        _row(on, table, [Cell("")] * repeated + [*row[repeated:]], widths, room)
        before = row
    if note:
        _line(on, note, "dim")
    on.print()


def _row(
    on: Console,
    table: Table,
    cells: Sequence[Cell],
    widths: Sequence[int],
    room: int,
    style: str = "",
) -> None:
    """A line; only its last cell, which may hold a reason, is folded where the room is short."""
    line = Text()
    for cell, column, width in zip(cells, table.columns, widths, strict=False):
        text = cell.text.rjust(width - 1) + " " if column.numeric else cell.text.ljust(width)
        # Text, never markup: what stands in a results folder must not reach rich's tags.
        line.append(text[:width] if width else "", style or _STYLES.get(cell.kind, ""))
    last = cells[len(widths)]
    folded = f"\n{' ' * sum(widths)}".join(textwrap.wrap(last.text, room))
    line.append(folded, style or _STYLES.get(last.kind, ""))
    on.print(line, soft_wrap=True)


def _repeated(table: Table, row: tuple[Cell, ...], before: tuple[Cell, ...]) -> int:
    """How many of the leading cells are those of the row above."""
    for place, column in enumerate(table.columns):
        if not before or not column.leading or row[place].text != before[place].text:
            return place
    return 0


def _line(on: Console, text: str, style: str = "") -> None:
    on.print(Text(text, style=style), soft_wrap=True)
