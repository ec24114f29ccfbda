"""Lists the events and fields from which runs are rebuilt. All other events are evidence only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

import polars as pl

from loganalyzer.tables.frames import with_schema

Types = dict[str, pl.DataType | type[pl.DataType]]

_BAR: Final[Types] = {
    "percent": pl.Int64,
    "n": pl.Int64,
    "total": pl.Int64,
    "elapsed_s": pl.Float64,
    "rate": pl.Float64,
    "rate_error": pl.Float64,
}

PRODUCER: Final[Types] = {
    "program": pl.String,
    "windows_by": pl.String,
    "program_mode": pl.String,
    "tail": pl.String,
    "models": pl.String,
    "unquantized": pl.String,
}
"""Additional columns in the records of standalone programs, see `program_samplers.prepare_records`."""

PROGRAM_FIELDS: Final[dict[str, Types]] = {
    "program-run": {
        "window_frames": pl.Int64,
        "motion_frames": pl.Int64,
        "steps": pl.Int64,
        "loras": pl.String,
        "strengths": pl.String,
        "quant": pl.String,
    },
    "program-audio": {"audio_frames": pl.Int64, "seconds": pl.Float64},
    "program-windows": {"announced_windows": pl.Int64},
    "program-window": {"window": pl.Int64},
    "program-step": {"n": pl.Int64, "total": pl.Int64},
    "program-step-cost": {
        "duration_s": pl.Float64,
        "peak_allocated_gib": pl.Float64,
        "peak_reserved_gib": pl.Float64,
    },
    "program-window-cost": {
        "window": pl.Int64,
        "duration_s": pl.Float64,
        "peak_allocated_gib": pl.Float64,
        "peak_reserved_gib": pl.Float64,
    },
    "program-model": {"path": pl.String},
    "program-saved": {"n": pl.Int64, "total": pl.Int64},
    "program-end": {},
}
"""Events of standalone programs and their fields. Each program has a pattern file with a table [producer]."""

_OF_PROMPT: Final[Types] = {"prompt_uuid": pl.String, "node_id": pl.String}
RECORDER_FIELDS: Final[dict[str, Types]] = {
    "recorder-start": {
        "gpu": pl.String,
        "total_vram_gib": pl.Float64,
        "driver": pl.String,
        "torch_version": pl.String,
        "python_version": pl.String,
        "comfyui_version": pl.String,
        "arguments": pl.String,
    },
    "recorder-packs": {"packs": pl.String},
    "recorder-prompt": {"prompt_uuid": pl.String},
    "recorder-sampler": {
        **_OF_PROMPT,
        "node_class": pl.String,
        "model": pl.String,
        "quantization": pl.String,
        "adapter": pl.String,
        "adapter_quantization": pl.String,
        "sampler_attention": pl.String,
        "requested_frames": pl.Int64,
        "window_frames": pl.Int64,
        "motion_frames": pl.Int64,
        "width": pl.Int64,
        "height": pl.Int64,
        "steps": pl.Int64,
        "audio_s": pl.Float64,
        "fps": pl.Float64,
    },
    "recorder-lora": {**_OF_PROMPT, "name": pl.String, "strength": pl.Float64},
    "recorder-step": {
        **_OF_PROMPT,
        "window": pl.Int64,
        "audio_start": pl.Int64,
        "audio_end": pl.Int64,
        "n": pl.Int64,
        "total": pl.Int64,
        "duration_s": pl.Float64,
        "allocated_gib": pl.Float64,
    },
    "recorder-node": {
        **_OF_PROMPT,
        "node_class": pl.String,
        "duration_s": pl.Float64,
        "allocated_gib": pl.Float64,
        "reserved_gib": pl.Float64,
        "sampling_gib": pl.Float64,
        "sampling_reserved_gib": pl.Float64,
        "free_gib": pl.Float64,
        "others_gib": pl.Float64,
        "temperature_c": pl.Float64,
        "clock_mhz": pl.Float64,
        "throttle": pl.String,
    },
    "recorder-end": {
        "prompt_uuid": pl.String,
        "status": pl.String,
        "exception_type": pl.String,
        "node_id": pl.String,
        "node_class": pl.String,
        "duration_s": pl.Float64,
    },
}
"""Events of loganalyzer's recorder and their fields."""

