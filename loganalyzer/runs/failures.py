"""Reads where a prompt failed and its memory figures, from tracebacks, allocators and ComfyUI's error reports.

An error report (ComfyUI's "Show report") describes one failure above a copy of the log. The log may show the same
failure, which then counts once.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.grammar.causes import explain_errors
from loganalyzer.runs.timeline import Timeline

_KEYS: Final = ["lane", "prompt"]
_TYPE: Final = r"^[A-Za-z_][A-Za-z0-9_.]*$"
"""The name of an exception type. A message that contains a colon does not match."""
_ALIKE: Final = 20
"""Number of characters that must match for a report's message and a log's message to be one failure.

The log may cut the message off.
"""
DETAILS: Final = {
    "exception_type": pl.String,
    "failed_in": pl.String,
    "failed_phase": pl.String,
    "cause": pl.String,
    "memory_used_gib": pl.Float64,
    "memory_requested_gib": pl.Float64,
    "memory_limit_gib": pl.Float64,
}
"""The columns that `with_details` adds."""


def with_details(timeline: Timeline, prompts: pl.DataFrame) -> pl.DataFrame:
    """`prompts` (as from `with_report`) with the columns of `DETAILS`.

    `failed_in` names the known parts of node, pack, file, line and function, e.g.
    `node 128 WanVideoSampler, ComfyUI-WanVideoWrapper/nodes.py:2950 in process`. `failed_phase` is `encode` or `decode`
    if the failing code called the VAE.
    """
    known = prompts.join(_dead_workers(timeline), on=_KEYS, how="left", maintain_order="left")
    failed = known.filter(pl.col("status") == "failed").select(*_KEYS, "reported")
    if failed.is_empty():
        missing = (pl.lit(None, dtype).alias(name) for name, dtype in DETAILS.items() if name not in known.columns)
        return known.drop("reported", "node", "recorded_type", "recorded_node").with_columns(*missing)
    begins = _locate_tracebacks(timeline)
    for part in (
        _innermost_frames(timeline, begins, failed),
        _exception_types(timeline, begins),
        _vae_phases(timeline, begins, failed),
    ):
        known = known.join(part, on=_KEYS, how="left", maintain_order="left")
    known = known.join(_memory_figures(timeline), on=_KEYS, how="left", maintain_order="left")
    is_failed = pl.col("status") == "failed"
    found = known.with_columns(
        pl.coalesce("exception_type", "printed_type", "recorded_type").alias("exception_type"),
        pl.concat_str(pl.coalesce("node", "recorded_node"), "frame", separator=", ", ignore_nulls=True)
        .replace("", None)
        .alias("failed_in"),
    )
    detailed = found.with_columns(pl.when(is_failed).then(name).alias(name) for name in DETAILS if name != "cause")
    return _with_causes(detailed).drop("reported", "node", "frame", "printed_type", "recorded_type", "recorded_node")


def _with_causes(prompts: pl.DataFrame) -> pl.DataFrame:
    """`prompts` with `cause`: the meaning of a known exception in plain words."""
    error_text = pl.concat_str("exception_type", "error", separator=": ", ignore_nulls=True)
    errors = prompts.select(pl.when(pl.col("status") == "failed").then(error_text).alias("said"))["said"]
    return prompts.with_columns(explain_errors(errors)["cause"])


def with_report(timeline: Timeline, prompts: pl.DataFrame) -> pl.DataFrame:
    """`prompts` with `reported`, `node` and `exception_type` from the error report above a log.

    The report belongs to the last prompt that failed with this message, else to the last one without an end, else to
    the last prompt.
    """
    reports = _read_reports(timeline)
    blank = {"reported": pl.Boolean, "node": pl.String, "exception_type": pl.String}
    if reports.is_empty() or prompts.is_empty():
        return prompts.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in blank.items())
    joined = prompts.join(reports, on="lane", how="left", maintain_order="left")
    is_same = pl.col("error").str.head(_ALIKE) == pl.col("report_message").str.head(_ALIKE)
    rank = (
        pl.when((pl.col("status") == "failed") & is_same.fill_null(value=False))
        .then(2)
        .when(pl.col("status").is_in(["failed", "truncated"]))
        .then(1)
        .otherwise(0)
    )
    order = rank * (pl.col("prompt").max() + 1) + pl.col("prompt")
    is_reported = pl.col("report_message").is_not_null() & (order == order.max().over("lane"))
    message = pl.coalesce(pl.when(pl.col("status") == "failed").then("error"), "report_message")
    return joined.with_columns(is_reported.alias("reported")).with_columns(
        pl.when("reported").then(pl.lit("failed")).otherwise("status").alias("status"),
        pl.when("reported").then(message).otherwise("error").alias("error"),
        pl.when("reported").then("node").alias("node"),
        pl.when("reported").then("report_type").alias("exception_type"),
    ).drop("report_message", "report_type")  # fmt: skip


def _read_reports(timeline: Timeline) -> pl.DataFrame:
    """lane, report_message, report_type, node: from the last error report of each lane."""
    values = {
        "report-exception-message": pl.col("message").fill_null("no message in the report").alias("report_message"),
        "report-exception-type": pl.col("exception_type").alias("report_type"),
        "report-node-id": pl.col("node_id"),
        "report-node-type": pl.col("node_type"),
    }
    lanes = timeline.lanes.select("lane")
    for event, value in values.items():
        last = timeline.records(event).sort("place").group_by("lane", maintain_order=True).agg(value.last())
        lanes = lanes.join(last, on="lane", how="left")
    node = pl.concat_str(pl.lit("node"), "node_id", "node_type", separator=" ", ignore_nulls=True)
    named = pl.when(pl.any_horizontal(pl.col("node_id", "node_type").is_not_null())).then(node)
    return lanes.filter(pl.col("report_message").is_not_null()).select(
        "lane", "report_message", "report_type", named.alias("node")
    )


def _locate_tracebacks(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, begins, ends, died: the place of the traceback of each prompt's failure.

    It begins after the exception's message, else after the message of the process's death, else at the last traceback.
    It ends at the line that names the exception.
    """
    marks = [
        timeline.records(name).select(*_KEYS, "place", pl.lit(rank).alias("rank"))
        for rank, name in enumerate(("exception", "process-died", "traceback"))
    ]
    first = (
        pl.concat(marks)
        .sort("lane", "prompt", "rank", "place")
        .group_by(_KEYS, maintain_order=True)
        .agg(
            pl.when(pl.col("rank").first() == 2).then(pl.col("place").last()).otherwise(pl.col("place").first())
            .alias("begins"),
            (pl.col("rank").first() == 1).alias("died"),
        )
    )  # fmt: skip
    types = timeline.records("exception-type").select(*_KEYS, pl.col("place").alias("ends"))
    ends = (
        types.join(first, on=_KEYS).filter(pl.col("ends") > pl.col("begins")).group_by(_KEYS).agg(pl.col("ends").min())
    )
    return first.join(ends, on=_KEYS, how="left")


