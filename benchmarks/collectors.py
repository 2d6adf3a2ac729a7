"""The states of the garbage collector during a slice's timed loops: one row each."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.cases import USUAL_COLLECTOR
from benchmarks.words import Word


@dataclass(frozen=True)
class Collector(Word):
    """``set_up`` brings the collector from Python's default to this state, ``restore`` back: names
    in ``gc``, or None where nothing has to be done.
    """

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
            USUAL_COLLECTOR,
            label="collector on",
            meaning="the default: garbage is collected when it is due, as in any program",
        ),
        Collector(
            "off",
            label="collector off",
            meaning="gc.disable(): no garbage is collected while a slice is timed",
            set_up="disable",
            restore="enable",
        ),
        Collector(
            "frozen",
            label="collector frozen",
            meaning="gc.freeze(): objects from before the timed loops are not visited",
            set_up="freeze",
            restore="unfreeze",
        ),
    )
}


def collector_in_force() -> str:
    """The name of the state that the collector is in."""
    if not gc.isenabled():
        return "off"
    count_frozen: Callable[[], int] = getattr(gc, "get_freeze_count", int)
    # CPython 3.12 counts some hundred immortal objects as frozen by itself.
    return "frozen" if count_frozen() > len(gc.get_objects()) else USUAL_COLLECTOR