FIELDS: Final[dict[str, Types]] = {
    "arrival": {},
    "refusal": {},
    "executed": {"duration_s": pl.Float64},
    "exception": {"message": pl.String},
    "wrapper-error": {"message": pl.String},
    "out-of-memory": {},
    "interruption": {},
    "failure-like": {},
    "interruption-like": {},
    "traceback": {},
    "core-frame": {},
    "traceback-frame": {"path": pl.String, "number": pl.Int64, "function": pl.String},
    "traceback-vae": {"vae_call": pl.String},
    "exception-type": {"exception_name": pl.String, "exception_suffix": pl.String, "exception_text": pl.String},
    "worker-died": {},
    "process-died": {"death": pl.String},
    "oom-allocated": {"oom_used_gib": pl.Float64},
    "oom-requested": {"oom_requested_gib": pl.Float64},
    "oom-limit": {"oom_limit_gib": pl.Float64},
    "oom-torch": {"oom_requested_gib": pl.Float64, "oom_limit_gib": pl.Float64, "oom_free_gib": pl.Float64},
    "memory-summary": {"summary_allocated_gib": pl.Float64, "summary_peak_gib": pl.Float64},
    "report-node-id": {"node_id": pl.String},
    "report-node-type": {"node_type": pl.String},
    "report-exception-type": {"exception_type": pl.String},
    "report-exception-message": {"message": pl.String},
    "report-logs": {},
    "total-vram": {"total_vram_gib": pl.Float64},
    "torch-version": {"torch_version": pl.String},
    "device": {"gpu": pl.String},
    "comfyui-version": {"comfyui_version": pl.String},
    "server-start": {},
    "python-version": {"python_version": pl.String},
    "frontend-version": {"frontend_version": pl.String},
    "xformers-version": {"xformers_version": pl.String},
    "package-version": {"package": pl.String, "package_version": pl.String},
    "attention": {"attention": pl.String},
    "vram-state": {"state": pl.String},
    "fp16-accumulation": {},
    "dynamic-vram": {},
    "async-offloading": {},
    "pinned-memory": {},
    "import-time": {"outcome": pl.String, "path": pl.String},
    "pack-version": {"pack": pl.String, "pack_version": pl.String},
    "driver-version": {"driver": pl.String},
    "launch-command": {"arguments": pl.String},
    "mode": {"mode": pl.String},
    "audio-features": {"shapes": pl.String},
    "silence-missing": {},
    "header": {
        "audio_frames": pl.Int64,
        "announced_windows": pl.Int64,
        "width": pl.Int64,
        "height": pl.Int64,
        "steps": pl.Int64,
    },
    "plain-header": {"frames": pl.Int64, "width": pl.Int64, "height": pl.Int64, "steps": pl.Int64},
    "schedule-announced": {"audio_frames": pl.Int64, "window_frames": pl.Int64, "motion_frames": pl.Int64},
    "estimated-iterations": {"announced_windows": pl.Int64},
    "audio-range": {"audio_start": pl.Int64, "audio_end": pl.Int64, "window_frames": pl.Int64},
    "window-line": {"audio_start": pl.Int64, "audio_end": pl.Int64},
    "window-bar": {"audio_start": pl.Int64, "audio_end": pl.Int64, **_BAR},
    "bare-bar": dict(_BAR),
    "outer-bar": dict(_BAR),
    "padding-request": {"subject": pl.Int64, "have": pl.Int64, "need": pl.Int64},
    "padding-length": {"padding": pl.Int64},
    "allocated": {"phase": pl.String, "allocated_gib": pl.Float64},
    "max-allocated": {"phase": pl.String, "max_allocated_gib": pl.Float64},
    "max-reserved": {"phase": pl.String, "max_reserved_gib": pl.Float64},
    "lora": {"name": pl.String, "strength": pl.String},
    "tiny-vae": {},
    "block-swap-total": {"held_gib": pl.Float64},
    "vae-shape": {"direction": pl.String, "input": pl.String},
    "block-swap": {"blocks": pl.Int64},
    "raw-speaker": {"speaker": pl.Int64, "samples": pl.Int64},
    "audio-shorter": {"available": pl.Int64, "requested": pl.Int64, "used": pl.Int64},
    "audio-duration": {"seconds": pl.Float64},
    "audio-mix": {"mix": pl.String, "seconds": pl.Float64},
    "s2v-embeds": {},
    "wananimate": {},
    "longcat-range": {"audio_start": pl.Int64, "audio_end": pl.Int64},
    "longcat-padding": {"have": pl.Int64, "padded": pl.Int64},
    "longcat-overlap": {"overlap_latents": pl.Int64},
    "longcat-latents": {},
    "model-requested": {"model_class": pl.String},
    "native-range": {"audio_start": pl.Int64, "audio_end": pl.Int64},
    "native-sampler": {
        "model_class": pl.String,
        "latent_frames": pl.Int64,
        "latent_height": pl.Int64,
        "latent_width": pl.Int64,
    },
    "native-context-windows": {"latent_frames": pl.Int64},
    "native-first-step": {"steps": pl.Int64},
    "auto-sampler-audio": {"seconds": pl.Float64, "audio_frames": pl.Int64},
    "auto-sampler-passes": {"announced_windows": pl.Int64},
    "gguf-types": {"types": pl.String},
    "storage-policy": {"paths": pl.String},
    "model-dtype": {},
    **PROGRAM_FIELDS,
    **RECORDER_FIELDS,
}