def _records_inside(timeline: Timeline, event: str, begins: pl.DataFrame, lost: pl.DataFrame) -> pl.DataFrame:
    """An event's records inside the traceback of a prompt's failure, or above the log in an error report."""
    found = timeline.records(event)
    joined = found.join(begins, on=_KEYS)
    end = pl.col("ends").fill_null(joined["place"].max() if joined.height else 0)
    own = joined.filter((pl.col("place") > pl.col("begins")) & (pl.col("place") <= end))
    logs = timeline.records("report-logs").group_by("lane").agg(pl.col("place").max().alias("logs"))
    last_reported = lost.filter("reported").group_by("lane").agg(pl.col("prompt").last().alias("told"))
    above = found.join(logs, on="lane").join(last_reported, on="lane").filter(pl.col("place") < pl.col("logs"))
    reported = above.with_columns(pl.col("told").alias("prompt"), died=pl.lit(value=False)).select(
        *found.columns, "died"
    )
    return pl.concat([reported, own.select(*found.columns, "died")]).sort("lane", "place")


def _innermost_frames(timeline: Timeline, begins: pl.DataFrame, lost: pl.DataFrame) -> pl.DataFrame:
    """lane, prompt, frame: the innermost line of a node pack's code. A dying process prints it first, others last."""
    path = pl.col("path").str.replace_all("\\", "/", literal=True).str.replace_all("//", "/", literal=True)
    frame = pl.format("{}:{} in {}", path.str.strip_chars_start("/"), "number", "function")
    innermost = pl.when(pl.col("died").first()).then(frame.first()).otherwise(frame.last())
    found = _records_inside(timeline, "traceback-frame", begins, lost)
    return found.group_by(_KEYS, maintain_order=True).agg(innermost.alias("frame"))


