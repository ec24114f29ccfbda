"""The columns of every table, in the order in which they are written.

The tables are a contract with everyone who reads the Parquet files or the JSON document. Windows, steps, prompts and
runs count from 1, audio indices are frames with the end excluded, and a value that is not in the log is null.
"""

from __future__ import annotations

from typing import Final

from loganalyzer.tables.column import (
    END_LINE,
    LINE,
    PROMPT_ID,
    RUN_ID,
    SOURCE,
    STREAM,
    TEXTS,
    WINDOW,
    Column,
    count,
    figure,
    flag,
    foreign,
    moment,
    text,
)
from loganalyzer.tables.run_columns import RUNS

_RULE: Final = text("rule", "id of the rule, e.g. `AUD001`; see [rules](rules.md)")
_NAME: Final = text("name", "name of the rule, e.g. `audio-shortfall`")

COLUMNS: Final[dict[str, tuple[Column, ...]]] = {
    "sources": (
        foreign("source", "name as given, or as found in a folder"),
        text("digest", "SHA-256 of the decoded text"),
        count("bytes", "size after unpacking"),
        count("lines", "physical lines"),
        foreign("encoding", "how the input was decoded"),
        count("undecodable", "bytes that had to be replaced"),
        count("records", "lines that hold a recognized message or bar"),
        count("near", "lines that hold a near miss. A line whose bar shows both counts in both"),
        count(
            "unknown",
            "lines that hold neither: lines of other nodes, which are normal, and blank ones. No line counts twice: "
            "`lines` - `unknown` is the number of lines that are known or nearly known",
        ),
    ),
    "prompts": (
        text("prompt_id", "name of the prompt; it follows from the log's content and place"),
        SOURCE,
        STREAM,
        LINE,
        END_LINE,
        figure("duration_s", "as `Prompt executed` prints it"),
        text("status", "`completed`, `failed`, `interrupted`, `truncated`"),
        foreign("error", "the failure's message, or what stands in for it if the log has no known one (see below)"),
        foreign("exception_type", "the exception's type, from its traceback's last line or ComfyUI's error report"),
        foreign("failed_in", "node, node pack, file, line and function, as far as the log names them"),
        text("failed_phase", "`encode` or `decode` if the failing line of code called the VAE, else null"),
        foreign("cause", "what the exception means, in plain words; see [failures](failures.md)"),
        figure("memory_used_gib", "memory in use when it ran out"),
        figure("memory_requested_gib", "memory requested in one piece when it ran out"),
        figure("memory_limit_gib", "the GPU's memory when it ran out"),
        count("worker_died_line", "where the thread that runs prompts died"),
        count("never_ran", "how many later requests that thread left"),
        count("other_stages", "stages of ComfyUI's samplers with models other than Wan's, which are not analyzed"),
        foreign("other_models", "the classes of those models, joined by `, `; null if there are none"),
        flag("excerpt", "whether the log has neither start nor end of the prompt, and nothing shows that it broke off"),
        moment("started_at", "first timestamp, if lines have any"),
        moment("ended_at", "last timestamp, if lines have any"),
    ),
    "runs": RUNS,
    "windows": (
        RUN_ID,
        WINDOW,
        count("audio_start", "first frame of the observed range; LongCat: audio index, two per frame in version 1.0"),
        count("audio_end", "end of the observed range, excluded"),
        count("expected_start", "first frame by the schedule; for LongCat by the segment before"),
        count("expected_end", "end by the schedule, excluded"),
        count("steps_done", "steps that the bar shows as done"),
        count("steps_total", "steps that the bar counts to"),
        figure("sampling_s", "time of the steps"),
        figure("total_s", "time of the window with VAE decoding"),
        figure("s_per_step", "mean time of a step"),
        LINE,
        flag("matches", "whether the observed range is the scheduled one"),
        figure(
            "total_uncertainty_s",
            "bound of the error of `total_s`; null if the closing refresh may be the last step's",
        ),
        text(
            "range_source",
            "where the observed range comes from: `bar`, `line` (a line without a bar), `recorded` (only the recorder "
            "shows it), `inferred` (from the schedule: the first window of ComfyUI's own nodes, and windows of "
            "programs that print no range)",
        ),
    ),
    "steps": (
        RUN_ID,
        WINDOW,
        count("step", "number of the step, from 1"),
        figure("duration_s", "time of the step"),
        figure("uncertainty_s", "bound of its error"),
        text(
            "method",
            "`rate` (recovered from smoothed rates), `printed` (the log states it), `recorded` (by the recorder), "
            "`timestamps`, `elapsed` (whole seconds), `average` (only the closing figure is there)",
        ),
        LINE,
    ),
    "paddings": (
        RUN_ID,
        WINDOW,
        count("subject", "the speaker, from 0; null for LongCat"),
        count("have", "frames that the audio has, as printed; null if the log lost the warning's first line"),
        count("need", "frames that the window needs, as printed; null likewise. LongCat: end of the segment's range"),
        count("padding", "frames that are padded, as printed"),
        count("missing", "frames that no audio drives: need - have, or padding - 3 if those are null"),
        count("context", "padding - missing"),
        LINE,
    ),
    "memory": (
        RUN_ID,
        foreign("phase", "as printed"),
        figure("allocated_gib", "allocated memory"),
        figure("max_allocated_gib", "peak of allocated memory since the last reset"),
        figure("max_reserved_gib", "peak of reserved memory since the last reset"),
        LINE,
    ),
    "loras": (
        PROMPT_ID,
        foreign("name", "as printed"),
        count("rank", "rank, from the name"),
        foreign("strength", "as printed; may be a list"),
        LINE,
    ),
    "nodes": (
        PROMPT_ID,
        foreign("node", "id of the node in the graph, as the recorder prints it"),
        foreign("class", "class of the node"),
        figure("duration_s", "time of the node"),
        figure("peak_allocated_gib", "peak of allocated memory since the node began, across all resets of the counter"),
        figure("peak_reserved_gib", "peak of reserved memory, likewise"),
        figure("free_gib", "free memory of the GPU when the node ended"),
        figure("others_gib", "memory that other processes used then"),
        figure("temperature_c", "temperature of the GPU then, in °C; null without NVML"),
        figure("clock_mhz", "clock of the GPU then, in MHz; null without NVML"),
        foreign("throttle", "why the GPU slowed its clock, as NVML names it; empty if it did not"),
        LINE,
    ),
    "events": (
        SOURCE,
        STREAM,
        text("run_id", "the run, as in `runs`, whose lines contain this one; null outside all runs"),
        LINE,
        text("event", "the pattern's `event`"),
        text("pattern", "the pattern's `id`"),
        text("field", "name of the field in the pattern's template; null if the template has none"),
        foreign("value", "as printed, at most 1,000 characters; null if an optional part is not in the line"),
        figure(
            "number",
            "the value as a number, if the field's type is one: sizes in GiB, clocks and rates in seconds. Null for "
            "other types and numbers that do not fit",
        ),
    ),
    "environment": (
        SOURCE,
        STREAM,
        count("line", "where the server's start begins"),
        foreign("gpu", "the GPU in use: the first that the start names"),
        figure("total_vram_gib", "memory of the GPU"),
        foreign("driver", "as `nvidia-smi` prints it, if a start script calls it before the server"),
        foreign("python", "version of Python"),
        foreign("torch", "version of PyTorch"),
        foreign("comfyui", "version of ComfyUI"),
        foreign("frontend", "version of the frontend"),
        foreign(
            "attention",
            "`sage`, `pytorch`, `xformers`, `flash`, `comfy kitchen`, `split`, `sub quadratic`: ComfyUI's own; the "
            "wrapper's sampler may use another",
        ),
        foreign("precision", "`fp16 accumulation`; `default` if the lines around that message are there without it"),
        foreign("vram_state", "`NORMAL_VRAM`, `LOW_VRAM`, …"),
        foreign("memory_options", "those that are on: `DynamicVRAM`, `async offloading`, `pinned memory`"),
        foreign("arguments", "the options of `main.py`, if a shell prints the command"),
        foreign("packages", "xformers, comfy-aimdo and comfy-kitchen with their versions", TEXTS),
        foreign(
            "custom_nodes",
            "by name: folder of each pack, its version if printed, `(import failed)` if it did not load. No paths",
            TEXTS,
        ),
    ),
    "findings": (
        _RULE,
        _NAME,
        text("severity", "`error`, `warning`, `info`"),
        RUN_ID,
        SOURCE,
        LINE,
        foreign("message", "what is wrong"),
        foreign("observed", "what the log shows"),
        foreign("expected", "what was expected"),
        foreign("fix", "what to change"),
    ),
    "not_checked": (
        _RULE,
        _NAME,
        RUN_ID,
        SOURCE,
        foreign("reason", "what the rule lacked"),
        text(
            "kind",
            "`log` (the log lacks what the rule needs), `configuration` (nothing is configured to compare with, such "
            "as a price or a history), `not-applicable` (the rule is about other runs). Only "
            "`log` makes a run incomplete",
        ),
    ),
    "near_misses": (
        SOURCE,
        LINE,
        text("pattern", "the pattern that nearly matches"),
        count("column", "where it stops matching, from 1; null after the first 20 of a pattern in an input"),
        foreign("expected", "what the pattern expects there; null likewise"),
        foreign("text", "the line"),
    ),
    "excerpts": (
        SOURCE,
        LINE,
        text("event", "the message that the line holds"),
        foreign("text", "the line"),
    ),
    "masked": (
        text("kind", "e.g. `huggingface`, `email`, `user`"),
        count("values", "how many different values were masked"),
        count("places", "in how many places of the tables"),
    ),
    "trends": (
        count("series", "number of the series in this table, from 1; those that got worse come first"),
        text("metric", "as in `history trend`"),
        text("title", "the metric in words"),
        text("unit", "unit of `value`"),
        foreign("key", "what the runs of the series share, in words"),
        text("verdict", "`regressed`, `suspected`, `improved`, `same`, `unknown`"),
        foreign("reason", "why"),
        RUN_ID,
        moment("at", "when the run took place"),
        figure("value", "its figure; the latest 60 of the series, oldest first"),
        flag("tonight", "whether the run is one of this analysis"),
        flag("changed", "whether a change starts with it"),
        figure("normal_low", "lower end of the normal range of one night; null with fewer than three nights before"),
        figure("normal_high", "upper end of that range"),
    ),
}  # fmt: skip
