"""Charts of ratios: what differs on one axis, compared with what stands there by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import pandas as pd

from analysis.judge import words
from analysis.judge.findings import Findings
from analysis.judge.verdicts import FASTER, MISSING, SLOWER
from analysis.show import tables
from analysis.show.charts import panels
from analysis.show.charts.panels import RATIO_KEY, READ_RATIOS
from analysis.show.charts.registry import Drawing, chart, generic, slug
from analysis.show.theme import LIGHT, Mark, marks, plain

_SPREAD: Final = 0.8
"""How far the series of one place stand apart: as ln(tasks), in Pythons."""
_READ_POINTS: Final = "Bars: 95 % intervals; filled: significantly different."


@chart("ratios-by-tasks", "strategy")
def ratios_by_tasks(findings: Findings) -> Drawing | None:
    """The headline: each way of launching compared with the baseline, by number of tasks."""
    return ratios_of_probe(panels.answering(findings), findings)


@generic
def ratios_of_probe(probe: str, findings: Findings) -> Drawing | None:
    """The same of the headline metric of any probe."""
    rows = panels.concurrent(findings, _cases(findings, "strategy", probe=probe))
    return _over_tasks(findings, rows, "compared")


def ratios_of_axis(axis: str, findings: Findings) -> Drawing | None:
    """What is compared on another axis, for each way of launching, by number of tasks."""
    rows = _cases(findings, axis, probe=panels.answering(findings))
    return _over_tasks(findings, rows.assign(**{axis: rows["compared"]}), "strategy")


for _axis in ("loop", "task_factory", "collector", "build"):
    chart(slug(f"ratios-by-{_axis}"), _axis)(partial(ratios_of_axis, _axis))


def _shown(findings: Findings, axis: str, scope: str, **wanted: str) -> pd.DataFrame:
    """What is shown of an axis by default, of all probes unless one is wanted."""
    rows = tables.shown(findings)
    return panels.only(rows, axis=axis, scope=scope, headline=True, **wanted)


def _cases(findings: Findings, axis: str, **wanted: str) -> pd.DataFrame:
    """The same case by case, on the newest Python; of builds, on all."""
    rows = _shown(findings, axis, "case", **wanted)
    return rows if axis == "build" else panels.of_newest(rows)


def _over_tasks(findings: Findings, rows: pd.DataFrame, series: str) -> Drawing | None:
    """Ratios over the number of tasks: a series for each strategy in the column ``series``."""
    rows = panels.over_several(rows)
    if rows.empty:
        return None
    axis = str(rows["axis"].iloc[0])
    further = [axis] if axis in {"task_factory", "collector", "build"} else []
    grid = panels.split(findings, rows, ["loop", *further, "workload", "pause"])
    looks = panels.marks_of(findings, rows[series])
    limits = panels.ratio_limits(rows)
    drawing = panels.sheet(
        grid,
        _finding(findings, rows),
        f"{_measured(findings, rows)}. {panels.on_python(findings, rows)} {_READ_POINTS}",
        READ_RATIOS,
        panel_inches=2.3 if grid.rows > 1 else 2.8,
        key=[*panels.marked(findings, "strategy", looks), *RATIO_KEY],
        notes=panels.missing_notes(findings, rows, but=axis),
        below="number of tasks",
        beside=_directions(rows),
    )
    panels.tasks_axis(drawing.axes[0], rows["tasks"])
    for axes, mine in drawing.parts:
        panels.ratio_axis(axes, limits)
        panels.over_tasks(axes, mine, series, looks, min(_SPREAD, 0.2 * len(looks)), column="ratio")
        if not mine["ratio"].notna().any():
            panels.nothing(axes, f"missing: {plain(str(mine['reason'].iloc[0]), 40)}")
    return drawing


def _directions(rows: pd.DataFrame) -> str:
    """What the two directions of an axis of ratios mean."""
    more, less = (words.verdict(name, str(rows["unit"].iloc[0])) for name in (SLOWER, FASTER))
    return f"{less} \u2190  \u2192 {more}"


@chart("ratios-by-python", "python")
def ratios_by_python(findings: Findings) -> Drawing | None:
    """Each way of launching compared with the baseline on the same Python, by Python."""
    rows = _workloads(findings, "strategy")
    if not panels.several(rows, "python"):
        return None
    looks = panels.marks_of(findings, rows["compared"])
    return _over_pythons(findings, rows, ["loop", "workload"], ("compared", "strategy"), looks)


@chart("pythons", "python")
def pythons(findings: Findings) -> Drawing | None:
    """Each Python compared with one of them, by workload, for the baseline's way of launching."""
    rows = _workloads(findings, "python")
    rows = rows[rows["strategy"] == panels.baseline(findings)]
    if rows.empty:
        return None
    looks = marks(panels.ordered(findings, "workload", rows["workload"]))
    return _over_pythons(findings, rows, ["loop"], ("workload", "workload"), looks)


