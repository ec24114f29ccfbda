"""REG001 and REG003: are tonight's runs worse than those before?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from loganalyzer.checks.outcomes import findings, outcome, skipped, texts
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.rows import matching, only, selected, without

if TYPE_CHECKING:
    from loganalyzer.history.series import Series

_NO_PAST: Final = "no history is given to compare with (--history URL)"
_JUDGED: Final = pl.Schema(
    {
        "run_id": pl.String,
        "verdict": pl.String,
        "message": pl.String,
        "observed": pl.String,
        "expected": pl.String,
        "metric": pl.String,
        "reason": pl.String,
    }
)


def _verdicts(context: Context) -> pl.DataFrame:
    """One row per series that a run of tonight belongs to: columns of `_JUDGED`, told of its latest such run.

    What came after tonight, where an old log is looked at again, is left out.
    """
    if context.past is None:
        return pl.DataFrame(schema=_JUDGED)
    from loganalyzer.history.series import judged  # and numpy with it, which no other rule needs
    from loganalyzer.metrics import KEY

    together = context.once(_figures)
    concerned = together.filter("tonight").pipe(selected, "metric", "basis", *KEY).unique()
    alike = ["metric", "basis", *KEY]
    rows = together.join(concerned, on=alike, how="semi", nulls_equal=True, maintain_order="left")
    until_tonight = pl.col("tonight").reverse().cum_max().reverse().over(alike)
    told = [_told(series) for series in judged(rows.filter(until_tonight))]
    return pl.DataFrame(told, schema=_JUDGED, orient="row")


def _figures(context: Context) -> pl.DataFrame:
    """The figures of all runs that can be in a series, with `tonight`."""
    from loganalyzer.metrics import METRICS

    if context.past is None:
        return pl.DataFrame(schema={"run_id": pl.String, "tonight": pl.Boolean})
    in_series = [name for name, metric in METRICS.items() if metric.kind != "exact"]
    together = context.past.with_tonight(context.found, context.settings.gpu)
    return together.filter(pl.col("metric").is_in(in_series))


def _told(series: Series) -> tuple[str, ...]:
    verdict, metric = series.verdict, series.metric
    run = next(point.run_id for point in reversed(series.points) if point.tonight)
    change = verdict.change
    if change is None:
        return run, verdict.verdict, "", "", "", metric.title, verdict.reason
    start = series.at(change)
    begun = f"{start.run_id} of {start.at:%Y-%m-%d %H:%M}"
    message = f"{metric.title[0].upper()}{metric.title[1:]}: {verdict.reason} It begins with {begun}{_where(series)}."
    return (
        run,
        verdict.verdict,
        message,
        f"{change.after:.4g} {metric.unit}",
        f"{change.before:.4g} {metric.unit}, as before",
        metric.title,
        verdict.reason,
    )


def _where(series: Series) -> str:
    """The key in words, as far as it is known."""
    key = series.key
    size = f"{key['width']}x{key['height']}" if key["width"] and key["height"] else None
    parts = [str(part) for part in (key["mode"], key["quantization"], size, key["gpu"], series.basis) if part]
    return f" ({', '.join(parts)})" if parts else ""


def _found(context: Context, word: str, fix: str) -> pl.DataFrame:
    rows = only(context.once(_verdicts), pl.col("verdict") == word)
    placed = matching(rows, context.found.runs[:, ["run_id", "source", "line"]], ["run_id"])
    return findings(
        placed,
        lambda: texts(
            message=pl.col("message"), observed=pl.col("observed"), expected=pl.col("expected"), fix=pl.lit(fix)
        ),
    )


@rule(
    "REG001",
    "metric-regressed",
    "error",
    summary="A figure is worse than in the history's earlier runs, beyond what its noise explains.",
    why="An update, a driver or another tenant of the card makes every video slower or heavier from one day on; single "
    "runs do not show it, a series does.",
    example="time per step 5.0 s over forty runs, 5.25 s over the last ten, where runs scatter by 1 %",
    fix="Compare versions, attention mode and settings with the runs before (`loganalyze history trend`, `compare`).",
)
def metric_regressed(context: Context) -> Outcome:
    """The latest confirmed change of a series is for the worse; too few runs are said with how many are missing."""
    if context.past is None:
        return outcome(None, skipped(context.found.runs, _NO_PAST))
    fix = (
        "Compare versions, attention mode and settings with the runs before (`loganalyze compare`, `history trend`); "
        "if the change is meant, ignore the rule with a reason and a date until these runs are the usual ones."
    )
    silent = without(context.found.runs, context.once(_figures).filter("tonight"), "run_id")
    return outcome(
        _found(context, "regressed", fix), _unjudged(context), skipped(silent, "the log tells no figure to compare")
    )


def _unjudged(context: Context) -> pl.DataFrame:
    """Series of too few runs, those of one run with the same reason together."""
    rows = context.once(_verdicts)
    few = (
        rows.filter(pl.col("verdict") == "unknown")
        .group_by("run_id", "reason", maintain_order=True)
        .agg(pl.col("metric").unique(maintain_order=True).str.join(", "))
        .join(context.found.runs.pipe(selected, "run_id", "source"), on="run_id", maintain_order="left")
    )
    return skipped(few, pl.format("{}: {}", "metric", "reason"))


@rule(
    "REG003",
    "metric-suspected",
    "warning",
    summary="A figure may be worse than in the history's earlier runs; more runs will tell.",
    why="Noise that lasts for some runs looks like a change at first: what cannot be told from it yet is no alarm, and "
    "no all-clear either.",
    example="time per step 5.0 s over forty runs, 5.2 s over the last four, where runs scatter by 2 %",
    fix="Let more runs come in, as many as the finding says.",
)
def metric_suspected(context: Context) -> Outcome:
    """What the scan of single runs sees and the scan of blocks does not confirm."""
    return outcome(_found(context, "suspected", "Let as many more runs come in as the finding says before you act."))
