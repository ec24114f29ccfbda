"""Rules about what a workflow asks for: those that no log can show, and the log held against its workflow."""

from __future__ import annotations

from functools import partial

import polars as pl

from loganalyzer.checks.findings import Texts, findings, outcome, skipped, texts
from loganalyzer.checks.registry import Context, Outcome, rule
from loganalyzer.checks.schedule import other_loops, talking


def _no_log_shows_it(_context: Context) -> Outcome:
    return outcome()


rule(
    "AUD007",
    "unaligned-request",
    "warning",
    witness="workflow",
    cause="frame count not aligned",
    summary="The frames asked for do not end where a window ends.",
    why="Where the audio is at least as long, the loop ends at the frames asked for, and padding fills the last "
    "window. With the audio's length (--audio, or a crop in the workflow) it is known what will be missing: that is "
    "AUD001.",
    example='"num_frames": 1000',
    fix="Ask for an aligned count: `loganalyze plan` names them.",
)(_no_log_shows_it)

rule(
    "AUD008",
    "rates-disagree",
    "error",
    witness="workflow",
    cause="frame rates differ",
    summary="The node that writes the video and the one that reads the audio have different frame rates.",
    why="The mouth is made for one rate and shown at another: it drifts away from the sound from the first second on.",
    example='"fps": 25 in the audio node, "frame_rate": 24 in the video node',
    fix="Give both nodes the same rate.",
)(_no_log_shows_it)

rule(
    "AUD009",
    "crop-and-frames",
    "warning",
    witness="workflow",
    cause="audio crop and frame count differ",
    summary="The audio is cut to another length than the frames asked for.",
    why="What is cut too short ends the video early; what is left too long is never heard, and the last window is "
    "still padded unless the frames asked for are aligned.",
    example="an AudioCrop to 0:20 beside num_frames = 369 at 25 fps (14.76 s)",
    fix="Cut the audio to the frames, or ask for the frames that the cut audio fills.",
)(_no_log_shows_it)

rule(
    "AUD010",
    "truncated-request",
    "warning",
    witness="workflow",
    cause="request yields one frame less",
    summary="Upstream's float arithmetic makes one frame less of this request.",
    why="The waveform is cut to int(frames / fps x 16000) samples, of which int(samples / 16000 x fps) frames are "
    "made: for some requests one is lost, and an aligned count is no longer aligned.",
    example='"num_frames": 945 at 25 fps gives 944 frames',
    fix="Ask for the count that `loganalyze plan` recommends.",
)(_no_log_shows_it)

rule(
    "SCH005",
    "context-windows",
    "error",
    witness="workflow",
    cause="context windows with audio",
    summary="Context options are connected to a sampler that goes through audio in windows.",
    why="Context windows exclude the windowed loop: with them the whole length is sampled as one, or not at all.",
    example="WanVideoContextOptions linked to a sampler that MultiTalkWav2VecEmbeds feeds",
    fix="Disconnect the context options.",
)(_no_log_shows_it)

rule(
    "SCH006",
    "impossible-schedule",
    "error",
    witness="workflow",
    cause="impossible schedule",
    summary="Window and overlap do not make a schedule.",
    why="The window is forced to 4k + 1 frames, so that another one runs than was typed; an overlap as long as the "
    "window leaves no way forward.",
    example='"frame_window_size": 80',
    fix="Use 81 and 9.",
)(_no_log_shows_it)

rule(
    "SCH007",
    "steps-ignored",
    "warning",
    witness="workflow",
    cause="step setting ignored",
    summary="The `multitalk` scheduler ignores the step setting: it always takes 4.",
    why="The run takes other steps than the workflow says, and its time is not comparable.",
    example='"scheduler": "multitalk", "steps": 6',
    fix="Set the steps to 4, or take another scheduler.",
)(_no_log_shows_it)


rule(
    "SCH008",
    "dummy-video",
    "warning",
    witness="workflow",
    cause="video node gets a placeholder",
    summary="Windows are saved into a folder, so that the node hands on a dummy instead of the video.",
    why="With an output path the loop writes its frames there and returns a placeholder: the node that writes the "
    "video gets nothing worth keeping, after the whole run was paid for.",
    example='"output_path": "/workspace/frames" beside a VHS_VideoCombine',
    fix="Clear the output path, or put the video together from the saved frames.",
)(_no_log_shows_it)


