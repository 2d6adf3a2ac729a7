"""The event loops and task factories: one row each.

So that measured environments get a new loop, its package goes into the dependency group
``measured`` of ``pyproject.toml``, or into ``optional`` where it is. Where a loop is not installed,
it is skipped with the reason.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.strategies import OLDEST_PYTHON
from benchmarks.words import Word

NewLoop = Callable[[], asyncio.AbstractEventLoop]


@dataclass(frozen=True)
class EventLoop(Word):
    """``factory`` of ``module`` makes a new loop; ``package`` is what to install, None for the
    standard library. An ``optional`` one is measured only where it is asked for by name.
    """

    module: str
    package: str | None
    factory: str = "new_event_loop"
    optional: bool = False

    def load(self) -> NewLoop:
        """Import the implementation; return its loop factory. Raises ImportError."""
        factory: NewLoop = getattr(importlib.import_module(self.module), self.factory)
        return factory


def _from_package(name: str, *, meaning: str, optional: bool = False) -> EventLoop:
    """A loop whose package and module have its name."""
    return EventLoop(name, name, meaning, module=name, package=name, optional=optional)


EVENT_LOOPS: dict[str, EventLoop] = {
    row.name: row
    for row in (
        EventLoop(
            "asyncio",
            label="asyncio",
            meaning="the standard library's own loop",
            module=asyncio.__name__,
            package=None,
        ),
        _from_package("uvloop", meaning="written in Cython, on libuv"),
        _from_package("rloop", meaning="written in Rust, on mio (optional)", optional=True),
        _from_package("rsloop", meaning="written in Rust (optional)", optional=True),
        _from_package("winloop", meaning="uvloop's port to Windows (optional)", optional=True),
    )
}


@dataclass(frozen=True)
class TaskFactory(Word):
    """How a loop makes tasks: by ``factory`` of asyncio, there ``since`` this Python version, or by
    default (None).
    """

    since: tuple[int, int]
    factory: str | None

    def loops(self, new_loop: NewLoop) -> NewLoop:
        """``new_loop``, with this task factory set. Raises AttributeError on an old Python."""
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
            label="lazy tasks",
            meaning="the default: a task takes its first step in the next iteration of the loop",
            since=OLDEST_PYTHON,
            factory=None,
        ),
        TaskFactory(
            "eager",
            label="eager tasks",
            meaning="asyncio.eager_task_factory: a task takes its first step when it is created",
            since=(3, 12),
            factory="eager_task_factory",
        ),
    )
}


def loop_maker(loop: str, task_factory: str) -> NewLoop:
    """What makes fresh loops with this task factory. Raises ImportError when the loop is not
    installed, AttributeError when Python is too old for the factory.
    """
    return TASK_FACTORIES[task_factory].loops(EVENT_LOOPS[loop].load())
