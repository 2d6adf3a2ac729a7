"""Two campaigns compared with each other: the rows, their verdicts and the gate."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.estimate.intervals import hodges_lehmann_shift
from analysis.judge.between import IncomparableError, between, check_comparable, gate
from analysis.judge.contrasts import COLUMNS
from analysis.judge.verdicts import UNDECIDED, judge
from analysis.read.campaign import Campaign
from analysis.read.load import read_campaign
from benchmarks.campaign import schema
from benchmarks.cases import Case
from tests import campaigns
from tests.campaigns import only

BATCHES, ERRORS = 2, 10
"""Their places in a cell."""
GROUP_TASK = "cpython-3.14.0/asyncio/lazy/task_group"


def written(folder: Path, *, slower: float = 0.0, seed: int = 1, **options: object) -> Campaign:
    return read_campaign(
        campaigns.write(
            folder,
            effect=lambda contender, case, metric: slower,
            seed=seed,
            **options,  # type: ignore[arg-type]
        )
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return written(tmp_path_factory.mktemp("results") / "base")


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return written(tmp_path_factory.mktemp("results") / "head", slower=0.1, seed=2)


def test_every_cell_is_compared_with_itself(base: Campaign, head: Campaign) -> None:
    frame = between(base, head)
    assert tuple(frame.columns) == COLUMNS
    assert len(frame) == 2 * 3
    assert (frame["subject"] == frame["reference"]).all()
    assert set(frame["axis"]) == {"campaign"}
    assert set(zip(frame["compared"], frame["against"], strict=True)) == {("head", "base")}
    assert set(frame["verdict"]) == {"slower"}
    judged = judge(*(frame[name].to_numpy() for name in ("low", "high", "rounds")))
    assert (frame["verdict"] == judged).all()
    np.testing.assert_allclose(frame["ratio"], np.exp(0.1), rtol=0.02)
    np.testing.assert_allclose(frame["difference"], (frame["ratio"] - 1) * frame["reference_value"])
    assert frame["value"].between(3000, 3600).all()

    def medians(campaign: Campaign) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        values = only(campaign.values, contender=GROUP_TASK, tasks=100)
        logs = np.log(values["seconds"]).groupby(values["round"]).median()
        return np.asarray(logs, dtype=np.float64)

    shift = hodges_lehmann_shift(medians(base), medians(head))
    [row] = only(frame, subject=GROUP_TASK, tasks=100).to_dict("records")
    found = [np.log(row[name]) for name in ("ratio", "low", "high")]
    assert found == pytest.approx([shift.value, shift.low, shift.high])


def test_two_single_pythons_are_what_is_compared(tmp_path: Path, head: Campaign) -> None:
    frame = between(written(tmp_path / "older", pythons=("3.13.1",)), head)
    assert (frame["rounds"] == 12).all()
    assert set(frame["python"]) == {"3.14.0"}
    assert frame["reference"].str.startswith("cpython-3.13.1/").all()


def test_pythons_of_different_builds_are_marked(tmp_path: Path, base: Campaign) -> None:
    other: dict[str, schema.Facts] = {"3.14.0": {"pgo": False}}
    plain = written(tmp_path / "plain", builds=other)
    assert not between(base, plain)["same_build"].any()
    assert between(base, written(tmp_path / "alike", seed=2))["same_build"].all()


def test_several_pythons_are_matched_by_version_and_others_are_missing(tmp_path: Path) -> None:
    base = written(tmp_path / "base", pythons=("3.13.1", "3.14.0"))
    head = written(tmp_path / "head", pythons=("3.14.0", "3.15.0"), seed=2)
    frame = between(base, head)
    by_python = {python: only(frame, python=python) for python in ("3.13.1", "3.14.0", "3.15.0")}
    assert set(by_python["3.14.0"]["verdict"]) <= {"same", "undecided"}
    for python, lacking in (("3.13.1", "head"), ("3.15.0", "base")):
        rows = by_python[python]
        assert set(rows["verdict"]) == {"missing"}
        assert set(rows["reason"]) == {f"not measured in {lacking}"}
        assert rows["ratio"].isna().all()
    assert set(by_python["3.13.1"]["subject"]) == {""}
    assert by_python["3.13.1"]["reference_value"].notna().all()
    assert set(by_python["3.15.0"]["reference"]) == {""}


def test_cells_are_matched_by_collector_metric_and_pause(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "cases": (Case("memory", "pending", 10), Case("head_start", "noop", 10, "sleep_5ms")),
        "collectors": ("on", "off"),
        "rounds": 3,
    }
    base, head = (read_campaign(campaigns.write(tmp_path / n, **options)) for n in ("base", "head"))
    frame = between(base, head)
    assert len(frame) == 2 * 2 * 3
    assert frame["ratio"].tolist() == [1.0] * len(frame)
    assert set(zip(frame["metric"], frame["unit"], strict=True)) == {
        ("steady", "B"),
        ("makespan", "s"),
    }
    # Three rounds on each side give no interval; five do, though one campaign would take six.
    assert set(frame["reason"]) == {"3 of 6 rounds for an interval"}
    five = between(*(written(tmp_path / f"{name}5", rounds=5) for name in ("base", "head")))
    assert np.isfinite(five["high"]).all()
    assert set(five["reason"]) == {""}


def test_what_cannot_be_compared_is_refused_by_name(tmp_path: Path, base: Campaign) -> None:
    check_comparable(base, base)
    other = written(tmp_path / "other", code_hash="1" * 64, machine={"id": "another"})
    with pytest.raises(
        IncomparableError, match=r"machines \(0123456789ab and another\) and .*code"
    ):
        check_comparable(base, other)
    other = written(tmp_path / "apart", cases=(Case("throughput", "sleep", 1),))
    with pytest.raises(IncomparableError, match="no cell in common"):
        between(base, other)


def test_the_gate_names_regressions_beyond_its_limit_only(base: Campaign, head: Campaign) -> None:
    frame = between(base, head)
    regressions = gate(frame, 0.03).regressions
    assert len(regressions) == len(frame)
    assert regressions[0].startswith(
        "throughput/noop/100, cpython-3.14.0/asyncio/lazy/gather_coroutines: +"
    )
    assert gate(frame, 0.20).regressions == ()
    assert gate(between(head, base), 0.03).regressions == ()
    limit = float(frame["low"].min()) - 1
    assert len(gate(frame, limit).regressions) == len(frame) - 1


def test_cells_without_values_or_verdict_stay_open(tmp_path: Path, base: Campaign) -> None:
    failure = schema.Failure(
        contender=GROUP_TASK, case="throughput/noop/100", round=0, cause="killed"
    )
    head = written(tmp_path / "head", seed=2, failed=(failure,), noise=0.1)
    judged = gate(between(base, head), 0.5)
    assert judged.regressions == ()
    assert (
        "throughput/noop/100, cpython-3.14.0/asyncio/lazy/task_group: not measured in head"
        in judged.open
    )
    assert len(judged.open) == 5
    assert sum(": undecided, " in one for one in judged.open) == 4


def test_what_fails_faster_is_no_gain(tmp_path: Path) -> None:
    """Calls that raise at once, in one of the two campaigns."""

    def raising(name: str, share: float) -> Campaign:
        folder = campaigns.write(tmp_path / name, effect=lambda *_: -share)

        def change(lines: list[Any]) -> None:
            for line in lines:
                tasks = int(line["case"].split("/")[-1])
                for cell in line["cells"].values():
                    cell[ERRORS] = int(share * tasks * cell[BATCHES])

        campaigns.change_lines(folder, change)
        counted = {"name": "mine.f", "kind": "workload", "sha256": "0", "counts_errors": True}
        campaigns.change_plan(folder, lambda plan: plan.update(own=[counted]))
        return read_campaign(folder)

    frame = between(raising("base", 0.0), raising("head", 0.5))
    assert set(frame["verdict"]) == {"missing"}
    assert set(frame["reason"]) == {"50.0 % of its calls have failed, 0.0 % in base"}
    judged = gate(frame, 0.03)
    assert (judged.regressions, len(judged.open)) == ((), len(frame))
    assert not between(raising("one", 0.5), raising("other", 0.5))["reason"].any()


def test_without_a_limit_what_is_undecided_is_no_regression(tmp_path: Path, base: Campaign) -> None:
    frame = between(base, written(tmp_path / "head", seed=2, slower=0.01, noise=0.01))
    frame = frame.assign(low=1.003, high=1.03, verdict=UNDECIDED)
    judged = gate(frame, math.inf)
    assert judged.regressions == ()
    assert len(judged.open) == len(frame)
