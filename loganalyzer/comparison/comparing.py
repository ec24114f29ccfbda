"""Compares base and head: settings, findings, and metrics."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from loganalyzer.common.formatting import plural
from loganalyzer.comparison.judging import metric_changes
from loganalyzer.comparison.model import Comparison, Difference, MetricChange, RunSet, Verdict
from loganalyzer.tables import severity
from loganalyzer.tables.metrics import KEY, METRICS
from loganalyzer.tables.schema import FINDINGS, SEPARATOR

ENVIRONMENT_COLUMNS: Final = (
    "attention",
    "precision",
    "vram_state",
    "memory_options",
    "driver",
    "python_version",
    "frontend_version",
    "arguments",
    "packages",
    "custom_nodes",
)
"""Columns of `runs` that only a log with the server start fills. They differ only if base and head both have values."""
PRODUCER_COLUMNS: Final = ("producer", "adapter_quantization", "model", "adapter", "sampler_attention")
"""The sampler and its files. Documents of earlier versions, and logs without the recorder, lack some of them: they too
differ only if both have values."""
LIST_COLUMNS: Final = ("packages", "custom_nodes")
OTHER_COLUMNS: Final = (
    "audio_frames",
    "speakers",
    "swapped_blocks",
    "drop_frames",
    "peak_covers",
    "wrapper_era",
    "comfyui_version",
    "torch_version",
    *ENVIRONMENT_COLUMNS,
    *PRODUCER_COLUMNS,
    "total_vram_gib",
    "status",
)
"""Other columns of `runs` that are compared. They may explain a change, but do not prevent a comparison."""
_GUESSED_COLUMNS: Final = ("quantization_source", "gpu")


def compare_runs(base: RunSet, head: RunSet) -> Comparison:
    """The changes from `base` to `head`, and whether they are for the worse.

    Only runs with equal keys are compared. `regressed`: a metric is worse, or head has an error that base does not
    have. `incomparable`: base and head share no key.
    """
    shared = _distinct_keys(base).join(
        _distinct_keys(head), on=list(KEY), how="semi", nulls_equal=True, maintain_order="left"
    )
    differences = tuple(_find_differences(base, head))
    new, gone, still = _compare_findings(base, head, shared)
    rows = tuple(change for key in shared.rows(named=True) for change in metric_changes(base, head, key))
    verdict, reason = _overall_verdict(rows, new, differences, comparable=not shared.is_empty())
    return Comparison(
        base.name, head.name, verdict, reason, rows, new, gone, still, differences, _excluded_notes(base, head, shared)
    )


def _distinct_keys(run_set: RunSet) -> pl.DataFrame:
    return run_set.runs.select(*KEY).unique(maintain_order=True)


def _find_differences(base: RunSet, head: RunSet) -> list[Difference]:
    found = []
    for name in (*KEY, *OTHER_COLUMNS):
        before, after = (_distinct_values(run_set, name) for run_set in (base, head))
        if name in (*ENVIRONMENT_COLUMNS, *PRODUCER_COLUMNS) and (before == (None,) or after == (None,)):
            continue
        if name in LIST_COLUMNS:
            before, after = only_in(before, after), only_in(after, before)
        if before != after:
            found.append(Difference(name, before, after, name in KEY))
    return found


def _distinct_values(run_set: RunSet, name: str) -> tuple[Any, ...]:
    return tuple(run_set.runs[name].unique().sort(nulls_last=True).to_list())


def only_in(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[str, ...]:
    """The entries of list values in `one` that `other` lacks: of fifty node packs, only those that changed.

    Entries do not differ if only one side states a version.
    """
    entries, others = ({entry for text in texts if text for entry in text.split(SEPARATOR)} for texts in (one, other))
    return tuple(sorted(entry for entry in entries - others if not any(_same_but_version(entry, o) for o in others)))


def _same_but_version(one: str, other: str) -> bool:
    """Whether both entries name the same pack, and only one of them has a version."""
    short, long = sorted((one, other), key=len)
    return long.startswith(f"{short} ") and not long[len(short) + 1 :].startswith("(")


def _overall_verdict(
    rows: tuple[MetricChange, ...], new: pl.DataFrame, differences: tuple[Difference, ...], *, comparable: bool
) -> tuple[Verdict, str]:
    if not comparable:
        fields = ", ".join(one.field for one in differences if one.decides) or "combination of settings"
        return "incomparable", f"no run of base has the same {fields} as a run of head"
    worse = [METRICS[row.metric].title for row in rows if row.verdict == "regressed"]
    errors = new.filter(pl.col("severity") == "error")["rule"].to_list()
    if worse or errors:
        parts = [f"worse: {', '.join(dict.fromkeys(worse))}"] if worse else []
        parts += [f"new: {', '.join(dict.fromkeys(errors))}"] if errors else []
        return "regressed", "; ".join(parts)
    better = [METRICS[row.metric].title for row in rows if row.verdict == "improved"]
    if better:
        return "improved", f"better: {', '.join(dict.fromkeys(better))}"
    unknown = sum(row.verdict == "unknown" for row in rows)
    inconclusive = f"; {plural(unknown, 'metric')} inconclusive" if unknown else ""
    return "same", f"nothing got worse{inconclusive}"


def _compare_findings(
    base: RunSet, head: RunSet, shared: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Findings only in head, only in base, and in both: one row per rule and key, with the first finding."""
    before, after = (_group_by_rule(run_set, shared) for run_set in (base, head))
    by = ["rule", *KEY]
    new = after.join(before, on=by, how="anti", nulls_equal=True, maintain_order="left")
    gone = before.join(after, on=by, how="anti", nulls_equal=True, maintain_order="left")
    still = after.join(before, on=by, how="semi", nulls_equal=True, maintain_order="left")
    return tuple(_sort_by_severity(part) for part in (new, gone, still))  # type: ignore[return-value]


