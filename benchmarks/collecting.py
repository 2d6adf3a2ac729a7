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


def cycle_seconds(collected: Collected, seconds: float) -> float:
    """How long it takes until the collector has been through all its generations, at the rate of
    these collections in ``seconds``; infinite without any.
    """
    _, middle, full = gc.get_threshold()
    total = sum(collected.counts)
    return seconds / total * (middle + 1) * (full + 1) if total else float("inf")
