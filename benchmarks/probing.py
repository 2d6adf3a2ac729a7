"""What a probe is: the types that every probe module uses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.strategies import Launch, PauseCall, Work
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
    """One slice: ``values`` by metric, per inner loop, above 0 and in the metric's unit.

    ``results`` are the last batch's, as a proof: 0, 1 ... tasks - 1, the indexes of the coroutines
    that did what was timed. ``observed`` are numbers seen beside the values, means per inner loop,
    0 or more; they are never compared as ratios.
    """

    timed_seconds: float
    values: Mapping[str, float]
    results: Sequence[int]
    observed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric(Word):
    """A number that a probe yields, for the whole fan-out. ``unit`` is pyperf's word. A metric that
    grows with the number of tasks is shown ``per_task``.
    """

    unit: Literal["second", "byte"] = "second"
    per_task: bool = False


@dataclass(frozen=True)
class Observed(Word):
    """A number that is seen beside the values."""


@dataclass(frozen=True)
class Probe(Word):
    """What is timed.

    ``measure(fan_out, loops)`` runs the fan-out ``loops`` times on the running event loop. It
    yields the ``metrics``, and ``observed`` beside them; ``headline_metric`` is the one that
    campaigns are planned by. Reports show the probe under the heading ``section``, after an
    ``introduction``, probes with a smaller ``order`` first. ``answers``: its headline metric is
    what the answer to the question is about.

    ``own_workload`` replaces the workloads of a selection. It may be one that does not end by
    itself, so only ``measure`` runs it. With ``pauses`` the probe is measured with every pause of
    the selection, else with none; with ``concurrent_only``, for strategies that run tasks
    concurrently only; with ``fresh_process``, every slice in a process of its own.
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
    fresh_process: bool = False
    order: int = 100

    def workload(self, name: str) -> Workload:
        """Its own workload, or else the one of this name."""
        return self.own_workload or WORKLOADS[name]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics' names, in their order."""
        return tuple(metric.name for metric in self.metrics)
