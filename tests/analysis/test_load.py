"""Reading campaign folders: the frame, and everything that can be wrong with the files."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyperf
import pytest

import analysis
from analysis.campaign import Campaign, CampaignError
from analysis.comparisons import compare
from analysis.frames import COLUMNS, JOURNAL_COLUMNS
from analysis.journal import MAX_LINE_BYTES
from analysis.load import newest_campaign, read_campaign
from analysis.validate import MAX_PROBLEMS_PER_FILE, Json, Problem, printable
from tests.synthetic import change_lines, change_plan, fail, write_campaign

Change = Callable[[Any], object]

BASELINE = "cpython-3.14.10/asyncio/lazy/gather_coroutines"
CONTENDER = "cpython-3.14.10/asyncio/lazy/gather_tasks"
CONTROL = BASELINE + "/control"
CASE = "throughput/noop/10"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small campaign: 7 contenders, 4 cases, 2 rounds, 3 sweeps."""
    return write_campaign(
        tmp_path / "campaign", rounds=2, sweeps=3, workloads=("noop",), tasks=(10, 100)
    )


def said(campaign: Campaign, severity: str, *words: str, line: int | None = None) -> list[Problem]:
    return [
        problem
        for problem in campaign.problems
        if problem.severity == severity
        and all(word in problem.message for word in words)
        and (line is None or problem.line == line)
    ]


# --- the frame -----------------------------------------------------------------------------------


def test_frame_has_a_row_per_value_and_says_what_each_is(folder: Path) -> None:
    frame = analysis.load(folder)
    assert tuple(frame.columns[: len(COLUMNS)]) == COLUMNS
    assert list(frame.columns[len(COLUMNS) :]) == ["condition_loop_class", "condition_collector"]
    assert len(frame) == 7 * (2 * 1 + 2 * 4) * 2 * 3
    line = json.loads((folder / "rounds.jsonl").read_text(encoding="utf-8").splitlines()[5])
    cell = line["cells"][CONTENDER]
    rows = frame[
        (frame["round"] == line["round"])
        & (frame["case"] == line["case"])
        & (frame["contender"] == CONTENDER)
        & (frame["metric"] == "total")
    ]
    assert list(rows["seconds"]) == cell["values"]["total"]
    assert list(rows["sweep"]) == [0, 1, 2]
    assert set(rows["loops"]) == {cell["loops"]}
    first = rows.iloc[0]
    identity = {
        "campaign": "campaign",
        "machine": "a1b2c3d4",
        "python": "3.14.10",
        "build": "optimised, pgo, lto",
        "loop": "asyncio",
        "task_factory": "lazy",
        "strategy": "gather_tasks",
        "role": "contender",
        "probe": "throughput",
        "workload": "noop",
        "tasks": 100,
        "condition_loop_class": "asyncio.Loop",
    }
    assert {name: first[name] for name in identity} == identity


def test_a_clean_folder_has_no_problems(folder: Path) -> None:
    assert read_campaign(folder).problems == ()


def test_journal_has_a_row_per_line(folder: Path) -> None:
    journal = read_campaign(folder).journal
    assert tuple(journal.columns) == JOURNAL_COLUMNS
    assert len(journal) == 4 * 2
    np.testing.assert_allclose(journal["timed_seconds"], 0.01 * 3 * 7)
    assert set(journal["cells"]) == {7}


def test_several_campaigns_become_one_frame(folder: Path, tmp_path: Path) -> None:
    other = write_campaign(
        tmp_path / "other",
        rounds=1,
        probes=("throughput",),
        workloads=("echo",),
        pythons=("3.10.19",),
    )
    change_plan(other, lambda plan: plan["contenders"][0]["conditions"].update(gil="on"))
    frame = analysis.load([folder, other])
    assert len(frame) == len(analysis.load(folder)) + len(analysis.load(other))
    assert set(frame["campaign"]) == {"campaign", "other"}
    assert set(frame["python"]) == {"3.14.10", "3.10.19"}
    assert set(frame.loc[frame["campaign"] == "campaign", "condition_gil"]) == {""}
    assert isinstance(frame["workload"].dtype, pd.CategoricalDtype)


def test_nothing_to_load_is_an_empty_frame() -> None:
    frame = analysis.load([])
    assert tuple(frame.columns) == COLUMNS
    assert frame.empty