def _exception_types(timeline: Timeline, begins: pl.DataFrame) -> pl.DataFrame:
    """lane, prompt, printed_type: the exception's type, from the last line of its traceback."""
    types = timeline.records("exception-type").join(begins, on=_KEYS).filter(pl.col("place") == pl.col("ends"))
    name = pl.concat_str("exception_name", "exception_suffix")
    named = types.filter(name.str.contains(_TYPE))
    return named.group_by(_KEYS).agg(name.first().alias("printed_type"))


def _vae_phases(timeline: Timeline, begins: pl.DataFrame, lost: pl.DataFrame) -> pl.DataFrame:
    """lane, prompt, failed_phase: `encode` or `decode`, if the failing line of code calls the VAE."""
    found = _records_inside(timeline, "traceback-vae", begins, lost)
    return found.group_by(_KEYS, maintain_order=True).agg(pl.col("vae_call").last().alias("failed_phase"))


def _memory_figures(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, and the allocator's figures at the failure: in use, requested at once, and limit, in GiB."""
    used = timeline.records("oom-allocated").select(*_KEYS, "place", pl.col("oom_used_gib").alias("memory_used_gib"))
    requested = timeline.records("oom-requested").select(
        *_KEYS, "place", pl.col("oom_requested_gib").alias("memory_requested_gib")
    )
    limit = timeline.records("oom-limit").select(*_KEYS, "place", pl.col("oom_limit_gib").alias("memory_limit_gib"))
    torch = timeline.records("oom-torch").select(
        *_KEYS,
        "place",
        (pl.col("oom_limit_gib") - pl.col("oom_free_gib")).alias("memory_used_gib"),
        pl.col("oom_requested_gib").alias("memory_requested_gib"),
        pl.col("oom_limit_gib").alias("memory_limit_gib"),
    )
    figures = pl.concat([used, requested, limit, torch], how="diagonal").sort("place")
    names = ("memory_used_gib", "memory_requested_gib", "memory_limit_gib")
    return figures.group_by(_KEYS).agg(pl.col(name).drop_nulls().last() for name in names)


def _dead_workers(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, worker_died_line, never_ran: the line of the prompt thread's death, and the lost requests.

    No prompt ends after that, so every later request up to the next server start is in the same prompt.
    """
    died = timeline.records("worker-died").group_by(_KEYS).agg(pl.col("line").min().alias("worker_died_line"))
    counts = [
        timeline.records(event).group_by(_KEYS).agg(pl.len().cast(pl.Int64).alias(event))
        for event in ("arrival", "refusal")
    ]
    for count in counts:
        died = died.join(count, on=_KEYS, how="left")
    waiting = pl.col("arrival").fill_null(0) - pl.col("refusal").fill_null(0) - 1
    return died.select(*_KEYS, "worker_died_line", pl.max_horizontal(waiting, pl.lit(0)).alias("never_ran"))
