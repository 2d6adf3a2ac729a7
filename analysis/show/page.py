"""Findings -> the files of a report, in memory: the page, the same as Markdown, charts, and frames
as CSV. Writes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import jinja2
import pandas as pd
import pyarrow as pa
from markupsafe import Markup
from pyarrow import csv

from analysis.judge import words as say
from analysis.judge.answer import QUESTION, RULE, answers
from analysis.judge.findings import Findings
from analysis.judge.guide import Advice, guide
from analysis.judge.ledger import Check, ledger
from analysis.read.campaign import Campaign, Interpreter, python_order
from analysis.show import tables, theme
from analysis.show.charts.registry import Picture, draw_all
from analysis.show.tables import Cell, Column, Field, Table

PAGE: Final = "index.html"
MARKDOWN: Final = "report.md"
HEADLINE: Final = "ratios-by-tasks"
"""The chart that stands beside the answer."""
HEALTH: Final = "health"
"""The section, and its chart's, on how far a campaign can be trusted."""
MOST_ROWS: Final = 2_000
"""Rows of one table on the page; the CSV files hold all."""
MOST_OPEN_ROWS: Final = 30
"""A table with more is folded on the page, and left out of the Markdown."""
_TEMPLATES: Final = Path(__file__).parent / "templates"
_JINJA: Final[dict[str, Any]] = {
    "loader": jinja2.FileSystemLoader(_TEMPLATES),
    "undefined": jinja2.StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
_PYTHONS: Final = (
    "Every strategy, compared with itself on another Python. Where the builds differ, the change "
    "is not the version's alone."
)
_COSTS: Final = (
    "A fan-out takes a fixed time, and a time for each task. The line is fitted in every round, in "
    "relative error; it holds until the costs leave it by more than 10 %."
)
_CLAIMS: Final = (
    "Published claims, compared with this campaign. A claim is reproduced where our interval lies "
    "inside theirs, and not reproduced where it lies outside."
)
SECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "loop": ("Event loops", "Every strategy, compared with itself on the first event loop."),
    "python": ("Pythons", _PYTHONS),
    "build": ("Builds", "Every strategy, compared with itself on another build of one version."),
    "task_factory": ("Task factories", "Every strategy, compared with itself with lazy tasks."),
    "collector": ("The garbage collector", "Every strategy, compared with itself with it on."),
    "costs": ("What a task costs", _COSTS),
    "programs": ("What small programs did", "Anybody can run them: make witness."),
    "claims": ("What others have claimed", _CLAIMS),
}
"""The sections that are not about one probe, in reading order: heading and introduction."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page; it has charts or tables, and each table has rows."""

    id: str
    heading: str
    introduction: str
    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]


def files_of(findings: Findings) -> dict[str, bytes]:
    """Every file of the report, by its path relative to the report's folder."""
    pictures = draw_all(findings)
    files = {f"charts/{name}": data for one in pictures for name, data in one.files().items()}
    frames = _frames(findings)
    common = _common(findings, list(frames))
    checks = ledger([findings])
    whole = _parts(findings, pictures, checks)
    newest = _parts(tables.of_newest(findings), pictures, checks)
    files[PAGE] = _html(common | whole, pictures).encode()
    files[MARKDOWN] = _markdown(common | newest).encode()
    return files | {name: csv_of(frame) for name, frame in frames.items()}


# --- frames as CSV --------------------------------------------------------------------------------


def _frames(findings: Findings) -> dict[str, pd.DataFrame]:
    frames = {
        "contrasts": findings.contrasts,
        "absolutes": findings.absolutes,
        "costs": findings.costs,
        "observations": findings.observations,
    }
    return {f"{name}.csv": frame for name, frame in frames.items() if len(frame)}


def csv_of(frame: pd.DataFrame) -> bytes:
    """A frame as CSV (RFC 4180, lines end in LF): floats to nine significant digits, far beyond any
    interval, and no text that a spreadsheet would take for a formula.
    """
    columns: dict[str, Any] = {}
    for name, column in frame.items():
        if pd.api.types.is_float_dtype(column):
            columns[str(name)] = [float(f"{number:.9g}") for number in column]
        elif pd.api.types.is_numeric_dtype(column):
            columns[str(name)] = column
        else:
            columns[str(name)] = column.map(spreadsheet_safe)
    lines = pa.BufferOutputStream()
    table = pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)
    csv.write_csv(table, lines, csv.WriteOptions(quoting_style="needed"))
    return bytes(lines.getvalue())


