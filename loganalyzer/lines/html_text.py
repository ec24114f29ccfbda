"""HTML around a line, as a page's source or a wiki has it: entities read, line breaks and simple tags taken off."""

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
"""What web pages write for these characters; `&amp;` stands last, so that `&amp;lt;` is read as it is meant."""
BREAKS: Final = ("<br>", "<br/>", "<br />", "<BR>", "<p>", "</p>", "<div>", "</div>")
INSIDE_TEXT: Final = ("&nbsp;", "&#160;", "&amp;nbsp;")
"""Entities that can stand inside a message's fixed text."""
_SPAN: Final = (
    r"(?i)</?(?:span|font|code|b|i|u|em|strong|mark|samp|kbd|tt|a|p|div|pre|td|th|tr|table|tbody|thead|li|ul|ol|html|head"
    r"|body|title)(?:\s[^<>]*)?>|<!doctype html>"
)
MARKS: Final = (*ENTITIES, *BREAKS, "</span>", "</font>", "</code>", "</td>", "</li>", "</pre>", "</tr>")
"""What shows that a line is HTML."""


def is_html(texts: pl.Series) -> pl.Series:
    """Which of the texts hold HTML."""
    return texts.str.contains_any(list(MARKS))


def read(texts: pl.Series) -> pl.Series:
    """The texts as a browser shows them."""
    bare = texts.str.replace_many(list(BREAKS), [""] * len(BREAKS)).str.replace_all(_SPAN, "")
    *others, ampersand = ENTITIES
    return bare.str.replace_many(others, [ENTITIES[one] for one in others]).str.replace_all(
        ampersand, "&", literal=True
    )
