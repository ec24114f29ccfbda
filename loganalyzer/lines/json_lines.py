"""JSON lines of container runtimes, the journal and log shippers: the message in each, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

import polars as pl

from loganalyzer.grammar.types import TYPES
from loganalyzer.sources.chunks import SPLIT_BYTES

OPENINGS: Final = ('{"', '{ "', '{  "', '{\t"')
"""Of which one stands in every line that is JSON."""
HIDING: Final = ('"MESSAGE":[', '"MESSAGE": [', '"MESSAGE" : [', r"\u00")
"""Where a message's fixed text may not be seen before it is unpacked."""

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
"""The journal writes a message with control characters as the numbers of its bytes."""
_AROUND = " \t[],\r"
"""What stands around the objects of a list."""


def escaped(texts: Iterable[str]) -> list[str]:
    """How those of the texts stand inside a JSON line that look different there."""
    inside = {text: json.dumps(text, ensure_ascii=False)[1:-1] for text in texts}
    return [other for text, other in inside.items() if other != text]


def unpacked(lines: pl.DataFrame) -> pl.DataFrame:
    """`lines` with the messages of those that are JSON as their `text`.

    Changed are text, time, stream (the container or the process), output (stdout or stderr) and partial (docker cut
    this write, and goes on in the next line). A message of several lines, as shippers join them, has carriage returns
    between them, at which lines are cut. A line that is no whole JSON object stays as it is.
    """
    text = lines["text"]
    if not text.str.contains_any(list(OPENINGS)).any():
        return lines
    is_json = text.str.contains(_OBJECT) & text.str.contains(_HAS_MESSAGE)
    if not is_json.any():
        return lines
    inner = lines.filter(is_json)
    values = list(_values(inner["text"]))
    held = inner.with_columns(pl.col("text").str.strip_chars(_AROUND).alias("object")).with_columns(*values)
    told = [name for name in held.columns if name in _PATHS]
    inner = held.with_columns(
        pl.coalesce(*_message(told), "text")
        .str.strip_chars_end("\r\n")
        .str.replace_all("\n", "\r", literal=True)
        .alias("text"),
        pl.coalesce(*(_time(pl.col(path)) for path in told if path in _TIMES), "time").alias("time"),
        pl.coalesce(*_stream(told), "stream").alias("stream"),
        pl.coalesce(*(path for path in told if path == _OUTPUT), "output").alias("output"),
        (_is_piece(pl.col(_LOG)) if _LOG in told else pl.col("partial")).alias("partial"),
    ).select(lines.columns)
    return pl.concat([lines.filter(~is_json), inner]).sort("source", "line")


def _values(text: pl.Series) -> Iterator[pl.Expr]:
    """The members that any of the texts names, as columns called like their paths."""
    for path in _PATHS:
        key = path.removesuffix("']").split("['")[-1].rsplit(".", 1)[-1]
        if text.str.contains(f'"{key}"', literal=True).any():
            yield pl.col("object").str.json_path_match(path).alias(path)


def _message(told: list[str]) -> Iterator[pl.Expr]:
    """Where a message may stand, the first that is not null counts; what some shippers call `log` is an object."""
    if _LOG in told:
        yield pl.when(pl.col("object").str.contains(_LOG_IS_TEXT)).then(pl.col(_LOG))
    if "$.MESSAGE" in told:
        numbers = pl.col("object").str.extract(_IN_BYTES).str.replace_all(" ", "", literal=True).str.split(",")
        yield numbers.list.eval(pl.element().cast(pl.UInt8, strict=False)).cast(pl.Binary).cast(pl.String, strict=False)
    yield from (pl.col(path) for path in told if path in _MESSAGES)


def _stream(told: list[str]) -> Iterator[pl.Expr]:
    """The container's name, or of the journal's lines host, program and process."""
    yield from (pl.col(path) for path in told if path in _CONTAINERS)
    if "$._PID" in told and "$.SYSLOG_IDENTIFIER" in told:
        host = pl.concat_str("$._HOSTNAME", pl.lit("/")).fill_null("") if "$._HOSTNAME" in told else pl.lit("")
        yield host + pl.format("{}[{}]", "$.SYSLOG_IDENTIFIER", "$._PID")


def _is_piece(log: pl.Expr) -> pl.Expr:
    """Whether docker cut this write and goes on in the next line; a cut character becomes one of three bytes."""
    size = log.str.len_bytes().is_between(SPLIT_BYTES - 3, SPLIT_BYTES + 9)
    return (size & ~log.str.ends_with("\n")).fill_null(value=False)


def _time(stamp: pl.Expr) -> pl.Expr:
    return TYPES["timestamp"].columns(stamp)[""]
