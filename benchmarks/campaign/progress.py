"""What a campaign tells while it runs: a live bar, plain lines, or nothing."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from analysis.estimate.intervals import FEWEST_FOR_INTERVAL, LEAST_ROUNDS
from benchmarks.campaign.schema import Failure

PLAIN_EVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Progress:
    """Where a campaign is: case ``index`` of ``count`` in a stage, and how far it has come.
    ``half_width`` is the precision of this case, as a share; infinite while it is not known.
    """

    stage: str
    case: str
    index: int
    count: int
    half_width: float
    precise_cases: int
    cases: int
    elapsed_seconds: float
    budget_seconds: float


class Observer:
    """Is told of every case that begins, every round that ends and every failure, and how many
    rounds of how many seconds there should be; this one says nothing.
    """

    def update(self, progress: Progress) -> None:
        pass

    def failed(self, failure: Failure) -> None:
        pass

    def expects(self, rounds: int, seconds: float) -> None:
        pass

    def ended_round(self, rounds: int) -> None:
        pass


class Teller(Observer):
    """Says what it is told; ``precision`` is the half-width that the campaign aims at."""

    def __init__(self, console: Console, precision: float) -> None:
        self.console = console
        self._precision = precision
        self.rounds = 0

    def failed(self, failure: Failure) -> None:
        text = f"failed: {failure.contender} in {failure.case}: {failure.cause}"
        self.console.print(Text(text, style="red"), soft_wrap=True)

    def expects(self, rounds: int, seconds: float) -> None:
        if rounds < FEWEST_FOR_INTERVAL:
            text = (
                f"the budget is enough for {rounds} rounds of {seconds:.0f} s; an interval "
                f"takes {FEWEST_FOR_INTERVAL}, a campaign at least {LEAST_ROUNDS}: --budget (make: "
                "BUDGET)"
            )
            self.console.print(Text(text, style="yellow"), soft_wrap=True)

    def ended_round(self, rounds: int) -> None:
        self.rounds = rounds

    def text(self, progress: Progress) -> str:
        """Where the campaign is, in one line. It may stop after the least number of rounds, so that
        nothing is called precise before.
        """
        half_width = progress.half_width
        reached = "" if math.isinf(half_width) else f" (±{half_width * 100:.1f} %)"
        left = max(0.0, progress.budget_seconds - progress.elapsed_seconds)
        done = f"{self.rounds} of at least {LEAST_ROUNDS} rounds"
        if self.rounds >= LEAST_ROUNDS:
            aim = f"within ±{self._precision * 100:g} %"
            done = f"{progress.precise_cases} of {progress.cases} cases {aim}"
        return (
            f"{progress.stage}, case {progress.index}/{progress.count}: {progress.case}{reached}; "
            f"{done}; at most {int(left) // 60}:{int(left) % 60:02} left"
        )


class Plain(Teller):
    """A line every now and then, for logs."""

    def __init__(self, console: Console, precision: float) -> None:
        super().__init__(console, precision)
        self._said = -math.inf

    def update(self, progress: Progress) -> None:
        if time.monotonic() - self._said >= PLAIN_EVERY_SECONDS:
            self._said = time.monotonic()
            self.console.print(Text(self.text(progress)), soft_wrap=True)


class Bar(Teller):
    """One live line, redrawn when a case begins: between them the coordinator stays quiet."""

    def __init__(self, live: Live, precision: float) -> None:
        super().__init__(live.console, precision)
        self._live = live

    def update(self, progress: Progress) -> None:
        line = Table.grid(padding=(0, 1))
        done = min(progress.elapsed_seconds, progress.budget_seconds)
        line.add_row(ProgressBar(progress.budget_seconds, done, width=20), self.text(progress))
        self._live.update(line, refresh=True)


@contextlib.contextmanager
def observing(console: Console, precision: float, *, quiet: bool) -> Iterator[Observer]:
    """The observer that fits the console."""
    if quiet:
        yield Observer()
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield Bar(live, precision)
    else:
        yield Plain(console, precision)
