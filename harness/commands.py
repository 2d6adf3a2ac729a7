"""What figures share: commands, and campaigns that are run as users run them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.judge.contrasts import CASE, contrasts
from analysis.read.campaign import Campaign
from analysis.read.load import read_campaign
from benchmarks.campaign import interpreters
from benchmarks.campaign.interpreters import REPOSITORY
from benchmarks.campaign.machine import allot_cores
from benchmarks.campaign.workers import end_as_interrupted
from benchmarks.loops import EVENT_LOOPS
from benchmarks.probes import PROBES
from harness.fan_out import PROGRAM

THROUGHPUT = next(name for name, probe in PROBES.items() if probe.answers)
LOOP = next(iter(EVENT_LOOPS))


def run(*command: str | Path, cwd: Path = REPOSITORY) -> tuple[str, float]:
    """What a command printed, and its wall time in seconds. Raises CalledProcessError."""
    # As on a user's machine: compiled modules are kept.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout, time.monotonic() - started


def exit_code(prog: str, measure: Callable[[], int]) -> int:
    """What a command ends with: what ``measure`` says; 1 and a line when a process failed, 2 when
    an interpreter is not as asked, 130 when it was interrupted.
    """
    end_as_interrupted()
    try:
        return measure()
    except subprocess.CalledProcessError as error:
        print(f"{prog}: {error}\n{error.stderr}", file=sys.stderr)
        return 1
    except interpreters.InterpreterError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def fan_out(
    python: Path,
    strategy: str,
    workload: str,
    tasks: int,
    *options: str | Path,
    cwd: Path = REPOSITORY,
) -> str:
    """What :mod:`harness.fan_out` printed, on the measured core. Raises CalledProcessError."""
    core = allot_cores().measured
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    cell = ("--strategy", strategy, "--workload", workload, "--tasks", str(tasks))
    return run(*pinned, python, *PROGRAM, *cell, *options, cwd=cwd)[0]


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A path beside the caches where nothing is yet; what is made there is removed in the end."""
    parent = REPOSITORY / ".cache" / "harness"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder) / "scratch"


def copy_of_suite(target: Path) -> Path:
    """Copy what a campaign needs; the copy shares the environments of measured interpreters."""
    for package in ("benchmarks", "analysis", "requirements"):
        shutil.copytree(
            REPOSITORY / package, target / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(REPOSITORY / "pyproject.toml", target)
    interpreters.ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    cache = target / interpreters.ENVIRONMENTS.relative_to(REPOSITORY)
    cache.parent.mkdir(parents=True)
    cache.symlink_to(interpreters.ENVIRONMENTS, target_is_directory=True)
    return target


def campaign_of(options: str) -> tuple[Campaign, float]:
    """A campaign run with these options, and its wall time in seconds."""
    words = f"-m benchmarks run --quiet {options} --out".split()
    with scratch() as folder:
        _, seconds = run(sys.executable, *words, folder)
        return read_campaign(folder), seconds


def rows_of(campaign: Campaign, axis: str, *, control: bool = False) -> pd.DataFrame:
    """The usual contrasts of an axis by case, with ``half_width``, a share, and ``differs``."""
    frame = contrasts(campaign)
    usual = frame["default"] & frame["headline"] & (frame["scope"] == CASE)
    rows = frame[usual & (frame["axis"] == axis) & (frame["control"] == control)]
    differs = (rows["low"] > 1) | (rows["high"] < 1)
    return rows.assign(half_width=np.log(rows["high"] / rows["low"]) / 2, differs=differs)


def sweep(campaign: Campaign) -> tuple[int, float]:
    """Turns of a sweep of all cases, and its wall time in seconds, cases taken at their median."""
    sweeps = campaign.lines["case"].map({case.id: case.sweeps for case in campaign.cases})
    cases, seconds = len(campaign.cases), (campaign.lines["wall_seconds"] / sweeps).median()
    return cases * len(campaign.contenders), float(cases * seconds)


def exponent(costs: Iterable[tuple[int, float]]) -> float:
    """The power of its count that a cost grows with, by least squares of the logarithms."""
    counts, seconds = np.log(np.transpose(list(costs)))
    return float(np.polyfit(counts, seconds, 1)[0])
