"""The machine: which core measures, which drive, and facts that name no host or user."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.campaign.schema import Scalar


@dataclass(frozen=True)
class Cores:
    """Workers run on ``measured`` (None where nothing can be pinned), all else on ``driver``."""

    measured: int | None
    driver: frozenset[int]


def allot_cores() -> Cores:
    """The last usable core measures (the first takes most interrupts), the others drive."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(None, frozenset())
    usable = os.sched_getaffinity(0)
    measured = max(usable)
    return Cores(measured, frozenset(usable - {measured}) or frozenset(usable))


def machine_facts(cores: Cores) -> dict[str, Scalar | list[Scalar]]:
    """Facts of this machine as JSON values; ``id`` identifies it without naming it."""
    cpu_model = _cpu_model()
    driver_cores: list[Scalar] = [*sorted(cores.driver)]
    kernel = ".".join(platform.release().split(".")[:2])
    identity = (platform.node(), cpu_model, os.cpu_count(), platform.machine())
    return {
        "id": hashlib.sha256(repr(identity).encode()).hexdigest()[:12],
        "cpu_model": cpu_model,
        "cpu_count": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {kernel} {platform.machine()}",
        "measured_core": cores.measured,
        "driver_cores": driver_cores,
        "load_average": round(psutil.getloadavg()[0], 2),
    }


def steal_seconds() -> float:
    """Seconds that the hypervisor has taken from this machine so far; 0 where unknown."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
