"""Frames -> tables: one model that the terminal, Markdown and the page render.

Builders only filter the frames of :class:`analysis.judge.findings.Findings`. They know no probe,
metric or strategy by name: what these are called, the campaign says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeAlias

import pandas as pd

from analysis.judge import words as say
from analysis.judge.claims import NOT_MET, NOT_REPRODUCED, REPRODUCED, UNDECIDED, Check
from analysis.judge.contrasts import BOUNDS, CASE, COMPUTING, STRATEGY, WORKLOAD
from analysis.judge.findings import (
    Findings,
    answer_rows,
    break_even,
    collected,
    unlimited,
    usual_bounds,
)
from analysis.judge.verdicts import FASTER, MISSING, SLOWER
from analysis.read.campaign import CONTROL, Campaign, Vocabulary, newest_of, python_order
from benchmarks.campaign.schema import COLLECTIONS, CPU_SHARE, ERRORS, Witness

MARKS: Final = "=: same, ?: undecided"
DIFFERENT_BUILD: Final = "* The builds differ."
"""Said of every change between two Pythons that are not of one kind of build."""
_HEADINGS: Final = {"python": "Python", "task_factory": "task factory"}
"""Columns that readers call otherwise."""
_IDENTITY: Final = (
    *("probe", "workload", "tasks", "pause", "metric"),
    *("python", "loop", "task_factory", "collector"),
)
"""What sets rows apart beside the strategy, in the order of the columns."""
AXES: Final = ("loop", "python", "build", "task_factory", "collector")
"""The other axes, in reading order."""
_KINDS: Final = {REPRODUCED: FASTER, NOT_REPRODUCED: SLOWER, UNDECIDED: UNDECIDED}
"""The verdicts on claims in the colours of those on strategies."""

Row: TypeAlias = Any
"""A row of a frame by attribute; a type checker cannot know its fields."""


@dataclass(frozen=True, slots=True)
class Column:
    """``numeric`` ones are aligned right. In ``leading`` ones repeated cells may be left blank.
    ``detail`` ones are left out where there is little room. The page filters by ``choice`` ones,
    and shows or hides those of a ``python``.
    """

    name: str
    numeric: bool = False
    leading: bool = False
    detail: bool = False
    choice: bool = False
    python: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """Text. ``kind`` is a verdict, or "code"; ``tip`` is what a pointer shows; ``links`` behind it
    are (text, target).
    """

    text: str
    kind: str = ""
    tip: str = ""
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Each row has a cell for every column. "case-1" is the first row of ``anchor`` "case"."""

    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    anchor: str = ""


Field: TypeAlias = "tuple[Column, Callable[[Row], Cell | str]]"
"""A column, and what it says of a row."""


def by_row(frame: pd.DataFrame) -> Iterator[Row]:
    """The rows of a frame by attribute."""
    return iter(frame.itertuples(index=False))


def make(
    title: str, note: str, rows: Iterable[Row], fields: Sequence[Field], anchor: str = ""
) -> Table:
    """A table with a row for each of ``rows``."""
    said = ([text(row) for _, text in fields] for row in rows)
    cells = (tuple(Cell(one) if isinstance(one, str) else one for one in row) for row in said)
    return Table(title, note, tuple(column for column, _ in fields), tuple(cells), anchor)


def split(table: Table, heading: str) -> list[Table]:
    """A table for each value of a column, which then stands in their titles, if it is there."""
    names = [column.name for column in table.columns]
    if heading not in names:
        return [table]
    at = names.index(heading)
    groups: dict[str, list[tuple[Cell, ...]]] = {}
    for row in table.rows:
        groups.setdefault(row[at].text, []).append((*row[:at], *row[at + 1 :]))
    columns = (*table.columns[:at], *table.columns[at + 1 :])
    return [
        replace(table, title=f"{table.title} · {value}", columns=columns, rows=tuple(rows))
        for value, rows in groups.items()
    ]


def without_repeats(table: Table) -> list[list[Cell]]:
    """The rows; a leading cell is blank where it and all leading ones before it are as above."""
    rows: list[list[Cell]] = []
    above: Sequence[Cell | None] = (None,) * len(table.columns)
    for row in table.rows:
        repeated, shown = True, []
        for column, cell, before in zip(table.columns, row, above, strict=True):
            repeated &= cell == before or not column.leading
            shown.append(Cell("") if column.leading and repeated else cell)
        rows.append(shown)
        above = row
    return rows


