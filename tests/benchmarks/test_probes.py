"""The registry of probes; what throughput and latency compute, checked with a clock that moves only
where it is told to.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pyperf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import clock, collecting, probes
from benchmarks.cases import Launcher
from benchmarks.collecting import watched
from benchmarks.echo import EchoConnections
from benchmarks.matrix import Selection, cases
from benchmarks.probes import PROBES, first, footprint, latency, throughput
from benchmarks.probes.latency import quantile
from benchmarks.probes.memory import NotMeasurableError
from benchmarks.probing import FanOut, Measurement, Probe
from benchmarks.slices import Bench
from benchmarks.strategies import BASELINE, STRATEGIES, PauseCall, Work
from benchmarks.workloads import WORKLOADS, noop
from tests.benchmarks.cells import MAKERS, RUNNABLE
from tests.benchmarks.clocks import FakeClock
from tests.benchmarks.probing import run

LAUNCH_SECONDS = 0.5


def measured(probe: Probe, work_seconds: Sequence[float], loops: int) -> Measurement:
    """A fan-out that takes half a second to launch before its tasks take turns, for these times."""
    fake = FakeClock()

    async def work(index: int) -> int:
        fake.advance(work_seconds[index])
        return index

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        fake.advance(LAUNCH_SECONDS)
        return await asyncio.gather(*[work(index) for index in range(tasks)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(throughput, "perf_counter", fake)
        patch.setattr(latency, "perf_counter", fake)
        return asyncio.run(probe.measure(FanOut(launch, work, len(work_seconds)), loops))


def test_throughput_is_the_time_of_the_whole_fan_out() -> None:
    measurement = measured(throughput.PROBE, [1.0, 2.0, 4.0], loops=1)
    assert measurement == Measurement(7.5, {"total": 7.5}, [0, 1, 2])


def test_throughput_is_per_inner_loop_and_timed_seconds_are_of_all() -> None:
    measurement = measured(throughput.PROBE, [1.0, 2.0, 4.0], loops=4)
    assert measurement == Measurement(30.0, {"total": 7.5}, [0, 1, 2])


@pytest.mark.parametrize("loops", [1, 3])
def test_throughput_tells_the_seconds_of_the_collections_within_it(loops: int) -> None:
    async def work(index: int) -> int:
        fake.advance(1.0)
        return index

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        results = [await work(index) for index in range(tasks)]
        gc.collect(0)
        gc.collect()
        return results

    async def main() -> Measurement:
        gc.collect()  # before the launch: it is none of it
        return await throughput.measure(FanOut(launch, work, 2), loops)

    fake = FakeClock()
    collecting_takes = iter([100.0] + [0.25, 0.5] * loops)

    def slow(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            fake.advance(next(collecting_takes))

    with pytest.MonkeyPatch.context() as patch:
        for module in (throughput, collecting):
            patch.setattr(module, "perf_counter", fake)
        gc.disable()
        gc.callbacks.insert(0, slow)
        try:
            with watched():
                measurement = asyncio.run(main())
        finally:
            gc.callbacks.remove(slow)
            gc.enable()
    assert measurement == Measurement(
        2.75 * loops, {"total": 2.75}, [0, 1], collector_seconds=0.75 * loops
    )


def test_latency_is_counted_from_the_launch() -> None:
    measurement = measured(latency.PROBE, [1.0, 2.0, 4.0], loops=1)
    # The tasks complete 1.5, 3.5 and 7.5 s after the launch.
    assert measurement.values == {
        "first_step": 0.5,
        "p50": 3.5,
        "p99": 7.5,
        "max": 7.5,
        "item_p50": 2.0,
        "item_p99": 4.0,
    }
    assert measurement.timed_seconds == 7.5
    assert measurement.results == [0, 1, 2]


def test_latency_is_the_mean_over_inner_loops() -> None:
    fake = FakeClock()
    pace = iter([1.0, 1.0, 3.0, 3.0])

    async def work(index: int) -> int:
        fake.advance(next(pace))
        return index

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        return await asyncio.gather(*[work(index) for index in range(tasks)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency, "perf_counter", fake)
        measurement = asyncio.run(latency.measure(FanOut(launch, work, 2), 2))
    # First batch: completions at 1 and 2; second: at 3 and 6.
    assert measurement.values == {
        "first_step": 0.0,
        "p50": 2.0,
        "p99": 4.0,
        "max": 4.0,
        "item_p50": 2.0,
        "item_p99": 2.0,
    }
    assert measurement.timed_seconds == 8.0


def test_p99_of_many_tasks_leaves_one_in_a_hundred_out() -> None:
    measurement = measured(latency.PROBE, [1.0] * 200, loops=1)
    assert measurement.values["p50"] == LAUNCH_SECONDS + 100
    assert measurement.values["p99"] == LAUNCH_SECONDS + 198
    assert measurement.values["max"] == LAUNCH_SECONDS + 200


@given(
    st.lists(st.floats(min_value=0, max_value=10, allow_nan=False), min_size=1, max_size=50),
    st.integers(1, 3),
)
def test_latency_metrics_are_in_order(work_seconds: list[float], loops: int) -> None:
    values = measured(latency.PROBE, work_seconds, loops).values
    assert 0 < values["first_step"] <= values["p50"] <= values["p99"] <= values["max"]


@pytest.mark.parametrize(("share", "exactly"), [(0.5, Fraction(1, 2)), (0.99, Fraction(99, 100))])
@given(data=st.data())
def test_quantile_is_the_smallest_value_that_enough_of_them_do_not_exceed(
    share: float, exactly: Fraction, data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.integers(-5, 1000), min_size=1, max_size=300))
    brute_force = min(
        value
        for value in values
        if Fraction(sum(other <= value for other in values), len(values)) >= exactly
    )
    assert quantile(sorted(values), share) == brute_force


@pytest.mark.parametrize("name", PROBES)
def test_the_registry_knows_what_a_probe_is(name: str) -> None:
    probe = PROBES[name]
    words = (probe, *probe.metrics, *probe.observed)
    assert probe.name == name
    assert all((word.label, word.meaning) > ("", "") for word in words)
    assert probe.section
    assert probe.introduction.endswith(".")
    assert probe.headline_metric in probe.metric_names
    assert len({word.name for word in words}) == len(words)
    assert {metric.unit for metric in probe.metrics} <= {"second", "byte"}
    if probe.own_workload is not None:
        assert probe.workload("noop") is probe.own_workload
    else:
        assert probe.workload("noop") is WORKLOADS["noop"]


def test_probes_come_in_reading_order_and_one_gives_the_answer() -> None:
    assert list(PROBES) == [
        "throughput", "latency", "head_start", "stall", "failure", "cancel", "first", "memory",
        "footprint",
    ]  # fmt: skip
    assert [probe.name for probe in PROBES.values() if probe.answers] == ["throughput"]


def test_a_probe_that_splits_its_value_has_one() -> None:
    """The collector's share is that of the timed seconds."""
    splitting = [probe for probe in PROBES.values() if probe.splits]
    assert [probe.name for probe in splitting] == ["throughput"]
    assert all(len(probe.metrics) == 1 for probe in splitting)


