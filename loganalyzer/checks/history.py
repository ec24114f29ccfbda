"""REG001, REG003, REG004 and REG005: are tonight's runs worse than those before?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from loganalyzer.checks.findings import findings, outcome, skipped, texts
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.common.formatting import one_line
from loganalyzer.tables.frames import anti_join, inner_join

if TYPE_CHECKING:
    from loganalyzer.history.series import Series

_NO_PAST: Final = "no history is given to compare with (--history URL)"
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
"""The latest verdict on a series: the rule that reports it (null for none), and what it says."""
_RECOVERY_NIGHTS: Final = 3
"""So many nights long it is reported that a series is back to normal."""
_MOST_DIFFERENCES: Final = 8
_RESULTS: Final = ("status", "audio_frames")
"""Columns of `FURTHER` that follow from a run's length and end, not from how it was made."""


def _verdicts(context: Context) -> pl.DataFrame:
    """One row per series that a run of tonight belongs to: columns of `_JUDGED`, placed at its latest such run.

    Where an old log is read again, the runs that came after it are left out.
    """
    if context.past is None:
        return pl.DataFrame(schema=_JUDGED)
    from loganalyzer.history.series import judge_series  # and numpy with it, which no other rule needs
    from loganalyzer.tables.metrics import KEY

    together = context.once(_figures)
    concerned = together.filter("tonight").select("metric", "basis", *KEY).unique()
    alike = ["metric", "basis", *KEY]
    rows = together.join(concerned, on=alike, how="semi", nulls_equal=True, maintain_order="left")
    until_tonight = pl.col("tonight").reverse().cum_max().reverse().over(alike)
    described = [_described(context, series) for series in judge_series(rows.filter(until_tonight))]
    return pl.DataFrame(described, schema=_JUDGED, orient="row")


def _figures(context: Context) -> pl.DataFrame:
    """The figures of all runs that can be in a series, with `tonight`."""
    from loganalyzer.tables.metrics import METRICS

    if context.past is None:
        return pl.DataFrame(schema={"run_id": pl.String, "tonight": pl.Boolean})
    in_series = [name for name, metric in METRICS.items() if metric.kind != "exact"]
    together = context.past.with_tonight(context.found, context.settings.gpu)
    return together.filter(pl.col("metric").is_in(in_series))


def _described(context: Context, series: Series) -> tuple[str | None, ...]:
    verdict, metric = series.verdict, series.metric
    run = next(point.run_id for point in reversed(series.points) if point.tonight)
    title = f"{metric.title[0].upper()}{metric.title[1:]}"
    if (change := verdict.change) is not None:
        start = series.at(change)
        since = f"First affected run: {start.run_id} of {start.at:%Y-%m-%d %H:%M}{_where(series)}."
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
    """The rule that reports a series: REG004 while a change is fresh, REG001 once the scan has dated it."""
    verdict = series.verdict
    if verdict.verdict == "regressed":
        return "REG004" if verdict.change is not None and verdict.change.kind == "jump" else "REG001"
    if verdict.verdict == "suspected":
        return "REG003"
    jump = verdict.jump
    if verdict.verdict == "same" and series.back is not None and jump is not None and jump.back <= _RECOVERY_NIGHTS:
        return "REG005"
    return None


def _where(series: Series) -> str:
    """The key in words, as far as it is known."""
    key = series.key
    size = f"{key['width']}x{key['height']}" if key["width"] and key["height"] else None
    parts = [str(part) for part in (key["mode"], key["quantization"], size, key["gpu"], series.basis) if part]
    return f" ({', '.join(parts)})" if parts else ""


def _changed_since(context: Context, series: Series) -> str:
    """What changed together with the figure, as a sentence; empty where the runs before are not known."""
    change, past = series.verdict.change, context.past
    if change is None or past is None or past.runs is None or not change.worse:
        return ""
    place = series.first + change.index
    before = [point.run_id for point in series.points[max(0, place - _COMPARED) : place]]
    after = [point.run_id for point in series.points[place:]]
    runs = pl.concat([past.runs, context.found.runs], how="diagonal_relaxed").unique("run_id", maintain_order=True)
    phrase = changed_with(runs, before, after)
    return f" Changed with it: {phrase}." if phrase else " Nothing else that the logs state changed with it."


_COMPARED: Final = 10
"""Latest runs before a change whose settings and versions are compared with those after it."""


