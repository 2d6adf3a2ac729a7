"""The schema of a results folder: ``campaign.json``, ``rounds.jsonl`` and ``witness.json``.

The driver writes these records and the analysis reads them. msgspec decodes them, so that an error
names the field (``cases[2].tasks``). What a type cannot say is in :mod:`analysis.read.rules`.
Campaigns of schema 1 are still read: they kept the mean of every slice, measured after a full
collection (:class:`OldRoundLine`).
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias, TypeVar, Union

import msgspec
from msgspec import Meta, field

SCHEMA: Final = 2
CAMPAIGN_FILE: Final = "campaign.json"
JOURNAL_FILE: Final = "rounds.jsonl"
WITNESS_FILE: Final = "witness.json"

# typing.Union: msgspec evaluates these at run time, on Python 3.10 too.
Scalar: TypeAlias = Union[str, int, float, bool, None]  # noqa: UP007
"""A free-form fact."""
Facts: TypeAlias = dict[str, Scalar]

_UNPRINTABLE: Final = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
PLAIN: Final = rf"^[^{_UNPRINTABLE}]+\Z"
"""Names are one line without control characters, which could drive a terminal or disguise text."""
Name: TypeAlias = Annotated[str, Meta(pattern=PLAIN, max_length=1000)]
_IN_FILE_NAME: Final = rf"[^{_UNPRINTABLE}/\\]"
FileStem: TypeAlias = Annotated[str, Meta(pattern=rf"^(?!\.){_IN_FILE_NAME}+\Z", max_length=200)]
"""Part of a file's name: no folder, and not hidden."""
Text: TypeAlias = Annotated[str, Meta(max_length=10_000)]
MOST_SECONDS: Final = 1e9
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=MOST_SECONDS)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**62)]
Tasks: TypeAlias = Annotated[int, Meta(ge=1, le=10**9)]
Sweeps: TypeAlias = Annotated[int, Meta(ge=0, le=10_000)]
MOST_ROUNDS: Final = 10_000
RoundNumber: TypeAlias = Annotated[int, Meta(ge=0, lt=MOST_ROUNDS)]

Unit: TypeAlias = Literal["second", "byte"]
"""What a metric is measured in, in pyperf's words."""
Role: TypeAlias = Literal["baseline", "contender", "control"]
Status: TypeAlias = Literal["running", "complete", "interrupted", "failed"]

USUAL_COLLECTOR: Final = "on"
NO_PAUSE: Final = "none"
COLLECTIONS: Final = "collections"
"""What is observed of every batch beside what its probe counts."""
CPU_SHARE: Final = "cpu_share"
"""The same of time on the core in wall time."""
ERRORS: Final = "errors"
"""The same of calls of the user's own work that raise."""

EVERYWHERE: Final = (COLLECTIONS, CPU_SHARE, ERRORS)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What every record is: immutable, its fields given by name."""


class Word(Record, frozen=True, kw_only=True):
    """A name, what readers call it, and what it means, in a few words."""

    name: Name
    label: Name
    meaning: Text = ""


class Strategy(Word, frozen=True, kw_only=True):
    """``concurrent`` is False where the children run one after another. With a limit it ``bounds``
    how many of them are active at a time.
    """

    concurrent: bool = True
    bounds: bool = False


class Workload(Word, frozen=True, kw_only=True):
    """``waits``: most of its time is waiting, so it says little of what a task costs."""

    waits: bool = False


class Metric(Word, frozen=True, kw_only=True):
    """``per_task``: it grows with the number of tasks, and is shown divided by it. ``of_one`` task:
    it counts from that task's own start.
    """

    unit: Unit = "second"
    per_task: bool = False
    of_one: bool = False


class Probe(Word, frozen=True, kw_only=True):
    """What is timed, shown under the heading ``section``. ``answers``: its headline metric is what
    the answer is about. ``observed`` names what it counts beside the timed values.
    """

    section: Text
    introduction: Text = ""
    metrics: tuple[Metric, ...]
    observed: tuple[Word, ...] = ()
    answers: bool = False


class Definitions(Record, frozen=True, kw_only=True):
    """Everything that a campaign names, in reading order."""

    strategies: tuple[Strategy, ...] = ()
    workloads: tuple[Workload, ...] = ()
    probes: tuple[Probe, ...] = ()
    loops: tuple[Word, ...] = ()
    task_factories: tuple[Word, ...] = ()
    collectors: tuple[Word, ...] = ()
    pauses: tuple[Word, ...] = ()


class Refusal(Record, frozen=True, kw_only=True):
    """What an interpreter was found not to do; None stands for every one."""

    reason: Text
    loop: Name | None = None
    task_factory: Name | None = None
    collector: Name | None = None


class Interpreter(Record, frozen=True, kw_only=True):
    """A Python, its build as far as it says, and the packages of its environment."""

    name: FileStem
    version: Name
    implementation: Name
    build: Facts
    packages: Facts = field(default_factory=dict)
    environment: Text = ""
    refusals: tuple[Refusal, ...] = ()

    @property
    def minor_version(self) -> tuple[int, int]:
        """(3, 14) for 3.14.1."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    @property
    def version_label(self) -> str:
        """Its version as people write it: "3.13.1t" is free-threaded, "3.13.1d" a debug build."""
        implementation = "" if self.implementation == "cpython" else f"{self.implementation} "
        free_threaded = "t" if self.build.get("free_threaded") is True else ""
        debug = "d" if self.build.get("debug") is True else ""
        return f"{implementation}{self.version}{free_threaded}{debug}"