ADDED = """
from dataclasses import replace
from benchmarks.probes.throughput import PROBE as THROUGHPUT
PROBE = replace(THROUGHPUT, name="added", order=100)
"""


@pytest.mark.parametrize("file", ["added", "aaa"])
def test_a_new_probe_is_one_file(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connections: EchoConnections
) -> None:
    (tmp_path / f"{file}.py").write_text(ADDED, encoding="utf-8")
    monkeypatch.setattr(probes, "__path__", [*probes.__path__, str(tmp_path)])
    monkeypatch.setitem(sys.modules, f"benchmarks.probes.{file}", None)  # is forgotten afterwards
    del sys.modules[f"benchmarks.probes.{file}"]
    found = probes.find_probes()
    assert list(found) == [*PROBES, "added"]
    monkeypatch.setitem(PROBES, "added", found["added"])
    (case,) = cases(Selection(probes=("added",), workloads=("noop",), tasks=(10,)))
    assert case.id == "added/noop/10"
    bench = Bench(Launcher("asyncio", "lazy", BASELINE), connections)
    assert bench.measure(case, 1, 1).values.keys() == {"total"}


@pytest.mark.parametrize("probe", [throughput.PROBE, latency.PROBE])
def test_the_pause_is_awaited_in_every_fan_out_and_timed(probe: Probe) -> None:
    fake = FakeClock()
    paused = 0

    async def work(index: int) -> int:
        fake.advance(1.0)
        return index

    async def pause() -> None:
        nonlocal paused
        paused += 1
        fake.advance(10.0)

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        if pause:
            await pause()
        return await asyncio.gather(*[work(index) for index in range(tasks)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(throughput, "perf_counter", fake)
        patch.setattr(latency, "perf_counter", fake)
        fan_out = FanOut(launch, work, 2, pause)
        measurement = asyncio.run(probe.measure(fan_out, 3))
    assert paused == 3
    assert measurement.timed_seconds == 3 * 12.0
    assert max(measurement.values.values()) == 12.0


def test_the_clock_is_pyperfs() -> None:
    assert clock.perf_counter is pyperf.perf_counter is time.perf_counter


# --- one task, the first result, and a whole fan-out ----------------------------------------------


def test_one_task_counts_from_its_own_first_step() -> None:
    fake = FakeClock()

    async def work(index: int) -> int:
        fake.advance(1.0 + index)
        return index

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        return [await work(index) for index in range(tasks)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency, "perf_counter", fake)
        values = asyncio.run(latency.measure(FanOut(launch, work, 3), 1)).values
    # They take 1, 2 and 3 s; the launch is 6 s before the last completes.
    assert (values["item_p50"], values["item_p99"], values["max"]) == (2.0, 3.0, 6.0)


@pytest.mark.parametrize("strategy", [name for name in first.PROBE.strategies if name in RUNNABLE])
@pytest.mark.parametrize(("loop", "task_factory"), MAKERS)
@pytest.mark.parametrize("tasks", [1, 2, 20])
def test_the_first_result_ends_all_others(
    strategy: str, loop: str, task_factory: str, tasks: int
) -> None:
    cancelled: list[int] = []

    async def waits(index: int) -> int:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.append(index)
            raise
        return index

    async def main() -> Measurement:
        fan_out = FanOut(STRATEGIES[strategy].launch, waits, tasks)
        measurement = await first.measure(fan_out, 2)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "a task is still there"
        return measurement

    measurement = run(main, loop, task_factory)
    assert measurement.results == list(range(tasks))
    assert 0 < measurement.values["known"] <= measurement.values["clean"]
    assert tasks // 2 not in cancelled


def test_every_way_to_the_first_result_is_a_strategy() -> None:
    assert set(first.PROBE.strategies) <= set(STRATEGIES)
    for name, row in STRATEGIES.items():
        assert first.PROBE.can_measure(row) == (name in first.PROBE.strategies)


def test_a_footprint_is_the_peak_after_less_the_size_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events: list[str] = []

    def reading(name: str, size: int) -> int:
        events.append(name)
        return size

    monkeypatch.setattr(footprint, "forget_peak", lambda: events.append("forget"))
    monkeypatch.setattr(footprint, "resident_bytes", lambda: reading("before", 10_000))
    monkeypatch.setattr(footprint, "peak_bytes", lambda: reading("after", 90_000))

    async def work(index: int) -> int:
        events.append("work")
        return index

    fan_out = FanOut(STRATEGIES["sequential"].launch, work, 20)
    measurement = asyncio.run(footprint.measure(fan_out, 1))
    assert measurement.values == {"peak": 80_000}
    assert measurement.results == list(range(20))
    assert events == [*["work"] * 10, "forget", "before", *["work"] * 20, "after"]


def test_a_footprint_is_of_one_fan_out_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    fan_out = FanOut(STRATEGIES["sequential"].launch, noop, 20)
    with pytest.raises(NotMeasurableError, match="of one fan-out, not of 2"):
        asyncio.run(footprint.measure(fan_out, 2))
    monkeypatch.setattr(footprint, "resident_bytes", lambda: 0)
    with pytest.raises(NotMeasurableError, match="does not tell the size"):
        asyncio.run(footprint.measure(fan_out, 1))


def test_what_fits_into_memory_that_is_there_counts_as_a_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(footprint, "resident_bytes", lambda: 10_000)
    monkeypatch.setattr(footprint, "peak_bytes", lambda: 10_000)
    fan_out = FanOut(STRATEGIES["sequential"].launch, noop, 20)
    assert asyncio.run(footprint.measure(fan_out, 1)).values == {"peak": footprint.LEAST_BYTES}
