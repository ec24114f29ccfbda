"""The columns of the table `runs`: one row per sampling stage."""

from __future__ import annotations

from typing import Final

from loganalyzer.tables.column import (
    END_LINE,
    LINE,
    PROMPT_ID,
    SOURCE,
    STREAM,
    Column,
    count,
    figure,
    flag,
    foreign,
    text,
)

_OF_START: Final = "of the last server start above the run, as in `environment`"

RUNS: Final[tuple[Column, ...]] = (
    text("run_id", "name of the run; it follows from the log's content and place"),
    PROMPT_ID,
    SOURCE,
    STREAM,
    LINE,
    END_LINE,
    foreign(
        "mode",
        "`infinitetalk`, `multitalk`, `skyreelsv3`, `s2v`, `wananimate`, `longcat`, `plain`, or the log's own word",
    ),
    text(
        "status",
        "as for prompts, for this stage. `truncated` also if windows are missing and another stage follows, or if "
        "neither a report nor an end comes before the next request and its stage",
    ),
    count("audio_frames", "length A of the audio in the header, in frames"),
    count("requested_frames", "frames that the workflow asked for"),
    figure("audio_s", "duration of the raw audio"),
    count("width", "width of the video, in pixels"),
    count("height", "height of the video, in pixels"),
    count("steps", "diffusion steps per window"),
    count("speakers", "number of speakers"),
    count(
        "shortest_frames", "length of the shortest speaker's audio, in frames; null unless all lengths are in the log"
    ),
    count("announced_windows", "the header's estimate of windows"),
    count("observed_windows", "windows with a bar or a line; null if the log has neither"),
    count("expected_windows", "windows that the loop really runs"),
    count("window_frames", "frames per window, as the ranges show"),
    count("motion_frames", "frames that a window shares with the one before"),
    count("drop_frames", "frames that the loop drops at each window's start"),
    count("stride", "frames from one window's start to the next"),
    flag("schedule_observed", "false if the overlap is the configured one, as with a single window"),
    flag("aligned", "whether A is the end of a window"),
    count(
        "missing_frames",
        "frames that no audio drives, by the warnings or by every speaker's length; null if the log has neither",
    ),
    flag("mirrored", "whether mirrored speech drives the missing frames instead of silence; null if unknown"),
    count("lora_rank", "rank of the speed LoRA, from its name"),
    foreign("quantization", "quantization of the model"),
    text(
        "quantization_source",
        "where it comes from: `log` (the log names it exactly: tensor types of a GGUF file, the file's path, the size "
        "of blocks in the block swap summary; if a prompt of ComfyUI's own nodes loads no model, all loads of the same "
        "server start before it, if they agree), `recorder` (the name of the model file in the recorder's lines), "
        "`option`, `workflow`, `filename`, `vram`. The first of these that is known wins",
    ),
    foreign("declared_quantization", "what an option or a workflow says; MOD003 if the log contradicts it"),
    figure("peak_allocated_gib", "allocated memory in the stage's final report, or in the recorder's lines"),
    figure("peak_reserved_gib", "reserved memory, likewise"),
    text(
        "peak_covers",
        "`stage` (a true peak), `last-window` (the peak of the last window, sampling included: with a tiny VAE, or "
        "when memory ran out), `residue` or `last-decode` (neither is a sampling peak)",
    ),
    count("peak_line", "line of that report"),
    text("wrapper_era", "wrapper revisions that fit the forms in the log, e.g. `2025-09-06..2025-12-01`"),
    count("swapped_blocks", "transformer blocks swapped to the CPU"),
    figure("sampling_s", "time of all steps"),
    figure("decode_s", "time of VAE decoding inside the loop"),
    figure("total_s", "time of all windows"),
    figure("prompt_s", "time of the whole prompt"),
    foreign("gpu", f"the GPU, {_OF_START}"),
    figure("total_vram_gib", f"memory of the GPU, {_OF_START}"),
    foreign("comfyui_version", f"version of ComfyUI, {_OF_START}"),
    foreign("torch_version", f"version of PyTorch, {_OF_START}"),
    figure("band_low_gib", "lower end of the baseline's band for the allocated peak; null without a baseline"),
    figure("band_high_gib", "upper end of that band"),
    flag(
        "finish_observed", "whether the log shows the end of sampling: a memory report, or the last window's last step"
    ),
    text(
        "verdict", "`pass`, `warn` or `fail`, by the run's own findings. MEM005 compares runs and does not count here"
    ),
    flag(
        "complete",
        "whether the deciding checks could be made: how the run ended (RUN001), its schedule (SCH001, SCH003), the end "
        "of its audio (AUD001), and its memory (MEM001, MEM002) if a quantization is known and a baseline exists",
    ),
    count("environment_line", "line of the last server start above the run"),
    foreign("attention", f"attention mode, {_OF_START}"),
    foreign("precision", f"precision, {_OF_START}"),
    foreign("vram_state", f"memory mode, {_OF_START}"),
    foreign("memory_options", f"memory options, {_OF_START}"),
    foreign("driver", f"driver, {_OF_START}"),
    foreign("python_version", f"version of Python, {_OF_START}"),
    foreign("frontend_version", f"version of the frontend, {_OF_START}"),
    foreign("arguments", f"options of `main.py`, {_OF_START}"),
    foreign("packages", f"packages, {_OF_START}, joined by `, `"),
    foreign("custom_nodes", f"node packs, {_OF_START}, joined by `, `"),
    text(
        "producer",
        "who sampled: `wrapper` (WanVideoWrapper's sampler), `core` (ComfyUI's own nodes), `autosampler` (an add-on "
        "that loops them), or another program: `lightx2v`, `meigen`, `wan2gp` ([producers](producers.md))",
    ),
    count(
        "output_frames",
        "frames that a completed stage renders: W + (n - 1)·S for n windows, F for a plain stage; before the "
        "auto-sampler cuts them back to A",
    ),
    text("adapter_quantization", "quantization of InfiniteTalk's adapter, if the log or the recorder names its file"),
    foreign("model", "file name of the model, as the recorder prints it"),
    foreign("adapter", "file name of InfiniteTalk's adapter, as the recorder prints it"),
    foreign("sampler_attention", "attention mode of the model that the sampler uses, as the recorder prints it"),
    count("model_line", "line of the recorder that names model, adapter and attention mode"),
)
