"""The identity of what is measured: a launcher and a case."""

from __future__ import annotations

from dataclasses import dataclass

USUAL_COLLECTOR = "on"
USUAL_PAUSE = "none"
"""The defaults, which are left out of ids."""

MOST_TASKS = 10**9
"""The largest task count that is read: no machine has memory for more."""


@dataclass(frozen=True)
class Launcher:
    """How one process launches its fan-outs: names from the registries of loops, task factories,
    strategies and collectors.
    """

    loop: str
    task_factory: str
    strategy: str
    collector: str = USUAL_COLLECTOR


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
