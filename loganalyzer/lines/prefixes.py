"""Strips what container runtimes, launchers and consoles put around a line."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from functools import cache, reduce

import polars as pl

from loganalyzer.grammar import model
from loganalyzer.grammar.load import load_prefixes
from loganalyzer.grammar.lower import Lowered, lower
from loganalyzer.lines import carriage_returns, escape_codes, html_text, json_lines
from loganalyzer.sources.chunks import CUT_MARKS

MAX_DEPTH = 3
"""Maximum nesting of prefixes: a runtime's timestamp, a container's name, a launcher's level."""

STAMP_INSIDE = r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}) - "
"""ComfyUI's own log buffer stamps every write, so timestamps occur inside lines."""
SEPARATOR = "\x1e"
_OUTPUTS = ["stdout", "stderr"]
_MAX_JSON_DEPTH = 2
"""Maximum nesting of JSON in JSON that is unpacked."""
_QUOTES = ('"', "`", "'")
_STAMP_ONLY = "syslog-stamp"
_NAMES_ONLY = "syslog"
"""After the same timestamp, a message of two words and a colon looks like a host and a program."""


@cache
def _prefixes() -> tuple[tuple[model.Pattern, Lowered], ...]:
    return tuple((pattern, lower(pattern.nodes)) for pattern in load_prefixes())


@cache
def _any_prefix_regex() -> str:
    """One regex for all prefixes. A prefix that starts with another one, e.g. with a timestamp, is left to that one."""
    bodies = [_bare_regex(lowered) for _, lowered in _prefixes()]
    shortest = [body for body in bodies if not any(body != other and body.startswith(other) for other in bodies)]
    return f"^(?:{'|'.join(f'(?:{body})' for body in shortest)})"


def _bare_regex(lowered: Lowered) -> str:
    return lowered.regex.removeprefix("(?:^|[^0-9A-Za-z_])")


def has_prefix(texts: pl.Series) -> pl.Series:
    """Whether each text starts like the lines of a runtime, a launcher or a console."""
    return texts.str.contains(_any_prefix_regex())


def unwrap(lines: pl.DataFrame, anchors: Sequence[str] = ()) -> pl.DataFrame:
    """Lines (source, line, text) without their prefixes, with two more columns.

    `time` (Datetime, as the prefix states it) and `stream` (the name of the container, worker or process) are null if
    no prefix states them. Lines that the container runtime split are rejoined under their first number. A message that
    starts with one of the fixed texts `anchors` is not mistaken for the names of a host and a program.
    """
    lines = lines.with_columns(
        pl.lit(None, pl.Datetime("us")).alias("time"),
        pl.lit(None, pl.String).alias("stream"),
        pl.lit(None, pl.String).alias("output"),
        pl.lit(value=False).alias("partial"),
        pl.lit(value=False).alias("is_complete"),
    )
    plain = _unpack_lines(lines)
    lines = plain
    for _ in range(MAX_DEPTH):
        wrapped = has_prefix(lines["text"])
        if not wrapped.any():
            break
        lines = pl.concat([lines.filter(~wrapped), _unpack_lines(_strip_prefix(lines.filter(wrapped), anchors))])
    return _rejoin_split_lines(lines if lines is plain else lines.sort("source", "line")).drop(
        "output", "partial", "is_complete"
    )


