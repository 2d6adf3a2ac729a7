"""The decision table: in which situation to use what, what it gains, where it holds, and where not.

What is advised follows from the verdicts of the contrasts: were they the other way round, the
advice would be. What the verdicts leave open is no advice, and is named; "either" is one. Nothing
is ranked by its estimate: what is significantly better than the reference stands side by side.

Each situation is a function of a :class:`Setting`, one Python on one event loop; what most settings
come to is the decision, and the others are its exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, TypeAlias, TypeVar

from analysis.judge import words
from analysis.judge.contrasts import BOUNDS
from analysis.judge.findings import Findings, least_patterns
from analysis.judge.verdicts import FASTER, MISSING, SAME, SLOWER, UNDECIDED, WITHIN
from analysis.read.campaign import CONTROL, python_order
from benchmarks.campaign.schema import Case

Row: TypeAlias = Any
"""A row of a frame, its columns as attributes: a type checker cannot know them."""
Place: TypeAlias = "tuple[str, str]"
"""Python and event loop."""
Item = TypeVar("Item")

STALL: Final = "stall"
RAN_ON, CANCELLED, LEFT_RUNNING = "siblings_ran_on", "siblings_cancelled", "left_running"
"""What becomes of the others, by the names under which probes count them."""
MOST_CHARACTERS: Final = 80
"""Of where something holds: a longer list says no more than that the exceptions are apart."""
EITHER: Final = "either, choose by meaning"
OPEN: Final = "not decided"
WITH: Final = {"loop": "on", "task_factory": "with"}
"""The axes with two sides to choose from, and what goes before one of them."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one setting comes to: ``use`` this, "" where that is open. ``work`` is what the tasks
    do, where it matters; ``better`` are the rows of the contrasts that show a gain, or ``gain``
    says it. In the single cases ``but_in`` it is significantly the other way.
    """

    place: Place
    use: str
    better: tuple[Row, ...] = ()
    work: str = ""
    gain: str = ""
    proven: bool = True
    but_in: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A row of the table. ``gain`` and ``holds_on`` are about ``use``; ``exceptions`` names every
    other measured setting with what it comes to, "" where there is none.
    """

    situation: str
    use: str
    gain: str
    holds_on: str
    exceptions: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One Python on one event loop of a campaign, and the rows of its frames: of the contrasts what
    was measured, in headline metrics, and is compared with the reference of its axis; what limits
    cost apart, as ``bounds``.
    """

    findings: Findings
    place: Place
    contrasts: Sequence[Row]
    bounds: Sequence[Row]
    observations: Sequence[Row]

    def label(self, kind: str, name: str) -> str:
        return self.findings.words.label(kind, name)

    def fits(self, row: Row, *axes: str, fan_out: bool = True) -> bool:
        """Whether all is as usual off the axes, and the strategy does or does not fan out."""
        usual = self.findings.campaign.usual
        unusual = {name for name, value in usual.items() if getattr(row, name) != value}
        return unusual <= {*axes} and self.findings.words.is_concurrent(row.strategy) == fan_out

    def single(self, axis: str, chosen: Callable[[Case], bool]) -> list[Row]:
        """The contrasts on an axis in single cases, those that are chosen."""
        ids = {case.id for case in self.findings.campaign.cases if chosen(case)}
        rows = [row for row in self.contrasts if row.axis == axis and row.case in ids]
        return [row for row in rows if self.fits(row, axis)]

    def counted(self, name: str) -> Iterator[tuple[str, list[dict[str, Row]]]]:
        """What was counted in the largest cases that count this, of each strategy, after the work,
        where there are several.
        """
        cases = {row.case for row in self.observations if row.name == name}
        rows = [row for row in self.observations if row.case in cases and row.role != CONTROL]
        rows = largest(row for row in rows if self.fits(row))
        of_work = by(lambda row: row.workload, rows)
        for alike in of_work:
            work = self.label("workload", alike[0].workload) if len(of_work) > 1 else ""
            each = by(lambda row: row.strategy, alike)
            yield work, [{row.name: row for row in of} for of in each]

    def found(
        self,
        use: str,
        better: Iterable[Row] = (),
        work: str = "",
        gain: str = "",
        *,
        timed: bool = True,
    ) -> Found:
        """What it comes to; what was counted, not ``timed``, needs no proof by controls."""
        proven = self.findings.control.proven or not timed
        return Found(self.place, use, tuple(better), work, gain, proven)


def decisions(campaigns: Sequence[Findings]) -> list[Decision]:
    """The table: a row for each situation that was measured. Where several campaigns say something
    of the same setting and work, the first one is followed.
    """
    settings = [setting for findings in campaigns for setting in _settings(findings)]
    settings.sort(key=lambda one: python_order(one.place[0]), reverse=True)
    table = []
    for situation, topic in SITUATIONS.items():
        followed: dict[tuple[Place, str], Findings] = {}
        found = []
        for setting in settings:
            for one in topic(setting):
                key = (one.place, one.work)
                if followed.setdefault(key, setting.findings) is setting.findings:
                    found.append(one)
        if found:
            table.append(_decision(situation, found))
    return table


def _settings(findings: Findings) -> Iterator[Setting]:
    rows = findings.contrasts
    rows = rows[rows["default"] & rows["headline"] & ~rows["control"]]
    rows = rows[rows["verdict"] != MISSING]
    bounds = rows[rows["family"].str.startswith(BOUNDS)]
    frames = (rows[rows["limit"].isna()], bounds, findings.observations)
    in_frames = [list(frame.itertuples()) for frame in frames]
    for place in dict.fromkeys((one.python, one.loop) for one in findings.campaign.contenders):
        here = ([row for row in of if (row.python, row.loop) == place] for of in in_frames)
        yield Setting(findings, place, *here)


def _decision(situation: str, found: Sequence[Found]) -> Decision:
    groups = by(lambda one: one.use, found)
    decided = [of for of in groups if of[0].use]
    main = max(decided, key=len, default=[])  # of as many, that of the newest Python comes first
    others = sorted(
        (of for of in groups if of is not main), key=lambda of: (not of[0].use, -len(of))
    )
    exceptions = " · ".join(
        [*(f"{of[0].use or OPEN}: {_where(of, found)}" for of in others), *_but_in(main, found)]
    )
    if not main:
        return Decision(situation, OPEN, "", "", f"measure longer: {_where(found, found)}")
    unproven = "" if all(one.proven for one in main) else " (unproven)"
    holds_on = _where(main, found)
    if exceptions and len(holds_on) > MOST_CHARACTERS:
        holds_on = "all but the exceptions"
    return Decision(situation, main[0].use, _gain(main), f"{holds_on}{unproven}", exceptions)


def _but_in(main: Sequence[Found], found: Sequence[Found]) -> Iterator[str]:
    """The single cases in which it is the other way, by work and n."""
    cases: dict[tuple[str, int], set[Place]] = {}
    for one in main:
        for row in one.but_in:
            cases.setdefault((one.work, int(row.tasks)), set()).add(one.place)
    said = []
    for (work, tasks), places in sorted(cases.items()):
        where = _places(places, [one.place for one in found if one.work == work])
        said.append(f"{work} with n = {words.count(tasks)}{' on ' * bool(where)}{where}")
    if said:
        yield f"the other way in single cases: {'; '.join(said)}"


def _gain(found: Sequence[Found]) -> str:
    """By how much what is advised is better, over all settings and kinds of work."""
    said = list(dict.fromkeys(one.gain for one in found if one.gain))
    better = [row for one in found for row in one.better]
    if said or not better:
        return "; ".join(said) or "nothing: within 2 %"
    thing = "memory" if better[0].unit == "B" else "time"
    ratios = words.spans(min(row.ratio, 1 / row.ratio) for row in better)
    amounts = sorted(abs(row.difference) for row in better)
    first, last = (words.amount(amounts[place], better[0].unit) for place in (0, -1))
    (number, unit), (_, other) = first.split(), last.split()
    span = first if first == last else f"{number if unit == other else first} to {last}"
    return f"{ratios} {thing} ({span}{' a task' * (better[0].unit != 's')})"


def _where(found: Sequence[Found], every: Sequence[Found]) -> str:
    """Which of all settings and kinds of work these are, in as few words as it takes."""
    works = list(dict.fromkeys(one.work for one in every))
    parts: dict[str, list[str]] = {}
    for work in works:
        here = {one.place for one in found if one.work == work}
        if here:
            places = _places(here, [one.place for one in every if one.work == work])
            parts.setdefault(places, []).append(work)
    if len(parts) == 1 and len(*parts.values()) == len(works):
        return next(iter(parts)) or _everywhere(every)
    return "; ".join(
        f"{words.listed(of)}{' on ' * bool(places)}{places}" if any(of) else places
        for places, of in parts.items()
    )


def _everywhere(every: Sequence[Found]) -> str:
    pythons, loops = (list(dict.fromkeys(one.place[at] for one in every)) for at in (0, 1))
    named = _pythons(pythons[::-1], pythons[::-1])
    return ", ".join(filter(None, (named, words.listed(loops))))


def _places(here: set[Place], every: Sequence[Place]) -> str:
    """Pythons and loops, the oldest Python first; "" where it is all of them."""
    if here == set(every):
        return ""
    pythons = list(dict.fromkeys(python for python, _ in reversed(every)))
    chosen = [python for python in pythons if python in {place[0] for place in here}]
    if here == {place for place in every if place[0] in chosen}:
        return _pythons(chosen, pythons)
    parts = []
    for loop in dict.fromkeys(loop for _, loop in every):
        own = [python for python in pythons if (python, loop) in here]
        of_loop = [python for python in pythons if (python, loop) in every]
        if own:
            parts.append(loop if own == of_loop else f"{loop} ({_pythons(own, of_loop)})")
    return " and ".join(parts)


def _pythons(chosen: Sequence[str], every: Sequence[str]) -> str:
    """ "Python 3.11.7 to 3.14.10" where those follow one another, else their list."""
    first = every.index(chosen[0])
    if len(chosen) > 2 and list(every[first : first + len(chosen)]) == list(chosen):
        return f"Python {chosen[0]} to {chosen[-1]}"
    return f"Python {words.listed(chosen)}"


# --- situations -----------------------------------------------------------------------------------


def joined_at_once(
    setting: Setting, *, wanted: Callable[[Setting, Row], bool], fan_out: bool = True
) -> Iterator[Found]:
    """What to take for each kind of work, by the means over n of the probe that answers; where
    tasks make tasks, with each task factory, which changes what is best.
    """
    every = [row for row in _by_work(setting, "strategy", fan_out=fan_out) if wanted(setting, row)]
    for rows in by(lambda row: (row.workload, row.task_factory), every):
        found = _best(setting, rows, _with_factory(setting, rows[0]))
        yield replace(found, but_in=tuple(_turned(setting, found.better)))


def _turned(setting: Setting, means: Sequence[Row]) -> Iterator[Row]:
    """The single cases of these means that are significantly the other way."""
    turned = {(*_who(row), FASTER if row.verdict == SLOWER else SLOWER) for row in means}
    for row in setting.contrasts:
        is_case = (row.axis, row.scope) == ("strategy", "case")
        if is_case and (*_who(row), row.verdict) in turned:
            yield row


def _who(row: Row) -> tuple[str, ...]:
    """What a mean and its cases have in common."""
    return (row.probe, row.workload, row.strategy, row.task_factory, row.collector, row.pause)


def other_side(setting: Setting, *, axis: str) -> Iterator[Found]:
    """Whether to take another loop or task factory, for each kind of work."""
    every = _by_work(setting, axis)
    sides = len({row.compared for row in every})
    for rows in by(lambda row: (row.workload, row.compared, row.task_factory), every):
        first = rows[0]
        work = setting.label("workload", first.workload)
        if axis != "task_factory":
            work = _with_factory(setting, first)
        if sides > 1:
            work += f" ({setting.label(axis, first.compared)})"
        found = _side(setting, rows, work)
        # Of two loops, neither is where it holds.
        yield replace(found, place=(setting.place[0], "")) if axis == "loop" else found


def _with_factory(setting: Setting, row: Row) -> str:
    """The work, with its task factory where that is not the usual one."""
    work = setting.label("workload", row.workload)
    if row.task_factory == setting.findings.campaign.usual["task_factory"]:
        return work
    return f"{work} with {setting.label('task_factory', row.task_factory)}"


def _by_work(setting: Setting, axis: str, *, fan_out: bool = True) -> list[Row]:
    probe = setting.findings.words.probe
    rows = [row for row in setting.contrasts if (row.axis, row.scope) == (axis, "workload")]
    rows = [row for row in rows if probe(row.probe).answers]
    nested = {True: ("task_factory",), False: ()}
    return [
        row
        for row in rows
        if setting.fits(row, axis, *nested[fans_out(setting, row)], fan_out=fan_out)
    ]


def computes(setting: Setting, row: Row) -> bool:
    """Whether the time of a row's workload is that of the tasks."""
    return not waits(setting, row) and not fans_out(setting, row)


