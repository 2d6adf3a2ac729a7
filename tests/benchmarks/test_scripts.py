"""Every probe as an ordinary pyperf script, end to end."""

from __future__ import annotations

from pathlib import Path

import pyperf
import pytest

from benchmarks.probes import PROBES
from tests.benchmarks.cells import EAGER_LOOPS
from tests.repository import run_python

QUICK = ("-p", "2", "-n", "1", "-w", "0", "--min-time", "0.001", "--quiet")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Results of the throughput script for two strategies."""
    folder = tmp_path_factory.mktemp("scripts")
    written = {}
    for strategy in ("gather_coroutines", "gather_tasks"):
        written[strategy] = folder / f"{strategy}.json"
        done = run_python(
            "-m", "benchmarks.throughput", "--strategy", strategy, "--tasks", "10",
            "--loop", "uvloop", *QUICK, "-o", written[strategy],
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return written


def test_throughput_writes_a_pyperf_benchmark_with_its_cell_in_the_metadata(
    files: dict[str, Path],
) -> None:
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


@pytest.mark.parametrize("command", ["check", "stats", "hist"])
def test_pyperfs_commands_work_on_it(command: str, files: dict[str, Path]) -> None:
    done = run_python("-m", "pyperf", command, files["gather_tasks"])
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert "Traceback" not in done.stderr


def test_pyperf_compares_two_strategies(files: dict[str, Path]) -> None:
    done = run_python("-m", "pyperf", "compare_to", *files.values())
    assert done.returncode == 0, done.stderr
    assert "throughput/noop/10/total" in done.stdout


def test_latency_measures_the_metrics_that_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "latency.json"
    done = run_python(
        "-m", "benchmarks.latency", "--tasks", "5", "--workload", "echo", "--metric", "p50",
        "--metric", "max", "-p", "1", "-n", "2", "-w", "0", "--min-time", "0.001", "-o", path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    suite = pyperf.BenchmarkSuite.load(str(path))
    assert suite.get_benchmark_names() == [f"latency/echo/5/{metric}" for metric in ("p50", "max")]


def test_memory_is_measured_in_bytes_in_processes_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    done = run_python("-m", "benchmarks.memory", "--tasks", "5000", *QUICK, "-o", path)
    assert done.returncode == 0, done.stderr
    for benchmark in pyperf.BenchmarkSuite.load(str(path)):
        assert benchmark.get_unit() == "byte"
        assert benchmark.get_metadata()["workload"] == "pending"
        assert all(value > 5000 * 100 for value in benchmark.get_values())
        assert {run.get_total_loops() for run in benchmark.get_runs()} == {1}


def test_a_pause_and_a_collector_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "head_start.json"
    done = run_python(
        "-m", "benchmarks.head_start", "--tasks", "5", "--workload", "sleep", "--pause",
        "sleep_5ms", "--collector", "frozen", "--strategy", "wait", *QUICK, "-o", path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    benchmark = pyperf.Benchmark.load(str(path))
    assert benchmark.get_name() == "head_start/sleep/5/sleep_5ms/makespan"
    metadata = benchmark.get_metadata()
    assert (metadata["pause"], metadata["collector"]) == ("sleep_5ms", "frozen")
    assert all(value > 0.004 for value in benchmark.get_values())


@pytest.mark.parametrize(
    "arguments", [("--loop", "winloop"), ("--task-factory", "eager", "--loop", "uvloop")]
)
def test_a_loop_or_factory_that_does_not_run_here_is_one_line(arguments: tuple[str, ...]) -> None:
    if "eager" in arguments and "uvloop" in EAGER_LOOPS:
        pytest.skip("this uvloop obeys the eager task factory")
    done = run_python("-m", "benchmarks.throughput", *arguments, *QUICK)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"argument {arguments[0]}: " in done.stderr


def test_help_is_pyperfs_own_with_ours_added() -> None:
    done = run_python("-m", "benchmarks.throughput", "--help")
    assert done.returncode == 0
    for option in (
        "--rigorous", "--affinity", "--strategy", "--tasks", "--loop", "--metric", "--pause",
        "--task-factory", "--collector",
    ):  # fmt: skip
        assert option in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--strategy", "nonsense"), "choose from"),
        (("--tasks", "0"), "is not a number of tasks (1 or more)"),
        (("--tasks", "1_000_000_001"), "is too many tasks (at most 1_000_000_000)"),
        (("--metric", "p51"), "choose from"),
        (("--nonsense",), "unrecognized arguments: --nonsense"),
    ],
)
@pytest.mark.parametrize("probe", PROBES)
def test_bad_usage_is_one_line(probe: str, arguments: tuple[str, ...], says: str) -> None:
    done = run_python("-m", f"benchmarks.{probe}", *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert says in done.stderr
    assert arguments[0] in done.stderr
