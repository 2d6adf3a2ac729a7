"""The campaign with fake workers and a fake clock: order, fairness, stopping, trouble, resuming."""

from __future__ import annotations

import errno
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis.estimate.intervals import LEAST_ROUNDS
from benchmarks.campaign import schema
from benchmarks.campaign.conduct import (
    AIMED_ROUNDS,
    FEW_TASKS,
    GOLDEN,
    LONG_SECONDS,
    Conductor,
    round_order,
    sweep_order,
)
from benchmarks.campaign.journal import Journal
from benchmarks.campaign.plan import asked_pairs, case_record
from benchmarks.campaign.schema import Case, Cell, Contender, Plan, RoundLine
from benchmarks.campaign.stop import (
    LOOK_EVERY,
    MAX_SWEEPS,
    PILOT_ROUNDS,
    PILOT_SWEEPS,
)
from benchmarks.campaign.workers import WorkerError
from benchmarks.cases import Case as AskedCase
from benchmarks.matrix import Selection
from tests.benchmarks.fakes import (
    CASE_BLOCKS,
    CASE_LOOPS,
    FakeExecutor,
    FullDisk,
    Recorder,
    Script,
    Turn,
    make_plan,
)


class Campaign:
    """A plan, its journal on the disk, and what its workers were asked."""

    def __init__(self, folder: Path, plan: Plan, script: Script, *, overlaps: bool) -> None:
        self.plan = plan
        self.script = script
        self.observer = Recorder()
        self.journal = Journal.create(folder)
        self.overlaps = overlaps
        self.executor = FakeExecutor(script, overlaps=overlaps)

    def run(self) -> Plan:
        return Conductor(
            self.plan, self.executor, self.journal, self.observer, self.script.clock
        ).run()

    def resume(self, *, budget_seconds: float | None = None) -> Plan:
        """As after the process has ended."""
        self.plan = self.saved()
        if budget_seconds is not None:
            self.plan = replace(self.plan, budget_seconds=budget_seconds)
        self.executor = FakeExecutor(self.script, overlaps=self.overlaps)
        return self.run()

    @property
    def lines(self) -> list[RoundLine]:
        return list(self.journal.lines(self.plan))

    def saved(self) -> Plan:
        return self.journal.load()

    def rounds_of(self, case: Case) -> list[int]:
        return [line.round for line in self.lines if line.case == case.id]

    def cells(self, line: RoundLine) -> dict[str, Cell]:
        """By the contender's id."""
        return {self.plan.contenders[place].id: cell for place, cell in line.cells.items()}


MakeCampaign = Callable[..., Campaign]


@pytest.fixture
def make(tmp_path: Path) -> MakeCampaign:
    numbers = itertools.count()

    def made(plan: Plan, script: Script, *, overlaps: bool = False) -> Campaign:
        folder = tmp_path / f"campaign-{next(numbers)}"
        return Campaign(folder, plan, script, overlaps=overlaps)

    return made


def noisy(spread: float, seed: int = 5) -> Callable[[Turn], float]:
    """Values that scatter by this standard deviation of their logarithm."""
    rng = random.Random(seed)
    return lambda turn: rng.lognormvariate(-7.0, spread)


def ids(rows: Sequence[Contender] | Sequence[Case]) -> list[str]:
    return [row.id for row in rows]


QUIET_SWEEPS = [PILOT_SWEEPS] + [1] * (LEAST_ROUNDS - 1)
"""Of the rounds of a campaign whose values do not scatter: one sweep is enough after the pilot."""


def sweeps_in(line: RoundLine, case: Case) -> int:
    """The sweeps of a round, of a case of short turns, by what it has in the end."""
    if line.round < PILOT_ROUNDS:
        return 1 if line.round else PILOT_SWEEPS
    return case.sweeps


def turns_in(plan: Plan, rounds: int) -> int:
    """Turns of the first rounds of a campaign whose values do not scatter."""
    return sum(QUIET_SWEEPS[:rounds]) * len(plan.contenders) * len(plan.cases)


def orders_of(turns: Sequence[Turn], plan: Plan) -> Iterator[list[str]]:
    """The contenders of each sweep in their order, of a campaign without failures."""
    size = len(plan.contenders)
    for start in range(0, len(turns), size):
        sweep = turns[start : start + size]
        assert len({turn.case for turn in sweep}) == 1, "a sweep is of one case"
        yield [turn.contender for turn in sweep]


# Taking turns


def test_every_contender_has_exactly_one_slice_in_every_sweep(make: MakeCampaign) -> None:
    plan = make_plan(loops=("asyncio", "uvloop"))
    campaign = make(plan, Script())
    assert campaign.run().status == "complete"
    orders = list(orders_of(campaign.script.turns, plan))
    assert all(sorted(order) == sorted(ids(plan.contenders)) for order in orders)
    assert len(orders) == len(plan.cases) * sum(QUIET_SWEEPS)


def test_the_order_is_drawn_anew_for_every_sweep(make: MakeCampaign) -> None:
    # Processes that take long to start, and values that scatter: a round has many sweeps.
    plan = make_plan(tasks=(10,), precision=0.02)
    campaign = make(plan, Script(seconds=noisy(0.02), start_seconds=1000.0))
    campaign.run()
    orders = list(orders_of(campaign.script.turns, plan))
    assert len(orders) > 200
    repeated = sum(first == second for first, second in itertools.pairwise(orders))
    # Of 24 orders the same comes twice in a row once in 24 times.
    assert repeated < 3 * len(orders) / 24
    assert len(set(map(tuple, orders))) == 24
    taken = Counter((contender, place) for order in orders for place, contender in enumerate(order))
    expected, deviation = len(orders) / 4, (len(orders) * 0.25 * 0.75) ** 0.5
    assert len(taken) == 16
    assert all(abs(count - expected) < 4 * deviation for count in taken.values())


def test_those_that_share_a_baseline_take_their_turns_together() -> None:
    contenders = make_plan(loops=("asyncio", "uvloop")).contenders
    rng = random.Random(1)
    orders = [sweep_order(contenders, rng) for _ in range(200)]
    for order in orders:
        assert sorted(ids(order)) == sorted(ids(contenders))
        groups = [group for group, _ in itertools.groupby(order, lambda one: one.group)]
        assert len(groups) == len(set(groups)) == 2
    # Groups, and contenders within them, come first about equally often.
    assert {order[0].id for order in orders} == set(ids(contenders))
    assert 60 < sum(order[0].loop == "uvloop" for order in orders) < 140


def test_only_one_worker_is_ever_asked_at_a_time_while_all_are_alive(make: MakeCampaign) -> None:
    alive = []
    script = Script()
    script.on_turn = lambda turn: alive.append(len(script.open_workers))
    plan = make_plan()
    make(plan, script).run()
    assert script.most_asked_at_once == 1
    assert set(alive) == {len(plan.contenders)}


def test_cases_come_in_another_order_in_other_rounds(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(1, 2, 3, 4))
    campaign = make(plan, Script())
    campaign.run()
    orders: dict[int, list[str]] = defaultdict(list)
    for line in campaign.lines:
        orders[line.round].append(line.case)
    assert len(orders) == LEAST_ROUNDS
    assert all(sorted(order) == ids(plan.cases) for order in orders.values())
    assert len(set(map(tuple, orders.values()))) > LEAST_ROUNDS / 2


