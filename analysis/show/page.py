"""Findings -> the files of a report, in memory: page, Markdown, charts, CSV. Writes nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import jinja2
import pandas as pd
import pyarrow as pa
from markupsafe import Markup
from pyarrow import csv

from analysis.judge import words as say
from analysis.judge.answer import QUESTION, answer
from analysis.judge.claims import Check
from analysis.judge.decisions import decisions
from analysis.judge.findings import Findings
from analysis.judge.ledger import ledger
from analysis.read.campaign import Campaign, Interpreter, python_order
from analysis.show import tables, theme
from analysis.show.charts.registry import HEALTH, Picture, draw_all, slug
from analysis.show.tables import Cell, Column, Field, Table

Chart = TypeVar("Chart")
FOLDER: Final = "report"
"""Where a report is, in a campaign's folder."""
PAGE: Final = "index.html"
MARKDOWN: Final = "report.md"
HEADLINE: Final = "ratios-by-tasks"
HEADLINES: Final = (HEADLINE, "limits")
"""The chart that stands beside the answer."""
MOST_ROWS: Final = 250
"""Rows of one table on the page; the CSV files hold all."""
MOST_OPEN_ROWS: Final = 30
"""A table with more is folded on the page, and left out of the Markdown."""
FRAMES: Final = ("contrasts", "absolutes", "costs", "observations")
"""What stands in CSV files of these names."""
_TEMPLATES: Final = Path(__file__).parent / "templates"
_JINJA: Final[dict[str, Any]] = {
    "loader": jinja2.FileSystemLoader(_TEMPLATES),
    "undefined": jinja2.StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
SECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "loop": ("Event loops", "Every strategy, compared with itself on the first event loop."),
    "python": (
        "Pythons",
        (
            "Every strategy, compared with itself on another Python. Where the builds differ, the "
            "change is not the version's alone."
        ),
    ),
    "build": ("Builds", "Every strategy, compared with itself on another build of one version."),
    "task_factory": (
        "Task factories",
        "Every strategy, compared with itself with the first task factory.",
    ),
    "collector": (
        "The garbage collector",
        "Every strategy, compared with itself in its first state.",
    ),
    "limit": (
        "At most so many at a time",
        (
            "A limit keeps a server from being overrun, and the memory small. The differences are "
            "to gather without a limit; patterns that make all n tasks at once save no memory."
        ),
    ),
    "costs": (
        "What a task costs",
        (
            "A fan-out takes a fixed time, and a time for each task. The line is fitted in every "
            "round, in relative error; it holds until the costs leave it by more than 10 %."
        ),
    ),
    "programs": ("What small programs did", "Anybody can run them: make witness."),
    "claims": (
        "What others have claimed",
        (
            "Published claims, compared with this campaign. A claim is reproduced where our "
            "interval lies inside theirs, and not reproduced where it lies outside."
        ),
    ),
}
"""The sections that are not about one probe, in reading order: heading and introduction."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page; it has charts or tables, and each table has rows. ``details`` are folded
    there, and left out of the Markdown.
    """

    id: str
    heading: str
    introduction: str
    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]
    details: tuple[Table, ...]


def files_of(findings: Findings) -> dict[str, bytes]:
    """Every file of the report, by its path relative to the report's folder."""
    pictures = draw_all(findings)
    files = {f"charts/{name}": data for one in pictures for name, data in one.files().items()}
    frames = {f"{name}.csv": frame for name in FRAMES if len(frame := getattr(findings, name))}
    context = _context(findings, pictures, list(frames))
    files[PAGE] = html("index.html.jinja", context, pictures).encode()
    files[MARKDOWN] = markdown("report.md.jinja", context).encode()
    return files | {name: csv_of(frame) for name, frame in frames.items()}


def csv_of(frame: pd.DataFrame, digits: int = 9) -> bytes:
    """A frame as CSV (RFC 4180, lines end in LF): floats to so many significant digits, 17 are all,
    and no text that a spreadsheet would take for a formula.
    """
    columns = {name: _written(column, digits) for name, column in frame.items()}
    lines = pa.BufferOutputStream()
    table = pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)
    csv.write_csv(table, lines, csv.WriteOptions(quoting_style="needed"))
    return bytes(lines.getvalue())


