"""Published claims about fan-out in asyncio, as data. :mod:`analysis.checks` holds campaigns
against them.

A claim is what somebody wrote, in our words, where it stands, what has to be so for it to be tested
(:class:`Conditions`), the contrast that tests it, and the interval that it claims. How the words
became an interval:

- "A to B times", "A to B %": that interval. A gain in per cent can mean the speed or the time;
  where the source leaves it open, the interval holds both readings.
- "up to x": such a gain can be had. The interval begins where x begins, at its own precision (3
  times: 2.5), and is open towards larger gains; one cell that shows it is enough
  (:data:`BEST`).
- "about x": x give or take 10 %.
- "faster": below 1, by more than the noise floor. "across the board": in every cell
  (:data:`EACH`).
- what holds always or never, such as a share of children that have started: exactly that number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final, Literal, TypeAlias

from analysis.campaign import COLLECTOR_ON, NO_PAUSE
from analysis.style import BASELINE
from analysis.verdicts import DELTA

Version: TypeAlias = "tuple[int, ...]"
Axis: TypeAlias = Literal["strategy", "loop", "task_factory", "python"]
Over: TypeAlias = Literal["each", "best", "mean"]
Quantity: TypeAlias = Literal["times the time", "bytes per task", "share", "holds"]

EACH: Final = "each"
"""The claim is about every cell: one that contradicts it refutes it."""
BEST: Final = "best"
"""The claim is that such a cell exists."""
MEAN: Final = "mean"
"""The claim is about the geometric mean over the cells, of each strategy."""


# --- what a claim is made of ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pythons:
    """Versions from each span's first to before its second; without spans, every version."""

    spans: tuple[tuple[Version, Version], ...] = ()

    def hold(self, version: str) -> bool:
        """Whether a version such as "3.13.0" or "3.15.0a1" is one of them."""
        numbers = version_numbers(version)
        return not self.spans or any(first <= numbers < end for first, end in self.spans)

    def __str__(self) -> str:
        if not self.spans:
            return "any Python"
        return "Python " + " or ".join(_span(first, end) for first, end in self.spans)


_NEVER: Final = (999,)


def version_numbers(version: str) -> Version:
    """The three numbers that a version begins with: "3.15.0a1" -> (3, 15, 0)."""
    found = [int(number) for number in re.findall(r"\d{1,9}", version.partition("+")[0])[:3]]
    return (*found, 0, 0, 0)[:3]


def _span(first: Version, end: Version) -> str:
    start = ".".join(map(str, first))
    if end == _NEVER:
        return f"{start} or later"
    if len(first) == 2 and end == (first[0], first[1] + 1):
        return start
    return f"{start} to before {'.'.join(map(str, end))}"


def since(*first: int) -> Pythons:
    """This version and every later one."""
    return Pythons(((first, _NEVER),))


def only(major: int, minor: int) -> Pythons:
    """Every release of one minor version."""
    return Pythons((((major, minor), (major, minor + 1)),))


