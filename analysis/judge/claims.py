"""Published claims about fan-out in asyncio, as data. :mod:`analysis.judge.ledger` checks campaigns
against them.

A claim is what somebody wrote, in our words, where it stands, what has to be so for it to be tested
(:class:`Conditions`), the contrast that tests it, and the interval that it claims. How the words
became an interval:

- "A to B times", "A to B %": that interval. A gain in per cent can mean the speed or the time;
  where the source leaves it open, the interval holds both readings.
- "up to x": there is such a gain. The interval begins where x begins, at its own precision (3
  times: 2.5), and is open towards larger gains; one cell that shows it is enough (:data:`BEST`).
- "about x": x give or take 10 %.
- "faster" and "the same": as everywhere here (:mod:`analysis.judge.verdicts`). "across the board":
  in every cell (:data:`EACH`).
- what holds always or never, such as a share of children that have started: exactly that number.

Claims are about strategies, workloads, loops, probes and programs by their names, which only the
decision table and the charts of single probes know as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, Literal, TypeAlias

from analysis.judge import words
from analysis.judge.verdicts import FLOOR, WITHIN
from analysis.read.campaign import Interpreter
from benchmarks.campaign.schema import NO_PAUSE, USUAL_COLLECTOR

Version: TypeAlias = "tuple[int, ...]"
Axis: TypeAlias = Literal["strategy", "loop", "task_factory", "python"]
Over: TypeAlias = Literal["each", "best", "mean"]
Quantity: TypeAlias = Literal["times the time", "bytes per task", "share", "holds"]
Place: TypeAlias = Literal["inside", "outside", "between"]
UNITS: Final = {"times the time": (1.0, "x"), "bytes per task": (1.0, "B"), "share": (100.0, "%")}

EACH: Final = "each"
"""The claim is about every cell: one that contradicts it refutes it."""
BEST: Final = "best"
"""The claim is that such a cell exists."""
MEAN: Final = "mean"
"""The claim is about the geometric mean over cases, of each strategy."""


_NEVER: Final = (999,)


@dataclass(frozen=True, slots=True)
class Pythons:
    """Versions from the first to before the end; every version unless given."""

    first: Version = ()
    end: Version = _NEVER

    def include(self, version: str) -> bool:
        """Whether a version such as "3.13.0" or "3.15.0a1" is one of them."""
        return self.first <= version_numbers(version) < self.end

    def __str__(self) -> str:
        name = ".".join(map(str, self.first))
        return f"Python {name}{' or later' * (self.end == _NEVER)}" if name else "any Python"


def version_numbers(version: str) -> Version:
    """The three numbers that a version begins with: "3.15.0a1" -> (3, 15, 0)."""
    found = [int(number) for number in re.findall(r"\d{1,9}", version.partition("+")[0])[:3]]
    return (*found, 0, 0, 0)[:3]


def since(*first: int) -> Pythons:
    """This version and every later one."""
    return Pythons(first)


def only(major: int, minor: int) -> Pythons:
    """Every release of one minor version."""
    return Pythons((major, minor), (major, minor + 1))


ANY_PYTHON: Final = Pythons()


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the contenders under test have in common, matched against the fields of the plan.

    ``build`` are facts of the interpreter, of which those that the builder does not state are
    passed over; ``system`` is what the machine's begins with. An empty loop or system stands for
    any.
    """

    pythons: Pythons = ANY_PYTHON
    loop: str = "asyncio"
    task_factory: str = "lazy"
    collector: str = USUAL_COLLECTOR
    implementation: str = "cpython"
    build: Mapping[str, bool] = field(
        default_factory=lambda: {"free_threaded": False, "debug": False}
    )
    system: str = ""

    def met_by(self, python: Interpreter, pythons: Pythons | None = None) -> bool:
        """Whether an interpreter is one of the Pythons, these unless others are given, and built
        like this.
        """
        return (
            (pythons or self.pythons).include(python.version)
            and python.implementation == self.implementation
            and all(python.build.get(fact) in (None, is_so) for fact, is_so in self.build.items())
        )


