"""Campaign folders with effects that are known, for tests of whatever reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

METRICS = {
    "throughput": ("total",),
    "latency": ("first_step", "p50", "p99", "max"),
    "head_start": ("makespan",),
    "stall": ("longest_wait",),
    "failure": ("known", "clean"),
    "cancel": ("cancelled", "clean"),
    "memory": ("steady", "peak"),
}
HEADLINE = {
    "throughput": "total",
    "latency": "p99",
    "head_start": "makespan",
    "stall": "longest_wait",
    "failure": "known",
    "cancel": "cancelled",
    "memory": "steady",
}
SHARE_OF_TOTAL = {
    "total": 1.0,
    "first_step": 0.3,
    "p50": 0.7,
    "p99": 0.95,
    "max": 1.0,
    "makespan": 1.0,
    "longest_wait": 0.6,
    "known": 0.4,
    "clean": 0.8,
    "cancelled": 0.5,
    "steady": 1.0,
    "peak": 1.25,
}
"""Of what a probe measures (:func:`amount`)."""
OWN_WORKLOADS = {"cancel": "pending", "memory": "pending"}
WORK_SECONDS = {"sleep": 0.005, "sleep_20ms": 0.020}
TREE_TASKS = sum(6**level for level in range(7))
PAUSES = {
    "none": (0.0, False),
    "sleep_5ms": (0.005, True),
    "sleep_20ms": (0.020, True),
    "compute_10ms": (0.010, False),
}
"""Length in seconds, and whether the caller gives way."""
STARTS_AT_CREATION = ("gather_tasks", "task_group", "wait", "as_completed")
"""Strategies whose children can run before they are joined."""
CANCELS_SIBLINGS = ("task_group",)


@dataclass(frozen=True)
class World:
    """The truth behind a synthetic campaign.

    ``effects`` are true ratios to the baseline by strategy; ``loop_factors`` the cost of a loop
    relative to asyncio, ``python_factors`` that of a Python relative to those not named, likewise
    ``factory_factors`` of task factories, and ``collector_factors``, by collector, of strategies.
    The cost of a fan-out is ``(fixed + per_task * n) * loop * python * factory * collector *
    effect``; a value is what the probe makes of it (:func:`amount`) ``* drift(round, sweep) *
    noise``, but lengths that are given, a pause and a timer, do not drift.
    """

    effects: Mapping[str, float] = field(
        default_factory=lambda: {"gather_tasks": 1.02, "task_group": 1.10}
    )
    loop_factors: Mapping[str, float] = field(
        default_factory=lambda: {"asyncio": 1.0, "uvloop": 0.8}
    )
    python_factors: Mapping[str, float] = field(default_factory=dict)
    factory_factors: Mapping[str, float] = field(default_factory=dict)
    collector_factors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    fixed_seconds: float = 10e-6
    seconds_per_task: float = 3e-6
    bytes_per_task: float = 2000.0
    collections_per_task: float = 0.001
    drift: float = 0.2
    round_noise: float = 0.004
    value_noise: float = 0.01
    control_effect: float = 1.0


def write_campaign(
    folder: Path,
    *,
    world: World | None = None,
    rounds: int = 12,
    sweeps: int = 5,
    probes: Sequence[str] = ("throughput", "latency"),
    workloads: Sequence[str] = ("noop", "yield_once"),
    tasks: Sequence[int] = (1, 10, 100, 1000, 10_000),
    pythons: Sequence[str] = ("3.14.10",),
    builds: Mapping[str, Mapping[str, Any]] | None = None,
    lacking: Mapping[str, Sequence[str]] | None = None,
    factories: Sequence[str] = ("lazy",),
    collectors: Sequence[str] = ("on",),
    pauses: Sequence[str] = ("none",),
    asks: Asks | None = None,
    seed: int = 1,
    status: str = "complete",
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Write a valid campaign of schema 1 under ``folder`` and return it; ``changes`` override keys
    of campaign.json.

    A Python is a version, which may end in "t" (free-threaded) or in "+" and who built it. By
    Python, ``builds`` are facts of its build that differ from the others', and ``lacking`` are
    strategies it does not have. The probe head_start is asked with each of ``pauses``. ``asks``
    says of every contender and case of the plan whether they belong together, for the plan's
    blocks. A campaign of the earlier probes and axes alone is written as it was before there were
    others, without the fields that came with them.
    """
    builds, lacking = builds or {}, lacking or {}
    world = world or World()
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    contenders = _contenders(world, pythons, lacking, factories, collectors)
    cases = [
        _case(probe, workload, n, pause, sweeps)
        for probe in probes
        for workload in ([OWN_WORKLOADS[probe]] if probe in OWN_WORKLOADS else workloads)
        for n in tasks
        for pause in (pauses if probe == "head_start" else ("none",))
    ]
    asked = asks or (lambda contender, case: True)
    earlier = (
        {*probes} <= {"throughput", "latency"}
        and (*factories, *collectors) == ("lazy", "on")
        and asks is None
        and "tree" not in workloads
    )
    if earlier:
        for item in (*contenders, *cases):
            for name in LATER_FIELDS:
                item.pop(name, None)
    plan: dict[str, Any] = {
        "schema": 1,
        "name": folder.name,
        "status": status,
        "preset": "default",
        "seed": seed,
        "budget_seconds": 220.0,
        "precision": 0.01,
        "slice_seconds": 0.01,
        "code_hash": "0" * 64,
        "created": "2026-01-02T03:04:05+00:00",
        "finished": "2026-01-02T03:08:05+00:00",
        "elapsed_seconds": 240.0,
        "rounds": rounds,
        "machine": {
            "id": "a1b2c3d4",
            "cpu_model": "Synthetic CPU",
            "cpu_count": 2,
            "system": "Linux 6.1 x86_64",
            "measured_core": 1,
            "driver_cores": [0],
        },
        "interpreters": [
            {
                "name": f"cpython-{version}",
                "version": version.partition("+")[0].rstrip("t"),
                "implementation": "cpython",
                "build": {
                    "compiler": "GCC 14.2.0",
                    "optimised": True,
                    "pgo": True,
                    "lto": True,
                    "debug": False,
                    "free_threaded": version.endswith("t"),
                    **builds.get(version, {}),
                },
            }
            for version in pythons
        ],
        "contenders": contenders,
        "cases": cases,
        "skipped": [
            {
                "contender": {
                    "interpreter": f"cpython-{version}",
                    "loop": loop,
                    "task_factory": "lazy",
                    "strategy": strategy,
                },
                "reason": f"{strategy} needs a newer Python",
            }
            for version, strategies in lacking.items()
            for strategy in strategies
            for loop in world.loop_factors
        ],
        "failed": [],
    }
    if asks:
        plan["blocks"] = _blocks(contenders, cases, asks)
    plan.update(changes or {})
    (folder / "campaign.json").write_text(json.dumps(plan, indent=1), encoding="utf-8")
    with (folder / "rounds.jsonl").open("w", encoding="utf-8") as journal:
        for round_index in range(rounds):
            machine_speed = float(np.exp(world.drift * rng.standard_normal()))
            luck = {
                c["id"]: float(np.exp(world.round_noise * rng.standard_normal()))
                for c in contenders
            }
            for case in cases:
                here = [contender for contender in contenders if asked(contender, case)]
                line = _line(world, rng, round_index, case, here, machine_speed, luck)
                if earlier:
                    for cell in line["cells"].values():
                        del cell["observed"]
                if here:
                    journal.write(json.dumps(line) + "\n")
    return folder


