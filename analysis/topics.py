"""The topics of the decision guide: what each asks of a setting, and the sentences it answers with.

A topic is a function of a setting that yields what the cells come to, or nothing where they were
not measured. Sentences have their figures from cells, and their words from the verdicts on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from analysis import style
from analysis.campaign import Case, Contender
from analysis.choices import MEMORY as LESS_MEMORY
from analysis.choices import (
    WAITING,
    Choice,
    Setting,
    by_workload,
    clause,
    either,
    in_order,
    largest,
    of_cases,
    per_task,
    rank,
    ranked_choice,
    seconds,
    takes,
    work,
)
from analysis.contrasts import CellReference, Ratio
from analysis.head_start import PROBE as HEAD_START
from analysis.plain import is_averaged
from analysis.verdicts import FASTER, SAME, SLOWER, UNDECIDED

MEASURE: Final = "make bench PRESET=question"
BEAR_WITNESS: Final = "python -m benchmarks witness"

STALL, FAILURE, CANCEL, MEMORY = "stall", "failure", "cancel", "memory"
CLEAN: Final = "clean"
"""The metric of a failure and of a cancellation: until no child is running."""
FINISHED, RAN_ON = "siblings_finished", "siblings_ran_on"
CANCELLED, NEVER_STARTED = "siblings_cancelled", "siblings_never_started"
LEFT_RUNNING: Final = "left_running"
UNCLEAR: Final = "one of them may fail"
"""Said of strategies that treat the siblings now so, now so."""
CUT_OFF, COLLECTED = "nobody_awaits", "nobody_references"
"""Programs that bear witness to what becomes of a task that is left alone."""


@dataclass(frozen=True, slots=True)
class Topic:
    """``how_to_measure`` is the command for those who have no cells for it."""

    title: str
    choices: Callable[[Setting], Iterable[Choice]]
    how_to_measure: str = MEASURE


def joined_at_once(setting: Setting) -> Iterator[Choice]:
    """Which strategy is cheapest where nothing stands between creating and joining."""
    cases = [case for case in setting.throughput() if is_averaged(case)]
    ranking = rank(setting, cases)
    if ranking is not None:
        mean = setting.measured.mean_per_task(ranking.best, cases)
        cost = f"{{name}} takes {per_task(mean)} ({of_cases(mean.cases if mean else 0)})"
        yield from ranked_choice(setting, ranking, "you create them and join them at once", cost)


def awaited_between(setting: Setting) -> Iterator[Choice]:
    """What it saves to create tasks before something else is awaited."""
    cases = setting.cases(HEAD_START, lambda case: case.pause_suspends and _could_save(case) > 0)
    yield from _head_start(setting, cases, "you await something else before you join them")


def computed_between(setting: Setting) -> Iterator[Choice]:
    """The same where the caller computes instead; and what another task factory makes of it."""
    cases = setting.cases(
        HEAD_START, lambda case: not case.pause_suspends and _could_save(case) > 0
    )
    yield from _head_start(setting, cases, "you only compute before you join them")
    for factory, contenders in setting.siblings("task_factory").items():
        ratios = setting.measured.ratios(_fan_outs(contenders), setting.counterpart, cases)
        faster = _of_every_case(ratios, FASTER)
        if not ratios:
            continue
        label = style.label(factory)
        shown = _most_telling([one for one in ratios if not faster or one.subject in faster])
        open_ = not faster and any(one.verdict == UNDECIDED for one in ratios)
        names = either([style.label(one.strategy) for one in faster])
        yield Choice(
            use=f"Use {label} with {names}"
            if faster
            else f"Not decided: {label}"
            if open_
            else f"Do not count on {label}",
            when="you only compute before you join them, and they are to start meanwhile",
            sentence=f"with {_lengths(shown.cases[0])}, {_instead(setting, shown)}",
            cells=setting.cells(ratios),
            decided=not open_,
        )


def one_fails(setting: Setting) -> Iterator[Choice]:
    """What becomes of the others when one fails, and when the caller is rid of them."""
    cases = largest(setting.cases(FAILURE))
    seen = _counted(setting, cases)
    fates: dict[str, list[Contender]] = {}
    for contender in setting.fan_outs:
        if RAN_ON in seen.get(contender.id, {}):
            fates.setdefault(_fate(seen[contender.id]), []).append(contender)
    for when, contenders in fates.items():
        names = either([style.label(one.strategy) for one in contenders])
        yield Choice(
            use=f"Use {names}" if when != UNCLEAR else f"Not decided: {names}",
            when=when,
            sentence="; ".join(_siblings(setting, one, cases, seen[one.id]) for one in contenders),
            cells=_until_clean(setting, contenders, cases),
            decided=when != UNCLEAR,
        )


def caller_cancelled(setting: Setting) -> Iterator[Choice]:
    """Which strategies leave nothing running when the caller is cancelled."""
    cases = largest(setting.cases(CANCEL))
    seen = _counted(setting, cases)
    counted = [one for one in setting.fan_outs if LEFT_RUNNING in seen.get(one.id, {})]
    clean = [one for one in counted if seen[one.id][LEFT_RUNNING].high == 0]
    left = [one for one in counted if seen[one.id][LEFT_RUNNING].low > 0]
    open_ = [one for one in counted if one not in clean and one not in left]
    for contenders, use in ((clean, "Use"), (left, "Do not use"), (open_, "Not decided:")):
        if contenders:
            names = either([style.label(one.strategy) for one in contenders])
            yield Choice(
                use=f"{use} {names}",
                when="cancelling the caller must stop them all",
                sentence="; ".join(
                    f"with {style.label(one.strategy)}, "
                    f"{style.significant(seen[one.id][LEFT_RUNNING].value)} of "
                    f"{style.count(cases[0].tasks)} run on after the caller is cancelled; nothing "
                    f"runs any more after {seconds(clean_after)}"
                    for one in contenders
                    for clean_after in setting.measured.amounts([one], cases[:1], CLEAN)
                ),
                cells=_until_clean(setting, contenders, cases),
                decided=contenders is not open_,
            )


def others_wait(setting: Setting) -> Iterator[Choice]:
    """Which strategy lets other callbacks have their turn, and what a smaller fan-out gains."""
    every = setting.cases(STALL)
    most = largest(every)
    ranking = rank(setting, most)
    if ranking is None:
        return
    [at_most, *_] = setting.measured.amounts([ranking.best], most)
    yield from ranked_choice(
        setting,
        ranking,
        "other callbacks must get their turn",
        f"with {style.count(at_most.case.tasks)} tasks, another callback waits "
        f"{seconds(at_most)} at the longest while {{name}} runs",
        WAITING,
    )
    fewest = [case for case in every if case.tasks == min(other.tasks for other in every)]
    at_least = setting.measured.amounts([ranking.best], fewest)
    if fewest != most and at_least:
        grows, shrinks = at_least[0].high < at_most.low, at_least[0].low > at_most.high
        yield Choice(
            use="Start fewer at a time"
            if grows
            else "Do not start fewer at a time for it"
            if shrinks
            else "Not decided: whether to start fewer at a time",
            when="other callbacks must get their turn soon",
            sentence=f"{style.label(ranking.best.strategy)} holds them up for "
            f"{seconds(at_least[0])} with {style.count(at_least[0].case.tasks)} tasks and "
            f"{seconds(at_most)} with {style.count(at_most.case.tasks)}",
            cells=setting.cells([at_least[0], at_most]),
            decided=grows or shrinks,
        )


def held_in_memory(setting: Setting) -> Iterator[Choice]:
    """Which strategy needs the least memory for tasks that wait."""
    cases = largest(setting.cases(MEMORY))
    ranking = rank(setting, cases)
    if ranking is None:
        return
    mean = setting.measured.mean_per_task(ranking.best, cases)
    if mean is not None:
        cost = style.interval(mean.value, mean.low, mean.high)
        yield from ranked_choice(
            setting,
            ranking,
            "many tasks wait at the same time and memory is short",
            f"{{name}} takes {cost} bytes per waiting task, with "
            f"{style.count(cases[0].tasks)} tasks",
            LESS_MEMORY,
        )


def other_factories(setting: Setting) -> Iterator[Choice]:
    """For what work another task factory is worth it."""
    first = style.label(setting.like.task_factory)
    for factory, contenders in setting.siblings("task_factory").items():
        for cases in by_workload(setting.throughput()).values():
            ratios = setting.measured.means(_fan_outs(contenders), setting.counterpart, cases)
            yield from _by_verdict(
                setting, ratios, cases, style.label(factory), first, "{name} with {side}"
            )


def other_loops(setting: Setting) -> Iterator[Choice]:
    """For what work this event loop is better than the plan's first one."""
    plan_first = setting.findings.campaign.contenders[0].loop
    first = {one.strategy: one for one in setting.siblings("loop").get(plan_first, [])}
    for cases in by_workload(setting.throughput()).values():
        ratios = setting.measured.means(
            setting.fan_outs, lambda one: first.get(one.strategy), cases
        )
        sides = (style.label(setting.loop), style.label(plan_first))
        yield from _by_verdict(setting, ratios, cases, *sides, "{name} on {side}")


