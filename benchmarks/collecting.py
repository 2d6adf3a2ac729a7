"""What the garbage collector takes: number and seconds of its collections, by generation."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.clock import perf_counter

GENERATIONS = 3
FULL = GENERATIONS - 1
"""The generation of a full collection."""

_CALLBACKS: list[object] | None = getattr(gc, "callbacks", None)  # PyPy has none


class Collected:
    """What was collected while this was watching. Adding up makes no object that the collector
    counts, so that watching does not bring the next collection nearer.
    """

    def __init__(self) -> None:
        self.counts = [0] * GENERATIONS
        self.seconds = [0.0] * GENERATIONS
        self._started = 0.0

    def take(self, phase: str, info: dict[str, int]) -> None:
        """A callback for ``gc.callbacks``."""
        if phase == "start":
            self._started = perf_counter()
        else:
            generation = info["generation"]
            self.seconds[generation] += perf_counter() - self._started
            self.counts[generation] += 1


_watching = Collected()


def collector_seconds() -> float:
    """Seconds of all collections since the innermost ``watched`` block began."""
    young, middle, full = _watching.seconds
    return young + middle + full


@contextmanager
def watched() -> Iterator[Collected]:
    """Time every collection meanwhile, where Python calls back."""
    global _watching  # noqa: PLW0603 - read by the timed loop, which has no other way to it
    _watching = collected = Collected()
    if _CALLBACKS is None:
        yield collected
        return
    _CALLBACKS.append(collected.take)
    try:
        yield collected
    finally:
        _CALLBACKS.remove(collected.take)


def cycle_collections() -> int:
    """Collections of a cycle through all generations, the last of which is full: a generation is
    collected once the one before it was more often than its threshold. 0 where the collector does
    not work so.
    """
    _, middle, full = gc.get_threshold()
    return (middle + 2) * (full + 1) + 1 if middle and full else 0


def begin_at(phase: float) -> None:
    """Bring the collector to where it is after this share of a cycle."""
    gc.collect()
    _, middle, full = gc.get_threshold()
    older, younger = divmod(int(phase * (middle + 1) * (full + 1)), middle + 1)
    for _ in range(older):
        gc.collect(1)  # each counts for the oldest generation
    for _ in range(younger):
        gc.collect(0)
