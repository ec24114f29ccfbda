"""Checks windows and audio of runs with ComfyUI's own InfiniteTalk nodes.

Users chain these nodes by hand, one per window, so no log announces the window count. The nodes do not print the
audio's length, padding or memory; `--audio` supplies the length.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.checks.findings import Need, Texts, format_number, make_findings
from loganalyzer.expectations import schedule
from loganalyzer.tables.frames import group_agg, inner_join

_CHAINED: Final = "core"
_LOOPED: Final = "autosampler"
NO_LENGTH: Final = "ComfyUI's own nodes do not print the audio's length: pass --audio FILE or --audio SECONDS"
_NO_COUNT: Final = "ComfyUI's own nodes are chained by hand: the log announces no window count"
_ONE_WINDOW: Final = "the run has one window, and ComfyUI's own node prints ranges from the second window on"
_NO_PADDING: Final = "ComfyUI's own nodes print no padding warning: AUD001 checks the last window's range"
_NO_WARNING: Final = "only the wrapper prints padding warnings: AUD001 checks the last window's range"
_OWN_RATE: Final = "ComfyUI's own nodes always read audio at 25 fps, with their own rounding"


def is_chained() -> pl.Expr:
    """Whether a run used ComfyUI's own nodes, one per window."""
    return (pl.col("producer") == _CHAINED).fill_null(value=False)


def is_looped() -> pl.Expr:
    """Whether a run used the auto-sampler, which trims its video to the audio."""
    return (pl.col("producer") == _LOOPED).fill_null(value=False)


def is_native() -> pl.Expr:
    """Whether a run used ComfyUI's own nodes or the auto-sampler."""
    return is_chained() | is_looped()


def announces_count() -> Need:
    """Returns the need that the log announces a window count."""
    return Need(~is_chained(), _NO_COUNT, "not-applicable")


def is_wrapper() -> pl.Expr:
    """Whether a run used the wrapper, as all runs in older documents did."""
    return pl.col("producer").fill_null("wrapper") == "wrapper"


def warns_of_padding() -> Need:
    """Returns the need that the run's program prints padding warnings."""
    reason = pl.when(is_native()).then(pl.lit(_NO_PADDING)).otherwise(pl.lit(_NO_WARNING))
    return Need(is_wrapper(), lambda: reason, "not-applicable")


def reads_at_a_rate() -> Need:
    """Returns the need that the audio's frame rate is a setting."""
    return Need(~is_native(), _OWN_RATE, "not-applicable")


def has_ranges(windows: pl.DataFrame) -> Need:
    """Returns the need that a chained run has a window with a printed range."""
    printed = windows.filter(pl.col("range_source") == "line")["run_id"].unique()
    return Need(~is_chained() | pl.col("run_id").is_in(printed.implode()), _ONE_WINDOW, "not-applicable")


def find_wrong_ranges(wrong: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """Returns findings for native windows off the schedule (`wrong`); repeated ranges make one finding per run."""
    if wrong.is_empty():
        return make_findings(wrong, lambda: Texts(message=pl.lit(""), observed=pl.lit(""), expected=pl.lit("")))
    same_run = pl.col("run_id") == pl.col("run_id").shift(1)
    again = pl.all_horizontal(same_run, *(pl.col(key) == pl.col(key).shift(1) for key in ("audio_start", "audio_end")))
    ordered = windows.sort("run_id", "window").with_columns(again.fill_null(value=False).alias("again"))
    marked = inner_join(wrong, ordered[["run_id", "window", "again"]], ["run_id", "window"])
    repeated = group_agg(
        marked.filter(pl.col("again")),
        ["run_id", "source"],
        pl.col("line", "window", "audio_start", "audio_end", "expected_start", "expected_end").first(),
        pl.col("window").max().alias("last"),
        pl.len().alias("count"),
    )
    others = marked.filter(~pl.col("again"))
    return pl.concat([_repeated_ranges(repeated), _off_schedule(others)])


def _repeated_ranges(runs: pl.DataFrame) -> pl.DataFrame:
    which = (
        pl.when(pl.col("count") == 1)
        .then(pl.format("Window {} reads", "window"))
        .otherwise(pl.format("Windows {}–{} read", "window", "last"))
    )
    return make_findings(
        runs,
        lambda: Texts(
            message=pl.format(
                "{} audio {}-{} again, like the window before: the mouth repeats itself. Only the last segment was "
                "passed on, not all frames so far. Expected {}-{} for window {}.",
                which, "audio_start", "audio_end", "expected_start", "expected_end", "window",
            ),
            observed=pl.format("{}-{}, repeated {}×", "audio_start", "audio_end", "count"),
            expected=pl.format("{}-{}", "expected_start", "expected_end"),
            fix=pl.lit(
                "Connect previous_frames of each WanInfiniteTalkToVideo node to all frames rendered so far: join the "
                "earlier segments (ImageBatch, or the previous window's joined video), and render again."
            ),
        ),
    )  # fmt: skip


def _off_schedule(windows: pl.DataFrame) -> pl.DataFrame:
    expected = pl.coalesce(pl.format("{}-{}", "expected_start", "expected_end"), pl.lit("no further window"))
    return make_findings(
        windows,
        lambda: Texts(
            message=pl.format(
                "Window {} reads audio {}-{}. Expected after the earlier windows: {}.",
                "window", "audio_start", "audio_end", expected,
            ),
            observed=pl.format("{}-{}", "audio_start", "audio_end"),
            expected=expected,
            fix=pl.lit(
                "Give every WanInfiniteTalkToVideo node the same length and motion_frame_count, and pass all frames "
                "rendered so far to previous_frames."
            ),
        ),
    )  # fmt: skip


def find_too_few_windows(runs: pl.DataFrame) -> pl.DataFrame:
    """Returns findings for chained runs whose audio (from `--audio`) fills at least one more window.

    Audio that does not fill a complete window stays unused on purpose: a video never exceeds its audio.
    """
    audio, window, step = pl.col("audio_frames"), pl.col("window_frames"), pl.col("stride")
    filled = pl.when((audio >= window) & (step > 0)).then((audio - window) // step + 1)
    seen = (pl.col("output_frames") - window) // step + 1
    short = runs.with_columns(filled.alias("filled"), seen.alias("seen")).filter(pl.col("filled") > pl.col("seen"))
    return make_findings(
        short,
        lambda: Texts(
            message=pl.format(
                "The video has {} frames, the audio {}: the audio fills {} windows, but only {} are chained.",
                "output_frames", "audio_frames", "filled", "seen",
            ),
            observed=pl.col("seen"),
            expected=pl.col("filled"),
            fix=pl.format(
                "Chain {} more WanInfiniteTalkToVideo node(s), each with sampler and decode, for {} frames ({} s).",
                pl.col("filled") - pl.col("seen"),
                schedule.window_end(pl.col("filled"), window, step),
                format_number(schedule.window_end(pl.col("filled"), window, step) / 25),
            ),
        ),
    )  # fmt: skip
