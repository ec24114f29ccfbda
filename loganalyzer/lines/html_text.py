"""Converts lines copied from HTML, e.g. a page's source or a wiki: decodes entities, removes line breaks and tags."""

from __future__ import annotations

from typing import Final

import polars as pl

ENTITIES: Final = {
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": '"',
    "&#34;": '"',
    "&#39;": "'",
    "&#x27;": "'",
    "&apos;": "'",
    "&nbsp;": " ",
    "&#160;": " ",
    "&#13;": "\r",
    "&amp;": "&",
}
"""Entities and their characters. `&amp;` is last, so that `&amp;lt;` is decoded once."""
BREAKS: Final = ("<br>", "<br/>", "<br />", "<BR>", "<p>", "</p>", "<div>", "</div>")
INSIDE_TEXT: Final = ("&nbsp;", "&#160;", "&amp;nbsp;")
"""Entities that can occur inside a message's fixed text."""
_SPAN: Final = (
    r"(?i)</?(?:span|font|code|b|i|u|em|strong|mark|samp|kbd|tt|a|p|div|pre|td|th|tr|table|tbody|thead|li|ul|ol|html|head"
    r"|body|title)(?:\s[^<>]*)?>|<!doctype html>"
)
MARKS: Final = (*ENTITIES, *BREAKS, "</span>", "</font>", "</code>", "</td>", "</li>", "</pre>", "</tr>")
"""A line with any of these is HTML."""


def is_html(texts: pl.Series) -> pl.Series:
    """Whether each text contains HTML."""
    return texts.str.contains_any(list(MARKS))


def to_plain_text(texts: pl.Series) -> pl.Series:
    """The texts as a browser shows them."""
    bare = texts.str.replace_many(list(BREAKS), [""] * len(BREAKS)).str.replace_all(_SPAN, "")
    *others, ampersand = ENTITIES
    return bare.str.replace_many(others, [ENTITIES[one] for one in others]).str.replace_all(
        ampersand, "&", literal=True
    )