class Contender(Record, frozen=True, kw_only=True):
    """Python x event loop x task factory x collector x strategy, in a process of its own; with a
    ``limit``, at most so many children are active at a time.
    """

    id: Name
    interpreter: Name
    loop: Name
    task_factory: Name
    strategy: Name
    collector: Name = USUAL_COLLECTOR
    limit: Tasks | None = None
    role: Role
    conditions: Facts = field(default_factory=dict)

    @property
    def group(self) -> tuple[str, str, str, str]:
        """Contenders of one group share one baseline."""
        return (self.interpreter, self.loop, self.task_factory, self.collector)

    @property
    def variant(self) -> str:
        """What sets contenders of one group apart: the strategy, with its limit."""
        return self.strategy if self.limit is None else f"{self.strategy} ({self.limit})"


class Case(Record, frozen=True, kw_only=True):
    """Probe x workload x n x pause: what every contender is asked to do.

    ``loops`` batches are a block, ``blocks`` blocks a slice, ``sweeps`` slices the least of a
    round; 0 until calibrated. A round's values are reduced to their ``quantile``; with ``splits``
    they are those of the code, and the collector's share is added. The answer is about cases that
    ``answer``. A case that the budget is too small for is ``left_out``, for that reason.

    The caller pauses between creating its children and joining them; they run meanwhile where it
    ``pause_suspends``. ``work_seconds`` is how long one task takes by construction, None where
    nothing says. ``tasks_each`` are the tasks that one of the n makes in all, itself included.
    ``units`` are those of metrics not in seconds.
    """

    id: Name
    probe: Name
    workload: Name
    tasks: Tasks
    metrics: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=200)]
    headline_metric: Name
    sweeps: Sweeps = 0
    loops: Count = 0
    blocks: Count = 0
    quantile: Share = 0.5
    splits: bool = False
    answers: bool = False
    left_out: Text = ""
    pause: Name = NO_PAUSE
    pause_seconds: Seconds = 0.0
    pause_suspends: bool = False
    work_seconds: Seconds | None = None
    tasks_each: Tasks = 1
    units: dict[str, Unit] = field(default_factory=dict)

    def unit(self, metric: str) -> Unit:
        """What one of its metrics is measured in."""
        return self.units.get(metric, "second")


class Block(Record, frozen=True, kw_only=True):
    """Every contender of a block is asked every case of it; both by their ids."""

    contenders: Annotated[tuple[Name, ...], Meta(max_length=20_000)]
    cases: Annotated[tuple[Name, ...], Meta(max_length=20_000)]


class Wanted(Record, frozen=True, kw_only=True):
    """A contender that was asked for; only an interpreter, where that is what is missing."""

    interpreter: Name
    loop: Name | None = None
    task_factory: Name | None = None
    strategy: Name | None = None
    collector: Name | None = None


class Skipped(Record, frozen=True, kw_only=True):
    """What was asked for and is not measured, and why."""

    contender: Wanted
    reason: Text