def waits(setting: Setting, row: Row) -> bool:
    """Whether it is mostly that of a timer or a network."""
    return bool(setting.findings.words.waits(row.workload))


def fans_out(setting: Setting, row: Row) -> bool:
    """Whether its tasks make tasks."""
    cases = setting.findings.campaign.cases
    return any(case.tasks_each > 1 for case in cases if case.workload == row.workload)


def in_between(setting: Setting) -> Iterator[Found]:
    """What it saves to create tasks before the caller awaits something else."""

    def saves(case: Case) -> bool:
        could_save = min(case.pause_seconds, case.work_seconds or 0.0)
        return could_save > 0 and case.pause_suspends

    rows = setting.single("strategy", saves)
    if rows:
        yield _best(setting, rows)


def on_failure(setting: Setting) -> Iterator[Found]:
    """What to use by what a strategy does to the siblings of a child that fails."""
    for work, every in setting.counted(RAN_ON):
        stops, goes_on, gain = [], [], "none is cancelled"
        for seen in every:
            row = seen[RAN_ON]
            never = {name for name, count in seen.items() if count.high == 0}
            always = {name for name, count in seen.items() if count.low > 0}
            if RAN_ON in never and CANCELLED in always:
                stops.append(setting.label("strategy", row.strategy))
                cancelled = words.tally(seen[CANCELLED].value)
                gain = f"{cancelled} of {words.count(int(row.tasks) - 1)} others are cancelled"
            elif RAN_ON in always and CANCELLED in never:
                goes_on.append(setting.label("strategy", row.strategy))
        parts = [f"to stop the others: {either(stops)}"] * bool(stops)
        parts += [f"to let them go on: {either(goes_on)}"] * bool(goes_on)
        yield setting.found("; ".join(parts), work=work, gain=gain, timed=False)


