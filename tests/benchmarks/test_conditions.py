"""What a process proves before it is timed, and what an interpreter is found not to do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from benchmarks import conditions as module
from benchmarks.cases import Launcher
from benchmarks.conditions import ConditionError, Refusal, conditions, refusal, refusals
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES, EventLoop
from tests.benchmarks.cells import MAKERS

LAUNCHER = Launcher("asyncio", "lazy", "gather_tasks")


@pytest.mark.parametrize(("loop", "task_factory"), MAKERS)
def test_the_conditions_are_those_of_the_launcher(loop: str, task_factory: str) -> None:
    proved = conditions(Launcher(loop, task_factory, "gather_tasks"))
    assert (proved["task_factory"], proved["collector"]) == (task_factory, "on")
    assert str(proved["loop_class"]).partition(".")[0] == loop
    assert proved["task_class"] == "_asyncio.Task"
    assert proved["loop_debug"] is False
    assert proved["loop_version"]


def a_loop(make_task: Callable[..., asyncio.Task[Any]]) -> ModuleType:
    """A module with a loop of this task factory."""

    def new_event_loop() -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        loop.set_task_factory(make_task)
        return loop

    loop_module = ModuleType("of_this_test")
    vars(loop_module).update(new_event_loop=new_event_loop, __version__="1.5")
    return loop_module


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType], None]:
    """Registers a loop as ``of_this_test``."""

    def installed(loop_module: ModuleType) -> None:
        row = EventLoop("of_this_test", "", "", module="of_this_test", package=None)
        monkeypatch.setitem(EVENT_LOOPS, row.name, row)
        monkeypatch.setitem(sys.modules, row.module, loop_module)

    return installed


Install = Callable[[ModuleType], None]


def test_a_task_factory_that_is_not_in_force_is_no_condition_to_time_under(
    install: Install,
) -> None:
    install(
        a_loop(lambda loop, coroutine, **options: asyncio.Task(coroutine, loop=loop, **options))
    )
    with pytest.raises(ConditionError, match="the task factory in force is custom, not lazy"):
        conditions(Launcher("of_this_test", "lazy", "gather_tasks"))
    assert refusal("of_this_test", "lazy") == Refusal(
        "of_this_test 1.5 takes the task factory lazy and does not obey it",
        loop="of_this_test",
        task_factory="lazy",
    )


def test_what_a_loop_raises_is_its_reason(install: Install) -> None:
    def refuses(loop: object, coroutine: object, **options: object) -> asyncio.Task[Any]:
        raise TypeError("not\nthis one")

    install(a_loop(refuses))
    found = [row for row in refusals() if row.loop == "of_this_test"]
    assert (
        Refusal(
            "of_this_test 1.5 refuses the task factory lazy (TypeError: not this one)",
            loop="of_this_test",
            task_factory="lazy",
        )
        in found
    )


def test_a_collector_that_is_not_in_force_is_no_condition_to_time_under(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "collector_in_force", lambda: "off")
    with pytest.raises(ConditionError, match="the collector in force is off, not on"):
        conditions(LAUNCHER)


def test_what_is_not_installed_or_too_new_is_no_refusal() -> None:
    """The matrix names these by itself."""
    assert refusal("winloop", "lazy") is None or sys.platform == "win32"
    told = list(refusals())
    for row in told:
        assert row.task_factory is not None
        assert sys.version_info >= TASK_FACTORIES[row.task_factory].since
    assert {(row.loop, row.task_factory) for row in told}.isdisjoint(MAKERS)


def test_a_collector_that_python_lacks_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("gc.freeze")
    assert Refusal("gc.freeze for the collector frozen is missing", collector="frozen") in list(
        refusals()
    )
