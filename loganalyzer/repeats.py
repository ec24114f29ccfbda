"""Texts that repeat are read once: of millions of refreshes most say what others have said to the letter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

WORTH: Final = 0.25
"""Up to this share of different texts, finding them costs less than reading each text for itself."""
_FEWEST: Final = 4096
"""Below so many texts there is nothing to gain."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """Different texts, and which of them each row has.

    Attributes:
        texts: each different text once.
        places: for each row the place of its text in `texts`; None where `texts` are the rows themselves.
    """

    texts: pl.Series
    places: pl.Series | None = None

    def spread(self, values: pl.Series) -> pl.Series:
        """What holds of each text, for each row."""
        return values if self.places is None else values.gather(self.places)


def repeats(texts: pl.Series) -> Repeats:
    """`texts` (String, without nulls) by their different values, where that pays."""
    if len(texts) < _FEWEST or texts.to_frame("text").select(pl.col("text").approx_n_unique()).item() > WORTH * len(
        texts
    ):
        return Repeats(texts)
    coded = texts.cast(pl.Categorical(pl.Categories.random()))
    return Repeats(coded.unique(maintain_order=True).cast(pl.String), coded.to_physical())
