"""The analysis of campaigns: read -> estimate -> judge -> show.

    python -m analysis show   [FOLDER]             tables on the terminal
    python -m analysis report [FOLDER]             the same, and the report in FOLDER/report
    python -m analysis export [FOLDER] [--out DIR] the values as Parquet and CSV
    python -m analysis check  [FOLDER ...]         everything that is wrong with the raw files
    python -m analysis claims FOLDER [FOLDER ...]  published claims, checked against campaigns
    python -m analysis compare BASE HEAD           two campaigns; with --fail-slower 3% a gate
    python -m analysis readme [--check]            the READMEs' generated parts, from the reference
    python -m analysis follow FOLDER               the answer, again for each line on standard input

FOLDER is a campaign's; without one it is the newest under results/. Exits 0 when all is well, 1
when a campaign cannot be used or written or a gate fails, 2 for bad usage.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from analysis.read.campaign import CampaignError
from analysis.read.load import newest_campaign, read_campaign, usable
from benchmarks.campaign.schema import UnknownPythonError

if TYPE_CHECKING:
    from analysis.judge.findings import Findings

OK, FAILED, USAGE = 0, 1, 2
RESULTS: Final = Path("results")
MOST_PROBLEMS: Final = 20
"""Lines of what is wrong with a campaign; ``check`` prints all."""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong; the usage is for those who ask for help."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}\n")


class UsageError(Exception):
    """What was asked for cannot be found or made; the message is one line."""


class FailedError(Exception):
    """A command that did what it was asked, and whose answer is no."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
        sys.stdout.flush()
    except UsageError as error:
        return _fail(str(error), USAGE)
    except FailedError as error:
        return _fail(str(error), FAILED)
    except CampaignError as error:
        return _fail(_shortened(error), FAILED)
    except BrokenPipeError:
        # The reader has what it wanted. Nothing may be left to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror}", FAILED)
    return OK


def show(options: argparse.Namespace) -> None:
    """Tables on the terminal."""
    _shown(_folder(options.folder), options)


def report(options: argparse.Namespace) -> None:
    """Tables on the terminal, and the report."""
    from analysis.show.page import headline
    from analysis.show.report import ReportError, publish

    folder = _folder(options.folder)
    findings = _shown(folder, options)
    try:
        page = publish(findings)
    except ReportError as error:
        raise FailedError(str(error)) from None
    charts = (page.parent / "charts").glob("*.png")
    for chart in headline({path.stem: path for path in charts}):
        print(f"Chart: {chart}")
    print(f"Report: {page}")


def follow(options: argparse.Namespace) -> None:
    """The answer, again for each line on standard input, each ended by a form feed."""
    import io

    from rich.console import Console

    from analysis.judge.findings import find
    from analysis.show import terminal

    with contextlib.suppress(AttributeError, OSError):
        # A campaign is running: it takes its turns, and this has what time is left.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    for _ in sys.stdin:
        text = io.StringIO()
        console = Console(
            file=text, width=options.width, force_terminal=True, highlight=False, color_system="256"
        )
        with contextlib.suppress(CampaignError):
            terminal.show(find(usable(options.folder)), console)
        print(text.getvalue(), end="\f", flush=True)


def export(options: argparse.Namespace) -> None:
    """Values as Parquet and CSV."""
    from analysis.read.load import with_conditions
    from analysis.show import report as writer

    folder = _folder(options.folder)
    out = options.out or folder / "export"
    if os.path.lexists(out):
        raise UsageError(f"{out} exists already and is never overwritten; name another with --out")
    campaign = usable(folder)
    values = with_conditions(campaign)
    if values.empty:
        raise UsageError(f"{folder} has no values to export")
    for path in writer.export(values, campaign.observed, out):
        print(path)


def check(options: argparse.Namespace) -> None:
    """Everything wrong with raw files."""
    campaigns = [
        read_campaign(folder, suites=True)
        for folder in ([_folder(given) for given in options.folders] or [_folder(None)])
    ]
    for campaign in campaigns:
        values = len(campaign.journal.values)
        print(f"{campaign.folder}: {values} values in {campaign.rounds} rounds")
        for problem in campaign.problems:
            print(f"  {problem}")
    errors = sum(len(campaign.errors) for campaign in campaigns)
    print(f"errors: {errors}, warnings: {sum(len(one.warnings) for one in campaigns)}")
    if errors:
        raise FailedError("the raw files are in error")


def claims(options: argparse.Namespace) -> None:
    """Published claims, checked against campaigns."""
    from analysis.judge.findings import find
    from analysis.judge.ledger import ledger
    from analysis.show import tables, terminal

    found = [find(usable(_folder(folder))) for folder in options.folders]
    terminal.print_tables(tables.claims(ledger(found), short=True), terminal.console())


