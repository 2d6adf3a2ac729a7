"""The echo server of the ``echo`` workload, a process of its own, and the client's side of it.

The server, a plain selector loop off the measured core, answers every byte with the same byte. The
client pipelines fixed-size requests over a small pool of connections, as clients of databases do.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import selectors
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import cast

HOST = "127.0.0.1"
CONNECTIONS = 10
"""Connections of one measured process, as many as a usual connection pool has."""
REQUEST_BYTES = 64
READ_BYTES = 1 << 18
CLOSED = "the echo server closed the connection"


def serve() -> None:
    """Print the port, then answer until standard input closes, as it does when the parent dies."""
    selector = selectors.DefaultSelector()
    listener = socket.create_server((HOST, 0), backlog=1024)
    selector.register(listener, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print(listener.getsockname()[1], flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                return
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ)
                continue
            connection = key.fileobj  # type: ignore[assignment]  # only sockets are left
            try:
                received = connection.recv(READ_BYTES)
                connection.sendall(received)
            except OSError:
                received = b""
            if not received:
                selector.unregister(connection)
                connection.close()


class EchoServer:
    """A running echo server; a context manager that ends it. ``port`` is where it listens."""

    def __init__(self, executable: str = sys.executable) -> None:
        self._process = subprocess.Popen(
            [executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
            start_new_session=True,  # Ctrl-C is the campaign's to handle
            text=True,
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            with self._process:  # closes the pipes and waits
                pass
            raise OSError(f"the echo server did not start (exit code {self._process.returncode})")
        self.port = int(line)

    def __enter__(self) -> EchoServer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._process:
            self._process.terminate()


class EchoConnections:
    """A process's connections to the echo server, opened when first asked for, kept until closed.
    With ``port`` None the process starts a server of its own.

    A slice, which has a fresh event loop, gets duplicates: opening connections anew for each would
    leave thousands of them in TIME_WAIT.
    """

    def __init__(self, port: int | None = None) -> None:
        self._port = port
        self._server = contextlib.ExitStack()
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> EchoConnections:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.drop()
        self._server.close()

    def drop(self) -> None:
        """Close the connections: replies that were not read would reach the next user."""
        for connection in self._sockets:
            connection.close()
        self._sockets.clear()

    def duplicates(self) -> Iterator[socket.socket]:
        """Yield a duplicate of every connection, for the caller to close."""
        # rsloop shuts a connection down where others only close their duplicate of it.
        if select.select(self._sockets, [], [], 0)[0]:
            self.drop()
        if not self._sockets:
            self._connect()
        for connection in self._sockets:
            yield connection.dup()

    def _connect(self) -> None:
        if self._port is None:
            self._port = self._server.enter_context(EchoServer()).port
        for _ in range(CONNECTIONS):
            connection = socket.create_connection((HOST, self._port))
            self._sockets.append(connection)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class EchoClient(asyncio.Protocol):
    """One connection: requests go out as they come, replies return in the same order."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._loop = asyncio.get_running_loop()
        # uvloop's transports honour asyncio's interface without inheriting from it.
        self._transport = cast("asyncio.Transport", transport)
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._received = bytearray()
        self._closed = self._loop.create_future()

    @property
    def awaits_replies(self) -> bool:
        """Whether replies are still to come, including those to requests that were cancelled."""
        return bool(self._waiting)

    async def request(self, index: int) -> int:
        """Send one request and return the index that its reply carries."""
        if self._transport.is_closing():  # there would be no reply
            raise ConnectionResetError(CLOSED)
        waiter = self._loop.create_future()
        self._waiting.append(waiter)
        self._transport.write(index.to_bytes(REQUEST_BYTES, "big"))
        answer: int = await waiter
        return answer

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        complete = len(received) // REQUEST_BYTES * REQUEST_BYTES
        for start in range(0, complete, REQUEST_BYTES):
            waiter = self._waiting.popleft()
            if not waiter.cancelled():
                waiter.set_result(int.from_bytes(received[start : start + REQUEST_BYTES], "big"))
        del received[:complete]

    def connection_lost(self, exc: Exception | None) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(exc or ConnectionResetError(CLOSED))
        self._closed.set_result(None)

    async def close(self) -> None:
        """Close the transport and wait until the loop is done with it."""
        self._transport.close()
        await self._closed


if __name__ == "__main__":
    serve()
