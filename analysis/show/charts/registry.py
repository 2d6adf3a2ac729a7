"""The registry of charts, and how a figure becomes files.

A chart is one decorated function in one of this folder's modules: from Findings to a Drawing, or to
None where the campaign holds nothing of the kind. Nothing here touches pyplot, so there is no
global figure and no global style. The same findings give the same bytes.
"""

from __future__ import annotations

import importlib
import io
import pkgutil
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias
from xml.sax.saxutils import escape

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.judge.findings import Findings, unlimited
from analysis.show import theme

_DOTS_PER_INCH: Final = 144
LIMIT, HEALTH = "limit", "health"
"""The sections that show what was launched with a limit, too."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure, its panels with the rows that each shows, and the words about it.

    ``title`` is what it shows, a sentence with its numbers, ``what`` a line on what is drawn; both
    stand in the picture too. ``caption`` says how to read it.
    """

    figure: Figure
    parts: tuple[tuple[Axes, pd.DataFrame], ...]
    title: str
    what: str
    caption: str

    @property
    def axes(self) -> tuple[Axes, ...]:
        """Those of its panels."""
        return tuple(axes for axes, _ in self.parts)


Draw: TypeAlias = Callable[[Findings], "Drawing | None"]
DrawProbe: TypeAlias = Callable[[str, Findings], "Drawing | None"]
"""Draws what is generic to every probe: the headline metric of the one that is named."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A registered chart. ``section`` is the part of a page where it belongs: the probe whose own
    chart it is, an axis of contrasts, or "".
    """

    name: str
    section: str
    draw: Draw


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as files. The title is in the picture: beside it, a page needs no other."""

    name: str
    section: str
    title: str
    caption: str
    alt: str
    light: bytes
    dark: bytes
    png: bytes

    def files(self) -> dict[str, bytes]:
        """The contents by file name."""
        return {
            f"{self.name}-light.svg": self.light,
            f"{self.name}-dark.svg": self.dark,
            f"{self.name}.png": self.png,
        }


CHARTS: Final[dict[str, Chart]] = {}
_generic: list[DrawProbe] = []


def chart(name: str, section: str = "") -> Callable[[Draw], Draw]:
    """Register the decorated function as a chart. That of a probe's section takes the place of the
    generic one. Raises ValueError when the name is taken.
    """

    def register(draw: Draw) -> Draw:
        if name in CHARTS:
            raise ValueError(f"two charts are named {name}")
        CHARTS[name] = Chart(name, section, draw)
        return draw

    return register


def generic(draw: DrawProbe) -> DrawProbe:
    """Register the decorated function as what is drawn for a probe without a chart of its own."""
    _generic.append(draw)
    return draw


def draw_all(findings: Findings) -> list[Picture]:
    """Every chart that the campaign has something for, in the order of their modules."""
    with theme.settings():
        return [picture(one.name, drawing, one.section) for one, drawing in drawings(findings)]


def drawings(findings: Findings) -> Iterator[tuple[Chart, Drawing]]:
    """Every chart's figure, not rendered yet; inside :func:`analysis.show.theme.settings`."""
    for module in sorted(pkgutil.iter_modules([str(Path(__file__).parent)])):
        importlib.import_module(f"{__name__.rpartition('.')[0]}.{module.name}")
    free = unlimited(findings)
    for one in [*CHARTS.values(), *_generic_charts(free)]:
        drawing = one.draw(findings if one.section in (LIMIT, HEALTH) else free)
        if drawing is not None:
            yield one, drawing


def _generic_charts(findings: Findings) -> Iterator[Chart]:
    """A chart for each probe that has none of its own and is not what the answer is about."""
    own = {one.section for one in CHARTS.values()}
    for probe in dict.fromkeys(case.probe for case in findings.campaign.cases):
        if probe not in own and not findings.words.probe(probe).answers:
            for draw in _generic:
                yield Chart(slug(f"probe-{probe}"), probe, partial(draw, probe))


def slug(name: str) -> str:
    """A name as it can stand in addresses and names of files."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def picture(name: str, drawing: Drawing, section: str = "") -> Picture:
    """The figure as files; inside :func:`analysis.show.theme.settings`."""
    alt = f"{drawing.title} {drawing.what}"
    light, png = _rendered(drawing.figure)
    light = _described(light, alt)
    return Picture(
        name=name,
        section=section,
        title=drawing.title,
        caption=drawing.caption,
        alt=alt,
        light=_own_ids(light, f"{name}-light").encode(),
        dark=_own_ids(theme.darkened(light), f"{name}-dark").encode(),
        png=png,
    )


def _rendered(figure: Figure) -> tuple[str, bytes]:
    """The figure as SVG and PNG. Its layout is found once: matplotlib would do so for each."""
    svg, png = io.StringIO(), io.BytesIO()
    with warnings.catch_warnings():
        # Letters that the font lacks are boxes in the PNG, and as they are in the SVG.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
            if not axis.get_label_text():  # to look for its place takes a twentieth of the time
                axis.set_label_coords(0, 0)
        layout = figure.get_layout_engine()
        if layout is not None:
            layout.execute(figure)
        figure.set_layout_engine(None)
        for axes in figure.axes:  # the last bits of what the solver finds differ from run to run
            axes.set_position(tuple(round(side, 5) for side in axes.get_position().bounds))
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return svg.getvalue(), png.getvalue()


def _described(svg: str, alt: str) -> str:
    """The SVG without its preamble, comments, indentation, names of groups and thousandths of a
    pixel, with a title for screen readers.
    """
    body = re.sub(
        r"<!--.*?-->|<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL
    )
    body = re.sub(r"\s*\n\s*", "\n", body)
    body = re.sub(r"(\.\d\d)\d+", r"\1", body)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    return body.replace(">", f' role="img"><title>{escape(alt)}</title>', 1)


def _own_ids(svg: str, prefix: str) -> str:
    """The SVG with identifiers that no other one on the same page has."""
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
