"""The tables of the question's own probes and axes, by what they say."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from analysis import tables, terminal
from analysis.findings import Findings, find
from analysis.layout import Table
from analysis.load import read_campaign
from analysis.question_tables import question_tables, wasted
from tests.synthetic import fail, write_campaign, write_question


@pytest.fixture(scope="module")
def found(question: Findings) -> dict[str, Table]:
    made = question_tables(question)
    assert len({table.title for table in made}) == len(made)
    return {table.title: table for table in made}


def shown(findings: Findings) -> str:
    console = Console(file=io.StringIO(), width=terminal.WIDTH, highlight=False)
    terminal.show(findings, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def only(found: dict[str, Table], *words: str) -> Table:
    """The one table with all of these in its title."""
    chosen = [table for title, table in found.items() if all(word in title for word in words)]
    assert len(chosen) == 1
    return chosen[0]


def test_head_start_says_makespan_ideals_saved_and_done(found: dict[str, Table]) -> None:
    table = only(found, "head start", "lazy", "asyncio", "sleep_20ms", "n = 10 ")
    assert [column.name for column in table.columns] == [
        "pause", "strategy", "makespan [95 %]", "max(d, w)", "d + w", "saved", "done",
    ]  # fmt: skip
    cells = {row[:2]: row[2:] for row in table.rows}
    assert len(cells) == 4 * 5
    made = cells["sleep_20ms", "gather_tasks"]
    assert re.fullmatch(r"20\.\d ms \[20\.\d, 20\.\d\]", made[0])
    assert made[1:] == ("20.0 ms", "40.0 ms", "20.0 ms", "100 %")
    bare = cells["sleep_20ms", "gather_coroutines"]
    assert re.fullmatch(r"40\.\d ms \[40\.\d, 40\.\d\]", bare[0])
    assert bare[-1] == "0 %"
    assert cells["compute_10ms", "gather_tasks"][-1] == "0 %"


@pytest.mark.parametrize(
    ("words", "amount"),
    [
        (("stall", "noop", "longest_wait"), r"\d+\.\d us \[\d+\.\d, \d+\.\d\]"),
        (("failure", "noop", "known"), r"\d+\.\d us \[\d+\.\d, \d+\.\d\]"),
        (("cancel", "pending", "clean"), r"\d+\.\d us \[\d+\.\d, \d+\.\d\]"),
        (("memory", "pending", "steady per task"), r"\d\.\d\d kB \[\d\.\d\d, \d\.\d\d\]"),
    ],
)
def test_a_probe_has_a_row_for_every_strategy_and_the_baseline(
    found: dict[str, Table], words: tuple[str, ...], amount: str
) -> None:
    table = only(found, *words)
    assert len(table.rows) == 2 * 2 * 5  # n, loops, strategies
    baseline, other = table.rows[:2]
    assert baseline[:3] == ("10", "asyncio", "gather_coroutines")
    assert baseline[4:] == ("", "baseline")
    assert other[2] == "gather_tasks"
    for row in table.rows:
        assert re.fullmatch(r"[\d.,]+ .?[sB] \[[\d., ]+\]", row[3])
    for row in (baseline, other):
        assert re.fullmatch(amount, row[3])
    for row in table.rows:
        if row[2] != "gather_coroutines":
            assert re.fullmatch(r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]", row[4])
    words_of_verdicts = {row[-1].split(",")[0] for row in table.rows}
    judged = {"more"} if "memory" in words else {"slower"}
    assert words_of_verdicts == {"baseline", *judged}


def test_a_probes_title_says_what_its_metric_is(found: dict[str, Table]) -> None:
    assert only(found, "stall", "noop").title == (
        "stall · noop · longest_wait (the longest that another ready callback waited)"
    )


def test_siblings_are_counted_and_what_they_wasted(found: dict[str, Table]) -> None:
    table = only(found, "failure · noop (siblings")
    assert [column.name for column in table.columns[3:]] == [
        "finished", "ran on", "cancelled", "never started", "wasted",
    ]  # fmt: skip
    cells = {row[:3]: row[3:] for row in table.rows}
    assert cells["1,000", "asyncio", "gather_tasks"] == ("0", "999", "0", "0", "100 %")
    assert cells["1,000", "uvloop", "task_group"] == ("0", "0", "999", "0", "0 %")
    left = only(found, "cancel · pending (children")
    assert {row[2:] for row in left.rows if row[0] == "10"} >= {("wait", "10"), ("task_group", "0")}


def test_wasted_is_a_share_of_the_siblings() -> None:
    counts = {"siblings_finished": 1.0, "siblings_ran_on": 3.0, "siblings_cancelled": 2.0}
    assert wasted({**counts, "siblings_never_started": 4.0}) == pytest.approx(0.3)
    assert np.isnan(wasted(counts))
    assert np.isnan(wasted({**dict.fromkeys(counts, 0.0), "siblings_never_started": 0.0}))


def test_a_task_factory_is_shown_against_the_first(found: dict[str, Table]) -> None:
    titles = [title for title in found if title.startswith("eager relative to lazy tasks")]
    title = "eager relative to lazy tasks · collector on · throughput · noop"
    assert title in titles
    assert not any("head_start" in title for title in titles)
    table = found[title]
    assert len(table.rows) == 2 * 2 * 6
    first = table.rows[0]
    assert first[:3] == ("10", "asyncio", "gather_coroutines")
    assert first[3].endswith(" ns")
    assert first[4].endswith(" ns")
    assert first[-2].startswith("0.60") or first[-2].startswith("0.59")
    assert first[-1] == "faster"


def test_collectors_are_shown_with_their_collections_and_flips(found: dict[str, Table]) -> None:
    table = only(found, "collector off relative to on", "lazy", "throughput · noop")
    cells = {row[:3]: row[3:] for row in table.rows}
    group, plain = cells["1,000", "asyncio", "task_group"], cells["1,000", "asyncio", "wait"]
    assert group[-2:] == ("0 / 1", "faster, ranking flips")
    assert plain[-2] == "0 / 1"
    assert "flips" not in plain[-1]
    frozen = only(found, "collector frozen relative to on", "lazy", "throughput · noop")
    assert not any("flips" in row[-1] for row in frozen.rows)
    flips = only(found, "rankings that flip", "lazy", "uvloop")
    assert [column.name for column in flips.columns] == [
        "strategy", "collector on [95 %]", "off [95 %]", "case",
    ]  # fmt: skip
    assert {row[0] for row in flips.rows} == {"task_group"}
    assert flips.rows[0][-1] == "throughput/noop/10"


def test_a_cell_that_failed_leaves_its_row_out_and_the_others_whole(tmp_path: Path) -> None:
    folder = write_question(tmp_path / "c", probes=("failure",), tasks=(10,), workloads=("noop",))
    baseline = "cpython-3.14.10/asyncio/lazy/gather_coroutines"
    fail(folder, baseline, "failure/noop/10", round_index=0, cause="killed")
    made = {table.title: table for table in question_tables(find(read_campaign(folder)))}
    rows = only(made, "failure", "known").rows
    assert len(rows) == 2 * 5 - 1
    on_asyncio = [row for row in rows if row[1] == "asyncio"]
    assert {row[-1] for row in on_asyncio} == {"missing: its baseline failed in round 0: killed"}


def test_older_campaigns_have_none_of_these(tmp_path: Path) -> None:
    found = find(read_campaign(write_campaign(tmp_path / "c", rounds=6, tasks=(10,))))
    assert question_tables(found) == []


# --- where they are shown ------------------------------------------------------------------------


def test_the_terminal_shows_all_of_them_within_100_columns(question: Findings) -> None:
    text = shown(question)
    lines = text.splitlines()
    in_tables = [line for line in lines if line.startswith("  ")]
    assert max(map(len, in_tables)) <= terminal.WIDTH
    for table in question_tables(question):
        assert table.title in lines
        start = lines.index(table.title)
        block = "\n".join(lines[start : start + 3 * len(table.rows)])
        for column in table.columns:
            assert column.name in lines[start + 1]
        for row in table.rows:
            # All but the last column, which is folded where it is long, and repeated ones.
            assert all(cell in block for cell in row[:-1])


def test_markdown_has_them(question: Findings) -> None:
    text = tables.markdown(question)
    for table in question_tables(question):
        assert f"## {tables.escaped(table.title)}\n\n{tables.markdown_table(table)}\n" in text


def test_sections_without_rows_are_left_out(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "c", rounds=6, probes=("latency",), tasks=(10, 100))
    findings = find(read_campaign(folder))
    assert findings.summary.empty
    text = shown(findings)
    assert "latency · noop" in text
    for absent in ("Time relative to", "Cost model", "Cost of each Python", "Nothing was measured"):
        assert absent not in text
    assert "Cost model" not in tables.markdown(findings)


def test_of_several_pythons_each_table_says_which(tmp_path: Path) -> None:
    folder = write_question(
        tmp_path / "c", probes=("throughput", "failure"), workloads=("noop",), tasks=(10,),
        pythons=("3.14.10", "3.13.1"), collectors=("on",), rounds=6,
    )  # fmt: skip
    findings = find(read_campaign(folder))
    titles = [table.title for table in question_tables(findings)]
    assert [title for title in titles if "known" in title] == [
        f"{python} · failure · noop · known (from launch until the caller has the exception)"
        for python in ("3.14.10", "3.13.1")
    ]
    assert "eager relative to lazy tasks · 3.13.1 · throughput · noop" in titles
