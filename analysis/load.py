"""The only reader of raw files: campaign folders -> tidy frames, a row per value.

pandas is imported late (in :mod:`analysis.frames`): the campaign's stop rule imports this package
without needing it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from analysis.campaign import Campaign, CampaignError
from analysis.journal import FILE as JOURNAL_FILE
from analysis.journal import MAX_LINE_BYTES, read_journal
from analysis.plan import FILE as PLAN_FILE
from analysis.plan import read_plan
from analysis.plausible import check_numbers
from analysis.suites import check_suites
from analysis.validate import Problem, Problems, UnreadableError, lines, open_regular
from analysis.witness_file import read_witness

if TYPE_CHECKING:
    import pandas as pd

PathLike: TypeAlias = "str | os.PathLike[str]"


def read_campaign(folder: PathLike, *, suites: bool = False) -> Campaign:
    """Read and check one campaign folder.

    Never raises for what the folder holds: everything wrong is in ``problems``, and what is left
    out is named there. A campaign still running, interrupted or cut off reads as far as it got.
    With ``suites`` the pyperf suites are compared with the journal too.
    """
    from analysis.frames import journal_frame, observed_frame, values_frame

    folder = Path(folder)
    problems = Problems()
    if not folder.is_dir():
        problems.error(str(folder), None, "is not a folder")
    plan = read_plan(folder, problems)
    journal = read_journal(folder, plan, problems)
    check_numbers(journal, plan, problems)
    witness = read_witness(folder, problems)
    if suites:
        check_suites(folder, plan, journal, problems)
    seen = len(np.unique(journal.round))
    if plan.status == "complete" and plan.rounds != seen:
        problems.warning(PLAN_FILE, None, f"says {plan.rounds} rounds; the journal has {seen}")
    return Campaign(
        folder=folder,
        plan=plan,
        frame=values_frame(plan, journal),
        journal=journal_frame(plan, journal),
        observed=observed_frame(plan, journal.observed),
        failed=journal.failures,
        problems=problems.all(),
        witness=witness,
    )


def load(path_or_paths: PathLike | Iterable[PathLike]) -> pd.DataFrame:
    """The values of one campaign folder, or of several, one row per timed value.

    Columns: :data:`analysis.frames.COLUMNS` (``seconds`` per batch, of the whole fan-out, or
    ``bytes``; ``loops`` the timed repetitions behind it) and a ``condition_...`` column for
    everything a worker proved about itself. Texts are categorical. Raises CampaignError, naming
    every problem, when a folder is in error or the campaigns measured different code.
    """
    paths = [path_or_paths] if isinstance(path_or_paths, (str, os.PathLike)) else path_or_paths
    return frame_of([read_campaign(path) for path in paths])


def frame_of(campaigns: Sequence[Campaign]) -> pd.DataFrame:
    """:func:`load` for campaigns already read."""
    from analysis.frames import joined, with_conditions

    problems = [problem for campaign in campaigns for problem in campaign.errors]
    problems += mixed_code(campaigns)
    if problems:
        raise CampaignError(problems)
    return joined([with_conditions(campaign) for campaign in campaigns])


def mixed_code(campaigns: Sequence[Campaign]) -> list[Problem]:
    """An error for each campaign whose measured sources differ from the first one's."""
    return [
        Problem(
            "error",
            str(campaign.folder / PLAN_FILE),
            None,
            f"code_hash {campaign.plan.code_hash[:12]} differs from {campaigns[0].name}'s "
            f"{campaigns[0].plan.code_hash[:12]}: they measured different code; load them apart",
        )
        for campaign in campaigns[1:]
        if campaign.plan.code_hash != campaigns[0].plan.code_hash
    ]


def newest_campaign(results: PathLike) -> Path | None:
    """The campaign under ``results`` (or ``results/reference``) that was created last, of those
    that hold a round.
    """
    found = [
        (plan.created, path.parent)
        for pattern in (f"*/{PLAN_FILE}", f"*/*/{PLAN_FILE}")
        for path in sorted(Path(results).glob(pattern))
        if (plan := read_plan(path.parent, Problems())).created
    ]
    return next((folder for _, folder in sorted(found, reverse=True) if _has_round(folder)), None)


def _has_round(folder: Path) -> bool:
    """Whether the journal has a line that is whole. What it says is another matter."""
    try:
        with open_regular(folder / JOURNAL_FILE) as file:
            return any(line.terminated for line in lines(file, MAX_LINE_BYTES))
    except (UnreadableError, OSError):
        return False