def on_cancellation(setting: Setting) -> Iterator[Found]:
    """What leaves nothing running when the caller is cancelled, and what does."""
    for work, every in setting.counted(LEFT_RUNNING):
        counted = [seen[LEFT_RUNNING] for seen in every]
        clean = [setting.label("strategy", row.strategy) for row in counted if row.high == 0]
        said = "; ".join(
            f"{setting.label('strategy', row.strategy)} leaves {words.tally(row.value)} of "
            f"{words.count(int(row.tasks))} running"
            for row in counted
            if row.low > 0
        )
        gain = said or "none runs on"
        yield setting.found(either(clean), work=work, gain=gain, timed=False)


def others_wait(setting: Setting) -> Iterator[Found]:
    """Which strategies let other callbacks have their turn in a large fan-out."""
    rows = largest(setting.single("strategy", lambda case: case.probe == STALL))
    if rows:
        yield _best(setting, rows)


def held_in_memory(setting: Setting) -> Iterator[Found]:
    """Which strategies need less memory for tasks that wait; with a limit, for all that there is to
    do.
    """
    rows = setting.single("strategy", lambda case: case.unit(case.headline_metric) == "byte")
    if rows:
        yield _best(setting, largest(rows), "without a limit")
    less = [row for row in setting.bounds if row.unit == "B" and row.verdict == FASTER]
    if patterns := _least_everywhere(less):
        better = [row for row in less if row.pattern in patterns]
        yield setting.found(_either(setting, patterns), better, "with a limit")


