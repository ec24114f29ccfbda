"""Step durations out of progress bars.

tqdm shows a smoothed rate (a = 0.3). With refresh k showing n_k items at s_k seconds each, N_k = a·(n_k − n_{k−1}) +
b·N_{k−1} and T_k = N_k·s_k, the time between two refreshes is (T_k − b·T_{k−1}) / a: rounding is the only error, and
it does not add up (facts sheet, section 7). The refresh at close shows the plain average, VAE decoding included, and
is no step.
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
"""tqdm itself leaves refreshes out only near steps faster than 0.1 s; a gap between slower ones is a lost refresh."""
FLOAT_SLACK: Final = 1e-6


_TELLING: Final = (
    "stage", "bar", "place", "line", "time", "n", "rate", "rate_error", "elapsed_s", "progress", "doubtful",
    "unsmoothed",
)  # fmt: skip
"""What steps are read from."""
_TIMED: Final = ("stage", "bar", "line", "n", "gained", "duration_s", "uncertainty_s", "spent_s", "doubtful")
"""What the time between two refreshes says."""
_STEP: Final = ("stage", "bar", "step", "duration_s", "uncertainty_s", "method", "line", "doubtful")
"""What each row of `steps` says."""
_AVERAGED: Final = ("stage", "bar", "line", "n", "total", "rate", "rate_error", "closing")
"""What averages are read from."""


def _before(name: str) -> pl.Expr:
    """The value in the refresh before, null for a bar's first; rows are in the order of bar and place."""
    return pl.when(pl.col("bar") == pl.col("bar").shift(1)).then(pl.col(name).shift(1))


def mark_closing(refreshes: pl.DataFrame) -> pl.DataFrame:
    """`refreshes` (with `is_lane_end` and `is_redrawn`) with `progress`, `closing` and `doubtful`.

    `progress`: the refresh shows new steps; `closing`: it was drawn once more at close; `doubtful`: it shows new
    steps, but may be the closing one as well. A window normally ends with two refreshes at n = total: the last
    step, then the close. Of a single one the figures must tell which it is; see `_lonely`. Refreshes out of order
    tell no step twice: new is what goes beyond all before.
    """
    before = _most_before()
    at_end = pl.col("n") == pl.col("total")
    marked = sort_by(refreshes, "bar", "place").with_columns(
        before.alias("n_before"),
        ((before.is_null() | (pl.col("n") > before)) & ~pl.col("is_redrawn")).alias("progress"),
        (at_end & ~_has_another(at_end) & (pl.col("n") > 0)).fill_null(value=False).alias("alone"),
        pl.col("bar").ne_missing(pl.col("bar").shift(-1)).alias("is_last"),
    )
    marked = marked.with_columns((~pl.col("progress") & at_end & pl.col("is_last")).alias("closing"))
    return _lonely(marked)


def _most_before() -> pl.Expr:
    """The largest `n` of the bar's refreshes before; null for its first.

    As bars count up, one running maximum over `bar` and `n` together is that of each bar, and needs no grouping.
    """
    offset = pl.col("bar") * (MOST_STEPS + 1)
    most = (offset + pl.col("n")).cum_max()
    return pl.when(pl.col("bar") == pl.col("bar").shift(1)).then(most.shift(1) - offset)


def _has_another(condition: pl.Expr) -> pl.Expr:
    """Whether another refresh of the same bar meets a condition.

    As bars stand together, the nearest one that does tells, and needs no grouping.
    """
    bar = pl.when(condition).then("bar")
    before, behind = bar.forward_fill().shift(1), bar.backward_fill().shift(-1)
    return before.eq_missing(pl.col("bar")) | behind.eq_missing(pl.col("bar"))


def _lonely(marked: pl.DataFrame) -> pl.DataFrame:
    """Settle single refreshes at n = total.

    It can be the closing one only where its rate times n is the elapsed time, and the last step only where the
    rates before it agree. Where both hold: it is the last step if the log ends there; the closing one where tqdm
    itself left fast updates out, or where every bar of the stage kept its last refresh only; else it stays open.
    """
    marked = marked.with_columns(pl.lit(value=False).alias("doubtful"))
    if not marked["alone"].any():
        return marked.drop("alone")
    bars = marked.filter("alone").select("bar").unique()
    settled = _settled(marked.join(bars, on="bar", how="semi", maintain_order="left"), _last_only(marked))
    rest = marked.join(bars, on="bar", how="anti", maintain_order="left")
    return pl.concat([rest, settled.select(rest.columns)]).drop("alone").pipe(sort_by, "bar", "place")