ANY_PYTHON: Final = Pythons()


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the contenders under test have in common, matched against the fields of the plan.

    ``loop``, ``task_factory`` and ``collector`` are those of a contender; ``build`` are facts of
    its interpreter, of which those that the builder does not state are passed over; ``system`` is
    what the machine's begins with. An empty loop or system stands for any.
    """

    pythons: Pythons = ANY_PYTHON
    loop: str = "asyncio"
    task_factory: str = "lazy"
    collector: str = COLLECTOR_ON
    implementation: str = "cpython"
    build: Mapping[str, bool] = field(
        default_factory=lambda: {"free_threaded": False, "debug": False}
    )
    system: str = ""


@dataclass(frozen=True, slots=True)
class Cells:
    """Which cases: of a probe, with one of these workloads, task counts (none: every one) and
    pauses; and the metric, the case's headline one unless given.
    """

    probe: str
    workloads: tuple[str, ...]
    tasks: tuple[int, ...] = ()
    pauses: tuple[str, ...] = (NO_PAUSE,)
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class RatioOf:
    """Contenders that meet the conditions, held against those that differ on one axis only.

    ``against`` is the value there: a strategy, a loop, a task factory, or Pythons, of which the
    newest is taken whose build is of the same family.
    """

    strategies: tuple[str, ...]
    axis: Axis
    against: str | Pythons
    cells: Cells
    over: Over = EACH


@dataclass(frozen=True, slots=True)
class PerTask:
    """A metric divided by the number of tasks."""

    strategies: tuple[str, ...]
    cells: Cells
    over: Over = EACH


@dataclass(frozen=True, slots=True)
class ObservedOf:
    """A number seen beside the timed values, such as a share of the children."""

    strategies: tuple[str, ...]
    name: str
    cells: Cells
    over: Over = EACH


@dataclass(frozen=True, slots=True)
class ProgramHolds:
    """The witness programs of these names, for these strategies (none: every one)."""

    programs: tuple[str, ...]
    strategies: tuple[str, ...] = ()


Contrast: TypeAlias = "RatioOf | PerTask | ObservedOf | ProgramHolds"


@dataclass(frozen=True, slots=True)
class Claimed:
    """The interval claimed, both ends in it. An end at 1 of a ratio of times means "told apart from
    the same": a measured interval has to clear it by the noise floor.
    """

    low: float
    high: float
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Claim:
    """A published claim. ``statement`` is ours, short; ``source`` is where it was made. ``remark``
    is what a reader must know of how it is tested.
    """

    name: str
    statement: str
    source: str
    claimed: Claimed
    contrast: Contrast
    conditions: Conditions = Conditions()
    remark: str = ""


def _times(low: float, high: float) -> Claimed:
    return Claimed(low, high, "times the time")


def _times_faster(least: float, most: float = inf) -> Claimed:
    """At least and at most so many times as fast, as a ratio of times."""
    return _times(1 / most, 1 / least)


def _exactly(share: float) -> Claimed:
    return Claimed(share, share, "share")


HOLDS: Final = Claimed(1.0, 1.0, "holds")
FASTER: Final = _times(0.0, 1.0)
SAME: Final = _times(1 / (1 + DELTA), 1 + DELTA)
ABOUT: Final = 0.10
"""How far "about x" reaches, as a share."""


# --- names that the claims are about --------------------------------------------------------------

GATHER, GATHER_TASKS, TASK_GROUP = BASELINE, "gather_tasks", "task_group"
SEQUENTIAL: Final = "sequential"
LAZY, EAGER = "lazy", "eager"

TREE: Final = Cells("throughput", ("tree",))
"""The shape of pyperformance's async_tree: 6 levels of 6 branches, leaves that return at once."""
COMPUTING: Final = Cells("throughput", ("noop", "yield_once", "tree"))
"""Fan-outs that do not wait: where a timer ticks, every strategy takes as long as the timer."""
ECHO: Final = Cells("throughput", ("echo",))

ANSWER: Final = "https://stackoverflow.com/questions/76110617"
"""When should I use asyncio.create_task? The question that this suite is about, and its answer."""
_CPYTHON: Final = "https://github.com/python/cpython"
_WHATS_NEW: Final = "https://docs.python.org/3/whatsnew"

BEFORE_ALWAYS_SCHEDULED: Final = Pythons((((3, 12), (3, 12, 9)), ((3, 13), (3, 13, 2))))
AFTER_ALWAYS_SCHEDULED: Final = Pythons((((3, 12, 9), (3, 13)), ((3, 13, 2), _NEVER)))
"""Releases before and after TaskGroup's done callback became always scheduled again (#128588)."""


# --- the claims -----------------------------------------------------------------------------------

_STRATEGY_CLAIMS: Final = (
    Claim(
        name="task-group-tree",
        statement="TaskGroup is faster than gather in the async_tree benchmarks",
        source="https://github.com/python/pyperformance/issues/287",
        claimed=FASTER,
        contrast=RatioOf((TASK_GROUP,), "strategy", GATHER, TREE),
        conditions=Conditions(since(3, 11)),
        remark="Found in passing, on a development build of 3.12, comparing whole runs of the "
        "suite; of its four variants the tree here is the one without waiting.",
    ),
    Claim(
        name="task-group-everywhere",
        statement="TaskGroup is faster than gather across the board",
        source="https://github.com/python/pyperformance/issues/287",
        claimed=FASTER,
        contrast=RatioOf((TASK_GROUP,), "strategy", GATHER, COMPUTING),
        conditions=Conditions(since(3, 11)),
        remark="The same claim taken at its word, for every fan-out that does not wait.",
    ),
    Claim(
        name="gather-40-times-await",
        statement="gather takes about 40 times as long as awaiting the coroutines one by one",
        source=f"{_CPYTHON}/issues/96450",
        claimed=_times(40 * (1 - ABOUT), 40 * (1 + ABOUT)),
        contrast=RatioOf(
            (GATHER,), "strategy", SEQUENTIAL, Cells("throughput", ("noop",), (1_000, 10_000))
        ),
        remark="Theirs: 3,000 coroutines that return at once, 11.71 s against 0.29 s.",
    ),
)

