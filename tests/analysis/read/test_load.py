"""Reading campaign folders: their values, and everything that can be wrong with the files."""

from __future__ import annotations

import copy
import json
import os
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.judge.findings import find
from analysis.read import rules
from analysis.read.campaign import (
    VALUE_COLUMNS,
    Campaign,
    CampaignError,
    newest_of,
    python_order,
)
from analysis.read.files import MAX_PROBLEMS_PER_FILE, Problem, Problems, printable
from analysis.read.load import MAX_LINE_BYTES, load, newest_campaign, read_campaign
from benchmarks.campaign import schema
from benchmarks.cases import Case
from tests import campaigns
from tests.campaigns import change_lines, change_plan, only
from tests.repository import REFERENCES

Json = Any
Change = Callable[[Json], object]

BASELINE = "cpython-3.14.0/asyncio/lazy/gather_coroutines"
CONTENDER = "cpython-3.14.0/asyncio/lazy/gather_tasks"
CASES = (Case("throughput", "noop", 10), Case("memory", "pending", 10))
CASE, IN_BYTES = (case.id for case in CASES)
EVIL = "\x1b[31m<script>\u202e\u2066\x85\n"
SHOWN = "\ufffd[31m<script>\ufffd\ufffd\ufffd\ufffd"
unclean = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four contenders in two cases, which take turns; two rounds of three slices. The collector
    takes a quarter of what the code of gather(*tasks) takes.
    """
    return campaigns.write(
        tmp_path_factory.mktemp("results") / "c",
        cases=CASES,
        rounds=2,
        collector=lambda contender, case: 0.25 * (contender.id == CONTENDER),
    )


@pytest.fixture(scope="module")
def old_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in schema 1: three sweeps a round."""
    return campaigns.write(tmp_path_factory.mktemp("old") / "c", cases=CASES, rounds=2, old=True)


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "c")


