"""Small programs that bear witness to how tasks behave: one decorated function each.

A program says in words what has to be seen and what was seen; it holds when the two read the same.
Times stand beside the words and are never judged, so no program depends on how busy the machine is.

A program is a coroutine function of a ``Scene``, run on a fresh loop of it, or, where the end of
the loop is part of what is seen, a plain function that runs loops itself.

``python -m benchmarks.witnesses LOOP TASK_FACTORY PROGRAM[/STRATEGY] ...`` runs them one after
another; it prints an empty line when it begins and then a line of JSON for each.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import sys
import warnings
import weakref
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.clock import perf_counter
from benchmarks.conditions import EAGER
from benchmarks.loops import NewLoop, loop_maker
from benchmarks.pauses import compute_10ms
from benchmarks.strategies import BASELINE, STRATEGIES, PauseCall, Strategy, Work, wait

SLEEPERS, SLEEP_SECONDS = 10, 0.2
PROCESSES, PROCESS_SECONDS, CALLER_SECONDS = 5, 0.5, 2.0
"""The programs that the question came with: five processes sleep half a second each, and the caller
sleeps two between making them and gathering them.
"""
FORGOTTEN_SECONDS = 10.0
"""What a task that is cut off would have slept."""
SHORT_SECONDS = 0.05

JOIN_BEGINS, JOINED = "join begins", "joined"


@dataclass
class TaskLine:
    """When one process was made, started and finished, and the spans in which it was suspended: all
    in seconds since the launch.
    """

    name: str
    created: float
    started: float = 0.0
    spans: list[tuple[float, float]] = field(default_factory=list)
    finished: float = 0.0


@dataclass(frozen=True)
class Mark:
    """A moment of the caller, in seconds since the launch."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Timeline:
    """When everything happened in one run."""

    marks: Sequence[Mark]
    tasks: Sequence[TaskLine]


@dataclass(frozen=True)
class Testimony:
    """What had to be seen, what was seen, and the times beside it (names begin with
    ``seconds_``).
    """

    expected: str
    observed: str
    measured: Mapping[str, float]
    timeline: Timeline | None = None

    @property
    def holds(self) -> bool:
        return self.expected == self.observed


@dataclass(frozen=True)
class Scene:
    """Where a program runs. ``new_loop`` makes event loops with the task factory set, under which
    tasks start as they are created if ``eager``.
    """

    new_loop: NewLoop
    eager: bool
    strategy: Strategy

    @property
    def creates_tasks_first(self) -> bool:
        """Whether the strategy makes tasks before its pause: the baseline and what runs one after
        another have bare coroutines then.
        """
        return self.strategy.concurrent and self.strategy.name != BASELINE


Testify = Callable[[Scene], Testimony]


@dataclass(frozen=True)
class Witness:
    """One program. It bears witness to the ``claim``.

    ``each_strategy``: it is run with every strategy, else once, with none. ``patient``: it sleeps
    long enough for each strategy to get a process of its own. What is not ``certain`` may well
    not be seen, and then that is the finding.
    """

    name: str
    summary: str
    claim: str
    each_strategy: bool
    patient: bool
    certain: bool
    testify: Testify


WITNESSES: dict[str, Witness] = {}


def witness(
    *, claim: str, each_strategy: bool = False, patient: bool = False, certain: bool = True
) -> Callable[[Callable[[Scene], Any]], Callable[[Scene], Any]]:
    """Register the decorated function (see the module) as a program of its own name, its
    docstring's first line as the summary.
    """

    def register(function: Callable[[Scene], Any]) -> Callable[[Scene], Any]:
        name = function.__name__
        summary = (function.__doc__ or "").partition("\n")[0]
        testify = _on_a_fresh_loop(function) if inspect.iscoroutinefunction(function) else function
        WITNESSES[name] = Witness(name, summary, claim, each_strategy, patient, certain, testify)
        return function

    return register


