"""Reads baselines of memory, time and cost from TOML, and joins them to runs by key.

Only comparable figures are compared: a VRAM baseline states what its peak covers, and a run whose log prints another
kind of figure gets no baseline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from loganalyzer.common.errors import ExpectationError
from loganalyzer.expectations import baseline_files
from loganalyzer.expectations.names import CARD_MAKER
from loganalyzer.tables.frames import group_agg, join_pairs, left_join

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
_BY_WRAPPER: Final = pl.col("producer").fill_null("wrapper") == "wrapper"
"""Runs of the wrapper, on which the baselines were measured."""
_UNSWAPPED: Final = (pl.col("swapped_blocks").fill_null(0) == 0) & _BY_WRAPPER


@dataclass(frozen=True, eq=False)
class Baselines:
    """All baselines of a call.

    Attributes:
        vram: quantization, mode, width, height, lora_rank, window_frames, motion_frames, covers,
            peak_allocated_gib, band_gib (low, high), provenance.
        timing: gpu, mode, width, height, steps, window_frames, window_s (low, high), tolerance, provenance.
        cost: quantization, usd, windows, tolerance, provenance.
        requirement: pixels (at least), quantization (or better), lora_rank, provenance.
        ranking: quantizations from the lightest to the best.
    """

    vram: pl.DataFrame
    timing: pl.DataFrame
    cost: pl.DataFrame
    requirement: pl.DataFrame
    ranking: tuple[str, ...]

    @cached_property
    def _vram_bands(self) -> pl.DataFrame:
        """The keys of a run with vram_low, vram_high, vram_typical (GiB), for both orientations."""
        figures = dict.fromkeys(("vram_low", "vram_high", "vram_typical"), pl.Float64)
        rows = [
            {**row, "peak_covers": row["covers"], "vram_typical": row["peak_allocated_gib"]}
            | dict(zip(("vram_low", "vram_high"), row["band_gib"], strict=True))
            for row in self.vram.rows(named=True)
        ]
        keys = dict(zip(_VRAM_KEY_OF_RUN, _VRAM_KEY.values(), strict=True))
        return _for_both_orientations(rows, keys, figures)

    @cached_property
    def _window_times(self) -> pl.DataFrame:
        """The keys of a run and its card, with window_low, window_high (s), window_tolerance, in both orientations."""
        figures = dict.fromkeys(("window_low", "window_high", "window_tolerance"), pl.Float64)
        rows = [
            {**row, "card": re.sub(CARD_MAKER, "", row["gpu"]), "window_tolerance": row["tolerance"]}
            | dict(zip(("window_low", "window_high"), row["window_s"], strict=True))
            for row in self.timing.rows(named=True)
        ]
        keys = dict(zip(_TIMING_KEY_OF_RUN, _TIMING_KEY.values(), strict=True))
        return _for_both_orientations(rows, keys, figures)

    def with_vram(self, runs: pl.DataFrame) -> pl.DataFrame:
        """`runs` with vram_low, vram_high, vram_typical (GiB) of the baseline with the same key, else null.

        Width and height may be swapped. Block swap reduces VRAM, so a run that uses it has no baseline.
        """
        found = left_join(runs, self._vram_bands, _VRAM_KEY_OF_RUN)
        return found.with_columns(
            (pl.when(_UNSWAPPED).then(pl.col(name)).alias(name) for name in ("vram_low", "vram_high", "vram_typical")),
        )

    def infer_quantization(self, runs: pl.DataFrame) -> pl.Series:
        """The only quantization whose band contains the run's peak; null if none or several do."""
        keys = [name for name in _VRAM_KEY_OF_RUN if name != "quantization"]
        peak = pl.col("peak_allocated_gib")
        numbered = runs.select(
            pl.int_range(pl.len()).alias("row"), "swapped_blocks", "producer", "peak_allocated_gib", *keys
        )
        matching = numbered.filter(_UNSWAPPED & peak.is_not_null())
        if not matching.is_empty():
            matching = join_pairs(matching, self._vram_bands, keys).filter(
                peak.is_between(pl.col("vram_low"), pl.col("vram_high"))
            )
        if matching.is_empty():
            return pl.repeat(None, runs.height, dtype=pl.String, eager=True).alias("inferred")
        single = group_agg(matching, ["row"], pl.col("quantization").first(), pl.len()).filter(pl.col("len") == 1)
        return left_join(numbered[:, ["row"]], single[:, ["row", "quantization"]], ["row"])["quantization"].alias(
            "inferred"
        )

    def with_timing(self, runs: pl.DataFrame, gpu: str | None) -> pl.DataFrame:
        """`runs` with window_low, window_high (s) and window_tolerance; `gpu` is used if the log does not name one."""
        card = pl.coalesce("gpu", pl.lit(gpu, pl.String)).str.replace(CARD_MAKER, "").str.strip_chars()
        found = left_join(runs.with_columns(card.alias("card")), self._window_times, _TIMING_KEY_OF_RUN)
        figures = ("window_low", "window_high", "window_tolerance")
        return found.with_columns(pl.when(_BY_WRAPPER).then(pl.col(name)).alias(name) for name in figures)


