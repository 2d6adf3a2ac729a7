"""Campaigns that were never measured: folders as the driver writes them, values drawn at random."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.campaign import plan as plans
from benchmarks.campaign import schema
from benchmarks.cases import Case, Launcher
from benchmarks.matrix import MAIN, contender_of, control_of
from benchmarks.probes import PROBES
from benchmarks.strategies import STRATEGIES

Effect = Callable[[schema.Contender, schema.Case, str], float]
"""By how much a contender is slower than nothing in particular: added to ln(value)."""
Observe = Callable[[schema.Contender, schema.Case, str], float]

SECONDS_PER_TASK = 3e-6
BYTES_PER_TASK = 1500.0
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
    cases: Sequence[Case] = NOOP,
    rounds: int = 12,
    sweeps: int = 3,
    noise: float = 0.01,
    drift: float = 0.0,
    effect: Effect = lambda contender, case, metric: 0.0,
    observe: Observe = lambda contender, case, name: 0.0,
    control: bool = True,
    seed: int = 0,
    **fields: Any,  # noqa: ANN401 - any field of the plan
) -> Path:
    """Write a complete campaign and return its folder.

    ``noise`` is the standard deviation of ln(value) over rounds, and of sweeps within them;
    ``drift`` that of the machine over sweeps, which is the same for all contenders of a case.
    ``builds`` are facts of a Python's build that are not :data:`BUILD`'s; ``fields`` those of the
    plan that are not the usual ones.
    """
    plan = plan_of(
        folder.name,
        pythons=pythons,
        builds=builds or {},
        axes=(loops, task_factories, collectors, strategies),
        cases=cases,
        control=control,
        seed=seed,
    )
    complete = {"status": "complete", "finished": plan.created, "rounds": rounds}
    records = [msgspec.structs.replace(case, sweeps=sweeps, loops=1) for case in plan.cases]
    plan = msgspec.structs.replace(plan, **{**complete, "cases": tuple(records), **fields})
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    (folder / schema.CAMPAIGN_FILE).write_bytes(schema.encode_pretty(plan))
    pairs = plans.asked_pairs(plan)
    failed = {(one.contender, one.case): one for one in plan.failed}
    with (folder / schema.JOURNAL_FILE).open("wb") as journal:
        for number, case in itertools.product(range(rounds), plan.cases):
            asked = [
                one
                for one in plan.contenders
                if (one.id, case.id) in pairs
                and not ((fault := failed.get((one.id, case.id))) and fault.round <= number)
            ]
            machine = drift * rng.standard_normal(sweeps) if drift else np.zeros(sweeps)
            cells = {
                one.id: _cell(one, case, machine, noise, effect, observe, rng) for one in asked
            }
            line = schema.RoundLine(
                round=number,
                case=case.id,
                started=plan.created,
                wall_seconds=1.0,
                steal_seconds=0.01,
                cells=cells,
            )
            journal.write(schema.encode(line) + b"\n")
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
    cases: Sequence[Case],
    control: bool,
    seed: int,
) -> schema.Plan:
    """A plan over every combination of the axes: loops, task factories, collectors, strategies."""
    contenders: list[schema.Contender] = []
    for python, loop, factory, collector, strategy in itertools.product(pythons, *axes):
        launcher = Launcher(loop, factory, strategy, collector)
        if _version(python) >= STRATEGIES[strategy].since:
            contenders.append(contender_of(f"cpython-{python}", launcher))
    if control:
        contenders.append(control_of(contenders[0]))
    records = [msgspec.structs.replace(one, conditions=CONDITIONS) for one in contenders]
    case_records = [plans.case_record(case) for case in cases]
    return schema.Plan(
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


def _cell(
    contender: schema.Contender,
    case: schema.Case,
    machine: NDArray[np.float64],
    noise: float,
    effect: Effect,
    observe: Observe,
    rng: np.random.Generator,
) -> schema.Cell:
    values, sweeps = {}, len(machine)
    for metric in case.metrics:
        each = BYTES_PER_TASK if case.unit(metric) == "byte" else SECONDS_PER_TASK
        centre = math.log(each * case.tasks) + effect(contender, case, metric)
        logs = centre + machine + noise * (rng.standard_normal() + rng.standard_normal(sweeps))
        values[metric] = np.exp(logs).tolist()
    names = [row.name for row in PROBES[case.probe].observed]
    observed = {name: [observe(contender, case, name)] * sweeps for name in names}
    return schema.Cell(loops=1, timed_seconds=0.01 * sweeps, values=values, observed=observed)
