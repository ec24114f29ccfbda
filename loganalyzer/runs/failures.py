"""Where a prompt failed and what its memory was: from tracebacks, allocators' figures and ComfyUI's error reports.

An error report (what "Show report" gives) tells of one failure above the log that it holds. That log may show the
failure as well: it counts once.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.grammar.causes import explain_errors
from loganalyzer.runs.timeline import Timeline

_KEYS: Final = ["lane", "prompt"]
_TYPE: Final = r"^[A-Za-z_][A-Za-z0-9_.]*$"
"""A type's name; a message with a colon in it is none."""
_ALIKE: Final = 20
"""Characters of a message by which a report's failure and one of its log are the same: the log may cut it."""
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
    """`prompts`, as `with_report` gives them, with the columns of `DETAILS`.

    `failed_in` names node, pack, file, line and function as far as they are known, e.g.
    `node 128 WanVideoSampler, ComfyUI-WanVideoWrapper/nodes.py:2950 in process`. `failed_phase` is `encode` or `decode`
    where the failing code called the VAE.
    """
    known = prompts.join(_workers(timeline), on=_KEYS, how="left", maintain_order="left")
    lost = known.filter(pl.col("status") == "failed").select(*_KEYS, "reported")
    if lost.is_empty():
        blank = (pl.lit(None, dtype).alias(name) for name, dtype in DETAILS.items() if name not in known.columns)
        return known.drop("reported", "node").with_columns(*blank)
    begins = _begins(timeline)
    for part in (_frames(timeline, begins, lost), _types(timeline, begins), _phases(timeline, begins, lost)):
        known = known.join(part, on=_KEYS, how="left", maintain_order="left")
    known = known.join(_memory(timeline), on=_KEYS, how="left", maintain_order="left")
    is_lost = pl.col("status") == "failed"
    found = known.with_columns(
        pl.coalesce("exception_type", "printed_type").alias("exception_type"),
        pl.concat_str("node", "frame", separator=", ", ignore_nulls=True).replace("", None).alias("failed_in"),
    )
    told = found.with_columns(pl.when(is_lost).then(name).alias(name) for name in DETAILS if name != "cause")
    return _with_causes(told).drop("reported", "node", "frame", "printed_type")


def _with_causes(prompts: pl.DataFrame) -> pl.DataFrame:
    """`prompts` with `cause`: what the exception means, in plain words, where that is known."""
    said = pl.concat_str("exception_type", "error", separator=": ", ignore_nulls=True)
    errors = prompts.select(pl.when(pl.col("status") == "failed").then(said).alias("said"))["said"]
    return prompts.with_columns(explain_errors(errors)["cause"])


def with_report(timeline: Timeline, prompts: pl.DataFrame) -> pl.DataFrame:
    """`prompts` with `reported`, `node` and `exception_type`: the failure that an error report above a log tells of.

    It is that of the last prompt that failed with this message, else of the last one without an end, else of the last.
    """
    reports = _reports(timeline)
    blank = {"reported": pl.Boolean, "node": pl.String, "exception_type": pl.String}
    if reports.is_empty() or prompts.is_empty():
        return prompts.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in blank.items())
    joined = prompts.join(reports, on="lane", how="left", maintain_order="left")
    alike = pl.col("error").str.head(_ALIKE) == pl.col("report_message").str.head(_ALIKE)
    rank = (
        pl.when((pl.col("status") == "failed") & alike.fill_null(value=False))
        .then(2)
        .when(pl.col("status").is_in(["failed", "truncated"]))
        .then(1)
        .otherwise(0)
    )
    order = rank * (pl.col("prompt").max() + 1) + pl.col("prompt")
    is_told = pl.col("report_message").is_not_null() & (order == order.max().over("lane"))
    message = pl.coalesce(pl.when(pl.col("status") == "failed").then("error"), "report_message")
    return joined.with_columns(is_told.alias("reported")).with_columns(
        pl.when("reported").then(pl.lit("failed")).otherwise("status").alias("status"),
        pl.when("reported").then(message).otherwise("error").alias("error"),
        pl.when("reported").then("node").alias("node"),
        pl.when("reported").then("report_type").alias("exception_type"),
    ).drop("report_message", "report_type")  # fmt: skip


def _reports(timeline: Timeline) -> pl.DataFrame:
    """lane, report_message, report_type, node: what the last error report of each lane says."""
    values = {
        "report-exception-message": pl.col("message").fill_null("no message in the report").alias("report_message"),
        "report-exception-type": pl.col("exception_type").alias("report_type"),
        "report-node-id": pl.col("node_id"),
        "report-node-type": pl.col("node_type"),
    }
    lanes = timeline.lanes.select("lane")
    for event, value in values.items():
        last = timeline.event(event).sort("place").group_by("lane", maintain_order=True).agg(value.last())
        lanes = lanes.join(last, on="lane", how="left")
    node = pl.concat_str(pl.lit("node"), "node_id", "node_type", separator=" ", ignore_nulls=True)
    named = pl.when(pl.any_horizontal(pl.col("node_id", "node_type").is_not_null())).then(node)
    return lanes.filter(pl.col("report_message").is_not_null()).select(
        "lane", "report_message", "report_type", named.alias("node")
    )


