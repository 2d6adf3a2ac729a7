"""Campaigns that are run as a user runs them, and what they leave."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.campaign.journal import Journal
from benchmarks.campaign.schema import Plan, RoundLine

TINY = ("--workload", "noop", "--probe", "throughput", "--tasks", "1", "--loop", "asyncio")
"""A campaign that is as quick as it can be, in rounds of about a tenth of a second."""


def plan_of(folder: Path) -> Plan:
    return Journal(folder).load()


def lines_of(folder: Path) -> list[RoundLine]:
    """Every whole line, each of another round or case."""
    lines = list(Journal(folder).lines(plan_of(folder)))
    assert len({(line.round, line.case) for line in lines}) == len(lines)
    return lines


@dataclass(frozen=True)
class Ran:
    """A campaign that was run, and what came of it."""

    folder: Path
    code: int
    out: str
    err: str

    @property
    def plan(self) -> Plan:
        return plan_of(self.folder)

    @property
    def lines(self) -> list[RoundLine]:
        return lines_of(self.folder)


def ran(folder: Path, done: subprocess.CompletedProcess[str]) -> Ran:
    return Ran(folder, done.returncode, done.stdout, done.stderr)
