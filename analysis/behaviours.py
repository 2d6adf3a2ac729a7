"""What the programs of a witness showed, as tables: by strategy, task factory, event loop and
Python.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from analysis import style
from analysis.grids import Cell, Grid, Row
from analysis.layout import Table, columns, rows
from analysis.witness import ALL, NO, NOT_POSSIBLE, Witness, behaviours

NOWHERE: Final = "What could not be run"
_EXPECTED: Final = "as expected"
_SEEN: Final = "what was seen"


@dataclass(frozen=True, slots=True)
class Seen:
    """One behaviour: what some strategies did in some places (Python, event loop, task factory).
    ``seconds`` are the least and the most that it took, NaN where it was not run.
    """

    program: str
    claim: str
    strategies: tuple[str, ...]
    python: str
    loop: str
    task_factory: str
    behaviour: str
    words: str
    measured: str
    seconds: tuple[float, float]

    @property
    def where(self) -> str:
        """The place in words: "all", "eager tasks", "Python 3.12.1, uvloop"."""
        python = "" if self.python == ALL else f"Python {self.python}"
        parts = [python, *(name for name in (self.loop, self.task_factory) if name != ALL)]
        return ", ".join(filter(None, parts)) or ALL

    @property
    def took(self) -> str:
        """How long it took, in brackets, after a blank; empty where it was not run."""
        if math.isnan(self.seconds[0]):
            return ""
        time = " to ".join(dict.fromkeys(map(style.seconds, self.seconds)))
        return f" ({self.measured}: {time})"


def seen(witness: Witness) -> list[Seen]:
    """The rows of :func:`analysis.witness.behaviours`, with labels for names."""
    return [
        Seen(
            program=str(row.program),
            claim=str(row.claim),
            strategies=(style.label(row.strategy),) if row.strategy else (),
            python=str(row.python),
            loop=_labels(row.loop),
            task_factory=_labels(row.task_factory),
            behaviour=str(row.behaviour),
            words=_words(row),
            measured=str(row.measured),
            seconds=(float(row.seconds_low), float(row.seconds_high)),
        )
        for row in rows(behaviours(witness))
    ]


def together(every: Iterable[Seen]) -> list[Seen]:
    """The same, with all strategies that did the same in the same places in one row."""
    alike: dict[Seen, list[Seen]] = {}
    for one in every:
        alike.setdefault(replace(one, strategies=(), seconds=(0.0, 0.0)), []).append(one)
    return [
        replace(
            group[0],
            strategies=tuple(name for one in group for name in one.strategies),
            seconds=(min(one.seconds[0] for one in group), max(one.seconds[1] for one in group)),
        )
        for group in alike.values()
    ]


def _labels(names: str) -> str:
    return names if names == ALL else ", ".join(style.label(name) for name in names.split(", "))


def _words(row: Any) -> str:  # noqa: ANN401 - a row of a frame
    if row.behaviour == NOT_POSSIBLE:
        return str(row.reason)
    if row.behaviour == NO and row.expected:
        return f"{row.observed}; expected was: {row.expected}"
    return str(row.observed)


def behaviour_tables(witness: Witness) -> list[Table]:
    """A table per program, titled with its claim; before them one of what could not be run at all,
    where there is such.
    """
    by_program: dict[str, list[Seen]] = {}
    for one in seen(witness):
        by_program.setdefault(one.program, []).append(one)
    return [_table(name, of_program) for name, of_program in by_program.items()]


def _table(program: str, of_program: Sequence[Seen]) -> Table:
    """Times stand with the words: a column of their own would leave these no room."""
    if not program:
        cells = [(one.strategies or (ALL,), one.where, one.words) for one in of_program]
        return Table(
            NOWHERE,
            columns((), ("strategy", "where"), (), ("reason",)),
            tuple((*strategies, where, words) for strategies, where, words in cells),
        )
    strategy = ("strategy",) if any(one.strategies for one in of_program) else ()
    return Table(
        title=f"{program}: {of_program[0].claim}",
        columns=columns(strategy, ("where", _EXPECTED), (), (_SEEN,)),
        rows=tuple(
            (*one.strategies, one.where, one.behaviour, f"{one.words}{one.took}")
            for one in of_program
        ),
    )


def behaviour_grid(witness: Witness) -> Grid:
    """All of it as one table of the page."""
    heads = [("Claim", ""), ("Strategy", ""), ("Task factory", "w"), ("Event loop", "w")]
    heads += [("Python", "w"), (_EXPECTED.capitalize(), "w"), (_SEEN.capitalize(), "")]
    return Grid(
        name="behaviours",
        title="What was seen to happen",
        caption=(
            "Small programs, each run on every Python, event loop and task factory. "
            f'"{ALL}" stands for those where it could be run.'
        ),
        heads=tuple(heads),
        rows=tuple(
            Row(
                (
                    Cell(one.claim or NOWHERE, note=one.program),
                    Cell(", ".join(one.strategies) or ("" if one.claim else ALL)),
                    Cell(one.task_factory, kind="w"),
                    Cell(one.loop, kind="w"),
                    Cell(one.python, kind="w"),
                    Cell(one.behaviour, kind="w"),
                    Cell(one.words, note=one.took.strip(" ()")),
                )
            )
            for one in together(seen(witness))
        ),
    )
