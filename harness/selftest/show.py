"""Trials -> the files of a page, in memory: tables, charts, HTML and Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

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
from harness.steady import Steady

HONEST = (0.02, 0.08)
"""What a test at 5 % may say of pairs that are the same."""
_NOTE = (
    "Shares with their exact 95 % intervals. Error: root mean square of ln(ratio) less its truth."
)
_JITTER = 0.26
_ERRORS = (1e-4, 0.30)
"""Those that are less or more are drawn at the edge."""


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a page is made of: the setting, its trials, their summaries, the steady state."""

    setting: Setting
    done: Sequence[Done]
    summaries: Sequence[Summary]
    steady: Sequence[Steady]

    @property
    def arms(self) -> Mapping[str, theme.Mark]:
        """A mark for each arm; ours is drawn as what all others are compared with."""
        names = {one.arm for one in self.summaries}
        return theme.marks(name for name in (OURS, *ARMS) if name in names)

    def of(self, condition: str) -> Mapping[str, Summary]:
        """The summaries in one condition, by arm, in the order of the marks."""
        here = {one.arm: one for one in self.summaries if one.condition == condition}
        return {arm: here[arm] for arm in self.arms if arm in here}

    def errors(self, arm: str) -> Sequence[float]:
        """Of one arm, in each condition."""
        return [one.error for one in self.summaries if one.arm == arm]

    @property
    def conditions(self) -> Sequence[str]:
        return [name for name in CONDITIONS if self.of(name)]


def shown_of(setting: Setting, done: Sequence[Done], steady: Sequence[Steady]) -> Shown:
    """What there is to show of these trials."""
    pairs = dict.fromkeys((one.arm, one.condition) for one in done)
    return Shown(setting, done, [summarise(*pair, done) for pair in pairs], steady)


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
        "works": [_first_line(work).rstrip(".") for work in (sums, fan_outs)],
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
    ours, (_, *others) = summarise(OURS, None, shown.done), shown.arms
    beside = "".join(f"; {arm} by {_span(shown.errors(arm))}" for arm in others)
    error = f"{OURS} is off by {_span(shown.errors(OURS))} (root mean square{beside})"
    same, covered = (
        f"{_plain(one)} trials, {_said(one)}" for one in (ours.told_different, ours.covered)
    )
    beyond = f"beyond its floor of {say.share(FLOOR)} in {_plain(ours.beyond_floor)}"
    found = (f"{say.share(by)} in {_said(one)}" for by, one in zip(SLOWER, ours.found, strict=True))
    return [
        f"After {shown.setting.trial_seconds:g} s the ratio of {error}.",
        f"It told two that are the same different in {same}; {beyond}.",
        f"Its 95 % intervals had the truth in {covered}.",
        f"It found slowdowns of {say.listed(found)} of the trials.",
    ]


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
    return "machine as it is" if not CONDITIONS[condition] else f"beside a {condition}"


def _first_line(of: Callable[..., object]) -> str:
    return (of.__doc__ or "").partition("\n")[0]


def _said(one: Share) -> str:
    low, high = one.ends
    return f"{100 * one.value:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


# --- tables ---------------------------------------------------------------------------------------


def overview(shown: Shown) -> Table:
    """Every way in every condition, by what matters most."""
    rows = [one for condition in shown.conditions for one in shown.of(condition).values()]

    def beside_ours(one: Summary) -> str:
        ours = shown.of(one.condition).get(OURS)
        return f"{one.error / ours.error:.0f}" if ours and ours.error and one != ours else ""

    def found(by: float) -> Field:
        at = SLOWER.index(by)
        return Column(f"found: {say.share(by)} slower", numeric=True), lambda one: _plain(
            one.found[at]
        )

    fields: list[Field] = [
        (Column("condition", leading=True), lambda one: tables.capital(_of(one.condition))),
        (Column("way"), lambda one: one.arm),
        (Column("error", numeric=True), lambda one: _percent(one.error)),
        (Column(f"times that of {OURS}", numeric=True), beside_ours),
        (Column("same, told different", numeric=True), lambda one: _said(one.told_different)),
        (Column("truth in the interval", numeric=True), lambda one: _said(one.covered)),
        found(0.01),
        found(0.02),
    ]
    return tables.make("At a glance", _NOTE, rows, fields)


