"""The files of a campaign."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks.campaign import schema
from benchmarks.campaign.journal import Journal, JournalError
from benchmarks.campaign.plan import asked_pairs
from benchmarks.loops import EVENT_LOOPS
from benchmarks.matrix import PRESETS
from tests.benchmarks.fakes import make_line, make_plan

PLAN = make_plan(loops=tuple(EVENT_LOOPS), probes=("throughput", "latency"))
ENDED = replace(
    PLAN,
    status="interrupted",
    finished="2026-11-22T15:06:12+00:00",
    elapsed_seconds=12.345,
    rounds=3,
    contenders=tuple(
        replace(row, conditions={"gil": True, "loop_class": "a.b", "x": None})
        for row in PLAN.contenders
    ),
    cases=tuple(
        replace(case, sweeps=5, loops=7, blocks=20, quantile=0.05)
        if number
        else replace(case, left_out="it needs about 90 s before it has a value")
        for number, case in enumerate(PLAN.cases)
    ),
    allocation=schema.Allocation(
        pilot_rounds=3,
        pilot_sweeps=2,
        start_seconds=0.35,
        cases=(
            schema.Allocated(case=PLAN.cases[1].id, sweeps=5, slice_sd=0.02, sweep_seconds=0.1),
            schema.Allocated(case=PLAN.cases[2].id, sweeps=1, round_sd=0.01, sweep_seconds=2.0),
        ),
    ),
    failed=(
        schema.Failure(
            contender=PLAN.contenders[1].id, case=PLAN.cases[0].id, round=2, cause="it broke"
        ),
    ),
    peak_worker_bytes=123,
    peak_driver_bytes=456,
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "campaign")


def line_of(number: int, *, value: float = 1e-3) -> schema.RoundLine:
    return make_line(PLAN, number, lambda row: value * (1 + number))


def content_of(journal: Journal) -> bytes:
    return (journal.folder / schema.JOURNAL_FILE).read_bytes()


# rounds.jsonl


def test_lines_come_back_in_the_order_they_were_appended(journal: Journal) -> None:
    assert list(journal.lines(PLAN)) == []
    written = [line_of(number) for number in (0, 1, 2)]
    for line in written:
        journal.append(line)
    assert list(journal.lines(PLAN)) == written
    assert content_of(journal).count(b"\n") == 3


def test_a_line_has_the_fields_of_the_schema(journal: Journal) -> None:
    journal.append(make_line(PLAN, 3, lambda row: 1e-3, without=[PLAN.contenders[1]]))
    fields = json.loads(content_of(journal))
    assert list(fields) == [
        "schema", "round", "case", "started", "wall_seconds", "steal_seconds", "cells", "failures",
    ]  # fmt: skip
    assert (fields["schema"], fields["round"]) == (2, 3)
    assert fields["failures"] == {PLAN.contenders[1].id: "it was told to"}
    places = [str(place) for place in range(len(PLAN.contenders)) if place != 1]
    assert list(fields["cells"]) == places


def test_a_cell_is_an_array_whose_places_are_those_of_the_schema() -> None:
    cell = schema.Cell(
        quantiles=[[1000, 1000, 1100, 1234.5, 2000]],
        means=[[1010.5, 1200]],
        batches=14,
        timed_us=16_000,
        collections=[(5, 100.5), (1, 50), (0, 0)],
        cycles=0.045,
        cpu_shares=[0.98, 1],
        switches=[0, 3],
        set_aside=[1],
        observed=[100],
    )
    assert json.loads(schema.encode(cell)) == [
        [[1000, 1000, 1100, 1234.5, 2000]], [[1010.5, 1200]], 14, 16_000,
        [[5, 100.5], [1, 50], [0, 0]], 0.045, [0.98, 1], [0, 3], [1], [100], 0,
    ]  # fmt: skip
    assert schema.decode(schema.encode(cell), schema.Cell) == cell


@pytest.mark.parametrize("kept", [1, 20, -2, -1])
def test_a_truncated_last_line_is_left_out_and_can_be_dropped(journal: Journal, kept: int) -> None:
    first, last = line_of(0), line_of(2)
    journal.append(first)
    whole = content_of(journal)
    with (journal.folder / schema.JOURNAL_FILE).open("ab") as stream:
        stream.write((schema.encode(line_of(1)) + b"\n")[:kept])
    assert list(journal.lines(PLAN)) == [first]
    journal.drop_unfinished_line()
    assert content_of(journal) == whole
    journal.append(last)
    journal.drop_unfinished_line()
    assert list(journal.lines(PLAN)) == [first, last]


def spoiled(**changes: object) -> bytes:
    return json.dumps({**json.loads(schema.encode(line_of(0))), **changes}).encode()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"not json", "is not JSON"),
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "Expected `object`, got `array`"),
        (b"{}", "missing required field `round`"),
        (spoiled(schema=1), "schema: Invalid enum value 1"),
        (spoiled(round=-1), "round: Expected `int` >= 0"),
        (spoiled(cells={"a": []}), "Expected `int`, got `str`"),
        (spoiled(cells={"0": {}}), "cells[...]: Expected `array`, got `object`"),
        (spoiled(cells={"0": [[[1.0]], [[1.0]], 0, 1.0, []]}), "cells[...][2]: Expected `int`"),
        (spoiled(case="another"), "case: 'another' is not in campaign.json"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_with_its_number_and_field(
    journal: Journal, line: bytes, says: str
) -> None:
    journal.append(line_of(0))
    path = journal.folder / schema.JOURNAL_FILE
    path.write_bytes(content_of(journal) + line + b"\n" + content_of(journal))
    with pytest.raises(JournalError) as caught:
        list(journal.lines(PLAN))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


# The folder


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


def test_a_folder_is_made_with_its_parents_or_named_when_that_fails(tmp_path: Path) -> None:
    assert Journal.create(tmp_path / "a" / "b").folder.is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be made: Not a directory"):
        Journal.create(tmp_path / "file" / "folder")


def test_only_one_process_writes_at_a_time(journal: Journal) -> None:
    other = Journal(journal.folder)
    with (
        journal.locked(),
        pytest.raises(JournalError, match="being written by another process"),
        other.locked(),
    ):
        pytest.fail("it is locked")
    with other.locked():
        pass
    with (
        pytest.raises(JournalError, match="is this a campaign"),
        Journal(journal.folder.parent).locked(),
    ):
        pytest.fail("there is no journal")


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
    for number in range(3):
        journal.append(line_of(number))
        assert synced[number:] == [len(content_of(journal))]


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
    journal.save(ENDED)
    assert events == ["1 synced, then campaign.json replaced"]
    assert {path.name for path in journal.folder.iterdir()} == {"campaign.json", "rounds.jsonl"}


def test_a_failed_save_leaves_the_older_file_whole(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.save(ENDED)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        journal.save(PLAN)
    assert journal.load() == ENDED


# campaign.json


@pytest.mark.parametrize(
    "plan", [PLAN, ENDED, make_plan(selections=PRESETS["question"].selections)]
)
def test_a_plan_comes_back(journal: Journal, plan: schema.Plan) -> None:
    journal.save(plan)
    assert journal.load() == plan
    content = (journal.folder / schema.CAMPAIGN_FILE).read_bytes()
    assert content.startswith(b'{\n "schema": 2,\n "name": ')
    assert content.endswith(b"}\n")


def without(fields: object, *names: str) -> object:
    """JSON without these fields, wherever they are."""
    if isinstance(fields, dict):
        return {key: without(value, *names) for key, value in fields.items() if key not in names}
    return [without(value, *names) for value in fields] if isinstance(fields, list) else fields


def test_a_campaign_from_before_blocks_collectors_and_pauses_is_read(journal: Journal) -> None:
    """Every contender was asked every case then, the collector on, without a pause."""
    later = (
        "blocks", "definitions", "collector", "refusals", "units", "work_seconds", "tasks_each",
        "pause", "pause_seconds", "pause_suspends", "observed", "splits", "answers", "quantile",
        "left_out", "allocation",
    )  # fmt: skip
    path = journal.folder / schema.CAMPAIGN_FILE
    path.write_text(json.dumps(without(json.loads(schema.encode(PLAN)), *later)))
    plan = journal.load()
    assert asked_pairs(plan) == asked_pairs(PLAN)
    assert plan.contenders == PLAN.contenders
    usual = {"units": {"total": "second"}, "splits": False, "answers": False}
    assert [replace(case, **usual) for case in plan.cases[:5]] == [
        replace(case, **usual) for case in PLAN.cases[:5]
    ]
    line = {
        "schema": 1, "round": 0, "case": plan.cases[0].id, "started": "", "wall_seconds": 1.0,
        "steal_seconds": 0.0,
        "cells": {"a": {"loops": 7, "timed_seconds": 0.1, "values": {"total": [0.1, 0.2]}}},
    }  # fmt: skip
    (cell,) = schema.decode(json.dumps(line).encode(), schema.OldRoundLine).cells.values()
    assert (cell.slices, cell.observed) == (2, {})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file or directory; name the folder of a campaign"),
        (b"", "is not JSON"),
        (b"[1]", "Expected `object`, got `array`"),
        (b"\xff", "is not JSON"),
        (b"{}", "missing required field `name`"),
        (schema.encode(PLAN).replace(b'"tasks":10,', b'"tasks":0,', 1), "cases[0].tasks: "),
        (schema.encode(PLAN).replace(b'"schema":2', b'"schema":3', 1), "schema: "),
    ],
)
def test_a_bad_campaign_file_is_one_line_that_names_the_field(
    journal: Journal, content: bytes | None, says: str
) -> None:
    path = journal.folder / schema.CAMPAIGN_FILE
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(JournalError) as caught:
        journal.load()
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
