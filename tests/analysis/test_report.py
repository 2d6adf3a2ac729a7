"""The report: what it says, and that nothing but it is ever written."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import style
from analysis.answers import answers
from analysis.campaign import CampaignError
from analysis.checks import ledger
from analysis.estimates import hodges_lehmann, round_difference
from analysis.findings import Findings, find
from analysis.guide import guide
from analysis.load import read_campaign
from analysis.pages import build, files_of
from analysis.plots import CHARTS
from analysis.plots.prepare import ABOUT_PYTHONS, OF_THE_QUESTION
from analysis.question_tables import head_start_tables
from analysis.report import ReportError, publish, write
from analysis.validate import Problems
from analysis.witness_file import read_witness
from tests.synthetic import World, change_lines, change_plan, write_campaign
from tests.synthetic_witness import write_witness

DRAWN = {
    name: one for name, one in CHARTS.items() if one.needs not in (*ABOUT_PYTHONS, *OF_THE_QUESTION)
}
"""The charts of a campaign with one Python and the default preset."""

# --- reading a page ------------------------------------------------------------------------------


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def all(self, tag: str, **wanted: str) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                if child.tag == tag and wanted.items() <= child.attributes.items():
                    yield child
                yield from child.all(tag, **wanted)

    def everything(self) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.everything()

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)


class Page(HTMLParser):
    """A page as a tree; as strict as a test needs."""

    EMPTY = ("meta", "link", "br", "img", "source")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]
        self.feed(text)
        assert self.open == [self.root], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in self.EMPTY:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def page_of(files: dict[str, bytes]) -> Element:
    return Page(files["index.html"].decode()).root


def comparisons(page: Element) -> Iterator[tuple[dict[str, str], Element]]:
    """Every row that the filters of the page look at, with what each of them sees."""
    for table in page.all("table"):
        if "data-filtered" not in table.attributes:
            continue
        filtered = json.loads(table.attributes["data-filtered"])
        for row in next(table.all("tbody")).all("tr"):
            cells = list(row.all("td"))
            seen = {
                name: where if isinstance(where, str) else str(cells[where].children[0])
                for name, where in filtered.items()
            }
            yield {**seen, "verdict": seen["verdict"].split(",")[0]}, row


def section(page: Element, name: str) -> Element:
    [found] = page.all("section", **{"aria-labelledby": name})
    return found


@pytest.fixture(scope="module")
def findings(published: Path) -> Findings:
    return find(read_campaign(published))


@pytest.fixture(scope="module")
def page(published: Path) -> Element:
    return Page((published / "report" / "index.html").read_text(encoding="utf-8")).root


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the headline chart, for tests that are about something else."""
    monkeypatch.setattr("analysis.pictures.CHARTS", {"ratios-by-tasks": CHARTS["ratios-by-tasks"]})


def small(folder: Path, **options: object) -> Path:
    choices: dict[str, Any] = {
        "rounds": 6,
        "probes": ("throughput",),
        "workloads": ("noop",),
        "tasks": (10,),
    }
    return write_campaign(folder, **{**choices, **options})


# --- what the page says --------------------------------------------------------------------------


def test_the_files_of_a_report(published: Path) -> None:
    names = {str(p.relative_to(published / "report")) for p in (published / "report").rglob("*.*")}
    charts = {
        f"charts/{n}-{t}.{f}" for n in DRAWN for t in ("light", "dark") for f in ("svg", "png")
    }
    tables = {f"{n}.csv" for n in ("comparisons", "summary", "absolutes", "costs", "loops")}
    assert names == {"index.html", "report.md", "manifest.json"} | charts | tables


def test_it_is_the_same_to_the_byte_when_made_again(published: Path) -> None:
    report = published / "report"
    before = {path: path.read_bytes() for path in report.rglob("*") if path.is_file()}
    again = publish(published)
    after = {path: path.read_bytes() for path in report.rglob("*") if path.is_file()}
    assert before == after
    assert again.page == report / "index.html"
    assert set(again.files) | {report / "manifest.json"} == set(after)


