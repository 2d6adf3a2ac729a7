"""The campaign with fake workers and a fake clock: order, fairness, stopping, trouble, resuming."""

from __future__ import annotations

import errno
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks.campaign import schema
from benchmarks.campaign.conduct import Conductor, sweep_order
from benchmarks.campaign.journal import Journal
from benchmarks.campaign.plan import SLICE_SECONDS, asked_pairs
from benchmarks.campaign.schema import Case, Contender, Plan, RoundLine
from benchmarks.campaign.stop import MAX_SWEEPS, MIN_ROUNDS
from benchmarks.campaign.workers import WorkerError
from benchmarks.matrix import Selection
from tests.benchmarks.fakes import (
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

    def __init__(self, folder: Path, plan: Plan, script: Script) -> None:
        self.plan = plan
        self.script = script
        self.observer = Recorder()
        self.journal = Journal.create(folder)
        self.executor = FakeExecutor(script)

    def run(self) -> Plan:
        return Conductor(
            self.plan, self.executor, self.journal, self.observer, self.script.clock
        ).run()

    def resume(self, *, budget_seconds: float | None = None) -> Plan:
        """As after the process has ended."""
        self.plan = self.saved()
        if budget_seconds is not None:
            self.plan = replace(self.plan, budget_seconds=budget_seconds)
        self.executor = FakeExecutor(self.script)
        return self.run()

    @property
    def lines(self) -> list[RoundLine]:
        return list(self.journal.lines(self.plan))

    def saved(self) -> Plan:
        return self.journal.load()

    def rounds_of(self, case: Case) -> list[int]:
        return [line.round for line in self.lines if line.case == case.id]


MakeCampaign = Callable[[Plan, Script], Campaign]


@pytest.fixture
def make(tmp_path: Path) -> MakeCampaign:
    numbers = itertools.count()
    return lambda plan, script: Campaign(tmp_path / f"campaign-{next(numbers)}", plan, script)


def noisy(spread: float, seed: int = 5) -> Callable[[Turn], float]:
    """Values that scatter by this standard deviation of their logarithm."""
    rng = random.Random(seed)
    return lambda turn: rng.lognormvariate(-7.0, spread)


def ids(rows: Sequence[Contender] | Sequence[Case]) -> list[str]:
    return [row.id for row in rows]


def turns_per_case(plan: Plan) -> int:
    return len(plan.contenders) * MAX_SWEEPS


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
    assert len(orders) == len(plan.cases) * MIN_ROUNDS * MAX_SWEEPS


def test_the_order_is_drawn_anew_for_every_sweep(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10,))
    campaign = make(plan, Script())
    campaign.run()
    orders = list(orders_of(campaign.script.turns, plan))
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
    assert len(orders) == MIN_ROUNDS
    assert all(sorted(order) == ids(plan.cases) for order in orders.values())
    assert len(set(map(tuple, orders.values()))) > MIN_ROUNDS / 2


def test_the_same_seed_gives_the_same_order_and_another_seed_another(make: MakeCampaign) -> None:
    def turns(seed: int) -> list[Turn]:
        campaign = make(make_plan(seed=seed), Script())
        campaign.run()
        return campaign.script.turns

    first, second = turns(1), turns(2)
    assert turns(1) == first != second
    assert sorted(map(repr, second)) == sorted(map(repr, first))


def test_workers_are_fresh_in_every_round_and_none_is_left(make: MakeCampaign) -> None:
    plan = make_plan()
    campaign = make(plan, Script())
    campaign.run()
    # One crew calibrates, one serves each round.
    assert campaign.script.started == [tuple(ids(plan.contenders))] * (1 + MIN_ROUNDS)
    assert campaign.script.open_workers == []


def test_workers_are_asked_for_the_inner_loops_that_half_of_them_found(make: MakeCampaign) -> None:
    plan = make_plan()
    found = dict(zip(ids(plan.contenders), (1, CASE_LOOPS, 100, CASE_LOOPS), strict=True))
    campaign = make(plan, Script(loops=lambda contender: found[contender.id]))
    campaign.run()
    assert {turn.loops for turn in campaign.script.turns} == {CASE_LOOPS}
    assert {case.loops for case in campaign.saved().cases} == {CASE_LOOPS}
    everything = itertools.product(ids(plan.contenders), ids(plan.cases))
    assert sorted(campaign.script.calibrations) == sorted(everything)


def test_sweeps_are_planned_for_what_calibrating_has_left_of_the_budget(
    make: MakeCampaign,
) -> None:
    # 8 turns of 1 s have calibrated; (640 s - 8 s) / 16 rounds / 2 cases are 4.9 sweeps of 4 s.
    campaign = make(make_plan(budget_seconds=640.0), Script(busy_seconds=1.0))
    assert [case.sweeps for case in campaign.run().cases] == [4, 4]


