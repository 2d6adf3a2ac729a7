"""Probe ``memory``, and the sizes it reads."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import sizes
from benchmarks.alone import Alone, AloneError
from benchmarks.campaign.interpreters import executable
from benchmarks.campaign.schema import Interpreter
from benchmarks.cases import Case, Launcher
from benchmarks.children import NotAllRunningError
from benchmarks.probes import memory
from benchmarks.probes.memory import NotMeasurableError
from benchmarks.strategies import STRATEGIES, PauseCall, Work
from benchmarks.workloads import noop, pending
from tests.benchmarks.probing import ALONE_TASKS, Cell, Seen, cells, measured, see, see_elsewhere
from tests.repository import run_python

HAS_PROC = sizes.STATUS.exists()


def least_bytes() -> int:
    """Of one waiting child: its coroutine, its task and the future it waits for."""

    async def child() -> int:
        coroutine = pending(0)
        task = asyncio.create_task(coroutine)
        future = asyncio.get_running_loop().create_future()
        least = sum(map(sys.getsizeof, (coroutine, task, future)))
        task.cancel()
        await asyncio.wait([task])
        return least

    return asyncio.run(child())


def check(seen: Seen) -> None:
    cell = seen.cell
    assert seen.results == list(range(cell.tasks))
    assert set(seen.values) == {"steady", "peak"}
    assert 0 < seen.values["steady"] <= seen.values["peak"]
    assert seen.timed_seconds > 0


@pytest.mark.parametrize("cell", cells(memory.PROBE.name), ids=str)
def test_children_take_at_least_the_size_of_their_objects(cell: Cell) -> None:
    seen = see(cell)
    check(seen)
    # Of the room that the process has already, some is used again.
    assert seen.values["steady"] > 0.5 * least_bytes() * cell.tasks


def test_the_same_on_every_interpreter(interpreters: tuple[Interpreter, ...]) -> None:
    for interpreter in interpreters:
        rows = see_elsewhere(memory.PROBE.name, executable(interpreter))
        assert rows
        for seen in rows:
            check(seen)


def test_more_children_take_more() -> None:
    alone = Alone(Launcher("asyncio", "lazy", "gather_tasks"))
    few, many = (
        alone.measure(Case("memory", "pending", tasks), 1, 1).values for tasks in (3000, 12_000)
    )
    assert many["steady"][0] - few["steady"][0] > 9000 * least_bytes()


def test_in_a_process_of_its_own_an_error_is_one_line() -> None:
    alone = Alone(Launcher("asyncio", "lazy", "gather_tasks"))
    with pytest.raises(AloneError, match=r"^NotMeasurableError: .* not of 2$"):
        alone.measure(Case("memory", "pending", ALONE_TASKS), 2, 1)


# What is made of the sizes


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Sizes as the test tells them."""
    told = Told()
    monkeypatch.setattr(memory, "resident_bytes", lambda: next(told.resident))
    monkeypatch.setattr(memory, "peak_bytes", lambda: next(told.peak))
    return told


class Told:
    """Before and when all wait; the peak before and after. First those of the warm-up."""

    resident: Iterator[int]
    peak: Iterator[int]

    def tell(self, resident: tuple[int, int], peak: tuple[int, int]) -> None:
        self.resident = iter([1, 2, *resident])
        self.peak = iter([1, 2, *peak])


@pytest.mark.parametrize(
    ("resident", "peak", "steady_bytes", "peak_bytes"),
    [
        ((100, 300), (100, 350), 200, 250),
        ((100, 300), (150, 350), 200, 250),  # from where it was, not from the peak before
        ((100, 300), (400, 400), 200, 200),  # a mark from before the launch says nothing
        ((100, 300), (100, 290), 200, 200),  # the mark may lag behind by some pages
    ],
)
def test_growth_is_since_before_the_launch(
    resident: tuple[int, int],
    peak: tuple[int, int],
    steady_bytes: float,
    peak_bytes: float,
    told: Told,
) -> None:
    told.tell(resident, peak)
    measurement = measured("memory", STRATEGIES["gather_tasks"].launch, pending, tasks=20)
    assert measurement.values == {"steady": steady_bytes, "peak": peak_bytes}
    assert measurement.results == list(range(20))
    assert measurement.timed_seconds > 0


@pytest.mark.parametrize(
    ("resident", "says"),
    [
        ((100, 100), "did not grow with 20 tasks: take more, in a fresh process"),
        ((100, 60), "did not grow with 20 tasks"),
        ((0, 0), "the system does not tell the size of a process"),
    ],
)
def test_without_growth_there_is_no_value(resident: tuple[int, int], says: str, told: Told) -> None:
    told.tell(resident, (100, 200))
    with pytest.raises(NotMeasurableError, match=says):
        measured("memory", STRATEGIES["gather_tasks"].launch, pending, tasks=20)


