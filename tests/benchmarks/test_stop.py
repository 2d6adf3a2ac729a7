"""When a campaign is precise enough, and how the time of a round is given to its cases."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from analysis.estimate.intervals import LEAST_ROUNDS, hodges_lehmann, hodges_lehmann_halves
from benchmarks.campaign.schema import QUANTILES, Allocated, Case, Contender, Plan, RoundLine
from benchmarks.campaign.stop import (
    LOOK_EVERY,
    MAX_SWEEPS,
    Piloted,
    Precision,
    allocate,
    slice_spread,
)
from tests.benchmarks.fakes import make_cell, make_line, make_plan

LOOKS = {LEAST_ROUNDS + LOOK_EVERY * number for number in range(100)}

PLAN = make_plan(tasks=(10,))
CASE = PLAN.cases[0]


IN_PILOT = 1.5 * (1 / 2 + 1 + 1) / 3
"""The variance of D in that of a slice: the pilot's rounds have 2, 1 and 1 of them, and D is a
difference to the mean of two halves."""

Values = Callable[[Contender], float]


def take(precision: Precision, plan: Plan, line: RoundLine) -> None:
    """One case of one round, as the plan has it."""
    [case] = [case for case in plan.cases if case.id == line.case]
    precision.add(line, case)


def scattered(rng: random.Random, spread: float, effect: float = 1.0) -> Values:
    """Values of one round: each contender's own factor."""
    factors = {
        contender.id: rng.lognormvariate(0.0, spread)
        * (effect if contender.role != "baseline" else 1)
        for contender in PLAN.contenders
    }
    return lambda contender: 1e-3 * factors[contender.id]


def steady(contender: Contender) -> float:
    return 1e-3


def steady_but(loud: Contender, seconds: float) -> Values:
    return lambda contender: seconds if contender == loud else 1e-3


def by_loop(seconds: Mapping[str, float]) -> Values:
    return lambda contender: seconds[contender.loop]


def rounds_until_done(
    spread: float, *, effect: float = 1.0, plan: Plan = PLAN, at_most: int = 60
) -> int | None:
    rng = random.Random(11)
    precision = Precision(plan)
    for number in range(at_most):
        take(precision, plan, make_line(plan, number, scattered(rng, spread, effect)))
        if precision.is_time_to_look([CASE.id]) and precision.is_done(CASE.id):
            return number + 1
    return None


def test_looks_are_at_12_16_20_rounds() -> None:
    assert (LEAST_ROUNDS, LOOK_EVERY) == (12, 4)


def test_a_campaign_may_stop_at_a_look_only() -> None:
    precision = Precision(PLAN)
    assert not precision.is_time_to_look([CASE.id])
    for count in range(1, 60):
        take(precision, PLAN, make_line(PLAN, count - 1, steady))
        assert precision.is_time_to_look([CASE.id]) == (count in LOOKS)


def test_a_look_is_when_every_case_has_its_rounds() -> None:
    """A round that was cut short has some of them only."""
    plan = make_plan(tasks=(10, 100))
    one, other = plan.cases
    names = [one.id, other.id]
    precision = Precision(plan)
    for number in range(LEAST_ROUNDS):
        assert not precision.is_time_to_look(names)
        take(precision, plan, make_line(plan, number, steady, case=one))
        take(precision, plan, make_line(plan, number, steady, case=other))
    assert precision.is_time_to_look(names)
    take(precision, plan, make_line(plan, LEAST_ROUNDS, steady, case=one))
    assert precision.is_time_to_look(names)
    assert not precision.is_time_to_look([one.id])
    assert not precision.is_time_to_look([])


@pytest.mark.parametrize("spread", [0.0, 0.005, 0.012, 0.016, 0.02])
def test_a_case_is_done_when_its_interval_is_narrow_at_a_look_or_not(spread: float) -> None:
    rng = random.Random(3)
    precision = Precision(PLAN)
    for count in range(1, 60):
        take(precision, PLAN, make_line(PLAN, count - 1, scattered(rng, spread)))
        narrow = precision.half_width(CASE.id) < PLAN.precision
        assert precision.is_done(CASE.id) == narrow


