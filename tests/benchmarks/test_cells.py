"""From slices to the cell that is kept of them, and what a round says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace as changed

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from benchmarks.campaign import schema
from benchmarks.campaign.cells import cell_of, quantile, quantile_of, slice_cost
from benchmarks.campaign.plan import case_record
from benchmarks.campaign.schema import MICROS, QUANTILES, RARE_US, Cell
from benchmarks.cases import Case
from benchmarks.protocol import Measured

NOOP = replace(case_record(Case("throughput", "noop", 100)), loops=7, blocks=20, quantile=0.05)
SLEEP = replace(case_record(Case("throughput", "sleep", 100)), loops=1, blocks=2, quantile=0.25)
LATENCY = replace(case_record(Case("latency", "noop", 1000)), loops=2, blocks=4)
MEMORY = replace(case_record(Case("memory", "pending", 10_000)), loops=1, blocks=1)
CANCEL = replace(case_record(Case("cancel", "pending", 100)), loops=3, blocks=5)
CASES = (NOOP, SLEEP, LATENCY, MEMORY, CANCEL)

NOTHING: AbstractSet[int] = frozenset()
values = st.floats(1e-7, 1e3)


def slice_of(case: schema.Case, of_blocks: Sequence[float], **fields: object) -> Measured:
    """A slice with these values in every metric, that was never interrupted."""
    measured = Measured(
        values=dict.fromkeys(case.metrics, of_blocks),
        timed_seconds=case.loops * sum(of_blocks),
        observed={},
        collections=[0, 0, 0],
        collector_seconds=[0.0, 0.0, 0.0],
        cpu_share=1.0,
        switches=0,
        cycles=0.0,
    )
    return changed(measured, **fields)  # type: ignore[arg-type]


# Quantiles


@given(st.lists(values, min_size=1, max_size=60), st.floats(0.0, 1.0))
def test_quantiles_are_the_median_unbiased_ones_of_numpy(sample: list[float], share: float) -> None:
    expected = np.quantile(sample, share, method="median_unbiased")
    assert quantile(sorted(sample), share) == pytest.approx(float(expected), rel=1e-9)


@given(st.lists(values, min_size=1, max_size=60), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_quantiles_are_in_order_and_within_the_sample(
    sample: list[float], one: float, other: float
) -> None:
    low, high = (quantile(sorted(sample), share) for share in sorted((one, other)))
    assert min(sample) <= low
    assert low <= high * (1 + 1e-12)
    assert high <= max(sample) * (1 + 1e-12)


def test_a_low_quantile_of_few_values_is_their_smallest() -> None:
    assert [quantile([1.0, 2.0], share) for share in QUANTILES] == [1.0, 1.0, 1.0, 1.5, 2.0]
    assert {quantile([3.0], share) for share in QUANTILES} == {3.0}


@pytest.mark.parametrize(
    ("case", "blocks", "share"),
    [
        (NOOP, 100, 0.05), (NOOP, 10, 0.05), (NOOP, 9, 0.10), (NOOP, 4, 0.10), (NOOP, 3, 0.25),
        (NOOP, 1, 0.25), (SLEEP, 1, 0.25), (SLEEP, 100, 0.25), (LATENCY, 1, 0.5),
        (LATENCY, 100, 0.5), (MEMORY, 1, 0.5), (CANCEL, 20, 0.5),
    ],
)  # fmt: skip
def test_code_has_a_low_quantile_what_waits_the_lower_quartile_and_all_else_the_median(
    case: schema.Case, blocks: int, share: float
) -> None:
    assert quantile_of(case, blocks) == share
    assert share in QUANTILES


# The cell


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@given(data=st.data())
def test_a_cell_pools_the_blocks_of_all_slices(case: schema.Case, data: st.DataObject) -> None:
    """Slices may end before all of their blocks are measured."""
    blocks = st.lists(values, min_size=1, max_size=12)
    drawn = data.draw(st.lists(blocks, min_size=1, max_size=5))
    cell = cell_of(case, [slice_of(case, of_blocks) for of_blocks in drawn], NOTHING)
    pooled = [value for of_blocks in drawn for value in of_blocks]
    assert len(cell.quantiles) == len(cell.means) == len(case.metrics)
    for metric, of_quantiles, means in zip(case.metrics, cell.quantiles, cell.means, strict=True):
        scale = MICROS if case.unit(metric) == "second" else 1.0
        expected = scale * np.quantile(pooled, QUANTILES, method="median_unbiased")
        assert of_quantiles == pytest.approx(expected.tolist(), rel=1e-4)
        assert means == pytest.approx(
            [scale * float(np.mean(of_blocks)) for of_blocks in drawn], rel=1e-4
        )
    assert cell.slices == len(drawn)
    assert cell.batches == case.loops * len(pooled)
    assert cell.timed_seconds == pytest.approx(case.loops * sum(pooled), rel=1e-4)
    assert (cell.switches, cell.set_aside, cell.collections) == ([], [], [])
    assert schema.decode(schema.encode(cell), Cell) == cell


def test_metrics_stand_in_the_order_of_the_case() -> None:
    given = {name: [1e-3 * (1 + place)] for place, name in enumerate(reversed(LATENCY.metrics))}
    cell = cell_of(LATENCY, [slice_of(LATENCY, [1.0], values=given)], NOTHING)
    assert LATENCY.metrics == ("first_step", "p50", "p99", "max", "item_p50", "item_p99")
    assert cell.means == [[6000], [5000], [4000], [3000], [2000], [1000]]
    assert [row[0] for row in cell.quantiles] == [6000, 5000, 4000, 3000, 2000, 1000]


def test_bytes_are_kept_as_they_are() -> None:
    cell = cell_of(MEMORY, [slice_of(MEMORY, [12_340_000.0])], NOTHING)
    assert MEMORY.unit("steady") == "byte"
    assert cell.means == [[12_340_000], [12_340_000]]
    assert cell.code(0, MEMORY) == 12_340_000


def test_what_was_set_aside_is_in_the_means_and_the_collections_not_in_the_quantiles() -> None:
    slices = [
        slice_of(NOOP, [1e-3, 1e-3], collections=[2, 0, 0], collector_seconds=[1e-3, 0.0, 0.0]),
        slice_of(
            NOOP, [9e-3], switches=3, collections=[1, 1, 0], collector_seconds=[1e-3, 3e-3, 0.0]
        ),
        slice_of(NOOP, [2e-3], collections=[0, 0, 1], collector_seconds=[0.0, 0.0, 5e-3]),
    ]
    cell = cell_of(NOOP, slices, {1})
    kept = np.quantile([1000.0, 1000.0, 2000.0], QUANTILES, method="median_unbiased")
    assert cell.quantiles == [pytest.approx(kept.tolist(), rel=1e-4)]
    assert cell.means == [[1000, 9000, 2000]]
    assert cell.collections == [(3, 2000), (1, 3000), (1, 5000)]
    assert cell.batches == 7 * 4
    assert cell.timed_us == pytest.approx(7 * 13_000)
    assert (cell.switches, cell.set_aside) == ([0, 3, 0], [1])
    assert cell.slices == 3


def test_a_slice_that_was_interrupted_twice_is_kept_and_its_switches_are_told() -> None:
    slices = [slice_of(NOOP, [1e-3], switches=1), slice_of(NOOP, [3e-3], switches=2)]
    cell = cell_of(NOOP, slices, {0})
    assert cell.quantiles == [[3000] * len(QUANTILES)]
    assert (cell.switches, cell.set_aside) == ([1, 2], [0])


def test_the_share_of_the_core_is_told_for_every_slice() -> None:
    slices = [slice_of(NOOP, [1e-3], cpu_share=0.98765), slice_of(NOOP, [1e-3], cpu_share=0.5)]
    assert cell_of(NOOP, slices, {0}).cpu_shares == [0.988, 0.5]


def test_what_was_observed_is_the_mean_over_slices_in_the_order_of_the_probe() -> None:
    slices = [
        slice_of(CANCEL, [1e-3], observed={"left_running": 100.0, "another": 1.0}),
        slice_of(CANCEL, [1e-3], observed={"left_running": 50.0, "another": 2.0}),
    ]
    assert cell_of(CANCEL, slices, NOTHING).observed == [75, 1.5]


@given(values)
def test_numbers_keep_five_digits_and_no_more_characters_than_that_takes(value: float) -> None:
    cell = cell_of(NOOP, [slice_of(NOOP, [value])], NOTHING)
    ((kept,),) = cell.means
    assert kept == pytest.approx(value * MICROS, rel=0.5e-4)
    assert float(f"{kept:.5g}") == kept
    assert isinstance(kept, int) == (kept == int(kept))


def test_a_whole_number_is_written_without_a_point() -> None:
    cell = cell_of(NOOP, [slice_of(NOOP, [1e-3]), slice_of(NOOP, [1.23456789e-3])], NOTHING)
    assert b"[[1000,1234.6]]" in schema.encode(cell)


def test_the_cost_of_a_slice_is_reduced_as_a_rounds_is() -> None:
    one = slice_of(NOOP, [5e-3, 1e-3, 3e-3, 2e-3])
    for share in QUANTILES:
        case = replace(NOOP, quantile=share)
        cell = cell_of(case, [one], NOTHING)
        assert slice_cost(case, one) == pytest.approx(cell.cost(0, case), rel=1e-4)
    p99 = {name: [1.0] for name in LATENCY.metrics} | {"p99": [7.0]}
    assert slice_cost(LATENCY, slice_of(LATENCY, [1.0], values=p99)) == 7.0


def test_what_was_counted_is_named_and_collections_are_per_batch() -> None:
    busy = slice_of(CANCEL, [1e-3], observed={"left_running": 3.0}, collections=[5, 1, 0])
    cell = cell_of(CANCEL, [busy, busy], NOTHING)
    counted = {"left_running": 3.0, "collections": 2.0, "cpu_share": 1.0, "errors": 0.0}
    assert cell.counted(["left_running"]) == counted
    none = cell_of(NOOP, [slice_of(NOOP, [1e-3])], NOTHING)
    assert none.counted([]) == {"collections": 0.0, "cpu_share": 1.0, "errors": 0.0}


def test_errors_are_per_batch() -> None:
    faulty = changed(slice_of(NOOP, [1e-3] * 3), errors=6)
    cell = cell_of(NOOP, [faulty, faulty], NOTHING)
    assert cell.errors == 12
    assert cell.counted([])["errors"] == 12 / cell.batches


# What a round says


def kept(
    code_us: float = 900.0,
    *,
    timed_us: float = 100_000.0,
    collections: Sequence[tuple[int, float]] = (),
    cycles: float = 0.0,
) -> Cell:
    """A cell whose lowest quantile is its code."""
    quantiles = [code_us * (1 + place) for place in range(len(QUANTILES))]
    return Cell(
        quantiles=[quantiles],
        means=[[code_us]],
        batches=100,
        timed_us=timed_us,
        collections=list(collections),
        cycles=cycles,
    )


def test_code_is_the_quantile_of_the_case_in_seconds() -> None:
    for place, share in enumerate(QUANTILES):
        case = replace(NOOP, quantile=share)
        assert kept().code(0, case) == pytest.approx((1 + place) * 900e-6)


@pytest.mark.parametrize(
    ("cycles", "full_us"),
    [
        (0.0, 4000.0),  # it is not known how many there should be
        (0.8, 3200.0),
        (1.7, 6800.0),
        (2.1, 4000.0),  # so seldom is not chance: the collector works in another way
    ],
)
def test_full_collections_count_as_often_as_a_cycle_has_them(cycles: float, full_us: float) -> None:
    busy = kept(collections=[(90, 4000.0), (9, 2000.0), (1, 4000.0)], cycles=cycles)
    assert busy.collector_us == pytest.approx(6000.0 + full_us)


def test_where_it_is_split_the_collectors_share_of_the_time_is_added() -> None:
    """A tenth of the time of all batches is the collector's: nine tenths of the cost is code."""
    busy = kept(collections=[(90, 4000.0), (9, 1000.0), (1, 5000.0)])
    assert busy.collector_us == 10_000.0
    assert busy.code(0, NOOP) == pytest.approx(900e-6)
    assert busy.cost(0, NOOP) == pytest.approx(1000e-6)