def _for_both_orientations(
    rows: Sequence[Mapping[str, Any]], keys: Mapping[str, Any], figures: Mapping[str, Any]
) -> pl.DataFrame:
    """Keys and figures, the first of equal keys: a portrait video has the baseline of a landscape one of its size."""
    turned = [{**row, "width": row["height"], "height": row["width"]} for row in rows]
    first: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in (*rows, *turned):
        first.setdefault(tuple(row[name] for name in keys), tuple(row[name] for name in figures))
    return pl.DataFrame([(*key, *values) for key, values in first.items()], schema={**keys, **figures}, orient="row")


def load_baselines(user_file: Path | None = None) -> Baselines:
    """The shipped baselines; a user's entries replace those with the same key.

    Raises:
        ExpectationError: a file cannot be read, or an entry lacks a key or has a value of the wrong type.
    """
    documents = baseline_files.read_documents(user_file)
    merged = {kind: _build_table(kind, documents) for kind in KEYS}
    return Baselines(**merged, ranking=tuple(baseline_files.find_ranking(documents)))


def _build_table(kind: str, documents: Iterable[tuple[str, dict[str, Any]]]) -> pl.DataFrame:
    """The entries of a kind; the first of those with the same key."""
    schema = {**KEYS[kind], **FIGURES[kind], "provenance": pl.String}
    first: dict[tuple[object, ...], dict[str, Any]] = {}
    for file, document in documents:
        for key in document.keys() - {*KEYS, "ranking"}:
            raise ExpectationError(f"{file}: unknown key {key!r}", f"allowed keys: ranking, {', '.join(KEYS)}")
        for number, entry in enumerate(document.get(kind, []), 1):
            _check_entry(f"{file}: [[{kind}]] {number}", entry, schema)
            first.setdefault(tuple(entry[name] for name in KEYS[kind]), entry)
    return pl.DataFrame(list(first.values()), schema=schema)


def _check_entry(where: str, entry: dict[str, Any], schema: Mapping[str, Any]) -> None:
    for key in sorted(schema.keys() - entry.keys()):
        raise ExpectationError(
            f"{where}: the key {key!r} is missing", "every baseline states what it applies to and where it comes from"
        )
    for key in sorted(entry.keys() - schema.keys()):
        raise ExpectationError(f"{where}: unknown key {key!r}", f"allowed keys: {', '.join(schema)}")
    for key, kind in schema.items():
        if not isinstance(entry[key], _TYPES[kind]) or isinstance(entry[key], bool):
            raise ExpectationError(f"{where}: {key!r} is {entry[key]!r}, which has the wrong type")
        if kind is _BAND and not (len(entry[key]) == 2 and entry[key][0] <= entry[key][1]):
            raise ExpectationError(f"{where}: {key!r} must be [low, high]")