def _on_a_fresh_loop(program: Callable[[Scene], Coroutine[Any, Any, Testimony]]) -> Testify:
    def testify(scene: Scene) -> Testimony:
        loop, main = scene.new_loop(), program(scene)
        try:
            return loop.run_until_complete(main)
        finally:
            main.close()  # for a loop that refuses it
            loop.close()

    return testify


class Recorder:
    """Makes processes that sleep, and writes down what becomes of them from the launch on."""

    def __init__(self) -> None:
        self._launched = perf_counter()
        self.lines: list[TaskLine] = []
        self.marks: list[Mark] = []
        self.started = 0
        self.finished = 0
        self.most_at_once = 0
        self.before_join = (0, 0)
        """How many had started and how many had finished when the join began."""

    def sleepers(self, seconds: float) -> Work:
        """The work of processes that sleep once."""

        def process(index: int) -> Coroutine[Any, Any, int]:
            line = TaskLine(str(index), created=self._now())
            self.lines.append(line)
            return self._sleep(index, line, seconds)

        return process

    async def _sleep(self, index: int, line: TaskLine, seconds: float) -> int:
        line.started = self._now()
        self.started += 1
        self.most_at_once = max(self.most_at_once, self.started - self.finished)
        asleep = self._now()
        await asyncio.sleep(seconds)
        line.spans.append((asleep, self._now()))
        self.finished += 1
        line.finished = self._now()
        return index

    def caller(self, seconds: float = 0.0) -> PauseCall:
        """What the caller does between creation and join: it sleeps, or nothing."""

        async def pause() -> None:
            if seconds:
                await asyncio.sleep(seconds)
            self.before_join = (self.started, self.finished)
            self.mark(JOIN_BEGINS)

        return pause

    def mark(self, name: str) -> None:
        """Note a moment of the caller."""
        self.marks.append(Mark(name, self._now()))

    def timeline(self) -> Timeline:
        """Everything written down."""
        return Timeline(tuple(self.marks), tuple(self.lines))

    def times(self) -> dict[str, float]:
        """The measurement: from the launch to the results, to the first start and to the last
        finish.
        """
        return {
            "seconds_to_results": self.marks[-1].seconds,
            "seconds_to_first_start": min(line.started for line in self.lines),
            "seconds_to_last_finish": max(line.finished for line in self.lines),
        }

    def _now(self) -> float:
        return round(perf_counter() - self._launched, 6)


@witness(
    claim=(
        "Processes that are gathered run concurrently, whether they are handed to gather as bare "
        "coroutines or as tasks: calling create_task first adds nothing."
    ),
    each_strategy=True,
)
async def ten_sleepers(scene: Scene) -> Testimony:
    """ten processes that sleep, joined as soon as they have been created."""

    def words(at_once: int) -> str:
        return f"{at_once} of {SLEEPERS} asleep at once"

    recorder = Recorder()
    await scene.strategy.launch(recorder.sleepers(SLEEP_SECONDS), SLEEPERS, recorder.caller())
    recorder.mark(JOINED)
    return Testimony(
        expected=words(SLEEPERS if scene.strategy.concurrent else 1),
        observed=words(recorder.most_at_once),
        measured=recorder.times(),
        timeline=recorder.timeline(),
    )


@witness(
    claim=(
        "While the caller awaits something else, tasks that it has created run; bare coroutines "
        "wait until they are gathered."
    ),
    each_strategy=True,
    patient=True,
)
async def head_start(scene: Scene) -> Testimony:
    """five processes that sleep 0.5 s; the caller sleeps 2 s between creating and joining them."""

    def words(started: int, finished: int) -> str:
        return f"{started} of {PROCESSES} started and {finished} finished when the join begins"

    recorder = Recorder()
    work, pause = recorder.sleepers(PROCESS_SECONDS), recorder.caller(CALLER_SECONDS)
    await scene.strategy.launch(work, PROCESSES, pause)
    recorder.mark(JOINED)
    ahead = PROCESSES if scene.creates_tasks_first else 0
    return Testimony(
        expected=words(ahead, ahead),
        observed=words(*recorder.before_join),
        measured=recorder.times(),
        timeline=recorder.timeline(),
    )


