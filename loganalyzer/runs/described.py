"""Adds to each stage the facts from the lines around it, and the sums over its windows."""

from __future__ import annotations

import polars as pl

from loganalyzer.runs import longcat, native_samplers, program_samplers
from loganalyzer.runs.planned import OTHER_LOOPS
from loganalyzer.runs.stages import assign_stage
from loganalyzer.runs.timeline import Timeline
from loganalyzer.runs.vae_sizes import find_first_encoded, with_real_sizes
from loganalyzer.tables.frames import group_agg, left_join, set_sorted, sort_by

_ANIMATE_BAR = "window-bar-frames"
_ANNOUNCED = ("announced_early", "looped_windows", "program_windows")


def describe_stages(
    timeline: Timeline, stages: pl.DataFrame, facts: pl.DataFrame, found: pl.DataFrame, seen: pl.DataFrame
) -> pl.DataFrame:
    """`stages` with mode, windowed, audio_frames, announced_windows, observed, and the columns of `facts` and `seen`.

    `found` are the observed windows, one row per bar; `seen` is their schedule (`windows.observed_schedule`). If the
    first speaker's length differs from the header's, the lengths belong to another run: `shortest_frames` is null.
    """
    counted = found.pipe(
        group_agg,
        ["stage"],
        pl.len().cast(pl.Int64).alias("observed"),
        pl.col("pattern").str.starts_with(_ANIMATE_BAR).any().alias("animate_bar"),
        pl.col("steps_total").max().alias("drawn_steps"),
    )
    known = stages
    for more in (facts, counted, seen, _find_looped(timeline, stages), find_first_encoded(timeline, stages)):
        known = left_join(known, more, ["stage"])
    known = with_real_sizes(known)
    windowed = ~pl.col("kind").is_in(["plain", native_samplers.PLAIN]) | pl.col("looped").fill_null(value=False)
    known = known.with_columns(windowed.alias("windowed"))
    drawn = native_samplers.is_native() | program_samplers.is_program()
    states_schedule = (
        pl.col("windowed")
        & pl.all_horizontal(pl.col(name).is_null() for name in ("window_early", "seen_stride"))
        & (pl.col("recorded_window") > pl.col("recorded_motion"))
        & (pl.col("seen_window").is_null() | (pl.col("seen_window") == pl.col("recorded_window")))
    )
    audio = pl.coalesce("audio_frames", "feature_frames", "frames_early", "looped_frames", "program_frames")
    return (
        move_audio_to_talking_stages(known.with_columns(audio.alias("length")))
        .with_columns(
            _mode_expr().alias("mode"),
            pl.when("windowed").then(audio).alias("audio_frames"),
            pl.when(pl.col("windowed") & (pl.col("feature_frames") == audio)).then("shortest_frames"),
            pl.coalesce("announced_windows", *_ANNOUNCED).alias("announced_windows"),
            pl.coalesce("audio_s", "looped_s", "program_s", pl.when("windowed").then("recorded_s")).alias("audio_s"),
            pl.coalesce("requested_frames", pl.when("windowed").then("recorded_frames")).alias("requested_frames"),
            pl.coalesce("width", "native_width", "recorded_width").alias("width"),
            pl.coalesce("height", "native_height", "recorded_height").alias("height"),
            pl.coalesce(
                "steps", "native_steps", "program_steps", pl.when(drawn).then("drawn_steps"), "recorded_steps"
            ).alias("steps"),
            pl.coalesce("plain_frames", "native_frames").alias("plain_frames"),
            pl.when(pl.col("window_early").is_null() & (pl.col("kind") == "plain"))
            .then("plain_frames")
            .otherwise(pl.coalesce("window_early", pl.when(states_schedule).then("recorded_window")))
            .alias("window_early"),
            pl.coalesce("motion_early", pl.when(states_schedule).then("recorded_motion")).alias("motion_early"),
        )
        .pipe(sort_by, "stage")
    )


def move_audio_to_talking_stages(stages: pl.DataFrame) -> pl.DataFrame:
    """`stages` with the audio facts above a plain stage moved to the talking stage that follows.

    The audio is embedded once, for the stage with this `length`. A plain stage may come in between.
    """
    keys = ["lane", "prompt"]
    audio_facts = ("requested_frames", "audio_s")
    ordered = stages.sort("lane", "place")
    plain = ~pl.col("windowed")
    given = {name: pl.when(plain).then(name).forward_fill().over(keys) for name in (*audio_facts, "feature_frames")}
    takes = (
        ~plain
        & pl.all_horizontal(pl.col(name).is_null() for name in audio_facts)
        & (given["feature_frames"] == pl.col("length"))
    )
    marked = ordered.with_columns(takes.fill_null(value=False).alias("takes"))
    gives = plain & pl.col("takes").any().over(keys)
    return marked.with_columns(
        pl.when("takes").then(given[name]).when(~gives).then(name).alias(name) for name in audio_facts
    ).drop("takes", "length")