QUESTION = World(
    effects={
        "gather_tasks": 1.02,
        "task_group": 1.10,
        "wait": 1.05,
        "as_completed": 1.20,
        "sequential": 0.90,
    },
    factory_factors={"eager": 0.6},
    collector_factors={"off": {"task_group": 0.8}},
)
"""All strategies. An eager task factory saves 40 %; without a collector TaskGroup is faster than
the baseline, which it is not with one.
"""


def question_asks(contender: Mapping[str, Any], case: Mapping[str, Any]) -> bool:
    """The collector is an axis of throughput alone, the task factory of that and the head start;
    what awaits one after another is asked of throughput only.
    """
    probe = case["probe"]
    if contender["collector"] != "on" or contender["strategy"] == "sequential":
        return bool(probe == "throughput")
    return contender["task_factory"] == "lazy" or probe in ("throughput", "head_start")


def write_question(folder: Path, **options: Any) -> Path:  # noqa: ANN401
    """A small campaign of every probe and axis; ``options`` are those of :func:`write_campaign`."""
    chosen: dict[str, Any] = {
        "world": QUESTION,
        "rounds": 8,
        "sweeps": 3,
        "probes": tuple(METRICS),
        "workloads": ("noop", "sleep_20ms", "tree"),
        "tasks": (10, 1000),
        "factories": ("lazy", "eager"),
        "collectors": ("on", "off", "frozen"),
        "pauses": tuple(PAUSES),
        "asks": question_asks,
    }
    return write_campaign(folder, **{**chosen, **options})


