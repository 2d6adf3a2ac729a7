"""The report: what its page says, that nothing foreign runs in it, and how it is written."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.judge import words
from analysis.judge.answer import answer
from analysis.judge.decisions import decisions
from analysis.judge.findings import Findings, find
from analysis.read.load import read_campaign
from analysis.show import page, report, tables
from analysis.show.charts.registry import Picture
from analysis.show.report import ReportError, write
from benchmarks.cases import Case
from tests import campaigns

FEW = (Case("throughput", "noop", 100),)
SVG = '<svg role="img" viewBox="0 0 1 1"><title>a chart</title><path style="fill: #ffffff"/></svg>'


@pytest.fixture(autouse=True, scope="module")
def no_charts() -> Iterator[None]:
    """Two small pictures in place of the charts, which have tests of their own."""
    drawn = [
        Picture(name, section, f"Title of {name}", "How to read it.", "alt", SVG.encode(),
                SVG.encode(), b"png")
        for name, section in ((page.HEADLINE, "strategy"), ("by-loop", "loop"))
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "draw_all", lambda findings: drawn)
        yield


# --- reading a page ------------------------------------------------------------------------------


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def all(self, tag: str = "", **wanted: str) -> Iterator[Element]:
        """Every element inside, with this tag and these attributes."""
        for child in self.children:
            if isinstance(child, Element):
                if tag in ("", child.tag) and wanted.items() <= child.attributes.items():
                    yield child
                yield from child.all(tag, **wanted)

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)


class Reader(HTMLParser):
    """A page as a tree; as strict as a test needs."""

    EMPTY = ("meta", "link")

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
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def page_of(files: dict[str, bytes]) -> Element:
    return Reader(files[page.PAGE].decode()).root


def section(root: Element, name: str) -> Element:
    [found] = root.all("section", **{"aria-labelledby": name})
    return found


@pytest.fixture(scope="module")
def files(findings: Findings) -> dict[str, bytes]:
    return page.files_of(findings)


@pytest.fixture(scope="module")
def root(files: dict[str, bytes]) -> Element:
    return page_of(files)


def findings_of(folder: Path, **options: Any) -> Findings:  # noqa: ANN401 - of campaigns.write
    return find(read_campaign(campaigns.write(folder, **{"cases": FEW, **options})))


# --- what the page says --------------------------------------------------------------------------


def test_the_question_then_the_answer_then_what_to_use(root: Element, findings: Findings) -> None:
    [title] = root.all("h1")
    assert title.text == "When should I use asyncio.create_task?"
    [main] = root.all("main")
    first, *parts = main.all("section")
    assert [one.text for one in first.all("p")] == answer(findings)
    assert len(list(first.all("figure", id=f"chart-{page.HEADLINE}"))) == 1
    assert [part.attributes["aria-labelledby"] for part in parts] == [
        *("decisions", "answer"),
        *("probe-throughput", "probe-failure", "probe-memory"),
        *("loop", "python", "costs", "claims", "health", "reading", "conditions"),
    ]
    rows = list(next(section(root, "decisions").all("tbody")).all("tr"))
    assert [next(row.all("td")).text for row in rows] == [
        one.situation for one in decisions([findings])
    ]
    assert len(list(section(root, "loop").all("figure", id="chart-by-loop"))) == 1


def test_a_section_has_one_open_table_and_folds_the_details(root: Element) -> None:
    part = section(root, "probe-throughput")
    folded = [table for fold in part.all("details") for table in fold.all("table")]
    tables_ = list(part.all("table"))
    assert len(tables_) - len(folded) == 1
    assert any("single cases" in table.text for table in folded)


def test_a_pointer_finds_the_whole_interval(root: Element) -> None:
    cells = [cell for cell in root.all("td") if "title" in cell.attributes]
    assert len(cells) > 20
    assert all("[" in cell.attributes["title"] for cell in cells)
    assert all("heat" in cell.attributes["class"].split() for cell in cells)


def test_sections_of_probes_say_what_their_definitions_say(
    root: Element, findings: Findings
) -> None:
    for name in ("throughput", "failure", "memory"):
        probe = findings.words.probe(name)
        part = section(root, f"probe-{name}")
        assert next(part.all("h2")).text == probe.section
        assert probe.introduction in part.text


def test_headings_descend_by_one_ids_are_unique_and_links_lead_somewhere(
    root: Element, files: dict[str, bytes]
) -> None:
    levels = [int(e.tag[1]) for e in root.all() if re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    ids = [e.attributes["id"] for e in root.all() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    for link in root.all("a"):
        target = link.attributes["href"]
        if not target.startswith("https://"):  # the source of a claim
            assert target.removeprefix("#") in ids or target in files


def test_nothing_is_loaded_and_the_policy_allows_this_script_alone(root: Element) -> None:
    assert not [e for e in root.all() if {"src", "srcset", "data"} & e.attributes.keys()]
    assert [e.attributes["href"] for e in root.all("link")] == ["data:,"]
    assert not [name for e in root.all() for name in e.attributes if name.startswith("on")]
    [script] = root.all("script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    [policy] = [
        meta.attributes["content"]
        for meta in root.all("meta")
        if meta.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}';" in policy


def test_a_row_leads_to_the_case_and_the_contender_it_was_measured_in(
    root: Element, findings: Findings
) -> None:
    wanted = "axis == 'strategy' and scope == 'case' and headline and default"
    frame = findings.contrasts.query(wanted)
    frame = frame[frame["probe"].eq("throughput") & ~frame["control"]]
    [table] = [t for t in section(root, "probe-throughput").all("table") if "single" in t.text]
    rows = list(next(table.all("tbody")).all("tr"))
    assert len(rows) == len(frame)
    for row, of_frame in zip(rows, tables.by_row(frame), strict=True):
        case, contender = (
            next(next(root.all("tr", id=link.attributes["href"][1:])).all("code")).text
            for link in row.all("a")
        )
        assert (case, contender) == (of_frame.case, of_frame.subject)
        assert words.change_interval(of_frame.ratio, of_frame.low, of_frame.high) in row.text


def test_every_table_has_a_caption_and_a_cell_for_each_heading(root: Element) -> None:
    found = list(root.all("table"))
    assert len(found) > 10
    for table in found:
        assert len(list(table.all("caption"))) == 1
        heads = list(table.all("th", scope="col"))
        rows = list(next(table.all("tbody")).all("tr"))
        assert rows
        assert all(len(list(row.all("td"))) == len(heads) for row in rows)


def test_conditions_name_machine_builds_and_proofs(root: Element) -> None:
    text = section(root, "conditions").text
    for fact in ("drawn at random", "GCC 14.2.0", "0" * 64, "asyncio.unix_events", "signal 9"):
        assert fact in text


def test_the_markdown_says_the_same(files: dict[str, bytes], findings: Findings) -> None:
    text = files[page.MARKDOWN].decode()
    assert text.startswith("# When should I use asyncio.create_task?\n")
    for sentence in answer(findings):
        assert words.escaped(sentence) in text
    for table in (tables.decided(decisions([findings])), tables.choices(findings)):
        assert tables.markdown(table) in text
    for name, meaning in page._vocabulary(findings.campaign):
        assert f"- {words.escaped(name)}: {words.escaped(meaning)}" in text
    for target in re.findall(r'(?:src|srcset)="([^"]*)"', text):
        assert target in files


def test_of_many_pythons_the_newest_stands_first(tmp_path: Path) -> None:
    findings = findings_of(tmp_path / "c", pythons=("3.12.0", "3.13.0", "3.14.0"))
    files = page.files_of(findings)
    newest, every = section(page_of(files), "answer").all("table")
    assert len(list(next(newest.all("tbody")).all("tr"))) == 1
    assert len(list(next(every.all("tbody")).all("tr"))) == 3


def test_what_is_not_there_has_no_section(tmp_path: Path) -> None:
    root = page_of(page.files_of(findings_of(tmp_path / "c", cases=(Case("latency", "echo", 10),))))
    ids = [part.attributes.get("aria-labelledby") for part in root.all("section")]
    assert "probe-latency" in ids
    assert not {"costs", "python", "programs"} & {*ids}
    assert "was not measured in this campaign" in section(root, "answer").text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"effect": lambda one, *_: 0.3 * (one.role == "control")}, "This campaign is unproven"),
        ({"status": "interrupted"}, "This campaign is interrupted"),
        ({"rounds": 0, "status": "interrupted"}, "This campaign is interrupted"),
    ],
)
def test_what_must_be_read_first_stands_first(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    files = page.files_of(findings_of(tmp_path / "c", **options))
    [notice] = page_of(files).all("div", **{"class": "notice"})
    assert said in notice.text
    assert f"> **{said}" in files[page.MARKDOWN].decode()


def test_a_good_campaign_has_no_notice(root: Element) -> None:
    assert not list(root.all("div", **{"class": "notice"}))


EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}|`'


def test_a_script_in_a_campaign_is_text(tmp_path: Path) -> None:
    folder = campaigns.write(tmp_path / "c", cases=FEW)

    def poison(plan: dict[str, Any]) -> None:
        plan["name"] = plan["preset"] = plan["code_hash"] = EVIL
        plan["machine"][EVIL] = plan["interpreters"][0]["build"][EVIL] = EVIL
        plan["skipped"] = [{"contender": {"interpreter": EVIL}, "reason": EVIL}]
        for words_ in plan["definitions"].values():
            for word in words_:
                word["label"] = word["meaning"] = EVIL
        for probe in plan["definitions"]["probes"]:
            probe["section"] = probe["introduction"] = EVIL
        for contender in plan["contenders"]:
            contender["conditions"][EVIL] = EVIL

    campaigns.change_plan(folder, poison)
    files = page.files_of(find(read_campaign(folder)))
    root = page_of(files)
    assert len(list(root.all("script"))) == 1
    assert not list(root.all("img"))
    assert not [name for e in root.all() for name in e.attributes if name.startswith("on")]
    assert EVIL in root.text
    assert not re.search(r"(?<!\\)<(script|img src=x)", files[page.MARKDOWN].decode())


# --- frames --------------------------------------------------------------------------------------


def test_the_csv_files_hold_the_frames_and_the_bytes_are_always_the_same(
    files: dict[str, bytes], findings: Findings
) -> None:
    assert page.files_of(findings) == files
    for name in ("contrasts", "absolutes", "costs", "observations"):
        frame: pd.DataFrame = getattr(findings, name)
        read = pd.read_csv(io.BytesIO(files[f"{name}.csv"]))
        assert list(read.columns) == list(frame.columns)
        assert len(read) == len(frame)
    ratios = pd.read_csv(io.BytesIO(files["contrasts.csv"]))["ratio"]
    assert ratios.to_numpy() == pytest.approx(
        findings.contrasts["ratio"].to_numpy(), rel=1e-8, nan_ok=True
    )


def test_a_spreadsheet_takes_no_text_for_a_formula() -> None:
    frame = pd.DataFrame({"name": ["=1+1", "@x", "plain"], "value": [-1.0, 1 / 3, 2.0]})
    _, *rows = csv.reader(page.csv_of(frame).decode().splitlines())
    assert rows == [["'=1+1", "-1"], ["'@x", "0.333333333"], ["plain", "2"]]


# --- writing -------------------------------------------------------------------------------------

OURS = {page.PAGE: b"page", page.MARKDOWN: b"# When should I use asyncio.create_task?\n"}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_report_is_written_inside_its_campaign_and_nowhere_else(tmp_path: Path) -> None:
    findings = findings_of(tmp_path / "c")
    before = contents(tmp_path)
    published = report.publish(findings)
    written = {path: data for path, data in contents(tmp_path).items() if path not in before}
    assert {f"c/report/{name}" for name in page.files_of(findings)} == set(written)
    assert published == tmp_path / "c" / "report" / page.PAGE
    assert report.publish(findings) == published
    assert contents(tmp_path) == before | written


def test_the_old_report_goes_as_a_whole(tmp_path: Path) -> None:
    place = tmp_path / "report"
    write(place, {**OURS, "charts/a.svg": b"a"})
    write(place, {**OURS, "charts/b.svg": b"b"})
    assert contents(tmp_path) == {f"report/{name}": data for name, data in
                                  {**OURS, "charts/b.svg": b"b"}.items()}  # fmt: skip


def a_link(place: Path) -> None:
    (place.parent / "elsewhere").mkdir()
    write(place.parent / "elsewhere" / "report", OURS)
    place.symlink_to(place.parent / "elsewhere" / "report", target_is_directory=True)


def a_folder(place: Path) -> None:
    place.mkdir()
    (place / "notes.txt").write_text("mine", encoding="utf-8")


def a_file(place: Path) -> None:
    place.write_text("mine", encoding="utf-8")


def a_page_of_others(place: Path) -> None:
    place.mkdir()
    (place / page.MARKDOWN).write_text("# My own", encoding="utf-8")


@pytest.mark.parametrize("lies_there", [a_link, a_folder, a_file, a_page_of_others])
def test_what_is_not_ours_stays_and_stops_the_report(
    tmp_path: Path, lies_there: Callable[[Path], None]
) -> None:
    place = tmp_path / "report"
    lies_there(place)
    before = contents(tmp_path)
    with pytest.raises(ReportError) as caught:
        write(place, OURS)
    assert str(place) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("stop_after", range(2))
def test_a_disk_that_refuses_leaves_the_old_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    place = tmp_path / "report"
    write(place, OURS)
    rename, calls = Path.rename, []

    def fail_once(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == stop_after + 1:
            raise OSError(28, "No space left on device", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    with pytest.raises(ReportError, match="No space left on device"):
        write(place, {**OURS, page.PAGE: b"new"})
    assert contents(tmp_path) == {f"report/{name}": data for name, data in OURS.items()}


def test_filters_and_sorting_find_their_columns(root: Element) -> None:
    """What the script relies on: marked headings, and text first in their cells."""
    choices = {head.text for head in root.all("th") if "data-choice" in head.attributes}
    assert {"Python", "loop", "workload", "n", "strategy"} <= choices
