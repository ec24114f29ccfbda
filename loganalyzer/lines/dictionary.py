"""Encodes texts by their distinct values, so that a text that repeats is parsed once: most refreshes repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import polars as pl

from loganalyzer.tables.frames import filter_mask

MAX_DISTINCT_SHARE: Final = 0.25
"""Up to this share of distinct texts, finding them is faster than parsing every text."""
_MIN_TEXTS: Final = 4096
"""Fewer texts are not worth encoding."""


class EncodedTexts(NamedTuple):
    """The texts of some rows, encoded by distinct values if that pays.

    Attributes:
        values: the texts of all rows, perhaps with others; distinct if there are `codes`.
        codes: for each row the index of its text in `values`; None if `values` has one text per row.
    """

    values: pl.Series
    codes: pl.Series | None = None

    def expand(self, values: pl.Series) -> pl.Series:
        """Expands one value per text to one value per row."""
        return values if self.codes is None else values.gather(self.codes)

    def filter(self, mask: pl.Series) -> EncodedTexts:
        """The rows for which `mask` is true."""
        if self.codes is None:
            return EncodedTexts(filter_mask(self.values.to_frame(), mask).to_series())
        return EncodedTexts(self.values, filter_mask(self.codes.to_frame(), mask).to_series())

    @property
    def per_row(self) -> pl.Series:
        """Each row's text."""
        return self.expand(self.values)

    @property
    def as_enum(self) -> pl.Series:
        """Each row's text, as an Enum if few texts are distinct."""
        if self.codes is None or len(self.values) > MAX_DISTINCT_SHARE * len(self.codes):
            return self.per_row
        return self.codes.cat.to(pl.Enum(self.values))


def encode_texts(texts: pl.Series) -> EncodedTexts:
    """Encodes `texts` (String, without nulls) by their distinct values if that pays."""
    max_distinct = MAX_DISTINCT_SHARE * len(texts)
    if len(texts) < _MIN_TEXTS or texts.to_frame("text").select(pl.col("text").approx_n_unique()).item() > max_distinct:
        return EncodedTexts(texts)
    return _encode(texts)


def _encode(texts: pl.Series) -> EncodedTexts:
    coded = texts.cast(pl.Categorical(pl.Categories.random()))
    return EncodedTexts(coded.unique(maintain_order=True).cast(pl.String), coded.to_physical())


def concat_encoded(parts: Sequence[EncodedTexts]) -> EncodedTexts:
    """Concatenates the rows of all parts; if all parts are encoded, only their distinct texts are compared."""
    if any(part.codes is None for part in parts):
        return encode_texts(pl.concat([part.per_row for part in parts]))
    encoded = _encode(pl.concat([part.values for part in parts]))
    all_codes, start = [], 0
    for part in parts:
        codes = cast("pl.Series", encoded.codes).slice(start, len(part.values))
        all_codes.append(part.expand(codes))
        start += len(part.values)
    return EncodedTexts(encoded.values, pl.concat(all_codes))
