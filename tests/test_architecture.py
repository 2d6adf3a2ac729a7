"""The borders of CONTRIBUTING.md, read from the sources: every import counts, also within functions
and ``__main__`` blocks.
"""

from __future__ import annotations

import ast
import functools
import shutil
import subprocess
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from benchmarks.campaign.interpreters import newest_in_pyenv
from benchmarks.fingerprint import measured_modules
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.pauses import PAUSES
from benchmarks.probes import PROBES
from benchmarks.strategies import OLDEST_PYTHON, STRATEGIES
from benchmarks.workloads import WORKLOADS
from tests.repository import REPOSITORY

SOURCES = sorted(
    path.relative_to(REPOSITORY)
    for package in ("benchmarks", "analysis", "harness")
    for path in (REPOSITORY / package).rglob("*.py")
)
SCHEMA = "benchmarks.campaign.schema"
ESTIMATOR = "analysis.estimate.intervals"
MEASURED_ON_DEMAND = ("conditions", "echo", "own", "programs")
"""Modules of a measured interpreter that no timed process imports as it starts."""
SCRIPT = Path("benchmarks/probe.py")
MEASURED = {
    *(path.relative_to(REPOSITORY) for path in measured_modules()),
    *(Path(f"benchmarks/{name}.py") for name in MEASURED_ON_DEMAND),
}
FLOW = ("read", "estimate", "judge", "show")
BESIDE_ITS_OWN: Mapping[str, set[str]] = {
    "read": {SCHEMA},
    "estimate": set(),
    "judge": {"analysis.read", "analysis.estimate", SCHEMA},
    "show": {"analysis.read", "analysis.judge", SCHEMA},
}
"""What each folder of the analysis may import of the project, beside itself."""

MAY_SPELL_NAMES: Mapping[str, str] = {
    "benchmarks/loops.py": "the registry of loops and task factories",
    "benchmarks/conditions.py": "how a task factory is recognised",
    "benchmarks/matrix.py": "what presets choose",
    "benchmarks/strategies.py": "the registry of strategies",
    "harness/analysing.py": "what the analysis is measured with",
    "harness/running.py": "what the driver is measured with",
    "analysis/judge/claims.py": "what others have claimed of them",
}
"""Files with the name of a strategy, workload, loop, task factory, pause or probe as a string, and
why. Adding one never needs an edit there.
"""
MAY_SPELL_PROBES = {
    *MAY_SPELL_NAMES,
    "analysis/judge/decisions.py",  # situations, each about what one probe counts
    "analysis/show/charts/question.py",  # the probes' own charts
}


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in SOURCES}


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse((REPOSITORY / path).read_text(encoding="utf-8"), str(path))