def test_a_campaign_without_rounds_is_empty_and_sound(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "campaign", rounds=0, status="running")
    campaign = read_campaign(folder)
    assert campaign.problems == ()
    assert campaign.frame.empty
    assert tuple(campaign.frame.columns) == COLUMNS
    assert set(compare(campaign)["verdict"]) == {"missing"}


@pytest.mark.parametrize(
    ("builds", "labels"),
    [
        ([{}, {"free_threaded": True}], ["3.14.10", "3.14.10t"]),
        ([{}, {"debug": True}], ["3.14.10", "3.14.10d"]),
        ([{}, {"jit": True}], ["one", "two"]),
    ],
)
def test_builds_of_one_version_keep_apart(
    folder: Path, builds: list[dict[str, bool]], labels: list[str]
) -> None:
    def change(plan: dict[str, Any]) -> None:
        original = plan["interpreters"][0]
        plan["interpreters"] = [
            {**original, "name": name, "build": build}
            for name, build in zip(("one", "two"), builds, strict=True)
        ]
        plan["contenders"] = []

    change_plan(folder, change)
    assert [i.label for i in read_campaign(folder).interpreters] == labels


def test_newest_campaign_is_the_one_created_last(tmp_path: Path) -> None:
    assert newest_campaign(tmp_path) is None
    for name, created in (("b", "2026-01-01"), ("reference/a", "2026-03-01"), ("c", "2026-02-01")):
        changes = {"created": f"{created}T00:00:00+00:00"}
        write_campaign(tmp_path / name, rounds=1, tasks=(1,), changes=changes)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "campaign.json").write_text("{", encoding="utf-8")
    assert newest_campaign(tmp_path) == tmp_path / "reference" / "a"


@pytest.mark.parametrize("journal", [b"", b'{"schema": 1, "rou', None])
def test_a_campaign_without_a_whole_line_is_not_the_newest(
    tmp_path: Path, journal: bytes | None
) -> None:
    older = {"created": "2026-01-01T00:00:00+00:00"}
    write_campaign(tmp_path / "older", rounds=1, tasks=(1,), changes=older)
    path = write_campaign(tmp_path / "newer", rounds=0) / "rounds.jsonl"
    path.unlink() if journal is None else path.write_bytes(journal)
    assert newest_campaign(tmp_path) == tmp_path / "older"


# --- problems of the journal ---------------------------------------------------------------------


def test_a_cut_off_last_line_is_tolerated_and_said(folder: Path) -> None:
    path = folder / "rounds.jsonl"
    path.write_bytes(path.read_bytes()[:-200])
    campaign = read_campaign(folder)
    assert [p.severity for p in campaign.problems] == ["warning"]
    assert said(campaign, "warning", "cut off", line=8)
    assert len(campaign.journal) == 7


def test_a_cut_off_line_elsewhere_is_an_error(folder: Path) -> None:
    path = folder / "rounds.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2][:100] + b"\n"
    path.write_bytes(b"".join(lines))
    campaign = read_campaign(folder)
    assert said(campaign, "error", "not JSON", line=3)
    assert len(campaign.journal) == 7


def cell(line: Json, contender: str = CONTENDER) -> Json:
    return line["cells"][contender]