def _table(shown: Shown, condition: str) -> Table:
    fields = [
        (Column("way", leading=True), lambda one: one.arm),
        (Column("trials", numeric=True), lambda one: say.count(one.trials)),
        (Column("same, told different", numeric=True), lambda one: _said(one.told_different)),
        (
            Column(f"same, beyond ±{say.share(FLOOR)}", numeric=True),
            lambda one: _said(one.beyond_floor),
        ),
        (Column("truth in the interval", numeric=True), lambda one: _said(one.covered)),
        *(
            (
                Column(f"found: {say.share(by)} slower", numeric=True),
                lambda one, index=index: _plain(one.found[index]),
            )
            for index, by in enumerate(SLOWER)
        ),
        (
            Column("smallest found in 80 %", numeric=True),
            lambda one: (
                say.share(one.smallest_found)
                if math.isfinite(one.smallest_found)
                else f"over {say.share(SLOWER[-1], 0)}"
            ),
        ),
        (Column("wrong sign", numeric=True), lambda one: _plain(one.wrong_signs)),
        (Column("undecided", numeric=True), lambda one: _plain(one.undecided)),
        (Column("error", numeric=True), lambda one: _percent(one.error)),
        (Column("half-width", numeric=True), lambda one: _percent(one.half_width)),
        (Column("seconds", numeric=True), lambda one: f"{one.seconds:.1f}"),
    ]
    note = f"{_NOTE} Half-width and seconds: medians of the trials."
    return tables.make(tables.capital(_of(condition)), note, shown.of(condition).values(), fields)


def _plain(one: Share) -> str:
    return f"{one.hits} of {one.trials}"


def _savings(shown: Shown) -> Table:
    rows = []
    for condition in shown.conditions:
        here = shown.of(condition)
        for arm, one in here.items():
            ours = here.get(OURS)
            if arm != OURS and ours is not None:
                rows.append((condition, one, ours))
    fields = [
        (Column("condition", leading=True), lambda row: tables.capital(_of(row[0]))),
        (Column("way"), lambda row: row[1].arm),
        (
            Column("time for ±1 %", numeric=True),
            lambda row: say.duration(row[1].seconds_for_one_percent),
        ),
        (
            Column(f"time of {OURS}", numeric=True),
            lambda row: f"{row[2].seconds_for_one_percent:.1f} s",
        ),
        (
            Column("times as long", numeric=True),
            lambda row: (
                f"{row[1].seconds_for_one_percent / row[2].seconds_for_one_percent:,.0f}"
                if row[1].is_valid and row[2].is_valid
                else "not comparable: its intervals miss the truth too often"
            ),
        ),
    ]
    note = "An interval narrows with the root of the time: half-width squared times seconds."
    return tables.make("Wall time for an interval of ±1 %", note, rows, fields)


def _steady(rows: Sequence[Steady]) -> Table:
    fields = [
        (Column("Python", leading=True), lambda one: one.python),
        (Column("workload", leading=True), lambda one: one.workload),
        (Column("n", numeric=True), lambda one: say.count(one.tasks)),
        (Column("campaign", numeric=True), lambda one: one.ratio("campaign")),
        (Column("consecutive batches", numeric=True), lambda one: one.ratio("consecutive")),
        (Column("points apart", numeric=True), lambda one: f"{one.points_apart:+.1f}"),
    ]
    note = "TaskGroup / gather; pairs of processes of their own, one after the other."
    return tables.make("The steady state", note, rows, fields)


# --- charts ---------------------------------------------------------------------------------------


def _sheet(
    shown: Shown, title: str, what: str, caption: str, *, below: str = "", beside: str = ""
) -> Drawing:
    """A panel for each condition, with its summaries as rows."""
    parts = [
        (tables.capital(_of(condition)), _frame(shown.of(condition).values()))
        for condition in shown.conditions
    ]
    drawing = panels.sheet(
        panels.Grid(parts, columns=len(parts)),
        title, what, caption,
        panel_inches=2.9, key=list(shown.arms.items()), below=below, beside=beside,
        share_x=False,  # panels that share an axis share what is written there
    )  # fmt: skip
    return replace(drawing, caption=caption)


def _frame(summaries: Iterable[Summary]) -> pd.DataFrame:
    return pd.DataFrame([{"arm": one.arm, "error": one.error} for one in summaries])


