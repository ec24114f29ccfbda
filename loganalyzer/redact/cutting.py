"""Long texts made short before they are masked, so that no piece of a secret is left that masking would not know."""

from __future__ import annotations

from typing import Final

import polars as pl

_LAST_WORD: Final = r"[^\s,;&]{1,300}$"
"""What the cut may have gone through: a token without its end does not look like one any more."""


def shortened(text: pl.Expr, longest: int) -> pl.Expr:
    """The texts with at most so many characters; of longer ones without the word that the cut goes through."""
    head = text.str.head(longest)
    return pl.when(text.str.len_chars() <= longest).then(text).otherwise(head.str.replace(_LAST_WORD, ""))
