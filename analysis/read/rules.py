"""What the schema cannot say of a plan and its journal: ids that are known, sizes that are bounded,
numbers that can be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.read.files import Severity, quoted
from benchmarks.campaign.schema import Plan, RoundLine

MAX_CELLS: Final = 200_000
"""Contenders x cases x metrics: a full campaign has some thousands."""
MAX_ROUND_CELLS: Final = 20_000_000
"""Planned cells x rounds: the arrays of the analysis have this shape."""
MAX_TOTAL_BLOCK_IDS: Final = 2_000_000
MAX_OBSERVED_NAMES: Final = 100
"""Different ones in a campaign: there are some ten."""

SECONDS_RANGE: Final = (1e-9, 3600.0)
BYTES_RANGE: Final = (1.0, 2.0**50)
OBSERVED_RANGE: Final = (0.0, 1e15)
"""What a value can be: a batch takes at least a nanosecond and at most an hour."""

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
        if case.headline_metric not in case.metrics:
            yield (
                f"cases[{index}].headline_metric: {quoted(case.headline_metric)} is not among "
                "metrics"
            )
        if not set(case.units) <= set(case.metrics):
            yield f"cases[{index}].units: names something that is not among metrics"
    yield from _block_errors(plan)
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
        key = (one.role, *one.group, one.strategy if one.role == "contender" else "")
        if key in seen:
            yield f"contenders[{index}]: is what {quoted(seen[key])} is already: {one.role}"
        seen.setdefault(key, one.id)
    for group in dict.fromkeys(one.group for one in plan.contenders):
        if ("baseline", *group, "") not in seen:
            yield f"contenders: no baseline for {quoted(' / '.join(group))}"


def _block_errors(plan: Plan) -> Iterator[str]:
    known = {
        "contenders": {one.id for one in plan.contenders},
        "cases": {one.id for one in plan.cases},
    }
    if sum(len(one.contenders) + len(one.cases) for one in plan.blocks) > MAX_TOTAL_BLOCK_IDS:
        yield f"blocks: hold more than {MAX_TOTAL_BLOCK_IDS} names in all"
    for index, block in enumerate(plan.blocks):
        for key, ids in (("contenders", block.contenders), ("cases", block.cases)):
            strangers = sorted(set(ids) - known[key])
            if strangers:
                yield f"blocks[{index}].{key}: {quoted(strangers[0])} is not in the plan"


def line_problems(
    line: RoundLine, metrics: AbstractSet[str], sweeps: int, asked: AbstractSet[str]
) -> Iterator[Said]:
    """What the cells of a journal line are not to each other and to the plan.

    ``metrics`` are those of its case, ``sweeps`` the planned ones (0: not known), ``asked`` the ids
    of the contenders that the plan asks this case.
    """
    if not (line.cells.keys() <= asked and line.failures.keys() <= asked):
        strangers = [name for name in (*line.cells, *line.failures) if name not in asked]
        yield "error", f"{some(strangers)}: not asked this case by the plan"
    for name, cell in line.cells.items():
        if cell.values.keys() != metrics:
            measured, wanted = some(list(cell.values)), some(sorted(metrics))
            yield (
                "error",
                f"cells.{quoted(name)}: its metrics are {measured}; the case has {wanted}",
            )
    lengths = {
        len(series)
        for cell in line.cells.values()
        for series in (*cell.values.values(), *cell.observed.values())
    }
    if len(lengths) > 1:
        yield "error", "its cells have different numbers of values; every sweep gives each one"
    elif lengths and sweeps and lengths != {sweeps}:
        yield "warning", f"has {min(lengths)} sweeps; the plan says {sweeps}"


def implausible(values: NDArray[np.float64], ranges: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values cannot be, shape (values,); ``ranges`` has the least and the most of each, shape
    (values, 2).
    """
    with np.errstate(invalid="ignore"):
        return ~((values >= ranges[:, 0]) & (values <= ranges[:, 1]))


def some(names: Sequence[str]) -> str:
    """The first few of many names."""
    shown = ", ".join(quoted(name) for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
