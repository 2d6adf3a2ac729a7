"""When a case is done, and how many sweeps the budget allows."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from benchmarks.campaign.schema import Contender, Plan
from benchmarks.campaign.stop import (
    AIMED_ROUNDS,
    LOOK_EVERY,
    MAX_SWEEPS,
    MIN_ROUNDS,
    Precision,
    plan_sweeps,
)
from tests.benchmarks.fakes import make_line, make_plan

LOOKS = {MIN_ROUNDS + LOOK_EVERY * number for number in range(100)}

PLAN = make_plan(tasks=(10,))
CASE = PLAN.cases[0]


Values = Callable[[Contender, int], float]


def scattered(rng: random.Random, spread: float, effect: float = 1.0) -> Values:
    """Values of one round: each contender's own factor, the same for all sweeps of the round."""
    factors = {
        contender.id: rng.lognormvariate(0.0, spread)
        * (effect if contender.role != "baseline" else 1)
        for contender in PLAN.contenders
    }
    return lambda contender, sweep: 1e-3 * factors[contender.id]


def steady(contender: Contender, sweep: int) -> float:
    return 1e-3


def steady_but(loud: Contender, seconds: float) -> Values:
    return lambda contender, sweep: seconds if contender == loud else 1e-3


def by_loop(seconds: Mapping[str, float]) -> Values:
    return lambda contender, sweep: seconds[contender.loop]


def by_sweep(seconds: Sequence[float]) -> Values:
    return lambda contender, sweep: seconds[sweep]


def rounds_until_done(
    spread: float, *, effect: float = 1.0, plan: Plan = PLAN, at_most: int = 60
) -> int | None:
    rng = random.Random(11)
    precision = Precision(plan)
    for number in range(at_most):
        precision.add(make_line(plan, number, scattered(rng, spread, effect)))
        if precision.is_done(CASE.id):
            return number + 1
    return None


def test_looks_are_at_12_16_20_rounds() -> None:
    assert (MIN_ROUNDS, LOOK_EVERY) == (12, 4)


@pytest.mark.parametrize("spread", [0.0, 0.005, 0.012, 0.016, 0.02])
def test_a_case_is_done_only_at_a_look_and_only_when_its_interval_is_narrow(spread: float) -> None:
    rng = random.Random(3)
    precision = Precision(PLAN)
    done_after = None
    for count in range(1, 60):
        precision.add(make_line(PLAN, count - 1, scattered(rng, spread)))
        narrow = precision.half_width(CASE.id) < PLAN.precision
        if done_after is None and count in LOOKS and narrow:
            done_after = count
        assert precision.is_done(CASE.id) == (done_after is not None)
        assert precision.done() == (done_after is not None)
    assert done_after is not None


def test_a_case_that_becomes_precise_between_looks_waits_for_the_next() -> None:
    precision = Precision(PLAN)
    rng = random.Random(3)
    spreads = [0.05] * (MIN_ROUNDS - 1) + [0.0] * 400
    narrow_first = None
    for count, spread in enumerate(spreads, start=1):
        precision.add(make_line(PLAN, count - 1, scattered(rng, spread)))
        if narrow_first is None and precision.half_width(CASE.id) < PLAN.precision:
            narrow_first = count
        if precision.is_done(CASE.id):
            break
    assert narrow_first is not None
    assert narrow_first not in LOOKS, "this test has to choose another start"
    assert count == min(look for look in LOOKS if look > narrow_first)


def test_it_stops_on_width_and_never_on_significance() -> None:
    """Twice as slow is significant after a few rounds; a wide interval goes on all the same."""
    assert rounds_until_done(0.10, effect=2.0, at_most=100) is None
    # The effect makes no difference to when it stops.
    for spread in (0.001, 0.015):
        assert rounds_until_done(spread, effect=2.0) == rounds_until_done(spread, effect=1.0)
    assert rounds_until_done(0.001, effect=2.0) == MIN_ROUNDS


def test_no_interval_can_be_given_from_few_rounds() -> None:
    precision = Precision(PLAN)
    assert precision.half_width(CASE.id) == math.inf
    for number in range(5):
        precision.add(make_line(PLAN, number, steady))
        assert precision.half_width(CASE.id) == math.inf
    precision.add(make_line(PLAN, 5, steady))
    assert precision.half_width(CASE.id) == 0.0


def test_the_widest_interval_decides() -> None:
    rng = random.Random(3)
    *_, loud, _control = PLAN.contenders
    precision = Precision(PLAN)
    for number in range(40):
        values = steady_but(loud, rng.lognormvariate(0.0, 0.2))
        precision.add(make_line(PLAN, number, values))
    assert not precision.is_done(CASE.id)


def test_the_control_is_compared_too() -> None:
    assert PLAN.contenders[-1].role == "control"
    rng = random.Random(3)
    precision = Precision(PLAN)
    for number in range(20):
        values = steady_but(PLAN.contenders[-1], rng.lognormvariate(0.0, 0.2))
        precision.add(make_line(PLAN, number, values))
    assert not precision.is_done(CASE.id)


def test_a_contender_that_has_failed_is_not_waited_for() -> None:
    rng = random.Random(3)
    broken = PLAN.contenders[1]
    precision = Precision(PLAN)
    for number in range(MIN_ROUNDS):
        values = steady_but(broken, rng.lognormvariate(0.0, 0.5))
        without = [broken] if number >= 8 else []
        precision.add(make_line(PLAN, number, values, without=without))
        if number < 8:
            assert precision.half_width(CASE.id) > 0
    assert precision.is_done(CASE.id)
    assert precision.half_width(CASE.id) == 0.0