# The journal


def test_the_journal_has_one_line_for_every_round_and_case(make: MakeCampaign) -> None:
    plan = make_plan(probes=("throughput", "latency"))
    campaign = make(plan, Script(seconds=lambda turn: turn.case.tasks * 1e-6))
    cases = {case.id: case for case in campaign.run().cases}
    keys = [(line.round, line.case) for line in campaign.lines]
    assert sorted(keys) == sorted(itertools.product(range(MIN_ROUNDS), cases))
    for line in campaign.lines:
        case = cases[line.case]
        assert line.failures == {}
        assert list(line.cells) == ids(plan.contenders)
        for cell in line.cells.values():
            assert cell.loops == CASE_LOOPS
            assert tuple(cell.values) == case.metrics
            assert set(map(len, cell.values.values())) == {case.sweeps}
            assert {*itertools.chain(*cell.values.values())} == {case.tasks / 1e6}
            assert cell.timed_seconds == pytest.approx(SLICE_SECONDS * case.sweeps)


def test_values_and_what_was_observed_stand_in_the_order_of_the_sweeps(make: MakeCampaign) -> None:
    values, observed = itertools.count(1), itertools.count(1)
    script = Script(
        seconds=lambda turn: float(next(values)), collections=lambda turn: float(next(observed))
    )
    plan = make_plan(tasks=(10,), precision=0.5, budget_seconds=100.0)
    campaign = make(plan, script)
    campaign.run()
    cells = campaign.lines[0].cells.values()
    size = len(plan.contenders)
    for sweep in range(len(next(iter(cells)).values["total"])):
        expected = [1 + sweep * size + place for place in range(size)]
        assert sorted(cell.values["total"][sweep] for cell in cells) == expected
        assert sorted(cell.observed["collections"][sweep] for cell in cells) == expected


def test_values_keep_the_seven_digits_that_the_clock_can_give(make: MakeCampaign) -> None:
    campaign = make(make_plan(tasks=(10,)), Script(seconds=lambda turn: 0.00123456789))
    campaign.run()
    assert {value for line in campaign.lines for cell in line.cells.values()
            for value in cell.values["total"]} == {0.001234568}  # fmt: skip


def test_a_line_is_on_the_disk_before_the_next_case_begins(make: MakeCampaign) -> None:
    script = Script()
    campaign = make(make_plan(precision=0.5, budget_seconds=60.0), script)
    per_case = turns_per_case(campaign.plan)

    def check(turn: Turn) -> None:
        path = campaign.journal.folder / schema.JOURNAL_FILE
        assert path.read_bytes().count(b"\n") == (len(script.turns) - 1) // per_case

    script.on_turn = check
    campaign.run()
    assert len(campaign.lines) == MIN_ROUNDS * len(campaign.plan.cases)


def test_the_plan_is_running_while_it_runs_and_complete_in_the_end(make: MakeCampaign) -> None:
    seen = set()
    script = Script()
    campaign = make(make_plan(tasks=(10,)), script)

    def look(turn: Turn) -> None:
        saved = campaign.saved()
        seen.add((saved.status, saved.finished, saved.rounds))

    script.on_turn = look
    plan = campaign.run()
    assert seen == {("running", None, number) for number in range(MIN_ROUNDS)}
    assert campaign.saved() == plan
    assert (plan.status, plan.rounds, plan.peak_worker_bytes) == ("complete", MIN_ROUNDS, 1000)
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
    assert len(progress) == 2 * (1 + MIN_ROUNDS)
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
    """Each case stops when its own intervals are narrow: others are not waited for there."""
    plan = make_plan(selections=BLOCKS)
    campaign = make(plan, Script(seconds=noisy(0.001)))
    done = campaign.run()
    expected = asked_pairs(plan)
    assert 0 < len(expected) < len(plan.contenders) * len(plan.cases)
    assert sorted(campaign.script.calibrations) == sorted(expected)
    assert {
        (contender, line.case) for line in campaign.lines for contender in line.cells
    } == expected
    assert (done.status, done.rounds) == ("complete", MIN_ROUNDS)
    assert all(campaign.rounds_of(case) == list(range(MIN_ROUNDS)) for case in plan.cases)


# When it ends


