"""The files of a campaign."""

from __future__ import annotations

import errno
import itertools
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.campaign.journal import Cell, Failure, Journal, JournalError, Record, State
from benchmarks.campaign.plan import plan_from_json, plan_to_json
from benchmarks.conditions import Refusal
from benchmarks.loops import EVENT_LOOPS
from benchmarks.matrix import PRESETS, Skipped
from tests.benchmarks.fakes import make_plan, make_record

PLAN = make_plan(loops=tuple(EVENT_LOOPS), probes=("throughput", "latency"))
STATE = State(
    status="interrupted",
    finished="2026-11-22T15:06:12+00:00",
    elapsed_seconds=12.345,
    rounds=3,
    loops={case.id: 7 for case in PLAN.cases},
    sweeps={case.id: 5 for case in PLAN.cases},
    conditions={row.id: {"gil": True, "loop_class": "a.b", "x": None} for row in PLAN.contenders},
    failed=(Failure(PLAN.contenders[1].id, PLAN.cases[0].id, 2, "it broke"),),
    peak_worker_bytes=123,
    peak_driver_bytes=456,
)

positive = st.floats(min_value=1e-12, max_value=1e6)
records = st.builds(
    Record,
    round=st.integers(0, 1000),
    case=st.text(),
    started=st.text(),
    wall_seconds=positive,
    steal_seconds=positive,
    cells=st.dictionaries(
        st.text(),
        st.builds(
            Cell,
            loops=st.integers(1, 10**9),
            timed_seconds=positive,
            values=st.dictionaries(st.text(), st.lists(positive)),
            observed=st.dictionaries(st.text(), st.lists(st.floats(0.0, 1e6))),
        ),
    ),
    failures=st.dictionaries(st.text(), st.text()),
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "campaign")


def lines(journal: Journal) -> list[str]:
    content = (journal.folder / "rounds.jsonl").read_text(encoding="utf-8")
    return content.splitlines(keepends=True)


@given(records)
def test_a_record_comes_back_from_its_line(record: Record) -> None:
    line = record.to_line()
    assert line.index("\n") == len(line) - 1
    assert Record.from_line(line) == record


def test_records_come_back_in_the_order_they_were_appended(journal: Journal) -> None:
    written = [
        make_record(PLAN, number, lambda row, sweep: 1e-3 * (1 + sweep)) for number in (0, 1, 2)
    ]
    for record in written:
        journal.append(record)
    assert list(journal.records()) == written


def test_a_line_has_the_fields_of_the_schema(journal: Journal) -> None:
    journal.append(make_record(PLAN, 3, lambda row, sweep: 1e-3, without=[PLAN.contenders[1]]))
    fields = json.loads(lines(journal)[0])
    assert list(fields) == [
        "schema", "round", "case", "started", "wall_seconds", "steal_seconds", "cells", "failures",
    ]  # fmt: skip
    assert (fields["schema"], fields["round"]) == (1, 3)
    assert fields["failures"] == {PLAN.contenders[1].id: "it was told to"}
    cell = fields["cells"][PLAN.contenders[0].id]
    assert cell == {
        "loops": 7,
        "timed_seconds": 0.03,
        "values": {"total": [1e-3] * 3},
        "observed": {"collections": [2.0] * 3},
    }


def test_a_line_from_before_anything_was_observed_is_read(journal: Journal) -> None:
    written = make_record(PLAN, 0, lambda row, sweep: 1e-3)
    fields = json.loads(written.to_line())
    for cell in fields["cells"].values():
        del cell["observed"]
    record = Record.from_line(json.dumps(fields))
    assert {**vars(record), "cells": None} == {**vars(written), "cells": None}
    assert {name: cell.observed for name, cell in record.cells.items()} == {
        name: {} for name in written.cells
    }


def test_an_empty_journal_has_no_records(journal: Journal) -> None:
    assert list(journal.records()) == []


