"""The programs the question came with, as timelines: when each process is created, starts, sleeps
and finishes, and when the caller joins them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis import style
from analysis.plots import scales
from analysis.plots.registry import CannotDrawError, Look, chart
from analysis.plots.sheet import Margins, Plan, sheet

HEAD_START, TEN_SLEEPERS = "head_start", "ten_sleepers"
_MOST_PROCESSES: Final = 40
_MOST_PANELS: Final = 3
_ALPHA_ASLEEP: Final = 0.35
_LEAST_LABELLED: Final = 0.12
"""Share of the axis that a span of the caller must take for words to fit into it."""


@dataclass(frozen=True, slots=True)
class Story:
    """What a strategy's timeline tells; ``tasks`` has a row per process, in order of creation."""

    strategy: str
    tasks: pd.DataFrame
    join_begins: float
    joined: float

    @property
    def label(self) -> str:
        return style.label(self.strategy)

    @property
    def count(self) -> int:
        """How many processes there are."""
        return int(self.tasks["task"].nunique())

    @property
    def started(self) -> int:
        """How many had started when the join began."""
        return self._before("started")

    @property
    def finished(self) -> int:
        """How many had finished by then."""
        return self._before("finished")

    @property
    def at_once(self) -> int:
        """The most that were between their start and their finish at one time."""
        tasks = self.tasks.drop_duplicates("task")
        starts, ends = np.sort(tasks["started"]), np.sort(tasks["finished"])
        running = np.arange(1, len(starts) + 1) - np.searchsorted(ends, starts, side="right")
        return int(running.max(initial=0))

    def _before(self, moment: str) -> int:
        return int((self.tasks.drop_duplicates("task")[moment] < self.join_begins).sum())