def test_a_collector_that_is_put_right_is_added_to_the_code_as_it_was() -> None:
    """A fifth of the time was the collector's, three quarters of it in two full collections where
    1.5 were due: 20 - 15 + 11.25 to 80 of code.
    """
    busy = kept(collections=[(90, 4000.0), (9, 1000.0), (2, 15_000.0)], cycles=1.5)
    assert busy.cost(0, NOOP) == pytest.approx(900e-6 * (1 + 16_250 / 80_000))


def test_where_it_is_not_split_the_values_have_the_collector_in_them() -> None:
    busy = kept(collections=[(100, 10_000.0)])
    assert busy.cost(0, SLEEP) == busy.code(0, SLEEP)


def test_without_collections_the_cost_is_the_code() -> None:
    assert kept().cost(0, NOOP) == kept().code(0, NOOP) == pytest.approx(900e-6)


@pytest.mark.parametrize(("count", "counts"), [(50, False), (51, True)])
def test_a_collector_that_is_called_rarely_is_left_out(count: int, counts: bool) -> None:
    """What surrounds the slices has then as much to do with it as the fan-outs have."""
    cell = kept(timed_us=50 * RARE_US, collections=[(count - 1, 500.0), (1, 9500.0)])
    assert cell.collector_us == (10_000.0 if counts else 0.0)
    assert cell.cost(0, NOOP) == pytest.approx(1000e-6 if counts else 900e-6)


def test_a_collector_that_takes_more_than_there_was_is_not_believed() -> None:
    cell = kept(timed_us=100.0, collections=[(10, 100.0)])
    assert cell.cost(0, NOOP) == cell.code(0, NOOP)


@given(st.floats(1e-6, 1.0), st.floats(0.0, 0.9), st.integers(1, 50), st.floats(0.5, 2.0))
def test_a_slower_machine_changes_code_and_cost_alike(
    code: float, share: float, batches: int, pace: float
) -> None:
    """Code and collector are slowed down together: their quotient stays."""

    def cost(pace: float) -> float:
        total = pace * code / (1 - share)
        measured = slice_of(
            NOOP,
            [pace * code] * batches,
            timed_seconds=NOOP.loops * batches * total,
            collections=[10**9, 0, 0],
            collector_seconds=[NOOP.loops * batches * total * share, 0.0, 0.0],
        )
        return cell_of(NOOP, [measured], NOTHING).cost(0, NOOP)

    assert cost(1.0) == pytest.approx(code / (1 - share), rel=2e-3)
    assert math.log(cost(pace) / cost(1.0)) == pytest.approx(math.log(pace), abs=2e-3)
