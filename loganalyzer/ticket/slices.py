"""The parts of a log that tell what happened: its start, and the prompts that failed or were found fault with."""

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
"""Lines of a slice; of a longer stretch its begin, its end and the lines around findings are kept."""
_BEGIN: Final = 80
_END: Final = 120
_AROUND: Final = 2
LONGEST: Final = 1000
"""Characters of a line."""
MOST_CHARACTERS: Final = 400_000
"""Of all slices together."""
_MORE: Final = 500
"""Characters behind the cut that are looked at, so that no secret is halved there."""
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")

Mask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines of one input, `first` to `last`, of which `kept` are wanted, in order."""

    source: str
    title: str
    first: int
    last: int
    kept: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch as text, each line with its number, and how many of its lines were left out."""

    stretch: Stretch
    text: str
    left_out: int


def stretches(analysis: Analysis) -> tuple[tuple[Stretch, ...], tuple[str, ...]]:
    """What is wanted of the logs, the start of each first; and what there is no room for, in words."""
    flagged = _flagged(analysis)
    shown = flagged.head(MOST_PROMPTS)
    cited = _cited(analysis)
    named = pl.col("source").is_in(shown["source"].unique().implode()) | pl.lit(shown.is_empty())
    started = analysis.sources.filter(named)
    sources = started.head(MOST_STARTS)
    firsts = dict(analysis.prompts.group_by("source").agg(pl.col("line").min()).rows())
    found = [
        _stretch(source, "startup", 1, min(lines, (firsts.get(source) or lines + 1) - 1), cited)
        for source, lines in sources.select("source", pl.col("lines").fill_null(0)).rows()
    ]
    found += [
        _stretch(source, f"prompt-line-{line}", line, max(line, end or line), cited)
        for source, line, end in shown.select("source", "line", "end_line").rows()
    ]
    rest = (
        (started.height - sources.height, f"logs without a slice of their start (at most {MOST_STARTS} have one)"),
        (flagged.height - shown.height, f"flagged prompts without a slice (at most {MOST_PROMPTS} have one)"),
    )
    return (
        tuple(item for item in found if item.last >= item.first),
        tuple(f"{count:,} further {what}" for count, what in rest if count),
    )


def _flagged(analysis: Analysis) -> pl.DataFrame:
    """Prompts that did not complete, or have a run with an error or warning; the gravest first."""
    order = {"error": 2, "warning": 3}
    grave = analysis.findings.filter(pl.col("severity").is_in(list(order))).join(
        analysis.runs.select("run_id", "prompt_id"), on="run_id", how="inner"
    )
    ranks = grave.group_by("prompt_id").agg(pl.col("severity").replace_strict(order, return_dtype=pl.Int8).min())
    failed = pl.col("status").is_in(["failed"]).fill_null(value=False)
    unfinished = (pl.col("status") != "completed").fill_null(value=False)
    gravity = pl.when(failed).then(0).when(unfinished).then(1)
    known = analysis.prompts.filter(pl.col("line").is_not_null() & pl.col("source").is_not_null())
    ranked = known.join(ranks, on="prompt_id", how="left", maintain_order="left").with_columns(
        pl.min_horizontal(gravity, "severity").alias("gravity")
    )
    return ranked.filter(pl.col("gravity").is_not_null()).sort("gravity", maintain_order=True)


def _cited(analysis: Analysis) -> dict[str, list[int]]:
    """Each input's lines that findings name, in order."""
    places = analysis.findings.select("source", "line").drop_nulls().unique().sort("source", "line")
    return dict(places.group_by("source").agg("line").rows())


def _stretch(source: str, title: str, first: int, last: int, cited: dict[str, list[int]]) -> Stretch:
    if last - first < MOST_LINES:
        return Stretch(source, title, first, last, tuple(range(first, last + 1)))
    lines = cited.get(source, [])
    inside = lines[bisect_left(lines, first) : bisect_left(lines, last + 1)]
    around = {line + step for line in inside for step in range(-_AROUND, _AROUND + 1) if first <= line + step <= last}
    wanted = {*range(first, first + _BEGIN), *range(last - _END + 1, last + 1)}
    room = MOST_LINES - len(wanted)
    return Stretch(source, title, first, last, tuple(sorted(wanted | set(sorted(around - wanted)[:room]))))


def read(inputs: Iterable[Input], wanted: Sequence[Stretch], mask: Mask) -> tuple[Slice, ...]:
    """The stretches as text, secrets masked, in their order; within the bounds of this module whatever the log."""
    lines: dict[tuple[str, int], str] = {}
    by_source: dict[str, list[int]] = {}
    for stretch in wanted:
        by_source.setdefault(stretch.source, []).extend(stretch.kept)
    for given in inputs:
        numbers = sorted(set(by_source.get(given.name, ())))
        if numbers:
            lines |= {(given.name, number): text for number, text in _lines(given, numbers)}
    room = MOST_CHARACTERS
    slices = []
    for stretch in wanted:
        made = _slice(stretch, lines, mask, room)
        room -= len(made.text)
        slices.append(made)
    return tuple(slices)


def _lines(given: Input, numbers: Sequence[int]) -> Iterable[tuple[int, str]]:
    """The lines with these numbers; reading ends with the last of them."""
    for piece in cut_chunks(given, 0):
        if not isinstance(piece, Chunk):
            return
        here = numbers[bisect_left(numbers, piece.first_line) : bisect_left(numbers, piece.first_line + piece.lines)]
        if here:
            texts = piece.data.split(b"\n")
            yield from ((number, _shown(texts[number - piece.first_line])) for number in here)
        if numbers[-1] < piece.first_line + piece.lines:
            return


def _shown(raw: bytes) -> str:
    """A line as one reads it: of a bar that was redrawn only its last state, no colours, nothing invisible."""
    states = [state for state in raw.decode("utf-8", "replace").split("\r") if state.strip()]
    if not states:
        return ""
    before = f"[{plural(len(states) - 1, 'earlier state')} of this line left out] " if len(states) > 1 else ""
    return before + printable(_ANSI.sub("", states[-1]))


def _slice(stretch: Stretch, lines: dict[tuple[str, int], str], mask: Mask, room: int) -> Slice:
    width = len(str(stretch.last))
    out: list[str] = []
    last, used, count = stretch.first - 1, 0, 0
    for number in stretch.kept:
        text = lines.get((stretch.source, number))
        if text is None:
            continue
        masked = mask(text[: LONGEST + _MORE])
        masked = f"{masked[:LONGEST]} …" if len(masked) > LONGEST else masked
        line = f"{number:>{width}}  {masked}".rstrip()
        if used + len(line) > room:
            break
        if number > last + 1:
            out.append(f"{'…':>{width}}  {plural(number - last - 1, 'line')} left out")
        out.append(line)
        used += len(line) + 1
        last, count = number, count + 1
    left_out = stretch.last - stretch.first + 1 - count
    if last < stretch.last:
        out.append(f"{'…':>{width}}  {plural(stretch.last - last, 'line')} left out")
    return Slice(stretch, "\n".join(out) + "\n", left_out)
