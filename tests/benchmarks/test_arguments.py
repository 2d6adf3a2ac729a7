"""What may be typed, and what is said of what may not."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.campaign.arguments import (
    RunOptions,
    add_run_options,
    duration,
    names_of,
    natural_number,
    run_options,
    share,
    task_counts,
)
from benchmarks.loops import EVENT_LOOPS
from benchmarks.matrix import PRESETS
from benchmarks.probes import PROBES
from benchmarks.strategies import STRATEGIES
from benchmarks.workloads import WORKLOADS

BadArgument = argparse.ArgumentTypeError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("90s", 90.0),
        ("4m", 240.0),
        ("1h30m", 5400.0),
        ("1h 30m 5s", 5405.0),
        ("0.5h", 1800.0),
        ("2.5", 2.5),
        ("1m30", 90.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.booleans())
@example(0, 0, 1, False)
def test_durations_are_read_as_they_are_written(
    hours: int, minutes: int, seconds: int, spaced: bool
) -> None:
    total = 3600 * hours + 60 * minutes + seconds
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else "", f"{seconds}s"]
    text = (" " if spaced else "").join(parts)
    if total:
        assert duration(text) == total
        assert duration(str(total)) == total
    else:
        with pytest.raises(BadArgument):
            duration(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "0s",
        "-5s",
        "soon",
        "4 minutes",
        "4x",
        "m",
        "1.2.3",
        "1e3",
        "5s!",
        "nan",
        "9" * 400,
    ],
)
def test_bad_durations_are_named(text: str) -> None:
    with pytest.raises(BadArgument, match="is not a time; write it as") as caught:
        duration(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1%", 0.01), ("0.01", 0.01), ("0.5 %", 0.005), (" 2% ", 0.02), ("50%", 0.5)],
)
def test_shares(text: str, value: float) -> None:
    assert share(text) == value


@given(st.floats(1e-6, 0.5))
def test_shares_are_read_as_they_are_written(value: float) -> None:
    assert share(repr(value)) == value
    if value < 0.49:
        assert share(f"{100 * value!r}%") == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "0", "0%", "-1%", "51%", "1", "nan", "inf", "%", "one", "1%%"]
)
def test_bad_shares_are_named(text: str) -> None:
    with pytest.raises(BadArgument, match=r"is not a precision; write it as 1% or 0\.01"):
        share(text)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("1", (1,)),
        ("1000", (1000,)),
        ("10_000", (10_000,)),
        ("1, 10,100", (1, 10, 100)),
        ("5 6", (5, 6)),
    ],
)
def test_task_counts(text: str, counts: tuple[int, ...]) -> None:
    assert task_counts(text) == counts


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e3", "many", "10,0", "²"])
def test_bad_task_counts_are_named(text: str) -> None:
    with pytest.raises(BadArgument, match=r"is not a number of tasks \(1 or more\)"):
        task_counts(text)


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_an_empty_list_is_an_error(text: str) -> None:
    with pytest.raises(BadArgument, match="empty"):
        task_counts(text)
    with pytest.raises(BadArgument, match="empty"):
        names_of(["a"])(text)


@pytest.mark.parametrize("registry", [STRATEGIES, WORKLOADS, EVENT_LOOPS, PROBES])
def test_names_are_known_or_the_known_ones_are_listed(registry: dict[str, object]) -> None:
    parse = names_of(registry)
    assert parse(",".join(registry)) == tuple(registry)
    assert parse(" ".join(registry)) == tuple(registry)
    with pytest.raises(BadArgument) as caught:
        parse("nonsense")
    assert str(caught.value) == f"'nonsense' is not known; choose from {', '.join(registry)}"


def test_numbers_for_seeds() -> None:
    assert natural_number("0") == 0
    assert natural_number("42") == 42
    for text in ("-1", "1.0", "", "x"):
        with pytest.raises(BadArgument):
            natural_number(text)


def parsed(*arguments: str) -> RunOptions:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_run_options(parser, 60.0)
    return run_options(parser.parse_args(arguments))


def test_without_options_the_default_preset_holds() -> None:
    options = parsed()
    preset = PRESETS["default"]
    assert options.preset == "default"
    assert options.selection == preset.selection
    assert (options.budget_seconds, options.precision) == (preset.budget_seconds, preset.precision)
    assert options.turn_limit_seconds == 60.0
    assert (options.seed, options.out, options.pythons) == (None, None, ())


def test_options_are_laid_over_their_preset() -> None:
    options = parsed(
        "--preset", "smoke", "--tasks", "5,6", "--tasks", "7", "--tasks", "5", "--loop", "uvloop",
        "--strategy", "task_group", "--strategy", "gather_tasks,task_group", "--workload", "echo",
        "--budget", "90s", "--precision", "2%", "--seed", "0", "--out", "somewhere",
        "--python", "3.12", "--python", "3.13", "--turn-limit", "5s",
    )  # fmt: skip
    assert options.preset == "smoke"
    assert options.selection.tasks == (5, 6, 7)
    assert options.selection.loops == ("uvloop",)
    assert options.selection.strategies == ("task_group", "gather_tasks")
    assert options.selection.workloads == ("echo",)
    assert options.selection.probes == PRESETS["smoke"].selection.probes
    assert (options.budget_seconds, options.precision) == (90.0, 0.02)
    assert options.turn_limit_seconds == 5.0
    assert (options.seed, options.out) == (0, Path("somewhere"))
    assert options.pythons == ("3.12", "3.13")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--strategy", "nonsense"),
        ("--loop", "nonsense"),
        ("--workload", "nonsense"),
        ("--probe", "nonsense"),
        ("--preset", "nonsense"),
        ("--tasks", "0"),
        ("--budget", "soon"),
        ("--precision", "much"),
        ("--seed", "-1"),
        ("--turn-limit", "0"),
    ],
)
def test_a_bad_option_names_itself(arguments: tuple[str, str]) -> None:
    with pytest.raises(argparse.ArgumentError) as caught:
        parsed(*arguments)
    assert arguments[0] in str(caught.value)
    assert "\n" not in str(caught.value)