@pytest.mark.parametrize("kept", [1, 20, -2, -1])
def test_a_truncated_last_line_is_left_out_and_can_be_dropped(journal: Journal, kept: int) -> None:
    whole = make_record(PLAN, 0, lambda row, sweep: 1e-3)
    journal.append(whole)
    with (journal.folder / "rounds.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(make_record(PLAN, 1, lambda row, sweep: 1e-3).to_line()[:kept])
    assert list(journal.records()) == [whole]
    journal.drop_unfinished_line()
    assert lines(journal) == [whole.to_line()]
    second = make_record(PLAN, 2, lambda row, sweep: 1e-3)
    journal.append(second)
    assert list(journal.records()) == [whole, second]


def test_dropping_leaves_whole_lines_alone(journal: Journal) -> None:
    journal.drop_unfinished_line()
    assert lines(journal) == []
    journal.append(make_record(PLAN, 0, lambda row, sweep: 1e-3))
    journal.drop_unfinished_line()
    assert len(lines(journal)) == 1


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b"\n",
        b"[]\n",
        b"5\n",
        b"{}\n",
        b'{"schema":1,"cells":[]}\n',
        b'{"schema":1,"cells":{"a":{"loops":1}}}\n',
        b'{"schema":1,"cells":{},"unknown":1}\n',
        b'{"schema":1,"case":"\xff\xfe"}\n',
    ],
)
def test_a_line_that_is_no_record_is_named_by_its_number(journal: Journal, line: bytes) -> None:
    good = make_record(PLAN, 0, lambda row, sweep: 1e-3)
    journal.append(good)
    path = journal.folder / "rounds.jsonl"
    path.write_bytes(path.read_bytes() + line + good.to_line().encode())
    with pytest.raises(JournalError, match=r"rounds\.jsonl:2: not a record of a round") as caught:
        list(journal.records())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["file", "empty folder", "campaign"])
def test_an_existing_folder_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "there"
    if kind == "file":
        folder.write_text("precious")
    else:
        folder.mkdir()
        if kind == "campaign":
            (folder / "rounds.jsonl").write_text("precious")
    with pytest.raises(JournalError, match="exists already and is never overwritten"):
        Journal.create(folder)
    if kind != "empty folder":
        assert (folder if kind == "file" else folder / "rounds.jsonl").read_text() == "precious"
    assert kind != "empty folder" or list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be made: Not a directory"):
        Journal.create(tmp_path / "file" / "folder")


