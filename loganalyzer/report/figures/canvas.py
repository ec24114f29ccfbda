"""Draws the shapes that the figures need. This is the only module that uses matplotlib.

It uses `Figure` objects, not pyplot: they need no global state and no display, and the same input gives the same bytes.
It uses no `Axes`, because drawing their ticks and frames takes most of the time and the figures do not show them.
"""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import IdentityTransform

from loganalyzer.report.figures.svg import COLORS, HATCH, finish

if TYPE_CHECKING:
    from collections.abc import Sequence

_FONT_FAMILY: Final = "DejaVu Sans"
"""Ships with matplotlib, so that text has the same size on every machine. The page shows its own font."""
_FONT_SIZE: Final = 10.5
_BASELINE_SHIFT: Final = 0.36 * _FONT_SIZE
"""From the middle of a digit to its baseline."""
_NO_METADATA: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_UNITS_PER_INCH: Final = 72

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it logs building its font cache

Point = tuple[float, float]


class Margins(NamedTuple):
    """Space around the data, in drawing units."""

    left: float
    right: float
    top: float
    bottom: float


class Canvas:
    """A drawing area. Positions are data coordinates; all other lengths are drawing units (about one pixel each).

    Later shapes cover earlier ones. `fill`, `edge` and `color` are names of the page's color variables; `fill` may also
    be `hatch`.
    """

    def __init__(self, size: Point, margins: Margins, x: Point, y: Point) -> None:
        width, height = size
        self._figure = Figure(figsize=(width / _UNITS_PER_INCH, height / _UNITS_PER_INCH), dpi=_UNITS_PER_INCH)
        self._figure.patch.set_visible(False)
        self._corner = (margins.left, margins.bottom)
        self._origin = (x[0], y[0])
        self._scale = (
            (width - margins.left - margins.right) / (x[1] - x[0]),
            (height - margins.top - margins.bottom) / (y[1] - y[0]),
        )
        self._drawn = 0

    def length(self, extent: float) -> float:
        """A distance along x, in drawing units."""
        return extent * self._scale[0]

    def _to_units(self, place: Point) -> Point:
        x, y = (
            corner + (value - origin) * scale
            for corner, value, origin, scale in zip(self._corner, place, self._origin, self._scale, strict=True)
        )
        return x, y

    def box(self, start: Point, extent: Point, *, fill: str, edge: str = "") -> None:
        """Draws a filled rectangle."""
        (left, low), (right, high) = self._to_units(start), self._to_units((start[0] + extent[0], start[1] + extent[1]))
        patch = Rectangle(
            (left, low), right - left, high - low, facecolor=_color(fill), edgecolor=_color(edge), linewidth=1
        )
        self._add(patch)

    def lines(self, segments: Sequence[tuple[Point, Point]], color: str, width: float, *, dashed: bool = False) -> None:
        """Draws straight lines."""
        style = [(0, (4, 3))] if dashed else "solid"
        ends = [(self._to_units(start), self._to_units(end)) for start, end in segments]
        self._add(LineCollection(ends, colors=_color(color), linewidths=width, linestyles=style))

    def points(self, places: Sequence[Point], color: str, diameter: float) -> None:
        """Draws dots as lines of zero length with round ends, which take a tenth of the bytes of markers."""
        dots = [(self._to_units(place), self._to_units(place)) for place in places]
        self._add(LineCollection(dots, colors=_color(color), linewidths=diameter, capstyle="round"))

    def text(
        self, place: Point, words: str, *, color: str = "muted", anchor: str = "center", shift: Point = (0, 0)
    ) -> None:
        """Writes text, `shift` units to the right of and above `place`; `anchor` is left, center or right."""
        x, y = self._to_units(place)
        self._drawn += 1
        self._figure.text(
            x + shift[0],
            y + shift[1] - _BASELINE_SHIFT,
            words,
            transform=IdentityTransform(),
            horizontalalignment=anchor,
            verticalalignment="baseline",
            fontsize=_FONT_SIZE,
            fontfamily=_FONT_FAMILY,
            color=_color(color),
            parse_math=False,
            usetex=False,
            zorder=self._drawn,
        )

    def _add(self, artist: Rectangle | LineCollection) -> None:
        self._drawn += 1
        artist.set_transform(IdentityTransform())
        artist.set_zorder(self._drawn)
        self._figure.add_artist(artist)

    def svg(self, anchor: str, title: str, description: str) -> str:
        """The drawing as SVG text."""
        with mpl.rc_context():
            mpl.rcParams["svg.fonttype"] = "none"
            mpl.rcParams["svg.hashsalt"] = "loganalyzer"
            out = io.StringIO()
            surface: Any = FigureCanvasSVG(self._figure)  # its methods have no type annotations
            surface.print_svg(out, metadata=_NO_METADATA)
        return finish(out.getvalue(), anchor, title, description)


def _color(name: str) -> str:
    if not name:
        return "none"
    return HATCH if name == "hatch" else COLORS[name]
