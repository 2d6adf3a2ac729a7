"""The borders between packages, read from the sources."""

from __future__ import annotations

import ast
import functools
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from benchmarks.campaign.interpreters import _newest_in_pyenv
from benchmarks.campaign.plan import DRIVER_MODULES
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.probes import PROBES
from benchmarks.strategies import OLDEST_PYTHON, STRATEGIES
from benchmarks.workloads import WORKLOADS
from tests.repository import REPOSITORY

SOURCES = sorted(
    path.relative_to(REPOSITORY)
    for package in ("benchmarks", "analysis")
    for path in (REPOSITORY / package).rglob("*.py")
)
MEASURED = [
    path
    for path in SOURCES
    if path.parent == Path("benchmarks") and path.name not in DRIVER_MODULES
]
ENTRY_POINTS = {
    *(f"benchmarks.{name}" for name in ("worker", "alone", "echo", "conditions", "witnesses")),
    *(f"benchmarks.{name}" for name in PROBES),
}
"""What is started with a measured interpreter, or belongs to what is measured."""

NAMES_MAY_STAND_IN: Mapping[str, str] = {
    "benchmarks/loops.py": "the registry of loops and task factories",
    "benchmarks/conditions.py": "how a task factory is recognised",
    "benchmarks/matrix.py": "what presets choose",
    "benchmarks/script.py": "what a probe script measures unless told",
    "benchmarks/campaign/harness/analysing.py": "what the analysis is measured with",
    "benchmarks/campaign/harness/running.py": "what the harness is measured with",
    "benchmarks/campaign/harness/pythons.py": "likewise, over several Pythons",
    "analysis/claims.py": "what others have claimed of them",
    "analysis/style.py": "labels and colours, which fall back to the name",
}
"""Files with the name of a strategy, workload, loop or task factory as a string, and why. Adding
one never needs an edit there.
"""


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in SOURCES}


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse((REPOSITORY / path).read_text(encoding="utf-8"), str(path))


def is_main_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def nodes_of(node: ast.AST, *, with_main: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if with_main or not is_main_guard(child):
            yield child
            yield from nodes_of(child, with_main=with_main)


def imports_of(path: Path, *, with_main: bool = True) -> set[str]:
    """Every module that a file imports, also within functions; submodules by their full name."""
    found: set[str] = set()
    for node in nodes_of(tree_of(path), with_main=with_main):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            below = {f"{node.module}.{alias.name}" for alias in node.names} & set(MODULES)
            found |= below or {node.module}
    return found


def closure(roots: Iterable[str]) -> AbstractSet[str]:
    """The modules of this repository that are imported with the roots, the packages included."""
    reached: set[str] = set()
    to_do = list(roots)
    while to_do:
        module = to_do.pop()
        if module in MODULES and module not in reached:
            reached.add(module)
            to_do += [*imports_of(MODULES[module]), module.rpartition(".")[0]]
    return reached


def package_of(module: str) -> str:
    return module.partition(".")[0]


def test_there_is_something_to_look_at() -> None:
    assert {"benchmarks.worker", "benchmarks.campaign.conduct", "analysis.load"} <= set(MODULES)
    assert "benchmarks.slices" in imports_of(Path("benchmarks/worker.py"))
    assert "benchmarks.script" in imports_of(Path("benchmarks/latency.py"))
    assert "benchmarks.script" not in imports_of(Path("benchmarks/latency.py"), with_main=False)


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parts[0] == "analysis"], ids=str)
def test_analysis_never_imports_benchmarks(path: Path) -> None:
    assert "benchmarks" not in {package_of(module) for module in imports_of(path)}


@pytest.mark.parametrize("path", MEASURED, ids=str)
def test_measured_modules_import_the_standard_library_pyperf_and_each_other(path: Path) -> None:
    imported = imports_of(path)
    others = {module for module in imported if package_of(module) not in sys.stdlib_module_names}
    assert others <= {"pyperf"} | {module_of(measured) for measured in MEASURED}


def test_the_code_hash_covers_exactly_what_runs_in_measured_processes() -> None:
    assert closure(ENTRY_POINTS) == {module_of(path) for path in MEASURED}


def test_a_measured_process_does_not_load_pyperf() -> None:
    """Its objects would be visited by every full collection."""
    subprocess.run(
        [
            sys.executable, "-c",
            "import sys, benchmarks.worker; sys.exit('pyperf' in sys.modules)",
        ],
        cwd=REPOSITORY, check=True,
    )  # fmt: skip


@pytest.mark.parametrize("package", ["benchmarks", "analysis"])
def test_no_modules_import_one_another_in_a_circle(package: str) -> None:
    graph = {
        module: {
            imported
            for imported in imports_of(path, with_main=False)
            if package_of(imported) == package and imported != package
        }
        for module, path in MODULES.items()
        if package_of(module) == package
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_names_are_spelled_only_where_they_belong(path: Path) -> None:
    if path.as_posix() in NAMES_MAY_STAND_IN:
        return
    names = {*STRATEGIES, *WORKLOADS, *EVENT_LOOPS, *TASK_FACTORIES}
    spelled = {
        f"line {node.lineno}: {node.value}"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and node.value in names
    }
    assert spelled == set()


@pytest.mark.parametrize("name", NAMES_MAY_STAND_IN)
def test_no_exception_is_listed_in_vain(name: str) -> None:
    names = {*STRATEGIES, *WORKLOADS, *EVENT_LOOPS, *TASK_FACTORIES}
    values = {
        node.value for node in ast.walk(tree_of(Path(name))) if isinstance(node, ast.Constant)
    }
    assert values & names


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_sources_are_of_the_oldest_python(path: Path) -> None:
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    ast.parse(text, str(path), feature_version=OLDEST_PYTHON)


# On the oldest Python itself, where there is one

PROVE_ALL = """
import sys, types
sys.modules["pyperf"] = types.ModuleType("pyperf")  # a bare interpreter has none
import importlib
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
        if sys.version_info >= row.since:
            bench = Bench(Launcher("asyncio", "lazy", name), connections)
            for workload in WORKLOADS.values():
                tasks = max(1, 20 // workload.tasks_each)
                bench.calibrate(Case("latency", workload.name, tasks), 0.001)
            for probe in PROBES.values():
                if not probe.fresh_process and (row.concurrent or not probe.concurrent_only):
                    bench.calibrate(Case(probe.name, probe.workload("sleep").name, 20), 0.001)
print(sys.version_info[:2])
"""


def oldest_python() -> Path | None:
    """An interpreter of that version that runs; a shim of pyenv's may not."""
    version = ".".join(map(str, OLDEST_PYTHON))
    on_path = shutil.which(f"python{version}")
    for candidate in (Path(on_path) if on_path else None, _newest_in_pyenv(version)):
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
        [python, "-W", "error", "-c", PROVE_ALL, *(module_of(path) for path in MEASURED)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(OLDEST_PYTHON)
    assert done.stderr == ""
