"""``python -m harness.selftest``: what the method finds, misses and makes up, beside others.

A second run goes on where the first one ended; the steady state is measured as a whole. Exit codes:
0 done, 1 a trial failed or the journal cannot be gone on with, 2 bad usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.campaign.arguments import Parser, duration, names_of
from harness.commands import exit_code
from harness.selftest import experiment, show
from harness.selftest.arms import site
from harness.steady import Steady, cells

JOURNAL, STEADY = "trials.jsonl", "steady.jsonl"
PARTS = ("trials", "steady", "page")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make trials, measure the steady state, write the page; return the exit code."""
    parser = Parser(prog="python -m harness.selftest", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "parts",
        nargs="*",
        type=names_of(PARTS),
        metavar="PART",
        help=f"{', '.join(PARTS)}; default: all",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="new, or gone on with"
    )
    parser.add_argument("--python", metavar="PYTHON", help="default: the driver's own")
    parser.add_argument("--trial", type=duration, default=experiment.TRIAL_SECONDS, metavar="TIME")
    parser.add_argument("--repetitions", type=int, default=experiment.REPETITIONS, metavar="N")
    parser.add_argument("--time", type=duration, default=float("inf"), help="end after so long")
    options = parser.parse_args(arguments)
    return exit_code(parser.prog, lambda: _made(options, parser.prog))


def _made(options: argparse.Namespace, prog: str) -> int:
    until = time.monotonic() + options.time
    parts = [name for names in options.parts for name in names] or PARTS
    try:
        if "trials" in parts:
            _trials(options, until)
        if "steady" in parts and time.monotonic() < until:
            _steady(options.out / STEADY)
        if "page" in parts:
            _page(options.out)
    except experiment.SelftestError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 1
    return 0


def _trials(options: argparse.Namespace, until: float) -> None:
    with site(options.python) as where:
        trials = experiment.run(
            where, options.out / JOURNAL, options.repetitions, options.trial, until
        )
        for one in trials:
            said, truth = one.outcome.slower.value, one.truth
            print(
                f"{one.repetition:3d}  {one.condition:<20} {one.arm:<20} {one.workload:<9} "
                f"{said:+8.3%} of {truth:+.3%}  {one.seconds:.1f} s",
                flush=True,
            )


def _steady(file: Path) -> None:
    """Measure it, unless the file holds all of it already."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        with part.open("wb") as stream:
            for one in cells():
                stream.write(msgspec.json.encode(one) + b"\n")
                stream.flush()
        part.rename(file)


def shown_in(folder: Path) -> show.Shown:
    """What the page of a folder shows. Raises SelftestError when it has no trial."""
    setting, done = experiment.read(folder / JOURNAL)
    if setting is None or not done:
        raise experiment.SelftestError(f"{folder / JOURNAL} has no trial yet")
    steady = folder / STEADY
    lines = steady.read_bytes().splitlines() if steady.exists() else []
    return show.Shown(setting, done, [msgspec.json.decode(line, type=Steady) for line in lines])


def _page(folder: Path) -> None:
    for name, data in show.files_of(shown_in(folder)).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
