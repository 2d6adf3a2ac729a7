"""The harness's own arithmetic and files; its figures are measured, never tested."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from analysis.load import read_campaign
from benchmarks.campaign import harness
from benchmarks.campaign.harness import analysing, running
from benchmarks.campaign.harness.figures import Row, run_command
from benchmarks.campaign.journal import Cell, Record


def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def test_an_unknown_figure_names_the_valid_ones() -> None:
    on = console()
    assert harness.main(["speed"], on) == 2
    assert isinstance(on.file, io.StringIO)
    said = on.file.getvalue()
    assert "'speed' is not known" in said
    assert all(name in said for name in harness.FIGURES)


@pytest.mark.parametrize(("met", "code", "verdict"), [(True, 0, "met"), (False, 1, "MISSED")])
def test_a_missed_target_is_said_and_fails(
    met: bool,
    code: int,
    verdict: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def figure() -> Iterator[Row]:
        """A figure."""
        yield Row("wall time", "3 s", "at most 2 s", met)

    monkeypatch.setattr(harness, "FIGURES", {"figure": figure})
    assert harness.main([], console()) == code
    assert verdict in capsys.readouterr().out


def test_every_figure_says_what_it_measures() -> None:
    assert all(figure.__doc__ for figure in harness.FIGURES.values())


def test_drawn_campaigns_are_valid_to_the_reader(tmp_path: Path) -> None:
    values = analysing._write_campaign(tmp_path / "drawn", 2000)
    campaign = read_campaign(tmp_path / "drawn", suites=True)
    assert campaign.problems == ()
    assert len(campaign.frame) == values
    assert campaign.rounds == analysing.ROUNDS


def test_the_growth_of_a_straight_line_is_one() -> None:
    row = running.growth_row("cases", {1: 0.1, 2: 0.2, 4: 0.4})
    assert "exponent 1.00" in row.measured
    assert row.met
    assert not running.growth_row("cases", {1: 0.1, 2: 0.4, 4: 1.6}).met


def test_the_cost_of_a_sweep_is_the_median_over_rounds() -> None:
    def record(wall_seconds: float) -> Record:
        cells = {"one": Cell(1, 0.1, {"total": [1.0, 1.0]})}
        return Record(0, "case", "", wall_seconds, 0.0, cells, {})

    assert running.seconds_per_sweep([record(2.0), record(4.0), record(40.0)]) == 2.0


def test_a_command_that_fails_says_what_it_said() -> None:
    with pytest.raises(RuntimeError, match="exit code 3: it broke"):
        run_command(["sh", "-c", "echo it broke >&2; exit 3"])
