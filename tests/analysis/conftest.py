"""What several tests of the analysis share."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.findings import Findings, find
from analysis.load import read_campaign
from analysis.report import publish
from tests.synthetic import fail, write_campaign, write_question


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small campaign, one cell of which failed, with its report."""
    folder = tmp_path_factory.mktemp("results") / "published"
    write_campaign(folder, rounds=8, workloads=("noop", "echo"), tasks=(10, 1000))
    contender, case = "cpython-3.14.10/uvloop/lazy/task_group", "throughput/noop/10"
    fail(folder, contender, case, round_index=0, cause="killed by signal 9")
    publish(folder)
    return folder


@pytest.fixture(scope="session")
def question(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """What is found in a small campaign of every probe and axis (tests.synthetic.QUESTION)."""
    folder = tmp_path_factory.mktemp("results") / "question"
    return find(read_campaign(write_question(folder)))
