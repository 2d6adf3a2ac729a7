"""What a campaign folder says, as data. Reading it is :mod:`analysis.load`'s part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from analysis.builds import Family, family_of
from analysis.validate import Problem, Scalar

if TYPE_CHECKING:
    import pandas as pd

    from analysis.witness import Witness

Unit: TypeAlias = Literal["second", "byte"]
SECOND: Final = "second"
BYTE: Final = "byte"
UNITS: Final[tuple[Unit, ...]] = (SECOND, BYTE)
"""What a metric is measured in, in pyperf's words."""

COLLECTOR_ON: Final = "on"
"""The collector as a program has it unless it says otherwise."""
NO_PAUSE: Final = "none"
"""The caller does nothing between creating its children and joining them."""


class CampaignError(ValueError):
    """A campaign that cannot be used; carries every problem found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True, slots=True)
class Interpreter:
    """``label`` is what tables call it: its version, made unique within the campaign."""

    name: str
    version: str
    implementation: str
    label: str
    build: Mapping[str, Scalar]
    packages: Mapping[str, Scalar]

    @property
    def build_label(self) -> str:
        """The build in words, for one table cell: ``optimised, pgo, lto``."""
        said = [key for key, value in self.build.items() if value is True]
        return ", ".join(said) or "plain"

    @property
    def version_label(self) -> str:
        """Implementation and version in short, not unique: ``3.14.0``, ``3.14.0t``."""
        label = self.version
        if self.implementation != "cpython":
            label = f"{self.implementation} {label}"
        label += "t" if self.build.get("free_threaded") is True else ""
        return label + ("d" if self.build.get("debug") is True else "")

    @property
    def family(self) -> Family:
        """What must agree between two interpreters for a trend from one to the other."""
        return family_of(self.implementation, self.build)


@dataclass(frozen=True, slots=True)
class Contender:
    """Python x event loop x task factory x collector x strategy, in a process of its own."""

    id: str
    interpreter: str
    python: str
    build: str
    loop: str
    task_factory: str
    strategy: str
    role: Literal["baseline", "contender", "control"]
    conditions: Mapping[str, Scalar]
    collector: str = COLLECTOR_ON

    @property
    def group(self) -> tuple[str, str, str, str]:
        """Contenders of one group share one baseline."""
        return (self.interpreter, self.loop, self.task_factory, self.collector)

    @property
    def name(self) -> str:
        """What tables call it: the strategy, or ``control``."""
        return "control" if self.role == "control" else self.strategy


@dataclass(frozen=True, slots=True)
class Case:
    """Probe x workload x n x pause. ``sweeps`` is 0 until calibrated.

    The pause is what the caller does between creating its children and joining them:
    ``pause_seconds`` long, and giving way to them only where it ``pause_suspends``.
    ``work_seconds`` is how long one task takes by construction, None where it is not given.
    ``tasks_each`` are the tasks that one of the n makes in all. ``units`` are those of metrics
    that are not in seconds.
    """

    id: str
    probe: str
    workload: str
    tasks: int
    sweeps: int
    metrics: tuple[str, ...]
    headline_metric: str
    pause: str = NO_PAUSE
    pause_seconds: float = 0.0
    pause_suspends: bool = False
    work_seconds: float | None = None
    tasks_each: int = 1
    units: Mapping[str, Unit] = field(default_factory=dict)

    def unit(self, metric: str) -> Unit:
        return self.units.get(metric, SECOND)


@dataclass(frozen=True, slots=True)
class Block:
    """Every contender of a block is asked every case of it. Ids as in the plan."""

    contenders: frozenset[str]
    cases: frozenset[str]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A contender that was asked for and could not be had. Fields not given are empty."""

    interpreter: str
    loop: str
    task_factory: str
    strategy: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A contender that failed in a case, and is not measured there again. Ids as in the plan."""

    contender: str
    case: str
    round: int
    cause: str


@dataclass(frozen=True, slots=True)
class Plan:
    """campaign.json: what was to be measured, where, and how it ended. ``precision`` is a share.

    Without ``blocks`` (None) every contender is asked every case.
    """

    name: str = ""
    status: str = "failed"
    preset: str = ""
    seed: int = 0
    budget_seconds: float = 0.0
    precision: float = 0.0
    slice_seconds: float = 0.0
    code_hash: str = ""
    created: str = ""
    finished: str | None = None
    elapsed_seconds: float = 0.0
    rounds: int = 0
    machine: Mapping[str, Scalar | tuple[Scalar, ...]] = field(default_factory=dict)
    interpreters: tuple[Interpreter, ...] = ()
    contenders: tuple[Contender, ...] = ()
    cases: tuple[Case, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failed: tuple[Failure, ...] = ()
    blocks: tuple[Block, ...] | None = None

    def asks(self, contender_id: str, case_id: str) -> bool:
        """Whether this contender was to be measured in this case."""
        if self.blocks is None:
            return True
        return any(contender_id in one.contenders and case_id in one.cases for one in self.blocks)


@dataclass(frozen=True, slots=True)
class Campaign:
    """One results folder, read.

    ``frame`` has a row per value (columns: :data:`analysis.load.COLUMNS`), ``journal`` a row per
    journal line (round, case, started, wall_seconds, steal_seconds, timed_seconds, cells,
    failures), ``observed`` a row per cell, round and name of what was seen beside the values
    (contender, case, round, name, value: the mean over sweeps). ``failed`` joins the failures of
    the plan and of the journal. Values that ``problems`` call wrong are not in the frames.
    ``witness`` is None where the folder has none.
    """

    folder: Path
    plan: Plan
    frame: pd.DataFrame
    journal: pd.DataFrame
    observed: pd.DataFrame
    failed: tuple[Failure, ...]
    problems: tuple[Problem, ...]
    witness: Witness | None = None

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def status(self) -> str:
        return self.plan.status

    @property
    def machine(self) -> Mapping[str, Scalar | tuple[Scalar, ...]]:
        return self.plan.machine

    @property
    def interpreters(self) -> tuple[Interpreter, ...]:
        return self.plan.interpreters

    @property
    def contenders(self) -> tuple[Contender, ...]:
        return self.plan.contenders

    @property
    def cases(self) -> tuple[Case, ...]:
        return self.plan.cases

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        return self.plan.skipped

    @property
    def rounds(self) -> int:
        """Rounds with values, whatever the plan says."""
        return int(self.frame["round"].nunique())

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity == "warning")
