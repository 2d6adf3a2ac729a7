"""The tables of the report's page: rows that sort, filter, and say where they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from analysis import style
from analysis.campaign import Campaign
from analysis.findings import Findings
from analysis.layout import Table
from analysis.tables import DIFFERENT_BUILD

MOST_ROWS: Final = 2_000
"""Rows of one table on the page; the CSV files hold all."""
MOST_METRIC_ROWS: Final = 1_000
"""With more, a table has the rows of the main metric alone."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of a table cell; ``sort`` is what it sorts by, ``note`` stands below, ``links`` are
    (text, target).
    """

    text: str
    sort: str | None = None
    kind: str = ""
    note: str = ""
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """``id`` is what a link leads to."""

    cells: tuple[Cell, ...]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of the page. ``left_out`` rows are in the CSV files only.

    ``filtered`` says by the name of each filter of the page which column it looks at, or what all
    rows have where there is no such column.
    """

    name: str
    title: str
    caption: str
    heads: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    left_out: int = 0
    filtered: Mapping[str, int | str] = field(default_factory=dict)

    def values(self, name: str) -> list[str]:
        """What a filter has to choose from in this table, in order of appearance."""
        where = self.filtered[name]
        if isinstance(where, str):
            return [where]
        return [*dict.fromkeys(choice(name, row.cells[where].text) for row in self.rows)]


def choice(name: str, text: str) -> str:
    """What a filter takes a cell for: one of its options. As in page.js."""
    return text.split(",", maxsplit=1)[0] if name == "verdict" else text


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice above the tables: (value, label) of every option."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]


def comparison_grids(findings: Findings) -> list[Grid]:
    """A table per probe, one of the event loops against the first, and one of the Pythons against
    the one they are held against.
    """
    frame = findings.comparisons
    varying = _varying(frame)
    numbers = places(findings.campaign)
    grids = [
        _comparison_grid(
            f"comparisons-{number}",
            f"{style.label(probe).capitalize()}: {style.meaning(probe)}",
            f"Every strategy against {style.label(style.BASELINE)} on the same event loop.",
            frame[frame["probe"].astype(str) == probe],
            varying,
            numbers,
        )
        for number, probe in enumerate(style.ordered(frame["probe"].astype(str).unique()))
    ]
    loops = findings.loops[findings.loops["headline"].astype(bool)]
    if len(loops):
        first = style.listed(style.ordered(loops["baseline"].astype(str).unique()))
        title, caption = (
            f"Event loops against {first}",
            f"Every strategy against itself on {first}.",
        )
        grids.append(_comparison_grid("loops", title, caption, loops, varying, numbers))
    pythons = findings.pythons[findings.pythons["headline"].astype(bool)]
    if len(pythons):
        baseline = str(pythons["baseline"].iloc[0])
        title = f"Pythons against {baseline}"
        caption = (
            f"Every strategy against itself on Python {baseline}. Where the builds differ, the "
            "ratio is not the version's alone."
        )
        with_python = [name for name in _HEADS if name == "python" or name in varying]
        grids.append(_comparison_grid("pythons", title, caption, pythons, with_python, numbers))
    return grids


def _comparison_grid(
    name: str,
    title: str,
    caption: str,
    frame: pd.DataFrame,
    varying: Sequence[str],
    numbers: Mapping[str, Mapping[str, int]],
) -> Grid:
    if len(frame) > MOST_METRIC_ROWS and not frame["headline"].all():
        frame = frame[frame["headline"].astype(bool)]
        caption += " Of each case its main metric; the CSV files have the others."
    metrics = len(set(frame["metric"])) > 1
    per_task = bool(frame["ns_per_task"].notna().any())
    heads = [(_HEADS[column], "w") for column in varying]
    heads += [("Event loop", "w"), ("Workload", "w"), ("Tasks", "n")]
    heads += [("Metric", "w")] if metrics else []
    heads += [("Strategy", "w"), ("Change [95 %]", "n"), ("Verdict", "")]
    heads += [("ns per task [95 %]" if per_task else "Time [95 %]", "n"), ("Baseline", "n")]
    heads += [("Build", "w")] if "same_build" in frame else []
    heads += [("Measured in", "w")]
    rows = [
        Row(tuple(_comparison_cells(row, varying, metrics, per_task, numbers)))
        for row in frame.head(MOST_ROWS).to_dict("records")
    ]
    return Grid(
        name,
        title,
        caption,
        tuple(heads),
        tuple(rows),
        max(0, len(frame) - MOST_ROWS),
        _filtered(heads, frame),
    )


