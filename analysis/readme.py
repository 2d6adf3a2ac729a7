"""The generated parts of the READMEs, made from the reference campaigns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from analysis import answers, style, tables
from analysis.campaign import Campaign, CampaignError
from analysis.findings import find
from analysis.load import newest_campaign, read_campaign
from analysis.pages import HEADLINE
from analysis.plan import FILE as PLAN_FILE
from analysis.plots import CHARTS
from analysis.plots.prepare import prepared

README: Final = Path("README.md")
RESULTS_README: Final = Path("results/README.md")
REFERENCE: Final = Path("results/reference")
_BLOCK = re.compile(r"(<!-- generated: begin -->\n).*?(<!-- generated: end -->)", re.DOTALL)


class ReadmeError(Exception):
    """The README cannot be brought up to date; the message is one line."""


def documents() -> dict[Path, str]:
    """Every README that has a generated part, brought up to date. Raises ReadmeError, OSError."""
    blocks = {README: current(), RESULTS_README: index()}
    return {
        path: updated(path.read_text(encoding="utf-8"), block, path)
        for path, block in blocks.items()
    }


def updated(text: str, block: str, path: Path = README) -> str:
    """``text`` with ``block`` between its markers. Raises ReadmeError when they are not there."""
    if not _BLOCK.search(text):
        raise ReadmeError(f"{path}: no line <!-- generated: begin --> with its end")
    return _BLOCK.sub(lambda match: f"{match[1]}{block}{match[2]}", text, count=1)


def current(reference: Path = REFERENCE) -> str:
    """The block, from the newest reference campaign. Raises ReadmeError without a usable one."""
    folder = newest_campaign(reference)
    if folder is None:
        raise ReadmeError(f"{reference}/ holds no campaign")
    campaign = read_campaign(folder)
    try:
        findings = find(campaign)
    except CampaignError as error:
        raise ReadmeError(str(error)) from None
    chart = CHARTS[HEADLINE]
    finding = chart.finding(chart.select(prepared(findings)[chart.needs]))
    charts = f"{folder.as_posix()}/report/charts/{HEADLINE}"
    lines = [f"- {tables.escaped(str(answer))}" for answer in answers.answers(findings.summary)]
    measured = tables.escaped(tables.provenance(campaign))
    report = f"[all of it]({folder.as_posix()}/report/report.md)"
    return "\n".join(
        [
            f"**{tables.escaped(answers.RULE)}**",
            "",
            *lines,
            "",
            "<picture>",
            f'  <source media="(prefers-color-scheme: dark)" srcset="{charts}-dark.svg">',
            f'  <img alt="{finding.replace(chr(34), "")}" src="{charts}-light.svg">',
            "</picture>",
            "",
            f"{answers.basis(findings.summary)} Measured: {measured}; {report}.",
            "",
        ]
    )


def index(reference: Path = REFERENCE) -> str:
    """A table of the reference campaigns, newest first. Raises ReadmeError for one in error."""
    campaigns = [read_campaign(plan.parent) for plan in reference.glob(f"*/{PLAN_FILE}")]
    for campaign in campaigns:
        if campaign.errors:
            raise ReadmeError(str(campaign.errors[0]))
    campaigns.sort(key=lambda campaign: (campaign.plan.created, campaign.name), reverse=True)
    lines = [_INDEX, tuple("---" for _ in _INDEX), *map(_row, campaigns)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


_INDEX: Final = ("campaign", "Python", "loops", "probes", "tasks", "cases", "rounds")


def _row(campaign: Campaign) -> tuple[str, ...]:
    """What a campaign measured, a Markdown cell for each of ``_INDEX``."""
    folder = campaign.folder.name
    tasks = sorted({case.tasks for case in campaign.cases})
    span = dict.fromkeys(style.count(number) for number in (tasks[:1] + tasks[-1:]))
    texts = (
        ", ".join(one.label for one in campaign.interpreters),
        ", ".join(dict.fromkeys(one.loop for one in campaign.contenders)),
        ", ".join(dict.fromkeys(case.probe for case in campaign.cases)),
        " to ".join(span),
        style.count(len(campaign.cases)),
        style.count(campaign.rounds),
    )
    return (f"[{folder}](reference/{folder}/report/report.md)", *map(tables.escaped, texts))
