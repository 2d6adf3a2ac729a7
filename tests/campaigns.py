"""Campaigns that were never measured: folders as the driver writes them, values drawn at random."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.campaign import plan as plans
from benchmarks.campaign import schema
from benchmarks.campaign.cells import MANY_BLOCKS, quantile_of
from benchmarks.cases import Case, Launcher
from benchmarks.matrix import MAIN, contender_of, control_of
from benchmarks.probes import PROBES
from benchmarks.strategies import STRATEGIES

Effect = Callable[[schema.Contender, schema.Case, str], float]
"""By how much a contender is slower than nothing in particular: added to ln(value)."""
Observe = Callable[[schema.Contender, schema.Case, str], float]
Collect = Callable[[schema.Contender, schema.Case], float]
"""The collector's time, as a share of the code's."""
FloatArray: TypeAlias = NDArray[np.float64]

SECONDS_PER_TASK = 3e-6
BYTES_PER_TASK = 1500.0
SLICE_SECONDS = 0.01
FREQUENT = 10
"""Collections of the youngest generation in a slice: enough for them to count."""
BUILD: schema.Facts = {
    "builder": "debian",
    "compiler": "GCC 14.2.0",
    "configure": "--with-lto",
    "pgo": True,
    "lto": True,
    "debug": False,
    "free_threaded": False,
    "jit": "none",
}
CONDITIONS: schema.Facts = {"loop_class": "asyncio.unix_events", "collector": "on", "gil": True}
NOOP = (Case("throughput", "noop", 100), Case("throughput", "noop", 1000))


def write(
    folder: Path,
    *,
    pythons: Sequence[str] = ("3.14.0",),
    builds: Mapping[str, schema.Facts] | None = None,
    loops: Sequence[str] = ("asyncio",),
    task_factories: Sequence[str] = ("lazy",),
    collectors: Sequence[str] = ("on",),
    strategies: Sequence[str] = MAIN,
    limits: Sequence[int] = (),
    cases: Sequence[Case] = NOOP,
    rounds: int = 12,
    sweeps: int = 3,
    noise: float = 0.01,
    drift: float = 0.0,
    effect: Effect = lambda contender, case, metric: 0.0,
    observe: Observe = lambda contender, case, name: 0.0,
    collector: Collect = lambda contender, case: 0.0,
    control: bool = True,
    old: bool = False,
    seed: int = 0,
    **fields: Any,  # noqa: ANN401 - any field of the plan
) -> Path:
    """Write a complete campaign and return its folder.

    ``noise`` is the standard deviation of ln(value) over rounds, and of sweeps within them, of
    which a round says the median; ``drift`` that of the machine, over rounds, the same for all
    contenders of a case. ``effect`` is on the code, to which ``collector`` is added. ``builds``
    are facts of a Python's build that are not :data:`BUILD`'s; ``fields`` those of the plan that
    are not the usual ones.

    An ``old`` campaign is the same in schema 1: with a value per sweep, and one control in all.
    """
    plan = plan_of(
        folder.name,
        pythons=pythons,
        builds=builds or {},
        axes=(loops, task_factories, collectors, strategies),
        limits=limits,
        cases=cases,
        control=control,
        old=old,
        seed=seed,
    )
    complete = {"status": "complete", "finished": plan.created, "rounds": rounds}
    records = [msgspec.structs.replace(case, sweeps=sweeps) for case in plan.cases]
    plan = msgspec.structs.replace(plan, **{**complete, "cases": tuple(records), **fields})
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    (folder / schema.CAMPAIGN_FILE).write_bytes(schema.encode_pretty(plan))
    pairs = plans.asked_pairs(plan)
    failed = {(one.contender, one.case): one for one in plan.failed}
    with (folder / schema.JOURNAL_FILE).open("wb") as journal:
        for number, case in itertools.product(range(rounds), plan.cases):
            asked = [
                place
                for place, one in enumerate(plan.contenders)
                if (one.id, case.id) in pairs
                and not ((fault := failed.get((one.id, case.id))) and fault.round <= number)
            ]
            machine = drift * rng.standard_normal() if drift else 0.0
            cells: dict[Any, Any] = {}
            for place in asked:
                one = plan.contenders[place]
                logs = [
                    _centre(case, metric)
                    + effect(one, case, metric)
                    + machine
                    + noise * (rng.standard_normal() + rng.standard_normal(sweeps))
                    for metric in case.metrics
                ]
                names = [row.name for row in PROBES[case.probe].observed]
                observed = {name: observe(one, case, name) for name in names}
                if old:
                    cells[one.id] = _old_cell(case, logs, observed)
                else:
                    cells[place] = _cell(case, logs, observed, collector(one, case))
            line: dict[str, Any] = {
                "round": number,
                "case": case.id,
                "started": plan.created,
                "wall_seconds": 1.0,
                "steal_seconds": 0.01,
                "cells": cells,
            }
            record = schema.OldRoundLine(schema=1, **line) if old else schema.RoundLine(**line)
            journal.write(schema.encode(record) + b"\n")
    return folder


def change_plan(folder: Path, change: Callable[[Any], object]) -> None:
    """Let ``change`` alter ``campaign.json`` of a folder, as JSON."""
    path = folder / schema.CAMPAIGN_FILE
    plan = json.loads(path.read_bytes())
    change(plan)
    path.write_text(json.dumps(plan), encoding="utf-8")


def change_lines(folder: Path, change: Callable[[list[Any]], object]) -> None:
    """Let ``change`` alter the lines of a folder's journal, as JSON."""
    path = folder / schema.JOURNAL_FILE
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    change(lines)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def only(frame: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """The rows with these values, of which there is at least one."""
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    assert len(frame), wanted
    return frame


def plan_of(
    name: str,
    *,
    pythons: Sequence[str],
    builds: Mapping[str, schema.Facts],
    axes: tuple[Sequence[str], Sequence[str], Sequence[str], Sequence[str]],
    limits: Sequence[int],
    cases: Sequence[Case],
    control: bool,
    old: bool,
    seed: int,
) -> schema.Plan:
    """A plan over every combination of the axes: loops, task factories, collectors, strategies."""
    contenders: list[schema.Contender] = []
    for python, loop, factory, collector, strategy in itertools.product(pythons, *axes):
        row = STRATEGIES[strategy]
        for limit in limits if row.bounds else (None,):
            launcher = Launcher(loop, factory, strategy, collector, limit)
            if _version(python) >= row.since:
                contenders.append(contender_of(f"cpython-{python}", launcher))
    if control:
        baselines = [one for one in contenders if one.role == "baseline"]
        contenders += map(control_of, baselines[:1] if old else baselines)
    records = [msgspec.structs.replace(one, conditions=CONDITIONS) for one in contenders]
    case_records = [_calibrated(plans.case_record(case), old=old) for case in cases]
    return schema.Plan(
        schema=1 if old else 2,
        name=name,
        preset="default",
        seed=seed,
        budget_seconds=60.0,
        precision=0.01,
        slice_seconds=0.01,
        code_hash="0" * 64,
        created="2026-11-01T00:00:00+00:00",
        machine={"id": "0123456789ab", "cpu_model": "drawn at random", "cpu_count": 2},
        interpreters=tuple(
            schema.Interpreter(
                name=f"cpython-{python}",
                version=python.partition("+")[0],
                implementation="cpython",
                build={**BUILD, **builds.get(python, {})},
                packages={"pyperf": "2.9"},
            )
            for python in pythons
        ),
        contenders=tuple(records),
        cases=tuple(case_records),
        definitions=plans.definitions(records, case_records),
        status="complete",
    )


def _version(python: str) -> tuple[int, int]:
    major, minor = python.split(".")[:2]
    return int(major), int(minor)


def _calibrated(case: schema.Case, *, old: bool) -> schema.Case:
    """The case with its loops and, where it has them, blocks and quantile."""
    if old:
        return msgspec.structs.replace(case, loops=1, splits=False, answers=False)
    quantile = quantile_of(case, MANY_BLOCKS)
    return msgspec.structs.replace(case, loops=1, blocks=MANY_BLOCKS, quantile=quantile)


def _centre(case: schema.Case, metric: str) -> float:
    each = BYTES_PER_TASK if case.unit(metric) == "byte" else SECONDS_PER_TASK
    return math.log(each * case.tasks)


def _old_cell(
    case: schema.Case, logs: Sequence[FloatArray], observed: Mapping[str, float]
) -> schema.OldCell:
    sweeps = len(logs[0])
    return schema.OldCell(
        loops=1,
        timed_seconds=SLICE_SECONDS * sweeps,
        values={name: np.exp(of).tolist() for name, of in zip(case.metrics, logs, strict=True)},
        observed={name: [value] * sweeps for name, value in observed.items()},
    )


def _cell(
    case: schema.Case,
    logs: Sequence[FloatArray],
    observed: Mapping[str, float],
    share: float,
) -> schema.Cell:
    """The quantiles lie far apart, so that one that is taken for another is seen."""
    scales = [schema.MICROS if case.unit(name) == "second" else 1.0 for name in case.metrics]
    values = [np.exp(of) * scale for of, scale in zip(logs, scales, strict=True)]
    code = [math.exp(np.median(of)) * scale for of, scale in zip(logs, scales, strict=True)]
    slices = len(values[0])
    timed = SLICE_SECONDS * slices * schema.MICROS
    collected = timed * share / (1 + share)
    young = (FREQUENT * slices, 0.75 * collected)
    return schema.Cell(
        quantiles=[[of * (1 + at - case.quantile) for at in schema.QUANTILES] for of in code],
        means=[of.tolist() for of in values],
        batches=case.loops * case.blocks * slices,
        timed_us=timed,
        collections=[young, (slices, 0.25 * collected), (0, 0.0)] if share else [],
        observed=list(observed.values()),
    )
