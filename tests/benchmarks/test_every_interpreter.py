"""A real campaign over every interpreter that this machine has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.campaign.interpreters import Interpreter
from tests.repository import pythons_here, read_campaign, read_journal, run_benchmarks


def test_two_interpreters_are_there_where_it_counts() -> None:
    """Or else what follows would compare nothing; on a laptop one is enough."""
    if "CI" not in os.environ:
        pytest.skip("not in CI")
    assert len(pythons_here()) >= 2


def test_all_of_them_take_turns_in_one_campaign(
    interpreters: tuple[Interpreter, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "campaign"
    pythons = [f"--python={interpreter.executable}" for interpreter in interpreters]
    cell = ("--probe", "throughput", "--workload", "yield_once", "--tasks", "10")
    done = run_benchmarks(
        "run", *pythons, *cell, "--loop", "asyncio,uvloop", "--budget", "15s", "--precision",
        "50%", "--no-report", "--quiet", "--out", folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    campaign = read_campaign(folder)
    names = [interpreter.name for interpreter in interpreters]
    assert [row["version"] for row in campaign["interpreters"]] == [
        interpreter.version for interpreter in interpreters
    ]
    assert len({row["name"] for row in campaign["interpreters"]}) == len(names)

    contenders = {row["id"]: row for row in campaign["contenders"]}
    [line, *_] = read_journal(folder)
    assert set(line["cells"]) == set(contenders)
    measured = {(row["interpreter"], row["loop"]) for row in contenders.values()}
    skipped = {
        (row["contender"]["interpreter"], row["contender"].get("loop"))
        for row in campaign["skipped"]
    }
    for interpreter in campaign["interpreters"]:
        assert (interpreter["name"], "asyncio") in measured
        assert (interpreter["name"], "uvloop") in measured | skipped
    for row in contenders.values():
        build = next(
            other["build"]
            for other in campaign["interpreters"]
            if other["name"] == row["interpreter"]
        )
        # No loop that is measured switches the GIL of a free-threaded build on again.
        assert row["conditions"]["gil"] is not build["free_threaded"]
        assert row["conditions"]["task_class"].startswith("_asyncio.")
