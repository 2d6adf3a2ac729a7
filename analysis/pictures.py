"""Findings -> the charts of a report: as the page shows them, and as files."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from analysis import style, tables
from analysis.campaign import Campaign
from analysis.findings import Findings
from analysis.plots import CHARTS, CannotDrawError, Chart, Look, for_page, for_theme, render
from analysis.plots.prepare import OF_EVERY_PYTHON, prepared, python_shown


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as the page shows it. ``about`` is the frame it is of, ``absent`` says why there is
    none.
    """

    name: str
    about: str
    heading: str
    caption: str
    finding: str = ""
    wide: str = ""
    narrow: str = ""
    absent: str = ""


def pictures(findings: Findings) -> tuple[list[Picture], dict[str, bytes]]:
    """Every chart that the campaign has a frame for, in order, and their files by path."""
    frames = prepared(findings)
    shown, files = [], {}
    for chart in sorted(CHARTS.values(), key=lambda chart: (chart.place, chart.name)):
        if chart.needs not in frames:
            continue  # about something that this campaign has not measured, or only one of
        try:
            picture, drawn = _picture(chart, frames[chart.needs], _look(findings, chart.needs))
        except CannotDrawError as error:
            absent = Picture(
                chart.name, chart.needs, chart.heading, chart.caption, absent=str(error)
            )
            picture, drawn = absent, {}
        shown.append(picture)
        files.update(drawn)
    return shown, files


def _picture(chart: Chart, frame: pd.DataFrame, look: Look) -> tuple[Picture, dict[str, bytes]]:
    drawn = render(chart, frame, look)
    narrow = render(chart, frame, replace(look, narrow=True), png=False)
    picture = Picture(
        name=chart.name,
        about=chart.needs,
        heading=chart.heading,
        caption=chart.caption,
        finding=chart.finding(chart.select(frame)),
        wide=for_page(drawn.svg),
        narrow=for_page(narrow.svg),
    )
    files = {}
    for theme in style.THEMES:
        stem = f"charts/{chart.name}-{theme.name}"
        light = theme is look.theme
        files[f"{stem}.svg"] = (drawn.svg if light else for_theme(drawn.svg, theme)).encode()
        same = drawn if light else render(chart, frame, replace(look, theme=theme), svg=False)
        files[f"{stem}.png"] = same.png
    return picture, files


def _look(findings: Findings, frame: str) -> Look:
    """What a chart of this frame says beside its data, on a light ground."""
    campaign = findings.campaign
    shown = None if frame in OF_EVERY_PYTHON else python_shown(campaign)
    return Look(
        theme=style.LIGHT,
        source=_source(campaign),
        warning=" ".join(warnings(findings)),
        scope=f"Python {shown.label}, one of {len(campaign.interpreters)}." if shown else "",
    )


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


def warnings(findings: Findings) -> list[str]:
    """What every page and chart must carry: a campaign that is not proven, or not whole."""
    control, campaign = findings.control, findings.campaign
    said = []
    if not control.proven:
        more = f" (and {len(control.reasons) - 1} more)" if len(control.reasons) > 1 else ""
        said.append(f"Unproven: {control.reasons[0]}{more}.")
    if campaign.status != "complete":
        said.append(f"This campaign is {campaign.status}: it holds the rounds measured so far.")
    return said