class Failure(Record, frozen=True, kw_only=True):
    """A contender that failed in a case, and is not asked it again. Both by their ids."""

    contender: Name
    case: Name
    round: RoundNumber
    cause: Text


class Allocated(Record, frozen=True, kw_only=True):
    """Why a case has its number of slices: what the pilot saw of it.

    ``slice_sd`` is that of ln(value) over the slices of one process, ``round_sd`` that of D over
    rounds beyond it; None where the pilot cannot tell. ``sweep_seconds`` is a turn of each
    contender.
    """

    case: Name
    sweeps: Sweeps
    slice_sd: Seconds | None = None
    round_sd: Seconds | None = None
    sweep_seconds: Seconds


class Allocation(Record, frozen=True, kw_only=True):
    """How a round's time is given to cases, after ``pilot_rounds`` of ``pilot_sweeps`` each."""

    pilot_rounds: Count
    pilot_sweeps: Sweeps
    start_seconds: Seconds
    cases: Annotated[tuple[Allocated, ...], Meta(max_length=200_000)]


class Own(Record, frozen=True, kw_only=True):
    """A workload or a strategy of the user's own: the hash of its file, and how it is called."""

    name: Name
    kind: Name
    sha256: Text
    warmups: Count = 1
    counts_errors: bool = False


class Plan(Record, frozen=True, kw_only=True):
    """``campaign.json``: what is measured and where, and what has become of it so far.

    ``precision`` is a share, ``cooldown_seconds`` the rest before each turn. Without ``blocks``
    every contender is asked every case. What is the user's ``own`` has ``requirements``, which
    were installed, and ``variables`` of the environment. ``rounds`` are the complete ones.
    ``allocation`` is None until the pilot has ended.
    """

    schema: Literal[1, 2] = SCHEMA
    name: Name
    preset: Text
    seed: Annotated[int, Meta(ge=0)]
    budget_seconds: Seconds
    precision: Share
    turn_limit_seconds: Seconds = 60.0
    cooldown_seconds: Seconds = 0.0
    slice_seconds: Seconds
    code_hash: Text
    created: Text
    machine: dict[str, Union[Scalar, list[Scalar]]]  # noqa: UP007
    interpreters: Annotated[tuple[Interpreter, ...], Meta(max_length=1000)]
    contenders: Annotated[tuple[Contender, ...], Meta(max_length=200_000)]
    cases: Annotated[tuple[Case, ...], Meta(max_length=200_000)]
    skipped: Annotated[tuple[Skipped, ...], Meta(max_length=200_000)] = ()
    blocks: Annotated[tuple[Block, ...], Meta(max_length=1000)] = ()
    definitions: Definitions = field(default_factory=Definitions)
    own: Annotated[tuple[Own, ...], Meta(max_length=1000)] = ()
    requirements: Annotated[tuple[Text, ...], Meta(max_length=1000)] = ()
    variables: Annotated[tuple[Text, ...], Meta(max_length=1000)] = ()
    allocation: Allocation | None = None
    status: Status
    finished: Text | None = None
    elapsed_seconds: Seconds = 0.0
    rounds: Annotated[int, Meta(ge=0, le=MOST_ROUNDS)] = 0
    peak_worker_bytes: Count = 0
    peak_driver_bytes: Count = 0
    failed: Annotated[tuple[Failure, ...], Meta(max_length=200_000)] = ()


QUANTILES: Final = (0.05, 0.10, 0.25, 0.50, 0.75)
"""Those that a cell keeps of its blocks."""

MICROS: Final = 1e6
RARE_US: Final = 2000.0
"""A collector called less often than this needs over 0.2 s for a cycle of its generations."""
Micros: TypeAlias = Annotated[float, Meta(ge=0, le=1e15)]
"""Microseconds, or bytes where the metric's unit says so."""


CpuShare: TypeAlias = Annotated[float, Meta(ge=0, le=100)]
"""Of the wall time; clocks differ, so that it may be above 1."""