def test_a_case_whose_interval_widens_again_is_done_no_more() -> None:
    rng = random.Random(3)
    precision = Precision(PLAN)
    for number in range(LEAST_ROUNDS):
        take(precision, PLAN, make_line(PLAN, number, steady))
    assert precision.is_done(CASE.id)
    for number in range(LEAST_ROUNDS):
        take(precision, PLAN, make_line(PLAN, LEAST_ROUNDS + number, scattered(rng, 0.5)))
    assert not precision.is_done(CASE.id)


def test_it_stops_on_width_and_never_on_significance() -> None:
    """Twice as slow is significant after a few rounds; a wide interval goes on all the same."""
    assert rounds_until_done(0.10, effect=2.0, at_most=100) is None
    # The effect makes no difference to when it stops.
    for spread in (0.001, 0.015):
        assert rounds_until_done(spread, effect=2.0) == rounds_until_done(spread, effect=1.0)
    assert rounds_until_done(0.001, effect=2.0) == LEAST_ROUNDS


def test_no_interval_can_be_given_from_few_rounds() -> None:
    precision = Precision(PLAN)
    assert precision.half_width(CASE.id) == math.inf
    for number in range(5):
        take(precision, PLAN, make_line(PLAN, number, steady))
        assert precision.half_width(CASE.id) == math.inf
    take(precision, PLAN, make_line(PLAN, 5, steady))
    assert precision.half_width(CASE.id) == 0.0


def test_the_widest_interval_decides() -> None:
    rng = random.Random(3)
    *_, loud, _control = PLAN.contenders
    precision = Precision(PLAN)
    for number in range(40):
        values = steady_but(loud, rng.lognormvariate(0.0, 0.2))
        take(precision, PLAN, make_line(PLAN, number, values))
    assert not precision.is_done(CASE.id)


def test_the_control_is_compared_too() -> None:
    assert PLAN.contenders[-1].role == "control"
    rng = random.Random(3)
    precision = Precision(PLAN)
    for number in range(20):
        values = steady_but(PLAN.contenders[-1], rng.lognormvariate(0.0, 0.2))
        take(precision, PLAN, make_line(PLAN, number, values))
    assert not precision.is_done(CASE.id)


def test_a_contender_that_has_failed_is_not_waited_for() -> None:
    rng = random.Random(3)
    broken = PLAN.contenders[1]
    precision = Precision(PLAN)
    for number in range(LEAST_ROUNDS):
        values = steady_but(broken, rng.lognormvariate(0.0, 0.5))
        without = [broken] if number >= 8 else []
        take(precision, PLAN, make_line(PLAN, number, values, without=without))
        if number < 8:
            assert precision.half_width(CASE.id) > 0
    assert precision.is_done(CASE.id)
    assert precision.half_width(CASE.id) == 0.0


@pytest.mark.parametrize("left", ["all but both baselines", "the baseline alone"])
def test_without_a_pair_to_compare_a_case_is_never_precise(left: str) -> None:
    others = PLAN.contenders[1:]
    baselines = [row for row in PLAN.contenders if row.role != "contender"]
    precision = Precision(PLAN)
    for number in range(30):
        without = baselines if left == "all but both baselines" else others
        take(precision, PLAN, make_line(PLAN, number, steady, without=without))
    assert not precision.is_time_to_look([CASE.id])
    assert not precision.is_done(CASE.id)
    assert precision.half_width(CASE.id) == math.inf


def test_every_contender_is_compared_with_the_baseline_of_its_own_group() -> None:
    plan = make_plan(tasks=(10,), loops=("asyncio", "uvloop"))
    rng = random.Random(3)
    precision = Precision(plan)
    for number in range(LEAST_ROUNDS):
        # A loop's own luck in this round, common to all of its group.
        luck = {loop: rng.lognormvariate(0.0, 0.5) for loop in ("asyncio", "uvloop")}
        take(precision, plan, make_line(plan, number, by_loop(luck)))
    assert precision.is_done(CASE.id)


