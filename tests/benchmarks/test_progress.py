"""What a campaign tells while it runs."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from benchmarks.campaign import progress
from benchmarks.campaign.progress import Plain, Progress, observing
from benchmarks.campaign.schema import Failure
from tests.benchmarks.clocks import FakeClock

PROGRESS = Progress(
    stage="round 3",
    case="throughput/noop/1000",
    index=2,
    count=9,
    half_width=0.0123,
    rounds=12,
    precise_cases=4,
    cases=12,
    elapsed_seconds=30.0,
    budget_seconds=95.5,
)
PRECISION = 0.02
FAILURE = Failure(
    contender="cpython/asyncio/[red]x", case="throughput/noop/10", round=2, cause="it broke [bold]"
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    fake = FakeClock()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=fake))
    return fake


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=60)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def teller(console: Console) -> Plain:
    return Plain(console, PRECISION)


def test_progress_says_where_it_is_how_precise_and_what_is_left(console: Console) -> None:
    assert teller(console).text(PROGRESS) == (
        "round 3, case 2/9: throughput/noop/1000 (±1.2 %); 4 of 12 cases within ±2 %; "
        "at most 1:05 left"
    )


def test_nothing_is_precise_before_a_campaign_may_stop(console: Console) -> None:
    assert "; 11 of at least 12 rounds; " in teller(console).text(replace(PROGRESS, rounds=11))


def test_a_precision_that_is_not_known_is_not_shown(console: Console) -> None:
    assert "(±" not in teller(console).text(replace(PROGRESS, half_width=math.inf))


def test_time_that_is_over_is_not_negative(console: Console) -> None:
    assert "at most 0:00 left" in teller(console).text(replace(PROGRESS, elapsed_seconds=1000.0))


def test_a_log_gets_a_line_every_ten_seconds(clock: FakeClock, console: Console) -> None:
    with observing(console, PRECISION, Path(), quiet=False) as observer:
        observer.ended_round()
        observer.update(PROGRESS)
        observer.update(replace(PROGRESS, index=3))
        observer.update(replace(PROGRESS, stage="round 4", index=1))
        clock.advance(progress.PLAIN_EVERY_SECONDS)
        observer.update(replace(PROGRESS, stage="round 4", index=4))
    lines = text_of(console).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["round 3, case 2/9", "round 4, case 4/9"]
    assert lines[0] == teller(console).text(PROGRESS), "not wrapped at the width of a terminal"


@pytest.mark.parametrize(("rounds", "warns"), [(2, True), (5, True), (6, False), (40, False)])
def test_a_budget_that_brings_no_interval_is_said_before_it_is_spent(
    rounds: int, warns: bool, console: Console
) -> None:
    teller(console).expects(rounds, 17.4)
    assert text_of(console) == warns * (
        f"the budget is enough for {rounds} rounds of 17 s; an interval takes 6, the precision "
        "asked for at least 12: --budget (make: BUDGET)\n"
    )


def test_a_log_names_failures_in_one_line_as_they_are(console: Console) -> None:
    with observing(console, PRECISION, Path(), quiet=False) as observer:
        observer.failed(FAILURE)
    assert text_of(console) == (
        "failed: cpython/asyncio/[red]x in throughput/noop/10: it broke [bold]\n"
    )


def test_quiet_says_nothing(console: Console) -> None:
    with observing(console, PRECISION, Path(), quiet=True) as observer:
        observer.update(PROGRESS)
        observer.failed(FAILURE)
    assert text_of(console) == ""


def test_a_terminal_gets_a_live_bar_that_leaves_only_failures_behind() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=150, color_system=None)
    with observing(console, PRECISION, Path(), quiet=False) as observer:
        observer.update(PROGRESS)
        drawn = text_of(console)
        assert "round 3, case 2/9: throughput/noop/1000" in drawn
        assert "━" in drawn
        observer.update(replace(PROGRESS, index=3))
        observer.failed(FAILURE)
        assert "case 3/9" in text_of(console)
    assert "failed: cpython/asyncio/[red]x in throughput/noop/10: it broke [bold]" in text_of(
        console
    )
    last_drawn = text_of(console).rpartition("case 3/9")[2]
    assert "\x1b[2K" in last_drawn, "the bar is erased in the end"


def test_a_terminal_bar_that_is_over_is_full() -> None:
    def bar(elapsed_seconds: float) -> int:
        console = Console(file=io.StringIO(), force_terminal=True, width=150, color_system=None)
        with observing(console, PRECISION, Path(), quiet=False) as observer:
            observer.update(replace(PROGRESS, elapsed_seconds=elapsed_seconds))
            return text_of(console).count("━")

    assert bar(200.0) == bar(95.5) >= bar(0.0)


def test_quiet_is_quiet_on_a_terminal_too() -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    with observing(console, PRECISION, Path(), quiet=True) as observer:
        observer.update(PROGRESS)
    assert text_of(console) == ""
