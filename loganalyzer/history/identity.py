"""When a run took place, and what identifies it: what its log prints of it, and where that log lies."""

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

HEAD: Final = ("mode", "audio_frames", "width", "height", "steps")
"""Facts that stand at the beginning of a run, and do not change while its log grows."""
DISTINCT_CHANGES: Final = 8
"""Step times that differ from the step before them: so many make a run unlike any other.

Each stands for more than two bits (upstream prints hundredths of seconds, and steps scatter by several of them), so two
different runs agree in all of them once in more than 65,000 pairs of the same kind and level.
"""
DISTINCT_CHANGES_OF_EQUAL_TEXT: Final = 2
"""The same for runs of logs whose texts are equal: fewer are enough, since all else that such a log prints (averages,
elapsed times, the prompt's time) is equal as well."""
SMALLEST_CHANGE: Final = 3
"""Hundredths of a second; smaller differences can come from the rounding of the printed rates."""
MOST_STEPS: Final = 256
"""Step times that are kept of a run to identify it."""
_ROUNDING: Final = 1
"""Hundredths of a second by which two readings of one step may differ."""
_MASK: Final = re.compile(r"(‹[a-z-]+):[0-9a-f]+›")
_STOPPED_EARLY: Final = ("truncated",)


@dataclass(frozen=True, slots=True)
class Occasion:
    """When a log was written, as far as its file or the user says: `file_time` in UTC, `said_at` from `--at`."""

    file_time: datetime | None = None
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One run as it was read once.

    Attributes:
        run_id: digest of the log and line, so also where the run stands.
        source: the log's name without what depends on masks; line: the run's first.
        head: values of `HEAD`.
        started_at: the prompt's own time stamp.
        ordinal: which run of its prompt it is.
        durations: its step times in hundredths of a second, in order.
        prompt_s: the time that the prompt's end prints.
        extent: how much of the run was read; a log that is still growing has less of it.
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
        """Whether its content alone identifies it."""
        return changes(self.durations) >= DISTINCT_CHANGES

    @property
    def is_one_of_its_text(self) -> bool:
        """Whether a log with equal text can hold no other run: by its time stamp, or by its step times."""
        return self.started_at is not None or changes(self.durations) >= DISTINCT_CHANGES_OF_EQUAL_TEXT


def moments(found: Analysis, otherwise: datetime, inputs: Inputs, *, said: bool = False) -> pl.DataFrame:
    """run_id, at: the run's own time where its prompt has one, else its file's (unless `said`), else `otherwise`."""
    own = found.prompts.select("prompt_id", pl.coalesce("started_at", "ended_at").alias("at"))
    runs = found.runs.select("run_id", "prompt_id")
    files = [None if said else inputs.times(run_id)[0] for run_id in runs["run_id"]]
    return (
        runs.with_columns(pl.Series("file_time", files, dtype=TIME))
        .join(own, on="prompt_id", how="left", maintain_order="left")
        .select(
            "run_id",
            pl.coalesce("at", "file_time", pl.lit(otherwise.replace(tzinfo=None), TIME)).cast(TIME).alias("at"),
        )
    )


def readings(found: Analysis) -> list[Reading]:
    """The runs of an analysis; those of shorter logs come first, so that a log comes before a longer copy of it."""
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
    return [_reading(row) for row in frame.rows(named=True)]


def _reading(row: dict[str, Any]) -> Reading:
    durations = tuple(row["durations"] or ())
    return Reading(
        run_id=row["run_id"],
        source=place_name(row["source"]),
        line=row["line"],
        head=tuple(row[name] for name in HEAD),
        started_at=row["started_at"],
        ordinal=row["ordinal"],
        durations=durations,
        prompt_s=row["prompt_s"],
        extent=extent(row, len(durations)),
    )


def extent(facts: dict[str, Any], steps: int) -> tuple[int, int, int]:
    """How much of a run was read: whether its end was, then windows, then steps."""
    return int(facts.get("status") not in _STOPPED_EARLY), facts.get("observed_windows") or 0, steps


@cache
def place_name(source: str) -> str:
    """A log's name as it is in every call: names of people in it are left out, whatever mask stands for them."""
    return _MASK.sub(r"\1›", Masker(b"").mask(abbreviate_home(source or "")))


def changes(durations: tuple[int, ...]) -> int:
    """How many step times differ from the one before by more than rounding."""
    return sum(abs(one - other) >= SMALLEST_CHANGE for one, other in pairwise(durations))


def common(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...] | None:
    """The step times that two readings share where one begins with the other; None where they contradict.

    The last step of the shorter one does not count: its log may have stopped in the middle of it.
    """
    length = min(len(one), len(other))
    if len(one) != len(other) and length < MOST_STEPS:
        length = max(length - 1, 0)
    if any(abs(a - b) > _ROUNDING for a, b in zip(one[:length], other[:length], strict=True)):
        return None
    return one[:length]


def agree(one: object, other: object) -> bool:
    """Whether two values can be of the same run: equal, or one of them unknown."""
    return one is None or other is None or one == other


def contradict(one: Reading, other: Reading) -> bool:
    """Whether what two readings say cannot be of the same run."""
    stamps = (one.started_at, one.ordinal), (other.started_at, other.ordinal)
    if one.started_at and other.started_at and stamps[0] != stamps[1]:
        return True
    if not all(map(agree, one.head, other.head)) or common(one.durations, other.durations) is None:
        return True
    return not agree(one.prompt_s, other.prompt_s)
