"""Masks instead of secrets in every text of an analysis.

A mask reads `‹kind:1a2b›`. The four digits are a keyed hash of the value, so that equal values stay equal within one
call. The key follows from the logs' whole content and is never shown: the same logs give the same masks, and a reader,
who knows a report but not the log, cannot try names out against a mask. The SHA-256 that reports show does not give the
key away: the key comes from the hash of the content with a suffix.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from loganalyzer.redact.rough import ROUGH
from loganalyzer.tables import schema
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.frames import run_lengths
from loganalyzer.tables.schema import FOREIGN

if TYPE_CHECKING:
    from loganalyzer.redact.kind import Kind
    from loganalyzer.tables.totals import Totals

_FEW: Final = 10_000
"""Rows of all tables together whose texts are worth a look before any of them is looked at by itself."""
LONGEST: Final = 4000
"""Characters looked at in one go: longer texts are cut at blanks, so that time grows with length and no faster."""
_PIECES = re.compile(r".{1,3000}(?:\s|$)|.{1,3000}", re.DOTALL)

_NARROW: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
"""Full-width forms of letters, digits and signs, each as the character it stands for."""


class Masker:
    """Masks texts with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._masks: dict[tuple[str, str], str] = {}
        self._taken: dict[str, str] = {}
        self.places: Counter[str] = Counter()

    @property
    def values(self) -> Counter[str]:
        """How many different values of each kind were masked; `places` says how often."""
        return Counter(kind for kind, _ in self._masks)

    def mask(self, text: str, times: int = 1) -> str:
        """`text`, which stands in so many places, with its secrets masked. Masking twice is masking once."""
        if len(text) > LONGEST:
            return "".join(self.mask(piece, times) for piece in _PIECES.findall(text))
        if not re.search(ROUGH, text):
            return text
        from loganalyzer.redact.kinds import KINDS  # many logs hold nothing that comes so far

        narrow = text.translate(_NARROW)
        if narrow != text:
            masked = self.mask(narrow, times)
            return masked if masked != narrow else text
        small = text.lower()
        for kind in KINDS:
            if not any(hint in small for hint in kind.hints):
                continue
            text = kind.pattern.sub(partial(self._replaced, kind, times), text)
        return text

    def _replaced(self, kind: Kind, times: int, found: re.Match[str]) -> str:
        from loganalyzer.redact.judging import Span

        group = found.lastgroup or 0
        span = Span(found.string, found.start(group), found.end(group))
        if not kind.is_one(span):
            return found[0]
        self.places[kind.name] += times
        before, behind = found.string[found.start() : span.start], found.string[span.end : found.end()]
        return f"{before}‹{self._of(kind.name, span.value)}›{behind}"

    def _of(self, kind: str, value: str) -> str:
        """The value's mask; a longer one where another value of its kind has the same."""
        known = self._masks.get((kind, value))
        if known is None:
            digest = blake2b(f"{kind}\0{value}".encode("utf-8", "replace"), key=self._key, digest_size=16).hexdigest()
            masks = (f"{kind}:{digest[:size]}" for size in (4, 8, 32))
            known = next((mask for mask in masks if self._taken.get(mask, value) == value), f"{kind}:{digest}")
            self._taken[known] = value
            self._masks[kind, value] = known
        return known


def masker(secrets: Iterable[str]) -> Masker:
    """A masker whose key follows from what is known of the inputs and not shown, in whatever order they come."""
    return Masker(blake2b("\n".join(sorted(set(secrets))).encode(), digest_size=32).digest())