def spreadsheet_safe(text: str) -> str:
    """``text`` such that a spreadsheet does not take it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


# --- parts ----------------------------------------------------------------------------------------


def _common(findings: Findings, csv_files: Sequence[str]) -> dict[str, Any]:
    """What the page and the Markdown both say, whatever Pythons they show."""
    campaign = findings.campaign
    lines = guide([findings])
    return {
        "question": QUESTION,
        "rule": RULE,
        "advice": _by_topic([one for one in lines if one.evidence], findings),
        "not_measured": [one for one in lines if not one.evidence],
        "answers": answers(findings),
        "newest": tables.newest(campaign),
        "newest_answer": tables.answer(tables.of_newest(findings)),
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


def _parts(
    findings: Findings, pictures: Sequence[Picture], checks: Sequence[Check]
) -> dict[str, Any]:
    """What the page shows of every Python, and the Markdown of the newest."""
    return {
        "headline": [one for one in pictures if one.name == HEADLINE],
        "further": [one for one in pictures if one.section == "strategy" and one.name != HEADLINE],
        "answer_table": tables.answer(findings),
        "sections": list(_sections(findings, pictures, checks)),
    }


def _sections(
    findings: Findings, pictures: Sequence[Picture], checks: Sequence[Check]
) -> Iterator[Section]:
    """A section for each probe, in the order of the definitions, then the others; one with nothing
    to show is left out.
    """
    shown = {
        **{axis: tables.of_axis(findings, axis) for axis in tables.AXES},
        "costs": [tables.costs(findings)],
        "programs": [tables.behaviours(findings.campaign)],
        "claims": tables.claims(checks),
    }
    probes = dict.fromkeys(case.probe for case in findings.campaign.cases)
    parts: list[tuple[str, str, tuple[str, str], list[Table]]] = []
    for name in sorted(probes, key=lambda name: findings.words.order("probe", name)):
        probe = findings.words.probe(name)
        about = (probe.section, probe.introduction)
        parts.append((f"probe-{_slug(name)}", name, about, tables.of_probe(findings, name)))
    parts += [(_slug(name), name, about, shown.get(name, [])) for name, about in SECTIONS.items()]
    trust = ("How far to trust it", f"Campaign {findings.control.note}.")
    for id_, name, about, several in (*parts, (HEALTH, HEALTH, trust, [])):
        own = tuple(one for one in pictures if one.section == name)
        filled = tuple(table for table in several if table.rows)
        if own or filled or id_ == HEALTH:
            yield Section(id_, *about, own, filled)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


# --- the guide ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Advised:
    """A line of the guide, and its evidence: sentences with links (words, target) to the cases and
    contenders behind them.
    """

    advice: Advice
    evidence: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def _by_topic(lines: Iterable[Advice], findings: Findings) -> list[tuple[str, list[Advised]]]:
    links = tables.places(findings.campaign)
    found: dict[str, list[Advised]] = {}
    for advice in lines:
        evidence = []
        for one in advice.evidence:
            rows = findings.contrasts.loc[list(one.contrasts), ["case", "subject"]]
            ids = dict.fromkeys(id_ for row in rows.to_numpy() for id_ in row if id_ in links)
            evidence.append((str(one), tuple(links[id_] for id_ in ids)))
        found.setdefault(advice.topic, []).append(Advised(advice, tuple(evidence)))
    return list(found.items())


# --- the appendix ---------------------------------------------------------------------------------


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
        said += [(metric.label, metric.meaning) for metric in words.probe(probe).metrics]
    return [*((label, sense) for label, sense in said if sense), *say.VERDICTS.items()]


def case_list(campaign: Campaign) -> Table:
    """Every case, in the order of the plan; links lead here."""
    words = campaign.words
    rounds = campaign.lines.groupby("case")["round"].nunique()
    fields: list[Field] = [
        *tables.named(words, ("probe", "workload", "pause", "tasks")),
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
        "precision asked for": say.share(plan.precision),
        "length of a timed slice": say.seconds(plan.slice_seconds),
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


# --- rendering ------------------------------------------------------------------------------------


def _html(context: Mapping[str, Any], pictures: Iterable[Picture]) -> str:
    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    drawings = {one.name: _with_variables(one.light.decode()) for one in pictures}
    environment = jinja2.Environment(autoescape=True, **_JINJA)
    return environment.get_template("index.html.jinja").render(
        **context,
        # Markup: files of this package, and charts, which matplotlib escaped.
        css=Markup(_stylesheet("".join(drawings.values()))),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=digest,
        drawings={name: Markup(svg) for name, svg in drawings.items()},  # noqa: S704
    )


def _with_variables(svg: str) -> str:
    """A light drawing whose colours are variables of the page: it follows light and dark."""
    return re.sub(
        r'style="[^"]*"', lambda style: re.sub(r"#([0-9a-f]{6})\b", r"var(--c\1)", style[0]), svg
    )


def _stylesheet(drawings: str) -> str:
    """The page's style, with the inks of both themes and the colours of its drawings."""
    inks = {name: value for name, value in asdict(theme.LIGHT).items() if name != "name"}
    colours = {f"c{colour}": f"#{colour}" for colour in re.findall(r"var\(--c(\w+)\)", drawings)}
    named = {name.replace("_", "-"): value for name, value in {**inks, **colours}.items()}
    light = " ".join(f"--{name}: {colour};" for name, colour in named.items())
    dark = theme.darkened(f'style="{light}"').removeprefix('style="').removesuffix('"')
    rules = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
    return (
        f":root {{ {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{rules}"
    )


def _markdown(context: Mapping[str, Any]) -> str:
    # Markdown is no HTML: there every text of the campaign goes through the filter `escaped`.
    environment = jinja2.Environment(autoescape=False, **_JINJA)  # noqa: S701
    environment.filters["escaped"] = say.escaped
    environment.filters["table"] = tables.markdown
    return environment.get_template("report.md.jinja").render(**context)
