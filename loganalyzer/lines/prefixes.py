"""What container runtimes, launchers and consoles put around a line, taken off column by column."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from functools import cache, reduce

import polars as pl

from loganalyzer.grammar import model
from loganalyzer.grammar.load import wrappers
from loganalyzer.grammar.lower import Lowered, lower
from loganalyzer.lines import carriage_returns, escape_codes, html_text, json_lines
from loganalyzer.sources.chunks import CUT_MARKS

DEEPEST = 3
"""Wrappers around wrappers that are taken off: a runtime's stamp, a container's name, a launcher's level."""

STAMP_INSIDE = r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}) - "
"""ComfyUI's own log buffer stamps every write, so that stamps stand inside lines."""
SEPARATOR = "\x1e"
_OUTPUTS = ["stdout", "stderr"]
_SHIPPERS = 2
"""JSON inside of JSON that is unpacked."""
_QUOTES = ('"', "`", "'")
_STAMP_ONLY = "syslog-stamp"
_NAMES_ONLY = "syslog"
"""Behind the same stamp, a message of two words and a colon looks like a host and a program."""


@cache
def _prefixes() -> tuple[tuple[model.Pattern, Lowered], ...]:
    return tuple((pattern, lower(pattern.nodes)) for pattern in wrappers())


@cache
def _any_prefix() -> str:
    """Where one wrapper goes on behind all of another, as stamps alone are one, that one tells of both."""
    bodies = [_bare(lowered) for _, lowered in _prefixes()]
    shortest = [body for body in bodies if not any(body != other and body.startswith(other) for other in bodies)]
    return f"^(?:{'|'.join(f'(?:{body})' for body in shortest)})"


def _bare(lowered: Lowered) -> str:
    return lowered.regex.removeprefix("(?:^|[^0-9A-Za-z_])")


def is_prefixed(texts: pl.Series) -> pl.Series:
    """Which of the texts begin as a runtime's, a launcher's or a console's lines do."""
    return texts.str.contains(_any_prefix())


def unwrap(lines: pl.DataFrame, anchors: Sequence[str] = ()) -> pl.DataFrame:
    """Lines (source, line, text) with their wrappers taken off, and two more columns.

    `time` (Datetime, as the wrapper names it) and `stream` (the container's, worker's or process's name), null where
    nothing names them. Lines that the container runtime cut into pieces are whole again, under their first number.
    A message that begins with one of the fixed texts `anchors` is not taken for a host's and a program's name.
    """
    lines = lines.with_columns(
        pl.lit(None, pl.Datetime("us")).alias("time"),
        pl.lit(None, pl.String).alias("stream"),
        pl.lit(None, pl.String).alias("output"),
        pl.lit(value=False).alias("partial"),
        pl.lit(value=False).alias("whole"),
    )
    plain = _opened(lines)
    lines = plain
    for _ in range(DEEPEST):
        wrapped = is_prefixed(lines["text"])
        if not wrapped.any():
            break
        lines = pl.concat([lines.filter(~wrapped), _opened(_strip_prefix(lines.filter(wrapped), anchors))])
    return _joined(lines if lines is plain else lines.sort("source", "line")).drop("output", "partial", "whole")


