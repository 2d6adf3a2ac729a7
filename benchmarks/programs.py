"""Small programs that show how tasks behave: each a conformance check, one decorated function.

A program returns what it expects and what it observes, and holds when the two are equal, however
fast the machine. Its docstring says what it does and, after that, the claim that it tests. It is a
coroutine function of a ``Scene``, run on a fresh loop; or a plain one that runs loops itself.
"""

from __future__ import annotations

import asyncio
import gc
import warnings
import weakref
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias
from unittest import mock

from benchmarks.cases import Launcher
from benchmarks.conditions import EAGER
from benchmarks.loops import NewLoop, loop_maker
from benchmarks.strategies import BASELINE, STRATEGIES, Strategy, wait
from benchmarks.words import Word, words_of

TICK_SECONDS = 0.001
"""The shortest sleep for which every loop sets a timer."""
FOREVER_SECONDS = 3600.0
"""What is cut off would have slept as long."""


@dataclass(frozen=True)
class Scene:
    """Where a program runs: loops with the task factory set, ``eager`` if that starts tasks as they
    are created, and the strategy.
    """

    new_loop: NewLoop
    eager: bool
    strategy: Strategy

    def tasks_before_join(self, tasks: int) -> int:
        """How many of the children are tasks before the join; the others are bare coroutines."""
        return tasks if self.strategy.concurrent and self.strategy.name != BASELINE else 0


Seen: TypeAlias = "tuple[tuple[object, ...], tuple[object, ...]]"
"""What is expected and what is observed: each fills in what the program ``says``."""
Observe: TypeAlias = "Callable[[Scene], Seen | Coroutine[Any, Any, Seen]]"


@dataclass(frozen=True)
class Program(Word):
    """``says`` is the format of what it expects and observes. It runs with ``each_strategy``, or
    once. If it is not ``certain``, that it does not hold is a finding and no failure.
    """

    claim: str
    says: str
    each_strategy: bool
    certain: bool
    observe: Observe


PROGRAMS: dict[str, Program] = {}


def program(
    says: str, *, each_strategy: bool = False, certain: bool = True
) -> Callable[[Observe], Observe]:
    """Register the decorated function (see the module) as a program of its own name."""

    def register(observe: Observe) -> Observe:
        claim = " ".join((observe.__doc__ or "").partition("\n")[2].split())
        row = Program(*words_of(observe), claim, says, each_strategy, certain, observe)
        PROGRAMS[row.name] = row
        return observe

    return register


def run(name: str, launcher: Launcher) -> tuple[str, str]:
    """What a program expects and observes, in words. Raises whatever the program raises."""
    row = PROGRAMS[name]
    new_loop = loop_maker(launcher.loop, launcher.task_factory)
    eager = launcher.task_factory == EAGER
    seen = row.observe(Scene(new_loop, eager, STRATEGIES[launcher.strategy]))
    if isinstance(seen, Coroutine):
        with closing(new_loop()) as loop:
            seen = loop.run_until_complete(seen)
    expected, observed = seen
    return row.says.format(*expected), row.says.format(*observed)


class Sleepers:
    """Children that sleep: how many have started and finished, and how many slept at once."""

    def __init__(self) -> None:
        self.started = self.finished = self.most = 0

    async def work(self, index: int) -> int:
        """One child."""
        self.started += 1
        self.most = max(self.most, self.started - self.finished)
        await asyncio.sleep(TICK_SECONDS)
        self.finished += 1
        return index


@program("{} of 10 asleep at once", each_strategy=True)
async def ten_sleepers(scene: Scene) -> Seen:
    """ten coroutines that sleep, joined as soon as they have been created.

    Gathered coroutines run concurrently, bare or as tasks: calling create_task first adds nothing.
    """
    sleepers = Sleepers()
    await scene.strategy.launch(sleepers.work, 10, None)
    return (10 if scene.strategy.concurrent else 1,), (sleepers.most,)


@program("{} of 5 started and {} finished when the join begins", each_strategy=True)
async def head_start(scene: Scene) -> Seen:
    """five coroutines that sleep; the caller sleeps longer between creating and joining them.

    While the caller awaits something else, tasks run; bare coroutines wait until they are gathered.
    """
    sleepers = Sleepers()
    at_join: list[int] = []

    async def pause() -> None:
        # However slow the machine: the second of these timers is set after those of the children.
        for _ in range(4):
            await asyncio.sleep(TICK_SECONDS)
        at_join.extend((sleepers.started, sleepers.finished))

    await scene.strategy.launch(sleepers.work, 5, pause)
    ahead = scene.tasks_before_join(5)
    return (ahead, ahead), tuple(at_join)


@program(
    "{} of 5 started when created, {} after the caller computed, {} after it suspended",
    each_strategy=True,
)
async def first_step(scene: Scene) -> Seen:
    """five coroutines; the caller computes, then suspends once, then joins them.

    A task takes its first step when the caller next suspends; an eager task as it is created; a
    bare coroutine when it is awaited.
    """
    sleepers = Sleepers()
    seen: list[int] = []

    async def pause() -> None:
        seen.append(sleepers.started)
        sum(range(10_000))
        seen.append(sleepers.started)
        await asyncio.sleep(0)
        seen.append(sleepers.started)

    await scene.strategy.launch(sleepers.work, 5, pause)
    suspended = scene.tasks_before_join(5)
    created = suspended if scene.eager else 0
    return (created, created, suspended), tuple(seen)


