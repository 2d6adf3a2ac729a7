"""What of the registries runs in this process."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from benchmarks.conditions import refusal
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.strategies import STRATEGIES, Launch, Strategy


def _installed_loops() -> Iterator[str]:
    for name, row in EVENT_LOOPS.items():
        try:
            row.load()
        except ModuleNotFoundError:
            continue
        yield name


LOOPS = list(_installed_loops())


def _runnable(*, bounds: bool) -> list[str]:
    return [
        name
        for name, row in STRATEGIES.items()
        if row.bounds == bounds
        and sys.version_info >= row.since
        and (row.package is None or find_spec(row.package))
    ]


RUNNABLE = _runnable(bounds=False)
BOUNDED = _runnable(bounds=True)
CONCURRENT = [name for name in RUNNABLE if STRATEGIES[name].concurrent]
MAKERS = [
    (loop, name)
    for loop, (name, row) in itertools.product(LOOPS, TASK_FACTORIES.items())
    if sys.version_info >= row.since and refusal(loop, name) is None
]
"""Every loop with every task factory that it obeys."""
LATE = {
    "gather_coroutines",
    "gather_exceptions",
    "gather_timeout",
    "gather_wait_for",
    "sequential",
}
"""Strategies whose children are no tasks before the join."""
EAGER_LOOPS = [loop for loop, factory in MAKERS if factory == "eager"]


def strategy_of(launch: Launch) -> Strategy:
    """A row for ``STRATEGIES``, which is not put there."""
    return Strategy("of_this_test", "of this test", "for a test", (3, 10), lambda: launch)
