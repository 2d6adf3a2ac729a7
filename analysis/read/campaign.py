"""What a campaign is, as data. Reading it is :mod:`analysis.read.load`'s part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from msgspec.structs import replace
from numpy.typing import NDArray

from analysis.read.files import Problem
from benchmarks.campaign import schema
from benchmarks.campaign.schema import Scalar

IntArray: TypeAlias = NDArray[np.int64]

CONTROL: Final = "control"


class CampaignError(ValueError):
    """A campaign that cannot be used; carries every problem found, in files of ``folder``."""

    def __init__(self, problems: Sequence[Problem], folder: Path | None = None) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{folder}/{one}" if folder else str(one) for one in problems))


# --- interpreters and contenders ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Family:
    """The facts of a build that change its speed; None is what the builder does not state.

    A trend from one version to the next is drawn within a family only: an unoptimised build can
    cost more than three versions gain.
    """

    implementation: str
    builder: Scalar
    free_threaded: bool
    debug: bool
    jit: bool
    pgo: Scalar
    lto: Scalar
    compiler: Scalar

    @property
    def label(self) -> str:
        """The family in words: ``debian, no LTO, PGO not stated, GCC 14.2.0``."""
        parts = (
            "" if self.implementation == "cpython" else self.implementation,
            "builder not stated" if self.builder is None else str(self.builder),
            "free-threaded" if self.free_threaded else "",
            "debug" if self.debug else "",
            "JIT on" if self.jit else "",
            _optimisation("PGO", self.pgo),
            _optimisation("LTO", self.lto),
            "compiler not stated" if self.compiler is None else str(self.compiler),
        )
        return ", ".join(filter(None, parts))


def _optimisation(name: str, value: Scalar) -> str:
    if value is None:
        return f"{name} not stated"
    return name if value else f"no {name}"


class Interpreter(schema.Interpreter, frozen=True, kw_only=True):
    """A Python of the campaign. ``label`` is what readers see: its version, or its name where
    several builds have that version.
    """

    label: str

    @property
    def family(self) -> Family:
        """What must agree between two interpreters for a trend from one to the other."""
        facts = self.build.items()
        build = {name: one.strip() if isinstance(one, str) else one for name, one in facts}
        return Family(
            implementation=self.implementation,
            builder=build.get("builder"),
            free_threaded=bool(build.get("free_threaded")),
            debug=bool(build.get("debug")),
            jit=build.get("jit") == "on",  # one that is built in and off costs nothing
            pgo=build.get("pgo"),
            lto=build.get("lto"),
            compiler=build.get("compiler"),
        )


class Contender(schema.Contender, frozen=True, kw_only=True):
    """A contender of the campaign; ``python`` is the label of its interpreter, ``strategy`` its
    variant: one that bounds is another strategy with every limit. The ``pattern`` has them all.
    """

    python: str
    pattern: str

    @property
    def name(self) -> str:
        """The strategy, or ``control``."""
        return CONTROL if self.role == CONTROL else self.strategy


# --- words ----------------------------------------------------------------------------------------

_VERSION: Final = re.compile(r"(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?:(a|b|c|rc)(\d{1,9}))?")
_STAGES: Final = {"a": 0, "b": 1, "c": 2, "rc": 2, None: 3}

Order: TypeAlias = "tuple[tuple[int, ...], str]"


def python_order(label: str) -> Order:
    """Sort key of a Python by the version in its label, CPython first: 3.9, 3.10, 3.15.0a1, 3.15.0,
    3.15.0t. Labels without a version come last.
    """
    found = _VERSION.search(label)
    if found is None:
        return (2,), label
    major, minor, micro, stage, serial = found.groups()
    numbers = (int(major), int(minor), int(micro or 0), _STAGES[stage], int(serial or 0))
    other = found.start() > 0 and not label.startswith("cpython")
    return (int(other), *numbers), label


def newest_of(labels: Iterable[str]) -> str:
    """The newest release among these Pythons, or the newest where none is a release."""
    labels = list(labels)
    # Several builds of one version have the names of their interpreters.
    releases = [
        label for label in labels if re.fullmatch(r"(?:cpython-)?[\d.]+(?:\+[^+]+)?", label)
    ]
    return max(releases or labels, key=python_order, default="")


_LONGEST_LABEL: Final = 40


def _readable(name: str) -> str:
    """A name that nothing defines, as a reader can take it: "a_b" -> "a b"."""
    text = name.replace("_", " ").strip() or name
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _variants(plan: schema.Plan) -> Iterator[schema.Strategy]:
    """The strategies of a plan; one that bounds with each of its limits, the smallest first."""
    for word in plan.definitions.strategies:
        variants = {one.limit or 0: one for one in plan.contenders if one.strategy == word.name}
        if not variants:
            yield word
        for limit, one in sorted(variants.items()):
            label = f"{word.label}, {limit} at a time" if limit else word.label
            yield replace(word, name=one.variant, label=label)


class Vocabulary:
    """What the names of a campaign mean, as its ``definitions`` say.

    Kinds are those of the columns: strategy, pattern, workload, loop, task_factory, collector,
    pause, probe, python. A name that is not defined, as in campaigns of before there were
    definitions, gets a readable label and its place in the plan.
    """

    def __init__(self, plan: schema.Plan) -> None:
        named, contenders, cases = plan.definitions, plan.contenders, plan.cases
        kinds: dict[str, tuple[Iterable[schema.Word], Iterable[str]]] = {
            "strategy": (_variants(plan), (one.variant for one in contenders)),
            "pattern": (named.strategies, (one.strategy for one in contenders)),
            "workload": (named.workloads, (one.workload for one in cases)),
            "loop": (named.loops, (one.loop for one in contenders)),
            "task_factory": (named.task_factories, (one.task_factory for one in contenders)),
            "collector": (named.collectors, (one.collector for one in contenders)),
            "pause": (named.pauses, (one.pause for one in cases)),
            "probe": (named.probes, (one.probe for one in cases)),
        }
        self._defined: dict[str, dict[str, schema.Word]] = {}
        self._places: dict[str, dict[str, int]] = {}
        for kind, (words, in_plan) in kinds.items():
            self._defined[kind] = {word.name: word for word in words}
            names = dict.fromkeys((*self._defined[kind], *in_plan))
            self._places[kind] = {name: place for place, name in enumerate(names)}
        self._units = {
            (case.probe, metric): case.unit(metric)
            for case in plan.cases
            for metric in case.metrics
        }

    def label(self, kind: str, name: str) -> str:
        """What readers call it."""
        word = self._defined.get(kind, {}).get(name)
        return name if kind == "python" else word.label if word else _readable(name)

    def meaning(self, kind: str, name: str) -> str:
        """What it means, in a few words; empty when that is not said."""
        word = self._defined.get(kind, {}).get(name)
        return word.meaning if word else ""

    def order(self, kind: str, name: str) -> Order:
        """Sort key of a name within its kind."""
        if kind == "python":
            return python_order(name)
        if name.isdecimal():
            return (int(name),), name
        places = self._places.get(kind, {})
        return (places.get(name, len(places)),), name

    def probe(self, name: str) -> schema.Probe:
        """A probe with its metrics."""
        found = self._defined["probe"].get(name)
        if isinstance(found, schema.Probe):
            return found
        label = _readable(name)
        metrics = tuple(self._unknown(*key) for key in self._units if key[0] == name)
        return schema.Probe(name=name, label=label, section=label.capitalize(), metrics=metrics)

    def metric(self, probe: str, name: str) -> schema.Metric:
        """A metric of a probe."""
        found = {metric.name: metric for metric in self.probe(probe).metrics}
        return found[name] if name in found else self._unknown(probe, name)

    def observed(self, probe: str, name: str) -> schema.Word:
        """What a probe counts beside the timed values."""
        found = {word.name: word for word in self.probe(probe).observed}
        return found[name] if name in found else schema.Word(name=name, label=_readable(name))

    def waits(self, workload: str) -> bool | None:
        """Whether a workload mostly waits; None when that is not said."""
        found = self._defined["workload"].get(workload)
        return found.waits if isinstance(found, schema.Workload) else None

    def is_concurrent(self, strategy: str) -> bool:
        """Whether a strategy runs its children concurrently."""
        found = self._defined["strategy"].get(strategy)
        return found.concurrent if isinstance(found, schema.Strategy) else True

    def _unknown(self, probe: str, name: str) -> schema.Metric:
        unit = self._units.get((probe, name), "second")
        return schema.Metric(name=name, label=_readable(name), unit=unit, per_task=unit == "byte")


# --- values ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Journal:
    """The values of ``rounds.jsonl`` as arrays: one of each contender, case, metric and round.

    ``contender`` and ``case`` index the plan's, ``metric`` the metrics of the case. ``values`` are
    what the round says, per batch, in seconds or bytes; ``collector`` the part that the collector
    took, nan where that is not known; ``batches`` those behind it.
    """

    round: IntArray
    contender: IntArray
    case: IntArray
    metric: IntArray
    batches: IntArray
    values: NDArray[np.float64]
    collector: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Sequence[tuple[float, ...]] = ()) -> Journal:
        """From rows with these fields."""
        columns = np.array(rows, dtype=np.float64).reshape(-1, len(cls.__slots__)).T
        round_, contender, case, metric, batches = columns[:5].astype(np.int64)
        return cls(round_, contender, case, metric, batches, columns[5], columns[6])


NAMES_OF_CONTENDER: Final = (
    *("python", "loop", "task_factory", "collector"),
    *("strategy", "pattern", "role"),
)
VALUE_COLUMNS: Final = (
    *("campaign", "machine", *NAMES_OF_CONTENDER, "limit"),
    *("contender", "case", "probe", "metric", "workload", "tasks", "pause"),
    *("round", "batches", "seconds", "collector_seconds", "bytes"),
)


@dataclass(frozen=True)
class Campaign:
    """One results folder, read.

    ``lines`` has a row per journal line (round, case, wall_seconds, steal_seconds, timed_seconds),
    ``observed`` a row per contender, case, round and name of what
    was counted beside the values (value: the mean over sweeps, per batch). ``failed`` joins the
    failures of the plan and of the journal. What ``problems`` call wrong is nan, or left out.
    """

    folder: Path
    plan: schema.Plan
    interpreters: tuple[Interpreter, ...] = ()
    contenders: tuple[Contender, ...] = ()
    journal: Journal = field(default_factory=Journal.of, repr=False)
    lines: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    observed: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    failed: tuple[schema.Failure, ...] = ()
    problems: tuple[Problem, ...] = ()
    witness: schema.Witness | None = None

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def status(self) -> str:
        return self.plan.status

    @property
    def machine(self) -> Mapping[str, Scalar | list[Scalar]]:
        return self.plan.machine

    @property
    def cases(self) -> tuple[schema.Case, ...]:
        return self.plan.cases

    @property
    def skipped(self) -> tuple[schema.Skipped, ...]:
        return self.plan.skipped

    @property
    def usual(self) -> Mapping[str, str]:
        """The plan's first task factory and collector, by column: what is shown unless asked
        otherwise, and what the answer is about.
        """
        axes = ("task_factory", "collector")
        return {axis: getattr(one, axis) for one in self.contenders[:1] for axis in axes}

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    @cached_property
    def words(self) -> Vocabulary:
        """What the campaign's names mean."""
        return Vocabulary(self.plan)

    @cached_property
    def rounds(self) -> int:
        """Rounds with values of every case that is measured, whatever the plan says; a case in
        which contenders failed may have ended before others. Of schema 1, where precise cases left,
        all rounds with values count.
        """
        journal = self.journal
        numbers, index = np.unique(journal.round, return_inverse=True)
        if self.is_old or not len(numbers):
            return len(numbers)
        there = np.zeros((len(numbers), len(self.cases)), dtype=bool)
        there[index, journal.case] = True
        failed = {one.case for one in self.failed}
        for place, case in enumerate(self.cases):
            if case.id in failed and there[:, place].any():
                there[np.flatnonzero(there[:, place])[-1] :, place] = True
        return int(there[:, there.any(axis=0)].all(axis=1).sum())

    @property
    def is_old(self) -> bool:
        """Whether it was measured the old way: the mean of slices after a full collection."""
        return self.plan.schema == 1

    @cached_property
    def asked(self) -> NDArray[np.bool_]:
        """Whether a contender is asked a case, shape (contenders, cases)."""
        return asked(self.plan)

    @cached_property
    def values(self) -> pd.DataFrame:
        """A row per value, columns :data:`VALUE_COLUMNS`: ``seconds`` per batch, of the whole
        fan-out, or ``bytes``; the other one is nan. Texts are categorical.
        """
        journal, plan = self.journal, self.plan
        measures = [(case, metric) for case in plan.cases for metric in case.metrics]
        first = np.cumsum([0, *(len(case.metrics) for case in plan.cases)])
        by_measure = {
            **{
                name: [getattr(case, name) for case, _ in measures]
                for name in ("probe", "workload", "tasks", "pause")
            },
            "case": [case.id for case, _ in measures],
            "metric": [metric for _, metric in measures],
            "in_bytes": [case.unit(metric) == "byte" for case, metric in measures],
        }
        by_contender = {
            **{
                name: [getattr(one, name) for one in self.contenders] for name in NAMES_OF_CONTENDER
            },
            "contender": [one.id for one in self.contenders],
            "campaign": [plan.name] * len(self.contenders),
            "machine": [str(plan.machine.get("id", ""))] * len(self.contenders),
        }
        of_contender = _categorical(by_contender).assign(limit=limits_of(self.contenders))
        measure = first[journal.case] + journal.metric
        cells = pd.concat(
            [
                of_contender.take(journal.contender).reset_index(drop=True),
                _categorical(by_measure).take(measure).reset_index(drop=True),
            ],
            axis=1,
        )
        frame = cells.assign(round=journal.round, batches=journal.batches)
        is_bytes, values = frame["in_bytes"].to_numpy(bool), journal.values
        frame["seconds"] = np.where(is_bytes, np.nan, values)
        frame["collector_seconds"] = journal.collector
        frame["bytes"] = np.where(is_bytes, values, np.nan)
        return frame.loc[~np.isnan(values), list(VALUE_COLUMNS)].reset_index(drop=True)


