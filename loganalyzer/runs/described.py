"""Stages with all that the lines around them tell, and how their parts add up."""

from __future__ import annotations

import polars as pl

from loganalyzer.runs import longcat, native_samplers, program_samplers
from loganalyzer.runs.planned import OTHER_LOOPS
from loganalyzer.runs.stages import assign
from loganalyzer.runs.timeline import Timeline
from loganalyzer.runs.vae_sizes import first_encoded, with_real_sizes
from loganalyzer.tables.frames import group_agg, left_join, set_sorted, sort_by

_ANIMATE_BAR = "window-bar-frames"
_ANNOUNCED = ("announced_early", "looped_windows", "program_windows")


def described(
    timeline: Timeline, stages: pl.DataFrame, facts: pl.DataFrame, found: pl.DataFrame, seen: pl.DataFrame
) -> pl.DataFrame:
    """`stages` with mode, windowed, audio_frames, announced_windows, observed, and the columns of `facts` and `seen`.

    `found` are the windows seen, one row per bar; `seen` their schedule (`windows.observed_schedule`). Lengths of
    speakers of whom the first is not as long as the header says are another run's: `shortest_frames` is null there.
    """
    counted = found.pipe(
        group_agg,
        ["stage"],
        pl.len().cast(pl.Int64).alias("observed"),
        pl.col("pattern").str.starts_with(_ANIMATE_BAR).any().alias("animate_bar"),
        pl.col("steps_total").max().alias("drawn_steps"),
    )
    known = stages
    for more in (facts, counted, seen, _looped(timeline, stages), first_encoded(timeline, stages)):
        known = left_join(known, more, ["stage"])
    known = with_real_sizes(known)
    windowed = ~pl.col("kind").is_in(["plain", native_samplers.PLAIN]) | pl.col("looped").fill_null(value=False)
    known = known.with_columns(windowed.alias("windowed"))
    drawn = native_samplers.is_native() | program_samplers.is_program()
    audio = pl.coalesce("audio_frames", "feature_frames", "frames_early", "looped_frames", "program_frames")
    return (
        with_audio_of_plain_stages(known.with_columns(audio.alias("length")))
        .with_columns(
            _mode().alias("mode"),
            pl.when("windowed").then(audio).alias("audio_frames"),
            pl.when(pl.col("windowed") & (pl.col("feature_frames") == audio)).then("shortest_frames"),
            pl.coalesce("announced_windows", *_ANNOUNCED).alias("announced_windows"),
            pl.coalesce("audio_s", "looped_s", "program_s").alias("audio_s"),
            pl.coalesce("width", "native_width").alias("width"),
            pl.coalesce("height", "native_height").alias("height"),
            pl.coalesce("steps", "native_steps", "program_steps", pl.when(drawn).then("drawn_steps")).alias("steps"),
            pl.coalesce("plain_frames", "native_frames").alias("plain_frames"),
            pl.when(pl.col("window_early").is_null() & (pl.col("kind") == "plain"))
            .then("plain_frames")
            .otherwise("window_early")
            .alias("window_early"),
        )
        .pipe(sort_by, "stage")
    )


def with_audio_of_plain_stages(stages: pl.DataFrame) -> pl.DataFrame:
    """`stages` in which what is said of the audio ahead of a plain stage belongs to the talking one behind it.

    The audio is embedded once, for the stage whose `length` it gives; a plain stage that comes first stands between.
    """
    keys = ["lane", "prompt"]
    told = ("requested_frames", "audio_s")
    ordered = stages.sort("lane", "place")
    plain = ~pl.col("windowed")
    given = {name: pl.when(plain).then(name).forward_fill().over(keys) for name in (*told, "feature_frames")}
    takes = (
        ~plain
        & pl.all_horizontal(pl.col(name).is_null() for name in told)
        & (given["feature_frames"] == pl.col("length"))
    )
    marked = ordered.with_columns(takes.fill_null(value=False).alias("takes"))
    gives = plain & pl.col("takes").any().over(keys)
    return marked.with_columns(
        pl.when("takes").then(given[name]).when(~gives).then(name).alias(name) for name in told
    ).drop("takes", "length")


def _looped(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """Stages with the plain header in which the windowed loop's own bars or lines stand, as until 2025-08-20."""
    lines = ("audio-range", "schedule-announced", "padding-request")
    frames = [timeline.bars["outer-bar"], *map(timeline.event, lines)]
    inside = pl.concat([assign(frame.select("lane", "place", "prompt"), stages) for frame in frames])
    inside = inside.filter(pl.col("stage").is_not_null())
    return inside.pipe(group_agg, ["stage"], pl.lit(value=True).first().alias("looped"))


def _mode() -> pl.Expr:
    """The mode line names it; the loops without one are told by what they print, or by windows side by side.

    Only the MultiTalk loop prints that line (facts sheet, section 1.4): one that names another loop tells nothing.
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


def sums(found: pl.DataFrame) -> pl.DataFrame:
    """stage, sampling_s, total_s, decode_s over the windows seen; null unless every one of them tells.

    A window whose steps take longer than itself, as in a damaged log, tells no decoding time; nor does one of ComfyUI's
    own sampler, which decodes in another node.
    """
    seen = found.filter(pl.col("bar").is_not_null())
    rest = pl.when(pl.col("segment").is_null()).then(pl.col("total_s") - pl.col("sampling_s"))
    decode = pl.when(rest >= -pl.col("total_uncertainty_s").fill_null(0)).then(rest.clip(0))

    times = seen.select("stage", "sampling_s", "total_s", decode.alias("decode_s"))
    names = times.columns[1:]
    told = (
        set_sorted(times, "stage")
        .group_by("stage", maintain_order=True)
        .agg(pl.col(names), pl.col(names).is_null().sum().name.suffix("_untold"))
    )
    whole = (pl.when(pl.col(f"{name}_untold") == 0).then(pl.col(name).list.sum()).alias(name) for name in names)
    return told.select("stage", *whole)


def shortfall(stages: pl.DataFrame, found: pl.DataFrame, paddings: pl.DataFrame) -> pl.DataFrame:
    """stage, missing_frames, mirrored: how much of the video no audio drives, and what drives it instead.

    The padding warnings tell; where they are lost, or were not printed yet, the last window's range against the length
    of every speaker's audio does: each that ends before the window does is padded (facts sheet, section 1.3). Where a
    shorter speaker is not named, the header's length counts: the usual embedding node makes all speakers equally long.
    A run of one window pads nothing, but in a program that mirrors the end of any audio (`tail`).
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
    whole = pl.col("warned").is_not_null() | need.is_not_null() | single
    silent = pl.col("warned").is_not_null() & (pl.col("kind") == "header")
    return known.select(
        "stage",
        pl.when(pl.col("windowed") & (whole | (missing > 0))).then(missing).alias("missing_frames"),
        pl.when(pl.col("mirrored_line").fill_null(value=False) | mirrors)
        .then(pl.lit(value=True))
        .when(silent)
        .then(pl.lit(value=False))
        .alias("mirrored"),
    )