def other_collectors(setting: Setting) -> Iterator[Choice]:
    """Whether the choice depends on the garbage collector, and what that costs."""
    cases = setting.throughput()
    for collector, contenders in setting.siblings("collector").items():
        ratios = setting.measured.means(_fan_outs(contenders), setting.counterpart, cases)
        if not ratios:
            continue
        flipped = _flips(setting, collector)
        sides = (f"the collector {collector}", f"it {setting.like.collector}")
        costs = _versus(setting, ratios, *sides, "{name} with {side}")
        yield Choice(
            use="Choose for your own setting of the collector"
            if flipped
            else "Choose the same whatever the collector does",
            when=f"the collector is {collector}",
            sentence="; ".join(
                [*(flipped or ["no strategy goes from faster to slower or back"]), costs]
            ),
            cells=setting.cells(ratios),
        )


def one_after_another(setting: Setting) -> Iterator[Choice]:
    """For what work a fan-out is worth it at all."""
    baseline = setting.baseline
    turns = [one for name, one in setting.strategies.items() if name in style.NO_FAN_OUT]
    if baseline is None:
        return
    fan_out = style.label(baseline.strategy)
    for cases in by_workload(setting.throughput()).values():
        for ratio in setting.measured.means(turns, lambda _: baseline, cases):
            name = style.label(ratio.subject.strategy)
            own, other = _means(setting, ratio)
            advised = {
                FASTER: _capital(name),
                SLOWER: f"Fan out, with {fan_out}",
                SAME: "Do either",
            }
            side = _side(ratio)
            yield Choice(
                use=advised.get(side, f"Not decided: {name} or {fan_out}"),
                when="each coroutine {work}",
                work=work(cases[0]),
                sentence=f"{_label(cases)}: {name} takes {own} and {fan_out} {other} "
                f"({of_cases(len(ratio.cases))}): it {takes(ratio)}",
                cells=setting.cells([ratio]),
                decided=side in advised,
            )