def values(line: Json, contender: str = CONTENDER) -> Json:
    return line["cells"][contender]["values"]["total"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda line: line.update(schema=2), ["schema is '2'"]),
        (lambda line: line.pop("schema"), ["schema is 'None'"]),
        (lambda line: line.update(round=-1), ["round is not a whole number"]),
        (lambda line: line.update(round=True), ["round is not a whole number"]),
        (lambda line: line.update(round=10**30), ["round is not a whole number"]),
        (lambda line: line.update(case="unheard/of"), ["'unheard/of' is not in the plan"]),
        (lambda line: line.update(case=["x"]), ["is not in the plan"]),
        (lambda line: line.update(cells=[]), ["cells or failures is not an object"]),
        (lambda line: line.pop("failures"), ["cells or failures is not an object"]),
        (lambda line: line.update(wall_seconds="long"), ["wall_seconds is not a number"]),
        (lambda line: line.update(steal_seconds=-1), ["steal_seconds is not a number"]),
        (lambda line: line["cells"].update(stranger=cell(line)), ["'stranger' not in the plan"]),
        (lambda line: line["failures"].update(stranger="?"), ["'stranger' not in the plan"]),
        (lambda line: line["cells"].update({CONTENDER: 3}), ["has no values"]),
        (lambda line: cell(line).update(values=[1.0]), ["has no values"]),
        (lambda line: cell(line).update(loops=0), ["loops is not a whole number"]),
        (lambda line: cell(line).update(loops=10**30), ["loops is not a whole number"]),
        (lambda line: cell(line).update(timed_seconds=None), ["timed_seconds is not a number"]),
        (lambda line: cell(line)["values"].update(p50=[1.0]), ["its metrics are", "the case has"]),
        (lambda line: cell(line)["values"].update(total=[]), ["total is not a list of 1 to"]),
        (lambda line: values(line).append(0.1), ["different numbers of values"]),
        (lambda line: values(line).__setitem__(1, "fast"), ["something that is not a number"]),
        (lambda line: values(line).__setitem__(1, True), ["something that is not a number"]),
        (
            lambda line: (values(line).append([]), line["cells"].update({CONTROL: 0})),
            ["something that is not a number"],
        ),
        (lambda line: values(line).__setitem__(1, [0.1]), ["something that is not a number"]),
        (lambda line: values(line).__setitem__(1, float("nan")), ["sweep 1", "NaN"]),
        (lambda line: values(line).__setitem__(1, float("inf")), ["sweep 1", "than an hour"]),
        (lambda line: values(line).__setitem__(1, 10**400), ["sweep 1", "than an hour"]),
        (lambda line: values(line).__setitem__(1, 3601), ["sweep 1", "than an hour"]),
        (lambda line: values(line).__setitem__(1, 0), ["sweep 1", "is zero"]),
        (lambda line: values(line).__setitem__(1, -0.001), ["sweep 1", "is negative"]),
        (lambda line: values(line).__setitem__(1, 1e-10), ["sweep 1", "shorter than any batch"]),
        (lambda line: line["cells"].pop(BASELINE), ["missing baseline", BASELINE]),
    ],
)
def test_what_is_wrong_with_a_line_is_an_error_with_its_number(
    folder: Path, change: Change, words: list[str]
) -> None:
    change_lines(folder, lambda lines: change(lines[1]))
    campaign = read_campaign(folder)
    assert said(campaign, "error", *words, line=2)
    assert {problem.line for problem in campaign.errors} == {2}
    assert {problem.file for problem in campaign.errors} == {"rounds.jsonl"}
    assert not campaign.frame["seconds"].isna().any()


def seen(line: Json, contender: str = CONTENDER) -> Json:
    return line["cells"][contender]["observed"]


@pytest.fixture
def modern(tmp_path: Path) -> Path:
    """A small campaign with what was observed, bytes and blocks; line 2 is of the probe memory."""
    return write_campaign(
        tmp_path / "modern", rounds=2, sweeps=3, probes=("throughput", "memory"),
        workloads=("noop",), tasks=(10,), asks=lambda contender, case: True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda line: cell(line).update(observed=[]), ["observed is not an object"]),
        (lambda line: cell(line).update(observed=None), ["observed is not an object"]),
        (
            lambda line: cell(line).update(observed={f"o{i}": [1, 1, 1] for i in range(101)}),
            ["observed is not an object of at most 100 lists"],
        ),
        (lambda line: seen(line).update({"": [1, 1, 1]}), ["observed", "is empty"]),
        (lambda line: seen(line).update({"a\n": [1, 1, 1]}), ["observed", "control characters"]),
        (lambda line: seen(line).update(collections=3), ["'collections' is not a list of 1 to"]),
        (lambda line: seen(line).update(collections=[]), ["'collections' is not a list of 1 to"]),
        (lambda line: seen(line).update(collections=[1, 2]), ["other numbers of sweeps"]),
        (lambda line: seen(line).update(collections=[1, "2", 3]), ["observes something that is"]),
        (lambda line: seen(line).update(collections=[1, True, 3]), ["observes something that is"]),
        (lambda line: seen(line).update(collections=[1, -1, 3]), ["'collections' is not between"]),
        (lambda line: seen(line).update(collections=[1, float("nan"), 3]), ["is not between 0"]),
        (lambda line: seen(line).update(collections=[1, float("inf"), 3]), ["is not between 0"]),
        (lambda line: seen(line).update(collections=[1, 10**400, 3]), ["is not between 0"]),
        (lambda line: steady(line).__setitem__(1, 0), ["sweep 1", "0 bytes is less than one"]),
        (lambda line: steady(line).__setitem__(1, -4096), ["sweep 1", "-4096 bytes is negative"]),
        (lambda line: steady(line).__setitem__(1, 1e18), ["sweep 1", "than any machine has"]),
        (lambda line: steady(line).__setitem__(1, float("nan")), ["sweep 1", "NaN"]),
    ],
)
def test_what_is_wrong_with_observed_numbers_and_bytes_is_an_error(
    modern: Path, change: Change, words: list[str]
) -> None:
    assert read_campaign(modern).problems == ()
    change_lines(modern, lambda lines: change(lines[1]))
    campaign = read_campaign(modern)
    assert said(campaign, "error", *words, line=2)
    assert len(campaign.errors) == 1
    assert not campaign.frame[["seconds", "bytes"]].isna().all(axis=1).any()
    assert campaign.observed["value"].between(0, 1e15).all()


