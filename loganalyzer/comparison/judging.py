"""Judges one metric of one key: whether it changed from base to head."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import polars as pl

from loganalyzer.comparison.model import MetricChange, MetricVerdict, RunSet
from loganalyzer.regression import reasons
from loganalyzer.regression.control import MIN_NIGHTS
from loganalyzer.regression.pairs import SampleComparison, compare_samples
from loganalyzer.regression.series import change_percent
from loganalyzer.tables.metrics import METRICS, Metric, get_floors

ENOUGH_RUNS: Final = 5
"""From this number of runs in base and in head, each run counts as one value: its median."""
STEADY_PERCENT: Final = 2.0
"""Memory is almost deterministic: it changed if the difference exceeds this and the metric's own floor."""


def metric_changes(base: RunSet, head: RunSet, key: Mapping[str, Any]) -> Iterator[MetricChange]:
    """All metrics that base or head has for the runs of one key, in the order of `METRICS`."""
    both = tuple(_rows_of_key(run_set, key) for run_set in (base, head))
    for metric in METRICS.values():
        before, after = (rows.filter(pl.col("metric") == metric.name) for rows in both)
        if before.is_empty() and after.is_empty():
            continue
        if metric.name == "missing_frames":
            yield _judge_missing_frames(metric, key, before, after)
            continue
        common = [basis for basis in _bases(before) if basis in _bases(after)]
        for basis in common:
            pair = tuple(rows.filter(pl.col("basis").eq_missing(pl.lit(basis))) for rows in (before, after))
            yield _judge_pair(metric, key, pair, (base.single, head.single))
        if not common:
            yield _not_comparable(metric, key, before, after)


def _rows_of_key(run_set: RunSet, key: Mapping[str, Any]) -> pl.DataFrame:
    schema = run_set.figures.schema
    return run_set.figures.filter(
        *(pl.col(name).eq_missing(pl.lit(value, schema[name])) for name, value in key.items())
    )


def _bases(rows: pl.DataFrame) -> list[str | None]:
    return rows["basis"].unique(maintain_order=True).to_list()


FramePair = tuple[pl.DataFrame, ...]


def _judge_pair(metric: Metric, key: Mapping[str, Any], pair: FramePair, single: FramePair) -> MetricChange:
    runs = (pair[0].height, pair[1].height)
    samples = _samples(metric, pair, single)
    higher = metric.higher_is_better
    found = compare_samples(samples[0], samples[1], higher_is_better=higher, runs=runs, floors=get_floors(metric))
    if metric.kind == "exact":
        word, reason = _judge_exact(metric, samples)
    elif metric.kind == "steady" and runs[0] < MIN_NIGHTS:
        word, reason = _judge_steady(metric, samples, found)
    else:
        word, reason = _apply_floor(metric, found)
    return _make_change(metric, key, pair, found, (word, reason))


def _samples(metric: Metric, pair: FramePair, single: FramePair) -> tuple[list[float], ...]:
    """One value per run; with few base runs all single steps or windows, which show their scatter.

    Single values are used only if every run has them, because medians scatter less than single values.
    """
    own = tuple(rows["value"].to_list() for rows in pair)
    if min(map(len, own)) >= ENOUGH_RUNS or len(own[0]) >= MIN_NIGHTS:
        return own
    parts = [
        known.filter(pl.col("metric") == metric.name).join(rows.select("run_id"), on="run_id", how="semi")
        for rows, known in zip(pair, single, strict=True)
    ]
    is_complete = all(part["run_id"].n_unique() == rows.height for part, rows in zip(parts, pair, strict=True))
    return tuple(part["value"].to_list() for part in parts) if is_complete else own


def _make_change(
    metric: Metric,
    key: Mapping[str, Any],
    pair: FramePair,
    found: SampleComparison,
    judgment: tuple[MetricVerdict, str],
) -> MetricChange:
    return MetricChange(
        metric.name,
        metric.unit,
        key,
        _bases(pair[0] if pair[0].height else pair[1])[0],
        found.base,
        found.head,
        found.change_percent,
        found.noise_percent,
        judgment[0],
        judgment[1],
        found.base_n,
        found.head_n,
        pair[0].height,
        pair[1].height,
        bool(pl.concat(pair)["estimated"].any()),
    )


