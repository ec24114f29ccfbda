"""Determines which quantization a run used: logged, recorded, declared, in a file name, or inferred from the peak.

No revision of the wrapper logs the main model's file name (facts sheet, section 4). ComfyUI's own loaders log it
(`native.facts`), and a user's patterns may. The recorder names the file that the graph loads. A workflow names the
requested quantization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from loganalyzer.expectations.names import QUANTIZATION

if TYPE_CHECKING:
    from loganalyzer.expectations.baselines import Baselines
    from loganalyzer.settings.model import Settings
    from loganalyzer.workflow.requested import RequestedSettings


def with_quantization(
    runs: pl.DataFrame, baselines: Baselines, settings: Settings, requested: RequestedSettings | None
) -> pl.DataFrame:
    """`runs` with quantization and quantization_source: log, recorder, option, workflow, filename, vram, or null.

    `runs` has a quantization if the log proves one or the recorder names one; then its source is `recorder`.
    `declared_quantization` comes from an option or a workflow; the log may contradict it (MOD003).
    `requested` are a workflow's settings. They also give the LoRA rank if the log has none.
    """
    file_name = pl.col("source").str.replace_all("\\", "/", literal=True).str.split("/").list.last()
    inferred = baselines.infer_quantization(runs)
    declared = {
        "option": pl.lit(settings.quantization, pl.String),
        "workflow": pl.lit(requested.quantization if requested else None, pl.String),
    }
    is_recorded = pl.col("quantization_source").eq_missing(pl.lit("recorder"))
    candidates = {
        "log": pl.when(~is_recorded).then("quantization"),
        "recorder": pl.when(is_recorded).then("quantization"),
        **declared,
        "filename": file_name.str.extract(QUANTIZATION, 1),
        "vram": pl.lit(inferred),
    }
    source = pl.coalesce(pl.when(value.is_not_null()).then(pl.lit(name)) for name, value in candidates.items())
    return runs.with_columns(
        pl.coalesce(
            value if name in ("log", "recorder") else value.str.to_uppercase() for name, value in candidates.items()
        ).alias("quantization"),
        source.alias("quantization_source"),
        pl.coalesce(declared.values()).str.to_uppercase().alias("declared_quantization"),
        pl.col("lora_rank").fill_null(pl.lit(requested.lora_rank if requested else None, pl.Int64)),
    )
