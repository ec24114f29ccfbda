"""Finds the bars of ComfyUI's own samplers, and which of them a Wan model drew.

Such a bar has no description, and other nodes draw similar bars. A bar belongs to the diffusion model that its prompt
requested last. Text encoders and VAEs are requested in between but draw no bars.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.expectations.quantizations import load_tables
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import anti_join, join_nearest, sort_by

DYNAMIC: Final = "bare-bar-dynamic"
"""The form of a bar with the remark that it waits for the model. Its rates are not smoothed."""


def shows_native_sampling(timeline: Timeline) -> bool:
    """Whether the log shows that ComfyUI itself sampled a Wan model."""
    events = ("native-range", "auto-sampler-audio", "native-sampler")
    if any(not timeline.records(name).is_empty() for name in events):
        return True
    requested = timeline.records("model-requested")["model_class"]
    return not requested.is_empty() and bool(requested.str.contains(load_tables().classes.wan).any())


def find_requests(timeline: Timeline) -> pl.DataFrame:
    """The requested diffusion models: lane, place, prompt, model_class, is_wan."""
    classes = load_tables().classes
    name = pl.col("model_class")
    wanted = timeline.records("model-requested").filter(~name.str.contains(classes.companions))
    return wanted.select("lane", "place", "prompt", "model_class", name.str.contains(classes.wan).alias("is_wan"))


def find_refreshes(timeline: Timeline) -> pl.DataFrame:
    """Refreshes of bars without description, in order, with `drawn`, `mark`, `is_wan`, `model_class`.

    `drawn` is a dense number, one per bar. `mark` is the place of the last request or window line above in the same
    prompt; a new mark starts a new bar. `is_wan` is null if the prompt requested no diffusion model before.
    """
    ranges = timeline.records("native-range").select("lane", "place", "prompt")
    requested = find_requests(timeline)
    marks = pl.concat([frame.select("lane", "place", "prompt") for frame in (requested, ranges)])
    marks = marks.pipe(sort_by, "lane", "place").select(
        "lane", "place", pl.col("place").alias("mark"), pl.col("prompt").alias("mark_prompt")
    )
    named = requested.pipe(sort_by, "lane", "place").select(
        "lane", "place", "model_class", "is_wan", pl.col("prompt").alias("its_prompt")
    )
    bars = join_nearest(join_nearest(timeline.bars["bare-bar"], marks), named)
    own = bars.with_columns(
        pl.when(pl.col("mark_prompt") == pl.col("prompt")).then("mark").alias("mark"),
        pl.when(pl.col("its_prompt") == pl.col("prompt")).then(pl.col("model_class", "is_wan")),
    )
    return own.with_columns(_starts_bar().cum_sum().alias("drawn"))


def _starts_bar() -> pl.Expr:
    """Whether a new bar begins: the step count falls back, or the clock does between two finished refreshes.

    A clock that falls back is not enough: under DynamicVRAM a bar resets its clock at the second step.
    """
    changed = pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift(1)) for key in ("lane", "prompt", "mark"))
    full = pl.col("n") == pl.col("total")
    fell = (pl.col("n") < pl.col("n").shift(1)) | (pl.col("total") != pl.col("total").shift(1))
    again = full & full.shift(1) & (pl.col("elapsed_s") < pl.col("elapsed_s").shift(1))
    return changed.fill_null(value=True) | (fell | again).fill_null(value=False)


def find_samplers(timeline: Timeline) -> pl.DataFrame:
    """The starts of samplers: lane, place, line, prompt, model_class, is_wan, is_certain; in order.

    Detailed logs print them; in prompts without such lines, bars show them. A second bar after a request may belong to
    another node. It is certain only if it says that it waits for the model.
    """
    logged = timeline.records("native-sampler").with_columns(
        pl.col("model_class").str.contains(load_tables().classes.wan).alias("is_wan"),
        pl.lit(value=True).alias("is_certain"),
    )
    bars = anti_join(_first_refreshes(timeline), logged, "lane", "prompt")
    first = pl.col("mark").ne_missing(pl.col("mark").shift(1)) | (pl.col("prompt") != pl.col("prompt").shift(1))
    shown = bars.with_columns((first.fill_null(value=True) | pl.col("is_dynamic")).alias("is_certain"))
    return pl.concat([frame.select(*_SAMPLER) for frame in (logged, shown)]).pipe(sort_by, "lane", "place")


_SAMPLER: Final = ("lane", "place", "line", "prompt", "model_class", "is_wan", "is_certain")


def _first_refreshes(timeline: Timeline) -> pl.DataFrame:
    """One row per bar, from its first refresh, with `is_dynamic`."""
    first = ("lane", "place", "line", "prompt", "mark", "is_wan", "model_class")
    return (
        find_refreshes(timeline)
        .group_by("drawn", maintain_order=True)
        .agg(pl.col(first).first(), (pl.col("pattern") == DYNAMIC).any().alias("is_dynamic"))
    )