def _find_looped(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, looped: stages with the plain header but with the windowed loop's bars or lines, as until 2025-08-20."""
    lines = ("audio-range", "schedule-announced", "padding-request")
    frames = [timeline.bars["outer-bar"], *map(timeline.records, lines)]
    inside = pl.concat([assign_stage(frame.select("lane", "place", "prompt"), stages) for frame in frames])
    inside = inside.filter(pl.col("stage").is_not_null())
    return inside.pipe(group_agg, ["stage"], pl.lit(value=True).first().alias("looped"))


def _mode_expr() -> pl.Expr:
    """The mode of a stage: from the mode line, or from other lines of loops that print no mode line.

    Only the MultiTalk loop prints the mode line (facts sheet, section 1.4), so a line that names another loop is
    ignored. Windows without overlap mean s2v.
    """
    side_by_side = (
        pl.col("mode_line").is_null() & (pl.col("kind") == "header") & (pl.col("seen_stride") == pl.col("seen_window"))
    )
    return (
        pl.when(~pl.col("windowed"))
        .then(pl.when(pl.col("is_longcat")).then(pl.lit(longcat.MODE)).otherwise(pl.lit("plain")))
        .when(pl.col("kind") == native_samplers.TALKING)
        .then(pl.lit("infinitetalk"))
        .when(program_samplers.is_program())
        .then(pl.coalesce("program_mode", "model_mode"))
        .when(pl.col("mode_line").is_in(OTHER_LOOPS))
        .then(None)
        .when(pl.col("mode_line").is_not_null())
        .then("mode_line")
        .when(pl.col("animate_bar") | pl.col("is_animate"))
        .then(pl.lit("wananimate"))
        .when(pl.col("is_s2v") | side_by_side)
        .then(pl.lit("s2v"))
    )


def sum_window_times(found: pl.DataFrame) -> pl.DataFrame:
    """stage, sampling_s, total_s, decode_s: sums over the observed windows; null unless known for every window.

    The decoding time is unknown if the steps take longer than the window (a damaged log), and for ComfyUI's own
    sampler, which decodes in another node.
    """
    seen = found.filter(pl.col("bar").is_not_null())
    rest = pl.when(pl.col("segment").is_null()).then(pl.col("total_s") - pl.col("sampling_s"))
    decode = pl.when(rest >= -pl.col("total_uncertainty_s").fill_null(0)).then(rest.clip(0))

    times = seen.select("stage", "sampling_s", "total_s", decode.alias("decode_s"))
    names = times.columns[1:]
    summed = (
        set_sorted(times, "stage")
        .group_by("stage", maintain_order=True)
        .agg(pl.col(names), pl.col(names).is_null().sum().name.suffix("_untold"))
    )
    complete = (pl.when(pl.col(f"{name}_untold") == 0).then(pl.col(name).list.sum()).alias(name) for name in names)
    return summed.select("stage", *complete)


def measure_shortfall(stages: pl.DataFrame, found: pl.DataFrame, paddings: pl.DataFrame) -> pl.DataFrame:
    """stage, missing_frames, mirrored: the frames without audio, and whether mirrored audio drives them.

    The source is the padding warnings. If they are lost or not printed yet, it is the last window's range compared with
    each speaker's length: audio that ends before the window is padded (facts sheet, section 1.3). Without a shorter
    speaker's length, the header's length counts, because the usual embedding node makes all speakers equally long.
    A run of one window pads nothing, except in a program that mirrors the end of the audio (`tail`).
    """
    warned = paddings.pipe(group_agg, ["stage"], pl.col("missing").max().alias("warned"), pl.col("need").max())
    ends = found.pipe(
        group_agg,
        ["stage"],
        pl.col("audio_end").max().alias("last_end"),
        pl.col("bar").is_not_null().sum().alias("ran"),
    )
    known = left_join(left_join(stages, warned, ["stage"]), ends, ["stage"])
    single = ((pl.col("ran") == 1) & (pl.col("expected_windows") == 1)).fill_null(value=False)
    mirrors = (pl.col("tail") == "mirrored").fill_null(value=False)
    several = (pl.col("ran") > 1) | (pl.col("expected_windows") > 1) | mirrors
    reached = pl.when(several & (pl.col("last_end") >= pl.col("audio_frames"))).then("last_end")
    need = pl.coalesce("need", reached)
    first = pl.coalesce("warned", need - pl.col("audio_frames"))
    missing = pl.coalesce(
        pl.max_horizontal(first, need - pl.col("shortest_frames")), pl.when(single).then(pl.lit(0, pl.Int64))
    ).clip(0)
    is_known = pl.col("warned").is_not_null() | need.is_not_null() | single
    silent = pl.col("warned").is_not_null() & (pl.col("kind") == "header")
    return known.select(
        "stage",
        pl.when(pl.col("windowed") & (is_known | (missing > 0))).then(missing).alias("missing_frames"),
        pl.when(pl.col("mirrored_line").fill_null(value=False) | mirrors)
        .then(pl.lit(value=True))
        .when(silent)
        .then(pl.lit(value=False))
        .alias("mirrored"),
    )
