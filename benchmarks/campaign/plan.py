"""From the registries and the matrix to the records of a plan, and back to what workers are asked.

The measured side has small classes of the standard library (``cases``); everything that is written
is a record of the schema. Both are converted here and nowhere else.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar

import msgspec

from benchmarks.campaign import schema
from benchmarks.cases import Case, Launcher
from benchmarks.collectors import COLLECTORS
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.probing import Observed, Probe
from benchmarks.strategies import STRATEGIES
from benchmarks.workloads import WORKLOADS

AnyWord = TypeVar("AnyWord", bound=schema.Word)

SLICE_SECONDS = 0.010
OBSERVED_EVERYWHERE = (
    Observed(schema.COLLECTIONS, label="collections", meaning="garbage collections in one fan-out"),
    Observed(schema.CPU_SHARE, label="CPU", meaning="time on the core in wall time"),
    Observed(schema.ERRORS, label="errors", meaning="calls of your own workload that raised"),
)
"""Observed in the slices of every probe, where there is any."""


def case_record(case: Case) -> schema.Case:
    """A case, and what the analysis has to know of its probe, workload and pause."""
    probe = PROBES[case.probe]
    workload = probe.workload(case.workload)
    pause = PAUSES[case.pause]
    return schema.Case(
        id=case.id,
        probe=case.probe,
        workload=case.workload,
        tasks=case.tasks,
        metrics=probe.metric_names,
        headline_metric=probe.headline_metric,
        pause=case.pause,
        pause_seconds=pause.seconds,
        pause_suspends=pause.suspends,
        work_seconds=workload.seconds,
        tasks_each=workload.tasks_each,
        answers=probe.answers,
        splits=probe.is_split(case.workload),
        units={metric.name: metric.unit for metric in probe.metrics},
    )


def case_of(record: schema.Case) -> Case:
    """What a worker is asked."""
    return Case(record.probe, record.workload, record.tasks, record.pause)


def launcher_of(record: schema.Contender) -> Launcher:
    """How a contender's worker launches."""
    return Launcher(
        record.loop, record.task_factory, record.strategy, record.collector, record.limit
    )


def definitions(
    contenders: Iterable[schema.Contender], cases: Iterable[schema.Case]
) -> schema.Definitions:
    """What the registries say of everything that these name, in the order of the registries.

    Workloads that belong to one probe come after the others.
    """
    contenders, cases = list(contenders), list(cases)
    probes = [row for name, row in PROBES.items() if any(case.probe == name for case in cases)]
    own_workloads = {row.own_workload.name: row.own_workload for row in probes if row.own_workload}
    # The user's own come first, so that no table that is short of room leaves them out.
    strategies = dict(sorted(STRATEGIES.items(), key=lambda item: not item[1].own))
    return schema.Definitions(
        strategies=_named(schema.Strategy, strategies, {row.strategy for row in contenders}),
        workloads=_named(
            schema.Workload, {**WORKLOADS, **own_workloads}, {case.workload for case in cases}
        ),
        probes=tuple(map(_probe_record, probes)),
        loops=_named(schema.Word, EVENT_LOOPS, {row.loop for row in contenders}),
        task_factories=_named(
            schema.Word, TASK_FACTORIES, {row.task_factory for row in contenders}
        ),
        collectors=_named(schema.Word, COLLECTORS, {row.collector for row in contenders}),
        pauses=_named(schema.Word, PAUSES, {case.pause for case in cases}),
    )


def _named(
    kind: type[AnyWord], registry: Mapping[str, object], names: AbstractSet[str]
) -> tuple[AnyWord, ...]:
    return tuple(_record(kind, row) for name, row in registry.items() if name in names)


def _record(kind: type[AnyWord], row: object, **given: object) -> AnyWord:
    """What a row of a registry says of itself: its fields have the names of the record's."""
    fields = {name: getattr(row, name) for name in kind.__struct_fields__ if name not in given}
    return msgspec.convert({**fields, **given}, kind)


def _probe_record(probe: Probe) -> schema.Probe:
    return _record(
        schema.Probe,
        probe,
        metrics=tuple(_record(schema.Metric, metric) for metric in probe.metrics),
        observed=tuple(
            _record(schema.Word, row) for row in (*probe.observed, *OBSERVED_EVERYWHERE)
        ),
    )


def asked_pairs(plan: schema.Plan) -> frozenset[tuple[str, str]]:
    """The ids of every contender and case that belong together."""
    everything = schema.Block(
        contenders=tuple(row.id for row in plan.contenders),
        cases=tuple(row.id for row in plan.cases),
    )
    return frozenset(
        itertools.chain.from_iterable(
            itertools.product(block.contenders, block.cases)
            for block in plan.blocks or (everything,)
        )
    )


def halves(plan: schema.Plan) -> dict[str, tuple[str, ...]]:
    """Of every contender those that it is compared with, by their ids: the baseline of its group
    and, as its other half, the control. A control is compared with the baseline alone, a baseline
    with nothing.
    """
    of_group: dict[tuple[str, ...], list[str]] = {}
    for role in ("baseline", "control"):
        for row in plan.contenders:
            if row.role == role:
                of_group.setdefault(row.group, []).append(row.id)
    return {
        row.id: tuple(of_group[row.group][: 1 if row.role == "control" else 2])
        for row in plan.contenders
        if row.role != "baseline"
    }
