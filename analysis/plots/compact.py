"""matplotlib's SVG in fewer bytes: the same picture to a hundredth of a point.

A report holds every chart twice, inline, and once in a file for each theme, so what matplotlib
repeats counts: long numbers, a style on every mark, a group round every element, the same marker
once more in every panel.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "http://www.w3.org/1999/xlink"
_HREF: Final = f"{{{_XLINK}}}href"
_DECIMALS: Final = 2
_INHERITED: Final = {
    "stroke-linejoin": "round",
    "stroke-linecap": "butt",
    "font-family": "'DejaVu Sans', sans-serif",
    "font-size": "9px",
}
"""Said once for the whole picture, where matplotlib says it on every element."""
_DEFAULTS: Final = {**_INHERITED, "text-anchor": "start"}
_NUMBER: Final = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")
_STEP: Final = re.compile(r"([MLCQz])([^MLCQz]*)")
_STROKES: Final = re.compile(r"[ML0-9eE.\s-]+")


def compact(svg: str, prefix: str) -> str:
    """The picture without prolog, metadata and white space; its identifiers are ``prefix`` and a
    number.

    Raises :class:`xml.etree.ElementTree.ParseError` for text that is no XML.
    """
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    root = ET.fromstring(svg)  # noqa: S314 - matplotlib's own
    shapes = _Shapes(root, prefix)
    drawn = [part for child in root for part in _parts(child, shapes)]
    for child in list(root):
        root.remove(child)
    root.text = None
    for name in ("width", "height", "viewBox"):
        root.set(name, _rounded(root.get(name, "")))
    root.set("style", _style(_INHERITED))
    root.extend([*shapes.definitions(), *_grouped(drawn)])
    return ET.tostring(root, encoding="unicode").replace(" />", "/>")


# --- what is drawn in several places --------------------------------------------------------------


class _Shapes:
    """The markers and clipping rectangles of a picture, each kept once, whoever refers to it."""

    def __init__(self, root: ET.Element, prefix: str) -> None:
        self._prefix = prefix
        self._shapes: dict[str, ET.Element] = {}
        self._kept: dict[str, ET.Element] = {}
        for definitions in root.iter(f"{{{_SVG}}}defs"):
            for element in definitions:
                if id_ := element.get("id"):
                    self._shapes[id_] = element

    def strokes(self, id_: str) -> str | None:
        """The outline of a shape that is nothing but strokes, from its own origin; else None."""
        data = self._shapes[id_].get("d", "")
        return data if _STROKES.fullmatch(data) else None

    def name(self, id_: str) -> str:
        """The name under which the shape is kept."""
        shape = _tidied(self._shapes[id_])
        kept = self._kept.setdefault(ET.tostring(shape, encoding="unicode"), shape)
        if "id" not in kept.attrib:
            kept.set("id", f"{self._prefix}-{len(self._kept)}")
        return kept.attrib["id"]

    def definitions(self) -> list[ET.Element]:
        """One element that defines all that were named; none where there are none."""
        if not self._kept:
            return []
        defs = ET.Element(f"{{{_SVG}}}defs")
        defs.extend(self._kept.values())
        return [defs]


# --- elements -------------------------------------------------------------------------------------


def _parts(element: ET.Element, shapes: _Shapes) -> Iterator[ET.Element]:
    """What is drawn of an element, without the groups that say nothing."""
    tag = _tag(element)
    if tag in ("defs", "metadata", "style"):
        return
    clip = element.get("clip-path")
    if clip:
        clip = f"url(#{shapes.name(clip.removeprefix('url(#').removesuffix(')'))})"
    if tag == "g":
        parts = [part for child in element for part in _parts(child, shapes)]
        if element.get("id", "").startswith("matplotlib.axis"):
            # Its lines first, alike ones together: they can share one element, and hide no text.
            parts.sort(key=lambda part: (_tag(part) == "text", part.get("style", "")))
    else:
        parts = [_placed(element, shapes) if tag == "use" else _tidied(element)]
    for part in parts:
        if clip:
            part.set("clip-path", clip)
        yield part


def _placed(use: ET.Element, shapes: _Shapes) -> ET.Element:
    """A shape where it is used, under its name; drawn out where it is shorter than to refer to."""
    tidy = _tidied(use)
    id_ = use.get(_HREF, "").removeprefix("#")
    strokes = shapes.strokes(id_)
    if strokes is None:
        tidy.set(_HREF, f"#{shapes.name(id_)}")
        return tidy
    path = _path(strokes, (float(use.get("x", 0)), float(use.get("y", 0))))
    properties = {**_properties(tidy.get("style", "")), "fill": "none"}
    return ET.Element(f"{{{_SVG}}}path", {"d": path, "style": _style(properties)})


def _tidied(element: ET.Element) -> ET.Element:
    """A copy with short numbers, without identifier and without what is so by default."""
    tidy = ET.Element(element.tag)
    if _tag(element) == "text":
        tidy.text = element.text
    for name, value in element.items():
        if name in ("x", "y", "width", "height"):
            tidy.set(name, _rounded(value))
        elif name == "d":
            tidy.set(name, _path(value))
        elif name == "style":
            properties = _properties(value).items()
            tidy.set(name, _style(dict(pair for pair in properties if not _is_default(*pair))))
        elif name == "transform":
            if not value.startswith("rotate(-0 "):
                tidy.set(name, _rounded(value))
        elif name not in ("id", "clip-path"):
            tidy.set(name, value)
    tidy.extend(_tidied(child) for child in element)
    return tidy


def _tag(element: ET.Element) -> str:
    return element.tag.removeprefix(f"{{{_SVG}}}")


def _is_default(name: str, value: str) -> bool:
    return _DEFAULTS.get(name) == value


def _properties(style: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in style.split(";") if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _style(properties: dict[str, str]) -> str:
    return ";".join(f"{name}:{value}" for name, value in properties.items())


# --- groups ---------------------------------------------------------------------------------------


def _grouped(elements: Iterable[ET.Element]) -> Iterator[ET.Element]:
    """The same elements in the same order; what neighbours have in common stands on a group."""
    for clip, of_clip in groupby(elements, key=lambda one: one.get("clip-path")):
        styled = [
            part
            for _, alike in groupby(of_clip, key=lambda one: (_tag(one), one.get("style", "")))
            for part in _of_one_style([*alike])
        ]
        yield from styled if clip is None else _shared(styled, "clip-path")


def _of_one_style(elements: list[ET.Element]) -> list[ET.Element]:
    first = elements[0]
    style = first.get("style", "")
    if _tag(first) == "path" and _can_be_one(style):
        first.set("d", "".join(one.get("d", "") for one in elements))
        return [first]
    return _shared(elements, "style") if style else elements


def _can_be_one(style: str) -> bool:
    """Whether paths can be drawn as one: where they cross, it must not show."""
    properties = _properties(style)
    return properties.get("fill") == "none" and not any("opacity" in name for name in properties)


def _shared(elements: list[ET.Element], name: str) -> list[ET.Element]:
    """The elements in a group that has the attribute for them; a single one as it is."""
    if len(elements) == 1:
        return elements
    group = ET.Element(f"{{{_SVG}}}g", {name: elements[0].attrib[name]})
    clip = elements[0].get("clip-path")
    if clip and name != "clip-path":
        group.set("clip-path", clip)
    for one in elements:
        one.attrib.pop(name, None)
        one.attrib.pop("clip-path", None)
        group.append(one)
    return [group]


# --- numbers --------------------------------------------------------------------------------------


def _number(value: float) -> str:
    text = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _rounded(text: str) -> str:
    return _NUMBER.sub(lambda match: _number(float(match[0])), text)


def _path(data: str, at: tuple[float, float] = (0.0, 0.0)) -> str:
    """The path of matplotlib's steps M, L, C, Q and z, moved by ``at``: letters only where they
    change, lines along an axis by one number, and no line that rounding leaves without length.
    """
    words: list[str] = []
    letter, here = "", ("", "")
    for command, arguments in _STEP.findall(data):
        numbers = _NUMBER.findall(arguments)
        shown = [_number(float(number) + at[i % 2]) for i, number in enumerate(numbers)]
        there = (shown[-2], shown[-1]) if shown else here
        if command == "L" and there == here and letter != "M":
            continue
        step, shown = _line(here, there) if command == "L" else (command, shown)
        implied = step == letter or (step == "L" and letter == "M")
        words.append(_joined(shown) if implied else step + _joined(shown).lstrip())
        letter, here = step, there
    return "".join(words)


def _line(here: tuple[str, str], there: tuple[str, str]) -> tuple[str, list[str]]:
    if here[1] == there[1]:
        return "H", [there[0]]
    return ("V", [there[1]]) if here[0] == there[0] else ("L", [*there])


def _joined(numbers: Sequence[str]) -> str:
    """Numbers, each set off from what stands before it: " 1 2-3"."""
    return "".join(number if number.startswith("-") else f" {number}" for number in numbers)
