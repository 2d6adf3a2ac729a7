"""The experiment: which trials, in which order, and the journal that a second run goes on with.

Fixed before the first trial: arms, conditions, slowdowns, and how many of each.
"""

from __future__ import annotations

import hashlib
import math
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec

from benchmarks.campaign.interpreters import REPOSITORY
from benchmarks.campaign.machine import allot_cores, machine_facts
from benchmarks.fingerprint import code_of
from harness import commands
from harness import fan_out as program
from harness import neighbour as disturber
from harness.selftest import arms, planted
from harness.selftest.arms import ARMS, OURS, Outcome, Pair, Site, Trial, of_rounds

CONDITIONS = {"as it is": 0.0, "neighbour, 3 of 6 s": 6.0, "neighbour, 30 of 60 s": 60.0}
"""The machine by itself, or beside a neighbour in square waves of so many seconds."""
TRIAL_SECONDS = 20.0
LEAST_SECONDS = 4.0
REPETITIONS = 100
"""Of our own arm; the others take part in three of five."""
OTHERS_OF_FIVE = 3
TASKS = {planted.sums.__name__: 2, planted.fan_outs.__name__: 1}
SHARE_PROCESSES = 30
SHARE_OPTIONS = ("--batches", "1", "--blocks", "100", "--warm-up", "2")
"""The least of many fan-outs of some ms: what one takes that nothing disturbs."""


class Setting(msgspec.Struct, frozen=True):
    """The first line of a journal: what all of its trials have in common. ``work_share`` is the
    share of a fan-out's time that is its units of work, by workload.
    """

    code_hash: str
    python: str
    machine: dict[str, str]
    trial_seconds: float
    work_share: dict[str, float]


class Asked(msgspec.Struct, frozen=True):
    """A trial that is to be made."""

    arm: str
    condition: str
    repetition: int
    workload: str
    slower: float

    @property
    def key(self) -> tuple[str, str, int]:
        """What no other trial has."""
        return self.arm, self.condition, self.repetition


class Done(Asked, frozen=True):
    """A trial that was made. ``truth`` is the right ln(ratio) of the slower one."""

    truth: float
    seconds: float
    outcome: Outcome

    @property
    def error(self) -> float:
        """What was said of ln(ratio), less its truth."""
        return self.outcome.slower.value - self.truth


class SelftestError(Exception):
    """The journal cannot be gone on with; the message is one line."""


def plan(repetitions: int) -> Iterator[Sequence[Asked]]:
    """Trials, in groups of one repetition and condition; their order is random."""
    pairs = [(workload, slower) for slower in planted.SLOWER for workload in TASKS]
    for repetition in range(repetitions):
        rng = random.Random(repetition)
        others = repetition % 5 < OTHERS_OF_FIVE
        for condition in rng.sample(list(CONDITIONS), len(CONDITIONS)):
            order = rng.sample(list(ARMS), len(ARMS))
            taking_part = [arm for arm in order if others or arm == OURS]
            pair = pairs[repetition % len(pairs)]
            yield [Asked(arm, condition, repetition, *pair) for arm in taking_part]


def read(journal: Path) -> tuple[Setting | None, list[Done]]:
    """What was done; what this suite says of its rounds is estimated anew. A last line that was cut
    off is left out. Raises SelftestError.
    """
    if not journal.exists():
        return None, []
    lines = journal.read_bytes().split(b"\n")[:-1]
    setting, done, number = None, [], 0
    try:
        for number, line in enumerate(lines, start=1):
            if number == 1:
                setting = msgspec.json.decode(line, type=Setting)
            else:
                done.append(_estimated_anew(msgspec.json.decode(line, type=Done)))
    except msgspec.MsgspecError as error:
        raise SelftestError(f"{journal}, line {number}: {error}; name another folder") from error
    return setting, done


def _estimated_anew(done: Done) -> Done:
    costs = done.outcome.costs
    return msgspec.structs.replace(done, outcome=of_rounds(costs)) if costs else done