@witness(
    claim=(
        "A task takes its first step at the caller's next suspension, however long the caller "
        "computes before; an eager task takes it as it is created; a bare coroutine takes none "
        "before it is awaited."
    ),
    each_strategy=True,
)
async def first_step(scene: Scene) -> Testimony:
    """five processes; the caller computes for 10 ms, then suspends once, then joins them."""

    def words(created: int, computed: int, suspended: int) -> str:
        return (
            f"{created} of {PROCESSES} started when created, {computed} after the caller computed, "
            f"{suspended} after it suspended"
        )

    started: list[float] = []
    seen: list[int] = []

    async def work(index: int) -> int:
        started.append(perf_counter())
        await asyncio.sleep(0)
        return index

    async def pause() -> None:
        seen.append(len(started))
        await compute_10ms()
        seen.append(len(started))
        await asyncio.sleep(0)
        seen.append(len(started))

    launched = perf_counter()
    await scene.strategy.launch(work, PROCESSES, pause)
    at_creation = PROCESSES if scene.creates_tasks_first and scene.eager else 0
    at_suspension = PROCESSES if scene.creates_tasks_first else 0
    return Testimony(
        expected=words(at_creation, at_creation, at_suspension),
        observed=words(*seen),
        measured={"seconds_to_first_start": round(started[0] - launched, 6)},
    )


@witness(
    claim="gather makes a task of every bare coroutine itself, just as create_task would.",
    each_strategy=True,
)
async def gather_wraps(scene: Scene) -> Testimony:
    """five processes that look at the task they run in, and at all tasks of the loop."""

    def words(own: int, listed: int) -> str:
        return f"{own} of {PROCESSES} run in a task of their own; all_tasks() lists {listed} more"

    caller = asyncio.current_task()
    tasks_seen: set[object] = set()
    listed = 0

    async def work(index: int) -> int:
        nonlocal listed
        tasks_seen.add(asyncio.current_task())
        # Twice: the first of them may look before the others exist.
        for _ in range(2):
            listed = max(listed, len(asyncio.all_tasks() - {caller}))
            await asyncio.sleep(0)
        return index

    launched = perf_counter()
    await scene.strategy.launch(work, PROCESSES, None)
    seconds = perf_counter() - launched
    own = PROCESSES if scene.strategy.concurrent else 0
    return Testimony(
        expected=words(own, own),
        observed=words(len(tasks_seen - {caller}), listed),
        measured={"seconds_to_results": round(seconds, 6)},
    )


@witness(
    claim="Results come in the order of the arguments, not in the order of completion.",
    each_strategy=True,
)
async def result_order(scene: Scene) -> Testimony:
    """five processes, each of which waits for the one after it."""

    def words(finished: Sequence[int], results: Sequence[int]) -> str:
        return f"finished {', '.join(map(str, finished))}; results {', '.join(map(str, results))}"

    finished: list[int] = []
    turns = [asyncio.Event() for _ in range(PROCESSES)]
    turns[-1].set()

    async def work(index: int) -> int:
        if scene.strategy.concurrent:  # else it would wait for one that has not begun
            await turns[index].wait()
        finished.append(index)
        turns[index - 1].set()
        return index

    launched = perf_counter()
    results = await scene.strategy.launch(work, PROCESSES, None)
    seconds = perf_counter() - launched
    forwards = range(PROCESSES)
    return Testimony(
        expected=words(forwards[::-1] if scene.strategy.concurrent else forwards, forwards),
        observed=words(finished, results),
        measured={"seconds_to_results": round(seconds, 6)},
    )


