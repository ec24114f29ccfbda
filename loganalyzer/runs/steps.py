"""Computes step durations from progress bars.

tqdm shows a smoothed rate (a = 0.3). With refresh k showing n_k items at s_k seconds each, N_k = a·(n_k − n_{k−1}) +
b·N_{k−1} and T_k = N_k·s_k, the time between two refreshes is (T_k − b·T_{k−1}) / a. Rounding is the only error, and
it does not accumulate (facts sheet, section 7). The closing refresh shows the plain average, including VAE decoding,
and is not a step.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs import unsmoothed
from loganalyzer.runs.refreshes import MOST_STEPS
from loganalyzer.tables.frames import left_join, max_by, set_sorted, sort_by

SMOOTHING: Final = 0.3
_KEEP: Final = 1 - SMOOTHING
_FAST: Final = 0.11
"""tqdm itself skips refreshes only for steps faster than about 0.1 s. A gap between slower steps is a lost refresh."""
FLOAT_SLACK: Final = 1e-6


_STEP_INPUT: Final = (
    "stage", "bar", "place", "line", "time", "n", "rate", "rate_error", "elapsed_s", "progress", "doubtful",
    "unsmoothed",
)  # fmt: skip
"""The columns that steps are computed from."""
_TIMED: Final = ("stage", "bar", "line", "n", "gained", "duration_s", "uncertainty_s", "spent_s", "doubtful")
"""The columns of the time between two refreshes."""
_STEP: Final = ("stage", "bar", "step", "duration_s", "uncertainty_s", "method", "line", "doubtful")
"""The columns of `measure_steps`."""
_AVERAGED: Final = ("stage", "bar", "line", "n", "total", "rate", "rate_error", "closing")
"""The columns that averages are computed from."""


def _previous(name: str) -> pl.Expr:
    """The value in the bar's previous refresh, null for its first. Rows are ordered by bar and place."""
    return pl.when(pl.col("bar") == pl.col("bar").shift(1)).then(pl.col(name).shift(1))


def mark_closing(refreshes: pl.DataFrame) -> pl.DataFrame:
    """`refreshes` (with `is_lane_end` and `is_redrawn`) with `progress`, `closing` and `doubtful`.

    `progress`: the refresh shows new steps. `closing`: the bar drew it on closing. `doubtful`: it shows new steps, but
    may also be the closing refresh. A window normally ends with two refreshes at n = total: the last step, then the
    close. If there is only one, its figures decide; see `_classify_single`. Refreshes out of order never count a step
    twice: only steps beyond all previous refreshes are new.
    """
    before = _highest_before()
    at_end = pl.col("n") == pl.col("total")
    marked = sort_by(refreshes, "bar", "place").with_columns(
        before.alias("n_before"),
        ((before.is_null() | (pl.col("n") > before)) & ~pl.col("is_redrawn")).alias("progress"),
        (at_end & ~_has_another(at_end) & (pl.col("n") > 0)).fill_null(value=False).alias("alone"),
        pl.col("bar").ne_missing(pl.col("bar").shift(-1)).alias("is_last"),
    )
    marked = marked.with_columns((~pl.col("progress") & at_end & pl.col("is_last")).alias("closing"))
    return _resolve_single(marked)


def _highest_before() -> pl.Expr:
    """The largest `n` of the bar's previous refreshes; null for its first.

    Bar numbers count up, so one running maximum over `bar` and `n` together needs no grouping.
    """
    offset = pl.col("bar") * (MOST_STEPS + 1)
    most = (offset + pl.col("n")).cum_max()
    return pl.when(pl.col("bar") == pl.col("bar").shift(1)).then(most.shift(1) - offset)


def _has_another(condition: pl.Expr) -> pl.Expr:
    """Whether another refresh of the same bar meets a condition.

    The refreshes of a bar are adjacent, so looking at the nearest such refresh needs no grouping.
    """
    bar = pl.when(condition).then("bar")
    before, behind = bar.forward_fill().shift(1), bar.backward_fill().shift(-1)
    return before.eq_missing(pl.col("bar")) | behind.eq_missing(pl.col("bar"))


