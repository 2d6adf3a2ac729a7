"""The pyperf suites of a campaign, made from the journal: one per interpreter.

A benchmark is a contender x case x metric, a run is a round, which is a process. All that
identifies it is in the metadata of the run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pyperf

from benchmarks.campaign.journal import Record, State
from benchmarks.campaign.plan import Plan
from benchmarks.probes import PROBES


def write_suites(folder: Path, plan: Plan, state: State, records: Iterable[Record]) -> list[Path]:
    """Write a suite for every interpreter that has values, in place of older ones."""
    contenders = {contender.id: contender for contender in plan.contenders}
    interpreters = {interpreter.name: interpreter for interpreter in plan.interpreters}
    cases = {case.id: case for case in plan.cases}
    runs: dict[str, dict[str, list[pyperf.Run]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        case = cases[record.case]
        units = {metric.name: metric.unit for metric in PROBES[case.probe].metrics}
        for contender_id, cell in record.cells.items():
            contender = contenders[contender_id]
            interpreter = interpreters[contender.interpreter]
            for metric, values in cell.values.items():
                name = f"{record.case}/{contender_id}/{metric}"
                metadata = {
                    "name": name,
                    "unit": units[metric],
                    "loops": cell.loops,
                    "date": record.started,
                    "python_version": interpreter.version,
                    "python_implementation": interpreter.implementation,
                    "cpu_model_name": str(plan.machine["cpu_model"]),
                    "cpu_count": plan.machine["cpu_count"],
                    "contender": contender_id,
                    "role": contender.role,
                    "loop": contender.launcher.loop,
                    "task_factory": contender.launcher.task_factory,
                    "strategy": contender.launcher.strategy,
                    "collector": contender.launcher.collector,
                    "case": record.case,
                    "probe": case.probe,
                    "workload": case.workload,
                    "tasks": case.tasks,
                    "pause": case.pause,
                    "metric": metric,
                    "round": record.round,
                    **{
                        name: value
                        for name, value in state.conditions.get(contender_id, {}).items()
                        if value is not None and name not in ("task_factory", "collector")
                    },
                }
                runs[interpreter.name][name].append(
                    pyperf.Run(values, metadata=metadata, collect_metadata=False)
                )
    paths = []
    for interpreter_name, benchmarks in runs.items():
        suite = pyperf.BenchmarkSuite([pyperf.Benchmark(of_one) for of_one in benchmarks.values()])
        path = folder / f"{interpreter_name}.json"
        temporary = folder / f".{interpreter_name}.json"
        suite.dump(str(temporary), replace=True)
        temporary.replace(path)
        paths.append(path)
    return paths
