"""Unpacks the JSON lines of container runtimes, the journal and log shippers: the message, its time and its stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Final

import polars as pl

from loganalyzer.grammar.types import TYPES
from loganalyzer.sources.chunks import SPLIT_BYTES

OPENINGS: Final = ('{"', '{ "', '{  "', '{\t"')
"""Every line that is JSON contains one of these."""
HIDDEN_TEXT_MARKS: Final = ('"MESSAGE":[', '"MESSAGE": [', '"MESSAGE" : [', r"\u00")
"""In lines with one of these, a message's fixed text may only be visible after unpacking."""

_LOG = "$.log"
_OUTPUT = "$.stream"
_MESSAGES = ("$.message", "$.MESSAGE", "$.msg", "$.body", "$.content.message", "$.textPayload")
_TIMES = ("$.time", "$.timestamp", "$['@timestamp']", "$.ts", "$.date")
_CONTAINERS = ("$.attrs.tag", "$.container_name", "$.kubernetes.pod_name")
_JOURNAL = ("$._HOSTNAME", "$.SYSLOG_IDENTIFIER", "$._PID")
_PATHS = (_LOG, _OUTPUT, *_MESSAGES, *_TIMES, *_CONTAINERS, *_JOURNAL)

_OBJECT = r'^[ \t\[]*\{[ \t]*"[A-Za-z0-9_@.$-]{1,60}"[ \t]*:'
_HAS_MESSAGE = r'"(?:log|message|MESSAGE|msg|body|textPayload)"[ \t]*:[ \t]*["\[]'
_LOG_IS_TEXT = r'"log"[ \t]*:[ \t]*"'
_IN_BYTES = r'"MESSAGE"[ \t]*:[ \t]*\[([0-9, ]+)\]'
"""The journal writes a message that contains control characters as a list of byte values."""
_LIST_PUNCTUATION = " \t[],\r"
"""Characters around the objects of a list."""


@cache
def escape_texts(texts: tuple[str, ...]) -> list[str]:
    """The JSON spellings of texts that JSON escapes."""
    inside = {text: json.dumps(text, ensure_ascii=False)[1:-1] for text in texts}
    return [other for text, other in inside.items() if other != text]


def unpack(lines: pl.DataFrame) -> pl.DataFrame:
    """`lines` with the message of each JSON line as its `text`.

    Also sets time, stream (the container or the process), output (stdout or stderr) and partial (docker split this
    write and continues it in the next line). The lines of a multi-line message, as shippers join them, are separated
    by carriage returns, at which they are split later. A line that is not a complete JSON object stays unchanged.
    """
    text = lines["text"]
    if not text.str.contains_any(list(OPENINGS)).any():
        return lines
    is_json = text.str.contains(_OBJECT) & text.str.contains(_HAS_MESSAGE)
    if not is_json.any():
        return lines
    inner = lines.filter(is_json)
    values = list(_member_columns(inner["text"]))
    unpacked = inner.with_columns(pl.col("text").str.strip_chars(_LIST_PUNCTUATION).alias("object")).with_columns(
        *values
    )
    present = [name for name in unpacked.columns if name in _PATHS]
    inner = unpacked.with_columns(
        pl.coalesce(*_message_columns(present), "text")
        .str.strip_chars_end("\r\n")
        .str.replace_all("\n", "\r", literal=True)
        .alias("text"),
        pl.coalesce(*(_parse_time(pl.col(path)) for path in present if path in _TIMES), "time").alias("time"),
        pl.coalesce(*_stream_columns(present), "stream").alias("stream"),
        pl.coalesce(*(path for path in present if path == _OUTPUT), "output").alias("output"),
        (_is_split_write(pl.col(_LOG)) if _LOG in present else pl.col("partial")).alias("partial"),
    ).select(lines.columns)
    return pl.concat([lines.filter(~is_json), inner]).sort("source", "line")


def _member_columns(text: pl.Series) -> Iterator[pl.Expr]:
    """The JSON members that occur in any of the texts, as columns named by their paths."""
    for path in _PATHS:
        key = path.removesuffix("']").split("['")[-1].rsplit(".", 1)[-1]
        if text.str.contains(f'"{key}"', literal=True).any():
            yield pl.col("object").str.json_path_match(path).alias(path)


def _message_columns(present: list[str]) -> Iterator[pl.Expr]:
    """Candidates for the message; the first that is not null counts. Some shippers use `log` for an object."""
    if _LOG in present:
        yield pl.when(pl.col("object").str.contains(_LOG_IS_TEXT)).then(pl.col(_LOG))
    if "$.MESSAGE" in present:
        numbers = pl.col("object").str.extract(_IN_BYTES).str.replace_all(" ", "", literal=True).str.split(",")
        yield numbers.list.eval(pl.element().cast(pl.UInt8, strict=False)).cast(pl.Binary).cast(pl.String, strict=False)
    yield from (pl.col(path) for path in present if path in _MESSAGES)


def _stream_columns(present: list[str]) -> Iterator[pl.Expr]:
    """The container's name, or for journal lines the host, program and process."""
    yield from (pl.col(path) for path in present if path in _CONTAINERS)
    if "$._PID" in present and "$.SYSLOG_IDENTIFIER" in present:
        host = pl.concat_str("$._HOSTNAME", pl.lit("/")).fill_null("") if "$._HOSTNAME" in present else pl.lit("")
        yield host + pl.format("{}[{}]", "$.SYSLOG_IDENTIFIER", "$._PID")


def _is_split_write(log: pl.Expr) -> pl.Expr:
    """Whether docker split this write and continues it in the next line. A split character adds up to 9 bytes."""
    size = log.str.len_bytes().is_between(SPLIT_BYTES - 3, SPLIT_BYTES + 9)
    return (size & ~log.str.ends_with("\n")).fill_null(value=False)


def _parse_time(stamp: pl.Expr) -> pl.Expr:
    return TYPES["timestamp"].columns(stamp)[""]
