"""Determines when a run took place and what identifies it: the content of its log, and the location of the log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any, Final

import polars as pl

from loganalyzer.history.inputs import Inputs
from loganalyzer.redact.masking import Masker, abbreviate_home
from loganalyzer.runs.identity import DIGEST
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.column import TIME

HEADER_FACTS: Final = ("mode", "audio_frames", "width", "height", "steps")
"""Facts from the start of a run, which do not change while its log grows."""
DISTINCT_CHANGES: Final = 8
"""Number of step times that differ from the previous one from which a run is unique.

Each gives more than two bits (upstream prints hundredths of seconds, and steps scatter by several of them), so two
different runs of the same kind and level agree in all of them once in more than 65,000 pairs.
"""
DISTINCT_CHANGES_OF_EQUAL_TEXT: Final = 2
"""The same for runs of logs with equal texts. Fewer are enough, because everything else in such logs (averages, elapsed
times, the prompt's time) is equal too."""
SMALLEST_CHANGE: Final = 3
"""In hundredths of a second. Smaller differences can come from the rounding of printed rates."""
MOST_STEPS: Final = 256
"""Number of step times kept to identify a run."""
_ROUNDING: Final = 1
"""Maximum difference between two readings of one step, in hundredths of a second."""
_MASK: Final = re.compile(r"(‹[a-z-]+):[0-9a-f]+›")
_UNFINISHED: Final = ("truncated",)


@dataclass(frozen=True, slots=True)
class Occasion:
    """When a log was written: `file_time` (UTC) by its file, `said_at` by `--at`; None if unknown."""

    file_time: datetime | None = None
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a run.

    Attributes:
        run_id: digest of the log and line, so it also identifies the place of the run.
        source: the name of the log, independent of masks.
        line: the first line of the run.
        head: values of `HEADER_FACTS`.
        started_at: the timestamp of the prompt.
        ordinal: the index of the run within its prompt.
        durations: its step times in hundredths of a second, in order.
        prompt_s: the duration printed at the end of the prompt.
        extent: how much of the run was read. It is smaller for a log that is still growing.
    """

    run_id: str
    source: str
    line: int | None
    head: tuple[Any, ...]
    started_at: datetime | None
    ordinal: int
    durations: tuple[int, ...]
    prompt_s: float | None
    extent: tuple[int, int, int]

    @property
    def is_distinct(self) -> bool:
        """Whether the content of the run alone identifies it."""
        return count_changes(self.durations) >= DISTINCT_CHANGES

    @property
    def is_one_of_its_text(self) -> bool:
        """Whether a log with equal text must contain the same run, by its timestamp or its step times."""
        return self.started_at is not None or count_changes(self.durations) >= DISTINCT_CHANGES_OF_EQUAL_TEXT


def run_times(found: Analysis, default: datetime, inputs: Inputs, *, is_given: bool = False) -> pl.DataFrame:
    """run_id and at: the time of the run's prompt, else of its file (unless `is_given`), else `default`."""
    prompt_times = found.prompts.select("prompt_id", pl.coalesce("started_at", "ended_at").alias("at"))
    runs = found.runs.select("run_id", "prompt_id")
    files = [None if is_given else inputs.times(run_id)[0] for run_id in runs["run_id"]]
    return (
        runs.with_columns(pl.Series("file_time", files, dtype=TIME))
        .join(prompt_times, on="prompt_id", how="left", maintain_order="left")
        .select(
            "run_id",
            pl.coalesce("at", "file_time", pl.lit(default.replace(tzinfo=None), TIME)).cast(TIME).alias("at"),
        )
    )


def find_readings(found: Analysis) -> list[Reading]:
    """The runs of an analysis. Those of shorter logs come first, so that a log precedes a longer copy of itself."""
    steps = found.steps.group_by("run_id", maintain_order=True).agg(
        (pl.col("duration_s").head(MOST_STEPS) * 100).round().cast(pl.Int64).fill_null(-1).alias("durations")
    )
    prompts = found.prompts.select("prompt_id", "started_at").unique("prompt_id")
    sizes = found.sources.select(pl.col("digest").str.head(DIGEST), "bytes").unique("digest")
    frame = (
        found.runs.with_columns(
            pl.int_range(pl.len()).over("prompt_id").alias("ordinal"),
            pl.col("run_id").str.split("-").list.first().alias("digest"),
        )
        .join(steps, on="run_id", how="left", maintain_order="left")
        .join(prompts, on="prompt_id", how="left", maintain_order="left")
        .join(sizes, on="digest", how="left", maintain_order="left")
        .sort("bytes", nulls_last=True, maintain_order=True)
    )
    return [_to_reading(row) for row in frame.rows(named=True)]


def _to_reading(row: dict[str, Any]) -> Reading:
    durations = tuple(row["durations"] or ())
    return Reading(
        run_id=row["run_id"],
        source=stable_name(row["source"]),
        line=row["line"],
        head=tuple(row[name] for name in HEADER_FACTS),
        started_at=row["started_at"],
        ordinal=row["ordinal"],
        durations=durations,
        prompt_s=row["prompt_s"],
        extent=reading_extent(row, len(durations)),
    )


def reading_extent(facts: dict[str, Any], steps: int) -> tuple[int, int, int]:
    """How much of a run was read: whether its end was read, number of windows, number of steps."""
    return int(facts.get("status") not in _UNFINISHED), facts.get("observed_windows") or 0, steps


@cache
def stable_name(source: str) -> str:
    """The name of a log, equal in every call: masks of personal names in it lose their random part."""
    return _MASK.sub(r"\1›", Masker(b"").mask(abbreviate_home(source or "")))


def count_changes(durations: tuple[int, ...]) -> int:
    """The number of step times that differ from the previous one by more than rounding."""
    return sum(abs(one - other) >= SMALLEST_CHANGE for one, other in pairwise(durations))


def shared_durations(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...] | None:
    """The step times that two readings share if one is a prefix of the other; None if they contradict each other.

    The last step of the shorter reading does not count, because its log may have stopped in the middle of the step.
    """
    length = min(len(one), len(other))
    if len(one) != len(other) and length < MOST_STEPS:
        length = max(length - 1, 0)
    if any(abs(a - b) > _ROUNDING for a, b in zip(one[:length], other[:length], strict=True)):
        return None
    return one[:length]


def are_compatible(one: object, other: object) -> bool:
    """Whether two values can belong to the same run: they are equal, or one is unknown."""
    return one is None or other is None or one == other


def contradict(one: Reading, other: Reading) -> bool:
    """Whether two readings cannot be of the same run."""
    stamps = (one.started_at, one.ordinal), (other.started_at, other.ordinal)
    if one.started_at and other.started_at and stamps[0] != stamps[1]:
        return True
    if not all(map(are_compatible, one.head, other.head)) or shared_durations(one.durations, other.durations) is None:
        return True
    return not are_compatible(one.prompt_s, other.prompt_s)
