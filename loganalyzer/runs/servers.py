"""Finds a log's server starts and the environment that each prints: GPU, driver, versions, attention, node packs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from loganalyzer.runs.stage_schema import COMPLETE
from loganalyzer.runs.timeline import Timeline
from loganalyzer.runs.vocabulary import BANNER, ENVIRONMENT, FIELDS
from loganalyzer.tables.frames import join_nearest, left_join, with_schema
from loganalyzer.tables.schema import SEPARATOR

MOST_PACKS: Final = 500
"""Maximum custom node packs and libraries kept per start."""
LONGEST: Final = 200
"""Maximum characters of a pack's name; real folder names are shorter."""

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
"""Field of a startup message to the column that gets its first value."""
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
"""Columns of an environment that the table `runs` repeats, with their names there."""


_NO_FIELDS: Final = pl.DataFrame(
    schema={field: dtype for name in (*BANNER, *ENVIRONMENT) for field, dtype in FIELDS[name].items()}
)
"""Every field of all startup messages, including messages that are not in a log."""


def find_starts(timeline: Timeline) -> pl.DataFrame:
    """lane, start (number), prompt, place, line: the beginning of each server start, in order.

    A start begins a new execution, or follows a start that served no request: after `Starting server`, or at the first
    line of another banner. Records carried over from the previous part do not mix with this part's records.
    """
    printed = [name for name in BANNER if not timeline.records(name).is_empty()]
    frames = [
        timeline.records(name).select("lane", "prompt", "place", "line", "carried_from", event=pl.lit(name))
        for name in printed or BANNER[:1]
    ]
    banners = pl.concat(frames).sort("lane", "place")
    event, before = pl.col("event"), pl.col("event").shift(1)
    is_other = pl.any_horizontal(
        pl.col(name).ne_missing(pl.col(name).shift(1)) for name in ("lane", "prompt", "carried_from")
    )
    follows = (before != event) & ((before == BANNER[-1]) | (event == BANNER[0]))
    starts = banners.filter(is_other | follows.fill_null(value=False))
    return starts.drop("event", "carried_from").with_row_index("start")


def read_environments(timeline: Timeline, neutral: Collection[str]) -> pl.DataFrame:
    """One row per server start: lane, place, line, and the columns of the table `environment`.

    `neutral` are the events that do not show where a prompt begins. A start's messages end where the first request
    arrives: later messages are a node's, not the server's. If the beginning of a log is cut off, messages before the
    first recognized line of a start belong to that start.
    """
    starts = find_starts(timeline)
    if starts.is_empty():
        return starts.select("lane", "place", "line")
    records = _assign_to_starts(timeline, starts, neutral)
    found = starts
    for part in (_single_values(records), _list_packages(records), _list_packs(records)):
        found = found.join(part, on="start", how="left", maintain_order="left")
    return (
        _with_preludes(found, timeline)
        .with_columns(
            pl.coalesce(name, f"recorded_{name}").str.slice(0, LONGEST).alias(name) for name in ("driver", "arguments")
        )
        .drop("prompt", "start", "recorded_driver", "recorded_arguments")
    )


