"""What the garbage collector takes."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks import collecting
from benchmarks.collecting import (
    FULL,
    begin_at,
    collector_seconds,
    cycle_collections,
    watched,
)
from tests.benchmarks.clocks import FakeClock
from tests.repository import REPOSITORY

TAKES = (0.25, 0.5, 4.0)
"""Seconds of a collection, by generation."""


@pytest.fixture(autouse=True)
def disabled() -> Iterator[None]:
    """No collection but those of the test."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeClock]:
    """Moves in collections only."""
    fake = FakeClock()

    def collected(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            fake.advance(TAKES[info["generation"]])

    monkeypatch.setattr(collecting, "perf_counter", fake)
    gc.callbacks.insert(0, collected)
    yield fake
    gc.callbacks.remove(collected)


def collect(*generations: int) -> None:
    for generation in generations:
        gc.collect(generation)


def test_collections_are_counted_and_timed_by_generation(clock: FakeClock) -> None:
    with watched() as collected:
        collect(0, 1, 2, 2, 0, 0)
    assert collected.counts == [3, 1, 2]
    assert collected.seconds == [0.75, 0.5, 8.0]
    assert FULL == 2


def test_only_collections_of_the_block_count(clock: FakeClock) -> None:
    collect(0, 2)
    before = list(gc.callbacks)
    with watched() as collected:
        assert len(gc.callbacks) == 1 + len(before)
        assert (collected.counts, collected.seconds) == ([0, 0, 0], [0.0, 0.0, 0.0])
        collect(1)
    collect(0, 2)
    assert (collected.counts, collected.seconds) == ([0, 1, 0], [0.0, 0.5, 0.0])


def test_the_seconds_so_far_are_those_of_all_generations_since_the_block_began(
    clock: FakeClock,
) -> None:
    for _ in range(2):
        with watched():
            assert collector_seconds() == 0.0
            collect(0, 1)
            assert collector_seconds() == 0.75
            collect(2)
            assert collector_seconds() == 4.75
        collect(2)
        assert collector_seconds() == 4.75


def test_what_is_raised_ends_the_watching() -> None:
    before = list(gc.callbacks)
    with pytest.raises(LookupError), watched():
        raise LookupError
    assert gc.callbacks == before


def test_where_python_does_not_call_back_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "_CALLBACKS", None)
    before = list(gc.callbacks)
    with watched() as collected:
        assert gc.callbacks == before
        collect(2)
    assert (collected.counts, collected.seconds) == ([0, 0, 0], [0.0, 0.0, 0.0])
    assert collector_seconds() == 0.0


def test_watching_does_not_bring_the_next_collection_nearer() -> None:
    """Adding up makes no object that the collector counts, or that it has to visit."""
    with watched() as collected:
        info = {"generation": 1, "collected": 0, "uncollectable": 0}
        before = gc.get_count()
        for _ in range(1000):
            collected.take("start", info)
            collected.take("stop", info)
        assert gc.get_count() == before
        known = len(gc.get_objects())
        collect(0, 1, 0)
        assert len(gc.get_objects()) <= known
    assert collected.counts == [2, 1001, 0]
    assert not any(map(gc.is_tracked, (*collected.counts, *collected.seconds)))


def test_fan_outs_are_collected_as_often_watched_as_not() -> None:
    async def main() -> int:
        for _ in range(20):
            await asyncio.gather(*[asyncio.sleep(0) for _ in range(1000)])
        return so_far()

    def so_far() -> int:
        return sum(int(row["collections"]) for row in gc.get_stats())

    def collections() -> int:
        gc.collect()
        before = so_far()
        gc.enable()
        try:
            return asyncio.run(main()) - before
        finally:
            gc.disable()

    collections()  # the first has caches to fill
    alone = collections()
    with watched() as collected:
        seen = collections()
    assert seen == alone > 20
    assert sum(collected.counts) >= seen


@pytest.mark.parametrize(
    ("thresholds", "collections"),
    [((700, 10, 10), 133), ((2000, 10, 10), 133), ((700, 1, 1), 7), ((2000, 10, 0), 0)],
)
def test_a_cycle_has_so_many_collections(
    thresholds: tuple[int, int, int], collections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gc, "get_threshold", lambda: thresholds)
    assert cycle_collections() == collections


FOUR_CYCLES = """
import gc
from benchmarks.collecting import FULL, cycle_collections, watched
kept = []
with watched() as collected:
    while collected.counts[FULL] < 4:
        kept.append([])
print(sum(collected.counts) / cycle_collections())
"""


cycles_through_generations = pytest.mark.skipif(
    not cycle_collections(), reason="the collector of this Python works another way"
)


@cycles_through_generations
def test_this_python_makes_a_full_collection_once_in_a_cycle() -> None:
    """In a process as small as a worker: in a larger one Python puts full collections off."""
    done = subprocess.run(
        [sys.executable, "-c", FOUR_CYCLES],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) == pytest.approx(4, abs=0.5)


@cycles_through_generations
@pytest.mark.parametrize(
    ("phase", "counts"),
    [(0.0, (0, 0)), (0.5, (5, 5)), (0.99, (9, 10)), (0.9999, (10, 10)), (10.5 / 121, (10, 0))],
)
def test_the_collector_is_brought_to_a_phase(phase: float, counts: tuple[int, int]) -> None:
    assert gc.get_threshold()[1:] == (10, 10)
    begin_at(phase)
    assert gc.get_count()[1:] == counts