rule(
    "MOD004",
    "attention-mode",
    "warning",
    witness="workflow",
    cause="other attention mode",
    summary="The workflow uses another attention mode than the expected one (`attention_mode`, by default `sdpa`).",
    why="Another mode changes step times and images, so the run is not comparable with the others, and modes that need "
    "a package fail on machines without it. No log shows the mode: ComfyUI's line `Using sage attention` is about its "
    "own attention, and the sampler of WanVideoWrapper uses that of its model loader.",
    example='"attention_mode": "sageattn"',
    fix="Set the attention mode of the model loader to sdpa, or set `attention_mode` in the configuration to the mode "
    "that is meant.",
)(_no_log_shows_it)


@rule(
    "RUN005",
    "workflow-mismatch",
    "warning",
    cause="log and workflow differ",
    summary="The log shows other settings than the workflow that it is held against.",
    why="Either the log belongs to another run, or something between the workflow and the sampler changed what was "
    "asked for; whatever is concluded from the workflow may then be wrong.",
    example="Sampling 369 frames in 6 windows, at 832x480 with 4 steps, where the workflow asks for 640x640",
    fix="Name the workflow of this very run (--workflow), or find out which node changes the setting.",
)
def workflow_mismatch(context: Context) -> Outcome:
    """Frames, steps, size and LoRA rank of the header against the workflow; only what both tell."""
    asked = context.requested
    if asked is None:
        return outcome()
    runs = talking(context)
    shown = runs.with_columns(pl.format("{}x{}", "width", "height").alias("size"), _logged_rank(context, runs))
    doubled = (pl.col("width") == 2 * pl.lit(asked.width)) & (pl.col("height") == 2 * pl.lit(asked.height))
    size_differs = ((pl.col("width") != asked.width) | (pl.col("height") != asked.height)) & ~doubled
    steps = pl.col("steps") != asked.steps
    found: list[pl.DataFrame] = []
    unasked: list[str] = []
    untold: list[pl.Expr] = []
    for what, told, differs, seen, wanted in (
        ("frames", asked.frames, pl.col("audio_frames") > asked.frames, "audio_frames", f"at most {asked.frames}"),
        ("steps", asked.steps, steps, "steps", str(asked.steps)),
        ("LoRA rank", asked.lora_rank, pl.col("logged_rank") != asked.lora_rank, "logged_rank", str(asked.lora_rank)),
        ("size", asked.width and asked.height, size_differs, "size", f"{asked.width}x{asked.height}"),
    ):
        if told is None:
            unasked.append(what)
            continue
        untold.append(pl.when(pl.col(seen).is_null()).then(pl.lit(what)))
        found.append(findings(shown.filter(differs), partial(_mismatch, what, pl.col(seen).cast(pl.String), wanted)))
    return outcome(pl.concat(found) if found else None, *_not_compared(shown, unasked, untold), other_loops(context))


def _not_compared(runs: pl.DataFrame, unasked: list[str], untold: list[pl.Expr]) -> list[pl.DataFrame]:
    """What the workflow does not tell, and what the log does not (its name, null where it does)."""
    missing = pl.concat_str(untold, separator=", ", ignore_nulls=True) if untold else pl.lit("")
    silent = runs.with_columns(missing.alias("untold")).filter(pl.col("untold") != "")
    return [
        skipped(runs if unasked else runs.clear(), f"the workflow does not tell: {', '.join(unasked)}"),
        skipped(silent, pl.format("the log does not tell: {}", "untold")),
    ]


def _mismatch(what: str, seen: pl.Expr, wanted: str) -> Texts:
    return texts(
        message=pl.format(f"The {what} of this run: {{}}; the workflow asks for {wanted}.", seen),
        observed=seen,
        expected=pl.lit(wanted),
        fix=pl.lit("Name the workflow of this very run, or find the node that changes the setting."),
    )


def _logged_rank(context: Context, runs: pl.DataFrame) -> pl.Series:
    """The rank of each run's LoRA as the log itself tells it."""
    told = context.found.loras.filter(pl.col("rank").is_not_null()).group_by("prompt_id").agg(pl.col("rank").unique())
    ranks = runs.join(told, on="prompt_id", how="left", maintain_order="left")
    own = ranks["lora_rank"]
    return pl.select(
        pl.when(ranks["rank"].list.contains(own)).then(own).otherwise(pl.lit(None, pl.Int64)).alias("logged_rank")
    ).to_series()
