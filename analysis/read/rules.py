"""What the schema cannot say: ids that are known, sizes that are bounded, numbers that can be, and
that the pyperf suites are the journal's.
"""

from __future__ import annotations

import math
import os
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from analysis.read.campaign import Journal
from analysis.read.files import Problems, Severity, UnreadableError, quoted, read_bytes
from benchmarks.campaign.schema import (
    JOURNAL_FILE,
    QUANTILES,
    Case,
    OldRoundLine,
    Plan,
    Record,
    RoundLine,
    SchemaError,
    Unit,
    decode,
)

MAX_CELLS: Final = 200_000
"""Contenders x cases x metrics: a full campaign has some thousands."""
MAX_ROUND_CELLS: Final = 20_000_000
"""Planned cells x rounds: the arrays of the analysis have this shape."""
MAX_TOTAL_BLOCK_IDS: Final = 2_000_000
MAX_OBSERVED_NAMES: Final = 100
"""Different ones in a campaign: there are some ten."""

RANGES: Final[Mapping[Unit, tuple[float, float]]] = {"second": (1e-9, 3600), "byte": (1, 2.0**50)}
"""What a value can be: a batch takes at least a nanosecond and at most an hour."""
MOST_OBSERVED: Final = 1e15

Said: TypeAlias = "tuple[Severity, str]"


def plan_errors(plan: Plan) -> Iterator[str]:
    """Everything wrong with a plan, each with the place of the field."""
    names = [one.name for one in plan.interpreters]
    yield from _twice("interpreters", "name", names)
    yield from _twice("contenders", "id", [one.id for one in plan.contenders])
    yield from _twice("cases", "id", [one.id for one in plan.cases])
    for index, contender in enumerate(plan.contenders):
        if contender.interpreter not in names:
            yield f"contenders[{index}].interpreter: is not among the interpreters"
    yield from _role_errors(plan)
    for index, case in enumerate(plan.cases):
        if len(set(case.metrics)) != len(case.metrics):
            yield f"cases[{index}].metrics: names one twice"
        if case.quantile not in QUANTILES:
            yield f"cases[{index}].quantile: {case.quantile} is not among those that are kept"
        if case.headline_metric not in case.metrics:
            yield (
                f"cases[{index}].headline_metric: {quoted(case.headline_metric)} is not among "
                "metrics"
            )
        if not set(case.units) <= set(case.metrics):
            yield f"cases[{index}].units: names something that is not among metrics"
    yield from _stranger_errors(plan)
    cells = len(plan.contenders) * sum(len(case.metrics) for case in plan.cases)
    if cells > MAX_CELLS:
        yield f"cases: with the contenders make {cells} cells; at most {MAX_CELLS} are read"


def _twice(place: str, key: str, names: Sequence[str]) -> Iterator[str]:
    for name, times in Counter(names).items():
        if times > 1:
            yield f"{place}: {key} {quoted(name)} is given {times} times"


def _role_errors(plan: Plan) -> Iterator[str]:
    """A group has one baseline, at most one control, and each strategy once."""
    seen: dict[tuple[str, ...], str] = {}
    for index, one in enumerate(plan.contenders):
        key = (one.role, *one.group, one.variant if one.role == "contender" else "")
        if key in seen:
            yield f"contenders[{index}]: is what {quoted(seen[key])} is already: {one.role}"
        seen.setdefault(key, one.id)
    for group in dict.fromkeys(one.group for one in plan.contenders):
        if ("baseline", *group, "") not in seen:
            yield f"contenders: no baseline for {quoted(' / '.join(group))}"


def _stranger_errors(plan: Plan) -> Iterator[str]:
    known = {
        "contenders": {one.id for one in plan.contenders},
        "cases": {one.id for one in plan.cases},
    }
    for index, failure in enumerate(plan.failed):
        for key, id_ in (("contender", failure.contender), ("case", failure.case)):
            if id_ not in known[f"{key}s"]:
                yield f"failed[{index}].{key}: {quoted(id_)} is not in the plan"
    if sum(len(one.contenders) + len(one.cases) for one in plan.blocks) > MAX_TOTAL_BLOCK_IDS:
        yield f"blocks: hold more than {MAX_TOTAL_BLOCK_IDS} names in all"
    for index, block in enumerate(plan.blocks):
        for key, ids in (("contenders", block.contenders), ("cases", block.cases)):
            strangers = sorted(set(ids) - known[key])
            if strangers:
                yield f"blocks[{index}].{key}: {quoted(strangers[0])} is not in the plan"