def _workloads(findings: Findings, axis: str) -> pd.DataFrame:
    """What is shown of an axis by default, by workload, on every Python."""
    rows = _shown(findings, axis, "workload", probe=panels.answering(findings))
    return panels.concurrent(findings, rows)


def _over_pythons(
    findings: Findings,
    rows: pd.DataFrame,
    kinds: Sequence[str],
    series: tuple[str, str],
    looks: Mapping[str, Mark],
) -> Drawing:
    """Ratios over Pythons: a panel for each of ``kinds``, a series for each of ``looks``."""
    grid = panels.split(findings, rows, kinds)
    axis = str(rows["axis"].iloc[0])
    against = [str(name) for name in rows["against"].unique()] if axis == "python" else []
    shown = panels.pythons(findings, [*rows["python"].unique(), *against])
    limits = panels.ratio_limits(rows)
    of = f" {panels.where(findings, rows.iloc[0].to_dict(), 'strategy')}" if against else ""
    reference = f" The thick dash at 'equal' is {against[0]} itself." if against else ""
    drawing = panels.sheet(
        grid,
        _finding(findings, rows),
        f"{_measured(findings, rows)}{of}, by Python: means over n. {_READ_POINTS}",
        f"{READ_RATIOS}{reference} {panels.READ_BUILDS}",
        panel_inches=2.5,
        key=[*panels.marked(findings, series[1], looks), *RATIO_KEY],
        notes=[*shown.notes, *panels.missing_notes(findings, rows, but=axis)],
        beside=_directions(rows),
    )
    panels.python_axis(drawing.axes, shown, grid.columns)
    for axes, mine in drawing.parts:
        panels.ratio_axis(axes, limits)
        panels.over_pythons(axes, mine, series[0], shown, looks, column="ratio")
        for name in against:
            axes.plot(shown.places[name], 1.0, "_", color=LIGHT.ink, markersize=16, mew=2.5)
    return drawing


def _named(findings: Findings, axis: str, name: str) -> str:
    """What readers call a name on an axis: "Python 3.15.2"."""
    text = panels.label(findings, axis, name)
    return f"Python {text}" if axis in {"python", "build"} else text


def _against(findings: Findings, rows: pd.DataFrame) -> str:
    axis = str(rows["axis"].iloc[0])
    names = panels.ordered(findings, axis, rows["against"])
    return words.listed(_named(findings, axis, name) for name in names)


def _measured(findings: Findings, rows: pd.DataFrame) -> str:
    """ "Whole fan-out compared with gather(*coroutines)"."""
    first = rows.iloc[0]
    metric = plain(findings.words.metric(str(first["probe"]), str(first["metric"])).label, 60)
    return f"{metric[:1].upper()}{metric[1:]} compared with {_against(findings, rows)}"


def _finding(findings: Findings, rows: pd.DataFrame) -> str:
    """How often each that is compared is slower or faster or, where that is too long for a title,
    how often any is.
    """
    axis = str(rows["axis"].iloc[0])
    names = panels.ordered(findings, axis, rows["compared"])
    names = names[-1:] if axis == "python" else names
    each = {_named(findings, axis, name): rows[rows["compared"] == name] for name in names}
    title = f"{'; '.join(f'{name}: {_counted(of)}' for name, of in each.items())}."
    if len(title) <= panels.TITLE_CHARACTERS:
        return title
    return f"Compared with {_against(findings, rows)}: {_counted(rows)}."


def _counted(rows: pd.DataFrame) -> str:
    """ "17 of 42 slower, 2 faster"."""
    known = rows[rows["verdict"] != MISSING]
    sides = [(int((known["verdict"] == word).sum()), word) for word in (SLOWER, FASTER)]
    first, second = sorted(sides, key=lambda side: -side[0])
    unit = str(rows["unit"].iloc[0])
    if not first[0]:
        return f"none of {len(known)} differs significantly"
    more = f", {second[0]} {words.verdict(second[1], unit)}" if second[0] else ""
    return f"{first[0]} of {len(known)} {words.verdict(first[1], unit)}{more}"