@pytest.fixture
def old_folder(old_template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(old_template, tmp_path / "old")


PLACE = "1"
"""Of the contender in the plan."""
QUANTILES, MEANS, BATCHES, TIMED_US, COLLECTIONS = range(5)
CYCLES, CPU_SHARES, SWITCHES, SET_ASIDE, OBSERVED = range(5, 10)


def cell(line: Json) -> Json:
    return line["cells"][PLACE]


def field(place: int, value: object) -> Change:
    return lambda line: cell(line).__setitem__(place, value)


def put(value: object, metric: int = 0) -> Change:
    """In place of the quantile that is read; microseconds or bytes."""
    read = {CASE: 0.05, IN_BYTES: 0.5}
    return lambda line: cell(line)[QUANTILES][metric].__setitem__(
        schema.QUANTILES.index(read[line["case"]]), value
    )


def old_cell(line: Json) -> Json:
    return line["cells"][CONTENDER]


def series(line: Json, metric: str = "total") -> Json:
    return old_cell(line)["values"][metric]


def put_old(value: object, metric: str = "total") -> Change:
    return lambda line: series(line, metric).__setitem__(1, value)


def put_all(value: float, metric: str = "total") -> Change:
    return lambda line: old_cell(line)["values"].update({metric: [value] * 3})


def observe(**observed: object) -> Change:
    return lambda line: old_cell(line)["observed"].update(observed)


def problem(campaign: Campaign) -> str:
    """The only one."""
    [found] = campaign.problems
    return str(found)


def test_a_frame_has_a_row_per_cell_and_says_what_each_is(folder: Path) -> None:
    campaign, frame = read_campaign(folder), load(folder)
    assert (campaign.problems, campaign.rounds, campaign.status) == ((), 2, "complete")
    assert not campaign.is_old
    assert campaign.lines["case"].tolist() == [CASE, IN_BYTES] * 2
    np.testing.assert_allclose(campaign.lines["timed_seconds"], 0.01 * 3 * 4)
    conditions = [f"condition_{name}" for name in campaigns.CONDITIONS]
    assert list(frame.columns) == [*VALUE_COLUMNS, *conditions]
    assert len(frame) == 4 * (1 + 2) * 2
    [row] = only(frame, round=1, case=CASE, contender=CONTENDER).to_dict("records")
    names = ["campaign", "machine", "python", "loop", "task_factory", "collector", "strategy"]
    assert [
        row[name] for name in (*names, "role", "metric", "tasks", "pause", "condition_gil")
    ] == [
        *("c", "0123456789ab", "3.14.0", "asyncio", "lazy", "on", "gather_tasks"),
        *("contender", "total", 10, "none", "True"),
    ]
    assert row["batches"] == 1 * 10 * 3
    in_bytes = frame["probe"] == "memory"
    assert (frame["bytes"].notna() == in_bytes).all()
    assert (frame["seconds"].isna() == in_bytes).all()


def test_a_value_is_the_quantile_of_the_code_and_the_share_of_the_collector(folder: Path) -> None:
    journal = (folder / "rounds.jsonl").read_bytes().splitlines()
    line, in_bytes = map(json.loads, journal[:2])
    frame = only(load(folder), round=0)
    code = cell(line)[QUANTILES][0][0] / 1e6  # the least of them: the case computes
    [row] = only(frame, case=CASE, contender=CONTENDER).to_dict("records")
    assert row["seconds"] == pytest.approx(1.25 * code)
    assert row["collector_seconds"] == pytest.approx(0.25 * code)
    assert set(only(frame, case=CASE, contender=BASELINE)["collector_seconds"]) == {0.0}
    # The collector's share is in what is not split, which is about a moment: the median is read.
    rows = only(frame, case=IN_BYTES, contender=CONTENDER)
    assert rows["bytes"].tolist() == [of[3] for of in cell(in_bytes)[QUANTILES]]
    assert rows["collector_seconds"].isna().all()


@pytest.mark.parametrize(
    ("collections", "share"),
    [
        ([[15, 6000.0]], 0.0),  # a cycle takes longer than the slices do
        ([[16, 6000.0]], 0.25),
        ([[10, 2000.0], [6, 4000.0], [0, 0.0]], 0.25),
        ([], 0.0),
        ([[16, 30_000.0]], 0.0),
    ],
)
def test_a_collector_counts_where_it_is_called_often_enough(
    folder: Path, collections: Json, share: float
) -> None:
    change_lines(folder, lambda lines: field(COLLECTIONS, collections)(lines[0]))
    [row] = only(load(folder), round=0, case=CASE, contender=CONTENDER).to_dict("records")
    code = row["seconds"] - row["collector_seconds"]
    assert row["collector_seconds"] / code == pytest.approx(share)


def test_slices_that_were_taken_again_are_counted(folder: Path) -> None:
    def change(lines: Json) -> None:
        field(SET_ASIDE, [0, 2])(lines[2])
        field(SWITCHES, [1, 0, 5])(lines[2])

    change_lines(folder, change)
    campaign = read_campaign(folder)
    assert campaign.problems == ()


def test_what_was_observed_has_its_probes_names_and_collections_are_counted(tmp_path: Path) -> None:
    folder = campaigns.write(
        tmp_path / "c", rounds=1,
        cases=(Case("failure", "sleep", 10),),
        observe=lambda contender, case, name: len(name) * (contender.id == CONTENDER),
        collector=lambda contender, case: 0.1 * (contender.id == CONTENDER),
    )  # fmt: skip
    campaign = read_campaign(folder)
    names = [one.name for one in campaign.words.probe("failure").observed]
    assert names[-3:] == ["collections", "cpu_share", "errors"]
    seen = only(campaign.observed, contender=CONTENDER)
    assert dict(zip(seen["name"], seen["value"], strict=True)) == {
        **{name: len(name) for name in names[:-3]}, "collections": (30 + 3) / 30,
    }  # fmt: skip
    assert set(only(campaign.observed, contender=BASELINE)["value"]) == {0.0}


def test_rounds_are_those_with_every_case_that_is_measured(folder: Path) -> None:
    change_plan(folder, lambda plan: plan["cases"].append({**plan["cases"][0], "id": "left/out"}))
    assert read_campaign(folder).rounds == 2
    change_lines(folder, lambda lines: lines.pop())
    campaign = read_campaign(folder)
    assert problem(campaign) == "campaign.json: warning: says 2 rounds; the journal has 1"
    assert campaign.rounds == 1


# --- schema 1 -------------------------------------------------------------------------------------


def test_an_old_campaign_has_the_median_of_its_sweeps_in_a_row(old_folder: Path) -> None:
    campaign, frame = read_campaign(old_folder), load(old_folder)
    assert (campaign.problems, campaign.rounds, campaign.is_old) == ((), 2, True)
    np.testing.assert_allclose(campaign.lines["timed_seconds"], 0.01 * 3 * 4)
    assert len(frame) == 4 * (1 + 2) * 2
    assert tuple(campaign.values.columns) == VALUE_COLUMNS
    line = json.loads((old_folder / "rounds.jsonl").read_text(encoding="utf-8").splitlines()[2])
    [row] = only(frame, round=1, case=CASE, contender=CONTENDER).to_dict("records")
    assert row["seconds"] == sorted(series(line))[1]
    assert row["batches"] == 1 * 3
    assert frame["collector_seconds"].isna().all()


def test_one_disturbed_sweep_of_an_old_campaign_changes_little(old_folder: Path) -> None:
    before = only(load(old_folder), round=1, case=CASE, contender=CONTENDER)["seconds"]
    change_lines(old_folder, lambda lines: put_old(100.0)(lines[2]))
    after = only(load(old_folder), round=1, case=CASE, contender=CONTENDER)["seconds"]
    np.testing.assert_allclose(after, before, rtol=0.1)


def test_what_was_measured_comes_to_the_same_in_both_schemas(
    folder: Path, old_folder: Path
) -> None:
    frames = [read_campaign(path).values for path in (folder, old_folder)]
    for name in ("seconds", "bytes"):
        values = frames[0][name] - frames[0]["collector_seconds"].fillna(0.0)
        np.testing.assert_allclose(values, frames[1][name])


def test_rounds_of_an_old_campaign_are_those_with_values(old_folder: Path) -> None:
    """Cases that were precise left it."""
    change_lines(old_folder, lambda lines: lines.pop())
    campaign = read_campaign(old_folder)
    assert (campaign.problems, campaign.rounds) == ((), 2)


def test_what_was_observed_the_old_way_is_averaged_over_sweeps(old_folder: Path) -> None:
    change_lines(old_folder, lambda lines: observe(b=[0, 1, 5])(lines[0]))
    change_lines(old_folder, lambda lines: observe(a=[7, 7, 7], b=[3, 3, 3])(lines[2]))
    assert read_campaign(old_folder).observed.to_numpy().tolist() == [
        [CONTENDER, CASE, *row] for row in ((0, "b", 2.0), (1, "a", 7.0), (1, "b", 3.0))
    ]


def test_lines_of_the_other_schema_are_errors(folder: Path, old_folder: Path) -> None:
    journals = [path / "rounds.jsonl" for path in (folder, old_folder)]
    for path, text in zip(
        journals, [path.read_bytes() for path in reversed(journals)], strict=True
    ):
        path.write_bytes(text)
    for path, other in ((folder, 1), (old_folder, 2)):
        errors = read_campaign(path).errors
        assert [error.line for error in errors] == [1, 2, 3, 4]
        assert {error.message for error in errors} == {f"schema: Invalid enum value {other}"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda line: line.update(schema=2), "schema: Invalid enum value 2"),
        (lambda line: line["cells"].update(who=old_cell(line)), "'who': not asked this case"),
        (lambda line: line["failures"].update(who="?"), "'who': not asked this case by the plan"),
        (lambda line: line["cells"].pop(BASELINE), f"missing baseline '{BASELINE}'"),
        (lambda line: old_cell(line).update(loops=0), "cells[...].loops: Expected `int` >= 1"),
        (lambda line: old_cell(line).update(values={}), "its metrics are ; the case has 'total'"),
        (lambda line: old_cell(line)["values"].update(p=[1] * 3), "its metrics are 'total', 'p'; "),
        (lambda line: old_cell(line)["values"].update(total=[]), "cells[...].values[...]: Expect"),
        (lambda line: series(line).append(0.1), "different numbers of values"),
        *((put_old(odd), "values[...][1]: Expected `float`") for odd in ("fast", True, [1], None)),
        (put_old(float("nan")), "is not JSON"),
        (put_old(10**400), "values[...][1]: Number out of range"),
        *(
            (put_all(odd), f"cells.'{CONTENDER}': total: {odd:g} is no plausible number of seconds")
            for odd in (3601, 0, -0.001, 1e-10)
        ),
        *((observe(a=odd), "observed[...]") for odd in ([], ["x"] * 3, 3)),
        (observe(a=[1, 2]), "different numbers of values"),
        *((observe(a=[1, odd, 2]), "observed.'a': is not from 0") for odd in (-4, 1e16)),
    ],
)
def test_what_is_wrong_with_an_old_line_is_one_error_with_its_place(
    old_folder: Path, change: Change, words: str
) -> None:
    check_error(old_folder, change, words)


