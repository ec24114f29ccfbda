"""REG001, REG003, REG004 and REG005: compares the current runs with the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from loganalyzer.checks.findings import Texts, make_findings, make_outcome, skip
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.common.formatting import one_line
from loganalyzer.tables.frames import anti_join, inner_join

if TYPE_CHECKING:
    from loganalyzer.history.series import Series

_NO_PAST: Final = "no history is configured (--history URL)"
_JUDGED: Final = pl.Schema(
    {
        "run_id": pl.String,
        "rule": pl.String,
        "message": pl.String,
        "observed": pl.String,
        "expected": pl.String,
        "metric": pl.String,
        "reason": pl.String,
    }
)
"""The latest verdict on a series: the rule that reports it (null for none), and its texts."""
_RECOVERY_NIGHTS: Final = 3
"""Nights during which a recovery is reported."""
_MOST_DIFFERENCES: Final = 8
_RESULTS: Final = ("status", "audio_frames")
"""Columns of `FURTHER` that depend on a run's length and end, not on its settings."""


def _verdicts(context: Context) -> pl.DataFrame:
    """Returns one row per series with a current run: columns of `_JUDGED`, with the latest such run.

    If an old log is analyzed again, later runs are left out.
    """
    if context.past is None:
        return pl.DataFrame(schema=_JUDGED)
    from loganalyzer.history.series import judge_series  # imports numpy, which no other rule needs
    from loganalyzer.tables.metrics import KEY

    together = context.once(_figures)
    concerned = together.filter("tonight").select("metric", "basis", *KEY).unique()
    alike = ["metric", "basis", *KEY]
    rows = together.join(concerned, on=alike, how="semi", nulls_equal=True, maintain_order="left")
    until_tonight = pl.col("tonight").reverse().cum_max().reverse().over(alike)
    described = [_describe(context, series) for series in judge_series(rows.filter(until_tonight))]
    return pl.DataFrame(described, schema=_JUDGED, orient="row")


def _figures(context: Context) -> pl.DataFrame:
    """Returns the metrics of all runs that can be in a series; `tonight` marks the current ones."""
    from loganalyzer.tables.metrics import METRICS

    if context.past is None:
        return pl.DataFrame(schema={"run_id": pl.String, "tonight": pl.Boolean})
    in_series = [name for name, metric in METRICS.items() if metric.kind != "exact"]
    together = context.past.with_tonight(context.found, context.settings.gpu)
    return together.filter(pl.col("metric").is_in(in_series))


def _describe(context: Context, series: Series) -> tuple[str | None, ...]:
    verdict, metric = series.verdict, series.metric
    run = next(point.run_id for point in reversed(series.points) if point.tonight)
    title = f"{metric.title[0].upper()}{metric.title[1:]}"
    if (change := verdict.change) is not None:
        start = series.at(change)
        since = f"First affected run: {start.run_id} of {start.at:%Y-%m-%d %H:%M}{_key_phrase(series)}."
        message = f"{title}: {verdict.reason} {since}{_changed_since(context, series)}"
        observed, expected = f"{change.after:.4g} {metric.unit}", f"{change.before:.4g} {metric.unit}, as before"
        if change.kind == "jump" and verdict.jump is not None and verdict.jump.normal is not None:
            limits = verdict.jump.normal
            expected = f"{limits.low:.4g}–{limits.high:.4g} {metric.unit}, the normal range"
        return run, _rule_of(series), message, observed, expected, metric.title, verdict.reason
    if (back := series.back) is not None:
        message = f"{title}: back to normal since {back.run_id} of {back.at:%Y-%m-%d %H:%M}. {verdict.reason}"
        value = f"{series.points[-1].value:.4g} {metric.unit}"
        return run, _rule_of(series), message, value, "the normal range", metric.title, verdict.reason
    return run, _rule_of(series), "", "", "", metric.title, verdict.reason


