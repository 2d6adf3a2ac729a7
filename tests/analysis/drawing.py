"""Charts by their data: what is drawn where, and what the words on them say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from analysis import style
from analysis.plots import CHARTS, Look, registry


def drawn(name: str, frames: Mapping[str, pd.DataFrame], look: Look | None = None) -> Figure:
    """A chart of these frames, not rendered."""
    one = CHARTS[name]
    with registry.rc((look or Look()).theme, "test"):
        return one.draw(one.select(frames[one.needs]), look or Look())


def panel(figure: Figure, title: str) -> Axes:
    """The one panel of this name."""
    [found] = [axes for axes in figure.axes if axes.get_title(loc="left") == title]
    return found


def points(axes: Axes, name: str) -> list[tuple[float, float]]:
    """Every marker of a series, filled and hollow, by its colour; no arrowheads."""
    colour = style.marks([name])[name].light
    return sorted(
        (float(x), float(y))
        for line in axes.lines
        if line.get_marker() not in ("None", "", None) and line.get_clip_on()
        and to_hex(line.get_markeredgecolor()) == colour
        for x, y in zip(np.asarray(line.get_xdata()), np.asarray(line.get_ydata()), strict=True)
        if np.isfinite(y)
    )  # fmt: skip


def bars(axes: Axes, name: str) -> list[tuple[float, float]]:
    """(low, high) of every vertical interval of a series, by its colour."""
    colour = style.marks([name])[name].light
    return sorted(
        (float(segment[0][1]), float(segment[1][1]))
        for collection in axes.collections
        if isinstance(collection, LineCollection) and first_colour(collection) == colour
        for segment in collection.get_segments()
    )


def first_colour(collection: LineCollection) -> str:
    colours: Any = collection.get_color()
    return to_hex(colours[0])


def ticks(axes: Axes) -> list[str]:
    """What stands at the vertical axis."""
    axes.figure.canvas.draw()
    return [label.get_text() for label in axes.get_yticklabels()]


def words(figure: Figure) -> str:
    """What is written outside the panels, in one line."""
    return " ".join(text.get_text() for text in figure.texts)