def changed_with(runs: pl.DataFrame, before: list[str], after: list[str]) -> str:
    """What the runs after a change state that none of those before does, as `torch_version 2.8 → 2.9, …`.

    `runs` has the columns of the table `runs`. Columns of `comparison.comparing.FURTHER` that it lacks are left out,
    and so are values that a log does not state. Empty where nothing differs.
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
            was, now = (", ".join(only_in((one,), (other,))) or "none" for one, other in ((was, now), (now, was)))
        parts.append(f"{name} {_short(was)} → {_short(now)}")
    more = f", and {len(parts) - _MOST_DIFFERENCES} more" if len(parts) > _MOST_DIFFERENCES else ""
    return ", ".join(parts[:_MOST_DIFFERENCES]) + more


def _short(value: object) -> str:
    """A value of a log on one line; logs are hostile, and may be long."""
    return one_line(f"{value:g}" if isinstance(value, float) else str(value))[:60]


def _found(context: Context, rule_id: str, fix: str) -> pl.DataFrame:
    rows = context.once(_verdicts).filter(pl.col("rule") == rule_id)
    placed = inner_join(rows, context.found.runs[:, ["run_id", "source", "line"]], ["run_id"])
    return findings(
        placed,
        lambda: texts(
            message=pl.col("message"), observed=pl.col("observed"), expected=pl.col("expected"), fix=pl.lit(fix)
        ),
    )


_FIX: Final = (
    "Compare versions, attention mode and settings with the runs before (`loganalyze compare`, `history trend`). "
    "If the change is intended, ignore the rule with a reason and a date until these runs are the normal ones."
)


@rule(
    "REG001",
    "metric-regressed",
    "error",
    cause="worse than the history",
    summary="A figure is worse than in the history's earlier runs, beyond what its noise explains.",
    why="An update, a driver or another tenant of the card makes every video slower or heavier from one day on; single "
    "runs do not show it, a series does.",
    example="time per step 5.0 s over forty runs, 5.25 s over the last ten, where runs scatter by 1 %",
    fix="Compare versions, attention mode and settings with the runs before (`loganalyze history trend`, `compare`).",
)
def metric_regressed(context: Context) -> Outcome:
    """The latest confirmed change of a series is for the worse. Too few nights are reported as not checked."""
    if context.past is None:
        return outcome(None, skipped(context.found.runs, _NO_PAST, "configuration"))
    silent = anti_join(context.found.runs, context.once(_figures).filter("tonight"), "run_id")
    return outcome(
        _found(context, "REG001", _FIX), _unjudged(context), skipped(silent, "the log tells no figure to compare")
    )


def _unjudged(context: Context) -> pl.DataFrame:
    """Series of too few runs, those of one run with the same reason together."""
    rows = context.once(_verdicts)
    few = (
        rows.filter(pl.col("reason").str.contains("more needed"))
        .group_by("run_id", "reason", maintain_order=True)
        .agg(pl.col("metric").unique(maintain_order=True).str.join(", "))
        .join(context.found.runs.select("run_id", "source"), on="run_id", maintain_order="left")
    )
    return skipped(few, pl.format("{}: {}", "metric", "reason"))


@rule(
    "REG003",
    "metric-suspected",
    "warning",
    cause="possibly worse than the history",
    summary="A figure may be worse than in the history's earlier runs; more runs will tell.",
    why="Noise that lasts for some runs looks like a change at first: what cannot be told from it yet is no alarm, and "
    "no all-clear either.",
    example="time per step 5.0 s over forty runs, 5.2 s over the last four, where runs scatter by 2 %",
    fix="Let more runs come in, as many as the finding says.",
)
def metric_suspected(context: Context) -> Outcome:
    """What the scan of single runs sees and the scan of blocks does not confirm."""
    return outcome(_found(context, "REG003", "Wait for as many more runs as the finding says before acting."))


@rule(
    "REG004",
    "metric-jump",
    "error",
    cause="outside the normal range",
    summary="Tonight's figure is outside what these runs normally do.",
    why="A driver, an update or another tenant of the card makes videos slower or heavier overnight. The normal range "
    "of the nights before shows it on the first night, or on the third where the change is small. Once the "
    "change-point scan has dated the change, REG001 reports it instead.",
    example="time per step 5.0 s for twenty nights with 0.6 % scatter, 10.06 s tonight",
    fix="Look at what changed with it, repeat one run to confirm, then `loganalyze compare` against a run before.",
)
def metric_jump(context: Context) -> Outcome:
    """The newest nights are worse than the normal range by the run rules of `regression.control`."""
    return outcome(_found(context, "REG004", _FIX))


@rule(
    "REG005",
    "metric-recovered",
    "info",
    cause="back in the normal range",
    summary="A figure that was worse is back in its normal range.",
    why="Whoever looked for the cause of a red night should learn that it is gone, and since when.",
    example="time per step 5.0 s for twenty nights, 10.1 s for three, 5.02 s tonight",
    fix="Nothing. If nobody changed anything, look for what else ran on the card in the bad nights.",
)
def metric_recovered(context: Context) -> Outcome:
    """The last spell of worse nights has ended."""
    return outcome(_found(context, "REG005", "Nothing to fix. Note what was changed, if anything was."))