def _errors(shown: Shown) -> Drawing:
    """Every trial's error."""
    drawing = _sheet(
        shown,
        f"Off the truth after {shown.setting.trial_seconds:g} s: "
        + ", ".join(f"{arm} {_span(shown.errors(arm))}" for arm in shown.arms),
        "Error of every trial: how far what it said of the ratio is from the truth.",
        "A point for each trial; those below 0.01 % are drawn there. The truth is the slowdown "
        "that was planted. The bar, and the number below, is the root mean square.",
        beside="error, % (log scale)",
    )
    looks = shown.arms
    for axes, condition in zip(drawing.axes, shown.conditions, strict=True):
        axes.set_ylim(0.8 * _ERRORS[0], 1.25 * _ERRORS[1])
        axes.set_yscale("log")
        here = shown.of(condition)
        for place, (arm, summary) in enumerate(here.items()):
            errors = np.abs([
                one.error
                for one in shown.done
                if (one.arm, one.condition) == (arm, condition)
            ])  # fmt: skip
            beside = place + np.linspace(-_JITTER, _JITTER, len(errors))
            axes.plot(
                beside, np.clip(errors, *_ERRORS), looks[arm].marker,
                color=looks[arm].light, ms=2.6, alpha=0.6, ls="", zorder=3,
            )  # fmt: skip
            axes.hlines(
                np.clip(summary.error, *_ERRORS), place - 0.36, place + 0.36,
                color=looks[arm].light, linewidth=1.6, zorder=4,
            )  # fmt: skip
        _write_below(axes, (_percent(one.error) for one in here.values()))
        panels.set_ticks(axes.yaxis, {one: f"{100 * one:g}" for one in (1e-4, 1e-3, 0.01, 0.1)})
        axes.grid(axis="y")
    return drawing


def _same(shown: Shown) -> Drawing:
    """How often two that are the same were told different."""
    told = {
        arm: [one.told_different.value for one in shown.summaries if one.arm == arm]
        for arm in shown.arms
    }
    drawing = _sheet(
        shown,
        "Two that are the same, told different (5 % is honest): "
        + ", ".join(f"{arm} {_span(of, _whole)}" for arm, of in told.items()),
        "Share of trials in which the baseline differs significantly from itself.",
        "The line through a mark is the exact 95 % interval of the share. The grey band is where a "
        "test at 5 % should be.",
        beside="% of trials",
    )
    for axes, condition in zip(drawing.axes, shown.conditions, strict=True):
        axes.axhspan(*(100 * end for end in HONEST), color=theme.LIGHT.floor, lw=0, zorder=0.4)
        here = shown.of(condition)
        for place, (arm, summary) in enumerate(here.items()):
            _point(axes, place, summary.told_different, shown.arms[arm])
        _write_below(axes, (_whole(one.told_different.value) for one in here.values()))
        axes.set_ylim(0, 100)
        axes.grid(axis="y")
    return drawing


def _power(shown: Shown) -> Drawing:
    """How often a slowdown is found, by its size."""
    drawing = _sheet(
        shown,
        _power_finding(shown),
        f"Share of trials of {shown.setting.trial_seconds:g} s that say it is slower, by how much "
        "slower it is.",
        "The line through a mark is the exact 95 % interval of the share.",
        below="slower by",
        beside="% of trials",
    )
    for axes, condition in zip(drawing.axes, shown.conditions, strict=True):
        for number, (arm, summary) in enumerate(shown.of(condition).items()):
            places = np.arange(len(SLOWER)) + (number - 1.5) * 0.12
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
        ends = [
            one.smallest_found
            for condition in shown.conditions
            if (one := shown.of(condition).get(arm)) is not None
        ]
        worst = max(ends)
        found = f"{say.share(worst)}" if math.isfinite(worst) else "not even 5 %"
        said.append(f"{arm} {found}")
    return f"Smallest slowdown found in 80 % of the trials, everywhere: {', '.join(said)}"


def _write_below(axes: Axes, said: Iterable[str]) -> None:
    """A place for each arm, with its number there."""
    ticks = {float(place): text for place, text in enumerate(said)}
    axes.set_xlim(-0.6, len(ticks) - 0.4)
    panels.set_ticks(axes.xaxis, ticks)


def _point(axes: Axes, place: float, one: Share, mark: theme.Mark) -> None:
    low, high = one.ends
    axes.vlines(place, 100 * low, 100 * high, color=mark.light, linewidth=1.5, zorder=3)
    axes.plot([place], [100 * one.value], mark.marker, color=mark.light, ms=5, zorder=4)
