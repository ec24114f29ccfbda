"""What container runtimes, launchers and consoles put around a line, taken off column by column."""

from __future__ import annotations

from functools import cache

import polars as pl

from loganalyzer.grammar import model
from loganalyzer.grammar.load import wrappers
from loganalyzer.grammar.lower import Lowered, lower
from loganalyzer.grammar.types import TYPES
from loganalyzer.pieces import CUT_MARKS, SPLIT_BYTES
from loganalyzer.rows import dropped, extended, selected

DEEPEST = 3
"""Wrappers around wrappers that are taken off: a runtime's stamp, a container's name, a launcher's level."""

ANSI = r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])"
STAMP_INSIDE = r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}) - "
"""ComfyUI's own log buffer stamps every write, so that stamps stand inside lines."""
SEPARATOR = "\x1e"
JSON_LINE = '{"'
"""What stands in every line that is JSON."""
INSIDE_TEXT = ("\x1b", "\0")
"""What can stand inside a message's fixed text and is taken out: terminal codes and NULs."""

_JSON_LINE = pl.Struct({"log": pl.String, "stream": pl.String, "time": pl.String})


@cache
def _prefixes() -> tuple[tuple[model.Pattern, Lowered], ...]:
    return tuple((pattern, lower(pattern.nodes)) for pattern in wrappers())


@cache
def _any_prefix() -> str:
    bodies = "|".join(f"(?:{_bare(lowered)})" for _, lowered in _prefixes())
    return f"^(?:{bodies})"


def _bare(lowered: Lowered) -> str:
    return lowered.regex.removeprefix("(?:^|[^0-9A-Za-z_])")


def is_prefixed(texts: pl.Series) -> pl.Series:
    """Which of the texts begin as a runtime's, a launcher's or a console's lines do."""
    return texts.str.contains(_any_prefix())


def unwrap(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines (source, line, text) with their wrappers taken off, and two more columns.

    `time` (Datetime, as the wrapper names it) and `stream` (the container's or worker's name), null where
    nothing names them. Lines that the container runtime cut into pieces are whole again, under their first number.
    """
    lines = lines.pipe(
        extended,
        pl.lit(None, pl.Datetime("us")).alias("time"),
        pl.lit(None, pl.String).alias("stream"),
        pl.lit(value=False).alias("partial"),
        pl.lit(value=False).alias("whole"),
    )
    plain = _strip_ansi(_unwrap_json(lines))
    lines = plain
    for _ in range(DEEPEST):
        wrapped = is_prefixed(lines["text"])
        if not wrapped.any():
            break
        lines = pl.concat([lines.filter(~wrapped), _strip_prefix(lines.filter(wrapped))])
    return _joined(lines if lines is plain else lines.sort("source", "line")).pipe(dropped, "partial", "whole")


def _joined(lines: pl.DataFrame) -> pl.DataFrame:
    """Pieces of one line put together again, within each stream."""
    if not lines["partial"].any():
        return lines
    within = ["source", "stream"]
    begins = ~pl.col("partial").shift(1, fill_value=False).over(within)
    return (
        lines.pipe(extended, begins.cast(pl.Int64).cum_sum().over(within).alias("piece"))
        .group_by(*within, "piece", maintain_order=True)
        .agg(
            pl.col("line", "time").first(),
            pl.col("text").str.join(""),
            pl.lit(value=False).alias("partial").first(),
            pl.col("whole").first(),
        )
        .pipe(selected, lines.columns)
        .sort("source", "line")
    )


def _strip_ansi(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines without terminal codes and NULs. Where only these stood inside a runtime's mark, it is none."""
    odd = pl.col("text").str.contains_any(list(INSIDE_TEXT))
    if not lines.pipe(selected, odd.any()).item():
        return lines
    clean = pl.col("text").str.replace_all(ANSI, "").str.replace_all("[\\x1b\\x00]", "")
    marked = pl.col("text").str.contains_any([mark.decode() for mark in CUT_MARKS])
    return lines.pipe(
        extended, pl.when(odd).then(clean).otherwise(pl.col("text")).alias("text"), (odd & ~marked).alias("whole")
    )


def _unwrap_json(lines: pl.DataFrame) -> pl.DataFrame:
    """`{"log": …, "stream": …, "time": …}`, as docker's default driver writes; stdout and stderr stay together."""
    if not lines["text"].str.contains(JSON_LINE, literal=True).any():
        return lines
    is_json = lines["text"].str.contains(r'^\s*\{"(?:log|stream|time|msg|message)":')
    if not is_json.any():
        return lines
    inner = lines.filter(is_json).pipe(
        extended,
        pl.col("text").str.json_path_match("$.log").alias("log"),
        pl.col("text").str.json_path_match("$.message").alias("message"),
        pl.col("text").str.json_path_match("$.msg").alias("msg"),
        pl.col("text").str.json_path_match("$.time").alias("stamp"),
    )
    inner = inner.pipe(
        extended,
        pl.coalesce("log", "message", "msg", "text").str.strip_chars_end("\r\n").alias("text"),
        _time(pl.col("stamp")).alias("time"),
        _is_piece(pl.col("log")).alias("partial"),
    ).pipe(selected, lines.columns)
    return pl.concat([lines.filter(~is_json), inner]).sort("source", "line")


def _is_piece(log: pl.Expr) -> pl.Expr:
    """Whether docker cut this write and goes on in the next line; a cut character becomes one of three bytes."""
    size = log.str.len_bytes().is_between(SPLIT_BYTES - 3, SPLIT_BYTES + 9)
    return (size & ~log.str.ends_with("\n")).fill_null(value=False)


def _partial(values: pl.DataFrame) -> pl.Expr:
    return pl.lit(values["part"] == "P") & ~pl.col("whole") if "part" in values.columns else pl.col("partial")


def _worker(name: pl.Series) -> pl.Series:
    """The name of a container or worker; stdout and stderr are two outputs of one process, not two streams."""
    return name.set(name.is_in(["stdout", "stderr"]), None)


def _time(stamp: pl.Expr) -> pl.Expr:
    return TYPES["timestamp"].columns(stamp)[""]


def _strip_prefix(lines: pl.DataFrame) -> pl.DataFrame:
    """Each line without the first wrapper that fits it."""
    parts = []
    rest = lines
    for _, lowered in _prefixes():
        regex = "^" + _bare(lowered)
        fits, values = Lowered(regex, lowered.groups).read(rest["text"])
        if not fits.any():
            continue
        found = rest.filter(fits)
        rest = rest.filter(~fits)
        parts.append(
            found.pipe(
                extended,
                pl.col("text").str.replace(regex, "").alias("text"),
                pl.coalesce("time", *(values[name] for name in ("time",) if name in values.columns)).alias("time"),
                pl.coalesce("stream", *(_worker(values[name]) for name in ("stream",) if name in values.columns)),
                _partial(values).alias("partial"),
            )
        )
    return pl.concat([*parts, rest])
