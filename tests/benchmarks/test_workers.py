"""Real worker processes: what they answer, and what becomes known of those that do not."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks import protocol
from benchmarks.campaign import executors, workers
from benchmarks.campaign.executors import LocalExecutor, LocalStarting
from benchmarks.campaign.machine import Cores
from benchmarks.campaign.schema import Contender, Interpreter
from benchmarks.campaign.workers import ProcessWorker, WorkerError
from benchmarks.cases import Case, Launcher
from benchmarks.collecting import FULL
from benchmarks.collectors import COLLECTORS
from benchmarks.echo import EchoConnections
from benchmarks.loops import EVENT_LOOPS
from benchmarks.matrix import contender_of as contender_record
from benchmarks.probes import PROBES
from benchmarks.protocol import Failed, Ready
from benchmarks.strategies import STRATEGIES
from benchmarks.worker import Desk
from tests.repository import REPOSITORY, TIMEOUT_SECONDS

CASE = Case("throughput", "noop", 10)

Start = Callable[..., ProcessWorker]


def contender_of(interpreter: Interpreter, launcher: Launcher) -> Contender:
    return contender_record(interpreter.name, launcher)


@pytest.fixture
def start(interpreter: Interpreter, echo_port: int) -> Iterator[Start]:
    """Starts workers that are ready for their first turn and ends them with the test."""
    with contextlib.ExitStack() as resources:

        def started(
            strategy: str,
            loop: str = "asyncio",
            collector: str = "on",
            task_factory: str = "lazy",
        ) -> ProcessWorker:
            launcher = Launcher(loop, task_factory, strategy, collector)
            worker = ProcessWorker(
                contender_of(interpreter, launcher),
                interpreter,
                echo_port=echo_port,
                hash_seed=7,
                padding=11,
                turn_limit_seconds=TIMEOUT_SECONDS,
            )
            resources.callback(worker.close)
            worker.wait_until_ready()
            return worker

        yield started


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch, hostile_repository: Path, start: Start) -> Start:
    """Starts workers of strategies that misbehave."""
    monkeypatch.setattr(workers, "REPOSITORY", hostile_repository)
    return start


@pytest.mark.parametrize("loop", EVENT_LOOPS)
def test_a_worker_proves_its_conditions_and_answers_turns(
    loop: str, start: Start, interpreter: Interpreter
) -> None:
    if EVENT_LOOPS[loop].optional and loop not in interpreter.packages:
        pytest.skip(f"{loop} is not installed for {interpreter.name}")
    worker = start("gather_tasks", loop)
    conditions = worker.conditions
    assert str(conditions["loop_class"]).partition(".")[0] == loop
    assert conditions["task_class"] == "_asyncio.Task"
    assert conditions["task_factory"] == "lazy"
    assert conditions["collector"] == "on"
    assert conditions["gil"] is True
    assert conditions["loop_version"] == interpreter.packages.get(loop, interpreter.version)
    for probe, row in PROBES.items():
        if not row.can_measure(STRATEGIES["gather_tasks"]):
            continue
        for workload in ("noop", "echo") if row.own_workload is None else (row.own_workload.name,):
            case = Case(probe, workload, 3000 if row.fresh_process else 10)
            calibrated = worker.calibrate(case, 0.001)
            assert calibrated.loops >= 1
            assert calibrated.blocks >= 1
            assert calibrated.turn_seconds > 0
            assert calibrated.peak_bytes > 2**20
            blocks = 1 if row.fresh_process else 3
            measured = worker.measure(case, calibrated.loops, blocks, 0.5)
            assert tuple(measured.values) == row.metric_names
            for values in measured.values.values():
                assert 1 <= len(values) <= blocks
                assert all(value > 0 for value in values)
            assert measured.timed_seconds > 0
            assert tuple(measured.observed) == tuple(word.name for word in row.observed)
            assert all(value >= 0 for value in measured.observed.values())
            assert len(measured.collections) == len(measured.collector_seconds) == 3
            assert measured.cpu_share > 0
            assert measured.switches >= 0


@pytest.mark.parametrize("collector", COLLECTORS)
def test_a_worker_proves_the_state_of_its_collector(collector: str, start: Start) -> None:
    worker = start("gather_tasks", "asyncio", collector)
    assert worker.conditions["collector"] == collector
    measured = worker.measure(Case("throughput", "yield_once", 5000), 2, 1, 0.5)
    assert (sum(measured.collections) == 0) == (collector == "off")
    assert (sum(measured.collector_seconds) == 0) == (collector == "off")


def test_slices_that_follow_one_another_come_to_the_end_of_a_cycle(start: Start) -> None:
    worker = start("gather_tasks")
    case = Case("throughput", "yield_once", 1000)
    full = [worker.measure(case, 1, 1, 0.5).collections[FULL] for _ in range(60)]
    assert sum(full) >= 1


def test_a_worker_whose_task_factory_is_not_in_force_does_not_start(
    start: Start, interpreter: Interpreter
) -> None:
    """Where Python has no eager tasks, and where the loop does not obey."""
    version = interpreter.minor_version
    if version < (3, 12):
        says = "has no attribute 'eager_task_factory'"
        loop = "asyncio"
    elif any(row.loop == "uvloop" for row in interpreter.refusals):
        says, loop = "eager", "uvloop"
    else:
        pytest.skip("every loop here obeys")
    with pytest.raises(WorkerError, match=says) as caught:
        start("gather_tasks", loop, task_factory="eager")
    assert not caught.value.alive


def test_what_measured_code_prints_does_not_reach_the_pipe(hostile: Start) -> None:
    worker = hostile("prints")
    assert worker.calibrate(CASE, 0.0001).loops >= 1
    for _ in range(3):
        assert worker.measure(CASE, 2, 2, 0.5).timed_seconds > 0


def test_a_worker_whose_pipe_is_spoiled_is_given_up(hostile: Start) -> None:
    worker = hostile("babbles")
    with pytest.raises(WorkerError, match="its answer cannot be read") as caught:
        worker.measure(CASE, 1, 1, 0.0)
    assert not caught.value.alive


def test_a_strategy_that_raises_fails_its_turn_and_its_worker_lives_on(hostile: Start) -> None:
    worker = hostile("raises")
    for _ in range(2):
        with pytest.raises(WorkerError) as caught:
            worker.calibrate(CASE, 0.001)
        assert caught.value.alive
        assert caught.value.cause == "LookupError: as it was told to"


def test_a_strategy_that_fails_its_proof_says_which_coroutine(hostile: Start) -> None:
    worker = hostile("drops_the_last")
    with pytest.raises(WorkerError) as caught:
        worker.calibrate(CASE, 0.001)
    assert caught.value.alive
    assert "coroutine 9 of 10 ran 0 times" in caught.value.cause


def test_a_worker_that_is_killed_in_its_turn_names_the_signal(hostile: Start) -> None:
    worker = hostile("kills_itself")
    with pytest.raises(WorkerError) as caught:
        worker.measure(CASE, 1, 1, 0.0)
    assert not caught.value.alive
    assert caught.value.cause == "the worker was killed by SIGKILL"


def test_a_worker_that_is_killed_between_turns_fails_its_next_and_can_be_closed(
    start: Start,
) -> None:
    worker = start("gather_tasks")
    os.kill(worker._process.pid, signal.SIGTERM)
    os.waitid(os.P_PID, worker._process.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(WorkerError) as caught:
        worker.measure(CASE, 1, 1, 0.0)
    assert not caught.value.alive
    assert caught.value.cause == "the worker was killed by SIGTERM"
    worker.close()


def test_a_worker_that_ends_tells_its_exit_code_and_its_last_words(hostile: Start) -> None:
    worker = hostile("ends")
    with pytest.raises(WorkerError) as caught:
        worker.measure(CASE, 1, 1, 0.0)
    assert not caught.value.alive
    assert caught.value.cause == "the worker ended with exit code 3: last words"


def test_a_worker_that_hangs_is_killed_at_the_turn_limit(hostile: Start) -> None:
    worker = hostile("hangs")
    worker._turn_limit_seconds = 0.2
    with pytest.raises(WorkerError) as caught:
        worker.measure(CASE, 1, 1, 0.0)
    assert not caught.value.alive
    assert caught.value.cause == "no answer within 0.2 s, killed"
    assert worker._process.wait(TIMEOUT_SECONDS) == -signal.SIGTERM


def test_ctrl_c_in_a_turn_leaves_nothing_watched(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker is ended by its round, not by the watchdog at some later time."""
    worker = start("gather_tasks")

    def interrupted(stream: object) -> None:
        assert len(workers.WATCHDOG._watched) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(protocol, "receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        worker.measure(CASE, 1, 1, 0.0)
    assert workers.WATCHDOG._watched == {}
    assert worker._process.poll() is None


def test_the_watchdog_ends_what_takes_too_long_and_nothing_else() -> None:
    watchdog, ended = workers.Watchdog(), threading.Event()
    with watchdog.watching(lambda: pytest.fail("it was in time"), 60.0) as in_time:
        with watchdog.watching(ended.set, 0.0) as late:
            assert ended.wait(TIMEOUT_SECONDS)
            assert late.wait(TIMEOUT_SECONDS)
        assert not in_time.is_set()
    assert watchdog._watched == {}


def test_a_worker_that_cannot_start_says_why(start: Start) -> None:
    with pytest.raises(WorkerError, match="exit code 1: KeyError: 'no_such_strategy'") as caught:
        start("no_such_strategy")
    assert not caught.value.alive


def test_closing_ends_a_worker_whatever_it_does_and_twice_is_fine(start: Start) -> None:
    worker = start("gather_tasks")
    worker.close()
    assert worker._process.returncode == -signal.SIGKILL
    worker.close()


def test_a_worker_ends_by_itself_when_its_coordinator_is_gone(echo_port: int) -> None:
    with subprocess.Popen(
        [
            sys.executable, "-m", "benchmarks.worker",
            str(echo_port), *Launcher("asyncio", "lazy", "gather_tasks").arguments,
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert '"Ready"' in process.stdout.readline()
        process.stdin.close()
        assert process.wait(TIMEOUT_SECONDS) == 0


def test_a_worker_inherits_nothing_that_changes_how_python_runs(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    worker = start("gather_tasks")
    assert worker.conditions["loop_debug"] is False
    environment = psutil.Process(worker._process.pid).environ()
    assert {name for name in environment if name.startswith("PYTHON")} == {"PYTHONHASHSEED"}
    assert environment["PYTHONHASHSEED"] == "7"
    assert environment["FANOUT_PADDING"] == "x" * 11


def test_what_is_no_request_is_answered_as_a_failure(connections: EchoConnections) -> None:
    desk = Desk(Launcher("asyncio", "lazy", "gather_tasks"), connections)
    assert desk.answer(Ready({})) == Failed("not a request: Ready")


def test_a_cause_that_quotes_half_a_character_can_be_written() -> None:
    assert WorkerError("no file \udc80").cause == "no file ?"


def test_a_cause_is_cut_to_500_characters() -> None:
    assert WorkerError("x" * 500).cause == "x" * 500
    cut = WorkerError("x" * 501)
    assert cut.cause == str(cut) == "x" * 494 + " [...]"


# The executor of this machine


def contenders_of(interpreter: Interpreter, *strategies: str) -> list[Contender]:
    return [
        contender_of(interpreter, Launcher("asyncio", "lazy", strategy)) for strategy in strategies
    ]


def test_the_executor_starts_all_and_returns_the_failures(interpreter: Interpreter) -> None:
    asked = contenders_of(interpreter, "gather_coroutines", "no_such_strategy", "gather_tasks")
    with LocalExecutor([interpreter], Cores(None, frozenset()), TIMEOUT_SECONDS) as executor:
        started, failures = executor.start(asked, random.Random(1)).wait()
        try:
            assert list(started) == [asked[0].id, asked[2].id]
            assert list(failures) == [asked[1].id]
            assert "no_such_strategy" in failures[asked[1].id].cause
            for worker in started.values():
                measured = worker.measure(Case("throughput", "echo", 10), 1, 1, 0.0)
                assert measured.timed_seconds > 0
        finally:
            for worker in started.values():
                worker.close()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot pin processes")
def test_workers_are_pinned_to_the_measured_core_and_the_driver_is_kept_off_it(
    interpreter: Interpreter,
) -> None:
    before = os.sched_getaffinity(0)
    measured = max(before)
    others = frozenset(before - {measured}) or frozenset(before)
    (contender,) = contenders_of(interpreter, "gather_tasks")
    with LocalExecutor([interpreter], Cores(measured, others), TIMEOUT_SECONDS) as executor:
        assert os.sched_getaffinity(0) == others
        starting = executor.start([contender], random.Random(1))
        (getting_ready,) = starting._starting.values()
        try:
            # While others are still measured.
            assert os.sched_getaffinity(getting_ready._process.pid) == others
            started, _ = starting.wait()
            assert started == {contender.id: getting_ready}
            assert os.sched_getaffinity(getting_ready._process.pid) == {measured}
        finally:
            starting.close()
    assert os.sched_getaffinity(0) == before


def test_every_start_draws_a_new_hash_seed_and_environment_size(interpreter: Interpreter) -> None:
    (contender,) = contenders_of(interpreter, "gather_tasks")
    drawn = []
    rng = random.Random(1)
    with LocalExecutor([interpreter], Cores(None, frozenset()), TIMEOUT_SECONDS) as executor:
        for _ in range(2):
            started, _ = executor.start([contender], rng).wait()
            worker = started[contender.id]
            assert isinstance(worker, ProcessWorker)
            environment = psutil.Process(worker._process.pid).environ()
            worker.close()
            drawn.append((environment["PYTHONHASHSEED"], len(environment["FANOUT_PADDING"])))
    (first_seed, first_size), (second_seed, second_size) = drawn
    assert first_seed != second_seed
    assert first_size != second_size


def processes_of(starting: LocalStarting) -> list[subprocess.Popen[str]]:
    return [worker._process for worker in starting._starting.values()]


def test_workers_that_nobody_has_waited_for_can_be_ended(interpreter: Interpreter) -> None:
    asked = contenders_of(interpreter, "gather_coroutines", "gather_tasks")
    with LocalExecutor([interpreter], Cores(None, frozenset()), TIMEOUT_SECONDS) as executor:
        starting = executor.start(asked, random.Random(1))
        processes = processes_of(starting)
        assert [process.poll() for process in processes] == [None, None]
        starting.close()
        assert [process.returncode for process in processes] == [-signal.SIGKILL] * 2
        starting.close()


def test_ctrl_c_while_workers_get_ready_leaves_none(
    interpreter: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = contenders_of(interpreter, "gather_coroutines", "gather_tasks")
    wait = ProcessWorker.wait_until_ready

    def interrupted_in_the_second(worker: ProcessWorker) -> None:
        if not ready:
            ready.append(worker)
            return wait(worker)
        raise KeyboardInterrupt

    ready: list[ProcessWorker] = []
    monkeypatch.setattr(ProcessWorker, "wait_until_ready", interrupted_in_the_second)
    with LocalExecutor([interpreter], Cores(None, frozenset()), TIMEOUT_SECONDS) as executor:
        starting = executor.start(asked, random.Random(1))
        with pytest.raises(KeyboardInterrupt):
            starting.wait()
        assert all(process.returncode is not None for process in processes_of(starting))


def test_a_start_that_breaks_off_leaves_no_process(
    interpreter: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = contenders_of(interpreter, "gather_coroutines", "gather_tasks")
    made: list[ProcessWorker] = []

    def only_one(*arguments: Any, **options: Any) -> ProcessWorker:  # noqa: ANN401
        if made:
            raise OSError("no more processes")
        made.append(ProcessWorker(*arguments, **options))
        return made[0]

    monkeypatch.setattr(executors, "ProcessWorker", only_one)
    with LocalExecutor([interpreter], Cores(None, frozenset()), TIMEOUT_SECONDS) as executor:
        with pytest.raises(OSError, match="no more processes"):
            executor.start(asked, random.Random(1))
        assert made[0]._process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("cores", "count", "overlaps"),
    [
        (Cores(1, frozenset({0})), 2, True),
        (Cores(0, frozenset({0})), 1, False),
        (Cores(3, frozenset({3})), 8, False),  # the others are not ours to use
        (Cores(None, frozenset()), 8, True),
        (Cores(None, frozenset()), 1, False),
        (Cores(None, frozenset()), None, False),
    ],
)
def test_starting_overlaps_with_measuring_where_there_is_a_core_beside_the_measured_one(
    cores: Cores, count: int | None, overlaps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert LocalExecutor([], cores, TIMEOUT_SECONDS).overlaps == overlaps
