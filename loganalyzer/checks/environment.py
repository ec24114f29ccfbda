"""Finds what changed in the environment between the last normal run and a slow run."""

from __future__ import annotations

from typing import Final

import polars as pl

COMPARED: Final = {
    "attention": "attention",
    "sampler_attention": "attention of the sampler",
    "precision": "precision",
    "vram_state": "VRAM state",
    "memory_options": "memory options",
    "torch_version": "torch",
    "comfyui_version": "ComfyUI",
    "driver": "driver",
    "python_version": "Python",
    "arguments": "options",
    "packages": "libraries",
}
"""Columns of `runs` that can affect speed, with their names in messages."""
_OUTPUT: Final = ["source", "stream"]
_SAME_SETTINGS: Final = ["mode", "width", "height", "steps", "window_frames"]
_MOST_CHARACTERS: Final = 60
"""Most characters of a value in a message."""


def add_changes(slow: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Returns `slow` with `changed`: `attention sage → pytorch, torch 2.8 → 2.9`, or null if no change is known.

    Compares each slow run with the last earlier run of the same output and settings that is not in `slow`.
    """
    if slow.is_empty():
        return slow.with_columns(pl.lit(None, pl.String).alias("changed"))
    normal = runs.join(slow, on="run_id", how="anti").sort("line")
    known = normal.select(
        *_OUTPUT, *_SAME_SETTINGS, "line", *(pl.col(name).alias(f"normal_{name}") for name in COMPARED)
    )
    keys = [pl.col(name).cast(pl.String).fill_null("") for name in (*_OUTPUT, *_SAME_SETTINGS)]
    group = pl.concat_str(keys, separator="\0").alias("group")
    before = known.with_columns(group).select("group", "line", pl.col("^normal_.*$"))
    positions = (
        slow.select(*_OUTPUT, *_SAME_SETTINGS, "line", *COMPARED).with_columns(group).with_row_index("row").sort("line")
    )
    found = positions.join_asof(before, on="line", by="group", check_sortedness=False).sort("row")
    parts = [_change_text(name, title) for name, title in COMPARED.items()]
    text = pl.concat_str(parts, separator=", ", ignore_nulls=True)
    return slow.with_columns(found.select(pl.when(text != "").then(text).alias("changed")).to_series())


def _change_text(name: str, title: str) -> pl.Expr:
    before, after = (pl.col(column).str.slice(0, _MOST_CHARACTERS) for column in (f"normal_{name}", name))
    differs = pl.col(f"normal_{name}") != pl.col(name)  # null (no change) if either is unknown
    return pl.when(differs).then(pl.format("{} {} → {}", pl.lit(title), before, after))
