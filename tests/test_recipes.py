"""The recipes of CONTRIBUTING.md: a strategy, a workload or a probe is one function or file."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.strategies import STRATEGIES
from harness.commands import copy_of_suite
from tests.repository import (
    REPOSITORY,
    read_campaign,
    read_journal,
    run_benchmarks,
)

RECIPE = re.compile(r"^## Add a strategy\n.*?^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
WORKLOAD = '''

@workload()
async def twice(index: int) -> int:
    """each coroutine suspends twice, with sleep(0)."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return index
'''
PROBE = '''"""Probe ``again``: throughput a second time, under another name."""

from dataclasses import replace

from benchmarks.probes.throughput import PROBE as THROUGHPUT

PROBE = replace(
    THROUGHPUT,
    name="again",
    label="once again",
    meaning="the whole fan-out, a second time",
    section="Measured once again",
    answers=False,
    order=100,
)
'''


@dataclass(frozen=True)
class Extended:
    """A copy of the repository with a strategy, a workload and a probe added, and its campaign."""

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
    copy = copy_of_suite(tmp_path_factory.mktemp("recipe"))
    code = documented_strategy()
    (name,) = re.findall(r"^async def (\w+)", code, re.MULTILINE)
    for file, addition in (("strategies.py", f"\n\n{code}"), ("workloads.py", WORKLOAD)):
        with (copy / "benchmarks" / file).open("a", encoding="utf-8") as stream:
            stream.write(addition)
    (copy / "benchmarks" / "probes" / "again.py").write_text(PROBE, encoding="utf-8")
    folder = copy / "campaign"
    done = run_benchmarks(
        "run", "--strategy", name, "--workload", "twice", "--probe", "throughput,again",
        "--tasks", "3,30", "--loop", "asyncio", "--budget", "8s", "--out", folder, cwd=copy,
    )  # fmt: skip
    return Extended(copy, name, folder, done)


def test_the_recipe_adds_something_new(extended: Extended) -> None:
    assert extended.strategy not in STRATEGIES


def test_it_is_measured_and_compared_with_the_baseline(extended: Extended) -> None:
    assert extended.done.returncode == 0, extended.done.stderr
    contenders = read_campaign(extended.folder)["contenders"]
    assert [(row["strategy"], row["role"]) for row in contenders] == [
        ("gather_coroutines", "baseline"),
        (extended.strategy, "contender"),
        ("gather_coroutines", "control"),
    ]
    journal = read_journal(extended.folder)
    assert journal
    assert all(line["cells"].keys() == {"0", "1", "2"} for line in journal)
    probes = ("throughput", "again")
    assert {line["case"] for line in journal} == {f"{p}/twice/{n}" for p in probes for n in (3, 30)}


def test_its_words_are_in_the_campaign(extended: Extended) -> None:
    definitions = read_campaign(extended.folder)["definitions"]
    words = {row["name"]: row for rows in definitions.values() for row in rows}
    assert words[extended.strategy]["label"] == extended.strategy.replace("_", " ")
    assert words["twice"]["meaning"] == "each coroutine suspends twice, with sleep(0)"
    assert (words["again"]["label"], words["again"]["section"]) == (
        "once again", "Measured once again",
    )  # fmt: skip


def test_it_is_in_the_answer_and_in_the_report(extended: Extended) -> None:
    label = extended.strategy.replace("_", " ")
    assert label in extended.done.stdout
    report = extended.folder / "report"
    page, text = (
        (report / name).read_text(encoding="utf-8") for name in ("index.html", "report.md")
    )
    for shown in (extended.done.stdout, page, text):
        assert all(name in shown for name in (label, "twice"))
    for shown in (page, text):
        assert "Measured once again" in shown
    contrasts = (report / "contrasts.csv").read_text(encoding="utf-8")
    assert {extended.strategy, "twice", "again"} <= set(re.split(r"[\",\n]+", contrasts))


def test_a_probe_without_a_chart_of_its_own_gets_one(extended: Extended) -> None:
    charts = {path.name for path in (extended.folder / "report" / "charts").iterdir()}
    assert {"probe-again-light.svg", "probe-again-dark.svg", "probe-again.png"} <= charts


def test_the_places_to_touch_are_there() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Places to touch")[2].partition("## ")[0]
    places = re.findall(r"`([a-z_/]+/(?:[a-z_]+\.py)?)`", table)
    assert len(places) > 10
    assert [place for place in places if not (REPOSITORY / place).exists()] == []


def test_it_is_listed_with_its_meaning(extended: Extended) -> None:
    done = run_benchmarks("list", cwd=extended.copy)
    for name in (extended.strategy, "twice +each coroutine suspends", "again +the whole fan-out"):
        assert re.search(rf"^\s+{name}", done.stdout, re.MULTILINE)
