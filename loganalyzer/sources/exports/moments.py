"""The times and the streams of a document's rows: which field holds them, and in which order the rows belong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Final

import polars as pl

from loganalyzer.grammar.types import TYPES
from loganalyzer.sources.exports.fields import Path, Row, Scalar

LEAST_SHARE: Final = 0.8
"""Share of the rows that have a time in the field that holds the times."""
MOST_STREAMS: Final = 64
"""Values of a field that may name streams; one with more names something else."""
_LEVELS: Final = 3
"""The row itself, and rows around it, whose fields are looked at."""
_SAMPLE: Final = 50
_SECONDS: Final = (10**9, 4 * 10**9)
"""Seconds since 1970 from 2001 to 2096; in smaller units more digits."""
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


def times(rows: Sequence[Row]) -> list[int | None] | None:
    """Microseconds since 1970 of each row, from the field that holds them; None where no field does."""
    best: tuple[tuple[bool, bool, int], list[int | None]] | None = None
    for level, path in _columns(rows):
        column = [_value(row, level, path) for row in rows]
        if not any(moment is not None for moment in _moments(column[:_SAMPLE])):
            continue
        found = _moments(column)
        named = sum(moment is not None for moment in found)
        if named < LEAST_SHARE * len(rows):
            continue
        name = str(path[-1]) if path else ""
        rank = (bool(_TIME_NAME.search(name)) and not _LATER_NAME.search(name), level == 0, len(set(found)))
        if best is None or rank > best[0]:
            best = rank, found
    return None if best is None else _filled(best[1])


def streams(rows: Sequence[Row]) -> list[str | None]:
    """What tells containers, hosts or processes apart, by each row; None where all rows are of one."""
    told: list[list[str | None]] = []
    for level, path in _columns(rows):
        if not _STREAM_NAME.search(".".join(map(str, path))):
            continue
        column = [None if (value := _value(row, level, path)) is None else str(value) for row in rows]
        if 1 < len({value for value in column if value is not None}) <= MOST_STREAMS:
            told.append(column)
    if not told:
        return [None] * len(rows)
    return ["/".join(value for value in values if value) or None for values in zip(*told, strict=True)]


def order(moments: Sequence[int | None]) -> list[int]:
    """The places of rows in the order of their times; rows of one time stand as they were written."""
    known = [moment for moment in moments if moment is not None]
    steps = [(later > earlier) - (later < earlier) for earlier, later in pairwise(known)]
    places = list(range(len(moments)))
    if -1 not in steps or len(known) < len(moments):
        return places
    if steps.count(-1) > steps.count(1):
        places.reverse()
    return sorted(places, key=lambda place: moments[place] or 0)


def _columns(rows: Sequence[Row]) -> Iterator[tuple[int, Path]]:
    """Level (0 is the row itself) and path of each field of the rows, and of those around them."""
    seen: set[tuple[int, Path]] = set()
    for row in islice(rows, _SAMPLE):
        around: Row | None = row
        for level in range(_LEVELS):
            if around is None:
                break
            for path in around.values:
                if (level, path) not in seen:
                    seen.add((level, path))
                    yield level, path
            around = around.parent


def _value(row: Row, level: int, path: Path) -> Scalar:
    around: Row | None = row
    for _ in range(level):
        around = around.parent if around else None
    return around.values.get(path) if around else None


def _moments(column: Sequence[Scalar]) -> list[int | None]:
    """Microseconds since 1970 of values that are times; None for all others."""
    numbers = [_since_1970(value) for value in column]
    if any(number is not None for number in numbers):
        return numbers
    texts = pl.Series("text", [value[:80] if isinstance(value, str) else None for value in column], dtype=pl.String)
    found = texts.to_frame().select(TYPES["timestamp"].columns(pl.col("text"))[""]).to_series()
    for form in _FORMATS if found.null_count() == len(found) else ():
        found = texts.str.to_datetime(form, time_unit="us", strict=False)
        if found.null_count() < len(found):
            break
    return found.dt.epoch("us").to_list()


def _since_1970(value: Scalar) -> int | None:
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


def _filled(moments: list[int | None]) -> list[int | None]:
    """Rows without a time take that of the row before, the first ones that of the row behind."""
    filled = pl.Series(moments, dtype=pl.Int64).fill_null(strategy="forward").fill_null(strategy="backward")
    return filled.to_list()