def markdown(table: Table) -> str:
    """A GitHub-flavoured table with its note, without its title; empty columns are left out."""
    columns = [
        (say.escaped(column.name), "---:" if column.numeric else "---", *map(_marked, cells))
        for column, *cells in zip(table.columns, *without_repeats(table), strict=True)
    ]
    lines = zip(*(column for column in columns if any(column[2:])), strict=True)
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"{text}\n\n{say.escaped(table.note)}" if table.note else text


def _marked(cell: Cell) -> str:
    """Links inside the page lead nowhere here."""
    links = (f"[{say.escaped(text)}]({to})" for text, to in cell.links if not to.startswith("#"))
    return " ".join(filter(None, (say.escaped(cell.text), *links)))


# --- columns --------------------------------------------------------------------------------------


def named(words: Vocabulary, names: Iterable[str]) -> list[Field]:
    """Columns with what rows are called on these axes, by the readers' names."""
    return [_named(words, name, name) for name in names]


def _named(words: Vocabulary, axis: str, name: str) -> Field:
    """What rows are called on an axis; ``name`` is where it stands in them."""
    if axis == "tasks":
        column = Column("n", numeric=True, leading=True, choice=True)
        return column, lambda row: "all" if pd.isna(row.tasks) else say.count(int(row.tasks))
    if axis == "metric":
        return Column("metric", leading=True), lambda row: words.metric(row.probe, row.metric).label
    column = Column(_HEADINGS.get(axis, axis), leading=axis == name, choice=True)
    return column, lambda row: called(words, axis, str(getattr(row, name)))