def _unpack_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines without escape codes, HTML and quotes; JSON lines, also nested ones, are replaced by their messages."""
    clean = _strip_codes(lines)
    for _ in range(_MAX_JSON_DEPTH):
        unpacked = json_lines.unpack(clean)
        if unpacked is clean:
            break
        clean = _strip_codes(unpacked)
    return _restore_returns(_unquote(_strip_html(clean)))


def _strip_html(lines: pl.DataFrame) -> pl.DataFrame:
    return _replace_where(lines, html_text.is_html(lines["text"]), html_text.to_plain_text)


def _replace_where(lines: pl.DataFrame, where: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
    """`lines` with `change` applied to the texts `where` it is true."""
    if not where.any():
        return lines
    texts = lines["text"]
    return lines.with_columns(texts.scatter(where.arg_true(), change(texts.filter(where))))


def is_quoted(texts: pl.Series) -> pl.Series:
    """Whether each text is enclosed in quotation marks or backticks, as in a pasted or exported line."""
    marked = (texts.str.starts_with(mark) & texts.str.ends_with(mark) for mark in _QUOTES)
    return (texts.str.len_bytes() > 1) & reduce(operator.or_, marked)


def _unquote(lines: pl.DataFrame) -> pl.DataFrame:
    return _replace_where(lines, is_quoted(lines["text"]), lambda texts: texts.str.slice(1).str.head(-1))


def _restore_returns(lines: pl.DataFrame) -> pl.DataFrame:
    return _replace_where(lines, carriage_returns.has_spelled_returns(lines["text"]), carriage_returns.restore_returns)


def _rejoin_split_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Rejoins lines that a runtime split, within each output of each stream."""
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
            pl.col("is_complete").first(),
        )
        .select(lines.columns)
        .sort("source", "line")
    )


def _strip_codes(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines without invisible characters. If only they made a line look like a runtime's, its marks do not count."""
    odd = escape_codes.has_invisible(pl.col("text"))
    if not lines.select(odd.any()).item():
        return lines
    clean = escape_codes.strip_codes(pl.col("text"))
    marked = pl.col("text").str.contains_any([mark.decode() for mark in CUT_MARKS])
    return lines.with_columns(
        pl.when(odd).then(clean).otherwise(pl.col("text")).alias("text"),
        (pl.col("is_complete") | (odd & ~marked)).alias("is_complete"),
    )


def _is_partial(values: pl.DataFrame) -> pl.Expr:
    return pl.lit(values["part"] == "P") & ~pl.col("is_complete") if "part" in values.columns else pl.col("partial")


def _worker_name(values: pl.DataFrame) -> list[pl.Series]:
    """The name of a container, worker or process. Stdout and stderr are outputs of one stream, not two streams."""
    if "stream" not in values.columns:
        return []
    name = values["stream"].set(values["stream"].is_in(_OUTPUTS), None)
    if "process" in values.columns:
        name = name + "[" + values["process"].cast(pl.String) + "]"
    return [values["host"] + "/" + name if "host" in values.columns else name]


def _output_name(values: pl.DataFrame) -> list[pl.Series]:
    """The output (stdout or stderr) that the line comes from, if the prefix states it."""
    if "stream" not in values.columns:
        return []
    return [values["stream"].set(~values["stream"].is_in(_OUTPUTS), None)]


def _strip_prefix(lines: pl.DataFrame, anchors: Sequence[str]) -> pl.DataFrame:
    """Each line without its first matching prefix."""
    parts = []
    rest = lines
    for pattern, lowered in _prefixes():
        regex = "^" + _bare_regex(lowered)
        fits, values = Lowered(regex, lowered.groups).read(rest["text"])
        if pattern.id == _NAMES_ONLY and fits.any():
            message = rest["text"].str.contains(_message_after_stamp_regex(tuple(anchors)))
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
                pl.coalesce("stream", *_worker_name(values)).alias("stream"),
                pl.coalesce("output", *_output_name(values)).alias("output"),
                _is_partial(values).alias("partial"),
            )
        )
    return pl.concat([*parts, rest])


@cache
def _message_after_stamp_regex(anchors: tuple[str, ...]) -> str:
    """A regex for a timestamp followed by a message whose fixed text starts within its first two words."""
    bare = {pattern.id: _bare_regex(lowered) for pattern, lowered in _prefixes()}
    texts = "|".join(re.escape(text) for text in anchors) or "$^"
    return f"^{bare[_STAMP_ONLY]}(?:[^ ]+ ){{0,1}}[^ ]*?(?:{texts})"
