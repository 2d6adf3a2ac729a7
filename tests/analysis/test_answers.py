"""The answer in sentences."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.answers import answers, basis, group_labels
from analysis.load import read_campaign
from analysis.summaries import summarise
from tests.synthetic import World, write_campaign


def summary(**verdicts: tuple[float, float, float, str]) -> pd.DataFrame:
    """A summary on asyncio: (ratio, low, high, verdict) by contender."""
    return pd.DataFrame(
        [
            {
                "python": "3.14",
                "loop": "asyncio",
                "task_factory": "lazy",
                "contender": name,
                "ratio": ratio,
                "low": low,
                "high": high,
                "verdict": verdict,
                "reason": "it failed" if verdict == "missing" else "",
                "cases": 5,
            }
            for name, (ratio, low, high, verdict) in verdicts.items()
        ]
    )


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            (1.021, 1.014, 1.029, "slower"),
            "gather(*tasks) takes 2.1 % [1.4, 2.9] more time than gather(*coroutines).",
        ),
        (
            (0.95, 0.94, 0.96, "faster"),
            "gather(*tasks) takes 5.0 % [4.0, 6.0] less time than gather(*coroutines).",
        ),
        (
            (1.001, 0.998, 1.004, "same"),
            (
                "gather(*tasks) takes the same time as gather(*coroutines) "
                "within 2 % (+0.1 % [-0.2, +0.4])."
            ),
        ),
        (
            (1.01, 0.98, 1.04, "undecided"),
            "gather(*tasks) is not told apart from gather(*coroutines) (+1.0 % [-2.0, +4.0]).",
        ),
        (
            (float("nan"), float("nan"), float("nan"), "missing"),
            "gather(*tasks) was not measured (it failed).",
        ),
    ],
)
def test_each_verdict_has_its_words(row: tuple[float, float, float, str], sentence: str) -> None:
    [answer] = answers(summary(gather_tasks=row))
    assert answer.sentence == sentence
    assert str(answer) == f"On asyncio, {sentence}"


def test_the_baseline_is_named_once_and_the_control_never() -> None:
    row = (1.1, 1.05, 1.15, "slower")
    [answer] = answers(summary(gather_tasks=row, task_group=row, control=row))
    assert answer.sentence.count("gather(*coroutines)") == 1
    assert "TaskGroup takes 10.0 % [5.0, 15.0] more time." in answer.sentence
    assert "control" not in answer.sentence


def test_only_what_differs_is_named() -> None:
    frame = pd.DataFrame(
        {
            "python": ["3.14", "3.14"],
            "loop": ["uvloop", "asyncio"],
            "task_factory": ["lazy", "lazy"],
        }
    )
    assert list(group_labels(frame).values()) == ["asyncio", "uvloop"]
    frame["python"] = ["3.13", "3.14"]
    frame["task_factory"] = ["lazy", "eager"]
    assert list(group_labels(frame).values()) == [
        "uvloop, lazy tasks, Python 3.13",
        "asyncio, eager tasks, Python 3.14",
    ]


def test_a_campaign_with_known_effects_answers_with_them(tmp_path: Path) -> None:
    world = World(effects={"gather_tasks": 0.90, "task_group": 1.10}, value_noise=0.001)
    folder = write_campaign(tmp_path / "c", world=world, probes=("throughput",), tasks=(10, 100))
    found = summarise(read_campaign(folder))
    sentences = [str(answer) for answer in answers(found)]
    assert len(sentences) == 2
    for sentence in sentences:
        assert "gather(*tasks) takes 10." in sentence or "gather(*tasks) takes 9." in sentence
        assert "less time than gather(*coroutines)" in sentence
        assert "TaskGroup takes" in sentence
    assert "over 4 cases" in basis(found)


def test_nothing_measured_gives_no_answer() -> None:
    assert answers(summary().reindex(columns=["python", "loop", "task_factory", "contender"])) == []
