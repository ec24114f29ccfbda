"""Finds prompts that log rotation split: the rest is in the next file, which is also an input."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from loganalyzer.checks.registry import Context

_ROTATED: Final = re.compile(r"(?P<base>.+)\.(?P<number>\d{1,4})(?P<packed>\.(?:gz|bz2|xz|zst))?$")
"""Names by logrotate and Python: `server.log.1` is older than `server.log`, and `server.log.2` is older still."""


def next_file(name: str) -> str | None:
    """Returns the file that continues a rotated one, without its compression suffix; None for other names."""
    match = _ROTATED.match(name)
    if match is None:
        return None
    number = int(match["number"])
    return f"{match['base']}.{number - 1}" if number > 1 else match["base"]


def split_prompts(context: Context) -> pl.DataFrame:
    """Returns the last prompts of rotated inputs whose next file is an input: prompt_id, rest (that file's name)."""
    return context.once(_split_prompts)


def _split_prompts(context: Context) -> pl.DataFrame:
    names = context.found.sources["source"].drop_nulls().to_list()
    plain = {re.sub(r"\.(?:gz|bz2|xz|zst)$", "", name): name for name in names}
    rests = [(name, plain[after]) for name in names if (after := next_file(name)) is not None and after in plain]
    rows = pl.DataFrame(rests, schema={"source": pl.String, "rest": pl.String}, orient="row")
    prompts = context.found.prompts
    last = prompts.filter(pl.col("line") == pl.col("line").max().over("source"), pl.col("status") == "truncated")
    return last.join(rows, on="source", maintain_order="left").select("prompt_id", "rest")