def test_everyone_is_compared_with_both_halves_of_the_baseline() -> None:
    """And the control with the baseline alone."""
    plan = replace(PLAN, precision=1.0)
    rng = random.Random(3)
    precision = Precision(plan)
    by_role: dict[str, list[float]] = {"baseline": [], "control": [], "contender": []}
    for number in range(LEAST_ROUNDS):
        logs = {role: rng.gauss(0.0, 0.01) for role in by_role}
        for role, of_rounds in by_role.items():
            of_rounds.append(logs[role])
        take(precision, plan, make_line(plan, number, by_role_of(logs)))
    baseline, control, contender = map(np.asarray, by_role.values())
    spreads = [
        float(np.std(contender - (baseline + control) / 2, ddof=1)),
        float(np.std(control - baseline, ddof=1)),
    ]
    assert precision.spread(CASE.id) == pytest.approx(spreads[0], rel=1e-6)
    assert spreads[0] != pytest.approx(spreads[1], rel=0.1)
    halves = np.stack([contender - baseline, contender - control])
    both = hodges_lehmann_halves(halves[None])
    half_width = max((both.high - both.low) / 2, hodges_lehmann(control - baseline).half_width)
    assert precision.half_width(CASE.id) == pytest.approx(half_width, rel=1e-6)


def test_a_campaign_is_as_precise_as_its_table_says() -> None:
    """Beside a neighbour: now and then a process takes half as long again."""
    rng = random.Random(5)
    precision = Precision(PLAN)
    logs: list[list[float]] = []
    for number in range(LEAST_ROUNDS):
        drawn = [rng.gauss(0.0, 0.001) + 0.4 * (rng.random() < 0.1) for _ in PLAN.contenders]
        logs.append(drawn)
        by_name = {one.id: value for one, value in zip(PLAN.contenders, drawn, strict=True)}
        take(precision, PLAN, make_line(PLAN, number, by_id(by_name)))
    baseline, *others, control = np.transpose(logs)
    halves = np.stack([[one - baseline, one - control] for one in others])
    found = hodges_lehmann_halves(halves)
    widest = max(*(found.high - found.low) / 2, hodges_lehmann(control - baseline).half_width)
    assert precision.half_width(CASE.id) == pytest.approx(widest, rel=1e-6)


def by_role_of(logs: Mapping[str, float]) -> Values:
    return lambda contender: math.exp(logs[contender.role])


@pytest.mark.parametrize("lost", ["baseline", "control"])
def test_where_one_half_is_lost_the_other_is_compared_with(lost: str) -> None:
    rng = random.Random(3)
    (gone,) = (row for row in PLAN.contenders if row.role == lost)
    precision = Precision(PLAN)
    for number in range(LEAST_ROUNDS):
        logs = dict.fromkeys(("baseline", "control", "contender"), rng.gauss(0.0, 0.5))
        logs[lost] = rng.gauss(0.0, 0.5)
        take(precision, PLAN, make_line(PLAN, number, by_role_of(logs), without=[gone]))
    assert precision.half_width(CASE.id) == pytest.approx(0.0, abs=1e-9)


def test_the_quantile_is_that_of_the_case_as_it_was_calibrated() -> None:
    """The plan that the precision begins with has not been calibrated yet."""
    rng = random.Random(1)
    low = replace(CASE, quantile=QUANTILES[0])
    widths = []
    for case in (low, CASE):
        precision = Precision(PLAN)
        for number in range(12):
            line = make_line(PLAN, number, steady)
            cells = {
                place: replace(cell, quantiles=[[*cell.quantiles[0][:1], *noisy]])
                for place, cell in line.cells.items()
                for noisy in [[cell.quantiles[0][0] * rng.lognormvariate(0, 0.3)] * 4]
            }
            precision.add(replace(line, cells=cells), case)
        widths.append(precision.half_width(CASE.id))
    assert widths[0] < 0.001 < 0.05 < widths[1]