def _last_only(marked: pl.DataFrame) -> pl.DataFrame:
    """Stages whose bars all kept a single refresh (stage, last_only); bars without a step are drawn at a failure."""
    sizes = marked.group_by("stage", "bar").agg(pl.len(), pl.col("n").max())
    return sizes.group_by("stage").agg(((pl.col("len") == 1) | (pl.col("n") == 0)).all().alias("last_only"))


def _settled(marked: pl.DataFrame, last_only: pl.DataFrame) -> pl.DataFrame:
    span = pl.col("rate") * pl.col("n")
    slack = 0.5 + pl.col("rate_error") * pl.col("n") + FLOAT_SLACK
    can_close = ((span - pl.col("elapsed_s") - 0.5).abs() <= slack).fill_null(value=True)
    read = _with_durations(marked.filter("progress")).select("bar", "place", "known", "agrees", "skipping")
    can_step = ~pl.col("known") | pl.col("agrees")
    single = pl.col("n_before").is_null()
    may_close = pl.col("alone") & can_close & ~pl.col("is_lane_end")
    closing = may_close & (~can_step | (single & pl.col("last_only")) | pl.col("skipping"))
    return (
        marked.join(read, on=["bar", "place"], how="left")
        .join(last_only, on="stage", how="left")
        .with_columns(pl.col("known", "agrees", "skipping").fill_null(value=False))
        .with_columns(closing.alias("closes"), (may_close & can_step & ~closing).alias("doubtful"))
        .with_columns(
            (pl.col("closing") | pl.col("closes")).alias("closing"),
            (pl.col("progress") & ~pl.col("closes")).alias("progress"),
        )
    )


def _with_durations(progress: pl.DataFrame) -> pl.DataFrame:
    """Refreshes that show progress, in order, with `duration_s` and `uncertainty_s` of the steps since the one before.

    Where n jumps, tqdm may have left updates out (the weight counts refreshes) or the capture may have lost them (it
    counts steps). Fast bars are read the first way; else both readings of the single steps behind a jump are taken,
    and the bound holds for either. Null where the rates cannot tell: over the jump itself, or where the rate is cut
    off. `known` says where they can, `skipping` where the bar is fast.
    """
    rows = sort_by(progress, "bar", "place")
    rows = rows.with_columns(
        (pl.col("n") - _before("n")).fill_null(pl.col("n")).alias("gained"),
        _skipping(progress).alias("skipping"),
        _weight(rows["n"]).alias("by_step"),
    )
    lost, lost_bound = _inverted("by_step")
    known = (pl.col("gained") == 1) | pl.col("skipping")
    if not (rows["gained"] > 1).any():
        told = (pl.when(known).then(lost).alias("duration_s"), pl.when(known).then(lost_bound).alias("uncertainty_s"))
        return unsmoothed.timed(_believable(rows.with_columns(known.alias("known"), *told)))
    rows = _weighted_by_refresh(rows)
    left_out, left_out_bound = _inverted("by_refresh")
    either = (lost + left_out) / 2
    either_bound = pl.max_horizontal(lost_bound, left_out_bound) + (lost - left_out).abs() / 2
    rows = rows.with_columns(
        known.alias("known"),
        pl.when(known & pl.col("skipping")).then(left_out).when(known).then(either).alias("duration_s"),
        pl.when(known & pl.col("skipping")).then(left_out_bound).when(known).then(either_bound).alias("uncertainty_s"),
    )
    return unsmoothed.timed(_believable(rows))


def _weight(steps: pl.Series) -> pl.Series:
    """How much of a smoothed rate so many steps make up."""
    most = steps.max()
    known = pl.select(1 - pl.lit(_KEEP).pow(pl.int_range(0, most + 1 if isinstance(most, int) else 0))).to_series()
    return known.gather(steps)


def _skipping(progress: pl.DataFrame) -> pl.Expr:
    """Bars so fast that tqdm itself leaves refreshes out."""
    if not (progress["rate"] < _FAST).any():
        return pl.lit(value=False)
    return (pl.col("rate").min().over("bar") < _FAST).fill_null(value=False)