def test_the_same_seed_gives_the_same_order_and_another_seed_another(make: MakeCampaign) -> None:
    def turns(seed: int) -> list[Turn]:
        campaign = make(make_plan(seed=seed), Script())
        campaign.run()
        return campaign.script.turns

    first, second = turns(1), turns(2)

    def asked(turns: Sequence[Turn]) -> Counter[tuple[str, str]]:
        return Counter((turn.contender, turn.case.id) for turn in turns)

    assert turns(1) == first != second
    assert asked(second) == asked(first)


def test_workers_are_fresh_in_every_round_and_none_is_left(make: MakeCampaign) -> None:
    plan = make_plan()
    campaign = make(plan, Script())
    campaign.run()
    # One crew calibrates, one serves each round.
    assert campaign.script.started == [tuple(ids(plan.contenders))] * (1 + LEAST_ROUNDS)
    assert campaign.script.open_workers == []


def test_baselines_say_how_many_batches_fill_a_slice_and_all_prove_that_they_can(
    make: MakeCampaign,
) -> None:
    plan = make_plan(loops=("asyncio", "uvloop"))
    said = {"asyncio": 7, "uvloop": 9}
    script = Script(
        loops=lambda one: said[one.loop] if one.role == "baseline" else 1000,
        blocks=lambda one: 10 + said[one.loop] if one.role == "baseline" else 1,
    )
    campaign = make(plan, script)
    campaign.run()
    assert {(turn.loops, turn.blocks) for turn in campaign.script.turns} == {(8, 18)}
    cases = campaign.saved().cases
    assert {(case.loops, case.blocks, case.quantile) for case in cases} == {(8, 18, 0.05)}
    everything = itertools.product(ids(plan.contenders), ids(plan.cases))
    assert sorted(campaign.script.calibrations) == sorted(everything)


def test_where_the_baseline_cannot_another_says_how_many_batches_fill_a_slice(
    make: MakeCampaign,
) -> None:
    def fail(contender: Contender, case: AskedCase) -> None:
        if contender.role == "baseline":
            raise WorkerError("it broke", alive=True)

    plan = make_plan(tasks=(10,))
    second = plan.contenders[1].id
    script = Script(on_calibrate=fail, loops=lambda one: 5 if one.id == second else 1000)
    (case,) = make(plan, script).run().cases
    assert case.loops == 5


@pytest.mark.parametrize(
    ("workload", "blocks", "share"),
    [("noop", 3, 0.25), ("noop", 4, 0.10), ("noop", 10, 0.05), ("sleep", 10, 0.25)],
)
def test_calibrating_chooses_the_quantile_that_a_case_is_reduced_to(
    workload: str, blocks: int, share: float, make: MakeCampaign
) -> None:
    plan = make_plan(tasks=(10,), workloads=(workload,))
    (case,) = make(plan, Script(blocks=lambda contender: blocks)).run().cases
    assert (case.blocks, case.quantile) == (blocks, share)


def test_phases_are_the_same_for_all_of_a_sweep_and_cover_a_fan_out(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10,), precision=0.02)
    campaign = make(plan, Script(seconds=noisy(0.02), start_seconds=1000.0))
    done = campaign.run()
    turns, size = campaign.script.turns, len(plan.contenders)
    sweeps = [{turn.phase for turn in turns[at : at + size]} for at in range(0, len(turns), size)]
    assert {len(phases) for phases in sweeps} == {1}
    phases = [phase for (phase,) in sweeps]
    assert all(0 <= phase < 1 for phase in phases)
    # Of one round, each by the golden section after the one before.
    (case,) = done.cases
    of_round = phases[PILOT_SWEEPS + PILOT_ROUNDS - 1 :][: case.sweeps]
    steps = {round((later - phase) % 1, 6) for phase, later in itertools.pairwise(of_round)}
    assert steps == {round(GOLDEN, 6)}
    tenths = Counter(int(10 * phase) for phase in phases)
    assert len(tenths) == 10
    assert max(tenths.values()) < 2 * min(tenths.values())


# The pilot and what it is for


def test_a_pilot_of_three_rounds_chooses_the_sweeps_of_each_case(
    make: MakeCampaign,
) -> None:
    quiet, loud = noisy(0.001), noisy(0.02)
    plan = make_plan(tasks=(10, 100, 1000), precision=0.02)
    script = Script(
        seconds=lambda turn: (loud if turn.case.tasks == 100 else quiet)(turn),
        busy_seconds=lambda case: 0.08 if case.tasks == 1000 else 0.01,
        start_seconds=0.5,
    )
    campaign = make(plan, script)
    done = campaign.run()
    cases = {case.id: case for case in done.cases}
    for line in campaign.lines:
        slices = {cell.slices for cell in line.cells.values()}
        assert slices == {sweeps_in(line, cases[line.case])}
    sweeps = {name: case.sweeps for name, case in cases.items()}
    quiet_case, loud_case, dear_case = ids(plan.cases)
    assert 1 == sweeps[dear_case] <= sweeps[quiet_case] < sweeps[loud_case] <= MAX_SWEEPS

    allocation = done.allocation
    assert allocation is not None
    assert (allocation.pilot_rounds, allocation.pilot_sweeps) == (PILOT_ROUNDS, PILOT_SWEEPS)
    assert allocation.start_seconds == 0.5
    rows = {row.case: row for row in allocation.cases}
    assert {name: row.sweeps for name, row in rows.items()} == sweeps
    assert rows[quiet_case].sweep_seconds == pytest.approx(4 * 0.01)
    assert rows[dear_case].sweep_seconds == pytest.approx(4 * 0.08)
    slice_sd, other = rows[loud_case].slice_sd, rows[quiet_case].slice_sd
    assert slice_sd is not None
    assert other is not None
    assert 0.005 < slice_sd < 0.04
    assert other < 0.002


def test_the_allocation_is_on_the_disk_when_the_fourth_round_begins(make: MakeCampaign) -> None:
    script = Script()
    campaign = make(make_plan(), script)
    known: list[tuple[int, bool]] = []

    def look(turn: Turn) -> None:
        saved = campaign.saved()
        if not known or known[-1][0] != saved.rounds:
            known.append((saved.rounds, saved.allocation is not None))

    script.on_turn = look
    campaign.run()
    assert known == [(number, number >= PILOT_ROUNDS) for number in range(LEAST_ROUNDS)]


def test_long_turns_are_taken_once_a_round_from_the_beginning(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10, 1000))
    short, long = ids(plan.cases)
    script = Script(
        busy_seconds=lambda case: 1.01 * LONG_SECONDS if case.tasks == 1000 else LONG_SECONDS,
        seconds=noisy(0.001),
    )
    campaign = make(plan, script)
    done = campaign.run()
    first = {line.case: line for line in campaign.lines if line.round == 0}
    assert {cell.slices for cell in first[short].cells.values()} == {PILOT_SWEEPS}
    assert {cell.slices for line in campaign.lines if line.case == long
            for cell in line.cells.values()} == {1}  # fmt: skip
    assert done.allocation is not None
    row = next(row for row in done.allocation.cases if row.case == long)
    assert (row.sweeps, row.slice_sd) == (1, None)
    assert row.sweep_seconds == pytest.approx(4 * 1.01 * LONG_SECONDS)


