"""Texts of an analysis cut to a length that a report has room for, whatever a log holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import polars as pl

from loganalyzer.redact.masking import Masker, redacted
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import FOREIGN

LONGEST: Final = 4000
"""Characters of one text: more than any message or traceback line that upstream prints."""


def presentable(analysis: Analysis, masks: Masker, settings: Settings) -> Analysis:
    """`analysis` with its secrets masked, unless the settings show them, and its long texts cut after that.

    In this order, since half a secret is not recognized as one.
    """
    return shortened(redacted(analysis, masks) if settings.redact else analysis)


def shortened(analysis: Analysis) -> Analysis:
    """`analysis` with the texts of its tables cut to `LONGEST` characters; a remark says how many were left out."""
    changed: dict[str, Any] = {}
    for table, names in FOREIGN.items():
        frame: pl.DataFrame = getattr(analysis, table)
        long = [name for name in names if _is_long(frame[name])]
        if long:
            changed[table] = frame.with_columns(_cut(pl.col(name)) for name in long)
    return replace(analysis, **changed) if changed else analysis


def _is_long(texts: pl.Series) -> bool:
    """Whether any text is too long, told by its bytes: no text has more characters. Lists are bounded where made."""
    return texts.dtype == pl.String and int(texts.str.len_bytes().max() or 0) > LONGEST  # type: ignore[arg-type]


def _cut(texts: pl.Expr) -> pl.Expr:
    length = texts.str.len_chars()
    remark = pl.format("{} … [{} more characters]", texts.str.head(LONGEST), length - LONGEST)
    return pl.when(length > LONGEST).then(remark).otherwise(texts)
