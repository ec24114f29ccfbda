"""A drawing area with the few marks that the figures need. Only this module uses matplotlib.

It calls matplotlib's SVG renderer directly. Without `Figure` and `Axes`, whose ticks and frames the drawings do not
have, importing and drawing take less than half the time. There is no state: the same input gives the same bytes.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast

import matplotlib as mpl
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.text import Text
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

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it logs building its font cache

_NONE: Final = "none"
_DASHES: Final = (4, 3)
"""Lengths of a dash and of the gap behind it, in widths of the line."""

Point = tuple[float, float]
Anchor = Literal["left", "center", "right"]
Mark = Callable[[Any], None]
"""Draws one mark with a renderer."""


class Margins(NamedTuple):
    """Space around the data, in drawing units."""

    left: float
    right: float
    top: float
    bottom: float


class Stroke(NamedTuple):
    """How a line looks; `dashes` are lengths of dashes and gaps."""

    color: str
    width: float
    dashes: Sequence[float] | None = None
    cap: str = "butt"


class Canvas:
    """A drawing area. Positions are data coordinates; all other lengths are drawing units (about one pixel each).

    Later shapes cover earlier ones. `fill`, `edge` and `color` are names of the page's color variables; `fill` may also
    be `hatch`.
    """

    def __init__(self, size: Point, margins: Margins, x: Point, y: Point) -> None:
        width, height = self._size = size
        self._corner = (margins.left, margins.bottom)
        self._origin = (x[0], y[0])
        self._scale = (
            (width - margins.left - margins.right) / (x[1] - x[0]),
            (height - margins.top - margins.bottom) / (y[1] - y[0]),
        )
        self._marks: list[Mark] = []

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
        """A filled rectangle."""
        (left, low), (right, high) = self._to_units(start), self._to_units((start[0] + extent[0], start[1] + extent[1]))
        outline = Path([(left, low), (right, low), (right, high), (left, high), (left, low)], closed=True)
        self._marks.append(lambda renderer: _draw_path(renderer, outline, Stroke(_color(edge), 1), _color(fill)))

    def lines(self, segments: Sequence[tuple[Point, Point]], color: str, width: float, *, dashed: bool = False) -> None:
        """Straight lines."""
        dashes = [length * width for length in _DASHES] if dashed else None
        self._strokes(segments, Stroke(_color(color), width, dashes))

    def points(self, places: Sequence[Point], color: str, diameter: float) -> None:
        """Dots, drawn as lines without length but with round ends: a tenth of the bytes of markers."""
        self._strokes([(place, place) for place in places], Stroke(_color(color), diameter, cap="round"))

    def _strokes(self, segments: Sequence[tuple[Point, Point]], stroke: Stroke) -> None:
        for start, end in segments:
            path = Path([self._to_units(start), self._to_units(end)])
            self._marks.append(partial(_draw_path, path=path, stroke=stroke))

    def text(
        self, place: Point, words: str, *, color: str = "muted", anchor: str = "center", shift: Point = (0, 0)
    ) -> None:
        """Words at a place, `shift` units right and up of it; `anchor` is left, center or right."""
        x, y = self._to_units(place)
        text = Text(
            x + shift[0],
            y + shift[1] - _BASELINE_SHIFT,
            words,
            color=_color(color),
            horizontalalignment=cast("Anchor", anchor),
            verticalalignment="baseline",
            fontproperties=FontProperties(family=_FONT_FAMILY, size=_FONT_SIZE),
            transform=IdentityTransform(),
        )
        self._marks.append(lambda renderer: _draw_text(renderer, text))

    def svg(self, anchor: str, title: str, description: str) -> str:
        """The drawing as SVG text."""
        with mpl.rc_context():
            mpl.rcParams["svg.fonttype"] = "none"
            mpl.rcParams["svg.hashsalt"] = "loganalyzer"
            out = io.StringIO()
            make: Any = RendererSVG  # carries no types
            renderer = make(*self._size, out, metadata=_NO_METADATA)
            for draw in self._marks:
                draw(renderer)
            renderer.finalize()
        return finish(out.getvalue(), anchor, title, description)


def _draw_path(renderer: Any, path: Path, stroke: Stroke, fill: str | None = None) -> None:  # noqa: ANN401 -- untyped
    looks = renderer.new_gc()
    looks.set_linewidth(0 if stroke.color == _NONE else stroke.width)
    looks.set_foreground(stroke.color)
    looks.set_dashes(0, stroke.dashes)
    looks.set_capstyle(stroke.cap)
    renderer.draw_path(looks, path, IdentityTransform(), to_rgba(fill) if fill is not None else None)


def _draw_text(renderer: Any, text: Text) -> None:  # noqa: ANN401 -- matplotlib's renderers carry no types
    looks = renderer.new_gc()
    looks.set_foreground(text.get_color())
    x, y = text.get_position()
    renderer.draw_text(looks, x, renderer.height - y, text.get_text(), text.get_fontproperties(), 0, mtext=text)


def _color(name: str) -> str:
    if not name:
        return _NONE
    return HATCH if name == "hatch" else COLORS[name]
