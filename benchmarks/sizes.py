"""What this process takes of the machine, as far as the system tells."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

STATM = Path("/proc/self/statm")
STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")
"""What Linux tells: the resident size in pages, and the sizes in KiB by name."""


def resident_bytes() -> int:
    """Resident size now, or the peak where the system tells only that; 0 where it tells neither."""
    try:
        pages = int(STATM.read_bytes().split()[1])
    except OSError:
        return peak_bytes()
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    """Largest resident size so far; 0 where the system does not tell. On Linux that is VmHWM: a new
    program inherits ``ru_maxrss`` from its parent, which may be larger.
    """
    try:
        lines = STATUS.read_bytes().splitlines()
    except OSError:
        return _peak_of_resource()
    marks = [int(line.split()[1]) for line in lines if line.startswith(b"VmHWM:")]
    return marks[0] * 1024 if marks else _peak_of_resource()


def forget_peak() -> None:
    """Let the peak begin anew, where the system can: else it is that of the whole process."""
    with contextlib.suppress(OSError):
        CLEAR_REFS.write_bytes(b"5")


def involuntary_switches() -> int:
    """How often this process has lost its core to others so far; 0 where nothing tells."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _peak_of_resource() -> int:
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
