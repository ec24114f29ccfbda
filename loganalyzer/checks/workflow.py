"""Declares the rules on workflows, and compares logs with their workflow (RUN005)."""

from __future__ import annotations

from functools import partial

import polars as pl

from loganalyzer.checks.findings import Texts, make_findings, make_outcome, skip
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.schedule import multitalk_runs, skip_other_loops


def _nothing_in_logs(_context: Context) -> Outcome:
    """Never fires: `lint` checks these rules, because their faults do not show in logs."""
    return make_outcome()


rule(
    "AUD007",
    "unaligned-request",
    "warning",
    witness="workflow",
    cause="frame count not aligned",
    summary="The requested frame count is not aligned: it does not end where a window ends.",
    why="If the audio is long enough, the loop stops at the requested frames, and padding fills the last window. If "
    "the audio's length is known (--audio, or a crop in the workflow), AUD001 reports the missing frames instead.",
    example='"num_frames": 1000',
    fix="Request an aligned frame count; `loganalyze plan` lists them.",
)(_nothing_in_logs)

rule(
    "AUD008",
    "rates-disagree",
    "error",
    witness="workflow",
    cause="frame rates differ",
    summary="The node that writes the video and the one that reads the audio have different frame rates.",
    why="The mouth is rendered for one rate and shown at another, so it drifts from the sound from the start.",
    example='"fps": 25 in the audio node, "frame_rate": 24 in the video node',
    fix="Set both nodes to the same rate.",
)(_nothing_in_logs)

rule(
    "AUD009",
    "crop-and-frames",
    "warning",
    witness="workflow",
    cause="audio crop and frame count differ",
    summary="The audio crop and the requested frames have different lengths.",
    why="A crop that is too short ends the video early. The rest of a crop that is too long is never used, and the "
    "last window is still padded unless the requested frame count is aligned.",
    example="an AudioCrop to 0:20 with num_frames = 369 at 25 fps (14.76 s)",
    fix="Crop the audio to the requested frames, or request the frames that the cropped audio fills.",
)(_nothing_in_logs)

rule(
    "AUD010",
    "truncated-request",
    "warning",
    witness="workflow",
    cause="request yields one frame less",
    summary="Upstream's float arithmetic yields one frame less than requested.",
    why="The waveform is cut to int(frames / fps x 16000) samples, which yield int(samples / 16000 x fps) frames. Some "
    "requests lose a frame this way, and an aligned count is then no longer aligned.",
    example='"num_frames": 945 at 25 fps gives 944 frames',
    fix="Request the frame count that `loganalyze plan` recommends.",
)(_nothing_in_logs)

rule(
    "SCH005",
    "context-windows",
    "error",
    witness="workflow",
    cause="context windows with audio",
    summary="Context options are connected to a sampler that processes audio in windows.",
    why="Context windows disable the windowed loop: the sampler processes the full length at once, or fails.",
    example="WanVideoContextOptions linked to a sampler that MultiTalkWav2VecEmbeds feeds",
    fix="Disconnect the context options from the sampler.",
)(_nothing_in_logs)

rule(
    "SCH006",
    "impossible-schedule",
    "error",
    witness="workflow",
    cause="impossible schedule",
    summary="Window and overlap do not form a valid schedule.",
    why="Upstream rounds the window down to 4k + 1 frames, so another window runs than the one you set. With an "
    "overlap as long as the window, no window adds frames.",
    example='"frame_window_size": 80',
    fix="Set the window to 81 frames and the overlap to 9.",
)(_nothing_in_logs)

rule(
    "SCH007",
    "steps-ignored",
    "warning",
    witness="workflow",
    cause="step setting ignored",
    summary="The `multitalk` scheduler ignores the step setting: it always runs 4 steps.",
    why="The run's steps differ from the workflow's setting, so its time is not comparable.",
    example='"scheduler": "multitalk", "steps": 6',
    fix="Set the steps to 4, or use another scheduler.",
)(_nothing_in_logs)


