"""Compares the pyperf suites of a campaign with its journal, reading them as plain JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.campaign import Plan
from analysis.journal import FILE as JOURNAL_FILE
from analysis.journal import Journal
from analysis.validate import Json, Problems, UnreadableError, quoted, read_json

RELATIVE_TOLERANCE = 1e-9

_BYTES_PER_JOURNAL_BYTE = 32
_SMALLEST_LIMIT_BYTES = 2**20

Key: TypeAlias = "tuple[str, str, str, int]"
"""Contender, case, metric, round."""


def check_suites(folder: Path, plan: Plan, journal: Journal, problems: Problems) -> None:
    """Compare ``<interpreter>.json`` with the journal: the same runs, the same values.

    A suite that is not there is a warning once the campaign is complete: it can be made again from
    the journal.
    """
    interpreter_of = {contender.id: contender.interpreter for contender in plan.contenders}
    expected: dict[str, dict[Key, NDArray[np.float64]]] = {i.name: {} for i in plan.interpreters}
    for key, values in _runs_of_journal(plan, journal):
        expected[interpreter_of[key[0]]][key] = values
    for interpreter in plan.interpreters:
        file = f"{interpreter.name}.json"
        path = folder / file
        if not path.exists() and not path.is_symlink():
            if plan.status == "complete":
                problems.warning(file, None, "is missing; it can be made again from the journal")
            continue
        try:
            # A suite is derived from the journal: one much larger is something else.
            journal_bytes = (folder / JOURNAL_FILE).lstat().st_size
            content = read_json(
                path, _SMALLEST_LIMIT_BYTES + _BYTES_PER_JOURNAL_BYTE * journal_bytes
            )
            _compare(file, content, expected[interpreter.name], problems)
        except (UnreadableError, OSError) as error:
            problems.error(file, None, str(error))


def _runs_of_journal(plan: Plan, journal: Journal) -> Iterator[tuple[Key, NDArray[np.float64]]]:
    ends = np.cumsum(journal.count).tolist()
    start = 0
    for contender, case_index, metric, number, end in zip(
        journal.contender.tolist(),
        journal.case.tolist(),
        journal.metric.tolist(),
        journal.round.tolist(),
        ends,
        strict=True,
    ):
        case = plan.cases[case_index]
        key = (plan.contenders[contender].id, case.id, case.metrics[metric], number)
        yield key, journal.values[start:end]
        start = end


def _compare(
    file: str, content: Json, expected: dict[Key, NDArray[np.float64]], problems: Problems
) -> None:
    left = dict(expected)
    for key, values in _runs_of_suite(content):
        place = (
            f"contender {quoted(key[0])}, case {quoted(key[1])}, {quoted(key[2])}, round {key[3]}"
        )
        if key not in expected:
            problems.error(file, None, f"has a run that the journal has not: {place}")
        elif key not in left:
            problems.error(file, None, f"has a run twice: {place}")
        else:
            known = left.pop(key)
            if len(values) != len(known):
                message = f"{len(values)} values where the journal has {len(known)}: {place}"
                problems.error(file, None, message)
            elif not np.allclose(values, known, rtol=RELATIVE_TOLERANCE, atol=0, equal_nan=True):
                problems.error(file, None, f"values that differ from the journal's: {place}")
    if left:
        key = next(iter(left))
        first = (
            f"contender {quoted(key[0])}, case {quoted(key[1])}, {quoted(key[2])}, round {key[3]}"
        )
        problems.error(file, None, f"lacks {len(left)} runs of the journal, the first: {first}")


def _runs_of_suite(content: Json) -> Iterator[tuple[Key, list[float]]]:
    """The runs with their metadata, which pyperf hoists to where they are common to all."""
    suite = _mapping(content, "the suite")
    common = _mapping(suite.get("metadata", {}), "metadata")
    for benchmark in _sequence(suite.get("benchmarks"), "benchmarks"):
        shared = {
            **common,
            **_mapping(_mapping(benchmark, "a benchmark").get("metadata", {}), "metadata"),
        }
        for run in _sequence(benchmark.get("runs"), "runs"):
            facts = {**shared, **_mapping(_mapping(run, "a run").get("metadata", {}), "metadata")}
            if "values" in run:
                yield _key(facts), _numbers(run["values"])


def _key(facts: Mapping[str, Any]) -> Key:
    texts = [facts.get(name) for name in ("contender", "case", "metric")]
    number = facts.get("round")
    if not all(isinstance(text, str) for text in texts) or type(number) is not int:
        raise UnreadableError("has a run whose metadata lack contender, case, metric or round")
    return (*texts, number)  # type: ignore[return-value]


def _numbers(values: Json) -> list[float]:
    numbers = _sequence(values, "values")
    if not set(map(type, numbers)) <= {int, float}:
        raise UnreadableError("has values that are not numbers")
    return numbers


def _mapping(value: Json, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableError(f"is not a pyperf suite: {name} is not an object")
    return value


def _sequence(value: Json, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise UnreadableError(f"is not a pyperf suite: {name} is not a list")
    return value