def _rule_of(series: Series) -> str | None:
    """Returns the rule that reports a series: REG004 while a change is new, REG001 once the scan has dated it."""
    verdict = series.verdict
    if verdict.verdict == "regressed":
        return "REG004" if verdict.change is not None and verdict.change.kind == "jump" else "REG001"
    if verdict.verdict == "suspected":
        return "REG003"
    jump = verdict.jump
    if verdict.verdict == "same" and series.back is not None and jump is not None and jump.back <= _RECOVERY_NIGHTS:
        return "REG005"
    return None


def _key_phrase(series: Series) -> str:
    """Returns the known parts of the key as ` (…)`, or an empty text."""
    key = series.key
    size = f"{key['width']}x{key['height']}" if key["width"] and key["height"] else None
    parts = [str(part) for part in (key["mode"], key["quantization"], size, key["gpu"], series.basis) if part]
    return f" ({', '.join(parts)})" if parts else ""


def _changed_since(context: Context, series: Series) -> str:
    """Returns a sentence on what changed together with the metric; empty if the earlier runs are unknown."""
    change, past = series.verdict.change, context.past
    if change is None or past is None or past.runs is None or not change.worse:
        return ""
    position = series.first + change.index
    before = [point.run_id for point in series.points[max(0, position - _COMPARED) : position]]
    after = [point.run_id for point in series.points[position:]]
    runs = pl.concat([past.runs, context.found.runs], how="diagonal_relaxed").unique("run_id", maintain_order=True)
    phrase = describe_changes(runs, before, after)
    return (
        f" Changed at the same time: {phrase}."
        if phrase
        else " No setting or version in the logs changed at the same time."
    )


_COMPARED: Final = 10
"""Number of runs before a change whose settings and versions are compared with those after it."""


def describe_changes(runs: pl.DataFrame, before: list[str], after: list[str]) -> str:
    """Returns the values that only runs after a change have, as `torch_version 2.8 → 2.9, …`; empty if none.

    `runs` has the columns of the table `runs`. Columns of `comparison.comparing.FURTHER` that it lacks and values that
    a log does not state are skipped.
    """
    from loganalyzer.comparison.comparing import LIST_COLUMNS, OTHER_COLUMNS, only_in

    names = [name for name in OTHER_COLUMNS if name in runs.columns and name not in _RESULTS]
    order = pl.DataFrame({"run_id": [*before, *after], "is_after": [False] * len(before) + [True] * len(after)})
    known = order.join(runs.select("run_id", *names), on="run_id", how="inner", maintain_order="left")
    parts = []
    for name in names:
        old, new = (known.filter(pl.col("is_after") == side)[name].drop_nulls() for side in (False, True))
        fresh = new.filter(~new.is_in(old.unique().implode()))
        if old.is_empty() or fresh.is_empty():
            continue
        was, now = old[-1], fresh[0]
        if name in LIST_COLUMNS:
            lists = [only_in((one,), (other,)) for one, other in ((was, now), (now, was))]
            if not any(lists):
                continue
            was, now = (", ".join(entries) or "none" for entries in lists)
        parts.append(f"{name} {_short(was)} → {_short(now)}")
    more = f", and {len(parts) - _MOST_DIFFERENCES} more" if len(parts) > _MOST_DIFFERENCES else ""
    return ", ".join(parts[:_MOST_DIFFERENCES]) + more


def _short(value: object) -> str:
    """Returns a value from a log on one line, shortened: log text is untrusted and may be long."""
    return one_line(f"{value:g}" if isinstance(value, float) else str(value))[:60]


def _findings_of(context: Context, rule_id: str) -> pl.DataFrame:
    """Returns the findings that this rule reports on current runs."""
    rows = context.once(_verdicts).filter(pl.col("rule") == rule_id)
    placed = inner_join(rows, context.found.runs[:, ["run_id", "source", "line"]], ["run_id"])
    return make_findings(
        placed,
        lambda: Texts(message=pl.col("message"), observed=pl.col("observed"), expected=pl.col("expected")),
    )


