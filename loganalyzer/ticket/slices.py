"""Cuts the important parts out of a log: its start, and the prompts that failed or have findings."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from loganalyzer.common.formatting import plural, printable
from loganalyzer.sources.chunks import Chunk, cut_chunks
from loganalyzer.sources.inputs import Input
from loganalyzer.tables.analysis import Analysis

MOST_PROMPTS: Final = 20
MOST_STARTS: Final = 10
MOST_LINES: Final = 300
"""Maximum lines of a slice. A longer section keeps its first and last lines and those around findings."""
_FIRST_LINES: Final = 80
_LAST_LINES: Final = 120
_CONTEXT_LINES: Final = 2
MOST_LINE_CHARACTERS: Final = 1000
"""Maximum characters of a line."""
MOST_CHARACTERS: Final = 400_000
"""Maximum characters of all slices together."""
_MASK_MARGIN: Final = 500
"""Characters after the cut that are masked too, so that the cut cannot split a secret."""
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")

Mask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Section:
    """The lines `first` to `last` of one input; `kept` are the lines to keep, in order."""

    source: str
    title: str
    first: int
    last: int
    kept: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """A section as text, each line with its number, and the number of omitted lines."""

    section: Section
    text: str
    left_out: int


def find_sections(analysis: Analysis) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """The sections to keep (the start of each log first), and sentences about what exceeds the limits."""
    flagged = _flagged_prompts(analysis)
    shown = flagged.head(MOST_PROMPTS)
    cited = _cited_lines(analysis)
    named = pl.col("source").is_in(shown["source"].unique().implode()) | pl.lit(shown.is_empty())
    started = analysis.sources.filter(named)
    sources = started.head(MOST_STARTS)
    firsts = dict(analysis.prompts.group_by("source").agg(pl.col("line").min()).rows())
    found = [
        _make_section(source, "startup", 1, min(lines, (firsts.get(source) or lines + 1) - 1), cited)
        for source, lines in sources.select("source", pl.col("lines").fill_null(0)).rows()
    ]
    found += [
        _make_section(source, f"prompt-line-{line}", line, max(line, end or line), cited)
        for source, line, end in shown.select("source", "line", "end_line").rows()
    ]
    rest = (
        (started.height - sources.height, f"logs without a slice of their start (at most {MOST_STARTS} have one)"),
        (flagged.height - shown.height, f"flagged prompts without a slice (at most {MOST_PROMPTS} have one)"),
    )
    return (
        tuple(item for item in found if item.last >= item.first),
        tuple(f"{count:,} {what}" for count, what in rest if count),
    )


def _flagged_prompts(analysis: Analysis) -> pl.DataFrame:
    """Prompts that did not complete or have a run with an error or warning, the most severe first."""
    order = {"error": 2, "warning": 3}
    severe = analysis.findings.filter(pl.col("severity").is_in(list(order))).join(
        analysis.runs.select("run_id", "prompt_id"), on="run_id", how="inner"
    )
    ranks = severe.group_by("prompt_id").agg(pl.col("severity").replace_strict(order, return_dtype=pl.Int8).min())
    failed = pl.col("status").is_in(["failed"]).fill_null(value=False)
    unfinished = (pl.col("status") != "completed").fill_null(value=False)
    gravity = pl.when(failed).then(0).when(unfinished).then(1)
    known = analysis.prompts.filter(pl.col("line").is_not_null() & pl.col("source").is_not_null())
    ranked = known.join(ranks, on="prompt_id", how="left", maintain_order="left").with_columns(
        pl.min_horizontal(gravity, "severity").alias("gravity")
    )
    return ranked.filter(pl.col("gravity").is_not_null()).sort("gravity", maintain_order=True)


def _cited_lines(analysis: Analysis) -> dict[str, list[int]]:
    """By input, the lines that findings refer to, in order."""
    places = analysis.findings.select("source", "line").drop_nulls().unique().sort("source", "line")
    return dict(places.group_by("source").agg("line").rows())


def _make_section(source: str, title: str, first: int, last: int, cited: dict[str, list[int]]) -> Section:
    if last - first < MOST_LINES:
        return Section(source, title, first, last, tuple(range(first, last + 1)))
    lines = cited.get(source, [])
    inside = lines[bisect_left(lines, first) : bisect_left(lines, last + 1)]
    around = {
        line + step
        for line in inside
        for step in range(-_CONTEXT_LINES, _CONTEXT_LINES + 1)
        if first <= line + step <= last
    }
    wanted = {*range(first, first + _FIRST_LINES), *range(last - _LAST_LINES + 1, last + 1)}
    room = MOST_LINES - len(wanted)
    return Section(source, title, first, last, tuple(sorted(wanted | set(sorted(around - wanted)[:room]))))


def read_slices(inputs: Iterable[Input], wanted: Sequence[Section], mask: Mask) -> tuple[Slice, ...]:
    """The sections as masked text, in order, within the limits of this module."""
    lines: dict[tuple[str, int], str] = {}
    by_source: dict[str, list[int]] = {}
    for section in wanted:
        by_source.setdefault(section.source, []).extend(section.kept)
    for given in inputs:
        numbers = sorted(set(by_source.get(given.name, ())))
        if numbers:
            lines |= {(given.name, number): text for number, text in _read_lines(given, numbers)}
    room = MOST_CHARACTERS
    slices = []
    for section in wanted:
        made = _make_slice(section, lines, mask, room)
        room -= len(made.text)
        slices.append(made)
    return tuple(slices)


def _read_lines(given: Input, numbers: Sequence[int]) -> Iterable[tuple[int, str]]:
    """The lines with these numbers. It stops reading after the last one."""
    for piece in cut_chunks(given, 0):
        if not isinstance(piece, Chunk):
            return
        here = numbers[bisect_left(numbers, piece.first_line) : bisect_left(numbers, piece.first_line + piece.lines)]
        if here:
            texts = piece.data.split(b"\n")
            yield from ((number, _readable_line(texts[number - piece.first_line])) for number in here)
        if numbers[-1] < piece.first_line + piece.lines:
            return


def _readable_line(raw: bytes) -> str:
    """A line for reading: only the last state of a progress bar, without colors and invisible characters."""
    states = [state for state in raw.decode("utf-8", "replace").split("\r") if state.strip()]
    if not states:
        return ""
    before = f"[{plural(len(states) - 1, 'earlier state')} of this line omitted] " if len(states) > 1 else ""
    return before + printable(_ANSI.sub("", states[-1]))


def _make_slice(section: Section, lines: dict[tuple[str, int], str], mask: Mask, room: int) -> Slice:
    width = len(str(section.last))
    out: list[str] = []
    last, used, count = section.first - 1, 0, 0
    for number in section.kept:
        text = lines.get((section.source, number))
        if text is None:
            continue
        masked = mask(text[: MOST_LINE_CHARACTERS + _MASK_MARGIN])
        masked = f"{masked[:MOST_LINE_CHARACTERS]} …" if len(masked) > MOST_LINE_CHARACTERS else masked
        line = f"{number:>{width}}  {masked}".rstrip()
        if used + len(line) > room:
            break
        if number > last + 1:
            out.append(f"{'…':>{width}}  {plural(number - last - 1, 'line')} omitted")
        out.append(line)
        used += len(line) + 1
        last, count = number, count + 1
    left_out = section.last - section.first + 1 - count
    if last < section.last:
        out.append(f"{'…':>{width}}  {plural(section.last - last, 'line')} omitted")
    return Slice(section, "\n".join(out) + "\n", left_out)