def test_the_first_thing_is_the_question_then_the_guide_then_the_answer_and_its_chart(
    page: Element, findings: Findings
) -> None:
    [title] = page.all("h1")
    assert title.text == "When should I use asyncio.create_task?"
    [main] = page.all("main")
    first, second, *_ = main.all("section")
    advice = [line for line in guide([findings]) if line.evidence]
    assert advice
    said = [next(item.all("p")).text for item in first.all("li") if list(item.all("p"))]
    assert [text.split(" when ")[0] for text in said] == [line.use for line in advice]
    topics = [heading.text for heading in first.all("h3")]
    assert topics == list(dict.fromkeys(line.topic for line in advice))
    answered = [item.text for item in second.all("li")]
    assert answered == [str(answer) for answer in answers(findings.summary)]
    assert [s for s in answered if re.search(r" % \[[\d.]+, [\d.]+\]", s)] == answered
    [figure] = second.all("figure")
    assert figure.attributes["id"] == "chart-ratios-by-tasks"


def test_every_line_of_the_guide_has_its_reason_and_the_cells_behind_it(
    page: Element, findings: Findings
) -> None:
    lines = [item for item in section(page, "guide").all("li") if list(item.all("summary"))]
    advice = [line for line in guide([findings]) if line.evidence]
    for item, line in zip(lines, advice, strict=True):
        assert line.reason.startswith(next(item.all("summary")).text.rstrip("."))
        evidence = list(next(item.all("ul")).all("li"))
        assert [text.text.split(". Measured in")[0] for text in evidence] == [
            str(one).rstrip(".") for one in line.evidence
        ]
        targets = {link.attributes["href"] for link in item.all("a")}
        cases = {case for cell in line.cells for case in cell.cases}
        assert len([target for target in targets if target.startswith("#case-")]) == len(cases)


def test_what_the_guide_has_no_cells_for_is_one_sentence(page: Element) -> None:
    text = section(page, "guide").text
    assert text.count("Not measured here: ") == 1
    assert "make bench PRESET=question" in text


