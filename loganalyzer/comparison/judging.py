"""One metric of one key: base and head → one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import polars as pl

from loganalyzer.comparison.model import MetricChange, Side, Word
from loganalyzer.regression import reasons
from loganalyzer.regression.control import FEWEST_NIGHTS
from loganalyzer.regression.pairs import Comparison, compare
from loganalyzer.regression.series import change_percent
from loganalyzer.tables.metrics import METRICS, Metric, get_floors

ENOUGH_RUNS: Final = 5
"""Runs on either side from which each run counts as one value: its median."""
STEADY_PERCENT: Final = 2.0
"""Memory is nearly deterministic: beyond this, and beyond the metric's own floor, it has changed."""


def changes(base: Side, head: Side, key: Mapping[str, Any]) -> Iterator[MetricChange]:
    """All metrics that either side tells of the runs of one key, in the catalogue's order."""
    sides = tuple(_of_key(side, key) for side in (base, head))
    for metric in METRICS.values():
        before, after = (rows.filter(pl.col("metric") == metric.name) for rows in sides)
        if before.is_empty() and after.is_empty():
            continue
        if metric.name == "missing_frames":
            yield _missing_frames(metric, key, before, after)
            continue
        common = [basis for basis in _bases(before) if basis in _bases(after)]
        for basis in common:
            pair = tuple(rows.filter(pl.col("basis").eq_missing(pl.lit(basis))) for rows in (before, after))
            yield _judged(metric, key, pair, (base.single, head.single))
        if not common:
            yield _unlike(metric, key, before, after)


def _of_key(side: Side, key: Mapping[str, Any]) -> pl.DataFrame:
    return side.figures.filter(
        *(pl.col(name).eq_missing(pl.lit(value, side.figures.schema[name])) for name, value in key.items())
    )


def _bases(rows: pl.DataFrame) -> list[str | None]:
    return rows["basis"].unique(maintain_order=True).to_list()


Pair = tuple[pl.DataFrame, ...]


def _judged(metric: Metric, key: Mapping[str, Any], pair: Pair, single: Pair) -> MetricChange:
    runs = (pair[0].height, pair[1].height)
    samples = _samples(metric, pair, single)
    higher = metric.higher_is_better
    found = compare(samples[0], samples[1], higher_is_better=higher, runs=runs, floors=get_floors(metric))
    if metric.kind == "exact":
        word, reason = _equal(metric, samples)
    elif metric.kind == "steady" and runs[0] < FEWEST_NIGHTS:
        word, reason = _steady(metric, samples, found)
    else:
        word, reason = _floored(metric, found)
    return _change(metric, key, pair, found, (word, reason))


def _samples(metric: Metric, pair: Pair, single: Pair) -> tuple[list[float], ...]:
    """The runs' own values. Of few base runs all their single steps or windows, which show how these scatter.

    Single ones are taken only where they are known of every run: a median scatters less than what it is the median of.
    """
    own = tuple(rows["value"].to_list() for rows in pair)
    if min(map(len, own)) >= ENOUGH_RUNS or len(own[0]) >= FEWEST_NIGHTS:
        return own
    parts = [
        known.filter(pl.col("metric") == metric.name).join(rows.select("run_id"), on="run_id", how="semi")
        for rows, known in zip(pair, single, strict=True)
    ]
    whole = all(part["run_id"].n_unique() == rows.height for part, rows in zip(parts, pair, strict=True))
    return tuple(part["value"].to_list() for part in parts) if whole else own


def _change(
    metric: Metric, key: Mapping[str, Any], pair: Pair, found: Comparison, said: tuple[Word, str]
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
        said[0],
        said[1],
        found.base_n,
        found.head_n,
        pair[0].height,
        pair[1].height,
        bool(pl.concat(pair)["estimated"].any()),
    )


def _floored(metric: Metric, found: Comparison) -> tuple[Word, str]:
    """Without a change that is smaller than what counts in the metric's own unit."""
    if found.base is None or found.head is None or found.verdict in ("same", "unknown"):
        return found.verdict, found.reason
    if abs(found.head - found.base) < metric.floor:
        return "same", f"{found.reason} Less than {metric.floor:g} {metric.unit}: too little to count."
    return found.verdict, found.reason