def test_another_number_of_sweeps_than_planned_is_a_warning(old_folder: Path) -> None:
    change_plan(old_folder, lambda plan: plan["cases"][0].update(sweeps=0))  # not calibrated yet
    change_plan(old_folder, lambda plan: plan["cases"][1].update(sweeps=4))
    assert list(map(str, read_campaign(old_folder).problems)) == [
        f"rounds.jsonl:{line}: warning: has 3 sweeps; the plan says 4" for line in (2, 4)
    ]


def test_all_problems_of_an_old_campaign_are_listed_at_once(old_folder: Path) -> None:
    def change(lines: Json) -> None:
        for line, odd in zip(lines, (0, 5e9, 3601, -4096), strict=True):
            put_all(odd, "total" if "total" in old_cell(line)["values"] else "peak")(line)

    change_lines(old_folder, change)
    errors = read_campaign(old_folder).errors
    assert [error.line for error in errors] == [1, 3, 4]  # 5 GB are plausible
    place = f"cells.'{CONTENDER}': peak: -4096 is no plausible number of bytes"
    assert errors[2].message.startswith(place)


def test_lines_and_cells_of_an_old_campaign_given_twice_are_errors(old_folder: Path) -> None:
    path = old_folder / "rounds.jsonl"
    first, *others = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(first + "".join(others) + first, encoding="utf-8")
    where = f"round 0 of '{CASE}' is in line 1 already"
    assert problem(read_campaign(old_folder)) == f"rounds.jsonl:5: error: duplicate cells: {where}"
    again = f'"cells":{{"{BASELINE}":{{"loops":1,"timed_seconds":1,"values":{{"total":[1,1,1]}}}},'
    path.write_text(first.replace('"cells":{', again) + "".join(others), encoding="utf-8")
    assert problem(read_campaign(old_folder)).startswith("rounds.jsonl:1: error: duplicate cells")