def _opened(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines without codes, those that are JSON, or hold JSON of another shipper, with the messages in them."""
    clean = _without_codes(lines)
    for _ in range(_SHIPPERS):
        unpacked = json_lines.unpacked(clean)
        if unpacked is clean:
            break
        clean = _without_codes(unpacked)
    return _with_returns(_unquoted(_without_html(clean)))


def _without_html(lines: pl.DataFrame) -> pl.DataFrame:
    return _changed(lines, html_text.is_html(lines["text"]), html_text.read)


def _changed(lines: pl.DataFrame, where: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
    """`lines`, those `where` is true with another text."""
    if not where.any():
        return lines
    texts = lines["text"]
    return lines.with_columns(texts.scatter(where.arg_true(), change(texts.filter(where))))


def is_quoted(texts: pl.Series) -> pl.Series:
    """Which of the texts stand in quotation marks or back-ticks as a whole, as in a pasted or exported line."""
    marked = (texts.str.starts_with(mark) & texts.str.ends_with(mark) for mark in _QUOTES)
    return (texts.str.len_bytes() > 1) & reduce(operator.or_, marked)


def _unquoted(lines: pl.DataFrame) -> pl.DataFrame:
    return _changed(lines, is_quoted(lines["text"]), lambda texts: texts.str.slice(1).str.head(-1))


def _with_returns(lines: pl.DataFrame) -> pl.DataFrame:
    return _changed(lines, carriage_returns.is_spelled(lines["text"]), carriage_returns.restored)


def _joined(lines: pl.DataFrame) -> pl.DataFrame:
    """Pieces of one line put together again, within each output of each stream."""
    if not lines["partial"].any():
        return lines
    within = ["source", "stream", "output"]
    begins = ~pl.col("partial").shift(1, fill_value=False).over(within)
    return (
        lines.with_columns(begins.cast(pl.Int64).cum_sum().over(within).alias("piece"))
        .group_by(*within, "piece", maintain_order=True)
        .agg(
            pl.col("line", "time").first(),
            pl.col("text").str.join(""),
            pl.lit(value=False).alias("partial").first(),
            pl.col("whole").first(),
        )
        .select(lines.columns)
        .sort("source", "line")
    )


def _without_codes(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines without what nobody sees. Where only that stood inside a runtime's mark, it is none."""
    odd = escape_codes.is_odd(pl.col("text"))
    if not lines.select(odd.any()).item():
        return lines
    clean = escape_codes.cleaned(pl.col("text"))
    marked = pl.col("text").str.contains_any([mark.decode() for mark in CUT_MARKS])
    return lines.with_columns(
        pl.when(odd).then(clean).otherwise(pl.col("text")).alias("text"),
        (pl.col("whole") | (odd & ~marked)).alias("whole"),
    )


def _partial(values: pl.DataFrame) -> pl.Expr:
    return pl.lit(values["part"] == "P") & ~pl.col("whole") if "part" in values.columns else pl.col("partial")


def _worker(values: pl.DataFrame) -> list[pl.Series]:
    """The name of a container, a worker or a process; stdout and stderr are two outputs of one, not two streams."""
    if "stream" not in values.columns:
        return []
    name = values["stream"].set(values["stream"].is_in(_OUTPUTS), None)
    if "process" in values.columns:
        name = name + "[" + values["process"].cast(pl.String) + "]"
    return [values["host"] + "/" + name if "host" in values.columns else name]


def _output(values: pl.DataFrame) -> list[pl.Series]:
    """Which of a process's outputs the line is from, where that is named."""
    if "stream" not in values.columns:
        return []
    return [values["stream"].set(~values["stream"].is_in(_OUTPUTS), None)]


def _strip_prefix(lines: pl.DataFrame, anchors: Sequence[str]) -> pl.DataFrame:
    """Each line without the first wrapper that fits it."""
    parts = []
    rest = lines
    for pattern, lowered in _prefixes():
        regex = "^" + _bare(lowered)
        fits, values = Lowered(regex, lowered.groups).read(rest["text"])
        if pattern.id == _NAMES_ONLY and fits.any():
            message = rest["text"].str.contains(_message_behind_stamp(tuple(anchors)))
            values = values.filter(~message.filter(fits))
            fits &= ~message
        if not fits.any():
            continue
        found = rest.filter(fits)
        rest = rest.filter(~fits)
        parts.append(
            found.with_columns(
                pl.col("text").str.replace(regex, "").alias("text"),
                pl.coalesce("time", *(values[name] for name in ("time",) if name in values.columns)).alias("time"),
                pl.coalesce("stream", *_worker(values)).alias("stream"),
                pl.coalesce("output", *_output(values)).alias("output"),
                _partial(values).alias("partial"),
            )
        )
    return pl.concat([*parts, rest])


@cache
def _message_behind_stamp(anchors: tuple[str, ...]) -> str:
    """The expression for a stamp and a message whose fixed text begins in its first two words."""
    bare = {pattern.id: _bare(lowered) for pattern, lowered in _prefixes()}
    texts = "|".join(re.escape(text) for text in anchors) or "$^"
    return f"^{bare[_STAMP_ONLY]}(?:[^ ]+ ){{0,1}}[^ ]*?(?:{texts})"
