"""What may be typed, and what is said of what may not."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.campaign.arguments import (
    RunOptions,
    UsageError,
    add_run_options,
    duration,
    names_of,
    natural_number,
    run_options,
    share,
    task_counts,
)
from benchmarks.collectors import COLLECTORS
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import PRESETS, Available, cases, lay_out
from benchmarks.pauses import PAUSES
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


@pytest.mark.parametrize("text", ["1_000_000_001", "1" + 9 * "0" + "0", "5 " + 9 * "9999"])
def test_more_tasks_than_a_machine_holds_are_refused(text: str) -> None:
    assert task_counts("1_000_000_000") == (10**9,)
    with pytest.raises(BadArgument, match=r"is too many tasks \(at most 1_000_000_000\)"):
        task_counts(text)


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_an_empty_list_is_an_error(text: str) -> None:
    with pytest.raises(BadArgument, match="empty"):
        task_counts(text)
    with pytest.raises(BadArgument, match="empty"):
        names_of(["a"])(text)


@pytest.mark.parametrize(
    "registry",
    [STRATEGIES, WORKLOADS, EVENT_LOOPS, TASK_FACTORIES, COLLECTORS, PROBES, PAUSES],
)
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
    assert options.selections == preset.selections
    assert not options.manner.quiet
    assert options.manner.report
    assert options.manner.baseline_python is None
    assert (options.budget_seconds, options.precision) == (preset.budget_seconds, preset.precision)
    assert options.turn_limit_seconds == 60.0
    assert (options.seed, options.out, options.pythons) == (None, None, ())


def test_options_are_laid_over_their_preset() -> None:
    options = parsed(
        "--preset", "smoke", "--tasks", "5,6", "--tasks", "7", "--tasks", "5", "--loop", "uvloop",
        "--strategy", "task_group", "--strategy", "gather_tasks,task_group", "--workload", "echo",
        "--budget", "90s", "--precision", "2%", "--seed", "0", "--out", "somewhere",
        "--python", "3.12", "--python", "3.13", "--turn-limit", "5s", "--task-factory", "eager",
        "--collector", "off,frozen", "--baseline-python", "3.12",
    )  # fmt: skip
    assert options.preset == "smoke"
    (selection,) = options.selections
    assert selection.tasks == (5, 6, 7)
    assert selection.loops == ("uvloop",)
    assert selection.task_factories == ("eager",)
    assert selection.strategies == ("task_group", "gather_tasks")
    assert selection.collectors == ("off", "frozen")
    assert selection.workloads == ("echo",)
    assert selection.probes == PRESETS["smoke"].selections[0].probes
    assert options.manner.baseline_python == "3.12"
    assert (options.budget_seconds, options.precision) == (90.0, 0.02)
    assert options.turn_limit_seconds == 5.0
    assert (options.seed, options.out) == (0, Path("somewhere"))
    assert options.pythons == ("3.12", "3.13")


def test_a_probe_takes_the_pauses_that_are_given() -> None:
    (selection,) = parsed("--probe", "head_start", "--pause", "sleep_5ms").selections
    assert {case.pause for case in cases(selection)} == {"sleep_5ms"}


def test_options_narrow_every_selection_of_a_preset_that_has_several() -> None:
    preset = PRESETS["question"]
    assert parsed("--preset", "question").selections == preset.selections
    narrowed = parsed("--preset", "question", "--loop", "asyncio", "--tasks", "100").selections
    assert narrowed == tuple(
        dataclasses.replace(selection, loops=("asyncio",), tasks=(100,))
        for selection in preset.selections
        if 100 in selection.tasks
    )
    assert len(narrowed) < len(preset.selections)


@given(
    st.lists(st.sampled_from(list(STRATEGIES)), max_size=2),
    st.lists(st.sampled_from(list(PROBES)), max_size=2),
    st.lists(st.sampled_from(["on", "off"]), max_size=1),
)
def test_narrowing_never_adds_anything_but_the_baseline(
    strategies: list[str], probes: list[str], collectors: list[str]
) -> None:
    arguments = [f"--strategy={name}" for name in strategies]
    arguments += [f"--probe={name}" for name in probes]
    arguments += [f"--collector={name}" for name in collectors]
    python = Available("cpython-3.13.0", (3, 13), frozenset({"uvloop"}))

    def asked(*more: str) -> set[tuple[str, str]]:
        laid_out = lay_out([python], parsed("--preset", "question", *more).selections)
        return {
            (contender.id, case.id)
            for block in laid_out.blocks
            for contender in block.contenders
            for case in block.cases
            if contender.role == "contender"
        }

    with contextlib.suppress(UsageError):
        assert asked(*arguments) <= asked()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("--preset", "question", "--loop", "rloop", "--tasks", "10"),
            "nothing of preset question is left by --tasks 10, --loop rloop",
        ),
        (
            ("--preset", "question", "--probe", "stall", "--pause", "sleep_5ms"),
            "nothing of preset question is left by --probe stall, --pause sleep_5ms",
        ),
        (("--pause", "sleep_5ms"), "--pause has no meaning for what is measured: throughput"),
        (("--probe", "memory", "--workload", "noop"), "--workload has no meaning for"),
        (("--probe", "cancel", "--strategy", "sequential"), "--strategy has no meaning for"),
    ],
)
def test_options_that_would_come_to_nothing_are_an_error(
    arguments: tuple[str, ...], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        parsed(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--strategy", "nonsense"),
        ("--task-factory", "nonsense"),
        ("--collector", "nonsense"),
        ("--pause", "nonsense"),
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