# --- everything -----------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda path: path.name)
def test_a_reference_campaign_is_read_without_a_problem(reference: Path) -> None:
    campaign = read_campaign(reference)
    assert campaign.problems == ()
    assert campaign.rounds == campaign.plan.rounds


def test_several_campaigns_of_the_same_code_become_one_frame(folder: Path, tmp_path: Path) -> None:
    other = campaigns.write(tmp_path / "other", pythons=("3.10.19",), rounds=1)
    change_plan(other, lambda plan: plan["contenders"][0]["conditions"].update(proved="yes"))
    frame = load([folder, str(other)])
    assert len(frame) == len(load(folder)) + len(load(other))
    assert set(only(frame, campaign="c")["condition_proved"]) == {""}
    assert set(only(frame, campaign="other")["python"]) == {"3.10.19"}
    assert isinstance(frame["workload"].dtype, pd.CategoricalDtype)
    assert tuple(load([]).columns) == VALUE_COLUMNS
    change_plan(other, lambda plan: plan.update(code_hash="f" * 64))
    with pytest.raises(CampaignError, match="measured different code"):
        load([folder, other])


@pytest.mark.parametrize(
    ("build", "same", "suffix", "family"),
    [
        ({"free_threaded": True}, False, "t", "debian, free-threaded, PGO, LTO, GCC 14.2.0"),
        ({"debug": True}, False, "d", "debian, debug, PGO, LTO, GCC 14.2.0"),
        ({"jit": "on"}, False, "", "debian, JIT on, PGO, LTO, GCC 14.2.0"),
        ({"jit": "off"}, True, "", "debian, PGO, LTO, GCC 14.2.0"),
        ({"date": "today"}, True, "", "debian, PGO, LTO, GCC 14.2.0"),
        ({"builder": None}, False, "", "builder not stated, PGO, LTO, GCC 14.2.0"),
        ({"compiler": None}, False, "", "debian, PGO, LTO, compiler not stated"),
        ({"pgo": None, "lto": False}, False, "", "debian, PGO not stated, no LTO, GCC 14.2.0"),
    ],
)
def test_builds_of_one_version_keep_apart(
    tmp_path: Path, build: schema.Facts, same: bool, suffix: str, family: str
) -> None:
    pythons = ("3.14.0+a", "3.14.0+b")
    folder = campaigns.write(tmp_path / "c", pythons=pythons, builds={pythons[1]: build}, rounds=1)
    campaign = read_campaign(folder)
    one, other = campaign.interpreters
    names = ("3.14.0", f"3.14.0{suffix}") if suffix else (one.name, other.name)
    assert (one.label, other.label) == names
    assert set(campaign.values["python"]) == {one.label, other.label}
    assert (one.family == other.family, other.family.label) == (same, family)


def test_versions_sort_as_versions() -> None:
    labels = [
        *("3.9.18", "3.10.2", "3.10.12", "3.13.1", "3.13.1t", "cpython-3.14.0+debian"),
        *("cpython-3.14.0+source", "3.15.0a1", "3.15.0a10", "3.15.0b2", "3.15.0c1", "3.15.0"),
        *("pypy 3.10.1", "pypy 3.11.1", "nightly"),
    ]
    assert sorted([*labels[7:], *labels[:7]], key=python_order) == labels


