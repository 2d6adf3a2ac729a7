"""What the garbage collector does during a slice's timed loops: one row each."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.cases import USUAL_COLLECTOR


@dataclass(frozen=True)
class Collector:
    """A state of the collector: ``set_up`` takes it there from where it is in production, and
    ``restore`` takes it back; both are names in ``gc``, None where nothing is to be done.
    """

    name: str
    summary: str
    set_up: str | None = None
    restore: str | None = None

    @property
    def is_available(self) -> bool:
        """Whether this Python's collector can do it."""
        return self.set_up is None or hasattr(gc, self.set_up)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Hold the collector in this state."""
        if self.set_up is None or self.restore is None:
            yield
            return
        set_up, restore = getattr(gc, self.set_up), getattr(gc, self.restore)
        set_up()
        try:
            yield
        finally:
            restore()


COLLECTORS: dict[str, Collector] = {
    row.name: row
    for row in (
        Collector(
            USUAL_COLLECTOR, "the default: it runs when enough objects were made, as in production"
        ),
        Collector("off", "disabled while a slice is timed", "disable", "enable"),
        Collector(
            "frozen",
            "on, but all objects from before the timed loops are left out: gc.freeze()",
            "freeze",
            "unfreeze",
        ),
    )
}


def collector_in_force() -> str:
    """The name of the state that the collector is in."""
    if not gc.isenabled():
        return "off"
    count_frozen: Callable[[], int] = getattr(gc, "get_freeze_count", int)
    # CPython 3.12 keeps some hundred immortal objects there that nobody has frozen.
    return "frozen" if count_frozen() > len(gc.get_objects()) else USUAL_COLLECTOR


def collections_so_far() -> int | None:
    """How many collections, of any generation, this process has made; None where Python does not
    say.
    """
    stats: object = gc.get_stats()
    if not isinstance(stats, list):  # PyPy's answer is about memory
        return None
    return sum(int(generation["collections"]) for generation in stats)
