"""What the small programs of ``python -m benchmarks witness`` said on every Python, event loop and
task factory; and what that shows, as frames. Reading the file is :mod:`analysis.witness_file`'s
part.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from analysis import style

if TYPE_CHECKING:
    import pandas as pd

YES, NO, NOT_POSSIBLE = "yes", "no", "not possible"
ALL: Final = "all"
"""Stands for every Python, event loop or task factory that ran at all."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program and the claim that it bears witness to."""

    name: str
    summary: str
    claim: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of the caller, in seconds since the launch."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One process of a run: when it was created, started and finished, and the spans in which it
    was suspended; in seconds since the launch.
    """

    name: str
    created: float
    started: float
    spans: tuple[tuple[float, float], ...]
    finished: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """When everything happened in one run."""

    marks: tuple[Mark, ...]
    tasks: tuple[TaskLine, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One program on one contender.

    ``python`` is the label of the interpreter, ``strategy`` is empty where the program needs none.
    ``holds`` is None where it could not be run, for the ``reason``. ``measured`` are seconds by
    name, without the prefix ``seconds_``.
    """

    interpreter: str
    python: str
    version: str
    loop: str
    task_factory: str
    program: str
    strategy: str
    holds: bool | None
    expected: str
    observed: str
    reason: str
    measured: Mapping[str, float]
    timeline: Timeline | None

    @property
    def behaviour(self) -> str:
        """Whether it did what was expected: "yes", "no" or "not possible"."""
        return {True: YES, False: NO, None: NOT_POSSIBLE}[self.holds]

    @property
    def place(self) -> Place:
        """Where it ran."""
        return (self.python, self.loop, self.task_factory)


Place: TypeAlias = "tuple[str, str, str]"
"""Python, event loop, task factory."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What all programs said."""

    programs: tuple[Program, ...] = ()
    runs: tuple[Run, ...] = ()

    def of(self, program: str) -> tuple[Run, ...]:
        """The runs of one program, in the order of the file."""
        return tuple(run for run in self.runs if run.program == program)


# --- behaviours ----------------------------------------------------------------------------------


def behaviours(witness: Witness) -> pd.DataFrame:
    """What was seen, a row per program, strategy and behaviour, and where it was so.

    ``python``, ``loop`` and ``task_factory`` say where, in words: names, or "all" of those where
    the strategy could be run. ``behaviour`` is "yes" where what was ``observed`` is what was
    ``expected``, "no" where it is not, and "not possible" with its ``reason``. ``measured`` names
    the time that a program takes, ``seconds_low`` and ``seconds_high`` the least and most of it in
    these ``runs`` (NaN where it was not run).

    The first rows, without a program, say once where nothing could be run, or nothing with a
    strategy.
    """
    import pandas as pd

    everywhere = frozenset(run.place for run in witness.runs)
    somewhere = _places(run for run in witness.runs if run.holds is not None)
    of_strategy = {
        strategy: _places(
            run for run in witness.runs if run.holds is not None and run.strategy == strategy
        )
        for strategy in dict.fromkeys(run.strategy for run in witness.runs)
    }
    rows: list[dict[str, Any]] = []

    def add(program: Program, strategy: str, runs: list[Run], every: frozenset[Place]) -> None:
        identity = {"program": program.name, "strategy": strategy, "claim": program.claim}
        rows.extend({**identity, **row} for row in _behaviours_of(runs, every))

    whatever = Program("", "", "")
    add(whatever, "", _one_each(witness.runs, everywhere - somewhere), everywhere)
    for strategy, able in of_strategy.items():
        runs = [run for run in witness.runs if run.strategy == strategy]
        add(whatever, strategy, _one_each(runs, somewhere - able), somewhere)
    together: dict[tuple[str, str], list[Run]] = {}
    for run in witness.runs:
        if run.place in of_strategy[run.strategy]:
            together.setdefault((run.program, run.strategy), []).append(run)
    for program, (strategy, able) in itertools.product(witness.programs, of_strategy.items()):
        add(program, strategy, together.get((program.name, strategy), []), able)
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _places(runs: Iterable[Run]) -> frozenset[Place]:
    return frozenset(run.place for run in runs)


def _one_each(runs: Sequence[Run], places: frozenset[Place]) -> list[Run]:
    """The first run on each of these places: where none could be, all have the same reason."""
    first = {run.place: run for run in reversed(runs) if run.place in places}
    return [run for run in runs if first.get(run.place) is run]


_COLUMNS: Final = {
    "program": "object",
    "strategy": "object",
    "claim": "object",
    "python": "object",
    "loop": "object",
    "task_factory": "object",
    "behaviour": "object",
    "expected": "object",
    "observed": "object",
    "reason": "object",
    "measured": "object",
    "seconds_low": "float64",
    "seconds_high": "float64",
    "runs": "int64",
}