class Cell(Record, frozen=True, kw_only=True, array_like=True):
    """One contender in one case and round, reduced from its slices. An array in the file.

    ``quantiles``, shape (metrics, :data:`QUANTILES`), of the values of all blocks, per batch; with
    ``splits`` those of the code. ``means``, shape (metrics, slices), likewise. ``batches`` and
    ``timed_us`` of all slices; ``collections`` of all slices, a number and microseconds by
    generation, none where there were none; ``cycles`` of the collector that so many should make, 0
    where that is not known. ``cpu_shares``, of the wall time, and ``switches`` are
    by slice; ``switches``, and ``set_aside``, the indexes of the slices that were taken again, are
    empty where there are none. A slice that was set aside is in the means and in the collections,
    not in the quantiles. ``observed`` means per batch, in the order of the probe. ``errors`` of
    all slices: calls of the user's own work that have raised.
    """

    quantiles: Annotated[list[list[Micros]], Meta(min_length=1, max_length=200)]
    means: Annotated[list[list[Micros]], Meta(min_length=1, max_length=200)]
    batches: Annotated[int, Meta(ge=1, le=2**62)]
    timed_us: Micros
    collections: Annotated[list[tuple[Count, Micros]], Meta(max_length=10)]
    cycles: Annotated[float, Meta(ge=0, le=1e15)] = 0.0
    cpu_shares: Annotated[list[CpuShare], Meta(max_length=10_000)] = field(default_factory=list)
    switches: Annotated[list[Count], Meta(max_length=10_000)] = field(default_factory=list)
    set_aside: Annotated[list[Count], Meta(max_length=10_000)] = field(default_factory=list)
    observed: Annotated[list[Micros], Meta(max_length=100)] = field(default_factory=list)
    errors: Count = 0

    def counted(self, names: Sequence[str]) -> dict[str, float]:
        """Means per batch of what was observed, which the probe calls so, of collections, the share
        of time on the core, and errors.
        """
        seen = {**dict(zip(names, self.observed, strict=True))}
        seen[COLLECTIONS] = sum(count for count, _ in self.collections) / self.batches
        if self.cpu_shares:
            seen[CPU_SHARE] = statistics.fmean(self.cpu_shares)
        seen[ERRORS] = self.errors / self.batches
        return seen

    @property
    def timed_seconds(self) -> float:
        return self.timed_us / MICROS

    @property
    def slices(self) -> int:
        return len(self.means[0])

    @property
    def all_collections_us(self) -> float:
        """Microseconds of all collections, as they were."""
        return sum(us for _, us in self.collections)

    @property
    def collector_us(self) -> float:
        """Microseconds of the collector in all batches; 0 where it is called so rarely that what
        surrounds the slices has as much to do with it as the fan-outs have.
        """
        if sum(count for count, _ in self.collections) * RARE_US <= self.timed_us:
            return 0.0
        full, full_us = self.collections[-1]
        # A cycle has one full collection: how often its end was in these slices is chance.
        share = self.cycles / full if 0 < self.cycles <= 2 * full else 1.0
        return self.all_collections_us + (share - 1) * full_us

    def code(self, metric: int, case: Case) -> float:
        """The undisturbed value of a metric, per batch, in seconds or bytes; without what the
        collector takes where that is split.
        """
        value = self.quantiles[metric][QUANTILES.index(case.quantile)]
        return value / MICROS if case.unit(case.metrics[metric]) == "second" else value

    def cost(self, metric: int, case: Case) -> float:
        """What the round says: the code and, where it is split, the collector's share of the same
        batches. Code and collector are slowed down alike, so their quotient is steady.
        """
        code = self.code(metric, case)
        of_code = self.timed_us - self.all_collections_us
        return code * (1 + self.collector_us / of_code) if case.splits and of_code > 0 else code


class RoundLine(Record, frozen=True, kw_only=True):
    """A line of the journal: one case of one round. ``cells`` by the contender's place in the plan,
    from 0; failures by its id.
    """

    schema: Literal[2] = SCHEMA
    round: RoundNumber
    case: Name
    started: Text
    wall_seconds: Seconds
    steal_seconds: Seconds
    cells: dict[int, Cell]
    failures: dict[str, Text] = field(default_factory=dict)


Series: TypeAlias = Annotated[list[float], Meta(min_length=1, max_length=10_000)]