@dataclass(frozen=True, slots=True)
class Cells:
    """Which cases: of a probe, with one of these workloads, task counts (none: every one) and
    pauses. The workload "" stands for those that compute, together.
    """

    probe: str
    workloads: tuple[str, ...]
    tasks: tuple[int, ...] = ()
    pauses: tuple[str, ...] = (NO_PAUSE,)


@dataclass(frozen=True, slots=True)
class RatioOf:
    """Contenders that meet the conditions, compared with those that differ on one axis only.

    ``against`` is the value there: a strategy, a loop, a task factory, or Pythons, of which the
    newest is taken whose build is of the same kind.
    """

    strategies: tuple[str, ...]
    axis: Axis
    against: str | Pythons
    cells: Cells
    over: Over = EACH


@dataclass(frozen=True, slots=True)
class ValueOf:
    """A metric per task, or, where a share is claimed, one that was observed beside it."""

    strategies: tuple[str, ...]
    name: str
    cells: Cells
    over: Over = EACH


@dataclass(frozen=True, slots=True)
class ProgramHolds:
    """The witness programs of these names, for these strategies (none: every one)."""

    programs: tuple[str, ...]
    strategies: tuple[str, ...] = ()
    over: Over = EACH


Contrast: TypeAlias = "RatioOf | ValueOf | ProgramHolds"


@dataclass(frozen=True, slots=True)
class Claimed:
    """The interval claimed, both ends in it."""

    low: float
    high: float
    quantity: Quantity

    def place(self, low: float, high: float) -> Place:
        """Where a measured interval lies with respect to this one."""
        if self.low <= low and high <= self.high:
            return "inside"
        return "outside" if high < self.low or low > self.high else "between"

    def __str__(self) -> str:
        """As a reader says it: ``0.25 to 0.5 x``, ``at most 0.4 x``, ``100 %``."""
        if self.quantity == "holds":
            return "holds"
        low, high = self.written(self.low), self.written(self.high)
        words = f"at most {high}" if self.low <= 0 else f"{low} to {high}"
        words = f"at least {low}" if self.high == inf else words
        return f"{low if self.low == self.high else words} {UNITS[self.quantity][1]}"

    def written(self, number: float) -> str:
        """A number in the claim's unit: three digits, and as many more as leave it on its side of
        both ends.
        """
        scale = UNITS[self.quantity][0]
        number, ends = number * scale, (self.low * scale, self.high * scale)
        sides = [(number < end, number > end) for end in ends]
        rounded = [float(f"{number:.{digits}g}") for digits in range(3, 8)]
        beside = (one for one in rounded if [(one < end, one > end) for end in ends] == sides)
        return f"{next(beside, number):,.7g}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A published claim. ``source`` is where it was made; ``statement`` is ours, short. ``remark``
    is what a reader must know of how it is tested.
    """

    name: str
    source: str
    statement: str
    claimed: Claimed
    contrast: Contrast
    conditions: Conditions = Conditions()
    remark: str = ""


# --- what a check of a claim says -----------------------------------------------------------------

Verdict: TypeAlias = Literal["reproduced", "not reproduced", "undecided", "conditions not met"]
REPRODUCED: Final = "reproduced"
NOT_REPRODUCED: Final = "not reproduced"
UNDECIDED: Final = "undecided"
NOT_MET: Final = "conditions not met"

VERDICTS: Final[Mapping[Place, Verdict]] = {
    "outside": NOT_REPRODUCED,
    "between": UNDECIDED,
    "inside": REPRODUCED,
}
"""By where the reading that decides lies, from the least to the most favourable."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One number in the claim's quantity, with its interval, and ``what`` it was measured on.

    ``contrast`` is the row (its index) of the contrasts, None for what is no ratio.
    """

    what: str
    value: float
    low: float
    high: float
    contrast: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A claim checked against one Python of one campaign (none of them where nothing was measured):
    a row of the table of claims.

    ``shown`` is the least favourable reading, or the most favourable one of a claim that there is
    such a cell; ``missing`` says which conditions are not met, ``note`` what else must be known.
    """

    claim: Claim
    campaign: str
    python: str = ""
    verdict: Verdict = NOT_MET
    readings: tuple[Reading, ...] = ()
    shown: Reading | None = None
    missing: str = ""
    note: str = ""

    @property
    def ours(self) -> str:
        """Our figure with its interval, in the words of the claimed one; empty without any."""
        claimed, one = self.claim.claimed, self.shown
        if one is None:
            return ""
        if isinstance(self.claim.contrast, ProgramHolds):
            return "holds" if one.value else "does not hold"
        unit = UNITS[claimed.quantity][1]
        value, low, high = map(claimed.written, (one.value, one.low, one.high))
        known = math.isfinite(one.high)
        return f"{value} {f'[{low}, {high}]' if known else words.TOO_FEW} {unit}"

    @property
    def verdict_words(self) -> str:
        """The verdict, and what it rests on or what is missing for one."""
        places = [self.claim.claimed.place(one.low, one.high) for one in self.readings]
        agree = "hold" if isinstance(self.claim.contrast, ProgramHolds) else "inside"
        count = f" ({places.count('inside')} of {len(places)} {agree})" * (len(places) > 1)
        why = "; ".join(filter(None, (self.missing, self.note)))
        return f"{self.verdict}{count}{': ' * bool(why)}{why}"