_EAGER_CLAIMS: Final = (
    Claim(
        name="eager-50-percent",
        statement="The eager task factory makes async_tree up to about 50 % faster",
        source=f"{_CPYTHON}/pull/102853",
        claimed=_times_faster(1.45),
        contrast=RatioOf((GATHER,), "task_factory", LAZY, TREE, BEST),
        conditions=Conditions(since(3, 12), task_factory=EAGER),
        remark="Read as 1.5 times as fast, the weaker of two readings; before gather was optimised "
        "for eager tasks, which every release that has the factory is.",
    ),
    Claim(
        name="eager-gather-3-times",
        statement="With eager tasks, gather makes async_tree up to 3 times as fast",
        source=f"{_CPYTHON}/pull/104138",
        claimed=_times_faster(2.5),
        contrast=RatioOf((GATHER,), "task_factory", LAZY, TREE, BEST),
        conditions=Conditions(since(3, 12), task_factory=EAGER),
        remark="Theirs is before against after the change, ours eager against lazy.",
    ),
    Claim(
        name="eager-task-group-4-times",
        statement="With eager tasks, TaskGroup makes async_tree up to 4 times as fast",
        source=f"{_CPYTHON}/pull/104140",
        claimed=_times_faster(3.5),
        contrast=RatioOf((TASK_GROUP,), "task_factory", LAZY, TREE, BEST),
        conditions=Conditions(BEFORE_ALWAYS_SCHEDULED, task_factory=EAGER),
        remark="Theirs is before against after the change, ours eager against lazy; on the "
        "releases that still have the change.",
    ),
    Claim(
        name="eager-task-group-lost",
        statement="TaskGroup's gain from eager tasks is lost since its done callback is always "
        "scheduled again",
        source=f"{_CPYTHON}/issues/128588",
        claimed=_times(1 / 3.5, inf),
        contrast=RatioOf((TASK_GROUP,), "task_factory", LAZY, TREE, EACH),
        conditions=Conditions(AFTER_ALWAYS_SCHEDULED, task_factory=EAGER),
        remark="The thread is about a bug; that its repair takes the 4 times away is our "
        "conclusion, tested as their opposite.",
    ),
    Claim(
        name="eager-2-to-5-times",
        statement="The eager task factory makes some use cases 2 to 5 times as fast",
        source=f"{_WHATS_NEW}/3.12.html",
        claimed=_times_faster(2, 5),
        contrast=RatioOf((GATHER, TASK_GROUP), "task_factory", LAZY, COMPUTING, BEST),
        conditions=Conditions(since(3, 12), task_factory=EAGER),
    ),
)

_VERSION_CLAIMS: Final = (
    Claim(
        name="python-3.12-75-percent",
        statement="asyncio became faster in 3.12: some benchmarks show a 75 % speed-up",
        source=f"{_WHATS_NEW}/3.12.html",
        claimed=_times_faster(1.745),
        contrast=RatioOf((GATHER, TASK_GROUP), "python", only(3, 11), COMPUTING, BEST),
        conditions=Conditions(only(3, 12)),
        remark="The benchmarks are not named.",
    ),
    Claim(
        name="python-3.14-10-to-20",
        statement="asyncio is 10 to 20 % faster in 3.14 in a single thread, from per-thread lists "
        "of tasks",
        source=f"{_CPYTHON}/issues/107803",
        claimed=_times(0.8, 1 / 1.1),
        contrast=RatioOf((GATHER, TASK_GROUP), "python", only(3, 13), COMPUTING, MEAN),
        conditions=Conditions(only(3, 14)),
        remark="Said of the standard benchmark suite; the issue itself says 15 to 20 %. Ours is "
        "release against release, with every other change between them in it.",
    ),
)

