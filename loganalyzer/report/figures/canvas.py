"""A drawing area with the few marks that the figures need; the only place that knows matplotlib.

`Figure` objects only, never pyplot: no state, no display, and the same input gives the same bytes. And no `Axes`: their
ticks and frames would take most of the time and be thrown away.
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

from loganalyzer.report.figures.svg import COLOURS, HATCH, finish

if TYPE_CHECKING:
    from collections.abc import Sequence

_FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so that it is measured alike everywhere; the page shows its own face."""
_SIZE: Final = 10.5
_HALF_LETTER: Final = 0.36 * _SIZE
"""From the middle of a figure to its baseline."""
_NO_METADATA: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_INCH: Final = 72

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of its font cache, which concerns no reader

Point = tuple[float, float]


class Margins(NamedTuple):
    """Room around the data, in units of the drawing."""

    left: float
    right: float
    top: float
    bottom: float


class Canvas:
    """Data coordinates inside, units of the drawing (shown as about one pixel) for everything else.

    What is drawn later lies above. `fill`, `edge` and `colour` are names of the page's colour variables; a box may also
    be filled with `hatch`.
    """

    def __init__(self, size: Point, margins: Margins, x: Point, y: Point) -> None:
        width, height = size
        self._figure = Figure(figsize=(width / _INCH, height / _INCH), dpi=_INCH)
        self._figure.patch.set_visible(False)
        self._corner = (margins.left, margins.bottom)
        self._origin = (x[0], y[0])
        self._scale = (
            (width - margins.left - margins.right) / (x[1] - x[0]),
            (height - margins.top - margins.bottom) / (y[1] - y[0]),
        )
        self._drawn = 0

    def length(self, extent: float) -> float:
        """A distance along x, in units of the drawing."""
        return extent * self._scale[0]

    def _at(self, place: Point) -> Point:
        x, y = (
            corner + (value - origin) * scale
            for corner, value, origin, scale in zip(self._corner, place, self._origin, self._scale, strict=True)
        )
        return x, y

    def box(self, start: Point, extent: Point, *, fill: str, edge: str = "") -> None:
        """A filled rectangle."""
        (left, low), (right, high) = self._at(start), self._at((start[0] + extent[0], start[1] + extent[1]))
        patch = Rectangle(
            (left, low), right - left, high - low, facecolor=_colour(fill), edgecolor=_colour(edge), linewidth=1
        )
        self._add(patch)

    def lines(
        self, segments: Sequence[tuple[Point, Point]], colour: str, width: float, *, dashed: bool = False
    ) -> None:
        """Straight lines."""
        style = [(0, (4, 3))] if dashed else "solid"
        ends = [(self._at(start), self._at(end)) for start, end in segments]
        self._add(LineCollection(ends, colors=_colour(colour), linewidths=width, linestyles=style))

    def points(self, places: Sequence[Point], colour: str, diameter: float) -> None:
        """Dots, drawn as lines without length but with round ends: a tenth of the bytes of markers."""
        dots = [(self._at(place), self._at(place)) for place in places]
        self._add(LineCollection(dots, colors=_colour(colour), linewidths=diameter, capstyle="round"))

    def text(
        self, place: Point, words: str, *, colour: str = "muted", anchor: str = "center", shift: Point = (0, 0)
    ) -> None:
        """Words at a place, `shift` units right and up of it; `anchor` is left, center or right."""
        x, y = self._at(place)
        self._drawn += 1
        self._figure.text(
            x + shift[0],
            y + shift[1] - _HALF_LETTER,
            words,
            transform=IdentityTransform(),
            horizontalalignment=anchor,
            verticalalignment="baseline",
            fontsize=_SIZE,
            fontfamily=_FONT,
            color=_colour(colour),
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
        """The finished drawing."""
        with mpl.rc_context():
            mpl.rcParams["svg.fonttype"] = "none"
            mpl.rcParams["svg.hashsalt"] = "loganalyzer"
            out = io.StringIO()
            surface: Any = FigureCanvasSVG(self._figure)  # its methods carry no types
            surface.print_svg(out, metadata=_NO_METADATA)
        return finish(out.getvalue(), anchor, title, description)


def _colour(name: str) -> str:
    if not name:
        return "none"
    return HATCH if name == "hatch" else COLOURS[name]