def _apply_floor(metric: Metric, found: SampleComparison) -> tuple[MetricVerdict, str]:
    """The verdict, `same` for a change that is below the metric's floor."""
    if found.base is None or found.head is None or found.verdict in ("same", "unknown"):
        return found.verdict, found.reason
    if abs(found.head - found.base) < metric.floor:
        return "same", f"{found.reason} Ignored: less than {metric.floor:g} {metric.unit}."
    return found.verdict, found.reason


def _judge_exact(metric: Metric, samples: tuple[list[float], ...]) -> tuple[MetricVerdict, str]:
    """The verdict on a metric that follows from the audio: any difference is a change."""
    before, after = (sorted(set(sample)) for sample in samples)
    if before == after:
        return "same", "Equal, as expected for the same audio length."
    worse = (max(after) < max(before)) if metric.higher_is_better else (max(after) > max(before))
    return _exact_word(
        worse=worse
    ), f"Not equal despite the same audio length: {_format_numbers(before)} → {_format_numbers(after)}."


def _exact_word(*, worse: bool) -> MetricVerdict:
    return "regressed" if worse else "improved"


def _format_numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _judge_steady(
    metric: Metric, samples: tuple[list[float], ...], found: SampleComparison
) -> tuple[MetricVerdict, str]:
    """The verdict on memory: it changed if the difference exceeds both floors and the values do not overlap."""
    before, after = samples
    if found.base is None or found.head is None:
        return found.verdict, found.reason
    floor = max(metric.floor, STEADY_PERCENT / 100 * abs(found.base))
    levels = f"{found.base:.4g} → {found.head:.4g} {metric.unit}"
    amount = f"{reasons.percent(found.change_percent)}, {levels}"
    if abs(found.head - found.base) < floor:
        return "same", f"Medians differ by less than {floor:.2g} {metric.unit}: {levels}."
    if min(after) > max(before) or max(after) < min(before):
        worse = (found.head > found.base) != metric.higher_is_better
        reason = f"{'Worse' if worse else 'Better'} {amount}. Memory is almost the same in comparable runs."
        return _exact_word(worse=worse), reason
    return "unknown", f"Medians differ {amount}, but the values of base and head overlap."


def _judge_missing_frames(
    metric: Metric, key: Mapping[str, Any], before: pl.DataFrame, after: pl.DataFrame
) -> MetricChange:
    """The verdict on missing frames. 0 is expected for any length; others are compared only for equal lengths."""
    samples = tuple(rows["value"].to_list() for rows in (before, after))
    found = compare_samples(*samples)
    old, new = (set(sample) for sample in samples)
    lengths = _bases(before) == _bases(after)
    if not old or not new:
        judgment: tuple[MetricVerdict, str] = ("unknown", found.reason)
    elif lengths:
        judgment = _judge_exact(metric, samples)
    elif old == new == {0.0}:
        judgment = ("same", "Every frame has audio in base and head.")
    elif old == {0.0}:
        judgment = ("regressed", f"Frames without audio: none before, up to {max(new):g} now.")
    elif new == {0.0}:
        judgment = ("improved", f"Frames without audio: up to {max(old):g} before, none now.")
    else:
        judgment = ("unknown", "Not comparable: the audio lengths differ, and missing frames depend on them.")
    change = change_percent(found.base, found.head) if found.base is not None and found.head is not None else None
    row = _make_change(metric, key, (before, after), found, judgment)
    return MetricChange(**{**vars(row), "basis": row.basis if lengths else None, "change_percent": change})


def _peak_hint(metric: Metric) -> str:
    if not metric.name.startswith("peak_"):
        return ""
    return " Wrapper versions print peaks with different scopes, so the difference is not a change in memory use."


def _not_comparable(metric: Metric, key: Mapping[str, Any], before: pl.DataFrame, after: pl.DataFrame) -> MetricChange:
    """The row of a metric whose values have different bases. Nothing is calculated from them."""
    medians = [rows["value"].median() if rows.height else None for rows in (before, after)]
    base, head = (float(value) if isinstance(value, int | float) else None for value in medians)
    bases = [", ".join(str(basis or "single steps") for basis in _bases(rows)) for rows in (before, after)]
    if not all(bases):
        reason = f"{'Head' if bases[0] else 'Base'} has no value."
    else:
        reason = f"Not compared: base has {bases[0]}, head has {bases[1]}.{_peak_hint(metric)}"
    estimated = bool(pl.concat([before, after])["estimated"].any())
    return MetricChange(
        metric.name, metric.unit, key, None, base, head, None, None, "unknown", reason,
        before.height, after.height, before.height, after.height, estimated,
    )  # fmt: skip