def _of_program(name: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The rows of a program in one place: the newest release of CPython, on the first event loop
    and task factory in reading order that it has.
    """

    def select(frame: pd.DataFrame) -> pd.DataFrame:
        rows = scales.only(frame, program=name)
        if rows.empty:
            return rows
        pythons = scales.names(rows, "python")
        releases = [python for python in pythons if re.fullmatch(r"[\d.]+", python)]
        rows = scales.only(rows, python=(releases or pythons)[-1])
        rows = scales.only(rows, loop=scales.names(rows, "loop")[0])
        return scales.only(rows, task_factory=scales.names(rows, "task_factory")[0])

    return select


def _stories(rows: pd.DataFrame) -> list[Story]:
    """Of every strategy, in reading order."""
    stories = []
    for name in scales.names(rows, "strategy"):
        mine = scales.only(rows, strategy=name)
        joins = float(mine["join_begins"].iloc[0]), float(mine["joined"].iloc[0])
        stories.append(Story(name, mine, *joins))
    return stories


def _place(rows: pd.DataFrame) -> str:
    """The program and where it ran, in words."""
    first = rows.iloc[0]
    summary = str(first["summary"])
    where = f"Python {first['python']}, {style.label(str(first['loop']))}"
    return (
        f"{summary[:1].upper()}{summary[1:].rstrip('.')}. "
        f"{where}, {style.label(str(first['task_factory']))}."
    )


# --- the head start ------------------------------------------------------------------------------


def _head_start_stories(rows: pd.DataFrame) -> list[Story]:
    return _stories(rows)[:_MOST_PANELS]


def _head_start_finding(rows: pd.DataFrame) -> str:
    stories = _head_start_stories(rows)
    bare = [story for story in stories if story.strategy == style.BASELINE]
    tasks = [story for story in stories if story.strategy != style.BASELINE]
    if (
        bare
        and tasks
        and not any(story.started for story in bare)
        and all(story.finished == story.count for story in tasks)
    ):
        return (
            f"Created as tasks, all {tasks[0].count} are done before the caller joins them; as "
            "bare coroutines, none has even started"
        )
    return "Done before the caller joins: " + ", ".join(
        f"{story.finished} of {story.count} with {story.label}" for story in stories
    )


def _head_start_title(story: Story, look: Look) -> str:
    if story.finished == story.count:
        before = f"all {story.count} done"
    elif story.started:
        before = f"{story.started} started, {story.finished} done"
    else:
        before = "none started"
    results = "" if look.narrow else f", results after {style.seconds(story.joined)}"
    return f"{story.label}: {before} before the join{results}"


@chart(
    needs="timelines",
    place=19,
    select=_of_program(HEAD_START),
    heading="What do tasks do while the caller does something else?",
    caption=(
        "One run of a small program, as it was written down: each row is a process. The ring is "
        "where it is created, dots are the time in which it has not started, the bar is the time "
        "from its start to its finish, all of it asleep. The dashed line is where the caller "
        "begins to join them."
    ),
    finding=_head_start_finding,
)
def head_start_timeline(rows: pd.DataFrame, look: Look) -> Figure:
    """The five processes that get a head start, or do not: a panel per strategy."""
    stories = _head_start_stories(rows)
    return _draw(
        stories, look,
        title=_head_start_finding(rows), subtitle=_place(rows),
        titles=[_head_start_title(story, look) for story in stories], side_by_side=False,
    )  # fmt: skip


# --- the ten sleepers ----------------------------------------------------------------------------


def _ten_stories(rows: pd.DataFrame) -> list[Story]:
    """Two that run them at once, and one that does not to hold them against."""
    stories = _stories(rows)
    at_once = [story for story in stories if story.at_once > 1]
    in_turn = [story for story in stories if story.at_once <= 1]
    return [*at_once[: _MOST_PANELS - 1], *in_turn[:1]]


def _ten_finding(rows: pd.DataFrame) -> str:
    stories = _ten_stories(rows)
    together = [story for story in stories if story.at_once == story.count]
    in_turn = [story for story in stories if story.at_once <= 1]
    if len(together) > 1:
        least, most = (style.seconds(end(s.joined for s in together)) for end in (min, max))
        took = " to ".join(dict.fromkeys((least, most)))
        one_by_one = f", one after another in {style.seconds(in_turn[0].joined)}" if in_turn else ""
        return (
            f"Gathered with or without create_task, all {together[0].count} run at once: "
            f"done in {took}{one_by_one}"
        )
    return "Running at once: " + ", ".join(
        f"{story.at_once} of {story.count} with {story.label}" for story in stories
    )


@chart(
    needs="timelines",
    place=18,
    select=_of_program(TEN_SLEEPERS),
    heading="Does create_task make gather more concurrent?",
    caption=(
        "One run of a small program, as it was written down: each row is a process, its bar the "
        "time from its start to its finish. The same panel twice means that it makes no difference "
        "who makes the tasks."
    ),
    finding=_ten_finding,
)
def ten_sleepers_timeline(rows: pd.DataFrame, look: Look) -> Figure:
    """The ten processes that sleep: a panel per strategy, side by side."""
    stories = _ten_stories(rows)
    return _draw(
        stories, look,
        title=_ten_finding(rows), subtitle=_place(rows),
        titles=[
            f"{story.label}: {story.at_once} at once, {style.seconds(story.joined)}"
            for story in stories
        ],
        side_by_side=True,
    )  # fmt: skip


# --- drawing -------------------------------------------------------------------------------------


def _draw(
    stories: Sequence[Story],
    look: Look,
    *,
    title: str,
    subtitle: str,
    titles: Sequence[str],
    side_by_side: bool,
) -> Figure:
    most = max(story.count for story in stories)
    if most > _MOST_PROCESSES:
        raise CannotDrawError(f"{most} processes are too many for a picture")
    across = side_by_side and not look.narrow
    plan = Plan(
        title=title,
        subtitle=subtitle,
        legend=_legend(look),
        rows=1 if across else len(stories),
        columns=len(stories) if across else 1,
        panel_height=0.17 * (most + 1) + 0.1,
        first=Margins(left=0.85, right=0.15, top=0.3, bottom=0.42),
        inner=Margins(left=0.1, right=0.1, top=0.32, bottom=0.1),
    )
    figure, panels = sheet(look, plan)
    flat = [axes for line in panels for axes in line]
    end = max(
        float(np.nanmax([story.joined, *story.tasks["finished"].tolist()])) for story in stories
    )
    colours = style.marks([story.strategy for story in stories])
    for index, (axes, story, words) in enumerate(zip(flat, stories, titles, strict=True)):
        axes.set_xlim(-0.015 * end, 1.02 * end)
        axes.set_ylim(story.count + 0.5, -0.6)
        panel = _Panel(axes, end, look)
        _caller(panel, story)
        _processes(panel, story, colours[story.strategy].colour(look.theme))
        scales.panel_title(axes, words, look)
        axes.set_yticks(
            range(story.count + 1),
            ["caller", *(f"process {name}" for name in story.tasks["task"].unique())],
        )
        axes.tick_params(axis="y", length=0, labelsize=8, labelleft=index == 0 or not across)
        axes.tick_params(axis="x", labelbottom=across or index == len(flat) - 1)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} s" if value else "0")
        axes.locator_params(axis="x", nbins=4 if look.narrow or across else 7)
        axes.grid(axis="x")
    for axes in flat if across else flat[-1:]:
        axes.set_xlabel("time since launch")
    return figure


@dataclass(frozen=True, slots=True)
class _Panel:
    """One panel; the time axis goes to ``end``."""

    axes: Axes
    end: float
    look: Look

    def say(self, span: tuple[float, float], place: int, words: str, ground: str = "none") -> None:
        """Words in the middle of a span, if it is long enough for them."""
        start, until = span
        if until - start < _LEAST_LABELLED * self.end:
            return
        self.axes.text(
            (start + until) / 2, place, words,
            ha="center", va="center", fontsize=7.5, color=self.look.theme.ink, zorder=5,
            bbox={"facecolor": ground, "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip

    def bars(
        self, spans: Iterable[tuple[float, float]], place: int, colour: str, alpha: float = 1.0
    ) -> None:
        """A bar for every span."""
        lengths = [(start, until - start) for start, until in spans]
        height = 2 * _HALF_BAR
        self.axes.broken_barh(
            lengths, (place - _HALF_BAR, height), color=colour, alpha=alpha, linewidth=0, zorder=2
        )


def _caller(panel: _Panel, story: Story) -> None:
    """The caller's row: what it does before the join, the join, and where one turns into the
    other.
    """
    theme = panel.look.theme
    for span, colour, words in (
        ((0.0, story.join_begins), theme.band, "awaits something else"),
        ((story.join_begins, story.joined), theme.rule, "joins"),
    ):
        if span[0] < span[1]:  # NaN is neither
            panel.bars([span], 0, colour)
            panel.say(span, 0, words)
    if np.isfinite(story.join_begins):
        panel.axes.axvline(story.join_begins, color=theme.ink, **_JOIN, zorder=3)


def _processes(panel: _Panel, story: Story, colour: str) -> None:
    theme = panel.look.theme
    for place, (_, mine) in enumerate(story.tasks.groupby("task", sort=False), start=1):
        created, started, finished = (float(mine[name].iloc[0]) for name in _MOMENTS)
        panel.axes.plot([created, started], [place, place], color=theme.soft_ink, **_WAITING)
        asleep = list(zip(mine["asleep_from"].tolist(), mine["asleep_to"].tolist(), strict=True))
        moments = [started, *(moment for span in asleep for moment in span), finished]
        panel.bars(asleep, place, colour, _ALPHA_ASLEEP)
        panel.bars(zip(moments[::2], moments[1::2], strict=True), place, colour)
        panel.axes.vlines(
            [started, finished], place - _HALF_BAR, place + _HALF_BAR,
            color=colour, linewidth=1.6, zorder=3,
        )  # fmt: skip
        panel.axes.plot([created], [place], **_created(panel.look), zorder=4)
        if place == (story.count + 1) // 2:  # what is said once is true of all
            panel.say((created, started), place, "created, but not started", theme.background)
            for span in asleep:
                panel.say(span, place, "asleep")


_MOMENTS: Final = ("created", "started", "finished")


_HALF_BAR: Final = 0.33
_WAITING: Final[dict[str, Any]] = {"linewidth": 1.0, "linestyle": (0, (1, 2))}
_JOIN: Final[dict[str, Any]] = {"linewidth": 1.1, "linestyle": (0, (4, 2))}


def _created(look: Look) -> dict[str, Any]:
    return {
        "marker": "o",
        "markersize": 4.5,
        "linestyle": "",
        "color": look.theme.ink,
        "markerfacecolor": look.theme.background,
    }


def _legend(look: Look) -> list[Line2D | Patch]:
    ink = look.theme.ink
    return [
        Line2D([], [], **_created(look), label="created"),
        Line2D([], [], color=look.theme.soft_ink, **_WAITING, label="not started"),
        Patch(color=ink, alpha=_ALPHA_ASLEEP, linewidth=0, label="asleep, from start to finish"),
        Line2D([], [], color=ink, **_JOIN, label="the join begins"),
    ]
