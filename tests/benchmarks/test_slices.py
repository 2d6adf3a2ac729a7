"""One slice: its proof, its calibration, and what surrounds the timed loops."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from benchmarks import slices
from benchmarks.cases import Case, Launcher
from benchmarks.collectors import COLLECTORS, collector_in_force
from benchmarks.echo import EchoConnections
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES, latency, throughput
from benchmarks.probing import FanOut, Measurement
from benchmarks.slices import COLLECTIONS, Bench, ProofError
from benchmarks.strategies import STRATEGIES, Launch, PauseCall, Work
from benchmarks.workloads import WORKLOADS
from tests.benchmarks.cells import LOOPS, strategy_of
from tests.benchmarks.clocks import FakeClock

CASE = Case("throughput", "noop", 20)

MakeBench = Callable[..., Bench]


@pytest.fixture
def bench_of(monkeypatch: pytest.MonkeyPatch, connections: EchoConnections) -> MakeBench:
    """A bench of a strategy that is in the registry for this test only."""

    def make(launch: Launch, collector: str = "on") -> Bench:
        row = strategy_of(launch)
        monkeypatch.setitem(STRATEGIES, row.name, row)
        return Bench(Launcher("asyncio", "lazy", row.name, collector), connections)

    return make


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The clock of the bench and of all probes."""
    fake = FakeClock()
    for module in (slices, throughput, latency):
        monkeypatch.setattr(module, "perf_counter", fake)
    return fake