_FILTERS: Final = {
    "python": "Python",
    "loop": "Event loop",
    "workload": "Workload",
    "tasks": "Tasks",
    "strategy": "Strategy",
    "verdict": "Verdict",
}
"""The heading of the column that each filter looks at, which is also its label."""


def _filtered(heads: Sequence[tuple[str, str]], frame: pd.DataFrame) -> dict[str, int | str]:
    columns = {text: index for index, (text, _) in enumerate(heads)}
    return {
        name: columns[heading]
        if heading in columns
        else style.label(str(next(iter(frame[name]), "")))
        for name, heading in _FILTERS.items()
    }


def _comparison_cells(
    row: Mapping[Any, Any],
    varying: Sequence[str],
    metrics: bool,
    per_task: bool,
    numbers: Mapping[str, Mapping[str, int]],
) -> Iterable[Cell]:
    for column in varying:
        yield Cell(style.label(str(row[column])), kind="w")
    yield Cell(style.label(str(row["loop"])), kind="w")
    yield Cell(style.label(str(row["workload"])), kind="w")
    yield Cell(style.count(int(row["tasks"])), kind="n")
    if metrics:
        metric = str(row["metric"])
        yield Cell(style.label(metric), sort=str(style.order(metric)[0]), kind="w")
    yield Cell(style.label(str(row["contender"])), kind="w")
    change = style.change_interval(row["ratio"], row["low"], row["high"])
    yield Cell(change, kind="n")
    verdict = str(row["verdict"])
    yield Cell(verdict, kind=f"verdict {verdict.split(',', maxsplit=1)[0]}", note=_note(row))
    if per_task:
        yield Cell(style.interval(*_with_interval(row, "ns_per_task")), kind="n")
        yield Cell(style.number(row["baseline_ns_per_task"]), kind="n")
    else:
        yield Cell(style.seconds_interval(*_with_interval(row, "seconds")), kind="n")
        yield Cell(style.seconds(row["baseline_seconds"]), kind="n")
    if "same_build" in row:
        yield Cell("same build" if row["same_build"] else DIFFERENT_BUILD, kind="w")
    case = numbers["case"][str(row["case"])]
    contender = numbers["contender"][str(row["contender_id"])]
    rounds = int(row["rounds"])
    yield Cell(
        f"{style.count(rounds)} {'round' if rounds == 1 else 'rounds'}, ",
        kind="w",
        links=(
            (f"case {case}", f"#case-{case}"),
            (f"contender {contender}", f"#contender-{contender}"),
        ),
    )


def _note(row: Mapping[Any, Any]) -> str:
    """What a verdict needs said below it."""
    if row["verdict"] == "undecided" and pd.notna(row["rounds_needed"]):
        return f"+{style.count(int(row['rounds_needed']))} rounds"
    return str(row["reason"] or "")


def _varying(frame: pd.DataFrame) -> list[str]:
    """The columns that tell rows apart; what all have in common need not be said in each."""
    return [name for name in _HEADS if len(set(frame[name])) > 1]


_HEADS: Final = {"python": "Python", "task_factory": "Task factory"}


def _sort(number: float | None) -> str:
    return "" if pd.isna(number) else f"{number:.6g}"


def places(campaign: Campaign) -> dict[str, dict[str, int]]:
    """The number under which the page lists each case and contender."""
    return {
        "case": {case.id: number for number, case in enumerate(campaign.cases, 1)},
        "contender": {one.id: number for number, one in enumerate(campaign.contenders, 1)},
    }


def filters(grids: Sequence[Grid]) -> list[Filter]:
    """The choices that occur in the tables; one without alternatives is left out."""
    filters = []
    for name, label in _FILTERS.items():
        values = [*dict.fromkeys(value for grid in grids for value in grid.values(name))]
        if name in _SORTED:
            values.sort(key=_SORTED[name])
        every = "any number" if name == "tasks" else "any"
        if len(values) > 1:
            options = [("", every), *((value, value) for value in values)]
            filters.append(Filter(name, label, tuple(options)))
    return filters


_SORTED: Final[Mapping[str, Callable[[str], Any]]] = {
    "python": style.python_order,
    "tasks": lambda text: int(text.replace(",", "")),
    "verdict": style.order,
}
"""How the options of some filters are ordered; those of others stand as in the tables."""