def _group_by_rule(run_set: RunSet, shared: pl.DataFrame) -> pl.DataFrame:
    """The first finding per rule and key, with the count. The key is null if base and head do not share it."""
    keyed = run_set.runs.select("run_id", *KEY).join(shared, on=list(KEY), how="semi", nulls_equal=True)
    rows = run_set.findings.join(keyed, on="run_id", how="left", maintain_order="left")
    columns = [name for name in FINDINGS if name != "rule"]
    return rows.group_by("rule", *KEY, maintain_order=True).agg(pl.col(columns).first(), pl.len().alias("count"))


def _sort_by_severity(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort(severity.rank(), "rule", maintain_order=True).select(*FINDINGS, pl.col("count").cast(pl.Int64))


def _excluded_notes(base: RunSet, head: RunSet, shared: pl.DataFrame) -> tuple[str, ...]:
    """Notes about runs that were not compared."""
    if shared.is_empty():
        return _declaration_notes(base, head)
    notes = []
    for name, other, run_set in (("base", "head", base), ("head", "base", head)):
        unmatched = run_set.runs.join(shared, on=list(KEY), how="anti", nulls_equal=True)
        if unmatched.height:
            notes.append(
                f"{plural(unmatched.height, 'run')} of {name} not compared: no run of {other} has the same settings"
            )
    return tuple(notes)


def _declaration_notes(base: RunSet, head: RunSet) -> tuple[str, ...]:
    """Hints on how to make runs comparable if parts of their keys are guessed or unknown."""
    both = pl.concat([base.runs.select(_GUESSED_COLUMNS), head.runs.select(_GUESSED_COLUMNS)])
    notes = []
    if both.select(pl.col("quantization_source").fill_null("vram") == "vram").to_series().any():
        notes.append(
            "a quantization is unknown or inferred from the memory peak: if base and head have the same, declare it "
            "(--quantization, or in the log's file name)"
        )
    if both["gpu"].null_count():
        notes.append("a log does not name its GPU: set gpu in the configuration")
    return tuple(notes)
