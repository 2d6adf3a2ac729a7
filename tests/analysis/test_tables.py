"""Tables by what they say: Markdown, CSV, and the terminal."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from analysis import tables, terminal
from analysis.campaign import Campaign
from analysis.findings import Findings, find
from analysis.load import read_campaign
from tests.synthetic import World, change_lines, change_plan, fail, write_campaign

CONTENDER = "cpython-3.14.10/uvloop/lazy/task_group"
CASE = "throughput/noop/10"
CAUSE = "killed | [by](http://x) <b>signal</b> 9"


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    folder = tmp_path_factory.mktemp("results") / "campaign"
    return read_campaign(write_campaign(folder, tasks=(10, 1000)))


@pytest.fixture(scope="module")
def findings(campaign: Campaign) -> Findings:
    return find(campaign)


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """A campaign with everything that can go wrong without making it unusable."""
    folder = tmp_path_factory.mktemp("results") / "troubled"
    write_campaign(
        folder,
        world=World(control_effect=1.05),
        workloads=("noop",),
        tasks=(10, 1000),
        status="interrupted",
    )
    fail(folder, CONTENDER, CASE, round_index=0, cause=CAUSE)
    skipped = {
        "contender": {
            "interpreter": "cpython-3.14.10",
            "loop": "rloop",
            "task_factory": "lazy",
            "strategy": "gather_tasks",
        },
        "reason": "rloop is not installed",
    }
    change_plan(folder, lambda plan: plan["skipped"].append(skipped))
    change_lines(folder, lambda lines: lines[-1]["cells"].pop(CONTENDER))
    return find(read_campaign(folder))


def shown(findings: Findings, width: int = terminal.WIDTH) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    terminal.show(findings, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


# --- tables --------------------------------------------------------------------------------------


def test_answer_has_a_line_per_loop_and_strategy(findings: Findings) -> None:
    table = tables.answer(findings)
    assert table.title.endswith("geometric mean of 4 throughput cases")
    assert [column.name for column in table.columns] == [
        "loop",
        "strategy",
        "ns/task",
        "baseline",
        "ratio [95 %]",
        "verdict",
    ]
    assert [row[:2] for row in table.rows] == [
        ("asyncio", "gather_tasks"),
        ("asyncio", "task_group"),
        ("uvloop", "gather_tasks"),
        ("uvloop", "task_group"),
    ]
    summary = findings.summary.iloc[1]
    ratio = f"{summary.ratio:.3f} [{summary.low:.3f}, {summary.high:.3f}]"
    assert table.rows[1][-2:] == (ratio, "slower")


def test_a_table_per_workload_with_every_n_and_loop(findings: Findings) -> None:
    found = tables.case_tables(findings)
    assert [table.title for table in found] == [
        "throughput · noop (each coroutine returns at once)",
        "throughput · yield_once (each coroutine suspends once)",
        "latency · noop (each coroutine returns at once)",
        "latency · yield_once (each coroutine suspends once)",
    ]
    assert [row[:3] for row in found[0].rows] == [
        (n, loop, contender)
        for n in ("10", "1,000")
        for loop in ("asyncio", "uvloop")
        for contender in ("gather_tasks", "task_group")
    ]
    assert [table.columns[3].name for table in found] == ["ns/task", "ns/task", "p99", "p99"]
    assert found[2].rows[0][3].endswith("us")
    with_control = tables.case_tables(findings, control=True)
    assert ("10", "asyncio", "control") in [row[:3] for row in with_control[0].rows]


def test_pythons_are_told_apart_only_where_there_are_several(tmp_path: Path) -> None:
    campaign = write_campaign(
        tmp_path / "two",
        pythons=("3.14.10", "3.13.9"),
        probes=("throughput",),
        workloads=("noop",),
        tasks=(10,),
    )
    findings = find(read_campaign(campaign))
    titles = [table.title for table in tables.case_tables(findings)]
    assert [title.split(" · ")[0] for title in titles] == ["3.14.10", "3.13.9"]
    assert tables.answer(findings).columns[0].name == "Python"
    assert {row[0] for row in tables.answer(findings).rows} == {"3.14.10", "3.13.9"}


def test_cost_table_says_how_far_the_line_holds(findings: Findings) -> None:
    table = tables.cost_table(findings)
    assert len(table.rows) == 2 * 2 * 3
    assert table.rows[0][:3] == ("noop", "asyncio", "gather_coroutines")
    assert table.rows[0][-1] == "n = 1,000"


def test_cost_table_says_where_the_line_breaks(findings: Findings) -> None:
    costs = findings.costs.assign(breaks_at=pd.array([1000] * len(findings.costs), dtype="Int64"))
    costs = costs.assign(break_ratio=1.25, tasks_to=100)
    assert tables.cost_table(replace(findings, costs=costs)).rows[0][-1] == (
        "n = 100 (1,000: +25.0 %)"
    )


def test_cost_table_without_any_line_says_why(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "one", rounds=1, tasks=(10,))
    table = tables.cost_table(find(read_campaign(folder)))
    assert tables.markdown_table(table) == "one number of tasks makes no line"


@pytest.mark.parametrize(
    ("needed", "shown_verdict"),
    [
        (14, "undecided (+14 rounds)"),
        (5000, "undecided (> 1000 rounds)"),
        (pd.NA, "undecided (too noisy)"),
    ],
)
def test_undecided_says_how_far_off_it_is(
    findings: Findings, needed: object, shown_verdict: str
) -> None:
    rounds = pd.Series([needed] * len(findings.summary)).astype("Int64")
    summary = findings.summary.assign(verdict="undecided", rounds_needed=rounds)
    table = tables.answer(replace(findings, summary=summary))
    assert {row[-1] for row in table.rows} == {shown_verdict}


def test_every_ratio_has_its_interval_and_both_costs(findings: Findings) -> None:
    for table in (tables.answer(findings), *tables.case_tables(findings, control=True)):
        for row in table.rows:
            assert re.fullmatch(r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]", row[-2])
            assert all(cell[0].isdigit() for cell in row[-4:-2])


def test_few_rounds_show_no_interval(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "few", rounds=3, workloads=("noop",), tasks=(10,))
    rows = tables.case_tables(find(read_campaign(folder)))[0].rows
    assert all(row[-2].endswith(" [too few rounds]") for row in rows)
    assert {row[-1] for row in rows} == {"undecided (+9 rounds)"}


def test_what_is_missing_is_said_with_its_reason(troubled: Findings) -> None:
    row = tables.case_tables(troubled)[0].rows[3]
    assert row[:3] == ("10", "uvloop", "task_group")
    assert row[3] == row[5] == "missing"
    assert row[6] == f"missing: failed in round 0: {CAUSE}"


def test_foot_says_what_a_reader_must_know(troubled: Findings, findings: Findings) -> None:
    lines = tables.foot(troubled)
    assert lines[0].startswith(
        "Campaign unproven: the control, the baseline a second time, was told apart"
    )
    assert re.fullmatch(r"Noise floor: \d\.\d % to \d\.\d %, by case\.", lines[1])
    assert lines[2] == tables.PAIRED
    assert lines[3:] == [
        "Skipped cpython-3.14.10 / rloop / lazy / gather_tasks: rloop is not installed",
        f"Failed 3.14.10 / uvloop / lazy / task_group in {CASE}, round 0: {CAUSE}",
        f"rounds.jsonl:48: warning: no values and no failure for '{CONTENDER}'",
    ]
    assert "was not told apart from it in any of 8 cases" in tables.foot(findings)[0]
    assert tables.foot(findings)[1] == "Noise floor: 0.5 % to 0.9 %, by case."


def test_provenance_says_what_is_unusual(troubled: Findings, findings: Findings) -> None:
    assert tables.provenance(findings.campaign) == (
        "campaign · Python 3.14.10 · 12 rounds · 8 cases"
    )
    assert tables.provenance(troubled.campaign).endswith("status: interrupted")


# --- Markdown ------------------------------------------------------------------------------------


def test_markdown_has_every_table(findings: Findings) -> None:
    text = tables.markdown(findings)
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# campaign · Python 3.14.10 · 12 rounds · 8 cases",
        f"## {tables.answer(findings).title}",
        "## throughput · noop (each coroutine returns at once)",
        "## throughput · yield_once (each coroutine suspends once)",
        "## latency · noop (each coroutine returns at once)",
        "## latency · yield_once (each coroutine suspends once)",
        "## Cost model: time of a fan-out = fixed + per task × n",
        "## Beside the figures",
    ]


def test_markdown_tables_are_whole(troubled: Findings) -> None:
    for table in tables.case_tables(troubled):
        lines = tables.markdown_table(table).splitlines()
        assert lines[1] == "| ---: | --- | --- | ---: | ---: | ---: | --- |"
        assert len(lines) == len(table.rows) + 2
        for line in lines:
            assert len(re.findall(r"(?<!\\)\|", line)) == len(table.columns) + 1


def test_markdown_shows_hostile_text_as_text(troubled: Findings) -> None:
    text = tables.markdown(troubled)
    assert r"killed \| [by]\(http://x) \<b\>signal\</b\> 9" in text
    assert not re.search(r"(?<!\\)<", text)
    assert not re.search(r"\]\(", text)


def test_an_empty_table_says_so() -> None:
    table = tables.Table("Nothing", (tables.Column("n"),), ())
    assert tables.markdown_table(table) == "Nothing was measured."


# --- CSV -----------------------------------------------------------------------------------------


def test_csv_has_the_promised_columns_and_reads_back(findings: Findings) -> None:
    text = tables.frame_csv(findings.comparisons)
    promised = {
        "python",
        "loop",
        "task_factory",
        "case",
        "contender",
        "baseline",
        "ratio",
        "low",
        "high",
        "verdict",
        "rounds",
        "ns_per_task",
    }
    back = list(csv.DictReader(io.StringIO(text)))
    assert promised <= set(back[0])
    assert [float(row["ratio"]) for row in back] == list(findings.comparisons["ratio"])
    assert [row["verdict"] for row in back] == list(findings.comparisons["verdict"])
    assert "\r" not in text


def test_csv_is_no_spreadsheet_formula() -> None:
    frame = pd.DataFrame({"name": ["=HYPERLINK(1)", "plain", "-1", "@x"], "value": [-1, 2, 3, 4]})
    rows = list(csv.reader(io.StringIO(tables.frame_csv(frame))))
    assert rows[1:] == [["'=HYPERLINK(1)", "-1"], ["plain", "2"], ["'-1", "3"], ["'@x", "4"]]


# --- the terminal --------------------------------------------------------------------------------


def test_terminal_ends_with_the_answer(findings: Findings) -> None:
    lines = shown(findings).rstrip().splitlines()
    assert lines[0] == "campaign · Python 3.14.10 · 12 rounds · 8 cases"
    assert lines[-6].startswith("Time relative to gather_coroutines")
    answer = tables.answer(findings)
    for line, row in zip(lines[-4:], answer.rows, strict=True):
        assert all(cell in line for cell in row[1:])
    assert "unproven" not in shown(findings)


def test_terminal_shows_every_cell_within_100_columns(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "wide", workloads=("noop", "yield_once", "sleep", "echo"))
    findings = find(read_campaign(folder))
    assert len(findings.campaign.cases) == 40
    text = shown(findings)
    assert max(map(len, text.splitlines()[:-12])) <= 200
    tables_text = [line for line in text.splitlines() if line.startswith("  ")]
    assert max(map(len, tables_text)) <= 100
    assert "…" not in text
    for table in [*tables.case_tables(findings), tables.cost_table(findings)]:
        assert table.title in text
        for row in table.rows:
            assert row[-2] in text


def test_terminal_leaves_repeated_cells_blank(findings: Findings) -> None:
    lines = shown(findings).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("throughput · noop"))
    starts = [line.split()[:2] for line in lines[first + 2 : first + 6]]
    assert starts[0] == ["10", "asyncio"]
    assert [start[0] for start in starts] == ["10", "task_group", "uvloop", "task_group"]


def test_terminal_puts_trouble_before_the_answer(troubled: Findings) -> None:
    text = shown(troubled)
    foot, answer = text.split("Campaign unproven: ")
    assert "Skipped cpython-3.14.10 / rloop / lazy / gather_tasks: rloop is not installed" in foot
    assert f"round 0: {CAUSE}" in foot
    assert "Time relative to gather_coroutines" in answer


def test_terminal_takes_no_markup_or_escape_from_a_campaign(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "evil", rounds=2, workloads=("noop",), tasks=(10,))
    change_plan(folder, lambda plan: plan.update(name="[bold red]x[/] \x1b[2J"))
    text = shown(find(read_campaign(folder)))
    assert text.startswith("[bold red]x[/] \ufffd[2J · ")
    assert "\x1b" not in text


def test_an_empty_campaign_is_shown(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "empty", rounds=0, status="running")
    text = shown(find(read_campaign(folder)))
    assert "0 rounds · 20 cases · status: running" in text
    assert "missing: not measured: the campaign is running" in " ".join(text.split())
    assert "no control was measured" in text