def test_an_older_campaign_is_read_and_has_readable_words(old_folder: Path) -> None:
    """From before there were definitions, blocks, pauses, collectors and observations."""

    def as_before(plan: Json) -> None:
        later = ["pause", "pause_seconds", "pause_suspends", "work_seconds", "tasks_each"]
        later += ["blocks", "quantile", "splits", "answers", "left_out"]
        names = ("definitions", "blocks", "skipped", "failed", "turn_limit_seconds", "allocation")
        for name in names:
            plan.pop(name)
        for one in (*plan["cases"], *plan["contenders"]):
            for name in (*later, "collector", "conditions"):
                one.pop(name, None)

    before = find(read_campaign(old_folder)).contrasts
    change_plan(old_folder, as_before)
    change_lines(old_folder, lambda lines: [line.pop("failures") for line in lines])
    campaign = read_campaign(old_folder)
    assert campaign.problems == ()
    assert set(campaign.values["collector"]) | set(campaign.values["pause"]) == {"on", "none"}
    words = campaign.words
    assert words.label("strategy", "gather_tasks") == "gather tasks"
    assert words.label("strategy", "x" * 50) == "x" * 39 + "…"
    assert (words.meaning("strategy", "gather_tasks"), words.waits("noop")) == ("", None)
    assert words.is_concurrent("gather_tasks")
    assert words.observed("throughput", "x_y") == schema.Word(name="x_y", label="x y")
    assert [metric.name for metric in words.probe("memory").metrics] == ["steady", "peak"]
    assert words.metric("memory", "peak").per_task
    found = find(campaign)
    assert found.observations.empty
    cases = found.contrasts[found.contrasts["scope"] == "case"]
    np.testing.assert_allclose(cases["ratio"], before.loc[before["scope"] == "case", "ratio"])


@pytest.mark.parametrize("status", ["running", "interrupted", "failed"])
def test_an_unfinished_campaign_reads_as_far_as_it_got(folder: Path, status: str) -> None:
    change_plan(folder, lambda plan: plan.update(status=status, rounds=9))
    path = folder / "rounds.jsonl"
    path.write_bytes(path.read_bytes()[:-200])
    campaign = read_campaign(folder)
    assert problem(campaign).startswith("rounds.jsonl:4: warning: the last line is cut off")
    assert (len(campaign.lines), campaign.status) == (3, status)
    assert set(only(find(campaign).contrasts, case=IN_BYTES)["rounds"]) == {1}


@pytest.mark.parametrize("part", ["rounds", "contenders", "cases"])
def test_a_campaign_without_anything_is_sound_and_empty(tmp_path: Path, part: str) -> None:
    folder = campaigns.write(tmp_path / "c", rounds=0, status="running")
    change_plan(folder, lambda plan: plan.update({part: 0 if part == "rounds" else []}))
    campaign = read_campaign(folder)
    assert campaign.problems == ()
    assert tuple(campaign.values.columns) == VALUE_COLUMNS
    found = find(campaign)
    assert set(found.contrasts["verdict"]) == ({"missing"} if part == "rounds" else set())
    assert found.absolutes.empty
    assert found.observations.empty
    assert not found.control.proven


def test_newest_campaign_is_the_one_created_last_that_holds_a_round(tmp_path: Path) -> None:
    assert newest_campaign(tmp_path) is None
    for name, created in (("b", "2026-01-01"), ("reference/a", "2026-03-01"), ("c", "2026-02-01")):
        campaigns.write(tmp_path / name, rounds=1, created=created)
    for name, journal in (("empty", b""), ("cut", b'{"schema": 2, "rou'), ("none", None)):
        path = campaigns.write(tmp_path / name, created="2026-09-01", rounds=0) / "rounds.jsonl"
        path.unlink() if journal is None else path.write_bytes(journal)
    (tmp_path / "none" / "campaign.json").write_text("{", encoding="utf-8")
    assert newest_campaign(str(tmp_path)) == tmp_path / "reference" / "a"


def test_a_failure_explains_what_is_missing(tmp_path: Path) -> None:
    failure = schema.Failure(contender=CONTENDER, case=CASE, round=1, cause=EVIL)
    folder = campaigns.write(tmp_path / "c", cases=CASES, rounds=3, failed=(failure,))
    for _ in ("known to the plan", "known to the journal alone"):
        campaign = read_campaign(folder)
        assert campaign.problems == ()
        assert [(one.round, one.cause) for one in campaign.failed] == [(1, SHOWN)]
        change_plan(folder, lambda plan: plan.update(failed=[]))
        change_lines(folder, lambda lines: lines[2].update(failures={CONTENDER: EVIL}))
    change_lines(folder, lambda lines: lines[2].update(failures={}))
    warning = read_campaign(folder).warnings[0]
    assert f"no values and no failure for '{CONTENDER}'" in warning.message


def test_a_case_in_which_all_failed_ends_no_round_of_the_others(tmp_path: Path) -> None:
    folder = campaigns.write(tmp_path / "c")
    failures = [
        {"contender": one.id, "case": "throughput/noop/100", "round": 5, "cause": "killed"}
        for one in read_campaign(folder).contenders
    ]
    campaigns.change_plan(folder, lambda plan: plan.update(failed=failures, status="failed"))

    def drop(lines: list[Any]) -> None:
        lines[:] = [one for one in lines if one["case"][-3:] != "100" or one["round"] < 5]

    campaigns.change_lines(folder, drop)
    assert read_campaign(folder).rounds == 12


