"""A drawing area with the few marks that the figures need; the only place that knows matplotlib.

`Figure` objects only, never pyplot: no state, no display, and the same input gives the same bytes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from loganalyzer.report.figures.svg import COLOURS, HATCH, finish

if TYPE_CHECKING:
    from collections.abc import Sequence

_FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so that it is measured alike everywhere; the page shows its own face."""
_HALF_LETTER: Final = 0.36
"""From the middle of a figure to its baseline, in font sizes."""
_NO_METADATA: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_INCH: Final = 72

Point = tuple[float, float]


class Margins(NamedTuple):
    """Room around the data, in units of the drawing."""

    left: float
    right: float
    top: float
    bottom: float


class Canvas:
    """Data coordinates inside, units of the drawing (shown as about one pixel) for everything else.

    `fill` and `edge` are names of the page's colour variables, or `hatch`.
    """

    def __init__(self, size: Point, margins: Margins, x: Point, y: Point) -> None:
        width, height = size
        self._figure = Figure(figsize=(width / _INCH, height / _INCH), dpi=_INCH)
        self._figure.patch.set_visible(False)
        inner = (width - margins.left - margins.right, height - margins.top - margins.bottom)
        self._axes = self._figure.add_axes((
            margins.left / width, margins.bottom / height, inner[0] / width, inner[1] / height,
        ))  # fmt: skip
        self._axes.set_axis_off()
        self._axes.set_xlim(*x)
        self._axes.set_ylim(*y)
        self.unit_x = (x[1] - x[0]) / inner[0]
        """Data units per unit of the drawing, along x."""
        self._drawn = 0

    def box(self, start: Point, extent: Point, *, fill: str, edge: str = "") -> None:
        """A filled rectangle."""
        patch = Rectangle(start, *extent, facecolor=_colour(fill), edgecolor=_colour(edge), clip_on=False)
        patch.set(linewidth=1, zorder=self._next())
        self._axes.add_patch(patch)

    def lines(
        self, segments: Sequence[tuple[Point, Point]], colour: str, width: float, *, dashed: bool = False
    ) -> None:
        """Straight lines."""
        self._axes.add_collection(
            LineCollection(
                list(segments),
                colors=_colour(colour),
                linewidths=width,
                linestyles=[(0, (4, 3))] if dashed else "solid",
                clip_on=False,
                zorder=self._next(),
            ),
            autolim=False,
        )

    def points(self, places: Sequence[Point], colour: str, diameter: float) -> None:
        """Dots, drawn as lines without length but with round ends: a tenth of the bytes of markers."""
        dots = [(place, place) for place in places]
        self._axes.add_collection(
            LineCollection(
                dots,
                colors=_colour(colour),
                linewidths=diameter,
                capstyle="round",
                clip_on=False,
                zorder=self._next(),
            ),
            autolim=False,
        )

    def text(
        self,
        place: Point,
        words: str,
        *,
        colour: str = "muted",
        size: float = 10.5,
        anchor: str = "center",
        shift: Point = (0, 0),
    ) -> None:
        """Words at a place, `shift` units right and up of it; `anchor` is left, center or right."""
        self._axes.annotate(
            words,
            place,
            xytext=(shift[0], shift[1] - _HALF_LETTER * size),
            textcoords="offset points",
            ha=anchor,
            va="baseline",
            fontsize=size,
            fontfamily=_FONT,
            color=_colour(colour),
            annotation_clip=False,
            parse_math=False,
            usetex=False,
            zorder=self._next(),
        )

    def _next(self) -> int:
        """What is drawn later lies above."""
        self._drawn += 1
        return self._drawn

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