def left_alone(setting: Setting) -> Iterator[Choice]:
    """What becomes of tasks that nobody awaits or refers to."""
    witness = setting.findings.witness
    if witness is None:
        return
    like = setting.like
    for program, use, when, not_seen in (
        (CUT_OFF, "Await every task", "it has to finish", "whether it would finish anyway"),
        (COLLECTED, "Keep a reference to every task", "it has to finish", "whether it is kept"),
    ):
        for run in witness.runs:
            mine = (run.interpreter, run.loop, run.task_factory)
            if run.program != program or run.holds is None:
                continue
            if mine != (like.interpreter, like.loop, like.task_factory):
                continue
            yield Choice(
                use=use if run.holds else f"Not decided: {not_seen}",
                when=when,
                sentence=f"{run.observed}"
                if run.holds
                else f"{run.observed}; expected was: {run.expected}",
                cells=(
                    CellReference(
                        setting.findings.campaign.name, (f"witness/{program}",), "", like.id
                    ),
                ),
                decided=run.holds,
            )


TOPICS: Final = (
    Topic("Joined at once", joined_at_once),
    Topic("Something awaited in between", awaited_between),
    Topic("Only computing in between", computed_between),
    Topic("One after another, or all at once", one_after_another),
    Topic("When one fails", one_fails),
    Topic("When the caller is cancelled", caller_cancelled),
    Topic("Keeping the loop responsive", others_wait),
    Topic("Memory", held_in_memory),
    Topic("The task factory", other_factories),
    Topic("The event loop", other_loops),
    Topic("The garbage collector", other_collectors),
    Topic("Tasks left alone", left_alone, BEAR_WITNESS),
)


# --- parts ----------------------------------------------------------------------------------------


