"""Names of quantizations: which there are, and what a name that somebody typed stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from loganalyzer.common.errors import ConfigurationError
from loganalyzer.common.suggestions import did_you_mean
from loganalyzer.expectations.quantizations import load_tables


@cache
def known() -> tuple[str, ...]:
    """All quantizations that logs, file names and baselines can name, GGUF types first."""
    tables = load_tables()
    names = [mixture.quantization for mixture in tables.mixtures]
    names += [name for name, _ in tables.blocks.sizes]
    return tuple(dict.fromkeys([*names, *tables.storage.precisions]))


def canonical(name: str, own: Iterable[str] = ()) -> str:
    """The usual spelling: `q6k`, `q6_k` and `Q6-K` are `Q6_K`. `own` are further names, of a user's baselines.

    Raises:
        ConfigurationError: there is no such quantization; the message lists them.
    """
    by_letters = {_letters(one): one for one in (*own, *known())}
    found = by_letters.get(_letters(name))
    if found is None:
        hint = did_you_mean(name, by_letters.values())
        raise ConfigurationError(f"there is no quantization {name!r}", f"{hint} known: {', '.join(known())}".strip())
    return found


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
