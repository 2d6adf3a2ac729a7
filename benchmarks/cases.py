"""The identity of what is measured: a contender and a case. Ids are for people and keys; nothing
parses them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["baseline", "contender", "control"]


@dataclass(frozen=True)
class Launcher:
    """How one process launches its fan-outs: names from the registries of loops, task factories and
    strategies.
    """

    loop: str
    task_factory: str
    strategy: str


@dataclass(frozen=True)
class Case:
    """What every contender is asked to do: a probe on ``tasks`` coroutines of a workload."""

    probe: str
    workload: str
    tasks: int

    @property
    def id(self) -> str:
        return f"{self.probe}/{self.workload}/{self.tasks}"


@dataclass(frozen=True)
class Contender:
    """One measured process of every round. The control is the first baseline a second time."""

    interpreter: str
    launcher: Launcher
    role: Role

    @property
    def id(self) -> str:
        launcher = self.launcher
        parts = (self.interpreter, launcher.loop, launcher.task_factory, launcher.strategy)
        return "/".join(parts if self.role != "control" else (*parts, self.role))

    @property
    def group(self) -> tuple[str, str, str]:
        """What it shares with the baseline that it is compared with."""
        return (self.interpreter, self.launcher.loop, self.launcher.task_factory)
