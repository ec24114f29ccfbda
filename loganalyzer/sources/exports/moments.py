"""Finds the fields of a document's rows that contain times and streams, and the order of the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Final

import polars as pl

from loganalyzer.grammar.types import TYPES
from loganalyzer.sources.exports.fields import Path, Row, Scalar

MIN_SHARE: Final = 0.8
"""Minimum share of rows with a time in the field that contains the times."""
MAX_STREAMS: Final = 64
"""Maximum number of values of a field that names streams; a field with more contains something else."""
_LEVELS: Final = 3
"""The row itself and its parents, whose fields are searched."""
_SAMPLE: Final = 50
_SECONDS: Final = (10**9, 4 * 10**9)
"""Seconds since 1970 from 2001 to 2096; smaller units have more digits."""
_UNITS: Final = ((1, 1_000_000), (1_000, 1_000), (1_000_000, 1))
_FORMATS: Final = (
    *("%b %d, %Y @ %H:%M:%S%.f", "%Y/%m/%d %H:%M:%S%.f", "%m/%d/%Y %H:%M:%S%.f", "%m/%d/%Y, %I:%M:%S %p"),
    *("%m/%d/%Y %I:%M:%S %p", "%b %d, %Y %I:%M:%S %p", "%d.%m.%Y %H:%M:%S%.f", "%d/%b/%Y:%H:%M:%S%.f"),
    *("%a, %d %b %Y %H:%M:%S", "%d %b %Y %H:%M:%S", "%Y%m%dT%H%M%S", "%b %d %Y %H:%M:%S"),
)
_TIME_NAME: Final = re.compile(r"(?i)time|stamp|date|moment|when|^@?ts?$|prefix")
_LATER_NAME: Final = re.compile(r"(?i)ingest|observed|received|indexed|created|updated|expire|start|end")
_STREAM_NAME: Final = re.compile(
    r"(?i)(?:^|[._])(?:pod|container|instance|worker|replica|task|host|hostname|pid|process|service|app|tag"
    r"|syslog_identifier|docker\.name)(?:[._]?(?:name|id))?$"
)


def find_times(rows: Sequence[Row]) -> list[int | None] | None:
    """Microseconds since 1970 of each row, from the field that contains times; None if there is no such field."""
    best: tuple[tuple[bool, bool, int], list[int | None]] | None = None
    for level, path in _iter_fields(rows):
        column = [_value(row, level, path) for row in rows]
        if not any(moment is not None for moment in _parse_times(column[:_SAMPLE])):
            continue
        found = _parse_times(column)
        named = sum(moment is not None for moment in found)
        if named < MIN_SHARE * len(rows):
            continue
        name = str(path[-1]) if path else ""
        rank = (bool(_TIME_NAME.search(name)) and not _LATER_NAME.search(name), level == 0, len(set(found)))
        if best is None or rank > best[0]:
            best = rank, found
    return None if best is None else _fill_missing(best[1])


def find_streams(rows: Sequence[Row]) -> list[str | None]:
    """The container, host or process of each row; None for each row if all rows have the same one."""
    columns: list[list[str | None]] = []
    for level, path in _iter_fields(rows):
        if not _STREAM_NAME.search(".".join(map(str, path))):
            continue
        column = [None if (value := _value(row, level, path)) is None else str(value) for row in rows]
        if 1 < len({value for value in column if value is not None}) <= MAX_STREAMS:
            columns.append(column)
    if not columns:
        return [None] * len(rows)
    return ["/".join(value for value in values if value) or None for values in zip(*columns, strict=True)]


def sort_by_time(moments: Sequence[int | None]) -> list[int]:
    """The indexes of rows sorted by time; rows with equal times keep their order."""
    known = [moment for moment in moments if moment is not None]
    steps = [(later > earlier) - (later < earlier) for earlier, later in pairwise(known)]
    places = list(range(len(moments)))
    if -1 not in steps or len(known) < len(moments):
        return places
    if steps.count(-1) > steps.count(1):
        places.reverse()
    return sorted(places, key=lambda place: moments[place] or 0)


def _iter_fields(rows: Sequence[Row]) -> Iterator[tuple[int, Path]]:
    """Level (0 is the row itself) and path of each field of the rows and of their parents."""
    seen: set[tuple[int, Path]] = set()
    for row in islice(rows, _SAMPLE):
        current: Row | None = row
        for level in range(_LEVELS):
            if current is None:
                break
            for path in current.values:
                if (level, path) not in seen:
                    seen.add((level, path))
                    yield level, path
            current = current.parent


def _value(row: Row, level: int, path: Path) -> Scalar:
    current: Row | None = row
    for _ in range(level):
        current = current.parent if current else None
    return current.values.get(path) if current else None


def _parse_times(column: Sequence[Scalar]) -> list[int | None]:
    """Microseconds since 1970 of values that are times; None for all others."""
    numbers = [_parse_epoch(value) for value in column]
    if any(number is not None for number in numbers):
        return numbers
    texts = pl.Series("text", [value[:80] if isinstance(value, str) else None for value in column], dtype=pl.String)
    found = texts.to_frame().select(TYPES["timestamp"].columns(pl.col("text"))[""]).to_series()
    for form in _FORMATS if found.null_count() == len(found) else ():
        found = texts.str.to_datetime(form, time_unit="us", strict=False)
        if found.null_count() < len(found):
            break
    return found.dt.epoch("us").to_list()


def _parse_epoch(value: Scalar) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        if not re.fullmatch(r"\d{10,19}(?:\.\d{1,9})?", value):
            return None
        value = float(value) if "." in value else int(value)
    for unit, micros in _UNITS:
        if _SECONDS[0] * unit <= value < _SECONDS[1] * unit:
            return round(value * micros)
    return value // 1000 if isinstance(value, int) and _SECONDS[0] <= value // 10**9 < _SECONDS[1] else None


def _fill_missing(moments: list[int | None]) -> list[int | None]:
    """Fills in missing times: from the previous row, or for the first rows from the next one."""
    filled = pl.Series(moments, dtype=pl.Int64).fill_null(strategy="forward").fill_null(strategy="backward")
    return filled.to_list()
