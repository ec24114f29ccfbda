"""Prompts that a log's rotation cut in two: the rest is in the next file, which is an input as well."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from loganalyzer.checks.registry import Context

_ROTATED: Final = re.compile(r"(?P<base>.+)\.(?P<number>\d{1,4})(?P<packed>\.(?:gz|bz2|xz|zst))?$")
"""logrotate's and Python's names: `server.log.1` is older than `server.log`, `server.log.2` than that."""


def next_file(name: str) -> str | None:
    """The name of the file that goes on where a rotated one ends, without a packer's ending; None for others."""
    match = _ROTATED.match(name)
    if match is None:
        return None
    number = int(match["number"])
    return f"{match['base']}.{number - 1}" if number > 1 else match["base"]


def split_prompts(context: Context) -> pl.DataFrame:
    """The last prompts of rotated inputs whose next file is an input too: prompt_id, rest (that file's name)."""
    return context.once(_split_prompts)


def _split_prompts(context: Context) -> pl.DataFrame:
    names = context.found.sources["source"].drop_nulls().to_list()
    plain = {re.sub(r"\.(?:gz|bz2|xz|zst)$", "", name): name for name in names}
    rests = [(name, plain[after]) for name in names if (after := next_file(name)) is not None and after in plain]
    rows = pl.DataFrame(rests, schema={"source": pl.String, "rest": pl.String}, orient="row")
    prompts = context.found.prompts
    last = prompts.filter(pl.col("line") == pl.col("line").max().over("source"), pl.col("status") == "truncated")
    return last.join(rows, on="source", maintain_order="left").select("prompt_id", "rest")
