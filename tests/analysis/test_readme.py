"""The generated part of the README is what the reference campaign says today."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.readme import (
    README,
    RESULTS_README,
    ReadmeError,
    current,
    documents,
    index,
    reference_campaigns,
    updated,
)
from tests.synthetic import write_campaign, write_question
from tests.synthetic_witness import write_witness as write_programs

ROOT = Path(__file__).parents[2]
TEXT = "before\n<!-- generated: begin -->\nold\n<!-- generated: end -->\nafter\n"


def test_the_readmes_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    fresh = documents()
    assert set(fresh) == {README, RESULTS_README}
    for path, text in fresh.items():
        assert path.read_text(encoding="utf-8") == text


def test_every_file_that_the_readme_shows_is_there() -> None:
    text = (ROOT / README).read_text(encoding="utf-8")
    shown = [part.split('"')[0].split(")")[0] for part in text.split("results/reference/")[1:]]
    assert shown
    for path in shown:
        assert (ROOT / "results" / "reference" / path.rstrip("`")).exists()


def test_only_what_is_between_the_markers_changes() -> None:
    assert updated(TEXT, "new\n") == TEXT.replace("old", "new")
    assert updated(updated(TEXT, "new\n"), "old\n") == TEXT


def test_a_readme_without_markers_is_refused() -> None:
    with pytest.raises(ReadmeError, match="generated: begin"):
        updated("no markers", "new")


def test_the_block_has_an_answer_for_each_loop_and_the_chart(tmp_path: Path) -> None:
    write_campaign(tmp_path / "one", workloads=("noop",), tasks=(10, 100))
    block = current(reference_campaigns(tmp_path))
    assert "On asyncio, " in block
    assert "On uvloop, " in block
    assert f"{tmp_path}/one/report/charts/ratios-by-tasks-light.svg" in block


def test_the_guide_and_the_timeline_come_from_whichever_campaign_has_them(tmp_path: Path) -> None:
    write_campaign(tmp_path / "many", workloads=("noop", "yield_once", "sleep"))
    write_programs(write_question(tmp_path / "question"))
    block = current(reference_campaigns(tmp_path))
    assert f"{tmp_path}/many/report/charts/ratios-by-tasks-light.svg" in block
    assert f"{tmp_path}/question/report/charts/head-start-timeline-dark.svg" in block
    guide = block.partition("When to use what")[2]
    assert "**Use TaskGroup** when one failure makes the others pointless." in guide
    # Nothing is advised twice, for another Python.
    lines = [line.partition(". ")[0] for line in guide.splitlines() if line.startswith("- ")]
    assert len(lines) > 3
    assert len(set(lines)) == len(lines)


def test_without_a_reference_campaign_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReadmeError, match="holds no campaign"):
        current(reference_campaigns(tmp_path))


def test_the_index_names_every_reference_campaign_newest_first(tmp_path: Path) -> None:
    for name, created in (
        ("old", "2026-01-01T00:00:00+00:00"),
        ("new", "2026-02-01T00:00:00+00:00"),
    ):
        write_campaign(
            tmp_path / name,
            workloads=("noop",),
            tasks=(10, 100_000),
            pythons=("3.13.1", "3.14.10"),
            changes={"created": created},
        )
    head, _, *rows = index(reference_campaigns(tmp_path)).splitlines()
    assert head.startswith("| campaign | Python |")
    assert [row.split("](")[0] for row in rows] == ["| [new", "| [old"]
    assert (
        "| 3.13.1, 3.14.10 | asyncio, uvloop | throughput, latency | 10 to 100,000 | 4 | 12 |"
        in (rows[0].replace("\N{NO-BREAK SPACE}", " ").replace("\N{THIN SPACE}", " "))
    )


def test_a_damaged_reference_campaign_is_not_indexed(tmp_path: Path) -> None:
    (write_campaign(tmp_path / "one", tasks=(10,)) / "campaign.json").write_text("{}")
    with pytest.raises(ReadmeError, match=r"campaign\.json"):
        index(reference_campaigns(tmp_path))