Asks = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
"""Whether a contender is asked a case, both as the plan has them."""

LATER_FIELDS = ("collector", "pause", "pause_seconds", "pause_suspends", "work_seconds",
                "tasks_each", "units")  # fmt: skip


def _case(probe: str, workload: str, tasks: int, pause: str, sweeps: int) -> dict[str, Any]:
    seconds, suspends = PAUSES[pause]
    unit = "byte" if probe == "memory" else "second"
    return {
        "id": f"{probe}/{workload}/{tasks}" + (f"/{pause}" if pause != "none" else ""),
        "probe": probe,
        "workload": workload,
        "tasks": tasks,
        "sweeps": sweeps,
        "metrics": list(METRICS[probe]),
        "headline_metric": HEADLINE[probe],
        "pause": pause,
        "pause_seconds": seconds,
        "pause_suspends": suspends,
        "work_seconds": WORK_SECONDS.get(workload),
        "tasks_each": TREE_TASKS if workload == "tree" else 1,
        "units": dict.fromkeys(METRICS[probe], unit),
    }


def _blocks(
    contenders: Sequence[Mapping[str, Any]], cases: Sequence[Mapping[str, Any]], asks: Asks
) -> list[dict[str, list[str]]]:
    """One block for all cases that are asked of the same contenders."""
    cases_of: dict[tuple[str, ...], list[str]] = {}
    for case in cases:
        ids = tuple(contender["id"] for contender in contenders if asks(contender, case))
        cases_of.setdefault(ids, []).append(case["id"])
    return [{"contenders": list(ids), "cases": of} for ids, of in cases_of.items() if ids]


def _contenders(
    world: World,
    pythons: Sequence[str],
    lacking: Mapping[str, Sequence[str]],
    factories: Sequence[str],
    collectors: Sequence[str],
) -> list[dict[str, Any]]:
    contenders: list[dict[str, Any]] = [
        {
            "id": f"cpython-{version}/{loop}/{factory}/{strategy}"
            + (f"/{collector}" if collector != "on" else ""),
            "interpreter": f"cpython-{version}",
            "loop": loop,
            "task_factory": factory,
            "collector": collector,
            "strategy": strategy,
            "role": "baseline" if strategy == "gather_coroutines" else "contender",
            "conditions": {"loop_class": f"{loop}.Loop", "collector": collector},
        }
        for version in pythons
        for loop in world.loop_factors
        for factory in factories
        for collector in collectors
        for strategy in ("gather_coroutines", *world.effects)
        if strategy not in lacking.get(version, ())
    ]
    first = contenders[0]
    contenders.append({**first, "id": first["id"] + "/control", "role": "control"})
    return contenders


def cost(world: World, contender: Mapping[str, Any], tasks: int) -> float:
    """Seconds that this contender truly spends on a fan-out of so many tasks."""
    strategy = contender["strategy"]
    effect = world.effects.get(strategy, 1.0)
    if contender["role"] == "control":
        effect = world.control_effect
    version = contender["interpreter"].removeprefix("cpython-")
    of_collector = world.collector_factors.get(contender.get("collector", "on"), {})
    return (
        (world.fixed_seconds + world.seconds_per_task * tasks)
        * world.loop_factors[contender["loop"]]
        * world.python_factors.get(version, 1.0)
        * world.factory_factors.get(contender["task_factory"], 1.0)
        * of_collector.get(strategy, 1.0)
        * effect
    )


def ideal(contender: Mapping[str, Any], case: Mapping[str, Any]) -> float:
    """Seconds that a pause and timers take when nothing else takes any."""
    pause, work = float(case["pause_seconds"]), float(case["work_seconds"] or 0.0)
    if contender["strategy"] == "sequential":
        return pause + work * int(case["tasks"])
    return max(pause, work) if starts_early(contender, case) else pause + work


