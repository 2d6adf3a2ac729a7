"""The event loops: one row each.

To add one, add a row to ``EVENT_LOOPS`` and, so that measured environments get it, a line to the
``measured`` dependency group of ``pyproject.toml``. A loop that an interpreter does not have is
skipped by name.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class EventLoop:
    """An event loop implementation: ``factory`` of ``module`` makes a new loop; ``package`` is what
    to install.
    """

    name: str
    module: str
    package: str | None
    summary: str
    factory: str = "new_event_loop"

    def load(self) -> Callable[[], asyncio.AbstractEventLoop]:
        """Import the implementation and return its loop factory; ImportError when it is not
        installed.
        """
        factory: Callable[[], asyncio.AbstractEventLoop] = getattr(
            importlib.import_module(self.module), self.factory
        )
        return factory


EVENT_LOOPS: dict[str, EventLoop] = {
    row.name: row
    for row in (
        EventLoop("asyncio", "asyncio", None, "the standard library's own loop"),
        EventLoop("uvloop", "uvloop", "uvloop", "libuv under Cython"),
    )
}

TASK_FACTORIES: tuple[str, ...] = ("lazy",)
"""How a loop makes tasks. ``lazy``, asyncio's default: a task's first step runs in a later
iteration of the loop.
"""