def within_limit(setting: Setting) -> Iterator[Found]:
    """Which patterns take least with a limit below n: those that do in every case or, without any,
    those of each case. The gain is over the pattern that takes most.
    """
    probe = setting.findings.words.probe
    rows = [row for row in setting.bounds if probe(row.probe).answers and row.limit < row.tasks]
    cases, patterns = _alike(rows), _least_everywhere(rows)
    if patterns and len(patterns) < len({row.pattern for row in rows}):
        gains = [_gained(of, patterns[0]) for of in cases]
        yield setting.found(_either(setting, patterns), gains)
        return
    for of in cases:
        least, work = least_patterns(of), _limited(setting, of)
        if len(least) < len(of):
            yield setting.found(_either(setting, least), [_gained(of, least[0])], work)
            continue
        alike = max(row.high for row in of) <= min(row.low for row in of) * (1 + WITHIN)
        yield setting.found(EITHER if alike else "", work=work)


def _gained(rows: Sequence[Row], pattern: str) -> SimpleNamespace:
    """What a pattern saves of the time of the one that takes most."""
    own = next(row for row in rows if row.pattern == pattern)
    most = max(rows, key=lambda row: row.ratio)
    return SimpleNamespace(
        ratio=own.ratio / most.ratio, difference=own.difference - most.difference, unit=own.unit
    )


