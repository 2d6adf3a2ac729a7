"""Where workers run: an executor starts those of a round and keeps what they share."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Mapping, Sequence
from typing import Protocol

from benchmarks.campaign.machine import Cores
from benchmarks.campaign.schema import Contender, Interpreter
from benchmarks.campaign.workers import ProcessWorker, Worker, WorkerError
from benchmarks.echo import EchoServer

PADDING_BYTES = 4096


class Executor(Protocol):
    """Starts workers; returns them and the failures, by the contenders' ids."""

    def start(
        self, contenders: Sequence[Contender], rng: random.Random
    ) -> tuple[dict[str, Worker], dict[str, WorkerError]]: ...


class LocalExecutor:
    """This machine: workers on the measured core, coordinator and echo server on the others."""

    def __init__(
        self, interpreters: Sequence[Interpreter], cores: Cores, turn_limit_seconds: float
    ) -> None:
        self._interpreters: Mapping[str, Interpreter] = {row.name: row for row in interpreters}
        self._cores = cores
        self._turn_limit_seconds = turn_limit_seconds
        self._resources = contextlib.ExitStack()

    def __enter__(self) -> LocalExecutor:
        if self._cores.measured is not None:
            os.sched_setaffinity(0, self._cores.driver)
            usable = self._cores.driver | {self._cores.measured}
            self._resources.callback(os.sched_setaffinity, 0, usable)
        try:
            # Started after pinning: the server inherits the cores of the driver.
            self._echo_port = self._resources.enter_context(EchoServer()).port
        except BaseException:
            self._resources.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._resources.close()

    def start(
        self, contenders: Sequence[Contender], rng: random.Random
    ) -> tuple[dict[str, Worker], dict[str, WorkerError]]:
        """Start a process per contender, all at once, then pin each to the measured core."""
        workers: dict[str, Worker] = {}
        failures: dict[str, WorkerError] = {}
        starting: dict[str, ProcessWorker] = {}
        try:
            for contender in contenders:
                worker = ProcessWorker(
                    contender,
                    self._interpreters[contender.interpreter],
                    echo_port=self._echo_port,
                    hash_seed=rng.randrange(2**32),
                    padding=rng.randrange(PADDING_BYTES),
                    turn_limit_seconds=self._turn_limit_seconds,
                )
                starting[contender.id] = worker
                if self._cores.measured is not None:
                    worker.pin(self._cores.driver | {self._cores.measured})
            for name, worker in starting.items():
                try:
                    worker.wait_until_ready()
                except WorkerError as error:
                    worker.close()
                    failures[name] = error
                    continue
                if self._cores.measured is not None:
                    worker.pin({self._cores.measured})
                workers[name] = worker
        except BaseException:
            for worker in starting.values():
                worker.close()
            raise
        return workers, failures
