"""Figures of running campaigns, on one Python and on several."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from statistics import NormalDist
from unittest import mock

import pandas as pd

from analysis.estimate.intervals import CONFIDENCE, FEWEST_FOR_INTERVAL
from analysis.judge.contrasts import PYTHON, STRATEGY, Measured, contrasts_of
from benchmarks.campaign import interpreters
from benchmarks.strategies import BASELINE
from harness.commands import campaign_of, exponent, rows_of, scratch, sweep

CELL = "--workload noop --loop asyncio"
NOOP = f"--no-report --probe throughput {CELL}"
PAIR = f"{NOOP} --strategy gather_tasks"
TO_THE_END = f"{PAIR} --tasks 1000 --precision 0.0001%"  # the budget ends it


def smoke_preset() -> Sequence[float]:
    """The smoke preset, as users run it."""
    return [campaign_of("--preset smoke")[1]]


def default_preset() -> Sequence[float]:
    """The default preset, as users run it."""
    campaign, seconds = campaign_of("--preset default")
    plan = campaign.plan
    return [plan.peak_worker_bytes / 1e6, plan.peak_driver_bytes / 1e6, seconds]


def growth() -> Sequence[float]:
    """How the cost of a sweep grows with contenders and with cases."""
    three = "gather_tasks,task_group"
    strategies = (BASELINE, "gather_tasks", three, f"{three} --loop uvloop")
    counts = (",".join(map(str, range(100, 100 + cases))) for cases in (1, 2, 4, 8))
    return [
        _growth(*(f"{NOOP} --tasks 100 --strategy {names}" for names in strategies)),
        _growth(*(f"{PAIR} --tasks {tasks}" for tasks in counts)),
    ]


def _growth(*options: str) -> float:
    """Exponent of the seconds of a sweep by its turns, one campaign for each of the options."""
    return exponent(sweep(campaign_of(f"{words} --budget 10s")[0]) for words in options)


def environments() -> Sequence[float]:
    """Making the environment of every Python, from a warm cache."""
    seconds = []
    for version in _versions():
        # In a folder of their own: those that are there stay as they are.
        with scratch() as folder, mock.patch.object(interpreters, "ENVIRONMENTS", folder):
            started = time.monotonic()
            interpreters.prepare(version)
            seconds.append(time.monotonic() - started)
    return [max(seconds)]


def python_growth() -> Sequence[float]:
    """How the cost of a sweep grows with Pythons, and what workers hold after 10 000 tasks."""
    options = [f"--python {version}" for version in _versions()]
    some = (" ".join(options[:count]) for count in sorted({1, 2, 4, len(options)}))
    by_contenders = _growth(*(f"{PAIR} --tasks 100 {pythons}" for pythons in some))
    campaign, _ = campaign_of(f"{PAIR} --tasks 10000 --budget 10s {' '.join(options)}")
    return [by_contenders, 42 * campaign.plan.peak_worker_bytes / 1e6]


def python_precision() -> Sequence[float]:
    """Two strategies, n = 1000, noop, 15 minutes: every Python over the first one."""
    pythons = " ".join(f"--python {version}" for version in _versions())
    campaign, _ = campaign_of(f"{TO_THE_END} --budget 15m {pythons}")
    rows, controls = rows_of(campaign, PYTHON), rows_of(campaign, STRATEGY, control=True)
    differences = contrasts_of(Measured(campaign)).differences[rows.index]
    spread = float(pd.DataFrame(differences).std(axis=1).median())
    needed = rounds_to_tell(0.01, spread)
    return [rows["half_width"].max(), controls["differs"].sum(), spread, needed]


def rounds_to_tell(effect: float, spread: float, beyond: float = 0.0, power: float = 0.8) -> int:
    """Rounds at which the 95 % interval of :func:`hodges_lehmann` leaves ``beyond`` out, with a
    chance of ``power``.

    ``effect`` is the true difference and ``spread`` the standard deviation of D over rounds, all of
    ln(seconds). For differences that are about normal: the rounds of a t test, ((z_confidence +
    z_power) spread / (effect - beyond))^2 + z_confidence^2 / 2 (Guenther 1981), times pi / 3, its
    efficiency over the signed-rank test (Hodges and Lehmann 1956); never fewer than an interval
    takes. Raises ValueError unless the effect lies beyond ``beyond``.
    """
    if effect <= beyond:
        raise ValueError(f"an effect of {effect} never lies beyond {beyond}")
    tail = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    tails = tail + NormalDist().inv_cdf(power)
    rounds = math.ceil(((tails * spread / (effect - beyond)) ** 2 + tail**2 / 2) * math.pi / 3)
    return max(rounds, FEWEST_FOR_INTERVAL)


def _versions() -> Sequence[str]:
    """The newest of every minor version that is available."""
    wanted = [f"3.{minor}" for minor in range(10, 16)]
    return [one.version for one in interpreters.prepare_all(wanted, skip_missing=True)[0]]
