"""Finds the stages of ComfyUI's own samplers: windowed InfiniteTalk stages, and plain stages of Wan models.

The InfiniteTalk node prints the range of every window except the first; the sampler after it draws a bar. Nodes are
chained by hand, one per window. A prompt with such lines is therefore one run, which begins with the bar above the
first of them. Without such a line, every bar of a Wan model is a separate stage: one InfiniteTalk window if the prompt
loaded the speech encoder, else a plain stage.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.expectations.quantizations import load_tables
from loganalyzer.runs import native_bars
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import anti_join, group_agg, join_nearest, sort_by, unique_by, with_schema

TALKING: Final = "native"
"""The kind of a stage that renders audio in windows."""
PLAIN: Final = "native-plain"
KINDS: Final = (TALKING, PLAIN)
_PROMPT: Final = ("lane", "prompt")
_OPENERS: Final = pl.Schema(
    {"lane": pl.UInt32, "place": pl.Int64, "line": pl.Int64, "prompt": pl.Int64, "kind": pl.String}
)


def find_stages(timeline: Timeline, others: pl.DataFrame) -> pl.DataFrame:
    """lane, place, line, prompt, kind of every stage; `others` are the wrapper's stages (lane, prompt).

    A prompt with stages of the wrapper has no single stages of ComfyUI's own, because its bars without description may
    be the wrapper's.
    """
    if not native_bars.shows_native_sampling(timeline):
        return pl.DataFrame(schema=_OPENERS)
    samplers = native_bars.find_samplers(timeline)
    looped = timeline.records("auto-sampler-audio")
    chained = _find_chains(anti_join(timeline.records("native-range"), looped, *_PROMPT), samplers)
    chains = pl.concat([with_schema(frame, _OPENERS) for frame in (looped, chained)]).with_columns(
        pl.lit(TALKING).alias("kind")
    )
    taken = pl.concat([frame.select(*_PROMPT) for frame in (chains, others)])
    single = _single_stages(timeline, anti_join(samplers, taken, *_PROMPT))
    return pl.concat([chains, with_schema(single, _OPENERS)]).pipe(sort_by, "lane", "place")


def _find_chains(ranges: pl.DataFrame, samplers: pl.DataFrame) -> pl.DataFrame:
    """One row for each chain of windows. A range that starts before the previous range begins a new chain.

    The first chain of a prompt begins with the prompt's first Wan sampler. A later chain begins with the second sampler
    after the previous chain's last range: the first sampler belongs to that range. Without a visible sampler, a chain
    begins with its range.
    """
    same = (pl.col("lane") == pl.col("lane").shift(1)) & (pl.col("prompt") == pl.col("prompt").shift(1))
    goes_on = (same & (pl.col("audio_start") >= pl.col("audio_start").shift(1))).fill_null(value=False)
    behind = pl.when(same).then(pl.col("place").shift(1)).alias("behind")
    first = ranges.with_columns(behind, goes_on.alias("goes_on")).filter(~pl.col("goes_on"))
    if first.is_empty():
        return first
    known = first.select(
        "lane", "place", "behind", pl.col("place").alias("range"), pl.col("prompt").alias("range_prompt")
    )
    own = (pl.col("range_prompt") == pl.col("prompt")) & (pl.col("place") > pl.col("behind").fill_null(-1))
    above = join_nearest(samplers, known, ahead=True).filter(own & pl.col("is_wan").fill_null(value=True))
    other = pl.col("behind").is_not_null().first()
    named = pl.col("is_wan").fill_null(value=False)
    opener = [
        pl.when(other)
        .then(pl.col(name).get(1, null_on_oob=True))
        .otherwise(pl.coalesce(pl.col(name).filter(named).first(), pl.col(name).last()))
        .alias(f"{name}_above")
        for name in ("place", "line")
    ]
    found = above.pipe(group_agg, ["lane", "range"], *opener).rename({"range": "place"})
    return first.join(found, on=["lane", "place"], how="left", maintain_order="left").with_columns(
        *(pl.coalesce(f"{name}_above", name).alias(name) for name in ("place", "line"))
    )


def _single_stages(timeline: Timeline, samplers: pl.DataFrame) -> pl.DataFrame:
    """One stage per sampler of a Wan model: InfiniteTalk if the prompt loaded a speech model, else plain."""
    classes = load_tables().classes
    adapters = timeline.records("storage-policy").filter(pl.col("paths").str.contains(r"(?i)model_patches[\\/].*talk"))
    encoders = timeline.records("model-requested").filter(pl.col("model_class").str.contains(classes.speech))
    speaking = unique_by(pl.concat([frame.select(*_PROMPT) for frame in (adapters, encoders)]), *_PROMPT)
    certain = samplers.filter(pl.col("is_wan").fill_null(value=False) & pl.col("is_certain"))
    marked = certain.join(
        speaking.with_columns(pl.lit(value=True).alias("speaks")), on=_PROMPT, how="left", maintain_order="left"
    )
    talks = pl.col("speaks").fill_null(value=False) & pl.col("model_class").str.contains(classes.talking)
    return marked.with_columns(pl.when(talks).then(pl.lit(TALKING)).otherwise(pl.lit(PLAIN)).alias("kind"))


def is_native() -> pl.Expr:
    """Whether a stage was sampled by ComfyUI's own samplers."""
    return pl.col("kind").is_in(KINDS)