@pytest.mark.parametrize("start_seconds", [0.1, 0.5, 1.5])
def test_the_budget_is_enough_for_30_rounds_where_it_can_be(
    start_seconds: float, make: MakeCampaign
) -> None:
    plan = make_plan(tasks=(10, 100, 1000), budget_seconds=60.0)
    campaign = make(plan, Script(seconds=noisy(0.5), start_seconds=start_seconds))
    done = campaign.run()
    assert done.status == "complete"
    assert done.rounds >= AIMED_ROUNDS


# The journal


def test_the_journal_has_one_line_for_every_round_and_case(make: MakeCampaign) -> None:
    plan = make_plan(probes=("throughput", "latency"))
    campaign = make(plan, Script(seconds=lambda turn: turn.case.tasks * 1e-6))
    cases = {case.id: case for case in campaign.run().cases}
    keys = [(line.round, line.case) for line in campaign.lines]
    assert sorted(keys) == sorted(itertools.product(range(LEAST_ROUNDS), cases))
    for line in campaign.lines:
        case = cases[line.case]
        assert line.failures == {}
        assert list(line.cells) == list(range(len(plan.contenders)))
        sweeps = sweeps_in(line, case)
        assert line.wall_seconds == pytest.approx(0.01 * sweeps * len(plan.contenders))
        for cell in line.cells.values():
            assert cell.slices == sweeps
            assert cell.batches == CASE_LOOPS * CASE_BLOCKS * sweeps
            assert cell.means == [[case.tasks] * sweeps] * len(case.metrics)
            assert cell.quantiles == [[case.tasks] * 5] * len(case.metrics)
            assert cell.timed_seconds == pytest.approx(0.01 * sweeps)
            assert (cell.collections, cell.switches, cell.set_aside) == ([], [], [])


def test_what_is_told_of_slices_is_kept_in_their_order(make: MakeCampaign) -> None:
    values = itertools.count(1)
    script = Script(
        seconds=lambda turn: 1e-6 * next(values),
        collections=lambda turn: (3, 1, 0),
        observed=lambda turn: 4.0,
    )
    plan = make_plan(tasks=(10,), probes=("cancel",), budget_seconds=100.0)
    campaign = make(plan, script)
    campaign.run()
    cells = campaign.lines[0].cells.values()
    size, metrics = len(plan.contenders), len(plan.cases[0].metrics)
    for sweep in range(PILOT_SWEEPS):
        first = 1 + sweep * size * metrics
        seen = sorted(means[sweep] for cell in cells for means in cell.means)
        assert seen == list(range(first, first + size * metrics))
    for cell in cells:
        assert cell.collections == [(3 * PILOT_SWEEPS, 6), (PILOT_SWEEPS, 2), (0, 0)]
        assert cell.observed == [4]


def test_a_line_is_on_the_disk_before_the_next_case_begins(make: MakeCampaign) -> None:
    script = Script()
    campaign = make(make_plan(), script)
    plan = campaign.plan
    sweeps = (count for count in QUIET_SWEEPS for _ in plan.cases)
    ends = list(itertools.accumulate(count * len(plan.contenders) for count in sweeps))

    def check(turn: Turn) -> None:
        path = campaign.journal.folder / schema.JOURNAL_FILE
        ended = sum(end < len(script.turns) for end in ends)
        assert path.read_bytes().count(b"\n") == ended

    script.on_turn = check
    campaign.run()
    assert len(campaign.lines) == LEAST_ROUNDS * len(campaign.plan.cases)


def test_the_plan_is_running_while_it_runs_and_complete_in_the_end(make: MakeCampaign) -> None:
    seen = set()
    script = Script()
    campaign = make(make_plan(tasks=(10,)), script)

    def look(turn: Turn) -> None:
        saved = campaign.saved()
        seen.add((saved.status, saved.finished, saved.rounds))

    script.on_turn = look
    plan = campaign.run()
    assert seen == {("running", None, number) for number in range(LEAST_ROUNDS)}
    assert campaign.saved() == plan
    assert (plan.status, plan.rounds, plan.peak_worker_bytes) == ("complete", LEAST_ROUNDS, 1000)
    assert plan.finished is not None
    assert plan.peak_driver_bytes > 2**20
    assert all(row.conditions == {"loop_class": "asyncio"} for row in plan.contenders)


def test_the_observer_hears_of_every_case_that_begins(make: MakeCampaign) -> None:
    campaign = make(make_plan(), Script())
    campaign.run()
    progress = campaign.observer.progress
    assert [(row.stage, row.index, row.count) for row in progress[:4]] == [
        ("calibrating", 1, 2), ("calibrating", 2, 2), ("round 1", 1, 2), ("round 1", 2, 2),
    ]  # fmt: skip
    assert len(progress) == 2 * (1 + LEAST_ROUNDS)
    elapsed = [row.elapsed_seconds for row in progress]
    assert elapsed == sorted(elapsed)
    assert progress[-1].half_width == 0.0


# Blocks

BLOCKS = (
    Selection(probes=("throughput",), workloads=("noop",), tasks=(10, 100), loops=("asyncio",)),
    Selection(
        probes=("throughput",), workloads=("noop",), tasks=(100,), loops=("asyncio",),
        strategies=("wait",), collectors=("on", "off"),
    ),
    Selection(probes=("cancel",), tasks=(5,), loops=("uvloop",), strategies=("wait",)),
)  # fmt: skip


def test_contenders_are_asked_the_cases_of_their_blocks_and_no_others(make: MakeCampaign) -> None:
    plan = make_plan(selections=BLOCKS)
    campaign = make(plan, Script(seconds=noisy(0.001)))
    done = campaign.run()
    expected = asked_pairs(plan)
    assert 0 < len(expected) < len(plan.contenders) * len(plan.cases)
    assert sorted(campaign.script.calibrations) == sorted(expected)
    assert {
        (contender, line.case) for line in campaign.lines for contender in campaign.cells(line)
    } == expected
    assert (done.status, done.rounds) == ("complete", LEAST_ROUNDS)
    assert all(campaign.rounds_of(case) == list(range(LEAST_ROUNDS)) for case in plan.cases)


# When it ends


def test_every_round_is_complete_also_when_some_cases_are_precise(make: MakeCampaign) -> None:
    quiet, loud = noisy(0.0001), noisy(0.03)
    plan = make_plan(tasks=(10, 100))
    script = Script(seconds=lambda turn: (quiet if turn.case.tasks == 10 else loud)(turn))
    campaign = make(plan, script)
    done = campaign.run()
    assert done.status == "complete"
    assert done.rounds > LEAST_ROUNDS
    for case in plan.cases:
        assert campaign.rounds_of(case) == list(range(done.rounds))
    assert campaign.observer.progress[-1].precise_cases >= 1


@pytest.mark.parametrize("spread", [0.0, 0.01, 0.02, 0.03])
def test_it_ends_at_a_look_when_all_are_precise(spread: float, make: MakeCampaign) -> None:
    campaign = make(make_plan(tasks=(10, 100)), Script(seconds=noisy(spread)))
    done = campaign.run()
    assert done.status == "complete"
    assert done.rounds >= LEAST_ROUNDS
    assert (done.rounds - LEAST_ROUNDS) % LOOK_EVERY == 0


