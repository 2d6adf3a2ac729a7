"""What a campaign tells while it runs: a live bar, plain lines, or nothing."""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from analysis.estimate.intervals import FEWEST_FOR_INTERVAL, LEAST_ROUNDS
from benchmarks.campaign.interpreters import REPOSITORY
from benchmarks.campaign.schema import Failure

PLAIN_EVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Progress:
    """Where a campaign is: case ``index`` of ``count`` in a stage, after so many ``rounds``.
    ``half_width`` is the precision of this case, as a share; infinite while it is not known.
    """

    stage: str
    case: str
    index: int
    count: int
    rounds: int
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

    def ended_round(self) -> None:
        pass


class Teller(Observer):
    """Says what it is told; ``precision`` is the half-width that the campaign aims at."""

    def __init__(self, console: Console, precision: float) -> None:
        self.console = console
        self._precision = precision

    def failed(self, failure: Failure) -> None:
        text = f"failed: {failure.contender} in {failure.case}: {failure.cause}"
        self.console.print(Text(text, style="red"), soft_wrap=True)

    def expects(self, rounds: int, seconds: float) -> None:
        if rounds < FEWEST_FOR_INTERVAL:
            enough = f"{max(1, rounds)} round{'s' * (rounds > 1)}"  # a first one always begins
            text = (
                f"the budget is enough for {enough} of {seconds:.0f} s; an interval takes "
                f"{FEWEST_FOR_INTERVAL}, the precision asked for at least {LEAST_ROUNDS}: --budget "
                "(make: BUDGET)"
            )
            self.console.print(Text(text, style="yellow"), soft_wrap=True)

    def text(self, progress: Progress) -> str:
        """Where the campaign is, in one line. It may stop after the least number of rounds, so that
        nothing is called precise before.
        """
        half_width = progress.half_width
        reached = "" if math.isinf(half_width) else f" (±{half_width * 100:.1f} %)"
        left = max(0.0, progress.budget_seconds - progress.elapsed_seconds)
        done = f"{progress.rounds} of at least {LEAST_ROUNDS} rounds"
        if progress.rounds >= LEAST_ROUNDS:
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


class Follower:
    """The answer so far, by the analysis in a process of its own. It is never waited for: a
    campaign measures meanwhile.
    """

    def __init__(self, folder: Path, width: int) -> None:
        self._command = [
            *(sys.executable, "-m", "analysis", "follow"),
            *(str(folder.resolve()), f"--width={width}"),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = False
        self._received = b""
        self.text = ""

    def ask(self) -> None:
        """Have the answer made anew, unless one is being made. It starts with the first: by then
        the driver has left the measured core, and so has what it starts.
        """
        if self._process is None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                self._command, cwd=REPOSITORY, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        stdin = self._process.stdin
        if stdin is not None and not self._asked:
            with contextlib.suppress(OSError):
                stdin.write(b"\n")
                stdin.flush()
            self._asked = True

    def look(self) -> None:
        """Take what has come meanwhile."""
        stdout = self._process.stdout if self._process else None
        if stdout is None:
            return
        os.set_blocking(stdout.fileno(), False)
        self._received += stdout.read() or b""
        if self._received.endswith(b"\f"):
            self.text, self._received = self._received[:-1].decode(errors="replace"), b""
            self._asked = False

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


class Bar(Teller):
    """One live line, redrawn when a case begins, between which the coordinator stays quiet; below
    it the answer after the last round.
    """

    def __init__(self, live: Live, precision: float, follower: Follower) -> None:
        super().__init__(live.console, precision)
        self._live = live
        self._follower = follower

    def ended_round(self) -> None:
        self._follower.ask()

    def update(self, progress: Progress) -> None:
        line = Table.grid(padding=(0, 1))
        done = min(progress.elapsed_seconds, progress.budget_seconds)
        line.add_row(ProgressBar(progress.budget_seconds, done, width=20), self.text(progress))
        self._follower.look()
        self._live.update(Group(line, Text.from_ansi(self._follower.text)), refresh=True)


@contextlib.contextmanager
def observing(
    console: Console, precision: float, folder: Path, *, quiet: bool
) -> Iterator[Observer]:
    """The observer of the campaign in ``folder`` that fits the console."""
    if quiet:
        yield Observer()
    elif console.is_terminal:
        with (
            contextlib.closing(Follower(folder, console.width)) as follower,
            Live(console=console, auto_refresh=False, transient=True) as live,
        ):
            yield Bar(live, precision, follower)
    else:
        yield Plain(console, precision)
