"""What a campaign measures: presets, the contenders and cases of selections, and named reasons to
skip.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from msgspec.structs import replace

from benchmarks.campaign.schema import Block, Contender, Interpreter, Refusal, Role, Skipped, Wanted
from benchmarks.cases import USUAL_COLLECTOR, USUAL_PAUSE, Case, Launcher
from benchmarks.collectors import COLLECTORS
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
BOUNDING = tuple(name for name, row in STRATEGIES.items() if row.bounds)
"""Those that have a limit of children that are active at a time."""


class MatrixError(Exception):
    """What was asked for cannot be run; the message is one line."""


@dataclass(frozen=True)
class Selection:
    """Names chosen from the registries, and task counts. A probe that has its own workload, or
    takes no pause, ignores those names. Strategies that bound are measured with each of the
    ``limits``, all others without one.
    """

    probes: tuple[str, ...] = ("throughput", "latency")
    workloads: tuple[str, ...] = ("noop", "yield_once", "sleep", "echo")
    tasks: tuple[int, ...] = (1, 10, 100, 1000, 10_000)
    loops: tuple[str, ...] = tuple(row.name for row in EVENT_LOOPS.values() if not row.optional)
    task_factories: tuple[str, ...] = ("lazy",)
    strategies: tuple[str, ...] = MAIN
    collectors: tuple[str, ...] = (USUAL_COLLECTOR,)
    pauses: tuple[str, ...] = (USUAL_PAUSE,)
    limits: tuple[int, ...] = ()

    def launches(self) -> Iterator[tuple[str, int | None]]:
        """Every strategy with every limit that goes with it, the baseline first."""
        yield BASELINE, None
        for name in self.strategies:
            limits = self.limits if STRATEGIES[name].bounds else (None,)
            yield from ((name, limit) for limit in limits if name != BASELINE)


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
        (_throughput(), Selection(probes=("latency",), tasks=(1000,))),
        budget_seconds=215.0,
    ),
    "full": Preset(
        "also 100 000 and 1 000 000 tasks (needs 4 GB of memory), up to two hours",
        (Selection(tasks=(1, 10, *LARGE, 100_000, 1_000_000)),),
        budget_seconds=7200.0,
    ),
    "versions": Preset(
        "Pythons compared with one another (name them), 1 to 10 000 tasks, within 20 minutes",
        (
            _throughput(workloads=COMPUTING),
            _throughput(workloads=("sleep", "echo"), tasks=(10, 1000)),
        ),
        budget_seconds=1190.0,
    ),
    "bounded": Preset(
        "at most so many at a time: what a limit costs and saves, by pattern, within 12 minutes",
        (
            _throughput(
                workloads=("yield_once",),
                tasks=(1000,),
                strategies=BOUNDING,
                limits=(10, 100, 1000),
            ),
            _throughput(
                workloads=("yield_once",), tasks=(100,), strategies=BOUNDING, limits=(10, 100)
            ),
            Selection(
                probes=("throughput", "latency"),
                workloads=("echo",),
                tasks=(1000,),
                strategies=BOUNDING,
                limits=(10, 100),
            ),
            _throughput(workloads=("uneven",), tasks=(1000,), strategies=BOUNDING, limits=(100,)),
            Selection(
                probes=("stall", "footprint"),
                workloads=("yield_once",),
                tasks=(10_000,),
                loops=("asyncio",),
                strategies=BOUNDING,
                limits=(100,),
            ),
        ),
        budget_seconds=690.0,  # and the last case, and the report: 12 minutes in all
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
            Selection(probes=("first",), workloads=(), tasks=(100,), strategies=JOINING),
            _throughput(
                workloads=("yield_once",),
                tasks=(1000,),
                strategies=(
                    "gather_exceptions",
                    "gather_timeout",
                    "gather_wait_for",
                    "gather_eager_start",
                ),
            ),
            Selection(probes=("memory",), workloads=(), tasks=(10_000, 100_000)),
        ),
        budget_seconds=820.0,  # and the last case, and the report: 15 minutes in all
        witness=True,
    ),
}


@dataclass(frozen=True)
class Matrix:
    """All that a campaign measures, and what it skips. A contender is asked a case when some block
    has the ids of both.
    """

    contenders: tuple[Contender, ...]
    cases: tuple[Case, ...]
    blocks: tuple[Block, ...]
    skipped: tuple[Skipped, ...]


def contender_of(interpreter: str, launcher: Launcher) -> Contender:
    """A contender that has not proved any conditions yet. Ids are for people and keys; nothing
    parses them.
    """
    parts = [interpreter, launcher.loop, launcher.task_factory, launcher.strategy]
    if launcher.collector != USUAL_COLLECTOR:
        parts.append(launcher.collector)
    if launcher.limit is not None:
        parts.append(f"limit {launcher.limit}")
    role: Role = "baseline" if launcher.strategy == BASELINE else "contender"
    return Contender(id="/".join(parts), interpreter=interpreter, role=role, **asdict(launcher))


def control_of(baseline: Contender) -> Contender:
    """A baseline a second time, to be compared with itself."""
    return replace(baseline, id=f"{baseline.id}/control", role="control")


def _is_baseline(contender: Contender) -> bool:
    return contender.role == "baseline"


def reason_to_skip(interpreter: Interpreter, launcher: Launcher) -> str | None:
    """Why this interpreter cannot run this launcher; None when it can."""
    loop, strategy = EVENT_LOOPS[launcher.loop], STRATEGIES[launcher.strategy]
    for package in (loop.package, strategy.package):
        if package is not None and package not in interpreter.packages:
            return f"{package} is not installed for {interpreter.name}"
    for row in (TASK_FACTORIES[launcher.task_factory], strategy):
        if interpreter.minor_version < row.since:
            needed = ".".join(map(str, row.since))
            return f"{row.name} needs Python {needed}, {interpreter.name} is older"
    for refusal in interpreter.refusals:
        if concerns(refusal, launcher):
            return f"{refusal.reason}, on {interpreter.name}"
    return None


def concerns(refusal: Refusal, launcher: Launcher) -> bool:
    """Whether the launcher has all of the names that are refused together."""
    pairs = (
        (refusal.loop, launcher.loop),
        (refusal.task_factory, launcher.task_factory),
        (refusal.collector, launcher.collector),
    )
    return all(refused in (None, asked) for refused, asked in pairs)


def lay_out(interpreters: Sequence[Interpreter], selections: Sequence[Selection]) -> Matrix:
    """Everything the selections ask for, on every interpreter.

    The baseline strategy is always in a selection: without it nothing can be compared. Every
    baseline is in the matrix a second time, as the control of its group, for the same cases.
    """
    asked: list[tuple[Sequence[Contender], Sequence[Case]]] = []
    skipped: dict[Skipped, None] = {}
    for selection in selections:
        found, missing = _contenders(interpreters, selection)
        skipped |= dict.fromkeys(missing)
        asked += _asked(found, cases(selection))
    asked = [((*rows, *map(control_of, filter(_is_baseline, rows))), of) for rows, of in asked]
    contenders = {row.id: row for rows, _ in asked for row in rows}
    blocks = (
        Block(contenders=tuple(row.id for row in rows), cases=tuple(case.id for case in of_rows))
        for rows, of_rows in asked
    )
    return Matrix(
        tuple(contenders.values()),
        tuple(dict.fromkeys(case for _, of_rows in asked for case in of_rows)),
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
    return tuple(
        Case(probe.name, workload, tasks, pause)
        for probe in (PROBES[name] for name in selection.probes)
        for workload, tasks, pause in itertools.product(
            (probe.own_workload.name,) if probe.own_workload else selection.workloads,
            sorted(set(selection.tasks)),
            selection.pauses if probe.pauses else (USUAL_PAUSE,),
        )
    )


def choices() -> dict[str, dict[str, str]]:
    """What can be chosen: the meanings by name, by kind, in the order of the command line."""
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
    return {
        heading: {name: row.meaning for name, row in rows.items()}
        for heading, rows in words.items()
    }


def _contenders(
    interpreters: Sequence[Interpreter], selection: Selection
) -> tuple[list[Contender], list[Skipped]]:
    """Every launcher of the selection, with the baseline, on every interpreter; what cannot be."""
    found: list[Contender] = []
    skipped: list[Skipped] = []
    for interpreter, loop, task_factory, collector, (strategy, limit) in itertools.product(
        interpreters,
        selection.loops,
        selection.task_factories,
        selection.collectors,
        tuple(selection.launches()),
    ):
        launcher = Launcher(loop, task_factory, strategy, collector, limit)
        if reason := reason_to_skip(interpreter, launcher):
            named = {name: of for name, of in asdict(launcher).items() if name != "limit"}
            wanted = Wanted(interpreter=interpreter.name, **named)
            skipped.append(Skipped(contender=wanted, reason=reason))
        else:
            found.append(contender_of(interpreter.name, launcher))
    return found, skipped


def _asked(
    contenders: Sequence[Contender], of: Sequence[Case]
) -> Iterator[tuple[Sequence[Contender], Sequence[Case]]]:
    """Contenders and the cases that each of them is asked, those of probes that ask the same ones
    together.
    """
    alike: dict[tuple[str, ...], tuple[list[Contender], list[Case]]] = {}
    for case in of:
        probe = PROBES[case.probe]
        able = [row for row in contenders if probe.can_measure(STRATEGIES[row.strategy])]
        alike.setdefault(tuple(row.id for row in able), (able, []))[1].append(case)
    yield from ((rows, of_rows) for rows, of_rows in alike.values() if rows)