@pytest.mark.parametrize("strategy", ["gather_coroutines", "wait"])
def test_sizes_are_taken_when_all_wait_and_when_none_is_left(
    strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = 0
    seen: list[tuple[str, int]] = []

    async def work(index: int) -> int:
        nonlocal waiting
        waiting += 1
        try:
            return await pending(index)
        finally:
            waiting -= 1

    def reading(name: str) -> int:
        seen.append((name, waiting))
        return len(seen)

    monkeypatch.setattr(memory, "resident_bytes", lambda: reading("resident"))
    monkeypatch.setattr(memory, "peak_bytes", lambda: reading("peak"))
    measured("memory", STRATEGIES[strategy].launch, work, tasks=30)
    one = [("resident", 0), ("peak", 0), ("resident", 30), ("peak", 0)]
    warm_up = [(name, count // 3) for name, count in one]
    assert seen == [*warm_up, *one]


def test_one_fan_out_shows_in_a_process_and_no_second() -> None:
    with pytest.raises(NotMeasurableError, match="shows the memory of one fan-out, not of 2"):
        measured("memory", STRATEGIES["gather_tasks"].launch, pending, loops=2)


def test_a_strategy_that_does_not_start_all_children_is_an_error() -> None:
    with pytest.raises(NotAllRunningError, match="1 of 10 children were running after 100 turns"):
        measured("memory", STRATEGIES["sequential"].launch, pending)


def test_children_that_do_not_wait_have_no_memory_to_be_measured() -> None:
    with pytest.raises(NotAllRunningError, match="has returned although its children wait"):
        measured("memory", STRATEGIES["gather_tasks"].launch, noop)


def test_a_child_made_twice_is_not_accounted_for_once(told: Told) -> None:
    async def launch(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
        return await asyncio.gather(*map(work, [*range(tasks), 0]))

    told.tell((100, 300), (100, 350))
    measurement = measured("memory", launch, pending, tasks=3)
    assert measurement.results == [0, 0, 1, 2]


# The sizes


def test_memory_in_use_is_resident_and_stays_in_the_peak() -> None:
    before = sizes.resident_bytes()
    block = b"\1" * 2**26
    with_block, peak = sizes.resident_bytes(), sizes.peak_bytes()
    assert with_block - before > 0.9 * len(block)
    assert peak >= 0.99 * with_block
    del block
    assert with_block - sizes.resident_bytes() > 0.5 * 2**26
    assert sizes.peak_bytes() > 0.95 * peak  # Linux counts pages roughly


@pytest.mark.skipif(not HAS_PROC, reason="the peak is taken from the parent elsewhere")
def test_the_peak_is_not_the_parents() -> None:
    ask = "from benchmarks.sizes import peak_bytes; print(peak_bytes())"
    grown = f"""if True:
        import subprocess, sys
        block = b"1" * 2**28
        subprocess.run([sys.executable, "-c", {ask!r}], check=True)
    """
    done = run_python("-c", grown)
    assert done.returncode == 0, done.stderr
    assert 0 < int(done.stdout) < 2**28


def test_without_proc_the_resident_size_is_the_peak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(sizes, "STATM", tmp_path / "statm")
    monkeypatch.setattr(sizes, "STATUS", tmp_path / "status")
    unit = 1 if sys.platform == "darwin" else 1024
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    assert sizes.resident_bytes() >= largest
    assert sizes.peak_bytes() >= largest


def test_where_nothing_tells_the_sizes_are_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "STATM", tmp_path / "statm")
    monkeypatch.setattr(sizes, "STATUS", tmp_path / "status")
    monkeypatch.setitem(sys.modules, "resource", None)
    assert sizes.resident_bytes() == sizes.peak_bytes() == 0


def test_a_status_without_the_mark_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmRSS:\t100 kB\n", encoding="ascii")
    monkeypatch.setattr(sizes, "STATUS", status)
    monkeypatch.setitem(sys.modules, "resource", None)
    assert sizes.peak_bytes() == 0
    status.write_text("Name:\tpython\nVmHWM:\t  100 kB\n", encoding="ascii")
    assert sizes.peak_bytes() == 102_400


def test_switches_are_those_that_the_system_tells_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource", reason="Windows does not tell")
    told = SimpleNamespace(ru_nivcsw=17, ru_nvcsw=1000)
    monkeypatch.setattr(resource, "getrusage", {resource.RUSAGE_SELF: told}.__getitem__)
    assert sizes.involuntary_switches() == 17
    monkeypatch.setitem(sys.modules, "resource", None)
    assert sizes.involuntary_switches() == 0
