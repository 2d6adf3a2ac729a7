"""The repository as a stranger has it: a copy to change, and the command line as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.campaign import interpreters
from benchmarks.strategies import OLDEST_PYTHON

REPOSITORY = Path(__file__).resolve().parents[1]
REFERENCES = sorted(
    plan.parent for plan in (REPOSITORY / "results" / "reference").glob("*/campaign.json")
)
TIMEOUT_SECONDS = 120.0
"""A process that runs longer hangs."""


def run_python(*arguments: str | Path, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """Run this Python with arguments and wait for its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS,
    )  # fmt: skip


def run_benchmarks(
    *arguments: str | Path, cwd: Path = REPOSITORY
) -> subprocess.CompletedProcess[str]:
    """``python -m benchmarks`` with arguments."""
    return run_python("-m", "benchmarks", *arguments, cwd=cwd)


def pythons_here() -> list[Path]:
    """Every Python of this machine that is new enough: this one, those on PATH, pyenv's.

    Nothing is installed for it. What is only a shim, and does not run, is left out.
    """
    names = ["python3", *(f"python3.{minor}{t}" for minor in range(10, 20) for t in ("", "t"))]
    folders = [*os.get_exec_path(), *map(str, _PYENV.glob("versions/3.1*/bin")), "/usr/bin"]
    candidates = (Path(folder) / name for folder in folders for name in names)
    found = [_itself(path) for path in dict.fromkeys(candidates) if path.is_file()]
    return list(dict.fromkeys(filter(None, [interpreters.find(None), *found])))


_PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()


def _itself(python: Path) -> Path | None:
    """The interpreter behind a link, an environment or a shim; None if it is none, or too old."""
    program = f"""if True:
        import os, sys
        print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
        sys.exit(sys.version_info < {OLDEST_PYTHON})"""
    tried = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return Path(tried.stdout.strip()) if tried.returncode == 0 else None


def read_campaign(folder: Path) -> Mapping[str, Any]:
    """``campaign.json`` as it lies there."""
    fields: Mapping[str, Any] = json.loads((folder / "campaign.json").read_text(encoding="utf-8"))
    return fields


def read_journal(folder: Path) -> list[Mapping[str, Any]]:
    """Every whole line of ``rounds.jsonl``."""
    content = (folder / "rounds.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in content.splitlines(keepends=True) if line.endswith("\n")]