def steady(line: Json, contender: str = CONTENDER) -> Json:
    return line["cells"][contender]["values"]["steady"]


def test_bytes_may_be_more_than_an_hour_has_seconds(modern: Path) -> None:
    change_lines(modern, lambda lines: steady(lines[1]).__setitem__(1, 5 * 10**9))
    campaign = read_campaign(modern)
    assert campaign.problems == ()
    assert campaign.frame["bytes"].max() == 5e9


def test_too_many_different_names_of_what_was_observed_are_refused(modern: Path) -> None:
    def change(lines: list[Any]) -> None:
        for number, line in enumerate(lines):
            for index, name in enumerate(line["cells"]):
                names = (f"o{number}-{index}-{i}" for i in range(20))
                seen(line, name).update({one: [1, 2, 3] for one in names})

    change_lines(modern, change)
    campaign = read_campaign(modern)
    assert said(campaign, "error", "observes more than 100 different things")
    assert campaign.observed["name"].nunique() <= 100


def test_what_was_observed_is_averaged_over_sweeps(modern: Path) -> None:
    change_lines(modern, lambda lines: seen(lines[1]).update(collections=[0, 1, 5]))
    observed = read_campaign(modern).observed
    assert list(observed.columns) == ["contender", "case", "round", "name", "value"]
    row = observed[(observed["contender"] == CONTENDER) & (observed["round"] == 0)]
    row = row[row["case"] == "memory/pending/10"]
    assert list(zip(row["name"], row["value"], strict=True)) == [("collections", 2.0)]


def test_a_cell_that_no_block_asks_is_an_error(modern: Path) -> None:
    change_plan(modern, lambda plan: plan["blocks"][0]["contenders"].remove(CONTENDER))
    campaign = read_campaign(modern)
    assert {problem.line for problem in campaign.errors} == {1, 2, 3, 4}
    assert said(campaign, "error", CONTENDER, "not asked this case by any block", line=1)


def test_a_cell_that_no_block_asks_is_not_missed(modern: Path) -> None:
    change_plan(modern, lambda plan: plan["blocks"][0]["contenders"].remove(CONTENDER))
    change_lines(modern, lambda lines: [line["cells"].pop(CONTENDER) for line in lines])
    campaign = read_campaign(modern)
    assert campaign.problems == ()
    assert not campaign.plan.asks(CONTENDER, "memory/pending/10")
    assert campaign.plan.asks(BASELINE, "memory/pending/10")


def test_all_problems_are_listed_at_once(folder: Path) -> None:
    def change(lines: list[Any]) -> None:
        values(lines[0])[0] = -1
        lines[2]["case"] = "unheard/of"
        values(lines[5])[2] = 0

    change_lines(folder, change)
    change_plan(folder, lambda plan: plan.update(precision="fine", seed=None))
    campaign = read_campaign(folder)
    assert [(p.file, p.line) for p in campaign.errors] == [
        ("campaign.json", None),
        ("campaign.json", None),
        ("rounds.jsonl", 1),
        ("rounds.jsonl", 3),
        ("rounds.jsonl", 6),
    ]
    with pytest.raises(CampaignError) as raised:
        analysis.load(folder)
    assert raised.value.problems == campaign.errors


def test_a_round_and_case_given_twice_is_an_error(folder: Path) -> None:
    change_lines(folder, lambda lines: lines.append(lines[0]))
    campaign = read_campaign(folder)
    assert said(campaign, "error", "duplicate cells", "stands in line 1", line=9)
    assert len(campaign.journal) == 8