def test_parents_are_made(tmp_path: Path) -> None:
    assert Journal.create(tmp_path / "a" / "b").folder.is_dir()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the files that were synced, at that time."""
    sizes: list[int] = []
    fsync = os.fsync

    def recording(descriptor: int) -> None:
        fsync(descriptor)
        sizes.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", recording)
    return sizes


def test_every_line_is_synced_when_append_returns(journal: Journal, synced: list[int]) -> None:
    size = 0
    for number in range(3):
        record = make_record(PLAN, number, lambda row, sweep: 1e-3)
        journal.append(record)
        size += len(record.to_line())
        assert synced[number:] == [size]


def test_the_campaign_file_is_synced_before_it_takes_its_place(
    journal: Journal, synced: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_path = Path.replace
    events: list[str] = []

    def recording(self: Path, target: Path) -> Path:
        events.append(f"{len(synced)} synced, then {target.name} replaced")
        assert synced[-1] == self.stat().st_size
        return replace_path(self, target)

    monkeypatch.setattr(Path, "replace", recording)
    journal.save(PLAN, STATE)
    assert events == ["1 synced, then campaign.json replaced"]
    assert [path.name for path in journal.folder.iterdir()].count("campaign.json") == 1
    assert len(list(journal.folder.iterdir())) == 2, "nothing temporary is left"


def test_a_failed_save_leaves_the_older_file_whole(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.save(PLAN, STATE)
    before = (journal.folder / "campaign.json").read_bytes()

    def full(value: object, stream: IO[str], **options: object) -> None:
        stream.write('{"half')
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(json, "dump", full)
    with pytest.raises(OSError, match="No space left"):
        journal.save(PLAN, State())
    assert (journal.folder / "campaign.json").read_bytes() == before


def test_plan_and_state_come_back(journal: Journal) -> None:
    journal.save(PLAN, STATE)
    assert journal.load() == (PLAN, STATE)
    journal.save(PLAN, State())
    assert journal.load() == (PLAN, State())


def test_the_campaign_file_has_the_fields_of_the_schema(journal: Journal) -> None:
    journal.save(PLAN, STATE)
    fields = json.loads((journal.folder / "campaign.json").read_text(encoding="utf-8"))
    expected = {
        "schema", "name", "status", "preset", "seed", "budget_seconds", "precision",
        "slice_seconds", "code_hash", "created", "finished", "elapsed_seconds", "rounds",
        "machine", "interpreters", "contenders", "cases", "skipped", "failed",
    }  # fmt: skip
    assert expected <= set(fields)
    for contender in fields["contenders"]:
        assert {
            "id",
            "interpreter",
            "loop",
            "task_factory",
            "strategy",
            "collector",
            "role",
            "conditions",
        } <= set(contender)
    for case in fields["cases"]:
        assert {
            "id", "probe", "workload", "work_seconds", "tasks", "tasks_each", "pause",
            "pause_seconds", "pause_suspends", "metrics", "units", "headline_metric", "sweeps",
        } <= set(case)  # fmt: skip
        assert case["headline_metric"] in case["metrics"]
        assert list(case["units"]) == case["metrics"]
        assert case["sweeps"] == 5
    assert fields["blocks"] == [
        {"contenders": [row.id for row in PLAN.contenders], "cases": [row.id for row in PLAN.cases]}
    ]
    assert fields["failed"] == [
        {
            "contender": PLAN.contenders[1].id,
            "case": PLAN.cases[0].id,
            "round": 2,
            "cause": "it broke",
        }
    ]


def test_a_plan_of_several_blocks_comes_back() -> None:
    plan = make_plan(selections=PRESETS["question"].selections)
    assert len(plan.blocks) > 5
    fields = json.loads(json.dumps(plan_to_json(plan)))
    again = plan_from_json(fields)
    assert again == plan
    for contender, case in itertools.product(plan.contenders, plan.cases):
        assert again.asks(contender, case) == plan.asks(contender, case)


def test_the_campaign_file_says_what_is_known_of_a_case() -> None:
    plan = make_plan(selections=PRESETS["question"].selections)
    cases = {row["id"]: row for row in plan_to_json(plan)["cases"]}

    def facts(case: str) -> list[object]:
        names = ("work_seconds", "tasks_each", "pause", "pause_seconds", "pause_suspends", "units")
        return [cases[case][name] for name in names]

    seconds = {"total": "second"}
    assert facts("throughput/noop/100") == [None, 1, "none", 0.0, False, seconds]
    assert facts("throughput/tree/1") == [None, 55987, "none", 0.0, False, seconds]
    assert facts("head_start/sleep/10/compute_10ms") == [
        0.005, 1, "compute_10ms", 0.010, False, {"makespan": "second"},
    ]  # fmt: skip
    assert facts("head_start/sleep_20ms/10/sleep_5ms") == [
        0.020, 1, "sleep_5ms", 0.005, True, {"makespan": "second"},
    ]  # fmt: skip
    assert facts("memory/pending/10000") == [
        None, 1, "none", 0.0, False, {"steady": "byte", "peak": "byte"},
    ]  # fmt: skip


def test_a_campaign_from_before_blocks_collectors_and_pauses_is_read(journal: Journal) -> None:
    """Every contender was asked every case then, the collector on, without a pause."""
    fields = plan_to_json(PLAN)
    del fields["blocks"]
    for contender in fields["contenders"]:
        del contender["collector"]
    for case in fields["cases"]:
        for name in ("pause", "pause_seconds", "pause_suspends", "units", "work_seconds"):
            del case[name]
        del case["tasks_each"]
    for interpreter in fields["interpreters"]:
        del interpreter["refusals"]
    plan = plan_from_json(json.loads(json.dumps(fields)))
    assert plan == replace(PLAN, blocks=())
    assert all(plan.asks(*pair) for pair in itertools.product(plan.contenders, plan.cases))


def test_what_an_interpreter_refuses_comes_back() -> None:
    refusals = (Refusal("it cannot", loop="uvloop", task_factory="eager"), Refusal("nor that"))
    (interpreter,) = PLAN.interpreters
    plan = replace(PLAN, interpreters=(replace(interpreter, refusals=refusals),))
    again = plan_from_json(json.loads(json.dumps(plan_to_json(plan))))
    assert again.interpreters[0].available.refusals == refusals


def test_what_was_skipped_comes_back() -> None:
    plan = make_plan(loops=tuple(EVENT_LOOPS))
    launcher = plan.contenders[0].launcher
    rows = (Skipped("cpython-3.9.1", None, "too old"), Skipped("pypy-3.11", launcher, "not there"))
    plan = replace(plan, skipped=rows)
    assert plan_from_json(plan_to_json(plan)).skipped == rows


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file or directory; name the folder of a campaign"),
        (b"", "not a campaign"),
        (b"{}", "not a campaign"),
        (b"[1]", "not a campaign"),
        (b"\xff", "not a campaign"),
        (b'{"schema": 2}', "schema 2, this version reads 1"),
        (b'{"schema": 1}', "not a campaign: KeyError"),
    ],
)
def test_a_bad_campaign_file_is_one_line(
    journal: Journal, content: bytes | None, says: str
) -> None:
    if content is not None:
        (journal.folder / "campaign.json").write_bytes(content)
    with pytest.raises(JournalError) as caught:
        journal.load()
    assert says in str(caught.value)
    assert "campaign.json" in str(caught.value)
    assert "\n" not in str(caught.value)
