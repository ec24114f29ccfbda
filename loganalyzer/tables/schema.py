"""Every table's column names and types, in the order in which they are written.

The tables are a contract with everyone who reads the Parquet files or the JSON document. Conventions:
`_gib` is 1024**3 bytes, `_s` is seconds, windows, steps, prompts and runs count from 1, audio indices are
frames with the end excluded, and a value that the log does not tell is null.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from loganalyzer.tables.frames import with_schema

SCHEMA_VERSION: Final = 1

TIME: Final[pl.DataType] = pl.Datetime("us")
SEPARATOR: Final = ", "
"""Between the entries of lists that the table `runs` holds as one text: `packages`, `custom_nodes`."""

SOURCES: Final = pl.Schema(
    {
        "source": pl.String,
        "digest": pl.String,
        "bytes": pl.Int64,
        "lines": pl.Int64,
        "encoding": pl.String,
        "undecodable": pl.Int64,
        "records": pl.Int64,
        "near": pl.Int64,
        "unknown": pl.Int64,
    }
)

PROMPTS: Final = pl.Schema(
    {
        "prompt_id": pl.String(),
        "source": pl.String(),
        "stream": pl.String(),
        "line": pl.Int64(),
        "end_line": pl.Int64(),
        "duration_s": pl.Float64(),
        "status": pl.String(),
        "error": pl.String(),
        **dict.fromkeys(("exception_type", "failed_in", "failed_phase", "cause"), pl.String()),
        **dict.fromkeys(("memory_used_gib", "memory_requested_gib", "memory_limit_gib"), pl.Float64()),
        **dict.fromkeys(("worker_died_line", "never_ran", "other_stages"), pl.Int64()),
        "other_models": pl.String(),
        "started_at": TIME,
        "ended_at": TIME,
    }
)

RUNS: Final = pl.Schema(
    {
        "run_id": pl.String,
        "prompt_id": pl.String,
        "source": pl.String,
        "stream": pl.String,
        "line": pl.Int64,
        "end_line": pl.Int64,
        "mode": pl.String,
        "status": pl.String,
        "audio_frames": pl.Int64,
        "requested_frames": pl.Int64,
        "audio_s": pl.Float64,
        "width": pl.Int64,
        "height": pl.Int64,
        "steps": pl.Int64,
        "speakers": pl.Int64,
        "shortest_frames": pl.Int64,
        "announced_windows": pl.Int64,
        "observed_windows": pl.Int64,
        "expected_windows": pl.Int64,
        "window_frames": pl.Int64,
        "motion_frames": pl.Int64,
        "drop_frames": pl.Int64,
        "stride": pl.Int64,
        "schedule_observed": pl.Boolean,
        "aligned": pl.Boolean,
        "missing_frames": pl.Int64,
        "mirrored": pl.Boolean,
        "lora_rank": pl.Int64,
        "quantization": pl.String,
        "quantization_source": pl.String,
        "declared_quantization": pl.String,
        "peak_allocated_gib": pl.Float64,
        "peak_reserved_gib": pl.Float64,
        "peak_covers": pl.String,
        "peak_line": pl.Int64,
        "wrapper_era": pl.String,
        "swapped_blocks": pl.Int64,
        "sampling_s": pl.Float64,
        "decode_s": pl.Float64,
        "total_s": pl.Float64,
        "prompt_s": pl.Float64,
        "gpu": pl.String,
        "total_vram_gib": pl.Float64,
        "comfyui_version": pl.String,
        "torch_version": pl.String,
        "band_low_gib": pl.Float64,
        "band_high_gib": pl.Float64,
        "finish_observed": pl.Boolean,
        "verdict": pl.String,
        "complete": pl.Boolean,
        "environment_line": pl.Int64,
        "attention": pl.String,
        "precision": pl.String,
        "vram_state": pl.String,
        "memory_options": pl.String,
        "driver": pl.String,
        "python_version": pl.String,
        "frontend_version": pl.String,
        "arguments": pl.String,
        "packages": pl.String,
        "custom_nodes": pl.String,
        "producer": pl.String,
        "output_frames": pl.Int64,
        "adapter_quantization": pl.String,
    }
)

ENVIRONMENT: Final = pl.Schema(
    {
        "source": pl.String(),
        "stream": pl.String(),
        "line": pl.Int64(),
        "gpu": pl.String(),
        "total_vram_gib": pl.Float64(),
        "driver": pl.String(),
        "python": pl.String(),
        "torch": pl.String(),
        "comfyui": pl.String(),
        "frontend": pl.String(),
        "attention": pl.String(),
        "precision": pl.String(),
        "vram_state": pl.String(),
        "memory_options": pl.String(),
        "arguments": pl.String(),
        "packages": pl.List(pl.String),
        "custom_nodes": pl.List(pl.String),
    }
)

WINDOWS: Final = pl.Schema(
    {
        "run_id": pl.String,
        "window": pl.Int64,
        "audio_start": pl.Int64,
        "audio_end": pl.Int64,
        "expected_start": pl.Int64,
        "expected_end": pl.Int64,
        "steps_done": pl.Int64,
        "steps_total": pl.Int64,
        "sampling_s": pl.Float64,
        "total_s": pl.Float64,
        "s_per_step": pl.Float64,
        "line": pl.Int64,
        "matches": pl.Boolean,
        "total_uncertainty_s": pl.Float64,
        "range_source": pl.String,
    }
)

STEPS: Final = pl.Schema(
    {
        "run_id": pl.String,
        "window": pl.Int64,
        "step": pl.Int64,
        "duration_s": pl.Float64,
        "uncertainty_s": pl.Float64,
        "method": pl.String,
        "line": pl.Int64,
    }
)

PADDINGS: Final = pl.Schema(
    {
        "run_id": pl.String,
        "window": pl.Int64,
        "subject": pl.Int64,
        "have": pl.Int64,
        "need": pl.Int64,
        "padding": pl.Int64,
        "missing": pl.Int64,
        "context": pl.Int64,
        "line": pl.Int64,
    }
)

MEMORY: Final = pl.Schema(
    {
        "run_id": pl.String,
        "phase": pl.String,
        "allocated_gib": pl.Float64,
        "max_allocated_gib": pl.Float64,
        "max_reserved_gib": pl.Float64,
        "line": pl.Int64,
    }
)

LORAS: Final = pl.Schema(
    {
        "prompt_id": pl.String,
        "name": pl.String,
        "rank": pl.Int64,
        "strength": pl.String,
        "line": pl.Int64,
    }
)

FINDINGS: Final = pl.Schema(
    {
        "rule": pl.String,
        "name": pl.String,
        "severity": pl.String,
        "run_id": pl.String,
        "source": pl.String,
        "line": pl.Int64,
        "message": pl.String,
        "observed": pl.String,
        "expected": pl.String,
        "fix": pl.String,
    }
)

NOT_CHECKED: Final = pl.Schema(
    {
        "rule": pl.String,
        "name": pl.String,
        "run_id": pl.String,
        "source": pl.String,
        "reason": pl.String,
        "kind": pl.String,
    }
)

NEAR_MISSES: Final = pl.Schema(
    {
        "source": pl.String,
        "line": pl.Int64,
        "pattern": pl.String,
        "column": pl.Int64,
        "expected": pl.String,
        "text": pl.String,
    }
)

EXCERPTS: Final = pl.Schema(
    {
        "source": pl.String,
        "line": pl.Int64,
        "event": pl.String,
        "text": pl.String,
    }
)

TRENDS: Final = pl.Schema(
    {
        "series": pl.Int64(),
        "metric": pl.String(),
        "title": pl.String(),
        "unit": pl.String(),
        "key": pl.String(),
        "verdict": pl.String(),
        "reason": pl.String(),
        "run_id": pl.String(),
        "at": TIME,
        "value": pl.Float64(),
        "tonight": pl.Boolean(),
        "changed": pl.Boolean(),
        "normal_low": pl.Float64(),
        "normal_high": pl.Float64(),
    }
)

MASKED: Final = pl.Schema({"kind": pl.String, "values": pl.Int64, "places": pl.Int64})

SCHEMAS: Final[dict[str, pl.Schema]] = {
    "sources": SOURCES,
    "prompts": PROMPTS,
    "runs": RUNS,
    "windows": WINDOWS,
    "steps": STEPS,
    "paddings": PADDINGS,
    "memory": MEMORY,
    "loras": LORAS,
    "environment": ENVIRONMENT,
    "findings": FINDINGS,
    "not_checked": NOT_CHECKED,
    "near_misses": NEAR_MISSES,
    "excerpts": EXCERPTS,
    "masked": MASKED,
    "trends": TRENDS,
}


@cache
def _blank(table: str) -> pl.DataFrame:
    return pl.DataFrame(schema=SCHEMAS[table])


def empty(table: str) -> pl.DataFrame:
    """A table of the contract without rows."""
    return _blank(table).clear()  # a twentieth of the time that reading the schema takes


def conform(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """`frame` with exactly the contract's columns, in its order and types; absent columns become null.

    Raises:
        polars.exceptions.InvalidOperationError: where a column cannot be cast, which is a fault of ours.
    """
    schema = SCHEMAS[table]
    if frame.is_empty():
        return empty(table)
    return with_schema(frame, schema)
