"""What a campaign measures: presets, the contenders and cases of selections, and named reasons to
skip.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.cases import USUAL_COLLECTOR, USUAL_PAUSE, Case, Contender, Launcher, Role
from benchmarks.collectors import COLLECTORS
from benchmarks.conditions import Refusal
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.strategies import BASELINE, STRATEGIES
from benchmarks.words import Word
from benchmarks.workloads import WORKLOADS

MAIN = ("gather_coroutines", "gather_tasks", "task_group")
"""The three strategies of the question."""
JOINING = (*MAIN, "wait", "as_completed")
"""Those that make tasks and join them."""
ALL = (*JOINING, "sequential")


class MatrixError(Exception):
    """What was asked for cannot be run; the message is one line."""


@dataclass(frozen=True)
class Selection:
    """Names chosen from the registries, and task counts. A probe that has its own workload, or
    takes no pause, ignores those names.
    """

    probes: tuple[str, ...] = ("throughput", "latency")
    workloads: tuple[str, ...] = ("noop", "yield_once", "sleep", "echo")
    tasks: tuple[int, ...] = (1, 10, 100, 1000, 10_000)
    loops: tuple[str, ...] = tuple(row.name for row in EVENT_LOOPS.values() if not row.optional)
    task_factories: tuple[str, ...] = ("lazy",)
    strategies: tuple[str, ...] = MAIN
    collectors: tuple[str, ...] = (USUAL_COLLECTOR,)
    pauses: tuple[str, ...] = (USUAL_PAUSE,)


@dataclass(frozen=True)
class Preset:
    """Selections and how much to spend on them; ``precision`` is the half-width to reach, as a
    share. With ``witness`` the witness programs are run as well, after the measurements.
    """

    meaning: str
    selections: tuple[Selection, ...]
    budget_seconds: float
    precision: float = 0.01
    witness: bool = False


LARGE = (100, 1000, 10_000)
COMPUTING = ("noop", "yield_once")
"""Workloads that do not wait."""
BOTH_FACTORIES = ("lazy", "eager")
_throughput = functools.partial(Selection, probes=("throughput",))

PRESETS: Mapping[str, Preset] = {
    "smoke": Preset(
        "a check that everything works: one small task count, within seconds",
        (Selection(tasks=(100,)),),
        budget_seconds=14.0,
    ),
    "default": Preset(
        "the question answered, 1 to 10 000 tasks, within four minutes",
        (Selection(),),
        budget_seconds=215.0,
    ),
    "full": Preset(
        "also 100 000 and 1 000 000 tasks (needs 4 GB of memory), up to two hours",
        (Selection(tasks=(1, 10, *LARGE, 100_000, 1_000_000)),),
        budget_seconds=7200.0,
    ),
    "versions": Preset(
        "Pythons compared with one another (name them), 1 to 100 000 tasks, within 30 minutes",
        (
            _throughput(),
            _throughput(workloads=("noop",), tasks=(100_000,)),
            Selection(probes=("latency",), workloads=("yield_once", "echo"), tasks=(1000,)),
        ),
        budget_seconds=1800.0,
    ),
    "question": Preset(
        "head start, stalls, failures, memory, eager tasks, the collector, within 15 minutes",
        (
            _throughput(
                workloads=COMPUTING, tasks=LARGE, task_factories=BOTH_FACTORIES, strategies=ALL
            ),
            _throughput(workloads=("sleep",), tasks=(10,), strategies=ALL),
            _throughput(
                workloads=("tree",),
                tasks=(1,),
                task_factories=BOTH_FACTORIES,
                strategies=("gather_coroutines", "task_group"),
            ),
            _throughput(workloads=COMPUTING, tasks=(1000, 10_000), collectors=tuple(COLLECTORS)),
            Selection(
                probes=("head_start",),
                workloads=("sleep", "sleep_20ms"),
                tasks=(10,),
                task_factories=BOTH_FACTORIES,
                pauses=tuple(PAUSES),
            ),
            Selection(
                probes=("stall",),
                workloads=("noop",),
                tasks=LARGE,
                task_factories=BOTH_FACTORIES,
                strategies=JOINING,
            ),
            Selection(probes=("failure",), workloads=("sleep",), tasks=(100,), strategies=JOINING),
            Selection(probes=("cancel",), workloads=(), tasks=(100, 1000), strategies=JOINING),
            Selection(probes=("memory",), workloads=(), tasks=(10_000, 100_000)),
        ),
        budget_seconds=820.0,  # and the last case, and the report: 15 minutes in all
        witness=True,
    ),
}


@dataclass(frozen=True)
class Available:
    """What the matrix needs to know of an interpreter: its name, version, the loop packages it has,
    and what it cannot do.
    """

    name: str
    version: tuple[int, int]
    packages: frozenset[str]
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """What was asked for and cannot be measured, and why; without launcher, a whole interpreter."""

    interpreter: str
    launcher: Launcher | None
    reason: str


@dataclass(frozen=True)
class Block:
    """Contenders that are asked cases: each of them every one."""

    contenders: tuple[Contender, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Matrix:
    """All that a campaign measures, and what it skips. A contender is asked a case when some block
    holds both.
    """

    contenders: tuple[Contender, ...]
    cases: tuple[Case, ...]
    blocks: tuple[Block, ...]
    skipped: tuple[Skipped, ...]


def reason_to_skip(interpreter: Available, launcher: Launcher) -> str | None:
    """Why this interpreter cannot run this launcher; None when it can."""
    package = EVENT_LOOPS[launcher.loop].package
    if package is not None and package not in interpreter.packages:
        return f"{launcher.loop} is not installed for {interpreter.name}"
    for row in (TASK_FACTORIES[launcher.task_factory], STRATEGIES[launcher.strategy]):
        if interpreter.version < row.since:
            needed = ".".join(map(str, row.since))
            return f"{row.name} needs Python {needed}, {interpreter.name} is older"
    for refusal in interpreter.refusals:
        if refusal.concerns(launcher):
            return f"{refusal.reason}, on {interpreter.name}"
    return None


def lay_out(interpreters: Sequence[Available], selections: Sequence[Selection]) -> Matrix:
    """Everything the selections ask for, on every interpreter.

    The baseline strategy is always in a selection: without it nothing can be compared. The first
    baseline is in the matrix a second time, as the control, for the same cases.
    """
    blocks: list[Block] = []
    skipped: dict[Skipped, None] = {}
    for selection in selections:
        found, missing = _launchers(interpreters, selection)
        skipped |= dict.fromkeys(missing)
        blocks += _blocks(found, cases(selection))
    all_contenders = dict.fromkeys(row for block in blocks for row in block.contenders)
    if all_contenders:
        first = next(iter(all_contenders))
        control = replace(first, role="control")
        all_contenders[control] = None
        blocks = [
            replace(block, contenders=(*block.contenders, control))
            if first in block.contenders
            else block
            for block in blocks
        ]
    return Matrix(
        tuple(all_contenders),
        tuple(dict.fromkeys(case for block in blocks for case in block.cases)),
        tuple(blocks),
        tuple(skipped),
    )


def check(selections: Sequence[Selection]) -> None:
    """Raise MatrixError when a case is too large to be run."""
    for case in itertools.chain.from_iterable(map(cases, selections)):
        workload = PROBES[case.probe].workload(case.workload)
        if reason := workload.refusal(case.tasks):
            raise MatrixError(reason)


def cases(selection: Selection) -> tuple[Case, ...]:
    """Every probe on every workload at every task count, with every pause."""
    found: list[Case] = []
    for probe in (PROBES[name] for name in selection.probes):
        own = probe.own_workload
        found += (
            Case(probe.name, workload, tasks, pause)
            for workload, tasks, pause in itertools.product(
                selection.workloads if own is None else (own.name,),
                sorted(set(selection.tasks)),
                selection.pauses if probe.pauses else (USUAL_PAUSE,),
            )
        )
    return tuple(found)


def choices() -> Iterable[tuple[str, Mapping[str, str]]]:
    """What can be chosen: (heading, {name: meaning}) by kind, in the order of the command line."""
    words: Mapping[str, Mapping[str, Word | Preset]] = {
        "strategies": STRATEGIES,
        "workloads": WORKLOADS,
        "loops": EVENT_LOOPS,
        "task factories": TASK_FACTORIES,
        "collectors": COLLECTORS,
        "probes": PROBES,
        "pauses": PAUSES,
        "presets": PRESETS,
    }
    for heading, rows in words.items():
        yield heading, {name: row.meaning for name, row in rows.items()}


def _launchers(
    interpreters: Sequence[Available], selection: Selection
) -> tuple[list[Contender], list[Skipped]]:
    """Every launcher of the selection, with the baseline, on every interpreter; what cannot be."""
    strategies = [BASELINE, *(name for name in selection.strategies if name != BASELINE)]
    found: list[Contender] = []
    skipped: list[Skipped] = []
    for interpreter, loop, task_factory, collector, strategy in itertools.product(
        interpreters, selection.loops, selection.task_factories, selection.collectors, strategies
    ):
        launcher = Launcher(loop, task_factory, strategy, collector)
        reason = reason_to_skip(interpreter, launcher)
        if reason is None:
            role: Role = "baseline" if strategy == BASELINE else "contender"
            found.append(Contender(interpreter.name, launcher, role))
        else:
            skipped.append(Skipped(interpreter.name, launcher, reason))
    return found, skipped


def _blocks(contenders: Sequence[Contender], of: Sequence[Case]) -> Iterable[Block]:
    """One block or, where some cases are for concurrent strategies only, two."""
    able = tuple(row for row in contenders if STRATEGIES[row.launcher.strategy].concurrent)
    for asked, concurrent_only in ((tuple(contenders), False), (able, True)):
        asked_for = tuple(
            case for case in of if PROBES[case.probe].concurrent_only == concurrent_only
        )
        if asked and asked_for:
            yield Block(asked, asked_for)
