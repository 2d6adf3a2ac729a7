"""Probe ``cancel``: the caller is cancelled while all its children are waiting."""

from __future__ import annotations

import asyncio

from benchmarks.children import Children, NotAllRunningError, until_all_run
from benchmarks.clock import perf_counter
from benchmarks.probing import FanOut, Measurement, Metric, Observed, Probe
from benchmarks.workloads import PENDING

CANCELLED = Metric(
    "cancelled", label="cancelled", meaning="from cancel() until the caller has its CancelledError"
)
CLEAN = Metric(
    "clean",
    label="clean",
    meaning="from cancel() until no child is running, those that the strategy leaves being "
    "cancelled by the probe",
)
LEFT_RUNNING = Observed(
    "left_running",
    label="left running",
    meaning="children that were still running when the caller had its CancelledError",
)


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Cancel ``loops`` fan-outs, each in a task of its own, while all of their children wait. The
    metrics are means over the fan-outs. The probe cancels the children that are left running, as
    the caller would have to, and ``clean`` includes that.

    Raises NotAllRunningError when the children do not all run at the same time.
    """
    tasks = fan_out.tasks
    results: list[int] = []
    cancelled_seconds = clean_seconds = 0.0
    left_running = 0
    for _ in range(loops):
        async with Children(fan_out.work) as children:
            to_cancel: set[asyncio.Task[int]] = set()
            caller = asyncio.create_task(_cancelled_caller(fan_out, children, to_cancel))
            await until_all_run(lambda: children.running, tasks, caller)
            to_cancel |= children.tasks() - {caller}
            began = perf_counter()
            caller.cancel()
            cancelled, clean, left = await caller
        cancelled_seconds += cancelled - began
        clean_seconds += clean - began
        left_running += left
        results = children.accounts(tasks)
    return Measurement(
        clean_seconds,
        {CANCELLED.name: cancelled_seconds / loops, CLEAN.name: clean_seconds / loops},
        results,
        {LEFT_RUNNING.name: left_running / loops},
    )


async def _cancelled_caller(
    fan_out: FanOut, children: Children, to_cancel: set[asyncio.Task[int]]
) -> tuple[float, float, int]:
    """Fan out and be cancelled; then cancel the children that are still running. Returns when the
    caller was cancelled and when no child was running, on the clock, and how many were left.
    """
    try:
        await fan_out.launch(children.make, fan_out.tasks, fan_out.pause)
    except asyncio.CancelledError:
        cancelled = perf_counter()
    else:
        raise NotAllRunningError("the fan-out has returned although its children wait")
    left = children.running
    last_end = children.last_end(cancelled)
    if left:
        for task in to_cancel:
            task.cancel()
    return cancelled, await last_end, left


PROBE = Probe(
    "cancel",
    label="cancel",
    meaning="the caller is cancelled while all n children wait",
    section="When the caller is cancelled",
    introduction=(
        "A cancellation should end the children too. wait and as_completed leave them running: "
        "the probe then cancels them one by one, as the caller would have to, so that their time "
        "until clean is mostly that of the probe."
    ),
    metrics=(CANCELLED, CLEAN),
    headline_metric=CLEAN.name,
    measure=measure,
    observed=(LEFT_RUNNING,),
    own_workload=PENDING,
    concurrent_only=True,
    bounded=False,
    order=6,
)