# --- how claims are written -----------------------------------------------------------------------


def _times(low: float, high: float) -> Claimed:
    """A ratio of times; its ends are what is printed of them."""
    return Claimed(round(low, 3), round(high, 3), "times the time")


def _times_faster(least: float, most: float = inf) -> Claimed:
    """At least and at most so many times as fast, as a ratio of times."""
    return _times(1 / most, 1 / least)


HOLDS: Final = Claimed(1.0, 1.0, "holds")
FASTER: Final = _times(0.0, 1 - FLOOR)
SAME: Final = _times(1 - WITHIN, 1 + WITHIN)
ABOUT: Final = 0.10
"""How far "about x" reaches, as a share."""


# --- names that the claims are about --------------------------------------------------------------

GATHER, GATHER_TASKS, TASK_GROUP = "gather_coroutines", "gather_tasks", "task_group"
SEQUENTIAL: Final = "sequential"
LAZY, EAGER = "lazy", "eager"

TREE: Final = Cells("throughput", ("tree",))
"""The shape of pyperformance's async_tree: 6 levels of 6 branches, leaves that return at once."""
COMPUTING: Final = Cells("throughput", ("noop", "yield_once", "tree"))
"""Fan-outs that do not wait: where a timer ticks, every strategy takes as long as the timer."""
TOGETHER: Final = Cells("throughput", ("",))
ECHO: Final = Cells("throughput", ("echo",))

ANSWER: Final = "https://stackoverflow.com/questions/76110617"
"""When should I use asyncio.create_task? The question that this suite is about, and its answer."""
_CPYTHON: Final = "https://github.com/python/cpython"
_WHATS_NEW: Final = "https://docs.python.org/3/whatsnew"

OPTIMISED: Final = {"free_threaded": False, "debug": False, "pgo": True}
"""Builds as benchmark suites are run on; what a builder does not state is passed over."""


# --- the claims -----------------------------------------------------------------------------------

_SUSPENDED: Final = ("sleep_5ms", "sleep_20ms")
_HEAD_START: Final = Cells("head_start", ("sleep", "sleep_20ms"), pauses=_SUSPENDED)
_COMPUTED: Final = Cells("head_start", ("sleep", "sleep_20ms"), pauses=("compute_10ms",))
_OUTLASTED: Final = Cells("head_start", ("sleep",), pauses=("sleep_20ms",))
_ANY_LOOP: Final = Conditions(loop="")


