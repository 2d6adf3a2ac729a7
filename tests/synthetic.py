"""Campaign folders with effects that are known, for tests of whatever reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

METRICS = {"throughput": ("total",), "latency": ("first_step", "p50", "p99", "max")}
HEADLINE = {"throughput": "total", "latency": "p99"}
SHARE_OF_TOTAL = {"total": 1.0, "first_step": 0.3, "p50": 0.7, "p99": 0.95, "max": 1.0}


@dataclass(frozen=True)
class World:
    """The truth behind a synthetic campaign.

    ``effects`` are true ratios to the baseline by strategy; ``loop_factors`` the cost of a loop
    relative to asyncio, ``python_factors`` that of a Python relative to those not named. A value is
    ``(fixed + per_task * n) * loop * python * effect * drift(round, sweep) * noise``.
    """

    effects: Mapping[str, float] = field(
        default_factory=lambda: {"gather_tasks": 1.02, "task_group": 1.10}
    )
    loop_factors: Mapping[str, float] = field(
        default_factory=lambda: {"asyncio": 1.0, "uvloop": 0.8}
    )
    python_factors: Mapping[str, float] = field(default_factory=dict)
    fixed_seconds: float = 10e-6
    seconds_per_task: float = 3e-6
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
    seed: int = 1,
    status: str = "complete",
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Write a valid campaign of schema 1 under ``folder`` and return it; ``changes`` override keys
    of campaign.json.

    A Python is a version, which may end in "t" (free-threaded) or in "+" and who built it. By
    Python, ``builds`` are facts of its build that differ from the others', and ``lacking`` are
    strategies it does not have.
    """
    builds, lacking = builds or {}, lacking or {}
    world = world or World()
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    contenders = _contenders(world, pythons, lacking)
    cases = [
        {
            "id": f"{probe}/{workload}/{n}",
            "probe": probe,
            "workload": workload,
            "tasks": n,
            "sweeps": sweeps,
            "metrics": list(METRICS[probe]),
            "headline_metric": HEADLINE[probe],
        }
        for probe in probes
        for workload in workloads
        for n in tasks
    ]
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
                line = _line(world, rng, round_index, case, contenders, machine_speed, luck)
                journal.write(json.dumps(line) + "\n")
    return folder


def _contenders(
    world: World, pythons: Sequence[str], lacking: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    contenders: list[dict[str, Any]] = [
        {
            "id": f"cpython-{version}/{loop}/lazy/{strategy}",
            "interpreter": f"cpython-{version}",
            "loop": loop,
            "task_factory": "lazy",
            "strategy": strategy,
            "role": "baseline" if strategy == "gather_coroutines" else "contender",
            "conditions": {"loop_class": f"{loop}.Loop", "collector": "on"},
        }
        for version in pythons
        for loop in world.loop_factors
        for strategy in ("gather_coroutines", *world.effects)
        if strategy not in lacking.get(version, ())
    ]
    first = contenders[0]
    contenders.append({**first, "id": first["id"] + "/control", "role": "control"})
    return contenders


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
    cells = {}
    for contender in contenders:
        effect = world.effects.get(contender["strategy"], 1.0)
        if contender["role"] == "control":
            effect = world.control_effect
        seconds = (
            (world.fixed_seconds + world.seconds_per_task * case["tasks"])
            * world.loop_factors[contender["loop"]]
            * world.python_factors.get(contender["interpreter"].removeprefix("cpython-"), 1.0)
            * effect
            * luck[contender["id"]]
            * sweep_speed
            * np.exp(world.value_noise * rng.standard_normal(sweeps))
        )
        cells[contender["id"]] = {
            "loops": max(1, int(0.01 / seconds[0])),
            "timed_seconds": float(0.01 * sweeps),
            "values": {
                metric: [float(value * SHARE_OF_TOTAL[metric]) for value in seconds]
                for metric in case["metrics"]
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
