"""Tables: rows of the frames in words, for any probe and axis."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from analysis.judge import words
from analysis.judge.between import between
from analysis.judge.findings import Findings, find
from analysis.judge.ledger import ledger
from analysis.read.load import read_campaign
from analysis.show import tables
from analysis.show.tables import Cell, Column, Table
from benchmarks.campaign import schema
from benchmarks.cases import Case
from tests import campaigns
from tests.analysis.show.conftest import FAILED


def records(table: Table) -> list[dict[str, str]]:
    """The rows of a table, by heading."""
    names = [column.name for column in table.columns]
    return [dict(zip(names, (cell.text for cell in row), strict=True)) for row in table.rows]


def only(table: Table, **wanted: str) -> dict[str, str]:
    [found] = [row for row in records(table) if wanted.items() <= row.items()]
    return found


def test_the_choice_is_in_numbers_by_loop_and_workload(findings: Findings) -> None:
    table = tables.choices(findings)
    assert len(table.rows) == 2 * 2
    assert table.title.startswith("Time per task on Python 3.14.0, mean over n; ± half interval (")
    names = [column.name for column in table.columns]
    assert names == [
        "loop", "workload", "gather(*coroutines)", "gather(*tasks)", "TaskGroup",
    ]  # fmt: skip
    row = only(table, loop="asyncio", workload="noop")
    wanted = "axis == 'strategy' and probe == 'throughput' and compared == 'task_group'"
    here = "python == '3.14.0' and loop == 'asyncio' and workload == 'noop' and scope == 'workload'"
    found = findings.contrasts.query(f"{wanted} and {here} and default")
    [of_frame] = tables.by_row(found)
    assert row["gather(*coroutines)"] == words.amount(of_frame.reference_value, "ns")
    ends = (of_frame.difference, of_frame.difference_low, of_frame.difference_high)
    moved = words.difference_within(*ends, "ns")
    assert row["TaskGroup"] == f"{moved} ({words.short_change(of_frame.ratio)})"


def test_a_cell_shows_its_whole_interval_to_a_pointer(findings: Findings) -> None:
    cells = [cell for row in tables.choices(findings).rows for cell in row if cell.tip]
    assert len(cells) == 2 * 2 * 2
    assert {cell.kind for cell in cells} <= {"slower", "faster", "same", "undecided"}
    for cell in cells:
        assert re.fullmatch(r"\S+ % \[.*\]; [-+]?\S+ [nu]s \[.*\]; .*", cell.tip), cell.tip


def test_pythons_stand_side_by_side_the_oldest_first(findings: Findings) -> None:
    means, *_ = tables.of_probe(findings, "throughput")
    assert [column.name for column in means.columns] == [
        "loop", "workload", "strategy", "3.13.0", "3.14.0",
    ]  # fmt: skip
    assert [column.python for column in means.columns][-2:] == ["3.13.0", "3.14.0"]
    assert len(means.rows) == 2 * 2 * 2
    row = only(means, loop="asyncio", workload="noop", strategy="TaskGroup")
    assert row["3.13.0"].startswith("+1")
    assert "Compared with gather(*coroutines)" in means.note


def test_the_change_by_python_needs_several(findings: Findings, tmp_path: Path) -> None:
    table = tables.by_python(findings)
    assert [row["Python"] for row in records(table)] == ["3.13.0", "3.14.0"]
    assert "TaskGroup asyncio" in [column.name for column in table.columns]
    assert tables.by_python(find(read_campaign(campaigns.write(tmp_path / "one")))).rows == ()


def test_no_strategy_that_is_compared_leaves_a_gap_in_the_table(findings: Findings) -> None:
    means, *_ = tables.of_probe(findings, "memory")
    assert all(cell.text for row in means.rows for cell in row)


def test_when_to_stop_caring_has_a_row_for_each_place(findings: Findings) -> None:
    table = tables.caring(findings)
    assert len(table.rows) == 2 * 2
    assert all(row["work of a task [95 %]"].count("us [") == 1 for row in records(table))


def test_single_cases_stand_alone_and_say_where_they_were_measured(findings: Findings) -> None:
    _, single, observed = tables.of_probe(findings, "throughput")
    assert observed.rows == ()
    assert single.note.endswith(words.STANDS_ALONE)
    assert len(single.rows) == 6 * 2 * 2 * 2
    row = next(row for row in single.rows if row[0].text == "echo")
    assert row[-1].links[0] == ("case 4", "#case-4")
    assert [row["n"] for row in records(single)].count("1,000") == 2 * 8


def test_what_is_missing_says_why(findings: Findings) -> None:
    _, single, _ = tables.of_probe(findings, "throughput")
    row = only(
        single, workload="echo", n="10", loop="uvloop", Python="3.14.0", strategy="TaskGroup"
    )
    assert row["verdict"].startswith("missing: ")
    assert "signal 9" in row["verdict"]
    assert row["change [95 %]"] == row["cost"] == "missing"
    assert f"Failed: {FAILED[0]} in {FAILED[1]}: signal 9" in tables.foot(findings)


def test_what_is_undecided_says_how_many_rounds_it_would_take(tmp_path: Path) -> None:
    folder = campaigns.write(tmp_path / "noisy", noise=0.2, rounds=12)
    _, single, _ = tables.of_probe(find(read_campaign(folder)), "throughput")
    verdicts = [row["verdict"] for row in records(single)]
    assert verdicts
    assert all(text.startswith("undecided (") for text in verdicts)
    assert any("rounds)" in text for text in verdicts)


def test_bytes_are_more_or_less(findings: Findings) -> None:
    _, single, _ = tables.of_probe(findings, "memory")
    rows = [row for row in records(single) if row["strategy"] == "TaskGroup"]
    metrics = {metric.label for metric in findings.words.probe("memory").metrics}
    assert {row["metric"] for row in rows} == metrics
    assert len(rows) == 2 * 2 * len(metrics)
    assert {row["verdict"] for row in rows} == {"more"}
    assert all(row["cost"].endswith("kB") for row in rows)


def test_another_axis_compares_a_strategy_with_itself(findings: Findings) -> None:
    means, single = tables.of_axis(findings, "loop")
    assert means.note.startswith("Compared with asyncio; means over n (")
    kinds = {cell.kind for row in means.rows for cell in row if cell.tip}
    assert kinds == {"faster"}
    every = {"gather(*coroutines)", "gather(*tasks)", "TaskGroup"}
    assert {row["strategy"] for row in records(single)} == every
    assert {row["strategy"] for row in records(means)} == every


def test_pythons_of_different_builds_are_marked(findings: Findings) -> None:
    means, single = tables.of_axis(findings, "python")
    changes = [row["change [95 %]"] for row in records(single)]
    changes += [cell.text for row in means.rows for cell in row if cell.tip]
    assert changes
    assert all(" *" in text for text in changes if text != "missing")
    for table in (means, single):
        assert tables.DIFFERENT_BUILD in table.note
    assert any("Build of Python 3.13.0: source" in line for line in tables.foot(findings))


def test_strategies_beyond_the_first_collector_have_their_own_table(tmp_path: Path) -> None:
    folder = campaigns.write(
        tmp_path / "collectors",
        collectors=("on", "off"),
        effect=lambda contender, case, metric: 0.2
        * (contender.strategy == "task_group") * (1 if contender.collector == "off" else -1),
    )  # fmt: skip
    findings = find(read_campaign(folder))
    _, single, strategies = tables.of_axis(findings, "collector")
    assert only(strategies, workload="noop", strategy="TaskGroup")["verdict"] == "slower"
    assert len(single.rows) == 2 * 3
    # The answer is about the first collector alone.
    assert only(tables.choices(findings), workload="noop")["TaskGroup"].startswith("-")


def test_what_was_counted_has_a_column_for_each_name(findings: Findings) -> None:
    table = tables.of_probe(findings, "failure")[-1]
    names = set(findings.observations.query("probe == 'failure'")["name"])
    assert "collections" in names
    labels = {findings.words.observed("failure", name).label for name in names - {"collections"}}
    assert len(labels) > 3
    assert labels <= {column.name for column in table.columns}
    assert {row[label] for row in records(table) for label in labels} == {"99"}
    assert "collections" not in [column.name for column in table.columns], "they have a table"
    assert len(table.rows) == 2 * 2 * 3


def test_counts_that_differ_between_rounds_show_the_least_and_the_most() -> None:
    row = type("Row", (), {"value": 9.0, "low": 8.0, "high": 12.5})
    assert tables._tally(row) == "9 [8, 12.5]"


def test_a_probe_that_is_new_needs_no_edit(tmp_path: Path) -> None:
    folder = campaigns.write(tmp_path / "new", cases=(Case("stall", "noop", 100),))

    def rename(plan: dict[str, Any]) -> None:
        [probe] = plan["definitions"]["probes"]
        probe.update(name="patience", label="patience", section="How long others wait")
        for case in plan["cases"]:
            case["probe"] = "patience"

    campaigns.change_plan(folder, rename)
    every = tables.every(find(read_campaign(folder)))
    means, table = (table for table in every if table.rows)
    assert means.title == "Patience"
    assert table.title == "Patience: single cases"
    assert {row["strategy"] for row in records(table)} == {"gather(*tasks)", "TaskGroup"}


def test_the_cost_model_says_how_far_it_holds(findings: Findings) -> None:
    table = tables.costs(findings)
    assert len(table.rows) == 2 * 2 * 2 * 3
    row = only(
        table, workload="noop", Python="3.14.0", loop="asyncio", strategy="gather(*coroutines)"
    )
    assert row["holds up to"] == "n = 1,000"
    number, unit, *_ = row["per task [95 %]"].split()
    assert unit == "us"
    assert float(number) == pytest.approx(campaigns.SECONDS_PER_TASK * 1e6, rel=0.02)


def test_two_campaigns_say_that_drift_is_in_it(tmp_path: Path) -> None:
    base, head = (
        read_campaign(campaigns.write(tmp_path / name, effect=lambda *_, by=by: by, seed=seed))
        for name, by, seed in (("base", 0.0, 1), ("head", 0.3, 2))
    )
    table = tables.between(between(base, head), base, head)
    assert table.title == "head compared with base"
    assert "drift" in table.note
    assert {row["verdict"] for row in records(table)} == {"slower"}


def test_claims_lead_to_their_sources(findings: Findings) -> None:
    checks = ledger([findings])
    met, lacking = tables.claims(checks)
    assert len(met.rows) + len(lacking.rows) == len(checks)
    assert met.rows
    assert lacking.rows
    for row in (*met.rows, *lacking.rows):
        [(text, target)] = row[0].links
        assert text == "source"
        assert target.startswith("https://")
    [names, _] = tables.claims(checks, short=True)
    assert {row[0].text for row in names.rows} <= {one.claim.name for one in checks}


def run(strategy: str, factory: str, held: bool | None, **fields: str) -> schema.ProgramRun:
    return schema.ProgramRun(
        interpreter="cpython-3.14.0", loop="asyncio", task_factory=factory, program="starts",
        strategy=strategy, holds=held, **fields,
    )  # fmt: skip


def test_programs_that_did_the_same_share_a_row(findings: Findings) -> None:
    witness = schema.Witness(
        programs=(schema.Program(name="starts", summary="", claim="Tasks start."),),
        runs=(
            *(
                run(strategy, factory, held=True, observed=observed, expected=observed)
                for strategy in ("gather_tasks", "task_group")
                for factory, observed in (("lazy", "0 of 5"), ("eager", "5 of 5"))
            ),
            run("wait", "lazy", held=False, observed="1 of 5", expected="0 of 5"),
            run("sequential", "eager", held=None, reason="too old"),
            msgspec.structs.replace(
                run("wait", "eager", held=True, observed="1"), program="of another suite"
            ),
        ),
    )
    table = tables.behaviours(replace(findings.campaign, witness=witness))
    assert [tuple(row.values()) for row in records(table)] == [
        ("Tasks start.", "gather(*tasks), TaskGroup", "lazy", "yes", "0 of 5"),
        ("Tasks start.", "gather(*tasks), TaskGroup", "eager", "yes", "5 of 5"),
        ("Tasks start.", "wait", "everywhere", "no", "1 of 5; expected was: 0 of 5"),
        ("of another suite", "wait", "everywhere", "yes", "1"),
        (tables.NOWHERE, "sequential", "3.14.0 asyncio eager", "not possible", "too old"),
    ]


TABLE = Table(
    title="t",
    note="a|note",
    columns=(Column("kind"), Column("n", numeric=True), Column("link")),
    rows=(
        (Cell("a<b>"), Cell("1"), Cell("", links=(("in the page", "#case-1"),))),
        (Cell("c"), Cell("2"), Cell("")),
    ),
)


def test_markdown_escapes_and_leaves_out_what_is_empty() -> None:
    assert tables.markdown(TABLE).splitlines() == [
        "| kind | n |", "| --- | ---: |", r"| a\<b\> | 1 |", "| c | 2 |", "", r"a\|note",
    ]  # fmt: skip


def test_a_cell_is_blank_only_where_all_before_it_are_as_above() -> None:
    columns = tuple(Column(name, leading=name != "n") for name in ("probe", "workload", "n"))
    rows = (("a", "noop", "1"), ("a", "noop", "2"), ("b", "noop", "2"), ("b", "echo", "2"))
    table = Table("t", "", columns, tuple(tuple(map(Cell, row)) for row in rows))
    shown = [[cell.text for cell in row] for row in tables.without_repeats(table)]
    assert shown == [["a", "noop", "1"], ["", "", "2"], ["b", "noop", "2"], ["", "echo", "2"]]
    assert "| b | noop | 2 |" in tables.markdown(table)


@pytest.mark.parametrize(
    ("heading", "titles"), [("kind", ["t · a<b>", "t · c"]), ("nothing", ["t"])]
)
def test_a_table_falls_into_parts(heading: str, titles: list[str]) -> None:
    parts = tables.split(TABLE, heading)
    assert [part.title for part in parts] == titles
    assert sum(len(part.rows) for part in parts) == len(TABLE.rows)
    assert all(len(row) == len(part.columns) for part in parts for row in part.rows)
