"""What strategies with a limit promise: never more than that at a time, that many where there are,
results in their order, and only what they must in memory.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.cases import Case, Launcher
from benchmarks.echo import EchoConnections
from benchmarks.matrix import BOUNDING
from benchmarks.slices import Bench, ProofError
from benchmarks.strategies import STRATEGIES, Strategy, Work
from tests.benchmarks.cells import BOUNDED, MAKERS
from tests.benchmarks.probing import run

CASE = Case("throughput", "noop", 20)
MAKE_ALL = {"gather_semaphore", "task_group_semaphore", "anyio_limiter"}
"""Those that make a task of each item at once."""


class WorkFailedError(Exception):
    pass


@pytest.mark.parametrize(("tasks", "limit"), [(1, 1), (1, 3), (7, 1), (7, 3), (7, 7), (7, 50)])
@pytest.mark.parametrize(("loop", "task_factory"), MAKERS)
@pytest.mark.parametrize("strategy", BOUNDED)
def test_at_most_so_many_are_active_and_results_are_in_order(
    strategy: str, loop: str, task_factory: str, tasks: int, limit: int
) -> None:
    counts, active, most = [0] * tasks, 0, 0
    rests = random.Random(tasks * limit)

    async def work(index: int) -> int:
        nonlocal active, most
        counts[index] += 1
        active += 1
        most = max(most, active)
        for _ in range(rests.randrange(20, 30)):
            await asyncio.sleep(0)
        active -= 1
        return index

    async def main() -> list[int]:
        results = await STRATEGIES[strategy].within(limit)(work, tasks, None)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "a task is still there"
        return results

    assert run(main, loop, task_factory) == list(range(tasks))
    assert counts == [1] * tasks
    assert most == min(tasks, limit)


@pytest.mark.parametrize("strategy", BOUNDED)
def test_a_slot_is_taken_again_as_soon_as_it_is_free(strategy: str) -> None:
    """Only chunks wait for their slowest."""
    started: list[int] = []

    async def main() -> None:
        release = asyncio.Event()

        async def work(index: int) -> int:
            started.append(index)
            if index == 0:
                await release.wait()
            return index

        fan_out = asyncio.create_task(STRATEGIES[strategy].within(2)(work, 6, None))
        for _ in range(100):
            await asyncio.sleep(0)
        waiting = [0, 1] if strategy == "chunks" else [0, 1, 2, 3, 4, 5]
        assert sorted(started) == waiting
        release.set()
        assert await fan_out == [0, 1, 2, 3, 4, 5]

    run(main)


@pytest.mark.parametrize("strategy", BOUNDED)
def test_only_some_make_all_tasks_at_once(strategy: str) -> None:
    async def main() -> int:
        release = asyncio.Event()

        async def work(index: int) -> int:
            await release.wait()
            return index

        before = len(asyncio.all_tasks())
        fan_out = asyncio.create_task(STRATEGIES[strategy].within(3)(work, 40, None))
        for _ in range(100):
            await asyncio.sleep(0)
        made = len(asyncio.all_tasks()) - before - 1
        release.set()
        await fan_out
        return made

    made = run(main)
    assert made >= 40 if strategy in MAKE_ALL else made <= 3 + 2


@pytest.mark.parametrize("strategy", BOUNDED)
def test_an_error_reaches_the_caller(strategy: str) -> None:
    async def work(index: int) -> int:
        await asyncio.sleep(0)
        if index == 4:
            raise WorkFailedError
        return index

    async def main() -> None:
        try:
            await STRATEGIES[strategy].within(2)(work, 10, None)
        finally:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def leaves(error: BaseException) -> list[type]:
        nested = getattr(error, "exceptions", None)
        return [type(error)] if nested is None else [*itertools.chain(*map(leaves, nested))]

    with pytest.raises(Exception) as caught:  # noqa: PT011  # alone or in a group
        run(main)
    assert leaves(caught.value) == [WorkFailedError]


# The proof of the limit

Prove = Callable[..., None]


@pytest.fixture
def prove(monkeypatch: pytest.MonkeyPatch, connections: EchoConnections) -> Prove:
    """Prove a strategy that is in the registry for this test only."""

    def proved(launch: Callable[..., object], limit: int, tasks: int = CASE.tasks) -> None:
        row = Strategy("mine", "mine", "for a test", (3, 10), lambda: launch, bounds=True)  # type: ignore[arg-type, return-value]
        monkeypatch.setitem(STRATEGIES, row.name, row)
        bench = Bench(Launcher("asyncio", "lazy", row.name, limit=limit), connections)
        bench.prove(replace(CASE, tasks=tasks))

    return proved


async def ignores_the_limit(work: Work, tasks: int, limit: int) -> list[int]:
    return await asyncio.gather(*[work(index) for index in range(tasks)])


async def one_too_many(work: Work, tasks: int, limit: int) -> list[int]:
    return await STRATEGIES["gather_semaphore"].within(limit + 1)(work, tasks, None)


async def one_a_turn(work: Work, tasks: int, limit: int) -> list[int]:
    slots = asyncio.Semaphore(limit)

    async def within(index: int) -> int:
        try:
            return await work(index)
        finally:
            slots.release()

    children = []
    for index in range(tasks):
        await slots.acquire()
        children.append(asyncio.create_task(within(index)))
        await asyncio.sleep(0)
    return await asyncio.gather(*children)


async def one_a_turn_and_one_too_many(work: Work, tasks: int, limit: int) -> list[int]:
    return await one_a_turn(work, tasks, limit + 1)


async def one_by_one(work: Work, tasks: int, limit: int) -> list[int]:
    return [await work(index) for index in range(tasks)]


@pytest.mark.parametrize(
    ("launch", "says"),
    [
        (ignores_the_limit, "11 of 11 children were active at a time, not 5"),
        (one_too_many, "6 of 11 children were active at a time, not 5"),
        (one_a_turn_and_one_too_many, "6 of 11 children were active at a time, not 5"),
        (one_by_one, "1 of 11 children were active at a time, not 5"),
    ],
)
def test_the_proof_catches_a_strategy_that(
    launch: Callable[..., object], says: str, prove: Prove
) -> None:
    with pytest.raises(ProofError, match=says):
        prove(launch, 5)


def test_a_strategy_may_start_one_child_a_turn(prove: Prove) -> None:
    prove(one_a_turn, 300, 1000)


@pytest.mark.parametrize("limit", [1, 5, 20, 1000])
@pytest.mark.parametrize("strategy", BOUNDED)
def test_all_that_bound_prove_it(strategy: str, limit: int, connections: EchoConnections) -> None:
    bench = Bench(Launcher("asyncio", "lazy", strategy, limit=limit), connections)
    assert bench.prove(CASE) > 0
    assert bench.measure(CASE, 2, 3).blocks >= 3


def test_launchers_are_told_apart_by_their_limits() -> None:
    for limit in (None, 1, 100):
        launcher = Launcher("uvloop", "eager", "chunks", "off", limit)
        assert Launcher.of(launcher.arguments) == launcher
    assert Launcher("asyncio", "lazy", "chunks").arguments[-1] == "none"


def test_the_choice_of_those_that_bound() -> None:
    assert set(BOUNDED) <= set(BOUNDING)
