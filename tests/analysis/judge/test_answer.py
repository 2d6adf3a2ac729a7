"""The answer: sentences whose words follow the printed intervals."""

from __future__ import annotations

import math
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from analysis.judge.answer import answers
from analysis.judge.findings import find
from analysis.judge.verdicts import judge
from analysis.judge.words import MEMORY, TIME, Thing, compared
from analysis.read.load import read_campaign
from benchmarks.campaign import schema
from benchmarks.cases import Case
from tests import campaigns


def row(ratio: float, low: float, high: float, reason: str = "") -> SimpleNamespace:
    """A row of the contrasts with the verdict of this interval."""
    rounds = 0 if math.isnan(ratio) else 12
    [verdict] = judge(np.array([low]), np.array([high]), np.array([rounds]))
    return SimpleNamespace(ratio=ratio, low=low, high=high, verdict=verdict, reason=reason)


@pytest.mark.parametrize(
    ("numbers", "thing", "than", "words"),
    [
        ((1.021, 1.014, 1.029), TIME, "gather", "takes 2.1 % [1.4, 2.9] more time than gather"),
        ((0.955, 0.913, 0.969), TIME, "gather", "takes 4.5 % [3.1, 8.7] less time than gather"),
        ((0.955, 0.913, 0.969), TIME, "", "takes 4.5 % [3.1, 8.7] less time"),
        ((9.93, 9.62, 10.4), TIME, "gather", "takes 9.93 [9.62, 10.4] times as long as gather"),
        ((1.99, 1.98, 2.01), TIME, "", "takes 99.0 % [98.0, 101] more time"),
        ((2.0, 1.9, 2.1), TIME, "", "takes 2.00 [1.90, 2.10] times as long"),
        ((1.062, 1.061, 1.063), MEMORY, "gather", "takes 6.2 % [6.1, 6.3] more memory than gather"),
        (
            (1.001, 0.998, 1.004), TIME, "gather",
            "takes the same time as gather within 2 % (+0.1 % [-0.2, +0.4])",
        ),
        (
            (1.01, 0.97, 1.04), TIME, "gather",
            "does not differ significantly from gather (undecided: +1.0 % [-3.0, +4.0])",
        ),
        (
            (1.01, 0.0, math.inf), TIME, "",
            "does not differ significantly (undecided: +1.0 % [too few rounds])",
        ),
        ((math.nan, math.nan, math.nan), TIME, "gather", "was not measured"),
    ],
)  # fmt: skip
def test_words_follow_the_interval(
    numbers: tuple[float, float, float], thing: Thing, than: str, words: str
) -> None:
    assert compared(row(*numbers), thing, than) == words


def test_what_is_missing_has_its_reason() -> None:
    assert (
        compared(row(math.nan, math.nan, math.nan, "it failed")) == "was not measured (it failed)"
    )


@pytest.mark.parametrize("ratio", [0.9, 0.994, 0.9951, 1.0, 1.0049, 1.006, 1.0201, 1.1])
@pytest.mark.parametrize("half_width", [1e-4, 4e-3, 0.03])
def test_the_printed_ends_lead_to_the_verdict(ratio: float, half_width: float) -> None:
    one = row(ratio, ratio - half_width, ratio + half_width)
    text = compared(one)
    [ends] = re.findall(r"\[(.*)\]", text)
    low, high = sorted(abs(float(end)) if "undecided" not in text and "same" not in text
                       else float(end) for end in ends.split(", "))  # fmt: skip
    said = {
        "slower": "more time" in text and low > 0.5,
        "faster": "less time" in text and low > 0.5,
        "same": "the same time" in text and low >= -2 and high <= 2,
        "undecided": "undecided" in text and low <= 0.5 and high >= -0.5 and (high > 2 or low < -2),
    }
    assert [verdict for verdict, is_so in said.items() if is_so] == [one.verdict]


def test_answers_are_given_for_what_computes_and_for_each_workload(tmp_path: Path) -> None:
    cases = [Case("throughput", name, n) for name in ("noop", "yield_once") for n in (100, 1000)]
    cases += [Case("throughput", "sleep", 10), Case("latency", "noop", 100)]
    folder = campaigns.write(
        tmp_path / "c", pythons=("3.13.0", "3.14.0"), loops=("asyncio", "uvloop"), cases=cases,
        effect=lambda who, case, _: 0.1 * ((who.strategy, case.workload) == ("task_group", "noop")),
    )  # fmt: skip
    findings = find(read_campaign(folder))
    found = answers(findings)
    assert [(one.python, one.loop) for one in found] == [
        ("3.14.0", "asyncio"), ("3.14.0", "uvloop"), ("3.13.0", "asyncio"), ("3.13.0", "uvloop"),
    ]  # fmt: skip
    for one in found:
        scopes = [line.sentence.partition(":")[0] for line in one.lines]
        assert scopes[::2] == scopes[1::2] == [
            "noop and yield once together (4 cases)",
            "noop (2 cases)", "yield once (2 cases)", "sleep (1 case)",
        ]  # fmt: skip
        slower = [line for line in one.lines if "more time" in line.sentence]
        assert [line.sentence.split(" takes ")[0] for line in slower] == [
            "noop and yield once together (4 cases): TaskGroup", "noop (2 cases): TaskGroup",
        ]  # fmt: skip
        for line in one.lines:
            cell = findings.contrasts.loc[line.contrast]
            assert (cell["python"], cell["loop"]) == (one.python, one.loop)
            assert cell["family"] == f"answer {one.python}"
            assert compared(cell, than="gather(*coroutines)") in line.sentence


def test_a_strategy_that_failed_is_named_with_its_reason(tmp_path: Path) -> None:
    failure = schema.Failure(
        contender="cpython-3.14.0/asyncio/lazy/task_group", case="throughput/yield_once/10",
        round=0, cause="it stopped",
    )  # fmt: skip
    cases = [Case("throughput", name, 10) for name in ("noop", "yield_once")]
    folder = campaigns.write(tmp_path / "c", cases=cases, failed=(failure,))
    [answer] = answers(find(read_campaign(folder)))
    said = [line.sentence for line in answer.lines if "TaskGroup" in line.sentence]
    assert said[2].startswith(
        "yield once: TaskGroup was not measured (failed in round 0: it stopped)"
    )
    assert said[1].startswith("noop (1 case): TaskGroup ")
