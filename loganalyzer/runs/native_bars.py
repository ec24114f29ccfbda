"""Bars of ComfyUI's own samplers, told apart: which of them a Wan model drew.

Such a bar has no description, and other nodes draw bars like it. A bar is the model's that was requested last in its
prompt; text encoders and VAEs, requested in between, draw none.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.expectations.quantizations import load_tables
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import anti_join, join_nearest, sort_by

DYNAMIC: Final = "bare-bar-dynamic"
"""The form of a bar that says it waits for the model: its rates are not smoothed."""


def is_native(timeline: Timeline) -> bool:
    """Whether anything in the log shows ComfyUI's own sampling of a Wan model."""
    events = ("native-range", "auto-sampler-audio", "native-sampler")
    if any(not timeline.event(name).is_empty() for name in events):
        return True
    requested = timeline.event("model-requested")["model_class"]
    return not requested.is_empty() and bool(requested.str.contains(load_tables().classes.wan).any())


def requests(timeline: Timeline) -> pl.DataFrame:
    """Diffusion models that were requested: lane, place, prompt, model_class, is_wan."""
    classes = load_tables().classes
    name = pl.col("model_class")
    wanted = timeline.event("model-requested").filter(~name.str.contains(classes.companions))
    return wanted.select("lane", "place", "prompt", "model_class", name.str.contains(classes.wan).alias("is_wan"))


def refreshes(timeline: Timeline) -> pl.DataFrame:
    """Bars without description, in order, with `drawn` (dense number, one per bar), `mark`, `is_wan`, `model_class`.

    `mark` is the place of the last request or window line above in the same prompt; a bar that is drawn behind another
    one is another bar. `is_wan` is null where no diffusion model was requested in the prompt before.
    """
    ranges = timeline.event("native-range").select("lane", "place", "prompt")
    asked = requests(timeline)
    marks = pl.concat([frame.select("lane", "place", "prompt") for frame in (asked, ranges)])
    marks = marks.pipe(sort_by, "lane", "place").select(
        "lane", "place", pl.col("place").alias("mark"), pl.col("prompt").alias("mark_prompt")
    )
    named = asked.pipe(sort_by, "lane", "place").select(
        "lane", "place", "model_class", "is_wan", pl.col("prompt").alias("its_prompt")
    )
    bars = join_nearest(join_nearest(timeline.bars["bare-bar"], marks), named)
    own = bars.with_columns(
        pl.when(pl.col("mark_prompt") == pl.col("prompt")).then("mark").alias("mark"),
        pl.when(pl.col("its_prompt") == pl.col("prompt")).then(pl.col("model_class", "is_wan")),
    )
    return own.with_columns(_begins().cum_sum().alias("drawn"))


def _begins() -> pl.Expr:
    """Where another bar begins: its count falls back, or the clock of two finished ones does.

    The clock of a bar under DynamicVRAM is set back at its second step, so that alone it proves nothing.
    """
    changed = pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift(1)) for key in ("lane", "prompt", "mark"))
    full = pl.col("n") == pl.col("total")
    fell = (pl.col("n") < pl.col("n").shift(1)) | (pl.col("total") != pl.col("total").shift(1))
    again = full & full.shift(1) & (pl.col("elapsed_s") < pl.col("elapsed_s").shift(1))
    return changed.fill_null(value=True) | (fell | again).fill_null(value=False)


def samplers(timeline: Timeline) -> pl.DataFrame:
    """Where samplers start: lane, place, line, prompt, model_class, is_wan, is_certain; in order.

    Detailed logs say it; in prompts without such lines, bars show it. A second bar behind a request may be another
    node's, and is certain only where it says that it waits for the model.
    """
    told = timeline.event("native-sampler").with_columns(
        pl.col("model_class").str.contains(load_tables().classes.wan).alias("is_wan"),
        pl.lit(value=True).alias("is_certain"),
    )
    bars = anti_join(_drawn(timeline), told, "lane", "prompt")
    first = pl.col("mark").ne_missing(pl.col("mark").shift(1)) | (pl.col("prompt") != pl.col("prompt").shift(1))
    shown = bars.with_columns((first.fill_null(value=True) | pl.col("is_dynamic")).alias("is_certain"))
    return pl.concat([frame.select(*_SAMPLER) for frame in (told, shown)]).pipe(sort_by, "lane", "place")


_SAMPLER: Final = ("lane", "place", "line", "prompt", "model_class", "is_wan", "is_certain")


def _drawn(timeline: Timeline) -> pl.DataFrame:
    """One row per bar, at its first refresh, with `is_dynamic`."""
    first = ("lane", "place", "line", "prompt", "mark", "is_wan", "model_class")
    return (
        refreshes(timeline)
        .group_by("drawn", maintain_order=True)
        .agg(pl.col(first).first(), (pl.col("pattern") == DYNAMIC).any().alias("is_dynamic"))
    )