def line_problems(
    line: RoundLine, case: Case, observed: Sequence[str], ids: Mapping[int, str]
) -> Iterator[Said]:
    """What the cells of a journal line are not to their case; ``observed`` names what its probe
    counts, ``ids`` the contenders.
    """
    metrics = len(case.metrics)
    for place, cell in line.cells.items():
        slices = cell.slices
        for wrong, message in (
            (len(cell.quantiles) != metrics, f"has quantiles of {len(cell.quantiles)} metrics"),
            (len(cell.means) != metrics, f"has means of {len(cell.means)} metrics"),
            (any(len(one) != len(QUANTILES) for one in cell.quantiles), "lacks a quantile"),
            (not slices or any(len(one) != slices for one in cell.means), "lacks a mean"),
            (len(cell.switches) not in (0, slices), "has not as many switches as slices"),
            (len(cell.cpu_shares) not in (0, slices), "has not as many CPU shares as slices"),
            (any(one >= slices for one in cell.set_aside), "sets a slice aside that is not there"),
            (len(cell.observed) != len(observed), f"observes {len(cell.observed)} things"),
            (
                # Elsewhere collections are also of what the probe does around the timed part.
                case.splits and cell.all_collections_us > cell.timed_us,
                "collects for longer than it was timed",
            ),
        ):
            if wrong:
                who = f"cells.{place} ({quoted(ids.get(place, str(place)))})"
                has = f"has {metrics} metrics, and its probe observes {len(observed)} things"
                yield "error", f"{who}: {message}; the case {has}"


def old_line_problems(line: OldRoundLine, case: Case) -> Iterator[Said]:
    """What the cells of a journal line of schema 1 are not to each other and to their case."""
    lengths = set()
    for name, cell in line.cells.items():
        if cell.values.keys() != set(case.metrics):
            found, wanted = some(list(cell.values)), some(sorted(case.metrics))
            yield "error", f"cells.{quoted(name)}: its metrics are {found}; the case has {wanted}"
        lengths |= {len(series) for series in (*cell.values.values(), *cell.observed.values())}
    if len(lengths) > 1:
        yield "error", "its cells have different numbers of values; every sweep gives each one"
    elif lengths and case.sweeps and lengths != {case.sweeps}:
        yield "warning", f"has {min(lengths)} sweeps; the plan says {case.sweeps}"


def some(names: Sequence[str]) -> str:
    """The first few of many names."""
    shown = ", ".join(quoted(name) for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


# --- suites ---------------------------------------------------------------------------------------

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
    """Compare ``<interpreter>.json`` with the journal: the same runs, whose medians it has.

    A suite that is not there is a warning once the campaign is complete: it can be made again from
    the journal.
    """
    expected: dict[str, dict[Key, float]] = {i.name: {} for i in plan.interpreters}
    interpreter_of = {contender.id: contender.interpreter for contender in plan.contenders}
    for key, value in _runs_of_journal(plan, journal):
        expected[interpreter_of[key[0]]][key] = value
    for name, runs in expected.items():
        file = f"{name}.json"
        path = folder / file
        if not os.path.lexists(path):
            if plan.status == "complete":
                problems.warning(
                    file, None, "is missing; python -m benchmarks suites makes it from the journal"
                )
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


def _runs_of_journal(plan: Plan, journal: Journal) -> Iterator[tuple[Key, float]]:
    fields = (journal.contender, journal.case, journal.metric, journal.round, journal.values)
    for contender, case_index, metric, number, value in zip(
        *(field.tolist() for field in fields), strict=True
    ):
        case = plan.cases[case_index]
        yield (plan.contenders[contender].id, case.id, case.metrics[metric], number), value


def _differences(suite: Suite, expected: dict[Key, float]) -> Iterator[str]:
    left = dict(expected)
    for key, values in _runs_of_suite(suite):
        if key not in expected:
            yield f"has a run that the journal has not: {_place(key)}"
        elif key not in left:
            yield f"has a run twice: {_place(key)}"
        else:
            known = left.pop(key)
            if not math.isclose(statistics.median(values), known, rel_tol=RELATIVE_TOLERANCE):
                yield f"has a run that differs from the journal's: {_place(key)}"
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
