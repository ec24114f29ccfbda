"""Texts that repeat are read once: of millions of refreshes most say what others have said to the letter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import polars as pl

from loganalyzer.tables.frames import filter_mask

WORTH: Final = 0.25
"""Up to this share of different texts, finding them costs less than reading each text for itself."""
_FEWEST: Final = 4096
"""Below so many texts there is nothing to gain."""


class Repeats(NamedTuple):
    """The texts of some rows.

    Attributes:
        texts: texts, among them those of all rows; no two equal where there are `places`.
        places: for each row the place of its text in `texts`; None where `texts` are the rows themselves.
    """

    texts: pl.Series
    places: pl.Series | None = None

    def spread(self, values: pl.Series) -> pl.Series:
        """What holds of each text, for each row."""
        return values if self.places is None else values.gather(self.places)

    def those(self, mask: pl.Series) -> Repeats:
        """The rows where `mask` is true."""
        if self.places is None:
            return Repeats(filter_mask(self.texts.to_frame(), mask).to_series())
        return Repeats(self.texts, filter_mask(self.places.to_frame(), mask).to_series())

    @property
    def rows(self) -> pl.Series:
        """Each row's text."""
        return self.spread(self.texts)

    @property
    def coded(self) -> pl.Series:
        """Each row's text, by its place among the different ones where they are few."""
        if self.places is None or len(self.texts) > WORTH * len(self.places):
            return self.rows
        return self.places.cat.to(pl.Enum(self.texts))


def repeats(texts: pl.Series) -> Repeats:
    """`texts` (String, without nulls) by their different values, where that pays."""
    if len(texts) < _FEWEST or texts.to_frame("text").select(pl.col("text").approx_n_unique()).item() > WORTH * len(
        texts
    ):
        return Repeats(texts)
    return _by_value(texts)


def _by_value(texts: pl.Series) -> Repeats:
    coded = texts.cast(pl.Categorical(pl.Categories.random()))
    return Repeats(coded.unique(maintain_order=True).cast(pl.String), coded.to_physical())


def together(parts: Sequence[Repeats]) -> Repeats:
    """The rows of all parts; where all parts repeat, their texts alone are compared."""
    if any(part.places is None for part in parts):
        return repeats(pl.concat([part.rows for part in parts]))
    told = _by_value(pl.concat([part.texts for part in parts]))
    places, start = [], 0
    for part in parts:
        own = cast("pl.Series", told.places).slice(start, len(part.texts))
        places.append(part.spread(own))
        start += len(part.texts)
    return Repeats(told.texts, pl.concat(places))
