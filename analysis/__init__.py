"""Campaigns in a notebook: their values, and what is compared with what.

>>> import analysis
>>> analysis.load("results/FOLDER")       # a row per round, case and contender
>>> analysis.contrasts("results/FOLDER")  # a row per comparison, with interval and verdict

results/README.md explains every column.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

# While python -m looks for the program; an import elsewhere says by itself what is missing.
if sys.argv[0] == "-m" and find_spec("msgspec") is None:
    sys.stderr.write(
        "this Python lacks the suite's packages: run make bench once, which installs them, then "
        ".venv/bin/python -m analysis\n"
    )
    sys.exit(2)

from analysis.read.campaign import CampaignError
from analysis.read.load import load, usable
from benchmarks.campaign.schema import UnknownPythonError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CampaignError", "UnknownPythonError", "contrasts", "load"]


def contrasts(
    folder: str | os.PathLike[str], *, baseline_python: str | None = None
) -> pd.DataFrame:
    """The table of :func:`analysis.judge.contrasts.contrasts` of a results folder.

    Raises CampaignError, naming every problem, when the folder is in error; UnknownPythonError.
    """
    from analysis.judge.contrasts import contrasts as contrasts_of

    return contrasts_of(usable(folder), baseline_python=baseline_python)