def test_a_failed_baseline_and_other_rounds_than_planned_are_warnings(tmp_path: Path) -> None:
    failure = schema.Failure(contender=BASELINE, case=CASE, round=1, cause="killed")
    folder = campaigns.write(tmp_path / "c", cases=CASES, rounds=2, failed=(failure,))
    missing = f"rounds.jsonl:3: warning: missing baseline '{BASELINE}', which failed"
    assert problem(read_campaign(folder)) == missing
    change_plan(folder, lambda plan: plan.update(rounds=3))
    assert list(map(str, read_campaign(folder).problems)) == [
        "campaign.json: warning: says 3 rounds; the journal has 2",
        missing,
    ]


def test_a_cell_may_have_more_slices_than_planned(folder: Path) -> None:
    """It goes on to the end of a cycle of the collector."""
    change_plan(folder, lambda plan: [case.update(sweeps=1) for case in plan["cases"]])
    assert read_campaign(folder).problems == ()


def check_error(folder: Path, change: Change, words: str) -> None:
    """A change of the third line is one error with its place, and nothing odd is read."""
    change_lines(folder, lambda lines: change(lines[2]))
    campaign = read_campaign(folder)
    [error] = campaign.errors
    assert (error.file, error.line) == ("rounds.jsonl", 3)
    assert words in error.message
    assert campaign.values["seconds"].dropna().between(1e-9, 3600).all()
    assert not campaign.values[["seconds", "bytes"]].isna().all(axis=1).any()
    assert campaign.observed["value"].between(0, 1e15).all()
    with pytest.raises(CampaignError) as raised:
        load(folder)
    assert raised.value.problems == (error,)
    with pytest.raises(CampaignError, match=r"rounds.jsonl:3: error: "):
        find(campaign)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda line: line.update(schema=1), "schema: Invalid enum value 1"),
        (lambda line: line.pop("round"), "missing required field `round`"),
        (lambda line: line.update(round=True), "round: Expected `int`, got `bool`"),
        (lambda line: line.update(case=""), "case: is empty"),
        (lambda line: line.update(case="un/heard"), "case 'un/heard' is not in the plan"),
        (lambda line: line.update(cells=[]), "cells: Expected `object`"),
        (lambda line: line.update(wall_seconds="long"), "wall_seconds: Expected `float`"),
        (lambda line: line["cells"].update(who=cell(line)), "Expected `int`, got `str`"),
        *(
            (
                lambda line, place=place: line["cells"].update({place: cell(line)}),
                f"'contender {place}': not asked this case by the plan",
            )
            for place in ("4", "-1", str(2**70))
        ),
        (lambda line: line["failures"].update(who="?"), "'who': not asked this case by the plan"),
        (lambda line: line["cells"].pop("0"), f"missing baseline '{BASELINE}'"),
        (lambda line: line["cells"].update({PLACE: {}}), "cells[...]: Expected `array`, got `obj"),
        (lambda line: cell(line).__delitem__(slice(4, None)), "cells[...]: Expected `array` of at"),
        (field(BATCHES, 0), "cells[...][2]: Expected `int` >= 1"),
        (field(TIMED_US, -1), "cells[...][3]: Expected `float` >= 0"),
        (field(CPU_SHARES, [101]), "cells[...][6][0]: Expected `float` <= 100"),
        (field(COLLECTIONS, [[1]]), "cells[...][4][0]: Expected `array` of length 2"),
        (field(COLLECTIONS, [[1, 2.0]] * 11), "cells[...][4]: Expected `array` of length <= 10"),
        (field(QUANTILES, []), "cells[...][0]: Expected `array` of length >= 1"),
        (field(QUANTILES, [[1.0] * 5] * 2), f"cells.1 ('{CONTENDER}'): has quantiles of 2 metrics"),
        (field(QUANTILES, [[1.0] * 4]), "lacks a quantile; the case has 1 metrics"),
        (field(MEANS, [[1.0] * 3] * 2), "has means of 2 metrics"),
        (field(MEANS, [[]]), "lacks a mean"),
        (field(SWITCHES, [1]), "has not as many switches as slices"),
        (field(CPU_SHARES, [1.0]), "has not as many CPU shares as slices"),
        (field(SET_ASIDE, [3]), "sets a slice aside that is not there"),
        (field(OBSERVED, [1.0]), "observes 1 things; the case has 1 metrics, and its probe obs"),
        (field(COLLECTIONS, [[100, 31_000.0]]), "collects for longer than it was timed"),
        (field(COLLECTIONS, [[2**62, 1.0]]), "observed.'collections': is not from 0 to 1e+15"),
        *((put(odd), "[0][0][0]: Expected `float`") for odd in ("fast", True, [1], None, -1, 1e16)),
        (put(float("nan")), "is not JSON"),
        (put(10**400), "[0][0][0]: Number out of range"),
        *(
            (put(odd * 1e6), f"cells.'1': total: {1.25 * odd:g} is no plausible number of seconds")
            for odd in (3601, 0, 4e-10)
        ),
    ],
)
def test_what_is_wrong_with_a_line_is_one_error_with_its_place(
    folder: Path, change: Change, words: str
) -> None:
    check_error(folder, change, words)


