"""The commands end to end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import analysis
from analysis.__main__ import main
from analysis.campaign import Campaign
from analysis.findings import Findings
from analysis.load import read_campaign
from analysis.report import Published, ReportError
from tests.synthetic import change_lines, write_campaign, write_question

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_campaign(
        tmp_path / "results" / "campaign", rounds=6, sweeps=3, workloads=("noop",), tasks=(10, 100)
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that are read from now on."""
    folders: list[Path] = []

    def reading(folder: Path, *, suites: bool = False) -> Campaign:
        folders.append(folder)
        return read_campaign(folder, suites=suites)

    for module in ("analysis.__main__", "analysis.report"):
        monkeypatch.setattr(f"{module}.read_campaign", reading)
    return folders


def damage(folder: Path) -> None:
    def change(lines: list[dict[str, object]]) -> None:
        lines[1]["case"] = "unheard/of"
        lines[2]["round"] = -1

    change_lines(folder, change)


def test_show_prints_the_answer(folder: Path, capsys: Capture) -> None:
    assert main(["show", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert "Time relative to gather_coroutines" in out
    assert err == ""


def test_report_prints_the_answer_and_where_everything_lies(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = folder / "report"
    names = ("ratios-by-tasks-light.png", "ratios-by-tasks-light.svg", "other-light.svg")
    published = Published(
        folder=report,
        page=report / "index.html",
        markdown=report / "report.md",
        files=tuple(report / "charts" / name for name in names),
    )
    monkeypatch.setattr(
        "analysis.report.publish_findings", lambda found: {folder: published}[found.campaign.folder]
    )
    assert main(["report", str(folder)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert any(line.startswith("Time relative to gather_coroutines") for line in out)
    assert out[-4:] == [
        f"Results: {folder}",
        f"Chart: {report}/charts/ratios-by-tasks-light.png",
        f"Chart: {report}/charts/ratios-by-tasks-light.svg",
        f"Report: {report}/index.html",
    ]


def test_a_report_reads_its_campaign_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = readings(monkeypatch)
    monkeypatch.setattr("analysis.report.files_of", lambda _: {"index.html": b"page"})
    assert main(["report", str(folder)]) == 0
    assert read == [folder]
    assert (folder / "report" / "index.html").read_bytes() == b"page"


def test_a_report_that_cannot_be_written_is_a_failure(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Findings) -> Published:
        raise ReportError("something is in the way")

    monkeypatch.setattr("analysis.report.publish_findings", refuse)
    assert main(["report", str(folder)]) == 1
    assert capsys.readouterr().err == "something is in the way\n"


def test_the_newest_campaign_is_the_default(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = {"created": "2027-01-01T00:00:00+00:00"}
    write_campaign(folder.parent / "newer", rounds=1, tasks=(10,), changes=created)
    begun = {"created": "2027-01-02T00:00:00+00:00", "status": "running"}
    write_campaign(folder.parent / "begun", rounds=0, tasks=(10,), changes=begun)
    monkeypatch.chdir(folder.parent.parent)
    assert main(["show"]) == 0
    assert capsys.readouterr().out.startswith("newer · ")


@pytest.mark.parametrize("command", ["show", "export", "report"])
def test_a_damaged_campaign_is_refused_with_all_its_errors(
    folder: Path, capsys: Capture, command: str
) -> None:
    damage(folder)
    assert main([command, str(folder)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(":")[1] for line in err.splitlines()] == ["2", "3"]
    assert names(folder) == ["campaign.json", "rounds.jsonl"]


def test_check_lists_everything(folder: Path, capsys: Capture) -> None:
    damage(folder)
    assert main(["check", str(folder)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"{folder}: ")
    assert [line.split(":")[1] for line in out[1:3]] == ["2", "3"]
    assert out[-1] == "errors: 2, warnings: 1"


def test_check_of_a_sound_campaign(folder: Path, capsys: Capture) -> None:
    assert main(["check", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "errors: 0, warnings: 1"


def test_check_of_campaigns_of_different_code(folder: Path, capsys: Capture) -> None:
    other = write_campaign(
        folder.parent / "other", rounds=6, tasks=(10,), changes={"code_hash": "f" * 64}
    )
    assert main(["check", str(folder), str(other)]) == 1
    assert "measured different code" in capsys.readouterr().out


def test_export_writes_parquet_and_csv(folder: Path, capsys: Capture, tmp_path: Path) -> None:
    assert main(["export", str(folder), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / "out" / "values.parquet"),
        str(tmp_path / "out" / "values.csv"),
    ]
    values = analysis.load(folder)
    for back in (
        pd.read_parquet(tmp_path / "out" / "values.parquet"),
        # As text first: pandas' own parser may be off by the last digit.
        pd.read_csv(tmp_path / "out" / "values.csv", dtype=str).astype(
            {"seconds": float, "round": int}
        ),
    ):
        assert list(back.columns) == list(values.columns)
        assert list(back["seconds"]) == list(values["seconds"])
        assert list(back["contender"]) == list(values["contender"])
        assert list(back["round"]) == list(values["round"])


def test_export_writes_what_was_observed_too(tmp_path: Path, capsys: Capture) -> None:
    folder = write_question(tmp_path / "c", rounds=2, probes=("throughput", "memory"))
    assert main(["export", str(folder), "--out", str(tmp_path / "out")]) == 0
    files = ["values.parquet", "values.csv", "observed.parquet", "observed.csv"]
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "out" / name) for name in files]
    observed = read_campaign(folder).observed
    for back in (
        pd.read_parquet(tmp_path / "out" / "observed.parquet"),
        pd.read_csv(tmp_path / "out" / "observed.csv"),
    ):
        assert list(back.columns) == list(observed.columns)
        assert list(back["contender"]) == list(observed["contender"])
        assert list(back["value"]) == list(observed["value"])


def test_export_overwrites_nothing(folder: Path, capsys: Capture) -> None:
    assert main(["export", str(folder)]) == 0
    assert names(folder / "export") == ["values.csv", "values.parquet"]
    assert main(["export", str(folder)]) == 2
    assert "exists already and is never overwritten" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "report", "export", "check"])
def test_a_folder_that_is_not_there_is_bad_usage(
    command: str, capsys: Capture, tmp_path: Path
) -> None:
    assert main([command, str(tmp_path / "nowhere")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


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


def test_a_reader_that_stops_early_is_no_failure(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "campaign", rounds=6)
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
    assert "throughput ? noop" in out