def starts_early(contender: Mapping[str, Any], case: Mapping[str, Any]) -> bool:
    """Whether children take their first step before they are joined."""
    gives_way = case["pause_suspends"] or contender["task_factory"] == "eager"
    return contender["strategy"] in STARTS_AT_CREATION and gives_way and case["pause"] != "none"


def observed_in(
    world: World, contender: Mapping[str, Any], case: Mapping[str, Any]
) -> dict[str, float]:
    """What is truly seen beside every value."""
    tasks = case["tasks"]
    collects = contender.get("collector", "on") == "on"
    seen = {"collections": world.collections_per_task * tasks if collects else 0.0}
    if case["probe"] == "head_start":
        early = starts_early(contender, case)
        work = case["work_seconds"] or 0.0
        # While the caller computes, no timer is looked at.
        done = early and (not work or (case["pause_suspends"] and work <= case["pause_seconds"]))
        seen |= {"share_before_join": float(done), "started_before_join": float(early)}
    elif case["probe"] == "failure":
        stopped = tasks - 1 if contender["strategy"] in CANCELS_SIBLINGS else 0
        seen |= {
            "siblings_finished": 0.0,
            "siblings_ran_on": float(tasks - 1 - stopped),
            "siblings_cancelled": float(stopped),
            "siblings_never_started": 0.0,
        }
    elif case["probe"] == "cancel":
        seen |= {"left_running": float(tasks if contender["strategy"] == "wait" else 0)}
    return seen


def amount(world: World, contender: Mapping[str, Any], case: Mapping[str, Any]) -> float:
    """What drifts of the amount that the probe measures: seconds of work, or bytes."""
    if case["probe"] == "memory":
        effect = world.effects.get(contender["strategy"], 1.0)
        return world.bytes_per_task * int(case["tasks"]) * effect
    return cost(world, contender, case["tasks"])


def _line(
    world: World,
    rng: np.random.Generator,
    round_index: int,
    case: Mapping[str, Any],
    contenders: Sequence[Mapping[str, Any]],
    machine_speed: float,
    luck: Mapping[str, float],
) -> dict[str, Any]:
    sweeps = case["sweeps"]
    sweep_speed = machine_speed * np.exp(world.drift / 4 * rng.standard_normal(sweeps))
    if case["probe"] == "memory":
        sweep_speed = np.ones(sweeps)
    cells = {}
    for contender in contenders:
        values = (
            amount(world, contender, case)
            * luck[contender["id"]]
            * sweep_speed
            * np.exp(world.value_noise * rng.standard_normal(sweeps))
        )
        if case["probe"] == "head_start":
            values = ideal(contender, case) + values
        cells[contender["id"]] = {
            "loops": max(1, int(0.01 / values[0])),
            "timed_seconds": float(0.01 * sweeps),
            "values": {
                metric: [float(value * SHARE_OF_TOTAL[metric]) for value in values]
                for metric in case["metrics"]
            },
            "observed": {
                name: [seen] * sweeps for name, seen in observed_in(world, contender, case).items()
            },
        }
    return {
        "schema": 1,
        "round": round_index,
        "case": case["id"],
        "started": f"2026-01-02T03:{4 + round_index // 60:02}:{round_index % 60:02}+00:00",
        "wall_seconds": 0.013 * sweeps * len(contenders),
        "steal_seconds": 0.0,
        "cells": cells,
        "failures": {},
    }


def change_plan(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Rewrite campaign.json after ``change`` has altered it in place."""
    path = folder / "campaign.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    change(plan)
    path.write_text(json.dumps(plan), encoding="utf-8")


def change_lines(folder: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Rewrite rounds.jsonl after ``change`` has altered its lines in place."""
    path = folder / "rounds.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def fail(folder: Path, contender: str, case: str, *, round_index: int, cause: str) -> None:
    """Make a contender fail in a case from a round on, as a campaign records it."""

    def in_lines(lines: list[dict[str, Any]]) -> None:
        for line in lines:
            if line["case"] == case and line["round"] >= round_index:
                del line["cells"][contender]
                if line["round"] == round_index:
                    line["failures"][contender] = cause

    failure = {"contender": contender, "case": case, "round": round_index, "cause": cause}
    change_lines(folder, in_lines)
    change_plan(folder, lambda plan: plan["failed"].append(failure))
