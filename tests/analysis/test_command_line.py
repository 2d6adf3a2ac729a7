"""The commands end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import analysis
from analysis.__main__ import main
from analysis.judge.findings import Findings
from analysis.read.load import read_campaign
from analysis.show.report import ReportError
from benchmarks.cases import Case
from tests import campaigns

Capture = pytest.CaptureFixture[str]
FILES = ["campaign.json", "rounds.jsonl"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return campaigns.write(tmp_path / "results" / "campaign")


def another(beside: Path, name: str, **options: object) -> Path:
    return campaigns.write(beside.parent / name, **options)  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def damage(folder: Path) -> None:
    """Lines 2 and 3 of the journal are wrong from now on."""
    path = folder / "rounds.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines[1]["case"] = "unheard/of"
    lines[2]["round"] = -1
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def test_show_prints_the_answer(folder: Path, capsys: Capture) -> None:
    assert main(["show", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert "Time per task on Python 3.14.0" in out
    assert err == ""


def test_report_prints_the_answer_and_where_everything_lies(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = folder / "report"
    found: list[Path] = []

    def publish(findings: Findings) -> Path:
        found.append(findings.campaign.folder)
        (report / "charts").mkdir(parents=True)
        for name in ("limits", "other", "ratios-by-tasks"):
            (report / "charts" / f"{name}.png").touch()
        return report / "index.html"

    monkeypatch.setattr("analysis.show.report.publish", publish)
    assert main(["report", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "Time per task on Python 3.14.0" in out
    assert out.splitlines()[-2:] == [
        f"Chart: {report}/charts/ratios-by-tasks.png",
        f"Report: {report}/index.html",
    ]
    assert found == [folder]


def test_a_report_that_cannot_be_written_is_a_failure(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Findings) -> Path:
        raise ReportError("something is in the way")

    monkeypatch.setattr("analysis.show.report.publish", refuse)
    assert main(["report", str(folder)]) == 1
    assert capsys.readouterr().err == "something is in the way\n"


def test_the_newest_campaign_is_the_default(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    another(folder, "newer", created="2027-01-01T00:00:00+00:00")
    another(folder, "begun", created="2027-01-02T00:00:00+00:00", status="running", rounds=0)
    monkeypatch.chdir(folder.parent.parent)
    assert main(["show"]) == 0
    assert capsys.readouterr().out.startswith("newer · ")


@pytest.mark.parametrize("command", ["show", "export", "report", "claims"])
def test_a_damaged_campaign_is_refused_with_all_its_errors(
    folder: Path, capsys: Capture, command: str
) -> None:
    damage(folder)
    assert main([command, str(folder)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    journal = folder / "rounds.jsonl"
    places = [line.split(": error: ")[0] for line in err.splitlines()]
    assert places == [f"{journal}:2", f"{journal}:3"]
    assert names(folder) == FILES


def test_check_lists_everything(folder: Path, capsys: Capture) -> None:
    damage(folder)
    assert main(["check", str(folder)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"{folder}: ")
    assert [line.split(":")[1] for line in out[1:3]] == ["2", "3"]
    assert out[-1].startswith("errors: 2, ")


def test_check_of_a_sound_campaign(folder: Path, capsys: Capture) -> None:
    assert main(["check", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("errors: 0, ")


def test_campaigns_of_different_code_are_sound(folder: Path, capsys: Capture) -> None:
    other = another(folder, "other", code_hash="f" * 64)
    assert main(["check", str(folder), str(other)]) == 0
    assert "errors: 0, " in capsys.readouterr().out


def test_export_writes_parquet_and_csv(folder: Path, capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["export", str(folder), "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(out / f"{frame}.{kind}")
        for frame in ("values", "observed")
        for kind in ("parquet", "csv")
    ]
    values = analysis.load(folder)
    for back in (
        pd.read_parquet(out / "values.parquet"),
        # As text first: pandas' own parser may be off by the last digit.
        pd.read_csv(out / "values.csv", dtype=str).astype({"seconds": float, "round": int}),
    ):
        assert list(back.columns) == list(values.columns)
        for name in ("seconds", "contender", "round"):
            assert list(back[name]) == list(values[name])


def test_export_writes_what_was_observed_too(folder: Path, capsys: Capture, tmp_path: Path) -> None:
    observing = another(folder, "observing", cases=(Case("failure", "noop", 10),))
    out = tmp_path / "out"
    assert main(["export", str(observing), "--out", str(out)]) == 0
    assert str(out / "observed.csv") in capsys.readouterr().out.splitlines()
    observed = read_campaign(observing).observed
    assert len(observed)
    for back in (pd.read_parquet(out / "observed.parquet"), pd.read_csv(out / "observed.csv")):
        assert list(back.columns) == list(observed.columns)
        for name in ("contender", "value"):
            assert list(back[name]) == list(observed[name])


def test_export_of_an_old_campaign_in_which_nothing_was_observed(
    folder: Path, capsys: Capture, tmp_path: Path
) -> None:
    old, out = another(folder, "old", old=True), tmp_path / "out"
    assert main(["export", str(old), "--out", str(out)]) == 0
    assert names(out) == ["values.csv", "values.parquet"]
    assert pd.read_csv(out / "values.csv")["collector_seconds"].isna().all()
    assert capsys.readouterr().err == ""


def test_a_campaign_without_values_exports_nothing(
    folder: Path, capsys: Capture, tmp_path: Path
) -> None:
    empty, out = another(folder, "empty", rounds=0), tmp_path / "out"
    assert main(["export", str(empty), "--out", str(out)]) == 2
    assert capsys.readouterr().err == f"{empty} has no values to export\n"
    assert not out.exists()


def test_export_overwrites_nothing(folder: Path, capsys: Capture) -> None:
    assert main(["export", str(folder)]) == 0
    before = names(folder / "export")
    assert main(["export", str(folder)]) == 2
    assert "exists already and is never overwritten" in capsys.readouterr().err
    assert names(folder / "export") == before


def test_the_gate_fails_where_a_slowdown_is_proven(folder: Path, capsys: Capture) -> None:
    slower = another(folder, "slower", effect=lambda *_: 0.1, seed=2)
    both = ["compare", str(folder), str(slower)]
    assert main([*both, "--fail-slower", "50%"]) == 0
    out = capsys.readouterr().out
    assert "slower compared with campaign" in out
    assert "left out" not in out
    assert main([*both, "--fail-slower", "0.05"]) == 1
    first, *regressions = capsys.readouterr().err.splitlines()
    assert first == "slower beyond 5 %:"
    assert len(regressions) == 2 * 3


def test_the_gate_can_ask_for_a_verdict_on_every_cell(folder: Path, capsys: Capture) -> None:
    more = another(folder, "more", cases=(*campaigns.NOOP, Case("throughput", "noop", 10)), seed=2)
    assert main(["compare", str(folder), str(more), "--require-decided"]) == 1
    out, err = capsys.readouterr()
    assert "3 cells that only one of them has: left out." in out
    assert err.startswith("missing or undecided:\n")
    assert err.count("not measured in campaign") == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cases": (Case("throughput", "sleep", 10),)}, "have no cell in common"),
        ({"code_hash": "f" * 64}, "--allow-different"),
    ],
)
def test_what_cannot_be_compared_is_bad_usage(
    folder: Path, capsys: Capture, options: dict[str, object], said: str
) -> None:
    other = another(folder, "other", **options)
    assert main(["compare", str(folder), str(other), "--fail-slower", "3%"]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert said in err


def test_a_campaign_is_not_compared_with_itself(folder: Path, capsys: Capture) -> None:
    assert main(["compare", str(folder), f"{folder}/../{folder.name}"]) == 2
    assert "are one folder" in capsys.readouterr().err


def test_an_old_campaign_is_shown_and_compared(folder: Path, capsys: Capture) -> None:
    old = another(folder, "old", old=True)
    assert main(["show", str(old)]) == 0
    assert "Time per task on Python 3.14.0" in capsys.readouterr().out
    assert main(["compare", str(old), str(folder)]) == 0
    assert "campaign compared with old" in capsys.readouterr().out


@pytest.mark.parametrize("share", ["-1%", "much", "nan", "1000%", "3"])
def test_a_share_that_is_none_is_bad_usage(share: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["compare", "a", "b", f"--fail-slower={share}"])
    assert exit_.value.code == 2
    assert "is not a share" in capsys.readouterr().err


def test_claims_are_checked_against_a_campaign(folder: Path, capsys: Capture) -> None:
    tree = another(folder, "tree", cases=(Case("throughput", "tree", 36),))
    assert main(["claims", str(tree)]) == 0
    out = capsys.readouterr().out
    assert "Published claims, and what was measured here" in out
    assert "Claims that were not tested here" in out
    assert out.count("hold together") == 1


@pytest.mark.parametrize("command", ["show", "report", "export", "check", "claims"])
def test_a_folder_that_is_not_there_is_bad_usage(
    command: str, capsys: Capture, tmp_path: Path
) -> None:
    assert main([command, str(tmp_path / "nowhere")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_python_that_is_not_there_is_bad_usage(folder: Path, capsys: Capture) -> None:
    assert main(["show", str(folder), "--baseline-python", "3.9"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{folder}: ")
    assert "3.9" in line


def test_no_campaign_at_all_is_bad_usage(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["show"]) == 2
    assert capsys.readouterr().err == (
        "no campaign under results/: run make bench, or name a folder\n"
    )


@pytest.mark.parametrize("arguments", [[], ["unheard"], ["show", "a", "b"], ["show", "--x"]])
def test_bad_arguments_exit_2(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("python -m analysis")


def run(*arguments: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "analysis", *arguments]
    return subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload, no-any-return]


def test_the_answer_is_followed_while_a_campaign_runs(folder: Path) -> None:
    with run("follow", str(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        out, _ = process.communicate("\n\n")
    assert process.returncode == 0
    first, second, end = out.split("\f")
    assert first == second
    assert "Time per task on Python 3.14.0" in first
    assert end == ""


def test_a_reader_that_stops_early_is_no_failure(folder: Path) -> None:
    with run("show", str(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_output_that_knows_only_ascii_is_no_failure(folder: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with run("show", str(folder), stdout=subprocess.PIPE, env=environment) as process:
        out, _ = process.communicate()
    assert process.returncode == 0
    assert "campaign ? Python" in out