def _varying(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Those columns that set rows apart: what is the same everywhere need not be said in each."""
    return [name for name in names if len(frame[name].unique()) > 1]


def called(words: Vocabulary, axis: str, name: str) -> str:
    """What readers call a value of an axis."""
    if axis == "workload" and not name:
        return COMPUTING
    if axis == "limit":
        return f"{say.count(int(name))} at a time"
    return name if axis == "build" else words.label(axis, name)


def _number(name: str, text: Callable[[Row], str], *, detail: bool = False) -> Field:
    return Column(name, numeric=True, detail=detail), text


# --- contrasts ------------------------------------------------------------------------------------


def choices(findings: Findings) -> Table:
    """The choice in numbers, on the newest Python: what the reference costs, and what each other
    strategy adds to it or saves, by loop and workload.
    """
    rows = answer_rows(findings)
    python = newest_of(rows["python"].unique())
    rows = rows[rows["scope"].eq(WORKLOAD) & rows["python"].eq(python)]
    rows = rows.sort_values("cases", ascending=False, kind="stable")  # what most of them are of
    against = say.listed(called(findings.words, STRATEGY, one) for one in rows["against"].unique())
    cost = _number(against, lambda row: say.amount(row.reference_value, row.unit))
    mean = ", mean over n" if rows["cases"].gt(1).any() else ""
    title = f"Time per task on Python {python}{mean}; ± half interval ({MARKS})"
    down = [*_varying(rows, ("loop",)), "workload"]
    return _across(
        findings.words, title, "", rows, down, ["compared"], _moved, most=2, first=[cost]
    )


def by_python(findings: Findings) -> Table:
    """How much the choice changes on each Python, over all that compute; empty of one Python."""
    rows = answer_rows(findings)
    rows = rows[rows["scope"].eq(COMPUTING)] if len(rows["python"].unique()) > 1 else rows[:0]
    across = ["compared", *_varying(rows, ("loop",))]
    title = f"Change by Python, mean over what computes ({MARKS})"
    return _across(findings.words, title, "", rows, ["python"], across, _changed)


def in_numbers(findings: Findings) -> list[Table]:
    """The answer in numbers."""
    return [choices(findings), by_python(findings), patterns(findings)]


def side_by_side(findings: Findings, frame: pd.DataFrame, title: str) -> Table:
    """Means over n of contrasts on one axis, a column for each Python."""
    rows = frame[frame["scope"].eq(WORKLOAD) & frame["headline"] & frame["verdict"].ne(MISSING)]
    names = ("probe", "loop", "workload", "pause", "task_factory", "collector")
    axis = "".join(rows["axis"].iloc[:1])
    down = _varying(rows, [name for name in names if name != axis])
    down += [STRATEGY] * (axis != STRATEGY) + ["compared"] * (axis not in ("python", "build"))
    against = say.listed(called(findings.words, axis, one) for one in rows["against"].unique())
    note = f"Compared with {against}; means over n ({MARKS}). {_reading(rows)}"
    return _across(findings.words, title, note, rows, down, ["python"], _changed)


_NOT_MEASURED: Final = Cell(MISSING, MISSING, "not measured: see what was skipped")


def _across(
    words: Vocabulary,
    title: str,
    note: str,
    rows: pd.DataFrame,
    down: Sequence[str],
    across: Sequence[str],
    cell: Callable[[Row], Cell],
    *,
    most: int = 4,
    first: Sequence[Field] = (),
    absent: Cell = _NOT_MEASURED,
) -> Table:
    """A row for each of what differs ``down``, a column for each of what differs ``across``; on a
    terminal there is room for so many at ``most``. Where there is no row, the cell is ``absent``.
    """
    axis = "".join(rows["axis"].iloc[:1]) or STRATEGY
    kinds = {name: axis if name == "compared" else name for name in (*down, *across)}
    of_python = list(across) == ["python"]

    def key(row: Row, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(str(getattr(row, name)) for name in names)

    def field(place: int, values: tuple[str, ...]) -> Field:
        both = zip(across, values, strict=True)
        label = " ".join(called(words, kinds[name], of) for name, of in both)
        # Where there is no room, the oldest Pythons are left out, and the last strategies.
        last = place < len(columns) - most if of_python else place >= most
        column = Column(label, numeric=True, detail=last, python=label if of_python else "")
        return column, lambda row: seen.get((key(row, down), values), absent)

    def order(names: Sequence[str], values: tuple[str, ...]) -> list[object]:
        return [words.order(kinds[name], of) for name, of in zip(names, values, strict=True)]

    seen = {(key(row, down), key(row, across)): cell(row) for row in by_row(rows)}
    columns = sorted({values for _, values in seen}, key=lambda of: order(across, of))
    lines = sorted(
        by_row(rows.drop_duplicates([*down])), key=lambda row: order(down, key(row, down))
    )
    named_by = [_named(words, kinds[name], name) for name in down]
    fields = [*named_by, *first, *(field(*of) for of in enumerate(columns))]
    return make(title, note, lines, fields)


def _moved(row: Row) -> Cell:
    moved = say.difference_within(*_with(row, "difference"), row.unit)
    return _judged(row, f"{moved} ({say.short_change(row.ratio)})")


def _in_full(row: Row) -> Cell:
    return _judged(row, say.change_interval(row.ratio, row.low, row.high))


def _changed(row: Row) -> Cell:
    return _judged(row, f"{say.short_change(row.ratio)}{'' if row.same_build else ' *'}")


def _judged(row: Row, text: str) -> Cell:
    """A cell that needs no column for its verdict."""
    if row.verdict == MISSING:
        return Cell(MISSING, MISSING, row.reason)
    moved = say.difference_interval(*_with(row, "difference"), row.unit)
    change = say.change_interval(row.ratio, row.low, row.high)
    tip = "; ".join(filter(None, (change, moved, _verdict(row).text, row.reason)))
    return Cell(f"{text}{say.MARKS.get(row.verdict, '')}", row.verdict, tip)


def decided(decisions: Iterable[Row]) -> Table:
    """The decision table, of :func:`analysis.judge.decisions.decisions`."""
    fields: list[Field] = [
        (Column("situation"), lambda one: one.situation),
        (Column("use"), lambda one: one.use),
        (Column("what it gains"), lambda one: one.gain),
        (Column("holds on"), lambda one: one.holds_on),
        (Column("exceptions"), lambda one: one.exceptions or "none"),
    ]
    note = (
        "Joins, task factories and loops: by means over the numbers of tasks; a single case can "
        "differ. With a limit: by single cases, compared with the pattern that takes most. Others: "
        "by single cases, each interval alone; of failure and cancellation, what was counted."
    )
    return make("When to use what", note, decisions, fields, "decision")


_ALL_AT_ONCE: Final = "all at once"


def patterns(findings: Findings) -> Table:
    """What each pattern costs and saves with the usual limit, below what all at once takes: a
    column for each kind of work.
    """
    words, rows = findings.words, usual_bounds(findings)
    every = sorted(by_row(rows), key=lambda row: _interest(words, row))
    seen: dict[tuple[str, str], Cell] = {}
    for row in every:
        kind = _work(words, row, every)
        seen[kind, _ALL_AT_ONCE] = Cell(say.amount(row.reference_value, row.unit))
        seen[kind, row.pattern] = _changed(row)
    kinds = dict.fromkeys(kind for kind, _ in seen)

    def field(place: int, kind: str) -> Field:
        column = Column(kind, numeric=True, detail=place >= _MOST_KINDS)
        return column, lambda pattern: seen.get((kind, pattern), _NOT_MEASURED)

    named = sorted({row.pattern for row in every}, key=lambda one: words.order("pattern", one))
    lines = [_ALL_AT_ONCE, *named] if named else []
    first: Field = (
        Column("pattern"),
        lambda one: one if one == _ALL_AT_ONCE else words.label("pattern", one),
    )
    where = (f"Python {row.python}, {words.label('loop', row.loop)}" for row in every[:1])
    limit = "".join(f"At most {row.limit} at a time" for row in every[:1])
    title = f"{limit}, compared with {_ALL_AT_ONCE} ({', '.join([*where, MARKS])})"
    fields = [first, *(field(*of) for of in enumerate(kinds))]
    told: dict[str, dict[str, None]] = defaultdict(dict)
    for row in every:
        told[_measured(words, row)][_work(words, row, every)] = None
    notes = [f"{capital(say.listed(of))}: {what}. " for what, of in told.items()]
    waits = any(words.waits(row.workload) for row in every)
    notes += ["Where calls wait, a limit itself takes time: fewer wait at once. "] * waits
    return make(title, f"{''.join(notes)}{_reading(rows)}", lines, fields)


_MOST_KINDS: Final = 5
"""Columns of kinds of work that a terminal has room for."""


def _interest(words: Vocabulary, row: Row) -> int:
    """What takes time first, then one task alone, memory, and all else."""
    is_one = words.metric(row.probe, row.metric).of_one
    order = (words.probe(row.probe).answers, is_one, row.unit == "B", True)
    return order.index(True)


def _work(words: Vocabulary, row: Row, every: Sequence[Row]) -> str:
    """What a kind of work is called where it heads a column."""
    work = words.label("workload", row.workload)
    if words.metric(row.probe, row.metric).of_one:
        return f"one {work}"
    if words.probe(row.probe).answers:
        return work
    several = len({one.workload for one in every if one.probe == row.probe}) > 1
    return f"{words.label('probe', row.probe)}{f' of {work}' * several}"


def _measured(words: Vocabulary, row: Row) -> str:
    """What the figures of a kind of work are, where its name does not say it."""
    metric = words.metric(row.probe, row.metric)
    if metric.of_one:
        return f"{metric.label}, from its own start"
    return "time per task" if words.probe(row.probe).answers else metric.label


def bounds(findings: Findings) -> list[Table]:
    """What a limit of active children costs, on the newest Python: a table for each metric, a row
    for each pattern, a column for each limit; changes to all at once, with their intervals.
    """
    words, rows = findings.words, findings.contrasts
    rows = rows[rows["family"].str.startswith(BOUNDS)]
    python = newest_of(rows["python"].unique())
    rows = rows[rows["python"].eq(python)].sort_values("limit", kind="stable")
    shown = []
    for (probe, metric), own in rows.groupby(["probe", "metric"], sort=False):
        down = [*_varying(own, ("loop",)), "workload", "tasks", "pattern"]
        against = say.listed(called(words, STRATEGY, one) for one in own["against"].unique())
        cost = _number(_ALL_AT_ONCE, lambda row: say.amount(row.reference_value, row.unit))
        parts = (words.probe(str(probe)).label, words.metric(str(probe), str(metric)).label)
        what = capital(" · ".join(dict.fromkeys(parts)))
        title = f"{what}: at most so many at a time on Python {python}"
        note = f"Compared with {against}, {_ALL_AT_ONCE} ({MARKS}). {_reading(own)}"
        table = _across(
            words, title, note, own, down, ["limit"], _in_full, first=[cost], absent=Cell("")
        )
        shown.append(table)
    return shown


def caring(findings: Findings) -> Table:
    """From how much work of a task on the choice makes no difference."""
    rows, words = break_even(findings), findings.words
    fields = [
        *named(words, ("python", "loop")),
        _number(
            "work of a task [95 %]", lambda row: say.amount_interval(*_with(row, "value"), "ns")
        ),
        (Column("decided by"), lambda row: words.label(STRATEGY, row.strategy)),
        (Column("with"), lambda row: words.label("workload", row.workload)),
    ]
    note = f"From there on the choice moves the total by less than 1 %. {say.HOLD_TOGETHER}"
    return make("When to stop caring", note, by_row(rows), fields)


def of_probe(findings: Findings, probe: str) -> list[Table]:
    """The strategies in a probe: means over n by Python; single cases; what was counted beside."""
    frame = shown(findings)
    frame = frame[frame["axis"].eq(STRATEGY) & frame["probe"].eq(probe)]
    title = capital(findings.words.probe(probe).label)
    return [*_two(findings, title, frame), observations(findings, probe)]


def of_axis(findings: Findings, axis: str) -> list[Table]:
    """The same strategy on both sides of another axis: means over n by Python, and single cases, of
    headline metrics; then how the strategies compare beyond the first value on it, if the answer is
    about that alone.
    """
    frame, title = shown(findings), capital(_HEADINGS.get(axis, axis))
    both = _two(findings, title, frame[frame["axis"].eq(axis) & frame["headline"]])
    usual = findings.campaign.usual
    if axis not in usual or frame.empty:
        return both
    every = findings.contrasts
    own = every[every["axis"].eq(STRATEGY) & every["default"] & every[axis].ne(usual[axis])]
    means = own[own["scope"].ne(CASE) & ~own["control"]]
    return [*both, _contrasts(findings, f"{title}: strategies compared", means)]


def by_section(findings: Findings) -> dict[str, list[Table]]:
    """All tables of figures but the answer, by probe, by axis, of limits and of costs, in reading
    order.
    """
    free, order = unlimited(findings), partial(findings.words.order, "probe")
    return {
        **{
            probe: of_probe(free, probe)
            for probe in sorted({case.probe for case in findings.campaign.cases}, key=order)
        },
        **{axis: of_axis(free, axis) for axis in AXES},
        "limit": bounds(findings),
        "costs": [caring(free), parts(free), processor(free), costs(free)],
    }


def every(findings: Findings) -> list[Table]:
    """The same, one after the other."""
    return [table for of in by_section(findings).values() for table in of]


def _two(findings: Findings, title: str, frame: pd.DataFrame) -> list[Table]:
    """Means, side by side, and single cases."""
    return [
        side_by_side(findings, frame, title),
        _contrasts(findings, f"{title}: single cases", frame[frame["scope"].eq(CASE)]),
    ]


def between(frame: pd.DataFrame, base: Campaign, head: Campaign) -> Table:
    """Two campaigns, a row per contender, case and metric that they share."""
    both = frame[frame["verdict"].ne(MISSING)]
    note = f"Not measured in turns: the drift of the machine is in every change. {_reading(both)}"
    if alone := len(frame) - len(both):
        note += f" {say.times(alone, 'cell')} that only one of them has: left out."
    fields = _contrast_fields(head.words, both)
    return make(f"{head.name} compared with {base.name}", note, by_row(both), fields)


def shown(findings: Findings) -> pd.DataFrame:
    """What is shown unless asked otherwise: all is as usual, or compared with that."""
    frame = findings.contrasts
    keep = frame["default"] & ~frame["control"]
    for axis, name in findings.campaign.usual.items():
        keep &= frame[axis].eq(name) | frame["axis"].eq(axis)
    return frame[keep]


def _contrasts(findings: Findings, title: str, frame: pd.DataFrame) -> Table:
    """A table of contrasts on one axis, which says how it is to be read."""
    words = findings.words
    fields = _contrast_fields(words, frame)
    if frame["scope"].eq(CASE).any():
        links = places(findings.campaign)
        traced = Column("measured in", detail=True)
        fields.append((traced, lambda row: Cell("", links=(links[row.case], links[row.subject]))))
    axis = "".join(frame["axis"].iloc[:1])
    compared, against = (
        [called(words, axis, str(name)) for name in frame[side].unique()]
        for side in ("compared", "against")
    )
    only = f": {compared[0]}" if len(compared) == 1 else ""
    sides = f"Compared{only} with {against[0]}. " if len(against) == 1 else ""
    return make(title, f"{sides}{_reading(frame)}", by_row(frame), fields)


def _reading(frame: pd.DataFrame) -> str:
    """How the intervals of contrasts are to be read, and what their mark means."""
    builds = "" if frame["same_build"].all() else DIFFERENT_BUILD
    return f"{intervals_hold(frame)} {builds}".strip()


def intervals_hold(frame: pd.DataFrame) -> str:
    """Whether the intervals of rows stand alone or hold together, those of each Python in one
    family; "" where it is neither.
    """
    if "family" not in frame or frame["family"].eq("").all():
        return say.STANDS_ALONE
    together = frame.groupby("python")["family"].nunique().max() == 1
    return say.HOLD_TOGETHER if together and frame["family"].ne("").all() else ""


def _contrast_fields(words: Vocabulary, frame: pd.DataFrame) -> list[Field]:
    """What sets rows apart, and their figures."""
    axis = str(frame["axis"].iloc[0]) if len(frame) else STRATEGY
    same_as_axis = "python" if axis == "build" else axis
    apart = _varying(frame, [name for name in _IDENTITY if name != same_as_axis])
    if len(frame[["probe", "metric"]].drop_duplicates()) == frame["probe"].nunique():
        apart = [name for name in apart if name != "metric"]
    apart += [] if axis == STRATEGY else [STRATEGY]
    compared = [STRATEGY] if axis == STRATEGY else _varying(frame, ["compared"])
    against = _varying(frame, ["against"])
    return [
        *named(words, apart),
        *(_named(words, axis, name) for name in compared),
        *((Column("compared with"), _named(words, axis, name)[1]) for name in against),
        *_figures(),
    ]


def _figures() -> list[Field]:
    """Both costs, the change, and the verdict on it."""
    return [
        _number("cost", lambda row: say.amount(row.value, row.unit)),
        _number("reference", lambda row: say.amount(row.reference_value, row.unit)),
        _number("change [95 %]", _change),
        _number(
            "difference [95 %]",
            lambda row: say.difference_interval(*_with(row, "difference"), row.unit),
            detail=True,
        ),
        (Column("verdict"), _verdict),
    ]


def _change(row: Row) -> str:
    mark = "" if row.same_build or row.verdict == MISSING else " *"
    return f"{say.change_interval(row.ratio, row.low, row.high)}{mark}"


def _verdict(row: Row) -> Cell:
    needed = None if pd.isna(row.rounds_needed) else int(row.rounds_needed)
    return Cell(say.judged(row.verdict, row.unit, needed, row.reason), kind=row.verdict)


def _with(row: Row, name: str) -> tuple[float, float, float]:
    """A number of a row with its interval."""
    return getattr(row, name), getattr(row, f"{name}_low"), getattr(row, f"{name}_high")


def places(campaign: Campaign) -> dict[str, tuple[str, str]]:
    """A link to each case and contender in the appendix, by its id."""
    cases = ((f"case {place}", case.id) for place, case in enumerate(campaign.cases, 1))
    contenders = (
        (f"contender {place}", one.id) for place, one in enumerate(campaign.contenders, 1)
    )
    return {id_: (text, f"#{text.replace(' ', '-')}") for text, id_ in (*cases, *contenders)}


def capital(text: str) -> str:
    """ "head start" -> "Head start"."""
    return text[:1].upper() + text[1:]


# --- absolutes ------------------------------------------------------------------------------------


def observations(findings: Findings, probe: str) -> Table:
    """What a probe counted beside what it timed: a row per case and contender."""
    frame, words = findings.observations, findings.words
    rows = frame[frame["probe"].eq(probe) & frame["role"].ne(CONTROL)]
    rows = rows[~rows["name"].isin((COLLECTIONS, CPU_SHARE))]  # they have tables of their own
    seen = {(row.case, row.contender, row.name): row for row in by_row(rows)}
    first = rows.drop_duplicates(["case", "contender"])
    apart = _varying(first, [name for name in _IDENTITY if name != "metric"])

    def counted(name: str) -> Field:
        label = words.observed(probe, name).label
        return _number(label, lambda row: _tally(seen.get((row.case, row.contender, name))))

    counts = [counted(name) for name in rows["name"].unique()]
    note = "Medians over rounds; in brackets the least and the most of any round, if they differ."
    title = f"{capital(words.probe(probe).label)}: what was observed"
    return make(title, note, by_row(first), [*named(words, [*apart, STRATEGY]), *counts])


def _tally(seen: Row | None) -> str:
    if seen is None:
        return ""
    ends = [say.tally(seen.low), say.tally(seen.high)]
    return say.tally(seen.value) + ("" if ends[0] == ends[1] else f" [{', '.join(ends)}]")


def costs(findings: Findings) -> Table:
    """The cost model: a row per workload, Python, loop and strategy."""
    frame = findings.costs[findings.costs["role"].ne(CONTROL)]
    apart = _varying(frame, ("python", "task_factory", "collector", "loop"))
    fields = [
        *named(findings.words, ["workload", *apart, STRATEGY]),
        _number("fixed [95 %]", lambda row: say.amount_interval(*_with(row, "fixed_seconds"), "s")),
        _number(
            "per task [95 %]", lambda row: say.amount_interval(*_with(row, "ns_per_task"), "ns")
        ),
        (Column("holds up to"), _holds),
    ]
    note = f"Time of a fan-out = fixed + per task × n. {say.STANDS_ALONE}"
    return make("Cost model", note, by_row(frame), fields)


def parts(findings: Findings) -> Table:
    """What each fan-out costs as code + collector, where the collector takes part at all."""
    frame = findings.absolutes
    frame = frame[frame["code"].notna() & frame["role"].ne(CONTROL)]
    busy = collected(frame)
    apart = _varying(busy, ("python", "task_factory", "collector", "loop"))
    fields = [
        *named(findings.words, ["workload", "tasks", *apart, STRATEGY]),
        _number("cost", lambda row: say.amount(row.value, row.unit)),
        _number("code [95 %]", lambda row: say.amount_interval(*_with(row, "code"), row.unit)),
        _number(
            "collector [95 %]",
            lambda row: say.amount_interval(*_with(row, "collecting"), row.unit),
        ),
        _number("share", lambda row: say.share(row.collecting / row.value, 0)),
    ]
    idle = len(frame) - len(busy)
    none = f" In {say.times(idle, 'other cell')} it takes nothing." if idle else ""
    note = f"Cost = code + garbage collector, per task.{none} {say.STANDS_ALONE}"
    return make("Code and collector", note, by_row(busy), fields)


def processor(findings: Findings) -> Table:
    """How much of its time a fan-out that waits is on the core, on the newest Python."""
    words, frame, seen = findings.words, findings.absolutes, findings.observations
    python = newest_of(frame["python"].unique())
    frame = frame[frame["python"].eq(python)]
    frame = frame[frame["headline"] & frame["role"].ne(CONTROL)]
    of_cell = seen[seen["name"].eq(CPU_SHARE)].set_index(["case", "contender"])["value"]
    frame = frame.join(of_cell.rename("share"), on=["case", "contender"], how="inner")
    waits = (words.probe(row.probe).answers and words.waits(row.workload) for row in by_row(frame))
    rows = frame[[bool(one) for one in waits]]
    apart = _varying(frame, ("task_factory", "collector", "loop"))
    fields = [
        *named(words, ["workload", "tasks", *apart, STRATEGY]),
        _number("wall time", lambda row: say.amount(row.value, row.unit)),
        _number("CPU time", lambda row: say.amount(row.value * row.share, row.unit)),
        _number("share", lambda row: say.share(row.share, 0)),
    ]
    note = "Per task. A loop can be faster and burn more."
    return make(f"CPU time of what waits on Python {python}", note, by_row(rows), fields)


def _holds(row: Row) -> str:
    held = f"n = {say.count(int(row.tasks_to))}"
    if pd.isna(row.breaks_at):
        return held
    off = say.change_interval(row.break_ratio, row.break_low, row.break_high)
    return f"{held}; at {say.count(int(row.breaks_at))}: {off}"


# --- programs and claims --------------------------------------------------------------------------


NOWHERE: Final = "What could not be run"
Place: TypeAlias = "tuple[str, str, str]"
"""Python, event loop and task factory."""


def behaviours(campaign: Campaign) -> Table:
    """What small programs did and where, a row per behaviour; last, what could not be run."""
    witness = campaign.witness or Witness(programs=(), runs=())
    labels = {one.name: one.label for one in campaign.interpreters}
    claimed = {program.name: program.claim for program in witness.programs}
    able: dict[tuple[str, str], list[Place]] = defaultdict(list)
    seen: dict[tuple[str, str, str, str], list[Place]] = defaultdict(list)
    order = defaultdict(lambda: len(claimed), {name: at for at, name in enumerate(claimed)})
    for run in sorted(witness.runs, key=lambda run: (run.holds is None, order[run.program])):
        place = (labels.get(run.interpreter, run.interpreter), run.loop, run.task_factory)
        if run.holds is None:
            seen[NOWHERE, "not possible", run.reason, run.strategy].append(place)
        else:
            able[run.program, run.strategy].append(place)
            held, wrong = ("yes", "") if run.holds else ("no", f"; expected was: {run.expected}")
            seen[run.program, held, f"{run.observed}{wrong}", run.strategy].append(place)
    # Strategies that did the same in the same places share a row.
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for (program, held, what, strategy), here in seen.items():
        where = _where([*dict.fromkeys(here)], able[program, strategy])
        names = alike[claimed.get(program, program), where, held, what]
        names += [campaign.words.label(STRATEGY, strategy)] if strategy else []
    fields: list[Field] = [
        (Column("claim", leading=True), lambda row: row[0][0]),
        (Column("strategy"), lambda row: ", ".join(row[1])),
        (Column("where"), lambda row: row[0][1]),
        (Column("as expected"), lambda row: row[0][2]),
        (Column("what was seen"), lambda row: row[0][3]),
    ]
    return make("What small programs did", "", alike.items(), fields)


def _where(here: Sequence[Place], able: Sequence[Place]) -> str:
    """Some places, among all where it could be run, in as few words as it takes."""
    if here == able:
        return "everywhere"
    for part in range(3):
        values = dict.fromkeys(place[part] for place in here)
        if here == [place for place in able if place[part] in values]:
            return ", ".join(values)
    return ", ".join(map(" ".join, here))


def claims(checks: Sequence[Check], *, short: bool = False) -> list[Table]:
    """The ledger, a row per claim and Python that it was checked on; then what was not tested.
    ``short`` has the names of claims in place of what they say.
    """
    claim: Field = (
        Column("claim", leading=True),
        lambda one: Cell(
            one.claim.name if short else one.claim.statement, links=(("source", one.claim.source),)
        ),
    )
    campaign: Field = Column("campaign"), lambda one: one.campaign
    fields: list[Field] = [
        claim,
        (Column("claimed"), lambda one: str(one.claim.claimed)),
        *([campaign] if len({one.campaign for one in checks}) > 1 else []),
        (Column("Python"), lambda one: one.python),
        (Column("measured [95 %]"), lambda one: one.ours),
        (Column("measured on", detail=True), lambda one: one.shown.what if one.shown else ""),
        (Column("verdict"), lambda one: Cell(one.verdict_words, kind=_KINDS.get(one.verdict, ""))),
        (Column("remark", leading=True, detail=True), lambda one: one.claim.remark),
    ]
    lacking: list[Field] = [claim, (Column("what is missing"), lambda one: one.missing)]
    met = [one for one in checks if one.verdict != NOT_MET]
    not_met = [one for one in checks if one.verdict == NOT_MET]
    note = (
        "A ratio that stands in the answer or in a table of means has its interval from there; the "
        "intervals of a campaign's other ratios hold together (95 %)."
    )
    return [
        make("Published claims, and what was measured here", note, met, fields),
        make("Claims that were not tested here", "", not_met, lacking),
    ]


# --- what is known of a campaign ------------------------------------------------------------------


def provenance(campaign: Campaign) -> str:
    """What was measured, in a line."""
    labels = sorted((one.label for one in campaign.interpreters), key=python_order)
    several = f"{len(labels)} Pythons, {labels[0]} to {labels[-1]}" if len(labels) > 3 else ""
    parts = [
        campaign.name,
        several or f"Python {', '.join(labels)}",
        say.times(campaign.rounds, "round"),
        say.times(len(campaign.cases), "case"),
        "" if campaign.status == "complete" else f"status: {campaign.status}",
    ]
    return " · ".join(filter(None, parts))


OLD_WAY: Final = (
    "Measured the old way, means after full collections: from 1000 tasks on off by up to 15 %."
)


def warnings(findings: Findings) -> list[str]:
    """What must be read before any figure: a campaign that is not proven, or not whole."""
    control, status = findings.control, findings.campaign.status
    said = [] if control.proven else [f"This campaign is {control.note}."]
    if findings.campaign.is_old:
        said.append(OLD_WAY)
    if status == "failed" and findings.campaign.failed:
        failures = say.times(len(findings.campaign.failed), "measurement")
        said.append(f"Of this campaign {failures} failed; the others are not affected.")
    elif status != "complete":
        said.append(f"This campaign is {status}: it holds the rounds measured so far.")
    return said


def _raised(findings: Findings) -> Iterator[str]:
    """Which share of the calls of a workload has raised, where that was counted."""
    seen = findings.observations
    seen = seen[seen["name"].eq(ERRORS) & seen["role"].ne(CONTROL)]
    for workload, of in seen.groupby("workload", sort=False):
        shares = of["value"] / of["tasks"]
        ends = dict.fromkeys(say.share(float(end)) for end in (shares.min(), shares.max()))
        if shares.max() > 0:
            name = findings.words.label("workload", str(workload))
            yield f"Of the calls of {name}, {' to '.join(ends)} have raised."


def foot(findings: Findings) -> list[str]:
    """What a reader must know beside the figures: builds, what is missing and why, problems."""
    campaign = findings.campaign
    families: dict[str, list[str]] = {}
    for one in sorted(campaign.interpreters, key=lambda one: python_order(one.label)):
        families.setdefault(one.family.label, []).append(one.label)
    builds = (f"Build of Python {', '.join(of)}: {family}." for family, of in families.items())
    reasons = Counter(skipped.reason for skipped in campaign.skipped)
    return [
        *(builds if len(families) > 1 else ()),
        *(f"Skipped {say.times(n, 'contender')}: {reason}" for reason, n in reasons.items()),
        *_raised(findings),
        *(f"Failed: {one.contender} in {one.case}: {one.cause}" for one in campaign.failed),
        *map(str, campaign.problems),
    ]