def test_it_ends_when_the_next_round_would_not_fit_the_budget(make: MakeCampaign) -> None:
    plan = make_plan(tasks=range(1, 9), budget_seconds=50.0)
    campaign = make(plan, Script(seconds=noisy(1.0), start_seconds=0.1))
    done = campaign.run()
    round_seconds = 0.1 + sum(line.wall_seconds for line in campaign.lines[-len(plan.cases) :])
    assert done.elapsed_seconds <= 50.0 < done.elapsed_seconds + round_seconds
    assert done.status == "complete"
    for case in plan.cases:
        assert campaign.rounds_of(case) == list(range(done.rounds))


def test_what_the_last_round_took_says_what_the_next_will(make: MakeCampaign) -> None:
    """The machine becomes ten times slower: rounds are given up in time."""
    script = Script(seconds=noisy(1.0), start_seconds=0.1)
    script.busy_seconds = lambda case: 0.01 if script.clock() < 1020 else 0.1
    done = make(make_plan(budget_seconds=50.0), script).run()
    assert done.status == "complete"
    assert 40.0 < done.elapsed_seconds <= 50.0


def test_a_budget_that_calibration_spends_gives_no_round(make: MakeCampaign) -> None:
    campaign = make(make_plan(budget_seconds=0.01), Script())
    plan = campaign.run()
    assert (plan.status, plan.rounds) == ("failed", 0)
    assert campaign.saved().status == "failed"
    assert campaign.lines == []


def test_the_first_round_is_begun_where_anything_is_left(make: MakeCampaign) -> None:
    # Calibrating has taken 0.04 s; a round takes as long, at the least.
    campaign = make(make_plan(tasks=(10,), budget_seconds=0.05), Script())
    plan = campaign.run()
    assert (plan.status, plan.rounds) == ("complete", 1)
    assert plan.elapsed_seconds == pytest.approx(0.08)


def test_no_more_rounds_are_begun_than_can_be_read(
    make: MakeCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.campaign.conduct.MOST_ROUNDS", 3)
    plan = make(make_plan(tasks=(10,)), Script()).run()
    assert (plan.status, plan.rounds) == ("complete", 3)


# Cases that are left out


def by_tasks(seconds: Mapping[int, float]) -> Callable[[AskedCase], float]:
    return lambda case: seconds[case.tasks]


def one_batch(contender: Contender) -> int:
    return 1


LARGE = by_tasks({10: 0.01, 100: 0.01, FEW_TASKS: 0.1, 100_000: 1.0})


def test_what_the_budget_cannot_pay_is_left_out_and_says_why(make: MakeCampaign) -> None:
    """A batch of 10 000 tasks takes 0.1 s: of 100 000, it takes 1 s. Four contenders have seven of
    them until the end of the first round.
    """
    plan = make_plan(tasks=(10, 100, 100_000), budget_seconds=20.0)
    script = Script(busy_seconds=LARGE, loops=one_batch, blocks=one_batch, start_seconds=0.2)
    campaign = make(plan, script)
    done = campaign.run()
    assert (done.status, done.failed) == ("complete", ())
    left_out = done.cases[-1]
    assert left_out.left_out == (
        "it needs about 28 s before it has a value; of the budget 19 s are left"
    )
    assert (left_out.sweeps, left_out.loops, left_out.blocks) == (0, 0, 0)
    assert [case.left_out for case in done.cases[:-1]] == ["", ""]
    # What it would take is told by the first contender, with few tasks.
    small = case_record(AskedCase("throughput", "noop", FEW_TASKS)).id
    assert script.calibrations[-1] == (plan.contenders[0].id, small)
    assert Counter(case for _, case in script.calibrations) == {
        plan.cases[0].id: 4, plan.cases[1].id: 4, small: 1,
    }  # fmt: skip
    assert {turn.case.tasks for turn in script.turns} == {10, 100}
    assert done.rounds == LEAST_ROUNDS
    assert campaign.saved().cases == done.cases


def test_a_large_case_that_the_budget_can_pay_is_measured(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10, 100_000), budget_seconds=100.0)
    script = Script(busy_seconds=LARGE, loops=one_batch, blocks=one_batch)
    done = make(plan, script).run()
    assert [case.left_out for case in done.cases] == ["", ""]
    assert [case.sweeps for case in done.cases] == [1, 1]
    assert done.rounds == LEAST_ROUNDS


def test_calibration_goes_from_small_to_large(make: MakeCampaign) -> None:
    selections = [
        Selection(probes=("throughput",), workloads=(workload,), tasks=(tasks,), loops=("asyncio",))
        for workload, tasks in (("noop", 100), ("noop", 1), ("sleep", 10))
    ]
    plan = make_plan(selections=selections)
    campaign = make(plan, Script())
    done = campaign.run()
    order = list(dict.fromkeys(case for _, case in campaign.script.calibrations))
    assert order == ["throughput/noop/1", "throughput/sleep/10", "throughput/noop/100"]
    assert ids(done.cases) == ids(plan.cases)


def test_small_cases_are_left_out_when_nothing_is_left_for_their_rounds(
    make: MakeCampaign,
) -> None:
    """Each calibrates in 0.04 s, and would take 0.08 s of a round."""
    plan = make_plan(tasks=(1, 2, 3, 4, 5), budget_seconds=0.3)
    campaign = make(plan, Script())
    done = campaign.run()
    assert [bool(case.left_out) for case in done.cases] == [False, False, False, True, True]
    assert (done.status, done.rounds) == ("complete", 1)


def test_a_first_round_that_would_not_fit_has_one_sweep(make: MakeCampaign) -> None:
    """Calibrating has taken 0.28 s, and a round of two sweeps would take 0.56 s."""
    plan = make_plan(tasks=(1, 2, 3), budget_seconds=0.75)
    campaign = make(plan, Script(busy_seconds=by_tasks({1: 0.05, 2: 0.01, 3: 0.01})))
    done = campaign.run()
    assert [case.left_out for case in done.cases] == ["", "", ""]
    assert {cell.slices for line in campaign.lines for cell in line.cells.values()} == {1}
    assert (done.status, done.rounds) == ("complete", 1)
    assert done.elapsed_seconds == pytest.approx(2 * 0.28)


def test_what_takes_longest_is_left_out_of_a_first_round_that_would_not_fit(
    make: MakeCampaign,
) -> None:
    """Calibrating has taken 8.8 s, and a round of one sweep would take as long."""
    plan = make_plan(tasks=(1, 2, 3), budget_seconds=10.0)
    campaign = make(plan, Script(busy_seconds=by_tasks({1: 0.1, 2: 0.1, 3: 2.0})))
    done = campaign.run()
    assert [case.left_out for case in done.cases] == [
        "", "", "a round of it takes 8.0 s; of the budget 1 s are left",
    ]  # fmt: skip
    assert [bool(case.sweeps) for case in done.cases] == [True, True, False]
    assert {line.case for line in campaign.lines} == {case.id for case in plan.cases[:2]}
    assert (done.status, done.rounds) == ("complete", 1)
    assert done.elapsed_seconds <= 10.0


