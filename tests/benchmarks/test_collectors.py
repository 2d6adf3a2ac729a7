"""The states of the garbage collector."""

from __future__ import annotations

import gc

import pytest

from benchmarks.cases import Launcher
from benchmarks.collectors import COLLECTORS, Collector, collector_in_force


def test_the_usual_state_is_the_first_and_the_one_of_a_launcher() -> None:
    assert next(iter(COLLECTORS)) == Launcher("asyncio", "lazy", "wait").collector == "on"


@pytest.mark.parametrize("name", COLLECTORS)
def test_a_state_is_in_force_where_it_says_and_then_no_more(name: str) -> None:
    collector = COLLECTORS[name]
    assert (collector.name, collector.is_available) == (name, True)
    assert collector.label
    assert collector.meaning
    with collector.in_force():
        assert collector_in_force() == name
    assert collector_in_force() == "on"
    with pytest.raises(LookupError), collector.in_force():
        raise LookupError
    assert collector_in_force() == "on"


def test_what_is_frozen_is_left_out_of_collections() -> None:
    before = len(gc.get_objects())
    with COLLECTORS["frozen"].in_force():
        assert len(gc.get_objects()) < before / 10
        assert gc.isenabled()
    assert len(gc.get_objects()) > before / 2


def test_a_python_that_lacks_a_state_is_known() -> None:
    assert not Collector("none", "", "", "no_such_function", "nor_this").is_available
