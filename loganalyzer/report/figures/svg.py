"""Converts matplotlib's SVG for embedding in the page.

matplotlib writes a standalone file with a style sheet, `style` attributes, fixed ids and fixed colors. In the page, the
style sheet would apply to all figures, the content security policy blocks `style` attributes, the ids of two figures
would clash, and fixed colors ignore dark mode. This module therefore writes presentation attributes, unique ids, and
the page's color variables. It rounds coordinates to a tenth of a unit, which is not visible.
"""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree as ET

COLORS: Final = {
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
"""Placeholders that figures use for the page's color variables."""
HATCH: Final = "#000017"
"""Placeholder for a fill of diagonal lines in the error color."""

_COLOR_VARIABLES: Final = {code: f"var(--{name})" for name, code in COLORS.items()} | {"#000000": "var(--ink)"}
_KEPT_ATTRIBUTES: Final = frozenset({
    "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "fill-opacity",
    "stroke-opacity", "font-size", "font-weight", "text-anchor",
})  # fmt: skip
_COORDINATES: Final = frozenset({"d", "x", "y", "width", "height", "transform"})
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?|-?\d+e-?\d+")
_COMMON_TEXT: Final = {"font-size": "10.5px", "text-anchor": "middle", "fill": "var(--muted)"}
"""Attributes of most texts. They are set once, on the root element."""
_DOT = re.compile(r"M(\S+ \S+)L\1(?![\d.])")
_ZERO_ROTATION = re.compile(r"^rotate\(-?0 ")


def finish(raw: str, anchor: str, title: str, description: str) -> str:
    """The figure as one `<svg role="img">` without a fixed size; `anchor` makes its ids unique on the page."""
    source = ET.fromstring(raw)  # noqa: S314 -- written by matplotlib a moment ago
    head = {"role": "img", "aria-labelledby": f"{anchor}-t {anchor}-d", "viewBox": source.attrib["viewBox"]}
    svg = ET.Element("svg", head | _COMMON_TEXT)
    ET.SubElement(svg, "title", {"id": f"{anchor}-t"}).text = title
    ET.SubElement(svg, "desc", {"id": f"{anchor}-d"}).text = description
    if HATCH in raw:
        svg.append(_hatch_pattern(anchor))
    _copy_shapes(source, svg, anchor)
    return ET.tostring(svg, encoding="unicode")


def _hatch_pattern(anchor: str) -> ET.Element:
    defs = ET.Element("defs")
    pattern = ET.SubElement(
        defs, "pattern", {"id": f"{anchor}-h", "width": "6", "height": "6", "patternUnits": "userSpaceOnUse"}
    )
    ET.SubElement(pattern, "path", {"fill": "var(--error-soft)", "d": "M0 0h6v6h-6z"})
    ET.SubElement(
        pattern, "path", {"stroke": "var(--error)", "stroke-width": "1.2", "d": "M-1 1l2 -2M0 6l6 -6M5 7l2 -2"}
    )
    return defs


def _copy_shapes(source: ET.Element, target: ET.Element, anchor: str) -> None:
    """Appends every shape and text of `source` to `target`, without the groups around them."""
    for item in source.iter():
        tag = item.tag.rpartition("}")[2]
        attributes = _presentation(item.get("style", ""), anchor)
        place = {key: _round_coordinates(value) for key, value in item.attrib.items() if key in _COORDINATES}
        if tag == "path" and "d" in place:
            _add_path(target, attributes, place["d"])
        elif tag == "text":
            _add_text(target, attributes, place, item.text or "")


def _add_path(target: ET.Element, attributes: dict[str, str], data: str) -> None:
    """Appends a path. Consecutive paths with the same attributes become one."""
    last = target[-1]
    if last.tag == "path" and {**last.attrib, "d": ""} == {**attributes, "d": ""}:
        last.set("d", last.attrib["d"] + data)
    else:
        ET.SubElement(target, "path", {**attributes, "d": data})


def _add_text(target: ET.Element, attributes: dict[str, str], place: dict[str, str], words: str) -> None:
    if _ZERO_ROTATION.match(place.get("transform", "")):
        del place["transform"]
    attributes.setdefault("fill", "var(--ink)")
    own = {key: value for key, value in attributes.items() if _COMMON_TEXT.get(key) != value}
    ET.SubElement(target, "text", {**own, **place}).text = words


def _presentation(style: str, anchor: str) -> dict[str, str]:
    """Converts a `style` attribute to presentation attributes with the page's colors."""
    pairs = (part.partition(":") for part in style.split(";") if ":" in part)
    found = {key.strip(): value.strip() for key, _, value in pairs}
    named = _COLOR_VARIABLES | {HATCH: f"url(#{anchor}-h)"}
    attributes = {key: named.get(value, value) for key, value in found.items() if key in _KEPT_ATTRIBUTES}
    if attributes.get("stroke-opacity") == "0":
        attributes = {key: value for key, value in attributes.items() if not key.startswith("stroke")}
    return attributes


def _round_coordinates(value: str) -> str:
    """Rounds coordinates to a tenth and removes optional spaces."""
    rounded = _NUMBER.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0").replace("-0.0", "0"), value)
    if not value.startswith("M"):
        return rounded
    return _DOT.sub(r"M\1h0", re.sub(r"\s*([A-Za-z])\s*", r"\1", rounded.strip()))