def cost_grid(findings: Findings) -> Grid:
    """The cost model: a row per workload, loop and strategy."""
    costs = findings.costs[findings.costs["role"] != style.CONTROL]
    varying = _varying(costs)
    heads = [(_HEADS[column], "w") for column in varying]
    heads += [("Workload", "w"), ("Event loop", "w"), ("Strategy", "w")]
    heads += [("Fixed [95 %]", "n"), ("ns per further task [95 %]", "n"), ("Holds up to", "w")]
    rows = [
        Row(
            (
                *(Cell(style.label(str(row[column])), kind="w") for column in varying),
                Cell(style.label(str(row["workload"])), kind="w"),
                Cell(style.label(str(row["loop"])), kind="w"),
                Cell(style.label(str(row["contender"])), kind="w"),
                Cell(
                    style.seconds_interval(*_with_interval(row, "fixed_seconds")),
                    kind="n",
                ),
                Cell(
                    style.interval(*_with_interval(row, "ns_per_task")),
                    kind="n",
                ),
                Cell(_holds(row), sort=_sort(row["tasks_to"]), kind="w"),
            )
        )
        for row in costs.head(MOST_ROWS).to_dict("records")
    ]
    caption = "Time of a fan-out of n tasks = fixed + n times the cost of a further task."
    left_out = max(0, len(costs) - MOST_ROWS)
    return Grid("cost-model", "Cost model", caption, tuple(heads), tuple(rows), left_out)


def table_grid(name: str, table: Table) -> Grid:
    """A table of text as one of the page."""
    heads = tuple((column.name, "n" if column.numeric else "") for column in table.columns)
    rows = tuple(
        Row(tuple(Cell(text, kind=kind) for text, (_, kind) in zip(row, heads, strict=True)))
        for row in table.rows
    )
    return Grid(name, table.title, "", heads, rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS))


def _with_interval(row: Mapping[Any, Any], name: str) -> tuple[float, float, float]:
    return row[name], row[f"{name}_low"], row[f"{name}_high"]


def _holds(row: Mapping[Any, Any]) -> str:
    """How far the line holds, and how far off it the costs lie where it breaks."""
    if row["reason"]:
        return str(row["reason"])
    held = f"{style.count(int(row['tasks_to']))} tasks"
    if pd.isna(row["breaks_at"]):
        return held
    off = style.change_interval(row["break_ratio"], row["break_low"], row["break_high"])
    return f"{held}; at {style.count(int(row['breaks_at']))}: {off}"


def case_grid(campaign: Campaign) -> Grid:
    """The cases, under the numbers by which other tables refer to them."""
    heads = [("No.", "n"), ("Case", "w"), ("Probe", "w"), ("Workload", "w"), ("Tasks", "n")]
    heads += [("Sweeps a round", "n"), ("Metrics", ""), ("Rounds", "n")]
    rounds = campaign.journal.groupby("case")["round"].nunique()
    rows = [
        Row(
            (
                Cell(str(number), kind="n"),
                Cell(case.id, kind="code"),
                Cell(style.label(case.probe), kind="w"),
                Cell(style.label(case.workload), kind="w"),
                Cell(style.count(case.tasks), kind="n"),
                Cell(str(case.sweeps), kind="n"),
                Cell(", ".join(case.metrics)),
                Cell(str(int(rounds.get(case.id, 0))), kind="n"),
            ),
            id=f"case-{number}",
        )
        for number, case in enumerate(campaign.cases[:MOST_ROWS], 1)
    ]
    caption = "Every case: what each contender was asked to do."
    return Grid(
        "cases",
        "Cases",
        caption,
        tuple(heads),
        tuple(rows),
        max(0, len(campaign.cases) - MOST_ROWS),
    )


def contender_grid(campaign: Campaign) -> Grid:
    """The contenders, likewise."""
    heads = [("No.", "n"), ("Contender", "w"), ("Role", "w"), ("Strategy", "w")]
    heads += [
        ("Python", "w"),
        ("Event loop", "w"),
        ("Task factory", "w"),
        ("Conditions it proved", ""),
    ]
    rows = [
        Row(
            (
                Cell(str(number), kind="n"),
                Cell(one.id, kind="code"),
                Cell(one.role, kind="w"),
                Cell(style.label(one.strategy), kind="w"),
                Cell(one.python, kind="w"),
                Cell(style.label(one.loop), kind="w"),
                Cell(style.label(one.task_factory), kind="w"),
                Cell("; ".join(style.facts(one.conditions))),
            ),
            id=f"contender-{number}",
        )
        for number, one in enumerate(campaign.contenders[:MOST_ROWS], 1)
    ]
    caption = "Every contender: one process in each round."
    left_out = max(0, len(campaign.contenders) - MOST_ROWS)
    return Grid("contenders", "Contenders", caption, tuple(heads), tuple(rows), left_out)