rule(
    "SCH008",
    "dummy-video",
    "warning",
    witness="workflow",
    cause="video node gets a placeholder",
    summary="Windows are saved to a folder, so the node passes on a placeholder instead of the video.",
    why="With an output path, the loop writes its frames there and returns a placeholder. After the full run, the node "
    "that writes the video gets no frames.",
    example='"output_path": "/workspace/frames" in a workflow with VHS_VideoCombine',
    fix="Clear the output path, or assemble the video from the saved frames.",
)(_nothing_in_logs)


@rule(
    "RUN005",
    "workflow-mismatch",
    "warning",
    cause="log and workflow differ",
    summary="The log shows other settings than its workflow.",
    why="Either the log belongs to another run, or a node between the workflow and the sampler changed a setting. "
    "Conclusions from the workflow may then be wrong.",
    example="Sampling 369 frames in 6 windows, at 832x480 with 4 steps\n# with a workflow that requests 1280x720",
    fix="Pass this run's own workflow (--workflow), or find the node that changes the setting.",
)
def workflow_mismatch(context: Context) -> Outcome:
    """Compares frames, steps, size and LoRA rank in the log with the workflow, as far as both state them."""
    requested = context.requested
    if requested is None:
        return make_outcome()
    runs = multitalk_runs(context)
    shown = runs.with_columns(pl.format("{}x{}", "width", "height").alias("size"), _logged_rank(context, runs))
    doubled = (pl.col("width") == 2 * pl.lit(requested.width)) & (pl.col("height") == 2 * pl.lit(requested.height))
    size_differs = ((pl.col("width") != requested.width) | (pl.col("height") != requested.height)) & ~doubled
    steps = pl.col("steps") != requested.steps
    found: list[pl.DataFrame] = []
    unrequested: list[str] = []
    unknown: list[pl.Expr] = []
    for what, setting, differs, seen, wanted in (
        (
            "frames",
            requested.frames,
            pl.col("audio_frames") > requested.frames,
            "audio_frames",
            f"at most {requested.frames}",
        ),
        ("steps", requested.steps, steps, "steps", str(requested.steps)),
        (
            "LoRA rank",
            requested.lora_rank,
            pl.col("logged_rank") != requested.lora_rank,
            "logged_rank",
            str(requested.lora_rank),
        ),
        ("size", requested.width and requested.height, size_differs, "size", f"{requested.width}x{requested.height}"),
    ):
        if setting is None:
            unrequested.append(what)
            continue
        unknown.append(pl.when(pl.col(seen).is_null()).then(pl.lit(what)))
        found.append(
            make_findings(shown.filter(differs), partial(_mismatch_texts, what, pl.col(seen).cast(pl.String), wanted))
        )
    return make_outcome(
        pl.concat(found) if found else None, *_skip_unknown(shown, unrequested, unknown), skip_other_loops(context)
    )


def _skip_unknown(runs: pl.DataFrame, unrequested: list[str], unknown: list[pl.Expr]) -> list[pl.DataFrame]:
    """Returns rows of `not_checked` for settings missing in the workflow (`unrequested`) or the log (`unknown`)."""
    missing = pl.concat_str(unknown, separator=", ", ignore_nulls=True) if unknown else pl.lit("")
    silent = runs.with_columns(missing.alias("unknown")).filter(pl.col("unknown") != "")
    return [
        skip(runs if unrequested else runs.clear(), f"the workflow does not state: {', '.join(unrequested)}"),
        skip(silent, pl.format("the log does not state: {}", "unknown")),
    ]


def _mismatch_texts(what: str, seen: pl.Expr, wanted: str) -> Texts:
    return Texts(
        message=pl.format(f"The log shows {what} {{}}, but the workflow requests {wanted}.", seen),
        observed=seen,
        expected=pl.lit(wanted),
    )


def _logged_rank(context: Context, runs: pl.DataFrame) -> pl.Series:
    """Returns the rank of each run's LoRA if the log itself states it."""
    ranks_in_log = (
        context.found.loras.filter(pl.col("rank").is_not_null()).group_by("prompt_id").agg(pl.col("rank").unique())
    )
    ranks = runs.join(ranks_in_log, on="prompt_id", how="left", maintain_order="left")
    own = ranks["lora_rank"]
    return pl.select(
        pl.when(ranks["rank"].list.contains(own)).then(own).otherwise(pl.lit(None, pl.Int64)).alias("logged_rank")
    ).to_series()