def test_a_case_that_is_precise_is_not_measured_further_while_others_are(
    make: MakeCampaign,
) -> None:
    quiet, loud = noisy(0.0001), noisy(0.06)
    plan = make_plan(tasks=(10, 100))
    script = Script(seconds=lambda turn: (quiet if turn.case.tasks == 10 else loud)(turn))
    campaign = make(plan, script)
    done = campaign.run()
    precise, imprecise = plan.cases
    assert len(campaign.rounds_of(precise)) == MIN_ROUNDS
    assert len(campaign.rounds_of(imprecise)) == done.rounds > MIN_ROUNDS
    assert done.status == "complete"


def test_it_ends_when_the_budget_is_spent(make: MakeCampaign) -> None:
    campaign = make(
        make_plan(tasks=range(1, 9), budget_seconds=50.0),
        Script(seconds=noisy(1.0), start_seconds=0.1),
    )
    plan = campaign.run()
    one_case = 0.01 * len(plan.contenders) * max(case.sweeps for case in plan.cases)
    assert 50.0 <= plan.elapsed_seconds <= 50.0 + one_case + 0.1
    assert plan.status == "complete"
    assert len(campaign.lines) > 10


def test_a_budget_that_calibration_spends_gives_no_round(make: MakeCampaign) -> None:
    campaign = make(make_plan(budget_seconds=0.01), Script())
    plan = campaign.run()
    assert (plan.status, plan.rounds) == ("failed", 0)
    assert campaign.saved().status == "failed"
    assert campaign.lines == []


# Failures

BROKEN = "gather_tasks"


def broken_of(plan: Plan) -> Contender:
    return next(row for row in plan.contenders if row.strategy == BROKEN)


@pytest.mark.parametrize("alive", [True, False])
def test_a_failing_worker_is_not_asked_again_in_that_case_and_all_else_goes_on(
    alive: bool, make: MakeCampaign
) -> None:
    plan = make_plan()
    broken_case, other_case = plan.cases
    broken = broken_of(plan)
    script = Script()
    campaign = make(plan, script)

    def fail_in_the_third_round(turn: Turn) -> None:
        to_break = turn.strategy == BROKEN and turn.case.id == broken_case.id
        if to_break and len(campaign.rounds_of(broken_case)) == 2:
            raise WorkerError("it broke", alive=alive)

    script.on_turn = fail_in_the_third_round
    done = campaign.run()
    assert campaign.rounds_of(broken_case) == campaign.rounds_of(other_case)
    for line in campaign.lines:
        is_broken = line.case == broken_case.id and line.round >= 2
        assert (broken.id in line.cells) != is_broken
        first_time = is_broken and line.round == 2
        assert line.failures == ({broken.id: "it broke"} if first_time else {})
        assert {len(cell.values["total"]) for cell in line.cells.values()} == {MAX_SWEEPS}
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
    assert campaign.rounds_of(plan.cases[0]) == list(range(MIN_ROUNDS))
    assert all(
        (broken.id in line.cells) == (line.case != plan.cases[0].id) for line in campaign.lines
    )


def test_a_failure_in_calibration_is_kept_and_the_case_goes_on(make: MakeCampaign) -> None:
    plan = make_plan(tasks=(10,))

    def fail(contender: Contender, case: object) -> None:
        if contender.strategy == BROKEN:
            raise WorkerError("it cannot prove it", alive=True)

    campaign = make(plan, Script(on_calibrate=fail))
    assert [failure.cause for failure in campaign.run().failed] == ["it cannot prove it"]
    assert not any(turn.strategy == BROKEN for turn in campaign.script.turns)
    assert len(campaign.lines) == MIN_ROUNDS


def test_a_worker_that_does_not_start_fails_every_case_of_its_round_and_nobody_else(
    make: MakeCampaign,
) -> None:
    plan = make_plan()
    script = Script()
    script.unstartable = lambda contender, start: contender.strategy == BROKEN and start == 3
    campaign = make(plan, script)
    done = campaign.run()
    assert {(row.case, row.cause, row.round) for row in done.failed} == {
        (case.id, "it does not start", 2) for case in plan.cases
    }
    assert script.started.count((broken_of(plan).id,)) == 0
    assert len(campaign.lines) == MIN_ROUNDS * len(plan.cases)


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


def test_when_the_baseline_fails_the_others_are_measured_in_that_round(make: MakeCampaign) -> None:
    """And no longer: nothing can be compared."""
    plan = make_plan(tasks=(10,), budget_seconds=30.0)

    def fail(turn: Turn) -> None:
        if turn.role == "baseline":
            raise WorkerError("it broke", alive=True)

    campaign = make(plan, Script(on_turn=fail, start_seconds=0.1))
    assert campaign.run().status == "failed"
    (line,) = campaign.lines
    assert len(line.cells) == len(plan.contenders) - 1


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
    assert len(campaign.rounds_of(other)) == done.rounds == MIN_ROUNDS