def test_a_contender_given_twice_in_a_line_is_an_error(folder: Path) -> None:
    path = folder / "rounds.jsonl"
    first, *others = path.read_text(encoding="utf-8").splitlines(keepends=True)
    again = f'"cells": {{"{BASELINE}": {{"loops": 1, "timed_seconds": 1, "values": {{}}}}, '
    path.write_text(first.replace('"cells": {', again) + "".join(others), encoding="utf-8")
    assert said(read_campaign(folder), "error", "duplicate cells", line=1)


def test_a_failure_explains_what_is_missing(folder: Path) -> None:
    fail(folder, CONTENDER, CASE, round_index=0, cause="killed")
    campaign = read_campaign(folder)
    assert campaign.problems == ()
    assert [(f.contender, f.case, f.cause) for f in campaign.failed] == [
        (CONTENDER, CASE, "killed")
    ]


def test_a_failed_baseline_is_a_warning(folder: Path) -> None:
    fail(folder, BASELINE, CASE, round_index=1, cause="killed")
    campaign = read_campaign(folder)
    assert not campaign.errors
    assert said(campaign, "warning", "missing baseline", "which failed", line=5)


def test_a_failure_only_the_journal_knows_counts(folder: Path) -> None:
    fail(folder, CONTENDER, CASE, round_index=0, cause="killed")
    change_plan(folder, lambda plan: plan.update(failed=[]))
    assert [failure.cause for failure in read_campaign(folder).failed] == ["killed"]


def test_a_cell_missing_without_a_failure_is_a_warning(folder: Path) -> None:
    change_lines(folder, lambda lines: lines[3]["cells"].pop(CONTENDER))
    campaign = read_campaign(folder)
    assert not campaign.errors
    assert said(campaign, "warning", "no values and no failure", CONTENDER, line=4)


def test_other_numbers_of_sweeps_or_rounds_than_planned_are_warnings(folder: Path) -> None:
    def change(plan: Json) -> None:
        plan["rounds"] = 3
        plan["cases"][0]["sweeps"] = 4
        plan["cases"][1]["sweeps"] = 0  # not calibrated when it was written

    change_plan(folder, change)
    campaign = read_campaign(folder)
    assert not campaign.errors
    assert said(campaign, "warning", "says 3 rounds", "has 2")
    assert [p.line for p in said(campaign, "warning", "has 3 sweeps")] == [1, 5]