def test_what_is_compared_is_what_the_round_says_collector_included() -> None:
    """Code that is the same every time, and a collector that is not."""
    rng = random.Random(3)
    precision = Precision(PLAN)
    for number in range(LEAST_ROUNDS):
        line = make_line(PLAN, number, steady)
        cells = {
            place: replace(cell, collections=[(1000, rng.uniform(0.1, 0.5) * cell.timed_us)])
            for place, cell in line.cells.items()
        }
        take(precision, PLAN, replace(line, cells=cells))
    assert CASE.splits
    assert precision.half_width(CASE.id) > 0.01


def test_the_spread_of_a_case_is_that_of_the_middle_contender() -> None:
    plan = make_plan(tasks=(10,), workloads=("sleep",))
    case = plan.cases[0]
    rng = random.Random(3)
    precision = Precision(plan)
    assert precision.spread(case.id) is None
    baseline, quiet, loud, control = plan.contenders
    # All beside the baselines: the control does not differ at all, one contender a lot.
    logs: dict[str, list[float]] = {row.id: [] for row in plan.contenders}
    for number in range(5):
        drawn = {baseline.id: 0.0, control.id: 0.0, quiet.id: rng.gauss(0, 0.01),
                 loud.id: rng.gauss(0, 0.2)}  # fmt: skip
        for name, value in drawn.items():
            logs[name].append(value)
        take(precision, plan, make_line(plan, number, by_id(drawn)))
        if number == 0:
            assert precision.spread(case.id) is None
    assert precision.spread(case.id) == pytest.approx(float(np.std(logs[quiet.id], ddof=1)))


def by_id(logs: Mapping[str, float]) -> Values:
    return lambda contender: math.exp(logs[contender.id])


def noisy_in(metric: str, case: Case, rng: random.Random) -> list[list[float]]:
    noisy = make_cell(case, [rng.lognormvariate(0.0, 0.5)]).quantiles
    quiet = make_cell(case, [1e-3]).quantiles
    place = case.metrics.index(metric)
    return [*quiet[:place], noisy[place], *quiet[place + 1 :]]


def test_latency_is_judged_by_its_headline_metric() -> None:
    plan = make_plan(tasks=(10,), probes=("latency",))

    def rounds_done(noisy_metric: str) -> bool:
        rng = random.Random(3)
        precision = Precision(plan)
        for number in range(LEAST_ROUNDS):
            line = make_line(plan, number, steady)
            cells = {
                place: replace(cell, quantiles=noisy_in(noisy_metric, plan.cases[0], rng))
                for place, cell in line.cells.items()
            }
            take(precision, plan, replace(line, cells=cells))
        return precision.is_done(plan.cases[0].id)

    assert rounds_done("max")
    assert rounds_done("first_step")
    assert not rounds_done("p99")


def test_cases_are_judged_apart() -> None:
    plan = make_plan(tasks=(10, 100))
    precise, other = plan.cases
    precision = Precision(plan)
    for number in range(LEAST_ROUNDS):
        take(precision, plan, make_line(plan, number, steady, case=precise))
    assert precision.is_done(precise.id)
    assert not precision.is_done(other.id)


# The allocation

deviations = st.one_of(st.none(), st.floats(0.0, 0.5))
pilots = st.lists(
    st.builds(Piloted, st.text("abc", min_size=1), st.floats(1e-4, 20.0), deviations, deviations),
    min_size=1,
    max_size=20,
    unique_by=lambda one: one.case,
)
ALL_THE_TIME = 1e9


def sweeps_of(allocated: Sequence[Allocated]) -> dict[str, int]:
    return {row.case: row.sweeps for row in allocated}


def seconds_of(piloted: Sequence[Piloted], sweeps: Mapping[str, int], start: float) -> float:
    return start + sum(one.sweep_seconds * sweeps[one.case] for one in piloted)