BARS: Final = ("window-bar", "bare-bar", "outer-bar", "phase-bar")
EVENTS: Final = frozenset({*FIELDS, *BARS})
"""The events whose field values are parsed."""
BANNER: Final = ("total-vram", "torch-version", "device", "comfyui-version", "recorder-start", "server-start")
"""Printed once, when the server starts."""
PRELUDE: Final = ("driver-version", "launch-command")
"""Printed by a start script before the server prints anything."""
ENVIRONMENT: Final = (
    "python-version", "frontend-version", "xformers-version", "package-version", "attention", "vram-state",
    "fp16-accumulation", "dynamic-vram", "async-offloading", "pinned-memory", "import-time", "pack-version",
    "recorder-packs",
)  # fmt: skip
"""Also printed when the server starts. A node may print some of them later, so they do not prove a start."""
NEAR_MISSES: Final = ("failure-like", "interruption-like")
"""Near misses of messages about a prompt's end. They show how a prompt ended, but do not prove that one ran."""

_KEY_COLUMNS: Final[Types] = {
    "source": pl.UInt32,
    "line": pl.Int64,
    "part": pl.UInt32,
    "stream": pl.String,
    "time": pl.Datetime("us"),
    "pattern": pl.String,
}

_CARRIED: Final[Types] = {"carried_from": pl.Int64}
"""The line of the server start that an earlier part's record belongs to, or -1 for a record before that start."""


def select_records(events: Mapping[str, pl.DataFrame], name: str, without: Collection[str] = ()) -> pl.DataFrame:
    """The records of one event with key columns and typed fields; an empty frame if the event never occurs."""
    blank = _empty_frame(name, tuple(without))
    frame = events.get(name)
    return blank if frame is None or frame.is_empty() else with_schema(frame, blank.schema)


@cache
def _empty_frame(name: str, without: tuple[str, ...]) -> pl.DataFrame:
    more = _CARRIED if name in BANNER else PRODUCER if name in PROGRAM_FIELDS else {}
    columns = {**_KEY_COLUMNS, **FIELDS.get(name, {}), **more}
    return pl.DataFrame(schema={column: dtype for column, dtype in columns.items() if column not in without})