@witness(
    claim="Joining nothing is allowed, and the result is nothing; only asyncio.wait refuses it.",
    each_strategy=True,
)
async def gather_none(scene: Scene) -> Testimony:
    """no process at all."""

    async def work(index: int) -> int:
        return index

    refused = f"raises {ValueError.__name__}"
    launched = perf_counter()
    try:
        observed = f"returns {await scene.strategy.launch(work, 0, None)}"
    except ValueError:
        observed = refused
    seconds = perf_counter() - launched
    return Testimony(
        # asyncio.wait says so in its documentation: the set of tasks must not be empty.
        expected=refused if scene.strategy.name == wait.__name__ else "returns []",
        observed=observed,
        measured={"seconds_to_results": round(seconds, 6)},
    )


@witness(
    claim="One awaitable that is handed to gather twice runs once, and its result comes twice."
)
async def gather_twice(scene: Scene) -> Testimony:
    """gather(one, one), where one is a bare coroutine, and where it is a task."""

    def words(runs: Sequence[int], results: Sequence[int]) -> str:
        return (
            f"runs of the coroutine: {runs.count(1)}, of the task: {runs.count(2)}; "
            f"results {results}"
        )

    runs: list[int] = []

    async def process(result: int) -> int:
        runs.append(result)
        await asyncio.sleep(0)
        return result

    launched = perf_counter()
    coroutine, task = process(1), asyncio.create_task(process(2))
    results = [*await asyncio.gather(coroutine, coroutine), *await asyncio.gather(task, task)]
    seconds = perf_counter() - launched
    return Testimony(
        expected=words([1, 2], [1, 1, 2, 2]),
        observed=words(runs, results),
        measured={"seconds_to_results": round(seconds, 6)},
    )


@witness(claim="A coroutine that is never awaited never runs.")
async def never_awaited(scene: Scene) -> Testimony:
    """a coroutine that is made and dropped, with time to run in between."""

    def words(ran: bool, warned: bool) -> str:
        return f"it {'runs' if ran else 'never runs'}; Python {'warns' if warned else 'is silent'}"

    ran = False

    async def process() -> None:
        nonlocal ran
        ran = True

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        launched = perf_counter()
        coroutine = process()
        await asyncio.sleep(SHORT_SECONDS)
        seconds = perf_counter() - launched
        del coroutine
        gc.collect()
    warned = any("was never awaited" in str(warning.message) for warning in caught)
    return Testimony(
        expected=words(ran=False, warned=True),
        observed=words(ran, warned),
        measured={"seconds_it_could_have_run": round(seconds, 6)},
    )


@witness(claim="A task that nobody awaits is cut off when the event loop ends.")
def nobody_awaits(scene: Scene) -> Testimony:
    """a task that would sleep for 10 s; its caller returns at once."""
    first, second = _Fate(), _Fate()
    _asyncio_run(first.abandon(), scene.new_loop)
    loop = scene.new_loop()
    try:
        loop.run_until_complete(second.abandon())
        if second.is_pending():
            second.events.append("pending")
    finally:
        loop.close()
    gc.collect()

    def words(run: Sequence[str], close: Sequence[str]) -> str:
        return f"asyncio.run: {', '.join(run)}; run_until_complete and close: {', '.join(close)}"

    destroyed = "'Task was destroyed but it is pending!'"
    return Testimony(
        expected=words(["started", "cancelled"], ["started", "pending", destroyed]),
        observed=words(first.events, second.events),
        measured={
            "seconds_asleep_until_cancelled": first.seconds_asleep,
            "seconds_asleep_until_destroyed": second.seconds_asleep,
        },
    )


