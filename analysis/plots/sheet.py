"""The sheet every chart is drawn on: title, subtitle, legend, a grid of panels, notes and foot,
laid out in inches.

Fixed positions, rather than an automatic layout, draw the same bytes twice and cost no second pass.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.plots.registry import CannotDrawError, Look

WIDE_INCHES: Final = 10.5
NARROW_INCHES: Final = 4.4
_TITLE_SIZE, _TEXT_SIZE, _FOOT_SIZE = 13.0, 9.0, 7.5
_EDGE = 0.18
_MOST_PANELS: Final = 60
_MOST_INCHES: Final = 60.0
# Mean width of a character of DejaVu Sans, in font sizes; bold is wider. Generous, so that no line
# runs out of the sheet.
_CHARACTER, _BOLD_CHARACTER = 0.56, 0.64


@dataclass(frozen=True, slots=True)
class Margins:
    """Inches kept free round a panel for its own labels."""

    left: float = 0.75
    right: float = 0.15
    top: float = 0.3
    bottom: float = 0.42


@dataclass(frozen=True, slots=True)
class Plan:
    """What stands on a sheet besides its panels."""

    title: str
    subtitle: str
    legend: Sequence[Line2D | Patch] = ()
    notes: Sequence[str] = ()
    rows: int = 1
    columns: int = 1
    panel_height: float = 1.8
    first: Margins = field(default_factory=Margins)
    inner: Margins = field(default_factory=lambda: Margins(0.08, 0.08, 0.3, 0.25))
    widths: Sequence[float] | None = None
    heights: Sequence[float] | None = None


def sheet(look: Look, plan: Plan) -> tuple[Figure, list[list[Axes]]]:
    """A figure with ``plan.rows`` x ``plan.columns`` empty panels; ``first`` holds the outer
    margins, ``inner`` those between.

    Raises CannotDrawError when that would be more than a picture can show.
    """
    if plan.rows * plan.columns > _MOST_PANELS:
        raise CannotDrawError(f"{plan.rows * plan.columns} panels are too many for a picture")
    width = NARROW_INCHES if look.narrow else WIDE_INCHES
    usable_points = (width - 2 * _EDGE) * 72
    title = _wrap(plan.title, usable_points, _TITLE_SIZE, _BOLD_CHARACTER)
    words = " ".join(filter(None, (plan.subtitle, look.scope)))
    subtitle = _wrap(words, usable_points, _TEXT_SIZE, _CHARACTER)
    notes = [
        line for note in plan.notes for line in _wrap(note, usable_points, _FOOT_SIZE, _CHARACTER)
    ]
    warning = _wrap(look.warning, usable_points, _TEXT_SIZE, _BOLD_CHARACTER)
    foot = _wrap(look.source, usable_points, _FOOT_SIZE, _CHARACTER)
    legend_rows = _legend_rows(plan.legend, usable_points)

    line = {size: size * 1.35 / 72 for size in (_TITLE_SIZE, _TEXT_SIZE, _FOOT_SIZE)}
    head = (
        _EDGE
        + len(warning) * line[_TEXT_SIZE]
        + len(title) * line[_TITLE_SIZE]
        + 0.05
        + len(subtitle) * line[_TEXT_SIZE]
        + (0.08 + 0.22 * len(legend_rows) if plan.legend else 0.0)
    )
    tail = _EDGE * 0.7 + (len(notes) + len(foot)) * line[_FOOT_SIZE]
    heights = [plan.panel_height * h for h in (plan.heights or [1.0] * plan.rows)]
    gaps = plan.inner.top + plan.inner.bottom
    body = plan.first.top + sum(heights) + (plan.rows - 1) * gaps + plan.first.bottom
    height = head + body + tail
    if height > _MOST_INCHES:
        raise CannotDrawError("there is too much of it for a picture")

    figure = Figure(figsize=(width, height))

    def write(text: str, y: float, size: float, **style: object) -> None:
        figure.text(_EDGE / width, y / height, text, fontsize=size, va="top", **style)  # type: ignore[arg-type]

    y = height - _EDGE * 0.8
    for text in warning:
        write(text, y, _TEXT_SIZE, weight="bold", color=look.theme.alarm)
        y -= line[_TEXT_SIZE]
    for text in title:
        write(text, y, _TITLE_SIZE, weight="bold")
        y -= line[_TITLE_SIZE]
    y -= 0.05
    for text in subtitle:
        write(text, y, _TEXT_SIZE, color=look.theme.soft_ink)
        y -= line[_TEXT_SIZE]
    y -= 0.08
    for entries in legend_rows:
        figure.add_artist(_legend(figure, entries, (_EDGE / width, y / height)))
        y -= 0.22
    y = tail - _EDGE * 0.2
    for text in notes:
        write(text, y, _FOOT_SIZE, color=look.theme.soft_ink)
        y -= line[_FOOT_SIZE]
    for text in foot:
        write(text, y, _FOOT_SIZE, color=look.theme.soft_ink)
        y -= line[_FOOT_SIZE]

    return figure, _panels(figure, plan, width, height, head, heights)


def _panels(
    figure: Figure, plan: Plan, width: float, height: float, head: float, heights: Sequence[float]
) -> list[list[Axes]]:
    gap = plan.inner.left + plan.inner.right
    shares = plan.widths or [1.0] * plan.columns
    free = width - plan.first.left - plan.first.right - (plan.columns - 1) * gap - _EDGE
    widths = [free * share / sum(shares) for share in shares]
    panels = []
    y = height - head - plan.first.top
    for panel_height in heights:
        x = plan.first.left + _EDGE / 2
        row = []
        for panel_width in widths:
            box = (
                x / width,
                (y - panel_height) / height,
                panel_width / width,
                panel_height / height,
            )
            row.append(figure.add_axes(box))
            x += panel_width + gap
        panels.append(row)
        y -= panel_height + plan.inner.top + plan.inner.bottom
    return panels


def _wrap(text: str, points: float, size: float, character: float) -> list[str]:
    kept_together = text.replace(" %", "\u00a0%")
    return textwrap.wrap(kept_together, max(20, int(points / (size * character)))) if text else []


def _legend_rows(entries: Sequence[Line2D | Patch], points: float) -> list[list[Line2D | Patch]]:
    rows: list[list[Line2D | Patch]] = []
    left = 0.0
    for entry in entries:
        needs = (len(str(entry.get_label())) * _CHARACTER + 4.5) * _TEXT_SIZE
        if not rows or left < needs:
            rows.append([])
            left = points
        rows[-1].append(entry)
        left -= needs
    return rows


def _legend(figure: Figure, entries: Sequence[Line2D | Patch], at: tuple[float, float]) -> Legend:
    return Legend(
        figure,
        handles=list(entries),
        labels=[str(entry.get_label()) for entry in entries],
        loc="upper left",
        bbox_to_anchor=at,
        bbox_transform=figure.transFigure,
        ncols=len(entries),
        frameon=False,
        borderpad=0,
        borderaxespad=0,
        handlelength=2.0,
        handletextpad=0.5,
        columnspacing=1.6,
        fontsize=_TEXT_SIZE,
    )