def _head_start(setting: Setting, cases: Sequence[Case], when: str) -> Iterator[Choice]:
    """Whether creating tasks first pays in these cases, and with which strategies."""
    baseline = setting.baseline
    if baseline is None:
        return
    ratios = setting.measured.ratios(setting.fan_outs, lambda _: baseline, cases)
    if not ratios:
        return
    faster = _of_every_case(ratios, FASTER)
    open_ = not faster and any(one.verdict == UNDECIDED for one in ratios)
    names = either([style.label(one.strategy) for one in faster])
    shown = _most_telling([one for one in ratios if not faster or one.subject in faster])
    yield Choice(
        use=f"Create the tasks first, with {names},"
        if faster
        else "Not decided: whether to create the tasks first"
        if open_
        else "Do not count on tasks that you create first",
        when=when,
        sentence=f"with {_lengths(shown.cases[0])}, {_instead(setting, shown)}",
        cells=setting.cells(ratios),
        decided=not open_,
    )


def _of_every_case(ratios: Sequence[Ratio], verdict: str) -> list[Contender]:
    """The subjects with that verdict, by how it begins, in every case, in reading order."""
    subjects = {one.subject.id: one.subject for one in in_order(ratios)}
    return [
        subject
        for subject in subjects.values()
        if all(one.verdict.startswith(verdict) for one in ratios if one.subject is subject)
    ]


def _could_save(case: Case) -> float:
    """Seconds that a head start can save at most: the shorter of pause and work."""
    return min(case.pause_seconds, case.work_seconds or 0.0)


def _most_telling(ratios: Sequence[Ratio]) -> Ratio:
    """Of the case in which most could be saved, the strategy that comes first."""
    return max(in_order(ratios), key=lambda one: _could_save(one.cases[0]))


def _lengths(case: Case) -> str:
    """The pause and the work of a case."""
    pause = style.short_seconds(case.pause_seconds)
    between = f"{pause} {'awaited' if case.pause_suspends else 'computed'} before the join"
    if case.work_seconds is None:
        return between
    return f"{between} and tasks of {style.short_seconds(case.work_seconds)}"


def _instead(setting: Setting, ratio: Ratio) -> str:
    """What the subject takes and what the other one does, and the change."""
    pair = (ratio.subject, ratio.against)
    own, other = (setting.measured.amounts([one], ratio.cases, ratio.metric)[0] for one in pair)
    names = [style.label(one.strategy) for one in pair]
    if names[0] == names[1]:
        names = [
            f"{style.label(one.strategy)} with {style.label(one.task_factory)}" for one in pair
        ]
    return f"{names[0]} takes {seconds(own)} and {names[1]} {seconds(other)}: it {takes(ratio)}"


def _by_verdict(
    setting: Setting,
    ratios: Sequence[Ratio],
    cases: Sequence[Case],
    own: str,
    other: str,
    form: str,
) -> Iterator[Choice]:
    """Which of two sides to take for this work: ``own``, which the ratios are of, where less time
    is taken, ``other`` where more. ``form`` names a strategy on a side.
    """
    if not ratios:
        return
    strategies: dict[str, list[str]] = {}
    for one in in_order(ratios):
        strategies.setdefault(_side(one), []).append(style.label(one.subject.strategy))
    either_of = either([own, other])
    advised = {FASTER: own, SLOWER: other, SAME: either_of}
    sides = [side for side in advised if side in strategies]
    parts = [
        advised[side]
        if len(strategies) == 1
        else form.format(name=either(strategies[side]), side=advised[side])
        for side in sides
    ]
    yield Choice(
        use=f"Use {style.listed(parts)}" if parts else f"Not decided: {either_of}",
        when="each coroutine {work}",
        work=work(cases[0]),
        sentence=f"{_label(cases)}: {_versus(setting, ratios, own, other, form)}",
        cells=setting.cells(ratios),
        decided=bool(parts),
    )


def _versus(setting: Setting, ratios: Sequence[Ratio], own: str, other: str, form: str) -> str:
    """The costs of the first strategy on both sides, and by how much every one changes."""
    first, *others = in_order(ratios)
    costs = _means(setting, first)
    name = style.label(first.subject.strategy)
    with_other = form.format(name="", side=other).strip()
    in_full = (
        f"{form.format(name=name, side=own)} takes {costs[0]} and {with_other} {costs[1]} "
        f"({of_cases(len(first.cases))}): it {takes(first)}"
    )
    return "; ".join([in_full, *map(clause, others)])