def _shown(
    name: str, statement: str, program: str, *strategies: str, source: str = ANSWER, note: str = ""
) -> Claim:
    """A claim that a program shows, on any loop."""
    contrast = ProgramHolds((program,), strategies)
    return Claim(name, source, statement, HOLDS, contrast, _ANY_LOOP, note)


def _seen(
    name: str, statement: str, observed: str, of: Sequence[str], cells: Cells, note: str = ""
) -> Claim:
    """A claim about the share of the children that was observed on any loop: "none x", "all x"."""
    which, _, what = observed.partition(" ")
    share = {"none": 0.0, "all": 1.0}[which]
    contrast, claimed = ValueOf(tuple(of), what, cells), Claimed(share, share, "share")
    return Claim(name, ANSWER, statement, claimed, contrast, _ANY_LOOP, note)


# fmt: off
# As many fields to a line as it holds: the claims are a table.
CLAIMS: Final[tuple[Claim, ...]] = (
    # The answer to the question
    _shown("gather-wraps", "gather wraps the coroutines it is given in tasks itself",
          "gather_wraps", GATHER),
    _shown("redundant-concurrency",
          "create_task right before gather is redundant: the concurrency is the same",
          "ten_sleepers", GATHER, GATHER_TASKS),
    _seen("start-at-suspension", "Tasks start at the caller's next suspension",
          "all started_before_join", (GATHER_TASKS, TASK_GROUP), _HEAD_START),
    _shown("first-step",
          "The first step of a task is at the caller's next suspension, neither earlier nor later",
          "first_step", GATHER_TASKS, TASK_GROUP,
          note="As a program: five tasks, a caller that computes, then suspends once."),
    _seen("not-before-suspension", "Tasks do not start before that: not while the caller computes",
          "none started_before_join", (GATHER_TASKS, TASK_GROUP), _COMPUTED,
          "The answer says so of a context switch; of lazy tasks."),
    _seen("coroutines-not-started", "Bare coroutines do not start by themselves",
          "none started_before_join", (GATHER,), _HEAD_START),
    _seen("done-before-join",
          "Tasks that are shorter than what the caller awaits first are done at the join",
          "all share_before_join", (GATHER_TASKS, TASK_GROUP), _OUTLASTED),
    Claim("head-start", ANSWER, "create_task pays when the caller moves on to something else first",
          FASTER, RatioOf((GATHER_TASKS, TASK_GROUP), "strategy", GATHER, _HEAD_START), _ANY_LOOP),
    _shown("five-before-gathering",
          'Of five such tasks all finish before the caller says "now gathering"; as bare '
          "coroutines none starts until then", "head_start", GATHER, GATHER_TASKS),
    _shown("never-awaited", "A coroutine that is never awaited or scheduled never runs",
          "never_awaited"),
    _shown("await-or-unfinished", "Tasks that nobody awaits may not finish", "nobody_awaits"),
    _shown("keep-a-reference", "A task that nothing refers to may be collected before it is done",
          "nobody_references",
          source="https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task",
          note="Only where nothing else refers to it: a timer of the loop keeps a sleeping task."),
    # Strategies
    Claim("task-group-tree", "https://github.com/python/pyperformance/issues/287",
          "TaskGroup is faster than gather in the async_tree benchmarks", FASTER,
          RatioOf((TASK_GROUP,), "strategy", GATHER, TREE),
          Conditions(since(3, 11), build=OPTIMISED),
          "Found in passing, on a development build of 3.12, comparing whole runs of the suite; of "
          "its four variants the tree here is the one without waiting."),
    Claim("gather-40-times-await", f"{_CPYTHON}/issues/96450",
          "gather takes about 40 times as long as awaiting the coroutines one by one",
          _times(40 * (1 - ABOUT), 40 * (1 + ABOUT)),
          RatioOf((GATHER,), "strategy", SEQUENTIAL,
                  Cells("throughput", ("noop",), (1_000, 10_000))),
          remark="Theirs: 3,000 coroutines that return at once, 11.71 s and 0.29 s."),
    # Eager tasks
    Claim("eager-2-to-5-times", f"{_WHATS_NEW}/3.12.html",
          "The eager task factory makes some use cases 2 to 5 times as fast", _times_faster(2, 5),
          RatioOf((GATHER, TASK_GROUP), "task_factory", LAZY, COMPUTING, BEST),
          Conditions(since(3, 12), task_factory=EAGER)),
    # Pythons
    Claim("python-3.12-75-percent", f"{_WHATS_NEW}/3.12.html",
          "asyncio became faster in 3.12: some benchmarks show a 75 % speed-up",
          _times_faster(1.745),
          RatioOf((GATHER, TASK_GROUP), "python", only(3, 11), COMPUTING, BEST),
          Conditions(only(3, 12), build=OPTIMISED), "The benchmarks are not named."),
    Claim("python-3.14-10-to-20", f"{_CPYTHON}/issues/107803",
          "asyncio is 10 to 20 % faster in 3.14 in a single thread, from per-thread lists of tasks",
          _times(0.8, 1 / 1.1),
          RatioOf((GATHER, TASK_GROUP), "python", only(3, 13), TOGETHER, MEAN),
          Conditions(only(3, 14), build=OPTIMISED),
          "Said of the standard benchmark suite; the issue itself says 15 to 20 %. Ours compares "
          "releases, with every other change between them in it."),
    # Event loops
    Claim("uvloop-echo", "https://github.com/MagicStack/uvloop",
          "uvloop makes asyncio 2 to 4 times as fast, shown for an echo server",
          _times_faster(2, 4), RatioOf((GATHER, TASK_GROUP), "loop", "asyncio", ECHO),
          Conditions(loop="uvloop"),
          "Their chart is of Python 3.5 and of the server; ours is of a client's fan-out."),
    Claim("uvloop-13-percent", "https://github.com/MagicStack/uvloop/issues/566",
          "On 3.13 uvloop is only about 1.13 times as fast with small messages",
          _times_faster(1 + 0.13 * (1 - ABOUT), 1 + 0.13 * (1 + ABOUT)),
          RatioOf((GATHER, TASK_GROUP), "loop", "asyncio", ECHO),
          Conditions(only(3, 13), loop="uvloop"),
          "A reader's repetition with uvloop 0.21: 1 and 10 KiB; slower than asyncio with "
          "100 KiB."),
    Claim("rloop-echo", "https://github.com/gi0baro/rloop/blob/master/benchmarks/README.md",
          "rloop serves 1.05 to 1.27 times the echo requests of asyncio", _times(0.79, 0.95),
          RatioOf((GATHER, TASK_GROUP), "loop", "asyncio", ECHO), Conditions(loop="rloop"),
          "The span of its nine comparisons, release 0.1.1 on Python 3.13."),
    Claim("winloop-echo", "https://github.com/Vizonex/Winloop",
          "winloop is about 5 times as fast as asyncio's loops on Windows",
          _times_faster(5 * (1 - ABOUT), 5 * (1 + ABOUT)),
          RatioOf((GATHER, TASK_GROUP), "loop", "asyncio", ECHO),
          Conditions(loop="winloop", system="Windows"),
          "Theirs: 0.493 s, and 2.510 s and 2.723 s with asyncio's, in a test of HTTP over TCP."),
    # Memory
    Claim("memory-2.2-kb", "https://pkolaczk.github.io/memory-consumption-of-async/",
          "A sleeping task takes about 2.2 kB on Python 3.10",
          Claimed(2200 * (1 - ABOUT), 2200 * (1 + ABOUT), "bytes per task"),
          ValueOf((GATHER_TASKS,), "steady",
                  Cells("memory", ("pending",), (10_000, 100_000, 10**6))),
          Conditions(only(3, 10)),
          "From how the process's peak, which it has while all sleep, grows from 10,000 tasks "
          "(40.0 MB) to 100,000 (240.5) and a million (2,232), on 3.10.6."),
)
# fmt: on
