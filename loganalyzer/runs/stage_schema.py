"""Declares the columns of the stage frame: one row per sampling stage, with more columns after each step of `assemble`.

Columns of the table `runs` are described in `tables/run_columns.py`. `_s` is seconds. `place` is the position of a
record in its lane, which is one output of one input. Null means that the log does not have the value.
"""

from __future__ import annotations

from typing import Final

import polars as pl

Columns = dict[str, type[pl.DataType]]

START: Final[Columns] = {
    "lane": pl.UInt32,
    "place": pl.Int64,
    "line": pl.Int64,
    "prompt": pl.Int64,
    "kind": pl.String,
    "audio_frames": pl.Int64,
    "announced_windows": pl.Int64,
    "width": pl.Int64,
    "height": pl.Int64,
    "steps": pl.Int64,
    "plain_frames": pl.Int64,
    "program": pl.String,
    "program_mode": pl.String,
    "tail": pl.String,
    "unquantized": pl.String,
}
"""Where a stage starts, and the values of its header. `program` and the following columns are those of `[producer]`."""

FOUND: Final[Columns] = {"stage": pl.UInt32, **START}
"""After `stages.find_stages`: numbered from 0 in the order of lanes and places."""

NATIVE: Final[Columns] = {
    "native_frames": pl.Int64,
    "native_width": pl.Int64,
    "native_height": pl.Int64,
    "native_steps": pl.Int64,
    "looped_frames": pl.Int64,
    "looped_s": pl.Float64,
    "looped_windows": pl.Int64,
    "quantization": pl.String,
    "adapter_quantization": pl.String,
}
"""What the lines of ComfyUI's own nodes say about a stage."""

_LINES_ABOVE: Final[Columns] = {
    "mode_line": pl.String,
    "mirrored_line": pl.Boolean,
    "is_s2v": pl.Boolean,
    "is_animate": pl.Boolean,
    "feature_frames": pl.Int64,
    "shortest_frames": pl.Int64,
    "speakers": pl.Int64,
    "requested_frames": pl.Int64,
    "audio_s": pl.Float64,
    "frames_early": pl.Int64,
    "window_early": pl.Int64,
    "motion_early": pl.Int64,
    "announced_early": pl.Int64,
    "lora_rank": pl.Int64,
    "swapped_blocks": pl.Int64,
    "producer": pl.String,
}
RECORDED: Final[Columns] = {
    "model": pl.String,
    "adapter": pl.String,
    "sampler_attention": pl.String,
    "model_line": pl.Int64,
    "recorded_frames": pl.Int64,
    "recorded_window": pl.Int64,
    "recorded_motion": pl.Int64,
    "recorded_width": pl.Int64,
    "recorded_height": pl.Int64,
    "recorded_steps": pl.Int64,
    "recorded_s": pl.Float64,
}
"""What the recorder prints of the graph's settings for a stage."""

_OF_OTHER_PRODUCERS: Final[Columns] = {
    **NATIVE,
    "program_frames": pl.Int64,
    "program_s": pl.Float64,
    "program_windows": pl.Int64,
    "program_steps": pl.Int64,
    "model_mode": pl.String,
    "saved_frames": pl.Int64,
    "is_longcat": pl.Boolean,
    "index_start": pl.Int64,
    "index_end": pl.Int64,
    "index_line": pl.Int64,
    "overlap_latents": pl.Int64,
    **RECORDED,
    "quantization_source": pl.String,
}
_BY_WINDOWS: Final[Columns] = {
    "observed": pl.Int64,
    "animate_bar": pl.Boolean,
    "drawn_steps": pl.Int64,
    "seen_window": pl.Int64,
    "seen_stride": pl.Int64,
    "first_end": pl.Int64,
    "is_second": pl.Boolean,
    "looped": pl.Boolean,
    "vae_window": pl.Int64,
    "windowed": pl.Boolean,
    "mode": pl.String,
}
DESCRIBED: Final[Columns] = {**FOUND, **_LINES_ABOVE, **_OF_OTHER_PRODUCERS, **_BY_WINDOWS}
"""After `described.describe_stages`: values of the lines above a stage, of its producer's lines and of its windows."""

SCHEDULED: Final[Columns] = {
    **DESCRIBED,
    "since": pl.Date,
    "until": pl.Date,
    "usual": pl.String,
    "want_window": pl.Int64,
    "want_motion": pl.Int64,
    "drop_frames": pl.Int64,
    "window_frames": pl.Int64,
    "stride": pl.Int64,
    "schedule_observed": pl.Boolean,
    "motion_frames": pl.Int64,
    "expected_windows": pl.Int64,
    "aligned": pl.Boolean,
}
"""After `planned.with_schedule`: the dates of the wrapper, the configured schedule (`want_`), the one in use."""

ENDED: Final[Columns] = {
    **SCHEDULED,
    "peak_allocated_gib": pl.Float64,
    "peak_reserved_gib": pl.Float64,
    "peak_covers": pl.String,
    "report_place": pl.Int64,
    "report_line": pl.Int64,
    "peak_line": pl.Int64,
    "stopped_at": pl.String,
    "last_is_full": pl.Boolean,
    "prompt_s": pl.Float64,
    "status": pl.String,
    "finish_observed": pl.Boolean,
}
"""After `outcome.with_outcomes`: the final memory report, and how the stage ended."""

COMPLETE: Final[Columns] = {
    **ENDED,
    "end_line": pl.Int64,
    "gpu": pl.String,
    "total_vram_gib": pl.Float64,
    "comfyui_version": pl.String,
    "torch_version": pl.String,
    "sampling_s": pl.Float64,
    "total_s": pl.Float64,
    "decode_s": pl.Float64,
    "missing_frames": pl.Int64,
    "mirrored": pl.Boolean,
    "output_frames": pl.Int64,
    "has_bars": pl.Boolean,
    "observed_windows": pl.Int64,
    "wrapper_era": pl.String,
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
}
"""After `servers.with_environment`: sums over windows, and the server that the stage ran on."""
