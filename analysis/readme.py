"""The generated part of the README: question, answer and chart of the reference campaign."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from analysis import answers, tables
from analysis.campaign import CampaignError
from analysis.findings import find
from analysis.load import newest_campaign, read_campaign
from analysis.pages import HEADLINE
from analysis.plots import CHARTS
from analysis.plots.prepare import prepared

README: Final = Path("README.md")
REFERENCE: Final = Path("results/reference")
_BLOCK = re.compile(r"(<!-- generated: begin -->\n).*?(<!-- generated: end -->)", re.DOTALL)


class ReadmeError(Exception):
    """The README cannot be brought up to date; the message is one line."""


def updated(text: str, block: str) -> str:
    """``text`` with ``block`` between its markers. Raises ReadmeError when they are not there."""
    if not _BLOCK.search(text):
        raise ReadmeError(f"{README}: no line <!-- generated: begin --> with its end")
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
