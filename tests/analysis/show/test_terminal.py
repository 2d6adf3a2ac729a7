"""What stands on the screen: the answer in at most 40 lines, for any campaign."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analysis.judge.answer import RULE, answer
from analysis.judge.findings import Findings, find
from analysis.read.load import read_campaign
from analysis.show import terminal
from benchmarks.campaign import schema
from benchmarks.cases import Case
from benchmarks.strategies import STRATEGIES
from tests import campaigns

FEW = (Case("throughput", "noop", 100),)
WORKLOADS = ("noop", "yield_once", "sleep", "echo")
MANY = tuple(Case("throughput", name, n) for name in WORKLOADS for n in (10, 1000))
SEVEN = ("3.10.13", "3.11.7", "3.12.1", "3.13.0", "3.13.18", "3.14.10", "3.15.2")


def shown(findings: Findings, *, width: int = 100, everything: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    terminal.show(findings, console, everything=everything)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def measure(folder: Path, **options: Any) -> Findings:  # noqa: ANN401 - of campaigns.write
    return find(read_campaign(campaigns.write(folder, **{"cases": FEW, "noise": 0.003, **options})))


@pytest.mark.parametrize(
    "options",
    [
        {"pythons": SEVEN, "loops": ("asyncio", "uvloop"), "cases": MANY},
        {"loops": ("asyncio", "uvloop"), "cases": MANY, "strategies": tuple(STRATEGIES)},
        {"cases": tuple(Case("stall", "noop", n) for n in range(100, 145))},
        {"cases": (Case("head_start", "sleep", 10, "sleep_20ms"), Case("memory", "pending", 100))},
        {"rounds": 2},
        {"rounds": 0, "status": "interrupted"},
        {"failed": tuple(
            schema.Failure(contender="cpython-3.14.0/asyncio/lazy/task_group",
                           case=f"throughput/noop/{n}", round=0, cause="it broke " * 9)
            for n in (1, 2, 3, 4, 5)
        ), "cases": tuple(Case("throughput", "noop", n) for n in (1, 2, 3, 4, 5))},
    ],
    ids=["seven Pythons", "all strategies", "no answer", "two probes", "few", "none", "failures"],
)  # fmt: skip
def test_any_campaign_takes_38_lines_at_most_of_100_columns(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    findings = measure(tmp_path / "c", **options)
    lines = shown(findings).splitlines()
    assert len(lines) <= terminal.MOST_LINES == 38
    copied = f"{terminal.command(f'show {findings.campaign.folder} --all')}"
    assert all(len(line) <= 100 for line in lines if copied not in line)
    assert lines[-1] == f"Everything: {copied}"


def test_the_answer_stands_first_then_the_numbers_then_the_trust(tmp_path: Path) -> None:
    findings = measure(tmp_path / "c", pythons=("3.13.0", "3.14.0"), cases=MANY)
    text = " ".join(shown(findings).split())
    sentences = answer(findings)
    places = [text.index(said) for said in (RULE, *sentences[1:])]
    places += [text.index(said) for said in ("Time per task", "Change by Python", "Campaign ")]
    assert places == sorted(places)
    assert "Everything: " in text[places[-1] :]


def test_a_cell_has_the_difference_its_precision_the_change_and_a_mark(tmp_path: Path) -> None:
    effect = 0.1
    findings = measure(
        tmp_path / "c", noise=0.001,
        effect=lambda who, *_: -effect * (who.strategy == "task_group"),
    )  # fmt: skip
    [line] = [line for line in shown(findings).splitlines() if line.startswith("noop  ")]
    assert line.split()[:3] == ["noop", "3.00", "us"]
    assert "us ±0.00" in line
    assert " = " in line or line.rstrip().count(" =") == 1, "gather(*tasks) is the same"
    assert line.rstrip().endswith("(-9.5 %)"), "TaskGroup is faster, which its sign says"


def test_what_is_undecided_has_a_question_mark(tmp_path: Path) -> None:
    text = shown(measure(tmp_path / "c", noise=0.2))
    [line] = [line for line in text.splitlines() if line.startswith("noop  ")]
    assert line.rstrip().endswith("?")


def test_everything_is_shown_to_who_asks(findings: Findings) -> None:
    short, long = (shown(findings, everything=everything) for everything in (False, True))
    assert "single cases" not in short
    assert "Throughput: single cases" in long
    assert "Cost model" in long
    for text in (short, long):
        assert "Build of Python 3.13.0" in text
        assert "Campaign " in text
    assert "Failed: " in long
    assert "And 1 more remark." in short
    assert long.count("The intervals of one Python hold together") >= 1
    assert "more remark" not in long
    assert long.count("Build of Python 3.13.0") == 1
    # The tables of the answer are whole.
    assert long.count("Time per task on Python") == 1
    assert "more row" not in long


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


def test_an_unproven_campaign_says_so(tmp_path: Path) -> None:
    drifts = measure(tmp_path / "c", effect=lambda who, *_: 0.3 * (who.role == "control"))
    assert "Campaign unproven" in shown(drifts)


def test_controls_that_agree_too_loosely_say_how_closely(tmp_path: Path) -> None:
    text = " ".join(shown(measure(tmp_path / "noisy", noise=0.1)).split())
    assert "Campaign unproven: the controls, baselines entered twice, agree within " in text
    assert re.search(r"verdicts need 0\.5 %, which takes about [\d,]+ rounds", text)


def test_trust_in_what_computes_is_none_in_what_waits(tmp_path: Path) -> None:
    """Noise of an echo does not make a campaign unproven, and is not hidden behind the word."""
    findings = measure(
        tmp_path / "c", noise=0.001, cases=MANY,
        effect=lambda who, case, _: 0.08 * (who.role == "control" and case.workload == "echo"),
    )  # fmt: skip
    note = findings.control.note
    assert "in what waits (sleep and echo): within 4." in note
    quiet = measure(tmp_path / "few", rounds=4, cases=MANY).control.note
    assert "in what waits (sleep and echo): too few rounds to tell" in quiet


def test_the_program_is_named_as_it_was_started() -> None:
    assert terminal.command("show x") == f"{os.path.relpath(sys.executable)} -m analysis show x"
