"""campaign.json -> :class:`analysis.campaign.Plan`, with every problem found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from analysis.campaign import (
    COLLECTOR_ON,
    NO_PAUSE,
    UNITS,
    Block,
    Case,
    Contender,
    Failure,
    Interpreter,
    Plan,
    Skipped,
    Unit,
)
from analysis.validate import Json, Problems, Record, UnreadableError, quoted, read_json

FILE = "campaign.json"
SCHEMA = 1
STATUSES = ("running", "complete", "interrupted", "failed")
ROLES = ("baseline", "contender", "control")

MAX_FILE_BYTES = 64 * 2**20
MAX_CELLS = 200_000
"""Contenders x cases x metrics: a full campaign has some thousands."""
MAX_LIST = 200_000
MAX_TASKS = 10**9
MAX_TASKS_EACH = 10**9
MAX_SWEEPS = 10_000
MAX_ROUNDS = 10_000
MAX_BLOCKS = 1_000
MAX_BLOCK_IDS = 20_000
"""Contenders, or cases, in one block."""
MAX_TOTAL_BLOCK_IDS = 2_000_000
"""In all blocks together."""


def read_plan(folder: Path, problems: Problems) -> Plan:
    """The plan of a folder; what cannot be used is left out and named in ``problems``."""
    try:
        content = read_json(folder / FILE, MAX_FILE_BYTES)
    except UnreadableError as error:
        problems.error(FILE, None, str(error))
        return Plan(name=folder.name)
    return _plan(content, folder, problems)


def _plan(content: Json, folder: Path, problems: Problems) -> Plan:
    top = Record(content, problems, FILE, "")
    if not top.sound:
        return Plan(name=folder.name)
    if content.get("schema") != SCHEMA:
        top.wrong("schema", f"is {quoted(str(content.get('schema')))}; this reader knows {SCHEMA}")
        return Plan(name=folder.name)
    interpreters = _interpreters(top)
    contenders = _contenders(top, interpreters)
    cases = _cases(top)
    cells = len(contenders) * sum(len(case.metrics) for case in cases)
    if cells > MAX_CELLS:
        top.wrong("cases", f"with the contenders make {cells} cells; at most {MAX_CELLS} are read")
        contenders, cases = (), ()
    return Plan(
        name=top.text("name"),
        status=top.choice("status", STATUSES),
        preset=top.text("preset"),
        seed=top.integer("seed", 0, 2**128),
        budget_seconds=top.number("budget_seconds"),
        precision=top.number("precision"),
        slice_seconds=top.number("slice_seconds"),
        code_hash=top.text("code_hash"),
        created=top.text("created"),
        finished=top.optional_text("finished"),
        elapsed_seconds=top.number("elapsed_seconds"),
        rounds=top.integer("rounds", 0, MAX_ROUNDS),
        machine=top.scalars("machine"),
        interpreters=interpreters,
        contenders=contenders,
        cases=cases,
        skipped=tuple(map(_skipped, _listed(top, "skipped"))),
        failed=_failures(top, contenders, cases),
        blocks=_blocks(top, contenders, cases),
    )


def asked(plan: Plan) -> NDArray[np.bool_]:
    """:meth:`Plan.asks` of all, shape (contenders, cases)."""
    if plan.blocks is None:
        return np.ones((len(plan.contenders), len(plan.cases)), dtype=bool)
    found = np.zeros((len(plan.contenders), len(plan.cases)), dtype=bool)
    contender_of = {contender.id: index for index, contender in enumerate(plan.contenders)}
    case_of = {case.id: index for index, case in enumerate(plan.cases)}
    for block in plan.blocks:
        rows = [contender_of[id_] for id_ in block.contenders]
        found[np.ix_(rows, [case_of[id_] for id_ in block.cases])] = True
    return found


def _listed(top: Record, key: str) -> list[Record]:
    return top.records(key, MAX_LIST)


def _interpreters(top: Record) -> tuple[Interpreter, ...]:
    read: list[Interpreter] = []
    for item in _listed(top, "interpreters"):
        name = item.text("name", exact=True)
        if "/" in name or "\\" in name or name.startswith("."):
            item.wrong("name", f"{quoted(name)} cannot be part of a file name")
        version = item.text("version", exact=True)
        implementation = item.text("implementation", exact=True)
        build = item.flat_scalars("build")
        packages = item.flat_scalars("packages") if item.has("packages") else {}
        if any(name == other.name for other in read):
            item.wrong("name", f"{quoted(name)} is given twice")
        if item.sound:
            one = Interpreter(name, version, implementation, "", build, packages)
            read.append(replace(one, label=one.version_label))
    times = Counter(interpreter.label for interpreter in read)
    return tuple(
        # Two builds of one version are told apart by their names.
        replace(interpreter, label=interpreter.name)
        if times[interpreter.label] > 1
        else interpreter
        for interpreter in read
    )


def _contenders(top: Record, interpreters: tuple[Interpreter, ...]) -> tuple[Contender, ...]:
    by_name = {interpreter.name: interpreter for interpreter in interpreters}
    ids: set[str] = set()
    read: dict[tuple[str, ...], Contender] = {}
    for item in _listed(top, "contenders"):
        contender = _contender(item, by_name)
        if contender is None:
            continue
        if contender.id in ids:
            item.wrong("id", f"{quoted(contender.id)} is given twice")
        # Whatever can be the only one of its kind is keyed so: a baseline, the control, a strategy.
        kind = {"baseline": contender.group, "control": ()}.get(contender.role)
        key = (contender.role, *((*contender.group, contender.strategy) if kind is None else kind))
        if key in read:
            item.wrong("role", f"is what {quoted(read[key].id)} is already: {contender.role}")
        if item.sound:
            ids.add(contender.id)
            read[key] = contender
    groups = dict.fromkeys(contender.group for contender in read.values())
    for group in groups:
        if ("baseline", *group) not in read:
            top.wrong("contenders", f"no baseline for {quoted(' / '.join(group))}")
    return tuple(read.values())


def _contender(item: Record, interpreters: Mapping[str, Interpreter]) -> Contender | None:
    identity = item.text("id", exact=True)
    interpreter = interpreters.get(item.text("interpreter", exact=True))
    if interpreter is None:
        item.wrong("interpreter", "is not among the interpreters")
        return None
    role = item.choice("role", ROLES)
    has_collector = item.has("collector")
    return Contender(
        id=identity,
        interpreter=interpreter.name,
        python=interpreter.label,
        build=interpreter.build_label,
        loop=item.text("loop", exact=True),
        task_factory=item.text("task_factory", exact=True),
        strategy=item.text("strategy", exact=True),
        role=cast(Literal["baseline", "contender", "control"], role),
        conditions=item.flat_scalars("conditions"),
        collector=item.text("collector", exact=True) if has_collector else COLLECTOR_ON,
    )


def _cases(top: Record) -> tuple[Case, ...]:
    read: dict[str, Case] = {}
    for item in _listed(top, "cases"):
        case = _case(item)
        if case.id in read:
            item.wrong("id", f"{quoted(case.id)} is given twice")
        if len(set(case.metrics)) != len(case.metrics):
            item.wrong("metrics", "names one twice")
        if case.metrics and case.headline_metric not in case.metrics:
            item.wrong("headline_metric", f"{quoted(case.headline_metric)} is not among metrics")
        if item.sound:
            read[case.id] = case
    return tuple(read.values())


def _case(item: Record) -> Case:
    metrics = item.texts("metrics")
    # Campaigns of before there were pauses say nothing of them.
    has_pause, has_tasks_each = item.has("pause"), item.has("tasks_each")
    return Case(
        id=item.text("id", exact=True),
        probe=item.text("probe", exact=True),
        workload=item.text("workload", exact=True),
        tasks=item.integer("tasks", 1, MAX_TASKS),
        sweeps=item.integer("sweeps", 0, MAX_SWEEPS),
        metrics=metrics,
        headline_metric=item.text("headline_metric", exact=True),
        pause=item.text("pause", exact=True) if has_pause else NO_PAUSE,
        pause_seconds=item.number("pause_seconds") if item.has("pause_seconds") else 0.0,
        pause_suspends=item.truth("pause_suspends") if item.has("pause_suspends") else False,
        work_seconds=item.optional_number("work_seconds"),
        tasks_each=item.integer("tasks_each", 1, MAX_TASKS_EACH) if has_tasks_each else 1,
        units=_units(item, metrics),
    )


def _units(item: Record, metrics: tuple[str, ...]) -> dict[str, Unit]:
    if not item.has("units"):
        return {}
    units = item.flat_scalars("units")
    if not set(units) <= set(metrics):
        item.wrong("units", "names something that is not among metrics")
    if not set(units.values()) <= set(UNITS):
        item.wrong("units", f"holds something that is not one of {', '.join(UNITS)}")
    return {name: one for name, unit in units.items() for one in UNITS if unit == one}


def _blocks(
    top: Record, contenders: Iterable[Contender], cases: Iterable[Case]
) -> tuple[Block, ...] | None:
    """The blocks; None where the plan has none."""
    if not top.has("blocks"):
        return None
    known = {
        "contenders": frozenset(contender.id for contender in contenders),
        "cases": frozenset(case.id for case in cases),
    }
    read = []
    total = 0
    for item in top.records("blocks", MAX_BLOCKS):
        ids = {key: frozenset(item.texts(key, MAX_BLOCK_IDS)) for key in known}
        total += sum(map(len, ids.values()))
        if total > MAX_TOTAL_BLOCK_IDS:
            top.wrong("blocks", f"hold more than {MAX_TOTAL_BLOCK_IDS} names in all")
            return ()
        for key, of_key in ids.items():
            strangers = sorted(of_key - known[key])
            if strangers:
                item.wrong(key, f"{quoted(strangers[0])} is not in the plan")
        if item.sound:
            read.append(Block(**ids))
    return tuple(read)


def _skipped(item: Record) -> Skipped:
    contender = item.record("contender")

    def part(key: str) -> str:
        return contender.optional_text(key) or ""

    return Skipped(
        interpreter=part("interpreter"),
        loop=part("loop"),
        task_factory=part("task_factory"),
        strategy=part("strategy"),
        reason=item.text("reason"),
    )


def _failures(
    top: Record, contenders: tuple[Contender, ...], cases: tuple[Case, ...]
) -> tuple[Failure, ...]:
    contender_ids = {contender.id for contender in contenders}
    case_ids = {case.id for case in cases}
    read = []
    for item in _listed(top, "failed"):
        failure = Failure(
            contender=item.text("contender"),
            case=item.text("case"),
            round=item.integer("round", 0, MAX_ROUNDS),
            cause=item.text("cause"),
        )
        if failure.contender not in contender_ids:
            item.wrong("contender", f"{quoted(failure.contender)} is not in the plan")
        elif failure.case not in case_ids:
            item.wrong("case", f"{quoted(failure.case)} is not in the plan")
        if item.sound:
            read.append(failure)
    return tuple(read)