def compare(options: argparse.Namespace) -> None:
    """Two campaigns compared with each other."""
    from analysis.judge.between import IncomparableError, between, check_comparable, gate
    from analysis.show import tables, terminal

    if _folder(options.base).samefile(_folder(options.head)):
        raise UsageError(f"{options.base} and {options.head} are one folder: name two")
    base, head = map(usable, (options.base, options.head))
    try:
        if not options.allow_different:
            check_comparable(base, head)
        comparison = between(base, head)
    except IncomparableError as error:
        raise UsageError(str(error)) from None
    terminal.print_tables([tables.between(comparison, base, head)], terminal.console())
    judged = gate(comparison, options.fail_slower)
    if judged.regressions:
        limit = f"slower beyond {options.fail_slower * 100:g} %:"
        raise FailedError("\n  ".join([limit, *judged.regressions]))
    if options.require_decided and judged.open:
        raise FailedError("\n  ".join(["missing or undecided:", *judged.open]))


def readme(options: argparse.Namespace) -> None:
    """The generated parts of the READMEs, from the reference campaigns."""
    from analysis.show.readme import ReadmeError, documents

    try:
        fresh = documents()
    except ReadmeError as error:
        raise FailedError(str(error)) from None
    stale = [path for path, text in fresh.items() if path.read_text(encoding="utf-8") != text]
    if options.check and stale:
        files = " and ".join(map(str, stale))
        raise FailedError(f"not current: {files}: run python -m analysis readme")
    for path in stale:
        path.write_text(fresh[path], encoding="utf-8")


def _shown(folder: Path, options: argparse.Namespace) -> Findings:
    """What was found in the campaign, after it has been shown."""
    from analysis.judge.findings import find
    from analysis.show import terminal

    try:
        findings = find(usable(folder), baseline_python=options.baseline_python)
    except UnknownPythonError as error:
        raise UsageError(f"{folder}: {error}") from None
    terminal.show(findings, terminal.console(), everything=options.all)
    return findings


def _folder(given: Path | None) -> Path:
    if given is None:
        newest = newest_campaign(RESULTS)
        if newest is None:
            raise UsageError(f"no campaign under {RESULTS}/: run make bench, or name a folder")
        return newest
    if not given.is_dir():
        raise UsageError(f"{given} is not a folder; name a campaign's results folder")
    return given


def _share(text: str) -> float:
    """An argument type: "3%" or "0.03", less than 1."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share; write it as 3% or 0.03")
    return value


def _shortened(error: CampaignError) -> str:
    """The first problems of a campaign, and how many more there are."""
    lines = str(error).splitlines()
    more = len(lines) - MOST_PROBLEMS
    last = [f"and {more} more: python -m analysis check FOLDER lists them"] if more > 0 else []
    return "\n".join([*lines[:MOST_PROBLEMS], *last])


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m analysis",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(command: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        name, text = command.__name__, command.__doc__
        one = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        one.set_defaults(command=command)
        return one

    for command in (show, report):
        one = add(command)
        one.add_argument("folder", nargs="?", type=Path, help="a campaign (default: the newest)")
        one.add_argument(
            "--baseline-python",
            metavar="VERSION",
            help="the Python to compare the others with (default: the campaign's first)",
        )
        one.add_argument("--all", action="store_true", help="every table, however long")
    live = add(follow)
    live.add_argument("folder", type=Path, help="a campaign that is running")
    live.add_argument("--width", type=int, default=100, metavar="N", help="columns")
    values = add(export)
    values.add_argument("folder", nargs="?", type=Path, help="a campaign (default: the newest)")
    values.add_argument("--out", type=Path, help="a new folder (default: FOLDER/export)")
    two = add(compare)
    two.add_argument("base", type=Path, help="the campaign to compare with")
    two.add_argument("head", type=Path, help="the campaign to judge")
    two.add_argument(
        "--fail-slower",
        type=_share,
        default=math.inf,
        metavar="SHARE",
        help="exit 1 when slower beyond, such as 3%%",
    )
    two.add_argument(
        "--require-decided", action="store_true", help="exit 1 when a cell is missing or undecided"
    )
    two.add_argument(
        "--allow-different", action="store_true", help="compare machines and code that differ"
    )
    some = add(claims)
    some.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="campaigns")
    page = add(readme)
    page.add_argument("--check", action="store_true", help="only say whether it is current")
    many = add(check)
    many.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="campaigns")
    return parser


if __name__ == "__main__":
    sys.exit(main())
