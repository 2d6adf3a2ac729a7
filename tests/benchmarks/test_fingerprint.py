"""The identity of the measured code: it changes with what runs, and with nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import fingerprint as module
from benchmarks.fingerprint import code_of, fingerprint, measured_modules
from tests.repository import run_python

PROGRAM = """
import asyncio

LIMIT = 5

@row(label="a", seconds=1)
class Some:
    async def run(self, n):
        return await asyncio.sleep(n + LIMIT)
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 5", "LIMIT = 5  # a comment"),
        ("LIMIT = 5", 'LIMIT = 5\n"""What is too much."""'),
        ("(self, n):", "(\n        self,\n        n,\n    ):"),
        ("(self, n):", '(self, n):\n        """Wait."""'),
        ("Some:", 'Some:\n    """It waits."""\n'),
        ("import asyncio", '"""A module."""\n\n\nimport asyncio'),
        ('label="a"', "label='another label', meaning='and a meaning'"),
    ],
)
def test_comments_docstrings_layout_and_words_do_not_change_the_code(old: str, new: str) -> None:
    assert code_of(PROGRAM.replace(old, new)) == code_of(PROGRAM)


def test_a_body_of_nothing_but_a_docstring_stays_a_body() -> None:
    assert (
        code_of('class Broken(Exception):\n    """It is."""')
        == "class Broken(Exception):\n    pass"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 5", "LIMIT = 6"),
        ("LIMIT = 5", 'LIMIT = "5"'),
        ("seconds=1", "seconds=2"),
        ("n + LIMIT", "n - LIMIT"),
        ("return await", "await"),
        ("import asyncio", "import asyncio as other"),
    ],
)
def test_what_runs_changes_the_code(old: str, new: str) -> None:
    assert code_of(PROGRAM.replace(old, new)) != code_of(PROGRAM)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package."""
    copy = tmp_path / "benchmarks"
    shutil.copytree(module.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_it_is_that_of_the_contents_wherever_they_are(package: Path) -> None:
    assert fingerprint(package) == fingerprint()
    assert len(fingerprint()) == 64


@pytest.mark.parametrize(
    "file", ["worker.py", "slices.py", "collecting.py", "probes/memory.py", "strategies.py"]
)
def test_measured_modules_count(file: str, package: Path) -> None:
    path = package / file
    source = path.read_text(encoding="utf-8")
    path.write_text(f"# a comment\n{source}", encoding="utf-8")
    assert fingerprint(package) == fingerprint()
    path.write_text(f"{source}\nADDED = 1\n", encoding="utf-8")
    assert fingerprint(package) != fingerprint()


@pytest.mark.parametrize(
    "file", ["__main__.py", "matrix.py", "campaign/plan.py", "probe.py", "programs.py"]
)
def test_the_driver_does_not_count(file: str, package: Path) -> None:
    with (package / file).open("a", encoding="utf-8") as stream:
        stream.write("\nADDED = 1\n")
    assert fingerprint(package) == fingerprint()


def test_a_new_probe_counts_with_what_it_imports(package: Path) -> None:
    (package / "probes" / "added.py").write_text("import benchmarks.extra\n", encoding="utf-8")
    (package / "extra.py").write_text("FACTOR = 1\n", encoding="utf-8")
    before = fingerprint(package)
    assert before != fingerprint()
    (package / "extra.py").write_text("FACTOR = 2\n", encoding="utf-8")
    assert fingerprint(package) != before


MEASURE_ALL = """if True:
    import sys
    from benchmarks.cases import Case, Launcher
    from benchmarks.conditions import conditions
    from benchmarks.probes import PROBES
    from benchmarks.protocol import Measure
    from benchmarks.strategies import STRATEGIES
    from benchmarks.worker import Desk, EchoConnections

    launcher = Launcher("asyncio", "lazy", "gather_tasks")
    conditions(launcher)
    with EchoConnections() as connections:
        desk = Desk(launcher, connections)
        for probe in PROBES.values():
            if not probe.can_measure(STRATEGIES[launcher.strategy]):
                continue
            case = Case(probe.name, probe.workload("echo").name, 1000)
            assert desk.answer(Measure(case, 1, 1)).values, probe
    print(*(row.__file__ for name, row in sys.modules.items() if name.startswith("benchmarks")))
"""


def test_it_covers_what_a_process_that_measures_has_imported() -> None:
    done = run_python("-c", MEASURE_ALL)
    assert done.returncode == 0, done.stderr
    when_needed = {module.PACKAGE / "own.py"}
    assert set(map(Path, done.stdout.split())) | when_needed == set(measured_modules())
