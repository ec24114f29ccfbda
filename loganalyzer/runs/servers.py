"""The server starts of a log, and the environment that each start prints: card, driver, versions, attention, packs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from loganalyzer.runs.timeline import Timeline
from loganalyzer.runs.vocabulary import BANNER, ENVIRONMENT, HOLES
from loganalyzer.tables.frames import join_nearest, left_join
from loganalyzer.tables.schema import SEPARATOR

MOST_PACKS: Final = 500
"""Custom node packs of one start that are kept."""
LONGEST: Final = 200
"""Characters of a pack's name; the longest folder names are shorter."""

_FIRST: Final = {
    "gpu": "gpu",
    "total_vram_gib": "total_vram_gib",
    "python_version": "python",
    "torch_version": "torch",
    "comfyui_version": "comfyui",
    "frontend_version": "frontend",
    "attention": "attention",
    "state": "vram_state",
}
"""Field of a startup message to the column that takes its first value."""
_MEMORY_OPTIONS: Final = {
    "dynamic-vram": "DynamicVRAM",
    "async-offloading": "async offloading",
    "pinned-memory": "pinned memory",
}
RUN_COLUMNS: Final = {
    "attention": "attention",
    "precision": "precision",
    "vram_state": "vram_state",
    "memory_options": "memory_options",
    "driver": "driver",
    "python": "python_version",
    "frontend": "frontend_version",
    "arguments": "arguments",
    "packages": "packages",
    "custom_nodes": "custom_nodes",
}
"""Columns of an environment that the table `runs` repeats, and their names there."""


_NO_FIELDS: Final = pl.DataFrame(
    schema={field: dtype for name in (*BANNER, *ENVIRONMENT) for field, dtype in HOLES[name].items()}
)
"""Every field of a startup message, also of those that a log lacks."""


def starts(timeline: Timeline) -> pl.DataFrame:
    """lane, start (number), prompt, place, line: where each server start begins, in order.

    A start opens an execution of its own, or follows one that served no request: behind `Starting server`, or at the
    first line of another banner. Records carried over from the part before stay apart from this part's own.
    """
    printed = [name for name in BANNER if not timeline.event(name).is_empty()]
    frames = [
        timeline.event(name).select("lane", "prompt", "place", "line", "carried_from", event=pl.lit(name))
        for name in printed or BANNER[:1]
    ]
    banners = pl.concat(frames).sort("lane", "place")
    event, before = pl.col("event"), pl.col("event").shift(1)
    is_other = pl.any_horizontal(
        pl.col(name).ne_missing(pl.col(name).shift(1)) for name in ("lane", "prompt", "carried_from")
    )
    follows = (before != event) & ((before == BANNER[-1]) | (event == BANNER[0]))
    begun = banners.filter(is_other | follows.fill_null(value=False))
    return begun.drop("event", "carried_from").with_row_index("start")


def environments(timeline: Timeline, neutral: Collection[str]) -> pl.DataFrame:
    """One row per server start: lane, place, line, and the columns of the table `environment`.

    `neutral` are the events that do not show that a prompt runs. A start's messages end where the first request
    arrives: what a node prints later is not the server's. Messages that a cut-off log begins with, before the first
    line that counts as a start, belong to that start.
    """
    begun = starts(timeline)
    if begun.is_empty():
        return begun.select("lane", "place", "line")
    records = _of_starts(timeline, begun, neutral)
    found = begun
    for part in (_values(records), _packages(records), _packs(records)):
        found = found.join(part, on="start", how="left", maintain_order="left")
    return _with_preludes(found, timeline).drop("prompt", "start")


