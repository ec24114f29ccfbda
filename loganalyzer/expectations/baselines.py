"""Baselines of memory, time and cost, read from TOML, and held against runs by key.

Like is compared with like: a VRAM baseline names what its peak covers, and a run whose log prints another kind of
figure finds no baseline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from loganalyzer.errors import ExpectationError
from loganalyzer.expectations import baseline_files
from loganalyzer.expectations.names import CARD_MAKER
from loganalyzer.rows import only

_BAND: Final = pl.List(pl.Float64)
_VRAM_KEY: Final = {
    "quantization": pl.String,
    "mode": pl.String,
    "width": pl.Int64,
    "height": pl.Int64,
    "lora_rank": pl.Int64,
    "window_frames": pl.Int64,
    "motion_frames": pl.Int64,
    "covers": pl.String,
}
_TIMING_KEY: Final = {
    "gpu": pl.String,
    "mode": pl.String,
    "width": pl.Int64,
    "height": pl.Int64,
    "steps": pl.Int64,
    "window_frames": pl.Int64,
}
KEYS: Final[Mapping[str, Mapping[str, Any]]] = {
    "vram": _VRAM_KEY,
    "timing": _TIMING_KEY,
    "cost": {"quantization": pl.String},
    "requirement": {"pixels": pl.Int64},
}
FIGURES: Final[Mapping[str, Mapping[str, Any]]] = {
    "vram": {"peak_allocated_gib": pl.Float64, "band_gib": _BAND},
    "timing": {"window_s": _BAND, "tolerance": pl.Float64},
    "cost": {"usd": pl.Float64, "windows": pl.Int64, "tolerance": pl.Float64},
    "requirement": {"quantization": pl.String, "lora_rank": pl.Int64},
}
_TYPES: Final = {pl.String: (str,), pl.Int64: (int,), pl.Float64: (int, float), _BAND: (list,)}
_VRAM_KEY_OF_RUN: Final = [{"covers": "peak_covers"}.get(name, name) for name in _VRAM_KEY]
_TIMING_KEY_OF_RUN: Final = [{"gpu": "card"}.get(name, name) for name in _TIMING_KEY]
_UNSWAPPED: Final = pl.col("swapped_blocks").fill_null(0) == 0


@dataclass(frozen=True)
class Shelf:
    """All baselines of a call.

    Attributes:
        vram: quantization, mode, width, height, lora_rank, window_frames, motion_frames, covers,
            peak_allocated_gib, band_gib (low, high), provenance.
        timing: gpu, mode, width, height, steps, window_frames, window_s (low, high), tolerance, provenance.
        cost: quantization, usd, windows, tolerance, provenance.
        requirement: pixels (and more), quantization (or better), lora_rank, provenance.
        ranking: quantisations from the lightest to the best.
    """

    vram: pl.DataFrame
    timing: pl.DataFrame
    cost: pl.DataFrame
    requirement: pl.DataFrame
    ranking: tuple[str, ...]

    @cached_property
    def _vram_bands(self) -> pl.DataFrame:
        """The keys of a run with vram_low, vram_high, vram_typical (GiB), either way up."""
        return _either_way(
            self.vram.select(
                *(name for name in _VRAM_KEY if name != "covers"),
                pl.col("covers").alias("peak_covers"),
                pl.col("band_gib").list.get(0).alias("vram_low"),
                pl.col("band_gib").list.get(1).alias("vram_high"),
                pl.col("peak_allocated_gib").alias("vram_typical"),
            ),
            _VRAM_KEY_OF_RUN,
        )

    @cached_property
    def _window_times(self) -> pl.DataFrame:
        """The keys of a run, its card among them, with window_low, window_high (s), window_tolerance, either way up."""
        return _either_way(
            self.timing.select(
                pl.col("gpu").str.replace(CARD_MAKER, "").alias("card"),
                *(name for name in _TIMING_KEY if name != "gpu"),
                pl.col("window_s").list.get(0).alias("window_low"),
                pl.col("window_s").list.get(1).alias("window_high"),
                pl.col("tolerance").alias("window_tolerance"),
            ),
            _TIMING_KEY_OF_RUN,
        )

    def with_vram(self, runs: pl.DataFrame) -> pl.DataFrame:
        """`runs` with vram_low, vram_high, vram_typical (GiB) of the baseline with the same key, else null.

        Width and height may be swapped. Block swap moves memory elsewhere, so such a run has no baseline.
        """
        found = runs.join(self._vram_bands, on=_VRAM_KEY_OF_RUN, how="left", maintain_order="left")
        return found.with_columns(
            pl.when(_UNSWAPPED).then(pl.col(name)).alias(name) for name in ("vram_low", "vram_high", "vram_typical")
        )

    def inferred_quantization(self, runs: pl.DataFrame) -> pl.Series:
        """The one quantisation whose band holds the run's peak; null where none or several do."""
        keys = [name for name in _VRAM_KEY_OF_RUN if name != "quantization"]
        peak = pl.col("peak_allocated_gib")
        numbered = runs.select(pl.int_range(pl.len()).alias("row"), "swapped_blocks", "peak_allocated_gib", *keys)
        held = only(numbered, _UNSWAPPED & peak.is_not_null())
        if not held.is_empty():
            held = held.join(self._vram_bands, on=keys).filter(peak.is_between(pl.col("vram_low"), pl.col("vram_high")))
        if held.is_empty():
            return pl.repeat(None, runs.height, dtype=pl.String, eager=True).alias("inferred")
        single = held.group_by("row").agg(pl.col("quantization").first(), pl.len()).filter(pl.col("len") == 1)
        return (
            numbered.select("row")
            .join(single, on="row", how="left", maintain_order="left")["quantization"]
            .alias("inferred")
        )

    def with_timing(self, runs: pl.DataFrame, gpu: str | None) -> pl.DataFrame:
        """`runs` with window_low, window_high (s) and window_tolerance; `gpu` stands in where the log names none."""
        card = pl.coalesce("gpu", pl.lit(gpu, pl.String)).str.replace(CARD_MAKER, "").str.strip_chars()
        return runs.with_columns(card.alias("card")).join(
            self._window_times, on=_TIMING_KEY_OF_RUN, how="left", maintain_order="left"
        )

    def bands(self, runs: pl.DataFrame) -> dict[str, tuple[float, float]]:
        """run_id to the band (low, high, GiB) of its baseline, for runs that have one."""
        held = self.with_vram(runs).filter(pl.col("vram_low").is_not_null())
        return {run: (low, high) for run, low, high in held.select("run_id", "vram_low", "vram_high").rows()}


