"""Renders pages as single HTML files that load nothing from the network and have a strict content security policy.

Text from logs passes jinja's autoescaping. Figures, style sheet, script and JSON document are produced by the tool;
the templates mark them as safe.
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
from loganalyzer.report.json_document import limit_to_embedded, limit_to_page, to_json
from loganalyzer.report.page.page import build_page

if TYPE_CHECKING:
    from datetime import datetime

    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis

_CODE: Final = re.compile("`([^`]+)`")
_BREAK_POINTS: Final = re.compile(r"([_./]|:(?=\d))(?=.)")
_UNSAFE_IN_HTML: Final = re.compile("[<>&\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def render_page(analysis: Analysis, settings: Settings, *, generated_at: datetime, document: str) -> str:
    """The report as HTML. The JSON `document` is embedded so that the tool can read the report back."""
    return fill_template(
        "report.html.j2", build_page(analysis, settings, generated_at), document, _read_template("script.js")
    )


def render_analysis(analysis: Analysis, settings: Settings, *, generated_at: datetime) -> str:
    """The report of an analysis of any size. The page shows the worst runs and embeds their tables as JSON."""
    from loganalyzer.common.version import __version__

    part = limit_to_page(analysis)
    document = to_json(limit_to_embedded(part), generated_at=generated_at, version=__version__, settings=settings)
    return render_page(part, settings, generated_at=generated_at, document=document)


def fill_template(template: str, page: object, document: str, script: str = "") -> str:
    """Renders a template with a page model, the JSON document to embed, and the tool's own script."""
    from loganalyzer.common.version import __version__

    style = _read_template("style.css")
    return _environment().get_template(template).render(
        page=page,
        version=__version__,
        style=style,
        script=script,
        policy=_content_policy(style, script),
        document=escape_json(document),
    )  # fmt: skip


def escape_json(document: str) -> str:
    """Equivalent JSON text that cannot close its script element and has no invisible or direction characters."""
    return _UNSAFE_IN_HTML.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def _content_policy(style: str, script: str) -> str:
    """A content security policy that allows only this style sheet and this script."""
    return (
        f"default-src 'none'; style-src {_content_hash(style)}; script-src {_content_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _content_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _read_template(name: str) -> str:
    place = data_folder("templates")
    for part in name.split("/"):
        place = place / part
    return place.read_text(encoding="utf-8")


def _breakable(text: str) -> Markup:
    """The escaped text with optional line breaks after `_`, `.`, `/` and `:`."""
    return Markup(_BREAK_POINTS.sub(r"\1<wbr>", str(escape(text))))  # noqa: S704 -- escaped; only <wbr> is added


def _with_code(text: str) -> Markup:
    """The escaped text with `…` as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 -- escaped; only <code> is added


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_read_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["breakable"] = _breakable
    environment.filters["with_code"] = _with_code
    return environment
