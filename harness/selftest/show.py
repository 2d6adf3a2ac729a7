"""Trials -> the files of a page, in memory: tables, charts, HTML and Markdown."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.judge import words as say
from analysis.judge.verdicts import FLOOR
from analysis.show import page, tables, theme
from analysis.show.charts import panels
from analysis.show.charts.registry import Drawing, picture
from analysis.show.tables import Column, Field, Table
from harness.selftest.arms import ARMS, OURS
from harness.selftest.experiment import CONDITIONS, Done, Setting
from harness.selftest.planted import SLOWER, fan_outs, sums
from harness.selftest.summary import Share, Summary, summarise
from harness.steady import BATCHES, NEAR_POINTS, Steady

HONEST = (0.02, 0.08)
"""The share of false alarms that was asked of this suite beforehand."""
_NOTE = (
    "Shares with their exact 95 % intervals. Error: root mean square of ln(ratio) less its truth."
)
_JITTER = 0.26
_ERRORS = (1e-4, 0.30)
"""Those that are less or more are drawn at the edge."""


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a page is made of: the setting, its trials, at least one, and the steady state."""

    setting: Setting
    done: Sequence[Done]
    steady: Sequence[Steady]

    @property
    def arms(self) -> Mapping[str, theme.Mark]:
        """A mark for each arm; ours is drawn as what all others are compared with."""
        names = {one.arm for one in self.done}
        return theme.marks(name for name in (OURS, *ARMS) if name in names)

    @property
    def conditions(self) -> Sequence[str]:
        measured = {one.condition for one in self.done}
        return [name for name in CONDITIONS if name in measured]

    @property
    def workloads(self) -> Sequence[str]:
        """What is most like that which campaigns measure comes first."""
        measured = {one.workload for one in self.done}
        return [work.__name__ for work in (fan_outs, sums) if work.__name__ in measured]

    def of(
        self, condition: str | None = None, workload: str | None = None
    ) -> Mapping[str, Summary]:
        """A summary for each arm tried there, in the order of the marks; None: anywhere."""
        return {arm: summarise(own) for arm, own in self.trials(condition, workload).items()}

    def trials(self, condition: str | None, workload: str | None) -> Mapping[str, Sequence[Done]]:
        """Those of :meth:`of`, by arm."""
        found: dict[str, list[Done]] = {arm: [] for arm in self.arms}
        for one in self.done:
            if condition in (None, one.condition) and workload in (None, one.workload):
                found[one.arm].append(one)
        return {arm: own for arm, own in found.items() if own}

    def span(self, arm: str, workload: str) -> str:
        """An arm's errors in all conditions: "0.16 to 2.0 %"."""
        every = (self.of(condition, workload) for condition in self.conditions)
        return _span(here[arm].error for here in every if arm in here)


def files_of(shown: Shown) -> dict[str, bytes]:
    """Every file of the page, by its path relative to the folder."""
    with theme.settings():
        pictures = [
            picture(name, draw(shown))
            for name, draw in (("errors", _errors), ("same", _same), ("power", _power))
        ]
    context = {
        "answers": answers(shown),
        "arms": [(name, _first_line(arm)) for name, arm in ARMS.items() if name in shown.arms],
        "works": [_first_line(work).rstrip(".") for work in (fan_outs, sums)],
        "made": made(shown.setting),
        "setting": shown.setting,
        "overview": overview(shown),
        "tables": [*(_table(shown, condition) for condition in shown.conditions), _savings(shown)],
        "steady": [_steady(shown.steady)] if shown.steady else [],
        "pictures": pictures,
        "most_rows": page.MOST_ROWS,
    }
    files = {f"charts/{name}": data for one in pictures for name, data in one.files().items()}
    files["index.html"] = page.html("selftest.html.jinja", context, pictures).encode()
    files["README.md"] = page.markdown("selftest.md.jinja", context).encode()
    return files


# --- words ----------------------------------------------------------------------------------------


