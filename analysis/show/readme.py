"""The generated parts of the READMEs, made from the reference campaigns and their reports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape, unescape
from pathlib import Path
from typing import Final

from analysis.judge import words as say
from analysis.judge.answer import RULE, answers
from analysis.judge.findings import Findings, find
from analysis.judge.guide import guide
from analysis.read.campaign import Campaign
from analysis.read.load import read_campaign
from analysis.show import tables
from analysis.show.page import HEADLINE, MARKDOWN
from analysis.show.report import FOLDER
from benchmarks.campaign.schema import CAMPAIGN_FILE

README: Final = Path("README.md")
RESULTS_README: Final = Path("results/README.md")
REFERENCE: Final = Path("results/reference")
SHOWN: Final = (HEADLINE, "cost-by-python", "head-start")
"""The charts of the README, in this order; each from the first report that has it."""
_BLOCK: Final = re.compile(r"(<!-- generated: begin -->\n).*?(<!-- generated: end -->)", re.DOTALL)
_TITLE: Final = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_INDEX: Final = ("campaign", "Python", "loops", "probes", "tasks", "cases", "rounds")


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
    """The reference campaigns, newest first. Raises ReadmeError for one in error."""
    campaigns = [read_campaign(plan.parent) for plan in reference.glob(f"*/{CAMPAIGN_FILE}")]
    for campaign in campaigns:
        if campaign.errors:
            raise ReadmeError(str(campaign.errors[0]))
    return sorted(campaigns, key=lambda one: (one.plan.created, one.name), reverse=True)


def current(campaigns: Sequence[Campaign]) -> str:
    """The README's block: the answer and charts from the campaign whose means have most cases, and
    the guide from all of them. Raises ReadmeError without a campaign.
    """
    if not campaigns:
        raise ReadmeError(f"{REFERENCE}/ holds no campaign")
    every = sorted((find(campaign) for campaign in campaigns), key=_most_cases, reverse=True)
    first = every[0]
    report = f"{first.campaign.folder.as_posix()}/{FOLDER}/{MARKDOWN}"
    measured = say.escaped(tables.provenance(first.campaign))
    headline, *others = _charts(every)
    return "\n".join(
        [
            f"**{say.escaped(RULE)}**",
            "",
            *_sentences(first),
            "",
            headline,
            f"Measured: {measured}; [all of it]({report}).",
            "",
            *others,
            *_advice(every),
        ]
    )


def _most_cases(findings: Findings) -> int:
    return int(findings.contrasts["cases"].max()) if len(findings.contrasts) else 0


def _sentences(findings: Findings) -> Iterator[str]:
    """The answer on the newest Python and each loop, over all workloads that compute; over each of
    them, where none does.
    """
    scope = findings.contrasts["scope"]
    newest = tables.newest(findings.campaign)
    for answer in answers(findings):
        if answer.python == newest or not newest:
            together = [line for line in answer.lines if scope[line.contrast] == "computing"]
            where = f"Python {answer.python}, {findings.words.label('loop', answer.loop)}"
            for line in together or answer.lines:
                yield f"- {say.escaped(f'{where}: {line.sentence}')}"


def _charts(every: Sequence[Findings]) -> list[str]:
    """The charts of :data:`SHOWN`, light and dark; nothing for one that no report has."""
    folders = [findings.campaign.folder / FOLDER / "charts" for findings in every]
    places = (
        next((folder for folder in folders if (folder / f"{name}-light.svg").is_file()), None)
        for name in SHOWN
    )
    return [
        _picture(place / name) if place else "" for place, name in zip(places, SHOWN, strict=True)
    ]


def _picture(chart: Path) -> str:
    """A chart with the words that it has for those who cannot see it."""
    path = chart.as_posix()
    title = _TITLE.search(Path(f"{path}-light.svg").read_text(encoding="utf-8"))
    return f"""<picture>
  <source media="(prefers-color-scheme: dark)" srcset="{path}-dark.svg">
  <img alt="{escape(unescape(title[1])) if title else ""}" src="{path}-light.svg">
</picture>
"""


def _advice(every: Sequence[Findings]) -> Iterator[str]:
    """What the campaigns decide of when to use what, each line with all its conditions."""
    lines = [one for one in guide(every) if one.decided]
    if lines:
        yield "When to use what, as far as it was measured:\n"
    for one in lines:
        when = f" when {say.escaped(one.when)}" if one.when else ""
        yield f"- **{say.escaped(one.use)}**{when}."
    if lines:
        yield ""


def index(campaigns: Sequence[Campaign]) -> str:
    """A table of the campaigns, in their order."""
    lines = [_INDEX, tuple("---" for _ in _INDEX), *map(_row, campaigns)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _row(campaign: Campaign) -> tuple[str, ...]:
    """What a campaign measured, a Markdown cell for each of ``_INDEX``."""
    folder = campaign.folder.name
    tasks = sorted({case.tasks for case in campaign.cases})
    texts = (
        ", ".join(one.label for one in campaign.interpreters),
        ", ".join(dict.fromkeys(one.loop for one in campaign.contenders)),
        ", ".join(dict.fromkeys(case.probe for case in campaign.cases)),
        " to ".join(dict.fromkeys(say.count(number) for number in (*tasks[:1], *tasks[-1:]))),
        say.count(len(campaign.cases)),
        say.count(campaign.rounds),
    )
    link = f"[{folder}](reference/{folder}/{FOLDER}/{MARKDOWN})"
    return (link, *map(say.escaped, texts))
