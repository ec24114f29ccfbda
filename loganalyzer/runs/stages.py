"""Finds where sampling stages begin, and assigns other lines to stages."""

from __future__ import annotations

import polars as pl

from loganalyzer.runs import native_samplers, program_samplers
from loganalyzer.runs.stage_schema import START
from loganalyzer.runs.timeline import Timeline, find_bare_lines
from loganalyzer.tables.frames import anti_join, filter_mask, join_nearest, sort_by, with_schema

_BEHIND_SAMPLING = ("padding-request", "padding-length")

_OUTER_ALONE = "outer-bar-clips"
"""The pattern of the bar over all windows, in the revisions whose window bars had no description."""

_NO_STAGE = pl.lit(None, pl.UInt32).alias("stage")


def find_stages(timeline: Timeline) -> pl.DataFrame:
    """One row per stage: stage (dense number), lane, place, line, prompt, kind, and the values of its header.

    `kind`: `header` (windowed), `plain` (the plain sampler's header, which windowed runs also printed until
    2025-08-20), `bars` (no header in the log, only bars), `mode` (only a mode line, no header or known bar), or one
    of `native_samplers.KINDS` and `program_samplers.KINDS`. The latter also have the columns of their program.
    """
    named = find_headers(timeline)
    bare = with_schema(_stages_by_bars(_window_evidence(timeline), named), START)
    shown = pl.concat([named, bare]).pipe(sort_by, "lane", "place")
    clips = _stages_by_outer_bar(timeline, shown)
    if clips.height:
        shown = pl.concat([shown, clips]).pipe(sort_by, "lane", "place")
    others = program_samplers.find_stages(timeline)
    if others.height:
        shown = pl.concat([shown, with_schema(others, START)]).pipe(sort_by, "lane", "place")
    own = native_samplers.find_stages(timeline, shown)
    if own.height:
        shown = pl.concat([shown, with_schema(own, START)]).pipe(sort_by, "lane", "place")
    unseen = _stages_by_mode(timeline, shown)
    if unseen.height:
        shown = pl.concat([shown, unseen]).pipe(sort_by, "lane", "place")
    return shown.with_row_index("stage")


def find_headers(timeline: Timeline) -> pl.DataFrame:
    """The stages with a header; columns as in `find_stages`, without `stage`."""
    headers = timeline.records("header").with_columns(pl.lit("header").alias("kind"))
    plain = timeline.records("plain-header").with_columns(
        pl.lit("plain").alias("kind"), pl.col("frames").alias("plain_frames")
    )
    return pl.concat([with_schema(headers, START), with_schema(plain, START)]).pipe(sort_by, "lane", "place")


def _window_evidence(timeline: Timeline) -> pl.DataFrame:
    """Window bars, and bare window lines as bars without a step. Both are evidence of a run without a header."""
    shown = ("lane", "place", "line", "prompt", "audio_start", "audio_end", "n")
    bars, lines = timeline.bars["window-bar"], find_bare_lines(timeline)
    if lines.is_empty():
        return bars
    as_bars = lines.with_columns(pl.lit(0, pl.Int64).alias("n"))
    return pl.concat([frame.select(*shown) for frame in (bars, as_bars)]).pipe(sort_by, "lane", "place")