@given(pilots, st.floats(0.0, 5.0), st.floats(0.0, 1000.0))
def test_every_case_has_one_to_25_sweeps_and_a_round_fits_when_it_can(
    piloted: list[Piloted], start: float, round_seconds: float
) -> None:
    sweeps = sweeps_of(allocate(piloted, start, round_seconds))
    assert list(sweeps) == [one.case for one in piloted]
    assert all(1 <= count <= MAX_SWEEPS == 25 for count in sweeps.values())
    least = seconds_of(piloted, dict.fromkeys(sweeps, 1), start)
    taken = seconds_of(piloted, sweeps, start)
    assert taken <= max(round_seconds, least) * (1 + 1e-9)


@given(pilots, st.floats(0.0, 5.0), st.floats(0.1, 1000.0))
def test_longer_rounds_never_have_fewer_sweeps(
    piloted: list[Piloted], start: float, round_seconds: float
) -> None:
    short = sweeps_of(allocate(piloted, start, round_seconds))
    long = sweeps_of(allocate(piloted, start, 2 * round_seconds))
    assert all(long[case] >= count for case, count in short.items())


def test_noisy_and_cheap_cases_get_more_sweeps() -> None:
    piloted = [
        Piloted("usual", 0.1, 0.02, 0.05),
        Piloted("noisy", 0.1, 0.04, 0.05),
        Piloted("cheap", 0.025, 0.02, 0.05),
        Piloted("quiet", 0.1, 0.001, 0.05),
    ]
    sweeps = sweeps_of(allocate(piloted, 30.0, ALL_THE_TIME))
    assert sweeps["quiet"] == 1
    assert sweeps["noisy"] == sweeps["cheap"] == pytest.approx(2 * sweeps["usual"], abs=1)
    assert 1 < sweeps["usual"] < MAX_SWEEPS / 2


def test_the_dearer_it_is_to_begin_a_round_the_more_sweeps_it_has() -> None:
    piloted = [Piloted("a", 0.1, 0.02, 0.02), Piloted("b", 0.2, 0.03, 0.02)]
    few, more, most = (
        sweeps_of(allocate(piloted, start, ALL_THE_TIME)) for start in (0.1, 3.0, 100.0)
    )
    assert all(few[case] < more[case] < most[case] for case in ("a", "b"))
    assert sweeps_of(allocate(piloted, 0.0, ALL_THE_TIME)) == {"a": 1, "b": 1}


def test_where_rounds_differ_by_themselves_more_sweeps_are_no_help() -> None:
    def sweeps(round_sd: float) -> int:
        (row,) = allocate([Piloted("a", 0.1, 0.02, round_sd)], 20.0, ALL_THE_TIME)
        return row.sweeps

    assert sweeps(0.02) > sweeps(0.1) > sweeps(1.0) == 1


def test_slices_that_differ_by_more_than_rounds_do_were_disturbed() -> None:
    """The two slices of a pilot's first round at half and at full speed make no noisy case."""
    disturbed, honest = (
        sweeps_of(allocate([Piloted("a", 0.05, slice_sd, 0.004)], 0.13, ALL_THE_TIME))["a"]
        for slice_sd in (0.28, 0.004 / math.sqrt(IN_PILOT))
    )
    assert disturbed == honest < 8


def test_what_the_pilot_cannot_tell_gets_one_sweep() -> None:
    """A long turn is taken once in a round: its slices cannot be compared."""
    piloted = [Piloted("long", 2.0, None, 0.02), Piloted("a", 0.1, 0.02, 0.02)]
    long, other = allocate(piloted, 1.0, ALL_THE_TIME)
    assert (long.sweeps, long.slice_sd) == (1, None)
    assert other.sweeps > 1
    (alone,) = allocate([Piloted("a", 0.1, None, None)], 1.0, ALL_THE_TIME)
    assert alone == Allocated(case="a", sweeps=1, sweep_seconds=0.1)