async def correct(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    return await asyncio.gather(*[work(index) for index in range(tasks)])


# The proof


async def drops_the_last(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    await asyncio.gather(*[work(index) for index in range(tasks - 1)])
    return list(range(tasks))


async def doubles_the_first(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    return (await asyncio.gather(work(0), *[work(index) for index in range(tasks)]))[1:]


async def runs_one_in_place_of_another(
    work: Work, tasks: int, pause: PauseCall | None = None
) -> list[int]:
    await asyncio.gather(*[work(max(index, 1)) for index in range(tasks)])
    return list(range(tasks))


async def reverses_results(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    return list(reversed(await correct(work, tasks)))


async def loses_a_result(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    return (await correct(work, tasks))[:-1]


async def does_nothing(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    return list(range(tasks))


@pytest.mark.parametrize(
    ("launch", "says"),
    [
        (drops_the_last, "coroutine 19 of 20 ran 0 times"),
        (doubles_the_first, "coroutine 0 of 20 ran 2 times"),
        (runs_one_in_place_of_another, "coroutine 0 of 20 ran 0 times"),
        (reverses_results, "argument order"),
        (loses_a_result, "argument order"),
        (does_nothing, "coroutine 0 of 20 ran 0 times"),
    ],
)
def test_the_proof_catches_a_strategy_that(launch: Launch, says: str, bench_of: MakeBench) -> None:
    with pytest.raises(ProofError, match=says):
        bench_of(launch).prove(CASE)


@pytest.mark.parametrize("check", [Bench.prove, lambda bench, case: bench.measure(case, 1)])
def test_a_task_left_behind_is_caught(
    check: Callable[[Bench, Case], object], bench_of: MakeBench
) -> None:
    left: list[asyncio.Task[object]] = []

    async def leaves_a_task(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        left.append(asyncio.create_task(asyncio.Event().wait()))
        return await correct(work, tasks)

    bench = bench_of(leaves_a_task)
    with pytest.raises(ProofError, match="left when the fan-out had returned"):
        check(bench, CASE)
    for task in left:  # nobody else will, and a pending task complains when it is collected
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        task.get_coro().close()


@pytest.mark.parametrize("probe", ["throughput", "latency", "head_start", "stall"])
def test_a_measured_slice_checks_its_results_too(probe: str, bench_of: MakeBench) -> None:
    with pytest.raises(ProofError, match="argument order"):
        bench_of(reverses_results).measure(Case(probe, "noop", 20), 1)


def test_an_exception_of_measured_code_comes_out_and_the_next_slice_works(
    bench_of: MakeBench,
) -> None:
    fail = True

    async def fails_at_first(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        if fail:
            raise LookupError("broken")
        return await correct(work, tasks)

    bench = bench_of(fails_at_first)
    with pytest.raises(LookupError, match="broken"):
        bench.measure(CASE, 1)
    fail = False
    assert bench.measure(CASE, 1).results == list(range(20))


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_value_that_cannot_be_is_caught(
    value: float, bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def measure(fan_out: FanOut, loops: int) -> Measurement:
        results = await fan_out.launch(fan_out.work, fan_out.tasks, None)
        return Measurement(1.0, {"total": value}, results)

    monkeypatch.setitem(PROBES, "throughput", replace(PROBES["throughput"], measure=measure))
    with pytest.raises(ProofError, match=r"total is .+, which is no measurement"):
        bench_of(correct).measure(CASE, 1)


def test_replies_that_nobody_has_read_do_not_reach_the_next_case(bench_of: MakeBench) -> None:
    fail = True

    async def fails_at_first(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        if not fail:
            return await correct(work, tasks)
        children = [asyncio.ensure_future(work(1000 + index)) for index in range(tasks)]
        await asyncio.sleep(0)  # the requests are on their way
        for child in children:
            child.cancel()
        await asyncio.wait(children)
        raise LookupError("broken")

    bench = bench_of(fails_at_first)
    case = Case("throughput", "echo", 20)
    for _ in range(2):
        with pytest.raises(LookupError, match="broken"):
            bench.measure(case, 1)
    fail = False
    assert bench.prove(case) > 0
    assert bench.measure(case, 3).results == list(range(20))


@pytest.mark.parametrize("probe", [name for name, row in PROBES.items() if not row.fresh_process])
@pytest.mark.parametrize("loop", LOOPS)
def test_every_real_cell_is_proved_and_measured(
    loop: str, probe: str, connections: EchoConnections
) -> None:
    bench = Bench(Launcher(loop, "lazy", "gather_tasks"), connections)
    own = PROBES[probe].own_workload
    for workload in ("noop", "yield_once", "echo") if own is None else (own.name,):
        case = Case(probe, workload, 150)
        assert bench.calibrate(case, 0.001).loops >= 1
        measurement = bench.measure(case, 2)
        assert measurement.results == list(range(150))
        assert tuple(measurement.values) == PROBES[probe].metric_names
        assert all(0 < value <= measurement.timed_seconds for value in measurement.values.values())
        assert all(value >= 0 for value in measurement.observed.values())
        assert measurement.observed.keys() == {
            row.name for row in (*PROBES[probe].observed, COLLECTIONS)
        }


# Calibration


def taking(clock: FakeClock, seconds_per_task: float, cold_seconds: float = 0.0) -> Launch:
    """A strategy that takes this time on the clock, and ``cold_seconds`` more the first time."""
    cold = [cold_seconds]

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        clock.advance(tasks * seconds_per_task + (cold.pop() if cold else 0.0))
        return await correct(work, tasks)

    return launch


@pytest.mark.parametrize(
    ("seconds_per_fan_out", "cold_seconds", "loops"),
    [
        (1e-3, 0.0, 10),
        (1e-3, 4e-3, 10),  # the proof, five times slower, suggests 2
        (1e-4, 0.0, 100),
        (4e-3, 0.0, 2),
        (9e-3, 0.0, 1),
        (2.0, 0.0, 1),
    ],
)
def test_calibration_fills_a_slice(
    seconds_per_fan_out: float,
    cold_seconds: float,
    loops: int,
    clock: FakeClock,
    bench_of: MakeBench,
) -> None:
    launch = taking(clock, seconds_per_fan_out / CASE.tasks, cold_seconds)
    assert bench_of(launch).calibrate(CASE, slice_seconds=0.010).loops == loops


def test_calibration_says_what_a_turn_takes_with_its_untimed_parts(
    clock: FakeClock, bench_of: MakeBench
) -> None:
    calibration = bench_of(taking(clock, 1e-3 / CASE.tasks)).calibrate(CASE, slice_seconds=0.010)
    timed = 10 * 1e-3
    assert timed <= calibration.turn_seconds <= 3 * timed


def test_what_does_not_end_is_calibrated_by_its_slices(connections: EchoConnections) -> None:
    bench = Bench(Launcher("asyncio", "lazy", "gather_tasks"), connections)
    calibration = bench.calibrate(Case("cancel", "pending", 10), slice_seconds=0.001)
    assert calibration.loops >= 1


def test_calibration_refuses_what_cannot_be_proved(bench_of: MakeBench) -> None:
    with pytest.raises(ProofError):
        bench_of(doubles_the_first).calibrate(CASE, slice_seconds=0.010)


# Around the timed loops


def test_every_slice_has_a_fresh_loop_of_the_right_kind(bench_of: MakeBench) -> None:
    seen: list[asyncio.AbstractEventLoop] = []

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        if asyncio.get_running_loop() not in seen:
            seen.append(asyncio.get_running_loop())
        return await correct(work, tasks)

    bench = bench_of(launch)
    for _ in range(3):
        bench.measure(CASE, loops=2)
    assert len(seen) == 3
    assert all(loop.is_closed() for loop in seen)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_loop_is_the_launchers(loop: str, connections: EchoConnections) -> None:
    async def module() -> str:
        return type(asyncio.get_running_loop()).__module__

    bench = Bench(Launcher(loop, "lazy", "gather_tasks"), connections)
    assert bench.run(module).partition(".")[0] == loop


@pytest.fixture
def collections_and_fan_outs() -> Iterator[list[object]]:
    """What happens in order: "collected" for every full collection; tests add fan-outs."""
    events: list[object] = []

    def on_collection(phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and info["generation"] == 2:
            events.append("collected")

    gc.callbacks.append(on_collection)
    yield events
    gc.callbacks.remove(on_collection)


@pytest.mark.parametrize("tasks", [1, 100, 3000])
def test_a_slice_is_collected_then_primed_with_few_tasks_then_timed(
    tasks: int, collections_and_fan_outs: list[object], bench_of: MakeBench
) -> None:
    events = collections_and_fan_outs

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        events.append(tasks)
        return await correct(work, tasks)

    bench = bench_of(launch)
    bench.measure(Case("throughput", "noop", tasks), loops=1)  # the first also warms up
    events.clear()
    bench.measure(Case("throughput", "noop", tasks), loops=3)
    assert events[0] == "collected"
    fan_outs = [event for event in events if event != "collected"]
    assert fan_outs == [min(tasks, slices.PRIME_TASKS), tasks, tasks, tasks]


def test_a_tree_fills_the_free_lists_itself(
    bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fan_outs: list[int] = []

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        fan_outs.append(tasks)
        return await correct(work, tasks)

    bench = bench_of(launch)
    for tasks_each, expected in ((30, [3, 7]), (101, [7])):
        row = replace(WORKLOADS["noop"], tasks_each=tasks_each)
        monkeypatch.setitem(WORKLOADS, "noop", row)
        bench.measure(Case("throughput", "noop", 7), loops=1)  # the first also warms up
        fan_outs.clear()
        bench.measure(Case("throughput", "noop", 7), loops=1)
        assert fan_outs == expected


def test_the_pause_of_a_case_is_awaited_when_it_is_proved_and_timed_not_when_primed(
    bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = 0

    async def pause() -> None:
        nonlocal paused
        paused += 1

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        if pause:
            await pause()
        return await correct(work, tasks)

    row = replace(PAUSES["none"], name="of_this_test", make=pause)
    monkeypatch.setitem(PAUSES, row.name, row)
    bench = bench_of(launch)
    case = Case("throughput", "noop", 5, row.name)
    bench.prove(case)
    assert paused == 1
    bench.measure(case, loops=3)
    assert paused == 1 + 3


# The collector


@pytest.mark.parametrize("collector", COLLECTORS)
@pytest.mark.parametrize("fails", [False, True])
def test_the_collector_is_as_the_launcher_says_in_the_timed_loops_and_nowhere_else(
    collector: str, fails: bool, bench_of: MakeBench
) -> None:
    states: list[tuple[int, str]] = []

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        states.append((tasks, collector_in_force()))
        if fails and tasks == 150:
            raise LookupError("broken")
        return await correct(work, tasks)

    bench = bench_of(launch, collector)
    case = Case("throughput", "noop", 150)
    if fails:
        with pytest.raises(LookupError, match="broken"):
            bench.measure(case, loops=2)
    else:
        bench.measure(case, loops=2)
    assert {state for tasks, state in states if tasks == slices.PRIME_TASKS} == {"on"}
    assert {state for tasks, state in states if tasks == 150} == {collector}
    assert collector_in_force() == "on"


@pytest.mark.parametrize(("loops", "collections"), [(1, 3.0), (4, 3.0)])
def test_collections_are_counted_in_the_timed_loops_per_inner_loop(
    loops: int, collections: float, bench_of: MakeBench
) -> None:
    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        for generation in range(3):
            gc.collect(generation)
        return await correct(work, tasks)

    bench = bench_of(launch, "off")
    assert bench.measure(CASE, loops).observed == {"collections": collections}


def test_where_python_does_not_count_collections_none_are_observed(
    bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gc, "get_stats", lambda: "PyPy's own")
    assert bench_of(correct).measure(CASE, 2).observed == {}


def test_what_a_probe_observes_stays(bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def measure(fan_out: FanOut, loops: int) -> Measurement:
        results = await fan_out.launch(fan_out.work, fan_out.tasks, None)
        return Measurement(1.0, {"total": 1.0}, results, {"seen": 0.5})

    monkeypatch.setitem(PROBES, "throughput", replace(PROBES["throughput"], measure=measure))
    observed = bench_of(correct, "off").measure(CASE, 1).observed
    assert observed == {"seen": 0.5, "collections": 0.0}


# What is timed


def test_what_surrounds_the_timed_loops_is_not_timed(
    clock: FakeClock, bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect = gc.collect

    def slow_collect(generation: int = 2) -> int:
        clock.advance(100.0)
        return collect(generation)

    monkeypatch.setattr(gc, "collect", slow_collect)
    measurement = bench_of(taking(clock, 1e-3)).measure(CASE, loops=5)
    assert measurement.values["total"] == pytest.approx(0.020)
    assert measurement.timed_seconds == pytest.approx(0.100)
