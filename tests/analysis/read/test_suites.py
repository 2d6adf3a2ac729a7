"""The pyperf suites of a campaign, compared with its journal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyperf
import pytest

from analysis.read.load import read_campaign
from benchmarks.campaign.journal import Journal
from benchmarks.campaign.suites import write_suites
from benchmarks.cases import Case
from tests import campaigns

SUITE = "cpython-3.14.0.json"


@pytest.fixture(params=["new", "old"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A small campaign with seconds and bytes, and its suite as it is written; that of an old one
    has all values of a round.
    """
    cases = (Case("throughput", "noop", 10), Case("memory", "pending", 10))
    old = request.param == "old"
    folder = campaigns.write(
        tmp_path / "campaign", cases=cases, rounds=2, old=old, collector=lambda *_: 0.2
    )
    if not old:
        plan = Journal(folder).load()
        assert write_suites(folder, plan, Journal(folder).lines(plan)) == [folder / SUITE]
        return folder
    benchmarks: dict[str, list[pyperf.Run]] = {}
    for text in (folder / "rounds.jsonl").read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        for contender, cell in line["cells"].items():
            for metric, values in cell["values"].items():
                name = f"{line['case']}/{contender}/{metric}"
                facts = {"name": name, "contender": contender, "metric": metric}
                metadata = {**facts, "case": line["case"], "round": line["round"]}
                run = pyperf.Run(values, metadata=metadata, collect_metadata=False)
                benchmarks.setdefault(name, []).append(run)
    suite = pyperf.BenchmarkSuite([pyperf.Benchmark(runs) for runs in benchmarks.values()])
    suite.dump(str(folder / SUITE))
    return folder


def first_run(suite: Any) -> Any:  # noqa: ANN401
    return suite["benchmarks"][0]["runs"][0]


def last_values(suite: Any) -> Any:  # noqa: ANN401
    """They are bytes."""
    return suite["benchmarks"][-1]["runs"][-1]["values"]


def shift(values: list[float], by: float) -> None:
    values[:] = [value + by for value in values]


def test_a_suite_that_agrees_is_no_problem(folder: Path) -> None:
    assert read_campaign(folder, suites=True).problems == ()


def test_a_missing_suite_is_a_warning_once_the_campaign_is_complete(folder: Path) -> None:
    (folder / SUITE).unlink()
    assert [str(one) for one in read_campaign(folder, suites=True).problems] == [
        f"{SUITE}: warning: is missing; python -m benchmarks suites makes it from the journal"
    ]
    campaigns.change_plan(folder, lambda plan: plan.update(status="interrupted"))
    assert read_campaign(folder, suites=True).problems == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda suite: first_run(suite)["values"].extend([0.1] * 3), "has a run that differs from"),
        (lambda suite: first_run(suite)["values"].clear(), "lacks 1 runs of the journal"),
        (lambda suite: shift(last_values(suite), 1), "'peak', round 1"),
        (lambda suite: suite["benchmarks"].pop(), "lacks 2 runs of the journal, the first: cont"),
        (lambda suite: suite["benchmarks"].append(suite["benchmarks"][0]), "has a run twice: cont"),
        (
            lambda suite: first_run(suite)["metadata"].update(round=9),
            "a run that the journal has n",
        ),
        (
            lambda suite: suite["benchmarks"][0]["metadata"].pop("contender"),
            "metadata lack contend",
        ),
        (lambda suite: suite.update(benchmarks=3), "is not a pyperf suite: benchmarks: Expected"),
        (lambda suite: suite["benchmarks"][0].update(runs=[None]), "benchmarks[0].runs[0]: Expec"),
        (
            lambda suite: first_run(suite).update(values=["x"]),
            "runs[0].values[0]: Expected `float`",
        ),
    ],
)
def test_a_suite_that_disagrees_is_an_error(
    folder: Path, change: Callable[[Any], object], words: str
) -> None:
    suite = json.loads((folder / SUITE).read_text(encoding="utf-8"))
    change(suite)
    (folder / SUITE).write_text(json.dumps(suite), encoding="utf-8")
    errors = read_campaign(folder, suites=True).errors
    assert any(words in error.message for error in errors)
    assert {error.file for error in errors} == {SUITE}
    assert not read_campaign(folder).errors


def test_a_suite_that_is_no_plain_file_or_much_too_large_is_not_read(folder: Path) -> None:
    path = folder / SUITE
    with path.open("r+b") as file:
        file.truncate(100 * 2**20)
    assert "is larger than" in read_campaign(folder, suites=True).errors[0].message
    path.unlink()
    path.symlink_to(folder / "nowhere")
    assert "is not a plain file" in read_campaign(folder, suites=True).errors[0].message
    path.unlink()
    os.mkfifo(path)
    assert "is not a plain file" in read_campaign(folder, suites=True).errors[0].message
