"""Campaigns that the tests of what is shown share."""

from __future__ import annotations

import pytest

from analysis.judge.findings import Findings, find
from analysis.read.load import read_campaign
from benchmarks.campaign import schema
from benchmarks.cases import Case
from tests import campaigns

CASES = (
    *(Case("throughput", workload, n) for workload in ("noop", "echo") for n in (10, 100, 1000)),
    Case("failure", "sleep", 100),
    Case("memory", "pending", 100),
)
FAILED = ("cpython-3.14.0/uvloop/lazy/task_group", "throughput/echo/10")


def effect(contender: schema.Contender, case: schema.Case, metric: str) -> float:
    """TaskGroup 10 % slower, uvloop 30 % faster, Python 3.13 20 % slower; in ln(value)."""
    return (
        0.1 * (contender.strategy == "task_group")
        - 0.3 * (contender.loop == "uvloop")
        + 0.2 * (contender.interpreter == "cpython-3.13.0")
    )


@pytest.fixture(scope="session")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Two Pythons of different builds, two loops, times, counts and bytes; one cell failed."""
    folder = tmp_path_factory.mktemp("results") / "campaign"
    contender, case = FAILED
    campaigns.write(
        folder,
        pythons=("3.13.0", "3.14.0"),
        builds={"3.13.0": {"builder": "source"}},
        loops=("asyncio", "uvloop"),
        cases=CASES,
        effect=effect,
        observe=lambda contender, case, name: float(case.tasks - 1),
        rounds=16,
        failed=(schema.Failure(contender=contender, case=case, round=0, cause="signal 9"),),
    )
    return find(read_campaign(folder))
