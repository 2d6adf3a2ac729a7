"""The event loops and task factories: one row each.

To add a loop, add a row to ``EVENT_LOOPS`` and, so that measured environments get it, a line to the
``measured`` dependency group of ``pyproject.toml``. A loop that an interpreter does not have is
skipped by name.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.strategies import OLDEST_PYTHON

NewLoop = Callable[[], asyncio.AbstractEventLoop]


@dataclass(frozen=True)
class EventLoop:
    """An event loop implementation: ``factory`` of ``module`` makes a new loop; ``package`` is what
    to install. An ``optional`` one is measured only where it is asked for by name.
    """

    name: str
    module: str
    package: str | None
    summary: str
    factory: str = "new_event_loop"
    optional: bool = False

    def load(self) -> NewLoop:
        """Import the implementation and return its loop factory; ImportError when it is not
        installed.
        """
        factory: NewLoop = getattr(importlib.import_module(self.module), self.factory)
        return factory


EVENT_LOOPS: dict[str, EventLoop] = {
    row.name: row
    for row in (
        EventLoop("asyncio", "asyncio", None, "the standard library's own loop"),
        EventLoop("uvloop", "uvloop", "uvloop", "libuv under Cython"),
        EventLoop("rloop", "rloop", "rloop", "mio under Rust (optional)", optional=True),
        EventLoop(
            "winloop", "winloop", "winloop", "uvloop's port to Windows (optional)", optional=True
        ),
    )
}


@dataclass(frozen=True)
class TaskFactory:
    """How a loop makes tasks: ``factory`` of asyncio, which ``since`` is the first Python to have;
    None is what a loop does unless told.
    """

    name: str
    summary: str
    since: tuple[int, int]
    factory: str | None

    def loops(self, new_loop: NewLoop) -> NewLoop:
        """``new_loop``, its loops with this task factory. Raises AttributeError on a Python that is
        too old for it.
        """
        if self.factory is None:
            return new_loop
        task_factory = getattr(asyncio, self.factory)

        def new_loop_with_factory() -> asyncio.AbstractEventLoop:
            loop = new_loop()
            loop.set_task_factory(task_factory)
            return loop

        return new_loop_with_factory


TASK_FACTORIES: dict[str, TaskFactory] = {
    row.name: row
    for row in (
        TaskFactory(
            "lazy",
            "the default: a task's first step runs in a later iteration of the loop",
            OLDEST_PYTHON,
            None,
        ),
        TaskFactory(
            "eager",
            "asyncio.eager_task_factory: a task's first step runs where it is created",
            (3, 12),
            "eager_task_factory",
        ),
    )
}


def loop_maker(loop: str, task_factory: str) -> NewLoop:
    """What makes fresh loops of this implementation with this task factory. Raises ImportError when
    the loop is not installed, AttributeError when Python is too old for the factory.
    """
    return TASK_FACTORIES[task_factory].loops(EVENT_LOOPS[loop].load())
