"""The decision guide: when to use what, each line with its measured reason.

What is advised follows from the verdicts of the contrasts: were they the other way round, the
advice would be. Where they do not decide, the guide says so; where nothing was measured, how to
measure it. Nothing is ranked by its estimate: what is significantly better than the reference of
its axis stands side by side.

Each topic is a function of a :class:`Setting`; settings that come to the same :class:`Choice` make
one :class:`Advice`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from analysis.judge import words
from analysis.judge.findings import Findings
from analysis.judge.verdicts import FASTER, MISSING, SAME, SLOWER, UNDECIDED
from analysis.judge.words import MEMORY, TIME, Thing, compared
from analysis.read.campaign import CONTROL
from benchmarks.campaign.schema import Case

Row: TypeAlias = Any
"""A row of a frame, its columns as attributes: a type checker cannot know them."""
Seen: TypeAlias = "dict[str, Row]"
"""Rows of what was counted of one contender in one case, by the name of what was."""
Item = TypeVar("Item")

STALL, CLEAN = "stall", "clean"
"""A probe, and the metric of a failure and of a cancellation: until no child is running."""
FINISHED, RAN_ON, CANCELLED = "siblings_finished", "siblings_ran_on", "siblings_cancelled"
LEFT_RUNNING: Final = "left_running"
FATES: Final[Mapping[str, str]] = {
    CANCELLED: "are cancelled",
    RAN_ON: "run on",
    FINISHED: "have finished",
    "siblings_never_started": "never start",
    LEFT_RUNNING: "run on",
}
PROGRAMS: Final[Mapping[str, tuple[str, str]]] = {
    "nobody_awaits": ("Await every task", "a task that nobody awaits"),
    "nobody_references": ("Keep a reference to every task", "a task that nothing refers to"),
}
"""What a program advises where it holds, and what it is about."""
ON: Final[Mapping[str, str]] = {"loop": "on", "task_factory": "with"}
"""What goes before a value of an axis, where that is not the strategy."""
WAITING: Final = Thing("makes other callbacks wait", "longer", "less", "as long", "the same time")

MEASURE, RUN_PROGRAMS = "make bench PRESET=question", "make witness"
OPEN: Final = "Not decided:"


@dataclass(frozen=True, slots=True)
class Setting:
    """One Python on one event loop of a campaign, and the rows of its frames; of the contrasts
    what was measured, in headline metrics, and is compared with the reference of its axis.
    ``usual`` are the plan's first task factory and collector.
    """

    findings: Findings
    python: str
    loop: str
    usual: Mapping[str, str]
    contrasts: Sequence[Row]
    absolutes: Sequence[Row]
    observations: Sequence[Row]

    @property
    def where(self) -> str:
        caveat = "" if self.findings.control.proven else " (unproven campaign)"
        return f"Python {self.python} on {self.label('loop', self.loop)}{caveat}"

    def label(self, kind: str, name: str) -> str:
        return self.findings.words.label(kind, name)

    def fits(self, row: Row, axis: str = "", *, fan_out: bool = True) -> bool:
        """Whether all is as usual off the axis, and the strategy does or does not fan out."""
        unusual = {name for name, value in self.usual.items() if getattr(row, name) != value}
        return unusual <= {axis} and self.findings.words.is_concurrent(row.strategy) == fan_out

    def single(self, axis: str, chosen: Callable[[Case], bool]) -> list[Row]:
        """The contrasts on an axis in single cases, those that are chosen."""
        ids = {case.id for case in self.findings.campaign.cases if chosen(case)}
        rows = [row for row in self.contrasts if row.axis == axis and row.case in ids]
        return [row for row in rows if self.fits(row, axis)]

    def observed(self, name: str) -> list[Seen]:
        """What was counted in the largest case that counts this, of each strategy."""
        cases = {row.case for row in self.observations if row.name == name}
        rows = [row for row in self.observations if row.case in cases and row.role != CONTROL]
        rows = largest(row for row in rows if self.fits(row))
        return [{row.name: row for row in of} for of in by(lambda row: row.strategy, rows)]

    def amount(self, of: Row, metric: str = "") -> str:
        """What a contender takes in a case, its headline metric unless another one is given."""
        rows = [row for row in self.absolutes if row.contender == of.contender]
        found = (row for row in rows if row.case == of.case)
        found = (row for row in found if (row.metric == metric if metric else row.headline))
        return next(map(amount, found), MISSING)


@dataclass(frozen=True, slots=True)
class Choice:
    """What one setting comes to on a topic: "``use`` when ``when``", because of the ``sentence``.

    ``contrasts`` are the rows (their index) that it follows from. Where it depends on what a task
    does, ``work`` says that and stands in ``when`` as {work}.
    """

    setting: Setting
    use: str
    when: str
    sentence: str
    decided: bool = True
    contrasts: Sequence[int] = ()
    work: str = ""

    def __str__(self) -> str:
        return f"{self.setting.where}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Advice:
    """One line of the guide: "``use`` when ``when``", and why.

    ``when`` is the whole condition: it names Pythons and event loops, unless it holds wherever the
    topic was measured. ``reason`` is the first of the ``evidence``, that of the newest Python;
    without any, it says how to measure. Where ``decided`` is False, ``use`` says what is open.
    """

    topic: str
    use: str
    when: str
    reason: str
    evidence: tuple[Choice, ...]
    decided: bool

    def __str__(self) -> str:
        return f"{self.use}{f' when {self.when}' if self.when else ''}: {self.reason}"


def guide(campaigns: Sequence[Findings]) -> list[Advice]:
    """The whole guide, topic by topic: at least one line for each.

    Where several campaigns say something of the same setting, the first one is followed.
    """
    settings = [setting for findings in campaigns for setting in _settings(findings)]
    settings.sort(key=lambda one: one.findings.words.order("python", one.python), reverse=True)
    lines: list[Advice] = []
    for title, topic in TOPICS.items():
        followed: dict[tuple[str, ...], Findings] = {}
        choices = []
        for choice in (choice for setting in settings for choice in topic(setting)):
            own = choice.setting
            question = (own.python, own.loop, choice.when, choice.work)
            if followed.setdefault(question, own.findings) is own.findings:
                choices.append(choice)
        how = f"run {RUN_PROGRAMS if topic is left_alone else MEASURE}"
        unmeasured = Advice(title, "Not measured here", "", how, (), decided=False)
        lines += _merged(title, choices) or [unmeasured]
    return lines


def _settings(findings: Findings) -> Iterator[Setting]:
    contenders = findings.campaign.contenders
    rows = findings.contrasts
    rows = rows[rows["default"] & rows["headline"] & ~rows["control"]]
    frames = (rows[rows["verdict"] != MISSING], findings.absolutes, findings.observations)
    in_frames = [list(frame.itertuples()) for frame in frames]
    for first in contenders[:1]:
        usual = {"task_factory": first.task_factory, "collector": first.collector}
        for place in dict.fromkeys((one.python, one.loop) for one in contenders):
            here = ([row for row in of if (row.python, row.loop) == place] for of in in_frames)
            yield Setting(findings, *place, usual, *here)


def _merged(title: str, choices: Sequence[Choice]) -> list[Advice]:
    """One advice for all settings that come to the same choice, and for all kinds of work that
    they come to it for; decided ones first.
    """
    groups: dict[tuple[bool, str, str, str], list[Choice]] = {}
    for alike in by(lambda one: (one.use, one.when, one.work), choices):
        first = alike[0]
        asked = [one.setting for one in choices if one.work == first.work]
        where = _where([one.setting for one in alike], asked)
        groups.setdefault((not first.decided, first.use, first.when, where), []).extend(alike)
    lines = []
    for (is_open, use, when, where), group in sorted(groups.items(), key=lambda one: one[0][0]):
        work = either(dict.fromkeys(choice.work for choice in group))
        whole = ", ".join(filter(None, (when.format(work=work), where)))
        lines.append(Advice(title, use, whole, str(group[0]), tuple(group), not is_open))
    return lines


def _where(group: Sequence[Setting], everywhere: Sequence[Setting]) -> str:
    """Which of the settings a group is, in as few words as it takes; nothing where it is all."""
    here, every = ({(one.python, one.loop) for one in of} for of in (group, everywhere))
    pythons = list(dict.fromkeys(one.python for one in reversed(group)))  # the oldest first
    if here == every:
        return ""
    if here == {place for place in every if place[0] in pythons}:
        return f"on Python {words.listed(pythons)}"
    parts = []
    order = group[0].findings.words.order
    for loop in sorted({one.loop for one in group}, key=lambda loop: order("loop", loop)):
        name = group[0].label("loop", loop)
        own = words.listed(python for python in pythons if (python, loop) in here)
        whole = {place for place in every if place[1] == loop} <= here
        parts.append(f"on {name}" if whole else f"on {name} with Python {own}")
    return words.listed(parts)


# --- topics ---------------------------------------------------------------------------------------


def for_work(
    setting: Setting, *, axis: str = "strategy", when: str = "", fan_out: bool = True
) -> Iterator[Choice]:
    """What to take for each kind of work, by the means over n of the probe that answers."""
    probe = setting.findings.words.probe
    rows = [row for row in setting.contrasts if (row.axis, row.scope) == (axis, "workload")]
    rows = [row for row in rows if setting.fits(row, axis, fan_out=fan_out)]
    rows = [row for row in rows if probe(row.probe).answers]
    for of in by(lambda row: (row.workload, axis == "strategy" or row.compared), rows):
        yield best(setting, of, f"{when}each coroutine {{work}}")


def in_between(setting: Setting, *, suspends: bool) -> Iterator[Choice]:
    """What it saves to create tasks before the caller awaits something else, or only computes; and
    what another task factory makes of that.
    """

    def saves(case: Case) -> bool:
        could_save = min(case.pause_seconds, case.work_seconds or 0.0)
        return could_save > 0 and case.pause_suspends == suspends

    what = "await something else" if suspends else "only compute"
    factory = setting.label("task_factory", setting.usual["task_factory"])
    when = f"you {what} before you join them"
    rows = setting.single("strategy", saves)
    if rows:
        yield best(setting, rows, f"{when}, with {factory}")
    for rows in by(lambda row: row.compared, setting.single("task_factory", saves)):
        yield best(setting, rows, f"{when}, and can choose the task factory")


def counted(
    setting: Setting, *, name: str, advise: Callable[[Seen], tuple[str, str]]
) -> Iterator[Choice]:
    """What the counts of a name advise: use, or do not use, these strategies, when."""
    for alike in by(advise, setting.observed(name)):
        use, when = advise(alike[0])
        said = []
        for row, seen in ((seen[name], seen) for seen in alike):
            known = f", the caller knows after {setting.amount(row)}" * (name == RAN_ON)
            fates = words.listed(
                f"{words.tally(seen[fate].value)} {what}"
                for fate, what in FATES.items()
                if fate in seen and seen[fate].high > 0
            )
            said.append(
                f"with {setting.label('strategy', row.strategy)}, of "
                f"{words.times(int(row.tasks), 'task')} {fates or 'none runs on'}{known}, and "
                f"nothing runs any more after {setting.amount(row, CLEAN)}"
            )
        names = either(setting.label("strategy", seen[name].strategy) for seen in alike)
        yield Choice(setting, f"{use} {names}", when, "; ".join(said), use != OPEN)


def others_wait(setting: Setting) -> Iterator[Choice]:
    """Which strategies let other callbacks have their turn, and what a smaller fan-out gains, where
    the intervals of both sizes lie apart.
    """
    every = setting.single("strategy", lambda case: case.probe == STALL)
    for large in largest(every)[:1]:
        few, tasks = min(every, key=lambda row: int(row.tasks)), words.count(large.tasks)
        when = f"other callbacks wait while {tasks} tasks run"
        yield best(setting, largest(every), when, WAITING)
        if few.reference_value_high < large.reference_value_low:
            said = (
                f"with {setting.label('strategy', large.against)} they wait "
                f"{amount(few, 'reference_value')} at most while {words.count(few.tasks)} tasks "
                f"run, and {amount(large, 'reference_value')} while {tasks} do"
            )
            when = "other callbacks must get their turn soon"
            yield Choice(
                setting, "Start fewer tasks at a time", when, said, True, [few.Index, large.Index]
            )


def held_in_memory(setting: Setting) -> Iterator[Choice]:
    """Which strategies need less memory for tasks that wait."""
    rows = setting.single("strategy", lambda case: case.unit(case.headline_metric) == "byte")
    rows = largest(rows)
    for first in rows[:1]:
        when = f"{words.count(first.tasks)} tasks wait at the same time and memory is short"
        yield best(setting, rows, when, MEMORY)


def other_collectors(setting: Setting) -> Iterator[Choice]:
    """Whether the choice of a strategy depends on the garbage collector."""
    usual = setting.usual["collector"]
    cases = [row for row in setting.contrasts if (row.axis, row.scope) == ("strategy", "case")]
    cases = [row for row in cases if row.task_factory == setting.usual["task_factory"]]
    groups = by(lambda row: (row.case, row.strategy), cases)
    verdicts = [{row.collector: row.verdict for row in group} for group in groups]
    for other in dict.fromkeys(row.compared for row in setting.single("collector", lambda _: True)):
        pairs = [{of[other], of[usual]} for of in verdicts if {other, usual} <= of.keys()]
        decided, turned = sum(UNDECIDED not in of for of in pairs), pairs.count({FASTER, SLOWER})
        use = "Choose the strategy for that" if turned else "Choose the same strategy"
        use = use if decided else f"{OPEN} whether the choice of a strategy changes"
        own, label = (setting.label("collector", name) for name in (other, usual))
        said = (
            f"of {words.times(len(pairs), 'comparison')} of strategies, {decided} are decided with "
            f"{own} as well as with {label}; {turned or 'none'} of them goes from faster to slower "
            "or back"
        )
        rows = [row.Index for row in cases if row.collector in (other, usual)]
        yield Choice(setting, use, f"you run with {own}", said, bool(decided), rows)


def left_alone(setting: Setting) -> Iterator[Choice]:
    """What becomes of tasks that nobody awaits or refers to."""
    witness = setting.findings.campaign.witness
    label = {one.name: one.label for one in setting.findings.campaign.interpreters}
    mine = (setting.python, setting.loop, setting.usual["task_factory"])
    for run in witness.runs if witness else ():
        place = (label.get(run.interpreter), run.loop, run.task_factory)
        if run.program in PROGRAMS and run.holds is not None and place == mine:
            use, what = PROGRAMS[run.program]
            use = use if run.holds else f"{OPEN} what becomes of {what}"
            expected = "" if run.holds else f"; expected was: {run.expected}"
            said = f"what becomes of {what}: {run.observed}{expected}"
            yield Choice(setting, use, "the task has to finish", said, run.holds)


def on_failure(seen: Seen) -> tuple[str, str]:
    """When a strategy is right, by what it does to the siblings of a child that fails."""
    never = {name for name, count in seen.items() if count.high == 0}
    always = {name for name, count in seen.items() if count.low > 0}
    if RAN_ON in never and CANCELLED in always:
        return "Use", "one failure makes the others pointless"
    if RAN_ON in always and CANCELLED in never:
        return "Use", "the others are to go on when one fails"
    if FINISHED in always and never >= {RAN_ON, CANCELLED}:
        return "Use", "the others are to end before you hear of the failure"
    return OPEN, "one of them may fail"


def on_cancellation(seen: Seen) -> tuple[str, str]:
    """Whether nothing runs on when the caller is cancelled."""
    left = seen[LEFT_RUNNING]
    use = "Use" if left.high == 0 else "Do not use" if left.low > 0 else OPEN
    return use, "cancelling the caller must stop all its tasks"


TOPICS: Final[Mapping[str, Callable[[Setting], Iterable[Choice]]]] = {
    "Joined at once": partial(for_work, when="you create the tasks and join them at once, and "),
    "Something awaited in between": partial(in_between, suspends=True),
    "Only computing in between": partial(in_between, suspends=False),
    "One after another, or all at once": partial(
        for_work, when="you may await them one by one, and ", fan_out=False
    ),
    "When one fails": partial(counted, name=RAN_ON, advise=on_failure),
    "When the caller is cancelled": partial(counted, name=LEFT_RUNNING, advise=on_cancellation),
    "Keeping the loop responsive": others_wait,
    "Memory": held_in_memory,
    "The task factory": partial(for_work, axis="task_factory"),
    "The event loop": partial(for_work, axis="loop"),
    "The garbage collector": other_collectors,
    "Tasks left alone": left_alone,
}


# --- from rows to a choice and its words ----------------------------------------------------------


def best(setting: Setting, rows: Sequence[Row], when: str, thing: Thing = TIME) -> Choice:
    """What to take where all ``rows``, of one value of an axis, are compared with one reference.

    Of two loops or task factories one, and with which strategies; else the strategies that are
    better in every case or, without any, the reference and those that are not worse, unless that
    is open.
    """
    first = rows[0]
    named: dict[str, list[str]] = {}
    for of in by(lambda row: row.strategy, rows):
        verdicts = {row.verdict for row in of}
        verdict = next(one for one in (SLOWER, UNDECIDED, SAME, FASTER) if one in verdicts)
        named.setdefault(verdict, []).append(setting.label("strategy", of[0].strategy))
    own, other = (setting.label(first.axis, name) for name in (first.compared, first.against))
    options = [other, *named.get(SAME, ()), *named.get(UNDECIDED, ())]
    use = either(named.get(FASTER) or options * (UNDECIDED not in named))
    if first.axis in ON:
        options = [own, other]
        use = words.listed(
            side if len(named) == 1 else f"{either(named[verdict])} {ON[first.axis]} {side}"
            for verdict, side in ((FASTER, own), (SLOWER, other))
            if verdict in named
        ) or either(options * (SAME in named))
    advice = f"Use {use}" if use else f"{OPEN} {either(options)}"
    work = does(setting, first) if "{work}" in when else ""
    said, ids = sentence(setting, rows, thing), [row.Index for row in rows]
    return Choice(setting, advice, when, said, bool(use), ids, work)


def sentence(setting: Setting, rows: Sequence[Row], thing: Thing) -> str:
    """Every strategy's verdict, and what one takes on the other side; in the last of the cases."""
    case = {case.id: case for case in setting.findings.campaign.cases}.get(rows[-1].case)
    shown = [row for row in rows if row.case == rows[-1].case]
    first = shown[0]
    own, other = (setting.label(first.axis, name) for name in (first.compared, first.against))
    reference, there, relation = other, "", "compared with it"
    if word := ON.get(first.axis):
        reference, there = setting.label("strategy", first.strategy), f" {word} {other}"
        relation = f"{word} {own}, compared with {other}"
    said = "; ".join(
        f"{setting.label('strategy', row.strategy)} {compared(row, thing)}" for row in shown
    )
    scope = f" ({words.times(int(first.cases), 'case')})"
    if case is not None:
        what = "awaited" if case.pause_suspends else "computed"
        pause = f", {words.tick(case.pause_seconds, 's')} {what} in between"
        scope = f", {words.times(case.tasks, 'task')}{pause * (case.pause_seconds > 0)}"
    cost = f"{thing.verb} {amount(first, 'reference_value')}{there}"
    workload = setting.label("workload", first.workload)
    return f"{workload}{scope}: {reference} {cost}; {relation}, {said}"


def does(setting: Setting, row: Row) -> str:
    """What a coroutine of the row's workload does: "returns at once"."""
    said = setting.findings.words.meaning("workload", row.workload)
    # The rest of a meaning, such as "6 levels of 6 branches", has no place in a list.
    [first, *_] = re.split("[:,]", said.removeprefix("each ").removeprefix("coroutine "))
    return first or f"does {setting.label('workload', row.workload)}"


def amount(row: Row, column: str = "value") -> str:
    """What a contender takes, with its interval."""
    value, low, high = (getattr(row, f"{column}{end}") for end in ("", "_low", "_high"))
    per_task = " per task" if row.unit != "s" else ""
    return f"{words.amount_interval(value, low, high, row.unit)}{per_task}"


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