def test_without_any_difference_between_rounds_there_are_as_many_sweeps_as_fit() -> None:
    piloted = [Piloted("a", 0.1, 0.02, 0.0), Piloted("b", 0.1, 0.02, None)]
    assert set(sweeps_of(allocate(piloted, 1.0, ALL_THE_TIME)).values()) == {MAX_SWEEPS}
    some = sweeps_of(allocate(piloted, 1.0, 2.0))
    assert some["a"] == some["b"]
    assert 1 < some["a"] <= 5


def test_the_allocation_says_what_it_was_chosen_from() -> None:
    slice_sd, round_sd = 0.02, 0.05
    (row,) = allocate([Piloted("a", 0.1, slice_sd, round_sd)], 1.0, ALL_THE_TIME)
    assert (row.case, row.sweep_seconds, row.slice_sd) == ("a", 0.1, slice_sd)
    # What the slices of the pilot, two a round, leave of it.
    assert row.round_sd == pytest.approx(math.sqrt(round_sd**2 - IN_PILOT * slice_sd**2))
    (row,) = allocate([Piloted("a", 0.1, 0.05, 0.05)], 1.0, ALL_THE_TIME)
    assert row.round_sd == pytest.approx(math.sqrt(0.1) * 0.05), "three rounds tell it roughly"


def test_nothing_to_sweep_is_no_error() -> None:
    assert allocate([], 1.0, 100.0) == ()


def uncertainty(
    piloted: Sequence[Piloted], sweeps: Mapping[str, int], between: float, start: float
) -> float:
    """The variances of all cases together, after as many rounds as fit into a second."""
    within = sum(1.5 * (one.slice_sd or 0.0) ** 2 / sweeps[one.case] for one in piloted)
    return (between + within) * seconds_of(piloted, sweeps, start)


@pytest.mark.parametrize("start", [1.0, 5.0, 20.0])
@pytest.mark.parametrize(
    ("seconds", "slice_sds"),
    [
        ((0.4, 0.02, 0.05), (0.02, 0.01, 0.04)),
        ((0.1, 0.1, 0.1), (0.02, 0.02, 0.02)),
        ((0.05, 0.01, 0.2), (0.02, 0.05, 0.1)),
    ],
)
def test_no_other_allocation_narrows_the_intervals_more_in_the_same_time(
    start: float, seconds: Sequence[float], slice_sds: Sequence[float]
) -> None:
    betweens = (0.01**2, 0.03**2, 0.05**2)
    piloted = [
        Piloted(name, taken, slice_sd, math.sqrt(between + IN_PILOT * slice_sd**2))
        for name, taken, slice_sd, between in zip("abc", seconds, slice_sds, betweens, strict=True)
    ]
    chosen = sweeps_of(allocate(piloted, start, ALL_THE_TIME))
    best = min(
        uncertainty(piloted, dict(zip("abc", counts, strict=True)), sum(betweens), start)
        for counts in itertools.product(range(1, MAX_SWEEPS + 1), repeat=3)
    )
    # Sweeps are whole numbers, and each is rounded by itself.
    assert uncertainty(piloted, chosen, sum(betweens), start) <= 1.01 * best


# How slices of one process differ


def test_slices_differ_by_the_middle_contenders_deviation_of_their_logarithms() -> None:
    rng = random.Random(3)

    def rounds(spread: float) -> list[list[float]]:
        """Whole rounds differ by much more."""
        return [
            [pace * rng.lognormvariate(0.0, spread) for _ in range(20)] for pace in (1.0, 2.0, 30.0)
        ]

    costs = {"quiet": rounds(0.001), "usual": rounds(0.02), "loud": rounds(0.5)}
    variances = [float(np.var(np.log(row), ddof=1)) for row in costs["usual"]]
    spread = slice_spread(costs)
    assert spread == pytest.approx(math.sqrt(float(np.mean(variances))))
    assert spread == pytest.approx(0.02, rel=0.3)


def test_rounds_of_one_slice_do_not_tell_how_slices_differ() -> None:
    assert slice_spread({}) is None
    assert slice_spread({"a": [[1.0], [2.0]], "b": []}) is None
    assert slice_spread({"a": [[1.0], [2.0, 2.0], []], "b": [[1.0]]}) == 0.0