def test_means_of_slices_that_are_not_alike_are_an_error(folder: Path) -> None:
    """Of a case with several metrics, each has as many."""

    def change(lines: Json) -> None:
        cell(lines[1])[MEANS][1].append(1500.0)

    change_lines(folder, change)
    [error] = read_campaign(folder).errors
    assert error.line == 2
    assert "lacks a mean; the case has 2 metrics" in error.message


def test_lines_cells_and_fields_given_twice_are_errors(folder: Path) -> None:
    path = folder / "rounds.jsonl"
    first, *others = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(first + "".join(others) + first, encoding="utf-8")
    where = f"round 0 of '{CASE}' is in line 1 already"
    assert problem(read_campaign(folder)) == f"rounds.jsonl:5: error: duplicate cells: {where}"
    again = '"cells":{"0":[[[1,1,1,1,1]],[[1,1,1]],30,30000,[]],'
    path.write_text(first.replace('"cells":{', again) + "".join(others), encoding="utf-8")
    assert problem(read_campaign(folder)).startswith("rounds.jsonl:1: error: duplicate cells")


def test_all_problems_are_listed_at_once(folder: Path) -> None:
    def change(lines: Json) -> None:
        for line, odd, metric in zip(lines, (0, 5e9, 3601e6, 0.5), (0, 1, 0, 1), strict=True):
            put(odd, metric)(line)

    change_lines(folder, change)
    errors = read_campaign(folder).errors
    assert [error.line for error in errors] == [1, 3, 4]  # 5 GB are plausible
    place = "cells.'1': peak: 0.5 is no plausible number of bytes"
    assert errors[2].message.startswith(place)


def test_no_folder_and_no_files_say_so(folder: Path, tmp_path: Path) -> None:
    assert problem(read_campaign(tmp_path / "nowhere")) == "campaign.json: error: is missing"
    (folder / "rounds.jsonl").unlink()
    assert str(read_campaign(folder).errors[0]) == "rounds.jsonl: error: is missing"
    (folder / "campaign.json").unlink()
    assert problem(read_campaign(folder)) == "campaign.json: error: is missing"


@pytest.mark.parametrize(
    ("file", "errors"),
    [
        ("campaign.json", ["error: is larger than 64 MiB"]),
        ("rounds.jsonl", ["5: error: is longer than 8 MiB and was", "6: error: duplicate cells: "]),
    ],
)
def test_100_mb_are_refused_in_little_memory(folder: Path, file: str, errors: list[str]) -> None:
    first = (folder / file).read_bytes().splitlines(keepends=True)[0]
    with (folder / file).open("r+b") as content:
        content.truncate(100 * 2**20)  # a hole: takes no space
        content.seek(0, os.SEEK_END)
        content.write(b"\n" + first)
    tracemalloc.start()
    campaign = read_campaign(folder)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    for found, expected in zip(campaign.errors, errors, strict=True):
        assert expected in str(found)
    assert used < 4 * MAX_LINE_BYTES


@pytest.mark.parametrize("file", ["campaign.json", "rounds.jsonl", "witness.json"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"schema":' + b"[" * 200_000 + b"\n", "schema: Expected `int`, got `array`"),
        (b'{"a":' * 200_000 + b"\n", "is nested too deeply"),
        (b"\xff\xfe{}\n", "is not JSON"),
        (b'{"schema":1,"name":"\xff","case":"\xff","programs":["\xff"]}\n', ""),
        (b'"text"\n', "Expected `object`, got `str`"),
        (b"9" * 10_000 + b"\n", ""),
        (b"\0\0\0\0\n", "is not JSON"),
        (b'{"schema": 3}\n', "schema: Invalid enum value 3"),
    ],
)
def test_odd_content_is_one_short_error(
    folder: Path, file: str, content: bytes, words: str
) -> None:
    (folder / file).write_bytes(content)
    [error] = read_campaign(folder).errors
    assert (error.file, error.line) == (file, 1 if file == "rounds.jsonl" else None)
    assert words in error.message
    assert len(error.message) < 500


@pytest.mark.parametrize("file", ["campaign.json", "rounds.jsonl", "witness.json"])
def test_links_devices_and_folders_are_not_followed(folder: Path, file: str) -> None:
    path = folder / file
    makers: list[Change] = [lambda path: path.symlink_to(__file__), os.mkfifo, os.mkdir]
    for make in makers:
        path.unlink(missing_ok=True)
        make(path)
        said = "error: is not a plain file (links and devices are not followed)"
        assert [str(error) for error in read_campaign(folder).errors] == [f"{file}: {said}"]


