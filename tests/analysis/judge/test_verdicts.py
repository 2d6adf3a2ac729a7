"""A verdict is what its interval shows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.judge.verdicts import judge, rounds_needed

BORDERS = st.sampled_from([0.98, 0.995, 1.005, 1.02]).flatmap(
    lambda border: st.sampled_from([border, np.nextafter(border, 0), np.nextafter(border, 2)])
)
ENDS = st.one_of(st.floats(0, 3), BORDERS, st.sampled_from([0.0, math.inf]))


def read_off(low: float, high: float, rounds: int) -> str:
    """The rule in plain words, written a second time."""
    if rounds == 0:
        return "missing"
    if low > 1.005:
        return "slower"
    if high < 0.995:
        return "faster"
    return "same" if low >= 0.98 and high <= 1.02 else "undecided"


def verdict(low: float, high: float, rounds: int = 12) -> str:
    [found] = judge(np.array([low]), np.array([high]), np.array([rounds]))
    return str(found)


@given(ENDS, ENDS, st.integers(0, 40))
def test_a_verdict_is_read_off_its_interval(one: float, other: float, rounds: int) -> None:
    low, high = min(one, other), max(one, other)
    assert verdict(low, high, rounds) == read_off(low, high, rounds)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.005, 1.1, "undecided"),
        (0.9, 0.995, "undecided"),
        (0.98, 1.02, "same"),
        (0.9799, 1.0, "undecided"),
        (1.005, 1.02, "same"),
        (0.0, math.inf, "undecided"),
        (math.nan, math.nan, "undecided"),
    ],
)
def test_borders_belong_to_what_is_less(low: float, high: float, expected: str) -> None:
    assert verdict(low, high) == expected
    assert verdict(low, high, 0) == "missing"


@given(st.floats(0.9, 1.1), st.floats(0.001, 0.5), st.floats(0.001, 0.5), st.integers(6, 40))
def test_so_many_more_rounds_decide_and_one_less_would_not(
    ratio: float, down: float, up: float, rounds: int
) -> None:
    def after(more: float) -> str:
        shrunk = math.sqrt(rounds / (rounds + more))
        return read_off(ratio - down * shrunk, ratio + up * shrunk, rounds)

    ends = np.array([ratio]), np.array([ratio - down]), np.array([ratio + up])
    [needed] = rounds_needed(*ends, np.array([rounds]))
    if after(0) == "undecided" and needed < 1e8:
        assert after(needed + 1) != "undecided"
        assert needed == 1 or after(needed - 2) == "undecided"
    few = rounds_needed(np.ones(2), np.zeros(2), np.full(2, np.inf), np.array([2, 20]))
    np.testing.assert_array_equal(few, [12 - 2, np.nan])
