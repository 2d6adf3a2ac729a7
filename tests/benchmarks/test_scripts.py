"""Every probe as an ordinary pyperf script."""

from __future__ import annotations

from pathlib import Path

import pyperf
import pytest

from benchmarks.probe import main
from benchmarks.probes import PROBES
from tests.benchmarks.cells import EAGER_LOOPS
from tests.repository import run_python

QUICK = ("-p", "2", "-n", "1", "-w", "0", "--min-time", "0.001", "--quiet")


def measured(path: Path, probe: str, *options: str) -> list[pyperf.Benchmark]:
    """The benchmarks that the script of a probe writes."""
    done = run_python("-m", "benchmarks.probe", probe, *QUICK, *options, "-o", path)
    assert done.returncode == 0, done.stderr
    found: list[pyperf.Benchmark] = pyperf.BenchmarkSuite.load(str(path)).get_benchmarks()
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Results of the throughput script for two strategies."""
    folder = tmp_path_factory.mktemp("scripts")
    paths = {name: folder / f"{name}.json" for name in ("gather_coroutines", "gather_tasks")}
    for name, path in paths.items():
        measured(path, "throughput", "--strategy", name, "--tasks", "10", "--loop", "uvloop")
    return paths


def test_it_writes_a_pyperf_benchmark_with_its_cell_in_the_metadata(files: dict[str, Path]) -> None:
    benchmark = pyperf.Benchmark.load(str(files["gather_tasks"]))
    assert benchmark.get_name() == "throughput/noop/10/total"
    assert len(benchmark.get_values()) == 2
    assert all(0 < value < 1 for value in benchmark.get_values())
    metadata = benchmark.get_metadata()
    expected = {
        "probe": "throughput", "workload": "noop", "tasks": 10, "loop": "uvloop",
        "task_factory": "lazy", "strategy": "gather_tasks", "metric": "total",
        "loop_class": "uvloop.Loop", "collector": "on", "pause": "none",
    }  # fmt: skip
    assert {name: metadata[name] for name in expected} == expected


@pytest.mark.parametrize("command", ["check", "stats", "compare_to"])
def test_pyperfs_commands_work_on_it(command: str, files: dict[str, Path]) -> None:
    paths = list(files.values())
    done = run_python("-m", "pyperf", command, *(paths if command == "compare_to" else paths[:1]))
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert "Traceback" not in done.stderr


def test_latency_measures_the_metrics_that_are_asked_for(tmp_path: Path) -> None:
    options = ("--tasks", "5", "--workload", "echo", "--metric", "p50", "--metric", "max")
    benchmarks = measured(tmp_path / "latency.json", "latency", *options)
    assert [row.get_name() for row in benchmarks] == ["latency/echo/5/p50", "latency/echo/5/max"]


def test_memory_is_measured_in_bytes_in_processes_of_its_own(tmp_path: Path) -> None:
    benchmarks = measured(
        tmp_path / "memory.json", "memory", "--tasks", "5000", "--strategy", "wait"
    )
    assert [row.get_name() for row in benchmarks] == [
        "memory/pending/5000/steady", "memory/pending/5000/peak",
    ]  # fmt: skip
    for benchmark in benchmarks:
        assert benchmark.get_unit() == benchmark.get_metadata()["unit"] == "byte"
        assert all(value > 5000 * 100 for value in benchmark.get_values())
        assert {run.get_total_loops() for run in benchmark.get_runs()} == {1}


def test_a_pause_and_a_collector_can_be_chosen(tmp_path: Path) -> None:
    (benchmark,) = measured(
        tmp_path / "head_start.json", "head_start", "--tasks", "5", "--workload", "sleep",
        "--pause", "sleep_5ms", "--collector", "frozen", "--strategy", "wait",
    )  # fmt: skip
    assert benchmark.get_name() == "head_start/sleep/5/sleep_5ms/makespan"
    metadata = benchmark.get_metadata()
    assert (metadata["pause"], metadata["collector"]) == ("sleep_5ms", "frozen")
    assert all(value > 0.004 for value in benchmark.get_values())


# Usage: called in this process, where pyperf allows one Runner only


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs the script until it exits."""
    monkeypatch.setattr(pyperf.Runner, "_created", set())
    return Call(capsys)


class Call:
    """``call(arguments)`` gives the exit code, standard output and standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        return (caught.value.code, *self._capsys.readouterr())


def test_help_is_pyperfs_own_with_ours_added(call: Call) -> None:
    code, out, _ = call("throughput", "--help")
    assert code == 0
    for option in (
        "--rigorous", "--affinity", "--strategy", "--tasks", "--loop", "--metric", "--pause",
        "--task-factory", "--collector",
    ):  # fmt: skip
        assert option in out


def test_without_a_probe_help_names_them(call: Call) -> None:
    code, out, _ = call("--help")
    assert code == 0
    assert all(name in out for name in PROBES)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "required: name"),
        (("nonsense",), "argument name: invalid choice: 'nonsense' (choose from"),
        (("--tasks", "5"), "name"),
        *(
            ((probe, *options), f"{options[0]}: {says}")
            for probe in PROBES
            for options, says in (
                (("--strategy", "nonsense"), "invalid choice: 'nonsense' (choose from"),
                (("--tasks", "0"), "'0' is not a number of tasks (1 or more)"),
                (("--tasks", "1_000_000_001"), "'1_000_000_001' is too many tasks (at most"),
                (("--metric", "p51"), "invalid choice: 'p51' (choose from"),
                (("--loop", "winloop"), "winloop is not installed"),
            )
        ),
        (("throughput", "--nonsense"), "unrecognized arguments: --nonsense"),
        (("throughput", "--workload", "tree", "--tasks", "179"), "--tasks: tree with n = 179"),
        (("memory", "--strategy", "sequential"), "--strategy: invalid choice: 'sequential'"),
        (("stall", "--pause", "sleep_5ms"), "--pause: invalid choice: 'sleep_5ms'"),
    ],
)
def test_bad_usage_is_one_line(arguments: tuple[str, ...], says: str, call: Call) -> None:
    code, out, error = call(*arguments)
    assert (code, out) == (2, "")
    assert error.count("\n") == 1
    assert error.startswith("python -m benchmarks.probe")
    assert says in error


@pytest.mark.skipif("uvloop" in EAGER_LOOPS, reason="this uvloop obeys the eager task factory")
def test_a_task_factory_that_does_not_run_here_is_one_line(call: Call) -> None:
    code, _, error = call("throughput", "--task-factory", "eager", "--loop", "uvloop")
    assert (code, error.count("\n")) == (2, 1)
    assert "argument --task-factory: " in error
