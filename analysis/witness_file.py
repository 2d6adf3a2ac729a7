"""witness.json -> :class:`analysis.witness.Witness`, with every problem found.

The file is optional in a campaign's folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from analysis.validate import (
    Json,
    Problems,
    Record,
    UnreadableError,
    printable,
    quoted,
    read_json,
)
from analysis.witness import Mark, Place, Program, Run, TaskLine, Timeline, Witness

FILE: Final = "witness.json"
SCHEMA: Final = 1

MAX_FILE_BYTES: Final = 16 * 2**20
"""Six Pythons need less than one."""
MAX_PROGRAMS: Final = 200
MAX_RUNS: Final = 10_000
MAX_PLACES: Final = 200
"""Pythons x event loops x task factories."""
MAX_TASKS: Final = 1_000
MAX_MARKS: Final = 100
MAX_SPANS: Final = 1_000
MAX_SECONDS: Final = 3_600.0


def read_witness(folder: Path, problems: Problems) -> Witness | None:
    """The witness of a folder; None where there is none. What cannot be used is left out and named
    in ``problems``.
    """
    if not os.path.lexists(folder / FILE):
        return None
    try:
        content = read_json(folder / FILE, MAX_FILE_BYTES)
    except UnreadableError as error:
        problems.error(FILE, None, str(error))
        return Witness()
    return witness_of(content, problems)


def witness_of(content: Json, problems: Problems) -> Witness:
    """:func:`read_witness` of what stands in the file."""
    top = Record(content, problems, FILE, "")
    if not top.sound:
        return Witness()
    if content.get("schema") != SCHEMA:
        top.wrong("schema", f"is {quoted(str(content.get('schema')))}; this reader knows {SCHEMA}")
        return Witness()
    programs = _programs(top)
    return Witness(tuple(programs.values()), tuple(_runs(top, content, programs)))


def _programs(top: Record) -> dict[str, Program]:
    read: dict[str, Program] = {}
    for item in top.records("programs", MAX_PROGRAMS):
        name = item.text("name", exact=True)
        program = Program(name, item.text("summary"), item.text("claim"))
        if name in read:
            item.wrong("name", f"{quoted(name)} is given twice")
        if item.sound:
            read[name] = program
    return read


def _runs(top: Record, content: Json, programs: Mapping[str, Program]) -> Iterator[Run]:
    seen: set[tuple[str, ...]] = set()
    places: set[Place] = set()
    for item, raw in zip(top.records("runs", MAX_RUNS), _list(content, "runs"), strict=False):
        interpreter = item.text("interpreter", exact=True)
        run = Run(
            interpreter=interpreter,
            python=interpreter.removeprefix("cpython-"),
            version=item.text("version", exact=True),
            loop=item.text("loop", exact=True),
            task_factory=item.text("task_factory", exact=True),
            program=item.text("program", exact=True),
            strategy=item.text("strategy"),
            holds=None if _is_null(raw, "holds") else item.truth("holds"),
            expected=item.text("expected"),
            observed=item.text("observed"),
            reason=item.text("reason"),
            measured=_measured(item, raw),
            timeline=None if _is_null(raw, "timeline") else _timeline(item, raw),
        )
        if item.sound and run.program not in programs:
            item.wrong("program", f"{quoted(run.program)} is not among the programs")
        if item.sound and run.holds is None and not run.reason:
            item.wrong("reason", "is empty where holds is null")
        key = (*run.place, run.program, run.strategy)
        if item.sound and key in seen:
            item.wrong("program", f"{quoted(' / '.join(key))} is given twice")
        if item.sound and len(places | {run.place}) > MAX_PLACES:
            top.wrong("runs", f"are on more than {MAX_PLACES} Pythons, event loops, task factories")
            return
        if item.sound:
            seen.add(key)
            places.add(run.place)
            yield run


def _measured(item: Record, raw: Json) -> dict[str, float]:
    record = item.record("measured")
    measured = raw.get("measured") if isinstance(raw, dict) else None
    names = list(measured) if isinstance(measured, dict) else []
    if len(names) > MAX_MARKS or any(printable(name) != name for name in names):
        item.wrong("measured", f"is not an object of at most {MAX_MARKS} plain names")
        return {}
    return {name.removeprefix("seconds_"): _seconds(record, name) for name in names}


def _timeline(item: Record, raw: Json) -> Timeline | None:
    record = item.record("timeline")
    marks = [
        (mark, Mark(mark.text("name"), _seconds(mark, "seconds")))
        for mark in record.records("marks", MAX_MARKS)
    ]
    timeline = raw.get("timeline") if isinstance(raw, dict) else None
    tasks = [
        (task, _task(task, of_task))
        for task, of_task in zip(
            record.records("tasks", MAX_TASKS), _list(timeline, "tasks"), strict=False
        )
    ]
    if not all(part.sound for part, _ in (*marks, *tasks)) or not record.sound:
        return None
    return Timeline(tuple(mark for _, mark in marks), tuple(task for _, task in tasks))


def _task(item: Record, raw: Json) -> TaskLine:
    task = TaskLine(
        name=item.text("name"),
        created=_seconds(item, "created"),
        started=_seconds(item, "started"),
        spans=_spans(item, raw),
        finished=_seconds(item, "finished"),
    )
    moments = [task.created, task.started, *(end for span in task.spans for end in span)]
    if item.sound and [*moments, task.finished] != sorted([*moments, task.finished]):
        item.wrong("finished", "created, started, the spans and finished do not follow one another")
    return task


def _spans(item: Record, raw: Json) -> tuple[tuple[float, float], ...]:
    spans = raw.get("spans") if isinstance(raw, dict) else []
    if (
        not isinstance(spans, list)
        or len(spans) > MAX_SPANS
        or not all(
            isinstance(span, list) and len(span) == 2 and all(map(_is_time, span)) for span in spans
        )
    ):
        item.wrong("spans", f"is not a list of at most {MAX_SPANS} pairs of seconds")
        return ()
    return tuple((float(start), float(end)) for start, end in spans)


def _is_time(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value <= MAX_SECONDS  # NaN is neither


def _seconds(record: Record, key: str) -> float:
    seconds = record.number(key)
    if seconds > MAX_SECONDS:
        record.wrong(key, f"{seconds:g} s is longer than an hour")
    return seconds


def _list(raw: Json, key: str) -> list[Any]:
    """A list within unchecked JSON; empty for what is none, which the records' reader names."""
    value = raw.get(key) if isinstance(raw, dict) else None
    return value if isinstance(value, list) else []


def _is_null(raw: Json, key: str) -> bool:
    return isinstance(raw, dict) and key in raw and raw[key] is None
