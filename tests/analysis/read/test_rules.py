"""What a plan may say: every error has the place of the field, and one fault makes one error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.read import rules
from analysis.read.load import read_campaign
from benchmarks.campaign.schema import Plan, decode
from benchmarks.cases import Case
from tests import campaigns

Change = Callable[[Any], object]

BASELINE = "cpython-3.14.0/asyncio/lazy/gather_coroutines"
CASE = "throughput/noop/100"
HIDDEN = ("\x1b", "\n", "\x85", "\u202e", "\u2066", "\u200f", "\ufeff")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    cases = (Case("throughput", "noop", 100), Case("throughput", "noop", 1000))
    folder = campaigns.write(tmp_path_factory.mktemp("plan") / "c", rounds=0, cases=cases)
    return (folder / "campaign.json").read_bytes()


def case(**fields: object) -> Change:
    return lambda plan: plan["cases"][0].update(fields)


def contender(**fields: object) -> Change:
    return lambda plan: plan["contenders"][1].update(fields)


def failed(contender: str, case: str) -> Change:
    failure = {"contender": contender, "case": case, "round": 0, "cause": ""}
    return lambda plan: plan["failed"].append(failure)


def block(contenders: list[str], cases: list[str]) -> Change:
    return lambda plan: plan.update(blocks=[{"contenders": contenders, "cases": cases}])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda plan: plan.update(schema=2), "schema: Invalid enum value 2"),
        (lambda plan: plan.pop("name"), "missing required field `name`"),
        (lambda plan: plan.update(status="done"), "status: Invalid enum value 'done'"),
        (lambda plan: plan.update(precision=-0.1), "precision: Expected `float` >= 0"),
        (lambda plan: plan["machine"].update(a={"b": 1}), "machine[...]: Expected"),
        (lambda plan: plan["cases"].append(7), "cases[2]: Expected `object`"),
        (lambda plan: plan["cases"].append(plan["cases"][0]), f"cases: id '{CASE}' is given 2"),
        (lambda plan: plan["contenders"].pop(0), "contenders: no baseline for 'cpython-3.14.0 / a"),
        (
            lambda plan: plan["interpreters"][0].update(name="../x"),
            "interpreters[0].name: is empty",
        ),
        (lambda plan: plan["interpreters"][0].update(name="x" * 201), "interpreters[0].name: Exp"),
        (lambda plan: plan["interpreters"].extend(plan["interpreters"]), "interpreters: name 'cpy"),
        (
            lambda plan: plan["skipped"].append({"contender": {}}),
            "skipped[0].contender: Object mis",
        ),
        (lambda plan: plan.update(blocks=[{"cases": []}]), "blocks[0]: Object missing required"),
        (block(["who"], [CASE]), "blocks[0].contenders: 'who' is not in the plan"),
        (block([BASELINE], ["what"]), "blocks[0].cases: 'what' is not in the plan"),
        (failed("who", CASE), "failed[0].contender: 'who' is not in the plan"),
        (failed(BASELINE, "what"), "failed[0].case: 'what' is not in the plan"),
        (case(tasks=0), "cases[0].tasks: Expected `int` >= 1"),
        (case(metrics=[]), "cases[0].metrics: Expected `array` of length >= 1"),
        (case(metrics=["total"] * 2), "cases[0].metrics: names one twice"),
        (case(headline_metric="p1"), "cases[0].headline_metric: 'p1' is not among metrics"),
        (case(units={"x": "byte"}), "cases[0].units: names something that is not among metrics"),
        (case(units={"total": "hour"}), "cases[0].units[...]: Invalid enum value 'hour'"),
        (contender(id=BASELINE), f"contenders: id '{BASELINE}' is given 2 times"),
        (contender(role="x"), "contenders[1].role: Invalid enum value 'x'"),
        (contender(role="baseline"), f"contenders[1]: is what '{BASELINE}' is already: baseline"),
        (contender(role="control"), "contenders[3]: is what"),
        (contender(interpreter="?"), "contenders[1].interpreter: is not among the interpreters"),
        (
            contender(collector="off"),
            "contenders: no baseline for 'cpython-3.14.0 / asyncio / lazy",
        ),
        *((contender(id=f"a{sign}"), "contenders[1].id: is empty, or not one") for sign in HIDDEN),
        *(
            (
                lambda plan, sign=sign: plan["interpreters"][0].update(name=f"a{sign}"),
                "[0].name: is",
            )
            for sign in HIDDEN
        ),
    ],
)
def test_what_is_wrong_with_a_plan_is_an_error_with_its_field(
    plan: bytes, tmp_path: Path, change: Change, words: str
) -> None:
    fields = json.loads(plan)
    change(fields)
    (tmp_path / "campaign.json").write_text(json.dumps(fields), encoding="utf-8")
    campaign = read_campaign(tmp_path)
    assert {(problem.severity, problem.file) for problem in campaign.problems} == {
        ("error", "campaign.json")
    }
    assert any(words in problem.message for problem in campaign.problems)
    assert campaign.plan.contenders == ()


def test_too_many_planned_cells_and_names_in_blocks_are_refused(
    plan: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = json.loads(plan)
    block([BASELINE] * 3, [CASE])(fields)
    sound = decode(json.dumps(fields).encode(), Plan)
    monkeypatch.setattr(rules, "MAX_CELLS", 7)
    monkeypatch.setattr(rules, "MAX_TOTAL_BLOCK_IDS", 3)
    assert list(rules.plan_errors(sound)) == [
        "blocks: hold more than 3 names in all",
        "cases: with the contenders make 8 cells; at most 7 are read",
    ]


def test_a_cell_that_no_block_asks_is_an_error_and_never_missed(tmp_path: Path) -> None:
    folder = campaigns.write(tmp_path / "c", cases=(Case("throughput", "noop", 100),), rounds=2)
    ids = [one.id for one in read_campaign(folder).contenders]
    campaigns.change_plan(folder, block([one for one in ids if one != ids[1]], [CASE]))
    campaign = read_campaign(folder)
    assert [error.line for error in campaign.errors] == [1, 2]
    assert campaign.errors[0].message == f"'{ids[1]}': not asked this case by the plan"
    campaigns.change_lines(folder, lambda lines: [line["cells"].pop(ids[1]) for line in lines])
    campaign = read_campaign(folder)
    assert campaign.problems == ()
    assert campaign.asked[:, 0].tolist() == [True, False, True, True]


def test_what_is_implausible_lies_outside_its_range_or_is_no_number() -> None:
    values = np.array([1e-9, 3600.0, 9e-10, 3600.1, np.nan, np.inf, -1.0])
    ranges = np.tile(rules.SECONDS_RANGE, (len(values), 1))
    assert rules.implausible(values, ranges).tolist() == [False] * 2 + [True] * 5
    assert rules.some(["a", "b", "c", "d", "e"]) == "'a', 'b', 'c' and 2 more"