_LOOP_CLAIMS: Final = (
    Claim(
        name="uvloop-echo",
        statement="uvloop makes asyncio 2 to 4 times as fast, shown for an echo server",
        source="https://github.com/MagicStack/uvloop/issues/566",
        claimed=_times_faster(2, 4),
        contrast=RatioOf((GATHER, TASK_GROUP), "loop", "asyncio", ECHO),
        conditions=Conditions(loop="uvloop"),
        remark="Their chart is of Python 3.5 and of the server; ours is of a client's fan-out.",
    ),
    Claim(
        name="uvloop-fan-out",
        statement="uvloop makes asyncio 2 to 4 times as fast, taken at its word",
        source="https://github.com/MagicStack/uvloop",
        claimed=_times_faster(2, 4),
        contrast=RatioOf((GATHER, TASK_GROUP), "loop", "asyncio", COMPUTING),
        conditions=Conditions(loop="uvloop"),
    ),
    Claim(
        name="uvloop-13-percent",
        statement="On 3.13 uvloop is only about 1.13 times as fast with small messages",
        source="https://github.com/MagicStack/uvloop/issues/566",
        claimed=_times_faster(1 + 0.13 * (1 - ABOUT), 1 + 0.13 * (1 + ABOUT)),
        contrast=RatioOf((GATHER, TASK_GROUP), "loop", "asyncio", ECHO),
        conditions=Conditions(only(3, 13), loop="uvloop"),
        remark="A reader's repetition with uvloop 0.21: 1 and 10 KiB; slower than asyncio with "
        "100 KiB.",
    ),
    Claim(
        name="rloop-echo",
        statement="rloop serves 1.05 to 1.27 times the echo requests of asyncio",
        source="https://github.com/gi0baro/rloop/blob/master/benchmarks/README.md",
        claimed=_times(0.79, 0.95),
        contrast=RatioOf((GATHER, TASK_GROUP), "loop", "asyncio", ECHO),
        conditions=Conditions(loop="rloop"),
        remark="The span of its nine comparisons, release 0.1.1 on Python 3.13.",
    ),
    Claim(
        name="winloop-echo",
        statement="winloop is about 5 times as fast as asyncio's loops on Windows",
        source="https://github.com/Vizonex/Winloop",
        claimed=_times_faster(5 * (1 - ABOUT), 5 * (1 + ABOUT)),
        contrast=RatioOf((GATHER, TASK_GROUP), "loop", "asyncio", ECHO),
        conditions=Conditions(loop="winloop", system="Windows"),
        remark="Theirs: 0.493 s against 2.510 s and 2.723 s in a test of HTTP over TCP.",
    ),
)

_MEMORY_CLAIMS: Final = (
    Claim(
        name="memory-2.2-kb",
        statement="A sleeping task takes about 2.2 kB on Python 3.10",
        source="https://pkolaczk.github.io/memory-consumption-of-async/",
        claimed=Claimed(2200 * (1 - ABOUT), 2200 * (1 + ABOUT), "bytes per task"),
        contrast=PerTask(
            (GATHER_TASKS,),
            Cells("memory", ("pending",), (10_000, 100_000, 1_000_000), metric="peak"),
        ),
        conditions=Conditions(only(3, 10)),
        remark="From its peaks of the whole process: 17.3 MB with one task, 40.0 with 10,000, "
        "240.5 with 100,000 and 2,232 with a million, on 3.10.6.",
    ),
)

_SUSPENDED: Final = ("sleep_5ms", "sleep_20ms")
_HEAD_START: Final = Cells("head_start", ("sleep", "sleep_20ms"), pauses=_SUSPENDED)

