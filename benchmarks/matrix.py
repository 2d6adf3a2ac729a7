"""What a campaign measures: presets, the contenders and cases of a selection, and named reasons to
skip.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.cases import Case, Contender, Launcher, Role
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.probes import PROBES
from benchmarks.strategies import BASELINE, STRATEGIES
from benchmarks.workloads import WORKLOADS


@dataclass(frozen=True)
class Selection:
    """Names chosen from the registries, and task counts."""

    probes: tuple[str, ...] = tuple(PROBES)
    workloads: tuple[str, ...] = ("noop", "yield_once", "sleep", "echo")
    tasks: tuple[int, ...] = (1, 10, 100, 1000, 10_000)
    loops: tuple[str, ...] = tuple(EVENT_LOOPS)
    task_factories: tuple[str, ...] = TASK_FACTORIES[:1]
    strategies: tuple[str, ...] = ("gather_coroutines", "gather_tasks", "task_group")


@dataclass(frozen=True)
class Preset:
    """A selection and how much to spend on it; ``precision`` is the half-width to reach, as a
    share.
    """

    summary: str
    selection: Selection
    budget_seconds: float
    precision: float


PRESETS: Mapping[str, Preset] = {
    "smoke": Preset(
        "does everything work: one small task count, seconds",
        Selection(tasks=(100,)),
        budget_seconds=14.0,
        precision=0.01,
    ),
    "default": Preset(
        "the question answered, 1 to 10 000 tasks, within four minutes",
        Selection(),
        budget_seconds=215.0,
        precision=0.01,
    ),
    "full": Preset(
        "also 100 000 and 1 000 000 tasks (needs 4 GB of memory), up to two hours",
        Selection(tasks=(1, 10, 100, 1000, 10_000, 100_000, 1_000_000)),
        budget_seconds=7200.0,
        precision=0.01,
    ),
}


@dataclass(frozen=True)
class Available:
    """What the matrix needs to know of an interpreter: its name, version and the loop packages it
    has.
    """

    name: str
    version: tuple[int, int]
    packages: frozenset[str]


@dataclass(frozen=True)
class Skipped:
    """What was asked for and cannot be measured, and why; a whole interpreter without launcher."""

    interpreter: str
    launcher: Launcher | None
    reason: str


def reason_to_skip(interpreter: Available, launcher: Launcher) -> str | None:
    """Why this interpreter cannot run this launcher; None when it can."""
    package = EVENT_LOOPS[launcher.loop].package
    if package is not None and package not in interpreter.packages:
        return f"{launcher.loop} is not installed for {interpreter.name}"
    since = STRATEGIES[launcher.strategy].since
    if interpreter.version < since:
        return (
            f"{launcher.strategy} needs Python {since[0]}.{since[1]}, {interpreter.name} is older"
        )
    return None


def contenders(
    interpreters: Sequence[Available], selection: Selection
) -> tuple[tuple[Contender, ...], tuple[Skipped, ...]]:
    """Every launcher of the selection on every interpreter, and what was skipped.

    The baseline strategy is always among them: without it nothing can be compared. The first
    baseline comes a second time, as the control.
    """
    strategies = [BASELINE, *(name for name in selection.strategies if name != BASELINE)]
    found: list[Contender] = []
    skipped: list[Skipped] = []
    for interpreter, loop, task_factory, strategy in itertools.product(
        interpreters, selection.loops, selection.task_factories, strategies
    ):
        launcher = Launcher(loop, task_factory, strategy)
        reason = reason_to_skip(interpreter, launcher)
        if reason is not None:
            skipped.append(Skipped(interpreter.name, launcher, reason))
            continue
        role: Role = "baseline" if strategy == BASELINE else "contender"
        found.append(Contender(interpreter.name, launcher, role))
    if found:
        found.append(Contender(found[0].interpreter, found[0].launcher, "control"))
    return tuple(found), tuple(skipped)


def cases(selection: Selection) -> tuple[Case, ...]:
    """Every probe on every workload at every task count."""
    return tuple(
        Case(probe, workload, tasks)
        for probe, workload, tasks in itertools.product(
            selection.probes, selection.workloads, sorted(set(selection.tasks))
        )
    )


def choices() -> Iterable[tuple[str, Mapping[str, str]]]:
    """What can be chosen: (heading, {name: summary}) by kind, in the order of the command line."""
    yield "strategies", {name: row.summary for name, row in STRATEGIES.items()}
    yield "workloads", {name: row.summary for name, row in WORKLOADS.items()}
    yield "loops", {name: row.summary for name, row in EVENT_LOOPS.items()}
    yield "probes", {name: row.summary for name, row in PROBES.items()}
    yield "presets", {name: row.summary for name, row in PRESETS.items()}
