"""Where workers run: an executor starts those of a round and keeps what they share."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Mapping, Sequence
from typing import Protocol

from benchmarks.campaign.machine import Cores
from benchmarks.campaign.schema import Contender, Interpreter
from benchmarks.campaign.workers import NO_OWN_CODE, OwnCode, ProcessWorker, Worker, WorkerError
from benchmarks.echo import EchoServer

PADDING_BYTES = 4096
MOST_OPEN_FILES = 10_240
"""More than macOS lets a process have."""


class Starting(Protocol):
    """Workers that are getting ready."""

    def wait(self) -> tuple[dict[str, Worker], dict[str, WorkerError]]:
        """The workers, when they are ready, and the failures, by the contenders' ids."""
        ...

    def close(self) -> None:
        """End those that nobody has waited for."""
        ...


class Executor(Protocol):
    """Starts workers. ``overlaps``: that does not disturb what is measured meanwhile."""

    @property
    def overlaps(self) -> bool: ...

    def start(self, contenders: Sequence[Contender], rng: random.Random) -> Starting: ...


class LocalExecutor:
    """This machine: workers on the measured core, coordinator and echo server on the others."""

    def __init__(
        self,
        interpreters: Sequence[Interpreter],
        cores: Cores,
        turn_limit_seconds: float,
        own: OwnCode = NO_OWN_CODE,
    ) -> None:
        self._interpreters: Mapping[str, Interpreter] = {row.name: row for row in interpreters}
        self._cores = cores
        self._turn_limit_seconds = turn_limit_seconds
        self._own = own
        self._resources = contextlib.ExitStack()

    def __enter__(self) -> LocalExecutor:
        if self._cores.measured is not None:
            self._resources.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
            os.sched_setaffinity(0, self._cores.driver)
        _allow_open_files()
        try:
            # Started after pinning: the server inherits the cores of the driver.
            self._echo_port = self._resources.enter_context(EchoServer()).port
        except BaseException:
            self._resources.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._resources.close()

    @property
    def overlaps(self) -> bool:
        """Whether there is a core beside the measured one."""
        if self._cores.measured is None:
            return (os.cpu_count() or 1) > 1
        return self._cores.driver != {self._cores.measured}

    def start(self, contenders: Sequence[Contender], rng: random.Random) -> LocalStarting:
        """Start a process per contender, all at once, on the cores of the driver."""
        self._own.check()
        workers: dict[str, ProcessWorker] = {}
        starting = LocalStarting(self._cores.measured, workers)
        try:
            for contender in contenders:
                workers[contender.id] = ProcessWorker(
                    contender,
                    self._interpreters[contender.interpreter],
                    echo_port=self._echo_port,
                    hash_seed=rng.randrange(2**32),
                    padding=rng.randrange(PADDING_BYTES),
                    turn_limit_seconds=self._turn_limit_seconds,
                    own=self._own,
                )
        except BaseException:
            starting.close()
            raise
        return starting


def _allow_open_files() -> None:
    """As many as the system lets this process have: each worker takes three, and of the echo
    server, which inherits the limit, ten.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


class LocalStarting:
    """Processes of this machine that are getting ready; then they go to the measured core."""

    def __init__(self, measured_core: int | None, starting: Mapping[str, ProcessWorker]) -> None:
        self._measured_core = measured_core
        self._starting = starting

    def wait(self) -> tuple[dict[str, Worker], dict[str, WorkerError]]:
        workers: dict[str, Worker] = {}
        failures: dict[str, WorkerError] = {}
        try:
            for name, worker in self._starting.items():
                try:
                    worker.wait_until_ready()
                except WorkerError as error:
                    worker.close()
                    failures[name] = error
                    continue
                if self._measured_core is not None:
                    worker.pin(self._measured_core)
                workers[name] = worker
        except BaseException:
            self.close()
            raise
        return workers, failures

    def close(self) -> None:
        for worker in self._starting.values():
            worker.close()