def _alike(rows: Sequence[Row]) -> list[list[Row]]:
    """Patterns that did the same, with the same limit."""
    return by(lambda row: (row.case, row.limit), rows)


def _limited(setting: Setting, rows: Sequence[Row]) -> str:
    work = setting.label("workload", rows[0].workload)
    return f"{work}, {rows[0].limit} of {words.count(int(rows[0].tasks))} at a time"


def _least_everywhere(rows: Sequence[Row]) -> list[str]:
    """The patterns that are among the least in each case."""
    every = [least_patterns(of) for of in _alike(rows)]
    return [name for name in every[0] if all(name in least for least in every)] if every else []


def _either(setting: Setting, patterns: Iterable[str]) -> str:
    return either(setting.label("pattern", name) for name in patterns)


SITUATIONS: Final[Mapping[str, Callable[[Setting], Iterable[Found]]]] = {
    "Join at once; tasks compute": partial(joined_at_once, wanted=computes),
    "Join at once; tasks wait": partial(joined_at_once, wanted=waits),
    "Join at once; tasks fan out again": partial(joined_at_once, wanted=fans_out),
    "Await something before the join": in_between,
    "At most so many at a time": within_limit,
    "They may run one after another": partial(
        joined_at_once, wanted=lambda *_: True, fan_out=False
    ),
    "One of them may fail": on_failure,
    "The caller may be cancelled": on_cancellation,
    "Other callbacks must have their turn": others_wait,
    "Many wait and memory is short": held_in_memory,
    "The task factory is yours to choose": partial(other_side, axis="task_factory"),
    "The event loop is yours to choose": partial(other_side, axis="loop"),
}


# --- from rows to what to use ---------------------------------------------------------------------


def _best(setting: Setting, rows: Sequence[Row], work: str = "") -> Found:
    """What to take where all rows are compared with one reference: the strategies that are better
    in every case or, without any, the reference and those that are not worse, unless that is open.
    """
    named: dict[str, list[Row]] = {}
    for of in by(lambda row: row.strategy, rows):
        named.setdefault(_worst(of), []).extend(of)
    if FASTER in named:
        better = named[FASTER]
        return setting.found(either(_labels(setting, better)), better, work)
    if UNDECIDED in named:
        return setting.found("", (), work)
    if SLOWER not in named:
        return setting.found(EITHER, (), work)
    options = [setting.label("strategy", rows[0].against), *_labels(setting, named.get(SAME, ()))]
    slower = [row for row in named[SLOWER] if row.verdict == SLOWER]
    return setting.found(either(options), slower, work)


def _side(setting: Setting, rows: Sequence[Row], work: str) -> Found:
    """Which of two sides of an axis to take, and with which strategies."""
    named: dict[str, list[Row]] = {}
    for row in rows:
        named.setdefault(row.verdict, []).append(row)
    first = rows[0]
    own, other = (setting.label(first.axis, name) for name in (first.compared, first.against))
    of_verdict = ((FASTER, own), (SLOWER, other))
    sides = [(side, named[verdict]) for verdict, side in of_verdict if verdict in named]
    if not sides:
        return setting.found("" if UNDECIDED in named else EITHER, (), work)
    whole = len(sides) == 1 and UNDECIDED not in named
    use = words.listed(
        side if whole else f"{either(_labels(setting, of))} {WITH[first.axis]} {side}"
        for side, of in sides
    )
    return setting.found(use, [row for _, of in sides for row in of], work)


def _worst(rows: Sequence[Row]) -> str:
    verdicts = {row.verdict for row in rows}
    return next(one for one in (SLOWER, UNDECIDED, SAME, FASTER) if one in verdicts)


def _labels(setting: Setting, rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(setting.label("strategy", row.strategy) for row in rows))


def either(names: Iterable[str]) -> str:
    """ "a", "a or b", "a, b or c"."""
    return words.listed(names).replace(" and ", " or ")


def largest(rows: Iterable[Row]) -> list[Row]:
    """Those with the most tasks."""
    rows = list(rows)
    most = max((row.tasks for row in rows), default=0)
    return [row for row in rows if row.tasks == most]


def by(key: Callable[[Item], object], items: Iterable[Item]) -> list[list[Item]]:
    """The items in groups of equal keys, both in the order of their first."""
    groups: dict[object, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())