def _written(column: pd.Series[Any], digits: int) -> pd.Series[Any] | list[float]:
    if pd.api.types.is_float_dtype(column):
        return [float(f"{number:.{digits}g}") for number in column]
    return column if pd.api.types.is_numeric_dtype(column) else column.map(_spreadsheet_safe)


def _spreadsheet_safe(text: str) -> str:
    """``text`` such that a spreadsheet does not take it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _context(
    findings: Findings, pictures: Sequence[Picture], csv_files: Sequence[str]
) -> dict[str, Any]:
    """What the page and the Markdown say."""
    campaign = findings.campaign
    return {
        "question": QUESTION,
        "sentences": answer(findings),
        "decided": tables.decided(decisions([findings])),
        "headline": headline({one.name: one for one in pictures}),
        "numbers": [one for one in tables.in_numbers(findings) if one.rows],
        "sections": list(_sections(findings, pictures, ledger([findings]))),
        "warnings": tables.warnings(findings),
        "control": findings.control,
        "campaign": campaign,
        "provenance": tables.provenance(campaign),
        "foot": tables.foot(findings),
        "facts": facts(campaign),
        "appendix": [case_list(campaign), contender_list(campaign)],
        "vocabulary": _vocabulary(campaign),
        "csv_files": csv_files,
        "most_rows": MOST_ROWS,
        "most_open_rows": MOST_OPEN_ROWS,
    }


def headline(charts: Mapping[str, Chart]) -> list[Chart]:
    """The first chart of the page, of these by name."""
    return [charts[name] for name in HEADLINES if name in charts][:1]


def _sections(
    findings: Findings, pictures: Sequence[Picture], checks: Sequence[Check]
) -> Iterator[Section]:
    """A section for each probe, then the others; one with nothing to show is left out."""
    shown_above = headline({one.name: one for one in pictures})
    shown = tables.by_section(findings) | {
        "programs": [tables.behaviours(findings.campaign)],
        "claims": tables.claims(checks) if any(one.shown for one in checks) else [],
    }
    parts: list[tuple[str, str, tuple[str, str], list[Table]]] = []
    for name in (name for name in shown if name not in SECTIONS):
        probe = findings.words.probe(name)
        about = (probe.section, probe.introduction)
        parts.append((f"probe-{slug(name)}", name, about, shown[name]))
    parts += [(slug(name), name, about, shown[name]) for name, about in SECTIONS.items()]
    groups = [f"{name}: {say.share(within, 2)}" for name, within in findings.control.groups]
    by_group = f" One group alone has fewer values, which tell less: {'; '.join(groups)}."
    note = f"Campaign {findings.control.note}.{by_group * (len(groups) > 1)}"
    trust = ("How far to trust it", note)
    for id_, name, about, several in (*parts, (HEALTH, HEALTH, trust, [])):
        own = tuple(one for one in pictures if one.section == name and one not in shown_above)
        first, rest = (tuple(one for one in of if one.rows) for of in (several[:1], several[1:]))
        if own or first or rest or id_ == HEALTH:
            yield Section(id_, *about, own, first, rest)


def _vocabulary(campaign: Campaign) -> list[tuple[str, str]]:
    """The words of this campaign that have a meaning to give: (label, meaning)."""
    names = [
        (kind, str(getattr(one, kind)))
        for kinds, of_kind in (
            (("strategy", "task_factory", "collector"), campaign.contenders),
            (("workload", "pause", "probe"), campaign.cases),
        )
        for kind in kinds
        for one in of_kind
    ]
    words = campaign.words
    said = [(words.label(*name), words.meaning(*name)) for name in dict.fromkeys(names)]
    for probe in dict.fromkeys(case.probe for case in campaign.cases):
        own = words.probe(probe)
        said += [(f"{own.label}: {metric.label}", metric.meaning) for metric in own.metrics]
    return [*((label, sense) for label, sense in said if sense), *say.VERDICTS.items()]


def case_list(campaign: Campaign) -> Table:
    """Every case, in the order of the plan; links lead here."""
    rounds = campaign.lines.groupby("case")["round"].nunique()
    fields: list[Field] = [
        *tables.named(campaign.words, ("probe", "workload", "pause", "tasks")),
        (Column("sweeps a round", numeric=True), lambda case: say.count(case.sweeps)),
        (Column("rounds", numeric=True), lambda case: say.count(int(rounds.get(case.id, 0)))),
        (Column("case"), lambda case: Cell(case.id, kind="code")),
    ]
    return tables.make("Cases", "What each was asked to do.", campaign.cases, fields, "case")


def contender_list(campaign: Campaign) -> Table:
    """Every contender, in the order of the plan; links lead here."""
    names = ("python", "loop", "task_factory", "collector", "strategy")
    fields: list[Field] = [
        *tables.named(campaign.words, names),
        (Column("role"), lambda one: one.role),
        (Column("contender"), lambda one: Cell(one.id, kind="code")),
    ]
    return tables.make("Contenders", "One process each.", campaign.contenders, fields, "contender")


Facts: TypeAlias = "list[tuple[str, str]]"
"""(name, value) of each."""


def facts(campaign: Campaign) -> list[tuple[str, Facts]]:
    """(heading, facts) of the campaign and its machine, then of each Python."""
    plan = campaign.plan
    said = {
        **{name: getattr(plan, name) for name in ("status", "preset", "seed", "created")},
        "finished": plan.finished or "not finished",
        "budget": say.duration(plan.budget_seconds),
        "took": say.duration(plan.elapsed_seconds),
        "precision asked for": f"{100 * plan.precision:g} %",
        "length of a timed slice": say.amount(plan.slice_seconds, "s"),
        "hash of the measured code": plan.code_hash,
        **{f"machine: {name}": value for name, value in plan.machine.items()},
    }
    pythons = sorted(campaign.interpreters, key=lambda one: python_order(one.label))
    of_pythons = [(f"Python {one.label}", _of_python(one, campaign)) for one in pythons]
    return [("Campaign and machine", [_fact(*of) for of in said.items()]), *of_pythons]


def _of_python(python: Interpreter, campaign: Campaign) -> Facts:
    """How it was built, its packages, and what its workers proved."""
    proved: dict[str, dict[str, None]] = {}
    for one in campaign.contenders:
        for name, value in one.conditions.items() if one.interpreter == python.name else ():
            proved.setdefault(f"proved: {name}", {})[_fact(name, value)[1]] = None
    packages = {f"package {name}": version for name, version in python.packages.items()}
    said = {"version": python.version, "implementation": python.implementation}
    return [
        *(_fact(*of) for of in {**said, **python.build, **packages}.items()),
        *(_fact(name, ", ".join(values)) for name, values in proved.items()),
    ]


def _fact(name: str, value: object) -> tuple[str, str]:
    """What a builder keeps to itself is "not stated"."""
    text = "not stated" if value is None or value == "" else say.fact(value)
    return tables.capital(name.replace("_", " ")), text


def html(template: str, context: Mapping[str, Any], pictures: Iterable[Picture]) -> str:
    """A template of HTML, in which every text of a campaign is escaped."""
    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # The colours are variables of the page, so that drawings follow light and dark.
    drawings = {
        one.name: theme.recoloured(one.light.decode(), lambda colour: f"var(--c{colour[1:]})")
        for one in pictures
    }
    page = jinja2.Environment(autoescape=True, **_JINJA).get_template(template)
    return page.render(
        **context,
        # Markup: files of this package, and charts, which matplotlib escaped.
        css=Markup(_stylesheet("".join(drawings.values()))),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=digest,
        drawings={name: Markup(svg) for name, svg in drawings.items()},  # noqa: S704
    )


def _stylesheet(drawings: str) -> str:
    """The page's style, with the inks of both themes and the colours of its drawings."""
    colours = {f"c{colour}": f"#{colour}" for colour in re.findall(r"var\(--c(\w+)\)", drawings)}
    inks = {**asdict(theme.LIGHT), **colours}
    light = " ".join(f"--{name.replace('_', '-')}: {ink};" for name, ink in inks.items())
    dark = theme.darkened(f'style="{light}"').removeprefix('style="').removesuffix('"')
    rules = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
    return (
        f":root {{ {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{rules}"
    )


def markdown(template: str, context: Mapping[str, Any]) -> str:
    """A template of Markdown, in which every text of a campaign goes through `escaped`."""
    environment = jinja2.Environment(autoescape=False, **_JINJA)  # noqa: S701 - it is no HTML
    environment.filters["escaped"] = say.escaped
    environment.filters["table"] = tables.markdown
    return environment.get_template(template).render(**context)
