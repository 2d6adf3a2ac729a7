"""Facts of the machine, and which core measures."""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from benchmarks.campaign import machine
from benchmarks.campaign.machine import (
    Cores,
    allot_cores,
    busy_processes,
    machine_facts,
    steal_seconds,
)
from benchmarks.cases import Launcher
from benchmarks.conditions import conditions, interpreter_facts
from tests.benchmarks.cells import LOOPS


@pytest.mark.parametrize(
    ("usable", "measured", "driver"),
    [({0}, 0, {0}), ({0, 1}, 1, {0}), ({3}, 3, {3}), ({2, 5, 7}, 7, {2, 5})],
)
def test_the_last_core_measures_and_the_others_drive(
    usable: set[int], measured: int, driver: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: usable, raising=False)
    monkeypatch.setattr(machine, "SYSTEM_CPUS", Path("/nowhere"))
    assert allot_cores() == Cores(measured, frozenset(driver))


@pytest.mark.parametrize(
    ("usable", "threads", "driver"),
    [
        ({*range(8)}, "3,7", {0, 1, 2, 4, 5, 6}),
        ({*range(8)}, "6-7", {0, 1, 2, 3, 4, 5}),
        ({6, 7}, "6-7", {6}),  # there is no other core
        ({*range(8)}, "7", {*range(7)}),
    ],
)
def test_hardware_threads_of_the_measured_core_do_not_drive(
    usable: set[int], threads: str, driver: set[int], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    topology = tmp_path / "cpu7" / "topology"
    topology.mkdir(parents=True)
    (topology / "thread_siblings_list").write_text(f"{threads}\n", encoding="ascii")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: usable, raising=False)
    monkeypatch.setattr(machine, "SYSTEM_CPUS", tmp_path)
    assert allot_cores() == Cores(7, frozenset(driver))


def test_nothing_is_pinned_where_the_system_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert allot_cores() == Cores(None, frozenset())
    facts = machine_facts(allot_cores())
    assert (facts["measured_core"], facts["driver_cores"]) == (None, [])


def test_facts_name_neither_host_nor_user_nor_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: "name-of-this-host")
    for name in ("USER", "LOGNAME", "HOSTNAME"):
        monkeypatch.setenv(name, "name-of-this-user")
    for facts in (
        machine_facts(Cores(1, frozenset({0}))),
        interpreter_facts(),
        *(conditions(Launcher(loop, "lazy", "gather_tasks")) for loop in LOOPS),
    ):
        text = json.dumps(facts)
        assert "name-of-this" not in text
        assert str(Path.home()) not in text
        assert str(Path.cwd()) not in text


def test_facts_are_json_and_complete() -> None:
    facts = machine_facts(Cores(1, frozenset({2, 0})))
    assert json.loads(json.dumps(facts)) == facts
    assert {"id", "cpu_model", "cpu_count", "system", "load_average"} <= set(facts)
    assert (facts["measured_core"], facts["driver_cores"]) == (1, [0, 2])
    assert facts["cpu_count"] == os.cpu_count()


def test_machines_differ_in_their_id(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = Cores(1, frozenset({0}))
    first = machine_facts(cores)["id"]
    assert machine_facts(Cores(None, frozenset()))["id"] == first, "it is the machine's"
    monkeypatch.setattr(platform, "node", lambda: "another host")
    assert machine_facts(cores)["id"] != first


def test_the_cpu_model_is_known_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: Path, encoding: str) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert machine_facts(Cores(None, frozenset()))["cpu_model"] == "x86_64"


def test_steal_is_what_the_system_says_or_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "cpu_times", lambda: SimpleNamespace(user=1.0, steal=2.5))
    assert steal_seconds() == 2.5
    monkeypatch.setattr(psutil, "cpu_times", lambda: SimpleNamespace(user=1.0))
    assert steal_seconds() == 0.0


def test_what_takes_more_than_a_twentieth_of_a_core_is_named_the_busiest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = os.getpid()
    seen = iter(
        [
            {(1, "init"): 9.0, (2, "ninja"): 1.0, (3, "cc"): 0.0, (own, "python"): 5.0},
            {
                (1, "init"): 9.09,
                (2, "ninja"): 1.5,
                (3, "cc"): 0.6,
                (own, "python"): 7.0,
                (4, "cc"): 0.9,
                (5, "editor"): 8.0,
            },
        ]
    )
    monkeypatch.setattr(machine, "_cpu_seconds", lambda: next(seen))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    # What has only begun meanwhile is not known to take anything.
    assert list(busy_processes(2.0).items()) == [("cc", 0.3), ("ninja", 0.25)]


def test_the_seconds_of_this_process_are_seen_under_its_program() -> None:
    [(name, seconds)] = [
        (name, seconds)
        for (pid, name), seconds in machine._cpu_seconds().items()
        if pid == os.getpid()
    ]
    assert name == psutil.Process().name()
    assert seconds > 0
