"""Replaces secrets by masks in every text of an analysis.

A mask reads `‹kind:1a2b›`. The four digits are a keyed hash of the value, so that equal values have equal masks within
one call. The key derives from the logs' complete content and is never shown: the same logs give the same masks, and a
reader who has a report but not the log cannot test names against a mask. The SHA-256 that reports show does not reveal
the key: the key comes from the hash of the content with a suffix.
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
"""Up to this many rows in all tables together, one search over all texts comes before the search in each column."""
LONGEST: Final = 4000
"""Characters searched at once. Longer texts are split at blanks, so that the time grows linearly with the length."""
_PIECES = re.compile(r".{1,3000}(?:\s|$)|.{1,3000}", re.DOTALL)

_NARROW: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
"""Full-width letters, digits and signs, each to its ASCII character."""


class Masker:
    """Masks texts with one key. `places` counts the masked places of each kind."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._masks: dict[tuple[str, str], str] = {}
        self._taken: dict[str, str] = {}
        self.places: Counter[str] = Counter()

    @property
    def values(self) -> Counter[str]:
        """The number of different masked values of each kind."""
        return Counter(kind for kind, _ in self._masks)

    def mask(self, text: str, times: int = 1) -> str:
        """`text` with its secrets masked; `times` is how often the text occurs. Masking it again changes nothing."""
        if len(text) > LONGEST:
            return "".join(self.mask(piece, times) for piece in _PIECES.findall(text))
        if not re.search(ROUGH, text):
            return text
        from loganalyzer.redact.kinds import KINDS  # most logs need no kinds, which take time to import

        narrow = text.translate(_NARROW)
        if narrow != text:
            masked = self.mask(narrow, times)
            return masked if masked != narrow else text
        small = text.lower()
        for kind in KINDS:
            if not any(hint in small for hint in kind.hints):
                continue
            text = kind.pattern.sub(partial(self._replace_match, kind, times), text)
        return text

    def _replace_match(self, kind: Kind, times: int, found: re.Match[str]) -> str:
        from loganalyzer.redact.judging import Span

        group = found.lastgroup or 0
        span = Span(found.string, found.start(group), found.end(group))
        if not kind.is_secret(span):
            return found[0]
        self.places[kind.name] += times
        before, behind = found.string[found.start() : span.start], found.string[span.end : found.end()]
        return f"{before}‹{self._mask_of(kind.name, span.value)}›{behind}"

    def _mask_of(self, kind: str, value: str) -> str:
        """The value's mask, with more digits where another value of its kind has the same short mask."""
        known = self._masks.get((kind, value))
        if known is None:
            digest = blake2b(f"{kind}\0{value}".encode("utf-8", "replace"), key=self._key, digest_size=16).hexdigest()
            masks = (f"{kind}:{digest[:size]}" for size in (4, 8, 32))
            known = next((mask for mask in masks if self._taken.get(mask, value) == value), f"{kind}:{digest}")
            self._taken[known] = value
            self._masks[kind, value] = known
        return known


def create_masker(secrets: Iterable[str]) -> Masker:
    """A masker whose key derives from secrets of the inputs that no output shows. Their order does not matter."""
    return Masker(blake2b("\n".join(sorted(set(secrets))).encode(), digest_size=32).digest())


def mask_analysis(analysis: Analysis, masking: Masker) -> Analysis:
    """`analysis` with every secret in its texts masked, and with their counts in the table `masked`.

    In `source`, the caller's home folder becomes `~`, so that the path still opens.
    """
    frames = {name: frame for name, frame in analysis.tables() if name != "masked"}
    if not _is_clean(frames):
        frames = {name: _mask_table(name, frame, masking) for name, frame in frames.items()}
    problems, notes = (tuple(map(masking.mask, texts)) for texts in (analysis.problems, analysis.notes))
    total = _add_counts(
        analysis.masked, [(kind, count, masking.places[kind]) for kind, count in masking.values.items()]
    )
    counted = None if analysis.counted is None else _mask_totals(analysis.counted, masking)
    return Analysis(**frames, masked=total, problems=problems, notes=notes, counted=counted, faults=analysis.faults)


