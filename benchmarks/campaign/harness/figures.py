"""What every figure of the harness shares: its row, and how commands are run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.campaign.interpreters import REPOSITORY

SCRATCH = REPOSITORY / ".cache" / "harness"


@dataclass(frozen=True)
class Row:
    """A figure as measured, beside its target; ``met`` is None where it is there to be read
    only.
    """

    figure: str
    measured: str
    target: str
    met: bool | None


def run_command(command: Sequence[str]) -> str:
    """Run a command of the suite; return what it printed. Raises RuntimeError when it fails."""
    # As on a user's machine: compiled modules are kept.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}: {process.stderr}")
    return process.stdout