def _weighted_by_refresh(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with `by_refresh`, tqdm's weight if every refresh it drew is here; the same as `by_step` without jumps."""
    rows = rows.with_columns((pl.col("gained") > 1).any().over("bar").alias("jumps"))
    first = pl.col("bar").ne_missing(pl.col("bar").shift(1))
    share = pl.when(first).then(SMOOTHING * pl.col("gained")).otherwise(pl.col("gained").cast(pl.Float64))
    weight = share.ewm_mean(alpha=SMOOTHING, adjust=False).over("bar")
    return rows.with_columns(pl.when("jumps").then(weight).otherwise("by_step").alias("by_refresh"))


def _inverted(weight: str) -> tuple[pl.Expr, pl.Expr]:
    """The time between two refreshes and its bound, with the smoothing's weight in column `weight`."""
    zero = pl.col("n") - pl.col("gained") == 0
    before = pl.when(zero).then(0.0).otherwise(_before(weight) * _before("rate"))
    before_error = pl.when(zero).then(0.0).otherwise(_before(weight) * _before("rate_error"))
    duration = (pl.col(weight) * pl.col("rate") - _KEEP * before) / SMOOTHING
    bound = (pl.col(weight) * pl.col("rate_error") + _KEEP * before_error) / SMOOTHING + FLOAT_SLACK
    return duration, bound


def _believable(rows: pl.DataFrame) -> pl.DataFrame:
    """Durations that the whole-second clock of the bar contradicts are withdrawn: a refresh was lost unseen."""
    spent = pl.col("elapsed_s") - _before("elapsed_s").fill_null(0)
    agrees = ((pl.col("duration_s") - spent).abs() <= 1 + pl.col("uncertainty_s")).fill_null(value=True)
    possible = pl.col("duration_s") >= -pl.col("uncertainty_s")
    rows = rows.with_columns(spent.alias("spent_s"), (agrees & possible).alias("agrees"))
    return rows.with_columns(
        pl.when("agrees").then(pl.col("duration_s").clip(0)).alias("duration_s"),
        pl.when("agrees").then("uncertainty_s").alias("uncertainty_s"),
    )


def steps(marked: pl.DataFrame) -> pl.DataFrame:
    """One row per step done: stage, bar, step, duration_s, uncertainty_s, method, line, doubtful.

    `marked` comes from `mark_closing`. Several steps between two refreshes share their time equally.
    """
    rows = _with_durations(marked[list(_TELLING)].filter("progress"))
    single = _one_a_step(_doubted(_by_clock(rows))).select(_STEP)
    averages = _averages(marked, single)
    if averages.is_empty():
        return single
    return pl.concat([single, averages], how="vertical_relaxed").pipe(sort_by, "bar", "step")


def _one_a_step(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows`, each as often as it tells steps, with `step`; steps told together have equal shares of their time."""
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


def _by_clock(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that show new steps, with `method`.

    Where rates do not tell: the wrapper's stamps if both refreshes have one of their own, else whole seconds.
    """
    gained = pl.col("gained") > 0
    if not rows.select((gained & pl.col("duration_s").is_null()).any()).item():
        return rows.select(_TIMED).filter(gained).with_columns(pl.lit("rate").alias("method"))
    first = pl.col("n") == pl.col("gained")
    stamped = (pl.col("time") - _before("time")).dt.total_microseconds() / 1e6
    own_stamp = pl.col("line") != _before("line")
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


def _doubted(rows: pl.DataFrame) -> pl.DataFrame:
    """If the refresh was the closing one, its time holds the decoding too: the steps took any time up to it."""
    if not rows["doubtful"].any():
        return rows
    doubted = pl.col("doubtful") & pl.col("duration_s").is_not_null()
    longest = pl.max_horizontal(pl.col("spent_s") + 1, "duration_s")
    wide = pl.max_horizontal(pl.col("duration_s"), longest - pl.col("duration_s"))
    return rows.with_columns(
        pl.when(doubted).then(wide).otherwise("uncertainty_s").alias("uncertainty_s"),
        pl.when(doubted).then(pl.lit("elapsed")).otherwise("method").alias("method"),
    )


def _averages(marked: pl.DataFrame, single: pl.DataFrame) -> pl.DataFrame:
    """Steps of which only the closing average is there; it holds the decoding too, so the bound is wide."""
    seen = set_sorted(max_by(single, "bar", "step").rename({"step": "seen"}), "bar")
    closed = marked.select(_AVERAGED).filter(pl.col("closing") & (pl.col("n") == pl.col("total")))
    rows = (
        left_join(set_sorted(closed, "bar"), seen, ["bar"])
        .with_columns(pl.col("seen").fill_null(0))
        .filter(pl.col("seen") < pl.col("n"))
        .with_columns(pl.int_ranges(pl.col("seen") + 1, pl.col("n") + 1).alias("step"))
        .explode("step")
    )
    whole = pl.col("seen") == 0
    total = pl.col("rate") * pl.col("n")
    return rows.select(
        "stage",
        "bar",
        "step",
        pl.when(whole).then(pl.col("rate")).alias("duration_s"),
        pl.when(whole)
        .then(pl.max_horizontal(pl.col("rate"), total - pl.col("rate")) + pl.col("rate_error") * pl.col("n"))
        .alias("uncertainty_s"),
        pl.when(whole & pl.col("rate").is_not_null()).then(pl.lit("average")).alias("method"),
        "line",
        pl.lit(value=True).alias("doubtful"),
    )
