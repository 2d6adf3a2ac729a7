"""The generated parts of the READMEs, made from the reference campaigns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from analysis import answers, style, tables
from analysis.campaign import Campaign
from analysis.findings import Findings, find
from analysis.guide import Advice, guide
from analysis.load import read_campaign
from analysis.pages import HEADLINE
from analysis.plan import FILE as PLAN_FILE
from analysis.plots import CHARTS
from analysis.plots.prepare import prepared, python_shown

README: Final = Path("README.md")
RESULTS_README: Final = Path("results/README.md")
REFERENCE: Final = Path("results/reference")
BY_PYTHON: Final = "cost-by-python"
TIMELINE: Final = "head-start-timeline"
_BLOCK = re.compile(r"(<!-- generated: begin -->\n).*?(<!-- generated: end -->)", re.DOTALL)


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


def current(campaigns: Sequence[Campaign]) -> str:
    """The README's block: the answer and its chart from the campaign that averages most cases, and
    the guide from all of them. Raises ReadmeError without a campaign.
    """
    if not campaigns:
        raise ReadmeError(f"{REFERENCE}/ holds no campaign")
    every = [find(campaign) for campaign in campaigns]
    findings = max(every, key=_cases)
    charted = _Charted(findings)
    campaign = findings.campaign
    first = python_shown(campaign)
    said = answers.answers(findings.summary)
    measured = tables.escaped(tables.provenance(campaign))
    report = f"[all of it]({campaign.folder.as_posix()}/report/report.md)"
    return "\n".join(
        [
            f"**{tables.escaped(answers.RULE)}**",
            "",
            *(
                f"- {tables.escaped(str(answer))}"
                for answer in said
                if first is None or answer.python == first.label
            ),
            "",
            *charted.picture(HEADLINE),
            f"{answers.basis(findings.summary)} Measured: {measured}; {report}.",
            "",
            *charted.picture(BY_PYTHON),
            *_guide(every),
            *next(filter(None, (_Charted(one).picture(TIMELINE) for one in every)), []),
        ]
    )


class _Charted:
    """A campaign's findings, prepared for charts once."""

    def __init__(self, findings: Findings) -> None:
        self._charts = f"{findings.campaign.folder.as_posix()}/report/charts"
        self._frames = prepared(findings)

    def picture(self, name: str) -> list[str]:
        """A chart of the campaign's report, light and dark; nothing where it has no rows for it."""
        chart = CHARTS[name]
        frame = self._frames.get(chart.needs)
        rows = None if frame is None else chart.select(frame)
        if rows is None or rows.empty:
            return []
        path = f"{self._charts}/{name}"
        return [
            "<picture>",
            f'  <source media="(prefers-color-scheme: dark)" srcset="{path}-dark.svg">',
            f'  <img alt="{chart.finding(rows).replace(chr(34), "")}" src="{path}-light.svg">',
            "</picture>",
            "",
        ]


def reference_campaigns(reference: Path = REFERENCE) -> list[Campaign]:
    """The reference campaigns, newest first. Raises ReadmeError for one in error."""
    campaigns = [read_campaign(plan.parent) for plan in reference.glob(f"*/{PLAN_FILE}")]
    for campaign in campaigns:
        if campaign.errors:
            raise ReadmeError(str(campaign.errors[0]))
    return sorted(campaigns, key=lambda one: (one.plan.created, one.name), reverse=True)


def _cases(findings: Findings) -> int:
    return int(findings.summary["cases"].max()) if len(findings.summary) else 0


def _guide(every: Sequence[Findings]) -> list[str]:
    """What the campaigns decide of when to use what: the newest Python's line of each question,
    with the head of its reason; nothing where they do not decide.
    """
    newest: dict[tuple[str, str], Advice] = {}
    for one in guide(every):  # which has the newest Python first
        if one.decided:
            newest.setdefault((one.topic, one.when), one)
    lines = [
        f"- **{tables.escaped(one.use)}**"
        + (f" when {tables.escaped(one.when)}" if one.when else "")
        + f". {tables.escaped(one.reason.partition('; ')[0])}."
        for one in newest.values()
    ]
    return ["When to use what, as far as it was measured:", "", *lines, ""] if lines else []


def index(campaigns: Sequence[Campaign]) -> str:
    """A table of the campaigns, in their order."""
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
