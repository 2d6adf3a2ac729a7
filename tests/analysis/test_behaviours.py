"""The tables of a witness by what they say: on the terminal, in Markdown and on the page."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analysis import terminal
from analysis.behaviours import NOWHERE, behaviour_grid, behaviour_tables, seen, together
from analysis.layout import markdown_table
from analysis.validate import Problems
from analysis.witness import Witness
from analysis.witness_file import read_witness, witness_of
from tests.synthetic_witness import PROGRAMS, witness_content, write_witness


def read(content: dict[str, Any]) -> Witness:
    problems = Problems()
    witness = witness_of(content, problems)
    assert problems.all() == ()
    return witness


@pytest.fixture(scope="module")
def witness() -> Witness:
    return read(witness_content())


def test_a_table_per_program_is_titled_with_its_claim(witness: Witness) -> None:
    first, *tables = behaviour_tables(witness)
    assert first.title == NOWHERE
    assert [table.title for table in tables] == [f"{name}: {PROGRAMS[name]}" for name in PROGRAMS]
    assert all(len(row) == len(table.columns) for table in tables for row in table.rows)


def test_a_row_says_who_where_whether_and_what(witness: Witness) -> None:
    tables = {table.title.partition(":")[0]: table for table in behaviour_tables(witness)}
    assert [column.name for column in tables["first_step"].columns] == [
        "strategy", "where", "as expected", "what was seen",
    ]  # fmt: skip
    assert tables["first_step"].rows[1:3] == (
        ("gather(*tasks)", "lazy tasks", "yes", "0 at creation (to results: 1.00 ms)"),
        ("gather(*tasks)", "eager tasks", "yes", "5 at creation (to results: 1.00 ms)"),
    )
    assert tables["head_start"].rows[0] == (
        "gather(*coroutines)", "all", "yes", "0 done before the join (to results: 2.50 s)",
    )  # fmt: skip


def test_a_program_without_strategies_has_no_column_for_them(witness: Witness) -> None:
    table = behaviour_tables(witness)[-1]
    assert [column.name for column in table.columns] == ["where", "as expected", "what was seen"]
    assert table.rows == (("all", "yes", "cancelled (to results: 1.00 ms)"),)


def test_what_could_not_be_run_comes_first_with_its_reason(witness: Witness) -> None:
    assert behaviour_tables(witness)[0].rows == (
        ("all", "Python 3.11.7, eager tasks", "eager needs 3.12"),
        ("all", "Python 3.14.10, uvloop, eager tasks", "uvloop does not obey it"),
    )
    assert behaviour_tables(read(witness_content(task_factories=("lazy",))))[0].title != NOWHERE


def test_what_was_not_as_expected_says_what_was() -> None:
    content = witness_content(task_factories=("lazy",))
    for run in content["runs"]:
        if run["program"] == "nobody_awaits" and run["loop"] == "uvloop":
            run.update(holds=False, observed="finished")
    table = behaviour_tables(read(content))[-1]
    assert [row[:2] for row in table.rows] == [("asyncio", "yes"), ("uvloop", "no")]
    assert "finished; expected was: cancelled" in table.rows[1][-1]


def test_strategies_that_did_the_same_stand_in_one_row_of_the_page(witness: Witness) -> None:
    every = seen(witness)
    merged = together(every)
    assert [one.strategies for one in merged if one.program == "head_start"] == [
        ("gather(*coroutines)", "await one by one"),
        ("gather(*tasks)", "TaskGroup"),
    ]
    assert next(one for one in merged if one.program == "head_start").seconds == (2.5, 4.5)
    assert sum(len(one.strategies) for one in merged) == sum(len(one.strategies) for one in every)
    grid = behaviour_grid(witness)
    assert len(grid.rows) == len(merged)
    assert all(len(row.cells) == len(grid.heads) for row in grid.rows)
    texts = [cell.text for row in grid.rows for cell in row.cells]
    assert set(PROGRAMS.values()) <= set(texts)
    assert "gather(*coroutines), await one by one" in texts


def test_the_terminal_shows_all_of_it(witness: Witness) -> None:
    console = Console(file=io.StringIO(), width=terminal.WIDTH, highlight=False)
    terminal.show_witness(witness, console)
    assert isinstance(console.file, io.StringIO)
    said = " ".join(console.file.getvalue().split())
    assert all(claim in said for claim in PROGRAMS.values())
    assert "eager tasks yes 5 at creation" in said


def test_texts_of_a_file_are_text_whatever_they_hold(tmp_path: Path) -> None:
    hostile = "[bold]</td><script>alert(1)</script> | [x](http://y) =1+1"

    def change(content: dict[str, Any]) -> None:
        content["programs"][3]["claim"] = hostile
        for run in content["runs"]:
            run["observed"] = hostile

    problems = Problems()
    witness = read_witness(write_witness(tmp_path, change=change), problems)
    assert witness is not None
    table = behaviour_tables(witness)[-1]
    assert hostile in table.title
    markdown = markdown_table(table)
    assert "\\<script" in markdown
    assert markdown.splitlines()[2].count(" | ") == 2
    console = Console(file=io.StringIO(), width=400, highlight=False)
    terminal.show_witness(witness, console)
    assert isinstance(console.file, io.StringIO)
    assert hostile in console.file.getvalue()