_FIX: Final = (
    "Compare versions, attention mode and settings with earlier runs (`loganalyze compare`, "
    "`loganalyze history trend`). If the change is intended, ignore the rule with a reason and a date until the new "
    "values are normal."
)


@rule(
    "REG001",
    "metric-regressed",
    "error",
    cause="worse than the history",
    summary="A metric is worse than in earlier runs of the history, by more than its noise explains.",
    why="An update, a driver or another job on the GPU slows down every video or raises its memory from one day on. "
    "A single run does not show it; a series does.",
    example="# time per step: 5.0 s in forty runs with 1 % scatter, then 5.25 s in ten runs",
    fix=_FIX,
)
def metric_regressed(context: Context) -> Outcome:
    """Reports series whose latest confirmed change is for the worse; series that are too short are not checked."""
    if context.past is None:
        return make_outcome(None, skip(context.found.runs, _NO_PAST, "configuration"))
    without_metrics = anti_join(context.found.runs, context.once(_figures).filter("tonight"), "run_id")
    return make_outcome(
        _findings_of(context, "REG001"),
        _skip_short_series(context),
        skip(without_metrics, "the log has no metric to compare"),
    )


def _skip_short_series(context: Context) -> pl.DataFrame:
    """Returns rows of `not_checked` for series that are too short; metrics of a run with the same reason share one."""
    rows = context.once(_verdicts)
    few = (
        rows.filter(pl.col("reason").str.contains("more needed"))
        .group_by("run_id", "reason", maintain_order=True)
        .agg(pl.col("metric").unique(maintain_order=True).str.join(", "))
        .join(context.found.runs.select("run_id", "source"), on="run_id", maintain_order="left")
    )
    return skip(few, pl.format("{}: {}", "metric", "reason"))


@rule(
    "REG003",
    "metric-suspected",
    "warning",
    cause="possibly worse than the history",
    summary="A metric may be worse than in earlier runs of the history; more runs are needed to confirm it.",
    why="Noise that lasts for a few runs looks like a change at first. Until the two can be distinguished, this is "
    "neither an alarm nor an all-clear.",
    example="# time per step: 5.0 s in forty runs with 2 % scatter, then 5.2 s in four runs",
    fix="Wait for as many more runs as the finding says before acting.",
)
def metric_suspected(context: Context) -> Outcome:
    """Reports changes that the scan of single runs finds and the scan of blocks does not confirm."""
    return make_outcome(_findings_of(context, "REG003"))


@rule(
    "REG004",
    "metric-jump",
    "error",
    cause="outside the normal range",
    summary="The latest value of a metric is outside its normal range.",
    why="A driver, an update or another job on the GPU slows down videos or raises their memory overnight. The normal "
    "range of earlier nights shows it on the first night, or on the third if the change is small. Once the "
    "change-point scan has dated the change, REG001 reports it instead.",
    example="# time per step: 5.0 s for twenty nights with 0.6 % scatter, then 10.06 s",
    fix=_FIX,
)
def metric_jump(context: Context) -> Outcome:
    """Reports series whose newest nights are worse than normal by the run rules of `regression.control`."""
    return make_outcome(_findings_of(context, "REG004"))


@rule(
    "REG005",
    "metric-recovered",
    "info",
    cause="back in the normal range",
    summary="A metric that was worse is back in its normal range.",
    why="Anyone who looks for the cause of a bad night should know that it is over, and since when.",
    example="# time per step: 5.0 s for twenty nights, 10.1 s for three, then 5.02 s",
    fix="Nothing to fix. Note what changed. If nothing did, check what else ran on the GPU on the bad nights.",
)
def metric_recovered(context: Context) -> Outcome:
    """Reports series whose last spell of worse nights has ended."""
    return make_outcome(_findings_of(context, "REG005"))