def _either_way(shelf: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """A portrait takes what a landscape of the same size takes."""
    turned = shelf.with_columns(pl.col("height").alias("width"), pl.col("width").alias("height"))
    return pl.concat([shelf, turned]).unique(subset=keys, keep="first", maintain_order=True)


def load(user_file: Path | None = None) -> Shelf:
    """The shipped baselines, with a user's entries in place of those with the same key.

    Raises:
        ExpectationError: a file cannot be read, or an entry misses a key or has a value of the wrong type.
    """
    documents = baseline_files.documents(user_file)
    merged = {kind: _table(kind, documents) for kind in KEYS}
    return Shelf(**merged, ranking=tuple(baseline_files.ranking(documents)))


def _table(kind: str, documents: Iterable[tuple[str, dict[str, Any]]]) -> pl.DataFrame:
    """The entries of a kind; of those with the same key the first."""
    schema = {**KEYS[kind], **FIGURES[kind], "provenance": pl.String}
    first: dict[tuple[object, ...], dict[str, Any]] = {}
    for file, document in documents:
        for key in document.keys() - {*KEYS, "ranking"}:
            raise ExpectationError(f"{file}: unknown key {key!r}", f"allowed are: ranking, {', '.join(KEYS)}")
        for number, entry in enumerate(document.get(kind, []), 1):
            _check(f"{file}: [[{kind}]] {number}", entry, schema)
            first.setdefault(tuple(entry[name] for name in KEYS[kind]), entry)
    return pl.DataFrame(list(first.values()), schema=schema)


def _check(where: str, entry: dict[str, Any], schema: Mapping[str, Any]) -> None:
    for key in sorted(schema.keys() - entry.keys()):
        raise ExpectationError(
            f"{where}: the key {key!r} is missing", "every figure says what it is for, and where from"
        )
    for key in sorted(entry.keys() - schema.keys()):
        raise ExpectationError(f"{where}: unknown key {key!r}", f"allowed are: {', '.join(schema)}")
    for key, kind in schema.items():
        if not isinstance(entry[key], _TYPES[kind]) or isinstance(entry[key], bool):
            raise ExpectationError(f"{where}: {key!r} is {entry[key]!r}, which is of the wrong type")
        if kind is _BAND and not (len(entry[key]) == 2 and entry[key][0] <= entry[key][1]):
            raise ExpectationError(f"{where}: {key!r} must be [low, high]")
