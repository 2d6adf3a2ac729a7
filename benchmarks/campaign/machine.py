"""The machine: which core measures, which drive, and facts that name no host or user."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.campaign.schema import Scalar

SYSTEM_CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Cores:
    """Workers run on ``measured`` (None where nothing can be pinned), all else on ``driver``."""

    measured: int | None
    driver: frozenset[int]


def allot_cores() -> Cores:
    """The last usable core measures (the first takes most interrupts), the others drive, as far as
    there are such without its other hardware threads, which would share its execution units.
    """
    if not hasattr(os, "sched_getaffinity"):
        return Cores(None, frozenset())
    usable = os.sched_getaffinity(0)
    measured = max(usable)
    others = usable - {measured}
    return Cores(measured, frozenset(others - _threads_of(measured) or others or usable))


def _threads_of(cpu: int) -> set[int]:
    """The hardware threads of its core, of a list such as "3,7" or "6-7"; none where unknown."""
    topology = SYSTEM_CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list"
    try:
        listed = topology.read_text(encoding="ascii").strip()
    except OSError:
        return set()
    ranges = (part.split("-") for part in listed.split(","))
    return {one for ends in ranges for one in range(int(ends[0]), int(ends[-1]) + 1)}


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
        "load_average": round(load_average(), 2),
    }


BUSY_SHARE = 0.05
"""Of a core: a process that takes more is heard on the measured core."""
LISTEN_SECONDS = 0.5
REFERENCE_LOAD = 0.5
"""The load average up to which a machine is quiet enough for a campaign that is published."""


def busy_processes(seconds: float = LISTEN_SECONDS) -> dict[str, float]:
    """What others take of a core, over some seconds, by the names of their programs, the busiest
    first; of those above :data:`BUSY_SHARE`.
    """
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    before = _cpu_seconds()
    time.sleep(seconds)
    taken: dict[str, float] = {}
    for (pid, name), spent in _cpu_seconds().items():
        share = (spent - before.get((pid, name), spent)) / seconds
        if pid not in own and share > BUSY_SHARE:
            taken[name] = taken.get(name, 0.0) + share
    return dict(sorted(taken.items(), key=lambda item: -item[1]))


def _cpu_seconds() -> dict[tuple[int, str], float]:
    """Seconds on a core of every process that may be looked at, by its id and program."""
    found = {}
    for process in psutil.process_iter(["name", "cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None:
            found[process.pid, process.info["name"] or "?"] = times.user + times.system
    return found


def load_average() -> float:
    """How many processes wanted a core in the last minute, on average."""
    return psutil.getloadavg()[0]


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
