"""The analysis of campaigns: load -> estimate -> show.

    python -m analysis show   [FOLDER]             tables on the terminal
    python -m analysis report [FOLDER]             the same, and the report in FOLDER/report
    python -m analysis export [FOLDER] [--out DIR] the values as Parquet and CSV
    python -m analysis check  [FOLDER ...]         everything that is wrong with the raw files
    python -m analysis claims FOLDER [FOLDER ...]  published claims, checked against campaigns
    python -m analysis compare BASE HEAD           two campaigns; with --fail-slower 3% a gate
    python -m analysis readme [--check]            the READMEs' generated parts, from the reference

FOLDER is a campaign's; without one it is the newest under results/. Exits 0 when all is well, 1
when a campaign cannot be used or written, 2 when it cannot be found. show and report take
--baseline-python VERSION, the Python that the others of the campaign are held against, and --all,
which prints every case of several Pythons too.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from analysis.campaign import Campaign, CampaignError
from analysis.load import frame_of, mixed_code, newest_campaign, read_campaign
from analysis.validate import Problem

if TYPE_CHECKING:
    from analysis.findings import Findings

OK, FAILED, USAGE = 0, 1, 2
RESULTS = Path("results")


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong; the usage is for those who ask for help."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}\n")


class UsageError(Exception):
    """What was asked for cannot be found or made; the message is one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        code = command(options)
        sys.stdout.flush()
    except UsageError as error:
        return _fail(str(error), USAGE)
    except CampaignError as error:
        return _fail(str(error), FAILED)
    except BrokenPipeError:
        # The reader has what it wanted. Nothing may be left to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror}", FAILED)
    return code


def show(options: argparse.Namespace) -> int:
    """Tables on the terminal."""
    _shown(_folder(options.folder), options)
    return OK


def report(options: argparse.Namespace) -> int:
    """Tables on the terminal, and the report."""
    from analysis.pages import HEADLINE
    from analysis.report import ReportError, publish_findings

    folder = _folder(options.folder)
    findings = _shown(folder, options)
    try:
        published = publish_findings(findings)
    except ReportError as error:
        return _fail(str(error), FAILED)
    charts = [path for path in published.files if path.stem == f"{HEADLINE}-light"]
    for name, path in (("Results", folder), *(("Chart", path) for path in charts)):
        print(f"{name}: {path}")
    print(f"Report: {published.page}")
    return OK


def export(options: argparse.Namespace) -> int:
    """Values as Parquet and CSV."""
    from analysis.export import export as write

    folder = _folder(options.folder)
    out = options.out or folder / "export"
    if os.path.lexists(out):
        raise UsageError(f"{out} exists already and is never overwritten; name another with --out")
    campaign = _usable(folder)
    for path in write(frame_of([campaign]), campaign.observed, out):
        print(path)
    return OK


def check(options: argparse.Namespace) -> int:
    """Everything wrong with raw files."""
    campaigns = [
        read_campaign(folder, suites=True)
        for folder in ([_folder(given) for given in options.folders] or [_folder(None)])
    ]
    problems: list[Problem] = []
    for campaign in campaigns:
        print(f"{campaign.folder}: {len(campaign.frame)} values in {campaign.rounds} rounds")
        for problem in campaign.problems:
            print(f"  {problem}")
        problems += campaign.problems
    mixed = mixed_code(campaigns)
    for problem in mixed:
        print(problem)
    errors = sum(problem.severity == "error" for problem in [*problems, *mixed])
    print(f"errors: {errors}, warnings: {len(problems) + len(mixed) - errors}")
    return FAILED if errors else OK


def compare(options: argparse.Namespace) -> int:
    """Two campaigns held against each other."""
    from analysis import terminal
    from analysis.between import IncomparableError, check_comparable, compare_campaigns, gate

    base, head = (_usable(_folder(folder)) for folder in (options.base, options.head))
    try:
        if not options.allow_different:
            check_comparable(base, head)
    except IncomparableError as error:
        return _fail(str(error), USAGE)
    comparison = compare_campaigns(base, head)
    terminal.show_between(comparison, base.name, head.name, terminal.console())
    judged = gate(comparison, options.fail_slower or 0.0)
    if options.fail_slower is not None and judged.regressions:
        lines = [f"slower beyond {options.fail_slower * 100:g} %:", *judged.regressions]
        return _fail("\n  ".join(lines), FAILED)
    if options.require_decided and judged.open:
        return _fail("\n  ".join(["missing or undecided:", *judged.open]), FAILED)
    return OK


