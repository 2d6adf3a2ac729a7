"""Reading witness.json, whatever stands in it, and what it shows as frames."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import witness as module
from analysis.validate import Problem, Problems, printable
from analysis.witness import ALL, Mark, Run, TaskLine, Timeline, Witness, behaviours, timelines
from analysis.witness_file import MAX_PLACES, MAX_RUNS, read_witness, witness_of
from tests.synthetic_witness import FILE, PROGRAMS, STRATEGIES, witness_content, write_witness

Change = Callable[[dict[str, Any]], object]


def read(folder: Path) -> tuple[Witness | None, list[Problem]]:
    problems = Problems()
    return read_witness(folder, problems), list(problems.all())


def read_sound(folder: Path) -> Witness:
    witness, problems = read(folder)
    assert problems == []
    assert witness is not None
    return witness


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Witness:
    return read_sound(write_witness(tmp_path_factory.mktemp("witness")))


# --- reading -------------------------------------------------------------------------------------


def test_what_stands_in_the_file_is_read(witness: Witness) -> None:
    assert [program.name for program in witness.programs] == list(PROGRAMS)
    assert witness.programs[0].claim == PROGRAMS["ten_sleepers"]
    runs = witness.of("head_start")
    assert len(runs) == 3 * 2 * 2 * len(STRATEGIES)
    first = runs[0]
    assert first.place == ("3.11.7", "asyncio", "lazy")
    assert (first.interpreter, first.version) == ("cpython-3.11.7", "3.11.7")
    assert (first.strategy, first.behaviour) == ("gather_coroutines", "yes")
    assert first.measured == {"to_results": 2.5, "to_something": 1.0}
    assert first.timeline is not None
    assert first.timeline.marks == (Mark("join begins", 2.0), Mark("joined", 2.5))
    assert first.timeline.tasks[4] == TaskLine("4", 0.0, 2.0, ((2.0, 2.5),), 2.5)


def test_what_could_not_be_run_has_a_reason_and_no_verdict(witness: Witness) -> None:
    [run] = [
        run for run in witness.of("nobody_awaits")
        if run.place == ("3.14.10", "uvloop", "eager")
    ]  # fmt: skip
    assert run.holds is None
    assert run.behaviour == "not possible"
    assert run.reason == "uvloop does not obey it"
    assert run.timeline is None


def test_a_folder_without_the_file_has_no_witness(tmp_path: Path) -> None:
    assert read(tmp_path) == (None, [])


def test_builds_of_one_version_keep_apart(tmp_path: Path) -> None:
    witness = read_sound(write_witness(tmp_path, pythons=("3.14.10", "3.14.10t", "3.14.10+debian")))
    assert list(dict.fromkeys(run.python for run in witness.runs)) == [
        "3.14.10", "3.14.10t", "3.14.10+debian",
    ]  # fmt: skip
    assert {run.version for run in witness.runs} == {"3.14.10"}


def first_timeline(content: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    return next(run["timeline"] for run in content["runs"] if run["timeline"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(schema=2), "schema: is '2'; this reader knows 1"),
        (lambda c: c.pop("schema"), "schema: is 'None'"),
        (lambda c: c.pop("runs"), "runs: is missing"),
        (lambda c: c.pop("programs"), "programs: is missing"),
        (lambda c: c.update(runs={}), "runs: is not a list"),
        (lambda c: c["runs"].append(7), "runs[156] is not an object"),
        (lambda c: c.update(runs=[{}] * (MAX_RUNS + 1)), f"at most {MAX_RUNS} are read"),
        (lambda c: c["programs"].append(c["programs"][0]), "'ten_sleepers' is given twice"),
        (lambda c: c["programs"][1].update(claim=None), "programs[1].claim: is not a text"),
        (lambda c: c["programs"].pop(0), "'ten_sleepers' is not among the programs"),
        (lambda c: c["runs"].append(c["runs"][0]), "lazy / ten_sleepers / gather_coroutines"),
        (lambda c: c["runs"][0].update(holds="yes"), "runs[0].holds: is neither true nor false"),
        (lambda c: c["runs"][0].pop("holds"), "runs[0].holds: is missing"),
        (lambda c: c["runs"][0].update(holds=None), "runs[0].reason: is empty where holds is null"),
        (lambda c: c["runs"][0].update(loop="a\x1b[31m"), "runs[0].loop:"),
        (lambda c: c["runs"][0].update(interpreter=""), "runs[0].interpreter: '' is empty"),
        (lambda c: c["runs"][0].update(observed=1), "runs[0].observed: is not a text"),
        (lambda c: c["runs"][0].update(measured=[]), "runs[0].measured is not an object"),
        (lambda c: c["runs"][0]["measured"].update({"a\x07": 1}), "runs[0].measured: is not an"),
        (
            lambda c: c["runs"][0]["measured"].update({f"seconds_{i}": 1 for i in range(101)}),
            "runs[0].measured: is not an object of at most 100",
        ),
        (lambda c: c["runs"][0]["measured"].update(seconds_x=-1), "measured.seconds_x: -1.0 is"),
        (lambda c: c["runs"][0]["measured"].update(seconds_x=1e9), "x: 1e+09 s is longer than an"),
        (lambda c: c["runs"][0]["measured"].update(seconds_x="1"), "seconds_x: is not a number"),
        (lambda c: c["runs"][0].pop("timeline"), "runs[0].timeline: is missing"),
        (lambda c: c["runs"][0].update(timeline=3), "runs[0].timeline is not an object"),
        (lambda c: first_timeline(c).pop("marks"), "timeline.marks: is missing"),
        (lambda c: first_timeline(c)["marks"][0].update(seconds=-1), "marks[0].seconds: -1.0 is"),
        (lambda c: first_timeline(c).update(tasks=7), "timeline.tasks: is not a list"),
        (lambda c: first_timeline(c)["tasks"].append(None), "timeline.tasks[10] is not an object"),
        (lambda c: first_timeline(c)["tasks"][2].update(created="0"), "tasks[2].created: is not a"),
        (lambda c: first_timeline(c)["tasks"][2].update(started=9), "do not follow one another"),
        (lambda c: first_timeline(c)["tasks"][2].update(created=0.1), "do not follow one another"),
        (lambda c: first_timeline(c)["tasks"][2].update(spans=[[3, 4]]), "do not follow one"),
        (lambda c: first_timeline(c)["tasks"][2].pop("spans"), "tasks[2].spans: is not a list"),
        (lambda c: first_timeline(c)["tasks"][2].update(spans=[[0, 0, 0]]), "spans: is not a list"),
        (lambda c: first_timeline(c)["tasks"][2].update(spans=[[0, True]]), "spans: is not a list"),
        (
            lambda c: first_timeline(c)["tasks"][2].update(spans=[[0, math.nan]]),
            "spans: is not a list of at most",
        ),
        (
            lambda c: first_timeline(c)["tasks"][2].update(spans=[[0, 10**400]]),
            "spans: is not a list of at most",
        ),
        (
            lambda c: c["runs"].extend(
                {**c["runs"][0], "loop": f"loop {i}"} for i in range(MAX_PLACES)
            ),
            f"runs: are on more than {MAX_PLACES} Pythons",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_an_error_with_its_field(
    change: Change, words: str, tmp_path: Path
) -> None:
    witness, problems = read(write_witness(tmp_path, change=change))
    assert witness is not None
    assert {problem.severity for problem in problems} == {"error"}
    assert {problem.file for problem in problems} == {FILE}
    assert any(words in problem.message for problem in problems), problems
    assert all(problem.message.isprintable() for problem in problems)
    behaviours(witness)
    timelines(witness)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "the file is not an object"),
        (b'{"schema": 1, "programs": [], "runs": []}' + b" " * 2**24, "is larger than 16 MiB"),
    ],
)
def test_a_file_that_is_none_is_an_error(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content)
    witness, problems = read(tmp_path)
    assert witness == Witness()
    assert words in problems[0].message


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = write_witness(tmp_path / "real")
    link = tmp_path / "campaign" / FILE
    link.parent.mkdir()
    link.symlink_to(folder / FILE)
    witness, problems = read(link.parent)
    assert witness == Witness()
    assert "links and devices are not followed" in problems[0].message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without named pipes")
def test_a_pipe_does_not_hang_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE)
    assert "is not a plain file" in read(tmp_path)[1][0].message


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(place=st.integers(0, 40), value=JSON)
def test_any_value_anywhere_is_read_or_named(place: int, value: object) -> None:
    """Every field of a run, its timeline and a task of it in turn, replaced by something else."""
    content = witness_content(pythons=("3.14.10",), loops=("asyncio",), task_factories=("lazy",))
    run = content["runs"][0]
    timeline, task = run["timeline"], run["timeline"]["tasks"][0]
    holders = [(holder, key) for holder in (run, timeline, task) for key in holder]
    holder, key = holders[place % len(holders)]
    holder[key] = value
    problems = Problems()
    assert len(behaviours(witness_of(content, problems))) > 0
    assert all(printable(problem.message) == problem.message for problem in problems.all())


# --- behaviours ----------------------------------------------------------------------------------


def rows(frame: pd.DataFrame, program: str, strategy: str = "") -> list[tuple[str, ...]]:
    chosen = frame[(frame["program"] == program) & (frame["strategy"] == strategy)]
    names = ["python", "loop", "task_factory", "behaviour"]
    return [tuple(row) for row in chosen[names].itertuples(index=False)]


def test_where_all_agree_there_is_one_row(witness: Witness) -> None:
    frame = behaviours(witness)
    assert rows(frame, "ten_sleepers", "gather_tasks") == [(ALL, ALL, ALL, "yes")]
    [row] = frame[frame["program"] == "nobody_awaits"].to_dict("records")
    assert (row["observed"], row["expected"]) == ("cancelled", "cancelled")
    assert row["runs"] == 3 * 2 + 3


def test_what_differs_by_task_factory_is_a_row_for_each(witness: Witness) -> None:
    frame = behaviours(witness)
    assert rows(frame, "first_step", "gather_tasks") == [
        (ALL, ALL, "lazy", "yes"),
        (ALL, ALL, "eager", "yes"),
    ]
    assert rows(frame, "first_step", "gather_coroutines") == [(ALL, ALL, ALL, "yes")]


def test_where_nothing_could_be_run_is_said_once(witness: Witness) -> None:
    frame = behaviours(witness)
    assert rows(frame, "") == [
        ("3.11.7", ALL, "eager", "not possible"),
        ("3.14.10", "uvloop", "eager", "not possible"),
    ]
    reasons = frame[frame["program"] == ""]["reason"].tolist()
    assert reasons == ["eager needs 3.12", "uvloop does not obey it"]
    assert "not possible" not in set(frame[frame["program"] != ""]["behaviour"])


def test_so_is_where_a_strategy_could_not_be_run(tmp_path: Path) -> None:
    frame = behaviours(read_sound(write_witness(tmp_path, pythons=("3.10.13", "3.12.1"))))
    assert rows(frame, "", "task_group") == [("3.10.13", ALL, ALL, "not possible")]
    assert rows(frame, "head_start", "task_group") == [(ALL, ALL, ALL, "yes")]


def test_an_exception_is_named_by_what_sets_it_apart(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        for run in content["runs"]:
            place = (run["version"], run["loop"], run["task_factory"])
            if run["program"] == "nobody_awaits" and place == ("3.12.1", "uvloop", "eager"):
                run.update(holds=False, observed="finished")

    frame = behaviours(read_sound(write_witness(tmp_path, change=change)))
    assert ("3.12.1", "uvloop", "eager", "no") in rows(frame, "nobody_awaits")
    assert frame.groupby("program")["runs"].sum()["nobody_awaits"] == 9


def test_pythons_that_follow_one_another_are_a_range(tmp_path: Path) -> None:
    pythons = ("3.14.10", "3.10.13", "3.12.1", "3.13.0", "3.11.7")

    def change(content: dict[str, Any]) -> None:
        for run in content["runs"]:
            if run["holds"] and run["version"] in ("3.10.13", "3.11.7", "3.12.1"):
                run["observed"] = run["expected"] = "otherwise"

    frame = behaviours(
        read_sound(write_witness(tmp_path, pythons=pythons, loops=("asyncio",), change=change))
    )
    assert rows(frame, "nobody_awaits") == [
        ("3.13.0, 3.14.10", ALL, ALL, "yes"),
        ("3.10.13 to 3.12.1", ALL, ALL, "yes"),
    ]


def test_the_times_beside_are_the_least_and_the_most(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        for number, run in enumerate(content["runs"]):
            if run["measured"]:
                run["measured"]["seconds_to_results"] = 1.0 + number

    witness = read_sound(write_witness(tmp_path, change=change))
    frame = behaviours(witness)
    [row] = frame[frame["program"] == "nobody_awaits"].to_dict("records")
    taken = [run.measured["to_results"] for run in witness.of("nobody_awaits") if run.measured]
    assert (row["seconds_low"], row["seconds_high"]) == (min(taken), max(taken))
    assert row["measured"] == "to results"
    assert frame[frame["program"] == ""]["seconds_low"].isna().all()


def test_no_runs_are_no_rows() -> None:
    assert behaviours(Witness()).empty
    assert timelines(Witness()).empty
    assert list(behaviours(Witness()).columns) == list(module._COLUMNS)


PLACES = st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from("mn"))


@given(every=st.sets(PLACES, min_size=1), data=st.data())
def test_the_rows_of_a_program_are_its_runs_each_once(
    every: set[tuple[str, str, str]], data: st.DataObject
) -> None:
    """Whatever did what where: expanding every row gives back exactly what was observed there."""
    seen = {
        place: data.draw(st.sampled_from(["one", "two"]), label=str(place))
        for place in sorted(every)
    }
    empty = Run("", "", "", "", "", "p", "", True, "one", "", "", {}, None)
    runs = [
        replace(empty, python=python, loop=loop, task_factory=factory, observed=observed)
        for (python, loop, factory), observed in seen.items()
    ]
    frame = behaviours(Witness((module.Program("p", "", ""),), tuple(runs)))
    told: dict[tuple[str, str, str], str] = {}
    for row in frame.to_dict("records"):
        names = (row["python"], row["loop"], row["task_factory"])
        for place in every:
            if all(
                said == ALL or name in said.split(", ") or _between(name, said)
                for name, said in zip(place, names, strict=True)
            ):
                assert told.setdefault(place, row["observed"]) == row["observed"]
    assert set(told) == every
    assert frame["runs"].sum() == len(every)
    if len(set(seen.values())) == 1:
        assert len(frame) == 1


def _between(name: str, said: str) -> bool:
    first, to, last = said.partition(" to ")
    return bool(to) and first <= name <= last


# --- timelines -----------------------------------------------------------------------------------


def test_the_frame_of_timelines_has_a_row_per_span(witness: Witness) -> None:
    frame = timelines(witness)
    assert len(frame) == 9 * len(STRATEGIES) * (10 + 5)
    assert set(frame["program"]) == {"ten_sleepers", "head_start"}
    row = frame[(frame["program"] == "head_start") & (frame["task"] == "3")].iloc[0]
    assert row["summary"] == "the program head_start."
    assert (row["created"], row["started"], row["finished"]) == (0.0, 2.0, 2.5)
    assert (row["asleep_from"], row["asleep_to"]) == (2.0, 2.5)
    assert (row["join_begins"], row["joined"]) == (2.0, 2.5)


def test_a_task_that_never_slept_has_a_row_all_the_same(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        first_timeline(content)["tasks"][0]["spans"] = []
        first_timeline(content)["marks"].clear()

    witness = read_sound(write_witness(tmp_path, pythons=("3.14.10",), change=change))
    row = timelines(witness).iloc[0]
    assert row["asleep_from"] == row["asleep_to"] == row["started"]
    assert math.isnan(row["join_begins"])


def test_the_file_reads_the_same_again(tmp_path: Path) -> None:
    folder = write_witness(tmp_path)
    first = read_sound(folder)
    content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    assert witness_of(content, Problems()) == first
    assert isinstance(first.of("head_start")[0].timeline, Timeline)
