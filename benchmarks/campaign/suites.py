"""The pyperf suites of a campaign, made from the journal: one per interpreter.

A benchmark is a contender x case x metric, a run is a round, which is a process, and its one value
what the round says. All that identifies it is in the metadata of the run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import pyperf

from benchmarks.campaign.plan import case_of, launcher_of
from benchmarks.campaign.schema import Case, Contender, Interpreter, Plan, RoundLine


def write_suites(folder: Path, plan: Plan, lines: Iterable[RoundLine]) -> list[Path]:
    """Write a suite for every interpreter that has values, in place of older ones."""
    cases = {case.id: case for case in plan.cases}
    facts = {interpreter.name: _facts(plan, interpreter) for interpreter in plan.interpreters}
    # interpreter -> name of a benchmark -> a run of every round
    runs: dict[str, dict[str, list[pyperf.Run]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        case = cases[line.case]
        for place, cell in line.cells.items():
            contender = plan.contenders[place]
            of_cell = {
                **facts[contender.interpreter],
                **_identity(contender, case),
                "loops": cell.batches,
                "date": line.started,
                "round": line.round,
            }
            for index, metric in enumerate(case.metrics):
                name = f"{case.id}/{contender.id}/{metric}"
                metadata = {**of_cell, "name": name, "metric": metric, "unit": case.unit(metric)}
                cost = cell.cost(index, case)
                run = pyperf.Run([cost], metadata=metadata, collect_metadata=False)
                runs[contender.interpreter][name].append(run)
    paths = []
    for interpreter, benchmarks in runs.items():
        suite = pyperf.BenchmarkSuite([pyperf.Benchmark(of_one) for of_one in benchmarks.values()])
        path = folder / f"{interpreter}.json"
        temporary = folder / f".{interpreter}.json"
        suite.dump(str(temporary), replace=True)
        temporary.replace(path)
        paths.append(path)
    return paths


def _facts(plan: Plan, interpreter: Interpreter) -> dict[str, object]:
    return {
        "python_version": interpreter.version,
        "python_implementation": interpreter.implementation,
        "cpu_model_name": str(plan.machine["cpu_model"]),
        "cpu_count": plan.machine["cpu_count"],
    }


def _identity(contender: Contender, case: Case) -> dict[str, object]:
    """What identifies a run, over the conditions that its worker has proved."""
    known = {
        **contender.conditions,
        "contender": contender.id,
        "role": contender.role,
        **asdict(launcher_of(contender)),
        "case": case.id,
        **asdict(case_of(case)),
    }
    return {name: value for name, value in known.items() if value is not None}
