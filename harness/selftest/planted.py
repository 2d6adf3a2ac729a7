"""What is planted in a copy of the suite: fan-outs that are slower by a known share.

The tasks of both workloads do a number of equal units of work. A process that was started for a
strategy that is slower by x does 1 + x times as many; all else is the baseline's own code. Runs in
measured interpreters: the standard library and the suite, Python 3.10.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from itertools import repeat

from benchmarks.strategies import BASELINE, STRATEGIES, PauseCall, Work
from benchmarks.workloads import noop, workload

NUMBERS = 200_000
"""That each task adds up, in C: some 400 us, of which the task itself is 1 %. A loop of bytecode as
long differs by 8 % (sd) from process to process: an arm's error would say how many processes it
had, and no more."""
FAN_OUTS = 200
"""Fan-outs of one task, one after the other: the loops that x is a share of."""
SLOWER = (0.005, 0.01, 0.02, 0.05)
TWICE = 1.0
"""Twice the work, which tells what a share of it takes; no trial has it."""


def name_of(slower: float) -> str:
    """The strategy that is slower by this share."""
    return f"slower_by_{slower * 1000:.0f}_per_mille"


_factor = 1 + next((share for share in (*SLOWER, TWICE) if name_of(share) in sys.argv), 0.0)
_numbers, _fan_outs = round(NUMBERS * _factor), round(FAN_OUTS * _factor)


async def sums(index: int) -> int:
    """each coroutine adds up 200,000 numbers."""
    sum(repeat(index, _numbers))
    return index


async def fan_outs(index: int) -> int:
    """each coroutine runs 200 fan-outs of one task."""
    for _ in repeat(None, _fan_outs):
        await asyncio.gather(noop(0))
    return index


async def not_slower(work: Work, tasks: int, pause: PauseCall | None = None) -> list[int]:
    """Stands for a strategy that this process was not started for."""
    raise RuntimeError("the slowdown was not applied: the process does not know its strategy")


def plant() -> None:
    """Register the workloads and the strategies."""
    for work in (sums, fan_outs):
        workload()(work)
    for share in (*SLOWER, TWICE):
        name, baseline = name_of(share), STRATEGIES[BASELINE]
        # The driver launches nothing; whoever does was told the name, or would measure equals.
        load = baseline.load if name in sys.argv else lambda: not_slower
        label = f"slower by {share:.1%}"
        STRATEGIES[name] = replace(baseline, name=name, label=label, load=load)