def _behaviours_of(runs: Iterable[Run], every: frozenset[Place]) -> Iterator[dict[str, Any]]:
    """Rows of the runs of one program and strategy; or of all programs, where none could be run."""
    alike: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        alike.setdefault((run.behaviour, run.expected, run.observed, run.reason), []).append(run)
    pythons = sorted({place[0] for place in every}, key=style.python_order)
    for (behaviour, expected, observed, reason), group in alike.items():
        for block in _blocks(frozenset(run.place for run in group), every, _PLACE):
            mine = [run for run in group if run.place in block.places]
            name = next((name for run in mine for name in run.measured), "")
            seconds = [run.measured[name] for run in mine if name in run.measured]
            python, loop, task_factory = (block.names.get(i, ()) for i in _PLACE)
            yield {
                "python": _range(python, pythons) or ALL,
                "loop": ", ".join(style.ordered(loop)) or ALL,
                "task_factory": ", ".join(style.ordered(task_factory)) or ALL,
                "behaviour": behaviour,
                "expected": expected,
                "observed": observed,
                "reason": reason,
                "measured": name.replace("_", " "),
                "seconds_low": min(seconds, default=math.nan),
                "seconds_high": max(seconds, default=math.nan),
                "runs": len(mine),
            }


def _range(names: Collection[str], pythons: Sequence[str]) -> str:
    """Those Pythons in words; three and more that follow one another by the first and the last."""
    chosen = [python for python in pythons if python in names]
    if len(chosen) > 2 and pythons.index(chosen[-1]) - pythons.index(chosen[0]) < len(chosen):
        return f"{chosen[0]} to {chosen[-1]}"
    return ", ".join(chosen)


_PLACE: Final = (0, 1, 2)
"""The dimensions of a place."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Places that can be said in one breath: by the names along each dimension, where one that is
    left out stands for all.
    """

    names: Mapping[int, Sequence[str]]
    places: frozenset[Place]


def _blocks(
    here: frozenset[Place], every: frozenset[Place], dimensions: Sequence[int]
) -> list[_Block]:
    """Few blocks that together are ``here``, seen as a part of ``every``."""
    if here == every:
        return [_Block({}, here)]
    return min((_split(here, every, dimensions, along) for along in dimensions), key=len)


def _split(
    here: frozenset[Place], every: frozenset[Place], dimensions: Sequence[int], along: int
) -> list[_Block]:
    """Blocks of ``here`` by the names along a dimension, those with the same pattern together."""
    others = [dimension for dimension in dimensions if dimension != along]
    in_here, in_every = _by_name(here, along), _by_name(every, along)
    alike: dict[object, list[str]] = {}
    for name in sorted(in_here, key=style.order if along else style.python_order):
        mine, whole = (
            frozenset(tuple(place[other] for other in others) for place in by_name[name])
            for by_name in (in_here, in_every)
        )
        alike.setdefault("all" if mine == whole else (mine, whole), []).append(name)
    return [
        # Named only where it is not all that there is.
        _Block(
            {along: names, **block.names} if len(names) < len(in_every) else block.names,
            block.places,
        )
        for names in alike.values()
        for block in _blocks(_together(in_here, names), _together(in_every, names), others)
    ]


def _by_name(places: Iterable[Place], dimension: int) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place in places:
        found.setdefault(place[dimension], []).append(place)
    return found


def _together(by_name: Mapping[str, Sequence[Place]], names: Iterable[str]) -> frozenset[Place]:
    return frozenset(place for name in names for place in by_name[name])


# --- timelines -----------------------------------------------------------------------------------


def timelines(witness: Witness) -> pd.DataFrame:
    """Every span in which a process was suspended, a row each, of the runs that wrote a timeline.

    ``python``, ``loop``, ``task_factory``, ``program``, ``summary``, ``strategy`` and ``task`` say
    of which; ``created``, ``started``, ``asleep_from``, ``asleep_to`` and ``finished`` are seconds
    since the launch, and so are ``join_begins`` and ``joined`` of the caller (NaN where it did not
    say).
    """
    import pandas as pd

    summaries = {program.name: program.summary for program in witness.programs}
    rows = []
    for run in witness.runs:
        if run.timeline is None:
            continue
        moments = {mark.name: mark.seconds for mark in run.timeline.marks}
        for task in run.timeline.tasks:
            for start, end in task.spans or ((task.started, task.started),):
                rows.append(
                    {
                        "python": run.python,
                        "loop": run.loop,
                        "task_factory": run.task_factory,
                        "program": run.program,
                        "summary": summaries[run.program],
                        "strategy": run.strategy,
                        "task": task.name,
                        "created": task.created,
                        "started": task.started,
                        "asleep_from": start,
                        "asleep_to": end,
                        "finished": task.finished,
                        "join_begins": moments.get("join begins", math.nan),
                        "joined": moments.get("joined", math.nan),
                    }
                )
    columns = {
        **dict.fromkeys(
            ("python", "loop", "task_factory", "program", "summary", "strategy", "task"), "object"
        ),
        **dict.fromkeys(
            (
                "created", "started", "asleep_from", "asleep_to", "finished",
                "join_begins", "joined",
            ),
            "float64",
        ),
    }  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