def _resolve_single(marked: pl.DataFrame) -> pl.DataFrame:
    """`marked` with single refreshes at n = total classified as the last step, as closing, or as doubtful.

    The refresh can be the closing one only if its rate times n is the elapsed time, and the last step only if it agrees
    with the previous rates. If both are possible, it is the last step if the log ends there. It is the closing one if
    tqdm itself skipped fast updates, or if the log keeps only the last refresh of every bar of the stage. Else it is
    doubtful.
    """
    marked = marked.with_columns(pl.lit(value=False).alias("doubtful"))
    if not marked["alone"].any():
        return marked.drop("alone")
    bars = marked.filter("alone").select("bar").unique()
    settled = _classify_single(marked.join(bars, on="bar", how="semi", maintain_order="left"), _last_only(marked))
    rest = marked.join(bars, on="bar", how="anti", maintain_order="left")
    return pl.concat([rest, settled.select(rest.columns)]).drop("alone").pipe(sort_by, "bar", "place")


def _last_only(marked: pl.DataFrame) -> pl.DataFrame:
    """stage, last_only: whether each bar of the stage has a single refresh. Bars without a step come from a failure."""
    sizes = marked.group_by("stage", "bar").agg(pl.len(), pl.col("n").max())
    return sizes.group_by("stage").agg(((pl.col("len") == 1) | (pl.col("n") == 0)).all().alias("last_only"))


def _classify_single(marked: pl.DataFrame, last_only: pl.DataFrame) -> pl.DataFrame:
    span = pl.col("rate") * pl.col("n")
    slack = 0.5 + pl.col("rate_error") * pl.col("n") + FLOAT_SLACK
    can_close = ((span - pl.col("elapsed_s") - 0.5).abs() <= slack).fill_null(value=True)
    timed = _with_durations(marked.filter("progress")).select("bar", "place", "known", "agrees", "skipping")
    can_step = ~pl.col("known") | pl.col("agrees")
    single = pl.col("n_before").is_null()
    may_close = pl.col("alone") & can_close & ~pl.col("is_lane_end")
    closing = may_close & (~can_step | (single & pl.col("last_only")) | pl.col("skipping"))
    return (
        marked.join(timed, on=["bar", "place"], how="left")
        .join(last_only, on="stage", how="left")
        .with_columns(pl.col("known", "agrees", "skipping").fill_null(value=False))
        .with_columns(closing.alias("closes"), (may_close & can_step & ~closing).alias("doubtful"))
        .with_columns(
            (pl.col("closing") | pl.col("closes")).alias("closing"),
            (pl.col("progress") & ~pl.col("closes")).alias("progress"),
        )
    )


def _with_durations(progress: pl.DataFrame) -> pl.DataFrame:
    """Refreshes with progress, in order, with `duration_s` and `uncertainty_s` of the steps since the previous one.

    If n jumps, either tqdm skipped updates (the weight counts refreshes) or the capture lost them (the weight counts
    steps). Fast bars assume the first. For other bars, single steps after a jump take the mean of both results, and the
    bound covers both. The duration is null if the rates do not determine it: across the jump itself, or if the rate is
    cut off. `known` marks determined durations, `skipping` marks fast bars.
    """
    rows = sort_by(progress, "bar", "place")
    rows = rows.with_columns(
        (pl.col("n") - _previous("n")).fill_null(pl.col("n")).alias("gained"),
        _is_skipping(progress).alias("skipping"),
        _smoothing_weight(rows["n"]).alias("by_step"),
    )
    lost, lost_bound = _invert_smoothing("by_step")
    known = (pl.col("gained") == 1) | pl.col("skipping")
    if not (rows["gained"] > 1).any():
        durations = (
            pl.when(known).then(lost).alias("duration_s"),
            pl.when(known).then(lost_bound).alias("uncertainty_s"),
        )
        return unsmoothed.with_durations(_drop_contradicted(rows.with_columns(known.alias("known"), *durations)))
    rows = _weighted_by_refresh(rows)
    left_out, left_out_bound = _invert_smoothing("by_refresh")
    either = (lost + left_out) / 2
    either_bound = pl.max_horizontal(lost_bound, left_out_bound) + (lost - left_out).abs() / 2
    rows = rows.with_columns(
        known.alias("known"),
        pl.when(known & pl.col("skipping")).then(left_out).when(known).then(either).alias("duration_s"),
        pl.when(known & pl.col("skipping")).then(left_out_bound).when(known).then(either_bound).alias("uncertainty_s"),
    )
    return unsmoothed.with_durations(_drop_contradicted(rows))