_ANY_LOOP: Final = Conditions(loop="")
_ANSWER_CLAIMS: Final = (
    Claim(
        name="gather-wraps",
        statement="gather wraps the coroutines it is given in tasks itself",
        source=ANSWER,
        claimed=HOLDS,
        contrast=ProgramHolds(("gather_wraps",), (GATHER,)),
        conditions=_ANY_LOOP,
    ),
    Claim(
        name="redundant-concurrency",
        statement="create_task right before gather is redundant: the concurrency is the same",
        source=ANSWER,
        claimed=HOLDS,
        contrast=ProgramHolds(("ten_sleepers",), (GATHER, GATHER_TASKS)),
        conditions=_ANY_LOOP,
    ),
    Claim(
        name="redundant-cost",
        statement="create_task right before gather is redundant: it takes as long",
        source=ANSWER,
        claimed=SAME,
        contrast=RatioOf((GATHER_TASKS,), "strategy", GATHER, COMPUTING, MEAN),
        conditions=_ANY_LOOP,
        remark="The answer does not speak of the cost; the same is within 2 %.",
    ),
    Claim(
        name="start-at-suspension",
        statement="Tasks start at the caller's next suspension",
        source=ANSWER,
        claimed=_exactly(1.0),
        contrast=ObservedOf((GATHER_TASKS, TASK_GROUP), "started_before_join", _HEAD_START),
        conditions=_ANY_LOOP,
    ),
    Claim(
        name="first-step",
        statement="The first step of a task is at the caller's next suspension, neither earlier "
        "nor later",
        source=ANSWER,
        claimed=HOLDS,
        contrast=ProgramHolds(("first_step",), (GATHER_TASKS, TASK_GROUP)),
        conditions=_ANY_LOOP,
        remark="The same as a program: five tasks, a caller that computes, then suspends once.",
    ),
    Claim(
        name="not-before-suspension",
        statement="Tasks do not start before that: not while the caller computes",
        source=ANSWER,
        claimed=_exactly(0.0),
        contrast=ObservedOf(
            (GATHER_TASKS, TASK_GROUP),
            "started_before_join",
            Cells("head_start", ("sleep", "sleep_20ms"), pauses=("compute_10ms",)),
        ),
        conditions=_ANY_LOOP,
        remark="The answer says so of a context switch; of lazy tasks.",
    ),
    Claim(
        name="coroutines-not-started",
        statement="Bare coroutines do not start by themselves",
        source=ANSWER,
        claimed=_exactly(0.0),
        contrast=ObservedOf((GATHER,), "started_before_join", _HEAD_START),
        conditions=_ANY_LOOP,
    ),
    Claim(
        name="done-before-join",
        statement="Tasks that are shorter than what the caller awaits first are done at the join",
        source=ANSWER,
        claimed=_exactly(1.0),
        contrast=ObservedOf(
            (GATHER_TASKS, TASK_GROUP),
            "share_before_join",
            Cells("head_start", ("sleep",), pauses=("sleep_20ms",)),
        ),
        conditions=_ANY_LOOP,
    ),
    Claim(
        name="head-start",
        statement="create_task pays when the caller moves on to something else first",
        source=ANSWER,
        claimed=FASTER,
        contrast=RatioOf((GATHER_TASKS, TASK_GROUP), "strategy", GATHER, _HEAD_START),
        conditions=_ANY_LOOP,
    ),
    Claim(
        name="five-before-gathering",
        statement='Of five such tasks all finish before the caller says "now gathering"; as bare '
        "coroutines none starts until then",
        source=ANSWER,
        claimed=HOLDS,
        contrast=ProgramHolds(("head_start",), (GATHER, GATHER_TASKS)),
        conditions=_ANY_LOOP,
    ),
    Claim(
        name="never-awaited",
        statement="A coroutine that is never awaited or scheduled never runs",
        source=ANSWER,
        claimed=HOLDS,
        contrast=ProgramHolds(("never_awaited",)),
        conditions=_ANY_LOOP,
    ),
    Claim(
        name="await-or-unfinished",
        statement="Tasks that nobody awaits may not finish",
        source=ANSWER,
        claimed=HOLDS,
        contrast=ProgramHolds(("nobody_awaits",)),
        conditions=_ANY_LOOP,
    ),
    Claim(
        name="keep-a-reference",
        statement="A task that nothing refers to may be collected before it is done",
        source="https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task",
        claimed=HOLDS,
        contrast=ProgramHolds(("nobody_references",)),
        conditions=_ANY_LOOP,
        remark="Only where nothing else refers to it either: a timer of the loop keeps a sleeping "
        "one.",
    ),
)

CLAIMS: Final[tuple[Claim, ...]] = (
    *_ANSWER_CLAIMS,
    *_STRATEGY_CLAIMS,
    *_EAGER_CLAIMS,
    *_VERSION_CLAIMS,
    *_LOOP_CLAIMS,
    *_MEMORY_CLAIMS,
)