def _mask_totals(totals: Totals, masking: Masker) -> Totals:
    """Totals without secrets. A reason may quote a log. It is counted in the tables, which hold it too."""
    reasons = totals.not_checked["reason"]
    masked = _mask_column(reasons, masking, counts=False)
    return replace(totals, not_checked=totals.not_checked.with_columns(masked))


def _add_counts(masked: pl.DataFrame, rows: list[tuple[str, int, int]]) -> pl.DataFrame:
    """The earlier counts plus those of this call, by kind."""
    if masked.is_empty() and not rows:
        return masked
    counted = pl.concat([masked, pl.DataFrame(rows, schema=schema.MASKED, orient="row")])
    return counted.group_by("kind").agg(pl.col("values", "places").sum()).sort("kind")


def _is_clean(frames: Mapping[str, pl.DataFrame]) -> bool:
    """Whether short tables hold nothing like a secret, by one search over all their texts. Most tables do not."""
    if sum(frame.height for frame in frames.values()) > _FEW:
        return False
    columns = [
        frames[table][name] for table, names in FOREIGN.items() for name in names if not frames[table].is_empty()
    ]
    columns = [_flatten(texts) for texts in columns]
    return not columns or not pl.concat([texts.alias("text") for texts in columns]).str.contains(ROUGH).any()


def _mask_table(table: str, frame: pl.DataFrame, masking: Masker) -> pl.DataFrame:
    names = FOREIGN.get(table, ())
    if frame.is_empty() or not names:
        return frame
    texts = {name: frame[name] for name in names}
    masked = [_mask_column(own, masking, counts=name != "source" or table == "sources") for name, own in texts.items()]
    changed = [column for column in masked if column is not texts[column.name]]
    return frame.with_columns(changed) if changed else frame


def _flatten(texts: pl.Series) -> pl.Series:
    """The texts; a column of lists becomes its entries."""
    return texts.explode() if texts.dtype == pl.List else texts


def _mask_column(texts: pl.Series, masking: Masker, *, counts: bool) -> pl.Series:
    """`texts` with secrets masked. Each text that may hold one is searched once, however many rows repeat it."""
    if texts.dtype == pl.List:
        return _mask_list_column(texts, masking, counts=counts)
    runs = run_lengths(texts.to_frame("text"), "text")
    rough = runs.filter(pl.col("text").str.contains(ROUGH).fill_null(value=False))
    if rough.is_empty():
        return texts
    found = rough.group_by("text").agg(pl.col("count").sum()).sort("text").rows()
    prepare = abbreviate_home if texts.name == "source" else str
    masks = {text: masking.mask(prepare(text), number if counts else 0) for text, number in found}
    return texts.replace({text: mask for text, mask in masks.items() if text != mask})


def _mask_list_column(lists: pl.Series, masking: Masker, *, counts: bool) -> pl.Series:
    """As `_mask_column`, for a column of lists."""
    entries = lists.explode()
    masked = _mask_column(entries, masking, counts=counts)
    if masked is entries:
        return lists
    masks = dict(pl.DataFrame({"entry": entries, "mask": masked}).unique().drop_nulls().rows())
    return lists.to_frame().select(pl.col(lists.name).list.eval(pl.element().replace(masks))).to_series()


def abbreviate_home(path: str) -> str:
    """The path as `~/…` if it is below the caller's home folder and that folder is named after a person."""
    try:
        home = str(Path.home())
    except RuntimeError:
        return path
    inside = path.startswith((f"{home}/", f"{home}\\"))
    return f"~{path[len(home) :]}" if inside and Masker(b"").mask(f"{home}/") != f"{home}/" else path