def _smoothing_weight(steps: pl.Series) -> pl.Series:
    """The weight of this many steps in the smoothed rate."""
    most = steps.max()
    known = pl.select(1 - pl.lit(_KEEP).pow(pl.int_range(0, most + 1 if isinstance(most, int) else 0))).to_series()
    return known.gather(steps)


def _is_skipping(progress: pl.DataFrame) -> pl.Expr:
    """Whether a bar is so fast that tqdm itself skips refreshes."""
    if not (progress["rate"] < _FAST).any():
        return pl.lit(value=False)
    return (pl.col("rate").min().over("bar") < _FAST).fill_null(value=False)


def _weighted_by_refresh(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with `by_refresh`: tqdm's weight if no refresh was lost. Without jumps it equals `by_step`."""
    rows = rows.with_columns((pl.col("gained") > 1).any().over("bar").alias("jumps"))
    first = pl.col("bar").ne_missing(pl.col("bar").shift(1))
    share = pl.when(first).then(SMOOTHING * pl.col("gained")).otherwise(pl.col("gained").cast(pl.Float64))
    weight = share.ewm_mean(alpha=SMOOTHING, adjust=False).over("bar")
    return rows.with_columns(pl.when("jumps").then(weight).otherwise("by_step").alias("by_refresh"))


def _invert_smoothing(weight: str) -> tuple[pl.Expr, pl.Expr]:
    """The time between two refreshes and its error bound, with the smoothing weight from column `weight`."""
    zero = pl.col("n") - pl.col("gained") == 0
    before = pl.when(zero).then(0.0).otherwise(_previous(weight) * _previous("rate"))
    before_error = pl.when(zero).then(0.0).otherwise(_previous(weight) * _previous("rate_error"))
    duration = (pl.col(weight) * pl.col("rate") - _KEEP * before) / SMOOTHING
    bound = (pl.col(weight) * pl.col("rate_error") + _KEEP * before_error) / SMOOTHING + FLOAT_SLACK
    return duration, bound


def _drop_contradicted(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` without durations that contradict the bar's whole-second clock: a refresh was lost unnoticed."""
    spent = pl.col("elapsed_s") - _previous("elapsed_s").fill_null(0)
    agrees = ((pl.col("duration_s") - spent).abs() <= 1 + pl.col("uncertainty_s")).fill_null(value=True)
    possible = pl.col("duration_s") >= -pl.col("uncertainty_s")
    rows = rows.with_columns(spent.alias("spent_s"), (agrees & possible).alias("agrees"))
    return rows.with_columns(
        pl.when("agrees").then(pl.col("duration_s").clip(0)).alias("duration_s"),
        pl.when("agrees").then("uncertainty_s").alias("uncertainty_s"),
    )


def measure_steps(marked: pl.DataFrame) -> pl.DataFrame:
    """One row per completed step: stage, bar, step, duration_s, uncertainty_s, method, line, doubtful.

    `marked` is as from `mark_closing`. Several steps between two refreshes share their time equally.
    """
    rows = _with_durations(marked[list(_STEP_INPUT)].filter("progress"))
    single = _one_row_per_step(_widen_doubtful(_fill_from_clock(rows))).select(_STEP)
    averages = _steps_from_averages(marked, single)
    if averages.is_empty():
        return single
    return pl.concat([single, averages], how="vertical_relaxed").pipe(sort_by, "bar", "step")


def _one_row_per_step(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with one row per step and its number as `step`. Steps between the same refreshes get equal durations."""
    if (rows["gained"] == 1).all():
        return rows.with_columns(pl.col("n").alias("step"))
    several = pl.col("gained") > 1
    upper = pl.col("duration_s") + pl.col("uncertainty_s")
    share = pl.col("duration_s") / pl.col("gained")
    return (
        rows.with_columns(pl.int_ranges(pl.col("n") - pl.col("gained") + 1, pl.col("n") + 1).alias("step"))
        .explode("step")
        .with_columns(
            pl.when(several).then(share).otherwise("duration_s").alias("duration_s"),
            pl.when(several)
            .then(pl.max_horizontal(share, upper - share))
            .otherwise("uncertainty_s")
            .alias("uncertainty_s"),
        )
    )


def _fill_from_clock(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with new steps, with `method`.

    If the rates do not determine a duration, it comes from timestamps if both refreshes have their own, else from the
    bar's clock in whole seconds.
    """
    gained = pl.col("gained") > 0
    if not rows.select((gained & pl.col("duration_s").is_null()).any()).item():
        return rows.select(_TIMED).filter(gained).with_columns(pl.lit("rate").alias("method"))
    first = pl.col("n") == pl.col("gained")
    stamped = (pl.col("time") - _previous("time")).dt.total_microseconds() / 1e6
    own_stamp = pl.col("line") != _previous("line")
    stamp_fits = own_stamp & (stamped >= 0) & ((stamped - pl.col("spent_s")).abs() <= 1.1)
    clock = pl.when(pl.col("spent_s") >= 0).then(pl.col("spent_s") + pl.when(first).then(0.5).otherwise(0.0))
    clock_error = pl.when(first).then(0.5).otherwise(1.0)
    by_rate = pl.col("duration_s").is_not_null()
    by_stamp = ~by_rate & stamp_fits.fill_null(value=False)
    by_clock = ~by_rate & ~by_stamp & clock.is_not_null()
    timed = rows.with_columns(
        pl.when(by_rate).then(pl.col("duration_s")).when(by_stamp).then(stamped).otherwise(clock).alias("duration_s"),
        pl.when(by_rate)
        .then(pl.col("uncertainty_s"))
        .when(by_stamp)
        .then(1.0)
        .when(by_clock)
        .then(clock_error)
        .alias("uncertainty_s"),
        pl.when(by_rate)
        .then(pl.lit("rate"))
        .when(by_stamp)
        .then(pl.lit("timestamps"))
        .when(by_clock)
        .then(pl.lit("elapsed"))
        .alias("method"),
    )
    return timed.select(*_TIMED, "method").filter(gained)


def _widen_doubtful(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with wider bounds for doubtful refreshes: a closing refresh's time also includes the decoding."""
    if not rows["doubtful"].any():
        return rows
    doubted = pl.col("doubtful") & pl.col("duration_s").is_not_null()
    longest = pl.max_horizontal(pl.col("spent_s") + 1, "duration_s")
    wide = pl.max_horizontal(pl.col("duration_s"), longest - pl.col("duration_s"))
    return rows.with_columns(
        pl.when(doubted).then(wide).otherwise("uncertainty_s").alias("uncertainty_s"),
        pl.when(doubted).then(pl.lit("elapsed")).otherwise("method").alias("method"),
    )


def _steps_from_averages(marked: pl.DataFrame, single: pl.DataFrame) -> pl.DataFrame:
    """Steps known only from the closing average. It includes the decoding, so the bound is wide."""
    observed = set_sorted(max_by(single, "bar", "step").rename({"step": "seen"}), "bar")
    closed = marked.select(_AVERAGED).filter(pl.col("closing") & (pl.col("n") == pl.col("total")))
    rows = (
        left_join(set_sorted(closed, "bar"), observed, ["bar"])
        .with_columns(pl.col("seen").fill_null(0))
        .filter(pl.col("seen") < pl.col("n"))
        .with_columns(pl.int_ranges(pl.col("seen") + 1, pl.col("n") + 1).alias("step"))
        .explode("step")
    )
    is_complete = pl.col("seen") == 0
    total = pl.col("rate") * pl.col("n")
    return rows.select(
        "stage",
        "bar",
        "step",
        pl.when(is_complete).then(pl.col("rate")).alias("duration_s"),
        pl.when(is_complete)
        .then(pl.max_horizontal(pl.col("rate"), total - pl.col("rate")) + pl.col("rate_error") * pl.col("n"))
        .alias("uncertainty_s"),
        pl.when(is_complete & pl.col("rate").is_not_null()).then(pl.lit("average")).alias("method"),
        "line",
        pl.lit(value=True).alias("doubtful"),
    )
