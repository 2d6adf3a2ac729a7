"""The identity of what is measured: a launcher and a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

NO_LIMIT = "none"
USUAL_COLLECTOR = "on"
USUAL_PAUSE = "none"
"""The defaults, which are left out of ids."""

MOST_TASKS = 10**9
"""The largest task count that is read: no machine has memory for more."""


@dataclass(frozen=True)
class Launcher:
    """How one process launches its fan-outs: names from the registries of loops, task factories,
    strategies and collectors, and how many children may be active at a time, None: all.
    """

    loop: str
    task_factory: str
    strategy: str
    collector: str = USUAL_COLLECTOR
    limit: int | None = None

    @property
    def arguments(self) -> list[str]:
        """As a command line has it."""
        *names, limit = astuple(self)
        return [*names, str(limit or NO_LIMIT)]

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Launcher:
        """From its ``arguments``."""
        loop, task_factory, strategy, collector, limit = arguments
        at_most = None if limit == NO_LIMIT else int(limit)
        return cls(loop, task_factory, strategy, collector, at_most)


@dataclass(frozen=True)
class Case:
    """What contenders are asked to do: a probe on ``tasks`` coroutines of a workload, with a pause
    between their creation and the join.
    """

    probe: str
    workload: str
    tasks: int
    pause: str = USUAL_PAUSE

    @property
    def id(self) -> str:
        parts = (self.probe, self.workload, str(self.tasks))
        return "/".join(parts if self.pause == USUAL_PAUSE else (*parts, self.pause))
