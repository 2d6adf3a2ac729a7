"""Pythons along an axis: versions in order, builds of one family together.

A line leads from one version to the next only within a family of builds: an unoptimised build can
cost more than three versions gain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from analysis import style
from analysis.plots import scales
from analysis.plots.registry import CannotDrawError, Look
from analysis.plots.sheet import NARROW_INCHES, WIDE_INCHES, Margins, Plan, sheet

_MOST_PYTHONS: Final = 24
_GAP: Final = 0.6
"""Between two families, in widths of a version."""
CHARACTER_INCHES: Final = 0.56 * 7.5 / 72
"""Of a character as small as the labels here."""


@dataclass(frozen=True, slots=True)
class Build:
    """A family of builds along the axis: its name among the others, all of it, and its places."""

    name: str
    label: str
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Versions:
    """The Pythons along an axis, builds of one family together, each family in order of version.

    ``slots`` are their labels with an empty one between two families, where a line breaks;
    ``places`` are where they stand, ``ticks`` what is written there.
    """

    slots: tuple[str, ...]
    places: np.ndarray
    ticks: tuple[str, ...]
    builds: tuple[Build, ...]

    @property
    def limits(self) -> tuple[float, float]:
        """From end to end."""
        return -0.6, float(self.places[-1]) + 0.6

    def of(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows in the order of the slots; NaN between families and where there is none."""
        return scales.at(rows, "python", self.slots)


def versions(rows: pd.DataFrame) -> Versions:
    """The Pythons of a frame along an axis. Raises CannotDrawError when they are too many."""
    families: dict[str, list[dict[Any, Any]]] = {}
    each = rows.drop_duplicates("python").to_dict("records")
    for row in sorted(each, key=lambda row: style.python_order(str(row["version"]))):
        families.setdefault(str(row["family"]), []).append(row)
    if len(each) > _MOST_PYTHONS:
        raise CannotDrawError(f"{len(each)} Pythons are too many for a picture")
    slots: list[str] = []
    ticks: list[str] = []
    places: list[float] = []
    builds: list[Build] = []
    place = 0.0
    for family, members in families.items():
        if builds:
            slots, ticks = [*slots, ""], [*ticks, ""]
            places.append(place - 0.5 + _GAP / 2)
            place += _GAP
        labels = [str(row["version"]) for row in members]
        for row, label in zip(members, labels, strict=True):
            slots.append(str(row["python"]))
            ticks.append(label if labels.count(label) == 1 else str(row["python"]))
            places.append(place)
            place += 1
        first = place - len(members)
        builds.append(Build(str(members[0]["family_name"]), family, first, place - 1))
    return Versions(tuple(slots), np.array(places), tuple(ticks), tuple(builds))


def build_notes(shown: Versions) -> list[str]:
    """What the letters of the builds stand for; nothing where all are of one family."""
    if len(shown.builds) < 2:
        return []
    return [f"Build {_letter(i)}: {build.label}." for i, build in enumerate(shown.builds)]


def _letter(index: int) -> str:
    return chr(ord("A") + index)


def version_axis(axes: Axes, shown: Versions, inches: float, look: Look, top: float) -> None:
    """Ticks for the versions, and the builds named over their places at ``top`` (of the axes)."""
    marked = [(p, t) for p, t in zip(shown.places.tolist(), shown.ticks, strict=True) if t]
    axes.set_xlim(*shown.limits)
    axes.xaxis.set_major_locator(FixedLocator([place for place, _ in marked]))
    axes.set_xticklabels([text for _, text in marked], fontsize=8)
    start, end = shown.limits
    width = inches / (end - start)
    if max(len(text) for _, text in marked) * CHARACTER_INCHES * 1.15 > width:
        axes.tick_params(axis="x", labelrotation=90)
    if len(shown.builds) < 2:
        return
    for index, build in enumerate(shown.builds):
        words = f"{_letter(index)}: {build.name}"
        room = (build.last - build.first + 1) * width
        axes.text(
            (build.first + build.last) / 2,
            top,
            words if len(words) * CHARACTER_INCHES <= room else _letter(index),
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="top",
            fontsize=7.5,
            color=look.theme.soft_ink,
        )
    for slot, place in zip(shown.slots, shown.places.tolist(), strict=True):
        if not slot:
            axes.axvline(place, color=look.theme.rule, linewidth=0.8, zorder=0.6)


def panel_inches(look: Look, columns: int, first: Margins, inner: Margins) -> float:
    """How wide each panel of a sheet is."""
    width = NARROW_INCHES if look.narrow else WIDE_INCHES
    gaps = (columns - 1) * (inner.left + inner.right)
    return (width - first.left - first.right - gaps - 0.2) / columns


def tick_inches(shown: Versions, inches: float) -> float:
    """Room that the versions need below a panel."""
    longest = max(map(len, shown.ticks))
    start, end = shown.limits
    upright = longest * CHARACTER_INCHES * 1.15 > inches / (end - start)
    return 0.2 + (longest * CHARACTER_INCHES * 1.1 if upright else 0.12)


@dataclass(frozen=True, slots=True)
class Place:
    """A panel over the versions: its title, over that what it is about, and what draws it."""

    title: str
    about: str
    draw: Callable[[Axes], None]


def over_versions(
    look: Look,
    shown: Versions,
    places: Sequence[Place],
    plan: Plan,
    *,
    columns: int,
    own_scales: bool,
) -> Figure:
    """A sheet of panels over the versions, as many beside one another as there are ``columns``.

    ``plan`` has the words and the height of a panel. Without ``own_scales`` all panels have the
    scale of the first of their row, one of ratios.
    """
    first = Margins(left=0.65 if own_scales else 0.95, right=0.1, top=0.46, bottom=0.0)
    inner = Margins(left=0.6 if own_scales else 0.1, right=0.1, top=0.36, bottom=0.0)
    inches = panel_inches(look, columns, first, inner)
    room = tick_inches(shown, inches)
    figure, panels = sheet(
        look,
        replace(
            plan,
            notes=[*build_notes(shown), *plan.notes],
            rows=math.ceil(len(places) / columns),
            columns=columns,
            first=replace(first, bottom=room + 0.1),
            inner=replace(inner, bottom=room),
        ),
    )
    every = [axes for row in panels for axes in row]
    for index, (place, axes) in enumerate(zip(places, every, strict=False)):
        place.draw(axes)
        axes.grid(axis="y")
        version_axis(axes, shown, inches, look, top=0.98)
        scales.panel_title(axes, place.title, look, place.about)
        if index % columns:
            axes.tick_params(labelleft=own_scales)
        elif not own_scales:
            scales.directions(axes.yaxis)
    for axes in every[len(places) :]:
        axes.set_visible(False)
    return figure
