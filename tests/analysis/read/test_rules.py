"""What a plan may say: every error has the place of the field, and one fault makes one error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from analysis.read import rules
from analysis.read.load import read_campaign
from benchmarks.campaign.schema import (
    Failure,
    OldRoundLine,
    Plan,
    RoundLine,
    decode,
    encode,
)
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
        (lambda plan: plan.update(schema=3), "schema: Invalid enum value 3"),
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
        (case(quantile=2), "cases[0].quantile: Expected `float` <= 1.0"),
        (case(quantile=0.3), "cases[0].quantile: "),
        (case(blocks=-1), "cases[0].blocks: Expected `int` >= 0"),
        (case(splits="yes"), "cases[0].splits: Expected `bool`"),
        (lambda plan: plan.update(allocation={}), "allocation: Object missing required field"),
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


@pytest.mark.parametrize("old", [False, True])
def test_a_cell_that_no_block_asks_is_an_error_and_never_missed(tmp_path: Path, old: bool) -> None:
    cases = (Case("throughput", "noop", 100),)
    folder = campaigns.write(tmp_path / "c", cases=cases, rounds=2, old=old)
    ids = [one.id for one in read_campaign(folder).contenders]
    campaigns.change_plan(folder, block([one for one in ids if one != ids[1]], [CASE]))
    campaign = read_campaign(folder)
    assert [error.line for error in campaign.errors] == [1, 2]
    assert campaign.errors[0].message == f"'{ids[1]}': not asked this case by the plan"
    key = ids[1] if old else "1"
    campaigns.change_lines(folder, lambda lines: [line["cells"].pop(key) for line in lines])
    campaign = read_campaign(folder)
    assert campaign.problems == ()
    assert campaign.asked[:, 0].tolist() == [True, False, True, True]


def test_a_place_that_the_plan_has_not_is_no_id(tmp_path: Path) -> None:
    """Ids are free: one may be a number."""
    folder = campaigns.write(tmp_path / "c", cases=(Case("throughput", "noop", 100),), rounds=1)
    campaigns.change_plan(folder, lambda plan: plan["contenders"][1].update(id="99"))
    assert read_campaign(folder).problems == ()
    campaigns.change_lines(
        folder, lambda lines: lines[0]["cells"].update({"99": lines[0]["cells"].pop("1")})
    )
    [error] = read_campaign(folder).errors
    assert "'contender 99': not asked this case by the plan" in error.message


@pytest.mark.parametrize("old", [False, True])
def test_the_cause_of_a_failure_may_say_anything(tmp_path: Path, old: bool) -> None:
    """Also what looks like a cell."""
    failure = Failure(contender=BASELINE, case=CASE, round=0, cause='{"0":[[[1]]],"values":1}')
    cases = (Case("throughput", "noop", 100),)
    folder = campaigns.write(
        tmp_path / "c", cases=cases, rounds=1, old=old, strategies=("gather_coroutines",)
    )
    path = folder / "rounds.jsonl"
    line = decode(path.read_bytes(), OldRoundLine if old else RoundLine)
    path.write_bytes(encode(replace(line, failures={BASELINE: failure.cause})) + b"\n")
    assert read_campaign(folder).problems == ()


def test_a_few_of_many_names_are_said() -> None:
    assert rules.some(["a", "b", "c"]) == "'a', 'b', 'c'"
    assert rules.some(["a", "b", "c", "d", "e"]) == "'a', 'b', 'c' and 2 more"