def of_runs(stages: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """stage, environment_line, first_gpu and `RUN_COLUMNS`: of the last server start above each stage."""
    placed = stages.select("stage", "lane", "place").sort("place")
    joined = found.with_columns(pl.col("packages", "custom_nodes").list.join(SEPARATOR)).sort("place")
    repeated = (pl.col(name).alias(column) for name, column in RUN_COLUMNS.items())
    known = joined.select(
        "lane", "place", pl.col("line").alias("environment_line"), pl.col("gpu").alias("first_gpu"), *repeated
    )
    return join_nearest(placed, known).drop("lane", "place").sort("stage")


def _of_starts(timeline: Timeline, begun: pl.DataFrame, neutral: Collection[str]) -> pl.DataFrame:
    """The records that belong to a start, in order, with its number as `start` and their event as `event`."""
    printed = {name: frame for name in (*BANNER, *ENVIRONMENT) if not (frame := timeline.event(name)).is_empty()}
    frames = [frame.with_columns(pl.lit(name).alias("event")) for name, frame in printed.items()]
    every = pl.concat([*frames, _NO_FIELDS], how="diagonal").sort("place")
    placed = join_nearest(every, begun.select("lane", "place", "start", pl.col("prompt").alias("own")).sort("place"))
    arrival = timeline.event("arrival").group_by("lane", "prompt").agg(pl.col("place").min().alias("arrival"))
    first = _quiet_beginnings(timeline, begun, neutral)
    placed = placed.join(arrival, on=["lane", "prompt"], how="left").join(first, on="lane", how="left")
    is_banner = pl.col("event").is_in(list(BANNER))
    is_own = (pl.col("prompt") == pl.col("own")) & (
        is_banner | pl.col("arrival").is_null() | (pl.col("place") < pl.col("arrival"))
    )
    is_early = (pl.col("prompt") == 0) & pl.col("start").is_null()
    start = pl.when(is_own).then("start").when(is_early).then("first")
    return placed.with_columns(start.alias("start")).filter(pl.col("start").is_not_null()).sort("lane", "place")


def _quiet_beginnings(timeline: Timeline, begun: pl.DataFrame, neutral: Collection[str]) -> pl.DataFrame:
    """lane, first: the first start of lanes in which nothing but startup messages stands before it."""
    ran = (pl.col("prompt") == 0) & ~pl.col("event").is_in(list(neutral))
    busy = timeline.messages.filter(ran)["lane"].unique()
    firsts = begun.filter(pl.col("prompt") == 1).group_by("lane").agg(pl.col("start").min().alias("first"))
    return firsts.filter(~pl.col("lane").is_in(busy.implode()))


def _values(records: pl.DataFrame) -> pl.DataFrame:
    """Start and the columns that take one value: the first that the start prints."""

    def printed(name: str) -> pl.Expr:
        return (pl.col("event") == name).any()

    flags = [pl.when(printed(event)).then(pl.lit(name)) for event, name in _MEMORY_OPTIONS.items()]
    options = pl.concat_str(flags, separator=SEPARATOR, ignore_nulls=True)
    is_whole = printed("torch-version") & printed("vram-state")  # the line on accumulation stands between the two
    return records.group_by("start").agg(
        *(pl.col(name).drop_nulls().first().alias(column) for name, column in _FIRST.items()),
        pl.when(printed("fp16-accumulation"))
        .then(pl.lit("fp16 accumulation"))
        .when(is_whole)
        .then(pl.lit("default"))
        .alias("precision"),
        pl.when(options != "").then(options).alias("memory_options"),
    ).with_columns(
        pl.col("attention").str.to_lowercase().str.strip_suffix(" attention"),
        pl.col("python").str.extract(r"^(\S+)"),
    )  # fmt: skip


def _packages(records: pl.DataFrame) -> pl.DataFrame:
    """start, packages: libraries with their versions, in alphabetical order."""
    versions = records.filter(pl.col("event").is_in(["package-version", "xformers-version"]))
    if versions.is_empty():
        return pl.DataFrame(schema={"start": pl.UInt32, "packages": pl.List(pl.String)})
    named = pl.concat_str(
        pl.col("package").fill_null("xformers"),
        pl.coalesce("package_version", "xformers_version").str.slice(0, LONGEST),
        separator=" ",
    )
    return versions.group_by("start").agg(named.unique().sort().head(MOST_PACKS).alias("packages"))


def _packs(records: pl.DataFrame) -> pl.DataFrame:
    """start, custom_nodes: each pack's name, its version where one is printed, and whether its import failed.

    Only the folder's name is kept of a path, which may name a user. Import times order the lines, so that the packs
    are sorted by name.
    """
    records = records.filter(pl.col("event").is_in(["import-time", "pack-version"]))
    if records.is_empty():
        return pl.DataFrame(schema={"start": pl.UInt32, "custom_nodes": pl.List(pl.String)})
    folder = pl.col("path").str.extract(r"([^/\\]+)[/\\]*$")
    name = pl.coalesce("pack", folder).str.replace_all(",", ";", literal=True).str.slice(0, LONGEST)
    packs = (
        records.with_columns(name.alias("name"), name.str.to_lowercase().alias("id"))
        .filter(pl.col("name").is_not_null())
        .group_by("start", "id")
        .agg(
            pl.col("name").sort_by(pl.col("event"), maintain_order=True).first(),  # the folder's spelling
            pl.col("pack_version").drop_nulls().first().str.slice(0, LONGEST),
            pl.col("outcome").is_not_null().any().alias("failed"),
        )
        .sort("id")
    )
    version = pl.format(" {}", "pack_version").fill_null("")
    failed = pl.when("failed").then(pl.lit(" (import failed)")).otherwise(pl.lit(""))
    entry = pl.concat_str("name", version, failed)
    return packs.group_by("start").agg(entry.sort_by("id").head(MOST_PACKS).alias("custom_nodes"))


def _with_preludes(found: pl.DataFrame, timeline: Timeline) -> pl.DataFrame:
    """`found` with `driver` and `arguments`, which a start script prints before the server prints anything.

    The driver stays the same until it is printed again; a command starts one server.
    """
    driver = timeline.event("driver-version").select("lane", "place", "driver").sort("place")
    command = timeline.event("launch-command").select("lane", "place", pl.col("place").alias("printed"), "arguments")
    placed = join_nearest(join_nearest(found.sort("place"), driver), command.sort("place")).sort("lane", "place")
    is_own = pl.col("printed") > pl.col("place").shift(1).over("lane").fill_null(-1)
    command_line = pl.when(is_own).then(pl.concat_str(pl.lit("--"), "arguments"))
    return placed.with_columns(command_line.alias("arguments")).drop("printed")


def with_environment(stages: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """`stages` with what `of_runs` says; the card is the one in use, which a server names first."""
    if found.is_empty():
        return stages
    known = left_join(stages, of_runs(stages, found), ["stage"])
    return known.with_columns(pl.coalesce("first_gpu", "gpu").alias("gpu")).drop("first_gpu")