@program("{} of 5 run in a task of their own; all_tasks() lists {} more", each_strategy=True)
async def gather_wraps(scene: Scene) -> Seen:
    """five coroutines that look at the task they run in, and at all tasks of the loop.

    gather makes a task of every bare coroutine, as create_task would.
    """
    own: set[object] = set()
    listed: set[object] = set()

    async def work(index: int) -> int:
        own.add(asyncio.current_task())
        listed.update(asyncio.all_tasks())
        await asyncio.sleep(0)
        return index

    await scene.strategy.launch(work, 5, None)
    tasks = 5 if scene.strategy.concurrent else 0
    caller = {asyncio.current_task()}
    return (tasks, tasks), (len(own - caller), len(listed - caller))


@program("finished {}; results {}", each_strategy=True)
async def result_order(scene: Scene) -> Seen:
    """five coroutines, each of which waits for the one after it.

    Results come in the order of the arguments, not in the order of completion.
    """
    concurrent = scene.strategy.concurrent
    finished: list[int] = []
    turns = [asyncio.Event() for _ in range(5)]
    turns[-1].set()

    async def work(index: int) -> int:
        if concurrent:  # else it would wait for one that has not begun
            await turns[index].wait()
        finished.append(index)
        turns[index - 1].set()
        return index

    results = await scene.strategy.launch(work, 5, None)
    forwards = [0, 1, 2, 3, 4]
    return (forwards[::-1] if concurrent else forwards, forwards), (finished, results)


@program("{}", each_strategy=True)
async def gather_none(scene: Scene) -> Seen:
    """no coroutine at all.

    Joining nothing is allowed and gives nothing; only asyncio.wait refuses it.
    """
    refused = "raises ValueError"  # as the documentation of asyncio.wait says
    try:
        observed = f"returns {await scene.strategy.launch(Sleepers().work, 0, None)}"
    except ValueError:
        observed = refused
    return (refused if scene.strategy.name == wait.__name__ else "returns []",), (observed,)


@program("runs of the coroutine: {}, of the task: {}; results {}")
async def gather_twice(scene: Scene) -> Seen:
    """gather(one, one), where one is a bare coroutine, and where it is a task.

    One awaitable that is handed to gather twice runs once, and its result comes twice.
    """
    runs: list[int] = []

    async def work(result: int) -> int:
        runs.append(result)
        await asyncio.sleep(0)
        return result

    coroutine, task = work(1), asyncio.create_task(work(2))
    results = [*await asyncio.gather(coroutine, coroutine), *await asyncio.gather(task, task)]
    return (1, 1, [1, 1, 2, 2]), (runs.count(1), runs.count(2), results)


@program("ran: {}; Python warned: {}")
async def never_awaited(scene: Scene) -> Seen:
    """a coroutine that is made and dropped, with time to run in between.

    A coroutine that is never awaited never runs.
    """
    ran = False

    async def work() -> None:
        nonlocal ran
        ran = True

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        coroutine = work()
        await asyncio.sleep(TICK_SECONDS)
        del coroutine
        gc.collect()
    return (False, True), (ran, any("was never awaited" in str(row.message) for row in caught))


@program("asyncio.run: {}; run_until_complete and close: {}")
def nobody_awaits(scene: Scene) -> Seen:
    """a task that would sleep for an hour; its caller returns at once.

    A task that nobody awaits is cut off when the event loop ends.
    """

    async def work(events: list[str]) -> None:
        events.append("started")
        try:
            await asyncio.sleep(FOREVER_SECONDS)
            events.append("finished")
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    async def abandon(events: list[str]) -> weakref.ref[asyncio.Task[None]]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: events.append(context["message"]))
        return weakref.ref(loop.create_task(work(events)))  # else it would outlive its loop here

    in_run: list[str] = []
    # asyncio.run takes a maker of loops from Python 3.12 on; this works on all.
    with mock.patch.object(asyncio.events, "new_event_loop", scene.new_loop):
        asyncio.run(abandon(in_run))

    in_close: list[str] = []
    with closing(scene.new_loop()) as loop:
        task = loop.run_until_complete(abandon(in_close))()
        in_close.append("gone" if task is None else "finished" if task.done() else "pending")
        del task
    gc.collect()
    destroyed = "Task was destroyed but it is pending!"
    return (["started", "cancelled"], ["started", "pending", destroyed]), (in_run, in_close)


@program("waiting alone: {}; asleep: {}; referred to by the caller: {}", certain=False)
async def nobody_references(scene: Scene) -> Seen:
    """three tasks and a garbage collection: whether they are still there after it.

    The loop refers to tasks weakly: one that nothing else refers to may be collected unfinished.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: None)  # that one was destroyed: seen below

    async def wait_alone() -> None:
        await loop.create_future()

    async def sleep() -> None:
        await asyncio.sleep(FOREVER_SECONDS)

    kept = loop.create_task(wait_alone())
    # No name in this frame may refer to the others.
    tasks = [weakref.ref(loop.create_task(work())) for work in (wait_alone, sleep)]
    for _ in range(2):
        await asyncio.sleep(0)
    gc.collect()
    fates = ["collected" if task() is None else "kept" for task in (*tasks, weakref.ref(kept))]
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0)
    return ("collected", "kept", "kept"), tuple(fates)
