"""Prompts and server starts of tables made in several parts: one row each, one id, one duration for all their runs."""

from __future__ import annotations

from typing import Final

import polars as pl

from loganalyzer.runs import outcome
from loganalyzer.tables.column import TIME

Frames = dict[str, pl.DataFrame]
_BEGUN: Final = {"stream": pl.String(), "prompt_id": pl.String(), "line": pl.Int64(), "started_at": TIME}


class OpenPrompts:
    """The prompts of one input that are begun in one part of its tables and go on in the next."""

    def __init__(self) -> None:
        self._begun = pl.DataFrame(schema=_BEGUN)
        self._durations: dict[str, float] = {}
        self._started: dict[str | None, int] = {}
        self._stops: dict[str, str] = {}
        self._is_later = False

    @property
    def is_any(self) -> bool:
        """Whether any prompt goes on."""
        return not self._begun.is_empty()

    def part(self, made: Frames, opened: pl.DataFrame | None = None) -> Frames:
        """The next part, in which prompts that went on have the id they had.

        The last prompt of each output (`stream`) in `opened` goes on: its row comes with the part in which it ends.
        Records of a server start go on from part to part, and its row comes with the first. No input of several parts
        is an excerpt.
        """
        made = {**made, "environment": self._new_starts(made["environment"])}
        if self._is_later or opened is not None:
            made["prompts"] = made["prompts"].with_columns(pl.lit(value=False).alias("excerpt"))
        self._is_later = True
        continued = self._continued(made) if self.is_any else made
        return continued if opened is None else self._held(continued, opened)

    def timed(self, runs: pl.DataFrame) -> pl.DataFrame:
        """Runs of a part with the durations of their prompts, which a later part told."""
        if not self._durations:
            return runs
        told = pl.col("prompt_id").replace_strict(self._durations, default=None, return_dtype=pl.Float64)
        return runs.with_columns(pl.coalesce("prompt_s", told).alias("prompt_s"))

    def _new_starts(self, environment: pl.DataFrame) -> pl.DataFrame:
        """The server starts that no part before had."""
        before = pl.col("stream").replace_strict(
            pl.Series(list(self._started), dtype=pl.String),
            pl.Series(list(self._started.values()), dtype=pl.Int64),
            default=0,
            return_dtype=pl.Int64,
        )
        last = environment.group_by("stream").agg(pl.col("line").max())
        fresh = environment.filter(pl.col("line") > before) if self._started else environment
        self._started |= dict(last.rows())
        return fresh

    def _continued(self, made: Frames) -> Frames:
        prompts = made["prompts"]
        first = prompts.sort("line").unique("stream", keep="first", maintain_order=True)
        own = first.select("stream", "duration_s", pl.col("prompt_id").alias("here")).join(
            self._begun, on="stream", nulls_equal=True
        )
        self._begun = self._begun.join(own, on="stream", how="anti", nulls_equal=True)
        self._durations |= dict(own.drop_nulls("duration_s").select("prompt_id", "duration_s").rows())
        ids = dict(own.select("here", "prompt_id").rows())
        begun = own.select("prompt_id", begun_line="line", begun_at="started_at")
        renamed = {name: _renamed(frame, ids) for name, frame in made.items()}
        rows = renamed["prompts"].join(begun, on="prompt_id", how="left", maintain_order="left")
        renamed["prompts"] = rows.with_columns(
            pl.coalesce("begun_line", "line").alias("line"), pl.coalesce("begun_at", "started_at").alias("started_at")
        ).drop("begun_line", "begun_at")
        renamed["prompts"] = outcome.with_reasons(renamed["prompts"], self._stops)
        return renamed

    def _held(self, made: Frames, opened: pl.DataFrame) -> Frames:
        prompts = made["prompts"]
        last = (
            prompts.join(opened, on="stream", how="semi", nulls_equal=True, maintain_order="left")
            .sort("line")
            .unique("stream", keep="last", maintain_order=True)
        )
        self._begun = pl.concat([self._begun, last.select(list(_BEGUN))])
        self._stops = outcome.stop_reasons(made["runs"], made["windows"]) | self._stops
        return {**made, "prompts": prompts.join(last, on="prompt_id", how="anti", maintain_order="left")}


def _renamed(frame: pl.DataFrame, ids: dict[str, str]) -> pl.DataFrame:
    return frame.with_columns(pl.col("prompt_id").replace(ids)) if "prompt_id" in frame.columns else frame