def redacted(analysis: Analysis, masking: Masker) -> Analysis:
    """`analysis` with every secret in its texts masked, and the table `masked` counting them.

    In `source` the home folder of whoever calls becomes `~`, so that the path can still be opened.
    """
    frames = {name: frame for name, frame in analysis.tables() if name != "masked"}
    if not _is_clean(frames):
        frames = {name: _masked(name, frame, masking) for name, frame in frames.items()}
    problems, notes = (tuple(map(masking.mask, texts)) for texts in (analysis.problems, analysis.notes))
    total = _added(analysis.masked, [(kind, count, masking.places[kind]) for kind, count in masking.values.items()])
    counted = None if analysis.counted is None else _told(analysis.counted, masking)
    return Analysis(**frames, masked=total, problems=problems, notes=notes, counted=counted, faults=analysis.faults)


def _told(totals: Totals, masking: Masker) -> Totals:
    """Totals without secrets: a reason may hold words of a log, and stands in the tables as well, where it counts."""
    reasons = totals.not_checked["reason"]
    masked = _column(reasons, masking, counts=False)
    return replace(totals, not_checked=totals.not_checked.with_columns(masked))


def _added(masked: pl.DataFrame, rows: list[tuple[str, int, int]]) -> pl.DataFrame:
    """The counts so far and those of this call, by kind."""
    if masked.is_empty() and not rows:
        return masked
    counted = pl.concat([masked, pl.DataFrame(rows, schema=schema.MASKED, orient="row")])
    return counted.group_by("kind").agg(pl.col("values", "places").sum()).sort("kind")


def _is_clean(frames: Mapping[str, pl.DataFrame]) -> bool:
    """Whether short tables hold nothing that looks like a secret, as most do: one look at all their texts together."""
    if sum(frame.height for frame in frames.values()) > _FEW:
        return False
    told = [frames[table][name] for table, names in FOREIGN.items() for name in names if not frames[table].is_empty()]
    told = [_flat(texts) for texts in told]
    return not told or not pl.concat([texts.alias("text") for texts in told]).str.contains(ROUGH).any()


def _masked(table: str, frame: pl.DataFrame, masking: Masker) -> pl.DataFrame:
    names = FOREIGN.get(table, ())
    if frame.is_empty() or not names:
        return frame
    texts = {name: frame[name] for name in names}
    masked = [_column(own, masking, counts=name != "source" or table == "sources") for name, own in texts.items()]
    changed = [column for column in masked if column is not texts[column.name]]
    return frame.with_columns(changed) if changed else frame


def _flat(texts: pl.Series) -> pl.Series:
    """Texts, and of lists of texts their entries."""
    return texts.explode() if texts.dtype == pl.List else texts


def _column(texts: pl.Series, masking: Masker, *, counts: bool) -> pl.Series:
    """Each text that may hold a secret is looked at once, however many rows have it."""
    if texts.dtype == pl.List:
        return _list_column(texts, masking, counts=counts)
    told = run_lengths(texts.to_frame("text"), "text")
    rough = told.filter(pl.col("text").str.contains(ROUGH).fill_null(value=False))
    if rough.is_empty():
        return texts
    found = rough.group_by("text").agg(pl.col("count").sum()).sort("text").rows()
    near = without_home if texts.name == "source" else str
    masks = {text: masking.mask(near(text), number if counts else 0) for text, number in found}
    return texts.replace({text: mask for text, mask in masks.items() if text != mask})


def _list_column(lists: pl.Series, masking: Masker, *, counts: bool) -> pl.Series:
    """The same for lists of texts."""
    entries = lists.explode()
    masked = _column(entries, masking, counts=counts)
    if masked is entries:
        return lists
    masks = dict(pl.DataFrame({"entry": entries, "mask": masked}).unique().drop_nulls().rows())
    return lists.to_frame().select(pl.col(lists.name).list.eval(pl.element().replace(masks))).to_series()


def without_home(path: str) -> str:
    """A path below the caller's home folder as `~/…`, where that folder is called like a person."""
    try:
        home = str(Path.home())
    except RuntimeError:
        return path
    inside = path.startswith((f"{home}/", f"{home}\\"))
    return f"~{path[len(home) :]}" if inside and Masker(b"").mask(f"{home}/") != f"{home}/" else path
