"""Gives prompts and server starts that span several parts one row, one id, and one duration."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs import outcome
from loganalyzer.tables.column import TIME

Frames = dict[str, pl.DataFrame]
_STARTED_SCHEMA: Final = {"stream": pl.String(), "prompt_id": pl.String(), "line": pl.Int64(), "started_at": TIME}


class OpenPrompts:
    """The unfinished prompts of one input, carried from one part of its tables to the next."""

    def __init__(self) -> None:
        self._unfinished = pl.DataFrame(schema=_STARTED_SCHEMA)
        self._durations: dict[str, float] = {}
        self._last_starts: dict[str | None, int] = {}
        self._stops: dict[str, str] = {}
        self._is_later = False

    @property
    def has_any(self) -> bool:
        """Whether any prompt is unfinished."""
        return not self._unfinished.is_empty()

    def next_part(self, tables: Frames, opened: pl.DataFrame | None = None) -> Frames:
        """The tables of the next part. Prompts that started in an earlier part keep the id they got there.

        The last prompt of each output (`stream`) in `opened` is unfinished: its row comes with the part in which it
        ends. A server start's row comes with the first part that contains it. No input of several parts is an excerpt.
        """
        tables = {**tables, "environment": self._drop_known_starts(tables["environment"])}
        if self._is_later or opened is not None:
            tables["prompts"] = tables["prompts"].with_columns(pl.lit(value=False).alias("excerpt"))
        self._is_later = True
        continued = self._join_continued(tables) if self.has_any else tables
        return continued if opened is None else self._hold_unfinished(continued, opened)

    def with_durations(self, runs: pl.DataFrame) -> pl.DataFrame:
        """`runs` with the durations of prompts that ended in a later part."""
        if not self._durations:
            return runs
        known = pl.col("prompt_id").replace_strict(self._durations, default=None, return_dtype=pl.Float64)
        return runs.with_columns(pl.coalesce("prompt_s", known).alias("prompt_s"))

    def _drop_known_starts(self, environment: pl.DataFrame) -> pl.DataFrame:
        """Server starts that no earlier part contains."""
        before = pl.col("stream").replace_strict(
            pl.Series(list(self._last_starts), dtype=pl.String),
            pl.Series(list(self._last_starts.values()), dtype=pl.Int64),
            default=0,
            return_dtype=pl.Int64,
        )
        last = environment.group_by("stream").agg(pl.col("line").max())
        new = environment.filter(pl.col("line") > before) if self._last_starts else environment
        self._last_starts |= dict(last.rows())
        return new

    def _join_continued(self, tables: Frames) -> Frames:
        prompts = tables["prompts"]
        first = prompts.sort("line").unique("stream", keep="first", maintain_order=True)
        continued = first.select("stream", "duration_s", pl.col("prompt_id").alias("new_id")).join(
            self._unfinished, on="stream", nulls_equal=True
        )
        self._unfinished = self._unfinished.join(continued, on="stream", how="anti", nulls_equal=True)
        self._durations |= dict(continued.drop_nulls("duration_s").select("prompt_id", "duration_s").rows())
        ids = dict(continued.select("new_id", "prompt_id").rows())
        starts = continued.select("prompt_id", start_line="line", start_time="started_at")
        renamed = {name: _rename_prompts(frame, ids) for name, frame in tables.items()}
        rows = renamed["prompts"].join(starts, on="prompt_id", how="left", maintain_order="left")
        renamed["prompts"] = rows.with_columns(
            pl.coalesce("start_line", "line").alias("line"), pl.coalesce("start_time", "started_at").alias("started_at")
        ).drop("start_line", "start_time")
        renamed["prompts"] = outcome.with_reasons(renamed["prompts"], self._stops)
        return renamed

    def _hold_unfinished(self, tables: Frames, opened: pl.DataFrame) -> Frames:
        prompts = tables["prompts"]
        last = (
            prompts.join(opened, on="stream", how="semi", nulls_equal=True, maintain_order="left")
            .sort("line")
            .unique("stream", keep="last", maintain_order=True)
        )
        self._unfinished = pl.concat([self._unfinished, last.select(list(_STARTED_SCHEMA))])
        self._stops = outcome.stop_reasons(tables["runs"], tables["windows"]) | self._stops
        return {**tables, "prompts": prompts.join(last, on="prompt_id", how="anti", maintain_order="left")}


def _rename_prompts(frame: pl.DataFrame, ids: dict[str, str]) -> pl.DataFrame:
    return frame.with_columns(pl.col("prompt_id").replace(ids)) if "prompt_id" in frame.columns else frame
