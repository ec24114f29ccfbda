"""What the rules on windows and audio say of runs of ComfyUI's own InfiniteTalk nodes.

Their nodes are chained by hand, one for each window, so that no log announces how many there should be; nothing is
printed of the audio's length, of padding, or of memory. What a user gives with `--audio` stands in for the length.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.checks.findings import Need, findings, number, texts
from loganalyzer.expectations import schedule
from loganalyzer.tables.frames import group_agg, inner_join

_CHAINED: Final = "core"
_LOOPED: Final = "autosampler"
NO_LENGTH: Final = "ComfyUI's own nodes do not print the audio's length: give it with --audio FILE or --audio SECONDS"
_NO_COUNT: Final = "ComfyUI's own nodes are chained by hand: the log announces no count of windows"
_ONE_WINDOW: Final = "the run has one window, and ComfyUI's own node prints the range of none but later ones"
_NO_PADDING: Final = "ComfyUI's own nodes print no padding warning: AUD001 judges them by the last window's range"
_NO_WARNING: Final = "only the wrapper prints padding warnings: AUD001 judges other programs by the last window's range"
_OWN_RATE: Final = "ComfyUI's own nodes read the audio at a fixed 25 frames per second, rounded in a way of their own"


def is_chained() -> pl.Expr:
    """Whether a run is of ComfyUI's own nodes, one for each window."""
    return (pl.col("producer") == _CHAINED).fill_null(value=False)


def is_looped() -> pl.Expr:
    """Whether a run is of the auto-sampler, which cuts its video back to the audio."""
    return (pl.col("producer") == _LOOPED).fill_null(value=False)


def is_native() -> pl.Expr:
    """Whether a run is of either."""
    return is_chained() | is_looped()


def announces_count() -> Need:
    """The log says how many windows there should be."""
    return Need(~is_chained(), _NO_COUNT, "not-applicable")


def is_wrapper() -> pl.Expr:
    """Whether a run is of the wrapper, as all runs of older documents are."""
    return pl.col("producer").fill_null("wrapper") == "wrapper"


def warns_of_padding() -> Need:
    """Padding is announced."""
    reason = pl.when(is_native()).then(pl.lit(_NO_PADDING)).otherwise(pl.lit(_NO_WARNING))
    return Need(is_wrapper(), lambda: reason, "not-applicable")


def reads_at_a_rate() -> Need:
    """The rate of the audio is a setting."""
    return Need(~is_native(), _OWN_RATE, "not-applicable")


def has_ranges(windows: pl.DataFrame) -> Need:
    """A chained run has a window whose range was printed."""
    printed = windows.filter(pl.col("range_source") == "line")["run_id"].unique()
    return Need(~is_chained() | pl.col("run_id").is_in(printed.implode()), _ONE_WINDOW, "not-applicable")


def wrong_ranges(wrong: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """Findings of native windows off the schedule (`wrong`); those that repeat a range make one finding per run."""
    if wrong.is_empty():
        return findings(
            wrong, lambda: texts(message=pl.lit(""), observed=pl.lit(""), expected=pl.lit(""), fix=pl.lit(""))
        )
    same_run = pl.col("run_id") == pl.col("run_id").shift(1)
    again = pl.all_horizontal(same_run, *(pl.col(key) == pl.col(key).shift(1) for key in ("audio_start", "audio_end")))
    ordered = windows.sort("run_id", "window").with_columns(again.fill_null(value=False).alias("again"))
    told = inner_join(wrong, ordered[["run_id", "window", "again"]], ["run_id", "window"])
    repeated = group_agg(
        told.filter(pl.col("again")),
        ["run_id", "source"],
        pl.col("line", "window", "audio_start", "audio_end", "expected_start", "expected_end").first(),
        pl.col("window").max().alias("last"),
        pl.len().alias("count"),
    )
    others = told.filter(~pl.col("again"))
    return pl.concat([_repeated(repeated), _others(others)])


def _repeated(runs: pl.DataFrame) -> pl.DataFrame:
    which = (
        pl.when(pl.col("count") == 1)
        .then(pl.format("Window {} reads", "window"))
        .otherwise(pl.format("Windows {} to {} read", "window", "last"))
    )
    return findings(
        runs,
        lambda: texts(
            message=pl.format(
                "{} audio {}-{} again, as the window before: the mouth repeats itself. Only the last segment was "
                "handed on, not the whole video so far; the schedule says {}-{} for window {}.",
                which, "audio_start", "audio_end", "expected_start", "expected_end", "window",
            ),
            observed=pl.format("{}-{}, {} times more", "audio_start", "audio_end", "count"),
            expected=pl.format("{}-{}", "expected_start", "expected_end"),
            fix=pl.lit(
                "Connect previous_frames of each WanInfiniteTalkToVideo node to all frames rendered so far: join the "
                "segments before (ImageBatch, or the joined video of the window before), and render again."
            ),
        ),
    )  # fmt: skip


def _others(windows: pl.DataFrame) -> pl.DataFrame:
    expected = pl.coalesce(pl.format("{}-{}", "expected_start", "expected_end"), pl.lit("no further window"))
    return findings(
        windows,
        lambda: texts(
            message=pl.format(
                "Window {} reads audio {}-{}, the schedule of the windows before says {}.",
                "window", "audio_start", "audio_end", expected,
            ),
            observed=pl.format("{}-{}", "audio_start", "audio_end"),
            expected=expected,
            fix=pl.lit(
                "Give every WanInfiniteTalkToVideo node the same length and motion_frame_count, and hand all frames "
                "rendered so far on to previous_frames."
            ),
        ),
    )  # fmt: skip


def too_few(runs: pl.DataFrame) -> pl.DataFrame:
    """Findings of chained runs whose audio, as it was given, fills at least one window more.

    What a whole window does not fit into stays unused on purpose: a video never exceeds its audio.
    """
    audio, window, step = pl.col("audio_frames"), pl.col("window_frames"), pl.col("stride")
    filled = pl.when((audio >= window) & (step > 0)).then((audio - window) // step + 1)
    seen = (pl.col("output_frames") - window) // step + 1
    short = runs.with_columns(filled.alias("filled"), seen.alias("seen")).filter(pl.col("filled") > pl.col("seen"))
    return findings(
        short,
        lambda: texts(
            message=pl.format(
                "The video ends after {} frames, the audio after {}: it fills {} windows, and {} were chained.",
                "output_frames", "audio_frames", "filled", "seen",
            ),
            observed=pl.col("seen"),
            expected=pl.col("filled"),
            fix=pl.format(
                "Chain {} more WanInfiniteTalkToVideo node(s), sampler and decode included, for {} frames ({} s).",
                pl.col("filled") - pl.col("seen"),
                schedule.window_end(pl.col("filled"), window, step),
                number(schedule.window_end(pl.col("filled"), window, step) / 25),
            ),
        ),
    )  # fmt: skip
