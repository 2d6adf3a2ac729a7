"""Tables on the terminal. The answer comes last: that is what stays on the screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from analysis import tables
from analysis.behaviours import behaviour_tables
from analysis.checks import Check, claims_table
from analysis.findings import Findings
from analysis.question_tables import question_tables
from analysis.witness import Witness

WIDTH = 100
"""Columns where the width cannot be asked for: in pipes and files."""

_STYLES = {
    "slower": "red",
    "more": "red",
    "faster": "green",
    "less": "green",
    "undecided": "yellow",
    "missing": "dim",
}


class _Console(Console):
    """rich would exit with 1 when its reader stops early; here the command decides."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console() -> Console:
    """A console on standard output, wide enough for the tables when that is no terminal."""
    found = _Console(highlight=False)
    return found if found.is_terminal else _Console(highlight=False, width=WIDTH)


def show(findings: Findings, on: Console, *, everything: bool = False) -> None:
    """Print every case, the cost model, what is missing and why, and the answer.

    Of several Pythons only the summaries, unless ``everything`` is asked for: their cases are many
    screens.
    """
    campaign = findings.campaign
    _line(on, tables.provenance(campaign), "bold")
    on.print()
    if everything or len(campaign.interpreters) < 2:
        for table in _cases(findings):
            _table(on, table)
    else:
        _line(on, f"Every case: python -m analysis show {campaign.folder} --all")
        on.print()
    _table(on, tables.python_answer(findings))
    control, *others = tables.foot(findings)
    for line in others:
        _line(on, line)
    # Whether the figures can be trusted stands right above the answer.
    _line(on, control, "" if findings.control.proven else "bold red")
    on.print()
    _table(on, tables.answer(findings))


def _cases(findings: Findings) -> Iterator[tables.Table]:
    yield from tables.case_tables(findings)
    yield from tables.python_tables(findings)
    yield from question_tables(findings)
    yield tables.cost_table(findings)


def show_between(comparison: pd.DataFrame, base: str, head: str, on: Console) -> None:
    """Print two campaigns held against each other."""
    table = tables.between_table(comparison, base, head)
    _table(on, table)
    if not table.rows:
        _line(on, f"{table.title}: {table.empty}")


def show_witness(witness: Witness, on: Console) -> None:
    """Print what the programs of a witness showed, a table for each."""
    for table in behaviour_tables(witness):
        _table(on, table)


def show_claims(checks: Sequence[Check], on: Console) -> None:
    """Print the ledger, a table for each campaign: claims beside what was measured."""
    for campaign in dict.fromkeys(one.campaign for one in checks):
        of_campaign = [one for one in checks if one.campaign == campaign]
        table = claims_table(of_campaign, short=True)
        _table(on, replace(table, title=f"{table.title}, in {campaign}"))


def _table(on: Console, table: tables.Table) -> None:
    """Print a table; one without rows is left out."""
    if not table.rows:
        return
    _line(on, table.title, "bold")
    shown = RichTable(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    for index, column in enumerate(table.columns, start=1):
        # Only the last column, which may hold a reason, is folded where the terminal is narrow.
        shown.add_column(
            Text(column.name),
            justify="right" if column.numeric else "left",
            no_wrap=index < len(table.columns),
            overflow="fold",
        )
    before: Sequence[str] = ()
    for row in table.rows:
        shown.add_row(*map(_cell, _without_repeats(table, row, before)))
        before = row
    on.print(Padding(shown, (0, 0, 1, 2)))


def _without_repeats(table: tables.Table, row: Sequence[str], before: Sequence[str]) -> list[str]:
    """The row, its leading cells blank as far as they are those of the row above."""
    cells = list(row)
    for index, column in enumerate(table.columns):
        if not before or not column.leading or row[index] != before[index]:
            break
        cells[index] = ""
    return cells


def _cell(text: str) -> Text:
    # Text, never markup: what stands in a results folder must not reach rich's tags.
    first = text.partition(",")[0].partition(" ")[0].partition(":")[0]
    return Text(text, style=_STYLES.get(first, ""))


def _line(on: Console, text: str, style: str = "") -> None:
    on.print(Text(text, style=style), soft_wrap=True)
