"""The generated part of the README is what the reference campaign says today."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.readme import README, ReadmeError, current, updated
from tests.synthetic import write_campaign

ROOT = Path(__file__).parents[2]
TEXT = "before\n<!-- generated: begin -->\nold\n<!-- generated: end -->\nafter\n"


def test_the_readme_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = README.read_text(encoding="utf-8")
    assert updated(text, current()) == text


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
    block = current(tmp_path)
    assert "On asyncio, " in block
    assert "On uvloop, " in block
    assert f"{tmp_path}/one/report/charts/ratios-by-tasks-light.svg" in block


def test_without_a_reference_campaign_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReadmeError, match="holds no campaign"):
        current(tmp_path)