def _begins(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, begins, ends, died: where the traceback of a prompt's failure stands.

    It begins behind the message of the exception, else of the process's death, else of the last traceback, and ends at
    the line that names the exception.
    """
    marks = [
        timeline.event(name).select(*_KEYS, "place", pl.lit(rank).alias("rank"))
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
    types = timeline.event("exception-type").select(*_KEYS, pl.col("place").alias("ends"))
    ends = (
        types.join(first, on=_KEYS).filter(pl.col("ends") > pl.col("begins")).group_by(_KEYS).agg(pl.col("ends").min())
    )
    return first.join(ends, on=_KEYS, how="left")


def _inside(timeline: Timeline, event: str, begins: pl.DataFrame, lost: pl.DataFrame) -> pl.DataFrame:
    """An event's records in the traceback of their prompt's failure, or above the log of an error report."""
    found = timeline.event(event)
    joined = found.join(begins, on=_KEYS)
    end = pl.col("ends").fill_null(joined["place"].max() if joined.height else 0)
    own = joined.filter((pl.col("place") > pl.col("begins")) & (pl.col("place") <= end))
    logs = timeline.event("report-logs").group_by("lane").agg(pl.col("place").max().alias("logs"))
    told = lost.filter("reported").group_by("lane").agg(pl.col("prompt").last().alias("told"))
    above = found.join(logs, on="lane").join(told, on="lane").filter(pl.col("place") < pl.col("logs"))
    reported = above.with_columns(pl.col("told").alias("prompt"), died=pl.lit(value=False)).select(
        *found.columns, "died"
    )
    return pl.concat([reported, own.select(*found.columns, "died")]).sort("lane", "place")


def _frames(timeline: Timeline, begins: pl.DataFrame, lost: pl.DataFrame) -> pl.DataFrame:
    """lane, prompt, frame: the innermost line of a node pack's code. A dying process names it first, others last."""
    path = pl.col("path").str.replace_all("\\", "/", literal=True).str.replace_all("//", "/", literal=True)
    frame = pl.format("{}:{} in {}", path.str.strip_chars_start("/"), "number", "function")
    innermost = pl.when(pl.col("died").first()).then(frame.first()).otherwise(frame.last())
    found = _inside(timeline, "traceback-frame", begins, lost)
    return found.group_by(_KEYS, maintain_order=True).agg(innermost.alias("frame"))


def _types(timeline: Timeline, begins: pl.DataFrame) -> pl.DataFrame:
    """lane, prompt, printed_type: the exception's type by the last line of its traceback."""
    types = timeline.event("exception-type").join(begins, on=_KEYS).filter(pl.col("place") == pl.col("ends"))
    name = pl.concat_str("exception_name", "exception_suffix")
    named = types.filter(name.str.contains(_TYPE))
    return named.group_by(_KEYS).agg(name.first().alias("printed_type"))


def _phases(timeline: Timeline, begins: pl.DataFrame, lost: pl.DataFrame) -> pl.DataFrame:
    """lane, prompt, failed_phase: `encode` or `decode`, where the failing line of code calls the VAE."""
    found = _inside(timeline, "traceback-vae", begins, lost)
    return found.group_by(_KEYS, maintain_order=True).agg(pl.col("vae_call").last().alias("failed_phase"))


def _memory(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt and the allocator's figures as the allocation failed: in use, asked for in one piece, and in all."""
    used = timeline.event("oom-allocated").select(*_KEYS, "place", pl.col("oom_used_gib").alias("memory_used_gib"))
    asked = timeline.event("oom-requested").select(
        *_KEYS, "place", pl.col("oom_requested_gib").alias("memory_requested_gib")
    )
    limit = timeline.event("oom-limit").select(*_KEYS, "place", pl.col("oom_limit_gib").alias("memory_limit_gib"))
    told = timeline.event("oom-torch").select(
        *_KEYS,
        "place",
        (pl.col("oom_limit_gib") - pl.col("oom_free_gib")).alias("memory_used_gib"),
        pl.col("oom_requested_gib").alias("memory_requested_gib"),
        pl.col("oom_limit_gib").alias("memory_limit_gib"),
    )
    figures = pl.concat([used, asked, limit, told], how="diagonal").sort("place")
    names = ("memory_used_gib", "memory_requested_gib", "memory_limit_gib")
    return figures.group_by(_KEYS).agg(pl.col(name).drop_nulls().last() for name in names)


def _workers(timeline: Timeline) -> pl.DataFrame:
    """lane, prompt, worker_died_line, never_ran: where the thread that runs prompts died, and the requests it left.

    No prompt ends after that, so that every later request up to the next start stands in the same prompt.
    """
    died = timeline.event("worker-died").group_by(_KEYS).agg(pl.col("line").min().alias("worker_died_line"))
    counts = [
        timeline.event(event).group_by(_KEYS).agg(pl.len().cast(pl.Int64).alias(event))
        for event in ("arrival", "refusal")
    ]
    for count in counts:
        died = died.join(count, on=_KEYS, how="left")
    waiting = pl.col("arrival").fill_null(0) - pl.col("refusal").fill_null(0) - 1
    return died.select(*_KEYS, "worker_died_line", pl.max_horizontal(waiting, pl.lit(0)).alias("never_ran"))