def asked(plan: schema.Plan) -> NDArray[np.bool_]:
    """Whether a contender of a plan is asked a case, shape (contenders, cases)."""
    if not plan.blocks:
        return np.ones((len(plan.contenders), len(plan.cases)), dtype=bool)
    found = np.zeros((len(plan.contenders), len(plan.cases)), dtype=bool)
    contender_of = {contender.id: index for index, contender in enumerate(plan.contenders)}
    case_of = {case.id: index for index, case in enumerate(plan.cases)}
    for block in plan.blocks:
        rows = [contender_of[id_] for id_ in block.contenders]
        found[np.ix_(rows, [case_of[id_] for id_ in block.cases])] = True
    return found


def limits_of(contenders: Iterable[schema.Contender]) -> pd.Series[int]:
    """The limit of each of them, missing where it has none."""
    return pd.Series([one.limit for one in contenders], dtype="Int64")


def _categorical(columns: Mapping[str, Sequence[object]]) -> pd.DataFrame:
    """Columns, those of texts as categories in the order of their first."""
    frame = pd.DataFrame(columns)
    kinds = {
        name: pd.CategoricalDtype(pd.Index(list(dict.fromkeys(of)), dtype=object))
        for name, of in columns.items()
        if all(isinstance(value, str) for value in of)
    }
    return frame.astype(kinds)