def test_many_problems_are_short_and_counted_past_a_limit(folder: Path) -> None:
    def change(lines: Json) -> None:
        lines[0]["cells"].update(dict.fromkeys(map(str, range(4, 20_000)), cell(lines[0])))

    change_lines(folder, change)
    [error] = read_campaign(folder).errors
    assert len(error.message) < 500
    (folder / "rounds.jsonl").write_text("{}\n" * (MAX_PROBLEMS_PER_FILE + 5), encoding="utf-8")
    errors = [one for one in read_campaign(folder).errors if one.file == "rounds.jsonl"]
    assert len(errors) == MAX_PROBLEMS_PER_FILE + 1
    assert errors[-1] == Problem("error", "rounds.jsonl", None, "and 5 more problems")


def test_many_warnings_are_no_error() -> None:
    problems = Problems()
    for line in range(MAX_PROBLEMS_PER_FILE + 8):
        problems.warning("rounds.jsonl", line, "no values")
    problems.error("rounds.jsonl", 1, "wrong")
    first, *_, last = problems.all()
    assert (first.severity, first.message) == ("error", "wrong")
    assert (last.severity, last.message) == ("warning", "and 8 more problems")


def test_builders_with_a_hyphen_make_releases() -> None:
    builds = ["3.12.3", "cpython-3.14.0+python-build-standalone", "cpython-3.14.0+conda-forge"]
    assert newest_of(builds).startswith("cpython-3.14.0+")
    assert newest_of(["3.14.10", "3.15.0a1"]) == "3.14.10"


def test_too_much_for_the_arrays_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_ROUND_CELLS", 20)
    monkeypatch.setattr(rules, "MAX_OBSERVED_NAMES", 0)
    campaign = read_campaign(folder)
    assert [error.message for error in campaign.errors] == [
        "observes more than 0 different things",
        "2 rounds of 12 cells; at most 20 are analysed",
    ]
    assert campaign.values.empty
    assert campaign.observed.empty


def test_every_text_is_made_printable(folder: Path, old_folder: Path) -> None:
    def change(plan: Json) -> None:
        plan["machine"] = {EVIL: EVIL, "list": [EVIL]}
        plan["contenders"][0]["conditions"] = {EVIL: EVIL}
        plan["definitions"]["strategies"][0]["meaning"] = EVIL
        plan["cases"][0]["left_out"] = EVIL
        plan["skipped"] = [{"contender": {"interpreter": "x"}, "reason": EVIL}]

    change_plan(folder, change)
    campaign = read_campaign(folder)
    assert campaign.problems == ()
    assert campaign.machine == {SHOWN: SHOWN, "list": [SHOWN]}
    assert campaign.contenders[0].conditions == {SHOWN: SHOWN}
    assert campaign.words.meaning("strategy", "gather_coroutines") == SHOWN
    assert campaign.skipped[0].reason == campaign.cases[0].left_out == SHOWN
    change_lines(old_folder, lambda lines: observe(**{EVIL: [1, 1, 1]})(lines[0]))
    assert set(read_campaign(old_folder).observed["name"]) == {SHOWN}
    assert len(printable("x" * 10**6)) == 1000


ODD = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.integers(), max_size=2)),
    st.sampled_from(["", "x", EVIL, "second", "baseline", "../x", 10**30, -0.0, 1e308]),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


@settings(unclean, max_examples=400)
@given(odd=ODD, number=st.sampled_from([None, 1]), old=st.booleans(), data=st.data())
def test_whatever_is_put_into_a_folder_reading_it_never_raises(
    template: Path,
    old_template: Path,
    tmp_path: Path,
    odd: Json,
    number: int | None,
    old: bool,
    data: st.DataObject,
) -> None:
    """Some part of the plan or of a line, at any depth, is taken out or replaced."""

    def change(whole: Json) -> None:
        parent: Json = {"": whole if number is None else whole[number]}
        key: Json = ""
        while (below := parent[key]) and isinstance(below, (dict, list)):
            parent = below
            keys = list(below) if isinstance(below, dict) else range(len(below))
            key = data.draw(st.sampled_from(keys))
            if data.draw(st.integers(0, 3)) == 0:
                break
        parent[key] = copy.copy(odd)
        if odd == "x":
            del parent[key]

    whole = old_template if old else template
    folder = shutil.copytree(whole, tmp_path / "c", dirs_exist_ok=True)
    (change_plan if number is None else change_lines)(folder, change)
    campaign = read_campaign(folder, suites=True)
    assert all(one.message == printable(one.message) for one in campaign.problems)
    if not campaign.errors:
        find(campaign)