def answers(shown: Shown) -> list[str]:
    """What a reader should know, in a few sentences; nothing without trials of this suite."""
    if OURS not in shown.arms:
        return []
    ours = shown.of()[OURS]
    alarms, covered = (
        f"{_plain(one)} trials, {_said(one)}" for one in (ours.told_different, ours.covered)
    )
    beyond = f"beyond its floor of {say.share(FLOOR)} in {_plain(ours.beyond_floor)}"
    said = [_off(shown, work) for work in shown.workloads]
    said += [f"False alarms of {OURS}: {alarms} (5 % are expected); {beyond}."]
    said += [f"Its 95 % intervals contained the true value in {covered}."]
    verdict = f"Verdict slower, which takes more than {say.share(FLOOR)}"
    for what, of in (("Detected", ours.found), (verdict, ours.said_slower)):
        tried = [(by, one) for by, one in zip(SLOWER, of, strict=True) if one.trials]
        each = say.listed(f"{say.share(by)} in {_whole(one.value)}" for by, one in tried)
        said += [f"{what}: a slowdown of {each} of the trials."]
    return said


def made(setting: Setting) -> list[str]:
    """How the trials came about, and what they cannot tell."""
    machine, shares = setting.machine, setting.work_share.items()
    work = say.listed(f"{100 * share:.1f} % of {_label(name)}" for name, share in shares)
    where = f"{machine['cpu_model']}, {machine['cpu_count']} cores, {machine['system']}"
    fixed = "Methods, loads, slowdowns and the number of trials were fixed before the first trial"
    truth = "The true value is the planted slowdown times the share of a fan-out that is its work"
    blocks = "takes the least disturbed blocks of each process; the other methods take the mean of"
    default = "as many processes as there is time for, and 20 for each benchmark by default"
    return [
        f"CPython {setting.python} on {where}; one core is measured on, the load is on the other.",
        f"{fixed}; their order is random. trials.jsonl has every trial.",
        f"{truth}: {work}.",
        f"{tables.capital(OURS)} {blocks} all that they time, as their tools do.",
        f"pyperf's runner has {default}. hyperfine would count the start of Python as well.",
    ]


def _off(shown: Shown, workload: str) -> str:
    """How far this suite is off the truth, and the first of the others."""
    arms = [OURS, *(arm for arm in ARMS if arm in shown.arms and arm != OURS)][:2]
    each = (f"by {shown.span(arm, workload)} with {arm}" for arm in arms)
    after = f"after {shown.setting.trial_seconds:g} s a ratio is off"
    return f"{tables.capital(_label(workload))}: {after} {', '.join(each)} (root mean square)."


def _label(workload: str) -> str:
    return workload.replace("_", "-")


def _whole(share: float) -> str:
    return say.share(share, 0)


def _percent(share: float) -> str:
    """Two significant digits: 0.0016 -> "0.16 %"."""
    decimals = 1 - math.floor(math.log10(100 * share)) if share else 0
    return say.share(share, max(0, decimals))


def _span(values: Iterable[float], words: Callable[[float], str] = _percent) -> str:
    """From the least to the most: "0.16 to 2.0 %"."""
    every = sorted(values)
    low, high = (words(every[place]) for place in (0, -1))
    return low if low == high else f"{low.removesuffix(' %')} to {high}"


def _of(condition: str) -> str:
    wave_seconds = CONDITIONS[condition]
    busy = f"other core busy {wave_seconds / 2:g} of {wave_seconds:g} s"
    return busy if wave_seconds else "no added load"


def _first_line(of: Callable[..., object]) -> str:
    return (of.__doc__ or "").partition("\n")[0]


def _said(one: Share) -> str:
    low, high = one.ends
    return f"{100 * one.value:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


# --- tables ---------------------------------------------------------------------------------------


def overview(shown: Shown) -> Table:
    """Every method under every load, by what matters most."""
    rows = [
        (condition, one) for condition in shown.conditions for one in shown.of(condition).values()
    ]
    fields = [
        *_named(),
        *(_error(shown, work) for work in shown.workloads),
        *(_of_summary(*field) for field in (*_trusted(), *map(_detected, SLOWER[1:3]))),
    ]
    note = f"{_NOTE} In brackets: how many times that of {OURS}."
    return tables.make("At a glance", note, rows, fields)


