"""What differs between the server starts of a slow run and of the last run before it that was as fast as usual."""

from __future__ import annotations

from typing import Final

import polars as pl

COMPARED: Final = {
    "attention": "attention",
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
"""Columns of `runs` that can change how fast a run is, and what a message calls them."""
_OUTPUT: Final = ["source", "stream"]
_ALIKE: Final = ["mode", "width", "height", "steps", "window_frames"]
_LONGEST: Final = 60
"""Characters of a value that a message repeats."""


def with_changes(slow: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """`slow` with `changed`: `attention sage → pytorch, torch 2.8 → 2.9`, or null where nothing is known to differ.

    Each slow run is held against the last run of the same output and the same settings above it that is none of
    `slow`.
    """
    if slow.is_empty():
        return slow.with_columns(pl.lit(None, pl.String).alias("changed"))
    usual = runs.join(slow, on="run_id", how="anti").sort("line")
    known = usual.select(*_OUTPUT, *_ALIKE, "line", *(pl.col(name).alias(f"usual_{name}") for name in COMPARED))
    keys = [pl.col(name).cast(pl.String).fill_null("") for name in (*_OUTPUT, *_ALIKE)]
    group = pl.concat_str(keys, separator="\0").alias("group")
    before = known.with_columns(group).select("group", "line", pl.col("^usual_.*$"))
    places = slow.select(*_OUTPUT, *_ALIKE, "line", *COMPARED).with_columns(group).with_row_index("row").sort("line")
    found = places.join_asof(before, on="line", by="group", check_sortedness=False).sort("row")
    parts = [_change(name, title) for name, title in COMPARED.items()]
    text = pl.concat_str(parts, separator=", ", ignore_nulls=True)
    return slow.with_columns(found.select(pl.when(text != "").then(text).alias("changed")).to_series())


def _change(name: str, title: str) -> pl.Expr:
    before, after = (pl.col(column).str.slice(0, _LONGEST) for column in (f"usual_{name}", name))
    differs = pl.col(f"usual_{name}") != pl.col(name)  # null, and so no change, where either is unknown
    return pl.when(differs).then(pl.format("{} {} → {}", pl.lit(title), before, after))
