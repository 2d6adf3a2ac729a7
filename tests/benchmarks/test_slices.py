"""One slice: its proof, its calibration, its blocks, what surrounds them, and the collector."""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from benchmarks import collecting, slices
from benchmarks.cases import Case, Launcher
from benchmarks.collecting import FULL
from benchmarks.collectors import COLLECTORS, collector_in_force
from benchmarks.echo import EchoConnections
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES, latency, throughput
from benchmarks.probing import FanOut, Measurement, Observed
from benchmarks.protocol import PROVE_ONLY
from benchmarks.slices import Bench, ProofError
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
def quiet() -> Iterator[None]:
    """No collection but those that the test makes: the launcher's collector is on all the same."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The clock of the bench and of all probes."""
    fake = FakeClock()
    for module in (slices, throughput, latency, collecting):
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


@pytest.mark.parametrize("check", [Bench.prove, lambda bench, case: bench.measure(case, 1, 1)])
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
        bench_of(reverses_results).measure(Case(probe, "noop", 20), 1, 2)


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
        bench.measure(CASE, 1, 1)
    fail = False
    assert len(bench.measure(CASE, 1, 2).values["total"]) == 2


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_value_that_cannot_be_is_caught(
    value: float, bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any block: here it is the second."""
    following = itertools.cycle([1.0, value, 1.0])

    async def measure(fan_out: FanOut, loops: int) -> Measurement:
        results = await fan_out.launch(fan_out.work, fan_out.tasks, None)
        return Measurement(1.0, {"total": next(following)}, results)

    monkeypatch.setitem(PROBES, "throughput", replace(PROBES["throughput"], measure=measure))
    with pytest.raises(ProofError, match=r"total is .+, which is no measurement"):
        bench_of(correct).measure(CASE, 1, 3)


def test_a_collector_that_took_more_than_the_whole_is_caught(
    bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def measure(fan_out: FanOut, loops: int) -> Measurement:
        results = await fan_out.launch(fan_out.work, fan_out.tasks, None)
        return Measurement(1.0, {"total": 1.0}, results, collector_seconds=1.5)

    monkeypatch.setitem(PROBES, "throughput", replace(PROBES["throughput"], measure=measure))
    with pytest.raises(ProofError, match=r"total is -0\.5, which is no measurement"):
        bench_of(correct).measure(CASE, 1, 1)


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
            bench.measure(case, 1, 1)
    fail = False
    assert bench.prove(case) > 0
    assert len(bench.measure(case, 1, 3).values["total"]) == 3


@pytest.mark.parametrize(
    "probe",
    [
        name
        for name, row in PROBES.items()
        if not row.fresh_process and row.can_measure(STRATEGIES["gather_tasks"])
    ],
)
@pytest.mark.parametrize("loop", LOOPS)
def test_every_real_cell_is_proved_and_measured(
    loop: str, probe: str, connections: EchoConnections
) -> None:
    bench = Bench(Launcher(loop, "lazy", "gather_tasks"), connections)
    own = PROBES[probe].own_workload
    for workload in ("noop", "yield_once", "echo") if own is None else (own.name,):
        case = Case(probe, workload, 150)
        assert bench.calibrate(case, 0.001).loops >= 1
        measured = bench.measure(case, 2, 3, 0.5)
        assert tuple(measured.values) == PROBES[probe].metric_names
        for values in measured.values.values():
            assert len(values) >= 3
            assert all(0 < value <= measured.timed_seconds for value in values)
        assert list(measured.observed) == [row.name for row in PROBES[probe].observed]
        assert all(value >= 0 for value in measured.observed.values())


# Calibration


def taking(clock: FakeClock, seconds_per_task: float, cold_seconds: float = 0.0) -> Launch:
    """A strategy that takes this time on the clock, and ``cold_seconds`` more the first time."""
    cold = [cold_seconds]

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        clock.advance(tasks * seconds_per_task + (cold.pop() if cold else 0.0))
        return await correct(work, tasks)

    return launch


@pytest.mark.parametrize(
    ("seconds_per_fan_out", "cold_seconds", "loops", "blocks"),
    [
        (1e-3, 0.0, 1, 10),
        (3e-5, 0.0, 7, 48),  # seven batches are a block of at least 200 µs
        (3e-5, 1e-3, 7, 48),  # the proof suggests 1 x 10
        (1e-3, 4e-3, 1, 10),  # the proof suggests 1 x 2
        (4.2e-3, 0.0, 1, 2),
        (9e-3, 0.0, 1, 1),
        (2.0, 0.0, 1, 1),
    ],
)
def test_calibration_makes_blocks_of_200_us_and_fills_a_slice_with_them(
    seconds_per_fan_out: float,
    cold_seconds: float,
    loops: int,
    blocks: int,
    clock: FakeClock,
    bench_of: MakeBench,
) -> None:
    launch = taking(clock, seconds_per_fan_out / CASE.tasks, cold_seconds)
    found = bench_of(launch).calibrate(CASE, slice_seconds=0.010)
    assert (found.loops, found.blocks) == (loops, blocks)


@pytest.mark.parametrize(
    ("tasks", "seconds_per_fan_out", "blocks"),
    [(1000, 0.020, 3), (1000, 0.083, 3), (1000, 0.084, 1), (999, 0.020, 1), (1000, 0.002, 5)],
)
def test_a_fan_out_that_fills_the_collector_has_three_blocks_unless_they_take_too_long(
    tasks: int, seconds_per_fan_out: float, blocks: int, clock: FakeClock, bench_of: MakeBench,
    quiet: None,
) -> None:  # fmt: skip
    launch = taking(clock, seconds_per_fan_out / tasks)
    found = bench_of(launch).calibrate(Case("throughput", "noop", tasks), slice_seconds=0.010)
    assert (found.loops, found.blocks) == (1, blocks)


def test_a_case_that_is_only_to_be_proved_is_run_once(bench_of: MakeBench) -> None:
    counts: list[int] = []

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        counts.append(tasks)
        return [await work(index) for index in range(tasks)]

    found = bench_of(launch).calibrate(CASE, PROVE_ONLY)
    assert (found.loops, found.blocks, counts) == (1, 1, [CASE.tasks])
    assert found.turn_seconds > 0


def test_longer_slices_have_more_blocks(clock: FakeClock, bench_of: MakeBench) -> None:
    bench = bench_of(taking(clock, 3e-5 / CASE.tasks))
    found = [bench.calibrate(CASE, slice_seconds) for slice_seconds in (0.001, 0.1)]
    assert [(row.loops, row.blocks) for row in found] == [(7, 5), (7, 476)]


def test_a_cycle_that_ends_while_calibrating_does_not_make_slices_longer(
    clock: FakeClock, bench_of: MakeBench, quiet: None
) -> None:
    fan_outs = itertools.count(1)

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        clock.advance(5e-4)
        if next(fan_outs) % 5 == 0:
            gc.collect()
        return await correct(work, tasks)

    found = bench_of(launch).calibrate(CASE, slice_seconds=0.010)
    assert (found.loops, found.blocks) == (1, 20)


def test_calibration_says_what_a_turn_takes_with_its_untimed_parts(
    clock: FakeClock, bench_of: MakeBench
) -> None:
    calibration = bench_of(taking(clock, 1e-3 / CASE.tasks)).calibrate(CASE, slice_seconds=0.010)
    timed = 10 * 1e-3
    assert timed <= calibration.turn_seconds <= 3 * timed
    assert calibration.peak_bytes > 2**20


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
        bench.measure(CASE, loops=2, blocks=2)
    assert len(seen) == 3
    assert all(loop.is_closed() for loop in seen)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_loop_is_the_launchers(loop: str, connections: EchoConnections) -> None:
    async def module() -> str:
        return type(asyncio.get_running_loop()).__module__

    bench = Bench(Launcher(loop, "lazy", "gather_tasks"), connections)
    assert bench.run(module).partition(".")[0] == loop


class FanOuts:
    """A strategy that keeps the task counts of its fan-outs, in order."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    async def launch(self, work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        self.seen.append(tasks)
        return await correct(work, tasks)

    def taken(self) -> list[int]:
        seen, self.seen = self.seen, []
        return seen


@pytest.mark.parametrize("tasks", [1, 100, 999])
def test_a_slice_is_primed_with_few_tasks_then_measured_block_by_block(
    tasks: int, bench_of: MakeBench, quiet: None
) -> None:
    fan_outs = FanOuts()
    bench = bench_of(fan_outs.launch)
    case = Case("throughput", "noop", tasks)
    bench.measure(case, loops=1, blocks=1)
    *warm_up, measured = fan_outs.taken()
    assert measured == tasks
    assert set(warm_up) == {min(tasks, slices.PRIME_TASKS)}
    assert len(warm_up) > 1, "the first also warms up"
    found = bench.measure(case, loops=3, blocks=4)
    assert fan_outs.taken() == [min(tasks, slices.PRIME_TASKS), *[tasks] * 12]
    assert len(found.values["total"]) == 4


def test_a_block_is_one_call_of_the_probe_whatever_it_measures(
    bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    async def measure(fan_out: FanOut, loops: int) -> Measurement:
        asked.append((fan_out.tasks, loops))
        results = await fan_out.launch(fan_out.work, fan_out.tasks, None)
        number = len(asked)
        return Measurement(
            10.0 * number, {"p50": 1.0 * number, "max": 2.0 * number}, results, {"seen": number}
        )

    words = ("p50", "max")
    probe = replace(
        PROBES["latency"],
        measure=measure,
        metrics=tuple(row for row in PROBES["latency"].metrics if row.name in words),
        observed=(Observed("seen", "seen", "what is seen"),),
    )
    monkeypatch.setitem(PROBES, "latency", probe)
    bench = bench_of(correct)
    case = Case("latency", "noop", 500)
    bench.measure(case, 1, 1)
    asked.clear()
    measured = bench.measure(case, loops=5, blocks=3)
    assert asked == [(slices.PRIME_TASKS, 1), (500, 5), (500, 5), (500, 5)]
    assert measured.values == {"p50": [2.0, 3.0, 4.0], "max": [4.0, 6.0, 8.0]}
    assert measured.timed_seconds == 90.0
    assert measured.observed == {"seen": 3.0}


def test_what_waits_for_a_timer_is_not_primed(bench_of: MakeBench) -> None:
    fan_outs = FanOuts()
    bench_of(fan_outs.launch).measure(Case("throughput", "sleep", 7), loops=1, blocks=2)
    assert fan_outs.taken() == [7, 7]


def test_a_tree_primes_itself(bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    fan_outs = FanOuts()
    bench = bench_of(fan_outs.launch)
    for tasks_each, expected in ((30, [3, 7]), (101, [7])):
        row = replace(WORKLOADS["noop"], tasks_each=tasks_each)
        monkeypatch.setitem(WORKLOADS, "noop", row)
        bench.measure(Case("throughput", "noop", 7), loops=1, blocks=1)  # the first also warms up
        fan_outs.taken()
        bench.measure(Case("throughput", "noop", 7), loops=1, blocks=1)
        assert fan_outs.taken() == expected


def test_the_pause_of_a_case_is_awaited_when_it_is_proved_and_timed_not_when_primed(
    bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch, quiet: None
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
    case = Case("throughput", "noop", 1000, row.name)
    bench.prove(case)
    assert paused == 1
    bench.measure(case, loops=3, blocks=1)
    assert paused == 1 + 3


def test_a_slice_tells_its_share_of_the_core_and_how_often_it_was_taken_from_there(
    clock: FakeClock, bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches = itertools.count(100, step=3)
    began = clock.seconds
    monkeypatch.setattr(slices, "involuntary_switches", lambda: next(switches))
    monkeypatch.setattr(time, "process_time", lambda: 0.75 * (clock.seconds - began))
    measured = bench_of(taking(clock, 1e-3)).measure(CASE, 2, 3)
    assert measured.switches == 3
    assert measured.cpu_share == pytest.approx(0.75)


# The collector: its state


@pytest.mark.parametrize("collector", COLLECTORS)
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("tasks", [150, 1000])
def test_the_collector_is_as_the_launcher_says_in_the_blocks_and_nowhere_else(
    tasks: int,
    collector: str,
    fails: bool,
    bench_of: MakeBench,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slices, "CYCLE_SECONDS", 0.0)  # no more blocks than were asked for
    states: list[tuple[int, str]] = []

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        states.append((tasks, collector_in_force()))
        if fails and len(states) == untimed + 2:
            raise LookupError("broken")
        return await correct(work, tasks)

    untimed = 1000
    bench = bench_of(launch, collector)
    case = Case("throughput", "noop", tasks)
    bench.measure(case, loops=1, blocks=1)  # the first also warms up
    states.clear()
    untimed = 1
    if fails:
        with pytest.raises(LookupError, match="broken"):
            bench.measure(case, loops=2, blocks=1)
    else:
        bench.measure(case, loops=2, blocks=1)
    first = tasks if tasks >= slices.FILLING_TASKS else slices.PRIME_TASKS
    assert states == [(first, "on"), *[(tasks, collector)] * 2]
    assert collector_in_force() == "on"


# The collector: its cycle


class Collecting:
    """A strategy that collects at the end of a fan-out: by the number of the fan-out, from 1, these
    generations. Fan-outs of ``PRIME_TASKS`` do not count.
    """

    def __init__(self, plan: Mapping[int, Sequence[int]] = {}) -> None:
        self.plan = plan
        self.number = 0
        self.ran: list[int] = []
        """Indexes of the coroutines that were run so far, of all fan-outs that count."""
        self.full_after: list[tuple[int, int]] = []
        """Of every full collection: how many of those had run, and how many tasks were alive."""

    async def launch(self, work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        if tasks == slices.PRIME_TASKS:
            return await correct(work, tasks)

        async def counted(index: int) -> int:
            self.ran.append(index)
            return await work(index)

        self.number += 1
        results = await correct(counted, tasks)
        for generation in self.plan.get(self.number, ()):
            gc.collect(generation)
        return results

    def on_collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and info["generation"] == FULL:
            self.full_after.append((len(self.ran), len(asyncio.all_tasks())))


@pytest.fixture
def collecting_of(quiet: None) -> Iterator[Callable[..., Collecting]]:
    made: list[Collecting] = []

    def make(plan: Mapping[int, Sequence[int]] | None = None) -> Collecting:
        made.append(Collecting(plan or {}))
        gc.callbacks.append(made[-1].on_collection)
        return made[-1]

    yield make
    for one in made:
        gc.callbacks.remove(one.on_collection)


MakeCollecting = Callable[..., Collecting]
FILLING = Case("throughput", "noop", 1000)
SMALL = Case("throughput", "noop", 999)


@pytest.mark.parametrize("phase", [0.0, 0.5, 0.9999])
def test_a_cycle_begins_at_a_phase_after_an_untimed_fan_out(
    phase: float,
    collecting_of: MakeCollecting,
    bench_of: MakeBench,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    phases: list[float] = []
    monkeypatch.setattr(slices, "begin_at", phases.append)
    strategy = collecting_of()
    measured = bench_of(strategy.launch).measure(FILLING, loops=1, blocks=2, phase=phase)
    assert phases == [phase]
    assert strategy.number == 1 + 2
    assert measured.collections == [0, 0, 0]


def test_where_the_collector_has_no_cycle_nothing_is_collected_before_the_slice(
    collecting_of: MakeCollecting, bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gc, "get_threshold", lambda: (2000, 10, 0))
    strategy = collecting_of()
    measured = bench_of(strategy.launch).measure(FILLING, loops=1, blocks=2)
    assert (strategy.number, strategy.full_after, measured.cycles) == (1 + 2, [], 0)


def test_nothing_is_collected_around_small_fan_outs(
    collecting_of: MakeCollecting, bench_of: MakeBench
) -> None:
    strategy = collecting_of()
    bench = bench_of(strategy.launch)
    for case in (SMALL, CASE, SMALL):
        bench.measure(case, loops=2, blocks=2)
    assert strategy.full_after == []


def test_the_tasks_of_a_tree_count(
    collecting_of: MakeCollecting, bench_of: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(WORKLOADS["noop"], tasks_each=250)
    monkeypatch.setitem(WORKLOADS, "noop", row)
    strategy = collecting_of()
    bench = bench_of(strategy.launch)
    bench.measure(Case("throughput", "noop", 3), loops=1, blocks=1)
    assert strategy.full_after == []
    bench.measure(Case("throughput", "noop", 4), loops=1, blocks=1)
    assert len(strategy.full_after) == 1


@pytest.mark.parametrize("probe", ["latency", "stall"])
def test_what_is_not_split_has_no_cycle(
    probe: str, collecting_of: MakeCollecting, bench_of: MakeBench
) -> None:
    strategy = collecting_of({2: [0, FULL]})
    case = Case(probe, "noop", 1000)
    measured = bench_of(strategy.launch).measure(case, loops=1, blocks=4)
    assert set(map(len, measured.values.values())) == {4}
    assert measured.collections == [1, 0, 1]
    assert len(strategy.full_after) == 1


def test_what_waits_has_no_cycle(collecting_of: MakeCollecting, bench_of: MakeBench) -> None:
    strategy = collecting_of({1: [0, 0, FULL]})
    case = Case("throughput", "sleep", 1000)
    measured = bench_of(strategy.launch).measure(case, loops=1, blocks=2)
    assert len(measured.values["total"]) == 2
    assert measured.collections == [2, 0, 1]
    assert len(strategy.full_after) == 1


@pytest.mark.parametrize("collector", [name for name in COLLECTORS if name != "on"])
def test_a_collector_that_is_not_the_usual_one_has_no_cycle(
    collector: str, collecting_of: MakeCollecting, bench_of: MakeBench
) -> None:
    """Off it comes to no end, and gc.freeze() begins it anew at every slice."""
    strategy = collecting_of({number: [0] * 100 for number in (2, 5)})
    bench = bench_of(strategy.launch, collector)
    for _ in range(2):
        measured = bench.measure(FILLING, loops=1, blocks=2)
        assert measured.collections == [100, 0, 0]
    assert strategy.full_after == []
    assert strategy.number == 2 * 3


@pytest.fixture
def cycle_of_seven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every third collection is of the middle generation, the seventh is full."""
    monkeypatch.setattr(gc, "get_threshold", lambda: (700, 1, 1))


@pytest.mark.usefixtures("cycle_of_seven")
@pytest.mark.parametrize(
    ("plan", "collections", "blocks"),
    [
        ({2: [0, 0], 3: [FULL], 4: [0], 6: [0, 1, 0]}, 7, 5),  # wherever the full one came
        ({2: [0, 0, 0, 0], 3: [0, 0, 0, 0]}, 8, 2),  # it may end within the blocks
        ({2: [0] * 7, 3: [0], 4: [0]}, 8, 2),  # no fewer blocks than were asked for
        ({3: [0]}, 1, 18),  # one in 35.7 ms is seven in 0.25 s: no longer
        ({4: [0] * 7}, 0, 2),  # nothing says that there will be any
    ],
)
def test_a_slice_goes_on_until_it_has_seen_a_cycle_that_is_short_enough(
    plan: Mapping[int, Sequence[int]],
    collections: int,
    blocks: int,
    clock: FakeClock,
    collecting_of: MakeCollecting,
    bench_of: MakeBench,
) -> None:
    """The first fan-out is not timed, each other takes 2.1 ms."""
    strategy = collecting_of(plan)
    measured = bench_of(timed(strategy, clock, 0.0021)).measure(FILLING, loops=1, blocks=2)
    assert sum(measured.collections) == collections
    assert measured.cycles == pytest.approx(collections / 7)
    assert measured.blocks == blocks == len(measured.values["total"])
    assert measured.timed_seconds == pytest.approx(0.0021 * blocks)
    assert strategy.number == 1 + blocks


@pytest.mark.usefixtures("cycle_of_seven")
def test_calibration_says_how_many_blocks_a_cycle_takes(
    clock: FakeClock, collecting_of: MakeCollecting, bench_of: MakeBench
) -> None:
    """The proof and what is not timed come first; then one collection in each fan-out of 5 ms."""
    strategy = collecting_of({number: [0] for number in range(50)})
    found = bench_of(timed(strategy, clock, 0.005)).calibrate(FILLING, slice_seconds=0.010)
    assert (found.loops, found.blocks, found.seen) == (1, slices.LEAST_BLOCKS, 7)


# What is timed


@pytest.fixture
def collections_take(clock: FakeClock) -> Iterator[Sequence[float]]:
    """Seconds of a collection, by generation, on the clock."""
    takes = (0.001, 0.002, 0.5)

    def advance(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            clock.advance(takes[info["generation"]])

    gc.callbacks.insert(0, advance)
    yield takes
    gc.callbacks.remove(advance)


def timed(strategy: Collecting, clock: FakeClock, seconds: float) -> Launch:
    """The strategy, taking these seconds for a fan-out beside its collections."""

    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        clock.advance(seconds)
        return await strategy.launch(work, tasks, pause)

    return launch


def test_values_are_those_of_the_code_and_the_collectors_seconds_stand_beside_them(
    clock: FakeClock,
    collections_take: Sequence[float],
    collecting_of: MakeCollecting,
    bench_of: MakeBench,
) -> None:
    strategy = collecting_of({2: [0], 4: [0, 0, 1], 6: [FULL]})
    measured = bench_of(timed(strategy, clock, 0.020)).measure(FILLING, loops=2, blocks=3)
    assert measured.values["total"] == pytest.approx([0.020] * 3)
    assert measured.collections == [3, 1, 1]
    assert measured.collector_seconds == pytest.approx([0.003, 0.002, 0.5])
    assert measured.timed_seconds == pytest.approx(6 * 0.020 + 0.505)


def test_of_what_waits_the_values_have_the_collector_in_them(
    clock: FakeClock,
    collections_take: Sequence[float],
    collecting_of: MakeCollecting,
    bench_of: MakeBench,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(WORKLOADS, "noop", replace(WORKLOADS["noop"], waits=True))
    strategy = collecting_of({1: [0], 3: [FULL]})
    measured = bench_of(timed(strategy, clock, 0.020)).measure(FILLING, loops=2, blocks=2)
    assert measured.values["total"] == pytest.approx([0.0205, 0.27])
    assert measured.collector_seconds == pytest.approx([0.001, 0.0, 0.5])
    assert measured.timed_seconds == pytest.approx(4 * 0.020 + 0.501)


def test_what_surrounds_the_blocks_is_not_timed(
    clock: FakeClock,
    collections_take: Sequence[float],
    collecting_of: MakeCollecting,
    bench_of: MakeBench,
) -> None:
    strategy = collecting_of({1: [0, 0, 0]})
    measured = bench_of(timed(strategy, clock, 0.020)).measure(FILLING, loops=5, blocks=1)
    assert len(strategy.full_after) == 1
    assert measured.values["total"] == pytest.approx([0.020])
    assert measured.timed_seconds == pytest.approx(0.100)
    assert (measured.collections, measured.collector_seconds) == ([0, 0, 0], [0.0, 0.0, 0.0])


def test_where_python_does_not_call_back_the_values_are_of_all(
    clock: FakeClock,
    collections_take: Sequence[float],
    collecting_of: MakeCollecting,
    bench_of: MakeBench,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collecting, "_CALLBACKS", None)
    strategy = collecting_of({2: [0], 3: [FULL]})
    measured = bench_of(timed(strategy, clock, 0.020)).measure(FILLING, loops=1, blocks=3)
    assert measured.values["total"] == pytest.approx([0.021, 0.520, 0.020])
    assert measured.collections == [0, 0, 0]
