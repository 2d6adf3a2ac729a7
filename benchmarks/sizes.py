"""How much memory this process has, as far as the system tells."""

from __future__ import annotations

import os
import sys
from pathlib import Path

STATM = Path("/proc/self/statm")
STATUS = Path("/proc/self/status")
"""Linux's own words: the resident size in pages, and the sizes in KiB by name."""


def resident_bytes() -> int:
    """Resident size now. Where the system tells only the peak, that stands in for it: the same, as
    long as the process has never been larger than now. 0 where it tells neither.
    """
    try:
        pages = int(STATM.read_bytes().split()[1])
    except OSError:
        return peak_bytes()
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    """Largest resident size so far; 0 where the system does not tell.

    Linux keeps ``ru_maxrss`` when a process starts another program: there it may be the size of the
    parent that started this process, so its own mark is read.
    """
    try:
        lines = STATUS.read_bytes().splitlines()
    except OSError:
        return _peak_of_resource()
    marks = [int(line.split()[1]) for line in lines if line.startswith(b"VmHWM:")]
    return marks[0] * 1024 if marks else _peak_of_resource()


def _peak_of_resource() -> int:
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
