"""The page as one file: nothing from the network, nothing that its own policy would not allow.

Foreign text reaches the page only through jinja's escaping; the drawings, the style, the script and the document are
ours and are marked so in the templates.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from loganalyzer.common.resources import data_folder
from loganalyzer.report.json_document import for_page, shown, to_json
from loganalyzer.report.page.page import build_page

if TYPE_CHECKING:
    from datetime import datetime

    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis

_JOINTS: Final = re.compile(r"([_./]|:(?=\d))(?=.)")
_BREAKING: Final = re.compile("[<>&\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def render(analysis: Analysis, settings: Settings, *, generated_at: datetime, document: str) -> str:
    """The whole page, with the JSON `document` inside so that the report can be read again by the tool."""
    return filled("report.html.j2", build_page(analysis, settings, generated_at), document, _text("script.js"))


def whole(analysis: Analysis, settings: Settings, *, generated_at: datetime) -> str:
    """The page of an analysis, however many runs it has, with what it shows inside as its document."""
    from loganalyzer.common.version import __version__

    part = shown(analysis)
    inside = to_json(for_page(part), generated_at=generated_at, version=__version__, settings=settings)
    return render(part, settings, generated_at=generated_at, document=inside)


def filled(template: str, page: object, document: str, script: str = "") -> str:
    """A template with its page model, the JSON document that belongs into it, and a script of ours."""
    from loganalyzer.common.version import __version__

    style = _text("style.css")
    return _environment().get_template(template).render(
        page=page,
        version=__version__,
        style=style,
        script=script,
        policy=_policy(style, script),
        document=embedded(document),
    )  # fmt: skip


def embedded(document: str) -> str:
    """JSON text that can neither end the element it stands in nor hide what it says, and means the same."""
    return _BREAKING.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def _policy(style: str, script: str) -> str:
    """Nothing but this very style and this very script."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _text(name: str) -> str:
    place = data_folder("templates")
    for part in name.split("/"):
        place = place / part
    return place.read_text(encoding="utf-8")


def _breakable(text: str) -> Markup:
    """A name that may be broken behind its own signs; escaped here."""
    return Markup(_JOINTS.sub(r"\1<wbr>", str(escape(text))))  # noqa: S704 -- escaped, and <wbr> is ours


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["breakable"] = _breakable
    return environment
