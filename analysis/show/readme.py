"""The generated parts of the READMEs, made from the reference campaigns and their reports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from analysis.judge import words as say
from analysis.judge.answer import answer, limits
from analysis.judge.decisions import decisions
from analysis.judge.findings import Findings, find
from analysis.read.campaign import Campaign
from analysis.read.load import usable
from analysis.show import tables
from analysis.show.page import FOLDER, HEADLINE, MARKDOWN, markdown
from analysis.show.tables import Cell, Column, Field
from benchmarks.campaign.schema import CAMPAIGN_FILE

README: Final = Path("README.md")
RESULTS_README: Final = Path("results/README.md")
REFERENCE: Final = Path("results/reference")
_BLOCK: Final = re.compile(r"(<!-- generated: begin -->\n).*?(<!-- generated: end -->)", re.DOTALL)
_TITLE: Final = re.compile(r"<title>(.*?)</title>", re.DOTALL)


class ReadmeError(Exception):
    """The README cannot be brought up to date; the message is one line."""


def documents() -> dict[Path, str]:
    """Every README that has a generated part, brought up to date. Raises ReadmeError, OSError."""
    campaigns = reference_campaigns()
    blocks = {README: current(campaigns), RESULTS_README: index(campaigns)}
    return {
        path: updated(path.read_text(encoding="utf-8"), block, path)
        for path, block in blocks.items()
    }


def updated(text: str, block: str, path: Path = README) -> str:
    """``text`` with ``block`` between its markers. Raises ReadmeError when they are not there."""
    if not _BLOCK.search(text):
        raise ReadmeError(f"{path}: no line <!-- generated: begin --> with its end")
    return _BLOCK.sub(lambda match: f"{match[1]}{block}{match[2]}", text, count=1)


def reference_campaigns(reference: Path = REFERENCE) -> list[Campaign]:
    """The reference campaigns, newest first. Raises CampaignError for one in error."""
    campaigns = [usable(plan.parent) for plan in reference.glob(f"*/{CAMPAIGN_FILE}")]
    return sorted(campaigns, key=lambda one: (one.plan.created, one.name), reverse=True)


def current(campaigns: Sequence[Campaign]) -> str:
    """The README's block: the answer and its chart from the campaign whose means have most cases,
    and the decision table from all of them. Raises ReadmeError without a campaign.
    """
    if not campaigns:
        raise ReadmeError(f"{REFERENCE}/ holds no campaign")
    every = sorted((find(campaign) for campaign in campaigns), key=_most_cases, reverse=True)
    first = every[0]
    with_limits = [(of, _report(one)) for one in every if (of := limits(one))]
    return markdown(
        "readme.md.jinja",
        {
            "sentences": answer(first),
            "headline": _charts(every, HEADLINE),
            "measured": [
                f"{tables.provenance(one.campaign)}{', measured the old way' * one.campaign.is_old}"
                for one in every
            ],
            "report": _report(first),
            "with_limits": with_limits[:1],
            "decided": tables.decided(decisions(every)),
        },
    )


def _report(findings: Findings) -> str:
    return f"{findings.campaign.folder.as_posix()}/{FOLDER}/{MARKDOWN}"


def _most_cases(findings: Findings) -> int:
    return int(findings.contrasts["cases"].max()) if len(findings.contrasts) else 0


def _charts(every: Sequence[Findings], name: str) -> list[tuple[str, str]]:
    """The path of a chart in the first report that has it, and its words; [] without one."""
    paths = [one.campaign.folder / FOLDER / "charts" / f"{name}-light.svg" for one in every]
    titles = [
        (path.as_posix().removesuffix("-light.svg"), _TITLE.search(path.read_text("utf-8")))
        for path in paths
        if path.is_file()
    ]
    return [(path, title[1] if title else "") for path, title in titles[:1]]


def index(campaigns: Sequence[Campaign]) -> str:
    """A table of the campaigns, in their order."""
    fields: list[Field] = [
        (Column("campaign"), _link),
        (Column("Python"), lambda one: ", ".join(python.label for python in one.interpreters)),
        (Column("loops"), lambda one: _distinct(one.contenders, "loop")),
        (Column("probes"), lambda one: _distinct(one.cases, "probe")),
        (Column("tasks"), _tasks),
        (Column("cases"), lambda one: say.count(len(one.cases))),
        (Column("rounds"), lambda one: say.count(one.rounds)),
    ]
    return tables.markdown(tables.make("", "", campaigns, fields)) + "\n"


def _link(campaign: Campaign) -> Cell:
    folder = campaign.folder.name
    return Cell("", links=((folder, f"reference/{folder}/{FOLDER}/{MARKDOWN}"),))


def _distinct(records: Sequence[object], name: str) -> str:
    return ", ".join(dict.fromkeys(getattr(one, name) for one in records))


def _tasks(campaign: Campaign) -> str:
    """The least and the largest number."""
    tasks = [case.tasks for case in campaign.cases]
    return " to ".join(map(say.count, sorted({min(tasks), max(tasks)})))
