"""Every interpreter that this machine has: a real campaign over all, and what each of them runs."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from benchmarks.campaign.interpreters import executable
from benchmarks.campaign.schema import Interpreter
from benchmarks.cases import Launcher
from benchmarks.collectors import COLLECTORS
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import Selection, concerns, reason_to_skip
from benchmarks.strategies import BASELINE, STRATEGIES
from tests.benchmarks.cells import LATE
from tests.repository import (
    REPOSITORY,
    pythons_here,
    read_campaign,
    read_journal,
    run_benchmarks,
)


def test_two_interpreters_are_there_where_it_counts() -> None:
    """Or else what follows would compare nothing; on a laptop one is enough."""
    if "CI" not in os.environ:
        pytest.skip("not in CI")
    assert len(pythons_here()) >= 2


def test_all_of_them_take_turns_in_one_campaign(
    interpreters: tuple[Interpreter, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "campaign"
    pythons = [f"--python={executable(interpreter)}" for interpreter in interpreters]
    cell = ("--probe", "throughput", "--workload", "yield_once", "--tasks", "10")
    done = run_benchmarks(
        "run", *pythons, *cell, "--loop", "asyncio,uvloop", "--budget", "60s", "--precision",
        "50%", "--no-report", "--quiet", "--out", folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    campaign = read_campaign(folder)
    names = [interpreter.name for interpreter in interpreters]
    assert [row["version"] for row in campaign["interpreters"]] == [
        interpreter.version for interpreter in interpreters
    ]
    assert len({row["name"] for row in campaign["interpreters"]}) == len(names)

    contenders = {row["id"]: row for row in campaign["contenders"]}
    [line, *_] = read_journal(folder)
    assert [int(place) for place in line["cells"]] == list(range(len(contenders)))
    measured = {(row["interpreter"], row["loop"]) for row in contenders.values()}
    skipped = {
        (row["contender"]["interpreter"], row["contender"].get("loop"))
        for row in campaign["skipped"]
    }
    for interpreter in campaign["interpreters"]:
        assert (interpreter["name"], "asyncio") in measured
        assert (interpreter["name"], "uvloop") in measured | skipped
    for row in contenders.values():
        build = next(
            other["build"]
            for other in campaign["interpreters"]
            if other["name"] == row["interpreter"]
        )
        # No loop that is measured switches the GIL of a free-threaded build on again.
        assert row["conditions"]["gil"] is not build["free_threaded"]
        assert row["conditions"]["task_class"].startswith("_asyncio.")


LIMIT = 2
WHAT_RAN = """if True:
    import asyncio, json, sys
    from benchmarks.cases import Case, Launcher
    from benchmarks.collectors import collector_in_force
    from benchmarks.conditions import conditions
    from benchmarks.echo import EchoConnections
    from benchmarks.probes import PROBES
    from benchmarks.probing import Measurement
    from benchmarks.slices import Bench

    TASKS = 5

    async def measure(fan_out, loops):
        counts, started, around, running, most = [0] * fan_out.tasks, [0], [], [0], [0]

        async def work(index):
            counts[index] += 1
            started[0] += 1
            running[0] += 1
            most[0] = max(most[0], running[0])
            await asyncio.sleep(0)
            result = await fan_out.work(index)
            running[0] -= 1
            return result

        async def pause():
            around.append(started[0])
            await asyncio.sleep(0)
            around.append(started[0])

        results = await fan_out.launch(work, fan_out.tasks, pause)
        seen.update(
            counts=counts, around=around, most=most[0], results=results,
            collector=collector_in_force(), loop=type(asyncio.get_running_loop()).__module__,
        )
        return Measurement(1.0, {"total": 1.0}, results)

    object.__setattr__(PROBES["throughput"], "measure", measure)
    with EchoConnections() as connections:
        for launcher in map(Launcher, *zip(*json.loads(sys.argv[1]))):
            bench, proved = Bench(launcher, connections), conditions(launcher)
            for workload in ("noop", "echo"):
                seen = {}
                bench.measure(Case("throughput", workload, TASKS), 1, 1)
                print(json.dumps({**seen, "proved": proved, "workload": workload}))"""
"""Runs five coroutines of two workloads by every launcher that it is given, as a slice does, and
tells what has run: how often each, how many had started around a pause, and how many at once.
"""


def launchers_of(interpreter: Interpreter) -> list[Launcher]:
    """Every strategy with every loop and task factory, a limit where it bounds; the baseline in
    every state of the collector too. rloop's create_task takes no eager_start, which its cells say.
    """
    ways = itertools.product(EVENT_LOOPS, TASK_FACTORIES)
    return [
        launcher
        for loop, task_factory in ways
        for launcher in (
            *(
                Launcher(loop, task_factory, name, limit=LIMIT if row.bounds else None)
                for name, row in STRATEGIES.items()
            ),
            *(Launcher(loop, task_factory, BASELINE, row) for row in COLLECTORS),
        )
        if reason_to_skip(interpreter, launcher) is None
        and (launcher.loop, launcher.strategy) != ("rloop", "gather_eager_start")
    ]


def what_ran(
    interpreter: Interpreter, launchers: Sequence[Launcher], *filters: str
) -> list[tuple[Launcher, Mapping[str, Any]]]:
    """What each launcher has run, by workload; warnings but the filtered ones are errors."""
    rows = [astuple(row) for row in launchers]
    warnings = [f"-W{action}" for action in ("error", *filters)]
    done = subprocess.run(
        [executable(interpreter), *warnings, "-c", WHAT_RAN, json.dumps(rows)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return list(zip(itertools.chain(*zip(launchers, launchers, strict=True)), told, strict=True))


def test_every_launcher_runs_what_it_is_to_run(interpreters: tuple[Interpreter, ...]) -> None:
    """On every interpreter: n coroutines once each, concurrently or not, started where its task
    factory starts them, under its collector.
    """
    for interpreter in interpreters:
        launchers = launchers_of(interpreter)
        usual = [row for row in launchers if not EVENT_LOOPS[row.loop].optional]
        told = what_ran(interpreter, usual)
        if optional := [row for row in launchers if row not in usual]:
            # rloop 0.5 leaves its own sockets to be closed by whoever collects them.
            told += what_ran(interpreter, optional, "ignore::ResourceWarning")
        for launcher, ran in told:
            where = f"{interpreter.name} {launcher} {ran['workload']}"
            concurrent = STRATEGIES[launcher.strategy].concurrent
            assert ran["counts"] == [1] * 5, where
            assert ran["results"] == list(range(5)), where
            if launcher.strategy == "aiometer_run_all":  # it starts its jobs one by one
                assert ran["most"] <= LIMIT, where
            else:
                assert ran["most"] == (launcher.limit or (5 if concurrent else 1)), where
            has_tasks = launcher.strategy not in LATE
            is_eager = launcher.task_factory == "eager" or launcher.strategy == "gather_eager_start"
            at_creation = 5 if has_tasks and is_eager else 0
            around = [] if launcher.limit else [at_creation, 5 if has_tasks else 0]
            assert ran["around"] == around, where
            assert ran["collector"] == launcher.collector == ran["proved"]["collector"], where
            assert ran["proved"]["task_factory"] == launcher.task_factory, where
            assert ran["loop"].partition(".")[0] == launcher.loop, where


def test_the_usual_launchers_run_on_every_interpreter_that_has_their_loop(
    interpreters: tuple[Interpreter, ...],
) -> None:
    """Nothing that the default preset measures is lost to a refusal."""
    for interpreter in interpreters:
        refused = {
            launcher.loop
            for refusal in interpreter.refusals
            for launcher in (Launcher(loop, "lazy", "wait") for loop in Selection().loops)
            if concerns(refusal, launcher)
        }
        assert refused == set(), interpreter.name
        asyncio_eager = Launcher("asyncio", "eager", "gather_tasks")
        can = reason_to_skip(interpreter, asyncio_eager) is None
        assert can == (interpreter.minor_version >= (3, 12)), interpreter.name
