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

_NAMES: Final = {code: f"var(--{name})" for name, code in COLOURS.items()} | {"#000000": "var(--ink)"}
_KEPT: Final = frozenset({
    "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "fill-opacity",
    "stroke-opacity", "font-size", "font-weight", "text-anchor",
})  # fmt: skip
_PLACED: Final = frozenset({"d", "x", "y", "width", "height", "transform"})
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?|-?\d+e-?\d+")
_COMMON: Final = {"font-size": "10.5px", "text-anchor": "middle", "fill": "var(--muted)"}
"""How most words look: said once, at the root."""
_DOT = re.compile(r"M(\S+ \S+)L\1(?![\d.])")
_UNTURNED = re.compile(r"^rotate\(-?0 ")


def finish(raw: str, anchor: str, title: str, description: str) -> str:
    """The drawing as one `<svg role="img">` without a size of its own; `anchor` makes its ids unique on the page."""
    source = ET.fromstring(raw)  # noqa: S314 -- written by matplotlib a moment ago
    head = {"role": "img", "aria-labelledby": f"{anchor}-t {anchor}-d", "viewBox": source.attrib["viewBox"]}
    svg = ET.Element("svg", head | _COMMON)
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
    """Append every shape and every word of `source` to `target`, without the groups around them."""
    for item in source.iter():
        tag = item.tag.rpartition("}")[2]
        looks = _looks(item.get("style", ""), anchor)
        place = {key: _short(value) for key, value in item.attrib.items() if key in _PLACED}
        if tag == "path" and "d" in place:
            _shape(target, looks, place["d"])
        elif tag == "text":
            _words(target, looks, place, item.text or "")


def _shape(target: ET.Element, looks: dict[str, str], data: str) -> None:
    """A path; those of equal looks in a row become one."""
    last = target[-1]
    if last.tag == "path" and {**last.attrib, "d": ""} == {**looks, "d": ""}:
        last.set("d", last.attrib["d"] + data)
    else:
        ET.SubElement(target, "path", {**looks, "d": data})


def _words(target: ET.Element, looks: dict[str, str], place: dict[str, str], words: str) -> None:
    if _UNTURNED.match(place.get("transform", "")):
        del place["transform"]
    looks.setdefault("fill", "var(--ink)")
    own = {key: value for key, value in looks.items() if _COMMON.get(key) != value}
    ET.SubElement(target, "text", {**own, **place}).text = words


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
    if not value.startswith("M"):
        return rounded
    return _DOT.sub(r"M\1h0", re.sub(r"\s*([A-Za-z])\s*", r"\1", rounded.strip()))
