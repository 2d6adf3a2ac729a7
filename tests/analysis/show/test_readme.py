"""The generated parts of the READMEs are what the reference campaigns say today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.judge import words
from analysis.judge.answer import answer
from analysis.judge.decisions import decisions
from analysis.judge.findings import find
from analysis.read.campaign import CampaignError
from analysis.show import readme
from analysis.show.readme import ReadmeError
from benchmarks.cases import Case
from tests import campaigns

ROOT = Path(__file__).parents[3]
TEXT = "before\n<!-- generated: begin -->\nold\n<!-- generated: end -->\nafter\n"


def test_the_readmes_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    fresh = readme.documents()
    assert set(fresh) == {readme.README, readme.RESULTS_README}
    for path, text in fresh.items():
        assert path.read_text(encoding="utf-8") == text


DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "results" / "README.md"]
LINK = re.compile(r"""(?:\]\(|src="|srcset=")(?!https?:)([^)"\s]*)""")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings]
            assert anchor in slugs, link


def test_only_what_is_between_the_markers_changes() -> None:
    assert readme.updated(TEXT, "new\n") == TEXT.replace("old", "new")
    assert readme.updated(readme.updated(TEXT, "new\n"), "old\n") == TEXT
    with pytest.raises(ReadmeError, match="generated: begin"):
        readme.updated("no markers", "new")


def test_the_block_has_answer_charts_and_every_condition(tmp_path: Path) -> None:
    noop = tuple(Case("throughput", "noop", n) for n in (10, 100, 1000))
    waits = (Case("head_start", "sleep_20ms", 10, "sleep_20ms"),)
    pythons = ("3.12.0", "3.13.0", "3.14.0")
    campaigns.write(tmp_path / "many", pythons=pythons, cases=noop, loops=("asyncio", "uvloop"))
    campaigns.write(
        tmp_path / "question",
        pythons=("3.13.0", "3.14.0"),
        cases=waits,
        effect=lambda contender, case, metric: -0.3
        * (contender.strategy != "gather_coroutines") * (contender.interpreter == "cpython-3.14.0"),
    )  # fmt: skip
    path = tmp_path / "many/report/charts/ratios-by-tasks-light.svg"
    path.parent.mkdir(parents=True)
    path.write_text('<svg><title>5 &lt; "6"</title></svg>', encoding="utf-8")
    every = readme.reference_campaigns(tmp_path)
    block = readme.current(every)
    found = {one.campaign.name: one for one in map(find, every)}
    first, _, table = block.partition("## When to use what")
    for sentence in answer(found["many"]):
        assert words.escaped(sentence) in first
    assert "Python 3.14.0, asyncio, noop" in first
    assert f'alt="5 &lt; &quot;6&quot;" src="{tmp_path}/many/report/charts/ratios-by-tasks' in first
    decided = decisions([found["many"], found["question"]])
    lines = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(lines) == len(decided) == 3
    for line, one in zip(lines, decided, strict=True):
        assert words.escaped(one.use) in line
        assert words.escaped(one.holds_on) in line
    assert any("Python 3.14.0" in line for line in lines)


def test_without_a_reference_campaign_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReadmeError, match="holds no campaign"):
        readme.current(readme.reference_campaigns(tmp_path))


def test_the_index_names_every_reference_campaign_newest_first(tmp_path: Path) -> None:
    for name, created in (("old", "2026-01-01T00:00:00"), ("new", "2026-02-01T00:00:00")):
        campaigns.write(tmp_path / name, pythons=("3.13.1", "3.14.10"), created=created)
    head, _, *rows = readme.index(readme.reference_campaigns(tmp_path)).splitlines()
    assert head.startswith("| campaign | Python |")
    assert [row.split("](")[0] for row in rows] == ["| [new", "| [old"]
    assert rows[0].endswith("| 3.13.1, 3.14.10 | asyncio | throughput | 100 to 1,000 | 2 | 12 |")


def test_a_damaged_reference_campaign_is_not_indexed(tmp_path: Path) -> None:
    (campaigns.write(tmp_path / "one") / "campaign.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CampaignError, match=r"campaign\.json"):
        readme.reference_campaigns(tmp_path)
