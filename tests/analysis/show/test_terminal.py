"""What stands on the screen."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from analysis.judge.findings import Findings, find
from analysis.read.load import read_campaign
from analysis.show import terminal
from benchmarks.cases import Case
from tests import campaigns

FEW = (Case("throughput", "noop", 100),)


def shown(findings: Findings, *, width: int = 100, everything: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    terminal.show(findings, console, everything=everything)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_two_pythons_and_one_case_print_their_tables_and_the_answer(tmp_path: Path) -> None:
    pythons = ("3.13.0", "3.14.0")
    folder = campaigns.write(tmp_path / "two", pythons=pythons, cases=FEW, noise=0.003)
    text = shown(find(read_campaign(folder)))
    assert "--all" not in text
    assert "Throughput: single cases" in text
    assert "Python: single cases" in text
    answer = text.index("The answer in numbers")
    assert text.index("Campaign proven") < answer
    assert text[answer:].count("TaskGroup") == 2 * 2


def test_many_cases_are_left_out_until_they_are_asked_for(findings: Findings) -> None:
    short, long = (shown(findings, everything=everything) for everything in (False, True))
    assert "single cases" not in short
    assert f"python -m analysis show {findings.campaign.folder} --all" in short
    assert "Throughput: single cases" in long
    assert "Cost model" in long
    for text in (short, long):
        assert "Failed: " in text
        assert text.rstrip().splitlines()[-1].startswith("Compared with gather(*coroutines).")
        assert "The answer in numbers" in text[text.index("Campaign proven") :]


def test_tables_fit_the_screen(findings: Findings) -> None:
    tables = shown(findings, everything=True).partition("\n\n")[2].partition("Build of Python")[0]
    assert max(map(len, tables.splitlines())) <= 100


def test_repeated_cells_are_blank_and_the_last_one_is_folded(findings: Findings) -> None:
    text = shown(findings, everything=True)
    lines = text[text.index("Throughput: single cases") :].splitlines()
    assert sum(line.lstrip().startswith("100 ") for line in lines[:20]) == 1
    reason = next(place for place, line in enumerate(lines) if "missing: " in line)
    indent = lines[reason].index("missing: ")
    assert lines[reason + 1].startswith(" " * indent)
    assert lines[reason + 1].strip()


@pytest.mark.parametrize("label", ["[bold]noop[/bold]", "[link=https://x]y[/link]"])
def test_what_a_campaign_says_is_text(tmp_path: Path, label: str) -> None:
    folder = campaigns.write(tmp_path / "marked", cases=FEW, preset=label)
    campaigns.change_plan(
        folder, lambda plan: plan["definitions"]["workloads"][0].update(label=label)
    )
    assert label in shown(find(read_campaign(folder)))


def test_an_unproven_campaign_says_so_above_the_answer(tmp_path: Path) -> None:
    folder = campaigns.write(
        tmp_path / "drifts",
        cases=FEW,
        effect=lambda contender, case, metric: 0.3 * (contender.role == "control"),
    )
    text = shown(find(read_campaign(folder)))
    assert text.index("Campaign unproven") < text.index("The answer in numbers")


def test_controls_that_agree_too_loosely_say_how_closely(tmp_path: Path) -> None:
    folder = campaigns.write(tmp_path / "noisy", cases=FEW, noise=0.1)
    text = " ".join(shown(find(read_campaign(folder))).split())
    assert "Campaign unproven: the controls, baselines entered twice, agree within " in text
    assert "verdicts need 0.5 %, which takes more rounds" in text


def test_a_campaign_without_answer_or_other_axis_still_prints_its_figures(tmp_path: Path) -> None:
    cases = tuple(Case("stall", "noop", n) for n in range(100, 125))
    text = shown(find(read_campaign(campaigns.write(tmp_path / "c", cases=cases))))
    assert "The answer in numbers" not in text
    assert text.count("TaskGroup") >= 25


def test_the_note_of_a_table_in_parts_is_printed_once(findings: Findings) -> None:
    assert shown(findings).count("Geometric means over the workloads that compute.") == 1