def test_a_failure_with_few_tasks_is_not_yet_one_of_the_case(make: MakeCampaign) -> None:
    def fail(contender: Contender, case: AskedCase) -> None:
        if case.tasks == FEW_TASKS:
            raise WorkerError("it broke", alive=True)

    plan = make_plan(tasks=(10, 100_000))
    script = Script(on_calibrate=fail, busy_seconds=LARGE)
    done = make(plan, script).run()
    assert (done.status, done.failed) == ("complete", ())
    assert all(case.sweeps for case in done.cases)


# Turns that are taken again


def interrupted(*turns: int) -> Callable[[Script], Callable[[Turn], int]]:
    """The turns of these numbers, from 1, lose their core three times."""
    return lambda script: lambda turn: 3 if len(script.turns) in turns else 0


def test_a_turn_that_was_interrupted_is_taken_again_at_once(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10,))
    script = Script()
    script.switches = interrupted(2)(script)
    script.seconds = lambda turn: 9e-3 if len(script.turns) == 2 else 1e-3
    campaign = make(plan, script)
    campaign.run()
    second, again = script.turns[1:3]
    assert second == again, "by the same contender, at the same phase"
    first_sweep = [turn.contender for turn in script.turns[:5]]
    assert Counter(first_sweep) == {
        **dict.fromkeys(ids(plan.contenders), 1), second.contender: 2,
    }  # fmt: skip
    cells = campaign.cells(campaign.lines[0])
    cell = cells.pop(second.contender)
    assert (cell.set_aside, cell.switches) == ([0], [3, 0, 0])
    assert cell.means == [[9000, 1000, 1000]]
    assert cell.quantiles == [[1000] * 5]
    assert all((one.set_aside, one.switches, one.slices) == ([], [], 2) for one in cells.values())


def test_a_turn_is_taken_again_once(make: MakeCampaign) -> None:
    script = Script()
    script.switches = interrupted(1, 2)(script)
    campaign = make(make_plan(tasks=(10,)), script)
    campaign.run()
    cell = campaign.cells(campaign.lines[0])[script.turns[0].contender]
    assert (cell.set_aside, cell.switches) == ([0], [3, 3, 0])


def test_turns_are_never_taken_again_for_their_seconds(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10,))
    script = Script()
    script.seconds = lambda turn: 1.0 if len(script.turns) % 7 == 0 else 1e-3
    campaign = make(plan, script)
    done = campaign.run()
    assert not any(cell.set_aside for line in campaign.lines for cell in line.cells.values())
    sweeps = sum(sweeps_in(line, done.cases[0]) for line in campaign.lines)
    assert len(script.turns) == sweeps * len(plan.contenders)


@pytest.mark.parametrize(
    ("switches", "cpu_share", "workload", "is_taken_again"),
    [
        (1, 0.5, "noop", True),
        (1, 0.96, "noop", True),
        (5, 0.98, "noop", False),
        (0, 0.5, "noop", False),
        (1, 0.5, "sleep", False),
    ],
)
def test_a_turn_is_taken_again_that_computes_and_has_lost_a_part_of_its_time(
    switches: int, cpu_share: float, workload: str, is_taken_again: bool, make: MakeCampaign
) -> None:
    script = Script(switches=lambda turn: switches, cpu_share=lambda turn: cpu_share)
    campaign = make(make_plan(tasks=(10,), workloads=(workload,)), script)
    campaign.run()
    taken_again = {bool(cell.set_aside) for line in campaign.lines for cell in line.cells.values()}
    assert taken_again == {is_taken_again}