def run(
    where: Site, journal: Path, repetitions: int, trial_seconds: float, until: float
) -> Iterator[Done]:
    """Make the trials that the journal lacks, write each down, and yield it, until it is
    ``time.monotonic()`` so late. Raises SelftestError, and CalledProcessError of a failed trial.
    """
    setting, done = read(journal)
    if trial_seconds < LEAST_SECONDS:
        raise SelftestError(f"a trial takes at least {LEAST_SECONDS:g} s, not {trial_seconds:g} s")
    if setting is not None and setting.trial_seconds != trial_seconds:
        raise SelftestError(
            f"{journal} has trials of {setting.trial_seconds:g} s, not of {trial_seconds:g} s: "
            "name another folder with OUT= or --out"
        )
    known = {one.key for one in done}
    groups = [[one for one in group if one.key not in known] for group in plan(repetitions)]
    if not any(groups):
        return  # whichever code and machine made them
    if setting is None:
        setting = _setting(where, trial_seconds)
        journal.parent.mkdir(parents=True, exist_ok=True)
        journal.write_bytes(msgspec.json.encode(setting) + b"\n")
    _check(journal, setting, where)
    with journal.open("r+b") as stream:  # a line that was cut off would spoil the next one
        stream.truncate(journal.read_bytes().rfind(b"\n") + 1)
    for asked in filter(None, groups):
        with _beside(asked[0].condition):
            for one in asked:
                if time.monotonic() + trial_seconds > until:
                    return
                result = _made(one, where, setting)
                with journal.open("ab") as stream:
                    stream.write(msgspec.json.encode(result) + b"\n")
                yield result


def _beside(condition: str) -> AbstractContextManager[None]:
    wave_seconds = CONDITIONS[condition]
    return disturber.neighbour(wave_seconds) if wave_seconds else nullcontext()


def _made(asked: Asked, where: Site, setting: Setting) -> Done:
    truth = math.log1p(setting.work_share[asked.workload] * asked.slower)
    pair = Pair(asked.workload, TASKS[asked.workload], asked.slower)
    started = time.monotonic()
    seed = random.Random("/".join(map(str, asked.key))).randrange(2**31)
    outcome = ARMS[asked.arm](Trial(where, pair, setting.trial_seconds, seed))
    seconds = time.monotonic() - started
    return Done(*asked.key, asked.workload, asked.slower, truth, seconds, outcome)


def _setting(where: Site, trial_seconds: float) -> Setting:
    shares = {workload: _work_share(where, workload) for workload in TASKS}
    return Setting(method_hash(), where.version, _machine(), trial_seconds, shares)


def method_hash() -> str:
    """A hash of the code that trials are made with, comments and docstrings apart: campaigns, what
    is planted, the arms and the neighbour.
    """
    modules = (program, commands, disturber, planted, arms, sys.modules[__name__])
    files = [
        *sorted((REPOSITORY / "benchmarks").rglob("*.py")),
        *(Path(str(module.__file__)) for module in modules),
    ]
    codes = [code_of(path.read_text(encoding="utf-8")) for path in files]
    return hashlib.sha256("\n".join(codes).encode()).hexdigest()


def _machine() -> dict[str, str]:
    facts = machine_facts(allot_cores())
    return {name: str(facts[name]) for name in ("id", "cpu_model", "cpu_count", "system")}


def _work_share(where: Site, workload: str) -> float:
    """The share of a fan-out's time that its units take: what twice as many add. (Tasks that do
    nothing, taken away from the whole, would tell too much: between units of work they cost more.)

    Median over processes in turns, each at its fastest. It has to be close to 1, since a neighbour
    changes it: with a share of 0.87 the truth was off by half as much as an interval is wide.
    """
    pair = Pair(workload, TASKS[workload], planted.TWICE)
    shares = []
    for _ in range(SHARE_PROCESSES):
        once, twice = (
            float(where.fan_out(pair, slower, *SHARE_OPTIONS)) for slower in (0.0, planted.TWICE)
        )
        shares.append(twice / once - 1)
    return statistics.median(shares)


def _check(journal: Path, setting: Setting, where: Site) -> None:
    for was, now, what in (
        (setting.code_hash, method_hash(), "other code"),
        (setting.machine["id"], _machine()["id"], "another machine"),
        (setting.python, where.version, f"Python {setting.python}"),
    ):
        if was != now:
            raise SelftestError(f"{journal} is of {what}: name another folder with OUT= or --out")
