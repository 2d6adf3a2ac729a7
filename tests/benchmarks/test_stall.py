"""Probe ``stall``: the longest wait of a callback that is always ready."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.campaign.interpreters import executable
from benchmarks.campaign.schema import Interpreter
from benchmarks.probes import stall
from benchmarks.probing import FanOut, Measurement
from benchmarks.strategies import STRATEGIES, PauseCall, Work
from tests.benchmarks.clocks import FakeClock
from tests.benchmarks.probing import Cell, Seen, cells, run, see, see_elsewhere


def check(seen: Seen) -> None:
    cell = seen.cell
    assert seen.complaints == []
    assert seen.results == list(range(cell.tasks))
    assert list(seen.values) == ["longest_wait"]
    assert 0 < seen.values["longest_wait"] * cell.loops <= seen.timed_seconds * (1 + 1e-9)


@pytest.mark.parametrize("cell", cells(stall.PROBE.name), ids=str)
def test_a_wait_is_part_of_the_fan_out(cell: Cell) -> None:
    check(see(cell))


def test_the_same_on_every_interpreter(interpreters: tuple[Interpreter, ...]) -> None:
    for interpreter in interpreters:
        rows = see_elsewhere(stall.PROBE.name, executable(interpreter))
        assert rows
        for seen in rows:
            check(seen)


def busy(fan_outs: Sequence[Sequence[float]]) -> Measurement:
    """Fan-outs that keep the loop busy for these times, with a turn of the loop between two."""
    fake = FakeClock()
    following = iter(fan_outs)

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        for number, seconds in enumerate(next(following)):
            if number:
                await asyncio.sleep(0)
            fake.advance(seconds)
        return list(range(tasks))

    async def work(index: int) -> int:
        return index

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stall, "perf_counter", fake)
        return run(lambda: stall.measure(FanOut(launch, work, 3), len(fan_outs)))


@pytest.mark.parametrize(
    ("busy_seconds", "longest"),
    [
        ([3.0], 3.0),  # never had a turn: the wait in progress is the only one
        ([3.0, 1.0, 2.0], 3.0),  # the first counts from the launch
        ([1.0, 3.0, 2.0], 3.0),
        ([1.0, 2.0, 3.0], 3.0),  # the one in progress when joined
    ],
)
def test_the_longest_wait_counts_from_the_launch_to_the_join(
    busy_seconds: list[float], longest: float
) -> None:
    measurement = busy([busy_seconds])
    assert measurement.values == {"longest_wait": longest}
    assert measurement.timed_seconds == sum(busy_seconds)
    assert measurement.results == [0, 1, 2]


def test_the_value_is_the_mean_of_the_longest_waits() -> None:
    measurement = busy([[1.0, 4.0], [2.0, 1.0, 1.0]])
    assert measurement.values == {"longest_wait": 3.0}
    assert measurement.timed_seconds == 9.0


@given(st.lists(st.integers(1, 1000).map(float), min_size=1, max_size=20))
def test_the_longest_wait_is_the_longest_the_loop_was_kept(busy_seconds: list[float]) -> None:
    assert busy([busy_seconds]).values == {"longest_wait": max(busy_seconds)}


@pytest.mark.parametrize("strategy", ["gather_coroutines", "sequential"])
def test_a_child_that_computes_makes_others_wait(
    strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeClock()
    monkeypatch.setattr(stall, "perf_counter", fake)

    async def work(index: int) -> int:
        await asyncio.sleep(0)
        fake.advance(1.0)
        return index

    fan_out = FanOut(STRATEGIES[strategy].launch, work, 5)
    # Concurrent children have their steps in one turn; awaited one by one, each has a turn.
    longest = {"gather_coroutines": 5.0, "sequential": 1.0}[strategy]
    assert run(lambda: stall.measure(fan_out, 1)).values == {"longest_wait": longest}


@pytest.mark.parametrize("fails", [False, True])
def test_the_ticker_stops(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = 0

    def clock() -> float:
        nonlocal readings
        readings += 1
        return float(readings)

    monkeypatch.setattr(stall, "perf_counter", clock)

    async def work(index: int) -> int:
        await asyncio.sleep(0)
        if fails:
            raise LookupError
        return index

    async def readings_afterwards() -> int:
        fan_out = FanOut(STRATEGIES["gather_tasks"].launch, work, 2)
        try:
            await stall.measure(fan_out, 1)
        except LookupError:
            assert fails
        before = readings
        for _ in range(10):
            await asyncio.sleep(0)
        return readings - before

    assert run(readings_afterwards) == 0
    assert readings > 3
