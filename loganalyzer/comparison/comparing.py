"""Two sides → one comparison."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from loganalyzer.common.formatting import plural
from loganalyzer.comparison.judging import changes
from loganalyzer.comparison.model import Comparison, Difference, MetricChange, Outcome, Side
from loganalyzer.tables import severity
from loganalyzer.tables.metrics import KEY, METRICS
from loganalyzer.tables.schema import FINDINGS, SEPARATOR

ENVIRONMENT: Final = (
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
"""Columns of `runs` that only a log with the server's start fills: they differ only where both sides have values."""
MADE_BY: Final = ("producer", "adapter_quantization")
"""Who sampled, and with which adapter: likewise, for documents of earlier versions tell neither."""
LISTED: Final = ("packages", "custom_nodes")
FURTHER: Final = (
    "audio_frames",
    "speakers",
    "swapped_blocks",
    "drop_frames",
    "peak_covers",
    "wrapper_era",
    "comfyui_version",
    "torch_version",
    *ENVIRONMENT,
    *MADE_BY,
    "total_vram_gib",
    "status",
)
"""Columns of `runs` beside the key in which sides may differ; they explain a change and bar no comparison."""
_GUESSED: Final = ("quantization_source", "gpu")


def compared(base: Side, head: Side) -> Comparison:
    """What changed from `base` to `head`, and whether it is worse.

    Only runs of equal keys are compared. `regressed` says that a metric is worse, or that an error is found in the
    head which is not in the base; `incomparable` that no key is on both sides.
    """
    shared = _keys(base).join(_keys(head), on=list(KEY), how="semi", nulls_equal=True, maintain_order="left")
    differences = tuple(_differences(base, head))
    new, gone, still = _findings(base, head, shared)
    rows = tuple(change for key in shared.rows(named=True) for change in changes(base, head, key))
    verdict, reason = _verdict(rows, new, differences, comparable=not shared.is_empty())
    return Comparison(
        base.name, head.name, verdict, reason, rows, new, gone, still, differences, _notes(base, head, shared)
    )


def _keys(side: Side) -> pl.DataFrame:
    return side.runs.select(*KEY).unique(maintain_order=True)


def _differences(base: Side, head: Side) -> list[Difference]:
    found = []
    for name in (*KEY, *FURTHER):
        before, after = (_values(side, name) for side in (base, head))
        if name in (*ENVIRONMENT, *MADE_BY) and (before == (None,) or after == (None,)):
            continue
        if name in LISTED:
            before, after = only_in(before, after), only_in(after, before)
        if before != after:
            found.append(Difference(name, before, after, name in KEY))
    return found


def _values(side: Side, name: str) -> tuple[Any, ...]:
    return tuple(side.runs[name].unique().sort(nulls_last=True).to_list())


def only_in(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[str, ...]:
    """The entries of listed values that the other side lacks: of fifty packs the one that changed."""
    entries, others = ({entry for text in texts if text for entry in text.split(SEPARATOR)} for texts in (one, other))
    return tuple(sorted(entries - others))


def _verdict(
    rows: tuple[MetricChange, ...], new: pl.DataFrame, differences: tuple[Difference, ...], *, comparable: bool
) -> tuple[Outcome, str]:
    if not comparable:
        fields = ", ".join(one.field for one in differences if one.decides) or "combination of settings"
        return "incomparable", f"no run of the base has the same {fields} as a run of the head"
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
    doubt = f"; {plural(unknown, 'metric')} cannot be judged" if unknown else ""
    return "same", f"nothing is worse{doubt}"


def _findings(base: Side, head: Side, shared: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Findings of the head alone, of the base alone, and of both: one row per rule and key, the first of them."""
    before, after = (_grouped(side, shared) for side in (base, head))
    by = ["rule", *KEY]
    new = after.join(before, on=by, how="anti", nulls_equal=True, maintain_order="left")
    gone = before.join(after, on=by, how="anti", nulls_equal=True, maintain_order="left")
    still = after.join(before, on=by, how="semi", nulls_equal=True, maintain_order="left")
    return tuple(_sorted(part) for part in (new, gone, still))  # type: ignore[return-value]


def _grouped(side: Side, shared: pl.DataFrame) -> pl.DataFrame:
    """Findings with the key of their run, where both sides have that key; else they are matched by rule alone."""
    keyed = side.runs.select("run_id", *KEY).join(shared, on=list(KEY), how="semi", nulls_equal=True)
    rows = side.findings.join(keyed, on="run_id", how="left", maintain_order="left")
    columns = [name for name in FINDINGS if name != "rule"]
    return rows.group_by("rule", *KEY, maintain_order=True).agg(pl.col(columns).first(), pl.len().alias("count"))


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort(severity.rank(), "rule", maintain_order=True).select(*FINDINGS, pl.col("count").cast(pl.Int64))


def _notes(base: Side, head: Side, shared: pl.DataFrame) -> tuple[str, ...]:
    """Runs that were left out, so that nobody takes them for compared."""
    if shared.is_empty():
        return _declare(base, head)
    notes = []
    for word, side in (("base", base), ("head", head)):
        alone = side.runs.join(shared, on=list(KEY), how="anti", nulls_equal=True)
        if alone.height:
            notes.append(
                f"{plural(alone.height, 'run')} of the {word} not compared: no run of its kind on the other side"
            )
    return tuple(notes)


def _declare(base: Side, head: Side) -> tuple[str, ...]:
    """What would make runs comparable, where the key is not known but guessed, or not known at all."""
    both = pl.concat([base.runs.select(_GUESSED), head.runs.select(_GUESSED)])
    notes = []
    if both.select(pl.col("quantization_source").fill_null("vram") == "vram").to_series().any():
        notes.append(
            "a quantization is inferred from the memory peak, or unknown: declare it (--quantization, or in the log's "
            "name) where both sides have the same"
        )
    if both["gpu"].null_count():
        notes.append("a log does not name its card: set gpu in the configuration")
    return tuple(notes)