def environment_of_runs(stages: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """stage, environment_line, first_gpu and `RUN_COLUMNS`, from the last server start above each stage."""
    placed = stages.select("stage", "lane", "place").sort("place")
    joined = found.with_columns(pl.col("packages", "custom_nodes").list.join(SEPARATOR)).sort("place")
    repeated = (pl.col(name).alias(column) for name, column in RUN_COLUMNS.items())
    known = joined.select(
        "lane", "place", pl.col("line").alias("environment_line"), pl.col("gpu").alias("first_gpu"), *repeated
    )
    return join_nearest(placed, known).drop("lane", "place").sort("stage")


def _assign_to_starts(timeline: Timeline, starts: pl.DataFrame, neutral: Collection[str]) -> pl.DataFrame:
    """The records that belong to a start, in order, with the start's number as `start`, and `event`."""
    printed = {name: frame for name in (*BANNER, *ENVIRONMENT) if not (frame := timeline.records(name)).is_empty()}
    frames = [frame.with_columns(pl.lit(name).alias("event")) for name, frame in printed.items()]
    every = pl.concat([*frames, _NO_FIELDS], how="diagonal").sort("place")
    placed = join_nearest(every, starts.select("lane", "place", "start", pl.col("prompt").alias("own")).sort("place"))
    arrival = timeline.records("arrival").group_by("lane", "prompt").agg(pl.col("place").min().alias("arrival"))
    first = _early_starts(timeline, starts, neutral)
    placed = placed.join(arrival, on=["lane", "prompt"], how="left").join(first, on="lane", how="left")
    is_banner = pl.col("event").is_in(list(BANNER))
    is_own = (pl.col("prompt") == pl.col("own")) & (
        is_banner | pl.col("arrival").is_null() | (pl.col("place") < pl.col("arrival"))
    )
    is_early = (pl.col("prompt") == 0) & pl.col("start").is_null()
    start = pl.when(is_own).then("start").when(is_early).then("first")
    return placed.with_columns(start.alias("start")).filter(pl.col("start").is_not_null()).sort("lane", "place")


def _early_starts(timeline: Timeline, starts: pl.DataFrame, neutral: Collection[str]) -> pl.DataFrame:
    """lane, first: the first start of each lane that has only startup messages before it."""
    ran = (pl.col("prompt") == 0) & ~pl.col("event").is_in(list(neutral))
    busy = timeline.messages.filter(ran)["lane"].unique()
    firsts = starts.filter(pl.col("prompt") == 1).group_by("lane").agg(pl.col("start").min().alias("first"))
    return firsts.filter(~pl.col("lane").is_in(busy.implode()))


def _single_values(records: pl.DataFrame) -> pl.DataFrame:
    """Start and the columns with a single value: the first that the start prints."""

    def printed(name: str) -> pl.Expr:
        return (pl.col("event") == name).any()

    flags = [pl.when(printed(event)).then(pl.lit(name)) for event, name in _MEMORY_OPTIONS.items()]
    options = pl.concat_str(flags, separator=SEPARATOR, ignore_nulls=True)
    is_complete = printed("torch-version") & printed("vram-state")  # the line on accumulation stands between the two
    return records.group_by("start").agg(
        *(pl.col(name).drop_nulls().first().alias(column) for name, column in _FIRST.items()),
        pl.when(printed("fp16-accumulation"))
        .then(pl.lit("fp16 accumulation"))
        .when(is_complete)
        .then(pl.lit("default"))
        .alias("precision"),
        pl.when(options != "").then(options).alias("memory_options"),
        pl.col("driver").drop_nulls().first().alias("recorded_driver"),
        pl.col("arguments").drop_nulls().first().alias("recorded_arguments"),
    ).with_columns(
        pl.col("attention").str.to_lowercase().str.strip_suffix(" attention"),
        pl.col("python").str.extract(r"^(\S+)"),
    )  # fmt: skip


def _list_packages(records: pl.DataFrame) -> pl.DataFrame:
    """start, packages: libraries with their versions, sorted by name."""
    versions = records.filter(pl.col("event").is_in(["package-version", "xformers-version"]))
    if versions.is_empty():
        return pl.DataFrame(schema={"start": pl.UInt32, "packages": pl.List(pl.String)})
    named = pl.concat_str(
        pl.col("package").fill_null("xformers"),
        pl.coalesce("package_version", "xformers_version").str.slice(0, LONGEST),
        separator=" ",
    )
    return versions.group_by("start").agg(named.unique().sort().head(MOST_PACKS).alias("packages"))


def _list_packs(records: pl.DataFrame) -> pl.DataFrame:
    """start, custom_nodes: each pack's name, its version or commit if printed, and whether its import failed.

    A path may name a user, so only the folder's name is kept. The packs are sorted by name, because ComfyUI prints them
    in the order of their import times. The recorder lists all packs of a start with their commits, as `name@commit`.
    """
    records = _split_recorded_packs(records).filter(
        pl.col("event").is_in(["import-time", "pack-version", "recorder-packs"])
    )
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


def _split_recorded_packs(records: pl.DataFrame) -> pl.DataFrame:
    """`records` with one row for each pack of the recorder's lists: `pack` and `pack_version`."""
    is_list = (pl.col("event") == "recorder-packs") & pl.col("packs").is_not_null()
    lists = records.filter(is_list)
    if lists.is_empty():
        return records
    each = lists.with_columns(pl.col("packs").str.split(", ").list.head(MOST_PACKS)).explode("packs")
    named = each.with_columns(
        pl.col("packs").str.split("@").list.first().alias("pack"),
        pl.col("packs").str.extract(r"@([0-9a-f]{7,40})$", 1).alias("pack_version"),
    )
    return pl.concat([records.filter(~is_list), named.with_columns(pl.lit(None, pl.String).alias("packs"))])


def _with_preludes(found: pl.DataFrame, timeline: Timeline) -> pl.DataFrame:
    """`found` with `driver` and `arguments`, which a start script prints before the server's first line.

    A driver applies to all starts until another one is printed; a command starts one server.
    """
    driver = timeline.records("driver-version").select("lane", "place", "driver").sort("place")
    command = timeline.records("launch-command").select("lane", "place", pl.col("place").alias("printed"), "arguments")
    placed = join_nearest(join_nearest(found.sort("place"), driver), command.sort("place")).sort("lane", "place")
    is_own = pl.col("printed") > pl.col("place").shift(1).over("lane").fill_null(-1)
    command_line = pl.when(is_own).then(pl.concat_str(pl.lit("--"), "arguments"))
    return placed.with_columns(command_line.alias("arguments")).drop("printed")


def with_environment(stages: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """`stages` with the columns of `environment_of_runs`. The GPU in use is the one that the server names first."""
    if found.is_empty():
        return with_schema(stages, COMPLETE)
    known = left_join(stages, environment_of_runs(stages, found), ["stage"])
    return known.with_columns(pl.coalesce("first_gpu", "gpu").alias("gpu")).drop("first_gpu")
