"""What a probe is: the type every probe module shares."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.strategies import Launch, Work


@dataclass(frozen=True)
class Measurement:
    """One slice: ``values`` are seconds per inner loop by metric; ``results`` are the last batch's,
    for the proof.
    """

    timed_seconds: float
    values: Mapping[str, float]
    results: Sequence[int]


@dataclass(frozen=True)
class Probe:
    """What is timed.

    ``measure(launch, work, tasks, loops)`` runs the fan-out ``loops`` times on the running event
    loop. It yields the ``metrics``; ``headline_metric`` is the one that campaigns are planned by.
    """

    name: str
    summary: str
    metrics: tuple[str, ...]
    headline_metric: str
    measure: Callable[[Launch, Work, int, int], Coroutine[Any, Any, Measurement]]
