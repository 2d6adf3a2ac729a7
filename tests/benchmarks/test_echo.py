"""The echo server and its client, over real connections."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from benchmarks.cases import Case, Launcher
from benchmarks.echo import CONNECTIONS, REQUEST_BYTES, EchoConnections, EchoServer
from benchmarks.slices import Bench
from benchmarks.strategies import BASELINE, STRATEGIES, Work
from benchmarks.workloads import WORKLOADS, Surroundings
from tests.benchmarks.cells import LOOPS

REPOSITORY = Path(__file__).resolve().parents[2]
HANG_SECONDS = 20.0


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    """A server process of this test's own, which the test may end."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.echo"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY, text=True,
    ) as process:  # fmt: skip
        yield process
        process.kill()


def opened(connections: EchoConnections) -> AbstractAsyncContextManager[Work]:
    return WORKLOADS["echo"].open(Surroundings(connections, STRATEGIES[BASELINE].launch))


def port_of(server: subprocess.Popen[str]) -> int:
    assert server.stdout is not None
    return int(server.stdout.readline())


@pytest.mark.parametrize("tasks", [1, CONNECTIONS, 1000])
@pytest.mark.parametrize("loop", LOOPS)
def test_replies_match_requests(loop: str, tasks: int, connections: EchoConnections) -> None:
    async def main() -> list[int]:
        async with opened(connections) as work:
            return await asyncio.gather(*[work(index) for index in reversed(range(tasks))])

    bench = Bench(Launcher(loop, "lazy", "gather_tasks"), connections)
    assert bench.run(main) == list(reversed(range(tasks)))


def test_a_large_index_comes_back_whole(connections: EchoConnections) -> None:
    async def main() -> int:
        async with opened(connections) as work:
            return await work(2 ** (8 * REQUEST_BYTES - 1))

    assert asyncio.run(main()) == 2 ** (8 * REQUEST_BYTES - 1)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_reply_to_a_cancelled_request_does_not_disturb_the_next(
    loop: str, connections: EchoConnections
) -> None:
    async def main() -> int:
        async with opened(connections) as work:
            request = asyncio.create_task(work(0))
            await asyncio.sleep(0)
            request.cancel()
            return await work(CONNECTIONS)  # on the same connection

    bench = Bench(Launcher(loop, "lazy", "gather_tasks"), connections)
    assert bench.run(lambda: asyncio.wait_for(main(), HANG_SECONDS)) == CONNECTIONS


def test_connections_are_opened_once_and_kept_for_the_next_slice(
    connections: EchoConnections,
) -> None:
    assert len(set(ports(connections))) == CONNECTIONS
    assert ports(connections) == ports(connections)


def ports(connections: EchoConnections) -> list[int]:
    """The local ports of the connections."""
    found = []
    for duplicate in connections.duplicates():
        with duplicate:
            found.append(duplicate.getsockname()[1])
    return found


def test_dropped_connections_are_replaced_by_new_ones(connections: EchoConnections) -> None:
    before = ports(connections)
    connections.drop()
    after = ports(connections)
    assert len(after) == CONNECTIONS
    assert set(before).isdisjoint(after)
    assert ports(connections) == after


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
@pytest.mark.parametrize("loop", LOOPS)
def test_connections_on_which_replies_are_still_to_come_are_dropped(
    loop: str, server: subprocess.Popen[str]
) -> None:
    async def answered() -> None:
        async with opened(connections) as work:
            await asyncio.gather(*map(work, range(100)))

    async def cancelled() -> None:
        async with opened(connections) as work:
            requests = [asyncio.create_task(work(index)) for index in range(100)]
            await asyncio.sleep(0)
            for request in requests:
                request.cancel()
            await asyncio.wait(requests)

    with EchoConnections(port_of(server)) as connections:
        bench = Bench(Launcher(loop, "lazy", "gather_tasks"), connections)
        before = ports(connections)
        bench.run(answered)
        assert ports(connections) == before
        server.send_signal(signal.SIGSTOP)  # else it may answer in time
        bench.run(cancelled)
        server.send_signal(signal.SIGCONT)
        assert ports(connections) != before
        bench.run(answered)


def test_connections_without_a_port_start_a_server_of_their_own() -> None:
    async def main(connections: EchoConnections) -> int:
        async with opened(connections) as work:
            return await work(7)

    with EchoConnections() as connections:
        assert asyncio.run(main(connections)) == 7


def dies_before_the_slice(server: subprocess.Popen[str]) -> None:
    server.kill()
    server.wait()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_that_died_before_the_slice_is_an_error_not_a_hang(
    loop: str, server: subprocess.Popen[str]
) -> None:
    with EchoConnections(port_of(server)) as connections:
        bench = Bench(Launcher(loop, "lazy", "gather_tasks"), connections)
        case = Case("throughput", "echo", 100)
        bench.measure(case, 1, 1)
        dies_before_the_slice(server)
        with pytest.raises(OSError):  # noqa: PT011  # the system chooses which
            measure_or_hang(bench, case)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_that_dies_during_the_slice_is_an_error_not_a_hang(
    loop: str, server: subprocess.Popen[str]
) -> None:
    with EchoConnections(port_of(server)) as connections:
        bench = Bench(Launcher(loop, "lazy", "gather_tasks"), connections)

        async def main() -> None:
            async with opened(connections) as work:
                assert await work(1) == 1
                dies_before_the_slice(server)
                # Each of these learns of it: those whose request went out, and those that come
                # when the connection is known to be lost.
                for _ in range(5):
                    outcomes = await asyncio.gather(*map(work, range(100)), return_exceptions=True)
                    assert all(isinstance(outcome, OSError) for outcome in outcomes)

        bench.run(lambda: asyncio.wait_for(main(), HANG_SECONDS))


def test_a_server_that_is_not_there_is_an_error(server: subprocess.Popen[str]) -> None:
    port = port_of(server)
    dies_before_the_slice(server)
    with EchoConnections(port) as connections, pytest.raises(ConnectionRefusedError):
        next(connections.duplicates())


def measure_or_hang(bench: Bench, case: Case) -> object:
    """Measure a slice; TimeoutError in place of waiting for ever."""
    run = bench.run

    def run_with_limit(main: Callable[[], object]) -> object:
        return run(lambda: asyncio.wait_for(main(), HANG_SECONDS))  # type: ignore[arg-type]

    bench.run = run_with_limit  # type: ignore[method-assign, assignment]
    return bench.measure(case, 1, 1)


def test_the_server_ends_when_its_parents_pipe_closes(server: subprocess.Popen[str]) -> None:
    port_of(server)
    assert server.stdin is not None
    server.stdin.close()
    assert server.wait(timeout=HANG_SECONDS) == 0


def test_the_server_goes_on_when_a_client_leaves(server: subprocess.Popen[str]) -> None:
    port = port_of(server)

    async def main(connections: EchoConnections) -> int:
        async with opened(connections) as work:
            return await work(3)

    for _ in range(3):
        with EchoConnections(port) as connections:
            assert asyncio.run(main(connections)) == 3


def test_leaving_the_context_ends_the_server() -> None:
    with EchoServer() as server:
        port = server.port
    with EchoConnections(port) as connections, pytest.raises(ConnectionRefusedError):
        next(connections.duplicates())


def test_a_server_that_cannot_start_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(OSError, match="exit code 3"):
        EchoServer(str(broken))
