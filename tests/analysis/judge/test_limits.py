"""What limits cost and save: shown by themselves, and nowhere else."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from analysis.judge import words
from analysis.judge.answer import answer
from analysis.judge.decisions import decisions
from analysis.judge.findings import Findings, answer_rows, bounds_rows, find, unlimited
from analysis.read.load import read_campaign
from analysis.show import tables
from analysis.show.charts.registry import draw_all
from analysis.show.page import files_of
from benchmarks.campaign import schema
from benchmarks.cases import Case
from tests import campaigns

PATTERNS = ("gather_coroutines", "gather_semaphore", "iterator_workers", "chunks")
TIMES = {"gather_semaphore": 1.5, "iterator_workers": 0.9, "chunks": 1.0}
"""What the patterns take, in that of all at once."""
CASES = (
    Case("throughput", "noop", 1000),
    Case("latency", "echo", 1000),
    Case("footprint", "yield_once", 1000),
)
BYTES = {"gather_semaphore": 1.2, "iterator_workers": 0.1, "chunks": 0.2}


def effect(who: schema.Contender, case: schema.Case, metric: str) -> float:
    if case.probe == "footprint":
        return math.log(BYTES.get(who.strategy, 1.0))
    if metric == "item_p50" and who.limit:
        return math.log(0.01 * who.limit / 10)
    more = 0.2 if who.limit == 10 and who.strategy == "gather_semaphore" else 0.0
    return math.log(TIMES.get(who.strategy, 1.0)) + more


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    folder = campaigns.write(
        tmp_path_factory.mktemp("limits") / "c",
        strategies=PATTERNS,
        limits=(10, 100),
        cases=CASES,
        noise=0.001,
        effect=effect,
    )
    return find(read_campaign(folder))


def test_a_strategy_with_another_limit_is_another_one(findings: Findings) -> None:
    words = findings.words
    names = {one.strategy for one in findings.campaign.contenders}
    assert names == {
        "gather_coroutines",
        *(f"{name} ({limit})" for name in PATTERNS[1:] for limit in (10, 100)),
    }
    assert words.label("strategy", "chunks (10)") == "chunks, 10 at a time"
    assert words.label("pattern", "chunks") == "chunks"
    bounds = {one.strategy: (one.pattern, one.limit) for one in findings.campaign.contenders}
    assert bounds["chunks (10)"] == ("chunks", 10)
    assert bounds["gather_coroutines"] == ("gather_coroutines", None)


def test_rows_with_a_limit_hold_together_and_are_no_answer(findings: Findings) -> None:
    assert answer_rows(findings).empty
    rows = bounds_rows(findings)
    assert set(rows["scope"]) == {"case"}
    assert set(rows["family"]) == {"bounds 3.14.0"}
    metrics = {(row.probe, row.metric) for row in rows.itertuples()}
    assert {("latency", "item_p50"), ("latency", "item_p99")} < metrics
    assert len(metrics) == len(CASES) + 2
    assert len(rows) == len(metrics) * 6
    free = unlimited(findings)
    for frame in (free.contrasts, free.absolutes, free.observations):
        assert set(frame["strategy"]) == {"gather_coroutines"}
    assert len(findings.contrasts) > len(free.contrasts)


def test_a_pattern_with_too_few_rounds_is_none_of_the_least(tmp_path: Path) -> None:
    failed = schema.Failure(
        contender="cpython-3.14.0/asyncio/lazy/gather_semaphore/limit 100",
        case="throughput/noop/1000", round=3, cause="killed",
    )  # fmt: skip
    folder = campaigns.write(
        tmp_path / "c", strategies=PATTERNS, limits=(100,), cases=CASES, noise=0.001,
        effect=effect, failed=(failed,), status="failed",
    )  # fmt: skip
    found = find(read_campaign(folder))
    assert answer(found)[0].startswith(
        "At most 100 at a time: workers + iterator takes least, 2.70 us per task; chunks takes "
    )
    [row] = [one for one in decisions([found]) if one.situation == "At most so many at a time"]
    assert row.use == "workers + iterator"


def test_without_limits_nothing_is_left_out(tmp_path: Path) -> None:
    findings = find(read_campaign(campaigns.write(tmp_path / "c")))
    assert len(unlimited(findings).contrasts) == len(findings.contrasts)
    assert bounds_rows(findings).empty
    assert tables.bounds(findings) == []


def test_the_answer_is_what_limits_cost_and_save(findings: Findings) -> None:
    costs, memory, item = answer(findings)
    assert costs == (
        "At most 100 at a time: workers + iterator takes least, 2.70 us per task; gather + "
        "Semaphore takes 4.50 us, all at once takes 3.00 us (n = 1,000, noop, Python 3.14.0, "
        "asyncio)."
    )
    assert memory == (
        "workers + iterator and chunks save memory: down to 150 B a task instead of 1.50 kB."
    )
    assert item.startswith("One call of echo by workers + iterator takes 300 us instead of 3.00 ms")


def test_all_kinds_of_work_stand_side_by_side(findings: Findings) -> None:
    table = tables.patterns(findings)
    assert table.title.startswith("At most 100 at a time, compared with all at once (Python 3.14")
    shown = [[column.name for column in table.columns]]
    shown += [[cell.text for cell in row] for row in table.rows]
    assert [line[:3] for line in shown] == [
        ["pattern", "noop", "one echo"],
        ["all at once", "3.00 us", "3.00 ms"],
        ["gather + Semaphore", "+50 %", "-90 %"],
        ["workers + iterator", "-10 %", "-90 %"],
        ["chunks", "0.0 % =", "-90 %"],
    ]
    assert shown[0][3:] == ["footprint", "latency"]
    assert [line[3] for line in shown[1:]] == ["1.50 kB", "+20 %", "-90 %", "-80 %"]


def test_the_table_has_a_row_for_each_pattern_and_a_column_for_each_limit(
    findings: Findings,
) -> None:
    time, *others = tables.bounds(findings)
    for table in (time, *others):
        assert [column.name for column in table.columns][-2:] == ["10 at a time", "100 at a time"]
        assert len(table.rows) == 3
    cells = {row[-4].text: row[-1].text.partition(" [")[0] for row in time.rows}
    assert set(cells) == {"gather + Semaphore", "workers + iterator", "chunks"}
    assert cells["gather + Semaphore"] == "+50.0 %"
    assert cells["workers + iterator"] == "-10.0 %"
    assert time.rows[-1][-1].text.endswith("] =")


def test_the_decision_is_the_pattern_that_takes_least(findings: Findings) -> None:
    found = {one.situation: one for one in decisions([findings])}
    limited = found["At most so many at a time"]
    assert limited.use == "workers + iterator"
    assert limited.gain.startswith("40 to 51 % less time (")
    assert limited.exceptions == ""
    memory = found["Many wait and memory is short"]
    assert memory.use == "workers + iterator"
    assert memory.gain == "90 % less memory (1.35 kB a task)"


@pytest.mark.parametrize(
    ("rounds", "says"),
    [
        (3, "At most 10 at a time: too few rounds to say which pattern takes least; all at once"),
        (12, "At most 10 at a time: no pattern takes significantly less than another: 2.99 us"),
    ],
)
def test_none_is_named_that_does_not_take_least(rounds: int, says: str, tmp_path: Path) -> None:
    folder = campaigns.write(
        tmp_path / "c", strategies=PATTERNS, limits=(10,), cases=CASES[:1], rounds=rounds
    )
    [said, *_] = answer(find(read_campaign(folder)))
    assert said.startswith(says)


def test_a_pattern_that_saves_memory_is_named_once(tmp_path: Path) -> None:
    cases = tuple(Case("footprint", name, 1000) for name in ("noop", "yield_once"))
    strategies = (PATTERNS[0], "task_group", "chunks")
    folder = campaigns.write(
        tmp_path / "c", strategies=strategies, limits=(10,), cases=cases, effect=effect
    )
    findings = find(read_campaign(folder))
    [memory] = [said for said in answer(findings) if "memory" in said]
    assert memory.startswith("chunks saves memory: down to ")
    held = next(one for one in decisions([findings]) if one.situation.startswith("Many wait"))
    assert (held.use, held.exceptions) == ("either, choose by meaning", "chunks: with a limit")
    assert held.holds_on.startswith("without a limit")


def test_what_is_not_decided_is_no_advice(tmp_path: Path) -> None:
    """Where intervals are wide, that they overlap does not say that all are the same."""
    folder = campaigns.write(
        tmp_path / "c",
        strategies=PATTERNS,
        limits=(10,),
        cases=CASES[:1],
        noise=0.2,
        effect=lambda *_: 0.0,
    )
    found = {one.situation: one for one in decisions([find(read_campaign(folder))])}
    assert found["At most so many at a time"].use == "not decided"


def test_only_what_is_usual_is_compared(tmp_path: Path) -> None:
    folder = campaigns.write(
        tmp_path / "c",
        strategies=PATTERNS,
        task_factories=("lazy", "eager"),
        limits=(10,),
        cases=CASES[:1],
        effect=effect,
    )
    assert set(bounds_rows(find(read_campaign(folder)))["task_factory"]) == {"lazy"}


def test_the_page_has_a_section_and_a_chart_of_limits(findings: Findings) -> None:
    files = files_of(findings)
    assert "charts/limits-light.svg" in files
    page = files["index.html"].decode()
    assert 'id="limit"' in page
    assert "At most so many at a time" in page
    assert "gather_semaphore (100)" in files["contrasts.csv"].decode()
    # Those of the ratios hold together; what is drawn are amounts.
    [limits] = [one for one in draw_all(findings) if one.name == "limits"]
    assert limits.caption.endswith(words.STANDS_ALONE)
    [health] = [one for one in draw_all(findings) if one.name == "campaign-health"]
    assert "median half-width" in health.title


# --- calls that raise -----------------------------------------------------------------------------

ERRORS = 10
"""The place of errors in a cell."""


@pytest.mark.parametrize(
    ("of_tasks", "of_group", "judged"), [(0, 0, True), (3, 3, True), (0, 3, False), (3, 4, False)]
)
def test_no_verdict_where_the_shares_of_calls_that_raise_differ(
    tmp_path: Path, of_tasks: int, of_group: int, judged: bool
) -> None:
    """So many of ten in each batch; the reference has as many as ``of_tasks``."""
    folder = campaigns.write(tmp_path / "c", cases=(Case("throughput", "noop", 10),))
    counted = {"name": "mine.f", "kind": "workload", "sha256": "0", "counts_errors": True}
    campaigns.change_plan(folder, lambda plan: plan.update(own=[counted]))

    def change(lines: list[Any]) -> None:
        for line in lines:
            for place, cell in line["cells"].items():
                is_group = place == "2"
                cell[ERRORS] = (of_group if is_group else of_tasks) * cell[2]

    campaigns.change_lines(folder, change)
    findings = find(read_campaign(folder))
    ends = sorted({of_tasks * 10, of_group * 10})
    raised = [line for line in tables.foot(findings) if line.startswith("Of the calls of noop, ")]
    assert raised == [
        f"Of the calls of noop, {' to '.join(f'{end:.1f} %' for end in ends)} have raised."
    ] * any(ends)
    frame = findings.contrasts
    rows = frame[frame["scope"].eq("case") & frame["default"] & ~frame["control"]]
    found = {row["compared"]: row for row in rows.to_dict("records")}
    assert found["gather_tasks"]["verdict"] != "missing"
    assert (found["task_group"]["verdict"] != "missing") == judged
    said = f"{10 * of_group} % of its calls have failed, {10 * of_tasks} % of its reference's"
    assert found["task_group"]["reason"] == ("" if judged else said)
