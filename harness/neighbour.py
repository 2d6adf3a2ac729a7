"""``python -m harness.neighbour``: a neighbour on the machine, who loads the other core and the
memory in square waves until it is ended.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.campaign.interpreters import REPOSITORY
from benchmarks.campaign.machine import allot_cores

WAVE_SECONDS = 6.0
"""Half of it loud, half of it calm."""
COPIED_BYTES = 1 << 26
"""More than a core's own caches hold."""


@contextlib.contextmanager
def neighbour(wave_seconds: float = WAVE_SECONDS) -> Iterator[None]:
    """Have one meanwhile, who is loud for the half of each wave; it begins at a random phase.

    Raises CalledProcessError when it did not last.
    """
    command = (sys.executable, "-m", __name__, str(wave_seconds))
    process = subprocess.Popen(command, cwd=REPOSITORY)
    try:
        yield
        if process.poll() is not None:
            raise subprocess.CalledProcessError(
                process.returncode, command, stderr="it ended early"
            )
    finally:
        process.kill()
        process.wait()


def main(wave_seconds: float) -> None:
    """Copy memory on the cores of the driver, and rest, by turns, as long as the parent lives."""
    cores = allot_cores().driver
    if cores:
        os.sched_setaffinity(0, cores)
    source, target = bytearray(COPIED_BYTES), bytearray(COPIED_BYTES)
    started, parent = time.monotonic() - random.uniform(0, wave_seconds), os.getppid()
    while os.getppid() == parent:  # it must not outlive who wanted it
        left = (time.monotonic() - started) % wave_seconds - wave_seconds / 2
        if left > 0:
            time.sleep(min(1.0, wave_seconds / 2 - left))
        else:
            target[:] = source


if __name__ == "__main__":
    main(float(sys.argv[1]))