def _named() -> Sequence[Field]:
    """Of rows that begin with a condition and a summary."""
    return [
        (Column("load", leading=True), lambda row: tables.capital(_of(row[0]))),
        (Column("method"), lambda row: row[1].arm),
    ]


def _of_summary(column: Column, said: Callable[[Summary], str]) -> Field:
    return column, lambda row: said(row[1])


def _error(shown: Shown, workload: str) -> Field:
    here = {condition: shown.of(condition, workload) for condition in shown.conditions}

    def said(row: tuple[str, Summary]) -> str:
        one, ours = (here[row[0]].get(arm) for arm in (row[1].arm, OURS))
        if one is None:
            return ""
        times = f" ({one.error / ours.error:.0f})" if ours and ours.error and one != ours else ""
        return f"{_percent(one.error)}{times}"

    return Column(f"error, {_label(workload)}", numeric=True), said


Said: TypeAlias = "tuple[Column, Callable[[Summary], str]]"
"""A column, and what it says of a summary."""


def _trusted() -> Sequence[Said]:
    return [
        (Column("false alarms", numeric=True), lambda one: _said(one.told_different)),
        (Column("interval contains the true value", numeric=True), lambda one: _said(one.covered)),
    ]


def _detected(by: float) -> Said:
    place = SLOWER.index(by)
    column = Column(f"{say.share(by)} slowdown detected", numeric=True)
    return column, lambda one: _plain(one.found[place])


def _table(shown: Shown, condition: str) -> Table:
    fields = [
        (Column("method", leading=True), lambda one: one.arm),
        (Column("trials", numeric=True), lambda one: say.count(one.trials)),
        *_trusted(),
        (
            Column(f"false alarms beyond ±{say.share(FLOOR)}", numeric=True),
            lambda one: _said(one.beyond_floor),
        ),
        *map(_detected, SLOWER),
        (
            Column("detected in 80 % from", numeric=True),
            lambda one: (
                say.share(one.smallest_found)
                if math.isfinite(one.smallest_found)
                else f"over {say.share(SLOWER[-1], 0)}"
            ),
        ),
        (Column("wrong sign", numeric=True), lambda one: _plain(one.wrong_signs)),
        (Column("not detected", numeric=True), lambda one: _plain(one.undetected)),
        (Column("error", numeric=True), lambda one: _percent(one.error)),
        (Column("median error", numeric=True), lambda one: _percent(one.median_error)),
        (Column("half-width", numeric=True), lambda one: _percent(one.half_width)),
        (Column("seconds", numeric=True), lambda one: "{:.1f} to {:.1f}".format(*one.seconds)),
    ]
    note = f"{_NOTE} Half-width: median of the trials; seconds: the least and the most."
    return tables.make(tables.capital(_of(condition)), note, shown.of(condition).values(), fields)


def _plain(one: Share) -> str:
    return f"{one.hits} of {one.trials}"


def _savings(shown: Shown) -> Table:
    """By what ``cost`` of summaries says."""
    rows = [
        (condition, one, work, here[OURS])
        for work in shown.workloads
        for condition in shown.conditions
        for here in [shown.of(condition, work)]
        for one in here.values()
        if OURS in here and one.arm != OURS
    ]

    def times(row: tuple[str, Summary, str, Summary]) -> str:
        missed = [one.arm for one in (row[1], row[3]) if not one.is_valid]
        what = f"not comparable: intervals of {say.listed(missed)} miss the true value too often"
        return what if missed else f"{row[1].cost / row[3].cost:,.0f}"

    fields = [
        (Column("workload", leading=True), lambda row: _label(row[2])),
        *_named(),
        (Column("half-width", numeric=True), lambda row: _percent(row[1].half_width)),
        (Column(f"that of {OURS}", numeric=True), lambda row: _percent(row[3].half_width)),
        *(_of_summary(*field) for field in _trusted()[1:]),
        (Column("times as long", numeric=True), times),
    ]
    note = (
        f"How many times as long a method takes as {OURS} for intervals as narrow: half-width "
        "squared times seconds, since an interval narrows with the root of the time."
    )
    return tables.make("Wall time to be as precise", note, rows, fields)


