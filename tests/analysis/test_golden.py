"""The rebuilt table of contrasts gives every figure of single cases that the old paths gave."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.axes import compare_collectors, compare_factories
from analysis.campaign import Campaign as OldCampaign
from analysis.comparisons import absolutes as old_absolutes
from analysis.comparisons import compare, compare_loops, compare_pythons
from analysis.judge.findings import find
from analysis.load import read_campaign as old_read
from analysis.read.load import read_campaign

OLD: dict[str, Callable[[OldCampaign], pd.DataFrame]] = {
    "strategy": compare,
    "loop": compare_loops,
    "task_factory": compare_factories,
    "collector": compare_collectors,
    "python": compare_pythons,
}


@pytest.mark.parametrize("name", ["2026-11-question", "2026-11-versions"])
def test_every_ratio_and_interval_of_a_case_is_what_it_was(name: str) -> None:
    folder = f"results/reference/{name}"
    old_campaign, found = old_read(folder), find(read_campaign(folder))
    cases = found.contrasts[(found.contrasts["scope"] == "case") & found.contrasts["default"]]
    compared = 0
    for axis, of_axis in OLD.items():
        new = cases[cases["axis"].isin((axis, "build") if axis == "python" else (axis,))]
        old = of_axis(old_campaign)
        if axis == "python":  # the old pairs left the collector out
            old = old[old["collector"] == "on"]
            new = new[new["collector"] == "on"]
        both = old.merge(
            new,
            left_on=["contender_id", "case", "metric"],
            right_on=["subject", "case", "metric"],
            suffixes=("_old", ""),
            how="outer",
            indicator=True,
        )
        assert (both["_merge"] == "both").all()
        assert (both["rounds_old"] == both["rounds"]).all()
        alone = both["family"] == ""
        for figure, rows in (("ratio", both), ("low", both[alone]), ("high", both[alone])):
            one, two = rows[f"{figure}_old"].to_numpy(float), rows[figure].to_numpy(float)
            np.testing.assert_allclose(one, two, rtol=1e-9, equal_nan=True)
        compared += len(both)
    assert compared > 2000
    old = old_absolutes(old_campaign).sort_values(["contender_id", "case", "metric"])
    absolutes = found.absolutes[found.absolutes["scope"] == "case"]
    absolutes = absolutes.sort_values(["contender", "case", "metric"])
    in_unit = np.select(
        [absolutes["unit"] == "s", absolutes["unit"] == "ns"],
        [old["seconds"].to_numpy(), old["ns_per_task"].to_numpy()],
        old["bytes_per_task"].to_numpy(),
    )
    np.testing.assert_allclose(absolutes["value"], in_unit, rtol=1e-9)
