"""Real campaigns in trouble: misbehaving workers, a missing loop, a full disk, no time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.campaign import interpreters
from benchmarks.campaign.interpreters import executable
from benchmarks.campaign.schema import Interpreter
from tests.benchmarks.campaigns import TINY, Ran, lines_of, plan_of, ran
from tests.repository import (
    REPOSITORY,
    run_benchmarks,
    run_python,
)

# Trouble with workers and loops


@pytest.fixture(scope="module")
def troubled(hostile_repository: Path, interpreter: Interpreter) -> Ran:
    """Strategies that misbehave, in an environment without uvloop."""
    environments = hostile_repository / interpreters.ENVIRONMENTS.relative_to(REPOSITORY)
    environments.unlink()
    shutil.copytree(
        executable(interpreter).parents[1],
        environments / interpreter.environment,
        symlinks=True,
        ignore=shutil.ignore_patterns("uvloop*"),
    )
    strategies = "raises,kills_itself,hangs,ends,prints,drops_the_last,gather_tasks"
    folder = hostile_repository / "campaign"
    return ran(
        folder,
        run_benchmarks(
            "run", "--strategy", strategies, "--workload", "noop", "--probe", "throughput",
            "--tasks", "2", "--turn-limit", "4s", "--budget", "60s", "--precision", "50%",
            "--out", folder,
            cwd=hostile_repository,
        ),
    )  # fmt: skip


CAUSES = {
    "raises": "LookupError: as it was told to",
    "kills_itself": "the worker was killed by SIGKILL",
    "hangs": "no answer within 4 s, killed",
    "ends": "the worker ended with exit code 3: last words",
    "drops_the_last": "ProofError: coroutine 1 of 2 ran 0 times, not once",
}


def test_failures_end_with_exit_code_1_and_their_causes(troubled: Ran) -> None:
    assert troubled.code == 1, troubled.err
    assert "Traceback" not in troubled.err
    assert troubled.plan.status == "failed"
    strategy_of = {row.id: row.strategy for row in troubled.plan.contenders}
    failed = troubled.plan.failed
    assert {strategy_of[row.contender]: row.cause for row in failed} == CAUSES
    assert len(failed) == len(CAUSES), "none is asked again"


def test_all_else_is_measured_beside_failures(troubled: Ran) -> None:
    strategies = [row.strategy for row in troubled.plan.contenders]
    assert len(troubled.lines) >= 1
    for line in troubled.lines:
        measured = {strategies[place] for place in line.cells}
        assert measured == {"gather_coroutines", "gather_tasks", "prints"}


def test_failures_are_told_while_it_runs_and_reported_in_the_end(troubled: Ran) -> None:
    for strategy, cause in CAUSES.items():
        assert f"{strategy} in throughput/noop/2: {cause}" in troubled.err
    assert troubled.out.splitlines() == [f"analysis report {troubled.folder}"]


def test_a_loop_that_is_not_installed_is_skipped_with_its_reason(troubled: Ran) -> None:
    reason = f"uvloop is not installed for {troubled.plan.interpreters[0].name}"
    assert {row.reason for row in troubled.plan.skipped} == {reason}
    assert {row.contender.loop for row in troubled.plan.skipped} == {"uvloop"}
    assert {row.loop for row in troubled.plan.contenders} == {"asyncio"}


def test_when_nothing_can_be_measured_it_says_why(troubled: Ran) -> None:
    folder = troubled.folder.with_name("nothing")
    done = run_benchmarks("run", "--loop", "uvloop", "--out", folder, cwd=folder.parent)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "nothing can be measured: uvloop is not installed for" in done.stderr
    assert not folder.exists()


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python has it")
def test_the_baseline_alone_is_not_measured_in_place_of_what_was_asked_for(tmp_path: Path) -> None:
    given = ("--strategy", "gather_eager_start", "--probe", "throughput", "--workload", "noop")
    done = run_benchmarks("run", *given, "--tasks", "2", "--out", tmp_path / "c")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "nothing can be measured: gather_eager_start needs Python 3.14" in done.stderr
    assert not (tmp_path / "c").exists()


def test_list_says_what_cannot_be_measured(troubled: Ran) -> None:
    done = run_benchmarks("list", cwd=troubled.folder.parent)
    assert done.returncode == 0
    heading, _, reasons = done.stdout.partition("cannot be measured here")
    assert heading
    assert "uvloop is not installed for" in reasons


# Time and space


def test_a_budget_that_is_too_small_for_a_round_gives_no_complete_campaign(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "deep" / "campaign"
    done = run_benchmarks("run", *TINY, "--budget", "0.01s", "--out", folder)
    assert done.returncode == 1
    assert "nothing was measured: the budget ended before the first round" in done.stderr
    assert plan_of(folder).status == "failed"
    assert lines_of(folder) == []


LIMITED = """
import resource, runpy, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
runpy.run_module("benchmarks", run_name="__main__", alter_sys=True)
"""
MANY_LINES = (*TINY, "--tasks", "2,3,4,5,6,7,8", "--precision", "0.0001%", "--budget", "20s")
"""Fills a small disk before its budget is spent."""


def check_what_a_full_disk_leaves(done: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "every line synced so far stays readable: " in done.stderr
    assert f"-m analysis report {folder}" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(lines_of(folder)) >= 3
    assert plan_of(folder).cases


def test_a_file_that_cannot_grow_ends_the_campaign_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="limits of file sizes are a thing of Unix")
    folder = tmp_path / "campaign"
    done = run_python(
        "-c", LIMITED, "40000", "run", *MANY_LINES, "--quiet", "--no-report", "--out", folder
    )
    check_what_a_full_disk_leaves(done, folder)
    assert "File too large" in done.stderr
    assert plan_of(folder).status == "failed"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_the_campaign_in_one_line(small_disk: Path) -> None:
    folder = small_disk / "campaign"
    done = run_benchmarks("run", *MANY_LINES, "--quiet", "--no-report", "--out", folder)
    check_what_a_full_disk_leaves(done, folder)
    assert "No space left on device" in done.stderr
    assert plan_of(folder).status == "failed", "room was kept for it"
