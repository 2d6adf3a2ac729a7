"""Findings -> the files of a report, in memory: the page, the same as Markdown, charts and tables.
Writes nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd
from markupsafe import Markup

from analysis import style, tables
from analysis.answers import QUESTION, RULE, answers, basis
from analysis.campaign import COLLECTOR_ON, NO_PAUSE, Campaign
from analysis.contrasts import CellReference
from analysis.facts import interpreter_facts
from analysis.findings import Findings, find
from analysis.grids import (
    case_grid,
    comparison_grids,
    contender_grid,
    cost_grid,
    filters,
    places,
)
from analysis.guide import Advice, guide
from analysis.pictures import Picture, pictures, warnings
from analysis.plots.prepare import python_shown
from analysis.sections import sections

HEADLINE: Final = "ratios-by-tasks"
_GLANCE_CHARACTERS: Final = 200
_TEMPLATES: Final = Path(__file__).parent / "templates"
_JINJA: Final[dict[str, Any]] = {
    "loader": jinja2.FileSystemLoader(_TEMPLATES),
    "undefined": jinja2.StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}


def build(campaign: Campaign, *, baseline_python: str | None = None) -> dict[str, bytes]:
    """Every file of the report of a campaign, by its path relative to the report's folder.

    ``baseline_python`` is as in :func:`analysis.findings.find`.
    """
    return files_of(find(campaign, baseline_python=baseline_python))


def files_of(findings: Findings) -> dict[str, bytes]:
    """:func:`build` for what was estimated already."""
    shown, files = pictures(findings)
    context = _context(findings, shown)
    files["index.html"] = _html(context).encode()
    files["report.md"] = _markdown(context).encode()
    for name, frame in _frames(findings).items():
        files[f"{name}.csv"] = tables.frame_csv(_rounded(frame)).encode()
    return files


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with estimates to nine significant digits: far beyond any interval, and half as
    long to write.
    """
    floats = frame.select_dtypes("float")
    return frame.assign(
        **{
            str(name): [float(f"{number:.9g}") for number in column]
            for name, column in floats.items()
        }
    )


def _frames(findings: Findings) -> dict[str, pd.DataFrame]:
    """What is written as CSV, by the name of its file."""
    frames = {
        "comparisons": findings.everything,
        "summary": findings.summary,
        "absolutes": findings.every_absolute,
        "costs": findings.costs,
        "loops": findings.loops,
    }
    further = {
        "pythons": findings.pythons,
        "python-summary": findings.python_summary,
        "head-start": findings.head_start,
        "factories": findings.factories,
        "collectors": findings.collectors,
        "observations": findings.observations,
    }
    return frames | {name: frame for name, frame in further.items() if len(frame)}


# --- pages ---------------------------------------------------------------------------------------


def _facts(campaign: Campaign) -> list[tuple[str, str]]:
    """The conditions of the campaign: (name, value)."""
    plan = campaign.plan
    facts: list[tuple[str, object]] = [
        ("Campaign", plan.name),
        ("Status", plan.status),
        ("Preset", plan.preset),
        ("Rounds", campaign.rounds),
        ("Seed", plan.seed),
        ("Budget", style.duration(plan.budget_seconds)),
        ("Took", style.duration(plan.elapsed_seconds)),
        ("Precision asked for", style.share(plan.precision)),
        ("Length of a timed slice", style.seconds(plan.slice_seconds)),
        ("Started", plan.created),
        ("Finished", plan.finished or "not finished"),
        ("Hash of the measured code", plan.code_hash),
    ]
    for key, value in campaign.machine.items():
        facts.append((f"Machine: {key.replace('_', ' ')}", value))
    return [(name, style.fact(value)) for name, value in facts]


def _context(findings: Findings, shown: Sequence[Picture]) -> dict[str, Any]:
    campaign = findings.campaign
    grids = comparison_grids(findings)
    costs = cost_grid(findings)
    parts = sections(findings, shown)
    told = {picture.name for part in parts for picture in part.pictures}
    headline = next((one for one in shown if one.name == HEADLINE and not one.absent), None)
    others = [one for one in shown if one.name not in told and one is not headline]
    lines = guide([findings])
    said = answers(findings.summary)
    first = python_shown(campaign)
    return {
        "question": QUESTION,
        "rule": RULE,
        "advice": _by_topic(lines, campaign),
        "not_measured": _not_measured(lines),
        "answers": [one for one in said if first is None or one.python == first.label],
        "more_answers": [one for one in said if first is not None and one.python != first.label],
        "basis": basis(findings.summary),
        "warnings": warnings(findings),
        "control": findings.control,
        "campaign": campaign,
        "provenance": tables.provenance(campaign),
        "headline": headline,
        "sections": parts,
        "pictures": [one for one in others if not one.absent],
        "not_drawn": [one for one in others if one.absent],
        "grids": grids,
        "filters": filters(grids),
        "summary_table": tables.answer(findings),
        "case_tables": tables.case_tables(findings, control=True),
        "cost_table": tables.cost_table(findings),
        "costs": costs,
        "cases": case_grid(campaign),
        "contenders": contender_grid(campaign),
        "facts": _facts(campaign),
        "interpreters": [
            (f"Python {one.label}", interpreter_facts(one, campaign.contenders))
            for one in sorted(campaign.interpreters, key=lambda one: style.python_order(one.label))
        ],
        "python_tables": (
            [tables.python_answer(findings), *tables.python_tables(findings)]
            if len(findings.pythons)
            else []
        ),
        "csv_files": [f"{name}.csv" for name in _frames(findings)],
        "foot": tables.foot(findings),
        "trace": _trace(campaign),
        "vocabulary": _vocabulary(campaign),
    }