# --- problems of the plan ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda plan: plan.update(schema=2), ["schema", "'2'", "this reader knows 1"]),
        (lambda plan: plan.pop("name"), ["name", "is missing"]),
        (lambda plan: plan.update(status="done"), ["status", "'done' is not one of running"]),
        (lambda plan: plan.update(seed=1.5), ["seed", "not a whole number"]),
        (lambda plan: plan.update(rounds=-1), ["rounds", "outside 0"]),
        (lambda plan: plan.update(budget_seconds=float("nan")), ["budget_seconds", "finite"]),
        (lambda plan: plan.update(precision=-0.1), ["precision", "0 or more"]),
        (lambda plan: plan.update(machine=[]), ["machine", "not an object"]),
        (lambda plan: plan.update(cases={}), ["cases", "is not a list"]),
        (lambda plan: plan["cases"].append(7), ["cases[4]", "is not an object"]),
        (lambda plan: plan["cases"][0].update(tasks=0), ["cases[0].tasks", "outside 1"]),
        (lambda plan: plan["cases"][0].update(metrics=[]), ["cases[0].metrics"]),
        (lambda plan: plan["cases"][0].update(metrics=["total"] * 2), ["names one twice"]),
        (lambda plan: plan["cases"][0].update(headline_metric="p1"), ["'p1' is not among"]),
        (lambda plan: plan["cases"].append(plan["cases"][0]), ["cases[4].id", "given twice"]),
        (lambda plan: plan["contenders"][1].update(id=BASELINE), ["is given twice"]),
        (lambda plan: plan["contenders"][1].update(id="a\nb"), ["holds control characters"]),
        (lambda plan: plan["contenders"][1].update(role="x"), ["'x' is not one of baseline"]),
        (lambda plan: plan["contenders"][1].update(role="baseline"), ["already: baseline"]),
        (lambda plan: plan["contenders"][1].update(role="control"), ["already: control"]),
        (lambda plan: plan["contenders"][1].update(interpreter="?"), ["not among the interpre"]),
        (lambda plan: plan["contenders"].pop(0), ["no baseline for", "asyncio / lazy"]),
        (
            lambda plan: plan["interpreters"][0].update(name="../../evil"),
            ["'../../evil' cannot be part of a file name"],
        ),
        (
            lambda plan: plan["failed"].append(
                {"contender": "who", "case": CASE, "round": 0, "cause": ""}
            ),
            ["failed[0].contender", "'who' is not in the plan"],
        ),
        (
            lambda plan: plan["failed"].append(
                {"contender": BASELINE, "case": "what", "round": 0, "cause": ""}
            ),
            ["failed[0].case", "'what' is not in the plan"],
        ),
        (lambda plan: plan["skipped"].append({"contender": {}}), ["skipped[0].reason: is missing"]),
        (lambda plan: plan["contenders"][1].update(collector=""), ["collector", "is empty"]),
        (lambda plan: plan["contenders"][1].update(collector=1), ["collector: is not a text"]),
        (lambda plan: plan["contenders"][1].update(collector="off"), ["no baseline", "lazy / off"]),
        (lambda plan: plan["cases"][0].update(pause=5), ["pause: is not a text"]),
        (lambda plan: plan["cases"][0].update(pause_seconds=-1), ["pause_seconds", "0 or more"]),
        (lambda plan: plan["cases"][0].update(pause_suspends=1), ["neither true nor false"]),
        (lambda plan: plan["cases"][0].update(work_seconds="x"), ["work_seconds", "not a number"]),
        (lambda plan: plan["cases"][0].update(tasks_each=0), ["tasks_each: lies outside 1"]),
        (lambda plan: plan["cases"][0].update(units=[]), ["units", "not an object"]),
        (lambda plan: plan["cases"][0].update(units={"x": "byte"}), ["is not among metrics"]),
        (lambda plan: plan["cases"][0].update(units={"total": "hour"}), ["one of second, byte"]),
        (lambda plan: plan["cases"][0].update(units={"total": [1]}), ["one of second, byte"]),
        (lambda plan: plan.update(blocks={}), ["blocks: is not a list"]),
        (lambda plan: plan.update(blocks=[3]), ["blocks[0] is not an object"]),
        (lambda plan: plan.update(blocks=[{"cases": [CASE]}]), ["blocks[0].contenders", "missing"]),
        (
            lambda plan: plan.update(blocks=[{"contenders": [], "cases": [CASE]}]),
            ["blocks[0].contenders", "is not a list of 1 to"],
        ),
        (
            lambda plan: plan.update(blocks=[{"contenders": ["who"], "cases": [CASE]}]),
            ["blocks[0].contenders: 'who' is not in the plan"],
        ),
        (
            lambda plan: plan.update(blocks=[{"contenders": [BASELINE], "cases": ["what"]}]),
            ["blocks[0].cases: 'what' is not in the plan"],
        ),
    ],
)
def test_what_is_wrong_with_the_plan_is_an_error_with_its_field(
    folder: Path, change: Change, words: list[str]
) -> None:
    change_plan(folder, change)
    campaign = read_campaign(folder)
    assert said(campaign, "error", *words)


def test_a_folder_without_a_plan_says_so(tmp_path: Path) -> None:
    campaign = read_campaign(tmp_path)
    assert [(p.file, p.message) for p in campaign.errors] == [
        ("campaign.json", "is missing"),
        ("rounds.jsonl", "is missing"),
    ]


def test_no_folder_says_so(tmp_path: Path) -> None:
    assert said(read_campaign(tmp_path / "nowhere"), "error", "is not a folder")


def test_campaigns_of_different_code_do_not_mix(folder: Path, tmp_path: Path) -> None:
    other = write_campaign(tmp_path / "other", rounds=1, changes={"code_hash": "f" * 64})
    with pytest.raises(CampaignError, match="measured different code"):
        analysis.load([folder, other])


# --- pyperf suites -------------------------------------------------------------------------------