def _stages_by_bars(bars: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Stages of which the log has only bars, as in an excerpt pasted into a ticket."""
    order = _with_last_header(bars, named)
    if order["header_prompt"].eq_missing(order["prompt"]).all():
        return order.clear()
    first = _with_orphan_flags(order).filter("orphan")
    return (
        first.with_columns(pl.col("prompt").shift(1).over("lane").alias("orphan_before"))
        .filter(pl.col("orphan_before").ne_missing(pl.col("prompt")) | pl.col("again"))
        .with_columns(pl.lit("bars").alias("kind"), (pl.col("place") - 1).alias("place"))
    )


def _stages_by_outer_bar(timeline: Timeline, shown: pl.DataFrame) -> pl.DataFrame:
    """Stages whose beginning only the bar over all windows shows, as in July 2025.

    The window bars had no description then, and the plain sampler's header may be lost. A bar that restarts its count
    belongs to another stage.
    """
    bars = timeline.bars["outer-bar"]
    if bars.is_empty():
        return with_schema(bars, START)
    alone = anti_join(bars.filter(pl.col("pattern") == _OUTER_ALONE), shown, "lane", "prompt")
    same = (pl.col("lane") == pl.col("lane").shift(1)) & (pl.col("prompt") == pl.col("prompt").shift(1))
    goes_on = (same & (pl.col("n") >= pl.col("n").shift(1))).fill_null(value=False)
    return with_schema(alone.filter(~goes_on).with_columns(pl.lit("bars").alias("kind")), START)


def _stages_by_mode(timeline: Timeline, shown: pl.DataFrame) -> pl.DataFrame:
    """Stages with a mode line and with lines that follow sampling, but without any line of the sampling itself.

    Upstream may have changed both the header and the bars. The run, with its padding, must not get lost.
    """
    modes = timeline.records("mode").pipe(sort_by, "lane", "place")
    if modes.is_empty():
        return with_schema(modes, START)
    modes = modes.select("lane", "place", "line", "prompt").with_columns(
        pl.col("place").shift(-1).over("lane").alias("next_mode")
    )
    alone = filter_mask(modes, ~_is_followed(modes, shown))
    if alone.is_empty():
        return with_schema(alone, START)
    reports = timeline.records("max-allocated").filter(~pl.col("phase").fill_null("").str.starts_with("WanVAE"))
    proofs = pl.concat(
        [found[:, ["lane", "place", "prompt"]] for found in (*map(timeline.records, _BEHIND_SAMPLING), reports)]
    )
    unseen = filter_mask(alone, _is_followed(alone, proofs.pipe(sort_by, "lane", "place")))
    return with_schema(unseen.with_columns(pl.lit("mode").alias("kind")), START)


def _is_followed(modes: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    """For each mode: whether a row of `known` follows it in the same prompt, before the next mode."""
    places = known.select("lane", "place", pl.col("place").alias("next_place"), pl.col("prompt").alias("next_prompt"))
    same = (pl.col("next_prompt") == pl.col("prompt")) & ~(pl.col("next_place") >= pl.col("next_mode")).fill_null(
        value=False
    )
    return join_nearest(modes, places, ahead=True).select(same.fill_null(value=False)).to_series()


def mark_orphans(bars: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Place, range and count of `bars` in order, with `unowned`, `orphan` and `again`.

    `unowned`: the last header above the bar is not a windowed loop's of the same prompt. `orphan`: unowned, and not the
    redraw of another bar. `again`: the audio restarts. A bar after `Prompt executed` may belong to a failed window,
    which redraws its bar on closing. It is not an orphan if the bar before it belongs to this prompt or the one before.
    """
    return _with_orphan_flags(_with_last_header(bars, named))


def _with_last_header(bars: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """`bars` in order with `header_prompt`: the prompt of the last header above; null below the plain sampler's header.

    The plain sampler draws no such bars. Below its header they show a windowed loop whose own header is missing.
    """
    prompt = pl.when(pl.col("kind") == "header").then("prompt")
    headers = named.select("lane", "place", prompt.alias("header_prompt")).pipe(sort_by, "lane", "place")
    own = bars.select("lane", "place", "line", "prompt", "audio_start", "audio_end", "n")
    return join_nearest(sort_by(own, "lane", "place"), headers)


def _with_orphan_flags(order: pl.DataFrame) -> pl.DataFrame:
    same_lane = pl.col("lane") == pl.col("lane").shift(1)
    before = {
        name: pl.when(same_lane).then(pl.col(name).shift(1)) for name in ("audio_start", "audio_end", "n", "prompt")
    }
    redrawn = (
        (pl.col("audio_start") == before["audio_start"])
        & (pl.col("audio_end") == before["audio_end"])
        & (pl.col("n") >= before["n"])
        & (pl.col("prompt") - before["prompt"] <= 1)
    ).fill_null(value=False)
    unowned = pl.col("header_prompt").ne_missing(pl.col("prompt"))
    return order.with_columns(
        unowned.alias("unowned"),
        (unowned & ~redrawn).alias("orphan"),
        restarts_audio().alias("again"),
    )


def restarts_audio() -> pl.Expr:
    """Whether the audio restarts at a bar (ordered by lane and place), which means another run."""
    same_lane = pl.col("lane") == pl.col("lane").shift(1)
    return (same_lane & (pl.col("audio_start") < pl.col("audio_start").shift(1))).fill_null(value=False)


def assign_stage(frame: pl.DataFrame, stages: pl.DataFrame, *, same_prompt: bool = True) -> pl.DataFrame:
    """`frame` (lane, place, prompt, …) with the number of the last stage that begins before each row.

    With `same_prompt`, the number is null if that stage belongs to an earlier prompt.
    """
    if frame.is_empty() or stages.is_empty():
        return frame.with_columns(_NO_STAGE)
    openers = stages.select("stage", "lane", "place", pl.col("prompt").alias("stage_prompt")).pipe(
        sort_by, "lane", "place"
    )
    frame = sort_by(frame, "lane", "place")
    found = join_nearest(frame[:, ["lane", "place"]], openers)
    if same_prompt:
        own = found["stage_prompt"] == frame["prompt"]
        found = found.with_columns(pl.when(own).then(pl.col("stage")).alias("stage"))
    return frame.with_columns(found["stage"])


def assign_next_stage(frame: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the number of the next stage of the same prompt, for lines that upstream prints before a stage."""
    if frame.is_empty() or stages.is_empty():
        return frame.with_columns(_NO_STAGE)
    openers = stages.select("stage", "lane", "place", pl.col("prompt").alias("stage_prompt")).pipe(sort_by, "place")
    return (
        join_nearest(sort_by(frame, "place"), openers, ahead=True)
        .with_columns(pl.when(pl.col("stage_prompt") == pl.col("prompt")).then(pl.col("stage")).alias("stage"))
        .drop("stage_prompt")
    )
