"""Compares the pyperf suites of a campaign with its journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from analysis.read.campaign import Journal
from analysis.read.files import Problems, UnreadableError, quoted, read_bytes
from benchmarks.campaign.schema import JOURNAL_FILE, Plan, Record, SchemaError, decode

RELATIVE_TOLERANCE: Final = 1e-9

_BYTES_PER_JOURNAL_BYTE: Final = 32
_SMALLEST_LIMIT_BYTES: Final = 2**20

Key: TypeAlias = "tuple[str, str, str, int]"
"""Contender, case, metric, round."""


class Run(Record, frozen=True, kw_only=True):
    """A run of a pyperf suite; one that only calibrates has no values."""

    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    values: list[float] = msgspec.field(default_factory=list)


class Benchmark(Record, frozen=True, kw_only=True):
    """A benchmark of a pyperf suite."""

    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    runs: list[Run]


class Suite(Record, frozen=True, kw_only=True):
    """A pyperf suite: metadata that is common to all stands where it is."""

    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    benchmarks: list[Benchmark]


def check_suites(folder: Path, plan: Plan, journal: Journal, problems: Problems) -> None:
    """Compare ``<interpreter>.json`` with the journal: the same runs, the same values.

    A suite that is not there is a warning once the campaign is complete: it can be made again from
    the journal.
    """
    expected: dict[str, dict[Key, NDArray[np.float64]]] = {i.name: {} for i in plan.interpreters}
    interpreter_of = {contender.id: contender.interpreter for contender in plan.contenders}
    for key, values in _runs_of_journal(plan, journal):
        expected[interpreter_of[key[0]]][key] = values
    for name, runs in expected.items():
        file = f"{name}.json"
        path = folder / file
        if not path.exists() and not path.is_symlink():
            if plan.status == "complete":
                problems.warning(file, None, "is missing; it can be made again from the journal")
            continue
        try:
            # A suite is derived from the journal: one much larger is something else.
            journal_bytes = (folder / JOURNAL_FILE).lstat().st_size
            limit = _SMALLEST_LIMIT_BYTES + _BYTES_PER_JOURNAL_BYTE * journal_bytes
            suite = decode(read_bytes(path, limit), Suite)
            for message in _differences(suite, runs):
                problems.error(file, None, message)
        except (UnreadableError, OSError) as error:
            problems.error(file, None, str(error))
        except SchemaError as error:
            problems.error(file, None, f"is not a pyperf suite: {error}")


def _runs_of_journal(plan: Plan, journal: Journal) -> Iterator[tuple[Key, NDArray[np.float64]]]:
    fields = (journal.contender, journal.case, journal.metric, journal.round)
    for contender, case_index, metric, number, start, count in zip(
        *(field.tolist() for field in (*fields, journal.start, journal.count)), strict=True
    ):
        case = plan.cases[case_index]
        key = (plan.contenders[contender].id, case.id, case.metrics[metric], number)
        yield key, journal.values[start : start + count]


def _differences(suite: Suite, expected: dict[Key, NDArray[np.float64]]) -> Iterator[str]:
    left = dict(expected)
    for key, values in _runs_of_suite(suite):
        if key not in expected:
            yield f"has a run that the journal has not: {_place(key)}"
        elif key not in left:
            yield f"has a run twice: {_place(key)}"
        else:
            known = left.pop(key)
            if len(values) != len(known):
                yield f"{len(values)} values where the journal has {len(known)}: {_place(key)}"
            elif not np.allclose(values, known, rtol=RELATIVE_TOLERANCE, atol=0, equal_nan=True):
                yield f"values that differ from the journal's: {_place(key)}"
    if left:
        yield f"lacks {len(left)} runs of the journal, the first: {_place(next(iter(left)))}"


def _place(key: Key) -> str:
    return f"contender {quoted(key[0])}, case {quoted(key[1])}, {quoted(key[2])}, round {key[3]}"


def _runs_of_suite(suite: Suite) -> Iterator[tuple[Key, list[float]]]:
    """The runs with their metadata. Raises UnreadableError for one that does not say what it is."""
    for benchmark in suite.benchmarks:
        for run in benchmark.runs:
            facts = {**suite.metadata, **benchmark.metadata, **run.metadata}
            texts = [facts.get(name) for name in ("contender", "case", "metric")]
            number = facts.get("round")
            if not all(isinstance(text, str) for text in texts) or not isinstance(number, int):
                raise UnreadableError(
                    "has a run whose metadata lack contender, case, metric or round"
                )
            if run.values:
                yield (str(texts[0]), str(texts[1]), str(texts[2]), number), run.values
