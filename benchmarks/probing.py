"""What a probe is: the types that every probe module uses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.strategies import Launch, PauseCall, Strategy, Work
from benchmarks.words import Word
from benchmarks.workloads import WORKLOADS, Workload


@dataclass(frozen=True)
class FanOut:
    """What a probe measures: ``launch(work, tasks, pause)``, with the workload opened."""

    launch: Launch
    work: Work
    tasks: int
    pause: PauseCall | None = None


@dataclass(frozen=True)
class Measurement:
    """One block: ``values`` by metric, per inner loop, above 0 and in the metric's unit.

    ``results`` of the last batch, the indexes 0, 1 ... tasks - 1, are the proof of what was timed.
    ``observed`` are means per inner loop, 0 or more, never compared as ratios.
    ``collector_seconds`` are those of all inner loops, where the probe ``splits`` its value.
    """

    timed_seconds: float
    values: Mapping[str, float]
    results: Sequence[int]
    observed: Mapping[str, float] = field(default_factory=dict)
    collector_seconds: float = 0.0


@dataclass(frozen=True)
class Metric(Word):
    """A value of the whole fan-out, in pyperf's ``unit``; shown ``per_task`` if it grows with n.
    One that is ``of_one`` task counts from its own start.
    """

    unit: Literal["second", "byte"] = "second"
    per_task: bool = False
    of_one: bool = False


@dataclass(frozen=True)
class Observed(Word):
    """A number that is seen beside the values."""


@dataclass(frozen=True)
class Probe(Word):
    """What is timed.

    ``measure(fan_out, loops)`` runs the fan-out ``loops`` times on the running loop. Campaigns are
    planned by the ``headline_metric``; if the probe ``answers``, the answer is about it. Reports
    have it under the heading ``section``, after an ``introduction``, a smaller ``order`` first.

    ``own_workload`` replaces the workloads of a selection; it may not end by itself, so only
    ``measure`` runs it. With ``pauses`` the probe is measured with every pause of the selection,
    else with none; with ``concurrent_only``, for concurrent strategies only; without ``bounded``,
    for those without a limit only; with ``strategies``, for those of these names; with
    ``fresh_process``, every slice in a process of its own. It
    ``splits`` its one value into code and collector where the workload computes.
    """

    section: str
    introduction: str
    metrics: tuple[Metric, ...]
    headline_metric: str
    measure: Callable[[FanOut, int], Coroutine[Any, Any, Measurement]]
    observed: tuple[Observed, ...] = ()
    answers: bool = False
    own_workload: Workload | None = None
    pauses: bool = False
    concurrent_only: bool = False
    bounded: bool = True
    strategies: tuple[str, ...] = ()
    fresh_process: bool = False
    splits: bool = False
    order: int = 100

    def can_measure(self, strategy: Strategy) -> bool:
        """Whether it has a meaning for the strategy."""
        return (
            (strategy.concurrent or not self.concurrent_only)
            and (self.bounded or not strategy.bounds)
            and (strategy.pauses or not self.pauses)
            and (not self.strategies or strategy.name in self.strategies)
        )

    def is_split(self, workload: str) -> bool:
        """Whether its value is split there: where a workload waits, nothing is."""
        return self.splits and not self.workload(workload).waits

    def workload(self, name: str) -> Workload:
        """Its own workload, or else the one of this name."""
        return self.own_workload or WORKLOADS[name]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics' names, in their order."""
        return tuple(metric.name for metric in self.metrics)
