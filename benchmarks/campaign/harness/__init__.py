"""The harness measured: what the suite promises, tried on this machine, beside its target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.campaign.harness.analysing import analysis_speed, linear_analysis, report
from benchmarks.campaign.harness.figures import SCRATCH, Row
from benchmarks.campaign.harness.pythons import environments, python_growth, python_precision
from benchmarks.campaign.harness.running import (
    against_pyperf,
    control,
    default_preset,
    growth,
    precision,
    smoke_preset,
)

FIGURES: dict[str, Callable[[], Iterator[Row]]] = {
    function.__name__: function
    for function in (
        smoke_preset,
        precision,
        growth,
        analysis_speed,
        linear_analysis,
        report,
        control,
        against_pyperf,
        default_preset,
        environments,
        python_growth,
        python_precision,
    )
}


def main(names: Sequence[str], console: Console) -> int:
    """Measure the figures of these names (none: all); print them; return 1 when a target is
    missed.
    """
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        console.print(f"harness: {unknown[0]!r} is not known; choose from {', '.join(FIGURES)}")
        return 2
    SCRATCH.mkdir(parents=True, exist_ok=True)
    table = Table("figure", "measured", "target", "", title="The harness, measured")
    missed = False
    for name in names or FIGURES:
        console.print(f"measuring {name}: {(FIGURES[name].__doc__ or '').splitlines()[0]}")
        for row in FIGURES[name]():
            verdict = {True: "met", False: "MISSED", None: ""}[row.met]
            table.add_row(row.figure, row.measured, row.target, verdict)
            console.print(
                f"  {row.figure}: {row.measured} ({row.target}) {verdict}", highlight=False
            )
            missed |= row.met is False
    Console().print(table)
    return int(missed)