@dataclass(frozen=True, slots=True)
class Advised:
    """A line of the guide as the page shows it: of its reason as many clauses as are read at a
    glance; on demand the ``evidence``, sentences with the cells behind them as links (words,
    target).
    """

    use: str
    when: str
    where: str
    reason: str
    decided: bool
    evidence: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def _by_topic(lines: Iterable[Advice], campaign: Campaign) -> list[tuple[str, list[Advised]]]:
    """What the guide has cells for, topic by topic."""
    found: dict[str, list[Advised]] = {}
    for one in lines:
        if one.evidence:
            found.setdefault(one.topic, []).append(_advised(one, campaign))
    return list(found.items())


def _advised(advice: Advice, campaign: Campaign) -> Advised:
    first, *others = advice.reason.split("; ")
    for clause in others:
        if len(first) + len(clause) > _GLANCE_CHARACTERS:
            break
        first = f"{first}; {clause}"
    return Advised(
        use=advice.use.removesuffix(","),
        when=advice.when,
        where=advice.where,
        reason=first,
        decided=advice.decided,
        evidence=tuple((str(one), _links(one.cells, campaign)) for one in advice.evidence),
    )


def _links(cells: Iterable[CellReference], campaign: Campaign) -> tuple[tuple[str, str], ...]:
    """Cases and contenders that figures can be looked up in: (words, target), each once."""
    found: dict[str, str] = {}
    numbers = places(campaign)
    for cell in cells:
        for kind, ids in (("case", cell.cases), ("contender", (cell.contender, cell.against))):
            for id_ in ids:
                if id_ in numbers[kind]:
                    found[f"{kind} {numbers[kind][id_]}"] = f"#{kind}-{numbers[kind][id_]}"
    return tuple(sorted(found.items(), key=_by_number))


def _by_number(link: tuple[str, str]) -> tuple[str, int]:
    kind, _, number = link[0].partition(" ")
    return kind, int(number)


def _not_measured(lines: Iterable[Advice]) -> str:
    """What the guide has no cells for, in one sentence; empty where it has them all."""
    by_reason: dict[str, list[str]] = {}
    for one in lines:
        if not one.evidence:
            by_reason.setdefault(one.reason, []).append(one.topic[:1].lower() + one.topic[1:])
    said = [f"{style.listed(topics)} ({reason})" for reason, topics in by_reason.items()]
    return f"Not measured here: {'; '.join(said)}." if said else ""


def _trace(campaign: Campaign) -> str:
    """The expression that shows one cell's values in the journal."""
    case = campaign.cases[0].id if campaign.cases else "CASE"
    contender = campaign.contenders[0].id if campaign.contenders else "CONTENDER"
    return (
        f"[json.loads(line)['cells'][{contender!r}]['values']\n"
        f" for line in open('rounds.jsonl') if json.loads(line)['case'] == {case!r}]"
    )


def _vocabulary(campaign: Campaign) -> list[tuple[str, str]]:
    """The words of this campaign that have a meaning to give: (label, meaning)."""
    names = [
        *(one.strategy for one in campaign.contenders),
        style.CONTROL,
        *(one.task_factory for one in campaign.contenders),
        *(one.collector for one in campaign.contenders if one.collector != COLLECTOR_ON),
        *(case.workload for case in campaign.cases),
        *(case.pause for case in campaign.cases if case.pause != NO_PAUSE),
        *(metric for case in campaign.cases for metric in case.metrics),
        *style.VERDICTS,
    ]
    return [
        (style.label(name), style.meaning(name))
        for name in dict.fromkeys(names)
        if style.meaning(name)
    ]


def _html(context: Mapping[str, Any]) -> str:
    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = jinja2.Environment(autoescape=True, **_JINJA)
    return environment.get_template("index.html.jinja").render(
        **context,
        css=_ours(_stylesheet()),
        script=_ours(script),
        script_hash=digest,
        svg=_ours,
    )


def _ours(text: str) -> Markup:
    """Text that is markup already: files of this package, and charts, escaped by matplotlib."""
    return Markup(text)  # noqa: S704 - never called with what a campaign says


def _stylesheet() -> str:
    """The page's style, with the colours of both themes as variables."""
    light, dark = (
        "".join(
            f"--{role.replace('_', '-')}: {colour}; "
            for role, colour in style.palette(theme).items()
        )
        for theme in style.THEMES
    )
    rules = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
    return (
        f":root {{ {light}}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}\n{rules}"
    )


def _markdown(context: Mapping[str, Any]) -> str:
    # Markdown is no HTML: there every text of the campaign goes through the filter `escaped`.
    environment = jinja2.Environment(autoescape=False, **_JINJA)  # noqa: S701
    environment.filters["escaped"] = tables.escaped
    environment.globals["markdown_table"] = tables.markdown_table
    return environment.get_template("report.md.jinja").render(**context)
