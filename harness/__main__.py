"""``python -m harness [FIGURE ...]``: measure what the suite promises, on this machine.

Exit codes: 0 every target was met, 1 one was missed or a figure failed, 2 bad usage, 130
interrupted.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from benchmarks.campaign.arguments import Parser, names_of
from benchmarks.campaign.interpreters import InterpreterError
from harness import analysing, calm, running, steady
from harness.commands import exit_code


class Line(NamedTuple):
    """A number of a figure, how it is printed, and its target, if it has one."""

    figure: Callable[[], Sequence[float]]
    name: str
    form: str
    bound: str = ""
    target: float = 0.0


LINES = (
    Line(running.smoke_preset, "wall time with the report", "{:.0f} s", "at most", 30),
    Line(running.growth, "exponent, by contenders", "{:.2f}", "at most", 1.1),
    Line(running.growth, "exponent, by cases", "{:.2f}", "at most", 1.1),
    Line(analysing.analysis_speed, "values per second", "{:,.0f}", "at least", 636_000),
    Line(analysing.analysis_speed, "start and imports, not counted above", "{:.2f} s"),
    Line(analysing.analysis_speed, "times pyperf's rate, with imports", "{:.1f}", "at least", 10),
    Line(analysing.linear_analysis, "exponent, by values", "{:.2f}", "at most", 1.1),
    Line(analysing.report, "wall time", "{:.1f} s", "at most", 20),
    Line(analysing.report, "files that differ when made again", "{:.0f}", "at most", 0),
    Line(calm.estimators, "n = 10", "{:.2f}"),
    Line(calm.estimators, "n = 100", "{:.2f}"),
    Line(calm.estimators, "n = 1000", "{:.2f}"),
    Line(calm.estimators, "n = 10 000", "{:.2f}"),
    Line(calm.estimators, "n = 10, on a host of two speeds", "{:.2f}", "at most", 0.20),
    Line(calm.estimators, "n = 100, on a host of two speeds", "{:.2f}", "at most", 0.20),
    Line(calm.estimators, "n = 1000, on a host of two speeds", "{:.2f}", "at most", 0.50),
    Line(calm.estimators, "n = 10 000, on a host of two speeds", "{:.2f}", "at most", 0.50),
    Line(calm.estimators_beside_neighbour, "n = 10", "{:.2f}"),
    Line(calm.estimators_beside_neighbour, "n = 100", "{:.2f}"),
    Line(calm.estimators_beside_neighbour, "n = 1000", "{:.2f}"),
    Line(calm.estimators_beside_neighbour, "n = 10 000", "{:.2f}"),
    Line(steady.slice_length, "largest difference of a ratio", "{:.3f}", "at most", 0.01),
    Line(calm.pair, "half-width, n = 100", "{:.2%}", "at most", 0.0015),
    Line(calm.pair, "half-width, n = 1000", "{:.2%}", "at most", 0.0020),
    Line(calm.pair_beside_neighbour, "half-width, n = 100", "{:.2%}", "at most", 0.0030),
    Line(calm.pair_beside_neighbour, "half-width, n = 1000", "{:.2%}", "at most", 0.0040),
    *(
        line
        for figure, half_width in (
            (calm.default_preset_decides, 0.015),
            (calm.default_preset_beside_neighbour, 0.030),
        )
        for line in (
            Line(figure, "throughput lines decided", "{:.0%}", "at least", 0.75),
            Line(figure, "half-width, median", "{:.2%}", "at most", half_width),
            Line(figure, "time inside timed slices", "{:.0%}", "at least", 0.75),
            Line(figure, "complete rounds", "{:.0f}"),
        )
    ),
    Line(running.default_preset, "peak of a worker", "{:.0f} MB", "at most", 100),
    Line(running.default_preset, "peak of the driver", "{:.0f} MB", "at most", 200),
    Line(running.default_preset, "wall time with the report", "{:.0f} s", "at most", 240),
    Line(running.environments, "the slowest", "{:.1f} s", "at most", 3),
    Line(running.python_growth, "exponent, by contenders", "{:.2f}", "at most", 1.1),
    Line(running.python_growth, "42 workers, upper bound", "{:.0f} MB", "at most", 3000),
    Line(running.python_precision, "half-width, the widest", "{:.2%}", "at most", 0.015),
    Line(running.python_precision, "controls that differ significantly", "{:.0f}", "at most", 0),
    Line(running.python_precision, "spread (sd) of a ratio over rounds, median", "{:.2%}"),
    Line(running.python_precision, "rounds to show 1 %, four times in five", "{:.0f}"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the figures of these names (none: all) and print them; return the exit code."""
    figures = {line.figure.__name__: line.figure for line in LINES}
    parser = Parser(prog="python -m harness", description=__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", type=names_of(figures), metavar="FIGURE")
    chosen = [name for names in parser.parse_args(arguments).names for name in names]
    return exit_code(parser.prog, lambda: _measured([figures[name] for name in chosen or figures]))


def _measured(figures: Iterable[Callable[[], Sequence[float]]]) -> int:
    code = 0
    for figure in figures:
        print(f"{figure.__name__}: {figure.__doc__}", flush=True)
        lines = [line for line in LINES if line.figure is figure]
        try:
            for line, value in zip(lines, figure(), strict=True):
                met = {"at most": value <= line.target, "at least": value >= line.target}
                target = f"{line.bound} {line.form.format(line.target)}" if line.bound else ""
                verdict = ("met" if met[line.bound] else "MISSED") if line.bound else "to be read"
                print(f"  {line.name:<45}{line.form.format(value):>12}  {target:<17} {verdict}")
                code |= verdict == "MISSED"
        except (subprocess.CalledProcessError, InterpreterError) as error:
            print(f"  failed: {error}\n{getattr(error, 'stderr', '')}")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
