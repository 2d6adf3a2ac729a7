"""What a caller does between creating and joining."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks import pauses
from benchmarks.cases import Case
from benchmarks.pauses import PAUSES, Pause
from tests.benchmarks.clocks import FakeClock


def test_nothing_is_the_usual_pause_and_costs_no_call() -> None:
    usual = PAUSES[Case("throughput", "noop", 1).pause]
    assert next(iter(PAUSES.values())) == usual
    assert (usual.make, usual.seconds, usual.suspends) == (None, 0.0, False)


@pytest.mark.parametrize("pause", [row for row in PAUSES.values() if row.make])
def test_a_pause_takes_as_long_as_it_says_and_suspends_only_if_it_says_so(
    pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    suspended: list[float] = []

    def tick() -> float:
        clock.advance(0.0001)
        return clock.seconds

    async def sleep(seconds: float) -> None:
        suspended.append(seconds)
        clock.advance(seconds)

    monkeypatch.setattr(pauses, "perf_counter", tick)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert pause.make is not None
    coroutine = pause.make()
    started = clock.seconds
    with pytest.raises(StopIteration) as caught:
        coroutine.send(None)
    assert caught.value.value is None
    assert clock.seconds - started == pytest.approx(pause.seconds, abs=0.0003)
    assert suspended == ([pause.seconds] if pause.suspends else [])


def test_rows_are_known_by_their_functions_names_and_have_a_meaning() -> None:
    for name, row in PAUSES.items():
        assert row.name == name
        assert row.label
        assert row.meaning
        assert row.make is None or row.make.__name__ == name
    assert {name for name, row in PAUSES.items() if row.suspends} == {"sleep_5ms", "sleep_20ms"}
