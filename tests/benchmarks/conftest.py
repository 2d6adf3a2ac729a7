"""Fixtures for the tests of benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.campaign.interpreters import prepare, prepare_all
from benchmarks.campaign.schema import Interpreter
from benchmarks.echo import EchoConnections, EchoServer
from harness.commands import copy_of_suite
from tests.repository import pythons_here

HOSTILE = Path(__file__).with_name("hostile.py.txt")
SAYS_ITS_COMMAND = 'import sys; print("analysis", *sys.argv[1:])'


@pytest.fixture(scope="session")
def echo_port() -> Iterator[int]:
    with EchoServer() as server:
        yield server.port


@pytest.fixture
def connections(echo_port: int) -> Iterator[EchoConnections]:
    with EchoConnections(echo_port) as open_connections:
        yield open_connections


@pytest.fixture(scope="session")
def interpreter() -> Interpreter:
    """This Python as an interpreter to measure, in its real environment."""
    return prepare(None)


@pytest.fixture(scope="session")
def interpreters() -> tuple[Interpreter, ...]:
    """Every interpreter of this machine that the suite can measure, its own first."""
    found, _ = prepare_all([str(python) for python in pythons_here()], skip_missing=True)
    return found


@pytest.fixture(scope="session")
def hostile_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with strategies that misbehave, and an analysis that only says what
    it was told to do.
    """
    copy = copy_of_suite(tmp_path_factory.mktemp("hostile"))
    (copy / "analysis" / "__main__.py").write_text(SAYS_ITS_COMMAND, encoding="utf-8")
    with (copy / "benchmarks" / "strategies.py").open("a", encoding="utf-8") as stream:
        stream.write(HOSTILE.read_text(encoding="utf-8"))
    return copy