class _Fate:
    """What becomes of a task that is created and left alone."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.seconds_asleep = 0.0

    async def abandon(self) -> None:
        """Create the task and return at once."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.events.append(f"'{context['message']}'"))
        # Weakly: else it would outlive its loop through us.
        self._task = weakref.ref(loop.create_task(self._process()))

    def is_pending(self) -> bool:
        """Whether the task is there and not done."""
        task = self._task()
        return task is not None and not task.done()

    async def _process(self) -> None:
        self.events.append("started")
        asleep = perf_counter()
        try:
            await asyncio.sleep(FORGOTTEN_SECONDS)
            self.events.append("finished")
        except asyncio.CancelledError:
            self.events.append("cancelled")
            raise
        finally:
            self.seconds_asleep = round(perf_counter() - asleep, 6)


def _asyncio_run(main: Coroutine[Any, Any, None], new_loop: NewLoop) -> None:
    """``asyncio.run`` on a loop of our own making, as each version offers it."""
    if sys.version_info >= (3, 11):
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(main)
    else:
        loop = new_loop()  # made here: the standard library's maker of loops asks the policy

        class Policy(asyncio.DefaultEventLoopPolicy):
            def new_event_loop(self) -> asyncio.AbstractEventLoop:
                return loop

        asyncio.set_event_loop_policy(Policy())
        try:
            asyncio.run(main)
        finally:
            asyncio.set_event_loop_policy(None)


@witness(
    claim=(
        "The event loop itself refers to tasks weakly: one that nothing else refers to may be "
        "collected before it is done."
    ),
    certain=False,
)
async def nobody_references(scene: Scene) -> Testimony:
    """three tasks and a garbage collection: whether they are still there after it."""

    def words(alone: bool, asleep: bool, kept: bool) -> str:
        fates = ["kept" if there else "collected" for there in (alone, asleep, kept)]
        return (
            f"waiting for what only it refers to: {fates[0]}; asleep on a timer of the loop: "
            f"{fates[1]}; referred to by the caller: {fates[2]}"
        )

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: None)  # that one was destroyed: seen below

    async def wait_for_ever() -> None:
        await loop.create_future()

    async def sleep() -> None:
        await asyncio.sleep(SHORT_SECONDS)

    kept = loop.create_task(wait_for_ever())
    # No name in this frame may refer to the others.
    tasks = [weakref.ref(loop.create_task(work())) for work in (wait_for_ever, sleep)]
    for _ in range(2):
        await asyncio.sleep(0)
    started = perf_counter()
    gc.collect()
    seconds = perf_counter() - started
    there = [task() is not None for task in (*tasks, weakref.ref(kept))]
    kept.cancel()
    await asyncio.sleep(2 * SHORT_SECONDS)
    return Testimony(
        expected=words(alone=False, asleep=True, kept=True),
        observed=words(*there),
        measured={"seconds_to_collect": round(seconds, 6)},
    )


def bear_witness(loop: str, task_factory: str, program: str, strategy: str) -> dict[str, Any]:
    """What one program says, as JSON; an error in it is what was observed. ``strategy`` is empty
    for a program that needs none.
    """
    try:
        scene = Scene(
            new_loop=loop_maker(loop, task_factory),
            eager=task_factory == EAGER,
            strategy=STRATEGIES[strategy or BASELINE],
        )
        testimony = WITNESSES[program].testify(scene)
    except Exception as error:  # noqa: BLE001 - it may be any, and is the finding
        testimony = Testimony("", f"{type(error).__name__}: {error}".replace("\n", " "), {})
    return {
        "program": program,
        "strategy": strategy,
        "holds": testimony.holds,
        "expected": testimony.expected,
        "observed": testimony.observed,
        "measured": dict(testimony.measured),
        "timeline": asdict(testimony.timeline) if testimony.timeline else None,
    }


def main(arguments: Sequence[str]) -> None:
    """Run what the module's text says; the empty line tells that all has been imported."""
    loop, task_factory, *asked = arguments
    print(flush=True)
    for name in asked:
        program, _, strategy = name.partition("/")
        print(json.dumps(bear_witness(loop, task_factory, program, strategy)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
