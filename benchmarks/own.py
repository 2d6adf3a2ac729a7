"""Workloads and strategies of the user's own, ``FILE.py:NAME``: imported in measured processes,
when they are first measured, and nowhere else.

``python -m benchmarks.own JSON`` tries a workload in the running interpreter and prints as JSON
what a call takes, or what is wrong with it.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import inspect
import json
import os
import sys
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from benchmarks.clock import perf_counter
from benchmarks.echo import EchoConnections
from benchmarks.strategies import OLDEST_PYTHON, STRATEGIES, Strategy, Work, sequential
from benchmarks.workloads import WORKLOADS, Surroundings, Workload

WORKLOAD, STRATEGY = "workload", "strategy"
TRY_SECONDS = 0.5
TRY_CALLS = 5000
"""A workload is tried by calls one after the other, as long or as often as this."""
WHILE_SECONDS = 0.005
WAITS_BELOW = 0.5
"""Share of its time that the process of a workload is on the core: below, it waits."""


class OwnCodeError(Exception):
    """What the user wrote cannot be used; the message is one line."""


@dataclass(frozen=True)
class Own:
    """A function of the user's: a workload or a strategy, its file, and what readers see of it.

    A workload ``waits``, and a call of it takes ``seconds``, as far as it was tried; so many
    ``warmups`` go before each slice; where it ``counts_errors``, a call that raises is one that has
    no result. A strategy ``bounds`` where it takes a limit, and ``pauses`` where it takes a pause.
    ``sha256`` is of the file when it was read.
    """

    kind: str
    path: str
    function: str
    meaning: str = ""
    waits: bool = True
    seconds: float | None = None
    warmups: int = 1
    counts_errors: bool = False
    bounds: bool = False
    pauses: bool = False
    sha256: str = ""

    @property
    def name(self) -> str:
        """ "mine.fetch" for mine.py:fetch."""
        return f"{Path(self.path).stem}.{self.function}"

    @property
    def argument(self) -> str:
        """As measured processes are told."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, argument: str) -> Own:
        """From its ``argument``."""
        return cls(**json.loads(argument))


raised = {"calls": 0}
"""Calls that have raised so far, in this process."""
_folders: set[str] = set()
"""Where the user's files are: what is imported from there is theirs, too."""


def register(own: Own) -> None:
    """Put it into its registry; its file is imported when it is first used."""
    _folders.add(str(Path(own.path).parent))
    words = (own.name, own.name, own.meaning)
    if own.kind == WORKLOAD:
        WORKLOADS[own.name] = Workload(
            *words,
            functools.partial(_opened, own),
            waits=own.waits,
            own=True,
            warmups=own.warmups,
            errors=lambda: raised["calls"],
        )
    else:
        function = functools.partial(load, own.path, own.function)
        STRATEGIES[own.name] = Strategy(
            *words, OLDEST_PYTHON, function, bounds=own.bounds, pauses=own.pauses, own=True
        )


def load(path: str, function: str) -> Any:  # noqa: ANN401 - whatever the user wrote
    """The function of a file, imported as Python would run it, once. Raises OwnCodeError, and
    whatever the import raises.
    """
    module = module_of(path)
    try:
        return getattr(module, function)
    except AttributeError:
        raise OwnCodeError(f"{Path(path).name} has no {function}") from None