def test_a_cause_is_kept_to_500_characters(make: MakeCampaign) -> None:
    def fail(turn: Turn) -> None:
        if turn.strategy == BROKEN:
            raise WorkerError("x" * 100_000, alive=True)

    (failure,) = make(make_plan(tasks=(10,)), Script(on_turn=fail)).run().failed
    assert failure.cause == "x" * 494 + " [...]"


# Interrupted and resumed


def interrupting(script: Script, after_turns: int) -> None:
    """Ctrl-C in this turn, and never again."""

    def interrupt(turn: Turn) -> None:
        if len(script.turns) == after_turns:
            raise KeyboardInterrupt

    script.on_turn = interrupt


def check_rounds(campaign: Campaign) -> None:
    """Rounds before the interruption count, and no round of a case is there twice."""
    for case in campaign.plan.cases:
        rounds = campaign.rounds_of(case)
        assert len(rounds) == MIN_ROUNDS
        assert rounds == sorted(set(rounds))


def test_an_interrupted_campaign_goes_on_as_if_nothing_had_happened(make: MakeCampaign) -> None:
    plan = make_plan(precision=0.02)
    script = Script(seconds=noisy(0.005))
    turns = 11 * turns_per_case(plan) + 7  # in the second case of the sixth round
    interrupting(script, after_turns=turns)
    campaign = make(plan, script)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    saved = campaign.saved()
    assert saved.status == "interrupted"
    assert saved.finished is not None
    assert script.open_workers == []
    path = campaign.journal.folder / schema.JOURNAL_FILE
    kept = path.read_bytes()
    assert kept.count(b"\n") == 11

    done = campaign.resume()
    assert done.status == "complete"
    assert path.read_bytes().startswith(kept)
    check_rounds(campaign)
    assert max(line.round for line in campaign.lines) < done.rounds
    # Time that was spent before is spent.
    spent_after = 0.01 * (len(script.turns) - turns)
    assert done.elapsed_seconds == pytest.approx(saved.elapsed_seconds + spent_after)
    # Nothing was calibrated again.
    assert len(script.calibrations) == len(plan.contenders) * len(plan.cases)


def test_a_campaign_that_was_killed_can_be_resumed(make: MakeCampaign) -> None:
    """campaign.json is then as it was some time ago, the journal is further."""
    plan = make_plan()
    script = Script()
    campaign = make(plan, script)
    path = campaign.journal.folder / schema.CAMPAIGN_FILE
    as_it_was: list[bytes] = []

    def die(turn: Turn) -> None:
        if len(script.turns) == 3 * turns_per_case(plan):
            as_it_was.append(path.read_bytes())
        if len(script.turns) == 5 * turns_per_case(plan) + 7:
            raise SystemExit

    script.on_turn = die
    with pytest.raises(SystemExit):
        campaign.run()
    path.write_bytes(as_it_was[0])
    assert campaign.saved().status == "running"
    with (campaign.journal.folder / schema.JOURNAL_FILE).open("ab") as stream:
        stream.write(b'{"schema":1,"round":2,"ca')

    campaign.journal.drop_unfinished_line()
    assert campaign.resume().status == "complete"
    check_rounds(campaign)


def test_only_what_is_left_of_the_budget_is_spent_after_resuming(make: MakeCampaign) -> None:
    plan = make_plan(budget_seconds=60.0)
    script = Script(seconds=noisy(1.0))
    interrupting(script, after_turns=4000)
    campaign = make(plan, script)
    with pytest.raises(KeyboardInterrupt):
        campaign.run()
    assert 40.0 < campaign.saved().elapsed_seconds < 50.0
    script.clock.advance(10_000.0)  # the time between does not count
    assert 60.0 <= campaign.resume().elapsed_seconds < 61.5


def test_resuming_a_complete_campaign_with_a_larger_budget_measures_more(
    make: MakeCampaign,
) -> None:
    campaign = make(make_plan(budget_seconds=20.0), Script(seconds=noisy(1.0)))
    campaign.run()
    before = len(campaign.lines)
    campaign.resume()
    assert len(campaign.lines) == before
    done = campaign.resume(budget_seconds=40.0)
    assert len(campaign.lines) > 1.5 * before
    assert 40.0 <= done.elapsed_seconds < 41.5
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


def test_failures_are_remembered_when_resuming(make: MakeCampaign) -> None:
    script = Script()

    def fail_then_interrupt(turn: Turn) -> None:
        if turn.strategy == BROKEN:
            raise WorkerError("it broke", alive=True)
        if len(script.turns) == 500:
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