@functools.cache
def imports_of(path: Path) -> frozenset[str]:
    """Every module that a file imports; submodules by their full name."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            below = {f"{node.module}.{alias.name}" for alias in node.names} & set(MODULES)
            found |= below or {node.module}
    return frozenset(found)


def of_project(path: Path) -> set[str]:
    tops = ("benchmarks", "analysis", "harness", "tests")
    return {name for name in imports_of(path) if name.partition(".")[0] in tops}


def from_elsewhere(path: Path) -> set[str]:
    """What a file imports that is neither the project's nor the standard library's."""
    others = imports_of(path) - of_project(path)
    return {name.partition(".")[0] for name in others} - sys.stdlib_module_names


def below(package: str) -> list[Path]:
    return [path for path in SOURCES if path.is_relative_to(package)]


def constants(path: Path) -> set[str]:
    return {
        node.value
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_there_is_something_to_look_at() -> None:
    assert {"benchmarks.worker", "analysis.read.load", SCHEMA, ESTIMATOR} <= set(MODULES)
    assert "benchmarks.slices" in imports_of(Path("benchmarks/worker.py"))
    assert len(MEASURED) > 15


@pytest.mark.parametrize("path", sorted(MEASURED), ids=str)
def test_what_is_measured_imports_the_standard_library_and_each_other(path: Path) -> None:
    libraries = {row.package for row in STRATEGIES.values()} if path.stem == "strategies" else set()
    assert from_elsewhere(path) <= libraries
    assert of_project(path) <= {module_of(measured) for measured in MEASURED} | {"benchmarks"}


def test_the_probe_script_imports_pyperf_too() -> None:
    assert from_elsewhere(SCRIPT) == {"pyperf"}


def test_the_driver_takes_the_estimator_of_the_analysis_and_no_more() -> None:
    taken = {name for path in below("benchmarks") for name in of_project(path)}
    assert {name for name in taken if name.startswith("analysis")} == {ESTIMATOR}
    assert not any(name.startswith(("harness", "tests")) for name in taken)


def test_the_schema_imports_nothing_of_the_project() -> None:
    assert of_project(MODULES[SCHEMA]) == set()
    assert from_elsewhere(MODULES[SCHEMA]) == {"msgspec"}


@pytest.mark.parametrize("folder", FLOW)
def test_the_analysis_flows_one_way(folder: str) -> None:
    allowed = {f"analysis.{folder}", *BESIDE_ITS_OWN[folder]}
    paths = below(f"analysis/{folder}")
    assert paths
    for path in paths:
        for name in of_project(path):
            assert any(name == one or name.startswith(f"{one}.") for one in allowed), (path, name)


def test_the_estimates_are_numpy_alone() -> None:
    assert {name for path in below("analysis/estimate") for name in from_elsewhere(path)} == {
        "numpy"
    }


def test_one_module_judges() -> None:
    callers = {
        path.as_posix()
        for path in below("analysis")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("judge", "verdicts.judge")
    }
    assert callers == {"analysis/judge/contrasts.py"}


def test_no_modules_import_one_another_in_a_circle() -> None:
    graph = {module: of_project(path) & set(MODULES) for module, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_house_stays_small() -> None:
    """At most 8 floors and 30 modules of analysis; lines of code of both packages."""
    floors: dict[str, int] = {}
    graph = {module_of(path): of_project(path) & set(MODULES) for path in below("analysis")}
    graph = {module: {name for name in to if name in graph} for module, to in graph.items()}
    for module in TopologicalSorter(graph).static_order():
        floors[module] = 1 + max((floors[name] for name in graph[module]), default=0)
    assert max(floors.values()) <= 8
    assert len(graph) <= 30

    def lines(package: str) -> int:
        return sum((REPOSITORY / path).read_text().count("\n") for path in below(package))

    assert lines("analysis") <= 8800
    assert lines("benchmarks") <= 8560


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_names_are_spelled_only_where_they_belong(path: Path) -> None:
    if path.as_posix() not in MAY_SPELL_NAMES:
        names = {*STRATEGIES, *WORKLOADS, *EVENT_LOOPS, *TASK_FACTORIES, *PAUSES} - {"none"}
        assert constants(path) & names == set()
    if path.parts[0] == "analysis" and path.as_posix() not in MAY_SPELL_PROBES:
        metrics = {metric.name for probe in PROBES.values() for metric in probe.metrics}
        assert constants(path) & ({*PROBES} | metrics - {"max"}) == set()


@pytest.mark.parametrize("name", MAY_SPELL_NAMES)
def test_no_exception_is_listed_in_vain(name: str) -> None:
    names = {*STRATEGIES, *WORKLOADS, *EVENT_LOOPS, *TASK_FACTORIES}
    assert constants(Path(name)) & names


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_sources_are_of_the_oldest_python(path: Path) -> None:
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    ast.parse(text, str(path), feature_version=OLDEST_PYTHON)


# On the oldest Python itself, where there is one

PROVE_ALL = """
import sys, importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
from benchmarks.cases import Case, Launcher
from benchmarks.echo import EchoConnections
from benchmarks.probes import PROBES
from benchmarks.slices import Bench
from benchmarks.strategies import STRATEGIES
from benchmarks.workloads import WORKLOADS
with EchoConnections() as connections:
    for name, row in STRATEGIES.items():
        if sys.version_info >= row.since and not row.package:
            launcher = Launcher("asyncio", "lazy", name, limit=2 if row.bounds else None)
            bench = Bench(launcher, connections)
            for workload in WORKLOADS.values():
                if workload.tasks_each == 1:
                    bench.calibrate(Case("latency", workload.name, 20), 0.001)
            for probe in PROBES.values():
                if not probe.fresh_process and probe.can_measure(row):
                    bench.calibrate(Case(probe.name, probe.workload("sleep").name, 20), 0.001)
print(sys.version_info[:2])
"""


def oldest_python() -> Path | None:
    """An interpreter of that version that runs; a shim of pyenv's may not."""
    version = ".".join(map(str, OLDEST_PYTHON))
    on_path = shutil.which(f"python{version}")
    for candidate in (Path(on_path) if on_path else None, newest_in_pyenv(version)):
        if candidate is not None:
            tried = subprocess.run([candidate, "--version"], capture_output=True, check=False)
            if tried.returncode == 0:
                return candidate
    return None


def test_measured_modules_run_on_the_oldest_python() -> None:
    python = oldest_python()
    if python is None:
        pytest.skip(f"there is no Python {'.'.join(map(str, OLDEST_PYTHON))} here")
    done = subprocess.run(
        [python, "-W", "error", "-c", PROVE_ALL, *(module_of(path) for path in sorted(MEASURED))],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(OLDEST_PYTHON)
    assert done.stderr == ""
