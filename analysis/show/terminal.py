"""The answer on the terminal, and all tables for those who ask for them."""

from __future__ import annotations

import itertools
import os
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from rich.console import Console
from rich.text import Text

from analysis.judge import words as say
from analysis.judge.answer import answer
from analysis.judge.findings import Findings
from analysis.judge.verdicts import FASTER, MISSING, SLOWER, UNDECIDED
from analysis.show import tables
from analysis.show.tables import Cell, Table

WIDTH: Final = 100
"""Columns where the width cannot be asked for: in pipes and files."""
MOST_LINES: Final = 38
"""Of the answer: with where chart and report are, 40."""
MOST_REMARKS: Final = 2
_LEAST_LAST: Final = 22
"""The least width of a table's last column."""
_APART: Final = ("workload", "pause", "Python", "task factory", "collector", "claim")
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
    """Print the answer, the choice in numbers, how far to trust it and where the rest is, in at
    most :data:`MOST_LINES`; with ``everything``, all tables above it.
    """
    campaign = findings.campaign
    _line(on, tables.provenance(campaign), "bold")
    on.print()
    if everything:
        print_tables([*tables.in_numbers(findings), *tables.every(findings)], on)
    _summary(findings, on, everything=everything)


def _summary(findings: Findings, on: Console, *, everything: bool) -> None:
    sentences = answer(findings)
    # Whether the figures can be trusted stands right below them.
    old = [tables.OLD_WAY] * findings.campaign.is_old
    foot = tables.foot(findings)
    foot = foot if everything else _limited(foot)
    last = [f"Campaign {findings.control.note}.", *old, *foot]
    room = MOST_LINES - 4 - sum(_height(text, on.width) for text in [*sentences, *last])
    for sentence in sentences:
        _paragraph(on, sentence)
    on.print()
    shown = [] if everything else tables.in_numbers(findings)
    if not (everything or any(table.rows for table in shown)):
        shown = [part for table in tables.every(findings) for part in _parts(table, on.width)]
    for table in shown:
        room -= _print_cut(table, on, room)
    for text in last:
        alarm = "bold red" if text == last[0] and not findings.control.proven else ""
        _paragraph(on, text, alarm)
    # In one line, however long: it is to be copied.
    _line(on, f"Everything: {command(f'show {findings.campaign.folder} --all')}")


def _limited(lines: Sequence[str]) -> list[str]:
    """The first of the lines, and how many more there are."""
    more = len(lines) - MOST_REMARKS
    return [
        *lines[:MOST_REMARKS],
        *([f"And {say.times(more, 'more remark')}."] if more > 0 else []),
    ]


def _height(text: str, width: int) -> int:
    return len(say.wrapped(text, width))


def _paragraph(on: Console, text: str, style: str = "") -> None:
    for line in say.wrapped(text, on.width):
        _line(on, line, style)


def _print_cut(table: Table, on: Console, room: int) -> int:
    """Print so many rows as there is room for; return the lines that it took."""
    around = 3 + _height(table.note, on.width)  # title, heading, and a blank line in the end
    most = room - around - 1
    *widths, _ = _widths(table)
    last, width = len(widths), _room(widths, on)
    heights = [len(textwrap.wrap(row[last].text, width)) or 1 for row in table.rows]
    shown = len(heights)
    if sum(heights) > most + 1:  # what says how many more there are takes a line as well
        shown = sum(height <= most for height in itertools.accumulate(heights))
    if not shown:
        return 0
    _print(replace(table, rows=table.rows[:shown]), on, note="")
    more = len(heights) - shown
    if more:
        _line(on, f"... and {say.times(more, 'more row')}", "dim")
    _paragraph(on, table.note, "dim")
    on.print()
    return around + sum(heights[:shown]) + (more > 0)


def print_tables(several: Iterable[Table], on: Console) -> None:
    """Print each with its title and note; one without rows is left out.

    A table falls into parts by its probe, and by more while it is too wide; its note comes last.
    """
    for table in several:
        parts = _parts(table, on.width)
        for part in parts:
            _print(part, on, note=table.note if part is parts[-1] else "")
            on.print()


def _parts(table: Table, width: int) -> list[Table]:
    parts = [_with_details(one, width) for one in tables.split(table, "probe")]
    for heading in _APART:
        parts = [one for part in parts for one in _narrowed(part, heading, width)]
    return [part for part in parts if part.rows]


def _with_details(table: Table, width: int) -> Table:
    """The table with its further columns of numbers, if there is room for them."""
    shown = [replace(one, detail=one.detail and not one.numeric) for one in table.columns]
    full = replace(table, columns=tuple(shown))
    return full if table.rows and sum(_widths(full)) <= width else table


def command(arguments: str) -> str:
    """How this program is started again from here."""
    return f"{os.path.relpath(sys.executable)} -m analysis {arguments}"


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


def _room(widths: Sequence[int], on: Console) -> int:
    """What columns so wide leave of a line for the last one; where that is little, half of its
    least width.
    """
    return max(_LEAST_LAST // 2, on.width - sum(widths))


def _print(table: Table, on: Console, *, note: str) -> None:
    _line(on, table.title, "bold")
    *widths, _ = _widths(table)
    room = _room(widths, on)
    _row(on, table, [Cell(column.name) for column in table.columns], widths, room, "dim")
    for row in tables.without_repeats(table):
        _row(on, table, row, widths, room)
    _paragraph(on, note, "dim")


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


def _line(on: Console, text: str, style: str = "") -> None:
    on.print(Text(text, style=style), soft_wrap=True)