def _equal(metric: Metric, samples: tuple[list[float], ...]) -> tuple[Word, str]:
    """Figures that follow from the audio are equal, or something is wrong."""
    before, after = (sorted(set(sample)) for sample in samples)
    if before == after:
        return "same", "Equal, as it must be for audio of one length."
    worse = (max(after) < max(before)) if metric.higher_is_better else (max(after) > max(before))
    return _exact_word(worse=worse), f"Not equal, for audio of the same length: {_numbers(before)} → {_numbers(after)}."


def _exact_word(*, worse: bool) -> Word:
    return "regressed" if worse else "improved"


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _steady(metric: Metric, samples: tuple[list[float], ...], found: Comparison) -> tuple[Word, str]:
    """Beyond both floors, and no value of one side among those of the other."""
    before, after = samples
    if found.base is None or found.head is None:
        return found.verdict, found.reason
    floor = max(metric.floor, STEADY_PERCENT / 100 * abs(found.base))
    amount = f"{reasons.percent(found.change_percent)}, {found.base:.4g} → {found.head:.4g} {metric.unit}"
    if abs(found.head - found.base) < floor:
        return "same", f"Medians differ by less than {floor:.2g} {metric.unit}: {amount}."
    if min(after) > max(before) or max(after) < min(before):
        worse = (found.head > found.base) != metric.higher_is_better
        reason = f"{'Worse' if worse else 'Better'} {amount}: memory is nearly the same in every run of one kind."
        return _exact_word(worse=worse), reason
    return "unknown", f"Medians differ {amount}, but values of either side are found on the other."


def _missing_frames(metric: Metric, key: Mapping[str, Any], before: pl.DataFrame, after: pl.DataFrame) -> MetricChange:
    """None missing is what every run should have, whatever its length; more is compared for equal lengths."""
    samples = tuple(rows["value"].to_list() for rows in (before, after))
    found = compare(*samples)
    old, new = (set(sample) for sample in samples)
    lengths = _bases(before) == _bases(after)
    if not old or not new:
        said: tuple[Word, str] = ("unknown", found.reason)
    elif lengths:
        said = _equal(metric, samples)
    elif old == new == {0.0}:
        said = ("same", "No frame is without audio on either side.")
    elif old == {0.0}:
        said = ("regressed", f"Frames without audio: none before, up to {max(new):g} now.")
    elif new == {0.0}:
        said = ("improved", f"Frames without audio: up to {max(old):g} before, none now.")
    else:
        said = ("unknown", "The lengths of the audio differ, and so do the frames that they leave open.")
    change = change_percent(found.base, found.head) if found.base is not None and found.head is not None else None
    row = _change(metric, key, (before, after), found, said)
    return MetricChange(**{**vars(row), "basis": row.basis if lengths else None, "change_percent": change})


def _peaks_differ(metric: Metric) -> str:
    if not metric.name.startswith("peak_"):
        return ""
    return " Wrapper versions print peaks of different things: such a difference is no saving of memory."


def _unlike(metric: Metric, key: Mapping[str, Any], before: pl.DataFrame, after: pl.DataFrame) -> MetricChange:
    """Figures of one metric that must not be held against each other; nothing is computed from them."""
    medians = [rows["value"].median() if rows.height else None for rows in (before, after)]
    base, head = (float(value) if isinstance(value, int | float) else None for value in medians)
    told = [", ".join(str(basis or "single steps") for basis in _bases(rows)) for rows in (before, after)]
    if not all(told):
        reason = f"The {'head' if told[0] else 'base'} does not tell it."
    else:
        reason = f"Not compared: the base's figure is for {told[0]}, the head's for {told[1]}.{_peaks_differ(metric)}"
    estimated = bool(pl.concat([before, after])["estimated"].any())
    return MetricChange(
        metric.name, metric.unit, key, None, base, head, None, None, "unknown", reason,
        before.height, after.height, before.height, after.height, estimated,
    )  # fmt: skip
