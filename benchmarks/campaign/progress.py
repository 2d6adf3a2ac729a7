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

    def __str__(self) -> str:
        reached = "" if math.isinf(self.half_width) else f" (±{self.half_width:.1%})"
        left = max(0.0, self.budget_seconds - self.elapsed_seconds)
        return (
            f"{self.stage}, case {self.index}/{self.count}: {self.case}{reached}; "
            f"{self.precise_cases} of {self.cases} cases precise; "
            f"at most {int(left) // 60}:{int(left) % 60:02} left"
        )


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


class Plain(Observer):
    """A line every now and then, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = ""
        self._said = -math.inf

    def update(self, progress: Progress) -> None:
        if progress.stage != self._stage or time.monotonic() - self._said >= PLAIN_EVERY_SECONDS:
            self._stage, self._said = progress.stage, time.monotonic()
            self._console.print(str(progress), markup=False, highlight=False, soft_wrap=True)

    def failed(self, failure: Failure) -> None:
        self._console.print(_failure_text(failure), soft_wrap=True)


class Bar(Observer):
    """One live line, redrawn when a case begins: between them the coordinator stays quiet."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def update(self, progress: Progress) -> None:
        line = Table.grid(padding=(0, 1))
        done = min(progress.elapsed_seconds, progress.budget_seconds)
        line.add_row(ProgressBar(progress.budget_seconds, done, width=20), str(progress))
        self._live.update(line, refresh=True)

    def failed(self, failure: Failure) -> None:
        self._live.console.print(_failure_text(failure))


@contextlib.contextmanager
def observing(console: Console, *, quiet: bool) -> Iterator[Observer]:
    """The observer that fits the console."""
    if quiet:
        yield Observer()
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield Bar(live)
    else:
        yield Plain(console)


def _failure_text(failure: Failure) -> Text:
    return Text(f"failed: {failure.contender} in {failure.case}: {failure.cause}", style="red")