def write_suite(folder: Path) -> Path:
    """A suite of the journal as pyperf itself writes it."""
    lines = [
        json.loads(line)
        for line in (folder / "rounds.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    benchmarks: dict[str, list[pyperf.Run]] = {}
    for line in lines:
        for contender, of_contender in line["cells"].items():
            for metric, of_metric in of_contender["values"].items():
                name = f"{line['case']}/{contender}/{metric}"
                metadata = {
                    "name": name,
                    "contender": contender,
                    "case": line["case"],
                    "metric": metric,
                    "round": line["round"],
                }
                run = pyperf.Run(of_metric, metadata=metadata, collect_metadata=False)
                benchmarks.setdefault(name, []).append(run)
    suite = pyperf.BenchmarkSuite([pyperf.Benchmark(runs) for runs in benchmarks.values()])
    path = folder / "cpython-3.14.10.json"
    suite.dump(str(path))
    return path


def test_a_suite_that_agrees_is_no_problem(folder: Path) -> None:
    write_suite(folder)
    assert read_campaign(folder, suites=True).problems == ()


def test_a_suite_of_bytes_agrees_too(modern: Path) -> None:
    path = write_suite(modern)
    assert read_campaign(modern, suites=True).problems == ()
    suite = json.loads(path.read_text(encoding="utf-8"))
    of_bytes = [one for one in suite["benchmarks"] if one["metadata"]["metric"] == "steady"]
    of_bytes[0]["runs"][0]["values"][0] *= 1.01
    path.write_text(json.dumps(suite), encoding="utf-8")
    assert said(read_campaign(modern, suites=True), "error", "values that differ", "'steady'")


def test_a_missing_suite_is_a_warning_once_the_campaign_is_complete(folder: Path) -> None:
    campaign = read_campaign(folder, suites=True)
    assert [(p.severity, p.file) for p in campaign.problems] == [
        ("warning", "cpython-3.14.10.json")
    ]
    change_plan(folder, lambda plan: plan.update(status="interrupted"))
    assert read_campaign(folder, suites=True).problems == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda suite: suite["benchmarks"][0]["runs"][0]["values"].append(0.1), "4 values where"),
        (lambda suite: suite["benchmarks"][0]["runs"][0]["values"].reverse(), "values that differ"),
        (lambda suite: suite["benchmarks"].pop(), "lacks 2 runs"),
        (
            lambda suite: suite["benchmarks"].append(suite["benchmarks"][0]),
            "has a run twice",
        ),
        (
            lambda suite: suite["benchmarks"][0]["runs"][0]["metadata"].update(round=9),
            "has a run that the journal has not",
        ),
        (lambda suite: suite["benchmarks"][0]["metadata"].pop("contender"), "metadata lack"),
        (lambda suite: suite.update(benchmarks=3), "is not a pyperf suite"),
        (lambda suite: suite["benchmarks"][0].update(runs=[None]), "is not a pyperf suite"),
        (
            lambda suite: suite["benchmarks"][0]["runs"][0].update(values=["x"]),
            "values that are not numbers",
        ),
    ],
)
def test_a_suite_that_disagrees_is_an_error(folder: Path, change: Change, words: str) -> None:
    path = write_suite(folder)
    suite = json.loads(path.read_text(encoding="utf-8"))
    change(suite)
    path.write_text(json.dumps(suite), encoding="utf-8")
    campaign = read_campaign(folder, suites=True)
    assert any(words in p.message for p in campaign.errors)
    assert {p.file for p in campaign.errors} == {"cpython-3.14.10.json"}


# --- hostile folders -----------------------------------------------------------------------------