def test_headings_descend_by_one(page: Element) -> None:
    levels = [int(e.tag[1]) for e in page.everything() if re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_ids_are_unique_and_links_lead_somewhere(page: Element, published: Path) -> None:
    ids = [e.attributes["id"] for e in page.everything() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        target = link.attributes["href"]
        if target.startswith("#"):
            assert target[1:] in ids
        elif not target.startswith("https://"):  # the source of a claim
            assert (published / "report" / target).is_file()


def test_nothing_is_loaded_from_anywhere(page: Element) -> None:
    text = [
        e for e in page.everything() if {"src", "srcset", "data", "action"} & e.attributes.keys()
    ]
    assert text == []
    hrefs = [e.attributes["href"] for e in page.all("link")]
    assert hrefs == ["data:,"]
    for use in page.all("use"):
        assert use.attributes["xlink:href"].startswith("#")


def test_the_policy_allows_this_script_and_no_other(page: Element) -> None:
    [script] = page.all("script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    [policy] = [
        meta.attributes["content"] for meta in page.all("meta")
        if meta.attributes.get("http-equiv") == "Content-Security-Policy"
    ]  # fmt: skip
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert not [name for e in page.everything() for name in e.attributes if name.startswith("on")]


def test_every_chart_is_inline_with_its_finding_and_heading(page: Element) -> None:
    for name, one in DRAWN.items():
        [figure] = page.all("figure", id=f"chart-{name}")
        drawings = list(figure.all("svg"))
        assert len(drawings) == 2
        assert one.caption in next(figure.all("figcaption")).text
    headings = [heading.text for heading in page.all("h3")]
    assert {one.heading for one in DRAWN.values()} - set(headings) == {
        CHARTS["ratios-by-tasks"].heading
    }


def test_there_is_a_row_for_every_comparison(page: Element, findings: Findings) -> None:
    against_baseline = [
        row for table in ("comparisons-0", "comparisons-1")
        for row in next(next(page.all("div", id=table)).all("tbody")).all("tr")
    ]  # fmt: skip
    assert len(against_baseline) == len(findings.comparisons)
    shown = [row.text for row in against_baseline]
    for row in findings.comparisons.to_dict("records"):
        change = style.change_interval(row["ratio"], row["low"], row["high"])
        assert any(change in text and row["verdict"] in text for text in shown)


def test_every_table_has_a_caption_and_column_headers(page: Element) -> None:
    tables = list(page.all("table"))
    assert len(tables) == 7
    for table in tables:
        assert len(list(table.all("caption"))) == 1
        heads = list(table.all("th"))
        assert all(head.attributes["scope"] == "col" for head in heads)
        for body in table.all("tbody"):
            for row in body.all("tr"):
                assert len(list(row.all("td"))) == len(heads)


def test_a_missing_cell_says_so_with_its_reason(page: Element) -> None:
    missing = [row for seen, row in comparisons(page) if seen["verdict"] == "missing"]
    assert missing
    assert all("killed by signal 9" in row.text for row in missing)


def test_a_filter_offers_what_stands_in_the_tables(page: Element) -> None:
    seen = [values for values, _ in comparisons(page)]
    [form] = page.all("form")
    for select in form.all("select"):
        name = select.attributes["name"]
        offered = [option.attributes["value"] for option in select.all("option")]
        assert offered[0] == ""
        assert set(offered[1:]) == {values[name] for values in seen}
    names = [select.attributes["name"] for select in form.all("select")]
    assert names == ["loop", "workload", "tasks", "strategy", "verdict"]


def test_a_number_can_be_made_again_from_the_cell_that_its_row_names(
    page: Element, published: Path
) -> None:
    wanted = {"loop": "uvloop", "workload": "echo", "tasks": "1,000", "strategy": "TaskGroup"}
    row = next(row for seen, row in comparisons(page) if wanted.items() <= seen.items())
    lines = (published / "rounds.jsonl").read_text(encoding="utf-8").splitlines()
    journal = [json.loads(line) for line in lines]
    targets = [link.attributes["href"][1:] for link in row.all("a")]
    case, contender = (next(next(page.all("tr", id=target)).all("code")).text for target in targets)
    baseline = contender.replace("task_group", "gather_coroutines")
    differences = [
        round_difference(
            line["cells"][contender]["values"]["total"], line["cells"][baseline]["values"]["total"]
        )
        for line in journal
        if line["case"] == case
    ]
    estimate = hodges_lehmann(differences)
    parts = (estimate.value, estimate.low, estimate.high)
    assert style.change_interval(*map(math.exp, parts)) in row.text


def test_provenance_names_machine_interpreter_contenders_and_seed(page: Element) -> None:
    [section] = page.all("section", **{"aria-labelledby": "conditions"})
    for fact in ("Synthetic CPU", "GCC 14.2.0", "3.14.10", "Linux 6.1 x86_64", "0" * 64):
        assert fact in section.text
    contenders = next(page.all("tr", id="contender-1"))
    assert "loop class: asyncio.Loop" in contenders.text


def test_the_markdown_says_the_same(published: Path, findings: Findings) -> None:
    text = (published / "report" / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# When should I use asyncio.create_task?\n")
    for answer in answers(findings.summary):
        assert answer.sentence.replace("*", "\\*") in text
    for target in re.findall(r'(?:src|srcset)="([^"]*)"', text):
        assert (published / "report" / target).is_file()
    assert "killed by signal 9" in text


# --- campaigns in trouble ------------------------------------------------------------------------


def test_an_unproven_campaign_says_so_everywhere(tmp_path: Path, quick: None) -> None:
    world = World(control_effect=1.1, value_noise=0.001, round_noise=0.001)
    files = build(read_campaign(small(tmp_path / "c", world=world, rounds=8)))
    [notice] = page_of(files).all("div", **{"class": "notice"})
    assert "Unproven: the control" in notice.text
    assert "**Unproven: the control" in files["report.md"].decode()
    svg = files["charts/ratios-by-tasks-light.svg"].decode()
    assert "Unproven: the control" in re.sub(r"<[^>]*>\s*", " ", svg)


def test_a_proven_campaign_has_no_notice(page: Element) -> None:
    assert not list(page.all("div", **{"class": "notice"}))


def test_an_interrupted_campaign_says_so(tmp_path: Path, quick: None) -> None:
    files = build(read_campaign(small(tmp_path / "c", status="interrupted")))
    [notice] = page_of(files).all("div", **{"class": "notice"})
    assert "This campaign is interrupted" in notice.text


def test_a_campaign_without_a_round_gives_a_page(tmp_path: Path) -> None:
    folder = small(tmp_path / "c", status="interrupted")
    (folder / "rounds.jsonl").write_text("", encoding="utf-8")
    files = build(read_campaign(folder))
    text = page_of(files).text
    assert "was not measured" in text
    assert text.count("Not drawn: ") == 1
    assert text.count("(nothing was measured for it)") >= 3


def test_a_campaign_of_latency_alone_has_no_empty_section(tmp_path: Path) -> None:
    files = build(read_campaign(small(tmp_path / "c", probes=("latency",))))
    page = page_of(files)
    assert "99th percentile" in page.text
    assert list(page.all("figure", id="chart-latency-quantiles"))
    assert not list(page.all("figure", id="chart-ns-per-task"))
    assert not list(page.all("figure", id="chart-ratios-by-tasks"))
    assert not list(page.all("section", **{"aria-labelledby": "cost-model"}))
    assert all(list(body.all("tr")) for body in page.all("tbody"))
    assert "Nothing was measured" not in page.text
    markdown = files["report.md"].decode()
    assert "Cost model" not in markdown
    assert "Nothing was measured" not in markdown


# --- the question's own probes -------------------------------------------------------------------


@pytest.fixture(scope="module")
def question_files(
    question: Findings, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """The report of a campaign of every probe and axis, with the programs it came with."""
    problems = Problems()
    witness = read_witness(write_witness(tmp_path_factory.mktemp("witness")), problems)
    assert not list(problems.all())
    return files_of(replace(question, witness=witness))


@pytest.fixture(scope="module")
def question_page(question_files: dict[str, bytes]) -> Element:
    return page_of(question_files)


MATTERS_SHOWN = ["head-start", "programs", "stall", "failure", "memory", "factories", "collectors"]


def test_every_matter_of_the_question_has_its_section(
    question_page: Element, question_files: dict[str, bytes]
) -> None:
    ids = [part.attributes["aria-labelledby"] for part in question_page.all("section")]
    assert ids[:2] == ["guide", "answer"]
    assert ids[2:9] == MATTERS_SHOWN
    assert ids[9:11] == ["claims", "charts"]
    [contents] = question_page.all("nav")
    linked = [link.attributes["href"][1:] for link in contents.all("a")]
    assert linked == ids[1:]
    for name in MATTERS_SHOWN:
        part = section(question_page, name)
        assert list(part.all("figure"))
        assert list(part.all("table"))
    markdown = question_files["report.md"].decode()
    headings = [next(part.all("h2")).text for part in question_page.all("section")]
    assert all(f"\n## {heading}\n" in markdown for heading in headings[:9])


def test_a_default_campaign_has_none_of_these_sections(page: Element) -> None:
    ids = [part.attributes["aria-labelledby"] for part in page.all("section")]
    assert not {*ids} & {*MATTERS_SHOWN}


def test_the_charts_of_the_question_stand_in_their_sections(question_page: Element) -> None:
    wanted: dict[str, list[str]] = {frame: [] for frame in OF_THE_QUESTION}
    for name, one in CHARTS.items():
        if one.needs in wanted:
            wanted[one.needs].append(f"chart-{name}")
    for matter, frames in {
        "head-start": ["head_start"], "programs": ["timelines"], "stall": ["stall"],
        "failure": ["failure", "cancel"], "memory": ["memory"], "factories": ["factories"],
        "collectors": ["collectors"],
    }.items():  # fmt: skip
        figures = section(question_page, matter).all("figure")
        shown = {figure.attributes["id"] for figure in figures}
        assert shown == {name for frame in frames for name in wanted[frame]}
    assert len(list(question_page.all("figure"))) == len(CHARTS) - 3  # those about Pythons


def test_the_tables_of_a_matter_are_its_own(question: Findings, question_page: Element) -> None:
    folded = next(section(question_page, "head-start").all("details"))
    captions = [caption.text for caption in folded.all("caption")]
    assert captions == [table.title for table in head_start_tables(question)]
    for matter, others in (("stall", "memory"), ("memory", "stall"), ("failure", "stall")):
        titles = [caption.text for caption in section(question_page, matter).all("caption")]
        assert titles
        assert all(matter in title or "cancel" in title for title in titles)
        assert not any(others in title for title in titles)


def test_the_ledger_shows_what_could_be_tested_and_folds_the_rest(
    question: Findings, question_page: Element
) -> None:
    part = section(question_page, "claims")
    [table] = part.all("table")
    rows = list(next(table.all("tbody")).all("tr"))
    met = [one for one in ledger([question]) if one.verdict != "conditions not met"]
    assert 0 < len(met) <= len(rows)
    assert all(
        any(one.claim.statement in row.text and one.verdict in row.text for row in rows)
        for one in met
    )
    links = [link.attributes["href"] for row in rows for link in row.all("a")]
    assert len(links) == len(rows)
    assert all(link.startswith("https://") for link in links)
    assert "Not tested here" in next(part.all("summary")).text


def test_all_numbers_of_the_question_are_in_the_csv_files(
    question: Findings, question_files: dict[str, bytes]
) -> None:
    import pandas as pd

    for name, frame in {
        "comparisons": question.everything,
        "absolutes": question.every_absolute,
        "observations": question.observations,
        "factories": question.factories,
        "collectors": question.collectors,
        "head-start": question.head_start,
    }.items():
        read = pd.read_csv(io.BytesIO(question_files[f"{name}.csv"]))
        assert len(read) == len(frame)
        assert list(read.columns) == list(frame.columns)


# --- damaged and hostile folders -----------------------------------------------------------------


def test_a_damaged_campaign_is_not_reported(tmp_path: Path) -> None:
    folder = small(tmp_path / "c")

    def damage(lines: list[dict[str, Any]]) -> None:
        next(iter(lines[0]["cells"].values()))["values"]["total"][0] = -1.0

    change_lines(folder, damage)
    with pytest.raises(CampaignError, match=r"rounds\.jsonl"):
        publish(folder)
    assert not (folder / "report").exists()


EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}'


def test_a_script_in_a_campaign_is_text(tmp_path: Path, quick: None) -> None:
    folder = small(tmp_path / "c", workloads=(EVIL,), world=World(effects={EVIL: 1.2}))

    def poison(plan: dict[str, Any]) -> None:
        plan["name"] = plan["preset"] = plan["code_hash"] = EVIL
        plan["machine"].update({"cpu_model": EVIL, EVIL: EVIL})
        plan["interpreters"][0]["build"][EVIL] = EVIL
        for contender in plan["contenders"]:
            contender["conditions"][EVIL] = EVIL
        plan["skipped"].append({"contender": {"loop": EVIL}, "reason": EVIL})

    change_plan(folder, poison)
    files = build(read_campaign(folder))
    page = page_of(files)
    assert len(list(page.all("script"))) == 1
    assert not list(page.all("img"))
    assert not [name for e in page.everything() for name in e.attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    markdown = files["report.md"].decode()
    assert not re.search(r"(?<!\\)<(script|img src=x)", markdown)
    for name, content in files.items():
        if name.endswith(".svg"):
            assert b"<script" not in content
            assert b"<img" not in content


def test_names_in_a_campaign_never_name_a_file(tmp_path: Path, quick: None) -> None:
    path = "../../../escaped"
    folder = small(tmp_path / "deep" / "c", workloads=(path, "/abs", "a\\b"))
    change_plan(folder, lambda plan: plan.update(name=path))
    publish(folder)
    outside = [p for p in tmp_path.rglob("*") if folder / "report" not in (p, *p.parents)]
    assert {p.name for p in outside} == {"deep", "c", "campaign.json", "rounds.jsonl"}


def test_a_huge_table_is_cut_on_the_page_and_whole_in_the_files(
    tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.grids.MOST_ROWS", 3)
    campaign = read_campaign(small(tmp_path / "c", tasks=(1, 2, 3, 4)))
    files = build(campaign)
    [table] = [
        part for part in page_of(files).all("div", **{"class": "part"}) if "Throughput" in part.text
    ]
    assert len(list(next(table.all("tbody")).all("tr"))) == 3
    assert "17 more rows are in the CSV files" in table.text
    assert files["comparisons.csv"].count(b"\n") == 21


# --- writing -------------------------------------------------------------------------------------

FILES = {"index.html": b"page", "charts/a.svg": b"<svg/>", "charts/b.svg": b"<svg></svg>"}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


def test_writing_twice_replaces_what_we_wrote(tmp_path: Path) -> None:
    report = tmp_path / "report"
    write(report, FILES)
    write(report, {**FILES, "index.html": b"new"})
    assert contents(report) == {**FILES, "index.html": b"new"}


def test_files_that_the_report_no_longer_has_go(tmp_path: Path) -> None:
    report = tmp_path / "report"
    write(report, FILES)
    write(report, {"index.html": b"page"})
    assert contents(report) == {"index.html": b"page"}


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.mkdir()
    (report / "notes.txt").write_bytes(b"mine")
    write(report, FILES)
    write(report, {"index.html": b"new"})
    assert contents(report) == {"index.html": b"new", "notes.txt": b"mine"}


def changed(report: Path) -> None:
    (report / "index.html").write_bytes(b"by hand")


def unlisted(report: Path) -> None:
    (report / "new.csv").write_bytes(b"mine")


def no_file(report: Path) -> None:
    (report / "charts" / "a.svg").unlink()
    (report / "charts" / "a.svg").mkdir()


def linked_file(report: Path) -> None:
    (report / "charts" / "a.svg").unlink()
    (report / "charts" / "a.svg").symlink_to(report.parent / "victim")


def linked_folder(report: Path) -> None:
    (report / "charts").rename(report.parent / "moved")
    (report / "charts").symlink_to(report.parent / "moved", target_is_directory=True)


def linked_report(report: Path) -> None:
    report.rename(report.parent / "elsewhere")
    report.symlink_to(report.parent / "elsewhere", target_is_directory=True)


def linked_manifest(report: Path) -> None:
    (report / "manifest.json").rename(report.parent / "manifest.json")
    (report / "manifest.json").symlink_to(report.parent / "manifest.json")


def foreign_manifest(report: Path) -> None:
    (report / "manifest.json").write_text('{"files": {"index.html": []}}', encoding="utf-8")


def escaping_manifest(report: Path) -> None:
    escape = {"generator": "asyncio-fanout", "files": {"../victim": ["x"]}}
    (report / "manifest.json").write_text(json.dumps(escape), encoding="utf-8")


@pytest.mark.parametrize(
    ("meddle", "named"),
    [
        (changed, "index.html was changed after we wrote it"),
        (unlisted, "new.csv was not written by us"),
        (no_file, "a.svg is not a plain file"),
        (linked_file, "a.svg is not a plain file"),
        (linked_folder, "charts is not a folder of its own"),
        (linked_report, "report is not a folder of its own"),
        (linked_manifest, "manifest.json was not written by us"),
        (foreign_manifest, "manifest.json was not written by us"),
        (escaping_manifest, "manifest.json was not written by us"),
    ],
)
def test_what_is_not_ours_stops_the_report_before_anything_is_written(
    tmp_path: Path, meddle: Callable[[Path], None], named: str
) -> None:
    report = tmp_path / "report"
    write(report, FILES)
    (tmp_path / "victim").write_bytes(b"precious")
    meddle(report)
    before = contents(tmp_path)
    with pytest.raises(ReportError, match=re.escape(named)):
        write(report, {**dict.fromkeys(FILES, b"new"), "new.csv": b"ours"})
    assert contents(tmp_path) == before
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_all_that_is_in_the_way_is_named_at_once(tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.mkdir()
    for name in ("index.html", "report.md"):
        (report / name).write_bytes(b"mine")
    with pytest.raises(ReportError) as caught:
        write(report, {"index.html": b"", "report.md": b""})
    assert "index.html" in str(caught.value)
    assert "report.md" in str(caught.value)
    assert "Move these away" in str(caught.value)


@pytest.mark.parametrize("name", ["", "/abs", "../up", "a/../../b", "a\\b", "manifest.json"])
def test_a_name_that_leaves_the_folder_is_a_mistake_of_ours(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a file of a report"):
        write(tmp_path / "report", {name: b""})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("stop_after", range(5))
def test_a_report_stopped_half_way_can_be_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    report = tmp_path / "report"
    write(report, FILES)
    new = {**dict.fromkeys(FILES, b"new"), "more.csv": b"more"}
    replace, calls = Path.replace, []

    def fail_later(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) > stop_after:
            raise OSError(28, "No space left on device", str(self))
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail_later)
        with pytest.raises(ReportError, match="No space left on device; the report is incomplete"):
            write(report, new)
    assert not list(report.rglob(".*.part"))
    assert all(
        value in (FILES.get(name), new.get(name)) for name, value in contents(report).items()
    )
    write(report, new)
    assert contents(report) == new


def test_what_a_killed_writer_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    report = tmp_path / "report"
    write(report, FILES)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (report / ".index.html.part").symlink_to(victim)
    (report / "charts" / ".a.svg.part").write_bytes(b"half")
    write(report, FILES)
    assert contents(report) == FILES
    assert victim.read_bytes() == b"precious"


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        (tmp_path / "campaign").write_bytes(b"a file where a folder should be")
        report = tmp_path / "campaign" / "report"
    else:
        (tmp_path / "campaign").mkdir(mode=0o500)
        report = tmp_path / "campaign" / "report"
    with pytest.raises(ReportError, match="cannot write") as caught:
        write(report, FILES)
    assert "\n" not in str(caught.value)


# --- data ----------------------------------------------------------------------------------------


def test_the_csv_files_hold_the_frames(published: Path, findings: Findings) -> None:
    import pandas as pd

    read = pd.read_csv(published / "report" / "comparisons.csv")
    expected: Sequence[float] = findings.comparisons["ratio"].tolist()
    assert np.array(read["ratio"]) == pytest.approx(np.array(expected), nan_ok=True, rel=1e-8)
    wanted = ["python", "loop", "task_factory", "case", "contender", "baseline", "ratio", "low"]
    assert {*wanted, "high", "verdict", "rounds", "ns_per_task"} <= set(read.columns)
