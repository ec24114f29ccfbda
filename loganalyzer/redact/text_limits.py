"""Limits the length of an analysis's texts, so that no log can make a report too long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import polars as pl

from loganalyzer.redact.masking import Masker, mask_analysis
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import FOREIGN

LONGEST: Final = 4000
"""Maximum characters of one text: more than any message or traceback line that upstream prints."""


def prepare_for_output(analysis: Analysis, masks: Masker, settings: Settings) -> Analysis:
    """`analysis` ready for output: secrets masked (unless the settings turn that off), then long texts cut.

    Masking comes first, because masking does not recognize half a secret.
    """
    return cut_long_texts(mask_analysis(analysis, masks) if settings.redact else analysis)


def cut_long_texts(analysis: Analysis) -> Analysis:
    """`analysis` with the texts of its tables cut to `LONGEST` characters; a remark says how many were cut off."""
    changed: dict[str, Any] = {}
    for table, names in FOREIGN.items():
        frame: pl.DataFrame = getattr(analysis, table)
        long = [name for name in names if _is_long(frame[name])]
        if long:
            changed[table] = frame.with_columns(_cut_expr(pl.col(name)) for name in long)
    return replace(analysis, **changed) if changed else analysis


def _is_long(texts: pl.Series) -> bool:
    """Whether any text may be too long. Counts bytes: at least the characters. Lists are bounded elsewhere."""
    return texts.dtype == pl.String and int(texts.str.len_bytes().max() or 0) > LONGEST  # type: ignore[arg-type]


def _cut_expr(texts: pl.Expr) -> pl.Expr:
    length = texts.str.len_chars()
    remark = pl.format("{} … [{} more characters]", texts.str.head(LONGEST), length - LONGEST)
    return pl.when(length > LONGEST).then(remark).otherwise(texts)