def claims(options: argparse.Namespace) -> int:
    """Published claims, checked against campaigns."""
    from analysis import terminal
    from analysis.checks import ledger
    from analysis.findings import find

    found = [find(_usable(_folder(folder))) for folder in options.folders]
    terminal.show_claims(ledger(found), terminal.console())
    return OK


def readme(options: argparse.Namespace) -> int:
    """The generated parts of the READMEs, from the reference campaigns."""
    from analysis.readme import ReadmeError, documents

    try:
        fresh = documents()
    except ReadmeError as error:
        return _fail(str(error), FAILED)
    stale = [path for path, text in fresh.items() if path.read_text(encoding="utf-8") != text]
    if options.check:
        files = " and ".join(map(str, stale))
        return (
            _fail(f"not current: {files}: run python -m analysis readme", FAILED) if stale else OK
        )
    for path in stale:
        path.write_text(fresh[path], encoding="utf-8")
    return OK


def _shown(folder: Path, options: argparse.Namespace) -> Findings:
    """What was found in the campaign, after it has been shown."""
    from analysis import terminal
    from analysis.findings import find
    from analysis.pairs import UnknownPythonError

    try:
        findings = find(_usable(folder), baseline_python=options.baseline_python)
    except UnknownPythonError as error:
        raise UsageError(str(error)) from None
    terminal.show(findings, terminal.console(), everything=options.all)
    return findings


def _usable(folder: Path) -> Campaign:
    """The campaign. Raises CampaignError: figures of a damaged folder are not shown."""
    campaign = read_campaign(folder)
    if campaign.errors:
        raise CampaignError(campaign.errors)
    return campaign


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
    """An argument type: "3%" or "0.03", 0 or more."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < 10:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share; write it as 3% or 0.03")
    return value


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
    for command in (show, report, export):
        one = commands.add_parser(command.__name__, help=command.__doc__, allow_abbrev=False)
        one.add_argument("folder", nargs="?", type=Path, help="a campaign (default: the newest)")
        one.set_defaults(command=command)
        if command is export:
            one.add_argument("--out", type=Path, help="a new folder (default: FOLDER/export)")
        else:
            one.add_argument(
                "--baseline-python",
                metavar="VERSION",
                help="the Python to hold the others against (default: the campaign's first)",
            )
            one.add_argument("--all", action="store_true", help="every case of several Pythons too")
    two = commands.add_parser("compare", help=compare.__doc__, allow_abbrev=False)
    two.add_argument("base", type=Path, help="the campaign to compare with")
    two.add_argument("head", type=Path, help="the campaign to judge")
    two.add_argument(
        "--fail-slower", type=_share, metavar="SHARE", help="exit 1 when slower beyond, such as 3%%"
    )
    two.add_argument(
        "--require-decided", action="store_true", help="exit 1 when a cell is missing or undecided"
    )
    two.add_argument(
        "--allow-different", action="store_true", help="compare machines and code that differ"
    )
    two.set_defaults(command=compare)
    some = commands.add_parser("claims", help=claims.__doc__, allow_abbrev=False)
    some.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="campaigns")
    some.set_defaults(command=claims)
    page = commands.add_parser("readme", help=readme.__doc__, allow_abbrev=False)
    page.add_argument("--check", action="store_true", help="only say whether it is current")
    page.set_defaults(command=readme)
    many = commands.add_parser("check", help=check.__doc__, allow_abbrev=False)
    many.add_argument("folders", nargs="*", type=Path, metavar="folder", help="campaigns")
    many.set_defaults(command=check)
    return parser


if __name__ == "__main__":
    sys.exit(main())