def test_the_rest_is_kept_before_every_turn_and_planned(
    make: MakeCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before turns that calibrate or are taken again; it makes no turn a long one."""
    rests = 0
    script = Script(seconds=noisy(0.2), switches=lambda turn: 1, cpu_share=lambda turn: 0.5)

    def sleep(seconds: float) -> None:
        nonlocal rests
        rests += 1
        script.clock.advance(seconds)

    monkeypatch.setattr("benchmarks.campaign.conduct.time.sleep", sleep)
    rest = 2 * LONG_SECONDS
    plan = replace(make_plan(tasks=(10,)), cooldown_seconds=rest, budget_seconds=300 * rest)
    campaign = make(plan, script)
    done = campaign.run()
    assert done.rounds >= 2
    assert rests == len(script.calibrations) + len(script.turns)
    assert done.elapsed_seconds <= 300 * rest
    gone_on = campaign.resume(budget_seconds=600 * rest)
    assert gone_on.rounds > done.rounds
    for line in campaign.lines:
        assert all(cell.set_aside for cell in line.cells.values())


@pytest.mark.parametrize(
    ("seconds", "taken_again"), [(0.99 * LONG_SECONDS, 1), (1.01 * LONG_SECONDS, 0)]
)
def test_long_turns_are_not_taken_again(
    seconds: float, taken_again: int, make: MakeCampaign
) -> None:
    """There always is somebody who wants the core meanwhile."""
    script = Script(switches=lambda turn: 1, busy_seconds=lambda case: seconds)
    campaign = make(make_plan(tasks=(10,)), script)
    campaign.run()
    first = campaign.lines[0]
    for cell in first.cells.values():
        assert len(cell.set_aside) == taken_again * (cell.slices // 2)
        assert set(cell.switches) == {1}


def test_a_turn_that_fails_when_it_is_taken_again_is_a_failure(make: MakeCampaign) -> None:
    def fail(turn: Turn) -> None:
        if len(script.turns) == 4:
            raise WorkerError("it broke", alive=True)

    script = Script(on_turn=fail)
    script.switches = interrupted(3)(script)
    campaign = make(make_plan(tasks=(10,)), script)
    done = campaign.run()
    third = script.turns[2].contender
    assert [(row.contender, row.cause) for row in done.failed] == [(third, "it broke")]
    first = campaign.lines[0]
    assert third not in campaign.cells(first)
    assert first.failures == {third: "it broke"}


# Workers of the next round


def order_of(*splits: bool) -> list[Case]:
    case = case_record(AskedCase("throughput", "noop", 10))
    return [replace(case, splits=one) for one in splits]


@pytest.mark.parametrize(
    ("splits", "place"),
    [
        ([True], 0),
        ([True, True, True], 1),
        ([False, False, False, False], 4),
        ([True, False, False, True], 2),
        ([True, True, True, False, False, False], 4),
    ],
)
def test_beside_the_next_workers_that_start_no_case_waits(
    splits: Sequence[bool], place: int
) -> None:
    cases = [replace(case, id=str(n)) for n, case in enumerate(order_of(*splits))]
    orders = set()
    for seed in range(50):
        order, found = round_order(cases, random.Random(seed))
        assert found == place
        assert sorted(order, key=lambda case: case.id) == cases
        assert all(case.splits for case in order[found:])
        orders.add(tuple(case.id for case in order))
    assert len(orders) > 1 or len(cases) == 1


def test_the_next_workers_get_ready_while_others_are_measured(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(1, 2, 3, 4))
    size = len(plan.contenders)
    script = Script(start_seconds=0.05)
    alive: dict[int, list[int]] = defaultdict(list)

    campaign = make(plan, script, overlaps=True)

    def look(turn: Turn) -> None:
        lines = (campaign.journal.folder / schema.JOURNAL_FILE).read_bytes().count(b"\n")
        alive[lines % 4].append(len(script.open_workers))

    script.on_turn = look
    done = campaign.run()
    assert {place: set(seen) for place, seen in alive.items()} == {
        0: {size}, 1: {2 * size}, 2: {2 * size}, 3: {2 * size},
    }  # fmt: skip
    assert script.most_asked_at_once == 1
    # One crew calibrates, one serves each round, and the last is for a round that does not come.
    assert script.started == [tuple(ids(plan.contenders))] * (1 + LEAST_ROUNDS + 1)
    assert script.open_workers == []
    # Only the calibration and the first round have waited.
    turns = len(plan.cases) * size + turns_in(plan, LEAST_ROUNDS)
    assert done.elapsed_seconds == pytest.approx(2 * 0.05 + 0.01 * turns)


def test_without_a_core_for_it_workers_start_when_the_round_before_has_ended(
    make: MakeCampaign,
) -> None:
    plan = make_plan()
    script = Script(start_seconds=0.05)
    done = make(plan, script, overlaps=False).run()
    turns = len(plan.cases) * len(plan.contenders) + turns_in(plan, LEAST_ROUNDS)
    assert done.elapsed_seconds == pytest.approx((1 + LEAST_ROUNDS) * 0.05 + 0.01 * turns)


@pytest.mark.parametrize("overlaps", [False, True])
@pytest.mark.parametrize("what", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("after_turns", [1, 25, 31, 47])
def test_no_worker_is_left_wherever_it_ends(
    after_turns: int, what: type[BaseException], overlaps: bool, make: MakeCampaign
) -> None:
    def end(turn: Turn) -> None:
        if len(script.turns) == after_turns:
            raise what

    script = Script(on_turn=end)
    campaign = make(make_plan(tasks=(1, 2, 3)), script, overlaps=overlaps)
    with pytest.raises(what):
        campaign.run()
    assert script.started[1:], "it had begun"
    assert script.open_workers == []


@pytest.mark.parametrize("overlaps", [False, True])
@pytest.mark.parametrize("waits", [1, 2, 3])
def test_ctrl_c_while_workers_get_ready_leaves_none(
    waits: int, overlaps: bool, make: MakeCampaign
) -> None:
    so_far = itertools.count(1)

    def interrupt() -> None:
        if next(so_far) == waits:
            raise KeyboardInterrupt

    script = Script(on_wait=interrupt)
    campaign = make(make_plan(), script, overlaps=overlaps)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    assert campaign.saved().status == "interrupted"
    assert script.open_workers == []


def test_the_budget_that_ends_leaves_no_worker(make: MakeCampaign) -> None:
    script = Script(seconds=noisy(1.0), start_seconds=0.1)
    done = make(make_plan(budget_seconds=10.0), script, overlaps=True).run()
    assert done.status == "complete"
    assert script.started[done.rounds + 1 :] == [tuple(ids(done.contenders))]
    assert script.open_workers == []


# Failures

BROKEN = "gather_tasks"


def broken_of(plan: Plan) -> Contender:
    return next(row for row in plan.contenders if row.strategy == BROKEN)


@pytest.mark.parametrize("overlaps", [False, True])
@pytest.mark.parametrize("alive", [True, False])
def test_a_failing_worker_is_not_asked_again_in_that_case_and_all_else_goes_on(
    alive: bool, overlaps: bool, make: MakeCampaign
) -> None:
    plan = make_plan()
    broken_case, other_case = plan.cases
    broken = broken_of(plan)
    script = Script()
    campaign = make(plan, script, overlaps=overlaps)

    def fail_in_the_third_round(turn: Turn) -> None:
        to_break = turn.strategy == BROKEN and turn.case.id == broken_case.id
        if to_break and len(campaign.rounds_of(broken_case)) == 2:
            raise WorkerError("it broke", alive=alive)

    script.on_turn = fail_in_the_third_round
    done = campaign.run()
    assert campaign.rounds_of(broken_case) == campaign.rounds_of(other_case)
    for line in campaign.lines:
        is_broken = line.case == broken_case.id and line.round >= 2
        assert (broken.id in campaign.cells(line)) != is_broken
        first_time = is_broken and line.round == 2
        assert line.failures == ({broken.id: "it broke"} if first_time else {})
        assert {cell.slices for cell in line.cells.values()} == {QUIET_SWEEPS[line.round]}
    (failure,) = done.failed
    assert (failure.contender, failure.case, failure.round) == (broken.id, broken_case.id, 2)
    assert failure.cause == "it broke"
    assert done.status == "failed"
    assert campaign.saved().failed == done.failed
    assert campaign.observer.failures == [failure]
    assert script.open_workers == []
    # A live worker is kept; whether the other case came after it in this round is chance.
    assert script.started.count((broken.id,)) <= (not alive)


def test_a_dead_worker_is_replaced_for_the_next_case(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(1, 2, 3))
    broken = broken_of(plan)
    script = Script()

    def die_in_calibration(contender: Contender, case: object) -> None:
        if contender.id == broken.id and len(script.calibrations) < 5:
            raise WorkerError("it died")

    script.on_calibrate = die_in_calibration
    campaign = make(plan, script)
    campaign.run()
    assert script.started[:2] == [tuple(ids(plan.contenders)), (broken.id,)]
    assert campaign.rounds_of(plan.cases[0]) == list(range(LEAST_ROUNDS))
    assert all(
        (broken.id in campaign.cells(line)) == (line.case != plan.cases[0].id)
        for line in campaign.lines
    )


def test_a_failure_in_calibration_is_kept_and_the_case_goes_on(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10,))

    def fail(contender: Contender, case: object) -> None:
        if contender.strategy == BROKEN:
            raise WorkerError("it cannot prove it", alive=True)

    campaign = make(plan, Script(on_calibrate=fail))
    assert [failure.cause for failure in campaign.run().failed] == ["it cannot prove it"]
    assert not any(turn.strategy == BROKEN for turn in campaign.script.turns)
    assert len(campaign.lines) == LEAST_ROUNDS


@pytest.mark.parametrize("overlaps", [False, True])
def test_a_worker_that_does_not_start_fails_every_case_of_its_round_and_nobody_else(
    overlaps: bool, make: MakeCampaign
) -> None:
    plan = make_plan()
    script = Script()
    script.unstartable = lambda contender, start: contender.strategy == BROKEN and start == 3
    campaign = make(plan, script, overlaps=overlaps)
    done = campaign.run()
    assert {(row.case, row.cause, row.round) for row in done.failed} == {
        (case.id, "it does not start", 2) for case in plan.cases
    }
    assert script.started.count((broken_of(plan).id,)) == 0
    assert len(campaign.lines) == LEAST_ROUNDS * len(plan.cases)


def test_a_contender_whose_conditions_change_between_rounds_is_refused(
    make: MakeCampaign,
) -> None:
    plan = make_plan()
    script = Script()
    script.conditions = lambda contender, start: {
        "loop_class": "asyncio",
        "collector": "off" if contender.strategy == BROKEN and start >= 2 else "on",
    }
    done = make(plan, script).run()
    cause = "its conditions changed between rounds: collector"
    assert {(row.case, row.cause) for row in done.failed} == {
        (case.id, cause) for case in plan.cases
    }
    assert not any(turn.strategy == BROKEN for turn in script.turns[-len(plan.contenders) :])
    assert {row.conditions["collector"] for row in done.contenders} == {"on"}
    assert script.started.count((broken_of(plan).id,)) == 0
    assert script.open_workers == []


def test_when_the_baseline_fails_the_others_are_compared_with_its_other_half(
    make: MakeCampaign,
) -> None:
    plan = make_plan(tasks=(10,))

    def fail(turn: Turn) -> None:
        if turn.role == "baseline":
            raise WorkerError("it broke", alive=True)

    campaign = make(plan, Script(on_turn=fail))
    done = campaign.run()
    assert (done.status, done.rounds, len(done.failed)) == ("failed", LEAST_ROUNDS, 1)
    assert all(len(line.cells) == len(plan.contenders) - 1 for line in campaign.lines)


def test_when_both_halves_of_the_baseline_fail_the_others_are_measured_in_that_round(
    make: MakeCampaign,
) -> None:
    """And no longer: nothing can be compared."""
    plan = make_plan(tasks=(10,), budget_seconds=30.0)

    def fail(turn: Turn) -> None:
        if turn.role != "contender":
            raise WorkerError("it broke", alive=True)

    campaign = make(plan, Script(on_turn=fail, start_seconds=0.1))
    assert campaign.run().status == "failed"
    (line,) = campaign.lines
    assert len(line.cells) == len(plan.contenders) - 2


@pytest.mark.parametrize("when", ["calibration", "rounds"])
def test_a_case_in_which_all_have_failed_is_not_measured_again(
    when: str, make: MakeCampaign
) -> None:
    plan = make_plan(budget_seconds=100.0)
    hopeless, other = plan.cases
    script = Script(start_seconds=0.1)

    def fail(tasks: int) -> None:
        if tasks == hopeless.tasks:
            raise WorkerError("it broke", alive=True)

    if when == "calibration":
        script.on_calibrate = lambda contender, case: fail(case.tasks)
    else:
        script.on_turn = lambda turn: fail(turn.case.tasks)
    campaign = make(plan, script)
    done = campaign.run()
    assert done.status == "failed"
    assert len(done.failed) == len(plan.contenders)
    assert len(campaign.rounds_of(hopeless)) <= 1
    assert len(campaign.rounds_of(other)) == done.rounds == LEAST_ROUNDS


def test_who_has_failed_everywhere_is_started_no_more(make: MakeCampaign) -> None:
    plan = make_plan()
    hopeless, half = plan.contenders[1:3]

    def fail(turn: Turn) -> None:
        if turn.contender == hopeless.id or (turn.contender, turn.case.id) == (
            half.id,
            plan.cases[0].id,
        ):
            raise WorkerError("it broke", alive=True)

    script = Script(on_turn=fail)
    make(plan, script).run()
    first, *others = ({*started} for started in script.started[1:])
    assert first == {*ids(plan.contenders)}
    assert all(started == first - {hopeless.id} for started in others)


def test_a_case_that_is_given_up_takes_no_time_of_the_next_rounds(make: MakeCampaign) -> None:
    plan = make_plan(budget_seconds=75.0)
    hopeless, other = plan.cases

    def fail_in_the_third_round(turn: Turn) -> None:
        if turn.case.id == hopeless.id and len(campaign.rounds_of(hopeless)) == 2:
            script.clock.advance(5.0)
            raise WorkerError("it broke", alive=True)

    script = Script(on_turn=fail_in_the_third_round, busy_seconds=by_tasks({10: 2.0, 100: 0.01}))
    campaign = make(plan, script)
    campaign.run()
    assert len(campaign.rounds_of(other)) == LEAST_ROUNDS


# Interrupted and resumed


def interrupting(script: Script, after_turns: int) -> None:
    """Ctrl-C in this turn, and never again."""

    def interrupt(turn: Turn) -> None:
        if len(script.turns) == after_turns:
            raise KeyboardInterrupt

    script.on_turn = interrupt


def check_rounds(campaign: Campaign) -> None:
    """Each case has all of its rounds, no two of the same number."""
    for case in campaign.plan.cases:
        rounds = campaign.rounds_of(case)
        assert len(rounds) >= LEAST_ROUNDS
        assert rounds == sorted(set(rounds))


@pytest.mark.parametrize("overlaps", [False, True])
def test_an_interrupted_campaign_goes_on_with_a_new_round(
    overlaps: bool, make: MakeCampaign
) -> None:
    """The number of the round that was cut short is used up; what was measured of it is kept."""
    plan = make_plan()
    script = Script()
    turns = turns_in(plan, 5) + len(plan.contenders) + 2  # in the second case of the sixth round
    interrupting(script, after_turns=turns)
    campaign = make(plan, script, overlaps=overlaps)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    saved = campaign.saved()
    assert (saved.status, saved.rounds) == ("interrupted", 5)
    assert saved.finished is not None
    assert script.open_workers == []
    path = campaign.journal.folder / schema.JOURNAL_FILE
    kept = path.read_bytes()
    assert kept.count(b"\n") == 11

    done = campaign.resume()
    assert done.status == "complete"
    assert path.read_bytes().startswith(kept)
    check_rounds(campaign)
    cut_short = campaign.lines[10]
    rounds = [campaign.rounds_of(case) for case in plan.cases]
    complete = [0, 1, 2, 3, 4, *range(6, LEAST_ROUNDS + 1)]
    assert sorted(rounds) == sorted([complete, sorted([*complete, 5])])
    assert (cut_short.round, done.rounds) == (5, LEAST_ROUNDS)
    # Time that was spent before is spent.
    spent_after = 0.01 * (len(script.turns) - turns)
    assert done.elapsed_seconds == pytest.approx(saved.elapsed_seconds + spent_after)
    # Nothing was calibrated or allocated again.
    assert len(script.calibrations) == len(plan.contenders) * len(plan.cases)
    assert done.allocation == saved.allocation is not None
    assert [case.sweeps for case in done.cases] == [case.sweeps for case in saved.cases]


def test_rounds_before_the_interruption_count(make: MakeCampaign) -> None:
    plan = make_plan()
    script = Script()
    interrupting(script, after_turns=turns_in(plan, 11) + 1)
    campaign = make(plan, script)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    script.turns.clear()
    assert campaign.resume().rounds == LEAST_ROUNDS
    assert len(script.turns) == len(plan.contenders) * len(plan.cases)


@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_a_pilot_that_was_interrupted_begins_anew(rounds: int, make: MakeCampaign) -> None:
    plan = make_plan()
    script = Script()
    interrupting(script, after_turns=turns_in(plan, rounds) + 1)
    campaign = make(plan, script)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    saved = campaign.saved()
    assert (saved.rounds, saved.allocation) == (rounds, None)
    before = len(campaign.lines)

    done = campaign.resume()
    assert done.allocation is not None
    assert {row.slice_sd for row in done.allocation.cases} == {0.0}
    lines = campaign.lines[before:]
    slices = [{cell.slices for cell in line.cells.values()} for line in lines]
    first = [{PILOT_SWEEPS}] * len(plan.cases)
    assert slices == first + [{1}] * (len(slices) - len(first))
    assert done.rounds == LEAST_ROUNDS


@pytest.mark.parametrize("sweeps", [1, 4])
def test_a_resumed_round_is_expected_with_the_slices_that_it_will_have(
    sweeps: int, make: MakeCampaign
) -> None:
    plan = make_plan()
    campaign = make(plan, Script(busy_seconds=lambda case: 0.5))
    campaign.run()
    cases = tuple(replace(case, sweeps=sweeps) for case in campaign.saved().cases)
    again = Conductor(
        replace(campaign.saved(), cases=cases), campaign.executor, campaign.journal,
        campaign.observer, campaign.script.clock,
    )  # fmt: skip
    expected = sweeps * 0.5 * len(plan.contenders)
    assert [*again._case_seconds.values()] == pytest.approx([expected] * len(cases))


def test_a_campaign_that_was_killed_can_be_resumed(make: MakeCampaign) -> None:
    """campaign.json is then as it was some time ago, the journal is further."""
    plan = make_plan()
    script = Script()
    campaign = make(plan, script)
    path = campaign.journal.folder / schema.CAMPAIGN_FILE
    as_it_was: list[bytes] = []

    def die(turn: Turn) -> None:
        if len(script.turns) == turns_in(plan, 1) + 1:
            as_it_was.append(path.read_bytes())
        if len(script.turns) == turns_in(plan, 2) + 3 * len(plan.contenders):
            raise SystemExit

    script.on_turn = die
    with pytest.raises(SystemExit):
        campaign.run()
    path.write_bytes(as_it_was[0])
    assert (campaign.saved().status, campaign.saved().rounds) == ("running", 1)
    with (campaign.journal.folder / schema.JOURNAL_FILE).open("ab") as stream:
        stream.write(b'{"schema":2,"round":2,"ca')

    campaign.journal.drop_unfinished_line()
    assert campaign.resume().status == "complete"
    check_rounds(campaign)


def test_only_what_is_left_of_the_budget_is_spent_after_resuming(make: MakeCampaign) -> None:
    plan = make_plan(budget_seconds=60.0)
    script = Script(seconds=noisy(1.0), start_seconds=1.0)
    stop_at = script.clock() + 45.0

    def interrupt(turn: Turn) -> None:
        if script.clock() > stop_at:
            raise KeyboardInterrupt

    script.on_turn = interrupt
    campaign = make(plan, script)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    assert 45.0 < campaign.saved().elapsed_seconds < 47.0
    script.on_turn = lambda turn: None
    script.clock.advance(10_000.0)  # the time between does not count
    assert 55.0 < campaign.resume().elapsed_seconds <= 60.0


@pytest.mark.parametrize("start_seconds", [0.0, 0.5])
def test_resuming_a_complete_campaign_within_its_budget_measures_nothing(
    start_seconds: float, make: MakeCampaign
) -> None:
    script = Script(seconds=noisy(1.0), start_seconds=start_seconds)
    campaign = make(make_plan(budget_seconds=5.0), script)
    before = campaign.run()
    lines = len(campaign.lines)
    done = campaign.resume()
    assert len(campaign.lines) == lines
    assert (done.status, done.rounds) == ("complete", before.rounds)
    assert done.elapsed_seconds <= 5.0


def test_resuming_a_precise_campaign_measures_nothing(make: MakeCampaign) -> None:
    campaign = make(make_plan(), Script())
    before = campaign.run()
    done = campaign.resume()
    assert len(campaign.lines) == LEAST_ROUNDS * len(done.cases)
    assert (done.status, done.rounds) == (before.status, before.rounds)


def test_resuming_a_complete_campaign_with_a_larger_budget_measures_more(
    make: MakeCampaign,
) -> None:
    campaign = make(make_plan(budget_seconds=20.0), Script(seconds=noisy(1.0), start_seconds=0.5))
    campaign.run()
    before = len(campaign.lines)
    done = campaign.resume(budget_seconds=40.0)
    assert len(campaign.lines) > 1.5 * before
    assert 35.0 < done.elapsed_seconds <= 40.0
    assert campaign.saved().budget_seconds == 40.0


@pytest.mark.parametrize("calibrated", [0, 1, 4, 7])
def test_a_campaign_interrupted_while_calibrating_measures_every_case_when_resumed(
    calibrated: int, make: MakeCampaign
) -> None:
    script = Script()

    def interrupt(contender: object, case: object) -> None:
        if len(script.calibrations) == calibrated + 1:
            raise KeyboardInterrupt

    script.on_calibrate = interrupt
    campaign = make(make_plan(), script)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    assert campaign.saved().status == "interrupted"
    assert script.turns == []
    script.on_calibrate = lambda contender, case: None
    assert campaign.resume().status == "complete"
    check_rounds(campaign)


def test_cases_that_have_values_are_not_left_out_when_resuming(make: MakeCampaign) -> None:
    """Also where a case, in which all have failed, is tried again."""
    plan = make_plan(tasks=(1, 10, 100), budget_seconds=5.0)

    def fail(contender: Contender, case: AskedCase) -> None:
        if case.tasks == 1:
            raise WorkerError("it broke", alive=True)

    script = Script(seconds=noisy(1.0), start_seconds=0.1, on_calibrate=fail)
    campaign = make(plan, script)
    before = campaign.run()
    done = campaign.resume()
    assert [case.left_out for case in done.cases] == ["", "", ""]
    assert [case.sweeps for case in done.cases] == [case.sweeps for case in before.cases]


def test_failures_are_remembered_when_resuming(make: MakeCampaign) -> None:
    script = Script()

    def fail_then_interrupt(turn: Turn) -> None:
        if turn.strategy == BROKEN:
            raise WorkerError("it broke", alive=True)
        if len(script.turns) == 20:
            raise KeyboardInterrupt

    script.on_turn = fail_then_interrupt
    campaign = make(make_plan(tasks=(10,)), script)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    script.turns.clear()
    script.on_turn = lambda turn: None
    done = campaign.resume()
    assert not any(turn.strategy == BROKEN for turn in script.turns)
    assert done.status == "failed"
    assert [failure.cause for failure in done.failed] == ["it broke"]


# The disk


def test_a_full_disk_ends_the_campaign_and_keeps_what_was_synced(tmp_path: Path) -> None:
    plan = make_plan()
    Journal.create(tmp_path / "full")
    journal = FullDisk(tmp_path / "full", lines=5)
    script = Script()
    conductor = Conductor(plan, FakeExecutor(script), journal, Recorder(), script.clock)
    with pytest.raises(OSError, match="No space left") as caught:
        conductor.run()
    assert caught.value.errno == errno.ENOSPC
    assert len(list(journal.lines(plan))) == 5
    assert journal.load().status == "failed"
    assert script.open_workers == []


def test_an_error_of_the_suite_itself_is_not_swallowed(make: MakeCampaign) -> None:
    def break_it(turn: Turn) -> None:
        raise ZeroDivisionError

    campaign = make(make_plan(), Script(on_turn=break_it))
    with pytest.raises(ZeroDivisionError):
        campaign.run()
    assert campaign.saved().status == "failed"
    assert campaign.script.open_workers == []
