"""Findings -> the files of a report, in memory: the page, the same as Markdown, charts and tables.
Writes nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd
from markupsafe import Markup

from analysis import style, tables
from analysis.answers import QUESTION, RULE, answers, basis
from analysis.campaign import Campaign
from analysis.facts import interpreter_facts
from analysis.findings import Findings, find
from analysis.grids import case_grid, comparison_grids, contender_grid, cost_grid, filters
from analysis.plots import CHARTS, CannotDrawError, Chart, Look, for_page, for_theme, render
from analysis.plots.prepare import prepared

HEADLINE: Final = "ratios-by-tasks"
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
    findings = find(campaign, baseline_python=baseline_python)
    pictures, files = _pictures(findings)
    context = _context(findings, pictures)
    files["index.html"] = _html(context).encode()
    files["report.md"] = _markdown(context).encode()
    for name, frame in _frames(findings).items():
        files[f"{name}.csv"] = tables.frame_csv(frame).encode()
    return files


def _frames(findings: Findings) -> dict[str, pd.DataFrame]:
    """What is written as CSV, by the name of its file."""
    frames = {
        "comparisons": findings.comparisons,
        "summary": findings.summary,
        "absolutes": findings.absolutes,
        "costs": findings.costs,
        "loops": findings.loops,
    }
    if len(findings.pythons):
        frames["pythons"] = findings.pythons
        frames["python-summary"] = findings.python_summary
    return frames


# --- charts --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as the page shows it; ``absent`` says why there is none."""

    name: str
    heading: str
    caption: str
    finding: str = ""
    wide: str = ""
    narrow: str = ""
    absent: str = ""


def _pictures(findings: Findings) -> tuple[list[Picture], dict[str, bytes]]:
    frames = prepared(findings)
    source, warning = _source(findings.campaign), " ".join(_warnings(findings))
    pictures, files = [], {}
    for chart in sorted(CHARTS.values(), key=lambda chart: (chart.place, chart.name)):
        if chart.needs not in frames:
            continue  # about something that this campaign has only one of
        try:
            picture, drawn = _picture(chart, frames[chart.needs], source, warning)
        except CannotDrawError as error:
            picture, drawn = (
                Picture(chart.name, chart.heading, chart.caption, absent=str(error)),
                {},
            )
        pictures.append(picture)
        files.update(drawn)
    return pictures, files


def _picture(
    chart: Chart, frame: pd.DataFrame, source: str, warning: str
) -> tuple[Picture, dict[str, bytes]]:
    drawn = render(chart, frame, Look(style.LIGHT, source, warning))
    narrow = render(chart, frame, Look(style.LIGHT, source, warning, narrow=True), png=False)
    picture = Picture(
        name=chart.name,
        heading=chart.heading,
        caption=chart.caption,
        finding=chart.finding(chart.select(frame)),
        wide=for_page(drawn.svg),
        narrow=for_page(narrow.svg),
    )
    files = {}
    for theme in style.THEMES:
        stem = f"charts/{chart.name}-{theme.name}"
        light = theme is style.LIGHT
        files[f"{stem}.svg"] = (drawn.svg if light else for_theme(drawn.svg, theme)).encode()
        same = drawn if light else render(chart, frame, Look(theme, source, warning), svg=False)
        files[f"{stem}.png"] = same.png
    return picture, files


def _source(campaign: Campaign) -> str:
    """The foot of every chart: what was measured, where and when."""
    machine = campaign.machine
    parts = [
        "asyncio-fanout",
        tables.provenance(campaign),
        str(machine.get("cpu_model") or ""),
        str(machine.get("system") or ""),
        campaign.plan.created[:10],
    ]
    return " \u00b7 ".join(filter(None, parts))


def _warnings(findings: Findings) -> list[str]:
    """What every page and chart must carry: a campaign that is not proven, or not whole."""
    control, campaign = findings.control, findings.campaign
    said = []
    if not control.proven:
        more = f" (and {len(control.reasons) - 1} more)" if len(control.reasons) > 1 else ""
        said.append(f"Unproven: {control.reasons[0]}{more}.")
    if campaign.status != "complete":
        said.append(f"This campaign is {campaign.status}: it holds the rounds measured so far.")
    return said


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


def _context(findings: Findings, pictures: Sequence[Picture]) -> dict[str, Any]:
    campaign = findings.campaign
    grids = comparison_grids(findings)
    by_name = {picture.name: picture for picture in pictures}
    return {
        "question": QUESTION,
        "rule": RULE,
        "answers": answers(findings.summary),
        "basis": basis(findings.summary),
        "warnings": _warnings(findings),
        "control": findings.control,
        "campaign": campaign,
        "provenance": tables.provenance(campaign),
        "headline": by_name[HEADLINE],
        "pictures": [picture for picture in pictures if picture.name != HEADLINE],
        "grids": grids,
        "filters": filters(grids),
        "summary_table": tables.answer(findings),
        "case_tables": tables.case_tables(findings, control=True),
        "cost_table": tables.cost_table(findings),
        "costs": cost_grid(findings),
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
        *(case.workload for case in campaign.cases),
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
