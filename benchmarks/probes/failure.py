"""Probe ``failure``: one child of n raises: when the caller knows, and what the others do."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from benchmarks.children import ChildFailedError, Children
from benchmarks.clock import perf_counter
from benchmarks.probe import FanOut, Measurement, Metric, Probe

KNOWN = Metric("known")
CLEAN = Metric("clean")


class FailureLostError(Exception):
    """A child failed and the caller did not hear of it."""


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Launch ``loops`` fan-outs whose child n // 2 raises at its first step; the others do the
    workload. Both metrics are means over the fan-outs and count from the launch: ``known`` until
    the caller has the exception, ``clean`` until no child is running any more.

    Observed are the siblings of the child that failed: those that had finished when the caller
    knew, ran on and finished later, were cancelled, or never started. Together they are n - 1.

    Raises FailureLostError when the strategy returns as if nothing had happened.
    """
    tasks = fan_out.tasks
    results: list[int] = []
    known_seconds = clean_seconds = 0.0
    siblings: Counter[str] = Counter()
    for _ in range(loops):
        async with Children(fan_out.work, failing=tasks // 2) as children:
            caught: list[Caught] = []
            # In a task of its own: with eager tasks, a TaskGroup of Python 3.12 can leave its
            # caller a cancellation that strikes where it next awaits, after the group.
            caller = asyncio.create_task(_catch(fan_out, children, caught))
            await asyncio.wait([caller])
            if not caught:
                caller.result()
                raise FailureLostError(f"one of {tasks} children failed, the caller got results")
            seen = caught[0]
            clean = await seen.last_end
        known_seconds += seen.known - seen.launched
        clean_seconds += clean - seen.launched
        results = children.accounts(tasks)
        siblings["siblings_finished"] += seen.finished
        siblings["siblings_ran_on"] += len(children.finished) - seen.finished
        siblings["siblings_cancelled"] += len(children.cancelled)
        siblings["siblings_never_started"] += tasks - len(children.started)
    return Measurement(
        clean_seconds,
        {KNOWN.name: known_seconds / loops, CLEAN.name: clean_seconds / loops},
        results,
        {name: count / loops for name, count in siblings.items()},
    )


@dataclass(frozen=True)
class Caught:
    """What the caller saw: when it launched and when it knew, on the clock; how many children had
    finished by then; and when the last child ends, to be awaited.
    """

    launched: float
    known: float
    finished: int
    last_end: asyncio.Future[float]


async def _catch(fan_out: FanOut, children: Children, caught: list[Caught]) -> None:
    """Fan out and catch the child's error."""
    launched = perf_counter()
    try:
        await fan_out.launch(children.make, fan_out.tasks, fan_out.pause)
    except Exception as error:
        known = perf_counter()
        if not _is_the_childs(error):
            raise
        last_end = children.last_end(known)
        caught.append(Caught(launched, known, len(children.finished), last_end))


def _is_the_childs(error: BaseException) -> bool:
    """Whether it is the child's error, or a group (TaskGroup raises one) that holds it."""
    nested = getattr(error, "exceptions", ())
    return isinstance(error, ChildFailedError) or any(map(_is_the_childs, nested))


PROBE = Probe(
    "failure",
    "one child of n raises: until the caller knows, and until no child is running",
    (KNOWN, CLEAN),
    KNOWN.name,
    measure,
)


if __name__ == "__main__":
    from benchmarks.script import main

    main(PROBE)
