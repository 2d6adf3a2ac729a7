"""The recipes of CONTRIBUTING.md: one function in one file is enough."""

from __future__ import annotations

import csv
import filecmp
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.strategies import STRATEGIES
from tests.repository import (
    REPOSITORY,
    copy_repository,
    read_campaign,
    read_journal,
    run_benchmarks,
)

RECIPE = re.compile(r"^## Add a strategy\n.*?^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
WORKLOAD = '''

@workload()
async def twice(index: int) -> int:
    """suspends twice, with sleep(0)."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return index
'''


@dataclass(frozen=True)
class Extended:
    """A copy of the repository with a strategy and a workload added, and its campaign."""

    copy: Path
    strategy: str
    folder: Path
    done: subprocess.CompletedProcess[str]


def documented_strategy() -> str:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = RECIPE.search(text)
    assert found, "CONTRIBUTING.md has the recipe with its code"
    return found[1]


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Extended:
    copy = copy_repository(tmp_path_factory.mktemp("recipe"))
    code = documented_strategy()
    (name,) = re.findall(r"^async def (\w+)", code, re.MULTILINE)
    for file, addition in (("strategies.py", f"\n\n{code}"), ("workloads.py", WORKLOAD)):
        with (copy / "benchmarks" / file).open("a", encoding="utf-8") as stream:
            stream.write(addition)
    folder = copy / "campaign"
    done = run_benchmarks(
        "run", "--strategy", name, "--workload", "twice", "--probe", "throughput", "--tasks", "3",
        "--loop", "asyncio", "--budget", "2s", "--out", folder, cwd=copy,
    )  # fmt: skip
    return Extended(copy, name, folder, done)


def test_the_recipe_adds_something_new(extended: Extended) -> None:
    assert extended.strategy not in STRATEGIES


def test_a_strategy_is_one_function_in_one_file(extended: Extended) -> None:
    """... and a workload is one in another: nothing else of the copy differs."""
    changed = {
        path.relative_to(REPOSITORY).as_posix()
        for package in ("benchmarks", "analysis")
        for path in (REPOSITORY / package).rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not filecmp.cmp(path, extended.copy / path.relative_to(REPOSITORY), shallow=False)
    }
    assert changed == {"benchmarks/strategies.py", "benchmarks/workloads.py"}


def test_it_is_measured_against_the_baseline(extended: Extended) -> None:
    assert extended.done.returncode == 0, extended.done.stderr
    contenders = read_campaign(extended.folder)["contenders"]
    assert [(row["strategy"], row["role"]) for row in contenders] == [
        ("gather_coroutines", "baseline"),
        (extended.strategy, "contender"),
        ("gather_coroutines", "control"),
    ]
    journal = read_journal(extended.folder)
    assert journal
    assert all(contenders[1]["id"] in line["cells"] for line in journal)
    assert {line["case"] for line in journal} == {"throughput/twice/3"}


def test_it_is_in_the_answer_and_in_the_report(extended: Extended) -> None:
    assert extended.strategy in extended.done.stdout
    assert "twice" in extended.done.stdout
    comparisons = extended.folder / "report" / "comparisons.csv"
    with comparisons.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    (row,) = [row for row in rows if row["contender"] == extended.strategy]
    assert row["workload"] == "twice"


def test_it_is_listed_with_its_docstring(extended: Extended) -> None:
    done = run_benchmarks("list", cwd=extended.copy)
    assert re.search(rf"^\s+{extended.strategy}\s+\S", done.stdout, re.MULTILINE)
    assert re.search(r"^\s+twice\s+suspends twice", done.stdout, re.MULTILINE)
