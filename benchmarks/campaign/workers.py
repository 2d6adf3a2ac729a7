"""A worker as the coordinator sees it, and the real one: a process on a pipe."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from benchmarks import protocol
from benchmarks.campaign.interpreters import REPOSITORY, executable, inherited
from benchmarks.campaign.plan import launcher_of
from benchmarks.campaign.schema import Contender, Facts, Interpreter
from benchmarks.cases import Case
from benchmarks.own import Own, scrubbed

Answer = TypeVar("Answer", bound=protocol.Message)


@dataclass(frozen=True)
class OwnCode:
    """What workers have of the user's: the arguments that name the functions, and the variables of
    the environment that they need.
    """

    arguments: Sequence[str] = ()
    variables: Sequence[str] = ()

    def check(self) -> None:
        """Raise OSError when a file is no longer what was read: each process imports it."""
        for one in map(Own.of, self.arguments):
            path = Path(one.path)
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != one.sha256:
                raise OSError(errno.ESTALE, "a file has changed while it was measured", path.name)


NO_OWN_CODE = OwnCode()


def end_as_interrupted() -> None:
    """Let SIGTERM, and SIGHUP of a terminal that is closed, end this process as Ctrl-C does: it
    keeps its rounds and ends its workers. What nohup ignores stays ignored.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has one of them
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def end_group(process: subprocess.Popen[Any]) -> None:
    """End a process that leads a group, and whatever it has started, which would keep its pipe
    open.
    """
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


CAUSE_CHARACTERS = 500
"""A longer cause is cut: what measured code raises may quote all of its data."""
CUT = " [...]"


class WorkerError(Exception):
    """A worker did not do its turn. ``alive``: it is fit for other cases; else it is gone."""

    def __init__(self, cause: str, *, alive: bool = False) -> None:
        # It may quote half a character, and the user's folders.
        cause = scrubbed(cause.encode("utf-8", "replace").decode())
        if len(cause) > CAUSE_CHARACTERS:
            cause = cause[: CAUSE_CHARACTERS - len(CUT)] + CUT
        super().__init__(cause)
        self.cause = cause
        self.alive = alive


class Watchdog:
    """Ends what is waited for too long. One thread for all, which looks every now and then: a
    thread for each turn would take a tenth of a millisecond of it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._watched: dict[threading.Event, tuple[float, Callable[[], None]]] = {}

    @contextlib.contextmanager
    def watching(self, end: Callable[[], None], seconds: float) -> Iterator[threading.Event]:
        """Call ``end`` and set the event if this takes so long; a little later, never sooner."""
        expired = threading.Event()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, daemon=True)
                self._thread.start()
            self._watched[expired] = (time.monotonic() + seconds, end)
        try:
            yield expired
        finally:
            with self._lock:
                self._watched.pop(expired, None)

    def _look(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            with self._lock:
                for expired, (until, end) in list(self._watched.items()):
                    if time.monotonic() >= until:
                        del self._watched[expired]
                        expired.set()
                        end()


LOOK_SECONDS = 0.2
GRACE_SECONDS = 1.0
"""For a worker that is ended to say where it stood."""
WATCHDOG = Watchdog()


class Worker(Protocol):
    """One contender's process in one round. Every call is a turn and may raise WorkerError."""

    @property
    def conditions(self) -> Facts: ...

    def calibrate(self, case: Case, slice_seconds: float) -> protocol.Calibrated: ...

    def measure(self, case: Case, loops: int, blocks: int, phase: float) -> protocol.Measured: ...

    def run_program(self, program: str) -> protocol.ProgramSaid: ...

    def close(self) -> None: ...


class ProcessWorker:
    """A worker process, started without waiting for it: several get ready at once."""

    def __init__(
        self,
        contender: Contender,
        interpreter: Interpreter,
        *,
        echo_port: int,
        hash_seed: int,
        padding: int,
        turn_limit_seconds: float,
        own: OwnCode = NO_OWN_CODE,
    ) -> None:
        environment = inherited(own.variables)
        # The environment's size moves the stack: drawn anew each round, its luck becomes noise.
        environment |= {"PYTHONHASHSEED": str(hash_seed), "FANOUT_PADDING": "x" * padding}
        self._turn_limit_seconds = turn_limit_seconds
        self._log: IO[str] = tempfile.TemporaryFile(  # noqa: SIM115 - open as long as the process
            "w+", encoding="utf-8", errors="replace"
        )
        process = subprocess.Popen(
            [
                executable(interpreter), "-m", "benchmarks.worker", str(echo_port),
                *launcher_of(contender).arguments, *own.arguments,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=REPOSITORY,
            env=environment,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is the coordinator's to handle
        )  # fmt: skip
        assert process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._requests: IO[str] = process.stdin
        self._answers: IO[str] = process.stdout
        self.conditions: Facts = {}

    def pin(self, core: int) -> None:
        """Let the process run on this core only."""
        with contextlib.suppress(ProcessLookupError):  # its next turn says that it is gone
            os.sched_setaffinity(self._process.pid, {core})

    def wait_until_ready(self) -> None:
        """Wait for the worker's first word: the conditions it has proved. Raises WorkerError."""
        self.conditions = dict(self._receive(protocol.Ready).conditions)

    def calibrate(self, case: Case, slice_seconds: float) -> protocol.Calibrated:
        return self._ask(protocol.Calibrate(case, slice_seconds), protocol.Calibrated)

    def measure(self, case: Case, loops: int, blocks: int, phase: float) -> protocol.Measured:
        return self._ask(protocol.Measure(case, loops, blocks, phase), protocol.Measured)

    def run_program(self, program: str) -> protocol.ProgramSaid:
        return self._ask(protocol.RunProgram(program), protocol.ProgramSaid)

    def close(self) -> None:
        """End the process, whatever it is doing."""
        end_group(self._process)
        self._process.wait()
        with contextlib.suppress(OSError):  # a request that it died before reading
            self._requests.close()
        self._answers.close()
        self._log.close()

    def _end(self) -> None:
        """Let the process say where it stands, and end it."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECONDS)
        end_group(self._process)

    def _ask(self, request: protocol.Message, kind: type[Answer]) -> Answer:
        with contextlib.suppress(OSError):  # a worker that is gone: its answer, none, says so
            protocol.send(self._requests, request)
        return self._receive(kind)

    def _receive(self, kind: type[Answer]) -> Answer:
        """Wait for an answer no longer than the turn limit. Raises WorkerError."""
        with WATCHDOG.watching(self._end, self._turn_limit_seconds) as expired:
            try:
                answer = protocol.receive(self._answers)
            except ValueError as error:
                raise WorkerError(f"its answer cannot be read: {error}") from error
        if expired.is_set():
            cause = answer.cause if isinstance(answer, protocol.Failed) else ""
            stood = f": {cause}" if cause else ""
            within = f"{self._turn_limit_seconds:g} s"
            raise WorkerError(f"no answer within {within}, killed{stood}")
        if isinstance(answer, protocol.Failed):
            raise WorkerError(answer.cause, alive=answer.fit)
        if isinstance(answer, kind):
            return answer
        raise WorkerError(self._cause_of_death())

    def _cause_of_death(self) -> str:
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            end_group(self._process)
            return "the worker closed its pipe or spoke out of turn, killed"
        self._log.seek(0)
        return f"the worker {protocol.end_of(code, self._log)}"