@functools.cache
def module_of(path: str) -> ModuleType:
    """The module of a file, the same for all of its functions."""
    file = Path(path)
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))  # it may import its neighbours
    spec = importlib.util.spec_from_file_location(f"own_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise OwnCodeError(f"{file.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def _opened(own: Own, surroundings: Surroundings) -> AsyncIterator[Work]:
    """Open the user's workload: set up, give the work, tear down. Raises OwnCodeError."""
    function = load(own.path, own.function)
    if inspect.isasyncgenfunction(function):
        async with asynccontextmanager(function)() as work:
            yield adapted(work, own)
    else:
        yield adapted(function, own)


def adapted(work: object, own: Own) -> Work:
    """The work as a function of the index. What needs one is taken as it is, at no cost; what needs
    nothing costs one more call. Raises OwnCodeError where it is neither.
    """
    if not callable(work):
        raise OwnCodeError(f"{own.name} yields {type(work).__name__}, which cannot be called")
    try:
        parameters = inspect.signature(work).parameters.values()
    except ValueError:  # a builtin that does not tell
        return work
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needs = [one for one in parameters if one.kind in places and one.default is one.empty]
    takes = needs or any(one.kind is one.VAR_POSITIONAL for one in parameters)
    if len(needs) > 1:
        names = ", ".join(one.name for one in needs)
        raise OwnCodeError(f"{own.name} needs {names}: it is given an index, or nothing")
    call: Callable[..., Coroutine[Any, Any, Any]] = work
    of_index = call if takes else lambda _: call()
    return _forgiving(of_index) if own.counts_errors else of_index


def _forgiving(work: Work) -> Work:
    """The work, whose errors are counted: a coroutine more around each call."""

    async def forgiven(index: int) -> Any:  # noqa: ANN401 - whatever the user returns
        try:
            return await work(index)
        except Exception:  # noqa: BLE001 - the user's code may raise anything
            raised["calls"] += 1
            return None

    return forgiven


# --- where something is wrong ---------------------------------------------------------------------


def place_of(error: BaseException) -> str:
    """Where in the user's files an error comes from: "mine.py, line 3, in fetch: ", or "" """
    if isinstance(error, SyntaxError) and error.filename and _is_own(error.filename):
        return f"{Path(error.filename).name}, line {error.lineno}: "
    return _said(frame for frame, _ in traceback.walk_tb(error.__traceback__))


def standing(frame: FrameType | None) -> str:
    """Where the user's code is that does not end: where it computes, or else where its first task
    waits; "" where that is nowhere.
    """
    computes = _said(one for one, _ in [*traceback.walk_stack(frame)][::-1])
    if computes:
        return computes
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:  # no loop is running
        return ""
    return next(filter(None, (_said(_frames(task.get_coro())) for task in tasks)), "")


def scrubbed(text: str) -> str:
    """The text without the folders of the user's files and their home."""
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is none
    for folder in (*sorted(_folders, key=len, reverse=True), home):
        text = text.replace(f"{folder}{os.sep}", "")
    return text


def _frames(awaited: object) -> Iterator[FrameType]:
    """The frames of a coroutine and what it waits for, the outermost first."""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None)
        if frame is not None:
            yield frame
        awaited = getattr(awaited, "cr_await", None)


def _said(frames: Iterator[FrameType]) -> str:
    """The innermost of these frames that is in the user's files."""
    own = [frame for frame in frames if _is_own(frame.f_code.co_filename)]
    if not own:
        return ""
    code = own[-1].f_code
    return f"{Path(code.co_filename).name}, line {own[-1].f_lineno}, in {code.co_name}: "


def _is_own(file: str) -> bool:
    return str(Path(file).parent) in _folders


# --- a try ----------------------------------------------------------------------------------------


def _note_remote(hosts: dict[str, None], event: str, arguments: tuple[Any, ...]) -> None:
    """Note whom a socket is connected with, unless it is this machine."""
    address = arguments[1] if event == "socket.connect" else ()
    if isinstance(address, tuple) and address and isinstance(address[0], str):
        try:
            is_here = ip_address(address[0]).is_loopback
        except ValueError:  # a name
            is_here = address[0] == "localhost"
        if not is_here:
            hosts[address[0]] = None


async def _tried(own: Own) -> tuple[float, float]:
    """Seconds of a call, the median, and the largest share of a while that the process was on the
    core: others that want it make it smaller, never larger.
    """
    taken: list[float] = []
    shares: list[float] = []
    with EchoConnections() as connections:
        async with WORKLOADS[own.name].open(Surroundings(connections, sequential)) as work:
            await work(0)  # the first call imports, connects and fills caches
            while sum(taken) < TRY_SECONDS and len(taken) < TRY_CALLS:
                began, cpu = perf_counter(), time.process_time()
                while perf_counter() < began + WHILE_SECONDS:
                    started = perf_counter()
                    await work(0)  # the one index that every fan-out has
                    taken.append(perf_counter() - started)
                shares.append((time.process_time() - cpu) / (perf_counter() - began))
    return sorted(taken)[len(taken) // 2], max(shares)


def main(argument: str) -> None:
    """Try the workload of the argument."""
    own = Own.of(argument)
    register(own)
    remote: dict[str, None] = {}
    sys.addaudithook(functools.partial(_note_remote, remote))
    out = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the user prints goes there
    try:
        seconds, share = asyncio.run(_tried(own))
        said: dict[str, object] = {
            "seconds": seconds,
            "waits": share < WAITS_BELOW,
            "remote": list(remote),
        }
    except BaseException as error:  # noqa: BLE001 - the user's code may raise anything
        said = {"error": scrubbed(f"{place_of(error)}{type(error).__name__}: {error}")}
    os.write(out, json.dumps(said).encode())


if __name__ == "__main__":
    main(sys.argv[1])