@pytest.mark.parametrize("left", ["all but the baseline", "the baseline alone"])
def test_without_a_pair_to_compare_a_case_is_never_precise(left: str) -> None:
    baseline, *others = PLAN.contenders
    precision = Precision(PLAN)
    for number in range(30):
        without = [baseline] if left == "all but the baseline" else others
        precision.add(make_line(PLAN, number, steady, without=without))
    assert not precision.is_done(CASE.id)
    assert precision.half_width(CASE.id) == math.inf


def test_every_contender_is_compared_with_the_baseline_of_its_own_group() -> None:
    plan = make_plan(tasks=(10,), loops=("asyncio", "uvloop"))
    rng = random.Random(3)
    precision = Precision(plan)
    for number in range(MIN_ROUNDS):
        # A loop's own luck in this round, common to all of its group.
        luck = {loop: rng.lognormvariate(0.0, 0.5) for loop in ("asyncio", "uvloop")}
        precision.add(make_line(plan, number, by_loop(luck)))
    assert precision.is_done(CASE.id)


def test_sweeps_are_compared_one_by_one() -> None:
    """Drift that all contenders share within a sweep is not in the interval."""
    rng = random.Random(3)
    precision = Precision(PLAN)
    for number in range(MIN_ROUNDS):
        drift = [rng.lognormvariate(0.0, 0.5) for _ in range(3)]
        precision.add(make_line(PLAN, number, by_sweep(drift)))
    assert precision.half_width(CASE.id) == pytest.approx(0.0)
    assert precision.is_done(CASE.id)


def test_latency_is_judged_by_its_headline_metric() -> None:
    plan = make_plan(tasks=(10,), probes=("latency",))

    def rounds_done(noisy_metric: str) -> bool:
        rng = random.Random(3)
        precision = Precision(plan)
        for number in range(MIN_ROUNDS):
            line = make_line(plan, number, steady)
            cells = {
                name: replace(
                    cell,
                    values={**cell.values, noisy_metric: [rng.lognormvariate(0.0, 0.5)] * 3},
                )
                for name, cell in line.cells.items()
            }
            precision.add(replace(line, cells=cells))
        return precision.is_done(plan.cases[0].id)

    assert rounds_done("max")
    assert rounds_done("first_step")
    assert not rounds_done("p99")


def test_cases_are_judged_apart() -> None:
    plan = make_plan(tasks=(10, 100))
    precise, other = plan.cases
    precision = Precision(plan)
    for number in range(MIN_ROUNDS):
        precision.add(make_line(plan, number, steady, case=precise))
    assert precision.is_done(precise.id)
    assert not precision.is_done(other.id)
    assert precision.done() == 1


# Sweeps

turn_seconds = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3), st.floats(1e-4, 20.0), min_size=1, max_size=40
)


@given(turn_seconds, st.floats(0.0, 5.0), st.floats(-10.0, 10_000.0))
def test_every_case_has_one_to_25_sweeps_and_the_budget_is_kept_when_it_can_be(
    turns: dict[str, float], start_seconds: float, budget_seconds: float
) -> None:
    sweeps = plan_sweeps(turns, start_seconds, budget_seconds)
    assert sweeps.keys() == turns.keys()
    assert all(1 <= count <= MAX_SWEEPS == 25 for count in sweeps.values())
    round_seconds = start_seconds + sum(turns[case] * count for case, count in sweeps.items())
    least = start_seconds + sum(turns.values())
    assert AIMED_ROUNDS * round_seconds <= max(budget_seconds, AIMED_ROUNDS * least) * (1 + 1e-9)


@given(turn_seconds, st.floats(0.0, 1.0), st.floats(1.0, 10_000.0))
def test_cheap_cases_never_get_fewer_sweeps_than_dear_ones(
    turns: dict[str, float], start_seconds: float, budget_seconds: float
) -> None:
    sweeps = plan_sweeps(turns, start_seconds, budget_seconds)
    ordered = sorted(turns, key=turns.__getitem__)
    counts = [sweeps[case] for case in ordered]
    assert counts == sorted(counts, reverse=True)


@given(turn_seconds, st.floats(1.0, 1000.0))
def test_a_larger_budget_never_gives_fewer_sweeps(
    turns: dict[str, float], budget_seconds: float
) -> None:
    small = plan_sweeps(turns, 0.1, budget_seconds)
    large = plan_sweeps(turns, 0.1, 2 * budget_seconds)
    assert all(large[case] >= small[case] for case in turns)


def test_what_is_left_is_shared_by_time() -> None:
    # 16 rounds of 10 s: 1 s starts the workers, the dear case takes 4 s, the cheap ones share 5 s.
    sweeps = plan_sweeps({"dear": 4.0, "cheap": 0.5, "cheaper": 0.25}, 1.0, 160.0)
    assert sweeps == {"dear": 1, "cheap": 5, "cheaper": 10}


def test_with_time_to_spare_every_case_has_the_most_sweeps() -> None:
    assert plan_sweeps({"a": 0.01, "b": 0.1}, 1.0, 1e6) == {"a": MAX_SWEEPS, "b": MAX_SWEEPS}


def test_nothing_to_sweep_is_no_error() -> None:
    assert plan_sweeps({}, 1.0, 100.0) == {}