def _steady(rows: Sequence[Steady]) -> Table:
    fields = [
        (Column("Python", leading=True), lambda one: one.python),
        (Column("workload", leading=True), lambda one: one.workload),
        (Column("n", numeric=True), lambda one: say.count(one.tasks)),
        (Column("campaign", numeric=True), lambda one: one.ratio("campaign")),
        (Column("consecutive batches", numeric=True), lambda one: one.ratio("consecutive")),
        (
            Column("difference, percentage points", numeric=True),
            lambda one: f"{one.points_apart:+.1f}",
        ),
    ]
    less = [one for one in rows if one.tasks < max(BATCHES)]
    near = sum(abs(one.points_apart) <= NEAR_POINTS for one in less)
    note = (
        "TaskGroup / gather: in a campaign, and as the mean of consecutive batches in processes of "
        f"their own. Below {say.count(max(BATCHES))} tasks {near} of {len(less)} are within "
        f"{NEAR_POINTS} points. With more, gather becomes slower the longer its process has run."
    )
    return tables.make("The steady state", note, rows, fields)


# --- charts ---------------------------------------------------------------------------------------


def _sheet(
    shown: Shown,
    title: str,
    what: str,
    caption: str,
    *,
    titles: Sequence[str] = ("",),
    below: str = "",
    beside: str = "",
) -> Drawing:
    """A panel for each condition; a line of them for each title."""
    parts = [
        (tables.capital(f"{first}{_of(condition)}"), _frame(shown.of(condition).values()))
        for first in titles
        for condition in shown.conditions
    ]
    drawing = panels.sheet(
        panels.Grid(parts, columns=len(shown.conditions)),
        title, what, caption,
        panel_inches=2.9, key=list(shown.arms.items()), below=below, beside=beside,
        share_x=False,  # panels that share an axis share what is written there
    )  # fmt: skip
    return replace(drawing, caption=caption)


def _frame(summaries: Iterable[Summary]) -> pd.DataFrame:
    return pd.DataFrame([{"arm": one.arm, "error": one.error} for one in summaries])


def _errors(shown: Shown) -> Drawing:
    """Every trial's error."""
    work = shown.workloads[0]
    drawing = _sheet(
        shown,
        f"Error after {shown.setting.trial_seconds:g} s, {_label(work)}: "
        + ", ".join(f"{arm} {shown.span(arm, work)}" for arm in shown.arms),
        "How far the ratio of every trial is from the true value.",
        "A point for each trial; errors beyond the scale are drawn at its ends. The bar, and the "
        "number below, is the root mean square.",
        titles=[f"{_label(one)}, " for one in shown.workloads],
        beside="error, % (log scale)",
    )
    looks = shown.arms
    places = itertools.product(shown.workloads, shown.conditions)
    for axes, (workload, condition) in zip(drawing.axes, places, strict=True):
        axes.set_ylim(0.8 * _ERRORS[0], 1.25 * _ERRORS[1])
        axes.set_yscale("log")
        here, trials = shown.of(condition, workload), shown.trials(condition, workload)
        for place, (arm, summary) in enumerate(here.items()):
            errors = np.abs([one.error for one in trials[arm]])
            beside = place + np.linspace(-_JITTER, _JITTER, len(errors))
            axes.plot(
                beside, np.clip(errors, *_ERRORS), looks[arm].marker,
                color=looks[arm].light, ms=2.6, alpha=0.6, ls="", zorder=3,
            )  # fmt: skip
            axes.hlines(
                np.clip(summary.error, *_ERRORS),
                place - 0.36, place + 0.36,
                color=looks[arm].light, linewidth=1.6, zorder=4,
            )  # fmt: skip
        _write_below(axes, (_percent(one.error) for one in here.values()))
        panels.set_ticks(axes.yaxis, {one: f"{100 * one:g}" for one in (1e-4, 1e-3, 0.01, 0.1)})
        axes.grid(axis="y")
    return drawing


