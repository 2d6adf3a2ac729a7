"""What may be typed, and what is said of what may not."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.campaign.arguments import (
    RunOptions,
    UsageError,
    add_run_options,
    duration,
    folder,
    names_of,
    natural_number,
    run_options,
    share,
    task_counts,
    variable,
)
from benchmarks.campaign.plan import SLICE_SECONDS
from benchmarks.collectors import COLLECTORS
from benchmarks.loops import EVENT_LOOPS, TASK_FACTORIES
from benchmarks.matrix import BOUNDING, MAIN, PRESETS, Selection, cases
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
        ("10ms", 0.010),
        ("1m 1ms", 60.001),
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
        "5msms",
        "0ms",
        "nan",
        "9" * 400,
        "999999h",
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
    add_run_options(parser)
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
    assert (options.turn_limit_seconds, options.slice_seconds) == (60.0, SLICE_SECONDS)
    assert (options.seed, options.out, options.pythons) == (None, None, ())


def test_options_are_laid_over_their_preset() -> None:
    options = parsed(
        "--preset", "smoke", "--tasks", "5,6", "--tasks", "7", "--tasks", "5", "--loop", "uvloop",
        "--strategy", "task_group", "--strategy", "gather_tasks,task_group", "--workload", "echo",
        "--budget", "90s", "--precision", "2%", "--seed", "0", "--out", "somewhere",
        "--python", "3.12", "--python", "3.13", "--turn-limit", "5s", "--task-factory", "eager",
        "--collector", "off,frozen", "--baseline-python", "3.12", "--slice", "2ms",
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
    assert (options.turn_limit_seconds, options.slice_seconds) == (5.0, 0.002)
    assert (options.seed, options.out) == (0, Path("somewhere"))
    assert options.pythons == ("3.12", "3.13")


def test_a_probe_takes_the_pauses_that_are_given() -> None:
    (selection,) = parsed("--probe", "head_start", "--pause", "sleep_5ms").selections
    assert {case.pause for case in cases(selection)} == {"sleep_5ms"}


# One rule for every preset


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_given_replaces_what_every_part_of_a_preset_has(preset: str) -> None:
    parts = parsed(
        "--preset", preset, "--tasks", "50", "--loop", "rloop", "--task-factory", "eager",
        "--collector", "off", "--strategy", "wait",
    ).selections  # fmt: skip
    assert {(*part.loops, *part.task_factories, *part.collectors, *part.strategies)
            for part in parts} == {("rloop", "eager", "off", "wait")}  # fmt: skip
    assert {case.tasks for part in parts for case in cases(part)} == (
        {"question": {50, 1, 10_000, 100_000}, "bounded": {50, 10_000}}.get(preset, {50})
    )
    asked = {name for part in PRESETS[preset].selections for name in part.probes}
    assert {name for part in parts for name in part.probes} == asked


def asked_by(*arguments: str) -> dict[tuple[str, str], set[int]]:
    """Task counts by probe and workload."""
    found: dict[tuple[str, str], set[int]] = {}
    for part in parsed(*arguments).selections:
        for case in cases(part):
            found.setdefault((case.probe, case.workload), set()).add(case.tasks)
    return found


QUESTION, VERSIONS = ("--preset", "question"), ("--preset", "versions")


def test_memory_and_trees_keep_their_task_counts_unless_they_are_named() -> None:
    """A hundred tasks are lost in the memory of a process; a hundred trees are 5.6 million."""
    asked = asked_by(*QUESTION, "--tasks", "100")
    assert asked["memory", "pending"] == {10_000, 100_000}
    assert asked["throughput", "tree"] == {1}
    assert {
        n for (probe, load), counts in asked.items() for n in counts
        if probe != "memory" and load != "tree"
    } == {100}  # fmt: skip
    assert asked_by(*QUESTION, "--tasks", "5000", "--probe", "memory") == {
        ("memory", "pending"): {5000}
    }
    assert asked_by(*QUESTION, "--tasks", "2", "--workload", "tree") == {
        ("throughput", "tree"): {2}
    }


def test_a_probe_chooses_the_parts_that_have_it() -> None:
    assert asked_by(*QUESTION, "--probe", "stall,cancel") == {
        ("stall", "noop"): {100, 1000, 10_000}, ("cancel", "pending"): {100, 1000},
    }  # fmt: skip
    assert set(asked_by("--probe", "throughput,stall")) == {
        (probe, workload)
        for probe in ("throughput", "stall")
        for workload in PRESETS["default"].selections[0].workloads
    }


def test_a_workload_chooses_the_parts_that_have_it() -> None:
    """So the part of ten thousand tasks is not asked of the echo server."""
    assert asked_by(*VERSIONS, "--workload", "echo") == {("throughput", "echo"): {10, 1000}}
    assert asked_by(*VERSIONS, "--workload", "noop", "--tasks", "50") == {
        ("throughput", "noop"): {50}
    }


def test_what_no_part_has_is_measured_in_the_first_part() -> None:
    first = PRESETS["question"].selections[0]
    assert asked_by(*QUESTION, "--probe", "latency") == {
        ("latency", workload): set(first.tasks) for workload in first.workloads
    }
    assert asked_by(*QUESTION, "--workload", "echo") == {("throughput", "echo"): set(first.tasks)}
    assert asked_by(*QUESTION, "--probe", "head_start", "--workload", "echo") == {
        ("head_start", "echo"): {10}
    }
    assert asked_by(*QUESTION, "--probe", "latency", "--workload", "tree") == {
        ("latency", "tree"): set(first.tasks)
    }


def test_pauses_are_for_probes_that_take_them() -> None:
    parts = parsed(*QUESTION, "--pause", "sleep_5ms").selections
    paused = {(case.probe, case.pause) for part in parts for case in cases(part)}
    assert {pause for probe, pause in paused if probe == "head_start"} == {"sleep_5ms"}
    assert {pause for probe, pause in paused if probe != "head_start"} == {"none"}


def test_a_part_that_no_given_strategy_can_do_is_left_out() -> None:
    asked = asked_by(*QUESTION, "--strategy", "sequential")
    of_it = STRATEGIES["sequential"]
    able = {probe for probe, _ in asked_by(*QUESTION) if PROBES[probe].can_measure(of_it)}
    assert {probe for probe, _ in asked} == able


@given(
    st.sampled_from(list(PRESETS)),
    st.lists(st.sampled_from(list(STRATEGIES)), max_size=2),
    st.lists(st.sampled_from(list(PROBES)), max_size=2),
    st.lists(st.sampled_from(list(WORKLOADS)), max_size=2),
)
def test_something_is_always_left_or_it_is_said_why(
    preset: str, strategies: list[str], probes: list[str], workloads: list[str]
) -> None:
    arguments = [f"--strategy={name}" for name in strategies]
    arguments += [f"--probe={name}" for name in probes]
    arguments += [f"--workload={name}" for name in workloads]
    with contextlib.suppress(UsageError):
        parts = parsed("--preset", preset, *arguments).selections
        found = {case.probe for part in parts for case in cases(part)}
        assert found
        assert not probes or found <= set(probes)


def test_only_variables_that_are_set_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    assert variable("TOKEN") == "TOKEN"
    for text in ("TOKN", "TOKEN,OTHER"):
        with pytest.raises(BadArgument, match=f"{text} is not set"):
            variable(text)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--pause", "sleep_5ms"), "--pause has no meaning for what is measured: throughput"),
        (
            (*QUESTION, "--probe", "stall", "--pause", "sleep_5ms"),
            "--pause has no meaning for what is measured: stall",
        ),
        (("--probe", "memory", "--workload", "noop"), "--workload has no meaning for"),
        (("--probe", "cancel", "--strategy", "sequential"), "--strategy has no meaning for"),
        (("--probe", "first", "--strategy", "gather_tasks"), "--strategy has no meaning for"),
        (("--probe", "failure", "--limit", "10"), "--limit has no meaning for"),
        (("--preset", "bounded", "--limit", "none"), "--limit has no meaning for"),
    ],
)
def test_options_without_a_meaning_are_an_error(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parsed(*arguments)


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31m", "a\u202eb", "half \udc80"])
def test_a_folder_has_a_plain_name(text: str) -> None:
    assert folder("results/ü 1") == Path("results/ü 1")
    with pytest.raises(BadArgument, match="is not a plain name"):
        folder(text)


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


# --- limits ---------------------------------------------------------------------------------------


def strategies_of(*arguments: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    first, *_ = parsed(*arguments).selections
    return first.strategies, first.limits


def test_a_limit_brings_the_strategies_that_keep_it() -> None:
    assert strategies_of() == (MAIN, ())
    assert strategies_of("--limit", "none,10", "--limit", "100") == ((*MAIN, *BOUNDING), (10, 100))
    assert strategies_of("--limit", "10") == (BOUNDING, (10,))
    assert strategies_of("--limit", "none") == (MAIN, ())
    named = ("--strategy", "wait,chunks", "--limit", "7")
    assert strategies_of(*named) == (("wait", "chunks"), (7,))
    assert strategies_of("--preset", "bounded", "--limit", "50") == (BOUNDING, (50,))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--strategy", "chunks"), "chunks: name a limit, such as --limit 100"),
        (("--strategy", "wait", "--limit", "10"), "--limit has no meaning for what is measured"),
    ],
)
def test_limits_and_strategies_have_to_go_together(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parsed(*arguments)


def test_a_strategy_with_a_limit_is_laid_out_once_for_each() -> None:
    selection = Selection(strategies=("wait", "chunks"), limits=(10, 100))
    assert [*selection.launches()] == [
        ("gather_coroutines", None), ("wait", None), ("chunks", 10), ("chunks", 100),
    ]  # fmt: skip
