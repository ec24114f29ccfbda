"""matplotlib's SVG made fit for the page.

What it writes is a file of its own: a style sheet, `style` attributes, fixed ids and fixed colours. On the page the
style sheet would reach every other drawing, a strict policy drops `style` attributes, ids of two drawings clash, and
fixed colours know no dark mode. So: presentation attributes, no ids but our own, and the colours of the page's
variables in the place of stand-ins. Coordinates are rounded to a tenth of a unit, which nobody sees.
"""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree as ET

COLOURS: Final = {
    "ink": "#00000a",
    "muted": "#00000b",
    "line": "#00000c",
    "surface": "#00000d",
    "accent": "#00000e",
    "accent-soft": "#00000f",
    "accent-deep": "#000010",
    "audio": "#000011",
    "error": "#000012",
    "error-soft": "#000013",
    "warning": "#000014",
    "ok": "#000015",
    "ok-soft": "#000016",
}
"""Stand-ins that drawings use for the page's colour variables."""
HATCH: Final = "#000017"
"""Stands for diagonal lines in the colour of an error."""
TIP: Final = "tip:"
"""A group with this id becomes one with a title, which browsers show under the pointer."""

_NAMES: Final = {code: f"var(--{name})" for name, code in COLOURS.items()} | {"#000000": "var(--ink)"}
_KEPT: Final = frozenset({
    "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "fill-opacity",
    "stroke-opacity", "font-size", "font-weight", "text-anchor",
})  # fmt: skip
_PLACED: Final = frozenset({"d", "x", "y", "width", "height", "transform"})
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?|-?\d+e-?\d+")
_UNTURNED = re.compile(r"^rotate\(-?0 ")


def finish(raw: str, anchor: str, title: str, description: str) -> str:
    """The drawing as one `<svg role="img">` without a size of its own; `anchor` makes its ids unique on the page."""
    source = ET.fromstring(raw)  # noqa: S314 -- written by matplotlib a moment ago
    svg = ET.Element(
        "svg", {"role": "img", "aria-labelledby": f"{anchor}-t {anchor}-d", "viewBox": source.attrib["viewBox"]}
    )
    ET.SubElement(svg, "title", {"id": f"{anchor}-t"}).text = title
    ET.SubElement(svg, "desc", {"id": f"{anchor}-d"}).text = description
    if HATCH in raw:
        svg.append(_hatch(anchor))
    _copy(source, svg, anchor)
    return ET.tostring(svg, encoding="unicode")


def _hatch(anchor: str) -> ET.Element:
    defs = ET.Element("defs")
    pattern = ET.SubElement(
        defs, "pattern", {"id": f"{anchor}-h", "width": "6", "height": "6", "patternUnits": "userSpaceOnUse"}
    )
    ET.SubElement(pattern, "path", {"fill": "var(--error-soft)", "d": "M0 0h6v6h-6z"})
    ET.SubElement(
        pattern, "path", {"stroke": "var(--error)", "stroke-width": "1.2", "d": "M-1 1l2 -2M0 6l6 -6M5 7l2 -2"}
    )
    return defs


def _copy(source: ET.Element, target: ET.Element, anchor: str) -> None:
    """Append what `source` draws to `target`, without groups that say nothing."""
    for item in source:
        tag = item.tag.rpartition("}")[2]
        if tag == "g":
            _copy(item, _group(item, target), anchor)
        elif tag in {"path", "text"}:
            _append(target, tag, item, anchor)


def _group(item: ET.Element, target: ET.Element) -> ET.Element:
    name = item.get("id", "")
    if not name.startswith(TIP):
        return target
    group = ET.SubElement(target, "g")
    ET.SubElement(group, "title").text = name.removeprefix(TIP)
    return group


def _append(target: ET.Element, tag: str, item: ET.Element, anchor: str) -> None:
    """One shape; strokes of equal looks in a row become one path."""
    looks = _looks(item.get("style", ""), anchor)
    place = {key: _short(value) for key, value in item.attrib.items() if key in _PLACED}
    if tag == "path":
        last = target[-1] if len(target) else None
        data = place.pop("d")
        if last is not None and looks.get("fill") == "none" and {**last.attrib, "d": ""} == {**looks, "d": ""}:
            last.set("d", last.attrib["d"] + data)
            return
        ET.SubElement(target, "path", {**looks, "d": data})
        return
    if _UNTURNED.match(place.get("transform", "")):
        del place["transform"]
    looks.setdefault("fill", "var(--ink)")
    ET.SubElement(target, "text", {**looks, **place}).text = item.text


def _looks(style: str, anchor: str) -> dict[str, str]:
    """A `style` attribute as presentation attributes in the page's colours."""
    pairs = (part.partition(":") for part in style.split(";") if ":" in part)
    found = {key.strip(): value.strip() for key, _, value in pairs}
    named = _NAMES | {HATCH: f"url(#{anchor}-h)"}
    looks = {key: named.get(value, value) for key, value in found.items() if key in _KEPT}
    if looks.get("stroke-opacity") == "0":
        looks = {key: value for key, value in looks.items() if not key.startswith("stroke")}
    return looks


def _short(value: str) -> str:
    """Coordinates to a tenth, without blanks that no parser needs."""
    rounded = _NUMBER.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0").replace("-0.0", "0"), value)
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", rounded.strip()) if value.startswith("M") else rounded