def _same(shown: Shown) -> Drawing:
    """How often two that are the same were told different."""
    every = [shown.of(condition) for condition in shown.conditions]
    told = {
        arm: _span((of[arm].told_different.value for of in every if arm in of), _whole)
        for arm in shown.arms
    }
    drawing = _sheet(
        shown,
        "False alarms, of which 5 % are expected: "
        + ", ".join(f"{arm} {span}" for arm, span in told.items()),
        "Share of trials that report a difference between two that are identical.",
        "The line through a mark is the exact 95 % interval of the share. The grey band, 2 to 8 %, "
        "is what was asked of this suite beforehand.",
        beside="% of trials",
    )
    most = max(one.told_different.ends[1] for of in every for one in of.values())
    for axes, condition in zip(drawing.axes, shown.conditions, strict=True):
        axes.axhspan(*(100 * end for end in HONEST), color=theme.LIGHT.floor, lw=0, zorder=0.4)
        here = shown.of(condition)
        for place, (arm, summary) in enumerate(here.items()):
            _point(axes, place, summary.told_different, shown.arms[arm])
        _write_below(axes, (_whole(one.told_different.value) for one in here.values()))
        axes.set_ylim(-2, 103 * most)  # a mark at 0 is whole
        axes.grid(axis="y")
    return drawing


def _power(shown: Shown) -> Drawing:
    """How often a slowdown is found, by its size."""
    drawing = _sheet(
        shown,
        _power_finding(shown),
        f"Share of trials of {shown.setting.trial_seconds:g} s that detect a slowdown.",
        "The line through a mark is the exact 95 % interval of the share.",
        below="slowdown",
        beside="% of trials",
    )
    for axes, condition in zip(drawing.axes, shown.conditions, strict=True):
        for number, (arm, summary) in enumerate(shown.of(condition).items()):
            places = np.arange(len(SLOWER)) + (number - (len(shown.arms) - 1) / 2) * 0.12
            axes.plot(
                places, [100 * one.value for one in summary.found],
                color=shown.arms[arm].light, linewidth=1.0, alpha=0.7, zorder=2,
            )  # fmt: skip
            for place, one in zip(places, summary.found, strict=True):
                _point(axes, float(place), one, shown.arms[arm])
        panels.set_ticks(axes.xaxis, {float(at): say.share(by) for at, by in enumerate(SLOWER)})
        axes.set(ylim=(-3, 103), xlim=(-0.5, len(SLOWER) - 0.5))
        axes.grid(axis="y")
    return drawing


def _power_finding(shown: Shown) -> str:
    said: list[str] = []
    for arm in shown.arms:
        every = (shown.of(condition) for condition in shown.conditions)
        ends = [here[arm].smallest_found for here in every if arm in here]
        worst = max(ends)
        found = say.share(worst) if math.isfinite(worst) else f"over {say.share(SLOWER[-1], 0)}"
        said.append(f"{arm} {found}")
    return f"Slowdown that 80 % of the trials detect, under every load: {', '.join(said)}"


def _write_below(axes: Axes, said: Iterable[str]) -> None:
    """A place for each arm, with its number there."""
    ticks = {float(place): text for place, text in enumerate(said)}
    axes.set_xlim(-0.6, len(ticks) - 0.4)
    panels.set_ticks(axes.xaxis, ticks)


def _point(axes: Axes, place: float, one: Share, mark: theme.Mark) -> None:
    low, high = one.ends
    axes.vlines(place, 100 * low, 100 * high, color=mark.light, linewidth=1.5, zorder=3)
    axes.plot([place], [100 * one.value], mark.marker, color=mark.light, ms=5, zorder=4)
