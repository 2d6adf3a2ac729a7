"""What a campaign will do, fixed before anything is measured."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.campaign.interpreters import REPOSITORY, Interpreter
from benchmarks.cases import USUAL_COLLECTOR, USUAL_PAUSE, Case, Contender, Launcher
from benchmarks.conditions import Scalar
from benchmarks.matrix import Block, Skipped
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES

SCHEMA = 1
SLICE_SECONDS = 0.010
TURN_LIMIT_SECONDS = 60.0
DRIVER_MODULES = frozenset({"__main__.py", "matrix.py"})
"""The modules beside the measured ones that never run in a measured process."""


@dataclass(frozen=True)
class Plan:
    """A campaign before its first round; ``precision`` is the half-width to reach, as a share.
    Without ``blocks`` every contender is asked every case.
    """

    name: str
    preset: str
    seed: int
    budget_seconds: float
    precision: float
    turn_limit_seconds: float
    code_hash: str
    created: str
    machine: Mapping[str, Scalar | list[int]]
    interpreters: tuple[Interpreter, ...]
    contenders: tuple[Contender, ...]
    cases: tuple[Case, ...]
    skipped: tuple[Skipped, ...]
    blocks: tuple[Block, ...] = ()

    def asks(self, contender: Contender, case: Case) -> bool:
        """Whether the contender is asked the case."""
        return not self.blocks or (contender, case) in self._asked

    @functools.cached_property
    def _asked(self) -> frozenset[tuple[Contender, Case]]:
        return frozenset(
            itertools.chain.from_iterable(
                itertools.product(block.contenders, block.cases) for block in self.blocks
            )
        )

    def baseline_of(self, contender: Contender) -> Contender:
        """The contender it is compared with."""
        return next(
            other
            for other in self.contenders
            if other.role == "baseline" and other.group == contender.group
        )


def code_hash() -> str:
    """SHA-256 of the sources that run in measured processes: values mix only if it agrees."""
    digest = hashlib.sha256()
    for path in sorted((REPOSITORY / "benchmarks").glob("*.py")):
        if path.name not in DRIVER_MODULES:
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The plan's part of ``campaign.json``."""
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "name": plan.name,
        "preset": plan.preset,
        "seed": plan.seed,
        "budget_seconds": plan.budget_seconds,
        "precision": plan.precision,
        "turn_limit_seconds": plan.turn_limit_seconds,
        "slice_seconds": SLICE_SECONDS,
        "code_hash": plan.code_hash,
        "created": plan.created,
        "machine": dict(plan.machine),
        "interpreters": [interpreter.to_json() for interpreter in plan.interpreters],
        "contenders": [
            {
                "id": contender.id,
                **_launcher_to_json(contender.interpreter, contender.launcher),
                "role": contender.role,
            }
            for contender in plan.contenders
        ],
        "cases": [_case_to_json(case) for case in plan.cases],
        "skipped": [
            {"contender": _launcher_to_json(row.interpreter, row.launcher), "reason": row.reason}
            for row in plan.skipped
        ],
    }
    if plan.blocks:
        fields["blocks"] = [
            {
                "contenders": [contender.id for contender in block.contenders],
                "cases": [case.id for case in block.cases],
            }
            for block in plan.blocks
        ]
    return fields


def plan_from_json(fields: Mapping[str, Any]) -> Plan:
    """Read a plan back. Raises KeyError or TypeError when a field is missing or wrong."""
    contenders = {
        row["id"]: Contender(row["interpreter"], _launcher_from_json(row), row["role"])
        for row in fields["contenders"]
    }
    cases = {
        row["id"]: Case(row["probe"], row["workload"], row["tasks"], row.get("pause", USUAL_PAUSE))
        for row in fields["cases"]
    }
    return Plan(
        name=fields["name"],
        preset=fields["preset"],
        seed=fields["seed"],
        budget_seconds=fields["budget_seconds"],
        precision=fields["precision"],
        turn_limit_seconds=fields["turn_limit_seconds"],
        code_hash=fields["code_hash"],
        created=fields["created"],
        machine=fields["machine"],
        interpreters=tuple(Interpreter.from_json(row) for row in fields["interpreters"]),
        contenders=tuple(contenders.values()),
        cases=tuple(cases.values()),
        skipped=tuple(
            Skipped(
                row["contender"]["interpreter"],
                _launcher_from_json(row["contender"]) if "loop" in row["contender"] else None,
                row["reason"],
            )
            for row in fields["skipped"]
        ),
        blocks=tuple(
            Block(
                tuple(contenders[name] for name in row["contenders"]),
                tuple(cases[name] for name in row["cases"]),
            )
            for row in fields.get("blocks", ())
        ),
    )


def _case_to_json(case: Case) -> dict[str, Any]:
    """A case, and what the analysis has to know of its probe, workload and pause."""
    probe = PROBES[case.probe]
    workload = probe.workload(case.workload)
    pause = PAUSES[case.pause]
    return {
        "id": case.id,
        "probe": case.probe,
        "workload": case.workload,
        "work_seconds": workload.seconds,
        "tasks": case.tasks,
        "tasks_each": workload.tasks_each,
        "pause": case.pause,
        "pause_seconds": pause.seconds,
        "pause_suspends": pause.suspends,
        "metrics": list(probe.metric_names),
        "units": {metric.name: metric.unit for metric in probe.metrics},
        "headline_metric": probe.headline_metric,
    }


def _launcher_to_json(interpreter: str, launcher: Launcher | None) -> dict[str, str]:
    if launcher is None:
        return {"interpreter": interpreter}
    return {
        "interpreter": interpreter,
        "loop": launcher.loop,
        "task_factory": launcher.task_factory,
        "strategy": launcher.strategy,
        "collector": launcher.collector,
    }


def _launcher_from_json(row: Mapping[str, str]) -> Launcher:
    collector = row.get("collector", USUAL_COLLECTOR)
    return Launcher(row["loop"], row["task_factory"], row["strategy"], collector)
