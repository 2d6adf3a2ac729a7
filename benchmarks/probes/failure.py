"""Probe ``failure``: one child of n raises: when the caller knows, and what the others do."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from benchmarks.children import ChildFailedError, Children
from benchmarks.clock import perf_counter
from benchmarks.probing import FanOut, Measurement, Metric, Observed, Probe

KNOWN = Metric(
    "known", label="error known", meaning="from the launch until the caller has the exception"
)
CLEAN = Metric("clean", label="clean", meaning="from the launch until no child is running")
FINISHED = Observed(
    "siblings_finished",
    label="finished",
    meaning="siblings that had finished when the caller had the exception",
)
RAN_ON = Observed(
    "siblings_ran_on",
    label="ran on",
    meaning="siblings that finished after the caller had the exception",
)
CANCELLED = Observed(
    "siblings_cancelled", label="cancelled", meaning="siblings that were cancelled"
)
NEVER_STARTED = Observed(
    "siblings_never_started", label="never started", meaning="siblings that took no step at all"
)


class FailureLostError(Exception):
    """A child failed and the caller got no exception."""


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Launch ``loops`` fan-outs whose child n // 2 raises at its first step; the others do the
    workload. The metrics are means over the fan-outs. The siblings that are observed are n - 1 in
    all.

    Raises FailureLostError when the strategy returns without an exception.
    """
    tasks = fan_out.tasks
    results: list[int] = []
    known_seconds = clean_seconds = 0.0
    siblings: Counter[str] = Counter()
    for _ in range(loops):
        async with Children(fan_out.work, failing=tasks // 2) as children:
            caught: list[Caught] = []
            # In a task of its own: with eager tasks, a TaskGroup of Python 3.12 can leave a pending
            # cancellation in its caller, which is raised at the caller's next await.
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
        siblings[FINISHED.name] += seen.finished
        siblings[RAN_ON.name] += len(children.finished) - seen.finished
        siblings[CANCELLED.name] += len(children.cancelled)
        siblings[NEVER_STARTED.name] += tasks - len(children.started)
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
    label="failure",
    meaning="one child of n raises",
    section="When a child fails",
    introduction=(
        "The strategies differ more in how they end than in what they cost: when the caller has "
        "the exception, and what happens to the other children."
    ),
    metrics=(KNOWN, CLEAN),
    headline_metric=KNOWN.name,
    measure=measure,
    observed=(FINISHED, RAN_ON, CANCELLED, NEVER_STARTED),
    bounded=False,
    order=5,
)