class OldCell(Record, frozen=True, kw_only=True):
    """Schema 1: by name, the mean of one batch in every slice, in order of the sweeps."""

    loops: Annotated[int, Meta(ge=1, le=2**62)]
    timed_seconds: Seconds
    values: dict[str, Series]
    observed: dict[str, Series] = field(default_factory=dict)

    @property
    def slices(self) -> int:
        return len(next(iter(self.values.values()), []))

    @property
    def batches(self) -> int:
        return self.loops * self.slices

    def cost(self, metric: int, case: Case) -> float:
        """The median over slices, per batch, in seconds or bytes."""
        return statistics.median(self.values[case.metrics[metric]])

    def counted(self, names: Sequence[str]) -> dict[str, float]:
        """Means per batch of what was observed, by name."""
        return {name: statistics.fmean(series) for name, series in self.observed.items()}


class OldRoundLine(Record, frozen=True, kw_only=True):
    """Schema 1: cells and failures by the contender's id."""

    schema: Literal[1]
    round: RoundNumber
    case: Name
    started: Text
    wall_seconds: Seconds
    steal_seconds: Seconds
    cells: dict[str, OldCell]
    failures: dict[str, Text] = field(default_factory=dict)


class Program(Record, frozen=True, kw_only=True):
    """A small program that shows how tasks behave, and the claim that it tests."""

    name: Name
    summary: Text
    claim: Text


class ProgramRun(Record, frozen=True, kw_only=True):
    """A program on one contender; ``strategy`` is empty where it needs none. It ``holds`` when what
    was observed is what was expected; None where it could not run, and ``reason`` says why.
    """

    interpreter: Name
    loop: Name
    task_factory: Name
    program: Name
    strategy: str = ""
    holds: bool | None
    expected: Text = ""
    observed: Text = ""
    reason: Text = ""


class Witness(Record, frozen=True, kw_only=True):
    """``witness.json``: programs, and every run of them."""

    schema: Literal[1, 2] = SCHEMA
    programs: Annotated[tuple[Program, ...], Meta(max_length=1000)]
    runs: Annotated[tuple[ProgramRun, ...], Meta(max_length=100_000)]


class UnknownPythonError(ValueError):
    """No Python of a campaign, or more than one, is called that; the message names them all."""


def python_labels(interpreters: Sequence[Interpreter]) -> tuple[str, ...]:
    """What readers call each: its version or, where several have the same, its name."""
    times = Counter(one.version_label for one in interpreters)
    return tuple(
        one.name if times[one.version_label] > 1 else one.version_label for one in interpreters
    )


def python_called(name: str, interpreters: Sequence[Interpreter]) -> Interpreter:
    """The interpreter of this label or name, or whose version begins so ("3.13" for 3.13.1).

    Raises UnknownPythonError unless it is exactly one.
    """
    labels = python_labels(interpreters)
    pairs = list(zip(interpreters, labels, strict=True))
    exact = [one for one, label in pairs if name in (label, one.name)]
    found = exact or [one for one, label in pairs if _is_short_for(name, label)]
    if len(found) != 1:
        which = "several Pythons are" if found else "no Python is"
        raise UnknownPythonError(
            f"{which} called {name!r}: choose from {', '.join(labels) or 'none'}"
        )
    return found[0]


def _is_short_for(name: str, label: str) -> bool:
    """Whether ``name`` is the label without its last numbers: "3.13t" for "3.13.1t"."""
    bare, whole = name.rstrip("td"), label.rstrip("td")
    return bool(bare) and name[len(bare) :] == label[len(whole) :] and whole.startswith(f"{bare}.")


AnyRecord = TypeVar("AnyRecord", bound=Record)


class SchemaError(ValueError):
    """Bytes that are not such a record; the message names the field and what is wrong with it."""


def decode(data: bytes, kind: type[AnyRecord]) -> AnyRecord:
    """The record in ``data``, JSON in UTF-8. Raises SchemaError, whatever the bytes are."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        if "matching regex" in what:
            what = "is empty, or not one plain line"
        raise SchemaError(f"{place.strip('.`')}: {what}" if place else what) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SchemaError(f"is not JSON: {error}") from None
    except RecursionError:
        raise SchemaError("is nested too deeply") from None


def encode(record: Record) -> bytes:
    """The record as one line of JSON, without its end."""
    return msgspec.json.encode(record)


def encode_pretty(record: Record) -> bytes:
    """The record as indented JSON, for people to read."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"