def test_a_line_of_100_mb_is_refused_in_little_memory(folder: Path) -> None:
    path = folder / "rounds.jsonl"
    before = path.read_bytes()
    with path.open("r+b") as file:
        file.truncate(100 * 2**20)  # a hole: takes no space
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + before.splitlines(keepends=True)[0])
    tracemalloc.start()
    campaign = read_campaign(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said(campaign, "error", "longer than 8 MiB", line=9)
    assert said(campaign, "error", "duplicate cells", line=10)
    assert peak < 4 * MAX_LINE_BYTES


@pytest.mark.parametrize("file", ["campaign.json", "rounds.jsonl"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[" * 200_000 + b"\n", "nested too deeply"),
        (b'{"a":' * 200_000 + b"\n", "nested too deeply"),
        (b"[" * 500 + b"]" * 500 + b"\n", "is not an object"),
        (b"\xff\xfe{}\n", "not UTF-8"),
        (b'"text"\n', "is not an object"),
        (b"9" * 10_000 + b"\n", ""),
        (b"\0\0\0\0\n", "not JSON"),
    ],
)
def test_odd_content_is_an_error(folder: Path, file: str, content: bytes, words: str) -> None:
    (folder / file).write_bytes(content)
    campaign = read_campaign(folder)
    assert any(words in p.message and p.file == file for p in campaign.errors)


@pytest.mark.parametrize("file", ["campaign.json", "rounds.jsonl", "cpython-3.14.10.json"])
def test_links_and_devices_are_not_followed(folder: Path, file: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    path = folder / file
    if path.exists():
        path.rename(elsewhere)
    else:
        elsewhere.write_text("{}", encoding="utf-8")
    path.symlink_to(elsewhere)
    assert said(read_campaign(folder, suites=True), "error", "is not a plain file")
    path.unlink()
    os.mkfifo(path)
    assert said(read_campaign(folder, suites=True), "error", "is not a plain file")


def test_a_million_planned_cells_are_refused(folder: Path) -> None:
    def change(plan: Json) -> None:
        case, contender = plan["cases"][0], plan["contenders"][1]
        plan["cases"] = [{**case, "id": f"case {i}"} for i in range(1000)]
        plan["contenders"] += [
            {**contender, "id": f"contender {i}", "strategy": f"s{i}"} for i in range(1000)
        ]

    change_plan(folder, change)
    assert said(read_campaign(folder), "error", "1007000 cells; at most 200000")


def test_a_line_of_many_unknown_cells_is_one_problem(folder: Path) -> None:
    change_lines(
        folder, lambda lines: lines[0]["cells"].update({f"stranger {i}": 0 for i in range(100_000)})
    )
    campaign = read_campaign(folder)
    assert [p.line for p in campaign.errors] == [1]
    assert len(campaign.errors[0].message) < 500


def test_problems_are_counted_past_the_limit(folder: Path) -> None:
    (folder / "rounds.jsonl").write_text("{}\n" * (MAX_PROBLEMS_PER_FILE + 5), encoding="utf-8")
    campaign = read_campaign(folder)
    errors = [p for p in campaign.errors if p.file == "rounds.jsonl"]
    assert len(errors) == MAX_PROBLEMS_PER_FILE + 1
    assert errors[-1].message == "and 5 more problems"


def test_too_many_rounds_for_the_arrays_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.journal.MAX_ROUND_CELLS", 100)
    campaign = read_campaign(folder)
    assert said(campaign, "error", "2 rounds of 70 cells; at most 100")
    assert campaign.frame.empty


def test_texts_are_made_printable(folder: Path) -> None:
    evil = "\x1b[31m<script>alert(1)</script>\ud800\u202e\n"

    def change(plan: Json) -> None:
        plan["name"] = evil
        plan["machine"]["cpu_model"] = evil
        plan["machine"]["deep"] = {"a": {"b": 1}}
        plan["contenders"][0]["conditions"][evil] = evil

    change_plan(folder, change)
    campaign = read_campaign(folder)
    shown = "\ufffd[31m<script>alert(1)</script>\ufffd\ufffd\ufffd"
    assert campaign.name == shown
    assert campaign.machine["cpu_model"] == shown
    assert campaign.machine["deep"] == "(not a single value)"
    assert campaign.contenders[0].conditions[shown] == shown
    assert set(campaign.frame["campaign"]) == {shown}


def test_printable_text_is_bounded() -> None:
    assert len(printable("x" * 10**6)) == 1000


def test_names_with_path_separators_are_only_names(folder: Path) -> None:
    def in_plan(plan: Json) -> None:
        plan["contenders"][1]["id"] = "../../../tmp/x"
        for case in plan["cases"]:
            case["id"] = case["id"].replace("noop/10", "/etc/passwd")

    def in_lines(lines: list[Any]) -> None:
        for line in lines:
            line["cells"]["../../../tmp/x"] = line["cells"].pop(CONTENDER)
            line["case"] = line["case"].replace("noop/10", "/etc/passwd")

    change_plan(folder, in_plan)
    change_lines(folder, in_lines)
    campaign = read_campaign(folder)
    assert campaign.problems == ()
    assert {"../../../tmp/x", "throughput//etc/passwd"} <= {
        *campaign.frame["contender"],
        *campaign.frame["case"],
    }
