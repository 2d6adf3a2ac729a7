"""What a probe is: the types every probe module shares."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.strategies import Launch, PauseCall, Work
from benchmarks.workloads import WORKLOADS, Workload


@dataclass(frozen=True)
class FanOut:
    """What a probe measures: ``launch(work, tasks, pause)``, all of it opened and ready."""

    launch: Launch
    work: Work
    tasks: int
    pause: PauseCall | None = None


@dataclass(frozen=True)
class Measurement:
    """One slice: ``values`` by metric, per inner loop, above 0 and in the metric's unit;
    ``results`` are the last batch's, for the proof: 0, 1 ... tasks - 1, the indexes of the
    coroutines that did what was timed.

    ``observed`` are numbers seen beside the values, means per inner loop, 0 or more: what they tell
    is no duration, so they are never compared as ratios.
    """

    timed_seconds: float
    values: Mapping[str, float]
    results: Sequence[int]
    observed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric:
    """A number that a probe yields, for the whole fan-out; ``unit`` is pyperf's word."""

    name: str
    unit: Literal["second", "byte"] = "second"


@dataclass(frozen=True)
class Probe:
    """What is timed.

    ``measure(fan_out, loops)`` runs the fan-out ``loops`` times on the running event loop. It
    yields the ``metrics``; ``headline_metric`` is the one that campaigns are planned by.

    ``own_workload`` stands in for the workloads of a selection. It may be one that does not end by
    itself, so it is never run but by ``measure``, whose results are then the proof. With ``pauses``
    the probe is asked with every pause of the selection, else with none; with ``concurrent_only``
    it is asked of strategies that run tasks concurrently only; with ``fresh_process`` every slice
    is measured in a process of its own.
    """

    name: str
    summary: str
    metrics: tuple[Metric, ...]
    headline_metric: str
    measure: Callable[[FanOut, int], Coroutine[Any, Any, Measurement]]
    own_workload: Workload | None = None
    pauses: bool = False
    concurrent_only: bool = False
    fresh_process: bool = False

    def workload(self, name: str) -> Workload:
        """Its own workload, or else the one of this name."""
        return self.own_workload or WORKLOADS[name]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics' names, in their order."""
        return tuple(metric.name for metric in self.metrics)
