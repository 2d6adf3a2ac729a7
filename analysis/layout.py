"""What every table is made of: columns, cells of text, and their Markdown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pandas as pd
from pandas.api.typing import NAType

from analysis import style
from analysis.campaign import SECOND
from analysis.verdicts import MISSING, UNDECIDED

Whole: TypeAlias = "int | NAType"
"""An entry of a column of whole numbers that may lack some."""


@dataclass(frozen=True, slots=True)
class Column:
    """``numeric`` ones are aligned right; in ``leading`` ones, repeated cells may be left blank."""

    name: str
    numeric: bool = False
    leading: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Text only, ready to show; each row has a cell for every column.

    ``empty`` stands for the rows where there are none.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "Nothing was measured."


HEADINGS: Final = {
    "python": "Python",
    "task_factory": "task factory",
    "tasks": "n",
}


def columns(
    leading: Iterable[str], words: Iterable[str], numbers: Iterable[str], last: Iterable[str] = ()
) -> tuple[Column, ...]:
    """The columns of a table, in this order; leading ones may be the names of a frame's."""
    return (
        *(
            Column(HEADINGS.get(name, name), numeric=name == "tasks", leading=True)
            for name in leading
        ),
        *map(Column, words),
        *(Column(name, numeric=True) for name in numbers),
        *map(Column, last),
    )


def varying(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Those columns that tell rows apart; what is the same everywhere need not be said in each."""
    return [name for name in names if len(frame[name].unique()) > 1]


def places(column: pd.Series) -> dict[object, int]:
    """Each value's place in order of first appearance, which is that of the plan."""
    return {value: place for place, value in enumerate(column.unique())}


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows by attribute; a type checker cannot know their fields."""
    return iter(frame.itertuples(index=False))


def leading_cells(row: Any, names: Iterable[str]) -> tuple[str, ...]:  # noqa: ANN401
    """What stands in the leading columns of these names."""
    return tuple(
        style.count(row.tasks) if name == "tasks" else str(getattr(row, name)) for name in names
    )


def number(value: float) -> str:
    """A bare number, or that it is missing."""
    return style.MISSING if math.isnan(value) else style.significant(value)


def interval(ratio: float, low: float, high: float) -> str:
    """A ratio with its interval."""
    if math.isnan(ratio):
        return style.MISSING
    if not (low > 0 and math.isfinite(high)):
        return f"{_ratio(ratio)} [too few rounds]"
    return f"{_ratio(ratio)} [{_ratio(low)}, {_ratio(high)}]"


def _ratio(ratio: float) -> str:
    return f"{ratio:.3f}" if ratio < 10 else style.significant(ratio, 4)


def verdict(verdict: str, rounds_needed: Whole, reason: str, unit: str = SECOND) -> str:
    """A verdict on numbers in this unit, with what it takes to have one, or why there is none."""
    if verdict == MISSING:
        return f"{MISSING}: {reason}"
    if verdict == UNDECIDED and not isinstance(rounds_needed, NAType):
        more = f"+{rounds_needed}" if rounds_needed <= 1000 else "> 1000"
        return f"{UNDECIDED} ({more} round{'' if rounds_needed == 1 else 's'})"
    if verdict == UNDECIDED:
        return f"{UNDECIDED} (too noisy)"
    return style.verdict(str(verdict), unit)


def times(number: int, thing: str) -> str:
    """So many of a thing: "1 round", "12 rounds"."""
    return f"{style.count(number)} {thing}{'' if number == 1 else 's'}"


def markdown_table(table: Table) -> str:
    """A GitHub-flavoured table, without its title."""
    if not table.rows:
        return table.empty
    head = [column.name for column in table.columns]
    rule = ["---:" if column.numeric else "---" for column in table.columns]
    body = [[escaped(cell) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *body))


_MARKUP = re.compile(r"[\\`*|<>&~#]|!(?=\[)|(?<=\])[(:\[]")


def escaped(text: str) -> str:
    """``text`` such that Markdown shows it as it is: no HTML, links, images or new table cells."""
    return _MARKUP.sub(lambda match: "\\" + match.group(), text)
