"""Assigns the refreshes of progress bars to stages and windows."""

from __future__ import annotations

import polars as pl

from loganalyzer.runs import native_samplers, program_samplers, unsmoothed
from loganalyzer.runs.native import windows
from loganalyzer.runs.stages import assign_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.tables.frames import join_nearest, left_join, set_sorted, sort_by

MOST_STEPS = 10_000
"""Maximum steps of a sampler's bar. A damaged or hostile bar with more must not exhaust the memory."""

_LOSSES = ("exception", "wrapper-error", "interruption", "out-of-memory")

_COLUMNS = (
    "lane", "place", "line", "time", "prompt", "pattern",
    "audio_start", "audio_end", "percent", "n", "total", "elapsed_s", "rate", "rate_error",
)  # fmt: skip
_NO_SEGMENT = pl.lit(None, pl.Int64).alias("segment")
_NO_RANGE = tuple(pl.lit(None, pl.Int64).alias(name) for name in ("audio_start", "audio_end"))


def assign_refreshes(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """Every refresh of a sampling bar with its stage, ordered by stage and place.

    Bars without a description count only inside a stage. Their audio range comes from the messages that upstream
    printed with them in August 2025, else it is null. Bars of ComfyUI's own samplers have a `segment` instead.
    """
    named = timeline.bars["window-bar"].select(*_COLUMNS, _NO_SEGMENT)
    bare = _with_printed_range(timeline.bars["bare-bar"], timeline)
    named = assign_stage(named, stages, same_prompt=False).filter(pl.col("stage").is_not_null())
    bare = assign_stage(bare, stages).filter(pl.col("stage").is_not_null())
    printed = stages.filter(pl.col("kind") == program_samplers.BY_LINES)["stage"]
    if not printed.is_empty():
        bare = bare.filter(~pl.col("stage").is_in(printed.implode()))
    own = stages.filter(native_samplers.is_native())["stage"]
    if not own.is_empty():
        bare = bare.filter(~pl.col("stage").is_in(own.implode()))
        ranged = windows.find_bars(timeline, stages).with_columns(*_NO_RANGE)
        bare = pl.concat([bare, ranged.select(bare.columns)])
    if not bare.is_empty():
        bare = bare.join(named.select("stage").unique(), on="stage", how="anti")
        named = pl.concat([named, bare.select(named.columns)])
    return set_sorted(sort_by(named, "stage", "place"), "stage")


def number_refreshes(rows: pl.DataFrame, timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """`rows` (refreshes of complete stages, as from `assign_refreshes`) with the number of each one's window.

    Columns: stage, bar (dense number, one per window), is_lane_end, is_redrawn, unsmoothed, and those of the bar. If a
    narrow terminal cut off `n/total`, both are computed from the percentage and the header's steps.
    """
    return unsmoothed.mark_unsmoothed(
        _number_bars(_mark_redrawn(_mark_lane_end(_fill_counts(rows, stages), timeline), stages, timeline))
    )


def _with_printed_range(bare: pl.DataFrame, timeline: Timeline) -> pl.DataFrame:
    ranges = timeline.records("audio-range").select(
        "lane", "place", "audio_start", "audio_end", pl.col("prompt").alias("range_prompt")
    )
    own = pl.col("range_prompt") == pl.col("prompt")
    return (
        join_nearest(bare, ranges)
        .with_columns(pl.when(own).then(pl.col("audio_start", "audio_end")))
        .select(*_COLUMNS, _NO_SEGMENT)
    )


def _fill_counts(rows: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """`rows` with cut-off `n` and `total` filled in. tqdm never prints `5/4`: such a refresh is damaged and dropped."""
    header = set_sorted(stages.select("stage", "steps"), "stage")
    steps = left_join(rows[:, ["stage"]], header, ["stage"])
    total = pl.coalesce(pl.col("total"), steps["steps"])
    filled = rows.with_columns(
        pl.coalesce("n", (pl.col("percent") * total / 100).round().cast(pl.Int64, strict=False)).alias("n"),
        total.alias("total"),
    )
    fits = pl.col("total").is_between(pl.col("n"), MOST_STEPS).fill_null(value=True)
    return filled.filter((pl.col("n").is_between(0, MOST_STEPS) & fits).fill_null(value=False))


def _mark_lane_end(rows: pl.DataFrame, timeline: Timeline) -> pl.DataFrame:
    """`rows` with `is_lane_end`: neither a message nor another bar follows the refresh."""
    lanes = set_sorted(rows[:, ["lane"]], "lane")
    ends = left_join(lanes, set_sorted(sort_by(timeline.ends, "lane"), "lane"), ["lane"])["end"]
    return rows.with_columns((pl.col("place") >= ends).fill_null(value=False).alias("is_lane_end"))


def _mark_redrawn(rows: pl.DataFrame, stages: pl.DataFrame, timeline: Timeline) -> pl.DataFrame:
    """`rows` with `is_redrawn`: drawn after the stage failed or was interrupted. It shows an average, not a step."""
    lost = pl.concat([timeline.records(name).select("lane", pl.col("place").alias("lost")) for name in _LOSSES])
    if lost.is_empty():
        return rows.with_columns(pl.lit(value=False).alias("is_redrawn"))
    opened = stages.select("stage", pl.col("place").alias("stage_place"))
    return (
        rows.pipe(sort_by, "place")
        .join_asof(lost.pipe(sort_by, "lost"), left_on="place", right_on="lost", by="lane", check_sortedness=False)
        .pipe(left_join, opened, ["stage"])
        .with_columns((pl.col("lost") > pl.col("stage_place")).fill_null(value=False).alias("is_redrawn"))
        .drop("lost", "stage_place")
    )


def _number_bars(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with `bar`: one per audio range of a stage; without ranges, a bar begins where n or the clock drops."""
    rows = sort_by(rows, "stage", "place")
    range_starts = rows.filter(_is_other_range()).select(_RANGE)
    is_mixed = bool(range_starts.is_duplicated().any())
    if is_mixed:
        rows = rows.sort(*_RANGE, "place")
    fell = (pl.col("n") < pl.col("n").shift(1)) | (pl.col("elapsed_s") < pl.col("elapsed_s").shift(1))
    is_loose = pl.col("audio_start").is_null() & pl.col("segment").is_null()
    begins = _is_other_range() | (is_loose & fell.fill_null(value=False))
    first = pl.int_range(pl.len()) == 0
    other = (pl.col("stage") != pl.col("stage").shift(1)) | (pl.col("opened") != pl.col("opened").shift(1))
    opened = rows.with_columns(pl.when(begins | first).then("place").forward_fill().alias("opened"))
    if is_mixed:
        opened = opened.pipe(sort_by, "stage", "opened", "place")
    numbered = opened.with_columns(other.fill_null(value=True).cast(pl.Int64).cum_sum().alias("bar"))
    return set_sorted(numbered, "bar")


_RANGE = ("stage", "segment", "audio_start", "audio_end")


def _is_other_range() -> pl.Expr:
    return pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift(1)) for key in _RANGE)
