"""``python -m harness.neighbour``: a neighbour on the machine, who loads the other core and the
memory in square waves until it is ended.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.campaign.interpreters import REPOSITORY
from benchmarks.campaign.machine import allot_cores

LOUD_SECONDS, CALM_SECONDS = 3.0, 3.0
COPIED_BYTES = 1 << 26
"""More than a core's own caches hold."""


@contextlib.contextmanager
def neighbour() -> Iterator[None]:
    """Have one meanwhile."""
    process = subprocess.Popen([sys.executable, "-m", __name__], cwd=REPOSITORY)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Copy memory on the cores of the driver, and rest, by turns."""
    cores = allot_cores().driver
    if cores:
        os.sched_setaffinity(0, cores)
    source, target = bytearray(COPIED_BYTES), bytearray(COPIED_BYTES)
    while True:
        until = time.monotonic() + LOUD_SECONDS
        while time.monotonic() < until:
            target[:] = source
        time.sleep(CALM_SECONDS)


if __name__ == "__main__":
    main()