def _means(setting: Setting, ratio: Ratio) -> tuple[str, str]:
    """What the subject and the other one take per task, in words."""
    own, other = (
        per_task(setting.measured.mean_per_task(one, ratio.cases))
        for one in (ratio.subject, ratio.against)
    )
    return own, other


def _side(ratio: Ratio) -> str:
    """The verdict without "within 2 %"."""
    return next(
        (side for side in (FASTER, SLOWER) if ratio.verdict.startswith(side)), ratio.verdict
    )


def _label(cases: Sequence[Case]) -> str:
    return style.label(cases[0].workload)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _fan_outs(contenders: Iterable[Contender]) -> list[Contender]:
    return [one for one in contenders if one.strategy not in style.NO_FAN_OUT]


@dataclass(frozen=True, slots=True)
class _Count:
    """Something counted beside the timed values; the least and the most of any round."""

    value: float
    low: float
    high: float


def _counted(setting: Setting, cases: Sequence[Case]) -> dict[str, dict[str, _Count]]:
    """What was counted in the first of these cases, by contender's id and name."""
    frame = setting.findings.observations
    chosen = frame[frame["case"].isin([case.id for case in cases[:1]])]
    found: dict[str, dict[str, _Count]] = {}
    columns = ("contender_id", "name", "value", "low", "high")
    for id_, name, *numbers in zip(*(chosen[column] for column in columns), strict=True):
        found.setdefault(str(id_), {})[str(name)] = _Count(*numbers)
    return found


def _fate(counts: Mapping[str, _Count]) -> str:
    """When a strategy is right, by what it does to the siblings of a child that fails."""
    never = {name for name, count in counts.items() if count.high == 0}
    always = {name for name, count in counts.items() if count.low > 0}
    if RAN_ON in never and CANCELLED in always:
        return "one failure makes the others pointless"
    if RAN_ON in always and CANCELLED in never:
        return "the others are to go on when one fails"
    if FINISHED in always and never >= {RAN_ON, CANCELLED}:
        return "the others are to end before you hear of the failure"
    return UNCLEAR


def _siblings(
    setting: Setting, contender: Contender, cases: Sequence[Case], counts: Mapping[str, _Count]
) -> str:
    """What becomes of the siblings of a child that fails, in numbers."""
    [known] = setting.measured.amounts([contender], cases[:1])
    [clean] = setting.measured.amounts([contender], cases[:1], CLEAN)
    said = [
        f"{style.significant(counts[name].value)} {words}"
        for name, words in (
            (CANCELLED, "are cancelled"),
            (RAN_ON, "run on"),
            (FINISHED, "have finished"),
            (NEVER_STARTED, "never start"),
        )
        if name in counts and counts[name].high > 0
    ]
    return (
        f"with {style.label(contender.strategy)}, of {style.count(cases[0].tasks - 1)} siblings "
        f"{style.listed(said)}; the caller knows after {seconds(known)}, nothing runs any more "
        f"after {seconds(clean)}"
    )


def _until_clean(
    setting: Setting, contenders: Sequence[Contender], cases: Sequence[Case]
) -> tuple[CellReference, ...]:
    of = setting.measured.amounts
    return setting.cells([*of(contenders, cases[:1]), *of(contenders, cases[:1], CLEAN)])


def _flips(setting: Setting, collector: str) -> list[str]:
    """What ranks the other way round with this collector, in sentences."""
    like = setting.like
    frame = setting.findings.flips
    chosen = frame[
        (frame["python"] == setting.python)
        & (frame["loop"] == setting.loop)
        & (frame["task_factory"] == like.task_factory)
        & (frame["collector"] == collector)
    ]
    than = style.label(style.BASELINE)
    return [
        f"in {row.case}, {style.label(str(row.contender))} takes "
        f"{style.change_interval(row.ratio, row.low, row.high)} against {than} with the collector "
        f"{collector}, and {style.change_interval(row.on_ratio, row.on_low, row.on_high)} with it "
        f"{like.collector}"
        for row in _rows(chosen)
    ]


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows by attribute; a type checker cannot know their fields."""
    return iter(frame.itertuples(index=False))
